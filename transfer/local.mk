# SPDX-License-Identifier: MIT
# Downloads: a program of its own, since only it needs libcurl and nettle.
pkglibexec_PROGRAMS += patchday-transfer
patchday_transfer_SOURCES = \
	%reldir%/digest.c \
	%reldir%/digest.h \
	%reldir%/errors.def \
	%reldir%/job.c \
	%reldir%/job.h \
	%reldir%/part.c \
	%reldir%/pool.c \
	%reldir%/pool.h \
	%reldir%/transfer.c
patchday_transfer_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS) $(NETTLE_CFLAGS)
patchday_transfer_LDADD = core/libcore.la $(CURL_LIBS) $(NETTLE_LIBS)
