/* SPDX-License-Identifier: MIT */
/** Arguments: JSON values against the declared rows, and into C structs. */
#ifndef PD_PLUGIN_ARGUMENTS_H
#define PD_PLUGIN_ARGUMENTS_H

#include "base/json.h"

/*
 * JSON forms of an argument beside the plain ones:
 *   {"$ref": "STEP-ID", "out": "NAME"}   output of an earlier step
 *   {"$unknown": "why"}                  dry run: not known yet
 *   {"$secret": {"env"|"file"|"credential": "NAME"}}  fetched for the worker
 *   {"$updates": [ ... ]}                a selection, rows as in the plan
 */

const char *pd_type_name(unsigned type); /* "string", "bytes" ... */
/** Of the C field that receives it; 0: no such type. */
size_t pd_type_size(unsigned type);
/** May an output of type @p from be given to a parameter of type @p to? */
bool pd_type_fits(unsigned from, unsigned to);

const struct pd_param *pd_step_param(const struct pd_step *step, const char *name);
const struct pd_output *pd_step_output(const struct pd_step *step, const char *name);

/**
 * Check what a script gave: unknown names (with the nearest known one), types,
 * choices, ranges, required ones; fill in the defaults.  Values come out
 * normalised (bytes and seconds as numbers, one string as a list of one).
 * References are passed on, their types are the plan's matter.
 * @return new reference, or NULL with *err set.
 */
json_t *pd_arguments_check(const struct pd_step *step, const char *name,
			   const json_t *given, struct pd_error **err);
/** One value against one row; new reference or NULL. */
json_t *pd_argument_check(const struct pd_param *param, const json_t *value,
			  struct pd_error **err);
/** A text of the command line (k=v) as the JSON value of that type. */
json_t *pd_argument_parse(const struct pd_param *param, const char *text,
			  struct pd_error **err);

/**
 * Fill the plugin's struct from checked arguments in which no reference is
 * left.  The struct and all it points to live as long as @p arena (a list of
 * allocations), freed by pd_arguments_free().
 */
struct pd_arguments {
	void *args;              /* the plugin's struct */
	json_t *values;          /* what its texts are borrowed from */
	struct pd_strings secrets; /* values */
	struct pd_blot *blot;      /* keeps them out of all output */
	void **arena;
	size_t len, cap;
};

bool pd_arguments_fill(const struct pd_step *step, const json_t *checked,
		       struct pd_arguments *out, struct pd_error **err) PD_MUST_USE;
void pd_arguments_free(struct pd_arguments *a);
/** The JSON of a selection behind a struct pd_updates; for the host table. */
const json_t *pd_updates_json(const struct pd_updates *updates);

#endif
