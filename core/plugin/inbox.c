/* SPDX-License-Identifier: MIT */
/* Takes the frames of a worker apart and tells them to the sink. */
#include "plugin/wire.h"

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
	int64_t what, line, column;
	struct pd_emitted e;

	if (!pd_frame_get(f, "nnn", &what, &line, &column) || !pd_part_get(f, (int)what, &e.part))
		return false;
	e.what = (int)what;
	e.line = (unsigned)line;
	e.column = (unsigned)column;
	if (in->sink->emit && !in->sink->emit(in->sink->user, &e))
		in->damage = pd_strdup("what it read was refused");
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

/* A frame that only tells: its fields are got, then the sink hears it. */
#define TELL(got, function, ...) \
	((got) && ((sink->function ? sink->function(sink->user, __VA_ARGS__) : (void)0), true))

static bool on_frame(struct pd_inbox *in, struct pd_frame *f)
{
	const struct pd_worker_sink *sink = in->sink;
	const char *a, *b, *c;
	int64_t n, m;

	switch (f->type) {
	case PD_FRAME_LOG:
		return TELL(pd_frame_get(f, "ns", &n, &a), log, (int)n, a);
	case PD_FRAME_PROGRESS:
		return TELL(pd_frame_get(f, "nns", &n, &m, &a), progress, n, m, a);
	case PD_FRAME_REMEMBER:
		return pd_frame_get(f, "ss", &a, &b) && a &&
		       answer(in, !sink->remember || sink->remember(sink->user, a, b));
	case PD_FRAME_EVIDENCE:
		return pd_frame_get(f, "ssns", &a, &b, &n, &c) && a &&
		       answer(in, !sink->evidence || sink->evidence(sink->user, a, b, n, c));
	case PD_FRAME_IRREVERSIBLE:
		return TELL(pd_frame_get(f, "s", &a), irreversible, a);
	case PD_FRAME_INHIBIT:
		return TELL(pd_frame_get(f, "sss", &a, &b, &c), inhibit, a, b, c);
	case PD_FRAME_EXPECT:
		return TELL(pd_frame_get(f, "n", &n), expect, n);
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
