# SPDX-License-Identifier: MIT
# The plugin kernel.
plugin_LTLIBRARIES += %reldir%/kernel.la
%canon_reldir%_kernel_la_SOURCES = %reldir%/kernel.c %reldir%/loader.c %reldir%/grub.c %reldir%/cfg.c %reldir%/sdboot.c \
	%reldir%/package.c %reldir%/running.c %reldir%/kernel.h
%canon_reldir%_kernel_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_kernel_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
EXTRA_DIST += %reldir%/kernel.check
