/* SPDX-License-Identifier: MIT */
/* payload - is the file that is going to be installed the one that was meant? */
#include "driver.h"
#include "../shared/clone.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { SUMS_MAX = 16 << 20, HEX = 64 };

static const char *hexadecimal(const char *digest)
{
	if (strncmp(digest, "sha256:", 7) == 0)
		digest += 7;
	return strlen(digest) == HEX &&
	       strspn(digest, "0123456789abcdef") == HEX ? digest : NULL;
}

const char *driver_listed(struct pd_ctx *ctx, const char *source,
			  const char *name)
{
	const char *path = pd_format(ctx, "%s/SHA256SUMS", source);
	const char *text = pd_read_file(ctx, path, SUMS_MAX, NULL);
	char *rest = text ? (char *)pkg_copy(ctx, text, strlen(text)) : NULL;
	char *line = NULL;

	if (!text || pkg_unsafe(ctx, path, S_IFREG, false))
		return NULL;
	while ((line = pkg_line(&rest)))
		if (strlen(line) > HEX + 2 &&
		    strcmp(line + HEX + 2, name) == 0) {
			line[HEX] = '\0';
			return hexadecimal(line);
		}
	return NULL;
}

static const char *folder_of(struct pd_ctx *ctx, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? "/" : pd_format(ctx, "%.*s", (int)(slash - path),
					       path);
}

static int read_digest(struct pd_ctx *ctx, const char *path,
		       const char *digest, const char *source,
		       const char **wanted)
{
	*wanted = digest ? hexadecimal(digest) : NULL;
	if (digest && !*wanted)
		return pd_fail(ctx, PD_BAD_ARGS, "digest: \"%s\" is no SHA-256 "
			       "(64 small hexadecimal digits)", digest);
	if (*wanted)
		return 0;
	if (!source || strcmp(folder_of(ctx, path), source) != 0)
		return pd_fail(ctx, PD_BAD_ARGS, "the SHA-256 of %s must be "
			       "given as digest, or the package source that "
			       "it is in as source", path);
	*wanted = driver_listed(ctx, source, strrchr(path, '/') + 1);
	return *wanted ? 0 :
	       pd_fail(ctx, PD_REFUSED, "%s/SHA256SUMS has no digest of %s, "
		       "which was not given either; fetch it: `patchday "
		       "catalog fetch`", source, path);
}

int driver_prove(struct pd_ctx *ctx, const char *path, const char *digest,
		 const char *source)
{
	const char *wanted = NULL, *is = NULL, *why = NULL;
	int done = read_digest(ctx, path, digest, source, &wanted);

	if (done < 0)
		return done;
	why = pkg_folder_unsafe(ctx, folder_of(ctx, path));
	why = why ? why : pkg_unsafe(ctx, path, S_IFREG, false);
	if (why)
		return pd_fail(ctx, PD_REFUSED, "%s must not be installed: %s",
			       path, why);
	if (pkg_digests(ctx, &path, 1, &is) < 0)
		return PD_FAILED;
	if (!is || strcmp(is, wanted) != 0)
		return pd_fail(ctx, PD_REFUSED, "%s has SHA-256 %s, not %s; "
			       "fetch it again, and ask which digest is right",
			       path, is ? is : "unknown", wanted);
	return 0;
}

bool driver_in_clone(struct pd_ctx *ctx, const char *what)
{
	if (!clone_here(ctx))
		return false;
	pd_log(ctx, PD_LOG_INFO, "this is a clone, and its hardware is the "
	       "server's own: %s is left out", what);
	return true;
}

int driver_reboot(struct pd_ctx *ctx, bool due, bool asked_before)
{
	return pd_output(ctx, "reboot_required",
			 due || asked_before ? "true" : "false");
}
