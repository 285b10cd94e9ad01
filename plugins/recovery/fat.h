/* SPDX-License-Identifier: MIT */
/* Private to the plugin recovery: reads files of a FAT file system, as an EFI system partition has one.  The kernel that
 * runs need not know FAT, and nothing has to be mounted. */
#ifndef PD_RECOVERY_FAT_H
#define PD_RECOVERY_FAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fat {
	int fd, bits;          /**< bits: of an entry in its table */
	int64_t table, data;   /**< where they are, in bytes; data: where cluster 2 is */
	int64_t root;          /**< of a table of 12 or 16 bits: its top folder */
	uint32_t root_size;    /**< in bytes; 0: the top folder is a chain of clusters, too */
	uint32_t root_cluster;
	uint32_t cluster;      /**< bytes */
	uint32_t clusters;
};

/** A file or a folder from where it was read last. */
struct fat_file {
	const struct fat *fat;
	uint32_t at;    /**< cluster; 0: in front of all, or behind them */
	uint32_t inside;
	int64_t left;   /**< bytes to be read */
	int64_t size;
	bool folder;
	bool top;       /**< the folder that all others are in */
};

/** @param start, bytes where it lies in what @p fd is.  @return false: it is no FAT that can be read */
bool fat_open(struct fat *f, int fd, int64_t start, int64_t bytes);
/** By its short name, "/EFI/BOOT/grub.cfg": up to eight signs and three, capitals or not.  @return false: there is none */
bool fat_find(const struct fat *f, const char *path, struct fat_file *out);
/** The next bytes, @p size or all that are left.  @return their number, or -1 if they can't be read */
ssize_t fat_read(struct fat_file *file, void *to, size_t size);

/** A number of so many bytes, the lowest first. */
static inline uint64_t fat_number(const unsigned char *p, int bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | p[bytes];
	return n;
}

#endif
