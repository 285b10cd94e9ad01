/* SPDX-License-Identifier: MIT */
/* What scanners and readers hand over: facts, and updates of a catalog. */
#include <errno.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/child.h"
#include "plugin/wire.h"
#include "xml/xml.h"

#define BATCH ((size_t)64 << 10) /* bytes of frames before they are sent */

static void batch(struct pd_child *c)
{
	if (c->out.len >= BATCH)
		pd_child_send(c);
}

static bool in_phase(struct pd_child *c, enum pd_phase phase, const char *what)
{
	if (c->ctx.phase == phase)
		return true;
	pd_child_bug(c, "%s is only for %s", what,
		     phase == PD_PHASE_SCAN ? "scanners" : "readers");
	return false;
}

static bool listed(const char *const *kinds, const char *kind)
{
	for (; *kinds; kinds++)
		if (strcmp(*kinds, kind) == 0)
			return true;
	return false;
}

int pd_emit_fact(struct pd_ctx *ctx, const char *kind,
		 const struct pd_fact_field *fields, size_t n)
{
	struct pd_child *c = pd_child_of(ctx);
	size_t opened;

	if (!in_phase(c, PD_PHASE_SCAN, "pd_fact()"))
		return PD_FAILED;
	if (!kind || !listed(c->call->scanner->kinds, kind))
		return pd_child_bug(c, "the kind of fact '%s' is not in the scanner's .kinds",
				    kind ? kind : "NULL");
	for (size_t i = 0; i < n; i++)
		if (!fields[i].key || !pd_is_name(fields[i].key) ||
		    fields[i].type < PD_F_TEXT || fields[i].type > PD_F_FLAG)
			return pd_child_bug(c, "field %zu of a fact '%s' has no allowed key or type",
					    i + 1, kind);
	opened = pd_frame_open(&c->out, PD_FRAME_FACT);
	pd_frame_add(&c->out, "sn", kind, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		pd_auto_free char *text = fields[i].type == PD_F_TEXT && fields[i].text ?
					  pd_child_clean(c, fields[i].text) : NULL;

		pd_frame_add(&c->out, "snsn", fields[i].key, (int64_t)fields[i].type, text,
			     fields[i].number);
	}
	pd_frame_close(&c->out, opened);
	batch(c);
	return 0;
}

int64_t pd_emit_source_read(struct pd_ctx *ctx, void *buffer, size_t len)
{
	struct pd_child *c = pd_child_of(ctx);
	ssize_t n;

	if (!in_phase(c, PD_PHASE_READ, "pd_source_read()"))
		return PD_FAILED;
	if (c->call->source_fd < 0)
		return pd_child_bug(c, "a reader of the server itself has no source to read");
	do
		n = read(c->source, buffer, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return pd_child_report(c, "cannot read %s: %s", c->call->source_name,
				       strerror(errno));
	return n;
}

static ssize_t source(void *user, void *buffer, size_t len, struct pd_error **err)
{
	struct pd_child *c = user;
	ssize_t n;

	do
		n = read(c->source, buffer, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		pd_error_errno(err, "file-read", errno, "cannot read %s", c->call->source_name);
	return n;
}

int pd_emit_xml(struct pd_ctx *ctx, const struct pd_xml_handler *handler)
{
	struct pd_child *c = pd_child_of(ctx);
	struct pd_xml_handler mine = {0};
	pd_auto_error *err = NULL;
	int result;

	if (!in_phase(c, PD_PHASE_READ, "pd_xml()"))
		return PD_FAILED;
	if (c->call->source_fd < 0)
		return pd_child_bug(c, "a reader of the server itself has no source to parse");
	memcpy(&mine, handler, handler->size < sizeof(mine) ? handler->size : sizeof(mine));
	result = pd_xml_parse(c->call->source_name, source, c, NULL, &mine, ctx, &c->line, &err);
	if (err) {
		pd_auto_free char *text = pd_error_text(err);

		pd_child_report(c, "%s", text);
	}
	return result;
}

unsigned pd_emit_xml_line(struct pd_ctx *ctx)
{
	return pd_child_of(ctx)->line;
}

void pd_emit_ignored(struct pd_ctx *ctx, unsigned line, const char *what)
{
	struct pd_child *c = pd_child_of(ctx);
	pd_auto_free char *text = pd_child_clean(c, what);
	size_t opened;

	if (!in_phase(c, PD_PHASE_READ, "pd_ignored()"))
		return;
	opened = pd_frame_open(&c->out, PD_FRAME_EMIT);
	pd_frame_add(&c->out, "nns", (int64_t)PD_EMIT_IGNORED, (int64_t)line, text);
	pd_frame_close(&c->out, opened);
	batch(c);
}

/* ----------------------------------------------------------- one update */

/* The whole update is dropped, so that half of one is never installed; the
 * reader may go on with the next. */
static int PD_PRINTF(2, 3) refuse(struct pd_child *c, const char *fmt, ...)
{
	pd_auto_free char *why = NULL, *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	why = pd_vprint(fmt, ap);
	va_end(ap);
	text = pd_print("update '%s': %s", c->entry_id ? c->entry_id : "", why);
	c->refused = true;
	c->entry.len = 0;
	pd_emit_ignored(&c->ctx, c->entry_line, text);
	return pd_child_report(c, "%s", text);
}

/* Texts of a catalog are data: kept as they are, if they are UTF-8. */
static bool texts_good(const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (texts[i] && !pd_utf8_valid(texts[i], strlen(texts[i])))
			return false;
	return true;
}

#define TEXTS_GOOD(...) \
	texts_good((const char *const[]){ __VA_ARGS__ }, \
		   sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void put(struct pd_child *c, int what, const union pd_part *part)
{
	size_t opened = pd_frame_open(&c->entry, PD_FRAME_EMIT);

	pd_frame_add(&c->entry, "n", (int64_t)what);
	pd_part_put(&c->entry, what, part);
	pd_frame_close(&c->entry, opened);
}

/* A part of an update that is being read; copied in this core's size. */
static bool part_of(struct pd_child *c, int what, const void *row, union pd_part *part)
{
	if (!in_phase(c, PD_PHASE_READ, "pd_update_...()"))
		return false;
	if (!c->in_entry) {
		pd_child_bug(c, "a part of an update came before pd_update_begin()");
		return false;
	}
	pd_part_copy(what, row, part);
	return !c->refused;
}

int pd_emit_begin(struct pd_ctx *ctx, const struct pd_update_head *row)
{
	struct pd_child *c = pd_child_of(ctx);
	union pd_part p;

	if (!in_phase(c, PD_PHASE_READ, "pd_update_begin()"))
		return PD_FAILED;
	if (c->in_entry && !c->refused)
		refuse(c, "it was not ended before the next one began");
	pd_part_copy(PD_EMIT_BEGIN, row, &p);
	free(c->entry_id);
	c->entry_id = pd_strdup(p.head.id);
	c->entry.len = 0;
	c->in_entry = true;
	c->refused = false;
	c->payloads = c->nesting = 0;
	c->tree = 0;
	c->entry_line = p.head.line ? p.head.line : c->line;
	if (!p.head.id || !*p.head.id)
		return refuse(c, "it has no id");
	if (p.head.severity > PD_SEVERITY_CRITICAL || p.head.kind > PD_CLASS_BUNDLE ||
	    p.head.status > PD_STATUS_RETIRED || p.head.restart > PD_RESTART_REBOOT)
		return refuse(c, "its severity, kind, status or restart is unknown");
	if (!TEXTS_GOOD(p.head.id, p.head.revision, p.head.title, p.head.description,
			p.head.url, p.head.vendor, p.head.severity_text))
		return refuse(c, "a text of it is not valid UTF-8");
	put(c, PD_EMIT_BEGIN, &p);
	return 0;
}

int pd_emit_relation(struct pd_ctx *ctx, const struct pd_relation *row)
{
	struct pd_child *c = pd_child_of(ctx);
	union pd_part p;

	if (!part_of(c, PD_EMIT_RELATION, row, &p))
		return PD_FAILED;
	if (p.relation.kind < PD_REL_ALIAS || p.relation.kind > PD_REL_REFERENCE ||
	    !p.relation.target || !*p.relation.target)
		return refuse(c, "a relation has no target or an unknown kind");
	if (!TEXTS_GOOD(p.relation.target, p.relation.revision, p.relation.title))
		return refuse(c, "a text of a relation is not valid UTF-8");
	put(c, PD_EMIT_RELATION, &p);
	return 0;
}

int pd_emit_package(struct pd_ctx *ctx, const struct pd_package_row *row)
{
	struct pd_child *c = pd_child_of(ctx);
	const struct pd_package_row *k;
	union pd_part p;

	if (!part_of(c, PD_EMIT_PACKAGE, row, &p))
		return PD_FAILED;
	k = &p.package;
	if (!k->name || !*k->name || !k->version || !*k->version)
		return refuse(c, "a package has no name or no version");
	if (k->scheme > PD_SCHEME_PLAIN || k->restart > PD_RESTART_REBOOT)
		return refuse(c, "the scheme or restart of package %s is unknown", k->name);
	if (k->payload > c->payloads)
		return refuse(c, "package %s names payload %u of %u", k->name, k->payload,
			      c->payloads);
	if (!TEXTS_GOOD(k->name, k->epoch, k->version, k->release, k->arch, k->source, k->module))
		return refuse(c, "a text of a package is not valid UTF-8");
	put(c, PD_EMIT_PACKAGE, &p);
	return 0;
}

int pd_emit_payload(struct pd_ctx *ctx, const struct pd_payload *row)
{
	struct pd_child *c = pd_child_of(ctx);
	union pd_part p;

	if (!part_of(c, PD_EMIT_PAYLOAD, row, &p))
		return PD_FAILED;
	if (p.payload.bytes < -1 || (!p.payload.url && !p.payload.name))
		return refuse(c, "a payload has no place or no possible size");
	if (!TEXTS_GOOD(p.payload.url, p.payload.name, p.payload.digest))
		return refuse(c, "a text of a payload is not valid UTF-8");
	c->payloads++;
	put(c, PD_EMIT_PAYLOAD, &p);
	return 0;
}

int pd_emit_installer(struct pd_ctx *ctx, const struct pd_installer *row)
{
	struct pd_child *c = pd_child_of(ctx);
	union pd_part p;

	if (!part_of(c, PD_EMIT_INSTALLER, row, &p))
		return PD_FAILED;
	if (p.installer.kind < PD_INSTALL || p.installer.kind > PD_UNINSTALL ||
	    !p.installer.command || !*p.installer.command)
		return refuse(c, "an installer has no command or an unknown kind");
	if (!TEXTS_GOOD(p.installer.command, p.installer.arguments))
		return refuse(c, "a text of an installer is not valid UTF-8");
	put(c, PD_EMIT_INSTALLER, &p);
	return 0;
}

int pd_emit_exit(struct pd_ctx *ctx, const struct pd_exit_row *row)
{
	struct pd_child *c = pd_child_of(ctx);
	union pd_part p;

	if (!part_of(c, PD_EMIT_EXIT, row, &p))
		return PD_FAILED;
	if (p.exit.meaning > PD_EXIT_NEEDS_OPERATOR)
		return refuse(c, "the meaning of exit status %lld is unknown",
			      (long long)p.exit.status);
	put(c, PD_EMIT_EXIT, &p);
	return 0;
}

static const char *rule_wrong(struct pd_child *c, const struct pd_rule *r)
{
	if (r->tree < PD_RULES_APPLICABLE || r->tree > PD_RULES_INSTALLED ||
	    r->op < PD_RULE_ALL || r->op > PD_RULE_CALL || r->compare > PD_CMP_MATCH ||
	    r->scheme > PD_SCHEME_PLAIN)
		return "a rule has an unknown tree, operation, comparison or scheme";
	if (c->nesting && r->tree != c->tree)
		return "a rule's tree changes before it is closed";
	if (r->op == PD_RULE_CLOSE && !c->nesting)
		return "a rule closes what was not opened";
	if (r->op <= PD_RULE_NONE && c->nesting >= 64)
		return "its rules are nested more than 64 deep";
	if (r->op == PD_RULE_TEST && (!r->kind || (r->compare && !r->value)))
		return "a test has no kind of fact, or nothing to compare with";
	if (r->op == PD_RULE_CALL && !r->subject)
		return "a call names no rules";
	if (!TEXTS_GOOD(r->kind, r->subject, r->field, r->value))
		return "a text of a rule is not valid UTF-8";
	return NULL;
}

int pd_emit_rule(struct pd_ctx *ctx, const struct pd_rule *row)
{
	struct pd_child *c = pd_child_of(ctx);
	const char *why;
	union pd_part p;

	if (!part_of(c, PD_EMIT_RULE, row, &p))
		return PD_FAILED;
	why = rule_wrong(c, &p.rule);
	if (why)
		return refuse(c, "%s", why);
	c->tree = p.rule.tree;
	if (p.rule.op <= PD_RULE_NONE)
		c->nesting++;
	else if (p.rule.op == PD_RULE_CLOSE)
		c->nesting--;
	put(c, PD_EMIT_RULE, &p);
	return 0;
}

int pd_emit_end(struct pd_ctx *ctx)
{
	static const union pd_part nothing;
	struct pd_child *c = pd_child_of(ctx);

	if (!in_phase(c, PD_PHASE_READ, "pd_update_end()"))
		return PD_FAILED;
	if (!c->in_entry)
		return pd_child_bug(c, "pd_update_end() came without pd_update_begin()");
	if (!c->refused && c->nesting)
		refuse(c, "%u of its rules are not closed", c->nesting);
	c->in_entry = false;
	if (c->refused)
		return PD_FAILED;
	put(c, PD_EMIT_END, &nothing);
	pd_buffer_add(&c->out, c->entry.data, c->entry.len);
	c->entry.len = 0;
	batch(c);
	return 0;
}
