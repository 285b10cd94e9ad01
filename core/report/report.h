/* SPDX-License-Identifier: MIT */
/** The report of a run: XML from its record, other forms by XSLT. */
#ifndef PD_REPORT_REPORT_H
#define PD_REPORT_REPORT_H

#include "run/record.h"

/** Paths of what was written; owned. */
struct pd_report_files {
	char *xml, *html;
};

void pd_report_files_cleanup(struct pd_report_files *f);

/** The report as XML; the caller frees. */
char *pd_report_xml(const struct pd_record *r);
/** As "xml", "html", "csv" or "text"; @p library holds the style
 * sheets in report/.  NULL with *err set; the caller frees. */
char *pd_report_text(const struct pd_record *r, const char *library,
		     const char *format, struct pd_error **err);
/** Write the certificate "site - server - date" as XML and HTML into @p folder
 * (NULL: certificates/ of the state folder), atomically, mode 0600. */
bool pd_report_write(const struct pd_record *r, const char *state,
		     const char *library, const char *folder,
		     struct pd_report_files *out, struct pd_error **err) PD_MUST_USE;

#endif
