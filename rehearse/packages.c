/* SPDX-License-Identifier: MIT */
/* Packages: the databases that are known, and what stands in them. */
#include "look.h"

#include <sys/stat.h>

static const struct database {
	const char *name;
	const char *const *files; /* one of them is there; an empty one is none */
	const char *const *ask;   /* NAME, STATE and VERSION of each package */
	const char *limit;        /* what a clone can't show because of it; or NULL */
} databases[] = {
	{ "dpkg", (const char *const[]){ "/var/lib/dpkg/status", NULL },
	  (const char *const[]){ "dpkg-query", "-W", "-f",
		"${binary:Package}\t${db:Status-Status}\t${Version}\n", NULL }, NULL },
	/* A key that is trusted stands there too, without an architecture.  In
	 * Berkeley DB the lock of one that was killed stays. */
	{ "rpm", (const char *const[]){ "/var/lib/rpm/rpmdb.sqlite",
		"/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/Packages.db",
		"/var/lib/rpm/Packages.db", "/var/lib/rpm/Packages", NULL },
	  (const char *const[]){ "timeout", "120", "rpm", "-qa", "--queryformat",
		"%{NAME}.%{ARCH}\t%|ARCH?{installed}:{not-installed}|\t%{EVR}\n", NULL },
	  "repositories of dnf and zypper on the network are not reached, and nothing is fetched "
	  "from them: packages come from folders, as rpm.install takes them" },
};

enum { DATABASES = sizeof(databases) / sizeof(*databases) };

/* The file that holds it; NULL: this server has no such database. */
static const char *file_of(const struct database *d)
{
	struct stat st;

	for (size_t i = 0; d->files[i]; i++)
		if (stat(d->files[i], &st) == 0 && st.st_size > 0)
			return d->files[i];
	return NULL;
}

/* What is only known, or has left its configuration behind, is not there. */
static void add_package(json_t *all, char *line)
{
	const char *name = strsep(&line, "\t"), *state = strsep(&line, "\t");
	const char *other = pd_json_text(all, name, NULL);
	pd_auto_free char *version = NULL, *both = NULL;

	if (!state || !line || strcmp(state, "not-installed") == 0 ||
	    strcmp(state, "config-files") == 0)
		return;
	version = strcmp(state, "installed") == 0 ? pd_strdup(line) :
		  pd_print("%s (%s)", line, state);
	both = other ? pd_print("%s, %s", other, version) : NULL;
	json_object_set_new(all, name, json_string(both ? both : version));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, for a package may be there in several versions, and rpm tells them in
 * any order. */
static bool add_packages(struct clone *c, const struct database *d, json_t *all)
{
	pd_auto(pd_strings) lines = {0};
	int status = -1;
	pd_auto_free char *text = clone_output(c, d->ask, &status);
	char *rest = text, *line;

	while (rest && status == 0 && (line = strsep(&rest, "\n")))
		pd_strings_add(&lines, line);
	if (lines.len)
		qsort(lines.items, lines.len, sizeof(*lines.items), by_text);
	for (size_t i = 0; i < lines.len; i++)
		add_package(all, lines.items[i]);
	return text && status == 0;
}

/* A server may have an empty database beside its own, such as rpm's where only
 * the program rpm is installed; one without any package is no server. */
json_t *look_packages(struct clone *c)
{
	const char *why = "this server has no database of dpkg or rpm";
	json_t *all = json_object();

	for (size_t i = 0; i < DATABASES; i++) {
		const struct database *d = &databases[i];
		size_t before = json_object_size(all);

		if (!file_of(d))
			continue;
		why = "no database of this server tells of any";
		if (!add_packages(c, d, all))
			clone_note(c, "packages of %s are not compared: it does not answer",
				   d->name);
		else if (d->limit && json_object_size(all) > before)
			clone_note(c, "%s", d->limit);
	}
	if (json_object_size(all))
		return all;
	clone_note(c, "packages are not compared: %s", why);
	json_decref(all);
	return NULL;
}

static void add_digest(json_t *all, const char *path)
{
	struct stat st;
	pd_digest one = "";

	if (stat(path, &st) == 0 && st.st_size > 0 && pd_digest_file(path, one, NULL, NULL))
		json_object_set_new(all, path, json_string(one));
}

/* What is in the log of an sqlite database is as true as what is in its file. */
char *look_databases(pd_digest out)
{
	pd_auto_json *all = json_object();
	pd_auto(pd_strings) names = {0};

	for (size_t i = 0; i < DATABASES; i++) {
		const char *file = file_of(&databases[i]);
		pd_auto_free char *log = pd_print("%s-wal", file ? file : "");

		if (!file)
			continue;
		add_digest(all, file);
		add_digest(all, log);
		pd_strings_add_take(&names, pd_print("%s's database", databases[i].name));
	}
	pd_json_digest(all, out);
	return names.len ? pd_strings_join(&names, " and ") : NULL;
}
