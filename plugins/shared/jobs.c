/* SPDX-License-Identifier: MIT */
/* Jobs on systemd's units: enqueue, wait, poll for the state, explain. */
#include "units.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <time.h>

#define JOURNAL_LINES 5
#define SETTLE_MS 500
#define POLL_MS 200

struct job {
	const char *path;
	struct unit *unit;
	const char *result; /* NULL while it runs */
};

struct jobs {
	struct pd_ctx *ctx;
	struct job *items;
	size_t len;
	size_t done;
};

static int job_removed(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct jobs *jobs = user;
	const char *path = NULL;
	const char *result = NULL;
	uint32_t id = 0;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &path, NULL, &result) < 0)
		return 0;
	for (size_t i = 0; i < jobs->len; i++) {
		struct job *job = &jobs->items[i];

		if (job->result || strcmp(job->path, path) != 0)
			continue;
		job->result = pd_format(jobs->ctx, "%s", result);
		jobs->done++;
	}
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One unit that refuses does not keep the others from their turn: what is
 * given back is given back as far as it goes. */
static int jobs_enqueue(struct jobs *jobs, sd_bus *bus, const char *method,
			const struct units *units)
{
	int result = 0;

	for (size_t i = 0; i < units->len; i++) {
		struct unit *unit = units->items[i];
		/* a target alone: its wishes may include what somebody stopped */
		const char *mode = unit_is(unit, ".target") ?
			"ignore-dependencies" : "replace";
		sd_bus_error error = SD_BUS_ERROR_NULL;
		sd_bus_message *reply = NULL;
		const char *path = NULL;
		int r = sd_bus_call_method(bus, MANAGER, method, &error, &reply,
					   "ss", unit->name, mode);

		if (r >= 0)
			r = sd_bus_message_read(reply, "o", &path);
		if (r >= 0)
			jobs->items[jobs->len++] = (struct job){
				pd_format(jobs->ctx, "%s", path), unit, NULL
			};
		sd_bus_message_unref(reply);
		if (r < 0)
			result = bus_failed(jobs->ctx,
				pd_format(jobs->ctx, "do %s for", method),
				unit->name, &error, r);
	}
	return result;
}

static int jobs_timed_out(struct jobs *jobs, sd_bus *bus, const char *method,
			  int64_t timeout)
{
	const struct unit *unit = NULL;

	for (size_t i = 0; i < jobs->len && !unit; i++)
		if (!jobs->items[i].result)
			unit = jobs->items[i].unit;
	return pd_fail(jobs->ctx, PD_FAILED, "%s of %s (and %zu more) is not "
		       "done after %" PRId64 " s: %s; look at the unit, or give "
		       "more time with timeout", method, unit ? unit->name : "?",
		       jobs->len - jobs->done - 1, timeout,
		       unit ? unit_explain(jobs->ctx, bus, unit) : "");
}

static int jobs_wait(struct jobs *jobs, sd_bus *bus, const char *method,
		     int64_t timeout)
{
	int64_t end = now_ms() + timeout * 1000;

	while (jobs->done < jobs->len) {
		int r = sd_bus_process(bus, NULL);

		if (r == 0)
			r = sd_bus_wait(bus, 250000);
		if (r < 0 && r != -EINTR)
			return pd_fail(jobs->ctx, PD_FAILED, "the connection to "
				       "systemd was lost while waiting for %s: "
				       "%s", method, strerror(-r));
		pd_progress(jobs->ctx, (int64_t)jobs->done, (int64_t)jobs->len,
			    method);
		if (pd_canceled(jobs->ctx))
			return pd_fail(jobs->ctx, PD_CANCELED, "stopped while "
				       "waiting for %s", method);
		if (now_ms() > end && jobs->done < jobs->len)
			return jobs_timed_out(jobs, bus, method, timeout);
	}
	return 0;
}

int units_jobs(struct pd_ctx *ctx, sd_bus *bus, const char *method,
	       const struct units *units, int64_t timeout)
{
	struct jobs jobs = { .ctx = ctx };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_slot *slot = NULL;
	int queued;
	int r;

	if (units->len == 0)
		return 0;
	jobs.items = pd_alloc_for(ctx, (units->len + 1) * sizeof(*jobs.items));
	r = sd_bus_match_signal(bus, &slot, NULL, "/org/freedesktop/systemd1",
				"org.freedesktop.systemd1.Manager",
				"JobRemoved", job_removed, &jobs);
	if (r >= 0)
		r = sd_bus_call_method(bus, MANAGER, "Subscribe", &error, NULL,
				       "");
	if (r < 0 && !sd_bus_error_has_name(
			&error, "org.freedesktop.systemd1.AlreadySubscribed")) {
		sd_bus_slot_unref(slot);
		return bus_failed(ctx, "tell about", "its jobs", &error, r);
	}
	sd_bus_error_free(&error);
	queued = jobs_enqueue(&jobs, bus, method, units);
	r = jobs_wait(&jobs, bus, method, timeout);
	sd_bus_slot_unref(slot);
	for (size_t i = 0; i < jobs.len; i++) {
		struct job *job = &jobs.items[i];

		job->unit->job_done = job->result &&
				      strcmp(job->result, "done") == 0;
		if (job->result && !job->unit->job_done)
			pd_log(ctx, PD_LOG_WARN, "%s of %s ended as '%s'",
			       method, job->unit->name, job->result);
	}
	return r < 0 ? r : queued;
}

static void nap(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/* Reached once is not enough: a program may die right after its start. */
int units_wait(struct pd_ctx *ctx, sd_bus *bus, const struct units *old,
	       unit_reached *reached, int64_t timeout, const char *wanted,
	       struct units *last)
{
	int64_t rounds = timeout * 1000 / POLL_MS;
	bool again = false;

	for (;;) {
		const struct unit *late = NULL;
		size_t n = 0;

		*last = (struct units){ 0 };
		if (units_look_again(ctx, bus, old, last) < 0)
			return PD_FAILED;
		for (size_t i = 0; i < old->len; i++)
			if (reached(ctx, old->items[i], last->items[i]))
				n++;
			else if (!late)
				late = last->items[i];
		pd_progress(ctx, (int64_t)n, (int64_t)old->len, wanted);
		if (!late && again)
			return 0;
		if (late && (rounds-- <= 0 ||
			     strcmp(late->active, "failed") == 0))
			return pd_fail(ctx, PD_FAILED, "unit %s is not %s: %s",
				       late->name, wanted,
				       unit_explain(ctx, bus, late));
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while waiting "
				       "for units to be %s", wanted);
		again = !late;
		nap(late ? POLL_MS : SETTLE_MS);
	}
}

/* ------------------------------------------------------------ messages */

static const char *last_lines(struct pd_ctx *ctx, const char *name)
{
	const char *text = "";
	sd_journal *j = NULL;

	if (sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0)
		return text;
	if (sd_journal_add_match(j, pd_format(ctx, "_SYSTEMD_UNIT=%s", name),
				 0) >= 0 &&
	    sd_journal_add_disjunction(j) >= 0 &&
	    sd_journal_add_match(j, pd_format(ctx, "UNIT=%s", name), 0) >= 0 &&
	    sd_journal_seek_tail(j) >= 0) {
		for (int i = 0; i < JOURNAL_LINES && sd_journal_previous(j) > 0;
		     i++) {
			const void *data = NULL;
			size_t len = 0;

			if (sd_journal_get_data(j, "MESSAGE", &data, &len) < 0 ||
			    len <= 8)
				continue;
			len = len - 8 > 500 ? 500 : len - 8;
			text = pd_format(ctx, "\n  %.*s%s", (int)len,
					 (const char *)data + 8, text);
		}
	}
	sd_journal_close(j);
	return text;
}

const char *unit_explain(struct pd_ctx *ctx, sd_bus *bus,
			 const struct unit *unit)
{
	struct unit *now = NULL;
	const char *process = "";
	const char *result = "";
	const char *lines;
	uint32_t pid = 0;

	if (unit_load(ctx, bus, unit->name, &now) < 0)
		return "its state cannot be read";
	if (unit_is(now, ".service") &&
	    sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1",
					now->path, SERVICE_INTERFACE, "MainPID",
					NULL, 'u', &pid) >= 0) {
		process = pid ? pd_format(ctx, ", main process %" PRIu32, pid) :
				", no main process";
		result = pd_format(ctx, ", result %s",
				   unit_string(ctx, bus, now->path,
					       SERVICE_INTERFACE, "Result"));
	}
	lines = last_lines(ctx, now->name);
	return pd_format(ctx, "%s is %s (%s), unit file %s%s%s%s%s", now->name,
			 now->active, now->sub,
			 *now->enabled ? now->enabled : "without a state",
			 process, result,
			 *lines ? "; last lines of the journal:" : "", lines);
}
