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
	return arch[0] == 'i' && arch[1] >= '3' && arch[1] <= '6' &&
	       strcmp(arch + 2, "86") == 0;
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

/* A package of a module is for servers that have its stream enabled.  If no
 * stream of it is, or that is not among the facts, the build that is there says
 * it: one from no module is none of it, and of one from a module it is open. */
enum pd_truth pd_in_module(const struct pd_package_row *p, const struct pd_installed *have,
			    const struct pd_facts *facts)
{
	const json_t *modules = json_object_get(facts->json, "x-modules"), *row;
	size_t len = strcspn(p->module, ":"), i;

	if (!*p->module)
		return PD_TRUE;
	json_array_foreach(modules, i, row) {
		const char *name = pd_json_text(row, "name", "");
		const char *stream = pd_json_text(row, "enabled", "");

		if (strlen(name) == len && strncmp(name, p->module, len) == 0 && *stream)
			return p->module[len] && strcmp(stream, p->module + len + 1) == 0;
	}
	return strstr(have->version, ".module") ? PD_UNKNOWN :
	       modules || strstr(p->version, ".module") ? PD_FALSE : PD_UNKNOWN;
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

/* Without its release, if the other one has none: then it counts for nothing. */
static char *as_long_as(const char *version, const char *other)
{
	const char *dash = strrchr(version, '-');

	return pd_strndup(version, dash && !strchr(other, '-') ? (size_t)(dash - version) :
								 strlen(version));
}

static bool is_replaced(const struct pd_replaced *old, const struct pd_package_row *p,
		    const struct pd_installed *have)
{
	pd_auto_free char *version = as_long_as(have->version, old->version);
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
