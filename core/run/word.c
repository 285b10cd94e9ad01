/* SPDX-License-Identifier: MIT */
/* The word of a person to a run that waits in another process.  That one has the
 * lock, so the event is written beside it, durable, for it to hear; if it is gone
 * before, a resume does.  Only a run that waits is spoken to, and it hears that
 * before it writes anything. */
#include "run/engine.h"
#include "run/permit.h"

static bool apply(void *user, const struct pd_event *event, struct pd_error **err)
{
	struct pd_engine *e = user;

	if (!pd_record_apply(e->record, event, err))
		return false;
	e->called_back |= e->record->state == PD_RUN_UNDOING;
	if (e->o->event)
		e->o->event(e->o->user, e->record, event);
	return true;
}

bool pd_engine_hear(struct pd_engine *e)
{
	return pd_journal_each(e->journal, e->record->run, e->record->last, apply, e, &e->fatal);
}

char *pd_engine_asked_by(const struct pd_engine *e, const char *who)
{
	const char *why = e->o->why && *e->o->why ? e->o->why : NULL;

	return pd_print("asked for by %s%s%s", who, why ? ": " : "", why ? why : "");
}

int64_t pd_run_word(const struct pd_run_options *o, const char *run, bool undo,
		    struct pd_error **err)
{
	struct pd_engine e = { .o = o, .journal = pd_journal_open(o->state, false, err) };
	pd_auto_free char *why = pd_engine_asked_by(&e, o->who ? o->who : "a person");
	int64_t n = 0;

	/* from here to what is written, it neither goes on nor ends */
	if (e.journal && pd_journal_begin(e.journal, err))
		e.record = pd_record_read(e.journal, run, err);
	if (e.record && e.record->state == PD_RUN_WAITING &&
	    (undo ? pd_engine_state(&e, PD_RUN_UNDOING, why) :
		    pd_permit_known(&e, err) && pd_permit_override(&e)))
		n = e.record->last;
	if (e.fatal)
		pd_error_move(err, e.fatal);
	pd_record_free(e.record);
	pd_journal_close(e.journal);
	return n;
}
