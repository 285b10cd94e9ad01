/* SPDX-License-Identifier: MIT */
/** Cut: the source as pieces that begin before items, each of which is a document
 * between a head and a tail. */
#ifndef PD_PLUGIN_CUT_H
#define PD_PLUGIN_CUT_H

#include "plugin/child.h"

enum {
	PD_CUT_LONGEST = 8 << 20, /* of a piece, in bytes, if an item is that long */
	PD_CUT_HEAD = 16 << 10
};

/** In memory that processes share. */
struct pd_piece {
	size_t len;
	unsigned row;       /* of its first line */
	unsigned head_rows; /* line ends of the head */
	size_t listed;      /* up to this byte, from the head on, may be opened or closed what the tail closes */
	unsigned outer;     /* elements that are open in the end, which the tail closes */
	bool first, last;   /* it has the document's own head, tail */
	char head[PD_CUT_HEAD], tail[PD_CUT_HEAD]; /* the head ends with a line end */
	char bytes[PD_CUT_LONGEST];
};

struct pd_cut {
	struct pd_child *child;
	bool deep;            /* items need not be in the root itself */
	size_t pieces;
	size_t bytes;         /* of the source, so far */
	unsigned rows;        /* line ends in what was cut */
	const char *rest;     /* behind the last cut */
	size_t rest_len;
	bool ended;           /* nothing is left of the source */
	/* private, of the list of items that it is in */
	char *head, *tail, *item; /* "<name" */
	size_t list;          /* where the list's own start is in the head */
	unsigned outer;
};

/** Read the first bytes to @p p.  @return whether this is the plainest kind of
 * document, with items, and long; false: it is to be read in one. */
bool pd_cut_begin(struct pd_cut *c, struct pd_piece *p) PD_MUST_USE;
/** @return whether there is a next piece; false: what is left, in which @p p is
 * nothing but head and place, is to be read in one. */
bool pd_cut_next(struct pd_cut *c, struct pd_piece *p) PD_MUST_USE;

#endif
