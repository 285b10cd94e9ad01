# SPDX-License-Identifier: MIT
# The header of each released minor, and what the tests build with them.
TESTS += tests/cli/abi.sh
EXTRA_DIST += tests/cli/abi.sh %reldir%/1.0/plugin.h %reldir%/1.1/plugin.h %reldir%/1.2/plugin.h %reldir%/plugin.c
