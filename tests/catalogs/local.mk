TESTS += %reldir%/sync.sh
EXTRA_DIST += %reldir%/sync.sh
