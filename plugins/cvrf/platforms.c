/* SPDX-License-Identifier: MIT */
/* The plugin cvrf: platforms, which system each of them is, and the rules for them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cvrf.h"

#define DIGITS "0123456789"
#define SLE "^(sle|suse)"

struct system {
	const char *id; /* of os-release, a pattern */
	enum pd_compare compare;
	const char *version; /* NULL: any */
	const char *name; /* a pattern for people's name; NULL: any */
};

/* The number that is the version: the last one by itself that is at the end or has
 * a service pack or the like behind it, as in "Python 3 15 SP4" and "12 SP5-LTSS". */
static const char *number_in(const char *name)
{
	const char *last = NULL, *sure = NULL, *end;

	for (const char *s = name; (s = strpbrk(s, DIGITS)); s = end) {
		end = s + strspn(s, DIGITS ".");
		if ((s > name && !strchr(" -", s[-1])) || isalnum((unsigned char)*end))
			continue;
		last = s;
		if (!*end || *end == '-' || (strncmp(end, " SP", 3) == 0 && isdigit((unsigned char)end[3])))
			sure = s;
	}
	return sure ? sure : last;
}

/* "... 12 SP3-LTSS" is 12.3, "... 15.5" is 15.5; @p packs: they count. */
static const char *version_of(struct document *d, const char *name, bool packs)
{
	const char *number = number_in(name), *pack;
	int len = number ? (int)strspn(number, DIGITS ".") : 0;

	if (!number)
		return NULL;
	for (pack = number + len; packs && (pack = strstr(pack, "SP")) && !isdigit((unsigned char)pack[2]);)
		pack += 2;
	return packs && pack ?
	       tree_print(d->tree, "%.*s.%.*s", len, number, (int)strspn(pack + 2, DIGITS), pack + 2) :
	       tree_print(d->tree, "%.*s", len, number);
}

/* Up to 12 these are for every service pack. */
static bool is_for_all_packs(const char *name, const struct system *s)
{
	static const char *const words[] = { "Module", "Live Patching", "Package Hub", "-SECURITY",
					     "-PUBCLOUD", "-EXTRA" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(name, words[i]))
			return !strchr(s->version, '.') && strtol(s->version, NULL, 10) < 15;
	return false;
}

/* To VERSION_ID all packs of openEuler are one; only the name for people says which
 * it is, "openEuler 20.03 (LTS-SP1)" or "openEuler 22.03 LTS".  NULL: it can't be told. */
static const char *pack_of(struct document *d, const char *platform)
{
	const char *pack = strstr(platform, "-LTS");

	pack = pack ? pack + 1 : "";
	if (pack[strspn(pack, DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-")])
		return NULL;
	return *pack ? tree_print(d->tree, "[ (]%s($|[ )])", pack) : "";
}

static bool known_system(struct document *d, const char *platform, struct system *s)
{
	enum { PACKS = 1, NAMED = 2, ANY_VERSION = 4 };
	static const struct { const char *start, *id; unsigned how; long least; } known[] = {
		{ "SUSE Linux Enterprise Micro ", SLE, 0, 0 }, { "SUSE Linux Micro ", "^sl-micro", 0, 0 },
		/* what counts from 1 is another product on it: Storage 7, SUSE Manager 4.3 */
		{ "SUSE Linux Enterprise ", SLE, PACKS, 10 }, { "SUSE Package Hub ", SLE, PACKS, 10 },
		{ "SUSE Real Time Module ", SLE, PACKS, 10 },
		{ "openSUSE Tumbleweed", "^opensuse-tumbleweed$", ANY_VERSION, 0 },
		{ "openSUSE Leap Micro ", "leap-micro$", 0, 0 },
		{ "openSUSE Leap ", "^opensuse(-leap)?$", 0, 0 },
		{ "openSUSE Backports SLE-", "^(sle|suse|opensuse-leap$)", PACKS, 0 },
		{ "openSUSE ", "^opensuse$", 0, 0 }, { "openEuler-", "^openEuler$", NAMED, 0 } };
	size_t i = 0, n = sizeof(known) / sizeof(*known);

	while (i < n && strncmp(platform, known[i].start, strlen(known[i].start)) != 0)
		i++;
	if (i == n)
		return false;
	*s = (struct system){ .id = known[i].id, .compare = PD_CMP_EQ };
	if (known[i].how == ANY_VERSION)
		return true;
	s->version = version_of(d, platform, known[i].how == PACKS);
	if (!s->version || strtol(s->version, NULL, 10) < known[i].least)
		return false;
	if (is_for_all_packs(platform, s)) {
		s->compare = PD_CMP_MATCH;
		s->version = tree_print(d->tree, "^%s(\\.|$)", s->version);
	}
	s->name = known[i].how == NAMED ? pack_of(d, platform) : "";
	return s->name;
}

static int os_test(struct document *d, const char *field, enum pd_compare compare, const char *value)
{
	return cvrf_test(d, (struct pd_rule){ .tree = PD_RULES_APPLICABLE, .kind = "os", .field = field,
		.compare = (uint16_t)compare, .value = value });
}

static int system_test(struct document *d, const struct system *s)
{
	if (cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_ALL) || os_test(d, "id", PD_CMP_MATCH, s->id) ||
	    (s->version && os_test(d, "version_id", s->compare, s->version)) ||
	    (s->name && *s->name && os_test(d, "name", PD_CMP_MATCH, s->name)))
		return PD_FAILED;
	return cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

/* A list of packages names no system: then the document is taken to be for it, where
 * all platforms have the same to say of them. */
static int no_system_test(struct document *d, const struct tree_index *names)
{
	if (cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_ALL) ||
	    cvrf_test(d, (struct pd_rule){ .tree = PD_RULES_APPLICABLE, .kind = "os", .field = "id",
					   .negate = 1 }) || cvrf_agree(d, names))
		return PD_FAILED;
	return cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}

void cvrf_tell_platforms(struct document *d)
{
	struct system s;

	for (size_t i = 0; i < d->parts.len && !d->told; i++)
		d->told = known_system(d, d->parts.rows[i].key, &s);
}

int cvrf_platforms(struct document *d, size_t from, size_t to, const struct tree_index *names)
{
	struct system s;

	if (!d->told || (from < to && !*d->parts.rows[from].key)) /* they are sorted */
		return 0;
	if (cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_ANY))
		return PD_FAILED;
	for (size_t i = from; i < to; i++) {
		const char *name = d->parts.rows[i].key;

		if (i > from && strcasecmp(name, d->parts.rows[i - 1].key) == 0)
			continue;
		if (known_system(d, name, &s) ? system_test(d, &s) : cvrf_test(d, (struct pd_rule){
			.tree = PD_RULES_APPLICABLE, .kind = "x-product", .subject = name }))
			return PD_FAILED;
	}
	return no_system_test(d, names) ? PD_FAILED : cvrf_rule(d, PD_RULES_APPLICABLE, PD_RULE_CLOSE);
}
