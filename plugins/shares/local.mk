# SPDX-License-Identifier: MIT
plugin_LTLIBRARIES += %reldir%/shares.la
%canon_reldir%_shares_la_SOURCES = %reldir%/shares.c %reldir%/restore.c \
	%reldir%/samba.c %reldir%/saved.c %reldir%/steps.c %reldir%/units.c \
	%reldir%/shares.h %reldir%/saved.h %reldir%/steps.h %reldir%/units.h $(STORE_SOURCES)
%canon_reldir%_shares_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_shares_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_shares_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_shares_la_LIBADD = $(SODIUM_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/shares.check
