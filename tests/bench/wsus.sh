#!/bin/bash
# SPDX-License-Identifier: MIT
# The scan of a package.xml of Microsoft's shape: time beside xmllint reading the
# same file in the same run, memory, and every verdict against the generator's
# truth.  10,000 updates; with PD_BENCH_FULL=1 all 136,478 (90 MB), for which the
# goals are.  Time is never a failure; a verdict that differs is.
set -u
export LC_ALL=C.UTF-8
bin=${PD_BUILDDIR:?}/tests/bench
generator=${PD_SHARED:-${PD_SRCDIR:?}/../shared}/data/gen_wsus.py
for tool in python3 jq xmllint /usr/bin/time; do
	command -v $tool >/dev/null || { echo "skip: wsus: $tool is not installed"; exit 0; }
done
[ -r "$generator" ] || { echo "skip: wsus: there is no $generator; set PD_SHARED"; exit 0; }
work=$(mktemp -d "${PD_BENCH_DIR:-/var/tmp}/patchday-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
updates=10000
[ -z "${PD_BENCH_FULL-}" ] || updates=136478

mkdir -m 755 "$work/plugins"
cp "$PD_BUILDDIR/plugins/wsus/.libs/wsus.so" "$work/plugins/" &&
	python3 "$generator" --out "$work/package.xml" --updates $updates --truth "$work/truth" \
		--host "$work/host" >/dev/null || exit 99
jq -Rnc '{packages: [inputs | split("\t") | {name: .[1], version: "1"}]}' "$work/host" >"$work/facts.json"

scan()
{
	rm -rf "$work/state" # where the answer would be kept
	/usr/bin/time -f '%e %U %M' -o "$work/time" "$bin/patchday" scan --plugin-dir "$work/plugins" \
		--state "$work/state" --facts "$work/facts.json" --catalog "$work/package.xml" "$@" 2>"$work/err"
}

# field N of five runs of a command, the middle one
middle()
{
	sort -g "$work/times" | awk 'NR == 3 { print $1 }'
}

for _ in 1 2 3 4 5; do
	scan >"$work/out" || { cat "$work/err"; exit 1; }
	cat "$work/time"
done >"$work/times"
ours=$(middle)
memory=$(sort -k3g "$work/times" | awk 'END { printf "%.1f", $3 / 1024 }')
for _ in 1 2 3 4 5; do
	/usr/bin/time -f '%e %U %M' -o "$work/time" xmllint --sax --noout "$work/package.xml" >/dev/null 2>&1
	cat "$work/time"
done >"$work/times"
theirs=$(middle)
echo "bench wsus-$updates-updates: $ours s, $(($(stat -c %s "$work/package.xml") / 1000000)) MB"
echo "bench wsus-$updates-resident: $memory MiB"
awk -v ours="$ours" -v theirs="$theirs" -v n=$updates 'BEGIN {
	if (theirs > 0) printf "ratio wsus-%s-updates: %.1f times as much as xmllint reading the same file (%s)\n", n, ours / theirs, theirs }'
if [ -n "${PD_BENCH_FULL-}" ]; then
	awk -v v="$ours" 'BEGIN { printf "goal wsus: under 1 s, %s\n", v < 1 ? "met" : "missed" }'
	awk -v v="$memory" 'BEGIN { printf "goal wsus: under 300 MiB, %s\n", v < 300 ? "met" : "missed" }'
fi
scan --json >"$work/verdicts" || exit 1
jq -r 'select(.verdict == "needed") | .id' "$work/verdicts" | sort | diff "$work/truth" - >&2 ||
	{ echo "failed: wsus: the verdicts differ from the generator's truth" >&2; exit 1; }
