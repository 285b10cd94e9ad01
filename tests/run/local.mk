# SPDX-License-Identifier: MIT
check_LTLIBRARIES += %reldir%/steps.la
%canon_reldir%_steps_la_SOURCES = %reldir%/steps.c
%canon_reldir%_steps_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_steps_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_steps_la_LDFLAGS = $(PLUGIN_LDFLAGS) -rpath /nowhere
RUN_TESTS = %reldir%/engine.sh %reldir%/crash.sh %reldir%/faults.sh %reldir%/noreturn.sh \
	%reldir%/undo.sh %reldir%/change.sh %reldir%/guards.sh %reldir%/compare.sh %reldir%/dry.sh %reldir%/still.sh \
	%reldir%/secrets.sh %reldir%/events.sh %reldir%/many.sh %reldir%/ends.sh %reldir%/once.sh
TESTS += $(RUN_TESTS)
EXTRA_DIST += $(RUN_TESTS) %reldir%/run.sh %reldir%/boots.sh %reldir%/typist.py
