/* SPDX-License-Identifier: MIT */
/* Takes the frames of a worker apart and tells them to the sink. */
#include "plugin/inbox.h"

#include <errno.h>
#include <sys/socket.h>

#define BATCH ((size_t)64 << 10) /* read at once */

static bool answer(struct pd_inbox *in, bool yes)
{
	return send(in->channel, yes ? "y" : "n", 1, MSG_NOSIGNAL) == 1;
}

static bool on_output(struct pd_inbox *in, struct pd_frame *f)
{
	const char *name, *line;
	pd_auto_json *value = NULL;

	if (!pd_frame_get(f, "ss", &name, &line) || !name || !line)
		return false;
	value = json_loads(line, JSON_DECODE_ANY, NULL);
	if (value && in->sink->output)
		in->sink->output(in->sink->user, name, value);
	return value != NULL;
}

static bool on_fact(struct pd_inbox *in, struct pd_frame *f)
{
	pd_auto_json *row = json_object();
	const char *kind, *key, *text;
	int64_t n, type, number;

	if (!pd_frame_get(f, "sn", &kind, &n) || !kind)
		return false;
	while (n-- > 0) {
		if (!pd_frame_get(f, "snsn", &key, &type, &text, &number) || !key)
			return false;
		if (type == PD_F_TEXT && text)
			json_object_set_new(row, key, json_string(text));
		else if (type != PD_F_TEXT)
			json_object_set_new(row, key, type == PD_F_FLAG ? json_boolean(number) :
									  json_integer(number));
	}
	if (in->sink->fact)
		in->sink->fact(in->sink->user, kind, row);
	return true;
}

static bool on_emit(struct pd_inbox *in, struct pd_frame *f)
{
	struct pd_emit_ignored ignored = {0};
	pd_auto_error *err = NULL;
	union pd_part part;
	int64_t what, line = 0;

	if (!pd_frame_get(f, "n", &what))
		return false;
	if (what == PD_EMIT_IGNORED ? !pd_frame_get(f, "ns", &line, &ignored.what) :
				      !pd_part_get(f, (int)what, &part))
		return false;
	ignored.line = (unsigned)line;
	if (in->sink->emit && !in->damage &&
	    !in->sink->emit(in->sink->user, (int)what,
			   what == PD_EMIT_IGNORED ? (const void *)&ignored : &part, &err))
		in->damage = err ? pd_error_text(err) : pd_strdup("the catalog refused it");
	return true;
}

static bool on_result(struct pd_inbox *in, struct pd_frame *f)
{
	const char *message, *bug;
	int64_t result, failed;

	if (!pd_frame_get(f, "nnss", &result, &failed, &message, &bug))
		return false;
	in->result = (int)result;
	in->message = pd_strdup(message);
	in->said_failed = failed != 0;
	in->bug = pd_strdup(bug);
	in->finished = true;
	return true;
}

#define TELL(function, ...)                                      \
	do {                                                     \
		if (sink->function)                              \
			sink->function(sink->user, __VA_ARGS__); \
	} while (0)

static bool on_frame(struct pd_inbox *in, struct pd_frame *f)
{
	const struct pd_worker_sink *sink = in->sink;
	const char *a, *b, *c;
	int64_t n, m;

	switch (f->type) {
	case PD_FRAME_LOG:
		if (!pd_frame_get(f, "ns", &n, &a))
			return false;
		TELL(log, (int)n, a);
		return true;
	case PD_FRAME_PROGRESS:
		if (!pd_frame_get(f, "nns", &n, &m, &a))
			return false;
		TELL(progress, n, m, a);
		return true;
	case PD_FRAME_REMEMBER:
		return pd_frame_get(f, "ss", &a, &b) && a &&
		       answer(in, !sink->remember || sink->remember(sink->user, a, b));
	case PD_FRAME_EVIDENCE:
		return pd_frame_get(f, "ssns", &a, &b, &n, &c) && a &&
		       answer(in, !sink->evidence || sink->evidence(sink->user, a, b, n, c));
	case PD_FRAME_IRREVERSIBLE:
		if (!pd_frame_get(f, "s", &a))
			return false;
		TELL(irreversible, a);
		return true;
	case PD_FRAME_INHIBIT:
		if (!pd_frame_get(f, "sss", &a, &b, &c))
			return false;
		TELL(inhibit, a, b, c);
		return true;
	case PD_FRAME_EXPECT:
		if (!pd_frame_get(f, "n", &n))
			return false;
		TELL(expect, n);
		return true;
	case PD_FRAME_OUTPUT:
		return on_output(in, f);
	case PD_FRAME_FACT:
		return on_fact(in, f);
	case PD_FRAME_EMIT:
		return on_emit(in, f);
	case PD_FRAME_RESULT:
		return on_result(in, f);
	default:
		return false;
	}
}

bool pd_inbox_take(struct pd_inbox *in)
{
	static char chunk[BATCH];
	ssize_t n = in->channel < 0 ? 0 : recv(in->channel, chunk, sizeof(chunk), MSG_DONTWAIT);
	struct pd_frame f;
	size_t used = 0;
	int more = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	if (n <= 0) {
		pd_close_p(&in->channel);
		return false;
	}
	pd_buffer_add(&in->bytes, chunk, (size_t)n);
	while (!in->finished && !in->damage && (more = pd_frame_next(&in->bytes, &used, &f)) > 0)
		if (!on_frame(in, &f))
			more = -1;
	if (more < 0 && !in->damage)
		in->damage = pd_strdup("it wrote to the descriptor that it talks to patchday by");
	memmove(in->bytes.data, in->bytes.data + used, in->bytes.len - used);
	in->bytes.len -= used;
	return !in->damage;
}

void pd_inbox_clear(struct pd_inbox *in)
{
	pd_close_p(&in->channel);
	pd_buffer_clear(&in->bytes);
	free(in->message);
	free(in->damage);
	free(in->bug);
}
