# SPDX-License-Identifier: MIT
# Source that plugins share; each is built with its own copy.
TREE_SOURCES = %reldir%/tree.c %reldir%/tree.h
PKG_SOURCES = %reldir%/etc.c %reldir%/pkg.c %reldir%/pkg.h
HOLD_SOURCES = %reldir%/units.c %reldir%/jobs.c %reldir%/hold.c %reldir%/stop.c %reldir%/units.h
CUPS_SOURCES = %reldir%/cups.c %reldir%/cups.h
DEVICE_SOURCES = %reldir%/device.c %reldir%/device.h
VOLUME_SOURCES = %reldir%/volume.c %reldir%/volume.h
STORE_SOURCES = %reldir%/store.c %reldir%/store.h
PROCESS_SOURCES = %reldir%/process.c %reldir%/process.h
NUT_SOURCES = %reldir%/nut.c %reldir%/nut.h %reldir%/clone.h
FILES_SOURCES = %reldir%/files.c %reldir%/files.h plugins/shares/saved.c plugins/shares/saved.h \
	plugins/shares/steps.c plugins/shares/steps.h plugins/shares/units.c plugins/shares/units.h $(STORE_SOURCES)
PROBE_SOURCES = plugins/probe/attempt.c plugins/probe/probe.h
