/* SPDX-License-Identifier: MIT */
/* The plugin sdp: the files of a package, and how they are installed. */
#include <string.h>

#include "sdp.h"

/* Base64 of a digest as "ALGORITHM:HEX"; NULL: it is none. */
static const char *digest(struct tree *t, const char *base64)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const struct { const char *name; size_t bytes; } known[] = {
		{ "md5", 16 }, { "sha1", 20 }, { "sha256", 32 }, { "sha384", 48 }, { "sha512", 64 } };
	char hex[2 * 64 + 1] = "";
	unsigned bits = 0, held = 0;
	size_t bytes = 0;

	for (; *base64 && *base64 != '='; base64++) {
		const char *at = strchr(digits, *base64);

		if (!at || bytes == 64)
			return NULL;
		held = held << 6 | (unsigned)(at - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		hex[2 * bytes] = "0123456789abcdef"[held >> bits >> 4 & 15];
		hex[2 * bytes++ + 1] = "0123456789abcdef"[held >> bits & 15];
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (bytes == known[i].bytes && !base64[strspn(base64, "=")])
			return tree_print(t, "%s:%s", known[i].name, hex);
	return NULL;
}

/* The strongest of the Digest and the AdditionalDigest elements. */
static const char *strongest(struct tree *t, const struct node *file)
{
	const char *text = tree_attr(t, file, "Digest"), *best = text ? digest(t, text) : NULL;

	if (text && !best)
		pd_ignored(t->ctx, file->line, tree_print(t, "the digest \"%s\" is no base64 of a "
			"known length", text));
	TREE_EACH(more, file, "AdditionalDigest") {
		const char *other = digest(t, more->text);

		if (other && (!best || strlen(other) > strlen(best)))
			best = other;
	}
	return best;
}

int sdp_payloads(struct tree *t, const struct node *package)
{
	TREE_EACH(item, package, "InstallableItem")
	TREE_EACH(file, item, "OriginFile") {
		const char *name = tree_attr(t, file, "FileName"), *url = tree_attr(t, file, "OriginUri");
		const char *size = tree_attr(t, file, "Size");
		struct pd_payload p = { .size = sizeof(p), .url = url ? url : name, .name = name,
					.bytes = -1, .digest = strongest(t, file) };

		if (!p.url) {
			pd_ignored(t->ctx, file->line, "a file has neither OriginUri nor FileName");
			continue;
		}
		if (size && (!pd_parse(t->ctx, PD_T_INT, size, &p.bytes) || p.bytes < 0)) {
			pd_ignored(t->ctx, file->line, tree_print(t, "\"%s\" is no size of a file", size));
			p.bytes = -1;
		}
		if (pd_update_payload(t->ctx, &p))
			return PD_FAILED;
	}
	return 0;
}

/* ------------------------------------------------------------ exit status */

/* The statuses of an update, each of which counts once. */
struct statuses {
	struct { int64_t code; enum pd_exit meaning; } *items;
	size_t len;
};

static int status(struct tree *t, struct statuses *all, const struct node *n, int64_t code,
		  enum pd_exit meaning)
{
	for (size_t i = 0; i < all->len; i++)
		if (all->items[i].code == code) {
			if (all->items[i].meaning != meaning)
				pd_ignored(t->ctx, n->line, tree_print(t, "return code %lld has another "
					"meaning above, which counts", (long long)code));
			return 0;
		}
	all->items[all->len].code = code;
	all->items[all->len++].meaning = meaning;
	return pd_update_exit(t->ctx, &(struct pd_exit_row){
		.size = sizeof(struct pd_exit_row), .meaning = meaning, .status = code });
}

static bool is_true(const char *word)
{
	return word && (strcmp(word, "true") == 0 || strcmp(word, "1") == 0);
}

static enum pd_exit meaning_of(const char *result, bool reboot)
{
	if (result && strcmp(result, "Succeeded") == 0)
		return reboot ? PD_EXIT_SUCCESS_REBOOT : PD_EXIT_SUCCESS;
	if (result && strncmp(result, "Cancel", 6) == 0) /* by who sat there */
		return PD_EXIT_NEEDS_OPERATOR;
	return reboot ? PD_EXIT_FAILED_REBOOT : PD_EXIT_FAILED;
}

static int return_codes(struct tree *t, struct statuses *all, const struct node *installer)
{
	const char *otherwise = tree_attr(t, installer, "DefaultResult");
	int result = 0;

	TREE_EACH(n, installer, "ReturnCode") {
		const char *text = tree_attr(t, n, "Code");
		int64_t code = 0;

		if (!text || !pd_parse(t->ctx, PD_T_INT, text, &code))
			pd_ignored(t->ctx, n->line, tree_print(t, "\"%s\" is no return code", text ? text : ""));
		else
			result = status(t, all, n, code, meaning_of(tree_attr(t, n, "Result"),
				is_true(tree_attr(t, n, "Reboot"))));
		if (result)
			return result;
	}
	if ((otherwise && strcmp(otherwise, "Failed") != 0) ||
	    is_true(tree_attr(t, installer, "RebootByDefault")))
		pd_ignored(t->ctx, installer->line, tree_print(t, "DefaultResult \"%s\": a return code "
			"that is not listed counts as failed", otherwise ? otherwise : "Failed"));
	return 0;
}

/* What the Windows Installer returns, winerror.h. */
static int msi_codes(struct tree *t, struct statuses *all, const struct node *installer)
{
	static const struct { int64_t code; enum pd_exit meaning; } known[] = {
		{ 0, PD_EXIT_SUCCESS }, { 1602, PD_EXIT_NEEDS_OPERATOR }, { 1618, PD_EXIT_RETRY_LATER },
		{ 1633, PD_EXIT_NOT_APPLICABLE }, { 1638, PD_EXIT_ALREADY_INSTALLED },
		{ 1641, PD_EXIT_SUCCESS_REBOOT }, { 1642, PD_EXIT_NOT_APPLICABLE },
		{ 3010, PD_EXIT_SUCCESS_REBOOT } };
	int result = 0;

	if (all->len) /* of the item before */
		return 0;
	for (size_t i = 0; !result && i < sizeof(known) / sizeof(*known); i++)
		result = status(t, all, installer, known[i].code, known[i].meaning);
	return result;
}

/* ------------------------------------------------------------- installers */

/* The value of the first of these attributes that is there. */
static const char *any_of(struct tree *t, const struct node *n, const char *const *names)
{
	const char *value = NULL;

	while (!value && *names)
		value = tree_attr(t, n, *names++);
	return value;
}

static int command(struct tree *t, unsigned kind, const char *program, const char *arguments)
{
	return pd_update_installer(t->ctx, &(struct pd_installer){
		.size = sizeof(struct pd_installer), .kind = kind, .command = program,
		.arguments = arguments });
}

static int installer(struct tree *t, const struct node *item, const struct node *n,
		     struct statuses *all)
{
	static const char *const files[] = { "Program", "MsiFile", "MspFile", NULL };
	static const char *const lines[] = { "Arguments", "CommandLine", NULL };
	bool msi = strncmp(n->name, "Ms", 2) == 0; /* Msi..., Msp... */
	const char *program = any_of(t, n, files);
	const char *back = tree_attr(t, n, "UninstallCommandLine");

	if (!program && msi) /* a patch has the name of its file only there */
		program = tree_attr(t, tree_child(item, "OriginFile"), "FileName");
	if (!program) {
		pd_ignored(t->ctx, n->line, tree_print(t, "<%s> names no program", n->name));
		return 0;
	}
	if (command(t, PD_INSTALL, program, any_of(t, n, lines)) ||
	    (back && command(t, PD_UNINSTALL, program, back)))
		return PD_FAILED;
	return tree_child(n, "ReturnCode") || !msi ? return_codes(t, all, n) : msi_codes(t, all, n);
}

int sdp_installers(struct tree *t, const struct node *package)
{
	struct statuses all = { .len = 0 };
	size_t n = 8;

	TREE_EACH(item, package, "InstallableItem")
		TREE_EACH(data, item, NULL)
			TREE_EACH(code, data, "ReturnCode")
				n++;
	all.items = tree_alloc(t, n * sizeof(*all.items));
	TREE_EACH(item, package, "InstallableItem")
	TREE_EACH(data, item, NULL) {
		const char *end = strstr(data->name, "InstallerData");

		if (end && !end[13] && installer(t, item, data, &all))
			return PD_FAILED;
	}
	return 0;
}
