/* SPDX-License-Identifier: MIT */
/* Comparing versions as apk 2 does: number{.number}{letter}{_suffix{number}}{-rN}. */
#include "base/version.h"

/* What comes next; where two versions part, the lower one is the newer. */
enum next { BAD = -1, DOTTED, DIGITS, LETTER, SUFFIX, SUFFIX_DIGITS, REVISION, END };

struct walk {
	const char *s;
	enum next next;
	bool zeros; /* have just been taken: no digit need follow */
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* 18 digits are enough for the date and time that some have. */
static int64_t digits(struct walk *w, bool needed)
{
	int64_t value = 0;
	int n = 0;

	for (; is_digit(*w->s); w->s++, n++)
		value = n < 18 ? 10 * value + (*w->s - '0') : value;
	if (n > 18 || (needed && !n))
		w->next = BAD;
	return value;
}

/* Those before a release are below zero. */
static int64_t suffix(struct walk *w)
{
	static const char *const names[] = { "alpha", "beta", "pre", "rc", "cvs", "svn", "git",
					     "hg", "p" };

	for (int i = 0; i < 9; i++)
		if (strncmp(w->s, names[i], strlen(names[i])) == 0) {
			w->s += strlen(names[i]);
			return i - 4;
		}
	w->next = BAD;
	return 0;
}

/* What a part ends at says what the next one is; they come in one order. */
static void go_on(struct walk *w, enum next was)
{
	enum next next = BAD;

	if (w->next == BAD)
		return;
	if (!*w->s)
		next = END;
	else if (was <= DIGITS && *w->s >= 'a' && *w->s <= 'z')
		next = LETTER;
	else if (was == LETTER && is_digit(*w->s))
		next = DIGITS;
	else if (was == SUFFIX && is_digit(*w->s))
		next = SUFFIX_DIGITS;
	else if (was <= DIGITS && *w->s == '.' && w->s++)
		next = DOTTED;
	else if (was <= SUFFIX_DIGITS && *w->s == '_' && w->s++)
		next = SUFFIX;
	else if (was < REVISION && strncmp(w->s, "-r", 2) == 0 && (w->s += 2))
		next = REVISION;
	w->next = next;
}

/* The value of the next part.  Behind a dot, zeros in front make a fraction of
 * a number: 1.05 is less than 1.1, and 1.005 than 1.05. */
static int64_t take(struct walk *w)
{
	enum next was = w->next;
	const char *from = w->s;
	int64_t value = 0;

	if (was == DOTTED && *w->s == '0') {
		while (*w->s == '0')
			w->s++;
		w->next = *w->s ? DIGITS : END;
		w->zeros = true;
		return from - w->s;
	}
	if (was == LETTER)
		value = (unsigned char)*w->s++;
	else
		value = was == SUFFIX ? suffix(w) : digits(w, !w->zeros);
	w->zeros = false;
	go_on(w, was);
	return value;
}

bool pd_version_alpine_allowed(const char *s)
{
	struct walk w = { s, DIGITS, false };

	while (w.next != BAD && w.next != END)
		take(&w);
	return w.next == END;
}

int pd_version_alpine(const char *a, const char *b)
{
	struct walk x = { a, DIGITS, false }, y = { b, DIGITS, false };
	int64_t p = 0, q = 0;

	while (p == q && x.next == y.next && x.next != END) {
		p = take(&x);
		q = take(&y);
	}
	if (p != q)
		return p < q ? -1 : 1;
	if (x.next == y.next)
		return 0;
	/* the longer one is newer, unless it goes on as what came before */
	if (x.next == SUFFIX && take(&x) < 0)
		return -1;
	if (y.next == SUFFIX && take(&y) < 0)
		return 1;
	return x.next > y.next ? -1 : 1;
}
