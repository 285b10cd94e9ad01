core_libcore_la_SOURCES += \
	%reldir%/catalog.h \
	%reldir%/errors.def \
	%reldir%/judge.c \
	%reldir%/model.c \
	%reldir%/model.h \
	%reldir%/read.c \
	%reldir%/rules.c \
	%reldir%/unpack.c \
	%reldir%/version.c \
	%reldir%/version_alpine.c \
	%reldir%/version_firmware.c
