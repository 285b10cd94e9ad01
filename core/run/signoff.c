/* SPDX-License-Identifier: MIT */
/* Signatures: each named party says that the server is as it should be; then
 * the seal, after which nothing of the run can change. */
#include "run/engine.h"

#include <pwd.h>
#include <unistd.h>

#include "base/text.h"
#include "run/lock.h"

static char *user_name(uid_t uid)
{
	const struct passwd *p = getpwuid(uid);

	return p ? pd_strdup(p->pw_name) : pd_print("%lu", (unsigned long)uid);
}

/* Whose hands these are: the account, who called sudo, who logged in
 * (loginuid: proc(5), 4294967295 is nobody). */
static char *account(void)
{
	const char *sudo = getenv("SUDO_USER");
	pd_auto_free char *text = pd_file_read("/proc/self/loginuid", 32, NULL, NULL);
	uid_t uid = text ? (uid_t)strtoul(text, NULL, 10) : (uid_t)-1;
	pd_auto_free char *me = user_name(getuid()), *login = user_name(uid);

	if (!sudo || !*sudo || !pd_utf8_valid(sudo, strlen(sudo)))
		sudo = NULL;
	return pd_print("%s%s%s%s%s", me, sudo ? ", sudo by " : "", sudo ? sudo : "",
			uid != (uid_t)-1 ? ", logged in as " : "", uid != (uid_t)-1 ? login : "");
}

void pd_record_missing(const struct pd_record *r, struct pd_strings *out)
{
	for (size_t i = 0; i < r->parties.len; i++) {
		bool signed_by = false;

		for (size_t k = 0; k < r->n_signatures; k++)
			signed_by |= !r->signatures[k].overtaken &&
				     strcmp(r->signatures[k].party, r->parties.items[i]) == 0;
		if (!signed_by)
			pd_strings_add(out, r->parties.items[i]);
	}
}

bool pd_record_unsealed(const struct pd_record *r, struct pd_error **err)
{
	return !r->sealed || pd_error_set(err, "run-sealed", "run %s is sealed with the key %s",
					  r->run, r->sealed);
}

/* Of people, in lines of the report: one line, that looks like what it is. */
static bool is_line(const char *what, const char *text, size_t most, struct pd_error **err)
{
	size_t len = strlen(text), seen = 0;
	bool one = pd_utf8_valid(text, len);

	if (len > most)
		return pd_error_set(err, "sign-text", "the %s has %zu bytes, at most %zu are allowed",
				    what, len, most);
	for (const unsigned char *c = (const unsigned char *)text; one && *c; c++) {
		/* C0, DEL, C1, ends of lines and what turns the direction of writing */
		one = *c >= 0x20 && *c != 0x7f && !(*c == 0xc2 && c[1] < 0xa0) &&
		      !(*c == 0xe2 && c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) &&
		      !(*c == 0xe2 && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
		seen += *c != ' ';
	}
	if (!one)
		return pd_error_set(err, "sign-text", "the %s is not one line of UTF-8 without control "
				    "characters", what);
	return seen || pd_error_set(err, "sign-text", "the %s is blank", what);
}

static bool may_sign(const struct pd_record *r, const char *party,
		     struct pd_error **err)
{
	pd_auto_free char *all = pd_strings_join(&r->parties, ", ");
	const char *nearest;

	if (!pd_record_unsealed(r, err))
		return false;
	for (size_t i = 0; i < r->n_signatures; i++)
		if (!r->signatures[i].overtaken && strcmp(r->signatures[i].party, party) == 0)
			return pd_error_set(err, "sign-twice", "%s has signed for '%s' already",
					    r->signatures[i].name, party);
	if (r->state != PD_RUN_SIGNOFF && r->state != PD_RUN_ROLLED_BACK)
		return pd_error_set(err, "sign-state", "run %s is %s", r->run,
				    pd_run_state_name(r->state));
	if (pd_strings_has(&r->parties, party))
		return true;
	if (!is_line("party", party, 200, err)) /* it is not repeated then */
		return false;
	nearest = pd_nearest(party, (const char *const *)r->parties.items, r->parties.len);
	pd_error_set(err, "sign-party", "'%s' is none of the parties: %s", party, all);
	if (nearest)
		pd_error_remedy(err, "Did you mean '%s'?", nearest);
	return false;
}

struct act {
	const char *party, *name, *note; /* of a signature */
	const char *key, *site;          /* of the seal; site: or NULL */
};

static enum pd_run_end sign(struct pd_engine *e, const struct act *a, struct pd_error **err)
{
	pd_auto_free char *by = account(), *who = NULL;
	pd_auto(pd_strings) missing = {0};

	if ((*a->name && !is_line("name", a->name, 200, err)) ||
	    (a->note && *a->note && !is_line("note", a->note, 1000, err)) ||
	    !may_sign(e->record, a->party, err))
		return PD_END_INVALID;
	if (!pd_engine_note(e, "sign", "", json_pack("{s:s, s:s, s:s, s:s}", "party", a->party,
			    "name", *a->name ? a->name : by, "note", a->note ? a->note : "", "by", by), true))
		return PD_END_INVALID;
	if (e->record->state == PD_RUN_ROLLED_BACK) /* it has ended; nothing waits for it */
		return PD_END_DONE;
	pd_record_missing(e->record, &missing);
	who = pd_strings_join(&missing, ", ");
	return pd_engine_state(e, missing.len ? PD_RUN_SIGNOFF : PD_RUN_DONE, who) &&
	       !missing.len ? PD_END_DONE : PD_END_WAITING;
}

static enum pd_run_end seal(struct pd_engine *e, const struct act *a, struct pd_error **err)
{
	const struct pd_record *r = e->record;
	pd_auto_free char *by = account();

	if (r->sealed && strcmp(r->sealed, a->key) == 0)
		return !a->site || strcmp(a->site, pd_record_site(r)) == 0 ? PD_END_DONE :
		       !pd_record_unsealed(r, err) * PD_END_REFUSED;
	if (r->sealed)
		return !pd_error_set(err, "seal-key", "run %s is sealed with the key %s, not with"
				     " %s", r->run, r->sealed, a->key) * PD_END_REFUSED;
	if (r->state != PD_RUN_DONE && r->state != PD_RUN_ROLLED_BACK && r->state != PD_RUN_CLEARED)
		return !pd_error_set(err, "seal-open", "run %s is %s: %s", r->run,
				     pd_run_state_name(r->state), r->why ? r->why : "") *
		       PD_END_REFUSED;
	return pd_engine_note(e, "seal", "", json_pack("{s:s, s:s, s:s*}", "key", a->key, "by", by,
			      "site", a->site), true) ? PD_END_DONE : PD_END_INVALID;
}

/* What a person does to a run whose work is done, under the lock. */
static enum pd_run_end act(const struct pd_run_options *o, const char *run, const struct act *a,
			   enum pd_run_end (*body)(struct pd_engine *, const struct act *,
						   struct pd_error **), struct pd_error **err)
{
	struct pd_engine e = { .o = o, .journal = pd_journal_open(o->state, false, err) };
	pd_auto_close int lock = e.journal ? pd_lock_take(o->state, e.journal, run, err) : -1;
	enum pd_run_end end = lock < 0 && e.journal ? PD_END_REFUSED : PD_END_INVALID;

	if (lock >= 0)
		e.record = pd_record_read(e.journal, run, err);
	if (e.record)
		end = body(&e, a, err);
	if (e.fatal)
		pd_error_move(err, e.fatal);
	pd_record_free(e.record);
	pd_journal_close(e.journal);
	return end;
}

enum pd_run_end pd_run_sign(const struct pd_run_options *o, const char *run,
			    const char *party, const char *name, const char *note,
			    struct pd_error **err)
{
	return act(o, run, &(struct act){ .party = party, .name = name, .note = note }, sign, err);
}

enum pd_run_end pd_run_seal(const struct pd_run_options *o, const char *run,
			    const char *key, const char *site, struct pd_error **err)
{
	return act(o, run, &(struct act){ .key = key, .site = site }, seal, err);
}
