# SPDX-License-Identifier: MIT
# Sourced by the tests of the engine: patchday from the build tree with the
# plugin `steps`, a state folder and a place for files that are both new.
# shellcheck shell=bash disable=SC2034
set -u
. "$PD_SRCDIR/tests/style/tap.sh"
[ "$(id -u)" = 0 ] || skip "a run needs root"
# there is one run per server where systemd runs: each test has units of its own there
if [ -d /run/systemd/system ] && [ -d /etc/systemd/system ]; then
	if [ -z "${PD_OWN_MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
		PD_OWN_MOUNTS=1 exec unshare -m bash "$0" "$@"
	fi
	[ -z "${PD_OWN_MOUNTS:-}" ] || mount -t tmpfs none /etc/systemd/system
fi
# memory is enough against kill -9, and leaves slow disks out of it
[ ! -d /dev/shm ] || export TMPDIR=/dev/shm
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export PATCHDAY_STATE=$tmp/state
mkdir "$tmp/plugins" "$tmp/f"
cp "$PD_BUILDDIR/tests/run/.libs/steps.so" "$tmp/plugins/"
patchday=("$PD_BUILDDIR/patchday")
[ ! -x "$PD_BUILDDIR/.libs/patchday" ] || patchday=("$PD_BUILDDIR/.libs/patchday")
places=(--plugin-dir "$tmp/plugins" --scripts "$PD_SRCDIR/scripts")

# pd COMMAND ARGUMENT...: sets $out and $rc
pd()
{
	local command=$1

	shift
	out=$("${patchday[@]}" "$command" "${places[@]}" "$@" 2>&1 </dev/null)
	rc=$?
}

# typed [QUESTION ANSWER]... -- COMMAND ARGUMENT...: a person at a terminal;
# sets $out and $rc
typed()
{
	out=$(timeout 300 python3 "$PD_SRCDIR/tests/run/typist.py" "$@" 2>&1 </dev/null)
	rc=$?
}

# wait_for COMMAND...: until it succeeds; a minute is for a test that fails
wait_for()
{
	local end=$((SECONDS + 60))

	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# workflow NAME: standard input is what the plan function returns
workflow()
{
	cat >"$tmp/$1.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "$1", role = "test", help = "a test",
  plan = function(t)
    return {
$(cat)
    }
  end${guards:+, guards = function(t) return { $guards \} end} }
END
}

# the newest run's state, and of each step
state()
{
	"${patchday[@]}" status --json | jq -r .state
}

step_state()
{
	"${patchday[@]}" status --json | jq -r --arg id "$1" '.steps[] | select(.id == $id) | .state'
}

is_state() { [ "$(state)" = "$1" ]; }
step_is() { [ "$(step_state "$1")" = "$2" ]; }

# how often a file was written or taken back
acts()
{
	grep -c "^$2$" "$1.log" 2>/dev/null || [ -e "$1.log" ] || echo 0
}
