/* SPDX-License-Identifier: MIT */
/* unpack - a vendor's program that comes inside an archive, with the files that it
 * needs beside it. */
#include "driver.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEMBERS_MAX = 100000 };

#define BYTES_MAX ((int64_t)8 << 30)

/** One archive on its way to the disk, or only looked through. */
struct unpacking {
	struct pd_ctx *ctx;
	const char *path, *program;
	struct archive *in, *out; /**< out NULL: look only */
	int64_t members, bytes;
	bool found;               /**< the program is in it */
};

static int damaged(const struct unpacking *u)
{
	return pd_fail(u->ctx, PD_REFUSED, "%s can't be unpacked: %s", u->path, archive_error_string(u->in));
}

static const char *plain(const char *name)
{
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	return name;
}

static int write_member(struct unpacking *u, struct archive_entry *e)
{
	const void *data = NULL;
	la_int64_t offset = 0;
	size_t len = 0;
	int status = archive_write_header(u->out, e);

	while (status == ARCHIVE_OK &&
	       (status = archive_read_data_block(u->in, &data, &len, &offset)) == ARCHIVE_OK) {
		u->bytes += (int64_t)len;
		if (u->bytes > BYTES_MAX)
			return pd_fail(u->ctx, PD_REFUSED, "%s is more than %" PRId64 " GiB unpacked", u->path,
				       BYTES_MAX >> 30);
		status = archive_write_data_block(u->out, data, len, offset) < 0 ? ARCHIVE_FATAL : ARCHIVE_OK;
	}
	if (status == ARCHIVE_EOF)
		status = archive_write_finish_entry(u->out);
	return status == ARCHIVE_OK ? 0 :
	       pd_fail(u->ctx, PD_FAILED, "%s can't be unpacked: %s: %s", u->path, archive_entry_pathname(e),
		       archive_error_string(archive_errno(u->out) ? u->out : u->in));
}

static int each(struct unpacking *u, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);
	mode_t type = archive_entry_filetype(e);

	if (pd_canceled(u->ctx))
		return pd_fail(u->ctx, PD_CANCELED, "stopped while %s was unpacked", u->path);
	if (!name || ++u->members > MEMBERS_MAX)
		return pd_fail(u->ctx, PD_REFUSED, "%s has a member without a name, or more than %d", u->path,
			       MEMBERS_MAX);
	if (!archive_entry_hardlink(e) && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
		return pd_fail(u->ctx, PD_REFUSED, "%s has %s in it, which is no file, folder or link", u->path, name);
	u->found = u->found || (type == AE_IFREG && strcmp(plain(name), u->program) == 0);
	return u->out ? write_member(u, e) : 0;
}

static int walk(struct unpacking *u)
{
	struct archive_entry *e = NULL;
	int status = ARCHIVE_OK, done = 0;

	setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive translates names */
	archive_read_support_filter_gzip(u->in);
	archive_read_support_filter_bzip2(u->in);
	archive_read_support_filter_xz(u->in);
	archive_read_support_filter_zstd(u->in);
	archive_read_support_format_tar(u->in);
	archive_read_support_format_zip(u->in);
	if (archive_read_open_filename(u->in, u->path, 1 << 16) != ARCHIVE_OK)
		return damaged(u);
	while (done == 0 && (status = archive_read_next_header(u->in, &e)) == ARCHIVE_OK)
		done = each(u, e);
	if (done == 0 && status != ARCHIVE_EOF)
		done = damaged(u);
	if (done == 0 && !u->found)
		done = pd_fail(u->ctx, PD_REFUSED, "%s has no program %s in it", u->path, u->program);
	return done;
}

int driver_look_inside(struct pd_ctx *ctx, const char *path, const char *program)
{
	struct unpacking u = { .ctx = ctx, .path = path, .program = program, .in = archive_read_new() };
	int done = walk(&u);

	archive_read_free(u.in);
	return done;
}

/* Nothing leads out of the folder, which is the current one for as long. */
int driver_unpack(struct pd_ctx *ctx, const char *path, const char *program, const char *folder)
{
	struct unpacking u = { .ctx = ctx, .path = path, .program = program, .in = archive_read_new(),
			       .out = archive_write_disk_new() };
	int done = 0;

	archive_write_disk_set_options(u.out, ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_UNLINK |
		ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
		ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
	if (pkg_make_folder(ctx, folder) < 0)
		done = PD_FAILED;
	else if (chdir(folder) != 0)
		done = pd_fail(ctx, PD_FAILED, "can't go to %s: %s", folder, strerror(errno));
	else
		done = walk(&u);
	/* an archive of another system knows of no right to execute */
	if (done == 0 && chmod(program, 0700) != 0)
		done = pd_fail(ctx, PD_FAILED, "%s/%s: %s", folder, program, strerror(errno));
	archive_write_free(u.out);
	archive_read_free(u.in);
	if (chdir("/") != 0 && done == 0)
		done = pd_fail(ctx, PD_FAILED, "can't go back to /: %s", strerror(errno));
	return done;
}
