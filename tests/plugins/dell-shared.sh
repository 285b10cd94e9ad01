#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader dell on a catalog of Dell's: counts, what was looked up by hand, and
# verdicts for one of its servers.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
shared dell
reader dell
catalog=$shared/Catalog-poweredge11g.xml
parts "$catalog" >"$tmp/all"
grep -v '"event":' "$tmp/all" >"$tmp/updates"
count() { jq -r "$1" "$tmp/updates" | grep -c .; }
is "nothing is passed over" "$(grep -c '"event":' "$tmp/all")" 0
is "392 components" "$(count 'select(.kind != "bundle") | .id')" 392
is "76 bundles" "$(count 'select(.kind == "bundle") | .id')" 76
is "468 ids" "$(jq -r .id "$tmp/updates" | sort -u | grep -c .)" 468
is "12,234 parts of bundles" "$(count '.relations // [] | .[] | select(.kind == "bundles") | .target')" 12234
is "all of them are there" "$(jq -rs '[.[].id] as $ids | [.[].relations // [] | .[] | select(.kind == "bundles") | .target] |
	unique - $ids | length' "$tmp/updates")" 0
is "one file for each component, with its MD5" \
	"$(count 'select(.kind != "bundle") | .payloads[] | select(.digest | test("^md5:[0-9a-f]{32}$")) | .url')" 392
is "as many of each severity" "$(jq -r 'select(.kind != "bundle") | "\(.severity_text) \(.severity)"' "$tmp/updates" |
	sort | uniq -c | awk '{ printf "%s %s %s, ", $2, $3, $1 }')" \
	"Optional low 29, Recommended moderate 322, Urgent critical 41, "
is "379 of firmware" "$(count 'select(.kind == "firmware") | .id')" 379
is "156 restart, 235 do not" "$(count 'select(.restart == "reboot") | .id') $(count 'select(.restart == "none") | .id')" "156 235"
is "635 ids on PCI, asked twice for being there and once for being older" \
	"$(count '.rules // [] | .[] | select(.kind == "devices") | .value')" $((3 * 635))
is "one of them" "$(jq -r 'select(.id == "0W1XP") |
	"\(.title)|\(.revision)|\(.vendor)|\(.issued)|\(.severity)|\(.restart)|\(.payloads[0].url)|\(.payloads[0].digest)"' "$tmp/updates")" \
	'PowerEdge M630/FC630/M630-VRTX BIOS,2.6.0|2.6.0|Dell|1511804129|moderate|reboot|BIOS_0W1XP_LN_2.6.0.BIN|md5:d4d6a3192f2346cbad8a9d78f4048596'

r710='{"os":{"id":"rhel","version_id":"7.4"},"hardware":{"vendor":"Dell Inc.","product":"PowerEdge R710","bios_version":"6.3.0"},"devices":[]}'
out=$(verdicts "$catalog" "$r710")
like "a PowerEdge R710 needs its BIOS" "$out" '^4HKX2 needed its rules fit this server'
like "and not another one's" "$out" '^0W1XP not-applicable'
like "its bundle is needed" "$out" '^PH29950_LIN\.650 needed of its parts 1 are needed'
like "another one's is not" "$out" '^PH29951_LIN\.650 not-applicable its rules exclude this server'
is "one of the 58 BIOSes is for it" "$(grep -cE ' (needed|installed) its rules' <<<"$out")" 1
out=$(verdicts "$catalog" "${r710/6.3.0/6.4.0}")
like "with the version of the catalog it has it" "$out" '^4HKX2 installed'
end
