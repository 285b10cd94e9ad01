/* SPDX-License-Identifier: MIT */
/* Graphical sessions, and what is shown in them: private. */
#ifndef NOTIFY_DESKTOPS_H
#define NOTIFY_DESKTOPS_H

#include "notify.h"

#include <sys/types.h>
#include <systemd/sd-bus.h>

#define DESKTOPS 64

struct desktop {
	const char *who; /**< "alice (wayland)" */
	uid_t uid;
	sd_bus *bus;     /**< NULL: not to be reached, or no more */
	uint32_t id;     /**< of the notification; 0: none is shown */
	bool actions, markup; /**< what its notification server can do */
	bool dismissed;  /**< somebody has closed it */
	bool pressed;    /**< the action, since it was shown last */
};

struct desktops {
	struct desktop one[DESKTOPS];
	size_t n;
};

struct notification {
	const char *title, *text;
	const char *action; /**< its label; NULL: none is offered */
	int32_t expires;    /**< milliseconds; 0: it stays */
};

/** One for each user with a graphical session, told in the output "told".
 * @return 0, or below zero, reported. */
int desktops_find(struct pd_ctx *ctx, struct desktops *all);
/** Connect to each; one that can't be reached is logged. */
void desktops_open(struct pd_ctx *ctx, struct desktops *all);
/** Is there still one to be reached? */
bool desktops_any(const struct desktops *all);
/** In place of the one that is shown; where it was dismissed only if @p again. */
void desktops_show(struct pd_ctx *ctx, struct desktops *all, const struct notification *what,
		   bool again);
/** Wait for up to a second.  @return how many have pressed the action. */
unsigned desktops_wait(struct desktops *all);
void desktops_close(struct desktops *all);

#endif
