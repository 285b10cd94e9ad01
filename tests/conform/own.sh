#!/bin/bash
# SPDX-License-Identifier: MIT
# Our own plugins keep the contract, as far as it can be tried without services:
# no rule is broken, and what is untried is what the list "untried" names, with the
# test that tries it instead.  No reader takes the sample of another one's format.
# With --boot on a server of the lab: tests/lab/conform.sh.  PD_CONFORM="ups quota": these alone.
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/conform/untried.sh" || exit 99
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

# kit NAME: what it finds, to $tmp/NAME.json
kit()
{
	local name=$1 file=$PD_SRCDIR/plugins/$1/$1.check more=() catalog=$tmp/none.xml

	[ ! -e "$file" ] || more=(--case "$file")
	[ ! -e "$file.xml" ] || catalog=$file.xml
	! grep -q samples "$file" 2>/dev/null || mapfile -t -d '' -O "${#more[@]}" more < <(others "$name")
	"$PD_BUILDDIR/patchday" plugin check "$tmp/all/$name.so" "${more[@]}" --json --plugin-dir "$tmp/all" --catalog "$catalog" \
		>"$tmp/$name.json" 2>"$tmp/$name.errors" </dev/null
}

export RESTIC_SECRET=restic-secret-1 # for the case of normalbackup
all=$(for file in "$tmp"/all/*.so; do basename "$file" .so; done)
plugins=${PD_CONFORM:-backup normalbackup update rpm $all}
# two at a time, and first what takes longest
for name in $plugins; do
	[ ! -e "$tmp/$name.json" ] || continue
	[ "$(jobs -pr | wc -l)" -lt 2 ] || wait -n
	: >"$tmp/$name.json"
	kit "$name" &
done
wait
for name in $(tr ' ' '\n' <<<"$plugins" | sort -u); do
	out=$(cat "$tmp/$name.json")
	verdict=$(jq -r '.verdict // .error.message' <<<"$out" 2>/dev/null)
	[ "$(jq -r '.error.id // ""' <<<"$out")" != clone-mount ] || skip "no clone can be made here: $verdict"
	before=$tap_failures
	like "$name: no rule is broken" "${verdict:-$(cat "$tmp/$name.errors")}" '^(pass|incomplete)$'
	[ "$tap_failures" = "$before" ] || found broken <<<"$out"
	# what the machine happens to have may be tried, and need not
	untried=$(not_tried <<<"$out" | grep -vxFf <(listed "$name" 'slow[?]'))
	before=$tap_failures
	is "$name: what is untried is in the list, and nothing else" "$untried" "$(listed "$name" '[^?]*')"
	[ "$tap_failures" = "$before" ] || found "not tried" <<<"$out"
done
is "the list has no other plugins" "$(grep -v '^#' "$PD_SRCDIR/tests/conform/untried" | cut -f1 | sort -u | grep -vxF "$all")" ""
is "each row of it has five columns" "$(grep -v '^#' "$PD_SRCDIR/tests/conform/untried" | awk -F'\t' 'NF != 5 || $5 == ""')" ""
for test in $(grep -v '^#' "$PD_SRCDIR/tests/conform/untried" | cut -f4 | grep -v '^boot\|^slow' | sort -u); do
	is "$test is run" "$([ -e "$PD_SRCDIR/$test" ] && grep -ow "${test##*/}" "$PD_SRCDIR/${test%/*}/local.mk" | sort -u)" "${test##*/}"
done
end
