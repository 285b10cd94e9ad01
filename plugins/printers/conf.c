/* SPDX-License-Identifier: MIT */
/* Queues as cupsd's own files have them: read, compared, written. */
#include "printers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONF_MAX (64u << 20)

const char *const setup_files[2] = { "printers.conf", "classes.conf" };

/* "<DefaultPrinter hall>" starts a queue. */
static bool opens(struct pd_ctx *ctx, const char *line, struct queue *out)
{
	static const struct { const char *tag; bool is_class, is_default; }
	tags[] = { { "<Printer ", false, false },
		   { "<DefaultPrinter ", false, true },
		   { "<Class ", true, false },
		   { "<DefaultClass ", true, true } };

	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		const char *name = line + strlen(tags[i].tag);

		if (strncmp(line, tags[i].tag, strlen(tags[i].tag)) != 0)
			continue;
		*out = (struct queue){ .is_class = tags[i].is_class,
				       .is_default = tags[i].is_default };
		out->name = pd_format(ctx, "%.*s", (int)strcspn(name, ">"),
				      name);
		return true;
	}
	return false;
}

static int parse(struct pd_ctx *ctx, const char *path, const char *text,
		 struct setup *out)
{
	struct queue *q = NULL;

	for (const char *end = NULL; *text; text = end + (*end != '\0')) {
		const char *line = NULL;
		struct queue next = { 0 };

		end = strchrnul(text, '\n');
		line = pd_format(ctx, "%.*s", (int)(end - text), text);
		if (opens(ctx, line, &next)) {
			q = saved_grow(ctx, &out->queue, &out->len,
				       sizeof(*q));
			*q = next;
		} else if (line[0] == '<') {
			q = NULL;
		} else if (q) {
			*(const char **)saved_grow(ctx, &q->line, &q->len,
						   sizeof(line)) = line;
		}
	}
	if (q)
		return pd_fail(ctx, PD_FAILED, "%s ends in the middle of queue "
			       "%s", path, q->name);
	return 0;
}

int setup_read(struct pd_ctx *ctx, const char *root, struct setup *out)
{
	*out = (struct setup){ 0 };
	for (size_t i = 0; i < 2; i++) {
		const char *path = pd_format(ctx, "%s/%s", root, setup_files[i]);

		out->text[i] = pd_read_file(ctx, path, CONF_MAX, NULL);
		if (!out->text[i] && errno != ENOENT && errno != ENOTDIR)
			return pd_fail(ctx, PD_FAILED, "can't read %s: %s",
				       path, strerror(errno));
		if (out->text[i] && parse(ctx, path, out->text[i], out))
			return PD_FAILED;
	}
	return 0;
}

struct queue *setup_find(const struct setup *setup, const char *name)
{
	for (size_t i = 0; i < setup->len; i++)
		if (strcasecmp(setup->queue[i].name, name) == 0)
			return &setup->queue[i];
	return NULL;
}

/* The value in "Key value" when the line has this key. */
static const char *line_value(const char *line, const char *key)
{
	size_t n = strlen(key);

	if (strncasecmp(line, key, n) != 0 || (line[n] && line[n] != ' '))
		return NULL;
	return line + n + strspn(line + n, " ");
}

const char *queue_value(struct pd_ctx *ctx, const struct queue *q,
			const char *key)
{
	for (size_t i = 0; i < q->len; i++) {
		const char *value = line_value(q->line[i], key);
		char *text = value ? strdup(value) : NULL, *to = text;
		const char *kept = NULL;

		if (!value)
			continue;
		for (const char *p = value; *p; p++) /* \# and \\ */
			*to++ = *p == '\\' && (p[1] == '#' || p[1] == '\\') ?
				*++p : *p;
		*to = '\0';
		kept = pd_format(ctx, "%s", text);
		free(text);
		return kept;
	}
	return "";
}

/* Lines that cupsd changes by itself, without anybody having asked. */
static bool is_volatile(const char *line)
{
	static const char *const keys[] = { "StateTime", "ConfigTime", "Type",
					    "PrinterId", "Reason",
					    "Attribute" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (line_value(line, keys[i]))
			return true;
	return line[strspn(line, " \t")] == '\0';
}

static bool has_line(const struct queue *q, const char *line)
{
	for (size_t i = 0; i < q->len; i++)
		if (strcmp(q->line[i], line) == 0)
			return true;
	return false;
}

static const char *line_not_in(struct pd_ctx *ctx, const struct queue *a,
			       const struct queue *b)
{
	for (size_t i = 0; i < a->len; i++)
		if (!is_volatile(a->line[i]) && !has_line(b, a->line[i]))
			return pd_format(ctx, "%.*s",
					 (int)strcspn(a->line[i], " "),
					 a->line[i]);
	return NULL;
}

const char *queue_differs(struct pd_ctx *ctx, const struct queue *a,
			  const struct queue *b)
{
	const char *key = line_not_in(ctx, a, b);

	if (!key)
		key = line_not_in(ctx, b, a);
	if (!key && a->is_class != b->is_class)
		key = "kind (printer or class)";
	if (!key && a->is_default != b->is_default)
		key = "default printer";
	return key;
}

/* cupsd numbers queues; a number that another queue has got since is left
 * out, and cupsd gives a new one. */
static bool number_taken(struct pd_ctx *ctx, const struct setup *setup,
			 size_t at)
{
	const char *id = queue_value(ctx, &setup->queue[at], "PrinterId");

	for (size_t i = 0; *id && i < at; i++)
		if (strcmp(queue_value(ctx, &setup->queue[i], "PrinterId"),
			   id) == 0)
			return true;
	return false;
}

const char *setup_text(struct pd_ctx *ctx, const struct setup *setup,
		       bool classes)
{
	const char *kind = classes ? "Class" : "Printer", *kept = NULL;
	char *text = NULL;
	size_t len = 0;
	long next = 1;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < setup->len; i++) {
		long id = strtol(queue_value(ctx, &setup->queue[i],
					     "PrinterId"), NULL, 10);

		next = id >= next ? id + 1 : next;
	}
	fprintf(out, "# Queues of cupsd, restored by patchday\n"
		     "# DO NOT EDIT THIS FILE WHEN CUPSD IS RUNNING\n");
	if (!classes)
		fprintf(out, "NextPrinterId %ld\n", next);
	for (size_t i = 0; i < setup->len; i++) {
		const struct queue *q = &setup->queue[i];
		bool taken = number_taken(ctx, setup, i);

		if (q->is_class != classes)
			continue;
		fprintf(out, "<%s%s %s>\n", q->is_default ? "Default" : "",
			kind, q->name);
		for (size_t j = 0; j < q->len; j++)
			if (!taken || !line_value(q->line[j], "PrinterId"))
				fprintf(out, "%s\n", q->line[j]);
		fprintf(out, "</%s%s>\n", q->is_default ? "Default" : "", kind);
	}
	fclose(out);
	kept = pd_format(ctx, "%s", text);
	free(text);
	return kept;
}

const char *plain_uri(struct pd_ctx *ctx, const char *uri)
{
	const char *host = strstr(uri, "://");
	const char *end = host ? host + 3 + strcspn(host + 3, "/?#") : NULL;
	const char *at = host ? memrchr(host, '@', (size_t)(end - host)) : NULL;

	if (!at)
		return uri;
	return pd_format(ctx, "%.*s%s", (int)(host + 3 - uri), uri, at + 1);
}

const char *cupsd_setting(struct pd_ctx *ctx, const char *root,
			  const char *key, const char *start)
{
	const char *text = pd_read_file(ctx, pd_format(ctx, "%s/cupsd.conf",
						       root), CONF_MAX, NULL);
	const char *found = NULL;

	for (const char *end = NULL; text && *text;
	     text = end + (*end != '\0')) {
		const char *line = NULL, *value = NULL;

		end = strchrnul(text, '\n');
		line = pd_format(ctx, "%.*s", (int)(end - text), text);
		line += strspn(line, " \t");
		value = line_value(line, key);
		if (value && strncmp(value, start, strlen(start)) == 0)
			found = pd_format(ctx, "%.*s",
					  (int)strcspn(value, " \t#"), value);
	}
	return found;
}
