# SPDX-License-Identifier: MIT
# Vendors' drivers and firmware.
plugin_LTLIBRARIES += %reldir%/driver.la
%canon_reldir%_driver_la_SOURCES = \
	%reldir%/driver.c %reldir%/driver.h %reldir%/hardware.c \
	%reldir%/installer.c %reldir%/package.c %reldir%/payload.c \
	%reldir%/record.c %reldir%/firmware.c %reldir%/firmware.h \
	%reldir%/flash.c %reldir%/fwupd.c %reldir%/fwupd.h %reldir%/facts.c \
	%reldir%/rows.c %reldir%/state.h %reldir%/sysfs.c %reldir%/disks.c \
	%reldir%/compare.c %reldir%/unpack.c \
	plugins/command/program.c plugins/command/program.h \
	plugins/update/apt.c plugins/update/deb.c plugins/update/deb.h \
	plugins/update/fetch.c plugins/update/source.c plugins/update/state.c \
	plugins/update/txn.c plugins/update/undo.c \
	$(PKG_SOURCES)
%canon_reldir%_driver_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE $(ARCHIVE_CFLAGS) $(SYSTEMD_CFLAGS)
%canon_reldir%_driver_la_LDFLAGS = $(PLUGIN_LDFLAGS)
%canon_reldir%_driver_la_LIBADD = $(ARCHIVE_LIBS) $(SYSTEMD_LIBS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/driver.check
