/* SPDX-License-Identifier: MIT */
/* A long document is read by several parsers.  This process cuts it before items and
 * hands the pieces round.  A parser reads a piece as a document of its own, between
 * the head and the tail.  Where items stand for themselves, it is the reader itself
 * that does so, and sends what came of it once those before it have sent theirs; of
 * all others it records what it has parsed, and this process tells the reader.  Where
 * a piece is no document - the cut was in a comment, or something is wrong with it -
 * nothing is sent or told, and all from there on is read here, in one. */
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
#include "plugin/cut.h"
#include "xml/tape.h"

enum {
	PARSERS = 4,
	PLACES = 2,        /* for pieces, per parser: it need not wait until one is told */
	TAPE = 24 << 20    /* bytes of what was recorded of a piece */
};

/* In memory that all of them share. */
struct place {
	struct pd_piece piece;
	size_t taped;
	char tape[TAPE];
};

/* Pipes: the places of its pieces, its turn to send, that it begins to and has; 0: not
 * open, which standard input is. */
struct parser {
	pid_t pid;
	int order[2], turn[2], sent[2];
};

struct split {
	struct pd_child *child;
	const struct pd_xml_handler *handler;
	struct pd_cut cut;
	struct place *places; /* of each piece at its number modulo them */
	struct parser parsers[PARSERS];
	size_t n, n_places;   /* of the parsers, and of places for all of them */
	size_t sent;          /* pieces */
	bool items;           /* that stand for themselves, or else: */
	struct pd_xml_teller teller;
	int result;           /* of that */
	bool broken;          /* nobody knows how much of a piece was sent */
};

static struct place *place_of(const struct split *s, size_t piece)
{
	return &s->places[piece % s->n_places];
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

/* @before: bytes of the document that are not read here. */
static int parse(const struct split *s, const struct pd_xml_handler *handler, struct feed *f,
		 const struct pd_piece *first, size_t before, struct pd_error **err)
{
	struct pd_xml_limits limits = { .before = before, .bare = s->child->call->bare,
					.row = first->row - (first->first ? 0 : first->head_rows) };

	return pd_xml_parse(s->child->call->source_name, feed, f, &limits, handler,
			    &s->child->ctx, err);
}

static bool parse_piece(const struct split *s, struct place *place)
{
	const struct pd_child *c = s->child;
	const struct pd_piece *p = &place->piece;
	struct pd_xml_tape tape = { .part = { p->row, p->first }, .bytes = place->tape,
				    .room = TAPE, .listed = p->listed, .outer = p->outer,
				    .last = p->last, .handler = s->handler };
	const struct pd_xml_handler recorder = pd_xml_recorder(&tape);
	struct feed f = {0};
	struct pd_error *err = NULL;
	int result;

	if (!p->first)
		add_part(&f, p->head, strlen(p->head));
	add_part(&f, p->bytes, p->len);
	if (!p->last)
		add_part(&f, p->tail, strlen(p->tail));
	result = parse(s, s->items ? s->handler : &recorder, &f, p, 0, &err);
	place->taped = tape.len;
	return result == 0 && !err && !c->failed && !c->reported && !c->bug &&
	       (s->items || pd_xml_recorded(&tape));
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
		if (!parse_piece(s, place_of(s, place)) || (s->items && !take_byte(mine.turn[0], &turn)))
			break;
		s->child->held = false;
		if (!pd_write_all(mine.sent[1], "b", 1))
			break;
		pd_child_send(s->child);
		if ((s->items && !pd_write_all(next, "t", 1)) || !pd_write_all(mine.sent[1], "s", 1))
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
	for (size_t i = 0; i < s->n; i++) {
		close(s->parsers[i].sent[1]);
		s->parsers[i].sent[1] = 0;
	}
	return pd_write_all(s->parsers[0].turn[1], "t", 1);
}

static void close_pipe(const int pipe[2])
{
	for (int end = 0; end < 2; end++)
		if (pipe[end] > 0)
			close(pipe[end]);
}

static void stop(struct split *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct parser *p = &s->parsers[i];

		if (p->pid) {
			kill(p->pid, SIGKILL);
			while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
				;
		}
		close_pipe(p->order);
		close_pipe(p->turn);
		close_pipe(p->sent);
	}
}

/* The next one that is to be sent was; or told. */
static bool confirm(struct split *s)
{
	const struct place *place = place_of(s, s->sent);
	int from = s->parsers[s->sent % s->n].sent[0];
	unsigned char byte;

	if (!take_byte(from, &byte))
		return false;
	s->broken = !take_byte(from, &byte);
	if (s->broken)
		return false;
	s->sent++;
	if (!s->items)
		s->result = pd_xml_tell(&s->teller, place->tape, place->taped);
	return !s->result;
}

/* @return whether all of the source was cut, and all of that is sent. */
static bool hand_round(struct split *s)
{
	bool more = true;

	while (more) {
		unsigned char place = (unsigned char)(s->cut.pieces % s->n_places);

		if (s->cut.pieces - s->sent == s->n_places && !confirm(s))
			return false;
		more = pd_cut_next(&s->cut, &s->places[place].piece);
		if (more && !pd_write_all(s->parsers[place % s->n].order[1], &place, 1))
			return false;
		more = more && !s->cut.ended;
	}
	while (s->sent < s->cut.pieces)
		if (!confirm(s))
			return false;
	return s->cut.ended && !s->cut.rest_len;
}

/* All that was not sent, and what is left. */
static int read_in_one(struct split *s, struct pd_error **err)
{
	const struct pd_piece *p = &place_of(s, s->sent)->piece;
	const struct pd_xml_handler forwarder = pd_xml_forwarder(&s->teller);
	struct feed f = { .more = s->child };
	size_t before = s->cut.bytes - s->cut.rest_len;

	s->teller.part.row = p->row;
	if (s->sent)
		add_part(&f, p->head, strlen(p->head));
	for (size_t i = s->sent; i < s->cut.pieces; i++) {
		const struct pd_piece *again = &place_of(s, i)->piece;

		add_part(&f, again->bytes, again->len);
		before -= again->len;
	}
	add_part(&f, s->cut.rest, s->cut.rest_len);
	return parse(s, s->items || !s->sent ? s->handler : &forwarder, &f, p, before, err);
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
	struct split s = { .child = c, .handler = handler, .n = processors(),
			   .items = c->call->reader->flags & PD_R_ITEMS,
			   .teller = { .handler = handler, .ctx = &c->ctx } };
	bool all;

	s.cut = (struct pd_cut){ .child = c, .deep = !s.items };
	s.n_places = s.n * (s.items ? 1 : PLACES);
	s.places = mmap(NULL, s.n_places * sizeof(*s.places), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s.places == MAP_FAILED)
		return pd_child_report(c, "no memory to read %s: %s", c->call->source_name, strerror(errno));
	s.places->piece.first = true;
	all = pd_cut_begin(&s.cut, &s.places->piece) && s.n > 1 && start(&s) && hand_round(&s);
	stop(&s);
	if (s.broken && s.items) /* what it sent ends in the middle of a word: no other can follow */
		raise(SIGKILL);
	return all || s.result ? s.result : read_in_one(&s, err);
}
