/* SPDX-License-Identifier: MIT */
/* The table of functions that a running callback gets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/child.h"
#include "plugin/secret.h"
#include "plugin/wire.h"
#include "xml/xml.h"

#define TEXT_MAX ((size_t)64 << 10)  /* of a message */
#define LOG_MAX ((size_t)4 << 20)    /* of all log lines of a callback */
#define VALUE_MAX ((size_t)1 << 20)  /* of what is remembered or put out */

void *pd_child_keep(struct pd_child *c, void *memory_take)
{
	pd_grow(c->arena, c->len, c->cap);
	return c->arena[c->len++] = memory_take;
}

/* ---------------------------------------------------------------- texts */

static size_t utf8_length(unsigned char c)
{
	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* What commands print goes to terminals, journals and XML: in place, each
 * byte that can't be there becomes a question mark. */
static void printable(char *s)
{
	size_t n;

	for (; *s; s += n) {
		n = utf8_length((unsigned char)*s);
		if (strnlen(s, n) < n || !pd_utf8_valid(s, n) ||
		    ((unsigned char)*s < ' ' && *s != '\n' && *s != '\t') || *s == 0x7f) {
			*s = '?';
			n = 1;
		}
	}
}

char *pd_child_clean(const struct pd_child *c, const char *text)
{
	char *s = pd_blot_text(c->blot, text ? text : "");

	if (strlen(s) > TEXT_MAX)
		memcpy(s + TEXT_MAX - 3, "...", 4);
	printable(s);
	return s;
}

void pd_child_send(struct pd_child *c)
{
	if (!c->held && !pd_write_all(c->channel, c->out.data, c->out.len))
		_exit(125); /* patchday is gone */
	c->out.len = c->held ? c->out.len : 0;
}

/* The parent says whether what was sent is kept. */
static bool acknowledged(struct pd_child *c)
{
	ssize_t n;
	char yes;

	pd_child_send(c);
	do
		n = read(c->channel, &yes, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(125);
	return yes == 'y';
}

void pd_child_log(struct pd_child *c, int level, const char *text)
{
	static const char enough[] = "too many log lines: the others of this callback are dropped";
	pd_auto_free char *clean = NULL;

	if (c->logged > LOG_MAX)
		return;
	clean = pd_child_clean(c, text);
	c->logged += strlen(clean) + 16;
	if (level < PD_LOG_ERROR || level > PD_LOG_DEBUG)
		level = PD_LOG_INFO;
	pd_frame_put(&c->out, PD_FRAME_LOG, "ns", (int64_t)level,
		     c->logged > LOG_MAX ? enough : clean);
	pd_child_send(c);
}

/* The first of each kind that is no blank counts; what the plugin says about XML has its place. */
static void note(struct pd_child *c, char **to, const char *fmt, va_list ap)
{
	pd_auto_free char *text = *to ? NULL : pd_vprint(fmt, ap), *placed = NULL;
	bool says = text && text[strspn(text, " \t\r\n")];

	if (says && to == &c->failed && pd_xml_column())
		placed = pd_print("%s:%u:%u: %s", c->call->source_name, pd_xml_row(),
				  pd_xml_column(), text);
	if (says)
		*to = pd_child_clean(c, placed ? placed : text);
}

int pd_child_report(struct pd_child *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(c, &c->reported, fmt, ap);
	va_end(ap);
	return PD_FAILED;
}

int pd_child_bug(struct pd_child *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(c, &c->bug, fmt, ap);
	va_end(ap);
	return PD_FAILED;
}

static void host_log(struct pd_ctx *ctx, int level, const char *fmt, va_list ap)
{
	pd_auto_free char *text = pd_vprint(fmt, ap);

	pd_child_log(pd_child_of(ctx), level, text);
}

static void host_fail(struct pd_ctx *ctx, const char *fmt, va_list ap)
{
	note(pd_child_of(ctx), &pd_child_of(ctx)->failed, fmt, ap);
}

static void host_progress(struct pd_ctx *ctx, int64_t done, int64_t total,
			  const char *text)
{
	struct pd_child *c = pd_child_of(ctx);
	pd_auto_free char *clean = NULL;
	int64_t now = pd_now_ms();

	if (c->progressed && now - c->progressed < 100 && done != total)
		return;
	c->progressed = now;
	clean = text ? pd_child_clean(c, text) : NULL;
	pd_frame_put(&c->out, PD_FRAME_PROGRESS, "nns", done, total, clean);
	pd_child_send(c);
}

static bool host_canceled(struct pd_ctx *ctx)
{
	(void)ctx;
	return pd_child_canceled();
}

static int host_run(struct pd_ctx *ctx, const struct pd_command *command,
		    struct pd_command_result *result)
{
	return pd_exec(pd_child_of(ctx), command, result);
}

/* ----------------------------------------------- what outlives a callback */

static bool in_step(struct pd_child *c, const char *what, bool in_check)
{
	if (c->call->step && (in_check || c->ctx.phase != PD_PHASE_CHECK))
		return true;
	pd_child_bug(c, "%s is not allowed in %s", what, c->call->step ? "check" :
		     c->ctx.phase == PD_PHASE_SCAN ? "scan" : "read");
	return false;
}

static bool storable(struct pd_child *c, const char *what, const char *name,
		     const char *value)
{
	if (strlen(value) > VALUE_MAX)
		pd_child_report(c, "%s '%s' is larger than 1 MiB", what, name);
	else if (!pd_utf8_valid(value, strlen(value)))
		pd_child_report(c, "%s '%s' is not valid UTF-8", what, name);
	else if (pd_blot_finds(c->blot, value))
		pd_child_bug(c, "%s '%s' contains a secret, which is never stored", what, name);
	else
		return true;
	return false;
}

static int host_remember(struct pd_ctx *ctx, const char *key, const char *value)
{
	struct pd_child *c = pd_child_of(ctx);

	if (!in_step(c, "pd_remember()", false))
		return PD_FAILED;
	if (!key || !*key || key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._/-")])
		return pd_child_bug(c, "'%s' can't be a key of pd_remember()", key ? key : "NULL");
	if (value && !storable(c, "the remembered", key, value))
		return PD_FAILED;
	pd_frame_put(&c->out, PD_FRAME_REMEMBER, "ss", key, value);
	if (!acknowledged(c))
		return pd_child_report(c, "'%s' could not be remembered: the journal did not take it", key);
	if (value)
		json_object_set_new(c->remembered, key, json_string(value));
	else
		json_object_del(c->remembered, key);
	return 0;
}

static const char *host_recall(struct pd_ctx *ctx, const char *key)
{
	struct pd_child *c = pd_child_of(ctx);
	const char *value = key ? pd_json_text(c->remembered, key, NULL) : NULL;

	/* a copy, since remembering anew must not take it away */
	return value ? pd_child_keep(c, pd_strdup(value)) : NULL;
}

static int put_out(struct pd_ctx *ctx, const char *name, const char *value, bool item)
{
	struct pd_child *c = pd_child_of(ctx);
	const struct pd_output *o;
	pd_auto_error *err = NULL;
	json_t *parsed, *list;

	if (!in_step(c, "pd_output()", true))
		return PD_FAILED;
	o = pd_step_output(c->call->step, name ? name : "");
	if (!o || !value)
		return pd_child_bug(c, o ? "output '%s' was set to NULL" :
					   "output '%s' is not declared", name ? name : "NULL");
	if (item != (o->type == PD_T_LIST))
		return pd_child_bug(c, item ? "output '%s' is no list: use pd_output()" :
					      "output '%s' is a list: use pd_output_item()", name);
	if (!storable(c, "output", name, value))
		return PD_FAILED;
	parsed = pd_argument_parse(&(struct pd_param){ .name = name,
			.type = item ? PD_T_STRING : (uint16_t)o->type }, value, &err);
	if (!parsed)
		return pd_child_bug(c, "output %s, not '%s'", err->message, value);
	list = json_object_get(c->outputs, name);
	if (!item)
		json_object_set_new(c->outputs, name, parsed);
	else if (list)
		json_array_append_new(list, parsed);
	else
		json_object_set_new(c->outputs, name, json_pack("[o]", parsed));
	return 0;
}

static int host_output(struct pd_ctx *ctx, const char *name, const char *value)
{
	return put_out(ctx, name, value, false);
}

static int host_output_item(struct pd_ctx *ctx, const char *name, const char *value)
{
	return put_out(ctx, name, value, true);
}

static int host_evidence(struct pd_ctx *ctx, const char *path, const char *title)
{
	struct pd_child *c = pd_child_of(ctx);
	pd_auto_free char *clean = pd_child_clean(c, title);
	pd_auto_error *err = NULL;
	struct stat st;
	pd_digest digest;
	int64_t bytes;

	if (!in_step(c, "pd_evidence()", false))
		return PD_FAILED;
	if (!path || path[0] != '/')
		return pd_child_bug(c, "the evidence '%s' is not an absolute path", path ? path : "NULL");
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return pd_child_report(c, "the evidence %s is no regular file", path);
	if (!storable(c, "the path of evidence", path, path))
		return PD_FAILED;
	if (!pd_digest_file(path, digest, &bytes, &err))
		return pd_child_report(c, "%s", err->message);
	pd_frame_put(&c->out, PD_FRAME_EVIDENCE, "ssns", path, clean, bytes, digest);
	if (!acknowledged(c))
		return pd_child_report(c, "the journal did not take the evidence %s", path);
	return 0;
}

static const char *host_secret(struct pd_ctx *ctx, const struct pd_secret *secret,
			       size_t *len)
{
	(void)ctx;
	if (len)
		*len = 0;
	return secret ? pd_secret_value(secret, len) : NULL;
}

static bool in_check(struct pd_child *c, const char *what)
{
	if (c->ctx.phase == PD_PHASE_CHECK)
		return true;
	pd_child_bug(c, "%s is only allowed in check", what);
	return false;
}

static void host_irreversible(struct pd_ctx *ctx, const char *why)
{
	struct pd_child *c = pd_child_of(ctx);
	pd_auto_free char *text = pd_child_clean(c, why);

	if (in_check(c, "pd_irreversible()"))
		pd_frame_put(&c->out, PD_FRAME_IRREVERSIBLE, "s", text);
}

static void host_inhibit(struct pd_ctx *ctx, const char *risk, const char *cause,
			 const char *remedy)
{
	struct pd_child *c = pd_child_of(ctx);
	pd_auto_free char *a = pd_child_clean(c, risk), *b = pd_child_clean(c, cause);
	pd_auto_free char *d = pd_child_clean(c, remedy);

	if (!in_check(c, "pd_inhibit()"))
		return;
	c->inhibited = true;
	pd_child_report(c, "%s", b);
	pd_frame_put(&c->out, PD_FRAME_INHIBIT, "sss", a, b, d);
}

static void host_expect(struct pd_ctx *ctx, int64_t seconds)
{
	struct pd_child *c = pd_child_of(ctx);

	if (in_check(c, "pd_expect()"))
		pd_frame_put(&c->out, PD_FRAME_EXPECT, "n", seconds);
}

/* ------------------------------------------------------ memory and files */

static void *host_alloc(struct pd_ctx *ctx, size_t bytes)
{
	return pd_child_keep(pd_child_of(ctx), pd_alloc(bytes));
}

static const char *host_format(struct pd_ctx *ctx, const char *fmt, va_list ap)
{
	return pd_child_keep(pd_child_of(ctx), pd_vprint(fmt, ap));
}

/* The size that stat() tells is not used: it is 0 in /proc and /sys. */
static const char *host_read_file(struct pd_ctx *ctx, const char *path, size_t max,
				  size_t *len)
{
	pd_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	pd_auto(pd_buffer) b = {0};
	struct stat st = {0};
	char chunk[16384];
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	while (n != 0 && b.len <= max) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno != EINTR)
			return NULL;
		if (n > 0)
			pd_buffer_add(&b, chunk, (size_t)n);
	}
	if (b.len > max) {
		errno = EFBIG;
		return NULL;
	}
	if (len)
		*len = b.len;
	return pd_child_keep(pd_child_of(ctx), pd_buffer_take(&b));
}

static int host_write_file(struct pd_ctx *ctx, const char *path, unsigned mode,
			   const void *data, size_t len)
{
	struct pd_child *c = pd_child_of(ctx);
	pd_auto_error *err = NULL;

	if (!in_step(c, "pd_write_file()", false) || !storable(c, "the path of", "a file", path))
		return PD_FAILED;
	if (!pd_file_write(path, mode, data, len, &err))
		return pd_child_report(c, "%s", err->message);
	return 0;
}

static bool host_parse(struct pd_ctx *ctx, uint32_t type, const char *text, int64_t *out)
{
	(void)ctx;
	return type == PD_T_INT ? pd_parse_int(text, out) :
	       type == PD_T_BYTES ? pd_parse_bytes(text, out) :
	       type == PD_T_SECONDS ? pd_parse_seconds(text, out) :
	       type == PD_T_TIME && pd_parse_time(text, out);
}

static const char *host_nearest(struct pd_ctx *ctx, const char *word,
				const char *const *words, size_t n)
{
	(void)ctx;
	return pd_nearest(word, words, n);
}

/* ---------------------------------------------------------------- the end */

void pd_child_finish(struct pd_child *c, int result)
{
	const char *message = c->failed ? c->failed : c->reported;
	const char *name;
	json_t *value;

	fflush(NULL); /* what it printed, in case that it failed */
	json_object_foreach(c->outputs, name, value) {
		pd_auto_free char *line = pd_json_line(value);

		pd_frame_put(&c->out, PD_FRAME_OUTPUT, "ss", name, line);
	}
	if (c->inhibited && result >= 0)
		result = PD_REFUSED;
	/* a failed call that the callback got over is worth a line */
	if (c->reported && (result >= 0 || c->failed) && !c->inhibited &&
	    c->ctx.phase != PD_PHASE_READ)
		pd_child_log(c, PD_LOG_WARN, c->reported);
	pd_frame_put(&c->out, PD_FRAME_RESULT, "nnss", (int64_t)result,
		     (int64_t)(c->failed != NULL), message, c->bug);
	pd_child_send(c);
}

const struct pd_host pd_host_table = {
	.size = sizeof(struct pd_host), .abi = PD_ABI,
	.log = host_log, .fail = host_fail, .progress = host_progress,
	.canceled = host_canceled, .run = host_run, .remember = host_remember, .recall = host_recall,
	.output = host_output, .output_item = host_output_item,
	.evidence = host_evidence, .secret = host_secret,
	.irreversible = host_irreversible, .inhibit = host_inhibit, .expect = host_expect,
	.alloc = host_alloc, .format = host_format,
	.read_file = host_read_file, .write_file = host_write_file,
	.update_at = pd_selection_update, .package_at = pd_selection_package,
	.fact = pd_emit_fact, .source_read = pd_emit_source_read,
	.xml = pd_emit_xml, .xml_line = pd_emit_xml_line,
	.emit = pd_emit_part, .ignored = pd_emit_ignored,
	.parse = host_parse, .nearest = host_nearest, .compare_versions = pd_selection_compare,
	.unpacked = pd_emit_unpacked, .package_wanted = pd_emit_wanted,
};
