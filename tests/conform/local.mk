TESTS += %reldir%/check.sh
EXTRA_DIST += %reldir%/check.sh %reldir%/try.c
