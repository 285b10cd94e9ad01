# SPDX-License-Identifier: MIT
# The conformance kit for plugins: a program of its own, over the clones of
# rehearse/.
pkglibexec_PROGRAMS += patchday-conform
patchday_conform_SOURCES = \
	%reldir%/agent.c \
	%reldir%/carry.c \
	%reldir%/carry.h \
	%reldir%/conform.c \
	%reldir%/formats.c \
	%reldir%/lens.c \
	%reldir%/lens.h \
	%reldir%/place.c \
	%reldir%/place.h \
	%reldir%/plugin.c \
	%reldir%/rules.c \
	%reldir%/rules.h \
	%reldir%/sample.c \
	%reldir%/sample.h \
	%reldir%/still.c \
	%reldir%/still.h \
	%reldir%/stream.c \
	%reldir%/stream.h \
	%reldir%/transports.c \
	%reldir%/trial.c \
	%reldir%/trial.h \
	%reldir%/verdict.c
patchday_conform_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/rehearse
patchday_conform_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
patchday_conform_LDADD = rehearse/libclone.la
