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
verdict "the package itself" suse.xml SUSE-SU-2026:0001-1 "installed: foo 1.2-3.4 is installed"
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
sed -i 's/"version_id"/"name":"openEuler 20.03 (LTS-SP1)",&/' "$tmp/facts.json"
verdict "files of packages" files.xml openEuler-SA-2026-1 "needed: its rules fit this server; bind 9.11.20-1.oe1 is installed, 9.11.21-6.oe1 is offered"
server opensuse-leap 15.5 tool 1.2-2
verdict "products that no relationship names" direct.xml EX-2026-7 "needed: its rules fit this server; tool 1.2-2 is installed, 1.2-3 is offered"
server opensuse-leap 15.5 tool-libs 1:1.2-3
verdict "of which another one is there" direct.xml EX-2026-7 "installed: tool-libs 1:1.2-3 is installed"
server rhel 9.1 grub 2.0-1
verdict "a source package" redhat.xml EXSA-2026:0435 "unknown: no facts of kind x-source-package were collected"
verdict "another vendor's product" fixes.xml KB5000001 "unknown: no facts of kind x-hotfix were collected"


# ---- platforms by their names; for NAME [PACKAGE] writes a document for one of them
for_platform()
{
	cat >"$tmp/file.xml" <<-END
		<cvrfdoc><DocumentTracking><Identification><ID>EX-1</ID></Identification></DocumentTracking><ProductTree>
		<FullProductName ProductID="p">$1</FullProductName><FullProductName ProductID="c">${2-foo-1.2-3.4}</FullProductName>
		<Relationship ProductReference="c" RelatesToProductReference="p"><FullProductName ProductID="p:c">c of p</FullProductName></Relationship>
		</ProductTree></cvrfdoc>
	END
}
scan() { "$PD_BUILDDIR/patchday" scan --plugin-dir "$tmp/plugins" --catalog "$tmp/file.xml" "$@" --all --json 2>&1 | jq -r '"\(.verdict): \(.reason)"'; }
# each line: a platform, and the system that it is
wrong=
while IFS=: read -r platform id versions; do
	for_platform "$platform"
	for version in $versions; do
		server "$id" "$version" foo 1.1-1
		[[ $(scan --facts "$tmp/facts.json") = needed:* ]] || wrong+="$platform is $id $version; "
	done
	server "$id" 15.9 foo 1.1-1
	[[ $(scan --facts "$tmp/facts.json") = not-applicable:* ]] || wrong+="$platform is not $id 15.9; "
done <<'END'
SUSE Linux Enterprise Server 12:sles:12
SUSE Linux Enterprise Server 12-LTSS:sles:12
SUSE Linux Enterprise Server 12 SP5-LTSS:sles:12.5
SUSE Linux Enterprise Server 12 SP5-LTSS Extended Security:sles:12.5
SUSE Linux Enterprise Server 11-SECURITY:sles:11 11.4
SUSE Linux Enterprise Server 11 SP1 for VMware LTSS:sles:11.1
SUSE Linux Enterprise Server 10 SP3 LTSS:sles:10.3
SUSE Linux Enterprise Server for SAP Applications 15 SP4:sles_sap:15.4
SUSE Linux Enterprise Server 16.0:sles:16.0
SUSE Linux Enterprise High Performance Computing 15 SP4-ESPOS:sle_hpc:15.4
SUSE Linux Enterprise High Performance Computing 15-LTSS:sle_hpc:15
SUSE Linux Enterprise Real Time 15 SP4:sle_rt:15.4
SUSE Real Time Module 15 SP4:sle_rt:15.4
SUSE Linux Enterprise Module for Python 2 15 SP1:sles:15.1
SUSE Linux Enterprise Module for Python 3 15 SP4:sles:15.4
SUSE Linux Enterprise Module for Python2 15 SP3:sles:15.3
SUSE Linux Enterprise Module for Web and Scripting 15 SP4:sles:15.4
SUSE Linux Enterprise Module for Basesystem 15:sles:15
SUSE Linux Enterprise Module for Public Cloud 12:sles:12 12.5
SUSE Linux Enterprise Module for Legacy Software 12:sles:12.4
SUSE Linux Enterprise Module for Advanced Systems Management 12:sles:12.1
SUSE Linux Enterprise Live Patching 12 SP4:sles:12.4
SUSE Linux Enterprise Live Patching 12:sles:12.3
SUSE Linux Enterprise Module for Live Patching 15 SP1:sles:15.1
SUSE Package Hub 15 SP5:sles:15.5
SUSE Package Hub for SUSE Linux Enterprise 12:sles:12.5
SUSE Linux Enterprise Micro 5.5:sle-micro:5.5
SUSE Linux Enterprise Micro for Rancher 5.2:sle-micro-rancher:5.2
SUSE Linux Micro 6.1:sl-micro:6.1
openSUSE Leap 15.4:opensuse-leap:15.4
openSUSE Leap 42.3:opensuse:42.3
openSUSE Leap 15.1 NonFree:opensuse-leap:15.1
openSUSE Leap Micro 5.3:opensuse-leap-micro:5.3
openSUSE Backports SLE-15-SP1:sles:15.1
openSUSE Backports SLE-15-SP4:opensuse-leap:15.4
openSUSE 13.2:opensuse:13.2
END
empty "each product of SUSE's is for its system" "$wrong"
for_platform "openSUSE Tumbleweed"
server opensuse-tumbleweed 20260301 foo 1.1-1
like "one that has no versions" "$(scan --facts "$tmp/facts.json")" '^needed: '
# what has a version of its own, beside one that is known
other_product()
{
	sed -i 's|</ProductTree>|<FullProductName ProductID="q">SUSE Linux Enterprise Server 11 SP4</FullProductName><Relationship ProductReference="c" RelatesToProductReference="q"><FullProductName ProductID="q:c">c of q</FullProductName></Relationship></ProductTree>|' "$tmp/file.xml"
}
server sles 15.4 foo 1.1-1
for platform in "SUSE Manager Server 4.3" "SUSE Linux Enterprise Module for SUSE Manager Server 4.3" "SUSE Linux Enterprise Storage 7" \
	"SUSE OpenStack Cloud 9"; do
	for_platform "$platform"
	other_product
	is "$platform is no version of the system" "$(scan --facts "$tmp/facts.json")" "unknown: no facts of kind x-product were collected"
done

# ---- releases that begin with letters
server opensuse-leap 15.1 chromium 79.0-lp151.1.1
for release in lp151.2.63.1 bp153.2.1 2.63.1; do
	for_platform "openSUSE Leap 15.1" "chromium-80.0.3987.87-$release"
	is "release $release" "$(scan --facts "$tmp/facts.json")" \
		"needed: its rules fit this server; chromium 79.0-lp151.1.1 is installed, 80.0.3987.87-$release is offered"
done
for name in SLES-12-SP5 foo-1.2-lp openEuler-20.03-LTS-SP1; do
	for_platform "openSUSE Leap 15.1" "$name"
	like "$name is no package" "$("$PD_BUILDDIR/patchday" catalog check --plugin-dir "$tmp/plugins" "$tmp/file.xml" 2>&1)" \
		"\"$name\" is no name of a package with its version"
done

# ---- openEuler: every pack has the same VERSION_ID
packs()
{
	cat <<-END
		<cvrfdoc><DocumentTracking><Identification><ID>EX-1</ID></Identification></DocumentTracking><ProductTree>
		<Branch Type="Package Arch" Name="x86_64">
		<FullProductName ProductID="a" CPE="cpe:/a:openEuler:openEuler:20.03-LTS$1">curl-7.71.1-21.oe1.x86_64.rpm</FullProductName>
		<FullProductName ProductID="b" CPE="cpe:/a:openEuler:openEuler:20.03-LTS-SP3">curl-7.71.1-24.oe1.x86_64.rpm</FullProductName>
		</Branch></ProductTree></cvrfdoc>
	END
}
# pack NAME [RELEASE]: the verdicts for the first one and for SP3
pack()
{
	server openEuler 20.03 curl "7.71.1-${2-21}.oe1"
	jq -c --arg name "$1" '.os += if $name == "" then {} else {name: $name} end' "$tmp/facts.json" >"$tmp/named.json"
	scan --facts "$tmp/named.json" | paste -sd' '
}
packs -SP1 >"$tmp/file.xml"
like "a server with its pack's own fix" "$(pack "openEuler 20.03 (LTS-SP1)")" '^installed: [^:]* not-applicable: '
like "with that of the pack before" "$(pack "openEuler 20.03 (LTS-SP3)")" ' needed: .* 7\.71\.1-24\.oe1 is offered$'
like "with the fix of a newer pack, which the older one's is not for" \
	"$(pack "openEuler 20.03 (LTS-SP3)" 24)" '^not-applicable: its rules exclude this server installed: '
like "of another pack" "$(pack "openEuler 20.03 (LTS-SP10)")" ' not-applicable: '
like "a pack that is not told" "$(pack "")" ' unknown: os.name is not known$'
packs "" >"$tmp/file.xml"
server openEuler 20.03 curl 7.71.1-20.oe1
for name in "openEuler 20.03 (LTS)" "openEuler 20.03 LTS"; do
	jq -c --arg name "$name" '.os.name = $name' "$tmp/facts.json" >"$tmp/named.json"
	like "no pack: $name" "$(scan --facts "$tmp/named.json" | paste -sd' ')" '^needed: .* not-applicable: '
done

# ---- a list of packages names no system
list() { printf '%b' "$@" >"$tmp/list.tsv"; }
listed() { scan --packages "$tmp/list.tsv" --scheme rpm | paste -sd' '; }
for_platform "SUSE Linux Enterprise Server 12 SP3"
list 'foo\t0\t1.1\t9\tx86_64\n'
is "is taken to be from one of the document's" "$(listed)" "needed: its rules fit this server; foo 1.1-9 is installed, 1.2-3.4 is offered"
list 'foo\t0\t1.2\t3.4\tx86_64\n'
like "with the package itself" "$(listed)" '^installed: '
list 'bar\t0\t1.2\t3.4\tx86_64\n'
like "without it" "$(listed)" '^not-applicable: '
cp "$PD_SRCDIR/tests/data/cvrf/differ.xml" "$tmp/file.xml"
list 'bar\t0\t1.0\t0.9\tx86_64\n'
like "older than what any platform has" "$(listed)" '^needed: .* 1\.0-1\.1 is offered needed: .* 1\.0-2\.1 is offered$'
list 'bar\t0\t1.0\t1.5\tx86_64\n'
like "newer than what one has, and older than another's" "$(listed)" \
	'^installed: .* unknown: os.id is not known$'
list 'bar\t0\t1.0\t2.1\tx86_64\n'
like "as the newest of them" "$(listed)" '^installed: .* installed: '
list 'bar\t0\t1.0\t0.1\tx86_64\nbar\t0\t1.0\t1.5\tx86_64\n'
like "of several the newest counts" "$(listed)" '^installed: .* unknown: '

printf '<cvrfdoc><DocumentTitle>x</DocumentTitle></cvrfdoc>' >"$tmp/file"
like "a document without an id is refused" "$("$PD_BUILDDIR/patchday" catalog check --plugin-dir "$tmp/plugins" "$tmp/file" 2>&1)" \
	'file:1:[0-9]+: the document has no DocumentTracking/Identification/ID'
end
