/* SPDX-License-Identifier: MIT */
/* The rules, tried on a scanner, a reader or a filter. */
#include "trial.h"

#include <signal.h>

#include "stream.h"

enum {
	HASTE = 10,         /* seconds that a damaged sample may take */
	PEAK = 256 << 10,   /* KiB of memory that any sample may take */
	PIECE = 4 << 20,    /* bytes that a filter may hand over in one */
	GUESS = 10,         /* score of what may be its own, and is refused if it is not */
	BOMB_MOST = 1 << 20, /* bytes that may come out of one */
	FLIPS = 12
};

/* One row of the plugin, and the callback that it has. */
struct row {
	struct trial t;
	const char *kind, *name;
	int phase;
	bool filter;
};

static struct row row_of(struct place *p, const char *kind, const char *name, struct pd_error **err)
{
	static const struct pd_step none;
	struct row r = { .t = { .place = p, .step = &none, .err = err }, .kind = kind, .name = name,
			 .filter = strcmp(kind, "filter") == 0 };

	r.phase = strcmp(kind, "scanner") == 0 ? PD_PHASE_SCAN : r.filter ? PD_PHASE_UNPACK : PD_PHASE_READ;
	return r;
}

static json_t *verdict_of(struct row *r, bool ok)
{
	json_t *row = verdicts_json_take(&r->t.v, r->kind, r->name);

	json_decref(r->t.before);
	if (ok)
		return row;
	json_decref(row);
	return NULL;
}

/* Call it; what the lens saw is noted.  @p more is taken.  NULL: t.err. */
static json_t *call(struct row *r, json_t *more_take)
{
	pd_auto_json *asked = json_pack("{s:s, s:s, s:s, s:i}", "kind", r->kind, "plugin",
		r->t.place->subject->plugin->name, "name", r->name, "phase", r->phase);
	json_t *answer;

	json_object_update(asked, more_take);
	json_decref(more_take);
	if (r->t.v.of[RULE_LEFT].state == VERDICT_BROKEN)
		json_object_set_new(asked, "hasty", json_true());
	answer = place_call(r->t.place, asked, r->t.err);
	trial_note(&r->t, RULE_LEFT, answer, "left", r->kind);
	trial_note(&r->t, RULE_STILL, answer, "touches", r->kind);
	return answer;
}

static int result_of(const json_t *answer)
{
	return (int)pd_json_number(answer, "result", PD_FAILED);
}

static const char *message_of(const json_t *answer)
{
	return pd_json_text(answer, "message", "");
}

/* It crashed, broke the contract, or was ended for what it sent. */
static bool is_fault(const json_t *answer)
{
	return trial_is_bug(result_of(answer), message_of(answer)) || strstr(message_of(answer), " was ended: ");
}

static bool begin(struct row *r)
{
	if (!place_renew(r->t.place, r->t.err))
		return false;
	r->t.before = place_look(r->t.place);
	return true;
}

/* Asked to stop before it begins, with @p more.  SIGALRM ends what goes on. */
static bool try_stop(struct row *r, json_t *more_take)
{
	json_t *asked = json_pack("{s:b, s:i}", "stop", 1, "patience", TRIAL_GRACE);
	pd_auto_json *answer = NULL;

	json_object_update(asked, more_take);
	json_decref(more_take);
	answer = call(r, asked);
	if (pd_json_number(answer, "signal", 0) == SIGALRM)
		verdict_broken(&r->t.v, RULE_LIMIT, "it was asked to stop when it began, and went on for"
			       " longer than its grace of %d s", TRIAL_GRACE);
	verdict_kept(&r->t.v, RULE_LIMIT);
	return answer != NULL;
}

/* ------------------------------------------- scanners, readers of the server */

/* What came of it that did not come of the call before; NULL: the same.  Borrowed. */
static const char *difference(const struct row *r, const json_t *before, const json_t *answer)
{
	if (r->phase == PD_PHASE_SCAN)
		return pd_json_text(answer, "difference", NULL);
	return strcmp(pd_json_text(before, "digest", ""), pd_json_text(answer, "digest", "")) == 0 ? NULL :
	       "other updates, or other parts of them";
}

/* The same rows, but for numbers, which go on; @first and @second may differ, since the
 * one is of a read-only system, and once something may have happened in between. */
static bool try_again(struct row *r, const json_t *first, const json_t *second)
{
	pd_auto_json *before = json_incref((json_t *)(uintptr_t)second);
	pd_auto_free char *differs = pd_strdup(difference(r, first, second));

	for (int i = 0; differs && i < 3; i++) {
		pd_auto_json *answer = call(r, json_object());

		if (!answer)
			return false;
		free(differs);
		differs = pd_strdup(difference(r, before, answer));
		json_decref(before);
		before = json_incref(answer);
	}
	if (differs)
		verdict_broken(&r->t.v, RULE_TWICE, "each time it finds something else: %s", differs);
	verdict_kept(&r->t.v, RULE_TWICE);
	return true;
}

static bool look_at_server(struct row *r)
{
	pd_auto_json *first = NULL, *shut = NULL;
	struct verdicts *v = &r->t.v;
	bool bug;

	if (!begin(r) || !(first = call(r, json_object())))
		return false;
	bug = is_fault(first);
	if (result_of(first) < 0 && !r->t.place->boots && !bug)
		for (enum rule rule = RULE_STILL; rule <= RULE_TWICE; rule++)
			verdict_untried(v, rule, "it fails in a clone without an init: %s", message_of(first));
	else if (result_of(first) < 0)
		verdict_broken(v, RULE_STILL, "%s", message_of(first));
	if (!(shut = call(r, json_pack("{s:b}", "shut", 1))))
		return false;
	if (result_of(shut) != result_of(first))
		verdict_broken(v, RULE_STILL, "it returns %d on a read-only system, and %d on one that"
			       " can be written: %s", result_of(shut), result_of(first), message_of(shut));
	if ((result_of(first) >= 0 && result_of(shut) >= 0 && !try_again(r, first, shut)) ||
	    !try_stop(r, json_object()))
		return false;
	trial_compare(&r->t, RULE_STILL, r->t.before, "afterwards");
	verdict_kept(v, RULE_LEFT);
	verdict_kept(v, RULE_STILL);
	return true;
}

json_t *rules_looker(struct place *p, const char *kind, const char *name, struct pd_error **err)
{
	struct row r = row_of(p, kind, name, err);

	return verdict_of(&r, look_at_server(&r));
}

/* -------------------------------------------------------------- recognize */

static bool is_own(const struct row *r, const struct sample *s)
{
	return s->name && strcmp(s->name, r->name) == 0;
}

static void note_score(struct row *r, const struct samples *all, size_t n, int score)
{
	const struct sample *s = n < all->len ? &all->items[n] : NULL;

	if (score < 0 || score > 100)
		verdict_broken(&r->t.v, RULE_KNOWS, "recognize returns %d, which is not from 0 to 100", score);
	else if (s && is_own(r, s) && !score)
		verdict_broken(&r->t.v, RULE_KNOWS, "it does not recognize its own sample %s", s->shown);
	else if (s && !s->name && score >= GUESS)
		verdict_broken(&r->t.v, RULE_KNOWS, "it recognizes what is none of its own (%d): %s", score, s->shown);
	else if (s && s->name && !is_own(r, s) && score == 100)
		verdict_broken(&r->t.v, RULE_KNOWS, "it is certain of the sample of %s: %s", s->name, s->shown);
}

/* What it only guesses it has to refuse when it reads it. */
static bool try_guess(struct row *r, int n, int score)
{
	const struct sample *s = &r->t.place->subject->samples.items[n];
	pd_auto_json *answer = NULL;

	if (s->name || score <= 0 || score >= GUESS)
		return true;
	answer = call(r, json_pack("{s:i, s:i, s:b}", "sample", n, "patience", HASTE, "tight", 1));
	if (result_of(answer) >= 0)
		verdict_broken(&r->t.v, RULE_KNOWS, "it guesses at what is none of its own (%d), and reads it: %s", score,
			       s->shown);
	return answer != NULL;
}

static bool try_recognize(struct row *r)
{
	const struct samples *all = &r->t.place->subject->samples;
	pd_auto_json *asked = json_pack("{s:b, s:s, s:s}", "look", 1, "kind", r->kind, "name", r->name);
	pd_auto_json *answer = place_call(r->t.place, asked, r->t.err);
	const json_t *scores = json_object_get(answer, "scores");
	size_t n = json_array_size(scores), len;

	if (!answer)
		return false;
	for (size_t i = 0; i < n; i++) {
		int score = (int)json_integer_value(json_array_get(scores, i));

		note_score(r, all, i, score);
		if (i < all->len && !try_guess(r, (int)i, score))
			return false;
	}
	if (n < stream_heads(all)) {
		int number = (int)pd_json_number(answer, "signal", 0);

		stream_head(all, n, &len);
		verdict_broken(&r->t.v, RULE_KNOWS, "recognize %s with the first %zu bytes of %s: signal %d (%s)",
			       number == SIGALRM ? "does not return" : "crashes, or reads on behind its end,", len,
			       all->items[n < all->len ? n : (n - all->len) / ((stream_heads(all) / all->len) - 1)].shown,
			       number, strsignal(number));
	}
	verdict_kept(&r->t.v, RULE_KNOWS);
	return true;
}

/* ------------------------------------------------------- a sample as it is */

/* Is what came out of it what has to? */
static void judge_whole(struct row *r, const struct sample *s, const json_t *answer)
{
	if (result_of(answer) < 0)
		verdict_broken(&r->t.v, RULE_TWICE, "its own sample %s is refused: %s", s->shown, message_of(answer));
	else if (r->filter && !pd_json_true(answer, "whole"))
		verdict_broken(&r->t.v, RULE_TWICE, "of its own sample %s come %lld bytes that are not those which"
			       " were packed", s->shown, (long long)pd_json_number(answer, "bytes", 0));
	else if (!r->filter && pd_json_number(answer, "updates", 0) == 0)
		verdict_broken(&r->t.v, RULE_TWICE, "no update comes out of its own sample %s", s->shown);
}

static bool try_whole(struct row *r, const struct sample *s, int n)
{
	pd_auto_json *first = call(r, json_pack("{s:i}", "sample", n));
	pd_auto_json *again = first ? call(r, json_pack("{s:i}", "sample", n)) : NULL;
	pd_auto_json *shut = again ? call(r, json_pack("{s:i, s:b}", "sample", n, "shut", 1)) : NULL;

	if (!shut)
		return false;
	judge_whole(r, s, first);
	if (strcmp(pd_json_text(first, "digest", ""), pd_json_text(again, "digest", "")) != 0)
		verdict_broken(&r->t.v, RULE_TWICE, "what comes out of %s is something else each time", s->shown);
	verdict_kept(&r->t.v, RULE_TWICE);
	if (result_of(shut) != result_of(first) ||
	    (r->t.v.of[RULE_TWICE].state == VERDICT_KEPT &&
	     strcmp(pd_json_text(first, "digest", ""), pd_json_text(shut, "digest", "")) != 0))
		verdict_broken(&r->t.v, RULE_STILL, "with a read-only system it returns %d, and %d with one that can"
			       " be written, or something else comes out: %s", result_of(shut), result_of(first),
			       message_of(shut));
	return true;
}

/* ------------------------------------------------------- a damaged sample */

/* How it is called with one, for people; the caller frees. */
static char *with(const struct sample *s, enum damage damage, unsigned number)
{
	if (damage == DAMAGE_CUT)
		return pd_print("%s %s (%u/16)", s->shown, damages[damage], number);
	if (damage == DAMAGE_FLIP)
		return pd_print("%s %s (number %u)", s->shown, damages[damage], number);
	return pd_print("%s %s", s->shown, damages[damage]);
}

static void judge_costs(struct row *r, const char *what, const json_t *answer)
{
	long peak = (long)pd_json_number(answer, "peak", 0);

	if (pd_json_number(answer, "signal", 0) == SIGALRM)
		verdict_broken(&r->t.v, RULE_DAMAGE, "%s: it takes longer than %d s", what, HASTE);
	else if (is_fault(answer))
		verdict_broken(&r->t.v, RULE_DAMAGE, "%s: %s", what, message_of(answer));
	else if (peak > PEAK)
		verdict_broken(&r->t.v, RULE_DAMAGE, "%s: it takes %ld MiB of memory", what, peak >> 10);
	if (pd_json_true(answer, "canary"))
		verdict_broken(&r->t.v, RULE_DAMAGE, "%s: what comes out is the text of a file of the server", what);
}

/* @return whether it is worth going on with more of this kind. */
static bool try_damage(struct row *r, const struct sample *s, int n, enum damage damage, unsigned number)
{
	size_t len;
	pd_auto_free char *data = sample_damaged(s, damage, number, &len), *what = with(s, damage, number);
	pd_auto_json *answer = NULL;

	if (!data)
		return true;
	answer = call(r, json_pack("{s:i, s:i, s:i, s:i, s:b}", "sample", n, "damage", (int)damage, "number",
				   (int)number, "patience", HASTE, "tight", 1));
	if (!answer)
		return false;
	judge_costs(r, what, answer);
	if (r->filter && result_of(answer) >= 0 && damage == DAMAGE_CUT && !pd_json_true(answer, "whole"))
		verdict_broken(&r->t.v, RULE_DAMAGE, "%s: it is taken for whole, and %lld bytes of %zu come out", what,
			       (long long)pd_json_number(answer, "bytes", 0), s->plain_len);
	return pd_json_number(answer, "signal", 0) != SIGALRM;
}

/* More comes out of it than may. */
static bool try_bomb(struct row *r, const struct sample *s, int n)
{
	json_int_t most = s->plain ? (json_int_t)s->plain_len / 2 : BOMB_MOST;
	pd_auto_json *answer = call(r, json_pack("{s:i, s:I, s:i, s:b}", "sample", n, "most", most, "patience",
						 HASTE, "tight", 1));
	pd_auto_free char *what = pd_print("%s, of which more comes than may", s->shown);

	if (!answer)
		return false;
	judge_costs(r, what, answer);
	if (result_of(answer) >= 0)
		verdict_broken(&r->t.v, RULE_DAMAGE, "%s: it does not fail", what);
	if (pd_json_number(answer, "piece", 0) > PIECE)
		verdict_broken(&r->t.v, RULE_DAMAGE, "%s: it hands over %lld MiB in one, and so holds all that comes",
			       what, (long long)pd_json_number(answer, "piece", 0) >> 20);
	return true;
}

static bool try_damages(struct row *r, const struct sample *s, int n)
{
	static const unsigned cuts[] = { 0, 1, 4, 8, 12, 16 };
	bool ok = true;

	for (size_t i = 0; ok && i < sizeof(cuts) / sizeof(*cuts); i++)
		ok = try_damage(r, s, n, DAMAGE_CUT, cuts[i]);
	for (unsigned i = 0; ok && i < FLIPS; i++)
		ok = try_damage(r, s, n, DAMAGE_FLIP, i);
	ok = ok && try_damage(r, s, n, DAMAGE_NOISE, 0);
	if (r->filter)
		return !*r->t.err && (!ok || !s->plain_len || try_bomb(r, s, n));
	for (enum damage d = DAMAGE_DEEP; ok && d < DAMAGES; d++)
		ok = try_damage(r, s, n, d, 0) && (d != DAMAGE_ENTITY || try_damage(r, s, n, d, 1));
	return !*r->t.err;
}

/* -------------------------------------------------------------------- a row */

static bool try_sample(struct row *r, const struct sample *s, int n)
{
	if (r->filter && !s->plain)
		return try_bomb(r, s, n);
	return try_whole(r, s, n) && try_damages(r, s, n) &&
	       try_stop(r, json_pack("{s:i, s:i}", "sample", n, "damage", (int)(r->filter ? DAMAGE_NONE : DAMAGE_MANY)));
}

static bool look_at_samples(struct row *r)
{
	const struct samples *all = &r->t.place->subject->samples;
	bool ok = begin(r), any = false;

	for (size_t i = 0; i < all->len; i++)
		any = any || (is_own(r, &all->items[i]) && (!r->filter || all->items[i].plain));
	if (!any)
		verdict_untried(&r->t.v, RULE_TWICE, "the case names no sample of it: params = { samples = pd.list {"
				" default = { \"%s=FILE%s\" } } }", r->name, r->filter ? "=WHAT-IS-PACKED" : "");
	ok = ok && try_recognize(r);
	for (size_t i = 0; ok && i < all->len; i++)
		ok = !is_own(r, &all->items[i]) || try_sample(r, &all->items[i], (int)i);
	if (!ok)
		return false;
	trial_compare(&r->t, RULE_STILL, r->t.before, "afterwards");
	if (any) {
		verdict_kept(&r->t.v, RULE_DAMAGE);
		verdict_kept(&r->t.v, RULE_STILL);
		verdict_kept(&r->t.v, RULE_LEFT);
	}
	return true;
}

json_t *rules_format(struct place *p, const char *kind, const char *name, struct pd_error **err)
{
	struct row r = row_of(p, kind, name, err);

	return verdict_of(&r, look_at_samples(&r));
}
