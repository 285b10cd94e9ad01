#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in a server: nginx, in the version of the release, before Apache. https://shop.example/ is Apache's page by way of
# nginx (certificate: /etc/ssl/lab.pem), http://www.example/ Apache's alone, http://old.example/ leads to the shop.
# No name service knows these names.

export DEBIAN_FRONTEND=noninteractive
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 20 -subj /CN=shop.example \
	-addext subjectAltName=DNS:shop.example -keyout /etc/ssl/lab.key -out /etc/ssl/lab.pem 2>/dev/null
mkdir -p /var/www/shop /var/www/www /etc/nginx/sites-enabled
echo '<h1>Welcome to the shop</h1>' >/var/www/shop/index.html
echo '<h1>News</h1>' >/var/www/www/index.html
cat >/etc/apache2/sites-available/shop.conf <<S
<VirtualHost *:80>
	ServerName shop.example
	DocumentRoot /var/www/shop
</VirtualHost>
<VirtualHost *:80>
	ServerName www.example
	DocumentRoot /var/www/www
</VirtualHost>
<VirtualHost *:80>
	ServerName old.example
	Redirect permanent / https://shop.example/
</VirtualHost>
S
a2ensite -q shop && systemctl reload apache2
# without the default site, which wants Apache's port
cat >/etc/nginx/sites-enabled/default <<S
server {
	listen 443 ssl;
	server_name shop.example;
	ssl_certificate /etc/ssl/lab.pem;
	ssl_certificate_key /etc/ssl/lab.key;
	location / {
		proxy_pass http://127.0.0.1:80;
		proxy_set_header Host \$host;
	}
}
S
apt-get update -qq && apt-get install -qqy --no-install-recommends -t "$release" nginx || exit 1
