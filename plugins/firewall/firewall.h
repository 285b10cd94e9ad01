/* SPDX-License-Identifier: MIT */
/* What the parts of the plugin firewall share: nft, its rules, its files. */
#ifndef PATCHDAY_FIREWALL_H
#define PATCHDAY_FIREWALL_H

#include "../shared/files.h"

#define SET_RULES "rules.nft"    /**< set: all there is, as nft loads it */
#define SET_COMPARED "rules.txt" /**< set: without counters, to compare */
#define SET_JSON "ruleset.json"  /**< set: the same for programs */

/* All strings and arrays belong to the callback. */

/* ------------------------------------------------------------------- nft.c */

bool nft_is_here(void);
/** The rules in force, as `nft OPTION list ruleset` tells them; without
 * counters with "-sy".  NULL: reported. */
const char *nft_list(struct pd_ctx *ctx, const char *option);
/** Have nft load @p text, all of it or nothing; only look whether it would
 * with @p look.  *problem says what it refuses, NULL: nothing. */
int nft_load(struct pd_ctx *ctx, const char *text, bool look, const char **problem);
/** Would the file be loaded at the next boot? */
int nft_look_at(struct pd_ctx *ctx, const char *path, const char **problem);
/** The configuration files that are there, with all that they include. */
int nft_files(struct pd_ctx *ctx, struct texts *out);

/* ----------------------------------------------------------------- rules.c */

/** What makes @p then of the rules @p now, in one transaction; tables that
 * @p others names stay as they are. */
const char *rules_transaction(struct pd_ctx *ctx, const char *then, const char *now,
			      const struct pd_list *others);
/** The first line of @p rules with what nft can't say but in a comment; NULL:
 * there is none. */
const char *rules_untranslated(struct pd_ctx *ctx, const char *rules, const struct pd_list *others);
/** Add one text for each difference: "missing: ...", "new: ...", "moved: ...". */
void rules_compare(struct pd_ctx *ctx, const char *then, const char *now,
		   const struct pd_list *others, struct texts *out);

/* ------------------------------------------------------------- the two files */

/** Arguments of a step that looks back at a set. */
struct back_args {
	const char *from;
	struct pd_list others;
	bool fail;
};

#define PARAMS_BACK                                                                    \
	PD_PARAM(struct back_args, from, PD_T_PATH, .flags = PD_P_REQUIRED,            \
		 .help = "folder that firewall.save has made"),                        \
	PD_PARAM(struct back_args, others, PD_T_LIST,                                  \
		 .help = "tables of other programs, left alone: NAME or FAMILY NAME, with * and ?")

/** Save rules and files, and the files that the set @p also has, as the set
 * @p folder. */
int firewall_take_with(struct pd_ctx *ctx, const char *folder, const struct saved_set *also);
/** All that is not as in the set, rules and files.  @p set gets the set. */
int firewall_differs(struct pd_ctx *ctx, const char *from, const struct pd_list *others,
		     struct saved_set *set, struct texts *out);
/** Have nft make @p then of the rules in force, all of it or nothing; @p look
 * and *problem as of nft_load(). */
int firewall_load(struct pd_ctx *ctx, const char *then, const struct pd_list *others, bool look,
		  const char **problem);
/** The rules of a set that was read: rules.nft, or rules.txt. */
const char *firewall_saved(struct pd_ctx *ctx, const char *from, const char *name);

extern const struct pd_step step_restore;

#endif /* PATCHDAY_FIREWALL_H */
