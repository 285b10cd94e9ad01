/* SPDX-License-Identifier: MIT */
/* What an administrator has allowed: lines of JSON that catalog approve and
 * withdraw have added to.  An update has to have nothing that it did not have when
 * it was approved: of each package, file and command its digest is on record. */
#include <errno.h>
#include <unistd.h>

#include "base/json.h"
#include "catalog/catalog.h"

enum { FILE_MAX = 64 << 20 };

static char *key_of(const char *id, const char *revision)
{
	return pd_print("%s\n%s", id, revision);
}

/* ------------------------------------------------------ what is in an update */

struct parts {
	json_t *all;          /* to be filled: digests */
	const json_t *known;  /* or: the keys that may be there, */
	char *strange;        /* and what is not among them */
};

/* Of a part as people call it, and the digest that proves its file, or "". */
static void digest_of(const char *part, const char *proof, pd_digest out)
{
	pd_auto_free char *text = pd_print("%s\n%s", part, proof);

	pd_digest_data(text, strlen(text), out);
	out[32] = '\0';
}

/* What had no proof when it was approved may have got one since. */
static void take_part(struct parts *to, char *part, const char *proof)
{
	pd_digest with, without;

	digest_of(part, proof, with);
	digest_of(part, "", without);
	if (to->all)
		json_array_append_new(to->all, json_string(with));
	else if (!to->strange && !json_object_get(to->known, with) &&
		 !json_object_get(to->known, without))
		to->strange = pd_strdup(part);
	free(part);
}

/* What its modules are called: whether a stream is a default one, other catalogs say. */
static char *names_of(const char *module)
{
	char *out = pd_strdup(module), *to = out;

	for (const char *s = out; *s;)
		if (*s == ' ')
			s += strcspn(s, ",");
		else
			*to++ = *s++;
	*to = '\0';
	return out;
}

/* The address of a file may change: freezing completes it. */
static void take_parts(struct parts *to, const struct pd_catalog_update *u)
{
	for (uint32_t i = 0; i < u->n_packages; i++) {
		const struct pd_package_row *p = &u->packages[i];
		pd_auto_free char *module = names_of(p->module);

		take_part(to, pd_print("%s package %s %s %s %s", pd_scheme_name(p->scheme), p->name,
				       p->version, p->arch, module),
			  p->payload ? u->payloads[p->payload - 1].digest : "");
	}
	for (uint32_t i = 0; i < u->n_payloads; i++) {
		const char *url = u->payloads[i].url, *name = strrchr(url, '/');

		take_part(to, pd_print("file %s", name ? name + 1 : url), u->payloads[i].digest);
	}
	for (uint32_t i = 0; i < u->n_installers; i++)
		take_part(to, pd_print("command %s %s", u->installers[i].command,
				       u->installers[i].arguments), "");
}

json_t *pd_update_content(const struct pd_catalog_update *u)
{
	struct parts parts = { .all = json_array() };

	take_parts(&parts, u);
	return parts.all;
}

/* -------------------------------------------------------- what was decided */

/* Approvals of one update add up; one that has no content, as they were once, holds
 * for any. */
static void allow(json_t *allowed, const char *key, const json_t *content)
{
	json_t *known = json_object_get(allowed, key), *part;
	size_t i;

	if (!json_is_object(known) || !json_is_array(content))
		json_object_set_new(allowed, key, known = json_is_array(content) ? json_object() : json_true());
	json_array_foreach(content, i, part)
		json_object_set_new(known, json_string_value(part), json_true());
}

static bool take_line(json_t *allowed, const char *path, unsigned number, const char *line,
		      size_t len, struct pd_error **err)
{
	pd_auto_json *entry = pd_json_parse(line, len, path, NULL);
	const char *what = pd_json_text(entry, "what", ""), *id = pd_json_text(entry, "id", NULL);
	pd_auto_free char *key = key_of(id ? id : "", pd_json_text(entry, "revision", ""));

	if (id && strcmp(what, "approve") == 0)
		allow(allowed, key, json_object_get(entry, "content"));
	else if (id && strcmp(what, "withdraw") == 0)
		json_object_del(allowed, key);
	else
		return pd_error_at(err, "approvals", path, number, 0, "this is no approval");
	return true;
}

static bool read_lines(json_t *allowed, const char *path, struct pd_error **err)
{
	size_t len = 0;
	pd_auto_free char *text = pd_file_read(path, FILE_MAX, &len, err);
	unsigned number = 1;

	for (char *at = text, *end; text && at < text + len; at = end + 1, number++) {
		end = memchr(at, '\n', (size_t)(text + len - at));
		end = end ? end : text + len;
		if (!take_line(allowed, path, number, at, (size_t)(end - at), err))
			return false;
	}
	return text != NULL;
}

static const json_t *find(const json_t *allowed, const char *id, const char *revision)
{
	pd_auto_free char *key = key_of(id, revision);

	return json_object_get(allowed, key);
}

static bool is_barred(const struct pd_catalog *c, const struct pd_catalog_update *u,
		      const json_t *allowed, struct pd_strings *changed)
{
	struct parts parts = { .known = find(allowed, u->id, u->revision) };

	if (!json_is_object(parts.known))
		return !parts.known;
	take_parts(&parts, u);
	if (!parts.strange)
		return false;
	pd_strings_add_take(changed, pd_print("%s: %s is not as it was approved, and has to be approved "
		"again; new is: %s", c->name, u->id, parts.strange));
	free(parts.strange);
	return true;
}

bool pd_catalogs_approve(const struct pd_catalogs *list, const char *path,
			 struct pd_strings *changed, struct pd_error **err)
{
	pd_auto_json *allowed = json_object();

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return true;
	if (!read_lines(allowed, path, err))
		return false;
	for (size_t k = 0; k < list->len; k++) {
		struct pd_catalog *c = list->items[k];

		c->approvals = true;
		for (size_t i = 0; i < c->len; i++)
			c->updates[i].barred = is_barred(c, &c->updates[i], allowed, changed);
		for (size_t i = 0; i < c->n_briefs; i++)
			c->briefs[i].barred = c->briefs[i].id &&
				!find(allowed, c->briefs[i].id, c->briefs[i].revision);
	}
	return true;
}
