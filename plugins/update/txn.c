/* SPDX-License-Identifier: MIT */
/* txn - a change of packages that can be taken back: looked at, and done. */
#include "deb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define KERNEL_ROOM ((int64_t)128 << 20) /* an initrd beside the kernel */

static bool may_remove(const struct deb_txn *txn, const char *name)
{
	for (size_t i = 0; i < txn->allow_remove.len; i++)
		if (strcmp(txn->allow_remove.items[i], name) == 0)
			return true;
	return false;
}

/* The names of the packages that would go without leave; NULL: none. */
static const char *unwelcome(const struct deb_txn *txn,
			     const struct deb_changes *changes)
{
	struct pkg_text names = { .ctx = txn->ctx };

	for (size_t i = 0; i < changes->n; i++)
		if (!changes->v[i].version &&
		    !may_remove(txn, changes->v[i].name))
			pkg_printf(&names, "%s%s", names.len ? ", " : "",
				   changes->v[i].name);
	return names.s;
}

/* Is what was asked for what apt is going to do, from the same file? */
static const char *disagrees(const struct deb_txn *txn,
			     const struct deb_changes *changes)
{
	for (size_t i = 0; i < txn->wanted_len; i++) {
		const struct deb_wanted *w = &txn->wanted[i];
		const struct deb_change *c =
			deb_change_find(changes, w->name, w->arch);

		if (!c)
			continue; /* repaired, or installed meanwhile */
		if (*w->version &&
		    (!c->version || strcmp(c->version, w->version) != 0))
			return pd_format(txn->ctx, "apt would install %s %s "
					 "in place of the selected %s",
					 w->name, c->version ? c->version :
					 "(remove it)", w->version);
		if (*w->sha256 && c->sha256 && !w->path &&
		    strcmp(w->sha256, c->sha256) != 0)
			return pd_format(txn->ctx, "%s %s has SHA-256 %s in "
					 "the catalog and %s in apt's lists",
					 w->name, w->version, w->sha256,
					 c->sha256);
	}
	return NULL;
}

struct room {
	const char *path;
	int64_t need;
	dev_t device;
	int64_t have;
};

/* Free bytes below the nearest folder that exists. */
static void look_at_room(struct pd_ctx *ctx, struct room *room)
{
	char *path = (char *)pkg_copy(ctx, room->path, strlen(room->path));
	struct stat st = { 0 };
	struct statvfs fs = { 0 };

	while (path[1] && stat(path, &st) < 0) {
		char *slash = strrchr(path, '/');

		if (!slash)
			return;
		slash[slash == path] = '\0';
	}
	if (stat(path, &st) < 0 || statvfs(path, &fs) < 0)
		return;
	room->device = st.st_dev;
	room->have = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}

static bool check_room(struct deb_txn *txn)
{
	const struct deb_changes *changes = &txn->changes;
	struct room rooms[] = {
		{ .path = DEB_ARCHIVES },
		{ .path = txn->keep ? txn->keep : "/var/lib" },
		{ .path = "/usr" }, { .path = "/boot" }
	};
	size_t n = sizeof(rooms) / sizeof(*rooms);
	int64_t largest = 0;
	bool enough = true;

	for (size_t i = 0; i < changes->n; i++) {
		const struct deb_change *c = &changes->v[i];

		rooms[0].need += c->bytes;
		rooms[1].need += c->old_bytes;
		if (c->version && c->room > c->old_room)
			rooms[2].need += c->room - c->old_room;
		largest = c->room > largest ? c->room : largest;
		if (!c->old && strncmp(c->name, "linux-image-", 12) == 0)
			rooms[3].need += KERNEL_ROOM;
	}
	rooms[2].need += largest; /* dpkg has both versions for a moment */
	for (size_t i = 0; i < n; i++)
		look_at_room(txn->ctx, &rooms[i]);
	for (size_t i = 0; i < n; i++) {
		int64_t need = rooms[i].need;

		for (size_t j = 0; j < n; j++)
			if (j != i && rooms[j].device == rooms[i].device)
				need += rooms[j].need;
		if (need <= rooms[i].have || rooms[i].need == 0)
			continue;
		pd_inhibit(txn->ctx, "the installation would stop half way",
			   pd_format(txn->ctx, "%s has room for %lld bytes, "
				     "%lld are needed", rooms[i].path,
				     (long long)rooms[i].have,
				     (long long)need),
			   "make room there, or give another folder for the "
			   "old packages (keep)");
		enough = false;
	}
	return enough;
}

static void report_permanent(struct deb_txn *txn)
{
	struct pkg_text names = { .ctx = txn->ctx };

	for (size_t i = 0; i < txn->changes.n; i++) {
		const struct deb_change *c = &txn->changes.v[i];

		if (c->old && !deb_old_source(txn, c))
			pkg_printf(&names, "%s%s %s", names.len ? ", " : "",
				   c->name, c->old);
	}
	if (names.s)
		pd_irreversible(txn->ctx, pd_format(txn->ctx, "the installed "
				"packages of %s can't be had from any source "
				"of apt, so there is no way back to them",
				names.s));
}

int deb_txn_check(struct deb_txn *txn)
{
	struct pd_ctx *ctx = txn->ctx;
	const char *why = NULL;
	const char *audit = deb_audit(ctx);
	int done = 0;

	if (!audit)
		return PD_FAILED;
	if (*audit)
		pd_log(ctx, PD_LOG_WARN, "dpkg was interrupted before; it is "
		       "going to be repaired first: %.400s", audit);
	done = deb_simulate_wanted(txn, &txn->changes, &why);
	if (done == PD_FAILED)
		return done;
	if (done == PD_REFUSED) {
		pd_inhibit(ctx, "apt would refuse to install the packages",
			   why, "refresh apt's lists and the catalog (apt-get "
			   "update), mend what apt names, or take the update "
			   "out of the selection");
		return pd_fail(ctx, PD_REFUSED, "apt refuses: %s", why);
	}
	why = unwelcome(txn, &txn->changes);
	if (why) {
		pd_inhibit(ctx, "software that is in use could disappear",
			   pd_format(ctx, "apt would remove %s", why),
			   "name the packages that may go in allow_remove, or "
			   "take the update out of the selection");
		return pd_fail(ctx, PD_REFUSED, "apt would remove %s", why);
	}
	if (deb_show(txn, &txn->changes) < 0)
		return PD_FAILED;
	why = disagrees(txn, &txn->changes);
	if (why) {
		pd_inhibit(ctx, "something else than what was approved would "
			   "be installed", why,
			   "synchronise the catalog and apt's lists again, and "
			   "find out where the other package comes from");
		return pd_fail(ctx, PD_REFUSED, "%s", why);
	}
	if (!txn->download_only)
		report_permanent(txn);
	if (!check_room(txn))
		return pd_fail(ctx, PD_REFUSED, "there is not room enough");
	return txn->changes.n > 0 ? PD_CHANGED : PD_UNCHANGED;
}

bool deb_reboot_due(struct pd_ctx *ctx, const struct deb_changes *changes)
{
	static const char *const always[] = {
		"libc6", "dbus", "dbus-daemon", "dbus-broker",
		"intel-microcode", "amd64-microcode"
	};

	if (access("/run/reboot-required", F_OK) == 0)
		return true;
	for (size_t i = 0; i < changes->n; i++) {
		const struct deb_change *c = &changes->v[i];

		if (!c->version)
			continue;
		if (strncmp(c->name, "linux-image-", 12) == 0 ||
		    strncmp(c->name, "firmware-", 9) == 0)
			return true;
		for (size_t j = 0; j < sizeof(always) / sizeof(*always); j++)
			if (strcmp(c->name, always[j]) == 0)
				return true;
	}
	return pkg_init_is_stale(ctx);
}

enum deb_init deb_init_uses(struct pd_ctx *ctx, const struct deb_changes *changes)
{
	const char *maps = pd_read_file(ctx, "/proc/1/maps", (size_t)4 << 20, NULL);
	enum deb_init uses = DEB_INIT_NO;

	for (size_t i = 0; maps && i < changes->n; i++) {
		const struct deb_change *c = &changes->v[i];
		const char *list = pd_format(ctx, "/var/lib/dpkg/info/%s:%s.list", c->name,
					     c->old_arch ? c->old_arch : "");
		char *rest, *line;

		if (strcmp(c->name, "systemd") == 0)
			return DEB_INIT_RESTARTS;
		if (access(list, R_OK) < 0)
			list = pd_format(ctx, "/var/lib/dpkg/info/%s.list", c->name);
		rest = access(list, R_OK) < 0 ? NULL :
		       (char *)(uintptr_t)pd_read_file(ctx, list, (size_t)16 << 20, NULL);
		while (rest && (line = pkg_line(&rest)))
			if (strstr(line, ".so") && strstr(maps, pd_format(ctx, "%s\n", line)))
				uses = DEB_INIT_USES;
	}
	return uses;
}

/* Do the fetched files give what was looked at? */
static int simulate_files(struct deb_txn *txn, const struct deb_changes *todo,
			  struct pkg_argv *act)
{
	struct pkg_argv look = { 0 };
	struct deb_changes again = { 0 };
	const char *why = NULL;
	int done = 0;

	deb_apt(txn, &look, true);
	deb_apt(txn, act, true);
	pkg_arg(act, "-o");
	pkg_arg(act, "APT::Status-Fd=1");
	if (txn->allow_remove.len == 0)
		pkg_arg(act, "--no-remove");
	/* A dpkg that was cut short can leave a package at odds with its older
	 * parts: these files mend it, but apt would not take them without. */
	pkg_arg(&look, "-f");
	pkg_arg(act, "-f");
	pkg_arg(&look, "install");
	pkg_arg(act, "install");
	for (size_t i = 0; i < todo->n; i++) {
		const struct deb_change *c = &todo->v[i];
		const char *arg = c->file ? c->file :
				  pd_format(txn->ctx, "%s-",
					    deb_spec(txn->ctx, c->name,
						     c->arch, NULL));

		pkg_arg(&look, arg);
		pkg_arg(act, arg);
	}
	done = deb_simulate(txn, &look, &again, &why);
	if (done == PD_REFUSED)
		return pd_fail(txn->ctx, PD_FAILED, "apt refuses the fetched "
			       "packages: %s", why);
	for (size_t i = 0; done == 0 && i < again.n; i++) {
		const struct deb_change *c = &again.v[i];
		const struct deb_change *was =
			deb_change_find(todo, c->name, c->arch);

		if (!was || !was->version != !c->version ||
		    (c->version && strcmp(was->version, c->version) != 0))
			return pd_fail(txn->ctx, PD_FAILED, "apt would now "
				       "also %s %s; nothing was installed",
				       c->version ? "install" : "remove",
				       c->name);
	}
	return done;
}

static int install(struct deb_txn *txn, const struct deb_changes *todo)
{
	struct pkg_argv act = { 0 };
	struct pd_command_result result = { 0 };

	if (simulate_files(txn, todo, &act) < 0 ||
	    deb_act(txn->ctx, &act, &result) < 0)
		return PD_FAILED;
	return result.status == 0 ? 0 :
	       pd_fail(txn->ctx, PD_FAILED, "the installation failed: %s",
		       deb_why(txn->ctx, &result));
}

/* What is to be done now; by the same rules as in check. */
static int plan(struct deb_txn *txn, struct deb_changes *todo)
{
	const char *why = NULL;
	int done = txn->wanted_len == 0 ? 0 :
		   deb_simulate_wanted(txn, todo, &why);

	if (done == PD_REFUSED)
		return pd_fail(txn->ctx, PD_FAILED, "apt refuses: %s", why);
	if (done < 0)
		return done;
	why = unwelcome(txn, todo);
	if (why)
		return pd_fail(txn->ctx, PD_FAILED, "apt would remove %s, which "
			       "is not named in allow_remove", why);
	if (deb_show(txn, todo) < 0)
		return PD_FAILED;
	why = disagrees(txn, todo);
	return why ? pd_fail(txn->ctx, PD_FAILED, "%s; nothing was installed",
			     why) : 0;
}

/* Have on the disk all that undo needs of the packages in @p todo. */
static int prepare(struct deb_txn *txn, const struct deb_changes *todo)
{
	struct pd_ctx *ctx = txn->ctx;
	const char *keep = txn->keep ? txn->keep :
				       pd_format(ctx, "%s/packages",
						 ctx->work_dir);
	size_t before = txn->changes.n;

	for (size_t i = 0; i < todo->n; i++)
		if (!deb_change_find(&txn->changes, todo->v[i].name,
				     todo->v[i].arch))
			*deb_change_add(ctx, &txn->changes) = todo->v[i];
	if (txn->changes.n == before)
		return 0;
	if (pkg_make_folder(ctx, keep) < 0)
		return PD_FAILED;
	pd_progress(ctx, 0, 0, "keeping the old packages");
	if (deb_keep_old(txn, keep) < 0 || pkg_etc_save(ctx) < 0 ||
	    pd_remember(ctx, "changes",
			deb_pack_changes(ctx, &txn->changes)) < 0)
		return PD_FAILED;
	return 0;
}

static int remember_before(struct deb_txn *txn, struct deb_rows *before)
{
	struct pd_ctx *ctx = txn->ctx;
	const char *rows = pd_recall(ctx, "before");
	const char *changes = pd_recall(ctx, "changes");

	if (rows) {
		deb_unpack_rows(ctx, rows, before);
		if (changes)
			deb_unpack_changes(ctx, changes, &txn->changes);
		return pkg_etc_again(ctx);
	}
	if (deb_query(ctx, before) < 0 ||
	    pd_remember(ctx, "logs", pkg_log_marks(ctx, deb_logs)) < 0 ||
	    pd_remember(ctx, "before", deb_pack_rows(ctx, before)) < 0)
		return PD_FAILED;
	return 0;
}

static int carry_out(struct deb_txn *txn, const struct deb_rows *before)
{
	struct deb_changes todo = { 0 };
	int done = deb_repair(txn);

	if (done == 0)
		done = deb_query(txn->ctx, &txn->now);
	if (done == 0)
		done = plan(txn, &todo);
	if (done == 0)
		done = deb_fetch_new(txn, &todo, DEB_ARCHIVES);
	if (done == 0)
		done = prepare(txn, &todo);
	if (done == 0 && todo.n > 0)
		done = install(txn, &todo);
	if (done == 0)
		done = deb_query(txn->ctx, &txn->now);
	return done == 0 ? deb_marks(txn, before) : done;
}

int deb_txn_apply(struct deb_txn *txn)
{
	struct deb_changes todo = { 0 };
	struct deb_rows before = { 0 };
	int done = 0, lock;

	if (txn->download_only) {
		done = deb_query(txn->ctx, &txn->now);
		if (done == 0)
			done = plan(txn, &todo);
		if (done == 0)
			done = deb_fetch_new(txn, &todo, DEB_ARCHIVES);
		txn->changes = todo;
		return done == 0 ? PD_CHANGED : done;
	}
	lock = deb_lock(txn->ctx, txn->lock_timeout);
	if (lock < 0)
		return lock;
	done = remember_before(txn, &before);
	if (done < 0) {
		close(lock);
		return done;
	}
	done = carry_out(txn, &before);
	/* Also of what failed; the first failure stays the one that counts. */
	if (pkg_etc_note(txn->ctx) < 0 && done == 0)
		done = PD_FAILED;
	close(lock);
	return done == 0 ? PD_CHANGED : done;
}
