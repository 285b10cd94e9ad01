# SPDX-License-Identifier: MIT
core_libcore_la_SOURCES += \
	%reldir%/approve.c \
	%reldir%/arena.c \
	%reldir%/catalog.h \
	%reldir%/crowd.c \
	%reldir%/errors.def \
	%reldir%/fit.c \
	%reldir%/judge.c \
	%reldir%/links.c \
	%reldir%/model.c \
	%reldir%/model.h \
	%reldir%/parts.c \
	%reldir%/proof.c \
	%reldir%/read.c \
	%reldir%/rules.c \
	%reldir%/store.c \
	%reldir%/unpack.c \
	%reldir%/verdicts.c
