#!/bin/bash
# SPDX-License-Identifier: MIT
# The engine: order, policies, holds, undo, references, one run at a time.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f

workflow good <<END
pd.stage "one" { steps.noop {}, steps.write { path = "$f/a", text = "A" } },
pd.stage "two" { steps.write { path = "$f/b", text = "B" } },
END
pd run "$tmp/good.lua"
is "a good run is done" "$rc $(state)" "0 done"
is "and has written" "$(cat "$f/a" "$f/b")" "AB"
pd run "$tmp/good.lua"
is "a second run finds nothing to do" "$rc $(acts "$f/a" apply)" "0 1"
like "and says so" "$out" 'unchanged +two/steps.write'

workflow undo <<END
pd.stage "one" { steps.write { path = "$f/a", text = "changed" } },
pd.stage "two" { on_failure = "undo", steps.write { path = "$f/new" },
                 steps.write { path = "$f/x", fail = "apply" } },
END
pd run "$tmp/undo.lua"
is "a failure with on_failure undo ends rolled back" "$rc $(state)" "1 rolled back"
is "the file of an earlier stage is as before" "$(cat "$f/a")" A
check "a file that was not there is gone" [ ! -e "$f/new" ]
like "the failure is named" "$out" 'told to fail in apply'

workflow stop <<END
pd.stage "one" { steps.write { path = "$f/s1" }, steps.write { path = "$f/s2", fail = "verify" } },
END
pd run "$tmp/stop.lua"
is "a failure with on_failure stop waits for a person" "$rc $(state)" "5 stopped"
pd run "$tmp/good.lua"
is "no other run can start meanwhile" "$rc" 4
like "and the message says which is open" "$out" 'run-open'
pd undo
is "undo takes the stopped run back" "$rc $(state)" "1 rolled back"
check "its files are gone" [ ! -e "$f/s1" -a ! -e "$f/s2" ]

workflow continue <<END
pd.stage "one" { on_failure = "continue", steps.write { path = "$f/c1", fail = "apply" } },
pd.stage "two" { steps.write { path = "$f/c2" } },
END
pd run "$tmp/continue.lua"
is "on_failure continue goes on" "$rc $(cat "$f/c2")" "0 x"
is "and the failed step stays failed" "$(step_state one/steps.write)" failed

workflow hold <<END
pd.hold { steps.write { path = "$f/held" },
  pd.stage "body" { on_failure = "undo",
    steps.write { path = "$f/h1" }, steps.write { path = "$f/h2", fail = "apply" } } },
END
pd run "$tmp/hold.lua"
is "a failing body rolls back" "$rc" 1
check "and what was held is given back" [ ! -e "$f/held" ]
is "exactly once" "$(acts "$f/held" undo)" 1

workflow held <<END
pd.hold { steps.write { path = "$f/held2" }, pd.stage "body" { steps.write { path = "$f/k1" } } },
pd.stage "after" { steps.write { path = "$f/k2" } },
END
pd run "$tmp/held.lua"
is "a hold that goes well" "$rc $(cat "$f/k1" "$f/k2")" "0 xx"
check "is given back before the next stage" [ ! -e "$f/held2" ]

workflow stophold <<END
pd.hold { steps.write { path = "$f/held3" },
  pd.stage "body" { steps.write { path = "$f/p1" }, steps.write { path = "$f/p2", kill = false, fail = "apply" } } },
END
pd run "$tmp/stophold.lua"
is "a stop gives back too" "$rc $([ -e "$f/held3" ] || echo gone)" "5 gone"
pd resume
is "resume tries again and stops again" "$rc" 5
is "with the hold taken again meanwhile" "$(acts "$f/held3" apply) $(acts "$f/held3" undo)" "2 2"
is "and what was done is not done twice" "$(acts "$f/p1" apply)" 1
pd undo

workflow stuck <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/u1" },
  steps.write { path = "$f/u2", fail = "undo" }, steps.write { path = "$f/u3", fail = "apply" } },
END
pd run "$tmp/stuck.lua"
is "an undo that fails makes the server inconsistent" "$rc $(state)" "3 inconsistent"
pd run "$tmp/good.lua"
is "and no further run starts" "$rc" 4
rm -rf "$PATCHDAY_STATE"

workflow noreturn <<END
pd.stage "one" { steps.write { path = "$f/n1" }, steps.burn { path = "$f/n2" } },
pd.stage "two" { on_failure = "undo", steps.write { path = "$f/n3" },
                 steps.write { path = "$f/n4", fail = "apply" } },
END
pd run "$tmp/noreturn.lua" --accept-no-return "it is a test"
is "undo ends at the point of no return" "$rc $(cat "$f/n1" "$f/n2" 2>&1) $([ -e "$f/n3" ] || echo gone)" "1 xx gone"
like "which is named" "$out" 'point of no return, one/steps.burn'

workflow refuse <<END
pd.stage "one" { steps.write { path = "$f/r1" }, steps.write { path = "$f/r2", fail = "refuse" } },
END
pd run "$tmp/refuse.lua"
is "an inhibitor refuses the run" "$rc $(state)" "4 refused"
check "before anything is touched" [ ! -e "$f/r1" ]

workflow refer <<END
(function()
  local a = steps.write { path = "$f/o1", text = "seven" }
  return pd.stage "one" { a, steps.write { path = "$f/o2", text = "at " , id = "second" },
    steps.write { path = a.out.path, text = "eight", id = "third" } }
end)(),
END
pd run "$tmp/refer.lua"
is "an output reaches a later step" "$rc $(cat "$f/o1")" "0 eight"

workflow sign <<END
pd.stage "one" { steps.noop {} }, pd.signoff { parties = { "operations", "owner" } },
END
pd run "$tmp/sign.lua"
is "the run waits for signatures" "$rc $(state)" "5 waiting for sign-off"
pd signoff --party operation --name Ann
is "an unknown party is refused" "$rc" 2
like "with the nearest one" "$out" "Did you mean 'operations'"
pd signoff --party operations --name Ann
is "the first signature is not enough" "$rc" 5
pd signoff --party owner --name Bob --note "all <fine> & well"
is "the last one makes it done" "$rc $(state)" "0 done"
certificate=$(sed -n 's/^certificate: //p' <<<"$out")
check "the certificate is XML" xmllint --noout "$certificate"
is "and holds the note" "$(xmllint --xpath 'string(//*[local-name()="note"])' "$certificate")" "all <fine> & well"
check "and HTML" grep -q '<title>' "${certificate%.xml}.html"
is "only for its owner" "$(stat -c %a "$certificate")" 600

# what goes on when the server comes up does so as it was begun
if [ -d /etc/systemd ]; then
	workflow boots <<END
pd.stage "one" { steps.reboot { path = "$f/boots" } },
END
	# shellcheck disable=SC2016 # for the shell inside
	unit=$(TZ=Asia/Tokyo PATCHDAY_PATH=/usr/bin:/bin unshare -m sh -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/system &&
		mount -t tmpfs none /etc/systemd && "$@" >/dev/null; cat /etc/systemd/system/patchday-resume.service' sh \
		"${patchday[@]}" run "${places[@]}" --poll 7 --no-wait --hook "/bin/true x" "$tmp/boots.lua" 2>&1 </dev/null)
	for wanted in '"--state" "'"$PATCHDAY_STATE" '"--poll" "7"' '"--no-wait"' '"--hook" "/bin/true x"' \
		'"PATCHDAY_PATH=/usr/bin:/bin"' '"TZ=Asia/Tokyo"' '"--unattended"' '"--plugin-dir" "'"$tmp"; do
		like "resume at boot has $wanted" "$unit" "^ExecStart=.*$wanted"
	done
fi
end
