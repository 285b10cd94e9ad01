/* SPDX-License-Identifier: MIT */
/** The report of a run: XML from its record, other forms by XSLT. */
#ifndef PD_REPORT_REPORT_H
#define PD_REPORT_REPORT_H

#include "run/record.h"

/** Paths of what was written; owned. */
struct pd_report_files {
	char *xml, *html;
	char *signature; /* of the XML; the file exists when it is sealed */
};

void pd_report_files_cleanup(struct pd_report_files *f);

/** @p text with U+FFFD for what is no UTF-8, or what XML 1.0 can't hold even as a
 * reference; the caller frees. */
char *pd_report_clean(const char *text);
/** The report as XML; the caller frees. */
char *pd_report_xml(const struct pd_record *r);
/** As "xml", "html", "csv" or "text"; @p library holds the style
 * sheets in report/.  NULL with *err set; the caller frees. */
char *pd_report_text(const struct pd_record *r, const char *library,
		     const char *format, struct pd_error **err);
/** HTML, CSV or text from the XML. */
char *pd_report_render(const char *xml, const char *library, const char *format,
		       struct pd_error **err);
/** Where the certificate's XML is, or will be; the caller frees. */
char *pd_report_path(const struct pd_record *r, const char *state, const char *folder);
/** Write the certificate "site - server - date" as XML and HTML into @p folder
 * (NULL: certificates/ of the state folder), atomically, mode 0600.  One that is
 * sealed is left as it is. */
bool pd_report_write(const struct pd_record *r, const char *state,
		     const char *library, const char *folder,
		     struct pd_report_files *out, struct pd_error **err) PD_MUST_USE;

#endif
