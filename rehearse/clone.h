/* SPDX-License-Identifier: MIT */
/** A throw-away clone of this server: copy-on-write file systems over its own,
 * namespaces of its own, its own init inside. */
#ifndef PD_REHEARSE_CLONE_H
#define PD_REHEARSE_CLONE_H

#include "base/json.h"

struct clone_options {
	const char *work;            /* absolute; everything of the clone is in it */
	struct pd_strings leave_out; /* folders that are empty in the clone */
	struct pd_strings show;      /* bound read-only at the same place */
	bool fast;                   /* no fsync reaches the disk */
	bool memory;                 /* changes are kept in memory, not in work */
	unsigned share;              /* so many clones share the memory; 0: as 1 */
	/** Its first process in place of init, in the clone; ends it when it
	 * returns.  Then there are no cgroups and no services in it.  NULL: init. */
	void (*first)(void *user);
	void *user;
};

/** A file system of the server and what covers it in the clone. */
struct clone_layer {
	char *at;     /* mount point, "/" first */
	char *upper;  /* what the clone changed; NULL: bound read-only */
	char *upper_work;
	char *lower;
	struct pd_strings saved; /* uppers that were put below, the first one first */
};

enum clone_state { CLONE_ON, CLONE_REBOOT, CLONE_OFF };

struct clone {
	const struct clone_options *o;
	char *root;                  /* the clone's file systems, mounted */
	char *upper;                 /* folder of all that it changes */
	char *cgroup;                /* folder; NULL before the first boot */
	struct clone_layer *layers;
	size_t n_layers, cap_layers;
	struct pd_strings hidden;    /* places that are empty in the clone */
	struct pd_strings notes;     /* what the clone does not show, and why */
	int lock, kmsg, pidfd;       /* pidfd: of init; -1: off */
	int init;                    /* pid of init; 0: off */
	enum clone_state last;       /* of one that is off: REBOOT or OFF */
	int64_t boots;
	bool memory;                 /* the changes are kept in memory ... */
	uint64_t room;               /* ... of so many bytes */
	size_t saved;                /* disks that were put aside */
	size_t from;                 /* begin with so many of them */
	const char *fault;           /* $PATCHDAY_FAULT of the runs in it; or NULL */
};

/** Make the file systems, in a mount namespace of this process's own, after
 * what a killed predecessor left in the work folder is gone. */
bool clone_open(struct clone *c, const struct clone_options *o,
		struct pd_error **err) PD_MUST_USE;
/** End everything and throw it away; also after a failed clone_open(). */
void clone_close(struct clone *c);
/** Power off: all that the clone changed is lost, its file systems are as
 * those of the server again, with the first c->from saved disks on top. */
bool clone_renew(struct clone *c, struct pd_error **err) PD_MUST_USE;
/** Of one that is off: put what it has changed aside, so that other clones can
 * begin from there, and go on on top of it. */
bool clone_save(struct clone *c, struct pd_error **err) PD_MUST_USE;
/** In a child of the process that opened it, which is off: a clone of its own,
 * number @p n, from the same file systems and saved disks. */
bool clone_part(struct clone *c, unsigned n, struct pd_error **err) PD_MUST_USE;
void clone_part_close(struct clone *c);

/** The disk is full, and has its room again.  Only of one in memory. */
bool clone_fill(struct clone *c, struct pd_error **err) PD_MUST_USE;
bool clone_empty(struct clone *c, struct pd_error **err) PD_MUST_USE;

/** Start init and wait until it has started everything, or is asked for a
 * reboot, at most @p seconds. */
bool clone_boot(struct clone *c, int seconds, struct pd_error **err) PD_MUST_USE;
/** What became of init; a clone that asked for a reboot or ended is off, and
 * this says so until it is started again. */
enum clone_state clone_poll(struct clone *c);
/** Power cut. */
void clone_cut(struct clone *c);
/** Is it still starting?  Waits until it is not, at most @p seconds. */
bool clone_settle(struct clone *c, int seconds);
/** Has this unit processes? */
bool clone_works(const struct clone *c, const char *unit);

/** Start a program in the clone; its end is seen by waitpid().  @p out is its
 * standard output and error.  @return the pid, or -1. */
int clone_spawn(struct clone *c, const char *const argv[], int out);
/** A process of this program in the clone, which ends when @p fn returns: the
 * pid, or -1. */
int clone_fork(struct clone *c, void (*fn)(void *user), void *user);
/** Its standard output (caller frees), NULL if it can't be had; *status is its
 * exit status.  @p c NULL: a program of the server itself. */
char *clone_output(struct clone *c, const char *const argv[], int *status);

/** What it does not show, once: as printf(3). */
void clone_note(struct clone *c, const char *fmt, ...) PD_PRINTF(2, 3);
json_t *clone_notes(const struct clone *c); /* [text] */
/** A place that a clone never shows: mounted anew at each start. */
bool clone_is_private(const char *path);
/** Is @p path the folder @p folder or below it? */
bool clone_below(const char *path, const char *folder);

/* mounts.c, for clone.c */
bool clone_find_layers(struct clone *c, struct pd_error **err) PD_MUST_USE;
bool clone_mount(struct clone *c, struct pd_error **err) PD_MUST_USE;
void clone_unmount(struct clone *c);
void clone_unmount_saved(struct clone *c);
/** Keep the changes apart from those of other parts. */
void clone_place(struct clone *c, unsigned part);
void clone_remove_tree(const char *path);
/* inside.c: the first process of the clone.  True: it is in it, and has no init
 * to become; false: with what failed in errno and *what. */
bool clone_inside(const struct clone *c, const char **what);
/** From now on, let processes in @p cgroup open no devices but those of a clone's
 * /dev; false: errno. */
bool clone_shut_devices(const char *cgroup) PD_MUST_USE;
/** What is not the clone's own may not be reached: devices, clock, modules. */
void clone_drop_powers(void);

#endif
