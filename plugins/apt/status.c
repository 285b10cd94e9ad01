/* SPDX-License-Identifier: MIT */
/* What dpkg says of its packages, and whether that can be all: a database that is
 * lost or cut short must not read as a server that needs nothing. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "apt.h"

#define STATUS "/var/lib/dpkg/status"
#define INFO "/var/lib/dpkg/info"
enum { STATUS_MAX = 256 << 20 };

/* Of a line "ID=debian" or "ID_LIKE=\"ubuntu debian\"". */
static bool names_debian(const char *line)
{
	size_t key = strncmp(line, "ID=", 3) == 0 ? 3 : strncmp(line, "ID_LIKE=", 8) == 0 ? 8 : 0;

	while (key && line[key] && line[key] != '\n') {
		size_t len = strcspn(line + key, " \t\"'\n");

		if ((len == 6 && strncmp(line + key, "debian", len) == 0) ||
		    (len == 6 && strncmp(line + key, "ubuntu", len) == 0))
			return true;
		key += len;
		key += strspn(line + key, " \t\"'");
	}
	return false;
}

/* Does this system live by dpkg?  Others may have the program, and no packages. */
static bool is_debian(struct pd_ctx *ctx)
{
	const char *text = pd_read_file(ctx, "/etc/os-release", 1 << 20, NULL);
	bool found = false, like = false;

	if (!text)
		text = pd_read_file(ctx, "/usr/lib/os-release", 1 << 20, NULL);
	for (const char *line = text; line && !found; line = strchr(line, '\n')) {
		line += *line == '\n';
		found = names_debian(line);
		like = like || strncmp(line, "ID_LIKE=", 8) == 0;
	}
	/* what says whom it is like, and not Debian, may have this file from its base-files */
	return found || (!like && access("/etc/debian_version", F_OK) == 0);
}

/* Files of a folder by the end of their names, or that are numbers (NULL). */
static size_t count_files(const char *folder, const char *end)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), tail = end ? strlen(end) : 0;

		n += end ? len > tail && strcmp(entry->d_name + len - tail, end) == 0 :
			   strspn(entry->d_name, "0123456789") == len;
	}
	if (dir)
		closedir(dir);
	return n;
}

/* What a look at the file finds. */
struct found {
	size_t packages;               /* that have files, or had */
	bool dpkg;                     /* dpkg itself is one of them */
	bool name, state, version;     /* of the last stanza */
};

static void take_line(struct found *f, const char *line)
{
	if (strncmp(line, "Package: ", 9) == 0) {
		f->name = true;
		f->state = f->version = false;
		f->packages++;
		f->dpkg = f->dpkg || strncmp(line + 9, "dpkg\n", 5) == 0;
	} else if (strncmp(line, "Status: ", 8) == 0) {
		const char *end = line + strcspn(line, "\n");
		bool gone = end - line > 14 && strncmp(end - 14, " not-installed", 14) == 0;

		f->state = true;
		f->version = f->version || gone;
		f->packages -= gone && f->packages;
	} else if (strncmp(line, "Version: ", 9) == 0) {
		f->version = true;
	}
}

/* NULL, or why the file can't be all. */
static const char *look(struct pd_ctx *ctx, const char *text, size_t len)
{
	size_t lists = count_files(INFO, ".list");
	/* what an interrupted dpkg has not written into the file yet, one each */
	size_t later = count_files("/var/lib/dpkg/updates", NULL);
	struct found f = { .packages = 0 };

	if (!len)
		return "is empty";
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		take_line(&f, line);
	if (strlen(text) != len)
		return "has bytes in it that are no text";
	if (text[len - 1] != '\n' || !f.name || !f.state || !f.version)
		return "ends within a package";
	if (!f.dpkg)
		return "does not have the package dpkg itself";
	if (lists > f.packages + later + f.packages / 20)
		return pd_format(ctx, "has %zu packages, but " INFO " has the files of %zu",
				 f.packages, lists);
	if (lists > f.packages + later)
		pd_log(ctx, PD_LOG_WARN, STATUS " has %zu packages, " INFO " has the files of "
		       "%zu: some may be missing; see `dpkg --audit`", f.packages, lists);
	return NULL;
}

int apt_dpkg(struct pd_ctx *ctx, const char *format, struct pd_command_result *out)
{
	const char *const argv[] = { "dpkg-query", "-W", "-f", format, NULL };

	if (apt_run(ctx, argv, NULL, out) < 0)
		return PD_FAILED;
	if (out->err_len)
		pd_log(ctx, PD_LOG_WARN, "dpkg-query warns: %.600s", out->err);
	return 0;
}

int apt_status(struct pd_ctx *ctx)
{
	bool debian = is_debian(ctx);
	const char *text, *why;
	size_t len = 0;

	/* no dpkg at all: a server of another kind, or an image without it */
	if (access(STATUS, F_OK) &&
	    (!debian || (access("/usr/bin/dpkg", F_OK) && access("/var/lib/dpkg", F_OK))))
		return 0;
	if (!debian)
		return 1;
	text = pd_read_file(ctx, STATUS, STATUS_MAX, &len);
	why = text ? look(ctx, text, len) : pd_format(ctx, "can't be read: %s", strerror(errno));
	return why ? pd_fail(ctx, PD_FAILED, STATUS " %s, so it is not known which packages are "
			     "installed; put back /var/lib/dpkg/status-old or the newest good one "
			     "of /var/backups/dpkg.status.*, then run `dpkg --audit`", why) : 1;
}
