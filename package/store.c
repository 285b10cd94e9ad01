/* SPDX-License-Identifier: MIT */
/* Packages as they are installed. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payload.h"
#include "tree.h"

enum { KEY_MAX = 1 << 16 };

#define MANIFEST "manifest.json"
#define SIGNATURE MANIFEST ".minisig"
#define KEY "key.pub"

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static bool sync_folder(const char *path)
{
	pd_auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0;
}

static int sync_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)at;
	return kind == FTW_DP && !sync_folder(path) ? -1 : 0;
}

static bool write_beside(const char *folder, const char *name, const char *text, struct pd_error **err)
{
	pd_auto_free char *path = pd_print("%s/%s", folder, name);

	return pd_file_write(path, 0644, text, strlen(text), err);
}

static bool fill(const struct box *b, const char *folder, const char *key, struct pd_error **err)
{
	pd_auto_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pd_auto_free char *key_text = pd_file_read(key, KEY_MAX, NULL, err);

	if (!key_text)
		return false;
	if (fd < 0)
		return pd_error_errno(err, "file-write", errno, "cannot open %s", folder);
	return payload_read(b->fd, b->at, &b->manifest, fd, err) &&
	       write_beside(folder, MANIFEST, b->manifest.line, err) &&
	       write_beside(folder, SIGNATURE, b->signature, err) && write_beside(folder, KEY, key_text, err);
}

/* It gets its name when all of it is on the disk. */
bool store_put(const struct box *b, const char *folder, const char *key, struct pd_error **err)
{
	pd_auto_free char *name = pd_print("%s/%s", folder, b->manifest.name);
	pd_auto_free char *fresh = pd_print("%s/.new", name), *to = pd_print("%s/%s", name, b->manifest.version);
	bool ok;

	nftw(fresh, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* of one that was cut off */
	if (!pd_make_folders(fresh, err))
		return false;
	ok = fill(b, fresh, key, err);
	if (ok && (nftw(fresh, sync_one, 16, FTW_DEPTH | FTW_PHYS) != 0 || rename(fresh, to) < 0 ||
		   !sync_folder(name)))
		ok = pd_error_errno(err, "file-write", errno, "cannot put the package at %s", to);
	if (!ok)
		nftw(fresh, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return ok;
}

/* ------------------------------------------------------------------- prove */

static bool drifted(const char *path, const char *how, struct pd_error **err)
{
	return pd_error_set(err, "package-drift", "%s %s", path, how);
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
	return json_equal(json_object_get(a, key), json_object_get(b, key));
}

/* Both are in order: the first that differs is the one to name. */
static bool compare(const json_t *wanted, const json_t *found, struct pd_error **err)
{
	size_t n = json_array_size(wanted), m = json_array_size(found);

	for (size_t i = 0; i < n || i < m; i++) {
		const json_t *w = json_array_get(wanted, i), *f = json_array_get(found, i);
		const char *path = pd_json_text(w, "path", NULL), *other = pd_json_text(f, "path", NULL);
		int order = !path ? 1 : !other ? -1 : strcmp(path, other);

		if (order != 0)
			return order < 0 ? drifted(path, "is gone", err) : drifted(other, "is no part of it", err);
		if (!same(w, f, "sha256") || !same(w, f, "bytes"))
			return drifted(path, "has other content than was installed", err);
		if (!same(w, f, "mode"))
			return drifted(path, "has another mode than was installed", err);
	}
	return true;
}

bool store_prove(struct box *b, const char *folder, struct pd_error **err)
{
	static const char *const own[] = { MANIFEST, SIGNATURE, KEY };
	pd_auto_free char *manifest = pd_print("%s/" MANIFEST, folder), *key = pd_print("%s/" KEY, folder);
	pd_auto_free char *beside = pd_print("%s/" SIGNATURE, folder), *line = NULL;
	pd_auto_json *found = NULL;
	pd_auto_error *why = NULL;
	size_t len = 0;

	*b = (struct box){ .fd = -1 };
	line = pd_file_read(manifest, MANIFEST_MAX, &len, &why);
	b->signature = line ? pd_file_read(beside, KEY_MAX, NULL, &why) : NULL;
	if (b->signature && box_prove(b, line, len, b->signature, key, &why))
		found = tree_folder(folder, own, sizeof(own) / sizeof(*own), &why);
	if (!found || !compare(b->manifest.files, found, &why))
		return pd_error_set(err, "package-drift", "%s is not as it was signed: %s", folder, why->message);
	return true;
}
