#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs once inside the first booted server: what only running services can set up, and proof that they answer.
set -euo pipefail

until_true() {
	local tries=100
	until "$@" >/dev/null 2>&1; do
		((tries-- > 0)) || { echo "setup: gave up waiting for: $*" >&2; return 1; }
		sleep 0.1
	done
}

printed() { lpstat -W completed -o "$1" | grep -q .; }

apt-get update --error-on=any

printf 'alice:alice-secret\n' | chpasswd
printf 'alice-secret\nalice-secret\n' | smbpasswd -s -a alice

pdf_driver=$(lpinfo -m | awk '/CUPS-PDF_opt/ { print $1; exit }')
lpadmin -p PDF -E -v cups-pdf:/ -m "$pdf_driver" -D "PDF files" -L "Hall" -o printer-is-shared=true
lpadmin -p laser -E -v file:///dev/null -m drv:///sample.drv/laserjet.ppd -D "Laser printer" -L "Room 2" -o printer-is-shared=true
lpadmin -d PDF
lpoptions -p laser -o sides=two-sided-long-edge -o media=A4
lpoptions -p PDF -o media=A4

until_true smbclient -N -L //127.0.0.1
smbclient -N //127.0.0.1/pub -c 'get hello.txt /dev/null'
smbclient -U alice%alice-secret //127.0.0.1/data -c 'get report.txt /dev/null'
for queue in PDF laser; do
	echo "first page" | lp -d "$queue" -
	until_true printed "$queue"
done
until_true curl -fsS -o /dev/null http://127.0.0.1/
# The proofs are not part of a new server.
cancel -a -x
rm -rf /var/spool/cups-pdf/ANONYMOUS/* /root/PDF
systemctl is-system-running --wait
