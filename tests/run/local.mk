check_LTLIBRARIES += %reldir%/steps.la
%canon_reldir%_steps_la_SOURCES = %reldir%/steps.c
%canon_reldir%_steps_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_steps_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_steps_la_LDFLAGS = $(PLUGIN_LDFLAGS) -rpath /nowhere
TESTS += %reldir%/events.sh %reldir%/secrets.sh %reldir%/engine.sh %reldir%/crash.sh %reldir%/dry.sh
EXTRA_DIST += %reldir%/events.sh %reldir%/secrets.sh %reldir%/dry.sh %reldir%/engine.sh %reldir%/crash.sh %reldir%/run.sh
