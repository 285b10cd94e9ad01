# SPDX-License-Identifier: MIT
# Sourced by the demo and the lab tests of whole runs: one server with patchday
# installed as `make install` leaves it.  Expects $PD_SRCDIR and $PD_BUILDDIR.
# shellcheck shell=bash disable=SC2034

lab=$PD_SRCDIR/tests/lab/lab
server=fp1
parameters=(--param site=lab --param share=data --param user=alice
	--param password=file:/root/alice --param away=/srv/volume --answers /root/answers.json)

on_server()
{
	"$lab" exec "$server" -- "$@"
}

# disk FOLDER: make it a base whose root is a server's / itself, with no overlay
# over it, as on an ordinary server; for LAB_DIRECT
disk()
{
	local base

	base=$(
		lab_dir=$PD_SRCDIR/tests/lab
		# shellcheck source=tests/lab/lib.sh
		. "$lab_dir/lib.sh"
		readlink -e "$lab_cache/$(recipe_digest)"
	) || return 1
	cp -a --reflink=auto "$base/root" "$1/root" && ln -s "$base/mirror" "$1/mirror" && : >"$1/lock"
}

# server_up: a new server; the lab ends with this process
server_up()
{
	local stage

	# the mode of the folder becomes that of the server's /
	stage=$(mktemp -d) && chmod 755 "$stage"
	"$lab" destroy >/dev/null 2>&1 || true
	make -s -C "$PD_BUILDDIR" install DESTDIR="$stage" >/dev/null 2>&1 || return 1
	"$lab" up --owner $$ "$server" </dev/null >/dev/null || return 1
	"$lab" push "$server" "$stage" / </dev/null || return 1
	rm -rf "$stage"
	give_parameters
}

# give_parameters: the files that the parameters name
give_parameters()
{
	printf 'alice-secret\n' | on_server sh -c 'umask 077; cat >/root/alice' &&
		printf '{"downtime": true, "recovery": {"answer": true, "who": "Ann", "when": "2026-11-20T08:00:00Z"}}\n' |
		on_server sh -c 'cat >/root/answers.json'
}

# new_messages: what eventlog.compare of any run found, as comments of a test
new_messages()
{
	on_server sh -c 'find /var/lib/patchday -name new-messages.txt -exec cat {} +
		echo "errors of this boot:"; journalctl -q -b -p err --no-pager | tail -30' </dev/null 2>&1 | sed 's/^/# | /'
}

# run_state: of the newest run; nothing while the server is not there
run_state()
{
	on_server patchday status --json 2>/dev/null </dev/null |
		sed -n 's/^  "state": "\(.*\)",*$/\1/p'
}

# follow_run SECONDS: until the run ends or waits for a person, over reboots
follow_run()
{
	local end=$((SECONDS + $1)) boots now lines

	lines=$(mktemp)
	boots=$("$lab" boots "$server")
	while [ $SECONDS -lt "$end" ]; do
		"$lab" wait --timeout 120 "$server" >/dev/null 2>&1 </dev/null || continue
		case $(run_state) in
		done | 'rolled back' | 'waiting for sign-off' | stopped | inconsistent | refused) return 0 ;;
		esac
		now=$("$lab" boots "$server")
		[ "$now" = "$boots" ] || echo "-- the server was started anew (boot $now); the run goes on by itself"
		boots=$now
		# each time it begins with the first event: print what is new
		on_server timeout 300 patchday status --follow </dev/null 2>/dev/null |
			awk 'FILENAME == ARGV[1] { seen[$0]; next } !($0 in seen) { print; fflush() }' "$lines" - |
			tee -a "$lines"
		sleep 0.3
	done
	return 1
}

# device IMAGE: $loop becomes that as a block device of this machine; whoever ends gives it back. Fails where there is none
device()
{
	loop=$(losetup -f --show "$1" 2>&1) || { echo "# SKIPPED: no loop devices here: $loop"; loop=; return 1; }
}

# give_device COMMAND: it is in the server now and from each boot on, and COMMAND is run with it as $1
give_device()
{
	on_server sh -c 'cat >/usr/local/sbin/lab-device && chmod 755 /usr/local/sbin/lab-device' <<-END
		#!/bin/sh -e
		set -- $loop
		mknod \$1 b $(stat -c '0x%t 0x%T' "$loop")
		$1
	END
	on_server sh -c 'cat >/etc/systemd/system/lab-device.service && systemctl enable -q --now lab-device' <<-END
		[Unit]
		DefaultDependencies=no
		Before=sysinit.target
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/usr/local/sbin/lab-device
		[Install]
		WantedBy=sysinit.target
	END
}

# on_device COMMAND: with the file system of $loop as the current folder, for this command alone
on_device() { unshare --mount sh -c 'mount "$1" /mnt && cd /mnt && eval "$2"' sh "$loop" "$1"; }

# reported STEP: what the report of the newest run, which becomes the certificate, has of it
reported() { on_server patchday report --format xml </dev/null | xmllint --xpath "//*[local-name()='step'][@id='$1']" - 2>/dev/null | paste -sd' '; }

# only PACKAGE...: the updates of these packages are due, and of no other
only()
{
	on_server sh -c 'printf "Package: *\nPin: release l=Debian-Security\nPin-Priority: -1\n\nPackage: $*\nPin: release l=Debian-Security\nPin-Priority: 990\n" \
		>/etc/apt/preferences.d/lab' sh "$@" </dev/null
}

# to_its_end STATE RUN...: a run over all reboots; what it said, as comments of a test, if it did not end like that
to_its_end()
{
	local wanted=$1 log

	shift
	log=$(mktemp)
	on_server patchday run "$@" --answers /root/answers.json </dev/null >"$log" 2>&1
	follow_run 600 >>"$log" 2>&1
	[ "$(run_state)" = "$wanted" ] || { sed 's/^/# /' "$log"; new_messages; }
	rm -f "$log"
}

# inventory: what a rollback has to bring back, item by item
inventory()
{
	on_server sh -c '
		echo "== packages"; dpkg-query -W -f "\${Package}:\${Architecture} \${Version} \${db:Status-Abbrev}\n"
		echo "== marks"; apt-mark showmanual; echo --; apt-mark showhold
		echo "== services"; systemctl list-unit-files --type=service --no-legend --no-pager | sort
		systemctl list-units --type=service --state=running --no-legend --plain --no-pager |
			awk "{ print \$1 }" | grep -v "^patchday\|systemd-" | sort
		echo "== printers"; lpstat -v; lpstat -p | sed "s/since.*//"; lpstat -d; cat /etc/cups/lpoptions 2>/dev/null
		echo "== shares"; testparm -s 2>/dev/null; pdbedit -L
		echo "== files"; find /etc /usr/local /srv/data /srv/pub -xdev -type f ! -path "/etc/patchday/*" \
			! -name "ld.so.cache" ! -path "/etc/systemd/system/patchday-*" ! -path "/etc/cups/subscriptions*" \
			-exec cksum {} + | sort -k3
		echo "== usr"; find /usr/bin /usr/sbin /usr/lib -xdev -type f ! -path "*/__pycache__/*" ! -name "ld.so.cache" \
			-exec cksum {} + | sort -k3 | cksum' </dev/null
}
