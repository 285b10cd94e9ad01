/* SPDX-License-Identifier: MIT */
/* The step needrestart.restart.  Both ways are one: what uses old files is
 * restarted, after the updates, and again after they were taken back. */
#include "needrestart.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BEFORE "before"   /* units that were to be restarted: they ran */
#define PROVED "proved"   /* all of them came up again */
#define REEXEC_SECONDS 30
#define POLL_MS 200
#define FALL_SECONDS 2

struct args {
	struct pd_list units, except, folders;
	int64_t timeout;
	bool reexec;
};

/* ------------------------------------------------------- what is to be done */

static const char *keeps(struct pd_ctx *ctx, sd_bus *bus, const struct unit *unit)
{
	const struct args *args = ctx->args;

	return policy_keeps(ctx, bus, unit, &args->units, &args->except);
}

/* Services with old files: those that may be restarted; the others are told. */
static int find(struct pd_ctx *ctx, sd_bus *bus, struct stales *all, struct units *due)
{
	const struct args *args = ctx->args;
	int r = stale_find(ctx, bus, &args->folders, all);

	for (size_t i = 0; r == 0 && i < all->len; i++) {
		const struct stale *s = &all->items[i];
		struct unit *unit = NULL;
		const char *why;

		if (s->owner != OWNER_SERVICE || stale_of(all, s->owner, s->name) != s)
			continue;
		if (unit_load(ctx, bus, s->name, &unit) < 0)
			return PD_FAILED;
		why = keeps(ctx, bus, unit);
		if (!why) {
			units_add(ctx, due, unit);
			continue;
		}
		pd_log(ctx, ctx->phase == PD_PHASE_CHECK ? PD_LOG_DEBUG : PD_LOG_INFO,
		       "%s goes on with old files (%s): %s", unit->name, s->files, why);
		r = pd_output_item(ctx, "left", unit->name);
	}
	return r < 0 ? r : stale_output(ctx, all, OWNER_SESSION, "sessions");
}

static int look(struct pd_ctx *ctx, sd_bus *bus)
{
	struct stales all = { 0 };
	struct units due = { 0 };
	int r = find(ctx, bus, &all, &due);

	for (size_t i = 0; r == 0 && i < due.len; i++)
		r = pd_output_item(ctx, "restarted", due.items[i]->name);
	pd_expect(ctx, 1 + 2 * (int64_t)due.len);
	return r < 0 ? r : PD_CHANGED;
}

/* What had been begun with and does not run: a restart was cut short, or the
 * unit has not come up with what was there then. */
static int add_down(struct pd_ctx *ctx, sd_bus *bus, struct units *due)
{
	const char *at = pd_recall(ctx, BEFORE);

	for (size_t n; at && *(at += strspn(at, "\n")); at += n) {
		struct unit *unit = NULL;

		n = strcspn(at, "\n");
		if (unit_load(ctx, bus, pd_format(ctx, "%.*s", (int)n, at), &unit) < 0)
			return PD_FAILED;
		if (unit_stopped(unit) && !units_have(due, unit->name) && !keeps(ctx, bus, unit))
			units_add(ctx, due, unit);
	}
	return 0;
}

static int remember(struct pd_ctx *ctx, const struct units *due)
{
	const char *old = pd_recall(ctx, BEFORE), *all = old ? old : "\n";

	for (size_t i = 0; i < due->len; i++)
		if (!strstr(all, pd_format(ctx, "\n%s\n", due->items[i]->name)))
			all = pd_format(ctx, "%s%s\n", all, due->items[i]->name);
	return old && strcmp(old, all) == 0 ? 0 : pd_remember(ctx, BEFORE, all);
}

/* ------------------------------------------------------------- the restart */

/* Undo of a restart that has failed itself: the unit may need files that are
 * brought back only after this. */
static bool may_stay_down(struct pd_ctx *ctx)
{
	return ctx->phase == PD_PHASE_UNDO && !pd_recall(ctx, PROVED);
}

static bool is_renewed(struct pd_ctx *ctx, const struct unit *old, const struct unit *now)
{
	(void)ctx;
	return unit_runs(now) && (!*old->invocation || strcmp(old->invocation, now->invocation) != 0);
}

static int tell_down(struct pd_ctx *ctx, sd_bus *bus, const struct units *due)
{
	struct units now = { 0 };

	if (units_look_again(ctx, bus, due, &now) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < now.len; i++)
		if (unit_stopped(now.items[i]))
			pd_log(ctx, PD_LOG_WARN, "it did not come up when it was restarted, nor does "
			       "it now: %s", unit_explain(ctx, bus, now.items[i]));
	return 0;
}

static int evidence(struct pd_ctx *ctx, const struct stales *all)
{
	return ctx->phase != PD_PHASE_APPLY || pd_recall(ctx, "told") ? 0 :
	       stale_evidence(ctx, all, "old-files.txt",
			      "Processes with old files, before the restart") < 0 ?
	       PD_FAILED : pd_remember(ctx, "told", "1");
}

/* A service counts as started before its program has begun (systemd.service(5),
 * Type=simple): one that can't run gets the time to show it. */
static void give_time(const struct units *due)
{
	const struct timespec moment = { FALL_SECONDS, 0 };

	if (due->len)
		nanosleep(&moment, NULL);
}

static int restart(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct args *args = ctx->args;
	struct stales all = { 0 };
	struct units due = { 0 }, last = { 0 };
	int r = find(ctx, bus, &all, &due);

	if (r == 0)
		r = add_down(ctx, bus, &due);
	if (r == 0)
		r = remember(ctx, &due);
	if (r == 0)
		r = evidence(ctx, &all);
	if (r == 0)
		r = units_jobs(ctx, bus, "RestartUnit", &due, args->timeout);
	give_time(&due);
	if (r == 0)
		r = may_stay_down(ctx) ? tell_down(ctx, bus, &due) :
		    units_wait(ctx, bus, &due, is_renewed, SETTLED, "running again", &last);
	for (size_t i = 0; r == 0 && ctx->phase == PD_PHASE_APPLY && i < due.len; i++)
		r = pd_output_item(ctx, "restarted", due.items[i]->name);
	return r < 0 ? r : due.len ? PD_CHANGED : PD_UNCHANGED;
}

/* ---------------------------------------------------------- systemd itself */

/* Until it has come to its new self nobody listens there. */
static bool answers(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/private" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static int is_stale(struct pd_ctx *ctx, const struct stale **systemd)
{
	const struct args *args = ctx->args;
	struct stales all = { 0 };
	int r = stale_find(ctx, NULL, &args->folders, &all);

	*systemd = stale_of(&all, OWNER_SYSTEMD, NULL);
	return r;
}

/* It executes itself anew, and keeps its state and all that runs.  There is no
 * answer: the connection ends with what it was. */
static int reexecute(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct timespec nap = { 0, POLL_MS * 1000000L };
	const struct stale *systemd = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(bus, MANAGER, "Reexecute", &error, NULL, "");

	if (r < 0 && r != -ECONNRESET && r != -ENOTCONN && r != -EPIPE && r != -ETIMEDOUT &&
	    !sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY))
		return bus_failed(ctx, "reexecute", "itself", &error, r);
	sd_bus_error_free(&error);
	for (int i = 0; i < REEXEC_SECONDS * 1000 / POLL_MS; i++) {
		if (is_stale(ctx, &systemd) < 0)
			return PD_FAILED;
		if (!systemd && answers())
			return PD_CHANGED;
		pd_progress(ctx, 0, 0, "systemd executes itself anew");
		nanosleep(&nap, NULL);
	}
	return pd_fail(ctx, PD_FAILED, "systemd was told to execute itself anew, and %s after %d s; "
		       "reboot the server", systemd ? "still uses old files" : "does not answer",
		       REEXEC_SECONDS);
}

static int renew(struct pd_ctx *ctx)
{
	const struct args *args = ctx->args;
	const struct stale *systemd = NULL;
	int r = bus_with(ctx, restart), again = PD_UNCHANGED;

	if (r >= 0 && args->reexec)
		again = is_stale(ctx, &systemd);
	if (r >= 0 && again == 0 && systemd)
		again = bus_with(ctx, reexecute);
	return r < 0 ? r : again == PD_UNCHANGED ? r : again;
}

/* ------------------------------------------------------------ and its proof */

static int prove(struct pd_ctx *ctx, sd_bus *bus)
{
	const struct args *args = ctx->args;
	struct stales all = { 0 };
	struct units down = { 0 };
	int r = stale_find(ctx, bus, &args->folders, &all);

	if (r == 0)
		r = add_down(ctx, bus, &down);
	if (r == 0 && down.len)
		r = pd_fail(ctx, PD_FAILED, "it was restarted, and does not run: %s",
			    unit_explain(ctx, bus, down.items[0]));
	for (size_t i = 0; r == 0 && i < all.len; i++) {
		const struct stale *s = &all.items[i];
		struct unit *unit = NULL;

		if (s->owner == OWNER_SERVICE && unit_load(ctx, bus, s->name, &unit) < 0)
			return PD_FAILED;
		if (unit ? !keeps(ctx, bus, unit) : s->owner == OWNER_SYSTEMD && args->reexec)
			r = pd_fail(ctx, PD_FAILED, "%s still uses old files after its restart: "
				    "process %s (%s), %s; look at it, or leave it out with except",
				    s->name, s->pid, s->program, s->files);
	}
	return r;
}

static int check(struct pd_ctx *ctx) { return bus_with(ctx, look); }
static int verify(struct pd_ctx *ctx) { return bus_with(ctx, prove); }

static int apply(struct pd_ctx *ctx)
{
	int r = renew(ctx);

	if (r < 0)
		return r;
	return bus_with(ctx, prove) < 0 || pd_remember(ctx, PROVED, "1") < 0 ? PD_FAILED : r;
}

static int undo(struct pd_ctx *ctx)
{
	static const char *const keys[] = { PROVED, "told", BEFORE };
	int r = PD_UNCHANGED;

	if (!pd_recall(ctx, BEFORE))
		return PD_UNCHANGED;
	r = renew(ctx);
	if (r < 0)
		return r;
	if (!may_stay_down(ctx) && bus_with(ctx, prove) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (pd_recall(ctx, keys[i]) && pd_remember(ctx, keys[i], NULL) < 0)
			return PD_FAILED;
	return r;
}

static const struct pd_param params[] = {
	PD_PARAM(struct args, units, PD_T_LIST, .def = "*",
		 .help = "services that may be restarted: names, or patterns with * and ?"),
	PD_PARAM(struct args, except, PD_T_LIST,
		 .def = "docker,containerd,libvirtd,virt*d,lxc*,networking,NetworkManager,"
			"wpa_supplicant*,openvpn*,strongswan*,cryptdisks*,iscsid,multipathd",
		 .help = "and those that may not, since more than themselves would be cut off"),
	PD_PARAM(struct args, reexec, PD_T_BOOL, .def = "true",
		 .help = "let systemd execute itself anew if it uses old files; nothing is stopped"),
	PD_PARAM(struct args, timeout, PD_T_SECONDS, .def = "4m", .min = 1, .max = 3000,
		 .help = "how long the restarts may take, all together"),
	PARAM_FOLDERS(struct args),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("restarted", PD_T_LIST, "services that were restarted"),
	PD_OUTPUT("left", PD_T_LIST, "services that go on with old files"),
	PD_OUTPUT("sessions", PD_T_LIST, "sessions of users that do, such as \"3 (alice)\""),
	PD_OUTPUT_END
};

const struct pd_step restart_step = {
	PD_STEP, .name = "restart", .help = "restart the services that still use old files",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE, .params = params,
	.args_size = sizeof(struct args), .outputs = outputs, .expected = 5,
	.check = check, .apply = apply, .verify = verify, .undo = undo
};
