#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in a server: the real squid, in the version of the release, behind nftables. Port 3128 is for everybody of the
# server itself, 3129 for carol with her password; what is in /srv/lists/blocked is forbidden. The pages are those of
# apache, http and https (/etc/ssl/lab.pem); "intern" and "forbidden" are names of the server.

export DEBIAN_FRONTEND=noninteractive
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
apt-get update -qq && apt-get install -qqy --no-install-recommends -t "$release" nftables \
	"squid=$(apt-cache madison squid | awk -v suite="$release/" '$6 ~ "^" suite || $5 ~ "^" suite { print $3; exit }')" \
	"squid-common=$(apt-cache madison squid-common | awk -v suite="$release/" '$6 ~ "^" suite || $5 ~ "^" suite { print $3; exit }')" || exit 1
echo '127.0.0.1 intern forbidden' >>/etc/hosts
mkdir -p /srv/lists
echo forbidden >/srv/lists/blocked
printf 'carol:%s\n' "$(openssl passwd -apr1 carol-secret)" >/etc/squid/passwd
chown root:proxy /etc/squid/passwd
chmod 640 /etc/squid/passwd
cat >/etc/squid/squid.conf <<S
http_port 3128
http_port 3129 name=password
auth_param basic program /usr/lib/squid/basic_ncsa_auth /etc/squid/passwd
acl known proxy_auth REQUIRED
acl password myportname password
acl blocked dstdomain "/srv/lists/blocked" # one name a line
acl SSL_ports port 443
http_access deny CONNECT !SSL_ports
http_access deny blocked
http_access deny password !known
include /etc/squid/conf.d/*.conf
http_access allow localhost
http_access deny all
cache_dir ufs /var/spool/squid 50 4 4
coredump_dir /var/spool/squid
shutdown_lifetime 1 seconds
S
systemctl stop squid
systemctl start squid
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=intern \
	-addext subjectAltName=DNS:intern,DNS:forbidden,DNS:localhost -keyout /etc/ssl/lab.key -out /etc/ssl/lab.pem 2>/dev/null
cat >/etc/apache2/sites-available/lab-ssl.conf <<S
<VirtualHost *:443>
	DocumentRoot /var/www/html
	SSLEngine on
	SSLCertificateFile /etc/ssl/lab.pem
	SSLCertificateKeyFile /etc/ssl/lab.key
</VirtualHost>
S
a2enmod -q ssl && a2ensite -q lab-ssl && systemctl restart apache2
cat >/etc/nftables.conf <<S
#!/usr/sbin/nft -f
flush ruleset
include "/etc/nftables.d/*.nft"
S
mkdir -p /etc/nftables.d
cat >/etc/nftables.d/proxy.nft <<S
table inet filter {
	set lan {
		type ipv4_addr
		flags interval
		elements = { 10.77.0.0/24, 127.0.0.0/8 }
	}
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iifname "lo" accept
		meta l4proto { icmp, ipv6-icmp } accept
		ip saddr @lan tcp dport { 22, 3128, 3129 } counter accept
	}
}
S
systemctl enable -q nftables && systemctl restart nftables
