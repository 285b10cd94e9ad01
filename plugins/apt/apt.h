/* SPDX-License-Identifier: MIT */
/* Private to the plugin apt: lists, their releases, and what is wanted. */
#ifndef PD_PLUGIN_APT_H
#define PD_PLUGIN_APT_H

#include <patchday/plugin.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* The signed file that vouches for lists.  Strings live as long as the
 * callback. */
struct release {
	const char *base;    /* path without "InRelease" */
	const char *text;    /* the signed part; NULL: there is none */
	int64_t date;        /* seconds since 1970; 0 unknown */
	const char *trust;   /* what proves it, or that nothing does, in words */
	struct release *next;
};

/* An index of packages that is in force, as `apt-get indextargets` has it. */
struct target {
	const char *file, *meta_key, *description, *label, *suite, *codename;
	const char *uri, *entry; /* of the repository; file of sources */
	bool trusted;            /* apt verified its signature, or was told to */
	bool security;
	bool used;               /* offers something that is wanted */
	struct release *release;
};

struct targets {
	struct target *rows;
	size_t len;
};

/* A package that is installed and for which there is a newer version. */
struct wanted {
	const char *name, *arch, *version; /* arch: "" until found */
	const char *installed; /* NULL: not known */
	bool phased;           /* apt gives it to a part of all servers as yet */
	struct target *target;
	bool security;
	/* from the list */
	const char *source, *source_version, *path, *sha256, *section;
	int64_t bytes, installed_kib;
	bool found;
};

struct wanted_list {
	struct wanted *rows; /* sorted by name */
	size_t len;
	size_t kept_out;     /* packages that are newer in a source with a pin */
};

/** Run a command in the C locale with all of its output; 0, or below zero,
 * reported, also if it exits with a status other than 0. */
HIDDEN int apt_run(struct pd_ctx *ctx, const char *const argv[], const char *input,
		   struct pd_command_result *out);
/** The same; its status is for the caller. */
HIDDEN int apt_try(struct pd_ctx *ctx, const char *const argv[], const char *input,
		   struct pd_command_result *out);
/** Is what dpkg knows of its packages whole?  1: yes, 0: this is no server with
 * dpkg, below zero: no, reported. */
HIDDEN int apt_status(struct pd_ctx *ctx);
/** dpkg-query for all packages, a line each by @p format; its warnings are logged. */
HIDDEN int apt_dpkg(struct pd_ctx *ctx, const char *format, struct pd_command_result *out);
/** Cut the next line off *text; NULL at the end. */
HIDDEN char *apt_line(char **text);
/** Cut the next field of @p line that ends with @p mark. */
HIDDEN char *apt_field(char **line, char mark);
HIDDEN char *apt_copy(struct pd_ctx *ctx, const char *s);

HIDDEN int apt_targets(struct pd_ctx *ctx, struct targets *out);
/** Find its signed release and verify that; 1: verified or trusted by
 * configuration, 0: not to be used (said), below zero: reported. */
HIDDEN int apt_release(struct pd_ctx *ctx, struct target *t, struct release **known);
/** Read a list, compare its digest with the release, fill in what is wanted. */
HIDDEN int apt_list(struct pd_ctx *ctx, const struct target *t,
		    struct wanted_list *wanted);
HIDDEN int apt_read(struct pd_ctx *ctx);

#endif
