# SPDX-License-Identifier: MIT
core_libcore_la_SOURCES += \
	%reldir%/diff.c \
	%reldir%/errors.def \
	%reldir%/facts.c \
	%reldir%/facts.h \
	%reldir%/index.c \
	%reldir%/kinds.c \
	%reldir%/rows.c \
	%reldir%/scan.c
