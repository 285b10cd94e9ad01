/* SPDX-License-Identifier: MIT */
/* From the metadata to updates: one for each release, with what it replaces. */
#include <stdlib.h>
#include <strings.h>

#include "lvfs.h"

enum { VENDORS_MAX = 64 }; /* lists of them that one GUID has */

/* Releases that replace each other: of the same devices and branch. */
static int same_devices(const struct release *a, const struct release *b)
{
	int order = strcasecmp(a->component->guids.items[0], b->component->guids.items[0]);

	return order ? order : strcmp(a->component->branch, b->component->branch);
}

static int by_devices(const void *a, const void *b)
{
	const struct release *x = *(struct release *const *)a, *y = *(struct release *const *)b;
	int order = same_devices(x, y);

	return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* To fwupd the highest version is the newest: an old branch may have releases that came
 * later.  Of one version, in several components, the date decides. */
static int newest_first(const void *a, const void *b, void *ctx)
{
	const struct release *x = *(struct release *const *)a, *y = *(struct release *const *)b;
	int order = x->odd - y->odd;

	if (!order && !x->odd && !pd_compare_versions(ctx, x->scheme, y->version, x->version, &order))
		order = 0;
	return order ? order : x->order != y->order ? (x->order < y->order ? 1 : -1) :
	       (x->place > y->place) - (x->place < y->place);
}

static void add_older(struct reader *r, struct release *x, const struct release *older)
{
	x->older = path_room(r->path.ctx, x->older, x->n_older, &x->older_cap, sizeof(*x->older));
	x->older[x->n_older++] = older;
}

/* Vendors buy the same chip, and with it the GUID: what is for one vendor's devices neither
 * replaces what is for another's nor is replaced by it.  From the oldest on, each replaces
 * the newest of every list of vendors that its own covers, unless the one before it
 * with the same list does so already.  @p last: the newest of each list so far. */
static void replace_older(struct reader *r, struct release *x, const struct release **last, size_t *n)
{
	size_t own = 0;

	while (own < *n && strcmp(last[own]->component->vendors, x->component->vendors) != 0)
		own++;
	if (own == VENDORS_MAX) /* it stays by itself */
		return;
	for (size_t i = 0; i < *n; i++)
		if ((own == *n || last[i]->rank <= last[own]->rank) && strcmp(x->id, last[i]->id) != 0 &&
		    lvfs_covers(x->component->vendors, last[i]->component->vendors))
			add_older(r, x, last[i]);
	*n += own == *n;
	last[own] = x;
}

/* All of the same devices.  To fwupd the device says how versions compare; here the first
 * component that does. */
static void connect_same(struct reader *r, struct release **all, size_t len)
{
	const struct release *last[VENDORS_MAX];
	unsigned scheme = PD_SCHEME_FWUPD;
	size_t n = 0;
	int order;

	for (size_t i = 0; i < len && scheme == PD_SCHEME_FWUPD; i++)
		scheme = all[i]->component->scheme;
	for (size_t i = 0; i < len; i++) {
		all[i]->scheme = scheme;
		all[i]->odd = !pd_compare_versions(r->path.ctx, scheme, all[i]->version, all[i]->version,
						   &order);
	}
	qsort_r(all, len, sizeof(*all), newest_first, r->path.ctx);
	for (size_t i = len; i--;) {
		all[i]->rank = i;
		if (!all[i]->odd)
			replace_older(r, all[i], last, &n);
	}
}

static void connect(struct reader *r)
{
	struct release **sorted = pd_alloc_for(r->path.ctx, (r->len + 1) * sizeof(*sorted));

	for (size_t i = 0; i < r->len; i++) {
		struct release *x = sorted[i] = r->releases[i];
		const struct component *c = x->component;

		x->id = pd_format(r->path.ctx, "%s%s%s/%s", c->id, *c->branch ? "/" : "", c->branch,
				  x->version);
	}
	qsort(sorted, r->len, sizeof(*sorted), by_devices);
	for (size_t first = 0, next; first < r->len; first = next) {
		for (next = first + 1; next < r->len && !same_devices(sorted[first], sorted[next]);)
			next++;
		connect_same(r, sorted + first, next - first);
	}
}

/* -------------------------------------------------------------- updates */

static unsigned severity_of(const char *urgency)
{
	static const struct { const char *word; unsigned severity; } known[] = {
		{ "low", PD_SEVERITY_LOW }, { "medium", PD_SEVERITY_MODERATE },
		{ "high", PD_SEVERITY_IMPORTANT }, { "critical", PD_SEVERITY_CRITICAL },
		{ "emergency", PD_SEVERITY_CRITICAL } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(urgency, known[i].word) == 0)
			return known[i].severity;
	return PD_SEVERITY_UNKNOWN;
}

static int relation(struct reader *r, unsigned kind, const char *target, const char *title)
{
	return !*target ? 0 : pd_update_relation(r->path.ctx, &(struct pd_relation){
		.size = sizeof(struct pd_relation), .kind = kind, .target = target, .title = title });
}

static int relations(struct reader *r, const struct release *x)
{
	const struct component *c = x->component;
	int result = 0;

	for (size_t i = 0; i < x->n_older && !result; i++)
		result = relation(r, PD_REL_SUPERSEDES, x->older[i]->id, NULL);
	for (size_t i = 0; i < x->n_issues && !result; i++)
		result = x->issues[i].name ? relation(r, PD_REL_ALIAS, x->issues[i].name, "issue") :
					     relation(r, PD_REL_REFERENCE, x->issues[i].url, "issue");
	for (size_t i = 0; i < c->tags.len && !result; i++)
		result = relation(r, PD_REL_ALIAS, c->tags.items[i], "tag");
	return result ? result : relation(r, PD_REL_REFERENCE, c->homepage, "homepage");
}

static int payload(struct reader *r, const struct release *x)
{
	return !*x->location ? 0 : pd_update_payload(r->path.ctx, &(struct pd_payload){
		.size = sizeof(struct pd_payload), .url = x->location, .name = x->file,
		.bytes = x->download, .digest = x->digest });
}

static int emit(struct reader *r, const struct release *x)
{
	const struct component *c = x->component;
	bool reboot = c->system || strcmp(c->protocol, "org.uefi.capsule") == 0;
	int result = pd_update_begin(r->path.ctx, &(struct pd_update_head){
		.size = sizeof(struct pd_update_head), .line = x->line, .id = x->id,
		.revision = x->version, .description = x->description ? x->description : c->summary,
		.title = pd_format(r->path.ctx, "%s %s", *c->name ? c->name : c->id, x->version),
		.url = *x->details ? x->details : c->homepage, .vendor = c->vendor,
		.severity = (uint16_t)severity_of(x->urgency), .severity_text = x->urgency,
		.kind = PD_CLASS_FIRMWARE, .issued = x->time, .disk_bytes = x->installed,
		.status = x->testing ? PD_STATUS_TESTING : PD_STATUS_FINAL,
		.restart = reboot ? PD_RESTART_REBOOT : PD_RESTART_UNKNOWN,
		.expected = x->duration, .interactive = c->attended });

	result = result ? result : relations(r, x);
	result = result ? result : payload(r, x);
	result = result ? result : lvfs_rules(r, x);
	return result ? result : pd_update_end(r->path.ctx);
}

int lvfs_emit(struct reader *r)
{
	int result = 0;

	connect(r);
	for (size_t i = 0; i < r->len && !result; i++)
		result = emit(r, r->releases[i]);
	return result;
}
