#!/bin/bash
# SPDX-License-Identifier: MIT
# What is made from the declarations of the plugins (a page of the book, a manual
# page, stubs for editors) stands in the sources as `patchday plugins` prints it,
# with every step, parameter and output, and nothing else.
#
#   reference.sh --renew    write them anew (make reference)
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
command -v jq >/dev/null || skip "jq is not installed"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -m 755 "$tmp/all"
cp "$PD_BUILDDIR"/plugins/*/.libs/*.so "$tmp/all/"
plugins() { "$PD_BUILDDIR/patchday" plugins "$@" --plugin-dir "$tmp/all" --scripts "$PD_SRCDIR/scripts"; }

declare -A made=([markdown]=doc/reference.md [man]=doc/patchday-plugins.7 [lua]=scripts/meta/plugins.lua)
for as in "${!made[@]}"; do
	plugins "--$as" >"$tmp/$as" || exit 99
	[ "${1-}" != --renew ] || { cp "$tmp/$as" "$PD_SRCDIR/${made[$as]}" && echo "${made[$as]}"; }
	[ "${1-}" = --renew ] || check "${made[$as]} is as the plugins declare it (else: make reference)" \
		diff -u "$PD_SRCDIR/${made[$as]}" "$tmp/$as"
done
[ "${1-}" != --renew ] || exit 0

# both TEXT FOUND: lines "STEP parameter|output NAME", and STEP alone, as they are declared
declared=$(plugins --json | jq -r '.[] | .name as $p | .steps[] | "\($p).\(.name)" as $s | $s,
	(.params[] | "\($s) parameter \(.name)"), (.outputs[] | "\($s) output \(.name)")' | sort)
both() { empty "$1" "$(diff <(sort <<<"$2") <(cat <<<"$declared") | sed -n 's/^</there is none:/p; s/^>/missing:/p')"; }

both "the page has each step, parameter and output, and no other" "$(awk -F'[| `]+' '
	/^### /{ step = substr($0, 5); print step } /^\| (parameter|output) /{ what = $2 } /^\| `/ && step { print step, what, $2 }' "$tmp/markdown")"
both "so has the manual page" "$(awk '
	/^\.SS [a-z0-9_]+\.[a-z0-9_]+$/{ step = $2; print step } /^\.SS [a-z]+ /{ step = "" }
	/^\.B / && step { out = sub(/^out\./, "", $2); print step, out ? "output" : "parameter", $2 }' "$tmp/man")"
empty "each step of the index has its place" "$(comm -3 <(sed -n 's/^| \[\([a-z0-9_.]*\)\].*/\1/p' "$tmp/markdown" | sort) \
	<(sed -n 's/^### //p' "$tmp/markdown" | sort))"

# the manuals of the plugins are written by hand
empty "no table of a plugin's manual has a parameter or an output that there is not" "$(
	for manual in "$PD_SRCDIR"/plugins/*/README.md; do
		name=$(basename "$(dirname "$manual")")
		awk -F'|' '!/^\|/{ on = 0 } on{ print $2 } /^\| *(parameter|output) /{ on = 1 }' "$manual" | grep -oE '[a-z][a-z0-9_]*' |
			grep -vxF "$(sed -n "s/^$name\.[a-z0-9_]* [a-z]* //p" <<<"$declared")" | sed "s/^/$name: /"
	done)"

# as a manual page; what is read has no name that could be judged, too
plugins host --man >"$tmp/host"
for page in "$tmp/man" "$tmp/host" "$PD_SRCDIR/doc/patchday.1"; do
	! command -v groff >/dev/null ||
		empty "$(basename "$page") is clean to groff" "$(groff -man -Tutf8 -Kutf8 -ww -z <"$page" 2>&1)"
	! command -v mandoc >/dev/null ||
		empty "$(basename "$page") is clean to mandoc" "$(mandoc -T lint -W warning <"$page" 2>&1 | grep -v 'missing date')"
done
out=$(plugins --lua --man 2>&1)
like "one at a time" "$? $out" "^2 patchday: --lua and --man don't go together"
end
