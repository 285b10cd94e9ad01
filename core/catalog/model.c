/* SPDX-License-Identifier: MIT */
/* Building the update model: checked rows into one arena. */
#include "catalog/model.h"

#include "base/text.h"

enum {
	BLOCK = 65536,
	ROWS_MAX = 1 << 20, /* of one kind in one update */
	DEPTH_MAX = 64,     /* of rules */
	ID_MAX = 256
};
static const size_t ARENA_MAX = (size_t)1 << 30;

struct pd_arena_block {
	struct pd_arena_block *next;
	size_t used, size;
	max_align_t data[];
};

static void *take(struct pd_arena *arena, size_t bytes)
{
	struct pd_arena_block *block = arena->blocks;
	size_t need = (bytes + 15) & ~(size_t)15;
	void *place;

	if (!block || block->size - block->used < need) {
		size_t size = need > BLOCK ? need : BLOCK;

		block = pd_alloc(sizeof(*block) + size);
		block->size = size;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	place = (char *)block->data + block->used;
	block->used += need;
	arena->bytes += need;
	return place;
}

/* The same text is kept once; NULL is the empty one. */
static const char *keep(struct pd_arena *arena, const char *s)
{
	const struct pd_index_slot *slot;
	size_t len;
	char *copy;

	if (!s || !*s)
		return "";
	slot = pd_index_find(&arena->strings, s);
	if (slot)
		return slot->key;
	len = strlen(s) + 1;
	copy = take(arena, len);
	memcpy(copy, s, len);
	pd_index_put(&arena->strings, copy, 0);
	return copy;
}

struct pd_catalog *pd_catalog_new(const char *name, const char *format)
{
	struct pd_catalog *c = pd_alloc(sizeof(*c));

	c->name = pd_strdup(name);
	c->format = pd_strdup(format);
	c->arena = pd_alloc(sizeof(*c->arena));
	return c;
}

void pd_catalog_free(struct pd_catalog *c)
{
	struct pd_arena_block *next;

	if (!c)
		return;
	for (struct pd_arena_block *b = c->arena->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	pd_index_clear(&c->arena->strings);
	pd_index_clear(&c->arena->ids);
	free(c->arena);
	free(c->name);
	free(c->format);
	free(c->path);
	free(c->updates);
	pd_strings_clear(&c->notes);
	free(c);
}

void pd_catalogs_clear(struct pd_catalogs *list)
{
	for (size_t i = 0; i < list->len; i++)
		pd_catalog_free(list->items[i]);
	free(list->items);
	*list = (struct pd_catalogs){0};
}

int64_t pd_catalog_find(const struct pd_catalog *c, const char *id)
{
	const struct pd_index_slot *slot = pd_index_find(&c->arena->ids, id);

	return slot ? (int64_t)slot->value : -1;
}

void pd_catalog_ignore(struct pd_catalog *c, unsigned line, const char *what)
{
	c->ignored++;
	if (c->notes.len < 100)
		pd_strings_add_take(&c->notes, line ?
			pd_print("%s:%u: %s", c->name, line, what) :
			pd_print("%s: %s", c->name, what));
}

static bool PD_PRINTF(3, 4)
refuse(struct pd_builder *b, struct pd_error **err, const char *fmt, ...)
{
	pd_auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	b->open = false;
	return pd_error_at(err, "catalog-update", b->catalog->name,
			   b->line ? b->line : b->now.line, b->column,
			   "%s%s%s%s", b->now.id ? "update " : "",
			   b->now.id ? b->now.id : "", b->now.id ? ": " : "", text);
}

/* Names that people type and that stand in messages. */
static bool is_id(const char *s)
{
	size_t len = strlen(s);

	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			return false;
	return len > 0 && len <= ID_MAX;
}

static bool all_utf8(const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (texts[i] && !pd_utf8_valid(texts[i], strlen(texts[i])))
			return false;
	return true;
}
#define UTF8(...)                                          \
	all_utf8((const char *const[]){ __VA_ARGS__ },     \
		 sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static bool begin(struct pd_builder *b, const struct pd_update_head *h,
		  struct pd_error **err)
{
	struct pd_catalog_update *u = &b->now;
	struct pd_arena *a = b->catalog->arena;
	bool nested = b->open;

	u->id = NULL;
	u->line = h->line;
	if (nested)
		return refuse(b, err, "it starts before the one before it ended");
	if (!h->id || !is_id(h->id) || !UTF8(h->id))
		return refuse(b, err, "an update needs an id of 1 to %d characters", ID_MAX);
	u->id = keep(a, h->id);
	if (!UTF8(h->revision, h->title, h->description, h->url, h->vendor, h->severity_text))
		return refuse(b, err, "its text is not valid UTF-8");
	if (h->severity > PD_SEVERITY_CRITICAL || h->kind > PD_CLASS_BUNDLE ||
	    h->status > PD_STATUS_RETIRED || h->restart > PD_RESTART_REBOOT)
		return refuse(b, err, "its severity, kind, status or restart is out of range");
	u->revision = keep(a, h->revision);
	u->title = keep(a, h->title);
	u->description = keep(a, h->description);
	u->url = keep(a, h->url);
	u->vendor = keep(a, h->vendor);
	u->severity_text = keep(a, h->severity_text);
	u->severity = (uint8_t)h->severity;
	u->kind = (uint8_t)h->kind;
	u->status = (uint8_t)h->status;
	u->restart = (uint8_t)h->restart;
	u->interactive = h->interactive;
	u->permanent = h->permanent;
	u->issued = h->issued;
	u->updated = h->updated;
	u->disk_bytes = h->disk_bytes;
	u->expected = h->expected;
	u->n_packages = u->n_payloads = u->n_relations = 0;
	u->n_installers = u->n_exits = u->n_rules = 0;
	b->depth = 0;
	b->open = true;
	return true;
}

static bool relation(struct pd_builder *b, const struct pd_relation *r,
		     struct pd_error **err)
{
	struct pd_catalog_update *u = &b->now;
	struct pd_arena *a = b->catalog->arena;

	if (r->kind < PD_REL_ALIAS || r->kind > PD_REL_REFERENCE || !r->target ||
	    !*r->target || !UTF8(r->target, r->revision, r->title))
		return refuse(b, err, "a relation has no target");
	pd_grow(u->relations, u->n_relations, b->caps[0]);
	u->relations[u->n_relations++] = (struct pd_catalog_relation){
		(uint8_t)r->kind, keep(a, r->target), keep(a, r->revision),
		keep(a, r->title) };
	return true;
}

static bool package(struct pd_builder *b, const struct pd_package_row *r,
		    struct pd_error **err)
{
	struct pd_catalog_update *u = &b->now;
	struct pd_arena *a = b->catalog->arena;
	bool epoch = r->epoch && *r->epoch && strcmp(r->epoch, "0") != 0;
	bool release = r->release && *r->release;
	pd_auto_free char *full = NULL;

	if (!r->name || !is_id(r->name))
		return refuse(b, err, "a package has no name");
	if (!r->version || !*r->version)
		return refuse(b, err, "package %s has no version", r->name);
	if (r->scheme > PD_SCHEME_PLAIN || r->restart > PD_RESTART_REBOOT)
		return refuse(b, err, "package %s: scheme or restart is out of range", r->name);
	if (r->payload > u->n_payloads)
		return refuse(b, err, "package %s comes from payload %u, and there "
			      "are %u before it", r->name, r->payload, u->n_payloads);
	if (!UTF8(r->name, r->epoch, r->version, r->release, r->arch, r->source, r->module))
		return refuse(b, err, "a package's text is not valid UTF-8");
	full = pd_print("%s%s%s%s%s", epoch ? r->epoch : "", epoch ? ":" : "",
			r->version, release ? "-" : "", release ? r->release : "");
	pd_grow(u->packages, u->n_packages, b->caps[1]);
	u->packages[u->n_packages++] = (struct pd_catalog_package){
		keep(a, r->name), keep(a, full), keep(a, r->arch),
		keep(a, r->source), keep(a, r->module), (uint8_t)r->scheme,
		(uint8_t)r->restart, r->payload };
	return true;
}

/* "ALGORITHM:HEX" of the length that the algorithm has. */
static bool is_digest(const char *s)
{
	static const struct { const char *name; size_t digits; } known[] = {
		{ "md5:", 32 }, { "sha1:", 40 }, { "sha256:", 64 },
		{ "sha384:", 96 }, { "sha512:", 128 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t len = strlen(known[i].name);

		if (strncmp(s, known[i].name, len) == 0)
			return strlen(s + len) == known[i].digits &&
			       strspn(s + len, "0123456789abcdefABCDEF") ==
				       known[i].digits;
	}
	return false;
}

static bool payload(struct pd_builder *b, const struct pd_payload *r,
		    struct pd_error **err)
{
	struct pd_catalog_update *u = &b->now;
	struct pd_arena *a = b->catalog->arena;
	const char *slash = r->url ? strrchr(r->url, '/') : NULL;

	if (!r->url || !*r->url || !UTF8(r->url, r->name))
		return refuse(b, err, "a payload has no url");
	if (r->digest && *r->digest && !is_digest(r->digest))
		return refuse(b, err, "the digest of payload %s has to be sha256: "
			      "(or md5, sha1, sha384, sha512) and hexadecimal "
			      "digits", r->url);
	pd_grow(u->payloads, u->n_payloads, b->caps[2]);
	u->payloads[u->n_payloads++] = (struct pd_catalog_payload){
		keep(a, r->url), keep(a, r->name && *r->name ? r->name :
				      slash ? slash + 1 : r->url),
		keep(a, r->digest), r->bytes };
	return true;
}

static bool installer(struct pd_builder *b, const struct pd_installer *r,
		      struct pd_error **err)
{
	struct pd_catalog_update *u = &b->now;

	if (r->kind < PD_INSTALL || r->kind > PD_UNINSTALL || !r->command ||
	    !*r->command || !UTF8(r->command, r->arguments))
		return refuse(b, err, "an installer has no command");
	pd_grow(u->installers, u->n_installers, b->caps[3]);
	u->installers[u->n_installers++] = (struct pd_catalog_installer){
		(uint8_t)r->kind, keep(b->catalog->arena, r->command),
		keep(b->catalog->arena, r->arguments) };
	return true;
}

static bool exit_row(struct pd_builder *b, const struct pd_exit_row *r,
		     struct pd_error **err)
{
	struct pd_catalog_update *u = &b->now;

	if (r->meaning > PD_EXIT_NEEDS_OPERATOR)
		return refuse(b, err, "the meaning of an exit status is out of range");
	for (uint32_t i = 0; i < u->n_exits; i++)
		if (u->exits[i].status == r->status)
			return refuse(b, err, "exit status %lld is there twice",
				      (long long)r->status);
	pd_grow(u->exits, u->n_exits, b->caps[4]);
	u->exits[u->n_exits++] = (struct pd_catalog_exit){ r->status, (uint8_t)r->meaning };
	return true;
}

static const char *rule_mistake(struct pd_builder *b, const struct pd_rule *r)
{
	bool exists = r->compare == PD_CMP_EXISTS;

	if (r->tree < PD_RULES_APPLICABLE || r->tree > PD_RULES_INSTALLED ||
	    r->op < PD_RULE_ALL || r->op > PD_RULE_CALL ||
	    r->compare > PD_CMP_MATCH || r->scheme > PD_SCHEME_PLAIN)
		return "a rule's tree, operation, comparison or scheme is out of range";
	if (b->depth && b->tree != r->tree)
		return "a rule tree is not closed before the other one starts";
	b->tree = r->tree;
	if (r->op == PD_RULE_CLOSE)
		return b->depth-- ? NULL : "more rules are closed than were opened";
	if (r->op <= PD_RULE_NONE)
		return ++b->depth > DEPTH_MAX ? "its rules are nested too deep" : NULL;
	if (!UTF8(r->kind, r->subject, r->field, r->value))
		return "a rule's text is not valid UTF-8";
	if (r->op == PD_RULE_CALL)
		return r->subject && *r->subject ? NULL : "a call names no update";
	if (!r->kind || !*r->kind)
		return "a test names no kind of fact";
	if (!exists && (!r->field || !*r->field || !r->value))
		return "a test that compares needs a field and a value";
	if (r->compare == PD_CMP_MATCH && !pd_rules_pattern(r->value))
		return "a test's pattern is no extended regular expression of "
		       "bounded size, or refers back";
	return NULL;
}

static bool rule(struct pd_builder *b, const struct pd_rule *r, struct pd_error **err)
{
	struct pd_catalog_update *u = &b->now;
	struct pd_arena *a = b->catalog->arena;
	const char *mistake = rule_mistake(b, r);

	if (mistake)
		return refuse(b, err, "%s", mistake);
	pd_grow(u->rules, u->n_rules, b->caps[5]);
	u->rules[u->n_rules++] = (struct pd_catalog_rule){
		(uint8_t)r->tree, (uint8_t)r->op, (uint8_t)r->compare,
		(uint8_t)(r->negate != 0), (uint8_t)r->scheme, keep(a, r->kind),
		keep(a, r->subject), keep(a, r->field), keep(a, r->value) };
	return true;
}

/* From the builder's own growing arrays into the arena. */
#define SETTLE(a, array, n)                                                \
	((array) = memcpy(take((a), (n) * sizeof(*(array)) + 1),           \
			  (n) ? (const void *)(array) : "", (n) * sizeof(*(array))))

static bool settle(struct pd_builder *b, struct pd_error **err)
{
	struct pd_catalog *c = b->catalog;
	struct pd_catalog_update u = b->now;
	uint32_t *place;
	int order = 1;

	if (b->depth)
		return refuse(b, err, "its rules are not closed");
	b->open = false;
	place = pd_index_put(&c->arena->ids, u.id, (uint32_t)c->len);
	if (*place < c->len) {
		const struct pd_catalog_update *old = &c->updates[*place];
		pd_auto_free char *text = NULL;

		if (!pd_version_compare(PD_SCHEME_PLAIN, u.revision, old->revision,
					&order, NULL))
			order = *u.revision ? 1 : *old->revision ? -1 : 0;
		text = pd_print("update %s is there more than once; revision \"%s\" "
				"counts, not \"%s\"", u.id,
				order > 0 ? u.revision : old->revision,
				order > 0 ? old->revision : u.revision);
		pd_catalog_ignore(c, u.line, text);
		if (order <= 0)
			return true;
	}
	SETTLE(c->arena, u.relations, u.n_relations);
	SETTLE(c->arena, u.packages, u.n_packages);
	SETTLE(c->arena, u.payloads, u.n_payloads);
	SETTLE(c->arena, u.installers, u.n_installers);
	SETTLE(c->arena, u.exits, u.n_exits);
	SETTLE(c->arena, u.rules, u.n_rules);
	if (*place == c->len) {
		pd_grow(c->updates, c->len, c->cap);
		c->len++;
	}
	c->updates[*place] = u;
	return true;
}

bool pd_builder_emit(struct pd_builder *b, int what, const void *part,
		     struct pd_error **err)
{
	const struct pd_catalog_update *u = &b->now;
	const struct pd_emit_ignored *ignored = part;

	if (what == PD_EMIT_IGNORED) {
		pd_catalog_ignore(b->catalog, ignored->line, ignored->what);
		return true;
	}
	if (b->catalog->arena->bytes > ARENA_MAX || b->catalog->len > 8 * ROWS_MAX ||
	    u->n_packages + u->n_relations + u->n_rules > ROWS_MAX ||
	    u->n_payloads + u->n_exits + u->n_installers > ROWS_MAX)
		return refuse(b, err, "the catalog is larger than any real one");
	if (what != PD_EMIT_BEGIN && !b->open)
		return refuse(b, err, "a part of an update stands outside of one");
	switch (what) {
	case PD_EMIT_BEGIN: return begin(b, part, err);
	case PD_EMIT_RELATION: return relation(b, part, err);
	case PD_EMIT_PACKAGE: return package(b, part, err);
	case PD_EMIT_PAYLOAD: return payload(b, part, err);
	case PD_EMIT_INSTALLER: return installer(b, part, err);
	case PD_EMIT_EXIT: return exit_row(b, part, err);
	case PD_EMIT_RULE: return rule(b, part, err);
	case PD_EMIT_END: return settle(b, err);
	default: return refuse(b, err, "there is no part of the kind %d", what);
	}
}

bool pd_builder_end(struct pd_builder *b, struct pd_error **err)
{
	bool fine = !b->open || refuse(b, err, "the catalog ends inside of it");

	free(b->now.relations);
	free(b->now.packages);
	free(b->now.payloads);
	free(b->now.installers);
	free(b->now.exits);
	free(b->now.rules);
	b->now = (struct pd_catalog_update){0};
	return fine;
}
