/* SPDX-License-Identifier: MIT */
/* Reads back what rear has made on a stick: the boot code of its disk, the boot loader's configuration down to the kernel
 * and the system that it starts, and the digests of all that was written down. */
#include "stick.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#define SECTOR 512
#define CONFIG_MAX ((size_t)1 << 20)
#define LIST_MAX ((size_t)1 << 20)
#define INCLUDES 4 /* extlinux.conf, /rear/syslinux.cfg, the run's own; and one more */

static const char *on_stick(struct pd_ctx *ctx, const char *path) { return pd_format(ctx, STICK "%s", path); }

/* ------------------------------------------------------------ boot code */

static uint64_t number(const unsigned char *p, int bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | p[bytes];
	return n;
}

static bool sector(int fd, int64_t at, unsigned char *out) { return pread(fd, out, SECTOR, at) == SECTOR; }

/* The code of syslinux starts what is marked: by 0x80 in an MBR, by bit 2 of the attributes in a GPT. */
static bool marked(int fd, const unsigned char *mbr, int64_t start)
{
	const uint64_t first = (uint64_t)start / SECTOR;
	unsigned char head[SECTOR], entry[SECTOR];
	uint64_t n, size;

	for (const unsigned char *p = mbr + 446; p < mbr + 510; p += 16)
		if (p[4] != 0xee && p[4] != 0 && number(p + 8, 4) == first)
			return p[0] == 0x80;
	if (!sector(fd, SECTOR, head) || memcmp(head, "EFI PART", 8) != 0)
		return false;
	n = number(head + 80, 4);
	size = number(head + 84, 4);
	for (uint64_t i = 0; i < n && i < 128 && size >= 128 && size <= SECTOR; i++) {
		int64_t at = (int64_t)(number(head + 72, 8) * SECTOR + i * size);

		if (pread(fd, entry, 128, at) == 128 && number(entry + 32, 8) == first)
			return entry[48] & 4;
	}
	return false;
}

/* Which boot loader the disk's code starts; NULL: none that is known. */
static const char *loader_of(const struct device *d)
{
	static const unsigned char none[STICK_CODE];
	unsigned char mbr[SECTOR], own[SECTOR];
	const char *loader = NULL;
	int fd = open(d->disk, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	ioctl(fd, BLKFLSBUF, 0); /* what is read comes from the stick */
	if (sector(fd, 0, mbr) && mbr[510] == 0x55 && mbr[511] == 0xaa && memcmp(mbr, none, STICK_CODE) != 0 &&
	    sector(fd, d->start, own)) {
		if (memmem(mbr, STICK_CODE, "GRUB", 4))
			loader = "grub";
		else if ((memcmp(own + 3, "SYSLINUX", 8) == 0 || memcmp(own + 3, "EXTLINUX", 8) == 0) &&
			 marked(fd, mbr, d->start))
			loader = "extlinux";
	}
	close(fd);
	return loader;
}

/* -------------------------------------------------------- its configuration */

/* Does a configuration, or one that it includes, name this? */
static bool leads(struct pd_ctx *ctx, const char *path, const char *to, int depth)
{
	const char *text = pd_read_file(ctx, on_stick(ctx, path), CONFIG_MAX, NULL);

	if (!text || strstr(text, to))
		return text;
	for (; depth < INCLUDES && *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *line = text + strspn(text, " \t");

		if (strncmp(line, "include /", 9) == 0 &&
		    leads(ctx, pd_format(ctx, "%.*s", (int)strcspn(line + 8, " \t\n"), line + 8), to, depth + 1))
			return true;
	}
	return false;
}

static bool is_there(struct pd_ctx *ctx, const char *path)
{
	struct stat st;

	return stat(on_stick(ctx, path), &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

/* By the disk's boot code.  NULL: it does. */
static const char *bios_lacks(struct pd_ctx *ctx, const struct device *d, const char *folder, const char *system, struct medium *m)
{
	const char *config = "/boot/syslinux/extlinux.conf";
	const char *const lead_to[] = { pd_format(ctx, "%s/kernel", folder), pd_format(ctx, "%s/%s", folder, system) };

	m->loader = loader_of(d);
	if (!m->loader)
		return pd_format(ctx, "its disk %s has no boot code that starts it", d->disk);
	if (strcmp(m->loader, "grub") == 0)
		config = is_there(ctx, "/boot/grub/grub.cfg") ? "/boot/grub/grub.cfg" : "/boot/grub2/grub.cfg";
	else if (!is_there(ctx, "/boot/syslinux/ldlinux.sys"))
		return "it has no ldlinux.sys";
	for (size_t i = 0; i < sizeof(lead_to) / sizeof(*lead_to); i++)
		if (!leads(ctx, config, lead_to[i], 1))
			return pd_format(ctx, "%s does not lead to %s", config, lead_to[i]);
	return NULL;
}

/* By one of both; but boot code that leads nowhere is a fault, whatever UEFI does. */
static int starts(struct pd_ctx *ctx, const struct device *d, const char *folder, const char *system, struct medium *m)
{
	const char *bios = bios_lacks(ctx, d, folder, system, m), *uefi = stick_efi_lacks(ctx, d, folder, system);

	if (pd_canceled(ctx))
		return pd_fail(ctx, PD_CANCELED, "stopped while %s was read", m->path);
	m->bios = !bios;
	m->uefi = !uefi;
	if (bios && (uefi || m->loader))
		return against(ctx, pd_format(ctx, "%s can't be booted: %s%s%s", m->path, bios, m->loader ? "" : "; by UEFI: ",
					      m->loader ? "" : uefi), "have it made anew");
	m->loader = m->loader ? m->loader : "grub";
	if (bios || uefi)
		pd_log(ctx, PD_LOG_INFO, "%s can't be booted by %s: %s", m->path, bios ? "BIOS" : "UEFI", bios ? bios : uefi);
	return 0;
}

/* -------------------------------------------------------------- its system */

static int64_t file_read(struct packed *p, const char **why)
{
	int fd = *(int *)p->user;
	ssize_t n;

	do
		n = read(fd, p->raw, sizeof(p->raw));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		*why = strerror(errno);
	pd_progress(p->ctx, 0, 0, "reading the stick's system back");
	return n;
}

/* What a boot loader takes for a kernel on a PC, whole as it says of itself: its size is in paragraphs. */
static bool kernel_there(struct pd_ctx *ctx, const char *path)
{
	unsigned char head[2 * SECTOR];
	struct stat st;
	int fd = open(on_stick(ctx, path), O_RDONLY | O_CLOEXEC);
	bool whole = fd >= 0 && fstat(fd, &st) == 0 && pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
		     memcmp(head + 0x202, "HdrS", 4) == 0 &&
		     st.st_size >= (int64_t)(number(head + 0x1f4, 4) * 16 + (head[0x1f1] + 1U) * SECTOR);

	if (fd >= 0)
		close(fd);
	return whole;
}

static const char *system_in(struct pd_ctx *ctx, const char *folder)
{
	const char *found = NULL;
	glob_t g = { 0 };

	if (glob(pd_format(ctx, STICK "%s/initrd*", folder), 0, NULL, &g) == 0)
		found = pd_format(ctx, "%s", strrchr(g.gl_pathv[0], '/') + 1);
	globfree(&g);
	return found;
}

int stick_read(struct pd_ctx *ctx, const struct device *d, const char *folder, struct medium *m)
{
	const char *system = system_in(ctx, folder), *path;
	struct packed *p = pd_alloc_for(ctx, sizeof(*p));
	struct stat st;
	int fd, r;

	*m = (struct medium){ .path = d->path, .bytes = d->bytes };
	if (!system)
		return against(ctx, pd_format(ctx, "%s has no system of rear in %s", d->path, folder), "have it made anew");
	path = pd_format(ctx, "%s/%s", folder, system);
	fd = open(on_stick(ctx, path), O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return pd_fail(ctx, PD_FAILED, "%s of %s can't be read: %s", path, d->path, strerror(errno));
	m->made = st.st_mtime;
	m->kernel = kernel_there(ctx, pd_format(ctx, "%s/kernel", folder));
	*p = (struct packed){ .read = file_read, .user = &fd, .name = pd_format(ctx, "%s of %s", path, d->path) };
	r = medium_judged(ctx, m, medium_system(ctx, p, m));
	close(fd);
	return r < 0 ? r : starts(ctx, d, folder, system, m);
}

/* ------------------------------------------------------------- digests */

/* @return NULL: reported. */
static const char *digest_of(struct pd_ctx *ctx, const char *path, int64_t from, int64_t max)
{
	unsigned char raw[crypto_hash_sha256_BYTES];
	char *buffer = pd_alloc_for(ctx, 1 << 20), *hex = pd_alloc_for(ctx, HEX);
	crypto_hash_sha256_state sum;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : 1;
	int64_t at = 0;

	crypto_hash_sha256_init(&sum);
	while (n > 0 && at < max && !pd_canceled(ctx)) {
		n = pread(fd, buffer, max - at < 1 << 20 ? (size_t)(max - at) : (size_t)1 << 20, from + at);
		crypto_hash_sha256_update(&sum, (unsigned char *)buffer, n > 0 ? (size_t)n : 0);
		at += n > 0 ? n : 0;
		pd_progress(ctx, at, 0, "digests of what is on the stick");
	}
	if (fd >= 0)
		close(fd);
	crypto_hash_sha256_final(&sum, raw);
	sodium_bin2hex(hex, HEX, raw, sizeof(raw));
	if (n >= 0 && !pd_canceled(ctx))
		return hex;
	(void)pd_fail(ctx, pd_canceled(ctx) ? PD_CANCELED : PD_FAILED, "cannot read %s: %s", path, strerror(errno));
	return NULL;
}

/* What is in front of the partition's file system, and of its disk; see stick_undo.c. */
static const char *code_digest(struct pd_ctx *ctx, const struct device *d)
{
	const char *disk = digest_of(ctx, d->disk, 0, STICK_CODE), *own = disk ? digest_of(ctx, d->path, 0, STICK_OWN_CODE) : NULL;

	return own ? digest_text(ctx, pd_format(ctx, "%s%s", disk, own), 2 * (HEX - 1)) : NULL;
}

/* nftw(3) hands nothing on */
static struct pd_ctx *writing;
static FILE *list;

static int note(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	const char *hex;

	(void)walk;
	if (kind != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	hex = digest_of(writing, path, 0, INT64_MAX);
	return hex && fprintf(list, "%s  %s\n", hex, path + strlen(STICK)) > 0 ? 0 : -1;
}

#define CODE_NAME "boot code"

static const char *list_path(struct pd_ctx *ctx) { return pd_format(ctx, "%s/" LIST, ctx->work_dir); }

int stick_list(struct pd_ctx *ctx, const struct device *d, const char *folder)
{
	const char *code = code_digest(ctx, d);
	const char *const boot = STICK "/boot", *const menu = STICK "/rear/syslinux.cfg";
	bool written;

	writing = ctx;
	list = code ? fopen(list_path(ctx), "we") : NULL;
	written = list && fprintf(list, "%s  %s\n", code, CODE_NAME) > 0 &&
		  nftw(on_stick(ctx, folder), note, 16, FTW_PHYS) == 0 &&
		  (access(boot, F_OK) < 0 || nftw(boot, note, 16, FTW_PHYS) == 0) &&
		  (access(menu, F_OK) < 0 || nftw(menu, note, 1, FTW_PHYS) == 0);
	if (list && fclose(list) != 0)
		written = false;
	return written ? 0 : pd_fail(ctx, PD_FAILED, "cannot write down what is on %s: %s", d->path, strerror(errno));
}

int stick_leave_list(struct pd_ctx *ctx, const char *folder)
{
	size_t len = 0;
	const char *text = pd_read_file(ctx, list_path(ctx), LIST_MAX, &len);

	return text ? pd_write_file(ctx, pd_format(ctx, STICK "%s/" LIST, folder), 0600, text, len) :
	       pd_fail(ctx, PD_FAILED, "cannot read %s: %s", list_path(ctx), strerror(errno));
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

int stick_compare(struct pd_ctx *ctx, const struct device *d, const char *of, const char *below)
{
	const char *from = of ? of : list_path(ctx);
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	FILE *f = fopen(from, "re");
	bool compared = false;
	int r = 0;

	if (!f)
		return pd_fail(ctx, PD_FAILED, "cannot read %s: %s", from, strerror(errno));
	while (r == 0 && (n = getline(&line, &cap, f)) > HEX + 1) {
		const char *path = pd_format(ctx, "%.*s", (int)(n - 1 - (HEX + 1)), line + HEX + 1), *hex;

		if (below && !is_below(path, below))
			continue;
		compared = true;
		hex = strcmp(path, CODE_NAME) == 0 ? code_digest(ctx, d) : digest_of(ctx, on_stick(ctx, path), 0, INT64_MAX);
		if (!hex)
			r = PD_FAILED;
		else if (strncmp(hex, line, HEX - 1) != 0)
			r = pd_fail(ctx, PD_FAILED, "%s: %s is not what was written there; the stick is damaged, or was "
				    "changed since", d->path, path);
	}
	free(line);
	fclose(f);
	return r < 0 || compared ? r :
	       pd_fail(ctx, PD_FAILED, "%s: no digest in " LIST " is of what lies in %s", d->path, below ? below : "/");
}
