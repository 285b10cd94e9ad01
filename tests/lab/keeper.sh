#!/bin/bash
# SPDX-License-Identifier: MIT
# Guards one lab: starts its holder, ends it when the owner ends, and cleans up when either is gone.
set -u

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lab/lib.sh
. "$lab_dir/lib.sh"

# Removes what a lab has on the machine outside its namespaces; safe to run at any time when it is down.
sweep() {
	# The holder removes its cgroups itself unless it was killed. This mount is gone with its process.
	unshare --mount --propagation private "$lab_dir/keeper.sh" sweep_cgroups
	limits_restore
}

sweep_cgroups() {
	local top=/mnt/${lab_cgroup#/sys/fs/cgroup/}
	mount -t cgroup2 none /mnt || die "cannot mount cgroup2 to remove what is left of lab '$lab_name'"
	cgroup_remove "$top"
	# Goes with the last lab.
	rmdir "$(dirname "$top")" 2>/dev/null
	return 0
}

guard() {
	local owner='' owner_start='' stop='' base holder pipe never base_fd self line
	close_descriptors
	cd /
	self=$(identity $$) && echo "$self" >"$lab_state/keeper" || exit
	limits_raise
	# Keeps `lab build` from removing the root under a running lab.
	read -r base <"$lab_state/base" && exec {base_fd}<"$base/lock" && flock -s "$base_fd" || exit
	# Nobody ever writes to this pipe: reading with a timeout waits without starting a process each time.
	exec {never}<> <(:)
	[[ ! -e $lab_state/owner ]] || read -r owner owner_start <"$lab_state/owner"
	trap 'stop=asked' TERM INT HUP

	coproc HOLDER {
		exec unshare --mount --net --uts --ipc --pid --fork --kill-child=KILL "$lab_dir/inner.sh" hold >&2
	}
	holder=$HOLDER_PID pipe=${HOLDER[1]}
	while [[ -z $stop ]] && kill -0 "$holder" 2>/dev/null; do
		read -r -t 0.3 -u "$never"
		[[ -z $owner ]] || alive "$owner" "$owner_start" || stop=owner
		# Somebody may have removed the state folder, or begun the lab anew after that.
		{ read -r line <"$lab_state/keeper"; } 2>/dev/null && [[ $line == "$self" ]] || stop=displaced
	done
	[[ -n $stop ]] || say "the holder of lab '$lab_name' was killed"
	end_holder "$holder" "$pipe" "$never"
	[[ $stop != displaced || ! -e $lab_state/keeper ]] || return 0
	sweep
	rm -f "$lab_state/holder"
	[[ $stop != owner ]] || rm -rf --one-file-system "$lab_state"
	rm -f "$lab_state/keeper"
}

# End of file asks the holder to clean up; it is given little time.
end_holder() {
	local holder=$1 pipe=$2 never=$3 tries=30
	exec {pipe}>&-
	while ((tries-- > 0)) && kill -0 "$holder" 2>/dev/null; do read -r -t 0.1 -u "$never"; done
	kill -KILL "$holder" 2>/dev/null
}

case ${1:-} in
guard | sweep | sweep_cgroups) "$1" ;;
*) die "keeper.sh is a part of the lab, run by it; see: lab help" ;;
esac
