# SPDX-License-Identifier: MIT
core_libcore_la_SOURCES += \
	%reldir%/ask.c \
	%reldir%/cache.c \
	%reldir%/catalog.c \
	%reldir%/cli.h \
	%reldir%/errors.def \
	%reldir%/files.c \
	%reldir%/lua.c \
	%reldir%/paper.c \
	%reldir%/parts.c \
	%reldir%/run.c \
	%reldir%/seal.c \
	%reldir%/server.c \
	%reldir%/system.c
bin_PROGRAMS += patchday
patchday_SOURCES = %reldir%/main.c
patchday_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS) $(LUA_CFLAGS)
patchday_LDADD = core/libcore.la
