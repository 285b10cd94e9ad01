#!/bin/bash
# SPDX-License-Identifier: MIT
# Guards one lab instance: starts its holder, ends it when the owner ends, and cleans up when either is gone.
set -u

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$lab_dir/lib.sh"

# Waiting without starting a process three times a second: nobody ever writes to this pipe.
exec {never}<> <(:)

sweep() {
	# The holder removes its cgroups itself unless it was killed. The mount is gone with this short process.
	unshare --mount --propagation private bash -c '
		. "$1/lib.sh"
		mount -t cgroup2 none /mnt || exit 1
		cgroup_remove "/mnt/${lab_cgroup#/sys/fs/cgroup/}"
		rmdir /mnt/patchday-lab 2>/dev/null
		exit 0' sweep "$lab_dir"
	[[ -z ${lab_limits_fd:-} ]] || exec {lab_limits_fd}>&-
	limits_restore
}

guard() {
	local owner_pid='' owner_start='' stop='' tries
	close_descriptors "$never"
	limits_raise
	# Keeps `lab build` from removing the root under a running lab.
	exec {base_fd}<"$(<"$lab_state/base")/lock" && flock -s "$base_fd"
	[[ ! -e $lab_state/owner ]] || read -r owner_pid owner_start <"$lab_state/owner"
	trap 'stop=asked' TERM INT HUP
	identity $$ >"$lab_state/keeper"

	coproc HOLDER {
		exec unshare --mount --net --uts --ipc --pid --fork --kill-child=KILL "$lab_dir/inner.sh" hold >&2
	}
	local holder=$HOLDER_PID pipe=${HOLDER[1]}
	while [[ -z $stop ]] && kill -0 "$holder" 2>/dev/null; do
		[[ -z $owner_pid ]] || alive "$owner_pid" "$owner_start" || stop=owner
		read -r -t 0.3 -u "$never"
	done
	[[ -n $stop ]] || say "the holder was killed from outside"

	# End of file asks the holder to clean up; it is given little time.
	exec {pipe}>&-
	for tries in {1..20}; do
		kill -0 "$holder" 2>/dev/null || break
		read -r -t 0.1 -u "$never"
	done
	kill -KILL "$holder" 2>/dev/null
	sweep
	rm -f "$lab_state/holder"
	[[ $stop != owner ]] || rm -rf --one-file-system "$lab_state"
	rm -f "$lab_state/keeper"
}

case ${1:-guard} in
sweep) sweep ;;
guard) guard ;;
esac
