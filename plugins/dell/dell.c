/* SPDX-License-Identifier: MIT */
/* The plugin dell: the reader of Dell's catalogs of system updates. */
#include "dell.h"

#define COMPONENT "/Manifest/SoftwareComponent"
#define BUNDLE "/Manifest/SoftwareBundle"

enum place {
	ROOT, IN_COMPONENT, IN_BUNDLE, NAME, BUNDLE_NAME, TYPE, DESCRIPTION, BUNDLE_DESCRIPTION,
	DEVICE, PCI, MODEL, BUNDLE_MODEL, SYSTEM, LINK, BUNDLE_LINK, CRITICALITY, CRITICALITY_TEXT,
	HASH, PACKAGE, PLACES
};
static const char *const places[PLACES] = {
	[ROOT] = "/Manifest", [IN_COMPONENT] = COMPONENT, [IN_BUNDLE] = BUNDLE,
	[NAME] = COMPONENT "/Name/Display", [BUNDLE_NAME] = BUNDLE "/Name/Display",
	[TYPE] = COMPONENT "/ComponentType", [DESCRIPTION] = COMPONENT "/Description/Display",
	[BUNDLE_DESCRIPTION] = BUNDLE "/Description/Display",
	[DEVICE] = COMPONENT "/SupportedDevices/Device",
	[PCI] = COMPONENT "/SupportedDevices/Device/PCIInfo",
	[MODEL] = COMPONENT "/SupportedSystems/Brand/Model/Display",
	[BUNDLE_MODEL] = BUNDLE "/TargetSystems/Brand/Model/Display",
	[SYSTEM] = COMPONENT "/SupportedOperatingSystems/OperatingSystem",
	[LINK] = COMPONENT "/ImportantInfo", [BUNDLE_LINK] = BUNDLE "/ImportantInfo",
	[CRITICALITY] = COMPONENT "/Criticality", [CRITICALITY_TEXT] = COMPONENT "/Criticality/Display",
	[HASH] = COMPONENT "/Cryptography/Hash", [PACKAGE] = BUNDLE "/Contents/Package"
};

/* Parts that hold others, and what nobody misses. */
static const char *const silent[] = {
	"LUCategory", "Category", "RevisionHistory", "TargetOSes", "TargetSystems", "ComponentType",
	"SupportedSystems", "SupportedOperatingSystems", "SupportedDevices", "Cryptography",
	"Contents", "Name", "Description"
};

void dell_add(struct reader *r, struct texts *list, const char *s)
{
	list->items = path_room(r->path.ctx, list->items, list->len, &list->cap, sizeof(*list->items));
	list->items[list->len++] = s;
}

const char *dell_base_name(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/' || *path == '\\')
			name = path + 1;
	return name;
}

static const char *value(struct reader *r, const struct pd_xml_attr *attrs, size_t n, const char *name)
{
	return path_words(r->path.ctx, path_attribute(attrs, n, name));
}

static void start_entry(struct reader *r, const struct pd_xml_attr *attrs, size_t n, bool bundle)
{
	struct entry *e = r->open = pd_alloc_for(r->path.ctx, sizeof(*e));

	*e = (struct entry){
		.id = value(r, attrs, n, bundle ? "bundleID" : "packageID"),
		.release = value(r, attrs, n, "releaseID"), .path = value(r, attrs, n, "path"),
		.version = value(r, attrs, n, "vendorVersion"),
		.package_type = value(r, attrs, n, "packageType"),
		.restart = value(r, attrs, n, "rebootRequired"), .digest = value(r, attrs, n, "hashMD5"),
		.title = "", .description = "", .url = "", .type = "", .criticality = "",
		.criticality_text = "", .bytes = -1, .line = pd_xml_line(r->path.ctx) };
	if (!*e->id)
		e->id = e->release;
	if (!*e->version)
		e->version = value(r, attrs, n, "dellVersion");
	if (*e->digest)
		e->digest = pd_format(r->path.ctx, "md5:%s", path_lower(r->path.ctx, e->digest));
	pd_parse(r->path.ctx, PD_T_TIME, path_attribute(attrs, n, "dateTime"), &e->time);
	pd_parse(r->path.ctx, PD_T_INT, path_attribute(attrs, n, "size"), &e->bytes);
}

static void start_device(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *component = value(r, attrs, n, "componentID");
	struct entry *e = r->open;

	e->devices = path_room(r->path.ctx, e->devices, e->n_devices, &e->devices_cap, sizeof(*e->devices));
	e->devices[e->n_devices++] = (struct device){ .component = *component ? component : "?" };
}

/* Four hexadecimal digits, or any. */
static const char *pci_id(struct reader *r, const struct pd_xml_attr *attrs, size_t n, const char *name)
{
	char *id = path_words(r->path.ctx, path_attribute(attrs, n, name));

	if (strlen(id) != 4 || strspn(id, "0123456789abcdefABCDEF") != 4)
		return "....";
	for (char *c = id; *c; c++)
		*c = (char)(*c >= 'a' ? *c - 32 : *c);
	return id;
}

static void pci(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	struct entry *e = r->open;

	if (e->n_devices)
		dell_add(r, &e->devices[e->n_devices - 1].pci,
			 pd_format(r->path.ctx, "^pci:v0000%sd0000%ssv0000%ssd0000%s",
				   pci_id(r, attrs, n, "vendorID"), pci_id(r, attrs, n, "deviceID"),
				   pci_id(r, attrs, n, "subVendorID"), pci_id(r, attrs, n, "subDeviceID")));
}

static void operating_system(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *major = value(r, attrs, n, "majorVersion");
	struct entry *e = r->open;

	/* "7", "sles-release-12", "redhat-release-5Server" and "XenServer release 6.0" */
	major += strcspn(major, "0123456789");
	e->systems = path_room(r->path.ctx, e->systems, e->n_systems, &e->systems_cap, sizeof(*e->systems));
	e->systems[e->n_systems++] = (struct system){ value(r, attrs, n, "osVendor"),
		pd_format(r->path.ctx, "%.*s", (int)strspn(major, "0123456789"), major) };
}

static void start_root(struct reader *r, const struct pd_xml_attr *attrs, size_t n)
{
	const char *base = value(r, attrs, n, "baseLocation");
	size_t len = strlen(base);

	r->base = pd_format(r->path.ctx, "%s%s%s", !len || strstr(base, "://") ? "" : "https://", base,
			    !len || base[len - 1] == '/' ? "" : "/");
}

static void pass_over(struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->unknown.len; i++)
		if (strcmp(r->unknown.items[i], name) == 0)
			return;
	dell_add(r, &r->unknown, path_words(r->path.ctx, name));
	pd_ignored(r->path.ctx, pd_xml_line(r->path.ctx),
		   pd_format(r->path.ctx, "<%s> is not read, here and further on", name));
}

/* A direct part of the manifest or of an entry that is not in places. */
static void other(struct reader *r, const char *name)
{
	size_t depth = 0;

	for (const char *c = r->path.name; *c; c++)
		depth += *c == '/';
	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++)
		if (strcmp(silent[i], name) == 0)
			return;
	if (!r->path.beyond && (depth == 2 || (depth == 3 && r->open)))
		pass_over(r, name);
}

static int on_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		    const struct pd_xml_attr *attrs, size_t n)
{
	struct reader *r = user;
	bool root = !r->path.len;
	enum place at;

	(void)ns;
	path_open(&r->path, name);
	at = (enum place)path_place(&r->path, places, PLACES);
	if (root && at != ROOT)
		return pd_fail(ctx, PD_FAILED, "the document starts with <%s>, not with <Manifest>", name);
	switch (at) {
	case ROOT: start_root(r, attrs, n); break;
	case IN_COMPONENT: case IN_BUNDLE: start_entry(r, attrs, n, at == IN_BUNDLE); break;
	case TYPE: r->open->type = value(r, attrs, n, "value"); break;
	case DEVICE: start_device(r, attrs, n); break;
	case PCI: pci(r, attrs, n); break;
	case SYSTEM: operating_system(r, attrs, n); break;
	case LINK: case BUNDLE_LINK: r->open->url = value(r, attrs, n, "URL"); break;
	case CRITICALITY: r->open->criticality = value(r, attrs, n, "value"); break;
	case HASH: r->algorithm = value(r, attrs, n, "algorithm"); break;
	case NAME: case BUNDLE_NAME: case DESCRIPTION: case BUNDLE_DESCRIPTION: case CRITICALITY_TEXT:
		r->language = value(r, attrs, n, "lang");
		break;
	case PACKAGE:
		dell_add(r, &r->open->contents, dell_base_name(value(r, attrs, n, "path")));
		break;
	case PLACES: other(r, name); break;
	default: break;
	}
	return 0;
}

/* What can't be an update is named, and the reading goes on. */
static bool whole(struct reader *r, const struct entry *e, bool bundle)
{
	const char *what = bundle ? "bundle" : "component", *name = *e->id ? e->id : e->title;
	const char *wrong = !*e->id ? "it has neither an id nor a releaseID" :
			    !bundle && !*e->path ? "it has no path" : NULL;

	if (wrong)
		pd_ignored(r->path.ctx, e->line, pd_format(r->path.ctx, "%s%s%s: %s", what,
							   *name ? " " : "", name, wrong));
	return !wrong;
}

static int end_component(struct reader *r)
{
	struct entry *e = r->open;

	r->open = NULL;
	if (!whole(r, e, false))
		return 0;
	r->files = path_room(r->path.ctx, r->files, r->n_files, &r->files_cap, sizeof(*r->files));
	r->files[r->n_files++] = (struct file){ dell_base_name(e->path), e->id };
	return dell_emit_component(r, e);
}

static void end_bundle(struct reader *r)
{
	struct entry *e = r->open;

	r->open = NULL;
	if (!whole(r, e, true))
		return;
	r->bundles = path_room(r->path.ctx, r->bundles, r->n_bundles, &r->bundles_cap, sizeof(*r->bundles));
	r->bundles[r->n_bundles++] = e;
}

/* Of several digests the longest, which is the strongest. */
static void hash(struct reader *r, const char *said)
{
	static const char *const names[][2] = { { "MD5", "md5" }, { "SHA1", "sha1" },
		{ "SHA256", "sha256" }, { "SHA384", "sha384" }, { "SHA512", "sha512" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(r->algorithm, names[i][0]) == 0 &&
		    strlen(said) + strlen(names[i][1]) + 1 > strlen(r->open->digest))
			r->open->digest = pd_format(r->path.ctx, "%s:%s", names[i][1],
						    path_lower(r->path.ctx, said));
}

/* In English, else what comes first. */
static void said(struct reader *r, const char **text)
{
	const char *words = path_said(&r->path);

	if (*words && (!**text || strcmp(r->language, "en") == 0))
		*text = words;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	struct reader *r = user;
	enum place at = (enum place)path_place(&r->path, places, PLACES);
	int result = 0;

	(void)ctx, (void)ns;
	switch (at) {
	case IN_COMPONENT: result = end_component(r); break;
	case IN_BUNDLE: end_bundle(r); break;
	case NAME: case BUNDLE_NAME: said(r, &r->open->title); break;
	case DESCRIPTION: case BUNDLE_DESCRIPTION: said(r, &r->open->description); break;
	case MODEL: case BUNDLE_MODEL: dell_add(r, &r->open->models, path_said(&r->path)); break;
	case CRITICALITY_TEXT: said(r, &r->open->criticality_text); break;
	case HASH: hash(r, path_said(&r->path)); break;
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

static int read_catalog(struct pd_ctx *ctx)
{
	struct reader r = { .path = { .ctx = ctx }, .base = "", .algorithm = "", .language = "" };
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = &r,
					  .start = on_start, .end = on_end, .text = on_text };
	int result = pd_xml(ctx, &handler);

	return result < 0 ? result : dell_emit_bundles(&r);
}

static int recognize(const unsigned char *head, size_t len)
{
	return path_found(head, len, "<Manifest") && (path_found(head, len, "baseLocation=") ||
		path_found(head, len, "<SoftwareComponent") || path_found(head, len, "<SoftwareBundle")) ?
	       90 : 0;
}

static const struct pd_reader reader = {
	PD_READER,
	.name = "dell",
	.help = "Dell's catalogs of system updates, <Manifest>",
	.recognize = recognize,
	.read = read_catalog,
};

static const struct pd_reader *const readers[] = { &reader, NULL };

PD_PLUGIN(
	.name = "dell",
	.version = "1.0",
	.help = "Dell's firmware, drivers and applications for servers",
	.readers = readers,
);
