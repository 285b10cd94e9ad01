# SPDX-License-Identifier: MIT
# Steps in any language.
plugin_LTLIBRARIES += %reldir%/command.la
%canon_reldir%_command_la_SOURCES = %reldir%/command.c %reldir%/command.h \
	%reldir%/program.c %reldir%/program.h \
	%reldir%/protocol.c %reldir%/talk.c
%canon_reldir%_command_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_command_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_command_la_LIBADD = $(JANSSON_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/command.check
