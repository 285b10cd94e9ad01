#!/bin/bash
# SPDX-License-Identifier: MIT
# What an administrator has allowed: nothing else is in a plan, and what is not
# allowed takes no place from what is.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
cp "$PD_BUILDDIR/plugins/native/.libs/native.so" "$PD_BUILDDIR/tests/plans/plugins/.libs/demo.so" "$tmp/plugins/"
cat >"$tmp/c.xml" <<'END'
<catalog xmlns="urn:patchday:catalog:1">
  <update id="OLD" revision="1" kind="security"><title>old</title><package name="a" version="2" scheme="deb"/></update>
  <update id="NEW" revision="1" kind="security"><title>new</title><supersedes id="OLD"/><package name="a" version="3" scheme="deb"/></update>
  <update id="OTHER" kind="bugfix"><title>other</title><package name="b" version="2" scheme="deb"/></update>
</catalog>
END
echo '{"packages": [{"name": "a", "version": "1", "arch": "all", "scheme": "deb"}, {"name": "b", "version": "1", "arch": "all", "scheme": "deb"}]}' >"$tmp/facts.json"
cat >"$tmp/w.lua" <<'END'
local pd = require "patchday"
local demo = pd.use "demo"
return pd.workflow { api = 1, name = "w", role = "test", help = "what is due",
  plan = function(t)
    local due, ids = t.catalog:needed(), {}
    if #due == 0 then return pd.nothing "no update applies" end
    for i, u in ipairs(due) do ids[i] = u.id end
    return { demo.look { text = table.concat(ids, " ") } }
  end }
END

# the ids that a plan has
due()
{
	"${patchday[@]}" plan "$tmp/w.lua" "${places[@]}" --catalog "$tmp/c.xml" --facts "$tmp/facts.json" --json 2>&1 |
		jq -r '[.. | .text? // empty | strings][0] // "nothing"'
}

# scan WORD...: what is needed and may be installed or not
scan()
{
	"${patchday[@]}" scan --catalog "$tmp/c.xml" "${places[@]}" --facts "$tmp/facts.json" --json "$@" 2>&1 |
		jq -r 'select(.verdict == "needed") | "\(.id) \(.approved)"' | paste -sd,
}
printf 'a\t0\t1\t\tall\nb\t0\t1\t\tall\n' >"$tmp/installed.tsv"
fixed() { "${patchday[@]}" scan --catalog "$tmp/c.xml" "${places[@]}" --packages "$tmp/installed.tsv" --scheme deb --json; }

is "without approvals all is allowed" "$(due)" "NEW OTHER"
is "and a scan says nothing of it" "$(scan)" "NEW null,OTHER null"
before=$(fixed)
pd catalog approve "$tmp/c.xml" --id OTHER
is "an approval has a reason" "$rc" 2
is "and until then nothing is decided" "$(due)" "NEW OTHER"
pd catalog approve "$tmp/c.xml" --id OTHER --why "tested on Monday"
is "one is approved" "$rc $out" "0 approved OTHER "
is "and no other is in a plan" "$(due)" OTHER
is "a scan marks the others" "$(scan)" "OLD false,NEW false,OTHER true"
pd scan --catalog "$tmp/c.xml" --facts "$tmp/facts.json"
like "also in its table" "$out" 'needed .* NEW .*not approved; a 1 is installed'
is "or leaves them out" "$(scan --approved)" "OTHER true"
is "or has them alone" "$(scan --unapproved)" "OLD false,NEW false"
is "a list of packages is judged by the catalog alone" "$(fixed)" "$before"
pd catalog approve "$tmp/c.xml" --id OLD --why "the new one breaks the printer"
is "what is not approved replaces nothing" "$(due)" "OLD OTHER"
pd catalog approve "$tmp/c.xml" --needed --facts "$tmp/facts.json" --why "mended"
is "what is needed is approved" "$rc $(due)" "0 NEW OTHER"
is "and a scan says the same" "$(scan)" "NEW true,OTHER true"
pd catalog approvals --json
is "who, when and why are kept" "$(jq -rs 'map(select(.id == "OLD"))[0] | .why + ", " + (.who | tostring) + (if .time > 0 then "" else "!" end)' <<<"$out")" \
	"the new one breaks the printer, ${SUDO_USER:-$(id -un)}"
pd catalog withdraw --id NEW --why "it broke again"
is "an approval is taken back" "$rc $(due)" "0 OLD OTHER"
pd catalog withdraw --id NEW --why "twice"
is "but not twice" "$rc" 2
pd catalog approve "$tmp/c.xml" --id NEWER --why x
is "an update that is not there" "$rc" 2
sed -i 's/id="OTHER"/id="OTHER" revision="2"/' "$tmp/c.xml"
is "another revision is another update" "$(due)" OLD
pd catalog freeze "$tmp/c.xml" --needed --facts "$tmp/facts.json" --approved --to "$tmp/frozen.xml"
is "frozen is what is needed and approved" "$rc" 2
pd catalog approve "$tmp/c.xml" --id OTHER --why "tested again"
pd catalog freeze "$tmp/c.xml" --needed --facts "$tmp/facts.json" --approved --to "$tmp/frozen.xml"
is "and nothing else" "$rc $("${patchday[@]}" catalog show "$tmp/frozen.xml" "${places[@]}" --json | jq -r .id | xargs)" "0 OTHER"
is "the decisions are private" "$(stat -c %a "$PATCHDAY_STATE/approvals.jsonl")" 600
is "none of them is lost" "$(wc -l <"$PATCHDAY_STATE/approvals.jsonl")" 5
echo "what is this" >>"$PATCHDAY_STATE/approvals.jsonl"
is "a damaged file stops every plan" "$(due)" nothing
pd plan "$tmp/w.lua" --catalog "$tmp/c.xml" --facts "$tmp/facts.json"
like "and its line is named" "$out" 'approvals.jsonl:6: this is no approval.*\[approvals\]'
end
