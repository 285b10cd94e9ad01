/* SPDX-License-Identifier: MIT */
/* UPS as NUT's upsc tells of them: upsc(8), and the MONITOR lines of
 * upsmon.conf(5), of which nothing but the name is looked at. */
#include "nut.h"
#include "clone.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK_SECONDS 20

static bool has_upsc(void)
{
	return access("/usr/sbin/upsc", X_OK) == 0 || access("/usr/bin/upsc", X_OK) == 0;
}

static int upsc(struct pd_ctx *ctx, const char *argument, struct pd_command_result *r)
{
	const char *const argv[] = { "upsc", argument, NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv,
				      .time_limit = ASK_SECONDS };

	return pd_command_run(ctx, &command, r);
}

static const char *variable(struct pd_ctx *ctx, const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (strncmp(text, name, n) == 0 && strncmp(text + n, ": ", 2) == 0)
			return pd_format(ctx, "%.*s", (int)strcspn(text + n + 2, "\n"), text + n + 2);
	return NULL;
}

static int64_t number(struct pd_ctx *ctx, const char *text, const char *name)
{
	const char *value = variable(ctx, text, name);
	char *end = NULL;
	double n = value ? strtod(value, &end) : -1;

	return value && end != value && n >= 0 && n < 1e9 ? (int64_t)n : -1;
}

static int one(struct pd_ctx *ctx, const char *name, struct nut *out)
{
	struct pd_command_result r = { 0 };
	const char *maker, *model;

	if (upsc(ctx, name, &r) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot ask UPS %s for its status", name);
	*out = (struct nut){ .name = name, .status = variable(ctx, r.out, "ups.status"), .text = r.out };
	if (r.status != 0 || !out->status || !*out->status)
		return pd_fail(ctx, PD_FAILED, "UPS %s does not tell its status: %s; see that "
			       "'upsc %s ups.status' works", name, r.err, name);
	maker = variable(ctx, r.out, "device.mfr");
	model = variable(ctx, r.out, "device.model");
	out->model = maker && model ? pd_format(ctx, "%s %s", maker, model) : model;
	out->charge = number(ctx, r.out, "battery.charge");
	out->runtime = number(ctx, r.out, "battery.runtime");
	out->load = number(ctx, r.out, "ups.load");
	return 0;
}

static int add(struct pd_ctx *ctx, struct nuts *all, const char *name)
{
	struct nut *larger;
	const char *at = strstr(name, "@localhost");

	if (at && !at[10])
		name = pd_format(ctx, "%.*s", (int)(at - name), name);
	for (size_t i = 0; i < all->len; i++)
		if (strcmp(all->items[i].name, name) == 0)
			return 0;
	larger = pd_alloc_for(ctx, (all->len + 1) * sizeof(*larger));
	for (size_t i = 0; i < all->len; i++)
		larger[i] = all->items[i];
	all->items = larger;
	return one(ctx, name, &larger[all->len++]);
}

/* "MONITOR ups@host 1 user password secondary"; quotes are allowed. */
static int add_watched(struct pd_ctx *ctx, struct nuts *all, const char *file)
{
	const char *p = pd_read_file(ctx, file, 1 << 20, NULL);
	int r = 0;

	for (; r == 0 && p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *word = p + strspn(p, " \t");

		if (strncmp(word, "MONITOR", 7) != 0 || !strchr(" \t", word[7]))
			continue;
		word += 7;
		word += strspn(word, " \t\"");
		r = add(ctx, all, pd_format(ctx, "%.*s", (int)strcspn(word, " \t\"\n"), word));
	}
	return r;
}

/* Without a server of NUT here `upsc -l` fails: the client alone is there. */
static int add_listed(struct pd_ctx *ctx, struct nuts *all)
{
	struct pd_command_result r = { 0 };
	int result = 0;
	size_t len;

	if (upsc(ctx, "-l", &r) < 0 || r.status != 0)
		return 0;
	for (const char *p = r.out; *p && result == 0; p += len + (p[len] == '\n')) {
		len = strcspn(p, "\n");
		if (len)
			result = add(ctx, all, pd_format(ctx, "%.*s", (int)len, p));
	}
	return result;
}

int nut_ask(struct pd_ctx *ctx, const struct pd_list *given, struct nuts *out)
{
	int r = 0;

	*out = (struct nuts){ NULL, 0 };
	if (clone_here(ctx)) /* which reaches none */
		return 0;
	for (size_t i = 0; r == 0 && i < given->len; i++)
		r = add(ctx, out, given->items[i]);
	if (given->len || !has_upsc())
		return r;
	r = add_listed(ctx, out);
	if (r == 0)
		r = add_watched(ctx, out, "/etc/nut/upsmon.conf");
	return r == 0 ? add_watched(ctx, out, "/etc/ups/upsmon.conf") : r;
}

const char *nut_unsafe(const struct nut *ups)
{
	static const struct { const char *word, *why; } against[] = {
		{ "FSD", "is shutting down" }, { "LB", "has a low battery" },
		{ "OB", "is on battery" }, { "CAL", "drains its battery to measure it" },
		{ "OFF", "is switched off" }, { "BYPASS", "is bypassed" }
	};

	for (size_t i = 0; i < sizeof(against) / sizeof(*against); i++)
		for (const char *p = ups->status; *p; p += strcspn(p, " "), p += strspn(p, " "))
			if (strcspn(p, " ") == strlen(against[i].word) &&
			    strncmp(p, against[i].word, strlen(against[i].word)) == 0)
				return against[i].why;
	return NULL;
}
