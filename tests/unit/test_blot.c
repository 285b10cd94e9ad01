/* SPDX-License-Identifier: MIT */
/* Secrets are blotted out of texts: by hand, by chance against a plain way to do
 * the same, and soon enough. */
#include "plugin/blot.h"

#include <sodium.h>
#include <time.h>

#include "unit.h"

static void blotted(const char *text, const char *want)
{
	char *items[] = { (char *)"s3cret-word", (char *)"line-one\nline-two",
			  (char *)"\U0001f511\U0001f512\U0001f513" };
	const struct pd_strings secrets = { .items = items, .len = 3, .cap = 3 };
	struct pd_blot *b = pd_blot_new(&secrets);
	pd_auto_free char *clean = pd_blot_text(b, text);

	CU_ASSERT_STRING_EQUAL(clean, want);
	pd_blot_free(b);
}

static void test_blot(void)
{
	blotted("", "");
	blotted("nothing here", "nothing here");
	blotted("s3cret-word", "***");
	blotted("a s3cret-word and s3cret-word.", "a *** and ***.");
	blotted("line-one", "***");
	blotted("x line-one\nline-two y", "x *** y");
	blotted("ends with s3cret", "ends with ***");
	blotted("-word begins", "*** begins");
	blotted("s3c", "s3c"); /* too little to tell */
	blotted("{\"k\":\"\\ud83d\\udd11\\ud83d\\udd12\\ud83d\\udd13\"}", "{\"k\":\"***\"}");
	blotted("&", "&");
	blotted("&#x;&#;%\\x\\u&", "&#x;&#;%\\x\\u&");
}

/* A secret of all that is escaped anywhere, in a text that is. */
static void hidden(const char *text, const char *want)
{
	char *items[] = { (char *)"p\"\\&<%\n/ \u00e4\u20ac\U0001f600" };
	const struct pd_strings secrets = { .items = items, .len = 1, .cap = 1 };
	struct pd_blot *b = pd_blot_new(&secrets);
	pd_auto_free char *clean = pd_blot_text(b, text);

	CU_ASSERT_STRING_EQUAL(clean, want);
	CU_ASSERT_EQUAL(pd_blot_finds(b, text), strcmp(text, want) != 0);
	pd_blot_free(b);
}

static void test_escaped(void)
{
	hidden("a p\"\\&<%\n/ \u00e4\u20ac\U0001f600 b", "a *** b");
	hidden("{\"k\":\"p\\\"\\\\&<%\\n\\/ \u00e4\u20ac\U0001f600\"}", "{\"k\":\"***\"}"); /* JSON */
	hidden("\"p\\\"\\\\&<%\\n/ \\u00e4\\u20AC\\ud83d\\ude00\"", "\"***\"");
	hidden("<a>p&quot;\\&amp;&lt;%&#10;/ &#xe4;&#8364;&#x1F600;</a>", "<a>***</a>"); /* XML */
	hidden("?k=p%22%5C%26%3c%25%0a%2F%20%C3%A4%e2%82%ac%F0%9F%98%80&n=1", "?k=***&n=1"); /* URL */
	hidden("?k=p%22%5C%26%3C%25%0A%2F+%C3%A4%E2%82%AC%F0%9F%98%80&n=1", "?k=***&n=1"); /* web form */
	hidden("b'p\"\\\\&<%\\n/ \\xc3\\xa4\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80'", "b'***'"); /* Python */
	hidden("<a>{&quot;p\\&quot;\\\\&amp;&lt;%\\n/ \\u00e4\\u20ac\\ud83d\\ude00&quot;}</a>",
	       "<a>{&quot;***&quot;}</a>"); /* JSON in XML */
	hidden("70225c263c250a2f20c3a4e282acf09f9880", "***");
	hidden("x70225C263C250A2F20C3A4E282ACF09F9880", "x***");
	hidden("cCJcJjwlCi8gw6Tigqzwn5iA", "***");
	hidden("%zz %2 &#; &#x; &#0; &#xd800;&#xdc0; \\ud83d \\", "%zz %2 &#; &#x; &#0; &#xd800;&#xdc0; \\ud83d \\");
	hidden("a &#55357;\\ude00 b", "a &#55357;\\ude00 b");
}

/* --------------------------------- the same, as plainly as it can be done */

static uint32_t seed = 1;

static uint32_t chance(uint32_t below)
{
	seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
	return (seed >> 8) % below;
}

/* Letters of which few are different, so that much is alike. */
static char *letters(size_t n, const char *of)
{
	char *s = pd_alloc(n + 1);

	for (size_t i = 0; i < n; i++)
		s[i] = of[chance((uint32_t)strlen(of))];
	return s;
}

static void forms_of(const char *secret, struct pd_strings *out)
{
	static const char set[2][66] = {
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" };
	pd_auto(pd_buffer) small = {0}, large = {0}, plus = {0};
	size_t n = strlen(secret);

	pd_strings_add(out, secret);
	for (const char *s = secret, *end; *s; s = end + (*end == '\n')) {
		end = s + strcspn(s, "\n");
		if (end - s >= 4)
			pd_strings_add_take(out, pd_strndup(s, (size_t)(end - s)));
	}
	for (size_t i = 0; i < n; i++) {
		pd_buffer_print(&small, "%02x", (unsigned char)secret[i]);
		pd_buffer_print(&large, "%02X", (unsigned char)secret[i]);
		pd_buffer_add(&plus, secret[i] == ' ' ? "+" : secret + i, 1);
	}
	pd_strings_add(out, small.data);
	pd_strings_add(out, large.data);
	pd_strings_add(out, plus.data);
	for (size_t k = 0; k < 6; k++) { /* two alphabets, three ways to be cut in threes */
		pd_auto(pd_buffer) text = {0};

		for (size_t bit = k % 3 * 2; bit + 6 <= 8 * n; bit += 6) {
			unsigned two = (unsigned)((unsigned char)secret[bit / 8] << 8) |
				       (unsigned char)secret[bit / 8 + 1];

			pd_buffer_add(&text, &set[k / 3][two >> (10 - bit % 8) & 63], 1);
		}
		if (text.len >= 8)
			pd_strings_add(out, text.data);
	}
}

/* Hide what of the text is a piece of the word, or at its ends a part. */
static bool hide_word(const char *word, const char *text, char *hide)
{
	size_t n = strlen(word), len = strlen(text), need = n < 16 ? n : n < 64 ? n / 2 : 32;
	bool found = false;

	for (size_t i = 0; i + need <= len; i++)
		for (size_t k = 0; k + need <= n; k++)
			if (memcmp(text + i, word + k, need) == 0) {
				memset(hide + i, 1, need);
				found = true;
			}
	for (size_t k = 4; k < n && k <= len; k++) {
		if (memcmp(text, word + n - k, k) == 0)
			memset(hide, 1, k);
		if (memcmp(text + len - k, word, k) == 0)
			memset(hide + len - k, 1, k);
	}
	return found;
}

static char *shown(const char *text, const char *hide)
{
	pd_auto(pd_buffer) out = {0};

	for (size_t i = 0; text[i]; i++)
		if (!hide[i])
			pd_buffer_add(&out, text + i, 1);
		else if (!i || !hide[i - 1])
			pd_buffer_text(&out, "***");
	return pd_buffer_take(&out);
}

/* Pieces of the words, whole and cut, with something between them. */
static char *text_of(const struct pd_strings *words, const char *of)
{
	pd_auto(pd_buffer) b = {0};

	for (uint32_t parts = chance(6); parts; parts--) {
		const char *word = words->items[chance((uint32_t)words->len)];
		size_t n = strlen(word), from = chance(2) ? chance((uint32_t)n) : 0;
		size_t to = chance(2) ? from + chance((uint32_t)(n - from)) : n;
		pd_auto_free char *between = letters(chance(2) ? chance(40) : 0, of);

		pd_buffer_add(&b, word + from, to - from);
		pd_buffer_text(&b, between);
	}
	return pd_buffer_take(&b);
}

static struct pd_strings some_secrets(const char *of, uint32_t most)
{
	struct pd_strings out = {0};

	for (uint32_t n = 1 + chance(3); n; n--)
		pd_strings_add_take(&out, letters(4 + chance(chance(2) ? 20 : most), of));
	return out;
}

static void test_exact(void)
{
	static const char *const alphabets[] = { "a", "ab", "abc \n", "ab0123456789def\n",
						 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR+/ \n" };

	for (unsigned round = 0; round < 4000 / pd_unit_stride(); round++) {
		const char *of = alphabets[round % 5];
		pd_auto(pd_strings) secrets = some_secrets(of, 200), words = {0};
		struct pd_blot *b = pd_blot_new(&secrets);
		pd_auto_free char *text = NULL, *hide = NULL, *want = NULL, *is = NULL;
		bool found = false;

		for (size_t i = 0; i < secrets.len; i++)
			forms_of(secrets.items[i], &words);
		text = text_of(&words, of);
		hide = pd_alloc(strlen(text) + 1);
		for (size_t i = 0; i < words.len; i++)
			found |= hide_word(words.items[i], text, hide);
		want = shown(text, hide);
		is = pd_blot_text(b, text);
		CU_ASSERT_STRING_EQUAL(is, want);
		CU_ASSERT_EQUAL(pd_blot_finds(b, text), found);
		pd_blot_free(b);
		if (strcmp(is, want) != 0) {
			printf("round %u: of \"%s\" \"%s\" is left, not \"%s\"\n", round, text, is, want);
			return;
		}
	}
}

/* A character as one of them writes it; what is escaped again is so three times. */
static char *escaped(const char *text, char *hide)
{
	pd_auto(pd_buffer) out = {0}, mask = {0};

	for (size_t i = 0; text[i]; i++) {
		static const char *const ways[] = { "%c", "%%%02x", "\\u%04X", "\\x%02x", "&#%d;", "&#x%x;",
						    "\\u0026#%d;", "%%26#x%x;", "\\u005cx%02X" };
		size_t before = out.len;

		pd_buffer_print(&out, ways[chance(9)], text[i]);
		for (; before < out.len; before++)
			pd_buffer_add(&mask, hide[i] ? "\1" : "", 1);
	}
	pd_buffer_text(&out, "");
	return shown(out.data, mask.data ? mask.data : "");
}

static void test_escapes(void)
{
	/* letters that no escape is made of, nor hexadecimal digits or base64 of them */
	static const char of[] = "ghijklm";

	for (unsigned round = 0; round < 2000 / pd_unit_stride(); round++) {
		pd_auto(pd_strings) secrets = some_secrets(of, 100);
		struct pd_blot *b = pd_blot_new(&secrets);
		pd_auto_free char *text = text_of(&secrets, of), *hide = pd_alloc(strlen(text) + 1);
		pd_auto_free char *all = pd_alloc(strlen(text) + 1), *want = NULL, *raw = NULL, *is = NULL;
		uint32_t before = seed;

		for (size_t i = 0; i < secrets.len; i++)
			hide_word(secrets.items[i], text, hide);
		want = escaped(text, hide);
		seed = before; /* in the same ways */
		raw = escaped(text, all);
		is = pd_blot_text(b, raw);
		CU_ASSERT_STRING_EQUAL(is, want);
		pd_blot_free(b);
		if (strcmp(is, want) != 0) {
			printf("round %u: of \"%s\" \"%s\" is left, not \"%s\"\n", round, raw, is, want);
			return;
		}
	}
}

/* ------------------------------------------------------------ large secrets */

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* As programs print what is long: in lines of so many characters. */
static void test_wrapped(void)
{
	pd_auto(pd_strings) secrets = {0}, words = {0};
	struct pd_blot *b;

	pd_strings_add_take(&secrets, letters(16384, base64_letters));
	forms_of(secrets.items[0], &words);
	b = pd_blot_new(&secrets);
	for (size_t i = 0; i < words.len; i++)
		for (size_t n = strlen(words.items[i]), at = 0, width = 60; at + 4 <= n; at += width) {
			pd_auto_free char *line = pd_strndup(words.items[i] + at, width);
			pd_auto_free char *is = pd_blot_text(b, line);

			width = 60 + chance(20); /* xxd -p, openssl, base64 */
			CU_ASSERT_STRING_EQUAL(is, "***");
		}
	pd_blot_free(b);
}

/* Ten keys of 16 KiB, 4 MiB of lines: what grew with both took hours. */
static void test_soon(void)
{
	pd_auto(pd_strings) secrets = {0};
	struct pd_blot *b;
	clock_t begun;

	while (secrets.len < 10) {
		pd_strings_add_take(&secrets, letters(16384, base64_letters));
		for (size_t i = 64; i < 16384; i += 65)
			secrets.items[secrets.len - 1][i] = '\n';
	}
	begun = clock();
	b = pd_blot_new(&secrets);
	for (size_t i = 0; i < 40000 / pd_unit_stride(); i++) {
		pd_auto_free char *line = letters(100, "!#$()*,-.:;<=>?@[]^_{|}~ ");
		pd_auto_free char *is = NULL;

		if (i % 1000 == 0) /* over the end of a line of it */
			memcpy(line + 10, secrets.items[i / 1000 % 10] + 40, 60);
		is = pd_blot_text(b, line);
		CU_ASSERT_EQUAL(strcmp(is, line) != 0, i % 1000 == 0);
	}
	CU_ASSERT(clock() - begun < 20 * CLOCKS_PER_SEC);
	pd_blot_free(b);
}

static CU_TestInfo tests[] = {
	{ "blotting out", test_blot },
	{ "blotting out what is escaped", test_escaped },
	{ "by chance: just what a plain search finds", test_exact },
	{ "by chance: escaped in every way", test_escapes },
	{ "large secrets in lines", test_wrapped },
	{ "large secrets soon enough", test_soon },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("blot", tests);
