#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader mssecure: a made-up catalog with everything the format has.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
reader mssecure
fixtures

# a bundle whose parts can't be judged here is unknown, and says so
cp "$PD_SRCDIR/tests/data/mssecure/catalog.xml" "$tmp/"
echo '{"os":{"id":"debian"},"packages":[{"name":"bash","version":"5","arch":"all","scheme":"deb"}]}' >"$tmp/facts.json"
out=$("$PD_BUILDDIR/patchday" scan --plugin-dir "$tmp/plugins" --catalog "$tmp/catalog.xml" --facts "$tmp/facts.json" --all --json 2>&1)
like "a patch is unknown, by the kind of fact" "$out" '"EX01-001/one\.exe".*no facts of kind x-(windows-product|registry|file) were collected'
like "its bulletin is what its parts are" "$out" '"EX01-001",.*of its parts 0 are needed'
end
