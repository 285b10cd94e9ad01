/* SPDX-License-Identifier: MIT */
/* protocol - what a program says, line by line; doc/command-protocol.md. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verb {
	const char *name;
	const char *beside[3]; /* further keys that the line may have */
	void (*take)(struct command_talk *talk, const json_t *line,
		     const json_t *value, const char *quote);
};

static bool in_check(const struct command_talk *talk)
{
	return strcmp(talk->phase, "check") == 0;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void bad_form(struct command_talk *talk, const char *form,
		     const char *quote)
{
	command_broken(talk, PD_FAILED, "line %u must be %s: %s", talk->lines,
		       form, quote);
}

static void bad_phase(struct command_talk *talk, const char *what,
		      const char *quote)
{
	command_broken(talk, PD_FAILED, "line %u: %s is not allowed in %s: %s",
		       talk->lines, what, talk->phase, quote);
}

static void take_log(struct command_talk *talk, const json_t *line,
		     const json_t *value, const char *quote)
{
	static const char *const levels[] = { "error", "warn", "info",
					      "debug" };
	const json_t *level = json_object_get(line, "level");
	const char *name = level ? json_string_value(level) : "info";

	for (int i = 0; name && i < 4; i++) {
		if (json_is_string(value) && strcmp(name, levels[i]) == 0) {
			pd_log(talk->ctx, i, "%s", json_string_value(value));
			return;
		}
	}
	bad_form(talk, "{\"log\": TEXT, \"level\": \"error\", \"warn\", "
		 "\"info\" or \"debug\"}", quote);
}

static void take_progress(struct command_talk *talk, const json_t *line,
			  const json_t *value, const char *quote)
{
	const json_t *done = json_array_get(value, 0);
	const json_t *total = json_array_get(value, 1);
	const json_t *text = json_object_get(line, "text");

	if (json_array_size(value) != 2 || !json_is_integer(done) ||
	    !json_is_integer(total) || (text && !json_is_string(text))) {
		bad_form(talk, "{\"progress\": [DONE, TOTAL], \"text\": TEXT}",
			 quote);
		return;
	}
	pd_progress(talk->ctx, json_integer_value(done),
		    json_integer_value(total), json_string_value(text));
}

static bool good_key(const char *key)
{
	return *key && strlen(key) <= 255 &&
	       key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._/-")] ==
		       '\0';
}

static void take_remember(struct command_talk *talk, const json_t *line,
			  const json_t *value, const char *quote)
{
	const json_t *ack = json_object_get(line, "ack");
	const char *key = NULL;
	json_t *item = NULL;
	char *all = NULL;
	bool kept = false;

	if (in_check(talk)) {
		bad_phase(talk, "remember", quote);
		return;
	}
	if (!json_is_object(value) || (ack && !json_is_boolean(ack)))
		goto bad;
	json_object_foreach((json_t *)(uintptr_t)value, key, item) {
		if (!good_key(key) ||
		    (!json_is_string(item) && !json_is_null(item)))
			goto bad;
		if (json_is_null(item))
			json_object_del(talk->remembered, key);
		else
			json_object_set(talk->remembered, key, item);
	}
	/* All of it under one key: there is no moment with half of it. */
	all = json_dumps(talk->remembered, JSON_COMPACT | JSON_SORT_KEYS);
	kept = all && pd_remember(talk->ctx, "remembered", all) == 0;
	free(all);
	if (!kept)
		command_broken(talk, PD_FAILED, "what it asked to remember "
			       "could not be written to the journal");
	else if (json_is_true(ack))
		command_send(talk, "{\"ok\":true}\n", 12);
	return;
bad:
	bad_form(talk, "{\"remember\": {KEY: TEXT or null}, \"ack\": true or "
		 "false}, KEY of a-z 0-9 . _ / -", quote);
}

static void take_output(struct command_talk *talk, const json_t *line,
			const json_t *value, const char *quote)
{
	const char *key = NULL;
	json_t *item = NULL;

	(void)line;
	if (strcmp(talk->phase, "undo") == 0) {
		bad_phase(talk, "output", quote);
		return;
	}
	if (!json_is_object(value))
		goto bad;
	json_object_foreach((json_t *)(uintptr_t)value, key, item) {
		if (!good_key(key) || strchr(key, '=') || !json_is_string(item))
			goto bad;
		json_object_set(talk->outputs, key, item);
	}
	return;
bad:
	bad_form(talk, "{\"output\": {NAME: TEXT}}, NAME of a-z 0-9 . _ / -",
		 quote);
}

static void take_evidence(struct command_talk *talk, const json_t *line,
			  const json_t *value, const char *quote)
{
	const char *path = text_of(value, "path");
	const char *title = text_of(value, "title");

	(void)line;
	if (in_check(talk))
		bad_phase(talk, "evidence", quote);
	else if (!path || *path != '/' || !title || json_object_size(value) != 2)
		bad_form(talk, "{\"evidence\": {\"path\": ABSOLUTE, "
			 "\"title\": TEXT}}", quote);
	else if (pd_evidence(talk->ctx, path, title) < 0)
		command_broken(talk, PD_FAILED, "%s can't be taken as "
			       "evidence", path);
}

static void take_inhibit(struct command_talk *talk, const json_t *line,
			 const json_t *value, const char *quote)
{
	const char *risk = text_of(value, "risk");
	const char *cause = text_of(value, "cause");
	const char *remedy = text_of(value, "remedy");

	(void)line;
	if (!in_check(talk)) {
		bad_phase(talk, "inhibit", quote);
	} else if (!risk || !cause || !remedy || json_object_size(value) != 3) {
		bad_form(talk, "{\"inhibit\": {\"risk\": TEXT, \"cause\": "
			 "TEXT, \"remedy\": TEXT}}", quote);
	} else {
		pd_inhibit(talk->ctx, risk, cause, remedy);
		talk->inhibited = true;
	}
}

static void take_irreversible(struct command_talk *talk, const json_t *line,
			      const json_t *value, const char *quote)
{
	(void)line;
	if (!in_check(talk))
		bad_phase(talk, "irreversible", quote);
	else if (!json_is_string(value))
		bad_form(talk, "{\"irreversible\": WHY}", quote);
	else
		pd_irreversible(talk->ctx, json_string_value(value));
}

static void take_expect(struct command_talk *talk, const json_t *line,
			const json_t *value, const char *quote)
{
	(void)line;
	if (!in_check(talk))
		bad_phase(talk, "expect", quote);
	else if (!json_is_integer(value) || json_integer_value(value) < 0)
		bad_form(talk, "{\"expect\": SECONDS}", quote);
	else
		pd_expect(talk->ctx, json_integer_value(value));
}

static void take_result(struct command_talk *talk, const json_t *line,
			const json_t *value, const char *quote)
{
	static const struct {
		const char *name;
		int result;
	} results[] = {
		{ "changed", PD_CHANGED },   { "unchanged", PD_UNCHANGED },
		{ "failed", PD_FAILED },     { "bad-args", PD_BAD_ARGS },
		{ "retry", PD_RETRY },	     { "canceled", PD_CANCELED },
		{ "refused", PD_REFUSED }
	};
	const json_t *message = json_object_get(line, "message");
	const char *name = json_string_value(value);
	size_t i = 0;

	while (name && i < sizeof(results) / sizeof(*results) &&
	       strcmp(name, results[i].name) != 0)
		i++;
	if (!name || i == sizeof(results) / sizeof(*results) ||
	    (message && !json_is_string(message))) {
		bad_form(talk, "{\"result\": \"changed\", \"unchanged\", "
			 "\"failed\", \"bad-args\", \"retry\", \"canceled\" "
			 "or \"refused\", \"message\": TEXT}", quote);
		return;
	}
	talk->result = results[i].result;
	if (talk->result == PD_REFUSED && !in_check(talk))
		bad_phase(talk, "the result \"refused\"", quote);
	else if (talk->result == PD_CHANGED &&
		 strcmp(talk->phase, "verify") == 0)
		bad_phase(talk, "the result \"changed\"", quote);
	else if (talk->result < 0 && !message)
		command_broken(talk, PD_FAILED, "line %u: the result \"%s\" "
			       "needs a message: %s", talk->lines, name, quote);
	talk->message = message ? pd_format(talk->ctx, "%s",
					    json_string_value(message)) : NULL;
	talk->answered = true;
}

static const struct verb verbs[] = {
	{ "log", { "level" }, take_log },
	{ "progress", { "text" }, take_progress },
	{ "remember", { "ack" }, take_remember },
	{ "output", { NULL }, take_output },
	{ "evidence", { NULL }, take_evidence },
	{ "inhibit", { NULL }, take_inhibit },
	{ "irreversible", { NULL }, take_irreversible },
	{ "expect", { NULL }, take_expect },
	{ "result", { "message" }, take_result }
};

/* The one verb of a line; NULL when it has none, two, or a stray key. */
static const struct verb *verb_of(const json_t *line)
{
	const struct verb *verb = NULL;
	size_t known = 0;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (!json_object_get(line, verbs[i].name))
			continue;
		if (verb)
			return NULL;
		verb = &verbs[i];
	}
	for (size_t i = 0; verb && i < 3 && verb->beside[i]; i++)
		known += json_object_get(line, verb->beside[i]) != NULL;
	return verb && json_object_size(line) == known + 1 ? verb : NULL;
}

void command_line(struct command_talk *talk, const char *line, size_t len)
{
	char quote[208] = "";
	json_error_t error = { 0 };
	const struct verb *verb = NULL;
	json_t *object = NULL;

	snprintf(quote, sizeof(quote), "%.*s%s", (int)(len > 200 ? 200 : len),
		 line, len > 200 ? "..." : "");
	if (talk->answered) {
		command_broken(talk, PD_FAILED, "line %u comes after the "
			       "result: %s", talk->lines, quote);
		return;
	}
	object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	verb = json_is_object(object) ? verb_of(object) : NULL;
	if (!object)
		command_broken(talk, PD_FAILED, "line %u is no JSON (%s): %s",
			       talk->lines, error.text, quote);
	else if (!json_is_object(object))
		command_broken(talk, PD_FAILED, "line %u is no JSON object: "
			       "%s", talk->lines, quote);
	else if (!verb)
		command_broken(talk, PD_FAILED, "line %u is not one of the "
			       "lines of the protocol: %s", talk->lines, quote);
	else
		verb->take(talk, object, json_object_get(object, verb->name),
			   quote);
	json_decref(object);
}
