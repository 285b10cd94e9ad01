# SPDX-License-Identifier: MIT
# Plugins for the tests of the loader and the worker, good and bad.  -rpath
# makes libtool build shared objects although they are never installed.
MODULE_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
MODULE_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
check_LTLIBRARIES += %reldir%/act.la %reldir%/noentry.la %reldir%/undefined.la \
	%reldir%/wrongabi.la %reldir%/newer.la %reldir%/endless/endless.la %reldir%/ends/ends.la
%canon_reldir%_act_la_SOURCES = %reldir%/act.c
%canon_reldir%_act_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_act_la_CFLAGS = $(MODULE_CFLAGS)
%canon_reldir%_act_la_LDFLAGS = $(MODULE_LDFLAGS)
%canon_reldir%_noentry_la_SOURCES = %reldir%/noentry.c
%canon_reldir%_noentry_la_CFLAGS = $(MODULE_CFLAGS)
%canon_reldir%_noentry_la_LDFLAGS = $(MODULE_LDFLAGS)
%canon_reldir%_undefined_la_SOURCES = %reldir%/undefined.c
%canon_reldir%_undefined_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_undefined_la_CFLAGS = $(MODULE_CFLAGS)
%canon_reldir%_undefined_la_LDFLAGS = $(MODULE_LDFLAGS)
%canon_reldir%_wrongabi_la_SOURCES = %reldir%/wrongabi.c
%canon_reldir%_wrongabi_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_wrongabi_la_CFLAGS = $(MODULE_CFLAGS)
%canon_reldir%_wrongabi_la_LDFLAGS = $(MODULE_LDFLAGS)
%canon_reldir%_newer_la_SOURCES = %reldir%/newer.c
%canon_reldir%_newer_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_newer_la_CFLAGS = $(MODULE_CFLAGS)
%canon_reldir%_newer_la_LDFLAGS = $(MODULE_LDFLAGS)
%canon_reldir%_endless_endless_la_SOURCES = %reldir%/endless/endless.c
%canon_reldir%_endless_endless_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_endless_endless_la_CFLAGS = $(MODULE_CFLAGS)
%canon_reldir%_endless_endless_la_LDFLAGS = $(MODULE_LDFLAGS)
%canon_reldir%_ends_ends_la_SOURCES = %reldir%/ends/ends.c
%canon_reldir%_ends_ends_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_ends_ends_la_CFLAGS = $(MODULE_CFLAGS)
%canon_reldir%_ends_ends_la_LDFLAGS = $(MODULE_LDFLAGS)
