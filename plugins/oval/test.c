/* SPDX-License-Identifier: MIT */
/* Tests, as groups over rows of facts: which rows an object stands for, how
 * many of them have to be there (check_existence), and how many of those have
 * to be as the states say (check).  OVAL Language Specification 5.11, 5.3.2. */
#include <string.h>

#include "oval.h"

/* The rows that an object stands for. */
struct look {
	const char *type, *kind;
	const uint32_t *names;  /* words; subjects, or with another operation than EQUALS */
	uint32_t n;             /* what is compared with them */
	unsigned operation;
	const char *field, *value;  /* only rows with this in the field; NULL: all */
	unsigned compare;
	/* a test of files, understood as one of facts: what its state asks for */
	const char *asked, *wanted;
	const char *why;            /* what states are not known for; NULL */
};

static const struct entity *entity_of(const struct reader *r, const struct entry *e,
				      const char *name)
{
	for (uint32_t i = 0; i < e->n; i++) {
		const struct entity *x = OVAL_AT(r->entities, struct entity, e->first + i);

		if (strcmp(oval_text(r, x->name), name) == 0)
			return x;
	}
	return NULL;
}

static void state(struct reader *r, const struct look *look, uint32_t id, bool flat)
{
	const struct entry *s = oval_find(r, STATES, id);
	bool group;

	if (!s || s->strange || !s->n || strcmp(oval_text(r, s->type), look->type) != 0) {
		oval_unknown(r, "state %s %s", oval_text(r, id), !s ? "is not in the catalog" :
			     !s->n ? "says nothing" : "is of a form that is not read");
		return;
	}
	group = s->op != PD_RULE_ALL || (!flat && s->n > 1);
	if (group)
		oval_open(r, s->op, false, NULL, NULL);
	for (uint32_t i = 0; i < s->n; i++) {
		const struct entity *e = OVAL_AT(r->entities, struct entity, s->first + i);

		oval_entity(r, look->type, e);
	}
	if (group)
		oval_close(r);
}

/* All that the states ask of a row, in a group that wants all. */
static void states(struct reader *r, const struct look *look, const struct entry *test)
{
	bool flat = test->op == PD_RULE_ALL;

	if (look->why) {
		oval_unknown(r, "%s", look->why);
	} else if (look->asked) {
		/* a list of packages does not say which system they are from */
		oval_open(r, PD_RULE_ANY, false, NULL, NULL);
		if (strcmp(look->kind, "os") == 0)
			oval_exists(r, "os", "id", true);
		oval_compare(r, look->kind, look->asked, PD_CMP_EQ, look->wanted, PD_SCHEME_NONE);
		oval_close(r);
	} else {
		if (!flat)
			oval_open(r, test->op, false, NULL, NULL);
		for (uint32_t i = 0; i < test->n; i++)
			state(r, look, *OVAL_AT(r->refs, uint32_t, test->first + i), flat);
		if (!flat)
			oval_close(r);
	}
}

enum want { THERE, GOOD, BAD }; /* rows; those as the states say; the others */

static void rows_of(struct reader *r, const struct look *look, const struct entry *test,
		    unsigned op, bool negate, enum want want, uint32_t name)
{
	const char *subject = oval_text(r, name);

	oval_open(r, op, negate, look->kind, look->operation == EQUALS ? subject : NULL);
	if (look->operation == PATTERN)
		oval_compare(r, look->kind, "name", PD_CMP_MATCH,
			     oval_pattern(&r->text, subject, WHOLE), PD_SCHEME_NONE);
	if (look->operation == NOT_EQUAL)
		oval_compare(r, look->kind, "name", PD_CMP_NE, subject, PD_SCHEME_NONE);
	if (look->field)
		oval_compare(r, look->kind, look->field, look->compare, look->value, PD_SCHEME_NONE);
	if (want == BAD)
		oval_open(r, PD_RULE_ALL, true, NULL, NULL);
	if (want != THERE)
		states(r, look, test);
	if (want == BAD)
		oval_close(r);
	oval_close(r);
}

/* One leaf or group: is there any such row? */
static void any(struct reader *r, const struct look *look, const struct entry *test, bool negate,
		enum want want)
{
	bool several = look->n > 1;

	if (several)
		oval_open(r, PD_RULE_ANY, negate, NULL, NULL);
	for (uint32_t i = 0; i < look->n; i++)
		rows_of(r, look, test, PD_RULE_ANY, negate && !several, want, look->names[i]);
	if (several)
		oval_close(r);
}

/* Exactly one: of several names one alone has any, and one has one. */
static void one(struct reader *r, const struct look *look, const struct entry *test,
		enum want want)
{
	static const struct { unsigned names, rows; } ways[] = {
		{ PD_RULE_ONE, PD_RULE_ANY }, { PD_RULE_ANY, PD_RULE_ONE } };

	if (look->n == 1) {
		rows_of(r, look, test, PD_RULE_ONE, false, want, look->names[0]);
		return;
	}
	oval_open(r, PD_RULE_ALL, false, NULL, NULL);
	for (size_t w = 0; w < sizeof(ways) / sizeof(*ways); w++) {
		oval_open(r, ways[w].names, false, NULL, NULL);
		for (uint32_t i = 0; i < look->n; i++)
			rows_of(r, look, test, ways[w].rows, false, want, look->names[i]);
		oval_close(r);
	}
	oval_close(r);
}

static void check(struct reader *r, const struct look *look, const struct entry *test)
{
	if (test->check == ONLY_ONE)
		one(r, look, test, GOOD);
	else
		any(r, look, test, test->check != AT_LEAST_ONE, test->check == ALL_OF ? BAD : GOOD);
}

static void by_rows(struct reader *r, const struct look *look, const struct entry *test,
		    bool negate)
{
	bool simple = !test->n || test->check == AT_LEAST_ONE;

	if (test->existence == NONE_EXIST) {
		any(r, look, test, !negate, THERE);
		return;
	}
	if (test->existence == AT_LEAST_ONE_EXISTS && simple) {
		any(r, look, test, negate, test->n ? GOOD : THERE);
		return;
	}
	if (test->existence == ANY_EXIST) {
		oval_open(r, test->n ? PD_RULE_ANY : PD_RULE_ALL, negate, NULL, NULL);
		if (test->n)
			any(r, look, test, true, THERE);
	} else {
		oval_open(r, PD_RULE_ALL, negate, NULL, NULL);
		if (test->existence == ONLY_ONE_EXISTS)
			one(r, look, test, THERE);
		else
			any(r, look, test, false, THERE);
	}
	if (test->n)
		check(r, look, test);
	oval_close(r);
}

static bool of_packages(const char *type)
{
	return strcmp(type, "rpminfo") == 0 || strcmp(type, "dpkginfo") == 0;
}

/* The names of an object of packages.  false: they can't be told. */
static bool package_names(struct reader *r, const struct entry *object, struct look *look)
{
	const struct entity *name = entity_of(r, object, "name");
	const struct entity *arch = entity_of(r, object, "arch");

	if (!name || object->n != (arch ? 2 : 1) || object->strange)
		return false;
	if (arch) {
		look->field = "arch";
		look->compare = PD_CMP_MATCH;
		look->value = pd_format(r->ctx, "^(%s|all)$", oval_text(r, arch->value));
	}
	look->kind = "packages";
	look->names = oval_values(r, name, &look->n);
	look->operation = name->operation;
	if (!look->names || (look->n > 1 && name->var_check != AT_LEAST_ONE) ||
	    (name->operation != EQUALS && name->operation != PATTERN &&
	     (name->operation != NOT_EQUAL || look->n > 1 || strcmp(look->type, "rpminfo") != 0)))
		return false;
	for (uint32_t i = 0; i < look->n && look->operation == PATTERN; i++)
		if (!oval_pattern(&r->text, oval_text(r, look->names[i]), WHOLE))
			return false;
	return true;
}

/* Of several names only those that a package has. */
static void wanted_names(struct reader *r, struct look *look)
{
	uint32_t *names = pd_alloc_for(r->ctx, look->n * sizeof(*names)), n = 0;

	for (uint32_t i = 0; i < look->n; i++)
		if (pd_package_wanted(r->ctx, oval_text(r, look->names[i])))
			names[n++] = look->names[i];
	look->names = names;
	look->n = n;
}

/* Which package owns /etc/redhat-release, facts do not tell: one that is named
 * after it.  Where no system is named either, as in a list of packages, the
 * catalog is taken to be for it. */
static void release_file(struct reader *r, struct look *look, const struct entry *test,
			 bool negate)
{
	bool none = test->check == NONE_OF;

	look->field = "name";
	look->compare = PD_CMP_MATCH;
	look->value = "release";
	oval_open(r, PD_RULE_ANY, negate != none, NULL, NULL);
	any(r, look, test, false, GOOD);
	oval_open(r, PD_RULE_ALL, false, NULL, NULL);
	oval_exists(r, "os", "id", true);
	any(r, look, test, true, THERE);
	oval_close(r);
	oval_close(r);
}

/* A path, in one or in two; NULL: none. */
static const char *path_of(struct reader *r, const struct entry *object)
{
	const struct entity *all = entity_of(r, object, "filepath");
	const struct entity *folder = entity_of(r, object, "path");
	const struct entity *file = entity_of(r, object, "filename");

	if (all && !all->variable && all->operation == EQUALS)
		return oval_text(r, all->value);
	if (!folder || !file || folder->variable || file->variable ||
	    folder->operation != EQUALS || file->operation != EQUALS)
		return NULL;
	return pd_format(r->ctx, "%s/%s", oval_text(r, folder->value), oval_text(r, file->value));
}

/* The only entity of the only state, compared for being equal or matching. */
static const struct entity *only_entity(const struct reader *r, const struct entry *test,
					const char *name, enum operation operation)
{
	const struct entry *s = test->n == 1 ?
		oval_find(r, STATES, *OVAL_AT(r->refs, uint32_t, test->first)) : NULL;
	const struct entity *e = s && s->n == 1 && !s->strange ? entity_of(r, s, name) : NULL;

	return e && !e->variable && e->operation == operation ? e : NULL;
}

/* Files that name the system: what of them is a fact. */
static bool system_file(struct reader *r, const char *path, const char *pattern,
			const struct entry *test, struct look *look)
{
	static const struct { const char *path, *key, *field; } known[] = {
		{ "/etc/lsb-release", "DISTRIB_CODENAME=(", "codename" },
		{ "/etc/lsb-release", "DISTRIB_RELEASE=(", "version_id" },
		{ "/etc/os-release", "VERSION_CODENAME=(", "codename" },
		{ "/etc/os-release", "VERSION_ID=\"(", "version_id" },
		{ "/etc/os-release", "VERSION_ID=(", "version_id" },
		{ "/etc/os-release", "^ID=(", "id" },
		{ "/etc/debian_version", "(\\d+)", "version_id" } };
	const struct entity *e = only_entity(r, test, "subexpression", EQUALS);

	if (!e || (strchr(pattern, '(') != strrchr(pattern, '(')))
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(path, known[i].path) == 0 && strstr(pattern, known[i].key)) {
			look->kind = "os";
			look->asked = known[i].field;
			look->wanted = oval_text(r, e->value);
			return true;
		}
	return false;
}

/* The stream that dnf's file of a module has to name, as Red Hat asks for it. */
static const char *stream_of(struct reader *r, const char *pattern)
{
	static const char before[] = "stream\\s*=\\s*", enabled[] = "state\\s*=\\s*(enabled|1|true)";
	const char *s = strstr(pattern, before), *end = s ? strstr(s, "\\b") : NULL;
	char *stream, *to;

	if (!end || !strstr(pattern, enabled))
		return NULL;
	to = stream = pd_alloc_for(r->ctx, (size_t)(end - s) + 1);
	for (s += sizeof(before) - 1; s < end; s++)
		if (*s != '\\')
			*to++ = *s;
	return strpbrk(stream, "[]()*+?|^$") ? NULL : stream;
}

static bool module_file(struct reader *r, const char *path, const struct entry *test,
			struct look *look)
{
	static const char folder[] = "/etc/dnf/modules.d/", ending[] = ".module";
	const struct entity *e = only_entity(r, test, "text", PATTERN);
	size_t len = strlen(path), outer = sizeof(folder) + sizeof(ending) - 2;

	if (!e || len <= outer || strncmp(path, folder, sizeof(folder) - 1) != 0 ||
	    strcmp(path + len - sizeof(ending) + 1, ending) != 0)
		return false;
	look->kind = "x-modules";
	look->field = "name";
	look->value = pd_format(r->ctx, "%.*s", (int)(len - outer), path + sizeof(folder) - 1);
	look->asked = "enabled";
	look->wanted = stream_of(r, oval_text(r, e->value));
	return look->wanted;
}

static bool text_file(struct reader *r, const struct entry *object, const struct entry *test,
		      struct look *look)
{
	const struct entity *pattern = entity_of(r, object, "pattern");
	const char *path = path_of(r, object);

	look->compare = PD_CMP_EQ;
	if (!path || !pattern || object->strange)
		return false;
	if (system_file(r, path, oval_text(r, pattern->value), test, look) ||
	    module_file(r, path, test, look))
		return true;
	look->kind = "x-files";
	look->field = "path";
	look->value = path;
	look->asked = look->wanted = NULL;
	look->why = pd_format(r->ctx, "the text of %.300s is not looked at", path);
	return true;
}

/* false: it is none that facts answer. */
static bool find_look(struct reader *r, const struct entry *test, const struct entry *object,
		      struct look *look)
{
	static const uint32_t nameless[] = { 0 };
	const char *type = look->type;

	look->names = nameless;
	look->n = 1;
	if (of_packages(type)) {
		if (!package_names(r, object, look))
			return false;
		if (look->n > 1 && look->operation == EQUALS)
			wanted_names(r, look);
		return true;
	}
	if (strcmp(type, "textfilecontent54") == 0)
		return text_file(r, object, test, look);
	look->kind = strcmp(type, "uname") == 0 ? "kernel" :
		     strcmp(type, "family") == 0 ? "os" : NULL;
	return look->kind && !object->strange;
}

static bool is_release(struct reader *r, const struct entry *test, const struct entry *object)
{
	const char *path = path_of(r, object);

	return path && strncmp(path, "/etc/", 5) == 0 && strstr(path, "-release") && test->n &&
	       test->existence == AT_LEAST_ONE_EXISTS &&
	       (test->check == AT_LEAST_ONE || test->check == NONE_OF);
}

static bool is_read(const struct entry *test)
{
	return test->check != OTHER_CHECK && test->existence != OTHER_EXISTENCE && !test->strange;
}

void oval_settle(struct reader *r, struct entry *test)
{
	const struct entry *object = oval_find(r, OBJECTS, test->object);
	struct look look = { .type = oval_text(r, test->type) };

	test->settled = OPEN;
	if (!object || !of_packages(look.type) || !package_names(r, object, &look) ||
	    look.operation != EQUALS)
		return;
	test->packages = look.n;
	test->package = look.names[0];
	for (uint32_t i = 0; i < look.n; i++)
		if (pd_package_wanted(r->ctx, oval_text(r, look.names[i])))
			return;
	if (is_read(test) && object->type == test->type)
		test->settled = test->existence == NONE_EXIST ||
				test->existence == ANY_EXIST ? ALWAYS : NEVER;
}

void oval_test(struct reader *r, const struct entry *test, bool negate)
{
	const struct entry *object = oval_find(r, OBJECTS, test->object);
	struct look look = { .type = oval_text(r, test->type), .kind = "packages", .n = 1,
			     .names = (const uint32_t[]){ 0 } };
	const char *id = oval_text(r, test->id);

	if (!is_read(test))
		oval_unknown(r, "%s %s is of a form that is not read", look.type, id);
	else if (!object && test->object)
		oval_unknown(r, "object %s of %s is not in the catalog", oval_text(r, test->object), id);
	else if (object && object->type != test->type)
		oval_unknown(r, "%s has an object of another type", id);
	else if (object && strcmp(look.type, "rpmverifyfile") == 0 && is_release(r, test, object))
		release_file(r, &look, test, negate);
	else if (object && find_look(r, test, object, &look))
		by_rows(r, &look, test, negate);
	else if (!object || !oval_kernel(r, test, object, negate))
		oval_unknown(r, "facts do not answer the %s_test %s", look.type, id);
}

void oval_packages(struct reader *r, const struct entry *test, uint32_t mark)
{
	const struct entry *object = oval_find(r, OBJECTS, test->object);
	struct look look = { .type = oval_text(r, test->type) };

	if (!object || !of_packages(look.type) || !package_names(r, object, &look) ||
	    look.operation != EQUALS)
		return;
	for (uint32_t i = 0; i < look.n; i++) {
		struct word *w = look.names[i] ?
			OVAL_AT(r->words, struct word, look.names[i] - 1) : NULL;

		if (!w || w->mark == mark)
			continue;
		w->mark = mark;
		if (pd_package_wanted(r->ctx, oval_text(r, look.names[i])))
			oval_rule(r, &(struct pd_rule){ .op = PD_RULE_TEST, .kind = "packages",
							.subject = oval_text(r, look.names[i]) });
	}
}
