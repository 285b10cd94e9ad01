/* SPDX-License-Identifier: MIT */
/* Plugin printers: save and restore the queues of CUPS; facts about them. */
#include "printers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITE_LIMIT 30 /* of cupsd: DirtyCleanInterval */
#define WRITE_SLACK 15

/* ------------------------------------------------------------------ save */

/* Seconds until cupsd must have written what it was told. */
static int64_t write_limit(struct pd_ctx *ctx, const char *root)
{
	const char *text = cupsd_setting(ctx, root, "DirtyCleanInterval", "");

	return (text ? strtol(text, NULL, 10) : WRITE_LIMIT) + WRITE_SLACK;
}

/* What cupsd knows and its files don't say yet, or NULL. */
static const char *lagging(struct pd_ctx *ctx, const struct setup *setup,
			   const struct spooler *spooler)
{
	for (size_t i = 0; i < spooler->len; i++) {
		const struct live *live = &spooler->queue[i];
		const struct queue *q = setup_find(setup, live->name);
		const char *item = q ? live_differs(ctx, live, q, true) :
				       "is missing";

		if (item)
			return pd_format(ctx, "queue %s: %s", live->name, item);
	}
	for (size_t i = 0; i < setup->len; i++)
		if (!spooler_find(spooler, setup->queue[i].name))
			return pd_format(ctx, "queue %s: was deleted",
					 setup->queue[i].name);
	return NULL;
}

/* cupsd writes up to DirtyCleanInterval late, so its files alone prove
 * nothing: wait until they say what it says. */
static int wait_written(struct pd_ctx *ctx, const char *root,
			struct setup *setup, struct spooler *spooler)
{
	int64_t limit = write_limit(ctx, root);

	for (int64_t waited = 0;; waited++) {
		const char *late = NULL;

		if (setup_read(ctx, root, setup))
			return PD_FAILED;
		if (spooler_ask(ctx, root, spooler))
			return PD_RETRY;
		if (!spooler->running)
			pd_log(ctx, PD_LOG_INFO, "cupsd does not run: its files "
			       "are what it wrote when it ended");
		late = spooler->running ? lagging(ctx, setup, spooler) : NULL;
		if (!late)
			return 0;
		spooler_free(spooler);
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "canceled while cupsd "
				       "had not written %s", late);
		if (waited >= limit)
			return pd_fail(ctx, PD_FAILED, "cupsd has not written "
				       "its configuration within %lld s (%s); "
				       "is %s full or read-only? See error_log",
				       (long long)limit, late, root);
		pd_progress(ctx, 0, 0, pd_format(ctx, "waiting for cupsd to "
						 "write %s", late));
		sleep(1);
	}
}

/* One queue: its PPD, and a line of the log. */
static int take_queue(struct saved *s, const char *root, const struct queue *q,
		      FILE *log)
{
	const char *name = pd_format(s->ctx, "ppd/%s.ppd", q->name);
	int ppd = saved_add_file(s, name, pd_format(s->ctx, "%s/%s", root, name));

	if (ppd < 0)
		return PD_FAILED;
	fprintf(log, "%s %s%s: device %s, %s, %s, %s, driver %s%s\n",
		q->is_class ? "class" : "queue", q->name,
		q->is_default ? " (default)" : "",
		q->is_class ? "-" : plain_uri(s->ctx, queue_value(s->ctx, q,
							"DeviceURI")),
		strcasecmp(queue_value(s->ctx, q, "State"), "Stopped") == 0 ?
			"disabled" : "enabled",
		strcasecmp(queue_value(s->ctx, q, "Accepting"), "Yes") == 0 ?
			"accepting" : "rejecting",
		strcasecmp(queue_value(s->ctx, q, "Shared"), "Yes") == 0 ?
			"shared" : "not shared",
		*queue_value(s->ctx, q, "MakeModel") ?
			queue_value(s->ctx, q, "MakeModel") : "none",
		ppd ? "" : ", no PPD");
	return 0;
}

static int take_queues(struct saved *s, const char *root,
		       const struct setup *setup, FILE *log)
{
	int64_t total = (int64_t)setup->len;

	for (size_t i = 0; i < setup->len; i++) {
		const struct queue *q = &setup->queue[i];

		pd_progress(s->ctx, (int64_t)i, total, q->name);
		if (pd_canceled(s->ctx))
			return pd_fail(s->ctx, PD_CANCELED, "canceled at queue "
				       "%s", q->name);
		if (take_queue(s, root, q, log))
			return PD_FAILED;
	}
	pd_progress(s->ctx, total, total, "queues saved");
	return 0;
}

static int take_files(struct saved *s, const char *root,
		      const struct setup *setup)
{
	static const char *const others[] = { "cupsd.conf", "cups-files.conf",
					      "lpoptions",
					      "subscriptions.conf" };

	/* the very bytes that were compared with cupsd */
	for (size_t i = 0; i < 2; i++)
		if (setup->text[i] &&
		    saved_add(s, setup_files[i],
			      pd_format(s->ctx, "%s/%s", root, setup_files[i]),
			      setup->text[i], strlen(setup->text[i])))
			return PD_FAILED;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (saved_add_file(s, others[i],
				   pd_format(s->ctx, "%s/%s", root,
					     others[i])) < 0)
			return PD_FAILED;
	return 0;
}

static int take_log(struct saved *s, const char *root,
		    const struct setup *setup)
{
	char *text = NULL;
	size_t len = 0;
	FILE *log = open_memstream(&text, &len);
	int rc = take_queues(s, root, setup, log);

	fprintf(log, "%zu queues saved\n", setup->len);
	fclose(log);
	if (rc == 0)
		rc = saved_add(s, "queues.log", NULL, text, len);
	free(text);
	return rc;
}

int printers_take(struct pd_ctx *ctx, const char *root, const char *folder)
{
	struct setup setup = { 0 };
	struct spooler spooler = { 0 };
	struct saved s = { 0 };
	char *json = NULL;
	int rc = wait_written(ctx, root, &setup, &spooler);

	if (rc == 0)
		rc = saved_open(&s, ctx, folder);
	if (rc == 0)
		rc = take_files(&s, root, &setup);
	if (rc == 0)
		rc = take_log(&s, root, &setup);
	if (rc == 0 && spooler.running) {
		json = spooler_json(ctx, &spooler);
		rc = saved_add(&s, "queues.json", NULL, json, strlen(json));
		free(json);
	}
	spooler_free(&spooler);
	if (rc == 0)
		rc = saved_close(&s);
	if (s.manifest)
		fclose(s.manifest);
	return rc;
}

static const struct pd_output outputs[] = {
	PD_OUTPUT("folder", PD_T_PATH, "where the copy is, for printers.restore"),
	PD_OUTPUT("queues", PD_T_INT, "how many printers and classes are in it"),
	PD_OUTPUT_END
};

static bool no_cups(void)
{
	return access(CUPS_ROOT "/cupsd.conf", F_OK) != 0;
}

static int save_check(struct pd_ctx *ctx)
{
	const struct save_args *args = ctx->args;
	struct setup setup = { 0 };

	if (no_cups()) {
		pd_log(ctx, PD_LOG_WARN, "there is no CUPS on this server ("
		       CUPS_ROOT "/cupsd.conf): no printers to save");
		return save_outputs(ctx, NULL, "queues", 0) ? PD_FAILED : PD_UNCHANGED;
	}
	if (setup_read(ctx, CUPS_ROOT, &setup))
		return PD_FAILED;
	if (save_places(ctx, args, "the printers") < 0)
		return PD_REFUSED;
	if (save_outputs(ctx, saved_name(ctx, args->to, "printers.save"), "queues",
			 (int64_t)setup.len))
		return PD_FAILED;
	return PD_CHANGED;
}

int printers_save(struct pd_ctx *ctx, const char *folder)
{
	return printers_take(ctx, CUPS_ROOT, folder);
}

static int save_apply(struct pd_ctx *ctx)
{
	struct setup setup = { 0 };
	int rc = 0;
	const char *folder = save_set(ctx, "printers.save", printers_save, "queues.log", "queues", &rc);

	if (!folder || setup_read(ctx, folder, &setup))
		return rc ? rc : PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%zu queues saved in %s", setup.len, folder);
	return save_outputs(ctx, folder, "queues", (int64_t)setup.len) ? PD_FAILED :
									 PD_CHANGED;
}

static int save_verify(struct pd_ctx *ctx)
{
	const struct save_args *args = ctx->args;
	const char *folder = pd_recall(ctx, "folder");
	struct saved_set set = { 0 };
	struct setup setup = { 0 };

	if (!folder)
		return no_cups() ? PD_UNCHANGED :
		       pd_fail(ctx, PD_FAILED, "no printers were saved");
	if (saved_read(ctx, folder, &set) || setup_read(ctx, folder, &setup))
		return PD_FAILED;
	for (size_t i = 0; i < 2; i++)
		if (setup.text[i] && !saved_find(&set, setup_files[i]))
			return pd_fail(ctx, PD_FAILED, "%s/%s is not in its "
				       "manifest", folder, setup_files[i]);
	if (!saved_find(&set, "cupsd.conf"))
		return pd_fail(ctx, PD_FAILED, "%s has no cupsd.conf", folder);
	if (saved_second(ctx, folder, args->copy))
		return PD_FAILED;
	return save_outputs(ctx, folder, "queues", (int64_t)setup.len) ? PD_FAILED :
									 PD_UNCHANGED;
}

static const struct pd_step step_save = {
	PD_STEP,
	.flags = PD_S_NEEDS_ROOT,
	.name = "save",
	.help = "save the queues of CUPS with drivers, options and permissions",
	.params = save_params,
	.args_size = sizeof(struct save_args),
	.outputs = outputs,
	.check = save_check,
	.apply = save_apply,
	.verify = save_verify,
	.reversibility = PD_READONLY,
	.time_limit = 900,
	.expected = 5,
	.retries = 2,
};

/* ----------------------------------------------------------------- facts */

static int live_fact(struct pd_ctx *ctx, const struct live *q)
{
	static const char *const states[] = { "idle", "processing", "stopped" };
	int state = live_number(q, "printer-state", 3);
	const struct pd_fact_field row[] = {
		PD_TEXT("name", q->name),
		PD_TEXT("uri", plain_uri(ctx, live_text(ctx, q, "device-uri"))),
		PD_TEXT("model", live_text(ctx, q, "printer-make-and-model")),
		PD_TEXT("state", state >= 3 && state <= 5 ? states[state - 3] :
							    NULL),
		PD_FLAG("default", !!(live_number(q, "printer-type", 0) &
				      CUPS_PRINTER_DEFAULT)),
		PD_FLAG("shared", live_number(q, "printer-is-shared", 0)),
		PD_FLAG("accepting",
			live_number(q, "printer-is-accepting-jobs", 0)),
		PD_TEXT("location", live_text(ctx, q, "printer-location")),
		PD_TEXT("info", live_text(ctx, q, "printer-info")),
	};

	return pd_fact(ctx, "printers", row, sizeof(row) / sizeof(*row));
}

/* When cupsd doesn't run, its files tell the same. */
static int file_fact(struct pd_ctx *ctx, const struct queue *q)
{
	const struct pd_fact_field row[] = {
		PD_TEXT("name", q->name),
		PD_TEXT("uri", plain_uri(ctx, queue_value(ctx, q,
							  "DeviceURI"))),
		PD_TEXT("model", queue_value(ctx, q, "MakeModel")),
		PD_TEXT("state", "stopped"),
		PD_FLAG("default", q->is_default),
		PD_FLAG("shared", strcasecmp(queue_value(ctx, q, "Shared"),
					     "Yes") == 0),
		PD_FLAG("accepting", false),
		PD_TEXT("location", queue_value(ctx, q, "Location")),
		PD_TEXT("info", queue_value(ctx, q, "Info")),
	};

	return pd_fact(ctx, "printers", row, sizeof(row) / sizeof(*row));
}

static int scan(struct pd_ctx *ctx)
{
	struct spooler spooler = { 0 };
	struct setup setup = { 0 };
	int rc = 0;

	if (no_cups())
		return 0;
	rc = spooler_ask(ctx, CUPS_ROOT, &spooler);
	for (size_t i = 0; rc == 0 && i < spooler.len; i++)
		rc = live_fact(ctx, &spooler.queue[i]);
	if (rc == 0 && !spooler.running && geteuid() == 0) {
		rc = setup_read(ctx, CUPS_ROOT, &setup);
		for (size_t i = 0; rc == 0 && i < setup.len; i++)
			rc = file_fact(ctx, &setup.queue[i]);
	}
	spooler_free(&spooler);
	return rc;
}

static const char *const scan_kinds[] = { "printers", NULL };

static const struct pd_scanner scanner = {
	PD_SCANNER,
	.name = "printers",
	.help = "printers and classes of CUPS",
	.kinds = scan_kinds,
	.scan = scan,
};

static const struct pd_step *const steps[] = { &step_save, &step_restore,
					       NULL };
static const struct pd_scanner *const scanners[] = { &scanner, NULL };

PD_PLUGIN(.name = "printers", .version = "1.0",
	  .help = "save and restore the printers of CUPS", .steps = steps,
	  .scanners = scanners);
