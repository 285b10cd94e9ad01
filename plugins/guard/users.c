/* SPDX-License-Identifier: MIT */
/* The step guard.users: is anybody at work on this server? */
#include "guard.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>
#include <unistd.h>
#include <utmpx.h>

struct args {
	int64_t max;
	struct pd_list ignore;
};

static const struct pd_param params[] = {
	PD_PARAM(struct args, max, PD_T_INT, .def = "0", .max = 100000,
		 .help = "so many sessions do not matter"),
	PD_PARAM(struct args, ignore, PD_T_LIST, .help = "users that do not count"),
	PD_PARAM_END
};

/* What was found so far. */
struct found {
	int64_t n;
	const char *names;
};

static void count(struct pd_ctx *ctx, struct found *f, const char *user, const char *where)
{
	const struct args *a = ctx->args;

	if (!user || guard_has(&a->ignore, user))
		return;
	f->names = pd_format(ctx, "%s%s%s (%s)", f->names, f->n ? ", " : "", user,
			     where && *where ? where : "no terminal");
	f->n++;
}

/* pam_systemd(8): user, user-early (root's since systemd 256), user-light and
 * user-early-light (258) are people and their programs; nobody is logged in yet
 * in user-incomplete, and the rest are screens, managers and background. */
static bool is_login(const char *class)
{
	return class && strncmp(class, "user", 4) == 0 && strcmp(class, "user-incomplete") != 0;
}

/* One session of logind; not the one that patchday itself was started in. */
static void session(struct pd_ctx *ctx, struct found *f, const char *id, const char *own)
{
	char *class = NULL, *state = NULL, *tty = NULL, *host = NULL;
	const struct passwd *p = NULL;
	uid_t uid = 0;

	sd_session_get_class(id, &class);
	sd_session_get_state(id, &state);
	if (sd_session_get_uid(id, &uid) >= 0)
		p = getpwuid(uid);
	sd_session_get_tty(id, &tty);
	sd_session_get_remote_host(id, &host);
	if (is_login(class) && !(state && strcmp(state, "closing") == 0) &&
	    !(own && strcmp(own, id) == 0))
		count(ctx, f, p ? p->pw_name : "unknown", host ? host : tty);
	free(class);
	free(state);
	free(tty);
	free(host);
}

static void by_utmp(struct pd_ctx *ctx, struct found *f)
{
	const struct utmpx *u;

	setutxent();
	while ((u = getutxent()))
		if (u->ut_type == USER_PROCESS)
			count(ctx, f, pd_format(ctx, "%.*s", (int)sizeof(u->ut_user), u->ut_user),
			      pd_format(ctx, "%.*s", (int)sizeof(u->ut_line), u->ut_line));
	endutxent();
}

static int check(struct pd_ctx *ctx)
{
	const struct args *a = ctx->args;
	struct found f = { 0, "" };
	char **ids = NULL, *own = NULL;

	if (access("/run/systemd/sessions", F_OK) == 0 && sd_get_sessions(&ids) >= 0) {
		sd_pid_get_session(getpid(), &own);
		for (size_t i = 0; ids && ids[i]; i++) {
			session(ctx, &f, ids[i], own);
			free(ids[i]);
		}
		free(ids);
		free(own);
	} else {
		by_utmp(ctx, &f);
	}
	return f.n <= a->max ? PD_UNCHANGED :
	       guard_refuse(ctx, "people would lose their work",
			    pd_format(ctx, "%" PRId64 " session%s, %" PRId64 " allowed: %s", f.n,
				      f.n == 1 ? "" : "s", a->max, f.names),
			    "ask them to log out (`loginctl`, `who`)");
}

const struct pd_step guard_users = {
	PD_STEP, .name = "users", .help = "go on only when nobody is logged in",
	.flags = PD_S_GUARD, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct args), .check = check
};
