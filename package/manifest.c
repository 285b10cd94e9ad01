/* SPDX-License-Identifier: MIT */
/* The manifest, and the paths that may be in it. */
#include "manifest.h"

#include <inttypes.h>

enum { FORMAT = 1, FILES_MAX = 10000, PATH_MAX_BYTES = 200, NAME_MAX_BYTES = 100, DEPTH_MAX = 16,
       WORD_MAX = 64, BLOCK = 512 };
#define FILE_MAX_BYTES (INT64_C(2) << 30)
#define PAYLOAD_MAX (INT64_C(4) << 30)

/* ------------------------------------------------------------------ paths */

static bool bad_path(const char *path, const char *why, struct pd_error **err)
{
	return pd_error_set(err, "package-path", "'%s' is no path of a package: %s", path, why);
}

bool manifest_path_safe(const char *path, struct pd_error **err)
{
	size_t len = strlen(path), depth = 0;

	if (len == 0 || len > PATH_MAX_BYTES)
		return bad_path(path, "it has 1 to 200 characters", err);
	for (size_t i = 0; i < len; i++)
		if (path[i] < ' ' || path[i] > '~' || path[i] == '\\')
			return bad_path(path, "only printable ASCII without '\\' is in it", err);
	for (const char *part = path; part; depth++) {
		size_t n = strcspn(part, "/");

		if (n == 0 || n > NAME_MAX_BYTES)
			return bad_path(path, "each of its names has 1 to 100 characters", err);
		if (*part == '.')
			return bad_path(path, "no name in it begins with '.'", err);
		part = part[n] ? part + n + 1 : NULL;
	}
	return depth <= DEPTH_MAX || bad_path(path, "it is more than 16 names deep", err);
}

static bool ends(const char *path, const char *with)
{
	size_t len = strlen(path), n = strlen(with);

	return len > n && strcmp(path + len - n, with) == 0;
}

bool manifest_path(const char *path, struct pd_error **err)
{
	bool top = !strchr(path, '/');

	if (!manifest_path_safe(path, err))
		return false;
	if (top ? ends(path, ".lua") || ends(path, ".test") || strcmp(path, "README.md") == 0 :
		  strncmp(path, "catalogs/", 9) == 0 || strncmp(path, "assets/", 7) == 0)
		return true;
	return bad_path(path, "a package has the workflow NAME.lua, tests NAME.test, README.md, and what"
			" is in the folders catalogs and assets", err);
}

/* --------------------------------------------------------------- its rows */

static bool bad(struct pd_error **err, const char *what, const char *why)
{
	return pd_error_set(err, "package-manifest", "the manifest's %s %s", what, why);
}

static bool is_digest(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/* As of a workflow. */
static bool is_word(const char *s)
{
	return s && *s >= 'a' && *s <= 'z' && strlen(s) <= WORD_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(s);
}

/* 1.10.2: numbers of at most nine digits. */
static bool is_version(const char *s)
{
	if (!s || strlen(s) > WORD_MAX)
		return false;
	for (;; s++) {
		size_t digits = strspn(s, "0123456789");

		if (digits == 0 || digits > 9 || (digits > 1 && *s == '0'))
			return false;
		s += digits;
		if (*s != '.')
			return !*s;
	}
}

mode_t manifest_mode(const json_t *file)
{
	const char *mode = pd_json_text(file, "mode", "");

	return strcmp(mode, "0755") == 0 ? 0755 : strcmp(mode, "0644") == 0 ? 0644 : 0;
}

/* A header and whole blocks for each file, and two empty blocks in the end: no
 * room for anything else. */
int64_t manifest_payload(const json_t *files)
{
	int64_t bytes = INT64_C(2) * BLOCK;
	json_t *file;
	size_t i;

	json_array_foreach(files, i, file)
		bytes += BLOCK + (pd_json_number(file, "bytes", 0) + BLOCK - 1) / BLOCK * BLOCK;
	return bytes;
}

static bool check_file(const json_t *file, const char *before, struct pd_error **err)
{
	const char *path = pd_json_text(file, "path", "");
	int64_t bytes = pd_json_number(file, "bytes", -1);

	if (!manifest_path(path, err))
		return false;
	if (before && strcmp(before, path) >= 0)
		return bad(err, path, "is there twice, or out of order");
	if (bytes < 0 || bytes > FILE_MAX_BYTES)
		return bad(err, path, "has no size from 0 to 2 GiB");
	if (!manifest_mode(file))
		return bad(err, path, "has no mode 0644 or 0755");
	return is_digest(json_object_get(file, "sha256")) || bad(err, path, "has no SHA-256");
}

static bool check_files(const struct manifest *m, struct pd_error **err)
{
	const char *before = NULL, *workflow = pd_json_text(m->json, "workflow", "");
	size_t scripts = 0, i;
	json_t *file;

	if (json_array_size(m->files) == 0 || json_array_size(m->files) > FILES_MAX)
		return bad(err, "files", "are not 1 to 10000");
	json_array_foreach(m->files, i, file) {
		if (!check_file(file, before, err))
			return false;
		before = pd_json_text(file, "path", "");
		scripts += !strchr(before, '/') && ends(before, ".lua") ? strcmp(before, workflow) == 0 ? 1 : 2 : 0;
	}
	return scripts == 1 || bad(err, "workflow", "is not its one script");
}

static bool check_needs(const json_t *needs, struct pd_error **err)
{
	json_t *need, *step;
	size_t i, k;

	if (!json_is_array(needs))
		return bad(err, "needs", "are no list");
	json_array_foreach(needs, i, need) {
		const json_t *steps = json_object_get(need, "steps");

		if (!is_word(pd_json_text(need, "plugin", NULL)) || !json_is_array(steps))
			return bad(err, "needs", "are not each { plugin, steps }");
		json_array_foreach(steps, k, step)
			if (!is_word(json_string_value(step)))
				return bad(err, "needs", "have a step that has no name of one");
	}
	return true;
}

static bool check(struct manifest *m, struct pd_error **err)
{
	const json_t *payload = json_object_get(m->json, "payload");
	int64_t format = pd_json_number(m->json, "format", 0);

	if (format != FORMAT)
		return pd_error_set(err, "package-manifest", "the manifest has format %" PRId64 ", this patchday"
				    " reads %d", format, FORMAT);
	if (!is_word(m->name))
		return bad(err, "name", "is no word of a to z, 0 to 9, '-' and '_'");
	if (!is_version(m->version))
		return bad(err, "version", "is no number like 1.2.0");
	if (!is_version(pd_json_text(m->json, "patchday", NULL)))
		return bad(err, "patchday", "is no version of it");
	if (pd_json_number(m->json, "api", 0) < 1)
		return bad(err, "api", "is no number from 1 on");
	if (!check_files(m, err) || !check_needs(json_object_get(m->json, "needs"), err))
		return false;
	if (!is_digest(json_object_get(payload, "sha256")))
		return bad(err, "payload", "has no SHA-256");
	if (m->bytes != manifest_payload(m->files) || m->bytes > PAYLOAD_MAX)
		return bad(err, "payload", "has not the size that its files take, or more than 4 GiB");
	return true;
}

static bool fill(struct manifest *m, struct pd_error **err)
{
	const json_t *payload = json_object_get(m->json, "payload");

	pd_digest_data(m->line, strlen(m->line), m->digest);
	m->name = pd_json_text(m->json, "name", NULL);
	m->version = pd_json_text(m->json, "version", NULL);
	m->files = json_object_get(m->json, "files");
	m->payload = pd_json_text(payload, "sha256", "");
	m->bytes = pd_json_number(payload, "bytes", -1);
	return check(m, err);
}

bool manifest_take(struct manifest *m, json_t *json_take, struct pd_error **err)
{
	pd_auto_free char *line = pd_json_line(json_take);

	*m = (struct manifest){ .json = json_take, .line = pd_print("%s\n", line) };
	return (strlen(m->line) <= MANIFEST_MAX || bad(err, "text", "has more than 4 MiB")) && fill(m, err);
}

bool manifest_read(struct manifest *m, const char *line, size_t len, struct pd_error **err)
{
	*m = (struct manifest){ .json = pd_json_parse(line, len, "the manifest", err),
				.line = pd_strndup(line, len) };
	return m->json && fill(m, err);
}

void manifest_clear(struct manifest *m)
{
	json_decref(m->json);
	free(m->line);
	*m = (struct manifest){0};
}
