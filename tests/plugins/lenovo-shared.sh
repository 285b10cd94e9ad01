#!/bin/bash
# SPDX-License-Identifier: MIT
# The readers of lenovo on files of Lenovo's: counts, and what was looked up by
# hand; their enveloped signatures do not disturb.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
shared lenovo
reader lenovo
read_as() { "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" read "lenovo.$1" "$2" 2>/dev/null; }
read_as products "$shared/LenovoCatalog_v2.xml" >"$tmp/all"
grep -v '"event":' "$tmp/all" >"$tmp/updates"
count() { jq -r "$1" "$tmp/updates" | grep -c .; }
is "599 products" "$(count 'select(.kind == "bundle") | .id')" 599
is "each once" "$(jq -r 'select(.kind == "bundle") | .id' "$tmp/updates" | sort -u | grep -c .)" 599
is "1,360 driver packs without 182 that do not exist" "$(count 'select(.title | test("^Drivers for ")) | .id')" 1178
is "597 of BIOS, of 599 of which two are empty" "$(count 'select(.id | endswith("/BIOS")) | .id')" \
	"$(grep -oE '<BIOSUpdate>[^<]+<' "$shared/LenovoCatalog_v2.xml" | grep -c .)"
is "974 programs" "$(count 'select(has("installers")) | .installers[] | .command')" \
	"$(grep -oE '<installCmd>[^<]+<' "$shared/LenovoCatalog_v2.xml" | grep -c .)"
is "all parts are parts of a product" "$(count '.relations // [] | .[] | .target')" "$(count 'select(.kind != "bundle") | .id')"
is "one of them" "$(jq -r 'select(.id == "Tablet10/win10/*/sccm") | "\(.title)|\(.url)|\(.issued)"' "$tmp/updates")" \
	'Drivers for Lenovo Tablet 10, sccm|https://support.lenovo.com/downloads/ds503143|1551398400'
is "its machine types" "$(jq -r 'select(.id == "Tablet10/win10/*/sccm") | .rules[] | select(.field == "product") | .value' "$tmp/updates")" \
	'^(20L4|20L3)'
empty "nothing is passed over" "$(grep '"event":' "$tmp/all" | jq -r '.what // .text // .message')"

read_as package "$shared/nz3gs05w_2_.xml" >"$tmp/all"
grep -v '"event":' "$tmp/all" >"$tmp/updates"
is "a descriptor" "$(jq -r '"\(.id)|\(.revision)|\(.vendor)|\(.kind)|\(.severity)|\(.restart)|\(.issued)|\(.disk_bytes)"' "$tmp/updates")" \
	'nz3gs05w|2.3.100.49777|Lenovo|driver|critical|reboot|1565827200|14470396'
is "its file" "$(jq -r '.payloads[] | "\(.url) \(.bytes) \(.digest)"' "$tmp/updates")" \
	'nz3gs05w.exe 2780688 sha256:c872a0f1a3159c68b811f31c841153d22e304550d815eda6464c706247eb7658'
is "its commands" "$(jq -r '.installers[] | .command' "$tmp/updates")" 'nz3gs05w.exe
%PACKAGEPATH%\nz3gs05w.exe'
is "its exit statuses" "$(jq -r '.exits[] | "\(.status) \(.meaning)"' "$tmp/updates")" '0 success
259 success
3010 success-reboot'
is "its rules" "$(jq -r '.rules[] | select(.op == "test") | .kind' "$tmp/updates" | sort | uniq -c | awk '{ printf "%s %s, ", $2, $1 }')" \
	"hardware 2, kernel 1, os 1, x-driver 6, x-external-detection 1, x-pnp-id 2, x-windows 6, "
end
