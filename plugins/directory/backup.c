/* SPDX-License-Identifier: MIT */
/* The step directory.backup: all that a domain controller has of its domain, by
 * samba-tool, and the proof that a domain can be made of it again. */
#include "directory.h"

#include "../backup/bundle.h"
#include "../shared/store.h"

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPARE_BYTES ((int64_t)256 << 20)
#define PROOF "patchday-proof-"
#define PROOF_SERVER "patchday-proof" /* no server of that name is in a domain */

enum { KIND_OFFLINE, KIND_ONLINE };
enum { PROVE_RESTORE, PROVE_READ };
static const char *const kinds[] = { "offline", "online", NULL };
static const char *const proofs[] = { "restore", "read", NULL };

struct backup_args {
	const char *to, *name, *scratch;
	int32_t kind, prove;
};

/* ------------------------------------------------------------------- place */

static int64_t tree_bytes;

static int add_bytes(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	tree_bytes += type == FTW_F ? (int64_t)st->st_blocks * 512 : 0;
	return 0;
}

/* Its databases and the policies; what it is packed into is smaller. */
static int64_t size_of(const struct domain *d)
{
	tree_bytes = SPARE_BYTES;
	nftw(pd_format(d->ctx, "%s/..", d->secrets), add_bytes, 16, FTW_PHYS | FTW_MOUNT);
	return tree_bytes;
}

static int is_safe(struct pd_ctx *ctx, const char *folder)
{
	return store_is_safe(ctx, folder, folder, "the backup of a domain", "others could change the backup of the domain");
}

static int has_room(struct pd_ctx *ctx, const char *folder, int64_t need)
{
	return store_has_room(ctx, folder, need, "the backup of the domain could not be written and proved",
			      "make room there, another folder for to or scratch, or prove = \"read\"");
}

static int backup_check(struct pd_ctx *ctx)
{
	const struct backup_args *args = ctx->args;
	const char *archive;
	struct domain d;
	int64_t need;
	int r = domain_find(ctx, &d);

	if (r == 0)
		r = store_check_name(ctx, args->name);
	if (r == 0)
		r = is_safe(ctx, args->to);
	if (r < 0)
		return r;
	need = size_of(&d);
	pd_expect(ctx, 15 + need / ((int64_t)10 << 20));
	r = has_room(ctx, args->to, need + (args->prove == PROVE_RESTORE && !args->scratch ? need : 0));
	if (r == 0 && args->prove == PROVE_RESTORE && args->scratch)
		r = has_room(ctx, args->scratch, need);
	archive = bundle_place(ctx, args->to, args->name, BUNDLE_BZIP2);
	if (r == 0 && archive)
		r = pd_output(ctx, "archive", archive);
	return r < 0 ? r : PD_CHANGED;
}

/* ------------------------------------------------------------------- apply */

static int remove_tree(struct pd_ctx *ctx, const char *folder)
{
	const char *const argv[] = { "rm", "-rf", "--one-file-system", "--", folder, NULL };
	struct pd_command_result r = { 0 };

	if (pd_run(ctx, argv, &r) < 0)
		return PD_FAILED;
	return r.status == 0 ? 0 : pd_fail(ctx, PD_FAILED, "can't remove %s: %s", folder, r.err);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* How many accounts a database has, and a digest of their names: "12 8f3c...".
 * Each database has an order of its own.  @param url NULL: this server's */
static int accounts(const struct domain *d, const char *url, const char **out)
{
	const char *const argv[] = { "samba-tool", "user", "list", url ? "-H" : NULL, url, NULL };
	const char *what = pd_format(d->ctx, "the accounts of %s can't be listed", url ? url : "the domain");
	struct pd_command_result r = { 0 };
	crypto_hash_sha256_state sum;
	char hex[BUNDLE_HEX], *rest;
	const char **names;
	size_t n = 0;
	int result = domain_must(d, argv, what, &r);

	if (result < 0)
		return result;
	rest = pd_alloc_for(d->ctx, r.out_len + 1);
	memcpy(rest, r.out, r.out_len);
	names = pd_alloc_for(d->ctx, (r.out_len / 2 + 1) * sizeof(*names));
	for (char *name = strtok_r(rest, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
		names[n++] = name;
	qsort(names, n, sizeof(*names), by_text);
	crypto_hash_sha256_init(&sum);
	for (size_t i = 0; i < n; i++)
		crypto_hash_sha256_update(&sum, (const unsigned char *)names[i], strlen(names[i]) + 1);
	bundle_hex(&sum, hex);
	*out = pd_format(d->ctx, "%zu %s", n, hex);
	return n ? 0 : pd_fail(d->ctx, PD_FAILED, "%s: there is none", what);
}

/* samba-tool chooses the name.  @return NULL: reported */
static const char *find_written(struct pd_ctx *ctx, const char *part)
{
	glob_t found = { 0 };
	int r = glob(pd_format(ctx, "%s/samba-backup-*.tar.bz2", part), 0, NULL, &found);
	const char *path = r == 0 && found.gl_pathc == 1 ? pd_format(ctx, "%s", found.gl_pathv[0]) : NULL;

	globfree(&found);
	if (!path)
		pd_fail(ctx, PD_FAILED, "samba-tool left no backup in %s", part);
	return path;
}

static int write_archive(const struct domain *d, const char *archive)
{
	const struct backup_args *args = d->ctx->args;
	const char *part = pd_format(d->ctx, "%s.part", archive), *written;
	const char *target = pd_format(d->ctx, "--targetdir=%s", part);
	const char *const offline[] = { "samba-tool", "domain", "backup", "offline", target, NULL };
	const char *const online[] = { "samba-tool", "domain", "backup", "online", target, "-P",
				       pd_format(d->ctx, "--server=%s", d->host), NULL };
	struct pd_command_result r = { 0 };

	/* what was cut short there is of no use; samba-tool removes its other files */
	if (store_make_folder(d->ctx, archive) < 0 || remove_tree(d->ctx, part) < 0)
		return PD_FAILED;
	if (mkdir(part, 0700) != 0)
		return pd_fail(d->ctx, PD_FAILED, "can't make the folder %s: %s", part, strerror(errno));
	if (domain_must(d, args->kind == KIND_ONLINE ? online : offline, "samba-tool domain backup", &r) < 0)
		return PD_FAILED;
	written = find_written(d->ctx, part);
	if (!written)
		return PD_FAILED;
	if (chmod(written, 0600) != 0 || rename(written, archive) != 0)
		return pd_fail(d->ctx, PD_FAILED, "can't move %s to %s: %s", written, archive, strerror(errno));
	return remove_tree(d->ctx, part);
}

static int each(struct pd_ctx *ctx, struct archive *a, struct archive_entry *e, void *user)
{
	struct bundle_text *list = user;
	const char *name = archive_entry_pathname(e);
	char hex[BUNDLE_HEX];

	if (!bundle_has_content(e))
		return 0;
	if (bundle_digest(ctx, a, hex, NULL) < 0)
		return PD_FAILED;
	/* of one that was made online it is ./backup.txt */
	bundle_line(list, hex, strncmp(name, "./", 2) == 0 ? name + 2 : name);
	return 0;
}

/* Read all of it.  *list: what is in it, with digests. */
static int read_archive(struct pd_ctx *ctx, const char *archive, char hex[BUNDLE_HEX], const char **list)
{
	static const char *const wanted[] = { "  private/sam.ldb\n", "  backup.txt\n", "  sysvol.tar.gz\n" };
	struct bundle_text text = { 0 };
	int r = bundle_each(ctx, archive, each, &text, hex, "read back");

	*list = pd_format(ctx, "%s", text.data ? text.data : "");
	bundle_text_free(&text);
	for (size_t i = 0; r == 0 && i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!strstr(*list, wanted[i]))
			r = pd_fail(ctx, PD_FAILED, "%s has no%.*s in it: it is no backup of a domain", archive,
				    (int)strlen(wanted[i]) - 2, wanted[i] + 1);
	return r;
}

static int report(struct pd_ctx *ctx, const char *archive, const char *hex, const char *list)
{
	struct stat st = { 0 };

	if (stat(archive, &st) != 0)
		return pd_fail(ctx, PD_FAILED, "%s: %s", archive, strerror(errno));
	return pd_output(ctx, "archive", archive) < 0 || pd_output(ctx, "sha256", hex) < 0 ||
	       pd_output(ctx, "bytes", pd_format(ctx, "%" PRId64, (int64_t)st.st_size)) < 0 ||
	       evidence_text(ctx, "backup.txt", pd_format(ctx, "%s  %s\n%s", hex, archive, list),
			     "the backup of the domain, and what is in it") < 0 ? PD_FAILED : 0;
}

static int backup_apply(struct pd_ctx *ctx)
{
	const struct backup_args *args = ctx->args;
	const char *archive = bundle_place(ctx, args->to, args->name, BUNDLE_BZIP2), *before, *after, *list;
	char hex[BUNDLE_HEX];
	struct domain d;
	int r = domain_find(ctx, &d);

	if (r < 0 || pd_recall(ctx, "sha256"))
		return r < 0 ? r : PD_UNCHANGED;
	if (pd_remember(ctx, "archive", archive) < 0 || is_safe(ctx, args->to) < 0 || accounts(&d, NULL, &before) < 0 ||
	    write_archive(&d, archive) < 0 || accounts(&d, NULL, &after) < 0)
		return pd_canceled(ctx) ? PD_CANCELED : PD_FAILED;
	/* what was changed meanwhile may be in it or not */
	if (strcmp(before, after) != 0)
		pd_log(ctx, PD_LOG_WARN, "accounts were made or removed meanwhile: those of the backup can't be compared");
	r = read_archive(ctx, archive, hex, &list);
	if (r == 0)
		r = report(ctx, archive, hex, list);
	if (r < 0 || pd_remember(ctx, "accounts", strcmp(before, after) == 0 ? before : NULL) < 0 ||
	    pd_remember(ctx, "sha256", hex) < 0)
		return r < 0 ? r : PD_FAILED;
	return PD_CHANGED;
}

/* ------------------------------------------------------------------- proof */

/* A domain is made of it, in a folder, and is looked at; nothing of it is started. */
static int restore(const struct domain *d, const char *archive, const char *folder)
{
	struct pd_ctx *ctx = d->ctx;
	const char *target = pd_format(ctx, "%s/domain", folder), *now = "", *known = pd_recall(ctx, "accounts");
	const char *const argv[] = { "samba-tool", "domain", "backup", "restore", pd_format(ctx, "--backup-file=%s", archive),
				     pd_format(ctx, "--targetdir=%s", target), "--newservername=" PROOF_SERVER, NULL };
	struct pd_command_result r = { 0 };

	if (mkdir(folder, 0700) != 0)
		return pd_fail(ctx, PD_FAILED, "can't make the folder %s to prove the backup in: %s", folder, strerror(errno));
	if (domain_must(d, argv, pd_format(ctx, "%s can't be restored", archive), &r) < 0 ||
	    accounts(d, pd_format(ctx, "%s/private/sam.ldb", target), &now) < 0)
		return PD_FAILED;
	if (known && strcmp(known, now) != 0)
		return pd_fail(ctx, PD_FAILED, "the domain that was restored from %s has %.*s accounts and not the same as this "
			       "one: it is no backup", archive, (int)strcspn(now, " "), now);
	pd_log(ctx, PD_LOG_INFO, "a domain was restored from %s, with %.*s accounts%s", archive, (int)strcspn(now, " "), now,
	       known ? ", the same as here" : "");
	return 0;
}

static int prove(const struct domain *d, const char *archive)
{
	const struct backup_args *args = d->ctx->args;
	const char *folder = pd_format(d->ctx, "%s/" PROOF "%s", args->scratch ? args->scratch : d->ctx->work_dir,
				       *d->ctx->run ? d->ctx->run : "no-run");
	int r = remove_tree(d->ctx, folder), end;

	if (r == 0)
		r = restore(d, archive, folder);
	end = remove_tree(d->ctx, folder);
	return r < 0 ? r : end;
}

static int backup_verify(struct pd_ctx *ctx)
{
	const struct backup_args *args = ctx->args;
	const char *archive = pd_recall(ctx, "archive"), *known = pd_recall(ctx, "sha256"), *list;
	char hex[BUNDLE_HEX];
	struct domain d;
	int r = domain_find(ctx, &d);

	if (r < 0)
		return r;
	if (!archive || !known)
		return pd_fail(ctx, PD_FAILED, "no backup of the domain was written in this run");
	r = read_archive(ctx, archive, hex, &list);
	if (r == 0 && strcmp(hex, known) != 0)
		r = pd_fail(ctx, PD_FAILED, "%s is not as it was written: do not use it, and look at the disk", archive);
	if (r == 0 && args->prove == PROVE_RESTORE)
		r = prove(&d, archive);
	return r < 0 ? r : PD_UNCHANGED;
}

static const struct pd_param params[] = {
	PD_PARAM(struct backup_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder for the backup; each run gets a folder in it"),
	PD_PARAM(struct backup_args, name, PD_T_STRING, .def = "directory", .help = "name of the archive, without its ending"),
	PD_PARAM(struct backup_args, kind, PD_T_CHOICE, .def = "offline", .choices = kinds,
		 .help = "copy this server's databases under their locks (offline), or replicate all anew (online)"),
	PD_PARAM(struct backup_args, prove, PD_T_CHOICE, .def = "restore", .choices = proofs,
		 .help = "make a domain of it in a folder, or read it through"),
	PD_PARAM(struct backup_args, scratch, PD_T_PATH, .help = "folder for that; left out: that of the run"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("archive", PD_T_PATH, "the backup, for samba-tool domain backup restore"),
	PD_OUTPUT("sha256", PD_T_STRING, "digest of it"),
	PD_OUTPUT("bytes", PD_T_BYTES, "size of it"),
	PD_OUTPUT_END
};

const struct pd_step directory_backup = {
	PD_STEP, .name = "backup", .help = "back up the domain, and prove that one can be made of it again",
	.flags = PD_S_NEEDS_ROOT | PD_S_BACKUP, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct backup_args), .outputs = outputs, .time_limit = 43200, .expected = 30,
	.check = backup_check, .apply = backup_apply, .verify = backup_verify
};
