/* SPDX-License-Identifier: MIT */
/* A catalog's updates: where each has its place, and what is kept of it. */
#include "base/text.h"
#include "catalog/model.h"
#include "plugin/wire.h"

enum { NOTES_MAX = 1 << 20 };

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
	if (!c)
		return;
	pd_arena_clear(c->arena);
	free(c->arena);
	free(c->name);
	free(c->format);
	free(c->path);
	free(c->trust);
	free(c->updates);
	free(c->briefs);
	free(c->shared);
	pd_crowd_free(c->crowd);
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

	return !slot ? -1 : slot->value & PD_BRIEF ? -2 : (int64_t)slot->value;
}

const struct pd_catalog_brief *pd_catalog_brief_of(const struct pd_catalog *c, const char *id)
{
	const struct pd_index_slot *slot = pd_index_find(&c->arena->ids, id);

	return slot && slot->value & PD_BRIEF ? &c->briefs[slot->value & ~PD_BRIEF] : NULL;
}

void pd_catalog_ignore(struct pd_catalog *c, unsigned line, const char *what)
{
	c->ignored++;
	if (c->notes.len < NOTES_MAX)
		pd_strings_add_take(&c->notes, line ? pd_print("%s:%u: %s", c->name, line, what) :
				    pd_print("%s: %s", c->name, what));
}

void pd_catalog_replacer(struct pd_catalog *c, const struct pd_package_row *p, const char *version)
{
	struct pd_arena *a = c->arena;
	const char *name = pd_arena_keep(a, p->name);
	struct pd_index_slot *slot = pd_index_put(&a->replacing, name, 0);

	if (!a->n_replacers) { /* the first one is none */
		pd_grow(a->replacers, a->n_replacers, a->cap_replacers);
		a->n_replacers++;
	}
	pd_grow(a->replacers, a->n_replacers, a->cap_replacers);
	a->replacers[a->n_replacers] = (struct pd_replacer){ name, pd_arena_keep(a, version),
		pd_arena_keep(a, p->arch), pd_arena_keep(a, p->replaces), slot->value };
	slot->value = (uint32_t)a->n_replacers++;
}

/* --------------------------------------------------------- the audience */

void pd_audience_add(struct pd_audience *a, const struct pd_facts *facts)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(facts->json, "packages"), i, row) {
		const char *name = pd_json_text(row, "name", "");
		struct pd_index_slot *slot = pd_index_put(&a->names, name, 0);

		if (slot->key == name)
			slot->key = pd_strdup(name);
	}
	a->facts = a->servers++ ? a->facts : facts;
}

void pd_audience_clear(struct pd_audience *a)
{
	for (size_t i = 0; i < a->names.cap; i++)
		free((void *)(uintptr_t)a->names.slots[i].key);
	pd_index_clear(&a->names);
	*a = (struct pd_audience){0};
}

/* ------------------------------------------------------------ one id, one place */

/* Of the id that is there already: does the new one count (1), the old one
 * (-1), or are they one (0)? */
static int newer(struct pd_builder *b, const char *id, const char *revision, const char *old)
{
	pd_auto_free char *text = NULL;
	int order = strcmp(revision, old) != 0;

	if (order && !pd_version_compare(PD_SCHEME_PLAIN, revision, old, &order, NULL))
		order = *revision ? 1 : *old ? -1 : 0;
	if (order == 0 && !b->revisions) /* the first one stays */
		order = -1;
	text = order ? pd_print("update %s is there more than once; revision \"%s\" counts, not "
				"\"%s\"", id, order > 0 ? revision : old, order > 0 ? old : revision) :
		       pd_print("update %s is there more than once with revision \"%s\"; its packages "
				"are united", id, revision);
	pd_catalog_ignore(b->catalog, b->now.line, text);
	return order;
}

static void set_brief(struct pd_catalog *c, struct pd_catalog_brief *to,
		      const struct pd_catalog_brief *brief)
{
	*to = *brief;
	to->revision = pd_arena_keep(c->arena, brief->revision);
	/* of several that are not there none is named */
	to->package = brief->installed || brief->packages == 1 ?
		      pd_arena_keep(c->arena, brief->package) : "";
	to->installed = brief->installed ? pd_arena_keep(c->arena, brief->installed) : NULL;
}

static uint32_t add_brief(struct pd_catalog *c, const struct pd_catalog_brief *brief)
{
	if (c->n_briefs == c->cap_briefs) { /* there are many, and memory is short */
		c->cap_briefs += c->cap_briefs / 4 + 1024;
		c->briefs = pd_realloc(c->briefs, c->cap_briefs, sizeof(*c->briefs));
	}
	set_brief(c, &c->briefs[c->n_briefs], brief);
	return (uint32_t)c->n_briefs++ | PD_BRIEF;
}

/* The slot of an update, and its id as the arena has it.  Where each revision of an
 * id is one of its own, the first one has the id to itself. */
static struct pd_index_slot *slot_of(struct pd_builder *b, const char *revision, const char **id,
				     bool *fresh)
{
	const struct pd_catalog *c = b->catalog;
	struct pd_arena *arena = c->arena;
	const struct pd_index_slot *first = b->revisions ? pd_index_find(&arena->ids, *id) : NULL;
	const char *taken = !first ? revision : first->value & PD_BRIEF ?
			    c->briefs[first->value & ~PD_BRIEF].revision : c->updates[first->value].revision;
	pd_auto_free char *both = strcmp(taken, revision) != 0 ? pd_print("%s\x1f%s", revision, *id) : NULL;
	const char *key = both ? both : *id;
	struct pd_index_slot *slot = pd_index_put(&arena->ids, key, 0);

	*fresh = slot->key == key;
	if (*fresh)
		slot->key = pd_arena_copy(arena, key);
	*id = slot->key + (both ? strlen(revision) + 1 : 0);
	return slot;
}

static void take_head(struct pd_catalog_update *u, const struct pd_catalog_brief *from)
{
	u->severity = from->severity;
	u->kind = from->kind;
	u->status = from->status;
	u->restart = from->restart;
}

/* What is kept of another entry of the same id and revision. */
static void join_brief(struct pd_catalog *c, struct pd_catalog_update *u,
		       const struct pd_catalog_brief *brief)
{
	u->left_out += brief->packages;
	if (!brief->installed)
		return;
	if (!u->n_there) {
		u->there = pd_arena_keep(c->arena, brief->package);
		u->there_version = pd_arena_keep(c->arena, brief->installed);
	}
	u->n_there += brief->packages;
}

/* Of several entries the first one says what they are; packages that are there count,
 * if there are any. */
static void unite_briefs(struct pd_catalog *c, struct pd_catalog_brief *old,
			 const struct pd_catalog_brief *brief)
{
	struct pd_catalog_brief both = *old;

	if (!old->installed == !brief->installed) {
		old->packages += brief->packages;
	} else if (brief->installed) {
		both.package = brief->package;
		both.installed = brief->installed;
		both.packages = brief->packages;
		set_brief(c, old, &both);
	}
}

void pd_catalog_settle_brief(struct pd_builder *b, const struct pd_catalog_brief *given)
{
	struct pd_catalog *c = b->catalog;
	struct pd_catalog_brief brief = *given, *old;
	struct pd_catalog_update *full;
	bool fresh;
	struct pd_index_slot *slot = slot_of(b, brief.revision, &brief.id, &fresh);
	int order;

	brief.place = (uint32_t)c->places++;
	if (fresh) {
		slot->value = add_brief(c, &brief);
		return;
	}
	old = slot->value & PD_BRIEF ? &c->briefs[slot->value & ~PD_BRIEF] : NULL;
	full = old ? NULL : &c->updates[slot->value];
	order = newer(b, brief.id, brief.revision, old ? old->revision : full->revision);
	if (order < 0)
		return;
	if (full && order > 0) { /* nothing of it is of concern any more */
		full->n_packages = full->n_rules = full->n_relations = full->left_out = full->n_there = 0;
		full->revision = pd_arena_keep(c->arena, brief.revision);
		take_head(full, &brief);
	}
	if (full) {
		join_brief(c, full, &brief);
	} else if (order > 0) {
		old->id = NULL;
		slot->value = add_brief(c, &brief);
	} else {
		unite_briefs(c, old, &brief);
	}
}

/* ------------------------------------------------------------- whole ones */

#define LIST(name) { offsetof(struct pd_catalog_update, name), \
		     offsetof(struct pd_catalog_update, n_##name) }
static const struct { size_t rows, count; } lists[] = {
	[PD_EMIT_RELATION] = LIST(relations), [PD_EMIT_PACKAGE] = LIST(packages),
	[PD_EMIT_PAYLOAD] = LIST(payloads), [PD_EMIT_INSTALLER] = LIST(installers),
	[PD_EMIT_EXIT] = LIST(exits), [PD_EMIT_RULE] = LIST(rules)
};

static void *get_list(const struct pd_catalog_update *u, int k, uint32_t *n)
{
	void *rows;

	memcpy(&rows, (const char *)u + lists[k].rows, sizeof(rows));
	memcpy(n, (const char *)u + lists[k].count, sizeof(*n));
	return rows;
}

static void set_list(struct pd_catalog_update *u, int k, void *rows, uint32_t n)
{
	memcpy((char *)u + lists[k].rows, &rows, sizeof(rows));
	memcpy((char *)u + lists[k].count, &n, sizeof(n));
}

/* The lists as they are: of the builder's own rows, and its scratch. */
static void lend_lists(struct pd_builder *b)
{
	for (int k = PD_EMIT_RELATION; k < PD_EMIT_END; k++)
		set_list(&b->now, k, b->rows[k].data,
			 (uint32_t)(b->rows[k].len / pd_part_forms[k].size));
}

static void keep_texts(struct pd_arena *arena, int what, void *row)
{
	for (const struct pd_part_field *f = pd_part_forms[what].fields; f->name; f++)
		if (pd_part_is_text(f)) {
			const char **at = (const char **)(void *)((char *)row + f->offset);

			/* to look for a digest takes as much as it */
			if (**at)
				*at = (f->type == 'D' ? pd_arena_copy : pd_arena_keep)(arena, *at);
		}
}

static size_t power_of_two(size_t n)
{
	size_t power = 1;

	while (power < n)
		power *= 2;
	return power;
}

/* Behind the rows that @u has of this kind already: what grows once may do so
 * often, and its room is doubled then. */
static void keep_list(struct pd_arena *arena, struct pd_catalog_update *u,
		      const struct pd_catalog_update *from, int k)
{
	size_t size = pd_part_forms[k].size;
	uint32_t have, n;
	char *old = get_list(u, k, &have), *rows = old;
	const char *more = get_list(from, k, &n);

	if (!n)
		return;
	if (!(u->grown & 1u << k) || have + n > power_of_two(have))
		rows = pd_arena_take(arena, (have ? power_of_two(have + n) : n) * size);
	if (have && rows != old) {
		memcpy(rows, old, have * size);
		u->grown |= (uint8_t)(1u << k);
	}
	memcpy(rows + have * size, more, n * size);
	for (uint32_t i = have; i < have + n; i++)
		keep_texts(arena, k, rows + i * size);
	set_list(u, k, rows, have + n);
}

/* The packages, links and rules of another entry of the same id and revision. */
static void unite(struct pd_arena *arena, struct pd_catalog_update *u,
		  const struct pd_catalog_update *from)
{
	uint32_t payloads = u->n_payloads, packages = u->n_packages;

	keep_list(arena, u, from, PD_EMIT_PAYLOAD);
	keep_list(arena, u, from, PD_EMIT_PACKAGE);
	keep_list(arena, u, from, PD_EMIT_RELATION);
	keep_list(arena, u, from, PD_EMIT_RULE);
	for (uint32_t i = packages; i < u->n_packages; i++)
		u->packages[i].payload += u->packages[i].payload ? payloads : 0;
	u->left_out += from->left_out;
}

static void keep_whole(struct pd_catalog *c, struct pd_catalog_update *u, const char *id,
		       const struct pd_catalog_update *from)
{
	const char **texts[] = { &u->revision, &u->title, &u->description, &u->url, &u->vendor,
				 &u->severity_text, &u->trust };

	*u = *from;
	u->id = id;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		*texts[i] = pd_arena_keep(c->arena, *texts[i]);
	for (int k = PD_EMIT_RELATION; k < PD_EMIT_END; k++) {
		set_list(u, k, NULL, 0);
		keep_list(c->arena, u, from, k);
	}
}

/* Rules that updates call have ids of their own. */
static void settle_shared(struct pd_builder *b)
{
	struct pd_catalog *c = b->catalog;
	const char *id = b->now.id;
	struct pd_index_slot *slot = pd_index_put(&c->arena->shared, id, (uint32_t)c->n_shared);

	if (slot->key == id) {
		slot->key = pd_arena_copy(c->arena, id);
		pd_grow(c->shared, c->n_shared, c->cap_shared);
		c->n_shared++;
	} else if (newer(b, id, b->now.revision, c->shared[slot->value].revision) <= 0) {
		return;
	}
	keep_whole(c, &c->shared[slot->value], slot->key, &b->now);
}

void pd_catalog_settle(struct pd_builder *b)
{
	struct pd_catalog *c = b->catalog;
	struct pd_catalog_brief brief, *old;
	struct pd_index_slot *slot;
	const char *id = b->now.id;
	bool fresh;
	int order = 1;

	lend_lists(b);
	pd_add_known(c->arena, &b->now);
	if (b->now.status == PD_STATUS_RULES) {
		settle_shared(b);
		return;
	}
	if (b->audience && b->audience->servers == 1 &&
	    pd_judge_brief(&b->now, b->audience->facts, &brief)) {
		pd_catalog_settle_brief(b, &brief);
		return;
	}
	b->now.place = (uint32_t)c->places++;
	slot = slot_of(b, b->now.revision, &id, &fresh);
	old = !fresh && slot->value & PD_BRIEF ? &c->briefs[slot->value & ~PD_BRIEF] : NULL;
	if (!fresh)
		order = newer(b, b->now.id, b->now.revision, old ? old->revision :
			      c->updates[slot->value].revision);
	if (order < 0)
		return;
	if (order == 0 && !old) {
		unite(c->arena, &c->updates[slot->value], &b->now);
		return;
	}
	if (old && order == 0) {
		take_head(&b->now, old);
		join_brief(c, &b->now, old);
	}
	if (old)
		old->id = NULL;
	if (fresh || old) {
		slot->value = (uint32_t)c->len;
		pd_grow(c->updates, c->len, c->cap);
		c->len++;
	}
	keep_whole(c, &c->updates[slot->value], id, &b->now);
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
			uint32_t n;
			const char *row = get_list(u, k, &n);

			for (; n--; row += pd_part_forms[k].size)
				pd_part_put(&text, k, row);
		}
	}
	pd_digest_data(text.data ? text.data : "", text.len, c->digest);
}
