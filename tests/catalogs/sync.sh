#!/bin/bash
# SPDX-License-Identifier: MIT
# Sources of catalogs: fetched, proved, read, and only then in force; what is
# older, of another day, of another key or half there is refused.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in python3 gpg gpgv minisign xmlsec1 openssl; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
cp "$PD_BUILDDIR/plugins/native/.libs/native.so" "$tmp/plugins/"
export PATCHDAY_LIBEXEC=$PD_BUILDDIR GNUPGHOME=$tmp/gpg
unset http_proxy https_proxy all_proxy no_proxy
mkdir -m 755 "$tmp/web" "$tmp/sources"
mkdir -m 700 "$tmp/gpg" "$tmp/keys"
places+=(--sources "$tmp/sources")
exec {port_fd}< <(exec python3 "$PD_SRCDIR/tests/transfer/server.py" "$tmp/web")
server=$!
trap 'kill $server; gpgconf --kill all; rm -rf "$tmp"' EXIT
read -r -u $port_fd port || { echo "Bail out! the server does not start"; exit 99; }
at=http://127.0.0.1:$port

# catalog FILE DATE [ID]
catalog()
{
	cat >"$1" <<-END
	<catalog xmlns="urn:patchday:catalog:1" vendor="Example">
	  <update id="${3-EX-1}" kind="security" issued="$2"><title>a hole closed</title>
	    <package name="demo" version="2" arch="all" scheme="deb"/></update>
	</catalog>
	END
}

# source NAME LINE...
source_()
{
	local name=$1

	shift
	printf '%s\n' "$@" >"$tmp/sources/$name.source"
}

sync()
{
	out=$("${patchday[@]}" catalog sync "${places[@]}" --retries 0 "$@" 2>&1 </dev/null)
	rc=$?
}

ids()
{
	"${patchday[@]}" catalog show "sync:$1" "${places[@]}" --json 2>&1 | jq -r .id | paste -sd' '
}

requests()
{
	wc -l <"$tmp/web/requests"
}

# --------------------------------------------------------- in force, or not
catalog "$tmp/web/c.xml" 2026-01-02
source_ one "# the vendor's" "Url: $at/plain/c.xml" "Trust: none"
sync
is "a catalog comes" "$rc" 0
like "and what proves it is said" "$out" '^one +1 updates, 0 passed over, proved by none$'
is "it is in force" "$(ids one)" EX-1
before=$(requests)
sync
is "the same again" "$rc $(requests)" "0 $((before + 1))"
like "is not fetched again" "$out" '^one +unchanged, 1 updates$'
like "sources tells of it" "$("${patchday[@]}" catalog sources "${places[@]}")" '^one +1 updates, of 2026-01-02'
catalog "$tmp/web/c.xml" 2026-01-03 EX-2
sync one
is "a newer one takes its place" "$rc $(ids one)" "0 EX-2"
catalog "$tmp/web/c.xml" 2026-01-01 EX-0
sync
is "an older one does not" "$rc $(ids one)" "4 EX-2"
like "which is said" "$out" 'of 2026-01-01.*older than what is in force, of 2026-01-03.*\[source-older\]'
echo "<catalog" >"$tmp/web/c.xml"
sync
is "half of one does not" "$rc $(ids one)" "4 EX-2"
rm "$tmp/web/c.xml"
sync
is "nor nothing" "$rc $(ids one)" "4 EX-2"
catalog "$tmp/web/c.xml" 2026-01-04 EX-4
sync
is "and then it goes on" "$rc $(ids one)" "0 EX-4"
is "two sets are kept" "$(ls "$PATCHDAY_STATE/catalogs/one/sets" | wc -l)" 2
is "for nobody else" "$(stat -c %a "$PATCHDAY_STATE/catalogs/one")" 700
catalog "$tmp/web/d.xml" 2026-01-01 EX-D
source_ two "Url: $at/gone/d.xml" "Trust: none"
sync
is "one that fails does not stop the others" "$rc $(ids one)" "4 EX-4"
like "and is named" "$out" '410'
sync --json
is "as JSON" "$(jq -rs 'map(.source + " " + .state) | join(", ")' <<<"$out")" "one unchanged, two failed"
for wrong in x 1.5 -5 101; do
	sync --retries "$wrong"
	like "what is no number of retries is refused: $wrong" "$rc $out" "^2 .*--retries: '$wrong' is no number from 0 to 100"
done
source_ aa "Url: ftp://x/y"
source_ open "Url: $at/plain/c.xml" "Trust: none"
chmod 666 "$tmp/sources/open.source"
source_ "my one" "Url: $at/plain/c.xml" "Trust: none"
sync
is "nor does a file that is wrong" "$rc $(grep -c '^one  *unchanged' <<<"$out")" "4 1"
like "whose field" "$out" 'aa.source:1: Url has to be'
like "or mode" "$out" 'open.source'
like "or name is told" "$out" "my one.source: 'my one' is no name of a source"
sync --json
is "each of them" "$(jq -rs 'map(.source + " " + .state) | join(", ")' <<<"$out")" \
	"aa failed, my one failed, one unchanged, open failed, two failed"
pd catalog sources
is "they are told with the others" "$rc $(grep -c '^one  *1 updates' <<<"$out") $(grep -c '^patchday: ' <<<"$out")" "4 1 3"
is "and what is in force of others counts" "$(ids one)" EX-4
rm "$tmp"/sources/{aa,open,my\ one}.source
pd catalog show sync:two
is "nothing is in force of it" "$rc" 2
like "which is said" "$out" source-empty
pd catalog show sync:tow
like "a misspelt source" "$out" "Did you mean two"

# ------------------------------------------------------ what is in the files
bad()
{
	source_ two "${@:2}"
	sync two
	is "$1" "$rc $(grep -c "source-file\|not-owner\|plugin-folder\|file-read" <<<"$out")" "4 1"
}
bad "a misspelt field" "Ulr: $at/plain/d.xml" "Trust: none"
like "is named with its line" "$out" 'two.source:1.*no field Ulr'
like "and mended" "$out" 'Did you mean Url'
bad "no trust" "Url: $at/plain/d.xml"
bad "trust without a key" "Url: $at/plain/d.xml" "Trust: openpgp"
bad "another protocol" "Url: gopher://x/" "Trust: none"
bad "a field twice" "Url: $at/plain/d.xml" "Trust: none" "Trust: none"
bad "no line at all" "Url: $at/plain/d.xml" "Trust: none" "what is this"
source_ two "Url: $at/plain/d.xml" "Trust: none"
chmod 666 "$tmp/sources/two.source"
sync two
is "a description that others can write" "$rc" 4
chmod 644 "$tmp/sources/two.source"

# --------------------------------------------------------------- proved
gpg_key()
{
	gpg --batch --quiet --passphrase '' --quick-generate-key "$1 <$1@example.org>" ed25519 sign never 2>/dev/null
	gpg --batch --quiet --armor --export "$1@example.org" >"$tmp/keys/$1.asc"
}
sign()
{
	gpg --batch --quiet --yes --no-auto-check-trustdb --local-user "$1@example.org" --armor --output "$2.asc" --detach-sign "$2"
}
gpg_key vendor
gpg_key other
source_ two "Url: $at/plain/d.xml" "Trust: openpgp $tmp/keys/vendor.asc"
sync two
is "not signed" "$rc" 4
sign other "$tmp/web/d.xml"
sync two
is "signed by another key" "$rc" 4
like "which is said" "$out" 'another key than the one pinned.*\[trust\]'
sign vendor "$tmp/web/d.xml"
sync two
is "signed by the vendor" "$rc $(ids two)" "0 EX-D"
like "with the key's fingerprint" "$out" "openpgp $(gpg --list-keys --with-colons vendor@example.org 2>/dev/null | awk -F: '/^fpr/ { print $10; exit }')"
gpg --batch --quiet --yes --no-auto-check-trustdb --local-user vendor@example.org --local-user other@example.org \
	--armor --output "$tmp/both.asc" --detach-sign "$tmp/web/d.xml"
for key in vendor other; do
	pd catalog verify "$tmp/web/d.xml" --trust openpgp --key "$tmp/keys/$key.asc" --signature "$tmp/both.asc"
	is "signed by two, of whom one is pinned: $key" "$rc" 0
done
gpg_key third
pd catalog verify "$tmp/web/d.xml" --trust openpgp --key "$tmp/keys/third.asc" --signature "$tmp/both.asc"
like "or none of them" "$rc $out" '^2 .*another key than the one pinned'
gpg --batch --export vendor@example.org >"$tmp/keys/vendor.gpg"
pd catalog verify "$tmp/web/d.xml" --trust openpgp --key "$tmp/keys/vendor.gpg"
is "a key without armor" "$rc" 0
gpg --batch --quiet --yes --no-auto-check-trustdb --local-user other@example.org --output "$tmp/other.asc" --detach-sign "$tmp/web/d.xml"
cat "$tmp"/keys/{vendor,other}.asc >"$tmp/keys/two.asc"
sed '/^=/d' "$tmp/keys/two.asc" >"$tmp/keys/unsummed.asc"
sed 's/$/\r/' "$tmp/keys/two.asc" >"$tmp/keys/crlf.asc"
for key in two unsummed crlf; do
	pd catalog verify "$tmp/web/d.xml" --trust openpgp --key "$tmp/keys/$key.asc" --signature "$tmp/other.asc"
	is "by the second key of a file in armor: $key" "$rc" 0
done
sed '$d' "$tmp/keys/two.asc" >"$tmp/keys/cut.asc"
sed '1,/^$/{/^$/d}' "$tmp/keys/two.asc" >"$tmp/keys/joined.asc"
for key in cut joined; do
	pd catalog verify "$tmp/web/d.xml" --trust openpgp --key "$tmp/keys/$key.asc" --signature "$tmp/other.asc"
	like "a block that is not whole is no key: $key" "$rc $out" "^2 .*$key.asc is no OpenPGP key"
done
for key in vendor.asc vendor.gpg; do
	pd catalog show "$tmp/web/d.xml" --key "$tmp/keys/$key"
	is "that a key is OpenPGP's is seen by what it is: $key" "$rc" 0
done
pd catalog show "$tmp/web/d.xml" --key "$tmp/keys/other.asc"
like "of a catalog in a file, too" "$rc $out" '^2 .*another key than the one pinned'
catalog "$tmp/web/d.xml" 2026-02-01 EX-E
sync two
is "changed after it was signed" "$rc $(ids two)" "4 EX-D"
like "which is said" "$out" 'not as it was signed'

"${patchday[@]}" final --make-key --key "$tmp/keys/seal.key" --plugin-dir "$tmp/plugins" >/dev/null
pd catalog sign "$tmp/web/d.xml" --key "$tmp/keys/seal.key"
is "our own signature" "$rc" 0
check "stock minisign verifies it" minisign -Vqm "$tmp/web/d.xml" -p "$tmp/keys/seal.pub"
pd catalog verify "$tmp/web/d.xml" --key "$tmp/keys/seal.pub"
is "and so do we" "$rc" 0
pd catalog check "$tmp/web/d.xml" --key "$tmp/keys/seal.pub"
like "so does a check" "$rc $(tr '\n' ' ' <<<"$out")" '^0 .* proved by: minisign [0-9A-F]{16} '
pd catalog check "$tmp/web/d.xml" --trust openpgp --key "$tmp/keys/vendor.asc"
like "which fails by another signature that is broken" "$rc $out" '^2 .*not as it was signed.*\[trust\]'
sed 's/EX-E/EX-Z/' "$tmp/web/d.xml" >"$tmp/z.xml"
cp "$tmp/web/d.xml.minisig" "$tmp/z.xml.minisig"
pd catalog check "$tmp/z.xml" --key "$tmp/keys/seal.pub"
like "or by this one" "$rc $out" '^2 .*not what was signed'
pd catalog check "$tmp/z.xml"
is "also where nobody asks for it" "$rc" 2
pd catalog check "$tmp/z.xml" --trust minisgn
like "a misspelt kind" "$rc $out" '^2 .*minisgn'
source_ two "Url: $at/plain/d.xml" "Trust: minisign $tmp/keys/seal.pub"
sync two
is "proved by minisign" "$rc $(ids two)" "0 EX-E"
catalog "$tmp/web/d.xml" 2026-02-02 EX-F
sync two
is "changed after it was signed" "$rc $(ids two)" "4 EX-E"

# by minisign itself, as it signs today and as it did, with a time in its comment
# minisign SECONDS-AGO [WORD]...: $seconds is the time
minisign_()
{
	seconds=$(($(date +%s) - $1))
	minisign -S -s "$tmp/keys/seal.key" -m "$tmp/web/m.xml" -c "whatever" -t "timestamp:$seconds	file:m.xml" "${@:2}" </dev/null >/dev/null 2>&1
}
made()
{
	jq .made "$PATCHDAY_STATE/catalogs/mini/current/source.json"
}
source_ mini "Url: $at/plain/m.xml" "Trust: minisign $tmp/keys/seal.pub"
for how in -l -H; do
	catalog "$tmp/web/m.xml" 2026-01-01 "EX$how"
	minisign_ 5000 "$how"
	pd catalog verify "$tmp/web/m.xml" --key "$tmp/keys/seal.pub"
	like "signed by minisign $how" "$rc $out" "^0 .*minisign [0-9A-F]{16} \\(timestamp:$seconds file:m.xml\\), signed 20"
	sync mini
	is "proved by minisign $how" "$rc $(ids mini) $(made)" "0 EX$how $seconds"
done
sed -i '1s/whatever/anything/' "$tmp/web/m.xml.minisig"
pd catalog verify "$tmp/web/m.xml" --key "$tmp/keys/seal.pub"
is "its first line is not signed" "$rc" 0
for line in 2 3 4; do
	sed "${line}s/[0-9]/x/" "$tmp/web/m.xml.minisig" >"$tmp/changed.minisig"
	pd catalog verify "$tmp/web/m.xml" --key "$tmp/keys/seal.pub" --signature "$tmp/changed.minisig"
	is "line $line is" "$rc" 2
done

# ------------------------------------------------- what was signed before that
cp "$tmp/web/m.xml" "$tmp/old.xml"
cp "$tmp/web/m.xml.minisig" "$tmp/old.minisig"
catalog "$tmp/web/m.xml" 2026-01-01 EX-LATER
minisign_ 4000
sync mini
is "of the same day, and signed later" "$rc $(ids mini)" "0 EX-LATER"
cp "$tmp/old.xml" "$tmp/web/m.xml"
cp "$tmp/old.minisig" "$tmp/web/m.xml.minisig"
sync mini
is "what was signed earlier does not come back" "$rc $(ids mini)" "4 EX-LATER"
like "which is said" "$out" 'older than what is in force.*\[source-older\]'
catalog "$tmp/web/m.xml" 2025-01-01 EX-LESS
minisign_ 3000
sync mini
is "what is signed later counts, whatever its updates say" "$rc $(ids mini)" "0 EX-LESS"
echo "Max-Age: 1h" >>"$tmp/sources/mini.source"
sed -i -E 's/"(made|signed)": [0-9]*/"\1": 1700000000/' "$PATCHDAY_STATE/catalogs/mini/current/source.json"
pd catalog show sync:mini
like "it is as old as its signature, whenever it was looked at" "$rc $out" '^2 .*\[source-old\]'
minisign_ 100
sync mini
is "until it is signed anew" "$rc $(grep -c unchanged <<<"$out") $(ids mini) $(made)" "0 1 EX-LESS $seconds"
like "which is on record" "$(jq -r .trust "$PATCHDAY_STATE/catalogs/mini/current/source.json")" "timestamp:$seconds"
check "with that signature" cmp -s "$tmp/web/m.xml.minisig" "$PATCHDAY_STATE/catalogs/mini/current/m.xml.minisig"
last=$seconds
minisign_ 200
sync mini
is "an earlier signature of the same takes nothing back" "$rc $(made)" "0 $last"
minisign_ 100 -l
sed -i '2s/[0-9]/x/' "$tmp/web/m.xml.minisig"
sync mini
is "one that is wrong is told, though the catalog is the same" "$rc $(ids mini)" "4 EX-LESS"
minisign_ -200000
sync mini
like "nobody signs in time to come, also not what is there" "$rc $(made) $out" "^4 $last .*\\[source-future\\]"
catalog "$tmp/web/m.xml" 2026-01-01 EX-2099
minisign_ -200000
sync mini
like "nobody signs in time to come" "$rc $(ids mini) $out" '^4 EX-LESS .*\[source-future\]'
minisign_ 7200
sync mini
like "what is too old when it comes is refused" "$rc $(ids mini) $out" '^4 EX-LESS .*\[source-old(er)?\]'
rm "$tmp/sources/mini.source"
source_ future "Url: $at/plain/f.xml" "Trust: none"
catalog "$tmp/web/f.xml" 2099-01-01 EX-2099
sync future
catalog "$tmp/web/f.xml" 2026-01-01 EX-NOW
sync future
is "an update of 2099 does not keep out all that come later" "$rc $(ids future)" "0 EX-NOW"
rm "$tmp/sources/future.source"
# undated ID: a catalog of which nothing says when it was made
undated()
{
	catalog "$tmp/web/u.xml" 2026-01-01 "$1"
	sed -i 's/ issued="[^"]*"//' "$tmp/web/u.xml"
	sync undated
}
source_ undated "Url: $at/plain/u.xml" "Trust: none"
for id in EX-A EX-B EX-C; do undated $id; done
is "a catalog without any date takes the place of another one" "$rc $(ids undated)" "0 EX-C"
like "and sources tells that it has none" "$("${patchday[@]}" catalog sources "${places[@]}" undated)" ' without a date, '
for id in EX-A EX-B; do
	undated $id
	is "what was replaced does not come back: $id" "$rc $(ids undated)" "4 EX-C"
	like "which is said" "$out" 'was in force until 20.* when it was replaced.*\[source-older\]'
done
undated EX-C
is "what is in force stays so" "$rc $(ids undated)" "0 EX-C"
rm -r "$tmp/sources/undated.source" "$PATCHDAY_STATE/catalogs/undated"
source_ two "Url: $at/plain/d.xml" "Trust: sha256 $(sha256sum <"$tmp/web/d.xml" | cut -d' ' -f1)"
sync two
is "proved by a digest" "$rc $(ids two)" "0 EX-F"
catalog "$tmp/web/d.xml" 2026-02-03 EX-G
sync two
is "and by no other" "$rc $(ids two)" "4 EX-F"

# a repository: the signature is of repomd.xml, and that has the digest of the rest
cp "$PD_BUILDDIR"/plugins/{updateinfo,unpack}/.libs/*.so "$tmp/plugins/"
mkdir -p "$tmp/web/repo/repodata"
repository() # DAY TIMESTAMP
{
	gzip -nc >"$tmp/web/repo/repodata/updateinfo.xml.gz" <<-END
	<updates><update status="final" from="x" type="security" version="1"><id>EX-$1</id><title>t</title>
	<issued date="2026-03-0$1"/><pkglist><collection><package name="demo" version="2" release="1" arch="noarch"
	src="demo.src.rpm"><filename>demo.rpm</filename></package></collection></pkglist></update></updates>
	END
	cat >"$tmp/web/repo/repodata/repomd.xml" <<-END
	<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>$2</revision><data type="updateinfo">
	<checksum type="sha256">$(sha256sum <"$tmp/web/repo/repodata/updateinfo.xml.gz" | cut -d' ' -f1)</checksum>
	<location href="repodata/updateinfo.xml.gz"/><timestamp>$2</timestamp></data></repomd>
	END
	sign vendor "$tmp/web/repo/repodata/repomd.xml"
}
repository 1 1700000000
source_ three "Url: $at/plain/repo/repodata/repomd.xml" "Trust: openpgp $tmp/keys/vendor.asc"
sync three
is "a repository comes" "$rc $(ids three)" "0 EX-1"
repository 2 1600000000
sync three
is "an older one does not, whatever its updates say" "$rc $(ids three)" "4 EX-1"
like "which is said" "$out" 'source-older'
repository 3 1710000000
cp "$tmp/web/repo/repodata/updateinfo.xml.gz" "$tmp/keep.gz"
repository 4 1710000001
cp "$tmp/keep.gz" "$tmp/web/repo/repodata/updateinfo.xml.gz"
sync three
is "nor one whose parts are of two days" "$rc $(ids three)" "4 EX-1"
like "which is said" "$out" 'transfer-digest|transfer-size'
repository 4 1710000002
sed -i 's/1710000002/1790000000/' "$tmp/web/repo/repodata/repomd.xml"
sync three
is "nor one that was changed after it was signed" "$rc $(ids three)" "4 EX-1"
repository 5 1710000003
sync three --from "$tmp/web/repo/repodata"
is "a newer one does, also from a folder" "$rc $(ids three)" "0 EX-5"
source_ three "Url: $at/plain/repo/" "Trust: openpgp $tmp/keys/vendor.asc"
repository 6 1710000004
sync three
is "named by its folder" "$rc $(ids three)" "0 EX-6"
echo "Max-Age: 30d" >>"$tmp/sources/three.source"
is "it is as new as its signature, if that is of later" "$(ids three)" EX-6
sed -i 's/"signed": [0-9]*/"signed": 1710000005/' "$PATCHDAY_STATE/catalogs/three/current/source.json"
pd catalog show sync:three
like "and no newer" "$rc $out" '^2 .*\[source-old\]'
sync three
is "until it is signed anew, though nothing has changed" "$rc $(grep -c unchanged <<<"$out") $(ids three)" "0 1 EX-6"
repository 7 1710000005
sync three
is "so is one that comes" "$rc $(ids three)" "0 EX-7"
repository 5 1710000003
sync three
like "but an older one does not come back, whenever it was signed" "$rc $(ids three) $out" '^4 EX-7 .*\[source-older\]'
rm "$tmp/sources/three.source"

# a signature in the document
for name in xml foreign; do
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/keys/$name.key" -out "$tmp/keys/$name.pem" -days 9 \
		-subj "/CN=$name" 2>/dev/null
done
# dsig KEY ROOT: $tmp/plain.xml with a signature in it, as $tmp/signed.xml
dsig()
{
	local method=http://www.w3.org/2001/04/xmldsig-more#rsa-sha256 c14n=http://www.w3.org/2001/10/xml-exc-c14n#

	sed "s|</$2>|<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo><CanonicalizationMethod Algorithm=\"$c14n\"/><SignatureMethod Algorithm=\"$method\"/><Reference URI=\"\"><Transforms><Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/><Transform Algorithm=\"$c14n\"/></Transforms><DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><DigestValue/></Reference></SignedInfo><SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature></$2>|" \
		"$tmp/plain.xml" >"$tmp/template.xml"
	xmlsec1 --sign --privkey-pem "$tmp/keys/$1.key,$tmp/keys/$1.pem" --output "$tmp/signed.xml" "$tmp/template.xml" >/dev/null 2>&1
}
xml_sign()
{
	catalog "$tmp/plain.xml" "$2" "$3"
	dsig "$1" catalog
}
xml_sign xml 2026-02-03 EX-X
pd catalog verify "$tmp/signed.xml" --trust xmldsig --key "$tmp/keys/xml.pem"
is "a signature in the document" "$rc" 0
pd catalog verify "$tmp/signed.xml" --trust xmldsig --key "$tmp/keys/foreign.pem"
is "by another key than the one pinned, whatever certificate it brings" "$rc" 2
sed 's/EX-X/EX-Y/' "$tmp/signed.xml" >"$tmp/changed.xml"
for name in signed changed; do
	pd catalog show "$tmp/$name.xml" --key "$tmp/keys/xml.pem"
	is "a certificate asks for one in the document: $name" "$rc" "$([ $name = signed ] && echo 0 || echo 2)"
done
pd catalog verify "$tmp/changed.xml" --trust xmldsig --key "$tmp/keys/xml.pem"
is "changed after it was signed" "$rc" 2
pd catalog verify "$tmp/plain.xml" --trust xmldsig --key "$tmp/keys/xml.pem"
is "not signed at all" "$rc" 2
source_ dsig "Url: $at/plain/signed.xml" "Trust: xmldsig $tmp/keys/xml.pem"
cp "$tmp/signed.xml" "$tmp/web/"
sync dsig
is "our own format, with a signature in it" "$rc $(ids dsig)" "0 EX-X"
evil='<update xmlns="urn:patchday:catalog:1" id="EVIL" kind="security" issued="2026-03-01"><title>x</title></update>'
# what stands in the signature is not signed: the proof holds, and nothing of it is read
for place in "</KeyInfo>|$evil</KeyInfo>" "</Signature>|<Object>$evil</Object></Signature>"; do
	xml_sign xml 2026-02-04 EX-X2
	sed "s|$place|" "$tmp/signed.xml" >"$tmp/web/signed.xml"
	pd catalog verify "$tmp/web/signed.xml" --trust xmldsig --key "$tmp/keys/xml.pem"
	is "something is put into the signature" "$rc $(grep -c EVIL "$tmp/web/signed.xml")" "0 1"
	sync dsig
	is "and is not read" "$rc $(ids dsig)" "0 EX-X2"
done
cat >"$tmp/plain.xml" <<-END
<updates><update status="final" from="x" type="security" version="1"><id>GOOD</id><title>t</title>
<issued date="2026-03-01"/></update></updates>
END
dsig xml updates
sed "s|</KeyInfo>|</KeyInfo><Object><update xmlns=\"\" type=\"security\" version=\"1\"><id>EVIL</id><title>t</title></update></Object>|" \
	"$tmp/signed.xml" >"$tmp/web/signed.xml"
rm "$tmp/sources/dsig.source"
source_ advisories "Url: $at/plain/signed.xml" "Trust: xmldsig $tmp/keys/xml.pem"
sync advisories
is "nor by a reader that takes updates wherever they stand" "$rc $(grep -c EVIL "$tmp/web/signed.xml") $(ids advisories)" "0 1 GOOD"
rm "$tmp/sources/advisories.source"

# ------------------------------------------------------- https is all that proves it
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$tmp/keys/tls.key" -out "$tmp/keys/tls.pem" -days 9 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost 2>/dev/null
exec {tls_fd}< <(exec python3 "$PD_SRCDIR/tests/transfer/server.py" "$tmp/web" "$tmp/keys/tls.pem" "$tmp/keys/tls.key" 2>/dev/null)
tls_server=$!
trap 'kill $server $tls_server; gpgconf --kill all; rm -rf "$tmp"' EXIT
read -r -u $tls_fd tls_port || { echo "Bail out! the server for https does not start"; exit 99; }
catalog "$tmp/web/s.xml" 2026-01-01 EX-S
sign vendor "$tmp/web/s.xml"
source_ tls "Url: https://localhost:$tls_port/plain/s.xml" "Trust: none" "Authorities: $tmp/keys/tls.pem"
sync tls
is "by https, with the authorities of the source" "$rc $(ids tls)" "0 EX-S"
catalog "$tmp/web/s.xml" 2026-01-02 EX-T
sign vendor "$tmp/web/s.xml"
source_ tls "Url: https://localhost:$tls_port/to/$at/plain/s.xml" "Trust: none" "Authorities: $tmp/keys/tls.pem"
sync tls
is "it does not lead to http" "$rc $(ids tls)" "4 EX-S"
source_ tls "Url: https://localhost:$tls_port/to/$at/plain/s.xml" "Trust: openpgp $tmp/keys/vendor.asc" \
	"Authorities: $tmp/keys/tls.pem"
sync tls
is "but for what a signature proves" "$rc $(ids tls)" "0 EX-T"
rm "$tmp/sources/tls.source"

# --------------------------------------------------------------- by hand
mkdir -p "$tmp/medium"
catalog "$tmp/medium/d.xml" 2026-02-04 EX-H
source_ two "Url: $at/plain/d.xml" "Trust: none"
before=$(requests)
sync two --from "$tmp/medium"
is "from a folder, without a network" "$rc $(ids two) $(requests)" "0 EX-H $before"
sync one --from "$tmp/medium"
is "that lacks the file" "$rc" 4
like "which is said" "$out" 'medium has no c.xml of the source one.*\[source-from\]'

# ---------------------------------------------------------------- too old
sed -i 's/"checked": [0-9]*/"checked": 1/' "$PATCHDAY_STATE/catalogs/two/current/source.json"
is "without a Max-Age it counts for ever" "$(ids two)" EX-H
echo "Max-Age: 30d" >>"$tmp/sources/two.source"
pd catalog show sync:two
is "with one it does not" "$rc" 2
like "which is said" "$out" '\[source-old\]'
catalog "$tmp/web/d.xml" 2026-02-04 EX-H
sync two
is "until it was looked at again" "$rc $(ids two)" "0 EX-H"

# ------------------------------------------------- a password, and a limit
printf 'proxy-password\n' >"$tmp/keys/password"
chmod 644 "$tmp/keys/password"
: >"$tmp/web/proxy-login"
catalog "$tmp/web/d.xml" 2026-02-05 EX-I
source_ two "Url: http://example.invalid/plain/d.xml" "Trust: none" "Proxy: $at" "Proxy-User: proxy-user" \
	"Proxy-Password-File: $tmp/keys/password" "Rate: 1 MiB"
sync two
is "a password that others can read" "$rc" 4
chmod 600 "$tmp/keys/password"
sync two
is "through a proxy, with a password" "$rc $(ids two)" "0 EX-I"
is "which is written nowhere" "$(grep -rl proxy-password "$PATCHDAY_STATE" | wc -l)" 0

# --------------------------------------------------------- what the timer starts
unit=$PD_BUILDDIR/units/patchday-sync.service
like "it does not take for ever" "$(<"$unit")" '^TimeoutStartSec=[0-9]+h$'
like "the unit of the timer names the installed program" "$(<"$unit")" '^ExecStart=/[^@]*/patchday catalog sync$'
if command -v systemd-analyze >/dev/null; then
	sed "s,^ExecStart=.*/patchday ,ExecStart=$PD_BUILDDIR/patchday ," "$unit" >"$tmp/patchday-sync.service"
	cp "$PD_SRCDIR/units/patchday-sync.timer" "$tmp/"
	empty "systemd finds nothing wrong with the units" \
		"$(systemd-analyze verify --man=no "$tmp/patchday-sync.service" "$tmp/patchday-sync.timer" 2>&1 | grep patchday)"
else
	echo "# skip systemd-analyze: it is not installed"
fi
end
