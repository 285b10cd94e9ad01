#!/bin/bash
# SPDX-License-Identifier: MIT
# A plan that is changed in the middle of its run: what is kept, invalid, new
# and gone; steps passed over and done again; kills in between.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f

words()
{
	awk '/^  (kept|to do|new|invalid|old one|gone,) / { id = $NF; sub(/^  /, ""); sub(/ +[^ ]+$/, ""); print $0 ": " id }' <<<"$out" |
		sed 's,one/,,' | LC_ALL=C sort | paste -sd\;
}

# first: fails in its last step; a is kept, b changes, c goes, d comes
workflow first <<END
(function()
  local a = steps.write { path = "$f/a", text = "A", id = "a" }
  return pd.stage "one" { a, steps.write { path = "$f/b", text = "old", id = "b" },
    steps.write { path = "$f/c", id = "c" }, steps.write { path = "$f/e", fail = "apply", id = "e" } }
end)(),
END
workflow second <<END
(function()
  local a = steps.write { path = "$f/a", text = "A", id = "a" }
  return pd.stage "one" { a, steps.write { path = "$f/b", text = "new", id = "b" },
    steps.write { path = "$f/d", id = "d" }, steps.write { path = "$f/e", id = "e" } }
end)(),
END
pd run "$tmp/first.lua"
is "a run stops" "$rc $(state)" "5 stopped"
pd resume --workflow "$tmp/second.lua"
is "another plan is not taken without a word" "$rc $(state) $(cat "$f/b" "$f/c")" "4 stopped oldx"
like "for that reason" "$out" 'change-refused'
is "what would become of each step is shown" "$(words)" \
	"gone, undone: c;invalid: b;invalid: e;kept: a;new: d;old one undone: b;old one undone: e"
pd resume --workflow "$tmp/second.lua" --yes --why "b was wrong"
is "with --yes it goes on" "$rc $(state)" "0 done"
is "b is undone and done anew, d is new" "$(cat "$f/a" "$f/b" "$f/d" "$f/e")" "Anewxx"
check "c is undone" [ ! -e "$f/c" ]
is "a was done once" "$(acts "$f/a" apply)" 1
is "b was undone once" "$(acts "$f/b" undo) $(acts "$f/b" apply)" "1 2"
like "status tells it" "$("${patchday[@]}" status)" 'the plan was changed in the middle of the run.*b was wrong'
like "the report too" "$("${patchday[@]}" report --scripts "$PD_SRCDIR/scripts")" 'b was wrong'
is "the state of old and new is shown" "$(step_state one/b) $(step_state c1/one/b) $(step_state one/c)" "undone done undone"
pd undo
is "undo takes all of it back" "$rc $(find "$f" -type f ! -name "*.log" | wc -l)" "1 0"
pd resume --workflow "$tmp/second.lua" --yes
is "a run that has ended is not changed" "$rc" 2

# on a terminal it asks
for answer in no yes; do
	rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
	pd run "$tmp/first.lua"
	typed "Go on with this plan (yes/no)?" $answer -- "${patchday[@]}" resume "${places[@]}" --workflow "$tmp/second.lua"
	like "on a terminal it asks" "$out" 'Go on with this plan'
	is "and obeys a $answer" "$(state) $(cat "$f/b")" "$([ $answer = yes ] && echo "done new" || echo "stopped old")"
done

# the input of a step changes when the step that gives it does
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
refer()
{
	workflow "$1" <<END
(function()
  local a = steps.write { path = "$f/a", text = "$2", id = "a" }
  return pd.stage "one" { a, steps.write { path = a.out.path, text = "second", id = "b" },
    steps.write { path = "$f/c", id = "c" }, steps.write { path = "$f/z", fail = "$3", id = "z" } }
end)(),
END
}
refer r1 one apply
refer r2 two nowhere
pd run "$tmp/r1.lua"
pd resume --workflow "$tmp/r2.lua" --yes
like "a step whose input comes from a changed one is invalid" "$(words)" 'invalid: a;invalid: b;.*kept: c'
is "and done anew" "$rc $(cat "$f/a")" "0 second"

# what the run goes by is told too, and a plugin that is another one meanwhile
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
policies()
{
	cat >"$tmp/$1.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "policies", rounds = $2, reboots = $3,
  guards = function(t) return { steps.gate { path = "$f/gate", id = "front" }, $5 } end,
  plan = function(t)
    if t.round > 1 then return pd.nothing "all is there" end
    return { pd.stage "one" { on_failure = "$4", steps.write { path = "$f/a", id = "a" },
      steps.write { path = "$f/b", fail = "$6", id = "b" } } } end }
END
}
policies p1 1 12 stop 'steps.gate { path = "'"$f"'/gate", id = "back" }, steps.gate { path = "'"$f"'/gate", id = "side" }' apply
policies p2 2 3 continue 'steps.gate { path = "'"$f"'/other", id = "side" }, steps.gate { path = "'"$f"'/gate", id = "top" }' nowhere
policies_said() { sed -n 's/^  policy *//p' <<<"$out" | paste -sd\;; }
pd run "$tmp/p1.lua"
is "a run stops, again" "$rc $(state)" "5 stopped"
pd resume --workflow "$tmp/p1.lua"
is "the same plan changes no policy" "$(policies_said) $(words)" " kept: a;to do: b"
pd resume --workflow "$tmp/p2.lua"
is "what else is another one is shown, before it is asked" "$rc $(policies_said)" "4 rounds: at most 2 now, was 1;$(
	)reboots: at most 3 now, was 12;stage one: on_failure is continue now, was stop;guard/back is asked no more;$(
	)guard/side has other arguments;guard/top is asked from now on"
cp -p "$tmp/plugins/steps.so" "$tmp/steps.so"
sed 's/1\.steps/2.steps/' "$tmp/steps.so" >"$tmp/plugins/steps.so"
pd resume --workflow "$tmp/p2.lua"
like "a plugin that is another one now is said beside what it has done" "$out" \
	'  kept +one/a, although plugin steps is 2\.steps now, was 1\.steps'
"${patchday[@]}" resume "${places[@]}" --workflow "$tmp/p2.lua" --yes >/dev/null 2>&1 </dev/null
is "nothing is done again for that" "$(state) $(acts "$f/a" apply)" "done 1"
like "status tells it" "$("${patchday[@]}" status)" 'plugin steps is 2\.steps now, was 1\.steps: what it has done stays'
is "once" "$("${patchday[@]}" status | grep -c 'was 1\.steps')" 1
cp -p "$tmp/steps.so" "$tmp/plugins/steps.so"
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
pd run "$tmp/p1.lua"
sed 's/1\.steps/2.steps/' "$tmp/steps.so" >"$tmp/plugins/steps.so"
pd resume
like "so it does for a resume of the same plan" "$rc $("${patchday[@]}" status | grep plugin)" '5 .*plugin steps is 2\.steps now, was 1\.steps'
cp -p "$tmp/steps.so" "$tmp/plugins/steps.so"

# a parameter alone
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
cat >"$tmp/param.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "param", params = { where = pd.choice { choices = { "apply", "nowhere" }, default = "apply" },
	text = pd.string { default = "t" } },
  plan = function(t) return { steps.write { path = "$f/p", text = t.params.text },
	steps.write { path = "$f/q", fail = t.params.where } } end }
END
pd run "$tmp/param.lua" --param text=given
pd resume --param where=nowhere --yes
is "a parameter alone can change, the others stay" "$rc $(cat "$f/p" "$f/q")" "0 givenx"

# in a further round, and a step whose input is different after it was done again
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
cat >"$tmp/rounds.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "rounds", rounds = 3, params = { where = pd.choice { choices = { "apply", "nowhere" }, default = "apply" } },
  plan = function(t)
	if t.round == 1 then return { steps.write { path = "$f/one", id = "a" } } end
	if t.round == 3 then return pd.nothing "all is there" end
	return { steps.write { path = "$f/two", id = "a" }, steps.write { path = "$f/b", fail = t.params.where, id = "b" } } end }
END
pd run "$tmp/rounds.lua"
is "it stops in round 2" "$rc $(step_state main/a) $(step_state r2/main/a) $(step_state r2/main/b)" "5 done done failed"
pd resume --param where=nowhere --yes
is "and goes on with another plan of that round" "$rc $(cat "$f/one" "$f/two" "$f/b") $(step_state c1/r2/main/b)" "0 xxx done"
is "the first round is left alone" "$(acts "$f/one" apply) $(acts "$f/two" apply)" "1 1"

# a further round has its dry run before anything of it is done
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
sed -i 's/{ "apply", "nowhere" }/{ "apply", "nowhere", "refuse" }/' "$tmp/rounds.lua"
pd run "$tmp/rounds.lua" --param where=refuse
is "a round that its dry run refuses: the run stops before it" "$rc $(state) $(ls "$f")" $'5 stopped one\none.log'
like "with the reason" "$("${patchday[@]}" status)" 'stopped: r2/main/b: told to refuse'
pd resume
is "it is looked at again before it goes on" "$rc $(state) $(ls "$f")" $'5 stopped one\none.log'
cp -a "$PATCHDAY_STATE" "$tmp/kept" && cp -a "$f" "$tmp/kept-f"
pd resume --param where=nowhere --yes
is "and goes on when nothing speaks against it" "$rc $(cat "$f/one" "$f/two" "$f/b") $(acts "$f/one" apply)" "0 xxx 1"
rm -rf "$PATCHDAY_STATE" "$f" && mv "$tmp/kept" "$PATCHDAY_STATE" && mv "$tmp/kept-f" "$f"
pd undo
is "or is taken back" "$rc $(state) $([ -e "$f/one" ] || echo gone)" "1 rolled back gone"

# what can't be undone is not dropped without a reason
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
workflow burnt <<END
pd.stage "one" { steps.burn { path = "$f/x", id = "x" }, steps.write { path = "$f/y", fail = "apply", id = "y" } },
END
workflow unburnt <<END
pd.stage "one" { steps.write { path = "$f/y", id = "y" } },
END
pd run "$tmp/burnt.lua" --accept-no-return "first"
pd resume --workflow "$tmp/unburnt.lua" --yes
is "what can't be undone is not dropped silently" "$rc $(state)" "4 stopped"
like "and is named" "$(words)" "gone, can"
pd resume --workflow "$tmp/unburnt.lua" --yes --accept-no-return "x may stay"
is "with a reason it is" "$rc $(cat "$f/x" "$f/y")" "0 xx"

# a new plan that would be refused changes nothing
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
workflow refused <<END
pd.stage "one" { steps.write { path = "$f/c", id = "c", fail = "refuse" } },
END
pd run "$tmp/first.lua"
pd resume --workflow "$tmp/refused.lua" --yes
is "a plan that its dry run refuses is not taken" "$rc $(cat "$f/a" "$f/b" "$f/c") $(step_state one/a)" "4 Aoldx done"
like "with the reason" "$out" 'told to refuse'
sed -i 's/, fail = "apply"//' "$tmp/first.lua"
pd resume
is "the old plan goes on" "$rc" 5
like "and it is said that its script is another one now" "$("${patchday[@]}" status)" 'first.lua is not as it was when round 1 was planned'

# passed over, done again
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
refer s1 one apply
pd run "$tmp/s1.lua"
pd resume --skip one/z
is "skipping needs a reason" "$rc" 2
pd resume --skip one/a --why no
is "what is done can't be skipped" "$rc" 2
pd resume --skip one/y --why no
like "an unknown step is named" "$out" 'step-none'
pd resume --skip one/z --why "the printer is gone"
is "a failing step is passed over" "$rc $(step_state one/z)" "0 skipped"
like "and the report says why" "$("${patchday[@]}" report --scripts "$PD_SRCDIR/scripts")" 'z is not done, said .*the printer is gone'
workflow needed <<END
(function()
  local a = steps.write { path = "$f/n1", fail = "apply", id = "a" }
  return pd.stage "one" { a, steps.write { path = a.out.path, text = "b", id = "b" } }
end)(),
END
pd run "$tmp/needed.lua"
pd resume --skip one/a --why no
is "a step whose output is needed can't be skipped" "$rc" 2
like "and it is said by which" "$out" 'b needs its output'
pd resume --skip one/a --skip one/b --why "both are wrong"
is "but both can" "$rc $(step_state one/a) $(step_state one/b)" "0 skipped skipped"

workflow again <<END
pd.stage "one" { steps.write { path = "$f/r", id = "r" }, steps.write { path = "$f/s", fail = "apply", id = "s" } },
END
pd run "$tmp/again.lua"
rm "$f/r"
pd resume --redo one/s --why no
is "what is not done can't be done again" "$rc" 2
pd resume --redo one/r --why "somebody took it away"
is "a done step is looked at and done again" "$rc $(cat "$f/r") $(acts "$f/r" apply)" "5 x 2"
like "the reason is kept" "$("${patchday[@]}" status)" 'r is done again, said .*somebody took it away'
pd resume --redo one/r --why "to be sure"
is "but only if there is work" "$(acts "$f/r" apply)" 2
workflow given <<END
(function()
  local a = steps.write { path = "$f/g1", id = "a", mark = "$f/many" }
  return pd.stage "one" { a, steps.write { path = "$f/g2", text = a.out.word, id = "b" },
    steps.write { path = "$f/g3", id = "c" }, steps.write { path = "$f/g4", fail = "apply", id = "d" } }
end)(),
END
pd undo
pd run "$tmp/given.lua"
is "a step takes a word from another" "$(cat "$f/g2")" one
touch "$f/many"
rm "$f/g1"
pd resume --redo one/a --why "there are many now"
is "and is done again when the word is another one" "$(cat "$f/g2") $(acts "$f/g2" apply)" "many 2"
is "others are not" "$(acts "$f/g3" apply)" 1
pd undo
is "and undone to what was there first" "$rc $([ -e "$f/r" ] || [ -e "$f/g2" ] || echo gone)" "1 gone"

# a new plan that asks is answered from a file, or on a terminal
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
workflow stops <<END
pd.stage "one" { steps.write { path = "$f/a", text = "A", id = "a" }, steps.write { path = "$f/e", fail = "apply", id = "e" } },
END
pd run "$tmp/stops.lua"
cat >"$tmp/asks.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "first", questions = { way = pd.question { ask = "How?", choices = { "up", "down" } } },
  plan = function(t) return { pd.stage "one" { steps.write { path = "$f/a", text = "A", id = "a" },
    steps.write { path = "$f/q", text = t.answers.way or "-", id = "q" } } } end }
END
pd resume --workflow "$tmp/asks.lua" --yes
is "an open question refuses the change" "$rc $(state)" "4 stopped"
cp -a "$PATCHDAY_STATE" "$tmp/kept" && cp -a "$f" "$tmp/kept-f"
typed "[up, down]" up -- "${patchday[@]}" resume "${places[@]}" --workflow "$tmp/asks.lua" --yes
is "answered on a terminal it goes on" "$rc $(state) $(cat "$f/q")" "0 done up"
rm -rf "$PATCHDAY_STATE" "$f" && mv "$tmp/kept" "$PATCHDAY_STATE" && mv "$tmp/kept-f" "$f"
echo '{"way": "down"}' >"$tmp/way.json"
pd resume --workflow "$tmp/asks.lua" --yes --answers "$tmp/way.json"
is "answered in a file it goes on" "$rc $(state) $(cat "$f/q")" "0 done down"

# kill -9 while the change is carried out, at each row that it writes: it goes
# on without being asked again
rm -rf "$PATCHDAY_STATE" "$f"; mkdir "$f"
for w in first second; do
	[ $w = first ] && fail=apply text=old more=c || fail=nowhere text=new more=d
	workflow k$w <<END
pd.hold { steps.write { path = "$f/h", id = "h" }, pd.stage "one" {
    steps.write { path = "$f/a", id = "a" }, steps.write { path = "$f/b", text = "$text", id = "b" },
    steps.write { path = "$f/$more", id = "$more" }, steps.write { path = "$f/e", fail = "$fail", id = "e" } } },
END
done
pd run "$tmp/kfirst.lua"
rm -rf "$tmp/kept" "$tmp/kept-f"
cp -a "$PATCHDAY_STATE" "$tmp/kept" && cp -a "$f" "$tmp/kept-f"
rows() { sqlite3 "$PATCHDAY_STATE/journal.db" 'SELECT max(n) FROM event'; }
changed()
{
	[ "$rc $(state) $(cat "$f/a" "$f/b" "$f/d" "$f/e") $([ -e "$f/c" ] || echo gone) $([ -e "$f/h" ] || echo back)" = \
	  "0 done xnewxx gone back" ] || echo "$rc $(state) $(ls "$f")"
	[ "$(acts "$f/a" apply) $(acts "$f/c" undo)" = "1 1" ] || echo "twice"
}
before=$(rows)
pd resume --workflow "$tmp/ksecond.lua" --yes
empty "undisturbed the change is made" "$(changed)"
last=$(rows)
bad=0 fired=0
for n in $(seq $((before + 1)) "$last"); do
	rm -rf "$PATCHDAY_STATE" "$f"
	cp -a "$tmp/kept" "$PATCHDAY_STATE" && cp -a "$tmp/kept-f" "$f"
	PATCHDAY_FAULT=kill@$n pd resume --workflow "$tmp/ksecond.lua" --yes
	[ "$rc" != 137 ] || fired=$((fired + 1))
	pd resume --unattended
	if [ "$rc" = 5 ]; then # killed before the change was journaled
		[ "$(step_state one/c)" = "done" ] || bad=$((bad + 1))
		pd resume --workflow "$tmp/ksecond.lua" --yes
	fi
	found=$(changed)
	[ -z "$found" ] || { bad=$((bad + 1)); echo "# kill@$n: $found"; }
done
is "cut off at each of $((last - before)) rows: all done, nothing twice" "$bad $fired" "0 $((last - before))"

# ---- called back by somebody else, while a person is asked about the change
mkfifo "$tmp/answer"
printf 'let me think\n' >"$tmp/typed"
chmod 600 "$tmp/typed"
# overtaken ANSWER QUESTION OPTION...: a run of $flow that waited, is resumed so at a
# terminal, and is called back before the question has its answer
overtaken()
{
	local answer=$1 question=$2 asked called

	rm -rf "$PATCHDAY_STATE" "$f"
	mkdir "$f"
	echo shut >"$f/gate"
	typed "secret 'word': " "@$tmp/typed" -- "${patchday[@]}" run "${places[@]}" --no-wait "$tmp/$flow.lua"
	timeout 300 python3 "$PD_SRCDIR/tests/run/typist.py" "$question" "@$tmp/answer" -- "${patchday[@]}" resume "${places[@]}" \
		"${@:3}" >"$tmp/asked" 2>&1 </dev/null &
	asked=$!
	exec 3>"$tmp/answer" # opened by who has read the question
	"${patchday[@]}" undo "${places[@]}" --why "not today" >"$tmp/called" 2>&1 </dev/null &
	called=$!
	check "it is called back while it asks" wait_for is_state undoing
	rm -f "$f/gate"
	[ "$answer" != kill ] || pkill -KILL -P $asked
	[ "$answer" = kill ] || echo "$answer" >&3
	exec 3>&-
	wait $asked
	rc=$?
	wait $called
	back=$?
}
guards="steps.gate { path = \"$f/gate\" }" workflow gated <<END
pd.stage "one" { steps.write { path = "$f/a" } },
END
sed "s,/a\",/other\"," "$tmp/gated.lua" >"$tmp/other.lua"
guards="steps.gate { path = \"$f/gate\" }" workflow asks <<END
pd.stage "one" { steps.write { path = "$f/a" }, steps.leak { value = pd.secret { prompt = "word" }, path = "$f" } },
END
refused='the change was not taken over: the run was called back before it was made'
after() { sqlite3 "$PATCHDAY_STATE/journal.db" "SELECT group_concat(kind) FROM event WHERE n > (SELECT n FROM event WHERE data LIKE '%\"undoing\"%')"; }
flow=gated
for answer in yes no; do
	overtaken $answer "Go on with this plan (yes/no)?" --workflow "$tmp/other.lua"
	is "after a $answer it is taken back, as was said first" "$rc $back $(state) $(ls "$f")" "1 1 rolled back gate.times"
	like "and the change is refused" "$(cat "$tmp/asked")" "$refused"
	unlike "nothing of it is in the journal" "$(after)" 'plan|predict|apply'
	like "the report says so" "$("${patchday[@]}" report --scripts "$PD_SRCDIR/scripts")" "$refused"
done
flow=asks
overtaken "let me think" "secret 'word': " --skip one/steps.write --why "not needed"
is "a step to be passed over is not in its way either" "$rc $back $(state)" "1 1 rolled back"
unlike "nor in the journal" "$(after)" 'skip'
flow=gated
overtaken kill "Go on with this plan (yes/no)?" --workflow "$tmp/other.lua"
is "if who asks is gone, whoever called it back takes it back" "$back $(state)" "1 rolled back"
end
