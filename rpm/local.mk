# SPDX-License-Identifier: MIT
# The rpm packages: `rpmbuild -ta` finds the description in the tarball.
EXTRA_DIST += %reldir%/patchday.spec
