/* SPDX-License-Identifier: MIT */
/* Canonical lines, digests and checked access over jansson. */
#include "base/json.h"

char *pd_json_line(const json_t *value)
{
	char *s = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	return s ? s : pd_strdup("null");
}

void pd_json_digest(const json_t *value, pd_digest out)
{
	pd_auto_free char *line = pd_json_line(value);

	pd_digest_data(line, strlen(line), out);
}

const char *pd_json_text(const json_t *object, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : otherwise;
}

int64_t pd_json_number(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *n = json_object_get(object, key);

	return json_is_integer(n) ? json_integer_value(n) : otherwise;
}

bool pd_json_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

json_t *pd_json_parse(const char *text, size_t len, const char *name, struct pd_error **err)
{
	json_error_t e;
	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);

	if (!value)
		pd_error_at(err, "json-syntax", name, (unsigned)e.line,
			    (unsigned)e.column, "this is not JSON: %s", e.text);
	return value;
}

json_t *pd_json_read(const char *path, size_t max, struct pd_error **err)
{
	size_t len = 0;
	pd_auto_free char *text = pd_file_read(path, max, &len, err);

	return text ? pd_json_parse(text, len, path, err) : NULL;
}
