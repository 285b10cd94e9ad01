/* SPDX-License-Identifier: MIT */
/* The scanners: services and timers of systemd, and scheduled jobs. */
#include "service.h"
#include "schedule.h"

#include <inttypes.h>
#include <string.h>

#define TIMER_INTERFACE "org.freedesktop.systemd1.Timer"

/** What ListUnits tells of a unit. */
struct listed {
	const char *name, *description, *active, *sub, *path;
};

typedef int listed_fn(struct pd_ctx *ctx, sd_bus *bus, const struct owners *owners,
		      const struct listed *unit);

/* The package of the unit's file, or of the script that it was made from. */
static const char *package_of(struct pd_ctx *ctx, sd_bus *bus, const struct owners *owners,
			      const char *path)
{
	const char *file = unit_string(ctx, bus, path, UNIT_INTERFACE, "FragmentPath");
	const char *slash = strrchr(file, '/');
	const char *package = slash ?
		owners_find(owners, pd_format(ctx, UNITS "%s", slash + 1)) : NULL;

	return package ? package : owners_find(owners,
		unit_string(ctx, bus, path, UNIT_INTERFACE, "SourcePath"));
}

static int tell_service(struct pd_ctx *ctx, sd_bus *bus, const struct owners *owners,
			const struct listed *u)
{
	sd_bus_message *reply = NULL;
	const char *enabled = NULL;
	int r;

	if (sd_bus_call_method(bus, MANAGER, "GetUnitFileState", NULL, &reply,
			       "s", u->name) < 0 ||
	    sd_bus_message_read(reply, "s", &enabled) < 0)
		enabled = NULL;
	const struct pd_fact_field row[] = {
		PD_TEXT("name", u->name), PD_TEXT("state", u->active),
		PD_TEXT("sub_state", u->sub), PD_TEXT("enabled", enabled),
		PD_TEXT("description", u->description),
		PD_TEXT("package", package_of(ctx, bus, owners, u->path))
	};
	r = pd_fact(ctx, "services", row, sizeof(row) / sizeof(row[0]));
	sd_bus_message_unref(reply);
	return r;
}

/* "OnCalendar=*-*-* 06:00:00" and "OnBootUSec=900 s", as many as there are. */
static const char *schedule_of(struct pd_ctx *ctx, sd_bus *bus, const char *path)
{
	sd_bus_message *m = NULL;
	const char *text = "", *base = NULL, *spec = NULL;
	uint64_t offset = 0;

	if (sd_bus_get_property(bus, "org.freedesktop.systemd1", path, TIMER_INTERFACE,
				"TimersCalendar", NULL, &m, "a(sst)") >= 0 &&
	    sd_bus_message_enter_container(m, 'a', "(sst)") >= 0)
		while (sd_bus_message_read(m, "(sst)", &base, &spec, NULL) > 0)
			text = pd_format(ctx, "%s%s%s=%s", text, *text ? ", " : "", base, spec);
	m = sd_bus_message_unref(m);
	if (sd_bus_get_property(bus, "org.freedesktop.systemd1", path, TIMER_INTERFACE,
				"TimersMonotonic", NULL, &m, "a(stt)") >= 0 &&
	    sd_bus_message_enter_container(m, 'a', "(stt)") >= 0)
		while (sd_bus_message_read(m, "(stt)", &base, &offset, NULL) > 0)
			text = pd_format(ctx, "%s%s%s=%" PRIu64 " s", text, *text ? ", " : "",
					 base, offset / 1000000);
	sd_bus_message_unref(m);
	return text;
}

static int tell_timer(struct pd_ctx *ctx, sd_bus *bus, const struct owners *owners,
		      const struct listed *u)
{
	const struct pd_fact_field row[] = {
		PD_TEXT("kind", "timer"), PD_TEXT("name", u->name),
		PD_TEXT("command", unit_string(ctx, bus, u->path, TIMER_INTERFACE, "Unit")),
		PD_TEXT("schedule", schedule_of(ctx, bus, u->path)),
		PD_FLAG("enabled", strcmp(u->active, "active") == 0),
		PD_TEXT("package", package_of(ctx, bus, owners, u->path))
	};

	return pd_fact(ctx, "jobs", row, sizeof(row) / sizeof(row[0]));
}

static int each_unit(struct pd_ctx *ctx, const struct owners *owners, const char *pattern,
		     listed_fn *tell)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	struct listed u = { 0 };
	const char *load = NULL;
	sd_bus *bus = NULL;
	int result = bus_open(ctx, &bus);
	int r = result < 0 ? 0 : sd_bus_call_method(bus, MANAGER, "ListUnitsByPatterns",
						    &error, &reply, "asas", 0, 1, pattern);

	if (result == 0 && r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
	while (r >= 0 && result == 0 &&
	       (r = sd_bus_message_read(reply, "(ssssssouso)", &u.name, &u.description, &load,
					&u.active, &u.sub, NULL, &u.path, NULL, NULL, NULL)) > 0)
		if (strcmp(load, "not-found") != 0)
			result = tell(ctx, bus, owners, &u);
	if (r < 0)
		result = bus_failed(ctx, "list", pattern, &error, r);
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	return result;
}

/* No systemd, no services: nothing to report and no failure. */
static int scan_services(struct pd_ctx *ctx)
{
	struct owners owners = { 0 };

	if (!bus_present())
		return 0;
	owners_read(ctx, &owners);
	return each_unit(ctx, &owners, "*.service", tell_service);
}

static int scan_jobs(struct pd_ctx *ctx)
{
	struct owners owners = { 0 };
	int r;

	owners_read(ctx, &owners);
	r = bus_present() ? each_unit(ctx, &owners, "*.timer", tell_timer) : 0;
	return r < 0 ? r : scan_cron(ctx, &owners);
}

static const char *const services_kinds[] = { "services", NULL };
const struct pd_scanner services_scanner = {
	PD_SCANNER, .name = "services", .kinds = services_kinds, .scan = scan_services,
	.help = "service units that systemd has loaded, with their states"
};
static const char *const jobs_kinds[] = { "jobs", NULL };
const struct pd_scanner jobs_scanner = {
	PD_SCANNER, .name = "jobs", .kinds = jobs_kinds, .scan = scan_jobs,
	.help = "scheduled jobs: timers of systemd, cron, anacron and at"
};
