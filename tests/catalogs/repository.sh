#!/bin/bash
# SPDX-License-Identifier: MIT
# A repository of rpm packages on this machine: by its signature to the digests of
# its files, what of that is refused, and what its updates then have on record.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in gpg gpgv jq xmllint; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
cp "$PD_BUILDDIR"/plugins/{updateinfo,unpack,native}/.libs/*.so "$PD_BUILDDIR/tests/plans/plugins/.libs/demo.so" "$tmp/plugins/"
export PATCHDAY_LIBEXEC=$PD_BUILDDIR GNUPGHOME=$tmp/gpg
mkdir -m 700 "$tmp/gpg" "$tmp/keys"
trap 'gpgconf --kill all; rm -rf "$tmp"' EXIT
repo=$tmp/a\ repository%20
mkdir -p "$repo/repodata" "$repo/d"
head -c 5000 /dev/urandom >"$repo/d/new.rpm"
printf 'old\t0\t1\t1\tnoarch\ndemo\t0\t1\t1\tnoarch\nmoved\t0\t3\t1\tx86_64\n' >"$tmp/installed.tsv"

for name in vendor other; do
	gpg --batch --quiet --passphrase '' --quick-generate-key "$name <$name@example.org>" ed25519 sign never 2>/dev/null
	gpg --batch --quiet --armor --export "$name@example.org" >"$tmp/keys/$name.asc"
done

# digest TYPE FILE
digest()
{
	"$1sum" <"$repo/repodata/$2" | cut -d' ' -f1
}

# listed TYPE FILE [ALGORITHM]
listed()
{
	printf '<data type="%s"><checksum type="%s">%s</checksum><location href="repodata/%s"/><timestamp>%s</timestamp></data>\n' \
		"$1" "${3/sha1/sha}" "$(digest "$3" "$2")" "$2" "$time"
}

# repository ID TIME [ALGORITHM]: signed by the vendor
repository()
{
	local time=$2 kind=${3:-sha256}

	gzip -nc >"$repo/repodata/updateinfo.xml.gz" <<-END
	<updates><update status="final" from="x" type="security" version="1"><id>$1</id><title>t</title>
	<issued date="2026-03-01"/><pkglist><collection>
	<package name="new" version="2" release="1" arch="noarch"><filename>new.rpm</filename></package></collection></pkglist></update>
	<update status="final" from="x" type="security" version="1"><id>AT-LARGE</id><title>t</title><pkglist><collection>
	<package name="newer" version="2" release="1" arch="noarch"/></collection></pkglist></update>
	<update status="final" from="x" type="bugfix" version="1"><id>KNOWN</id><title>t</title><pkglist><collection>
	<package name="demo" version="2" release="1" arch="noarch"/></collection></pkglist></update></updates>
	END
	gzip -nc >"$repo/repodata/primary.xml.gz" <<-END
	<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">
	<package type="rpm"><name>new</name><arch>noarch</arch><version epoch="0" ver="2" rel="1"/>
	<checksum type="sha256">$(sha256sum <"$repo/d/new.rpm" | cut -d' ' -f1)</checksum><location href="d/new.rpm"/><format>
	<rpm:provides><rpm:entry name="old" flags="EQ" epoch="0" ver="2" rel="1"/></rpm:provides>
	<rpm:obsoletes><rpm:entry name="older"/><rpm:entry name="old" flags="LT" epoch="0" ver="2"/></rpm:obsoletes></format></package>
	<package type="rpm"><name>newer</name><arch>noarch</arch><version epoch="0" ver="2" rel="1"/><format>
	<rpm:obsoletes><rpm:entry name="moved" flags="LT" epoch="0" ver="3"/></rpm:obsoletes></format></package><!-- $2 --></metadata>
	END
	{
		echo '<?xml version="1.0" encoding="UTF-8"?><repomd xmlns="http://linux.duke.edu/metadata/repo">'
		listed primary primary.xml.gz "$kind"
		listed updateinfo updateinfo.xml.gz "$kind"
		echo '</repomd>'
	} >"$repo/repodata/repomd.xml"
	sign vendor
}

sign()
{
	gpg --batch --quiet --yes --no-auto-check-trustdb --local-user "$1@example.org" --armor \
		--output "$repo/repodata/repomd.xml.asc" --detach-sign "$repo/repodata/repomd.xml"
}

# scan [WORD]...: the ids of what is needed
scan()
{
	out=$("${patchday[@]}" scan "${places[@]}" --catalog "$repo/repodata/repomd.xml" --packages "$tmp/installed.tsv" \
		--scheme rpm --json "$@" 2>"$tmp/err")
	rc=$?
	needed=$(jq -r 'select(.verdict == "needed") | .id' <<<"$out" 2>/dev/null | xargs)
	out+=$(cat "$tmp/err")
}

key=(--key "$tmp/keys/vendor.asc")
repository EX-1 1700000000
scan
is "a repository, by its repomd.xml" "$rc $needed" "0 EX-1 KNOWN"
like "what replaces an older package of another name is needed" "$out" 'old 1-1 is installed, which new 2-1 replaces'
is "and the form of the answer is as ever" "$(head -1 <<<"$out" | jq -r 'keys | join(" ")')" \
	"catalog id packages reason revision verdict"
for odd in 1e300 99999999999999999999; do
	repository EX-1 $odd
	scan
	is "made at no time that there is: $odd" "$rc $needed" "0 EX-1 KNOWN"
done
repository EX-1 1700000000
pd scan --catalog "$repo" --packages "$tmp/installed.tsv" --scheme rpm --why EX-1
like "or by its folder" "$out" '^needed'
pd scan --catalog "$repo/repodata/updateinfo.xml.gz" --packages "$tmp/installed.tsv" --scheme rpm --why EX-1
like "without primary.xml that is not known" "$out" '^not-applicable'
out=$("${patchday[@]}" scan "${places[@]}" --catalog "$repo/repodata/primary.xml.gz" --packages "$tmp/installed.tsv" \
	--scheme rpm --json | jq -r '"\(.id) \(.verdict)"' | paste -sd,)
is "primary.xml alone has the packages, each an update" "$out" "new-2-1.noarch needed,newer-2-1.noarch not-applicable"

# ------------------------------------------------------------- by its key
scan "${key[@]}"
is "signed by the key that is pinned" "$rc $needed" "0 EX-1 KNOWN"
for part in updateinfo primary; do
	cp "$repo/repodata/$part.xml.gz" "$tmp/keep.gz"
	echo x >>"$repo/repodata/$part.xml.gz"
	scan "${key[@]}"
	is "its $part.xml.gz has changed since, though its repomd.xml has not" "$rc" 2
	like "which is said" "$out" 'transfer-(digest|size)'
	cp "$tmp/keep.gz" "$repo/repodata/$part.xml.gz"
	scan "${key[@]}"
	is "until it is again as it was listed" "$rc $needed" "0 EX-1 KNOWN"
done
scan --key "$tmp/keys/none.asc"
like "a key that is not there is named" "$out" 'there is no key .*none.asc'
scan --key "$tmp/keys/other.asc"
is "by another one it is refused" "$rc" 2
like "which is said" "$out" 'another key than the one pinned'
repository EX-2 1700000001
scan "${key[@]}"
is "a newer one" "$rc $needed" "0 EX-2 KNOWN"
repository EX-1 1700000000
scan "${key[@]}"
is "an older one is refused, though it is signed" "$rc" 2
like "which is said" "$out" 'source-older'
scan
is "without a key its age says nothing" "$rc $needed" "0 EX-1 KNOWN"
repository EX-3 1700000002
cp "$repo/repodata/updateinfo.xml.gz" "$tmp/keep.gz"
repository EX-4 1700000003
cp "$tmp/keep.gz" "$repo/repodata/updateinfo.xml.gz"
scan "${key[@]}"
is "parts of two days" "$rc" 2
like "are told by the digest" "$out" 'transfer-(digest|size)'
scan
is "also without a key" "$rc" 2
repository EX-4 1700000004
gzip -dc "$repo/repodata/primary.xml.gz" | sed 's/"older"/"oldest"/' | gzip -nc >"$tmp/keep.gz"
cp "$tmp/keep.gz" "$repo/repodata/primary.xml.gz"
scan "${key[@]}"
is "so is a primary.xml that is another one" "$rc" 2
repository EX-4 1700000003
sed -i 's/1700000003/1900000000/' "$repo/repodata/repomd.xml"
scan "${key[@]}"
is "changed after it was signed" "$rc" 2
like "which is said" "$out" 'not as it was signed'
rm "$repo/repodata/repomd.xml.asc"
scan "${key[@]}"
is "not signed at all" "$rc" 2
repository EX-5 1700000004 sha512
scan "${key[@]}"
is "longer digests" "$rc $needed" "0 EX-5 KNOWN"
repository EX-6 1700000005 sha1
scan "${key[@]}"
is "and those of old repositories" "$rc $needed" "0 EX-6 KNOWN"
sed -i 's/"primary"/"filelists"/' "$repo/repodata/repomd.xml"
scan
is "one that lists no primary.xml" "$rc $needed" "0 KNOWN"

# ------------------------------------------------------------ what is on record
repository EX-7 1700000006
print=$(gpg --list-keys --with-colons vendor@example.org 2>/dev/null | awk -F: '/^fpr/ { print $10; exit }')
trust="openpgp $print (vendor <vendor@example.org>), signed $(date -u +%F)"
show()
{
	"${patchday[@]}" catalog show "${places[@]}" "$@" --id EX-7 --json 2>&1 | jq -r .trust
}
is "who signed it, and when" "$(show "$repo" "${key[@]}")" "$trust"
is "a key that is not pinned proves nothing" "$(show "$repo")" "not signed by a key that is pinned (--key)"
pd catalog show "$repo" "${key[@]}" --id EX-7
like "for people too" "$out" "trust +openpgp $print"
pd catalog freeze "$repo" "${key[@]}" --id EX-7 --to "$tmp/frozen.xml"
is "frozen" "$rc" 0
is "it is on record" "$(show "$tmp/frozen.xml")" "not signed; on record: $trust"
check "as the schema has it" xmllint --noout --relaxng "$PD_SRCDIR/catalogs/patchday-catalog.rng" "$tmp/frozen.xml" 2>/dev/null
pd catalog convert "$tmp/frozen.xml" --to "$tmp/again.xml"
check "and stays so" cmp -s "$tmp/frozen.xml" "$tmp/again.xml"
is "with what it replaces" "$("${patchday[@]}" scan "${places[@]}" --catalog "$tmp/frozen.xml" --packages "$tmp/installed.tsv" \
	--scheme rpm --json | jq -r .verdict)" needed
like "where its packages are is frozen" "$(<"$tmp/frozen.xml")" "a%20repository%2520/d/new.rpm"
pd catalog fetch "$repo" "${key[@]}" --id EX-7 --to "$tmp/packages"
is "from there they are fetched" "$rc $(ls "$tmp/packages" | paste -sd' ')" "0 SHA256SUMS new.rpm"
check "as they are" cmp -s "$repo/d/new.rpm" "$tmp/packages/new.rpm"
pd catalog fetch "$repo" --key "$tmp/keys/other.asc" --id EX-7 --to "$tmp/packages"
is "if the repository is proved" "$rc" 2
cat >"$tmp/w.lua" <<'END'
local pd = require "patchday"
local demo = pd.use "demo"
return pd.workflow { api = 1, name = "w", role = "test", help = "what is due",
  plan = function(t)
    local due = t.catalog:needed()
    if #due == 0 then return pd.nothing "no update applies" end
    return { demo.save { }, demo.install { updates = due } }
  end }
END
jq -n '{os: {hostname: "s"}, packages: [{name: "old", version: "1-1", arch: "noarch", scheme: "rpm"}]}' >"$tmp/facts.json"
pd plan "$tmp/w.lua" --catalog "$tmp/frozen.xml" --facts "$tmp/facts.json" --json
is "a plan has it" "$(jq -r '[.. | ."$updates"? // empty][0][0].trust' <<<"$out")" "not signed; on record: $trust"
pd plan "$tmp/w.lua" --catalog "$repo" --facts "$tmp/facts.json" --json
is "also from the repository itself" "$(jq -r '[.. | ."$updates"? // empty][0][0].trust' <<<"$out")" \
	"not signed by a key that is pinned (--key)"

# ------------------------------------------------- what was approved of it is frozen
pd catalog approve "$repo" "${key[@]}" --id EX-7 --why "read, and tried"
pd catalog freeze "$repo" "${key[@]}" --approved --to "$tmp/frozen.xml"
is "with an address and a digest" "$rc $(grep -c 'digest="sha256:' "$tmp/frozen.xml")" "0 1"
for catalog in "$repo" "$tmp/frozen.xml"; do
	pd plan "$tmp/w.lua" --catalog "$catalog" --facts "$tmp/facts.json" --json
	is "it is approved in ${catalog##*/}" "$(jq -r '[.. | ."$updates"? // empty][0][0].id' <<<"$out")" EX-7
done
sed -i 's/version="2-1"/version="3-1"/; s/release="1"/release="2"/' "$tmp/frozen.xml"
pd plan "$tmp/w.lua" --catalog "$tmp/frozen.xml" --facts "$tmp/facts.json"
like "but not with another version" "$out" 'EX-7 is not as it was approved.*package new'
rm "$PATCHDAY_STATE/approvals.jsonl"

# --------------------------------------------------------------- in the report
if dpkg-query -W base-files >/dev/null 2>&1; then
	cp "$PD_BUILDDIR/plugins/apt/.libs/apt.so" "$tmp/plugins/"
	cat >"$tmp/here.xml" <<-END
	<catalog xmlns="urn:patchday:catalog:1"><update id="HERE" kind="security" trust="openpgp 0123 (vendor)">
	<title>t</title><package name="base-files" version="999:1" scheme="deb"/></update></catalog>
	END
	pd run "$tmp/w.lua" --catalog "$tmp/here.xml"
	pd report --format xml
	is "the report of a run tells it" "$(xmllint --xpath 'string(//*[local-name() = "update"]/@trust)' - <<<"$out" 2>/dev/null)" \
		"not signed; on record: openpgp 0123 (vendor)"
fi
end
