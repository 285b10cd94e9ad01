TESTS += %reldir%/doc.sh %reldir%/cli.sh %reldir%/explain.sh %reldir%/lua.sh
EXTRA_DIST += %reldir%/doc.sh %reldir%/cli.sh %reldir%/explain.sh %reldir%/lua.sh
