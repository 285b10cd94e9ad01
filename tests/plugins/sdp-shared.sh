#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader sdp on vendors' own catalogs: counts, and what was looked up by hand.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
shared sdp
reader sdp
python3 -m zipfile -e "$shared/HpCatalogForSms.zip" "$tmp" || skip "python3 can't unpack the catalog"
parts "$tmp/HpCatalogForSms.xml" >"$tmp/hp"
grep -v '"event":' "$tmp/hp" >"$tmp/updates"
count() { jq -r "$1" "$tmp/updates" | grep -c .; }
is "HP has 1,829 packages" "$(count .id)" 1829
is "with 1,829 ids" "$(jq -r .id "$tmp/updates" | sort -u | grep -c .)" 1829
is "28,319 supersede edges" "$(count '.relations[] | select(.kind == "supersedes") | .target')" 28319
is "of 1,433 packages" "$(count 'select(any(.relations[]; .kind == "supersedes")) | .id')" 1433
is "each has one file, with size and SHA-1" \
	"$(count 'select((.payloads | length) == 1) | .payloads[] | select(.bytes > 0 and (.digest | test("^sha1:[0-9a-f]{40}$"))) | .url')" 1829
is "one program" "$(count '.installers[] | select(.kind == "install") | .command | select(test("^sp[0-9]+\\.exe$"))')" 1829
is "as many of each severity" \
	"$(jq -r .severity "$tmp/updates" | sort | uniq -c | awk '{ printf "%s %s ", $2, $1 }')" "critical 256 important 494 low 1079 "
is "1,226 always restart" "$(count 'select(.restart == "reboot") | .id')" 1226
is "247 have to be installed alone" "$(count 'select(.description | test("installed alone")) | .id')" 247
is "all have their rules" "$(count '.rules[] | select(.op == "test") | .kind')" \
	"$(grep -oE '<bar:(WmiQuery|WindowsVersion|Processor|RegSz|FileVersion) ' "$tmp/HpCatalogForSms.xml" | grep -c .)"
# shellcheck disable=SC2016
is "and every return code, each once" "$(count '.exits // [] | .[] | .status')" \
	"$(awk '/<smc:SoftwareDistributionPackage/ { delete seen }
		{ while (match($0, /<cmd:ReturnCode Code="[^"]*"/)) {
			code = substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH)
			if (!seen[code]++) n++ } }
		END { print n }' "$tmp/HpCatalogForSms.xml")"
is "one of them" "$(jq -r 'select(.id == "00004850-0000-0000-5350-000000065001") |
	"\(.title)|\(.vendor)|\(.issued)|\(.severity)|\(.kind)|\(.payloads[0].digest)|\(.installers[0].arguments)"' "$tmp/updates")" \
	'AMD Video Driver and Control Panel [13.152.1.9001-131203]|HP Business Clients|1450698480|important|driver|sha1:11facc23aaea6b95c313001c0e2266039081d0bd|-s -e cmd.exe -a /c "setup.exe" -Install'

# packed, as it is published
cp "$PD_BUILDDIR/plugins/unpack/.libs/unpack.so" "$tmp/plugins/"
like "the archive is read as it is" \
	"$("$PD_BUILDDIR/patchday" catalog check --plugin-dir "$tmp/plugins" "$shared/HpCatalogForSms.zip" 2>&1)" 'sdp:sdp, 1829 updates'

for file in "$shared"/*.sdp; do
	show "$file" >"$tmp/$(basename "${file%%-*}")"
done
like "an MSI of Dell" "$(cat "$tmp/dc718411")" '^  install command="DSIAPC_1\.6\.6\.5\.msi" arguments="Reboot=ReallySuppress"$'
like "its digest" "$(cat "$tmp/dc718411")" '^  payload .* bytes=26825728 digest="sha1:eec2727e388ecc0ccc56367b16a24b4b4850b06d"$'
like "its one rule" "$(cat "$tmp/dc718411")" 'installed x-msi-product-installed subject="ProductCode=\{FB2B7CC0-8307-47e6-A065-11015CC96B99\} VersionMin=1\.6\.6\.5"'
is "a driver of Dell with 616 queries" "$(grep -c x-wmi-query "$tmp/0e6cf4ac")" "$(grep -o '<bar:WmiQuery ' "$shared"/0e6*.sdp | grep -c .)"
like "its return code 2" "$(cat "$tmp/0e6cf4ac")" '^  exit 2 success-reboot$'
end
