/* SPDX-License-Identifier: MIT */
/* Functions of the command line: files, other programs, and signatures. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "report/seal.h"
#include "xml/xml.h"

enum { OUTPUT_MAX = 64 << 20, XML_MAX = 4 << 20, KEY_MAX = 4 << 20 };
#define SIGNED_MAX ((size_t)4 << 30)

static json_t *failed(struct pd_error **err, const char *what, const char *path)
{
	pd_error_errno(err, "file-write", errno, "cannot %s %s", what, path);
	return NULL;
}

/* What is written takes the place of what is there, which must be no device, pipe or
 * folder, nor a link of the system's such as /dev/stdout. */
static bool may_replace(const char *path, struct pd_error **err)
{
	bool of_system = strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
	struct stat st, link;

	if ((stat(path, &st) < 0 || S_ISREG(st.st_mode)) &&
	    !(of_system && lstat(path, &link) == 0 && S_ISLNK(link.st_mode)))
		return true;
	pd_error_set(err, "file-write", "cannot write %s: it is no regular file", path);
	pd_error_remedy(err, "Give the name of a file, which is made, or replaced.");
	return false;
}

/* write(path, text, mode): atomically. */
PD_CORE(write_)
{
	const json_t *text = json_array_get(args, 1);
	mode_t mode = (mode_t)json_integer_value(json_array_get(args, 2));

	return may_replace(pd_core_text(args, 0), err) &&
	       pd_file_write(pd_core_text(args, 0), mode, json_string_value(text),
			     json_string_length(text), err) ? json_true() : NULL;
}

/* begin(path), add(file, text), finish(file, path, mode, failed): write() piece by piece;
 * add() tells with what it failed, 0: it did not. */
PD_CORE(begin)
{
	int fd = may_replace(pd_core_text(args, 0), err) ? pd_file_begin(pd_core_text(args, 0), err) : -1;

	return fd < 0 ? NULL : json_integer(fd);
}

PD_CORE(add)
{
	const json_t *text = json_array_get(args, 1);

	return json_integer(pd_write_all((int)json_integer_value(json_array_get(args, 0)),
			    json_string_value(text), json_string_length(text)) ? 0 : errno);
}

PD_CORE(finish)
{
	pd_auto_close int fd = (int)json_integer_value(json_array_get(args, 0));

	return pd_file_end(fd, pd_core_text(args, 1), (mode_t)json_integer_value(json_array_get(args, 2)),
			   (int)json_integer_value(json_array_get(args, 3)), err) ? json_true() : NULL;
}

/* folder(path): made, with those above it, for its owner alone. */
PD_CORE(folder)
{
	return pd_make_folders(pd_core_text(args, 0), err) ? json_true() : NULL;
}

/* rename(from, to) */
PD_CORE(rename_)
{
	return rename(pd_core_text(args, 0), pd_core_text(args, 1)) == 0 ? json_true() :
	       failed(err, "rename to", pd_core_text(args, 1));
}

/* link(target, path): a symbolic link; one that is there already is replaced
 * at once. */
PD_CORE(link_)
{
	const char *path = pd_core_text(args, 1);
	pd_auto_free char *fresh = pd_print("%s.patchday-new", path);

	unlink(fresh);
	return symlink(pd_core_text(args, 0), fresh) == 0 && rename(fresh, path) == 0 ?
	       json_true() : failed(err, "make the link", path);
}

/* temporary(): a new folder for its owner alone; the caller removes it. */
PD_CORE(temporary)
{
	pd_auto_free char *path = pd_strdup("/tmp/patchday-XXXXXX");

	return mkdtemp(path) ? json_string(path) : failed(err, "make", path);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

/* remove(path): with all that is in it; nothing there is no error. */
PD_CORE(remove_)
{
	const char *path = pd_core_text(args, 0);

	/* not FTW_MOUNT: on an overlay files and folders have other device numbers */
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT ?
	       json_true() : failed(err, "remove", path);
}

/* digest(path, text): SHA-256 of a file, or (nil) of a text. */
PD_CORE(digest)
{
	const json_t *text = json_array_get(args, 1);
	pd_digest sha256;

	if (!text)
		return pd_digest_file(pd_core_text(args, 0), sha256, NULL, err) ?
		       json_string(sha256) : NULL;
	pd_digest_data(json_string_value(text), json_string_length(text), sha256);
	return json_string(sha256);
}

/* lock(path, wait): until unlock() or the end of this process; nil: another one
 * has it, and that is not waited for. */
PD_CORE(lock)
{
	const char *path = pd_core_text(args, 0);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return failed(err, "open", path);
	if (flock(fd, LOCK_EX | (json_is_true(json_array_get(args, 1)) ? 0 : LOCK_NB)) == 0)
		return json_integer(fd);
	close(fd);
	return NULL;
}

/* unlock(lock) */
PD_CORE(unlock)
{
	close((int)json_integer_value(json_array_get(args, 0)));
	return NULL;
}

/* trusted(path, folder): nobody else can change this file, or this folder and those above it. */
PD_CORE(trusted)
{
	return (json_is_true(json_array_get(args, 1)) ? pd_trusted_folder : pd_trusted_file)(
		pd_core_text(args, 0), err) ? json_true() : NULL;
}

/* decode(text): JSON. */
PD_CORE(decode)
{
	const json_t *text = json_array_get(args, 0);

	return pd_json_parse(json_string_value(text), json_string_length(text), "JSON", err);
}

/* number(kind, text): of "bytes" or "seconds" as people write them; or nil. */
PD_CORE(number)
{
	const char *text = pd_core_text(args, 1);
	int64_t n = 0;
	bool ok = strcmp(pd_core_text(args, 0), "bytes") == 0 ? pd_parse_bytes(text, &n) :
							      pd_parse_seconds(text, &n);

	return ok ? json_integer(n) : NULL;
}

/* ------------------------------------------------------------ programs */

static _Noreturn void become(char *const *argv, int in, int out, int err)
{
	static const char path[] = "/usr/sbin:/usr/bin:/sbin:/bin";

	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    (err >= 0 && dup2(err, STDERR_FILENO) < 0))
		_exit(126);
	setenv("PATH", path, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	execvp(argv[0], argv);
	_exit(127);
}

/* All that a program has written to one of its outputs, as UTF-8. */
static json_t *written(int fd)
{
	struct stat st = {0};
	size_t len;
	json_t *text;
	char *data;

	fstat(fd, &st);
	len = st.st_size < OUTPUT_MAX ? (size_t)st.st_size : OUTPUT_MAX;
	data = pd_alloc(len + 1);
	if (pread(fd, data, len, 0) != (ssize_t)len)
		len = 0;
	for (size_t i = 0; i < len && !pd_utf8_valid(data, len); i++)
		if (data[i] & 0x80)
			data[i] = '?';
	text = json_stringn_nocheck(data, len);
	free(data);
	return text;
}

/* What the blocks of ASCII armor in a key file hold (RFC 9580, 6.2: the line of the sum
 * may be missing), or the file as it is. */
static bool write_key(int fd, const char *path, struct pd_error **err)
{
	static const char begin[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
	size_t len = 0, n = 0;
	pd_auto_free char *text = pd_file_read(path, KEY_MAX, &len, err);
	pd_auto_free unsigned char *bytes = pd_alloc(len + 1);
	char *block = text ? strstr(text, begin) : NULL, *to = text;

	if (!text || !block)
		return text && pd_write_all(fd, text, len);
	for (const char *from = text; (*to = *from) != '\0'; from++)
		to += *to != '\r';
	for (block = strstr(text, begin); block; block = strstr(block + 1, begin)) {
		char *body = strstr(block, "\n\n"), *end = strstr(block, "\n-----END PGP"),
			*sum = body ? strstr(body, "\n=") : NULL;
		size_t size = body && end && body < end ? (size_t)((sum && sum < end ? sum : end) - body) : 0;

		if (sodium_base642bin(bytes, len, body, size, "\n", &n, NULL,
				      sodium_base64_VARIANT_ORIGINAL) < 0 || n == 0)
			return pd_error_set(err, "trust", "%s is no OpenPGP key", path);
		if (!pd_write_all(fd, bytes, n))
			return false;
	}
	return true;
}

static bool write_input(int fd, const json_t *input, struct pd_error **err)
{
	const char *key = pd_json_text(input, "key", NULL);

	return (key ? write_key(fd, key, err) : !json_is_string(input) ||
		pd_write_all(fd, json_string_value(input), json_string_length(input))) &&
	       lseek(fd, 0, SEEK_SET) == 0;
}

/* tool(argv, input, shown): {status, out, err} of a program; no shell.  Input is
 * a text, or {key}: a file with an OpenPGP key, without its armor.  Shown: its
 * errors go where ours go. */
PD_CORE(tool)
{
	const json_t *word;
	bool shown = json_is_true(json_array_get(args, 2));
	pd_auto_close int in = memfd_create("input", MFD_CLOEXEC), out = memfd_create("output", MFD_CLOEXEC),
		errors = memfd_create("errors", MFD_CLOEXEC);
	pd_auto(pd_strings) argv = {0};
	int status = 0;
	pid_t pid;
	size_t i;

	json_array_foreach(json_array_get(args, 0), i, word)
		pd_strings_add(&argv, json_string_value(word));
	pd_strings_add_take(&argv, NULL);
	if (!write_input(in, json_array_get(args, 1), err))
		return *err ? NULL : failed(err, "write for", argv.items[0]);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		become(argv.items, in, out, shown ? -1 : errors);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid < 0 ? failed(err, "start", argv.items[0]) : json_pack("{s:i, s:o, s:o}", "status",
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), "out", written(out),
		"err", written(errors));
}

/* --------------------------------------------------------- signatures */

/* sign(path, key, comment): its signature file in minisign's format. */
PD_CORE(sign)
{
	const char *key = pd_core_text(args, 1);
	pd_auto(pd_seal_key) k = {0};
	size_t len = 0;
	pd_auto_free char *data = NULL, *text = NULL;

	if (!pd_seal_read(key ? key : PD_SEAL_KEY, &k, err))
		return NULL;
	data = pd_file_read(pd_core_text(args, 0), SIGNED_MAX, &len, err);
	text = data ? pd_seal_sign(&k, data, len, pd_core_text(args, 2)) : NULL;
	return text ? json_string(text) : NULL;
}

/* signed(path, path of the signature, public key): {key, comment}. */
PD_CORE(signed_)
{
	const char *key = pd_core_text(args, 2);
	pd_auto(pd_seal_key) k = {0};
	pd_auto_free char *data = NULL, *text = NULL, *comment = NULL;
	size_t len = 0;

	if (!pd_seal_read_public(key ? key : PD_SEAL_PUBLIC, &k, err))
		return NULL;
	text = pd_file_read(pd_core_text(args, 1), 1 << 16, NULL, err);
	data = text ? pd_file_read(pd_core_text(args, 0), SIGNED_MAX, &len, err) : NULL;
	return data && pd_seal_check_any(&k, data, len, text, &comment, err) ?
	       json_pack("{s:s, s:s}", "key", k.name, "comment", comment) : NULL;
}

/* ---------------------------------------------------------------- XML */

/* What the handlers get: elements that are not closed yet, the innermost last. */
static int on_start(struct pd_ctx *ctx, void *user, const char *ns, const char *name,
		    const struct pd_xml_attr *attrs, size_t n)
{
	json_t *open = user, *values = json_object(), *children = json_array(), *element, *above;

	(void)ctx;
	for (size_t i = 0; i < n; i++)
		json_object_set_new(values, attrs[i].name, json_string(attrs[i].value));
	element = json_pack("{s:s, s:s*, s:i, s:o, s:o, s:s}", "name", name, "ns", ns, "line",
		(int)pd_xml_row(), "attrs", values, "children", children, "text", "");
	above = json_array_get(open, json_array_size(open) - 1);
	json_array_append(json_object_get(above, "children"), element);
	json_array_append_new(open, element);
	return 0;
}

static int on_end(struct pd_ctx *ctx, void *user, const char *ns, const char *name)
{
	json_t *open = user;

	(void)ctx, (void)ns, (void)name;
	json_array_remove(open, json_array_size(open) - 1);
	return 0;
}

static int on_text(struct pd_ctx *ctx, void *user, const char *text, size_t len)
{
	json_t *open = user, *element = json_array_get(open, json_array_size(open) - 1);
	const json_t *before = json_object_get(element, "text");

	(void)ctx;
	json_object_set_new(element, "text", json_sprintf("%s%.*s", json_string_value(before),
							  (int)len, text));
	return 0;
}

static ssize_t from_file(void *user, void *buffer, size_t len, struct pd_error **err)
{
	ssize_t n = read(*(int *)user, buffer, len);

	if (n < 0)
		pd_error_errno(err, "file-read", errno, "it can't be read");
	return n;
}

/* xml(path): a small document: {name, ns, line, attrs, children, text}. */
PD_CORE(xml)
{
	const char *path = pd_core_text(args, 0);
	struct pd_xml_limits limits = { .bytes = XML_MAX, .depth = 32, .text = 1 << 16 };
	pd_auto_json *tree = json_pack("[{s:[]}]", "children");
	pd_auto_json *root = json_incref(json_array_get(tree, 0));
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = tree, .start = on_start,
					  .end = on_end, .text = on_text };
	pd_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && pd_xml_parse(path, from_file, &fd, &limits, &handler, NULL, err) == 0;

	if (fd < 0)
		pd_error_errno(err, "file-read", errno, "cannot read %s", path);
	return ok ? json_incref(json_array_get(json_object_get(root, "children"), 0)) : NULL;
}

const struct pd_core_row pd_core_files[] = {
	{ "add", add }, { "begin", begin }, { "decode", decode }, { "digest", digest }, { "finish", finish },
	{ "folder", folder }, { "link", link_ },
	{ "lock", lock }, { "number", number }, { "remove", remove_ }, { "rename", rename_ }, { "sign", sign },
	{ "signed", signed_ }, { "temporary", temporary }, { "tool", tool },
	{ "trusted", trusted }, { "unlock", unlock }, { "write", write_ }, { "xml", xml },
	{ NULL, NULL }
};
