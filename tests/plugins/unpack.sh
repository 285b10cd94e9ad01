#!/bin/bash
# SPDX-License-Identifier: MIT
# Compressed catalogs: each format that the tools make, under a wrong name, in
# several parts, packed twice; damaged, cut short, and far too large.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in gzip bzip2 xz zstd zip time; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
for plugin in native unpack; do
	cp "$PD_BUILDDIR/plugins/$plugin/.libs/$plugin.so" "$tmp/plugins/"
done
plain=$PD_SRCDIR/catalogs/examples/packages.xml
f=$tmp/f/catalog.xml

# reads TEXT [FILE]: it is a catalog, with the digest of the file as it is
reads()
{
	pd catalog check "${2:-$f}"
	like "$1" "$rc $out" "^0 ${2:-$f}: native:native, 5 updates, 0 passed over, sha256 $(sha256sum <"${2:-$f}" | cut -d' ' -f1)|^0 catalog.xml: native:native, 5 updates, 0 passed over, sha256 $(sha256sum <"${2:-$f}" | cut -d' ' -f1)"
}

# refuses TEXT ERROR
refuses()
{
	pd catalog check "$f"
	like "$1" "$rc $out" "^2 patchday: .*catalog.xml: $2"
}

# pack TOOL: standard input to output
pack()
{
	if [ "$1" = zip ]; then
		(cd "$(mktemp -d -p "$tmp")" && cat >inner.xml && zip -q - inner.xml)
	else
		"$1" -c
	fi
}

# ------------------------------------------------------------------ whole
for tool in gzip bzip2 xz zstd zip; do
	pack $tool <"$plain" >"$f"
	reads "a catalog packed by $tool, whatever its name"
	for second in gzip zip xz; do
		pack $tool <"$plain" | pack $second >"$f"
		reads "by $tool and then by $second"
	done
done
pack gzip <"$plain" | pack xz | pack zstd >"$f"
refuses "packed three times" '.*packed more than 2 times'
half=$(($(stat -c %s "$plain") / 2))
for tool in gzip bzip2 xz zstd; do
	{ head -c $half "$plain" | $tool -c; tail -c +$((half + 1)) "$plain" | $tool -c; } >"$f"
	reads "two parts packed by $tool behind each other"
done
zstd --no-check -19 -c "$plain" >"$f"
reads "zstd without a check sum"
(cd "$tmp" && cp "$plain" inner.xml && rm -f z.zip && zip -q -0 z.zip inner.xml && cp z.zip "$f")
reads "a zip archive that only stores"
(cd "$tmp" && mkdir -p sub && cp "$plain" sub/inner.xml && rm -f z.zip && zip -q -r z.zip sub && cp z.zip "$f")
reads "one with a folder"
(cd "$tmp" && cp "$plain" other.xml && zip -q z.zip other.xml && cp z.zip "$f")
refuses "one with two files" 'there is more than one file in it'
(cd "$tmp" && rm -f z.zip && zip -q -P secret z.zip inner.xml && cp z.zip "$f")
refuses "one with a password" '.*(password|ncrypt)'
gzip -c "$plain" >"$f"
: >"$tmp/none.tsv"
pd scan --catalog "$f" --catalog "$plain" --why EX-2026-014 --packages "$tmp/none.tsv" --scheme deb
is "two catalogs at once, one of them packed" "$rc" 0

# ---------------------------------------------------- damaged, cut short
printf 'this is no catalog' | gzip -c >"$f"
refuses "something else that is packed" 'this is of no format'
: | gzip -c >"$f"
refuses "nothing that is packed" 'this is of no format'
for tool in gzip bzip2 xz zstd zip; do
	pack $tool <"$plain" >"$tmp/whole"
	size=$(stat -c %s "$tmp/whole")
	bad='' heard=''
	for at in $((size - 1)) $((size - 5)) $((size / 2)) $((size / 3)) 30; do
		head -c "$at" "$tmp/whole" >"$f"
		pd catalog check "$f"
		[ "$rc" = 2 ] || bad+=" $at"
		heard+=$out
	done
	empty "cut short, $tool is refused wherever the end is" "$bad"
	like "as what it is" "$heard" "\[catalog-unpack\]"
	bad=''
	for at in $((size / 4)) $((size / 3)) $((size / 2)) $((size * 2 / 3)); do
		cp "$tmp/whole" "$f"
		printf '\x5a\xa5' | dd of="$f" bs=1 seek="$at" conv=notrunc status=none
		pd catalog check "$f"
		[ "$rc" = 2 ] && grep -q '\[catalog-unpack\]' <<<"$out" || bad+=" $at: $out"
	done
	empty "with two bytes changed, $tool is refused as damaged" "$bad"
done
gzip -c "$plain" >"$f"
printf '\x5a\xa5' | dd of="$f" bs=1 seek=$(($(stat -c %s "$f") - 7)) conv=notrunc status=none
refuses "a check sum of gzip that is wrong" '.*gzip data are damaged: incorrect data check'
{ gzip -c "$plain"; echo behind; } >"$f"
refuses "something behind the data" '.*gzip data are damaged'
(cd "$tmp" && rm -f z.zip && zip -q z.zip inner.xml && head -c 65535 /dev/zero | tr '\0' c | zip -q -z z.zip && cp z.zip "$f")
pd catalog check "$f"
is "a zip archive with the longest comment is whole" "$rc" 0
{ head -c 2000 "$plain"; echo '<'; } | gzip -c >"$f"
pd catalog check "$f"
like "a mistake in what is packed has its line there" "$rc $out" '^2 patchday: catalog.xml:[0-9]+:[0-9]+: '

# ---------------------------------------------------------------- bombs
# 10 GB in parts of 100 MB: of nothing, and of comments that a reader would go through
{ echo '<catalog xmlns="urn:patchday:catalog:1">' | zstd -q -c
	head -c 100M /dev/zero | tr '\0' '\n' | zstd -q -c >"$tmp/part"
	for _ in {1..100}; do cat "$tmp/part"; done; } >"$f"
command time -f %M -o "$tmp/used" "${patchday[@]}" catalog check "${places[@]}" "$f" >"$tmp/out" 2>&1
is "10 GB of nothing are refused" "$?" 2
kilobytes=$(tail -1 "$tmp/used")
check "with $kilobytes KiB of memory" [ "$kilobytes" -lt 100000 ]
{ echo '<catalog xmlns="urn:patchday:catalog:1">' | zstd -q -c
	yes "<!-- $(printf '%02000d' 0) -->" | head -n 50000 | zstd -q -c >"$tmp/part"
	for _ in {1..100}; do cat "$tmp/part"; done; } >"$f"
refuses "and those of comments" 'more than [0-9]+ MiB come out of it'
head -c 100M /dev/zero | gzip -9 -c | gzip -9 -c | gzip -c >"$f"
refuses "a bomb in a bomb" '.*(packed more than 2 times|come out of it)'
end
