# SPDX-License-Identifier: MIT
# Debian's packages; see doc/installing.md.
EXTRA_DIST += %reldir%/changelog %reldir%/control %reldir%/copyright %reldir%/patchday-dev.install %reldir%/patchday.dirs \
	%reldir%/patchday.docs %reldir%/patchday.install %reldir%/patchday.lintian-overrides %reldir%/patchday.postrm %reldir%/patchday.prerm %reldir%/rules \
	%reldir%/source/format %reldir%/source/options
