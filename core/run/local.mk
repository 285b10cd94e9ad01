core_libcore_la_SOURCES += \
	%reldir%/boot.c \
	%reldir%/boot.h \
	%reldir%/call.c \
	%reldir%/call.h \
	%reldir%/engine.c \
	%reldir%/engine.h \
	%reldir%/errors.def \
	%reldir%/forecast.c \
	%reldir%/forecast.h \
	%reldir%/hook.c \
	%reldir%/hook.h \
	%reldir%/journal.c \
	%reldir%/journal.h \
	%reldir%/lock.c \
	%reldir%/lock.h \
	%reldir%/record.c \
	%reldir%/record.h \
	%reldir%/run.h \
	%reldir%/signoff.c \
	%reldir%/step.c
