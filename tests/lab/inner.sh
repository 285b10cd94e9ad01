#!/bin/bash
# SPDX-License-Identifier: MIT
# The part of the lab that runs inside its private namespaces: the holder (their first process) and the servers.
set -u

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lab/lib.sh
. "$lab_dir/lib.sh"

bridge=br0

# The first process of the namespaces; its end is the end of everything in them. Its standard input is a
# pipe that only the keeper can write to: end of file means that the keeper is gone, however it went.
hold() {
	local pid
	# /proc is still the machine's, so this is the pid by which the machine knows this process.
	read -r pid _ </proc/self/stat
	identity "$pid" >"$lab_state/holder.new" || die "cannot read my own start time"
	own_mounts || die "cannot mount proc, sysfs, cgroup2 and tmpfs in the lab's own namespace"
	join_cgroup || die "cannot use the cgroup $lab_cgroup"
	own_network || die "cannot make the bridge: has this kernel bridge and veth?"

	mv "$lab_state/holder.new" "$lab_state/holder"
	while read -r _; do :; done

	echo 0 >/sys/fs/cgroup/cgroup.procs
	cgroup_remove "$lab_cgroup"
	limits_restore
}

join_cgroup() { mkdir -p "$lab_cgroup/.holder" && echo 0 >"$lab_cgroup/.holder/cgroup.procs"; }

own_mounts() {
	mount --make-rprivate / &&
		mount -t proc proc /proc &&
		mount -t sysfs sysfs /sys &&
		mount -t cgroup2 none /sys/fs/cgroup &&
		# systemd-nspawn keeps locks and sockets in /run. Only the lock that all labs share is the machine's.
		mount --bind "$lab_run" /mnt &&
		mount -t tmpfs -o mode=755 tmpfs /run &&
		mkdir -p /run/netns /run/systemd "$lab_run" &&
		mount --move /mnt "$lab_run"
}

own_network() {
	ip link set lo up &&
		ip link add "$bridge" type bridge &&
		ip address add "$lab_net.1/24" dev "$bridge" &&
		ip link set "$bridge" up
}

# NAME BASE BIND...: makes the disk of a new server, an overlay over the base root, with a name and an address
# of its own. A second volume is no overlay, so that a server can make overlays itself on it. It counts as made
# only when nothing is missing any more: one whose making was killed is begun again.
create() {
	local name=$1 base=$2 dir=$lab_servers/$1 number
	shift 2
	number=$(free_number) || die "cannot make server '$name': all addresses are taken"
	mkdir -p "$dir/upper" "$dir/work" "$dir/root" "$dir/volume"
	echo "$number" >"$dir/number"
	echo 0 >"$dir/boots"
	echo off >"$dir/phase"
	: >"$dir/console.log"
	: >"$dir/exits"
	printf '%s\n' "$@" >"$dir/binds"
	mount_disk "$dir" "$base" ||
		die "cannot mount the disk of server '$name' (is $lab_state_root itself on an overlay? then set PD_LAB_STATE)"
	personalise "$name" "$dir/root" "$number" || die "cannot write name and address into the disk of server '$name'"
	write_hosts "$name" && touch "$dir/made"
}

mount_disk() {
	if [[ -e $lab_state/direct ]]; then
		# While the base root itself is being made, its first boot writes into it.
		mount --bind "$2" "$1/root"
	else
		# volatile: no fsync reaches the machine's disk. What a server wrote survives a power cut of the
		# server all the same, because the machine lives on.
		mount -t overlay overlay -o "volatile,lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
	fi && mount --bind "$1/volume" "$1/root/srv/volume"
}

personalise() {
	local name=$1 root=$2 number=$3
	echo "$name" >"$root/etc/hostname" &&
		cat >"$root/etc/systemd/network/10-host0.network" <<-EOF &&
			[Match]
			Name=host0

			[Network]
			Address=$lab_net.$number/24
			Gateway=$lab_net.1
			LinkLocalAddressing=no
		EOF
		# The installer leaves this file; without it PAM logs an error for each job of cron, the hourly ones at :17.
		echo LANG=C.UTF-8 >"$root/etc/default/locale" &&
		# As if the daily jobs had just run: on an old base they would all start with the first boot.
		find "$root/var/lib/systemd" -name "stamp-*.timer" -exec touch {} + &&
		chroot "$root" ssh-keygen -q -t ed25519 -N '' -C "root@$name" -f /etc/ssh/ssh_host_ed25519_key
}

free_number() {
	local number
	for number in {10..250}; do
		grep -qsx "$number" "$lab_servers"/*/number || { echo "$number"; return 0; }
	done
	return 1
}

# [NEW]: every server must know every name, its own first of all: smbd waits 20 s for one that nobody answers.
write_hosts() {
	local dir file hosts="$lab_net.1 lab # lab" nl=$'\n'
	local -a dirs=()
	for dir in "$lab_servers"/*/; do
		[[ -e $dir/made || $dir == "$lab_servers/${1:-}/" ]] || continue
		dirs+=("$dir")
		hosts+="$nl$lab_net.$(<"$dir/number") $(basename "$dir") # lab"
	done
	for dir in "${dirs[@]}"; do
		file=$dir/root/etc/hosts
		{ grep -v ' # lab$' "$file"; echo "$hosts"; } >"$file.lab" && mv "$file.lab" "$file"
	done
}

# Starts a server that has a disk and is off, and waits until its mains are on; they outlive this program.
start() {
	# Either it is off or it is being started: Ctrl-C must not come between.
	trap '' INT TERM HUP
	echo starting >"$lab_servers/$1/phase"
	setsid env --default-signal "$lab_dir/inner.sh" run "$1" </dev/null >>"$lab_servers/$1/console.log" 2>&1 &
	while [[ $(<"$lab_servers/$1/phase") == starting ]]; do
		kill -0 $! 2>/dev/null || die "server '$1' does not start; its console: lab log $1"
		sleep 0.02
	done
}

# The mains of one server: starts it, and again when it asks for a reboot or its power comes back.
run() {
	local name=$1 dir=$lab_servers/$1 cgroup=$lab_cgroup/$1 status=0 bind
	local -a binds=()
	# Before the lock of whoever starts it goes with the descriptors: under the lock, no server is about to start.
	echo on >"$dir/phase"
	close_descriptors
	cd /
	echo 0 >"$lab_cgroup/.holder/cgroup.procs"
	while read -r bind; do binds+=("--bind-ro=$bind"); done <"$dir/binds"
	while [[ ! -e $dir/stay-off ]]; do
		rm -f "$dir/power-back"
		cgroup_remove "$cgroup"
		mkdir -p "$cgroup"
		echo "$(($(<"$dir/boots") + 1))" >"$dir/boots.new" && mv "$dir/boots.new" "$dir/boots"
		(
			echo 0 >"$cgroup/cgroup.procs"
			SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --quiet --boot --register=no --keep-unit \
				--directory="$dir/root" --machine="$name" --hostname="$name" --network-bridge="$bridge" \
				--link-journal=no --resolv-conf=off --timezone=off --console=pipe \
				--capability=CAP_NET_ADMIN "${binds[@]}"
		)
		status=$?
		# systemd-nspawn may have been killed while the server lives on.
		cgroup_remove "$cgroup"
		printf '%(%F %T)T boot %s ended with status %s\n' -1 "$(<"$dir/boots")" "$status" >>"$dir/exits"
		# 133 is how systemd-nspawn says that the server wants to be started again.
		[[ $status == 133 || -e $dir/power-back ]] || break
	done
	echo "off $status" >"$dir/phase"
}

# Ends a server at once, whatever it does.
cut() { cgroup_remove "$lab_cgroup/$1"; }

# Throws the disk of a server that is off away.
remove() {
	umount --recursive "$lab_servers/$1/root"
	rm -rf --one-file-system "${lab_servers:?}/$1"
	write_hosts
}

# Runs a program on the disk of a server that is off.
on_disk() {
	local name=$1
	shift
	exec chroot "$lab_servers/$name/root" /usr/bin/env -i PATH="$lab_path" HOME=/root "$@"
}

case ${1:-} in
hold | create | start | run | cut | remove | on_disk) "$@" ;;
*) die "inner.sh is a part of the lab, run by it; see: lab help" ;;
esac
