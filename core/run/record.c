/* SPDX-License-Identifier: MIT */
/*
 * Folding events into the record of a run.  Kinds and their data:
 *
 *   run       server, inputs             the first event of a run
 *   plan      round, plan, change        one for each round; change: what became
 *                                        of the steps of the plan it replaces
 *   owner     pid, boot                  a process begins to work on the run
 *   predict   result, outputs, message   dry run of a step
 *   apply     irreversible               intent, durable before the callback
 *   retry     n, of, delay, message      it is tried again after delay seconds
 *   reboot    witness                    durable before a reboot is asked for
 *   boot      how, witness, undo         what became of the server meanwhile
 *   remember  key, value                 durable before the callback goes on
 *   output    name, value
 *   evidence  path, title, bytes, sha256
 *   irreversible  why
 *   done      result, seconds, inputs, version   the step's end
 *   failed    result, phase, message, detail, seconds
 *   undo      -                          intent
 *   undone    result, seconds
 *   stuck     message, detail            the undo failed
 *   go        stage, expected_do, expected_undo, overridden
 *   wait      stage, expected_do, expected_undo, overridden, reasons
 *             (guard, risk, cause, remedy)   the guards let it go on, or not
 *   override  names, why, who            these guards no longer count
 *   log       level, text
 *   warning   text
 *   scan      when, path, bytes, sha256, seconds   facts before or after
 *   compare   explained, unexplained, not_compared, differences
 *   sign      party, name, note, by
 *   seal      key, by, site              the last event of a run
 *   accept    who, why, what             no way back is needed; or (what is
 *                                        "failing") steps may fail in the dry run
 *   skip      who, why                   the step is not done
 *   again     who, why                   the step is done once more
 *   clear     who, why                   a person has mended the server
 *   state     state, why; inhibitors of one that is refused
 */
#include "run/record.h"

static const char *const run_states[] = { "new", "running", "rebooting",
	"waiting to go on", "waiting for sign-off", "stopped", "undoing", "done", "rolled back",
	"inconsistent", "refused", "cleared" };
static const char *const step_states[] = { "pending", "begun", "done", "failed",
	"undoing", "undone", "stuck", "skipped" };

const char *pd_run_state_name(enum pd_run_state s)
{
	return run_states[s];
}

const char *pd_step_state_name(enum pd_step_state s)
{
	return step_states[s];
}

bool pd_run_state_ended(enum pd_run_state s)
{
	return s == PD_RUN_SIGNOFF || s >= PD_RUN_DONE;
}

struct pd_record *pd_record_new(const char *run)
{
	struct pd_record *r = pd_alloc(sizeof(*r));

	r->run = pd_strdup(run);
	r->decisions = json_array();
	return r;
}

static void evidence_clear(struct pd_evidence_row *row)
{
	free(row->path);
	free(row->title);
	free(row->sha256);
}

void pd_record_step_clear(struct pd_record_step *s)
{
	for (size_t i = 0; i < s->n_evidence; i++)
		evidence_clear(&s->evidence[i]);
	free(s->evidence);
	free(s->key);
	free(s->inputs);
	free(s->version);
	free(s->irreversible);
	free(s->message);
	free(s->detail);
	json_decref(s->outputs);
	json_decref(s->remembered);
	json_decref(s->predicted);
	json_decref(s->witness);
}

void pd_record_free(struct pd_record *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_steps; i++)
		pd_record_step_clear(&r->steps[i]);
	for (size_t i = 0; i < r->n_plans; i++)
		pd_plan_free(r->plans[i]);
	for (size_t i = 0; i < r->n_retired; i++)
		pd_plan_free(r->retired[i]);
	for (size_t i = 0; i < r->n_signatures; i++) {
		free(r->signatures[i].party);
		free(r->signatures[i].name);
		free(r->signatures[i].note);
		free(r->signatures[i].by);
	}
	free(r->signatures);
	free(r->steps);
	free(r->plans);
	free(r->retired);
	free(r->run);
	free(r->server);
	free(r->why);
	free(r->sealed);
	free(r->sealed_by);
	free(r->site);
	json_decref(r->inputs);
	json_decref(r->boot);
	json_decref(r->decisions);
	json_decref(r->wait);
	free(r->go_stage);
	pd_strings_clear(&r->overridden);
	json_decref(r->comparison);
	evidence_clear(&r->scans[0]);
	evidence_clear(&r->scans[1]);
	json_decref(r->inhibitors);
	pd_strings_clear(&r->parties);
	pd_strings_clear(&r->warnings);
	free(r);
}

static void replace(char **text, const char *with)
{
	free(*text);
	*text = pd_strdup(with);
}

/* What a person decided, for all to see. */
static void decided(struct pd_record *r, const struct pd_event *e, const char *what)
{
	pd_strings_add_take(&r->warnings, pd_print("%s, said %s: %s", what,
			    pd_json_text(e->data, "who", "patchday"),
			    pd_json_text(e->data, "why", "")));
}

static bool on_plan(struct pd_record *r, const struct pd_event *e,
		    struct pd_error **err)
{
	const json_t *change = json_object_get(e->data, "change");
	json_t *inputs = json_object_get(e->data, "inputs");
	struct pd_plan *plan = pd_plan_new_take(
		json_incref(json_object_get(e->data, "plan")), err);

	if (!plan)
		return pd_error_prefix(err, "the journaled plan of run %s", r->run);
	if (change && r->n_plans) {
		decided(r, e, "the plan was changed in the middle of the run");
		r->again = true;
		if (inputs) {
			json_decref(r->inputs);
			r->inputs = json_incref(inputs);
		}
	}
	pd_record_add_plan(r, plan, pd_json_number(e->data, "round", 1), r->n_plans ? change : NULL);
	return true;
}

static bool on_state(struct pd_record *r, const struct pd_event *e)
{
	const char *name = pd_json_text(e->data, "state", "");

	for (size_t i = 0; i < sizeof(run_states) / sizeof(*run_states); i++)
		if (strcmp(name, run_states[i]) == 0)
			r->state = (enum pd_run_state)i;
	replace(&r->why, pd_json_text(e->data, "why", NULL));
	if (r->state == PD_RUN_ROLLED_BACK || r->state == PD_RUN_INCONSISTENT)
		for (size_t i = 0; i < r->n_signatures; i++)
			r->signatures[i].overtaken = true;
	if (r->state == PD_RUN_STOPPED)
		replace(&r->go_stage, NULL); /* a person was asked in between */
	if (r->state == PD_RUN_WAITING)
		r->resumes = 0; /* it is alive, and waits as it should */
	json_decref(r->inhibitors);
	r->inhibitors = json_incref(json_object_get(e->data, "inhibitors"));
	r->ended = r->state >= PD_RUN_DONE ? e->time : 0;
	return true;
}

static void on_decision(struct pd_record *r, const struct pd_event *e)
{
	json_t *row = json_copy((json_t *)(uintptr_t)e->data), *name;
	size_t i;

	json_object_set_new(row, "kind", json_string(e->kind));
	json_object_set_new(row, "time", json_integer(e->time));
	json_array_append_new(r->decisions, row);
	if (strcmp(e->kind, "override") == 0) {
		json_array_foreach(json_object_get(e->data, "names"), i, name)
			pd_strings_add(&r->overridden, json_string_value(name));
		return;
	}
	json_decref(r->wait);
	r->wait = strcmp(e->kind, "wait") == 0 ? json_deep_copy(e->data) : NULL;
	replace(&r->go_stage, r->wait ? NULL : pd_json_text(e->data, "stage", NULL));
	r->go_plan = r->n_plans ? r->plans[r->n_plans - 1] : NULL;
}

static struct pd_evidence_row evidence_row(const struct pd_event *e, const char *title)
{
	return (struct pd_evidence_row){
		.path = pd_strdup(pd_json_text(e->data, "path", "")),
		.title = pd_strdup(title),
		.sha256 = pd_strdup(pd_json_text(e->data, "sha256", "")),
		.bytes = pd_json_number(e->data, "bytes", 0), .time = e->time,
	};
}

static bool on_run_event(struct pd_record *r, const struct pd_event *e,
			 struct pd_error **err)
{
	if (strcmp(e->kind, "run") == 0) {
		r->started = e->time;
		replace(&r->server, pd_json_text(e->data, "server", ""));
		r->inputs = json_incref(json_object_get(e->data, "inputs"));
	} else if (strcmp(e->kind, "plan") == 0) {
		return on_plan(r, e, err);
	} else if (strcmp(e->kind, "state") == 0) {
		return on_state(r, e);
	} else if (strcmp(e->kind, "owner") == 0) {
		r->owner = pd_json_number(e->data, "pid", 0);
		r->resumes = 1 + (pd_json_true(e->data, "unattended") ? r->resumes : 0);
		json_decref(r->boot);
		r->boot = json_incref(json_object_get(e->data, "boot"));
	} else if (strcmp(e->kind, "boot") == 0) {
		pd_record_boot(r, e->data);
	} else if (strcmp(e->kind, "accept") == 0) {
		const char *what = pd_json_text(e->data, "what", "");

		r->accepted |= !*what;
		r->accepts_failing |= strcmp(what, "failing") == 0;
		decided(r, e, !*what ? "no way back is needed" : strcmp(what, "newer") == 0 ?
			"it is taken back under a newer run" : "steps may fail before the start");
	} else if (strcmp(e->kind, "clear") == 0) {
		decided(r, e, "the server was mended by hand");
	} else if (strcmp(e->kind, "go") == 0 || strcmp(e->kind, "wait") == 0 ||
		   strcmp(e->kind, "override") == 0) {
		on_decision(r, e);
	} else if (strcmp(e->kind, "warning") == 0) {
		pd_strings_add(&r->warnings, pd_json_text(e->data, "text", ""));
	} else if (strcmp(e->kind, "scan") == 0) {
		bool after = strcmp(pd_json_text(e->data, "when", ""), "after") == 0;

		evidence_clear(&r->scans[after]);
		r->scans[after] = evidence_row(e, after ? "facts after the run" :
						   "facts before the run");
	} else if (strcmp(e->kind, "compare") == 0) {
		json_decref(r->comparison);
		r->comparison = json_deep_copy(e->data);
	} else if (strcmp(e->kind, "sign") == 0) {
		pd_grow(r->signatures, r->n_signatures, r->cap_signatures);
		r->signatures[r->n_signatures++] = (struct pd_signature_row){
			.party = pd_strdup(pd_json_text(e->data, "party", "")),
			.name = pd_strdup(pd_json_text(e->data, "name", "")),
			.note = pd_strdup(pd_json_text(e->data, "note", "")),
			.by = pd_strdup(pd_json_text(e->data, "by", "")),
			.time = e->time,
		};
	} else if (strcmp(e->kind, "seal") == 0) {
		replace(&r->sealed, pd_json_text(e->data, "key", ""));
		replace(&r->sealed_by, pd_json_text(e->data, "by", ""));
		replace(&r->site, pd_json_text(e->data, "site", NULL));
		r->sealed_at = e->time;
	}
	return true;
}

static void on_remember(struct pd_record_step *s, const json_t *data)
{
	const char *key = pd_json_text(data, "key", "");
	json_t *value = json_object_get(data, "value");

	if (json_is_string(value))
		json_object_set(s->remembered, key, value);
	else
		json_object_del(s->remembered, key);
}

static void on_evidence(struct pd_record_step *s, const struct pd_event *e)
{
	pd_grow(s->evidence, s->n_evidence, s->cap_evidence);
	s->evidence[s->n_evidence++] = evidence_row(e, pd_json_text(e->data, "title", ""));
}

static void on_end(struct pd_record *r, struct pd_record_step *s,
		   const struct pd_event *e, enum pd_step_state state)
{
	s->state = state;
	s->ended = e->time;
	if (state == PD_STEP_DONE || state == PD_STEP_FAILED) {
		s->came_to_end = true;
		s->failed = state == PD_STEP_FAILED;
	}
	s->unproven = state == PD_STEP_FAILED && (s->unproven ||
		strcmp(pd_json_text(e->data, "phase", ""), "verify") == 0);
	s->seconds += json_number_value(json_object_get(e->data, "seconds"));
	if (state == PD_STEP_DONE) {
		s->changed |= strcmp(pd_json_text(e->data, "result", ""), "changed") == 0;
		replace(&s->inputs, pd_json_text(e->data, "inputs", NULL));
		replace(&s->version, pd_json_text(e->data, "version", NULL));
		s->recovered = pd_json_true(e->data, "recovered");
	}
	if (state != PD_STEP_UNDONE) {
		replace(&s->message, pd_json_text(e->data, "message", NULL));
		replace(&s->detail, pd_json_text(e->data, "detail", NULL));
	}
	r->resumes = 0;
}

static void on_step_event(struct pd_record *r, struct pd_record_step *s,
			  const struct pd_event *e)
{
	static const struct {
		const char *kind;
		enum pd_step_state state;
	} ends[] = { { "done", PD_STEP_DONE }, { "failed", PD_STEP_FAILED },
		     { "undone", PD_STEP_UNDONE }, { "stuck", PD_STEP_STUCK } };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (strcmp(e->kind, ends[i].kind) == 0)
			on_end(r, s, e, ends[i].state);
	if (strcmp(e->kind, "apply") == 0) {
		const char *wall = pd_json_text(e->data, "irreversible", NULL);

		/* once touched, it can only become worse */
		if (wall || (!s->applied && json_object_get(e->data, "irreversible")))
			replace(&s->irreversible, wall);
		s->asked = s->state == PD_STEP_BEGUN ? s->asked : 0;
		s->state = PD_STEP_BEGUN;
		s->begun = s->begun ? s->begun : e->n;
		s->started = s->started ? s->started : e->time;
		s->applied = true;
		r->holds |= s->step->hold;
	} else if (strcmp(e->kind, "undo") == 0) {
		s->asked = s->state == PD_STEP_UNDOING ? s->asked : 0;
		s->state = PD_STEP_UNDOING;
	} else if (strcmp(e->kind, "remember") == 0) {
		on_remember(s, e->data);
	} else if (strcmp(e->kind, "output") == 0) {
		json_object_set(s->outputs, pd_json_text(e->data, "name", ""),
				json_object_get(e->data, "value"));
	} else if (strcmp(e->kind, "predict") == 0) {
		json_decref(s->predicted);
		s->predicted = json_incref((json_t *)(uintptr_t)e->data);
	} else if (strcmp(e->kind, "evidence") == 0) {
		on_evidence(s, e);
	} else if (strcmp(e->kind, "irreversible") == 0 && !s->applied) {
		replace(&s->irreversible, pd_json_text(e->data, "why", ""));
	} else if (strcmp(e->kind, "reboot") == 0) {
		json_decref(s->witness);
		s->witness = json_incref(json_object_get(e->data, "witness"));
		s->undo_reboots += s->state == PD_STEP_UNDOING;
	} else if (strcmp(e->kind, "asked") == 0) {
		s->asked++;
	} else if (strcmp(e->kind, "skip") == 0) {
		pd_auto_free char *what = pd_print("%s is not done", s->key);

		s->state = PD_STEP_SKIPPED;
		decided(r, e, what);
		replace(&s->message, r->warnings.items[r->warnings.len - 1]);
	} else if (strcmp(e->kind, "again") == 0) {
		pd_auto_free char *what = pd_print("%s is done again", s->key);

		s->state = PD_STEP_PENDING;
		r->again = true;
		decided(r, e, what);
	}
}

bool pd_record_apply(struct pd_record *r, const struct pd_event *e,
		     struct pd_error **err)
{
	struct pd_record_step *s;

	r->last = e->n;
	memset(r->hash, 0, sizeof(r->hash));
	if (e->hash)
		memcpy(r->hash, e->hash, sizeof(r->hash));
	if (!*e->step)
		return on_run_event(r, e, err);
	s = pd_record_step(r, e->step);
	if (!s)
		return pd_error_set(err, "journal-failed", "event %lld of run %s is"
				    " about step '%s', which no plan of it has",
				    (long long)e->n, r->run, e->step);
	on_step_event(r, s, e);
	return true;
}

struct replay {
	struct pd_record *record;
	int64_t until;
};

static bool replay(void *user, const struct pd_event *e, struct pd_error **err)
{
	struct replay *to = user;

	return e->n > to->until || pd_record_apply(to->record, e, err);
}

struct pd_record *pd_record_read_until(struct pd_journal *j, const char *run,
				       int64_t n, struct pd_error **err)
{
	struct replay to = { pd_record_new(run), n };

	if (!pd_journal_each(j, run, 0, replay, &to, err)) {
		pd_record_free(to.record);
		return NULL;
	}
	return to.record;
}

struct pd_record *pd_record_read(struct pd_journal *j, const char *run,
				 struct pd_error **err)
{
	return pd_record_read_until(j, run, INT64_MAX, err);
}
