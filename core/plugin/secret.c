/* SPDX-License-Identifier: MIT */
/* Fetching secrets from where the operator put them. */
#include "plugin/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const sources[] = { "env", "file", "credential", "prompt" };

/* Typed in by a person, or taken out of the environment: locked in memory, left out
 * of dumps, gone with us.  The newest comes first. */
static struct kept {
	char *source, *name, *value;
	struct kept *next;
} *kept;

static const char *find(const char *source, const char *name)
{
	struct kept *k = kept;

	while (k && (strcmp(k->source, source) != 0 || strcmp(k->name, name) != 0))
		k = k->next;
	return k ? k->value : NULL;
}

static void keep(const char *source, const char *name, const char *value)
{
	struct kept *k = pd_alloc(sizeof(*k));
	size_t size = strlen(value) + 1;

	if (sodium_init() < 0 || !(k->value = sodium_malloc(size)))
		abort(); /* out of memory */
	memcpy(k->value, value, size);
	k->source = pd_strdup(source);
	k->name = pd_strdup(name);
	k->next = kept;
	kept = k;
}

const char *pd_secret_typed(const char *name)
{
	return find("prompt", name);
}

void pd_secret_type(const char *name, char *value_take)
{
	keep("prompt", name, value_take);
	pd_secret_free(value_take);
}

/* In the environment anybody who may look into /proc sees it, and each child has it:
 * its bytes there are written over. */
static const char *from_environment(const char *name)
{
	const char *value = getenv(name);
	size_t len = strlen(name);

	if (value)
		keep("env", name, value);
	for (char **e = environ; e && *e; e++)
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			sodium_memzero(*e + len + 1, strlen(*e + len + 1));
	unsetenv(name);
	return find("env", name);
}

/* From now on there are secrets in this process: no core file, no debugger. */
static void harden(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

bool pd_secret_source_check(const json_t *source, struct pd_error **err)
{
	for (size_t i = 0; json_object_size(source) == 1 && i < 4; i++) {
		const char *name = pd_json_text(source, sources[i], "");

		if (*name && (i != 1 || *name == '/') && (i != 2 || !strchr(name, '/')))
			return true;
	}
	return pd_error_set(err, "secret-source",
			    "a secret is given by env = \"NAME\", file = \"/absolute/path\", credential = \"NAME\""
			    " or prompt = \"NAME\", with --param as file:/absolute/path, env:NAME ...");
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
	const char *prompt = pd_json_text(source, "prompt", NULL);
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	pd_auto_free char *path = NULL;
	char *value = NULL;

	if (!pd_secret_source_check(source, err))
		return NULL;
	harden();
	if (prompt) {
		value = pd_strdup(find("prompt", prompt));
		if (!value)
			pd_error_set(err, "secret-missing", "the secret '%s' was not typed in by"
				     " a person, or is gone with the process that asked", prompt);
	} else if (variable) {
		value = pd_strdup(from_environment(variable));
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
			     prompt ? prompt : variable ? variable : path, PD_SECRET_LEAST);
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
