/* SPDX-License-Identifier: MIT */
/* The scanner of error messages: those of this boot, grouped by their kind. */
#include "eventlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 500, LOOKED_AT = 20000, TEXT = 200 };

/** Messages that differ in numbers, addresses and ids only. */
struct kind {
	const char *unit, *text;
	int64_t count;
};

static int match(sd_journal *j, const char *name, const char *value)
{
	char text[80] = "";

	snprintf(text, sizeof(text), "%s=%s", name, value);
	return sd_journal_add_match(j, text, 0);
}

/* Of this boot: errors and worse, and that a unit has failed. */
static int match_errors(sd_journal *j)
{
	static const char *const priorities[] = { "0", "1", "2", "3" };
	sd_id128_t id = SD_ID128_NULL;
	char boot[SD_ID128_STRING_MAX];
	int r = sd_id128_get_boot(&id);

	sd_id128_to_string(id, boot);
	for (size_t i = 0; r >= 0 && i < 4; i++)
		r = match(j, "PRIORITY", priorities[i]);
	if (r >= 0)
		r = sd_journal_add_disjunction(j);
	for (size_t i = 0; r >= 0 && message_failed[i]; i++)
		r = match(j, "MESSAGE_ID", message_failed[i]);
	if (r >= 0)
		r = sd_journal_add_conjunction(j);
	return r < 0 ? r : match(j, "_BOOT_ID", boot);
}

static const char *normal(struct pd_ctx *ctx, const char *text)
{
	struct bundle_text out = { 0 };
	const char *copy;

	known_text(&out, text);
	copy = message_printable(ctx, out.data ? out.data : "", TEXT);
	bundle_text_free(&out);
	return copy;
}

static void count(struct pd_ctx *ctx, struct kind *kinds, size_t *n, const struct message *m)
{
	struct kind k = { normal(ctx, m->source), normal(ctx, m->text), 1 };

	for (size_t i = 0; i < *n; i++)
		if (strcmp(kinds[i].text, k.text) == 0 && strcmp(kinds[i].unit, k.unit) == 0) {
			kinds[i].count++;
			return;
		}
	if (*n < KINDS)
		kinds[(*n)++] = k;
}

static int read_all(struct pd_ctx *ctx, sd_journal *j, const struct patterns *harmless,
		    struct kind *kinds, size_t *n)
{
	int more = 0;

	for (int i = 0; i < LOOKED_AT && (more = sd_journal_next(j)) > 0; i++) {
		struct message m = message_read(ctx, j);

		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while the journal was read");
		if (m.text && m.priority <= 3 && !patterns_match(ctx, harmless, &m))
			count(ctx, kinds, n, &m);
	}
	return more < 0 ? pd_fail(ctx, PD_FAILED, "can't read the journal: %s",
				  strerror(-more)) : 0;
}

static int scan_errors(struct pd_ctx *ctx)
{
	struct kind *kinds = pd_alloc_for(ctx, KINDS * sizeof(*kinds));
	struct patterns harmless = { 0 };
	sd_journal *j = journal_open(ctx);
	size_t n = 0;
	int status = j ? patterns_add(ctx, &harmless, harmless_messages) : PD_FAILED;

	if (status == 0 && match_errors(j) < 0)
		status = pd_fail(ctx, PD_FAILED, "can't select errors in the journal");
	if (status == 0)
		status = read_all(ctx, j, &harmless, kinds, &n);
	for (size_t i = 0; status == 0 && i < n; i++) {
		const struct pd_fact_field row[] = {
			PD_TEXT("unit", kinds[i].unit), PD_TEXT("message", kinds[i].text),
			PD_NUMBER("count", kinds[i].count),
		};

		status = pd_fact(ctx, "errors", row, sizeof(row) / sizeof(row[0]));
	}
	patterns_free(&harmless);
	if (j)
		sd_journal_close(j);
	return status;
}

static const char *const kinds_of_facts[] = { "errors", NULL };
const struct pd_scanner errors_scanner = {
	PD_SCANNER, .name = "errors", .kinds = kinds_of_facts, .scan = scan_errors,
	.help = "error messages of this boot in the journal, without what healthy servers say"
};
