#!/bin/bash
# SPDX-License-Identifier: MIT
# May I go on?  Guards, waiting that survives everything, emergencies, and
# the times that guards are told.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f

# has the process $pid asked the guard, after it took the run over?
asked() { [ "$(wc -l <"$f/gate.times")" -gt "$lines" ]; }
waits_on() { wait_for asked && wait_for is_state "waiting to go on"; }
reasons() { "${patchday[@]}" status --json | jq -c '[.waits.reasons[]? | .guard + ": " + .cause]'; }
decisions() { "${patchday[@]}" status --json | jq -c "[.decisions[] | .kind + \" \" + (.stage // \"\")]"; }
# begin SCRIPT...: a run in the background, $pid
begin()
{
	"${patchday[@]}" run "${places[@]}" --poll 1 "$@" >"$tmp/out" 2>&1 </dev/null &
	pid=$!
}
again()
{
	lines=$(wc -l <"$f/gate.times")
	"${patchday[@]}" resume "${places[@]}" --poll 1 >"$tmp/out" 2>&1 </dev/null &
	pid=$!
}

guards="steps.gate { path = \"$f/gate\", id = \"front\" }, steps.gate { path = \"$f/second\" },"
workflow gated <<END
pd.stage "one" { steps.write { path = "$f/a" } },
pd.stage "two" { steps.write { path = "$f/b" } },
END

# ---- open
pd run "$tmp/gated.lua"
is "with open gates the run is done" "$rc $(cat "$f/a" "$f/b")" "0 xx"
is "each stage was asked for" "$(decisions)" '["go one","go two"]'
is "by each guard, and in the dry run" "$(wc -l <"$f/gate.times") $(wc -l <"$f/second.times")" "3 3"
rm -f "$f"/*

# ---- plan --check
printf 'the moon is full\n' >"$f/gate"
pd plan --check "$tmp/gated.lua"
is "the dry run shows it and refuses nothing" "$rc" 0
like "with guard and cause" "$out" 'guard front: the gate is shut'
like "the plan names the guards" "$out" '\? front: steps\.gate path='

# ---- no-wait
printf 'the moon is full\nthe tide is high\n' >"$f/gate"
echo "the second" >"$f/second"
pd run --no-wait "$tmp/gated.lua"
is "--no-wait ends at once with status 5" "$rc $(state)" "5 waiting to go on"
is "with every reason of every guard" "$(reasons)" \
	'["front: the moon is full","front: the tide is high","gate: the second"]'
check "nothing was touched" [ ! -e "$f/a" ]
like "status shows risk, cause and remedy" "$("${patchday[@]}" status)" 'remedy: open it'
pd run --no-wait "$tmp/gated.lua"
is "no other run starts meanwhile" "$rc" 4

# ---- emergency
pd resume --emergency frontt --why test
is "an unknown guard is refused" "$rc" 2
like "with the nearest one" "$out" "did you mean 'front'"
pd resume --emergency front
is "so is no reason" "$rc" 2
pd resume --no-wait --emergency front --why "the roof burns"
is "only the named guard is overridden" "$rc $(reasons)" '5 ["gate: the second"]'
like "status shows by whom and why" "$("${patchday[@]}" status)" 'overridden: \["front"\] by .*: the roof burns'
rm "$f/second"
pd resume
is "the others count, then it goes on" "$rc $(cat "$f/a" "$f/b")" "0 xx"
pd report --format xml
like "the report has the override" "$out" 'kind="override".*why="the roof burns"'
like "and what was not listened to" "$out" 'guard="front" overridden="true".*cause="the tide is high"'
pd report
like "also as text" "$out" 'overridden: front: the gate is shut: the moon is full'
rm -f "$f"/*
echo no >"$f/gate"
pd run --emergency front,nobody --why x "$tmp/gated.lua"
is "a run with an unknown guard is not begun" "$rc" 2
is "and not journaled" "$("${patchday[@]}" status --all | wc -l)" 2

# ---- waits in place and goes on by itself
begin "$tmp/gated.lua"
check "it waits" wait_for is_state "waiting to go on"
check "in place" kill -0 $pid
rm "$f/gate"
wait $pid
is "and goes on when the gate opens" "$? $(cat "$f/a" "$f/b")" "0 xx"
is "one waiting, two goes" "$(decisions)" '["wait one","go one","go two"]'
rm -f "$f"/*

# ---- what a person says to a run that waits in another process
workflow two <<END
pd.stage "one" { steps.write { path = "$f/a" } },
pd.stage "two" { steps.write { path = "$f/gate", text = "not now" } },
pd.stage "three" { steps.write { path = "$f/b" } },
END
begin "$tmp/two.lua" --poll 3600
check "it waits in the middle" wait_for is_state "waiting to go on"
pd resume --emergency front
like "nothing is said to it without a reason" "$rc $out" '^2 .*\[guard-why\]'
pd resume --emergency frond --why "the roof burns"
like "nor of a guard that it does not have" "$rc $(xargs -d'\n' <<<"$out")" "^2 .*did you mean 'front'"
pd resume --skip three/steps.write --emergency front --why "the roof burns"
like "nor what can't be said to a run under way" "$rc $out" '^4 .*\[run-locked\]'
pd resume --emergency front --why "the roof burns"
is "the one that waits takes the word, long before it would ask again" "$rc $(state)" "0 done"
like "the one that spoke sees what becomes of it" "$(xargs <<<"$out")" ' override by .*: the roof burns .* three/steps\.write .*: done '
wait $pid
is "and the one that waited has done it" "$? $(cat "$f/b")" "0 x"
like "and says so" "$(cat "$tmp/out")" 'override +by .*: the roof burns'
is "it is journaled once, between the wait and the go" "$(decisions)" '["go one","go two","wait three","override ","go three"]'
rm -f "$f"/*
begin "$tmp/two.lua" --poll 3600
wait_for is_state "waiting to go on"
pd undo
is "it is taken back by the one that waits" "$rc $(state)" "1 rolled back"
like "with who wanted it" "$(xargs <<<"$out")" 'undoing: asked for by .*: rolled back: asked for by '
wait $pid
is "which ends so" "$? $(find "$f" -name '[ab]' | wc -l)" "1 0"
rm -f "$f"/*

# what was said is not lost with a process that did not hear it
begin "$tmp/two.lua" --poll 3600
wait_for is_state "waiting to go on"
kill -STOP $pid
pd resume --emergency front --why "the roof burns" --no-wait
is "--no-wait only says it" "$rc $(state)" "5 waiting to go on"
kill -9 $pid
wait $pid 2>/dev/null
pd resume --unattended --no-wait
is "a resume knows it" "$rc $(cat "$f/b")" "0 x"
rm -f "$f"/*
begin "$tmp/two.lua" --poll 3600
wait_for is_state "waiting to go on"
kill -STOP $pid
"${patchday[@]}" undo "${places[@]}" >"$tmp/undo" 2>&1 </dev/null &
undo=$!
wait_for is_state undoing
kill -9 $pid
wait $pid 2>/dev/null
pd resume --unattended
is "a resume takes back what it was asked to" "$rc $(state)" "1 rolled back"
wait $undo
is "whoever asked for it sees it" "$?" 1
rm -f "$f"/*

# a run that works can't be spoken to, but there is a way
workflow works <<END
pd.stage "one" { steps.write { path = "$f/a", waits_for = "$f/go" } },
END
begin "$tmp/works.lua"
wait_for step_is one/steps.write begun
pd resume --emergency front --why "the roof burns"
like "a run that works is locked" "$rc $out" "^4 .*process $pid is working on run .* at step one/steps.write .*\[run-locked\]"
like "with a way out" "$out" "kill -INT $pid"
pd undo
is "undo is refused too" "$rc" 4
like "and says it too" "$out" "kill -INT $pid"
kill -INT $pid
wait $pid
pd undo
is "that is one" "$rc $(state)" "1 rolled back"
rm -f "$f"/*

# ---- kill -9, SIGTERM, SIGINT
echo shut >"$f/gate"
begin "$tmp/gated.lua"
wait_for is_state "waiting to go on"
kill -9 $pid
wait $pid 2>/dev/null
is "a killed wait is still a wait" "$(state)" "waiting to go on"
like "that nobody waits is said" "$("${patchday[@]}" status)" '^no process waits'
again
check "resume waits on" waits_on
kill -TERM $pid
wait $pid
is "SIGTERM leaves it as it is" "$? $(state)" "5 waiting to go on"
again
check "and so does the next one" waits_on
kill -INT $pid
wait $pid
is "SIGINT too" "$? $(state)" "5 waiting to go on"
check "nothing was touched meanwhile" [ ! -e "$f/a" ]
rm "$f/gate"
pd resume --unattended
is "resume goes on when the gate is open" "$rc $(state)" "0 done"
rm -f "$f"/*

# a server that starts again and again while it waits is not given up
echo shut >"$f/gate"
pd run --no-wait "$tmp/gated.lua"
for _ in $(seq 8); do
	pd resume --unattended --no-wait
done
is "eight starts later it still waits" "$(state)" "waiting to go on"
pd undo
is "undo gives it up" "$rc $(state)" "1 rolled back"
rm -f "$f"/*

# ---- a hold is given back while it waits
workflow holding <<END
pd.hold { steps.write { path = "$f/held" },
  pd.stage "one" { steps.write { path = "$f/gate", text = "not now" } },
  pd.stage "two" { steps.write { path = "$f/b" } },
},
END
pd run --no-wait "$tmp/holding.lua"
is "a stage in the middle waits" "$rc $(state)" "5 waiting to go on"
check "what is held comes back meanwhile" [ ! -e "$f/held" ]
rm "$f/gate"
pd resume
is "then it is held again, and given back at the end" \
	"$rc $(cat "$f/b") $(acts "$f/held" apply) $(acts "$f/held" undo)" "0 x 2 2"
rm -f "$f"/*

# ---- a guard that can't answer says no
echo crash >"$f/gate"
pd run --no-wait "$tmp/gated.lua"
is "a guard that crashes refuses" "$rc $(state)" "5 waiting to go on"
like "and says so" "$(reasons)" 'front: '
pd undo
rm -f "$f"/*

# ---- waiting does not help arguments that make no sense
echo nonsense >"$f/gate"
pd run --no-wait "$tmp/gated.lua"
is "a guard with bad arguments refuses the run" "$rc $(state)" "4 refused"
like "by name" "$out" "guard front: .*such a gate makes no sense"
pd plan "$tmp/gated.lua" --check
is "so does the dry run" "$rc" 4
like "with what to do" "$(paste -sd' ' <<<"$out")" 'cause: +guard front: .*such a gate makes no sense.*remedy: +correct the guard'
is "which is not to wait" "$(grep -c "would wait" <<<"$out")" 0
rm -f "$f"/*

# ---- crash in a stage: not asked again
workflow crashing <<END
pd.stage "one" { steps.write { path = "$f/a", kill = true, mark = "$tmp/mark" }, steps.write { path = "$f/b" } },
END
pd run "$tmp/crashing.lua"
echo shut >"$f/gate"
pd resume --no-wait
is "a stage that was let go on is not asked for again after a crash" "$rc $(cat "$f/b")" "0 x"
rm -f "$f"/*

# ---- times: by the descriptor, then learned
rm -rf "$PATCHDAY_STATE"
workflow slow <<END
pd.stage "one" { steps.write { path = "$f/s1", milliseconds = 2200, id = "slow" } },
pd.stage "two" { steps.write { path = "$f/s2" }, steps.noop {} },
END
pd run "$tmp/slow.lua"
is "before anything is learned: a second each, two can be undone" "$(tail -n 2 "$f/gate.times")" $'3 2\n2 2'
rm -f "$f"/*
pd run "$tmp/slow.lua"
read -r todo undo <"$f/gate.times"
check "the slow step is known the next time ($todo s)" [ "$todo" -ge 3 ]
is "nothing was undone yet: its time is a guess" "$undo" 2
rm -f "$f"/*
pd plan --check "$tmp/slow.lua"
read -r todo undo <"$f/gate.times"
check "plan --check knows it too ($todo s)" [ "$todo" -ge 3 ]
rm -f "$f"/*
workflow other <<END
pd.stage "one" { steps.write { path = "$f/o1" }, steps.write { path = "$f/o2" } },
END
pd run "$tmp/other.lua"
read -r todo undo <"$f/gate.times"
check "another workflow learns by the verb ($todo s)" [ "$todo" -ge 4 ]

# ---- what guards are refused for
guards="steps.noop {}"
workflow wrong <<END
steps.noop {},
END
pd plan "$tmp/wrong.lua"
is "a step that is no guard is refused" "$rc" 2
like "at its line" "$out" "wrong.lua:[0-9]+.*can't be asked"
guards="steps.gate { path = \"$f/gate\", expected_do = 5 }"
workflow own <<END
steps.noop {},
END
pd plan "$tmp/own.lua"
is "a script can't set the engine's parameters" "$rc" 2
like "and the error says so" "$out" "the engine fills in 'expected_do'"

# ---- a workflow that says nothing about guards has two, where their plugin is
cp "$PD_BUILDDIR/plugins/guard/.libs/guard.so" "$tmp/plugins/"
guards=
rm -rf "$f" "$PATCHDAY_STATE"
mkdir -p "$f" "$tmp/lib/dpkg" "$tmp/supplies"
workflow silent <<END
pd.stage "one" { steps.write { path = "$f/a" } }, pd.stage "two" { steps.write { path = "$f/b" } },
END
guards="{}"
workflow bold <<END
pd.stage "one" { steps.write { path = "$f/c" } },
END
pd plan "$tmp/silent.lua"
is "they are in the plan" "$(grep -c -e '? busy: guard.busy$' -e '? power: guard.power$' <<<"$out")" 2
pd plan "$tmp/bold.lua"
is "an empty list leaves them out" "$(grep -cE "busy|power" <<<"$out")" 0
# apart COMMAND...: with locks, processes and power supplies of its own; what this machine does is not the test's
apart()
{
	# shellcheck disable=SC2016
	unshare -mpf --mount-proc sh -c 'mount --bind "$0/lib" /var/lib && { [ ! -d /sys/class/power_supply ] ||
		mount --bind "$0/supplies" /sys/class/power_supply; } && exec "$@"' "$tmp" "$@"
}
if apart true 2>/dev/null; then
	: >"$tmp/lib/dpkg/lock-frontend"
	# shellcheck disable=SC2094
	perl -e 'use Fcntl; open(F, "+<", $ARGV[0]); my $l = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0);
		fcntl(F, F_SETLK, $l) or die; print "held\n"; close(STDOUT); sleep 600' "$tmp/lib/dpkg/lock-frontend" >"$tmp/held" &
	holder=$!
	wait_for test -s "$tmp/held"
	apart "${patchday[@]}" run "${places[@]}" --poll 1 "$tmp/silent.lua" >"$tmp/out" 2>&1 </dev/null &
	pid=$!
	wait_for is_state "waiting to go on"
	like "it waits while somebody installs packages" "$(reasons)" '^\["busy: .* holds /var/lib/dpkg/lock-frontend"\]$'
	check "and touches nothing" [ ! -e "$f/a" ]
	out=$(apart "${patchday[@]}" run "${places[@]}" --no-wait --state "$tmp/other" "$tmp/bold.lua" 2>&1 </dev/null)
	is "one with an empty list asks nobody" "$? $(cat "$f/c")" "0 x"
	kill $holder
	wait $holder 2>/dev/null
	wait $pid
	is "and goes on when that has ended" "$? $(state) $(cat "$f/a" "$f/b")" "0 done xx"
	is "each stage was asked for" "$(decisions)" '["wait one","go one","go two"]'
	rm -rf "$tmp/other"
else
	echo "# no namespaces here: the locks of this machine can't be left alone"
fi
end
