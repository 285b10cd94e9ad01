#!/bin/bash
# SPDX-License-Identifier: MIT
# A14 over a real reboot: a vendor's driver that comes in an archive, and a machine's firmware, both of which the hardware
# takes only when the server is booted; what there was before is compared with what there is after the boot.  Once with a
# fault, to rolled back: the next boot has the old driver again.
# The server's /sys is the machine's own, so what the vendor's programs change is laid over it while the server boots.
export PD_LAB=${PD_LAB:-t-driver}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
[ -d /sys/bus/pci ] || skip "this machine has no PCI bus to lay one over"
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)
inside() { on_server sh -c "$1" </dev/null; }
driver() { inside 'basename $(readlink /sys/bus/pci/devices/0000:3b:00.0/driver)'; }
bios() { inside 'cat /sys/class/dmi/id/bios_version'; }
evidence() { inside "cat \$(ls -td /var/lib/patchday/runs/*/ | head -n 1)$1"; }

server_up || { echo "Bail out! no server"; exit 1; }

# ---- the machine: on its way up it takes firmware that is staged, and binds the driver that is installed
on_server sh -c 'cat >/usr/local/sbin/hardware; chmod 755 /usr/local/sbin/hardware; mkdir /srv/hardware; echo 2.1.0 >/srv/hardware/bios' <<'S'
#!/bin/sh -e
cd /srv/hardware
[ ! -e staged ] || mv staged bios
device=/run/hardware/bus/devices/0000:3b:00.0 driver=igc
[ ! -e /opt/nic/version ] || driver=vendor_igc
mkdir -p $device /run/hardware/bus/drivers/$driver /run/hardware/class/dmi/id
ln -s ../../drivers/$driver $device/driver
echo pci:v00008086d000015F2sv00001028sd00000001bc02sc00i00 >$device/modalias
echo 0x8086 >$device/vendor
# links to devices alone: what else there is may do something when it is read
for link in /sys/class/*/*; do
	[ ! -L "$link" ] || { mkdir -p "/run/hardware/class/$(basename "${link%/*}")"; cp -P "$link" "/run/hardware/class/$(basename "${link%/*}")/"; }
done
cp bios /run/hardware/class/dmi/id/bios_version
echo Contoso >/run/hardware/class/dmi/id/sys_vendor
echo "Rack 9" >/run/hardware/class/dmi/id/product_name
echo dmi:svnContoso:pnRack9: >/run/hardware/class/dmi/id/modalias
mount --bind /run/hardware/bus /sys/bus/pci
mount --bind /run/hardware/class /sys/class
S
on_server sh -c 'cat >/etc/systemd/system/hardware.service; systemctl enable --now hardware' >/dev/null 2>&1 <<'S'
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/hardware
[Install]
WantedBy=sysinit.target
S
is "the machine has its hardware" "$(driver) $(bios)" "igc 2.1.0" || inside 'systemctl status hardware; journalctl -u hardware | tail' | sed 's/^/# /'

# ---- what the vendor has: two programs in an archive, the second of which needs the first one's work, with the files that
# they need; a program that stages firmware
mkdir -p "$tmp/nic/bin" "$tmp/vendor"
echo 7.3 >"$tmp/nic/version"
cat >"$tmp/nic/bin/setup" <<'S'
#!/bin/sh
[ "$*" = --silent ] || exit 1
mkdir -p /opt/nic && cp ../version /opt/nic/ && exit 194
S
printf '#!/bin/sh\nrm /opt/nic/version && rmdir /opt/nic && exit 194\n' >"$tmp/nic/bin/remove"
printf '#!/bin/sh\necho set >/opt/nic/tools && exit 7\n' >"$tmp/nic/bin/tools"
printf '#!/bin/sh\nrm /opt/nic/tools\n' >"$tmp/nic/bin/no-tools"
chmod 755 "$tmp"/nic/bin/*
tar czf "$tmp/vendor/nic.tgz" -C "$tmp/nic" .
printf '#!/bin/sh\necho 2.2.0 >/srv/hardware/staged && exit 2\n' >"$tmp/vendor/BIOS_2.2.0.BIN"
sum() { sha256sum "$tmp/vendor/$1" | cut -d' ' -f1; }
bytes() { stat -c %s "$tmp/vendor/$1"; }
nic() {
	cat <<X
<update id="nic" kind="driver" severity="important"><title>network driver</title>
<payload id="1" url="https://vendor.example/nic.tgz" bytes="$(bytes nic.tgz)" digest="sha256:$(sum nic.tgz)"/>
<install command=".\\bin\\setup" arguments="--silent"/><install command="bin\\tools"/>
<uninstall command="bin\\remove"/><uninstall command="bin\\no-tools"/>
<exit status="0" meaning="success"/><exit status="7" meaning="success"/><exit status="3010" meaning="success-reboot"/>
<applicable><test kind="devices" field="modalias" compare="match" value="^pci:v00008086d000015F2"/></applicable>
<installed><test kind="devices" field="driver" compare="eq" value="vendor_igc"/></installed></update>
X
}
bios_update() {
	cat <<X
<update id="bios" revision="2.2.0" kind="firmware" severity="critical" restart="reboot"><title>the machine's firmware</title>
<payload id="1" url="https://vendor.example/BIOS_2.2.0.BIN" bytes="$(bytes BIOS_2.2.0.BIN)" digest="sha256:$(sum BIOS_2.2.0.BIN)"/>
<install command="BIOS_2.2.0.BIN"/><exit status="0" meaning="success"/><exit status="2" meaning="success-reboot"/>
<applicable><test kind="hardware" field="product" compare="match" value="^Rack 9"/></applicable>
<installed><test kind="hardware" field="bios_version" compare="eq" value="2.2.0"/></installed></update>
X
}
catalog() { echo '<catalog xmlns="urn:patchday:catalog:1">'; for one; do $one; done; echo '</catalog>'; }
catalog nic >"$tmp/vendor/nic.xml"
catalog nic bios_update >"$tmp/vendor/all.xml"
"$lab" push "$server" "$tmp/vendor" /srv/vendor </dev/null
on_server patchday catalog fetch /srv/vendor/all.xml --needed --from /srv/vendor --to /srv/packages </dev/null >"$tmp/fetched" 2>&1
is "both are needed, and fetched" "$(inside 'ls /srv/packages' | xargs)" "BIOS_2.2.0.BIN SHA256SUMS nic.tgz" || sed 's/^/# /' "$tmp/fetched"

# ---- a driver that works no more when the server has booted: back to the old one, by the vendor's program and a boot
on_server sh -c 'cat >/root/works; chmod 755 /root/works' <<'S'
#!/bin/sh
[ "$(basename "$(readlink /sys/bus/pci/devices/0000:3b:00.0/driver)")" = igc ]
S
inventory >"$tmp/before"
to_its_end "rolled back" generic --catalog /srv/vendor/nic.xml --param source=/srv/packages --param commands=/root/works
is "a driver that does not do its work ends rolled back" "$(run_state)" "rolled back"
like "it was bound after the boot, which a step explains" "$(evidence install-driver.compare/differences.txt)" \
	'^pci 0000:3b:00\.0: driver igc -> vendor_igc \(by install-driver\.install\)$'
is "the old one is bound again" "$(driver) $(bios)" "igc 2.1.0"
inventory >"$tmp/after"
empty "packages, services and files are as before" "$(diff "$tmp/before" "$tmp/after" | head -40)"
check "and nothing is left of it" [ -z "$(inside 'ls -d /opt/nic 2>/dev/null')" ]

# ---- to done, with firmware that can't be taken back
on_server sh -c 'cat >/usr/sbin/sendmail; chmod 755 /usr/sbin/sendmail' <<'S'
#!/bin/sh
cat >>/root/mails
S
boots=$("$lab" boots "$server")
to_its_end "waiting for sign-off" generic --catalog /srv/vendor/all.xml --param source=/srv/packages --param warn=2 --param tell=root
is "with both the work is done" "$(run_state)" "waiting for sign-off"
is "the machine has them, after one boot for both" "$(driver) $(bios) $(($("$lab" boots "$server") - boots))" "vendor_igc 2.2.0 2"
like "what there was before is evidence" "$(evidence install-driver.state/hardware.txt)" $'^dmi\tid\tbios_version\t2\\.1\\.0$'
like "and what there is after the boot" "$(evidence install-driver.compare/hardware.txt)" $'^dmi\tid\tbios_version\t2\\.2\\.0$'
differences=$(evidence install-driver.compare/differences.txt)
like "the firmware is explained by its step" "$differences" '^dmi id: bios_version 2\.1\.0 -> 2\.2\.0 \(by install-driver\.install'
like "and the driver by its own" "$differences" '^pci 0000:3b:00\.0: driver igc -> vendor_igc \(by install-driver\.install'
like "somebody hears that it is done" "$(inside 'cat /root/mails')" '^Subject: .*: patch day done, round 1'
is "desktops were told before the first reboot, and nobody waits where there is none" "$(evidence prepare-notify.desktop/desktop.txt | grep -c 'gets its updates now')" 1
like "and terminals before each" "$(inside 'journalctl -b -1 -o cat --no-pager; journalctl -b -2 -o cat --no-pager')" 'drivers and firmware take effect'
is "both programs of the driver have done their work" "$(inside 'cat /opt/nic/version /opt/nic/tools' | xargs)" "7.3 set"
empty "nothing is unexplained" "$(grep unexplained <<<"$differences")"
on_server patchday scan --catalog /srv/vendor/all.xml </dev/null >"$tmp/scan" 2>&1
like "and a scan finds both installed" "$(cat "$tmp/scan")" '2 installed'
end
