/* SPDX-License-Identifier: MIT */
/* The plugin updateinfo: the reader of the updateinfo.xml that repositories of
 * rpm packages have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "updateinfo.h"

/* Elements, those that there are most of first. */
enum element {
	PACKAGE, FILENAME, SUM, REFERENCE, UPDATE, ID, TITLE, ISSUED, UPDATED, SEVERITY, SUMMARY,
	DESCRIPTION, MODULE, COLLECTION, REBOOT, RELOGIN, RESTART, ROOT, KNOWN, OTHER
};

static const struct { char name[19]; uint8_t element; } elements[] = {
	{ "package", PACKAGE }, { "filename", FILENAME }, { "sum", SUM },
	{ "reference", REFERENCE }, { "id", ID }, { "title", TITLE }, { "issued", ISSUED },
	{ "updated", UPDATED }, { "severity", SEVERITY }, { "summary", SUMMARY },
	{ "description", DESCRIPTION }, { "update", UPDATE }, { "collection", COLLECTION },
	{ "name", KNOWN }, { "pkglist", KNOWN }, { "references", KNOWN }, { "rights", KNOWN },
	{ "release", KNOWN }, { "pushcount", KNOWN }, { "solution", KNOWN }, { "module", MODULE },
	{ "reboot_suggested", REBOOT }, { "relogin_suggested", RELOGIN },
	{ "restart_suggested", RESTART }, { "message", KNOWN }, { "updates", ROOT },
	{ "", OTHER }
};

/* A text that grows. */
struct text {
	char *data;
	size_t len, cap;
};

enum text_of { T_ID, T_TITLE, T_SEVERITY, T_SUMMARY, T_DESCRIPTION, T_FILE, T_SUM, T_FLAG, TEXTS };

/* What the lists of an update hold: places of texts in kept, 0 for none. */
struct package {
	size_t name, epoch, version, release, arch, source, module, file, digest;
	unsigned restart;
};

struct reference {
	unsigned kind;
	size_t target, title;
};

/* Vendors do not agree on an order, so that an update is handed over when all
 * of it was read. */
struct reader {
	struct pd_ctx *ctx;
	struct text texts[TEXTS];
	struct text *into;    /* the text being read; NULL: nobody asks for it */
	struct text kept;     /* of the update; the first byte is none */
	struct text packages, references; /* rows */
	struct pd_update_head head;
	size_t vendor, revision, url, module, sum_type; /* in kept */
	bool open, wanted;    /* in an update; in a package that somebody asks for */
	bool left_out;        /* there was one in the update that nobody asks for */
	uint8_t stack[256];   /* the elements that are open, as deep as XML may be */
	unsigned depth;
	unsigned into_depth;  /* of the element that the text is of: others in it are text too */
};

static void add(struct text *t, const void *s, size_t len)
{
	if (t->len + len + 1 > t->cap) {
		t->cap = 2 * (t->len + len + 1);
		t->data = realloc(t->data, t->cap);
		if (!t->data)
			abort();
	}
	memcpy(t->data + t->len, s, len);
	t->len += len;
	t->data[t->len] = '\0';
}

static size_t keep(struct reader *r, const char *s)
{
	size_t at = r->kept.len;

	if (!s || !*s)
		return 0;
	add(&r->kept, s, strlen(s) + 1);
	return at;
}

static const char *kept(const struct reader *r, size_t at)
{
	return at ? r->kept.data + at : NULL;
}

/* Without the blanks around it; good until its element comes again. */
static const char *text_of(struct reader *r, enum text_of which)
{
	struct text *t = &r->texts[which];

	while (t->len && strchr(" \t\r\n", t->data[t->len - 1]))
		t->data[--t->len] = '\0';
	return t->len ? t->data + strspn(t->data, " \t\r\n") : "";
}

static const char *attribute(const struct pd_xml_attr *attrs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (*attrs[i].name == *name && strcmp(attrs[i].name, name) == 0)
			return attrs[i].value;
	return NULL;
}

static enum element element_of(const char *name)
{
	size_t i = 0;

	while (elements[i].name[0] && (elements[i].name[0] != name[0] ||
				       elements[i].name[1] != name[1] ||
				       strcmp(elements[i].name, name) != 0))
		i++;
	return (enum element)elements[i].element;
}

/* --------------------------------------------------------- handing over */

static int hand_references(struct reader *r)
{
	const struct reference *all = (const void *)r->references.data;

	for (size_t i = 0; i < r->references.len / sizeof(*all); i++)
		if (pd_update_relation(r->ctx, &(struct pd_relation){
			    .size = sizeof(struct pd_relation), .kind = all[i].kind,
			    .target = kept(r, all[i].target), .title = kept(r, all[i].title) }))
			return PD_FAILED;
	return 0;
}

static int hand_packages(struct reader *r)
{
	const struct package *all = (const void *)r->packages.data;
	uint32_t payloads = 0;

	for (size_t i = 0; i < r->packages.len / sizeof(*all); i++) {
		const struct package *p = &all[i];

		payloads += p->file != 0;
		if (p->file && pd_update_payload(r->ctx, &(struct pd_payload){
			    .size = sizeof(struct pd_payload), .url = kept(r, p->file),
			    .bytes = -1, .digest = kept(r, p->digest) }))
			return PD_FAILED;
		if (pd_update_package(r->ctx, &(struct pd_package_row){
			    .size = sizeof(struct pd_package_row), .scheme = PD_SCHEME_RPM,
			    .name = kept(r, p->name), .epoch = kept(r, p->epoch),
			    .version = kept(r, p->version), .release = kept(r, p->release),
			    .arch = kept(r, p->arch), .source = kept(r, p->source),
			    .module = kept(r, p->module), .restart = p->restart,
			    .payload = p->file ? payloads : 0 }))
			return PD_FAILED;
	}
	return 0;
}

static int end_update(struct reader *r)
{
	bool asked = r->packages.len || !r->left_out;

	r->open = false;
	r->head.id = text_of(r, T_ID);
	r->head.revision = kept(r, r->revision);
	r->head.severity_text = text_of(r, T_SEVERITY);
	r->head.severity = (uint16_t)updateinfo_severity(r->head.severity_text);
	if (asked) { /* or else it is only told that it is there */
		r->head.title = text_of(r, *text_of(r, T_TITLE) ? T_TITLE : T_SUMMARY);
		r->head.description = text_of(r, *text_of(r, T_DESCRIPTION) ? T_DESCRIPTION :
									      T_SUMMARY);
		r->head.url = kept(r, r->url);
		r->head.vendor = kept(r, r->vendor);
	}
	if (pd_update_begin(r->ctx, &r->head) ||
	    (asked && (hand_references(r) || hand_packages(r))))
		return PD_FAILED;
	return pd_update_end(r->ctx);
}

/* ------------------------------------------------------------- elements */

static void start_update(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *type = attribute(attrs, n, "type"), *status = attribute(attrs, n, "status");

	for (int i = 0; i < TEXTS; i++)
		r->texts[i].len = 0;
	r->kept.len = r->packages.len = r->references.len = 0;
	add(&r->kept, "", 1);
	r->head = (struct pd_update_head){ .size = sizeof(r->head), .disk_bytes = -1,
		.line = pd_xml_line(r->ctx), .kind = (uint16_t)updateinfo_class(type ? type : ""),
		.status = (uint16_t)updateinfo_status(status ? status : "") };
	r->vendor = keep(r, attribute(attrs, n, "from"));
	r->revision = keep(r, attribute(attrs, n, "version"));
	r->url = r->module = 0;
	r->open = true;
	r->wanted = r->left_out = false;
}

/* Such a package is handed on whoever asks, for its update to be refused. */
static bool is_wrong(const char *name, const char *version, const char *epoch)
{
	while (epoch && *epoch >= '0' && *epoch <= '9')
		epoch++;
	return !name || !*name || !version || !*version || (epoch && *epoch);
}

/* What is in one that nobody asks for is not looked at. */
static int start_package(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *name = attribute(attrs, n, "name");
	struct package p = {0};

	r->wanted = is_wrong(name, attribute(attrs, n, "version"), attribute(attrs, n, "epoch")) ||
		    pd_package_wanted(r->ctx, name);
	r->left_out |= !r->wanted;
	if (!r->wanted)
		return PD_XML_SKIP;
	p = (struct package){ .name = keep(r, name), .epoch = keep(r, attribute(attrs, n, "epoch")),
			      .version = keep(r, attribute(attrs, n, "version")),
			      .release = keep(r, attribute(attrs, n, "release")),
			      .arch = keep(r, attribute(attrs, n, "arch")),
			      .source = keep(r, attribute(attrs, n, "src")), .module = r->module };
	add(&r->packages, &p, sizeof(p));
	return 0;
}

/* The package that is being read. */
static struct package *package(struct reader *r)
{
	return r->wanted ? (struct package *)(void *)(r->packages.data + r->packages.len) - 1 : NULL;
}

static void start_reference(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *type = attribute(attrs, n, "type"), *id = attribute(attrs, n, "id");
	const char *url = attribute(attrs, n, "href");
	struct reference name = { PD_REL_ALIAS, 0, 0 }, link = { PD_REL_REFERENCE, 0, 0 };

	type = type ? type : "";
	if (id && *id && (strcmp(type, "cve") == 0 || strcmp(type, "bugzilla") == 0)) {
		name.target = keep(r, id);
		add(&r->references, &name, sizeof(name));
	}
	if (url && *url) {
		link.target = keep(r, url);
		link.title = keep(r, attribute(attrs, n, "title"));
		add(&r->references, &link, sizeof(link));
	}
	if (strcmp(type, "self") == 0)
		r->url = link.target;
}

static void pass_over(struct reader *r, const char *what, const char *which)
{
	char text[128];

	snprintf(text, sizeof(text), "%s%.60s", what, which);
	pd_ignored(r->ctx, pd_xml_line(r->ctx), text);
}

static void take_date(struct reader *r, int64_t *date, const char *text)
{
	if (text && *text && !updateinfo_time(text, date))
		pass_over(r, "a date of no form that is known: ", text);
}

static void read_into(struct reader *r, enum text_of which)
{
	r->into = &r->texts[which];
	r->into->len = 0;
	r->into_depth = r->depth;
}

/* A collection may be for several modules, any of them. */
static void start_module(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *name = attribute(attrs, n, "name"), *stream = attribute(attrs, n, "stream");
	const char *before = kept(r, r->module);
	char text[1024];
	int len = !name ? -1 : snprintf(text, sizeof(text), "%s%s%s:%s", before ? before : "", before ? "," : "",
					name, stream ? stream : "");

	if (len > 0 && (size_t)len < sizeof(text))
		r->module = keep(r, text);
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		    const struct pd_xml_attr *attrs, size_t n)
{
	struct reader *r = user;
	enum element e = r->into ? OTHER : element_of(name);

	(void)ns, (void)ctx;
	r->stack[r->depth++] = (uint8_t)e;
	if (!r->open && e != UPDATE && e != ROOT) {
		pass_over(r, "outside of an update: ", name);
		return 0;
	}
	switch (e) {
	case PACKAGE: return start_package(r, attrs, n);
	case FILENAME: if (r->wanted) read_into(r, T_FILE); break;
	case SUM:
		if (r->wanted) {
			r->sum_type = keep(r, attribute(attrs, n, "type"));
			read_into(r, T_SUM);
		}
		break;
	case REFERENCE: start_reference(r, attrs, n); break;
	case UPDATE: start_update(r, attrs, n); break;
	case ID: read_into(r, T_ID); break;
	case TITLE: read_into(r, T_TITLE); break;
	case ISSUED: take_date(r, &r->head.issued, attribute(attrs, n, "date")); break;
	case UPDATED: take_date(r, &r->head.updated, attribute(attrs, n, "date")); break;
	case SEVERITY: read_into(r, T_SEVERITY); break;
	case SUMMARY: read_into(r, T_SUMMARY); break;
	case DESCRIPTION: read_into(r, T_DESCRIPTION); break;
	case COLLECTION: r->module = 0; break;
	case MODULE: start_module(r, attrs, n); break;
	case REBOOT: case RELOGIN: case RESTART: read_into(r, T_FLAG); break;
	case OTHER: pass_over(r, "an element that is not known: ", name); break;
	case ROOT: case KNOWN: break;
	}
	return 0;
}

/* Of several the longest one counts, which is the strongest. */
static void end_sum(struct reader *r)
{
	static const struct { const char *type, *name; size_t digits; } known[] = {
		{ "sha256", "sha256:", 64 }, { "sha", "sha1:", 40 }, { "sha1", "sha1:", 40 },
		{ "md5", "md5:", 32 }, { "sha384", "sha384:", 96 }, { "sha512", "sha512:", 128 } };
	const char *sum = text_of(r, T_SUM), *type = kept(r, r->sum_type);
	const char *before = kept(r, package(r)->digest);
	size_t len = strlen(sum);

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (type && strcmp(known[i].type, type) == 0 && len == known[i].digits &&
		    strspn(sum, "0123456789abcdefABCDEF") == len) {
			if (before && strlen(before) >= strlen(known[i].name) + len)
				return;
			package(r)->digest = r->kept.len;
			add(&r->kept, known[i].name, strlen(known[i].name));
			add(&r->kept, sum, len + 1);
			return;
		}
	pass_over(r, "a sum that is no digest of a known type: ", type ? type : "");
}

/* It stands in a package, or in the update for all of them. */
static void end_flag(struct reader *r, unsigned restart)
{
	const char *text = text_of(r, T_FLAG);
	struct package *p = package(r);

	if (strcmp(text, "0") == 0 || strcmp(text, "false") == 0 || strcmp(text, "False") == 0)
		return;
	if (p && restart > p->restart)
		p->restart = restart;
	if (!p && restart > r->head.restart)
		r->head.restart = (uint16_t)restart;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reader *r = user;

	(void)ctx, (void)ns, (void)name;
	if (r->depth == r->into_depth)
		r->into = NULL;
	r->depth--;
	if (!r->open)
		return 0;
	switch (r->stack[r->depth]) {
	case PACKAGE: r->wanted = false; break;
	case FILENAME:
		if (r->wanted)
			package(r)->file = keep(r, text_of(r, T_FILE));
		break;
	case SUM: if (r->wanted) end_sum(r); break;
	case REBOOT: end_flag(r, PD_RESTART_REBOOT); break;
	case RELOGIN: end_flag(r, PD_RESTART_SESSION); break;
	case RESTART: end_flag(r, PD_RESTART_SERVICE); break;
	case UPDATE: return end_update(r);
	default: break;
	}
	return 0;
}

static int on_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct reader *r = user;

	(void)ctx;
	if (r->into)
		add(r->into, text, len);
	return 0;
}

static int read_updateinfo(struct pd_ctx *ctx)
{
	struct reader r = { .ctx = ctx };
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = &r, .start = on_start,
					  .end = on_end, .text = on_text };
	int result = pd_xml(ctx, &handler);

	for (size_t i = 0; i < TEXTS; i++)
		free(r.texts[i].data);
	free(r.kept.data);
	free(r.packages.data);
	free(r.references.data);
	return result;
}

static int recognize_updateinfo(const unsigned char *head, size_t len)
{
	return updateinfo_root(head, len, "updates") ? 90 : 0;
}

static const struct pd_reader updateinfo = {
	PD_READER, .flags = PD_R_REVISIONS | PD_R_ITEMS, .name = "updateinfo", .help = "updateinfo.xml of a repository of rpm packages",
	.recognize = recognize_updateinfo, .read = read_updateinfo, .time_limit = 3600
};

static const struct pd_reader *const readers[] = { &updateinfo, &primary_reader, &modules_reader, NULL };
static const struct pd_scanner *const scanners[] = { &defaults_scanner, NULL };

PD_PLUGIN(.name = "updateinfo", .version = "1.0",
	  .help = "updates of repositories of rpm packages", .readers = readers, .scanners = scanners);
