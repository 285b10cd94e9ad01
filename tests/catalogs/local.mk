TESTS += %reldir%/freeze.sh %reldir%/sync.sh
EXTRA_DIST += %reldir%/freeze.sh %reldir%/sync.sh
