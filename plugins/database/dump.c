/* SPDX-License-Identifier: MIT */
/* The step database.dump: everything in a cluster, as files that are proved. */
#include "database.h"

#include "../shared/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPARE_BYTES ((int64_t)128 << 20)
#define PROOF_BYTES ((int64_t)512 << 20) /* an empty cluster and what it writes ahead */

enum { PROVE_RESTORE, PROVE_READ };
static const char *const proofs[] = { "restore", "read", NULL };

struct dump_args {
	WHERE;
	const char *to, *name, *scratch;
	struct pd_list databases;
	int32_t prove;
};

/* ---------------------------------------------------------------- folders */

/* Roles with their passwords go there. */
static int is_safe(struct pd_ctx *ctx, const char *folder)
{
	const struct dump_args *args = ctx->args;

	return store_is_safe(ctx, args->to, folder, "a dump", "others could change the dump, or read the passwords in it");
}

/* NULL: not known in a dry run. */
static const char *place(struct pd_ctx *ctx)
{
	const struct dump_args *args = ctx->args;
	const char *known = pd_recall(ctx, "folder"), *path;
	struct stat st;

	if (known || (!*ctx->run && ctx->dry_run))
		return known;
	path = pd_format(ctx, "%s/%s/%s", args->to, *ctx->run ? ctx->run : "no-run", args->name);
	for (int i = 2; lstat(path, &st) == 0; i++)
		path = pd_format(ctx, "%s/%s/%s-%d", args->to, *ctx->run ? ctx->run : "no-run", args->name, i);
	return path;
}

/* Where a proof restores to: beside the data, where there is room of that kind. */
static int scratch(const struct cluster *c, const char **folder)
{
	const struct dump_args *args = c->ctx->args;
	struct rows rows;

	*folder = args->scratch;
	if (args->scratch)
		return 0;
	if (cluster_ask(c, "postgres", "SELECT regexp_replace(current_setting('data_directory'), "
			"'/+[^/]*/*$', '');", &rows) < 0)
		return PD_FAILED;
	*folder = rows.len && *rows.items[0] == '/' ? rows.items[0] : "/";
	return 0;
}

/* ------------------------------------------------------------------ check */

static int has_room(struct pd_ctx *ctx, const char *folder, int64_t need, const char *remedy)
{
	return store_has_room(ctx, folder, need, "the dump of the databases could not be written and proved", remedy);
}

static int dump_check(struct pd_ctx *ctx)
{
	const struct dump_args *args = ctx->args;
	int64_t sum = SPARE_BYTES, proof, file = 0;
	const char *folder, *aside;
	struct cluster c;
	struct rows list = { 0 };
	int r = store_check_name(ctx, args->name);

	if (r == 0)
		r = cluster_find(ctx, &c);
	if (r == 0)
		r = cluster_databases(&c, &args->databases, &list);
	if (r == 0)
		r = scratch(&c, &aside);
	for (size_t i = 0; r == 0 && i < list.len; i += 3) {
		file += strtoll(list.items[i + 2], NULL, 10);
		r = pd_output_item(ctx, "databases", list.items[i]);
	}
	folder = place(ctx);
	if (r == 0)
		r = is_safe(ctx, folder ? folder : args->to);
	if (r == 0 && folder)
		r = pd_output(ctx, "folder", folder);
	if (r < 0)
		return r;
	sum += file;
	proof = args->prove == PROVE_RESTORE ? file + PROOF_BYTES : 0;
	if (proof)
		proof_others(&c, aside);
	pd_expect(ctx, 10 + 3 * (file / ((int64_t)20 << 20)));
	r = has_room(ctx, args->to, sum + (store_same_volume(args->to, aside) ? proof : 0),
		    "make room there, or set the parameter to to a folder on a volume with room");
	if (r == 0 && proof)
		r = has_room(ctx, aside, proof, "make room there, set scratch to a folder that the database's user "
			    "may write in, or prove = \"read\"");
	return r < 0 ? r : PD_CHANGED;
}

/* ------------------------------------------------------------------ apply */

/* Names of files are plain, whatever a database is called. */
static const char *file_of(struct pd_ctx *ctx, const char *database, const char *oid)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return strspn(database, plain) == strlen(database) && *database != '-' ?
	       pd_format(ctx, "%s.dump", database) : pd_format(ctx, "oid.%s.dump", oid);
}

/* What is in a folder of ours; there are no folders in it. */
static int empty_folder(struct pd_ctx *ctx, const char *folder)
{
	const char *const argv[] = { "find", folder, "-mindepth", "1", "-maxdepth", "1", "-type", "f", "-delete",
				     NULL };
	struct pd_command_result result = { 0 };

	if (pd_run(ctx, argv, &result) < 0)
		return PD_FAILED;
	return result.status == 0 ? 0 : pd_fail(ctx, PD_FAILED, "can't empty %s: %s", folder, result.err);
}

/* pg_dumpall's words are small: roles with their passwords, folders. */
static int save_globals(const struct cluster *c, const char *folder)
{
	static const char *const roles[] = { "pg_dumpall", "-w", "--globals-only", "--no-tablespaces", NULL };
	static const char *const spaces[] = { "pg_dumpall", "-w", "--tablespaces-only", NULL };
	static const struct {
		const char *const *argv;
		const char *file;
	} parts[] = { { roles, "globals.sql" }, { spaces, "tablespaces.sql" } };

	for (size_t i = 0; i < 2; i++) {
		struct pd_command_result result = { 0 };
		const char *why = NULL;
		int r = cluster_run(c, 0, "postgres", parts[i].argv, NULL, &result, &why);

		if (r > 0)
			return pd_fail(c->ctx, PD_FAILED, "cluster %s: pg_dumpall: %s", c->name, why);
		if (r < 0 || pd_write_file(c->ctx, pd_format(c->ctx, "%s/%s", folder, parts[i].file), 0600,
					   result.out, result.out_len) < 0)
			return PD_FAILED;
	}
	return 0;
}

/* The owner writes into a file of his, in a folder that he can't get at
 * otherwise; then it is root's. */
static int save_database(const struct cluster *c, const char *database, const char *path)
{
	const char *const argv[] = { "pg_dump", "-w", "--format=custom", "--file", path, NULL };
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct pd_command_result result = { 0 };
	const char *why = NULL;
	int r;

	if (fd < 0 || fchown(fd, c->uid, c->gid) != 0) {
		r = pd_fail(c->ctx, PD_FAILED, "can't make %s: %s", path, strerror(errno));
	} else {
		r = cluster_run(c, RUN_READS_ALL, database, argv, NULL, &result, &why);
		if (r > 0)
			r = pd_fail(c->ctx, PD_FAILED, "cluster %s: pg_dump of database %s: %s", c->name, database, why);
		if (r == 0 && (fchown(fd, 0, 0) != 0 || fsync(fd) != 0))
			r = pd_fail(c->ctx, PD_FAILED, "can't take %s over: %s", path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return r;
}

static int write_text(struct pd_ctx *ctx, const char *folder, const char *file, const struct text *text)
{
	return pd_write_file(ctx, pd_format(ctx, "%s/%s", folder, file), 0600, text->len ? text->s : "", text->len);
}

static int save_all(const struct cluster *c, const struct rows *list, const char *folder, size_t *written)
{
	struct text names = { 0 }, counted = { 0 };

	for (size_t i = 0; i < list->len; i += 3) {
		const char *database = list->items[i], *file = file_of(c->ctx, database, list->items[i + 1]);
		struct rows before, after;

		pd_progress(c->ctx, (int64_t)i / 3, (int64_t)list->len / 3, database);
		if (rows_count(c, database, &before) < 0 ||
		    save_database(c, database, pd_format(c->ctx, "%s/%s", folder, file)) < 0 ||
		    rows_count(c, database, &after) < 0)
			return PD_FAILED;
		text_add(c->ctx, &names, "%s\t%s\n", database, file);
		rows_text(c->ctx, &counted, database, &before, &after, written);
	}
	return write_text(c->ctx, folder, "databases.txt", &names) < 0 ? PD_FAILED :
	       write_text(c->ctx, folder, "rows.txt", &counted);
}

/* Digests of all files, as sha256sum writes and reads them. */
static int write_manifest(struct pd_ctx *ctx, const char *folder, const struct rows *list)
{
	size_t n = 0;
	const char **argv = pd_alloc_for(ctx, (list->len / 3 + 8) * sizeof(*argv));
	struct pd_command command = { .size = sizeof(command), .argv = argv, .directory = folder };
	struct pd_command_result result = { 0 };

	argv[n++] = "sha256sum";
	argv[n++] = "--";
	argv[n++] = "globals.sql";
	argv[n++] = "tablespaces.sql";
	argv[n++] = "databases.txt";
	argv[n++] = "rows.txt";
	for (size_t i = 0; i < list->len; i += 3)
		argv[n++] = file_of(ctx, list->items[i], list->items[i + 1]);
	if (pd_command_run(ctx, &command, &result) < 0)
		return PD_FAILED;
	if (result.status != 0)
		return pd_fail(ctx, PD_FAILED, "sha256sum in %s: %s", folder, result.err);
	return pd_write_file(ctx, pd_format(ctx, "%s/" DUMP_MANIFEST, folder), 0600, result.out, result.out_len);
}

static int report(struct pd_ctx *ctx, const char *folder, const struct rows *list)
{
	const char *manifest = pd_format(ctx, "%s/" DUMP_MANIFEST, folder);
	int64_t bytes = 0;
	struct stat st;
	int r = pd_output(ctx, "folder", folder);

	for (size_t i = 0; r == 0 && i < list->len; i += 3) {
		if (stat(pd_format(ctx, "%s/%s", folder, file_of(ctx, list->items[i], list->items[i + 1])), &st) == 0)
			bytes += st.st_size;
		r = pd_output_item(ctx, "databases", list->items[i]);
	}
	if (r == 0)
		r = pd_output(ctx, "bytes", pd_format(ctx, "%" PRId64, bytes));
	if (r == 0)
		r = pd_evidence(ctx, manifest, "digests of the dump of the databases");
	return r < 0 ? r : pd_evidence(ctx, pd_format(ctx, "%s/rows.txt", folder), "rows of each table that was dumped");
}

static int dump_apply(struct pd_ctx *ctx)
{
	const struct dump_args *args = ctx->args;
	const char *folder = place(ctx);
	size_t written = 0;
	struct cluster c;
	struct rows list;
	int r = cluster_find(ctx, &c);

	if (r == 0)
		r = cluster_databases(&c, &args->databases, &list);
	if (r < 0 || pd_recall(ctx, "whole"))
		return r < 0 ? r : report(ctx, folder, &list) < 0 ? PD_FAILED : PD_UNCHANGED;
	if (pd_remember(ctx, "folder", folder) < 0 || is_safe(ctx, folder) < 0 ||
	    store_make_folder(ctx, pd_format(ctx, "%s/", folder)) < 0 || is_safe(ctx, folder) < 0 || empty_folder(ctx, folder) < 0 ||
	    save_globals(&c, folder) < 0)
		return PD_FAILED;
	r = save_all(&c, &list, folder, &written);
	if (r < 0 || write_manifest(ctx, folder, &list) < 0 || report(ctx, folder, &list) < 0)
		return r < 0 ? r : PD_FAILED;
	if (written)
		pd_log(ctx, PD_LOG_WARN, "%zu tables were written while they were dumped, their rows can't be "
		       "compared; put the dump into pd.hold { database.quiesce {} }", written);
	return pd_remember(ctx, "whole", "1") < 0 ? PD_FAILED : PD_CHANGED;
}

/* ----------------------------------------------------------------- verify */

static int dump_verify(struct pd_ctx *ctx)
{
	const struct dump_args *args = ctx->args;
	const char *folder = pd_recall(ctx, "folder"), *parent;
	struct cluster c;
	struct dump d;
	int r = cluster_find(ctx, &c);

	if (r < 0)
		return r;
	if (!folder || !pd_recall(ctx, "whole"))
		return pd_fail(ctx, PD_FAILED, "no dump was written in this run");
	r = dump_read(ctx, folder, &d);
	if (r == 0)
		r = args->prove == PROVE_READ ? dump_read_through(&c, &d) : scratch(&c, &parent);
	if (r == 0 && args->prove == PROVE_RESTORE)
		r = proof_run(&c, &d, parent);
	return r < 0 ? r : PD_UNCHANGED;
}

static const struct pd_param params[] = {
	WHERE_PARAMS(struct dump_args),
	PD_PARAM(struct dump_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder for the dump; each run gets a folder in it"),
	PD_PARAM(struct dump_args, name, PD_T_STRING, .def = "database", .help = "name of the folder of this dump"),
	PD_PARAM(struct dump_args, databases, PD_T_LIST, .help = "databases to dump; left out: all but templates"),
	PD_PARAM(struct dump_args, prove, PD_T_CHOICE, .def = "restore", .choices = proofs,
		 .help = "restore all of it into a cluster made for that, or read it through"),
	PD_PARAM(struct dump_args, scratch, PD_T_PATH,
		 .help = "folder for that cluster, which the database's user may write in; left out: beside the data"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("folder", PD_T_PATH, "where the dump is, for database.restore"),
	PD_OUTPUT("databases", PD_T_LIST, "databases in it"),
	PD_OUTPUT("bytes", PD_T_BYTES, "size of the dumped databases"),
	PD_OUTPUT_END
};

const struct pd_step database_dump = {
	PD_STEP, .name = "dump", .help = "dump all databases, and prove it by a restore",
	.flags = PD_S_NEEDS_ROOT | PD_S_BACKUP, .reversibility = PD_READONLY, .params = params,
	.args_size = sizeof(struct dump_args), .outputs = outputs, .time_limit = 43200, .expected = 60,
	.check = dump_check, .apply = dump_apply, .verify = dump_verify
};
