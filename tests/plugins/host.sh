#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin host against a real server: room, recovery, a reboot, facts.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins host

# ---- space
free=$(in_lab stat -f -c '%a %S' / </dev/null | awk '{ printf "%.0f", $1 * $2 }')
run step host.space check path=/var/no/such/folder bytes=1048576
is "$rc" 0 "room is found for a folder that does not exist yet"
like "$out" '"value": ?"/"' "its mount point is told"
run step host.space check path=/var bytes=$((free + (1 << 40)))
is "$rc" 1 "too little room is refused"
like "$out" 'inhibit' "with a reason that stops the run"
like "$out" 'TiB needed|GiB needed' "it says how much is needed"
run step host.space check path=/ bytes=1 inodes=99999999999
like "$out" 'inodes needed' "too few inodes are refused"
in_lab sh -c 'mkdir -p /mnt/small && mount -t tmpfs -o size=1m,nr_inodes=20 t /mnt/small' </dev/null
run step host.space check path=/mnt/small/x/y bytes=524288
is "$rc" 0 "a small file system with enough room"
like "$out" '"/mnt/small"' "the mount point of another file system"
run step host.space check path=/mnt/small/x bytes=2097152
like "$out" '/mnt/small has 1.0 MiB free, 2.0 MiB needed' "the file system is named with what it has and needs"
in_lab mount -o remount,ro /mnt/small </dev/null
run step host.space check path=/mnt/small bytes=1
is "$rc" 1 "a read-only file system has no room"
in_lab umount /mnt/small </dev/null

# ---- recovery
run step host.recovery check
is "$rc" 1 "no confirmed way to recover, no run"
like "$out" 'inhibit' "with a reason that stops the run"
run step host.recovery check confirmed=true how=console
is "$rc" 0 "a confirmed way to recover"

# ---- reboot
run step host.reboot check reason=test when=false
like "$out" '"result": ?"unchanged"' "no reboot when none is due"
in_lab bash -s <<'SERVER'
cat > /etc/systemd/system/t-old.service <<U
[Service]
Type=oneshot
ExecStart=/bin/false
[Install]
WantedBy=multi-user.target
U
systemctl daemon-reload
systemctl enable -q t-old
systemctl start t-old 2>/dev/null
printf '[Service]\nExecStart=/bin/true\nExecStop=/bin/sh -c "sleep 1; date >> /var/lib/t-orderly"\nRemainAfterExit=yes\n' > /etc/systemd/system/t-orderly.service
systemctl daemon-reload
systemctl start t-orderly
SERVER
boot() { in_lab cat /proc/sys/kernel/random/boot_id </dev/null; }
reboots()
{
	local before
	before=$("$lab" boots a)
	step host.reboot check,apply reason="new kernel" "$@"
	"$lab" wait --boot $((before + 1)) --timeout 120 a >/dev/null </dev/null
}
one=$(boot)
run reboots
like "$out" '"phase": ?"apply".*"result": ?"changed"|"result": ?"changed".*"phase": ?"apply"' "the reboot was accepted"
isnt "$(boot)" "$one" "the server was really started anew"
like "$(in_lab cat /var/lib/t-orderly </dev/null)" ':' "units were stopped in good order"
run step host.reboot verify reason=test
is "$rc" 0 "verify: a unit that was failed before fails nothing"
[ "$rc" = 0 ] || echo "$out"
like "$out" 't-old.service is failed after the reboot, as it was before' "but it is told"
like "$out" "$(boot)" "the new boot id is an output"
like "$(in_lab find / -xdev -name boot-errors.txt </dev/null)" boot-errors "error lines are evidence"
is "$(in_lab find / -xdev -name boot-errors.txt -perm 600 </dev/null | wc -l)" 1 "readable by root alone"

# a unit that fails only after the reboot, and an error in the log
work=/opt/pd/second
in_lab bash -s <<'SERVER'
cat > /etc/systemd/system/t-new.service <<U
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'logger -p daemon.err "the fan has stopped"; exit 1'
[Install]
WantedBy=multi-user.target
U
systemctl daemon-reload
systemctl enable -q t-new
SERVER
run reboots
run step host.reboot verify reason=test
is "$rc" 1 "verify fails for a unit that failed in this boot only"
like "$out" 'well before: t-new.service' "and names it alone"
like "$(in_lab find /opt/pd/second -name boot-errors.txt -exec cat '{}' + </dev/null)" \
	'the fan has stopped' "its error line is evidence"
run step host.reboot verify reason=test fail_on_failed_units=false
is "$rc" 0 "or not, when told so"
in_lab systemctl disable -q t-old t-new </dev/null

# ---- facts, each against a stock tool
in_lab sh -c 'ip address add 192.0.2.7/28 dev host0; ip -6 address add 2001:db8::7/64 dev host0 nodad; ip route add 198.51.100.0/24 via 192.0.2.1; ip -6 route add 2001:db8:5::/48 via 2001:db8::1; echo "nameserver 192.0.2.53" > /etc/resolv.conf; echo "127.0.1.1 a.example.org a" >> /etc/hosts' </dev/null
run scan host
is "$rc" 0 "scan succeeds"
[ "$rc" = 0 ] || echo "$out"
facts=$(printf '%s' "$out" | tr -d '\n')
for value in "$(in_lab uname -r </dev/null)" "$(boot)" bookworm amd64 \
	"$(in_lab systemd-detect-virt </dev/null)" 192.0.2.7 2001:db8::7 \
	198.51.100.0/24 2001:db8:5::/48 192.0.2.53 a.example.org \
	"$(in_lab cat /sys/class/net/host0/address </dev/null)"; do
	like "$facts" "$(printf '%s' "$value" | sed 's/[.]/\\./g')" "facts have $value"
done
started=$(printf '%s' "$facts" | grep -oE '"started": ?[0-9]+' | grep -oE '[0-9]+')
want=$(in_lab sh -c 'date -d "$(ps -o lstart= -p 1)" +%s' </dev/null)
diff=$((started - want))
like "$diff" '^-?[012]$' "the boot's time is the start of init"
for mount in $(in_lab findmnt -rno TARGET -t ext4,xfs,overlay </dev/null | sort -u | head -1); do
	like "$facts" "\"$mount\"" "file system $mount is a disk"
done
unlike "$facts" '"(tmpfs|proc|sysfs|cgroup2|devpts)"' "pseudo file systems are none"
n=$(in_lab sh -c 'ls /sys/bus/pci/devices | wc -l' </dev/null)
is "$(printf '%s' "$facts" | grep -oE 'pci:v[0-9A-F]+' | wc -l)" "$n" "as many PCI devices as the kernel has"

# a user who is logged in
in_lab sh -c 'ssh -o BatchMode=yes -o StrictHostKeyChecking=no -tt root@a "sleep 600" >/dev/null 2>&1 </dev/null &' </dev/null
soon 'loginctl --no-legend list-sessions | grep -q root'
run scan host.host
like "$(printf '%s' "$out" | tr -d '\n')" '"sessions".*"user": ?"root"' "a user who is logged in is a session"

done_testing
