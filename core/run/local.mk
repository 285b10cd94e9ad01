core_libcore_la_SOURCES += \
	%reldir%/boot.c \
	%reldir%/boot.h \
	%reldir%/call.c \
	%reldir%/call.h \
	%reldir%/engine.c \
	%reldir%/engine.h \
	%reldir%/errors.def \
	%reldir%/fault.c \
	%reldir%/fault.h \
	%reldir%/journal.c \
	%reldir%/journal.h \
	%reldir%/lock.c \
	%reldir%/lock.h \
	%reldir%/record.c \
	%reldir%/record.h \
	%reldir%/record_json.c \
	%reldir%/run.h \
	%reldir%/signoff.c \
	%reldir%/step.c
