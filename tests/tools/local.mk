# SPDX-License-Identifier: MIT
noinst_PROGRAMS += %reldir%/pd-step %reldir%/pd-still
%canon_reldir%_pd_step_SOURCES = %reldir%/pd-step.c
%canon_reldir%_pd_step_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_pd_step_LDADD = core/libcore.la
%canon_reldir%_pd_still_SOURCES = %reldir%/pd-still.c conform/still.c
%canon_reldir%_pd_still_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/conform
noinst_PROGRAMS += %reldir%/pd-desktop
%canon_reldir%_pd_desktop_SOURCES = %reldir%/pd-desktop.c
%canon_reldir%_pd_desktop_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS)
%canon_reldir%_pd_desktop_LDADD = $(SYSTEMD_LIBS)
