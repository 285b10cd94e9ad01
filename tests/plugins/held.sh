#!/bin/bash
# SPDX-License-Identifier: MIT
# What holds for a patch day, as far as it needs no server: arguments, refusals.
# The rest is in the tests of schedule, antivirus, ups and quota in the lab.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -m 755 "$tmp/plugins"

# use PLUGIN; then: step STEP PHASES ARGUMENT...: sets $out, $result and $message
use() { cp "$PD_BUILDDIR/plugins/$1/.libs/$1.so" "$tmp/plugins/"; }
step()
{
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$tmp/work" "$@" 2>&1)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	message=$(sed -n 's/.*"message":"\(.*\)","seconds".*/\1/p' <<<"$out")
}

# ---- schedule
use schedule
if [ ! -d /run/systemd/system ]; then
	step schedule.hold check
	is "without systemd there is nothing to hold" "$result" refused
	like "and it says so" "$message" 'not run by systemd .*: schedule.hold can do nothing here'
fi
step schedule.hold check timeout=0
like "a time that is out of range" "$out" "timeout.*(1|3000)"
step schedule.hold check running=kill
like "a word that is no choice" "$out" "running.*(wait|leave)"

# ---- antivirus: an updater and definitions of our own
if [ "$(id -u)" = 0 ]; then
	use antivirus
	mkdir "$tmp/definitions"
	printf '#!/bin/sh\necho new >"%s/definitions/b.ndb"; rm -f "%s/definitions/a.ndb"\n' "$tmp" "$tmp" >"$tmp/updater"
	printf '#!/bin/sh\necho "the source is dry" >&2; exit 3\n' >"$tmp/fails"
	chmod 755 "$tmp/updater" "$tmp/fails"
	echo old >"$tmp/definitions/a.ndb"
	chmod 640 "$tmp/definitions/a.ndb"
	touch -d '2 days ago' "$tmp/definitions/a.ndb"
	what() { (cd "$tmp/definitions" && stat -c '%n %s %a %Y' -- *); }
	before=$(what)
	step antivirus.update check "command=$tmp/fails" "definitions=$tmp/definitions"
	is "check looks only" "$result $(what)" "changed $before"
	step antivirus.update check,apply "command=$tmp/fails" "definitions=$tmp/definitions"
	is "an updater that fails" "$result" failed
	like "says why" "$message" 'ended with status 3: the source is dry'
	step antivirus.update check,apply,verify "command=$tmp/updater" "definitions=$tmp/definitions"
	is "one that works" "$result $(ls "$tmp/definitions")" "unchanged b.ndb"
	step antivirus.update check "command=$tmp/updater" "definitions=$tmp/definitions"
	is "is not called twice" "$result" unchanged
	step antivirus.update undo "command=$tmp/updater" "definitions=$tmp/definitions"
	is "and is taken back" "$result $(what)" "changed $before"
	rm -rf "$tmp/work"
	step antivirus.update apply "command=true" "definitions=$tmp/definitions" max_age=1d
	like "definitions that are not new" "$message" 'are 48 h old, 24 h are allowed'
	step antivirus.update check "command=no-such-updater" "definitions=$tmp/definitions"
	is "a program that is not there" "$result" refused
	step antivirus.update check "command=" "definitions=$tmp/definitions"
	is "no program" "$result" bad-args
fi

# ---- ups: a upsc of our own
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	use ups
	mkdir "$tmp/sbin"
	printf '%s\n' '#!/bin/sh' 'case $1 in -l) exit 1 ;; esac' "cat '$tmp'/ups-\$1" >"$tmp/sbin/upsc"
	chmod 755 "$tmp/sbin/upsc"
	# power STATUS MORE...: what the guard says to a UPS with that status
	power()
	{
		printf 'ups.status: %s\nbattery.charge: 60.5\n' "$1" >"$tmp/ups-rack"
		shift
		# shellcheck disable=SC2016
		out=$(unshare -m sh -c 'mount --bind "$1" /usr/sbin && shift && exec "$@"' sh "$tmp/sbin" \
			"$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$tmp/work" ups.line check ups=rack "$@" 2>&1)
		result=$(sed -n 's/.*"phase":"check","result":"\([a-z-]*\)".*/\1/p' <<<"$out")
		causes=$(sed -n 's/.*"event":"inhibit".*"cause":"\([^"]*\)".*/\1/p' <<<"$out")
	}
	for status in OL "OL CHRG" "OL BOOST" "OL RB" "OL OVER ALARM"; do
		power "$status"
		is "status $status" "$result" unchanged
	done
	while read -r status why; do
		power "${status//_/ }"
		is "status $status" "$result $causes" "refused UPS rack $why (${status//_/ })"
	done <<'STATES'
OB is on battery
OB_LB has a low battery
OL_LB has a low battery
OFF is switched off
BYPASS is bypassed
OL_CAL drains its battery to measure it
FSD_OB is shutting down
STATES
	power OL charge=61
	is "charge" "$causes" "the battery of UPS rack has 60 %, 61 % are asked for"
	power OL charge=60
	is "as much as is asked for" "$result" unchanged
	power OL runtime=1m
	is "a running time that is not told" "$causes" "UPS rack does not tell how long its battery lasts"
	power ""
	is "no status is none" "$result" failed
fi

# ---- quota
if [ "$(id -u)" = 0 ]; then
	use quota
	step quota.hold check mounts=/proc
	is "a file system without a quota" "$result" refused
	like "is named" "$message" 'no quota is enforced on /proc'
fi
end
