/* SPDX-License-Identifier: MIT */
/* firmware - driver.firmware: an archive that fwupd installs on the devices
 * that it is for, and the way back. */
#include "firmware.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const missing_choices[] = { "skip", "fail", NULL };

/* -------------------------------------------------------------- looking */

static bool shares_guid(const struct fw_device *a, const struct fw_device *b)
{
	for (size_t i = 0; i < a->n_guids; i++)
		if (fw_has_guid(b, a->guids[i]))
			return true;
	return false;
}

static bool is_asked_for(const struct firmware_args *a,
			 const struct fw_device *device)
{
	for (size_t i = 0; i < a->devices.len; i++)
		if (strcmp(a->devices.items[i], device->id) == 0 ||
		    fw_has_guid(device, a->devices.items[i]))
			return true;
	return a->devices.len == 0;
}

/* The release that an archive has for a device; NULL: none. */
static const char *release_for(const struct fw_devices *archive,
			       const struct fw_device *device)
{
	for (size_t i = 0; i < archive->n; i++)
		if (*archive->v[i].release &&
		    shares_guid(&archive->v[i], device))
			return archive->v[i].release;
	return NULL;
}

/* What fwupd wrote down says that this release waits for the next boot. */
static bool is_waiting(const struct fw_plan *p, const struct fw_device *device,
		       const char *release)
{
	const struct fw_device *past = fw_find(&p->history, device->id);

	return past && strcmp(past->release, release) == 0 &&
	       strcmp(device->version, release) != 0 &&
	       (past->state == FW_REBOOT || (device->flags & FW_LATER));
}

static void add_target(struct fw_plan *p, const struct fw_device *device,
		       const char *release)
{
	struct fw_target *t = NULL;
	int order = 0;
	bool known = fw_compare(p->ctx, device, release, &order);

	p->v = pkg_grow(p->ctx, p->v, p->n, &p->cap, sizeof(*p->v));
	t = &p->v[p->n++];
	*t = (struct fw_target){ .device = device, .release = release,
		.waits = is_waiting(p, device, release),
		.done = known && order >= 0, .unknown = !known };
}

/* What an archive is for.  @return as fw_details(); one that can't be read is
 * refused, too. */
static int details(struct fw_plan *p, const char *path, struct fw_devices *out,
		   const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), done;

	if (fd < 0) {
		*why = strerror(errno);
		return PD_REFUSED;
	}
	done = fw_details(p->ctx, p->bus, fd, out, why);
	close(fd);
	return done;
}

static int read_archive(struct fw_plan *p)
{
	const struct firmware_args *a = p->ctx->args;
	const char *why = NULL;
	int done = details(p, a->file, &p->archive, &why);

	if (done == PD_REFUSED)
		return pd_fail(p->ctx, PD_REFUSED, "fwupd does not take %s: %s",
			       a->file, why);
	if (done < 0 || !a->version)
		return done;
	/* an archive may have several parts, each of a version of its own */
	for (size_t i = 0; i < p->archive.n; i++)
		if (strcmp(p->archive.v[i].release, a->version) == 0)
			return 0;
	return pd_fail(p->ctx, PD_REFUSED, "%s has version %s, not %s", a->file,
		       p->archive.n ? p->archive.v[0].release : "(none)",
		       a->version);
}

int fw_plan_open(struct pd_ctx *ctx, struct fw_plan *p)
{
	const char *why = NULL;
	int done = 0;

	*p = (struct fw_plan){ .ctx = ctx, .bus = fw_bus() };
	if (!fw_is_there(p->bus))
		return pd_fail(ctx, PD_REFUSED, "fwupd is not on this server; "
			       "install the package fwupd");
	done = fw_list(ctx, p->bus, "GetDevices", &p->now, &why);
	if (done == 0)
		done = fw_list(ctx, p->bus, "GetHistory", &p->history, &why);
	return done == PD_REFUSED ? pd_fail(ctx, done, "%s", why) : done;
}

void fw_plan_close(struct fw_plan *p)
{
	sd_bus_flush_close_unref(p->bus);
}

/* The devices that the archive is for. */
static int look(struct pd_ctx *ctx, struct fw_plan *p)
{
	const struct firmware_args *a = ctx->args;
	int done = fw_plan_open(ctx, p);

	if (done == 0)
		done = driver_prove(ctx, a->file, a->digest, a->source);
	if (done == 0)
		done = read_archive(p);
	for (size_t i = 0; done == 0 && i < p->now.n; i++) {
		const char *release = release_for(&p->archive, &p->now.v[i]);

		if (release && is_asked_for(a, &p->now.v[i]) &&
		    (!a->version || strcmp(release, a->version) == 0))
			add_target(p, &p->now.v[i], release);
	}
	if (done < 0 || p->n > 0)
		return done;
	if (a->when_missing == MISSING_FAIL)
		return pd_fail(ctx, PD_REFUSED, "%s is for no device of this "
			       "server that fwupd knows; take it out of the "
			       "plan", a->file);
	pd_log(ctx, PD_LOG_INFO, "%s is for no device of this server", a->file);
	return 0;
}

/* ---------------------------------------------------------- the way back */

/* Does this archive have the version that the device has now? */
static bool leads_back(struct fw_plan *p, const char *path,
		       const struct fw_device *device)
{
	struct fw_devices archive = { 0 };
	const char *why = NULL, *release = NULL;

	if (details(p, path, &archive, &why) == 0)
		release = release_for(&archive, device);
	return release && strcmp(release, device->version) == 0;
}

const char *fw_way_back(struct fw_plan *p, const struct fw_device *device)
{
	const struct firmware_args *a = p->ctx->args;
	const char *found = NULL;
	const struct dirent *entry = NULL;
	DIR *dir = NULL;

	if (!a->source || pkg_folder_unsafe(p->ctx, a->source))
		return NULL;
	dir = opendir(a->source);
	while (dir && !found && (entry = readdir(dir))) {
		const char *end = strrchr(entry->d_name, '.');
		const char *path = pd_format(p->ctx, "%s/%s", a->source,
					     entry->d_name);
		const char *wanted = NULL, *is = NULL;

		if (!end || strcmp(end, ".cab") != 0 ||
		    pkg_unsafe(p->ctx, path, S_IFREG, false) ||
		    !(wanted = driver_listed(p->ctx, a->source,
					     entry->d_name)) ||
		    !leads_back(p, path, device) ||
		    pkg_digests(p->ctx, &path, 1, &is) < 0)
			continue;
		found = is && strcmp(is, wanted) == 0 ? path : NULL;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Why it can't be taken back; NULL: it can. */
static const char *no_return(struct fw_plan *p, const struct fw_device *device)
{
	const struct firmware_args *a = p->ctx->args;
	int order = 0;

	if (*device->lowest &&
	    (!fw_compare(p->ctx, device, device->lowest, &order) || order < 0))
		return pd_format(p->ctx, "%s goes back to %s only, and has %s",
				 device->name, device->lowest, device->version);
	if (fw_way_back(p, device))
		return NULL;
	if (!a->source)
		return pd_format(p->ctx, "there is no package source with "
				 "version %s of %s to go back to (source)",
				 device->version, device->name);
	return pd_format(p->ctx, "%s has no archive with version %s of %s to "
			 "go back to; fetch it: `patchday catalog fetch`",
			 a->source, device->version, device->name);
}

/* ---------------------------------------------------------------- check */

static int set_version(struct pd_ctx *ctx, const struct fw_plan *p)
{
	return p->n ? pd_output(ctx, "version", p->v[0].release) : 0;
}

static int check_target(struct fw_plan *p, const struct fw_target *t,
			bool *waits)
{
	const struct fw_device *d = t->device;
	const char *why = NULL;

	if (t->waits) {
		pd_log(p->ctx, PD_LOG_INFO, "%s: %s waits for the next boot",
		       d->name, t->release);
		*waits = true;
		return 0;
	}
	if (t->done) {
		pd_log(p->ctx, PD_LOG_INFO, "%s has %s already", d->name,
		       d->version);
		return 0;
	}
	if (!(d->flags & FW_UPDATABLE))
		return pd_fail(p->ctx, PD_REFUSED, "fwupd can't update %s (%s) "
			       "now; `fwupdmgr get-devices` says why", d->name,
			       d->id);
	why = no_return(p, d);
	if (why)
		pd_irreversible(p->ctx, why);
	if (t->unknown)
		pd_log(p->ctx, PD_LOG_WARN, "%s: whether %s is older than %s can't "
		       "be told; fwupd decides", d->name, d->version, t->release);
	pd_log(p->ctx, PD_LOG_INFO, "%s: %s -> %s", d->name, d->version,
	       t->release);
	return PD_CHANGED;
}

static int judge(struct pd_ctx *ctx, struct fw_plan *p)
{
	const struct firmware_args *a = ctx->args;
	int done = 0, result = PD_UNCHANGED;
	bool waits = false;

	for (size_t i = 0; done >= 0 && i < p->n; i++) {
		done = check_target(p, &p->v[i], &waits);
		result = done > 0 ? PD_CHANGED : result;
	}
	if (done < 0)
		return done;
	/* whether it wants one, a device says when it is done */
	if ((result == PD_UNCHANGED || a->reboot_due || waits) &&
	    driver_reboot(ctx, waits, a->reboot_due) < 0)
		return PD_FAILED;
	if (set_version(ctx, p) < 0)
		return PD_FAILED;
	pd_expect(ctx, 30 * (int64_t)(p->n ? p->n : 1));
	/* a crash came after the last device and before the end of the work */
	if (pd_recall(ctx, "devices") && !pd_recall(ctx, "finished"))
		return PD_CHANGED;
	return result;
}

/* -------------------------------------------------------- apply, verify */

static int act(struct pd_ctx *ctx, struct fw_plan *p)
{
	int done = fw_do(ctx, p);

	return done >= 0 && set_version(ctx, p) < 0 ? PD_FAILED : done;
}

static int prove(struct pd_ctx *ctx, struct fw_plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct fw_target *t = &p->v[i];

		if (t->done)
			pd_log(ctx, PD_LOG_INFO, "%s has %s", t->device->name,
			       t->device->version);
		else if (t->waits || (t->device->flags & FW_LATER))
			pd_log(ctx, PD_LOG_INFO, "%s gets %s when the server "
			       "is booted; driver.compare proves it then",
			       t->device->name, t->release);
		else
			return pd_fail(ctx, PD_FAILED, "%s has version %s, not "
				       "%s%s%s", t->device->name,
				       t->device->version, t->release,
				       *t->device->error ? ": " : "",
				       t->device->error);
	}
	return PD_UNCHANGED;
}

/* ------------------------------------------------------------ callbacks */

typedef int work_fn(struct pd_ctx *ctx, struct fw_plan *p);

/* What a check refuses is a failure later on. */
static int with_plan(struct pd_ctx *ctx, work_fn *begin, work_fn *work)
{
	struct fw_plan p = { 0 };
	int done = begin(ctx, &p);

	if (done == 0)
		done = work(ctx, &p);
	fw_plan_close(&p);
	return done == PD_REFUSED && ctx->phase != PD_PHASE_CHECK ? PD_FAILED :
								    done;
}

/* In a clone there is nothing to do. */
static int unless_clone(struct pd_ctx *ctx, work_fn *work)
{
	const struct firmware_args *a = ctx->args;

	if (!driver_in_clone(ctx, a->file))
		return with_plan(ctx, look, work);
	return driver_reboot(ctx, false, a->reboot_due) < 0 ? PD_FAILED :
							      PD_UNCHANGED;
}

static int firmware_check(struct pd_ctx *ctx) { return unless_clone(ctx, judge); }
static int firmware_apply(struct pd_ctx *ctx) { return unless_clone(ctx, act); }
static int firmware_verify(struct pd_ctx *ctx) { return unless_clone(ctx, prove); }

static int firmware_undo(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "devices") ? with_plan(ctx, fw_plan_open, fw_undo) :
					   PD_UNCHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct firmware_args, file, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "the vendor's archive (.cab)"),
	PD_PARAM(struct firmware_args, digest, PD_T_STRING,
		 .help = "SHA-256 of it; without it the list of source counts"),
	PD_PARAM(struct firmware_args, source, PD_T_PATH,
		 .help = "package source, with the archive of the version to "
			 "go back to"),
	PD_PARAM(struct firmware_args, version, PD_T_STRING,
		 .help = "version that the archive must have; of several parts "
			 "only that of this version is installed"),
	PD_PARAM(struct firmware_args, devices, PD_T_LIST,
		 .help = "only these, by GUID or by fwupd's id; without it, "
			 "all that the archive is for"),
	PD_PARAM(struct firmware_args, when_missing, PD_T_CHOICE, .def = "skip",
		 .choices = missing_choices,
		 .help = "what to do where it is for no device"),
	PD_PARAM(struct firmware_args, reboot_due, PD_T_BOOL,
		 .help = "a step before asked for a reboot: this one does too"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("reboot_required", PD_T_BOOL, "whether to reboot after it"),
	PD_OUTPUT("version", PD_T_STRING, "version that the archive brings"),
	PD_OUTPUT_END
};

const struct pd_step driver_firmware = {
	PD_STEP, .name = "firmware",
	.help = "have fwupd install a vendor's firmware, and go back",
	.flags = PD_S_NEEDS_ROOT,
	.params = params, .args_size = sizeof(struct firmware_args),
	.outputs = outputs,
	.check = firmware_check, .apply = firmware_apply,
	.verify = firmware_verify, .undo = firmware_undo,
	.reversibility = PD_REVERSIBLE,
	.time_limit = 7200, .grace = 600, .expected = 120
};
