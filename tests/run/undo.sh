#!/bin/bash
# SPDX-License-Identifier: MIT
# The way back and its end: stuck undos, the mark on the server, reboots after
# an undo, retries, the reboot budget, the sign of life.
. "${PD_SRCDIR:?}/tests/run/boots.sh" || exit 99

workflow good <<END
pd.stage "one" { steps.noop {} },
END
workflow stuck <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/u1" },
  steps.write { path = "$f/u2", fail = "undo" }, steps.write { path = "$f/u3", fail = "apply" } },
END
pd run "$tmp/good.lua"
older=$("${patchday[@]}" status --json | jq -r .run)
pd run "$tmp/stuck.lua"
is "an undo that fails makes the server inconsistent" "$rc $(state)" "3 inconsistent"
like "since that step" "$out" 'since step one/steps.write#2: told to fail in undo'
is "what was done before it stays as it is" "$(cat "$f/u1")" x
pd run "$tmp/good.lua"
is "no run starts" "$rc" 4
like "for that reason" "$out" 'run-inconsistent'
pd plan "$tmp/good.lua" --check
is "the dry run says so too" "$rc $([[ $out == *"is inconsistent: "*"patchday undo"* ]] && echo named)" "4 named"
pd resume
is "no resume" "$rc" 3
pd undo "$older"
is "and no undo of another run" "$rc" 4
pd undo
is "undo of this one can be tried again" "$rc $(acts "$f/u2" undo)" "3 0"
pd status --clear
is "clearing needs a reason" "$rc" 2
pd status "$older" --clear --why x
is "and an inconsistent run" "$rc" 2
if command -v setpriv >/dev/null; then
	chmod 755 "$tmp"
	out=$(setpriv --reuid=65534 --clear-groups "${patchday[@]}" status --clear --why x 2>&1)
	like "and root" "$out" 'not-root'
fi
pd status --clear --why "taken back by hand"
is "then it is cleared" "$rc $(state)" "0 cleared"
like "with who and why in the journal" "$(sqlite3 "$PATCHDAY_STATE/journal.db" "SELECT data FROM event WHERE kind = 'clear'" 2>/dev/null ||
	"${patchday[@]}" status)" 'taken back by hand'
like "and in the report" "$("${patchday[@]}" report --scripts "$PD_SRCDIR/scripts")" 'taken back by hand'
pd undo
is "a cleared run is not undone any more" "$rc" 4
pd run "$tmp/good.lua"
is "and new runs start" "$rc" 0

# an older run that gets stuck blocks as well, although it is not the newest
workflow old <<END
pd.stage "one" { steps.write { path = "$f/o1", fail = "undo" } },
END
pd run "$tmp/old.lua"
older=$("${patchday[@]}" status --json | jq -r .run)
pd run "$tmp/good.lua"
pd undo "$older"
is "the undo of an older run gets stuck" "$rc" 3
pd run "$tmp/good.lua"
is "and that blocks new ones" "$rc" 4
pd status "$older" --clear --why mended
pd run "$tmp/good.lua"
is "until it is cleared" "$rc" 0

# a kill in the middle of the undo
workflow slow <<END
pd.stage "one" { on_failure = "undo",
  $(for i in 1 2 3 4 5; do echo "steps.write { path = \"$f/s$i\"$([ $i != 3 ] || echo ", back_waits_for = \"$f/go\"") },"; done)
  steps.write { path = "$f/s6", fail = "apply" } },
END
"${patchday[@]}" run "${places[@]}" "$tmp/slow.lua" >/dev/null 2>&1 </dev/null &
pid=$!
wait_for step_is 'one/steps.write#3' undoing
kill -9 $pid
wait $pid 2>/dev/null
touch "$f/go"
is "the undo is cut off" "$("${patchday[@]}" status --json | jq -r .state)" interrupted
pd run "$tmp/good.lua"
is "another run can't start meanwhile" "$rc" 4
pd resume --unattended
is "and goes on by itself" "$rc $(state)" "1 rolled back"
is "in reverse order, each once" "$(for i in 1 2 3 4 5; do acts "$f/s$i" undo; done | tr -d '\n') $(find "$f" -name 's[0-9]' | wc -l)" "11111 0"

# a person goes on with the run while the server goes down
workflow going <<END
pd.stage "install" { on_failure = "undo", steps.write { path = "$f/g1" }, steps.reboot { path = "$f/g2" },
  steps.write { path = "$f/g3", fail = "apply" } },
END
pd run "$tmp/going.lua"
is "it waits for the reboot" "$rc $(state)" "5 rebooting"
for phase in check apply; do
	touch "$f/g2.$phase"
	pd resume
	is "a reboot that can't be asked for again may still come ($phase)" "$rc $(state) $(acts "$f/g1" undo)" "5 rebooting 0"
	like "which is said" "$out" 'has not come yet, and asking for it again failed: nobody is there.*reboot the server'
	[ $phase = apply ] || for _ in 1 2 3; do pd resume; done
	rm "$f/g2.$phase"
done
is "however often it is tried" "$rc $(state)" "5 rebooting"
boot
touch "$f/g2.apply"
pd resume --unattended
is "one that the way back can't ask for at all does not" "$rc $(state)" "3 inconsistent"
rm "$f/g2.apply"
pd undo
is "but it can be asked for later" "$rc $(acts "$f/g2" "reboot back")" "5 1"
touch "$f/g2.apply"
pd undo
is "and may come when it can't be asked for again" "$rc $(acts "$f/g2" "reboot back")" "5 1"
mv "$f/g2.apply" "$f/g2.check"
for _ in 1 2 3 4; do pd resume; done
is "however often it is tried" "$rc $(state) $(acts "$f/g2" "reboot back")" "5 rebooting 1"
rm "$f/g2.check"
boot
pd resume --unattended
is "the run is rolled back" "$rc $(state)" "1 rolled back"

# a person who stops it while it asks again wants it stopped
workflow asking <<END
pd.stage "one" { steps.reboot { path = "$f/a1", waits_for = "$f/go" } },
END
touch "$f/go"
pd run "$tmp/asking.lua"
rm "$f/go"
(trap - INT; exec "${patchday[@]}" resume "${places[@]}" >/dev/null 2>&1 </dev/null) &
pid=$!
asks() { [ "$(grep -c waits "$f/a1.log")" = 2 ]; }
check "it asks again" wait_for asks
kill -INT $pid
wait $pid
is "stopped meanwhile it is stopped, and waits for no reboot" "$? $(state)" "5 stopped"
pd undo

# killed in the countdown again and again: nothing was asked for yet
cat >"$tmp/countdown.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "countdown", reboots = 1, plan = function()
	return { steps.reboot { path = "$f/c1", waits_for = "$f/go" } } end }
END
counts() { [ "$(grep -c waits "$f/c1.log" 2>/dev/null)" = "$1" ]; }
for n in 1 2 3 4; do
	command=(resume)
	[ $n != 1 ] || command=(run "$tmp/countdown.lua")
	"${patchday[@]}" "${command[@]}" "${places[@]}" >/dev/null 2>&1 </dev/null &
	pid=$!
	check "countdown $n" wait_for counts $n
	kill -9 $pid
	wait $pid 2>/dev/null
done
touch "$f/go"
for _ in 1 2 3; do pd resume; done
is "requests are counted when they are made, not when they are due" "$rc $(state) $(acts "$f/c1" reboot)" "5 rebooting 3"
boot
pd resume --unattended
is "and the run goes on" "$rc $(state)" "0 done"
is "a reboot counts when it happened" "$("${patchday[@]}" status --json | jq -r .reboots)" 1

# killed before it could ask: an error then is one, and there is nothing to reboot back from
workflow unasked <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/n1" }, steps.reboot { path = "$f/n2", waits_for = "$f/never" } },
END
for way in resume undo; do
	"${patchday[@]}" run "${places[@]}" "$tmp/unasked.lua" >/dev/null 2>&1 </dev/null &
	pid=$!
	check "it waits before it asks ($way)" wait_for grep -q waits "$f/n2.log"
	kill -9 $pid
	wait $pid 2>/dev/null
	touch "$f/n2.apply"
	pd $way
	rm "$f/n2.apply" "$f/n2.log"
	is "what was not asked for is not waited for ($way)" "$rc $(state) $([ -e "$f/n1" ] || echo undone)" "1 rolled back undone"
done

# reboots: installed, rebooted, failed: taken back and rebooted once more
workflow reboots <<END
pd.stage "before" { steps.reboot { path = "$f/r0", again = false } },
pd.stage "install" { on_failure = "undo", steps.write { path = "$f/r1" }, steps.reboot { path = "$f/r2" },
  steps.write { path = "$f/r3", fail = "apply" } },
END
pd run "$tmp/reboots.lua"
is "it waits for the clean start" "$rc $(state)" "5 rebooting"
boot
pd resume --unattended
is "then for the reboot of the installation" "$rc $(state) $(acts "$f/r2" reboot)" "5 rebooting 1"
boot
pd resume --unattended
is "when all is undone it waits for one more" "$rc $(acts "$f/r2" "reboot back") $([ -e "$f/r1" ] || echo undone)" "5 1 undone"
is "which is no end yet" "$("${patchday[@]}" status --json | jq -r .state)" rebooting
pd run "$tmp/good.lua"
is "no run starts before it" "$rc" 4
pd resume --unattended
is "it asks again when none happened" "$rc $(acts "$f/r2" "reboot back")" "5 2"
boot
pd resume --unattended
is "then it is rolled back" "$rc $(state)" "1 rolled back"
is "a clean start is not done again" "$(acts "$f/r0" "reboot back")" 0
is "nothing is undone twice" "$(acts "$f/r1" undo)" 1
pd undo
is "and there is nothing more to do" "$rc $(acts "$f/r2" "reboot back")" "1 2"

pd run "$tmp/reboots.lua"
boot
pd resume --unattended
boot
for _ in 1 2 3; do pd resume --unattended; done
is "reboots that never come are asked for three times" "$(acts "$f/r2" "reboot back")" 5
pd resume --unattended
is "then the server is inconsistent" "$rc" 3
like "since the reboot" "$("${patchday[@]}" status)" 'since step install/steps.reboot: all is undone, but'
pd undo
is "undo asks once more" "$rc" 5
boot
pd resume --unattended
is "and comes to its end" "$rc $(state)" "1 rolled back"

pd run "$tmp/reboots.lua"
boot
pd resume --unattended
boot
pd undo
is "taken back after a reboot that nobody has seen yet, it is rebooted back" "$rc $(state)" "5 rebooting"
boot
pd resume --unattended
is "each reboot counts" "$rc $("${patchday[@]}" status --json | jq -r .reboots)" "1 3"

# killed at each row, over reboots: no more of them than it asked for, and each counts once
over_reboots()
{
	local fault=${1:-} act=(run "$tmp/reboots.lua")

	for _ in 1 2 3 4 5 6 7 8; do
		PATCHDAY_FAULT=$fault "${patchday[@]}" "${act[@]}" "${places[@]}" >/dev/null 2>&1 </dev/null
		[ $? != 137 ] || fault=
		act=(resume --unattended)
		case $("${patchday[@]}" status --json | jq -r .state) in
		rebooting) boot ;;
		"rolled back") [ -z "$fault" ]; return ;;
		esac
	done
	return 1
}
sed -i 's/api = 1,/api = 1, reboots = 2,/' "$tmp/reboots.lua"
fresh_journal() { rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"; }
fresh_journal
check "undisturbed it ends rolled back" over_reboots
rows=$(sqlite3 "$PATCHDAY_STATE/journal.db" "SELECT max(n) FROM event")
bad=""
for n in $(seq 2 "$rows"); do
	fresh_journal
	over_reboots kill@$n || bad+=" $n:$(state)"
	[ "$("${patchday[@]}" status --json | jq -r .reboots)" -le 3 ] || bad+=" $n:counted"
done
is "killed at any of $rows rows as well, in its budget" "$bad" ""

cat >"$tmp/budget.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "budget", reboots = 1, plan = function()
	return { steps.reboot { path = "$f/t1" }, steps.reboot { path = "$f/t2" } } end }
END
pd run "$tmp/budget.lua"
boot
pd resume --unattended
is "a run reboots as often as its workflow allows" "$rc $(state) $(acts "$f/t1" reboot) $(acts "$f/t2" reboot)" "5 stopped 1 0"
like "and says so" "$out" 'reboots = 1'
pd undo
boot
pd resume
sed -i 's/reboots = 1/reboots = 101/' "$tmp/budget.lua"
pd plan "$tmp/budget.lua"
is "there is a limit" "$rc" 2

workflow heldboot <<END
pd.hold { steps.reboot { path = "$f/t3" }, steps.noop {} },
END
pd plan "$tmp/heldboot.lua"
is "a reboot can't be held" "$rc" 2
like "which is said" "$out" "can't be held"

# retries
workflow retry <<END
pd.stage "one" { steps.write { path = "$f/v1", fail = "retry" } },
END
began=$SECONDS
pd run "$tmp/retry.lua"
is "a step is tried again" "$rc $(acts "$f/v1" try) $(cat "$f/v1")" "0 3 x"
check "with waits of one and two seconds" [ $((SECONDS - began)) -ge 3 ]
like "that are shown" "$out" 'retry .*in 2 s, 2 of 6: the other side is busy'
rm -f "$f"/v1*
workflow busy <<END
pd.stage "one" { steps.write { path = "$f/v1", fail = "retry", mark = "$f/free" } },
END
waits() { "${patchday[@]}" status | grep 'tried again in [0-9]* s: the other side is busy'; }
"${patchday[@]}" run "${places[@]}" "$tmp/busy.lua" >/dev/null 2>&1 </dev/null &
pid=$!
check "status shows the wait" wait_for waits
kill -TERM $pid
wait $pid
is "SIGTERM ends the wait" "$? $("${patchday[@]}" status --json | jq -r .state)" "5 interrupted"
touch "$f/free"
pd resume
is "and the run goes on later" "$rc" 0
rm -f "$f"/v1* "$f/free"
(trap - INT; exec "${patchday[@]}" run "${places[@]}" "$tmp/busy.lua" >/dev/null 2>&1 </dev/null) &
pid=$!
wait_for waits
kill -INT $pid
wait $pid
is "so does Ctrl-C, for a person to decide" "$? $(state)" "5 stopped"
pd undo

# a step that hangs: status still answers, and tells since when
workflow hang <<END
pd.stage "one" { steps.write { path = "$f/w1", waits_for = "$f/never" } },
END
"${patchday[@]}" run "${places[@]}" "$tmp/hang.lua" >/dev/null 2>&1 </dev/null &
pid=$!
beats() { out=$("${patchday[@]}" status) && grep -qE 'last sign of life .* ago: one/steps.write, step 1 of 1, 0 %, [0-9]+s of about [0-9]+s, about to write' <<<"$out"; }
check "a hung step does not freeze status, which tells its progress" wait_for beats
is "and the same as JSON" "$("${patchday[@]}" status --json | jq -c '[.heartbeat.step, .heartbeat.total, .heartbeat.pid == .pid]')" '["one/steps.write",7,true]'
time_of() { jq .time "$PATCHDAY_STATE/heartbeat"; }
was=$(time_of)
later() { [ "$(time_of)" -gt "$was" ]; }
check "it gives a sign of life again and again" wait_for later
kill -STOP $pid
silent() { "${patchday[@]}" status | grep -E 'last sign of life ([3-9]|[0-9]{2,})s ago'; }
check "an owner that is stopped gives none" wait_for silent
kill -9 $pid
wait $pid 2>/dev/null
out=$("${patchday[@]}" status)
like "a dead one is not called running" "$out" 'state: interrupted'
check "and has no sign of life" [ "${out/sign of life/}" = "$out" ]
is "only for its owner" "$(stat -c %a "$PATCHDAY_STATE/heartbeat")" 600
end
