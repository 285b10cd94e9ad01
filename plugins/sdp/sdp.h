/* SPDX-License-Identifier: MIT */
/* Private to the plugin sdp. */
#ifndef PD_PLUGIN_SDP_H
#define PD_PLUGIN_SDP_H

#include "../shared/tree.h"

/* The children of @p parent, which all have to be true, as rules of @p tree. */
HIDDEN int sdp_rules(struct tree *t, unsigned tree, const struct node *parent);
/* The opening or closing of one. */
HIDDEN int sdp_rule(struct tree *t, unsigned tree, unsigned op);
/* A test that only a fact of kind "x-..." answers. */
HIDDEN int sdp_test(struct tree *t, unsigned tree, const char *kind, const char *subject);

/* All of an item's installer data, with return codes and files. */
HIDDEN int sdp_installers(struct tree *t, const struct node *package);
HIDDEN int sdp_payloads(struct tree *t, const struct node *package);

#endif
