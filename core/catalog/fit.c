/* SPDX-License-Identifier: MIT */
/* Does a package of an update concern one that is installed: by architecture,
 * by module, or since it takes its place? */
#include "base/text.h"
#include "catalog/model.h"

static bool is_any(const char *arch)
{
	return !*arch || strcmp(arch, "all") == 0 || strcmp(arch, "noarch") == 0;
}

static bool is_source(const char *arch)
{
	return strcmp(arch, "src") == 0 || strcmp(arch, "nosrc") == 0;
}

/* i386, i586 and i686 run each other's packages. */
static bool is_ix86(const char *arch)
{
	return arch[0] == 'i' && arch[1] >= '3' && arch[1] <= '6' && strcmp(arch + 2, "86") == 0;
}

bool pd_arch_same(const char *offered, const char *installed)
{
	return strcmp(offered, installed) == 0 || (is_ix86(offered) && is_ix86(installed));
}

bool pd_arch_fits(const char *offered, const char *installed)
{
	return pd_arch_same(offered, installed) ||
	       ((is_any(offered) || is_any(installed)) && !is_source(offered));
}

/* Repositories are merged as libmodulemd does (modulemd_defaults_v1_merge): of two streams
 * the one that was set last counts, and none if that is not known. */
void pd_catalog_default(struct pd_catalog *c, const char *module, int64_t modified)
{
	struct pd_arena *a = c->arena;
	size_t len = strcspn(module, ":");
	pd_auto_free char *name = pd_strndup(module, len);
	const char *stream = pd_arena_keep(a, module + len + (module[len] == ':'));
	struct pd_index_slot *slot = pd_index_put(&a->defaults, name, (uint32_t)a->n_streams);
	struct pd_stream *known;

	if (slot->key == name) {
		slot->key = pd_arena_keep(a, name);
		pd_grow(a->streams, a->n_streams, a->cap_streams);
		a->streams[a->n_streams++] = (struct pd_stream){ stream, modified };
		return;
	}
	known = &a->streams[slot->value];
	if (*known->stream && strcmp(known->stream, stream) != 0 && modified >= known->modified)
		known->stream = modified > known->modified ? stream : "";
	known->modified = modified > known->modified ? modified : known->modified;
}

static bool is_default(const struct pd_arena *a, const char *module)
{
	size_t len = strcspn(module, ":");
	pd_auto_free char *name = pd_strndup(module, len);
	const struct pd_index_slot *slot = module[len] ? pd_index_find(&a->defaults, name) : NULL;
	const char *stream = slot ? a->streams[slot->value].stream : "";

	return *stream && strcmp(stream, module + len + 1) == 0;
}

/* The name of a module and its stream, from @at on. */
static size_t module_at(const char *at)
{
	return strcspn(at, " ,");
}

/* The next one of several; "": there is none. */
static const char *next_module(const char *at)
{
	at += strcspn(at, ",");
	return at + (*at == ',');
}

/* Each of its modules that has this one as its default stream. */
static void mark_default(struct pd_arena *a, struct pd_package_row *p)
{
	struct pd_buffer text = {0};

	for (const char *at = p->module; *at; at = next_module(at)) {
		pd_auto_free char *one = pd_strndup(at, module_at(at));

		pd_buffer_print(&text, "%s%s%s", text.len ? "," : "", one,
				is_default(a, one) ? " default" : "");
	}
	if (text.len && strcmp(text.data, p->module) != 0)
		p->module = pd_arena_keep(a, text.data);
	pd_buffer_clear(&text);
}

void pd_add_known(struct pd_arena *a, struct pd_catalog_update *u)
{
	for (uint32_t i = 0; (a->n_replacers || a->defaults.cap) && i < u->n_packages; i++) {
		struct pd_package_row *p = &u->packages[i];
		const struct pd_index_slot *slot = pd_index_find(&a->replacing, p->name);

		mark_default(a, p);
		for (uint32_t k = slot ? slot->value : 0; k; k = a->replacers[k].next)
			if (strcmp(a->replacers[k].version, p->version) == 0 &&
			    strcmp(a->replacers[k].arch, p->arch) == 0)
				p->replaces = a->replacers[k].replaces;
	}
}

/* Is this stream the default one, on this server?  Its administrator has the last word. */
static bool is_default_here(const char *module, size_t len, const struct pd_facts *facts)
{
	const json_t *row;
	size_t i, whole = module_at(module);

	json_array_foreach(json_object_get(facts->json, "x-module-defaults"), i, row) {
		const char *name = pd_json_text(row, "name", ""), *stream = pd_json_text(row, "stream", "");

		if (strlen(name) == len && strncmp(name, module, len) == 0)
			return strlen(stream) + len + 1 == whole && *stream &&
			       strncmp(stream, module + len + 1, strlen(stream)) == 0;
	}
	return module[whole] == ' ';
}

/* A package of a module is for servers that have its stream enabled, or where it is the
 * default one and none is.  Where it is not known what is enabled, the build that is there
 * says it: one from no module is none of it, and of one from a module it is open. */
static enum pd_truth in_module(const char *module, const struct pd_package_row *p,
			       const struct pd_installed *have, const struct pd_facts *facts)
{
	const json_t *modules = json_object_get(facts->json, "x-modules"), *row;
	const char *wanted = module + strcspn(module, ":,");
	size_t len = (size_t)(wanted - module), stream_len = module_at(wanted), i;
	bool is_default = is_default_here(module, len, facts);
	bool known = modules;

	json_array_foreach(modules, i, row) {
		const char *name = pd_json_text(row, "name", "");
		const char *stream = pd_json_text(row, "enabled", "");

		if (strlen(name) == len && strncmp(name, module, len) == 0)
			return *stream && strlen(stream) + 1 == stream_len &&
			       strncmp(stream, wanted + 1, stream_len - 1) == 0;
		known &= strcmp(name, PD_ANY_MODULE) != 0;
	}
	if (!known && (!modules || strstr(have->version, ".module")))
		return strstr(have->version, ".module") || is_default || !strstr(p->version, ".module") ?
		       PD_UNKNOWN : PD_FALSE;
	return is_default ? PD_TRUE : PD_FALSE;
}

enum pd_truth pd_in_module(const struct pd_package_row *p, const struct pd_installed *have,
			    const struct pd_facts *facts)
{
	enum pd_truth any = *p->module ? PD_FALSE : PD_TRUE;

	for (const char *at = p->module; *at && any != PD_TRUE; at = next_module(at)) {
		enum pd_truth t = in_module(at, p, have, facts);

		any = t == PD_FALSE ? any : t;
	}
	return any;
}

bool pd_replaced_next(const char **at, struct pd_replaced *out)
{
	static const struct { const char *text; int compare; } known[] = {
		{ "<=", PD_CMP_LE }, { ">=", PD_CMP_GE }, { "<", PD_CMP_LT }, { ">", PD_CMP_GT },
		{ "=", PD_CMP_EQ } };
	size_t blanks = strspn(*at, " ,"), len, i = 0;
	const char *s = *at + blanks;

	*out = (struct pd_replaced){ .compare = PD_CMP_EXISTS };
	len = strcspn(s, " ,");
	if (!len || len >= sizeof(out->name))
		return false;
	memcpy(out->name, s, len);
	s += len + strspn(s + len, " ");
	while (i < 5 && strncmp(s, known[i].text, strlen(known[i].text)) != 0)
		i++;
	if (i < 5) {
		s += strlen(known[i].text);
		s += strspn(s, " ");
		len = strcspn(s, " ,");
		out->compare = known[i].compare;
		if (!len || len >= sizeof(out->version))
			return false;
		memcpy(out->version, s, len);
		s += len + strspn(s + len, " ");
	}
	*at = s;
	return !*s || *s == ',';
}

char *pd_as_long_as(const char *version, const char *other)
{
	const char *dash = strrchr(version, '-');

	return pd_strndup(version, dash && !strchr(other, '-') ? (size_t)(dash - version) :
								 strlen(version));
}

static bool is_replaced(const struct pd_replaced *old, const struct pd_package_row *p,
		    const struct pd_installed *have)
{
	pd_auto_free char *version = pd_as_long_as(have->version, old->version);
	int order = 0;

	if (!pd_arch_fits(p->arch, have->arch) || (have->scheme && have->scheme != p->scheme))
		return false;
	if (old->compare == PD_CMP_EXISTS)
		return true;
	return pd_version_compare(p->scheme, version, old->version, &order, NULL) &&
	       (old->compare == PD_CMP_LT ? order < 0 : old->compare == PD_CMP_LE ? order <= 0 :
		old->compare == PD_CMP_GT ? order > 0 : old->compare == PD_CMP_GE ? order >= 0 :
		order == 0);
}

const struct pd_installed *pd_replaced_by(const struct pd_package_row *p, const struct pd_facts *facts)
{
	const struct pd_installed *all = NULL;
	const char *at = p->replaces;
	struct pd_replaced old;

	while (*at && pd_replaced_next(&at, &old)) {
		size_t n = pd_facts_packages(facts, old.name, &all);

		for (size_t i = 0; i < n; i++)
			if (is_replaced(&old, p, &all[i]))
				return &all[i];
	}
	return NULL;
}
