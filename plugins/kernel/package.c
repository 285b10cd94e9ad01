/* SPDX-License-Identifier: MIT */
/* The package of a kernel is kept from autoremove, by a setting of apt. */
#include "kernel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/etc/apt/apt.conf.d"
#define OURS FOLDER "/zz-patchday-kernel"
#define MARK "// kernel: "

static const char *quoted(struct pd_ctx *ctx, const char *release)
{
	char *out = pd_alloc_for(ctx, 2 * strlen(release) + 1), *to = out;

	for (; *release; release++) {
		if (strchr(".+*?[](){}^$|\\", *release))
			*to++ = '\\';
		*to++ = *release;
	}
	return out;
}

static const char *text_for(struct pd_ctx *ctx, const char *release)
{
	const char *name = quoted(ctx, release);

	return pd_format(ctx, "// Made by patchday (kernel.keep): the kernel to fall back to stays installed until a new "
			 "one\n// is confirmed.\n"
			 MARK "%s\nAPT::NeverAutoRemove { \"^linux-image-(unsigned-)?%s(-unsigned)?$\"; \"^linux-modules(-extra)?-%s$\"; };\n",
			 release, name, name);
}

const char *package_kept(struct pd_ctx *ctx)
{
	const char *text = pd_read_file(ctx, OURS, 65536, NULL), *at = text ? strstr(text, "\n" MARK) : NULL;

	if (!at)
		return "";
	at += strlen("\n" MARK);
	return pd_format(ctx, "%.*s", (int)strcspn(at, "\n"), at);
}

bool package_is_kept(struct pd_ctx *ctx, const char *release)
{
	return access(FOLDER, F_OK) < 0 || strcmp(package_kept(ctx), release) == 0;
}

int package_keep(struct pd_ctx *ctx, const char *release)
{
	const char *text = release && *release ? text_for(ctx, release) : NULL;

	if (access(FOLDER, F_OK) < 0)
		return 0;
	if (text)
		return pd_write_file(ctx, OURS, 0644, text, strlen(text));
	return unlink(OURS) == 0 || errno == ENOENT ? 0 : pd_fail(ctx, PD_FAILED, "cannot remove " OURS ": %s", strerror(errno));
}
