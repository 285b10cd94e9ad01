#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader mssecure on Microsoft's catalog of October 2001, complete.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
shared mssecure
reader mssecure
file=$shared/mssecure-20011004.xml
parts "$file" >"$tmp/all"
grep -v '"event":' "$tmp/all" >"$tmp/updates"
jq -rf "$PD_SRCDIR/tests/plugins/reader.jq" "$tmp/updates" >"$tmp/text"
count() { jq -r "$1" "$tmp/updates" | grep -c .; }
is "231 bulletins" "$(count 'select(.kind == "bundle") | .id')" 231
is "393 patches" "$(count 'select(.kind == "security") | .id')" 393
is "no id twice" "$(jq -r .id "$tmp/updates" | sort | uniq -d)" ""
is "each patch is in its bulletin" "$(count '.relations // [] | .[] | select(.kind == "bundles") | .target')" 393
unused=$(grep -c 'no patch is superseded by SBID' "$tmp/all")
used=$(grep -oE ' SBID="[1-9][0-9]*" SQ' "$file" | sort -u | grep -c .)
is "59 superseded-by entries: those that patches refer to, and those that none does" "$((used + unused))" 59
is "52 of them are used" "$used" 52
# 106 patches refer to one; 35 names no patch; 19 names two
is "and make 105 relations" "$(count '.relations // [] | .[] | select(.kind == "supersedes") | .target')" 105
is "nothing else is passed over" "$(grep -c '"event":' "$tmp/all")" "$unused"
is "309 numbers of bulletins, 239 of patches" "$(count '.relations // [] | .[] | select(.kind == "alias") | .target')" \
	$((309 + $(grep -oE ' SQNumber="[^"]+"' "$file" | grep -c .)))
is "815 products, 1,385 service packs" \
	"$(count '.rules // [] | .[] | select(.kind == "x-windows-product") | .subject') $(count '.rules // [] | .[] | select(.kind == "x-service-pack") | .subject')" "815 1385"
is "187 registry values" "$(count '.rules // [] | .[] | select(.kind == "x-registry") | .subject')" 187
is "7 do not restart" "$(count 'select(.restart == "none") | .id')" 7
like "one that replaces another" "$(sed -n '/^update MS01-044.q301625i.exe$/,/^update/p' "$tmp/text")" \
	'^  supersedes target="MS01-041/Q299444I\.exe"$'
like "for a product with a service pack" "$(sed -n '/^update MS01-044.q301625i.exe$/,/^update/p' "$tmp/text")" \
	'^      applicable x-windows-product subject="Internet Information Server 4\.0"$'
like "a bulletin's address" "$(sed -n '/^update MS98-001$/,/^update/p' "$tmp/text")" \
	'^  url: http://www.microsoft.com/technet/security/bulletin/MS98-001\.asp$'
end
