/* SPDX-License-Identifier: MIT */
/* Messages of the journal as compare and the scanner see them. */
#include "eventlog.h"

#include <stdlib.h>
#include <string.h>

/* systemd says at level warning that a unit has failed; here it is an error. */
const char *const message_failed[] = { "d9b373ed55a64feb8242e02dbe79a49c",
				       "be02cf6855d2428ba40df7e9d022f03d", NULL };

static bool unit_failed(const char *message_id)
{
	return strcmp(message_id, message_failed[0]) == 0 ||
	       strcmp(message_id, message_failed[1]) == 0;
}

void message_field(struct message *m, int *rank, const char *name, const char *value)
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

struct message message_read(struct pd_ctx *ctx, sd_journal *j)
{
	static const char *const names[] = { "PRIORITY", "MESSAGE_ID", "MESSAGE", "UNIT",
		"USER_UNIT", "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "_COMM" };
	struct message m = { .priority = 6, .source = "", .unit = "" };
	int rank = 5;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = journal_field(ctx, j, names[i]);

		if (value)
			message_field(&m, &rank, names[i], value);
	}
	return m;
}

const char *message_printable(struct pd_ctx *ctx, const char *text, size_t max)
{
	char *copy = (char *)(uintptr_t)pd_format(ctx, "%.*s", (int)max, text);

	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	return copy;
}

static int add_pattern(struct pd_ctx *ctx, struct patterns *p, const char *pattern)
{
	char why[128];
	int error = regcomp(&p->items[p->len], pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB);

	if (error == 0) {
		p->len++;
		return 0;
	}
	regerror(error, &p->items[p->len], why, sizeof(why));
	return pd_fail(ctx, PD_BAD_ARGS, "the pattern %s is no extended regular "
		       "expression: %s", pattern, why);
}

int patterns_add(struct pd_ctx *ctx, struct patterns *p, const char *const *list)
{
	size_t n = 0;
	int status = 0;

	while (list[n])
		n++;
	p->items = realloc(p->items, (p->len + n + 1) * sizeof(*p->items));
	if (!p->items)
		abort();
	for (size_t i = 0; i < n && status == 0; i++)
		status = add_pattern(ctx, p, list[i]);
	return status;
}

bool patterns_match(struct pd_ctx *ctx, const struct patterns *p, const struct message *m)
{
	const char *line = pd_format(ctx, "%s: %s", m->source, m->text);

	for (size_t i = 0; i < p->len; i++)
		if (regexec(&p->items[i], line, 0, NULL, 0) == 0)
			return true;
	return false;
}

void patterns_free(struct patterns *p)
{
	for (size_t i = 0; i < p->len; i++)
		regfree(&p->items[i]);
	free(p->items);
	*p = (struct patterns){ 0 };
}
