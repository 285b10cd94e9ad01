/* SPDX-License-Identifier: MIT */
/* Private to the plugin native: elements, attributes, and where it stands. */
#ifndef PD_PLUGIN_NATIVE_H
#define PD_PLUGIN_NATIVE_H

#include <patchday/plugin.h>

#define HIDDEN __attribute__((visibility("hidden")))

enum element {
	CATALOG, UPDATE, TITLE, DESCRIPTION, LINK, ALIAS, SUPERSEDES, REQUIRES,
	BUNDLES, REFERENCE, PAYLOAD, PACKAGE, INSTALL, UNINSTALL, EXIT,
	APPLICABLE, INSTALLED, ALL, ANY, NONE, ONE, ODD, TEST, CALL, UNKNOWN, ELEMENTS
};
#define IN(e) (1u << (e))
#define GROUPS (IN(ALL) | IN(ANY) | IN(NONE) | IN(ONE) | IN(ODD))
#define RULES (IN(APPLICABLE) | IN(INSTALLED) | GROUPS)

struct element_row {
	const char *name;
	unsigned parents; /* IN() of each */
	int emits;        /* enum pd_emit; 0: by a way of its own */
	unsigned kind;    /* of relation, installer, tree or rule */
	const struct attribute *attributes;
};

extern HIDDEN const struct element_row native_elements[ELEMENTS];

/* A text that is used again for the next update. */
struct kept {
	char *data;
	size_t len, cap;
};

struct reader {
	struct pd_ctx *ctx;
	enum element stack[128];
	unsigned depth, tree;
	bool each;              /* revision of an id counts */
	bool head_open;         /* the head is not yet handed on */
	struct pd_update_head head;
	unsigned seen;          /* parts of the head, trees of rules */
	struct kept vendor;     /* of the catalog */
	struct kept texts[16];  /* of the head */
	size_t n_texts;
	struct kept text;       /* of the element that is open */
	void *payloads;         /* their ids, a tree of tsearch() */
	uint32_t n_payloads;
};

/** Append to @p k, which always ends with a NUL then. */
HIDDEN void native_append(struct reader *r, struct kept *k, const char *text, size_t len);
/** A copy that lives as long as the update. */
HIDDEN const char *native_keep(struct reader *r, const char *s);
HIDDEN void native_forget_payloads(struct reader *r);
/** "expected a, b or c; is "b" meant?" */
HIDDEN const char *native_expected(struct reader *r, const char *word,
				   const char *const *words, size_t n);
/** Fill the struct of plugin.h that an element stands for. */
HIDDEN int native_attributes(struct reader *r, enum element e, void *part,
			     const struct pd_xml_attr *given, size_t n);

#endif
