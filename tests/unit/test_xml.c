/* SPDX-License-Identifier: MIT */
/* The hardened XML reader: what it hands on, and what it refuses. */
#include <sys/resource.h>
#include <time.h>

#include "unit.h"
#include "xml/xml.h"

/* A document that is made while it is read: head, then body over and over. */
struct source {
	const char *head, *body, *tail;
	size_t times, at, chunk; /* chunk: bytes handed out at once; 0: all */
	size_t head_len, tail_len;
};

struct seen {
	char log[4096];
	size_t len, elements, text;
	unsigned line, column;
	int stop_at, result;
	bool (*passed)(const char *name, unsigned depth, bool bare);
};

static ssize_t next(void *user, void *buffer, size_t len, struct pd_error **err)
{
	struct source *s = user;
	size_t n = 0, head = s->head_len ? s->head_len : strlen(s->head);
	size_t body = strlen(s->body), tail = s->tail_len ? s->tail_len : strlen(s->tail);
	size_t all = head + body * s->times + tail;

	(void)err;
	if (s->chunk && len > s->chunk)
		len = s->chunk;
	for (; n < len && s->at < all; n++, s->at++)
		((char *)buffer)[n] =
			s->at < head ? s->head[s->at] :
			s->at < head + body * s->times ? s->body[(s->at - head) % body] :
			s->tail[s->at - head - body * s->times];
	return (ssize_t)n;
}

static void say(struct seen *s, const char *a, const char *b)
{
	int n = snprintf(s->log + s->len, sizeof(s->log) - s->len, "%s%s", a, b);

	if (n > 0 && s->len + (size_t)n < sizeof(s->log))
		s->len += (size_t)n;
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns,
		    const char *name, const struct pd_xml_attr *attrs, size_t n)
{
	struct seen *s = user;

	(void)ctx;
	say(s, "<", name);
	if (ns)
		say(s, "|", ns);
	for (size_t i = 0; i < n; i++) {
		say(s, " ", attrs[i].name);
		say(s, "=", attrs[i].value);
	}
	say(s, ">", "");
	s->line = pd_xml_row();
	s->column = pd_xml_column();
	return (int)++s->elements == s->stop_at ? s->result : 0;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct seen *s = user;

	(void)ctx, (void)ns;
	s->line = pd_xml_row();
	say(s, "</", name);
	return 0;
}

static int on_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct seen *s = user;
	char copy[64] = "";

	(void)ctx;
	s->text += len;
	if (len < sizeof(copy)) {
		memcpy(copy, text, len);
		say(s, copy, "");
	}
	return 0;
}

static int parse(struct source *source, struct seen *seen,
		 const struct pd_xml_limits *limits, char **message)
{
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = seen,
					  .start = on_start, .end = on_end,
					  .text = on_text, .passed = seen->passed };
	pd_auto_error *err = NULL;
	int result = pd_xml_parse("test.xml", next, source, limits, &handler, NULL,
				  &err);

	if (message)
		*message = err ? pd_error_text(err) : NULL;
	return result;
}

static void reads_elements(void)
{
	static const char doc[] =
		"<?xml version='1.0'?><!-- c --><a x='1 &amp; &lt;2&#38;amp;' y=\"é\">\n"
		" <b xmlns='urn:n' p:z='3' xmlns:p='urn:p'>t&amp;u<![CDATA[<v>]]></b></a>";
	static const char want[] = "<a x=1 & <2&amp; y=é>\n <b|urn:n z=3>t&u<v></b</a";

	for (size_t chunk = 0; chunk < 12; chunk++) {
		struct source source = { .head = doc, .body = "", .tail = "", .chunk = chunk };
		struct seen seen = {0};

		CU_ASSERT_EQUAL(parse(&source, &seen, NULL, NULL), 0);
		CU_ASSERT_STRING_EQUAL(seen.log, want);
		CU_ASSERT_EQUAL(seen.line, 2);
	}
}

/* Long enough that tags lie over the borders of what is read at once. */
static void reads_over_borders(void)
{
	struct source source = { .head = "<a>", .body = "<b c='x>y' d=\"'>'\">&gt;z</b>\n",
				 .times = 10000, .tail = "</a>", .chunk = 1000 };
	struct seen seen = {0};

	CU_ASSERT_EQUAL(parse(&source, &seen, NULL, NULL), 0);
	CU_ASSERT_EQUAL(seen.elements, 10001);
	CU_ASSERT_EQUAL(seen.text, 30000);
	CU_ASSERT_EQUAL(seen.line, 10001);
}

/* Nobody asks for it, and none of it is kept. */
static void passes_over_comments(void)
{
	struct source source = { .head = "<a><!--", .body = "x", .times = 50000000,
				 .tail = "--><b/></a>" };
	struct seen seen = {0};

	CU_ASSERT_EQUAL(parse(&source, &seen, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(seen.log, "<a><b></b</a");
}

/* What stands in a signature is not signed by it. */
static void passes_over_signatures(void)
{
	static const char doc[] =
		"<a><s:Signature xmlns:s='http://www.w3.org/2000/09/xmldsig#'><s:Object>no<b/>"
		"<s:Signature/></s:Object></s:Signature><Signature>yes</Signature><c/></a>";
	struct source source = { .head = doc, .body = "", .tail = "" };
	struct seen seen = {0};

	CU_ASSERT_EQUAL(parse(&source, &seen, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(seen.log, "<a><Signature>yes</Signature<c></c</a");
}

static void stops_with_the_callback(void)
{
	struct source source = { .head = "<a><b/><c/></a>", .body = "", .tail = "" };
	struct seen seen = { .stop_at = 2, .result = PD_BAD_ARGS };
	char *message = NULL;

	CU_ASSERT_EQUAL(parse(&source, &seen, NULL, &message), PD_BAD_ARGS);
	CU_ASSERT_PTR_NULL(message);
	CU_ASSERT_EQUAL(seen.elements, 2);
	CU_ASSERT_EQUAL(seen.column, 6);
}

static void keeps_limits(void)
{
	static const struct {
		const char *doc, *why;
		struct pd_xml_limits limits;
	} cases[] = {
		{ "<a><b><c/></b></a>", "nested deeper than 2", { .depth = 2 } },
		{ "<a b='' c='' d=''/>", "at most 2", { .attributes = 2 } },
		{ "<a b='12345'/>", "at most 4", { .text = 4 } },
		{ "<a>12345</a>", "more than 4 bytes", { .text = 4 } },
		{ "<a>12345</a>", "more than 8 bytes", { .bytes = 8 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct source source = { .head = cases[i].doc, .body = "", .tail = "" };
		struct seen seen = {0};
		pd_auto_free char *message = NULL;

		CU_ASSERT_EQUAL(parse(&source, &seen, &cases[i].limits, &message), PD_FAILED);
		CU_ASSERT_PTR_NOT_NULL_FATAL(message);
		CU_ASSERT_PTR_NOT_NULL(strstr(message, cases[i].why));
		source.at = 0;
		CU_ASSERT_EQUAL(parse(&source, &seen, NULL, NULL), 0);
	}
}

/* Each in little time and memory, however long it goes on. */
static void refuses_hostile(void)
{
	static const struct {
		struct source source;
		const char *why;
	} cases[] = {
		{ { .head = "", .body = "<a>", .times = 10000000, .tail = "" },
		  "test.xml:1:771: elements are nested deeper than 256" },
		{ { .head = "<!DOCTYPE a [<!ENTITY b '", .body = "&lol;", .times = 9999999,
		    .tail = "'>]><a>&b;</a>" }, "DOCTYPE" },
		{ { .head = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", .body = "",
		    .tail = "" }, "test.xml:1:40: a DOCTYPE is not allowed" },
		{ { .head = "<!DOCTYPE ", .body = "a", .times = 50000000, .tail = "" },
		  "a DOCTYPE" },
		{ { .head = "<a>&nbsp;</a>", .body = "", .tail = "" }, "entity &nbsp;" },
		{ { .head = "<a b='", .body = "x=", .times = 50000000, .tail = "'/>" },
		  "a tag, or the space between two, has more than 10000000 bytes" },
		{ { .head = "<a ", .body = "b='' ", .times = 20000000, .tail = "/>" },
		  "attributes" },
		{ { .head = "<a/>", .body = " ", .times = 50000000, .tail = "" },
		  "the space between two" },
		{ { .head = "<a>", .body = "x", .times = 50000000, .tail = "</a>" },
		  "more than 10000000 bytes" },
		{ { .head = "<a><![CDATA[", .body = "x", .times = 50000000, .tail = "]]></a>" },
		  "10 MB" },
		{ { .head = "<a><?p ", .body = "x", .times = 50000000, .tail = "?></a>" },
		  "10 MB" },
		{ { .head = "<", .body = "a", .times = 50000000, .tail = "/>" },
		  "more than 10000000 bytes" },
		{ { .head = "<a>caf\xe9</a>", .body = "", .tail = "" }, "UTF-8" },
		{ { .head = "<a b='caf\xe9'/>", .body = "", .tail = "" }, "UTF-8" },
		{ { .head = "<a>\n<b>", .body = "", .tail = "" }, "truncated" },
		{ { .head = "", .body = "", .tail = "" }, "no XML document" },
		{ { .head = "\xff\xfe<\0a\0>\0\x41\xdc<\0/\0a\0>\0", .head_len = 18, .body = "",
		    .tail = "" }, "test.xml:1" },
	};
	struct rusage before, after;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct source source = cases[i].source;
		struct seen seen = {0};
		pd_auto_free char *message = NULL;
		clock_t start = clock();

		getrusage(RUSAGE_SELF, &before);
		CU_ASSERT_EQUAL(parse(&source, &seen, NULL, &message), PD_FAILED);
		getrusage(RUSAGE_SELF, &after);
		CU_ASSERT_PTR_NOT_NULL_FATAL(message);
		if (!strstr(message, cases[i].why))
			printf("\n  case %zu: %s\n", i, message);
		CU_ASSERT_PTR_NOT_NULL(strstr(message, cases[i].why));
		/* it ends soon; valgrind makes it some fifty times as long */
		CU_ASSERT(getenv("PD_VALGRIND") || clock() - start < 20 * CLOCKS_PER_SEC);
		CU_ASSERT(after.ru_maxrss - before.ru_maxrss < 128 * 1024);
	}
}

static void reads_encodings(void)
{
	static const char utf16[] = "\xff\xfe<\0a\0 \0b\0=\0'\0\xe9\0'\0/\0>\0";
	static const char latin[] =
		"<?xml version='1.0' encoding='iso-8859-1'?><a b='\xe9'/>";
	static const char bom[] = "\xef\xbb\xbf<a b='\xc3\xa9'/>";
	const struct source sources[] = {
		{ .head = utf16, .head_len = sizeof(utf16) - 1, .body = "", .tail = "" },
		{ .head = latin, .body = "", .tail = "" },
		{ .head = bom, .body = "", .tail = "" },
	};

	for (size_t i = 0; i < 3; i++) {
		struct source source = sources[i];
		struct seen seen = {0};

		CU_ASSERT_EQUAL(parse(&source, &seen, NULL, NULL), 0);
		CU_ASSERT_STRING_EQUAL(seen.log, "<a b=\xc3\xa9></a");
	}
}

/* Of what is in it only its end is told, and all limits hold there. */
static void skips(void)
{
	struct source source = { .head = "<a>x<b c='1'>y<b><d/>z</b></b>t<e/></a>", .body = "", .tail = "" };
	struct source deep = { .head = "<a><b>", .body = "<c>", .times = 300, .tail = "" };
	struct seen seen = { .stop_at = 2, .result = PD_XML_SKIP };
	struct seen none = { .stop_at = 2, .result = PD_XML_SKIP };
	pd_auto_free char *why = NULL;

	CU_ASSERT_EQUAL(parse(&source, &seen, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(seen.log, "<a>x<b c=1></bt<e></e</a");
	CU_ASSERT_EQUAL(parse(&deep, &none, NULL, &why), PD_FAILED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(why);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "nested deeper than 256"));
}

static bool no_b_or_c(const char *name, unsigned depth, bool bare)
{
	return (depth == 2 && strcmp(name, "b") == 0) || (bare && strcmp(name, "c") == 0);
}

/* By its name and depth, for whom it is read; nothing of it is told. */
static void passes_over_names(void)
{
	static const char text[] = "<a>x<b d='1'>y<b/></b>t<c><b/>8</c><d><d><b/></d></d></a>";
	struct source source = { .head = text, .body = "", .tail = "" }, again = source;
	struct seen all = { .passed = no_b_or_c }, bare = all;

	CU_ASSERT_EQUAL(parse(&source, &all, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(all.log, "<a>xt<c><b></b8</c<d><d><b></b</d</d</a");
	CU_ASSERT_EQUAL(parse(&again, &bare, &(struct pd_xml_limits){ .bare = true }, NULL), 0);
	CU_ASSERT_STRING_EQUAL(bare.log, "<a>xt<d><d><b></b</d</d</a");
}

static CU_TestInfo tests[] = {
	{ "elements, attributes and text arrive as written", reads_elements },
	{ "tags over the borders of reads are whole", reads_over_borders },
	{ "comments are passed over", passes_over_comments },
	{ "signatures are passed over", passes_over_signatures },
	{ "a callback ends it", stops_with_the_callback },
	{ "a callback passes over an element", skips },
	{ "a reader passes over names", passes_over_names },
	{ "limits hold", keeps_limits },
	{ "hostile documents are refused", refuses_hostile },
	{ "UTF-16, Latin-1 and byte-order marks", reads_encodings },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("xml", tests);
