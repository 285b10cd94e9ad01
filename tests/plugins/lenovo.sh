#!/bin/bash
# SPDX-License-Identifier: MIT
# The readers of lenovo: a made-up catalog, descriptors and a list of them with all
# that is read of them.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
reader lenovo

# The one that its first element asks for, as patchday would.
parts()
{
	local one=package

	! tr -d '\0' <"$1" | grep -q '<Products>' || one=products
	! tr -d '\0' <"$1" | grep -q '<packages' || one=packages
	"$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" read "$name.$one" "$1" 2>&1
}

fixtures
package=$PD_SRCDIR/tests/data/lenovo/package.xml products=$PD_SRCDIR/tests/data/lenovo/products.xml

# A server that fits in all, where nothing is installed.
cat >"$tmp/server.json" <<'END'
{ "os": { "id": "windows" }, "kernel": { "machine": "x86_64" },
  "hardware": { "vendor": "LENOVO", "product": "20A1S0XX00", "bios_version": "N1ZET50W" },
  "devices": [ { "bus": "usb", "address": "1", "modalias": "usb:v17EFpA359d0100" } ],
  "x-windows": [ { "name": "WIN10", "release": "1809" } ], "x-pnp-id": [ { "id": "ACPI\\INT0E0C" } ],
  "x-external-detection": [ { "answer": "no" } ], "x-windows-build-version": [ { "version": "19044" } ],
  "x-embedded-controller-version": [ { "version": "1.08" } ],
  "x-driver": [ { "ACPI\\INT0E0C": "2.3.99", "ACPI\\VEN_INT&DEV_0E0C": "2.2", "SWC\\VEN_INT": "1" } ],
  "x-driver-date": [ { "SWC\\VEN_INT": "2026-01-31" } ], "x-file-version": [ { "%WINDIR%\\a.dll": "0.9" } ],
  "x-registry-value": [ { "HKLM\\Software\\L\\Version": "4.0", "HKLM\\Software\\L\\State": "off" } ],
  "x-registry-key": [ { "HKLM\\Software\\M": "false" } ], "x-file-exists": [ { "%WINDIR%\\b.dll": "false" } ] }
END

# server CHANGE: the verdict for one that was changed by a filter of jq
server()
{
	verdicts "$package" "$(jq -c "$1" "$tmp/server.json")"
}

# both widths of addresses can't be
sed '/<AddressWidth>32</d' "$package" >"$tmp/package.xml"
package=$tmp/package.xml
like "all fits" "$(server .)" '^n1abc01w needed'
like "its driver is there" "$(server '."x-driver"[0]["ACPI\\INT0E0C"] = "2.3.100.1"')" '^n1abc01w installed'
like "a driver by its date" "$(server '."x-driver-date"[0]["SWC\\VEN_INT"] = "2026-10-01"')" '^n1abc01w installed'
like "a file in the range" "$(server '."x-file-version"[0]["%WINDIR%\\a.dll"] = "1.5"')" installed
like "a file above it" "$(server '."x-file-version"[0]["%WINDIR%\\a.dll"] = "2.0.1"')" needed
like "a registry value up to it" "$(server '."x-registry-value"[0]["HKLM\\Software\\L\\Version"] = "3.0"')" installed
like "another operating system" "$(server '.os.id = "debian"')" not-applicable
like "another machine" "$(server '.kernel.machine = "i686"')" not-applicable
like "another BIOS" "$(server '.hardware.bios_version = "N2AET1W"')" not-applicable
like "a BIOS with more behind its level, as DMI has it" "$(server '.hardware.bios_version = "N1Z1T50 (1.05 )"')" '^n1abc01w needed'
like "in small letters" "$(server '.hardware.bios_version = "n1zet50w"')" '^n1abc01w needed'
like "not a level within it" "$(server '.hardware.bios_version = "XN1ZET50W"')" not-applicable
like "a build that is too old" "$(server '."x-windows-build-version"[0].version = "16299"')" not-applicable
like "none of its devices" "$(server '.devices[0].modalias = "usb:v17EFpA350" | ."x-pnp-id"[0].id = "X"')" not-applicable
like "a device on PCI" "$(server '.devices[0].modalias = "pci:v00008086d0000A1B2sv000017AAsd00002241bc0Csc03i30" | ."x-pnp-id"[0].id = "X"')" needed
like "a class of PCI" "$(server '.devices[0].modalias = "pci:v00008086d00000001sv00000001sd00000001bc0Csc03i30" | ."x-pnp-id"[0].id = "X"')" needed
like "another class" "$(server '.devices[0].modalias = "pci:v00008086d00000001sv00000001sd00000001bc02sc00i00" | ."x-pnp-id"[0].id = "X"')" not-applicable
like "what only their program sees" "$(server 'del(."x-external-detection")')" 'unknown no facts of kind x-external-detection were'

out=$(verdicts "$products" "$(cat "$tmp/server.json")")
like "a product, for its type of machine" "$out" '^X1/win10/1809/sccm unknown it does not say how to see that it is installed'
out=$(verdicts "$products" "$(jq -c '.hardware.product = "20B1"' "$tmp/server.json")")
like "another type" "$out" '^X1/win10/1809/sccm not-applicable'
like "and all that it has" "$out" '^X1/win10/1809 not-applicable'

# a list says where the descriptors for a model are, and not what they are for
list=$PD_SRCDIR/tests/data/lenovo/list.xml
out=$(verdicts "$list" "$(cat "$tmp/server.json")")
is "what is in a list is known by its descriptor" "$(sort -u <<<"${out#* }" | wc -l) $(grep -c ' unknown what it is for stands in its descriptor' <<<"$out")" "4 4"
out=$(verdicts "$list" "$(jq -c '.hardware.vendor = "Example"' "$tmp/server.json")")
is "and not for machines of others" "$(grep -c ' not-applicable ' <<<"$out") of $(wc -l <<<"$out")" "4 of 4"
is "it has the id that the descriptor has" "$(parts "$list" | jq -r 'select(.id == "n1abc01w") | .payloads[0] | .url + " " + .digest')" \
	"https://download.example.com/mobiles/n1abc01w_2_.xml sha256:c872a0f1a3159c68b811f31c841153d22e304550d815eda6464c706247eb7658"

# each kind of file finds its reader
for file in "$PD_SRCDIR"/tests/data/lenovo/pro*.xml "$package" "$list"; do
	out=$("$PD_BUILDDIR/patchday" catalog check --plugin-dir "$tmp/plugins" "$file" 2>/dev/null)
	like "$(basename "$file") is known" "$out" "lenovo:(products|package|packages), [1-9]"
done
end
