/* SPDX-License-Identifier: MIT */
/** Facts: what scanners found on a server, by kind; see doc/facts.md. */
#ifndef PD_FACTS_FACTS_H
#define PD_FACTS_FACTS_H

#include "base/json.h"
#include "plugin/registry.h"

/**
 * A thin handle over one JSON object: a singleton kind ("os") is an object, a
 * kind of many ("packages") an array of objects.  Owned by the holder.
 */
struct pd_facts {
	json_t *json;
	struct pd_package_index *packages; /* made at first use */
	char *unread; /* why a scanner of packages failed; NULL: none did */
};

/** How a comparison sees a column. */
enum pd_fact_use {
	PD_FACT_ID = 1,   /* with the other ones names a row */
	PD_FACT_LIVE = 2, /* changes by itself, or with another column */
	PD_FACT_LOG = 4   /* rows of a log: that one is gone is no difference */
};

/** One field that a kind may have, one kind. */
struct pd_fact_column {
	const char *key;
	enum pd_fact_type type;
	const char *help;
	unsigned use; /* enum pd_fact_use */
};

struct pd_fact_kind {
	const char *name;
	bool many;
	const char *key; /* the column that names a row; NULL */
	const char *help;
	const struct pd_fact_column *columns; /* ends with key NULL */
};

const struct pd_fact_kind *pd_fact_kind(const char *name); /* NULL unknown */
const struct pd_fact_kind *pd_fact_kinds(size_t *count);
/** Is there such a kind, or is it of the form "x-...", and has it the field
 * (empty: any)?  If not, *err names those that there are. */
bool pd_fact_known(const char *kind, const char *field, struct pd_error **err) PD_MUST_USE;

/** Run the scanners of all plugins (or those that report one of @p kinds).
 * A scanner that fails is named in @p warnings and leaves its kinds out. */
bool pd_facts_scan(struct pd_registry *reg, const struct pd_strings *kinds,
		   struct pd_facts *out, struct pd_strings *warnings,
		   struct pd_error **err) PD_MUST_USE;
/** From a file that `patchday facts --json` wrote; every row is checked. */
bool pd_facts_read(const char *path, struct pd_facts *out,
		   struct pd_error **err) PD_MUST_USE;
/** From their JSON, which stays the caller's; @p name is for errors. */
bool pd_facts_from(const json_t *all, const char *name, struct pd_facts *out,
		   struct pd_error **err) PD_MUST_USE;
/** Checks one row against its kind; used by scans and files alike. */
bool pd_facts_add(struct pd_facts *f, const char *kind, const json_t *row,
		  struct pd_error **err) PD_MUST_USE;
void pd_facts_clear(struct pd_facts *f);
#define pd_facts_cleanup pd_facts_clear

/** A hash table from a borrowed string to a number. */
struct pd_index {
	struct pd_index_slot {
		const char *key; /* NULL: free */
		uint32_t hash, value;
	} *slots;
	size_t len, cap;
};

/** The slot of @p key, entered with @p value if it is new: then its key is
 * @p key itself, and may be set to an equal one that outlives the index.  Good
 * until the next call. */
struct pd_index_slot *pd_index_put(struct pd_index *index, const char *key, uint32_t value);
/** NULL: not there. */
const struct pd_index_slot *pd_index_find(const struct pd_index *index,
					  const char *key);
void pd_index_clear(struct pd_index *index);
/**
 * What differs between two scans, of the kinds that both have: a list of
 * {kind, key, change: added | removed | changed, field, before, after} in the
 * order of kind and key; field only with changed, before and after texts, the
 * one that is not there left out; row is the whole one, after if it is there.
 * New reference.
 */
json_t *pd_facts_diff(const struct pd_facts *before, const struct pd_facts *after);
/** enum pd_fact_use of all its columns; kinds with an ID are compared. */
unsigned pd_fact_uses(const struct pd_fact_kind *kind);

/** An installed package; strings borrowed from the facts. */
struct pd_installed {
	const char *name, *version, *arch;
	enum pd_scheme scheme;
	bool held;
	uint32_t known; /* of rows of many files: its number, the same for equal rows; 0: none */
	const json_t *row;
};

/** What a row of a package says.  False: dpkg only remembers it. */
bool pd_installed_of(const json_t *row, struct pd_installed *out);
/** All installed packages of a name (several architectures or versions), or
 * all that there are if it is empty; hashed, O(1).  @return how many, *first points at the first. */
size_t pd_facts_packages(const struct pd_facts *f, const char *name,
			 const struct pd_installed **first);

/** Rows of packages of files that were read before. */
struct pd_facts_rows {
	struct pd_index texts; /* each as it stood there, to its place in */
	struct pd_buffer rows;
	struct pd_facts facts; /* which own them */
};

/** pd_facts_read() of one file of many: equal packages are read once for all. */
bool pd_facts_read_known(struct pd_facts_rows *known, const char *path, struct pd_facts *out,
			 struct pd_error **err) PD_MUST_USE;
/** The list of packages in a file's @p text, which is an empty one then, and those that
 * are installed, added as struct pd_installed; NULL: it is of no form that is known
 * here, or has none, and the text is as it was. */
json_t *pd_facts_cut(struct pd_facts_rows *known, char *text, struct pd_buffer *installed);
void pd_facts_rows_clear(struct pd_facts_rows *known);
#define pd_facts_rows_cleanup pd_facts_rows_clear

#endif
