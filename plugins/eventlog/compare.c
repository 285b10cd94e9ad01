/* SPDX-License-Identifier: MIT */
/* The step eventlog.compare: messages that the journal did not hold before. */
#include "eventlog.h"

#include <inttypes.h>
#include <regex.h>
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

/** One message of the journal. */
struct message {
	int priority;
	bool this_boot;
	bool failed; /* a unit has failed, whatever the level */
	uint64_t time; /* microseconds since 1970 */
	/* the unit that systemd speaks about, or who speaks; not the unit of the
	 * speaker, which journald misses when he has ended already */
	const char *source;
	const char *unit; /* of the speaker, "" unknown */
	const char *text;
};

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
	regex_t *patterns;
	size_t pattern_count;
};

/* --------------------------------------------------------- known messages */

static void learn(struct comparison *c, const struct message *m)
{
	if (m->text && m->priority <= c->level)
		known_add(&c->known, known_key(m->source, m->text));
}

/* systemd says at level warning that a unit has failed; here it is an error. */
static bool unit_failed(const char *message_id)
{
	return strcmp(message_id, "d9b373ed55a64feb8242e02dbe79a49c") == 0 ||
	       strcmp(message_id, "be02cf6855d2428ba40df7e9d022f03d") == 0;
}

/* One field of an entry; of several sources the better one wins. */
static void take_field(struct message *m, int *rank, const char *name, const char *value)
{
	static const char *const sources[] = { "UNIT", "USER_UNIT", "SYSLOG_IDENTIFIER",
					       "_COMM", "_SYSTEMD_UNIT" };

	if (strcmp(name, "MESSAGE") == 0)
		m->text = value;
	else if (strcmp(name, "PRIORITY") == 0)
		m->priority = m->failed ? m->priority : atoi(value);
	else if (strcmp(name, "_SYSTEMD_UNIT") == 0)
		m->unit = value;
	else if (strcmp(name, "MESSAGE_ID") == 0 && unit_failed(value)) {
		m->failed = true;
		m->priority = 3;
	}
	for (int i = 0; i < 5; i++) {
		if (i < *rank && strcmp(name, sources[i]) == 0) {
			*rank = i;
			m->source = value;
		}
	}
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
			take_field(&m, &rank, p, equals + 1);
		} else if (end - line > 9) {
			size_t n = binary_size(line + 1, (size_t)(end - line) - 10);

			line[9 + n] = '\0';
			take_field(&m, &rank, p, line + 9);
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
	static const char *const names[] = { "PRIORITY", "MESSAGE_ID", "MESSAGE", "UNIT",
		"USER_UNIT", "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "_COMM" };
	struct message m = { .priority = 6, .source = "", .unit = "" };
	const char *boot = journal_field(ctx, j, "_BOOT_ID");
	int rank = 5;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = journal_field(ctx, j, names[i]);

		if (value)
			take_field(&m, &rank, names[i], value);
	}
	m.this_boot = boot && strcmp(boot, c->boot) == 0;
	sd_journal_get_realtime_usec(j, &m.time);
	return m;
}

static bool harmless(struct pd_ctx *ctx, struct comparison *c, const struct message *m)
{
	const char *line = pd_format(ctx, "%s: %s", m->source, m->text);

	for (size_t i = 0; i < c->pattern_count; i++)
		if (regexec(&c->patterns[i], line, 0, NULL, 0) == 0)
			return true;
	return false;
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
	if (harmless(ctx, c, m)) {
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

static const char *printable(struct pd_ctx *ctx, const char *text)
{
	char *copy = (char *)(uintptr_t)pd_format(ctx, "%.*s", TEXT_MAX, text);

	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	return copy;
}

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
				   "    %s\n", level, printable(ctx, m->source),
				   *m->unit ? " in " : "", printable(ctx, m->unit),
				   c->found[i].count, first, printable(ctx, m->text));
		bundle_text_printf(&csv, "%s,", level);
		put_csv(&csv, printable(ctx, m->source), ',');
		put_csv(&csv, printable(ctx, m->unit), ',');
		bundle_text_printf(&csv, "%" PRId64 ",%s,", c->found[i].count, first);
		put_csv(&csv, printable(ctx, m->text), '\n');
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

static int add_pattern(struct pd_ctx *ctx, struct comparison *c, const char *pattern)
{
	regex_t *regex = &c->patterns[c->pattern_count];
	char why[128];
	int error = regcomp(regex, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB);

	if (error == 0) {
		c->pattern_count++;
		return 0;
	}
	regerror(error, regex, why, sizeof(why));
	return pd_fail(ctx, PD_BAD_ARGS, "the pattern %s is no extended regular "
		       "expression: %s", pattern, why);
}

static int add_patterns(struct pd_ctx *ctx, struct comparison *c)
{
	const struct compare_args *args = c->args;
	size_t n = 0;
	int status = 0;

	while (harmless_messages[n])
		n++;
	c->patterns = pd_alloc_for(ctx, (n + args->ignore.len + 1) * sizeof(regex_t));
	for (size_t i = 0; args->defaults && i < n && status == 0; i++)
		status = add_pattern(ctx, c, harmless_messages[i]);
	for (size_t i = 0; i < args->ignore.len && status == 0; i++)
		status = add_pattern(ctx, c, args->ignore.items[i]);
	return status;
}

static void free_patterns(struct comparison *c)
{
	for (size_t i = 0; i < c->pattern_count; i++)
		regfree(&c->patterns[i]);
}

int compare_check(struct pd_ctx *ctx)
{
	struct comparison c = { .args = ctx->args };
	int status = add_patterns(ctx, &c);

	/* what will have been logged by then is unknown, so are the outputs */
	free_patterns(&c);
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
		       "new: %s: %s (%" PRId64 " times)", printable(ctx, c.found[i].m.source),
		       printable(ctx, c.found[i].m.text), c.found[i].count);
	free_patterns(&c);
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
