/* SPDX-License-Identifier: MIT */
/* Where a long document is cut.  That a cut was in a comment or in another item shows
 * when the piece is parsed: it is no document then.  What heads are made of is passed
 * tag by tag, so that a head opens what is open in the document. */
#include <ctype.h>

#include "plugin/cut.h"
#include "xml/xml.h"

enum {
	PIECE = 4 << 20, /* bytes; a document of less is not cut */
	DEEP_PIECE = 1 << 20
};

/* In blocks of a size that compilers know to make vectors of. */
static unsigned rows_in(const char *at, size_t len)
{
	enum { BLOCK = 192 }; /* at most 255, which is counted to */
	unsigned n = 0;

	for (; len >= BLOCK; at += BLOCK, len -= BLOCK) {
		unsigned char in_block = 0;

		for (int i = 0; i < BLOCK; i++)
			in_block = (unsigned char)(in_block + (at[i] == '\n'));
		n += in_block;
	}
	while (len)
		n += at[--len] == '\n';
	return n;
}

static bool begins(const char *at, const char *end, const char *text)
{
	return (size_t)(end - at) >= strlen(text) && memcmp(at, text, strlen(text)) == 0;
}

static bool is_item(const char *item, const char *at, const char *end)
{
	size_t len = strlen(item);

	return (size_t)(end - at) > len && memcmp(at, item, len) == 0 &&
	       strchr(" \t\r\n>/", at[len]);
}

/* Where the line of the last item begins, if it begins one; 0: there is none. */
static size_t last_item(const char *item, const char *bytes, size_t filled)
{
	const char *at = bytes + filled;

	while ((at = memrchr(bytes, '<', (size_t)(at - bytes)))) {
		const char *line = at;

		if (!is_item(item, at, bytes + filled))
			continue;
		while (line > bytes && strchr(" \t", line[-1]))
			line--;
		if (line > bytes && line[-1] == '\n')
			return (size_t)(line - bytes);
	}
	return 0;
}

/* More of the source is behind what is left. */
static bool fill(struct pd_cut *c, char *bytes, size_t want)
{
	pd_auto_error *err = NULL; /* the source says it again */
	ssize_t n = 1;

	while (c->rest_len < want && n > 0) {
		n = pd_child_source(c->child, bytes + c->rest_len, want - c->rest_len, &err);
		c->rest_len += n > 0 ? (size_t)n : 0;
		c->bytes += n > 0 ? (size_t)n : 0;
	}
	c->ended = n == 0;
	return n >= 0 && c->bytes <= PD_XML_BYTES;
}

/* Past the blanks at @at. */
static const char *blanks(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at))
		at++;
	return at;
}

/* Up to a "--": a tail must not close a comment that was cut. */
static size_t name_at(const char *at, const char *end)
{
	size_t len = 0;

	while (at + len < end && at[len] && (isalnum((unsigned char)at[len]) || strchr("_-.:", at[len])) &&
	       !(len && begins(at + len - 1, end, "--")))
		len++;
	return len;
}

/* The end of the tag that begins at @at; NULL: there is none. */
static const char *tag_end(const char *at, const char *end)
{
	for (char quote = 0; at < end && *at; at++) {
		if (quote ? *at == quote : *at == '"' || *at == '\'')
			quote = quote ? 0 : *at;
		else if (!quote && *at == '>')
			return at + 1;
	}
	return NULL;
}

/* Behind the end of the element @item, in whose content @at is; NULL: there is none.  What
 * is in comments and sections does not count, nor what has its name and is in it; no "<"
 * stands in an attribute. */
static const char *closed(const char *at, const char *end, const char *item)
{
	static const char *const passed[][2] = { { "<!--", "-->" }, { "<![CDATA[", "]]>" }, { "<?", "?>" } };
	unsigned open = 1;

	while (at && (at = memchr(at, '<', (size_t)(end - at)))) {
		const char *tag = NULL;
		size_t i = 0, len;

		if (begins(at, end, "</") && is_item(item + 1, at + 2, end)) {
			if (!--open)
				return tag_end(at, end);
		} else if (is_item(item, at, end) && (tag = tag_end(at, end))) {
			open += tag[-2] != '/';
		}
		while (i < 3 && !begins(at, end, passed[i][0]))
			i++;
		len = i < 3 ? strlen(passed[i][0]) : 1;
		at = i < 3 ? memmem(at + len, (size_t)(end - at) - len, passed[i][1], strlen(passed[i][1])) : at + len;
	}
	return NULL;
}

/* Behind the declaration, if that says UTF-8 or nothing; NULL: something else. */
static const char *past_declaration(const char *at, const char *end)
{
	pd_auto_free char *declared = NULL;
	const char *behind;

	if (end - at <= 5 || memcmp(at, "<?xml", 5) != 0)
		return at;
	behind = tag_end(at, end);
	declared = behind ? pd_strndup(at, (size_t)(behind - at)) : NULL;
	return !declared || (strstr(declared, "encoding") && !strcasestr(declared, "\"utf-8\"") &&
			     !strcasestr(declared, "'utf-8'")) ? NULL : behind;
}

/* Into the element at @at, which the tail closes then; NULL: it is none, or empty. */
static const char *enter(struct pd_cut *c, const char *at, const char *end)
{
	size_t len = at < end && *at == '<' ? name_at(at + 1, end) : 0;
	const char *inside = len ? tag_end(at, end) : NULL;
	char *outer = c->tail;

	if (!inside || inside[-2] == '/')
		return NULL;
	c->tail = pd_print("</%.*s>%s", (int)len, at + 1, outer ? outer : "");
	free(outer);
	c->outer++;
	return blanks(inside, end);
}

/* Behind the element at @at, or NULL if it is a long one, that is to be entered;
 * @at: another one of its name follows, as of items. */
static const char *pass(const char *at, const char *end)
{
	size_t len = name_at(at + 1, end);
	pd_auto_free char *item = pd_strndup(at, 1 + len);
	const char *behind = tag_end(at, end);

	if (behind && behind[-2] != '/')
		behind = closed(behind, end, item);
	behind = behind ? blanks(behind, end) : NULL;
	return behind && is_item(item, behind, end) ? at : behind;
}

/* From @at on, which is behind @start: the next list's head is what c->head is
 * before it, and from there to its first item. @return that; NULL: there is none. */
static const char *find_items(struct pd_cut *c, const char *start, const char *at, const char *end)
{
	const char *next, *list = at;
	bool found = !c->deep;
	char *before = c->head;

	if (end - start > PD_CUT_HEAD)
		end = start + PD_CUT_HEAD;
	while (!found && at && at < end && *at == '<' && name_at(at + 1, end)) {
		next = pass(at, end);
		found = next == at;
		list = next ? list : at;
		at = next ? next : enter(c, at, end);
	}
	if (!at || at >= end || *at != '<' || !name_at(at + 1, end))
		return NULL;
	free(c->item);
	c->item = pd_strndup(at, 1 + name_at(at + 1, end));
	next = at;
	while (strchr(" \t\r\n", at[-1]))
		at--;
	c->list = strlen(before ? before : "") + (size_t)((list < at ? list : at) - start);
	c->head = pd_print("%s%.*s\n", before ? before : "", (int)(at - start), start);
	free(before);
	return strlen(c->head) < PD_CUT_HEAD && strlen(c->tail) < PD_CUT_HEAD ? next : NULL;
}

/* Where the list of items ends, to the one that follows it.  @return its first
 * item; NULL: there is none, and nothing is an item any more. */
static const char *next_list(struct pd_cut *c, const char *bytes, const char *end)
{
	size_t len = strcspn(c->tail, ">") + 1; /* "</list>" */
	pd_auto_free char *list = pd_print("<%.*s", (int)len - 3, c->tail + 2);
	bool fine = c->deep && c->outer > 1 && *c->item;
	const char *start = fine ? closed(bytes, end, list) : NULL, *first;

	if (!start)
		return NULL;
	memmove(c->tail, c->tail + len, strlen(c->tail + len) + 1);
	c->outer--;
	c->head[c->list] = '\0';
	first = find_items(c, start, blanks(start, end), end);
	if (!first)
		c->item[0] = '\0';
	return first;
}

/* Of the plainest kind: UTF-8, the root first, and in it an item. */
bool pd_cut_begin(struct pd_cut *c, struct pd_piece *p)
{
	const char *at, *end;

	c->rest = p->bytes;
	if (!fill(c, p->bytes, c->deep ? DEEP_PIECE : PIECE) || c->ended)
		return false;
	end = c->rest + c->rest_len;
	at = past_declaration(c->rest, end);
	at = at ? enter(c, blanks(at, end), end) : NULL;
	return at && find_items(c, c->rest, at, end);
}

/* The length of the next piece, in which a list may end and the next one begin. */
static size_t cut(struct pd_cut *c, struct pd_piece *p)
{
	const char *end = p->bytes + c->rest_len, *first;
	size_t len = c->ended ? c->rest_len : last_item(c->item, p->bytes, c->rest_len);

	if (len || !(first = next_list(c, p->bytes, end)))
		return len;
	p->listed = (p->first ? 0 : strlen(p->head)) + (size_t)(first - p->bytes);
	return last_item(c->item, p->bytes, c->rest_len);
}

bool pd_cut_next(struct pd_cut *c, struct pd_piece *p)
{
	size_t piece = c->deep ? DEEP_PIECE : PIECE;

	p->row = c->rows + 1;
	p->first = !c->pieces;
	p->head_rows = rows_in(c->head, strlen(c->head));
	p->listed = p->first ? strlen(c->head) : 0;
	memcpy(p->head, c->head, strlen(c->head) + 1);
	memmove(p->bytes, c->rest, c->rest_len);
	c->rest = p->bytes;
	p->len = 0;
	for (size_t want = piece; !p->len && want <= PD_CUT_LONGEST; want += piece) {
		if (c->rest_len < want && !c->ended && !fill(c, p->bytes, want))
			return false;
		p->len = cut(c, p);
	}
	p->last = c->ended;
	if (p->len && !p->last) /* in a list */
		memcpy(p->tail, c->tail, strlen(c->tail) + 1);
	p->outer = c->outer;
	c->rows += rows_in(p->bytes, p->len);
	c->rest += p->len;
	c->rest_len -= p->len;
	c->pieces += p->len > 0;
	return p->len > 0;
}
