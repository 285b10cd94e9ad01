/* SPDX-License-Identifier: MIT */
/** Child: the worker's own side, from the fork to the end of the callback. */
#ifndef PD_PLUGIN_CHILD_H
#define PD_PLUGIN_CHILD_H

#include <sys/types.h>

#include "plugin/arguments.h"
#include "plugin/worker.h"

/** One callback that runs.  It lives until the process ends; nothing in it
 * is ever freed. */
struct pd_child {
	struct pd_ctx ctx; /* first, so that a ctx leads back to here */
	const struct pd_worker_call *call;
	const struct pd_blot *blot;
	const char *path;  /* where programs are looked for */
	int channel, source, unpack;
	const char *ahead; /* what was read of the source and not taken yet */
	size_t ahead_len;
	int64_t unpacked; /* bytes */
	struct pd_buffer out; /* frames not sent yet */
	bool held;        /* they are not to be sent yet */
	void **arena;
	size_t len, cap;
	json_t *remembered, *outputs;
	char *failed;   /* what pd_fail() said */
	char *reported; /* what a failing function of the host said first */
	char *bug;      /* a use of the host that the contract forbids */
	size_t logged;  /* bytes */
	int64_t progressed; /* milliseconds */
	bool inhibited;
	/* of the update that is being read, when not all is wanted */
	size_t begun;      /* where in out it begins; 0: it does not */
	bool matters;      /* there is more to it than packages left out */
	uint32_t left_out; /* packages */
	char left_name[257]; /* of the first of them, as long as a name may be */
};

extern const struct pd_host pd_host_table;

static inline struct pd_child *pd_child_of(struct pd_ctx *ctx)
{
	return (struct pd_child *)(void *)ctx;
}

/* host.c */
void *pd_child_keep(struct pd_child *c, void *memory_take);
/** Free of secrets, of bytes that are no UTF-8 and of control characters;
 * the caller frees. */
char *pd_child_clean(const struct pd_child *c, const char *text);
void pd_child_log(struct pd_child *c, int level, const char *text);
/** A function of the host failed.  @return PD_FAILED */
int pd_child_report(struct pd_child *c, const char *fmt, ...) PD_PRINTF(2, 3);
/** The plugin broke the contract: the callback fails, whatever it returns. */
int pd_child_bug(struct pd_child *c, const char *fmt, ...) PD_PRINTF(2, 3);
void pd_child_send(struct pd_child *c);
/** Outputs and the result; the last frames. */
void pd_child_finish(struct pd_child *c, int result);

/* exec.c */
int pd_exec(struct pd_child *c, const struct pd_command *command,
	    struct pd_command_result *result);

/* selection.c */
bool pd_selection_update(struct pd_ctx *ctx, const struct pd_updates *updates,
			 size_t i, struct pd_update *out);
bool pd_selection_package(struct pd_ctx *ctx, const struct pd_updates *updates,
			  size_t i, size_t j, struct pd_package *out);
bool pd_selection_compare(struct pd_ctx *ctx, uint32_t scheme, const char *a, const char *b,
			  int *order);

/* emit.c */
int pd_emit_fact(struct pd_ctx *ctx, const char *kind,
		 const struct pd_fact_field *fields, size_t n);
int64_t pd_emit_source_read(struct pd_ctx *ctx, void *buffer, size_t len);
int pd_emit_unpacked(struct pd_ctx *ctx, const void *data, size_t len);
int pd_emit_xml(struct pd_ctx *ctx, const struct pd_xml_handler *handler);
unsigned pd_emit_xml_line(struct pd_ctx *ctx);
int pd_emit_part(struct pd_ctx *ctx, int what, const void *row);
bool pd_emit_wanted(struct pd_ctx *ctx, const char *name);
void pd_emit_ignored(struct pd_ctx *ctx, unsigned line, const char *what);

/** More of the source: pd_xml_read_fn, @p child a struct pd_child. */
ssize_t pd_child_source(void *child, void *buffer, size_t len, struct pd_error **err);

/* split.c */
/** As pd_xml_parse() of the source, by several processes. */
int pd_child_split(struct pd_child *c, const struct pd_xml_handler *handler, struct pd_error **err);

/* child.c */
/** Set up the process, run the callback, send its result, exit. */
_Noreturn void pd_child_run(const struct pd_worker_call *call,
			    const struct pd_arguments *args, int channel,
			    int output, pid_t parent);
bool pd_child_canceled(void);
/** For good, in a process that was forked: PATH (of PATCHDAY_PATH), LANG, LC_ALL,
 * HOME and TZ are left, and PATCHDAY_RUN if @p run is not NULL. */
void pd_environment_clean(const char *run);
/** The group of the command that runs now, which dies with the worker when
 * patchday itself is killed; 0: none. */
void pd_child_command_group(pid_t group);
/** All signals to their defaults, none blocked. */
void pd_signals_reset(void);
/** What a crash's last output begins with if the memory was at its end. */
#define PD_MEMORY_MARK "out of memory"
char *pd_child_memory(void); /**< how much a worker can hold; the caller frees */
/** Before an exec: without a worker's own limits of memory. */
void pd_child_unlimit(void);
void pd_close_from(int first);
int pd_pidfd(pid_t pid); /* -1: this kernel has none */
int64_t pd_now_ms(void);

/* reap.c: the parent sees that no process of a worker is left behind. */
/** Children that this process had before; they are left alone. */
struct pd_others {
	pid_t *pids;
	size_t len, cap;
};

/** Before the fork: take in orphans from now on, note who is there. */
void pd_reap_prepare(struct pd_others *others);
/** After the worker's group was killed: end and reap whatever escaped from
 * it.  @return how many processes could not be ended. */
size_t pd_reap_rest(const struct pd_others *others);

#endif
