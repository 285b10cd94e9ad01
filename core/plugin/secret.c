/* SPDX-License-Identifier: MIT */
/* Fetching secrets and blotting them out. */
#include "plugin/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const sources[] = { "env", "file", "credential" };

bool pd_secret_source_check(const json_t *source, struct pd_error **err)
{
	for (size_t i = 0; json_object_size(source) == 1 && i < 3; i++) {
		const char *name = pd_json_text(source, sources[i], "");

		if (*name && (i != 1 || *name == '/') && (i != 2 || !strchr(name, '/')))
			return true;
	}
	return pd_error_set(err, "secret-source",
			    "a secret is given by env = \"NAME\", file = \"/absolute/path\" or credential = \"NAME\"");
}

/* A secret that others can read is none. */
static bool private_file(const char *path, bool credential, struct pd_error **err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return pd_error_errno(err, "secret-missing", errno,
				      "cannot read the secret in %s", path);
	if (!S_ISREG(st.st_mode))
		return pd_error_set(err, "secret-not-private",
				    "the secret's file %s is not a regular file", path);
	if (credential) /* systemd keeps its folder private */
		return true;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return pd_error_set(err, "secret-not-private",
				    "the secret's file %s is owned by user %u, not by root or user %u, who runs this",
				    path, st.st_uid, geteuid());
	if (st.st_mode & 077) {
		pd_error_set(err, "secret-not-private",
			     "the secret's file %s can be used by others (mode %04o)",
			     path, st.st_mode & 07777);
		return pd_error_remedy(err, "chmod 600 %s", path);
	}
	return true;
}

static char *from_file(const char *path, bool credential, struct pd_error **err)
{
	char *value;
	size_t len = 0;

	if (!private_file(path, credential, err))
		return NULL;
	value = pd_file_read(path, 65536, &len, err);
	if (value && strlen(value) != len) {
		pd_error_set(err, "secret-missing", "the secret in %s contains a NUL byte", path);
		pd_secret_free(value);
		return NULL;
	}
	if (value && len && value[len - 1] == '\n')
		value[len - 1] = '\0';
	return value;
}

char *pd_secret_fetch(const json_t *source, struct pd_error **err)
{
	const char *variable = pd_json_text(source, "env", NULL);
	const char *credential = pd_json_text(source, "credential", NULL);
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	pd_auto_free char *path = NULL;
	char *value = NULL;

	if (!pd_secret_source_check(source, err))
		return NULL;
	if (variable) {
		value = pd_strdup(getenv(variable));
		if (!value)
			pd_error_set(err, "secret-missing",
				     "the secret's environment variable %s is not set", variable);
	} else if (credential && !folder) {
		pd_error_set(err, "secret-missing",
			     "there are no systemd credentials here ($CREDENTIALS_DIRECTORY is not set), so no '%s'",
			     credential);
	} else {
		path = credential ? pd_print("%s/%s", folder, credential) :
				    pd_strdup(pd_json_text(source, "file", ""));
		value = from_file(path, credential != NULL, err);
	}
	if (value && strlen(value) < PD_SECRET_LEAST) {
		pd_error_set(err, "secret-too-short",
			     "the secret in %s has fewer than %u characters, so it can't be kept out of messages",
			     variable ? variable : path, PD_SECRET_LEAST);
		pd_secret_free(value);
		return NULL;
	}
	return value;
}

const char *pd_secret_value(const struct pd_secret *secret, size_t *len)
{
	if (len)
		*len = secret->len;
	return secret->value;
}

void pd_secret_free(char *value)
{
	if (value)
		sodium_memzero(value, strlen(value));
	free(value);
}

/* Mark one word in a text: whole ones anywhere, halves at both ends. */
static void mark(char *hide, const char *text, const char *word)
{
	size_t len = strlen(text), n = strlen(word), most = n - 1 < len ? n - 1 : len, k;

	for (const char *hit = text; (hit = strstr(hit, word)); hit++)
		memset(hide + (hit - text), 1, n);
	for (k = most; k >= PD_SECRET_LEAST; k--)
		if (memcmp(text, word + n - k, k) == 0) {
			memset(hide, 1, k);
			break;
		}
	for (k = most; k >= PD_SECRET_LEAST; k--)
		if (memcmp(text + len - k, word, k) == 0) {
			memset(hide + len - k, 1, k);
			break;
		}
}

char *pd_secrets_blot(const struct pd_strings *secrets, const char *text)
{
	pd_auto_free char *hide = pd_alloc(strlen(text));
	pd_auto(pd_buffer) b = {0};

	if (!secrets->len)
		return pd_strdup(text);
	for (size_t i = 0; i < secrets->len; i++) {
		pd_auto_free char *lines = pd_strdup(secrets->items[i]);
		char *rest = NULL;

		mark(hide, text, secrets->items[i]);
		for (char *line = strtok_r(lines, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			if (strlen(line) >= PD_SECRET_LEAST)
				mark(hide, text, line);
	}
	for (size_t i = 0; text[i]; i++)
		if (!hide[i])
			pd_buffer_add(&b, text + i, 1);
		else if (!i || !hide[i - 1])
			pd_buffer_text(&b, "***");
	return pd_buffer_take(&b);
}

bool pd_secrets_in(const struct pd_strings *secrets, const char *text)
{
	for (size_t i = 0; i < secrets->len; i++)
		if (strstr(text, secrets->items[i]))
			return true;
	return false;
}
