/* SPDX-License-Identifier: MIT */
/* Verifying: each thing is looked at by itself, so that all that is wrong is
 * told at once.  A report is proven by its signature, and by the journal: it is
 * made from it again, as of the row that it names, and must be the same. */
#include "report/verify.h"

#include <errno.h>
#include <unistd.h>

#include "report/report.h"
#include "report/seal.h"
#include "run/head.h"
#include "xml/xml.h"

enum { MAX_REPORT = 256 * 1024 * 1024 };

struct work {
	const struct pd_verify *v;
	struct pd_journal *j; /* NULL: there is none here */
	json_t *list;
	bool proven;          /* the report, or there is none to prove */
	bool sealed;          /* the journal says so */
	const char *path;     /* of the report */
	char *xml;
	size_t len;
	json_t *claims;       /* what it says of itself: "ELEMENT.ATTRIBUTE" */
};

static void add(struct work *w, const char *kind, const char *name, const char *state,
		const char *text)
{
	/* of damaged files: JSON takes UTF-8 only, and a finding must not be lost */
	pd_auto_free char *what = pd_report_clean(name), *why = text ? pd_report_clean(text) : NULL;

	json_array_append_new(w->list, json_pack("{s:s, s:s, s:s, s:s*}", "kind", kind, "name",
						 what, "state", state, "text", why));
}

/* Takes @p err; NULL: it is intact. */
static void judge(struct work *w, const char *kind, const char *name, struct pd_error *err)
{
	pd_auto_free char *text = err ? pd_error_text(err) : NULL;

	add(w, kind, name, err ? "changed" : "intact", text);
	pd_error_free(err);
}

static void verify_journal(struct work *w)
{
	pd_auto_free char *path = pd_print("%s/journal.db", w->v->state);
	struct pd_error *wrong = NULL, *cut = NULL, *other = NULL;
	bool known = false;
	int64_t n = 0;

	if (pd_journal_sound(w->j, &wrong))
		(void)!pd_journal_check(w->j, &wrong);
	judge(w, "journal", path, wrong);
	(void)!pd_head_check(w->j, &n, &cut);
	(void)!pd_head_file(w->j, &known, &other);
	if (known)
		judge(w, "file", path, other);
	else
		add(w, "file", path, "unknown", "what wrote it last is at work, or was killed: of the"
		    " space between the rows nothing is known");
	free(path);
	path = pd_print("%s/journal.head", w->v->state);
	judge(w, "head", path, cut);
}

/* A step that was tried again, or a later one, may have written the file again. */
static bool is_newest(const struct pd_record *r, const struct pd_evidence_row *e)
{
	for (size_t i = 0; i < r->n_steps; i++)
		for (size_t k = 0; k < r->steps[i].n_evidence; k++)
			if (r->steps[i].evidence[k].time > e->time &&
			    strcmp(r->steps[i].evidence[k].path, e->path) == 0)
				return false;
	return true;
}

/* Undo may have removed or changed what a step that is undone had shown. */
static void verify_file(struct work *w, const struct pd_evidence_row *e, bool undone)
{
	struct pd_error *err = NULL;
	pd_auto_free char *text = NULL;
	pd_digest is = "";
	int64_t bytes = 0;

	if (access(e->path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		add(w, "evidence", e->path, undone ? "unknown" : "missing", undone ?
		    "its step was undone, and it is gone" : e->title);
	} else if (pd_digest_file(e->path, is, &bytes, &err) &&
		   (bytes != e->bytes || strcmp(is, e->sha256) != 0)) {
		text = pd_print("%lld bytes with SHA-256 %s, in place of %lld with %s",
				(long long)bytes, is, (long long)e->bytes, e->sha256);
		add(w, "evidence", e->path, undone ? "unknown" : "changed", undone ?
		    "its step was undone, and it is not as it was then" : text);
	} else {
		judge(w, "evidence", e->path, err);
	}
}

static void verify_evidence(struct work *w, const struct pd_record *r)
{
	for (size_t i = 0; i < 2; i++)
		if (r->scans[i].path)
			verify_file(w, &r->scans[i], false);
	for (size_t i = 0; i < r->n_steps; i++)
		for (size_t k = 0; k < r->steps[i].n_evidence; k++)
			if (is_newest(r, &r->steps[i].evidence[k]))
				verify_file(w, &r->steps[i].evidence[k],
					    r->steps[i].state == PD_STEP_UNDONE);
			else
				add(w, "evidence", r->steps[i].evidence[k].path, "unknown",
				    "it was written again later in this run");
}

static int on_start(struct pd_ctx *ctx, void *claims, const char *ns, const char *name,
		    const struct pd_xml_attr *attrs, size_t n)
{
	(void)ctx, (void)ns;
	for (size_t i = 0; i < n; i++) {
		pd_auto_free char *key = pd_print("%s.%s", name, attrs[i].name);

		if (!json_object_get(claims, key))
			json_object_set_new(claims, key, json_string(attrs[i].value));
	}
	return 0;
}

static ssize_t from_memory(void *user, void *buffer, size_t len, struct pd_error **err)
{
	const char **at = user;
	size_t n = strnlen(*at, len);

	(void)err;
	memcpy(buffer, *at, n);
	*at += n;
	return (ssize_t)n;
}

static const char *claim(const struct work *w, const char *name)
{
	return pd_json_text(w->claims, name, "");
}

static bool read_report(struct work *w, struct pd_error **err)
{
	struct pd_xml_handler handler = { .size = sizeof(handler), .user = w->claims,
					  .start = on_start };
	const char *at = w->xml = pd_file_read(w->path, MAX_REPORT, &w->len, err);

	return at && pd_xml_parse(w->path, from_memory, &at, NULL, &handler, NULL, err) == 0 &&
	       ((*claim(w, "report.run") && *claim(w, "journal.n")) ||
		pd_error_set(err, "report-other", "%s is no report of patchday", w->path));
}

/* @return the comment that is signed with it; the caller frees; NULL: none. */
static char *verify_signature(struct work *w)
{
	pd_auto_free char *file = pd_print("%s.minisig", w->path), *text = NULL;
	const char *key_path = w->v->key ? w->v->key : PD_SEAL_PUBLIC;
	pd_auto(pd_seal_key) key = {0};
	struct pd_error *err = NULL;
	char *comment = NULL;

	if (access(file, F_OK) < 0) {
		if (w->sealed || *claim(w, "seal.key"))
			add(w, "signature", file, "missing", "the run is sealed, so there is one;"
			    " `patchday final` makes it again");
	} else if (!w->v->key && access(key_path, F_OK) < 0) {
		add(w, "signature", file, "unknown", "there is no " PD_SEAL_PUBLIC
		    "; name the public key with --key");
	} else {
		text = pd_file_read(file, 65536, NULL, &err);
		if (text && pd_seal_read_public(key_path, &key, &err) &&
		    pd_seal_check(&key, w->xml, w->len, text, &comment, &err))
			w->proven = true;
		judge(w, "signature", file, err);
	}
	return comment;
}

/* Was it made on the server whose journal this is? */
static bool is_ours(struct work *w)
{
	pd_auto_free char *newest = pd_journal_find(w->j, NULL, NULL);
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		newest ? pd_record_read(w->j, newest, NULL) : NULL;

	return r && r->server && strcmp(r->server, claim(w, "report.server")) == 0;
}

/* The report as the journal has it: the same, changed, or of another server. */
static void verify_origin(struct work *w)
{
	struct pd_error *err = NULL;
	int64_t n = strtoll(claim(w, "journal.n"), NULL, 10);
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		w->j ? pd_record_read_until(w->j, claim(w, "report.run"), n, &err) : NULL;
	pd_auto_free char *again = r && r->last == n ? pd_report_xml(r) : NULL;
	pd_digest hash = "";
	const char *state = "changed", *why = NULL;

	if (r ? !r->last && !is_ours(w) : !err) {
		state = "unknown";
		why = "it was made on another server: journal and evidence are there";
	} else if (again && strlen(again) == w->len && memcmp(again, w->xml, w->len) == 0) {
		state = "intact";
		w->proven = true;
	} else if (!again || !pd_journal_hash(w->j, n, hash) ||
		   strcmp(hash, claim(w, "journal.hash")) != 0) {
		why = err ? err->message : "the journal does not have the row it names";
	} else if (strcmp(claim(w, "report.patchday"), PACKAGE_VERSION) != 0) {
		state = "unknown";
		why = "another version of patchday made it, so it can't be compared";
	} else {
		why = "it is not what the journal says";
	}
	add(w, "report", w->path, state, why);
	if (r && r->last)
		verify_evidence(w, r);
	pd_error_free(err);
}

/* The page for people is proven by the comment that is signed with the XML, or
 * in a report that is not sealed by making it again. */
static void verify_html(struct work *w, const char *comment)
{
	pd_auto_free char *path = pd_print("%.*s.html", (int)strlen(w->path) - 4, w->path);
	pd_auto_free char *again = NULL;
	const char *wanted = comment ? strstr(comment, "\thtml:") : NULL;
	struct pd_error *err = NULL;
	pd_digest is = "", made = "";

	if (access(path, F_OK) < 0) {
		bool due = wanted || w->sealed || *claim(w, "seal.key");

		add(w, "html", path, due ? "missing" : "unknown", due ? "the run is sealed, so there"
		    " is one; `patchday final` makes it again" : "it is not here");
		return;
	}
	if (!w->proven) {
		add(w, "html", path, "unknown", "the XML that it belongs to is not proven");
		return;
	}
	if (!wanted && (again = pd_report_render(w->xml, w->v->library, "html", &err)))
		pd_digest_data(again, strlen(again), made);
	if (!err && pd_digest_file(path, is, NULL, &err) &&
	    strcmp(is, wanted ? wanted + strlen("\thtml:") : made) != 0)
		add(w, "html", path, "changed", "it is not the page that belongs to the XML");
	else
		judge(w, "html", path, err);
}

static void verify_certificate(struct work *w, const char *path)
{
	struct pd_error *err = NULL;
	pd_auto_free char *comment = NULL;

	w->proven = false;
	w->path = path;
	w->claims = json_object();
	if (read_report(w, &err)) {
		comment = verify_signature(w);
		verify_origin(w);
		verify_html(w, comment);
	} else {
		judge(w, "report", path, err);
	}
	json_decref(w->claims);
	free(w->xml);
}

/* A run: its certificate if there is one, which there has to be when it is
 * sealed, and its evidence. */
static bool verify_run(struct work *w, const char *what, struct pd_error **err)
{
	pd_auto_free char *run = pd_journal_find(w->j, what, err), *path = NULL;
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r =
		run ? pd_record_read(w->j, run, err) : NULL;
	bool there;

	if (!r)
		return false;
	path = pd_report_path(r, w->v->state, NULL);
	there = access(path, F_OK) == 0;
	w->sealed = r->sealed != NULL;
	if (there && !w->v->no_certificate)
		verify_certificate(w, path);
	else
		verify_evidence(w, r);
	if (!there && w->sealed && !w->v->no_certificate)
		add(w, "report", path, "missing", "the run is sealed, so there is one;"
		    " `patchday final` makes it again");
	return true;
}

static json_t *sum_up(struct work *w)
{
	json_t *item;
	size_t i;

	json_array_foreach(w->list, i, item) {
		const char *state = pd_json_text(item, "state", "");

		if (strcmp(state, "changed") == 0 || strcmp(state, "missing") == 0)
			w->proven = false;
	}
	return json_pack("{s:b, s:o}", "ok", w->proven, "checked", w->list);
}

/* The XML that a file named by a person belongs to; NULL: it is no file. */
static char *report_of(const char *what)
{
	const char *end = what ? strrchr(what, '.') : NULL;
	size_t len = what ? strlen(what) : 0;

	if (end && strcmp(end, ".minisig") == 0)
		return pd_strndup(what, len - strlen(".minisig"));
	if (end && strcmp(end, ".html") == 0)
		return pd_print("%.*s.xml", (int)(len - strlen(".html")), what);
	return what && (end || strchr(what, '/')) ? pd_strdup(what) : NULL;
}

json_t *pd_verify(const struct pd_verify *v, const char *what, struct pd_error **err)
{
	pd_auto_free char *path = report_of(what);
	struct work w = { .v = v, .list = json_array(), .proven = true };
	struct pd_error *wrong = NULL;
	json_t *out;
	bool ok = true;

	w.j = pd_journal_open(v->state, true, &wrong);
	if (w.j)
		verify_journal(&w);
	else if (path && strcmp(wrong->id, "journal-none") != 0)
		add(&w, "journal", v->state, "changed", wrong->message);
	if (path)
		verify_certificate(&w, path);
	else
		ok = w.j && verify_run(&w, what, &wrong);
	pd_journal_close(w.j);
	out = sum_up(&w);
	/* a journal that is damaged may not even tell its runs */
	if (ok || (w.j && !pd_json_true(out, "ok"))) {
		pd_error_free(wrong);
		return out;
	}
	pd_error_move(err, wrong);
	json_decref(out);
	return NULL;
}
