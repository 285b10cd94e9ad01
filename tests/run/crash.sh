#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of patchday at random moments and inside of apply: every resume ends
# done or rolled back, nothing is applied twice, nothing is lost.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f
rounds=${PD_CRASH_ROUNDS:-25}

# twelve steps of a few milliseconds; LAST: how the last one fails
many()
{
	local i

	echo "pd.hold { steps.write { path = \"$f/held\" },"
	echo "pd.stage \"work\" { on_failure = \"undo\","
	for i in $(seq 12); do
		echo "steps.write { path = \"$f/$i\", milliseconds = 12 },"
	done
	echo "steps.write { path = \"$f/13\", fail = \"$1\" } } }"
}

# one_round SCRIPT WANTED-STATE: start, kill and resume until it ends
one_round()
{
	local pid kills=0

	rm -rf "$PATCHDAY_STATE" "$f"
	mkdir "$f"
	"${patchday[@]}" run "${places[@]}" "$1" >"$tmp/out" 2>&1 </dev/null &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		sleep 0.0$((RANDOM % 90 + 10))
		# it may have come to its end before
		kill -9 $pid 2>/dev/null || break
		kills=$((kills + 1))
		wait $pid 2>/dev/null
		[ $kills -lt 6 ] || break
		"${patchday[@]}" resume "${places[@]}" >>"$tmp/out" 2>&1 </dev/null &
		pid=$!
	done
	wait $pid 2>/dev/null
	total_kills=$((total_kills + kills))
	# killed before the run was journaled: there is nothing to resume
	"${patchday[@]}" status >/dev/null 2>&1 || return 0
	pd resume
	[ "$(state)" = "$2" ] || { echo "# ended $(state), not $2"; sed 's/^/#   /' "$tmp/out"; return 1; }
}

total_kills=0
many nowhere | workflow "done"
bad=0
for i in $(seq "$rounds"); do
	one_round "$tmp/done.lua" "done" || bad=$((bad + 1))
	[ -e "$PATCHDAY_STATE/journal.db" ] && "${patchday[@]}" status >/dev/null 2>&1 || continue
	for s in $(seq 13); do
		[ "$(cat "$f/$s" 2>/dev/null)" = x ] || { bad=$((bad + 1)); echo "# $s is lost"; }
		[ "$(acts "$f/$s" apply)" -le 1 ] || { bad=$((bad + 1)); echo "# $s was applied twice"; }
	done
	[ ! -e "$f/held" ] || { bad=$((bad + 1)); echo "# it is still held"; }
done
is "$rounds runs, $total_kills kills: all done, nothing twice, nothing lost" $bad 0
check "there were kills" [ $total_kills -gt 0 ]

many apply | workflow back
bad=0
for i in $(seq "$rounds"); do
	one_round "$tmp/back.lua" "rolled back" || bad=$((bad + 1))
	left=$(find "$f" -type f ! -name '*.log' | wc -l)
	[ "$left" = 0 ] || { bad=$((bad + 1)); echo "# $left files are left"; }
done
is "$rounds runs with a failing step: all rolled back, nothing left" $bad 0

# the engine is killed by the step itself, between intent and result
workflow inside <<END
pd.stage "one" { steps.write { path = "$f/i1" },
  steps.write { path = "$f/i2", kill = true, mark = "$tmp/killed" }, steps.write { path = "$f/i3" } },
END
rm -rf "$PATCHDAY_STATE" "$f"
mkdir "$f"
pd run "$tmp/inside.lua"
is "the engine was killed" "$rc" 137
like "status does not call a dead run running" "$("${patchday[@]}" status)" 'state: interrupted'
pd resume
is "resume ends done" "$rc $(cat "$f/i1" "$f/i2" "$f/i3")" "0 xxx"
is "the first step was not repeated" "$(acts "$f/i1" apply)" 1
end
