#!/bin/bash
# SPDX-License-Identifier: MIT
# A real mail server, Postfix and Dovecot, goes through its whole runbook while others go on sending: once with an update
# that takes Dovecot's certificate away, to rolled back, and once to done. No message is lost. What both save goes to a medium.
export PD_LAB=${PD_LAB:-t-mail}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap 'kill "$sender" 2>/dev/null; "$lab" destroy >/dev/null 2>&1; [ -z "$loop" ] || losetup -d "$loop"; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)
sender='' loop='' label=PD$$
parameters=(--param address=alice@mail.example --param user=alice --param password=file:/root/alice --param ca=/etc/ssl/lab.pem
	--param smtp=smtp://mail.example:587 --param starttls=true --param imap=imaps://mail.example)

version() { on_server dpkg-query -W -f '${Version}' dovecot-core </dev/null; }
# copied RUNS: so many runs have their copy on the medium, all of them whole, and the newest one's report names it
copied()
{
	[ -n "$loop" ] || return
	is "what was saved is on the medium, whole" "$(on_device 'for run in fp1/*; do
		(cd "$run" && test -s state.tar.zst && sha256sum -c --quiet MANIFEST) && echo whole; done' 2>&1 | paste -sd' ')" "$1"
	like "which the report names" "$(reported save/copy.medium)" \
		"name=\"folder\" value=\"/$(on_device 'ls -d fp1/* | tail -n 1')\"[^@]*copy.medium/MANIFEST"
}
# which messages with such a subject alice has
mailbox() { on_server sh -c 'grep -rhs "^Subject: $1" /home/alice/Maildir/cur /home/alice/Maildir/new | tr -d "\r"' sh "$1" </dev/null | sort -u; }
# lost SENT: of the subjects in this file
lost() { mailbox remote | comm -13 - <(sort -u "$1"); }

server_up || { echo "Bail out! no server"; exit 1; }
on_server bash -s <"$PD_SRCDIR/tests/lab/server-mail.sh" >"$tmp/setup" 2>&1
only 'dovecot*' libssl3 openssl
old=$(version)
is "both servers run, and Dovecot has an update to come" "$(on_server systemctl is-active postfix@- dovecot </dev/null | xargs) $(
	on_server apt-get -s upgrade </dev/null | grep -c '^Inst dovecot-core ')" "active active 1" || sed 's/^/# /' "$tmp/setup"

# a medium that says of itself that it can be taken out
truncate -s 256M "$tmp/medium" && mkfs.ext4 -q -L "$label" "$tmp/medium"
if device "$tmp/medium"; then
	give_device 'echo 1 >/run/removable; mount --bind /run/removable "/sys/devices/virtual/block/${1##*/}/removable"'
	parameters+=(--param "away_medium=$label")
fi

# another mail server, which sends its next message when the last one was taken
cat >"$tmp/sender" <<'S'
#!/bin/bash
for ((n = 1; ; n++)); do
	until printf 'Subject: remote %s\r\n\r\nhello\r\n' "$n" | curl -sS --max-time 10 --mail-from carol@lab.example \
		--mail-rcpt alice@mail.example -T - "smtp://$1/lab.example"; do sleep 0.3; done
	echo "Subject: remote $n" >>"$2"
	sleep 0.3
done
S
"$lab" net -- bash "$tmp/sender" "$("$lab" address "$server")" "$tmp/sent" </dev/null >"$tmp/met" 2>&1 &
sender=$!

# ---- an update that changes Dovecot's certificate, once, and a program of the server that sends mail meanwhile
on_server sh -c 'cat >/root/fault; chmod 755 /root/fault; echo "DPkg::Post-Invoke { \"test ! -x /root/fault || /root/fault\"; };" >/etc/apt/apt.conf.d/lab' <<'S'
#!/bin/sh
rm -f /root/fault
sed -i s,/etc/ssl/lab.pem,/etc/ssl/certs/ssl-cert-snakeoil.pem, /etc/dovecot/local.conf
sed -i s,/etc/ssl/lab.key,/etc/ssl/private/ssl-cert-snakeoil.key, /etc/dovecot/local.conf
printf 'Subject: local\n\nhello\n' | sendmail alice
S
inventory >"$tmp/before"
to_its_end "rolled back" mail "${parameters[@]}"
is "a mailbox that can't be reached afterwards ends rolled back" "$(run_state)" "rolled back"
like "the certificate is named" "$(on_server patchday status </dev/null)" 'state: rolled back: install/probe.imap: imaps://mail.example/INBOX: SSL: no alternative certificate'
is "Dovecot is the one before" "$(version)" "$old"
copied whole
inventory >"$tmp/after"
empty "packages, services and files are as before" "$(diff "$tmp/before" "$tmp/after" | head -40)"
like "who sends was turned away meanwhile" "$(tail -1 "$tmp/met")" 'Failed to connect to'
is "what the server itself sent meanwhile has come in" "$(mailbox local)" "Subject: local"

# ---- to done
to_its_end "waiting for sign-off" mail "${parameters[@]}"
is "the whole runbook ends with the work done" "$(run_state)" "waiting for sign-off"
check "Dovecot is a newer one ($(version))" dpkg --compare-versions "$(version)" gt "$old"
is "both run, and no unit has failed" "$(on_server systemctl is-active postfix@- dovecot </dev/null | xargs)$(
	on_server systemctl list-units --state=failed --no-legend </dev/null)" "active active"
out=$(on_server patchday status </dev/null)
for step in prepare/probe.mail prepare/probe.queue install/probe.imap prove/probe.mail prove/probe.queue; do
	like "$step" "$out" "done +$step"
done
like "the updates took effect by a reboot" "$out" 'done +install/host.reboot'
copied "whole whole"
empty "the password is nowhere in state, logs and reports" \
	"$(on_server sh -c 'grep -rl alice-secret /var/lib/patchday /var/log 2>/dev/null' </dev/null)"
empty "each difference is explained by a step" "$(on_server patchday status --json </dev/null | jq -r '.comparison | if .not_compared == [] then
	.differences[] | select((.by | not) and .kind != "errors") | "\(.kind) \(.key) \(.change)" else "not compared: \(.not_compared)" end')"

# ---- the messages
kill "$sender" && wait "$sender" 2>/dev/null
for _ in {1..100}; do [ -n "$(lost "$tmp/sent")" ] || break; sleep 0.1; done
check "messages came in all the time ($(wc -l <"$tmp/sent"))" [ "$(wc -l <"$tmp/sent")" -gt 20 ]
empty "none of them is lost" "$(lost "$tmp/sent")"
empty "none was sent back" "$(on_server sh -c 'grep -h "status=bounced" /var/log/mail.log' </dev/null)"
empty "and none of the test is left" "$(mailbox "patchday probe")"
for party in operations "application owner"; do on_server patchday signoff --party "$party" --name Ann </dev/null >/dev/null; done
is "signed by both it is done" "$(run_state)" done
end
