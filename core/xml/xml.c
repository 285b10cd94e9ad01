/* SPDX-License-Identifier: MIT */
/* The hardened XML reader: libxml2's parser behind a SAX handler. */
#include "xml/xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdio.h>

enum {
	/* libxml2 compares the attributes of a tag pairwise once it has read
	 * the tag's end: those of a long one are counted while it is open. */
	OPEN_ATTRIBUTES = 5 * 8192,
	OPEN_NAMESPACES = 2 * 8192,
	OPEN = 65536, /* bytes of anything that may be open, whatever the limits */
	KNOWN = 64
};

/* At which depths elements of a name are passed over, as far as it was asked. */
struct known {
	const xmlChar *name;      /* libxml2 has each once */
	uint64_t asked, passed;
};

struct parse {
	xmlParserCtxt *ctxt;
	const char *name;
	const struct pd_xml_handler *handler;
	struct pd_ctx *ctx;
	struct pd_xml_limits limits;
	pd_xml_read_fn *read;
	void *source;
	size_t bytes;             /* that were read of it */
	unsigned depth;
	unsigned skipped;         /* depth of the element that is passed over; 0: none */
	bool untold;              /* and its end is not told, as its start was not */
	bool rooted;              /* the first element was seen */
	size_t text;              /* length of the text since the last tag */
	int result;               /* below zero: everything after is dropped */
	struct pd_error **err;
	struct pd_xml_attr *attrs;
	size_t cap;
	struct known known[KNOWN];
};

/* The innermost document of this thread. */
static _Thread_local const struct parse *running;
/* Without one, of what is told from a tape. */
static _Thread_local unsigned told_row, told_column;

unsigned pd_xml_row(void)
{
	return running ? (unsigned)running->ctxt->input->line : told_row;
}

unsigned pd_xml_column(void)
{
	return running ? (unsigned)running->ctxt->input->col : told_column;
}

size_t pd_xml_offset(void)
{
	const xmlParserInput *in = running->ctxt->input;

	return in->consumed + (size_t)(in->cur - in->base);
}

void pd_xml_stand(unsigned row, unsigned column)
{
	told_row = row;
	told_column = column;
}

/* Only the first refusal counts; later ones follow from it. */
static void PD_PRINTF(3, 4)
refuse(struct parse *p, const char *id, const char *fmt, ...)
{
	pd_auto_free char *text = NULL;
	va_list ap;

	if (p->result)
		return;
	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	pd_error_at(p->err, id, p->name, (unsigned)xmlSAX2GetLineNumber(p->ctxt),
		    (unsigned)xmlSAX2GetColumnNumber(p->ctxt), "%s", text);
	p->result = PD_FAILED;
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *external,
		       const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	refuse(user, "xml-refused", "a DOCTYPE is not allowed; remove it");
}

/* libxml2 has one code for each of these three. */
static const char *bad_end(const struct parse *p)
{
	return p->depth ? "the document ends inside an element; it is truncated, "
			  "or a closing tag is missing" :
	       p->rooted ? "there is something after the end of the document" :
			   "this is no XML document";
}

static void on_error(void *user, xmlErrorPtr e)
{
	struct parse *p = user;
	const char *said = e->message ? e->message : "", *mend = "";
	const char *cut = strstr(said, ", indicate");
	size_t len = cut ? (size_t)(cut - said) : strcspn(said, "\n");

	if (p->result || e->level < XML_ERR_ERROR)
		return;
	switch (e->code) {
	case XML_ERR_UNDECLARED_ENTITY:
		refuse(p, "xml-refused", "entity &%s; is not known and not read "
		       "from anywhere; write its text, or a number such as &#233;",
		       e->str1 ? e->str1 : "?");
		return;
	case XML_ERR_INTERNAL_ERROR:
	case XML_ERR_ATTRIBUTE_NOT_FINISHED:
	case XML_ERR_PI_NOT_FINISHED:
	case XML_ERR_CDATA_NOT_FINISHED:
	case XML_ERR_NAME_TOO_LONG:
		if (!strstr(said, "Huge") && !strstr(said, "too "))
			break;
		refuse(p, "xml-limit", "a tag or section has more than 10 MB");
		return;
	case XML_ERR_DOCUMENT_END:
	case XML_ERR_DOCUMENT_EMPTY:
	case XML_ERR_TAG_NOT_FINISHED:
		said = bad_end(p);
		len = strlen(said);
		break;
	case XML_ERR_INVALID_CHAR:
	case XML_ERR_INVALID_ENCODING:
	case XML_I18N_CONV_FAILED:
		mend = "; save it as UTF-8, or declare the encoding that it has";
		break;
	case XML_NS_ERR_UNDEFINED_NAMESPACE:
		mend = "; declare it with an xmlns attribute";
		break;
	default:
		break;
	}
	pd_error_at(p->err, "xml-syntax", p->name,
		    (unsigned)(e->line > 0 ? e->line : 1),
		    (unsigned)(e->int2 > 0 ? e->int2 : 0), "%.*s%s",
		    (int)len, said, mend);
	p->result = PD_FAILED;
}

/* libxml2 leaves "&" in values as "&#38;" as long as it replaces no entities
 * itself, and it must not: the only place where values need decoding. */
static char *decode(char *from, const char *end)
{
	char *to = memchr(from, '&', (size_t)(end - from)), *amp = to;

	if (!to)
		return from + (end - from);
	while (amp) {
		const char *rest = end - amp >= 5 && !memcmp(amp, "&#38;", 5) ? amp + 5 : amp + 1;
		char *next = memchr(rest, '&', (size_t)(end - rest));
		size_t len = (size_t)((next ? next : end) - rest);

		*to++ = '&';
		memmove(to, rest, len);
		to += len;
		amp = next;
	}
	return to;
}

/* raw: per attribute its name, prefix, URI, and begin and end of its value.
 * That is in the parser's input, which is behind it now, up to the quote: it
 * is ended and decoded there, and not copied. */
static bool take_attributes(struct parse *p, const xmlChar **raw, size_t n)
{
	if (n > p->cap) {
		p->cap = 2 * n;
		p->attrs = pd_realloc(p->attrs, p->cap, sizeof(*p->attrs));
	}
	for (size_t i = 0; i < n; i++, raw += 5) {
		char *value = (char *)(uintptr_t)raw[3];
		size_t len = (size_t)(raw[4] - raw[3]);

		if (len > p->limits.text) {
			refuse(p, "xml-limit", "the value of %s has %zu bytes; "
			       "at most %zu are allowed", (const char *)raw[0],
			       len, p->limits.text);
			return false;
		}
		*decode(value, value + len) = '\0';
		p->attrs[i] = (struct pd_xml_attr){ (const char *)raw[2],
						    (const char *)raw[0], value };
	}
	return true;
}

/* XML-DSig takes its own elements out of what it signs: whatever stands in one is
 * proved by nobody. */
static bool is_signature(const xmlChar *uri, const xmlChar *name)
{
	return uri && *name == 'S' && strcmp((const char *)name, "Signature") == 0 &&
	       strcmp((const char *)uri, "http://www.w3.org/2000/09/xmldsig#") == 0;
}

/* Is it of no interest to the handler? */
static bool is_passed(struct parse *p, const xmlChar *name)
{
	struct known *k = &p->known[(uintptr_t)name / 8 % KNOWN];
	uint64_t bit = UINT64_C(1) << p->depth % 64;

	if (!p->handler->passed || p->depth >= 64)
		return false;
	if (k->name != name)
		*k = (struct known){ .name = name };
	if (!(k->asked & bit) && p->handler->passed((const char *)name, p->depth, p->limits.bare))
		k->passed |= bit;
	k->asked |= bit;
	return k->passed & bit;
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int n_ns, const xmlChar **ns, int n,
		     int defaulted, const xmlChar **raw)
{
	struct parse *p = user;

	(void)prefix, (void)n_ns, (void)ns, (void)defaulted;
	if (p->result)
		return;
	p->text = 0;
	p->rooted = true;
	if (++p->depth > p->limits.depth)
		refuse(p, "xml-limit", "elements are nested deeper than %u",
		       p->limits.depth);
	else if ((unsigned)n > p->limits.attributes)
		refuse(p, "xml-limit", "<%s> has %d attributes; at most %u are "
		       "allowed", (const char *)name, n, p->limits.attributes);
	else if (!p->skipped && (p->untold = is_signature(uri, name) || is_passed(p, name)))
		p->skipped = p->depth;
	else if (!p->skipped && take_attributes(p, raw, (size_t)n) && p->handler->start)
		p->result = p->handler->start(p->ctx, p->handler->user,
					      (const char *)uri, (const char *)name,
					      p->attrs, (size_t)n);
	if (p->result == PD_XML_SKIP) {
		p->skipped = p->depth;
		p->result = 0;
	}
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct parse *p = user;

	(void)prefix;
	if (p->result)
		return;
	p->text = 0;
	if (p->depth-- == p->skipped) {
		p->skipped = 0;
		if (p->untold)
			return;
	}
	if (p->handler->end && !p->skipped)
		p->result = p->handler->end(p->ctx, p->handler->user,
					    (const char *)uri, (const char *)name);
}

static void on_text(void *user, const xmlChar *text, int len)
{
	struct parse *p = user;

	if (p->result)
		return;
	p->text += (size_t)len;
	if (p->text > p->limits.text)
		refuse(p, "xml-limit", "a piece of text has more than %zu bytes",
		       p->limits.text);
	else if (p->handler->text && !p->skipped)
		p->result = p->handler->text(p->ctx, p->handler->user,
					     (const char *)text, (size_t)len);
}

/* libxml2 asks for more; with less than it asks for it would not find the
 * encoding.  After a refusal there is no more. */
static int more(void *user, char *buffer, int len)
{
	struct parse *p = user;
	const xmlParserInput *in = p->ctxt->input;
	size_t size = (size_t)len, open = (size_t)(in->end - in->base), used = 0;
	ssize_t n = 1;

	if (p->ctxt->inSubset)
		on_doctype(p, NULL, NULL, NULL);
	if (open > OPEN && open + size > p->limits.text)
		refuse(p, "xml-limit", "a tag, or the space between two, has more than "
		       "%zu bytes", p->limits.text);
	if (p->ctxt->maxatts > OPEN_ATTRIBUTES || p->ctxt->nsNr > OPEN_NAMESPACES)
		refuse(p, "xml-limit", "a tag has more than %u attributes",
		       p->limits.attributes);
	while (!p->result && used < size &&
	       (n = p->read(p->source, buffer + used, size - used, p->err)) > 0)
		used += (size_t)n;
	p->bytes += used;
	if (n < 0)
		p->result = PD_FAILED;
	else if (p->bytes > p->limits.bytes)
		refuse(p, "xml-limit", "the document has more than %zu bytes",
		       p->limits.bytes);
	return p->result ? 0 : (int)used;
}

int pd_xml_parse(const char *name, pd_xml_read_fn *read, void *user,
		 const struct pd_xml_limits *limits,
		 const struct pd_xml_handler *handler, struct pd_ctx *ctx,
		 struct pd_error **err)
{
	xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC,
			      .internalSubset = on_doctype,
			      .startElementNs = on_start, .endElementNs = on_end,
			      .characters = on_text, .cdataBlock = on_text,
			      .ignorableWhitespace = on_text, .serror = on_error };
	xmlStructuredErrorFunc old = xmlStructuredError;
	void *old_context = xmlStructuredErrorContext;
	struct parse p = { .name = name, .handler = handler, .ctx = ctx,
			   .read = read, .source = user, .err = err };
	const struct parse *outer = running;

	if (limits)
		p.limits = *limits;
	p.limits.bytes = p.limits.bytes ? p.limits.bytes : PD_XML_BYTES;
	p.limits.depth = p.limits.depth ? p.limits.depth : 256;
	p.limits.attributes = p.limits.attributes ? p.limits.attributes : 256;
	p.limits.text = p.limits.text ? p.limits.text : 10000000;
	/* Errors of converters have no parser to report to. */
	xmlSetStructuredErrorFunc(&p, on_error);
	p.ctxt = xmlCreateIOParserCtxt(&sax, &p, more, NULL, &p, XML_CHAR_ENCODING_NONE);
	if (!p.ctxt)
		abort();
	xmlCtxtUseOptions(p.ctxt, XML_PARSE_NONET);
	p.bytes = p.limits.before;
	if (p.limits.row)
		p.ctxt->input->line = (int)p.limits.row;
	running = &p;
	xmlParseDocument(p.ctxt);
	if (!p.ctxt->wellFormed)
		refuse(&p, "xml-syntax", "this is not a well-formed XML document");
	running = outer;
	if (p.ctxt->myDoc)
		xmlFreeDoc(p.ctxt->myDoc);
	xmlFreeParserCtxt(p.ctxt);
	xmlSetStructuredErrorFunc(old_context, old);
	free(p.attrs);
	return p.result;
}
