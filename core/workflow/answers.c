/* SPDX-License-Identifier: MIT */
/* The answers file: {"name": answer, ...}, each kept with who gave it, when,
 * and the place in the file, so that what is wrong can be pointed at. */
#include <time.h>

#include "base/text.h"
#include "workflow/plan.h"

/* "file:line:column" of a member; what jansson does not say. */
static char *place_of(const char *path, const char *text, const char *name)
{
	unsigned line = 1, depth = 0;
	const char *start = text;
	size_t len = strlen(name);

	for (const char *p = text; *p; p++) {
		if (*p == '"') {
			const char *from = p++;

			while (*p && *p != '"')
				p += *p == '\\' && p[1] ? 2 : 1;
			if (depth == 1 && (size_t)(p - from) == len + 1 &&
			    memcmp(from + 1, name, len) == 0 && p[1 + strspn(p + 1, " \t\r\n")] == ':')
				return pd_print("%s:%u:%u", path, line, (unsigned)(from - start) + 1);
			if (!*p)
				break;
		}
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		if (*p == '\n') {
			line++;
			start = p + 1;
		}
	}
	return pd_strdup(path);
}

json_t *pd_answer(json_t *value_take, const char *who, const char *when, const char *from)
{
	pd_auto_free char *now = pd_show_time((int64_t)time(NULL));

	return json_pack("{s:o, s:s, s:s, s:s}", "value", value_take, "who", who, "when",
			 when ? when : now, "from", from);
}

bool pd_answers_read(const char *path, const char *who, json_t *answers, struct pd_error **err)
{
	pd_auto_free char *text = pd_file_read(path, 1 << 20, NULL, err);
	pd_auto_json *given = text ? pd_json_parse(text, strlen(text), path, err) : NULL;
	const char *name;
	json_t *value;

	if (!given)
		return false;
	if (!json_is_object(given))
		return pd_error_at(err, "workflow-answer", path, 1, 1, "answers are an object:"
				   " {\"question\": answer, ...}");
	json_object_foreach(given, name, value) {
		pd_auto_free char *place = place_of(path, text, name);
		json_t *answer = json_object_get(value, "answer");
		const char *member;
		json_t *ignored;
		int64_t at = 0;

		json_object_foreach(value, member, ignored) {
			if (!answer || (strcmp(member, "answer") != 0 && strcmp(member, "who") != 0 &&
					strcmp(member, "when") != 0))
				return pd_error_at(err, "workflow-answer", place, 0, 0, "the answer"
					" to '%s' has a member '%s'; it takes answer, who and when",
					name, member);
		}
		if (answer && ((json_object_get(value, "who") && !*pd_json_text(value, "who", "")) ||
			       (json_object_get(value, "when") &&
				!pd_parse_time(pd_json_text(value, "when", ""), &at))))
			return pd_error_at(err, "workflow-answer", place, 0, 0, "the answer to '%s'"
				" is by nobody, or its time is none such as 2026-11-20T15:56:00Z", name);
		json_object_set_new(answers, name,
			pd_answer(json_incref(answer ? answer : value), pd_json_text(value, "who", who),
				  pd_json_text(value, "when", NULL), place));
	}
	return true;
}
