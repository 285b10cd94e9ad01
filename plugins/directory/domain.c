/* SPDX-License-Identifier: MIT */
/* Finds out which domain this server is a controller of, and runs Samba's tools. */
#include "directory.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

static const char *letters(struct pd_ctx *ctx, const char *text, int (*to)(int))
{
	char *copy = pd_alloc_for(ctx, strlen(text) + 1);

	for (size_t i = 0; text[i]; i++)
		copy[i] = (char)to((unsigned char)text[i]);
	return copy;
}

const char *lower(struct pd_ctx *ctx, const char *text)
{
	return letters(ctx, text, tolower);
}

bool list_has(const struct pd_list *list, const char *text)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

int evidence_text(struct pd_ctx *ctx, const char *file, const char *text, const char *title)
{
	const char *path = pd_format(ctx, "%s/%s", ctx->work_dir, file);

	return pd_write_file(ctx, path, 0600, text, strlen(text)) < 0 ? PD_FAILED : pd_evidence(ctx, path, title);
}

/* -------------------------------------------------------------- smb.conf */

static int refuse(struct pd_ctx *ctx, const char *cause, const char *remedy)
{
	bool check = ctx->phase == PD_PHASE_CHECK;

	if (check)
		pd_inhibit(ctx, "the directory can't be worked on", cause, remedy);
	return pd_fail(ctx, check ? PD_REFUSED : PD_FAILED, "%s; %s", cause, remedy);
}

/* A parameter of the first section, [global], as testparm writes it; "". */
static const char *parameter(struct pd_ctx *ctx, const char *text, const char *name)
{
	const char *key = pd_format(ctx, "\t%s = ", name), *end = strstr(text, "\n\n");
	const char *at = strstr(text, key);

	if (!at || (end && at > end))
		return "";
	at += strlen(key);
	return pd_format(ctx, "%.*s", (int)strcspn(at, "\n"), at);
}

bool domain_tools(void)
{
	return access("/usr/bin/samba-tool", X_OK) == 0 && access("/usr/bin/testparm", X_OK) == 0;
}

int domain_read(struct pd_ctx *ctx, struct domain *d, const char **role)
{
	static const char *const argv[] = { "testparm", "-s", "-v", NULL };
	struct pd_command_result r = { 0 };

	*d = (struct domain){ .ctx = ctx };
	if (pd_run(ctx, argv, &r) < 0)
		return PD_FAILED;
	if (r.status != 0)
		return pd_fail(ctx, PD_FAILED, "testparm ends with status %d: %.400s", r.status, r.err);
	*role = parameter(ctx, r.out, "server role");
	d->name = lower(ctx, parameter(ctx, r.out, "netbios name"));
	d->account = pd_format(ctx, "%s$", letters(ctx, d->name, toupper));
	d->realm = letters(ctx, parameter(ctx, r.out, "realm"), toupper);
	d->dns = lower(ctx, d->realm);
	d->secrets = parameter(ctx, r.out, "private dir");
	d->host = lower(ctx, parameter(ctx, r.out, "dns hostname"));
	if (!*d->host)
		d->host = pd_format(ctx, "%s.%s", d->name, d->dns);
	return strcmp(*role, "active directory domain controller") == 0;
}

int domain_find(struct pd_ctx *ctx, struct domain *d)
{
	const char *role = "";
	int r;

	if (!domain_tools())
		return refuse(ctx, "there is no Samba on this server (/usr/bin/samba-tool)",
			      "take another workflow, or install samba");
	r = domain_read(ctx, d, &role);
	if (r == 0)
		return refuse(ctx, pd_format(ctx, "this server is no domain controller: its smb.conf says server role = %s",
					     *role ? role : "nothing"), "take another workflow");
	if (r > 0 && (!*d->name || !*d->realm || *d->secrets != '/'))
		return pd_fail(ctx, PD_FAILED, "testparm names no netbios name, no realm or no private dir");
	return r < 0 ? r : 0;
}

/* --------------------------------------------------------------- programs */

/* What a person would read: samba-tool's line ERROR without where in its source
 * it was, or the last line. */
static const char *last_words(struct pd_ctx *ctx, const struct pd_command_result *r)
{
	const char *text = *r->err ? r->err : r->out, *at = strstr(text, "ERROR"), *end;

	if (at) {
		const char *colon = strstr(at, ": ");

		at = colon && colon < at + strcspn(at, "\n") ? colon + 2 : at;
		/* "... failed - drsException: ... failed: (3221225524, 'The object name is not found.')" */
		for (const char *p = at; (p = strstr(p, " - ")) && p < at + strcspn(at, "\n");)
			at = p += 3;
		return pd_format(ctx, "%.*s", (int)strcspn(at, "\n"), at);
	}
	for (end = text + strlen(text); end > text && strchr(" \r\n", end[-1]); end--)
		;
	for (at = end; at > text && at[-1] != '\n'; at--)
		;
	return at < end ? pd_format(ctx, "%.*s", (int)(end - at), at) : pd_format(ctx, "status %d", r->status);
}

int domain_run(const struct domain *d, const char *const argv[], const struct pd_secret *input,
	       struct pd_command_result *result, const char **why)
{
	/* times in UTC, whatever the server's zone is */
	const char *env[] = { "TZ=UTC", NULL, NULL, NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv, .env = env, .input_secret = input,
				      .output_max = OUTPUT_MAX, .time_limit = d->patience };
	size_t n = 1;

	if (d->ticket)
		env[n++] = pd_format(d->ctx, "KRB5CCNAME=FILE:%s", d->ticket);
	if (d->krb5)
		env[n++] = pd_format(d->ctx, "KRB5_CONFIG=%s", d->krb5);
	if (pd_command_run(d->ctx, &command, result) < 0)
		return pd_canceled(d->ctx) ? PD_CANCELED : PD_FAILED;
	if (result->status == 0)
		return 0;
	*why = last_words(d->ctx, result);
	return 1;
}

int domain_must(const struct domain *d, const char *const argv[], const char *what,
		struct pd_command_result *result)
{
	const char *why = NULL;
	int r = domain_run(d, argv, NULL, result, &why);

	return r > 0 ? pd_fail(d->ctx, PD_FAILED, "%s: %s", what, why) : r;
}

/* ---------------------------------------------------------------- Kerberos */

/* One server is to answer, and no other that may be better just now. */
static int ask_only(struct domain *d, const char *kdc)
{
	const char *path = pd_format(d->ctx, "%s/krb5.conf", d->ctx->work_dir);
	const char *text = pd_format(d->ctx, "[libdefaults]\n\tdefault_realm = %s\n\tdns_lookup_kdc = false\n"
				     "\tdns_lookup_realm = false\n\trdns = false\n[realms]\n\t%s = {\n\t\tkdc = %s\n\t}\n"
				     "[domain_realm]\n\t.%s = %s\n", d->realm, d->realm, kdc, d->dns, d->realm);

	d->krb5 = path;
	return pd_write_file(d->ctx, path, 0600, text, strlen(text));
}

int ticket_get(struct domain *d, const char *user, const struct pd_secret *password, const char *kdc,
	       const char **why)
{
	const char *who = user ? strchr(user, '@') ? user : pd_format(d->ctx, "%s@%s", user, d->realm) :
				 pd_format(d->ctx, "%s@%s", d->account, d->realm);
	const char *const by_password[] = { "kinit", who, NULL };
	const char *const by_key[] = { "kinit", "-k", "-t", pd_format(d->ctx, "%s/secrets.keytab", d->secrets),
				       who, NULL };
	struct pd_command_result r = { 0 };
	int result;

	if (kdc && ask_only(d, kdc) < 0)
		return PD_FAILED;
	d->ticket = pd_format(d->ctx, "%s/ticket", d->ctx->work_dir);
	result = domain_run(d, user ? by_password : by_key, user ? password : NULL, &r, why);
	if (result > 0)
		*why = pd_format(d->ctx, "kinit %s: %s", who, *why);
	return result;
}

void ticket_drop(struct domain *d)
{
	if (d->ticket)
		unlink(d->ticket);
	d->ticket = NULL;
}

const char *ticket_option(const struct domain *d)
{
	return pd_format(d->ctx, "--use-krb5-ccache=%s", d->ticket);
}
