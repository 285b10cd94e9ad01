#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader dell: a made-up catalog with all that is read of it, and verdicts.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
reader dell
fixtures
catalog=$PD_SRCDIR/tests/data/dell/catalog.xml

# server PRODUCT BIOS [MODALIAS [INVENTORY]]: INVENTORY as "NUMBER VERSION NUMBER VERSION ..."
server()
{
	local inventory={}

	[ $# -lt 4 ] || inventory=$(printf '%s\n' "$4" | xargs -n2 |
		jq -Rnc '{"x-dell-inventory": [[inputs | split(" ") | {(.[0]): .[1]}] | add]}')
	verdicts "$catalog" "$(jq -nc --arg product "$1" --arg bios "$2" --arg alias "${3-}" \
		--argjson inventory "$inventory" '{os: {id: "debian"}, hardware: {vendor: "Dell Inc.",
		product: $product, bios_version: $bios}, devices: [{bus: "pci", address: "0", modalias: $alias}]} + $inventory')"
}

# of ID: its verdict in the answer
of()
{
	sed -n "s/^$1 \([a-z-]*\) .*/\1/p" <<<"$out"
}

nic=pci:v00008086d00001521sv00001028sd00001F60bc02sc00i00
out=$(server "PowerEdge X100" 2.5.10)
is "an older BIOS" "$(of BIOS1)" needed
is "a bundle with one that is needed" "$(of B-1_LIN.7)" needed
is "for Windows" "$(of WIN3)" not-applicable
out=$(server "PowerEdge X100" 2.6.0)
is "the same BIOS" "$(of BIOS1)" installed
out=$(server "PowerEdge X1000" 2.5.0)
is "another model" "$(of BIOS1)" not-applicable
is "and its bundle" "$(of B-1_LIN.7)" not-applicable
# what a system is called, as one catalog or another writes it; on RHEL 8
for system in 'Redhat 8 needed' 'RedHat 8 needed' 'Red_Hat redhat-release-8Server needed' 'RedHat 7 not-applicable' 'SUSE 8 not-applicable' \
	'Somebody 8 unknown'; do
	read -r vendor major wanted <<<"$system"
	sed "s|<ImportantInfo URL=\"https://www.example.com/bios1\"/>|<SupportedOperatingSystems><OperatingSystem osVendor=\"${vendor/_/ }\" majorVersion=\"$major\"/></SupportedOperatingSystems>|" \
		"$catalog" >"$tmp/system.xml"
	out=$(verdicts "$tmp/system.xml" '{"os":{"id":"rhel","version_id":"8.9"},"hardware":{"vendor":"Dell Inc.","product":"PowerEdge X100","bios_version":"1"}}')
	is "for $vendor $major" "$(of BIOS1)" "$wanted"
done
like "which nobody knows is said" "$out" 'BIOS1 unknown what the systems of "Somebody" are called is not known'
out=$(verdicts "$catalog" '{"os":{"id":"debian"},"hardware":{"vendor":"QEMU","product":"X100","bios_version":"9"}}')
is "another vendor" "$(of BIOS1)" not-applicable
out=$(verdicts "$catalog" '{"os":{"id":"debian"}}')
is "no hardware known" "$(of BIOS1)" unknown
like "why" "$out" 'BIOS1 unknown no facts of kind hardware'

out=$(server "PowerEdge X100xd" 1 "$nic")
is "a device whose version nobody knows" "$(of NIC2)" unknown
like "why that" "$out" 'NIC2 unknown no facts of kind x-dell-inventory were collected'
out=$(server "PowerEdge X100xd" 1 "$nic" "101 16.5.3")
is "an older device" "$(of NIC2)" needed
out=$(server "PowerEdge X100xd" 1 "$nic" "101 16.5.20")
is "a device that has it" "$(of NIC2)" installed
out=$(server "PowerEdge X100xd" 1 "$nic" "101 16.5.20 102 15")
is "one that has it, and an older one" "$(of NIC2)" needed
out=$(server "PowerEdge X100xd" 1 pci:v00008086d00001521sv00001028sd00001F61bc02sc00i00 "101 1")
is "another subsystem" "$(of NIC2)" not-applicable
out=$(server "PowerEdge X100xd" 1 pci:v00008086d00001522sv00001234sd00001F61bc02sc00i00 "101 1")
is "any subsystem" "$(of NIC2)" needed
out=$(server "PowerEdge X100xd" 1 "" "102 16.4")
is "a device without ids on a bus, by its number" "$(of NIC2)" needed
out=$(parts <(printf '<Other/>'))
like "another document is refused" "$out" 'starts with <Other>, not with'
end
