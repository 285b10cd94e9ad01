/* SPDX-License-Identifier: MIT */
/* Looking at systemd's units and running jobs on them, over sd-bus. */
#include "service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"
#define CALL_SECONDS 120
#define JOURNAL_LINES 5

/* Root talks to the manager itself, as systemctl does: that goes on working
 * while the bus daemon is stopped or replaced. */
int bus_open(struct pd_ctx *ctx, sd_bus **bus)
{
	int r = -ENOENT;

	if (access("/run/systemd/system", F_OK) != 0)
		return pd_fail(ctx, PD_REFUSED, "this server is not run by "
			       "systemd (/run/systemd/system is missing); the "
			       "service plugin can do nothing here");
	if (geteuid() == 0) {
		r = sd_bus_new(bus);
		if (r >= 0)
			r = sd_bus_set_address(
				*bus, "unix:path=/run/systemd/private");
		if (r >= 0)
			r = sd_bus_start(*bus);
		if (r < 0)
			*bus = sd_bus_flush_close_unref(*bus);
	}
	if (r < 0)
		r = sd_bus_open_system(bus);
	if (r < 0)
		return pd_fail(ctx, PD_FAILED, "cannot reach systemd over the "
			       "system bus: %s; is dbus running?", strerror(-r));
	sd_bus_set_method_call_timeout(*bus, CALL_SECONDS * UINT64_C(1000000));
	return 0;
}

int bus_failed(struct pd_ctx *ctx, const char *what, const char *on,
	       sd_bus_error *error, int status)
{
	pd_fail(ctx, PD_FAILED, "systemd cannot %s %s: %s", what, on,
		error && error->message ? error->message : strerror(-status));
	sd_bus_error_free(error);
	return PD_FAILED;
}

static const char *unit_string(struct pd_ctx *ctx, sd_bus *bus,
			       const char *path, const char *interface,
			       const char *property)
{
	const char *text = "";
	char *value = NULL;

	if (sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path,
				       interface, property, NULL, &value) >= 0)
		text = pd_format(ctx, "%s", value);
	free(value);
	return text;
}

const char *const *unit_strings(struct pd_ctx *ctx, sd_bus *bus,
				const char *path, const char *property)
{
	char **values = NULL;
	const char **out;
	size_t n = 0;

	if (sd_bus_get_property_strv(bus, "org.freedesktop.systemd1", path,
				     UNIT_INTERFACE, property, NULL, &values) < 0)
		values = NULL;
	while (values && values[n])
		n++;
	out = pd_alloc_for(ctx, (n + 1) * sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		out[i] = pd_format(ctx, "%s", values[i]);
		free(values[i]);
	}
	free(values);
	return out;
}

static const char *unit_invocation(struct pd_ctx *ctx, sd_bus *bus,
				   const char *path)
{
	sd_bus_message *m = NULL;
	const void *bytes = NULL;
	char text[33] = "";
	size_t n = 0;

	if (sd_bus_get_property(bus, "org.freedesktop.systemd1", path,
				UNIT_INTERFACE, "InvocationID", NULL, &m,
				"ay") >= 0 &&
	    sd_bus_message_read_array(m, 'y', &bytes, &n) >= 0 && n == 16) {
		sd_id128_t id;

		memcpy(&id, bytes, sizeof(id));
		sd_id128_to_string(id, text);
	}
	sd_bus_message_unref(m);
	return pd_format(ctx, "%s", text);
}

static const char *unit_file_state(struct pd_ctx *ctx, sd_bus *bus,
				   const char *name)
{
	sd_bus_message *reply = NULL;
	const char *state = "";

	if (sd_bus_call_method(bus, MANAGER, "GetUnitFileState", NULL, &reply,
			       "s", name) >= 0 &&
	    sd_bus_message_read(reply, "s", &state) >= 0)
		state = pd_format(ctx, "%s", state);
	else
		state = "";
	sd_bus_message_unref(reply);
	return state;
}

int unit_load(struct pd_ctx *ctx, sd_bus *bus, const char *name,
	      struct unit **out)
{
	struct unit *unit = pd_alloc_for(ctx, sizeof(*unit));
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *path = NULL;
	int can_stop = 1;
	int r;

	r = sd_bus_call_method(bus, MANAGER, "LoadUnit", &error, &reply, "s",
			       name);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r < 0) {
		sd_bus_message_unref(reply);
		return bus_failed(ctx, "load unit", name, &error, r);
	}
	path = pd_format(ctx, "%s", path);
	sd_bus_message_unref(reply);
	sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path,
				    UNIT_INTERFACE, "CanStop", NULL, 'b',
				    &can_stop);
	unit->path = path;
	unit->name = unit_string(ctx, bus, path, UNIT_INTERFACE, "Id");
	if (!*unit->name)
		unit->name = name;
	unit->load = unit_string(ctx, bus, path, UNIT_INTERFACE, "LoadState");
	unit->active = unit_string(ctx, bus, path, UNIT_INTERFACE, "ActiveState");
	unit->sub = unit_string(ctx, bus, path, UNIT_INTERFACE, "SubState");
	unit->enabled = unit_file_state(ctx, bus, unit->name);
	unit->type = unit_is(unit, ".service") ?
		unit_string(ctx, bus, path, SERVICE_INTERFACE, "Type") : "";
	unit->invocation = unit_invocation(ctx, bus, path);
	unit->can_stop = can_stop != 0;
	*out = unit;
	return 0;
}

bool unit_is(const struct unit *unit, const char *suffix)
{
	size_t n = strlen(unit->name);
	size_t m = strlen(suffix);

	return n > m && strcmp(unit->name + n - m, suffix) == 0;
}

bool unit_runs(const struct unit *unit)
{
	return strcmp(unit->active, "active") == 0 ||
	       strcmp(unit->active, "reloading") == 0 ||
	       strcmp(unit->active, "refreshing") == 0;
}

bool unit_stopped(const struct unit *unit)
{
	return strcmp(unit->active, "inactive") == 0 ||
	       strcmp(unit->active, "failed") == 0;
}

bool units_have(const struct units *units, const char *name)
{
	for (size_t i = 0; i < units->len; i++)
		if (strcmp(units->items[i]->name, name) == 0)
			return true;
	return false;
}

void units_add(struct pd_ctx *ctx, struct units *units, struct unit *unit)
{
	if (units->len == units->room) {
		size_t room = units->room ? 2 * units->room : 16;
		struct unit **items = pd_alloc_for(ctx, room * sizeof(*items));

		for (size_t i = 0; i < units->len; i++)
			items[i] = units->items[i];
		units->items = items;
		units->room = room;
	}
	units->items[units->len++] = unit;
}

/* The name as systemd wants it, a service when it has no kind; NULL when it
 * can't be a unit. */
static const char *full_name(struct pd_ctx *ctx, const char *name)
{
	static const char *const kinds[] = { ".service", ".socket", ".timer",
					     ".path", ".target", ".mount",
					     ".automount", ".swap", ".slice",
					     ".scope", ".device" };
	size_t n = strlen(name);

	if (n == 0 || n > 240 ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789:_.\\@-") != n)
		return NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t m = strlen(kinds[i]);

		if (n > m && strcmp(name + n - m, kinds[i]) == 0)
			return name;
	}
	return pd_format(ctx, "%s.service", name);
}

int units_named(struct pd_ctx *ctx, sd_bus *bus, const struct pd_list *names,
		int missing, struct units *out)
{
	for (size_t i = 0; i < names->len; i++) {
		const char *name = full_name(ctx, names->items[i]);
		struct unit *unit = NULL;

		if (!name || strstr(name, "@."))
			return pd_fail(ctx, PD_BAD_ARGS, "'%s' does not name one "
				       "unit: write it as systemctl shows it, "
				       "without patterns, and a template with "
				       "its instance", names->items[i]);
		if (unit_load(ctx, bus, name, &unit) < 0)
			return PD_FAILED;
		if (strcmp(unit->load, "not-found") == 0 &&
		    !unit_runs(unit)) {
			if (missing == MISSING_FAIL)
				return pd_fail(ctx, PD_REFUSED,
					"unit %s is not installed on this server;"
					" correct its name or say missing = "
					"\"ignore\"", name);
			pd_log(ctx, PD_LOG_INFO, "unit %s is not installed on "
			       "this server: passed over", name);
			continue;
		}
		if (!units_have(out, unit->name))
			units_add(ctx, out, unit);
	}
	return 0;
}

int units_look_again(struct pd_ctx *ctx, sd_bus *bus, const struct units *old,
		     struct units *now)
{
	for (size_t i = 0; i < old->len; i++) {
		struct unit *unit = NULL;

		if (unit_load(ctx, bus, old->items[i]->name, &unit) < 0)
			return PD_FAILED;
		units_add(ctx, now, unit);
	}
	return 0;
}

/* --------------------------------------------------------------- jobs */

struct job {
	const char *path;
	const struct unit *unit;
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

static int jobs_enqueue(struct jobs *jobs, sd_bus *bus, const char *method,
			const struct units *units)
{
	for (size_t i = 0; i < units->len; i++) {
		const struct unit *unit = units->items[i];
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
			return bus_failed(jobs->ctx,
					  pd_format(jobs->ctx, "do %s for", method),
					  unit->name, &error, r);
	}
	return 0;
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
	int r;

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
	r = jobs_enqueue(&jobs, bus, method, units);
	if (r == 0)
		r = jobs_wait(&jobs, bus, method, timeout);
	sd_bus_slot_unref(slot);
	for (size_t i = 0; r == 0 && i < jobs.len; i++)
		if (strcmp(jobs.items[i].result, "done") != 0)
			pd_log(ctx, PD_LOG_WARN, "%s of %s ended as '%s'",
			       method, jobs.items[i].unit->name,
			       jobs.items[i].result);
	return r;
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
