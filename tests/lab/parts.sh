# SPDX-License-Identifier: MIT
# The parts that a build consists of; sourced by the programs that make roots, with $work and $lab_cache set.
# shellcheck shell=bash disable=SC2154

# Runs a command in mount and pid namespaces that end with this program, also when it is killed: neither
# processes nor mounts of a broken-off build stay.
contained() {
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL --mount-proc "$@"
}

# NAME COMMAND...: runs one part, its output into the log, and prints how long it took. Inside a part `set -e`
# means nothing, because its status is looked at here; so each part fails by its status.
part() {
	local name=$1 start=$EPOCHREALTIME
	shift
	printf 'lab: %-40s ' "$name" >&2
	if ! "$@" >>"$work/build.log" 2>&1 </dev/null; then
		echo "failed" >&2
		mv "$work/build.log" "$lab_cache/failed.log"
		tail -n 25 "$lab_cache/failed.log" >&2
		die "building failed at '$name'; the end of its output is above, all of it in $lab_cache/failed.log"
	fi
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%6.1f s\n", b - a }' | tee -a "$work/times" >&2
}
