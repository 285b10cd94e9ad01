/* SPDX-License-Identifier: MIT */
/* Files as they are on this server: regular ones alone, by what was opened. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "manifest.h"
#include "stream.h"

struct tree {
	json_t *files;
	json_t *faults; /* what is not sound is told here and passed over; NULL: the first one ends it */
	const char *const *but; /* names that are passed over at the top */
	size_t n_but;
};

static bool add_entry(struct tree *t, const char *from, const char *to, struct pd_error **err);

static bool refuse(const char *from, const char *why, struct pd_error **err)
{
	return pd_error_set(err, "package-source", "%s %s", from, why);
}

/* No row is lost in silence. */
static bool append(json_t *rows, json_t *row_take, const char *from, struct pd_error **err)
{
	return json_array_append_new(rows, row_take) == 0 || refuse(from, "can't be listed: its name is not UTF-8", err);
}

static bool add(struct tree *t, const char *from, const char *to, struct pd_error **err)
{
	pd_auto_error *why = NULL;
	pd_auto_free char *text = NULL;

	if (add_entry(t, from, to, &why))
		return true;
	if (!t->faults) {
		pd_error_move(err, why);
		why = NULL;
		return false;
	}
	text = pd_utf8_text(why->message); /* not every name is, and JSON has to be */
	return append(t->faults, json_pack("{s:s, s:s}", "id", why->id, "message", text), from, err);
}

static bool add_file(struct tree *t, const char *from, const char *to, int fd, const struct stat *st,
		     struct pd_error **err)
{
	pd_digest sha256;

	if (!manifest_path(to, err))
		return pd_error_prefix(err, "%s", from);
	if (st->st_mode & (S_ISUID | S_ISGID | S_ISVTX))
		return refuse(from, "is setuid, setgid or sticky, which a package does not carry", err);
	if (!stream(fd, 0, st->st_size, NULL, NULL, sha256))
		return pd_error_errno(err, "file-read", errno, "cannot read %s", from);
	return append(t->files, json_pack("{s:s, s:s, s:I, s:s, s:s}", "path", to, "from", from,
		"bytes", (json_int_t)st->st_size, "mode", st->st_mode & S_IXUSR ? "0755" : "0644",
		"sha256", sha256), from, err);
}

static bool passed_over(const struct tree *t, const char *to, const char *name)
{
	bool over = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;

	for (size_t i = 0; !over && !*to && i < t->n_but; i++)
		over = strcmp(name, t->but[i]) == 0;
	return over;
}

static bool add_folder(struct tree *t, const char *from, const char *to, int fd, struct pd_error **err)
{
	DIR *folder = fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0));
	const struct dirent *entry;
	bool ok = folder || pd_error_errno(err, "file-read", errno, "cannot read %s", from);

	if (ok && *to && !manifest_path_safe(to, err))
		ok = pd_error_prefix(err, "%s", from);
	while (ok && (entry = readdir(folder)) != NULL) {
		pd_auto_free char *path = pd_print("%s/%s", from, entry->d_name);
		pd_auto_free char *below = pd_print("%s%s%s", to, *to ? "/" : "", entry->d_name);

		ok = passed_over(t, to, entry->d_name) || add(t, path, below, err);
	}
	if (folder)
		closedir(folder);
	return ok;
}

/* What is opened is what is looked at: a link is never followed, a fifo never
 * waited for. */
static bool add_entry(struct tree *t, const char *from, const char *to, struct pd_error **err)
{
	pd_auto_close int fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st = {0};

	if (fd < 0 && errno == ELOOP)
		return refuse(from, "is a link; a package has files alone", err);
	if (fd < 0 || fstat(fd, &st) < 0)
		return pd_error_errno(err, "file-read", errno, "cannot read %s", from);
	if (S_ISDIR(st.st_mode))
		return add_folder(t, from, to, fd, err);
	return S_ISREG(st.st_mode) ? add_file(t, from, to, fd, &st, err) :
				     refuse(from, "is no file, but a device or the like", err);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(pd_json_text(*(json_t *const *)a, "path", ""), pd_json_text(*(json_t *const *)b, "path", ""));
}

static json_t *in_order(json_t *files_take)
{
	size_t n = json_array_size(files_take);
	json_t **rows = pd_alloc((n + 1) * sizeof(*rows)), *sorted = json_array();

	for (size_t i = 0; i < n; i++)
		rows[i] = json_array_get(files_take, i);
	qsort(rows, n, sizeof(*rows), by_path);
	for (size_t i = 0; i < n; i++)
		json_array_append(sorted, rows[i]);
	free(rows);
	json_decref(files_take);
	return sorted;
}

json_t *tree_list(const json_t *roots, json_t *faults, struct pd_error **err)
{
	struct tree t = { .files = json_array(), .faults = faults };
	json_t *root;
	size_t i;

	json_array_foreach(roots, i, root)
		if (!add(&t, pd_json_text(root, "from", ""), pd_json_text(root, "to", ""), err)) {
			json_decref(t.files);
			return NULL;
		}
	return in_order(t.files);
}

json_t *tree_folder(const char *folder, const char *const *but, size_t n, struct pd_error **err)
{
	struct tree t = { .files = json_array(), .but = but, .n_but = n };

	if (add(&t, folder, "", err))
		return in_order(t.files);
	json_decref(t.files);
	return NULL;
}
