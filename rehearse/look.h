/* SPDX-License-Identifier: MIT */
/** What there is to compare: packages, services, files; of the clone, and of
 * the server before and after. */
#ifndef PD_REHEARSE_LOOK_H
#define PD_REHEARSE_LOOK_H

#include <sys/stat.h>

#include "clone.h"

/* New references. */

/** Name to version of every installed package.  NULL: not known, and the clone
 * has noted why. */
json_t *look_packages(struct clone *c);
/** The databases of packages that this server has, in words (caller frees), and
 * the digest of what is in them.  NULL: none that is known. */
char *look_databases(pd_digest out);
/** Name of a service to { state, enabled, pid }; empty if it can't be asked.
 * @p c NULL: the server itself. */
json_t *look_services(struct clone *c);
/** The same of timers, sockets and paths, which start services. */
json_t *look_triggers(struct clone *c);
/** [{ name, before, after }] of what differs in two objects; before or after
 * is missing where it was not there.  @p key: compare this member, NULL: the
 * value itself. */
json_t *look_difference(const json_t *before, const json_t *after, const char *key);

/** Each entry of the clone's upper layers that means a change: its path, the
 * file that holds it there, "added", "changed" or "removed". */
typedef void look_fn(void *user, const char *path, const char *file, const struct stat *st,
		     const char *what);
void look_each(const struct clone *c, look_fn *fn, void *user);
/** Attributes of a file or folder: ACLs, capabilities, those of users; "NAME DIGEST,
 * ...", by name (caller frees).  NULL: none but the kernel's own. */
char *look_attributes(const char *path);
/** Has @p upper, of an upper layer, those of @p lower and no others?  What its file
 * system can't hold does not count. */
bool look_same_attributes(const char *upper, const char *lower);
/** What any server writes all the time there, and what a run keeps of itself;
 * NULL: it is none of these. */
const char *look_noise(const char *path);
/** Path to change time of everything in the clone's upper layers. */
json_t *look_upper(const struct clone *c);
/** { list: [{ path, what }], added, changed, removed, folders: { /etc: n },
 * noise: { folder: n }, start: n }: what the clone changed.  What stands in
 * @p before unchanged was changed by its start already. */
json_t *look_changes(const struct clone *c, const json_t *before);

/** A print of this server: everything that a clone could have changed in it. */
struct look_print;
struct look_print *look_server(const struct clone *c);
void look_free(struct look_print *p);
PD_AUTO_PTR(struct look_print *, look_print_cleanup, look_free)
/** { etc: { before, after, same }, packages (with "of": the databases; null if
 * none is known), services, files, count, differences: [text], same } */
json_t *look_proof(const struct look_print *before, const struct look_print *after);

#endif
