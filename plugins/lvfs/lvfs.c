/* SPDX-License-Identifier: MIT */
/* The plugin lvfs: the reader of firmware metadata, AppStream components of
 * the type firmware, as the Linux Vendor Firmware Service publishes them. */
#include <stdlib.h>

#include "lvfs.h"

#define COMPONENT "/components/component"
#define RELEASE COMPONENT "/releases/release"
#define ARTIFACT RELEASE "/artifacts/artifact"

enum place {
	ROOT, IN_COMPONENT, ID, NAME, SUMMARY, DEVELOPER, DEVELOPER_NAME, URL, BRANCH, GUID,
	CATEGORY, TAG, VALUE, IN_RELEASE, LOCATION, CHECKSUM, SIZE, RELEASE_URL, ISSUE, DESCRIPTION,
	IN_ARTIFACT, ARTIFACT_LOCATION, ARTIFACT_FILE, ARTIFACT_CHECKSUM, ARTIFACT_SIZE, PLACES
};
static const char *const places[PLACES] = {
	[ROOT] = "/components", [IN_COMPONENT] = COMPONENT, [ID] = COMPONENT "/id",
	[NAME] = COMPONENT "/name", [SUMMARY] = COMPONENT "/summary",
	[DEVELOPER] = COMPONENT "/developer/name", [DEVELOPER_NAME] = COMPONENT "/developer_name",
	[URL] = COMPONENT "/url", [BRANCH] = COMPONENT "/branch",
	[GUID] = COMPONENT "/provides/firmware", [CATEGORY] = COMPONENT "/categories/category",
	[TAG] = COMPONENT "/tags/tag", [VALUE] = COMPONENT "/custom/value", [IN_RELEASE] = RELEASE,
	[LOCATION] = RELEASE "/location", [CHECKSUM] = RELEASE "/checksum", [SIZE] = RELEASE "/size",
	[RELEASE_URL] = RELEASE "/url", [ISSUE] = RELEASE "/issues/issue",
	[DESCRIPTION] = RELEASE "/description", [IN_ARTIFACT] = ARTIFACT,
	[ARTIFACT_LOCATION] = ARTIFACT "/location", [ARTIFACT_FILE] = ARTIFACT "/filename",
	[ARTIFACT_CHECKSUM] = ARTIFACT "/checksum", [ARTIFACT_SIZE] = ARTIFACT "/size"
};

static const char *copy(struct reader *r, const char *s)
{
	return path_words(r->path.ctx, s);
}

static void add_text(struct reader *r, struct texts *list, const char *s)
{
	list->items = path_room(r->path.ctx, list->items, list->len, &list->cap, sizeof(*list->items));
	list->items[list->len++] = s;
}

static void start_component(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *type = path_attribute(attrs, n, "type");

	r->component = NULL;
	if (strcmp(type, "firmware") != 0) {
		pd_ignored(r->path.ctx, pd_xml_line(r->path.ctx), pd_format(r->path.ctx,
			"a component of the type \"%s\" is no firmware", type));
		return;
	}
	r->component = pd_alloc_for(r->path.ctx, sizeof(*r->component));
	*r->component = (struct component){ .id = "", .name = "", .summary = "", .vendor = "",
		.homepage = "", .branch = "", .protocol = "", .scheme = PD_SCHEME_FWUPD,
		.line = pd_xml_line(r->path.ctx) };
}

/* Without a time of its own it stands where it stands: the newest is first. */
static void start_release(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const struct release *before = r->len ? r->releases[r->len - 1] : NULL;
	struct release *x = pd_alloc_for(r->path.ctx, sizeof(*x));

	r->release = x;
	*x = (struct release){ .component = r->component, .line = pd_xml_line(r->path.ctx),
		.version = copy(r, path_attribute(attrs, n, "version")),
		.urgency = copy(r, path_attribute(attrs, n, "urgency")), .details = "",
		.location = "", .file = "", .digest = "", .place = (uint32_t)r->len,
		.download = -1, .installed = -1,
		.testing = strcmp(path_attribute(attrs, n, "type"), "development") == 0 };
	if (!pd_parse(r->path.ctx, PD_T_INT, path_attribute(attrs, n, "timestamp"), &x->time))
		pd_parse(r->path.ctx, PD_T_TIME, path_attribute(attrs, n, "date"), &x->time);
	pd_parse(r->path.ctx, PD_T_INT, path_attribute(attrs, n, "install_duration"), &x->duration);
	x->order = x->time > 0 ? x->time : before && before->component == r->component ?
		   before->order : INT64_MAX;
}

static void end_release(struct reader *r)
{
	struct release *x = r->release;

	r->release = NULL;
	if (r->words.text_len)
		x->description = pd_format(r->path.ctx, "%s", r->words.text);
	r->words.text_len = 0;
	if (!*x->version) {
		pd_ignored(r->path.ctx, x->line, "a <release> has no version");
		return;
	}
	r->releases = path_room(r->path.ctx, r->releases, r->len, &r->cap, sizeof(*r->releases));
	r->releases[r->len++] = x;
}

static void end_component(struct reader *r)
{
	const struct component *c = r->component;
	const char *wrong = !*c->id ? "it has no <id>" : !c->guids.len ?
		"it provides no <firmware type=\"flashed\">" : NULL;
	size_t mine = r->len;

	r->component->vendors = lvfs_vendors(r, c);
	if (!wrong)
		return;
	while (mine && r->releases[mine - 1]->component == c)
		mine--;
	pd_ignored(r->path.ctx, c->line, pd_format(r->path.ctx, "component %s with %zu releases: %s",
						   c->id, r->len - mine, wrong));
	r->len = mine;
}

static void start_checksum(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *target = path_attribute(attrs, n, "target");

	/* of the archive that is downloaded, not of what is in it */
	r->container = !*target || strcmp(target, "container") == 0;
	r->key = copy(r, path_attribute(attrs, n, "type"));
	if (r->container && *path_attribute(attrs, n, "filename"))
		r->release->file = copy(r, path_attribute(attrs, n, "filename"));
}

/* Without it, the device. */
static const char *depth(struct reader *r, const char *said)
{
	int64_t n = 0;

	return !*said || (pd_parse(r->path.ctx, PD_T_INT, said, &n) && !n) ? "0" : copy(r, said);
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		    const struct pd_xml_attr *attrs, size_t n)
{
	struct reader *r = user;
	enum place at;

	(void)ns;
	if (!r->path.len && strcmp(name, "component") == 0) /* a file of one alone */
		path_open(&r->path, "components");
	path_open(&r->path, name);
	at = (enum place)path_place(&r->path, places, PLACES);
	if (r->path.len == strlen(name) + 1 && !r->path.beyond && at != ROOT)
		return pd_fail(ctx, PD_FAILED, "the document starts with <%s>, not with <components>", name);
	if (at == IN_COMPONENT)
		start_component(r, attrs, n);
	else if (!r->component || at == ROOT)
		return 0;
	else if (at == IN_RELEASE)
		start_release(r, attrs, n);
	else if (strncmp(r->path.name, COMPONENT "/requires/", sizeof(COMPONENT "/requires/") - 1) == 0)
		r->need = (struct need){ .element = copy(r, name),
			.compare = copy(r, path_attribute(attrs, n, "compare")),
			.version = copy(r, path_attribute(attrs, n, "version")),
			.depth = depth(r, path_attribute(attrs, n, "depth")),
			.anywhere = !*path_attribute(attrs, n, "depth") };
	else if (at == CHECKSUM || at == ARTIFACT_CHECKSUM)
		start_checksum(r, attrs, n);
	else if (at == IN_ARTIFACT)
		r->binary = strcmp(path_attribute(attrs, n, "type"), "binary") == 0;
	else if (at == VALUE)
		r->key = copy(r, path_attribute(attrs, n, "key"));
	else
		r->key = copy(r, path_attribute(attrs, n, "type"));
	return 0;
}

/* "sha256:..."; of several the strongest, which has the longest name and value. */
static void checksum(struct reader *r, const char *said)
{
	const char *digest = pd_format(r->path.ctx, "%s:%s", r->key, path_lower(r->path.ctx, said));

	if (r->container && strlen(digest) > strlen(r->release->digest))
		r->release->digest = digest;
}

static void issue(struct reader *r, const char *said)
{
	struct release *x = r->release;

	if (!*said)
		return;
	x->issues = path_room(r->path.ctx, x->issues, x->n_issues, &x->issues_cap, sizeof(*x->issues));
	x->issues[x->n_issues++] = strncmp(said, "http", 4) == 0 ? (struct issue){ .url = said } :
								   (struct issue){ .name = said };
}

/* Of none, or one that is not known, fwupd does not make dots of a number. */
static unsigned scheme_of(const char *format)
{
	static const struct { const char *format; unsigned scheme; } known[] = {
		{ "number", PD_SCHEME_NUMBER }, { "hex", PD_SCHEME_HEX }, { "pair", PD_SCHEME_PAIR },
		{ "triplet", PD_SCHEME_TRIPLET }, { "quad", PD_SCHEME_QUAD }, { "bcd", PD_SCHEME_BCD },
		{ "intel-me", PD_SCHEME_INTEL_ME }, { "intel-me2", PD_SCHEME_INTEL_ME2 },
		{ "intel-csme19", PD_SCHEME_INTEL_CSME19 },
		{ "surface-legacy", PD_SCHEME_SURFACE_LEGACY }, { "surface", PD_SCHEME_SURFACE },
		{ "dell-bios", PD_SCHEME_DELL_BIOS }, { "dell-bios-msb", PD_SCHEME_DELL_BIOS_MSB },
		{ "plain", PD_SCHEME_TEXT } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(format, known[i].format) == 0)
			return known[i].scheme;
	return PD_SCHEME_FWUPD;
}

static void end_of_component_part(struct reader *r, enum place at, const char *said)
{
	struct component *c = r->component;

	switch (at) {
	case ID: c->id = said; break;
	case NAME: c->name = said; break;
	case SUMMARY: c->summary = said; break;
	case DEVELOPER: case DEVELOPER_NAME: c->vendor = said; break;
	case URL: c->homepage = strcmp(r->key, "homepage") == 0 ? said : c->homepage; break;
	case BRANCH: c->branch = said; break;
	case GUID:
		if (*said && strcmp(r->key, "flashed") == 0)
			add_text(r, &c->guids, said);
		break;
	case CATEGORY:
		c->system |= !strcmp(said, "X-System") || !strcmp(said, "X-ManagementEngine");
		break;
	case TAG: add_text(r, &c->tags, said); break;
	case VALUE:
		c->protocol = strcmp(r->key, "LVFS::UpdateProtocol") == 0 ? said : c->protocol;
		c->scheme = strcmp(r->key, "LVFS::VersionFormat") == 0 ? scheme_of(said) : c->scheme;
		break;
	default: break;
	}
}

static void end_of_release_part(struct reader *r, enum place at, const char *said)
{
	struct release *x = r->release;

	if (at > IN_ARTIFACT && !r->binary)
		return;
	switch (at) {
	case LOCATION: case ARTIFACT_LOCATION:
		x->location = *x->location ? x->location : said;
		break;
	case ARTIFACT_FILE: x->file = said; break;
	case CHECKSUM: case ARTIFACT_CHECKSUM: checksum(r, said); break;
	case SIZE: case ARTIFACT_SIZE:
		pd_parse(r->path.ctx, PD_T_INT, said,
			 strcmp(r->key, "installed") == 0 ? &x->installed : &x->download);
		break;
	case RELEASE_URL: x->details = said; break;
	case ISSUE: issue(r, said); break;
	default: break;
	}
}

/* Paragraphs and points of a list, a line each. */
static void described(struct reader *r, const char *name)
{
	const char *said = path_said(&r->path);

	if (!*said)
		return;
	if (r->words.text_len)
		path_text(&r->words, "\n", 1);
	if (strcmp(name, "li") == 0)
		path_text(&r->words, "* ", 2);
	path_text(&r->words, said, strlen(said));
}

static void end_need(struct reader *r)
{
	struct component *c = r->component;

	if (strcmp(r->need.element, "client") == 0) {
		c->attended = true;
		return;
	}
	r->need.text = path_said(&r->path);
	c->needs = path_room(r->path.ctx, c->needs, c->n_needs, &c->needs_cap, sizeof(*c->needs));
	c->needs[c->n_needs++] = r->need;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reader *r = user;
	enum place at = (enum place)path_place(&r->path, places, PLACES);
	const char *text = places[DESCRIPTION];

	(void)ctx, (void)ns;
	if (r->component && at == IN_COMPONENT) {
		end_component(r);
		r->component = NULL;
	} else if (r->component && at == IN_RELEASE) {
		end_release(r);
	} else if (r->release && strncmp(r->path.name, text, strlen(text)) == 0) {
		described(r, name);
	} else if (r->component && at == PLACES && r->need.element &&
		   strncmp(r->path.name, COMPONENT "/requires/", sizeof(COMPONENT "/requires/") - 1) == 0) {
		end_need(r);
		r->need.element = NULL;
	} else if (r->release && at > IN_RELEASE && at < PLACES) {
		end_of_release_part(r, at, path_said(&r->path));
	} else if (r->component && at < IN_RELEASE) {
		end_of_component_part(r, at, path_said(&r->path));
	}
	path_close(&r->path, name);
	return 0;
}

static int on_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	struct reader *r = user;

	(void)ctx;
	if (r->component)
		path_text(&r->path, text, len);
	return 0;
}

static int read_catalog(struct pd_ctx *ctx)
{
	struct reader r = { .path = { .ctx = ctx }, .words = { .ctx = ctx }, .key = "" };
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = &r,
					  .start = on_start, .end = on_end, .text = on_text };
	int result = pd_xml(ctx, &handler);

	return result < 0 ? result : lvfs_emit(&r);
}

static int recognize(const unsigned char *head, size_t len)
{
	bool firmware = path_found(head, len, "type=\"firmware\"") || path_found(head, len, "type='firmware'");

	return path_found(head, len, "<components") ? (firmware ? 90 : 50) :
	       firmware && path_found(head, len, "<component ") ? 90 : 0;
}

static const struct pd_reader reader = {
	PD_READER,
	.name = "lvfs",
	.help = "firmware metadata (AppStream) of the LVFS and of fwupd",
	.recognize = recognize,
	.read = read_catalog,
};

static const struct pd_reader *const readers[] = { &reader, NULL };

PD_PLUGIN(
	.name = "lvfs",
	.version = "1.0",
	.help = "firmware of the Linux Vendor Firmware Service",
	.readers = readers,
);
