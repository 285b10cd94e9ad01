/* SPDX-License-Identifier: MIT */
/* Does a package of an update concern one that is installed, by architecture? */
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
