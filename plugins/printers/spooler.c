/* SPDX-License-Identifier: MIT */
/* Queues as cupsd itself tells them, over IPP. */
#include "printers.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define CONNECT_MS 5000
#define DOMAIN_SOCKET "/run/cups/cups.sock"

/* Collect the attributes of each printer of the answer.  A temporary queue,
 * which cupsd made by itself for a printer that it saw, is in no file. */
static void sort_answer(struct pd_ctx *ctx, struct spooler *s)
{
	ipp_attribute_t *a = cups.ippFirstAttribute(s->answer);

	while (a) {
		struct live next = { 0 };
		bool temporary = false;

		for (; a && cups.ippGetGroupTag(a) == IPP_TAG_PRINTER;
		     a = cups.ippNextAttribute(s->answer)) {
			const char *name = cups.ippGetName(a);

			if (!name)
				break;
			if (strcmp(name, "printer-name") == 0)
				next.name = cups.ippGetString(a, 0, NULL);
			if (strcmp(name, "printer-is-temporary") == 0)
				temporary = cups.ippGetBoolean(a, 0);
			*(ipp_attribute_t **)saved_grow(ctx, &next.attr,
							&next.len,
							sizeof(a)) = a;
		}
		if (next.name && !temporary)
			*(struct live *)saved_grow(ctx, &s->queue, &s->len,
						   sizeof(next)) = next;
		if (a)
			a = cups.ippNextAttribute(s->answer);
	}
}

static http_t *reach(struct pd_ctx *ctx, const char *root)
{
	/* The socket of this very server: client.conf and CUPS_SERVER may
	 * name another one. */
	const char *path = cupsd_setting(ctx, root, "Listen", "/");
	http_t *http = cups.httpConnect2(path ? path : DOMAIN_SOCKET, 0, NULL,
					 AF_UNSPEC, HTTP_ENCRYPTION_IF_REQUESTED, 1,
				    CONNECT_MS, NULL);

	if (!http && !path)
		http = cups.httpConnect2("localhost", 631, NULL, AF_UNSPEC,
					 HTTP_ENCRYPTION_IF_REQUESTED, 1, CONNECT_MS,
				    NULL);
	return http;
}

int spooler_ask(struct pd_ctx *ctx, const char *root, struct spooler *out)
{
	http_t *http = NULL;
	ipp_t *question = NULL;
	ipp_status_t status = IPP_STATUS_OK;

	*out = (struct spooler){ 0 };
	if (!cups_load(ctx))
		return PD_FAILED;
	http = reach(ctx, root);
	out->running = http != NULL;
	if (!http)
		return 0;
	question = cups.ippNewRequest(IPP_OP_CUPS_GET_PRINTERS);
	cups.ippAddString(question, IPP_TAG_OPERATION, IPP_TAG_KEYWORD,
			  "requested-attributes", NULL, "all");
	out->answer = cups.cupsDoRequest(http, question, "/");
	status = cups.cupsLastError();
	cups.httpClose(http);
	if (status == IPP_STATUS_ERROR_NOT_FOUND)
		return 0; /* there is no queue */
	if (!out->answer || status >= IPP_STATUS_ERROR_BAD_REQUEST) {
		spooler_free(out);
		return pd_fail(ctx, PD_RETRY, "cupsd does not tell its queues: "
			       "%s; look at its error_log",
			       cups.cupsLastErrorString());
	}
	sort_answer(ctx, out);
	return 0;
}

void spooler_free(struct spooler *spooler)
{
	if (spooler->answer)
		cups.ippDelete(spooler->answer);
	*spooler = (struct spooler){ 0 };
}

const struct live *spooler_find(const struct spooler *spooler, const char *name)
{
	for (size_t i = 0; i < spooler->len; i++)
		if (strcasecmp(spooler->queue[i].name, name) == 0)
			return &spooler->queue[i];
	return NULL;
}

static ipp_attribute_t *live_attr(const struct live *q, const char *name)
{
	for (size_t i = 0; i < q->len; i++)
		if (strcmp(cups.ippGetName(q->attr[i]), name) == 0)
			return q->attr[i];
	return NULL;
}

const char *live_text(struct pd_ctx *ctx, const struct live *q, const char *name)
{
	ipp_attribute_t *a = live_attr(q, name);
	const char *text = a ? cups.ippGetString(a, 0, NULL) : NULL;

	return text ? pd_format(ctx, "%s", text) : "";
}

int live_number(const struct live *q, const char *name, int missing)
{
	ipp_attribute_t *a = live_attr(q, name);

	if (!a)
		return missing;
	return cups.ippGetValueTag(a) == IPP_TAG_BOOLEAN ? cups.ippGetBoolean(a, 0) :
	       cups.ippGetInteger(a, 0);
}

/* Users that may (or may not) print: the same names in both? */
static bool users_differ(const struct live *live, const struct queue *file,
			 const char *attribute, const char *key)
{
	ipp_attribute_t *a = live_attr(live, attribute);
	int told = a ? cups.ippGetCount(a) : 0, written = 0;
	size_t n = strlen(key);

	if (told == 1 && (strcmp(cups.ippGetString(a, 0, NULL), "all") == 0 ||
			  strcmp(cups.ippGetString(a, 0, NULL), "none") == 0))
		told = 0;
	for (size_t i = 0; i < file->len; i++) {
		const char *line = file->line[i];
		int at = 0;

		if (strncmp(line, key, n) != 0 || line[n] != ' ')
			continue;
		written++;
		while (at < told &&
		       strcmp(cups.ippGetString(a, at, NULL), line + n + 1) != 0)
			at++;
		if (at == told)
			return true;
	}
	return told != written;
}

/* "Option sides two-sided-long-edge" against sides-default. */
static const char *option_differs(struct pd_ctx *ctx, const struct live *live,
				  const struct queue *file)
{
	for (size_t i = 0; i < file->len; i++) {
		char name[256] = "";
		const char *value = NULL;
		ipp_attribute_t *a = NULL;

		if (sscanf(file->line[i], "Option %240s", name) != 1)
			continue;
		value = file->line[i] + strlen("Option ") + strlen(name);
		value += strspn(value, " ");
		a = live_attr(live, pd_format(ctx, "%s-default", name));
		/* cupsd adds to some of them, so no order of values */
		if (a && cups.ippGetCount(a) == 1 && cups.ippGetString(a, 0, NULL) &&
		    strcmp(cups.ippGetString(a, 0, NULL), value) != 0)
			return pd_format(ctx, "Option %s", name);
	}
	return NULL;
}

const char *live_differs(struct pd_ctx *ctx, const struct live *live,
			 const struct queue *file, bool times)
{
	static const struct { const char *key, *attribute; } texts[] = {
		{ "Info", "printer-info" },
		{ "Location", "printer-location" },
		{ "OpPolicy", "printer-op-policy" },
		{ "ErrorPolicy", "printer-error-policy" },
		{ "UUID", "printer-uuid" },
	};
	const char *changed = queue_value(ctx, file, "ConfigTime");
	bool stopped = live_number(live, "printer-state", 3) == 5;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *written = queue_value(ctx, file, texts[i].key);

		if (*written && strcmp(written, live_text(ctx, live,
						texts[i].attribute)) != 0)
			return texts[i].key;
	}
	if (!file->is_class &&
	    strcmp(plain_uri(ctx, queue_value(ctx, file, "DeviceURI")),
		   plain_uri(ctx, live_text(ctx, live, "device-uri"))) != 0)
		return "DeviceURI";
	if (stopped != (strcmp(queue_value(ctx, file, "State"), "Stopped") == 0))
		return "State";
	if (live_number(live, "printer-is-accepting-jobs", 1) !=
	    (strcasecmp(queue_value(ctx, file, "Accepting"), "Yes") == 0))
		return "Accepting";
	if (live_number(live, "printer-is-shared", 0) !=
	    (strcasecmp(queue_value(ctx, file, "Shared"), "Yes") == 0))
		return "Shared";
	if (!!(live_number(live, "printer-type", 0) & CUPS_PRINTER_DEFAULT) !=
	    file->is_default)
		return "default printer";
	if (users_differ(live, file, "requesting-user-name-allowed",
			 "AllowUser"))
		return "AllowUser";
	if (users_differ(live, file, "requesting-user-name-denied", "DenyUser"))
		return "DenyUser";
	if (times && *changed && live_number(live, "printer-config-change-time",
			atoi(changed)) != atoi(changed))
		return "ConfigTime";
	return option_differs(ctx, live, file);
}

static json_t *value_json(ipp_attribute_t *a, int i)
{
	switch (cups.ippGetValueTag(a)) {
	case IPP_TAG_INTEGER:
	case IPP_TAG_ENUM:
		return json_integer(cups.ippGetInteger(a, i));
	case IPP_TAG_BOOLEAN:
		return json_boolean(cups.ippGetBoolean(a, i));
	default:
		return cups.ippGetString(a, i, NULL) ?
		       json_string(cups.ippGetString(a, i, NULL)) : NULL;
	}
}

static json_t *attr_json(ipp_attribute_t *a)
{
	int n = cups.ippGetCount(a);
	json_t *one = n ? value_json(a, 0) : json_null();
	json_t *all = NULL;

	if (!one) { /* ranges, resolutions, collections: as CUPS writes them */
		size_t len = cups.ippAttributeString(a, NULL, 0) + 1;
		char *text = malloc(len);

		cups.ippAttributeString(a, text, len);
		one = json_string(text);
		free(text);
		return one ? one : json_null();
	}
	if (n <= 1)
		return one;
	all = json_array();
	json_array_append_new(all, one);
	for (int i = 1; i < n; i++)
		json_array_append_new(all, value_json(a, i));
	return all;
}

char *spooler_json(struct pd_ctx *ctx, const struct spooler *spooler)
{
	json_t *all = json_object();
	char *text = NULL;

	for (size_t i = 0; i < spooler->len; i++) {
		const struct live *q = &spooler->queue[i];
		json_t *one = json_object();

		/* of an attribute that cupsd gives twice (what was set, then
		 * what the PPD has) the first one counts */
		for (size_t j = q->len; j-- > 0;)
			json_object_set_new(one, cups.ippGetName(q->attr[j]),
					    attr_json(q->attr[j]));
		/* nobody's password, whatever cupsd told root */
		if (json_object_get(one, "device-uri"))
			json_object_set_new(one, "device-uri",
				json_string(plain_uri(ctx, live_text(ctx, q,
							"device-uri"))));
		json_object_set_new(all, q->name, one);
	}
	text = json_dumps(all, JSON_INDENT(2) | JSON_SORT_KEYS);
	json_decref(all);
	return text;
}
