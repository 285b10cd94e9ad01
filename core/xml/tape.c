/* SPDX-License-Identifier: MIT */
/* Events of a part of a document, recorded here and told there. */
#include "xml/tape.h"

enum { ATTRIBUTES = 256, END = -1, TEXT = -2, NAME = -3 };

/* Behind it: of a start its place and its attributes, each with its value and a
 * NUL, of an end its place, of a text its bytes, of a name those and a NUL.  Other
 * names are where their bytes are on the tape; 0 is none. */
struct event {
	int32_t what; /* END, TEXT, NAME, or how many attributes a start has */
	uint32_t len; /* of a text or name */
};

/* A text is heard as from the place of the tag before it. */
struct place {
	uint32_t ns, name, row, column;
};

struct attribute {
	uint32_t ns, name, len;
};

/* The first of a part begins with the line end that was put before it. */
static bool is_text(struct pd_xml_part *part, const char **text, size_t *len)
{
	if (part->begun)
		return true;
	part->begun = pd_xml_row() >= part->row;
	++*text;
	return part->begun && --*len;
}

/* ---------------------------------------------------------------- to record */

static bool put(struct pd_xml_tape *t, const void *data, size_t len)
{
	if (t->room - t->len < len)
		return false;
	memcpy(t->bytes + t->len, data, len);
	t->len += len;
	return true;
}

static bool put_tag(struct pd_xml_tape *t, int what, const struct place *at)
{
	struct { struct event event; struct place at; } tag = { { .what = what }, *at };

	return put(t, &tag, sizeof(tag));
}

/* libxml2 has each name once, for as long as it reads a document. */
static bool find_name(struct pd_xml_tape *t, const char *name, uint32_t *at)
{
	struct pd_xml_name *known = &t->names[(uintptr_t)name % PD_XML_NAMES];
	struct event e = { .what = NAME };
	bool fine = true;

	if (name && known->name != name) {
		e.len = (uint32_t)strlen(name);
		fine = put(t, &e, sizeof(e));
		*known = (struct pd_xml_name){ name, (uint32_t)t->len };
		fine = fine && put(t, name, e.len + 1);
	}
	*at = name ? known->at : 0;
	return fine;
}

static bool find_place(struct pd_xml_tape *t, const char *ns, const char *name, struct place *at)
{
	at->row = pd_xml_row();
	at->column = pd_xml_column();
	return find_name(t, ns, &at->ns) && find_name(t, name, &at->name);
}

/* Up to the byte listed; behind it nothing is asked any more. */
static void note_depth(struct pd_xml_tape *t)
{
	if (t->past)
		return;
	t->past = pd_xml_offset() > t->listed;
	if (!t->past)
		t->there = t->depth;
}

static int record_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
			const struct pd_xml_attr *attrs, size_t n)
{
	struct pd_xml_tape *t = user;
	struct attribute all[ATTRIBUTES];
	struct place at;
	bool fine = !t->closed && n <= ATTRIBUTES;

	(void)ctx;
	t->depth++;
	note_depth(t);
	if (!t->part.begun)
		return 0;
	if (t->leaf && t->handler->flags & PD_XML_LEAVES)
		t->len = t->tag;
	fine = fine && find_place(t, ns, name, &at);
	for (size_t i = 0; fine && i < n; i++) {
		all[i].len = (uint32_t)strlen(attrs[i].value);
		fine = find_name(t, attrs[i].ns, &all[i].ns) &&
		       find_name(t, attrs[i].name, &all[i].name);
	}
	fine = fine && put_tag(t, (int)n, &at);
	for (size_t i = 0; fine && i < n; i++)
		fine = put(t, &all[i], sizeof(all[i])) && put(t, attrs[i].value, all[i].len + 1);
	t->leaf = true;
	t->tag = t->len;
	return fine ? 0 : PD_FAILED;
}

static int record_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct pd_xml_tape *t = user;
	bool outer = t->depth-- <= t->outer && !t->last;
	struct place at;

	(void)ctx;
	note_depth(t);
	if (!t->part.begun)
		return 0;
	t->leaf = false;
	t->closed += outer && (t->closed || t->past);
	return t->closed || (find_place(t, ns, name, &at) && put_tag(t, END, &at)) ? 0 : PD_FAILED;
}

static int record_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct pd_xml_tape *t = user;
	struct event e = { .what = TEXT };

	(void)ctx;
	if (!is_text(&t->part, &text, &len) || (!t->leaf && t->handler->flags & PD_XML_LEAVES))
		return 0;
	e.len = (uint32_t)len;
	return !t->closed && put(t, &e, sizeof(e)) && put(t, text, len) ? 0 : PD_FAILED;
}

struct pd_xml_handler pd_xml_recorder(struct pd_xml_tape *t)
{
	return (struct pd_xml_handler){ .size = sizeof(struct pd_xml_handler), .user = t,
					.start = record_start, .end = record_end,
					.text = record_text, .passed = t->handler->passed };
}

bool pd_xml_recorded(const struct pd_xml_tape *t)
{
	return t->last || (t->closed == t->outer && (!t->listed || t->there == t->outer));
}

/* ------------------------------------------------------------------ to tell */

static int tell_start(struct pd_xml_teller *t, const char *ns, const char *name,
		      const struct pd_xml_attr *attrs, size_t n)
{
	int result = 0;

	t->depth++;
	if (!t->skipped && t->handler->start)
		result = t->handler->start(t->ctx, t->handler->user, ns, name, attrs, n);
	if (result != PD_XML_SKIP)
		return result;
	t->skipped = t->depth;
	return 0;
}

static int tell_end(struct pd_xml_teller *t, const char *ns, const char *name)
{
	if (t->depth-- == t->skipped)
		t->skipped = 0;
	return t->skipped || !t->handler->end ? 0 :
	       t->handler->end(t->ctx, t->handler->user, ns, name);
}

static int tell_text(struct pd_xml_teller *t, const char *text, size_t len)
{
	return t->skipped || !t->handler->text ? 0 :
	       t->handler->text(t->ctx, t->handler->user, text, len);
}

static const char *name_at(const char *bytes, uint32_t at)
{
	return at ? bytes + at : NULL;
}

/* @return what is behind it. */
static const char *take_attributes(const char *bytes, const char *from, struct pd_xml_attr *attrs,
				   size_t n)
{
	struct attribute a;

	for (size_t i = 0; i < n; i++) {
		memcpy(&a, from, sizeof(a));
		from += sizeof(a);
		attrs[i] = (struct pd_xml_attr){ name_at(bytes, a.ns), name_at(bytes, a.name), from };
		from += a.len + 1;
	}
	return from;
}

int pd_xml_tell(struct pd_xml_teller *t, const char *bytes, size_t len)
{
	struct pd_xml_attr attrs[ATTRIBUTES];
	const char *from = bytes;
	struct event e;
	struct place at;
	int result = 0;

	while (from < bytes + len && !result) {
		memcpy(&e, from, sizeof(e));
		from += sizeof(e);
		if (e.what == TEXT)
			result = tell_text(t, from, e.len);
		if (e.what <= TEXT) {
			from += e.len + (e.what == NAME);
			continue;
		}
		memcpy(&at, from, sizeof(at));
		from += sizeof(at);
		pd_xml_stand(at.row, at.column);
		if (e.what == END) {
			result = tell_end(t, name_at(bytes, at.ns), name_at(bytes, at.name));
			continue;
		}
		from = take_attributes(bytes, from, attrs, (size_t)e.what);
		result = tell_start(t, name_at(bytes, at.ns), name_at(bytes, at.name), attrs,
				    (size_t)e.what);
	}
	pd_xml_stand(0, 0);
	return result;
}

static int forward_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
			 const struct pd_xml_attr *attrs, size_t n)
{
	struct pd_xml_teller *t = user;

	(void)ctx;
	return t->part.begun ? tell_start(t, ns, name, attrs, n) : 0;
}

static int forward_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct pd_xml_teller *t = user;

	(void)ctx;
	return t->part.begun ? tell_end(t, ns, name) : 0;
}

static int forward_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct pd_xml_teller *t = user;

	(void)ctx;
	return is_text(&t->part, &text, &len) ? tell_text(t, text, len) : 0;
}

struct pd_xml_handler pd_xml_forwarder(struct pd_xml_teller *t)
{
	return (struct pd_xml_handler){ .size = sizeof(struct pd_xml_handler), .user = t,
					.start = forward_start, .end = forward_end,
					.text = forward_text, .passed = t->handler->passed };
}
