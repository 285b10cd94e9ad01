/* SPDX-License-Identifier: MIT */
/** The worker: one callback of a plugin in a forked child of its own. */
#ifndef PD_PLUGIN_WORKER_H
#define PD_PLUGIN_WORKER_H

#include "base/json.h"
#include "base/version.h"

enum {
	PD_EMIT_IGNORED = PD_EMIT_END + 1, /* struct pd_ignored */
	PD_EMIT_BRIEF                      /* struct pd_brief */
};

struct pd_ignored {
	uint32_t size, line;
	const char *what;
};

/** All of an update that has packages, of which nobody asks about any. */
struct pd_brief {
	uint32_t size, line;
	uint32_t packages; /* how many */
	uint16_t severity, kind, status, restart;
	const char *id, *revision;
	const char *package; /* one of them */
};

/** How many packages of an update were left out. */
struct pd_end {
	uint32_t size, left_out;
};

/** Any row of enum pd_emit; texts are borrowed. */
union pd_part {
	uint32_t size;
	struct pd_update_head head;
	struct pd_relation relation;
	struct pd_package_row package;
	struct pd_payload payload;
	struct pd_installer installer;
	struct pd_exit_row exit;
	struct pd_rule rule;
	struct pd_ignored ignored;
	struct pd_brief brief;
	struct pd_end end;
};

struct pd_emitted {
	int what; /* enum pd_emit */
	unsigned line, column; /* where pd_xml() was; 0: not in it */
	union pd_part part;
};

/**
 * What comes out of a worker while it runs.  The functions are called in the
 * parent, in order; NULL: not wanted.  Texts are borrowed, already free of
 * the step's secrets.
 */
struct pd_worker_sink {
	void *user;
	void (*log)(void *user, int level, const char *text);
	void (*progress)(void *user, int64_t done, int64_t total, const char *text);
	/** Must be durable when it returns true: the worker waits for it. */
	bool (*remember)(void *user, const char *key, const char *value);
	void (*output)(void *user, const char *name, json_t *value); /* borrowed */
	/** Digest and size were taken in the worker. */
	bool (*evidence)(void *user, const char *path, const char *title,
			 int64_t bytes, const char *sha256);
	void (*irreversible)(void *user, const char *why);
	void (*inhibit)(void *user, const char *risk, const char *cause,
			const char *remedy);
	void (*expect)(void *user, int64_t seconds);
	void (*fact)(void *user, const char *kind, json_t *row); /* borrowed */
	/** One part of an update of a catalog, as the reader gave it: nothing
	 * in it is checked.  false ends the reading. */
	bool (*emit)(void *user, struct pd_emitted *e);
	/** About once a second, and after each event: return false to cancel. */
	bool (*tick)(void *user);
};

struct pd_worker_call {
	const struct pd_plugin *plugin;
	enum pd_phase phase;
	const struct pd_step *step;       /* CHECK, APPLY, VERIFY, UNDO */
	const struct pd_scanner *scanner; /* SCAN */
	const struct pd_reader *reader;   /* READ */
	const struct pd_filter *filter;   /* UNPACK */
	const json_t *args;      /* checked, no references left */
	const json_t *remembered; /* object key -> text, or NULL */
	const char *server;      /* NULL: this host's name */
	const char *run;         /* NULL: "" */
	const char *work_dir;    /* absolute; NULL in CHECK, SCAN, READ */
	const char *source_name; /* READ, UNPACK: for messages */
	int source_fd;           /* READ, UNPACK: open file or -1 */
	const void *head;        /* what was read of it already */
	size_t head_len;
	int unpack_fd;           /* UNPACK: where to, at most so many bytes */
	int64_t unpack_max;
	/** READ: is a package of this name asked about?  Called in the worker;
	 * what is not is left out.  NULL: everything is. */
	bool (*wanted)(const void *whom, const char *name);
	const void *whom;
	bool bare; /* with wanted: nor what no verdict is made of */
	bool replacing; /* READ: of all nothing but packages that replace others, and default streams */
	bool dry_run;
	int64_t time_limit;      /* seconds; 0: the descriptor's */
	struct pd_spawner *spawner; /* forks the worker; NULL: this process does */
};

struct pd_worker_result {
	int result;       /* enum pd_result; PD_FAILED for every crash */
	char *message;    /* why, if below zero; from pd_fail() or the core */
	char *detail;     /* signal, backtrace, last lines of output; or NULL */
	int signal;       /* that ended it; 0 none */
	bool timed_out;
	double seconds;
};

/** In the environment of all that a worker starts: the run's id. */
#define PD_WORKER_MARK "PATCHDAY_RUN"

void pd_worker_result_clear(struct pd_worker_result *r);
#define pd_worker_result_cleanup pd_worker_result_clear

/**
 * Run one callback to its end and leave no process of it behind.
 * @return false only if no worker could be started at all; everything that
 * the plugin does wrong is in *result.
 */
bool pd_worker_run(const struct pd_worker_call *call,
		   const struct pd_worker_sink *sink,
		   struct pd_worker_result *result, struct pd_error **err) PD_MUST_USE;

/**
 * Before a run is resumed: end what a worker of this run may have left behind
 * when patchday itself was killed, found by its mark.  Never call it while a
 * worker of that run is meant to go on.  @return how many were ended.
 */
size_t pd_worker_sweep(const char *run);

#endif
