# SPDX-License-Identifier: MIT
# What `make check` runs without a lab.  Tests that need real servers are in
# LAB_TESTS: `make check-lab`, as root.
AM_TESTS_ENVIRONMENT = PD_BUILDDIR='$(abs_top_builddir)'; export PD_BUILDDIR; \
	PD_SRCDIR='$(abs_top_srcdir)'; export PD_SRCDIR;
TEST_EXTENSIONS = .sh
LOG_COMPILER = $(top_srcdir)/tests/style/timed.sh
SH_LOG_COMPILER = $(LOG_COMPILER)
LAB_TESTS =
# what takes longest comes first
include %D%/lab/local.mk
include %D%/unit/local.mk
include %D%/modules/local.mk
include %D%/tools/local.mk
include %D%/plans/local.mk
include %D%/run/local.mk
include %D%/cli/local.mk
include %D%/conform/local.mk
include %D%/style/local.mk
include %D%/abi/local.mk
include %D%/plugins/local.mk
include %D%/catalogs/local.mk
include %D%/transfer/local.mk
include %D%/bench/local.mk
include %D%/fuzz/local.mk
LAB_TESTS += $(LAB_LAST)

check-lab: all check-build
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(LAB_TESTS)' TEST_SUITE_LOG=test-suite-lab.log
check-build: $(check_PROGRAMS) $(check_LTLIBRARIES)
# hours: every program of ours under valgrind
check-valgrind: all check-build
	@PD_BUILDDIR='$(abs_top_builddir)' PD_SRCDIR='$(abs_top_srcdir)' $(top_srcdir)/tests/valgrind.sh \
		$(filter-out tests/style/%,$(TESTS))
# twenty minutes: as many runs with patchday killed or the power cut, where check-lab has four
check-kill: all check-build
	PD_KILL_RUNS=20 $(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='%reldir%/lab/kill.sh' TEST_SUITE_LOG=test-suite-kill.log
.PHONY: check-lab check-build check-valgrind check-kill
