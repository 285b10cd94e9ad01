#!/bin/bash
# SPDX-License-Identifier: MIT
# An updateinfo.xml of a whole distribution, for one server and for many, beside
# xmllint, dnf and zypper on the same file in the same run: part of `make bench`;
# lines as those of bench.sh.  A quarter of it; with PD_BENCH_FULL=1 all 60,000
# advisories (254 MB), for which the goals are, 1,000 servers, and two and four times
# as many advisories, to see that time grows with the size up to 1 GB (PD_BENCH_LONG=1:
# of the quarter, too).  Times are of the wall, and of processors with -processor.
set -u
export LC_ALL=C.UTF-8
bin=${PD_BUILDDIR:?}/tests/bench
generator=${PD_SHARED:-${PD_SRCDIR:?}/../shared}/data/gen_updateinfo.py
for tool in /usr/bin/python3 xmllint zstd jq /usr/bin/time; do
	command -v $tool >/dev/null || { echo "skip: updateinfo: $tool is not installed"; exit 0; }
done
/usr/bin/python3 -c 'import lxml' 2>/dev/null || { echo "skip: updateinfo: python3-lxml is not installed"; exit 0; }
[ -r "$generator" ] || { echo "skip: updateinfo: there is no $generator; set PD_SHARED"; exit 0; }
work=$(mktemp -d "${PD_BENCH_DIR:-/var/tmp}/patchday-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
advisories=15000 servers=100
[ -z "${PD_BENCH_FULL-}" ] || { advisories=60000 servers=1000; }
mkdir -m 755 "$work/plugins"
cp "$PD_BUILDDIR/plugins/updateinfo/.libs/updateinfo.so" "$PD_BUILDDIR/plugins/unpack/.libs/unpack.so" "$work/plugins/" &&
	/usr/bin/python3 "$generator" --advisories $advisories --out "$work/updateinfo.xml" --truth "$work/truth" \
		--installed "$work/installed" >/dev/null && zstd -q "$work/updateinfo.xml" || exit 99

# took NAME COMMAND...: its seconds, of processors too, and KiB are added to times.NAME
took()
{
	local name=$1

	shift
	/usr/bin/time -f '%e %U %S %M' -o "$work/took" "$@" >"$work/out" 2>"$work/err" </dev/null ||
		{ tail -3 "$work/err" "$work/took" >&2; echo "failed: updateinfo: $name" >&2; return 1; }
	awk '{ print $1, $2 + $3, $4 }' "$work/took" >>"$work/times.$name"
}

# ours NAME CATALOG
ours()
{
	took "$1" "$bin/patchday" scan --plugin-dir "$work/plugins" --state "$work/state" --packages "$work/installed" \
		--scheme rpm --json --catalog "$2"
}

# middle NAME COLUMN
middle()
{
	cut -d ' ' -f "$2" "$work/times.$1" | sort -g | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

# compare NAME OURS THEIRS TIMES: it may take so many times as long, or below 1 a part
compare()
{
	local wall ours peer

	for wall in 1 2; do
		ours=$(middle "$2" $wall) peer=$(middle "$3" $wall)
		awk -v name="$1" -v a="$ours" -v b="$peer" -v peer="$3" -v most="$4" -v wall=$wall 'BEGIN {
			if (a + 0 <= 0) a = 0.01
			if (b + 0 <= 0) b = 0.01
			name = name (wall == 1 ? "" : "-processor")
			if (most < 1) printf "ratio %s: %.1f times less than %s (%s)\n", name, b / a, peer, b
			else printf "ratio %s: %.2f times as much as %s (%s)\n", name, a / b, peer, b
			if (wall == 1) printf "goal %s: at most %.2f times, %s\n", name, most, a / b <= most ? "met" : "missed" }'
	done
}

for _ in 1 2 3; do
	rm -rf "$work/state"
	ours scan "$work/updateinfo.xml" && took xmllint xmllint --sax --noout "$work/updateinfo.xml" || exit 1
	rm -rf "$work/state"
	ours zst "$work/updateinfo.xml.zst" || exit 1
done
rm -rf "$work/state"
sleep 2 # a file that has just changed is not believed
ours scan "$work/updateinfo.xml" || exit 1
jq -r 'select(.verdict == "needed") | .id' "$work/out" | sort | diff <(cut -f 1 "$work/truth" | sort) - >&2 ||
	{ echo "failed: updateinfo: the verdicts differ from the generator's truth" >&2; exit 1; }
for _ in 1 2 3 4 5; do
	ours again "$work/updateinfo.xml" || exit 1
done
size=$(($(stat -c %s "$work/updateinfo.xml") / 1000000))
echo "bench updateinfo-$advisories: $(middle scan 1) s, $(middle scan 2) s of processors, $size MB"
compare updateinfo-xmllint scan xmllint 1.3
compare updateinfo-zst zst scan 1.4
memory=$(middle scan 3) again=$(middle again 1)
echo "bench updateinfo-memory: $((memory / 1024)) MiB"
echo "goal updateinfo-memory: under 24 MiB, $([ "$memory" -lt $((24 * 1024)) ] && echo met || echo missed)"
echo "bench updateinfo-again: $again s"
awk -v s="$again" 'BEGIN { printf "goal updateinfo-again: under 0.03 s, %s\n", s < 0.03 ? "met" : "missed" }'

# ---------------------------------------------------------------- dnf, zypper
# A repository with nothing but these advisories, and a root where the same
# packages are installed.
mkdir -p "$work/repo" "$work/root" "$work/repos"
peers=
for tool in createrepo_c modifyrepo_c rpmdb; do
	command -v $tool >/dev/null || peers="$peers $tool"
done
if [ -z "$peers" ]; then
	createrepo_c -q "$work/repo" && modifyrepo_c --no-compress "$work/updateinfo.xml" "$work/repo/repodata" >/dev/null &&
		/usr/bin/python3 "$PD_SRCDIR/tests/bench/rpmdb.py" <"$work/installed" | rpmdb --root "$work/root" --importdb || exit 99
	mkdir -p "$work/root/etc/products.d"
	printf '[bench]\nname=bench\nenabled=1\nbaseurl=dir://%s\ntype=rpm-md\ngpgcheck=0\n' "$work/repo" >"$work/repos/bench.repo"
fi

peer_dnf()
{
	took dnf dnf -q --installroot="$work/root" --releasever=8 --forcearch=x86_64 --disablerepo='*' \
		--repofrompath="bench,file://$work/repo" --enablerepo=bench --nogpgcheck --setopt=cachedir="$work/cache" \
		--setopt=reposdir=/nonexistent --setopt=pluginpath=/nonexistent updateinfo list
}

peer_zypper()
{
	took zypper zypper -q --no-gpg-checks --root "$work/root" --cache-dir "$work/cache" --reposd-dir "$work/repos" \
		--non-interactive list-patches
}

for peer in dnf:0.25 zypper:0.1; do
	name=${peer%:*}
	if [ -n "$peers" ] || ! command -v "$name" >/dev/null; then
		echo "skip: updateinfo-$name: NOT MEASURED: not installed:$peers $name"
		continue
	fi
	# as often as ours, cold each time, and ours once more beside it
	for _ in 1 2 3; do
		rm -rf "$work/cache" "$work/state"
		ours "scan-$name" "$work/updateinfo.xml" || exit 1
		"peer_$name" || { echo "skip: updateinfo-$name: NOT MEASURED: $name failed"; continue 2; }
	done
	compare "updateinfo-$name" "scan-$name" "$name" "${peer#*:}"
done

# --------------------------------------------------------------- many servers
# Each lacks one package in ten, and no two the same ones.
mkdir "$work/fleet"
awk -F '\t' -v folder="$work/fleet" -v servers=$servers '
	{ row[NR] = sprintf("{\"name\":\"%s\",\"version\":\"%s%s-%s\",\"arch\":\"%s\",\"scheme\":\"rpm\"}", $1,
		($2 ? $2 ":" : ""), $3, $4, $5) }
	END {
		srand(3)
		for (s = 1; s <= servers; s++) {
			file = sprintf("%s/%04d.json", folder, s)
			printf "{\"os\":{\"hostname\":\"s%04d\"},\"packages\":[%s", s, row[1] >file
			for (i = 2; i <= NR; i++)
				if (rand() < 0.9)
					printf ",%s", row[i] >file
			print "]}" >file
			close(file)
		}
	}' "$work/installed"
took many "$bin/patchday" scan --plugin-dir "$work/plugins" --state "$work/state" --facts "$work/fleet" \
	--catalog "$work/updateinfo.xml" || exit 1
echo "bench updateinfo-$servers-servers: $(middle many 1) s, $(middle many 2) s of processors"
[ -z "${PD_BENCH_FULL-}" ] || awk -v s="$(middle many 1)" 'BEGIN {
	printf "goal updateinfo-1000-servers: under 5 s, %s\n", s < 5 ? "met" : "missed" }'

# ------------------------------------------------------------------ linearity
# per_mb NAME FILE: milliseconds
per_mb()
{
	awk -v s="$(middle "$1" 1)" -v bytes="$(stat -c %s "$2")" 'BEGIN { printf "%.2f", s * 1e9 / bytes }'
}

once=$(per_mb scan "$work/updateinfo.xml")
for times in ${PD_BENCH_FULL:+2 4} ${PD_BENCH_LONG:+2 4}; do
	name=$((times * advisories))
	[ ! -e "$work/times.long$times" ] || continue # both are set
	/usr/bin/python3 "$generator" --advisories $name --out "$work/long.xml" --installed "$work/installed" >/dev/null || exit 99
	for _ in 1 2 3; do
		rm -rf "$work/state"
		ours "long$times" "$work/long.xml" && took "xmllint$times" xmllint --sax --noout "$work/long.xml" || exit 1
	done
	compare "updateinfo-$name-xmllint" "long$times" "xmllint$times" 1.3
	echo "bench updateinfo-$name: $(middle "long$times" 1) s, $(($(stat -c %s "$work/long.xml") / 1000000)) MB, $(($(middle "long$times" 3) / 1024)) MiB"
	awk -v n=$name -v a="$(per_mb "long$times" "$work/long.xml")" -v b="$once" 'BEGIN {
		printf "ratio updateinfo-%d-per-mb: %.2f times as much for each MB (%s ms) as of the short one (%s)\n", n, a / b, a, b
		printf "goal updateinfo-%d-per-mb: at most 1.10 times, %s\n", n, a / b <= 1.1 ? "met" : "missed" }'
done
