/* SPDX-License-Identifier: MIT */
/* Holding units down, over a reboot too, and remembering what was there. */
#include "units.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/etc/systemd/system"
#define DROP_IN "zz-patchday-hold.conf"
#define RECORD "units"

/*
 * A hold is a drop-in with a start condition on its own existence, and not a
 * mask: a mask in /run is gone after a reboot, a mask in /etc cannot be made
 * for a unit that the administrator keeps in /etc, hides the unit file's own
 * state, and makes package scripts fail that start or enable the unit.  With
 * a condition such a start succeeds and does nothing.
 */
static const char text[] =
	"# Written by patchday: this unit is held during a run, also over a\n"
	"# reboot.  'patchday undo' gives it back.  By hand: remove this file,\n"
	"# run 'systemctl daemon-reload', start the unit.\n"
	"[Unit]\n"
	"ConditionPathExists=!" FOLDER "/%n.d/" DROP_IN "\n";

const char *hold_file(struct pd_ctx *ctx, const struct unit *unit)
{
	return pd_format(ctx, FOLDER "/%s.d/" DROP_IN, unit->name);
}

static const char *hold_folder(struct pd_ctx *ctx, const struct unit *unit)
{
	return pd_format(ctx, FOLDER "/%s.d", unit->name);
}

bool hold_is_set(struct pd_ctx *ctx, const struct unit *unit)
{
	return access(hold_file(ctx, unit), F_OK) == 0;
}

/* A target is stopped with what it needs, but at the next boot it must not
 * be kept from being reached. */
bool hold_wanted(const struct unit *unit)
{
	return !unit_is(unit, ".target");
}

static bool any(const struct unit *unit)
{
	return unit->name != NULL;
}

static bool not_stopped(const struct unit *unit)
{
	return !unit_stopped(unit);
}

int hold_closure(struct pd_ctx *ctx, sd_bus *bus, struct units *units)
{
	/* what systemd stops together with a unit */
	static const char *const needing[] = { "RequiredBy", "RequisiteOf",
					       "BoundBy", "ConsistsOf",
					       "PropagatesStopTo" };

	for (size_t i = 0; i < units->len; i++) {
		const struct unit *unit = units->items[i];

		/* nothing that needs a target is pulled down with it here */
		if (!hold_wanted(unit))
			continue;
		if (units_add_names(ctx, bus, units,
			       unit_strings(ctx, bus, unit->path, "TriggeredBy"),
			       any) < 0)
			return PD_FAILED;
		for (size_t k = 0; k < sizeof(needing) / sizeof(needing[0]); k++)
			if (units_add_names(ctx, bus, units,
				       unit_strings(ctx, bus, unit->path,
						    needing[k]), not_stopped) < 0)
				return PD_FAILED;
	}
	for (size_t i = 0; i < units->len; i++) {
		struct unit *unit = units->items[i];

		unit->held = hold_is_set(ctx, unit);
		unit->had_folder = access(hold_folder(ctx, unit), F_OK) == 0;
	}
	return 0;
}

static bool is_vital(const struct unit *unit)
{
	static const char *const vital[] = {
		"dbus.", "dbus-broker.", "dbus-org.", "systemd-journald",
		"systemd-logind.", "systemd-udevd", "patchday"
	};

	for (size_t i = 0; i < sizeof(vital) / sizeof(vital[0]); i++)
		if (strncmp(unit->name, vital[i], strlen(vital[i])) == 0)
			return true;
	return false;
}

static bool is_holdable(const struct unit *unit)
{
	return unit_is(unit, ".service") || unit_is(unit, ".socket") ||
	       unit_is(unit, ".timer") || unit_is(unit, ".path");
}

int hold_refusals(struct pd_ctx *ctx, const struct units *units)
{
	int result = 0;

	for (size_t i = 0; i < units->len; i++) {
		const struct unit *unit = units->items[i];
		const char *cause = NULL;

		if (is_vital(unit))
			cause = "systemd, the run itself or every login needs it";
		else if (!unit->can_stop && !unit_stopped(unit))
			cause = "its unit file says RefuseManualStop=yes";
		else if (!is_holdable(unit) && !unit_is(unit, ".target"))
			cause = "only services, sockets, timers and paths can be "
				"held; this one needs a unit that is to be held";
		if (!cause)
			continue;
		pd_inhibit(ctx, pd_format(ctx, "unit %s would be stopped",
					  unit->name), cause,
			   pd_format(ctx, "leave out the unit that %s belongs "
				     "to, or stop %s yourself before the run",
				     unit->name, unit->name));
		result = pd_fail(ctx, PD_REFUSED, "unit %s cannot be held: %s",
				 unit->name, cause);
	}
	return result;
}

static int sync_folder(struct pd_ctx *ctx, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (!synced)
		pd_fail(ctx, PD_FAILED, "cannot write folder %s to the disk: %s",
			path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return synced ? 0 : PD_FAILED;
}

static int reload(struct pd_ctx *ctx, sd_bus *bus)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(bus, MANAGER, "Reload", &error, NULL, "");

	return r < 0 ? bus_failed(ctx, "reload", "its unit files", &error, r) : 0;
}

/* The file alone proves nothing: the manager must have read it. */
static int prove_hold(struct pd_ctx *ctx, sd_bus *bus, const struct unit *unit)
{
	const char *file = hold_file(ctx, unit);
	const char *const *paths = unit_strings(ctx, bus, unit->path,
						"DropInPaths");

	for (; *paths; paths++)
		if (strcmp(*paths, file) == 0)
			return 0;
	return pd_fail(ctx, PD_FAILED, "systemd has not taken up the hold %s of "
		       "unit %s: see 'systemctl cat %s'", file, unit->name,
		       unit->name);
}

int hold_set(struct pd_ctx *ctx, sd_bus *bus, const struct units *units)
{
	for (size_t i = 0; i < units->len; i++) {
		const struct unit *unit = units->items[i];
		const char *folder = hold_folder(ctx, unit);

		if (!hold_wanted(unit) || hold_is_set(ctx, unit))
			continue;
		if (mkdir(folder, 0755) < 0 && errno != EEXIST)
			return pd_fail(ctx, PD_FAILED, "cannot make folder %s for "
				       "the hold of unit %s: %s", folder,
				       unit->name, strerror(errno));
		if (pd_write_file(ctx, hold_file(ctx, unit), 0644, text,
				  sizeof(text) - 1) < 0)
			return PD_FAILED;
	}
	if (sync_folder(ctx, FOLDER) < 0 || reload(ctx, bus) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < units->len; i++)
		if (hold_wanted(units->items[i]) &&
		    prove_hold(ctx, bus, units->items[i]) < 0)
			return PD_FAILED;
	return 0;
}

int hold_clear(struct pd_ctx *ctx, sd_bus *bus, const struct units *units)
{
	for (size_t i = 0; i < units->len; i++) {
		const struct unit *unit = units->items[i];
		const char *folder = hold_folder(ctx, unit);
		const char *file = hold_file(ctx, unit);

		/* held before: another step gives that one back */
		if (unit->held)
			continue;
		if (unlink(file) < 0 && errno != ENOENT)
			return pd_fail(ctx, PD_FAILED, "cannot remove the hold %s: "
				       "%s", file, strerror(errno));
		if (access(folder, F_OK) != 0)
			continue;
		if (sync_folder(ctx, folder) < 0)
			return PD_FAILED;
		if (!unit->had_folder)
			rmdir(folder);
	}
	if (sync_folder(ctx, FOLDER) < 0)
		return PD_FAILED;
	return reload(ctx, bus);
}

/* ------------------------------------------------- what was there before */

int units_remember(struct pd_ctx *ctx, const struct units *units)
{
	const char *record = "";

	for (size_t i = 0; i < units->len; i++) {
		const struct unit *u = units->items[i];

		record = pd_format(ctx, "%s%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n",
				   record, u->name, u->active, u->sub,
				   u->enabled, u->type, u->invocation, u->held,
				   u->had_folder);
	}
	return pd_remember(ctx, RECORD, record);
}

/* The next field, ended in place; NULL at the end of the line. */
static char *field(char **rest)
{
	char *start = *rest;
	char *end = start ? strchr(start, '\t') : NULL;

	if (end)
		*end++ = '\0';
	*rest = end;
	return start;
}

int units_recall(struct pd_ctx *ctx, struct units *out)
{
	const char *record = pd_recall(ctx, RECORD);

	if (!record)
		return 0;
	while (*record) {
		size_t n = strcspn(record, "\n");
		char *line = pd_alloc_for(ctx, n + 1);
		struct unit *u = pd_alloc_for(ctx, sizeof(*u));
		const char *part[8] = { NULL };
		char *rest = line;

		memcpy(line, record, n);
		for (size_t i = 0; i < 8; i++)
			part[i] = field(&rest);
		if (!part[7])
			return pd_fail(ctx, PD_FAILED, "what was remembered of "
				       "the units is damaged: '%s'", line);
		u->name = part[0];
		u->active = part[1];
		u->sub = part[2];
		u->enabled = part[3];
		u->type = part[4];
		u->invocation = part[5];
		u->held = *part[6] == '1';
		u->had_folder = *part[7] == '1';
		units_add(ctx, out, u);
		record += n + (record[n] == '\n');
	}
	return 1;
}
