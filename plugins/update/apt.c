/* SPDX-License-Identifier: MIT */
/* apt - runs apt and dpkg: the lock, what apt would do, repair, marks. */
#include "deb.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FILE "/var/lib/dpkg/lock-frontend"

/* Nothing may ask, restart services on its own, or speak another language
 * than the one that is read here. */
static const char *const environment[] = {
	"DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true",
	"APT_LISTCHANGES_FRONTEND=none", "NEEDRESTART_SUSPEND=1",
	"UCF_FORCE_CONFFOLD=1", "LC_ALL=C.UTF-8", "TERM=dumb",
	"DPKG_FRONTEND_LOCKED=true", NULL
};

int deb_run(struct pd_ctx *ctx, const struct pkg_argv *argv,
	    const char *directory, const char *input,
	    struct pd_command_result *result)
{
	struct pd_command command = {
		.size = sizeof(command), .argv = argv->v, .env = environment,
		.directory = directory, .output_max = PKG_OUTPUT_MAX,
		.input = input, .input_len = input ? strlen(input) : 0
	};

	return pd_command_run(ctx, &command, result) < 0 ? PD_FAILED : 0;
}

static void why_from(struct pkg_text *text, const char *output)
{
	char *rest = output ? (char *)pkg_copy(text->ctx, output,
					       strlen(output)) : NULL;
	char *line = NULL;
	bool more = false; /* dpkg's reason is on the line after */

	while (rest && text->len < 1500 && (line = pkg_line(&rest))) {
		bool reason = more && *line == ' ';

		more = strncmp(line, "dpkg: error", 11) == 0;
		if (strncmp(line, "E: ", 3) == 0)
			line += 3;
		else if (!more && !reason &&
			 !strstr(line, " : Depends: ") &&
			 !strstr(line, " : Breaks: ") &&
			 !strstr(line, " : Conflicts: ") &&
			 !strstr(line, "subprocess returned error"))
			continue;
		while (*line == ' ')
			line++;
		pkg_printf(text, "%s%s", text->len ? "; " : "", line);
	}
}

const char *deb_why(struct pd_ctx *ctx, const struct pd_command_result *r)
{
	struct pkg_text text = { .ctx = ctx };
	const char *last = NULL;

	why_from(&text, r->err);
	why_from(&text, r->out);
	if (text.len > 0)
		return text.s;
	if (r->err_len > 0) {
		last = r->err + (r->err_len > 300 ? r->err_len - 300 : 0);
		return pd_format(ctx, "exit status %d: %s", r->status, last);
	}
	return pd_format(ctx, "exit status %d without a message", r->status);
}

/*
 * apt and dpkg lock by fcntl, so a lock that this process takes on the same
 * file keeps every other package manager out between our own commands, which
 * are told not to lock again.  It ends with the descriptor, or the worker.
 */
int deb_lock(struct pd_ctx *ctx, int64_t timeout)
{
	const char *holder = "";
	int fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		      0640);
	int64_t waited = 0;

	if (fd < 0)
		return pd_fail(ctx, PD_FAILED, "%s can't be opened: %s",
			       LOCK_FILE, strerror(errno));
	for (;;) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		struct timespec second = { .tv_sec = 1 };

		if (fcntl(fd, F_SETLK, &lock) == 0)
			return fd;
		if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
			holder = pd_format(ctx, "process %ld (%s)",
					   (long)lock.l_pid,
					   pkg_holder(ctx, lock.l_pid));
		if (waited >= timeout)
			break;
		if (pd_canceled(ctx)) {
			close(fd);
			return pd_fail(ctx, PD_CANCELED, "canceled while "
				       "waiting for %s, which holds the "
				       "package manager's lock", holder);
		}
		if (waited % 30 == 0)
			pd_log(ctx, PD_LOG_INFO, "waiting for the package "
			       "manager's lock, held by %s", holder);
		pd_progress(ctx, waited, timeout, "waiting for the lock");
		nanosleep(&second, NULL);
		waited++;
	}
	close(fd);
	return pd_fail(ctx, PD_FAILED, "the package manager's lock %s is still "
		       "held by %s after %lld seconds; let it finish or end "
		       "it, then run again", LOCK_FILE, holder,
		       (long long)timeout);
}

void deb_apt(struct deb_txn *txn, struct pkg_argv *argv, bool locked)
{
	static const char *const fixed[] = {
		"apt-get", "-y", "-q", "--no-install-recommends",
		"-o", "Acquire::Retries=3", "-o", "APT::Sandbox::User=root",
		"-o", "APT::Get::Always-Include-Phased-Updates=true",
		"-o", "Dpkg::Options::=--force-confdef",
		"-o", "Dpkg::Options::=--force-confold"
	};

	argv->ctx = txn->ctx;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		pkg_arg(argv, fixed[i]);
	for (size_t i = 0; i < txn->dpkg_options.len; i++) {
		pkg_arg(argv, "-o");
		pkg_arg(argv, pd_format(txn->ctx, "Dpkg::Options::=%s",
					txn->dpkg_options.items[i]));
	}
	if (locked) {
		pkg_arg(argv, "-o");
		pkg_arg(argv, "Debug::NoLocking=true");
	}
	if (txn->source) { /* whatever apt is told on this server */
		pkg_arg(argv, "-o");
		pkg_arg(argv, "Dir::Etc::SourceList=/dev/null");
		pkg_arg(argv, "-o");
		pkg_arg(argv, "Dir::Etc::SourceParts=/dev/null");
	}
}

/* The files of the package source, as apt knows those of a repository. */
static void offer(const struct deb_txn *txn, struct pkg_argv *argv)
{
	for (size_t i = 0; i < txn->offers.n; i++) {
		pkg_arg(argv, "-o");
		pkg_arg(argv, pd_format(txn->ctx, "APT::Sources::With::=%s",
					txn->offers.v[i].path));
	}
}

/* "NAME[:ARCH] [OLD] (NEW ORIGIN [ARCH]) ..." after "Inst ", or
 * "NAME[:ARCH] [OLD]" after "Remv ". */
static void read_action(struct deb_txn *txn, char *line, bool remove,
			struct deb_changes *out)
{
	struct pd_ctx *ctx = txn->ctx;
	struct deb_change change = { .name = pkg_field(&line, ' ') };
	const struct deb_row *row = NULL;
	char *colon = strchr(change.name, ':');
	char *open = strchr(line, '(');
	char *close = open ? strchr(open, ')') : NULL;
	char *arch = NULL;

	change.arch = colon ? colon + 1 : "";
	if (colon)
		*colon = '\0';
	if (!remove && open && close) {
		*close = '\0';
		arch = strrchr(open, '[');
		if (arch) {
			*arch++ = '\0';
			change.arch = pkg_field(&arch, ']');
		}
		open++;
		change.version = pkg_field(&open, ' ');
	}
	row = deb_find(&txn->now, change.name, change.arch);
	if (deb_is_there(row)) {
		change.old = row->version;
		change.old_arch = row->arch;
		if (remove)
			change.arch = row->arch;
	}
	*deb_change_add(ctx, out) = change;
}

int deb_simulate(struct deb_txn *txn, struct pkg_argv *argv,
		 struct deb_changes *out, const char **why)
{
	struct pd_command_result result = { 0 };
	char *rest = NULL, *line = NULL;

	*out = (struct deb_changes){ 0 };
	*why = NULL;
	/* Not even the cache file of apt is written. */
	pkg_arg(argv, "-s");
	pkg_arg(argv, "-o");
	pkg_arg(argv, "Dir::Cache::pkgcache=");
	pkg_arg(argv, "-o");
	pkg_arg(argv, "Dir::Cache::srcpkgcache=");
	/* nor /var/log/apt/eipp.log.xz */
	pkg_arg(argv, "-o");
	pkg_arg(argv, "Dir::Log::Planner=");
	pkg_arg(argv, "-o");
	pkg_arg(argv, "Dir::Log::Solver=");
	if (deb_run(txn->ctx, argv, NULL, NULL, &result) < 0)
		return PD_FAILED;
	if (result.status != 0) {
		*why = deb_why(txn->ctx, &result);
		return PD_REFUSED;
	}
	rest = (char *)pkg_copy(txn->ctx, result.out, result.out_len);
	while ((line = pkg_line(&rest))) {
		if (strncmp(line, "Inst ", 5) == 0)
			read_action(txn, line + 5, false, out);
		else if (strncmp(line, "Remv ", 5) == 0)
			read_action(txn, line + 5, true, out);
	}
	return 0;
}

int deb_simulate_wanted(struct deb_txn *txn, struct deb_changes *out,
			const char **why)
{
	struct pkg_argv argv = { 0 };

	deb_apt(txn, &argv, false);
	offer(txn, &argv);
	pkg_arg(&argv, "install");
	if (txn->only_upgrade)
		pkg_arg(&argv, "--only-upgrade");
	for (size_t i = 0; i < txn->wanted_len; i++) {
		const struct deb_wanted *w = &txn->wanted[i];

		pkg_arg(&argv, w->path ? w->path :
				deb_spec(txn->ctx, w->name, w->arch,
					 w->version));
	}
	return deb_simulate(txn, &argv, out, why);
}

/* One paragraph of "apt-cache show" belongs to the old or the new version. */
static void take_paragraph(struct deb_changes *changes, const char *name,
			   const char *version, const char *arch,
			   const char *sha256, int64_t bytes, int64_t room)
{
	struct deb_change *c = deb_change_find(changes, name, arch);

	if (!c)
		return;
	if (c->version && strcmp(c->version, version) == 0 &&
	    strcmp(c->arch, arch) == 0) {
		c->room = room;
		if (sha256 && !c->sha256) {
			c->sha256 = sha256;
			c->bytes = bytes;
		}
	}
	if (c->old && strcmp(c->old, version) == 0 &&
	    strcmp(c->old_arch, arch) == 0) {
		c->old_room = room;
		if (sha256 && !c->old_sha256) {
			c->old_sha256 = sha256;
			c->old_bytes = bytes;
		}
	}
}

static void read_show(struct deb_txn *txn, const struct pd_command_result *r,
		      struct deb_changes *changes)
{
	char *rest = (char *)pkg_copy(txn->ctx, r->out, r->out_len);
	const char *name = "", *version = "", *arch = "", *sha256 = NULL;
	bool has_file = false, more = true;
	int64_t bytes = 0, room = 0;

	while (more) {
		char *line = pkg_line(&rest);

		more = line != NULL;
		if (more && strncmp(line, "Package: ", 9) == 0)
			name = line + 9;
		else if (more && strncmp(line, "Version: ", 9) == 0)
			version = line + 9;
		else if (more && strncmp(line, "Architecture: ", 14) == 0)
			arch = line + 14;
		else if (more && strncmp(line, "Filename: ", 10) == 0)
			has_file = true;
		else if (more && strncmp(line, "SHA256: ", 8) == 0)
			sha256 = line + 8;
		else if (more && strncmp(line, "Size: ", 6) == 0)
			bytes = strtoll(line + 6, NULL, 10);
		else if (more && strncmp(line, "Installed-Size: ", 16) == 0)
			room = strtoll(line + 16, NULL, 10) * 1024;
		if (more && *line)
			continue;
		if (*name)
			take_paragraph(changes, name, version, arch,
				       has_file ? sha256 : NULL, bytes, room);
		name = version = arch = "";
		sha256 = NULL;
		has_file = false;
		bytes = room = 0;
	}
}

int deb_show(struct deb_txn *txn, struct deb_changes *changes)
{
	struct pkg_argv argv = { .ctx = txn->ctx };
	struct pd_command_result result = { 0 };

	pkg_arg(&argv, "apt-cache");
	pkg_arg(&argv, "-o");
	pkg_arg(&argv, "Dir::Cache::pkgcache=");
	pkg_arg(&argv, "-o");
	pkg_arg(&argv, "Dir::Cache::srcpkgcache=");
	offer(txn, &argv);
	pkg_arg(&argv, "show");
	for (size_t i = 0; i < changes->n; i++) {
		const struct deb_change *c = &changes->v[i];

		if (c->version)
			pkg_arg(&argv, deb_spec(txn->ctx, c->name, c->arch,
						c->version));
		if (c->old)
			pkg_arg(&argv, deb_spec(txn->ctx, c->name, c->old_arch,
						c->old));
	}
	if (changes->n == 0)
		return 0;
	/* A version that only a file has is an error to apt-cache, none here. */
	if (deb_run(txn->ctx, &argv, NULL, NULL, &result) < 0)
		return PD_FAILED;
	read_show(txn, &result, changes);
	return 0;
}

const char *deb_audit(struct pd_ctx *ctx)
{
	struct pkg_argv argv = { .ctx = ctx };
	struct pd_command_result result = { 0 };

	pkg_arg(&argv, "dpkg");
	pkg_arg(&argv, "--audit");
	if (deb_run(ctx, &argv, NULL, NULL, &result) < 0)
		return NULL;
	if (result.status != 0 && result.out_len == 0)
		return pd_format(ctx, "dpkg --audit ended with status %d: %s",
				 result.status, result.err);
	return result.out;
}

struct progress {
	struct pkg_text errors;
};

/* "pmstatus:PACKAGE:PERCENT:TEXT", "pmerror:PACKAGE:PERCENT:TEXT" */
static void on_line(struct pd_ctx *ctx, void *user, int stream,
		    const char *line)
{
	struct progress *progress = user;
	const char *text = NULL;
	double percent = 0;
	char *end = NULL;

	if (stream != 1 || (strncmp(line, "pmstatus:", 9) != 0 &&
			    strncmp(line, "pmerror:", 8) != 0))
		return;
	text = strchr(line, ':') + 1;
	text = strchr(text, ':');
	/* The package may be written with its architecture. */
	while (text && !isdigit((unsigned char)text[1]))
		text = strchr(text + 1, ':');
	if (!text)
		return;
	percent = strtod(text + 1, &end);
	if (*end != ':')
		return;
	if (line[2] == 'e')
		pkg_printf(&progress->errors, "%s%s",
			   progress->errors.len ? "; " : "", end + 1);
	pd_progress(ctx, (int64_t)(percent * 10), 1000, end + 1);
}

int deb_act(struct pd_ctx *ctx, const struct pkg_argv *argv,
	    struct pd_command_result *result)
{
	struct progress progress = { .errors = { .ctx = ctx } };
	struct pd_command command = {
		.size = sizeof(command), .argv = argv->v, .env = environment,
		.output_max = PKG_OUTPUT_MAX, .line = on_line, .user = &progress
	};

	if (pd_command_run(ctx, &command, result) < 0)
		return PD_FAILED;
	for (char *rest = progress.errors.s, *line; rest && *rest;) {
		line = pkg_line(&rest);
		pd_log(ctx, PD_LOG_ERROR, "%s", line);
	}
	return 0;
}
