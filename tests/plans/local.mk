# SPDX-License-Identifier: MIT
# Golden plans: data files, one driver, a plugin made for them.
check_LTLIBRARIES += %reldir%/plugins/demo.la
%canon_reldir%_plugins_demo_la_SOURCES = %reldir%/plugins/demo.c
%canon_reldir%_plugins_demo_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_plugins_demo_la_CFLAGS = $(PLUGIN_CFLAGS)
%canon_reldir%_plugins_demo_la_LDFLAGS = $(PLUGIN_LDFLAGS) -rpath /nowhere
check_PROGRAMS += %reldir%/plan-test
%canon_reldir%_plan_test_SOURCES = %reldir%/plan-test.c
%canon_reldir%_plan_test_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_plan_test_LDADD = core/libcore.la $(JANSSON_LIBS) $(LUA_LIBS)
TESTS += %reldir%/run.sh
EXTRA_DIST += %reldir%/run.sh $(wildcard $(srcdir)/%reldir%/*.test $(srcdir)/%reldir%/roles/*.test)
