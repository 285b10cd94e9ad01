#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader lvfs: made-up metadata with all that is read of it, and verdicts.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
reader lvfs
fixtures
catalog=$PD_SRCDIR/tests/data/lvfs/catalog.xml
bios=55555555-2222-4333-8444-eeeeeeeeeeee
dock=22222222-2222-4333-8444-bbbbbbbbbbbb

# server ID VERSION...
server()
{
	verdicts "$catalog" "$(printf '%s\n' "$@" | xargs -n2 | jq -Rnc '{firmware: [inputs | split(" ") |
		{id: .[0], version: .[1], vendor_id: "USB:0x17EF", branch: (if .[0] | test("^[12]") then "oem" else "" end)}], packages: [{name: "fwupd", version: "1.9.5-1", scheme: "deb"}],
		"x-fwupd-id": [{name: "org.example.other", version: "3.1"}], "x-fwupd-hardware": [{id: "bbbbbbbb-1111-4111-8111-111111111111"}]}')"
}

of()
{
	sed -n "s|^com.example.$1 \([a-z-]*\) .*|\1|p" <<<"$out"
}

out=$(server $bios 0.1.2)
is "an older version" "$(of Server.bios/0.1.4)" needed
is "the one that it replaces" "$(of Server.bios/0.1.3)" superseded
is "a device that is not there" "$(of Server.me/11.8)" not-applicable
out=$(server $bios 0.1.3)
is "the version between" "$(of Server.bios/0.1.3)" installed
is "and the newer one" "$(of Server.bios/0.1.4)" needed
out=$(server $bios 0.1.10)
is "a newer version" "$(of Server.bios/0.1.4)" installed
out=$(server $dock 1.1.0 44444444-2222-4333-8444-dddddddddddd 1.0)
is "all that it requires" "$(of Dock.firmware/oem/1.2.0)" needed
is "another component of the same device" "$(of Dock.old/oem/1.1.5)" not-applicable
out=$(server $dock 1.0.0 44444444-2222-4333-8444-dddddddddddd 1.0)
is "too old for it" "$(of Dock.firmware/oem/1.2.0)" not-applicable
out=$(server $dock 1.1.0 44444444-2222-4333-8444-dddddddddddd 2.0)
is "not with that other device" "$(of Dock.firmware/oem/1.2.0)" not-applicable
out=$(server 11111111-2222-4333-8444-aaaaaaaaaaaa 1.1.2 44444444-2222-4333-8444-dddddddddddd 1.0)
is "the highest of several components" "$(of Dock.firmware/oem/1.2.0)" needed
is "replaces the other one" "$(of Dock.old/oem/1.1.5)" superseded
out=$(verdicts "$catalog" '{"firmware":[{"id":"'$dock'","version":"1.1.0"}]}')
is "what can't be asked" "$(of Dock.firmware/oem/1.2.0)" not-applicable
out=$(verdicts "$catalog" '{"os":{"id":"debian"}}')
is "no firmware known" "$(of Server.bios/0.1.4)" unknown
like "why" "$out" 'no facts of kind firmware were collected'

# ---- several devices of one GUID, vendors, requirements; releases of an old line
ssd=11111111-1111-1111-1111-111111111111
other=22222222-2222-2222-2222-222222222222
# component ID REQUIRES RELEASE...
component()
{
	printf '<component type="firmware"><id>%s</id><provides><firmware type="flashed">%s</firmware></provides><requires>%s</requires><releases>' \
		"$1" "$ssd" "$2"
	printf '<release version="%s" timestamp="%s"/>' "${@:3}"
	echo '</releases></component>'
}
one() { printf '<components>%s</components>\n' "$(component ssd "$1" 2.0 1600000000)" >"$tmp/one.xml"; }
# ssds VERSION:VENDOR...: the verdict for a server with these, and another device of version 1.5
ssds()
{
	verdicts "$tmp/one.xml" "$(printf '%s\n' "$@" | jq -Rnc --arg id $ssd --arg other $other '{firmware: [({id: $other, version: "1.5"}),
		(inputs | split(":") | {id: $id, version: .[0]} + if .[1] then {vendor_id: (.[1:] | join(":"))} else {} end)],
		"x-fwupd-hardware": [{id: "aaaaaaaa-1111-4111-8111-111111111111"}]}')" | cut -d' ' -f2-
}
one ""
like "two equal devices, of which one is old" "$(ssds 1.0 2.0)" '^needed '
like "in any order" "$(ssds 2.1 1.9)" '^needed '
like "both are new" "$(ssds 2.0 2.1)" '^installed '
one '<firmware compare="ge" version="1.5"/>'
like "one is new, and the old one too old for it" "$(ssds 1.0 2.0)" '^not-applicable '
like "one of them is not too old" "$(ssds 1.0 1.6)" '^needed '
one '<firmware compare="regex" version="USB:0x046D|HIDRAW:0x046D">vendor-id</firmware>'
like "the vendor" "$(ssds 1.0:USB:0x046D)" '^needed '
like "the other one of its ids" "$(ssds '1.0:PCI:0x1|HIDRAW:0x046D')" '^needed '
like "another vendor" "$(ssds 1.0:USB:0x17EF)" '^not-applicable '
like "which has a newer one with the same GUID" "$(ssds 3.0:USB:0x17EF)" '^not-applicable '
like "the old one is another vendor's" "$(ssds 1.0:USB:0x17EF 2.0:USB:0x046D)" '^installed '
like "a vendor that is not known" "$(ssds 1.0)" '^unknown firmware.vendor_id is not known'
one '<firmware compare="eq" version="USB:0x046D">vendor-id</firmware>'
like "a pattern, whatever is said" "$(ssds '1.0:USB:0x046D|PCI:0x1')" '^needed '
while IFS=: read -r require what; do
	one "$require"
	is "what only fwupd knows: $what" "$(ssds 1.0)" "unknown it requires $what, which only fwupd can tell"
done <<END
<firmware compare="ge" version="5.0" depth="1"/>:firmware ge 5.0 of what the device is a part of
<firmware depth="-1">$other</firmware>:firmware $other of a part of the device
<firmware compare="ge" version="0.5">bootloader</firmware>:firmware bootloader ge 0.5
<firmware>not-child</firmware>:firmware not-child
END
one "<firmware>33333333-3333-3333-3333-333333333333|$other</firmware>"
like "one of two other devices" "$(ssds 1.0)" '^needed '
one "<firmware compare=\"gt\" version=\"1.5\">$other</firmware>"
like "of another version" "$(ssds 1.0)" '^not-applicable '
one '<firmware>33333333-3333-3333-3333-333333333333</firmware>'
like "which is not there" "$(ssds 1.0)" '^not-applicable '
one '<hardware>AAAAAAAA-1111-4111-8111-111111111111</hardware>'
like "this machine" "$(ssds 1.0)" '^needed '
one '<not_hardware>bbbbbbbb-1111-4111-8111-111111111111|AAAAAAAA-1111-4111-8111-111111111111</not_hardware>'
like "not this machine" "$(ssds 1.0)" '^not-applicable '
one '<not_hardware>bbbbbbbb-1111-4111-8111-111111111111</not_hardware>'
like "not another one" "$(ssds 1.0)" '^needed '

# ---- the branch of the firmware, and what can't be updated now
# disk FIELDS...: the verdict for a server with disks of version 1.0 that have these fields
disk() { verdicts "$tmp/one.xml" "$(printf '%s\n' "$@" | jq -nc --arg id $ssd '{firmware: [inputs | {id: $id, name: "Disk", version: "1.0"} + .]}')" | cut -d' ' -f2-; }
one ""
like "facts of old, without branches" "$(disk '{}')" '^needed '
like "a device of the vendor's own branch" "$(disk '{"branch": ""}')" '^needed '
like "of another branch" "$(disk '{"branch": "coreboot"}')" '^not-applicable '
like "of that in a newer version" "$(disk '{"branch": "coreboot", "version": "3.0"}')" '^not-applicable '
like "one of either" "$(disk '{"branch": "coreboot", "version": "3.0"}' '{"branch": ""}')" '^needed '
is "a device that fwupd can't update now" "$(disk '{"updatable": false}')" "not-applicable its rules exclude this server: Disk is not updatable"
like "one of two" "$(disk '{"updatable": false}' '{"updatable": true}')" '^needed its rules fit this server: Disk 1.0 is older than 2.0'
like "it has the newest" "$(disk '{"updatable": false, "version": "2.0"}')" '^installed '
sed -i 's|<provides>|<branch>coreboot</branch>&|' "$tmp/one.xml"
like "firmware of a branch" "$(disk '{"branch": "coreboot"}')" '^needed '
like "is not for a device of the vendor's own" "$(disk '{"branch": ""}')" '^not-applicable '
is "and without knowing the device's" "$(disk '{}')" "unknown firmware.branch is not known"

printf '<components>%s%s</components>' "$(component bios "" 1.2.5 1700000000 2.0.0 1600000000)" "$(component same "" 2.0.0 1650000000)" >"$tmp/one.xml"
out=$(verdicts "$tmp/one.xml" '{"firmware":[{"id":"'$ssd'","version":"1.0"}]}')
like "the highest version is the newest" "$out" '^same/2.0.0 needed '
like "not a release of an old line that came later" "$out" '^bios/1.2.5 superseded '
like "of one version it is the later one" "$out" '^bios/2.0.0 superseded replaced by same/2.0.0'
# ---- what is for one vendor's device does not replace what is for another's
vendor() { printf '<firmware compare="regex" version="%s">vendor-id</firmware>' "$1"; }
replaces() { parts "$tmp/one.xml" | jq -r 'select(.id) | "\(.id)>\([.relations[]? | select(.kind == "supersedes").target] | join(","))"' | sort | paste -sd' '; }
printf '<components>%s%s</components>' "$(component acme "$(vendor USB:0x1)" 3.0 9 1.0 8)" "$(component other "$(vendor USB:0x2)" 3.1 9 2.0 8)" >"$tmp/one.xml"
is "each vendor has its own line" "$(replaces)" "acme/1.0> acme/3.0>acme/1.0 other/2.0> other/3.1>other/2.0"
is "a server with a device of each" "$(ssds 0.5:USB:0x1 0.5:USB:0x2 | cut -d' ' -f1 | paste -sd' ')" "needed superseded needed superseded"
is "with one vendor's alone" "$(ssds 0.5:USB:0x1 | cut -d' ' -f1 | paste -sd' ')" "needed superseded not-applicable not-applicable"
printf '<components>%s%s%s%s</components>' "$(component acme "$(vendor USB:0x1)" 3.0 9 1.0 8)" "$(component both "$(vendor 'USB:0x2|USB:0x1')" 2.0 9)" \
	"$(component any "" 4.0 9 0.5 8)" "$(component third "$(vendor 'USB:0x11|(USB:0x2)')" 1.5 8)" >"$tmp/one.xml"
is "what is for all devices of another, and newer, replaces it" "$(replaces)" \
	"acme/1.0>any/0.5 acme/3.0>acme/1.0 any/0.5> any/4.0>any/0.5,acme/3.0,third/1.5,both/2.0 both/2.0>any/0.5,acme/1.0 third/1.5>any/0.5"
printf '<components>%s%s</components>' "$(component acme "$(vendor USB:0x1)" 3.0 9)" "$(component both "$(vendor 'USB:0x2|USB:0x1')" 2.0 9)" >"$tmp/one.xml"
is "what is newer for one of two devices hides nothing from the other" "$(ssds 0.5:USB:0x1 0.5:USB:0x2 | cut -d' ' -f1 | paste -sd' ')" "needed needed"
# ---- the core compares versions, by the format of the component
for format in plain pair; do
	sed "s|<requires></requires>|<custom><value key=\"LVFS::VersionFormat\">$format</value></custom>|" >"$tmp/one.xml" \
		<<<"<components>$(component x "" 65537 1 2.0 2 1.9 9 "1 beta" 10)</components>"
	is "a number of the format $format, and what is no version" "$(replaces)" "$([ $format = pair ] &&
		echo "x/1 beta> x/1.9>x/65537 x/2.0>x/1.9 x/65537>" || echo "x/1 beta> x/1.9> x/2.0>x/1.9 x/65537>x/2.0")"
done

sed 's|<requires></requires>|<custom><value key="LVFS::VersionFormat">plain</value></custom>|' <<<"<components>$(component x "" 1.10 2 1.8 1)</components>" >"$tmp/one.xml"
is "plain versions are compared by their characters" "$(replaces)" "x/1.10> x/1.8>x/1.10"
is "also with the device's" "$(ssds 1.9 | cut -d' ' -f1 | paste -sd' ')" "installed installed"

# a file of one component alone, as it lies in an archive
cat >"$tmp/alone.xml" <<END
<?xml version="1.0" encoding="UTF-8"?>
<!-- Copyright -->
<component type="firmware"><id>com.example.Alone</id><provides><firmware type="flashed">$bios</firmware></provides>
  <releases><release version="0.1.4" date="2026-01-02"/><release version="0.1.3" date="2026-01-01"/></releases></component>
END
out=$(verdicts "$tmp/alone.xml" '{"firmware":[{"id":"'$bios'","version":"0.1.2"}]}')
is "a component alone" "$(of Alone/0.1.4) $(of Alone/0.1.3)" "needed superseded"
out=$(parts <(printf '<Other/>'))
like "another document is refused" "$out" 'starts with <Other>, not with'
end
