TESTS += %reldir%/floors.sh %reldir%/lint.sh
EXTRA_DIST += %reldir%/floors.sh %reldir%/lint.sh %reldir%/tap.sh
