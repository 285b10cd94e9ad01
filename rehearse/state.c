/* SPDX-License-Identifier: MIT */
/* What a server has when all is over, and what is not as it should be. */
#include <unistd.h>

#include "base/text.h"
#include "drill.h"

/* Kinds of facts that a run has to leave as they should be, beside packages
 * and services, which are asked for more closely. */
static const char *const kinds[] = { "printers", "shares" };

static void look_facts(struct drill *d, struct pd_facts *out)
{
	pd_auto_free char *text = clone_output(&d->c, (const char *const *)d->s.facts.items, NULL);
	pd_auto_json *all = text ? pd_json_parse(text, strlen(text), "facts", NULL) : NULL;
	pd_auto_json *some = json_object();

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (json_object_get(all, kinds[i]))
			json_object_set(some, kinds[i], json_object_get(all, kinds[i]));
	if (!pd_facts_from(some, "facts", out, NULL))
		*out = (struct pd_facts){0};
}

/* What services write by themselves in /etc: times, and copies of what was there
 * before.  The printers themselves are compared as facts. */
static bool kept_by_service(const char *path)
{
	static const char *const files[] = { "/etc/cups/printers.conf", "/etc/cups/classes.conf",
		"/etc/cups/subscriptions.conf", "/etc/.pwd.lock" };
	size_t n = strlen(path);

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (strcmp(path, files[i]) == 0)
			return true;
	return clone_below(path, "/etc/cups") && n > 2 && strcmp(path + n - 2, ".O") == 0;
}

/* Rights, owner, content, and the attributes of @alike.  NULL: it is not there, or can't be read. */
static char *print_of(const char *file, const char *alike)
{
	pd_auto_free char *attributes = look_attributes(alike), *all = NULL;
	char to[4096] = "";
	struct stat st;
	pd_digest content = "";

	if (lstat(file, &st) < 0 ||
	    (S_ISLNK(st.st_mode) && readlink(file, to, sizeof(to) - 1) < 0) ||
	    (S_ISREG(st.st_mode) && !pd_digest_file(file, content, NULL, NULL)))
		return NULL;
	all = pd_print("%o %u:%u %s%s %s", st.st_mode, st.st_uid, st.st_gid, content, to,
		       attributes ? attributes : "");
	return pd_utf8_text(all); /* where a link leads can be any bytes */
}

static void note_etc(void *user, const char *path, const char *file, const struct stat *st,
		     const char *what)
{
	pd_auto_free char *was = NULL, *is = NULL;

	if (!clone_below(path, "/etc") || S_ISDIR(st->st_mode) || look_noise(path) ||
	    kept_by_service(path))
		return;
	was = print_of(path, path);
	/* what the layer can't hold of its attributes is no change */
	is = strcmp(what, "removed") == 0 ? pd_strdup(what) :
	     print_of(file, look_same_attributes(file, path) ? path : file);
	if (!was || !is || strcmp(was, is) != 0)
		json_object_set_new(user, path, json_string(is ? is : ""));
}

struct state state_look(struct drill *d)
{
	struct state s = { .packages = look_packages(&d->c), .services = look_services(&d->c),
			   .triggers = look_triggers(&d->c), .etc = json_object() };

	look_facts(d, &s.facts);
	look_each(&d->c, note_etc, s.etc);
	return s;
}

void state_cleanup(struct state *s)
{
	json_decref(s->packages);
	json_decref(s->services);
	json_decref(s->triggers);
	json_decref(s->etc);
	pd_facts_clear(&s->facts);
	*s = (struct state){0};
}

static bool is_in(const json_t *units, const char *name, const char *state)
{
	return strncmp(pd_json_text(json_object_get(units, name), "state", ""), state,
		       strlen(state)) == 0;
}

/* Services that start with the server, run there, and do not here; and timers,
 * sockets and paths, whether they wait, have elapsed, or what they start runs. */
static char *stopped_units(const struct state *wanted, const struct state *now)
{
	pd_auto(pd_strings) names = {0};
	pd_auto_free char *all = NULL;
	const char *name;
	json_t *unit;

	json_object_foreach(wanted->services, name, unit)
		if (is_in(wanted->services, name, "active (running)") &&
		    strcmp(pd_json_text(unit, "enabled", ""), "enabled") == 0 &&
		    !is_in(now->services, name, "active (running)"))
			pd_strings_add(&names, name);
	json_object_foreach(wanted->triggers, name, unit)
		/* of systemd-run: it goes by itself */
		if (is_in(wanted->triggers, name, "active (") &&
		    strcmp(pd_json_text(unit, "enabled", ""), "transient") != 0 &&
		    !is_in(now->triggers, name, "active ("))
			pd_strings_add(&names, name);
	all = names.len ? pd_strings_join(&names, ", ") : NULL;
	return all ? pd_print("these do not run: %s", all) : NULL;
}

/* A kind that can't be read any more differs as well. */
static char *lost_facts(const struct pd_facts *wanted, const struct pd_facts *now)
{
	pd_auto_json *rows = NULL;
	const json_t *row;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (json_object_get(wanted->json, kinds[i]) && !json_object_get(now->json, kinds[i]))
			return pd_print("its %s can't be read", kinds[i]);
	if (!wanted->json || !now->json)
		return NULL;
	rows = pd_facts_diff(wanted, now);
	row = json_array_get(rows, 0);
	return row ? pd_print("of %s, %s is not as it should be: %s was %s", pd_json_text(row, "kind", ""),
			      pd_json_text(row, "key", ""), pd_json_text(row, "field", "it"),
			      pd_json_text(row, "change", "")) : NULL;
}

static char *other_files(const struct state *wanted, const struct state *now)
{
	pd_auto_json *rows = look_difference(wanted->etc, now->etc, NULL);
	const json_t *row = json_array_get(rows, 0);

	return row ? pd_print("%zu files of /etc are not as they should be, such as %s",
			      json_array_size(rows), pd_json_text(row, "name", "")) : NULL;
}

static char *other_packages(const struct state *wanted, const struct state *now)
{
	pd_auto_json *rows = NULL;

	if (!wanted->packages)
		return NULL;
	if (!now->packages)
		return pd_print("its packages can't be read");
	rows = look_difference(wanted->packages, now->packages, NULL);
	return json_array_size(rows) ? pd_print("%zu packages are not as they should be, such as %s",
						json_array_size(rows),
						pd_json_text(json_array_get(rows, 0), "name", "")) : NULL;
}

char *state_complaint(const struct state *wanted, const struct state *now, const char *end)
{
	pd_auto(pd_strings) found = {0};
	pd_auto_free char *all = NULL;
	char *each[] = { other_packages(wanted, now), stopped_units(wanted, now),
			 lost_facts(&wanted->facts, &now->facts), other_files(wanted, now) };

	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++)
		if (each[i])
			pd_strings_add_take(&found, each[i]);
	all = pd_strings_join(&found, "; ");
	return found.len ? pd_print("%s, but %s", end, all) : NULL;
}
