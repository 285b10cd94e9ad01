/* SPDX-License-Identifier: MIT */
/* FAT with 12, 16 and 32 bits, as Microsoft's "FAT: General Overview of On-Disk Format" 1.03 has it, to be read.  Whatever
 * the disk says, each loop has an end: that of the file system's size. */
#include "fat.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 512, ENTRY = 32, NAME = 11, FOLDER_MAX = 2 << 20, FOLDER = 0x10, LABEL = 0x08 };

static bool is_power(uint32_t n) { return n && !(n & (n - 1)); }

bool fat_open(struct fat *f, int fd, int64_t start, int64_t bytes)
{
	unsigned char h[HEAD];
	uint32_t sector, per_cluster, table, total;
	int64_t data;

	if (pread(fd, h, sizeof(h), start) != sizeof(h) || h[510] != 0x55 || h[511] != 0xaa)
		return false;
	sector = (uint32_t)fat_number(h + 11, 2);
	per_cluster = h[13];
	table = (uint32_t)fat_number(h + 22, 2);
	table = table ? table : (uint32_t)fat_number(h + 36, 4);
	total = (uint32_t)fat_number(h + 19, 2);
	total = total ? total : (uint32_t)fat_number(h + 32, 4);
	if (!is_power(sector) || sector < 512 || sector > 4096 || !is_power(per_cluster) || !h[16] || h[16] > 2 || !table ||
	    (int64_t)total * sector > bytes)
		return false;
	*f = (struct fat){ .fd = fd, .cluster = sector * per_cluster, .root_size = (uint32_t)fat_number(h + 17, 2) * ENTRY,
			   .root_cluster = (uint32_t)fat_number(h + 44, 4) };
	f->table = start + (int64_t)fat_number(h + 14, 2) * sector;
	f->root = f->table + (int64_t)h[16] * table * sector;
	data = f->root + (f->root_size + sector - 1) / sector * sector;
	if (data >= start + (int64_t)total * sector)
		return false;
	f->data = data;
	f->clusters = (uint32_t)((start + (int64_t)total * sector - data) / f->cluster);
	f->bits = f->clusters < 4085 ? 12 : f->clusters < 65525 ? 16 : 32;
	return ((int64_t)f->clusters + 2) * f->bits <= (int64_t)table * sector * 8 && (f->bits == 32) == !f->root_size;
}

static bool is_cluster(const struct fat *f, uint32_t n) { return n >= 2 && n - 2 < f->clusters; }

/* What follows a cluster; 0: nothing. */
static uint32_t next(const struct fat *f, uint32_t n)
{
	unsigned char raw[4] = { 0 };
	int64_t bit = (int64_t)n * f->bits;
	int size = f->bits == 32 ? 4 : 2;
	uint32_t value;

	if (pread(f->fd, raw, (size_t)size, f->table + bit / 8) != size)
		return 0;
	value = (uint32_t)fat_number(raw, size);
	value = f->bits == 32 ? value & 0x0fffffff : f->bits == 16 ? value : bit % 8 ? value >> 4 : value & 0xfff;
	return is_cluster(f, value) ? value : 0;
}

ssize_t fat_read(struct fat_file *file, void *to, size_t size)
{
	const struct fat *f = file->fat;
	size_t done = 0;

	while (done < size && file->left > 0) {
		size_t n = f->cluster - file->inside;

		if (!is_cluster(f, file->at))
			return -1; /* the chain ends before the file */
		n = n > size - done ? size - done : n;
		n = (int64_t)n > file->left ? (size_t)file->left : n;
		if (pread(f->fd, (char *)to + done, n, f->data + (int64_t)(file->at - 2) * f->cluster + file->inside) != (ssize_t)n)
			return -1;
		done += n;
		file->left -= (int64_t)n;
		file->inside += (uint32_t)n;
		if (file->inside == f->cluster && file->left > 0) {
			file->at = next(f, file->at);
			file->inside = 0;
		}
	}
	return (ssize_t)done;
}

/* "grub.cfg" as a folder has it, "GRUB    CFG". */
static bool short_name(const char *text, size_t len, char name[NAME])
{
	const char *dot = memchr(text, '.', len);
	size_t stem = dot ? (size_t)(dot - text) : len, end = dot ? len - stem - 1 : 0;

	if (!stem || stem > 8 || end > 3)
		return false;
	memset(name, ' ', NAME);
	for (size_t i = 0; i < stem; i++)
		name[i] = (char)toupper((unsigned char)text[i]);
	for (size_t i = 0; i < end; i++)
		name[8 + i] = (char)toupper((unsigned char)dot[1 + i]);
	return true;
}

/* The next entry of a folder; false: there is none. */
static bool entry(const struct fat *f, struct fat_file *folder, uint32_t i, unsigned char e[ENTRY])
{
	if (!folder->top || !f->root_size)
		return fat_read(folder, e, ENTRY) == ENTRY && *e;
	return i < f->root_size / ENTRY && pread(f->fd, e, ENTRY, f->root + (int64_t)i * ENTRY) == ENTRY && *e;
}

static bool find_in(const struct fat *f, struct fat_file *folder, const char *text, size_t len)
{
	unsigned char e[ENTRY];
	char name[NAME];

	if (!short_name(text, len, name))
		return false;
	for (uint32_t i = 0; entry(f, folder, i, e); i++) {
		if (memcmp(e, name, NAME) != 0 || e[11] & LABEL)
			continue;
		*folder = (struct fat_file){ .fat = f, .folder = e[11] & FOLDER,
			.at = (uint32_t)(fat_number(e + 26, 2) | (f->bits == 32 ? fat_number(e + 20, 2) << 16 : 0)) };
		folder->left = folder->size = folder->folder ? FOLDER_MAX : (int64_t)fat_number(e + 28, 4);
		return true;
	}
	return false;
}

bool fat_find(const struct fat *f, const char *path, struct fat_file *out)
{
	*out = (struct fat_file){ .fat = f, .at = f->root_size ? 0 : f->root_cluster, .left = FOLDER_MAX,
				   .folder = true, .top = true };
	while (path += strspn(path, "/"), *path) {
		size_t len = strcspn(path, "/");

		if (!out->folder || !find_in(f, out, path, len))
			return false;
		path += len;
	}
	return !out->folder;
}
