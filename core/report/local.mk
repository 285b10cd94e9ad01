core_libcore_la_SOURCES += \
	%reldir%/errors.def \
	%reldir%/report.c \
	%reldir%/report.h
