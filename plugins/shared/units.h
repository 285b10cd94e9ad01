/* SPDX-License-Identifier: MIT */
/* Shared source, no plugin: units of systemd, and how a step holds them down
 * until its undo gives them back. */
#ifndef PD_PLUGIN_UNITS_H
#define PD_PLUGIN_UNITS_H

#include <patchday/plugin.h>
#include <systemd/sd-bus.h>

#define MANAGER "org.freedesktop.systemd1", "/org/freedesktop/systemd1", \
		"org.freedesktop.systemd1.Manager"

#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"

/** Seconds for a state to show once the jobs have ended. */
#define SETTLED 10

/** One unit as it was when it was looked at.  All strings live as long as
 * the callback and are never NULL. */
struct unit {
	const char *name;       /**< canonical, aliases resolved */
	const char *path;       /**< object path on the bus */
	const char *load;       /**< loaded, masked, not-found ... */
	const char *active;     /**< active, inactive, failed ... */
	const char *sub;        /**< running, dead, exited ... */
	const char *enabled;    /**< state of the unit file; may be empty */
	const char *type;       /**< of a service: simple, oneshot ... */
	const char *invocation; /**< differs after each start; may be empty */
	bool can_stop;
	bool job_done;   /**< units_jobs() ended well for it */
	bool held;       /**< carried a hold before this step */
	bool had_folder; /**< its drop-in folder existed before this step */
};

struct units {
	struct unit **items;
	size_t len;
	size_t room;
};

enum missing { MISSING_IGNORE = 0, MISSING_FAIL = 1 };

/** Is @p now as wanted, given how the unit was before? */
typedef bool unit_reached(struct pd_ctx *ctx, const struct unit *old,
			  const struct unit *now);

/* units.c: looking at units */
/** Is this server run by systemd at all? */
bool bus_present(void);
int bus_open(struct pd_ctx *ctx, sd_bus **bus);
/** Open the bus, do the work, close it. */
int bus_with(struct pd_ctx *ctx, int (*work)(struct pd_ctx *, sd_bus *));
int bus_failed(struct pd_ctx *ctx, const char *what, const char *on,
	       sd_bus_error *error, int status);
/** A string of a unit's object; empty when there is none. */
const char *unit_string(struct pd_ctx *ctx, sd_bus *bus, const char *path,
			const char *interface, const char *property);
/** The strings of a property of type "as", ends with NULL; empty when the
 * manager does not know the property. */
const char *const *unit_strings(struct pd_ctx *ctx, sd_bus *bus,
				const char *path, const char *property);
int unit_load(struct pd_ctx *ctx, sd_bus *bus, const char *name,
	      struct unit **out);
int units_named(struct pd_ctx *ctx, sd_bus *bus, const struct pd_list *names,
		int missing, struct units *out);
int units_look_again(struct pd_ctx *ctx, sd_bus *bus, const struct units *old,
		     struct units *now);
bool units_have(const struct units *units, const char *name);
void units_add(struct pd_ctx *ctx, struct units *units, struct unit *unit);
/** Add those of @p names (ends with NULL) that exist and are @p wanted. */
int units_add_names(struct pd_ctx *ctx, sd_bus *bus, struct units *units,
		    const char *const *names,
		    bool (*wanted)(const struct unit *));
/** Add what starting them would start too, so that undo stops it again. */
int units_pulled(struct pd_ctx *ctx, sd_bus *bus, struct units *units);
int units_evidence(struct pd_ctx *ctx, const struct units *units,
		   const char *file, const char *title);
bool unit_runs(const struct unit *unit);
bool unit_stopped(const struct unit *unit);
bool unit_is(const struct unit *unit, const char *suffix);

/* jobs.c */
/** Enqueue @p method (StartUnit ...) for each unit and wait until all jobs
 * have ended.  @return 0, or below zero, reported. */
int units_jobs(struct pd_ctx *ctx, sd_bus *bus, const char *method,
	       const struct units *units, int64_t timeout);
/** Poll until @p reached holds for every unit, and still does a moment later.
 * @p old the units as they were, @p last as they are in the end.
 * @return 0, or below zero, reported. */
int units_wait(struct pd_ctx *ctx, sd_bus *bus, const struct units *old,
	       unit_reached *reached, int64_t timeout, const char *wanted,
	       struct units *last);
/** State, main process and the last lines of the journal, for a message. */
const char *unit_explain(struct pd_ctx *ctx, sd_bus *bus,
			 const struct unit *unit);

/* hold.c: what belongs to a hold, the hold itself, what was there before */
int hold_closure(struct pd_ctx *ctx, sd_bus *bus, struct units *units);
int hold_refusals(struct pd_ctx *ctx, const struct units *units);
bool hold_wanted(const struct unit *unit);
bool hold_is_set(struct pd_ctx *ctx, const struct unit *unit);
const char *hold_file(struct pd_ctx *ctx, const struct unit *unit);
int hold_set(struct pd_ctx *ctx, sd_bus *bus, const struct units *units);
int hold_clear(struct pd_ctx *ctx, sd_bus *bus, const struct units *units);
/** What was there before, as one text; written once per step and run. */
int units_remember(struct pd_ctx *ctx, const struct units *units);
/** @return 1 when something was remembered, 0 when not, below zero failed. */
int units_recall(struct pd_ctx *ctx, struct units *out);

/* stop.c: a step that holds units; it has the outputs HOLD_OUTPUTS */
struct hold {
	struct pd_list units;
	int64_t timeout; /**< seconds for a state to be reached */
	int missing;     /**< what to do about one that is not installed */
};

#define HOLD_OUTPUTS                                                        \
	PD_OUTPUT("stopped", PD_T_LIST, "units that ran and were stopped"), \
	PD_OUTPUT("held", PD_T_LIST, "units that cannot be started meanwhile")

typedef int hold_fn(struct pd_ctx *ctx, sd_bus *bus, const struct hold *hold);

/** What the four callbacks of such a step do. */
hold_fn hold_look, hold_act, hold_prove, hold_give_back;
/** Open the bus, do the work, close it. */
int hold_with(struct pd_ctx *ctx, const struct hold *hold, hold_fn *work);

#endif
