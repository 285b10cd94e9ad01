core_libcore_la_SOURCES += \
	%reldir%/catalog.h \
	%reldir%/elements.c \
	%reldir%/errors.def \
	%reldir%/judge.c \
	%reldir%/model.c \
	%reldir%/model.h \
	%reldir%/native.c \
	%reldir%/native.h \
	%reldir%/read.c \
	%reldir%/rules.c \
	%reldir%/version.c \
	%reldir%/words.c
