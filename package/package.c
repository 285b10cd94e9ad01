/* SPDX-License-Identifier: MIT */
/* patchday-package: makes packages of workflows, proves and unpacks them.
 * `patchday package` calls it, with what is wanted as a JSON object on standard
 * input, "do" in it is one of
 *   list    { roots: [{ from, to }] }           the files of them, and what is not sound
 *   build   { about, files, key, out }          from what list gave
 *   verify  { file, key }
 *   install { file, key, folder, digest }       of that digest alone
 *   prove   { folder }                          one that is installed
 * The answer is JSON on standard output: { files, faults }; or { manifest, digest,
 * key, comment }; or { error }. */
#include <locale.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "out.h"
#include "store.h"
#include "tree.h"

static json_t *told(struct box *b)
{
	return json_pack("{s:O, s:s, s:s, s:s}", "manifest", b->manifest.json, "digest", b->manifest.digest,
			 "key", b->key, "comment", b->comment ? b->comment : "");
}

static json_t *list(const json_t *wanted, struct pd_error **err)
{
	json_t *faults = json_array();

	return json_pack("{s:o, s:o}", "files", tree_list(json_object_get(wanted, "roots"), faults, err),
			 "faults", faults);
}

static json_t *build(const json_t *wanted, struct pd_error **err)
{
	struct manifest m = {0};
	json_t *said = NULL;

	if (box_make(&m, json_object_get(wanted, "about"), json_object_get(wanted, "files"),
		     pd_json_text(wanted, "key", ""), pd_json_text(wanted, "out", ""), err))
		said = json_pack("{s:O, s:s}", "manifest", m.json, "digest", m.digest);
	manifest_clear(&m);
	return said;
}

static json_t *verify(const json_t *wanted, struct pd_error **err)
{
	struct box b;
	json_t *said = box_open(&b, pd_json_text(wanted, "file", ""), pd_json_text(wanted, "key", ""), err) ?
		told(&b) : NULL;

	box_clear(&b);
	return said;
}

static json_t *install(const json_t *wanted, struct pd_error **err)
{
	const char *file = pd_json_text(wanted, "file", ""), *key = pd_json_text(wanted, "key", "");
	struct box b;
	json_t *said = NULL;

	if (box_open(&b, file, key, err)) {
		if (strcmp(b.manifest.digest, pd_json_text(wanted, "digest", "")) != 0)
			pd_error_set(err, "package-damaged", "%s is not the file that it was a moment ago", file);
		else if (store_put(&b, pd_json_text(wanted, "folder", ""), key, err))
			said = told(&b);
	}
	box_clear(&b);
	return said;
}

static json_t *prove(const json_t *wanted, struct pd_error **err)
{
	struct box b;
	json_t *said = store_prove(&b, pd_json_text(wanted, "folder", ""), err) ? told(&b) : NULL;

	box_clear(&b);
	return said;
}

static const struct {
	const char *name;
	json_t *(*act)(const json_t *wanted, struct pd_error **err);
} verbs[] = { { "build", build }, { "install", install }, { "list", list }, { "prove", prove },
	      { "verify", verify } };

int main(void)
{
	pd_auto_json *wanted = NULL, *said = NULL;
	pd_auto_error *err = NULL;
	const char *verb;

	setlocale(LC_ALL, "C.UTF-8");
	if (sodium_init() < 0)
		return 2;
	umask(022);
	wanted = json_loadf(stdin, 0, NULL);
	verb = pd_json_text(wanted, "do", "");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].name, verb) == 0)
			said = verbs[i].act(wanted, &err);
	if (!said && !err)
		pd_error_set(&err, "usage", "this program is called by `patchday package`, not by hand");
	if (said)
		out_json(said);
	else
		out_error(true, err);
	return said && fflush(stdout) == 0 ? 0 : 2;
}
