/* SPDX-License-Identifier: MIT */
/* The metadata of a definition: title, references, the vendor's advisory. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../shared/hash.h"
#include "oval.h"

enum { LINKS_SEEN = 4096 };

enum element {
	OTHER, REF, REFERENCE, TITLE, DESCRIPTION, SEVERITY, DATE, AFFECTED, ADVISORY, CVE,
	BUGZILLA, ISSUED, UPDATED
};

/* Those that there are most of first. */
static const struct { char name[14]; uint8_t element; bool text; } elements[] = {
	{ "ref", REF, true }, { "title", TITLE, true }, { "description", DESCRIPTION, true },
	{ "severity", SEVERITY, true }, { "public_date", DATE, true },
	{ "reference", REFERENCE, false }, { "affected", AFFECTED, false },
	{ "advisory", ADVISORY, false }, { "bug", REF, true }, { "cve", CVE, true },
	{ "bugzilla", BUGZILLA, true }, { "issued", ISSUED, false },
	{ "updated", UPDATED, false }, { "date", DATE, true }, { "advisory_date", DATE, true },
	{ "", OTHER, false }
};

const char *oval_attribute(const struct pd_xml_attr *attrs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (*attrs[i].name == *name && strcmp(attrs[i].name, name) == 0)
			return attrs[i].value;
	return NULL;
}

/* "Mitre CVE-2020-1" and "CVE-2020-1 at NVD" are CVE-2020-1; all else is what it is. */
static const char *alias_of(struct reader *r, const char *name)
{
	const char *blank = strchr(name, ' '), *cve = strncmp(name, "CVE-", 4) == 0 ? name : NULL;
	size_t len;

	if (!blank)
		return name;
	if (!cve && strncmp(blank, " CVE-", 5) == 0)
		cve = blank + 1;
	len = cve ? strcspn(cve, " ") : 0;
	return len > 9 && len < 32 && (cve == name ? strncmp(blank, " at ", 4) == 0 : !cve[len]) ?
	       pd_format(r->ctx, "%.*s", (int)len, cve) : name;
}

/* Kept by its place: 0 is none. */
static uint32_t keep(struct reader *r, const char *text)
{
	uint32_t place;

	if (!text || !*text)
		return 0;
	if (!r->told.len)
		oval_append(&r->told, "", 1);
	place = (uint32_t)r->told.len;
	oval_append(&r->told, text, strlen(text) + 1);
	return place;
}

static const char *text_at(const struct reader *r, uint32_t place)
{
	return place ? (const char *)r->told.data + place : NULL;
}

/* 2019-06-27, 20190627, or with a time that is left off. */
static int64_t date(struct reader *r, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	char day[] = "YYYY-MM-DD";
	int64_t time = 0;

	if (len >= 10) {
		memcpy(day, text, 10);
	} else if (len == 8) {
		memcpy(day, text, 4);
		memcpy(day + 5, text + 4, 2);
		memcpy(day + 8, text + 6, 2);
	}
	return pd_parse(r->ctx, PD_T_TIME, day, &time) ? time : 0;
}

/* Has the definition got it?  Of very many only the last ones are looked at. */
static bool is_linked(const struct reader *r, const struct definition *d, const struct link *new)
{
	size_t first = d->n_links > LINKS_SEEN ? r->links.len - LINKS_SEEN : d->first_link;

	for (size_t i = r->links.len; i > first; i--) {
		const struct link *old = OVAL_AT(r->links, struct link, i - 1);

		if (old->hash == new->hash &&
		    strcmp(text_at(r, old->target), text_at(r, new->target)) == 0)
			return true;
	}
	return false;
}

/* Each once in a definition.  Both are texts that are kept, or 0. */
static void link_to(struct reader *r, unsigned kind, uint32_t target, uint32_t title)
{
	struct definition *d = OVAL_LAST(r->definitions, struct definition);
	struct link link = { .kind = kind, .target = target, .title = title };

	if (!target)
		return;
	link.hash = hash_text(text_at(r, target), strlen(text_at(r, target)));
	if (is_linked(r, d, &link))
		return;
	OVAL_ADD(&r->links, &link);
	d->n_links++;
}

/* RHBA-2019:4268, SUSE-RU-2020:1 ... are no security updates. */
static unsigned kind_of(const char *id)
{
	return strstr(id, "BA-") || strstr(id, "-RU-") ? PD_CLASS_BUGFIX :
	       strstr(id, "EA-") || strstr(id, "-FU-") ? PD_CLASS_ENHANCEMENT : PD_CLASS_OTHER;
}

static void reference(struct reader *r, struct definition *d, const struct pd_xml_attr *attrs,
		      size_t n)
{
	const char *id = oval_attribute(attrs, n, "ref_id"), *url = oval_attribute(attrs, n, "ref_url");
	uint32_t name = keep(r, id ? alias_of(r, id) : NULL), target = keep(r, url);

	if (id && !d->kind)
		d->kind = (uint8_t)kind_of(id);
	if (!d->url)
		d->url = target;
	link_to(r, PD_REL_ALIAS, name, 0);
	link_to(r, PD_REL_REFERENCE, target, name);
}

/* Of what is read of metadata, verdicts need the class and the severity. */
bool oval_passed(const char *name, unsigned depth, bool bare)
{
	static const char *const any[] = { "affected", "rights", "discovered_by", "assigned_to",
					   "public_date_at_usn", "crd" };
	static const char *const more[] = { "ref", "title", "description", "public_date", "bug",
					    "cve", "bugzilla", "issued", "updated" };
	bool is = depth == 4 && strcmp(name, "notes") == 0;

	for (size_t i = 0; depth > 4 && i < sizeof(any) / sizeof(*any); i++)
		is |= strcmp(name, any[i]) == 0;
	for (size_t i = 0; depth > 4 && bare && i < sizeof(more) / sizeof(*more); i++)
		is |= strcmp(name, more[i]) == 0;
	return is;
}

static size_t place_of(const char *name)
{
	size_t i = 0;

	while (*elements[i].name && (elements[i].name[0] != name[0] || elements[i].name[1] != name[1] ||
				     strcmp(elements[i].name, name) != 0))
		i++;
	return i;
}

void oval_head_start(struct reader *r, const char *name, const struct pd_xml_attr *attrs, size_t n)
{
	struct definition *d = OVAL_LAST(r->definitions, struct definition);
	size_t i = place_of(name);

	r->element = elements[i].element;
	r->asked = elements[i].text;
	switch (r->element) {
	case REFERENCE: reference(r, d, attrs, n); break;
	case ADVISORY: d->vendor = keep(r, oval_attribute(attrs, n, "from")); break;
	case CVE:
	case BUGZILLA: r->href = keep(r, oval_attribute(attrs, n, "href")); break;
	case ISSUED: d->issued = date(r, oval_attribute(attrs, n, "date")); break;
	case UPDATED: d->updated = date(r, oval_attribute(attrs, n, "date")); break;
	default: break;
	}
}

void oval_head_end(struct reader *r, const char *text)
{
	struct definition *d = OVAL_LAST(r->definitions, struct definition);
	uint32_t place = r->element == DATE ? 0 : keep(r, r->element == CVE && text ? alias_of(r, text) : text);

	switch (r->element) { /* of what is there once the first one counts */
	case REF: link_to(r, PD_REL_REFERENCE, place, 0); break;
	case TITLE: d->title = d->title ? d->title : place; break;
	case DESCRIPTION: d->description = d->description ? d->description : place; break;
	case SEVERITY: d->severity = d->severity ? d->severity : place; break;
	case DATE: d->issued = d->issued ? d->issued : date(r, text); break;
	case CVE: link_to(r, PD_REL_ALIAS, place, 0); /* fall through */
	case BUGZILLA: link_to(r, PD_REL_REFERENCE, r->href, place); break;
	default: break;
	}
	r->element = OTHER;
}

static unsigned severity(const char *text)
{
	static const struct { const char *word; unsigned severity; } words[] = {
		{ "medium", PD_SEVERITY_MODERATE }, { "low", PD_SEVERITY_LOW },
		{ "moderate", PD_SEVERITY_MODERATE }, { "important", PD_SEVERITY_IMPORTANT },
		{ "none", PD_SEVERITY_NONE }, { "negligible", PD_SEVERITY_LOW },
		{ "high", PD_SEVERITY_IMPORTANT }, { "critical", PD_SEVERITY_CRITICAL } };

	for (size_t i = 0; text && i < sizeof(words) / sizeof(*words); i++)
		if ((*text | 0x20) == *words[i].word && strcasecmp(text, words[i].word) == 0)
			return words[i].severity;
	return PD_SEVERITY_UNKNOWN;
}

int oval_head_emit(struct reader *r, const struct definition *d, bool brief)
{
	const char *word = text_at(r, d->severity);
	struct pd_update_head head = {
		.size = sizeof(head), .line = d->line, .id = oval_text(r, d->id),
		.revision = oval_text(r, d->revision), .title = text_at(r, d->title),
		.description = text_at(r, d->description), .url = text_at(r, d->url),
		.vendor = d->vendor ? text_at(r, d->vendor) : oval_text(r, r->product),
		.severity_text = word, .severity = (uint16_t)severity(word),
		.kind = d->vulnerability || (d->patch && !d->kind) ? PD_CLASS_SECURITY : d->kind,
		.issued = d->issued, .updated = d->updated, .disk_bytes = -1 };
	int result = pd_update_begin(r->ctx, &head);

	for (size_t i = 0; i < d->n_links && !brief && !result; i++) {
		const struct link *link = OVAL_AT(r->links, struct link, d->first_link + i);

		result = pd_update_relation(r->ctx, &(struct pd_relation){
			.size = sizeof(struct pd_relation), .kind = link->kind,
			.target = text_at(r, link->target), .title = text_at(r, link->title) });
	}
	return result;
}
