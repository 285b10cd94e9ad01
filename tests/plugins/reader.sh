# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the tests of readers, which need no lab.
#
#   reader NAME           the plugin to test, with a reader of the same name
#   show FILE             what it reads, one line for a part, see reader.jq
#   parts FILE            the same as JSON lines
#   fixtures              each tests/data/NAME/*.xml reads as the .txt beside it,
#                         in UTF-16 too; PD_UPDATE=1 writes them anew
#   verdicts FILE FACTS   "ID VERDICT REASON" of each update of the file for a server
#                         with these facts, JSON
#   shared FOLDER         $shared/catalogs/FOLDER, or exit 77 with the reason
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
command -v jq >/dev/null || skip "jq is not installed"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

reader()
{
	name=$1
	mkdir -m 755 "$tmp/plugins"
	cp "$PD_BUILDDIR/plugins/$name/.libs/$name.so" "$tmp/plugins/" || exit 99
}

parts()
{
	"$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" read "$name.$name" "$1" 2>&1
}

show()
{
	parts "$1" | sed 's/^pd-step: .*/{"event":"pd-step","what":"&"}/' | jq -rf "$PD_SRCDIR/tests/plugins/reader.jq"
}

fixtures()
{
	local file wanted

	for file in "$PD_SRCDIR/tests/data/$name"/*.xml; do
		wanted=${file%.xml}.txt
		show "$file" >"$tmp/got"
		[ -z "${PD_UPDATE-}" ] || cp "$tmp/got" "$wanted"
		empty "$(basename "$file") reads as $(basename "$wanted") says" "$(diff "$wanted" "$tmp/got" 2>&1)"
		{ printf '\377\376'; iconv -f UTF-8 -t UTF-16LE "$file"; } >"$tmp/wide.xml"
		show "$tmp/wide.xml" >"$tmp/got"
		empty "and in UTF-16" "$(diff "$wanted" "$tmp/got" 2>&1)"
	done
}

verdicts()
{
	printf '%s' "$2" >"$tmp/facts.json"
	"$PD_BUILDDIR/patchday" scan --plugin-dir "$tmp/plugins" --catalog "$1" --facts "$tmp/facts.json" \
		--json 2>/dev/null | jq -r '"\(.id) \(.verdict) \(.reason)"'
}

shared()
{
	shared=${PD_SHARED:-$PD_SRCDIR/../shared}/data/catalogs/$1
	[ -d "$shared" ] || skip "there are no catalogs of vendors in $shared; set PD_SHARED"
}
