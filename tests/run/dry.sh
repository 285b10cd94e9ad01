#!/bin/bash
# SPDX-License-Identifier: MIT
# The dry run: unknown values, every reason not to start, questions and their
# answers, and whether the predictions held.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f

# report XPATH: of the newest run's report
report()
{
	"${patchday[@]}" report "${places[@]}" --format xml | xmllint --xpath "$1" - 2>/dev/null
}

# valid TEXT: that report has its schema
valid()
{
	"${patchday[@]}" report "${places[@]}" --format xml >"$tmp/report.xml"
	check "the report of $1 has its schema" xmllint --noout --relaxng "$PD_SRCDIR/scripts/report/report.rng" "$tmp/report.xml" 2>/dev/null
}

# ---- unknown flows through a chain of three
workflow chain <<END
(function()
  pd.note "the others wait for <the first> & its token"
  local a = steps.mint { path = "$f/a" }
  local b = steps.mint { path = a.out.token, id = "second" }
  return pd.stage "one" { a, b, steps.mint { path = b.out.token, id = "third" } }
end)(),
END
pd plan "$tmp/chain.lua" --check
is "a dry run with unknown values is no refusal" "$rc" 0
like "the first of the chain is predicted" "$out" 'changed +one/steps.mint'
like "the second is unknown, with what it waits for" "$out" 'unknown +one/second +known after one/steps.mint'
like "and so is the third" "$out" 'unknown +one/third +known after one/second'
check "nothing was written" [ ! -e "$f/a" ]
pd run "$tmp/chain.lua"
is "the run itself knows them" "$rc $(state)" "0 done"
is "the report: one prediction held, the others and all tokens were unknown" \
	"$(report 'concat(//*[local-name()="fidelity"]/@right, " ", //*[local-name()="fidelity"]/@wrong, " ", //*[local-name()="fidelity"]/@unknown)')" "1 0 5"
is "the report has the workflow's note" "$(report 'string(//*[local-name()="note"])')" "the others wait for <the first> & its token"
valid "a run with a note"
like "as text" "$("${patchday[@]}" report "${places[@]}" | paste -sd'|')" '\|Notes\|  the others wait for <the first> & its token\|'
like "and as HTML" "$("${patchday[@]}" report "${places[@]}" --format html)" '<li>the others wait for &lt;the first&gt; &amp; its token</li>'

pd undo
is "and takes them back" "$rc $(find "$f" -type f | wc -l)" "1 0"

# ---- every reason is named
workflow refuse <<END
pd.stage "one" { steps.write { path = "$f/r1", fail = "refuse" }, steps.write { path = "$f/r2" },
  steps.write { path = "$f/r3", fail = "refuse" }, steps.write { path = "$f/r4", fail = "refuse" } },
END
pd run "$tmp/refuse.lua"
is "a run with reasons against it is refused" "$rc $(state)" "4 refused"
is "run names all of them" "$(grep -c 'refused: one/steps.write.*: the test would break' <<<"$out")" 3
like "with cause and remedy" "$out" 'cause: +told to refuse'
like "and says how many there are" "$out" 'told to refuse; and 2 more'
pd status
is "status has them all" "$(grep -c 'remedy: tell it not to' <<<"$out")" 3
is "status --json too" "$("${patchday[@]}" status --json | jq -c '[.inhibitors[].step]')" \
	'["one/steps.write","one/steps.write#3","one/steps.write#4"]'
is "and the report" "$(report 'count(//*[local-name()="inhibitor"])')" 3
valid "a refused run"
like "also as text" "$("${patchday[@]}" report "${places[@]}")" 'remedy: tell it not to'
like "and as HTML" "$("${patchday[@]}" report "${places[@]}" --format html)" '<td>tell it not to</td>'

is "plan --check --json too" "$("${patchday[@]}" plan "${places[@]}" --check --json "$tmp/refuse.lua" |
	jq -r '.[] | select(.refusal).refusal.step')" "$(printf 'one/steps.write%s\n' "" "#3" "#4")"

# ---- a reason without a word on what to do has one nevertheless
workflow plainly <<END
steps.write { path = "$f/r5", fail = "plainly" },
END
pd plan "$tmp/plainly.lua" --check
is "a step that only refuses is against the run" "$rc" 4
like "with a remedy" "$(paste -sd' ' <<<"$out")" 'the step would fail.*it will not.*remedy: +mend that, or take the step out'
pd run "$tmp/plainly.lua"
is "every reason has one" "$("${patchday[@]}" status --json | jq -c '[.inhibitors[].remedy // "none"]')" \
	'["mend that, or take the step out of the workflow"]'

# ---- a check that fails
workflow failing <<END
pd.stage "one" { steps.write { path = "$f/f1" } },
pd.stage "two" { steps.write { path = "$f/f2", fail = "check" } },
END
pd plan "$tmp/failing.lua" --check
is "a step that fails already now is against the run" "$rc" 4
like "with cause and remedy" "$(paste -sd' ' <<<"$out")" 'two/steps.write: .*the step fails already now.*told to fail in check.*--accept-failing WHY'
pd run "$tmp/failing.lua"
is "the run is refused, and nothing is touched" "$rc $(state) $(ls "$f")" "4 refused "
pd plan "$tmp/failing.lua" --check --accept-failing "stage one mends it"
is "a person may know better" "$rc" 0
pd run "$tmp/failing.lua" --accept-failing ""
is "and has to say why" "$rc $([[ $out == *no-reason* ]] && echo named)" "2 named"
pd run "$tmp/failing.lua" --accept-failing $' \t\n'
is "in words" "$rc $([[ $out == *no-reason* ]] && echo named)" "2 named"
for why in $'two\nlines' $'\e[2Jclean' $'turned \u202e round' $'c1 \u0085' "$(printf %01001d 0)"; do
	pd run "$tmp/failing.lua" --accept-failing "$why"
	like "in one line that can't pass for something else: $(printf '%.16q' "$why")" "$rc $out" \
		'^2 patchday: --accept-failing (is not one line|has more than 1000)'
done
pd run "$tmp/failing.lua" --accept-failing "stage one mends it"
is "then it starts" "$rc $(state) $(cat "$f/f1")" "5 stopped x"
like "and the report has the reason" "$("${patchday[@]}" report "${places[@]}")" 'steps may fail before the start.*stage one mends it'
valid "such a run"
pd plan "$tmp/chain.lua" --check
is "as long as it is not over, no other may start" "$rc" 4
like "by its id" "$(paste -sd' ' <<<"$out")" 'run [0-9a-f-]+ is stopped.*remedy: +Bring it to an end'
pd undo

# ---- questions
cat >"$tmp/ask.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "ask",
  questions = {
    downtime = pd.question { ask = "Was the downtime agreed?", must = true, help = "Ask the owner." },
    way = pd.question { ask = "How is it booted?", choices = { "console", "medium" } },
  },
  plan = function(t) return { steps.write { path = "$f/q", text = t.answers.way or "nobody knows" } } end }
END
pd run "$tmp/ask.lua"
is "open questions refuse the run" "$rc $(state)" "4 refused"
like "all of them are listed" "$out" 'not answered: downtime \(Was the downtime agreed\?\), way \(How is it booted\?\)'
valid "open questions"
like "and how to answer" "$out" '"downtime": \.\.\., "way": \.\.\.'
echo '{"downtime": false, "way": "medium"}' >"$tmp/answers.json"
pd plan "$tmp/ask.lua" --check --answers "$tmp/answers.json"
is "an answer other than it must be refuses" "$rc" 4
like "with the question and the answer" "$out" 'downtime: Was the downtime agreed\? false'
like "and what to do" "$out" 'see to it: the answer has to be true. Ask the owner'
echo '{"downtime": true, "waj": "medium"}' >"$tmp/answers.json"
pd run "$tmp/ask.lua" --answers "$tmp/answers.json"
is "a misspelt question is invalid" "$rc" 2
like "at its place in the file, with the right one" "$out" "answers.json:1:20: .*'waj'; did you mean 'way'"
check "nothing was touched so far" [ ! -e "$f/q" ]
echo '{"downtime": {"answer": true, "who": "Ann Example", "when": "2026-11-20T08:00:00Z"}, "way": "medium"}' >"$tmp/answers.json"
pd run "$tmp/ask.lua" --answers "$tmp/answers.json"
is "with the right answers it runs" "$rc $(cat "$f/q")" "0 medium"
is "the report has who and when" "$(report 'concat(//*[@name="downtime"]/@who, " ", //*[@name="downtime"]/@when)')" \
	"Ann Example 2026-11-20T08:00:00Z"
is "and the user where the file names nobody" "$(report 'string(//*[@name="way"]/@who)')" "${SUDO_USER:-$(id -un)}"
like "in the report as text" "$("${patchday[@]}" report "${places[@]}")" 'agreed\? true \(Ann Example, 2026'
# on a terminal they are asked; an answer that is none is asked again
typed "[yes, no]" perhaps "[yes, no]" yes "[console, medium]" consol "[console, medium]" console -- \
	"${patchday[@]}" run "${places[@]}" "$tmp/ask.lua"
is "on a terminal the questions are asked" "$rc $(cat "$f/q")" "0 console"
is "until the answer is one" "$(grep -o '\[yes, no\]' <<<"$out" | wc -l)" 2
is "from there, says the report" "$(report 'string(//*[@name="way"]/@from)')" terminal

valid "answers"

# ---- did it hold?  Of write the result and three values are right; of lie the
# result and one value are, one is wrong, one was not foretold: 6 of 7
workflow lie <<END
steps.write { path = "$f/l1" }, steps.lie { path = "$f/l2" },
END
pd run "$tmp/lie.lua"
is "a run whose dry run lied" "$rc" 0
is "the prediction that did not hold is found" "$(report 'string(//*[@held="no"]/@step)')" main/steps.lie
valid "predictions"
is "with what was predicted and what was" \
	"$(report 'concat(//*[local-name()="wrong"]/@output, " ", //*[local-name()="wrong"]/@predicted, " ", //*[local-name()="wrong"]/@real)')" "count 2 1"
is "the figure" "$(report 'string(//*[local-name()="fidelity"]/@percent)')" 85
is "and for the plugin" "$("${patchday[@]}" status --json | jq -c .fidelity.plugins)" \
	'{"steps":{"percent":85,"right":6,"unknown":1,"wrong":1}}'
like "on the page it stands at the step" "$("${patchday[@]}" report "${places[@]}" --format html)" \
	'not held: changed<br>count: 2, was 1'
is "once in the report" "$(report 'count(//@predicted)')" 3
like "in words" "$("${patchday[@]}" report "${places[@]}")" 'not so: main/steps.lie: predicted changed, was changed; count: predicted 2, was 1'

# what a server's own package manager offers is read when a workflow asks for it,
# and not before; pcall() does not hide that it asked
mkdir -m 755 "$tmp/apt"
cp "$PD_BUILDDIR"/plugins/apt/.libs/apt.so "$tmp/apt/"
workflow still <<END
pd.stage "one" { steps.noop {} },
END
workflow asks <<END
(function() pcall(t.catalog.needed, t.catalog) return pd.stage "one" { steps.noop {} } end)(),
END
if [ -e /var/lib/dpkg/status ]; then
	out=$("${patchday[@]}" plan "${places[@]}" --plugin-dir "$tmp/apt" --json "$tmp/still.lua" 2>&1 </dev/null)
	is "a workflow that asks for no update has no catalog read" "$(jq -c .catalogs <<<"$out")" "[]"
	# apt's lists may be missing here: then reading them fails
	out=$("${patchday[@]}" plan "${places[@]}" --plugin-dir "$tmp/apt" --json "$tmp/asks.lua" 2>&1 </dev/null)
	like "one that does has" "$(jq -r '.catalogs[].name' <<<"$out" 2>/dev/null || echo "$out")" 'apt'
else
	echo "# skipped: catalogs that nobody asks for: no server with dpkg"
fi
end
