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
		grep -v "^patchday: note: " | jq -r '[.. | .text? // empty | strings][0] // "nothing"'
}

# scan WORD...: what is needed and may be installed or not
scan()
{
	"${patchday[@]}" scan --catalog "$tmp/c.xml" "${places[@]}" --facts "$tmp/facts.json" --json "$@" 2>/dev/null |
		jq -r 'select(.verdict == "needed") | "\(.id) \(.approved)"' | paste -sd,
}
printf 'a\t0\t1\t\tall\nb\t0\t1\t\tall\n' >"$tmp/installed.tsv"
fixed() { "${patchday[@]}" scan --catalog "$tmp/c.xml" "${places[@]}" --packages "$tmp/installed.tsv" --scheme deb --json "$@"; }

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
pd scan --catalog "$tmp/c.xml" --facts "$tmp/facts.json" --approved
is "and those alone are counted" "$(tail -1 <<<"$out")" "1 needed, 0 installed, 0 superseded, 0 not applicable, 0 unknown"
is "a list of packages is judged by the catalog alone" "$(fixed)" "$before"
list=(--packages "$tmp/installed.tsv" --scheme deb)
is "unless what is approved is asked for" "$(fixed --approved | jq -r '"\(.id) \(.verdict)"' | paste -sd,)" "OTHER needed"
is "or what is not, which replaces nothing" "$(fixed --unapproved | jq -r '"\(.id) \(.verdict)"' | paste -sd,)" "OLD needed,NEW needed"
is "in the fixed form" "$(fixed --unapproved | jq -c keys | sort -u)" '["catalog","id","packages","reason","revision","verdict"]'
pd scan --catalog "$tmp/c.xml" "${list[@]}" --unapproved
like "also in its table" "$rc $(tr '\n' ' ' <<<"$out")" '^0 needed .* OLD .*needed .* NEW .*not approved; a 1 is installed.* 2 needed, 0 installed'
pd scan --catalog "$tmp/c.xml" "${list[@]}" --approved --csv
like "and in CSV" "$rc $(wc -l <<<"$out") $(tail -1 <<<"$out")" '^0 2 .*"OTHER",.*,"true"'
pd scan --catalog "$tmp/c.xml" "${list[@]}" --approved --unapproved
like "both don't go together" "$rc $out" "^2 .*--approved and --unapproved don't go together \\[usage\\]"
pd catalog approve "$tmp/c.xml" --needed --facts "$tmp/facts.json" --facts "$tmp/none.json" --why "two servers"
like "of two servers' facts neither is left out in silence" "$rc $out" '^2 .*approve takes one --facts'
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
cp "$tmp/c.xml" "$tmp/as-it-was.xml"
sed -i 's/id="OLD" rev/status="replaced" &/; /"NEW"/s/name="a"/name="elsewhere"/' "$tmp/c.xml"
is "what says that it is replaced is not, while that is not approved" "$(due)" "OLD OTHER"
pd catalog approve "$tmp/c.xml" --id NEW --why "it is for other servers"
is "and then it is, whomever that is for" "$rc $(due)" "0 OTHER"
pd catalog withdraw --id NEW --why "for none of ours"
cp "$tmp/as-it-was.xml" "$tmp/c.xml"
pd catalog approve "$tmp/c.xml" --id NEWER --why x
is "an update that is not there" "$rc" 2
sed -i 's/id="OTHER"/id="OTHER" revision="2"/' "$tmp/c.xml"
is "another revision is another update" "$(due)" OLD
pd catalog freeze "$tmp/c.xml" --needed --facts "$tmp/facts.json" --approved --to "$tmp/frozen.xml"
is "frozen is what is needed and approved: what is not takes no place" \
	"$rc $("${patchday[@]}" catalog show "$tmp/frozen.xml" "${places[@]}" --json | jq -r .id | xargs)" "0 OLD"
pd catalog approve "$tmp/c.xml" --id OTHER --why "tested again"
pd catalog freeze "$tmp/c.xml" --needed --facts "$tmp/facts.json" --approved --to "$tmp/frozen.xml"
is "and nothing else" "$rc $("${patchday[@]}" catalog show "$tmp/frozen.xml" "${places[@]}" --json | jq -r .id | xargs)" "0 OLD OTHER"
is "the decisions are private" "$(stat -c %a "$PATCHDAY_STATE/approvals.jsonl")" 600
is "none of them is lost" "$(wc -l <"$PATCHDAY_STATE/approvals.jsonl")" 7

# --------------------------------------------------- what was approved, and no more
rm "$PATCHDAY_STATE/approvals.jsonl"
one=$(printf %064d 1) two=$(printf %064d 2)
cat >"$tmp/c.xml" <<END
<catalog xmlns="urn:patchday:catalog:1">
  <update id="A" revision="1" kind="security"><title>a</title>
    <payload id="1" url="pool/a.deb" digest="sha256:$one"/><package name="a" version="2" scheme="deb" payload="1"/>
    <install command="setup" arguments="/quiet"/></update>
  <update id="B" revision="1" kind="bugfix"><title>b</title><package name="b" version="2" scheme="deb"/>
    <package name="elsewhere" version="2" scheme="deb" module="m:1"/></update>
</catalog>
END
cp "$tmp/c.xml" "$tmp/approved.xml"
pd catalog approve "$tmp/c.xml" --id A --id B --why "read all of it"
is "two are approved" "$rc $(due)" "0 A B"
sed -i 's/"m:1"/"m:1 default"/' "$tmp/c.xml"
is "that a stream has become a default one is no change" "$(due)" "A B"
pd catalog approve "$tmp/c.xml" --id A --why "twice"
is "what is approved needs it no more" "$rc $out" "0 "
# changed TEXT ID SED-SCRIPT PATTERN: with it the update counts as not approved, everywhere
changed()
{
	local other=A

	[ "$2" = B ] || other=B
	sed "$3" "$tmp/approved.xml" >"$tmp/c.xml"
	check "$1: it is another one" grep -qE "$4" "$tmp/c.xml"
	is "$1: no plan has it" "$(due)" "$other"
	pd plan "$tmp/w.lua" --catalog "$tmp/c.xml" --facts "$tmp/facts.json"
	like "$1: and says why" "$out" "c.xml: $2 is not as it was approved.*new is: .*$4"
	is "$1: a scan marks it" "$(scan --unapproved)" "$2 false"
	pd scan --catalog "$tmp/c.xml" --facts "$tmp/facts.json"
	like "$1: also in its table" "$out" "needed .* $2 .*not approved"
	pd catalog freeze "$tmp/c.xml" --approved --to "$tmp/frozen.xml"
	is "$1: it is not frozen" "$rc $("${patchday[@]}" catalog show "$tmp/frozen.xml" "${places[@]}" --json | jq -r .id | xargs)" "0 $other"
}
changed "another version" B '/"b"/s/version="2"/version="3"/' '3'
changed "one more package" B 's/"elsewhere"/"a"/' 'a'
changed "another file" A "s/$one/$two/" 'a'
changed "a file that nothing proves" A 's/ digest="[^"]*"//' 'a'
changed "another command" A 's/quiet/all/' '/all'
cp "$tmp/approved.xml" "$tmp/c.xml"
is "as it was it is approved" "$(due)" "A B"
sed -i 's/pool/mirror/; s/<title>b/<title>better/' "$tmp/c.xml"
is "also from elsewhere, and with other words" "$(due)" "A B"
sed "s/$one/$two/" "$tmp/approved.xml" >"$tmp/c.xml"
pd catalog approve "$tmp/c.xml" --id A --why "read that too"
is "what has changed can be approved" "$rc $(tail -1 <<<"$out") $(due)" "0 approved A 1 A B"
pd catalog withdraw --id A --why "no more"
is "or withdrawn" "$rc $(due)" "0 B"
cp "$tmp/approved.xml" "$tmp/c.xml"
is "with all that was approved of it" "$(due)" B
sed -i 's/"content":\[[^]]*\],*//' "$PATCHDAY_STATE/approvals.jsonl"
sed '/"b"/s/version="2"/version="3"/' "$tmp/approved.xml" >"$tmp/c.xml"
is "an approval of old, without a digest, holds for any content" "$(due)" B
pd catalog freeze "$tmp/approved.xml" --id B --to "$tmp/frozen.xml"
rm "$PATCHDAY_STATE/approvals.jsonl"
pd catalog approve "$tmp/approved.xml" --id A --id B --why "before it is frozen"
pd catalog freeze "$tmp/approved.xml" --approved --to "$tmp/c.xml"
is "what is frozen is what was approved" "$rc $(due)" "0 A B"
echo "what is this" >>"$PATCHDAY_STATE/approvals.jsonl"
is "a damaged file stops every plan" "$(due)" nothing
pd plan "$tmp/w.lua" --catalog "$tmp/c.xml" --facts "$tmp/facts.json"
like "and its line is named" "$out" 'approvals.jsonl:3: this is no approval.*\[approvals\]'
end
