TESTS += %reldir%/check.sh %reldir%/own.sh
EXTRA_DIST += %reldir%/check.sh %reldir%/own.sh %reldir%/try.c %reldir%/try-formats.c
