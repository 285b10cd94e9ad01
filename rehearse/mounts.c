/* SPDX-License-Identifier: MIT */
/* The clone's file systems: an overlay over each local one of the server. */
#include "clone.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { LEAST_ROOM_MIB = 1024 };

bool clone_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strcmp(folder, "/") == 0 ||
	       (strncmp(path, folder, n) == 0 && (path[n] == '/' || !path[n]));
}

bool clone_is_private(const char *path)
{
	static const char *const own[] = { "/proc", "/sys", "/dev", "/run", "/tmp" };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (clone_below(path, own[i]))
			return true;
	return false;
}

/* proc(5): space, tab, newline and backslash are written in octal. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = '\0';
}

enum kind { KIND_CLONED, KIND_BOUND, KIND_ABSENT, KIND_SYSTEM };

static enum kind kind_of(const char *type)
{
	static const struct {
		const char *type;
		enum kind kind;
	} rows[] = {
		{ "ext2", KIND_CLONED }, { "ext3", KIND_CLONED }, { "ext4", KIND_CLONED },
		{ "xfs", KIND_CLONED }, { "btrfs", KIND_CLONED }, { "f2fs", KIND_CLONED },
		{ "jfs", KIND_CLONED }, { "reiserfs", KIND_CLONED }, { "zfs", KIND_CLONED },
		{ "bcachefs", KIND_CLONED }, { "overlay", KIND_CLONED },
		{ "squashfs", KIND_BOUND }, { "erofs", KIND_BOUND }, { "iso9660", KIND_BOUND },
		{ "proc", KIND_SYSTEM }, { "sysfs", KIND_SYSTEM }, { "devtmpfs", KIND_SYSTEM },
		{ "autofs", KIND_SYSTEM }, { "binfmt_misc", KIND_SYSTEM },
		{ "rpc_pipefs", KIND_SYSTEM }, { "nfsd", KIND_SYSTEM }, { "ramfs", KIND_SYSTEM },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(type, rows[i].type) == 0)
			return rows[i].kind;
	return KIND_ABSENT;
}

static bool left_out(const struct clone *c, const char *at)
{
	for (size_t i = 0; i < c->o->leave_out.len; i++)
		if (clone_below(at, c->o->leave_out.items[i]))
			return true;
	return clone_below(at, c->o->work);
}

static void place_upper(struct clone *c, size_t n)
{
	struct clone_layer *l = &c->layers[n];

	free(l->upper);
	free(l->upper_work);
	l->upper = pd_print("%s/%zu/upper", c->upper, n);
	l->upper_work = pd_print("%s/%zu/work", c->upper, n);
}

void clone_place(struct clone *c, unsigned part)
{
	free(c->upper);
	c->upper = pd_print("%s/upper/%u", c->o->work, part);
	for (size_t i = 0; i < c->n_layers; i++)
		if (c->layers[i].upper)
			place_upper(c, i);
}

static void add_layer(struct clone *c, const char *at, enum kind kind)
{
	struct clone_layer *l;
	size_t n;

	for (n = 0; n < c->n_layers; n++)
		if (strcmp(c->layers[n].at, at) == 0)
			return; /* one mounted over the other: the last one is seen */
	pd_grow(c->layers, c->n_layers, c->cap_layers);
	l = &c->layers[c->n_layers++];
	*l = (struct clone_layer){ .at = pd_strdup(at),
		.lower = pd_print("%s/lower/%zu", c->o->work, n) };
	if (kind == KIND_CLONED)
		place_upper(c, n);
}

/* One line of mountinfo, proc(5): the mount point is field 5, the type comes
 * after the field "-". */
static void add_line(struct clone *c, char *line)
{
	char *dash = strstr(line, " - "), *at = line, *rest;
	struct stat st;
	const char *type;
	enum kind kind;

	for (int i = 0; at && i < 4; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (!dash || !at)
		return;
	rest = at;
	at = strsep(&rest, " ");
	unescape(at);
	rest = dash + 3;
	type = strsep(&rest, " ");
	kind = kind_of(type);
	if (kind == KIND_SYSTEM || clone_is_private(at) || left_out(c, at))
		return;
	if (stat(at, &st) < 0 || !S_ISDIR(st.st_mode))
		kind = KIND_ABSENT;
	if (kind == KIND_ABSENT)
		clone_note(c, "%s (%s) is not in the clone: only local file systems are", at,
			   type);
	else
		add_layer(c, at, kind);
}

bool clone_find_layers(struct clone *c, struct pd_error **err)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	pd_auto_free char *line = NULL;
	size_t room = 0;

	if (!f)
		return pd_error_errno(err, "clone-mount", errno, "/proc/self/mountinfo");
	add_layer(c, "/", KIND_CLONED);
	while (getline(&line, &room, f) > 0)
		add_line(c, line);
	fclose(f);
	for (size_t i = 0; i < c->o->leave_out.len; i++)
		pd_strings_add(&c->hidden, c->o->leave_out.items[i]);
	pd_strings_add(&c->hidden, c->o->work);
	return true;
}

static bool mount_error(struct pd_error **err, const char *what)
{
	return pd_error_errno(err, "clone-mount", errno, "the clone can't have %s", what);
}

/* The kernel refuses an upper folder, or a second lower one, that lies below
 * the lower one.  It compares the file systems' own files, so a read-only overlay between the two
 * (which shows the lower one as it is) makes it possible.  It has to have two
 * layers: the other one is empty, and a file system of its own. */
static bool put_between(const struct clone *c, const struct clone_layer *l)
{
	pd_auto_free char *data = pd_print("lowerdir=%s:%s/empty", l->lower, c->o->work);

	return mount("overlay", l->lower, "overlay", MS_RDONLY, data) == 0;
}

/* The newest saved disk on top. */
static char *lower_data(const struct clone *c, const struct clone_layer *l)
{
	pd_auto(pd_buffer) b = {0};

	for (size_t i = c->from; i-- > 0;)
		pd_buffer_print(&b, "%s:", l->saved.items[i]);
	pd_buffer_text(&b, l->lower);
	return pd_buffer_take(&b);
}

static bool mount_overlay(const struct clone *c, const struct clone_layer *l,
			  const char *at)
{
	pd_auto_free char *below = lower_data(c, l);
	pd_auto_free char *data = pd_print("lowerdir=%s,upperdir=%s,workdir=%s,"
		"redirect_dir=off,index=off,metacopy=off%s", below, l->upper,
		l->upper_work, c->o->fast ? ",volatile" : "");
	struct stat lower = {0}, upper = {0}, saved = {0};

	if (c->from)
		(void)!stat(l->saved.items[0], &saved);
	if (!pd_make_folders(l->upper, NULL) || !pd_make_folders(l->upper_work, NULL) ||
	    stat(l->lower, &lower) < 0 || stat(l->upper, &upper) < 0)
		return false;
	/* the root of an overlay is what its upper folder is */
	if (chmod(l->upper, lower.st_mode & 07777) < 0 ||
	    chown(l->upper, lower.st_uid, lower.st_gid) < 0 ||
	    ((lower.st_dev == upper.st_dev || lower.st_dev == saved.st_dev) && !put_between(c, l)))
		return false;
	return mount("overlay", at, "overlay", MS_NODEV, data) == 0;
}

static bool mount_layer(struct clone *c, const struct clone_layer *l, struct pd_error **err)
{
	pd_auto_free char *at = pd_print("%s%s", c->root, strcmp(l->at, "/") ? l->at : "");

	if (!pd_make_folders(l->lower, err))
		return false;
	if (mount(l->at, l->lower, NULL, MS_BIND, NULL) < 0)
		return mount_error(err, l->at);
	if (l->upper && mount_overlay(c, l, at))
		return true;
	if (l->upper && strcmp(l->at, "/") == 0)
		return mount_error(err, "/");
	if (mount(l->lower, at, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NODEV, NULL) < 0)
		return mount_error(err, l->at);
	if (l->upper)
		clone_note(c, "%s is read-only in the clone: its file system can't be covered",
			   l->at);
	return true;
}

/* What may be taken without bringing the server into need, proc(5). */
static uint64_t memory_left(void)
{
	pd_auto_free char *text = pd_file_read("/proc/meminfo", 65536, NULL, NULL);
	const char *line = text ? strstr(text, "MemAvailable:") : NULL;

	return line ? strtoull(line + 13, NULL, 10) * 1024 : 0;
}

static bool set_room(const struct clone *c, unsigned long flags, uint64_t bytes)
{
	pd_auto_free char *data = pd_print("mode=700,size=%llu", (unsigned long long)bytes);

	return mount("tmpfs", c->upper, "tmpfs", MS_NODEV | flags, data) == 0;
}

/* It is asked for, or the disk can't hold an overlay's upper folder (another
 * overlay, a network's). */
static bool use_memory(struct clone *c, struct pd_error **err)
{
	c->room = memory_left() / (c->o->share ? c->o->share : 1) / 10 * 7;
	if (!set_room(c, 0, c->room))
		return mount_error(err, "its changes in memory");
	c->memory = true;
	return true;
}

/* Can nothing more be written in the clone? */
static bool is_full(const struct clone *c)
{
	static const char page[4096];
	pd_auto_free char *path = pd_print("%s/etc/patchday-full", c->root);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool full = fd < 0 ? errno == ENOSPC : write(fd, page, sizeof(page)) < 0 && errno == ENOSPC;

	if (fd >= 0)
		close(fd);
	unlink(path);
	return full;
}

/* No larger than what is on it, which may grow meanwhile. */
bool clone_fill(struct clone *c, struct pd_error **err)
{
	struct statvfs fs = {0};

	for (int i = 0; i < 100; i++)
		if (statvfs(c->upper, &fs) == 0 &&
		    set_room(c, MS_REMOUNT, (fs.f_blocks - fs.f_bfree) * fs.f_frsize) && is_full(c))
			return true;
	return mount_error(err, "a full disk");
}

bool clone_empty(struct clone *c, struct pd_error **err)
{
	return set_room(c, MS_REMOUNT, c->room) || mount_error(err, "room on its disk");
}

static bool fits(const struct clone *c)
{
	struct statfs fs = {0};
	long type;

	if (statfs(c->o->work, &fs) < 0)
		return false;
	type = (long)fs.f_type;
	/* linux/magic.h: overlayfs, nfs, smb2, cifs, fuse, 9p, vfat */
	return type != 0x794c7630 && type != 0x6969 && type != (long)0xfe534d42 &&
	       type != (long)0xff534d42 && type != 0x65735546 && type != 0x01021997 &&
	       type != 0x4d44;
}

static bool has_room(struct clone *c, struct pd_error **err)
{
	struct statvfs fs = {0};
	uint64_t mib = statvfs(c->upper, &fs) < 0 ? 0 : fs.f_bavail * (fs.f_frsize / 512) / 2048;

	return mib >= LEAST_ROOM_MIB ||
	       pd_error_set(err, "clone-room", "%s has %llu MiB free%s; the clone's changes "
			    "need at least %d", c->o->work, (unsigned long long)mib,
			    c->memory ? " (in memory)" : "",
			    LEAST_ROOM_MIB);
}

static bool hide(struct clone *c, const char *place, struct pd_error **err)
{
	pd_auto_free char *at = pd_print("%s%s", c->root, place);
	pd_auto_free char *data = NULL;
	struct stat st = {0};

	if (stat(at, &st) < 0)
		return true;
	data = pd_print("mode=%o,uid=%u,gid=%u", (unsigned)st.st_mode & 07777,
			(unsigned)st.st_uid, (unsigned)st.st_gid);
	return mount("tmpfs", at, "tmpfs", MS_NODEV | MS_NOSUID, data) == 0 ||
	       mount_error(err, place);
}

/* --show: a folder or file of the server, at the same place, read-only. */
static bool show(struct clone *c, const char *place, struct pd_error **err)
{
	pd_auto_free char *at = pd_print("%s%s", c->root, place);
	struct stat st = {0};

	if (stat(place, &st) < 0)
		return mount_error(err, place);
	if (!S_ISDIR(st.st_mode) && access(at, F_OK) == 0)
		return true;
	if (S_ISDIR(st.st_mode) && !pd_make_folders(at, err))
		return false;
	return (mount(place, at, NULL, MS_BIND | MS_REC, NULL) == 0 &&
		mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0) ||
	       mount_error(err, place);
}

bool clone_mount(struct clone *c, struct pd_error **err)
{
	pd_auto_free char *empty = pd_print("%s/empty", c->o->work);

	if (!pd_make_folders(empty, err) || !pd_make_folders(c->upper, err) ||
	    !pd_make_folders(c->root, err))
		return false;
	if (mount("tmpfs", empty, "tmpfs", MS_RDONLY, "size=4k") < 0)
		return mount_error(err, "an empty layer");
	if (((c->o->memory || !fits(c)) && !use_memory(c, err)) ||
	    !has_room(c, err))
		return false;
	for (size_t i = 0; i < c->n_layers; i++)
		if (!mount_layer(c, &c->layers[i], err))
			return false;
	for (size_t i = 0; i < c->hidden.len; i++)
		if (!hide(c, c->hidden.items[i], err))
			return false;
	for (size_t i = 0; i < c->o->show.len; i++)
		if (!clone_is_private(c->o->show.items[i]) &&
		    !show(c, c->o->show.items[i], err))
			return false;
	return true;
}

static void unmount_all(const char *at)
{
	while (umount2(at, MNT_DETACH) == 0)
		;
}

static void unmount_overlays(const struct clone *c)
{
	pd_auto_free char *empty = pd_print("%s/empty", c->o->work);

	unmount_all(c->root);
	for (size_t i = 0; i < c->n_layers; i++)
		unmount_all(c->layers[i].lower);
	unmount_all(empty);
}

/* The tmpfs moves; a folder on a disk is renamed. */
static bool put_aside(const struct clone *c, const char *to, struct pd_error **err)
{
	if (!pd_make_folders(to, err))
		return false;
	return (c->memory ? mount(c->upper, to, NULL, MS_MOVE, NULL) : rename(c->upper, to)) == 0 ||
	       mount_error(err, "its changes put aside");
}

bool clone_save(struct clone *c, struct pd_error **err)
{
	pd_auto_free char *to = pd_print("%s/saved/%zu", c->o->work, c->saved);

	unmount_overlays(c);
	if (!put_aside(c, to, err))
		return false;
	for (size_t i = 0; i < c->n_layers; i++)
		pd_strings_add_take(&c->layers[i].saved, pd_print("%s/%zu/upper", to, i));
	c->from = ++c->saved;
	return clone_mount(c, err);
}

void clone_unmount(struct clone *c)
{
	unmount_overlays(c);
	unmount_all(c->upper);
}

void clone_unmount_saved(struct clone *c)
{
	for (; c->saved > 0; c->saved--) {
		pd_auto_free char *at = pd_print("%s/saved/%zu", c->o->work, c->saved - 1);

		unmount_all(at);
	}
}

/* Never over a mount: what is mounted there is not ours to throw away. */
void clone_remove_tree(const char *path)
{
	char *const paths[] = { (char *)path, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	FTSENT *e;

	while (tree && (e = fts_read(tree)))
		if (e->fts_info == FTS_DP || e->fts_info == FTS_DNR)
			rmdir(e->fts_accpath);
		else if (e->fts_info != FTS_D)
			unlink(e->fts_accpath);
	if (tree)
		fts_close(tree);
}
