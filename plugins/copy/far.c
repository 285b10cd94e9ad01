/* SPDX-License-Identifier: MIT */
/* The OpenSSH client, and what it says of the far side. */
#include "far.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH ((int64_t)64 << 20) /* fetched at once, but for a file that is larger */
#define CLOSED "Connection closed"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* -------------------------------------------------------------- the client */

int far_arguments(struct pd_ctx *ctx)
{
	const struct ssh_args *args = ctx->args;
	const char *const words[] = { args->host, args->user };
	const char *const paths[] = { args->identity, args->known_hosts };

	for (size_t i = 0; i < 2; i++)
		if (!*words[i] || *words[i] == '-' ||
		    words[i][strspn(words[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789._:-")])
			return pd_fail(ctx, PD_BAD_ARGS, "'%s' is no %s", words[i],
				       i == 0 ? "host name or address" : "user name");
	for (size_t i = 0; i < 2; i++)
		if (strpbrk(paths[i], " \t\r\n\"'\\%$"))
			return pd_fail(ctx, PD_BAD_ARGS,
				       "the path %s can't be handed to ssh: blanks, quotes, \\, %% and $ mean something to it",
				       paths[i]);
	return copy_plain_name(ctx, args->to) < 0 ? PD_BAD_ARGS : 0;
}

/* No configuration, agent, password or question; only the pinned host key. */
static const char **client(struct pd_ctx *ctx, const char *program, const char *const tail[4])
{
	const struct ssh_args *args = ctx->args;
	const char *const options[] = {
		"BatchMode=yes", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=none",
		pd_format(ctx, "UserKnownHostsFile=%s", args->known_hosts), "UpdateHostKeys=no",
		"IdentitiesOnly=yes", "IdentityAgent=none", pd_format(ctx, "IdentityFile=%s", args->identity),
		"PreferredAuthentications=publickey", "ConnectTimeout=20", "ServerAliveInterval=15",
		"ServerAliveCountMax=4", "LogLevel=ERROR", pd_format(ctx, "HostName=%s", args->host),
		pd_format(ctx, "Port=%d", (int)args->port), pd_format(ctx, "User=%s", args->user),
	};
	const size_t n = sizeof(options) / sizeof(*options);
	const char **argv = pd_alloc_for(ctx, (2 * n + 8) * sizeof(*argv)), **to = argv;

	*to++ = program, *to++ = "-F", *to++ = "none";
	for (size_t i = 0; i < n; i++)
		*to++ = "-o", *to++ = options[i];
	for (size_t i = 0; i < 4 && tail[i]; i++)
		*to++ = tail[i];
	return argv;
}

/* sftp may be told by a signal that its ssh is gone. */
static bool lost(const struct pd_command_result *result)
{
	return result->status == 255 || result->status == 128 + SIGPIPE || strstr(result->err, CLOSED);
}

/* The last line that says more than that it is over. */
static const char *said(struct pd_ctx *ctx, const struct pd_command_result *result)
{
	const char *line = lost(result) ? "the connection was lost" :
		pd_format(ctx, "it ended with status %d", result->status);
	size_t len;

	for (const char *err = result->err; *err; err += len + (err[len] != '\0')) {
		len = strcspn(err, "\r\n");
		if (len && strncmp(err, CLOSED, sizeof(CLOSED) - 1) != 0 &&
		    strncmp(err, "Host key verification failed", 28) != 0)
			line = pd_format(ctx, "%.*s", (int)len, err);
	}
	return line;
}

void far_command(FILE *batch, const char *command, const char *a, const char *b)
{
	const char *const paths[] = { a, b };

	fputs(command, batch);
	for (size_t i = 0; i < 2 && paths[i]; i++) {
		putc(' ', batch);
		for (const char *c = paths[i]; *c; c++) {
			if (strchr(" !\"#$%&'()*+,:;<=>?@[\\]^`{|}~", *c))
				putc('\\', batch);
			putc(*c, batch);
		}
	}
	putc('\n', batch);
}

int far_sftp(struct pd_ctx *ctx, const char *batch, far_line *line, void *user, const char **why)
{
	const struct ssh_args *args = ctx->args;
	const char *const tail[4] = { "-b", "-", "--", args->host };
	const struct pd_command command = { .size = sizeof(command), .argv = client(ctx, "sftp", tail),
					    .input = batch, .input_len = strlen(batch),
					    .line = line, .user = user };
	struct pd_command_result result;
	int r = pd_command_run(ctx, &command, &result);

	if (r < 0 || result.status == 0)
		return r;
	if (why)
		*why = said(ctx, &result);
	return why ? PD_FAILED :
		pd_fail(ctx, lost(&result) ? PD_RETRY : PD_FAILED, "sftp to %s: %s", args->host,
			said(ctx, &result));
}

/* ------------------------------------------------------------- the list */

void items_add(struct items *all, struct item item)
{
	if (all->len == all->cap) {
		struct item *larger;

		all->cap = all->cap ? 2 * all->cap : 64;
		larger = pd_alloc_for(all->ctx, all->cap * sizeof(*larger));
		if (all->len)
			memcpy(larger, all->item, all->len * sizeof(*larger));
		all->item = larger;
	}
	all->item[all->len++] = item;
}

/* Ours before the same that is not. */
static int by_path(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = strcmp(x->far, y->far);

	return order ? order : (int)x->alien - (int)y->alien;
}

void items_sort(struct items *all)
{
	size_t n = 0;

	if (all->len)
		qsort(all->item, all->len, sizeof(*all->item), by_path);
	for (size_t i = 0; i < all->len; i++)
		if (n == 0 || strcmp(all->item[n - 1].far, all->item[i].far) != 0)
			all->item[n++] = all->item[i];
	all->len = n;
}

struct item *items_find(const struct items *all, const char *far)
{
	size_t low = 0, high = all->len;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(far, all->item[middle].far);

		if (order == 0)
			return &all->item[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* --------------------------------------------------------------- looking */

/* Folders in the order of the list; which one's names are coming, and where we
 * are if there was none to go to. */
struct look {
	struct items *all;
	const char *base;
	size_t next;          /* item after the folder that was gone to last */
	const char *folder;   /* NULL: it is not there */
};

static void enter_next(struct look *l, const char *where)
{
	while (l->next < l->all->len && !l->all->item[l->next].folder)
		l->next++;
	l->folder = NULL;
	if (l->next == l->all->len)
		return;
	if (strcmp(where, l->base) != 0) {
		l->all->item[l->next].exists = true;
		l->folder = l->all->item[l->next].far;
	}
	l->next++;
}

static void look_line(struct pd_ctx *ctx, void *user, int stream, const char *line)
{
	static const char here[] = "Remote working directory: ";
	struct look *l = user;
	struct item *item;
	long long size, used, left;

	if (stream != 1 || strncmp(line, "sftp> ", 6) == 0)
		return;
	if (strncmp(line, here, sizeof(here) - 1) == 0) {
		line += sizeof(here) - 1;
		if (l->base)
			enter_next(l, line);
		else
			l->base = pd_format(ctx, "%s", line);
	} else if (!l->base && sscanf(line, "%lld %lld %lld", &size, &used, &left) == 3)
		l->all->free = (int64_t)left * 1024;
	else if (l->folder && (item = items_find(l->all, pd_format(ctx, "%s/%s", l->folder, line))))
		item->exists = true;
}

int far_look(struct items *all, const char **why)
{
	const struct ssh_args *args = all->ctx->args;
	struct look look = { .all = all };
	char *batch = NULL;
	size_t len;
	FILE *f = open_memstream(&batch, &len);
	int r;

	if (!f)
		return pd_fail(all->ctx, PD_FAILED, "no memory for the commands to sftp");
	far_command(f, "cd", args->to, NULL);
	fputs("-df\npwd\n", f);
	for (size_t i = 0; i < all->len; i++) {
		all->item[i].exists = false;
		if (!all->item[i].folder)
			continue;
		far_command(f, "-cd", args->to, NULL);
		far_command(f, "-cd", all->item[i].far, NULL);
		fputs("-pwd\n-ls -1a\n", f);
	}
	fclose(f);
	all->free = -1;
	r = far_sftp(all->ctx, batch, look_line, &look, why);
	free(batch);
	return r;
}

/* --------------------------------------------------------------- digests */

const char *far_manifest(struct items *all)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	const char *copy = "";

	for (size_t i = 0; f && i < all->len; i++)
		if (!all->item[i].folder)
			copy_manifest_line(f, all->item[i].hex, all->item[i].name);
	if (f && fclose(f) == 0)
		copy = pd_format(all->ctx, "%s", text);
	free(text);
	return copy;
}

static int shell(struct pd_ctx *ctx, const char *words, const char *input, far_line *line,
		 void *user, struct pd_command_result *result)
{
	const struct ssh_args *args = ctx->args;
	const char *const tail[4] = { "-T", "--", args->host, words };
	const struct pd_command command = { .size = sizeof(command), .argv = client(ctx, "ssh", tail),
					    .input = input, .input_len = strlen(input),
					    .line = line, .user = user };
	int r = pd_command_run(ctx, &command, result);

	return r < 0 || result->status != 255 ? r :
		pd_fail(ctx, PD_RETRY, "ssh to %s: %s", args->host, said(ctx, result));
}

/* What a shell makes of it is what nothing else answers. */
int far_has_shell(struct pd_ctx *ctx)
{
	struct pd_command_result result;
	int r = shell(ctx, "sha256sum </dev/null", "", NULL, NULL, &result);

	return r < 0 ? r : result.status == 0 && strncmp(result.out, EMPTY, sizeof(EMPTY) - 1) == 0;
}

struct proof {
	struct items *all;
	const char *folder;
};

/* "NAME: OK"; with a backslash in front, in NAME each stands for itself. */
static void proof_line(struct pd_ctx *ctx, void *user, int stream, const char *line)
{
	struct proof *proof = user;
	size_t len = strlen(line);
	char *name = pd_alloc_for(ctx, len + 1), *to = name;
	bool escaped = *line == '\\';
	struct item *item;

	if (stream != 1 || len < 4 || strcmp(line + len - 4, ": OK") != 0)
		return;
	for (const char *c = line + escaped; c < line + len - 4; c++) {
		c += escaped && *c == '\\';
		*to++ = *c;
	}
	item = items_find(proof->all, pd_format(ctx, "%s/%s", proof->folder, name));
	if (item) {
		item->whole = true;
		pd_progress(ctx, item - proof->all->item, (int64_t)proof->all->len, item->name);
	}
}

static const char *quoted(struct pd_ctx *ctx, const char *path)
{
	char *text = pd_alloc_for(ctx, 4 * strlen(path) + 3), *to = text;

	*to++ = '\'';
	for (; *path; path++)
		if (*path == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *path;
	*to = '\'';
	return text;
}

int far_prove(struct items *all, const char *folder)
{
	struct proof proof = { all, folder };
	struct pd_command_result result;

	for (size_t i = 0; i < all->len; i++)
		all->item[i].whole = false;
	/* "OK" is another word in the language that the far side has */
	return shell(all->ctx, pd_format(all->ctx, "cd %s && env LC_ALL=C sha256sum -c",
					 quoted(all->ctx, folder)),
		     far_manifest(all), proof_line, &proof, &result);
}

/* ---------------------------------------------------- where there's no shell */

static const char *fetched(struct pd_ctx *ctx, size_t i)
{
	return pd_format(ctx, "%s/fetched-%zu", ctx->work_dir, i);
}

/* @param r below zero: they only go. */
static int compare(struct items *all, struct pass *p, size_t from, size_t to, int r)
{
	for (size_t i = from; i < to; i++) {
		struct item *item = &all->item[i];
		char hex[HEX];

		if (item->folder)
			continue;
		if (r == 0 && (r = copy_digest(p, fetched(p->ctx, i), hex)) == 0)
			item->whole = strcmp(hex, item->hex) == 0;
		unlink(fetched(p->ctx, i));
	}
	return r;
}

static int fetch(struct items *all, struct pass *p, size_t from, size_t to)
{
	char *batch = NULL;
	size_t len;
	FILE *f = open_memstream(&batch, &len);
	int r;

	if (!f)
		return pd_fail(p->ctx, PD_FAILED, "no memory for the commands to sftp");
	for (size_t i = from; i < to; i++)
		if (!all->item[i].folder)
			far_command(f, "get", all->item[i].far, fetched(p->ctx, i));
	fclose(f);
	r = far_sftp(p->ctx, batch, NULL, NULL, NULL);
	free(batch);
	return compare(all, p, from, to, r);
}

int far_fetch(struct items *all, struct pass *p)
{
	int r = 0;

	for (size_t from = 0, to; r == 0 && from < all->len; from = to) {
		int64_t bytes = 0;

		for (to = from; to < all->len && (to == from || bytes + all->item[to].size <= BATCH); to++)
			bytes += all->item[to].size;
		r = fetch(all, p, from, to);
	}
	return r;
}
