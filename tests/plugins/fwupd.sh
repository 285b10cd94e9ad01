# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# A real fwupd with its own made-up device, on a bus of its own, for tests that
# have sourced common.sh: without a server of the lab, in namespaces that the
# machine's own bus, devices and files are left alone in.
#
#   need_fwupd            exit 77 when there can be none here
#   box_up                the namespaces, the bus, and nobody on it
#   fwupd_up [SETTING...] fwupd anew, with these settings of its made-up device
#   fwupd_down
#   version               what the device has
#   cabinet FILE VERSION [GUID]   an archive with firmware for it
#   in_lab COMMAND...     run in there, so that step, scan and run do

made_up=b585990a-003e-5270-89d5-3705a17f9a43
made_up_id=08d460be0f1f9f128413f816022a6439e0078018
fwupd=/usr/libexec/fwupd/fwupd
box=
box_pid=

need_fwupd()
{
	[ "$(id -u)" = 0 ] || skip_all "a bus and a fwupd of its own need root"
	[ -x "$PD_BUILDDIR/tests/tools/pd-step" ] ||
		skip_all "pd-step is not built in $PD_BUILDDIR/tests/tools"
	[ -x $fwupd ] || skip_all "fwupd is not installed"
	command -v fwupdtool >/dev/null && command -v dbus-daemon >/dev/null && command -v busctl >/dev/null && command -v jq >/dev/null ||
		skip_all "fwupdtool, dbus-daemon, busctl or jq is not installed"
	unshare -m -p -f --mount-proc true 2>/dev/null || skip_all "no namespaces can be made here"
}

box_end()
{
	local status=$?

	trap - EXIT INT TERM
	[ -z "$box_pid" ] || kill -9 "$box_pid" 2>/dev/null
	[ -z "$box" ] || rm -rf "$box"
	exit "$status"
}

reload() { in_lab busctl --system call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig; }

# Only the first process is this test's child; its end is the end of all of them.
box_up()
{
	box=$(mktemp -d)
	chmod 755 "$box"
	work=$box/work
	mkdir -m 755 "$box"/{plugins,etc,services}
	trap box_end EXIT
	trap 'exit 130' INT TERM
	cat >"$box/bus.conf" <<-END
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
		<type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth><servicedir>$box/services</servicedir>
		<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
		</busconfig>
	END
	# shellcheck disable=SC2016
	unshare -m -p -f --mount-proc --kill-child bash -c '
		mount --make-rprivate / && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib &&
			mount -t tmpfs tmpfs /var/cache && mount --bind "$0/etc" /etc/fwupd &&
			mkdir -p /run/dbus /run/lock /var/lib/fwupd /var/cache/fwupd &&
			exec dbus-daemon --config-file="$0/bus.conf" --nofork --nopidfile' "$box" >"$box/bus.log" 2>&1 &
	box_pid=$!
	disown
	for ((i = 0; i < 300; i++)); do
		inner=$(pgrep -P "$box_pid" 2>/dev/null)
		[ -z "$inner" ] || ! nsenter -t "$inner" -m -p test -S /run/dbus/system_bus_socket 2>/dev/null || return 0
		sleep 0.1
	done
	echo "Bail out! there is no bus: $(cat "$box/bus.log")"
	exit 1
}

in_lab() { nsenter -t "$inner" -m -p "$@"; }

step()
{
	in_lab "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$PD_BUILDDIR/plugins/driver/.libs" --work "$work" "$@" </dev/null
}

scan() { in_lab "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$PD_BUILDDIR/plugins/driver/.libs" scan "$1" </dev/null; }

fwupd_down()
{
	in_lab pkill -9 -x fwupd 2>/dev/null
	while in_lab pgrep -x fwupd >/dev/null; do sleep 0.05; done
}

fwupd_up()
{
	fwupd_down
	printf '%s\n' '[fwupd]' TestDevices=true OnlyTrusted=false UpdateMotd=false IdleTimeout=0 '[test]' "$@" >"$box/etc/fwupd.conf"
	chmod 640 "$box/etc/fwupd.conf"
	in_lab setsid $fwupd >>"$box/fwupd.log" 2>&1 </dev/null &
	for ((i = 0; i < 600; i++)); do
		! in_lab busctl --system status org.freedesktop.fwupd >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	echo "Bail out! fwupd does not come up: $(tail -5 "$box/fwupd.log")"
	exit 1
}

ask() { in_lab busctl --system call org.freedesktop.fwupd / org.freedesktop.fwupd "$@"; }
version() { ask GetDevices | grep -o "\"$made_up_id\".*" | sed 's/.*"Version" s "\([^"]*\)".*/\1/'; }

cabinet()
{
	local folder number=${2//./ }

	folder=$(mktemp -d "$box/cabinet.XXXXXX")
	# shellcheck disable=SC2086
	printf '0x%x%02x%04x\0' $number >"$folder/firmware.bin"
	cat >"$folder/firmware.metainfo.xml" <<-END
		<?xml version="1.0" encoding="UTF-8"?>
		<component type="firmware">
		<id>org.example.webcam</id><name>Webcam</name><summary>Made up</summary>
		<provides><firmware type="flashed">${3-$made_up}</firmware></provides>
		<metadata_license>CC0-1.0</metadata_license><project_license>MIT</project_license>
		<developer_name>Example</developer_name>
		<custom><value key="LVFS::VersionFormat">triplet</value><value key="LVFS::UpdateProtocol">com.acme.test</value></custom>
		<releases><release version="$2" date="2026-01-21"><checksum filename="firmware.bin" target="content"/></release></releases>
		</component>
	END
	rm -f "$1"
	in_lab fwupdtool build-cabinet "$1" "$folder/firmware.bin" "$folder/firmware.metainfo.xml" >"$box/cabinet.log" 2>&1 ||
		{ echo "Bail out! no archive: $(cat "$box/cabinet.log")"; exit 1; }
	chmod 644 "$1"
	rm -r "$folder"
}

# patchday ARGUMENT...: the program of the build, with the plugins that a run of firmware needs
patchday()
{
	local name

	if [ ! -e "$box/plugins/driver.so" ]; then
		for name in driver dell lvfs host probe guard; do
			cp "$PD_BUILDDIR/plugins/$name/.libs/$name.so" "$box/plugins/" || exit 1
		done
	fi
	in_lab "$PD_BUILDDIR/patchday" "$1" --state "$box/state" --plugin-dir "$box/plugins" "${@:2}" </dev/null
}
