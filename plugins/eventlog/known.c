/* SPDX-License-Identifier: MIT */
/* Which messages are the same: normalises them and keeps a set of their keys. */
#include "eventlog.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool hex_word(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)word[i]))
			return false;
	return true;
}

/* A word without what differs from one time to the next: numbers, process
 * ids, addresses, hashes.  Words like eth0 keep their letters. */
static void put_word(struct bundle_text *out, const char *word, size_t len)
{
	bool digit = false;
	bool joined = out->len >= 2 && strchr(":-.", out->data[out->len - 1]) &&
		      out->data[out->len - 2] == '#';

	for (size_t i = 0; i < len; i++)
		digit = digit || isdigit((unsigned char)word[i]);
	if (hex_word(word, len) &&
	    ((digit && len >= 2) || len >= 8 || (joined && len % 2 == 0))) {
		bundle_text_add(out, "#", 1);
		return;
	}
	if (len > 2 && word[0] == '0' && word[1] == 'x') {
		bundle_text_add(out, "#", 1);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)word[i]))
			bundle_text_add(out, word + i, 1);
		else if (i == 0 || !isdigit((unsigned char)word[i - 1]))
			bundle_text_add(out, "#", 1);
	}
}

/* "#.#.#.#:#" and "#-#-#" are one thing, however many parts it had. */
static void join_parts(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		size_t n = strspn(p, ":.-/,");

		if (to > text && to[-1] == '#' && n > 0 && p[n] == '#')
			p += n + 1;
		else if (to > text && to[-1] == '#' && *p == '#')
			p++;
		else
			*to++ = *p++;
	}
	*to = '\0';
}

void known_text(struct bundle_text *out, const char *text)
{
	size_t start = out->len;

	while (*text) {
		size_t n = 0;

		while (isalnum((unsigned char)text[n]) || text[n] == '_')
			n++;
		if (n > 0)
			put_word(out, text, n);
		else
			bundle_text_add(out, text, n = 1);
		text += n;
	}
	bundle_text_add(out, "", 0);
	join_parts(out->data + start);
	out->len = start + strlen(out->data + start);
}

uint64_t known_key(const char *source, const char *message)
{
	unsigned char hash[crypto_generichash_BYTES];
	struct bundle_text text = { 0 };
	uint64_t key = 0;

	known_text(&text, source);
	bundle_text_add(&text, "\n", 1);
	known_text(&text, message);
	crypto_generichash(hash, sizeof(hash), (unsigned char *)text.data, text.len,
			   NULL, 0);
	memcpy(&key, hash, sizeof(key));
	bundle_text_free(&text);
	return key ? key : 1;
}

bool known_has(const struct known *c, uint64_t key)
{
	if (c->size == 0)
		return false;
	for (size_t i = key % c->size; c->keys[i]; i = (i + 1) % c->size)
		if (c->keys[i] == key)
			return true;
	return false;
}

void known_add(struct known *c, uint64_t key)
{
	size_t i = 0;

	if (known_has(c, key))
		return;
	if (2 * (c->count + 1) > c->size) {
		struct known grown = *c;

		grown.size = c->size ? 2 * c->size : 1024;
		grown.keys = calloc(grown.size, sizeof(*grown.keys));
		grown.count = 0;
		if (!grown.keys)
			abort();
		for (i = 0; i < c->size; i++)
			if (c->keys[i])
				known_add(&grown, c->keys[i]);
		free(c->keys);
		*c = grown;
	}
	for (i = key % c->size; c->keys[i]; i = (i + 1) % c->size)
		;
	c->keys[i] = key;
	c->count++;
}
