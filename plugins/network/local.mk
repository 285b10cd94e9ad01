# SPDX-License-Identifier: MIT
# The plugin network.
plugin_LTLIBRARIES += %reldir%/network.la
%canon_reldir%_network_la_SOURCES = %reldir%/network.c %reldir%/listeners.c \
	%reldir%/network.h $(STORE_SOURCES)
%canon_reldir%_network_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SODIUM_CFLAGS)
%canon_reldir%_network_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_network_la_LIBADD = $(SODIUM_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/network.check
