TESTS += %reldir%/doc.sh %reldir%/catalog.sh %reldir%/cli.sh %reldir%/explain.sh %reldir%/lua.sh %reldir%/scan.sh %reldir%/seal.sh %reldir%/vercmp.sh
EXTRA_DIST += %reldir%/doc.sh %reldir%/catalog.sh %reldir%/cli.sh %reldir%/explain.sh %reldir%/lua.sh %reldir%/scan.sh %reldir%/seal.sh %reldir%/vercmp.sh
