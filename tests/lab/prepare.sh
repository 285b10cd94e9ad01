#!/bin/bash
# SPDX-License-Identifier: MIT
# Configures the base root as a file and print server of the lab; called by build.sh as prepare.sh WORK CODENAME.
set -euo pipefail

work=$1 codename=$2
root=$work/root

in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

package_source() {
	rm -rf "$root"/etc/apt/{sources.list,apt.conf.d/99mmdebstrap} "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb
	install -m 644 "$work/keyring.gpg" "$root/usr/share/keyrings/patchday-lab.gpg"
	cat >"$root/etc/apt/sources.list.d/lab.sources" <<-EOF
		Types: deb
		URIs: file:/srv/mirror
		Suites: $codename $codename-security
		Components: main
		Signed-By: /usr/share/keyrings/patchday-lab.gpg
	EOF
	# Daily timers would fetch and install in the middle of a test.
	in_root systemctl mask apt-daily.timer apt-daily-upgrade.timer
}

system() {
	: >"$root/etc/resolv.conf"
	mkdir -p "$root/var/log/journal" "$root/etc/systemd/journald.conf.d" "$root/srv/mirror" "$root/srv/volume"
	printf '[Journal]\nStorage=persistent\n' >"$root/etc/systemd/journald.conf.d/lab.conf"
	in_root systemctl enable systemd-networkd
	# Nobody waits for a network that is there at once, and nobody sits at the console.
	in_root systemctl mask systemd-networkd-wait-online.service console-getty.service
}

# Every server may log in on every other as root. Host keys are made with each server.
ssh() {
	rm -f "$root"/etc/ssh/ssh_host_*
	ssh-keygen -q -t ed25519 -N '' -C lab -f "$work/id_ed25519"
	install -d -m 700 "$root/root/.ssh"
	install -m 600 "$work/id_ed25519" "$root/root/.ssh/id_ed25519"
	install -m 600 "$work/id_ed25519.pub" "$root/root/.ssh/authorized_keys"
	cat >"$root/root/.ssh/config" <<-'EOF'
		Host *
		    StrictHostKeyChecking no
		    UserKnownHostsFile /dev/null
		    LogLevel ERROR
	EOF
	cat >"$root/etc/ssh/sshd_config.d/lab.conf" <<-'EOF'
		HostKey /etc/ssh/ssh_host_ed25519_key
		UseDNS no
		PermitRootLogin prohibit-password
	EOF
}

shares() {
	cat >"$root/etc/samba/smb.conf" <<-'EOF'
		[global]
		    workgroup = LAB
		    server role = standalone server
		    map to guest = bad user
		    disable netbios = yes
		    load printers = no
		    log file = /var/log/samba/log.%m

		[pub]
		    comment = for everybody
		    path = /srv/pub
		    guest ok = yes
		    read only = no

		[data]
		    comment = of alice
		    path = /srv/data
		    valid users = alice
		    read only = no
	EOF
	in_root useradd --create-home --shell /bin/bash alice
	install -d -m 777 "$root/srv/pub"
	echo 'hello from the lab' >"$root/srv/pub/hello.txt"
	in_root install -d -m 770 -o alice -g alice /srv/data
	echo 'data of alice' >"$root/srv/data/report.txt"
	in_root chown alice:alice /srv/data/report.txt
	# Without NetBIOS and a directory these have nothing to do.
	in_root systemctl mask nmbd.service samba-ad-dc.service
}

printing() {
	# cupsd writes its queues up to 30 s late and would go away when idle.
	printf 'DirtyCleanInterval 0\nIdleExitTimeout 0\n' >>"$root/etc/cups/cupsd.conf"
}

package_source
system
ssh
shares
printing
in_root systemctl enable cron rsyslog apache2 smbd ssh cups
