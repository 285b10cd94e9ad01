/* SPDX-License-Identifier: MIT */
/* kernel - a new kernel is booted once, and becomes the default when it has proved
 * itself; until then every other boot is of the one that ran before. */
#include "kernel.h"

#include <string.h>
#include <unistd.h>

#include "../shared/clone.h"

#define BEGUN "begun"
#define STANDING "standing"
#define ONCE "once"
#define FOLLOW "follow"
#define KEPT "kept"
#define ENTRY "entry"

/* ------------------------------------------------------------------ keep */

static bool is_kept(struct pd_ctx *ctx, const struct loader *l, const struct entry *e)
{
	return l->follows && strcmp(l->standing, e->id) == 0 && package_is_kept(ctx, e->release);
}

static int tell_kept(struct pd_ctx *ctx, const struct loader *l, const struct entry *e)
{
	const char *before = pd_recall(ctx, STANDING);

	return pd_output(ctx, "release", e->release) < 0 || pd_output(ctx, "entry", e->id) < 0 ||
	       pd_output(ctx, "before", before ? before : l->standing) < 0 ? PD_FAILED : 0;
}

/* The loader, and the entry of what is to be kept. */
static int look_kept(struct pd_ctx *ctx, struct loader *l, const struct entry **e)
{
	const char *begun = pd_recall(ctx, BEGUN), *why = loader_keeps_why_not(ctx, l, begun ? begun : running(ctx), e);

	return why ? pd_fail(ctx, PD_REFUSED, "%s", why) : 0;
}

/* GRUB's programs find no disk below a clone, and none of its menus is ever booted. */
static bool left_alone(struct pd_ctx *ctx, const struct loader *l)
{
	bool alone = !l->follows && clone_here(ctx);

	if (alone)
		pd_log(ctx, PD_LOG_INFO, "a clone boots no kernel: the boot loader is left alone");
	return alone;
}

static int keep_check(struct pd_ctx *ctx)
{
	const struct entry *e;
	struct loader l = { 0 };
	const char *line = pd_read_file(ctx, "/proc/cmdline", 65536, NULL);
	int r = look_kept(ctx, &l, &e);

	if (r < 0 || tell_kept(ctx, &l, e) < 0)
		return r < 0 ? r : PD_FAILED;
	if (left_alone(ctx, &l))
		return PD_UNCHANGED;
	if (line && !strstr(line, "panic="))
		pd_log(ctx, PD_LOG_WARN, "a kernel that panics waits for a person: with panic=30 on its command line "
		       "(GRUB_CMDLINE_LINUX) it reboots by itself, and falls back");
	return is_kept(ctx, &l, e) ? PD_UNCHANGED : PD_CHANGED;
}

static int keep_apply(struct pd_ctx *ctx)
{
	const struct entry *e;
	struct loader l = { 0 };
	int r = look_kept(ctx, &l, &e);

	if (r < 0 || tell_kept(ctx, &l, e) < 0)
		return r < 0 ? r : PD_FAILED;
	if (left_alone(ctx, &l) || is_kept(ctx, &l, e))
		return PD_UNCHANGED;
	if (!pd_recall(ctx, BEGUN) &&
	    (loader_evidence(ctx, "loader-before.txt", "The boot loader before") < 0 ||
	     pd_remember(ctx, STANDING, l.standing) < 0 || pd_remember(ctx, ONCE, l.once) < 0 ||
	     pd_remember(ctx, FOLLOW, l.follows ? "yes" : "no") < 0 || pd_remember(ctx, KEPT, package_kept(ctx)) < 0 ||
	     pd_remember(ctx, BEGUN, e->release) < 0))
		return PD_FAILED;
	if (package_keep(ctx, e->release) < 0 || (!l.follows && loader_follow(ctx, true) < 0) ||
	    loader_set_standing(ctx, &l, e->id) < 0)
		return PD_FAILED;
	return loader_evidence(ctx, "loader-after.txt", "The boot loader falls back") < 0 ? PD_FAILED : PD_CHANGED;
}

static int keep_verify(struct pd_ctx *ctx)
{
	const struct entry *e;
	struct loader l = { 0 };
	int r = look_kept(ctx, &l, &e);

	if (r < 0 || tell_kept(ctx, &l, e) < 0)
		return PD_FAILED;
	if (!l.follows || strcmp(l.standing, e->id) != 0)
		return pd_fail(ctx, PD_FAILED, "the default of %s is '%s', not the entry of %s: something else has set it", l.name,
			       l.follows ? l.standing : "the first entry", e->release);
	return package_is_kept(ctx, e->release) ? PD_UNCHANGED :
	       pd_fail(ctx, PD_FAILED, "the package of %s is not kept from autoremove any more", e->release);
}

/* What is set differs from what it should be?  @return 1: set now, 0, or below zero, reported. */
static int put_back(struct pd_ctx *ctx, const char *standing, const char *once)
{
	struct loader l = { 0 };
	bool default_differs, once_differs;

	if (loader_look(ctx, &l) < 0)
		return PD_FAILED;
	default_differs = strcmp(l.standing, standing) != 0;
	once_differs = strcmp(l.once, once) != 0 || (default_differs && *once); /* grub-set-default takes it away */
	if ((default_differs && loader_set_standing(ctx, &l, standing) < 0) ||
	    (once_differs && loader_set_once(ctx, &l, once) < 0))
		return PD_FAILED;
	return default_differs || once_differs;
}

static int keep_undo(struct pd_ctx *ctx)
{
	const char *standing = pd_recall(ctx, STANDING), *once = pd_recall(ctx, ONCE);
	const char *follow = pd_recall(ctx, FOLLOW), *kept = pd_recall(ctx, KEPT);
	int r = 0, done;

	if (!pd_recall(ctx, BEGUN) || !standing || !once || !follow || !kept)
		return PD_UNCHANGED;
	if (strcmp(follow, "no") == 0 && loader_is_ours())
		r = loader_follow(ctx, false);
	done = r < 0 ? r : put_back(ctx, standing, once);
	if (done < 0)
		return done;
	if (strcmp(package_kept(ctx), kept) != 0) {
		done = 1;
		if (package_keep(ctx, kept) < 0)
			return PD_FAILED;
	}
	if (r + done == 0)
		return PD_UNCHANGED;
	return loader_evidence(ctx, "loader-undone.txt", "The boot loader as it was") < 0 ? PD_FAILED : PD_CHANGED;
}

static const struct pd_output keep_outputs[] = {
	PD_OUTPUT("release", PD_T_STRING, "the kernel that is fallen back to"),
	PD_OUTPUT("entry", PD_T_STRING, "its entry in the boot loader"),
	PD_OUTPUT("before", PD_T_STRING, "the default that was set before, for kernel.confirm; empty: none"),
	PD_OUTPUT_END
};

const struct pd_step keep_step = {
	PD_STEP, .name = "keep", .help = "have every boot be of the kernel that runs now, and keep its package",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .outputs = keep_outputs, .time_limit = 900, .expected = 5,
	.check = keep_check, .apply = keep_apply, .verify = keep_verify, .undo = keep_undo
};

/* ------------------------------------------------------------------ once */

struct once_args {
	const char *release;
	bool due;
};

static bool has_initrd(struct pd_ctx *ctx, const char *release)
{
	return access(pd_format(ctx, "/boot/initrd.img-%s", release), R_OK) == 0 ||
	       access(pd_format(ctx, "/boot/initramfs-%s.img", release), R_OK) == 0 ||
	       access(pd_format(ctx, "/boot/initrd-%s", release), R_OK) == 0;
}

/* The new kernel runs, and the next boot would be of the old one: before a further reboot it is due again. */
static const struct entry *once_more(struct pd_ctx *ctx, const struct loader *l)
{
	const struct entry *e = loader_entry(l, running(ctx)), *back = l->follows ? loader_by_id(l, l->standing) : NULL;

	return e && back && strcmp(back->release, e->release) != 0 ? e : NULL;
}

/* The entry that is to be booted; NULL: there is none but that which is booted anyhow. */
static int look_new(struct pd_ctx *ctx, const char *asked, struct loader *l, const struct entry **e)
{
	int r = loader_look(ctx, l);
	const struct entry *first;
	const char *release;

	*e = NULL;
	if (r < 0)
		return r;
	if (left_alone(ctx, l))
		return 0;
	first = loader_first(l);
	release = asked ? asked : first ? first->release : running(ctx);
	if (strcmp(release, running(ctx)) == 0) {
		*e = once_more(ctx, l);
		return 0;
	}
	*e = loader_entry(l, release);
	if (!*e)
		return pd_fail(ctx, PD_REFUSED, "%s", loader_no_entry(ctx, l, release));
	return has_initrd(ctx, release) || !has_initrd(ctx, running(ctx)) ? 0 :
	       pd_fail(ctx, PD_REFUSED, "the kernel %s has no initrd in /boot, and the one that runs has: its installation is not whole "
		       "(is /boot full?); dpkg --configure -a, or update-initramfs -c -k %s", release, release);
}

static int tell_new(struct pd_ctx *ctx, const struct entry *e)
{
	return pd_output(ctx, "release", e ? e->release : running(ctx)) < 0 ||
	       (e && pd_output(ctx, "entry", e->id) < 0) ? PD_FAILED : 0;
}

/* Is the boot after it of another kernel: the one that runs now, or, once more, the one that ran before? */
static bool falls_back(struct pd_ctx *ctx, const struct loader *l, const struct entry *e)
{
	const struct entry *back = l->follows ? loader_by_id(l, l->standing) : NULL;

	return back && (strcmp(back->release, running(ctx)) == 0 || strcmp(e->release, running(ctx)) == 0);
}

static int once_check(struct pd_ctx *ctx)
{
	const struct once_args *args = ctx->args;
	const struct entry *e;
	struct loader l = { 0 };
	int r = look_new(ctx, args->release, &l, &e);

	if (r == 0 && !e && args->due && ctx->dry_run) /* which one, nobody knows yet */
		return PD_CHANGED;
	if (r < 0 || tell_new(ctx, e) < 0)
		return r < 0 ? r : PD_FAILED;
	if (!e || strcmp(l.once, e->id) == 0)
		return PD_UNCHANGED;
	if (!ctx->dry_run && !falls_back(ctx, &l, e))
		return pd_fail(ctx, PD_REFUSED, "the default of %s is %s, not the kernel that runs (%s): without kernel.keep before it, "
			       "nothing falls back", l.name, l.follows ? *l.standing ? l.standing : "not set" : "the first entry",
			       running(ctx));
	return PD_CHANGED;
}

static int once_apply(struct pd_ctx *ctx)
{
	const struct once_args *args = ctx->args;
	const struct entry *e;
	struct loader l = { 0 };
	int r = look_new(ctx, args->release, &l, &e);

	if (r < 0 || tell_new(ctx, e) < 0)
		return r < 0 ? r : PD_FAILED;
	if (!e || strcmp(l.once, e->id) == 0)
		return PD_UNCHANGED;
	if (!pd_recall(ctx, ENTRY) && (pd_remember(ctx, ONCE, l.once) < 0 || pd_remember(ctx, ENTRY, e->id) < 0))
		return PD_FAILED;
	if (loader_set_once(ctx, &l, e->id) < 0 ||
	    loader_evidence(ctx, "loader-once.txt", "The boot loader boots the new kernel once") < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static int once_verify(struct pd_ctx *ctx)
{
	int r = once_check(ctx);

	return r == PD_CHANGED ? pd_fail(ctx, PD_FAILED, "the next boot is not of the new kernel: something else has set it") : r;
}

static int once_undo(struct pd_ctx *ctx)
{
	const char *entry = pd_recall(ctx, ENTRY), *before = pd_recall(ctx, ONCE);
	struct loader l = { 0 };

	if (!entry || !before)
		return PD_UNCHANGED;
	if (loader_look(ctx, &l) < 0)
		return PD_FAILED;
	if (strcmp(l.once, entry) != 0)
		return PD_UNCHANGED;
	return loader_set_once(ctx, &l, before) < 0 ? PD_FAILED : PD_CHANGED;
}

static const struct pd_param once_params[] = {
	PD_PARAM(struct once_args, release, PD_T_STRING, .help = "which kernel; left out: the first of the loader's list"),
	PD_PARAM(struct once_args, due, PD_T_BOOL, .def = "false",
		 .help = "a step before it brings a new kernel: what a dry run expects"),
	PD_PARAM_END
};

static const struct pd_output once_outputs[] = {
	PD_OUTPUT("release", PD_T_STRING, "the kernel that the next boot has, for kernel.confirm"),
	PD_OUTPUT("entry", PD_T_STRING, "its entry in the boot loader"),
	PD_OUTPUT_END
};

const struct pd_step once_step = {
	PD_STEP, .name = "once", .help = "have the next boot alone be of the new kernel", .flags = PD_S_NEEDS_ROOT,
	.reversibility = PD_REVERSIBLE, .params = once_params, .args_size = sizeof(struct once_args), .outputs = once_outputs,
	.check = once_check, .apply = once_apply, .verify = once_verify, .undo = once_undo
};

/* --------------------------------------------------------------- confirm */

struct confirm_args {
	const char *release;
	const char *before;
};

/* Which default is to be set; it has to be the kernel that runs. */
static int look_good(struct pd_ctx *ctx, struct loader *l, const struct entry **e, const char **standing)
{
	const struct confirm_args *args = ctx->args;
	int r = loader_look(ctx, l);
	const struct entry *first = r < 0 ? NULL : loader_first(l);

	if (r < 0 || (r = must_run(ctx, args->release ? args->release : first ? first->release : "")) < 0)
		return r;
	*e = loader_entry(l, running(ctx));
	if (!*e)
		return pd_fail(ctx, PD_REFUSED, "%s", loader_no_entry(ctx, l, running(ctx)));
	*standing = args->before && !*args->before ? "" : (*e)->id;
	return 0;
}

static bool is_confirmed(struct pd_ctx *ctx, const struct loader *l, const struct entry *e, const char *standing)
{
	return !loader_is_ours() && !*package_kept(ctx) && strcmp(l->standing, standing) == 0 && strcmp(l->once, e->id) != 0;
}

static int confirm_check(struct pd_ctx *ctx)
{
	const char *standing = "";
	const struct entry *e;
	struct loader l = { 0 };
	int r = look_good(ctx, &l, &e, &standing);

	return r < 0 ? r : left_alone(ctx, &l) || is_confirmed(ctx, &l, e, standing) ? PD_UNCHANGED : PD_CHANGED;
}

static int confirm_apply(struct pd_ctx *ctx)
{
	const char *standing = "";
	const struct entry *e;
	struct loader l = { 0 };
	int r = look_good(ctx, &l, &e, &standing);

	if (r < 0)
		return r;
	if (left_alone(ctx, &l) || is_confirmed(ctx, &l, e, standing))
		return PD_UNCHANGED;
	if (!pd_recall(ctx, BEGUN) &&
	    (pd_remember(ctx, STANDING, l.standing) < 0 ||
	     pd_remember(ctx, ONCE, strcmp(l.once, e->id) == 0 ? "" : l.once) < 0 || /* undo leads to the old kernel */
	     pd_remember(ctx, FOLLOW, loader_is_ours() ? "ours" : "theirs") < 0 ||
	     pd_remember(ctx, KEPT, package_kept(ctx)) < 0 || pd_remember(ctx, BEGUN, running(ctx)) < 0))
		return PD_FAILED;
	if (loader_set_standing(ctx, &l, standing) < 0 ||
	    (strcmp(l.once, e->id) == 0 && loader_set_once(ctx, &l, NULL) < 0) || /* set again for a reboot that was not due */
	    (loader_is_ours() && loader_follow(ctx, false) < 0) || package_keep(ctx, NULL) < 0)
		return PD_FAILED;
	return loader_evidence(ctx, "loader-confirmed.txt", "The boot loader with the new kernel") < 0 ? PD_FAILED : PD_CHANGED;
}

static int confirm_verify(struct pd_ctx *ctx)
{
	int r = confirm_check(ctx);

	return r == PD_CHANGED ? pd_fail(ctx, PD_FAILED, "the new kernel is not what is booted from now on: something else has set "
					 "another one") : r;
}

static int confirm_undo(struct pd_ctx *ctx)
{
	const char *standing = pd_recall(ctx, STANDING), *once = pd_recall(ctx, ONCE);
	const char *follow = pd_recall(ctx, FOLLOW), *kept = pd_recall(ctx, KEPT);
	int r = 0, done;

	if (!pd_recall(ctx, BEGUN) || !standing || !once || !follow || !kept)
		return PD_UNCHANGED;
	done = strcmp(package_kept(ctx), kept) != 0;
	if (done && package_keep(ctx, kept) < 0)
		return PD_FAILED;
	if (strcmp(follow, "ours") == 0 && !loader_is_ours())
		r = loader_follow(ctx, true);
	done += r;
	r = r < 0 ? r : put_back(ctx, standing, once);
	return r < 0 ? r : done + r ? PD_CHANGED : PD_UNCHANGED;
}

static const struct pd_param confirm_params[] = {
	PD_PARAM(struct confirm_args, release, PD_T_STRING,
		 .help = "the kernel that has to run, as kernel.once gives it; left out: the first of the loader's list"),
	PD_PARAM(struct confirm_args, before, PD_T_STRING,
		 .help = "the default that was set before, as kernel.keep gives it: none is set again where there was none"),
	PD_PARAM_END
};

const struct pd_step confirm_step = {
	PD_STEP, .name = "confirm", .help = "the new kernel runs and is good: it is the default from now on",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .params = confirm_params,
	.args_size = sizeof(struct confirm_args), .time_limit = 900, .expected = 5, .check = confirm_check,
	.apply = confirm_apply, .verify = confirm_verify, .undo = confirm_undo
};

static const struct pd_step *const steps[] = { &keep_step, &once_step, &running_step, &confirm_step, NULL };
static const struct pd_scanner *const scanners[] = { &loader_scanner, NULL };

PD_PLUGIN(.name = "kernel", .version = "1.0",
	  .help = "a new kernel is booted once, falls back by itself, and is confirmed", .steps = steps,
	  .scanners = scanners);
