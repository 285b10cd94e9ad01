#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader cvrf on Microsoft's document of November 2017.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
shared cvrf
reader cvrf
file=$shared/ms_cvrf.xml
parts "$file" >"$tmp/updates"
jq -rf "$PD_SRCDIR/tests/plugins/reader.jq" "$tmp/updates" >"$tmp/text"
count() { jq -r "$1" "$tmp/updates" | sort -u | grep -c .; }
# all of the vendor fixes stand in the file one element to a line
fixes=$(grep -A1 '<vuln:Remediation Type="Vendor Fix">' "$file")
numbers=$(grep -oE '<vuln:Description>[0-9]+<' <<<"$fixes" | sort -u | grep -c .)
is "one update for each number" "$(count 'select(.id | test("^KB[0-9]+$")) | .id')" "$numbers"
is "which are 43, and 7 without" "$numbers $(count 'select(.id | test("^KB[0-9]+$") | not) | .id')" "43 7"
is "56 vulnerabilities" "$(count '.relations[] | select(.kind == "alias") | .target')" 56
is "each pair of a number and a vulnerability" \
	"$(count 'select(.id | test("^KB")) | .id as $id | .relations[] | select(.kind == "alias") | "\($id) \(.target)"')" \
	"$(awk '/<vuln:CVE>/ { split($0, a, /[<>]/); cve = a[3] }
		/<vuln:Remediation Type="Vendor Fix">/ { getline; split($0, a, /[<>]/); if (a[3] ~ /^[0-9]+$/) print a[3], cve }' "$file" | sort -u | grep -c .)"
is "32 numbers are superseded" "$(count '.relations[] | select(.kind == "supersedes") | .target')" \
	"$(grep -oE '<vuln:Supercedence>[0-9]+' "$file" | sort -u | grep -c .)"
is "124 products" "$(count '.rules[] | select(.kind == "x-product") | .subject')" \
	"$(grep -oE '<prod:FullProductName ProductID="[^"]+' "$file" | sort -u | grep -c .)"
is "nothing is passed over" "$(grep -c '"event":' "$tmp/updates")" 0
one=$(sed -n '/^update KB4048957$/,/^update/p' "$tmp/text")
like "its title" "$one" '^  title: KB4048957 \(Monthly Rollup\): November 2017 Security Updates$'
like "its severity" "$one" '^  severity_text: Critical, CVSS 7\.50$'
like "its date" "$one" "^  issued: $(date -ud 2017-11-14T08:00:00Z +%s)\$"
like "its restart" "$one" '^  restart: reboot$'
like "what it replaces" "$one" '^  supersedes target="KB4041681"$'
like "where it belongs" "$one" 'applicable x-product subject="(Internet Explorer 11 on )?Windows 7 for x64-based Systems Service Pack 1"$'
is "its vulnerabilities" "$(grep -c '^  alias' <<<"$one")" "$(awk '/<vuln:CVE>/ { split($0, a, /[<>]/); cve = a[3] }
	/<vuln:Description>4048957</ { print cve }' "$file" | sort -u | grep -c .)"
end
