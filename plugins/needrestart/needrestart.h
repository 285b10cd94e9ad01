/* SPDX-License-Identifier: MIT */
/* What the steps of the plugin needrestart share: private. */
#ifndef NEEDRESTART_H
#define NEEDRESTART_H

#include "../shared/units.h"

/** Whose a process is. */
enum owner {
	OWNER_SERVICE, /**< a unit, which can be restarted */
	OWNER_SESSION, /**< of a user, who has to log in again */
	OWNER_SYSTEMD, /**< init itself */
	OWNER_NONE     /**< a process that nobody can restart but who started it */
};

/** A process that runs code from a file which is no longer there. */
struct stale {
	enum owner owner;
	const char *name;    /**< unit, "3 (alice)", "systemd", "812 (tool)" */
	const char *pid;
	const char *program; /**< as it calls itself */
	const char *files;   /**< the first few, with commas between */
};

struct stales {
	struct stale *items;
	size_t len, room;
};

/* stale.c */
/** All such processes of this server, of files in one of @p folders.  @p bus
 * may be NULL where there is no systemd. */
int stale_find(struct pd_ctx *ctx, sd_bus *bus, const struct pd_list *folders,
	       struct stales *out);
/** Is any of them this one's, or (name NULL) of this kind?  NULL: none. */
const struct stale *stale_of(const struct stales *all, enum owner owner, const char *name);
/** Set an output to the names of this kind, each once. */
int stale_output(struct pd_ctx *ctx, const struct stales *all, enum owner owner,
		 const char *output);
/** A table of them, as evidence. */
int stale_evidence(struct pd_ctx *ctx, const struct stales *all, const char *file,
		   const char *title);

/* policy.c */
/** Why this unit is not restarted; NULL: it may be. */
const char *policy_keeps(struct pd_ctx *ctx, sd_bus *bus, const struct unit *unit,
			 const struct pd_list *wanted, const struct pd_list *except);

/* kernel.c */
struct kernel {
	const char *state;   /**< "current", "outdated", "unknown" */
	const char *running; /**< its release */
	const char *newest;  /**< release of what is installed; "" unknown */
};
void kernel_look(struct pd_ctx *ctx, struct kernel *out);

#define PARAM_FOLDERS(s)                                                      \
	PD_PARAM(s, folders, PD_T_LIST, .def = "/usr,/bin,/sbin,/lib,/lib64,/opt", \
		 .help = "where programs and libraries are; files elsewhere do not count")

/* restart.c */
extern const struct pd_step restart_step;

#endif
