/* SPDX-License-Identifier: MIT */
/* The step host.reboot: ask for a reboot, and prove that the boot is clean. */
#include "host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define MANAGER "org.freedesktop.systemd1", "/org/freedesktop/systemd1", \
		"org.freedesktop.systemd1.Manager"
#define LOGIND "org.freedesktop.login1", "/org/freedesktop/login1", \
	       "org.freedesktop.login1.Manager"
#define MAX_LINES 5000
#define FAILED_BEFORE "failed"

enum { BUS_SECONDS = 5 };

struct reboot_args {
	const char *reason;
	int64_t delay;
	int64_t settle;
	bool when;
	bool fail_on_failed_units;
	bool again;
};

static const struct pd_param params[] = {
	PD_PARAM(struct reboot_args, reason, PD_T_STRING,
		 .flags = PD_P_REQUIRED,
		 .help = "why, told to everybody who is logged in"),
	PD_PARAM(struct reboot_args, when, PD_T_BOOL, .def = "true",
		 .help = "false: no reboot is due, the step does nothing"),
	PD_PARAM(struct reboot_args, delay, PD_T_SECONDS, .def = "0",
		 .max = 3000, .help = "time that logged-in users get"),
	PD_PARAM(struct reboot_args, settle, PD_T_SECONDS, .def = "120",
		 .max = 3000,
		 .help = "how long to wait afterwards for the boot to finish"),
	PD_PARAM(struct reboot_args, fail_on_failed_units, PD_T_BOOL,
		 .def = "true",
		 .help = "fail when a unit failed that was well before"),
	PD_PARAM(struct reboot_args, again, PD_T_BOOL, .def = "true",
		 .help = "when the run is taken back, reboot once more at the end"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("boot_id", PD_T_STRING, "id of the boot after the reboot"),
	PD_OUTPUT("failed_units", PD_T_LIST, "units that failed in that boot"),
	PD_OUTPUT("errors", PD_T_INT, "error lines in the journal of that boot"),
	PD_OUTPUT_END
};

static void nap(long seconds)
{
	struct timespec ts = { seconds, 0 };

	nanosleep(&ts, NULL);
}

static int bus_failed(struct pd_ctx *ctx, const char *what, sd_bus_error *error,
		      int status)
{
	pd_fail(ctx, PD_FAILED, "cannot %s: %s", what,
		error->message ? error->message : strerror(-status));
	sd_bus_error_free(error);
	return PD_FAILED;
}

static int need_bus(struct pd_ctx *ctx, sd_bus **bus)
{
	/* dbus may be about to start, or between two of its versions */
	for (int i = 0; !(*bus = host_bus()) && i < BUS_SECONDS &&
			access("/run/systemd/system", F_OK) == 0; i++)
		nap(1);
	if (!*bus)
		return pd_fail(ctx, PD_FAILED, "cannot reach systemd over the "
			       "system bus: %s; is this server run by systemd, "
			       "and is dbus running?", strerror(errno));
	return 0;
}

/* Names of the failed units, each ended by a newline, with one in front. */
static int failed_units(struct pd_ctx *ctx, sd_bus *bus, const char **out)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *name;
	const char *list = "\n";
	int r = sd_bus_call_method(bus, MANAGER, "ListUnitsFiltered", &error,
				   &reply, "as", 1, "failed");

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(ssssssouso)", &name,
						  NULL, NULL, NULL, NULL, NULL,
						  NULL, NULL, NULL, NULL)) > 0)
		list = pd_format(ctx, "%s%s\n", list, name);
	sd_bus_message_unref(reply);
	if (r < 0)
		return bus_failed(ctx, "list the failed units", &error, r);
	*out = list;
	return 0;
}

/* Asked for by somebody, and not yet begun, or under way: nothing can be asked
 * of such a server any more, and nothing should be begun on it. */
static bool goes_down(sd_bus *bus)
{
	char *state = NULL;
	int due = 0;
	bool stopping;

	sd_bus_get_property_trivial(bus, LOGIND, "PreparingForShutdown", NULL, 'b', &due);
	sd_bus_get_property_string(bus, MANAGER, "SystemState", NULL, &state);
	stopping = state && strcmp(state, "stopping") == 0;
	free(state);
	return due || stopping;
}

static int check(struct pd_ctx *ctx)
{
	const struct reboot_args *args = ctx->args;
	sd_bus *bus = NULL;
	bool down;

	if (!args->when)
		return PD_UNCHANGED;
	if (need_bus(ctx, &bus) < 0)
		return PD_FAILED;
	down = goes_down(bus);
	sd_bus_unref(bus);
	if (down)
		return pd_fail(ctx, PD_RETRY, "this server is already going down");
	pd_expect(ctx, 60 + args->delay);
	return PD_CHANGED;
}

/* -------------------------------------------------------------- apply */

/* Users hear of it now; that nobody could be told is no reason to stop. */
static int countdown(struct pd_ctx *ctx)
{
	const struct reboot_args *args = ctx->args;
	const char *const argv[] = {
		"wall", pd_format(ctx, "%s reboots in %" PRId64 " seconds: %s",
				  ctx->server, args->delay, args->reason), NULL
	};
	struct pd_command_result result = { 0 };

	if (args->delay > 0 && pd_run(ctx, argv, &result) == 0 &&
	    result.status != 0)
		pd_log(ctx, PD_LOG_WARN, "users could not be told: %s",
		       result.err);
	for (int64_t i = 0; i < args->delay; i++) {
		pd_progress(ctx, i, args->delay, "waiting before the reboot");
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped before the "
				       "reboot was asked for");
		nap(1);
	}
	return 0;
}

/* An orderly shutdown, every unit stopped: logind, which honours programs
 * that have to finish something, else systemd's reboot target.  (Reboot() of
 * systemd itself would kill everything at once.) */
static int ask(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct reboot_args *args = ctx->args;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	sd_bus_call_method(bus, LOGIND, "SetWallMessage", NULL, NULL, "sb",
			   args->reason, 1);
	r = sd_bus_call_method(bus, LOGIND, "Reboot", &error, NULL, "b", 0);
	/* an earlier request, which programs may delay by some seconds; or a sleep */
	if (sd_bus_error_has_name(&error, "org.freedesktop.login1.OperationInProgress") &&
	    goes_down(bus)) {
		sd_bus_error_free(&error);
		r = 0;
	}
	if (r < 0) {
		pd_log(ctx, PD_LOG_INFO, "logind does not reboot (%s): asking "
		       "systemd", error.message ? error.message : strerror(-r));
		sd_bus_error_free(&error);
		r = sd_bus_call_method(bus, MANAGER, "StartUnit", &error, NULL,
				       "ss", "reboot.target",
				       "replace-irreversibly");
	}
	if (r < 0)
		return bus_failed(ctx, "reboot the server", &error, r);
	pd_log(ctx, PD_LOG_INFO, "reboot accepted: %s", args->reason);
	return 0;
}

static int apply(struct pd_ctx *ctx)
{
	const struct reboot_args *args = ctx->args;
	const char *failed = NULL;
	sd_bus *bus = NULL;
	int r;

	if (!args->when)
		return PD_UNCHANGED;
	r = need_bus(ctx, &bus);
	if (r == 0)
		r = failed_units(ctx, bus, &failed);
	if (r == 0)
		r = pd_remember(ctx, FAILED_BEFORE, failed);
	if (r == 0)
		r = countdown(ctx);
	if (r == 0)
		r = ask(ctx, bus);
	sd_bus_flush_close_unref(bus);
	return r < 0 ? r : PD_CHANGED;
}

/* ------------------------------------------------------------- verify */

/* Jobs that run, but for our own: what waits for us can't be waited for. */
static int running_jobs(struct pd_ctx *ctx, sd_bus *bus, const char **names)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *unit;
	const char *state;
	int n = 0;
	int r = sd_bus_call_method(bus, MANAGER, "ListJobs", &error, &reply, "");

	*names = "";
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(usssoo)", NULL, &unit,
						  NULL, &state, NULL, NULL)) > 0)
		if (strcmp(state, "running") == 0 &&
		    strncmp(unit, "patchday", 8) != 0) {
			*names = pd_format(ctx, "%s %s", *names, unit);
			n++;
		}
	sd_bus_message_unref(reply);
	return r < 0 ? bus_failed(ctx, "list systemd's jobs", &error, r) : n;
}

static int wait_for_boot(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct reboot_args *args = ctx->args;
	const char *names = "";
	int quiet = 0;

	for (int64_t i = 0; quiet < 2; i++) {
		int n = running_jobs(ctx, bus, &names);

		if (n < 0)
			return PD_FAILED;
		quiet = n ? 0 : quiet + 1;
		pd_progress(ctx, i, args->settle, "waiting for the boot to finish");
		if (n && i >= args->settle) {
			pd_log(ctx, PD_LOG_WARN, "the boot is not finished after "
			       "%" PRId64 " s, still starting:%s", args->settle,
			       names);
			return 0;
		}
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while waiting "
				       "for the boot to finish");
		if (quiet < 2)
			nap(1);
	}
	return 0;
}

static const char *journal_text(struct pd_ctx *ctx, sd_journal *j,
				const char *name)
{
	const void *data = NULL;
	size_t skip = strlen(name) + 1;
	size_t len = 0;

	if (sd_journal_get_data(j, name, &data, &len) < 0 || len < skip)
		return "-";
	return pd_format(ctx, "%.*s", (int)(len - skip),
			 (const char *)data + skip);
}

/* Error lines since this boot's init came up: the boot id alone does not do
 * where a server shares its kernel with others and keeps the id. */
static int error_lines(struct pd_ctx *ctx, uint64_t since, const char *path,
		       int64_t *count)
{
	char id[33] = "";
	sd_id128_t boot;
	sd_journal *j = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);

	*count = 0;
	if (r >= 0)
		r = sd_id128_get_boot(&boot);
	if (r >= 0)
		r = sd_journal_add_match(j, pd_format(ctx, "_BOOT_ID=%s",
					 sd_id128_to_string(boot, id)), 0);
	for (char p = '0'; r >= 0 && p <= '3'; p++)
		r = sd_journal_add_match(j, pd_format(ctx, "PRIORITY=%c", p), 0);
	if (r >= 0)
		r = sd_journal_seek_realtime_usec(j, since);
	while (r >= 0 && out && (r = sd_journal_next(j)) > 0 &&
	       ++*count <= MAX_LINES) {
		uint64_t usec = 0;

		sd_journal_get_realtime_usec(j, &usec);
		fprintf(out, "%" PRIu64 ".%06" PRIu64 " %s %s: %s\n",
			usec / 1000000, usec % 1000000,
			journal_text(ctx, j, "_SYSTEMD_UNIT"),
			journal_text(ctx, j, "SYSLOG_IDENTIFIER"),
			journal_text(ctx, j, "MESSAGE"));
	}
	sd_journal_close(j);
	if (out)
		fclose(out);
	if (r < 0 || !text)
		r = pd_fail(ctx, PD_FAILED, "cannot read the journal of this "
			    "boot: %s", strerror(r < 0 ? -r : errno));
	else
		r = pd_write_file(ctx, path, 0600, text, len);
	free(text);
	return r;
}

static int collect_errors(struct pd_ctx *ctx, sd_bus *bus)
{
	const char *path = pd_format(ctx, "%s/boot-errors.txt", ctx->work_dir);
	uint64_t since = 0;
	int64_t count = 0;

	sd_bus_get_property_trivial(bus, MANAGER, "UserspaceTimestamp", NULL,
				    't', &since);
	if (error_lines(ctx, since, path, &count) < 0 ||
	    pd_evidence(ctx, path, "Error lines in the journal of this boot") < 0)
		return PD_FAILED;
	return pd_output(ctx, "errors", pd_format(ctx, "%" PRId64, count));
}

static int judge_units(struct pd_ctx *ctx, const char *failed)
{
	const struct reboot_args *args = ctx->args;
	const char *before = pd_recall(ctx, FAILED_BEFORE);
	const char *path = pd_format(ctx, "%s/failed-units.txt", ctx->work_dir);
	const char *fresh = "";

	if (pd_write_file(ctx, path, 0600, failed + 1, strlen(failed + 1)) < 0 ||
	    pd_evidence(ctx, path, "Units that failed in this boot") < 0)
		return PD_FAILED;
	for (const char *p = failed + 1; *p; p += strcspn(p, "\n") + 1) {
		const char *name = pd_format(ctx, "%.*s", (int)strcspn(p, "\n"),
					     p);
		bool old = before && strstr(before, pd_format(ctx, "\n%s\n", name));

		if (pd_output_item(ctx, "failed_units", name) < 0)
			return PD_FAILED;
		pd_log(ctx, PD_LOG_WARN, "unit %s is failed after the reboot%s",
		       name, old ? ", as it was before" : "");
		if (!old)
			fresh = pd_format(ctx, "%s %s", fresh, name);
	}
	if (*fresh && args->fail_on_failed_units)
		return pd_fail(ctx, PD_FAILED, "units failed in this boot that "
			       "were well before:%s; see 'systemctl status' of "
			       "each", fresh);
	return PD_UNCHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	const struct reboot_args *args = ctx->args;
	const char *failed = NULL;
	const char *boot;
	sd_bus *bus = NULL;
	int r;

	if (!args->when)
		return PD_UNCHANGED;
	boot = first_line(ctx, "/proc/sys/kernel/random/boot_id");
	r = need_bus(ctx, &bus);
	if (r == 0)
		r = wait_for_boot(ctx, bus);
	if (r == 0 && boot)
		r = pd_output(ctx, "boot_id", boot);
	if (r == 0)
		r = collect_errors(ctx, bus);
	if (r == 0)
		r = failed_units(ctx, bus, &failed);
	if (r == 0)
		r = judge_units(ctx, failed);
	sd_bus_flush_close_unref(bus);
	return r;
}

/* What was installed is gone from the disk, but may still be running. */
static int undo(struct pd_ctx *ctx)
{
	const struct reboot_args *args = ctx->args;
	sd_bus *bus = NULL;
	int r;

	if (!args->when || !args->again)
		return PD_UNCHANGED;
	r = need_bus(ctx, &bus);
	if (r == 0)
		r = ask(ctx, bus);
	sd_bus_flush_close_unref(bus);
	return r < 0 ? r : PD_CHANGED;
}

const struct pd_step host_reboot = {
	PD_STEP, .name = "reboot",
	.help = "reboot the server and prove that it came up clean",
	.flags = PD_S_REBOOTS | PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE,
	.params = params, .args_size = sizeof(struct reboot_args),
	.outputs = outputs, .check = check, .apply = apply, .verify = verify,
	.undo = undo, .expected = 60,
	.retries = 6 /* a server that goes down has a minute for it */
};
