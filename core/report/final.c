/* SPDX-License-Identifier: MIT */
/* The end of a run's papers: the event, the files, the signature, the copies;
 * each can be done again after a crash and comes out the same. */
#include "report/final.h"

#include <unistd.h>

#include "base/text.h"
#include "report/report.h"
#include "report/seal.h"
#include "report/verify.h"

enum { MAX_FILE = 256 * 1024 * 1024 };

/* Nothing that verify would not accept is sealed. */
static bool is_intact(const char *state, const char *run, struct pd_error **err)
{
	struct pd_verify v = { .state = state, .no_certificate = true };
	pd_auto_json *all = pd_verify(&v, run, err);
	json_t *item;
	size_t i;

	if (!all)
		return false;
	json_array_foreach(json_object_get(all, "checked"), i, item)
		if (strcmp(pd_json_text(item, "state", ""), "changed") == 0 ||
		    strcmp(pd_json_text(item, "state", ""), "missing") == 0)
			return pd_error_set(err, "final-changed", "%s is %s: %s",
					    pd_json_text(item, "name", ""),
					    pd_json_text(item, "state", ""),
					    pd_json_text(item, "text", ""));
	return true;
}

static bool is_signed(const struct pd_seal_key *k, const struct pd_report_files *f)
{
	size_t len = 0;
	pd_auto_free char *xml = pd_file_read(f->xml, MAX_FILE, &len, NULL);
	pd_auto_free char *text = pd_file_read(f->signature, 65536, NULL, NULL), *comment = NULL;

	return xml && text && pd_seal_check(k, xml, len, text, &comment, NULL);
}

/* The signature comes last: where it is, the certificate is whole. */
static bool write_files(const struct pd_record *r, const char *state, const char *library,
			const struct pd_seal_key *k, struct pd_report_files *f,
			struct pd_error **err)
{
	pd_auto_free char *path = pd_report_path(r, state, NULL);
	pd_auto_free char *old = pd_print("%s.minisig", path), *xml = NULL;
	pd_auto_free char *comment = NULL, *text = NULL;
	struct pd_report_files there = { .xml = path, .signature = old };
	pd_digest html = "";
	size_t len = 0;

	if (!is_signed(k, &there))
		unlink(old);
	if (!pd_report_write(r, state, library, NULL, f, err))
		return false;
	if (access(f->signature, F_OK) == 0)
		return true;
	xml = pd_file_read(f->xml, MAX_FILE, &len, err);
	if (!xml || !pd_digest_file(f->html, html, NULL, err))
		return false;
	comment = pd_print("timestamp:%lld\t" "run:%s\t" "html:%s", (long long)(r->sealed_at / 1000),
			   r->run, html);
	text = pd_seal_sign(k, xml, len, comment);
	return pd_file_write(f->signature, 0600, text, strlen(text), err);
}

static bool copy(const char *from, const char *to, json_t *copies, struct pd_error **err)
{
	size_t len = 0;
	pd_auto_free char *data = pd_file_read(from, MAX_FILE, &len, err);
	pd_digest wanted = "", is = "";

	if (!data || !pd_file_write(to, 0600, data, len, err))
		return false;
	pd_digest_data(data, len, wanted);
	if (!pd_digest_file(to, is, NULL, err))
		return false;
	json_array_append_new(copies, json_string(to));
	return strcmp(wanted, is) == 0 || pd_error_set(err, "final-copy", "%s is not what was"
						       " written there", to);
}

static bool copy_files(const struct pd_record *r, const struct pd_report_files *f,
		       const char *folder, json_t *copies, struct pd_error **err)
{
	pd_auto_free char *xml = NULL, *html = NULL, *signature = NULL;

	if (!pd_make_folders(folder, err))
		return false;
	xml = pd_report_path(r, NULL, folder);
	html = pd_print("%.*s.html", (int)strlen(xml) - 4, xml);
	signature = pd_print("%s.minisig", xml);
	return copy(f->xml, xml, copies, err) && copy(f->html, html, copies, err) &&
	       copy(f->signature, signature, copies, err);
}

static const char *central_of(const struct pd_record *r)
{
	return r->n_plans ? pd_json_text(json_object_get(r->plans[0]->json, "params"), "central",
					 NULL) : NULL;
}

/* The seal may have named the site: the files as they were called before it go. */
static void remove_old(const struct pd_record *r, struct pd_journal *j, const char *state)
{
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *before =
		pd_record_read_until(j, r->run, r->last - 1, NULL);
	pd_auto_free char *now = pd_report_path(r, state, NULL);
	pd_auto_free char *old = before ? pd_report_path(before, state, NULL) : NULL;
	pd_auto_free char *html = old ? pd_print("%.*s.html", (int)strlen(old) - 4, old) : NULL;

	if (old && strcmp(old, now) != 0) {
		unlink(old);
		unlink(html);
	}
}

json_t *pd_final(const struct pd_run_options *o, const struct pd_final *f, const char *run,
		 enum pd_run_end *end, struct pd_error **err)
{
	pd_auto(pd_seal_key) key = {0};
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j = NULL;
	__attribute__((cleanup(pd_record_cleanup))) struct pd_record *r = NULL;
	pd_auto(pd_report_files) files = {0};
	pd_auto_json *copies = json_array();
	const char *to = f->to;

	*end = PD_END_INVALID;
	if (!pd_seal_read(f->key ? f->key : PD_SEAL_KEY, &key, err) ||
	    !is_intact(o->state, run, err))
		return NULL;
	*end = pd_run_seal(o, run, key.name, f->site, err);
	if (*end != PD_END_DONE)
		return NULL;
	*end = PD_END_WAITING; /* sealed; the files can be made again */
	j = pd_journal_open(o->state, true, err);
	r = j ? pd_record_read(j, run, err) : NULL;
	if (!r || !write_files(r, o->state, f->library, &key, &files, err))
		return NULL;
	remove_old(r, j, o->state);
	to = to ? to : central_of(r);
	if (to && *to && !copy_files(r, &files, to, copies, err))
		return pd_error_prefix(err, "sealed, but not copied to %s", to), NULL;
	*end = PD_END_DONE;
	return json_pack("{s:s, s:s, s:[s, s, s], s:O}", "run", run, "key", key.name, "files",
			 files.xml, files.html, files.signature, "copies", copies);
}
