#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in a server: Postfix and Dovecot, in the versions of the release, as mail.example. The mailbox is alice's; mail
# comes in by port 25, and by 587 with her password, is read by 143 and 993 (certificate: /etc/ssl/lab.pem).

export DEBIAN_FRONTEND=noninteractive
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
apt-get update -qq && apt-get install -qqy --no-install-recommends -t "$release" postfix dovecot-imapd || exit 1
echo '127.0.0.1 mail.example' >>/etc/hosts
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 20 -subj /CN=mail.example \
	-addext subjectAltName=DNS:mail.example,DNS:localhost -keyout /etc/ssl/lab.key -out /etc/ssl/lab.pem 2>/dev/null
cat >/etc/dovecot/local.conf <<S
mail_location = maildir:~/Maildir
ssl_cert = </etc/ssl/lab.pem
ssl_key = </etc/ssl/lab.key
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
S
postconf -e myhostname=mail.example 'mydestination=$myhostname, localhost' 'home_mailbox=Maildir/' mynetworks=127.0.0.0/8 \
	smtpd_tls_cert_file=/etc/ssl/lab.pem smtpd_tls_key_file=/etc/ssl/lab.key smtpd_sasl_type=dovecot smtpd_sasl_path=private/auth
postconf -M submission/inet='submission inet n - y - - smtpd'
postconf -P submission/inet/smtpd_tls_security_level=encrypt submission/inet/smtpd_sasl_auth_enable=yes \
	submission/inet/smtpd_client_restrictions=permit_sasl_authenticated,reject
systemctl restart dovecot postfix
