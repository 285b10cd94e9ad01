core_libcore_la_SOURCES += \
	%reldir%/boot.c \
	%reldir%/boot.h \
	%reldir%/call.c \
	%reldir%/call.h \
	%reldir%/clear.c \
	%reldir%/engine.c \
	%reldir%/engine.h \
	%reldir%/errors.def \
	%reldir%/fault.c \
	%reldir%/fault.h \
	%reldir%/fold_plan.c \
	%reldir%/heartbeat.c \
	%reldir%/journal.c \
	%reldir%/journal.h \
	%reldir%/lock.c \
	%reldir%/lock.h \
	%reldir%/merge.c \
	%reldir%/noreturn.c \
	%reldir%/record.c \
	%reldir%/record.h \
	%reldir%/record_json.c \
	%reldir%/run.h \
	%reldir%/signoff.c \
	%reldir%/step.c \
	%reldir%/undo.c
