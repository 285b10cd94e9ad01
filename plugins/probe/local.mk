# SPDX-License-Identifier: MIT
plugin_LTLIBRARIES += %reldir%/probe.la
%canon_reldir%_probe_la_SOURCES = %reldir%/probe.c $(PROBE_SOURCES) %reldir%/smb.c \
	%reldir%/print.c %reldir%/http.c %reldir%/curl.c %reldir%/curl.h \
	%reldir%/mail.c %reldir%/queue.c $(CUPS_SOURCES)
%canon_reldir%_probe_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) $(CUPS_CFLAGS) \
	$(CURL_CFLAGS)
%canon_reldir%_probe_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_probe_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/probe.check
