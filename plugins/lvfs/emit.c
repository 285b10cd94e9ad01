/* SPDX-License-Identifier: MIT */
/* From the metadata to updates: one for each release, with what it replaces. */
#include <stdlib.h>
#include <strings.h>

#include "lvfs.h"

/* Releases that replace each other: of the same devices and branch. */
static int same_devices(const struct release *a, const struct release *b)
{
	int order = strcasecmp(a->component->guids.items[0], b->component->guids.items[0]);

	return order ? order : strcmp(a->component->branch, b->component->branch);
}

/* To fwupd the highest version is the newest: an old branch may have releases that came
 * later.  Of one version, in several components, the date decides. */
static int newest_first(const void *a, const void *b)
{
	const struct release *x = *(struct release *const *)a, *y = *(struct release *const *)b;
	int order = same_devices(x, y);

	order = order ? order : lvfs_order(y->dotted, x->dotted);
	return order ? order : x->order != y->order ? (x->order < y->order ? 1 : -1) :
	       (x->place > y->place) - (x->place < y->place);
}

static void connect(struct reader *r)
{
	struct release **sorted = pd_alloc_for(r->path.ctx, (r->len + 1) * sizeof(*sorted));

	for (size_t i = 0; i < r->len; i++) {
		struct release *x = sorted[i] = r->releases[i];
		const struct component *c = x->component;

		x->id = pd_format(r->path.ctx, "%s%s%s/%s", c->id, *c->branch ? "/" : "", c->branch,
				  x->version);
		x->dotted = lvfs_dotted(r, c, x->version);
	}
	qsort(sorted, r->len, sizeof(*sorted), newest_first);
	for (size_t i = 0; i + 1 < r->len; i++)
		if (!same_devices(sorted[i], sorted[i + 1]) && strcmp(sorted[i]->id, sorted[i + 1]->id) != 0)
			sorted[i]->older = sorted[i + 1];
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
	int result = x->older ? relation(r, PD_REL_SUPERSEDES, x->older->id, NULL) : 0;

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
