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
end
