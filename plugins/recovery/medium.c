/* SPDX-License-Identifier: MIT */
/* Reads a boot medium of rear: an ISO 9660 image in a file, or on a device. */
#include "recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#define SMALL ((size_t)4 << 20)

/* The image, and in it rear's system, which is an archive of its own. */
struct image {
	struct pd_ctx *ctx;
	struct archive *a;
	struct medium *m;
};

struct system {
	struct packed *p;
	struct medium *m;
};

static int64_t system_read(struct packed *p, const char **why)
{
	struct image *image = p->user;
	la_ssize_t n = archive_read_data(image->a, p->raw, sizeof(p->raw));

	if (n < 0)
		*why = archive_error_string(image->a);
	return n;
}

static const struct {
	const char *name;
	size_t field;
} wanted[] = {
	{ "etc/hostname", offsetof(struct medium, host) },
	{ "var/lib/rear/layout/disklayout.conf", offsetof(struct medium, layout) },
	{ "var/lib/rear/layout/config/files.md5sum", offsetof(struct medium, sums) },
	{ "etc/rear/" RECORD, offsetof(struct medium, record) },
};

static int system_member(struct pd_ctx *ctx, struct archive *a, struct archive_entry *e, const char *name,
			 void *user)
{
	struct system *system = user;

	system->m->system = system->m->system || strcmp(name, "etc/rear-release") == 0;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		const char *text;
		size_t len = 0;

		if (strcmp(name, wanted[i].name) != 0 || archive_entry_filetype(e) != AE_IFREG)
			continue;
		text = packed_text(system->p, a, SMALL, &len);
		if (!text)
			return PD_FAILED;
		memcpy((char *)system->m + wanted[i].field, &text, sizeof(text));
		return 0;
	}
	return packed_data(ctx, system->p->name, a, NULL);
}

int medium_system(struct pd_ctx *ctx, struct packed *p, struct medium *m)
{
	struct system system = { .p = p, .m = m };
	struct archive *a;

	p->ctx = ctx;
	a = packed_open(p);
	return a ? packed_close(p, a, packed_each(p, a, system_member, &system)) : PD_FAILED;
}

static int read_system(struct image *image, const char *name)
{
	struct packed *p = pd_alloc_for(image->ctx, sizeof(*p));

	*p = (struct packed){ .read = system_read, .user = image,
			      .name = pd_format(image->ctx, "%s of %s", name, image->m->path) };
	return medium_system(image->ctx, p, image->m);
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int member(struct image *image, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);

	if (archive_entry_filetype(e) != AE_IFREG || !name)
		return 0;
	if (strcasecmp(base(name), "kernel") == 0 && archive_entry_size(e) > 0)
		image->m->kernel = true;
	if (strncasecmp(base(name), "initrd", 6) == 0 && !image->m->system)
		return read_system(image, name);
	return packed_data(image->ctx, image->m->path, image->a, NULL);
}

static int read_members(struct image *image)
{
	struct archive_entry *e = NULL;
	int status, r;

	while ((status = archive_read_next_header(image->a, &e)) >= ARCHIVE_WARN && status != ARCHIVE_EOF) {
		if (pd_canceled(image->ctx))
			return pd_fail(image->ctx, PD_CANCELED, "stopped while %s was read", image->m->path);
		r = member(image, e);
		if (r < 0)
			return r;
	}
	return status == ARCHIVE_EOF ? 0 :
	       pd_fail(image->ctx, PD_FAILED, "%s is damaged or cut off: %s", image->m->path,
		       archive_error_string(image->a));
}

static int read_image(struct pd_ctx *ctx, int fd, struct medium *m)
{
	struct image image = { .ctx = ctx, .m = m, .a = archive_read_new() };
	int r;

	archive_read_support_format_iso9660(image.a);
	if (lseek(fd, 0, SEEK_SET) == 0 && archive_read_open_fd(image.a, fd, 1 << 16) == ARCHIVE_OK)
		r = read_members(&image);
	else
		r = pd_fail(ctx, PD_FAILED, "%s can't be read: %s", m->path, archive_error_string(image.a));
	archive_read_free(image.a);
	return r;
}

int medium_judged(struct pd_ctx *ctx, const struct medium *m, int r)
{
	const char *lacks = !m->kernel ? "no kernel" : !m->system ? "no system of rear" :
			    !m->layout ? "no layout of disks" : NULL;

	if (r == 0 && !lacks)
		return 0;
	if (r < 0 && (ctx->phase != PD_PHASE_CHECK || r != PD_FAILED))
		return r;
	return against(ctx, lacks && r == 0 ? pd_format(ctx, "%s has %s in it", m->path, lacks) :
		       pd_format(ctx, "%s is damaged or cut off", m->path),
		       "have a new medium made, and look at what this one is kept on");
}

int medium_read(struct pd_ctx *ctx, const char *path, struct medium *m)
{
	struct stat st;
	uint64_t bytes = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;

	*m = (struct medium){ .path = path };
	if (fd < 0)
		return against(ctx, pd_format(ctx, "the medium %s can't be opened: %s", path, strerror(errno)),
			       "put it in or mount what it is on, or have one made by recovery.backup");
	if (fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))) {
		close(fd);
		return against(ctx, pd_format(ctx, "%s is neither an image nor a device", path),
			       "name the file that ends with .iso, or the device");
	}
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &bytes) == 0)
		ioctl(fd, BLKFLSBUF, 0); /* what is read comes from the medium */
	m->bytes = S_ISREG(st.st_mode) ? st.st_size : (int64_t)bytes;
	pd_progress(ctx, 0, 0, pd_format(ctx, "reading %s", path));
	r = boot_read(ctx, fd, m);
	if (r == 0)
		r = medium_judged(ctx, m, read_image(ctx, fd, m));
	close(fd);
	return r;
}

/* rear itself writes down the short name alone. */
int medium_mine(struct pd_ctx *ctx, const struct medium *m)
{
	const char *remedy = "take the medium of this server, or have one made by recovery.backup";
	const char *id = m->record ? line_value(ctx, m->record, "machine") : NULL;
	size_t n = strcspn(ctx->server, ".");

	if (id && strcmp(id, server_id(ctx)) == 0)
		return 0;
	if (m->record) {
		const char *server = line_value(ctx, m->record, "server");

		return against(ctx, pd_format(ctx, "%s is the medium of another server: of %s, by its id", m->path,
					      server ? server : "none"), remedy);
	}
	if (!m->host || strcspn(m->host, "\n") != n || strncasecmp(m->host, ctx->server, n) != 0)
		return against(ctx, pd_format(ctx, "%s is the medium of another server: of '%.*s'", m->path,
					      m->host ? (int)strcspn(m->host, "\n") : 0,
					      m->host ? m->host : ""), remedy);
	pd_log(ctx, PD_LOG_WARN, "%s was not made by patchday: it is this server's by its name alone", m->path);
	return 0;
}
