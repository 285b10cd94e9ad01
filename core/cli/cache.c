/* SPDX-License-Identifier: MIT */
/* Answers that were given before.  A command that depends on nothing but files
 * and its words may be answered by what it printed the last time.  An answer is
 * kept by the digest of all that it came from; of a large file, that is known
 * without reading it anew as long as its inode, size and times are the same,
 * and its last change was over when it was read.  Nothing here waits for the disk,
 * which took a fifth of the time of a scan: an answer is believed until the next
 * boot, as what was written before may be there in part. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"

enum { DIGEST = 32, HEX = 2 * DIGEST + 1, SMALL_MAX = 64 << 20, MAPPED = 4 << 20,
       SECONDS_KEPT = 30 * 86400, BYTES_KEPT = 64 << 20 };

/** An answer on its way into the cache. */
struct pd_cache {
	char *folder;
	struct pd_strings large;  /* files whose digests are being made */
	struct pd_strings before; /* their identities, "" if one can't be believed */
	struct pd_buffer rest;    /* all else that the answer comes from */
	int digests;              /* where the digests come out */
	pid_t hasher;
	pid_t owner;              /* other processes have other files under these numbers */
	FILE *shown, *told;       /* the real standard output and error */
	struct pd_buffer notes;   /* all that was told */
	int answer;               /* has all that was shown; -1: there is no room for it */
	int64_t len;
	char *path;               /* of the answer */
};

static void hash_hex(const void *data, size_t len, char out[HEX])
{
	unsigned char digest[DIGEST];

	crypto_generichash(digest, sizeof(digest), data, len, NULL, 0);
	sodium_bin2hex(out, HEX, digest, sizeof(digest));
}

/* Poly1305 (RFC 8439, 2.5) as an almost universal hash: two files of up to 4 GiB
 * have the same one with a chance below 2^-74 as long as nobody knows the key, and
 * it never leaves this folder.  It takes a quarter of the time of BLAKE2b, which
 * was a third of all that a scan of a long catalog takes. */
static bool hash_file(const char *path, const unsigned char *key, char out[HEX])
{
	pd_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	crypto_onetimeauth_state state;
	unsigned char digest[DIGEST] = {0};
	struct stat st = {0};
	bool fine = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	crypto_onetimeauth_init(&state, key);
	/* not copied: where it ends too soon, so does this process, and nothing is kept */
	for (off_t at = 0; fine && at < st.st_size; at += MAPPED) {
		size_t len = st.st_size - at < MAPPED ? (size_t)(st.st_size - at) : MAPPED;
		void *part = mmap(NULL, len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, at);

		fine = part != MAP_FAILED;
		if (fine)
			crypto_onetimeauth_update(&state, part, len);
		if (fine)
			munmap(part, len);
	}
	crypto_onetimeauth_final(&state, digest);
	sodium_bin2hex(out, HEX, digest, sizeof(digest));
	return fine;
}

/* What changes whenever a file does; NULL: it is none. */
static char *identity(const char *path, time_t *changed)
{
	struct stat st;

	if (stat(path, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return NULL;
	*changed = st.st_ctim.tv_sec > st.st_mtim.tv_sec ? st.st_ctim.tv_sec : st.st_mtim.tv_sec;
	return pd_print("%llx %llx %lld %lld.%09ld %lld.%09ld", (unsigned long long)st.st_dev,
			(unsigned long long)st.st_ino, (long long)st.st_size,
			(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			(long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static char *name_in(const struct pd_cache *k, const char *kind, const char *data, size_t len)
{
	char hex[HEX];

	hash_hex(data, len, hex);
	return pd_print("%s/%s-%s", k->folder, kind, hex);
}

/* Where it is noted which digest the file had, and as which it is known. */
static char *note_of(const struct pd_cache *k, const char *path)
{
	return name_in(k, "file", path, strlen(path));
}

/* Of all large files; false: one of them is not known as it is now. */
static bool known_digests(const struct pd_cache *k, struct pd_buffer *out)
{
	for (size_t i = 0; i < k->large.len; i++) {
		pd_auto_free char *note = note_of(k, k->large.items[i]);
		size_t len = 0, id = strlen(k->before.items[i]);
		pd_auto_free char *text = pd_file_read(note, 1024, &len, NULL);

		if (!id || !text || len != id + HEX + 1 || strncmp(text, k->before.items[i], id) != 0 ||
		    text[id] != '\n')
			return false;
		pd_buffer_add(out, text + id + 1, HEX - 1);
	}
	return true;
}

static void free_cache(struct pd_cache *k)
{
	if (!k)
		return;
	free(k->folder);
	free(k->path);
	pd_strings_clear(&k->large);
	pd_strings_clear(&k->before);
	pd_buffer_clear(&k->rest);
	pd_close_p(&k->digests);
	pd_buffer_clear(&k->notes);
	pd_close_p(&k->answer);
	free(k);
}

/* The boot, the program with its parts, the words, the large files by name and the small
 * ones by content.  False: that can't be said of one of them. */
static bool look(struct pd_cache *k, const struct pd_cli *cli, const json_t *args)
{
	time_t now = time(NULL), changed = 0;
	size_t i, len = 0;
	pd_auto_free char *boot = pd_file_read("/proc/sys/kernel/random/boot_id", 64, &len, NULL);
	json_t *item;

	if (!boot || !len)
		return false;
	pd_buffer_text(&k->rest, boot);
	json_array_foreach(json_array_get(args, 0), i, item) {
		char *id = identity(json_string_value(item), &changed);

		if (!id)
			return false;
		pd_strings_add(&k->large, json_string_value(item));
		pd_strings_add(&k->before, changed < now - 1 ? id : "");
		free(id);
	}
	json_array_foreach(json_array_get(args, 1), i, item) {
		pd_auto_free char *text = pd_file_read(json_string_value(item), SMALL_MAX, &len, NULL);

		if (!text)
			return false;
		pd_buffer_print(&k->rest, "%zu\n", len);
		pd_buffer_add(&k->rest, text, len);
	}
	json_array_foreach(json_array_get(args, 2), i, item)
		pd_buffer_print(&k->rest, "%s\n", json_string_value(item));
	json_array_foreach(json_array_get(args, 3), i, item) {
		pd_auto_free char *id = identity(json_string_value(item), &changed);

		pd_buffer_print(&k->rest, "%s\n", id ? id : "");
	}
	pd_buffer_print(&k->rest, "%d %s\n", cli->color, PACKAGE_VERSION);
	return true;
}

/* Of an answer, or of the notes that went with it. */
static char *path_of(const struct pd_cache *k, const char *kind, const struct pd_buffer *digests)
{
	pd_auto(pd_buffer) all = {0};

	pd_buffer_add(&all, digests->data, digests->len);
	pd_buffer_add(&all, k->rest.data, k->rest.len);
	return name_in(k, kind, all.data, all.len);
}

static void copy_out(int from, FILE *to)
{
	char chunk[1 << 16];
	ssize_t n;

	while ((n = read(from, chunk, sizeof(chunk))) > 0)
		fwrite(chunk, 1, (size_t)n, to);
}

static bool print_known(const struct pd_cache *k)
{
	pd_auto(pd_buffer) digests = {0};
	bool known = known_digests(k, &digests);
	pd_auto_free char *answer = path_of(k, "answer", &digests);
	pd_auto_free char *notes = path_of(k, "notes", &digests);
	pd_auto_close int shown = open(answer, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	pd_auto_close int told = open(notes, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (!known || shown < 0 || told < 0)
		return false;
	copy_out(told, stderr);
	copy_out(shown, stdout);
	return true;
}

/* The folder's own, made when there is none. */
static bool key_of(const struct pd_cache *k, unsigned char key[crypto_onetimeauth_KEYBYTES])
{
	pd_auto_free char *path = pd_print("%s/key", k->folder);
	size_t len = 0;
	pd_auto_free char *known = pd_file_read(path, crypto_onetimeauth_KEYBYTES, &len, NULL);

	if (known && len == crypto_onetimeauth_KEYBYTES) {
		memcpy(key, known, len);
		return true;
	}
	randombytes_buf(key, crypto_onetimeauth_KEYBYTES);
	return pd_file_write(path, 0600, key, crypto_onetimeauth_KEYBYTES, NULL);
}

/* In a process of its own, while the answer is made; a new key is put on the disk. */
static void start_hasher(struct pd_cache *k)
{
	unsigned char key[crypto_onetimeauth_KEYBYTES];
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return;
	k->hasher = fork();
	if (k->hasher == 0) {
		if (!key_of(k, key))
			_exit(1);
		for (size_t i = 0; i < k->large.len; i++) {
			char hex[HEX];

			if (!hash_file(k->large.items[i], key, hex) ||
			    !pd_write_all(ends[1], hex, HEX - 1))
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	k->digests = ends[0];
}

static ssize_t show(void *cache, const char *data, size_t len)
{
	struct pd_cache *k = cache;
	bool ours = getpid() == k->owner && k->answer >= 0;

	k->len += (int64_t)len;
	if (ours && (k->len > BYTES_KEPT || !pd_write_all(k->answer, data, len))) {
		pd_close_p(&k->answer);
		unlink(k->path);
	}
	return (ssize_t)fwrite(data, 1, len, k->shown);
}

static ssize_t tell(void *cache, const char *data, size_t len)
{
	struct pd_cache *k = cache;

	pd_buffer_add(&k->notes, data, len);
	return (ssize_t)fwrite(data, 1, len, k->told);
}

/* From now on what is printed to a stream passes through a function; @return the stream. */
static FILE *replace(FILE **stream, struct pd_cache *k, cookie_write_function_t *write, size_t room)
{
	FILE *real = *stream, *other = fopencookie(k, "w", (cookie_io_functions_t){ .write = write });

	if (!other || fflush(real) || setvbuf(other, NULL, room ? _IOFBF : _IONBF, room))
		return NULL;
	*stream = other;
	return real;
}

/* From now on what is printed is the answer as well. */
static bool start_answer(struct pd_cache *k)
{
	pd_auto_free char *path = pd_print("%s/XXXXXX", k->folder);

	if (!pd_make_folders(k->folder, NULL) || (k->answer = mkostemp(path, O_CLOEXEC)) < 0)
		return false;
	k->path = path;
	path = NULL;
	k->shown = replace(&stdout, k, show, 1 << 16);
	k->told = replace(&stderr, k, tell, 0);
	return k->shown && k->told;
}

/* Is all of it shown, and kept? */
static bool end_answer(struct pd_cache *k)
{
	if (k->shown) {
		fclose(stdout);
		stdout = k->shown;
	}
	if (k->told) {
		fclose(stderr);
		stderr = k->told;
	}
	return k->shown && k->told && fflush(stdout) == 0 && !ferror(stdout) && k->answer >= 0;
}

/* The digests are made, and no file has changed since they were begun. */
static bool take_digests(struct pd_cache *k, struct pd_buffer *digests)
{
	char chunk[256];
	time_t changed;
	ssize_t n;
	int status = 1;

	while ((n = read(k->digests, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR))
		pd_buffer_add(digests, chunk, n > 0 ? (size_t)n : 0);
	while (waitpid(k->hasher, &status, 0) < 0 && errno == EINTR)
		continue;
	k->hasher = 0;
	for (size_t i = 0; i < k->large.len; i++) {
		pd_auto_free char *id = identity(k->large.items[i], &changed);

		if (!id || strcmp(id, k->before.items[i]) != 0)
			return false;
	}
	return status == 0 && digests->len == k->large.len * (HEX - 1);
}

/* Drops what is too old.  @return the bytes of all that is left but the key, and its oldest file */
static int64_t find_oldest(DIR *folder, char oldest[NAME_MAX + 1])
{
	time_t now = time(NULL), first = 0;
	const struct dirent *entry;
	int64_t bytes = 0;
	struct stat st;

	*oldest = '\0';
	for (rewinddir(folder); (entry = readdir(folder));) {
		if (fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
		    strcmp(entry->d_name, "key") == 0 ||
		    (st.st_mtime < now - SECONDS_KEPT && unlinkat(dirfd(folder), entry->d_name, 0) == 0))
			continue;
		if (!*oldest || st.st_mtime < first) {
			first = st.st_mtime;
			snprintf(oldest, NAME_MAX + 1, "%s", entry->d_name);
		}
		bytes += st.st_size;
	}
	return bytes;
}

static void drop_old(const struct pd_cache *k)
{
	char oldest[NAME_MAX + 1];
	DIR *folder = opendir(k->folder);

	while (folder && find_oldest(folder, oldest) > BYTES_KEPT && unlinkat(dirfd(folder), oldest, 0) == 0)
		continue;
	if (folder)
		closedir(folder);
}

static void keep_answer(struct pd_cache *k)
{
	pd_auto(pd_buffer) digests = {0};
	pd_auto_free char *place = NULL, *notes = NULL;

	if (!take_digests(k, &digests))
		return;
	for (size_t i = 0; i < k->large.len; i++) {
		pd_auto_free char *path = note_of(k, k->large.items[i]);
		pd_auto_free char *text = pd_print("%s\n%.*s\n", k->before.items[i], HEX - 1,
						   digests.data + i * (HEX - 1));

		if (!pd_file_put(path, 0600, text, strlen(text)))
			return;
	}
	place = path_of(k, "answer", &digests);
	notes = path_of(k, "notes", &digests);
	if (pd_file_put(notes, 0600, k->notes.data, k->notes.len) && rename(k->path, place) == 0)
		drop_old(k);
}

void pd_cli_end_answer(struct pd_cli *cli, bool keep)
{
	struct pd_cache *k = cli->cache;

	cli->cache = NULL;
	if (!k)
		return;
	if (end_answer(k) && keep)
		keep_answer(k);
	if (k->hasher > 0) {
		kill(k->hasher, SIGKILL);
		waitpid(k->hasher, NULL, 0);
	}
	if (k->path)
		unlink(k->path); /* which is gone if it was kept */
	free_cache(k);
}

/* recall(large, small, words, parts): print what was answered the last time to
 * these words about these files by these parts of the program.  false: nothing
 * was, and what is printed from now on is the answer, until remember(); nil:
 * such an answer is not kept. */
PD_CORE(recall)
{
	struct pd_cache *k = pd_alloc(sizeof(*k));
	bool fine;

	k->folder = pd_print("%s/cache", cli->state);
	k->digests = k->answer = -1;
	k->owner = getpid();
	fine = look(k, cli, args);
	if (fine && print_known(k)) {
		free_cache(k);
		return json_true();
	}
	cli->cache = k;
	if (fine && start_answer(k)) {
		start_hasher(k);
		return json_false();
	}
	pd_cli_end_answer(cli, false);
	return NULL;
}

/* remember(keep): end of the answer of recall(). */
PD_CORE(remember)
{
	pd_cli_end_answer(cli, json_is_true(json_array_get(args, 0)));
	return NULL;
}

const struct pd_core_row pd_core_cache[] = {
	{ "recall", recall }, { "remember", remember }, { NULL, NULL }
};
