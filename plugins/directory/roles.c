/* SPDX-License-Identifier: MIT */
/* The step directory.roles: which server holds which of the roles that one server
 * alone can have (FSMO). */
#include "directory.h"

#include <string.h>

const char *const role_names[] = { "schema", "naming", "pdc", "rid", "infrastructure", "domaindns", "forestdns", NULL };

/* As `samba-tool fsmo show` calls them. */
static const char *const titles[] = { "SchemaMasterRole", "DomainNamingMasterRole", "PdcEmulationMasterRole",
				      "RidAllocationMasterRole", "InfrastructureMasterRole",
				      "DomainDnsZonesMasterRole", "ForestDnsZonesMasterRole" };

int owners_read(const struct domain *d, const char *server, struct owners *out, const char **why)
{
	const char *const here[] = { "samba-tool", "fsmo", "show", NULL };
	const char *const there[] = { "samba-tool", "fsmo", "show", "-P", "-H",
				      pd_format(d->ctx, "ldap://%s", server ? server : ""), NULL };
	struct pd_command_result result = { 0 };
	int r = domain_run(d, server ? there : here, NULL, &result, why), known = 0;

	*out = (struct owners){ { NULL } };
	for (int i = 0; r == 0 && i < ROLES; i++) {
		/* "SchemaMasterRole owner: CN=NTDS Settings,CN=DC1,CN=Servers,..." */
		static const char dn[] = "CN=NTDS Settings,CN=";
		const char *at = strstr(result.out, pd_format(d->ctx, "%s owner: %s", titles[i], dn));

		if (!at)
			continue;
		at = strstr(at, dn) + strlen(dn);
		out->of[i] = lower(d->ctx, pd_format(d->ctx, "%.*s", (int)strcspn(at, ",\n"), at));
		known++;
	}
	if (r == 0 && !known)
		return pd_fail(d->ctx, PD_FAILED, "samba-tool fsmo show names no role: %.300s", result.out);
	return r;
}

/* ------------------------------------------------------------------- step */

struct roles_args {
	struct pd_list before;
};

static int roles_check(struct pd_ctx *ctx)
{
	struct domain d;
	int r = domain_find(ctx, &d);

	return r < 0 ? r : PD_CHANGED;
}

/* Is each "ROLE SERVER" of before still so? */
static int compare(struct pd_ctx *ctx, const struct pd_list *now)
{
	const struct roles_args *args = ctx->args;
	const char *gone = "";

	for (size_t i = 0; i < args->before.len; i++)
		if (!list_has(now, args->before.items[i]))
			gone = pd_format(ctx, "%s%s%s", gone, *gone ? ", " : "", args->before.items[i]);
	if (!*gone)
		return 0;
	return pd_fail(ctx, PD_FAILED, "roles are not where they were before (%s): see 'samba-tool fsmo show'; somebody "
		       "may have moved or seized them", gone);
}

static int roles_apply(struct pd_ctx *ctx)
{
	const char *items[ROLES], *why = NULL, *text = "";
	struct pd_list now = { .items = items };
	struct owners owners;
	struct domain d;
	int r = domain_find(ctx, &d);

	if (r == 0)
		r = owners_read(&d, NULL, &owners, &why);
	if (r != 0 || pd_remember(ctx, "passed", NULL) < 0)
		return r > 0 ? pd_fail(ctx, PD_FAILED, "samba-tool fsmo show: %s", why) : r < 0 ? r : PD_FAILED;
	for (int i = 0; i < ROLES; i++) {
		if (!owners.of[i])
			continue;
		items[now.len] = pd_format(ctx, "%s %s", role_names[i], owners.of[i]);
		text = pd_format(ctx, "%s%s\n", text, items[now.len]);
		if (pd_output_item(ctx, "roles", items[now.len++]) < 0 ||
		    (strcmp(owners.of[i], d.name) == 0 && pd_output_item(ctx, "held", role_names[i]) < 0))
			return PD_FAILED;
	}
	if (evidence_text(ctx, "roles.txt", text, "roles and the servers that hold them") < 0 || compare(ctx, &now) < 0 ||
	    pd_remember(ctx, "passed", "1") < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct roles_args, before, PD_T_LIST,
		 .help = "roles as an earlier step has found them, which must be the same"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("roles", PD_T_LIST, "each role and the server that holds it, such as \"pdc dc1\""),
	PD_OUTPUT("held", PD_T_LIST, "roles that this server holds"),
	PD_OUTPUT_END
};

const struct pd_step directory_roles = {
	PD_STEP, .name = "roles", .help = "note which server holds which role of the domain, and compare with before",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct roles_args), .outputs = outputs, .expected = 2,
	.check = roles_check, .apply = roles_apply, .verify = probe_verify
};
