#!/bin/bash
# SPDX-License-Identifier: MIT
# A dry run where nothing can be written: everything that is mounted, / too, is
# mounted read-only, in a mount namespace of its own.  It says the same as else.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f
cp "$PD_BUILDDIR/plugins/host/.libs/host.so" "$tmp/plugins/"

# still COMMAND...: with nothing to write to; 99: there is something
still()
{
	unshare -m --propagation private bash -c '
		while read -r _ _ _ _ where _; do
			mount -o remount,bind,ro "$(printf %b "$where")" 2>/dev/null
		done </proc/self/mountinfo
		for folder in / "$PATCHDAY_STATE/.." /tmp /var/tmp /run /dev/shm; do
			! touch "$folder/patchday-written" 2>/dev/null || exit 99
		done
		exec "$@"' bash "$@" 2>&1 </dev/null
}
still true
[ $? = 0 ] || skip "not everything can be mounted read-only"

workflow dry <<END
(function()
  local a = steps.write { path = "$f/a", text = "A", evidence = true }
  return pd.stage "one" { a, steps.write { path = "$f/b", text = a.out.path, id = "b" }, steps.noop {} }
end)(),
pd.stage "two" { steps.mint { path = "$f/c" }, steps.burn { path = "$f/d" } },
pd.signoff { parties = { "owner" } },
END
touch "$tmp/said" "$tmp/said.still"
everything() { find "$tmp" -path "$tmp/said*" -prune -o -printf '%p %s %T@ %C@\n' | sort; }
before=

# look TEXT: a dry run, and one where nothing can be written
look()
{
	local ended

	before=$(everything)
	still "${patchday[@]}" plan "${places[@]}" --check "$tmp/dry.lua" >"$tmp/said.still"
	ended=$?
	is "$1: nothing is changed" "$(everything)" "$before"
	"${patchday[@]}" plan "${places[@]}" --check "$tmp/dry.lua" >"$tmp/said" 2>&1 </dev/null
	is "$1: the dry run ends as one does where it could write" $ended $?
	is "$1: and says the same" "$(cat "$tmp/said.still")" "$(cat "$tmp/said")"
}
look "without a journal"
is "each step has looked" "$(grep -cE '^ +(changed|unchanged|refused|unknown) +(one|two)/' "$tmp/said")" 5
check "there is none after it" [ ! -e "$PATCHDAY_STATE" ]
pd run "$tmp/dry.lua" --accept-no-return "this is a test"
is "a run leaves one" "$rc $(state)" "5 waiting for sign-off"
look "with a journal"
before=$(everything)
still "${patchday[@]}" run "${places[@]}" "$tmp/dry.lua" --accept-no-return "this is a test" >"$tmp/said"
is "a run itself can't begin there" $? 4
like "since it writes" "$(cat "$tmp/said")" "cannot (open|write) $PATCHDAY_STATE/"
is "and leaves all as it is" "$(everything)" "$before"

# what has to write later sees that it can't
workflow room <<END
pd.use "host".space { path = "$f", bytes = 1 },
END
pd plan --check "$tmp/room.lua"
is "there is room" "$rc" 0
still "${patchday[@]}" plan "${places[@]}" --check "$tmp/room.lua" >"$tmp/said"
is "but not there" $? 4
like "and why is said" "$(cat "$tmp/said")" 'read-only'
end
