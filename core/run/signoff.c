/* SPDX-License-Identifier: MIT */
/* Signatures: each named party says that the server is as it should be. */
#include "run/engine.h"

#include "base/text.h"
#include "run/lock.h"

static bool may_sign(const struct pd_record *r, const char *party,
		     struct pd_error **err)
{
	pd_auto_free char *all = pd_strings_join(&r->parties, ", ");
	const char *nearest;

	if (r->state != PD_RUN_SIGNOFF)
		return pd_error_set(err, "sign-state", "run %s is %s", r->run,
				    pd_run_state_name(r->state));
	if (pd_strings_has(&r->parties, party))
		return true;
	nearest = pd_nearest(party, (const char *const *)r->parties.items, r->parties.len);
	pd_error_set(err, "sign-party", "'%s' is none of the parties: %s", party, all);
	if (nearest)
		pd_error_remedy(err, "Did you mean '%s'?", nearest);
	return false;
}

enum pd_run_end pd_run_sign(const struct pd_run_options *o, const char *run,
			    const char *party, const char *name, const char *note,
			    struct pd_error **err)
{
	struct pd_engine e = { .o = o, .journal = pd_journal_open(o->state, false, err) };
	pd_auto_close int lock = e.journal ? pd_lock_take(o->state, e.journal, run, err) : -1;
	enum pd_run_end end = lock < 0 && e.journal ? PD_END_REFUSED : PD_END_INVALID;
	pd_auto(pd_strings) missing = {0};
	pd_auto_free char *who = NULL;

	if (lock >= 0)
		e.record = pd_record_read(e.journal, run, err);
	if (e.record && may_sign(e.record, party, err) &&
	    pd_engine_note(&e, "sign", "", json_pack("{s:s, s:s, s:s}", "party", party,
			   "name", name, "note", note ? note : ""), true)) {
		pd_record_missing(e.record, &missing);
		who = pd_strings_join(&missing, ", ");
		end = PD_END_WAITING;
		if (pd_engine_state(&e, missing.len ? PD_RUN_SIGNOFF : PD_RUN_DONE, who) &&
		    !missing.len)
			end = PD_END_DONE;
	}
	if (e.fatal)
		pd_error_move(err, e.fatal);
	pd_record_free(e.record);
	pd_journal_close(e.journal);
	return end;
}
