#!/bin/bash
# SPDX-License-Identifier: MIT
# driver.firmware with a real fwupd and its made-up device: the way there and back, a kill in the middle, a boot that is
# needed; driver.state and driver.compare; the whole way from a vendor's catalog to what was installed.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154
. "$(dirname "$0")/common.sh"
# shellcheck source=fwupd.sh
. "$(dirname "$0")/fwupd.sh"
need_fwupd
box_up
source=$box/source
mkdir -m 755 "$source"

flat() { tr '\n' ' ' <<<"$out"; }
fresh() { rm -rf "$work"; mkdir -m 755 "$work"; }
sum() { sha256sum "$1" | cut -d' ' -f1; }
sums() { (cd "$source" && sha256sum -- *.cab >SHA256SUMS); }
# firmware PHASES ARGUMENT...; with the archive $cab
firmware() { local phases=$1; shift; run step driver.firmware "$phases" "file=$cab" "$@"; }

# ---------------------------------------------------------------- nobody on the bus
run scan driver.firmware
like "$rc $(flat)" '^1 .*fwupd is not on this server' "without fwupd nothing is known of firmware"
run patchday facts --json
is "$rc $(jq -r 'has("firmware"), has("hardware")' <<<"$out" | paste -sd' ')" "0 false true" "the kind is missing among the facts, without a word"
cab=$source/1.2.4.cab
touch "$cab"
firmware check "digest=$(sum "$cab")"
like "$out" '"result":"refused".*fwupd is not on this server' "and none is installed"

# one that is installed, and can't be started
printf '[D-BUS Service]\nName=org.freedesktop.fwupd\nExec=/bin/false\nUser=root\n' >"$box/services/org.freedesktop.fwupd.service"
reload
run scan driver.firmware
like "$rc $out" '^1 .*fwupd does not answer GetDevices' "one that does not start says nothing"
firmware check "digest=$(sum "$cab")"
like "$out" '"result":"refused".*fwupd does not answer' "and nothing is installed by it"
run step driver.state check,apply,verify
is $rc 0 "the rest of the hardware is written down all the same"
in_lab sh -c 'mkdir -p /run/systemd && echo lxc >/run/systemd/container'
run scan driver.firmware
like "$rc $out" '^1 .*fwupd is not on this server' "in a container nobody tries to start it"
in_lab rm /run/systemd/container
rm "$box/services/org.freedesktop.fwupd.service"
reload

# ---------------------------------------------------------------- looking
fwupd_up
for version in 1.2.2 1.2.3 1.2.4; do cabinet "$source/$version.cab" $version; done
cabinet "$source/other.cab" 7.0.0 00000000-0000-0000-0000-000000000001
sums
is "$(version)" 1.2.2 "the device has 1.2.2"
run scan driver.firmware
like "$out" "\"id\":\"$made_up\",\"version\":\"1.2.2\",\"version_format\":\"triplet\"" "its firmware is a fact"
like "$out" '"vendor_id":"USB:0x046D"' "with the ids of its vendor"
like "$out" '"branch":"","updatable":true' "its branch, and that it can be updated"
run patchday facts --json
is "$(jq -r '.firmware[].version' <<<"$out")" 1.2.2 "also among those of a plan"
firmware check
like "$out" '"result":"bad-args".*SHA-256 of .* must be given' "an archive without a digest is refused"
firmware check digest=12
like "$out" '"result":"bad-args".*is no SHA-256' "so is a digest that is none"
firmware check "digest=$(sum "$source/1.2.2.cab")"
like "$out" '"result":"refused".*has SHA-256 .*, not' "and another one"
firmware check "digest=$(sum "$cab")" version=1.2.5
like "$out" '"result":"refused".*has version 1.2.4, not 1.2.5' "and another version"
chmod 666 "$cab"
firmware check "digest=$(sum "$cab")"
like "$out" '"result":"refused".*can be written by others' "and a file that others may write"
chmod 644 "$cab"
echo nonsense >"$box/nonsense.cab"
cab=$box/nonsense.cab firmware check "digest=$(sum "$box/nonsense.cab")"
like "$out" '"result":"refused".*fwupd does not take .*nonsense.cab' "and what is no archive"
firmware check "digest=$(sum "$cab")"
like "$out" '"event":"irreversible","why":"there is no package source with version 1.2.2' "without the old archive it is a point of no return"
firmware check source="$source"
is "$rc $(grep -c irreversible <<<"$out")" "0 0" "with it in the package source, whose list has the digests, it is none"
like "$out" '"name":"version","value":"1.2.4"' "the version is known before"
sed -i '/1.2.2.cab/d' "$source/SHA256SUMS"
firmware check source="$source"
like "$out" '"event":"irreversible".*has no archive with version 1.2.2' "an archive that the list does not have leads nowhere"
sums
cab=$source/other.cab firmware check,apply,verify source="$source"
like "$rc $(flat)" '^0 .*is for no device of this server' "an archive for another device does nothing"
cab=$source/other.cab firmware check source="$source" when_missing=fail
like "$out" '"result":"refused".*is for no device' "or refuses the run"
firmware check source="$source" devices=0000
like "$out" '"result":"unchanged"' "nor is a device touched that was not meant"
# by the device's version format, whatever a sort of texts makes of it
cabinet "$box/1.2.010.cab" 1.2.010
cab=$box/1.2.010.cab firmware check "digest=$(sum "$box/1.2.010.cab")"
like "$rc $(flat)" '^0 .*1\.2\.2 -> 1\.2\.010.*"result":"changed"' "ten is more than two, also with a zero before it"
cabinet "$box/1.2.02.cab" 1.2.02
cab=$box/1.2.02.cab firmware check "digest=$(sum "$box/1.2.02.cab")"
like "$rc $(flat)" '^0 .*has 1\.2\.2 already.*"result":"unchanged"' "and two is two"
is "$(version)" 1.2.2 "looking changes nothing"
mkdir -m 755 "$box/still"
for what in "--work $box/still driver.firmware check file=$cab source=$source" "--work $box/still driver.state check" "scan driver.firmware"; do
	# shellcheck disable=SC2086
	out=$(in_lab "$PD_BUILDDIR/tests/tools/pd-still" "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$PD_BUILDDIR/plugins/driver/.libs" $what </dev/null 2>&1)
	is "$? $(grep '^pd-still' <<<"$out")" "0 " "it asks for no change at all: ${what#--work * }"
done
in_lab sh -c 'mkdir -p /run/systemd && echo patchday >/run/systemd/container'
firmware check,apply,verify source="$source"
like "$rc $(flat)" '^0 .*this is a clone.*"result":"unchanged"' "in a clone nothing is written to the server's own devices"
run step driver.install apply,verify "installer=$cab" source="$source" writes_hardware=true
like "$rc $(flat)" '^0 .*this is a clone.*"result":"unchanged"' "nor by a vendor's program"
in_lab rm /run/systemd/container
is "$(version)" 1.2.2 "it has what it had"

# ---------------------------------------------------------------- there and back
fresh
run step driver.state check,apply,verify
is $rc 0 "the hardware is written down"
before=$work/driver.state/hardware.txt
like "$(cat "$before")" "^firmware	$made_up_id	version	1.2.2\$" "with its firmware"
firmware check,apply,verify source="$source"
is "$rc $(version)" "0 1.2.4" "the firmware is installed"
like "$out" '"reboot_required","value":false' "no reboot"
like "$(cat "$work/driver.firmware/firmware-before.txt")" 'version 1\.2\.2' "the evidence before"
like "$(cat "$work/driver.firmware/firmware-after.txt")" 'history: 1\.2\.2 -> 1\.2\.4, success' "and after, with what fwupd has in its history"
firmware check source="$source"
like "$out" '"result":"unchanged"' "a second time there is nothing to do"
run step driver.compare apply,verify "before=$before"
like "$rc $(flat)" '"differences","value":1' "one difference of the hardware"
like "$(cat "$work/driver.compare/differences.txt")" "firmware $made_up_id: version 1.2.2 -> 1.2.4 \(by driver.firmware\)" "which the step explains"
cab=$source/1.2.3.cab firmware check source="$source"
like "$out" '"result":"unchanged"' "an older one is not installed over it"
rm "$source/1.2.2.cab"
firmware undo source="$source"
is "$rc $(version)" "0 1.2.2" "undo brings the old one back, from a copy of its own"
firmware undo source="$source"
like "$out" '"result":"unchanged"' "once"
run step driver.compare apply "before=$before"
like "$out" '"differences","value":0' "then the hardware is as before"
firmware check,apply source="$source"
is "$rc $(version)" "0 1.2.4" "without the old archive it is installed, too"
rm -r "$work/driver.firmware"
fwupd_up
fresh
firmware apply source="$source"
firmware undo source="$source"
like "$rc $(flat)" '^1 .*there was no archive to go back to 1\.2\.2' "and can't be taken back"

# ---------------------------------------------------------------- what goes wrong
cabinet "$source/1.2.2.cab" 1.2.2
sums
fwupd_up WriteSupported=false
fresh
firmware apply source="$source"
like "$rc $(flat)" '^1 .*fwupd does not install the firmware of Integrated Webcam.*supported' "a device that refuses fails the step, in fwupd's words"
firmware undo source="$source"
like "$out" '"result":"unchanged"' "and there is nothing to take back"

fresh
firmware apply source="$source"
fwupd_up
firmware check,apply,verify source="$source"
is "$rc $(version)" "0 1.2.4" "called again when the device takes it, the step comes to its end"
firmware undo source="$source"
is "$rc $(version)" "0 1.2.2" "and back to what there was at the first time"

fwupd_up WriteDelay=3000
fresh
step driver.firmware apply "file=$cab" source="$source" >"$box/killed" 2>&1 &
for ((i = 0; i < 100; i++)); do grep -q '"done":[1-9]' "$box/killed" 2>/dev/null && break; sleep 0.05; done
in_lab pkill -9 -x pd-step
wait $! 2>/dev/null
firmware check,apply,verify source="$source"
is "$rc $(version)" "0 1.2.4" "killed in the middle, it waits until fwupd has done, and comes to the end"
firmware undo source="$source"
is "$rc $(version)" "0 1.2.2" "and back"

fwupd_up NeedsReboot=true
fresh
run step driver.state apply
firmware check,apply,verify source="$source"
like "$rc $(flat)" '"reboot_required","value":true' "a device that takes it at the next boot asks for one"
is "$rc $(version)" "0 1.2.2" "until then it has the old one"
firmware check source="$source"
like "$out" '"result":"unchanged"' "which is not tried again"
run step driver.compare apply "before=$before"
like "$rc $(flat)" '^1 .*the firmware of .* is 1\.2\.2, not 1\.2\.4 as driver\.firmware has installed it' "without the boot the comparison fails"
firmware undo source="$source"
is $rc 0 "what waits for a boot is taken back"

# ---------------------------------------------------------------- from LVFS's metadata to the device
fwupd_up
mkdir -m 755 "$box/vendor"
mv "$source"/1.2.[34].cab "$source/1.2.2.cab" "$box/vendor/"
rm -r "$source"
release()
{
	printf '<release version="%s" timestamp="%s"><artifacts><artifact type="binary"><location>file://%s</location><checksum type="sha256">%s</checksum></artifact></artifacts></release>\n' \
		"$1" "$2" "$box/vendor/$1.cab" "$(sum "$box/vendor/$1.cab")"
}
cat >"$box/lvfs.xml" <<END
<components><component type="firmware"><id>webcam</id><name>Webcam</name><provides><firmware type="flashed">$made_up</firmware></provides>
<requires><firmware compare="regex" version="USB:0x046D|HIDRAW:0x046D">vendor-id</firmware></requires>
<custom><value key="LVFS::VersionFormat">triplet</value></custom>
<releases>$(release 1.2.4 1790000000)$(release 1.2.3 1780000000)$(release 1.2.2 1770000000)</releases></component></components>
END
cat >"$box/flow.lua" <<END
local pd = require "patchday"
local probe = pd.use "probe"
return pd.workflow { api = 1, name = "flow", guards = function() return {} end,
	params = { ends = pd.string { default = "true" }, what = pd.string { default = "needed" } },
	plan = function(t)
		local list = pd.drivers { updates = t.catalog[t.params.what](t.catalog), source = "$source", reboot = false, unexplained = "fail" }
		if not list then return pd.nothing "nothing is needed" end
		return { pd.stage "drivers" { on_failure = "undo", list, probe.command { argv = { "/bin/" .. t.params.ends }, timeout = 1 } } }
	end }
END
run patchday scan --catalog "$box/lvfs.xml"
like "$out" '^needed .* webcam/1\.2\.4 ' "the newest release is needed, by the GUID and the version of the device"
run patchday catalog fetch "$box/lvfs.xml" --id webcam/1.2.4 --id webcam/1.2.2 --to "$source"
is "$rc $(ls "$source" | paste -sd' ')" "0 1.2.2.cab 1.2.4.cab SHA256SUMS" "it is fetched, with the one to go back to"
run patchday run "$box/flow.lua" --catalog "$box/lvfs.xml" --param ends=false
is "$rc $(version)" "1 1.2.2" "a run that fails after it takes the firmware back"
like "$(cat "$box"/state/runs/*/drivers-driver.firmware/firmware-*.txt)" 'version 1\.2\.4' "which had been installed"
run patchday run "$box/flow.lua" --catalog "$box/lvfs.xml"
is "$rc $(version)" "0 1.2.4" "and one that does not has it"
like "$(cat "$box"/state/runs/*/drivers-driver.compare/differences.txt)" '1\.2\.2 -> 1\.2\.4 \(by drivers-driver\.firmware\)' "the difference is explained"
run patchday run "$box/flow.lua" --catalog "$box/lvfs.xml"
like "$rc $out" 'nothing is needed' "then nothing is needed"

in_lab sh -c "mkdir -p /var/lib/fwupd/quirks.d && printf '[$made_up]\nFlags = ~updatable\nBranch = coreboot\n' >/var/lib/fwupd/quirks.d/test.quirk"
fwupd_up
run scan driver.firmware
like "$out" '"branch":"coreboot","updatable":false' "a device of another branch that can't be updated now"
verdict() { patchday scan --catalog "$1" --json 2>/dev/null | jq -r --arg id "$2" 'select(.id == $id) | .verdict + " " + .reason'; }
like "$(verdict "$box/lvfs.xml" webcam/1.2.4)" '^not-applicable ' "needs nothing"
sed 's|<provides>|<branch>coreboot</branch>&|' "$box/lvfs.xml" >"$box/branch.xml"
like "$(verdict "$box/branch.xml" webcam/coreboot/1.2.4)" '^not-applicable .* is not updatable$' "also of its own branch"
in_lab rm /var/lib/fwupd/quirks.d/test.quirk

# ---------------------------------------------------------------- hardware that changes
fwupd_up
fresh
in_lab sh -c "mkdir -p $box/sys/bus/pci/devices/0000:3b:00.0 $box/sys/bus/pci/drivers/igc $box/sys/class/net/ens1 $box/sys/class/dmi/id &&
	cd $box/sys && ln -s ../../drivers/igc bus/pci/devices/0000:3b:00.0/driver && ln -s /sys/bus/pci/devices/0000:3b:00.0 class/net/ens1/device &&
	echo 0x8086 >bus/pci/devices/0000:3b:00.0/vendor && echo pci:v00008086d000015F2sv00001028sd00000001bc02sc00i00 >bus/pci/devices/0000:3b:00.0/modalias &&
	echo 1000 >class/net/ens1/speed && echo up >class/net/ens1/operstate && echo 2.1.0 >class/dmi/id/bios_version &&
	mount --bind bus /sys/bus && mount --bind class /sys/class" 2>"$box/sys.log" || echo "# $(cat "$box/sys.log")"
run step driver.state apply
before=$work/driver.state/hardware.txt
like "$(cat "$before")" '^nic	ens1	device	0000:3b:00\.0$' "a card and the device that it is on"
run step driver.compare apply "before=$before" unexplained=fail
is $rc 0 "nothing has changed"
echo 100 >"$box/sys/class/net/ens1/speed"
run step driver.compare apply,verify "before=$before"
like "$rc $(flat)" '^0 .*unexplained: nic ens1: speed 1000 -> 100' "a slower link is shown"
run step driver.compare apply "before=$before" unexplained=fail
like "$rc $(flat)" '^1 .*the hardware is not as it was.*nic ens1: speed' "or fails the step"
run step driver.compare apply "before=$before" unexplained=fail 'ignore=nic ens1 *'
is $rc 0 "unless it is none"
echo down >"$box/sys/class/net/ens1/operstate"
(sleep 2; echo up >"$box/sys/class/net/ens1/operstate"; echo 1000 >"$box/sys/class/net/ens1/speed") &
run step driver.compare apply "before=$before" unexplained=fail settle=20
is $rc 0 "a link may take a moment to come up again"
echo 2.2.0 >"$box/sys/class/dmi/id/bios_version"
rm "$box/sys/bus/pci/devices/0000:3b:00.0/driver"
mkdir "$work/other"
printf 'device 0000:3b:00.0\n' >"$work/other/changed.txt"
run step driver.compare apply "before=$before"
like "$(cat "$work/driver.compare/differences.txt")" '^pci 0000:3b:00\.0: driver igc -> \(none\) \(by other\)$' "a step explains what it was for"
like "$(cat "$work/driver.compare/differences.txt")" '^dmi id: bios_version 2\.1\.0 -> 2\.2\.0 \(unexplained\)$' "and nothing else"
run step driver.compare apply before=/etc/hostname
like "$rc $(flat)" '^1 .*is no state of the hardware' "what is no state is refused"
# ---------------------------------------------------------------- from Dell's catalog to the machine's firmware
rm -rf "$work" "$source" "$box/state"
echo 2.1.0 >"$box/sys/class/dmi/id/bios_version"
echo 'Dell Inc.' >"$box/sys/class/dmi/id/sys_vendor"
echo 'PowerEdge R999' >"$box/sys/class/dmi/id/product_name"
echo 'dmi:bvnDellInc.:bvr2.1.0:svnDellInc.:pnPowerEdgeR999:' >"$box/sys/class/dmi/id/modalias"
# as it comes from its vendor: a program, in a folder where no file may be run; $1 is what it is called with
cat >"$box/vendor/BIOS_9.BIN" <<END
#!/bin/sh
[ "\$*" = -q ] || exit 1
[ ! -e "$box/refuse" ] || exit 5
echo 2.2.0 >/sys/class/dmi/id/bios_version
echo "The BIOS is staged"
exit 2
END
printf '#!/bin/sh\n[ ! -e %s ] || exit 3\n: >%s\n' "$box/nic" "$box/nic" >"$box/vendor/NIC_9.BIN"
cat >"$box/dell.xml" <<END
<Manifest baseLocation="downloads.example.com" version="26.06.00" dateTime="2026-06-01T00:00:00+00:00">
<SoftwareComponent packageID="BIOS9" releaseID="BIOS9" path="FOLDER1/BIOS_9.BIN" dateTime="2026-04-01T10:00:00+02:00" vendorVersion="2.2.0" packageType="LLXP" rebootRequired="true" size="$(stat -c %s "$box/vendor/BIOS_9.BIN")">
<Name><Display lang="en">R999 BIOS</Display></Name><ComponentType value="BIOS"/>
<SupportedDevices><Device componentID="159"/></SupportedDevices>
<SupportedSystems><Brand prefix="PE"><Model systemID="0A01"><Display lang="en">R999</Display></Model></Brand></SupportedSystems>
<Criticality value="2"><Display lang="en">Urgent</Display></Criticality>
<Cryptography><Hash algorithm="SHA256">$(sum "$box/vendor/BIOS_9.BIN")</Hash></Cryptography>
</SoftwareComponent>
<SoftwareComponent packageID="NIC9" releaseID="NIC9" path="FOLDER1/NIC_9.BIN" dateTime="2026-04-01T10:00:00+02:00" vendorVersion="16.5" packageType="LLXP" rebootRequired="false" size="$(stat -c %s "$box/vendor/NIC_9.BIN")">
<Name><Display lang="en">NIC firmware</Display></Name><ComponentType value="FRMW"/>
<SupportedDevices><Device componentID="101"><PCIInfo vendorID="8086" deviceID="15F2" subVendorID="1028" subDeviceID="0001"/></Device></SupportedDevices>
<SupportedSystems><Brand prefix="PE"><Model systemID="0A01"><Display lang="en">R999</Display></Model></Brand></SupportedSystems>
<Criticality value="1"><Display lang="en">Recommended</Display></Criticality>
<Cryptography><Hash algorithm="SHA256">$(sum "$box/vendor/NIC_9.BIN")</Hash></Cryptography>
</SoftwareComponent></Manifest>
END
run patchday catalog fetch "$box/dell.xml" --needed --from "$box/vendor" --to "$source"
is "$rc $(stat -c %a "$source/BIOS_9.BIN")" "0 644" "what Dell's catalog has for this model is fetched"
run patchday run "$box/flow.lua" --catalog "$box/dell.xml"
like "$rc $(flat)" '^4 .*BIOS_9|^4 .*point of no return' "it can't be taken back, and is not begun without a backup"
: >"$box/refuse"
run patchday run "$box/flow.lua" --catalog "$box/dell.xml" --accept-no-return "a test"
is "$rc $(cat "$box/sys/class/dmi/id/bios_version")" "0 2.1.0" "a package that says it is not for this server changes nothing"
like "$out" 'says not-applicable \(status 5\)' "and says so by its status"
is "$(ls "$box"/state/runs/*/drivers-driver.install/changed.txt 2>/dev/null)" "" "and explains nothing"
rm "$box/refuse"
run patchday run "$box/flow.lua" --catalog "$box/dell.xml" --accept-no-return "a test"
is "$rc $(cat "$box/sys/class/dmi/id/bios_version")" "0 2.2.0" "else it is run, from a copy, with the catalog's digest"
newest=$(ls -td "$box"/state/runs/*/ | head -1)
like "$(cat "$newest"/drivers-driver.install/installer.log)" 'status 2' "its status"
is "$(patchday status --json | jq -r '.steps[] | select(.id == "drivers/driver.install").outputs.reboot_required')" true "asks for a reboot"
like "$(cat "$newest"/drivers-driver.compare/differences.txt)" 'dmi id: bios_version 2\.1\.0 -> 2\.2\.0 \(by drivers-driver\.install\)' "and the change of the machine is explained"
run patchday scan --catalog "$box/dell.xml"
like "$out" '^unknown .* NIC9 ' "which version a card has is not known"
like "$out" '1 installed' "that of the machine is"
run patchday catalog fetch "$box/dell.xml" --id NIC9 --from "$box/vendor" --to "$source"
run patchday run "$box/flow.lua" --catalog "$box/dell.xml" --accept-no-return "a test" --param what=unsure
is "$rc $(ls "$box/nic")" "0 $box/nic" "what is for this model and card can be run nevertheless"
run patchday run "$box/flow.lua" --catalog "$box/dell.xml" --accept-no-return "a test" --param what=unsure
like "$rc $(flat)" '^0 .*says already-installed \(status 3\)' "and says by its status that it is there"
done_testing
