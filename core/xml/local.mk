core_libcore_la_SOURCES += \
	%reldir%/errors.def \
	%reldir%/xml.c \
	%reldir%/xml.h
