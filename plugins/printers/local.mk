# SPDX-License-Identifier: MIT
plugin_LTLIBRARIES += %reldir%/printers.la
%canon_reldir%_printers_la_SOURCES = %reldir%/printers.c %reldir%/restore.c \
	%reldir%/conf.c %reldir%/spooler.c %reldir%/printers.h $(CUPS_SOURCES) \
	plugins/shares/saved.c plugins/shares/saved.h \
	plugins/shares/steps.c plugins/shares/steps.h \
	plugins/shares/units.c plugins/shares/units.h $(STORE_SOURCES)
%canon_reldir%_printers_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) $(CUPS_CFLAGS) \
	$(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_printers_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_printers_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_printers_la_LIBADD = $(JANSSON_LIBS) $(SODIUM_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/printers.check
