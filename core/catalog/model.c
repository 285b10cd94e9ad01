/* SPDX-License-Identifier: MIT */
/* Building the update model: the one place where the parts of updates are
 * checked. */
#include "catalog/model.h"

#include "base/text.h"
#include "plugin/wire.h"

enum {
	ROWS_MAX = 32 << 20, /* bytes of one kind in one update */
	UPDATES_MAX = 8 << 20,
	DEPTH_MAX = 64,      /* of rules */
	ID_MAX = 256
};
static const size_t ARENA_MAX = (size_t)1 << 30;

/* Names that people type and that stand in messages. */
static bool is_id(const char *s, size_t len)
{
	static const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	size_t n = 0;

	for (uint64_t w, d; n + sizeof(w) <= len; n += sizeof(w)) { /* is there a control character? */
		memcpy(&w, s + n, sizeof(w));
		d = w ^ ones * 127;
		if ((((w - ones * ' ') & ~w) | ((d - ones) & ~d)) & tops)
			return false;
	}
	while (n < len && (unsigned char)s[n] >= ' ' && s[n] != 127)
		n++;
	return len && n == len && len <= ID_MAX;
}

static char *text_bad(const struct pd_part_form *form, const struct pd_part_field *f, const char *s,
		      size_t len)
{
	if (f->type == 'S' && !len)
		return pd_print("%s has no %s", form->name, f->name);
	if (f->type == 'I' && !is_id(s, len))
		return pd_print("%s needs 1 to %d characters as its %s", form->name, ID_MAX, f->name);
	return len && !pd_utf8_valid(s, len) ?
	       pd_print("the %s of %s is not valid UTF-8", f->name, form->name) : NULL;
}

static char *number_bad(const struct pd_part_form *form, const struct pd_part_field *f, unsigned n)
{
	return n < f->min || n > f->max ?
	       pd_print("the %s of %s is %u, which is unknown", f->name, form->name, n) : NULL;
}

/* What is wrong with a row by itself?  Its texts are then of the scratch, if
 * there is one, up to the wrong one, and none is NULL. */
static char *row_bad(struct pd_arena *scratch, int what, union pd_part *p)
{
	const struct pd_part_form *form = &pd_part_forms[what];
	char *wrong = NULL;

	for (const struct pd_part_field *f = form->fields; f->name && !wrong; f++) {
		void *at = (char *)p + f->offset;
		const char *s = NULL;
		size_t len;

		if (!pd_part_is_text(f)) {
			wrong = number_bad(form, f, f->type == 'h' ? *(uint16_t *)at : *(uint32_t *)at);
			continue;
		}
		s = *(const char **)at;
		len = s && *s ? strlen(s) : 0;
		if (len || f->type != 's') /* most are empty */
			wrong = text_bad(form, f, s, len);
		if (!wrong && scratch)
			*(const char **)at = len ? pd_arena_add(scratch, s, len) : "";
	}
	return wrong;
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
	if (r->compare == PD_CMP_MATCH && (!b->pattern || strcmp(r->value, b->pattern) != 0) &&
	    !pd_rules_pattern(r->value))
		return "a test's pattern is no extended regular expression of "
		       "bounded size, or refers back";
	if (r->compare == PD_CMP_MATCH)
		b->pattern = pd_arena_keep(b->catalog->arena, r->value);
	return NULL;
}

#define COUNT(b, what) ((b)->rows[what].len / pd_part_forms[what].size)

static char *replaces_wrong(const struct pd_package_row *p)
{
	struct pd_replaced old;

	for (const char *at = p->replaces ? p->replaces : ""; *at;)
		if (!pd_replaced_next(&at, &old))
			return pd_print("what package %s replaces has to be NAME or NAME < VERSION, with "
					"commas between", p->name);
	return NULL;
}

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
	if (what == PD_EMIT_PACKAGE && *p->package.replaces)
		return replaces_wrong(&p->package);
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

/* Some tools write one that is not there as "None" or "(none)"; no version would
 * compare with that. */
static char *epoch_wrong(const struct pd_package_row *p)
{
	const char *epoch = p->epoch ? p->epoch : "";

	if (!epoch[strspn(epoch, "0123456789")])
		return NULL;
	return pd_print("the epoch \"%s\" of package %s is no number",
			pd_utf8_valid(epoch, strlen(epoch)) ? epoch : "?",
			p->name && pd_utf8_valid(p->name, strlen(p->name)) ? p->name : "?");
}

/* [epoch:]version[-release] in one; good until the next one. */
static const char *full_version(struct pd_builder *b, const struct pd_package_row *r)
{
	bool epoch = r->epoch && *r->epoch && strcmp(r->epoch, "0") != 0;
	bool release = r->release && *r->release;
	const char *parts[] = { epoch ? r->epoch : "", epoch ? ":" : "", r->version,
				release ? "-" : "", release ? r->release : "" };

	b->version.len = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		pd_buffer_text(&b->version, parts[i]);
	return b->version.data;
}

/* @return what is wrong, or NULL. */
static char *take_row(struct pd_builder *b, int what, union pd_part *p)
{
	char *wrong = what == PD_EMIT_PACKAGE ? epoch_wrong(&p->package) : NULL;

	if (wrong)
		return wrong;
	if (what == PD_EMIT_PACKAGE && p->package.version && *p->package.version) {
		p->package.version = full_version(b, &p->package);
		p->package.epoch = p->package.release = NULL;
	}
	if (what == PD_EMIT_PAYLOAD && p->payload.url && (!p->payload.name || !*p->payload.name))
		p->payload.name = strrchr(p->payload.url, '/') ?
				  strrchr(p->payload.url, '/') + 1 : p->payload.url;
	/* the empty value is one to compare with, none is not */
	if (what == PD_EMIT_RULE && p->rule.compare && !p->rule.value)
		p->rule.field = NULL;
	wrong = row_bad(&b->scratch, what, p);
	if (!wrong)
		wrong = row_wrong(b, what, p);
	if (!wrong)
		pd_buffer_add(&b->rows[what], p, pd_part_forms[what].size);
	if (what == PD_EMIT_RELATION)
		b->catalog->linked |= p->relation.kind == PD_REL_SUPERSEDES ||
				      p->relation.kind == PD_REL_REQUIRES ||
				      p->relation.kind == PD_REL_BUNDLES;
	return wrong;
}

/* ----------------------------------------------------------- the updates */

/* Of an update that is refused only the head stays, and whether it is needed is not known. */
static void keep_head(struct pd_builder *b, const char *why)
{
	union pd_part p = { .rule = { .size = sizeof(p.rule), .tree = PD_RULES_APPLICABLE,
				      .op = PD_RULE_UNKNOWN, .subject = why } };
	pd_auto_free char *wrong = row_bad(&b->scratch, PD_EMIT_RULE, &p);

	for (int k = 0; k < PD_EMIT_END; k++)
		b->rows[k].len = 0;
	if (!wrong)
		pd_buffer_add(&b->rows[PD_EMIT_RULE], &p, pd_part_forms[PD_EMIT_RULE].size);
}

/* All parts of the update go, so that half of one is never installed; with a
 * strict reader the whole catalog.  @return may the reading go on? */
static bool refuse(struct pd_builder *b, const char *why)
{
	const char *id = b->now.id;
	unsigned line = b->line ? b->line : b->now.line;
	pd_auto_free char *text = pd_print("%s%s%s%s", id ? "update " : "", id ? id : "",
					   id ? ": " : "", why);

	if (b->state == PD_UPDATE_OPEN && b->now.revision)
		keep_head(b, why);
	b->state = b->state == PD_UPDATE_NONE ? PD_UPDATE_NONE : PD_UPDATE_REFUSED;
	if (b->strict)
		return pd_error_at(b->err, "catalog-update", b->catalog->name, line, b->column,
				   "%s", text);
	pd_catalog_ignore(b->catalog, line, text);
	return true;
}

static char *start(struct pd_builder *b, struct pd_update_head *h, union pd_part *p)
{
	const char *given = h->id;
	char *wrong;

	pd_arena_reset(&b->scratch);
	wrong = row_bad(&b->scratch, PD_EMIT_BEGIN, p);
	for (int k = 0; k < PD_EMIT_END; k++)
		b->rows[k].len = 0;
	b->depth = 0;
	b->state = PD_UPDATE_OPEN;
	/* the id is looked at first */
	b->now = (struct pd_catalog_update){ .id = h->id == given ? NULL : h->id,
					     .line = h->line ? h->line : b->line };
	if (wrong)
		return wrong;
	b->now = (struct pd_catalog_update){
		.id = h->id, .revision = h->revision, .title = h->title,
		.description = h->description, .url = h->url, .vendor = h->vendor,
		.severity_text = h->severity_text, .trust = h->trust, .severity = (uint8_t)h->severity,
		.kind = (uint8_t)h->kind, .status = (uint8_t)h->status,
		.restart = (uint8_t)h->restart, .interactive = h->interactive != 0,
		.permanent = h->permanent != 0, .line = b->now.line, .issued = h->issued,
		.updated = h->updated, .disk_bytes = h->disk_bytes, .expected = h->expected };
	return NULL;
}

static bool take_brief(struct pd_builder *b, union pd_part *p)
{
	const struct pd_brief *brief = &p->brief;
	pd_auto_free char *wrong = row_bad(NULL, PD_EMIT_BRIEF, p);

	if (!wrong && brief->status == PD_STATUS_RULES)
		wrong = pd_print("the status of an update is %d, which is that of rules", brief->status);
	if (wrong)
		return refuse(b, wrong);
	b->now.line = brief->line;
	pd_catalog_settle_brief(b, &(struct pd_catalog_brief){
		.id = brief->id, .revision = brief->revision ? brief->revision : "",
		.package = brief->package,
		.packages = brief->packages, .severity = (uint8_t)brief->severity,
		.kind = (uint8_t)brief->kind, .status = (uint8_t)brief->status,
		.restart = (uint8_t)brief->restart });
	return true;
}

/* What a package replaces wherever it stands, if anybody has that; or a module's default
 * stream. */
static bool take_replacer(struct pd_builder *b, union pd_part *p)
{
	const char *full = p->package.version ? full_version(b, &p->package) : NULL;
	pd_auto_free char *wrong = row_bad(NULL, PD_EMIT_PACKAGE, p);
	const char *at = p->package.replaces;
	struct pd_replaced old;
	int64_t modified = 0;

	if (!wrong)
		wrong = replaces_wrong(&p->package);
	if (wrong)
		return refuse(b, wrong);
	if (p->package.module && *p->package.module)
		pd_catalog_default(b->catalog, p->package.module,
				   pd_parse_int(p->package.version, &modified) ? modified : 0);
	while (at && *at && pd_replaced_next(&at, &old))
		if (!b->audience || pd_index_find(&b->audience->names, old.name)) {
			pd_catalog_replacer(b->catalog, &p->package, full);
			break;
		}
	return true;
}

bool pd_builder_emit(void *builder, struct pd_emitted *e)
{
	struct pd_builder *b = builder;
	struct pd_catalog *c = b->catalog;
	pd_auto_free char *wrong = NULL;

	if (e->what == PD_EMIT_IGNORED) {
		wrong = row_bad(NULL, e->what, &e->part);
		pd_catalog_ignore(c, e->part.ignored.line, wrong ? wrong : e->part.ignored.what);
		return true;
	}
	b->line = e->line;
	b->column = e->column;
	if (c->arena->bytes + b->scratch.bytes > ARENA_MAX || c->places + c->n_shared > UPDATES_MAX ||
	    c->arena->n_replacers > UPDATES_MAX ||
	    (e->what < PD_EMIT_END && b->rows[e->what].len > ROWS_MAX))
		return pd_error_at(b->err, "catalog-update", c->name, b->line, b->column,
				   "the catalog is larger than any real one");
	if (b->replacing)
		return e->what != PD_EMIT_PACKAGE || take_replacer(b, &e->part);
	if (e->what == PD_EMIT_BRIEF)
		return take_brief(b, &e->part);
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
	b->now.left_out = e->part.end.left_out;
	if (b->state == PD_UPDATE_OPEN || b->rows[PD_EMIT_RULE].len)
		pd_catalog_settle(b);
	b->state = PD_UPDATE_NONE;
	b->now.id = NULL;
	return true;
}

bool pd_builder_end(struct pd_builder *b, bool whole)
{
	bool fine = !whole || b->state != PD_UPDATE_OPEN || refuse(b, "the catalog ends inside of it");

	for (int k = 0; k < PD_EMIT_END; k++)
		pd_buffer_clear(&b->rows[k]);
	pd_buffer_clear(&b->version);
	pd_arena_clear(&b->scratch);
	return fine;
}
