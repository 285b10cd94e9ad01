/* SPDX-License-Identifier: MIT */
/* Runs rear(8).  It is told what we want by a copy of the server's configuration
 * with lines behind it, which goes onto the medium, too: there it has to find the
 * archive again. */
#include "recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAR "/usr/sbin/rear"
#define LOG_MAX ((size_t)32 << 20)

/* ------------------------------------------------------------ is it there */

bool roots_alone(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? errno == ENOENT : st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Its configuration is a script that root runs. */
int rear_there(struct pd_ctx *ctx)
{
	static const char *const files[] = { CONFIG, CONFIG "/site.conf", CONFIG "/local.conf" };

	if (access(REAR, X_OK) < 0)
		return against(ctx, "Relax-and-Recover is not installed: there is no " REAR,
			       "install it: apt-get install rear, or dnf install rear");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (!roots_alone(files[i]))
			return against(ctx, pd_format(ctx, "others than root may write in %s, which root runs as a "
						      "script", files[i]),
				       pd_format(ctx, "chown root:root %s, chmod go-w %s", files[i], files[i]));
	return 0;
}

/* ----------------------------------------------------- its configuration */

static int append(struct pd_ctx *ctx, const char *path, const char *text)
{
	FILE *f = fopen(path, "ae");
	bool written = f && fputs(text, f) >= 0;

	if (f && fclose(f) != 0)
		written = false;
	return written ? 0 : pd_fail(ctx, PD_FAILED, "cannot write %s: %s", path, strerror(errno));
}

static int copy_config(struct pd_ctx *ctx, const char *folder, const char *lines)
{
	const char *const argv[] = { "cp", "-RpL", CONFIG "/.", folder, NULL };
	struct pd_command_result r = { 0 };

	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return pd_fail(ctx, PD_FAILED, "cannot make the folder %s: %s", folder, strerror(errno));
	if (pd_run(ctx, argv, &r) < 0)
		return PD_FAILED;
	if (r.status != 0)
		return pd_fail(ctx, PD_FAILED, "cannot copy %s: %s", CONFIG, r.err);
	return append(ctx, pd_format(ctx, "%s/local.conf", folder), lines);
}

static const char *secret_of(struct pd_ctx *ctx, const struct rear_job *job)
{
	return pd_format(ctx, "%s/" PASSPHRASE_HERE "/passphrase", job->temp);
}

/* openssl is told a file, and rear no secret: neither an argument nor what goes onto the medium has it. rear
 * takes the file's name out of the medium's configuration, where the second one stays. */
static const char *encryption_of(struct pd_ctx *ctx, const struct rear_job *job)
{
	return !job->passphrase ? "" :
	       pd_format(ctx, "BACKUP_PROG_CRYPT_ENABLED=yes\n"
			 "BACKUP_PROG_CRYPT_OPTIONS='/usr/bin/openssl enc " CRYPT_CIPHER " -salt -pass'\n"
			 "BACKUP_PROG_DECRYPT_OPTIONS='/usr/bin/openssl enc -d " CRYPT_CIPHER " -pass'\n"
			 "BACKUP_PROG_CRYPT_KEY='file:%s'\n"
			 "[ \"$BACKUP_PROG_CRYPT_KEY\" ] || BACKUP_PROG_CRYPT_KEY='file:" PASSPHRASE_THERE "'\n", secret_of(ctx, job));
}

/* In memory, among the mounts of rear alone: gone with them, also after a crash. */
static int hide_passphrase(struct pd_ctx *ctx, const struct rear_job *job)
{
	const char *folder = pd_format(ctx, "%s/" PASSPHRASE_HERE, job->temp), *path = secret_of(ctx, job), *words;
	size_t len = 0;
	ssize_t n;
	int fd;

	if (!job->passphrase)
		return 0;
	words = pd_secret(ctx, job->passphrase, &len);
	if (memchr(words, '\n', len))
		return pd_fail(ctx, PD_FAILED, "the passphrase has more than one line, which openssl does not take");
	if (mkdir(folder, 0700) < 0 || !space_cover(folder))
		return pd_fail(ctx, PD_FAILED, "cannot have a place for the passphrase, %s: %s", folder, strerror(errno));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	n = fd < 0 ? -1 : write(fd, words, len);
	if (fd >= 0)
		close(fd);
	return n == (ssize_t)len ? 0 : pd_fail(ctx, PD_FAILED, "cannot hand the passphrase to openssl: %s", strerror(errno));
}

bool with_archive(const struct rear_job *job) { return strcmp(job->workflow, "mkbackup") == 0; }

/* Without USB_SUFFIX rear removes what is older on a stick; the label is what it is found by again. */
static const char *output_of(struct pd_ctx *ctx, const struct rear_job *job, const char *iso)
{
	if (job->label)
		return pd_format(ctx, "OUTPUT=USB\nUSB_DEVICE='" BY_LABEL "%s'\nUSB_DEVICE_FILESYSTEM_LABEL='%s'\n"
				 "USB_SUFFIX='%s'\nOUTPUT_PREFIX='%s'\n", job->label, job->label, job->prefix, job->folder + 1);
	return pd_format(ctx, "OUTPUT=ISO\nOUTPUT_PREFIX='%s'\nISO_DIR='%s'\nISO_PREFIX='%s'\nISO_MAX_SIZE=\n", job->prefix, iso,
			 job->name);
}

/* The words of ours are letters, digits and a few signs: see make.c and stick.c. */
static const char *lines_of(struct pd_ctx *ctx, const struct rear_job *job, const char *iso)
{
	const char *lines = pd_format(ctx, "\n# Added by patchday for run %s.\n%sOUTPUT_URL='%s'\nKEEP_OLD_OUTPUT_COPY=\n",
				      ctx->run, output_of(ctx, job, iso), job->url);

	if (!with_archive(job))
		return lines;
	return pd_format(ctx, "%sBACKUP=NETFS\nBACKUP_URL='%s'\nNETFS_PREFIX='%s'\nBACKUP_TYPE=\n"
			 "BACKUP_PROG_ARCHIVE=backup\nNETFS_KEEP_OLD_BACKUP_COPY=\n%s", lines, job->url, job->prefix,
			 encryption_of(ctx, job));
}

/* ----------------------------------------------------------- running it */

/* What it says is a bug has a line of signs first. */
static const char *first_error(struct pd_ctx *ctx, const struct pd_command_result *r)
{
	const char *p = strstr(r->err, "ERROR: ");

	if (!p)
		p = strstr(r->out, "ERROR: ");
	if (!p)
		return pd_format(ctx, "exit status %d", r->status);
	p += 7;
	p += strspn(p, " =\n");
	return pd_format(ctx, "%.*s", (int)strcspn(p, "\n"), p);
}

/* @param disk of the workflow "format"; NULL */
static int rear_on(struct pd_ctx *ctx, const char *config, const char *temp, const char *workflow, const char *disk,
		   int64_t limit, struct pd_command_result *r)
{
	const char *const argv[] = { REAR, "-v", "-c", config, workflow, disk ? "--" : NULL, "--yes", "--bios", disk, NULL };
	const char *const env[] = { pd_format(ctx, "TMPDIR=%s", temp), NULL };
	const struct pd_command command = {
		.size = sizeof(command), .argv = argv, .env = env, .time_limit = limit,
		.flags = ctx->phase == PD_PHASE_APPLY && limit ? PD_RUN_LOG : 0
	};

	return pd_command_run(ctx, &command, r);
}

static int rear(struct pd_ctx *ctx, const char *config, const char *temp, const char *workflow, int64_t limit,
		struct pd_command_result *r)
{
	return rear_on(ctx, config, temp, workflow, NULL, limit, r);
}

/* The value of "  NAME="value"" in what `rear dump` prints. */
static const char *dumped(struct pd_ctx *ctx, const char *text, const char *name)
{
	const char *key = pd_format(ctx, "\n  %s=\"", name), *p = strstr(text, key);

	return p ? pd_format(ctx, "%.*s", (int)strcspn(p + strlen(key), "\"\n"), p + strlen(key)) : "";
}

static bool program_there(const char *name)
{
	static const char *const folders[] = { "/usr/bin", "/usr/sbin", "/bin", "/sbin" };
	char path[64];

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static int judge_dump(struct pd_ctx *ctx, const struct rear_job *job, const char *text)
{
	const char *crypt = dumped(ctx, text, "BACKUP_PROG_CRYPT_ENABLED");
	const char *program = strstr(text, "# Backup program is '");

	if (strcmp(dumped(ctx, text, "OUTPUT_URL"), job->url) != 0)
		return against(ctx, "rear does not take where its output goes: its configuration has made it "
			       "unchangeable", "look for readonly in /etc/rear");
	if (job->label && strcmp(dumped(ctx, text, "USB_BOOTLOADER"), "grub") != 0 && !program_there("extlinux"))
		return against(ctx, "rear makes a stick that can be booted with extlinux, which is not installed",
			       "apt-get install extlinux, or set USB_BOOTLOADER=grub in /etc/rear/local.conf");
	if (!with_archive(job))
		return 0;
	if (program && strncmp(program + 21, "tar'", 4) != 0)
		return against(ctx, pd_format(ctx, "rear makes its archive with '%.*s', which can't be read back here",
					      (int)strcspn(program + 21, "'\n"), program + 21),
			       "set BACKUP_PROG=tar in /etc/rear/local.conf");
	if (!job->passphrase && *crypt && strchr("yYtT1", *crypt))
		return against(ctx, "rear encrypts its archive, which can't be read back here",
			       "give the parameter passphrase in place of BACKUP_PROG_CRYPT_ENABLED and BACKUP_PROG_CRYPT_KEY in "
			       "/etc/rear/local.conf");
	if (job->passphrase && access("/usr/bin/openssl", X_OK) < 0)
		return against(ctx, "there is no /usr/bin/openssl, which encrypts the archive", "apt-get install openssl");
	return 0;
}

int rear_takes(struct pd_ctx *ctx, const struct rear_job *job)
{
	const char *config = OWN "/config";
	struct pd_command_result r = { 0 };
	struct space back;
	int result = space_enter(ctx, true, &back);

	if (result < 0)
		return result;
	result = copy_config(ctx, config, lines_of(ctx, job, job->temp));
	if (result == 0)
		result = rear(ctx, config, OWN "/tmp", "dump", 0, &r);
	result = space_leave(ctx, &back, result);
	if (result < 0)
		return result;
	return r.status == 0 ? judge_dump(ctx, job, r.out) :
	       against(ctx, pd_format(ctx, "rear can't be used: %s", first_error(ctx, &r)),
		       "see what 'rear dump' says, and set /etc/rear/local.conf right");
}

static int keep_log(struct pd_ctx *ctx)
{
	const char *path = pd_format(ctx, "%s/rear.log", ctx->work_dir), *text;
	const char *log = pd_format(ctx, "/var/log/rear/rear-%.*s.log", (int)strcspn(ctx->server, "."),
				    ctx->server);
	size_t len = 0;

	text = pd_read_file(ctx, log, LOG_MAX, &len);
	if (!text) {
		pd_log(ctx, PD_LOG_WARN, "rear's log %s can't be read: %s", log, strerror(errno));
		return 0;
	}
	return pd_write_file(ctx, path, 0600, text, len) < 0 ? PD_FAILED : pd_evidence(ctx, path, "rear's log");
}

/* A folder of its own, with the configuration in it. */
static int begin(struct pd_ctx *ctx, const struct rear_job *job, const char *config)
{
	return remove_folder(ctx, job->temp) < 0 || mkdir(job->temp, 0700) < 0 ||
	       copy_config(ctx, config, lines_of(ctx, job, job->temp)) < 0 ?
	       pd_fail(ctx, PD_FAILED, "cannot make %s: %s", job->temp, strerror(errno)) : 0;
}

int rear_format(struct pd_ctx *ctx, const struct rear_job *job, const char *disk)
{
	const char *config = pd_format(ctx, "%s/config", job->temp);
	struct pd_command_result r = { 0 };

	if (begin(ctx, job, config) < 0 ||
	    rear_on(ctx, config, job->temp, "format", disk, job->limit, &r) < 0)
		return PD_FAILED;
	return r.status == 0 ? 0 : pd_fail(ctx, PD_FAILED, "rear can't make %s anew: %s", disk, first_error(ctx, &r));
}

int rear_run(struct pd_ctx *ctx, const struct rear_job *job)
{
	const char *config = pd_format(ctx, "%s/config", job->temp);
	const char *record = pd_format(ctx, "server %s\nmachine %s\nrun %s\nkind %s\nurl %s\n", ctx->server,
				       server_id(ctx), ctx->run, job->workflow, job->url);
	struct pd_command_result r = { 0 };
	struct space back;
	int result;

	if (begin(ctx, job, config) < 0 || append(ctx, pd_format(ctx, "%s/" RECORD, config), record) < 0)
		return PD_FAILED;
	result = space_enter(ctx, false, &back); /* what it mounts goes with it, also when it is killed */
	if (result < 0)
		return result;
	result = hide_passphrase(ctx, job);
	if (result < 0)
		return space_leave(ctx, &back, result);
	result = rear(ctx, config, job->temp, job->workflow, job->limit, &r);
	if (result == PD_FAILED)
		result = pd_fail(ctx, result, "rear %s did not come to its end in the %s that the parameter limit gives it",
				 job->workflow, span(ctx, job->limit));
	result = space_leave(ctx, &back, result);
	if (keep_log(ctx) < 0 || result < 0)
		return result < 0 ? result : PD_FAILED;
	return r.status == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "rear %s has failed: %s; rear.log among the evidence has the rest",
		       job->workflow, first_error(ctx, &r));
}

/* --------------------------------------------------- comparing the layout */

static bool has_line(const char *text, const char *line, size_t len)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (strcspn(text, "\n") == len && strncmp(text, line, len) == 0)
			return true;
	return false;
}

/* The first line of one that the other has not; NULL: there is none. */
static const char *lacks(struct pd_ctx *ctx, const char *one, const char *other)
{
	for (; *one; one += strcspn(one, "\n"), one += *one == '\n') {
		size_t len = strcspn(one, "\n");

		if (len && *one != '#' && !has_line(other, one, len))
			return pd_format(ctx, "%.*s", len > 200 ? 200 : (int)len, one);
	}
	return NULL;
}

/* rear keeps what it has compared, as it is asked to. */
static const char *present_layout(struct pd_ctx *ctx)
{
	const char *text = NULL;
	glob_t g = { 0 };

	if (glob(OWN "/tmp/rear.*/tmp/checklayout.conf", 0, NULL, &g) == 0)
		text = pd_read_file(ctx, g.gl_pathv[0], (size_t)4 << 20, NULL);
	globfree(&g);
	return text;
}

static int write_layout(struct pd_ctx *ctx, const struct medium *m)
{
	const char *url = m->record ? line_value(ctx, m->record, "url") : NULL;
	const char *kind = m->record ? line_value(ctx, m->record, "kind") : NULL;
	const char *lines = "\nKEEP_BUILD_DIR=yes\n";

	if (url && kind && strcmp(kind, "mkbackup") == 0)
		lines = pd_format(ctx, "%sBACKUP=NETFS\nBACKUP_URL='%s'\n", lines, url);
	if (mkdir(OWN "/layout", 0700) < 0 || mkdir(OWN "/layout/config", 0700) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot make a folder: %s", strerror(errno));
	if (append(ctx, OWN "/layout/disklayout.conf", m->layout) < 0 ||
	    (m->sums && append(ctx, OWN "/layout/config/files.md5sum", m->sums) < 0))
		return PD_FAILED;
	return copy_config(ctx, OWN "/config", lines);
}

/* A record is of a medium that anybody may have made: what goes into a script
 * out of it is looked at as a parameter is. */
static int archive_place(struct pd_ctx *ctx, const struct medium *m)
{
	const char *url = m->record ? line_value(ctx, m->record, "url") : NULL;
	struct stat st;

	if (!url)
		return 0;
	if (url[strspn(url, URL_SIGNS)])
		return against(ctx, pd_format(ctx, "%s has a record that is not as patchday writes it", m->path),
			       "have it made anew");
	if (strncmp(url, "file:///", 8) != 0 || (stat(url + 7, &st) == 0 && S_ISDIR(st.st_mode)))
		return 0;
	return against(ctx, pd_format(ctx, "%s, where the archive of %s is, is not there", url + 7, m->path),
		       "mount it");
}

int rear_compare(struct pd_ctx *ctx, const struct medium *m)
{
	struct pd_command_result r = { 0 };
	const char *now = NULL, *gone, *come;
	struct space back;
	int result = archive_place(ctx, m);

	if (result == 0)
		result = space_enter(ctx, true, &back);
	if (result < 0)
		return result;
	result = write_layout(ctx, m);
	if (result == 0)
		result = rear(ctx, OWN "/config", OWN "/tmp", "checklayout", 0, &r);
	if (result == 0)
		now = present_layout(ctx);
	result = space_leave(ctx, &back, result);
	if (result < 0)
		return result;
	if (strstr(r.out, "Configuration files have changed"))
		pd_log(ctx, PD_LOG_WARN, "configuration that is on %s has changed since: rear names it in "
		       "CHECK_CONFIG_FILES", m->path);
	if (strstr(r.out, "Disk layout is identical"))
		return 0;
	if (!strstr(r.out, "Disk layout has changed"))
		return pd_fail(ctx, PD_FAILED, "rear can't tell the layout of the disks: %s", first_error(ctx, &r));
	gone = now ? lacks(ctx, m->layout, now) : NULL;
	come = now ? lacks(ctx, now, m->layout) : NULL;
	return against(ctx, pd_format(ctx, "the disks are not those of %s any more: '%s' on it, '%s' now", m->path,
				      gone ? gone : "", come ? come : ""),
		       "have a new medium made by recovery.backup");
}

/* ------------------------------------------------------------- removing */

static int drop(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

int remove_folder(struct pd_ctx *ctx, const char *folder)
{
	return nftw(folder, drop, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT ? 0 :
	       pd_fail(ctx, PD_FAILED, "cannot remove %s: %s", folder, strerror(errno));
}
