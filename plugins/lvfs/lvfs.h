/* SPDX-License-Identifier: MIT */
/* Private to the plugin lvfs: what the metadata says, until all is read. */
#ifndef PD_PLUGIN_LVFS_H
#define PD_PLUGIN_LVFS_H

#include "../shared/path.h"

#define HIDDEN __attribute__((visibility("hidden")))

struct texts {
	const char **items;
	size_t len, cap;
};

/* <requires>: <id>, <firmware>, <hardware> ... */
struct need {
	const char *element, *compare, *version, *text;
	const char *depth; /* "0": the device itself; 1 its parent, -1 its children */
	bool anywhere;     /* no depth is given: what it names may be any device */
};

struct issue {
	const char *name, *url; /* one of them */
};

struct component {
	const char *id, *name, *summary, *vendor, *homepage, *branch, *protocol;
	unsigned scheme; /* how the versions of its devices compare, LVFS::VersionFormat */
	struct texts guids, tags;
	struct need *needs;
	size_t n_needs, needs_cap;
	const char *vendors; /* whose devices it is for, a pattern of ids; "": any */
	bool system;   /* firmware of the machine itself */
	bool attended; /* somebody has to press a button */
	uint32_t line;
};

struct release {
	struct component *component;
	const struct release **older; /* that it replaces, without those that they replace */
	size_t n_older, older_cap;
	size_t rank; /* the newest of the same devices has the lowest */
	unsigned scheme; /* by which it compares with others of the same devices */
	int odd;         /* 1: its version is none */
	const char *id, *version, *urgency, *details, *location, *file, *digest;
	const char *description;
	struct issue *issues;
	size_t n_issues, issues_cap;
	int64_t time, order; /* order: time, or that of the one before */
	int64_t duration, download, installed; /* seconds, bytes */
	uint32_t line, place;
	bool testing;
};

struct reader {
	struct path path; /* first: its ctx */
	struct component *component; /* the one that is open; NULL: passed over */
	struct release **releases;
	struct release *release;     /* the one that is open */
	size_t len, cap;
	struct need need;
	struct issue issue;
	const char *key;             /* of <value>, kind of <checksum>, <size> ... */
	bool binary, container;      /* the <artifact>, the <checksum> that is open */
	struct path words;           /* of a description */
};

/** Whose devices a component is for, as struct component has it. */
HIDDEN const char *lvfs_vendors(struct reader *r, const struct component *c);
/** Is what the one is for all that the other is for, too? */
HIDDEN bool lvfs_covers(const char *all, const char *some);

/** Both rule trees of a release. */
HIDDEN int PD_MUST_USE lvfs_rules(struct reader *r, const struct release *x);

/** Hand over all releases, each with what it replaces. */
HIDDEN int lvfs_emit(struct reader *r);

#endif
