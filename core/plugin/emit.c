/* SPDX-License-Identifier: MIT */
/* What scanners and readers hand over: facts, and updates of a catalog. */
#include <errno.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/child.h"
#include "plugin/wire.h"
#include "xml/xml.h"

#define BATCH ((size_t)64 << 10) /* bytes of frames before they are sent */

static void close_frame(struct pd_child *c, size_t opened)
{
	pd_frame_close(&c->out, opened);
	if (c->out.len >= BATCH)
		pd_child_send(c);
}

static bool in_phase(struct pd_child *c, enum pd_phase phase, const char *what)
{
	if (c->ctx.phase == phase)
		return true;
	pd_child_bug(c, "%s is only for %s", what, phase == PD_PHASE_SCAN ? "scanners" :
		     phase == PD_PHASE_READ ? "readers" : "filters");
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
	close_frame(c, opened);
	return 0;
}

ssize_t pd_child_source(void *child, void *buffer, size_t len, struct pd_error **err)
{
	static char chunk[BATCH]; /* libxml2 asks for 4,000 bytes at a time */
	struct pd_child *c = child;
	ssize_t n = (ssize_t)c->ahead_len;
	bool direct = !n && len >= sizeof(chunk);

	while (n <= 0) {
		n = read(c->source, direct ? buffer : chunk, direct ? len : sizeof(chunk));
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		c->ahead = chunk;
	}
	if (n < 0)
		pd_error_errno(err, "file-read", errno, "cannot read %s", c->call->source_name);
	if (n <= 0 || direct)
		return n;
	len = len < (size_t)n ? len : (size_t)n;
	memcpy(buffer, c->ahead, len);
	c->ahead += len;
	c->ahead_len = (size_t)n - len;
	return (ssize_t)len;
}

static bool has_source(struct pd_child *c, const char *what)
{
	if (c->ctx.phase != PD_PHASE_UNPACK && !in_phase(c, PD_PHASE_READ, what))
		return false;
	if (c->call->source_fd < 0)
		pd_child_bug(c, "a reader of the server itself has no source for %s", what);
	return c->call->source_fd >= 0;
}

int64_t pd_emit_source_read(struct pd_ctx *ctx, void *buffer, size_t len)
{
	struct pd_child *c = pd_child_of(ctx);
	pd_auto_error *err = NULL;
	ssize_t n = has_source(c, "pd_source_read()") ? pd_child_source(c, buffer, len, &err) : PD_FAILED;

	return err ? pd_child_report(c, "%s", err->message) : n;
}

int pd_emit_unpacked(struct pd_ctx *ctx, const void *data, size_t len)
{
	struct pd_child *c = pd_child_of(ctx);

	if (!in_phase(c, PD_PHASE_UNPACK, "pd_unpacked()"))
		return PD_FAILED;
	c->unpacked += (int64_t)len;
	if (c->unpacked > c->call->unpack_max)
		return pd_child_report(c, "more than %lld MiB come out of it, too much for "
				       "its size", (long long)c->call->unpack_max >> 20);
	return pd_write_all(c->unpack, data, len) ? 0 :
	       pd_child_report(c, "nobody reads what is unpacked: %s", strerror(errno));
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
	result = c->call->reader && !c->begun ? pd_child_split(c, &mine, &err) :
		 pd_xml_parse(c->call->source_name, pd_child_source, c,
			      &(struct pd_xml_limits){ .bare = c->call->bare }, &mine, ctx, &err);
	if (err) {
		pd_auto_free char *text = pd_error_text(err);

		pd_child_report(c, "%s", text);
	}
	return result;
}

unsigned pd_emit_xml_line(struct pd_ctx *ctx)
{
	(void)ctx;
	return pd_xml_row();
}

/* Only framed here: the parent, which must not trust a worker, checks. */
static int part(struct pd_child *c, int what, const void *row)
{
	size_t opened = pd_frame_open(&c->out, PD_FRAME_EMIT);
	int64_t head[] = { what, pd_xml_row(), pd_xml_column() };

	pd_buffer_add(&c->out, head, sizeof(head));
	pd_part_put(&c->out, what, row);
	if (c->out.len - opened > PD_FRAME_MAX) {
		c->out.len = opened;
		return pd_child_report(c, "a part of an update is larger than 16 MiB");
	}
	/* what may still be taken back stays here */
	if (!c->begun || c->matters)
		close_frame(c, opened);
	else
		pd_frame_close(&c->out, opened);
	return 0;
}

/* --------------------------------------------- what nobody asks about */

static bool left_out(struct pd_child *c, const char *name)
{
	name = name ? name : "";
	/* there is a build of it for each architecture, one after the other */
	if (!c->left_out || strcmp(name, c->left_name) != 0)
		if (!c->call->wanted || c->call->wanted(c->call->whom, name))
			return false;
	if (!c->left_out++)
		memcpy(c->left_name, name, strnlen(name, sizeof(c->left_name) - 1) + 1);
	return true;
}

bool pd_emit_wanted(struct pd_ctx *ctx, const char *name)
{
	struct pd_child *c = pd_child_of(ctx);

	return !in_phase(c, PD_PHASE_READ, "pd_package_wanted()") || !left_out(c, name);
}

/* Take back all of the update but what tells that it was there. */
static int shorten(struct pd_child *c)
{
	pd_auto(pd_buffer) head = {0};
	size_t at = c->begun - 1, used = at;
	struct pd_frame f;
	union pd_part p;
	int64_t number;
	bool fine = pd_frame_next(&c->out, &used, &f) == 1;

	pd_buffer_add(&head, c->out.data + at, used - at); /* its place is written over */
	used = 0;
	c->out.len = at;
	c->begun = 0;
	if (!fine || pd_frame_next(&head, &used, &f) != 1 ||
	    !pd_frame_get(&f, "nnn", &number, &number, &number) ||
	    !pd_part_get(&f, PD_EMIT_BEGIN, &p))
		return pd_child_bug(c, "an update was ended that did not begin");
	return part(c, PD_EMIT_BRIEF, &(struct pd_brief){
		.size = sizeof(struct pd_brief), .line = p.head.line, .packages = c->left_out,
		.severity = p.head.severity, .kind = p.head.kind, .status = p.head.status,
		.restart = p.head.restart, .id = p.head.id, .revision = p.head.revision,
		.package = c->left_name });
}

/* Without what no verdict is made of; NULL: nothing is left. */
static const void *bare(int what, const void *row, union pd_part *copy)
{
	uint32_t size = 0;

	if (what == PD_EMIT_PAYLOAD)
		return NULL;
	if (what != PD_EMIT_BEGIN && what != PD_EMIT_PACKAGE)
		return row;
	memcpy(&size, row, sizeof(size));
	memcpy(copy, row, size < pd_part_forms[what].size ? size : pd_part_forms[what].size);
	if (what == PD_EMIT_PACKAGE)
		copy->package.payload = 0;
	else
		copy->head.title = copy->head.description = copy->head.url = copy->head.vendor =
			copy->head.severity_text = copy->head.trust = NULL;
	return copy;
}

/* For this its update is refused, whoever asks. */
static bool is_wrong(const struct pd_package_row *p)
{
	return !p->name || !*p->name || !p->version || !*p->version ||
	       (p->epoch && p->epoch[strspn(p->epoch, "0123456789")]);
}

/* Under its name nobody may have it, and need it nevertheless. */
static bool replaces_any(const struct pd_package_row *p)
{
	return p->size > offsetof(struct pd_package_row, replaces) && p->replaces && *p->replaces;
}

/* Of a file that is read before the updates: a module with its default stream. */
static bool is_default(const struct pd_package_row *p)
{
	return p->size > offsetof(struct pd_package_row, module) && p->module && *p->module;
}

static int filtered(struct pd_child *c, int what, const void *row)
{
	union pd_part copy = {0};
	const struct pd_package_row *package;
	const struct pd_relation *relation;
	int result;

	if (c->call->bare && what != PD_EMIT_END && !(row = bare(what, row, &copy)))
		return 0;
	package = row;
	relation = row;
	if (what == PD_EMIT_PACKAGE && !replaces_any(package) && !is_wrong(package) &&
	    left_out(c, package->name))
		return 0;
	if (what == PD_EMIT_RELATION && (relation->kind == PD_REL_REFERENCE ||
					 (c->call->bare && relation->kind == PD_REL_ALIAS)))
		return 0;
	if (what == PD_EMIT_BEGIN) {
		c->begun = c->out.len + 1;
		c->matters = false;
	}
	c->matters |= what == PD_EMIT_PACKAGE || what == PD_EMIT_RULE ||
		      (what == PD_EMIT_END && !c->left_out) ||
		      (what == PD_EMIT_RELATION && (relation->kind == PD_REL_SUPERSEDES ||
						    relation->kind == PD_REL_BUNDLES));
	if (what != PD_EMIT_END)
		return part(c, what, row);
	result = !c->begun || c->matters ? part(c, what, &(struct pd_end){
			sizeof(struct pd_end), c->left_out }) : shorten(c);
	c->begun = c->left_out = 0;
	return result;
}

int pd_emit_part(struct pd_ctx *ctx, int what, const void *row)
{
	struct pd_child *c = pd_child_of(ctx);

	if (!in_phase(c, PD_PHASE_READ, "pd_update_...()"))
		return PD_FAILED;
	if (what < PD_EMIT_BEGIN || what > PD_EMIT_END || !row != (what == PD_EMIT_END))
		return pd_child_bug(c, "there is no part %d of an update", what);
	if (c->call->replacing)
		return what == PD_EMIT_PACKAGE && (replaces_any(row) || is_default(row)) ? part(c, what, row) : 0;
	return c->call->wanted ? filtered(c, what, row) : part(c, what, row);
}

void pd_emit_ignored(struct pd_ctx *ctx, unsigned line, const char *what)
{
	struct pd_child *c = pd_child_of(ctx);
	pd_auto_free char *text = pd_child_clean(c, what);

	if (in_phase(c, PD_PHASE_READ, "pd_ignored()"))
		part(c, PD_EMIT_IGNORED, &(struct pd_ignored){ sizeof(struct pd_ignored), line, text });
}
