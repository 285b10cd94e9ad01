/* SPDX-License-Identifier: MIT */
/* Memory that aborts when there is none, and the two growing types. */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("patchday: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *pd_alloc(size_t bytes)
{
	return checked(calloc(1, bytes ? bytes : 1));
}

void *pd_realloc(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *pd_strdup(const char *s)
{
	return s ? checked(strdup(s)) : NULL;
}

char *pd_strndup(const char *s, size_t n)
{
	return checked(strndup(s, n));
}

char *pd_vprint(const char *fmt, va_list ap)
{
	char text[256], *s = NULL; /* most are short, and made at once */
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (len >= 0 && (size_t)len < sizeof(text))
		s = strdup(text);
	else if (len >= 0 && vasprintf(&s, fmt, again) < 0)
		s = NULL;
	va_end(again);
	return checked(s);
}

char *pd_print(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = pd_vprint(fmt, ap);
	va_end(ap);
	return s;
}

char *pd_texts(const char *first, ...)
{
	va_list ap, again;
	size_t len = 0;
	char *all, *to;

	va_start(ap, first);
	va_copy(again, ap);
	for (const char *s = first; s; s = va_arg(ap, const char *))
		len += strlen(s);
	va_end(ap);
	to = all = checked(malloc(len + 1));
	for (const char *s = first; s; s = va_arg(again, const char *)) {
		len = strlen(s);
		memcpy(to, s, len);
		to += len;
	}
	va_end(again);
	*to = '\0';
	return all;
}

void pd_strings_add_take(struct pd_strings *list, char *s)
{
	pd_grow(list->items, list->len, list->cap);
	list->items[list->len++] = s;
}

void pd_strings_add(struct pd_strings *list, const char *s)
{
	pd_strings_add_take(list, pd_strdup(s));
}

bool pd_strings_has(const struct pd_strings *list, const char *s)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->items[i], s) == 0)
			return true;
	return false;
}

char *pd_strings_join(const struct pd_strings *list, const char *between)
{
	struct pd_buffer b = {0};

	for (size_t i = 0; i < list->len; i++) {
		pd_buffer_text(&b, i ? between : "");
		pd_buffer_text(&b, list->items[i]);
	}
	return pd_buffer_take(&b);
}

void pd_strings_clear(struct pd_strings *list)
{
	for (size_t i = 0; i < list->len; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct pd_strings){0};
}

void pd_buffer_grow(struct pd_buffer *b, size_t len)
{
	if (len > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		checked(NULL);
	b->cap = 2 * (b->len + len) + 64;
	b->data = pd_realloc(b->data, b->cap, 1);
}

void pd_buffer_text(struct pd_buffer *b, const char *s)
{
	pd_buffer_add(b, s, strlen(s));
}

void pd_buffer_print(struct pd_buffer *b, const char *fmt, ...)
{
	pd_auto_free char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	s = pd_vprint(fmt, ap);
	va_end(ap);
	pd_buffer_text(b, s);
}

void pd_buffer_clear(struct pd_buffer *b)
{
	free(b->data);
	*b = (struct pd_buffer){0};
}

char *pd_buffer_take(struct pd_buffer *b)
{
	char *s = b->data ? b->data : pd_strdup("");

	*b = (struct pd_buffer){0};
	return s;
}
