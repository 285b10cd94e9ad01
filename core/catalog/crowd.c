/* SPDX-License-Identifier: MIT */
/* One catalog for many servers.  Most of their packages are on others too: what
 * each build of a package is to each update is found once, and put together for
 * each server.  What else an update asks for is not of concern here. */
#include "catalog/model.h"

#define NOWHERE UINT32_MAX
enum { OLDER = 1, HELD = 2, UNKNOWN = 4, PRESENT = 8, SEEN_BITS = 4, PLAIN = 16 };

/* A package of an update, and the one of the same name before it; 0 is none. */
struct place {
	uint32_t update, package, before;
};

struct pd_crowd {
	struct pd_index names;   /* of packages, to the last of their places */
	struct place *places;
	struct pd_index builds;  /* that are installed somewhere, to their span */
	struct pd_arena texts;   /* of these */
	struct pd_buffer build;  /* the text of the last one */
	struct pd_buffer known;  /* uint32_t: of a row by its number, its span's place + 1, or NOWHERE */
	struct pd_buffer spans;  /* struct span */
	struct pd_buffer sights; /* uint32_t: the update, and what it finds */
	uint8_t *plain;          /* PLAIN: an update's packages alone say its verdict */
	uint8_t *seen;           /* the same, and what it sees on the server that is judged */
};

struct span {
	uint32_t first, len;
};

/* Do its packages alone say what its verdict is? */
static bool is_plain(const struct pd_catalog_update *u)
{
	bool plain = u->n_packages && !u->n_rules && u->status != PD_STATUS_RETIRED;

	for (uint32_t i = 0; plain && i < u->n_packages; i++)
		plain = !*u->packages[i].module && !*u->packages[i].replaces;
	return plain;
}

static void add_places(struct pd_crowd *crowd, const struct pd_catalog *c, uint32_t *n, uint32_t update)
{
	const struct pd_catalog_update *u = &c->updates[update];

	for (uint32_t i = 0; i < u->n_packages; i++) {
		struct pd_index_slot *slot = pd_index_put(&crowd->names, u->packages[i].name, 0);

		crowd->places[*n] = (struct place){ update, i, slot->value };
		slot->value = (*n)++;
	}
}

static struct pd_crowd *make_crowd(const struct pd_catalog *c)
{
	struct pd_crowd *crowd = pd_alloc(sizeof(*crowd));
	size_t total = 1;
	uint32_t n = 1;

	crowd->plain = pd_alloc(c->len + 1);
	crowd->seen = pd_alloc(c->len + 1);
	for (size_t i = 0; i < c->len; i++) {
		crowd->plain[i] = is_plain(&c->updates[i]) ? PLAIN : 0;
		total += c->updates[i].n_packages;
	}
	crowd->places = pd_alloc(total * sizeof(*crowd->places));
	for (size_t i = 0; i < c->len; i++)
		if (crowd->plain[i])
			add_places(crowd, c, &n, (uint32_t)i);
	return crowd;
}

void pd_crowd_free(struct pd_crowd *crowd)
{
	if (!crowd)
		return;
	pd_index_clear(&crowd->names);
	pd_index_clear(&crowd->builds);
	pd_arena_clear(&crowd->texts);
	pd_buffer_clear(&crowd->build);
	pd_buffer_clear(&crowd->known);
	pd_buffer_clear(&crowd->spans);
	pd_buffer_clear(&crowd->sights);
	free(crowd->places);
	free(crowd->plain);
	free(crowd->seen);
	free(crowd);
}

/* As look_at() of judge.c has it, for packages of no module that replace no other. */
static unsigned sight_of(const struct pd_package_row *p, const struct pd_installed *have)
{
	enum pd_scheme scheme = p->scheme ? p->scheme : have->scheme;
	int order = 0;

	if (!pd_arch_fits(p->arch, have->arch) || (have->scheme && scheme != have->scheme))
		return 0;
	if (!pd_version_compare(scheme, have->version, p->version, &order, NULL))
		return UNKNOWN;
	if (order < 0)
		return have->held ? HELD : OLDER;
	return scheme != PD_SCHEME_RPM || pd_arch_same(p->arch, have->arch) || !*p->arch ? PRESENT : 0;
}

/* All that a verdict depends on. */
static const char *text_of(struct pd_crowd *crowd, const struct pd_installed *have)
{
	const char *parts[] = { have->name, have->version, have->arch };
	char more[] = { (char)('A' + have->scheme), have->held ? 'H' : '-' };

	crowd->build.len = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		pd_buffer_text(&crowd->build, parts[i]);
		pd_buffer_add(&crowd->build, "\x1f", 1);
	}
	pd_buffer_add(&crowd->build, more, sizeof(more));
	return crowd->build.data;
}

/* What updates find in it, found now if it was not met before.
 * @return the place of its span + 1; NOWHERE: no update has its name. */
static uint32_t look_at(struct pd_crowd *crowd, const struct pd_catalog *c,
			const struct pd_installed *have)
{
	uint32_t n = (uint32_t)(crowd->spans.len / sizeof(struct span));
	struct span span = { (uint32_t)(crowd->sights.len / sizeof(uint32_t)), 0 };
	const struct pd_index_slot *name = pd_index_find(&crowd->names, have->name);
	struct pd_index_slot *build = name ? pd_index_put(&crowd->builds, text_of(crowd, have), n) : NULL;

	if (build && build->key == crowd->build.data) {
		build->key = pd_arena_copy(&crowd->texts, build->key);
		for (uint32_t at = name->value; at; at = crowd->places[at].before) {
			const struct place *p = &crowd->places[at];
			unsigned seen = sight_of(&c->updates[p->update].packages[p->package], have);
			uint32_t sight = p->update << SEEN_BITS | seen;

			if (seen)
				pd_buffer_add(&crowd->sights, &sight, sizeof(sight));
		}
		span.len = (uint32_t)(crowd->sights.len / sizeof(uint32_t)) - span.first;
		pd_buffer_add(&crowd->spans, &span, sizeof(span));
	}
	return build ? build->value + 1 : NOWHERE;
}

/* The same; rows that were numbered are looked at once. */
static uint32_t place_of(struct pd_crowd *crowd, const struct pd_catalog *c,
			 const struct pd_installed *have)
{
	const uint32_t none = 0;
	uint32_t *place;

	if (!have->known)
		return look_at(crowd, c, have);
	while (crowd->known.len <= have->known * sizeof(none))
		pd_buffer_add(&crowd->known, &none, sizeof(none));
	place = (uint32_t *)(void *)crowd->known.data + have->known;
	if (!*place)
		*place = look_at(crowd, c, have);
	return *place;
}

static void see(struct pd_crowd *crowd, const struct pd_catalog *c, const struct pd_installed *have)
{
	uint32_t place = place_of(crowd, c, have);
	const struct span *span = place == NOWHERE ? NULL : (const struct span *)(const void *)crowd->spans.data + place - 1;
	const uint32_t *sights = (const void *)crowd->sights.data;

	for (uint32_t k = 0; span && k < span->len; k++)
		crowd->seen[sights[span->first + k] >> SEEN_BITS] |=
			sights[span->first + k] & ((1 << SEEN_BITS) - 1);
}

bool pd_crowd_see(struct pd_catalog *c, const struct pd_facts *facts)
{
	const struct pd_installed *all = NULL;
	size_t n = facts ? pd_facts_packages(facts, "", &all) : 0;

	if (!n || !c->judged++) /* one server is no crowd */
		return false;
	if (!c->crowd)
		c->crowd = make_crowd(c);
	memcpy(c->crowd->seen, c->crowd->plain, c->len);
	for (size_t first = 0, next = 1; first < n; first = next++) { /* of one name */
		pd_auto_free bool *newest = NULL;

		while (next < n && strcmp(all[next].name, all[first].name) == 0)
			next++;
		newest = next - first > 1 ? pd_newest(all + first, next - first) : NULL;
		for (size_t i = first; i < next; i++)
			if (!newest || newest[i - first])
				see(c->crowd, c, &all[i]);
	}
	return true;
}

bool pd_crowd_verdict(const struct pd_catalog *c, const struct pd_catalog_update *u,
		      enum pd_verdict *verdict)
{
	unsigned seen = c->crowd->seen[u - c->updates];

	*verdict = seen & OLDER ? PD_VERDICT_NEEDED : seen & UNKNOWN ? PD_VERDICT_UNKNOWN :
		   seen & HELD ? PD_VERDICT_NOT_APPLICABLE :
		   seen & PRESENT ? PD_VERDICT_INSTALLED : PD_VERDICT_NOT_APPLICABLE;
	return seen & PLAIN;
}
