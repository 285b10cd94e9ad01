# SPDX-License-Identifier: MIT
core_libcore_la_SOURCES += \
	%reldir%/errors.def \
	%reldir%/final.c \
	%reldir%/final.h \
	%reldir%/render.c \
	%reldir%/report.c \
	%reldir%/report.h \
	%reldir%/seal.c \
	%reldir%/seal.h \
	%reldir%/verify.c \
	%reldir%/verify.h
