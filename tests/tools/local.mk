noinst_PROGRAMS += %reldir%/pd-step
%canon_reldir%_pd_step_SOURCES = %reldir%/pd-step.c
%canon_reldir%_pd_step_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_pd_step_LDADD = core/libcore.la
