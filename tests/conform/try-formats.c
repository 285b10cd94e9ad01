/* SPDX-License-Identifier: MIT */
/* A plugin with a reader, a filter and a scanner that keep the contract; and,
 * built with -DTRY_RULE, ones that break a rule of it.  The reader's format is
 * <tries><try id="..">title</try>...</tries>; the filter's is "TRYZ", then
 * pieces: a byte for their length, 0 at the end, and their bytes; or, for 255,
 * two bytes: so often 64 KiB of the second one. */
#include <patchday/plugin.h>

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef TRY_ENTITY
#include <libxml/parser.h>
#endif

#define TEXT_OF(x) #x
#define QUOTED(x) TEXT_OF(x)

/* A number that is another one each time. */
static inline long moment(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_nsec;
}

/* ----------------------------------------------------------------- reader */

static int recognize(const unsigned char *head, size_t len)
{
#if defined TRY_GREEDY
	return len && head[0] == '<' ? 100 : 0;
#elif defined TRY_BLIND
	return len > 1 << 20 && head[0];
#elif defined TRY_BEYOND
	size_t n = 0;

	while (head[n] != '>' && n < 4096) /* and len is forgotten */
		n++;
	return len >= 6 && memcmp(head, "<tries", 6) == 0 ? 100 : 0;
#elif defined TRY_SCORE
	return len >= 6 && memcmp(head, "<tries", 6) == 0 ? 1000 : 0;
#else
	return len >= 6 && memcmp(head, "<tries", 6) == 0 ? 100 : 0;
#endif
}

static inline int emit(struct pd_ctx *ctx, const char *id, const char *title)
{
	struct pd_update_head head = { .size = sizeof(head), .id = id, .title = title, .disk_bytes = -1 };

	return pd_update_begin(ctx, &head) < 0 || pd_update_end(ctx) < 0 ? PD_FAILED : 0;
}

#if !defined TRY_ENTITY && !defined TRY_TRUNCATED && !defined TRY_HANG && !defined TRY_HOARD
struct reading {
	const char *id;
	char title[64];
	int depth;
};

static int start(struct pd_ctx *ctx, void *user, const char *ns, const char *name, const struct pd_xml_attr *attrs,
		 size_t n)
{
	struct reading *r = user;

	(void)ns;
	if (r->depth++ != 1)
		return 0;
	if (strcmp(name, "try") != 0)
		return PD_XML_SKIP;
	r->id = n && strcmp(attrs[0].name, "id") == 0 ? pd_format(ctx, "%s", attrs[0].value) : NULL;
	r->title[0] = '\0';
#if defined TRY_CRASH
	if (!r->id)
		*(volatile char *)ctx->reserved[0] = 1;
#endif
	return 0;
}

static int text(struct pd_ctx *ctx, void *user, const char *at, size_t len)
{
	struct reading *r = user;
	size_t used = strlen(r->title);

	(void)ctx;
	if (r->depth == 2 && used + len < sizeof(r->title))
		memcpy(r->title + used, at, len);
	return 0;
}

static int end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reading *r = user;

	(void)ns;
	if (--r->depth != 1 || strcmp(name, "try") != 0)
		return 0;
	if (!r->id)
		return pd_fail(ctx, PD_FAILED, "a try has no id");
#if defined TRY_RANDOM
	return emit(ctx, r->id, pd_format(ctx, "%s %ld", r->title, moment()));
#elif defined TRY_NOTHING
	return 0;
#else
	return emit(ctx, r->id, r->title);
#endif
}

static int read_all(struct pd_ctx *ctx)
{
	struct reading *r = pd_alloc_for(ctx, sizeof(*r));
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = r, .start = start, .end = end, .text = text };

#if defined TRY_LEAK
	(void)!open("/etc/passwd", O_RDONLY | O_CLOEXEC);
#elif defined TRY_WRITE
	close(open("/etc/written", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
#endif
	return pd_xml(ctx, &handler);
}
#else
/* All of the source, read at once. */
static char *all(struct pd_ctx *ctx, size_t *len)
{
	size_t room = 64 << 20;
	char *data = pd_alloc_for(ctx, room);
	int64_t n;

	for (*len = 0; *len < room && (n = pd_source_read(ctx, data + *len, room - *len)) > 0;)
		*len += (size_t)n;
	return data;
}

#if defined TRY_ENTITY
static int read_all(struct pd_ctx *ctx)
{
	size_t len;
	char *data = all(ctx, &len);
	xmlDoc *doc = xmlReadMemory(data, (int)len, NULL, NULL, XML_PARSE_NOENT | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlNode *node = doc && xmlDocGetRootElement(doc) ? xmlDocGetRootElement(doc)->children : NULL;
	int result = doc ? 0 : pd_fail(ctx, PD_FAILED, "it is no XML");

	for (; node && !result; node = node->next) {
		xmlChar *id = xmlGetProp(node, (const xmlChar *)"id"), *title = xmlNodeGetContent(node);

		if (id)
			result = emit(ctx, (const char *)id, (const char *)title);
		xmlFree(id);
		xmlFree(title);
	}
	xmlFreeDoc(doc);
	return result;
}
#else
/* By hand. */
static int read_all(struct pd_ctx *ctx)
{
	size_t len;
	char *data = all(ctx, &len), *at = data, *id, *title;

#if defined TRY_HOARD
	size_t much = len > (8 << 20) ? 300 << 20 : 1;

	memset(pd_alloc_for(ctx, much), 1, much);
#elif defined TRY_HANG
	while (!memmem(data, len, "</tries>", 8))
		pause();
#endif
	while ((at = strstr(at, "<try id=\"")) != NULL) {
		id = at + 9;
#if defined TRY_TRUNCATED
		at = strchr(id, '"');
		*at = '\0';
		title = strchr(at + 1, '>') + 1;
		*strchr(title, '<') = '\0';
#else
		at = strchr(id, '"');
		title = at ? strchr(at + 1, '>') : NULL;
		if (!title || !strchr(title, '<'))
			return pd_fail(ctx, PD_FAILED, "it is cut short");
		*at = '\0';
		*strchr(title++, '<') = '\0';
#endif
		at = title + strlen(title) + 1;
		if (emit(ctx, id, title) < 0)
			return PD_FAILED;
	}
	return 0;
}
#endif
#endif

static const struct pd_reader reader = { PD_READER, .name = "tries", .help = "what was tried", .recognize = recognize,
					 .read = read_all };

/* Of the server itself. */
static int read_server(struct pd_ctx *ctx)
{
#if defined TRY_UNSURE
	return emit(ctx, "T-1", pd_format(ctx, "%ld", moment()));
#else
	return emit(ctx, "T-1", "one");
#endif
}

static const struct pd_reader server = { PD_READER, .name = "serves", .help = "what the server knows",
					 .flags = PD_R_SERVER, .read = read_server };

/* ----------------------------------------------------------------- filter */

static int recognize_packed(const unsigned char *head, size_t len)
{
	return len >= 4 && memcmp(head, "TRYZ", 4) == 0 ? 100 : 0;
}

/* @return 1, 0 at the end, below zero: reported. */
static int take(struct pd_ctx *ctx, unsigned char *to, size_t len)
{
	int64_t n = 1;

	for (size_t got = 0; got < len && n > 0; got += (size_t)n)
		n = pd_source_read(ctx, to + got, len - got);
	return n > 0 ? 1 : (int)n;
}

static int give_many(struct pd_ctx *ctx, size_t times, int byte)
{
#if defined TRY_LUMP
	char *lump = pd_alloc_for(ctx, times << 16);

	memset(lump, byte, times << 16);
	return pd_unpacked(ctx, lump, times << 16);
#else
	static char piece[1 << 16];
	int result = 0;

	memset(piece, byte, sizeof(piece));
	for (size_t i = 0; i < times && result >= 0; i++) {
		result = pd_unpacked(ctx, piece, sizeof(piece));
#if defined TRY_BOMB
		result = 0;
#endif
	}
	return result;
#endif
}

static int unpack(struct pd_ctx *ctx)
{
	unsigned char magic[4], len, piece[255];
	int more = take(ctx, magic, 4);

	while (more > 0 && (more = take(ctx, &len, 1)) > 0 && len) {
		more = take(ctx, piece, len == 255 ? 2 : len);
		if (more > 0 && (len == 255 ? give_many(ctx, piece[0], piece[1]) : pd_unpacked(ctx, piece, len)) < 0)
			return PD_FAILED;
	}
#if defined TRY_CUT
	return more < 0 ? PD_FAILED : 0;
#elif defined TRY_GARBLE
	return more > 0 && pd_unpacked(ctx, "more", 4) == 0 ? 0 : pd_fail(ctx, PD_FAILED, "it is cut short");
#else
	return more > 0 ? 0 : pd_fail(ctx, PD_FAILED, "it is cut short");
#endif
}

static const struct pd_filter filter = { PD_FILTER, .name = "tryz", .help = "what was packed",
					 .recognize = recognize_packed, .unpack = unpack };

/* ---------------------------------------------------------------- scanner */

static int scan(struct pd_ctx *ctx)
{
	const char *name = "one";

#if defined TRY_CHANGING
	name = pd_format(ctx, "%ld", moment());
#elif defined TRY_DEAF
	for (time_t end = time(NULL) + 30; pd_canceled(ctx) && time(NULL) < end;)
		usleep(100000);
#elif defined TRY_SCANLEAK
	(void)!open("/etc/passwd", O_RDONLY | O_CLOEXEC);
#elif defined TRY_SCANWRITE
	close(open("/etc/written", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
#endif
	return pd_fact(ctx, "x-try", (const struct pd_fact_field[]){ PD_TEXT("name", name),
		       PD_NUMBER("moment", moment()) }, 2);
}

static const char *const kinds[] = { "x-try", NULL };
static const struct pd_scanner scanner = { PD_SCANNER, .name = "trials", .help = "what is tried", .kinds = kinds,
					   .scan = scan };

static const struct pd_reader *const readers[] = { &reader, &server, NULL };
static const struct pd_filter *const filters[] = { &filter, NULL };
static const struct pd_scanner *const scanners[] = { &scanner, NULL };

PD_PLUGIN(.name = QUOTED(NAME), .version = "1", .help = "a try", .readers = readers, .scanners = scanners,
	  .filters = filters);
