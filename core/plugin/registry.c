/* SPDX-License-Identifier: MIT */
/* Plugins by name: which folders may hold them, and loading at first use. */
#include "plugin/registry.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

struct entry {
	char *name, *path;
	struct pd_plugin *plugin; /* NULL: not loaded yet */
};

struct pd_registry {
	struct pd_strings folders;
	struct pd_strings ignored;  /* files that are no plugins by their names */
	struct pd_strings shadowed; /* files of plugins, each followed by that of an earlier folder */
	struct entry *entries; /* sorted by name */
	size_t len, cap;
};

struct pd_registry *pd_registry_new(void)
{
	return pd_alloc(sizeof(struct pd_registry));
}

void pd_registry_free(struct pd_registry *reg)
{
	if (!reg)
		return;
	for (size_t i = 0; i < reg->len; i++) {
		pd_descriptor_free(reg->entries[i].plugin);
		free(reg->entries[i].name);
		free(reg->entries[i].path);
	}
	free(reg->entries);
	pd_strings_clear(&reg->folders);
	pd_strings_clear(&reg->ignored);
	pd_strings_clear(&reg->shadowed);
	free(reg);
}

/* Root, the caller, or the person whom sudo has made root. */
static bool is_ours(uid_t owner)
{
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;

	return owner == 0 || owner == geteuid() ||
	       (sudo && *sudo && owner == (uid_t)strtoul(sudo, NULL, 10));
}

/* Whoever can write what we load, or put another in its place, is root through
 * us: so its owner is one of ours, and nobody else writes.  In a sticky folder
 * above (/tmp) others can't replace what is not theirs. */
static bool trusted(const char *path, mode_t type, bool above,
		    struct pd_error **err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return pd_error_errno(err, type == S_IFDIR ? "plugin-folder" : "file-read", errno,
				      "cannot use %s", path);
	if (S_ISLNK(st.st_mode))
		return pd_error_set(err, "plugin-not-trusted", "%s is a symbolic link", path);
	if ((st.st_mode & S_IFMT) != type)
		return pd_error_set(err, "plugin-not-trusted", "%s is not a %s", path,
				    type == S_IFDIR ? "folder" : "regular file");
	if (!is_ours(st.st_uid))
		return pd_error_set(err, "plugin-not-trusted",
				    "%s is owned by user %u, not by root or user %u, who runs this",
				    path, st.st_uid, geteuid());
	if ((st.st_mode & 022) && !(above && (st.st_mode & S_ISVTX))) {
		pd_error_set(err, "plugin-not-trusted",
			     "%s may be written by others (mode %04o)", path,
			     st.st_mode & 07777);
		return pd_error_remedy(err, "chmod go-w %s", path);
	}
	return true;
}

bool pd_trusted_folder(const char *folder, struct pd_error **err)
{
	pd_auto_free char *path = NULL;

	if (folder[0] != '/')
		return pd_error_set(err, "plugin-folder",
				    "the folder %s is not an absolute path", folder);
	if (!trusted(folder, S_IFDIR, false, err))
		return false;
	path = realpath(folder, NULL);
	if (!path)
		return pd_error_errno(err, "plugin-folder", errno, "cannot use %s", folder);
	for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
		*slash = '\0';
		if (!trusted(path, S_IFDIR, true, err))
			return false;
	}
	return true;
}

/* Root's own, through whatever links; nobody else can put another in its place. */
static bool is_roots(const char *folder, struct pd_error **err)
{
	pd_auto_free char *real = realpath(folder, NULL), *above = NULL;
	const char *slash = strrchr(folder, '/');
	struct stat st;

	if (*folder != '/' || !real)
		return pd_error_set(err, "plugin-folder", *folder == '/' ? "there is no such folder" :
				    "it is not absolute");
	above = slash == folder ? pd_strdup("/") : pd_strndup(folder, (size_t)(slash - folder));
	if (!pd_trusted_folder(above, err) || !pd_trusted_folder(real, err))
		return false;
	return (stat(real, &st) == 0 && st.st_uid == 0) ||
	       pd_error_set(err, "plugin-not-trusted", "it does not belong to root");
}

bool pd_trusted_path(struct pd_error **err)
{
	const char *path = getenv("PATCHDAY_PATH");

	for (size_t len; path && geteuid() == 0; path = path[len] ? path + len + 1 : NULL) {
		pd_auto_free char *folder = pd_strndup(path, len = strcspn(path, ":"));
		pd_auto_free char *why = NULL;
		pd_auto_error *cause = NULL;

		if (is_roots(folder, &cause))
			continue;
		why = pd_error_text(cause);
		return pd_error_set(err, "path-not-trusted", "$PATCHDAY_PATH has the folder '%s': %s",
				    folder, why);
	}
	return true;
}

bool pd_trusted_file(const char *path, struct pd_error **err)
{
	return trusted(path, S_IFREG, false, err);
}

/* Where @p name is or belongs. */
static size_t place(const struct pd_registry *reg, const char *name, bool *found)
{
	size_t low = 0, high = reg->len;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = strcmp(reg->entries[mid].name, name);

		if (d == 0) {
			*found = true;
			return mid;
		}
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*found = false;
	return low;
}

/* The first folder wins, so that --plugin-dir goes before what is installed. */
static void add(struct pd_registry *reg, const char *folder, const char *file)
{
	size_t len = strlen(file), at;
	pd_auto_free char *name = NULL;
	bool found;

	if (len < 4 || strcmp(file + len - 3, ".so") != 0)
		return;
	name = pd_strndup(file, len - 3);
	if (!pd_is_name(name)) {
		pd_auto_free char *path = pd_print("%s/%s", folder, file);

		for (unsigned char *c = (unsigned char *)path; *c; c++)
			if (*c < ' ' || *c >= 0x7f) /* for JSON, too */
				*c = '?';
		pd_strings_add(&reg->ignored, path);
		return;
	}
	at = place(reg, name, &found);
	if (found) {
		pd_strings_add_take(&reg->shadowed, pd_print("%s/%s", folder, file));
		pd_strings_add(&reg->shadowed, reg->entries[at].path);
		return;
	}
	pd_grow(reg->entries, reg->len, reg->cap);
	memmove(reg->entries + at + 1, reg->entries + at,
		(reg->len++ - at) * sizeof(*reg->entries));
	reg->entries[at] = (struct entry){ .name = pd_strdup(name),
					   .path = pd_print("%s/%s", folder, file) };
}

bool pd_registry_add_folder(struct pd_registry *reg, const char *folder,
			    struct pd_error **err)
{
	struct dirent *d;
	DIR *dir;

	if (!pd_trusted_folder(folder, err))
		return false;
	if (pd_strings_has(&reg->folders, folder))
		return true;
	dir = opendir(folder);
	if (!dir)
		return pd_error_errno(err, "plugin-folder", errno,
				      "cannot read the plugin folder %s", folder);
	while ((d = readdir(dir)))
		add(reg, folder, d->d_name);
	closedir(dir);
	pd_strings_add(&reg->folders, folder);
	return true;
}

bool pd_registry_names(struct pd_registry *reg, struct pd_strings *names,
		       struct pd_error **err)
{
	(void)err;
	for (size_t i = 0; i < reg->len; i++)
		pd_strings_add(names, reg->entries[i].name);
	return true;
}

const struct pd_strings *pd_registry_ignored(const struct pd_registry *reg)
{
	return &reg->ignored;
}

const struct pd_strings *pd_registry_shadowed(const struct pd_registry *reg)
{
	return &reg->shadowed;
}

static void unknown(struct pd_registry *reg, const char *name, struct pd_error **err)
{
	pd_auto_free char *folders = pd_strings_join(&reg->folders, ", ");
	pd_auto_free char *ignored = pd_strings_join(&reg->ignored, ", ");
	pd_auto(pd_strings) names = {0};
	const char *nearest;

	pd_error_set(err, "plugin-unknown", "there is no plugin '%s' in %s%s%s", name,
		     reg->folders.len ? folders : "any folder (none was given)",
		     reg->ignored.len ? "; passed over, as their names are no plugins' (a to z, 0 to 9, _): " : "",
		     reg->ignored.len ? ignored : "");
	if (!pd_registry_names(reg, &names, err))
		return;
	nearest = pd_nearest(name, (const char *const *)names.items, names.len);
	if (nearest)
		pd_error_remedy(err, "did you mean '%s'?", nearest);
}

const struct pd_plugin *pd_registry_find(struct pd_registry *reg,
					 const char *name, struct pd_error **err)
{
	const struct pd_plugin *theirs;
	struct entry *e;
	bool found;
	size_t at = place(reg, name, &found);

	if (!found) {
		unknown(reg, name, err);
		return NULL;
	}
	e = &reg->entries[at];
	if (!e->plugin && pd_trusted_file(e->path, err)) {
		theirs = pd_module_open(e->path, err);
		if (theirs)
			e->plugin = pd_descriptor_copy(theirs, name, err);
	}
	return e->plugin;
}

const struct pd_step *pd_registry_step(struct pd_registry *reg, const char *name,
				       const struct pd_plugin **plugin,
				       struct pd_error **err)
{
	const char *dot = strchr(name, '.'), *nearest;
	pd_auto_free char *first = pd_strndup(name, dot ? (size_t)(dot - name) : strlen(name));
	const struct pd_plugin *p = pd_registry_find(reg, first, err);
	const char *names[64];
	size_t n = 0;

	if (!p)
		return NULL;
	for (size_t i = 0; dot && p->steps[i]; i++) {
		if (strcmp(p->steps[i]->name, dot + 1) == 0) {
			if (plugin)
				*plugin = p;
			return p->steps[i];
		}
		if (n < sizeof(names) / sizeof(*names))
			names[n++] = p->steps[i]->name;
	}
	pd_error_set(err, "plugin-step-unknown", "plugin '%s' has no step '%s'", first,
		     dot ? dot + 1 : "");
	nearest = dot ? pd_nearest(dot + 1, names, n) : NULL;
	if (nearest)
		pd_error_remedy(err, "did you mean '%s.%s'?", first, nearest);
	return NULL;
}

const char *pd_registry_path(struct pd_registry *reg, const char *name)
{
	bool found;
	size_t at = place(reg, name, &found);

	return found && reg->entries[at].plugin ? reg->entries[at].path : NULL;
}
