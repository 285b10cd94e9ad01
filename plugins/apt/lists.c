/* SPDX-License-Identifier: MIT */
/* Reading a list of packages as a stream: its digest against the release's,
 * and the packages that are wanted. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apt.h"

enum { CHUNK = 65536, LINE = 1024 };

/* Fields that are needed are short: of longer lines the end is passed over. */
struct stream {
	struct pd_ctx *ctx;
	const struct target *target;
	struct wanted_list *wanted;
	char line[LINE];
	size_t len;
	bool idle;           /* in a stanza of a package that is not wanted */
	struct wanted now;   /* the stanza so far */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->name, ((const struct wanted *)b)->name);
}

static const char *value(const struct stream *s, const char *key)
{
	size_t len = strlen(key);

	return strncmp(s->line, key, len) == 0 ? s->line + len : NULL;
}

/* "name (version)", or without it the package's own. */
static void take_source(struct stream *s, const char *text)
{
	char *copy = apt_copy(s->ctx, text), *open = strstr(copy, " (");

	s->now.source = copy;
	if (open) {
		*open = '\0';
		s->now.source_version = open + 2;
		open[2 + strcspn(open + 2, ")")] = '\0';
	}
}

static void take_line(struct stream *s)
{
	struct wanted *now = &s->now;
	const char *v;

	if ((v = value(s, "Package: "))) {
		struct wanted key = { .name = v };

		s->idle = !bsearch(&key, s->wanted->rows, s->wanted->len, sizeof(key), by_name);
		if (!s->idle)
			now->name = apt_copy(s->ctx, v);
	} else if (s->idle) {
		return;
	} else if ((v = value(s, "Version: "))) {
		now->version = apt_copy(s->ctx, v);
	} else if ((v = value(s, "Architecture: "))) {
		now->arch = apt_copy(s->ctx, v);
	} else if ((v = value(s, "Source: "))) {
		take_source(s, v);
	} else if ((v = value(s, "Filename: "))) {
		now->path = apt_copy(s->ctx, v);
	} else if ((v = value(s, "Size: "))) {
		now->bytes = strtoll(v, NULL, 10);
	} else if ((v = value(s, "Installed-Size: "))) {
		now->installed_kib = strtoll(v, NULL, 10);
	} else if ((v = value(s, "SHA256: "))) {
		now->sha256 = apt_copy(s->ctx, v);
	} else if ((v = value(s, "Section: "))) {
		now->section = apt_copy(s->ctx, v);
	}
}

/* At the end of a stanza: fill in every row that it answers. */
static void end_stanza(struct stream *s)
{
	const struct wanted *now = &s->now;

	for (size_t i = 0; !s->idle && now->name && now->version && now->arch &&
			   i < s->wanted->len; i++) {
		struct wanted *w = &s->wanted->rows[i];

		if (w->found || w->target != s->target || strcmp(w->name, now->name) != 0 ||
		    strcmp(w->version, now->version) != 0 ||
		    (strcmp(now->arch, "all") != 0 && strcmp(w->arch, now->arch) != 0))
			continue;
		w->found = true;
		w->arch = now->arch;
		w->source = now->source ? now->source : now->name;
		w->source_version = now->source_version ? now->source_version : now->version;
		w->path = now->path ? now->path : "";
		w->sha256 = now->sha256 ? now->sha256 : "";
		w->section = now->section ? now->section : "";
		w->bytes = now->path ? now->bytes : -1;
		w->installed_kib = now->installed_kib;
	}
	s->now = (struct wanted){ .bytes = -1 };
	s->idle = true;
}

static void take_chunk(struct stream *s, const char *data, size_t len)
{
	while (len) {
		const char *end = memchr(data, '\n', len);
		size_t part = end ? (size_t)(end - data) : len;
		size_t room = sizeof(s->line) - 1 - s->len;

		memcpy(s->line + s->len, data, part < room ? part : room);
		s->len += part < room ? part : room;
		data += part + (end != NULL);
		len -= part + (end != NULL);
		if (!end)
			return;
		s->line[s->len] = '\0';
		if (s->len)
			take_line(s);
		else
			end_stanza(s);
		s->len = 0;
	}
}

/* Plain lists are read as they are, packed ones through apt's own helper. */
static int open_list(struct pd_ctx *ctx, const char *file, pid_t *child)
{
	static char *const env[] = { "LC_ALL=C", "PATH=/usr/bin:/bin", NULL };
	char *const argv[] = { "apt-helper", "cat-file", apt_copy(ctx, file), NULL };
	posix_spawn_file_actions_t actions;
	size_t len = strlen(file);
	int fds[2], why;

	*child = 0;
	if (len > 9 && strcmp(file + len - 9, "_Packages") == 0)
		return open(file, O_RDONLY | O_CLOEXEC);
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	why = posix_spawn(child, "/usr/lib/apt/apt-helper", &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (!why)
		return fds[0];
	close(fds[0]);
	*child = 0;
	errno = why;
	return -1;
}

/* The line " DIGEST SIZE META_KEY" of the section SHA256. */
static const char *expected(struct pd_ctx *ctx, const struct target *t)
{
	char *text = apt_copy(ctx, t->release->text), *line, *digest;
	bool inside = false;

	while ((line = apt_line(&text))) {
		if (*line != ' ') {
			inside = strncmp(line, "SHA256:", 7) == 0;
			continue;
		}
		if (!inside)
			continue;
		line += strspn(line, " ");
		digest = apt_field(&line, ' ');
		line += strspn(line, " ");
		apt_field(&line, ' ');
		if (strcmp(line + strspn(line, " "), t->meta_key) == 0)
			return digest;
	}
	return NULL;
}

static int check_digest(struct pd_ctx *ctx, const struct target *t, const char *found)
{
	const char *want = t->release->text ? expected(ctx, t) : NULL;

	/* without a release there is nothing to compare with; said already */
	if (!t->release->text || (want && strcmp(want, found) == 0))
		return 0;
	if (!want)
		return pd_fail(ctx, PD_FAILED, "the release of %s has no SHA256 of %s, so "
			       "its list can't be verified", t->description, t->meta_key);
	return pd_fail(ctx, PD_FAILED, "%s is not the list that the signed release vouches "
		       "for: SHA256 %s, expected %s; it was changed or damaged; run "
		       "`apt-get update`", t->file, found, want);
}

int apt_list(struct pd_ctx *ctx, const struct target *t, struct wanted_list *wanted)
{
	struct stream s = { .ctx = ctx, .target = t, .wanted = wanted, .idle = true };
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(hash) + 1], chunk[CHUNK];
	crypto_hash_sha256_state state;
	int status = 0, fd;
	pid_t child;
	ssize_t n;

	fd = open_list(ctx, t->file, &child);
	if (fd < 0)
		return pd_fail(ctx, PD_FAILED, "%s can't be read: %s", t->file,
			       strerror(errno));
	crypto_hash_sha256_init(&state);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		crypto_hash_sha256_update(&state, (const unsigned char *)chunk,
					  (unsigned long long)n);
		take_chunk(&s, chunk, (size_t)n);
	}
	close(fd);
	end_stanza(&s);
	while (child && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (n < 0 || status)
		return pd_fail(ctx, PD_FAILED, "%s can't be read or unpacked", t->file);
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	return check_digest(ctx, t, hex);
}
