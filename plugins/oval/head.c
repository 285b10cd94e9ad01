/* SPDX-License-Identifier: MIT */
/* The metadata of a definition: title, references, the vendor's advisory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../shared/hash.h"
#include "oval.h"

enum { LINKS_SEEN = 4096 };

/* Texts of one definition after each other, kept by their places: 0 is none. */
struct head {
	struct rows texts, links; /* char; struct link */
	uint32_t title, description, url, vendor, severity;
	uint32_t target; /* of the element that is open */
	int64_t issued, updated;
	unsigned kind;
};

struct link {
	uint32_t kind, target, title, hash; /* hash: of the target */
};

const char *oval_attribute(const struct pd_xml_attr *attrs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(attrs[i].name, name) == 0)
			return attrs[i].value;
	return NULL;
}

void oval_head_free(struct reader *r)
{
	if (r->head) {
		free(r->head->texts.data);
		free(r->head->links.data);
	}
}

size_t oval_head_size(const struct reader *r)
{
	return r->head ? r->head->texts.len + r->head->links.len * sizeof(struct link) : 0;
}

static uint32_t keep(struct head *h, const char *text)
{
	uint32_t place = (uint32_t)h->texts.len;

	if (!text || !*text)
		return 0;
	oval_append(&h->texts, text, strlen(text) + 1);
	return place;
}

static const char *text_at(const struct head *h, uint32_t place)
{
	return place ? (const char *)h->texts.data + place : NULL;
}

void oval_head_begin(struct reader *r)
{
	struct head *h = r->head;

	if (!h)
		h = r->head = pd_alloc_for(r->ctx, sizeof(*h));
	*h = (struct head){ .texts = h->texts, .links = h->links };
	h->texts.len = h->links.len = 0;
	oval_append(&h->texts, "", 1);
}

/* 2019-06-27, 20190627, or with a time that is left off. */
static int64_t date(struct reader *r, const char *text)
{
	char day[11] = "";
	int64_t time = 0;

	if (text && strlen(text) >= 10)
		snprintf(day, sizeof(day), "%s", text);
	else if (text && strlen(text) == 8 && strspn(text, "0123456789") == 8)
		snprintf(day, sizeof(day), "%.4s-%.2s-%.2s", text, text + 4, text + 6);
	return pd_parse(r->ctx, PD_T_TIME, day, &time) ? time : 0;
}

/* Is it there?  Of very many only the last ones are looked at. */
static bool is_linked(const struct head *h, const struct link *new)
{
	size_t first = h->links.len > LINKS_SEEN ? h->links.len - LINKS_SEEN : 0;

	for (size_t i = h->links.len; i > first; i--) {
		const struct link *old = OVAL_AT(h->links, struct link, i - 1);

		if (old->hash == new->hash &&
		    strcmp(text_at(h, old->target), text_at(h, new->target)) == 0)
			return true;
	}
	return false;
}

/* Each once in a definition.  target: a text that is kept, or 0. */
static void link_to(struct reader *r, unsigned kind, uint32_t target, const char *title)
{
	struct head *h = r->head;
	struct link link = { .kind = kind, .target = target };

	if (!target)
		return;
	link.hash = hash_text(text_at(h, target), strlen(text_at(h, target)));
	if (is_linked(h, &link))
		return;
	link.title = keep(h, title);
	OVAL_ADD(&h->links, &link);
}

/* RHBA-2019:4268, SUSE-RU-2020:1 ... are no security updates. */
static unsigned kind_of(const char *id)
{
	return strstr(id, "BA-") || strstr(id, "-RU-") ? PD_CLASS_BUGFIX :
	       strstr(id, "EA-") || strstr(id, "-FU-") ? PD_CLASS_ENHANCEMENT : PD_CLASS_OTHER;
}

static void reference(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *id = oval_attribute(attrs, n, "ref_id"), *url = oval_attribute(attrs, n, "ref_url");
	struct head *h = r->head;

	if (id && !h->kind)
		h->kind = kind_of(id);
	if (!h->url)
		h->url = keep(h, url);
	link_to(r, PD_REL_ALIAS, keep(h, id), NULL);
	link_to(r, PD_REL_REFERENCE, keep(h, url), id);
}

void oval_head_start(struct reader *r, const char *name, const struct pd_xml_attr *attrs, size_t n)
{
	struct head *h = r->head;
	const char *href = oval_attribute(attrs, n, "href");

	h->target = keep(h, href);
	if (strcmp(name, "reference") == 0)
		reference(r, attrs, n);
	else if (strcmp(name, "advisory") == 0)
		h->vendor = keep(h, oval_attribute(attrs, n, "from"));
	else if (strcmp(name, "issued") == 0)
		h->issued = date(r, oval_attribute(attrs, n, "date"));
	else if (strcmp(name, "updated") == 0)
		h->updated = date(r, oval_attribute(attrs, n, "date"));
}

void oval_head_end(struct reader *r, const char *name, const char *text)
{
	struct head *h = r->head;

	/* most are links */
	if (strcmp(name, "ref") == 0 || strcmp(name, "bug") == 0)
		link_to(r, PD_REL_REFERENCE, keep(h, text), NULL);
	else if (strcmp(name, "cve") == 0)
		link_to(r, PD_REL_ALIAS, keep(h, text), NULL);
	else if (strcmp(name, "title") == 0 && !h->title)
		h->title = keep(h, text);
	else if (strcmp(name, "description") == 0 && !h->description)
		h->description = keep(h, text);
	else if (strcmp(name, "severity") == 0 && !h->severity)
		h->severity = keep(h, text);
	else if ((strcmp(name, "public_date") == 0 || strcmp(name, "date") == 0) && !h->issued)
		h->issued = date(r, text);
	if (h->target && (strcmp(name, "cve") == 0 || strcmp(name, "bugzilla") == 0))
		link_to(r, PD_REL_REFERENCE, h->target, text);
	h->target = 0;
}

static unsigned severity(const char *text)
{
	static const struct { const char *word; unsigned severity; } words[] = {
		{ "none", PD_SEVERITY_NONE }, { "negligible", PD_SEVERITY_LOW },
		{ "low", PD_SEVERITY_LOW }, { "moderate", PD_SEVERITY_MODERATE },
		{ "medium", PD_SEVERITY_MODERATE }, { "important", PD_SEVERITY_IMPORTANT },
		{ "high", PD_SEVERITY_IMPORTANT }, { "critical", PD_SEVERITY_CRITICAL } };

	for (size_t i = 0; text && i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(text, words[i].word) == 0)
			return words[i].severity;
	return PD_SEVERITY_UNKNOWN;
}

static int rule(struct reader *r, unsigned tree, unsigned op, bool negate, const char *subject)
{
	return pd_update_rule(r->ctx, &(struct pd_rule){
		.size = sizeof(struct pd_rule), .tree = (uint16_t)tree, .op = (uint16_t)op,
		.negate = negate, .subject = subject });
}

/* What is no patch is never installed. */
static int rules(struct reader *r, const struct definition *d)
{
	const char *id = oval_text(r, d->id);
	int result = rule(r, PD_RULES_APPLICABLE, PD_RULE_CALL, false, id);

	if (!result && !d->patch)
		result = rule(r, PD_RULES_INSTALLED, PD_RULE_ANY, false, NULL);
	if (!result && !d->patch)
		return rule(r, PD_RULES_INSTALLED, PD_RULE_CLOSE, false, NULL);
	if (!result)
		result = rule(r, PD_RULES_INSTALLED, PD_RULE_CALL, true, id);
	return result ? result : rule(r, PD_RULES_INSTALLED, PD_RULE_CALL, false,
				      pd_format(r->ctx, "%s%s", id, OVAL_PACKAGES));
}

int oval_head_emit(struct reader *r, const struct definition *d)
{
	const struct head *h = r->head;
	const char *word = text_at(h, h->severity);
	struct pd_update_head head = {
		.size = sizeof(head), .line = d->line, .id = oval_text(r, d->id),
		.revision = oval_text(r, d->revision), .title = text_at(h, h->title),
		.description = text_at(h, h->description), .url = text_at(h, h->url),
		.vendor = h->vendor ? text_at(h, h->vendor) : oval_text(r, r->product),
		.severity_text = word, .severity = (uint16_t)severity(word),
		.kind = (uint16_t)(d->vulnerability || (d->patch && !h->kind) ? PD_CLASS_SECURITY :
				   h->kind),
		.issued = h->issued, .updated = h->updated, .disk_bytes = -1 };
	int result = pd_update_begin(r->ctx, &head);

	for (size_t i = 0; i < h->links.len && !result; i++) {
		const struct link *link = OVAL_AT(h->links, struct link, i);

		result = pd_update_relation(r->ctx, &(struct pd_relation){
			.size = sizeof(struct pd_relation), .kind = link->kind,
			.target = text_at(h, link->target), .title = text_at(h, link->title) });
	}
	if (!result)
		result = rules(r, d);
	return result ? result : pd_update_end(r->ctx);
}
