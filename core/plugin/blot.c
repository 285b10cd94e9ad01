/* SPDX-License-Identifier: MIT */
/*
 * A piece of a word (a form of a secret) is looked for from `need` bytes on.  Of the
 * word each (need - WIDE + 1)th place is marked by the gram, the WIDE bytes, that is
 * there: every piece holds one of these whole.  So a text is gone through once, and
 * looked at more closely, need bytes to both sides, only around a gram.
 */
#include "plugin/blot.h"

#include <ctype.h>
#include <sodium.h>

enum { WIDE = 8, NARROW = PD_SECRET_LEAST, /* bytes of a gram */
       ESCAPES = 3 }; /* that a secret is looked for in: JSON within XML in a URL */

struct gram {
	const char *from, *at, *to; /* the part of the word that counts, and the gram in it */
	uint32_t need, next;        /* index + 1; 0: the last of its place */
};

struct grams {
	size_t width;
	struct gram *list;
	size_t len, cap;
	unsigned bits;    /* of a hash: there are so many places, most of them empty */
	uint32_t *places; /* index + 1 of the first gram there; 0: none */
};

enum { INSIDE, SHORT, HEAD, TAIL, KINDS };

struct pd_blot {
	struct pd_strings words;
	struct grams kinds[KINDS];
};

/* ------------------------------------------------------- what is looked for */

/* The part of its base64 (RFC 4648) that does not depend on what is around it. */
static void base64(const char *secret, int variant, struct pd_strings *out)
{
	static const size_t skip[] = { 0, 2, 3 };

	for (size_t before = 0; before < 3; before++) {
		pd_auto_free char *bytes = pd_print("%.*s%s", (int)before, "xx", secret);
		size_t n = strlen(bytes), size = n * 4 / 3 + 8;
		pd_auto_free char *text = pd_alloc(size);

		sodium_bin2base64(text, size, (const unsigned char *)bytes, n, variant);
		if (n * 8 / 6 >= skip[before] + 2 * PD_SECRET_LEAST)
			pd_strings_add_take(out, pd_strndup(text + skip[before],
							    n * 8 / 6 - skip[before]));
		sodium_memzero(text, size);
		sodium_memzero(bytes, n);
	}
}

/* Every form of a secret that is not read byte by byte: itself, each line of one
 * with several, with the plus signs of a web form, hexadecimal, base64. */
static void forms(const char *secret, struct pd_strings *out)
{
	size_t n = strlen(secret);
	char *lines = pd_strdup(secret), *plus = pd_strdup(secret), *rest = NULL;
	char *hex = pd_alloc(2 * n + 1), *upper = pd_alloc(2 * n + 1);

	pd_strings_add(out, secret);
	for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strlen(line) >= PD_SECRET_LEAST && strlen(line) < n)
			pd_strings_add(out, line);
	sodium_memzero(lines, n);
	free(lines);
	for (char *blank = plus; (blank = strchr(blank, ' ')); )
		*blank = '+';
	pd_strings_add_take(out, plus);
	sodium_bin2hex(hex, 2 * n + 1, (const unsigned char *)secret, n);
	for (size_t k = 0; k < 2 * n; k++)
		upper[k] = (char)toupper((unsigned char)hex[k]);
	pd_strings_add_take(out, hex);
	pd_strings_add_take(out, upper);
	base64(secret, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, out);
	base64(secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out);
}

static void add(struct grams *g, const char *from, const char *at, const char *to, size_t need)
{
	pd_grow(g->list, g->len, g->cap);
	g->list[g->len++] = (struct gram){ from, at, to, (uint32_t)need, 0 };
}

static void add_word(struct pd_blot *b, const char *word)
{
	size_t n = strlen(word), need = n < 16 ? n : n / 2 < PD_SECRET_PIECE ? n / 2 : PD_SECRET_PIECE;
	struct grams *g = &b->kinds[need < WIDE ? SHORT : INSIDE];
	const char *end = word + n;

	for (const char *at = word; at + g->width <= end; at += need - g->width + 1)
		add(g, at - word < (ptrdiff_t)(need - g->width) ? word : at - (need - g->width), at,
		    end - at < (ptrdiff_t)need ? end : at + need, need);
	/* the longer ones are pieces */
	for (size_t k = NARROW; k < need; k++) {
		add(&b->kinds[HEAD], word, word + k - NARROW, word + k, k);
		add(&b->kinds[TAIL], end - k, end - k, end, k);
	}
}

static uint32_t *place_of(const struct grams *g, const char *gram)
{
	uint64_t wide = 0;
	uint32_t narrow = 0;

	if (g->width == WIDE)
		memcpy(&wide, gram, WIDE);
	else
		memcpy(&narrow, gram, NARROW);
	return &g->places[(wide + narrow) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - g->bits)];
}

/* Would it find just what the other does? */
static bool same(const struct gram *a, const struct gram *b)
{
	return a->need == b->need && a->at - a->from == b->at - b->from &&
	       a->to - a->from == b->to - b->from &&
	       memcmp(a->from, b->from, (size_t)(a->to - a->from)) == 0;
}

static void find_places(struct grams *g)
{
	while ((size_t)1 << ++g->bits < 16 * g->len)
		;
	g->places = pd_alloc(sizeof(*g->places) << g->bits);
	for (size_t i = 0; i < g->len; i++) {
		struct gram *one = &g->list[i];
		uint32_t *place = place_of(g, one->at), other = *place;

		while (other && !same(one, &g->list[other - 1]))
			other = g->list[other - 1].next;
		if (other)
			continue;
		one->next = *place;
		*place = (uint32_t)i + 1;
	}
}

struct pd_blot *pd_blot_new(const struct pd_strings *secrets)
{
	struct pd_blot *b = secrets->len ? pd_alloc(sizeof(*b)) : NULL;

	for (size_t i = 0; i < secrets->len; i++)
		forms(secrets->items[i], &b->words);
	for (size_t i = 0; b && i < KINDS; i++)
		b->kinds[i].width = i == INSIDE ? WIDE : NARROW;
	for (size_t i = 0; b && i < b->words.len; i++)
		add_word(b, b->words.items[i]);
	for (size_t i = 0; b && i < KINDS; i++)
		find_places(&b->kinds[i]);
	return b;
}

void pd_blot_free(struct pd_blot *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < KINDS; i++) {
		free(b->kinds[i].list);
		free(b->kinds[i].places);
	}
	for (size_t i = 0; i < b->words.len; i++)
		sodium_memzero(b->words.items[i], strlen(b->words.items[i]));
	pd_strings_clear(&b->words);
	free(b);
}

/* -------------------------------------------------------- where it is found */

/* Hide the pieces around the grams that are at place @p i of the text. */
static bool around(const struct grams *g, const char *text, size_t len, size_t i, char *hide)
{
	bool found = false;

	for (uint32_t k = *place_of(g, text + i); k; k = g->list[k - 1].next) {
		const struct gram *one = &g->list[k - 1];
		size_t before = 0, n = 0, most = (size_t)(one->at - one->from);

		while (before < most && before < i && one->at[-1 - (ptrdiff_t)before] == text[i - before - 1])
			before++;
		for (most = (size_t)(one->to - one->at); n < most && i + n < len && one->at[n] == text[i + n]; )
			n++;
		if (before + n >= one->need) {
			memset(hide + i - before, 1, before + n);
			found = true;
		}
	}
	return found;
}

/* A number in such digits, of so many at most.  @return how many there are */
static size_t digits(const char *s, unsigned base, size_t most, unsigned *c)
{
	static const char all[] = "0123456789abcdef";
	const char *digit;
	size_t n;

	*c = 0;
	for (n = 0; n < most && (digit = memchr(all, tolower((unsigned char)s[n]), base)); n++)
		*c = *c * base + (unsigned)(digit - all);
	return n;
}

/* What an escape of JSON, C, XML or a URL stands for, and its length; 0: there is
 * none.  A byte is one of a character, else it is a character. */
static size_t escape(const char *text, unsigned *c, bool *byte)
{
	static const char *const words[] = { "&&amp;", "<&lt;", ">&gt;", "\"&quot;", "'&apos;" };
	static const char letters[] = "\"\\/'bfnrt", meant[] = "\"\\/'\b\f\n\r\t";
	size_t skip, n;
	bool hex;

	for (size_t i = 0; text[0] == '&' && i < sizeof(words) / sizeof(*words); i++)
		if (strncmp(text, words[i] + 1, strlen(words[i] + 1)) == 0) {
			*c = (unsigned char)*words[i];
			return strlen(words[i] + 1);
		}
	if (text[0] == '\\' && text[1] && strchr(letters, text[1])) {
		*c = (unsigned char)meant[strchr(letters, text[1]) - letters];
		return 2;
	}
	*byte = text[0] == '%' || (text[0] == '\\' && text[1] == 'x');
	if (!*byte && (text[0] == '&' ? text[1] != '#' : text[0] != '\\' || text[1] != 'u'))
		return 0;
	hex = text[0] != '&' || text[2] == 'x';
	skip = text[0] == '%' ? 1 : text[0] == '&' && hex ? 3 : 2;
	n = digits(text + skip, hex ? 16 : 10, *byte ? 2 : text[0] == '\\' ? 4 : hex ? 6 : 7, c);
	if (!n || !*c || (text[0] == '&' && text[skip + n] != ';'))
		return 0;
	return skip + n + (text[0] == '&');
}

static size_t utf8(unsigned c, char *out)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return n;
}

/* A text as it was before it was escaped, and where each byte of that is; it is
 * no longer than the text.  @return its length */
static size_t unescape(const char *text, char *plain, size_t *from)
{
	size_t n = 0, at = 0, took;

	for (; text[at]; at += took) {
		unsigned c = 0, low = 0;
		bool byte = false;
		size_t bytes = 1, more = 0;

		took = escape(text + at, &c, &byte);
		/* JSON has what is beyond 16 bits in two halves */
		if (took && !byte && c >> 10 == 0xd800 >> 10 &&
		    (more = escape(text + at + took, &low, &byte)) && low >> 10 == 0xdc00 >> 10) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
			took += more;
		}
		if (took && !byte)
			bytes = utf8(c, plain + n);
		else
			plain[n] = took ? (char)c : text[at];
		took += !took;
		for (; bytes; bytes--)
			from[n++] = at;
	}
	from[n] = at;
	return n;
}

/* Hide every word, also where it is escaped: of what a program says in JSON or
 * XML, or asks a web server for; and that in one another. */
static bool look(const struct pd_blot *b, const char *text, size_t len, char *hide, int depth)
{
	bool found = false;
	char *plain, *hidden;
	size_t *from, n, end;

	for (int kind = INSIDE; kind <= SHORT; kind++)
		for (size_t i = 0; b->kinds[kind].len && i + b->kinds[kind].width <= len; i++)
			found |= around(&b->kinds[kind], text, len, i, hide);
	if (len >= NARROW) {
		around(&b->kinds[TAIL], text, len, 0, hide);
		around(&b->kinds[HEAD], text, len, len - NARROW, hide);
	}
	if (!depth || !strpbrk(text, "\\&%"))
		return found;
	plain = pd_alloc(len + 1);
	hidden = pd_alloc(len + 1);
	from = pd_alloc((len + 1) * sizeof(*from));
	n = unescape(text, plain, from);
	found |= n < len && look(b, plain, n, hidden, depth - 1);
	for (size_t i = 0; i < n; i = end) {
		bool any = false;

		for (end = i; end < n && from[end] == from[i]; end++)
			any |= hidden[end];
		if (any)
			memset(hide + from[i], 1, from[end] - from[i]);
	}
	sodium_memzero(plain, n);
	free(plain);
	free(hidden);
	free(from);
	return found;
}

char *pd_blot_text(const struct pd_blot *b, const char *text)
{
	size_t len = strlen(text);
	pd_auto_free char *hide = b ? pd_alloc(len + 1) : NULL;
	pd_auto(pd_buffer) out = {0};

	if (!b)
		return pd_strdup(text);
	look(b, text, len, hide, ESCAPES);
	for (size_t i = 0, end; i < len; i = end) {
		for (end = i + 1; end < len && hide[end] == hide[i]; end++)
			;
		pd_buffer_add(&out, hide[i] ? "***" : text + i, hide[i] ? 3 : end - i);
	}
	return pd_buffer_take(&out);
}

bool pd_blot_finds(const struct pd_blot *b, const char *text)
{
	size_t len = strlen(text);
	pd_auto_free char *hide = b ? pd_alloc(len + 1) : NULL;

	return b && look(b, text, len, hide, ESCAPES);
}
