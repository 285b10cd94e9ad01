/* SPDX-License-Identifier: MIT */
/* What an administrator has allowed: lines of JSON that catalog approve and
 * withdraw have added to, of which the last one about an update counts. */
#include <errno.h>
#include <unistd.h>

#include "base/json.h"
#include "catalog/catalog.h"

enum { FILE_MAX = 64 << 20 };

static char *key_of(const char *id, const char *revision)
{
	return pd_print("%s\n%s", id, revision);
}

static bool take_line(json_t *allowed, const char *path, unsigned number, const char *line,
		      size_t len, struct pd_error **err)
{
	pd_auto_json *entry = pd_json_parse(line, len, path, NULL);
	const char *what = pd_json_text(entry, "what", ""), *id = pd_json_text(entry, "id", NULL);
	pd_auto_free char *key = key_of(id ? id : "", pd_json_text(entry, "revision", ""));

	if (id && strcmp(what, "approve") == 0)
		json_object_set_new(allowed, key, json_true());
	else if (id && strcmp(what, "withdraw") == 0)
		json_object_del(allowed, key);
	else
		return pd_error_at(err, "approvals", path, number, 0, "this is no approval");
	return true;
}

static bool read_lines(json_t *allowed, const char *path, struct pd_error **err)
{
	size_t len = 0;
	pd_auto_free char *text = pd_file_read(path, FILE_MAX, &len, err);
	unsigned number = 1;

	for (char *at = text, *end; text && at < text + len; at = end + 1, number++) {
		end = memchr(at, '\n', (size_t)(text + len - at));
		end = end ? end : text + len;
		if (!take_line(allowed, path, number, at, (size_t)(end - at), err))
			return false;
	}
	return text != NULL;
}

static bool is_barred(const json_t *allowed, const char *id, const char *revision)
{
	pd_auto_free char *key = key_of(id, revision);

	return !json_object_get(allowed, key);
}

bool pd_catalogs_approve(const struct pd_catalogs *list, const char *path, struct pd_error **err)
{
	pd_auto_json *allowed = json_object();

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return true;
	if (!read_lines(allowed, path, err))
		return false;
	for (size_t k = 0; k < list->len; k++) {
		struct pd_catalog *c = list->items[k];

		c->approvals = true;
		for (size_t i = 0; i < c->len; i++)
			c->updates[i].barred = is_barred(allowed, c->updates[i].id, c->updates[i].revision);
		for (size_t i = 0; i < c->n_briefs; i++)
			c->briefs[i].barred = c->briefs[i].id &&
				is_barred(allowed, c->briefs[i].id, c->briefs[i].revision);
	}
	return true;
}
