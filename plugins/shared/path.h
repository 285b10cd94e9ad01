/* SPDX-License-Identifier: MIT */
/* For readers of vendors' XML: the path of the element that is open, its text,
 * and the small things that each of them needs. */
#ifndef PD_PLUGIN_PATH_H
#define PD_PLUGIN_PATH_H

#include <string.h>

#include <patchday/plugin.h>

struct path {
	struct pd_ctx *ctx;
	char name[512];        /* "/components/component/id" */
	size_t len;
	unsigned beyond;       /* open elements that name has no room for */
	char *text;            /* since the last tag, or path_open(); may be NULL */
	size_t text_len, text_cap;
};

static inline void path_text(struct path *p, const char *text, size_t len)
{
	if (p->text_len + len + 1 > p->text_cap) {
		char *larger = pd_alloc_for(p->ctx, p->text_cap = 2 * (p->text_len + len + 128));

		if (p->text_len)
			memcpy(larger, p->text, p->text_len);
		p->text = larger;
	}
	if (len)
		memcpy(p->text + p->text_len, text, len);
	p->text_len += len;
	p->text[p->text_len] = '\0';
}

static inline void path_open(struct path *p, const char *name)
{
	size_t len = strlen(name);

	if (p->beyond || p->len + len + 2 > sizeof(p->name)) {
		p->beyond++;
		return;
	}
	p->name[p->len] = '/';
	memcpy(p->name + p->len + 1, name, len + 1);
	p->len += len + 1;
	p->text_len = 0;
}

static inline void path_close(struct path *p, const char *name)
{
	if (p->beyond) {
		p->beyond--;
		return;
	}
	p->len -= strlen(name) + 1;
	p->name[p->len] = '\0';
	p->text_len = 0;
}

/* Which of @p n places is this?  @return n: none of them */
static inline size_t path_place(const struct path *p, const char *const *places, size_t n)
{
	size_t i = p->beyond ? n : 0;

	while (i < n && strcmp(places[i], p->name) != 0)
		i++;
	return i;
}

/* A copy that lives as long as the callback, white space at the ends removed
 * and within it one space each. */
static inline char *path_words(struct pd_ctx *ctx, const char *s)
{
	char *copy = pd_alloc_for(ctx, strlen(s) + 1), *to = copy;

	for (; *s; s++) {
		bool blank = strchr(" \t\r\n", *s);

		if (blank && to != copy && to[-1] != ' ')
			*to++ = ' ';
		else if (!blank)
			*to++ = *s;
	}
	if (to != copy && to[-1] == ' ')
		to--;
	*to = '\0';
	return copy;
}

static inline char *path_lower(struct pd_ctx *ctx, const char *s)
{
	char *copy = path_words(ctx, s);

	for (char *c = copy; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	return copy;
}

/* The words of the element that ends here. */
static inline char *path_said(struct path *p)
{
	return path_words(p->ctx, p->text_len ? p->text : "");
}

/* An attribute's value; "" if it is not there. */
static inline const char *path_attribute(const struct pd_xml_attr *attrs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(attrs[i].name, name) == 0)
			return attrs[i].value;
	return "";
}

/* Is @p word among the first bytes of a file, in UTF-16 with NULs in between? */
static inline bool path_found(const unsigned char *head, size_t len, const char *word)
{
	size_t found = 0;

	for (size_t i = 0; i < len && word[found]; i++)
		if (head[i])
			found = head[i] == (unsigned char)word[found] ? found + 1 : head[i] == (unsigned char)*word;
	return !word[found];
}

/* Room for one more of an array of @p len elements with room for @p cap. */
static inline void *path_room(struct pd_ctx *ctx, void *array, size_t len, size_t *cap, size_t size)
{
	void *larger;

	if (len < *cap)
		return array;
	*cap = *cap ? 2 * *cap : 8;
	larger = pd_alloc_for(ctx, *cap * size);
	if (len)
		memcpy(larger, array, len * size);
	return larger;
}

/* One node of a rule tree: opens or closes a group, or is whole. */
static inline int PD_MUST_USE path_rule(struct pd_ctx *ctx, unsigned tree, unsigned op)
{
	return pd_update_rule(ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = (uint16_t)op });
}

#endif
