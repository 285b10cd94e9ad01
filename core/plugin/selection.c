/* SPDX-License-Identifier: MIT */
/* The updates that a plan has frozen for a step, as a plugin reads them, and how
 * versions compare. */
#include "plugin/child.h"

/* Index of a word among those that the enums of plugin.h count through. */
static uint16_t word(const json_t *row, const char *key, const char *const *words)
{
	const char *s = pd_json_text(row, key, "");

	for (uint16_t i = 0; words[i]; i++)
		if (strcmp(words[i], s) == 0)
			return i;
	return 0;
}

bool pd_selection_update(struct pd_ctx *ctx, const struct pd_updates *updates,
			 size_t i, struct pd_update *out)
{
	static const char *const severities[] = { "unknown", "none", "low", "moderate",
						  "important", "critical", NULL };
	static const char *const kinds[] = { "other", "security", "bugfix", "enhancement",
					     "newpackage", "driver", "firmware", "bundle", NULL };
	static const char *const restarts[] = { "unknown", "none", "service", "session",
						"reboot", NULL };
	const json_t *row = updates ? json_array_get(pd_updates_json(updates), i) : NULL;
	struct pd_update u;
	uint32_t size = out->size;

	(void)ctx;
	if (!row)
		return false;
	u = (struct pd_update){
		.size = size, .severity = word(row, "severity", severities),
		.kind = word(row, "kind", kinds), .restart = word(row, "restart", restarts),
		.packages = (uint32_t)json_array_size(json_object_get(row, "packages")),
		.catalog = pd_json_text(row, "catalog", ""), .id = pd_json_text(row, "id", ""),
		.revision = pd_json_text(row, "revision", ""),
		.title = pd_json_text(row, "title", ""),
	};
	memcpy(out, &u, size < sizeof(u) ? size : sizeof(u));
	return true;
}

bool pd_selection_package(struct pd_ctx *ctx, const struct pd_updates *updates,
			  size_t i, size_t j, struct pd_package *out)
{
	const json_t *row = updates ? json_array_get(pd_updates_json(updates), i) : NULL;
	struct pd_package p;
	uint32_t size = out->size;

	(void)ctx;
	row = json_array_get(json_object_get(row, "packages"), j);
	if (!row)
		return false;
	p = (struct pd_package){
		.size = size, .scheme = word(row, "scheme", pd_schemes),
		.name = pd_json_text(row, "name", ""), .version = pd_json_text(row, "version", ""),
		.arch = pd_json_text(row, "arch", ""),
		.installed = pd_json_text(row, "installed", ""),
		.url = pd_json_text(row, "url", ""), .sha256 = pd_json_text(row, "sha256", ""),
		.bytes = pd_json_number(row, "bytes", -1),
	};
	memcpy(out, &p, size < sizeof(p) ? size : sizeof(p));
	return true;
}

bool pd_selection_compare(struct pd_ctx *ctx, uint32_t scheme, const char *a, const char *b,
			  int *order)
{
	(void)ctx;
	return a && b && pd_version_compare((enum pd_scheme)scheme, a, b, order, NULL);
}
