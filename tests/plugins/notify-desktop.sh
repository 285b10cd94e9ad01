#!/bin/bash
# SPDX-License-Identifier: MIT
# The step notify.desktop with real session buses of two users, a notification
# server on each, and sessions as logind writes them down.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "sessions of others need root"
for program in dbus-daemon setpriv unshare; do
	command -v $program >/dev/null || skip "$program is not installed"
done
if [ -z "${PD_INSIDE-}" ]; then
	unshare --mount true 2>/dev/null || skip "there can be no mounts of its own here"
	PD_INSIDE=1 exec unshare --mount --pid --fork --mount-proc --kill-child "$0"
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 711 "$tmp"
umask 022
mount -t tmpfs none /run && mkdir -p /run/systemd/sessions "$tmp/plugins" || exit 99
cp "$PD_BUILDDIR/plugins/notify/.libs/notify.so" "$tmp/plugins/"
cp "$PD_BUILDDIR/tests/tools/pd-desktop" "$tmp/" 2>/dev/null
[ ! -e "$PD_BUILDDIR/tests/tools/.libs/pd-desktop" ] || cp "$PD_BUILDDIR/tests/tools/.libs/pd-desktop" "$tmp/"
first=$(id -u nobody) second=$(id -u daemon)

# session NAME UID TYPE [CLASS]: as logind knows it
session() { printf 'UID=%s\nACTIVE=1\nSTATE=active\nTYPE=%s\nCLASS=%s\n' "$2" "$3" "${4-user}" >"/run/systemd/sessions/$1"; }
# as UID COMMAND...: in place of this shell
as() { exec setpriv --reuid "$1" --regid "$1" --clear-groups env -i DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$1/bus" "${@:2}"; }
# bus UID: its session bus
bus()
{
	install -d -m 700 -o "$1" -g "$1" "/run/user/$1"
	as "$1" dbus-daemon --session --nofork --nopidfile --address="unix:path=/run/user/$1/bus" >/dev/null 2>&1 &
	for ((i = 0; i < 200; i++)); do
		[ -S "/run/user/$1/bus" ] && return
		sleep 0.05
	done
}
# desktop UID [WORD]...: somebody in front of it; what is shown goes to $tmp/shown-UID
desktop()
{
	: >"$tmp/shown-$1" # the word of the one before is not for this one
	as "$1" "$tmp/pd-desktop" "${@:2}" >"$tmp/shown-$1" 2>&1 &
	desktops+=($!)
	for ((i = 0; i < 200; i++)); do
		grep -qs ready "$tmp/shown-$1" && return
		sleep 0.05
	done
	cat "$tmp/shown-$1"
}
leave()
{
	kill "${desktops[@]}" && wait "${desktops[@]}" 2>/dev/null
	desktops=()
}
desktops=() limit=
# step PHASES [NAME=VALUE]...: sets $out, $rc, $result
tool()
{
	exec ${limit:+timeout -k 5 "$limit"} "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$work" notify.desktop "$1" \
		text="Save <your> work & log out." "${@:2}" 2>&1 </dev/null
}
step()
{
	out=$(limit=60 && tool "$@")
	rc=$?
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
}
# output NAME: its last value, a list with blanks between
output() { grep '"event":"output"' <<<"$out" | sed -n "s/.*\"name\":\"$1\",\"value\":\(.*\)}\$/\1/p" | tail -n 1 | tr -d '[]"'; }
shown() { grep -v ready "$tmp/shown-$1"; }

# ---- nobody
session c0 "$first" tty
session c1 "$first" x11 greeter
work=$tmp/nobody
step check,apply,verify countdown=4h
is "with nobody at a desktop nobody is waited for" "$rc $(output told)" "0 "

# ---- somebody who does nothing
bus "$first"
session c2 "$first" wayland
session c3 "$first" wayland
desktop "$first"
work=$tmp/one
step check,apply,verify countdown=3 postpones=0
is "a countdown to its end" "$rc $(output told) $(output postponed)" "0 nobody (wayland) 0"
[ "$rc" = 0 ] || echo "$out"
like "it is shown" "$(shown "$first")" '^1 replaces 0 \[\] This server is about to be patched \| Save &lt;your&gt; work &amp; log out\.  It begins in [1-3] seconds?\.$'
like "and its end in its place" "$(shown "$first" | tail -n 1)" '^1 replaces 1 \[\] .*It begins now\.$'
step apply
is "a second apply tells nobody" "$result $(shown "$first" | grep -c 'begins now')" "unchanged 1"
leave

# ---- two, of whom one puts it off
bus "$second"
session c4 "$second" x11
desktop "$first" --eager press press press press
desktop "$second"
work=$tmp/two
step check,apply,verify countdown=3 postpone=3 postpones=2 title="Patch day"
is "put off as often as allowed" "$rc $(output postponed)" "0 2"
[ "$rc" = 0 ] || echo "$out"
like "each knows how" "$(shown "$second" | head -n 1)" '^1 replaces 0 \[Postpone by 3 seconds \(2 left\)\] Patch day \|'
like "and how often still" "$(shown "$second")" '^1 replaces 1 \[Postpone by 3 seconds \(1 left\)\] .* begins in [1-9] seconds?'
like "in the end it is offered no more" "$(shown "$second" | sed -n 3p)" '^1 replaces 1 \[\] .* begins in [1-9] seconds?\.$'
like "the evidence says who was told" "$(cat "$work/notify.desktop/desktop.txt")" 'told nobody \(wayland\)'
is "and when it was put off" "$(grep -c 'postponed by 3 seconds, [12] of 2' "$work/notify.desktop/desktop.txt")" 2
leave

# ---- closed, and a server that can't do much
desktop "$first" close
desktop "$second" --plain
work=$tmp/closed
step apply countdown=11 # it would be shown again after ten seconds
is "who closes it is let alone until the end" "$rc $(shown "$first" | sed 's/ replaces.*begins / /' | paste -sd' ')" "0 $(
	shown "$first" | sed -n '1s/ replaces.*begins / /p') 2 now."
like "without actions none is offered, nor markup used" "$(shown "$second" | head -n 1)" '\[\] .*Save <your> work & log out'
leave

# ---- what goes wrong
desktop "$second"
work=$tmp/gone
step apply countdown=1
is "one without a notification server is passed over" "$rc" 0
like "and told of" "$out" 'nobody \(wayland\) isn.t told: the session.s notifications can.t be reached'
like "the other one is told" "$(shown "$second")" 'begins now'
work=$tmp/again
tool apply countdown=4h >/dev/null & pid=$!
for ((i = 0; i < 200; i++)); do
	grep -q 'begins in 240 minutes' "$tmp/shown-$second" && break
	sleep 0.05
done
kill -9 "$pid"
wait "$pid" 2>/dev/null
until=$(sed -n 's/.*"until": "\([0-9]*\)".*/\1/p' "$work/state.json")
like "how far the countdown is, is remembered" "$until" '^[0-9]+$'
sed -i "s/\"until\": \"[0-9]*\"/\"until\": \"1000000000\"/" "$work/state.json"
step apply countdown=4h
is "after a crash it does not begin anew" "$rc $result" "0 changed"
leave
end
