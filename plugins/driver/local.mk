# SPDX-License-Identifier: MIT
# Vendors' drivers.
plugin_LTLIBRARIES += %reldir%/driver.la
%canon_reldir%_driver_la_SOURCES = \
	%reldir%/driver.c %reldir%/driver.h %reldir%/hardware.c \
	%reldir%/installer.c %reldir%/package.c \
	plugins/command/program.c plugins/command/program.h \
	plugins/update/apt.c plugins/update/deb.c plugins/update/deb.h \
	plugins/update/fetch.c plugins/update/source.c plugins/update/state.c \
	plugins/update/txn.c plugins/update/undo.c \
	$(PKG_SOURCES)
%canon_reldir%_driver_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_driver_la_LDFLAGS = $(PLUGIN_LDFLAGS)
EXTRA_DIST += %reldir%/README.md
