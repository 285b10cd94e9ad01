#!/bin/bash
# SPDX-License-Identifier: MIT
# Plugin probe against the real samba, CUPS, sshd and apache of a lab server.
# shellcheck disable=SC2016 # what is quoted runs in the server
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
lab_up probe
push_plugins probe

sh_lab() { in_lab sh -c "$1" </dev/null; }
n=0
# try PLUGIN.STEP ARGS...: all phases, in a work folder of its own
try()
{
	n=$((n + 1))
	work=/opt/pd/work-$n
	run step "$1" check,apply,verify "${@:2}"
}
passes() { is "$rc" 0 "$1"; }
# fails WHAT EXTENDED-REGULAR-EXPRESSION
fails()
{
	is "$rc" 1 "$1: fails"
	like "$out" "$2" "$1: says why"
}

echo '# smb'
alice="user=alice password=alice-secret"
# shellcheck disable=SC2086
{
try probe.smb share=data $alice
passes "alice lists, writes, reads back and deletes in data"
is "$(sh_lab 'ls /srv/data | grep -c patchday')" 0 "nothing is left in the share"
like "$(sh_lab "cat \$(find $work -name probe.txt)")" 'compare: 65536 bytes' \
	"the evidence tells the stages"
unlike "$(sh_lab "grep -r alice-secret $work; echo -; ls -R $work")" 'alice-secret|auth' \
	"no password is in the work folder"
try probe.smb share=pub guest=true
passes "a guest uses pub"
try probe.smb share=data user=alice password=wrong
fails "a wrong password" 'connect of //localhost/data.*LOGON_FAILURE'
unlike "$out" 'wrong' "the password is not shown"
try probe.smb share=nosuch $alice
fails "a share that is not there" 'connect of .*BAD_NETWORK_NAME'
try probe.smb share=data guest=true
fails "a guest in a share of alice" 'connect of .*a guest.*ACCESS_DENIED'
try probe.smb share=data $alice folder=nosuch
fails "a folder that is not there" 'list of '
for folder in .. ../../.. a/../b 'a\..'; do
	try probe.smb share=data $alice folder="$folder"
	fails "the folder $folder" 'folder is .*without \.\.'
done
sh_lab 'mkdir -p /srv/data/locked && chmod 555 /srv/data/locked'
try probe.smb share=data $alice folder=locked
fails "a folder that can't be written" 'write of .*ACCESS_DENIED'
sh_lab 'printf "[deaf]\npath = /srv/data\nread only = no\nveto files = /patchday-probe-*/\n" >>/etc/samba/smb.conf; smbcontrol all reload-config'
try probe.smb share=deaf $alice
fails "a share that vetoes the file" '(write|read) of '
sh_lab 'mkdir -p /srv/sticky && chown root /srv/sticky && chmod 1777 /srv/sticky
	printf "[sticky]\npath = /srv/sticky\nread only = no\nforce user = alice\ncreate mask = 0000\nforce create mode = 0200\n" >>/etc/samba/smb.conf; smbcontrol all reload-config'
try probe.smb share=sticky $alice
fails "a file that can't be read again" 'read of .*ACCESS_DENIED'
is "$(sh_lab 'ls /srv/sticky')" "" "what was written is deleted even so"
sh_lab 'mkdir -p /srv/keep && chmod 1777 /srv/keep
	printf "[keep]\npath = /srv/keep\nread only = no\ninherit owner = yes\n" >>/etc/samba/smb.conf; smbcontrol all reload-config'
try probe.smb share=keep $alice
fails "a file that can't be deleted" 'delete of .*(ACCESS_DENIED|CANNOT_DELETE|still there)'
in_lab sh -c 'cat >/opt/spoil; (timeout 120 python3 /opt/spoil) >/dev/null 2>&1 &' <<'END'
import glob, os, time
open("/srv/spoils", "w").close()
while True: # between writing and reading, a few bytes change
    for name in glob.glob("/srv/data/patchday-probe-*"):
        if os.path.getsize(name) == 65536:
            with open(name, "r+b") as f:
                f.seek(40000)
                f.write(b"?!?!?!?!")
            raise SystemExit
    time.sleep(0.001)
END
soon '[ -e /srv/spoils ]'
try probe.smb share=data $alice
fails "a file that comes back changed" 'compare fails: .*not the 65536'
is "$(sh_lab 'ls /srv/data | grep -c patchday')" 0 "it is deleted even so"
sh_lab 'systemctl stop smbd'
try probe.smb share=data $alice timeout=2
fails "a stopped smbd" 'connect of .*CONNECTION_REFUSED.*still so after'
sh_lab '(sleep 3; systemctl start smbd) >/dev/null 2>&1 &'
try probe.smb share=data $alice timeout=30
passes "an smbd that starts three seconds later"
try probe.smb share=data user=alice
fails "a user without password" 'either user and password, or guest'
try probe.smb "share=//host/data" $alice
fails "a share with its server" 'share is the name alone'
# who looks at the processes meanwhile sees no password
sh_lab '(until [ -e /srv/enough ]; do touch /srv/looks; cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\0" " " | grep -a smbclient; sleep 0.005; done >/srv/seen) >/dev/null 2>&1 &'
soon '[ -e /srv/looks ]'
try probe.smb share=data $alice
sh_lab 'touch /srv/enough'
like "$(sh_lab 'cat /srv/seen')" '//localhost/data' "smbclient was seen among the processes"
unlike "$(sh_lab 'cat /srv/seen | grep -av password=')" 'smbclient.*alice-secret' "without the password"
}

echo '# print'
try probe.print
passes "the default printer prints"
like "$out" 'PDF' "which is PDF"
like "$(sh_lab 'lpstat -W completed -o')" 'PDF-' "CUPS has the job as completed"
try probe.print queue=laser
passes "laser prints"
sh_lab 'lpadmin -p paper -c all-of-them; lpadmin -p laser -c all-of-them; cupsenable all-of-them; cupsaccept all-of-them' 2>/dev/null
try probe.print queue=all-of-them
passes "a class prints"
try probe.print queue=nosuch
fails "a queue that is not there" 'no queue nosuch'
sh_lab 'cupsdisable -r "no toner" laser'
try probe.print queue=laser
fails "a stopped queue" 'laser is stopped: no toner'
sh_lab 'cupsenable laser; cupsreject -r moved laser'
try probe.print queue=laser
fails "a queue that rejects" 'does not accept jobs'
sh_lab 'cupsaccept laser; lpadmin -p laser -o job-hold-until-default=indefinite' 2>/dev/null
try probe.print queue=laser
fails "a queue whose jobs wait for somebody" 'job [0-9]+ on laser is held: job-hold-until-specified'
sh_lab 'lpadmin -p laser -o job-hold-until-default=no-hold; lpadmin -p far -E -v socket://127.0.0.1:9 -m raw' 2>/dev/null
try probe.print queue=far timeout=3
fails "a printer that can't be reached" 'not printed within 3 s'
is "$(sh_lab 'lpstat -o far')" "" "its job is canceled"
in_lab sh -c 'cat >/usr/lib/cups/backend/broken; chmod 700 /usr/lib/cups/backend/broken' <<'END'
#!/bin/sh
[ $# = 0 ] && exit 0
echo "ERROR: out of order" >&2
exit 4
END
sh_lab 'lpadmin -p stops -E -v broken:/x -m raw -o printer-error-policy=stop-printer' 2>/dev/null
try probe.print queue=stops timeout=20
fails "a printer that stops while it prints" 'stops.*(stopped|out of order)'
is "$(sh_lab 'lpstat -o stops; lpstat -e | grep stops')" stops "its job is canceled too"
sh_lab 'systemctl stop cups.path cups.socket cups.service; (sleep 3; systemctl start cups.socket cups.service) >/dev/null 2>&1 &' 2>/dev/null
try probe.print timeout=30
passes "a cupsd that starts three seconds later"

echo '# tcp'
try probe.tcp port=22 expect=SSH-2
passes "sshd says SSH-2"
try probe.tcp port=22 expect=SMTP timeout=2
fails "sshd does not say SMTP" 'does not send .*SMTP.*received: .*SSH-2'
try probe.tcp port=23 timeout=2
fails "a closed port" 'port 23: Connection refused'

echo '# http'
try probe.http url=http://localhost/ contains=Apache
passes "apache's page"
try probe.http url=http://localhost/nosuch status=404,410
passes "a page that shall not be there"
try probe.http url=http://localhost/nosuch timeout=2
fails "a page that is not there" 'status 404'
try probe.http url=http://localhost/ contains=Nonsense timeout=2
fails "a page without the text" 'does not contain'
try probe.http url=ftp://localhost/
fails "another protocol" 'not an address of http'
try probe.http url=http://me:pw@localhost/
fails "a password in the address" 'use user and password'
try probe.http url=http://elsewhere.example/ at=localhost contains=Apache
passes "the page of a name that leads nowhere, from this server"
try probe.http url=http://localhost/ at=nowhere.example timeout=2
fails "a server to fetch it from that is not there" 'Could not resolve host: nowhere.example'
try probe.http url=http://localhost/ at=localhost proxy=http://localhost:3128
fails "a server to fetch it from, and a proxy" 'do not go together'
sh_lab 'systemctl stop apache2; (sleep 3; systemctl start apache2) >/dev/null 2>&1 &'
try probe.http url=http://localhost/
passes "an apache that starts three seconds later"

echo '# mail'
in_lab bash -s <"$PD_SRCDIR/tests/lab/server-mail.sh" >/dev/null 2>&1
tls="ca=/etc/ssl/lab.pem"
messages() { sh_lab 'ls /home/alice/Maildir/cur /home/alice/Maildir/new | grep -c "[.]probe"'; }
# shellcheck disable=SC2086
{
try probe.imap $alice
passes "alice opens her mailbox"
try probe.imap $alice imap=imaps://mail.example/INBOX $tls valid=7d
passes "by TLS, with a certificate that is valid for a week"
like "$(sh_lab "cat \$(find $work -name probe.txt)")" 'valid until: .* GMT' "the evidence has the date"
try probe.imap $alice imap=imaps://mail.example $tls valid=30d
fails "a certificate that is valid for twenty days, and not for thirty" 'is valid only until .*; renew it'
try probe.imap $alice imap=imaps://mail.example
fails "a certificate that nobody knows" 'SSL certificate problem'
try probe.imap $alice imap=imap://mail.example starttls=true $tls
passes "TLS that begins later"
try probe.imap $alice imap=imap://mail.example
fails "a password in clear over the network" 'in clear; use imaps'
try probe.imap user=alice password=wrong
fails "a wrong password" 'Login denied; the server says: .*AUTHENTICATIONFAILED'
try probe.imap $alice imap=imap://localhost/nosuch
fails "a folder that is not there" 'Select failed; the server says: .* NO .*Mailbox'
try probe.imap $alice imap=http://localhost
fails "another protocol" 'not an address of imap or imaps'
sh_lab 'systemctl stop dovecot.socket dovecot; (sleep 3; systemctl start dovecot) >/dev/null 2>&1 &' 2>/dev/null
try probe.imap $alice
passes "a Dovecot that starts three seconds later"

sh_lab 'printf "Subject: of a person\n\nhello\n" | sendmail alice'
soon 'ls /home/alice/Maildir/new | grep -q .'
kept=$(messages)
try probe.mail to=alice@localhost $alice
passes "a message comes in and is read"
is "$(messages)" "$kept" "what was there before is kept, and the message is not"
try probe.mail to=alice@mail.example $alice smtp=smtp://mail.example:587 imap=imaps://mail.example starttls=true $tls valid=7d
passes "by the way that users take, with a login"
try probe.mail to=alice@mail.example user=alice password=wrong smtp=smtp://mail.example:587 starttls=true $tls
fails "a wrong password" 'smtp://mail.example:587: Login denied; the server says: 535'
try probe.mail to=alice@localhost $alice smtp=smtp://localhost:587
fails "a server that wants TLS" 'the server says: 530'
try probe.mail to=nobody5@localhost $alice
fails "an address that is not there" 'RCPT failed: 550; the server says: 550 .*User unknown'
try probe.mail to=alice@localhost $alice imap=imaps://mail.example $tls valid=30d
fails "a certificate that is valid for twenty days, and not for thirty" 'imaps://mail.example/INBOX is valid only until'
try probe.mail to=alice@localhost $alice
passes "what a probe has left that was cut short"
is "$(messages)" "$kept" "goes with the next one"
try probe.mail "to=alice@localhost>" $alice
fails "an address that is none" 'is no address of mail'
try probe.mail to=root@localhost $alice timeout=2
fails "a message that goes to somebody else" 'which smtp://localhost has taken, is not in imap://localhost/INBOX'
# somebody changes it on its way
sh_lab 'printf "/^Test message/ REPLACE Test of somebody else\n" >/etc/postfix/change; postconf -e body_checks=regexp:/etc/postfix/change; systemctl restart postfix'
try probe.mail to=alice@localhost $alice
fails "a message that is not the one that was sent" 'not the one that was sent'
sh_lab 'postconf -X body_checks; systemctl restart postfix'
try probe.mail to=alice@localhost $alice from=alice@localhost
passes "and all is well again"
is "$(messages)" "$kept" "with nothing left"

try probe.queue
passes "a queue is counted"
like "$out" '"messages","value":0' "that is empty"
sh_lab 'for n in 1 2; do printf "Subject: far\n\nhello\n" | sendmail far@elsewhere.example; done'
soon 'postqueue -j | grep -c delay_reason | grep -qx 2'
try probe.queue before=0 timeout=2
fails "one that has grown" 'has 2 messages, before it had 0; .*such as: Host or domain'
try probe.queue before=0 more=2
passes "but not by more than is no fault"
sh_lab '(sleep 3; postsuper -d ALL) >/dev/null 2>&1 &'
try probe.queue before=0
passes "one that goes down again"
}

echo '# command'
try probe.command argv=systemctl,is-active,ssh contains=active
passes "a program with its output"
try probe.command argv=false status=1
passes "a program with another status"
try probe.command argv=echo,one contains=two timeout=2
fails "a program without the text" 'does not contain .*two'
try probe.command argv=false timeout=2
fails "a program that fails" 'false ended with 1, not 0'
try probe.command argv=nosuch
fails "a program that is not there" 'no program nosuch'
try probe.command argv=sleep,60 timeout=2
is "$rc" 1 "a program that hangs: fails"
done_testing
