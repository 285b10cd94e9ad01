/* SPDX-License-Identifier: MIT */
/* Fetching secrets and blotting them out. */
#include "plugin/secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ESCAPES = 3 }; /* that a secret is looked for in: JSON within XML in a URL */

static const char *const sources[] = { "env", "file", "credential", "prompt" };

/* Typed in by a person: locked in memory, left out of dumps, gone with us. */
static struct typed {
	char *name, *value;
	struct typed *next;
} *typed;

const char *pd_secret_typed(const char *name)
{
	struct typed *t = typed;

	while (t && strcmp(t->name, name) != 0)
		t = t->next;
	return t ? t->value : NULL;
}

void pd_secret_type(const char *name, char *value_take)
{
	struct typed *t = pd_alloc(sizeof(*t));
	size_t size = strlen(value_take) + 1;

	if (sodium_init() < 0 || !(t->value = sodium_malloc(size)))
		abort(); /* out of memory */
	memcpy(t->value, value_take, size);
	pd_secret_free(value_take);
	t->name = pd_strdup(name);
	t->next = typed;
	typed = t;
}

/* From now on there are secrets in this process: no core file, no debugger. */
static void harden(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

bool pd_secret_source_check(const json_t *source, struct pd_error **err)
{
	for (size_t i = 0; json_object_size(source) == 1 && i < 4; i++) {
		const char *name = pd_json_text(source, sources[i], "");

		if (*name && (i != 1 || *name == '/') && (i != 2 || !strchr(name, '/')))
			return true;
	}
	return pd_error_set(err, "secret-source",
			    "a secret is given by env = \"NAME\", file = \"/absolute/path\", credential = \"NAME\""
			    " or prompt = \"NAME\"");
}

/* A secret that others can read is none. */
static bool private_file(const char *path, bool credential, struct pd_error **err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return pd_error_errno(err, "secret-missing", errno,
				      "cannot read the secret in %s", path);
	if (!S_ISREG(st.st_mode))
		return pd_error_set(err, "secret-not-private",
				    "the secret's file %s is not a regular file", path);
	if (credential) /* systemd keeps its folder private */
		return true;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return pd_error_set(err, "secret-not-private",
				    "the secret's file %s is owned by user %u, not by root or user %u, who runs this",
				    path, st.st_uid, geteuid());
	if (st.st_mode & 077) {
		pd_error_set(err, "secret-not-private",
			     "the secret's file %s can be used by others (mode %04o)",
			     path, st.st_mode & 07777);
		return pd_error_remedy(err, "chmod 600 %s", path);
	}
	return true;
}

static char *from_file(const char *path, bool credential, struct pd_error **err)
{
	char *value;
	size_t len = 0;

	if (!private_file(path, credential, err))
		return NULL;
	value = pd_file_read(path, 65536, &len, err);
	if (value && strlen(value) != len) {
		pd_error_set(err, "secret-missing", "the secret in %s contains a NUL byte", path);
		pd_secret_free(value);
		return NULL;
	}
	if (value && len && value[len - 1] == '\n')
		value[len - 1] = '\0';
	return value;
}

char *pd_secret_fetch(const json_t *source, struct pd_error **err)
{
	const char *variable = pd_json_text(source, "env", NULL);
	const char *credential = pd_json_text(source, "credential", NULL);
	const char *prompt = pd_json_text(source, "prompt", NULL);
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	pd_auto_free char *path = NULL;
	char *value = NULL;

	if (!pd_secret_source_check(source, err))
		return NULL;
	harden();
	if (prompt) {
		value = pd_strdup(pd_secret_typed(prompt));
		if (!value)
			pd_error_set(err, "secret-missing", "the secret '%s' was not typed in by"
				     " a person, or is gone with the process that asked", prompt);
	} else if (variable) {
		value = pd_strdup(getenv(variable));
		if (!value)
			pd_error_set(err, "secret-missing",
				     "the secret's environment variable %s is not set", variable);
	} else if (credential && !folder) {
		pd_error_set(err, "secret-missing",
			     "there are no systemd credentials here ($CREDENTIALS_DIRECTORY is not set), so no '%s'",
			     credential);
	} else {
		path = credential ? pd_print("%s/%s", folder, credential) :
				    pd_strdup(pd_json_text(source, "file", ""));
		value = from_file(path, credential != NULL, err);
	}
	if (value && strlen(value) < PD_SECRET_LEAST) {
		pd_error_set(err, "secret-too-short",
			     "the secret in %s has fewer than %u characters, so it can't be kept out of messages",
			     prompt ? prompt : variable ? variable : path, PD_SECRET_LEAST);
		pd_secret_free(value);
		return NULL;
	}
	return value;
}

const char *pd_secret_value(const struct pd_secret *secret, size_t *len)
{
	if (len)
		*len = secret->len;
	return secret->value;
}

void pd_secret_free(char *value)
{
	if (value)
		sodium_memzero(value, strlen(value));
	free(value);
}

/* The part of its base64 (RFC 4648) that does not depend on what is around it. */
static void base64(const char *secret, int variant, struct pd_strings *out)
{
	static const size_t skip[] = { 0, 2, 3 };

	for (size_t before = 0; before < 3; before++) {
		pd_auto_free char *bytes = pd_print("%.*s%s", (int)before, "xx", secret);
		size_t n = strlen(bytes), size = n * 4 / 3 + 8;
		char *text = pd_alloc(size);

		sodium_bin2base64(text, size, (const unsigned char *)bytes, n, variant);
		if (n * 8 / 6 >= skip[before] + 2 * PD_SECRET_LEAST)
			pd_strings_add_take(out, pd_strndup(text + skip[before],
							    n * 8 / 6 - skip[before]));
		pd_secret_free(text);
		sodium_memzero(bytes, n);
	}
}

/* Every form of every secret that is not read byte by byte: itself, each line
 * of one with several, with the plus signs of a web form, base64, hexadecimal. */
static void forms(const struct pd_strings *secrets, struct pd_strings *out)
{
	for (size_t i = 0; i < secrets->len; i++) {
		const char *secret = secrets->items[i];
		size_t n = strlen(secret);
		char *lines = pd_strdup(secret), *plus = pd_strdup(secret), *rest = NULL;
		char *hex = pd_alloc(2 * n + 1), *upper = pd_alloc(2 * n + 1);

		pd_strings_add(out, secret);
		for (char *line = strtok_r(lines, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
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
}

static void wipe(struct pd_strings *words)
{
	for (size_t i = 0; i < words->len; i++)
		sodium_memzero(words->items[i], strlen(words->items[i]));
	pd_strings_clear(words);
}

/* Mark a word wherever it is in a text, whole, or a half of 8 bytes or more. */
static bool mark(char *hide, const char *text, const char *word)
{
	size_t n = strlen(word), part = n >= 16 ? n / 2 : n;
	bool found = false;

	for (size_t k = 0; k + part <= n; k++) {
		const char *end = word + k + part;

		for (const char *hit = text; (hit = memmem(hit, strlen(hit), word + k, part)); hit++) {
			memset(hide + (hit - text), 1, part);
			found = true;
		}
		if (!*end)
			break;
	}
	return found;
}

/* A line may have been split in the middle of one: parts at both ends. */
static void mark_ends(char *hide, const char *text, const char *word)
{
	size_t len = strlen(text), n = strlen(word), most = n - 1 < len ? n - 1 : len, k;

	for (k = most; k >= PD_SECRET_LEAST; k--)
		if (memcmp(text, word + n - k, k) == 0) {
			memset(hide, 1, k);
			break;
		}
	for (k = most; k >= PD_SECRET_LEAST; k--)
		if (memcmp(text + len - k, word, k) == 0) {
			memset(hide + len - k, 1, k);
			break;
		}
}

/* What an escape of JSON, C, XML or a URL stands for, and its length; 0: there is
 * none.  A byte is one of a character, else it is a character. */
static size_t escape(const char *text, unsigned *c, bool *byte)
{
	static const char *const words[] = { "&&amp;", "<&lt;", ">&gt;", "\"&quot;", "'&apos;",
					     "\b\\b", "\f\\f", "\n\\n", "\r\\r", "\t\\t" };
	char s[12]; /* sscanf() looks for the end */
	int n = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strncmp(text, words[i] + 1, strlen(words[i] + 1)) == 0) {
			*c = (unsigned char)*words[i];
			return strlen(words[i] + 1);
		}
	snprintf(s, sizeof(s), "%.11s", text);
	*byte = sscanf(s, "%%%2x%n", c, &n) == 1 || sscanf(s, "\\x%2x%n", c, &n) == 1;
	if (*byte || sscanf(s, "\\u%4x%n", c, &n) == 1 || sscanf(s, "&#%7u;%n", c, &n) == 1 ||
	    sscanf(s, "&#x%6x;%n", c, &n) == 1)
		return *c ? (size_t)n : 0;
	*c = (unsigned char)s[1];
	return s[0] == '\\' && s[1] && strchr("\"\\/'", s[1]) ? 2 : 0;
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

/* Mark every word, also where it is escaped: of what a program says in JSON or
 * XML, or asks a web server for; and that in one another. */
static bool mark_all(char *hide, const char *text, const struct pd_strings *words, int depth)
{
	size_t len = strlen(text), n, end;
	bool found = false;
	char *plain, *hidden;
	size_t *from;

	for (size_t i = 0; i < words->len; i++) {
		found |= mark(hide, text, words->items[i]);
		mark_ends(hide, text, words->items[i]);
	}
	if (!depth || !strpbrk(text, "\\&%"))
		return found;
	plain = pd_alloc(len + 1);
	hidden = pd_alloc(len + 1);
	from = pd_alloc((len + 1) * sizeof(*from));
	n = unescape(text, plain, from);
	found |= n < len && mark_all(hidden, plain, words, depth - 1);
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

char *pd_secrets_blot(const struct pd_strings *secrets, const char *text)
{
	pd_auto_free char *hide = pd_alloc(strlen(text) + 1);
	pd_auto(pd_strings) words = {0};
	pd_auto(pd_buffer) b = {0};

	if (!secrets->len)
		return pd_strdup(text);
	forms(secrets, &words);
	mark_all(hide, text, &words, ESCAPES);
	wipe(&words);
	for (size_t i = 0; text[i]; i++)
		if (!hide[i])
			pd_buffer_add(&b, text + i, 1);
		else if (!i || !hide[i - 1])
			pd_buffer_text(&b, "***");
	return pd_buffer_take(&b);
}

bool pd_secrets_in(const struct pd_strings *secrets, const char *text)
{
	pd_auto_free char *hide = pd_alloc(strlen(text) + 1);
	pd_auto(pd_strings) words = {0};
	bool found;

	if (!secrets->len)
		return false;
	forms(secrets, &words);
	found = mark_all(hide, text, &words, ESCAPES);
	wipe(&words);
	return found;
}
