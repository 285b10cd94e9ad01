/* SPDX-License-Identifier: MIT */
/*
 * The head is one line in one sector, "n hash bytes sha256", written over in place.
 * The first two, after each commit, are the newest row: a crash between commit and
 * head leaves it behind the table, on its chain.  The others are the file when its
 * writer has put all into it, and zeros before: the rows prove themselves, but not
 * the space between them.
 */
#include "run/head.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <unistd.h>

enum { N = 20, HASH = sizeof(pd_digest) - 1, BYTES_AT = N + 1 + HASH + 1,
       SUM_AT = BYTES_AT + N + 1, LENGTH = SUM_AT + HASH + 1 };

struct line {
	int64_t n, bytes;
	pd_digest hash, sum;
};

static char *path_of(const struct pd_journal *j)
{
	const char *path = pd_journal_path(j);

	return pd_print("%.*shead", (int)strlen(path) - 2, path);
}

static char *text_of(const struct line *l)
{
	return pd_print("%020" PRId64 " %s %020" PRId64 " %s\n", l->n, l->hash, l->bytes, l->sum);
}

/* Is it just that, and on the chain? */
static bool read_line(struct pd_journal *j, struct line *l)
{
	pd_auto_free char *path = path_of(j), *text = NULL;
	size_t len = 0;
	char *is = pd_file_read(path, 4096, &len, NULL);
	bool ok;

	*l = (struct line){ .n = is ? strtoll(is, NULL, 10) : 0 };
	ok = is && len == LENGTH && pd_journal_hash(j, l->n, l->hash);
	if (ok) {
		l->bytes = strtoll(is + BYTES_AT, NULL, 10);
		snprintf(l->sum, sizeof(l->sum), "%.*s", HASH, is + SUM_AT);
		text = text_of(l);
		ok = strcmp(is, text) == 0;
	}
	free(is);
	return ok;
}

bool pd_head_check(struct pd_journal *j, int64_t *n, struct pd_error **err)
{
	pd_auto_free char *path = path_of(j);
	struct line l = {0};
	bool ok = false;

	for (int i = 0; i < 3 && !ok; i++) /* a read may meet a write */
		ok = read_line(j, &l);
	*n = l.n;
	return ok || pd_error_set(err, "journal-cut", l.n ? "%s knows of row %" PRId64 ", which the"
				  " journal does not have as it was" : "%s is missing or damaged",
				  path, l.n);
}

bool pd_head_fits(struct pd_journal *j, bool gone, struct pd_error **err)
{
	pd_auto_free char *path = path_of(j);
	int64_t n = 0;

	for (int i = 0; i < 3; i++) { /* likewise */
		size_t len = 0;
		pd_auto_free char *is = pd_file_read(path, 4096, &len, NULL);
		pd_digest hash = "";

		n = !is ? 0 : len == LENGTH ? strtoll(is, NULL, 10) : -1;
		if (gone ? n == 0 : n <= 0 || (pd_journal_hash(j, n, hash) &&
					       strncmp(is + N + 1, hash, HASH) == 0))
			return true;
	}
	if (gone)
		pd_error_set(err, "journal-lost", "the journal %s is gone, or empty, and %s beside it knows"
			     " that there was one", pd_journal_path(j), path);
	else
		pd_error_set(err, "journal-cut", "%s knows of row %" PRId64 ", which the journal does not"
			     " have as it was", path, n);
	return pd_error_remedy(err, "Put %s back from a backup. To begin anew on purpose, see first what the"
			       " last run has left behind on the server, which nobody goes on with or takes"
			       " back then; and remove %s.", pd_journal_path(j), path);
}

bool pd_head_file(struct pd_journal *j, bool *known, struct pd_error **err)
{
	struct line l = {0};
	pd_digest is = "", next = "";
	int64_t bytes = 0;

	for (int i = 0; i < 3; i++) { /* likewise */
		*known = read_line(j, &l) && l.bytes && !pd_journal_hash(j, l.n + 1, next);
		if (!*known)
			return true;
		if (!pd_digest_file(pd_journal_path(j), is, &bytes, err))
			return false;
		if (bytes == l.bytes && strcmp(is, l.sum) == 0)
			return true;
	}
	return pd_error_set(err, "journal-file", "it has %" PRId64 " bytes with SHA-256 %s, and its"
			    " last writer left %" PRId64 " with %s", bytes, is, l.bytes, l.sum);
}

bool pd_head_open(struct pd_journal *j, bool empty, int *head, struct pd_error **err)
{
	pd_auto_free char *path = path_of(j), *text = NULL;
	struct line l = {0};

	snprintf(l.sum, sizeof(l.sum), "%0*d", HASH, 0);
	text = pd_journal_hash(j, 0, l.hash) ? text_of(&l) : NULL;
	*head = -1;
	if (empty && access(path, F_OK) < 0 && !pd_file_write(path, 0600, text, LENGTH, err))
		return false;
	if (pd_head_check(j, &l.n, NULL))
		*head = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return true;
}

void pd_head_move(int head, int64_t n, const unsigned char hash[32], const char *file)
{
	struct line l = { .n = n };
	pd_auto_free char *text = NULL;

	snprintf(l.sum, sizeof(l.sum), "%0*d", HASH, 0);
	sodium_bin2hex(l.hash, sizeof(l.hash), hash, 32);
	if (head < 0 || (file && !pd_digest_file(file, l.sum, &l.bytes, NULL)))
		return;
	text = text_of(&l);
	(void)!pwrite(head, text, LENGTH, 0); /* else it is behind */
}
