/* SPDX-License-Identifier: MIT */
/* Samples from their files, and how they are damaged. */
#include "sample.h"

#include <stdio.h>

#include "base/file.h"

enum {
	SAMPLE_MAX = 16 << 20,
	DEEP = 100000,
	LONG = 12 << 20,  /* more than one text may have */
	MANY = 1 << 18    /* elements of 5 bytes */
};

const char *const damages[DAMAGES] = { "as it is", "cut short", "with changed bytes", "going on as noise",
	"nested too deep", "with entities", "with a text of 12 MiB", "with 262144 unknown parts" };

/* ------------------------------------------------------------ from files */

static bool add(struct samples *s, char *name_take, const char *path, const char *plain, struct pd_error **err)
{
	struct sample one = { .name = name_take };
	const char *slash = strrchr(path, '/');

	if (!name_take) /* with its folder: there are many catalog.xml */
		slash = slash ? memrchr(path, '/', (size_t)(slash - path)) : NULL;
	one.data = pd_file_read(path, SAMPLE_MAX, &one.len, err);
	if (one.data && plain)
		one.plain = pd_file_read(plain, SAMPLE_MAX, &one.plain_len, err);
	one.shown = pd_strdup(slash ? slash + 1 : path);
	pd_grow(s->items, s->len, s->cap);
	s->items[s->len++] = one;
	return one.data && (!plain || one.plain);
}

static char *below(const char *folder, const char *path)
{
	return *path == '/' ? pd_strdup(path) : pd_print("%s/%s", folder, path);
}

bool samples_add(struct samples *s, const json_t *list, const char *folder, struct pd_error **err)
{
	const json_t *row;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, row) {
		const char *text = json_string_value(row), *file = strchr(text, '='), *plain;
		pd_auto_free char *path = NULL, *plain_path = NULL, *given = NULL;

		if (!file)
			return pd_error_set(err, "usage", "the sample '%s' of the case is not NAME=FILE,"
					    " and not NAME=FILE=PLAIN", text);
		plain = strchr(++file, '=');
		given = pd_strndup(file, plain ? (size_t)(plain - file) : strlen(file));
		path = below(folder, given);
		plain_path = plain ? below(folder, plain + 1) : NULL;
		if (!add(s, pd_strndup(text, (size_t)(file - text) - 1), path, plain_path, err))
			return false;
	}
	return true;
}

/* Of no format that is a catalog's. */
static const char *const foreign[] = {
	"", " ", "\n", "<", "<?xml", "no catalog at all\n", "id,version\r\na,1\r\n", "---\nid: a\n",
	"{\"updates\": [{\"id\": \"a\"}]}\n", "[]\n", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
	"<?xml version=\"1.0\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>updates</title></head></html>\n",
	"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n",
	"<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>updates</title></channel></rss>\n",
	"<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n",
	"<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>updates</title></feed>\n",
	"-----BEGIN PGP SIGNATURE-----\n\niQ\n", "\177ELF\2\1\1", "\x89PNG\r\n\x1a\n", "#!/bin/sh\n",
	"\xef\xbb\xbf", "\xff\xfe<",
};

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

static void fill(char *to, size_t len, unsigned seed)
{
	uint64_t state = 0x9e3779b97f4a7c15u ^ seed;

	for (size_t i = 0; i < len; i++)
		to[i] = (char)(next(&state) >> 32);
}

bool samples_add_others(struct samples *s, const json_t *list, struct pd_error **err)
{
	enum { NOISES = 4, NOISE = 4096 };
	const json_t *row;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, row)
		if (!add(s, NULL, json_string_value(row), NULL, err))
			return false;
	for (i = 0; i < sizeof(foreign) / sizeof(*foreign) + NOISES; i++) {
		struct sample one = { .data = NULL };
		bool noise = i < NOISES;

		one.len = noise ? NOISE : strlen(foreign[i - NOISES]);
		one.shown = noise ? pd_print("random bytes") : *foreign[i - NOISES] ?
			    pd_print("\"%.40s\"", foreign[i - NOISES]) : pd_strdup("an empty file");
		one.data = pd_alloc(one.len + 1);
		if (noise && i < NOISES - 1)
			fill(one.data, one.len, (unsigned)i);
		else if (!noise)
			memcpy(one.data, foreign[i - NOISES], one.len);
		pd_grow(s->items, s->len, s->cap);
		s->items[s->len++] = one;
	}
	return true;
}

/* ------------------------------------------------------------ damaged */

/* Behind the start tag of the root; NULL: this is no XML in UTF-8. */
static const char *root_end(const struct sample *s)
{
	const char *at = s->data, *end = s->data + s->len, *mark;

	while (at < end && *at != '<')
		at++;
	while (at + 1 < end && (at[1] == '?' || at[1] == '!')) {
		mark = strncmp(at, "<!--", 4) == 0 ? "-->" : ">";
		at = memmem(at, (size_t)(end - at), mark, strlen(mark));
		at = at ? memchr(at, '<', (size_t)(end - at)) : NULL;
		if (!at)
			return NULL;
	}
	at = at < end && at[0] == '<' ? memchr(at, '>', (size_t)(end - at)) : NULL;
	return at && at[-1] != '/' ? at + 1 : NULL;
}

/* @text @times behind the root's start tag, in brackets of JSON, or at the end. */
static void inside(struct pd_buffer *out, const struct sample *s, const char *text, size_t times)
{
	const char *root = root_end(s);
	size_t at = root ? (size_t)(root - s->data) : s->len;

	pd_buffer_add(out, s->data, at);
	for (size_t i = 0; i < times; i++)
		pd_buffer_text(out, text);
	pd_buffer_add(out, s->data + at, s->len - at);
}

static bool deep(struct pd_buffer *out, const struct sample *s)
{
	bool json = s->len && (s->data[0] == '{' || s->data[0] == '[');

	if (json)
		for (size_t i = 0; i < DEEP; i++)
			pd_buffer_text(out, "[");
	else if (root_end(s))
		inside(out, s, "<a>", DEEP);
	return out->len;
}

/* Wherever there is text, too, what is in a file; or what grows without end. */
static bool entity(struct pd_buffer *out, const struct sample *s, const char *name)
{
	const char *root = root_end(s), *at, *start, *end = s->data + s->len;

	if (!root)
		return false;
	for (start = root - 1; start > s->data && *start != '<'; start--)
		;
	pd_buffer_add(out, s->data, (size_t)(start - s->data)); /* what declares XML stays first */
	pd_buffer_print(out, "<!DOCTYPE %.*s [<!ENTITY f SYSTEM \"file://" SAMPLE_CANARY_FILE "\">"
			"<!ENTITY a0 \"ha\">", (int)strcspn(start + 1, " \t\r\n/>"), start + 1);
	for (int i = 1; i < 12; i++)
		pd_buffer_print(out, "<!ENTITY a%d \"&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;\">", i,
				i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	pd_buffer_text(out, "]>\n");
	for (at = start; at < end; at++) {
		bool text = at > root && at[-1] == '>' && !strchr("<\r\n", *at);

		pd_buffer_text(out, text ? name : "");
		pd_buffer_add(out, at, 1);
	}
	return true;
}

static void flip(struct pd_buffer *out, unsigned seed)
{
	uint64_t state = 0xd1b54a32d192ed03u ^ (seed * 0x10001u);

	for (unsigned n = 1 + seed % 4 * 5; n && out->len; n--) {
		size_t at = (size_t)(next(&state) % out->len);

		out->data[at] = (char)(next(&state) >> 32);
	}
}

char *sample_damaged(const struct sample *s, enum damage damage, unsigned number, size_t *len)
{
	pd_auto(pd_buffer) out = {0};
	size_t left = damage == DAMAGE_CUT ? number < 16 ? s->len * number / 16 : s->len - 1 :
		      damage == DAMAGE_NOISE && s->len > 64 ? 64 : s->len;
	bool done = true;

	pd_buffer_text(&out, "");
	if (damage == DAMAGE_LONG) {
		inside(&out, s, "0123456789abcdef", LONG / 16);
	} else if (damage == DAMAGE_MANY) {
		inside(&out, s, root_end(s) ? "<a/>\n" : "a,1,\n", MANY);
	} else if (damage == DAMAGE_DEEP) {
		done = deep(&out, s);
	} else if (damage == DAMAGE_ENTITY) {
		done = entity(&out, s, number ? "&a11;" : "&f;");
	} else {
		pd_buffer_add(&out, s->data, left);
	}
	if (damage == DAMAGE_FLIP)
		flip(&out, number);
	if (damage == DAMAGE_NOISE) {
		pd_auto_free char *noise = pd_alloc(65536);

		fill(noise, 65536, 7);
		pd_buffer_add(&out, noise, 65536);
	}
	*len = out.len;
	return done ? pd_buffer_take(&out) : NULL;
}
