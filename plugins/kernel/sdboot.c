/* SPDX-License-Identifier: MIT */
/* systemd-boot: what it left in EFI's variables, and bootctl(1), which sets them. */
#include "kernel.h"

#include <string.h>
#include <unistd.h>

#define FOLDER "/sys/firmware/efi/efivars/"
#define VENDOR "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

enum { HEAD = 4 }; /* of each variable: its attributes */

/* In UTF-16, of which names have ASCII only; several with a NUL behind each, which becomes a newline. */
static const char *variable(struct pd_ctx *ctx, const char *name)
{
	size_t len = 0, n = 0;
	const char *data = pd_read_file(ctx, pd_format(ctx, FOLDER "%s" VENDOR, name), 1 << 20, &len);
	char *out;

	if (!data || len < HEAD)
		return "";
	out = pd_alloc_for(ctx, len);
	for (size_t i = HEAD; i + 1 < len; i += 2)
		out[n++] = data[i + 1] || (data[i] & 0x80) ? '?' : data[i] ? data[i] : '\n';
	while (n && out[n - 1] == '\n')
		out[--n] = '\0';
	return out;
}

bool sdboot_is_there(void)
{
	return access(FOLDER "LoaderInfo" VENDOR, F_OK) == 0 && access(FOLDER "LoaderEntrySelected" VENDOR, F_OK) == 0;
}

/* "PREFIX-RELEASE.conf": the prefix, which is the machine's, is told by the one that runs. */
static void add(struct pd_ctx *ctx, struct loader *l, const char *id, const char *prefix)
{
	size_t len = strlen(id), head = strlen(prefix);
	struct entry e = { .id = id, .release = "", .lasting = true };

	if (*prefix && len > head + 5 && strncmp(id, prefix, head) == 0 && strcmp(id + len - 5, ".conf") == 0) {
		e.release = pd_format(ctx, "%.*s", (int)(len - head - 5), id + head);
		loader_add(ctx, l, &e);
	}
}

/* What bootctl finds on the partition, the newest first: a kernel that came since the last boot is not yet in the variable, which
 * the loader has written then. @return their names, one a line; where it finds no partition, those of the variable. */
static const char *entries(struct pd_ctx *ctx)
{
	static const char *const argv[] = { "bootctl", "list", "--no-pager", NULL };
	struct pd_command_result r = { 0 };
	const char *all = "";

	if (tool(ctx, argv, &r) == 0)
		for (const char *line = r.out; *line; line += strcspn(line, "\n"), line += *line == '\n') {
			const char *name = line + strspn(line, " ");

			if (strncmp(name, "id: ", 4) == 0)
				all = pd_format(ctx, "%s%.*s\n", all, (int)strcspn(name + 4, " \n"), name + 4);
		}
	return *all ? all : variable(ctx, "LoaderEntries");
}

const char *sdboot_look(struct pd_ctx *ctx, struct loader *out)
{
	const char *info = variable(ctx, "LoaderInfo"), *all = entries(ctx);
	const char *selected = variable(ctx, "LoaderEntrySelected");
	const char *end = strstr(selected, pd_format(ctx, "%s.conf", running(ctx)));
	const char *prefix = end ? pd_format(ctx, "%.*s", (int)(end - selected), selected) : "";

	out->name = "systemd-boot";
	out->follows = true;
	out->standing = variable(ctx, "LoaderEntryDefault");
	out->once = variable(ctx, "LoaderEntryOneShot");
	if (strncmp(info, "systemd-boot", 12) != 0)
		return pd_format(ctx, "the boot loader is '%s', of which nothing is known", info);
	while (*all) {
		size_t len = strcspn(all, "\n");

		add(ctx, out, pd_format(ctx, "%.*s", (int)len, all), prefix);
		all += len + (all[len] == '\n');
	}
	return NULL;
}

int sdboot_set(struct pd_ctx *ctx, const char *verb, const char *id)
{
	const char *const argv[] = { "bootctl", verb, id ? id : "", NULL };
	struct pd_command_result r = { 0 };

	return tool(ctx, argv, &r) == 0 ? 0 : pd_fail(ctx, PD_FAILED, "bootctl %s '%s' says: %s", verb, argv[2], r.err);
}
