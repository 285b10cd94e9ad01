check_LTLIBRARIES += %reldir%/steps.la
%canon_reldir%_steps_la_SOURCES = %reldir%/steps.c
%canon_reldir%_steps_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_steps_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_steps_la_LDFLAGS = $(PLUGIN_LDFLAGS) -rpath /nowhere
TESTS += %reldir%/engine.sh %reldir%/crash.sh %reldir%/compare.sh
EXTRA_DIST += %reldir%/compare.sh %reldir%/engine.sh %reldir%/crash.sh %reldir%/run.sh
