/* SPDX-License-Identifier: MIT */
/* In a place: samples go through a reader or a filter, or are only looked at. */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "plugin/child.h"
#include "plugin/wire.h"

enum { HEAD = 4096, PATIENCE = 10 /* seconds */ };

/* ------------------------------------------------------------- its way in */

static int memory_file(const char *data, size_t len)
{
	int fd = memfd_create("sample", MFD_CLOEXEC);

	if (fd >= 0 && (!pd_write_all(fd, data, len) || lseek(fd, 0, SEEK_SET) < 0))
		pd_close_p(&fd);
	return fd;
}

/* The file of DAMAGE_ENTITY; /run is not compared. */
static void write_canary(void)
{
	pd_auto_error *err = NULL;

	(void)!pd_file_write(SAMPLE_CANARY_FILE, 0644, SAMPLE_CANARY, strlen(SAMPLE_CANARY), &err);
}

bool stream_open(struct stream *s, const struct samples *all, const json_t *asked,
		 struct pd_worker_call *call)
{
	size_t n = (size_t)pd_json_number(asked, "sample", -1), len = 0;
	enum damage damage = (enum damage)pd_json_number(asked, "damage", DAMAGE_NONE);
	pd_auto_free char *data = NULL;

	*s = (struct stream){ .source = -1, .out = -1, .facts = json_array() };
	crypto_generichash_init(&s->digest, NULL, 0, crypto_generichash_BYTES);
	s->builder = (struct pd_builder){ .catalog = pd_catalog_new("sample", "conform"), .err = &s->refused };
	if (call->reader) {
		s->builder.strict = call->reader->flags & PD_R_STRICT;
		s->builder.revisions = call->reader->flags & PD_R_REVISIONS;
	}
	if (n >= all->len)
		return true;
	s->sample = &all->items[n];
	if (damage == DAMAGE_ENTITY)
		write_canary();
	data = sample_damaged(s->sample, damage, (unsigned)pd_json_number(asked, "number", 0), &len);
	if (data)
		s->source = memory_file(data, len);
	if (call->filter)
		s->out = memory_file("", 0);
	call->source_fd = s->source;
	call->source_name = s->sample->shown;
	call->unpack_fd = s->out;
	call->unpack_max = pd_json_number(asked, "most", (int64_t)64 << 20);
	return s->source >= 0 && (!call->filter || s->out >= 0);
}

/* --------------------------------------------------------- what comes out */

bool stream_emit(struct stream *s, struct pd_emitted *e)
{
	pd_auto(pd_buffer) bytes = {0};

	pd_buffer_add(&bytes, &e->what, sizeof(e->what));
	pd_part_put(&bytes, e->what, &e->part);
	crypto_generichash_update(&s->digest, (const unsigned char *)bytes.data, bytes.len);
	s->canary = s->canary || memmem(bytes.data, bytes.len, SAMPLE_CANARY, strlen(SAMPLE_CANARY));
	return pd_builder_emit(&s->builder, e);
}

void stream_fact(struct stream *s, const char *kind, const json_t *row)
{
	json_array_append_new(s->facts, json_pack("[s, O]", kind, row));
}

/* Of a filter: how much, and is it what it is to be? */
static void compare_out(struct stream *s, json_t *answer)
{
	off_t len = lseek(s->out, 0, SEEK_END);
	void *at = len > 0 ? mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, s->out, 0) : NULL;
	bool there = at && at != MAP_FAILED;

	json_object_set_new(answer, "bytes", json_integer(len));
	json_object_set_new(answer, "whole", json_boolean(s->sample->plain && (size_t)len == s->sample->plain_len &&
		(!len || (there && memcmp(at, s->sample->plain, (size_t)len) == 0))));
	if (there) {
		crypto_generichash_update(&s->digest, at, (size_t)len);
		munmap(at, (size_t)len);
	}
}

/* The text of a value; what counts goes on counting, and is passed over. */
static bool same(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *member;

	if (!json_is_object(a) || !json_is_object(b))
		return (json_is_number(a) && json_is_number(b)) || json_equal(a, b);
	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach((json_t *)(uintptr_t)a, key, member)
		if (!same(member, json_object_get(b, key)))
			return false;
	return true;
}

/* The first row that the call before did not have in that place; NULL: none. */
static char *difference(const json_t *before, const json_t *facts)
{
	size_t n = json_array_size(before), m = json_array_size(facts);

	for (size_t i = 0; i < n || i < m; i++) {
		const json_t *a = json_array_get(before, i), *b = json_array_get(facts, i);
		pd_auto_free char *x = NULL, *y = NULL;

		if (a && b && json_equal(json_array_get(a, 0), json_array_get(b, 0)) &&
		    same(json_array_get(a, 1), json_array_get(b, 1)))
			continue;
		x = a ? pd_json_line(a) : pd_strdup("none");
		y = b ? pd_json_line(b) : pd_strdup("none");
		return pd_print("row %zu was %.200s, and is %.200s", i + 1, x, y);
	}
	return NULL;
}

static void compare_facts(struct stream *s, json_t *answer)
{
	static json_t *last;
	pd_auto_free char *text = last ? difference(last, s->facts) : NULL;

	json_object_set_new(answer, "difference", text ? json_string(text) : json_null());
	json_decref(last);
	last = s->facts;
}

void stream_close(struct stream *s, json_t *answer)
{
	bool whole = pd_json_number(answer, "result", PD_FAILED) >= 0;
	unsigned char digest[crypto_generichash_BYTES];
	char hex[2 * sizeof(digest) + 1];

	if (!pd_builder_end(&s->builder, whole) && s->refused) {
		json_object_set_new(answer, "result", json_integer(PD_FAILED));
		json_object_set_new(answer, "message", json_string(s->refused->message));
	}
	if (s->out >= 0)
		compare_out(s, answer);
	crypto_generichash_final(&s->digest, digest, sizeof(digest));
	json_object_set_new(answer, "digest", json_string(sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest))));
	json_object_set_new(answer, "updates", json_integer((json_int_t)s->builder.catalog->places));
	compare_facts(s, answer);
	json_object_set_new(answer, "canary", json_boolean(s->canary));
	pd_catalog_free(s->builder.catalog);
	pd_error_free(s->refused);
	pd_close_p(&s->source);
	pd_close_p(&s->out);
}

/* ------------------------------------------------------- only looked at */

/* Whole heads, and of each sample of the case these parts. */
static const size_t parts[] = { 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 32, 64, 128, 1024 };
enum { PARTS = sizeof(parts) / sizeof(*parts) };

size_t stream_heads(const struct samples *all)
{
	return all->len * (1 + PARTS);
}

const char *stream_head(const struct samples *all, size_t n, size_t *len)
{
	const struct sample *s = &all->items[n < all->len ? n : (n - all->len) / PARTS];
	size_t most = n < all->len ? HEAD : parts[(n - all->len) % PARTS];

	*len = s->len < most ? s->len : most;
	return s->data;
}

/* One byte more than there is can't be read. */
static _Noreturn void score_all(int (*recognize)(const unsigned char *head, size_t len),
				const struct samples *all, int to)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (HEAD + page - 1) / page * page;
	char *at = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	pd_signals_reset();
	alarm(PATIENCE);
	if (at == MAP_FAILED || mprotect(at + room, page, PROT_NONE) < 0)
		_exit(1);
	for (size_t i = 0; i < stream_heads(all); i++) {
		size_t len;
		const char *head = stream_head(all, i, &len);
		int score;

		memcpy(at + room - len, head, len);
		score = recognize((const unsigned char *)at + room - len, len);
		if (!pd_write_all(to, &score, sizeof(score)))
			_exit(1);
	}
	_exit(0);
}

size_t stream_scores(int (*recognize)(const unsigned char *head, size_t len), const struct samples *all,
		     int *scores, int *ended)
{
	int ends[2];
	size_t got = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return 0;
	pid = fork();
	if (pid == 0)
		score_all(recognize, all, ends[1]);
	close(ends[1]);
	while (pid > 0 && got < stream_heads(all) * sizeof(*scores)) {
		ssize_t n = read(ends[0], (char *)scores + got, stream_heads(all) * sizeof(*scores) - got);

		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	close(ends[0]);
	while (pid > 0 && waitpid(pid, ended, 0) < 0 && errno == EINTR)
		;
	return got / sizeof(*scores);
}
