#!/bin/bash
# SPDX-License-Identifier: MIT
# Tests the lab itself, and that it leaves nothing behind however it ends; prints TAP, exits 77 where it cannot run.
# shellcheck disable=SC2016 # scripts for the servers' shells are not to be expanded here
set -u

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PD_LAB=selftest-$$
unset PD_LAB_OWNER
# shellcheck source=tests/lab/lib.sh
. "$lab_dir/lib.sh"
lab=$lab_dir/lab
scratch=
count=0
failures=0

skip_all() { echo "1..0 # SKIP $*"; exit 77; }

# NAME COMMAND...: one test; its output is shown only when it fails.
ok() {
	local name=$1 output
	shift
	count=$((count + 1))
	if output=$("$@" 2>&1); then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		printf '%s\n' "$output" | sed 's/^/#   /'
		failures=$((failures + 1))
	fi
}

# Runs a command until it succeeds, for at most 10 s.
soon() {
	local end=$((SECONDS + 10))
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

is() { [[ $1 == "$2" ]] || { echo "got '$1' instead of '$2'"; return 1; }; }
on() { local name=$1; shift; "$lab" exec "$name" -- "$@"; }
status_of() { "$@" >/dev/null 2>&1; echo $?; }

requirements() {
	((EUID == 0)) || skip_all "the lab needs root"
	unshare --mount --net --uts --ipc --pid --fork true 2>/dev/null || skip_all "this machine does not allow namespaces"
	grep -qw overlay /proc/filesystems || skip_all "this kernel has no overlay"
	unshare --mount mount -t cgroup2 none /mnt 2>/dev/null || skip_all "cgroup2 cannot be mounted"
	while read -r package; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || skip_all "no package $package"
	done < <(package_list "$lab_dir/packages.host")
}

# The namespaces of the lab that is up, one a line, to be looked for when it is gone.
remember_namespaces() {
	read_alive "$lab_state/holder" || return 1
	for kind in mnt net pid uts ipc; do readlink "/proc/$pid/ns/$kind"; done >"$scratch/namespaces"
	[[ $(wc -l <"$scratch/namespaces") == 5 ]]
}

# What a lab may leave on a machine. It prints what it finds, and fails if that is anything.
leftovers() {
	local directory
	{
		for directory in /proc/[0-9]*; do
			readlink "$directory"/ns/* 2>/dev/null | grep -qxFf "$scratch/namespaces" &&
				echo "process in the lab's namespaces: ${directory#/proc/} $(tr '\0' ' ' <"$directory/cmdline")"
			grep -qsF "$lab_state/" "$directory/mountinfo" && echo "mount seen by ${directory#/proc/}"
			tr '\0' '\n' 2>/dev/null <"$directory/environ" | grep -qxF "PD_LAB=$PD_LAB" && [[ ${directory#/proc/} != "$$" ]] &&
				grep -qs keeper.sh "$directory/cmdline" && echo "keeper ${directory#/proc/}"
		done
		cgroups
		[[ ! -e $lab_state ]] || echo "folder $lab_state"
	} 2>/dev/null | sed 's/^/left: /' | sort -u >"$scratch/left"
	cat "$scratch/left"
	[[ ! -s $scratch/left ]]
}

cgroups() {
	unshare --mount --propagation private sh -c \
		'mount -t cgroup2 none /mnt && find "/mnt/patchday-lab/$1" -maxdepth 0 2>/dev/null' cgroups "$PD_LAB"
}

nothing_but_state() { leftovers | grep -v '^left: folder' | grep . && return 1; return 0; }
nothing_left() { soon leftovers >/dev/null || leftovers; }

finish() {
	"$lab" destroy >/dev/null 2>&1
	rm -rf "$scratch"
}

servers_work() {
	ok "two servers come up" "$lab" up a b
	remember_namespaces
	ok "systemd is content with a" on a systemctl is-system-running --wait
	ok "systemd is content with b" on b systemctl is-system-running --wait
	ok "a session of PAM logs no error" on a sh -c 'su alice -c true && ! journalctl -q -b -p err | grep pam_'
	ok "status tells that both are booted" is "$("$lab" status | grep -c ' booted ')" 2
	ok "a reaches b by name" on a ping -c 1 -W 2 b
	ok "b reaches a by ssh" is "$(on b ssh a hostname)" a
	ok "the servers have different machine ids" test "$(on a cat /etc/machine-id)" != "$(on b cat /etc/machine-id)"
	ok "the servers do not reach the machine's network" is "$(on a ip -o route show default | grep -vc 10.77.0.1)" 0
	ok "more than 20 packages can be updated" on a sh -c '[ "$(apt list --upgradable 2>/dev/null | grep -c upgradable)" -gt 20 ]'
	ok "apt-get update works without a network" on a apt-get update --error-on=any
	ok "a package that is not installed can be" on a apt-get install -y printer-driver-brlaser
	ok "a package can be updated" on a sh -c \
		'old=$(dpkg-query -W openssl) && apt-get install -y --only-upgrade openssl && [ "$old" != "$(dpkg-query -W openssl)" ]'
	ok "and taken back" on a sh -c '. /etc/os-release && apt-get install -y --allow-downgrades "openssl/$VERSION_CODENAME"'
	ok "the files of the packages are those of the packages" is "$(on b dpkg --verify)" ''
	ok "a guest reads the public share of the neighbour" on b smbclient -N //a/pub -c 'get hello.txt /dev/null'
	ok "a guest does not reach alice's share" on b sh -c '! smbclient -N //a/data -c ls'
	ok "alice writes and reads her share" on b sh -c \
		'cd /tmp && date >x && smbclient -U alice%alice-secret //a/data -c "put x; get x y" && cmp x y'
	ok "a page to the default queue becomes a PDF" on a sh -c \
		'echo page | lp - && for i in $(seq 100); do [ -z "$(lpstat -W not-completed -o)" ] && break; sleep 0.1; done
		ls /var/spool/cups-pdf/ANONYMOUS/*.pdf /root/PDF/*.pdf 2>/dev/null | grep .'
	ok "the web server answers the neighbour" on b curl -fsS -o /dev/null http://a/
	ok "a server added later is known to all" "$lab" up c
	ok "the first server reaches it by name" on a ping -c 1 -W 2 c
}

commands_work() {
	local folder=$scratch/folder
	head -c 300000 /dev/urandom >"$scratch/random"
	ok "exec passes the exit status" is "$(status_of on a sh -c 'exit 7')" 7
	ok "exec passes a signal's status" is "$(status_of on a sh -c 'kill -KILL $$')" 137
	ok "exec tells when there is no such command" is "$(status_of on a nonesuch)" 127
	ok "exec tells when there is no such server" is "$(status_of on nonesuch true)" 125
	ok "exec passes arguments as they are" is "$(on a printf '%s|' 'a  b' '' '*' '$x')" 'a  b||*|$x|'
	ok "exec passes binary input and output" bash -c '"$1" exec a -- cat <"$2" | cmp - "$2"' x "$lab" "$scratch/random"
	ok "exec keeps output and errors apart" is "$("$lab" exec a -- sh -c 'echo out; echo err >&2' 2>/dev/null)" out
	ok "exec ends its command when it is killed" killed_exec
	mkdir -p "$folder/sub" && cp "$scratch/random" "$folder/sub/r" && ln -s sub/r "$folder/l" && chmod 750 "$folder/sub"
	ok "a folder goes in" "$lab" push a "$folder" /opt/folder
	ok "and comes out the same" bash -c '"$1" pull a /opt/folder "$2.back" && diff -r "$2" "$2.back" && [ -L "$2.back/l" ]' x "$lab" "$folder"
	ok "a file goes in under a new name, with its mode" bash -c \
		'chmod 640 "$2"; "$1" push a "$2" /opt/new && [ "$("$1" exec a -- stat -c %a:%U /opt/new)" = 640:root ]' x "$lab" "$scratch/random"
	ok "and comes out the same" bash -c '"$1" pull a /opt/new "$2.back" && cmp "$2" "$2.back"' x "$lab" "$scratch/random"
	ok "a folder of the machine is shown read-only" bash -c \
		'"$1" up --bind-ro "$2:/opt/shown" d && "$1" exec d -- cmp /opt/shown/l /opt/shown/sub/r && ! "$1" exec d -- touch /opt/shown/x' \
		x "$lab" "$folder"
	ok "a program of the machine reaches the servers" "$lab" net -- bash -c 'exec 3<>"/dev/tcp/$1/80"' x "$("$lab" address a)"
	ok "an unknown command is refused" is "$(status_of "$lab" nonesuch)" 2
}

killed_exec() {
	"$lab" exec a -- sleep 4321 >/dev/null 2>&1 &
	soon on a pgrep -f 'sleep 4321' && kill $! && soon on a sh -c '! pgrep -x sleep'
}

power_works() {
	local before after
	on a sh -c 'echo kept >/srv/kept; echo gone >/run/gone'
	before=$(on a cat /proc/sys/kernel/random/boot_id)
	ok "a server reboots" "$lab" reboot a
	after=$(on a cat /proc/sys/kernel/random/boot_id)
	ok "its boot id is new" test -n "$after" -a "$before" != "$after"
	ok "its journal knows both boots" is "$(on a journalctl --list-boots --no-pager | grep -c '^ *-\?[0-9]')" 2
	ok "its disk is kept, its memory not" on a sh -c 'grep -q kept /srv/kept && [ ! -e /run/gone ]'
	ok "a reboot from inside is one too" bash -c '"$1" exec b -- systemctl reboot; "$1" wait --boot 2 b' x "$lab"
	ok "after a power cut it starts again" "$lab" crash a
	ok "in its third boot" is "$("$lab" boots a)" 3
	ok "its disk is kept" on a grep -q kept /srv/kept
	ok "cut with --off it stays off" bash -c '"$1" crash --off a && sleep 0.5 && "$1" status | grep "^a .*off"' x "$lab"
	ok "exec tells that it is off" is "$(status_of on a true)" 125
	ok "its disk can be written and read while it is off" bash -c \
		'"$1" push a /etc/os-release /srv/off && "$1" pull a /srv/off "$2/off" && cmp /etc/os-release "$2/off"' x "$lab" "$scratch"
	ok "it starts" "$lab" start a
	ok "it shuts down in order" bash -c '"$1" down a && "$1" status | grep "^a .*off 0"' x "$lab"
	ok "up starts it again with its disk" bash -c '"$1" up a && "$1" exec a -- test -e /srv/kept' x "$lab"
	ok "up --fresh gives it a new disk" bash -c '"$1" up --fresh a && ! "$1" exec a -- test -e /srv/kept' x "$lab"
	ok "down --remove takes it away" bash -c '"$1" down --remove c && ! "$1" exec a -- grep -w c /etc/hosts' x "$lab"
}

# Two labs do not see one another.
instances_are_apart() {
	ok "another lab has a server of the same name" env PD_LAB="$PD_LAB-2" "$lab" up a
	ok "at the same address" is "$(PD_LAB=$PD_LAB-2 "$lab" address a)" "$("$lab" address a)"
	ok "but it is another one" test "$(PD_LAB=$PD_LAB-2 "$lab" exec a -- cat /etc/machine-id)" != "$(on a cat /etc/machine-id)"
	ok "its end is not the first one's" bash -c 'PD_LAB=$PD_LAB-2 "$1" destroy && "$1" exec a -- true' x "$lab"
}

# However a lab ends, nothing is left but what `lab destroy` is told to remove.
ends_are_clean() {
	local victim owner
	ok "destroy ends the lab" "$lab" destroy
	ok "nothing is left" nothing_left

	"$lab" up a && remember_namespaces
	ok "the holder is killed" kill_file holder
	ok "nothing runs any more" soon nothing_but_state
	ok "status tells so" is "$(status_of "$lab" status)" 3
	ok "up cleans up and begins anew" "$lab" up a

	remember_namespaces
	ok "the keeper is killed" kill_file keeper
	ok "nothing runs any more" soon nothing_but_state
	"$lab" destroy

	"$lab" up a && remember_namespaces
	ok "keeper and holder are killed at once" kill_file keeper holder
	ok "destroy cleans up" "$lab" destroy
	ok "nothing is left" nothing_left

	sleep 1000 &
	owner=$!
	ok "a lab has an owner" "$lab" up --owner "$owner" a
	remember_namespaces
	kill -KILL "$owner"
	ok "the owner is killed, and nothing is left" nothing_left

	# In a session of its own, as after Ctrl-C at a terminal.
	env --default-signal=INT setsid "$lab" up a b c 2>/dev/null &
	victim=$!
	soon test -e "$lab_state/holder" && remember_namespaces
	soon test -e "$lab_servers/a/made"
	kill -INT -- "-$victim"
	wait "$victim"
	ok "Ctrl-C ends up" is $? 130
	ok "nothing is left" nothing_left

	setsid "$lab" up a b c 2>/dev/null &
	victim=$!
	soon test -e "$lab_servers/b" && remember_namespaces
	kill -KILL -- "-$victim"
	wait "$victim"
	ok "up is killed half way, and up completes it" bash -c '"$1" up a b && "$1" exec b -- ping -c 1 -W 2 a' x "$lab"
	setsid "$lab" up c 2>/dev/null &
	victim=$!
	until [[ -e $lab_servers/c/made ]] || ! kill -0 "$victim" 2>/dev/null; do :; done
	kill -KILL -- "-$victim"
	wait "$victim"
	"$lab" up c
	ok "a server that counts as made lacks nothing" on c sh -c 'getent hosts a && getent hosts c && apt-get update --error-on=any'
	"$lab" down b
	echo starting >"$lab_servers/b/phase"
	ok "a start that was killed before it could is begun again" "$lab" start b
	"$lab" destroy
	ok "nothing is left" nothing_left
}

# Kills the processes of these identity files, at once.
kill_file() {
	local file
	local -a pids=()
	for file; do read_alive "$lab_state/$file" && pids+=("$pid"); done
	kill -KILL "${pids[@]}"
}

requirements
scratch=$(mktemp -d)
trap finish EXIT
trap 'exit 130' INT TERM HUP
"$lab" build || { echo "Bail out! the lab cannot be built"; exit 1; }
limit=$(cat /proc/sys/fs/inotify/max_user_instances)
servers_work
commands_work
power_works
instances_are_apart
ends_are_clean
compgen -G "$lab_state_root/*/holder" >/dev/null ||
	ok "the machine's limits are as they were" is "$(cat /proc/sys/fs/inotify/max_user_instances)" "$limit"
echo "1..$count"
((failures == 0))
