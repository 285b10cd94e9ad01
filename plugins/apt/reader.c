/* SPDX-License-Identifier: MIT */
/* The reader apt: what apt would install in place of what is installed, by
 * source package. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "apt.h"

/* Packages whose old code goes on running in what can't be started anew by
 * itself; a "*" at the end stands for the rest of the name. */
static const char *const reboot_packages[] = {
	"linux-image-*",             /* the kernel */
	"intel-microcode", "amd64-microcode", /* loaded at boot */
	"libc6", "libc6-i386",       /* every process, also the first one */
	"systemd", "systemd-sysv", "libsystemd-shared", "libsystemd0",
	"udev", "libudev1",
	"dbus", "dbus-daemon", "dbus-broker", "libdbus-1-3", /* not restartable */
	"libpam-systemd",
	"cryptsetup*", "libcryptsetup12", "dmsetup", "libdevmapper*",
	NULL
};
static const char *const session_packages[] = {
	"bash", "dash", "zsh", "login", "libpam0g", "libpam-modules", "tmux", "screen",
	NULL
};
static const char *const quiet_sections[] = { "doc", "fonts", "devel", "libdevel",
					      "localization", NULL };

static bool listed(const char *const *list, const char *name)
{
	for (; *list; list++) {
		size_t len = strlen(*list);

		if ((*list)[len - 1] == '*' ? strncmp(*list, name, len - 1) == 0 :
					      strcmp(*list, name) == 0)
			return true;
	}
	return false;
}

static uint16_t restart_of(const struct wanted *w)
{
	const char *section = strchr(w->section, '/') ? strchr(w->section, '/') + 1 :
			      w->section;

	return listed(reboot_packages, w->name) ? PD_RESTART_REBOOT :
	       listed(session_packages, w->name) ? PD_RESTART_SESSION :
	       listed(quiet_sections, section) ? PD_RESTART_NONE : PD_RESTART_SERVICE;
}

static struct target *target_of(struct targets *all, const char *description)
{
	for (size_t i = 0; i < all->len; i++)
		if (strcmp(all->rows[i].description, description) == 0)
			return &all->rows[i];
	return NULL;
}

/* Where one package of `apt-cache policy` has got to. */
struct policy {
	const char *name, *arch, *candidate;
	bool newer;     /* the candidate stands above what is installed */
	bool inside;    /* in the sources of the candidate */
	struct target *target;
	bool security;
	const char *installed, *top; /* top: the newest version above it */
	long priority, highest; /* of the version of the line before, and of its sources */
	bool counts;            /* it is the installed one, or above that */
	bool pinned, kept_out;  /* by a pin of its own; by one of a whole source */
	bool phased;            /* what is newest goes to a part of all servers as yet */
};

/* Is there a pin?  Without one a version has the highest priority of its sources, and
 * a source has one of these. */
static void end_version(struct policy *p)
{
	bool usual = p->priority == 1 || p->priority == 100 || p->priority == 500 ||
		     p->priority == 990;

	p->pinned = p->pinned || (p->counts && p->priority != p->highest);
	p->kept_out = p->kept_out || (p->counts && !usual);
	p->counts = false;
}

#define PHASED "apt, which phases it and would not take it now"

static void held_back(struct pd_ctx *ctx, const char *by, const char *name, const char *version,
		      const char *installed)
{
	pd_ignored(ctx, 0, pd_format(ctx, "%s %s is held back by %s, %s stays; see `apt-cache policy %s`",
		name, version, by, installed ? installed : "what is installed", name));
}

static void take_policy(struct pd_ctx *ctx, struct wanted_list *out, struct policy *p)
{
	end_version(p);
	if (p->name && !p->newer && p->top && p->pinned)
		held_back(ctx, p->phased ? PHASED : "an apt pin", p->name, p->top, p->installed);
	else if (p->name && !p->newer && p->top && p->kept_out)
		out->kept_out++;
	if (p->name && p->newer && p->target)
		out->rows[out->len++] = (struct wanted){
			.name = p->name, .arch = p->arch, .version = p->candidate,
			.installed = p->installed, .phased = p->phased,
			.target = p->target, .security = p->security, .bytes = -1 };
	*p = (struct policy){ .name = NULL };
}

static bool is_phased(const char *text)
{
	static const char word[] = " (phased ";

	return strncmp(text, word, sizeof(word) - 1) == 0 && strtol(text + sizeof(word) - 1, NULL, 10) < 100;
}

/*
 *   libc6:
 *     Installed: 1
 *     Candidate: 2
 *     Version table:
 *        2 500 (phased 20%)
 *           500 http://... bookworm/main amd64 Packages
 *    *** 1 100
 *           100 /var/lib/dpkg/status
 * Versions stand in falling order.
 */
static void policy_line(struct policy *p, struct targets *targets, char *line,
			bool *above)
{
	size_t indent = strspn(line, " ");
	char *rest = line + indent;

	if (strncmp(rest, "Installed: ", 11) == 0) {
		p->installed = rest + 11;
	} else if (strncmp(rest, "Candidate: ", 11) == 0) {
		p->candidate = rest + 11;
		*above = true;
	} else if (indent >= 6) {
		struct target *t = NULL;
		long priority = strtol(rest, &rest, 10);

		p->highest = priority > p->highest ? priority : p->highest;
		t = p->inside ? target_of(targets, rest + strspn(rest, " ")) : NULL;
		if (t && (!p->target || (t->security && !p->security)))
			p->target = t;
		p->security = p->security || (t && t->security);
	} else if (p->candidate && (indent == 5 || strncmp(line, " *** ", 5) == 0)) {
		const char *version = NULL;

		end_version(p);
		p->counts = *above;
		*above = *above && indent == 5;
		line += 5;
		version = apt_field(&line, ' ');
		p->top = p->top || !*above ? p->top : version;
		p->priority = strtol(line, &line, 10);
		p->highest = LONG_MIN;
		p->inside = strcmp(version, p->candidate) == 0;
		p->newer = p->newer || (p->inside && *above);
		p->phased = p->phased || ((p->inside || version == p->top) && is_phased(line));
	}
}

/* Of what is phased apt takes a part on each server, by the server's id and by what it
 * is configured to; that is only seen in what it would do. */
static int drop_phased(struct pd_ctx *ctx, struct wanted_list *out, const char *native)
{
	/* it writes neither its cache nor a log */
	static const char *const argv[] = { "apt-get", "-s", "--ignore-hold", "-o",
		"Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "Dir::Log::Planner=",
		"-o", "Dir::Log::Solver=", "dist-upgrade", NULL };
	struct pd_command_result r = { .out = NULL };
	size_t kept = 0;

	for (size_t i = 0; i < out->len; i++) {
		const struct wanted *w = &out->rows[i];
		bool foreign = strcmp(w->arch, native) != 0;

		if (w->phased && !r.out && apt_try(ctx, argv, NULL, &r) < 0)
			return PD_FAILED;
		if (r.out && r.status) {
			pd_ignored(ctx, 0, pd_format(ctx, "apt-get -s dist-upgrade ended with status %d: whether "
				"what is phased is for this server is not known, so it is listed", r.status));
			return 0;
		}
		if (!w->phased || strstr(r.out, pd_format(ctx, "\nInst %s%s%s ", w->name,
				foreign ? ":" : "", foreign ? w->arch : "")))
			out->rows[kept++] = *w;
		else
			held_back(ctx, PHASED, w->name, w->version, w->installed);
	}
	out->len = kept;
	return 0;
}

static int read_policy(struct pd_ctx *ctx, struct targets *targets,
		       struct wanted_list *out, const char *native)
{
	static const char format[] = "${db:Status-Status} ${binary:Package} ${Architecture}\n";
	struct pd_command_result r;
	struct policy p = { .name = NULL };
	const char **argv;
	size_t lines = 0, n = 0;
	char *text, *line, *colon;
	bool above = true;

	if (apt_dpkg(ctx, format, &r) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < r.out_len; i++)
		lines += r.out[i] == '\n';
	argv = pd_alloc_for(ctx, (lines + 3) * sizeof(*argv));
	argv[n++] = "apt-cache";
	argv[n++] = "policy";
	text = apt_copy(ctx, r.out);
	while ((line = apt_line(&text))) {
		const char *status = apt_field(&line, ' ');

		if (strcmp(status, "config-files") != 0 && strcmp(status, "not-installed") != 0)
			argv[n++] = apt_field(&line, ' ');
	}
	out->rows = pd_alloc_for(ctx, (n + 1) * sizeof(*out->rows));
	if (n == 2)
		return pd_fail(ctx, PD_FAILED, "dpkg-query names no installed package: "
			       "/var/lib/dpkg/status is lost or damaged; put back "
			       "/var/lib/dpkg/status-old or /var/backups/dpkg.status.*");
	if (apt_run(ctx, argv, NULL, &r) < 0)
		return PD_FAILED;
	text = apt_copy(ctx, r.out);
	while ((line = apt_line(&text))) {
		if (*line == ' ') {
			policy_line(&p, targets, line, &above);
			continue;
		}
		take_policy(ctx, out, &p);
		if (*line)
			line[strlen(line) - 1] = '\0'; /* "name:" or "name:arch:" */
		colon = strchr(line, ':');
		p.name = line;
		p.arch = colon ? colon + 1 : native;
		if (colon)
			*colon = '\0';
	}
	take_policy(ctx, out, &p);
	if (out->kept_out)
		pd_ignored(ctx, 0, pd_format(ctx, "%zu installed packages are newer in a source "
			"that is held back by an apt pin; see `apt-cache policy` without a "
			"name", out->kept_out));
	return drop_phased(ctx, out, native);
}

static int by_source(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	int order = strcmp(x->source, y->source);

	order = order ? order : strcmp(x->source_version, y->source_version);
	order = order ? order : strcmp(x->name, y->name);
	return order ? order : strcmp(x->arch, y->arch);
}

/* Names of users and passwords in addresses are nobody's business. */
static const char *url_of(struct pd_ctx *ctx, const struct wanted *w)
{
	const char *uri = w->target->uri, *host = strstr(uri, "://"), *at = NULL;
	size_t scheme = host ? (size_t)(host + 3 - uri) : 0, len = strlen(uri);

	for (const char *c = uri + scheme; host && *c && *c != '/'; c++)
		at = *c == '@' ? c : at;
	return pd_format(ctx, "%.*s%s%s%s", (int)scheme, uri, at ? at + 1 : uri + scheme,
			 len && uri[len - 1] == '/' ? "" : "/", w->path);
}

static int emit_package(struct pd_ctx *ctx, const struct wanted *w, uint32_t payload)
{
	struct pd_payload file = { .size = sizeof(file), .url = url_of(ctx, w),
		.bytes = w->bytes,
		.digest = *w->sha256 ? pd_format(ctx, "sha256:%s", w->sha256) : NULL };
	struct pd_package_row row = { .size = sizeof(row), .scheme = PD_SCHEME_DEB,
		.name = w->name, .version = w->version, .arch = w->arch,
		.source = w->source, .payload = payload, .restart = restart_of(w) };

	return pd_update_payload(ctx, &file) < 0 ? PD_FAILED : pd_update_package(ctx, &row);
}

/* One update: the @p n packages of one version of one source package. */
static int emit(struct pd_ctx *ctx, const struct wanted *w, size_t n)
{
	struct pd_update_head head = { .size = sizeof(head), .kind = PD_CLASS_BUGFIX };
	const struct target *from = w->target;
	const char *names = "", *trust = "";
	int64_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		if (w[i].security && head.kind != PD_CLASS_SECURITY) {
			head.kind = PD_CLASS_SECURITY;
			from = w[i].target;
		}
		if (restart_of(&w[i]) > head.restart)
			head.restart = restart_of(&w[i]);
		bytes += (w[i].bytes > 0 ? w[i].bytes : 0) + w[i].installed_kib * 1024;
		names = pd_format(ctx, "%s%s%s", names, i ? ", " : "", w[i].name);
		if (!strstr(trust, w[i].target->release->trust))
			trust = pd_format(ctx, "%s%s%s", trust, i ? "; " : "",
					  w[i].target->release->trust);
	}
	head.id = pd_format(ctx, "%s/%s", w->source, w->source_version);
	head.title = pd_format(ctx, "%s %s (%s)", w->source, w->source_version, from->label);
	head.description = pd_format(ctx, "%s, from %s %s", names, from->label, from->suite);
	head.vendor = from->label;
	head.severity_text = head.kind == PD_CLASS_SECURITY ? from->label : "";
	head.severity = head.kind == PD_CLASS_SECURITY ? PD_SEVERITY_IMPORTANT :
							  PD_SEVERITY_UNKNOWN;
	head.issued = from->release->date;
	head.disk_bytes = bytes;
	head.trust = trust;
	if (pd_update_begin(ctx, &head) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < n; i++)
		if (emit_package(ctx, &w[i], (uint32_t)i + 1) < 0)
			return PD_FAILED;
	return pd_update_end(ctx);
}

/* apt touches these whenever it has looked for newer lists. */
static void note_age(struct pd_ctx *ctx)
{
	static const char *const marks[] = { "/var/lib/apt/lists", "/var/lib/apt/lists/partial",
		"/var/lib/apt/periodic/update-success-stamp" };
	time_t last = 0, now = time(NULL);
	struct stat st;

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (stat(marks[i], &st) == 0 && st.st_mtime > last)
			last = st.st_mtime;
	if (now - last > 7 * 86400)
		pd_ignored(ctx, 0, pd_format(ctx, "apt's lists are %d days old; newer "
			"updates are not known; run `apt-get update`",
			(int)((now - last) / 86400)));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->name, ((const struct wanted *)b)->name);
}

/* Verify and read the lists that something wanted comes from. */
static int fill(struct pd_ctx *ctx, struct targets *targets, struct wanted_list *wanted)
{
	struct release *releases = NULL;
	size_t kept = 0;

	qsort(wanted->rows, wanted->len, sizeof(*wanted->rows), by_name);
	for (size_t i = 0; i < wanted->len; i++)
		wanted->rows[i].target->used = true;
	for (size_t i = 0; i < targets->len; i++) {
		struct target *t = &targets->rows[i];
		int use = t->used ? apt_release(ctx, t, &releases) : 0;

		if (use < 0 || (use && apt_list(ctx, t, wanted) < 0))
			return PD_FAILED;
		pd_progress(ctx, (int64_t)i + 1, (int64_t)targets->len, t->description);
	}
	for (size_t i = 0; i < wanted->len; i++) {
		const struct wanted *w = &wanted->rows[i];

		if (w->found)
			wanted->rows[kept++] = *w;
		else if (w->target->trusted)
			return pd_fail(ctx, PD_FAILED, "apt offers %s %s, which is not in "
				       "%s; run `apt-get update`", w->name, w->version,
				       w->target->file);
	}
	wanted->len = kept;
	return 0;
}

int apt_read(struct pd_ctx *ctx)
{
	static const char *const native[] = { "dpkg", "--print-architecture", NULL };
	struct targets targets = { .rows = NULL };
	struct wanted_list wanted = { .rows = NULL };
	struct pd_command_result r;
	char *arch;

	if (apt_status(ctx) < 0 || apt_run(ctx, native, NULL, &r) < 0)
		return PD_FAILED;
	arch = apt_copy(ctx, r.out);
	arch[strcspn(arch, "\n")] = '\0';
	if (apt_targets(ctx, &targets) < 0 ||
	    read_policy(ctx, &targets, &wanted, arch) < 0 ||
	    fill(ctx, &targets, &wanted) < 0)
		return PD_FAILED;
	note_age(ctx);
	qsort(wanted.rows, wanted.len, sizeof(*wanted.rows), by_source);
	for (size_t i = 0, n; i < wanted.len; i += n) {
		for (n = 1; i + n < wanted.len &&
			    strcmp(wanted.rows[i].source, wanted.rows[i + n].source) == 0 &&
			    strcmp(wanted.rows[i].source_version,
				   wanted.rows[i + n].source_version) == 0;)
			n++;
		if (emit(ctx, &wanted.rows[i], n) < 0)
			return PD_FAILED;
	}
	return 0;
}
