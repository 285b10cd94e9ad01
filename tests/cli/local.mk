TESTS += %reldir%/explain.sh
EXTRA_DIST += %reldir%/explain.sh
