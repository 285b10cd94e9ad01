/* SPDX-License-Identifier: MIT */
/** Catalogs: the update model, reading it from any format, and verdicts. */
#ifndef PD_CATALOG_CATALOG_H
#define PD_CATALOG_CATALOG_H

#include "base/version.h"
#include "facts/facts.h"

/* All strings are owned by the catalog (an arena with interned strings). */

/** One update.  Strings are never NULL; a package's version is the full one,
 * with epoch and release. */
struct pd_catalog_update {
	const char *id, *revision, *title, *description, *url, *vendor;
	const char *severity_text;
	const char *trust; /* what its own catalog has on record */
	uint8_t severity, kind, status, restart;
	bool interactive, permanent;
	bool barred;       /* not approved: it is not installed, and replaces nothing */
	uint32_t line;
	uint32_t place;    /* which update of the catalog it is, from 0 */
	uint32_t left_out; /* packages that no server of the audience has */
	uint32_t n_there;  /* of these: those that the only one has, as new or newer */
	uint8_t grown;     /* lists with room up to a power of two, by enum pd_emit */
	const char *there, *there_version; /* the first of n_there, and what was found of it */
	int64_t issued, updated, disk_bytes, expected;
	struct pd_package_row *packages;
	struct pd_payload *payloads;
	struct pd_relation *relations;
	struct pd_installer *installers;
	struct pd_exit_row *exits;
	struct pd_rule *rules;
	uint32_t n_packages, n_payloads, n_relations, n_installers, n_exits, n_rules;
};

/** All that is kept of an update that no server of the audience needs. */
struct pd_catalog_brief {
	const char *id, *revision; /* id NULL: it was replaced by another one */
	const char *package;   /* one of its packages */
	const char *installed; /* version found of it; NULL: none is there */
	uint32_t packages;     /* that are there; or else that it has */
	uint32_t place;
	uint8_t severity, kind, status, restart;
	bool barred;
};

struct pd_catalog {
	char *name;      /* for people: file name, or the reader's */
	char *format;    /* "native:native", "apt:apt" ... */
	char *path;      /* NULL: read from the server */
	char *trust;     /* what proves it; NULL: nothing does */
	pd_digest digest; /* of the file, or of the canonical content; "" not asked for */
	struct pd_catalog_update *updates;
	size_t len, cap;
	struct pd_catalog_update *shared; /* rules that updates call */
	size_t n_shared, cap_shared;
	struct pd_catalog_brief *briefs;
	size_t n_briefs, cap_briefs;
	size_t places;   /* updates in all, replaced ones too */
	size_t ignored;  /* entries passed over */
	bool linked;     /* some updates replace or require others, or consist of them */
	bool approvals;  /* there are some: what is not approved is barred */
	struct pd_strings notes; /* "file:line: what was passed over", at most 1 Mi */
	struct pd_arena *arena;
	struct pd_crowd *crowd; /* what is known of many servers; NULL: nothing */
	size_t judged;          /* servers */
};

/** The servers that a catalog is read for; none: any.  Of an update that none of
 * them needs only a brief is kept, and of the others only packages that one has. */
struct pd_audience {
	struct pd_index names;        /* of all their packages, owned */
	size_t servers;
	const struct pd_facts *facts; /* of the first one, borrowed */
	bool digest;                  /* the catalog's is asked for, too */
	bool bare;                    /* and only what verdicts are made of */
};

void pd_audience_add(struct pd_audience *a, const struct pd_facts *facts);
void pd_audience_clear(struct pd_audience *a);
#define pd_audience_cleanup pd_audience_clear

/**
 * Read a catalog: a file (its format recognised by content) or "READER:" for
 * one that reads the server itself, such as "apt:".  @p audience NULL: for
 * everybody.  NULL with *err set.
 */
struct pd_catalog *pd_catalog_read(struct pd_registry *reg, const char *source,
				   const struct pd_audience *audience, struct pd_error **err);
/** One of several files: those @p before tell what its packages replace. */
struct pd_catalog *pd_catalog_read_all(struct pd_registry *reg, const char *source,
				       const struct pd_strings *before,
				       const struct pd_audience *audience, struct pd_error **err);
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
	bool unsure;   /* UNKNOWN: its rules fit this server, and whether it is there
			* only its installer can tell */
	uint32_t rank; /* those that it requires and that are needed have lower ones */
	const struct pd_facts *late; /* all but the verdict is made by these when it is shown */
	/** packages of the update that are installed and older, by index, and
	 * the version found; these are what an installation would change */
	uint32_t *needed;
	const char **installed;
	uint32_t n_needed;
	/** or, where rules alone say what is needed, packages that they found older */
	struct pd_old {
		const json_t *package;
		const struct pd_rule *rule; /* has what it has to get to */
		int truth;                  /* of what found it */
	} *olds;
	uint32_t n_olds;
};

/** Bar all that the file at @p path does not allow; without that file everything
 * is allowed.  To @p changed is added, in words, which updates have something now
 * that they did not have when they were approved. */
bool pd_catalogs_approve(const struct pd_catalogs *list, const char *path,
			 struct pd_strings *changed, struct pd_error **err) PD_MUST_USE;
/** Digests of what an update would install, as an approval has them. */
json_t *pd_update_content(const struct pd_catalog_update *u);

/** Its parts; new references. */
json_t *pd_update_payloads(const struct pd_catalog_update *u);
json_t *pd_update_installers(const struct pd_catalog_update *u);
json_t *pd_update_exits(const struct pd_catalog_update *u);
/** Regular expressions for the devices that it is for. */
json_t *pd_update_devices(const struct pd_catalog_update *u);

struct pd_verdicts {
	struct pd_verdict_row *rows;
	size_t len, cap;
};

/** Judge every update of every catalog for the server with these facts, which have
 * to stay as long as the rows do; those of which there is only a brief have none. */
bool pd_catalogs_judge(const struct pd_catalogs *list, const struct pd_facts *facts,
		       struct pd_verdicts *out, struct pd_error **err) PD_MUST_USE;
void pd_verdicts_clear(struct pd_verdicts *v);
#define pd_verdicts_cleanup pd_verdicts_clear

/** The next of all updates in their order, with and without a row.  Start with
 * zeros; @return false at the end.  Texts are good until the next call.  @p only:
 * of each verdict, whether it is asked for; briefs come nevertheless. */
struct pd_verdict_walk {
	const struct pd_catalog *catalog;
	const char *id, *revision;
	enum pd_verdict verdict;
	unsigned severity, kind, restart;
	const struct pd_verdict_row *row;     /* or, if it is not needed, */
	const struct pd_catalog_brief *brief; /* this */
	bool barred;
	size_t at, next_row, next_brief;      /* where it goes on */
	char *made;                           /* the reason, of a brief */
};

bool pd_verdict_next(const struct pd_catalogs *list, const struct pd_verdicts *v,
		     const bool *only, struct pd_verdict_walk *w);
/** What proves an update, in words: its catalog's own proof, and what that has on
 * record of it.  The caller frees. */
char *pd_trust_text(const struct pd_catalog *c, const struct pd_catalog_update *u);
/** In words; good until the next call. */
const char *pd_verdict_reason(struct pd_verdict_walk *w);
void pd_verdict_walk_clear(struct pd_verdict_walk *w);
#define pd_verdict_walk_cleanup pd_verdict_walk_clear
/** All that is to be known of it; new reference. */
json_t *pd_verdict_walk_json(struct pd_verdict_walk *w);
/** The same as a line of JSON, which takes a tenth of the time; appended.
 * @p fixed: only what the form of `scan --packages --json` has; @p server NULL:
 * not named. */
void pd_verdict_line(struct pd_verdict_walk *w, bool fixed, const char *server,
		     struct pd_buffer *out);

/** Does it open a group of rules? */
bool pd_rule_opens(unsigned op);
/** What a rule calls by this id: rules of their own, or an update; NULL: neither. */
const struct pd_catalog_update *pd_catalog_called(const struct pd_catalog *c, const char *id);

/** The same as a line of a table for people, with a mark if it is barred. */
void pd_verdict_text(struct pd_verdict_walk *w, const char *mark, struct pd_buffer *out);

/** Of what has no row: how many there are of each verdict, added to @p counts. */
void pd_catalog_count(const struct pd_catalog *c, int64_t *counts);

/** One needed update in the form that a plan freezes (see arguments.h). */
json_t *pd_verdict_json(const struct pd_verdict_row *row);

#endif
