/* SPDX-License-Identifier: MIT */
/* The reader primary: the primary.xml of a repository of rpm packages, each of
 * which is an update of its own, with the file that it comes in, and the packages
 * of other names that it takes the place of. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../shared/path.h"
#include "updateinfo.h"

enum place {
	ROOT, PACKAGE, NAME, ARCH, VERSION, CHECKSUM, SUMMARY, TIME, SIZE, LOCATION, SOURCE, OBSOLETE,
	PLACES
};

static const char *const places[PLACES] = {
	[ROOT] = "/metadata", [PACKAGE] = "/metadata/package", [NAME] = "/metadata/package/name",
	[ARCH] = "/metadata/package/arch", [VERSION] = "/metadata/package/version",
	[CHECKSUM] = "/metadata/package/checksum", [SUMMARY] = "/metadata/package/summary",
	[TIME] = "/metadata/package/time", [SIZE] = "/metadata/package/size",
	[LOCATION] = "/metadata/package/location", [SOURCE] = "/metadata/package/format/sourcerpm",
	[OBSOLETE] = "/metadata/package/format/obsoletes/entry",
};

/* The package that is being read; texts that are longer are none that rpm has. */
struct package {
	char name[256], arch[64], epoch[16], version[128], release[128], source[384];
	char type[16], digest[144], location[2048], summary[512];
	int64_t built, bytes, installed;
	unsigned line;
};

struct reader {
	struct path path;
	struct package p;
	char *replaces; /* by the package; grows */
	size_t len, cap;
};

/* "" in place of what has no room. */
static void take(char *to, size_t room, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	memcpy(to, len < room && text ? text : "", len < room ? len + 1 : 1);
}
#define TAKE(field, text) take(field, sizeof(field), text)

static int64_t count(const struct pd_xml_attr *attrs, size_t n, const char *name)
{
	const char *text = path_attribute(attrs, n, name);
	char *end = NULL;
	long long value = strtoll(text, &end, 10);

	return end != text && !*end && value >= 0 ? value : -1;
}

static void take_location(struct package *p, const struct pd_xml_attr *attrs, size_t n)
{
	const char *base = path_attribute(attrs, n, "base"), *href = path_attribute(attrs, n, "href");
	size_t len = strlen(base);
	int written = snprintf(p->location, sizeof(p->location), "%s%s%s", base,
			       len && base[len - 1] != '/' ? "/" : "", href);

	if (written < 0 || (size_t)written >= sizeof(p->location))
		p->location[0] = '\0';
}

/* As the model has it; "" if it is none. */
static void make_digest(struct package *p, const char *hex)
{
	static const struct { char type[8], name[8]; size_t digits; } known[] = {
		{ "sha256", "sha256", 64 }, { "sha512", "sha512", 128 }, { "sha384", "sha384", 96 },
		{ "sha", "sha1", 40 }, { "sha1", "sha1", 40 }, { "md5", "md5", 32 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].type, p->type) == 0 && strlen(hex) == known[i].digits &&
		    strspn(hex, "0123456789abcdefABCDEF") == known[i].digits)
			snprintf(p->digest, sizeof(p->digest), "%s:%s", known[i].name, hex);
}

static void add(struct reader *r, const char *text)
{
	size_t len = strlen(text);

	if (r->len + len + 1 > r->cap) {
		char *larger = pd_alloc_for(r->path.ctx, r->cap = 2 * (r->len + len + 128));

		if (r->len)
			memcpy(larger, r->replaces, r->len);
		r->replaces = larger;
	}
	memcpy(r->replaces + r->len, text, len + 1);
	r->len += len;
}

/* "NAME" or "NAME < EPOCH:VERSION-RELEASE", which has to be one that rpm has. */
static void add_obsolete(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	static const char *const flags[][2] = { { "LT", " < " }, { "LE", " <= " }, { "EQ", " = " },
						{ "GE", " >= " }, { "GT", " > " } };
	const char *name = path_attribute(attrs, n, "name"), *flag = path_attribute(attrs, n, "flags");
	const char *epoch = path_attribute(attrs, n, "epoch"), *ver = path_attribute(attrs, n, "ver");
	const char *release = path_attribute(attrs, n, "rel"), *compare = "";
	bool has_epoch = *epoch && strcmp(epoch, "0") != 0;
	char version[256] = "";
	int len = snprintf(version, sizeof(version), "%s%s%s%s%s", has_epoch ? epoch : "",
			   has_epoch ? ":" : "", ver, *release ? "-" : "", release);

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (strcmp(flags[i][0], flag) == 0)
			compare = flags[i][1];
	if (!*name || strlen(name) >= sizeof(r->p.name) || strpbrk(name, " ,") || (*flag && (!*compare ||
	    !*ver || len < 0 || (size_t)len >= sizeof(version) || strpbrk(version, " ,")))) {
		pd_ignored(r->path.ctx, pd_xml_line(r->path.ctx), "an entry of obsoletes that is no "
			   "package, or has no version to compare with");
		return;
	}
	add(r, r->len ? ", " : "");
	add(r, name);
	add(r, compare);
	add(r, *compare ? version : "");
}

/* Of one that nobody asks for it is only told that it is there. */
static int emit(struct reader *r, bool asked)
{
	struct pd_ctx *ctx = r->path.ctx;
	const struct package *p = &r->p;
	char id[640] = "";
	struct pd_update_head head = { .size = sizeof(head), .line = p->line, .id = id,
		.title = *p->summary ? p->summary : p->name, .issued = p->built > 0 ? p->built : 0,
		.disk_bytes = p->installed };
	struct pd_payload file = { .size = sizeof(file), .url = p->location, .bytes = p->bytes,
				   .digest = *p->digest ? p->digest : NULL };
	struct pd_package_row row = { .size = sizeof(row), .scheme = PD_SCHEME_RPM, .name = p->name,
		.epoch = p->epoch, .version = p->version, .release = p->release, .arch = p->arch,
		.source = *p->source ? p->source : NULL, .payload = *p->location != '\0',
		.replaces = r->len ? r->replaces : NULL };

	snprintf(id, sizeof(id), "%s-%s%s%s-%s.%s", p->name, strcmp(p->epoch, "0") == 0 ? "" : p->epoch,
		 !*p->epoch || strcmp(p->epoch, "0") == 0 ? "" : ":", p->version, p->release, p->arch);
	if (pd_update_begin(ctx, &head) < 0 || (asked && *p->location && pd_update_payload(ctx, &file) < 0) ||
	    (asked && pd_update_package(ctx, &row) < 0))
		return PD_FAILED;
	return pd_update_end(ctx);
}

static int end_package(struct reader *r)
{
	struct pd_ctx *ctx = r->path.ctx;

	if (*r->p.name && *r->p.version && *r->p.arch)
		return emit(r, r->len || pd_package_wanted(ctx, r->p.name));
	pd_ignored(ctx, r->p.line, "a package has no name, version or architecture");
	return 0;
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		    const struct pd_xml_attr *attrs, size_t n)
{
	struct reader *r = user;

	(void)ns;
	path_open(&r->path, name);
	switch ((enum place)path_place(&r->path, places, PLACES)) {
	case PACKAGE:
		r->p = (struct package){ .line = pd_xml_line(ctx), .bytes = -1, .installed = -1 };
		r->len = 0;
		break;
	case VERSION:
		TAKE(r->p.epoch, path_attribute(attrs, n, "epoch"));
		TAKE(r->p.version, path_attribute(attrs, n, "ver"));
		TAKE(r->p.release, path_attribute(attrs, n, "rel"));
		break;
	case CHECKSUM: TAKE(r->p.type, path_attribute(attrs, n, "type")); break;
	case TIME: r->p.built = count(attrs, n, "build"); break;
	case SIZE:
		r->p.bytes = count(attrs, n, "package");
		r->p.installed = count(attrs, n, "installed");
		break;
	case LOCATION: take_location(&r->p, attrs, n); break;
	case OBSOLETE: add_obsolete(r, attrs, n); break;
	default: break;
	}
	return 0;
}

/* The text since the last tag without the space around it, in place. */
static const char *text_of(struct path *p)
{
	while (p->text_len && strchr(" \t\r\n", p->text[p->text_len - 1]))
		p->text[--p->text_len] = '\0';
	return p->text_len ? p->text + strspn(p->text, " \t\r\n") : "";
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reader *r = user;
	int result = 0;

	(void)ctx, (void)ns;
	switch ((enum place)path_place(&r->path, places, PLACES)) {
	case PACKAGE: result = end_package(r); break;
	case NAME: TAKE(r->p.name, text_of(&r->path)); break;
	case ARCH: TAKE(r->p.arch, text_of(&r->path)); break;
	case CHECKSUM: make_digest(&r->p, text_of(&r->path)); break;
	case SUMMARY: TAKE(r->p.summary, text_of(&r->path)); break;
	case SOURCE: TAKE(r->p.source, text_of(&r->path)); break;
	default: break;
	}
	path_close(&r->path, name);
	return result;
}

static int on_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct reader *r = user;

	(void)ctx;
	path_text(&r->path, text, len);
	return 0;
}

static int read_primary(struct pd_ctx *ctx)
{
	struct reader r = { .path = { .ctx = ctx } };
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = &r, .start = on_start,
					  .end = on_end, .text = on_text };

	return pd_xml(ctx, &handler);
}

static int recognize_primary(const unsigned char *head, size_t len)
{
	return updateinfo_root(head, len, "metadata") &&
	       path_found(head, len, "linux.duke.edu/metadata/common") ? 90 : 0;
}

const struct pd_reader primary_reader = {
	PD_READER, .name = "primary", .help = "primary.xml of a repository of rpm packages",
	.recognize = recognize_primary, .read = read_primary, .time_limit = 3600
};
