# SPDX-License-Identifier: MIT
TESTS += %reldir%/floors.sh %reldir%/lint.sh %reldir%/tidy.sh
EXTRA_DIST += .clang-tidy %reldir%/floors.sh %reldir%/lint.sh %reldir%/tidy.sh %reldir%/tap.sh %reldir%/timed.sh
