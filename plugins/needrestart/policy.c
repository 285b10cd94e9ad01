/* SPDX-License-Identifier: MIT */
/* Which units are restarted, and which never. */
#include "needrestart.h"

#include <fnmatch.h>
#include <string.h>

/* Logins, the bus that all others talk over, and the run itself. */
static const char *const never[] = {
	"dbus.service", "dbus-broker.service", "dbus-org.*", "systemd-logind.service", "user@*",
	"*getty@*", "console-getty.service", "display-manager.service", "gdm*.service",
	"lightdm.service", "sddm.service", "xdm.service", "lxdm.service", "greetd.service",
	"emergency.service", "rescue.service", "patchday*"
};

/* By its full name, or by what is in front of its kind. */
static bool matches(struct pd_ctx *ctx, const char *pattern, const char *unit)
{
	const char *dot = strrchr(unit, '.');

	return fnmatch(pattern, unit, 0) == 0 || (dot &&
	       fnmatch(pattern, pd_format(ctx, "%.*s", (int)(dot - unit), unit), 0) == 0);
}

static bool listed(struct pd_ctx *ctx, const struct pd_list *patterns, const char *unit)
{
	for (size_t i = 0; i < patterns->len; i++)
		if (matches(ctx, patterns->items[i], unit))
			return true;
	return false;
}

static bool is_around_us(struct pd_ctx *ctx, const struct unit *unit)
{
	const char *groups = pd_read_file(ctx, "/proc/self/cgroup", 65536, NULL);

	return groups && (strstr(groups, pd_format(ctx, "/%s\n", unit->name)) ||
			  strstr(groups, pd_format(ctx, "/%s/", unit->name)));
}

static bool refuses(sd_bus *bus, const struct unit *unit, const char *property)
{
	int value = 0;

	sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", unit->path, UNIT_INTERFACE,
				    property, NULL, 'b', &value);
	return value != 0;
}

const char *policy_keeps(struct pd_ctx *ctx, sd_bus *bus, const struct unit *unit,
			 const struct pd_list *wanted, const struct pd_list *except)
{
	const struct pd_list vital = { sizeof(never) / sizeof(*never), never };

	if (listed(ctx, &vital, unit->name))
		return "logins, the bus or the run itself hang on it: reboot the server";
	if (is_around_us(ctx, unit))
		return "this run is a part of it";
	if (!listed(ctx, wanted, unit->name) || listed(ctx, except, unit->name))
		return "the workflow leaves it alone";
	if (hold_is_set(ctx, unit))
		return "it is held";
	if (strcmp(unit->load, "loaded") != 0)
		return "it would not come back: its unit file is masked, wrong or gone";
	if (strcmp(unit->type, "oneshot") == 0)
		return "it would do its work a second time";
	if (!unit->can_stop || refuses(bus, unit, "RefuseManualStop") ||
	    refuses(bus, unit, "RefuseManualStart"))
		return "its unit file says that it is not restarted by hand";
	return NULL;
}
