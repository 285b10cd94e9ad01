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

# of one id the later date counts; a document that is cut off is refused whole
package() { printf '<SoftwareDistributionPackage><Properties PackageID="same" CreationDate="%s"/></SoftwareDistributionPackage>' "$1"; }
known "a revision" "<SystemsManagementCatalog>$(package 2026-02-03T00:00:00)$(package 2025-12-31T00:00:00)</SystemsManagementCatalog>" \
	'revision "2026-02-03T00:00:00" counts, not "2025-12-31T00:00:00"'
known "a truncated document" "<SystemsManagementCatalog>$(package 2026-02-03T00:00:00)" 'file:1:[0-9]+: .*truncated'
end
