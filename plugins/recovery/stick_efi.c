/* SPDX-License-Identifier: MIT */
/* How UEFI starts a stick: the EFI system partition of its disk, the loader on it that needs no entry in the firmware, its
 * configuration, and beside it the kernel and the system, which have to be those of the run. */
#include "stick.h"
#include "fat.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#define BOOT "/EFI/BOOT/" /* UEFI 2.10, 3.5.1.1; rear has all of its files there */
#define LOADER BOOT "BOOTX64.EFI"
#define MENU BOOT "grub.cfg"

enum { SECTOR = 512, MENU_MAX = 1 << 20, PIECE = 1 << 20, HEADERS = 4096, SECTIONS = 96 };

/* C12A7328-F81F-11D2-BA4B-00A0C93EC93B */
static const unsigned char esp[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
				       0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };

/* Where it is, in bytes, by a GPT or an MBR. */
static bool find_esp(int fd, int64_t *start, int64_t *bytes)
{
	unsigned char mbr[SECTOR], head[SECTOR], entry[128];
	uint64_t size, n, sector;
	int told;

	if (pread(fd, mbr, SECTOR, 0) != SECTOR || mbr[510] != 0x55 || mbr[511] != 0xaa)
		return false;
	sector = ioctl(fd, BLKSSZGET, &told) == 0 && told > SECTOR ? (uint64_t)told : SECTOR;
	for (const unsigned char *p = mbr + 446; p < mbr + 510; p += 16)
		if (p[4] == 0xef) {
			*start = (int64_t)(fat_number(p + 8, 4) * sector);
			*bytes = (int64_t)(fat_number(p + 12, 4) * sector);
			return true;
		}
	if (pread(fd, head, SECTOR, (int64_t)sector) != SECTOR || memcmp(head, "EFI PART", 8) != 0)
		return false;
	n = fat_number(head + 80, 4);
	size = fat_number(head + 84, 4);
	for (uint64_t i = 0; i < n && i < 128 && size >= sizeof(entry) && size <= SECTOR; i++) {
		uint64_t first, last;

		if (pread(fd, entry, sizeof(entry), (int64_t)(fat_number(head + 72, 8) * sector + i * size)) != sizeof(entry) ||
		    memcmp(entry, esp, sizeof(esp)) != 0)
			continue;
		first = fat_number(entry + 32, 8);
		last = fat_number(entry + 40, 8);
		*start = (int64_t)(first * sector);
		*bytes = (int64_t)((last - first + 1) * sector);
		return last >= first && last < INT64_MAX / sector;
	}
	return false;
}

/* A program of UEFI for x86-64, of which no section is cut off. */
static bool is_program(struct fat_file *f)
{
	unsigned char h[HEADERS];
	int64_t len = fat_read(f, h, sizeof(h)), at, sections;
	uint64_t n;

	at = len < 0x40 ? len : (int64_t)fat_number(h + 0x3c, 4);
	if (at + 24 > len || memcmp(h, "MZ", 2) != 0 || memcmp(h + at, "PE\0\0\x64\x86", 6) != 0)
		return false;
	n = fat_number(h + at + 6, 2);
	sections = at + 24 + (int64_t)fat_number(h + at + 20, 2);
	if (!n || n > SECTIONS || sections + (int64_t)n * 40 > len)
		return false;
	for (const unsigned char *s = h + sections; n--; s += 40)
		if ((int64_t)(fat_number(s + 16, 4) + fat_number(s + 20, 4)) > f->size)
			return false;
	return true;
}

/* Has the file on the partition the content of the one on the stick? */
static bool is_same(struct pd_ctx *ctx, struct fat_file *f, const char *path)
{
	char *one = pd_alloc_for(ctx, PIECE), *other = pd_alloc_for(ctx, PIECE);
	int fd = open(pd_format(ctx, STICK "%s", path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	bool same = fd >= 0 && fstat(fd, &st) == 0 && st.st_size == f->size && f->size > 0;

	for (int64_t at = 0; same && at < f->size && !pd_canceled(ctx);) {
		ssize_t n = fat_read(f, one, PIECE);

		same = n > 0 && pread(fd, other, (size_t)n, at) == n && memcmp(one, other, (size_t)n) == 0;
		at += n;
		pd_progress(ctx, at, f->size, "reading what UEFI starts");
	}
	if (fd >= 0)
		close(fd);
	return same;
}

/* A line that is no comment has this path, and nothing else behind it. */
static bool has_path(const char *text, const char *path)
{
	for (const char *at = text; (at = strstr(at, path)); at++) {
		const char *line = at, *behind = at + strlen(path);

		while (line > text && line[-1] != '\n')
			line--;
		if (line[strspn(line, " \t")] != '#' && (!*behind || strchr(" \t\r\n", *behind)))
			return true;
	}
	return false;
}

static const char *menu_leads(struct pd_ctx *ctx, const struct fat *fat, const char *const names[2])
{
	struct fat_file f;
	char *text;

	if (!fat_find(fat, MENU, &f) || f.size > MENU_MAX)
		return "its EFI system partition has no " MENU;
	text = pd_alloc_for(ctx, (size_t)f.size + 1);
	if (fat_read(&f, text, (size_t)f.size) != f.size)
		return MENU " of its EFI system partition can't be read";
	for (int i = 0; i < 2; i++)
		if (!has_path(text, pd_format(ctx, BOOT "%s", names[i])))
			return pd_format(ctx, MENU " of its EFI system partition does not lead to " BOOT "%s", names[i]);
	return NULL;
}

static const char *look(struct pd_ctx *ctx, int disk, const char *folder, const char *system)
{
	const char *const names[2] = { "kernel", system };
	int64_t start = 0, bytes = 0;
	const char *lacks;
	struct fat_file f;
	struct fat fat;

	if (!find_esp(disk, &start, &bytes))
		return "its disk has no EFI system partition";
	if (!fat_open(&fat, disk, start, bytes))
		return "its EFI system partition has no FAT that can be read";
	if (!fat_find(&fat, LOADER, &f))
		return "its EFI system partition has no " LOADER;
	if (!is_program(&f))
		return LOADER " of its EFI system partition is no program for UEFI on x86-64, or cut off";
	lacks = menu_leads(ctx, &fat, names);
	for (int i = 0; !lacks && i < 2; i++) {
		const char *here = pd_format(ctx, BOOT "%s", names[i]);

		if (!fat_find(&fat, here, &f))
			return pd_format(ctx, "its EFI system partition has no %s", here);
		if (!is_same(ctx, &f, pd_format(ctx, "%s/%s", folder, names[i])))
			return pd_format(ctx, "%s of its EFI system partition is not %s/%s", here, folder, names[i]);
	}
	return lacks;
}

const char *stick_efi_lacks(struct pd_ctx *ctx, const struct device *d, const char *folder, const char *system)
{
	int fd = open(d->disk, O_RDONLY | O_CLOEXEC);
	const char *lacks;

	if (fd < 0)
		return pd_format(ctx, "its disk %s can't be read: %s", d->disk, strerror(errno));
	ioctl(fd, BLKFLSBUF, 0); /* what is read comes from the stick */
	lacks = look(ctx, fd, folder, system);
	close(fd);
	return lacks;
}
