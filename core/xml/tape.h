/* SPDX-License-Identifier: MIT */
/** Tape: events of a part of a document, recorded by one process in memory that
 * it shares with another one, which tells them to a handler. */
#ifndef PD_XML_TAPE_H
#define PD_XML_TAPE_H

#include "xml/xml.h"

enum { PD_XML_NAMES = 1024 };

/** Where a part begins.  Before one in the middle of a document stands a copy of
 * the head, and a line end, of which nothing is recorded or told. */
struct pd_xml_part {
	unsigned row;  /* its first */
	bool begun;    /* at once if there is no copy before it */
};

/** Set part, bytes, room and how the part ends: with a tail that closes the
 * elements of the head, of which nothing is recorded either, or as the document. */
struct pd_xml_tape {
	struct pd_xml_part part;
	char *bytes;
	size_t room, len;
	size_t listed;  /* up to this byte elements that the tail closes may begin or end */
	unsigned outer; /* how many these are; if listed is not 0, they are open there */
	bool last;
	const struct pd_xml_handler *handler; /* that it will be told */
	/* private */
	unsigned closed; /* of the outer ones */
	unsigned depth, there; /* there: the depth at the byte listed */
	bool past;       /* that one */
	bool leaf;       /* the last tag is a start's, which ends at: */
	size_t tag;
	struct pd_xml_name { const char *name; uint32_t at; } names[PD_XML_NAMES];
};

/** A handler that records; it fails if there is no room, and if the part closes
 * what it did not open. */
struct pd_xml_handler pd_xml_recorder(struct pd_xml_tape *t);
/** Once it has been told all: does the part close what it has to, and were as many
 * elements open in the list?  Not if it ends in what is passed over. */
bool pd_xml_recorded(const struct pd_xml_tape *t) PD_MUST_USE;

/** To whom one part after the other is told. */
struct pd_xml_teller {
	const struct pd_xml_handler *handler;
	struct pd_ctx *ctx;
	struct pd_xml_part part; /* that is not recorded: what a forwarder hears */
	unsigned depth, skipped; /* of an element that is passed over; 0: none */
};

/** @return 0, or what a callback returned below zero. */
int pd_xml_tell(struct pd_xml_teller *teller, const char *bytes, size_t len);
/** A handler that tells as it hears. */
struct pd_xml_handler pd_xml_forwarder(struct pd_xml_teller *teller);

#endif
