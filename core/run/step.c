/* SPDX-License-Identifier: MIT */
/* One step: arguments, its callbacks in workers, and what they journal. */
#include "run/call.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "plugin/arguments.h"
#include "run/boot.h"

enum { MAX_REBOOT_ATTEMPTS = 3 }; /* of one step */

/* An argument with its references replaced by what was put out; an output
 * that is not there yet is marked as unknown. */
static json_t *resolve(struct pd_engine *e, const struct pd_record_step *s,
		       json_t *value, bool dry)
{
	const char *ref = pd_json_text(value, "$ref", NULL);
	json_t *out = NULL, *item, *found;
	const struct pd_record_step *from;
	size_t i;

	if (json_is_array(value)) {
		out = json_array();
		json_array_foreach(value, i, item)
			json_array_append_new(out, resolve(e, s, item, dry));
		return out;
	}
	if (!ref)
		return json_incref(value);
	from = pd_record_sibling(e->record, s, ref);
	found = from ? json_object_get(dry && from->predicted ?
				       json_object_get(from->predicted, "outputs") :
				       from->outputs,
				       pd_json_text(value, "out", "")) : NULL;
	return found ? json_incref(found) :
		       json_pack("{s:s}", "$unknown", ref);
}

json_t *pd_step_arguments(struct pd_engine *e, const struct pd_record_step *s,
			  bool dry, const char **unknown)
{
	json_t *out = json_object(), *value, *item;
	const char *name;
	size_t i;

	*unknown = NULL;
	json_object_foreach((json_t *)(uintptr_t)s->step->args, name, value) {
		json_t *resolved = resolve(e, s, value, dry);

		if (json_object_get(resolved, "$unknown"))
			*unknown = pd_json_text(value, "$ref", "?");
		json_array_foreach(resolved, i, item)
			if (json_object_get(item, "$unknown"))
				*unknown = pd_json_text(json_array_get(value, i), "$ref", "?");
		json_object_set_new(out, name, resolved);
	}
	return out;
}

static bool refers(const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		if (refers(item))
			return true;
	return json_object_get(value, "$ref") != NULL;
}

/* Digest of the arguments with the values that come from other steps; "" if
 * none does. */
static void inputs_digest(struct pd_engine *e, const struct pd_record_step *s, pd_digest out)
{
	const char *unknown = NULL, *name;
	pd_auto_json *args = NULL;
	json_t *value;

	*out = '\0';
	json_object_foreach((json_t *)(uintptr_t)s->step->args, name, value)
		if (!args && refers(value))
			args = pd_step_arguments(e, s, false, &unknown);
	if (args)
		pd_json_digest(args, out);
}

bool pd_engine_stale(struct pd_engine *e, const struct pd_record_step *s)
{
	pd_digest now = "";

	if (s->inputs)
		inputs_digest(e, s, now);
	return s->inputs && strcmp(s->inputs, now) != 0;
}

const char *pd_result_name(int result)
{
	static const char *const below[] = { "failed", "bad-args", "retry",
					     "canceled", "refused" };

	return result == PD_CHANGED ? "changed" : result == PD_UNCHANGED ?
		"unchanged" : result >= -5 ? below[-result - 1] : "failed";
}

static json_t *result_json(const struct pd_worker_result *r, const char *phase)
{
	return json_pack("{s:s, s:s, s:s*, s:s*, s:f}", "result",
			 pd_result_name(r->result), "phase", phase, "message",
			 r->message, "detail", r->detail, "seconds", r->seconds);
}

static enum pd_outcome fail(struct pd_call *c, const char *phase,
			    const struct pd_worker_result *r)
{
	if (c->e->fatal)
		return PD_OUT_FATAL;
	/* the server goes down: leave it as a crash would */
	if (pd_engine_signal(c->e) == SIGTERM)
		return PD_OUT_SIGNAL;
	if (!pd_engine_note(c->e, "failed", c->s->key, result_json(r, phase), true))
		return PD_OUT_FATAL;
	return PD_OUT_FAILED;
}

static enum pd_outcome finish(struct pd_call *c, bool changed, bool recovered,
			      double seconds)
{
	const struct pd_plugin *p = pd_registry_find(c->e->o->registry, c->s->step->plugin, NULL);
	pd_digest inputs = "";

	inputs_digest(c->e, c->s, inputs);
	return pd_engine_note(c->e, "done", c->s->key,
			      json_pack("{s:s, s:b, s:f, s:s*, s:s*}", "result", changed ?
					"changed" : "unchanged", "recovered", recovered,
					"seconds", seconds, "inputs", *inputs ? inputs : NULL,
					"version", p ? p->version : NULL),
			      true) ?
	       PD_OUT_DONE : PD_OUT_FATAL;
}

static bool note_outputs(struct pd_call *c)
{
	const char *name;
	json_t *value;

	json_object_foreach(c->predicted, name, value)
		if (!pd_engine_note(c->e, "output", c->s->key,
				    json_pack("{s:s, s:O}", "name", name, "value",
					      value), false))
			return false;
	return true;
}

/* Look at the real thing after apply: its own verify, or check again. */
static enum pd_outcome prove(struct pd_call *c, const struct pd_step *step,
			     const json_t *args, bool recovered, double seconds)
{
	pd_auto(pd_worker_result) r = {0};
	pd_auto_json *ignored = json_object();

	if (!step->verify)
		c->predicted = ignored;
	if (!pd_call_again(c, step->verify ? PD_PHASE_VERIFY : PD_PHASE_CHECK, args,
			step->retries, &r))
		return PD_OUT_FATAL;
	c->predicted = NULL;
	if (r.result == PD_CHANGED && !step->verify) {
		r.result = PD_FAILED;
		r.message = pd_strdup("it ran without an error, but the server is"
				      " still not as asked");
	}
	if (r.result < 0)
		return fail(c, "verify", &r);
	return finish(c, true, recovered, seconds + r.seconds);
}

/* That the server was not started anew since the step wanted it is journaled. */
static bool has_booted(struct pd_call *c, bool *booted)
{
	json_t *now = c->e->record->boot;

	*booted = pd_boot_differs(c->s->witness, now);
	return *booted || pd_engine_note(c->e, "boot", "", json_pack("{s:s, s:O}", "how",
					 "did not happen", "witness", now), true);
}

/* The proof that the server was started anew, after it was asked to. */
static enum pd_outcome after_reboot(struct pd_call *c, const struct pd_step *step,
				    const json_t *args)
{
	bool booted;

	if (!has_booted(c, &booted))
		return PD_OUT_FATAL;
	if (!booted)
		return PD_OUT_REBOOT;
	if (!step->verify)
		return finish(c, true, false, 0);
	return prove(c, step, args, false, 0);
}

/* A reboot was asked for before and has not come.  The server may just be going
 * down, and what fails meanwhile says nothing: the run goes on after it. */
static enum pd_outcome may_still_come(struct pd_call *c, const struct pd_worker_result *r,
				      enum pd_run_state state)
{
	pd_auto_free char *text = pd_print("the reboot that %s has asked for has not come yet, and"
		" asking for it again failed: %s; if it does not come, reboot the server",
		c->s->key, r->message ? r->message : "");
	pd_auto_free char *why = pd_strdup(state == PD_RUN_UNDOING && c->e->record->why ?
					   c->e->record->why : c->s->key);

	return pd_engine_note(c->e, "warning", "", json_pack("{s:s}", "text", text), false) &&
	       pd_engine_state(c->e, state, why) ? PD_OUT_REBOOT : PD_OUT_FATAL;
}

/* Was one asked for that has not come, and the failure not a person's wish to stop? */
static bool is_promised(const struct pd_call *c)
{
	return c->s->asked && pd_engine_signal(c->e) != SIGINT;
}

/* Only what was asked for counts as asked in vain: a process may end before. */
static enum pd_outcome is_asked(struct pd_engine *e, const struct pd_record_step *s)
{
	return pd_engine_note(e, "asked", s->key, json_object(), true) ? PD_OUT_REBOOT :
									PD_OUT_FATAL;
}

/* @p again: the one before was promised, and has not come. */
static enum pd_outcome ask_for_reboot(struct pd_call *c, const json_t *args, bool again)
{
	pd_auto(pd_worker_result) r = { .result = PD_FAILED };

	if (again && c->s->asked >= MAX_REBOOT_ATTEMPTS) {
		r.message = pd_print("the server was asked for a reboot %" PRId64 " times and none"
				     " happened", c->s->asked);
		return fail(c, "apply", &r);
	}
	if (c->e->record->reboots >= c->s->plan->reboots) {
		r.message = pd_print("the run has rebooted the server %" PRId64 " times, and its"
				     " workflow allows no more (reboots = %" PRId64 ")",
				     c->e->record->reboots, c->s->plan->reboots);
		return fail(c, "apply", &r);
	}
	/* all that is needed afterwards is on the disk before it is asked */
	if (!pd_engine_note(c->e, "apply", c->s->key, json_object(), false) ||
	    !pd_engine_note(c->e, "reboot", c->s->key,
			    json_pack("{s:o}", "witness", pd_engine_witness(c->e)), false) ||
	    !pd_engine_state(c->e, PD_RUN_REBOOTING, c->s->key) ||
	    !pd_call(c, PD_PHASE_APPLY, args, &r))
		return PD_OUT_FATAL;
	if (r.result >= 0)
		return is_asked(c->e, c->s);
	/* our own end may have come before the answer to the request */
	if (pd_engine_signal(c->e) == SIGTERM)
		return PD_OUT_REBOOT;
	if (is_promised(c))
		return may_still_come(c, &r, PD_RUN_REBOOTING);
	if (!pd_engine_state(c->e, PD_RUN_RUNNING, "the reboot was refused"))
		return PD_OUT_FATAL;
	return fail(c, "apply", &r);
}

static enum pd_outcome act(struct pd_call *c, const struct pd_step *step,
			   const json_t *args)
{
	pd_auto(pd_worker_result) r = {0};

	if (!pd_engine_note(c->e, "apply", c->s->key, json_pack("{s:s?}", "irreversible",
			    c->irreversible), true) ||
	    !pd_call_again(c, PD_PHASE_APPLY, args, step->retries, &r))
		return PD_OUT_FATAL;
	if (r.result < 0)
		return fail(c, "apply", &r);
	return prove(c, step, args, false, r.seconds);
}

/* What check has just found decides whether there is a way back.  A step that was
 * let through before a crash is asked again only for what is new. */
static char *gate(struct pd_call *c, const struct pd_step *step)
{
	bool is_new = c->irreversible && !c->s->irreversible;

	return c->s->applied && !is_new ? NULL : pd_engine_gate(c->e, c->s, c->irreversible ?
		c->irreversible : step->reversibility == PD_IRREVERSIBLE ?
		"this step can't be undone" : NULL);
}

/* With arguments that are all known: check, then what it says. */
static enum pd_outcome look_and_act(struct pd_call *c, const struct pd_step *step,
				    const json_t *args)
{
	pd_auto(pd_worker_result) r = {0};
	pd_auto_json *outputs = json_object(), *inhibitors = json_array();
	bool crashed = c->s->state == PD_STEP_BEGUN;
	bool begun = crashed || pd_record_unproven(c->s);
	bool again = crashed && c->s->witness;
	enum pd_outcome outcome;

	if (again) {
		outcome = after_reboot(c, step, args);
		if (outcome != PD_OUT_REBOOT)
			return outcome;
	}
	c->predicted = outputs;
	c->inhibitors = inhibitors;
	if (!pd_call_again(c, PD_PHASE_CHECK, args, step->retries, &r))
		return PD_OUT_FATAL;
	if (r.result < 0)
		return is_promised(c) ? may_still_come(c, &r, PD_RUN_REBOOTING) :
					       fail(c, "check", &r);
	if ((r.result == PD_UNCHANGED || !step->apply) && !note_outputs(c))
		return PD_OUT_FATAL;
	c->predicted = NULL;
	/* it may have come to its end before the crash, or failed after it: prove it */
	if (r.result == PD_UNCHANGED && begun && step->verify)
		return prove(c, step, args, crashed, r.seconds);
	if (r.result == PD_UNCHANGED || !step->apply)
		return finish(c, r.result == PD_CHANGED || begun, crashed, r.seconds);
	r.message = gate(c, step);
	if (r.message) {
		r.result = PD_REFUSED;
		return fail(c, "check", &r);
	}
	return step->flags & PD_S_REBOOTS ? ask_for_reboot(c, args, again) : act(c, step, args);
}

enum pd_outcome pd_engine_step(struct pd_engine *e, struct pd_record_step *s)
{
	pd_auto(pd_call) c = { .e = e, .s = s };
	pd_auto(pd_worker_result) r = { .result = PD_BAD_ARGS };
	pd_auto_free char *name = pd_print("%s.%s", s->step->plugin, s->step->step);
	pd_auto_error *err = NULL;
	const char *unknown = NULL;
	pd_auto_json *args = pd_step_arguments(e, s, false, &unknown);
	const struct pd_step *step = pd_registry_step(e->o->registry, name, NULL, &err);

	if (!step)
		r.message = pd_error_text(err);
	else if (unknown)
		r.message = pd_print("it needs an output that %s did not give", unknown);
	return r.message ? fail(&c, "check", &r) : look_and_act(&c, step, args);
}

static enum pd_outcome undone(struct pd_engine *e, struct pd_record_step *s,
			      const struct pd_worker_result *r)
{
	return !pd_engine_note(e, r->result < 0 ? "stuck" : "undone", s->key,
			       result_json(r, "undo"), true) ? PD_OUT_FATAL :
	       r->result < 0 ? PD_OUT_FAILED : PD_OUT_DONE;
}

enum pd_outcome pd_engine_undo_step(struct pd_engine *e, struct pd_record_step *s)
{
	pd_auto(pd_call) c = { .e = e, .s = s, .undo = true };
	pd_auto(pd_worker_result) r = {0};
	pd_auto_free char *name = pd_print("%s.%s", s->step->plugin, s->step->step);
	const char *unknown = NULL;
	pd_auto_json *args = pd_step_arguments(e, s, false, &unknown);
	const struct pd_step *step = pd_registry_step(e->o->registry, name, NULL, NULL);

	if (step && (!step->undo || step->flags & PD_S_REBOOTS))
		return PD_OUT_DONE;
	if (!pd_engine_note(e, "undo", s->key, json_object(), true) ||
	    !pd_call_again(&c, PD_PHASE_UNDO, args, step ? step->retries : 0, &r))
		return PD_OUT_FATAL;
	if (r.result < 0 && pd_engine_signal(e) == SIGTERM)
		return PD_OUT_SIGNAL;
	return undone(e, s, &r);
}

bool pd_engine_reboots_back(const struct pd_engine *e, const struct pd_record_step *s)
{
	pd_auto_free char *name = pd_print("%s.%s", s->step->plugin, s->step->step);
	const struct pd_step *step = s->booted && s->state != PD_STEP_UNDONE ?
		pd_registry_step(e->o->registry, name, NULL, NULL) : NULL;

	return step && step->undo && step->flags & PD_S_REBOOTS;
}

/* The undo had asked for a reboot before.  Did it happen?  True: no, and it may
 * be asked for again; false: *outcome. */
static bool not_booted_back(struct pd_call *c, const json_t *args, enum pd_outcome *outcome)
{
	pd_auto(pd_worker_result) r = { .result = PD_CHANGED };
	pd_auto_json *ignored = json_object();
	bool booted;

	*outcome = PD_OUT_FATAL;
	if (!has_booted(c, &booted))
		return false;
	c->predicted = ignored;
	if (!booted && !pd_call(c, PD_PHASE_CHECK, args, &r))
		return false;
	c->predicted = NULL;
	if (r.result < 0 && is_promised(c)) {
		*outcome = may_still_come(c, &r, PD_RUN_UNDOING);
		return false;
	}
	if (!booted && r.result >= 0 && c->s->asked < MAX_REBOOT_ATTEMPTS)
		return true;
	if (!booted && r.result >= 0) {
		r.result = PD_FAILED;
		r.message = pd_print("all is undone, but the server was asked for a reboot %"
				     PRId64 " times and none happened", c->s->asked);
	}
	*outcome = undone(c->e, c->s, &r);
	return false;
}

enum pd_outcome pd_engine_undo_reboot(struct pd_engine *e, struct pd_record_step *s)
{
	pd_auto(pd_call) c = { .e = e, .s = s, .undo = true };
	pd_auto(pd_worker_result) r = {0};
	const char *unknown = NULL;
	pd_auto_json *args = pd_step_arguments(e, s, false, &unknown);
	bool again = s->state == PD_STEP_UNDOING && s->undo_reboots;
	enum pd_outcome outcome;

	if (again && !not_booted_back(&c, args, &outcome))
		return outcome;
	if (!pd_engine_note(e, "undo", s->key, json_object(), false) ||
	    !pd_engine_note(e, "reboot", s->key, json_pack("{s:o}", "witness",
			    pd_engine_witness(e)), true) ||
	    !pd_call(&c, PD_PHASE_UNDO, args, &r))
		return PD_OUT_FATAL;
	if (r.result == PD_CHANGED)
		return is_asked(e, s);
	/* our own end may have come before the answer to the request */
	if (pd_engine_signal(e) == SIGTERM)
		return PD_OUT_REBOOT;
	return r.result < 0 && is_promised(&c) ? may_still_come(&c, &r, PD_RUN_UNDOING) : undone(e, s, &r);
}
