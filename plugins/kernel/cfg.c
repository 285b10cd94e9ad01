/* SPDX-License-Identifier: MIT */
/* The entries of a grub.cfg, as grub-mkconfig(8) writes them. */
#include "kernel.h"

#include <string.h>

enum { DEEP = 8 };

/* The next word of a line, without its quotes; NULL: none. */
static const char *word(struct pd_ctx *ctx, const char **at)
{
	size_t len = strcspn(*at, "\n"), n = 0;
	char *out = pd_alloc_for(ctx, len + 1), quote = 0;
	const char *p = *at + strspn(*at, " \t"), *end = *at + len;

	if (p >= end || *p == '#')
		return NULL;
	for (; p < end && (quote || !strchr(" \t", *p)); p++)
		if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? 0 : *p;
		else if (*p == '\\' && quote != '\'' && p + 1 < end)
			out[n++] = *++p;
		else
			out[n++] = *p;
	*at = p;
	return out;
}

const char *release_in(struct pd_ctx *ctx, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	static const char *const stems[] = { "vmlinuz-", "vmlinux-", "kernel-", "Image-" };

	for (size_t i = 0; i < sizeof(stems) / sizeof(*stems); i++)
		if (strncmp(name, stems[i], strlen(stems[i])) == 0)
			return pd_format(ctx, "%s", name + strlen(stems[i]));
	return "";
}

struct reading {
	struct pd_ctx *ctx;
	struct loader *out;
	const char *path[DEEP]; /* of the open menus */
	bool is_entry[DEEP];
	int depth;
	struct entry now;
};

/* "menuentry 'Title' --class x $menuentry_id_option 'id' {" */
static void opens(struct reading *r, const char *line, bool is_entry)
{
	const char *title = word(r->ctx, &line), *id = title, *w = title;
	const char *above = r->depth ? r->path[r->depth - 1] : NULL;
	bool next = false;

	while (w && (w = word(r->ctx, &line))) {
		if (next)
			id = w;
		next = strcmp(w, "$menuentry_id_option") == 0 || strcmp(w, "--id") == 0;
	}
	if (!title || r->depth == DEEP)
		return;
	r->path[r->depth] = above ? pd_format(r->ctx, "%s>%s", above, id) : id;
	r->is_entry[r->depth] = is_entry;
	if (is_entry)
		r->now = (struct entry){ .id = r->path[r->depth], .release = "" };
	r->depth++;
}

static void closes(struct reading *r)
{
	if (r->depth && r->is_entry[--r->depth] && *r->now.release)
		loader_add(r->ctx, r->out, &r->now);
}

static void boots(struct reading *r, const char *line)
{
	const char *image = word(r->ctx, &line), *w;

	if (!image || !r->depth || !r->is_entry[r->depth - 1])
		return;
	r->now.release = release_in(r->ctx, image);
	r->now.lasting = *r->now.release && strstr(r->now.id, r->now.release);
	while ((w = word(r->ctx, &line)))
		r->now.recovery = r->now.recovery || strcmp(w, "single") == 0 || strcmp(w, "recovery") == 0 ||
				  strcmp(w, "rescue") == 0;
}

static bool is(const char *w, const char *a) { return w && strcmp(w, a) == 0; }

void grub_entries(struct pd_ctx *ctx, const char *text, struct loader *out)
{
	struct reading r = { .ctx = ctx, .out = out };

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *rest = line, *w = word(ctx, &rest);

		if (is(w, "menuentry") || is(w, "submenu"))
			opens(&r, rest, is(w, "menuentry"));
		else if (is(w, "linux") || is(w, "linux16") || is(w, "linuxefi"))
			boots(&r, rest);
		else if (is(w, "}"))
			closes(&r);
	}
}
