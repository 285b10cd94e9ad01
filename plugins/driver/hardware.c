/* SPDX-License-Identifier: MIT */
/* hardware - the devices of the server against patterns, and its drivers. */
#include "driver.h"

#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Four hexadecimal digits, or "*" for any, in capitals as the kernel has it. */
static bool half(const char *text, size_t len, char out[5])
{
	if (len == 1 && *text == '*') {
		memcpy(out, "*", 2);
		return true;
	}
	for (size_t i = 0; i < 4; i++) {
		if (len != 4 || !isxdigit((unsigned char)text[i]))
			return false;
		out[i] = (char)toupper((unsigned char)text[i]);
	}
	out[4] = '\0';
	return true;
}

/*
 * "pci:8086:1237" and "usb:04f9:0027" as a pattern of the kernel's modalias;
 * everything else is such a pattern already ("dmi:*svnDell*", "pci:v0000...").
 */
static const char *as_modalias(struct pd_ctx *ctx, const char *pattern)
{
	bool pci = strncmp(pattern, "pci:", 4) == 0;
	const char *colon = strchr(pattern, ':');
	const char *second = colon ? strchr(colon + 1, ':') : NULL;
	char vendor[5] = "", device[5] = "";

	if (!colon || colon == pattern)
		return NULL;
	if (strncmp(pattern, "re:", 3) == 0)
		return pattern;
	if ((!pci && strncmp(pattern, "usb:", 4) != 0) || !second ||
	    !half(colon + 1, (size_t)(second - colon - 1), vendor) ||
	    !half(second + 1, strlen(second + 1), device))
		return second && (pci || strncmp(pattern, "usb:", 4) == 0) ?
		       NULL : pattern;
	if (pci)
		return pd_format(ctx, "pci:v%s%sd%s%ssv*",
				 *vendor == '*' ? "" : "0000", vendor,
				 *device == '*' ? "" : "0000", device);
	return pd_format(ctx, "usb:v%sp%sd*", vendor, device);
}

/* A pattern, or behind "re:" a regular expression as catalogs have them. */
static bool fits(const char *pattern, const char *alias)
{
	regex_t compiled;
	bool found = false;

	if (strncmp(pattern, "re:", 3) != 0)
		return fnmatch(pattern, alias, 0) == 0;
	if (regcomp(&compiled, pattern + 3, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	found = regexec(&compiled, alias, 0, NULL, 0) == 0;
	regfree(&compiled);
	return found;
}

bool driver_fits(const char *name, const struct pd_list *patterns)
{
	for (size_t i = 0; i < patterns->len; i++)
		if (fits(patterns->items[i], name))
			return true;
	return false;
}

static const char *driver_of(struct pd_ctx *ctx, const char *device)
{
	char target[PATH_MAX] = "";
	const char *link = pd_format(ctx, "%s/driver", device);
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n <= 0)
		return "no driver";
	return pd_format(ctx, "driver %s", strrchr(target, '/') ?
			 strrchr(target, '/') + 1 : target);
}

static void look_at(struct pd_ctx *ctx, const char *device,
		    const char *const *patterns, size_t n,
		    struct pkg_text *found)
{
	const char *text = pd_read_file(ctx, pd_format(ctx, "%s/modalias",
						       device), 65536, NULL);
	char *alias = text ? (char *)pkg_copy(ctx, text, strlen(text)) : NULL;

	if (!alias || !*alias)
		return;
	alias[strcspn(alias, "\n")] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (fits(patterns[i], alias)) {
			pkg_printf(found, "%s %s %s\n", device, alias,
				   driver_of(ctx, device));
			return;
		}
	}
}

static void look_at_bus(struct pd_ctx *ctx, const char *bus,
			const char *const *patterns, size_t n,
			struct pkg_text *found)
{
	const char *folder = pd_format(ctx, "/sys/bus/%s/devices", bus);
	DIR *dir = opendir(folder);
	const struct dirent *entry = NULL;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			look_at(ctx, pd_format(ctx, "%s/%s", folder,
					       entry->d_name), patterns, n,
				found);
	if (dir)
		closedir(dir);
}

const char *driver_devices(struct pd_ctx *ctx, const struct pd_list *match)
{
	const char **patterns = pd_alloc_for(ctx, (match->len + 1) *
					     sizeof(*patterns));
	struct pkg_text found = { .ctx = ctx };
	const struct dirent *entry = NULL;
	DIR *dir = NULL;

	for (size_t i = 0; i < match->len; i++) {
		patterns[i] = as_modalias(ctx, match->items[i]);
		if (!patterns[i]) {
			pd_fail(ctx, PD_BAD_ARGS, "match: \"%s\" must be "
				"pci:VVVV:DDDD, usb:VVVV:PPPP (hexadecimal, or "
				"* for any) or a pattern of a modalias such as "
				"dmi:*svnVendor*", match->items[i]);
			return NULL;
		}
	}
	look_at(ctx, "/sys/class/dmi/id", patterns, match->len, &found);
	dir = opendir("/sys/bus");
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			look_at_bus(ctx, entry->d_name, patterns, match->len,
				    &found);
	if (dir)
		closedir(dir);
	return found.s ? found.s : "";
}

/* What a tool says; that it is not there is an answer too. */
static int tool(struct pd_ctx *ctx, struct pkg_text *text, const char *title,
		const char *const argv[], bool count)
{
	struct pd_command_result result = { 0 };
	size_t lines = 0;

	if (access(argv[0], X_OK) < 0) {
		pkg_printf(text, "== %s\n(not on this server)\n", title);
		return 0;
	}
	if (pd_run(ctx, argv, &result) < 0)
		return PD_FAILED;
	for (const char *at = result.out; count && (at = strchr(at, '\n'));
	     at++)
		lines++;
	pkg_printf(text, "== %s\n", title);
	if (result.status != 0)
		pkg_printf(text, "(status %d) %s\n", result.status, result.err);
	else if (count)
		pkg_printf(text, "%zu\n", lines);
	else
		pkg_printf(text, "%s", result.out);
	return 0;
}

int driver_evidence(struct pd_ctx *ctx, const char *when, const char *package,
		    const char *devices)
{
	const char *query[] = { "/usr/bin/dpkg-query", "-W",
				"-f=${Package} ${Architecture} ${Version} "
				"${db:Status-Status}\\n", package, NULL };
	const char *models[] = { "/usr/sbin/lpinfo", "-m", NULL };
	const char *path = pd_format(ctx, "%s/drivers-%s.txt", ctx->work_dir,
				     when);
	const char *modules = pd_read_file(ctx, "/proc/modules",
					   (size_t)1 << 20, NULL);
	struct pkg_text text = { .ctx = ctx };

	pkg_printf(&text, "== matching devices\n%s",
		   *devices ? devices : "(not asked for)\n");
	if ((package && tool(ctx, &text, "package", query, false) < 0) ||
	    tool(ctx, &text, "printer models (lpinfo -m)", models, true) < 0)
		return PD_FAILED;
	pkg_printf(&text, "== kernel modules\n%s", modules ? modules : "");
	if (pd_write_file(ctx, path, 0600, text.s, text.len) < 0)
		return PD_FAILED;
	return pd_evidence(ctx, path, pd_format(ctx, "drivers %s", when));
}

/* The modules that a package brings. */
static int explain_modules(struct pd_ctx *ctx, struct pkg_text *text,
			   const char *package)
{
	const char *argv[] = { "/usr/bin/dpkg-query", "-L", package, NULL };
	struct pd_command_result result = { 0 };
	char *rest = NULL, *line = NULL;

	if (pd_run(ctx, argv, &result) < 0)
		return PD_FAILED;
	rest = (char *)pkg_copy(ctx, result.out, result.out_len);
	while ((line = pkg_line(&rest))) {
		char *name = strrchr(line, '/');
		char *end = name ? strstr(name, ".ko") : NULL;

		if (!end)
			continue;
		*end = '\0';
		for (char *c = name; *c; c++)
			*c = (char)(*c == '-' ? '_' : *c);
		pkg_printf(text, "module %s\n", name + 1);
	}
	return 0;
}

int driver_explain_devices(struct pd_ctx *ctx, const char *devices,
			   const char *package)
{
	struct pkg_text text = { .ctx = ctx };
	char *rest = (char *)pkg_copy(ctx, devices, strlen(devices));
	char *line = NULL;

	if (!*devices)
		pkg_printf(&text, "any -\n");
	while ((line = pkg_line(&rest))) {
		const char *path = pkg_field(&line, ' ');

		if (strncmp(path, "/sys/class/dmi/", 15) == 0)
			pkg_printf(&text, "dmi -\n");
		else
			pkg_printf(&text, "device %s\n",
				   strrchr(path, '/') + 1);
	}
	if (package && explain_modules(ctx, &text, package) < 0)
		return PD_FAILED;
	return driver_explain(ctx, text.s);
}
