#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader sdp: made-up packages with everything the format has.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
reader sdp
fixtures

# the format is known by its root, whatever stands before it or around it
patchday=$PD_BUILDDIR/patchday
mkdir -m 755 "$tmp/two"
cp "$tmp/plugins/sdp.so" "$PD_BUILDDIR/plugins/native/.libs/native.so" "$tmp/two/"
known()
{
	printf "$2" >"$tmp/file"
	like "$1" "$("$patchday" catalog check --plugin-dir "$tmp/two" "$tmp/file" 2>&1)" "$3"
}
known "a prefix and a comment" '<?xml version="1.0"?>\n<!-- <catalog> -->\n<a:SystemsManagementCatalog xmlns:a="x"/>' 'sdp:sdp, 0 updates'
known "no prefix, no blanks" '<SoftwareDistributionPackage><Properties PackageID="1"/></SoftwareDistributionPackage>' 'sdp:sdp, 1 updates'
known "a mark of the byte order" '\357\273\277<SystemsManagementCatalog/>' 'sdp:sdp, 0 updates'
known "another root with that name inside" '<catalog><SystemsManagementCatalog/></catalog>' 'lacks its namespace'
known "a longer name" '<SystemsManagementCatalogs/>' 'is no catalog'

# the same GUID in both letter cases and in braces, wherever ids stand
mixed()
{
	printf '<SoftwareDistributionPackage><Properties PackageID="%s"/><IsInstallable><True/></IsInstallable>%s%s</SoftwareDistributionPackage>' \
		"$1" "${2:+<IsInstalled><$2/></IsInstalled>}" "${3-}"
}
list() { printf '<PackageID>{0000000A-0000-0000-0000-00000000000%s}</PackageID>' "$@"; }
cat >"$tmp/mixed.xml" <<END
<SystemsManagementCatalog>
$(mixed 0000000a-0000-0000-0000-000000000001 False)
$(mixed 0000000A-0000-0000-0000-000000000002 False "<SupersededPackages>$(list 1)</SupersededPackages>")
$(mixed "{0000000A-0000-0000-0000-00000000000b}" False "<Prerequisites>$(list 2)<AtLeastOne>$(list 1)</AtLeastOne></Prerequisites>")
$(mixed 0000000A-0000-0000-0000-00000000000C "" "<BundledPackages>$(list B)<AtLeastOne>$(list 1 2)</AtLeastOne></BundledPackages>")
$(mixed 0000000A-0000-0000-0000-00000000000D False "<Prerequisites><AtLeastOne>$(list B C)</AtLeastOne></Prerequisites>")
$(mixed "{not a GUID}")
</SystemsManagementCatalog>
END
out=$("$patchday" catalog check --plugin-dir "$tmp/two" "$tmp/mixed.xml" 2>&1)
like "GUIDs in both letter cases and in braces" "$out" 'sdp:sdp, 6 updates'
unlike "name each other" "$out" 'links to what is not in it'
out=$(verdicts "$tmp/mixed.xml" '{"os":{"id":"debian"}}')
like "one replaces the other" "$out" '^0000000a-0000-0000-0000-000000000001 superseded replaced by 0000000a-0000-0000-0000-000000000002'
like "what requires it" "$out" '^0000000a-0000-0000-0000-00000000000b needed'
like "is asked for by id, too" "$(parts "$tmp/mixed.xml" | jq -r '.rules[]? | select(.kind == "x-prerequisite").subject' | paste -sd' ')" \
	'^0000000a-0000-0000-0000-00000000000b 0000000a-0000-0000-0000-00000000000c$'
like "what is no GUID is as it is" "$(parts "$tmp/mixed.xml" | jq -r .id)" '^\{not a GUID\}$'

# of one id the later date counts; a document that is cut off is refused whole
package() { printf '<SoftwareDistributionPackage><Properties PackageID="same" CreationDate="%s"/></SoftwareDistributionPackage>' "$1"; }
known "a revision" "<SystemsManagementCatalog>$(package 2026-02-03T00:00:00)$(package 2025-12-31T00:00:00)</SystemsManagementCatalog>" \
	'revision "2026-02-03T00:00:00" counts, not "2025-12-31T00:00:00"'
known "a truncated document" "<SystemsManagementCatalog>$(package 2026-02-03T00:00:00)" 'file:1:[0-9]+: .*truncated'
end
