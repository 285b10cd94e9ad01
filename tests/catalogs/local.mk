TESTS += %reldir%/approve.sh %reldir%/fetch.sh %reldir%/freeze.sh %reldir%/repository.sh %reldir%/sync.sh
EXTRA_DIST += %reldir%/approve.sh %reldir%/fetch.sh %reldir%/freeze.sh %reldir%/repository.sh %reldir%/sync.sh
# Catalogs of vendors, which are not part of patchday, and what others say of them.
TESTS += %reldir%/updateinfo.sh %reldir%/xmldsig-shared.sh
EXTRA_DIST += %reldir%/updateinfo.sh %reldir%/xmldsig-shared.sh
