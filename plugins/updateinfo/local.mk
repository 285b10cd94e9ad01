# SPDX-License-Identifier: MIT
# The plugin updateinfo.
plugin_LTLIBRARIES += %reldir%/updateinfo.la
%canon_reldir%_updateinfo_la_SOURCES = %reldir%/updateinfo.c %reldir%/updateinfo.h \
	%reldir%/primary.c %reldir%/modules.c %reldir%/values.c plugins/shared/path.h
%canon_reldir%_updateinfo_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_updateinfo_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_updateinfo_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/updateinfo.check
