/* SPDX-License-Identifier: MIT */
/* What a backup of the whole system needs beside its files: the layout of the
 * disks, and which mounted volumes belong to the server. */
#include "backup.h"

#include <dirent.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef CIFS_SUPER_MAGIC /* since Linux 5.17 in magic.h */
#define CIFS_SUPER_MAGIC 0xFF534D42
#define SMB2_SUPER_MAGIC 0xFE534D42
#endif

/* The kernel's own, and those of other servers. */
bool foreign_volume(const char *path)
{
	static const unsigned long foreign[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, TMPFS_MAGIC, DEVPTS_SUPER_MAGIC,
		CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
		SECURITYFS_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC, BPF_FS_MAGIC,
		RAMFS_MAGIC, HUGETLBFS_MAGIC, BINFMTFS_MAGIC, AUTOFS_SUPER_MAGIC,
		NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
		V9FS_MAGIC, CEPH_SUPER_MAGIC, FUSE_SUPER_MAGIC, NSFS_MAGIC, 0x19800202 /* mqueue */
	};
	struct statfs st;

	if (statfs(path, &st) != 0)
		return true;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		if ((unsigned long)st.f_type == foreign[i])
			return true;
	return false;
}

static int save_answer(struct pd_ctx *ctx, struct bundle *b, const char *name,
		       const char *const *argv)
{
	struct pd_command command = { .size = sizeof(command), .argv = argv,
				      .output_max = (size_t)16 << 20 };
	struct pd_command_result result = { 0 };

	if (access(pd_format(ctx, "/usr/bin/%s", argv[0]), X_OK) != 0 &&
	    access(pd_format(ctx, "/usr/sbin/%s", argv[0]), X_OK) != 0 &&
	    access(pd_format(ctx, "/sbin/%s", argv[0]), X_OK) != 0)
		return 0;
	if (pd_command_run(ctx, &command, &result) < 0)
		return PD_FAILED;
	if (result.status != 0) { /* such as blkid without a disk */
		pd_log(ctx, PD_LOG_INFO, "%s ends with status %d: %s", argv[0], result.status,
		       result.err);
		return 0;
	}
	return bundle_add_memory(b, pd_format(ctx, BUNDLE_META "layout/%s", name), result.out,
				 result.out_len);
}

/* The partitions of each disk, in the form that sfdisk(8) takes back. */
static int save_partitions(struct pd_ctx *ctx, struct bundle *b)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *d;
	int status = 0;

	while (dir && status == 0 && (d = readdir(dir))) {
		const char *device = pd_format(ctx, "/dev/%s", d->d_name);
		const char *const argv[] = { "sfdisk", "--dump", device, NULL };

		if (access(pd_format(ctx, "/sys/block/%s/device", d->d_name), F_OK) == 0 &&
		    access(device, R_OK) == 0)
			status = save_answer(ctx, b, pd_format(ctx, "sfdisk-%s", d->d_name), argv);
	}
	if (dir)
		closedir(dir);
	return status;
}

int layout_save(struct pd_ctx *ctx, struct bundle *b)
{
	static const struct {
		const char *name, *argv[5];
	} questions[] = {
		{ "lsblk.json", { "lsblk", "--json", "--output-all", "--bytes", NULL } },
		{ "blkid", { "blkid", "-o", "export", NULL } },
		{ "findmnt.json", { "findmnt", "--json", "--bytes", NULL } },
		{ "efibootmgr", { "efibootmgr", "-v", NULL } },
	};

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++)
		if (save_answer(ctx, b, questions[i].name, questions[i].argv) < 0)
			return PD_FAILED;
	return save_partitions(ctx, b);
}
