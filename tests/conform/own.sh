#!/bin/bash
# SPDX-License-Identifier: MIT
# Our own plugins keep the contract, as far as it can be tried without services:
# no rule is broken, and what is untried is what this test names.  No reader takes
# the sample of another one's format.  With --boot
# on a server of the lab: tests/lab/conform.sh.
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "a clone needs root"
command -v jq >/dev/null || skip "jq is not installed"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
echo '<catalog xmlns="urn:patchday:catalog:1"/>' >"$tmp/none.xml"
mkdir -m 755 "$tmp/all"
cp "$PD_BUILDDIR"/plugins/*/.libs/*.so "$tmp/all/"
for manual in "$PD_SRCDIR"/plugins/*/README.md; do
	name=$(basename "$(dirname "$manual")")
	install -m 644 "$manual" "$tmp/all/$name.md"
done

# others NAME: --other for each sample that the cases of other plugins name
others()
{
	local name file

	while IFS=: read -r name file; do
		[ "$(basename "$name" .check)" = "$1" ] || printf '%s\0' --other "$(dirname "$name")/$file"
	done < <(grep -oHP '^\t\t"[a-z_0-9]+=\K[^="]+' "$PD_SRCDIR"/plugins/*/*.check)
}

# Rows that are whole here: all of their rules are kept.
whole="command copy firewall guard kernel network cvrf dell lenovo lvfs mssecure native oval sdp unpack updateinfo wsus"
for file in "$tmp"/all/*.so; do
	name=$(basename "$file" .so)
	case=$PD_SRCDIR/plugins/$name/$name.check
	more=()
	[ ! -e "$case" ] || more=(--case "$case")
	! grep -q samples "$case" 2>/dev/null || mapfile -t -d '' -O "${#more[@]}" more < <(others "$name")
	out=$("$PD_BUILDDIR/patchday" plugin check "$file" "${more[@]}" --json --catalog "$tmp/none.xml" 2>"$tmp/errors" </dev/null)
	verdict=$(jq -r '.verdict // .error.message' <<<"$out" 2>/dev/null)
	[ "$(jq -r '.error.id // ""' <<<"$out")" != clone-mount ] || skip "no clone can be made here: $verdict"
	# a query of rpm(8) itself opens the database for writing, and writes nothing that counts
	[ "$name" != rpm ] || [ -n "$(jq -r '.rows[].rules[] | select(.result == "broken").found[]' <<<"$out" |
		grep -v 'rpmdb\.sqlite-\(wal\|shm\) (rpm)')" ] || verdict=${verdict/fail/incomplete}
	# there is no sshd to be reached in a clone, and no medium
	[ "$name" != copy ] || [ "$(jq '[.rows[] | select(.name | test("copy[.](ssh|medium)") | not) | .rules[] |
		select(.result == "not tried")] | length' <<<"$out")" != 0 ] || verdict=${verdict/incomplete/pass}
	wanted='pass|incomplete'
	! grep -qw "$name" <<<"$whole" || wanted=pass
	before=$tap_failures
	like "$name: $wanted" "${verdict:-$(cat "$tmp/errors")}" "^($wanted)\$"
	[ "$tap_failures" = "$before" ] || jq -r '.rows[] | .name as $row | .rules | to_entries[] | select(.value.found) |
		"#   \(.value.result): \(.key) of \($row): \(.value.found | join("; "))"' <<<"$out"
done
end
