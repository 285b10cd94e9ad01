/* SPDX-License-Identifier: MIT */
/* Texts as mail, JSON and curl want them. */
#include "notify.h"

#include <string.h>

#define LINE 76 /* of mail, at most */
#define WORD "=?UTF-8?Q?"

static const char digits[] = "0123456789ABCDEF";

static char *hex(char *to, char c)
{
	*to++ = '=';
	*to++ = digits[(unsigned char)c >> 4];
	*to++ = digits[(unsigned char)c & 15];
	return to;
}

bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* How many bytes the character has that begins here. */
static size_t character(const char *text)
{
	size_t n = 1;

	while (((unsigned char)text[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static bool is_plain(const char *text, size_t used)
{
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
			return false;
	return !strstr(text, "=?") && strlen(text) + used <= LINE;
}

/* No character is cut in two, and no line is too long. */
const char *encode_header(struct pd_ctx *ctx, const char *text, size_t used)
{
	static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789!*+-/.,:;()";
	char *out = pd_alloc_for(ctx, 20 * strlen(text) + sizeof(WORD) + 3), *to = out;
	size_t n, room;

	if (is_plain(text, used))
		return text;
	to = stpcpy(to, WORD);
	room = LINE - used - strlen(WORD "?=");
	for (; *text; text += n) {
		n = character(text);
		if (room < 3 * n) {
			to = stpcpy(to, "?=\n " WORD);
			room = LINE - 1 - strlen(WORD "?=");
		}
		for (size_t i = 0; i < n; i++) {
			char *before = to;

			if (text[i] == ' ')
				*to++ = '_';
			else if (strchr(kept, text[i]))
				*to++ = text[i];
			else
				to = hex(to, text[i]);
			room -= (size_t)(to - before);
		}
	}
	stpcpy(to, "?=");
	return out;
}

/* May it stand in a line as it is?  No program on the way shall take it for the
 * end of the message, or for the start of the next one. */
static bool is_kept(const char *text, const char *at)
{
	bool first = at == text || at[-1] == '\n';

	if (*at == ' ' || *at == '\t')
		return at[1] && at[1] != '\n';
	return *at > ' ' && *at <= '~' && *at != '=' && !(first && (*at == '.' || *at == 'F'));
}

const char *encode_body(struct pd_ctx *ctx, const char *text)
{
	char *out = pd_alloc_for(ctx, 4 * strlen(text) + 3), *to = out;
	size_t line = 0;

	for (const char *at = text; *at; at++) {
		size_t n = is_kept(text, at) ? 1 : 3;

		if (*at == '\n') {
			*to++ = '\n';
			line = 0;
			continue;
		}
		if (line + n > LINE - 1) {
			to = stpcpy(to, "=\n");
			line = 0;
		}
		if (n == 1)
			*to++ = *at;
		else
			to = hex(to, *at);
		line += n;
	}
	if (line)
		*to = '\n';
	return out;
}

const char *encode_quoted(struct pd_ctx *ctx, const char *text)
{
	static const char names[] = "\"\"\\\\\nn\tt\rr"; /* each with what stands for it */
	char *out = pd_alloc_for(ctx, 6 * strlen(text) + 3), *to = out;

	*to++ = '"';
	for (; *text; text++) {
		const char *known = strchr(names, *text);

		if (known && (known - names) % 2 == 0) {
			*to++ = '\\';
			*to++ = known[1];
		} else if ((unsigned char)*text < ' ' || *text == 0x7f) {
			to = stpcpy(to, "\\u00");
			*to++ = digits[(unsigned char)*text >> 4];
			*to++ = digits[(unsigned char)*text & 15];
		} else {
			*to++ = *text;
		}
	}
	*to = '"';
	return out;
}
