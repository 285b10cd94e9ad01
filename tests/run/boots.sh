# SPDX-License-Identifier: MIT
# Sourced in place of run.sh by tests in which the server is started again: a
# mount namespace of our own, in which the boot id is a file of ours.
# shellcheck shell=bash disable=SC2034
if [ -z "${PD_OWN_MOUNTS:-}" ]; then
	unshare -m true 2>/dev/null || exit 77
	PD_OWN_MOUNTS=1 exec unshare -m bash "$0" "$@"
fi
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f
boots=0
# the next start of the server, of boots so far
boot()
{
	boots=$((boots + 1))
	echo "boot-$boots" >"$tmp/boot_id"
}
boot
mount --bind "$tmp/boot_id" /proc/sys/kernel/random/boot_id 2>/dev/null || skip "no mounts in a namespace"
trap 'umount /proc/sys/kernel/random/boot_id; rm -rf "$tmp"' EXIT
[ ! -d /run/systemd/system ] || mount -t tmpfs none /run/systemd

# without_unit COMMAND...: where systemd runs and no unit can be written
without_unit()
{
	mkdir -p /run/systemd/system
	[ ! -d /etc/systemd/system ] || mount -t tmpfs -o ro none /etc/systemd/system
	"$@"
	[ ! -d /etc/systemd/system ] || umount /etc/systemd/system
	rmdir /run/systemd/system
}
