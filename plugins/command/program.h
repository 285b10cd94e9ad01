/* SPDX-License-Identifier: MIT */
/* Private: is a program fit to be run as root? */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <patchday/plugin.h>

/**
 * A program that somebody else can change must not be run: it and every
 * folder above it have to belong to root (or to the caller, who is not root),
 * and nobody else may write to them.
 * @return NULL when it is fit, else why it is not.
 */
const char *program_unfit(struct pd_ctx *ctx, const char *path);

#endif /* PROGRAM_H */
