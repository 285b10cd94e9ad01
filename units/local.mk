# SPDX-License-Identifier: MIT
# What systemd starts.
unitdir = $(systemdsystemunitdir)
dist_unit_DATA = %reldir%/patchday-sync.timer
nodist_unit_DATA = %reldir%/patchday-sync.service
EXTRA_DIST += %reldir%/patchday-sync.service.in
CLEANFILES += %reldir%/patchday-sync.service
%reldir%/patchday-sync.service: %reldir%/patchday-sync.service.in Makefile
	$(MKDIR_P) %reldir%
	sed 's|[@]bindir[@]|$(bindir)|' $(srcdir)/%reldir%/patchday-sync.service.in >$@
