/* SPDX-License-Identifier: MIT */
/* Private to the plugin normalbackup: what all of its steps do, whatever the
 * product is that makes the backups. */
#ifndef PD_NORMALBACKUP_H
#define PD_NORMALBACKUP_H

#include <patchday/plugin.h>

#include <jansson.h>

/** One backup, as the product tells of it. */
struct found {
	const char *id;   /**< by which the product knows it; NULL: there is none */
	const char *what; /**< for people: "snapshot 26393e9b", "job 17 nightly" */
	const char *has;  /**< what is in it, as far as the product tells */
	int64_t when;     /**< when it was made, seconds since 1970 */
};

/** What is in an archive, or in one compressed file. */
struct contents {
	int64_t entries, bytes; /**< bytes: of their data */
	bool raw;               /**< no archive: one compressed file */
};

/** What one product has to be able to do. */
struct product {
	/** The newest backup that fits what is asked for, with all that must be in
	 * it.  @return 0, or below zero, reported. */
	int (*find)(struct pd_ctx *ctx, struct found *out);
	/** Have it read back, if its product can; *how says what was read, and no
	 * more.  @return 0, or below zero, reported. */
	int (*prove)(struct pd_ctx *ctx, const struct found *found, const char **how);
	const char *source; /**< where the backups are, for people */
	int64_t age;        /**< how old it may be */
};

/** A reason against the run: the inhibitor of a check, the failure of an apply. */
int PD_MUST_USE against(struct pd_ctx *ctx, const char *cause, const char *remedy);

/** The same, since @p what is not in the backup. */
int PD_MUST_USE lacks(struct pd_ctx *ctx, const struct found *found, const char *what, const char *source);

/** Run a command of the product; with an exit status above @p worst what it said
 * is a reason against the run: "@p what: ...".  @return 0, or below zero, reported. */
int PD_MUST_USE ask(struct pd_ctx *ctx, const struct pd_command *command, int worst,
		    const char *what, struct pd_command_result *r);

/** The same with 0; it answers in JSON, which the caller frees. */
int PD_MUST_USE ask_json(struct pd_ctx *ctx, const struct pd_command *command, const char *what,
			 json_t **out);

/** Read an archive, or a compressed file, to its end.  @return 0, or below zero, reported: it is not whole. */
int PD_MUST_USE archive_read_whole(struct pd_ctx *ctx, const char *path, struct contents *out);

/** Words with commas between them; "" of none. */
const char *joined(struct pd_ctx *ctx, const struct pd_list *list);
const char *member(const json_t *object, const char *name); /**< its text; "" if it has none */
/** The host whose backups are looked at; NULL: any. @param given NULL: this one */
const char *host_asked(struct pd_ctx *ctx, const char *given);

/** The callbacks of a step, for one product.  @return enum pd_result. */
typedef int product_fn(struct pd_ctx *ctx, const struct product *product);
product_fn product_check, product_apply;
pd_step_fn product_verify;

#define ANY_HOST "*"
#define OUTPUT_MAX ((size_t)64 << 20)
#define REMEDY_ASK "see that the same command works for root, and that no backup runs right now"

#define PARAM_AGE(s) \
	PD_PARAM(s, age, PD_T_SECONDS, .def = "1d", .min = 60, .max = INT64_C(10) * 366 * 86400, \
		 .help = "how old the newest backup may be")
#define PARAM_HOST(s) \
	PD_PARAM(s, host, PD_T_STRING, .help = "host that was backed up; left out: this one; *: any")
#define PARAM_PATHS(s) \
	PD_PARAM(s, paths, PD_T_LIST, .help = "files and folders that must be in it")

#define PRODUCT_OUTPUTS \
	PD_OUTPUT("id", PD_T_STRING, "the backup, as its product knows it"), \
	PD_OUTPUT("time", PD_T_STRING, "when it was made, RFC 3339")

extern const struct pd_output product_outputs[];
extern const struct pd_step restic_step, borg_step, bacula_step, file_step, command_step;

#endif
