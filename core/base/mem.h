/* SPDX-License-Identifier: MIT */
/** Memory: allocation that does not fail, cleanup by scope, growing arrays. */
#ifndef PD_BASE_MEM_H
#define PD_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <patchday/plugin.h>

/* Allocation failure aborts; the caller owns what is returned. */
void *pd_alloc(size_t bytes); /* zeroed */
void *pd_realloc(void *old, size_t count, size_t size);
char *pd_strdup(const char *s); /* NULL gives NULL */
char *pd_strndup(const char *s, size_t n);
char *pd_print(const char *fmt, ...) PD_PRINTF(1, 2);
/** Texts one behind the other, up to NULL; a tenth of what formatting them takes. */
char *pd_texts(const char *first, ...) __attribute__((sentinel));
char *pd_vprint(const char *fmt, va_list ap) PD_PRINTF(1, 0);

static inline void pd_free_p(void *p)
{
	free(*(void **)p);
}

/** Free at the end of the scope.  Never in a function that Lua calls: the
 * cleanup does not run when Lua raises. */
#define pd_auto_free __attribute__((cleanup(pd_free_p)))
#define pd_auto(type) __attribute__((cleanup(type##_cleanup))) struct type

/** Make @p name_cleanup() for pd_auto() from a destructor of a pointer. */
#define PD_AUTO_PTR(type, name, destroy)            \
	static inline void name(type *p)            \
	{                                           \
		if (*p)                             \
			destroy(*p);                \
	}

/** Room for one more at the end of an array that grows by doubling. */
#define pd_grow(array, len, cap)                                           \
	do {                                                               \
		if ((len) == (cap)) {                                      \
			(cap) = (cap) ? 2 * (cap) : 8;                     \
			(array) = pd_realloc((array), (cap), sizeof(*(array))); \
		}                                                          \
	} while (0)

/** A list of strings that it owns. */
struct pd_strings {
	char **items;
	size_t len, cap;
};

void pd_strings_add(struct pd_strings *list, const char *s); /* copies */
void pd_strings_add_take(struct pd_strings *list, char *s);
bool pd_strings_has(const struct pd_strings *list, const char *s);
char *pd_strings_join(const struct pd_strings *list, const char *between);
void pd_strings_clear(struct pd_strings *list);
#define pd_strings_cleanup pd_strings_clear

/** Bytes that grow; data always has a NUL behind len once it is not NULL. */
struct pd_buffer {
	char *data;
	size_t len, cap;
};

void pd_buffer_grow(struct pd_buffer *b, size_t len); /* room for so many, and a NUL */

static inline void pd_buffer_add(struct pd_buffer *b, const void *data, size_t len)
{
	if (b->cap - b->len <= len)
		pd_buffer_grow(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void pd_buffer_text(struct pd_buffer *b, const char *s);
void pd_buffer_print(struct pd_buffer *b, const char *fmt, ...) PD_PRINTF(2, 3);
void pd_buffer_clear(struct pd_buffer *b);
char *pd_buffer_take(struct pd_buffer *b); /* never NULL; b is empty after */
#define pd_buffer_cleanup pd_buffer_clear

#endif
