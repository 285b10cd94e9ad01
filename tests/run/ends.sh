#!/bin/bash
# SPDX-License-Identifier: MIT
# Ends that a crash, a person or another run could have made wrong: a way back
# that is cut off again and again, what is held, what a stage was let go for.
. "${PD_SRCDIR:?}/tests/run/boots.sh" || exit 99
fresh()
{
	rm -rf "$PATCHDAY_STATE" "$f"
	mkdir "$f"
}
row() { sqlite3 "$PATCHDAY_STATE/journal.db" "SELECT coalesce(max(n), 0) FROM event"; }
# killed_at ROWS COMMAND...: so many rows further
killed_at()
{
	local at=$(($(row) + $1))

	shift
	PATCHDAY_FAULT=kill@$at pd "$@"
}
json() { "${patchday[@]}" status --json | jq -c "$1"; }

# ---- the server goes down again and again while a run is taken back
workflow slow <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/1" }, steps.write { path = "$f/2", back_waits_for = "$f/go" },
  steps.write { path = "$f/3", fail = "apply" } },
END
"${patchday[@]}" run "${places[@]}" "$tmp/slow.lua" >/dev/null 2>&1 </dev/null &
pid=$!
wait_for step_is 'one/steps.write#2' undoing
kill -KILL $pid
wait $pid 2>/dev/null
for _ in 1 2 3 4 5 6; do
	killed_at 1 resume --unattended
done
is "cut off again and again" "$rc $(state)" "137 interrupted"
pd resume --unattended
is "it has an end" "$rc $(state)" "3 inconsistent"
like "which says since which step" "$out" 'since step one/steps.write#2: while it was undone, the server was started again and again'
touch "$f/go"
pd resume
is "it never goes forward" "$rc $(state)" "3 inconsistent"
pd undo
is "and can be tried again" "$rc $(state) $(ls "$f")" "1 rolled back 1.log
2.log
3.log
go"

# ---- what is held comes back before a person is waited for
fresh
workflow down <<END
pd.hold { steps.write { path = "$f/held" }, pd.stage "body" { steps.write { path = "$f/2", kill = true, mark = "$f/never" } } },
END
pd run "$tmp/down.lua"
while [ "$rc" = 137 ]; do
	rm -f "$f/never"
	pd resume --unattended
done
is "a run that is given up is stopped" "$rc $(state) $(step_state body/steps.write)" "5 stopped begun"
is "and has given back what it held" "$(step_state hold/steps.write) $(acts "$f/held" undo)" "undone 1"
pd undo
is "it can be taken back" "$rc $(state)" "1 rolled back"

fresh
workflow both <<END
pd.hold { steps.write { path = "$f/h" }, pd.stage "one" { on_failure = "undo", steps.write { path = "$f/1", back_waits_for = "$f/go" },
  steps.write { path = "$f/2", fail = "apply" } } },
END
"${patchday[@]}" run "${places[@]}" "$tmp/both.lua" >/dev/null 2>&1 </dev/null &
pid=$!
wait_for step_is one/steps.write undoing
kill -KILL $pid
wait $pid 2>/dev/null
for _ in 1 2 3 4 5 6; do
	killed_at 1 resume --unattended
done
pd resume --unattended
is "so it does when the way back is given up" "$rc $(state) $(step_state hold/steps.write)" "3 inconsistent undone"
fresh
workflow term <<END
pd.hold { steps.write { path = "$f/h", back_waits_for = "$f/go" }, pd.stage "one" { steps.write { path = "$f/1", fail = "apply" } } },
END
"${patchday[@]}" run "${places[@]}" "$tmp/term.lua" >/dev/null 2>&1 </dev/null &
pid=$!
wait_for step_is hold/steps.write undoing
kill -TERM $pid
wait $pid
is "one that the server's going down cuts off is no end" "$? $(state)" "5 interrupted"
touch "$f/go"
pd resume --unattended
is "and comes back after it" "$rc $(state) $(step_state hold/steps.write)" "5 stopped undone"

# ---- guards that agree are no step forward
fresh
guards="steps.gate { path = \"$f/shut\" }" workflow circle <<END
pd.hold { steps.write { path = "$f/h" }, pd.stage "one" { steps.write { path = "$f/1" } } }, pd.stage "two" { steps.write { path = "$f/2" } },
END
pd run "$tmp/circle.lua"
back=$(sqlite3 "$PATCHDAY_STATE/journal.db" "SELECT n FROM event WHERE kind = 'undo'")
fresh
PATCHDAY_FAULT=kill@$back pd run "$tmp/circle.lua"
starts=0
while [ "$rc" = 137 ] && [ $starts -lt 20 ]; do
	killed_at 4 resume --unattended
	starts=$((starts + 1))
done
is "a server that goes down behind a guard's word is given up" "$rc $(state) $starts" "5 stopped 7"

# ---- a hold that can't be taken again stops what goes on after failures
fresh
mkdir "$f/dir"
workflow again <<END
pd.hold { steps.write { path = "$f/dir/h" }, pd.stage "one" { on_failure = "continue",
  steps.write { path = "$f/1", waits_for = "$f/go" }, steps.write { path = "$f/2" } } },
pd.stage "two" { steps.write { path = "$f/3" } },
END
"${patchday[@]}" run "${places[@]}" "$tmp/again.lua" >/dev/null 2>&1 </dev/null &
pid=$!
wait_for step_is one/steps.write begun
kill -INT $pid
wait $pid
touch "$f/go"
rm -r "$f/dir"
pd resume
is "no step is left out in silence" "$rc $(state) $([ -e "$f/3" ] || echo not begun)" "5 stopped not begun"
like "the hold is what has failed" "$(json .why)" 'hold/steps.write: '
mkdir "$f/dir"
pd resume
is "and is tried again" "$rc $(state) $(step_state 'one/steps.write#2')" "0 done done"

# ---- a hold that does not come back
fresh
workflow stuck <<END
pd.hold { steps.write { path = "$f/h", fail = "undo" }, pd.stage "one" { steps.write { path = "$f/1" } } },
pd.stage "two" { steps.write { path = "$f/2" } },
END
pd run "$tmp/stuck.lua"
is "makes the server inconsistent" "$rc $(state)" "3 inconsistent"
like "since that step" "$(json .why)" 'since step hold/steps.write: '
key=$tmp/keys/key
mkdir "$tmp/keys"
pd final --make-key --key "$key"
pd final --key "$key" --site here
is "it is not sealed so" "$rc" 4
like "and what would end it is told" "${out//$'\n'/ }" 'seal-open.*status --clear'
pd status --clear --why "by hand"
pd final --key "$key" --site here
is "once a person has cleared it, it is" "$rc $(state)" "0 cleared"
pd verify --key "$key.pub"
[ "$rc" = 0 ] || echo "# $out"
is "and verified" "$rc" 0

# ---- what can't be undone any more after a crash
fresh
workflow wall <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/1", kill = true, mark = "$f/killed", wall = "$f/w" },
  steps.write { path = "$f/2" } },
END
pd run "$tmp/wall.lua"
is "killed in a step that can be undone" "$rc $(step_state one/steps.write)" "137 begun"
touch "$f/w"
pd resume
is "it does not go past a new point of no return" "$rc $(state) $([ -e "$f/1" ] || echo gone)" "1 rolled back gone"
like "for that reason" "$(json .why)" 'point of no return.*the wall is there.*no verified backup'
fresh
pd run "$tmp/wall.lua"
touch "$f/w"
pd resume --accept-no-return "it is only a test"
is "but when a person accepts it" "$rc $(state)" "0 done"
fresh
workflow walled <<END
pd.stage "one" { steps.write { path = "$f/1", kill = true, mark = "$f/killed", wall = "$f/w" } },
pd.stage "two" { on_failure = "undo", steps.write { path = "$f/2" }, steps.write { path = "$f/3", fail = "apply" } },
END
pd run "$tmp/walled.lua"
touch "$f/w"
pd resume --accept-no-return "it is only a test"
is "it is one for the way back, too" "$rc $(state) $(ls "$f/1" "$f/2" 2>/dev/null)" "1 rolled back $f/1"
like "as far as it goes" "$(json .why)" 'as far as the point of no return, one/steps.write: the wall is there'

# ---- an undo that is cut off at once
fresh
mkdir "$f/dir"
workflow stopped <<END
pd.stage "one" { steps.write { path = "$f/1" }, steps.write { path = "$f/dir/x/2" }, steps.write { path = "$f/3" } },
END
pd run "$tmp/stopped.lua"
is "stopped" "$rc $(state)" "5 stopped"
mkdir "$f/dir/x"
rows=0
for i in 1 2 3; do
	cp -a "$PATCHDAY_STATE" "$tmp/kept"
	killed_at $i undo
	pd resume --unattended
	[ "$rc $(state)" != "1 rolled back" ] || rows=$((rows + 1))
	[ $i = 3 ] || { rm -rf "$PATCHDAY_STATE"; mv "$tmp/kept" "$PATCHDAY_STATE"; echo x >"$f/1"; }
done
rm -rf "$tmp/kept"
is "goes on backwards, wherever it was" $rows 3

# ---- a decision is for a stage that begins then
fresh
guards="steps.gate { path = \"$f/shut\" }" workflow gate <<END
pd.stage "one" { steps.write { path = "$f/1" }, steps.write { path = "$f/2" } },
END
pd run "$tmp/gate.lua"
go=$(sqlite3 "$PATCHDAY_STATE/journal.db" "SELECT max(n) FROM event WHERE kind = 'go'")
fresh
PATCHDAY_FAULT=kill@$go pd run "$tmp/gate.lua"
echo "not now" >"$f/shut"
pd resume --no-wait
is "a stage that was let go and did not begin is asked for again" "$rc $(state) $([ -e "$f/1" ] || echo untouched)" \
	"5 waiting to go on untouched"
rm "$f/shut"
killed_at 5 resume
echo "not now" >"$f/shut"
pd resume --no-wait
is "one that has begun goes on" "$rc $(state)" "0 done"

# ---- under a newer run
fresh
workflow old <<END
pd.stage "one" { steps.write { path = "$f/1" } },
END
workflow new <<END
pd.stage "one" { steps.write { path = "$f/2" } },
END
workflow idle <<END
pd.stage "one" { steps.write { path = "$f/1" } },
END
pd run "$tmp/old.lua"
old=$(json .run | tr -d '"')
pd run "$tmp/idle.lua"
pd undo "$old"
is "one that changed nothing does not matter" "$rc $(json '.state')" '1 "done"'
# newer NAME WANTED: undo of the old one after a run of that workflow
newer()
{
	fresh
	pd run "$tmp/old.lua"
	old=$(json .run | tr -d '"')
	[ -z "${wall:-}" ] || touch "$f/w"
	pd run "$tmp/$2.lua"
	[ -z "${clear:-}" ] || pd status --clear --why "left as it is"
	pd undo "$old"
	is "$1" "$rc" "$3"
}
workflow hold <<END
pd.hold { steps.write { path = "$f/h" }, pd.stage "one" { steps.noop {} } },
END
workflow behind <<END
pd.stage "save" { steps.backup { path = "$f/backup" } },
pd.stage "one" { steps.write { path = "$f/2", wall = "$f/w" } },
pd.stage "two" { on_failure = "undo", steps.write { path = "$f/3", fail = "apply" } },
END
workflow left <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/2", fail = "undo" }, steps.write { path = "$f/3", fail = "apply" } },
END
newer "nor does one that gave back what it held" hold 1
newer "nor one that was taken back" behind 1
wall=1 newer "but what is behind its point of no return stands" behind 4
clear=1 newer "and what a person left when it was cleared" left 4
fresh
pd run "$tmp/old.lua"
old=$(json .run | tr -d '"')
pd run "$tmp/new.lua"
pd undo "$old"
is "a run that a newer one stands on is not taken back" "$rc $(cat "$f/1")" "4 x"
like "without a word" "${out//$'\n'/ }" 'undo-newer.*--why'
pd undo "$old" --why "both are to go"
is "with one it is" "$rc $([ -e "$f/1" ] || echo gone)" "1 gone"
like "which the report has" "$("${patchday[@]}" report "$old" --scripts "$PD_SRCDIR/scripts")" 'under a newer run.*both are to go'

# ---- a way back that can't begin
fresh
export CANARY_ENV=abcdefghijkl
cat >"$tmp/secret.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "secret", plan = function()
  return { pd.stage "main" { steps.leak { value = pd.secret { env = "CANARY_ENV" }, path = "$f" } } } end }
END
pd run "$tmp/secret.lua"
done=$(row)
unset CANARY_ENV
pd undo --why "not yet"
is "for want of a secret leaves the run as it is" "$rc $(state) $(row)" "5 done $done"
like "and says so" "$out" 'secret-missing'
CANARY_ENV=abcdefghijkl pd undo --why "customer asked"
is "then it does" "$rc $(state)" "1 rolled back"
like "for the reason given" "$(json .why)" 'asked for by a person: customer asked'
fresh
pd run "$tmp/new.lua"
without_unit pd undo
is "and where nobody would go on with it after a crash" "$rc $(state)" "5 done"
pd undo
is "until that is mended" "$rc $(state)" "1 rolled back"

# ---- a step that failed and was passed over
fresh
workflow over <<END
pd.stage "one" { on_failure = "continue", steps.write { path = "$f/dir/1" } },
pd.stage "two" { steps.write { path = "$f/2", waits_for = "$f/go" }, steps.write { path = "$f/3" } },
END
"${patchday[@]}" run "${places[@]}" "$tmp/over.lua" >/dev/null 2>&1 </dev/null &
pid=$!
wait_for step_is two/steps.write begun
kill -INT $pid
wait $pid
touch "$f/go"
cp -a "$PATCHDAY_STATE" "$tmp/kept"
pd resume
is "is not in the way" "$rc $(state)" "0 done"
like "and is told" "$(json .warnings)" 'one/steps.write failed, and the run went on without it'
rm -rf "$PATCHDAY_STATE" "$f/2"
mv "$tmp/kept" "$PATCHDAY_STATE"
mkdir "$f/dir"
pd resume --redo one/steps.write --why "there is room now"
[ "$rc" = 0 ] || echo "# $out"
is "it can be done again" "$rc $(state) $(step_state one/steps.write)" "0 done done"

# ---- counted before it happens
fresh
workflow boot <<END
pd.stage "one" { steps.reboot { path = "$f/1", waits_for = "$f/go" } },
END
"${patchday[@]}" run "${places[@]}" "$tmp/boot.lua" >/dev/null 2>&1 </dev/null &
pid=$!
wait_for grep -q waits "$f/1.log"
kill -KILL $pid
wait $pid 2>/dev/null
boot
touch "$f/go"
pd resume --unattended
is "a reboot that came before it was known to be asked for counts" "$rc $(json .reboots)" "0 1"
fresh
cat >"$tmp/rounds.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "rounds", role = "test", help = "a test", rounds = 2,
  plan = function(t) return { pd.stage "one" { steps.noop {} } } end }
END
pd run "$tmp/rounds.lua"
is "two rounds" "$rc $(json .rounds)" "0 2"
like "that nobody has looked after the last one is told" "$(json .warnings)" 'the last round'

# ---- a step whose proof has failed
fresh
workflow unproven <<END
pd.stage "one" { steps.write { path = "$f/1", fail = "verify" } },
END
pd run "$tmp/unproven.lua"
is "a step that is not proved has failed" "$rc $(state)" "5 stopped"
pd resume
is "and has to be proved at a resume, though there is nothing left to do" "$rc $(state) $(step_state one/steps.write)" "5 stopped failed"
pd resume --skip one/steps.write --why "it is as it should be"
is "a person may say that it is" "$rc $(state)" "0 done"
fresh
workflow older <<END
pd.stage "one" { steps.write { path = "$f/1" } },
END
workflow newer <<END
pd.stage "one" { steps.write { path = "$f/2", fail = "verify", mark = "$f/first" } },
END
pd run "$tmp/older.lua"
old=$(sqlite3 "$PATCHDAY_STATE/journal.db" "SELECT run FROM event LIMIT 1")
pd run "$tmp/newer.lua"
touch "$f/first"
pd resume
is "what it did before it was proved it has done" "$rc $(json '.steps[0].changed')" "0 true"
pd undo "$old"
like "so that an older run is not taken back under it" "$rc $out" '^4 .*\[undo-newer\]'

# ---- killed in the dry run
fresh
cat >"$tmp/asks.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "asks", role = "test", help = "a test",
  questions = { downtime = pd.question { ask = "Was the downtime agreed?", must = true, help = "Ask the owner." } },
  plan = function(t) return { pd.stage "one" { steps.write { path = "$f/1" } } } end }
END
pd run "$tmp/asks.lua"
is "a question that nobody has answered refuses a run" "$rc $(state)" "4 refused"
for n in 2 3 4; do
	fresh
	PATCHDAY_FAULT=kill@$n pd run "$tmp/asks.lua"
	[ "$rc" = 137 ] || continue
	pd resume
	is "also one that was killed at row $n of its dry run, and is resumed" "$rc $(state) $(ls "$f")" "4 refused "
done
workflow free <<END
pd.stage "one" { steps.write { path = "$f/1" } },
END
fresh
PATCHDAY_FAULT=kill@2 pd run "$tmp/free.lua"
pd resume
is "one that nothing speaks against is done" "$rc $(state) $(json '.steps[0].predicted != null')" "0 done true"

# ---- a refused run is no run to undo
fresh
pd run "$tmp/free.lua"
workflow no <<END
pd.stage "one" { steps.write { path = "$f/2", fail = "refuse" } },
END
pd run "$tmp/no.lua"
pd undo
like "of a refused run nothing is undone" "$rc $out" '^2 .*is refused: nothing of it was done.*\[change-state\]'
is "it stays refused, and the one before stands" "$(state) $(cat "$f/1")" "refused x"

# ---- a round from another script
fresh
cat >"$tmp/script.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "script", role = "test", help = "a test", rounds = 3, plan = function(t)
  if t.round == 1 then return { pd.stage "one" { steps.write { path = "$f/1", waits_for = "$f/go" } } } end
  if t.round == 3 then return pd.nothing "all is there" end
  return { pd.stage "one" { steps.write { path = "$f/two" } } } end }
END
"${patchday[@]}" run "${places[@]}" "$tmp/script.lua" >/dev/null 2>&1 </dev/null &
pid=$!
wait_for step_is one/steps.write begun
sed -i 's,/two",/other",' "$tmp/script.lua"
touch "$f/go"
wait $pid
is "a further round is not planned from a changed script" "$? $(state) $(find "$f" -name other)" "5 stopped "
like "and it is said what to do" "$(json .why)" 'is not as it was when round 1 was planned; .patchday resume --workflow .*script.lua. shows'
pd resume
is "nor at a resume that says nothing of it" "$rc $(state)" "5 stopped"
pd resume --workflow "$tmp/script.lua" --yes
is "it goes on when that was agreed to" "$rc $(state) $(cat "$f/other")" "0 done x"

# ---- what was said before it was killed in the dry run, and after
workflow early <<END
pd.stage "one" { steps.write { path = "$f/1", fail = "check" } },
END
workflow refused <<END
pd.stage "one" { steps.write { path = "$f/1", fail = "refuse" }, steps.write { id = "two", path = "$f/2" } },
END
for n in 4 5; do
	fresh
	PATCHDAY_FAULT=kill@$n pd run --accept-failing "it is known" "$tmp/early.lua"
	pd resume
	is "that steps may fail is not forgotten at row $n" "$rc $(state)" "5 stopped"
	fresh
	PATCHDAY_FAULT=kill@$n pd run "$tmp/refused.lua"
	[ "$rc $(state)" != "137 refused" ] || continue
	pd resume --skip one/steps.write --why "not today"
	is "what is passed over is not in the way at row $n" "$rc $(state) $(ls "$f")" "0 done 2
2.log"
done

# ---- an undo that could not begin
fresh
workflow signed <<END
pd.stage "one" { steps.write { path = "$f/1" } }, pd.signoff { parties = { "owner" } },
END
pd run "$tmp/signed.lua"
pd signoff --party owner --name Ann
without_unit pd undo
is "takes no signature away" "$rc $(state) $(json '[.signatures[].overtaken]')" "5 done [false]"
# ---- a word that comes between two rows of the one that waits
mount -t tmpfs none /run # where the run says that it stands still
events() { sqlite3 "$PATCHDAY_STATE/journal.db" "SELECT $1 FROM event ${2-}"; }
last_is() { [ "$(events 'kind || " " || data' 'ORDER BY n DESC LIMIT 1' | grep -c "$1")" = 1 ]; }
# spoken ROW: the run stands still behind this row until the word is written
spoken()
{
	check "it stands still at its row $1" wait_for test -e /run/patchday-fault
	"${patchday[@]}" undo "${places[@]}" --why "stop it" >"$tmp/undo" 2>&1 </dev/null &
	undo=$!
	check "somebody calls it back" wait_for last_is '^state.*undoing'
	rm -f /run/patchday-fault
	rm -f "$f/gate" "$f/second"
	wait $undo
	is "who did sees that it is taken back" "$? $(state)" "1 rolled back"
	wait $pid
	is "and so does it itself" "$? $(find "$f" -name a | wc -l)" "1 0"
	is "nothing was begun after the word" "$(events kind "WHERE kind = 'apply'")" ""
}
guards="steps.gate { path = \"$f/gate\", id = \"front\" }, steps.gate { path = \"$f/second\" },"
workflow word <<END
pd.stage "one" { steps.write { path = "$f/a" } },
END
fresh
echo shut >"$f/gate"
pd run --no-wait "$tmp/word.lua"
n=$(events 'max(n)')
(export PATCHDAY_FAULT=stop@$((n + 1)); exec "${patchday[@]}" resume "${places[@]}" --poll 1) >"$tmp/out" 2>&1 </dev/null &
pid=$!
spoken $((n + 1))
fresh
echo shut >"$f/gate"
(export PATCHDAY_FAULT=stop@$((n + 1)); exec "${patchday[@]}" run "${places[@]}" --poll 1 "$tmp/word.lua") >"$tmp/out" 2>&1 </dev/null &
pid=$!
wait_for is_state "waiting to go on"
echo shut >"$f/second" # other reasons: a further row
spoken $((n + 1))
end
