/* SPDX-License-Identifier: MIT */
/* Private to the plugin lenovo: the three kinds of files that it reads. */
#ifndef PD_PLUGIN_LENOVO_H
#define PD_PLUGIN_LENOVO_H

#include "../shared/tree.h"

/** A rule without texts: opens or closes a group. */
static inline int PD_MUST_USE lenovo_group(struct tree *t, unsigned tree, unsigned op)
{
	return pd_update_rule(t->ctx, &(struct pd_rule){ .size = sizeof(struct pd_rule),
		.tree = (uint16_t)tree, .op = (uint16_t)op });
}
HIDDEN int PD_MUST_USE lenovo_test(struct tree *t, unsigned tree, const char *kind,
				   const char *field, unsigned compare, const char *value);
/** Installs with @p line: its first word, and the rest. */
HIDDEN int PD_MUST_USE lenovo_installer(struct tree *t, unsigned kind, const char *line);

/** A rule: it is a machine of Lenovo's. */
HIDDEN int PD_MUST_USE lenovo_maker(struct tree *t);
/** What is called CRC or checksum is a digest; which one, its length tells.  NULL:
 * it is none. */
HIDDEN const char *lenovo_digest(struct tree *t, const char *crc);

/** One entry of a list of descriptors, <packages>. */
HIDDEN int lenovo_listed(struct tree *t, const struct node *package);
/** A package descriptor, <Package>. */
HIDDEN int lenovo_package(struct tree *t, const struct node *package);
/** What is in DetectInstall or Dependencies, as one of an update's trees. */
HIDDEN int lenovo_rules(struct tree *t, unsigned tree, const struct node *rules);

#endif
