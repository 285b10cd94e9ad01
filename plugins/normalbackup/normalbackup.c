/* SPDX-License-Identifier: MIT */
/* normalbackup - the server's ordinary backup has run, is recent, and is read back
 * as far as that can be done. */
#include "normalbackup.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLOCKS_DIFFER 300 /* seconds that the clock of who made it may be ahead */

int against(struct pd_ctx *ctx, const char *cause, const char *remedy)
{
	if (ctx->phase != PD_PHASE_CHECK)
		return pd_fail(ctx, PD_FAILED, "%s; %s", cause, remedy);
	pd_inhibit(ctx, "what goes wrong could not be taken back: the server has no backup to rely on",
		   cause, remedy);
	return pd_fail(ctx, PD_REFUSED, "%s", cause);
}

int lacks(struct pd_ctx *ctx, const struct found *found, const char *what, const char *source)
{
	return against(ctx, pd_format(ctx, "%s has no %s in it (%s)", found->what, what, source),
		       "see what the backup leaves out, and let it run again");
}

/* The last lines of what a program complained about, in one. */
static const char *complaint(struct pd_ctx *ctx, const struct pd_command_result *r)
{
	const char *text = *r->err ? r->err : r->out;
	size_t n = strlen(text), from;
	int lines = 0;
	char *one;

	while (n && text[n - 1] == '\n')
		n--;
	for (from = n; from && (lines += text[from - 1] == '\n') < 4; from--)
		;
	one = pd_alloc_for(ctx, n - from + 1);
	for (size_t i = 0; i < n - from; i++)
		one[i] = text[from + i] == '\n' ? ' ' : text[from + i];
	return *one ? one : pd_format(ctx, "exit status %d", r->status);
}

int ask(struct pd_ctx *ctx, const struct pd_command *command, int worst, const char *what,
	struct pd_command_result *r)
{
	int result = pd_command_run(ctx, command, r);

	if (result < 0)
		return pd_fail(ctx, result, "%s: %s does not run", what, command->argv[0]);
	return r->status <= worst ? 0 : against(ctx, pd_format(ctx, "%s: %s", what, complaint(ctx, r)),
						REMEDY_ASK);
}

int ask_json(struct pd_ctx *ctx, const struct pd_command *command, const char *what, json_t **out)
{
	struct pd_command_result r = { 0 };
	json_error_t error;
	int result = ask(ctx, command, 0, what, &r);

	if (result < 0)
		return result;
	*out = json_loadb(r.out, r.out_len, JSON_DECODE_ANY, &error);
	return *out ? 0 : pd_fail(ctx, PD_FAILED, "%s: %s answers with what is no JSON (line %d: %s)",
				  what, command->argv[0], error.line, error.text);
}

const char *joined(struct pd_ctx *ctx, const struct pd_list *list)
{
	const char *text = list->len ? list->items[0] : "";

	for (size_t i = 1; i < list->len; i++)
		text = pd_format(ctx, "%s,%s", text, list->items[i]);
	return text;
}

const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

const char *host_asked(struct pd_ctx *ctx, const char *given)
{
	char own[256] = "";

	if (given)
		return strcmp(given, ANY_HOST) == 0 ? NULL : given;
	return gethostname(own, sizeof(own) - 1) == 0 ? pd_format(ctx, "%s", own) : ctx->server;
}

/* --------------------------------------------------------------- callbacks */

static const char *when_text(struct pd_ctx *ctx, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm = { 0 };
	char text[32] = "";

	gmtime_r(&t, &tm);
	return strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) ? pd_format(ctx, "%s", text) : "";
}

static const char *span(struct pd_ctx *ctx, int64_t s)
{
	return s >= 2 * 86400 ? pd_format(ctx, "%" PRId64 " days", s / 86400) :
	       s >= 2 * 3600 ? pd_format(ctx, "%" PRId64 " hours", s / 3600) :
			       pd_format(ctx, "%" PRId64 " minutes", s / 60);
}

static int look(struct pd_ctx *ctx, const struct product *product, struct found *out)
{
	int64_t age;
	int r = product->find(ctx, out);

	if (r < 0)
		return r;
	age = (int64_t)time(NULL) - out->when;
	if (age > product->age)
		return against(ctx, pd_format(ctx, "the newest backup, %s in %s, is %s old (%s), and only %s "
					      "are allowed", out->what, product->source, span(ctx, age),
					      when_text(ctx, out->when), span(ctx, product->age)),
			       "let the backup run, or raise the parameter age");
	if (age < -CLOCKS_DIFFER)
		return against(ctx, pd_format(ctx, "the newest backup, %s in %s, is of the future (%s)",
					      out->what, product->source, when_text(ctx, out->when)),
			       "set the clocks of this server and of what makes the backups right");
	return pd_output(ctx, "id", out->id) < 0 ||
	       pd_output(ctx, "time", when_text(ctx, out->when)) < 0 ? PD_FAILED : 0;
}

int product_check(struct pd_ctx *ctx, const struct product *product)
{
	struct found found = { 0 };
	const char *proved = pd_recall(ctx, "proved");
	int r = look(ctx, product, &found);

	if (r < 0)
		return r;
	return proved && strcmp(proved, found.id) == 0 ? PD_UNCHANGED : PD_CHANGED;
}

int product_apply(struct pd_ctx *ctx, const struct product *product)
{
	const char *path = pd_format(ctx, "%s/normal-backup.txt", ctx->work_dir);
	const char *how = "", *text;
	struct found found = { 0 };
	int r = look(ctx, product, &found);

	if (r == 0)
		r = product->prove(ctx, &found, &how);
	if (r < 0)
		return r;
	text = pd_format(ctx, "backup  %s\nid      %s\nplace   %s\ntime    %s\nhas     %s\nproof   %s\n",
			 found.what, found.id, product->source, when_text(ctx, found.when), found.has, how);
	if (pd_write_file(ctx, path, 0600, text, strlen(text)) < 0 ||
	    pd_evidence(ctx, path, "The normal backup") < 0 || pd_remember(ctx, "proved", found.id) < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%s of %s: %s", found.what, when_text(ctx, found.when), how);
	return PD_CHANGED;
}

/* The work is the proof. */
int product_verify(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "proved") ? PD_UNCHANGED :
	       pd_fail(ctx, PD_FAILED, "the normal backup was not proved");
}

const struct pd_output product_outputs[] = { PRODUCT_OUTPUTS, PD_OUTPUT_END };

static const struct pd_step *const steps[] = { &restic_step, &borg_step, &bacula_step, &file_step,
					       &command_step, NULL };

PD_PLUGIN(.name = "normalbackup", .version = "1.1",
	  .help = "the server's ordinary backup: it has run, is recent, and is read back where that can be done",
	  .steps = steps);
