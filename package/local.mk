# SPDX-License-Identifier: MIT
# Packages of workflows: a program of its own, since only it needs libarchive.
# Everything but main() is in a library, so that tests link the same objects.
noinst_LTLIBRARIES += %reldir%/libpackage.la
%canon_reldir%_libpackage_la_SOURCES = \
	%reldir%/box.c \
	%reldir%/box.h \
	%reldir%/errors.def \
	%reldir%/manifest.c \
	%reldir%/manifest.h \
	%reldir%/payload.c \
	%reldir%/payload.h \
	%reldir%/store.c \
	%reldir%/store.h \
	%reldir%/stream.c \
	%reldir%/stream.h \
	%reldir%/tree.c \
	%reldir%/tree.h
%canon_reldir%_libpackage_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(ARCHIVE_CFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_libpackage_la_LIBADD = core/libcore.la $(ARCHIVE_LIBS)
pkglibexec_PROGRAMS += patchday-package
patchday_package_SOURCES = %reldir%/package.c rehearse/out.c rehearse/out.h
patchday_package_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/rehearse
patchday_package_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
patchday_package_LDADD = %reldir%/libpackage.la
