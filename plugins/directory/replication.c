/* SPDX-License-Identifier: MIT */
/* The step directory.replication: is this server up to date with its partners, and
 * are they with it? */
#include "directory.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#define CLOCKS_DIFFER 300

struct replication_args {
	int64_t partners, age, failures, timeout;
	bool now;
	struct pd_list before;
};

struct look {
	const struct replication_args *args;
	struct domain d;
	const char *base;    /* naming context of the domain's own accounts */
	const char *id;      /* by which partners know this server */
	const char **links;  /* "from dc2 DC=lab,DC=example" */
	size_t n_links, cap_links;
	const char **names;  /* partners, in lower case */
	size_t n_names, cap_names;
	int64_t begun;       /* what was replicated before does not count */
	const char *trouble; /* NULL: none */
	size_t troubles, heard; /* heard: partners that take changes from this server */
};

static const char *field(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}

static const char **grow(struct pd_ctx *ctx, const char **items, size_t n, size_t *cap)
{
	const char **larger;

	if (n < *cap)
		return items;
	*cap = *cap ? 2 * *cap : 16;
	larger = pd_alloc_for(ctx, *cap * sizeof(*larger));
	if (n)
		memcpy(larger, items, n * sizeof(*larger));
	return larger;
}

static bool has(const char **items, size_t n, const char *text)
{
	return list_has(&(struct pd_list){ .len = n, .items = items }, text);
}

static void trouble(struct look *look, const char *text)
{
	if (!look->troubles++)
		look->trouble = text;
}

/* "Sun Nov 29 15:14:15 2026 UTC"; 0: never */
static int64_t when(const char *text)
{
	struct tm tm = { 0 };
	time_t t;

	if (!strptime(text, "%a %b %d %H:%M:%S %Y", &tm))
		return 0;
	t = timegm(&tm);
	return t > 0 ? (int64_t)t : 0;
}

/* ---------------------------------------------------------------- a partner */

/* One naming context, from one server to the other, at once.  @return as domain_run(). */
static int replicate(const struct look *look, const char *from, const char *to, const char *nc, const char **why)
{
	struct pd_ctx *ctx = look->d.ctx;
	const char *const argv[] = { "samba-tool", "drs", "replicate", pd_format(ctx, "%s.%s", to, look->d.dns),
				     pd_format(ctx, "%s.%s", from, look->d.dns), nc, NULL };
	struct pd_command_result r = { 0 };

	return domain_run(&look->d, argv, NULL, &r, why);
}

/* What a row of showrepl says of one naming context from one partner.  What is
 * not in order may be but for the next time that Samba looks by itself. */
static void judge(struct probe *probe, struct look *look, const json_t *row, const char *from, const char *to)
{
	struct pd_ctx *ctx = probe->ctx;
	const char *why = NULL;
	size_t before = look->troubles;
	const char *nc = field(row, "NC dn"), *last = field(row, "last success");
	const char *link = pd_format(ctx, "%s to %s, %s", from, to, nc);
	int64_t failures = json_integer_value(json_object_get(row, "consecutive failures"));
	int64_t at = when(last), age = (int64_t)time(NULL) - at;

	probe_note(probe, "%s: last success %s, %" PRId64 " failures, last attempt %s", link, last, failures,
		   field(row, "last attempt message"));
	if (failures > look->args->failures)
		trouble(look, pd_format(ctx, "%s: failed %" PRId64 " times, last: %s", link, failures,
					field(row, "last attempt message")));
	else if (!at)
		trouble(look, pd_format(ctx, "%s: not yet replicated", link));
	else if (age > look->args->age)
		trouble(look, pd_format(ctx, "%s: replicated %" PRId64 " s ago, %" PRId64 " s are allowed", link, age,
					look->args->age));
	else if (age < -CLOCKS_DIFFER)
		trouble(look, pd_format(ctx, "%s: replicated in the future (%s): set the clocks right", link, last));
	else if (look->args->now && at < look->begun && strcasecmp(nc, look->base) == 0)
		trouble(look, pd_format(ctx, "%s: not replicated since this test began", link));
	if (look->args->now && look->troubles > before && replicate(look, from, to, nc, &why) > 0)
		probe_note(probe, "%s: %s", link, why);
}

static void note_link(struct look *look, struct pd_ctx *ctx, const char *way, const char *partner, const char *nc)
{
	const char *link = pd_format(ctx, "%s %s %s", way, partner, nc);

	if (has(look->links, look->n_links, link))
		return;
	look->links = grow(ctx, look->links, look->n_links, &look->cap_links);
	look->links[look->n_links++] = link;
}

/* "Default-First-Site-Name\DC2" */
static const char *partner_of(struct pd_ctx *ctx, const json_t *row)
{
	const char *dsa = field(row, "DSA"), *name = strrchr(dsa, '\\');

	return lower(ctx, name ? name + 1 : dsa);
}

/* @return 0, 1 with *why, or below zero, reported. */
static int showrepl(const struct look *look, const char *host, json_t **out, const char **why)
{
	const char *const argv[] = { "samba-tool", "drs", "showrepl", "--json", host, NULL };
	struct pd_command_result r = { 0 };
	json_error_t error;
	int result = domain_run(&look->d, argv, NULL, &r, why);

	*out = NULL;
	if (result)
		return result;
	*out = json_loadb(r.out, r.out_len, 0, &error);
	if (*out)
		return 0;
	*why = pd_format(look->d.ctx, "samba-tool drs showrepl answers with what is no JSON (line %d: %s)", error.line,
			 error.text);
	return 1;
}

static enum outcome unanswered(struct probe *probe, int result, const char *what, const char *why)
{
	return result < 0 ? probe_why(probe, NEVER, "%s: no answer in time", what) :
			    probe_why(probe, NOT_YET, "%s: %s", what, why);
}

/* What this server gets. */
static enum outcome look_in(struct probe *probe, struct look *look, const char **why)
{
	struct pd_ctx *ctx = probe->ctx;
	json_t *all = NULL, *row, *from;
	size_t i;
	int r = showrepl(look, look->d.host, &all, why);

	if (r)
		return unanswered(probe, r, pd_format(ctx, "replication of %s", look->d.host), *why);
	look->id = pd_format(ctx, "%s", field(json_object_get(all, "dsa"), "objectGUID"));
	from = json_object_get(all, "repsFrom");
	json_array_foreach(from, i, row) {
		const char *partner = partner_of(ctx, row);

		if (json_is_true(json_object_get(row, "is deleted")))
			continue;
		if (!has(look->names, look->n_names, partner)) {
			look->names = grow(ctx, look->names, look->n_names, &look->cap_names);
			look->names[look->n_names++] = partner;
		}
		note_link(look, ctx, "from", partner, field(row, "NC dn"));
		judge(probe, look, row, partner, look->d.name);
	}
	json_decref(all);
	return PASSED;
}

/* What a partner gets from this server. */
static enum outcome look_out(struct probe *probe, struct look *look, const char *partner, const char **why)
{
	struct pd_ctx *ctx = probe->ctx;
	const char *host = pd_format(ctx, "%s.%s", partner, look->d.dns);
	json_t *all = NULL, *row, *from;
	bool hears = false;
	size_t i;
	int r = showrepl(look, host, &all, why);

	if (r)
		return unanswered(probe, r, pd_format(ctx, "partner %s", host), *why);
	from = json_object_get(all, "repsFrom");
	json_array_foreach(from, i, row) {
		if (strcasecmp(field(row, "DSA objectGUID"), look->id) != 0)
			continue;
		hears = true;
		note_link(look, ctx, "to", partner, field(row, "NC dn"));
		judge(probe, look, row, look->d.name, partner);
	}
	json_decref(all);
	look->heard += hears;
	return PASSED;
}

/* ------------------------------------------------------------------ attempt */

/* The domain's accounts, both ways, once for each partner. */
static enum outcome replicate_all(struct probe *probe, const struct look *look, const char **why)
{
	for (size_t i = 0; i < look->n_names; i++) {
		int r = replicate(look, look->names[i], look->d.name, look->base, why);

		if (r == 0)
			r = replicate(look, look->d.name, look->names[i], look->base, why);
		if (r)
			return unanswered(probe, r, pd_format(probe->ctx, "replication between %s and %s", look->d.name,
							      look->names[i]), *why);
	}
	return PASSED;
}

static enum outcome conclude(struct probe *probe, struct look *look)
{
	const struct replication_args *args = look->args;

	for (size_t i = 0; i < args->before.len; i++)
		if (!has(look->links, look->n_links, args->before.items[i]))
			trouble(look, pd_format(probe->ctx, "it was replicated %s before, and is no more", args->before.items[i]));
	if ((int64_t)look->n_names < args->partners)
		trouble(look, pd_format(probe->ctx, "%s replicates from %zu partners, %" PRId64 " are asked for: see "
					"'samba-tool drs kcc'", look->d.name, look->n_names, args->partners));
	if (look->n_names && !look->heard)
		trouble(look, pd_format(probe->ctx, "no partner replicates from %s: what is changed here stays here",
					look->d.name));
	return !look->troubles ? PASSED : look->troubles == 1 ? probe_why(probe, NOT_YET, "%s", look->trouble) :
	       probe_why(probe, NOT_YET, "%s (and %zu more)", look->trouble, look->troubles - 1);
}

static enum outcome attempt(struct probe *probe, void *user)
{
	struct look *look = user;
	const char *why = NULL;
	enum outcome outcome;

	look->d.patience = probe_left(probe) + 30;
	look->n_links = look->n_names = look->heard = look->troubles = 0;
	outcome = look_in(probe, look, &why);
	/* what that has found is from before */
	if (outcome == PASSED && look->args->now && !look->begun) {
		int64_t begun = (int64_t)time(NULL);

		outcome = replicate_all(probe, look, &why);
		look->n_links = look->n_names = look->troubles = 0;
		look->begun = outcome == PASSED ? begun : 0;
		if (outcome == PASSED)
			outcome = look_in(probe, look, &why);
	}
	for (size_t i = 0; outcome == PASSED && i < look->n_names; i++)
		outcome = look_out(probe, look, look->names[i], &why);
	return outcome == PASSED ? conclude(probe, look) : outcome;
}

/* DC=lab,DC=example */
static const char *base_of(struct pd_ctx *ctx, const char *dns)
{
	const char *text = "";

	for (const char *p = dns; *p; p += strcspn(p, "."), p += *p == '.')
		text = pd_format(ctx, "%s%sDC=%.*s", text, *text ? "," : "", (int)strcspn(p, "."), p);
	return text;
}

static int replication_check(struct pd_ctx *ctx)
{
	struct domain d;
	int r = domain_find(ctx, &d);

	if (r == 0 && ctx->dry_run)
		r = domain_answers(&d);
	return r < 0 ? r : PD_CHANGED;
}

static int replication_apply(struct pd_ctx *ctx)
{
	struct look look = { .args = ctx->args };
	int r = domain_find(ctx, &look.d);

	if (r < 0)
		return r;
	look.base = base_of(ctx, look.d.dns);
	r = probe_run(ctx, look.args->timeout, attempt, &look);
	for (size_t i = 0; r == PD_CHANGED && i < look.n_names; i++)
		if (pd_output_item(ctx, "partners", look.names[i]) < 0)
			return PD_FAILED;
	for (size_t i = 0; r == PD_CHANGED && i < look.n_links; i++)
		if (pd_output_item(ctx, "links", look.links[i]) < 0)
			return PD_FAILED;
	return r;
}

static const struct pd_param params[] = {
	PD_PARAM(struct replication_args, partners, PD_T_INT, .def = "1", .min = 0, .max = 1000,
		 .help = "so many partners at least; 0: the domain may have no other controller"),
	PD_PARAM(struct replication_args, age, PD_T_SECONDS, .def = "1h", .min = 1, .max = INT64_C(180) * 86400,
		 .help = "how long ago each naming context may have been replicated"),
	PD_PARAM(struct replication_args, failures, PD_T_INT, .def = "0", .min = 0, .max = 1000000,
		 .help = "so many failures one after the other are allowed"),
	PD_PARAM(struct replication_args, now, PD_T_BOOL, .def = "true",
		 .help = "replicate the domain's accounts first, both ways, and what is not in order; what was replicated before is no proof"),
	PD_PARAM(struct replication_args, before, PD_T_LIST,
		 .help = "links as an earlier step has found them, which must be there again"),
	PROBE_TIMEOUT(replication_args),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PROBE_MILLISECONDS,
	PD_OUTPUT("partners", PD_T_LIST, "servers that this one replicates with"),
	PD_OUTPUT("links", PD_T_LIST, "direction, partner and naming context, such as \"from dc2 DC=lab,DC=example\""),
	PD_OUTPUT_END
};

const struct pd_step directory_replication = {
	PD_STEP, .name = "replication", .help = "prove that this server and its partners have each other's changes",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct replication_args), .outputs = outputs, .time_limit = 90000, .expected = 5,
	.check = replication_check, .apply = replication_apply, .verify = probe_verify
};
