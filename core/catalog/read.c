/* SPDX-License-Identifier: MIT */
/* Reading a catalog: the native format here, all others by a plugin's reader
 * in a worker. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog/model.h"

enum { HEAD = 4096 };

/* A reader and the plugin that it comes from. */
struct choice {
	const struct pd_plugin *plugin;
	const struct pd_reader *reader;
};

struct choices {
	struct choice *items;
	size_t len, cap;
};

/* All readers that read files, or the one of @name for the server itself:
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
			out->items[out->len++] = (struct choice){ p, *r };
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

/* Asks the readers in a child, since it runs plugins' code on foreign bytes. */
static int best_of(const struct choices *all, const unsigned char *head, size_t len)
{
	struct { int index, score; } best = { -1, 0 };
	int fds[2], status = 0;
	pid_t pid;

	if (!all->len || pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		signal(SIGALRM, SIG_DFL);
		alarm(10);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		for (size_t i = 0; i < all->len; i++) {
			int score = all->items[i].reader->recognize(head, len);

			if (score > best.score) {
				best.index = (int)i;
				best.score = score;
			}
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

static bool on_emit(void *user, int what, const void *part, struct pd_error **err)
{
	return pd_builder_emit(user, what, part, err);
}

static bool run_reader(const struct choice *choice, int fd, struct pd_catalog *c,
		       struct pd_error **err)
{
	struct pd_builder b = { .catalog = c };
	struct pd_worker_sink sink = { .user = &b, .emit = on_emit };
	struct pd_worker_call call = { .plugin = choice->plugin, .phase = PD_PHASE_READ,
				       .reader = choice->reader,
				       .source_name = c->name, .source_fd = fd };
	pd_auto(pd_worker_result) result = {0};
	bool fine = pd_worker_run(&call, &sink, &result, err);

	if (fine && result.result < 0)
		fine = pd_error_set(err, "catalog-read", "%s: the reader %s.%s: %s",
				    c->name, choice->plugin->name, choice->reader->name,
				    result.message ? result.message : "failed");
	return pd_builder_end(&b, fine ? err : NULL) && fine;
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

/* The namespace stands there as text, in UTF-16 with NULs in between. */
static bool is_native(const unsigned char *head, size_t len)
{
	char text[HEAD + 1];
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (head[i])
			text[n++] = (char)head[i];
	text[n] = '\0';
	return strstr(text, "urn:patchday:catalog:") != NULL;
}

static struct pd_catalog *read_file(struct pd_registry *reg, const char *path,
				    struct pd_error **err)
{
	pd_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	unsigned char head[HEAD];
	struct choices all = {0};
	struct pd_catalog *c = NULL;
	pd_auto_free char *opened = NULL;
	const char *packed, *slash = strrchr(path, '/');
	struct stat st;
	int best = -1;
	ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);
	bool fine;

	if (n < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		if (n < 0)
			pd_error_errno(err, "file-read", errno, "catalog %s", path);
		else
			pd_error_set(err, "file-read", "catalog %s is no regular file", path);
		return NULL;
	}
	if (!is_native(head, (size_t)n)) {
		if (!collect(reg, NULL, &all, err))
			return NULL;
		best = best_of(&all, head, (size_t)n);
		packed = best < 0 ? packed_as(head, (size_t)n) : NULL;
		if (packed) {
			free(all.items);
			pd_error_at(err, "catalog-format", path, 0, 0, "this seems to "
				    "be %s, which no plugin here reads; unpack it "
				    "or see that it is the right file", packed);
			return NULL;
		}
	}
	c = pd_catalog_new(slash ? slash + 1 : path, "native");
	c->path = pd_strdup(path);
	if (best >= 0) {
		free(c->format);
		c->format = pd_print("%s:%s", all.items[best].plugin->name,
				     all.items[best].reader->name);
		fine = run_reader(&all.items[best], fd, c, err);
	} else {
		/* also for what nobody knows: it says what that seems to be */
		struct pd_builder b = { .catalog = c };

		fine = pd_native_read(fd, &b, err);
		fine = pd_builder_end(&b, fine ? err : NULL) && fine;
	}
	free(all.items);
	/* of the very file that was read, whatever the name now leads to */
	opened = pd_print("/proc/self/fd/%d", fd);
	if (fine && pd_digest_file(opened, c->digest, NULL, err))
		return c;
	pd_catalog_free(c);
	return NULL;
}

/* The digest of what has no file: of all that a verdict can depend on. */
static void digest_content(struct pd_catalog *c)
{
	struct pd_buffer text = {0};

	for (size_t i = 0; i < c->len; i++) {
		const struct pd_catalog_update *u = &c->updates[i];

		pd_buffer_print(&text, "%s\n%s\n%s\n%u %u %u %u\n", u->id, u->revision,
				u->title, u->severity, u->kind, u->status, u->restart);
		for (uint32_t k = 0; k < u->n_packages; k++) {
			const struct pd_catalog_package *p = &u->packages[k];

			pd_buffer_print(&text, "%s %s %s %s\n", p->name, p->version, p->arch,
				p->payload ? u->payloads[p->payload - 1].digest : "");
		}
		for (uint32_t k = 0; k < u->n_relations; k++)
			pd_buffer_print(&text, "%u %s\n", u->relations[k].kind,
					u->relations[k].target);
		for (uint32_t k = 0; k < u->n_rules; k++)
			pd_buffer_print(&text, "%u %u %u %u %s %s %s %s\n",
				u->rules[k].tree, u->rules[k].op, u->rules[k].compare,
				u->rules[k].negate, u->rules[k].kind, u->rules[k].subject,
				u->rules[k].field, u->rules[k].value);
	}
	pd_digest_data(text.data ? text.data : "", text.len, c->digest);
	pd_buffer_clear(&text);
}

static struct pd_catalog *read_server(struct pd_registry *reg, const char *name,
				      struct pd_error **err)
{
	struct choices all = {0};
	struct pd_catalog *c = NULL;

	if (collect(reg, name, &all, err)) {
		pd_auto_free char *format = pd_print("%s:%s", all.items[0].plugin->name,
						     all.items[0].reader->name);

		c = pd_catalog_new(all.items[0].reader->name, format);
		if (run_reader(&all.items[0], -1, c, err)) {
			digest_content(c);
		} else {
			pd_catalog_free(c);
			c = NULL;
		}
	}
	free(all.items);
	return c;
}

struct pd_catalog *pd_catalog_read(struct pd_registry *reg, const char *source,
				   struct pd_error **err)
{
	size_t len = strlen(source);
	pd_auto_free char *name = pd_strndup(source, len ? len - 1 : 0);

	if (len > 1 && source[len - 1] == ':' && !strchr(source, '/'))
		return read_server(reg, name, err);
	return read_file(reg, source, err);
}
