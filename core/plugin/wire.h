/* SPDX-License-Identifier: MIT */
/** Wire: the frames between a worker and its parent, on one machine. */
#ifndef PD_PLUGIN_WIRE_H
#define PD_PLUGIN_WIRE_H

#include "plugin/worker.h"

enum pd_frame_type {
	PD_FRAME_LOG = 1, PD_FRAME_PROGRESS, PD_FRAME_REMEMBER, PD_FRAME_OUTPUT,
	PD_FRAME_EVIDENCE, PD_FRAME_IRREVERSIBLE, PD_FRAME_INHIBIT,
	PD_FRAME_EXPECT, PD_FRAME_FACT, PD_FRAME_EMIT, PD_FRAME_RESULT,
	PD_FRAME_CALL /* to the spawner */
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

/** What a worker says, taken from its channel to the sink. */
struct pd_inbox {
	const struct pd_worker_sink *sink;
	int channel; /* -1: it is closed */
	struct pd_buffer bytes;
	/* of the last frame, the result */
	bool finished, said_failed; /* it is there; pd_fail() was called */
	int result;
	char *message, *bug; /* NULL: none */
	char *damage; /* why nothing more is taken from it; NULL: it is fine */
};

/** Take what is there.  @return false when there is no more for now. */
bool pd_inbox_take(struct pd_inbox *in);
void pd_inbox_clear(struct pd_inbox *in);

/** What is allowed in a row of enum pd_emit.  Type: s text, S one that is
 * needed, D one that is hardly there twice, I one that names something; h uint16_t and u uint32_t from min to
 * max.  Other fields hold any number. */
struct pd_part_form {
	const char *name;
	uint32_t size;
	struct pd_part_field {
		const char *name;
		char type;
		uint8_t offset, min, max;
	} fields[14];
};

extern const struct pd_part_form pd_part_forms[PD_EMIT_BRIEF + 1];

static inline bool pd_part_is_text(const struct pd_part_field *f)
{
	return f->type < 'a' || f->type == 's';
}

/** A row: its bytes in this core's size without pointers, what it lacks zero,
 * then its texts that are not NULL.  Nothing is checked but that it fits. */
void pd_part_put(struct pd_buffer *b, int what, const void *row);
bool pd_part_get(struct pd_frame *frame, int what, union pd_part *part) PD_MUST_USE;

#endif
