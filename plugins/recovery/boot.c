/* SPDX-License-Identifier: MIT */
/* The boot catalog of an ISO 9660 image, as "El Torito" 1.0 and the UEFI
 * specification (13.3.2.1) have it. */
#include "recovery.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECTOR 2048
#define ENTRY 32
#define FIRMWARE_PC 0
#define FIRMWARE_UEFI 0xef

static uint32_t number(const unsigned char *p, int bytes)
{
	uint32_t n = 0;

	while (bytes--)
		n = n << 8 | p[bytes];
	return n;
}

static bool sector(int fd, uint32_t lba, unsigned char *out)
{
	return pread(fd, out, SECTOR, (off_t)lba * SECTOR) == SECTOR;
}

/* What is booted has to be there: its first sector, and not of zeros alone. */
static bool image_there(int fd, const unsigned char *entry)
{
	unsigned char first[SECTOR];
	uint32_t lba = number(entry + 8, 4);

	if (entry[0] != 0x88 || lba == 0 || !sector(fd, lba, first))
		return false;
	for (size_t i = 0; i < sizeof(first); i++)
		if (first[i])
			return true;
	return false;
}

static void take(int fd, struct medium *m, unsigned firmware, const unsigned char *entry)
{
	if (!image_there(fd, entry))
		return;
	m->bios = m->bios || firmware == FIRMWARE_PC;
	m->uefi = m->uefi || firmware == FIRMWARE_UEFI;
}

static bool sum_is_zero(const unsigned char *entry)
{
	uint32_t sum = 0;

	for (int i = 0; i < ENTRY; i += 2)
		sum += number(entry + i, 2);
	return (sum & 0xffff) == 0 && entry[0] == 1 && entry[30] == 0x55 && entry[31] == 0xaa;
}

/* Entries of further firmwares follow, each group with a head of its own. */
static void catalog(int fd, const unsigned char *c, struct medium *m)
{
	size_t at = (size_t)2 * ENTRY;

	if (!sum_is_zero(c))
		return;
	take(fd, m, c[1], c + ENTRY);
	while (at + ENTRY <= SECTOR && (c[at] == 0x90 || c[at] == 0x91)) {
		const unsigned char *head = c + at;

		at += ENTRY;
		for (uint32_t i = number(head + 2, 2); i && at + ENTRY <= SECTOR; i--, at += ENTRY)
			take(fd, m, head[1], c + at);
		if (head[0] == 0x91)
			return;
	}
}

static int digits(const unsigned char *p, int n)
{
	int value = 0;

	for (; n--; p++)
		value = isdigit(*p) ? 10 * value + (*p - '0') : 0;
	return value;
}

/* "2026112915043700" and quarters of an hour east of Greenwich; 0: not told. */
static int64_t when(const unsigned char *p)
{
	struct tm tm = {
		.tm_year = digits(p, 4) - 1900, .tm_mon = digits(p + 4, 2) - 1, .tm_mday = digits(p + 6, 2),
		.tm_hour = digits(p + 8, 2), .tm_min = digits(p + 10, 2), .tm_sec = digits(p + 12, 2)
	};

	return tm.tm_year < 70 ? 0 : (int64_t)timegm(&tm) - (int64_t)(signed char)p[16] * 15 * 60;
}

int boot_read(struct pd_ctx *ctx, int fd, struct medium *m)
{
	unsigned char primary[SECTOR], boot[SECTOR], entries[SECTOR];

	if (!sector(fd, 16, primary) || memcmp(primary, "\1CD001", 6) != 0)
		return against(ctx, pd_format(ctx, "%s is no ISO 9660 image", m->path),
			       "name the image that rear has made, or the medium that it was written to whole; of a stick that "
			       "rear has made, its partition");
	m->made = when(primary + 813);
	if (!sector(fd, 17, boot) || memcmp(boot, "\0CD001\1EL TORITO SPECIFICATION", 30) != 0 ||
	    !sector(fd, number(boot + 71, 4), entries))
		return against(ctx, pd_format(ctx, "%s can't be booted: it has no boot catalog", m->path),
			       "have it made anew");
	catalog(fd, entries, m);
	return m->bios || m->uefi ? 0 :
	       against(ctx, pd_format(ctx, "%s can't be booted: its boot catalog names nothing that is there",
				      m->path), "have it made anew");
}
