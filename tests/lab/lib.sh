# SPDX-License-Identifier: MIT
# Names, folders and small helpers shared by all programs of the lab; sourced by bash, never run.
# shellcheck shell=bash

lab_name=${PD_LAB:-default}
lab_cache=${PD_LAB_CACHE:-/var/cache/patchday-lab}
lab_state_root=${PD_LAB_STATE:-/var/lib/patchday-lab}
lab_state=$lab_state_root/$lab_name
lab_servers=$lab_state/servers
# Kept apart from the state folder: it belongs to the machine and is shared by all instances.
lab_run=/run/patchday-lab
lab_net=10.77.0
# Seen from inside the lab's own mount namespace, where the holder mounts the unified hierarchy.
lab_cgroup=/sys/fs/cgroup/patchday-lab/$lab_name

say() { printf 'lab: %s\n' "$*" >&2; }
die() { say "$*"; exit "${lab_die_status:-1}"; }

# Removes comments and blank lines of a package list.
package_list() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$1"; }

# Prints the start time of a living process. A pid alone is no proof: it may have been given to another
# process, and a zombie that nobody collects is dead although kill -0 still finds it.
start_time() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	stat=${stat##*) }
	local -a field
	read -ra field <<<"$stat"
	[[ ${field[0]} != [ZX] ]] || return 1
	printf '%s\n' "${field[19]}"
}

# "PID START": names one process for ever.
identity() {
	local start
	start=$(start_time "$1") && printf '%s %s\n' "$1" "$start"
}

# Is the process of this identity alive?
alive() {
	local now
	[[ -n ${1:-} && -n ${2:-} ]] || return 1
	now=$(start_time "$1") && [[ $now == "$2" ]]
}

# Sets $pid from an identity file when that process is alive.
read_alive() {
	local start
	pid=
	{ read -r pid start <"$1"; } 2>/dev/null && alive "$pid" "$start"
}

# A daemon must not hold the pipes of whoever started it: a test harness waits until the last writer is gone.
# Arguments are the descriptors to keep.
close_descriptors() {
	local fd
	for fd in /proc/$BASHPID/fd/*; do
		fd=${fd##*/}
		[[ $fd -le 2 || " $* " == *" $fd "* ]] || eval "exec $fd>&-"
	done
}

# The digest that names a build: what goes into the root, and for which release and machine.
recipe_digest() {
	{
		release_codename
		dpkg --print-architecture
		(cd "$lab_dir" && sha256sum build.sh prepare.sh mirror.sh setup.sh packages.root packages.extra)
	} | sha256sum | cut -c1-16
}

release_codename() { (. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-}"); }

# The 24th server ends silently when inotify instances run out. All instances hold a shared lock while they
# live; whoever goes last gets the lock alone and puts the machine's own value back.
limits_raise() {
	local knob=/proc/sys/fs/inotify/max_user_instances value
	mkdir -p "$lab_run"
	exec {lab_limits_fd}>>"$lab_run/lock"
	flock -s "$lab_limits_fd"
	value=$(<"$knob")
	if ((value < 4096)); then
		[[ -e $lab_run/inotify ]] || echo "$value" >"$lab_run/inotify"
		echo 4096 >"$knob"
	fi
}

limits_restore() {
	local fd
	[[ -e $lab_run/inotify ]] || return 0
	exec {fd}>>"$lab_run/lock"
	if flock -n -x "$fd"; then
		cat "$lab_run/inotify" >/proc/sys/fs/inotify/max_user_instances
		rm -f "$lab_run/inotify"
	fi
	exec {fd}>&-
}

# Ends every process below a cgroup of ours and removes it. The kernel keeps empty cgroups for ever.
cgroup_remove() {
	local try
	[[ -d $1 ]] || return 0
	for try in {1..100}; do
		# cgroup.kill reaches also what is being forked this moment; where it is missing, kill one by one.
		{ echo 1 >"$1/cgroup.kill"; } 2>/dev/null ||
			find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null | xargs -r kill -KILL 2>/dev/null
		find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
		[[ -d $1 ]] || return 0
		((try > 5)) && sleep 0.05
	done
	say "cannot remove cgroup $1: processes in it do not end (see $1/cgroup.procs)"
	return 1
}
