# SPDX-License-Identifier: MIT
TESTS += %reldir%/check.sh %reldir%/own.sh
EXTRA_DIST += %reldir%/check.sh %reldir%/own.sh %reldir%/untried %reldir%/untried.sh %reldir%/try.c %reldir%/try-formats.c %reldir%/try-transport.c
