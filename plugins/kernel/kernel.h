/* SPDX-License-Identifier: MIT */
/* What the parts of the plugin kernel have in common. */
#ifndef PD_PLUGIN_KERNEL_H
#define PD_PLUGIN_KERNEL_H

#include <patchday/plugin.h>

/* One way to boot, as the loader knows it. */
struct entry {
	const char *id;      /* as the loader takes it: of GRUB "SUBMENU>ENTRY" */
	const char *release; /* of its kernel, as uname(2) has it */
	bool recovery;
	bool lasting; /* it means this kernel whatever is installed beside it */
};

/* The boot loader and what it is set to. */
struct loader {
	const char *name;          /* "grub", "systemd-boot" */
	const char *place;         /* GRUB's folder */
	bool follows;              /* it boots the default that is set, not the first of its list */
	const char *standing;      /* the entry that is set as the default; "" none */
	const char *once;          /* the entry of the next boot alone; "" none */
	struct entry *entries;
	size_t len, cap;
};

/** Why a single boot of one kernel is not possible here; NULL: it is, and @p out is known. */
const char *loader_why_not(struct pd_ctx *ctx, struct loader *out);
/** Why this kernel can't be kept as the one that every other boot is of; NULL: it can, and @p e is its entry. */
const char *loader_keeps_why_not(struct pd_ctx *ctx, struct loader *l, const char *release, const struct entry **e);
const char *loader_no_entry(struct pd_ctx *ctx, const struct loader *l, const char *release);
/** Refused if there is none that can fall back. */
int PD_MUST_USE loader_look(struct pd_ctx *ctx, struct loader *out);
void loader_add(struct pd_ctx *ctx, struct loader *l, const struct entry *e);
/** The one for this kernel that lasts; NULL: there is none. */
const struct entry *loader_entry(const struct loader *l, const char *release);
const struct entry *loader_by_id(const struct loader *l, const char *id);
/** What is booted where no default is set: the first of the list.  NULL: the list is empty. */
const struct entry *loader_first(const struct loader *l);
/** NULL or "": none.  Both prove what they did. */
int PD_MUST_USE loader_set_standing(struct pd_ctx *ctx, const struct loader *l, const char *id);
int PD_MUST_USE loader_set_once(struct pd_ctx *ctx, const struct loader *l, const char *id);
/** Have the loader follow its default, or not any more.  @return 1: it was changed, 0, or below zero, reported. */
int PD_MUST_USE loader_follow(struct pd_ctx *ctx, bool follow);
/** By patchday's own setting? */
bool loader_is_ours(void);
int PD_MUST_USE loader_evidence(struct pd_ctx *ctx, const char *file, const char *title);

/* grub.c, sdboot.c: one of them looks, and says why it does not do; NULL: it does */
bool grub_is_there(void);
const char *grub_look(struct pd_ctx *ctx, struct loader *out);
int PD_MUST_USE grub_set(struct pd_ctx *ctx, const struct loader *l, const char *name, const char *id);
int PD_MUST_USE grub_follow(struct pd_ctx *ctx, bool follow);
bool grub_is_ours(void);
/** Is there a place for a setting that has it boot what is saved? */
bool grub_can_follow(void);
bool sdboot_is_there(void);
const char *sdboot_look(struct pd_ctx *ctx, struct loader *out);
int PD_MUST_USE sdboot_set(struct pd_ctx *ctx, const char *verb, const char *id);
void grub_entries(struct pd_ctx *ctx, const char *text, struct loader *out);
/** Of another kernel: of this file, "" if its name has none. */
const char *release_in(struct pd_ctx *ctx, const char *path);

/** The release of the kernel that runs. */
const char *running(struct pd_ctx *ctx);

/* package.c */
/** Is this kernel's package kept from autoremove by patchday? */
bool package_is_kept(struct pd_ctx *ctx, const char *release);
/** NULL: none any more.  Nothing to do without apt. */
int PD_MUST_USE package_keep(struct pd_ctx *ctx, const char *release);
/** The release that is kept; "" none. */
const char *package_kept(struct pd_ctx *ctx);

int PD_MUST_USE tool(struct pd_ctx *ctx, const char *const argv[], struct pd_command_result *r);

extern const struct pd_step keep_step, once_step, confirm_step;
/* running.c */
/** Fails if another kernel runs than this.  In a dry run, and in a clone, that is not known. */
int PD_MUST_USE must_run(struct pd_ctx *ctx, const char *release);
extern const struct pd_step running_step;
extern const struct pd_scanner loader_scanner;

#endif
