# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154,SC2016
# Sourced by the tests of the plugin recovery, after common.sh: a server with Relax-and-Recover, on which a run of it takes as
# little as it can.
#
#   rear_server PACKAGE...  has it installed in the server, with these packages beside; sets $tmp
#   config [LINE...]        rear's configuration: what a server without disks needs, and these lines behind
#   killed TO PHASES...     that backup or stick, by pd-step, is killed with all of rear when half of the archive is written
#   refused TEXT CAUSE [REMEDY]  what $out says of a check that was not to be passed

refused()
{
	is "$(sed -n 's/.*"phase":"check","result":"\([a-z-]*\)".*/\1/p' <<<"$out")" refused "$1: refused"
	like "$out" "\"cause\":\"[^\"]*$2" "$1: the cause is told"
	[ -z "${3-}" ] || like "$out" "\"remedy\":\"[^\"]*$3" "$1: and what to do"
}

# What rear takes along beside what it can't do without, and its own look for their libraries, take most of its time.
rear_server()
{
	in_lab bash -s "$@" >"$tmp/install" 2>&1 <<-'SERVER' || { echo "Bail out! rear is not installed"; tail -5 "$tmp/install"; exit 1; }
		set -e
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		apt-get install -qqy --no-install-recommends rear cpio file "$@"
		rm /usr/share/rear/build/default/990_verify_rootfs.sh
	SERVER
	cat >"$tmp/local.conf" <<-'END'
		BOOTLOADER=GRUB
		KERNEL_FILE=/boot/kernel
		MODULES=( no_modules )
		FIRMWARE_FILES=( no )
		PROGS=( init sh mount umount )
		USE_SERIAL_CONSOLE=no
		USE_RESOLV_CONF=no
		KERNEL_CMDLINE="console=ttyS0 no_timer_check"
		REAR_INITRD_COMPRESSION=fast
		BACKUP_PROG_INCLUDE=( /etc /usr/sbin/ldconfig /usr/sbin/useradd )
	END
	config
}

config() { (cat "$tmp/local.conf"; printf '%s\n' "$@") | in_lab sh -c 'cat >/etc/rear/local.conf; chmod 600 /etc/rear/local.conf'; }

# What is killed may still end while it has the mounts that rear had: all that is in them goes, and is waited for.
killed()
{
	config 'BACKUP_PROG_COMPRESS_OPTIONS=( --use-compress-program=/opt/pd/slow )'
	in_lab bash -s "$work" "$@" <<-'SERVER'
		printf '%s\n' '#!/bin/sh' '(head -c 200000; touch /run/half; sleep 600) | gzip' >/opt/pd/slow
		chmod 755 /opt/pd/slow
		rm -f /run/half
		LD_LIBRARY_PATH=/opt/pd/lib setsid /opt/pd/pd-step --plugin-dir /opt/pd/plugins --work "$1" "${@:2}" \
			>/opt/pd/killed.out 2>&1 </dev/null &
		for _ in $(seq 1800); do [ ! -e /run/half ] || break; sleep 0.1; done
		[ -e /run/half ] || exit
		worker=$(pgrep -P $! | head -n 1) space=$(readlink "/proc/$worker/ns/mnt")
		[ "$space" != "$(readlink /proc/self/ns/mnt)" ] || exit
		kill -KILL $! "$worker"
		while left=; do
			for process in /proc/[0-9]*; do
				[ "$(readlink "$process/ns/mnt")" != "$space" ] || { left=1; kill -KILL "${process#/proc/}"; }
			done
			[ -n "$left" ] || break
			sleep 0.1
		done 2>/dev/null
	SERVER
	config
}
