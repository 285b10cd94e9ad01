/* SPDX-License-Identifier: MIT */
/* The archive of files that rear has made beside the medium: read to its end,
 * and a part of its files compared with the disk. */
#include "recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
	struct packed *p;
	struct archive_report *report;
	int64_t percent;
	int fd;
	struct crypt crypt;
	int64_t done, total;
	bool accounts; /* etc/passwd is in it */
};

static int64_t file_read(struct packed *p, const char **why)
{
	struct reading *r = p->user;
	ssize_t n;

	if (r->report->encrypted) {
		n = crypt_read(&r->crypt, p->raw, sizeof(p->raw), why);
	} else {
		do
			n = read(r->fd, p->raw, sizeof(p->raw));
		while (n < 0 && errno == EINTR);
		if (n < 0)
			*why = strerror(errno);
	}
	r->done += n > 0 ? n : 0;
	pd_progress(p->ctx, r->done, r->total, "reading the archive back");
	return n;
}

/* The same files each time that it is asked in this run, others in the next. */
static bool chosen(struct pd_ctx *ctx, const char *name, int64_t percent)
{
	const char *hex = digest_text(ctx, pd_format(ctx, "%s %s", ctx->run, name),
				      strlen(ctx->run) + 1 + strlen(name));
	unsigned n = 0;

	for (int i = 0; i < 6; i++)
		n = n * 16 + (unsigned)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
	return n % 100 < percent;
}

/* A file that was written since then tells nothing about the archive. */
static bool comparable(struct archive_entry *e, const char *path)
{
	struct stat st;

	return archive_entry_filetype(e) == AE_IFREG && !archive_entry_hardlink(e) &&
	       lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == archive_entry_size(e) &&
	       st.st_mtime == archive_entry_mtime(e);
}

static const char *disk_digest(struct pd_ctx *ctx, const char *path)
{
	char buffer[1 << 16], *hex = pd_alloc_for(ctx, HEX);
	unsigned char raw[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state sum;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return NULL;
	crypto_hash_sha256_init(&sum);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		crypto_hash_sha256_update(&sum, (unsigned char *)buffer, (size_t)n);
	close(fd);
	crypto_hash_sha256_final(&sum, raw);
	sodium_bin2hex(hex, HEX, raw, sizeof(raw));
	return n == 0 ? hex : NULL;
}

static int compare(struct pd_ctx *ctx, struct reading *r, struct archive *a, struct archive_entry *e,
		   const char *path)
{
	const char *hex = NULL, *now;
	int result = packed_data(ctx, r->p->name, a, &hex);

	if (result < 0)
		return result;
	now = disk_digest(ctx, path);
	if (now && strcmp(now, hex) != 0 && comparable(e, path))
		return pd_fail(ctx, PD_FAILED, "%s has another content in %s than on the disk, with the same size "
			       "and time; one of the two is damaged", path, r->p->name);
	r->report->compared += now != NULL;
	return 0;
}

static int member(struct pd_ctx *ctx, struct archive *a, struct archive_entry *e, const char *name, void *user)
{
	struct reading *r = user;
	const char *path = pd_format(ctx, "/%s", name);
	size_t len = 0;

	if (archive_entry_filetype(e) == AE_IFREG) {
		r->report->files++;
		r->report->bytes += archive_entry_size(e);
	}
	r->accounts = r->accounts || strcmp(name, "etc/passwd") == 0;
	if (strcmp(name, "etc/machine-id") == 0 && archive_entry_filetype(e) == AE_IFREG) {
		const char *id = packed_text(r->p, a, 4096, &len);

		if (!id)
			return PD_FAILED;
		r->report->own_id = digest_text(ctx, id, len);
		return 0;
	}
	if (comparable(e, path) && chosen(ctx, name, r->percent))
		return compare(ctx, r, a, e, path);
	return packed_data(ctx, r->p->name, a, NULL);
}

static int judge(struct pd_ctx *ctx, const struct reading *r, const char *path)
{
	const char *id = r->report->own_id;

	if (!r->accounts)
		return pd_fail(ctx, PD_FAILED, "%s has no /etc/passwd in it: it is no backup of a whole server", path);
	if (id && strcmp(id, server_id(ctx)) != 0)
		return pd_fail(ctx, PD_FAILED, "%s is the backup of another server: its /etc/machine-id is not "
			       "this one's", path);
	if (r->report->compared == 0)
		return pd_fail(ctx, PD_FAILED, "no file of %s could be compared with the disk: all were written "
			       "since then, or percent is too small", path);
	return 0;
}

static int decrypt(struct pd_ctx *ctx, const char *path, const struct pd_secret *passphrase, struct reading *r)
{
	size_t len = 0;
	const char *words = passphrase ? pd_secret(ctx, passphrase, &len) : NULL;

	r->report->encrypted = crypt_begins(r->fd);
	if (!words)
		return !r->report->encrypted ? 0 :
		       pd_fail(ctx, PD_FAILED, "%s is encrypted, and can't be read back without the parameter passphrase", path);
	if (!r->report->encrypted)
		return pd_fail(ctx, PD_FAILED, "%s is not encrypted, though there is a passphrase for it", path);
	return crypt_begin(&r->crypt, r->fd, words, len) ? 0 : pd_fail(ctx, PD_FAILED, "the archive %s can't be read: %s", path,
									strerror(errno));
}

int archive_check(struct pd_ctx *ctx, const char *path, int64_t percent, const struct pd_secret *passphrase,
		  struct archive_report *report)
{
	struct packed *p = pd_alloc_for(ctx, sizeof(*p));
	struct reading r = { .p = p, .report = report, .percent = percent };
	struct archive *a;
	struct stat st;
	int result;

	*p = (struct packed){ .ctx = ctx, .name = path, .read = file_read, .user = &r };
	*report = (struct archive_report){ 0 };
	r.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r.fd < 0 || fstat(r.fd, &st) < 0)
		return pd_fail(ctx, PD_FAILED, "the archive %s can't be opened: %s", path, strerror(errno));
	r.total = st.st_size;
	result = decrypt(ctx, path, passphrase, &r);
	a = result == 0 ? packed_open(p) : NULL;
	if (result == 0 && !a)
		result = PD_FAILED;
	if (a)
		result = packed_close(p, a, packed_each(p, a, member, &r));
	close(r.fd);
	return result < 0 ? result : judge(ctx, &r, path);
}

const char *archive_beside(struct pd_ctx *ctx, const char *folder)
{
	const char *found = NULL;
	glob_t g = { 0 };

	/* the folder's own name may hold what is a pattern to glob(3) */
	if (strpbrk(folder, "*?[\\") == NULL &&
	    glob(pd_format(ctx, "%s/backup.tar*", folder), 0, NULL, &g) == 0)
		found = pd_format(ctx, "%s", g.gl_pathv[0]);
	globfree(&g);
	return found;
}
