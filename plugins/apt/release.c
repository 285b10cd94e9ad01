/* SPDX-License-Identifier: MIT */
/* Which lists are in force, and the signed release files that vouch for them. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "apt.h"

static bool contains_security(const char *s)
{
	return strcasestr(s, "security") != NULL;
}

int apt_targets(struct pd_ctx *ctx, struct targets *out)
{
	static const char *const argv[] = { "apt-get", "indextargets", "--format",
		"$(FILENAME)|$(METAKEY)|$(TRUSTED)|$(DESCRIPTION)|$(LABEL)|$(SUITE)|"
		"$(CODENAME)|$(REPO_URI)|$(SOURCESENTRY)", "Created-By: Packages", NULL };
	struct pd_command_result r;
	char *text, *line, *colon;
	size_t lines = 1;

	if (apt_run(ctx, argv, NULL, &r) < 0)
		return PD_FAILED;
	text = apt_copy(ctx, r.out);
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	out->rows = pd_alloc_for(ctx, lines * sizeof(*out->rows));
	while ((line = apt_line(&text))) {
		struct target *t = &out->rows[out->len];

		t->file = apt_field(&line, '|');
		t->meta_key = apt_field(&line, '|');
		t->trusted = strcmp(apt_field(&line, '|'), "yes") == 0;
		t->description = apt_field(&line, '|');
		t->label = apt_field(&line, '|');
		t->suite = apt_field(&line, '|');
		t->codename = apt_field(&line, '|');
		t->uri = apt_field(&line, '|');
		t->entry = line;
		/* a source without a release has no such names */
		if (!*t->label || strncmp(t->label, "$(", 2) == 0)
			t->label = t->description;
		if (strncmp(t->suite, "$(", 2) == 0)
			t->suite = "";
		if (strncmp(t->codename, "$(", 2) == 0)
			t->codename = "";
		colon = strrchr(line, ':'); /* "FILE:NUMBER" */
		if (colon)
			*colon = '\0';
		t->security = contains_security(t->label) || contains_security(t->suite) ||
			      contains_security(t->codename);
		/* listed, but never fetched */
		out->len += access(t->file, R_OK) == 0;
	}
	return out->len ? 0 : pd_fail(ctx, PD_FAILED, "apt has no lists of packages; "
				      "run `apt-get update` first");
}

/* What a file of sources says about keys. */
struct trust {
	const char *keyrings; /* paths with commas; NULL: none named */
	bool open;            /* a key that is not a path, or no file to look at */
	bool blind;           /* trusted=yes: apt is told not to ask */
};

static void add_keyring(struct pd_ctx *ctx, struct trust *t, const char *value)
{
	size_t len = strcspn(value, " \t]\r");

	if (*value != '/')
		t->open = true;
	else
		t->keyrings = pd_format(ctx, "%s%s%.*s", t->keyrings ? t->keyrings : "",
					t->keyrings ? "," : "", (int)len, value);
}

/* Both forms: "Signed-By: PATH" and "[... signed-by=PATH ...]". */
static struct trust trust_of(struct pd_ctx *ctx, const char *sources)
{
	struct trust t = { .keyrings = NULL };
	const char *content = pd_read_file(ctx, sources, 1 << 20, NULL);
	char *text = content ? apt_copy(ctx, content) : NULL, *line;

	t.open = !content;
	while ((line = apt_line(&text))) {
		char *option = strcasestr(line, "signed-by=");

		if (line[strspn(line, " \t")] == '#')
			continue;
		if (strncasecmp(line, "Signed-By:", 10) == 0)
			add_keyring(ctx, &t, line + 10 + strspn(line + 10, " \t"));
		else if (option)
			add_keyring(ctx, &t, option + 10);
		if (strcasestr(line, "trusted=yes") ||
		    (strncasecmp(line, "Trusted:", 8) == 0 && strcasestr(line, "yes")))
			t.blind = true;
	}
	return t;
}

/* Does apt's method for signatures have its program?  It says the same of a
 * signature that is bad and of one that it could not look at. */
static bool have_gpgv(void)
{
	static const char *const paths[] = { "/usr/bin/gpgv", "/usr/local/bin/gpgv",
		"/bin/gpgv", "/usr/sbin/gpgv", "/usr/bin/gpgv2", "/usr/bin/gpgv1" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (access(paths[i], X_OK) == 0)
			return true;
	return false;
}

/* The key of a good signature, which apt names by its last digits, and as a whole
 * among the keys of all signatures that there are. */
static const char *key_of(struct pd_ctx *ctx, const char *out)
{
	static const char digits[] = "0123456789ABCDEFabcdef";
	const char *good = strstr(out, "GOODSIG ") + strlen("GOODSIG "), *all = strstr(out, "\nSigned-By: ");
	const char *id = pd_format(ctx, "%.*s", (int)strspn(good, digits), good);
	const char *whole = all && *id ? strstr(all, id) : NULL;

	while (whole && isxdigit((unsigned char)whole[-1]))
		whole--;
	return whole ? pd_format(ctx, "%.*s", (int)strspn(whole, digits), whole) : id;
}

/* apt's own method for signatures, by its protocol, as apt-get update does; *key is set
 * if it is good. */
static int verify(struct pd_ctx *ctx, const char *signature, const char *file,
		  const char *keyrings, const char **key)
{
	static const char *const argv[] = { "/usr/lib/apt/methods/gpgv", NULL };
	struct pd_command_result r;
	const char *input = pd_format(ctx, "600 URI Acquire\nURI: gpgv:%s\nFilename: %s\n"
		"%s%s%s\n", signature, file, keyrings ? "Signed-By: " : "",
		keyrings ? keyrings : "", keyrings ? "\n" : "");

	if (apt_run(ctx, argv, input, &r) < 0)
		return PD_FAILED;
	if (!strstr(r.out, "201 URI Done") || !strstr(r.out, "GOODSIG "))
		return 0;
	*key = key_of(ctx, r.out);
	return 1;
}

static const char *value_of(struct pd_ctx *ctx, const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " \t");
			return pd_format(ctx, "%.*s", (int)strcspn(line, "\r\n"), line);
		}
	}
	return NULL;
}

/* "Wed, 18 Nov 2026 22:17:41 UTC" or with +0000 */
static int64_t date_of(struct pd_ctx *ctx, const char *text, const char *key)
{
	const char *value = value_of(ctx, text, key);
	struct tm tm = { .tm_year = 0 };

	return value && strptime(value, "%a, %d %b %Y %H:%M:%S", &tm) ? timegm(&tm) : 0;
}

/* Only what stands between the marks of an InRelease is signed. */
static const char *signed_part(struct pd_ctx *ctx, const char *text)
{
	static const char head[] = "-----BEGIN PGP SIGNED MESSAGE-----\n";
	const char *end = strstr(text, "\n-----BEGIN PGP SIGNATURE-----");
	const char *start = strstr(text, "\n\n");

	if (strncmp(text, head, sizeof(head) - 1) != 0 || !end || !start || start > end)
		return NULL;
	return pd_format(ctx, "%.*s\n", (int)(end - start - 2), start + 2);
}

/* What came of it is told in *proof, in words. */
static int verify_signed(struct pd_ctx *ctx, const struct target *t,
			 const char *signature, const char *file, const char **proof)
{
	struct trust trust = trust_of(ctx, t->entry);
	const char *key = NULL;
	int good = verify(ctx, signature, file, trust.keyrings, &key);

	if (good < 0)
		return good;
	if (good) {
		*proof = pd_format(ctx, "signed with the key %s", key);
		return 1;
	}
	if (!trust.blind && !have_gpgv())
		return pd_fail(ctx, PD_FAILED, "the signature of %s can't be verified: gpgv, "
			       "which apt does that with, is not installed or can't be run; "
			       "install the package gpgv", file);
	if (trust.blind || trust.open) {
		*proof = pd_format(ctx, "not verified: %s %s", t->entry, trust.blind ?
				   "says trusted=yes" : "does not name a keyring file");
		pd_log(ctx, PD_LOG_WARN, "%s: its signature can't be verified anew, since "
		       "%s; apt took it", file, *proof + strlen("not verified: "));
		return 1;
	}
	return pd_fail(ctx, PD_FAILED, "the signature of %s is not by a key that %s "
		       "allows: the lists were changed after apt had verified them, or the "
		       "key is gone; run `apt-get update`, and find out who changed them if "
		       "it succeeds", file, t->entry);
}

/* "apt: InRelease of Debian-Security bookworm-security of 2026-11-18, signed ..." */
static const char *trust_text(struct pd_ctx *ctx, const struct target *t, const char *file,
			      int64_t date, const char *proof)
{
	char day[32] = "";
	time_t when = (time_t)date;
	struct tm tm;

	if (date && gmtime_r(&when, &tm))
		strftime(day, sizeof(day), " of %Y-%m-%d", &tm);
	return pd_format(ctx, "apt: %s of %s%s%s%s, %s", file, t->label, *t->suite ? " " : "",
			 t->suite, day, proof);
}

static int load(struct pd_ctx *ctx, struct target *t, struct release *r)
{
	const char *in = pd_format(ctx, "%sInRelease", r->base);
	const char *plain = pd_format(ctx, "%sRelease", r->base);
	const char *gpg = pd_format(ctx, "%sRelease.gpg", r->base);
	const char *text = pd_read_file(ctx, in, 32 << 20, NULL);
	const char *proof = "not verified: it is not signed, and apt is configured to trust it";
	bool detached = !text && access(gpg, F_OK) == 0;
	int64_t until;
	int good = 1;

	if (text && !(r->text = signed_part(ctx, text)))
		return pd_fail(ctx, PD_FAILED, "%s is no signed message; run "
			       "`apt-get update`", in);
	if (!text)
		r->text = pd_read_file(ctx, plain, 32 << 20, NULL);
	if (text || detached)
		good = verify_signed(ctx, t, text ? in : gpg, text ? in : plain, &proof);
	else
		pd_log(ctx, PD_LOG_WARN, "%s is not signed; it is used since apt is "
		       "configured to trust it", t->description);
	r->date = r->text ? date_of(ctx, r->text, "Date") : 0;
	r->trust = trust_text(ctx, t, text ? "InRelease" : "Release", r->date, proof);
	if (good < 0 || !r->text)
		return good;
	until = date_of(ctx, r->text, "Valid-Until");
	if (until && until < time(NULL))
		pd_ignored(ctx, 0, pd_format(ctx, "%s has expired; newer updates may be "
			"missing; run `apt-get update`", t->description));
	return 1;
}

int apt_release(struct pd_ctx *ctx, struct target *t, struct release **known)
{
	size_t file = strlen(t->file), key = strlen(t->meta_key);
	char *base = apt_copy(ctx, t->file), *tail = NULL;

	if (!t->trusted) {
		pd_ignored(ctx, 0, pd_format(ctx, "%s: its signature was not verified by "
			"apt, so nothing of it is taken", t->description));
		return 0;
	}
	/* FILE is base + META_KEY with "_" for "/" + perhaps an ending */
	for (size_t i = file > key ? file - key : 0; i > 0 && !tail; i--) {
		size_t j = 0;

		while (j < key && (base[i + j] == t->meta_key[j] ||
				   (base[i + j] == '_' && t->meta_key[j] == '/')))
			j++;
		if (j == key)
			tail = base + i;
	}
	if (!tail)
		return pd_fail(ctx, PD_FAILED, "the name of %s does not end as %s", t->file,
			       t->meta_key);
	*tail = '\0';
	for (struct release *r = *known; r; r = r->next)
		if (strcmp(r->base, base) == 0) {
			t->release = r;
			return 1;
		}
	t->release = pd_alloc_for(ctx, sizeof(*t->release));
	t->release->base = base;
	t->release->next = *known;
	*known = t->release;
	return load(ctx, t, t->release);
}
