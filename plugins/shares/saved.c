/* SPDX-License-Identifier: MIT */
/* A saved set of files: made atomically, read back, put back with owners. */
#include "saved.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#define FILE_MAX (256u << 20) /* a larger one is no configuration */

const char *saved_name(struct pd_ctx *ctx, const char *to, const char *what)
{
	const char *run = ctx->run && *ctx->run ? ctx->run : "no-run";
	const char *name = pd_format(ctx, "%s/%s/%s", to, run, what);
	struct stat st;

	for (int n = 2; lstat(name, &st) == 0; n++)
		name = pd_format(ctx, "%s/%s/%s-%d", to, run, what, n);
	return name;
}

void *saved_grow(struct pd_ctx *ctx, void *items, size_t *n, size_t size)
{
	size_t at = (*n)++;
	char *array = NULL;

	memcpy(&array, items, sizeof(array)); /* whatever it points to */
	if ((at & (at - 1)) == 0) { /* 0, 1, 2, 4, 8 ... are full */
		char *wider = pd_alloc_for(ctx, (at ? at * 2 : 1) * size);

		if (at)
			memcpy(wider, array, at * size);
		memcpy(items, &wider, sizeof(wider));
		array = wider;
	}
	return array + at * size;
}

void saved_digest(const void *data, size_t len, char out[SAVED_DIGEST])
{
	unsigned char raw[crypto_hash_sha256_BYTES] = { 0 };

	crypto_hash_sha256(raw, data, len);
	sodium_bin2hex(out, SAVED_DIGEST, raw, sizeof(raw));
}

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

/* Without FTW_MOUNT: on an overlay files and folders have other device numbers. */
int saved_remove(struct pd_ctx *ctx, const char *folder)
{
	if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		return pd_fail(ctx, PD_FAILED, "can't remove %s: %s", folder,
			       strerror(errno));
	return 0;
}

/* Make each folder on the way to @p path that is missing. */
static int make_way(struct pd_ctx *ctx, const char *path, mode_t mode)
{
	char *way = strdup(path);
	int rc = 0;

	for (char *p = way + 1; rc == 0 && (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(way, mode) && errno != EEXIST)
			rc = pd_fail(ctx, PD_FAILED,
				     "can't make the folder %s: %s", way,
				     strerror(errno));
		*p = '/';
	}
	free(way);
	return rc;
}

static int sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return rc;
}

static const char *folder_of(struct pd_ctx *ctx, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? "/" :
	       pd_format(ctx, "%.*s", (int)(slash - path), path);
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* A new file with this content, on the disk when 0 is returned. */
static int write_new(struct pd_ctx *ctx, const char *path, mode_t mode,
		     uid_t uid, gid_t gid, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0600);
	bool ok = fd >= 0 && write_all(fd, data, len) &&
		  fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0 &&
		  fsync(fd) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	if (ok)
		return 0;
	if (fd >= 0)
		unlink(path);
	return pd_fail(ctx, PD_FAILED, "can't write %s: %s", path,
		       strerror(why));
}

int saved_open(struct saved *s, struct pd_ctx *ctx, const char *folder)
{
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm = { 0 };

	*s = (struct saved){ .ctx = ctx, .folder = folder,
			     .part = pd_format(ctx, "%s.part", folder) };
	if (saved_remove(ctx, s->part) ||
	    make_way(ctx, pd_format(ctx, "%s/", s->part), 0700))
		return PD_FAILED;
	s->manifest = fopen(pd_format(ctx, "%s/" SAVED_MANIFEST, s->part),
			    "wxe");
	if (!s->manifest)
		return pd_fail(ctx, PD_FAILED, "can't write %s/%s: %s", s->part,
			       SAVED_MANIFEST, strerror(errno));
	fchmod(fileno(s->manifest), 0600);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	fprintf(s->manifest, "# %s of %s, %s\n# compare: sha256sum -c %s\n",
		ctx->step, ctx->server, when, SAVED_MANIFEST);
	return 0;
}

/* Names of the owner: they mean the same on a server that was made anew. */
static void write_row(struct saved *s, const char *name, const struct stat *st,
		      const char *digest)
{
	const struct passwd *pw = getpwuid(st->st_uid);
	const struct group *gr = getgrgid(st->st_gid);

	fprintf(s->manifest, "# mode=%04o", (unsigned)st->st_mode & 07777u);
	if (pw)
		fprintf(s->manifest, " user=%s", pw->pw_name);
	else
		fprintf(s->manifest, " user=%u", (unsigned)st->st_uid);
	if (gr)
		fprintf(s->manifest, " group=%s\n", gr->gr_name);
	else
		fprintf(s->manifest, " group=%u\n", (unsigned)st->st_gid);
	fprintf(s->manifest, "%s  %s\n", digest, name);
	s->files++;
}

int saved_add(struct saved *s, const char *name, const char *like,
	      const void *data, size_t len)
{
	const char *path = pd_format(s->ctx, "%s/%s", s->part, name);
	struct stat st = { .st_mode = 0600 };
	char digest[SAVED_DIGEST] = "";

	if (strpbrk(name, "\n\\"))
		return pd_fail(s->ctx, PD_FAILED, "can't save %s: its name has "
			       "a newline or a backslash; rename it", name);
	if (like && stat(like, &st))
		return pd_fail(s->ctx, PD_FAILED, "can't look at %s: %s", like,
			       strerror(errno));
	/* The copy is root's: it may hold passwords of printers and users. */
	if (make_way(s->ctx, path, 0700) ||
	    write_new(s->ctx, path, 0600, geteuid(), getegid(), data, len))
		return PD_FAILED;
	saved_digest(data, len, digest);
	write_row(s, name, &st, digest);
	return 0;
}

int saved_add_file(struct saved *s, const char *name, const char *source)
{
	struct stat st;
	size_t len = 0;
	const char *data = NULL;

	if (stat(source, &st) && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	data = pd_read_file(s->ctx, source, FILE_MAX, &len);
	if (!data)
		return pd_fail(s->ctx, PD_FAILED, "can't read %s: %s", source,
			       strerror(errno));
	return saved_add(s, name, source, data, len) ? PD_FAILED : 1;
}

int saved_close(struct saved *s)
{
	bool ok = fflush(s->manifest) == 0 && fsync(fileno(s->manifest)) == 0;

	ok = fclose(s->manifest) == 0 && ok;
	s->manifest = NULL;
	if (!ok || sync_folder(s->part) || rename(s->part, s->folder) ||
	    sync_folder(folder_of(s->ctx, s->folder)))
		return pd_fail(s->ctx, PD_FAILED, "can't complete %s: %s",
			       s->folder, strerror(errno));
	return 0;
}

/* "# mode=0640 user=root group=lp" */
static bool parse_owner(struct pd_ctx *ctx, const char *line,
			struct saved_row *row)
{
	char user[64] = "", group[64] = "";

	if (sscanf(line, "# mode=%o user=%63s group=%63s", &row->mode, user,
		   group) != 3)
		return false;
	row->user = pd_format(ctx, "%s", user);
	row->group = pd_format(ctx, "%s", group);
	return true;
}

/* A name that stays in the folder: the manifest may come from elsewhere. */
static bool safe_name(const char *name)
{
	return *name && *name != '/' && !strstr(name, "../") &&
	       strcmp(name, "..") != 0;
}

static int check_row(struct pd_ctx *ctx, const char *folder,
		     const struct saved_row *row)
{
	char digest[SAVED_DIGEST] = "";
	size_t len = 0;
	const char *data = pd_read_file(ctx, pd_format(ctx, "%s/%s", folder,
						       row->name),
					FILE_MAX, &len);

	if (!data)
		return pd_fail(ctx, PD_FAILED, "%s/%s can't be read back: %s",
			       folder, row->name, strerror(errno));
	saved_digest(data, len, digest);
	if (strcmp(digest, row->digest) != 0)
		return pd_fail(ctx, PD_FAILED, "%s/%s is not what was saved: its "
			       "SHA-256 is %s, the manifest says %s; take "
			       "another copy", folder, row->name, digest,
			       row->digest);
	return 0;
}

int saved_read(struct pd_ctx *ctx, const char *folder, struct saved_set *out)
{
	const char *path = pd_format(ctx, "%s/" SAVED_MANIFEST, folder);
	const char *text = pd_read_file(ctx, path, 16u << 20, NULL);
	struct saved_row next = { 0 };

	*out = (struct saved_set){ .folder = folder };
	if (!text)
		return pd_fail(ctx, PD_FAILED, "%s can't be read: %s; name a "
			       "folder that a save step has made", path,
			       strerror(errno));
	for (const char *end = NULL; *text; text = end + (*end != '\0')) {
		const char *line = NULL;

		end = strchrnul(text, '\n');
		line = pd_format(ctx, "%.*s", (int)(end - text), text);
		if (*line == '#') {
			parse_owner(ctx, line, &next);
			continue;
		}
		if (strlen(line) < 67 || strncmp(line + 64, "  ", 2) != 0 ||
		    !next.user || !safe_name(line + 66))
			return pd_fail(ctx, PD_FAILED, "%s: this is no line of "
				       "a manifest: %s", path, line);
		next.digest = pd_format(ctx, "%.64s", line);
		next.name = pd_format(ctx, "%s", line + 66);
		if (check_row(ctx, folder, &next))
			return PD_FAILED;
		*(struct saved_row *)saved_grow(ctx, &out->row, &out->len,
						sizeof(next)) = next;
		next = (struct saved_row){ 0 };
	}
	return 0;
}

static int copy_one(struct pd_ctx *ctx, const char *from, const char *to,
		    const char *name)
{
	const char *path = pd_format(ctx, "%s/%s", to, name);
	size_t len = 0;
	const char *data = pd_read_file(ctx, pd_format(ctx, "%s/%s", from, name),
					FILE_MAX, &len);

	if (!data)
		return pd_fail(ctx, PD_FAILED, "can't read %s/%s: %s", from, name,
			       strerror(errno));
	return make_way(ctx, path, 0700) ||
	       write_new(ctx, path, 0600, geteuid(), getegid(), data, len) ?
		PD_FAILED : 0;
}

int saved_second(struct pd_ctx *ctx, const char *folder, const char *to)
{
	const char *run = ctx->run && *ctx->run ? ctx->run : "no-run";
	const char *copy = pd_format(ctx, "%s/%s%s", to ? to : "", run,
				     strrchr(folder, '/'));
	const char *part = pd_format(ctx, "%s.part", copy);
	struct saved_set set = { 0 };
	int rc = 0;

	if (!to || !*to)
		return 0;
	if (access(copy, F_OK) == 0) /* made before a crash, or to be proved */
		return saved_read(ctx, copy, &set);
	if (saved_read(ctx, folder, &set) || saved_remove(ctx, part))
		return PD_FAILED;
	for (size_t i = 0; rc == 0 && i < set.len; i++)
		rc = copy_one(ctx, folder, part, set.row[i].name);
	if (rc == 0)
		rc = copy_one(ctx, folder, part, SAVED_MANIFEST);
	if (rc == 0 && (sync_folder(part) || rename(part, copy) ||
			sync_folder(folder_of(ctx, copy))))
		rc = pd_fail(ctx, PD_FAILED, "can't complete %s: %s", copy,
			     strerror(errno));
	return rc ? PD_FAILED : saved_read(ctx, copy, &set);
}

const struct saved_row *saved_find(const struct saved_set *set,
				   const char *name)
{
	for (size_t i = 0; i < set->len; i++)
		if (strcmp(set->row[i].name, name) == 0)
			return &set->row[i];
	return NULL;
}

static uid_t user_id(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	return pw ? pw->pw_uid : (uid_t)strtoul(name, NULL, 10);
}

static gid_t group_id(const char *name)
{
	const struct group *gr = getgrnam(name);

	return gr ? gr->gr_gid : (gid_t)strtoul(name, NULL, 10);
}

int saved_write(struct pd_ctx *ctx, const char *path,
		const struct saved_row *row, const void *data, size_t len)
{
	const char *temp = pd_format(ctx, "%s.patchday", path);

	unlink(temp); /* of an attempt that was cut short */
	if (make_way(ctx, path, 0755) ||
	    write_new(ctx, temp, row->mode, user_id(row->user),
		      group_id(row->group), data, len))
		return PD_FAILED;
	if (rename(temp, path) || sync_folder(folder_of(ctx, path)))
		return pd_fail(ctx, PD_FAILED, "can't put %s in place: %s", path,
			       strerror(errno));
	return 0;
}

int saved_put(struct pd_ctx *ctx, const struct saved_set *set,
	      const struct saved_row *row, const char *path)
{
	size_t len = 0;
	const char *data = pd_read_file(ctx, pd_format(ctx, "%s/%s", set->folder,
						       row->name),
					FILE_MAX, &len);

	if (!data)
		return pd_fail(ctx, PD_FAILED, "%s/%s can't be read: %s",
			       set->folder, row->name, strerror(errno));
	return saved_write(ctx, path, row, data, len);
}

bool saved_same(struct pd_ctx *ctx, const struct saved_row *row,
		const char *path)
{
	char digest[SAVED_DIGEST] = "";
	struct stat st;
	size_t len = 0;
	const char *data = NULL;

	if (stat(path, &st) || (st.st_mode & 07777u) != row->mode ||
	    st.st_uid != user_id(row->user) || st.st_gid != group_id(row->group))
		return false;
	data = pd_read_file(ctx, path, FILE_MAX, &len);
	if (!data)
		return false;
	saved_digest(data, len, digest);
	return strcmp(digest, row->digest) == 0;
}
