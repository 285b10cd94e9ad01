# SPDX-License-Identifier: MIT
# The plugin quota.
plugin_LTLIBRARIES += %reldir%/quota.la
%canon_reldir%_quota_la_SOURCES = %reldir%/quota.c
%canon_reldir%_quota_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_quota_la_LDFLAGS = $(PLUGIN_LDFLAGS)
nobase_dist_pkgdata_DATA += %reldir%/README.md
