/* SPDX-License-Identifier: MIT */
/* versionlock - the locks of dnf5, which it keeps in a file of TOML. */
#include "rpm.h"

#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#define LOCKS "/etc/dnf/versionlock.toml"
#define FILE_MAX ((size_t)1 << 20)

/* What a package has to be; all of an entry's conditions. */
struct condition {
	const char *key, *comparator, *value;
	unsigned line;
};

struct entry {
	const char *name, *comment;
	unsigned line;
	struct condition *v;
	size_t n, cap;
};

/* All that speak of a package: one of them has to allow it. */
struct rpm_versionlock {
	struct entry *v;
	size_t n, cap;
};

/* --------------------------------------------------------------- reading */

struct reader {
	struct pd_ctx *ctx;
	struct rpm_versionlock *out;
	unsigned line;
	const char *version;
	struct entry *entry;         /* NULL: before the first */
	struct condition *condition; /* NULL: not in one */
	const char *fault;
};

static bool wrong(struct reader *r, unsigned line, const char *what)
{
	r->fault = pd_format(r->ctx, LOCKS ":%u: %s", line, what);
	return false;
}

static bool known(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* The condition that ends here. */
static bool end_condition(struct reader *r)
{
	static const char *const keys[] = { "epoch", "evr", "arch", NULL };
	static const char *const comparators[] = { "=", "!=", "<", "<=", ">",
						   ">=", NULL };
	const struct condition *c = r->condition;
	int order = 0;

	r->condition = NULL;
	if (!c)
		return true;
	if (!c->key || !c->comparator || !c->value)
		return wrong(r, c->line, "this condition lacks its key, comparator "
			     "or value");
	if (!known(c->key, keys))
		return wrong(r, c->line, pd_format(r->ctx, "this condition has the "
			     "key \"%s\", which is not known", c->key));
	if (!known(c->comparator, comparators) ||
	    (strcmp(c->key, "arch") == 0 && strpbrk(c->comparator, "<>")))
		return wrong(r, c->line, pd_format(r->ctx, "this condition compares "
			     "%s by \"%s\"", c->key, c->comparator));
	if (strcmp(c->key, "epoch") == 0 ? !is_number(c->value) :
	    !pd_compare_versions(r->ctx, PD_SCHEME_RPM, c->value, c->value,
				 &order))
		return wrong(r, c->line, pd_format(r->ctx, "this condition has the "
			     "value \"%s\", which is no %s", c->value, c->key));
	return true;
}

static bool end_entry(struct reader *r)
{
	const struct entry *e = r->entry;

	if (!end_condition(r))
		return false;
	if (e && (!e->name || !*e->name))
		return wrong(r, e->line, "this package has no name");
	return !e || e->n > 0 ||
	       wrong(r, e->line, "this package has no condition");
}

static bool begin_entry(struct reader *r)
{
	struct rpm_versionlock *out = r->out;

	if (!end_entry(r))
		return false;
	if (!r->version)
		return wrong(r, r->line, "version = \"1.0\" is missing before it");
	out->v = pkg_grow(r->ctx, out->v, out->n, &out->cap, sizeof(*out->v));
	r->entry = &out->v[out->n++];
	*r->entry = (struct entry){ .line = r->line };
	return true;
}

static bool begin_condition(struct reader *r)
{
	struct entry *e = r->entry;

	if (!end_condition(r))
		return false;
	if (!e)
		return wrong(r, r->line, "a condition of no package");
	e->v = pkg_grow(r->ctx, e->v, e->n, &e->cap, sizeof(*e->v));
	r->condition = &e->v[e->n++];
	*r->condition = (struct condition){ .line = r->line };
	return true;
}

/* A comment may follow. */
static bool is_end(const char *s)
{
	s += strspn(s, " \t\r");
	return *s == '\0' || *s == '#';
}

/* "text", where a backslash stands before another one or a quotation mark
 * alone; or 'text'.  NULL: it is none. */
static const char *text_of(char *s)
{
	char *to = s, *text = s + 1, quote = *s;

	if (quote != '"' && quote != '\'')
		return NULL;
	for (s++; *s != quote; s++) {
		if (quote == '"' && *s == '\\' && (*++s != '"' && *s != '\\'))
			return NULL;
		if (!*s)
			return NULL;
		*++to = *s;
	}
	if (!is_end(s + 1))
		return NULL;
	to[1] = '\0';
	return text;
}

/* Where the value of a key goes; NULL: it has no such key here. */
static const char **place_of(struct reader *r, const char *key)
{
	const struct { const char *key; const char **to; } places[] = {
		{ "version", r->entry ? NULL : &r->version },
		{ "name", r->entry && !r->condition ? &r->entry->name : NULL },
		{ "comment", r->entry && !r->condition ? &r->entry->comment : NULL },
		{ "key", r->condition ? &r->condition->key : NULL },
		{ "comparator", r->condition ? &r->condition->comparator : NULL },
		{ "value", r->condition ? &r->condition->value : NULL },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (strcmp(places[i].key, key) == 0)
			return places[i].to;
	return NULL;
}

static bool read_value(struct reader *r, char *line)
{
	char *value = strchr(line, '=');
	const char *key = NULL, **to = NULL;

	if (!value)
		return wrong(r, r->line, "this is neither KEY = \"TEXT\" nor "
			     "[[packages]] nor [[packages.conditions]]");
	*value++ = '\0';
	key = rpm_trim(line);
	value += strspn(value, " \t");
	/* so dnf leaves it where all locks were taken away */
	if (!r->entry && strcmp(key, "packages") == 0 &&
	    strncmp(value, "[]", 2) == 0 && is_end(value + 2))
		return true;
	to = place_of(r, key);
	if (!to || *to)
		return wrong(r, r->line, pd_format(r->ctx, to ? "%s is there twice" :
						   "%s is not known here", key));
	*to = text_of(value);
	if (!*to)
		return wrong(r, r->line, pd_format(r->ctx, "the value of %s is "
						   "no text in one line", key));
	return to != &r->version || strcmp(*to, "1.0") == 0 ||
	       wrong(r, r->line, pd_format(r->ctx, "its version is \"%s\", and only 1.0 "
					   "is known", *to));
}

static bool read_line(struct reader *r, char *line)
{
	static const char entry[] = "[[packages]]";
	static const char condition[] = "[[packages.conditions]]";

	line += strspn(line, " \t");
	if (is_end(line))
		return true;
	if (strncmp(line, entry, sizeof(entry) - 1) == 0 &&
	    is_end(line + sizeof(entry) - 1))
		return begin_entry(r);
	if (strncmp(line, condition, sizeof(condition) - 1) == 0 &&
	    is_end(line + sizeof(condition) - 1))
		return begin_condition(r);
	return read_value(r, line);
}

const struct rpm_versionlock *rpm_versionlock_read(struct pd_ctx *ctx,
						   const char **fault)
{
	struct rpm_versionlock *out = pd_alloc_for(ctx, sizeof(*out));
	struct reader r = { .ctx = ctx, .out = out };
	size_t len = 0;
	bool there = access(LOCKS, F_OK) == 0;
	const char *text = there ? pd_read_file(ctx, LOCKS, FILE_MAX, &len) : "";
	char *rest = (char *)pkg_copy(ctx, text ? text : "", len), *line = NULL;

	*out = (struct rpm_versionlock){ 0 };
	if (!text || strlen(text) != len)
		r.fault = LOCKS ": it can't be read as a text";
	while (!r.fault && (line = pkg_line(&rest))) {
		r.line++;
		read_line(&r, line);
	}
	if (!r.fault)
		end_entry(&r);
	if (r.fault)
		out->n = 0;
	*fault = r.fault;
	return out;
}

/* ---------------------------------------------------------------- asking */

static bool meets(struct pd_ctx *ctx, const struct condition *c,
		  const struct rpm_wanted *w)
{
	const char *by = c->comparator, *colon = strchr(w->evr, ':');
	int order = 0;

	if (strcmp(c->key, "arch") == 0)
		order = strcmp(w->arch, c->value);
	else if (!pd_compare_versions(ctx, PD_SCHEME_RPM,
			strcmp(c->key, "evr") == 0 ? w->evr : !colon ? "0" :
			pd_format(ctx, "%.*s", (int)(colon - w->evr), w->evr),
			c->value, &order))
		return false;
	return strcmp(by, "!=") == 0 ? order != 0 :
	       (order < 0 && *by == '<') || (order > 0 && *by == '>') ||
	       (order == 0 && strchr(by, '='));
}

bool rpm_versionlock_forbids(struct pd_ctx *ctx,
			     const struct rpm_versionlock *locks,
			     const struct rpm_wanted *w)
{
	bool about = false;

	for (size_t i = 0; i < locks->n; i++) {
		const struct entry *e = &locks->v[i];
		bool allowed = true;

		if (fnmatch(e->name, w->name, 0) != 0)
			continue;
		about = true;
		for (size_t j = 0; j < e->n; j++)
			allowed = allowed && meets(ctx, &e->v[j], w);
		if (allowed)
			return false;
	}
	return about;
}
