/* SPDX-License-Identifier: MIT */
/* The boot loader, whichever it is. */
#include "kernel.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../shared/clone.h"
#include "../shared/path.h"

int tool(struct pd_ctx *ctx, const char *const argv[], struct pd_command_result *r)
{
	r->err = "";
	if (pd_run(ctx, argv, r) < 0)
		return PD_FAILED;
	return r->status == 0 ? 0 : PD_FAILED;
}

const char *running(struct pd_ctx *ctx)
{
	struct utsname uts;

	return uname(&uts) == 0 ? pd_format(ctx, "%s", uts.release) : "";
}

void loader_add(struct pd_ctx *ctx, struct loader *l, const struct entry *e)
{
	l->entries = path_room(ctx, l->entries, l->len, &l->cap, sizeof(*e));
	l->entries[l->len++] = *e;
}

const struct entry *loader_by_id(const struct loader *l, const char *id)
{
	for (size_t i = 0; i < l->len; i++)
		if (strcmp(l->entries[i].id, id) == 0)
			return &l->entries[i];
	return NULL;
}

const struct entry *loader_entry(const struct loader *l, const char *release)
{
	for (size_t i = 0; i < l->len; i++)
		if (l->entries[i].lasting && !l->entries[i].recovery && strcmp(l->entries[i].release, release) == 0)
			return &l->entries[i];
	return NULL;
}

const struct entry *loader_first(const struct loader *l)
{
	for (size_t i = 0; i < l->len; i++)
		if (!l->entries[i].recovery)
			return &l->entries[i];
	return NULL;
}

static bool is_grub(const struct loader *l) { return strcmp(l->name, "grub") == 0; }

const char *loader_why_not(struct pd_ctx *ctx, struct loader *out)
{
	*out = (struct loader){ .name = "", .place = "", .standing = "", .once = "" };
	if (access("/run/systemd/container", F_OK) == 0 && !clone_here(ctx))
		return "this is a container: it has no boot of its own, and runs with the machine's kernel";
	/* who boots by systemd-boot may have GRUB's files, too */
	return sdboot_is_there() ? sdboot_look(ctx, out) : grub_is_there() ? grub_look(ctx, out) :
	       "there is neither GRUB (/boot/grub/grub.cfg) nor systemd-boot here: of other loaders nothing is known, and nothing "
	       "falls back by itself";
}

int loader_look(struct pd_ctx *ctx, struct loader *out)
{
	const char *why = loader_why_not(ctx, out);

	return why ? pd_fail(ctx, PD_REFUSED, "%s", why) : 0;
}

const char *loader_no_entry(struct pd_ctx *ctx, const struct loader *l, const char *release)
{
	return pd_format(ctx, "%s has no entry that means the kernel %s whatever is installed beside it: %s", l->name, release,
			 is_grub(l) ? "make its menu anew (update-grub, grub2-mkconfig)" : "bootctl list shows what it has");
}

const char *loader_keeps_why_not(struct pd_ctx *ctx, struct loader *l, const char *release, const struct entry **e)
{
	const char *why = loader_why_not(ctx, l);

	if (why)
		return why;
	*e = loader_entry(l, release);
	if (!*e)
		return loader_no_entry(ctx, l, release);
	return l->follows || grub_can_follow() ? NULL :
	       "GRUB boots the first entry of its menu, and that would be the new kernel: write GRUB_DEFAULT=saved to "
	       "/etc/default/grub, and make the menu anew";
}

static int proved(struct pd_ctx *ctx, bool once, const char *id)
{
	struct loader now;
	const char *is;

	if (loader_look(ctx, &now) < 0)
		return PD_FAILED;
	is = once ? now.once : now.standing;
	return strcmp(is, id ? id : "") == 0 ? 0 :
	       pd_fail(ctx, PD_FAILED, "%s of %s was set to '%s', and is '%s'", once ? "the next boot" : "the default", now.name,
		       id ? id : "", is);
}

int loader_set_standing(struct pd_ctx *ctx, const struct loader *l, const char *id)
{
	int r = is_grub(l) ? grub_set(ctx, l, "saved_entry", id) : sdboot_set(ctx, "set-default", id);

	return r < 0 ? r : proved(ctx, false, id);
}

int loader_set_once(struct pd_ctx *ctx, const struct loader *l, const char *id)
{
	int r = is_grub(l) ? grub_set(ctx, l, "next_entry", id) : sdboot_set(ctx, "set-oneshot", id);

	return r < 0 ? r : proved(ctx, true, id);
}

int loader_follow(struct pd_ctx *ctx, bool follow) { return sdboot_is_there() ? 0 : grub_follow(ctx, follow); }
bool loader_is_ours(void) { return !sdboot_is_there() && grub_is_ours(); }

int loader_evidence(struct pd_ctx *ctx, const char *file, const char *title)
{
	const char *path = pd_format(ctx, "%s/%s", ctx->work_dir, file), *text;
	struct loader l;

	if (loader_look(ctx, &l) < 0)
		return PD_FAILED;
	text = pd_format(ctx, "loader        %s, boots %s\ndefault       %s\nnext boot     %s\nrunning       %s\n"
			 "kept          %s\n\n", l.name,
			 l.follows ? "the default that is set" : "the first entry", *l.standing ? l.standing : "none is set",
			 *l.once ? l.once : "as always", running(ctx), package_kept(ctx));
	for (size_t i = 0; i < l.len; i++)
		text = pd_format(ctx, "%s%s%s\n  %s\n", text, l.entries[i].release, l.entries[i].recovery ? " (recovery)" : "",
				 l.entries[i].id);
	return pd_write_file(ctx, path, 0600, text, strlen(text)) < 0 ? PD_FAILED : pd_evidence(ctx, path, title);
}
