/* SPDX-License-Identifier: MIT */
/* The version of the kernel that runs, as Ubuntu's notices ask for it: a variable
 * of "0:" and what a pattern captures of uname's os_release, all but the flavour,
 * beside the version that mends it. */
#include <string.h>

#include "oval.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Is it the variable of the version that runs? */
static bool is_running(const struct reader *r, const struct entry *v)
{
	static const char *const parts[] = { "concat", "literal_component", "0:", "regex_capture",
					     "^([\\d|\\.]+-\\d+)[-|\\w]+$", "object_component",
					     "os_release" };
	const struct entry *object;

	if (!v || v->n != COUNT(parts) + 1 || strcmp(oval_text(r, v->type), "local") != 0)
		return false;
	for (uint32_t i = 0; i < COUNT(parts); i++) {
		const char *part = oval_text(r, *OVAL_AT(r->refs, uint32_t, v->first + i));

		/* the pattern stands with "^" and without */
		if (strcmp(part, parts[i]) != 0 && (*parts[i] != '^' || strcmp(part, parts[i] + 1) != 0))
			return false;
	}
	object = oval_find(r, OBJECTS, *OVAL_AT(r->refs, uint32_t, v->first + COUNT(parts)));
	return object && !object->n && strcmp(oval_text(r, object->type), "uname") == 0;
}

static const struct entity *only(const struct reader *r, const struct entry *e, const char *name)
{
	const struct entity *x = e && e->n == 1 && !e->strange ?
		OVAL_AT(r->entities, struct entity, e->first) : NULL;

	return x && x->check == ALL_OF && strcmp(oval_text(r, x->name), name) == 0 ? x : NULL;
}

/* The version that is more than the one that runs if the test is true; NULL: it is
 * another test. */
static const char *version_of(const struct reader *r, const struct entry *test,
			      const struct entry *object)
{
	const struct entry *state = test->n == 1 ?
		oval_find(r, STATES, *OVAL_AT(r->refs, uint32_t, test->first)) : NULL;
	const struct entity *ref = only(r, object, "var_ref"), *value = only(r, state, "value");
	const struct entry *asked = ref ? oval_find(r, VARIABLES, ref->value) : NULL, *other;

	if (!asked || !value || state->type != test->type || value->datatype != DEBIAN_EVR)
		return NULL;
	if (value->operation == LESS && !value->variable && is_running(r, asked))
		return oval_text(r, value->value);
	other = oval_find(r, VARIABLES, value->variable);
	return value->operation == GREATER && !asked->strange && asked->n == 1 &&
	       value->var_check <= AT_LEAST_ONE && is_running(r, other) ?
	       oval_text(r, *OVAL_AT(r->refs, uint32_t, asked->first)) : NULL;
}

/* With a flavour behind it in the place of the revision, what runs is older than that
 * version with a revision of 0 just where it is older without both. */
bool oval_kernel(struct reader *r, const struct entry *test, const struct entry *object,
		 bool negate)
{
	const char *version = strcmp(oval_text(r, test->type), "variable") == 0 &&
			      test->check <= AT_LEAST_ONE && test->existence == AT_LEAST_ONE_EXISTS ?
			      version_of(r, test, object) : NULL;
	const char *dash = version ? strchr(version, '-') : NULL;

	if (!dash || strncmp(version, "0:", 2) != 0 || dash == version + 2 || !dash[1] ||
	    strchr(dash + 1, '-') || version[2 + strspn(version + 2, "0123456789.~-")])
		return false;
	oval_open(r, PD_RULE_ALL, negate, NULL, NULL);
	oval_exists(r, "kernel", "release", false);
	oval_known(r, "^[0-9.]+-[0-9]+-[-A-Za-z0-9_]+$",
		   &(struct pd_rule){ .op = PD_RULE_TEST, .kind = "kernel", .field = "release",
				      .compare = PD_CMP_LT, .scheme = PD_SCHEME_DEB,
				      .value = pd_format(r->ctx, "%s-0", version + 2) },
		   "the release of the kernel is of a form that is not read");
	oval_close(r);
	return true;
}
