/* SPDX-License-Identifier: MIT */
/* GRUB: its entries, and its environment block by grub-editenv(1) and its fellows. */
#include "kernel.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DEFAULTS "/etc/default/grub.d"
#define OURS DEFAULTS "/zz-patchday.cfg"
#define ZFS_MAGIC 0x2fc12fc1

/* RPM's family calls all of it grub2. */
static const char *const places[] = { "/boot/grub", "/boot/grub2" };
static const char *const names[] = { "grub", "grub2" };

static int which(void)
{
	for (int i = 0; i < 2; i++)
		if (access(i ? "/boot/grub2/grub.cfg" : "/boot/grub/grub.cfg", F_OK) == 0)
			return i;
	return -1;
}

bool grub_is_there(void) { return which() >= 0; }
bool grub_is_ours(void) { return access(OURS, F_OK) == 0; }
bool grub_can_follow(void) { return access(DEFAULTS, F_OK) == 0; }

static const char *program(struct pd_ctx *ctx, const char *what)
{
	return pd_format(ctx, "%s-%s", names[which() == 1], what);
}

static const char *file(struct pd_ctx *ctx, const char *name)
{
	return pd_format(ctx, "%s/%s", places[which() == 1], name);
}

/* What GRUB can't write at boot it can't take back: the one boot would be all of them. */
static const char *not_written(struct pd_ctx *ctx, const char *folder)
{
	struct statfs fs;
	struct stat st;
	const char *device;

	if (statfs(folder, &fs) < 0 || stat(folder, &st) < 0)
		return strerror(errno);
	if ((unsigned long)fs.f_type == BTRFS_SUPER_MAGIC || (unsigned long)fs.f_type == ZFS_MAGIC)
		return (unsigned long)fs.f_type == ZFS_MAGIC ? "it is on ZFS" : "it is on btrfs";
	device = pd_format(ctx, "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	return access(pd_format(ctx, "%s/dm", device), F_OK) == 0 ? "it is on LVM, or another device that is mapped" :
	       access(pd_format(ctx, "%s/md", device), F_OK) == 0 ? "it is on a RAID of the kernel" : NULL;
}

static const char *value(struct pd_ctx *ctx, const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *l = list; *l; l += strcspn(l, "\n"), l += *l == '\n')
		if (strncmp(l, name, len) == 0 && l[len] == '=')
			return pd_format(ctx, "%.*s", (int)strcspn(l + len + 1, "\n"), l + len + 1);
	return "";
}

/* An entry may be set by its title, too, or by its number: then nothing is known of it. */
static const char *read_environment(struct pd_ctx *ctx, struct loader *out)
{
	const char *const argv[] = { program(ctx, "editenv"), file(ctx, "grubenv"), "list", NULL };
	struct pd_command_result r = { 0 };

	if (access(argv[1], F_OK) < 0) /* list would make it */
		return pd_format(ctx, "there is no %s, where GRUB has its default and its next boot: %s %s create", argv[1],
				 argv[0], argv[1]);
	if (tool(ctx, argv, &r) < 0)
		return pd_format(ctx, "cannot read %s, where GRUB has its default and its next boot: %s", argv[1],
				 *r.err ? r.err : "grub-editenv does not run: install grub-common");
	out->standing = value(ctx, r.out, "saved_entry");
	out->once = value(ctx, r.out, "next_entry");
	return NULL;
}

const char *grub_look(struct pd_ctx *ctx, struct loader *out)
{
	const char *path = file(ctx, "grub.cfg"), *text = pd_read_file(ctx, path, 16 << 20, NULL), *why;

	out->name = "grub";
	out->place = places[which() == 1];
	if (!text)
		return pd_format(ctx, "cannot read %s: %s", path, strerror(errno));
	if (strstr(text, "\nblscfg"))
		return "the entries of this GRUB are files of the boot loader specification (blscfg), which this step can't set yet: "
		       "use grubby, and leave it out";
	why = not_written(ctx, out->place);
	if (why)
		return pd_format(ctx, "GRUB can't write to %s/grubenv while it boots: %s; so a single boot would be every boot, with "
				 "no way back: have /boot on a partition with ext4 or XFS", out->place, why);
	out->follows = strstr(text, "set default=\"${saved_entry}\"") != NULL;
	grub_entries(ctx, text, out);
	return read_environment(ctx, out);
}

int grub_set(struct pd_ctx *ctx, const struct loader *l, const char *name, const char *id)
{
	bool once = strcmp(name, "next_entry") == 0;
	const char *const set[] = { program(ctx, once ? "reboot" : "set-default"),
		pd_format(ctx, "--boot-directory=%.*s", (int)(strrchr(l->place, '/') - l->place), l->place), id, NULL };
	const char *const unset[] = { program(ctx, "editenv"), file(ctx, "grubenv"), "unset", name, NULL };
	struct pd_command_result r = { 0 };

	return tool(ctx, id && *id ? set : unset, &r) == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "cannot set %s of GRUB to '%s': %s", name, id ? id : "", r.err);
}

/* Its menu is made anew, which takes as long as it looks for other systems. */
static int make_menu(struct pd_ctx *ctx)
{
	const char *const argv[] = { program(ctx, "mkconfig"), "-o", file(ctx, "grub.cfg"), NULL };
	struct pd_command_result r = { 0 };

	pd_progress(ctx, 0, 0, "GRUB's menu is made anew");
	return tool(ctx, argv, &r) == 0 ? 0 : pd_fail(ctx, PD_FAILED, "cannot make GRUB's menu: %s says: %s", argv[0], r.err);
}

int grub_follow(struct pd_ctx *ctx, bool follow)
{
	static const char text[] = "# Made by patchday (kernel.keep): the kernel that is the default stays it until a new one\n"
				   "# is confirmed.\n"
				   "GRUB_DEFAULT=saved\n";
	struct loader now;
	int r;

	if (follow && !grub_can_follow())
		return pd_fail(ctx, PD_FAILED, "GRUB boots the first entry of its menu, and there is no " DEFAULTS " to change "
			       "that in: write GRUB_DEFAULT=saved to /etc/default/grub, and make the menu anew");
	r = follow ? pd_write_file(ctx, OURS, 0644, text, strlen(text)) : unlink(OURS) < 0 && errno != ENOENT ?
	    pd_fail(ctx, PD_FAILED, "cannot remove " OURS ": %s", strerror(errno)) : 0;
	if (r < 0 || make_menu(ctx) < 0 || loader_look(ctx, &now) < 0)
		return PD_FAILED;
	return !follow || now.follows ? 1 :
	       pd_fail(ctx, PD_FAILED, "GRUB does not boot the default that is saved, though " OURS " says so: something else sets "
		       "GRUB_DEFAULT, see /etc/default/grub and " DEFAULTS);
}
