core_libcore_la_SOURCES += \
	%reldir%/ask.c \
	%reldir%/cli.h \
	%reldir%/cmd_about.c \
	%reldir%/cmd_plan.c \
	%reldir%/cmd_run.c \
	%reldir%/cmd_scan.c \
	%reldir%/cmd_status.c \
	%reldir%/commands.h \
	%reldir%/errors.def \
	%reldir%/options.c \
	%reldir%/view.c
bin_PROGRAMS += patchday
patchday_SOURCES = %reldir%/main.c
patchday_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
patchday_LDADD = core/libcore.la
