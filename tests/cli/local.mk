# SPDX-License-Identifier: MIT
TESTS += %reldir%/author.sh %reldir%/doc.sh %reldir%/catalog.sh %reldir%/cli.sh %reldir%/clone.sh %reldir%/crowd.sh %reldir%/complete.sh %reldir%/explain.sh %reldir%/install.sh %reldir%/lua.sh %reldir%/package.sh %reldir%/reference.sh %reldir%/risk.sh %reldir%/scan.sh %reldir%/schedule.sh %reldir%/seal.sh %reldir%/stubs.sh %reldir%/tutorial.sh %reldir%/vercmp.sh
EXTRA_DIST += %reldir%/stubs.py %reldir%/rfc5545.py %reldir%/tutorial.py %reldir%/author.sh %reldir%/doc.sh %reldir%/catalog.sh %reldir%/cli.sh %reldir%/clone.sh %reldir%/crowd.sh %reldir%/complete.sh %reldir%/explain.sh %reldir%/install.sh %reldir%/lua.sh %reldir%/package.sh %reldir%/reference.sh %reldir%/risk.sh %reldir%/scan.sh %reldir%/schedule.sh %reldir%/seal.sh %reldir%/stubs.sh %reldir%/tutorial.sh %reldir%/vercmp.sh
OVAL_TESTS = %reldir%/oval.sh %reldir%/oval_expected.sh %reldir%/oval_oscap.sh
TESTS += $(OVAL_TESTS)
EXTRA_DIST += $(OVAL_TESTS) %reldir%/oval_peer.sh %reldir%/../data/oval
EXTRA_DIST += %reldir%/../workflows
TESTS += %reldir%/oval_rpm.sh
EXTRA_DIST += %reldir%/oval_rpm.sh %reldir%/oval_rpm.py
TESTS += %reldir%/pictures.sh
EXTRA_DIST += %reldir%/pictures.sh tests/data/pictures
