/* SPDX-License-Identifier: MIT */
/* Looking at systemd's units over sd-bus: state, relations, lists. */
#include "units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#define CALL_SECONDS 120

bool bus_present(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

/* Root talks to the manager itself, as systemctl does: that goes on working
 * while the bus daemon is stopped or replaced. */
int bus_open(struct pd_ctx *ctx, sd_bus **bus)
{
	int r = -ENOENT;

	if (!bus_present())
		return pd_fail(ctx, PD_REFUSED, "this server is not run by "
			       "systemd (/run/systemd/system is missing): "
			       "%s can do nothing here", ctx->step);
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

int bus_with(struct pd_ctx *ctx, int (*work)(struct pd_ctx *, sd_bus *))
{
	sd_bus *bus = NULL;
	int r = bus_open(ctx, &bus);

	if (r == 0)
		r = work(ctx, bus);
	sd_bus_flush_close_unref(bus);
	return r;
}

int bus_failed(struct pd_ctx *ctx, const char *what, const char *on,
	       sd_bus_error *error, int status)
{
	pd_fail(ctx, PD_FAILED, "systemd cannot %s %s: %s", what, on,
		error && error->message ? error->message : strerror(-status));
	sd_bus_error_free(error);
	return PD_FAILED;
}

const char *unit_string(struct pd_ctx *ctx, sd_bus *bus, const char *path,
			const char *interface, const char *property)
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

int units_add_names(struct pd_ctx *ctx, sd_bus *bus, struct units *units,
		    const char *const *names,
		    bool (*wanted)(const struct unit *))
{
	for (; *names; names++) {
		struct unit *unit = NULL;

		if (units_have(units, *names))
			continue;
		if (unit_load(ctx, bus, *names, &unit) < 0)
			return PD_FAILED;
		if (strcmp(unit->load, "not-found") != 0 && wanted(unit) &&
		    !units_have(units, unit->name))
			units_add(ctx, units, unit);
	}
	return 0;
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
			/* once is enough: apply comes after check */
			pd_log(ctx, ctx->phase == PD_PHASE_APPLY ?
			       PD_LOG_INFO : PD_LOG_DEBUG, "unit %s is not installed on "
			       "this server: passed over", name);
			continue;
		}
		if (!units_have(out, unit->name))
			units_add(ctx, out, unit);
	}
	return 0;
}

int units_pulled(struct pd_ctx *ctx, sd_bus *bus, struct units *units)
{
	static const char *const pulls[] = { "Requires", "BindsTo", "Wants" };

	for (size_t i = 0; i < units->len; i++) {
		const struct unit *unit = units->items[i];

		for (size_t k = 0; unit_stopped(unit) &&
		     k < sizeof(pulls) / sizeof(pulls[0]); k++)
			if (units_add_names(ctx, bus, units,
					    unit_strings(ctx, bus, unit->path,
							 pulls[k]),
					    unit_stopped) < 0)
				return PD_FAILED;
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

static const char *units_table(struct pd_ctx *ctx, const struct units *units)
{
	const char *table = pd_format(ctx, "%-40s %-12s %-14s %s\n", "unit",
				      "active", "sub", "unit file");

	for (size_t i = 0; i < units->len; i++) {
		const struct unit *u = units->items[i];

		table = pd_format(ctx, "%s%-40s %-12s %-14s %s\n", table,
				  u->name, u->active, u->sub, u->enabled);
	}
	return table;
}

int units_evidence(struct pd_ctx *ctx, const struct units *units,
		   const char *file, const char *title)
{
	const char *path = pd_format(ctx, "%s/%s", ctx->work_dir, file);
	const char *table = units_table(ctx, units);

	if (pd_write_file(ctx, path, 0600, table, strlen(table)) < 0)
		return PD_FAILED;
	return pd_evidence(ctx, path, title);
}
