# SPDX-License-Identifier: MIT
# Installs updates on Debian servers; the package transaction is also linked into the plugin driver.
plugin_LTLIBRARIES += %reldir%/update.la
%canon_reldir%_update_la_SOURCES = \
	%reldir%/apt.c \
	%reldir%/deb.c \
	%reldir%/deb.h \
	%reldir%/fetch.c \
	%reldir%/select.c \
	%reldir%/select.h \
	%reldir%/source.c \
	%reldir%/state.c \
	%reldir%/txn.c \
	%reldir%/undo.c \
	%reldir%/update.c \
	$(PKG_SOURCES)
%canon_reldir%_update_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%canon_reldir%_update_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/update.check %reldir%/update.check.xml
