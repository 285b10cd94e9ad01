#!/bin/bash
# SPDX-License-Identifier: MIT
# catalog check and show: what was passed over, odd dates, links that lead
# nowhere or in a circle; filters, and one update with all that there is of it.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
command -v jq >/dev/null || skip "jq is not installed"
cp "$PD_BUILDDIR/plugins/native/.libs/native.so" "$tmp/plugins/"
packages=$PD_SRCDIR/catalogs/examples/packages.xml driver=$PD_SRCDIR/catalogs/examples/driver.xml
good=$PD_SRCDIR/tests/data/catalogs/good

# catalog FILE: standard input is its updates
catalog()
{
	{ echo '<catalog xmlns="urn:patchday:catalog:1">'; cat; echo '</catalog>'; } >"$tmp/$1"
}

# update ID ATTRIBUTES [CHILDREN]
update()
{
	echo "<update id=\"$1\" kind=\"security\" $2><title>t</title>${3:-}<package name=\"p\" version=\"1\" scheme=\"deb\"/></update>"
}

# ------------------------------------------------------------------- check
pd catalog check "$good/relations.xml"
is "links are no errors" "$rc" 0
like "but told" "$out" '^    A supersedes GONE$'
like "as are circles" "$out" '^    supersedes A > B > C > A$'
pd catalog check --strict "$good/relations.xml"
is "even with --strict" "$rc" 0
{ update S '' '<supersedes id="S"/>'; update T '' '<requires id="S"/><requires id="U"/>'; update U '' '<requires id="T"/><supersedes id="T"/>'; } |
	catalog circles.xml
pd catalog check "$tmp/circles.xml" --json
is "one with itself, and each kind of its own" "$(jq -c .cycles <<<"$out")" '["requires T > U > T","supersedes S > S"]'
{
	echo '<catalog xmlns="urn:patchday:catalog:1" revisions="each">'
	update U1 'revision="1"' '<supersedes id="GONE-1"/><requires id="U2"/>'
	update U1 'revision="2"' '<supersedes id="GONE-2"/><supersedes id="GONE-1"/>'
	update U2 '' '<requires id="U1"/>'
	echo '</catalog>'
} >"$tmp/each.xml"
pd catalog check "$tmp/each.xml" --json
is "links of each revision of an id count, each once" "$(jq -c '[.updates, .dangling, .cycles]' <<<"$out")" \
	'[3,["U1 supersedes GONE-1","U1 supersedes GONE-2"],["requires U1 > U2 > U1"]]'
for i in {1..3000}; do update "U$i" '' "<supersedes id=\"U$((i + 1))\"/>"; done | catalog deep.xml
pd catalog check "$tmp/deep.xml"
like "a chain of 3000 is gone through" "$rc $(tr '\n' ' ' <<<"$out")" '^0 deep.xml: .*is not in it: 1     U3000 supersedes U3001 $'
{ update A 'issued="2199-01-01"'; update B 'issued="2026-02-02" updated="2026-02-01"'; update C 'issued="2026-02-02"'; } | catalog dates.xml
pd catalog check "$tmp/dates.xml"
like "odd dates are told" "$rc $(tr '\n' ' ' <<<"$out")" '^0 .*odd dates: 2     dates.xml:2: A was issued in the future, on 2199-01-01T00:00:00Z     dates.xml:3: B was updated before it was issued $'
pd catalog check --strict "$tmp/dates.xml"
like "with --strict they are an error" "$rc $out" '^2 .*patchday: dates.xml:2: A was .*\[catalog-strict\]|^patchday: dates.xml:2: A was .*\[catalog-strict\]'
for i in {1..150}; do update A "revision=\"$i\""; done | catalog twice.xml
pd catalog check "$tmp/twice.xml"
like "what was passed over is counted" "$rc $(tail -8 <<<"$out" | head -1)" '^0 twice.xml: native:native, 1 updates, 149 passed over'
is "and shown: five, and a hundred as notes" "$(grep -c '^    twice.xml:' <<<"$out") $(grep -c '^patchday: note: twice.xml' <<<"$out")" "5 100"
like "with the way to the rest" "$out" 'note: and 49 more of twice.xml; `patchday catalog check --all` has them all'
pd catalog check --all "$tmp/twice.xml"
is "all of it with --all" "$(grep -c '^    twice.xml:[0-9]*: update A is there more than once' <<<"$out")" 149
pd catalog check --strict "$tmp/twice.xml"
is "an error with --strict" "$rc" 2
echo '<catalog' >"$tmp/broken.xml"
pd catalog check "$tmp/broken.xml" "$tmp/dates.xml" "$tmp/none.xml" "$tmp/circles.xml"
is "each file is told by itself, also behind one that can't be read" "$rc $(grep -c '^\(dates\|circles\).xml: native' <<<"$out")" "2 2"
is "which is named" "$(grep -c '^patchday: .*\(broken\|none\).xml.*\[' <<<"$out")" 2
out=$("${patchday[@]}" catalog check "${places[@]}" "$tmp/broken.xml" "$tmp/dates.xml" --json 2>/dev/null)
is "in JSON with a line for each, too" "$(jq -r '.catalog // "an error"' <<<"$out" | xargs)" "an error dates.xml"
: >"$tmp/none.tsv"
pd scan --catalog "$tmp/twice.xml" --packages "$tmp/none.tsv" --scheme deb --strict
like "for scan too" "$rc $out" 'twice.xml:[0-9]+: update A is there more than once.*\[catalog-strict\]'
pd scan --catalog "$tmp/twice.xml" --packages "$tmp/none.tsv" --scheme deb
is "and without it not" "$rc" 0

# -------------------------------------------------------------------- show
# ids ARGUMENT...: of the updates that are shown
ids()
{
	pd catalog show "$packages" --json "$@"
	jq -r .id <<<"$out" | tr '\n' ' '
}
is "all" "$(ids)" "EX-2026-014 EX-2026-009 EX-2026-011 EX-2026-015 EX-2026-Q4 "
is "by severity" "$(ids --severity important)" "EX-2026-014 EX-2026-009 EX-2026-015 "
is "by kind" "$(ids --kind bugfix)" "EX-2026-011 "
is "by text, of a link and in any case" "$(ids --text cve-2026-10001)" "EX-2026-014 "
is "by day, the last one that it was touched on" "$(ids --since 2026-11-10)" "EX-2026-014 "
is "before that day, and not those without any" "$(ids --before 2026-11-10)" "EX-2026-009 EX-2026-011 "
is "by all of them" "$(ids --severity low --kind security --text openssl --before 2026-11-10)" "EX-2026-009 "
is "an empty answer is none" "$(ids --text nowhere)" ""
for bad in '--severity high' '--kind big' '--since 2026' '--before yesterday'; do
	# shellcheck disable=SC2086 # words
	pd catalog show "$packages" $bad
	like "$bad" "$rc $out" "^2 patchday: ${bad% *} is n"
done
pd catalog show "$packages" --csv --kind bugfix
is "CSV" "$out" $'"catalog","id","revision","severity","kind","status","date","restart","title"\r\n"packages.xml","EX-2026-011","","low","bugfix","retired","2026-09-01","unknown","cups: withdrawn, since it lost queues"\r'
pd catalog show "$driver" --id NIC-7.3.1
is "one update" "$rc" 0
for part in 'install    nic-7.3.1.run --silent --norestart' 'exit       2 success-reboot' '  applicable if' \
	'        os  version_id >= 9 \(plain\)' '    not disks / readonly = true' '      packages other-nic is there' \
	'payload    https://drivers.example.com/nic-7.3.1.run 5.0 MiB sha1:' "note       it can't be removed again"; do
	like "has its parts: $part" "$out" "$part"
done
pd catalog show "$driver" --id NIC-7.3.1 --json
is "in JSON the rules are a tree" "$(jq -c '[.applicable[1].op, (.applicable[1].rules | length), .applicable[1].rules[1].rules[1].field, .applicable[3].negate]' <<<"$out")" \
	'["any",2,"version_id",true]'
is "and what an exit means" "$(jq -c '.exits[1]' <<<"$out")" '{"meaning":"success-reboot","status":2}'
{ update A "" "<alias id=\"CVE-2026-1\"/>"; update B '' '<alias id="CVE-2026-2"/>'; update C '' '<alias id="CVE-2026-1"/>'; } | catalog named.xml
pd catalog show "$tmp/named.xml" --id CVE-2026-1 --json
is "those that have it as another name" "$rc $(jq -r .id <<<"$out" | xargs)" "0 A C"
pd catalog show "$driver" --id none
like "one that is not in it" "$rc $out" '^2 .*driver.xml has no update none'
pd catalog show "$packages" "$driver" --id NIC-BASE
like "one of several catalogs is enough" "$rc $out" '^0 NIC-BASE'
pd catalog show "$packages" "$driver" --id none
like "one that none of them has" "$rc $out" '^2 .*no catalog has an update none'
end
