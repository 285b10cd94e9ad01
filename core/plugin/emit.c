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

static bool has_source(struct pd_child *c, const char *what)
{
	if (!in_phase(c, PD_PHASE_READ, what))
		return false;
	if (c->call->source_fd < 0)
		pd_child_bug(c, "a reader of the server itself has no source for %s", what);
	return c->call->source_fd >= 0;
}

int64_t pd_emit_source_read(struct pd_ctx *ctx, void *buffer, size_t len)
{
	struct pd_child *c = pd_child_of(ctx);
	pd_auto_error *err = NULL;
	ssize_t n = has_source(c, "pd_source_read()") ? source(c, buffer, len, &err) : PD_FAILED;

	return err ? pd_child_report(c, "%s", err->message) : n;
}

int pd_emit_xml(struct pd_ctx *ctx, const struct pd_xml_handler *handler)
{
	struct pd_child *c = pd_child_of(ctx);
	struct pd_xml_handler mine = {0};
	pd_auto_error *err = NULL;
	int result;

	if (!has_source(c, "pd_xml()"))
		return PD_FAILED;
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

	if (!in_phase(c, PD_PHASE_READ, "pd_ignored()"))
		return;
	pd_frame_put(&c->out, PD_FRAME_EMIT, "nns", (int64_t)PD_EMIT_IGNORED, (int64_t)line, text);
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

/* A part of the update that is being read, checked by itself and copied in
 * this core's size. */
static bool take(struct pd_child *c, int what, const void *row, union pd_part *p)
{
	pd_auto_free char *wrong = NULL;

	if (!in_phase(c, PD_PHASE_READ, "pd_update_...()"))
		return false;
	if (!c->in_entry) {
		pd_child_bug(c, "a part of an update came before pd_update_begin()");
		return false;
	}
	pd_part_copy(what, row, p);
	wrong = c->refused ? NULL : pd_part_wrong(what, p);
	if (wrong)
		refuse(c, "%s", wrong);
	return !c->refused;
}

static int put(struct pd_child *c, int what, const union pd_part *part)
{
	size_t opened = pd_frame_open(&c->entry, PD_FRAME_EMIT);

	pd_frame_add(&c->entry, "n", (int64_t)what);
	pd_part_put(&c->entry, what, part);
	pd_frame_close(&c->entry, opened);
	return 0;
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
	c->entry_line = p.head.line ? p.head.line : c->line;
	c->payloads = c->nesting = 0;
	c->in_entry = true;
	c->refused = false;
	return take(c, PD_EMIT_BEGIN, row, &p) ? put(c, PD_EMIT_BEGIN, &p) : PD_FAILED;
}

int pd_emit_package(struct pd_ctx *ctx, const struct pd_package_row *row)
{
	struct pd_child *c = pd_child_of(ctx);
	union pd_part p;

	if (!take(c, PD_EMIT_PACKAGE, row, &p))
		return PD_FAILED;
	if (p.package.payload > c->payloads)
		return refuse(c, "package %s names payload %u of %u", p.package.name,
			      p.package.payload, c->payloads);
	return put(c, PD_EMIT_PACKAGE, &p);
}

int pd_emit_payload(struct pd_ctx *ctx, const struct pd_payload *row)
{
	struct pd_child *c = pd_child_of(ctx);
	union pd_part p;

	if (!take(c, PD_EMIT_PAYLOAD, row, &p))
		return PD_FAILED;
	if (p.payload.bytes < -1 || (!p.payload.url && !p.payload.name))
		return refuse(c, "a payload has no place or no possible size");
	c->payloads++;
	return put(c, PD_EMIT_PAYLOAD, &p);
}

#define PLAIN(function, type, what)                                     \
	int function(struct pd_ctx *ctx, const struct type *row)        \
	{                                                               \
		struct pd_child *c = pd_child_of(ctx);                  \
		union pd_part p;                                        \
									\
		return take(c, what, row, &p) ? put(c, what, &p) : PD_FAILED; \
	}

PLAIN(pd_emit_relation, pd_relation, PD_EMIT_RELATION)
PLAIN(pd_emit_installer, pd_installer, PD_EMIT_INSTALLER)
PLAIN(pd_emit_exit, pd_exit_row, PD_EMIT_EXIT)

static const char *rule_wrong(struct pd_child *c, const struct pd_rule *r)
{
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
	return NULL;
}

int pd_emit_rule(struct pd_ctx *ctx, const struct pd_rule *row)
{
	struct pd_child *c = pd_child_of(ctx);
	const char *why;
	union pd_part p;

	if (!take(c, PD_EMIT_RULE, row, &p))
		return PD_FAILED;
	why = rule_wrong(c, &p.rule);
	if (why)
		return refuse(c, "%s", why);
	c->tree = p.rule.tree;
	if (p.rule.op <= PD_RULE_NONE)
		c->nesting++;
	else if (p.rule.op == PD_RULE_CLOSE)
		c->nesting--;
	return put(c, PD_EMIT_RULE, &p);
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
