/* SPDX-License-Identifier: MIT */
/** Private to the native reader: elements, attributes, and where it stands. */
#ifndef PD_CATALOG_NATIVE_H
#define PD_CATALOG_NATIVE_H

#include "catalog/model.h"

enum element {
	CATALOG, UPDATE, TITLE, DESCRIPTION, LINK, ALIAS, SUPERSEDES, REQUIRES,
	BUNDLES, REFERENCE, PAYLOAD, PACKAGE, INSTALL, UNINSTALL, EXIT,
	APPLICABLE, INSTALLED, ALL, ANY, NONE, TEST, CALL, ELEMENTS
};
#define IN(e) (1u << (e))
#define RULES (IN(APPLICABLE) | IN(INSTALLED) | IN(ALL) | IN(ANY) | IN(NONE))


struct element_row {
	const char *name;
	unsigned parents; /* IN() of each */
	int emits;        /* enum pd_emit; 0: by a way of its own */
	unsigned kind;    /* of relation, installer, tree or rule */
	const struct attribute *attributes;
};

extern const struct element_row pd_native_elements[ELEMENTS];

struct reader {
	struct pd_builder *b;
	struct pd_error **err;
	enum element stack[128];
	unsigned depth, line, tree;
	bool head_open;              /* the head is not yet handed on */
	struct pd_update_head head;
	unsigned seen;               /* parts of the head, trees of rules */
	char *vendor;
	struct pd_strings texts;     /* of the head, and ids of payloads */
	struct pd_index payloads;
	struct pd_buffer text;
};

/** Error at the place where the parser is; PD_FAILED. */
int pd_native_mistake(struct reader *r, const char *fmt, ...) PD_PRINTF(2, 3);
/** "expected a, b or c; is "b" meant?"; the caller frees. */
char *pd_native_expected(const char *word, const char *const *words, size_t n);
/** A copy that lives as long as the update. */
const char *pd_native_keep(struct reader *r, const char *s);
/** Fill the struct of plugin.h that an element stands for. */
int pd_native_attributes(struct reader *r, enum element e, void *part,
			 const struct pd_xml_attr *given, size_t n);

#endif
