# SPDX-License-Identifier: MIT
TESTS += %reldir%/approve.sh %reldir%/fetch.sh %reldir%/freeze.sh %reldir%/memory.sh %reldir%/repository.sh %reldir%/requires.sh %reldir%/sync.sh
EXTRA_DIST += %reldir%/approve.sh %reldir%/fetch.sh %reldir%/freeze.sh %reldir%/memory.sh %reldir%/repository.sh %reldir%/requires.sh %reldir%/sync.sh
# Catalogs of vendors, which are not part of patchday, and what others say of them.
TESTS += %reldir%/updateinfo.sh %reldir%/xmldsig-shared.sh
EXTRA_DIST += %reldir%/updateinfo.sh %reldir%/xmldsig-shared.sh
# Packages and repositories made anew in each run, against dnf and zypper.
TESTS += %reldir%/rpm_tools.sh
EXTRA_DIST += %reldir%/rpm_tools.sh %reldir%/rpm_world.py
