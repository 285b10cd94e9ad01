# SPDX-License-Identifier: MIT
core_libcore_la_SOURCES += \
	%reldir%/answers.c \
	%reldir%/errors.def \
	%reldir%/lua_json.c \
	%reldir%/lua_json.h \
	%reldir%/lua_patchday.c \
	%reldir%/lua_server.c \
	%reldir%/plan.c \
	%reldir%/plan.h \
	%reldir%/sandbox.c \
	%reldir%/sandbox.h \
	%reldir%/validate.c \
	%reldir%/workflow.c
