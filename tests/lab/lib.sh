# SPDX-License-Identifier: MIT
# Names, folders and small helpers shared by all programs of the lab; sourced by bash, never run.
# shellcheck shell=bash disable=SC2034 # the names are for those who source this file

lab_name=${PD_LAB:-default}
lab_cache=${PD_LAB_CACHE:-/var/cache/patchday-lab}
lab_state_root=${PD_LAB_STATE:-/var/lib/patchday-lab}
lab_state=$lab_state_root/$lab_name
lab_servers=$lab_state/servers
# Not in the state folder: this belongs to the machine, and labs with different state folders share it.
lab_run=/run/patchday-lab
lab_net=10.77.0
# As seen from inside the lab's own mount namespace, where the holder mounts the unified hierarchy.
lab_cgroup=/sys/fs/cgroup/patchday-lab/$lab_name
lab_path=/usr/sbin:/usr/bin:/sbin:/bin

say() { printf 'lab: %s\n' "$*" >&2; }
die() { say "$*"; exit "${lab_die_status:-1}"; }

# Prints the packages of a list without comments and blank lines.
package_list() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$1"; }

# Prints the start time of a living process. A pid alone is no proof: it may have been given to another
# process since, and a zombie that nobody collects is dead although kill -0 still finds it.
start_time() {
	local stat
	local -a field
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	read -ra field <<<"${stat##*) }"
	[[ ${field[0]} != [ZX] ]] || return 1
	printf '%s\n' "${field[19]}"
}

# Prints "PID START", which names one process for ever.
identity() {
	local start
	start=$(start_time "$1") && printf '%s %s\n' "$1" "$start"
}

# Is the process of this identity alive?
alive() {
	local now
	now=$(start_time "$1") && [[ $now == "$2" ]]
}

# Sets $pid from an identity file if that process is alive, and empties it if not.
read_alive() {
	local start
	# A bare `return` in what a trap calls would return the status from before the trap.
	{ read -r pid start <"$1"; } 2>/dev/null && alive "$pid" "$start" && return 0
	pid=
	return 1
}

# A daemon must not hold the pipes of whoever started it: a test harness waits until the last writer is gone.
close_descriptors() {
	local fd
	for fd in "/proc/$BASHPID/fd"/*; do
		fd=${fd##*/}
		# bash reads its script from 255.
		((fd <= 2 || fd == 255)) || exec {fd}>&-
	done
}

release_codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# Prints the digest that names a build: what makes up the root, and for which release and machine.
recipe_digest() {
	{
		release_codename
		dpkg --print-architecture
		(cd "${lab_dir:?}" && sha256sum build.sh parts.sh mirror.sh prepare.sh setup.sh packages.root packages.extra)
	} | sha256sum | cut -c1-16
}

# KIND: prints where in a base the root and the package source of such servers are.
kind_folder() {
	case $1 in
	debian) echo . ;;
	rpm) (cd "${lab_dir:?}" && cat rpm-build.sh rpm-spec.pl rpm-updates.sh packages.rpm parts.sh) | sha256sum | sed 's/\(.\{16\}\).*/rpm-\1/' ;;
	esac
}

# The 24th server would end silently for want of inotify instances. All labs hold a shared lock while they
# live; the last to go can have it alone, and puts the machine's own value back.
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
	[[ -z ${lab_limits_fd:-} ]] || exec {lab_limits_fd}>&-
	[[ -e $lab_run/inotify ]] || return 0
	exec {fd}>>"$lab_run/lock"
	if flock -n -x "$fd"; then
		cat "$lab_run/inotify" >/proc/sys/fs/inotify/max_user_instances
		rm -f "$lab_run/inotify"
	fi
	exec {fd}>&-
}

# Ends every process below a cgroup of ours and removes it: the kernel keeps empty cgroups for ever.
cgroup_remove() {
	local try
	for try in {1..100}; do
		[[ -d $1 ]] || return 0
		# This reaches also what is being forked at this moment.
		{ echo 1 >"$1/cgroup.kill"; } 2>/dev/null
		find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
		((try < 5)) || sleep 0.05
	done
	say "cannot remove the cgroup $1: a process in it does not end, see its cgroup.procs"
	return 1
}
