/* SPDX-License-Identifier: MIT */
/* quota - hold the kernel's disk quotas: what is counted goes on, what is
 * refused does not, until undo. */
#include <patchday/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/quota.h>
#include <unistd.h>

#define RECORD "limits"
#define COUNTED "counted" /* those in files, since they were held: once is enough */
#define BEGUN "begun"     /* so many of them, from the first on, have been switched off, or nearly */
#define IN_KERNEL (1u << 16) /* DQF_SYS_FILE of linux/quota.h, which sys/quota.h excludes */

struct args {
	struct pd_list mounts;
};

static const char *const kinds[] = { "user", "group", "project" };

enum { KINDS = 3 };

/* One kind of quota of one file system. */
struct limit {
	const char *device, *mount;
	int kind;
	bool files; /* kept in files: nothing is counted while it is off */
};

struct limits {
	struct limit *items;
	size_t len, room;
};

static void add(struct pd_ctx *ctx, struct limits *all, struct limit limit)
{
	if (all->len == all->room) {
		size_t room = all->room ? 2 * all->room : 8;
		struct limit *items = pd_alloc_for(ctx, room * sizeof(*items));

		for (size_t i = 0; i < all->len; i++)
			items[i] = all->items[i];
		all->items = items;
		all->room = room;
	}
	all->items[all->len++] = limit;
}

/* --------------------------------------------------- what the kernel says */

static int ask(int command, int kind, const char *device, void *data)
{
	return quotactl((int)QCMD((unsigned)command, kind), device, 0, data);
}

static bool is_enforced(const char *device, int kind)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };

	return ask(Q_XGETQSTATV, kind, device, &state) == 0 &&
	       (state.qs_flags & (FS_QUOTA_UDQ_ENFD << 2 * kind));
}

static bool is_in_files(const char *device, int kind)
{
	struct dqinfo info = { 0 };

	return ask(Q_GETINFO, kind, device, (void *)&info) == 0 && !(info.dqi_flags & IN_KERNEL);
}

static int switch_to(const struct limit *l, bool on)
{
	unsigned flags = (unsigned)FS_QUOTA_UDQ_ENFD << 2 * l->kind;

	return l->files ? ask(Q_QUOTAOFF, l->kind, l->device, NULL) :
			  ask(on ? Q_XQUOTAON : Q_XQUOTAOFF, l->kind, l->device, &flags);
}

static bool is_asked(const struct pd_list *mounts, const char *mount)
{
	for (size_t i = 0; i < mounts->len; i++)
		if (strcmp(mounts->items[i], mount) == 0)
			return true;
	return mounts->len == 0;
}

static bool is_known(const struct limits *all, const char *device)
{
	for (size_t i = 0; i < all->len; i++)
		if (strcmp(all->items[i].device, device) == 0)
			return true;
	return false;
}

/* Each file system once, however often it is mounted.  @return -1: there is no
 * table of mounts. */
static int find(struct pd_ctx *ctx, const struct pd_list *mounts, struct limits *out)
{
	FILE *table = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;

	if (!table)
		return pd_fail(ctx, PD_FAILED, "cannot read /proc/self/mounts: %s", strerror(errno));
	while ((m = getmntent(table))) {
		if (*m->mnt_fsname != '/' || !is_asked(mounts, m->mnt_dir) || is_known(out, m->mnt_fsname))
			continue;
		for (int k = 0; k < KINDS; k++)
			if (is_enforced(m->mnt_fsname, k))
				add(ctx, out, (struct limit){ pd_format(ctx, "%s", m->mnt_fsname),
					pd_format(ctx, "%s", m->mnt_dir), k, is_in_files(m->mnt_fsname, k) });
	}
	endmntent(table);
	return 0;
}

/* ---------------------------------------------------- what was there before */

static int remember(struct pd_ctx *ctx, const struct limits *all)
{
	const char *text = "";

	for (size_t i = 0; i < all->len; i++)
		text = pd_format(ctx, "%s%d\t%d\t%s\t%s\n", text, all->items[i].kind,
				 all->items[i].files, all->items[i].device, all->items[i].mount);
	return pd_remember(ctx, RECORD, text);
}

/* @return 1 when something was remembered, 0 when not, below zero, reported. */
static int recall(struct pd_ctx *ctx, struct limits *out)
{
	const char *p = pd_recall(ctx, RECORD);

	if (!p)
		return 0;
	for (; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *device = p + 4, *mount = device + strcspn(device, "\t\n") + 1;

		if (strcspn(p, "\n") < 7 || *p < '0' || *p >= '0' + KINDS || mount[-1] != '\t')
			return pd_fail(ctx, PD_FAILED, "what was remembered of the quotas is damaged: "
				       "'%.*s'", (int)strcspn(p, "\n"), p);
		add(ctx, out, (struct limit){
			pd_format(ctx, "%.*s", (int)(mount - 1 - device), device),
			pd_format(ctx, "%.*s", (int)strcspn(mount, "\n"), mount), *p - '0', p[2] == '1' });
	}
	return 1;
}

/* ----------------------------------------------------------------- callbacks */

static const char *says(struct pd_ctx *ctx, const struct limit *l)
{
	return pd_format(ctx, "%s %s", l->mount, kinds[l->kind]);
}

static int tell(struct pd_ctx *ctx, const struct limits *all)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->len; i++)
		r = pd_output_item(ctx, "held", says(ctx, &all->items[i]));
	return r;
}

static bool all_off(const struct limits *all)
{
	for (size_t i = 0; i < all->len; i++)
		if (is_enforced(all->items[i].device, all->items[i].kind))
			return false;
	return true;
}

/* Of those that were asked for by name. */
static int check_mounts(struct pd_ctx *ctx, const struct limits *all)
{
	const struct args *args = ctx->args;

	for (size_t i = 0; i < args->mounts.len; i++) {
		const char *mount = args->mounts.items[i];
		size_t k = 0;

		while (k < all->len && strcmp(all->items[k].mount, mount) != 0)
			k++;
		if (k == all->len)
			return pd_fail(ctx, PD_REFUSED, "no quota is enforced on %s: name it as findmnt shows "
				       "it, or leave out mounts for all that have one", mount);
	}
	return 0;
}

static int check(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	struct limits all = { 0 };
	int r = recall(ctx, &all);

	if (r > 0 && all_off(&all))
		return tell(ctx, &all) < 0 ? PD_FAILED : PD_UNCHANGED;
	all = (struct limits){ 0 };
	if (r >= 0)
		r = find(ctx, &args->mounts, &all);
	if (r >= 0)
		r = check_mounts(ctx, &all);
	if (r < 0 || tell(ctx, &all) < 0)
		return r < 0 ? r : PD_FAILED;
	return all.len ? PD_CHANGED : PD_UNCHANGED;
}

static int evidence(struct pd_ctx *ctx, const struct limits *all, const char *when)
{
	const char *path = pd_format(ctx, "%s/quota-%s.txt", ctx->work_dir, when);
	const char *text = "";

	for (size_t i = 0; i < all->len; i++) {
		const struct limit *l = &all->items[i];

		text = pd_format(ctx, "%s%-32s %-8s %-10s %s\n", text, l->mount, kinds[l->kind],
				 is_enforced(l->device, l->kind) ? "enforced" : "held", l->device);
	}
	return pd_write_file(ctx, path, 0600, text, strlen(text)) < 0 ? PD_FAILED :
	       pd_evidence(ctx, path, pd_format(ctx, "Quotas %s the hold", when));
}

/* What was remembered before a crash, and what is enforced since then. */
static int set_of(struct pd_ctx *ctx, struct limits *all)
{
	const struct args *args = ctx->args;
	struct limits now = { 0 };

	if (recall(ctx, all) < 0 || find(ctx, &args->mounts, &now) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < now.len; i++) {
		size_t k = 0;

		while (k < all->len && (strcmp(all->items[k].device, now.items[i].device) != 0 ||
					all->items[k].kind != now.items[i].kind))
			k++;
		if (k == all->len)
			add(ctx, all, now.items[i]);
	}
	return 0;
}

/* So many of those that were held were not left as they are. */
static size_t begun_of(struct pd_ctx *ctx)
{
	const char *begun = pd_recall(ctx, BEGUN);

	return begun ? (size_t)strtoul(begun, NULL, 10) : 0;
}

static int apply(struct pd_ctx *ctx)
{
	size_t begun = begun_of(ctx);
	struct limits all = { 0 };

	if (set_of(ctx, &all) < 0 || tell(ctx, &all) < 0)
		return PD_FAILED;
	if (all.len == 0)
		return PD_UNCHANGED;
	if (evidence(ctx, &all, "before") < 0 || remember(ctx, &all) < 0 || pd_remember(ctx, COUNTED, NULL) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < all.len; i++) {
		const struct limit *l = &all.items[i];
		bool on = is_enforced(l->device, l->kind);

		if (on && i >= begun && pd_remember(ctx, BEGUN, pd_format(ctx, "%zu", i + 1)) < 0)
			return PD_FAILED;
		if (on && switch_to(l, false) < 0)
			return pd_fail(ctx, PD_FAILED, "the %s quota of %s (%s) can't be switched off: %s",
				       kinds[l->kind], l->mount, l->device, strerror(errno));
	}
	return PD_CHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	struct limits all = { 0 };

	if (recall(ctx, &all) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < all.len; i++)
		if (is_enforced(all.items[i].device, all.items[i].kind))
			return pd_fail(ctx, PD_FAILED, "the quota %s is enforced: something else has switched "
				       "it on again", says(ctx, &all.items[i]));
	return PD_UNCHANGED;
}

static int tool(struct pd_ctx *ctx, const char *program, const char *kind, const struct limit *l)
{
	const char *const argv[] = { program, kind, l->mount, NULL };
	struct pd_command_result r = { 0 };

	if (pd_run(ctx, argv, &r) < 0)
		return pd_fail(ctx, PD_FAILED, "the quota %s can't be brought back: %s (package quota) "
			       "does not run", says(ctx, l), program);
	return r.status == 0 ? 0 : pd_fail(ctx, PD_FAILED, "the quota %s can't be brought back: %s %s %s "
					   "says: %s", says(ctx, l), program, kind, l->mount, r.err);
}

/* quotacheck reads the device: what is still to be written has no blocks there. */
static int flush(struct pd_ctx *ctx, const struct limit *l)
{
	int fd = open(l->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -1 : syncfs(fd), why = errno;

	if (fd >= 0)
		close(fd);
	return r == 0 ? 0 : pd_fail(ctx, PD_FAILED, "the quota %s can't be brought back: %s can't be "
				    "written to the disk: %s", says(ctx, l), l->mount, strerror(why));
}

static int switch_on(struct pd_ctx *ctx, const struct limit *l)
{
	static const char *const on[] = { "-u", "-g", "-P" };

	if (l->files)
		return tool(ctx, "quotaon", on[l->kind], l);
	return switch_to(l, true) == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "the quota %s (%s) can't be switched on again: %s; try 'quotaon %s'",
		       says(ctx, l), l->device, strerror(errno), l->mount);
}

/* Files know nothing of what was written meanwhile.  A boot has switched them on all the same: off again, for
 * quotacheck can't count while the kernel does. */
static int count_anew(struct pd_ctx *ctx, const struct limit *l, bool on)
{
	static const char *const count[] = { "-mu", "-mg", "-mP" };
	const char *const there[] = { "quotaon", "-V", NULL };
	struct pd_command_result r = { 0 };

	if (on && pd_run(ctx, there, &r) < 0)
		return pd_fail(ctx, PD_FAILED, "the quota %s can't be counted anew: quotaon (package quota) does not run",
			       says(ctx, l));
	if (on && switch_to(l, false) < 0)
		return pd_fail(ctx, PD_FAILED, "the quota %s (%s) can't be counted anew, since it can't be switched off: %s",
			       says(ctx, l), l->device, strerror(errno));
	return flush(ctx, l) < 0 || tool(ctx, "quotacheck", count[l->kind], l) < 0 ? PD_FAILED : 0;
}

/* @counted: it needs no counting, or was never switched off. */
static int bring_back(struct pd_ctx *ctx, const struct limit *l, bool counted)
{
	bool on = is_enforced(l->device, l->kind);
	int r = l->files && !(on && counted) ? count_anew(ctx, l, on) : 0;

	/* what was on is on again also when it could not be counted */
	if (is_enforced(l->device, l->kind) || (r < 0 && !on))
		return r;
	return switch_on(ctx, l) < 0 ? PD_FAILED : r;
}

/* With the others when one does not come back. */
static int undo(struct pd_ctx *ctx)
{
	bool counted = pd_recall(ctx, COUNTED);
	size_t begun = begun_of(ctx);
	struct limits all = { 0 };
	int result = recall(ctx, &all);

	if (result <= 0 || all.len == 0)
		return result < 0 ? result : PD_UNCHANGED;
	result = 0;
	for (size_t i = 0; i < all.len; i++) {
		const struct limit *l = &all.items[i];

		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while quotas were brought back");
		if (bring_back(ctx, l, counted || i >= begun) < 0)
			result = PD_FAILED;
		else if (!is_enforced(l->device, l->kind))
			result = pd_fail(ctx, PD_FAILED, "the quota %s was switched on and is not enforced: see "
					 "'quotaon -p %s'", says(ctx, l), l->mount);
	}
	if (result == 0 && !counted && pd_remember(ctx, COUNTED, "yes") < 0)
		return PD_FAILED;
	return result < 0 || evidence(ctx, &all, "after") < 0 ? PD_FAILED : PD_CHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct args, mounts, PD_T_LIST,
		 .help = "mount points of the file systems; left out: all with a quota that is enforced"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("held", PD_T_LIST, "file systems and kinds of quota, such as \"/home user\""),
	PD_OUTPUT_END
};

static const struct pd_step hold = {
	PD_STEP, .name = "hold", .help = "let nobody run into a disk quota, until undo",
	.flags = PD_S_NEEDS_ROOT | PD_S_HOLD, .reversibility = PD_REVERSIBLE, .params = params,
	.args_size = sizeof(struct args), .outputs = outputs,
	.check = check, .apply = apply, .verify = verify, .undo = undo
};

static const struct pd_step *const steps[] = { &hold, NULL };

PD_PLUGIN(.name = "quota", .version = "1.0", .help = "disk quotas of the kernel: held, given back",
	  .steps = steps);
