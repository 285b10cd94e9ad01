#!/bin/bash
# SPDX-License-Identifier: MIT
# driver.install: a real printer driver from the frozen source and as a file, and a vendor's installer with every exit status.
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
lab_up driver
push_plugins driver

scratch=$(mktemp -d)
trap 'rc=$?; rm -rf "$scratch"; (exit $rc); lab_end' EXIT

fresh() { in_lab sh -c "rm -rf $work && mkdir -p $work" </dev/null; }
driver() { local phases=$1; shift; run step driver.install "$phases" "$@"; }
inside() { in_lab sh -c "$1" </dev/null; }
state()
{
	inside 'dpkg-query -W -f="\${Package} \${Architecture} \${Version} \${Status}\n"; apt-mark showauto
		find /etc /opt /usr/lib/cups /usr/share/cups -xdev ! -path "/opt/pd/*" -type f -exec sha256sum {} + | sort -k2'
}
models() { inside 'lpinfo -m | wc -l'; }

# ---------------------------------------------------------------- a package of apt's sources
fresh
state >"$scratch/before"
count=$(models)
driver check package=printer-driver-brlaser
is $rc 0 "check of a package succeeds"
like "$out" '"result":"changed"' "it is not installed yet"
unlike "$out" '"event":"irreversible"' "a new package can be taken back"
driver apply,verify package=printer-driver-brlaser
is $rc 0 "apply and verify succeed"
is "$(inside 'dpkg-query -W -f=\${Status} printer-driver-brlaser')" "install ok installed" "the driver is installed"
is "$(inside 'apt-mark showmanual printer-driver-brlaser')" "printer-driver-brlaser" "and marked as wanted"
is "$([ "$(models)" -gt "$count" ] && echo more)" more "CUPS offers its models"
like "$(inside "cat $work/driver.install/drivers-before.txt")" "^$count\$" "the evidence before has the old number of models"
like "$(inside "cat $work/driver.install/drivers-after.txt")" "^$(models)\$" "the evidence after has the new one"
like "$(inside "cat $work/driver.install/drivers-after.txt")" '^printer-driver-brlaser [a-z0-9]+ [^ ]+ installed' "and the version of the package"
driver check package=printer-driver-brlaser
like "$out" '"result":"unchanged"' "then nothing is left to do"
driver undo package=printer-driver-brlaser
is $rc 0 "undo succeeds"
state >"$scratch/now"
is "$(diff "$scratch/before" "$scratch/now")" "" "packages, marks and files are as before"
driver check package=no-such-driver
is $rc 1 "a package that apt does not know is refused"
like "$out" 'Unable to locate package no-such-driver' "in apt's words"

# ---------------------------------------------------------------- a package as a file
inside 'mkdir -p /opt/drivers && cd /opt/drivers && apt-get -q download printer-driver-splix && mv *.deb splix.deb && chmod 644 splix.deb' >/dev/null 2>&1
digest=$(inside 'sha256sum /opt/drivers/splix.deb' | cut -d' ' -f1)
fresh
state >"$scratch/before"
driver check package=/opt/drivers/splix.deb
like "$out" 'the SHA-256 of /opt/drivers/splix.deb must be given' "a file without a digest is refused"
driver check package=/opt/drivers/splix.deb "digest=$(echo "$digest" | tr 0-9 1-90)"
like "$out" 'has SHA-256 .*, not' "a file with another digest is refused"
driver check,apply,verify package=/opt/drivers/splix.deb "digest=$digest"
is "$rc $(inside 'dpkg-query -W -f=\${Status} printer-driver-splix')" "0 install ok installed" "the file is installed"
driver undo package=/opt/drivers/splix.deb "digest=$digest"
state >"$scratch/now"
is "$rc$(diff "$scratch/before" "$scratch/now")" 0 "and taken back, with what it needed"

# from a package source, whose list has the digest
driver check package=/opt/drivers/splix.deb source=/opt/drivers
like "$out" '"result":"refused".*SHA256SUMS has no digest of' "a package source that does not list it is none for it"
inside 'cd /opt/drivers && sha256sum splix.deb >SHA256SUMS'
fresh
run step driver.state apply
driver check,apply,verify package=/opt/drivers/splix.deb source=/opt/drivers needs_reboot=true
is "$rc $(inside 'dpkg-query -W -f=\${Status} printer-driver-splix')" "0 install ok installed" "one that does is enough"
like "$out" '"reboot_required","value":true' "and what its vendor says of a reboot counts"
run step driver.compare apply,verify "before=$work/driver.state/hardware.txt" unexplained=fail settle=0
like "$rc $out" '"differences","value":0' "no hardware is different by it"
driver undo package=/opt/drivers/splix.deb source=/opt/drivers
is $rc 0 "and undone"
driver check package=/opt/drivers/splix.deb "digest=$digest" match=pci:ffff:ffff reboot_due=true
like "$out" '"reboot_required","value":true' "a reboot that was due before stays so, also where there is nothing to do"

# a newer one over an older one, both only as files
made()
{
	mkdir -p "$scratch/$1/DEBIAN" "$scratch/$1/opt/raid-tool"
	echo "$1" >"$scratch/$1/opt/raid-tool/version"
	printf 'Package: raid-tool\nVersion: %s\nArchitecture: all\nMaintainer: Vendor <v@example.org>\nDescription: made-up tool\n' "$1" >"$scratch/$1/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$scratch/$1" "$scratch/raid-tool_$1_all.deb" >/dev/null
	push "$scratch/raid-tool_$1_all.deb" "/opt/drivers/raid-tool_$1_all.deb"
}
made 1.0
made 2.0
digest=$(sha256sum "$scratch/raid-tool_2.0_all.deb" | cut -d' ' -f1)
inside 'dpkg -i /opt/drivers/raid-tool_1.0_all.deb' >/dev/null
fresh
driver check package=/opt/drivers/raid-tool_2.0_all.deb "digest=$digest"
like "$out" '"event":"irreversible".*raid-tool 1\.0' "a replaced version that nobody has any more is a point of no return"
inside 'cp /opt/drivers/raid-tool_1.0_all.deb /var/cache/apt/archives/'
driver check package=/opt/drivers/raid-tool_2.0_all.deb "digest=$digest"
unlike "$out" '"event":"irreversible"' "one that apt's archives still have is none"
driver apply,verify package=/opt/drivers/raid-tool_2.0_all.deb "digest=$digest"
is "$rc $(inside 'cat /opt/raid-tool/version')" "0 2.0" "it is replaced"
inside 'rm /var/cache/apt/archives/raid-tool_1.0_all.deb'
driver undo package=/opt/drivers/raid-tool_2.0_all.deb "digest=$digest"
is "$rc $(inside 'cat /opt/raid-tool/version')" "0 1.0" "and the older one is back"

# ---------------------------------------------------------------- hardware
# The server's own /sys is the machine's; devices of this test are laid over it.
inside 'bus=/root/sys/bus; dmi=/root/sys/class/dmi/id; pci=$bus/pci/devices/0000:00:1f.2; usb=$bus/usb/devices/1-1:1.0
	mkdir -p $pci $usb $dmi
	echo pci:v00001000d0000005Dsv00001028sd00001F49bc01sc04i00 >$pci/modalias
	ln -s ../../../bus/pci/drivers/megaraid_sas $pci/driver
	echo usb:v04F9p0027d0100dc00dsc00dp00ic07isc01ip02in00 >$usb/modalias
	echo dmi:bvnContoso:bvr1.0:svnContoso:pnRackServer9:pvr:cvnContoso:ct23: >$dmi/modalias
	mount --bind /root/sys/bus /sys/bus && mount --bind /root/sys/class /sys/class'
if [ "$(inside 'cat /sys/bus/*/devices/*/modalias /sys/class/dmi/id/modalias | wc -l')" = 3 ]; then
	# fits PATTERN TEXT, does_not_fit PATTERN TEXT
	fits() { driver check package=printer-driver-brlaser "match=$1"; like "$out" '"result":"changed"' "$2"; }
	does_not_fit()
	{
		driver check package=printer-driver-brlaser "match=$1"
		like "$out" '"result":"unchanged"' "$2"
		like "$out" 'no device of this server fits' "$2: said"
	}
	fits pci:1000:005d "a PCI device by vendor and device"
	fits 'pci:1000:*' "a PCI device by vendor"
	fits 'pci:*:005D' "a PCI device by device, in capitals"
	fits usb:04f9:0027 "a USB device"
	fits 'dmi:*svnContoso:pnRack*' "a board"
	fits 'pci:v00001000d*bc01sc04*' "a modalias"
	fits 'pci:ffff:0001,usb:04f9:0027' "one of two patterns"
	does_not_fit pci:1000:005e "another device"
	does_not_fit usb:1000:005d "the same number on another bus"
	does_not_fit 'dmi:*svnOther*' "another board"
	driver check package=printer-driver-brlaser match=pci:1000:5d
	like "$out" '"result":"bad-args"' "a pattern that makes no sense is refused"
	driver check package=printer-driver-brlaser match=pci:1000:005e when_missing=fail
	like "$out" '"result":"refused"' "when_missing=fail refuses the run"
	fresh
	driver apply,verify,undo package=printer-driver-brlaser match=pci:1000:005e
	is "$rc $(inside 'dpkg-query -W -f=\${Status} printer-driver-brlaser 2>/dev/null')" "0 " "without the hardware nothing is installed"
	driver apply package=printer-driver-brlaser match=pci:1000:005d
	like "$(inside "cat $work/driver.install/drivers-before.txt")" '0000:00:1f\.2 pci:v00001000d0000005D.* driver megaraid_sas' "the device and its driver are in the evidence"
	driver undo package=printer-driver-brlaser match=pci:1000:005d
	inside 'umount /sys/bus /sys/class'
else
	echo "# hardware: devices can't be laid over /sys here, these cases are left out"
fi

# ---------------------------------------------------------------- a vendor's installer in an archive
inside 'mkdir -p /srv/packed/bin && echo 7.3 >/srv/packed/version'
in_lab sh -c 'cat >/srv/packed/bin/setup' <<'END'
#!/bin/sh
# needs what lies beside it, in the folder that it is started in
echo "$(pwd) $(id -u) $(stat -c %a:%U ../version)"
case $1 in
remove) rm -r /opt/packed ;;
there) exit 3 ;;
*) mkdir -p /opt/packed && cp ../version /opt/packed/ && exit 194 ;;
esac
END
in_lab sh -c 'cat >/srv/packed/bin/away' <<'END'
#!/bin/sh
exec sh ./setup remove
END
inside 'cd /srv/packed && chmod 755 bin/setup && chmod 4666 version && chown 1000 version && mkdir -p /opt/archives &&
	tar czf /opt/archives/a.tgz . && tar cJf /opt/archives/a.tar.xz bin version && ln -s /etc bin/etc && tar czf /opt/archives/link.tgz bin/etc &&
	rm bin/etc && mkfifo bin/fifo && tar czf /opt/archives/fifo.tgz bin && rm bin/fifo && head -c 200 /opt/archives/a.tgz >/opt/archives/cut.tgz &&
	chmod 644 bin/setup && python3 -c "
import os, zipfile
z = zipfile.ZipFile(\"/opt/archives/a.zip\", \"w\")
for name in (\"bin/setup\", \"bin/away\", \"version\"): z.writestr(name, open(name).read())
z.close()
z = zipfile.ZipFile(\"/opt/archives/out.zip\", \"w\")
z.writestr(\"bin/setup\", \"#!/bin/sh\")
z.writestr(\"../escaped\", \"x\")
z.close()" && python3 -c "
import io, tarfile
t = tarfile.open(\"/opt/archives/behind.tgz\", \"w:gz\")
def add(name, **more):
    i = tarfile.TarInfo(name); data = more.pop(\"data\", b\"\"); i.size = len(data)
    for k, v in more.items(): setattr(i, k, v)
    t.addfile(i, io.BytesIO(data))
add(\"bin/setup\", data=b\"#!/bin/sh\")
add(\"etc\", type=tarfile.SYMTYPE, linkname=\"/etc\")
add(\"etc/escaped\", data=b\"x\")
t.close()" && chmod 644 /opt/archives/*'
packed() { local phases=$1 name=$2; shift 2; driver "$phases" "installer=/opt/archives/$name" program=bin/setup "digest=$(inside "sha256sum </opt/archives/$name" | cut -d' ' -f1)" \
	exit_codes=3010=success-reboot,3=already-installed "$@"; }
back=(creates=/opt/packed/version uninstall=bin/setup,remove)
for name in a.tgz a.tar.xz a.zip; do
	fresh
	state >"$scratch/before"
	packed check $name "${back[@]}"
	is "$rc $(inside "ls $work/driver.install")" "0 " "$name: check leaves nothing"
	unlike "$out" '"event":"irreversible"' "$name: what is inside can uninstall it"
	packed apply,verify $name "${back[@]}"
	is "$rc $(inside 'cat /opt/packed/version')" "0 7.3" "$name: the program in it has found its files"
	[ "$rc" = 0 ] || echo "$out"
	like "$out" '"reboot_required","value":true' "$name: and its status is understood"
	like "$(inside "cat $work/driver.install/installer.log")" "^$work/driver.install/unpacked/bin 0 600:root\$" "$name: in its own folder, root's files without setuid"
	packed undo $name "${back[@]}"
	state >"$scratch/now"
	is "$rc$(diff "$scratch/before" "$scratch/now")" 0 "$name: undo takes it away, by the program in it"
done
fresh
packed apply a.zip "${back[@]}"
inside "rm -r $work/driver.install/unpacked"
packed undo a.zip creates=/opt/packed/version uninstall=bin/away
is "$rc$(inside 'ls /opt/packed 2>/dev/null')" 0 "another program of it takes it away, unpacked once more"
fresh
packed check,apply a.tgz arguments=there
like "$out" '"phase":"apply","result":"unchanged"' "one that says already-installed has changed nothing"
for case in "link.tgz|has no program bin/setup in it" "fifo.tgz|has bin/fifo in it, which is no file, folder or link" "cut.tgz|can't be unpacked: "; do
	fresh
	packed check "${case%%|*}"
	is "$rc" 1 "${case%%|*} is refused before anything is done"
	like "$out" "/opt/archives/${case%%|*} ${case#*|}" "and it is said why"
done
for name in out.zip behind.tgz; do
	fresh
	packed apply $name
	is "$(inside "ls /etc/escaped $work/driver.install/escaped $work/driver.install/unpacked/escaped 2>/dev/null")" "" "$name: nothing leads out of the folder"
done
fresh
packed apply out.zip
like "$rc $(paste -sd' ' <<<"$out")" "^1 .*out.zip can't be unpacked: .*escaped: " "what would is told"
driver check installer=/opt/archives/a.tgz program=../setup digest=x
like "$out" 'program: .*\.\./setup.* must be a path within the archive' "a program outside is none"
driver check package=x program=bin/setup
like "$out" 'program, arguments, exit_codes.* belong to an installer' "nor is one of a package"

# ---------------------------------------------------------------- a vendor's installer
in_lab sh -c 'cat >/opt/drivers/setup; chmod 755 /opt/drivers/setup' <<'END'
#!/bin/sh
echo "setup $*"
echo "setup complains" >&2
[ "$1" -ne 0 ] && [ "$1" -ne 194 ] || { mkdir -p /opt/nic; echo 7.2 >/opt/nic/version; cp /opt/drivers/away /opt/nic/uninstall; }
exit "$1"
END
in_lab sh -c 'cat >/opt/drivers/away; chmod 755 /opt/drivers/away' <<'END'
#!/bin/sh
[ -d /opt/nic ] || exit 5
[ -e /run/nic-busy ] && exit 1
rm -r /opt/nic
END
digest=$(inside 'sha256sum /opt/drivers/setup' | cut -d' ' -f1)
codes=exit_codes=3010=success-reboot,1638=already-installed,1602=needs-operator,1618=retry-later,3011=failed-reboot,5=not-applicable
vendor() { local phases=$1 status=$2; shift 2; driver "$phases" installer=/opt/drivers/setup "arguments=$status,--silent" "digest=$digest" "$codes" "$@"; }
back=(creates=/opt/nic/version uninstall=/opt/nic/uninstall)

fresh
state >"$scratch/before"
vendor check 0
like "$out" '"event":"irreversible"' "an installer without a way to uninstall is a point of no return"
vendor check 0 "${back[@]}"
unlike "$out" '"event":"irreversible"' "one with it is none"
vendor check,apply,verify 0 "${back[@]}"
is "$rc $(inside 'cat /opt/nic/version')" "0 7.2" "status 0: installed"
like "$out" '"reboot_required","value":false' "no reboot"
like "$(inside "cat $work/driver.install/installer.log")" 'setup 0 --silent' "its output is evidence"
vendor check 0 "${back[@]}"
like "$out" '"result":"unchanged"' "what it creates is there: nothing to do"
inside 'touch /run/nic-busy'
vendor undo 0 "${back[@]}"
is $rc 1 "an uninstall that fails fails undo"
inside 'rm /run/nic-busy'
vendor undo 0 "${back[@]}"
state >"$scratch/now"
is "$rc$(diff "$scratch/before" "$scratch/now")" 0 "undo takes it away"
vendor undo 0 "${back[@]}"
like "$out" '"result":"unchanged"' "once"

# outcome STATUS RC RESULT REBOOT VERIFY-RC TEXT; the status as the program gives it
outcome()
{
	fresh
	vendor apply "$1" "${back[@]}"
	is "$rc" "$2" "status $1: $6"
	like "$out" "\"phase\":\"apply\",\"result\":\"$3\"" "status $1 is $3"
	like "$out" "\"reboot_required\",\"value\":$4" "status $1: reboot $4"
	driver verify installer=/opt/drivers/setup "digest=$digest" "$codes"
	is "$rc" "$5" "status $1: what verify makes of it"
	vendor undo "$1" uninstall=/opt/drivers/away
}
outcome 194 0 changed true 0 "3010 of 16 bits, success and reboot"
is "$(inside 'ls /opt/nic 2>/dev/null')" "" "(taken back)"
outcome 102 0 unchanged false 0 "1638, already installed"
outcome 66 1 failed false 1 "1602, a person is needed"
outcome 82 1 retry false 1 "1618, later"
outcome 195 1 failed true 1 "3011, failed and reboot"
outcome 5 0 unchanged false 0 "not applicable"
outcome 77 1 failed false 1 "unknown, so failed"
fresh
vendor apply 77
like "$out" 'failed with status 77: setup complains' "its complaint is shown"
vendor undo 77
is $rc 1 "what can't be uninstalled fails undo"
vendor check 0 exit_codes=0=fine
like "$out" '"result":"bad-args".*0=fine' "an unknown meaning is refused"
driver check installer=/opt/drivers/setup
like "$out" 'SHA-256 of /opt/drivers/setup must be given' "an installer without a digest is refused"
inside 'echo "# changed" >>/opt/drivers/setup'
vendor check 0
like "$out" 'has SHA-256' "a changed installer is refused"
vendor apply 0
is $rc 1 "also in apply"
inside 'chmod 777 /opt/drivers/setup'
vendor check 0
like "$out" 'can be written by others' "one that others may write too"
driver check package=x installer=/opt/drivers/setup
like "$out" 'either package or installer' "both at once make no sense"
done_testing
