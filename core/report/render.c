/* SPDX-License-Identifier: MIT */
/* What is made of a report's XML: HTML, CSV and text by XSLT, and the files of
 * a certificate. */
#include "report/report.h"

#include <libxml/parser.h>
#include <libxslt/security.h>
#include <libxslt/transform.h>
#include <libxslt/xsltutils.h>
#include <unistd.h>

#include "base/text.h"

void pd_report_files_cleanup(struct pd_report_files *f)
{
	free(f->xml);
	free(f->html);
	free(f->signature);
}

/* A style sheet can compute, but not touch files or the network. */
static xmlDocPtr transform(xsltStylesheetPtr sheet, xmlDocPtr doc)
{
	xsltSecurityPrefsPtr none = xsltNewSecurityPrefs();
	xsltTransformContextPtr context = xsltNewTransformContext(sheet, doc);
	xmlDocPtr out = NULL;

	for (xsltSecurityOption o = XSLT_SECPREF_READ_FILE;
	     o <= XSLT_SECPREF_WRITE_NETWORK; o++)
		xsltSetSecurityPrefs(none, o, xsltSecurityForbid);
	if (context && xsltSetCtxtSecurityPrefs(none, context) == 0)
		out = xsltApplyStylesheetUser(sheet, doc, NULL, NULL, NULL, context);
	xsltFreeTransformContext(context);
	xsltFreeSecurityPrefs(none);
	return out;
}

char *pd_report_render(const char *xml, const char *library, const char *format,
		       struct pd_error **err)
{
	pd_auto_free char *path = pd_print("%s/report/%s.xsl", library, format);
	bool ours = pd_trusted_file(path, err); /* it words what people sign */
	xmlDocPtr style = !ours ? NULL : xmlReadFile(path, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR |
						  XML_PARSE_NOWARNING);
	xsltStylesheetPtr sheet = style ? xsltParseStylesheetDoc(style) : NULL;
	xmlDocPtr doc = xmlReadMemory(xml, (int)strlen(xml), "report.xml", NULL,
				      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	const xmlError *wrong = doc ? NULL : xmlGetLastError();
	const char *what = wrong && wrong->message ? wrong->message : "no memory";
	xmlDocPtr result = sheet && doc ? transform(sheet, doc) : NULL;
	xmlChar *text = NULL;
	char *out = NULL;
	int len = 0;

	if (result && xsltSaveResultToString(&text, &len, result, sheet) == 0)
		out = pd_strndup(text ? (const char *)text : "", (size_t)len);
	else if (ours && !doc)
		pd_error_set(err, "report-xml", "the report can't be read as XML: line %d: %.*s",
			     wrong ? wrong->line : 0, (int)strcspn(what, "\n"), what);
	else if (ours)
		pd_error_set(err, "report-style", "the style sheet %s is missing or broken", path);
	xmlFree(text);
	xmlFreeDoc(result);
	xmlFreeDoc(doc);
	if (sheet)
		xsltFreeStylesheet(sheet);
	else
		xmlFreeDoc(style);
	return out;
}

char *pd_report_text(const struct pd_record *r, const char *library,
		     const char *format, struct pd_error **err)
{
	static const char *const formats[] = { "text", "html", "csv", "xml" };
	pd_auto_free char *xml = pd_report_xml(r);
	const char *nearest = pd_nearest(format, formats, 4);

	if (!nearest || strcmp(nearest, format) != 0) {
		pd_error_set(err, "report-format", "there is no report as '%s', only as text,"
			     " html, csv and xml", format);
		return NULL;
	}
	if (strcmp(format, "xml") == 0)
		return pd_strdup(xml);
	return pd_report_render(xml, library, format, err);
}

/* "site - server - date"; nothing that could leave the folder. */
static char *certificate_name(const struct pd_record *r, bool with_run)
{
	pd_auto_free char *date = pd_show_time(r->started / 1000);
	const char *site = pd_record_site(r);
	size_t len = strnlen(site, 100); /* a file's name ends at 255 */
	char *name = NULL;

	while (len && ((unsigned char)site[len] & 0xc0) == 0x80)
		len--; /* not in the middle of a character */
	name = pd_print("%.*s%s%.64s - %.10s%s%s", (int)len, site, *site ? " - " : "",
			r->server, date, with_run ? " - " : "", with_run ? r->run : "");

	for (char *p = name; *p; p++)
		if (*p == '/' || (unsigned char)*p < ' ' || (p == name && *p == '.'))
			*p = '_';
	return name;
}

/* The second run of a day must not take the place of the first. */
static char *free_name(const struct pd_record *r, const char *folder)
{
	char *name = certificate_name(r, false);
	pd_auto_free char *path = pd_print("%s/%s.xml", folder, name);
	pd_auto_free char *old = pd_file_read(path, SIZE_MAX, NULL, NULL);

	if (!old || strstr(old, r->run))
		return name;
	free(name);
	return certificate_name(r, true);
}

char *pd_report_path(const struct pd_record *r, const char *state, const char *folder)
{
	pd_auto_free char *standard = pd_print("%s/certificates", state), *name = NULL;

	folder = folder ? folder : standard;
	name = free_name(r, folder);
	return pd_print("%s/%s.xml", folder, name);
}

bool pd_report_write(const struct pd_record *r, const char *state,
		     const char *library, const char *folder,
		     struct pd_report_files *out, struct pd_error **err)
{
	pd_auto_free char *standard = pd_print("%s/certificates", state);
	pd_auto_free char *xml = pd_report_xml(r), *html = NULL;

	if (!pd_make_folders(folder ? folder : standard, err))
		return false;
	out->xml = pd_report_path(r, state, folder);
	out->html = pd_print("%.*s.html", (int)strlen(out->xml) - 4, out->xml);
	out->signature = pd_print("%s.minisig", out->xml);
	if (access(out->signature, F_OK) == 0)
		return true; /* it is sealed: that stays */
	html = pd_report_render(xml, library, "html", err);
	return html && pd_file_write(out->xml, 0600, xml, strlen(xml), err) &&
	       pd_file_write(out->html, 0600, html, strlen(html), err);
}
