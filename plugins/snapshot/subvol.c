/* SPDX-License-Identifier: MIT */
/* Subvolumes of btrfs, asked of the kernel itself. */
#include "snapshot.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../shared/path.h"

bool is_btrfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (uint64_t)fs.f_type == BTRFS_SUPER_MAGIC;
}

bool subvol_is_root(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == BTRFS_FIRST_FREE_OBJECTID;
}

int subvol_info(int fd, struct subvol *out)
{
	struct btrfs_ioctl_get_subvol_info_args info = { 0 };

	if (ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0)
		return -1;
	*out = (struct subvol){ .id = info.treeid,
				.read_only = (info.flags & BTRFS_ROOT_SUBVOL_RDONLY) != 0,
				.taken = (int64_t)info.otime.sec, .changed = (int64_t)info.ctime.sec };
	for (size_t i = 0; i < ID_SIZE; i++) {
		out->uuid[i] = info.uuid[i];
		out->parent[i] = info.parent_uuid[i];
	}
	return 0;
}

static void put_uuid(const unsigned char uuid[ID_SIZE], char out[TEXT_ID])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < ID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[n++] = '-';
		out[n++] = digits[uuid[i] >> 4];
		out[n++] = digits[uuid[i] & 15];
	}
	out[n] = '\0';
}

const char *subvol_uuid(struct pd_ctx *ctx, const unsigned char uuid[ID_SIZE])
{
	char text[TEXT_ID];

	put_uuid(uuid, text);
	return pd_format(ctx, "%s", text);
}

int subvol_file_system(int fd, char out[TEXT_ID])
{
	struct btrfs_ioctl_fs_info_args info = { 0 };

	if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0)
		return -1;
	put_uuid(info.fsid, out);
	return 0;
}

/* btrfs has a tree of them: the two halves of an id are the key. */
int subvol_lives(int fd, const unsigned char uuid[ID_SIZE])
{
	struct btrfs_ioctl_search_args args = { 0 };
	struct btrfs_ioctl_search_key *key = &args.key;
	uint64_t half[2];

	memcpy(half, uuid, ID_SIZE);
	if (!half[0] && !half[1])
		return 0;
	key->tree_id = BTRFS_UUID_TREE_OBJECTID;
	key->min_objectid = key->max_objectid = le64toh(half[0]);
	key->min_offset = key->max_offset = le64toh(half[1]);
	key->min_type = key->max_type = BTRFS_UUID_KEY_SUBVOL;
	key->max_transid = UINT64_MAX;
	key->nr_items = 1;
	return ioctl(fd, BTRFS_IOC_TREE_SEARCH, &args) < 0 ? -1 : key->nr_items > 0;
}

/* One item of the tree of roots, where one that was removed is for a while. */
static int take_copy(struct pd_ctx *ctx, int fd, const struct btrfs_ioctl_search_header *head, const char *data,
		     struct subvols *out)
{
	static const unsigned char none[ID_SIZE];
	struct btrfs_root_item item = { 0 };
	struct subvol s = { .id = head->objectid };
	int lives;

	if (head->type != BTRFS_ROOT_ITEM_KEY || head->len < sizeof(item))
		return 0; /* an old one has no ids */
	memcpy(&item, data, sizeof(item));
	memcpy(s.uuid, item.uuid, ID_SIZE);
	memcpy(s.parent, item.parent_uuid, ID_SIZE);
	lives = memcmp(s.parent, none, ID_SIZE) == 0 ? 0 : subvol_lives(fd, s.uuid);
	if (lives > 0) {
		out->items = path_room(ctx, out->items, out->len, &out->cap, sizeof(s));
		out->items[out->len++] = s;
	}
	return lives < 0 ? -1 : 0;
}

int subvol_copies(struct pd_ctx *ctx, int fd, struct subvols *out)
{
	struct btrfs_ioctl_search_args *args = pd_alloc_for(ctx, sizeof(*args));
	struct btrfs_ioctl_search_key *key = &args->key;
	struct btrfs_ioctl_search_header head;

	*out = (struct subvols){ 0 };
	*key = (struct btrfs_ioctl_search_key){ .tree_id = BTRFS_ROOT_TREE_OBJECTID, .min_objectid = BTRFS_FIRST_FREE_OBJECTID,
		.max_objectid = BTRFS_LAST_FREE_OBJECTID, .min_type = BTRFS_ROOT_ITEM_KEY, .max_type = BTRFS_ROOT_ITEM_KEY,
		.max_offset = UINT64_MAX, .max_transid = UINT64_MAX };
	while (key->nr_items = 4096, ioctl(fd, BTRFS_IOC_TREE_SEARCH, args) == 0) {
		const char *at = args->buf;

		if (key->nr_items == 0)
			return 0;
		for (uint32_t i = 0; i < key->nr_items; i++, at += sizeof(head) + head.len) {
			memcpy(&head, at, sizeof(head));
			if (take_copy(ctx, fd, &head, at + sizeof(head), out) < 0)
				return -1;
		}
		key->min_objectid = head.objectid + 1;
	}
	return -1;
}

/* NULL: none is left, or with errno. */
static const struct dirent *next_entry(DIR *all)
{
	const struct dirent *e;

	do {
		errno = 0;
		e = readdir(all);
	} while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	return e;
}

/* Is it a subvolume, which has the number of a root, and not empty?  1, 0 (also if it is gone meanwhile); -1: nobody
 * knows, and what is taken for empty is removed. */
static int is_full(int folder, const char *name)
{
	struct stat st;
	DIR *all;
	int fd, r;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISDIR(st.st_mode) || st.st_ino != BTRFS_FIRST_FREE_OBJECTID)
		return 0;
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	all = fdopendir(fd);
	if (!all) {
		close(fd);
		return -1;
	}
	r = next_entry(all) ? 1 : errno ? -1 : 0;
	closedir(all);
	return r;
}

/* Those that are entries of one folder. */
static int nested_in(struct pd_ctx *ctx, const char *path, int fd, const char **out)
{
	DIR *all = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int full = 0;

	if (!all) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((e = next_entry(all)) && (full = is_full(dirfd(all), e->d_name)) >= 0)
		if (full)
			*out = pd_format(ctx, "%s%s%s%s%s", *out ? *out : "", *out ? ", " : "", path,
					 path[strlen(path) - 1] == '/' ? "" : "/", e->d_name);
	full = errno ? -1 : 0;
	closedir(all);
	return full;
}

int subvol_nested(struct pd_ctx *ctx, const char *path, int fd, const char **out)
{
	struct btrfs_ioctl_get_subvol_rootref_args *refs = pd_alloc_for(ctx, sizeof(*refs));
	int r;

	*out = NULL;
	do {
		r = ioctl(fd, BTRFS_IOC_GET_SUBVOL_ROOTREF, refs);
		if (r < 0 && errno != EOVERFLOW)
			return -1;
		for (int i = 0; i < refs->num_items; i++) {
			struct btrfs_ioctl_ino_lookup_args where = { .objectid = refs->rootref[i].dirid };
			int at, k = 0;

			while (refs->rootref[k].dirid != refs->rootref[i].dirid)
				k++;
			if (k < i)
				continue; /* that folder was looked through */
			if (ioctl(fd, BTRFS_IOC_INO_LOOKUP, &where) < 0)
				return -1;
			at = openat(fd, *where.name ? where.name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (nested_in(ctx, pd_format(ctx, "%s%s%.*s", path, *where.name ? "/" : "",
						     (int)strlen(where.name) - (*where.name != '\0'), where.name), at, out) < 0)
				return -1;
		}
	} while (r < 0);
	return 0;
}

/* ------------------------------------------------------------- changing */

int subvol_snapshot(int of, int folder, const char *name, bool read_only)
{
	struct btrfs_ioctl_vol_args_v2 args = { .fd = of, .flags = read_only ? BTRFS_SUBVOL_RDONLY : 0 };

	snprintf(args.name, sizeof(args.name), "%s", name);
	return ioctl(folder, BTRFS_IOC_SNAP_CREATE_V2, &args);
}

int subvol_delete(int folder, const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	snprintf(args.name, sizeof(args.name), "%s", name);
	return ioctl(folder, BTRFS_IOC_SNAP_DESTROY, &args);
}

int subvol_delete_nested(struct pd_ctx *ctx, int fd)
{
	struct btrfs_ioctl_get_subvol_rootref_args *refs = pd_alloc_for(ctx, sizeof(*refs));
	int r;

	do {
		r = ioctl(fd, BTRFS_IOC_GET_SUBVOL_ROOTREF, refs);
		if (r < 0 && errno != EOVERFLOW)
			return -1;
		if (refs->num_items && subvol_set_read_only(fd, false) < 0)
			return -1; /* one that is read-only lets go of none */
		for (int i = 0; i < refs->num_items; i++) {
			struct btrfs_ioctl_vol_args_v2 args = { .flags = BTRFS_SUBVOL_SPEC_BY_ID,
								.subvolid = refs->rootref[i].treeid };

			if (ioctl(fd, BTRFS_IOC_SNAP_DESTROY_V2, &args) < 0)
				return -1;
		}
	} while (r < 0);
	return 0;
}

int subvol_set_default(int fd, uint64_t id)
{
	uint64_t value = id;

	return ioctl(fd, BTRFS_IOC_DEFAULT_SUBVOL, &value);
}

int subvol_set_read_only(int fd, bool read_only)
{
	uint64_t flags;

	if (ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
		return -1;
	flags = read_only ? flags | BTRFS_SUBVOL_RDONLY : flags & ~(uint64_t)BTRFS_SUBVOL_RDONLY;
	return ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags);
}

int subvol_sync(int fd) { return ioctl(fd, BTRFS_IOC_SYNC, NULL); }

int subvol_exchange(int folder, const char *a, const char *b)
{
	return renameat2(folder, a, folder, b, RENAME_EXCHANGE);
}

/* ------------------------------------------------------------- mounting */

/* By numbers: not every C library that we build with has names for them. */
int subvol_mount(const char *source, const char *subvol, unsigned long flags)
{
	int fs = (int)syscall(SYS_fsopen, "btrfs", FSOPEN_CLOEXEC), mount = -1, why;

	if (fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", source, 0) == 0 &&
	    (!subvol || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "subvol", subvol, 0) == 0) &&
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, flags);
	why = errno;
	if (fs >= 0)
		close(fs);
	errno = why;
	return mount;
}

int subvol_attach(int mount, const char *target)
{
	return (int)syscall(SYS_move_mount, mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

unsigned long subvol_flags(const char *target)
{
	static const struct {
		unsigned long is, flag;
	} all[] = {
		{ ST_RDONLY, MOUNT_ATTR_RDONLY }, { ST_NOSUID, MOUNT_ATTR_NOSUID }, { ST_NODEV, MOUNT_ATTR_NODEV },
		{ ST_NOEXEC, MOUNT_ATTR_NOEXEC }, { ST_NOATIME, MOUNT_ATTR_NOATIME },
		{ ST_NODIRATIME, MOUNT_ATTR_NODIRATIME },
	};
	struct statvfs fs;
	unsigned long flags = 0;

	if (statvfs(target, &fs) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (fs.f_flag & all[i].is)
			flags |= all[i].flag;
	return flags | (fs.f_flag & (ST_NOATIME | ST_RELATIME) ? 0 : MOUNT_ATTR_STRICTATIME);
}
