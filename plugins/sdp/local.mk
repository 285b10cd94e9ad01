# SPDX-License-Identifier: MIT
# The plugin sdp.
plugin_LTLIBRARIES += %reldir%/sdp.la
%canon_reldir%_sdp_la_SOURCES = %reldir%/sdp.c %reldir%/sdp.h %reldir%/rules.c %reldir%/install.c $(TREE_SOURCES)
%canon_reldir%_sdp_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_sdp_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_sdp_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/sdp.check
