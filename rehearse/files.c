/* SPDX-License-Identifier: MIT */
/* Files: what a clone's upper layers hold, and the print of the server. */
#include "look.h"

#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

/* Of sqlite and Berkeley DB: who only reads writes into it too. */
static bool is_shared_memory(const char *name)
{
	return ends_with(name, "-shm") || strncmp(name, "/__db.", 6) == 0;
}

/* What any server writes all the time, and what a run keeps of itself. */
const char *look_noise(const char *path)
{
	static const char *const folders[] = { "/var/log", "/var/cache", "/var/tmp",
		"/var/lib/systemd", "/var/lib/patchday", "/var/lib/apt/lists",
		"/var/lib/logrotate", "/tmp", "/run", "/dev" };
	const char *name = strrchr(path, '/');

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (clone_below(path, folders[i]))
			return folders[i];
	return strstr(path, "/__pycache__") ? "compiled Python" :
	       name && strcmp(name, "/ld.so.cache") == 0 ? "ld.so.cache" :
	       name && is_shared_memory(name) ? "shared memory of databases" : NULL;
}

static char *change_time(const struct stat *st)
{
	return pd_print("%lld.%09ld", (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static bool opaque(const char *path)
{
	char value[4] = "";

	return lgetxattr(path, "trusted.overlay.opaque", value, sizeof(value)) == 1 &&
	       *value == 'y';
}

/* Are both links to the same place? */
static bool same_link(const char *a, const char *b)
{
	char one[PATH_MAX], other[PATH_MAX];
	ssize_t n = readlink(a, one, sizeof(one)), m = readlink(b, other, sizeof(other));

	return n >= 0 && n == m && memcmp(one, other, (size_t)n) == 0;
}

/* Have two files of the same size the same bytes?  What can't be read has not. */
static bool same_bytes(const char *a, const char *b)
{
	pd_auto_close int one = open(a, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	pd_auto_close int other = open(b, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char left[32768], right[sizeof(left)];

	for (off_t at = 0; one >= 0 && other >= 0; ) {
		ssize_t n = pread(one, left, sizeof(left), at);

		if (n <= 0)
			return n == 0;
		if (pread(other, right, (size_t)n, at) != n || memcmp(left, right, (size_t)n) != 0)
			return false;
		at += n;
	}
	return false;
}

/* Copied up, and left as it was?  Two versions of a package may be of the same
 * second and size (SOURCE_DATE_EPOCH), so only their bytes tell them apart. */
static bool untouched(const char *upper, const struct stat *now, const char *lower,
		      const struct stat *was)
{
	if (now->st_mode != was->st_mode || now->st_uid != was->st_uid ||
	    now->st_gid != was->st_gid || now->st_size != was->st_size ||
	    now->st_mtim.tv_sec != was->st_mtim.tv_sec ||
	    now->st_mtim.tv_nsec != was->st_mtim.tv_nsec || !look_same_attributes(upper, lower))
		return false;
	return S_ISREG(now->st_mode) ? same_bytes(upper, lower) :
	       S_ISLNK(now->st_mode) ? same_link(upper, lower) : now->st_rdev == was->st_rdev;
}

/* What an entry of an upper layer means: overlayfs.rst of the kernel.  NULL:
 * nothing, such as a folder that is there because of what is in it. */
static const char *meaning(const char *upper, const struct stat *now, const char *lower)
{
	struct stat was = {0};
	bool there = lstat(lower, &was) == 0;

	if (S_ISCHR(now->st_mode) && now->st_rdev == makedev(0, 0))
		return there ? "removed" : NULL;
	if (!there)
		return "added";
	if (S_ISDIR(now->st_mode) && S_ISDIR(was.st_mode))
		return opaque(upper) || now->st_mode != was.st_mode ||
		       now->st_uid != was.st_uid || now->st_gid != was.st_gid ||
		       !look_same_attributes(upper, lower) ? "changed" : NULL;
	return untouched(upper, now, lower, &was) ? NULL : "changed";
}

static void each_of(const struct clone_layer *l, look_fn *fn, void *user)
{
	char *const paths[] = { l->upper, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	size_t n = strlen(l->upper);
	FTSENT *e;

	while (tree && (e = fts_read(tree))) {
		pd_auto_free char *path = NULL;
		const char *what;

		if (e->fts_info == FTS_DP || e->fts_level == 0 || !e->fts_statp)
			continue;
		path = pd_print("%s%s", strcmp(l->at, "/") ? l->at : "", e->fts_path + n);
		what = meaning(e->fts_path, e->fts_statp, path);
		if (what) {
			pd_auto_free char *name = pd_utf8_text(path);

			fn(user, name, e->fts_path, e->fts_statp, what);
		}
	}
	if (tree)
		fts_close(tree);
}

void look_each(const struct clone *c, look_fn *fn, void *user)
{
	for (size_t i = 0; i < c->n_layers; i++)
		if (c->layers[i].upper)
			each_of(&c->layers[i], fn, user);
}

static void note_time(void *user, const char *path, const char *file, const struct stat *st,
		      const char *what)
{
	pd_auto_free char *time = change_time(st);

	(void)file, (void)what;
	json_object_set_new(user, path, json_string(time));
}

json_t *look_upper(const struct clone *c)
{
	json_t *all = json_object();

	look_each(c, note_time, all);
	return all;
}

static void count(json_t *object, const char *key)
{
	json_object_set_new(object, key, json_integer((json_int_t)pd_json_number(object,
			    key, 0) + 1));
}

/* "/usr/lib" of "/usr/lib/x/y": two levels are enough to see what it is about */
static char *folder_of(const char *path)
{
	const char *second = strchr(path + 1, '/');
	const char *third = second ? strchr(second + 1, '/') : NULL;

	return third ? pd_strndup(path, (size_t)(third - path)) :
	       second ? pd_strndup(path, (size_t)(second - path)) : pd_strdup("/");
}

struct changes {
	const json_t *before;
	json_t *out;
};

static void note_change(void *user, const char *path, const char *file, const struct stat *st,
			const char *what)
{
	struct changes *c = user;
	pd_auto_free char *time = change_time(st), *folder = folder_of(path);
	const char *noise = look_noise(path);

	(void)file;
	if (noise) {
		count(json_object_get(c->out, "noise"), noise);
	} else if (strcmp(pd_json_text(c->before, path, ""), time) == 0) {
		count(c->out, "start");
	} else if (!S_ISDIR(st->st_mode)) {
		count(c->out, what);
		count(json_object_get(c->out, "folders"), folder);
		json_array_append_new(json_object_get(c->out, "list"), json_pack(
			"{s:s, s:s}", "path", path, "what", what));
	}
}

json_t *look_changes(const struct clone *c, const json_t *before)
{
	struct changes changes = { before, json_pack("{s:i, s:i, s:i, s:i, s:{}, s:{}, s:[]}",
		"added", 0, "changed", 0, "removed", 0, "start", 0, "folders", "noise", "list") };

	look_each(c, note_change, &changes);
	return changes.out;
}

/* The server itself. */
struct look_print {
	json_t *files;    /* path to what lstat() says */
	json_t *services;
	char *databases;  /* of packages, in words; NULL: none is known */
	pd_digest etc, packages, all;
};

void look_free(struct look_print *p)
{
	if (p) {
		json_decref(p->files);
		json_decref(p->services);
		free(p->databases);
		free(p);
	}
}

static bool skip(const struct clone *c, const char *path)
{
	for (size_t i = 0; i < c->hidden.len; i++)
		if (strcmp(path, c->hidden.items[i]) == 0)
			return true;
	return clone_is_private(path) || look_noise(path);
}

/* A folder's times change with all that is in it. */
static char *print_folder(const char *path, const struct stat *st)
{
	pd_auto_free char *attributes = look_attributes(path);

	return pd_print("%o %u %u%s%s", st->st_mode, st->st_uid, st->st_gid, attributes ? " " : "",
			attributes ? attributes : "");
}

/* The time of change is the kernel's own, nobody can set it, and attributes set it
 * too: they need not be read of each file.  Who only reads an sqlite database sets
 * the owner of its log anew: that one goes by the others. */
static char *print_file(const char *path, const struct stat *st)
{
	struct timespec changed = ends_with(path, "-wal") ? (struct timespec){0} : st->st_ctim;

	return pd_print("%o %u %u %lld %lld.%ld %lld.%ld", st->st_mode, st->st_uid, st->st_gid,
			(long long)st->st_size, (long long)st->st_mtim.tv_sec,
			st->st_mtim.tv_nsec, (long long)changed.tv_sec, changed.tv_nsec);
}

static void print_tree(struct look_print *p, const struct clone *c, const char *at)
{
	char *const paths[] = { (char *)(uintptr_t)at, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	FTSENT *e;

	while (tree && (e = fts_read(tree))) {
		const struct stat *st = e->fts_statp;
		const char *path = e->fts_path[1] == '/' ? e->fts_path + 1 : e->fts_path;
		pd_auto_free char *text = NULL, *name = NULL;
		bool folder = e->fts_info == FTS_D;

		if (e->fts_level > 0 && skip(c, path)) {
			fts_set(tree, e, FTS_SKIP);
			continue;
		}
		if (e->fts_info == FTS_DP || e->fts_info == FTS_NS)
			continue;
		text = folder ? print_folder(path, st) : print_file(path, st);
		name = pd_utf8_text(path);
		json_object_set_new(p->files, name, json_string(text));
	}
	if (tree)
		fts_close(tree);
}

/* Every file of /etc with what is in it. */
static void print_etc(struct look_print *p)
{
	char *const paths[] = { (char[]){ "/etc" }, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	pd_auto_json *all = json_object();
	FTSENT *e;

	while (tree && (e = fts_read(tree))) {
		pd_digest one = "";

		if (e->fts_info == FTS_F && pd_digest_file(e->fts_path, one, NULL, NULL)) {
			pd_auto_free char *name = pd_utf8_text(e->fts_path);

			json_object_set_new(all, name, json_string(one));
		}
	}
	if (tree)
		fts_close(tree);
	pd_json_digest(all, p->etc);
}

struct look_print *look_server(const struct clone *c)
{
	struct look_print *p = pd_alloc(sizeof(*p));

	p->files = json_object();
	for (size_t i = 0; i < c->n_layers; i++)
		print_tree(p, c, c->layers[i].at);
	pd_json_digest(p->files, p->all);
	print_etc(p);
	p->databases = look_databases(p->packages);
	p->services = look_services(NULL);
	return p;
}

static json_t *pair(const char *before, const char *after)
{
	return json_pack("{s:s, s:s, s:b}", "before", before, "after", after, "same",
			 strcmp(before, after) == 0);
}

static json_t *database_pair(const struct look_print *before, const struct look_print *after)
{
	json_t *row;

	if (!before->databases)
		return json_null();
	row = pair(before->packages, after->packages);
	json_object_set_new(row, "of", json_string(before->databases));
	return row;
}

/* Only what runs: a timer's service comes and goes by itself. */
static json_t *running(const json_t *services)
{
	json_t *out = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)services, name, value)
		if (strcmp(pd_json_text(value, "pid", "0"), "0") != 0)
			json_object_set(out, name, value);
	return out;
}

static void name_all(json_t *out, json_t *rows, const char *what)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		pd_auto_free char *text = pd_print("%s %s", what, pd_json_text(row, "name", ""));

		json_array_append_new(out, json_string(text));
	}
}

json_t *look_proof(const struct look_print *before, const struct look_print *after)
{
	pd_auto_json *was = running(before->services), *is = running(after->services);
	pd_auto_json *files = look_difference(before->files, after->files, NULL);
	pd_auto_json *services = look_difference(was, is, NULL);
	pd_digest was_digest, is_digest;
	json_t *all = json_array();

	pd_json_digest(was, was_digest);
	pd_json_digest(is, is_digest);
	name_all(all, files, "file");
	name_all(all, services, "service");
	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:o}", "etc",
		pair(before->etc, after->etc), "packages",
		database_pair(before, after), "services",
		pair(was_digest, is_digest), "files", pair(before->all, after->all), "count",
		(json_int_t)json_object_size(after->files), "running",
		(json_int_t)json_object_size(is), "same", json_array_size(all) == 0 &&
		strcmp(before->etc, after->etc) == 0 &&
		strcmp(before->packages, after->packages) == 0, "differences", all);
}
