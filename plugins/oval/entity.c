/* SPDX-License-Identifier: MIT */
/* Entities of states, as tests of fields of facts. */
#include <string.h>

#include "oval.h"

/* An entity of OVAL and the field of facts that it is. */
static const struct meaning {
	const char *type, *name, *kind, *field;
	enum part part;
} meanings[] = {
	{ "rpminfo", "name", "packages", "name", WHOLE },
	{ "rpminfo", "arch", "packages", "arch", WHOLE },
	{ "rpminfo", "evr", "packages", "version", WHOLE },
	{ "rpminfo", "version", "packages", "version", VERSION_PART },
	{ "rpminfo", "release", "packages", "version", RELEASE_PART },
	{ "rpminfo", "epoch", "packages", "version", WHOLE },
	{ "rpminfo", "signature_keyid", "packages", "signature", WHOLE },
	{ "dpkginfo", "name", "packages", "name", WHOLE },
	{ "dpkginfo", "arch", "packages", "arch", WHOLE },
	{ "dpkginfo", "evr", "packages", "version", WHOLE },
	{ "dpkginfo", "version", "packages", "version", VERSION_PART },
	{ "dpkginfo", "release", "packages", "version", RELEASE_PART },
	{ "dpkginfo", "epoch", "packages", "version", WHOLE },
	{ "rpmverifyfile", "name", "packages", "name", WHOLE },
	{ "rpmverifyfile", "arch", "packages", "arch", WHOLE },
	{ "rpmverifyfile", "version", "packages", "version", VERSION_PART },
	{ "rpmverifyfile", "release", "packages", "version", RELEASE_PART },
	{ "uname", "machine_class", "kernel", "machine", WHOLE },
	{ "uname", "processor_type", "kernel", "machine", WHOLE },
	{ "uname", "os_release", "kernel", "release", WHOLE },
	{ "uname", "os_version", "kernel", "version", WHOLE },
	{ "uname", "node_name", "os", "hostname", WHOLE },
};

const uint32_t *oval_values(const struct reader *r, const struct entity *e, uint32_t *n)
{
	const struct entry *variable = oval_find(r, VARIABLES, e->variable);

	*n = 1;
	if (!e->variable)
		return &e->value;
	if (!variable || variable->strange || !variable->n)
		return NULL;
	*n = variable->n;
	return OVAL_AT(r->refs, uint32_t, variable->first);
}

static const unsigned compares[] = {
	[EQUALS] = PD_CMP_EQ, [NOT_EQUAL] = PD_CMP_NE, [GREATER] = PD_CMP_GT,
	[GREATER_EQUAL] = PD_CMP_GE, [LESS] = PD_CMP_LT, [LESS_EQUAL] = PD_CMP_LE,
	[PATTERN] = PD_CMP_MATCH };

/* To OVAL no release is older than any, to rpm it is equal to all: an empty
 * one is written out. */
static void compare_evr(struct reader *r, const struct meaning *m, const struct entity *e,
			const char *value)
{
	bool open = e->evr == PD_SCHEME_RPM && !strchr(value, '-');
	size_t before = strspn(value, " \t\r\n"), len = strlen(value);
	const char *full = value;

	while (len > before && strchr(" \t\r\n", value[len - 1]))
		len--;
	if (open || before || value[len])
		full = pd_format(r->ctx, "%.*s%s", (int)(len - before), value + before, open ? "-" : "");

	oval_compare(r, m->kind, m->field, compares[e->operation], full, e->evr);
}

static void match(struct reader *r, const struct meaning *m, const char *pattern,
		  const char *value)
{
	if (pattern)
		oval_compare(r, m->kind, m->field, PD_CMP_MATCH, pattern, PD_SCHEME_NONE);
	else
		oval_unknown(r, "the pattern \"%.100s\" of %s has no equal here", value, m->name);
}

/* The epoch 0 is left out of a full version. */
static const char *epoch(struct reader *r, const char *value)
{
	if (!*value || strspn(value, "0123456789") != strlen(value) || strlen(value) > 18)
		return NULL;
	return strspn(value, "0") == strlen(value) ? "^[^:]*$" :
	       pd_format(r->ctx, "^%s:", value + strspn(value, "0"));
}

static void one_value(struct reader *r, const struct meaning *m, const struct entity *e,
		      const char *value)
{
	bool equal = e->operation == EQUALS;

	if (e->evr && e->operation < PATTERN)
		compare_evr(r, m, e, value);
	else if (strcmp(m->name, "epoch") == 0 && (equal || (e->operation == PATTERN && !*value)))
		match(r, m, equal ? epoch(r, value) : "", value);
	else if (e->operation == PATTERN && strcmp(m->name, "evr") != 0)
		match(r, m, oval_pattern(&r->text, value, m->part), value);
	else if (equal && m->part == RELEASE_PART && !*value)
		match(r, m, "^[^-]*$", value);
	else if (equal && m->part != WHOLE)
		match(r, m, oval_literal(&r->text, value, m->part), value);
	else if (e->operation <= NOT_EQUAL && m->part == WHOLE && strcmp(m->name, "evr") != 0 &&
		 strcmp(m->name, "epoch") != 0)
		oval_compare(r, m->kind, m->field, compares[e->operation], value, PD_SCHEME_NONE);
	else
		oval_unknown(r, "%s of %s is compared in a way that is not read", m->name, m->type);
}

static const struct meaning *meaning_of(const char *type, const char *name)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (strcmp(meanings[i].type, type) == 0 && strcmp(meanings[i].name, name) == 0)
			return &meanings[i];
	return NULL;
}

static const unsigned groups[] = { [ALL_OF] = PD_RULE_ALL, [AT_LEAST_ONE] = PD_RULE_ANY,
				   [NONE_OF] = PD_RULE_NONE, [ONLY_ONE] = PD_RULE_ONE };

/* Who signed a package, lists of packages seldom tell: then the key that is
 * asked for is taken to be it. */
static void known_values(struct reader *r, const struct meaning *m, const struct entity *e,
			 const uint32_t *values, uint32_t n)
{
	bool signature = strcmp(m->field, "signature") == 0 &&
			 (e->operation == EQUALS || e->operation == PATTERN);
	bool exists = strcmp(m->kind, "packages") != 0;

	if (signature)
		oval_open(r, PD_RULE_ANY, false, NULL, NULL);
	if (signature)
		oval_exists(r, m->kind, m->field, true);
	if (exists) /* what a server has not, compares with nothing */
		oval_open(r, PD_RULE_ALL, false, NULL, NULL);
	if (exists)
		oval_exists(r, m->kind, m->field, false);
	if (n != 1 || e->var_check == NONE_OF)
		oval_open(r, groups[e->var_check], false, NULL, NULL);
	for (uint32_t i = 0; i < n; i++)
		one_value(r, m, e, oval_text(r, values[i]));
	if (n != 1 || e->var_check == NONE_OF)
		oval_close(r);
	if (signature || exists)
		oval_close(r);
}

/* What every server is that this runs on. */
static void given(struct reader *r, const struct entity *e, const char *value)
{
	bool is = strcmp(oval_text(r, e->value), value) == 0;

	if (e->operation > NOT_EQUAL || e->variable)
		oval_unknown(r, "%s is compared in a way that is not read", oval_text(r, e->name));
	else
		oval_constant(r, is == (e->operation == EQUALS));
}

void oval_entity(struct reader *r, const char *type, const struct entity *e)
{
	const struct meaning *m = meaning_of(type, oval_text(r, e->name));
	uint32_t n = 0;
	const uint32_t *values = oval_values(r, e, &n);

	if (strcmp(type, "family") == 0)
		given(r, e, "unix");
	else if (strcmp(type, "uname") == 0 && strcmp(oval_text(r, e->name), "os_name") == 0)
		given(r, e, "Linux");
	else if (!m)
		oval_unknown(r, "%s of %s is not read", oval_text(r, e->name), type);
	else if (!values)
		oval_unknown(r, "the variable %s can't be told", oval_text(r, e->variable));
	else if (e->operation == OTHER_OPERATION || e->var_check == OTHER_CHECK ||
		 e->check == OTHER_CHECK)
		oval_unknown(r, "%s of %s is compared in a way that is not read", m->name, type);
	else if (e->check == NONE_OF) {
		oval_open(r, PD_RULE_NONE, false, NULL, NULL);
		known_values(r, m, e, values, n);
		oval_close(r);
	} else
		known_values(r, m, e, values, n);
}
