/* SPDX-License-Identifier: MIT */
/** Wire: the frames between a worker and its parent, on one machine. */
#ifndef PD_PLUGIN_WIRE_H
#define PD_PLUGIN_WIRE_H

#include "base/mem.h"

enum pd_frame_type {
	PD_FRAME_LOG = 1, PD_FRAME_PROGRESS, PD_FRAME_REMEMBER, PD_FRAME_OUTPUT,
	PD_FRAME_EVIDENCE, PD_FRAME_IRREVERSIBLE, PD_FRAME_INHIBIT,
	PD_FRAME_EXPECT, PD_FRAME_FACT, PD_FRAME_EMIT, PD_FRAME_RESULT
};

/** Length and type (native uint32_t), then fields: a number is an int64_t, a
 * text its length, its bytes and a NUL; length -1 is NULL. */
struct pd_frame {
	uint32_t type;
	const char *at, *end; /* what is not read yet; borrowed */
};

#define PD_FRAME_MAX ((size_t)16 << 20)

/** A whole frame, or one that is added to until it is closed.  @p form: one
 * letter per field: n int64_t, s const char * (may be NULL). */
void pd_frame_put(struct pd_buffer *b, unsigned type, const char *form, ...);
size_t pd_frame_open(struct pd_buffer *b, unsigned type);
void pd_frame_add(struct pd_buffer *b, const char *form, ...);
void pd_frame_close(struct pd_buffer *b, size_t opened);
/** Takes a whole frame at *used of @p in.  @return 1, 0 not whole yet, -1 it
 * is no frame.  Texts got from it are borrowed from @p in. */
int pd_frame_next(const struct pd_buffer *in, size_t *used, struct pd_frame *f);
bool pd_frame_get(struct pd_frame *f, const char *form, ...) PD_MUST_USE;

/** Any struct that enum pd_emit stands for. */
union pd_part {
	uint32_t size;
	struct pd_update_head head;
	struct pd_relation relation;
	struct pd_package_row package;
	struct pd_payload payload;
	struct pd_installer installer;
	struct pd_exit_row exit;
	struct pd_rule rule;
};

/** The plugin's struct in the size of this core, what it lacks zero. */
void pd_part_copy(int what, const void *from, union pd_part *to);
/** What is wrong with a part by itself: a required text that is missing, a
 * text that is no UTF-8, a number out of its enum.  NULL, or the caller frees. */
char *pd_part_wrong(int what, const union pd_part *part);
void pd_part_put(struct pd_buffer *b, int what, const union pd_part *part);
bool pd_part_get(struct pd_frame *f, int what, union pd_part *part) PD_MUST_USE;

#endif
