/* SPDX-License-Identifier: MIT */
/* Where samba keeps what: effective configuration, files, databases. */
#include "shares.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX (256u << 20)

bool samba_is_here(void)
{
	return access(SAMBA_CONFIG, R_OK) == 0 &&
	       (access("/usr/sbin/smbd", X_OK) == 0 ||
		access("/usr/bin/smbd", X_OK) == 0);
}

static int run(struct pd_ctx *ctx, const char *const argv[],
	       struct pd_command_result *r)
{
	const struct pd_command command = {
		.size = sizeof(command),
		.argv = argv,
		.output_max = OUTPUT_MAX,
	};

	return pd_command_run(ctx, &command, r);
}

const char *output_of(struct pd_ctx *ctx, const char *const argv[], int *status)
{
	struct pd_command_result r = { 0 };

	*status = -1;
	if (run(ctx, argv, &r))
		return NULL;
	*status = r.status;
	return r.status == 0 ? r.out : NULL;
}

/* "Read Only" and "readonly" are the same to samba. */
static bool same_key(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, " \t");
		b += strspn(b, " \t");
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

static const char *trim(struct pd_ctx *ctx, const char *from, const char *end)
{
	while (from < end && isspace((unsigned char)*from))
		from++;
	while (end > from && isspace((unsigned char)end[-1]))
		end--;
	return pd_format(ctx, "%.*s", (int)(end - from), from);
}

/* Take the next line of *text apart: "[section]", or "key = value".
 * @return false at the end. */
static bool next_line(struct pd_ctx *ctx, const char **text,
		      const char **section, struct setting *out)
{
	const char *line = *text, *end = strchrnul(line, '\n');
	const char *equals = memchr(line, '=', (size_t)(end - line));

	*section = NULL;
	*out = (struct setting){ 0 };
	if (!*line)
		return false;
	*text = end + (*end != '\0');
	line += strspn(line, " \t");
	if (*line == '[')
		*section = pd_format(ctx, "%.*s", (int)strcspn(line + 1, "]\n"),
				     line + 1);
	else if (equals && *line != '#' && *line != ';')
		*out = (struct setting){ trim(ctx, line, equals),
					 trim(ctx, equals + 1, end) };
	return true;
}

int samba_ask(struct pd_ctx *ctx, struct samba *out)
{
	static const char *const argv[] = { "testparm", "-s", "-v",
					    SAMBA_CONFIG, NULL };
	struct pd_command_result r = { 0 };
	struct setting next = { 0 };
	struct section *s = NULL;
	const char *name = NULL;

	*out = (struct samba){ 0 };
	if (run(ctx, argv, &r))
		return PD_FAILED;
	out->loads = r.status == 0;
	out->problem = r.err;
	for (const char *p = r.out; next_line(ctx, &p, &name, &next);) {
		if (name) {
			s = saved_grow(ctx, &out->section, &out->len, sizeof(*s));
			*s = (struct section){ .name = name };
		} else if (s && next.key) {
			*(struct setting *)saved_grow(ctx, &s->setting, &s->len,
						      sizeof(next)) = next;
		}
	}
	return 0;
}

const char *section_value(const struct section *s, const char *key,
			  const char *missing)
{
	for (size_t i = 0; i < s->len; i++)
		if (same_key(s->setting[i].key, key))
			return *s->setting[i].value ? s->setting[i].value :
						      missing;
	return missing;
}

const char *samba_global(const struct samba *samba, const char *key,
			 const char *missing)
{
	return samba->len ? section_value(&samba->section[0], key, missing) :
			    missing;
}

bool paths_have(const struct paths *paths, const char *path)
{
	for (size_t i = 0; i < paths->len; i++)
		if (strcmp(paths->path[i], path) == 0)
			return true;
	return false;
}

void paths_add(struct pd_ctx *ctx, struct paths *paths, const char *path)
{
	*(const char **)saved_grow(ctx, &paths->path, &paths->len,
				   sizeof(path)) = path;
}

static void add_path(struct pd_ctx *ctx, struct paths *paths, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    !paths_have(paths, path))
		paths_add(ctx, paths, path);
}

/* A path of the configuration; one with variables ("%U.conf") stands for all
 * files that it can mean. */
static void add_meant(struct pd_ctx *ctx, struct paths *paths, const char *path)
{
	char *pattern = strdup(path), *to = pattern;
	glob_t found = { 0 };

	for (const char *p = path; *p; p++) {
		*to++ = *p == '%' ? '*' : *p;
		if (*p == '%' && p[1])
			p++;
	}
	*to = '\0';
	if (*pattern == '/' && glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			add_path(ctx, paths,
				 pd_format(ctx, "%s", found.gl_pathv[i]));
	globfree(&found);
	free(pattern);
}

/* Only these hold more configuration. */
static bool names_config(const char *key)
{
	return same_key(key, "include") || same_key(key, "config file");
}

/* "passdb backend = NAME[:PLACE]". @return the place, "" if it is not told; NULL: it
 * is another one. */
static const char *place_of(const char *backend, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(backend, name, n) != 0 || !strchr(": \t,", backend[n]))
		return NULL;
	return backend[n] == ':' ? backend + n + 1 : "";
}

const char *samba_accounts_elsewhere(const struct samba *samba)
{
	const char *backend = samba_global(samba, "passdb backend", "tdbsam");

	return place_of(backend, "tdbsam") || place_of(backend, "smbpasswd") ?
	       NULL : backend;
}

int samba_files(struct pd_ctx *ctx, const struct samba *samba, struct paths *out)
{
	const char *accounts = place_of(samba_global(samba, "passdb backend", ""),
					"smbpasswd");
	size_t configs = 0; /* those up to here have been read */
	struct paths config = { 0 };

	*out = (struct paths){ 0 };
	add_path(ctx, &config, SAMBA_CONFIG);
	for (; configs < config.len; configs++) {
		const char *path = config.path[configs], *section = NULL;
		const char *text = pd_read_file(ctx, path, 16u << 20, NULL);
		struct setting s = { 0 };

		if (!text)
			return pd_fail(ctx, PD_FAILED, "can't read %s: %s",
				       path, strerror(errno));
		add_path(ctx, out, path);
		while (next_line(ctx, &text, &section, &s)) {
			if (s.key && names_config(s.key))
				add_meant(ctx, &config, s.value);
			else if (s.key && same_key(s.key, "username map"))
				add_meant(ctx, out, s.value);
		}
	}
	if (accounts)
		add_path(ctx, out, *accounts ? accounts :
			 samba_global(samba, "smb passwd file",
				      "/etc/samba/smbpasswd"));
	return 0;
}

int samba_usershares(struct pd_ctx *ctx, const struct samba *samba,
		     struct paths *out)
{
	const char *folder = samba_global(samba, "usershare path",
					  "/var/lib/samba/usershares");
	DIR *dir = opendir(folder);

	*out = (struct paths){ 0 };
	if (!dir && errno != ENOENT)
		return pd_fail(ctx, PD_FAILED, "can't list %s: %s", folder,
			       strerror(errno));
	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
		add_path(ctx, out, pd_format(ctx, "%s/%s", folder, e->d_name));
	if (dir)
		closedir(dir);
	return 0;
}

void samba_databases(struct pd_ctx *ctx, const struct samba *samba,
		     struct paths *out)
{
	static const struct { const char *key, *usual, *name; } at[] = {
		{ "private dir", "/var/lib/samba/private", "passdb.tdb" },
		{ "private dir", "/var/lib/samba/private", "secrets.tdb" },
		{ "state directory", "/var/lib/samba", "account_policy.tdb" },
		{ "state directory", "/var/lib/samba", "group_mapping.tdb" },
		{ "state directory", "/var/lib/samba", "share_info.tdb" },
		{ "state directory", "/var/lib/samba", "registry.tdb" },
		{ "state directory", "/var/lib/samba", "winbindd_idmap.tdb" },
		{ "state directory", "/var/lib/samba", "autorid.tdb" },
	};
	const char *accounts = place_of(samba_global(samba, "passdb backend", ""),
					"tdbsam");

	*out = (struct paths){ 0 };
	if (accounts && *accounts)
		add_path(ctx, out, accounts);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		add_path(ctx, out, pd_format(ctx, "%s/%s",
					     samba_global(samba, at[i].key,
							  at[i].usual),
					     at[i].name));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* key(14) = "SECDESC/stays\00" */
static bool is_of(const char *record, const struct paths *usershares)
{
	const char *name = strstr(record, " = \"SECDESC/");

	name = name ? name + strlen(" = \"SECDESC/") : "";
	for (size_t i = 0; *name && usershares && i < usershares->len; i++) {
		const char *of = strrchr(usershares->path[i], '/') + 1;
		size_t n = strlen(of);

		if (strncasecmp(name, of, n) == 0 && name[n] == '\\')
			return true;
	}
	return false;
}

/* Two databases with the same records may hold them in another order. */
const char *database_records(struct pd_ctx *ctx, const char *path,
			     const struct paths *usershares)
{
	const char *const argv[] = { "tdbdump", path, NULL };
	int status = 0;
	const char *dump = output_of(ctx, argv, &status), *sorted = NULL;
	struct paths records = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out = NULL;

	if (!dump) {
		if (status >= 0)
			pd_fail(ctx, PD_FAILED, "tdbdump can't read %s (status "
				"%d); is it damaged? See tdbbackup -v", path,
				status);
		return NULL;
	}
	for (const char *end = NULL; *dump; dump = end) {
		const char *record = NULL;

		end = strstr(dump, "\n}\n");
		end = end ? end + 3 : dump + strlen(dump);
		record = pd_format(ctx, "%.*s", (int)(end - dump), dump);
		if (!is_of(record, usershares))
			paths_add(ctx, &records, record);
	}
	if (records.len)
		qsort(records.path, records.len, sizeof(*records.path), by_text);
	out = open_memstream(&text, &len);
	for (size_t i = 0; i < records.len; i++)
		fputs(records.path[i], out);
	fclose(out);
	sorted = pd_format(ctx, "%s", text);
	free(text);
	return sorted;
}
