/* SPDX-License-Identifier: MIT */
/* Reading a catalog: by a plugin's reader in a worker. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog/model.h"

enum {
	HEAD = 65536, FIRST = 4096, /* of it, from its first element on */
	NESTED = 2,      /* filters */
	RATIO = 500      /* bytes that may come out of one, beyond */
};
static const int64_t UNPACKED_MIN = (int64_t)64 << 20, UNPACKED_MAX = (int64_t)4 << 30;

/* A reader or a filter, and the plugin that it comes from. */
struct choice {
	const struct pd_plugin *plugin;
	const struct pd_reader *reader; /* NULL: a filter */
	const struct pd_filter *filter;
	int (*recognize)(const unsigned char *head, size_t len);
};

struct choices {
	struct choice *items;
	size_t len, cap;
};

/* All filters, and readers that read files, or the one of @name for the server itself:
 * "apt:" or, where two plugins have one of that name, "apt.apt:". */
static bool collect(struct pd_registry *reg, const char *name, struct choices *out,
		    struct pd_error **err)
{
	pd_auto(pd_strings) plugins = {0}, known = {0};

	if (!pd_registry_names(reg, &plugins, err))
		return false;
	for (size_t i = 0; i < plugins.len; i++) {
		const struct pd_plugin *p = pd_registry_find(reg, plugins.items[i], NULL);

		for (const struct pd_reader *const *r = p ? p->readers : NULL; r && *r; r++) {
			bool server = (*r)->flags & PD_R_SERVER;
			pd_auto_free char *full = pd_print("%s.%s", p->name, (*r)->name);

			if (name && server)
				pd_strings_add(&known, (*r)->name);
			if (name ? !server || (strcmp((*r)->name, name) != 0 &&
					       strcmp(full, name) != 0) :
				   server || !(*r)->recognize)
				continue;
			pd_grow(out->items, out->len, out->cap);
			out->items[out->len++] = (struct choice){ p, *r, NULL, (*r)->recognize };
		}
		for (const struct pd_filter *const *f = p && !name ? p->filters : NULL; f && *f; f++) {
			pd_grow(out->items, out->len, out->cap);
			out->items[out->len++] = (struct choice){ p, NULL, *f, (*f)->recognize };
		}
	}
	if (name && out->len != 1) {
		pd_auto_free char *all = pd_strings_join(&known, ": ");

		return pd_error_set(err, "catalog-format", out->len ?
			"several plugins read %s:; write PLUGIN.%s:" :
			"no plugin reads %s:; there are: %s%s", name,
			out->len ? name : all, out->len || !known.len ? "" : ":");
	}
	return true;
}

/* Where the first element lies, behind comments and the like, which may be long.
 * In UTF-16 there are zeros in between. */
static size_t element_of(const unsigned char *head, size_t len)
{
	char text[HEAD + 1] = "";
	const char *s = text;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < len; n += head[i++] != 0)
		text[n] = (char)head[i];
	s += strspn(s, "\xef\xbb\xbf\xfe\xff \t\r\n"); /* marks of the byte order, blanks */
	while (s && (strncmp(s, "<?", 2) == 0 || strncmp(s, "<!--", 4) == 0))
		if ((s = strstr(s, s[1] == '?' ? "?>" : "-->")))
			s = strchr(s, '<');
	for (n = s ? (size_t)(s - text) : len; at < len && n; at++)
		n -= head[at] != 0;
	return at;
}

/* Asks them in a child, since it runs plugins' code on foreign bytes. */
static int best_of(const struct choices *all, const unsigned char *head, size_t len)
{
	struct { int index, score; } best = { -1, 0 };
	int fds[2], status = 0;
	size_t seen = element_of(head, len) + FIRST;
	pid_t pid;

	if (!all->len || pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		signal(SIGALRM, SIG_DFL);
		alarm(10);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		for (size_t i = 0; i < all->len; i++) {
			int score = all->items[i].recognize(head, seen < len ? seen : len);

			/* what is only stored shows through its filter's format */
			if (score > best.score || (score && score == best.score && all->items[i].filter))
				best.index = (int)i, best.score = score;
		}
		_exit(write(fds[1], &best, sizeof(best)) != sizeof(best));
	}
	close(fds[1]);
	if (pid < 0 || read(fds[0], &best, sizeof(best)) != sizeof(best))
		best.index = -1;
	close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return best.index < (int)all->len ? best.index : -1;
}

/* What is read: a file, or what comes out of its filters; or the server itself. */
struct source {
	const char *path; /* NULL: the server */
	int fd;
	int64_t bytes;    /* of the file */
	unsigned char head[HEAD];
	size_t len;       /* of the head */
	struct pd_unpack filters[NESTED];
	size_t depth;     /* of the filters; without one the head is still to be read */
	bool replacing;   /* it is asked for nothing but what packages replace */
};

static const char *name_of(const struct source *s)
{
	const char *slash = strrchr(s->path, '/');

	return slash ? slash + 1 : s->path;
}

/* Those that the audience has, and those that take their place. */
static bool wanted(const void *whom, const char *name)
{
	const struct pd_builder *b = whom;

	return !b->audience || pd_index_find(&b->audience->names, name) ||
	       pd_index_find(&b->catalog->arena->replacing, name);
}

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = pd_strdup(text);
}

static bool run_reader(const struct choice *choice, const struct source *s, struct pd_catalog *c,
		       const struct pd_audience *audience, struct pd_error **err)
{
	const struct pd_reader *reader = choice->reader;
	pd_auto_free char *format = pd_print("%s:%s", choice->plugin->name, reader->name);
	const char *name = s->path ? name_of(s) : reader->name;
	pd_auto_error *refused = NULL;
	bool all = reader->flags & PD_R_STRICT || !audience; /* of what is strict all is looked at */
	struct pd_builder b = { .catalog = c, .strict = reader->flags & PD_R_STRICT,
				.revisions = reader->flags & PD_R_REVISIONS, .replacing = s->replacing,
				.audience = all || !audience->names.len ? NULL : audience, .err = &refused };
	struct pd_worker_sink sink = { .user = &b, .emit = pd_builder_emit };
	struct pd_worker_call call = { .plugin = choice->plugin, .phase = PD_PHASE_READ,
				       .reader = reader, .source_name = name, .source_fd = s->fd,
				       .head = s->head, .head_len = s->depth ? s->len : 0,
				       .wanted = all || s->replacing ? NULL : wanted, .whom = &b,
				       .bare = !all && audience->bare, .replacing = s->replacing };
	pd_auto(pd_worker_result) result = {0};
	size_t len = strlen(name);
	bool fine;

	set_text(&c->name, name); /* the last file is the one that it is called after */
	set_text(&c->format, format);
	set_text(&c->path, s->path);
	fine = pd_worker_run(&call, &sink, &result, err);
	if (pd_builder_end(&b, fine && result.result >= 0) && fine && !refused) {
		if (result.result >= 0)
			return true;
		/* with its place in the file, or without */
		if (strncmp(result.message, name, len) == 0 && result.message[len] == ':')
			pd_error_set(err, "catalog-read", "%s", result.message);
		else
			pd_error_set(err, "catalog-read", "%s: the reader %s.%s: %s", name,
				     choice->plugin->name, reader->name, result.message);
	} else if (fine) {
		pd_error_move(err, refused);
		refused = NULL;
	}
	return false;
}

/* Bytes that are no text at all, by their first ones. */
static const char *packed_as(const unsigned char *head, size_t len)
{
	static const struct { const char *magic, *what; } known[] = {
		{ "BZh", "a bzip2 file" }, { "\x1f\x8b", "a gzip file" },
		{ "\xfd" "7zXZ", "an xz file" }, { "\x28\xb5\x2f\xfd", "a zstd file" },
		{ "PK\x03\x04", "a zip archive" }, { "MSCF", "a cabinet file" },
		{ "-----BEGIN PGP", "an OpenPGP signature or key" },
		{ "{", "JSON" }, { "SQLite format", "an SQLite database" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (len >= strlen(known[i].magic) &&
		    memcmp(head, known[i].magic, strlen(known[i].magic)) == 0)
			return known[i].what;
	return NULL;
}

static bool open_source(struct source *s, const char *path, struct pd_error **err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n = fd < 0 ? -1 : pread(fd, s->head, HEAD, 0);

	s->path = path;
	s->fd = fd;
	if (n < 0)
		return pd_error_errno(err, "file-read", errno, "catalog %s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return pd_error_set(err, "file-read", "catalog %s is no regular file", path);
	s->bytes = st.st_size;
	s->len = (size_t)n;
	return true;
}

/* What comes out of the filter is the source from now on. */
static bool unpack(struct source *s, const struct choice *filter, struct pd_error **err)
{
	int64_t most = UNPACKED_MIN + RATIO * s->bytes;
	struct pd_worker_call call = {
		.plugin = filter->plugin, .phase = PD_PHASE_UNPACK, .filter = filter->filter,
		.source_name = name_of(s), .source_fd = s->fd, .head = s->head,
		.head_len = s->depth ? s->len : 0,
		.unpack_max = s->bytes < UNPACKED_MAX && most < UNPACKED_MAX ? most : UNPACKED_MAX };
	ssize_t n = 1;

	if (s->depth == NESTED)
		return pd_error_at(err, "catalog-format", s->path, 0, 0, "this is packed more than "
				   "%d times; unpack it", NESTED);
	if (!pd_unpack_start(&s->filters[s->depth], &call, err))
		return false;
	if (!s->depth)
		close(s->fd);
	s->fd = s->filters[s->depth++].data;
	for (s->len = 0; s->len < HEAD && n; s->len += n > 0 ? (size_t)n : 0) {
		n = read(s->fd, s->head + s->len, HEAD - s->len);
		if (n < 0 && errno != EINTR)
			return pd_error_errno(err, "file-read", errno, "catalog %s", s->path);
	}
	return true;
}

/* Through its filters to the reader that takes it. */
static bool read_source(struct source *s, const struct choices *all, struct pd_catalog *c,
			const struct pd_audience *audience, struct pd_error **err)
{
	const char *packed;
	int best;

	while ((best = best_of(all, s->head, s->len)) >= 0 && !all->items[best].reader)
		if (!unpack(s, &all->items[best], err))
			return false;
	if (best >= 0)
		return run_reader(&all->items[best], s, c, audience, err);
	packed = packed_as(s->head, s->len);
	pd_error_at(err, "catalog-format", s->path, 0, 0, packed ? "this seems to be %s, which no "
		    "plugin here reads; unpack it or see that it is the right file" : "this is of "
		    "no format that a plugin here reads; see that it is the right file%s",
		    packed ? packed : "");
	return false;
}

static bool read_file(const struct choices *all, const char *path, bool replacing, struct pd_catalog *c,
		      const struct pd_audience *audience, struct pd_error **err)
{
	struct source s = { .fd = -1, .replacing = replacing };
	struct pd_error *why = NULL;
	bool fine = false;

	if (open_source(&s, path, &why)) {
		/* the very file that is read, whatever its name will lead to */
		pd_auto_close int file = fcntl(s.fd, F_DUPFD_CLOEXEC, 0);
		pd_auto_free char *opened = pd_print("/proc/self/fd/%d", file);
		bool read = read_source(&s, all, c, audience, &why);

		/* who asks for a verdict alone does not ask for it, and it takes as long */
		fine = read && ((audience && !audience->digest) ||
			     pd_digest_file(opened, c->digest, NULL, &why));
		for (; s.depth; s.depth--, s.fd = -1)
			fine &= pd_unpack_end(&s.filters[s.depth - 1], name_of(&s), read, &why);
	}
	pd_close_p(&s.fd);
	if (why)
		pd_error_move(err, why);
	return fine;
}

/* Some files before the one that is its own: what their packages replace. */
static struct pd_catalog *read_files(struct pd_registry *reg, const char *path,
				     const struct pd_strings *before,
				     const struct pd_audience *audience, struct pd_error **err)
{
	struct choices all = {0};
	struct pd_catalog *c = pd_catalog_new("", "");
	bool fine = collect(reg, NULL, &all, err);

	for (size_t i = 0; fine && i < before->len; i++)
		fine = read_file(&all, before->items[i], true, c, audience, err);
	fine = fine && read_file(&all, path, false, c, audience, err);
	free(all.items);
	if (!fine)
		pd_catalog_free(c);
	return fine ? c : NULL;
}

static struct pd_catalog *read_server(struct pd_registry *reg, const char *name,
				      struct pd_error **err)
{
	struct choices all = {0};
	struct pd_catalog *c = pd_catalog_new("", "");
	bool fine = collect(reg, name, &all, err) &&
		    run_reader(&all.items[0], &(struct source){ .fd = -1 }, c, NULL, err);

	if (fine)
		pd_catalog_digest(c);
	else
		pd_catalog_free(c);
	free(all.items);
	return fine ? c : NULL;
}

struct pd_catalog *pd_catalog_read(struct pd_registry *reg, const char *source,
				   const struct pd_audience *audience, struct pd_error **err)
{
	return pd_catalog_read_all(reg, source, &(struct pd_strings){0}, audience, err);
}

struct pd_catalog *pd_catalog_read_all(struct pd_registry *reg, const char *source,
				       const struct pd_strings *before,
				       const struct pd_audience *audience, struct pd_error **err)
{
	size_t len = strlen(source);
	pd_auto_free char *name = pd_strndup(source, len ? len - 1 : 0);

	if (len > 1 && source[len - 1] == ':' && !strchr(source, '/'))
		return read_server(reg, name, err);
	return read_files(reg, source, before, audience, err);
}
