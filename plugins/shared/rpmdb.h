/* SPDX-License-Identifier: MIT */
/* Are this server's packages rpm's? Its program alone may be anywhere, and makes a database when asked. */
#ifndef PD_PLUGIN_RPMDB_H
#define PD_PLUGIN_RPMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

static inline bool rpmdb_is_here(void)
{
	static const char *const databases[] = {
		"/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite",
		"/usr/lib/sysimage/rpm/Packages.db", "/var/lib/rpm/Packages.db",
		"/var/lib/rpm/Packages"
	};

	for (size_t i = 0; i < sizeof(databases) / sizeof(*databases); i++)
		if (access(databases[i], F_OK) == 0)
			return true;
	return false;
}

#endif /* PD_PLUGIN_RPMDB_H */
