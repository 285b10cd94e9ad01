#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in a server: the second place of the roles' away_ssh, keeper@vault:2222:/srv/volume/vault. It is an sshd of its own with
# another host key and a log of its own, which is not this server's, and the way there is made as the manual of the plugin copy
# has it.
mkdir -p /etc/patchday/second
ssh-keygen -q -t ed25519 -N '' -f /etc/patchday/second/key
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/vault_key
useradd --create-home --shell /bin/sh keeper
install -d -o keeper -m 700 /srv/volume/vault /home/keeper/.ssh
echo "restrict,command=\"internal-sftp\" $(cat /etc/patchday/second/key.pub)" >/home/keeper/.ssh/authorized_keys
cat >/etc/ssh/vault_config <<S
Port 2222
HostKey /etc/ssh/vault_key
PidFile none
UsePAM yes
PasswordAuthentication no
Subsystem sftp internal-sftp
S
cat >/etc/systemd/system/vault.service <<S
[Service]
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
ExecStart=/usr/sbin/sshd -D -f /etc/ssh/vault_config -E /srv/volume/vault.log
[Install]
WantedBy=multi-user.target
S
echo 127.0.0.1 vault >>/etc/hosts
systemctl enable -q --now vault
for _ in $(seq 300); do
	ssh-keyscan -p 2222 vault >/etc/patchday/second/known_hosts && [ -s /etc/patchday/second/known_hosts ] && exit 0
	sleep 0.1
done
systemctl status vault
exit 1
