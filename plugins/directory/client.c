/* SPDX-License-Identifier: MIT */
/* The step directory.probe: what a member of the domain asks of this server. */
#include "directory.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>

#define DEFAULT_POLICY "{31B2F340-016D-11D2-945F-00C04FB984F9}" /* each domain has it */

struct probe_args {
	const char *user;
	const struct pd_secret *password;
	int64_t timeout;
};

struct client {
	const struct probe_args *args;
	struct domain d;
};

/* -------------------------------------------------------------------- DNS */

/* The address that others know this server by. */
static enum outcome own_address(struct probe *probe, const struct domain *d, struct sockaddr_in *out)
{
	const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int rc = getaddrinfo(d->host, NULL, &hints, &found);

	if (rc)
		return probe_why(probe, NOT_YET, "can't look up %s: %s; see /etc/hosts and /etc/resolv.conf", d->host,
				 gai_strerror(rc));
	memcpy(out, found->ai_addr, sizeof(*out));
	out->sin_port = htons(53);
	freeaddrinfo(found);
	return PASSED;
}

/* Is one of the answers what is looked for? */
static bool answered(const unsigned char *reply, int len, int type, const struct domain *d,
		     const struct sockaddr_in *server)
{
	ns_msg msg;
	ns_rr rr;

	if (ns_initparse(reply, len, &msg) != 0)
		return false;
	for (int i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
		char target[NS_MAXDNAME] = "";

		if (ns_parserr(&msg, ns_s_an, i, &rr) != 0 || (int)ns_rr_type(rr) != type)
			continue;
		if (type == ns_t_a && ns_rr_rdlen(rr) == 4 && memcmp(ns_rr_rdata(rr), &server->sin_addr, 4) == 0)
			return true;
		if (type == ns_t_srv && ns_rr_rdlen(rr) > 6 &&
		    dn_expand(ns_msg_base(msg), ns_msg_end(msg), ns_rr_rdata(rr) + 6, target, sizeof(target)) > 0 &&
		    strcasecmp(target, d->host) == 0)
			return true;
	}
	return false;
}

static enum outcome ask_dns(struct probe *probe, const struct domain *d, const struct sockaddr_in *server,
			    const char *name, int type)
{
	unsigned char reply[NS_PACKETSZ * 16];
	struct __res_state state;
	int len, why;

	memset(&state, 0, sizeof(state));
	if (res_ninit(&state) != 0)
		return probe_why(probe, NEVER, "the resolver can't be used");
	state.nscount = 1;
	state.nsaddr_list[0] = *server;
	state.options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
	state.retrans = 2;
	state.retry = 2;
	len = res_nquery(&state, name, ns_c_in, type, reply, sizeof(reply));
	why = state.res_h_errno;
	res_nclose(&state);
	if (len < 0 && why != HOST_NOT_FOUND && why != NO_DATA)
		return probe_why(probe, NOT_YET, "DNS of %s on %s: %s", name, d->host, hstrerror(why));
	if (len < 0 || !answered(reply, len < (int)sizeof(reply) ? len : (int)sizeof(reply), type, d, server))
		return probe_why(probe, NOT_YET, "DNS of %s does not name %s; samba_dnsupdate --verbose writes its records",
				 name, d->host);
	probe_note(probe, "DNS: %s names %s", name, d->host);
	return PASSED;
}

static enum outcome test_dns(struct probe *probe, const struct domain *d)
{
	static const char *const services[] = { "_ldap._tcp", "_kerberos._tcp", "_kerberos._udp",
						"_ldap._tcp.dc._msdcs" };
	struct sockaddr_in server;
	enum outcome outcome = own_address(probe, d, &server);

	if (outcome == PASSED)
		outcome = ask_dns(probe, d, &server, d->host, ns_t_a);
	for (size_t i = 0; outcome == PASSED && i < sizeof(services) / sizeof(*services); i++)
		outcome = ask_dns(probe, d, &server, pd_format(d->ctx, "%s.%s", services[i], d->dns), ns_t_srv);
	return outcome;
}

/* ------------------------------------------------ Kerberos, LDAP and shares */

/* @return what domain_run() said, as an outcome */
static enum outcome judge(struct probe *probe, int result, const char *what, const char *why)
{
	if (result == 0)
		probe_note(probe, "%s", what);
	return result < 0 ? probe_why(probe, NEVER, "%s: no answer in time", what) :
	       result > 0 ? probe_why(probe, NOT_YET, "%s: %s", what, why) : PASSED;
}

static enum outcome test_ldap(struct probe *probe, const struct domain *d)
{
	const char *url = pd_format(d->ctx, "ldap://%s", d->host);
	const char *const argv[] = { "samba-tool", "computer", "show", d->name, "--attributes=dNSHostName", "-H", url,
				     ticket_option(d), NULL };
	struct pd_command_result r = { 0 };
	const char *why = NULL;
	int result = domain_run(d, argv, NULL, &r, &why);

	if (result == 0 && !strcasestr(r.out, pd_format(d->ctx, "dNSHostName: %s\n", d->host)))
		return probe_why(probe, NEVER, "LDAP of %s knows no computer %s with dNSHostName %s: %.300s", d->host,
				 d->name, d->host, r.out);
	return judge(probe, result, pd_format(d->ctx, "LDAP of %s", d->host), why);
}

static enum outcome test_share(struct probe *probe, const struct domain *d, const char *share, const char *commands)
{
	const char *unc = pd_format(d->ctx, "//%s/%s", d->host, share);
	const char *const argv[] = { "smbclient", unc, ticket_option(d), "-t", "20", "-c", commands, NULL };
	struct pd_command_result r = { 0 };
	const char *why = NULL, *status;
	int result = domain_run(d, argv, NULL, &r, &why);

	/* commands tell an error and end with 0 all the same */
	status = strstr(r.out, "NT_STATUS_");
	if (result == 0 && status) {
		why = pd_format(d->ctx, "%.*s", (int)strcspn(status, "\n"), status);
		result = 1;
	}
	return judge(probe, result, unc, why);
}

static enum outcome attempt(struct probe *probe, void *user)
{
	struct client *client = user;
	const struct probe_args *args = client->args;
	struct domain *d = &client->d;
	const char *why = NULL, *policy;
	enum outcome outcome;

	d->patience = probe_left(probe) + 10;
	outcome = test_dns(probe, d);
	if (outcome == PASSED) {
		int result = ticket_get(d, args->user, args->password, d->host, &why);

		outcome = judge(probe, result, pd_format(d->ctx, "Kerberos of %s", d->host), why);
	}
	if (outcome == PASSED)
		outcome = test_ldap(probe, d);
	policy = pd_format(d->ctx, "get %s/Policies/" DEFAULT_POLICY "/GPT.INI %s/policy", d->dns, d->ctx->work_dir);
	if (outcome == PASSED)
		outcome = test_share(probe, d, "sysvol", policy);
	if (outcome == PASSED)
		outcome = test_share(probe, d, "netlogon", "ls");
	ticket_drop(d);
	return outcome;
}

static int probe_check(struct pd_ctx *ctx)
{
	static const char *const tools[] = { "kinit", "smbclient" };
	static const char *const packages[] = { "install krb5-user", "install smbclient" };
	const struct probe_args *args = ctx->args;
	struct domain d;
	int r = domain_find(ctx, &d);

	if (r == 0 && !args->user != !args->password)
		r = pd_fail(ctx, PD_BAD_ARGS, "user and password belong together: leave out both, or neither");
	for (size_t i = 0; r == 0 && i < 2; i++)
		r = probe_tool(ctx, tools[i], packages[i]) < 0 ? PD_REFUSED : 0;
	if (r == 0 && ctx->dry_run)
		r = domain_answers(&d);
	return r < 0 ? r : PD_CHANGED;
}

static int probe_apply(struct pd_ctx *ctx)
{
	struct client client = { .args = ctx->args };
	int r = domain_find(ctx, &client.d);

	return r < 0 ? r : probe_run(ctx, client.args->timeout, attempt, &client);
}

static const struct pd_param params[] = {
	PD_PARAM(struct probe_args, user, PD_T_STRING,
		 .help = "user of the domain who logs in; left out: this server itself, by its key"),
	PD_PARAM(struct probe_args, password, PD_T_SECRET, .help = "password of that user"),
	PROBE_TIMEOUT(probe_args),
	PD_PARAM_END
};

static const struct pd_output outputs[] = { PROBE_MILLISECONDS, PD_OUTPUT_END };

const struct pd_step directory_probe = {
	PD_STEP, .name = "probe", .help = "find this domain controller by DNS, log in, and read by LDAP and from its shares",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct probe_args), .outputs = outputs, .time_limit = 90000, .expected = 5,
	.check = probe_check, .apply = probe_apply, .verify = probe_verify
};
