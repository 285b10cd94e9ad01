/* SPDX-License-Identifier: MIT */
/* Entities of states, as tests of fields of facts. */
#include <string.h>

#include "oval.h"

#define DIGITS "0123456789"

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
	{ "rpminfo", "epoch", "packages", "version", EPOCH_PART },
	{ "rpminfo", "signature_keyid", "packages", "signature", WHOLE },
	{ "dpkginfo", "name", "packages", "name", WHOLE },
	{ "dpkginfo", "arch", "packages", "arch", WHOLE },
	{ "dpkginfo", "evr", "packages", "version", WHOLE },
	{ "dpkginfo", "version", "packages", "version", VERSION_PART },
	{ "dpkginfo", "release", "packages", "version", RELEASE_PART },
	{ "dpkginfo", "epoch", "packages", "version", EPOCH_OR_0 },
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

/* To OVAL no release is older than any, and no epoch of rpm too; to rpm the first is
 * equal to all: an empty one is written out.  A package has an epoch, if it is 0. */
static void compare_evr(struct reader *r, const struct meaning *m, const struct entity *e,
			const char *value)
{
	bool rpm = e->datatype == EVR;
	size_t before = strspn(value, " \t\r\n"), len = strlen(value);
	bool epoch = value[before + strspn(value + before, DIGITS)] == ':';
	bool open = rpm && !strchr(value, '-');
	const char *full = value;

	while (len > before && strchr(" \t\r\n", value[len - 1]))
		len--;
	if (open || before || value[len])
		full = pd_format(r->ctx, "%.*s%s", (int)(len - before), value + before, open ? "-" : "");

	if (rpm && !epoch)
		oval_constant(r, e->operation == NOT_EQUAL || e->operation == GREATER ||
			      e->operation == GREATER_EQUAL);
	else
		oval_compare(r, m->kind, m->field, compares[e->operation], full,
			     rpm ? PD_SCHEME_RPM : PD_SCHEME_DEB);
}

static struct pd_rule matching(const struct meaning *m, const char *pattern, bool negate)
{
	return (struct pd_rule){ .op = PD_RULE_TEST, .negate = negate, .kind = m->kind,
				 .field = m->field, .compare = PD_CMP_MATCH, .value = pattern };
}

static void match(struct reader *r, const struct meaning *m, const char *pattern,
		  const char *value, bool negate)
{
	struct pd_rule rule = matching(m, pattern, negate);

	if (pattern)
		oval_rule(r, &rule);
	else
		oval_unknown(r, "the pattern \"%.100s\" of %s has no equal here", value, m->name);
}

static bool is_evr(const struct meaning *m)
{
	return strcmp(m->name, "evr") == 0;
}

/* A package without an epoch has the epoch "(none)" where it is of rpm, else 0. */
static const char *epoch_pattern(struct reader *r, const struct meaning *m, const char *value)
{
	bool zero = m->part == EPOCH_OR_0;
	size_t len = strlen(value);

	if (strcmp(value, zero ? "0" : "(none)") == 0)
		return zero ? "^([^:]*$|0:)" : "^[^:]*$";
	return len && len < 19 && strspn(value, DIGITS) == len ? pd_format(r->ctx, "^%s:", value) : NULL;
}

/* An evr always has an epoch; 0 is left out of a full version. */
static const char *evr_pattern(struct reader *r, const char *value, bool any_case)
{
	const char *full = strncmp(value, "0:", 2) == 0 ? value + 2 : value;

	return strchr(value, ':') ? oval_literal(&r->text, full, WHOLE, any_case) : NULL;
}

static void compare_text(struct reader *r, const struct meaning *m, const struct entity *e,
			 const char *value)
{
	bool negate = e->operation == NOT_EQUAL || e->operation == ANY_CASE_NOT_EQUAL;
	bool any_case = e->operation > PATTERN, some = !is_evr(m) && m->part < EPOCH_PART;
	const char *pattern;

	if (some && m->part == WHOLE && !any_case) {
		oval_compare(r, m->kind, m->field, compares[e->operation], value, PD_SCHEME_NONE);
		return;
	}
	pattern = is_evr(m) ? evr_pattern(r, value, any_case) :
		  m->part >= EPOCH_PART ? epoch_pattern(r, m, value) :
		  m->part == RELEASE_PART && !*value ? "^[^-]*$" :
		  oval_literal(&r->text, value, m->part, any_case);
	if (pattern || some)
		match(r, m, pattern, value, negate);
	else
		oval_constant(r, negate);
}

/* All six from three; what is no number compares with none, but as a version. */
static void compare_number(struct reader *r, const struct meaning *m, const struct entity *e,
			   const char *value)
{
	static const char *const whole[] = {
		[VERSION_PART] = "^([0-9]+:)?[0-9]+(-[^-]*)?$", [RELEASE_PART] = "-[0-9]+$",
		[EPOCH_PART] = "^[0-9]+:", [EPOCH_OR_0] = "" };
	static const struct { unsigned operation; bool negate; } ways[] = {
		[EQUALS] = { EQUALS, false }, [NOT_EQUAL] = { EQUALS, true },
		[GREATER] = { GREATER, false }, [LESS_EQUAL] = { GREATER, true },
		[LESS] = { LESS, false }, [GREATER_EQUAL] = { LESS, true } };
	const char *pattern = oval_number(&r->text, ways[e->operation].operation, value, m->part,
					  e->datatype);
	struct pd_rule rule = matching(m, pattern, ways[e->operation].negate);

	if (!pattern)
		oval_unknown(r, "%s of %s is compared with a number that is not read", m->name, m->type);
	else if (e->datatype == INTEGER)
		oval_known(r, whole[m->part], &rule, pd_format(r->ctx, "%s of a package is no number", m->name));
	else
		oval_rule(r, &rule);
}

/* Of an evr only one that starts with its epoch: the others would also have to find 0. */
static void match_evr(struct reader *r, const struct meaning *m, const char *value)
{
	size_t digits = *value == '^' ? strspn(value + 1, DIGITS) : 0;
	bool zero = digits == 1 && value[1] == '0';
	const char *rest = zero ? pd_format(r->ctx, "^%s", value + 3) : value;

	if (!digits || value[1 + digits] != ':' || strchr(value, '|')) {
		oval_unknown(r, "the pattern \"%.100s\" of %s has no equal here", value, m->name);
		return;
	}
	oval_open(r, PD_RULE_ALL, false, NULL, NULL);
	if (zero)
		match(r, m, "^[^:]*$", value, false);
	match(r, m, oval_pattern(&r->text, rest, WHOLE), value, false);
	oval_close(r);
}

static void one_value(struct reader *r, const struct meaning *m, const struct entity *e,
		      const char *value)
{
	bool text = e->datatype == TEXT, ordered = e->operation < PATTERN;
	bool epoch = m->part >= EPOCH_PART;

	if (text && e->operation == PATTERN && is_evr(m))
		match_evr(r, m, value);
	else if (text && e->operation == PATTERN && (!epoch || !*value))
		match(r, m, oval_pattern(&r->text, value, epoch ? WHOLE : m->part), value, false);
	else if (text && (e->operation <= NOT_EQUAL || e->operation > PATTERN))
		compare_text(r, m, e, value);
	else if (ordered && is_evr(m) && (e->datatype == EVR || e->datatype == DEBIAN_EVR))
		compare_evr(r, m, e, value);
	else if (ordered && (e->datatype == INTEGER || e->datatype == NUMBERS))
		compare_number(r, m, e, value);
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
