/* SPDX-License-Identifier: MIT */
/* flash - driver.firmware acts: on one device after the other, each with what
 * leads back on the disk before. */
#include "firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------- evidence */

static int evidence(struct pd_ctx *ctx, struct fw_plan *p, const char *when)
{
	const char *path = pd_format(ctx, "%s/firmware-%s.txt", ctx->work_dir,
				     when);
	const char *ids = pd_recall(ctx, "devices");
	struct pkg_text text = { .ctx = ctx };
	struct fw_devices now = { 0 }, history = { 0 };

	if (fw_list(ctx, p->bus, "GetDevices", &now, NULL) < 0 ||
	    fw_list(ctx, p->bus, "GetHistory", &history, NULL) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < now.n; i++) {
		const struct fw_device *d = &now.v[i];
		const struct fw_device *past = fw_find(&history, d->id);

		if (!ids || !strstr(ids, d->id))
			continue;
		pkg_printf(&text, "%s %s: version %s%s%s\n", d->id, d->name,
			   d->version, *d->serial ? ", serial number " : "",
			   d->serial);
		if (past)
			pkg_printf(&text, "  history: %s -> %s, %s%s%s\n",
				   past->version, past->release,
				   past->state == FW_SUCCESS ? "success" :
				   past->state == FW_REBOOT ? "waits for a "
							      "boot" :
				   past->state == FW_PENDING ? "pending" :
							       "failed",
				   *past->error ? ": " : "", past->error);
	}
	if (pd_write_file(ctx, path, 0600, text.s ? text.s : "", text.len) < 0)
		return PD_FAILED;
	return pd_evidence(ctx, path, pd_format(ctx, "firmware %s", when));
}

/* For driver.compare: what was changed, and what it has to be in the end. */
static int explain(struct pd_ctx *ctx, const struct fw_plan *p)
{
	struct pkg_text text = { .ctx = ctx };

	for (size_t i = 0; i < p->n; i++) {
		const struct fw_device *d = p->v[i].device;

		if (!pd_recall(ctx, pd_format(ctx, "version.%s", d->id)))
			continue;
		pkg_printf(&text, "firmware %s\nwanted %s %s\n", d->id, d->id,
			   p->v[i].release);
		if (*d->serial)
			pkg_printf(&text, "serial %s\n", d->serial);
		/* the machine's own firmware is what DMI tells of, too */
		if (strcmp(d->plugin, "uefi_capsule") == 0)
			pkg_printf(&text, "dmi -\n");
	}
	return text.s ? driver_explain(ctx, text.s) : 0;
}

/* ---------------------------------------------------------------- apply */

/* What leads back is on the disk before anything is changed. */
static int prepare(struct pd_ctx *ctx, struct fw_plan *p,
		   const struct fw_device *d)
{
	const char *key = pd_format(ctx, "version.%s", d->id);
	const char *from = NULL, *to = NULL;
	const char *ids = pd_recall(ctx, "devices");

	if (pd_recall(ctx, key))
		return 0;
	from = fw_way_back(p, d);
	if (from) {
		to = pd_format(ctx, "%s/back-%s.cab", ctx->work_dir, d->id);
		if (pkg_copy_file(ctx, from, to) < 0 ||
		    pkg_sync(ctx, ctx->work_dir) < 0)
			return PD_FAILED;
	}
	if (pd_remember(ctx, pd_format(ctx, "back.%s", d->id), to) < 0 ||
	    pd_remember(ctx, key, d->version) < 0)
		return PD_FAILED;
	return pd_remember(ctx, "devices", ids ? pd_format(ctx, "%s %s", ids,
							   d->id) : d->id);
}

static int flash(struct pd_ctx *ctx, struct fw_plan *p,
		 const struct fw_device *d, const char *path, bool back)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int done = fd < 0 ? pd_fail(ctx, PD_FAILED, "%s can't be read: %s",
				    path, strerror(errno)) :
			    fw_install(ctx, p->bus, d, fd, back);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Does any of the devices of this step wait for a boot? */
static int waits(struct pd_ctx *ctx, struct fw_plan *p, bool *out)
{
	const char *ids = pd_recall(ctx, "devices");

	if (fw_list(ctx, p->bus, "GetDevices", &p->now, NULL) < 0 ||
	    fw_list(ctx, p->bus, "GetHistory", &p->history, NULL) < 0)
		return PD_FAILED;
	*out = false;
	for (size_t i = 0; ids && i < p->now.n; i++) {
		const struct fw_device *d = &p->now.v[i];
		const struct fw_device *past = fw_find(&p->history, d->id);

		if (!strstr(ids, d->id))
			continue;
		if (d->flags & FW_NEEDS_SHUTDOWN)
			pd_log(ctx, PD_LOG_WARN, "%s wants the server to be "
			       "switched off and on", d->name);
		*out = *out || (d->flags & FW_LATER) ||
		       (past && past->state == FW_REBOOT);
	}
	return 0;
}

static int do_all(struct pd_ctx *ctx, struct fw_plan *p, size_t *acted)
{
	const struct firmware_args *a = ctx->args;

	for (size_t i = 0; i < p->n; i++)
		if (!p->v[i].done && !p->v[i].waits &&
		    prepare(ctx, p, p->v[i].device) < 0)
			return PD_FAILED;
	if (!pd_recall(ctx, "devices"))
		return 0;
	if (!pd_recall(ctx, "begun") &&
	    (evidence(ctx, p, "before") < 0 ||
	     pd_remember(ctx, "begun", "1") < 0))
		return PD_FAILED;
	if (explain(ctx, p) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < p->n; i++) {
		const struct fw_target *t = &p->v[i];

		if (t->done || t->waits)
			continue;
		pd_log(ctx, PD_LOG_INFO, "%s: %s -> %s", t->device->name,
		       t->device->version, t->release);
		if (flash(ctx, p, t->device, a->file, false) < 0)
			return PD_FAILED;
		(*acted)++;
	}
	return 0;
}

int fw_do(struct pd_ctx *ctx, struct fw_plan *p)
{
	const struct firmware_args *a = ctx->args;
	size_t acted = 0;
	bool later = false;

	if (do_all(ctx, p, &acted) < 0 || waits(ctx, p, &later) < 0 ||
	    driver_reboot(ctx, later, a->reboot_due) < 0)
		return PD_FAILED;
	if (!pd_recall(ctx, "devices"))
		return PD_UNCHANGED;
	if (evidence(ctx, p, "after") < 0 ||
	    pd_remember(ctx, "finished", "1") < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

/* ----------------------------------------------------------------- undo */

/* A device on its own: back to the version that it had. */
static int undo_one(struct pd_ctx *ctx, struct fw_plan *p, const char *id)
{
	const struct fw_device *d = fw_find(&p->now, id);
	const struct fw_device *past = fw_find(&p->history, id);
	const char *before = pd_recall(ctx, pd_format(ctx, "version.%s", id));
	const char *back = pd_recall(ctx, pd_format(ctx, "back.%s", id));
	const char *sent = pd_format(ctx, "sent.%s", id);

	if (!d)
		return pd_fail(ctx, PD_FAILED, "the device %s is not there any "
			       "more; it had version %s", id, before);
	/* waiting for a boot: taken over by what is sent now */
	if (strcmp(d->version, before) == 0 &&
	    !(past && past->state == FW_REBOOT) && !(d->flags & FW_LATER))
		return 0;
	if (pd_recall(ctx, sent))
		return 0;
	if (!back)
		return pd_fail(ctx, PD_FAILED, "%s has version %s, and there "
			       "was no archive to go back to %s; install that "
			       "as its vendor says", d->name, d->version,
			       before);
	if (flash(ctx, p, d, back, true) < 0 ||
	    fw_list(ctx, p->bus, "GetDevices", &p->now, NULL) < 0)
		return PD_FAILED;
	d = fw_find(&p->now, id);
	if (d && (d->flags & FW_LATER)) {
		pd_log(ctx, PD_LOG_WARN, "%s goes back to %s when the server "
		       "is booted", d->name, before);
		return pd_remember(ctx, sent, "1") < 0 ? PD_FAILED : PD_CHANGED;
	}
	if (!d || strcmp(d->version, before) != 0)
		return pd_fail(ctx, PD_FAILED, "%s has version %s after going "
			       "back, not %s", d ? d->name : id,
			       d ? d->version : "(none)", before);
	return PD_CHANGED;
}

int fw_undo(struct pd_ctx *ctx, struct fw_plan *p)
{
	const char *ids = pd_recall(ctx, "devices");
	char *rest = (char *)pkg_copy(ctx, ids, strlen(ids));
	const char **list = pd_alloc_for(ctx, (strlen(ids) + 1) *
					 sizeof(*list));
	int result = PD_UNCHANGED;
	size_t n = 0;

	while (*rest)
		list[n++] = pkg_field(&rest, ' ');
	while (n > 0) {
		int done = undo_one(ctx, p, list[--n]);

		if (done < 0)
			return done;
		result = done > 0 ? PD_CHANGED : result;
	}
	driver_unexplain(ctx);
	if (result == PD_CHANGED && evidence(ctx, p, "undone") < 0)
		return PD_FAILED;
	return result;
}
