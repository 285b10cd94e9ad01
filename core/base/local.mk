# SPDX-License-Identifier: MIT
core_libcore_la_SOURCES += \
	%reldir%/apart.c \
	%reldir%/apart.h \
	%reldir%/error.c \
	%reldir%/error.h \
	%reldir%/errors.def \
	%reldir%/file.c \
	%reldir%/file.h \
	%reldir%/json.c \
	%reldir%/json.h \
	%reldir%/mem.c \
	%reldir%/mem.h \
	%reldir%/text.c \
	%reldir%/text.h \
	%reldir%/version.c \
	%reldir%/version.h \
	%reldir%/version_alpine.c \
	%reldir%/version_firmware.c
