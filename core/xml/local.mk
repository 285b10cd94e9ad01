# SPDX-License-Identifier: MIT
core_libcore_la_SOURCES += \
	%reldir%/errors.def \
	%reldir%/tape.c \
	%reldir%/tape.h \
	%reldir%/xml.c \
	%reldir%/xml.h
