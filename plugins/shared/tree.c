/* SPDX-License-Identifier: MIT */
/* Shared source, no plugin: parts of an XML document as trees. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tree.h"

#define BLANKS " \t\r\n"
enum { BLOCK = 65536, BYTES_MAX = 256 << 20 /* of one entry */ };

struct block {
	struct block *next;
	size_t used, size;
	max_align_t data[];
};

/* ------------------------------------------------------------- memory */

/* Blocks are kept from entry to entry, those behind t->now are free. */
void *tree_alloc(struct tree *t, size_t bytes)
{
	size_t need = (bytes + 15) & ~(size_t)15, size = need > BLOCK ? need : BLOCK;
	struct block *b = t->now;
	void *place;

	while (b && b->size - b->used < need && (b = b->next))
		b->used = 0;
	if (!b) {
		b = pd_alloc_for(t->ctx, sizeof(*b) + size);
		b->size = size;
		b->next = t->now ? t->now->next : NULL;
		*(t->now ? &t->now->next : &t->blocks) = b;
	}
	t->now = b;
	t->bytes += need;
	place = (char *)b->data + b->used;
	b->used += need;
	return memset(place, 0, need);
}

static void forget(struct tree *t)
{
	t->now = t->blocks;
	if (t->now)
		t->now->used = 0;
	t->bytes = 0;
	t->open = NULL;
}

static const char *keep(struct tree *t, const char *s, size_t len)
{
	return memcpy(tree_alloc(t, len + 1), s, len);
}

static const char *trimmed(struct tree *t, const char *s, size_t len)
{
	while (len && strchr(BLANKS, *s))
		s++, len--;
	while (len && strchr(BLANKS, s[len - 1]))
		len--;
	return len ? keep(t, s, len) : "";
}

const char *tree_print(struct tree *t, const char *fmt, ...)
{
	char *text;
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	text = tree_alloc(t, (size_t)(len > 0 ? len : 0) + 1);
	vsnprintf(text, (size_t)(len > 0 ? len : 0) + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}

void tree_append(struct tree *t, struct tree_text *x, const char *fmt, ...)
{
	va_list ap, again;
	size_t len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = (size_t)vsnprintf(NULL, 0, fmt, ap);
	if (!x->limit || x->len + len <= x->limit) {
		if (x->len + len >= x->cap) {
			char *larger = tree_alloc(t, x->cap = 2 * (x->len + len + 32));

			if (x->len)
				memcpy(larger, x->data, x->len);
			x->data = larger;
		}
		vsnprintf((char *)x->data + x->len, len + 1, fmt, again);
		x->len += len;
	}
	va_end(again);
	va_end(ap);
}

struct tree_mark tree_mark(struct tree *t)
{
	return (struct tree_mark){ t->now, t->now ? t->now->used : 0, t->bytes };
}

void tree_release(struct tree *t, struct tree_mark mark)
{
	t->now = mark.now ? mark.now : t->blocks;
	t->bytes = mark.bytes;
	if (t->now)
		t->now->used = mark.used;
}

/* ----------------------------------------------------------- the document */

static void append(struct tree *t, const char *text, size_t len)
{
	if (t->len + len > t->cap) {
		char *larger = pd_alloc_for(t->ctx, t->cap = 2 * (t->len + len + 512));

		if (t->len)
			memcpy(larger, t->text, t->len);
		t->text = larger;
	}
	memcpy(t->text + t->len, text, len);
	t->len += len;
}

/* What a node needs only as long as it is open. */
struct open_node {
	struct node node; /* first */
	struct node **last;
	size_t start; /* of its text */
};

static void open_node(struct tree *t, const char *name, const struct pd_xml_attr *attrs, size_t n)
{
	struct open_node *o = tree_alloc(t, sizeof(*o));
	struct pd_xml_attr *own = n ? tree_alloc(t, n * sizeof(*own)) : NULL;

	for (size_t i = 0; i < n; i++) {
		own[i].ns = attrs[i].ns ? "" : NULL;
		own[i].name = keep(t, attrs[i].name, strlen(attrs[i].name));
		own[i].value = keep(t, attrs[i].value, strlen(attrs[i].value));
	}
	o->node = (struct node){ .name = keep(t, name, strlen(name)), .text = "", .attrs = own,
				 .n_attrs = n, .line = pd_xml_line(t->ctx), .parent = t->open };
	o->start = t->len;
	o->last = (struct node **)&o->node.first;
	if (t->open) {
		struct open_node *parent = (struct open_node *)t->open;

		*parent->last = &o->node;
		parent->last = (struct node **)&o->node.next;
	}
	t->open = &o->node;
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		    const struct pd_xml_attr *attrs, size_t n)
{
	struct tree *t = user;

	(void)ns;
	t->depth++;
	if (t->passed || (!t->open && t->depth == 1 && strcmp(name, t->entry) != 0))
		return t->passed ? (t->passed++, 0) : 0;
	if (!t->open && strcmp(name, t->entry) != 0) {
		pd_ignored(ctx, pd_xml_line(ctx), tree_print(t, "<%s> is not read", name));
		t->passed = 1;
		forget(t);
		return 0;
	}
	open_node(t, name, attrs, n);
	return t->bytes < BYTES_MAX ? 0 :
	       pd_fail(ctx, PD_FAILED, "<%s> is larger than any real one", t->entry);
}

static int on_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct tree *t = user;

	(void)ctx;
	while (t->open && !t->passed && len && t->len == ((struct open_node *)t->open)->start &&
	       strchr(BLANKS, *text))
		text++, len--;
	if (t->open && !t->passed && len)
		append(t, text, len);
	return 0;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct tree *t = user;
	struct open_node *o = (struct open_node *)t->open;
	int result = 0;

	(void)ctx, (void)ns, (void)name;
	t->depth--;
	if (t->passed || !o)
		return t->passed ? (t->passed--, 0) : 0;
	if (t->len > o->start)
		o->node.text = trimmed(t, t->text + o->start, t->len - o->start);
	t->len = o->start;
	if (o->node.parent) {
		t->open = (struct node *)o->node.parent;
		return 0;
	}
	result = t->take(t, &o->node);
	forget(t);
	return result;
}

int tree_read(struct tree *t)
{
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = t, .start = on_start,
					  .end = on_end, .text = on_text };

	return pd_xml(t->ctx, &handler);
}

/* In UTF-16 there are NULs in between. */
bool tree_starts_with(const unsigned char *head, size_t len, const char *root)
{
	static char text[65537];
	const char *s = text, *colon, *end;
	size_t n = 0;

	for (size_t i = 0; i < len && n < sizeof(text) - 1; i++)
		if (head[i])
			text[n++] = (char)head[i];
	text[n] = '\0';
	while (*s && *s != '<') /* marks of the byte order, blanks */
		s++;
	while (s && (strncmp(s, "<?", 2) == 0 || strncmp(s, "<!--", 4) == 0)) {
		s = strstr(s, s[1] == '?' ? "?>" : "-->");
		s = s ? strchr(s, '<') : NULL;
	}
	if (!s || *s != '<')
		return false;
	s++;
	end = s + strcspn(s, BLANKS "/>");
	colon = memchr(s, ':', (size_t)(end - s));
	s = colon ? colon + 1 : s;
	return (size_t)(end - s) == strlen(root) && strncmp(s, root, strlen(root)) == 0;
}

/* ----------------------------------------------------------- what is in it */

const char *tree_attr(struct tree *t, const struct node *n, const char *name)
{
	for (size_t i = 0; n && i < n->n_attrs; i++)
		if (!n->attrs[i].ns && strcmp(n->attrs[i].name, name) == 0) {
			const char *value = trimmed(t, n->attrs[i].value, strlen(n->attrs[i].value));

			return *value ? value : NULL;
		}
	return NULL;
}

static const struct node *from(const struct node *n, const char *name)
{
	while (n && name && strcmp(n->name, name) != 0)
		n = n->next;
	return n;
}

const struct node *tree_child(const struct node *n, const char *name)
{
	return n ? from(n->first, name) : NULL;
}

const struct node *tree_next(const struct node *n, const char *name)
{
	return from(n->next, name);
}

const char *tree_text(const struct node *n, const char *name)
{
	const struct node *child = tree_child(n, name);

	return child && *child->text ? child->text : NULL;
}

/* Years first, with points, strokes or slashes; without a zone it is UTC. */
int64_t tree_time(struct tree *t, const char *text)
{
	static const char *const zones[] = { "", "Z" };
	int64_t when = 0;
	char *own;

	if (!text || strlen(text) < 10)
		return 0;
	own = tree_alloc(t, strlen(text) + 2);
	memcpy(own, text, strlen(text));
	for (int i = 4; i <= 7; i += 3)
		if (own[i] == '/' || own[i] == '.')
			own[i] = '-';
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		memcpy(own + strlen(text), zones[i], strlen(zones[i]));
		if (pd_parse(t->ctx, PD_T_TIME, own, &when))
			break;
	}
	return when;
}

/* ------------------------------------------------------------------ index */

void tree_add(struct tree *t, struct tree_index *x, const char *key, const struct node *node)
{
	if (!key)
		return;
	if (x->len == x->cap) {
		struct tree_key *larger = tree_alloc(t, 2 * (x->cap + 32) * sizeof(*larger));

		if (x->len)
			memcpy(larger, x->rows, x->len * sizeof(*larger));
		x->rows = larger;
		x->cap = 2 * (x->cap + 32);
	}
	x->rows[x->len] = (struct tree_key){ key, node, x->len };
	x->len++;
}

static int by_key(const void *a, const void *b)
{
	const struct tree_key *x = a, *y = b;
	int order = strcasecmp(x->key, y->key);

	return order ? order : (x->place > y->place) - (x->place < y->place);
}

void tree_sort(struct tree_index *x)
{
	if (x->len)
		qsort(x->rows, x->len, sizeof(*x->rows), by_key);
}

/* Of the rows that are not before @p key, or not before what follows it. */
static size_t bound(const struct tree_index *x, const char *key, int behind)
{
	size_t low = 0, high = x->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcasecmp(x->rows[middle].key, key) < behind) /* 1: an equal one too */
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t tree_range(const struct tree_index *x, const char *key, const struct tree_key **first)
{
	size_t at = key ? bound(x, key, 0) : 0;

	*first = x->len ? x->rows + at : NULL;
	return key ? bound(x, key, 1) - at : 0;
}

const struct node *tree_find(const struct tree_index *x, const char *key)
{
	const struct tree_key *first;

	return tree_range(x, key, &first) ? first->node : NULL;
}
