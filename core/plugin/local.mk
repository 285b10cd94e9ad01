# SPDX-License-Identifier: MIT
core_libcore_la_SOURCES += \
	%reldir%/arguments.c \
	%reldir%/arguments.h \
	%reldir%/blot.c \
	%reldir%/blot.h \
	%reldir%/child.c \
	%reldir%/child.h \
	%reldir%/cut.c \
	%reldir%/cut.h \
	%reldir%/describe.c \
	%reldir%/descriptor.c \
	%reldir%/emit.c \
	%reldir%/split.c \
	%reldir%/errors.def \
	%reldir%/exec.c \
	%reldir%/host.c \
	%reldir%/inbox.c \
	%reldir%/module.c \
	%reldir%/reap.c \
	%reldir%/registry.c \
	%reldir%/registry.h \
	%reldir%/secret.c \
	%reldir%/secret.h \
	%reldir%/selection.c \
	%reldir%/spawner.c \
	%reldir%/spawner.h \
	%reldir%/wire.c \
	%reldir%/wire.h \
	%reldir%/worker.c \
	%reldir%/worker.h
