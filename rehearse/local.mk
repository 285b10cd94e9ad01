# SPDX-License-Identifier: MIT
# Rehearsal and crash drill: programs of their own, which `patchday` finds in
# the libexec folder.  They share the core's objects and nothing the other way.
noinst_LTLIBRARIES += %reldir%/libclone.la
%canon_reldir%_libclone_la_SOURCES = \
	%reldir%/attributes.c \
	%reldir%/clone.c \
	%reldir%/clone.h \
	%reldir%/devices.c \
	%reldir%/enter.c \
	%reldir%/errors.def \
	%reldir%/files.c \
	%reldir%/follow.c \
	%reldir%/inside.c \
	%reldir%/look.c \
	%reldir%/look.h \
	%reldir%/mounts.c \
	%reldir%/out.c \
	%reldir%/out.h \
	%reldir%/packages.c \
	%reldir%/session.c \
	%reldir%/session.h \
	%reldir%/sources.c
%canon_reldir%_libclone_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_libclone_la_LIBADD = core/libcore.la
pkglibexec_PROGRAMS += patchday-rehearse
patchday_rehearse_SOURCES = %reldir%/rehearse.c %reldir%/report.c %reldir%/report.h
patchday_rehearse_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
patchday_rehearse_LDADD = %reldir%/libclone.la
pkglibexec_PROGRAMS += patchday-drill
patchday_drill_SOURCES = %reldir%/drill.c %reldir%/drill.h %reldir%/fault.c %reldir%/jobs.c %reldir%/jobs.h \
	%reldir%/points.c %reldir%/points.h %reldir%/scene.c %reldir%/state.c
patchday_drill_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
patchday_drill_LDADD = %reldir%/libclone.la
