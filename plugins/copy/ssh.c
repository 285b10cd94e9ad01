/* SPDX-License-Identifier: MIT */
/* The step copy.ssh: the second place is a folder of another server. */
#include "far.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct ssh_args *arguments(struct pd_ctx *ctx) { return ctx->args; }

/* ------------------------------------------------------------- the source */

static int add(struct pass *p, const char *path, const char *name, const struct stat *st)
{
	struct item item = { .far = *name ? pd_format(p->ctx, "%s/%s", p->to, name) : p->to,
			     .path = pd_format(p->ctx, "%s", path),
			     .name = pd_format(p->ctx, "%s", name),
			     .size = S_ISREG(st->st_mode) ? st->st_size : 0,
			     .folder = S_ISDIR(st->st_mode) };

	p->bytes += item.size;
	items_add(p->user, item);
	return copy_plain_name(p->ctx, name);
}

/* All that has to be there, with its digests; the manifest is the last file. */
static int gather(struct pass *p, struct items *all)
{
	const struct ssh_args *args = arguments(p->ctx);
	struct item manifest = { .far = pd_format(p->ctx, "%s/" MANIFEST, p->to), .name = MANIFEST,
				 .path = p->ctx->work_dir ?
				 pd_format(p->ctx, "%s/" MANIFEST, p->ctx->work_dir) : NULL };
	unsigned char digest[crypto_hash_sha256_BYTES];
	const char *text;
	int r;

	p->user = all;
	items_add(all, (struct item){ .name = "", .folder = true,
		  .far = pd_format(p->ctx, "%s/%s", args->to, p->ctx->server) });
	r = copy_each(p, add);
	items_sort(all);
	p->total = p->bytes, p->bytes = 0;
	for (size_t i = 0; r == 0 && i < all->len; i++)
		if (!all->item[i].folder)
			r = copy_digest(p, all->item[i].path, all->item[i].hex);
	if (r < 0)
		return r;
	text = far_manifest(all);
	manifest.size = (int64_t)strlen(text);
	crypto_hash_sha256(digest, (const unsigned char *)text, strlen(text));
	sodium_bin2hex(manifest.hex, HEX, digest, sizeof(digest));
	items_add(all, manifest);
	items_sort(all);
	return p->ctx->phase != PD_PHASE_APPLY ? 0 :
		pd_write_file(p->ctx, manifest.path, 0600, text, strlen(text));
}

static struct pass start(struct pd_ctx *ctx)
{
	return (struct pass){ .ctx = ctx, .from = copy_source(ctx, arguments(ctx)->from),
			      .also = &arguments(ctx)->also,
			      .to = copy_target(ctx, arguments(ctx)->to),
			      .quiet = ctx->phase != PD_PHASE_APPLY };
}

static const struct item *first_bad(const struct items *all)
{
	for (size_t i = 0; i < all->len; i++)
		if (!all->item[i].folder && !all->item[i].whole)
			return &all->item[i];
	return NULL;
}

/* ------------------------------------------------------------------ check */

/* Nobody else may have a say in whom we trust, or read the key. */
static bool private_file(struct pd_ctx *ctx, const char *path, mode_t others, const char *remedy)
{
	struct stat st = { 0 };
	const char *why = stat(path, &st) < 0 ? strerror(errno) : !S_ISREG(st.st_mode) ? "it is no file" :
		st.st_uid != geteuid() ? "it belongs to another user" :
		st.st_mode & others ? others == 022 ? "others can write it" : "others can read it" : NULL;

	if (why)
		pd_inhibit(ctx, "what the run saves would be on this server only",
			   pd_format(ctx, "%s can't be used to reach the second place: %s", path, why),
			   remedy);
	return !why;
}

static bool files_fit(struct pd_ctx *ctx)
{
	const struct ssh_args *args = arguments(ctx);
	bool key = private_file(ctx, args->identity, 077,
				"make a key by ssh-keygen, and enter its public half on the far side; chmod 600"),
	     hosts = private_file(ctx, args->known_hosts, 022,
				  "write the far side's host key there, as in known_hosts; chmod 600");

	return key && hosts;
}

static int refused(struct pd_ctx *ctx, const char *cause, const char *remedy)
{
	pd_inhibit(ctx, "what the run saves would be on this server only", cause, remedy);
	return PD_REFUSED;
}

/* Is everything there, as far as can be told without fetching it? */
static int missing(struct pd_ctx *ctx)
{
	struct pass p = start(ctx);
	struct items all = { .ctx = ctx };
	int r = gather(&p, &all);

	if (r == 0)
		r = far_has_shell(ctx);
	if (r > 0 && (r = far_prove(&all, p.to)) == 0 && !first_bad(&all)) {
		p.bytes = p.total;
		return copy_report(&p) < 0 ? PD_FAILED : PD_UNCHANGED;
	}
	return r < 0 ? r : PD_CHANGED;
}

static int check(struct pd_ctx *ctx)
{
	const struct ssh_args *args = arguments(ctx);
	struct pass p = start(ctx);
	struct items all = { .ctx = ctx };
	const char *why = NULL;
	bool known = pd_recall(ctx, "folder"), saved = access(p.from, F_OK) == 0;
	int64_t room = args->room;

	if (far_arguments(ctx) < 0)
		return PD_BAD_ARGS;
	if (!files_fit(ctx))
		return PD_REFUSED;
	if (far_look(&all, &why) < 0)
		return !why ? PD_FAILED :
			refused(ctx, pd_format(ctx, "the folder %s of %s can't be reached: %s", args->to,
					       args->host, why),
				"see that the server is up, the folder is there, and each has the other's key");
	if (saved && !known && copy_each(&p, copy_count) < 0) /* in a dry run nothing is saved yet */
		return PD_FAILED;
	room = p.bytes > room ? p.bytes : room;
	if (!known && all.free >= 0 && all.free < room)
		return refused(ctx, pd_format(ctx, "there are only %" PRId64 " MiB free in %s of %s, and %" PRId64
					      " MiB are needed", all.free >> 20, args->to, args->host,
					      (room + (1 << 20) - 1) >> 20),
			       "make room there, or name another place");
	return pd_output(ctx, "folder", p.to) < 0 ? PD_FAILED :
		known && saved ? missing(ctx) : PD_CHANGED;
}

/* ------------------------------------------------------------------ apply */

/* What isn't there is written down before it is made. */
static int note(const struct items *all)
{
	char *lines = NULL;
	size_t len;
	FILE *f = open_memstream(&lines, &len);
	int r = -1;

	for (size_t i = 0; f && i < all->len; i++)
		if (!all->item[i].exists)
			fprintf(f, "%s%s\n", all->item[i].far, all->item[i].folder ? "/" : "");
	if (f && fclose(f) == 0)
		r = made_add(all->ctx, lines);
	free(lines);
	return r;
}

static void sent_line(struct pd_ctx *ctx, void *user, int stream, const char *line)
{
	struct pass *p = user;

	if (stream == 1 && strncmp(line, "sftp> rename", 12) == 0)
		pd_progress(ctx, ++p->bytes, p->total, NULL);
}

/* Under another name until it is whole and on the far side's disk. */
static void put(FILE *batch, struct pd_ctx *ctx, const struct item *item)
{
	const char *part = pd_format(ctx, "%s.part", item->far);

	if (item->folder) {
		far_command(batch, "mkdir", item->far, NULL);
		far_command(batch, "chmod 700", item->far, NULL);
		return;
	}
	far_command(batch, "put -f -p", item->path, part);
	far_command(batch, "chmod 600", part, NULL);
	far_command(batch, "rename", part, item->far);
}

/* @return 1: something was sent. */
static int send_missing(struct items *all)
{
	struct pass p = { .ctx = all->ctx };
	char *batch = NULL;
	size_t len;
	FILE *f = open_memstream(&batch, &len);
	int r;

	if (!f)
		return pd_fail(p.ctx, PD_FAILED, "no memory for the commands to sftp");
	for (size_t i = 0; i < all->len; i++)
		if (all->item[i].folder ? !all->item[i].exists : !all->item[i].whole) {
			p.total += !all->item[i].folder;
			put(f, p.ctx, &all->item[i]);
		}
	fclose(f);
	r = *batch ? far_sftp(p.ctx, batch, sent_line, &p, NULL) : 0;
	if (r == 0)
		r = *batch != '\0';
	free(batch);
	return r;
}

static int enough_room(const struct items *all)
{
	const struct ssh_args *args = arguments(all->ctx);
	int64_t bytes = 0;

	for (size_t i = 0; i < all->len; i++)
		bytes += all->item[i].whole ? 0 : all->item[i].size;
	return all->free < 0 || bytes <= all->free ? 0 :
		pd_fail(all->ctx, PD_FAILED, "%s of %s has %" PRId64 " bytes free, and %" PRId64
			" are to be copied: make room there", args->to, args->host, all->free, bytes);
}

static int apply(struct pd_ctx *ctx)
{
	struct pass p = start(ctx);
	struct items all = { .ctx = ctx };
	const char *manifest = pd_format(ctx, "%s/" MANIFEST, ctx->work_dir);
	int r, sent;

	if (access(p.from, F_OK) < 0)
		return pd_fail(ctx, PD_FAILED, "no step of this run has saved anything below %s",
			       arguments(ctx)->from);
	if ((r = gather(&p, &all)) < 0 || (r = far_look(&all, NULL)) < 0 || (r = far_has_shell(ctx)) < 0)
		return r;
	if (r > 0 && items_find(&all, p.to)->exists && (r = far_prove(&all, p.to)) < 0)
		return r;
	if (enough_room(&all) < 0 || note(&all) < 0 || pd_remember(ctx, "folder", p.to) < 0)
		return PD_FAILED;
	if ((sent = send_missing(&all)) < 0)
		return sent;
	p.bytes = p.total;
	return copy_report(&p) < 0 ||
	       pd_evidence(ctx, manifest, "digests of the copy in the second place") < 0 ? PD_FAILED :
	       sent ? PD_CHANGED : PD_UNCHANGED;
}

static int verify(struct pd_ctx *ctx)
{
	struct pass p = start(ctx);
	struct items all = { .ctx = ctx };
	const struct item *bad;
	int r = gather(&p, &all);

	if (r == 0)
		r = far_has_shell(ctx);
	if (r >= 0)
		r = r ? far_prove(&all, p.to) : far_fetch(&all, &p);
	if (r < 0)
		return r;
	bad = first_bad(&all);
	return !bad ? PD_UNCHANGED :
		pd_fail(ctx, PD_FAILED, "%s of %s is not what %s is: it is missing, or their SHA-256 differ",
			bad->far, arguments(ctx)->host, bad->path);
}

/* ------------------------------------------------------------------- undo */

/* What was made, and the folders that it is in; children first. */
static const char *removal(struct items *all)
{
	size_t n, len;
	const char *const *made = made_all(all->ctx, &n);
	char *text = NULL;
	FILE *f = open_memstream(&text, &len);
	const char *batch;

	for (size_t i = 0; f && i < n; i++) {
		struct item item = { .name = "", .folder = made[i][strlen(made[i]) - 1] == '/' };

		item.far = pd_format(all->ctx, "%.*s", (int)strlen(made[i]) - item.folder, made[i]);
		items_add(all, item);
		far_command(f, item.folder ? "-rmdir" : "-rm", item.far, NULL);
		if (!item.folder)
			far_command(f, "-rm", pd_format(all->ctx, "%s.part", item.far), NULL);
		items_add(all, (struct item){ .name = "", .folder = true, .alien = true,
			  .far = pd_format(all->ctx, "%.*s", (int)(strrchr(item.far, '/') - item.far),
					   item.far) });
	}
	if (f)
		fclose(f);
	batch = pd_format(all->ctx, "%s", text ? text : "");
	free(text);
	items_sort(all);
	return batch;
}

static int undo(struct pd_ctx *ctx)
{
	const struct ssh_args *args = arguments(ctx);
	struct items all = { .ctx = ctx };
	const char *batch = removal(&all);
	int r;

	if (!*batch || args->keep)
		return PD_UNCHANGED;
	r = far_sftp(ctx, batch, NULL, NULL, NULL);
	if (r == 0)
		r = far_look(&all, NULL);
	for (size_t i = 0; r == 0 && i < all.len; i++)
		if (all.item[i].exists && !all.item[i].folder)
			r = pd_fail(ctx, PD_FAILED, "%s of %s is still there", all.item[i].far, args->host);
	return r < 0 ? r : PD_CHANGED;
}

/* ------------------------------------------------------------------ the step */

static const struct pd_param params[] = {
	PD_PARAM(struct ssh_args, from, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder where the run's steps have saved: what is in its subfolder of this run is copied"),
	COPY_ALSO(struct ssh_args),
	PD_PARAM(struct ssh_args, host, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "name or address of the other server"),
	PD_PARAM(struct ssh_args, port, PD_T_INT, .def = "22", .min = 1, .max = 65535,
		 .help = "its port for ssh"),
	PD_PARAM(struct ssh_args, user, PD_T_STRING, .def = "root", .help = "who logs in there"),
	PD_PARAM(struct ssh_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder there, which has to exist"),
	PD_PARAM(struct ssh_args, identity, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "file with the private key to log in with, without a passphrase"),
	PD_PARAM(struct ssh_args, known_hosts, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "file with the other server's host key; no other key is accepted, and none is ever added"),
	PD_PARAM(struct ssh_args, room, PD_T_BYTES, .def = "64 MiB",
		 .help = "free space that has to be there before the run starts"),
	PD_PARAM(struct ssh_args, keep, PD_T_BOOL, .def = "true",
		 .help = "the copy stays when the run is rolled back; false: undo removes what was copied"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = { COPY_OUTPUTS("where the copy is there: TO/SERVER/RUN") };

const struct pd_step ssh_step = {
	PD_STEP, .name = "ssh",
	.help = "copy what this run has saved to another server by ssh, and prove the copy",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_REVERSIBLE,
	.params = params, .args_size = sizeof(struct ssh_args), .outputs = outputs,
	.check = check, .apply = apply, .verify = verify, .undo = undo,
	.time_limit = 4 * 3600, .expected = 20, .retries = 2
};
