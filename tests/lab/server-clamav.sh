#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in a server: the real clamd and freshclam, on one definition of our own, of a file that says
# "patch-day-test-virus"; freshclam takes it and its successors from /srv/source. Nothing is downloaded.

export DEBIAN_FRONTEND=noninteractive
ln -s /dev/null /etc/systemd/system/clamav-freshclam.service
apt-get update -qq && apt-get install -qqy --no-install-recommends clamav-daemon clamav-freshclam || exit 1
mkdir -p /srv/source
printf 'Test.One:0:*:%s\n' "$(printf patch-day-test-virus | od -An -tx1 | tr -d ' \n')" >/srv/source/local.ndb
cat >/etc/clamav/freshclam.conf <<S
DatabaseOwner clamav
UpdateLogFile /var/log/clamav/freshclam.log
DatabaseDirectory /var/lib/clamav
Foreground yes
Checks 1
ExcludeDatabase main
ExcludeDatabase daily
ExcludeDatabase bytecode
DatabaseMirror nowhere.invalid
DatabaseCustomURL file:///srv/source/local.ndb
S
chmod -R a+rX /srv/source
rm /etc/systemd/system/clamav-freshclam.service
# Debian starts clamd only with the definitions of ClamAV's makers
for unit in clamav-daemon.service clamav-daemon.socket; do
	mkdir -p /etc/systemd/system/$unit.d
	printf '[Unit]\nConditionPathExistsGlob=\n' >/etc/systemd/system/$unit.d/own.conf
done
systemctl daemon-reload
freshclam
touch -d '2 days ago' /var/lib/clamav/local.ndb
systemctl enable --now clamav-freshclam
systemctl restart clamav-daemon.socket clamav-daemon
