/* SPDX-License-Identifier: MIT */
/* Attributes: what a file has beside bytes, mode and owner: lists of who may do
 * what (ACLs), capabilities, and those of users. */
#include "look.h"

#include <errno.h>
#include <sys/xattr.h>

#include "base/text.h"

/* The overlay's own, and those that the kernel gives by itself: a label or a
 * digest of a security module is another one where a file is copied to. */
static bool is_ours(const char *name)
{
	static const char *const others[] = { "trusted.overlay.", "user.overlay.",
		"security.selinux", "security.SMACK64", "security.apparmor", "security.ima",
		"security.evm" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strncmp(name, others[i], strlen(others[i])) == 0)
			return false;
	return true;
}

static void names_of(const char *path, struct pd_strings *out)
{
	ssize_t n = llistxattr(path, NULL, 0);
	pd_auto_free char *all = n > 0 ? pd_alloc((size_t)n) : NULL;

	n = all ? llistxattr(path, all, (size_t)n) : 0;
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(all + at) + 1)
		if (is_ours(all + at))
			pd_strings_add(out, all + at);
}

/* The digest of its value; "" if it has none of that name. */
static void value_of(const char *path, const char *name, pd_digest out)
{
	ssize_t n = lgetxattr(path, name, NULL, 0);
	pd_auto_free char *value = n >= 0 ? pd_alloc((size_t)n + 1) : NULL;

	*out = '\0';
	n = value ? lgetxattr(path, name, value, (size_t)n) : -1;
	if (n >= 0)
		pd_digest_data(value, (size_t)n, out);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *look_attributes(const char *path)
{
	pd_auto(pd_strings) names = {0};
	pd_auto(pd_buffer) out = {0};

	names_of(path, &names);
	if (names.len)
		qsort(names.items, names.len, sizeof(*names.items), by_name);
	for (size_t i = 0; i < names.len; i++) {
		pd_digest value;

		value_of(path, names.items[i], value);
		pd_buffer_print(&out, "%s%s %.12s", i ? ", " : "", names.items[i], value);
	}
	return out.len ? pd_utf8_text(out.data) : NULL; /* names can be any bytes */
}

/* To copy it up, the kernel leaves out what the upper file system can't hold:
 * attributes of users, where memory has none (before Linux 6.6). */
static bool can_hold(const char *upper, const char *name)
{
	return lgetxattr(upper, name, NULL, 0) >= 0 || errno != EOPNOTSUPP;
}

bool look_same_attributes(const char *upper, const char *lower)
{
	pd_auto(pd_strings) now = {0}, was = {0};
	size_t missing = 0;

	names_of(upper, &now);
	names_of(lower, &was);
	for (size_t i = 0; i < was.len; i++) {
		pd_digest a, b;

		if (!pd_strings_has(&now, was.items[i])) {
			if (can_hold(upper, was.items[i]))
				return false;
			missing++;
			continue;
		}
		value_of(upper, was.items[i], a);
		value_of(lower, was.items[i], b);
		if (strcmp(a, b) != 0)
			return false;
	}
	return now.len + missing == was.len;
}
