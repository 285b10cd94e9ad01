/* SPDX-License-Identifier: MIT */
/** XML: the one hardened way in.  No DTD, no entities but the five, no
 * network; size, depth, attributes and count are limited; an XML signature and all
 * that is in it is passed over. */
#ifndef PD_XML_XML_H
#define PD_XML_XML_H

#include "base/error.h"

/** Bytes of the document: returns how many, 0 at the end, -1 failed with
 * *err set. */
typedef ssize_t pd_xml_read_fn(void *user, void *buffer, size_t len,
			       struct pd_error **err);

#define PD_XML_BYTES ((size_t)4 << 30)

struct pd_xml_limits {
	size_t bytes;      /* of the whole document; 0: PD_XML_BYTES */
	unsigned depth;    /* 0: 256 */
	unsigned attributes; /* of one element; 0: 256 */
	size_t text;       /* of one piece of text or one value; 0: 10 MB */
	/* of a part of a document */
	size_t before;     /* bytes that count as read */
	unsigned row;      /* of its first line; 0: 1 */
	bool bare;         /* what handlers pass over where nobody asks for more */
};

/**
 * Stream a document through a SAX handler (struct of plugin.h; @p ctx is only
 * handed on).
 * @return 0, or what a callback returned below zero (then *err is not set
 * here), or PD_FAILED with *err set to name:line:column and what to mend.
 */
int pd_xml_parse(const char *name, pd_xml_read_fn *read, void *user,
		 const struct pd_xml_limits *limits,
		 const struct pd_xml_handler *handler, struct pd_ctx *ctx,
		 struct pd_error **err);
/** In a callback: line and column behind what was just read; elsewhere 0. */
unsigned pd_xml_row(void);
unsigned pd_xml_column(void);
/** In a callback: bytes of the document up to there, if it is UTF-8. */
size_t pd_xml_offset(void);
/** Both where no document is being parsed. */
void pd_xml_stand(unsigned row, unsigned column);

#endif
