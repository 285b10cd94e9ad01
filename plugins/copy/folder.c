/* SPDX-License-Identifier: MIT */
/* The step copy.folder: the second place is a folder, such as a mounted share. */
#include "copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../shared/clone.h"
#include "../shared/volume.h"

struct folder_args {
	const char *from;
	struct pd_list also;
	const char *to;
	bool same_volume;
};

static const struct pd_param params[] = {
	PD_PARAM(struct folder_args, from, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder where the run's steps have saved: what is in its subfolder of this run is copied"),
	COPY_ALSO(struct folder_args),
	PD_PARAM(struct folder_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder off the server, such as a mounted share or medium; it has to exist"),
	PD_PARAM(struct folder_args, same_volume, PD_T_BOOL, .def = "false",
		 .help = "allow a second place on a volume of the server itself: of the first place, the root or patchday's state"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	COPY_OUTPUTS("where the copy is: TO/SERVER/RUN")
};

static bool refuse(struct pd_ctx *ctx, const char *risk, const char *cause, const char *remedy)
{
	pd_inhibit(ctx, risk, cause, remedy);
	return false;
}

/* A copy that lies with what it is made of is lost with it. */
static bool elsewhere(struct pd_ctx *ctx, const char *from, const struct volume *to)
{
	const struct folder_args *args = ctx->args;
	struct volume volume;

	if (!volume_of(ctx, from, &volume))
		return refuse(ctx, "what the run saves may be on this server only",
			      pd_format(ctx, "%s, of which the copy is made, can't be looked at: %s", from,
					strerror(errno)), "see what is wrong with it");
	return args->same_volume || !volume_is_same(&volume, to) ||
	       refuse(ctx, "what the run saves would be lost with one disk",
		      pd_format(ctx, "%s is on the same volume as %s", args->to, from),
		      "mount a share or medium there, or set same_volume");
}

/* A share that is not mounted is an empty folder of the server itself.  In a clone none is mounted. */
static bool second_place(struct pd_ctx *ctx)
{
	const struct folder_args *args = ctx->args;
	struct volume to;
	struct stat st = {0};
	const char *own;

	if (stat(args->to, &st) < 0 || !S_ISDIR(st.st_mode))
		return refuse(ctx, "what the run saves would be on this server only",
			      pd_format(ctx, "the second place %s is no folder here", args->to), "mount it, or make it");
	if (clone_here(ctx))
		return true;
	if (!volume_of(ctx, args->to, &to))
		return refuse(ctx, "what the run saves may be on this server only",
			      pd_format(ctx, "the second place %s can't be looked at: %s", args->to, strerror(errno)),
			      "mount it anew");
	if (to.memory)
		return refuse(ctx, "what the run saves would be lost with the next reboot",
			      pd_format(ctx, "the second place %s is in memory", args->to), "mount a share or medium there");
	if (!elsewhere(ctx, args->from, &to))
		return false;
	for (size_t i = 0; i < args->also.len; i++)
		if (!elsewhere(ctx, args->also.items[i], &to))
			return false;
	if (args->same_volume)
		return true;
	own = volume_is_own(ctx, &to);
	return !own || refuse(ctx, "what the run saves would be lost with this server",
			      pd_format(ctx, "%s is on the volume of %s: is a share not mounted there?", args->to, own),
			      "mount it, or set same_volume");
}

static struct pass start(struct pd_ctx *ctx)
{
	const struct folder_args *args = ctx->args;

	return (struct pass){ .ctx = ctx, .from = copy_source(ctx, args->from), .also = &args->also,
			      .to = copy_target(ctx, args->to), .quiet = true };
}

static int folder_check(struct pd_ctx *ctx)
{
	struct pass p = start(ctx);
	int missing = 1;

	if (!second_place(ctx))
		return PD_REFUSED;
	/* in a dry run nothing has been saved yet */
	if (pd_recall(ctx, "folder") && access(p.from, F_OK) == 0) {
		missing = copy_each(&p, copy_look);
		if (missing == 0)
			missing = copy_each(&p, copy_count);
	}
	if (missing < 0 || (missing == 0 && copy_report(&p) < 0) ||
	    (missing && pd_output(ctx, "folder", p.to) < 0))
		return PD_FAILED;
	return missing ? PD_CHANGED : PD_UNCHANGED;
}

static int write_manifest(struct pass *p, const char *text, size_t len)
{
	const char *path = pd_format(p->ctx, "%s/" MANIFEST, p->to);

	return pd_write_file(p->ctx, path, 0600, text, len) < 0 ? PD_FAILED :
	       pd_evidence(p->ctx, path, "digests of the copy in the second place");
}

static int folder_apply(struct pd_ctx *ctx)
{
	const struct folder_args *args = ctx->args;
	struct pass p = start(ctx);
	char *text = NULL;
	size_t len = 0;
	int r;

	if (access(p.from, F_OK) < 0)
		return pd_fail(ctx, PD_FAILED, "no step of this run has saved anything below %s",
			       args->from);
	if (copy_make_folder(ctx, pd_format(ctx, "%s/%s", args->to, ctx->server)) < 0 ||
	    copy_make_folder(ctx, p.to) < 0 || copy_each(&p, copy_count) < 0)
		return PD_FAILED;
	p.total = p.bytes;
	p.manifest = open_memstream(&text, &len);
	if (!p.manifest)
		return pd_fail(ctx, PD_FAILED, "no memory for the manifest");
	p.quiet = false;
	r = copy_each(&p, copy_file);
	fclose(p.manifest);
	if (r == 0)
		r = write_manifest(&p, text, len);
	free(text);
	if (r == 0 && (copy_report(&p) < 0 || pd_remember(ctx, "folder", p.to) < 0))
		r = PD_FAILED;
	return r < 0 ? r : PD_CHANGED;
}

static int folder_verify(struct pd_ctx *ctx)
{
	struct pass p = start(ctx);
	int r = copy_each(&p, copy_count);

	p.total = 2 * p.bytes;
	if (r == 0)
		r = copy_each(&p, copy_compare);
	return r < 0 ? r : PD_UNCHANGED;
}

const struct pd_step folder_step = {
	PD_STEP, .name = "folder",
	.help = "copy what this run has saved to a second place, and prove the copy",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY,
	.params = params, .args_size = sizeof(struct folder_args), .outputs = outputs,
	.check = folder_check, .apply = folder_apply, .verify = folder_verify, .expected = 10
};
