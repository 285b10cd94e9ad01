# SPDX-License-Identifier: MIT
# The plugin snapshot.
plugin_LTLIBRARIES += %reldir%/snapshot.la
%canon_reldir%_snapshot_la_SOURCES = %reldir%/snapshot.c %reldir%/btrfs.c %reldir%/volume.c %reldir%/back.c \
	%reldir%/subvol.c %reldir%/lvm.c %reldir%/merge.c %reldir%/named.c %reldir%/lv.c %reldir%/past.c %reldir%/restore.c %reldir%/prune.c \
	%reldir%/mounts.c %reldir%/past.h %reldir%/btrfs.h %reldir%/lv.h %reldir%/snapshot.h
%canon_reldir%_snapshot_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_snapshot_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/snapshot.check
