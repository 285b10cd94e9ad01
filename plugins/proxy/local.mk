# SPDX-License-Identifier: MIT
# The plugin proxy.
plugin_LTLIBRARIES += %reldir%/proxy.la
%canon_reldir%_proxy_la_SOURCES = %reldir%/proxy.c %reldir%/restore.c %reldir%/squid.c %reldir%/health.c \
	%reldir%/proxy.h $(FILES_SOURCES)
%canon_reldir%_proxy_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_proxy_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_proxy_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_proxy_la_LIBADD = $(SODIUM_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/proxy.check
