/* SPDX-License-Identifier: MIT */
/* Compares a member of an archive with the disk, and gives folders and files
 * the attributes that libarchive does not. */
#include "backup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACL_TYPES (ARCHIVE_ENTRY_ACL_TYPE_ACCESS | ARCHIVE_ENTRY_ACL_TYPE_DEFAULT)

bool look_at(const char *path, struct stat *st)
{
	char part[PATH_MAX];
	int len = snprintf(part, sizeof(part), "%s", path);

	if (len >= (int)sizeof(part))
		return false;
	for (char *p = part + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (lstat(part, st) != 0 || !S_ISDIR(st->st_mode))
			return false;
	}
	return lstat(part, st) == 0;
}

/* Is every entry of a's ACL also in b's? */
static bool acl_within(struct archive_entry *a, struct archive_entry *b)
{
	int type = 0, perm = 0, tag = 0, id = 0;
	const char *name = NULL;

	archive_entry_acl_reset(a, ACL_TYPES);
	while (archive_entry_acl_next(a, ACL_TYPES, &type, &perm, &tag, &id,
				      &name) == ARCHIVE_OK) {
		int type_b = 0, perm_b = 0, tag_b = 0, id_b = 0;
		bool found = false;

		archive_entry_acl_reset(b, ACL_TYPES);
		while (!found && archive_entry_acl_next(b, ACL_TYPES, &type_b, &perm_b,
							&tag_b, &id_b, &name) == ARCHIVE_OK)
			found = type == type_b && perm == perm_b && tag == tag_b &&
				id == id_b;
		if (!found)
			return false;
	}
	return true;
}

static bool has_xattr(struct archive_entry *e, const char *name, const void *value,
		      size_t size)
{
	const char *other = NULL;
	const void *other_value = NULL;
	size_t other_size = 0;

	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &other, &other_value, &other_size) ==
	       ARCHIVE_OK)
		if (strcmp(other, name) == 0)
			return !value || (other_size == size &&
					  memcmp(other_value, value, size) == 0);
	return false;
}

/* A set: pax archives hold each attribute under two headers. */
static bool xattrs_within(struct archive_entry *a, struct archive_entry *b)
{
	const char *name = NULL;
	const void *value = NULL;
	size_t size = 0;

	archive_entry_xattr_reset(a);
	while (archive_entry_xattr_next(a, &name, &value, &size) == ARCHIVE_OK)
		if (!has_xattr(b, name, value ? value : "", size))
			return false;
	return true;
}

static const char *compare_attributes(struct archive_entry *e, const char *path,
				      const struct stat *st)
{
	struct archive *disk = archive_read_disk_new();
	struct archive_entry *now = archive_entry_new();
	const char *what = NULL;

	archive_read_disk_set_symlink_physical(disk);
	archive_entry_copy_pathname(now, path);
	archive_entry_copy_sourcepath(now, path);
	if (archive_read_disk_entry_from_file(disk, now, -1, st) < ARCHIVE_WARN)
		what = "can't be read";
	else if (!acl_within(e, now) || !acl_within(now, e))
		what = "other access control list";
	else if (!xattrs_within(e, now) || !xattrs_within(now, e))
		what = "other extended attributes";
	archive_entry_free(now);
	archive_read_free(disk);
	return what;
}

static const char *compare_content(struct pd_ctx *ctx, struct archive *a,
				   const char *path)
{
	static unsigned char buffer[1 << 17];
	crypto_hash_sha256_state sum;
	char want[BUNDLE_HEX];
	char have[BUNDLE_HEX];
	FILE *file = fopen(path, "re");
	size_t n = 0;

	if (!file)
		return "can't be opened";
	crypto_hash_sha256_init(&sum);
	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		crypto_hash_sha256_update(&sum, buffer, n);
	fclose(file);
	bundle_hex(&sum, have);
	if (bundle_digest(ctx, a, want, NULL) < 0)
		return "can't be read from the archive";
	return strcmp(want, have) == 0 ? NULL : "other content";
}

static const char *compare_link(struct archive_entry *e, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	return strcmp(target, archive_entry_symlink(e)) == 0 ? NULL : "other target";
}

const char *compare_member(struct pd_ctx *ctx, struct archive *a,
			   struct archive_entry *e, const char *path)
{
	const char *target = archive_entry_hardlink(e);
	struct stat other = { 0 };
	struct stat st = { 0 };
	const char *what = NULL;
	mode_t mask = 07777;

	if (!look_at(path, &st))
		return "is not there";
	if (target)
		return look_at(target, &other) && other.st_ino == st.st_ino &&
			       other.st_dev == st.st_dev
			       ? NULL : "is no hard link any more";
	if ((st.st_mode & S_IFMT) != archive_entry_filetype(e))
		return "is of another type";
	if (st.st_uid != (uid_t)archive_entry_uid(e) ||
	    st.st_gid != (gid_t)archive_entry_gid(e))
		return "other owner";
	if (S_ISLNK(st.st_mode))
		return compare_link(e, path);
	/* with an ACL the bits of the group are its mask, compared below */
	if (archive_entry_acl_types(e) & ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
		mask &= ~(mode_t)070;
	if ((st.st_mode & mask) != (archive_entry_perm(e) & mask))
		return "other mode";
	if ((S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) &&
	    st.st_rdev != archive_entry_rdev(e))
		return "other device";
	what = compare_attributes(e, path, &st);
	if (what || !S_ISREG(st.st_mode))
		return what;
	if (st.st_size != archive_entry_size(e))
		return "other size";
	if (st.st_mtime != archive_entry_mtime(e))
		return "other time";
	return compare_content(ctx, a, path);
}

void strip_attributes(struct archive_entry *e, const char *path)
{
	static char names[1 << 16];
	ssize_t len = llistxattr(path, names, sizeof(names));

	for (const char *p = names; len > 0 && p < names + len; p += strlen(p) + 1) {
		bool keep = strncmp(p, "security.selinux", 16) == 0;

		if (strcmp(p, "system.posix_acl_access") == 0)
			keep = archive_entry_acl_count(
				       e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS) > 0;
		else if (strcmp(p, "system.posix_acl_default") == 0)
			keep = archive_entry_acl_count(
				       e, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT) > 0;
		if (!keep && !has_xattr(e, p, NULL, 0))
			lremovexattr(path, p);
	}
}

/* One entry of the kernel's system.posix_acl_*, after a word with version 2. */
struct acl_row {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
};

static uint16_t acl_tag(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ: return 0x01;
	case ARCHIVE_ENTRY_ACL_USER: return 0x02;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ: return 0x04;
	case ARCHIVE_ENTRY_ACL_GROUP: return 0x08;
	case ARCHIVE_ENTRY_ACL_MASK: return 0x10;
	default: return 0x20;
	}
}

static int by_tag(const void *a, const void *b)
{
	const struct acl_row *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static bool set_acl(struct archive_entry *e, const char *path, int want,
		    const char *attribute)
{
	struct { uint32_t version; struct acl_row rows[512]; } acl = { .version = 2 };
	int type = 0, perm = 0, tag = 0, id = 0;
	const char *name = NULL;
	size_t n = 0;

	if (archive_entry_acl_count(e, want) == 0)
		return true;
	archive_entry_acl_reset(e, want);
	while (n < 512 && archive_entry_acl_next(e, want, &type, &perm, &tag, &id,
						 &name) == ARCHIVE_OK) {
		bool named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;

		acl.rows[n++] = (struct acl_row){ acl_tag(tag), (uint16_t)(perm & 7),
						  named ? (uint32_t)id : UINT32_MAX };
	}
	qsort(acl.rows, n, sizeof(acl.rows[0]), by_tag);
	return lsetxattr(path, attribute, &acl, sizeof(acl.version) +
			 n * sizeof(acl.rows[0]), 0) == 0;
}

bool finish_folder(struct archive_entry *e, const char *path)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = archive_entry_mtime(e), .tv_nsec = archive_entry_mtime_nsec(e) } };
	struct stat st = { 0 };
	bool done = look_at(path, &st) && S_ISDIR(st.st_mode);

	done = done && chmod(path, archive_entry_perm(e)) == 0;
	done = done && set_acl(e, path, ARCHIVE_ENTRY_ACL_TYPE_ACCESS,
			       "system.posix_acl_access");
	done = done && set_acl(e, path, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT,
			       "system.posix_acl_default");
	strip_attributes(e, path);
	return done && utimensat(AT_FDCWD, path, times, 0) == 0;
}
