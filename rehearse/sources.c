/* SPDX-License-Identifier: MIT */
/* The package sources of the server, for a clone that has no network. */
#include "session.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARCHIVES "/var/cache/apt/archives"

static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	while (d && n < 3 && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n < 3; /* "." and ".." */
}

/* file:/PATH: on a file system that is not cloned, it is shown read-only. */
static bool show_source(const struct clone *c, const char *path, struct pd_error **err)
{
	pd_auto_free char *at = pd_print("%s%s", c->root, path);

	if (is_empty(path) || !is_empty(at))
		return true;
	return (pd_make_folders(at, err) && mount(path, at, NULL, MS_BIND, NULL) == 0 &&
		mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0) ||
	       pd_error_set(err, "clone-mount", "the clone can't have the package source %s",
			    path);
}

/* apt of the server itself, with the server's lists; it fetches into the work
 * folder, writes no cache and takes no lock. */
static void apt(struct pd_strings *argv, const char *folder)
{
	static const char *const words[] = { "apt-get", "-q", "-y", "-o", "Debug::NoLocking=1",
		"-o", "APT::Sandbox::User=root", "-o", "Dir::Cache::pkgcache=",
		"-o", "Dir::Cache::srcpkgcache=", "-o" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		pd_strings_add(argv, words[i]);
	pd_strings_add_take(argv, pd_print("Dir::Cache::archives=%s/", folder));
}

static char *run_apt(const char *folder, const char *const words[], size_t n, int *status)
{
	pd_auto(pd_strings) argv = {0};

	apt(&argv, folder);
	for (size_t i = 0; i < n; i++)
		pd_strings_add(&argv, words[i]);
	pd_strings_add_take(&argv, NULL);
	*status = -1;
	return clone_output(NULL, (const char *const *)argv.items, status);
}

/* "Inst NAME [OLD] (NEW ...": the old ones are what an update keeps for its
 * undo.  One that no source has any more is missing on the server too. */
static void fetch_old(const char *folder)
{
	static const char *const simulate[] = { "-s", "dist-upgrade" };
	int status;
	pd_auto_free char *text = run_apt(folder, simulate, 2, &status);
	char *rest = text, *line;

	while (rest && !session_stop && (line = strsep(&rest, "\n"))) {
		char name[256], old[256];
		pd_auto_free char *spec = NULL, *out = NULL;

		if (sscanf(line, "Inst %255s [%255[^]]]", name, old) != 2)
			continue;
		spec = pd_print("%s=%s", name, old);
		out = run_apt(folder, (const char *const[]){ "download", spec }, 2, &status);
	}
}

static bool fetch(struct session *s, struct clone *c, struct pd_error **err)
{
	static const char *const upgrade[] = { "--download-only", "dist-upgrade" };
	pd_auto_free char *folder = pd_print("%s/packages", s->work);
	pd_auto_free char *partial = pd_print("%s/partial", folder);
	pd_auto_free char *to = pd_print("%s" ARCHIVES, c->root);
	pd_auto_free char *out = NULL, *copied = NULL, *was = getcwd(NULL, 0);
	const char *const copy_argv[] = { "cp", "-r", "--reflink=auto", "-T", folder, to, NULL };
	int status;

	if (access(folder, F_OK) == 0) /* fetched for the clone before this one */
		goto copy;
	if (!pd_make_folders(partial, err))
		return false;
	if (!s->json)
		out_print("fetching packages: the clone has no network\n");
	out = run_apt(folder, upgrade, 2, &status);
	if (!out || status != 0)
		clone_note(c, "the packages could not all be fetched, and the clone has no "
			   "network: `apt-get update` on the server may help");
	if (chdir(folder) == 0) /* that is where `apt-get download` puts it */
		fetch_old(folder);
	(void)!chdir(was ? was : "/");
copy:
	copied = clone_output(NULL, copy_argv, &status);
	return (copied && status == 0) ||
	       pd_error_set(err, "clone-room", "the fetched packages can't be copied to the clone");
}

/* What apt reads from, once for all clones: they are of one server. */
static void ask_sources(struct session *s)
{
	static const char *const ask[] = { "apt-get", "indextargets", "--format", "$(REPO_URI)",
		"Created-By: Packages", NULL };
	pd_auto_free char *text = clone_output(NULL, ask, NULL);
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n")))
		pd_strings_add(&s->sources, line);
}

bool session_sources(struct session *s, struct clone *c, struct pd_error **err)
{
	bool remote = false;

	if (!s->sources.len)
		ask_sources(s);
	for (size_t i = 0; i < s->sources.len; i++) {
		const char *line = s->sources.items[i];
		size_t n = strncmp(line, "file:", 5) == 0 || strncmp(line, "copy:", 5) == 0 ? 5 : 0;

		n += n && strncmp(line + n, "///", 3) == 0 ? 2 : 0;
		if (n && !show_source(c, line + n, err))
			return false;
		remote |= !n && *line && strncmp(line, "cdrom:", 6) != 0;
	}
	return !remote || fetch(s, c, err);
}
