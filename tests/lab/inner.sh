#!/bin/bash
# SPDX-License-Identifier: MIT
# The part of the lab that runs inside its private namespaces: the holder (their first process) and the servers.
set -u

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$lab_dir/lib.sh"

bridge=br0

# The first process of the namespaces. Its end is the end of everything in them. Standard input is a pipe
# that only the keeper writes to: end of file means that the keeper is gone, however it went.
hold() {
	local pid
	# The pid in the machine's view: /proc is still the machine's.
	read -r pid _ </proc/self/stat
	identity "$pid" >"$lab_state/holder.new" || die "cannot read my own start time"

	mount --make-rprivate / &&
		mount -t proc proc /proc &&
		mount -t sysfs sysfs /sys &&
		mount -t cgroup2 none /sys/fs/cgroup ||
		die "cannot mount proc, sysfs and cgroup2 in the lab's own namespace"
	# systemd-nspawn keeps locks and sockets in /run; only the lab's own lock is the machine's.
	mount --bind "$lab_run" /mnt && mount -t tmpfs -o mode=755 tmpfs /run &&
		mkdir -p /run/netns /run/systemd "$lab_run" && mount --move /mnt "$lab_run" ||
		die "cannot make a private /run"

	mkdir -p "$lab_cgroup/.holder" && echo 0 >"$lab_cgroup/.holder/cgroup.procs" ||
		die "cannot make the cgroup $lab_cgroup"

	ip link set lo up && ip link add "$bridge" type bridge &&
		ip address add "$lab_net.1/24" dev "$bridge" && ip link set "$bridge" up ||
		die "cannot make the bridge: does this kernel have bridge and veth?"

	mv "$lab_state/holder.new" "$lab_state/holder"
	while read -r _; do :; done

	echo 0 >/sys/fs/cgroup/cgroup.procs
	cgroup_remove "$lab_cgroup"
	exec {lab_limits_fd}>&-
	limits_restore
}

# Makes the disk of a new server: an overlay over the base root with its own name and address.
create() {
	local name=$1 base=$2 dir=$lab_servers/$1 number
	number=$(free_number) || die "cannot add server $name: all addresses are taken"
	mkdir -p "$dir/upper" "$dir/work" "$dir/root"
	echo "$number" >"$dir/number"
	echo 0 >"$dir/boots"
	echo off >"$dir/phase"
	: >"$dir/console.log"
	if [[ -e $lab_state/direct ]]; then
		# While the base root itself is being made there is nothing to put between.
		mount --bind "$base" "$dir/root"
	else
		# volatile: no fsync to the machine's disk. What a server has written survives the server's power cut
		# all the same, because the machine lives on.
		mount -t overlay overlay -o "volatile,lowerdir=$base,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
	fi || die "cannot mount the disk of server $name on $dir/root (is the state folder itself on an overlay? set PD_LAB_STATE)"
	echo "$name" >"$dir/root/etc/hostname"
	cat >"$dir/root/etc/systemd/network/10-host0.network" <<-EOF
		[Match]
		Name=host0

		[Network]
		Address=$lab_net.$number/24
		Gateway=$lab_net.1
		LinkLocalAddressing=no
	EOF
	[[ -e $dir/root/etc/ssh/ssh_host_ed25519_key ]] ||
		chroot "$dir/root" ssh-keygen -q -t ed25519 -N '' -C "root@$name" -f /etc/ssh/ssh_host_ed25519_key
	touch "$dir/made"
	write_hosts
}

free_number() {
	local number
	for number in {10..250}; do
		grep -qsx "$number" "$lab_servers"/*/number || { echo "$number"; return 0; }
	done
	return 1
}

# Every server must know every name, its own first of all: smbd waits 20 s for a name that nobody answers.
write_hosts() {
	local dir file
	for dir in "$lab_servers"/*/; do
		[[ -e $dir/made ]] || continue
		file=$dir/root/etc/hosts
		{
			grep -v ' # lab$' "$file"
			printf '%s lab # lab\n' "$lab_net.1"
			other_hosts
		} >"$file.lab" && mv "$file.lab" "$file"
	done
}

other_hosts() {
	local dir
	for dir in "$lab_servers"/*/; do
		[[ -e $dir/made ]] || continue
		printf '%s.%s %s # lab\n' "$lab_net" "$(<"$dir/number")" "$(basename "$dir")"
	done
}

# Starts a server that has a disk and is off.
start() {
	setsid "$lab_dir/inner.sh" run "$1" </dev/null >>"$lab_servers/$1/console.log" 2>&1 &
}

# The server's power: starts it, and starts it again when it asked for a reboot or had its power cut.
run() {
	local name=$1 dir=$lab_servers/$1 cgroup=$lab_cgroup/$1 status bind
	local -a binds=()
	close_descriptors
	echo 0 >"$lab_cgroup/.holder/cgroup.procs"
	while read -r bind; do binds+=("--bind-ro=$bind"); done <"$dir/binds"
	while :; do
		cgroup_remove "$cgroup"
		mkdir -p "$cgroup"
		echo "$(($(<"$dir/boots") + 1))" >"$dir/boots.new" && mv "$dir/boots.new" "$dir/boots"
		echo on >"$dir/phase"
		(
			echo 0 >"$cgroup/cgroup.procs"
			SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --quiet --boot --register=no --keep-unit \
				--directory="$dir/root" --machine="$name" --hostname="$name" --network-bridge="$bridge" \
				--link-journal=no --resolv-conf=off --timezone=off --console=pipe \
				--capability=CAP_NET_ADMIN "${binds[@]}"
		)
		status=$?
		# systemd-nspawn may end while the server lives on.
		cgroup_remove "$cgroup"
		printf '%(%F %T)T boot %s ended with status %s\n' -1 "$(<"$dir/boots")" "$status" >>"$dir/exits"
		# 133: the server asked to be started again. The flag: its power was cut and comes back.
		if [[ $status != 133 ]]; then
			[[ -e $dir/power-back ]] || break
			rm -f "$dir/power-back"
		fi
		[[ ! -e $dir/stay-off ]] || break
	done
	echo "off $status" >"$dir/phase"
}

# Throws the disk of a server that is off away.
remove() {
	umount "$lab_servers/$1/root"
	rm -rf --one-file-system "${lab_servers:?}/$1"
	write_hosts
}

# Reaches the disk of a server that is off.
on_disk() {
	local name=$1
	shift
	exec chroot "$lab_servers/$name/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}

"$@"
