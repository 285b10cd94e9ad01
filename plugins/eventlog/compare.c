/* SPDX-License-Identifier: MIT */
/* The step eventlog.compare: messages that the journal did not hold before. */
#include "eventlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KINDS_MAX 5000 /* different messages that a report may hold */
#define TEXT_MAX 600

/* fail_on: none is shown like error */
static const int levels[] = { 3, 2, 3, 4 };
static const char *const level_names[] = { "emergency", "alert", "critical",
	"error", "warning", "notice", "info", "debug" };

struct found {
	struct message m;
	uint64_t key;
	int64_t count;
};

struct comparison {
	const struct compare_args *args;
	int level;
	char boot[SD_ID128_STRING_MAX];
	struct known known;
	struct found *found;
	size_t found_count;
	int64_t dropped, looked, ignored;
	struct patterns harmless;
};

/* --------------------------------------------------------- known messages */

static void learn(struct comparison *c, const struct message *m)
{
	if (m->text && m->priority <= c->level)
		known_add(&c->known, known_key(m->source, m->text));
}

/* Length of a binary field, little endian; more than is there is damage. */
static size_t binary_size(const char *p, size_t there)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return n < there ? (size_t)n : there;
}

/* Fields are ended with NUL in place, which is why text is not const. */
static void learn_chunk(struct comparison *c, char *text, size_t len)
{
	struct message m = { .priority = 6, .source = "", .unit = "" };
	char *end = text + len;
	int rank = 5;

	for (char *p = text; p < end;) {
		char *line = memchr(p, '\n', (size_t)(end - p));
		char *equals = NULL;

		if (!line)
			break;
		*line = '\0';
		equals = strchr(p, '=');
		if (line == p) {
			learn(c, &m);
			m = (struct message){ .priority = 6, .source = "", .unit = "" };
			rank = 5;
		} else if (equals) {
			*equals = '\0';
			message_field(&m, &rank, p, equals + 1);
		} else if (end - line > 9) {
			size_t n = binary_size(line + 1, (size_t)(end - line) - 10);

			line[9 + n] = '\0';
			message_field(&m, &rank, p, line + 9);
			line += 9 + n;
		}
		p = line + 1;
	}
}

static int learn_member(struct pd_ctx *ctx, struct archive *a, struct archive_entry *e,
			void *user)
{
	const char *name = archive_entry_pathname(e);
	struct bundle_text text = { 0 };
	char hex[BUNDLE_HEX];
	int status = 0;

	if (strncmp(name, JOURNAL_META, sizeof(JOURNAL_META) - 1) != 0 ||
	    !strstr(name, ".export"))
		return 0;
	status = bundle_digest(ctx, a, hex, &text);
	if (status == 0 && text.data)
		learn_chunk(user, text.data, text.len);
	bundle_text_free(&text);
	return status;
}

/* --------------------------------------------------------- what came since */

/* Without a copy: most entries end here. */
static int live_priority(sd_journal *j)
{
	const void *data = NULL;
	size_t len = 0;

	if (sd_journal_get_data(j, "PRIORITY", &data, &len) < 0 || len < 10)
		return 7;
	return ((const char *)data)[9] - '0';
}

static struct message live_message(struct pd_ctx *ctx, sd_journal *j,
				   const struct comparison *c)
{
	struct message m = message_read(ctx, j);
	const char *boot = journal_field(ctx, j, "_BOOT_ID");

	m.this_boot = boot && strcmp(boot, c->boot) == 0;
	sd_journal_get_realtime_usec(j, &m.time);
	return m;
}

static void take_new(struct pd_ctx *ctx, struct comparison *c, const struct message *m)
{
	uint64_t key = known_key(m->source, m->text);

	if (known_has(&c->known, key))
		return;
	for (size_t i = 0; i < c->found_count; i++) {
		if (c->found[i].key == key) {
			c->found[i].count++;
			return;
		}
	}
	if (patterns_match(ctx, &c->harmless, m)) {
		c->ignored++;
		known_add(&c->known, key);
	} else if (c->found_count == KINDS_MAX) {
		c->dropped++;
	} else {
		c->found[c->found_count++] = (struct found){ *m, key, 1 };
	}
}

static int read_since(struct pd_ctx *ctx, struct comparison *c, sd_journal *j)
{
	int more = 0;

	while ((more = sd_journal_next(j)) > 0) {
		struct message m = { 0 };

		c->looked++;
		pd_progress(ctx, c->looked, 0, "comparing the journal");
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while the journal was "
				       "compared");
		if (live_priority(j) > (c->level < 4 ? 4 : c->level))
			continue;
		m = live_message(ctx, j, c);
		if (!m.text || m.priority > c->level)
			continue;
		if (c->args->since == 1 && !m.this_boot)
			learn(c, &m);
		else
			take_new(ctx, c, &m);
	}
	if (more < 0)
		return pd_fail(ctx, PD_FAILED, "can't read the journal: %s",
			       strerror(-more));
	return 0;
}

/* ----------------------------------------------------------------- reports */

static void put_csv(struct bundle_text *out, const char *text, char end)
{
	bundle_text_add(out, "\"", 1);
	for (; *text; text++)
		bundle_text_add(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	bundle_text_add(out, "\"", 1);
	bundle_text_add(out, &end, 1);
}

static int write_reports(struct pd_ctx *ctx, const struct comparison *c)
{
	const char *path = pd_format(ctx, "%s/new-messages.txt", ctx->work_dir);
	const char *table = pd_format(ctx, "%s/new-messages.csv", ctx->work_dir);
	struct bundle_text text = { 0 };
	struct bundle_text csv = { 0 };
	int status = PD_FAILED;

	bundle_text_printf(&text, "%zu new messages of level %s or worse, of %" PRId64
			   " entries looked at; %" PRId64 " kinds ignored by pattern\n\n",
			   c->found_count, level_names[c->level], c->looked, c->ignored);
	bundle_text_printf(&csv, "level,source,unit,count,first,message\n");
	for (size_t i = 0; i < c->found_count; i++) {
		const struct message *m = &c->found[i].m;
		const char *level = level_names[m->priority & 7];
		time_t seconds = (time_t)(m->time / 1000000);
		char first[32] = "";
		struct tm tm = { 0 };

		gmtime_r(&seconds, &tm);
		strftime(first, sizeof(first), "%Y-%m-%dT%H:%M:%SZ", &tm);
		bundle_text_printf(&text, "%s  %s%s%s  %" PRId64 " times, first %s\n"
				   "    %s\n", level, message_printable(ctx, m->source, TEXT_MAX),
				   *m->unit ? " in " : "", message_printable(ctx, m->unit, TEXT_MAX),
				   c->found[i].count, first, message_printable(ctx, m->text, TEXT_MAX));
		bundle_text_printf(&csv, "%s,", level);
		put_csv(&csv, message_printable(ctx, m->source, TEXT_MAX), ',');
		put_csv(&csv, message_printable(ctx, m->unit, TEXT_MAX), ',');
		bundle_text_printf(&csv, "%" PRId64 ",%s,", c->found[i].count, first);
		put_csv(&csv, message_printable(ctx, m->text, TEXT_MAX), '\n');
	}
	if (c->dropped > 0)
		bundle_text_printf(&text, "and %" PRId64 " more entries\n", c->dropped);
	if (pd_write_file(ctx, path, 0600, text.data, text.len) >= 0 &&
	    pd_write_file(ctx, table, 0600, csv.data, csv.len) >= 0 &&
	    pd_evidence(ctx, path, "new messages in the event log") >= 0 &&
	    pd_evidence(ctx, table, "new messages in the event log, as a table") >= 0 &&
	    pd_output(ctx, "report", path) >= 0 &&
	    pd_output(ctx, "new_errors", pd_format(ctx, "%zu", c->found_count)) >= 0 &&
	    pd_remember(ctx, "report", path) >= 0)
		status = 0;
	bundle_text_free(&text);
	bundle_text_free(&csv);
	return status;
}

/* ------------------------------------------------------------------- steps */

static int add_patterns(struct pd_ctx *ctx, struct comparison *c)
{
	const char **own = pd_alloc_for(ctx, (c->args->ignore.len + 1) * sizeof(*own));
	int status = c->args->defaults ?
		patterns_add(ctx, &c->harmless, harmless_messages) : 0;

	for (size_t i = 0; i < c->args->ignore.len; i++)
		own[i] = c->args->ignore.items[i];
	return status < 0 ? status : patterns_add(ctx, &c->harmless, own);
}

int compare_check(struct pd_ctx *ctx)
{
	struct comparison c = { .args = ctx->args };
	int status = add_patterns(ctx, &c);

	/* what will have been logged by then is unknown, so are the outputs */
	patterns_free(&c.harmless);
	return status < 0 ? status : PD_CHANGED;
}

static int compare_journal(struct pd_ctx *ctx, struct comparison *c)
{
	const struct compare_args *args = c->args;
	const char *cursor = NULL;
	sd_journal *j = NULL;
	int status = export_cursor(ctx, args->before, &cursor);

	if (status == 0)
		status = bundle_each(ctx, args->before, learn_member, c, NULL,
				     "reading the messages before");
	for (size_t i = 0; i < args->also.len && status == 0; i++)
		status = bundle_each(ctx, args->also.items[i], learn_member, c, NULL,
				     "reading the messages before");
	if (status < 0)
		return status;
	j = journal_open(ctx);
	if (!j)
		return PD_FAILED;
	status = journal_seek_after(ctx, j, cursor);
	if (status == 0)
		status = read_since(ctx, c, j);
	sd_journal_close(j);
	return status == 0 ? write_reports(ctx, c) : status;
}

int compare_apply(struct pd_ctx *ctx)
{
	const struct compare_args *args = ctx->args;
	struct comparison c = { .args = args, .level = levels[args->fail_on] };
	sd_id128_t boot = SD_ID128_NULL;
	int status = add_patterns(ctx, &c);

	sd_id128_get_boot(&boot);
	sd_id128_to_string(boot, c.boot);
	c.found = pd_alloc_for(ctx, KINDS_MAX * sizeof(*c.found));
	if (status == 0)
		status = compare_journal(ctx, &c);
	for (size_t i = 0; i < c.found_count && i < 20; i++)
		pd_log(ctx, args->fail_on ? PD_LOG_ERROR : PD_LOG_WARN,
		       "new: %s: %s (%" PRId64 " times)", message_printable(ctx, c.found[i].m.source, TEXT_MAX),
		       message_printable(ctx, c.found[i].m.text, TEXT_MAX), c.found[i].count);
	patterns_free(&c.harmless);
	free(c.known.keys);
	if (status < 0)
		return status;
	if (args->fail_on == 0 || c.found_count == 0)
		return PD_CHANGED;
	return pd_fail(ctx, PD_FAILED, "%zu new messages of level %s or worse since %s; "
		       "read %s/new-messages.txt, and mend the cause or add what is "
		       "harmless to ignore", c.found_count, level_names[c.level],
		       args->before, ctx->work_dir);
}

int compare_verify(struct pd_ctx *ctx)
{
	const char *path = pd_recall(ctx, "report");
	struct stat st = { 0 };

	if (!path || stat(path, &st) != 0)
		return pd_fail(ctx, PD_FAILED, "there is no report of a comparison");
	return PD_UNCHANGED;
}
