/* SPDX-License-Identifier: MIT */
/* A long document whose items stand for themselves is read by several parsers.
 * This process cuts it before items and hands the pieces round.  A parser reads
 * a piece as a document of its own, between the root's own tags, and sends what
 * came of it once those before it have sent theirs.  Where that is no document -
 * the cut was in a comment, or something is wrong with it - nothing is sent, and
 * all from there on is read here, in one. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "plugin/child.h"
#include "xml/xml.h"

enum {
	PIECE = 4 << 20,   /* bytes; a document of less is not cut */
	LONGEST = 8 << 20, /* of a piece, if an item is that long */
	PARSERS = 4,
	PLACES = 1         /* for pieces, per parser */
};

/* In memory that all of them share. */
struct piece {
	char bytes[LONGEST];
	size_t len;
	unsigned row; /* of its first line */
	bool first, last;
};

/* Pipes: the places of its pieces, its turn to send, that it begins to and has. */
struct parser {
	pid_t pid;
	int order[2], turn[2], sent[2];
};

struct split {
	struct pd_child *child;
	const struct pd_xml_handler *handler;
	struct piece *pieces; /* each at its number modulo their places */
	struct parser parsers[PARSERS];
	size_t n;             /* of the parsers */
	size_t cut, sent;     /* pieces */
	size_t bytes;         /* of the source, so far */
	unsigned rows;        /* line ends in what was cut */
	const char *rest;     /* behind the last cut */
	size_t rest_len;
	char *head, *tail, *item; /* start and end of the root; "<name" */
	unsigned head_rows;
	bool ended;           /* nothing is left of the source */
	bool broken;          /* nobody knows how much of a piece was sent */
};

/* In blocks of a size that compilers know to make vectors of. */
static unsigned rows_in(const char *at, size_t len)
{
	enum { BLOCK = 64 };
	unsigned n = 0;

	for (; len >= BLOCK; at += BLOCK, len -= BLOCK) {
		unsigned char in_block = 0;

		for (int i = 0; i < BLOCK; i++)
			in_block = (unsigned char)(in_block + (at[i] == '\n'));
		n += in_block;
	}
	while (len)
		n += at[--len] == '\n';
	return n;
}

/* ------------------------------------------------------------------- to cut */

/* Where the line of the last item begins, if it begins one; 0: there is none. */
static size_t last_item(const struct split *s, const char *bytes, size_t filled)
{
	size_t len = strlen(s->item);

	for (size_t at = filled - len - 1; at > 0; at--) {
		size_t line = at;

		if (bytes[at] != '<' || memcmp(bytes + at, s->item, len) != 0 ||
		    !strchr(" \t\r\n>/", bytes[at + len]))
			continue;
		while (line && strchr(" \t", bytes[line - 1]))
			line--;
		if (line && bytes[line - 1] == '\n')
			return line;
	}
	return 0;
}

/* More of the source is behind what is left. */
static bool fill(struct split *s, struct piece *p, size_t want)
{
	pd_auto_error *err = NULL; /* the source says it again */
	ssize_t n = 1;

	while (s->rest_len < want && n > 0) {
		n = pd_child_source(s->child, p->bytes + s->rest_len, want - s->rest_len, &err);
		s->rest_len += n > 0 ? (size_t)n : 0;
		s->bytes += n > 0 ? (size_t)n : 0;
	}
	s->ended = n == 0;
	return n >= 0 && s->bytes <= PD_XML_BYTES;
}

/* @return false: what is left is to be read in one. */
static bool cut(struct split *s, struct piece *p)
{
	size_t len = 0;

	memmove(p->bytes, s->rest, s->rest_len);
	s->rest = p->bytes;
	for (size_t want = PIECE; !len && want <= LONGEST; want += PIECE) {
		if (s->rest_len < want && !s->ended && !fill(s, p, want))
			return false;
		len = s->ended ? s->rest_len : last_item(s, p->bytes, s->rest_len);
	}
	p->first = !s->cut;
	p->last = s->ended;
	p->row = s->rows + 1;
	p->len = len;
	s->rows += rows_in(p->bytes, len);
	s->rest += len;
	s->rest_len -= len;
	s->cut += len > 0;
	return len > 0;
}

/* Past the blanks at @at. */
static const char *blanks(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at))
		at++;
	return at;
}

static size_t name_at(const char *at, const char *end)
{
	size_t len = 0;

	while (at + len < end && (isalnum((unsigned char)at[len]) || strchr("_-.:", at[len])))
		len++;
	return len;
}

/* The end of the tag that begins at @at; NULL: there is none. */
static const char *tag_end(const char *at, const char *end)
{
	for (char quote = 0; at < end && *at; at++) {
		if (quote ? *at == quote : *at == '"' || *at == '\'')
			quote = quote ? 0 : *at;
		else if (!quote && *at == '>')
			return at + 1;
	}
	return NULL;
}

/* Of the plainest kind of document: UTF-8, the root first, and in it an item. */
static bool find_root(struct split *s)
{
	const char *at = s->rest, *end = at + s->rest_len, *root, *inside;
	pd_auto_free char *declared = NULL;

	if (s->rest_len > 5 && memcmp(at, "<?xml", 5) == 0) {
		if (!(root = tag_end(at, end)))
			return false;
		declared = pd_strndup(at, (size_t)(root - at));
		if (strstr(declared, "encoding") && !strcasestr(declared, "\"utf-8\"") &&
		    !strcasestr(declared, "'utf-8'"))
			return false;
		at = root;
	}
	root = blanks(at, end);
	inside = root < end && *root == '<' && name_at(root + 1, end) ? tag_end(root, end) : NULL;
	at = inside ? blanks(inside, end) : end;
	if (!inside || inside[-2] == '/' || at == end || *at != '<' || !name_at(at + 1, end))
		return false;
	s->head = pd_print("%.*s\n", (int)(inside - s->rest), s->rest);
	s->head_rows = rows_in(s->head, strlen(s->head));
	s->tail = pd_print("</%.*s>", (int)name_at(root + 1, end), root + 1);
	s->item = pd_strndup(at, 1 + name_at(at + 1, end));
	return true;
}

/* ----------------------------------------------------------------- to parse */

/* A document of parts, and then what is left of the source, or nothing. */
struct feed {
	struct {
		const char *at;
		size_t len;
	} parts[PARSERS * PLACES + 3];
	size_t n, next;
	struct pd_child *more;
};

static void add_part(struct feed *f, const char *at, size_t len)
{
	f->parts[f->n].at = at;
	f->parts[f->n++].len = len;
}

static ssize_t feed(void *user, void *buffer, size_t len, struct pd_error **err)
{
	struct feed *f = user;

	while (f->next < f->n && !f->parts[f->next].len)
		f->next++;
	if (f->next == f->n)
		return f->more ? pd_child_source(f->more, buffer, len, err) : 0;
	if (len > f->parts[f->next].len)
		len = f->parts[f->next].len;
	memcpy(buffer, f->parts[f->next].at, len);
	f->parts[f->next].at += len;
	f->parts[f->next].len -= len;
	return (ssize_t)len;
}

/* @row: of the first line, which is behind the head if it is not the first of
 * all; @before: bytes of the document that are not read here. */
static int parse(const struct split *s, struct feed *f, unsigned row, size_t before,
		 struct pd_error **err)
{
	struct pd_xml_limits limits = { .before = before, .row = row > 1 ? row - s->head_rows : 1 };

	return pd_xml_parse(s->child->call->source_name, feed, f, &limits, s->handler,
			    &s->child->ctx, err);
}

static bool parse_piece(struct split *s, const struct piece *p)
{
	const struct pd_child *c = s->child;
	struct feed f = {0};
	struct pd_error *err = NULL;

	if (!p->first)
		add_part(&f, s->head, strlen(s->head));
	add_part(&f, p->bytes, p->len);
	if (!p->last)
		add_part(&f, s->tail, strlen(s->tail));
	return parse(s, &f, p->row, 0, &err) == 0 && !err && !c->failed && !c->reported && !c->bug;
}

static bool take_byte(int fd, unsigned char *byte)
{
	ssize_t n;

	do
		n = read(fd, byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static _Noreturn void parse_pieces(struct split *s, size_t me)
{
	struct parser mine = s->parsers[me];
	int next = s->parsers[(me + 1) % s->n].turn[1];
	unsigned char place, turn;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_IGN); /* the reader is asked, and ends them */
	for (size_t i = 0; i < s->n; i++) { /* whose end is to be heard */
		close(s->parsers[i].sent[0]);
		if (i != me)
			close(s->parsers[i].sent[1]);
	}
	while (take_byte(mine.order[0], &place)) {
		s->child->held = true;
		if (!parse_piece(s, &s->pieces[place]) || !take_byte(mine.turn[0], &turn))
			break;
		s->child->held = false;
		if (!pd_write_all(mine.sent[1], "b", 1))
			break;
		pd_child_send(s->child);
		if (!pd_write_all(next, "t", 1) || !pd_write_all(mine.sent[1], "s", 1))
			break;
	}
	_exit(1);
}

/* Only their death is heard at the end of the pipe "sent": here, it is closed. */
static bool start(struct split *s)
{
	pd_child_send(s->child); /* or each of them would */
	for (size_t i = 0; i < s->n; i++)
		if (pipe2(s->parsers[i].order, O_CLOEXEC) || pipe2(s->parsers[i].turn, O_CLOEXEC) ||
		    pipe2(s->parsers[i].sent, O_CLOEXEC))
			return false;
	for (size_t i = 0; i < s->n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return false;
		if (pid == 0)
			parse_pieces(s, i);
		s->parsers[i].pid = pid;
	}
	for (size_t i = 0; i < s->n; i++)
		close(s->parsers[i].sent[1]);
	return pd_write_all(s->parsers[0].turn[1], "t", 1);
}

static void stop(struct split *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!s->parsers[i].pid)
			continue;
		kill(s->parsers[i].pid, SIGKILL);
		while (waitpid(s->parsers[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

/* The next one that is to be sent was. */
static bool confirm(struct split *s)
{
	int from = s->parsers[s->sent % s->n].sent[0];
	unsigned char byte;

	if (!take_byte(from, &byte))
		return false;
	s->broken = !take_byte(from, &byte);
	s->sent++;
	return !s->broken;
}

/* @return whether all of the source was cut, and all of that is sent. */
static bool hand_round(struct split *s)
{
	const size_t places = s->n * PLACES;
	bool more = true;

	while (more) {
		unsigned char place = (unsigned char)(s->cut % places);

		if (s->cut - s->sent == places && !confirm(s))
			return false;
		more = cut(s, &s->pieces[place]);
		if (more && !pd_write_all(s->parsers[place % s->n].order[1], &place, 1))
			return false;
		more = more && !s->ended;
	}
	while (s->sent < s->cut)
		if (!confirm(s))
			return false;
	return s->ended && !s->rest_len;
}

/* All that was not sent, and what is left. */
static int read_in_one(struct split *s, struct pd_error **err)
{
	const struct piece *p = &s->pieces[s->sent % (s->n * PLACES)];
	struct feed f = { .more = s->child };
	size_t before = s->bytes - s->rest_len;

	if (s->sent)
		add_part(&f, s->head, strlen(s->head));
	for (size_t i = s->sent; i < s->cut; i++) {
		const struct piece *again = &s->pieces[i % (s->n * PLACES)];

		add_part(&f, again->bytes, again->len);
		before -= again->len;
	}
	add_part(&f, s->rest, s->rest_len);
	return parse(s, &f, s->sent < s->cut ? p->row : s->rows + 1, before, err);
}

/* Those that this process may use. */
static size_t processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return n < PARSERS ? (size_t)n : PARSERS;
}

int pd_child_split(struct pd_child *c, const struct pd_xml_handler *handler, struct pd_error **err)
{
	struct split s = { .child = c, .handler = handler, .n = processors() };
	bool all;

	s.pieces = mmap(NULL, s.n * PLACES * sizeof(*s.pieces), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s.pieces == MAP_FAILED)
		return pd_child_report(c, "no memory to read %s: %s", c->call->source_name, strerror(errno));
	s.rest = s.pieces->bytes;
	all = fill(&s, s.pieces, PIECE) && !s.ended && s.n > 1 && find_root(&s) && start(&s) &&
	      hand_round(&s);
	stop(&s);
	if (s.broken) /* what it sent ends in the middle of a word: no other can follow */
		raise(SIGKILL);
	return all ? 0 : read_in_one(&s, err);
}
