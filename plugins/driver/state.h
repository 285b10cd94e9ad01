/* SPDX-License-Identifier: MIT */
/* Private: where the rows of the hardware's state come from. */
#ifndef STATE_H
#define STATE_H

#include "driver.h"

struct state {
	struct pd_ctx *ctx;
	struct driver_rows *rows;
};

/** Nothing, if there is no value. */
void state_add(struct state *s, const char *kind, const char *key,
	       const char *field, const char *value);
/** Is there any row of it yet, in no order? */
bool driver_row_known(const struct driver_rows *rows, const char *kind,
		      const char *key);
/** By kind, key and field. */
int driver_row_order(const struct driver_row *a, const struct driver_row *b);

/* sysfs.c */
int state_sysfs(struct state *s);

/* disks.c */
/** What a disk says of itself, by smartctl(8) where that is there. */
int state_disk(struct state *s, const char *name);
/** The card's own firmware and its driver, by ethtool's interface. */
void state_card(struct state *s, const char *name);
/** What fwupd knows, where it is there. */
int state_firmware(struct state *s);

#endif /* STATE_H */
