/* SPDX-License-Identifier: MIT */
/* Does the newest installed kernel run? */
#include "needrestart.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The header of an image for x86 (Documentation/arch/x86/boot.rst). */
#define MAGIC_AT 0x202
#define VERSION_AT 0x20e
#define VERSION_BASE 0x200

static const char *const places[] = { "/boot/vmlinuz-*", "/usr/lib/modules/*/vmlinuz" };

/* "6.1.0-18-amd64 (NAME) #1 SMP Debian 6.1.76-1"; NULL: the image does not tell. */
static const char *banner(struct pd_ctx *ctx, const char *path)
{
	char magic[4] = "", text[512] = "";
	unsigned char at[2] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool told = fd >= 0 && pread(fd, magic, sizeof(magic), MAGIC_AT) == sizeof(magic) &&
		    memcmp(magic, "HdrS", sizeof(magic)) == 0 &&
		    pread(fd, at, sizeof(at), VERSION_AT) == sizeof(at) && (at[0] || at[1]) &&
		    pread(fd, text, sizeof(text) - 1, VERSION_BASE + at[0] + 256 * at[1]) > 0;

	if (fd >= 0)
		close(fd);
	return told ? pd_format(ctx, "%s", text) : NULL;
}

static const char *skip_numbers(const char *s)
{
	return s + strspn(s, "0123456789.");
}

/* 6.1.0-18-amd64 and 6.1.0-20-amd64, but not 6.1.0-20-cloud-amd64: which of
 * two flavours is booted is nobody's mistake. */
static bool same_flavour(const char *a, const char *b)
{
	for (a = skip_numbers(a), b = skip_numbers(b); *a && *a == *b;) {
		a = skip_numbers(a + 1);
		b = skip_numbers(b + 1);
	}
	return !*a && !*b;
}

/* The release in the name of an image, or of the folder it is in. */
static const char *release_of(struct pd_ctx *ctx, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	const char *start = path + strlen("/usr/lib/modules/");

	return strncmp(name, "vmlinuz-", 8) == 0 ? pd_format(ctx, "%s", name + 8) :
	       pd_format(ctx, "%.*s", (int)(name - start - 1), start);
}

static void look_at(struct pd_ctx *ctx, const char *path, const struct utsname *uts,
		    struct kernel *out)
{
	const char *release = release_of(ctx, path), *text;

	if (!same_flavour(release, uts->release))
		return;
	if (!*out->newest || strverscmp(release, out->newest) > 0)
		out->newest = release;
	if (strcmp(release, uts->release) != 0)
		return;
	if (strcmp(out->state, "unknown") == 0)
		out->state = "current";
	text = banner(ctx, path);
	if (text && !strstr(text, uts->version)) /* of the same name, and built anew */
		out->state = "outdated";
}

void kernel_look(struct pd_ctx *ctx, struct kernel *out)
{
	struct utsname uts;
	glob_t found;

	*out = (struct kernel){ "unknown", "", "" };
	if (uname(&uts) < 0)
		return;
	out->running = pd_format(ctx, "%s", uts.release);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (glob(places[i], 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++)
			look_at(ctx, found.gl_pathv[k], &uts, out);
		globfree(&found);
	}
	if (*out->newest && strverscmp(out->newest, out->running) > 0)
		out->state = "outdated";
}
