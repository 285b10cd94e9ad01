#!/bin/bash
# SPDX-License-Identifier: MIT
# 37 MB of OVAL, made from a real feed, beside the oscap that is installed, in turn
# three times: part of `make bench`; lines as those of bench.sh.
set -u
export LC_ALL=C.UTF-8
shared=${PD_SHARED:-${PD_SRCDIR:?}/../shared}/data
feed=$shared/catalogs/oval/ubuntu/com.ubuntu.focal.cve.oval.xml.bz2
list=$shared/catalogs/oval/expected/focal-2021/installed.tsv
for tool in oscap python3 bzip2 jq dpkg time; do
	[ -n "$(type -P $tool)" ] || { echo "skip: oval-37mb: $tool is not installed"; exit 0; }
done
[ -f "$feed" ] || { echo "skip: oval-37mb: there is no $feed; set PD_SHARED"; exit 0; }
tmp=$(mktemp -d "${PD_BENCH_DIR:-/var/tmp}/patchday-bench.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
. "$PD_SRCDIR/tests/cli/oval_peer.sh"
bzip2 -dc "$feed" >"$tmp/focal.xml"
python3 "$shared/gen_oval.py" "$tmp/focal.xml" "$tmp/big.xml" 2
grep -v '5.7 only' "$list" >"$tmp/list.tsv" # no version that apt's library takes
oscap_packages "$tmp/list.tsv"
mkdir "$tmp/plugins"
cp "${PD_BUILDDIR:?}/plugins/oval/.libs/oval.so" "$tmp/plugins/"

# took NAME COMMAND...: its seconds and KiB are added to $tmp/NAME.times, its words go
# to $tmp/NAME.out
took()
{
	local name=$1 began=$EPOCHREALTIME ended

	shift
	"$(type -P time)" -f %M -o "$tmp/took" "$@" >"$tmp/$name.out" 2>"$tmp/err" </dev/null ||
		{ cat "$tmp/err" "$tmp/took" >&2; echo "failed: oval-37mb: $name" >&2; return 1; }
	ended=$EPOCHREALTIME
	awk -v a="$began" -v b="$ended" '{ printf "%.3f %s\n", b - a, $1 }' "$tmp/took" >>"$tmp/$name.times"
}

# middle NAME COLUMN
middle()
{
	cut -d ' ' -f "$2" "$tmp/$1.times" | sort -g | sed -n 2p
}

failed=0
for _ in 1 2 3; do
	rm -rf "$tmp/state" # where the answer would be kept
	took ours "$PD_BUILDDIR/tests/bench/patchday" scan --plugin-dir "$tmp/plugins" --state "$tmp/state" \
		--catalog "$tmp/big.xml" --packages "$tmp/list.tsv" --scheme deb --json || exit 1
	took oscap env APT_CONFIG="$tmp/apt.conf" OSCAP_PROBE_ROOT="$tmp/root" oscap oval eval \
		--skip-validation "$tmp/big.xml" || exit 1
done
jq -r '"\(.id) \(.verdict == "needed")"' "$tmp/ours.out" | sort >"$tmp/verdicts"
sed -n 's/^Definition \(.*\): \(true\|false\)$/\1 \2/p' "$tmp/oscap.out" | sort >"$tmp/peer"
[ -s "$tmp/peer" ] && cmp -s "$tmp/verdicts" "$tmp/peer" || { echo "failed: verdicts differ from oscap's" >&2; failed=1; }
awk -v ours="$(middle ours 1)" -v theirs="$(middle oscap 1)" -v kib="$(middle ours 2)" -v n="$(wc -l <"$tmp/peer")" 'BEGIN {
	printf "bench oval-37mb: %s s\nbench oval-37mb-memory: %.0f MiB\n", ours, kib / 1024
	printf "bench oval-37mb-verdicts: %d\n", n
	printf "ratio oval-37mb: %.1f times less than oscap oval eval (%s)\n", theirs / ours, theirs
	printf "goal oval-37mb: at least 15 times less, %s\n", (theirs / ours >= 15 ? "met" : "missed")
	printf "goal oval-37mb-memory: under 64 MiB, %s\n", (kib / 1024 < 64 ? "met" : "missed") }'
exit $failed
