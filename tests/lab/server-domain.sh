#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in a server as `bash -s ADDRESS [FIRST]`: Samba as a domain controller of lab.example, the first one, or one that
# joins the domain of the controller at FIRST. The administrator's password is Admin-secret-1; user probe: Probe-secret-1.
address=$1 first=${2:-}
name=$(hostname)

export DEBIAN_FRONTEND=noninteractive TDB_NO_FSYNC=1
systemctl disable -q --now smbd apache2 2>/dev/null
apt-get update -qq && apt-get install -qqy --no-install-recommends krb5-user ldb-tools python3-markdown samba-ad-provision \
	samba-dsdb-modules samba-vfs-modules winbind || exit 1
systemctl disable -q --now winbind 2>/dev/null
rm -f /etc/samba/smb.conf /var/lib/samba/private/*.tdb
{ echo "$address $name.lab.example $name"; cat /etc/hosts; } >/etc/hosts.new && mv /etc/hosts.new /etc/hosts
options=(--dns-backend=SAMBA_INTERNAL "--option=disable netbios = yes" "--option=load printers = no")
if [ -z "$first" ]; then
	samba-tool domain provision --realm=LAB.EXAMPLE --domain=LAB --server-role=dc --adminpass=Admin-secret-1 \
		--host-ip="$address" "${options[@]}"
else
	printf 'search lab.example\nnameserver %s\n' "$first" >/etc/resolv.conf
	printf '[libdefaults]\n\tdefault_realm = LAB.EXAMPLE\n' >/etc/krb5.conf
	echo Admin-secret-1 >/root/admin
	PASSWD_FILE=/root/admin samba-tool domain join lab.example DC -U Administrator "${options[@]}"
fi >/root/domain 2>&1 || { tail -20 /root/domain; exit 1; }
cp /var/lib/samba/private/krb5.conf /etc/krb5.conf
printf 'search lab.example\n%snameserver %s\n' "${first:+nameserver $first
}" "$address" >/etc/resolv.conf
# its own name servers are no forwarders: they would ask each other for ever
sed -i '/dns forwarder/d' /etc/samba/smb.conf
[ -n "$first" ] || samba-tool user create probe Probe-secret-1 >/dev/null
systemctl unmask -q samba-ad-dc
systemctl enable -q --now samba-ad-dc
