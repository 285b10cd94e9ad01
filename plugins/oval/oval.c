/* SPDX-License-Identifier: MIT */
/* The plugin oval: the reader of OVAL definitions, as Red Hat, SUSE, Oracle,
 * Ubuntu, Debian and Photon publish them. */
#include <stdlib.h>
#include <string.h>

#include "oval.h"

#define NAMESPACE "http://oval.mitre.org/XMLSchema/oval-definitions-5"

/* What is held in memory at most. */
static const size_t HELD_MAX = (size_t)1 << 30;

#define CHOOSE(words, text, otherwise) \
	choose(words, sizeof(words) / sizeof(*(words)), text, otherwise)

static uint8_t choose(const char *const *words, size_t n, const char *text, unsigned otherwise)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], text) == 0)
			return (uint8_t)i;
	return (uint8_t)otherwise;
}

static uint32_t word_of(struct reader *r, const struct pd_xml_attr *attrs, size_t n,
			const char *name)
{
	const char *value = oval_attribute(attrs, n, name);

	return value && *value ? oval_word(r, value) : 0;
}

static uint8_t check_of(const struct pd_xml_attr *attrs, size_t n, const char *name,
			unsigned otherwise)
{
	static const char *const words[] = { "all", "at least one", "none satisfy", "only one",
					     "none exist" };
	const char *value = oval_attribute(attrs, n, name);
	unsigned found = value ? CHOOSE(words, value, OTHER_CHECK) : otherwise;

	return (uint8_t)(value && strcmp(value, "none exist") == 0 ? NONE_OF : found);
}

static uint8_t existence_of(const struct pd_xml_attr *attrs, size_t n)
{
	static const char *const words[] = { "at_least_one_exists", "any_exist", "none_exist",
					     "only_one_exists" };
	const char *value = oval_attribute(attrs, n, "check_existence");

	return !value || strcmp(value, "all_exist") == 0 ? AT_LEAST_ONE_EXISTS :
	       CHOOSE(words, value, OTHER_EXISTENCE);
}

/* 0: there is no such operator. */
static uint8_t operator_of(const struct pd_xml_attr *attrs, size_t n, const char *name)
{
	static const char *const words[] = { "AND", "OR", "ONE", "XOR" };
	static const uint8_t ops[] = { PD_RULE_ALL, PD_RULE_ANY, PD_RULE_ONE, PD_RULE_ODD, 0 };
	const char *value = oval_attribute(attrs, n, name);

	return ops[value ? CHOOSE(words, value, 4) : 0];
}

static void add_node(struct reader *r, unsigned op, bool negate, uint32_t ref)
{
	OVAL_ADD(&r->nodes, (&(struct node){ .op = (uint8_t)op, .negate = negate, .ref = ref }));
}

/* ------------------------------------------------------------- definitions */

static void start_definition(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *class = oval_attribute(attrs, n, "class");

	struct definition d = { .id = word_of(r, attrs, n, "id"),
				.revision = word_of(r, attrs, n, "version"),
				.line = pd_xml_line(r->ctx), .first = (uint32_t)r->nodes.len,
				.first_link = (uint32_t)r->links.len,
				.patch = class && strcmp(class, "patch") == 0,
				.vulnerability = class && strcmp(class, "vulnerability") == 0 };

	OVAL_ADD(&r->definitions, &d);
	r->criteria = 0;
}

static bool negated(const struct pd_xml_attr *attrs, size_t n)
{
	const char *value = oval_attribute(attrs, n, "negate");

	return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

static void add_use(struct reader *r, unsigned op, bool negate, uint32_t ref)
{
	add_node(r, op, negate, ref);
	if (ref)
		OVAL_AT(r->words, struct word, ref - 1)->uses++;
}

/* Below <criteria> there is nothing else. */
static void start_criteria(struct reader *r, const char *name, const struct pd_xml_attr *attrs,
			   size_t n)
{
	bool negate = negated(attrs, n);
	uint8_t op;

	if (strcmp(name, "criterion") == 0) {
		add_use(r, PD_RULE_TEST, negate, word_of(r, attrs, n, "test_ref"));
	} else if (strcmp(name, "extend_definition") == 0) {
		add_use(r, PD_RULE_CALL, negate, word_of(r, attrs, n, "definition_ref"));
	} else if (strcmp(name, "criteria") == 0) {
		op = operator_of(attrs, n, "operator");
		r->criteria++;
		add_node(r, op ? op : PD_RULE_ALL, negate, 0);
		if (!op)
			add_node(r, PD_RULE_UNKNOWN, false, 0);
	}
}

static void end_criteria(struct reader *r)
{
	const struct node *last = OVAL_LAST(r->nodes, struct node);

	/* Nothing is neither true nor false. */
	if (last->op != PD_RULE_CLOSE && last->op != PD_RULE_TEST && last->op != PD_RULE_CALL &&
	    last->op != PD_RULE_UNKNOWN)
		add_node(r, PD_RULE_UNKNOWN, false, 0);
	add_node(r, PD_RULE_CLOSE, false, 0);
	r->criteria--;
}

static void end_definition(struct reader *r)
{
	struct definition *d = OVAL_LAST(r->definitions, struct definition);

	d->n = (uint32_t)r->nodes.len - d->first;
}

/* -------------------------------------- tests, objects, states, variables */

/* "rpminfo_test" is of the type rpminfo, as are its object and its state. */
static uint32_t type_of(struct reader *r, const char *name)
{
	const char *end = strrchr(name, '_');
	size_t len = end ? (size_t)(end - name) : strlen(name);

	r->text.len = 0;
	oval_append(&r->text, name, len);
	oval_append(&r->text, "", 1);
	return oval_word(r, r->text.data);
}

static void start_entry(struct reader *r, const char *name, const struct pd_xml_attr *attrs,
			size_t n)
{
	struct rows *list = &r->entries[r->section];
	struct entry e = { .id = word_of(r, attrs, n, "id"), .type = type_of(r, name),
			   .line = pd_xml_line(r->ctx),
			   .check = check_of(attrs, n, "check", ALL_OF),
			   .existence = existence_of(attrs, n),
			   .op = operator_of(attrs, n, r->section == TESTS ? "state_operator" :
					     "operator") };
	struct word *w = e.id ? OVAL_AT(r->words, struct word, e.id - 1) : NULL;
	bool refs = r->section == TESTS || r->section == VARIABLES;

	e.first = (uint32_t)(refs ? r->refs.len : r->entities.len);
	e.strange = !e.op || (r->section == VARIABLES && strcmp(name, "constant_variable") != 0);
	r->entry = OVAL_ADD(list, &e);
	if (w && !w->entries[r->section])
		w->entries[r->section] = (uint32_t)list->len;
	else
		pd_ignored(r->ctx, e.line, w ? "a test, object, state or variable whose id is there "
			   "before" : "a test, object, state or variable without an id");
}

static uint8_t operation_of(const struct pd_xml_attr *attrs, size_t n)
{
	static const char *const words[] = { "equals", "not equal", "greater than",
		"greater than or equal", "less than", "less than or equal", "pattern match",
		"case insensitive equals", "case insensitive not equal" };
	const char *value = oval_attribute(attrs, n, "operation");

	return value ? CHOOSE(words, value, OTHER_OPERATION) : EQUALS;
}

static uint8_t datatype_of(const struct pd_xml_attr *attrs, size_t n)
{
	static const char *const words[] = { "string", "evr_string", "debian_evr_string", "int",
					     "version" };
	const char *value = oval_attribute(attrs, n, "datatype");

	return value ? CHOOSE(words, value, OTHER_DATATYPE) : TEXT;
}

static void start_entity(struct reader *r, const char *name, const struct pd_xml_attr *attrs,
			 size_t n)
{
	if (strcmp(name, "set") == 0 || strcmp(name, "filter") == 0)
		r->entry->strange = true;
	r->entity = (struct entity){
		.name = oval_word(r, name), .variable = word_of(r, attrs, n, "var_ref"),
		.operation = operation_of(attrs, n),
		.check = check_of(attrs, n, "entity_check", ALL_OF),
		.var_check = check_of(attrs, n, "var_check", ALL_OF),
		.datatype = datatype_of(attrs, n) };
}

static void add_value(struct reader *r, const char *text)
{
	uint32_t value = oval_word(r, text);

	OVAL_ADD(&r->refs, &value);
	r->entry->n++;
}

/* Of a variable that is no constant: what its elements are and refer to. */
static void start_component(struct reader *r, const char *name, const struct pd_xml_attr *attrs,
			    size_t n)
{
	static const char *const told[] = { "pattern", "item_field", "object_ref" };

	add_value(r, name);
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
		const char *value = oval_attribute(attrs, n, told[i]);

		if (value)
			add_value(r, value);
	}
}

static void start_part(struct reader *r, const char *name, const struct pd_xml_attr *attrs,
		       size_t n)
{
	uint32_t ref;

	if (r->section == OBJECTS || r->section == STATES) {
		start_entity(r, name, attrs, n);
	} else if (r->section == TESTS && strcmp(name, "object") == 0) {
		r->entry->object = word_of(r, attrs, n, "object_ref");
	} else if (r->section == TESTS && strcmp(name, "state") == 0) {
		ref = word_of(r, attrs, n, "state_ref");
		OVAL_ADD(&r->refs, &ref);
		r->entry->n++;
	}
}

/* A name of dpkg may have an architecture, NAME:ARCH: that is an entity of its own. */
static void end_entity(struct reader *r, const char *name, const char *text)
{
	struct entity arch = {0};
	size_t len = strcspn(text, ":");
	const char *after = text[len] ? text + len + 1 : "";
	bool split = *after && !after[strspn(after, "abcdefghijklmnopqrstuvwxyz0123456789-")] &&
		     r->section == OBJECTS && strcmp(name, "name") == 0 && !r->entity.variable &&
		     r->entity.operation == EQUALS && strcmp(oval_text(r, r->entry->type), "dpkginfo") == 0;

	if (split) {
		arch.name = oval_word(r, "arch");
		arch.value = oval_word(r, after);
		r->entity.value = oval_word(r, pd_format(r->ctx, "%.*s", (int)len, text));
		OVAL_ADD(&r->entities, &arch);
		r->entry->n++;
	}
	OVAL_ADD(&r->entities, &r->entity);
	r->entry->n++;
}

static void end_part(struct reader *r, const char *name, const char *text)
{
	bool entity = r->section == OBJECTS || r->section == STATES;

	if (r->section == VARIABLES && (strcmp(name, "value") == 0 ||
					strcmp(name, "literal_component") == 0)) {
		add_value(r, text);
	} else if (entity && strcmp(name, "behaviors") != 0) {
		r->entity.value = oval_word(r, text);
		end_entity(r, name, text);
	}
}

/* ------------------------------------------------------------ the document */

static enum section section_of(const char *name)
{
	static const char *const words[] = { "tests", "objects", "states", "variables",
					     "definitions" };

	return CHOOSE(words, name, NO_SECTION);
}

static bool is_full(const struct reader *r)
{
	return r->texts.len + r->told.len + r->links.len * sizeof(struct link) +
	       r->nodes.len * sizeof(struct node) + r->words.len * sizeof(struct word) +
	       r->definitions.len * sizeof(struct definition) +
	       (r->entities.len + r->refs.len) * sizeof(struct entity) > HELD_MAX;
}

/* Of notes and the like nothing is read. */
static int start_in_definition(struct reader *r, const char *name,
			       const struct pd_xml_attr *attrs, size_t n)
{
	bool criteria = r->criteria || (r->depth == 4 && strcmp(name, "criteria") == 0);

	r->asked = false;
	if (r->depth == 3)
		start_definition(r, attrs, n);
	else if (criteria)
		start_criteria(r, name, attrs, n);
	else if (r->depth == 4)
		return strcmp(name, "metadata") == 0 ? 0 : PD_XML_SKIP;
	else
		oval_head_start(r, name, attrs, n);
	return 0;
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		    const struct pd_xml_attr *attrs, size_t n)
{
	struct reader *r = user;
	unsigned depth = ++r->depth;

	if (depth == 1 && (strcmp(name, "oval_definitions") != 0 || !ns ||
			   strcmp(ns, NAMESPACE) != 0))
		return pd_fail(ctx, PD_FAILED, "the document starts with <%s> and is no "
			       "oval_definitions of OVAL 5", name);
	if (is_full(r))
		return pd_fail(ctx, PD_FAILED, "the catalog is larger than any real one");
	r->text.len = 0;
	r->asked = r->section == OBJECTS || r->section == STATES || r->section == VARIABLES ||
		   r->section == NO_SECTION;
	if (depth == 2)
		r->section = section_of(name);
	else if (depth < 3 || r->section == NO_SECTION)
		return 0;
	else if (r->section == DEFINITIONS)
		return start_in_definition(r, name, attrs, n);
	else if (depth == 3)
		start_entry(r, name, attrs, n);
	else if (r->section == VARIABLES && r->entry->strange)
		start_component(r, name, attrs, n);
	else if (depth == 4)
		start_part(r, name, attrs, n);
	else
		r->entry->strange |= r->section == OBJECTS || r->section == STATES;
	r->text.len = 0;
	return 0;
}

static int on_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct reader *r = user;

	(void)ctx;
	if (r->asked)
		oval_append(&r->text, text, len);
	return 0;
}

/* Of the element that ends. */
static const char *text_of(struct reader *r)
{
	oval_append(&r->text, "", 1);
	return r->text.data;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reader *r = user;
	unsigned depth = r->depth--;

	(void)ctx, (void)ns;
	if (depth == 3 && r->section == NO_SECTION && strcmp(name, "product_name") == 0)
		r->product = oval_word(r, text_of(r));
	else if (depth < 3 || r->section == NO_SECTION)
		return 0;
	else if (r->section != DEFINITIONS && (depth == 4 || r->section == VARIABLES))
		end_part(r, name, text_of(r));
	else if (r->section == DEFINITIONS && depth == 3)
		end_definition(r);
	else if (r->section == DEFINITIONS && !r->criteria)
		oval_head_end(r, r->asked ? text_of(r) : "");
	else if (r->section == DEFINITIONS && strcmp(name, "criteria") == 0)
		end_criteria(r);
	r->text.len = 0;
	r->asked = false;
	return 0;
}

static int read_catalog(struct pd_ctx *ctx)
{
	struct reader r = { .ctx = ctx, .section = NO_SECTION, .tree = PD_RULES_APPLICABLE };
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = &r,
					  .start = on_start, .end = on_end, .text = on_text,
					  .passed = oval_passed, .flags = PD_XML_LEAVES };
	int result = pd_xml(ctx, &handler);

	if (!result)
		result = oval_emit_all(&r);
	oval_free(&r);
	return result;
}

/* The root and the namespace stand there as text, in UTF-16 with NULs. */
static int recognize(const unsigned char *head, size_t len)
{
	static char text[65536];
	size_t n = 0;

	for (size_t i = 0; i < len && n < sizeof(text); i++)
		if (head[i])
			text[n++] = (char)head[i];
	return memmem(text, n, "oval_definitions", 16) &&
	       memmem(text, n, NAMESPACE, sizeof(NAMESPACE) - 1) ? 95 : 0;
}

static const struct pd_reader reader = {
	PD_READER,
	.name = "oval",
	.help = "OVAL definitions of Linux vendors",
	.recognize = recognize,
	.read = read_catalog,
};

static const struct pd_reader *const readers[] = { &reader, NULL };
static const struct pd_scanner *const scanners[] = { &oval_modules, NULL };

PD_PLUGIN(
	.name = "oval",
	.version = "1.0",
	.help = "OVAL definitions: patches, vulnerabilities, inventory",
	.readers = readers,
	.scanners = scanners,
);
