/* SPDX-License-Identifier: MIT */
/** Catalogs: the update model, reading it from any format, and verdicts. */
#ifndef PD_CATALOG_CATALOG_H
#define PD_CATALOG_CATALOG_H

#include "facts/facts.h"

/* All strings are owned by the catalog (an arena with interned strings). */

/** One update.  Strings are never NULL; a package's version is the full one,
 * with epoch and release. */
struct pd_catalog_update {
	const char *id, *revision, *title, *description, *url, *vendor;
	const char *severity_text;
	uint8_t severity, kind, status, restart;
	bool interactive, permanent;
	uint32_t line;
	int64_t issued, updated, disk_bytes, expected;
	struct pd_package_row *packages;
	struct pd_payload *payloads;
	struct pd_relation *relations;
	struct pd_installer *installers;
	struct pd_exit_row *exits;
	struct pd_rule *rules;
	uint32_t n_packages, n_payloads, n_relations, n_installers, n_exits, n_rules;
};

struct pd_catalog {
	char *name;      /* for people: file name, or the reader's */
	char *format;    /* "native:native", "apt:apt" ... */
	char *path;      /* NULL: read from the server */
	pd_digest digest; /* of the file, or of the canonical content */
	struct pd_catalog_update *updates;
	size_t len, cap;
	struct pd_catalog_update *shared; /* rules that updates call */
	size_t n_shared, cap_shared;
	size_t ignored;  /* entries passed over */
	struct pd_strings notes; /* "file:line: what was passed over", at most 1 Mi */
	struct pd_arena *arena;
};

/**
 * Read a catalog: a file (its format recognised by content) or "READER:" for
 * one that reads the server itself, such as "apt:".  NULL with *err set.
 */
struct pd_catalog *pd_catalog_read(struct pd_registry *reg, const char *source,
				   struct pd_error **err);
void pd_catalog_free(struct pd_catalog *c);
PD_AUTO_PTR(struct pd_catalog *, pd_catalog_cleanup, pd_catalog_free)

struct pd_catalogs {
	struct pd_catalog **items;
	size_t len, cap;
};

void pd_catalogs_clear(struct pd_catalogs *list);
#define pd_catalogs_cleanup pd_catalogs_clear

enum pd_verdict {
	PD_VERDICT_UNKNOWN,
	PD_VERDICT_NEEDED,
	PD_VERDICT_INSTALLED,
	PD_VERDICT_SUPERSEDED,
	PD_VERDICT_NOT_APPLICABLE
};

const char *pd_verdict_name(enum pd_verdict v); /* "not-applicable" ... */
const char *pd_severity_name(unsigned severity);
const char *pd_class_name(unsigned kind);
const char *pd_restart_name(unsigned restart);
const char *pd_scheme_name(unsigned scheme);

/** A verdict over one update; reason in words, owned by the list. */
struct pd_verdict_row {
	const struct pd_catalog *catalog;
	const struct pd_catalog_update *update;
	enum pd_verdict verdict;
	char *reason;
	/** packages of the update that are installed and older, by index, and
	 * the version found; these are what an installation would change */
	uint32_t *needed;
	const char **installed;
	uint32_t n_needed;
};

struct pd_verdicts {
	struct pd_verdict_row *rows;
	size_t len, cap;
};

/** Judge every update of every catalog for the server with these facts. */
bool pd_catalogs_judge(const struct pd_catalogs *list,
		       const struct pd_facts *facts, struct pd_verdicts *out,
		       struct pd_error **err) PD_MUST_USE;
void pd_verdicts_clear(struct pd_verdicts *v);
#define pd_verdicts_cleanup pd_verdicts_clear

/** Compare two versions: <0, 0, >0 in *out; false if the scheme does not
 * allow one of them. */
bool pd_version_compare(enum pd_scheme scheme, const char *a, const char *b,
			int *out, struct pd_error **err) PD_MUST_USE;

/** One needed update in the form that a plan freezes (see arguments.h). */
json_t *pd_verdict_json(const struct pd_verdict_row *row);

#endif
