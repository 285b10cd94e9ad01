/* SPDX-License-Identifier: MIT */
/* Building the update model: the one place where the parts of updates are
 * checked, and the arena that they go to. */
#include "catalog/model.h"

#include "base/text.h"
#include "plugin/wire.h"

enum {
	BLOCK = 65536,
	ROWS_MAX = 32 << 20, /* bytes of one kind in one update */
	UPDATES_MAX = 8 << 20,
	DEPTH_MAX = 64,      /* of rules */
	ID_MAX = 256,
	NOTES_MAX = 1 << 20
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
	size_t need = (bytes + 7) & ~(size_t)7; /* pointers and numbers */
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
	struct pd_index_slot *slot;
	size_t len;

	if (!s || !*s)
		return "";
	slot = pd_index_put(&arena->strings, s, 0);
	if (slot->key == s) {
		len = strlen(s) + 1;
		slot->key = memcpy(take(arena, len), s, len);
	}
	return slot->key;
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
	pd_index_clear(&c->arena->shared);
	free(c->arena);
	free(c->name);
	free(c->format);
	free(c->path);
	free(c->updates);
	free(c->shared);
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

static void ignore(struct pd_catalog *c, unsigned line, const char *what)
{
	c->ignored++;
	if (c->notes.len < NOTES_MAX)
		pd_strings_add_take(&c->notes, line ?
			pd_print("%s:%u: %s", c->name, line, what) :
			pd_print("%s: %s", c->name, what));
}

/* Names that people type and that stand in messages. */
static bool is_id(const char *s)
{
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127 || c - s == ID_MAX)
			return false;
	return *s;
}

/* What is wrong with a row by itself?  If nothing is, its texts are then the
 * arena's, and none is NULL. */
static char *keep_row(struct pd_arena *arena, int what, union pd_part *p)
{
	const struct pd_part_form *form = &pd_part_forms[what];

	for (const struct pd_part_field *f = form->fields; f->name; f++) {
		void *at = (char *)p + f->offset;
		const char *s = pd_part_is_text(f) ? *(const char **)at : NULL;
		unsigned n = s ? 0 : f->type == 'h' ? *(uint16_t *)at :
			     f->type == 'u' ? *(uint32_t *)at : 0;

		if (f->type == 'S' && (!s || !*s))
			return pd_print("%s has no %s", form->name, f->name);
		if (f->type == 'I' && (!s || !is_id(s)))
			return pd_print("%s needs 1 to %d characters as its %s", form->name, ID_MAX,
					f->name);
		if (s && !pd_utf8_valid(s, strlen(s)))
			return pd_print("the %s of %s is not valid UTF-8", f->name, form->name);
		if (n < f->min || n > f->max)
			return pd_print("the %s of %s is %u, which is unknown", f->name, form->name, n);
		if (pd_part_is_text(f))
			*(const char **)at = keep(arena, s);
	}
	return NULL;
}

/* ------------------------------------- what a field by itself can't show */

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
			       strspn(s + len, "0123456789abcdefABCDEF") == known[i].digits;
	}
	return false;
}

static const char *rule_wrong(struct pd_builder *b, const struct pd_rule *r)
{
	if (b->depth && b->tree != r->tree)
		return "a rule tree is not closed before the other one starts";
	b->tree = r->tree;
	if (r->op == PD_RULE_CLOSE)
		return b->depth-- ? NULL : "more rules are closed than were opened";
	if (pd_rule_opens(r->op))
		return ++b->depth > DEPTH_MAX ? "its rules are nested too deep" : NULL;
	if (r->op == PD_RULE_CALL)
		return *r->subject ? NULL : "a call names no update";
	if (r->op == PD_RULE_UNKNOWN)
		return *r->subject ? NULL : "a rule that is never known does not say why";
	if (!*r->kind)
		return "a test names no kind of fact";
	if (r->compare != PD_CMP_EXISTS && !*r->field)
		return "a test that compares needs a field and a value";
	if (r->compare == PD_CMP_MATCH && r->value != b->pattern && !pd_rules_pattern(r->value))
		return "a test's pattern is no extended regular expression of "
		       "bounded size, or refers back";
	b->pattern = r->compare == PD_CMP_MATCH ? r->value : b->pattern;
	return NULL;
}

#define COUNT(b, what) ((b)->rows[what].len / pd_part_forms[what].size)

static char *row_wrong(struct pd_builder *b, int what, const union pd_part *p)
{
	const struct pd_exit_row *exits = (void *)b->rows[PD_EMIT_EXIT].data;
	const char *text = what == PD_EMIT_RULE ? rule_wrong(b, &p->rule) : NULL;
	pd_auto_error *err = NULL;

	if (text)
		return pd_strdup(text);
	if (what == PD_EMIT_RULE && *p->rule.kind && p->rule.op != PD_RULE_CLOSE &&
	    !pd_fact_known(p->rule.kind, p->rule.field, &err))
		return pd_strdup(err->message);
	if (what == PD_EMIT_PACKAGE && p->package.payload > COUNT(b, PD_EMIT_PAYLOAD))
		return pd_print("package %s comes from payload %u, and there are %zu before it",
				p->package.name, p->package.payload, COUNT(b, PD_EMIT_PAYLOAD));
	if (what == PD_EMIT_PAYLOAD && p->payload.bytes < -1)
		return pd_print("payload %s has no possible size", p->payload.url);
	if (what == PD_EMIT_PAYLOAD && *p->payload.digest && !is_digest(p->payload.digest))
		return pd_print("the digest of payload %s has to be sha256: (or md5, sha1, "
				"sha384, sha512) and hexadecimal digits", p->payload.url);
	for (size_t i = 0; what == PD_EMIT_EXIT && i < COUNT(b, what); i++)
		if (exits[i].status == p->exit.status)
			return pd_print("exit status %lld is there twice", (long long)p->exit.status);
	return NULL;
}

/* [epoch:]version[-release] in one. */
static char *full_version(const struct pd_package_row *r)
{
	bool epoch = r->epoch && *r->epoch && strcmp(r->epoch, "0") != 0;
	bool release = r->release && *r->release;

	return pd_print("%s%s%s%s%s", epoch ? r->epoch : "", epoch ? ":" : "", r->version,
			release ? "-" : "", release ? r->release : "");
}

/* @return what is wrong, or NULL. */
static char *take_row(struct pd_builder *b, int what, union pd_part *p)
{
	pd_auto_free char *full = NULL;
	char *wrong = NULL;

	if (what == PD_EMIT_PACKAGE && p->package.version && *p->package.version) {
		p->package.version = full = full_version(&p->package);
		p->package.epoch = p->package.release = NULL;
	}
	if (what == PD_EMIT_PAYLOAD && p->payload.url && (!p->payload.name || !*p->payload.name))
		p->payload.name = strrchr(p->payload.url, '/') ?
				  strrchr(p->payload.url, '/') + 1 : p->payload.url;
	/* the empty value is one to compare with, none is not */
	if (what == PD_EMIT_RULE && p->rule.compare && !p->rule.value)
		p->rule.field = NULL;
	wrong = keep_row(b->catalog->arena, what, p);
	if (!wrong)
		wrong = row_wrong(b, what, p);
	if (!wrong)
		pd_buffer_add(&b->rows[what], p, pd_part_forms[what].size);
	return wrong;
}

/* ----------------------------------------------------------- the updates */

/* The whole update goes, so that half of one is never installed; with a
 * strict reader the whole catalog.  @return may the reading go on? */
static bool refuse(struct pd_builder *b, const char *why)
{
	const char *id = b->now.id;
	unsigned line = b->line ? b->line : b->now.line;
	pd_auto_free char *text = pd_print("%s%s%s%s", id ? "update " : "", id ? id : "",
					   id ? ": " : "", why);

	b->state = b->state == PD_UPDATE_NONE ? PD_UPDATE_NONE : PD_UPDATE_REFUSED;
	if (b->strict)
		return pd_error_at(b->err, "catalog-update", b->catalog->name, line, b->column,
				   "%s", text);
	ignore(b->catalog, line, text);
	return true;
}

/* Of one id the higher revision counts.  @return the place of @p u, NULL: it
 * is the lower one. */
static struct pd_catalog_update *place_of(struct pd_catalog *c,
					  const struct pd_catalog_update *u)
{
	bool shared = u->status == PD_STATUS_RULES;
	struct pd_catalog_update **list = shared ? &c->shared : &c->updates, *old;
	size_t *len = shared ? &c->n_shared : &c->len, *cap = shared ? &c->cap_shared : &c->cap;
	uint32_t place = pd_index_put(shared ? &c->arena->shared : &c->arena->ids, u->id,
				      (uint32_t)*len)->value;
	pd_auto_free char *text = NULL;
	int order = 1;

	if (place == *len) {
		pd_grow(*list, *len, *cap);
		return &(*list)[(*len)++];
	}
	old = &(*list)[place];
	if (!pd_version_compare(PD_SCHEME_PLAIN, u->revision, old->revision, &order, NULL))
		order = *u->revision ? 1 : *old->revision ? -1 : 0;
	text = pd_print("update %s is there more than once; revision \"%s\" counts, not \"%s\"",
			u->id, order > 0 ? u->revision : old->revision,
			order > 0 ? old->revision : u->revision);
	ignore(c, u->line, text);
	return order > 0 ? old : NULL;
}

#define LIST(name) { offsetof(struct pd_catalog_update, name), \
		     offsetof(struct pd_catalog_update, n_##name) }
static const struct { size_t rows, count; } lists[] = {
	[PD_EMIT_RELATION] = LIST(relations), [PD_EMIT_PACKAGE] = LIST(packages),
	[PD_EMIT_PAYLOAD] = LIST(payloads), [PD_EMIT_INSTALLER] = LIST(installers),
	[PD_EMIT_EXIT] = LIST(exits), [PD_EMIT_RULE] = LIST(rules)
};

/* From the builder's own growing rows into the arena. */
static void settle(struct pd_builder *b)
{
	struct pd_catalog_update *u = place_of(b->catalog, &b->now);

	for (int k = PD_EMIT_RELATION; u && k < PD_EMIT_END; k++) {
		const struct pd_buffer *from = &b->rows[k];
		void *rows = from->len ? take(b->catalog->arena, from->len) : NULL;
		uint32_t n = (uint32_t)COUNT(b, k);

		if (rows)
			memcpy(rows, from->data, from->len);
		memcpy((char *)&b->now + lists[k].rows, &rows, sizeof(rows));
		memcpy((char *)&b->now + lists[k].count, &n, sizeof(n));
	}
	if (u)
		*u = b->now;
}

/* Of what has no file: of all that was read. */
void pd_catalog_digest(struct pd_catalog *c)
{
	pd_auto(pd_buffer) text = {0};

	for (size_t i = 0; i < c->len + c->n_shared; i++) {
		const struct pd_catalog_update *u = i < c->len ? &c->updates[i] :
							 &c->shared[i - c->len];

		pd_buffer_print(&text, "%s\n%s\n%s\n%u %u %u %u\n", u->id, u->revision,
				u->title, u->severity, u->kind, u->status, u->restart);
		for (int k = PD_EMIT_RELATION; k < PD_EMIT_END; k++) {
			const char *row;
			uint32_t n;

			memcpy(&row, (const char *)u + lists[k].rows, sizeof(row));
			memcpy(&n, (const char *)u + lists[k].count, sizeof(n));
			for (; n--; row += pd_part_forms[k].size)
				pd_part_put(&text, k, row);
		}
	}
	pd_digest_data(text.data ? text.data : "", text.len, c->digest);
}

static char *start(struct pd_builder *b, struct pd_update_head *h, union pd_part *p)
{
	const char *given = h->id;
	char *wrong = keep_row(b->catalog->arena, PD_EMIT_BEGIN, p);

	for (int k = 0; k < PD_EMIT_END; k++)
		b->rows[k].len = 0;
	b->depth = 0;
	b->state = PD_UPDATE_OPEN;
	/* the id was looked at first */
	b->now = (struct pd_catalog_update){ .id = h->id == given ? NULL : h->id,
					     .line = h->line ? h->line : b->line };
	if (wrong)
		return wrong;
	b->now = (struct pd_catalog_update){
		.id = h->id, .revision = h->revision, .title = h->title,
		.description = h->description, .url = h->url, .vendor = h->vendor,
		.severity_text = h->severity_text, .severity = (uint8_t)h->severity,
		.kind = (uint8_t)h->kind, .status = (uint8_t)h->status,
		.restart = (uint8_t)h->restart, .interactive = h->interactive != 0,
		.permanent = h->permanent != 0, .line = b->now.line, .issued = h->issued,
		.updated = h->updated, .disk_bytes = h->disk_bytes, .expected = h->expected };
	return NULL;
}

bool pd_builder_emit(void *builder, struct pd_emitted *e)
{
	struct pd_builder *b = builder;
	struct pd_catalog *c = b->catalog;
	pd_auto_free char *wrong = NULL;

	if (e->what == PD_EMIT_IGNORED) {
		wrong = keep_row(c->arena, e->what, &e->part);
		ignore(c, e->part.ignored.line, wrong ? wrong : e->part.ignored.what);
		return true;
	}
	b->line = e->line;
	b->column = e->column;
	if (c->arena->bytes > ARENA_MAX || c->len + c->n_shared > UPDATES_MAX ||
	    (e->what < PD_EMIT_END && b->rows[e->what].len > ROWS_MAX))
		return pd_error_at(b->err, "catalog-update", c->name, b->line, b->column,
				   "the catalog is larger than any real one");
	if (e->what == PD_EMIT_BEGIN) {
		if (b->state == PD_UPDATE_OPEN && !refuse(b, "it was not ended before the next one began"))
			return false;
		wrong = start(b, &e->part.head, &e->part);
		return !wrong || refuse(b, wrong);
	}
	if (b->state == PD_UPDATE_NONE)
		return refuse(b, "a part of an update stands outside of one");
	if (e->what != PD_EMIT_END) {
		wrong = b->state == PD_UPDATE_REFUSED ? NULL : take_row(b, e->what, &e->part);
		return !wrong || refuse(b, wrong);
	}
	if (b->state == PD_UPDATE_OPEN && b->depth && !refuse(b, "its rules are not closed"))
		return false;
	if (b->state == PD_UPDATE_OPEN)
		settle(b);
	b->state = PD_UPDATE_NONE;
	b->now.id = NULL;
	return true;
}

bool pd_builder_end(struct pd_builder *b, bool whole)
{
	bool fine = !whole || b->state != PD_UPDATE_OPEN || refuse(b, "the catalog ends inside of it");

	for (int k = 0; k < PD_EMIT_END; k++)
		pd_buffer_clear(&b->rows[k]);
	return fine;
}

/* ------------------------------------------------------------- the words */

#define WORDS(function, type, ...)                                            \
	const char *function(type v)                                          \
	{                                                                     \
		static const char *const words[] = { __VA_ARGS__ };           \
									      \
		return words[(size_t)v < sizeof(words) / sizeof(*words) ? v : 0]; \
	}

WORDS(pd_verdict_name, enum pd_verdict, "unknown", "needed", "installed", "superseded",
      "not-applicable")
WORDS(pd_severity_name, unsigned, "unknown", "none", "low", "moderate", "important", "critical")
WORDS(pd_class_name, unsigned, "other", "security", "bugfix", "enhancement", "newpackage",
      "driver", "firmware", "bundle")
WORDS(pd_restart_name, unsigned, "unknown", "none", "service", "session", "reboot")

const char *pd_scheme_name(unsigned scheme)
{
	return pd_schemes[scheme <= PD_SCHEME_LAST ? scheme : 0];
}
