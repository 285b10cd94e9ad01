#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in a server: the real NUT with a UPS "rack" that tells what is in /etc/nut/rack.dev (dummy-ups). When it is on
# battery and low, upsmon makes /run/t-shutdown.

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -qqy --no-install-recommends nut-server nut-client || exit 1
echo MODE=standalone >/etc/nut/nut.conf
printf '[rack]\ndriver = dummy-ups\nport = rack.dev\n' >/etc/nut/ups.conf
printf 'ups.status: OL\nbattery.charge: 100\nbattery.runtime: 1800\n' >/etc/nut/rack.dev
echo 'LISTEN 127.0.0.1 3493' >/etc/nut/upsd.conf
printf '[watch]\npassword = hunter22\nupsmon primary\n' >/etc/nut/upsd.users
cat >/etc/nut/upsmon.conf <<S
MONITOR rack@localhost 1 watch hunter22 primary
MINSUPPLIES 1
SHUTDOWNCMD "/bin/touch /run/t-shutdown"
POLLFREQ 1
POLLFREQALERT 1
FINALDELAY 0
S
chgrp nut /etc/nut/*; chmod 640 /etc/nut/*
systemctl restart nut-driver-enumerator
systemctl restart nut-driver.target nut-server
systemctl enable nut-monitor
systemctl restart nut-monitor
