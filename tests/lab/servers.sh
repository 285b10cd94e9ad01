# SPDX-License-Identifier: MIT
# What the lab's commands do to servers, from outside: find them, enter them, switch them on and off, wait.
# shellcheck shell=bash source=tests/lab/lib.sh disable=SC2154 # from lib.sh

is_server_name() { [[ $1 =~ ^[a-z][a-z0-9-]{0,14}$ ]]; }

need_server_name() {
	is_server_name "${1:-}" ||
		usage_error "'${1:-}' is no server name: up to 15 of a-z, 0-9 and -, starting with a letter"
}

# Ends this program unless the lab is up and has all these servers. Sets $pid to the holder.
need_servers() {
	local name
	[[ $# -gt 0 ]] || usage_error "name a server"
	for name; do need_server_name "$name"; done
	need_holder
	for name; do
		[[ -e $lab_servers/$name/made ]] || die "there is no server '$name' in lab '$lab_name'; make it with: lab up $name"
	done
}

# Sets $pid to the holder: all namespaces are reached through it.
need_holder() {
	read_alive "$lab_state/holder" && return 0
	[[ ! -d $lab_state ]] ||
		die "lab '$lab_name' is down but not destroyed (was it killed?); clean up with: lab destroy"
	die "lab '$lab_name' is not up; start it with: lab up NAME"
}

# Runs a part of inner.sh in the holder's namespaces, clean of the caller's environment.
inside() {
	need_holder
	nsenter --target "$pid" --mount --uts --ipc --net --pid -- /usr/bin/env -i \
		PATH="$lab_path" HOME=/root LANG=C.UTF-8 PD_LAB="$lab_name" PD_LAB_STATE="$lab_state_root" \
		"$lab_dir/inner.sh" "$@"
}

# Sets $leader to the pid by which the machine knows the server's init, and $scope to its cgroup. Fails
# while the server is off or only about to start.
find_leader() {
	local name pids
	need_holder
	scope=/proc/$pid/root$lab_cgroup/$1/payload/init.scope
	{ while read -r leader; do
		[[ $(<"/proc/$leader/comm") == systemd ]] || continue
		# Commands that entered the server are in the same cgroup; only init has number 1 inside.
		while read -r name pids; do
			[[ $name != NSpid: || $pids != *[[:space:]]1 ]] || return 0
		done <"/proc/$leader/status"
	done <"$scope/cgroup.procs"; } 2>/dev/null
	leader=
	return 1
}

# Replaces this process by a command in the server.
enter() {
	local name=$1
	shift
	find_leader "$name" || die "server '$name' is not running (it is $(phase "$name")); see: lab wait, lab start"
	# In the server's own cgroup: its systemd must not meet processes that belong to nowhere.
	{ echo 0 >"$scope/cgroup.procs"; } 2>/dev/null
	# pdeathsig: when this program is killed, the command in the server ends too. The shell in
	# between does the fork: nsenter's own would stop itself when a shutdown stops its child, never
	# collect it, and the shutdown would wait for that three minutes.
	# shellcheck disable=SC2016
	exec nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd --no-fork -- \
		/bin/sh -c '"$@"; exit $?' sh /usr/bin/setpriv --pdeathsig TERM /usr/bin/env -i --chdir=/root PATH="/usr/local/sbin:/usr/local/bin:$lab_path" \
		HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 TERM="${TERM:-dumb}" "$@"
}

# Runs a command on the server's disk, whether the server runs or not.
on_server() {
	local name=$1
	shift
	if find_leader "$name"; then
		(enter "$name" "$@")
	else
		inside on_disk "$name" "$@"
	fi
}

# starting, on, or "off STATUS" with the status by which it ended. Under the lock, one that is still starting is
# off: what started it was killed.
phase() { cat "$lab_servers/$1/phase" 2>/dev/null || echo gone; }

power_on() {
	[[ $(phase "$1") != on ]] || return 0
	rm -f "$lab_servers/$1/stay-off"
	inside start "$1"
}

# NAME [remove]: off at once; then without its disk too.
power_off() {
	local end=$((SECONDS + 60))
	: >"$lab_servers/$1/stay-off"
	[[ $(phase "$1") != starting ]] || echo off >"$lab_servers/$1/phase"
	# Again and again, because it may be about to start.
	until inside cut "$1" && [[ $(phase "$1") == off* ]]; do
		((SECONDS < end)) || die "server '$1' does not end; its console: lab log $1"
		sleep 0.05
	done
	[[ ${2:-} != remove ]] || inside remove "$1"
}

# NAME SECONDS
wait_off() {
	local end=$((SECONDS + $2))
	until [[ $(phase "$1") =~ ^(off|starting) ]]; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

booted() { (enter "$1" systemctl --quiet is-active multi-user.target) >/dev/null 2>&1; }

# BOOT SECONDS NAME...: waits until each has reached multi-user.target in boot number BOOT or a later one.
wait_booted() {
	local boot=$1 seconds=$2 name end=$((SECONDS + $2))
	shift 2
	for name; do
		until (($(<"$lab_servers/$name/boots") >= boot)) && booted "$name"; do
			if [[ $(phase "$name") == off* ]]; then
				tail -n 5 "$lab_servers/$name/console.log" >&2
				die "server '$name' is off and does not boot (status $(phase "$name")); its console: lab log $name"
			fi
			((SECONDS < end)) || die "server '$name' is not booted after $seconds s; its console: lab log $name"
			sleep 0.05
		done
	done
}

# Only one program at a time changes this lab; lock waits for its turn.
lock() {
	[[ -z ${lock_fd:-} ]] || return 0
	mkdir -p "$lab_state_root" || exit
	exec {lock_fd}>>"$lab_state_root/.$lab_name.lock"
	flock -x "$lock_fd"
}

unlock() {
	exec {lock_fd}>&-
	lock_fd=
}

# BASE OWNER: starts keeper and holder of a lab without servers.
start_lab() {
	local base=$1 owner=$2 owner_identity='' tries=200
	[[ -z $owner ]] || owner_identity=$(identity "$owner") || die "--owner: there is no process '$owner'"
	if [[ -d $lab_state ]]; then
		say "lab '$lab_name' was killed before; cleaning up what is left of it"
		destroy
	fi
	mkdir -p "$lab_servers"
	echo "$base" >"$lab_state/base"
	[[ -z $owner ]] || echo "$owner_identity" >"$lab_state/owner"
	[[ -z ${LAB_DIRECT:-} ]] || : >"$lab_state/direct"
	setsid env -i PATH="$lab_path" HOME=/root LANG=C.UTF-8 PD_LAB="$lab_name" PD_LAB_STATE="$lab_state_root" \
		"$lab_dir/keeper.sh" guard </dev/null >"$lab_state/log" 2>&1 &
	until [[ -e $lab_state/holder ]]; do
		if ((tries-- == 0)) || ! kill -0 $! 2>/dev/null; then
			cat "$lab_state/log" >&2
			destroy
			die "lab '$lab_name' did not start; the reason is above"
		fi
		sleep 0.05
	done
}

# Ends the lab from whatever state it is in.
destroy() {
	local tries=100
	if read_alive "$lab_state/keeper"; then
		kill -TERM "$pid"
		while ((tries-- > 0)) && read_alive "$lab_state/keeper"; do sleep 0.05; done
		[[ -z $pid ]] || kill -KILL "$pid"
	fi
	! read_alive "$lab_state/holder" || kill -KILL "$pid"
	"$lab_dir/keeper.sh" sweep
	rm -rf --one-file-system "$lab_state"
}
