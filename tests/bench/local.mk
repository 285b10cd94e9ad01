# SPDX-License-Identifier: MIT
# Figures as ratios to a peer measured in the same run: `make bench`.
# patchday as it is built, but with its Lua from the source tree and without
# the plugins that an installed copy may have.
check_PROGRAMS += %reldir%/patchday %reldir%/append
%canon_reldir%_patchday_SOURCES = core/cli/main.c
%canon_reldir%_patchday_CPPFLAGS = -I$(top_srcdir)/core -I$(top_srcdir)/core/include \
	-DPD_PLUGIN_DIR='"/nonexistent"' -DPD_SCRIPT_DIR='"$(abs_top_srcdir)/scripts"' \
	-DPD_CATALOG_DIR='"$(abs_top_srcdir)/catalogs"' -DPD_PROGRAM_DIR='"/nonexistent"'
%canon_reldir%_patchday_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
%canon_reldir%_patchday_LDADD = core/libcore.la
%canon_reldir%_append_SOURCES = %reldir%/append.c
EXTRA_DIST += %reldir%/bench.sh %reldir%/generate.awk %reldir%/oval.sh %reldir%/rpmdb.py \
	%reldir%/updateinfo.sh %reldir%/wsus.sh
bench: all check-build
	for part in bench wsus oval updateinfo; do \
		PD_BUILDDIR='$(abs_top_builddir)' PD_SRCDIR='$(abs_top_srcdir)' $(srcdir)/%reldir%/$$part.sh || exit 1; \
	done
.PHONY: bench
