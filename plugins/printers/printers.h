/* SPDX-License-Identifier: MIT */
/* What the parts of the plugin printers share: queues as files, as cupsd. */
#ifndef PATCHDAY_PRINTERS_H
#define PATCHDAY_PRINTERS_H

#include "../shared/cups.h"

#include "../shares/steps.h"

#define CUPS_ROOT "/etc/cups"

/* All strings and arrays belong to the callback. */

/** A queue as printers.conf or classes.conf has it. */
struct queue {
	const char *name;
	const char **line; /**< between the tags */
	size_t len;
	bool is_class;
	bool is_default;
};

/** Both files, which have the same format. */
struct setup {
	struct queue *queue;
	size_t len;
	const char *text[2]; /**< as read, of printers and classes; or NULL */
};

/** A queue as cupsd tells it. */
struct live {
	const char *name;
	ipp_attribute_t **attr;
	size_t len;
};

/** What cupsd answered; release with spooler_free(). */
struct spooler {
	bool running; /**< false: it could not be reached */
	ipp_t *answer;
	struct live *queue;
	size_t len;
};

extern const char *const setup_files[2]; /**< printers.conf, classes.conf */

/** Read both files of @p root; one that is missing has no queues. */
int setup_read(struct pd_ctx *ctx, const char *root, struct setup *out);
struct queue *setup_find(const struct setup *setup, const char *name);
/** The value of a queue's line, "" when it has none. */
const char *queue_value(struct pd_ctx *ctx, const struct queue *q,
			const char *key);
/** The first key that differs, what changes by itself left out; or NULL. */
const char *queue_differs(struct pd_ctx *ctx, const struct queue *a,
			  const struct queue *b);
/** The text of printers.conf (or classes.conf) that holds these queues. */
const char *setup_text(struct pd_ctx *ctx, const struct setup *setup,
		       bool classes);
/** A device's address without user name and password. */
const char *plain_uri(struct pd_ctx *ctx, const char *uri);
/** A value of cupsd.conf: of its last line that begins with @p key and has a
 * value that begins with @p start; or NULL. */
const char *cupsd_setting(struct pd_ctx *ctx, const char *root,
			  const char *key, const char *start);

/** Ask the cupsd of @p root for all its queues; one that can't be reached
 * is no failure. */
int spooler_ask(struct pd_ctx *ctx, const char *root, struct spooler *out);
void spooler_free(struct spooler *spooler);
const struct live *spooler_find(const struct spooler *spooler,
				const char *name);
/** An attribute's first value as text, "" when it isn't there. */
const char *live_text(struct pd_ctx *ctx, const struct live *q,
		      const char *name);
int live_number(const struct live *q, const char *name, int missing);
/** The first item in which a queue of cupsd differs from the files, or NULL.
 * @param times compare the time of the last change too. */
const char *live_differs(struct pd_ctx *ctx, const struct live *live,
			 const struct queue *file, bool times);
/** All queues with all attributes, as JSON; caller frees. */
char *spooler_json(struct pd_ctx *ctx, const struct spooler *spooler);

/** Save all of @p root as the set @p folder, when cupsd has written it. */
int printers_take(struct pd_ctx *ctx, const char *root, const char *folder);
take_fn printers_save; /**< the same, of CUPS_ROOT */

extern const struct pd_step step_restore;

#endif /* PATCHDAY_PRINTERS_H */
