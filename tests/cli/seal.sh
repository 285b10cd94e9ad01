#!/bin/bash
# SPDX-License-Identifier: MIT
# The sealed report: sign-off, final, the stock minisign, the central place, the
# schema, and what verify tells when something is not as it was written.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in jq sqlite3 xmllint minisign; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
f=$tmp/f
s=$PATCHDAY_STATE
key=$tmp/keys/seal.key
pub=$tmp/keys/seal.pub

# verify WANTED-STATUS TEXT ARGUMENT...: $out is JSON
verify()
{
	local wanted=$1 text=$2

	shift 2
	out=$("${patchday[@]}" verify --json --key "$pub" "${places[@]}" "$@" 2>/dev/null </dev/null)
	is "$text" "$?" "$wanted"
}

# of KIND [NAME-END]: the states of these in $out, sorted
of()
{
	jq -r --arg k "$1" --arg n "${2-}" '.checked[] | select(.kind == $k and (.name | endswith($n))) | .state' <<<"$out" | sort | xargs
}

valid()
{
	check "$1: the report has its schema" xmllint --noout --relaxng "$PD_SRCDIR/scripts/report/report.rng" "$2" 2>"$tmp/xmllint" ||
		sed 's/^/#   /' "$tmp/xmllint"
}

# report_valid TEXT: the newest run's
report_valid()
{
	"${patchday[@]}" report --format xml "${places[@]}" >"$tmp/report.xml"
	valid "$1" "$tmp/report.xml"
}

sql()
{
	sqlite3 "$s/journal.db" "$1"
}

workflow good <<END
pd.stage(pd.note "not for XML: \u{FFFE}" or "one") { steps.noop {}, steps.write { path = "$f/a", text = "A", evidence = true },
  steps.write { path = "$f/b", text = "B", evidence = true } },
pd.signoff { parties = { "operations", "owner" } },
END
sed -i 's/help = "a test"/help = "x", params = { site = pd.string { default = "North", help = "x" }, central = pd.string { default = "", help = "x" } }/' \
	"$tmp/good.lua"

# --------------------------------------------------------------------- keys
pd final
like "without a run there is nothing to seal" "$rc $out" '^2 .*\[journal-none\]'
pd final --make-key --key "$key"
is "a key is made" "$rc $(stat -c '%a' "$key" "$pub" "$tmp/keys" | xargs)" "0 600 644 700"
cp "$key" "$tmp/key.old"
pd final --make-key --key "$key"
is "and never overwritten" "$rc $(cmp "$key" "$tmp/key.old" && echo same)" "2 same"
echo hello >"$tmp/hello"
check "minisign itself can sign with it" minisign -S -s "$key" -m "$tmp/hello" -x "$tmp/hello.sig" </dev/null >/dev/null
check "and verify by the public half" minisign -Vq -p "$pub" -m "$tmp/hello" -x "$tmp/hello.sig"

# ------------------------------------------------------------------ signing
pd run "$tmp/good.lua"
is "a run waits for its signatures" "$rc" 5
report_valid "waiting"
pd final --key "$key"
is "no seal before they are there" "$rc" 4
like "and it says who is missing" "$out" 'waiting for sign-off: operations, owner.*\[seal-open\]'
for name in ' ' $'\t\n' $'Ann, 2026-11-30T21:00:00Z (account: root)\n  owner: Bob' $'A\e[2J' $'A\x7f' $'A\u0085B' $'A\u2028B' \
	$'A\u202eB' $'A\xff' "$(printf '%0201d' 0)"; do
	pd signoff --party operations --name "$name"
	like "the name $(printf '%.12q' "$name") is refused, and not repeated" "$rc ${#out} $out" '^2 .?.?.? .*\[(sign-text|usage)\]'
done
pd signoff --party operations --name Ann --note $'all well\n  owner: Bob'
like "so is a note of two lines" "$rc $out" '^2 .*the note is not one line.*\[sign-text\]'
pd signoff --party "$(printf '%0100000d' 0)" --name Ann
like "and a party that is too long" "$rc $out" '^2 .*the party has 100000 bytes.*\[sign-text\]'
is "nobody has signed by that" "$(sql "SELECT count(*) FROM event WHERE kind = 'sign'")" 0
SUDO_USER=mallory pd signoff --party operations --name Ann --note $'one <lamp> is out: \xef\xbf\xbf\xef\xbf\xbe.'
is "one signs" "$rc" 5
pd signoff --party operations --name Bob
is "nobody signs for a party again" "$rc" 2
like "and it says who has" "$out" "Ann has signed for 'operations' already .*\[sign-twice\]"
report_valid "half signed"
like "what XML can't hold is replaced in what the plan says" "$(cat "$tmp/report.xml")" $'not for XML: \xef\xbf\xbd<'
like "and a person" "$(cat "$tmp/report.xml")" $'is out: \xef\xbf\xbd\xef\xbf\xbd\\.<'
verify 0 "a report that is not sealed is proven by the journal" "$s/certificates/"*.xml
pd signoff --party owner --name ""
is "the last one makes it done" "$rc $(state)" "0 done"
like "and the next thing to do is told" "$out" 'patchday final'
like "who it really was is in the journal" "$(sql "SELECT data FROM event WHERE kind = 'sign'")" '"by":"root, sudo by mallory.*"name":"Ann"'
certificate=$(ls "$s"/certificates/*.xml)
like "its name" "$certificate" '/North - [^/]+ - 20[0-9-]{8}\.xml$'
html=${certificate%.xml}.html
cp "$certificate" "$tmp/unsealed.xml"
cp "$html" "$tmp/unsealed.html"

# ----------------------------------------------- taken back after a signature
cp -a "$PATCHDAY_STATE" "$tmp/kept"
cp -a "$f" "$tmp/kept.files"
pd undo
is "a signed run may be taken back before it is sealed" "$rc $(state)" "1 rolled back"
pd report --format xml
is "a signature from before says nothing of that end" "$(xmllint --xpath 'count(//*[local-name()="signature"][@overtaken="true"])' - <<<"$out") $(
	xmllint --xpath 'count(//*[local-name()="signature"][not(@name)])' - <<<"$out")" "2 2"
pd report
like "which is read on the page" "$out" 'operations: Ann, .*before the change was taken back'
pd signoff --party operations --name Ann --note "it is as it was"
is "and who has signed may sign anew" "$rc" 0
report_valid "taken back"
rm -rf "$PATCHDAY_STATE" "$f"
mv "$tmp/kept" "$PATCHDAY_STATE"
mv "$tmp/kept.files" "$f"

# ------------------------------------------------------------ what is sealed
mv "$f/b" "$tmp/b"
pd final --key "$key"
is "nothing is sealed when evidence is missing" "$rc" 2
like "and it is named" "$out" "$f/b is missing.*\[final-changed\]"
mv "$tmp/b" "$f/b"
chmod 640 "$key"
pd final --key "$key"
like "nor with a key that others can read" "$rc $out" '^2 .*\[seal-key-open\]'
chmod 600 "$key"
mkdir "$tmp/central"
touch "$tmp/central/no folder"
pd final --key "$key" --to "$tmp/central/no folder"
is "a copy that fails is told" "$rc" 5
like "with the place" "$out" "not copied to $tmp/central/no folder"
pd final --key "$key" --to "$tmp/central"
is "and made by calling it again" "$rc" 0
rm "$tmp/central/no folder"
valid "sealed" "$certificate"
check "the stock minisign verifies it" minisign -Vq -p "$pub" -m "$certificate"
like "the signed comment has the page's digest" "$(minisign -V -p "$pub" -m "$certificate")" \
	"html:$(sha256sum "$html" | cut -c1-64)"
copy=$tmp/central/${certificate##*/}
for end in .xml .html .xml.minisig; do
	check "the central place has its $end" cmp -s "${certificate%.xml}$end" "${copy%.xml}$end"
	is "for its owner only" "$(stat -c %a "${copy%.xml}$end")" 600
done
check "no half-written file is left" [ "$(find "$tmp/central" -type f | wc -l)" = 3 ]
verify 0 "all of it is verified"
is "each thing by itself" "$(jq -r '.checked[] | .kind + " " + .state' <<<"$out" | xargs)" \
	"journal intact file intact head intact signature intact report intact evidence intact evidence intact evidence intact evidence intact html intact"
verify 0 "so is the copy" "$copy"
verify 0 "and by its page" "${copy%.xml}.html"

# --------------------------------------------------- nothing can change after
rows=$(sql 'SELECT count(*) FROM event')
for c in "signoff --party owner" undo; do
	# shellcheck disable=SC2086 # words
	pd $c
	like "$c is refused" "$rc $out" '^[24] .*\[run-sealed\]'
done
pd resume
is "resume finds it done" "$rc" 0
"${patchday[@]}" final --make-key --key "$tmp/keys/other.key" >/dev/null
pd final --key "$tmp/keys/other.key"
like "another key is refused" "$rc $out" '^4 .*\[seal-key\]'
is "the journal has no row more" "$(sql 'SELECT count(*) FROM event')" "$rows"
pd report --to "$s/certificates"
check "a report does not take its place" minisign -Vq -p "$pub" -m "$certificate"
mkdir "$tmp/was"
cp "$s/certificates/"* "$tmp/was/"
rm "$certificate.minisig" "$html"
pd final --key "$key"
check "what a crash left undone is made again, the same" diff -r "$tmp/was" "$s/certificates"

# ------------------------------------------------- a second one of that day
pd run "$tmp/good.lua" --param central="$tmp/central"
pd signoff --party operations --name Ann
pd signoff --party owner --name Bob
pd final --key "$key"
is "the place can be the workflow's parameter" "$rc $(grep -c '^copy' <<<"$out")" "0 3"
is "a second one has a name of its own" "$(find "$tmp/central" -name '*.xml' | wc -l)" 2
check "the first one is as it was" minisign -Vq -p "$pub" -m "$copy"
verify 0 "the second too is verified"
verify 0 "and the first, by its run" "$(sql "SELECT run FROM event WHERE kind = 'run' ORDER BY n LIMIT 1")"

# -------------------------------------------------------------- the site
workflow plain <<END
pd.stage "one" { steps.noop {} },
END
names() { find "$s/certificates" -newer "$tmp/mark" -type f -printf '%f\n' | sed -E "s/$(uname -n) - [-0-9a-f ]*/HOST/" | sort | xargs; }
touch "$tmp/mark"
PATCHDAY_SITE=" South/1
" pd run "$tmp/plain.lua"
is "the site can be set on the server" "$rc $(names)" "0 South_1 - HOST.html South_1 - HOST.xml"
is "and is told" "$("${patchday[@]}" status --json | jq -r .site)" South/1
pd final --key "$key" --site ""
is "none is no site" "$rc" 2
PATCHDAY_SITE=East pd final --key "$key"
is "it is that of the run's start that counts" "$rc $(names)" "0 South_1 - HOST.html South_1 - HOST.xml South_1 - HOST.xml.minisig"
verify 0 "which is verified"
touch "$tmp/mark"
pd run "$tmp/plain.lua"
is "without it there is none" "$rc $(names)" "0 HOST.html HOST.xml"
pd final --key "$key" --site "West wing"
is "who seals may give it" "$rc $(names)" "0 West wing - HOST.html West wing - HOST.xml West wing - HOST.xml.minisig"
report_valid "with the site of its seal"
like "it is on the page" "$(cat "$s/certificates/West wing"*.html)" 'West wing - '
verify 0 "and verified"
pd final --key "$key" --site "East wing"
like "it can't be sealed with another one" "$rc $out" '^4 .*\[run-sealed\]'
pd final --key "$key" --site "West wing"
is "with the same it can be called again" "$rc $(names)" "0 West wing - HOST.html West wing - HOST.xml West wing - HOST.xml.minisig"
pd run "$tmp/good.lua" --param site=
PATCHDAY_SITE=North pd signoff --party operations --name Ann
PATCHDAY_SITE=North pd signoff --party owner --name Bob
PATCHDAY_SITE=South pd final --key "$key"
is "a run of a time without it takes that of its seal" "$rc $("${patchday[@]}" status --json | jq -r .site)" "0 South"
mkdir -p "$tmp/etc/patchday"
echo "Site of the file" >"$tmp/etc/patchday/site"
if unshare -m mount -t overlay -o "lowerdir=$tmp/etc:/etc" none /etc 2>/dev/null; then
	unshare -m bash -c 'mount -t overlay -o "lowerdir=$1:/etc" none /etc && shift && exec "$@"' - "$tmp/etc" \
		"${patchday[@]}" run "${places[@]}" "$tmp/plain.lua" >/dev/null 2>&1
	is "it can stand in a file" "$("${patchday[@]}" status --json | jq -r .site)" "Site of the file"
fi

# ------------------------------------------------------ a crash while sealing
for fault in kill torn enospc; do
	pd run "$tmp/good.lua"
	pd signoff --party operations --name Ann
	pd signoff --party owner --name Bob
	PATCHDAY_FAULT=$fault@$(sql 'SELECT max(n) + 1 FROM event') pd final --key "$key"
	like "$fault at the seal" "$fault $rc" 'kill 137|torn 137|enospc 2'
	verify "$([ $fault = kill ] && echo 3 || echo 0)" "$fault: nothing looks sealed that is not"
	pd final --key "$key"
	is "$fault: it is sealed by calling it again" "$rc" 0
	verify 0 "$fault: and verified"
	is "$fault: with one seal" "$(sql "SELECT count(*) FROM event WHERE kind = 'seal' AND run = (SELECT run FROM event ORDER BY n DESC LIMIT 1)")" 1
done

# ------------------------------------------------------------- what is wrong
echo changed >"$f/a"
rm "$f/b"
verify 3 "evidence that is not as it was" "$copy"
is "the changed one" "$(of evidence /a)" changed
is "the missing one" "$(of evidence /b)" missing
is "and the rest is intact" "$(of report) $(of signature) $(of journal)" "intact intact intact"
printf A >"$f/a"
printf B >"$f/b"
for when in before after; do
	scan=$(xmllint --xpath "string(//*[local-name()='comparison']/*[@title='facts $when the run']/@path)" "$copy")
	cp -p "$scan" "$tmp/scan"
	echo >>"$scan"
	verify 3 "the scan $when the run that is not as it was" "$copy"
	is "is evidence too" "$(of evidence "${scan##*/}")" changed
	rm "$scan"
	verify 3 "and must be there" "$copy"
	is "or it is told" "$(of evidence "${scan##*/}")" missing
	cp -p "$tmp/scan" "$scan"
done
verify 0 "as they were they are intact" "$copy"
mv "${copy%.xml}.html" "$tmp/page"
verify 3 "a sealed certificate whose page is gone" "$copy"
is "which it should have" "$(of html) $(of signature) $(of report)" "missing intact intact"
mv "$tmp/page" "${copy%.xml}.html"
sed 's/Ann/Eve/' "$copy" >"$tmp/central/forged.xml"
cp "$copy.minisig" "$tmp/central/forged.xml.minisig"
verify 3 "a forged certificate" "$tmp/central/forged.xml"
is "by signature and journal" "$(of signature) $(of report)" "changed changed"
rm "$tmp/central/forged.xml.minisig"
verify 3 "one without its signature" "$tmp/central/forged.xml"
is "which it should have" "$(of signature)" missing
sed -i '/<seal /d' "$tmp/central/forged.xml"
verify 3 "nor is it taken for one that was never sealed" "$tmp/central/forged.xml"
mv "$tmp/unsealed.html" "$tmp/page"
verify 0 "the report from before the seal is still what the journal says, alone too" "$tmp/unsealed.xml"
is "nobody promised its page" "$(of html)" unknown
mv "$tmp/page" "$tmp/unsealed.html"
sed -i 's/one &lt;lamp&gt; is out/all is well/' "$tmp/unsealed.html"
verify 3 "but not with a page that was changed" "$tmp/unsealed.xml"
is "that one" "$(of html)" changed

mkdir "$tmp/elsewhere"
verify 0 "on another machine the public key is enough" --state "$tmp/elsewhere" "$copy"
is "and what can't be told there is told" "$(of report) $(of signature) $(of html)" "unknown intact intact"
pub=$tmp/keys/other.pub verify 3 "not with another key" --state "$tmp/elsewhere" "$copy"
pub=$tmp/none verify 3 "nor with none" --state "$tmp/elsewhere" "$copy"
verify 3 "a file that is no report" "$tmp/hello.sig"

# ------------------------------------------------------------- the journal
cp -r "$s" "$tmp/saved"
again()
{
	rm -rf "$s"
	cp -r "$tmp/saved" "$s"
}
sql "DELETE FROM event WHERE n = (SELECT max(n) FROM event)"
verify 3 "a journal that is cut off"
is "by its head" "$(of journal) $(of head)" "intact changed"
is "the row that is gone was the seal" "$(of report)" "changed"
workflow small <<END
pd.stage "one" { steps.noop {} },
END
pd run "$tmp/small.lua"
verify 3 "also when rows came after"
is "by its head then" "$(of head)" changed
again
sql "DELETE FROM event"
verify 3 "a journal that is emptied"
again
rm "$s/journal.head"
verify 3 "a head that is gone"
pd run "$tmp/small.lua"
verify 3 "it does not come back by itself"
again
sql "DELETE FROM event WHERE n = 5"
verify 3 "a row that is gone in the middle"
is "by the chain" "$(of journal) $(of head)" "changed intact"
again
sql "DROP INDEX event_run; CREATE INDEX event_run ON event(kind, n)"
verify 3 "tables that are not as they were made"
again
sql "UPDATE event SET kind = kind || char(0) || 'x' WHERE n = 2"
verify 3 "a text that hides something"
again
# a crash between the commit and its head is no tampering
cp "$s/journal.head" "$tmp/head"
pd run "$tmp/small.lua"
cp "$tmp/head" "$s/journal.head"
verify 0 "a head that a crash left behind"
pd run "$tmp/small.lua"
verify 0 "and then goes on"
like "with the journal" "$(cat "$s/journal.head")" "^0*$(sql 'SELECT max(n) || " " || lower(hex(hash)) FROM event') "
like "and the file" "$(cat "$s/journal.head")" " 0*$(stat -c %s "$s/journal.db") $(sha256sum "$s/journal.db" | cut -c1-64)$"
verify 0 "which is proven then"
is "by every byte" "$(of file)" intact
cp "$s/journal.db" "$tmp/file"
size=$(stat -c %s "$s/journal.db")
for at in $(seq 5 $((size / 160)) $((size - 1))); do
	byte=$(od -An -tu1 -j "$at" -N 1 "$tmp/file")
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\$(printf %o $((byte ^ 1 << at % 8)))" | dd of="$s/journal.db" bs=1 seek="$at" conv=notrunc status=none
	"${patchday[@]}" verify --key "$pub" "${places[@]}" >"$tmp/verified" 2>&1
	[ $? = 3 ] || echo "$at"
	cp "$tmp/file" "$s/journal.db"
done >"$tmp/missed"
empty "a flip of any of 160 bytes of it, also where nothing is, is found" "$(cat "$tmp/missed")"
# a process that is killed leaves a file of which it said nothing
PATCHDAY_FAULT=kill@$(sql 'SELECT max(n) + 3 FROM event') pd run "$tmp/small.lua"
verify 0 "a run that was killed has no finding"
is "but of its file nothing is known" "$(of journal) $(of head) $(of file)" "intact intact unknown"
pd resume
verify 0 "when it has gone on"
is "all is proven again" "$(of file)" intact

# ---------------------------------------------------------- reports, all kinds
empty "the page needs nothing else" "$(grep -iE '<script|<link|<img|src=|https?:|@import' "$html")"
check "and is made for paper too" grep -q '@media print' "$html"
for words in 'North - ' 'one/steps.write' 'one &lt;lamp&gt; is out' 'sudo by mallory' 'Points of no return' \
	"$(sha256sum "$f/a" | cut -c1-64)"; do
	check "the page has: $words" grep -qF -- "$words" "$html"
done
workflow back <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/u1" }, steps.write { path = "$f/u2", fail = "apply" } },
END
workflow refuse <<END
pd.stage "one" { steps.write { path = "$f/r", fail = "refuse" } },
END
workflow burn <<END
pd.hold { steps.write { path = "$f/held" }, pd.stage "one" { steps.burn { path = "$f/n" } } },
pd.stage "two" { steps.write { path = "$f/n2", fail = "verify" } },
END
workflow stuck <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/x", fail = "undo" }, steps.write { path = "$f/y", fail = "apply" } },
END
workflow twice <<END
pd.stage "one" { steps.write { path = "$f/t", text = "1", evidence = true } },
pd.stage "two" { steps.write { path = "$f/t", text = "2", evidence = true } },
END
pd run "$tmp/twice.lua"
verify 0 "evidence that a later step has written again"
is "only the later one can be looked at" "$(of evidence /t)" "intact unknown"
pd final --key "$key"
is "a run that nobody has to sign can be sealed" "$rc" 0
for w in back refuse burn stuck; do
	pd run "$tmp/$w.lua"
	report_valid "$w: $(state)"
	verify 0 "$w: its report is verified"
	[ "$(state)" != stopped ] || pd undo
done
pd final --key "$key"
like "a run that is not done is not sealed" "$rc $out" '^4 .*\[seal-open\]'

# --------------------------------------------------------- a run taken back
rm -rf "$s"
workflow taken <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/taken", evidence = true }, steps.write { path = "$f/not", fail = "apply" } },
pd.signoff { parties = { "operations", "owner" } },
END
pd run "$tmp/taken.lua"
is "a run is rolled back" "$rc $(state)" "1 rolled back"
like "its certificate can be sealed" "$out" 'next: .*patchday final'
pd signoff --party owner --name Bob --note "as it was before"
is "a party may say that it has seen it" "$rc $(state)" "0 rolled back"
pd final --key "$key"
is "it is sealed without waiting for the others" "$rc $(state)" "0 rolled back"
verify 0 "and verified"
report_valid "rolled back and sealed"
like "with the signature and who is missing" "$("${patchday[@]}" report "${places[@]}")" 'owner: Bob.*as it was before'
pd signoff --party operations --name Ann
like "nobody signs behind the seal" "$rc $out" '^2 .*\[run-sealed\]'
end
