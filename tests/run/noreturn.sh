#!/bin/bash
# SPDX-License-Identifier: MIT
# The point of no return: declared, found by the dry run, found right before
# apply; with a backup, without one, and with a person who wants none.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f

workflow bare <<END
pd.stage "one" { steps.write { path = "$f/a1" } },
pd.stage "two" { steps.write { path = "$f/a2" }, steps.burn { path = "$f/a3" } },
END
pd plan "$tmp/bare.lua" --check
is "the dry run refuses a point of no return without a backup" "$rc" 4
like "with its risk" "$out" 'there is no way back from this step'
like "its cause" "$out" "cause: .*can't be undone; no stage before it has a backup"
like "its remedy" "$out" 'remedy: put backup.verify into a stage before it'
like "and shows where it is" "$out" 'point of no return: this step'
pd run "$tmp/bare.lua"
is "the run refuses too" "$rc $(state)" "4 refused"
check "before anything is touched" [ ! -e "$f/a1" ]
pd run "$tmp/bare.lua" --accept-no-return ""
is "a person has to say why" "$rc" 2
pd run "$tmp/bare.lua" --accept-no-return "the disk is a snapshot"
is "with a reason it goes on" "$rc $(cat "$f/a3")" "0 x"
like "status says so" "$("${patchday[@]}" status)" 'no way back is needed.*the disk is a snapshot'
like "and the report" "$("${patchday[@]}" report --scripts "$PD_SRCDIR/scripts")" 'no way back is needed.*the disk is a snapshot'
pd run "$tmp/bare.lua"
is "what is done already is no point of no return" "$rc" 0

workflow backed <<END
pd.stage "save" { steps.backup { path = "$f/b1" } },
pd.stage "burn" { steps.burn { path = "$f/b2" } },
END
pd run "$tmp/backed.lua"
is "a verified backup in a stage before is enough" "$rc $(cat "$f/b2")" "0 x"

workflow same <<END
pd.stage "burn" { steps.backup { path = "$f/c1" }, steps.burn { path = "$f/c2" } },
END
pd run "$tmp/same.lua"
is "one in the same stage is too late" "$rc" 4

workflow failing <<END
pd.stage "save" { on_failure = "continue", steps.backup { path = "$f/d1", fail = "verify" } },
pd.stage "burn" { steps.write { path = "$f/d2" }, steps.burn { path = "$f/d3" } },
END
pd run "$tmp/failing.lua"
is "a backup that is not verified counts for nothing" "$rc $(state)" "5 stopped"
check "the stage does not begin" [ ! -e "$f/d2" ]
like "the reason says how to go on" "$out" 'no verified backup; .patchday resume --accept-no-return WHY'
pd resume
is "and neither does it after a resume" "$rc $([ -e "$f/d2" ] || echo no)" "5 no"
pd resume --accept-no-return "the backup is on tape"
is "but with a reason" "$rc $(cat "$f/d2" "$f/d3")" "0 xx"

workflow late <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/wall" },
	steps.write { path = "$f/e2", wall = "$f/wall" } },
END
pd run "$tmp/late.lua"
is "what only the check right before apply finds is obeyed" "$rc $(state)" "1 rolled back"
check "nothing is left" [ ! -e "$f/wall" -a ! -e "$f/e2" ]
touch "$f/wall2"
workflow found <<END
pd.stage "one" { steps.write { path = "$f/g1", wall = "$f/wall2" } },
END
pd plan "$tmp/found.lua" --check
like "the dry run shows what it found" "$out" 'point of no return: the wall is there'
is "and refuses" "$rc" 4
like "before it the plan leaves it to the dry run" "$out" '^1 step, .*can be undone, unless the dry run finds that one can.t$'
like "which says in the end where the way back ends" "$out" '^  the way back ends at one/steps.write: what comes before it'
unlike "and nobody says that there is none" "$out" 'no point of no return'
pd plan "$tmp/found.lua"
like "without a dry run the plan says what is not known yet" "$out" '^1 step, .*can be undone, no point of no return known before the dry run$'
pd run "$tmp/found.lua"
is "as the run does" "$rc" 4
rm "$f/wall2"
pd plan "$tmp/found.lua" --check
like "without it, the dry run knows that there is none" "$out" '^  no point of no return was found$'
pd run "$tmp/found.lua"
is "and all is well" "$rc" 0
workflow waits <<END
(function()
  local a = steps.mint { path = "$f/w1" }
  return pd.stage "one" { a, steps.mint { path = a.out.token, id = "second" } }
end)(),
END
pd plan "$tmp/waits.lua" --check
like "but for what it can't see yet" "$out" '^  no point of no return was found; 1 step can look only when others are done$'
workflow looks <<END
pd.stage "one" { steps.noop {} },
END
pd plan "$tmp/looks.lua" --check
like "of a plan that takes nothing back it is known before, with a dry run or" "$out" ' no point of no return$'
pd plan "$tmp/looks.lua"
like "of a plan that takes nothing back it is known before" "$out" 'no point of no return$'

# the word of a person is kept over a crash
workflow kept <<END
pd.stage "one" { steps.write { path = "$f/h1", kill = true, mark = "$tmp/killed" } },
pd.stage "two" { steps.burn { path = "$f/h2" } },
END
pd run "$tmp/kept.lua" --accept-no-return "said once"
is "the engine was killed" "$rc" 137
pd resume
is "what was said holds for the whole run" "$rc $(cat "$f/h2")" "0 x"
end
