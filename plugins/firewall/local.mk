# SPDX-License-Identifier: MIT
# The plugin firewall.
plugin_LTLIBRARIES += %reldir%/firewall.la
%canon_reldir%_firewall_la_SOURCES = %reldir%/firewall.c %reldir%/restore.c %reldir%/nft.c %reldir%/rules.c \
	%reldir%/firewall.h $(FILES_SOURCES)
%canon_reldir%_firewall_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_firewall_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_firewall_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_firewall_la_LIBADD = $(SODIUM_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/firewall.check
