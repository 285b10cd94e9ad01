#!/bin/bash
# SPDX-License-Identifier: MIT
# Catalogs that are frozen and converted say what they said before, and the
# schema and stock tools agree; diff tells what is different.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
command -v xmllint >/dev/null || skip "xmllint is not installed"
cp "$PD_BUILDDIR/plugins/native/.libs/native.so" "$tmp/plugins/"
examples=("$PD_SRCDIR"/catalogs/examples/*.xml "$PD_SRCDIR"/tests/data/catalogs/good/*.xml)

# all that is known of a catalog's updates, without their places in the file
all()
{
	local id

	while read -r id; do
		"${patchday[@]}" catalog show "$1" "${places[@]}" --json --id "$id" 2>/dev/null
	done < <("${patchday[@]}" catalog show "$1" "${places[@]}" --json 2>/dev/null | jq -r .id) | jq -S 'del(.line, .catalog)'
}

for file in "${examples[@]}"; do
	name=${file##*/}
	pd catalog convert "$file" --to "$tmp/$name"
	if [ "$(grep -c '<update\|:update' "$file")" = 0 ] && [ $rc = 2 ]; then
		like "$name: nothing to convert" "$out" 'freeze-nothing'
		continue
	fi
	is "$name is converted" "$rc" 0
	is "$name says the same" "$(all "$tmp/$name")" "$(all "$file")"
	check "$name is of the schema" xmllint --noout --relaxng "$PD_SRCDIR/catalogs/patchday-catalog.rng" "$tmp/$name" 2>/dev/null
	pd catalog convert "$tmp/$name" --to "$tmp/again.xml"
	check "$name stays the same, byte for byte" cmp -s "$tmp/$name" "$tmp/again.xml"
	pd catalog diff "$file" "$tmp/$name"
	is "$name has no difference" "$rc $(tail -1 <<<"$out")" "0 0 added, 0 removed, 0 changed"
done

# the catalogs of vendors too, each with what it asks of a server
for vendor in cvrf dell lenovo lvfs mssecure sdp wsus; do
	cp "$PD_BUILDDIR/plugins/$vendor/.libs/$vendor.so" "$tmp/plugins/"
done
for file in "$PD_SRCDIR"/tests/data/{cvrf,dell,lenovo,lvfs,mssecure,sdp,wsus}/*.xml; do
	[[ $file != *bad.xml ]] || continue
	name=${file#"$PD_SRCDIR/tests/data/"}
	pd catalog convert "$file" --to "$tmp/vendor.xml"
	check "$name becomes one of the schema" xmllint --noout --relaxng "$PD_SRCDIR/catalogs/patchday-catalog.rng" "$tmp/vendor.xml" 2>/dev/null
	pd catalog diff "$file" "$tmp/vendor.xml"
	is "$name says the same" "$rc $(tail -1 <<<"$out")" "0 0 added, 0 removed, 0 changed"
done
is "the schema has every kind of facts" "$(sed -n '/define name="kind"/,/<.define>/p' "$PD_SRCDIR/catalogs/patchday-catalog.rng" |
	grep -o 'string">[a-z][a-z]*<' | cut -d'>' -f2 | tr -d '<' | sort)" \
	"$(awk '/^\t\{ "/ { gsub(/[{",]/, ""); print $1 }' "$PD_SRCDIR/core/facts/kinds.c" | sort)"

# each is known behind a comment that is longer than what is looked at first
for file in "$PD_SRCDIR"/tests/data/{cvrf,dell,lenovo,lvfs,mssecure,sdp,wsus}/*.xml; do
	[[ $file != *bad.xml ]] || continue
	name=${file#"$PD_SRCDIR/tests/data/"}
	pd catalog check "$file" --json
	want=$(jq -rs 'last.format' <<<"$out" 2>/dev/null)
	awk -v RS='\001' '{ at = 1; if (match($0, /^[^<]*<[?]xml[^>]*>/)) at = RLENGTH + 1
		printf "%s<!--%9000s-->%s", substr($0, 1, at - 1), "", substr($0, at) }' "$file" >"$tmp/comment.xml"
	pd catalog check "$tmp/comment.xml" --json
	is "$name is known behind a long comment" "$(jq -rs 'last.format' <<<"$out" 2>/dev/null)" "$want"
done

# known FILE: the format that a file has
known()
{
	pd catalog check "$1" --json
	jq -rs 'last.format // last.error.message' <<<"$out" 2>/dev/null
}
# wherever the first element lies, also across what is looked at of a short beginning
for bytes in 1960 1980 1990 2010 2030 3990 4010 4020 4060 4079 4090 9000; do
	printf '<!--%*s-->\n<catalog xmlns="urn:patchday:catalog:1" vendor="X" revisions="each"/>\n' "$bytes" '' >"$tmp/edge.xml"
	is "behind a comment of $bytes bytes the whole tag is looked at" "$(known "$tmp/edge.xml")" native:revisions
	iconv -t utf-16 "$tmp/edge.xml" >"$tmp/edge16.xml"
	is "also in UTF-16" "$(known "$tmp/edge16.xml")" native:revisions
done
# and what stands far inside of something else is of no account
printf '{"text": "%5000s", "more": "<components type=\\"firmware\\""}\n' '' >"$tmp/far.json"
like "JSON with a vendor's word in it is none of its" "$(known "$tmp/far.json")" 'this seems to be JSON, which no plugin here reads'
printf '<html><!--%5000s--><p><Manifest baseLocation="x"/></p></html>\n' '' >"$tmp/far.html"
like "nor is a page" "$(known "$tmp/far.html")" 'html.*none of the plugins here reads'

from=$PD_SRCDIR/catalogs/examples/driver.xml
mkfifo "$tmp/pipe"
ln -s pipe "$tmp/link"
for place in pipe link .; do
	pd catalog freeze "$from" --id NIC-BASE --to "$tmp/$place"
	like "what is no file is not replaced: $place" "$rc $(stat -c %F "$tmp/pipe") $(stat -c %F "$tmp/link") $out" \
		'^2 fifo symbolic link patchday: cannot write .*no regular file'
done
pd catalog freeze "$from" --id NIC-BASE --to "$tmp/frozen.xml"
is "one update is frozen" "$rc" 0
like "with the digest of the file" "$out" "1 update, sha256 $(sha256sum <"$tmp/frozen.xml" | cut -d' ' -f1)"
pd catalog show "$tmp/frozen.xml"
like "and no other" "$out" '^NIC-BASE'
is "in one line" "$(wc -l <<<"$out")" 1
pd catalog freeze "$from" --id NIC-BASE --id NIC-BAZE --to "$tmp/none.xml"
is "an update that is not there" "$rc" 2
check "and nothing is written" [ ! -e "$tmp/none.xml" ]
pd catalog freeze "$from" --to "$tmp/none.xml"
is "no choice" "$rc" 2
mkdir "$tmp/nobody"
pd catalog freeze "$from" --needed --facts "$tmp/nobody" --to "$tmp/none.xml"
like "what nobody needs is not what this server needs" "$rc $out" "^2 .*the folder $tmp/nobody has no file of facts"
check "and is not frozen" [ ! -e "$tmp/none.xml" ]
pd catalog freeze "$from" "$tmp/frozen.xml" --id NIC-BASE --to "$tmp/none.xml"
like "an update in two catalogs" "$out" 'NIC-BASE is in driver.xml and in frozen.xml.*\[freeze-twice\]'

# what can't be written whole is not written
echo before >"$tmp/full.xml"
out=$(trap '' XFSZ; ulimit -f 1; "${patchday[@]}" catalog convert "$from" "${places[@]}" --to "$tmp/full.xml" 2>&1)
is "a disk that is full" "$?" 2
like "is told" "$out" 'cannot write .*full.xml: File too large.*file-write'
is "and leaves what was there" "$(cat "$tmp/full.xml") $(cd "$tmp" && echo full.xml*)" "before full.xml"

cat >"$tmp/packages.xml" <<'END'
<catalog xmlns="urn:patchday:catalog:1">
  <update id="A" kind="security"><title>a</title><package name="a" version="2" scheme="deb"/></update>
  <update id="B" kind="security"><title>b</title><package name="b" version="2" scheme="deb"/></update>
  <update id="C" kind="security"><title>&lt;&quot;c&amp;&gt;</title><package name="c" version="2" scheme="deb"/></update>
</catalog>
END
for server in one two; do
	mkdir -p "$tmp/facts"
	jq -n --arg n ${server:0:1} --arg host $server '{os: {hostname: $host}, packages: [
		{name: "a", version: "1", arch: "all", scheme: "deb"},
		{name: (if $host == "one" then "c" else "b" end), version: (if $host == "one" then "1" else "2" end), arch: "all", scheme: "deb"}]}' \
		>"$tmp/facts/$server.json"
done
pd catalog freeze "$tmp/packages.xml" --needed --facts "$tmp/facts" --to "$tmp/needed.xml"
is "what any of the servers needs is frozen" "$rc $("${patchday[@]}" catalog show "$tmp/needed.xml" "${places[@]}" --json | jq -r .id | xargs)" "0 A C"
pd catalog diff "$tmp/packages.xml" "$tmp/needed.xml"
is "what is not there is removed" "$rc $out" "0 removed  B
0 added, 1 removed, 0 changed"
sed 's/title>a</title>A</; s/version="2" scheme="deb"\/><\/update>/version="3" scheme="deb"\/><\/update>/' "$tmp/packages.xml" >"$tmp/newer.xml"
pd catalog diff "$tmp/needed.xml" "$tmp/newer.xml" --json
is "what is different is named" "$(jq -rs 'map(.what + " " + .id + " " + ((.fields // []) | join(","))) | join("; ")' <<<"$out")" \
	"changed A packages,title; added B ; changed C packages"
pd catalog diff "$tmp/needed.xml" "$tmp/needed.xml"
is "a catalog is as itself" "$out" "0 added, 0 removed, 0 changed"

# ------------------------------------------------------ by whom it has to be signed
"${patchday[@]}" final --make-key --key "$tmp/seal.key" --plugin-dir "$tmp/plugins" >/dev/null
cp "$tmp/packages.xml" "$tmp/signed.xml"
of=(--key "$tmp/seal.pub")
pd catalog freeze "$tmp/signed.xml" "${of[@]}" --id A --to "$tmp/none.xml"
like "with a key, what is not signed is refused" "$rc $out" '^2 .*there is no signature .*signed.xml.minisig.*\[trust\]'
pd catalog sign "$tmp/signed.xml" --key "$tmp/seal.key"
pd catalog freeze "$tmp/signed.xml" "${of[@]}" --id A --to "$tmp/proved.xml"
like "what is signed by it is frozen, with what proves it" "$rc $(tr '\n' ' ' <"$tmp/proved.xml")" '^0 .* trust="minisign [0-9A-F]{16} '
sed -i 's/title>a</title>A</' "$tmp/signed.xml"
for verb in "freeze --id A --to $tmp/none.xml" "convert --to $tmp/none.xml" show "approve --id A --why read" "diff $tmp/packages.xml" check \
	"fetch --to $tmp/none"; do
	read -ra words <<<"$verb"
	pd catalog "${words[0]}" "$tmp/signed.xml" "${words[@]:1}" "${of[@]}"
	like "changed after that it is refused: ${words[0]}" "$rc $out" '^2 .*signed.xml: it is not what was signed.*\[trust\]'
done
is "and nothing comes of it" "$(cd "$tmp" && ls -d none.xml none state/approvals.jsonl 2>/dev/null)" ""
pd catalog freeze "$tmp/signed.xml" --id A --to "$tmp/unasked.xml"
is "without a key nobody asks" "$rc" 0

# ------------------------------------------------------ what their rules call
cat >"$tmp/rules.xml" <<'END'
<catalog xmlns="urn:patchday:catalog:1">
  <update id="A" kind="security"><title>a</title>
    <applicable><call update="shared"/><one kind="packages" subject="a"><test kind="packages" field="arch" compare="eq" value="all"/></one></applicable>
    <installed><none><call update="other" not="true"/></none></installed></update>
  <update id="other" kind="security"><title>other</title>
    <applicable><unknown why="nobody asks"/></applicable>
    <installed><odd><test kind="packages" subject="a"/><call update="deep"/></odd></installed></update>
  <update id="deep" kind="security" status="rules"><title>deep</title>
    <applicable><test kind="packages" subject="a" field="arch" compare="ne" value=""/></applicable></update>
  <update id="shared" kind="security" status="rules"><title>shared</title>
    <applicable><any><test kind="packages" subject="zoo"/><call update="deep"/></any></applicable></update>
</catalog>
END
# verdicts CATALOG FACTS: sorted lines of id, verdict and reason
verdicts()
{
	"${patchday[@]}" scan --catalog "$1" "${places[@]}" --facts "$2" --json --all 2>"$tmp/err" |
		jq -r '"\(.id) \(.verdict) \(.reason)"' | sort
}
pd catalog freeze "$tmp/rules.xml" --id A --to "$tmp/called.xml"
is "rules that are called are frozen with it" "$rc" 0
check "by the schema" xmllint --noout --relaxng "$PD_SRCDIR/catalogs/patchday-catalog.rng" "$tmp/called.xml" 2>/dev/null
for server in one two; do
	is "and it has the same verdict on server $server" "$(verdicts "$tmp/called.xml" "$tmp/facts/$server.json")" \
		"$(verdicts "$tmp/rules.xml" "$tmp/facts/$server.json" | grep '^A ')"
done
like "which is one" "$(verdicts "$tmp/called.xml" "$tmp/facts/one.json")" '^A needed '
pd catalog show "$tmp/called.xml" --json
is "nothing else became an update" "$(jq -r .id <<<"$out")" A
pd catalog convert "$tmp/rules.xml" --to "$tmp/all.xml"
for server in one two; do
	is "all of them have the same verdicts on server $server" "$(verdicts "$tmp/all.xml" "$tmp/facts/$server.json")" \
		"$(verdicts "$tmp/rules.xml" "$tmp/facts/$server.json")"
done
pd catalog show "$tmp/rules.xml" --id other
like "rules are shown" "$out" 'not known: nobody asks'
pd catalog show "$tmp/rules.xml" --id A
like "with what they count" "$out" 'one of the rows of packages a'

# ------------------------------------- one id in several revisions, each an update
cp "$PD_BUILDDIR/plugins/updateinfo/.libs/updateinfo.so" "$PD_BUILDDIR/plugins/unpack/.libs/unpack.so" "$tmp/plugins/"
rpm() { echo "<update type=\"security\" version=\"$2\"><id>$1</id><title>$3</title><pkglist><collection><package name=\"$4\" version=\"$5\" arch=\"noarch\"/></collection></pkglist></update>"; }
{ echo '<updates>'; rpm A 1 one foo 2; rpm A 2 two bar 3; rpm B 1 b foo 3; echo '</updates>'; } >"$tmp/twice.xml"
sed 's/>one</>ONE</' "$tmp/twice.xml" >"$tmp/titled.xml"
printf '{"packages": [{"name": "foo", "version": "1", "arch": "noarch", "scheme": "rpm"}, {"name": "bar", "version": "3", "arch": "noarch", "scheme": "rpm"}]}' >"$tmp/rpm.json"
pd catalog convert "$tmp/twice.xml" --to "$tmp/both.xml"
is "both revisions are converted" "$rc $("${patchday[@]}" catalog show "$tmp/both.xml" "${places[@]}" --json | jq -r '.id + .revision' | xargs)" "0 A1 A2 B1"
check "by the schema" xmllint --noout --relaxng "$PD_SRCDIR/catalogs/patchday-catalog.rng" "$tmp/both.xml" 2>/dev/null
both() { "${patchday[@]}" scan --catalog "$1" "${places[@]}" --facts "$tmp/rpm.json" --json --all 2>/dev/null | jq -r '"\(.id)\(.revision) \(.verdict) \(.reason)"'; }
is "each with its verdict" "$(both "$tmp/both.xml")" "$(both "$tmp/twice.xml")"
pd catalog convert "$tmp/both.xml" --to "$tmp/again.xml"
check "and stay the same, byte for byte" cmp -s "$tmp/both.xml" "$tmp/again.xml"
pd catalog diff "$tmp/twice.xml" "$tmp/titled.xml"
is "the revision that is different is named" "$out" "changed  A 1: title
0 added, 0 removed, 1 changed"
pd catalog freeze "$tmp/twice.xml" --needed --facts "$tmp/rpm.json" --to "$tmp/needed.xml"
is "of two revisions the one that is needed is frozen" \
	"$rc $("${patchday[@]}" catalog show "$tmp/needed.xml" "${places[@]}" --json | jq -r '.id + .revision' | xargs)" "0 A1 B1"
mkdir "$tmp/other" && sed 's/<id>A/<id>C/' "$tmp/titled.xml" >"$tmp/other/twice.xml"
sed -i 's/name="foo" version="3"/name="foo" version="0"/' "$tmp/other/twice.xml"
sed -i '/<id>B/d' "$tmp/twice.xml"
pd catalog freeze "$tmp/twice.xml" "$tmp/other/twice.xml" --needed --facts "$tmp/rpm.json" --to "$tmp/needed.xml"
is "and of two files of one name each has its own" \
	"$rc $("${patchday[@]}" catalog show "$tmp/needed.xml" "${places[@]}" --json | jq -r '.id + .revision' | xargs)" "0 A1 C1"
# repositories of one vendor have advisories in common: one id, and packages of each
{ echo '<updates>'; rpm A 1 one foo 2; rpm A 2 two foo 3; echo '</updates>'; } >"$tmp/base.xml"
{ echo '<updates>'; rpm A 1 other bar 4; rpm A 1 other foo 2; rpm A 3 three bar 5; echo '</updates>'; } >"$tmp/apps.xml"
pd catalog freeze "$tmp/base.xml" "$tmp/apps.xml" --id A --to "$tmp/both.xml"
is "what two repositories have under one id is frozen" "$rc $(tail -1 <<<"$out" | cut -d' ' -f2,3)" "0 3 updates,"
is "what has one revision too is one update with the packages of both" \
	"$("${patchday[@]}" catalog show "$tmp/both.xml" "${places[@]}" --json --id A | jq -r '"\(.revision) \(.title) " +
		([.packages[] | .name + .version] | join(","))')" $'1 one foo2,bar4\n2 two foo3\n3 three bar5'
pd catalog check "$tmp/both.xml" --strict
is "and nothing of it is passed over" "$rc" 0
is "the same is needed" "$(both "$tmp/both.xml" | cut -d' ' -f1,2 | sort -u)" $'A1 needed\nA2 needed\nA3 needed'
echo '<updates><update><id>U</id><pkglist><collection><package name="foo" version="2"/></collection></pkglist></update></updates>' >"$tmp/bare.xml"
pd catalog convert "$tmp/bare.xml" --to "$tmp/named.xml"
pd catalog diff "$tmp/bare.xml" "$tmp/named.xml"
is "what has no title gets none" "$rc $out $(grep -c '<title></title>' "$tmp/named.xml")" "0 0 added, 0 removed, 0 changed 1"
check "which the schema allows" xmllint --noout --relaxng "$PD_SRCDIR/catalogs/patchday-catalog.rng" "$tmp/named.xml" 2>/dev/null
sed 's/<update /&trust="openpgp 0123" /' "$tmp/named.xml" >"$tmp/proved.xml"
pd catalog diff "$tmp/named.xml" "$tmp/proved.xml"
is "what proves an update is no difference in it" "$rc $out" "0 0 added, 0 removed, 0 changed"
sed 's/ revisions="each"/ revisions = "each"/' "$tmp/both.xml" >"$tmp/blanks.xml"
pd catalog check "$tmp/blanks.xml"
like "the mark that says so is not overlooked" "$rc $out" '^2 .*blanks.xml:2:.*write revisions="each"'

# A real repository, if it is there: 21 of its ids have several revisions.
suse=${PD_SHARED:-$PD_SRCDIR/../shared}/data/catalogs/updateinfo/opensuse-11.0-update/repodata/updateinfo.xml.gz
if [ -f "$suse" ]; then
	pd catalog convert "$suse" --to "$tmp/suse.xml"
	is "a real repository is converted whole" "$rc" 0
	pd catalog diff "$suse" "$tmp/suse.xml"
	is "and says the same" "$rc $out" "0 0 added, 0 removed, 0 changed"
fi

# A real feed: its verdicts come from criteria that other definitions share.
feed=${PD_SHARED:-$PD_SRCDIR/../shared}/data/catalogs/oval
if [ ! -d "$feed" ]; then
	echo "# frozen definitions of a real feed are not compared: there is no $feed; set PD_SHARED"
	end
fi
cp "$PD_BUILDDIR/plugins/oval/.libs/oval.so" "$tmp/plugins/"
bzip2 -dc "$feed/ubuntu/com.ubuntu.focal.cve.oval.xml.bz2" >"$tmp/focal.xml"
by_list()
{
	"${patchday[@]}" scan --catalog "$1" "${places[@]}" --packages "$feed/expected/focal-2021/installed.tsv" \
		--scheme deb --json 2>"$tmp/err" | jq -c 'del(.catalog)' | sort
}
by_list "$tmp/focal.xml" >"$tmp/before"
mapfile -t ids < <(jq -r 'select(.verdict == "needed") | .id' "$tmp/before" | head -40
	jq -r 'select(.verdict != "needed") | .id' "$tmp/before" | head -40)
pd catalog freeze "$tmp/focal.xml" "${ids[@]/#/--id=}" --to "$tmp/few.xml"
is "${#ids[@]} definitions of a real feed are frozen" "$rc" 0
by_list "$tmp/few.xml" >"$tmp/after"
is "they have the verdicts that they had" "$(diff "$tmp/after" <(grep -wFf <(printf '"%s"\n' "${ids[@]}") "$tmp/before") | head -3)" ""
is "needed or not" "$(jq -r .verdict "$tmp/after" | sort | uniq -c | xargs)" "40 needed 40 not-applicable"
end
