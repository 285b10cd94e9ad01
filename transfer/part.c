/* SPDX-License-Identifier: MIT */
/* What came of a file so far: kept beside its place under a hidden name, with
 * a note of what it is a part of; it gets its name when it is whole and proved. */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"

enum { NOTE_MAX = 64 << 10 };

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? pd_strdup("/") : pd_strndup(path, (size_t)(slash - path));
}

static bool folder_is_safe(const char *path, struct pd_error **err)
{
	pd_auto_free char *folder = folder_of(path);
	struct stat st;

	if (stat(folder, &st) < 0)
		return pd_error_errno(err, "transfer-folder", errno, "%s", folder);
	if (!S_ISDIR(st.st_mode))
		return pd_error_set(err, "transfer-folder", "%s is no folder", folder);
	if (st.st_uid != geteuid())
		return pd_error_set(err, "transfer-folder", "%s is owned by user %u", folder,
				    (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return pd_error_set(err, "transfer-folder", "others can write to %s (mode %04o)",
				    folder, (unsigned)(st.st_mode & 07777));
	return true;
}

/* A weak validator promises the same meaning, not the same bytes. */
static bool is_strong(const char *etag)
{
	return etag && *etag && strncmp(etag, "W/", 2) != 0;
}

/* Is what lies there a part of this very file?  A digest to come will prove
 * it; without one the source has to, by what it had said of the file. */
static bool can_go_on(struct job *j)
{
	pd_auto_json *note = pd_json_read(j->note, NOTE_MAX, NULL);
	const char *etag = pd_json_text(note, "etag", NULL);
	const char *modified = pd_json_text(note, "modified", NULL);

	if (!note || strcmp(pd_json_text(note, "url", ""), j->url) != 0 ||
	    strcmp(pd_json_text(note, "digest", ""), j->digest ? j->digest : "") != 0)
		return false;
	free(j->got_etag);
	free(j->got_modified);
	j->got_etag = is_strong(etag) ? pd_strdup(etag) : NULL;
	j->got_modified = pd_strdup(modified);
	return j->digest || j->got_etag || j->got_modified;
}

/* Under a hidden name, so that nobody takes it for the one that was meant. */
static void set_aside(struct job *j)
{
	const char *name = strrchr(j->to, '/') + 1;
	char *aside = pd_print("%.*s.%s.wrong", (int)(name - j->to), j->to, name);

	if (rename(j->to, aside) == 0)
		j->aside = aside;
	else
		free(aside); /* it is replaced then, when the right one has come */
}

bool part_is_there(struct job *j)
{
	pd_auto_close int fd = j->digest && folder_is_safe(j->to, NULL) ?
			       open(j->to, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	pd_auto_free char *is = NULL;
	struct stat st = {0};

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	is = j->bytes < 0 || j->bytes == st.st_size ? digest_of(fd, j->digest) : NULL;
	if (is && strcasecmp(is, j->digest) == 0 && st.st_uid == geteuid() &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH))) {
		j->have = st.st_size;
		return true;
	}
	set_aside(j);
	return false;
}

bool part_open(struct job *j, struct pd_error **err)
{
	struct stat st = {0};

	if (j->fd < 0 && !folder_is_safe(j->to, err))
		return false;
	if (j->fd < 0)
		j->fd = open(j->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (j->fd < 0 || fstat(j->fd, &st) < 0)
		return pd_error_errno(err, "transfer-failed", errno, "cannot keep %s", j->part);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return pd_error_set(err, "transfer-folder", "%s is not a file of ours", j->part);
	if (flock(j->fd, LOCK_EX | LOCK_NB) < 0)
		return pd_error_set(err, "transfer-failed", "%s is being fetched by another process",
				    j->to);
	j->have = st.st_size;
	if (j->have == 0 || (can_go_on(j) && j->have <= j->max &&
			     (j->bytes < 0 || j->have <= j->bytes)))
		return true;
	return part_empty(j) || pd_error_errno(err, "transfer-failed", errno, "%s", j->part);
}

void part_note(const struct job *j)
{
	pd_auto_json *note = json_pack("{s:s, s:s*, s:s*, s:s*}", "url", j->url, "digest",
				       j->digest, "etag", j->got_etag, "modified", j->got_modified);
	pd_auto_free char *text = pd_json_line(note);

	/* without it the part is of no use the next time, and nothing worse */
	(void)!pd_file_write(j->note, 0600, text, strlen(text), NULL);
}

bool part_empty(struct job *j)
{
	j->have = 0;
	return ftruncate(j->fd, 0) == 0;
}

bool part_add(struct job *j, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = pwrite(j->fd, at, len, j->have);

		if (n < 0 && errno != EINTR)
			return false;
		if (n <= 0)
			continue;
		at += n;
		len -= (size_t)n;
		j->have += n;
	}
	return true;
}

static bool prove(struct job *j, struct pd_error **err)
{
	pd_auto_free char *is = j->digest ? digest_of(j->fd, j->digest) : NULL;

	if (j->bytes >= 0 && j->have != j->bytes)
		return pd_error_set(err, "transfer-size", "%s has %" PRId64 " bytes, not %" PRId64,
				    j->url, j->have, j->bytes);
	if (j->digest && !is)
		return pd_error_errno(err, "transfer-failed", errno, "cannot read back %s", j->part);
	if (is && strcasecmp(is, j->digest) != 0)
		return pd_error_set(err, "transfer-digest", "%s has the digest %s, not %s", j->url,
				    is, j->digest);
	return true;
}

static bool sync_folder(const char *path)
{
	pd_auto_free char *folder = folder_of(path);
	pd_auto_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0;
}

bool part_finish(struct job *j, struct pd_error **err)
{
	struct pd_error *why = NULL;

	if (!prove(j, &why)) {
		if (strcmp(why->id, "transfer-failed") != 0)
			(void)!part_empty(j);
		pd_error_move(err, why);
		return false;
	}
	if (fchmod(j->fd, 0644) < 0 || fsync(j->fd) < 0 || rename(j->part, j->to) < 0 ||
	    !sync_folder(j->to))
		return pd_error_errno(err, "transfer-failed", errno, "cannot write %s", j->to);
	unlink(j->note);
	return true;
}

void part_close(struct job *j)
{
	if (j->fd >= 0 && j->have == 0 && j->state != JOB_DONE) {
		unlink(j->part); /* nothing came */
		unlink(j->note);
	}
	pd_close_p(&j->fd);
	j->fd = -1;
}
