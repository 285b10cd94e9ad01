#!/bin/bash
# SPDX-License-Identifier: MIT
# Events: every line of varied runs is as doc/schema/event.json says, and a
# hook gets each of them, in order, without a say in the run.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f
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

events()
{
	"${patchday[@]}" "$@" "${places[@]}" --events </dev/null 2>/dev/null | tee -a "$tmp/events"
}

workflow a <<END
pd.stage "one" { on_failure = "continue", steps.write { path = "$f/a", fail = "apply" } },
pd.stage "two" { steps.write { path = "$f/b" }, steps.noop {} }, pd.signoff { parties = { "owner" } },
END
workflow b <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/u1" },
  steps.write { path = "$f/u2", fail = "verify" } },
END
workflow c <<END
steps.write { path = "$f/r", fail = "refuse" }, steps.mint { path = "$f/m" },
END
workflow d <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/u3", fail = "undo" },
  steps.write { path = "$f/u4", fail = "apply" } },
END
events run "$tmp/a.lua" >/dev/null
pd signoff --party owner --name Ann --note fine
events status --follow >/dev/null
for w in b c d; do events run "$tmp/$w.lua" >/dev/null; done
isnt=$(wc -l <"$tmp/events")
check "there are events ($isnt)" [ "$isnt" -gt 40 ]
out=$(python3 "$tmp/check.py" "$PD_SRCDIR/doc/schema/event.json" "$tmp/events")
empty "every event is as the schema says" "$(grep '^not so' <<<"$out" | head -5)"
is "only these kinds need more than this test" "$(grep ^kinds <<<"$out")" \
	"kinds that no run had: boot evidence irreversible log reboot warning"
sed 's/"kind":"done"/"kind":"dome"/; s/"seconds"/"secs"/' "$tmp/events" >"$tmp/broken"
like "an event that is wrong is found" \
	"$(python3 "$tmp/check.py" "$PD_SRCDIR/doc/schema/event.json" "$tmp/broken")" '^not so: '

# ---- the hook
rm -rf "$PATCHDAY_STATE"
cat >"$tmp/hook" <<'END'
#!/bin/sh
cat >>"$1/lines"
[ ! -e "$1/hang" ] || { rm "$1/hang"; sleep 60; }
exit 3
END
chmod 755 "$tmp/hook"
workflow many <<END
steps.write { path = "$f/h1" }, steps.write { path = "$f/h2" }, steps.noop {},
END
out=$("${patchday[@]}" run "${places[@]}" --events --hook "$tmp/hook $tmp/got" "$tmp/many.lua" </dev/null)
is "a hook that fails does not fail the run" $? 0
for _ in $(seq 100); do [ "$(wc -l <"$tmp/got/lines")" = "$(wc -l <<<"$out")" ] && break; sleep 0.1; done
is "the hook got every event, in order" "$(cat "$tmp/got/lines")" "$out"
touch "$tmp/got/hang"
begin=$SECONDS
pd run "$tmp/many.lua" --hook "$tmp/hook $tmp/got"
check "a hook that hangs does not hold up the run" [ "$rc" = 0 -a $((SECONDS - begin)) -lt 5 ]
pd run "$tmp/many.lua" --hook "no/program"
is "a hook that is no program is refused" "$rc" 2
end
