# SPDX-License-Identifier: MIT
# The plugin notify.
plugin_LTLIBRARIES += %reldir%/notify.la
%canon_reldir%_notify_la_SOURCES = %reldir%/notify.c %reldir%/mail.c %reldir%/encode.c %reldir%/webhook.c \
	%reldir%/wall.c %reldir%/desktop.c %reldir%/desktops.c %reldir%/notify.h %reldir%/desktops.h
%canon_reldir%_notify_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(SYSTEMD_CFLAGS)
%canon_reldir%_notify_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_notify_la_LIBADD = $(SYSTEMD_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/notify.check
