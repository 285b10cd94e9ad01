/* SPDX-License-Identifier: MIT */
/**
 * @file patchday/plugin.h
 * The one public header: all that a plugin may use, and nothing else.
 *
 * A plugin is a shared object that exports exactly one symbol,
 * pd_plugin_entry(), normally made by PD_PLUGIN() at the end of its only
 * source file.  It links against nothing of ours: the core hands it a table
 * of functions (struct pd_host) with every call, and the pd_*() wrappers in
 * this header call through it.  A plugin may link any other library it needs.
 *
 * A plugin offers any of five things, each an array of pointers that ends
 * with NULL:
 *
 *   steps       verbs of a workflow, written plugin.step { ... } in Lua
 *   readers     vendors' catalog formats, streamed into the update model
 *   scanners    facts about a server
 *   transports  ways for a coordinator to reach another server
 *   filters     unpack what readers read (since 1.2)
 *
 * Lifecycle.  What is above the line happens in the core's own process and
 * only reads the descriptors; what is below happens in a forked worker with
 * its own process group, time limit and resource limits, one worker for each
 * callback, so that a crash, a hang or an exit() costs one step and never
 * the run.  Nothing kept in a static variable is seen by the next callback:
 * use pd_remember() and pd_recall().
 *
 * A worker has no terminal; its standard input is empty, what it prints is
 * shown only if it fails (the last lines).  It starts in "/", with umask 077,
 * SIGPIPE ignored, and an environment of PATH, HOME, LANG and LC_ALL
 * (C.UTF-8), TZ and PATCHDAY_RUN.  SIGTERM belongs to the core.  When the
 * callback has returned, every process that it started and that still runs
 * is killed, daemons too: start services through the service manager.
 *
 * A worker can hold half of the server's memory, at least 1 GiB and at most
 * 4 GiB (RLIMIT_DATA): then malloc() gives NULL.  When the kernel runs short
 * it ends workers first (oom_score_adj 500).  Neither is so for programs that
 * pd_run() and its like start, only for what a callback forks itself.
 *
 *   load:   pd_plugin_entry() -> ABI and descriptors checked -> registered
 *   plan:   arguments parsed, defaulted and range-checked from .params
 *   ---------------------------------------------------------------- fork
 *   dry run:  check                            predicts, never touches
 *   run:      check -> apply -> verify         check "unchanged": no apply
 *   resume:   check first, whenever it is not known how far apply came
 *   undo:     undo                             in reverse order of the steps
 *   ---------------------------------------------------------------- fork
 *   facts:    scan          catalogs:  unpack | read fleet:  open ... close
 *
 * Memory.  Strings that the core hands out (arguments, pd_recall(),
 * pd_format(), results of pd_run()) belong to the core and stay valid until
 * the callback returns.  Strings that a plugin passes in are copied before
 * the function returns.  All text is UTF-8.
 *
 * Threads.  A callback runs in a process of one thread.  It may make threads,
 * but only the first may call the host's functions.
 *
 * Compatibility.  PD_ABI_MAJOR changes only when an old binary can no longer
 * work; the core refuses every other major.  PD_ABI_MINOR grows with each
 * addition, and either side may be the newer one.  Fields are only ever
 * appended to a struct; each struct starts with its own size, and what lies
 * beyond it is taken as zero.  Enum values are never renumbered.  tests/abi/
 * keeps this header for each released minor and loads a plugin built from it.
 */
#ifndef PATCHDAY_PLUGIN_H
#define PATCHDAY_PLUGIN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PD_ABI_MAJOR 1u
#define PD_ABI_MINOR 2u
/** The ABI in one number: major in the upper, minor in the lower 16 bits. */
#define PD_ABI ((PD_ABI_MAJOR << 16) | PD_ABI_MINOR)

#if defined(__GNUC__)
#define PD_EXPORT __attribute__((visibility("default")))
#define PD_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define PD_MUST_USE __attribute__((warn_unused_result))
#else
#define PD_EXPORT
#define PD_PRINTF(fmt, arg)
#define PD_MUST_USE
#endif

struct pd_ctx;

/* ------------------------------------------------------------- results */

/**
 * What a callback returns.  Everything below zero is a failure and must have
 * been reported first: with pd_fail(), or by the function of the core that
 * failed and said so.  These are shown as bugs of the plugin, and fail the
 * callback: a failure without a message, pd_fail() and then success, any
 * other number, and PD_CHANGED from verify.
 */
enum pd_result {
	PD_CHANGED = 1,   /**< apply, undo: done; check: there is work to do */
	PD_UNCHANGED = 0, /**< the server is already as asked; verify: it holds */
	PD_FAILED = -1,   /**< it was tried and did not succeed */
	PD_BAD_ARGS = -2, /**< the arguments parse but make no sense together */
	PD_RETRY = -3,    /**< transient: may be tried again, pd_step.retries */
	PD_CANCELED = -4, /**< pd_canceled() became true and the step gave up */
	PD_REFUSED = -5   /**< check: the step must not start on this server now */
};

/** Which callback is running, pd_ctx.phase. */
enum pd_phase {
	PD_PHASE_CHECK = 1,
	PD_PHASE_APPLY = 2,
	PD_PHASE_VERIFY = 3,
	PD_PHASE_UNDO = 4,
	PD_PHASE_SCAN = 5,
	PD_PHASE_READ = 6,
	PD_PHASE_TRANSPORT = 7,
	PD_PHASE_UNPACK = 8 /**< since 1.2 */
};

/* ---------------------------------------------------------- parameters */

/**
 * Type of a declared parameter or output: what a script may write, and the
 * type of the C field that receives it.
 */
enum pd_type {
	PD_T_BOOL = 1,     /**< true, false                 -> bool */
	PD_T_INT = 2,      /**< 42                          -> int64_t, .min .max */
	PD_T_BYTES = 3,    /**< 4096, "20 MiB", "2G" (1024) -> int64_t, .min .max */
	PD_T_SECONDS = 4,  /**< 90, "15m", "2h", "1d"       -> int64_t, .min .max */
	PD_T_STRING = 5,   /**< "text"                      -> const char *, or NULL */
	PD_T_PATH = 6,     /**< absolute, without ".."      -> const char *, or NULL */
	PD_T_CHOICE = 7,   /**< one of .choices             -> int32_t, its index */
	PD_T_LIST = 8,     /**< { "a", "b" } or "a"         -> struct pd_list */
	PD_T_SECRET = 9,   /**< pd.secret(...)              -> const struct pd_secret * */
	PD_T_UPDATES = 10, /**< a selection of a catalog    -> const struct pd_updates * */
	PD_T_TIME = 100    /**< of pd_parse() alone: RFC 3339, date or date and time */
};

/** A list of strings.  Never NULL inside; items is NULL when len is 0. */
struct pd_list {
	size_t len;
	const char *const *items;
};

/** A secret of at least 4 characters; opaque, read with pd_secret(). */
struct pd_secret;
/** A selection of updates; opaque, read with pd_update_at(). */
struct pd_updates;

enum {
	PD_P_REQUIRED = 1u << 0, /**< a plan that leaves it out is refused */
	/** Since 1.1, in a step with PD_S_GUARD: filled in by the engine, a plan
	 * that sets it is refused.  PD_T_SECONDS, not required, no default, with
	 * one of these names: expected_do (until the run is done) and
	 * expected_undo (to take all of it back after that). */
	PD_P_ENGINE = 1u << 1
};

/**
 * One declared parameter.  The core parses, defaults and range-checks it, and
 * writes the value at .offset of a zeroed struct of pd_step.args_size bytes;
 * the plugin never sees a string that it has to parse.  Help, manual, type
 * stubs and completion are generated from these rows.
 */
struct pd_param {
	const char *name; /**< [a-z][a-z0-9_]*, unique in the step */
	uint32_t offset;  /**< of the field in the struct of arguments */
	uint16_t type;    /**< enum pd_type */
	uint16_t flags;   /**< PD_P_*; default 0 */
	const char *help; /**< one line without a full stop; required */
	const char *def;  /**< default as a script would write it, lists with
			   *   commas; NULL: zero, NULL or empty */
	const char *const *choices; /**< PD_T_CHOICE only: ends with NULL */
	int64_t min;      /**< range of numbers, both ends included; */
	int64_t max;      /**< no range when both are 0 */
	void *reserved[2]; /**< zero */
};

/** Declare a parameter that fills field @p f of struct @p s.  In C++ the
 * further fields are given in the order of struct pd_param. */
#define PD_PARAM(s, f, t, ...) \
	{ .name = #f, .offset = (uint32_t)offsetof(s, f), .type = (t), __VA_ARGS__ }
#define PD_PARAM_END { .name = NULL }

/**
 * One declared output: a value that later steps can refer to as x.out.NAME.
 * Types allowed: BOOL, INT, BYTES, SECONDS, STRING, PATH, LIST.
 */
struct pd_output {
	const char *name; /**< [a-z][a-z0-9_]*, unique in the step */
	uint32_t type;    /**< enum pd_type */
	uint32_t flags;   /**< zero */
	const char *help; /**< one line without a full stop; required */
	void *reserved;   /**< zero */
};

#define PD_OUTPUT(n, t, h) { .name = (n), .type = (t), .flags = 0, .help = (h) }
#define PD_OUTPUT_END { .name = NULL }

/* ------------------------------------------------------------- updates */

/** How urgent an update is, normalised over all vendors. */
enum pd_severity {
	PD_SEVERITY_UNKNOWN = 0,
	PD_SEVERITY_NONE = 1,
	PD_SEVERITY_LOW = 2,
	PD_SEVERITY_MODERATE = 3,
	PD_SEVERITY_IMPORTANT = 4,
	PD_SEVERITY_CRITICAL = 5
};

/** What kind of update it is, normalised over all vendors. */
enum pd_class {
	PD_CLASS_OTHER = 0,
	PD_CLASS_SECURITY = 1,
	PD_CLASS_BUGFIX = 2,
	PD_CLASS_ENHANCEMENT = 3,
	PD_CLASS_NEWPACKAGE = 4,
	PD_CLASS_DRIVER = 5,
	PD_CLASS_FIRMWARE = 6,
	PD_CLASS_BUNDLE = 7
};

/** What must be started anew for an update to take effect. */
enum pd_restart {
	PD_RESTART_UNKNOWN = 0,
	PD_RESTART_NONE = 1,
	PD_RESTART_SERVICE = 2, /**< the services that use it */
	PD_RESTART_SESSION = 3, /**< users log in again */
	PD_RESTART_REBOOT = 4   /**< the server */
};

/** How versions of a package compare. */
enum pd_scheme {
	PD_SCHEME_NONE = 0,
	PD_SCHEME_DEB = 1,     /**< Debian Policy 5.6.12, deb-version(7) */
	PD_SCHEME_RPM = 2,     /**< rpm-version(7), epoch:version-release */
	PD_SCHEME_ALPINE = 3,  /**< apk */
	PD_SCHEME_WINDOWS = 4, /**< four numbers */
	PD_SCHEME_PLAIN = 5,   /**< numbers and words, compared part by part */
	/* Since 1.2, firmware as fwupd compares it: with dots, or one number
	 * that stands for it as LVFS::VersionFormat says; see
	 * doc/version-schemes.md. */
	PD_SCHEME_FWUPD = 6,   /**< of no such format */
	PD_SCHEME_NUMBER = 7,
	PD_SCHEME_HEX = 8,
	PD_SCHEME_PAIR = 9,
	PD_SCHEME_TRIPLET = 10,
	PD_SCHEME_QUAD = 11,
	PD_SCHEME_BCD = 12,
	PD_SCHEME_INTEL_ME = 13,
	PD_SCHEME_INTEL_ME2 = 14,
	PD_SCHEME_INTEL_CSME19 = 15,
	PD_SCHEME_SURFACE_LEGACY = 16,
	PD_SCHEME_SURFACE = 17,
	PD_SCHEME_DELL_BIOS = 18,
	PD_SCHEME_DELL_BIOS_MSB = 19,
	PD_SCHEME_TEXT = 20 /**< "plain" there: byte by byte, as strcmp() */
};

/** One update of a selection, as a step sees it.  Set size before the call;
 * strings are never NULL, possibly empty. */
struct pd_update {
	uint32_t size;       /**< in: sizeof(struct pd_update) */
	uint16_t severity;   /**< enum pd_severity */
	uint16_t kind;       /**< enum pd_class */
	uint32_t restart;    /**< enum pd_restart */
	uint32_t packages;   /**< how many; read with pd_package_at() */
	const char *catalog; /**< name of the catalog that it comes from */
	const char *id;      /**< unique in its catalog */
	const char *revision;
	const char *title;
};

/** One package of an update: what to install from which payload. */
struct pd_package {
	uint32_t size;       /**< in: sizeof(struct pd_package) */
	uint32_t scheme;     /**< enum pd_scheme */
	const char *name;
	const char *version; /**< full: [epoch:]version[-release] */
	const char *arch;    /**< "all"/"noarch" fit every one; "" unknown */
	const char *installed; /**< version found on the server; "" none */
	const char *url;     /**< of the payload, may be relative; "" none */
	const char *sha256;  /**< 64 hexadecimal digits; "" unknown */
	int64_t bytes;       /**< of the payload; -1 unknown */
};

/* ------------------------------------------------------- host services */

/** Levels of pd_log(). */
enum pd_level { PD_LOG_ERROR, PD_LOG_WARN, PD_LOG_INFO, PD_LOG_DEBUG };

enum {
	PD_RUN_LOG = 1u << 0 /**< log each line of output while it runs */
};

/** A command for pd_command_run().  Never a shell.  It runs with umask 022 in
 * a process group of its own, and has no descriptor but the usual three. */
struct pd_command {
	uint32_t size;            /**< sizeof(struct pd_command) */
	uint32_t flags;           /**< PD_RUN_*; default 0 */
	const char *const *argv;  /**< ends with NULL; argv[0] without a slash
				   *   is looked up in /usr/sbin:/usr/bin:/sbin:/bin */
	const char *const *env;   /**< "NAME=value" added to the worker's clean
				   *   environment, ends with NULL; NULL: none */
	const char *input;        /**< standard input; NULL: /dev/null */
	size_t input_len;
	const char *directory;    /**< to run in; NULL: "/" */
	int64_t time_limit;       /**< seconds, then its group gets SIGTERM, 5 s
				   *   later SIGKILL; 0: the step's */
	size_t output_max;        /**< bytes kept of each of out and err, the
				   *   rest is dropped; 0: 1 MiB */
	/** Called for each line of standard output (stream 1) and standard
	 * error (stream 2) as it comes, without its newline and cut at
	 * 16 KiB; NULL: not. */
	void (*line)(struct pd_ctx *, void *user, int stream, const char *line);
	void *user;               /**< handed to line */
	const struct pd_secret *input_secret; /**< standard input is this secret
				   *   and a newline, in place of input; or NULL */
};

/** What a command left behind.  Never grows, since it has no size. */
struct pd_command_result {
	int status;       /**< exit status, or 128 + signal number */
	uint32_t flags;   /**< zero */
	const char *out;  /**< standard output, ends with NUL */
	size_t out_len;
	const char *err;  /**< standard error, ends with NUL */
	size_t err_len;
};

/* ------------------------------------------------------- catalog model */

/** Status of a catalog's entry. */
enum pd_update_status {
	PD_STATUS_FINAL = 0,
	PD_STATUS_TESTING = 1,
	PD_STATUS_RETIRED = 2, /**< withdrawn; never needed */
	/** Since 1.2: no update, but one rule tree that others call by this id.
	 * It has no verdict, may come before or after its callers, and is asked
	 * once for each server. */
	PD_STATUS_RULES = 3,
	PD_STATUS_REPLACED = 4 /**< since 1.2: by any update that is approved */
};

/** The head of one update while a catalog is read.  Strings may be NULL. */
struct pd_update_head {
	uint32_t size;
	uint32_t line;        /**< where it starts in the source; 0 unknown */
	const char *id;       /**< required; up to 256 bytes, no control characters */
	const char *revision; /**< a higher one replaces the same id */
	const char *title;
	const char *description;
	const char *url;      /**< for people to read on */
	const char *vendor;
	const char *severity_text; /**< as the vendor wrote it */
	uint16_t severity;    /**< enum pd_severity */
	uint16_t kind;        /**< enum pd_class */
	uint16_t status;      /**< enum pd_update_status */
	uint16_t restart;     /**< enum pd_restart */
	int64_t issued;       /**< seconds since 1970 UTC; 0 unknown */
	int64_t updated;      /**< seconds since 1970 UTC; 0 unknown */
	int64_t disk_bytes;   /**< needed for the installation; -1 unknown */
	int64_t expected;     /**< seconds that the installation takes; 0 unknown */
	uint32_t interactive; /**< 1: it asks questions */
	uint32_t permanent;   /**< 1: it can't be removed again */
	const char *trust;    /**< since 1.2: by what it was proved, as the source has it on
			       *   record, or with PD_R_SERVER the reader has seen; NULL */
};

enum pd_relation_kind {
	PD_REL_ALIAS = 1,      /**< another name: CVE, KB, bug number */
	PD_REL_SUPERSEDES = 2, /**< target is replaced by this update */
	PD_REL_REQUIRES = 3,   /**< target must be installed before */
	PD_REL_BUNDLES = 4,    /**< this update consists of targets */
	PD_REL_REFERENCE = 5   /**< a link to read */
};

struct pd_relation {
	uint32_t size;
	uint32_t kind;         /**< enum pd_relation_kind */
	const char *target;    /**< id, or URL of a reference; required */
	const char *revision;  /**< only this one; NULL: any */
	const char *title;     /**< NULL: none */
};

/** A package that an update brings. */
struct pd_package_row {
	uint32_t size;
	uint32_t scheme;       /**< enum pd_scheme */
	const char *name;      /**< required */
	const char *epoch;     /**< NULL, "" and "0" are the same */
	const char *version;   /**< required */
	const char *release;   /**< NULL: part of version, or none */
	const char *arch;      /**< NULL: any */
	const char *source;    /**< source package, NULL: unknown */
	const char *module;    /**< module:stream the package belongs to; NULL */
	uint32_t payload;      /**< 1 + index of its payload; 0: none */
	uint32_t restart;      /**< enum pd_restart, of this package alone */
	const char *replaces;  /**< since 1.2: packages of other names that it takes
				*   the place of: "NAME" or "NAME < VERSION" (also
				*   <= = >= >), with commas between; NULL */
};

/** A file that belongs to an update. */
struct pd_payload {
	uint32_t size;
	uint32_t flags;        /**< zero */
	const char *url;       /**< absolute, or relative to the catalog; required */
	const char *name;      /**< file name; NULL: last part of url */
	int64_t bytes;         /**< -1 unknown */
	const char *digest;    /**< "sha256:hex", "sha1:hex", ...; NULL unknown */
};

enum pd_installer_kind { PD_INSTALL = 1, PD_UNINSTALL = 2 };

/** How a vendor's payload is installed or removed. */
struct pd_installer {
	uint32_t size;
	uint32_t kind;         /**< enum pd_installer_kind */
	const char *command;   /**< program, relative to the payload */
	const char *arguments; /**< as the vendor wrote them */
};

/** What an installer's exit status means. */
enum pd_exit {
	PD_EXIT_FAILED = 0,
	PD_EXIT_SUCCESS = 1,
	PD_EXIT_SUCCESS_REBOOT = 2,
	PD_EXIT_FAILED_REBOOT = 3,
	PD_EXIT_ALREADY_INSTALLED = 4,
	PD_EXIT_NOT_APPLICABLE = 5,
	PD_EXIT_RETRY_LATER = 6,
	PD_EXIT_NEEDS_OPERATOR = 7
};

struct pd_exit_row {
	uint32_t size;
	uint32_t meaning;      /**< enum pd_exit */
	int64_t status;        /**< each once in an update */
};

/** Which of an update's two rule trees. */
enum pd_rule_tree {
	PD_RULES_APPLICABLE = 1, /**< could it be installed here? */
	PD_RULES_INSTALLED = 2   /**< is it there already? */
};

enum pd_rule_op {
	PD_RULE_ALL = 1,   /**< opens: every child true */
	PD_RULE_ANY = 2,   /**< opens: at least one child true */
	PD_RULE_NONE = 3,  /**< opens: no child true */
	PD_RULE_TEST = 4,  /**< a leaf */
	PD_RULE_CLOSE = 5, /**< closes ALL, ANY or NONE */
	PD_RULE_CALL = 6,  /**< a leaf: the tree named by subject */
	PD_RULE_ONE = 7,   /**< since 1.2, opens: exactly one child true */
	PD_RULE_ODD = 8,   /**< since 1.2, opens: an odd number of children true */
	PD_RULE_UNKNOWN = 9 /**< since 1.2, a leaf: never known; subject says why */
};

enum pd_compare {
	PD_CMP_EXISTS = 0,
	PD_CMP_EQ = 1,
	PD_CMP_NE = 2,
	PD_CMP_LT = 3,
	PD_CMP_LE = 4,
	PD_CMP_GT = 5,
	PD_CMP_GE = 6,
	PD_CMP_MATCH = 7   /**< extended regular expression, POSIX */
};

/** One node of a rule tree, in document order.  What a test asks for is
 * looked up among the facts; what isn't there gives unknown, never false.
 * Kinds and fields are those of doc/facts.md, or any of a kind "x-...",
 * whose rows are known by their name.
 *
 * Since 1.2 what opens may name a kind, and a subject: then it counts the rows
 * for which all of its children are true.  A test in it that names the same
 * kind and no subject is about that row.  Such groups are not nested. */
struct pd_rule {
	uint32_t size;
	uint16_t tree;       /**< enum pd_rule_tree */
	uint16_t op;         /**< enum pd_rule_op */
	uint16_t compare;    /**< enum pd_compare, of a test */
	uint16_t negate;     /**< 1: the outcome is turned round, of any but CLOSE */
	uint32_t scheme;     /**< enum pd_scheme, of a version test */
	const char *kind;    /**< of a test: kind of fact ("packages", "os", ...) */
	const char *subject; /**< of a test: key of the row (package name); NULL any */
	const char *field;   /**< of a test: field compared ("version"); NULL */
	const char *value;   /**< of a test: what to compare with; NULL */
};

/** What a row handed to the host's emit is. */
enum pd_emit {
	PD_EMIT_BEGIN = 1,     /**< struct pd_update_head */
	PD_EMIT_RELATION = 2,  /**< struct pd_relation */
	PD_EMIT_PACKAGE = 3,   /**< struct pd_package_row */
	PD_EMIT_PAYLOAD = 4,   /**< struct pd_payload */
	PD_EMIT_INSTALLER = 5, /**< struct pd_installer */
	PD_EMIT_EXIT = 6,      /**< struct pd_exit_row */
	PD_EMIT_RULE = 7,      /**< struct pd_rule */
	PD_EMIT_END = 8        /**< NULL */
};

/* -------------------------------------------------------------- facts */

enum pd_fact_type { PD_F_TEXT = 1, PD_F_NUMBER = 2, PD_F_FLAG = 3 };

/** One named value of a fact.  A field left out is unknown. */
struct pd_fact_field {
	const char *key;
	uint32_t type;       /**< enum pd_fact_type */
	uint32_t reserved;   /**< zero */
	const char *text;    /**< PD_F_TEXT; NULL leaves the field out */
	int64_t number;      /**< PD_F_NUMBER, PD_F_FLAG */
};

#define PD_TEXT(k, v) { .key = (k), .type = PD_F_TEXT, .reserved = 0, .text = (v) }
#define PD_NUMBER(k, v) \
	{ .key = (k), .type = PD_F_NUMBER, .reserved = 0, .text = NULL, .number = (v) }
#define PD_FLAG(k, v) \
	{ .key = (k), .type = PD_F_FLAG, .reserved = 0, .text = NULL, .number = (v) }

/* ---------------------------------------------------------------- XML */

struct pd_xml_attr {
	const char *ns;    /**< namespace URI; NULL: none */
	const char *name;  /**< local name */
	const char *value;
};

/** What start may return, since 1.2: of all that is in this element nothing is
 * told, only its end. */
#define PD_XML_SKIP 1

enum {
	/** Since 1.2: of text only that of elements without others in them means
	 * anything; the rest may be told or not. */
	PD_XML_LEAVES = 1u << 0
};

/**
 * What a reader does with the parts of an XML document.  Strings are valid
 * during the call.  A callback returns 0 to go on, or what pd_fail()
 * returned to stop; any of them may be NULL.
 */
struct pd_xml_handler {
	uint32_t size;
	uint32_t flags;    /**< PD_XML_* */
	void *user;        /**< handed to each callback */
	int (*start)(struct pd_ctx *, void *user, const char *ns,
		     const char *name, const struct pd_xml_attr *attrs, size_t n);
	int (*end)(struct pd_ctx *, void *user, const char *ns, const char *name);
	/** Text between tags; may come in several pieces. */
	int (*text)(struct pd_ctx *, void *user, const char *text, size_t len);
	/** Since 1.2: is nothing told of elements of this name at this depth (the
	 * root's is 1), and of all that is in them?  The same whenever it is asked,
	 * by any process.  @p bare: nobody asks for more than verdicts. */
	bool (*passed)(const char *name, unsigned depth, bool bare);
};

/* --------------------------------------------------------- host table */

/**
 * What the core offers a running callback.  Call through the wrappers below.
 * Appended to, never reordered: before a field newer than the minor you need,
 * look at size.
 */
struct pd_host {
	uint32_t size;
	uint32_t abi; /**< PD_ABI of the running core */
	void (*log)(struct pd_ctx *, int level, const char *fmt, va_list ap);
	void (*fail)(struct pd_ctx *, const char *fmt, va_list ap);
	void (*progress)(struct pd_ctx *, int64_t done, int64_t total,
			 const char *text);
	bool (*canceled)(struct pd_ctx *);
	int (*run)(struct pd_ctx *, const struct pd_command *,
		   struct pd_command_result *);
	int (*remember)(struct pd_ctx *, const char *key, const char *value);
	const char *(*recall)(struct pd_ctx *, const char *key);
	int (*output)(struct pd_ctx *, const char *name, const char *value);
	int (*output_item)(struct pd_ctx *, const char *name, const char *value);
	int (*evidence)(struct pd_ctx *, const char *path, const char *title);
	const char *(*secret)(struct pd_ctx *, const struct pd_secret *,
			      size_t *len);
	void (*irreversible)(struct pd_ctx *, const char *why);
	void (*inhibit)(struct pd_ctx *, const char *risk, const char *cause,
			const char *remedy);
	void (*expect)(struct pd_ctx *, int64_t seconds);
	void *(*alloc)(struct pd_ctx *, size_t bytes);
	const char *(*format)(struct pd_ctx *, const char *fmt, va_list ap);
	const char *(*read_file)(struct pd_ctx *, const char *path, size_t max,
				 size_t *len);
	int (*write_file)(struct pd_ctx *, const char *path, unsigned mode,
			  const void *data, size_t len);
	bool (*update_at)(struct pd_ctx *, const struct pd_updates *, size_t i,
			  struct pd_update *out);
	bool (*package_at)(struct pd_ctx *, const struct pd_updates *, size_t i,
			   size_t j, struct pd_package *out);
	/* scanners */
	int (*fact)(struct pd_ctx *, const char *kind,
		    const struct pd_fact_field *fields, size_t n);
	/* readers */
	int64_t (*source_read)(struct pd_ctx *, void *buffer, size_t len);
	int (*xml)(struct pd_ctx *, const struct pd_xml_handler *);
	unsigned (*xml_line)(struct pd_ctx *);
	int (*emit)(struct pd_ctx *, int what, const void *row); /* enum pd_emit */
	void (*ignored)(struct pd_ctx *, unsigned line, const char *what);
	/* texts */
	bool (*parse)(struct pd_ctx *, uint32_t type, const char *text, int64_t *out);
	const char *(*nearest)(struct pd_ctx *, const char *word,
			       const char *const *words, size_t n);
	/* filters, since 1.2 */
	int (*unpacked)(struct pd_ctx *, const void *data, size_t len);
	/* readers, since 1.2 */
	bool (*package_wanted)(struct pd_ctx *, const char *name);
	/* texts, since 1.2 */
	bool (*compare_versions)(struct pd_ctx *, uint32_t scheme, const char *a,
				 const char *b, int *order);
};

/** One invocation.  Owned by the core, valid until the callback returns. */
struct pd_ctx {
	uint32_t size;
	uint32_t phase;       /**< enum pd_phase */
	const struct pd_host *host;
	const char *server;   /**< host name of the server worked on */
	const char *step;     /**< "plugin.step", for messages */
	const char *run;      /**< id of the run; "" outside of one */
	const void *args;     /**< the struct described by pd_step.params */
	/** A folder of this step alone, mode 0700, kept as long as the run is:
	 * for evidence and for what undo needs.  It does not exist in check. */
	const char *work_dir;
	bool dry_run;         /**< check only: nothing will be applied after */
	void *reserved[4];    /**< zero */
};

/** A callback of a step.  @return enum pd_result. */
typedef int pd_step_fn(struct pd_ctx *ctx);

/** Log through the core.  @param level enum pd_level. */
static inline void PD_PRINTF(3, 4)
pd_log(struct pd_ctx *ctx, int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ctx->host->log(ctx, level, fmt, ap);
	va_end(ap);
}

/**
 * Say why the callback fails, and return @p result:
 *
 *     return pd_fail(ctx, PD_FAILED, "unit %s does not stop: %s", unit, why);
 *
 * Say what was tried, on what, and why it did not work; the core adds server,
 * step and script line.  Only the first call in a callback counts.  After a
 * function of the core that "reported" its failure it may be left out; what
 * pd_fail() says then goes first, and a callback that gets over the failure
 * and succeeds leaves only a warning in the log.  In a callback of pd_xml()
 * the core puts "FILE:LINE:COLUMN: " in front.
 */
static inline int PD_PRINTF(3, 4)
pd_fail(struct pd_ctx *ctx, int result, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ctx->host->fail(ctx, fmt, ap);
	va_end(ap);
	return result;
}

/** Show that @p done of @p total units (0: unknown) are done; @p text may be
 * NULL.  Also the sign of life of a step: call it in every long loop; calls
 * that come too fast are thinned out by the core. */
static inline void
pd_progress(struct pd_ctx *ctx, int64_t done, int64_t total, const char *text)
{
	ctx->host->progress(ctx, done, total, text);
}

/** True once the run is being stopped or the step is out of time.  Ask in
 * loops; after pd_step.grace seconds the worker is killed.  pd_run() ends
 * its command by itself. */
static inline bool pd_canceled(struct pd_ctx *ctx)
{
	return ctx->host->canceled(ctx);
}

/** Run a command.  @return 0 when it ran, whatever its exit status; below
 * zero when it could not be run (PD_FAILED) or was cut short (PD_FAILED by
 * its time limit, PD_CANCELED), reported.  *result is always filled. */
static inline int PD_MUST_USE
pd_command_run(struct pd_ctx *ctx, const struct pd_command *command,
	       struct pd_command_result *result)
{
	return ctx->host->run(ctx, command, result);
}

/** Run @p argv (ends with NULL) with all else at its default. */
static inline int PD_MUST_USE
pd_run(struct pd_ctx *ctx, const char *const argv[],
       struct pd_command_result *result)
{
	struct pd_command command = { .size = sizeof(command), .flags = 0,
				      .argv = argv };

	return ctx->host->run(ctx, &command, result);
}

/**
 * Store @p value under @p key in the run's journal, for undo and for the
 * callbacks after a crash or reboot.  It is on the disk when 0 is returned:
 * remember what is needed to undo an action *before* the action.
 * Not allowed in check.  @param key [a-z0-9._/-]+  @param value up to 1 MiB
 * of UTF-8 without any secret, NULL forgets the key.  @return 0, or below
 * zero, reported.
 */
static inline int PD_MUST_USE
pd_remember(struct pd_ctx *ctx, const char *key, const char *value)
{
	return ctx->host->remember(ctx, key, value);
}

/** What this step has remembered in this run under @p key; NULL: nothing. */
static inline const char *pd_recall(struct pd_ctx *ctx, const char *key)
{
	return ctx->host->recall(ctx, key);
}

/**
 * Set a declared output that is not a list.  In check it is a prediction; in
 * apply and verify it is the value.  What is left out stays unknown, the
 * last value counts.  @param value as a script would write it ("true", "42",
 * "/path").  @return 0, or below zero, reported; a name that is not declared
 * or a value of another type fails the callback.
 */
static inline int PD_MUST_USE
pd_output(struct pd_ctx *ctx, const char *name, const char *value)
{
	return ctx->host->output(ctx, name, value);
}

/** Append to a declared output of type PD_T_LIST. */
static inline int PD_MUST_USE
pd_output_item(struct pd_ctx *ctx, const char *name, const char *value)
{
	return ctx->host->output_item(ctx, name, value);
}

/**
 * Enter a file into the run's evidence, with its size and SHA-256 as they are
 * now.  Do not change it afterwards.  Not allowed in check.
 * @param path absolute; in work_dir, or where the workflow wants it.
 */
static inline int PD_MUST_USE
pd_evidence(struct pd_ctx *ctx, const char *path, const char *title)
{
	return ctx->host->evidence(ctx, path, title);
}

/** The value of a secret; NULL when @p secret is NULL.  It may be handed to
 * another program by standard input, never in its arguments.  The core blots
 * it out of every message and refuses to store it, but can't see what a
 * plugin or a command writes to files. */
static inline const char *
pd_secret(struct pd_ctx *ctx, const struct pd_secret *secret, size_t *len)
{
	return ctx->host->secret(ctx, secret, len);
}

/** In check: with these arguments, on this server, the step can't be undone. */
static inline void pd_irreversible(struct pd_ctx *ctx, const char *why)
{
	ctx->host->irreversible(ctx, why);
}

/** In check: a reason not to start the run at all.  Several may be reported;
 * then return PD_REFUSED.  @param risk what could happen, @param cause what
 * was found, @param remedy what the operator can do. */
static inline void
pd_inhibit(struct pd_ctx *ctx, const char *risk, const char *cause,
	   const char *remedy)
{
	ctx->host->inhibit(ctx, risk, cause, remedy);
}

/** In check: how long apply is going to take with these arguments. */
static inline void pd_expect(struct pd_ctx *ctx, int64_t seconds)
{
	ctx->host->expect(ctx, seconds);
}

/** Zeroed memory that is freed after the callback.  Never NULL. */
static inline void *pd_alloc_for(struct pd_ctx *ctx, size_t bytes)
{
	return ctx->host->alloc(ctx, bytes);
}

/** A formatted string that is freed after the callback.  Never NULL. */
static inline const char *PD_PRINTF(2, 3)
pd_format(struct pd_ctx *ctx, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = ctx->host->format(ctx, fmt, ap);
	va_end(ap);
	return text;
}

/** The content of a regular file, with a NUL behind it.  @param max refuse a
 * larger one; @param len may be NULL.  @return NULL with errno set: not
 * reported, since a missing file is often no error. */
static inline const char *
pd_read_file(struct pd_ctx *ctx, const char *path, size_t max, size_t *len)
{
	return ctx->host->read_file(ctx, path, max, len);
}

/** Write a file atomically (temporary file, fsync, rename, fsync of the
 * folder).  Not allowed in check.  @return 0, or below zero, reported. */
static inline int PD_MUST_USE
pd_write_file(struct pd_ctx *ctx, const char *path, unsigned mode,
	      const void *data, size_t len)
{
	return ctx->host->write_file(ctx, path, mode, data, len);
}

/** The @p i-th update of a selection; false past the end. */
static inline bool
pd_update_at(struct pd_ctx *ctx, const struct pd_updates *updates, size_t i,
	     struct pd_update *out)
{
	out->size = sizeof(*out);
	return ctx->host->update_at(ctx, updates, i, out);
}

/** The @p j-th package of the @p i-th update; false past the end. */
static inline bool
pd_package_at(struct pd_ctx *ctx, const struct pd_updates *updates, size_t i,
	      size_t j, struct pd_package *out)
{
	out->size = sizeof(*out);
	return ctx->host->package_at(ctx, updates, i, j, out);
}

/**
 * Report one fact.  Kinds and their fields are listed in doc/facts.md; a kind
 * that is not listed there starts with "x-".  @return 0, or below zero when
 * the row does not fit the list, reported.
 */
static inline int PD_MUST_USE
pd_fact(struct pd_ctx *ctx, const char *kind,
	const struct pd_fact_field *fields, size_t n)
{
	return ctx->host->fact(ctx, kind, fields, n);
}

/** The next bytes of the source, already unpacked.  @return how many, 0 at
 * the end, below zero when it can't be read, reported. */
static inline int64_t PD_MUST_USE
pd_source_read(struct pd_ctx *ctx, void *buffer, size_t len)
{
	return ctx->host->source_read(ctx, buffer, len);
}

/** In a filter: the next bytes of what was packed.  @return 0, or below zero,
 * reported: they are too many for what the source has, or nobody reads any
 * more. */
static inline int PD_MUST_USE
pd_unpacked(struct pd_ctx *ctx, const void *data, size_t len)
{
	return ctx->host->unpacked(ctx, data, len);
}

/** Parse the whole source as XML: no entities but the five, no DTD, no
 * network, limits on size, depth and count.  Of an XML signature (XML-DSig)
 * nothing is told, since it does not sign what stands in itself.  @return 0, or
 * below zero when the document is refused or a callback failed, reported with its line. */
static inline int PD_MUST_USE
pd_xml(struct pd_ctx *ctx, const struct pd_xml_handler *handler)
{
	return ctx->host->xml(ctx, handler);
}

/** In a callback of pd_xml(): the line being read. */
static inline unsigned pd_xml_line(struct pd_ctx *ctx)
{
	return ctx->host->xml_line(ctx);
}

/**
 * Start an update; its parts follow, then pd_update_end().  Order of the
 * parts: payloads before the packages that name them, rules in document
 * order, each tree closed before the other one starts.
 *
 * Only whole updates count.  The core checks each part when it arrives (what
 * is required, numbers in their enum, UTF-8, order): one that is wrong drops
 * all parts of its update, which is unknown for this reason then; a
 * pd_update_end() that is missing drops it.  Both are counted as ignored, with
 * the reason and its line.  The reader need not care and goes on.  With
 * PD_R_STRICT it ends the reading instead.
 *
 * @return 0, or below zero, reported: the part is larger than 16 MiB, or this
 * is no reader.
 */
static inline int PD_MUST_USE
pd_update_begin(struct pd_ctx *ctx, const struct pd_update_head *head)
{
	return ctx->host->emit(ctx, PD_EMIT_BEGIN, head);
}

#define PD_UPDATE_PART(name, type, what)                                \
	static inline int PD_MUST_USE                                   \
	pd_update_##name(struct pd_ctx *ctx, const struct type *row)    \
	{                                                               \
		return ctx->host->emit(ctx, what, row);                 \
	}
PD_UPDATE_PART(relation, pd_relation, PD_EMIT_RELATION)
PD_UPDATE_PART(package, pd_package_row, PD_EMIT_PACKAGE)
PD_UPDATE_PART(payload, pd_payload, PD_EMIT_PAYLOAD)
PD_UPDATE_PART(installer, pd_installer, PD_EMIT_INSTALLER)
PD_UPDATE_PART(exit, pd_exit_row, PD_EMIT_EXIT)
PD_UPDATE_PART(rule, pd_rule, PD_EMIT_RULE)

static inline int PD_MUST_USE pd_update_end(struct pd_ctx *ctx)
{
	return ctx->host->emit(ctx, PD_EMIT_END, NULL);
}

/**
 * Since 1.2: does anybody ask about packages of this name?  If not, they are
 * counted, and the reader may leave them and their payloads out of the update:
 * of most updates nothing is left for a server that has none of their packages,
 * and they cost next to nothing.  Ask once for each package.
 */
static inline bool pd_package_wanted(struct pd_ctx *ctx, const char *name)
{
	return ctx->host->size <= offsetof(struct pd_host, package_wanted) ||
	       ctx->host->package_wanted(ctx, name);
}

/** Say that something of the source was passed over; counted and shown. */
static inline void
pd_ignored(struct pd_ctx *ctx, unsigned line, const char *what)
{
	ctx->host->ignored(ctx, line, what);
}

/** Read a number as people write it.  @param type PD_T_INT, PD_T_BYTES
 * or PD_T_SECONDS, as a script would write them, or PD_T_TIME (seconds since
 * 1970 UTC).  @return false: the text is none, *out is as it was. */
static inline bool
pd_parse(struct pd_ctx *ctx, uint32_t type, const char *text, int64_t *out)
{
	return ctx->host->parse(ctx, type, text, out);
}

/** The one of @p n words that a misspelt @p word is likely to mean; NULL:
 * none is near. */
static inline const char *
pd_near(struct pd_ctx *ctx, const char *word, const char *const *words, size_t n)
{
	return ctx->host->nearest(ctx, word, words, n);
}

/**
 * Since 1.2: which of two versions is newer, to the core's own rules and
 * verdicts (doc/version-schemes.md).  No other process is asked, nothing is
 * kept.  @param scheme enum pd_scheme.  @return true: *order is below, at or
 * above zero if @p a is older than @p b, the same, or newer.  False, not
 * reported: there is no such scheme, or it does not allow one of the texts, or
 * the core is older than this function; *order is as it was.
 */
static inline bool PD_MUST_USE
pd_compare_versions(struct pd_ctx *ctx, uint32_t scheme, const char *a,
		    const char *b, int *order)
{
	return ctx->host->size > offsetof(struct pd_host, compare_versions) &&
	       ctx->host->compare_versions(ctx, scheme, a, b, order);
}

/* --------------------------------------------------------------- steps */

/** Can what the step does be taken back? */
enum pd_reversibility {
	PD_REVERSIBLE = 1,   /**< .undo brings back what was there */
	PD_IRREVERSIBLE = 2, /**< a point of no return */
	PD_READONLY = 3      /**< leaves nothing behind that would have to be
			      *   undone; .undo must be NULL */
};

enum {
	PD_S_REBOOTS = 1u << 0,   /**< apply asks for a reboot; the core goes on
				   *   with verify when the server has come up.
				   *   undo, if there is one, asks once more after
				   *   all else is undone, or returns PD_UNCHANGED.
				   *   As long as no reboot has come, a resumed run
				   *   calls check before it asks again: it fails on
				   *   a server that is going down, and the run then
				   *   waits; asked three times in vain, it is failed */
	PD_S_NEEDS_ROOT = 1u << 1, /**< refused for any other user */
	PD_S_BACKUP = 1u << 2,    /**< a verified apply counts as the backup that
				   *   a point of no return asks for */
	/** Since 1.1: may stand among a workflow's guards, whose check is asked
	 * before each stage "may I go on?".  PD_READONLY.  For each reason
	 * against it the check calls pd_inhibit(), then it returns PD_REFUSED;
	 * the run waits and asks again.  A check that fails refuses too.  It
	 * has no work_dir, and what it predicts or logs is not kept. */
	PD_S_GUARD = 1u << 3,
	/** Since 1.2: what it does is meant to last only until its undo, such as
	 * holding what starts jobs; a plan must hold it (pd.hold), else nobody
	 * would give back what a run that is done has taken */
	PD_S_HOLD = 1u << 4
};

/**
 * A step: one verb, written plugin.step { ... } in a workflow.
 *
 * check   Looks and never touches: it also runs in every dry run, on a
 *         read-only system.  PD_CHANGED: there is work to do; PD_UNCHANGED:
 *         nothing; PD_REFUSED: the run must not start.  Predict outputs.
 * apply   Does the work.  It may be called again after a crash at any point,
 *         then with what it had remembered: what is done already must be
 *         recognised.
 * verify  Proves that the work is done.  When NULL, check is called again
 *         and has to return PD_UNCHANGED; a step that always has work to do
 *         needs a verify of its own.
 * undo    Restores what was there, from what was remembered, and proves it.
 *         It may be called after an apply that failed or was cut short, and
 *         again after an undo that was cut short.  In pd.hold it is what
 *         gives back.
 */
struct pd_step {
	uint32_t size;         /**< set by PD_STEP */
	uint32_t flags;        /**< PD_S_* */
	const char *name;      /**< [a-z][a-z0-9_]*, unique in the plugin */
	const char *help;      /**< one line without a full stop; required */
	const struct pd_param *params; /**< ends with PD_PARAM_END, or NULL */
	size_t args_size;      /**< of the struct that the parameters fill */
	const struct pd_output *outputs; /**< ends with PD_OUTPUT_END, or NULL */
	pd_step_fn *check;     /**< required */
	pd_step_fn *apply;     /**< required unless PD_READONLY */
	pd_step_fn *verify;    /**< optional, see above */
	pd_step_fn *undo;      /**< required if PD_REVERSIBLE, else NULL */
	uint32_t reversibility; /**< enum pd_reversibility; required */
	uint32_t time_limit;   /**< seconds for one callback; 0: 3600 */
	uint32_t grace;        /**< seconds from the limit to the kill; 0: 10 */
	uint32_t expected;     /**< seconds that apply usually takes; 0: 1 */
	uint32_t retries;      /**< how often after PD_RETRY; 0: never */
	uint32_t reserved;     /**< zero */
};

#define PD_STEP .size = sizeof(struct pd_step)

/* ---------------------------------- readers, filters, scanners, transports */

enum {
	PD_R_SERVER = 1u << 0, /**< reads what the server itself knows (apt's
				*   lists ...) and no file: --catalog NAME: */
	PD_R_STRICT = 1u << 1, /**< an update that is refused ends the reading:
				*   the catalog is refused whole, with the place
				*   (for formats that people write by hand) */
	/** Since 1.2: a higher revision of an id replaces no lower one; each is an
	 * update of its own, and none is named by a relation. */
	PD_R_REVISIONS = 1u << 2,
	/** Since 1.2: what is in the root stands for itself.  Nothing is kept from
	 * one element of the root to the next, and all is handed over while it is
	 * read.  A long document of such may be read by several processes: each
	 * has the handler of pd_xml() as it was when that was called, or as what it
	 * has read before left it, and calls it for the root, again and again, and
	 * for some of what is in it. */
	PD_R_ITEMS = 1u << 3
};

/** A reader of one catalog format. */
struct pd_reader {
	uint32_t size;      /**< set by PD_READER */
	uint32_t flags;     /**< PD_R_* */
	const char *name;   /**< of the format, [a-z][a-z0-9_]* */
	const char *help;   /**< one line without a full stop; required */
	/** Does the source look like this format, by its first bytes (at
	 * most 64 KiB)?  It looks at nothing else.
	 * @return 0 (no) to 100 (certainly).  NULL with PD_R_SERVER. */
	int (*recognize)(const unsigned char *head, size_t len);
	/** Stream the source into the update model.  @return 0, or below zero. */
	int (*read)(struct pd_ctx *ctx);
	uint32_t time_limit; /**< seconds; 0: 600 */
	uint32_t reserved;   /**< zero */
};

#define PD_READER .size = sizeof(struct pd_reader)

/**
 * Since 1.2, a filter: what it unpacks is read in place of the source, by a
 * reader, or by one more filter.  It runs in a worker beside the one that
 * reads.  The core bounds what comes out of it, by the size of the file.
 */
struct pd_filter {
	uint32_t size;      /**< set by PD_FILTER */
	uint32_t flags;     /**< zero */
	const char *name;   /**< of the format, [a-z][a-z0-9_]* */
	const char *help;   /**< one line without a full stop; required */
	/** As that of a reader. */
	int (*recognize)(const unsigned char *head, size_t len);
	/** From pd_source_read() to pd_unpacked(), to the end: one that is
	 * damaged or cut short is a failure.  @return 0, or below zero. */
	int (*unpack)(struct pd_ctx *ctx);
	uint32_t time_limit; /**< seconds; 0: 600 */
	uint32_t reserved;   /**< zero */
};

#define PD_FILTER .size = sizeof(struct pd_filter)

/** A scanner: reports facts about the server it runs on. */
struct pd_scanner {
	uint32_t size;      /**< set by PD_SCANNER */
	uint32_t flags;     /**< zero */
	const char *name;   /**< [a-z][a-z0-9_]* */
	const char *help;   /**< one line without a full stop; required */
	const char *const *kinds; /**< of facts that it reports, ends with NULL */
	/** Look, never touch.  What this server does not have gives no rows and
	 * is no failure.  @return 0, or below zero. */
	int (*scan)(struct pd_ctx *ctx);
	uint32_t time_limit; /**< seconds; 0: 60 */
	uint32_t reserved;   /**< zero */
};

#define PD_SCANNER .size = sizeof(struct pd_scanner)

/** Another server, as a transport sees it. */
struct pd_target {
	uint32_t size;
	uint32_t port;          /**< 0: the transport's default */
	const char *name;       /**< in the inventory */
	const char *address;    /**< host name or address */
	const char *user;       /**< NULL: the transport's default */
	const char *options;    /**< of the transport, "key=value,..."; NULL */
	const struct pd_secret *secret; /**< NULL: none */
};

/** A way to reach another server.  One worker holds one connection; its
 * callbacks come in the order open, any of exec, put and get, close. */
struct pd_transport {
	uint32_t size;      /**< set by PD_TRANSPORT */
	uint32_t flags;     /**< zero */
	const char *name;   /**< [a-z][a-z0-9_]* */
	const char *help;   /**< one line without a full stop; required */
	int (*open)(struct pd_ctx *ctx, const struct pd_target *target,
		    void **connection);
	/** Run argv there, without a shell that could misread it. */
	int (*exec)(struct pd_ctx *ctx, void *connection,
		    const struct pd_command *command,
		    struct pd_command_result *result);
	int (*put)(struct pd_ctx *ctx, void *connection, const char *from,
		   const char *to, unsigned mode);
	int (*get)(struct pd_ctx *ctx, void *connection, const char *from,
		   const char *to);
	void (*close)(struct pd_ctx *ctx, void *connection);
};

#define PD_TRANSPORT .size = sizeof(struct pd_transport)

/* -------------------------------------------------------------- plugin */

/** A plugin: what pd_plugin_entry() returns.  Arrays end with NULL; an array
 * that is NULL is empty. */
struct pd_plugin {
	uint32_t size;       /**< set by PD_PLUGIN */
	uint32_t abi;        /**< set by PD_PLUGIN: PD_ABI it was compiled with */
	const char *name;    /**< equals the file name without its ending */
	const char *version; /**< of the plugin, free text; required */
	const char *help;    /**< one line without a full stop; required */
	const struct pd_step *const *steps;
	const struct pd_reader *const *readers;
	const struct pd_scanner *const *scanners;
	const struct pd_transport *const *transports;
	const struct pd_filter *const *filters; /**< since 1.2 */
};

/** The exported symbol.  It must not fail, allocate or look at the system:
 * it runs in the core's own process. */
typedef const struct pd_plugin *pd_plugin_entry_fn(void);
PD_EXPORT const struct pd_plugin *pd_plugin_entry(void);

#define PD_PLUGIN(...)                                                     \
	PD_EXPORT const struct pd_plugin *pd_plugin_entry(void)            \
	{                                                                  \
		static const struct pd_plugin self = {                     \
			.size = sizeof(struct pd_plugin), .abi = PD_ABI,   \
			__VA_ARGS__                                        \
		};                                                         \
		return &self;                                              \
	}                                                                  \
	struct pd_plugin /* swallows the semicolon */

/* A change of layout that forgets PD_ABI must not compile. */
#if UINTPTR_MAX == 0xffffffffffffffffu
#ifdef __cplusplus
#define PD_LAYOUT(cond, text) static_assert(cond, text)
#else
#define PD_LAYOUT(cond, text) _Static_assert(cond, text)
#endif
PD_LAYOUT(sizeof(struct pd_param) == 72, "pd_param is frozen in ABI 1");
PD_LAYOUT(sizeof(struct pd_list) == 16, "pd_list is frozen in ABI 1");
PD_LAYOUT(sizeof(struct pd_command_result) == 40, "frozen in ABI 1");
PD_LAYOUT(sizeof(struct pd_output) == 32, "pd_output is frozen in ABI 1");
PD_LAYOUT(sizeof(struct pd_fact_field) == 32, "pd_fact_field is frozen in ABI 1");
PD_LAYOUT(sizeof(struct pd_xml_attr) == 24, "pd_xml_attr is frozen in ABI 1");
PD_LAYOUT(offsetof(struct pd_command, input_secret) == 80, "append only");
PD_LAYOUT(offsetof(struct pd_step, reserved) == 100, "append only");
PD_LAYOUT(offsetof(struct pd_reader, reserved) == 44, "append only");
PD_LAYOUT(offsetof(struct pd_scanner, reserved) == 44, "append only");
PD_LAYOUT(offsetof(struct pd_transport, close) == 56, "append only");
PD_LAYOUT(offsetof(struct pd_filter, reserved) == 44, "append only");
PD_LAYOUT(offsetof(struct pd_plugin, filters) == 64, "append only");
PD_LAYOUT(offsetof(struct pd_ctx, reserved) == 64, "append only");
PD_LAYOUT(offsetof(struct pd_update, title) == 40, "append only");
PD_LAYOUT(offsetof(struct pd_package, bytes) == 56, "append only");
PD_LAYOUT(offsetof(struct pd_host, unpacked) == 232, "append only");
PD_LAYOUT(offsetof(struct pd_host, package_wanted) == 240, "append only");
PD_LAYOUT(offsetof(struct pd_host, compare_versions) == 248, "append only");
#endif

#ifdef __cplusplus
}
#endif
#endif /* PATCHDAY_PLUGIN_H */
