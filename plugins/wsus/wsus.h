/* SPDX-License-Identifier: MIT */
/* Private to the plugin wsus: what was read, kept until the file's end, since
 * the addresses of the files come last and updates refer forward. */
#ifndef PD_PLUGIN_WSUS_H
#define PD_PLUGIN_WSUS_H

#include <patchday/plugin.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* The parts of an update, in document order. */
enum item_kind {
	ITEM_NEEDS,        /* a prerequisite, or one of an open group */
	ITEM_OPEN, ITEM_CLOSE, /* of a group: one of it is enough */
	ITEM_PRODUCT, ITEM_CLASS, /* categories */
	ITEM_SUPERSEDED_BY, ITEM_BUNDLED_BY, /* by revision id */
	ITEM_FILE
};

struct item {
	enum item_kind kind;
	const char *text; /* GUID in lower case, revision id, or id of a file */
};

struct update {
	const char *id, *revision;
	const char *revision_id; /* unique in the file; the others refer to it */
	int64_t issued;
	uint32_t line, items, n_items;
	uint32_t parts, replaces; /* 1 + the first link; 0: none */
	bool offered;    /* by itself: not a part, not only looked at */
	bool superseded; /* by one that is in the file */
};

/* An update in a list of another one. */
struct link {
	uint32_t update, next; /* next as in struct update */
};

/* From a text to a number: open addressing, at most half full. */
struct table {
	struct slot {
		const char *key; /* NULL: free */
		uint32_t hash, value;
	} *slots;
	size_t len, cap;
};

struct arena {
	char *at;
	size_t left;
};

struct reader {
	struct pd_ctx *ctx;
	struct arena arena;
	struct update *updates;
	struct item *items;
	struct link *links;
	const char **urls;
	size_t n_updates, n_items, n_links, n_urls;
	size_t updates_cap, items_cap, links_cap, urls_cap;
	struct table revisions; /* revision id -> update */
	struct table files;     /* id of a file -> its address */
	struct table unknown;   /* elements that were passed over */
	size_t looked_at;       /* updates that nobody installs */
	unsigned depth;
	const char *wrong;      /* with the update that is open; NULL: nothing */
	enum item_kind revision; /* what <Revision> is at this place */
	bool open, payload;
};

/** Memory that lives as long as the callback. */
HIDDEN void *wsus_take(struct reader *r, size_t bytes);
HIDDEN const char *wsus_keep(struct reader *r, const char *s);
/** Room for one more of an array of @p len with @p cap elements. */
HIDDEN void *wsus_room(void *array, size_t len, size_t *cap, size_t size);
HIDDEN void wsus_free(struct reader *r);
/** The slot of @p key, entered with @p value if it is new. */
HIDDEN struct slot *wsus_put(struct reader *r, struct table *t, const char *key, uint32_t value);
/** NULL: not there. */
HIDDEN const struct slot *wsus_find(const struct table *t, const char *key);

/** Hand over all that was read. */
HIDDEN int wsus_emit(struct reader *r);

#endif
