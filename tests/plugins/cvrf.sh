#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader cvrf: made-up documents of each kind, and verdicts by their packages.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
reader cvrf
fixtures

# server ID VERSION_ID PACKAGE VERSION
server()
{
	printf '{"os":{"id":"%s","version_id":"%s","family":"rpm"},"packages":[{"name":"%s","version":"%s","arch":"x86_64","scheme":"rpm"}]}' \
		"$@" >"$tmp/facts.json"
}
# verdict TEXT FILE ID WANTED, WANTED is "VERDICT: REASON"
verdict()
{
	is "$1" "$("$PD_BUILDDIR/patchday" scan --plugin-dir "$tmp/plugins" --catalog "$PD_SRCDIR/tests/data/cvrf/$2" \
		--facts "$tmp/facts.json" --all --json 2>&1 | jq -r --arg id "$3" 'select(.id == $id) | "\(.verdict): \(.reason)"')" "$4"
}
server sles 12.3 foo 1.1-9
verdict "an older package" suse.xml SUSE-SU-2026:0001-1 "needed: its rules fit this server; foo 1.1-9 is installed, 1.2-3.4 is offered"
server sles 12.3 foo 1.2-3.4
verdict "the package itself" suse.xml SUSE-SU-2026:0001-1 "installed: its rules find it installed"
server sles 12.3 other 1.0-1
verdict "none of its packages" suse.xml SUSE-SU-2026:0001-1 "not-applicable: none of its 2 packages is installed"
server sles 12.5 foo 1.1-9
verdict "any service pack with the module" suse.xml SUSE-SU-2026:0001-1 "needed: its rules fit this server; foo 1.1-9 is installed, 1.2-3.4 is offered"
server sles 15.1 foo 1.1-9
verdict "another release, perhaps with the other product" suse.xml SUSE-SU-2026:0001-1 "unknown: no facts of kind x-product were collected"
server sles 12.3 bar 1.0-1.5
verdict "the version for its service pack" differ.xml "SUSE-SU-2026:0002-1: SUSE Linux Enterprise Server 12 SP3" \
	"needed: its rules fit this server; bar 1.0-1.5 is installed, 1.0-2.1 is offered"
server sles 12.2 bar 1.0-1.1
verdict "not the version for another" differ.xml "SUSE-SU-2026:0002-1: SUSE Linux Enterprise Server 12 SP3" \
	"not-applicable: its rules exclude this server"
server openEuler 20.03 bind 9.11.20-1.oe1
verdict "files of packages" files.xml openEuler-SA-2026-1 "needed: its rules fit this server; bind 9.11.20-1.oe1 is installed, 9.11.21-6.oe1 is offered"
server opensuse-leap 15.5 tool 1.2-2
verdict "products that no relationship names" direct.xml EX-2026-7 "needed: its rules fit this server; tool 1.2-2 is installed, 1.2-3 is offered"
server opensuse-leap 15.5 tool-libs 1:1.2-3
verdict "of which another one is there" direct.xml EX-2026-7 "installed: its rules find it installed"
server rhel 9.1 grub 2.0-1
verdict "a source package" redhat.xml EXSA-2026:0435 "unknown: no facts of kind x-source-package were collected"
verdict "another vendor's product" fixes.xml KB5000001 "unknown: no facts of kind x-hotfix were collected"

printf '<cvrfdoc><DocumentTitle>x</DocumentTitle></cvrfdoc>' >"$tmp/file"
like "a document without an id is refused" "$("$PD_BUILDDIR/patchday" catalog check --plugin-dir "$tmp/plugins" "$tmp/file" 2>&1)" \
	'file:1:[0-9]+: the document has no DocumentTracking/Identification/ID'
end
