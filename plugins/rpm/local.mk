# SPDX-License-Identifier: MIT
# Packages of rpm servers: facts, and updates with the way back.
plugin_LTLIBRARIES += %reldir%/rpm.la
%canon_reldir%_rpm_la_SOURCES = \
	%reldir%/config.c \
	%reldir%/files.c \
	%reldir%/held.c \
	%reldir%/manager.c \
	%reldir%/plan.c \
	%reldir%/query.c \
	%reldir%/rpm.c \
	%reldir%/rpm.h \
	%reldir%/txn.c \
	%reldir%/undo.c \
	%reldir%/version.c \
	%reldir%/versionlock.c \
	plugins/shared/rpmdb.h \
	$(PKG_SOURCES)
%canon_reldir%_rpm_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_rpm_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/rpm.check %reldir%/rpm.check.xml
