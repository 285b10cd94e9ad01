#!/bin/bash
# SPDX-License-Identifier: MIT
# Events: every line of runs that have all kinds is as doc/schema/event.json
# says, and a hook gets each of them, in order, without a say in the run.
. "${PD_SRCDIR:?}/tests/run/boots.sh" || exit 99
mkdir "$tmp/got"

# the part of JSON Schema that the schema uses
cat >"$tmp/check.py" <<'END'
import json, re, sys
kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
def is_a(v, t):
    if t in ("integer", "number"):
        return isinstance(v, int if t == "integer" else (int, float)) and not isinstance(v, bool)
    return isinstance(v, kinds[t])
def fits(v, s):
    types = s.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_a(v, t) for t in types): return False
    if "const" in s and v != s["const"] or "enum" in s and v not in s["enum"]: return False
    if "minimum" in s and v < s["minimum"] or "minLength" in s and len(v) < s["minLength"]: return False
    if "pattern" in s and not re.search(s["pattern"], v): return False
    if "items" in s and not all(fits(i, s["items"]) for i in v): return False
    if isinstance(v, dict):
        rows = s.get("properties", {})
        if any(k not in v for k in s.get("required", [])): return False
        if s.get("additionalProperties") is False and any(k not in rows for k in v): return False
        if not all(fits(v[k], rows[k]) for k in v if k in rows): return False
    return "oneOf" not in s or sum(fits(v, one) for one in s["oneOf"]) == 1
known = {"$schema", "$id", "title", "description", "type", "properties", "required", "additionalProperties",
         "oneOf", "const", "enum", "minimum", "minLength", "pattern", "items"}
def words(s):
    bad = [k for k in s if k not in known]
    for one in list(s.get("properties", {}).values()) + s.get("oneOf", []) + ([s["items"]] if "items" in s else []):
        bad += words(one)
    return bad
schema = json.load(open(sys.argv[1]))
assert not words(schema), words(schema)
try:
    import jsonschema
    proper = jsonschema.Draft202012Validator(schema)
except ImportError:
    proper = None
seen = set()
for line in open(sys.argv[2]):
    event = json.loads(line)
    seen.add(event["kind"])
    if not fits(event, schema) or proper and not proper.is_valid(event):
        print("not so:", line[:300].rstrip())
declared = {one["properties"]["kind"]["const"] for one in schema["oneOf"]}
print("kinds that no run had:", *sorted(declared - seen))
END

# kinds FILE: what of it is not as the schema says, and kinds that it does not have
kinds()
{
	python3 "$tmp/check.py" "$PD_SRCDIR/doc/schema/event.json" "$1" 2>&1 | cut -c1-300 | tail -6
}

# live COMMAND ARGUMENT...: what it prints as it goes on
live()
{
	"${patchday[@]}" "$@" "${places[@]}" --events </dev/null 2>/dev/null >>"$tmp/live"
}

# ---- what goes well, and what people do to a run
echo 'packages name=alpha version=1 arch=all' >"$tmp/server"
echo 'packages name=alpha version=2 arch=all' >"$tmp/server.after"
cat >>"$tmp/server.after" <<END
services name=new.service state=active enabled=enabled
fail
END
guards="steps.gate { path = \"$f/gate\", id = \"front\" },"
(umask 077; echo 0123456789abcdef >"$tmp/canary")
cat >"$tmp/make" <<'END'
workflow long <<WORKFLOW
(function()
  local a = steps.write { path = "$f/a", evidence = true, id = "a" }
  return pd.stage "one" { a, steps.write { path = "$f/b", text = a.out.path, id = "b" },
    steps.write { path = "$f/c", text = "$1", id = "c" }, steps.write { path = "$f/d", fail = "$2", id = "d" },
    steps.write { path = "$f/s", fail = "apply", id = "s" } }
end)(),
pd.stage "two" { steps.write { path = "$f/t", fail = "retry" }, steps.reboot { path = "$f/r" }, steps.noop {},
  steps.leak { value = pd.secret { file = "$tmp/canary" }, path = "$f" },
  steps.write { path = "$f/w", wall = "$tmp/wall" } }, pd.signoff { parties = { "owner" } },
WORKFLOW
END
make() { . "$tmp/make"; }
touch "$tmp/wall"
make 1 apply
echo "the moon is full" >"$f/gate"
live run "$tmp/long.lua" --no-wait --accept-no-return "this is a test"
is "guards hold it up" "$(state)" "waiting to go on"
live resume --no-wait --emergency front --why "the roof burns"
is "then a step fails" "$(state)" stopped
live resume --redo one/b --why "to be sure"
make 2 nowhere
live resume --workflow "$tmp/long.lua" --yes --why "it was wrong"
is "the plan is another one" "$(state) $(cat "$f/c")" "stopped 2"
touch "$tmp/server.flip"
live resume --skip one/s --why "not today"
is "it is rebooted" "$(state)" rebooting
boot
live resume
is "and waits for a signature" "$(state)" "waiting for sign-off"
# each event of people goes to a hook too
printf '#!/bin/sh\ncat >>"%s/people"\n' "$tmp" >"$tmp/people.hook"
chmod 755 "$tmp/people.hook"
heard() { [ "$(jq -r '.kind + " " + (.data.state // "")' "$tmp/people" | xargs)" = "$1" ]; }
live signoff --party owner --name "Ann \"A.\"" --note "=fine, is it?" --hook "$tmp/people.hook"
is "it is signed" "$(state)" "done"
"${patchday[@]}" final --make-key --key "$tmp/seal.key" >/dev/null
live final --key "$tmp/seal.key" --hook "$tmp/people.hook"
is "it is sealed" "$(tail -1 "$tmp/live" | jq -r .kind)" seal
check "a hook gets both" wait_for heard "sign state done seal"
# what a sealed report of all that looks like
"${patchday[@]}" report --scripts "$PD_SRCDIR/scripts" --format xml >"$tmp/report.xml"
! command -v xmllint >/dev/null ||
	check "the report of it has its schema" xmllint --noout --relaxng "$PD_SRCDIR/scripts/report/report.rng" "$tmp/report.xml" 2>/dev/null

# the same as one table: a row for each thing, of its kind
"${patchday[@]}" report --scripts "$PD_SRCDIR/scripts" --format csv >"$tmp/report.csv"
cat >"$tmp/table.py" <<'END'
import collections, csv, sys
import xml.etree.ElementTree as tree
rows = list(csv.DictReader(open(sys.argv[1], newline=""), strict=True))
report = tree.parse(sys.argv[2]).getroot()
kinds = collections.Counter(row["kind"] for row in rows)
for kind in ("step", "evidence", "difference", "signature", "not-compared"):
    there = sum(1 for _ in report.iter("{urn:patchday:report:1}" + kind))
    assert kinds.pop(kind.replace("-", " "), 0) == there, kind
    print(kind, there > 0)
assert not kinds, kinds
assert all(None not in row and None not in row.values() for row in rows), "ragged"
assert {row["run"] for row in rows} == {report.get("run")}
print(*sorted({(r["state"], r["name"], r["who"], r["message"]) for r in rows if r["kind"] == "signature"}))
for r in rows:
    if r["kind"] == "evidence" and r["step"] == "one/a": print(r["name"].split("/")[-1], r["bytes"], len(r["sha256"]))
END
is "as CSV it is one table" "$(python3 "$tmp/table.py" "$tmp/report.csv" "$tmp/report.xml" 2>&1)" "step True
evidence True
difference False
signature True
not-compared True
('signed', 'owner', 'Ann \"A.\"', \"'=fine, is it?\")
a 1 64"

# ---- what does not
guards=
rm "$tmp/server.flip"
workflow back <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/u1" }, steps.reboot { path = "$f/u2" },
  steps.write { path = "$f/u3", fail = "verify" } },
END
live run "$tmp/back.lua"
for _ in 3 4; do
	boot
	live resume --unattended
done
is "a run is taken back with a reboot" "$(state)" "rolled back"
workflow refused <<END
steps.write { path = "$f/r1", fail = "refuse" }, steps.mint { path = "$f/m" },
END
live run "$tmp/refused.lua"
workflow stuck <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/u4", fail = "undo" },
  steps.write { path = "$f/u5", fail = "apply" } },
END
live run "$tmp/stuck.lua"
rm "$tmp/people"
live status --clear --why "mended by hand" --hook "$tmp/people.hook"
check "a hook gets that too" wait_for heard "clear state cleared"
is "a server is mended" "$(state)" cleared

# ---- all of it, as it was printed, and as the journal has it
runs=$("${patchday[@]}" status --all --json | jq -r 'reverse[].run')
for run in $runs; do "${patchday[@]}" status "$run" --follow --events >>"$tmp/events"; done
isnt=$(wc -l <"$tmp/live")
check "there are events ($isnt)" [ "$isnt" -gt 100 ]
is "every event that is printed is as the schema says" "$(kinds "$tmp/live")" \
	"kinds that no run had:"
is "so is every one in the journal, and there is every kind of the schema" "$(kinds "$tmp/events")" \
	"kinds that no run had:"
is "a null is kept" "$(jq -c 'select(.kind == "remember" and .data.key == "before") | .data' "$tmp/live" | sort -u | head -1)" \
	'{"key":"before","value":null}'
empty "what is printed is what the journal has" "$(comm -3 <(jq -cS . "$tmp/live" | sort) <(jq -cS . "$tmp/events" | sort) | cut -c1-300 | head -5)"
sed 's/"kind":"done"/"kind":"dome"/; s/"seconds"/"secs"/' "$tmp/events" >"$tmp/broken"
like "an event that is wrong is found" \
	"$(kinds "$tmp/broken")" '^not so: '

# ---- the hook
rm -rf "$PATCHDAY_STATE"
cat >"$tmp/hook" <<'END'
#!/bin/sh
cat >>"$1/lines"
while [ -e "$1/hang" ]; do sleep 0.05; done
exit 3
END
chmod 755 "$tmp/hook"
workflow many <<END
steps.write { path = "$f/h1" }, steps.write { path = "$f/h2" }, steps.noop {},
END
out=$("${patchday[@]}" run "${places[@]}" --events --hook "$tmp/hook $tmp/got" "$tmp/many.lua" </dev/null)
is "a hook that fails does not fail the run" $? 0
got() { [ "$(wc -l <"$tmp/got/lines")" = "$1" ]; }
wait_for got "$(wc -l <<<"$out")"
is "the hook got every event, in order" "$(cat "$tmp/got/lines")" "$out"
touch "$tmp/got/hang"
: >"$tmp/got/lines"
out=$("${patchday[@]}" run "${places[@]}" --events --hook "$tmp/hook $tmp/got" "$tmp/many.lua" </dev/null)
is "a run whose hook hangs" $? 0
check "is over long before the hook has had all of it" [ "$(wc -l <"$tmp/got/lines")" -lt "$(wc -l <<<"$out")" ]
rm "$tmp/got/hang"
check "which gets the rest later" wait_for got "$(wc -l <<<"$out")"
pd run "$tmp/many.lua" --hook "no/program"
is "a hook that is no program is refused" "$rc" 2

# ---- a hook that is gone
rm -rf "$PATCHDAY_STATE" "$f"
mkdir -p "$f"
printf '#!/bin/sh\nkill -KILL $PPID\n' >"$tmp/hook"
workflow lost <<END
steps.write { path = "$f/l1", waits_for = "$f/gone" }, steps.noop {},
END
"${patchday[@]}" run "${places[@]}" --hook "$tmp/hook" "$tmp/lost.lua" >/dev/null 2>&1 </dev/null &
pid=$!
keeper_gone()
{
	local child

	for child in $(cat "/proc/$pid/task/$pid/children"); do
		! grep -q patchday-hook "/proc/$child/comm" || grep -q '^State:.Z' "/proc/$child/status" || return 1
	done
}
wait_for step_is main/steps.write begun
wait_for keeper_gone
touch "$f/gone"
wait $pid
is "a hook that is killed does not hurt the run" $? 0
like "a warning says how many events it did not get" "$("${patchday[@]}" status)" '[1-9][0-9]* events did not reach the hook'
like "so does the report" "$("${patchday[@]}" report "${places[@]}")" '[1-9][0-9]* events did not reach the hook'
end
