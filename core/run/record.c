/* SPDX-License-Identifier: MIT */
/*
 * Folding events into the record of a run.  Kinds and their data:
 *
 *   run       server, inputs             the first event of a run
 *   plan      round, plan                one for each round
 *   owner     pid, boot                  a process begins to work on the run
 *   predict   result, outputs, message   dry run of a step
 *   apply     -                          intent, durable before the callback
 *   reboot    witness                    durable before a reboot is asked for
 *   boot      how, witness               what became of the server meanwhile
 *   remember  key, value                 durable before the callback goes on
 *   output    name, value
 *   evidence  path, title, bytes, sha256
 *   irreversible  why
 *   done      result, seconds            the step's end
 *   failed    result, phase, message, detail, seconds
 *   undo      -                          intent
 *   undone    result, seconds
 *   stuck     message, detail            the undo failed
 *   log       level, text
 *   warning   text
 *   sign      party, name, note
 *   state     state, why; inhibitors of one that is refused
 */
#include "run/record.h"

static const char *const run_states[] = { "new", "running", "rebooting",
	"waiting for sign-off", "stopped", "undoing", "done", "rolled back",
	"inconsistent", "refused" };
static const char *const step_states[] = { "pending", "begun", "done", "failed",
	"undoing", "undone", "stuck" };

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
	return r;
}

static void step_clear(struct pd_record_step *s)
{
	for (size_t i = 0; i < s->n_evidence; i++) {
		free(s->evidence[i].path);
		free(s->evidence[i].title);
		free(s->evidence[i].sha256);
	}
	free(s->evidence);
	free(s->key);
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
		step_clear(&r->steps[i]);
	for (size_t i = 0; i < r->n_plans; i++)
		pd_plan_free(r->plans[i]);
	for (size_t i = 0; i < r->n_signatures; i++) {
		free(r->signatures[i].party);
		free(r->signatures[i].name);
		free(r->signatures[i].note);
	}
	free(r->signatures);
	free(r->steps);
	free(r->plans);
	free(r->run);
	free(r->server);
	free(r->why);
	json_decref(r->inputs);
	json_decref(r->boot);
	json_decref(r->inhibitors);
	pd_strings_clear(&r->parties);
	pd_strings_clear(&r->warnings);
	free(r);
}

struct pd_record_step *pd_record_step(struct pd_record *r, const char *key)
{
	/* events come in the order of the steps: go on from the last hit */
	for (size_t i = 0; i < r->n_steps; i++) {
		size_t at = (r->hit + i) % r->n_steps;

		if (strcmp(r->steps[at].key, key) == 0) {
			r->hit = at;
			return &r->steps[at];
		}
	}
	return NULL;
}

struct pd_record_step *pd_record_sibling(struct pd_record *r,
					 const struct pd_record_step *of,
					 const char *id)
{
	for (size_t i = 0; i < r->n_steps; i++)
		if (r->steps[i].plan == of->plan && strcmp(r->steps[i].step->id, id) == 0)
			return &r->steps[i];
	return NULL;
}

void pd_record_missing(const struct pd_record *r, struct pd_strings *out)
{
	for (size_t i = 0; i < r->parties.len; i++) {
		bool signed_by = false;

		for (size_t k = 0; k < r->n_signatures; k++)
			signed_by |= strcmp(r->signatures[k].party,
					    r->parties.items[i]) == 0;
		if (!signed_by)
			pd_strings_add(out, r->parties.items[i]);
	}
}

static void replace(char **text, const char *with)
{
	free(*text);
	*text = pd_strdup(with);
}

static void add_parties(struct pd_record *r, const struct pd_plan_step *s)
{
	const json_t *list = json_object_get(s->args, "parties");
	json_t *party;
	size_t i;

	json_array_foreach(list, i, party)
		if (json_is_string(party) &&
		    !pd_strings_has(&r->parties, json_string_value(party)))
			pd_strings_add(&r->parties, json_string_value(party));
}

/* Sign-offs are no steps of the run: they come after its last round. */
static bool on_plan(struct pd_record *r, const struct pd_event *e,
		    struct pd_error **err)
{
	json_t *json = json_object_get(e->data, "plan");
	int64_t round = pd_json_number(e->data, "round", 1);
	struct pd_plan *plan = pd_plan_new_take(json_incref(json), err);

	if (!plan)
		return pd_error_prefix(err, "the journaled plan of run %s", r->run);
	pd_grow(r->plans, r->n_plans, r->cap_plans);
	r->plans[r->n_plans++] = plan;
	r->nothing_left = plan->nothing != NULL;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct pd_plan_step *s = &plan->steps[i];

		if (!*s->plugin) {
			add_parties(r, s);
			continue;
		}
		pd_grow(r->steps, r->n_steps, r->cap_steps);
		r->steps[r->n_steps++] = (struct pd_record_step){
			.key = round > 1 ? pd_print("r%d/%s", (int)round, s->id) :
					   pd_strdup(s->id),
			.plan = plan, .step = s,
			.outputs = json_object(), .remembered = json_object(),
		};
	}
	return true;
}

static bool on_state(struct pd_record *r, const struct pd_event *e)
{
	const char *name = pd_json_text(e->data, "state", "");

	for (size_t i = 0; i < sizeof(run_states) / sizeof(*run_states); i++)
		if (strcmp(name, run_states[i]) == 0)
			r->state = (enum pd_run_state)i;
	replace(&r->why, pd_json_text(e->data, "why", NULL));
	json_decref(r->inhibitors);
	r->inhibitors = json_incref(json_object_get(e->data, "inhibitors"));
	r->ended = r->state >= PD_RUN_DONE ? e->time : 0;
	return true;
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
		r->resumes++;
		json_decref(r->boot);
		r->boot = json_incref(json_object_get(e->data, "boot"));
	} else if (strcmp(e->kind, "warning") == 0) {
		pd_strings_add(&r->warnings, pd_json_text(e->data, "text", ""));
	} else if (strcmp(e->kind, "sign") == 0) {
		pd_grow(r->signatures, r->n_signatures, r->cap_signatures);
		r->signatures[r->n_signatures++] = (struct pd_signature_row){
			.party = pd_strdup(pd_json_text(e->data, "party", "")),
			.name = pd_strdup(pd_json_text(e->data, "name", "")),
			.note = pd_strdup(pd_json_text(e->data, "note", "")),
			.time = e->time,
		};
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
	s->evidence[s->n_evidence++] = (struct pd_evidence_row){
		.path = pd_strdup(pd_json_text(e->data, "path", "")),
		.title = pd_strdup(pd_json_text(e->data, "title", "")),
		.sha256 = pd_strdup(pd_json_text(e->data, "sha256", "")),
		.bytes = pd_json_number(e->data, "bytes", 0), .time = e->time,
	};
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
	s->seconds += json_number_value(json_object_get(e->data, "seconds"));
	if (state == PD_STEP_DONE) {
		s->changed = strcmp(pd_json_text(e->data, "result", ""), "changed") == 0;
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
		s->state = PD_STEP_BEGUN;
		s->started = s->started ? s->started : e->time;
		s->applied = true;
	} else if (strcmp(e->kind, "undo") == 0) {
		s->state = PD_STEP_UNDOING;
	} else if (strcmp(e->kind, "remember") == 0) {
		on_remember(s, e->data);
	} else if (strcmp(e->kind, "output") == 0) {
		json_object_set(s->outputs, pd_json_text(e->data, "name", ""),
				json_object_get(e->data, "value"));
	} else if (strcmp(e->kind, "predict") == 0) {
		json_decref(s->predicted);
		s->predicted = json_deep_copy(e->data);
	} else if (strcmp(e->kind, "evidence") == 0) {
		on_evidence(s, e);
	} else if (strcmp(e->kind, "irreversible") == 0) {
		replace(&s->irreversible, pd_json_text(e->data, "why", ""));
	} else if (strcmp(e->kind, "reboot") == 0) {
		json_decref(s->witness);
		s->witness = json_incref(json_object_get(e->data, "witness"));
		s->reboots++;
		r->reboots++;
	}
}

bool pd_record_apply(struct pd_record *r, const struct pd_event *e,
		     struct pd_error **err)
{
	struct pd_record_step *s;

	r->last = e->n;
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

static bool replay(void *user, const struct pd_event *e, struct pd_error **err)
{
	return pd_record_apply(user, e, err);
}

struct pd_record *pd_record_read(struct pd_journal *j, const char *run,
				 struct pd_error **err)
{
	struct pd_record *r = pd_record_new(run);

	if (!pd_journal_each(j, run, 0, replay, r, err)) {
		pd_record_free(r);
		return NULL;
	}
	return r;
}
