#!/bin/bash
# SPDX-License-Identifier: MIT
# What is made of a long catalog takes no more memory than reading it does:
# convert and diff keep no second copy of it.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
command -v time >/dev/null || skip "time is not installed"
for plugin in native updateinfo unpack; do
	cp "$PD_BUILDDIR/plugins/$plugin/.libs/$plugin.so" "$tmp/plugins/"
done
# AddressSanitizer's shadow alone is larger
! grep -qa __asan_init "${patchday[@]}" || skip "built with sanitizers"

# advisories N: on standard output
advisories()
{
	awk -v n="$1" 'BEGIN {
		print "<updates>"
		for (i = 1; i <= n; i++) {
			printf "<update type=\"security\" version=\"1\"><id>A-%06d</id><title>Update %d</title>", i, i
			printf "<description>Of this one %d thousand words could be said; these stand for them.</description>", i
			printf "<references><reference href=\"https://example.com/%d\" id=\"CVE-2026-%d\" type=\"cve\"/></references><pkglist><collection>", i, i
			for (k = 1; k <= 8; k++)
				printf "<package name=\"lib%d-%d\" version=\"%d.0\" release=\"1\" arch=\"x86_64\"><filename>lib%d-%d-%d.0.rpm</filename><sum type=\"sha256\">%064d</sum></package>\n", i % 500, k, i, i % 500, k, i, i * 10 + k
			print "</collection></pkglist></update>"
		}
		print "</updates>" }'
}

# used VERB ARGUMENTS...: the peak, in KiB
used()
{
	command time -f %M -o "$tmp/used" "${patchday[@]}" catalog "$@" "${places[@]}" >"$tmp/out" 2>"$tmp/err"
	tail -1 "$tmp/used"
}

advisories 8000 >"$tmp/long.xml"
sed '1,/A-000040/ s/Update 40</Update forty</' "$tmp/long.xml" >"$tmp/other.xml"
advisories 1 >"$tmp/one.xml"
size=$(($(stat -c %s "$tmp/long.xml") / 1024))
least=$(used check "$tmp/one.xml")
show() { echo "# $1: $2 KiB of a catalog of $size KiB"; }

now=$(($(used convert "$tmp/long.xml" --to "$tmp/converted.xml") - least))
show convert $now
check "convert takes three times as much at most" [ $now -lt $((size * 3)) ]
like "all of it is there" "$(cat "$tmp/out")" ': 8000 updates'
now=$(($(used diff "$tmp/long.xml" "$tmp/other.xml") - least))
show diff $now
check "diff too, of two" [ $now -lt $((size * 3)) ]
is "what is different is named" "$(cat "$tmp/out")" "changed  A-000040: title
0 added, 0 removed, 1 changed"
now=$(($(used show "$tmp/long.xml" --json) - least))
show show $now
check "show takes half more than it" [ $now -lt $((size * 3 / 2)) ]
is "a line of it is what is said of one" "$(sed -n 40p "$tmp/out")" \
	"$("${patchday[@]}" catalog show "$tmp/long.xml" "${places[@]}" --json --id A-000040)"
is "with what it is found by further down" "$(sed -n 40p "$tmp/out")" \
	"$("${patchday[@]}" catalog show "$tmp/long.xml" "${places[@]}" --json --text "Of this one 40 thousand")"
end
