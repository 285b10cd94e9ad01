/* SPDX-License-Identifier: MIT */
/* What the steps save and restore of the plugins shares and printers share. */
#ifndef PATCHDAY_STEPS_H
#define PATCHDAY_STEPS_H

#include "saved.h"
#include "units.h"

/** Arguments of a step that saves a set. */
struct save_args {
	const char *to;
	const char *copy;
};

extern const struct pd_param save_params[];

/** Check of a save: sets can be made in both places.  @param what "the shares".
 * @return 0, or PD_REFUSED, reported. */
int save_places(struct pd_ctx *ctx, const struct save_args *args, const char *what);
/** Save all as the set @p folder.  0, or below zero, reported. */
typedef int take_fn(struct pd_ctx *ctx, const char *folder);

/** Apply of a save: the set NAME of this run, taken unless it was complete before a
 * crash, in both places; its manifest and its list, a file in it, become
 * evidence titled after @p what.  NULL with *rc below zero, reported. */
const char *save_set(struct pd_ctx *ctx, const char *name, take_fn *take,
		     const char *list, const char *what, int *rc);
/** Set the outputs "folder", unless it is NULL, and @p name.  0, or below zero. */
int save_outputs(struct pd_ctx *ctx, const char *folder, const char *name, int64_t count);

/** Apply of a restore: remember the state of its units, and take the set
 * "before" in the step's folder.  NULL with *rc below zero, reported. */
const char *restore_begin(struct pd_ctx *ctx, const char *const units[], take_fn *take,
			  int *rc);
/** Has a crash in a restore left its units stopped? */
bool restore_cut_short(struct pd_ctx *ctx);

/** The callbacks and limits of a restore. */
#define RESTORE_STEP                                                         \
	PD_STEP, .flags = PD_S_NEEDS_ROOT, .name = "restore",                \
	.params = params, .args_size = sizeof(struct restore_args),          \
	.outputs = outputs, .check = check, .apply = apply, .verify = verify, \
	.undo = undo, .reversibility = PD_REVERSIBLE, .time_limit = 900,     \
	.expected = 10

#endif /* PATCHDAY_STEPS_H */
