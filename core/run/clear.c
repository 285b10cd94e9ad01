/* SPDX-License-Identifier: MIT */
/* One run at a time: what stands in the way of the next one, and how a person
 * who has mended what an undo could not takes it out of the way. */
#include "run/boot.h"
#include "run/engine.h"
#include "run/lock.h"

/* A run that is neither done nor given up stands in the way of any other. */
bool pd_engine_free_server(struct pd_engine *e, const char *run, struct pd_error **err)
{
	pd_auto_free char *id = NULL;
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r = NULL;
	bool stuck;

	if (!pd_journal_open_run(e->journal, run, &id, err))
		return false;
	if (!id)
		return e->o->pretend || pd_boot_free(e->o->state, err);
	r = pd_record_read(e->journal, id, err);
	stuck = r && r->state == PD_RUN_INCONSISTENT;
	return r && pd_error_set(err, stuck ? "run-inconsistent" : "run-open",
				 "run %s is %s%s%s", id, pd_run_state_name(r->state),
				 r->why && *r->why ? ": " : "", r->why ? r->why : "");
}

/* Does something of this run still stand that an undo would have to do with? */
static bool stands(struct pd_engine *e, const char *run, bool *found, struct pd_error **err)
{
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r = pd_record_read(e->journal, run, err);

	for (size_t i = 0; r && i < r->n_steps && !*found; i++) {
		const struct pd_record_step *s = &r->steps[i];

		*found = s->applied && s->state != PD_STEP_UNDONE &&
			 (pd_engine_no_return(e, s) || (s->changed && pd_engine_can_undo(e, s)));
	}
	return r != NULL;
}

bool pd_engine_newer(struct pd_engine *e, struct pd_error **err)
{
	const char *why = e->o->why && *e->o->why ? e->o->why : NULL;
	pd_auto(pd_strings) ids = {0};
	bool found = false;
	size_t i;

	if (!pd_journal_newer_runs(e->journal, e->record->run, &ids, err))
		return false;
	for (i = 0; i < ids.len; i++) {
		if (!stands(e, ids.items[i], &found, err))
			return false;
		if (found)
			break;
	}
	if (!found)
		return true;
	if (!why)
		return pd_error_set(err, "undo-newer", "run %s has changed the server since run %s",
				    ids.items[i], e->record->run);
	return pd_engine_note(e, "accept", "", json_pack("{s:s, s:s, s:s, s:s}", "what", "newer", "run",
			      ids.items[i], "who", e->o->who ? e->o->who : "unknown", "why", why), false);
}

static bool may_clear(const struct pd_record *r, const char *why, struct pd_error **err)
{
	if (!why || !*why)
		return pd_error_set(err, "no-reason", "say how the server was mended");
	return r->state == PD_RUN_INCONSISTENT ||
	       pd_error_set(err, "clear-state", "run %s is %s, not inconsistent", r->run,
			    pd_run_state_name(r->state));
}

enum pd_run_end pd_run_clear(const struct pd_run_options *o, const char *run,
			     const char *why, struct pd_error **err)
{
	struct pd_engine e = { .o = o, .journal = pd_journal_open(o->state, false, err) };
	pd_auto_close int lock = e.journal ? pd_lock_take(o->state, e.journal, run, err) : -1;
	enum pd_run_end end = lock < 0 && e.journal ? PD_END_REFUSED : PD_END_INVALID;
	const char *who = o->who ? o->who : "unknown";

	if (lock >= 0 && pd_journal_check(e.journal, err))
		e.record = pd_record_read(e.journal, run, err);
	if (e.record && may_clear(e.record, why, err)) {
		pd_auto_free char *text = pd_print("by %s: %s; it was inconsistent %s", who, why,
						   e.record->why ? e.record->why : "");

		if (pd_engine_note(&e, "clear", "", json_pack("{s:s, s:s}", "who", who, "why",
				   why), false) &&
		    pd_engine_state(&e, PD_RUN_CLEARED, text))
			end = PD_END_DONE;
	}
	if (e.fatal)
		pd_error_move(err, e.fatal);
	pd_record_free(e.record);
	pd_journal_close(e.journal);
	return end;
}
