/* SPDX-License-Identifier: MIT */
/* The step directory.transfer: another server holds the roles meanwhile. */
#include "directory.h"

#include <inttypes.h>
#include <string.h>

struct transfer_args {
	const char *to, *user;
	const struct pd_secret *password;
	struct pd_list roles;
	int64_t timeout;
};

/* One way or the other, while it is tried. */
struct move {
	const struct transfer_args *args;
	struct domain d;
	const char *to;    /* who gets them, "dc2" */
	const char *from;  /* who may have them yet */
	bool of[ROLES];    /* which */
};

/* Names without the domain, in lower case. */
static const char *short_name(struct pd_ctx *ctx, const char *server)
{
	return lower(ctx, pd_format(ctx, "%.*s", (int)strcspn(server, "."), server));
}

static int role_known(struct pd_ctx *ctx, const char *role)
{
	const char *near;

	for (size_t i = 0; i < ROLES; i++)
		if (strcmp(role_names[i], role) == 0)
			return 0;
	near = pd_near(ctx, role, role_names, ROLES);
	return pd_fail(ctx, PD_BAD_ARGS, "roles: there is no role %s%s%s%s", role, near ? ", did you mean " : "",
		       near ? near : "", near ? "?" : "");
}

/* Before anything is touched. */
static int arguments(struct pd_ctx *ctx, struct move *m)
{
	const struct transfer_args *args = ctx->args;
	int r = domain_find(ctx, &m->d);

	m->args = args;
	for (size_t i = 0; r == 0 && i < args->roles.len; i++)
		r = role_known(ctx, args->roles.items[i]);
	if (r < 0)
		return r;
	m->to = short_name(ctx, args->to);
	m->from = m->d.name;
	return strcmp(m->to, m->d.name) != 0 ? 0 :
	       pd_fail(ctx, PD_BAD_ARGS, "to names %s, which is this server", args->to);
}

static int transfer_check(struct pd_ctx *ctx)
{
	struct move m;
	int r = arguments(ctx, &m);

	if (r == 0)
		r = probe_tool(ctx, "kinit", "install krb5-user") < 0 ? PD_REFUSED : 0;
	return r < 0 ? r : PD_CHANGED;
}

/* ------------------------------------------------------------------- moving */

static enum outcome failed(struct probe *probe, int result, const char *what, const char *why)
{
	return result < 0 ? probe_why(probe, NEVER, "%s: no answer in time", what) :
			    probe_why(probe, NOT_YET, "%s: %s", what, why);
}

/* Asked of who is to have it; that server gets it from who has it. */
static enum outcome move_one(struct probe *probe, struct move *m, int role)
{
	const char *url = pd_format(probe->ctx, "ldap://%s.%s", m->to, m->d.dns), *why = NULL;
	const char *const argv[] = { "samba-tool", "fsmo", "transfer", "--role", role_names[role], "-H", url,
				     ticket_option(&m->d), NULL };
	struct pd_command_result result = { 0 };
	int r = domain_run(&m->d, argv, NULL, &result, &why);

	if (r)
		return failed(probe, r, pd_format(probe->ctx, "role %s to %s", role_names[role], m->to), why);
	probe_note(probe, "role %s was transferred from %s to %s", role_names[role], m->from, m->to);
	pd_log(probe->ctx, PD_LOG_INFO, "role %s was transferred from %s to %s", role_names[role], m->from, m->to);
	return PASSED;
}

/* Which of them are not yet where they belong, as @p server has it.  Nobody takes
 * a role from a third server: somebody moved it there. */
static enum outcome left(struct probe *probe, struct move *m, const char *server, bool *todo, size_t *n)
{
	struct owners owners;
	const char *why = NULL;
	int r = owners_read(&m->d, server, &owners, &why);

	*n = 0;
	if (r)
		return failed(probe, r, "samba-tool fsmo show", why);
	for (int i = 0; i < ROLES; i++) {
		todo[i] = m->of[i] && (!owners.of[i] || strcmp(owners.of[i], m->to) != 0);
		*n += todo[i];
		if (todo[i] && (!owners.of[i] || strcmp(owners.of[i], m->from) != 0))
			return probe_why(probe, NEVER, "role %s is with %s, where neither this run nor its undo has put it: "
					 "transfer it to %s by hand, or leave it there and clear the run", role_names[i],
					 owners.of[i] ? owners.of[i] : "nobody", m->to);
	}
	return PASSED;
}

static enum outcome attempt(struct probe *probe, void *user)
{
	struct move *m = user;
	bool todo[ROLES] = { false };
	size_t n = 0;
	const char *why = NULL, *there = pd_format(probe->ctx, "%s.%s", m->to, m->d.dns);
	enum outcome outcome;
	int r;

	m->d.patience = probe_left(probe) + 30;
	/* asked of who gets them: what the other one knows may be old */
	outcome = left(probe, m, there, todo, &n);
	if (outcome == PASSED && n) {
		r = ticket_get(&m->d, m->args->user, m->args->password, NULL, &why);
		if (r)
			outcome = failed(probe, r, "login", why);
		for (int i = 0; outcome == PASSED && i < ROLES; i++)
			outcome = todo[i] ? move_one(probe, m, i) : PASSED;
		ticket_drop(&m->d);
	}
	/* and here? the other way this is the same server */
	if (outcome == PASSED)
		outcome = left(probe, m, NULL, todo, &n);
	return outcome != PASSED || !n ? outcome :
	       probe_why(probe, NOT_YET, "%s does not yet know that %s has the roles", m->d.name, m->to);
}

/* ------------------------------------------------------------------- phases */

#define MOVED "roles"

static void recall(struct pd_ctx *ctx, struct move *m)
{
	const char *text = pd_recall(ctx, MOVED);

	for (int i = 0; i < ROLES; i++)
		m->of[i] = text && strstr(text, pd_format(ctx, " %s ", role_names[i]));
}

/* Those that this server holds, of those that are asked for. */
static int choose(struct pd_ctx *ctx, struct move *m)
{
	const char *text = " ", *why = NULL;
	struct owners owners;
	int r = owners_read(&m->d, NULL, &owners, &why);

	if (r)
		return r < 0 ? r : pd_fail(ctx, PD_FAILED, "samba-tool fsmo show: %s", why);
	for (int i = 0; i < ROLES; i++)
		if (owners.of[i] && strcmp(owners.of[i], m->d.name) == 0 &&
		    (!m->args->roles.len || list_has(&m->args->roles, role_names[i])))
			text = pd_format(ctx, "%s%s ", text, role_names[i]);
	return pd_remember(ctx, MOVED, text);
}

static int transfer_apply(struct pd_ctx *ctx)
{
	struct probe probe = { .ctx = ctx, .why = "" };
	enum outcome outcome;
	struct move m;
	bool any = false;
	int r = arguments(ctx, &m);

	if (r == 0 && !pd_recall(ctx, MOVED))
		r = choose(ctx, &m);
	if (r < 0)
		return r;
	recall(ctx, &m);
	for (int i = 0; i < ROLES; i++) {
		any = any || m.of[i];
		if (m.of[i] && pd_output_item(ctx, "moved", role_names[i]) < 0)
			return PD_FAILED;
	}
	if (!any)
		return PD_UNCHANGED;
	outcome = probe_try(&probe, m.args->timeout, attempt, &m);
	if (outcome != PASSED)
		return probe_fail(&probe, outcome);
	return !probe.len ? PD_UNCHANGED :
	       evidence_text(ctx, "transfer.txt", probe.text, "roles that were transferred") < 0 ? PD_FAILED : PD_CHANGED;
}

/* Do both servers say so? */
static int prove(struct pd_ctx *ctx, struct move *m, const char *other)
{
	const char *const servers[] = { NULL, pd_format(ctx, "%s.%s", other, m->d.dns) };

	for (size_t k = 0; k < 2; k++) {
		const char *why = NULL;
		struct owners owners;
		int r = owners_read(&m->d, servers[k], &owners, &why);

		if (r)
			return r < 0 ? r : pd_fail(ctx, PD_FAILED, "samba-tool fsmo show: %s", why);
		for (int i = 0; i < ROLES; i++)
			if (m->of[i] && (!owners.of[i] || strcmp(owners.of[i], m->to) != 0))
				return pd_fail(ctx, PD_FAILED, "role %s is with %s instead of %s, as %s has it",
					       role_names[i], owners.of[i] ? owners.of[i] : "nobody", m->to,
					       servers[k] ? other : m->d.name);
	}
	return 0;
}

static int transfer_verify(struct pd_ctx *ctx)
{
	struct move m;
	int r = arguments(ctx, &m);

	if (r < 0)
		return r;
	recall(ctx, &m);
	if (!pd_recall(ctx, MOVED))
		return pd_fail(ctx, PD_FAILED, "no roles were moved in this run");
	r = prove(ctx, &m, m.to);
	return r < 0 ? r : PD_UNCHANGED;
}

static int transfer_undo(struct pd_ctx *ctx)
{
	struct probe probe = { .ctx = ctx, .why = "" };
	const char *moved = pd_recall(ctx, MOVED);
	enum outcome outcome;
	struct move m;
	int r = moved && strlen(moved) > 1 ? arguments(ctx, &m) : 0;

	if (!moved || strlen(moved) <= 1 || r < 0)
		return r < 0 ? r : PD_UNCHANGED;
	recall(ctx, &m);
	m.from = m.to;
	m.to = m.d.name;
	outcome = probe_try(&probe, m.args->timeout, attempt, &m);
	if (outcome != PASSED)
		return probe_fail(&probe, outcome);
	r = prove(ctx, &m, m.from);
	return r < 0 ? r : probe.len ? PD_CHANGED : PD_UNCHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct transfer_args, to, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "domain controller that gets the roles"),
	PD_PARAM(struct transfer_args, roles, PD_T_LIST,
		 .help = "schema, naming, pdc, rid, infrastructure, domaindns, forestdns; left out: all that this server holds"),
	PD_PARAM(struct transfer_args, user, PD_T_STRING, .def = "Administrator",
		 .help = "administrator of the domain, and of the forest for schema and naming"),
	PD_PARAM(struct transfer_args, password, PD_T_SECRET, .flags = PD_P_REQUIRED, .help = "password of that user"),
	PD_PARAM(struct transfer_args, timeout, PD_T_SECONDS, .def = "5m", .min = 1, .max = 3000,
		 .help = "keep trying for so long"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("moved", PD_T_LIST, "roles that were moved"),
	PD_OUTPUT_END
};

const struct pd_step directory_transfer = {
	PD_STEP, .name = "transfer", .help = "have another domain controller hold this one's roles, until undo",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .params = params,
	.args_size = sizeof(struct transfer_args), .outputs = outputs, .time_limit = 3600, .expected = 20,
	.check = transfer_check, .apply = transfer_apply, .verify = transfer_verify, .undo = transfer_undo
};
