#!/bin/bash
# SPDX-License-Identifier: MIT
# antivirus.hold and antivirus.update with the real clamd and freshclam, on
# definitions of our own: nothing is downloaded.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins antivirus

in_lab bash -s <"$PD_SRCDIR/tests/lab/server-clamav.sh" >/dev/null 2>&1
run in_lab sh -c 'dpkg-query -W clamav-daemon clamav-freshclam; cat /var/log/clamav/freshclam.log; ls -l /var/lib/clamav' </dev/null
[[ $out == *local.ndb* ]] || { echo "Bail out! ClamAV has no definitions: $out"; exit 1; }
in_lab sh -c 'echo "a patch-day-test-virus here" >/srv/infected; chmod 644 /srv/infected
	cp /bin/sleep /usr/local/bin/clamscan
	printf "%s\n" "#!/bin/sh" "printf \"z\$1\\0\" | timeout 60 nc -N -U /run/clamav/clamd.ctl 2>&1 | tr \"\\0\" \"\\n\"" >/usr/local/bin/t-clamd
	chmod 755 /usr/local/bin/t-clamd' </dev/null
answers() { soon 't-clamd PING | grep -q PONG'; }
answers

units='clamav-daemon.service clamav-daemon.socket clamav-freshclam.service'
# shellcheck disable=SC2086
state() { in_lab systemctl is-active $units 2>&1 </dev/null | tr '\n' ' '; }
holds() { in_lab find /etc/systemd/system -name zz-patchday-hold.conf </dev/null; }
finds() { in_lab t-clamd "SCAN /srv/infected" 2>&1 </dev/null; }
definitions() { in_lab sh -c 'cd /var/lib/clamav && stat -c "%n %s %Y %U %a" *.ndb *.cvd 2>/dev/null; sha256sum *.ndb' </dev/null; }

is "$(state)" "active active active " "scanner and updater run"
like "$(finds)" 'Test.One(.UNOFFICIAL)? FOUND' "the scanner finds what it is to find"

# ---- hold
run step antivirus.hold check
is "$rc" 0 "check succeeds"
for unit in $units; do
	like "$out" "\"name\": ?\"held\".*$unit" "it predicts that $unit is held"
done
is "$(state) $(holds)" "active active active  " "check changed nothing"
in_lab systemd-run -q --unit=t-scan /usr/local/bin/clamscan infinity </dev/null # sleep under the name of a scan
soon 'pgrep -x clamscan >/dev/null'
run step antivirus.hold check,apply timeout=1
is "$rc" 1 "a scan that does not end fails the step"
like "$out" 'a scan is still at work after 1 s: clamscan, process [0-9]+' "and is named"
is "$(state) $(holds)" "active active active  " "before anything was stopped"
step antivirus.hold check,apply,verify >"/tmp/$PD_LAB.out" 2>&1 &
until grep -q 'waiting for clamscan' "/tmp/$PD_LAB.out" || ! kill -0 $! 2>/dev/null; do sleep 0.1; done
in_lab systemctl stop t-scan </dev/null
wait $!
is "$?" 0 "when the scan has ended the hold succeeds"
like "$(cat "/tmp/$PD_LAB.out")" 'waiting for clamscan' "after it was waited for"
rm -f "/tmp/$PD_LAB.out"
is "$(state)" "inactive inactive inactive " "scanner, its socket and updater are down"
like "$(finds)" "nc: .*" "nothing scans"
in_lab systemctl start clamav-daemon clamav-freshclam </dev/null
is "$(state)" "inactive inactive inactive " "a start has no effect"
run step antivirus.hold check
like "$out" '"result": ?"unchanged"' "check after apply finds nothing left to do"
run in_lab sh -c 'DEBIAN_FRONTEND=noninteractive apt-get install -qqy --reinstall clamav-daemon' </dev/null
is "$rc $(state)" "0 inactive inactive inactive " "the scanner's own package can be installed, and does not start it"
"$lab" reboot a >/dev/null </dev/null
"$lab" wait a >/dev/null </dev/null
is "$(state)" "inactive inactive inactive " "all stays down over a reboot"
run step antivirus.hold verify
is "$rc" 0 "verify after the reboot"

# ---- definitions, in the hold
work=/opt/pd/update
before=$(definitions)
in_lab sh -c 'sed "s/One/Two/" /srv/source/local.ndb >/srv/source/n && mv /srv/source/n /srv/source/local.ndb
	chmod 644 /srv/source/local.ndb' </dev/null
run step antivirus.update check
is "$rc $(definitions)" "0 $before" "check changes no definition"
like "$out" '"name": ?"before","value": ?"local.ndb"' "it tells what is there"
run step antivirus.update check,apply,verify
is "$rc" 0 "update succeeds"
[ "$rc" = 0 ] || echo "$out"
isnt "$(definitions)" "$before" "the definitions are other ones"
like "$(in_lab cat /opt/pd/update/antivirus.update/definitions.txt </dev/null)" '^local.ndb .* [0-9TZ:-]+  -$' \
	"the evidence names them, before and after"
run step antivirus.update apply
like "$out" '"result": ?"unchanged"' "once is enough"

# ---- given back, with the new ones
work=/opt/pd/work
run step antivirus.hold undo
is "$rc" 0 "undo succeeds"
is "$(state) $(holds)" "active active active  " "all runs again, no hold is left"
answers
like "$(finds)" 'Test.Two(.UNOFFICIAL)? FOUND' "the scanner finds by the new definitions"
run step antivirus.hold undo
is "$rc $(state)" "0 active active active " "undo once more changes nothing"

# ---- the way back of the definitions
work=/opt/pd/update
in_lab touch /var/lib/clamav/extra.ndb </dev/null
run step antivirus.update undo
is "$rc" 0 "undo of the update succeeds"
is "$(definitions)" "$before" "the definitions are as before, to the owner and the second"
is "$(in_lab ls /var/lib/clamav/extra.ndb 2>/dev/null </dev/null)" "" "what came after is gone"

# ---- what goes wrong
work=/opt/pd/wrong
run step antivirus.update check,apply
is "$rc" 1 "freshclam's daemon is not run over"
like "$out" 'freshclam runs as process [0-9]+ and would get in the way' "and says why"
is "$(definitions)" "$before" "and nothing was changed"
work=/opt/pd/wrong2
in_lab systemctl stop clamav-freshclam </dev/null
in_lab rm /srv/source/local.ndb </dev/null
run step antivirus.update check,apply
is "$rc" 1 "an updater that fails is a failure, with what it says"
like "$out" 'freshclam ended with status [0-9]+: ' "and says why"
run step antivirus.update undo
is "$rc $(definitions)" "0 $before" "and its undo leaves the old ones"
work=/opt/pd/wrong3
in_lab touch -d '30 days ago' /var/lib/clamav/local.ndb </dev/null
run step antivirus.update check,apply command=true
is "$rc" 1 "an updater that says yes and brings nothing is found out"
like "$out" 'are 720 h old, 168 h are allowed' "and says why"
work=/opt/pd/generic
run step antivirus.update check,apply,verify command=/bin/touch,/opt/pd/defs/new definitions=/opt/pd/defs
is "$rc" 1 "a folder that is not there"
like "$out" "folder /opt/pd/defs with the definitions can't be read" "and says why"
in_lab mkdir /opt/pd/defs </dev/null
run step antivirus.update check,apply,verify command=/bin/touch,/opt/pd/defs/new definitions=/opt/pd/defs
is "$rc" 0 "another scanner's updater"
like "$out" '"name": ?"after","value": ?"new"' "and what it brought"
run step antivirus.update undo command=/bin/touch,/opt/pd/defs/new definitions=/opt/pd/defs
is "$rc $(in_lab ls /opt/pd/defs </dev/null)" "0 " "and its way back"
run step antivirus.update check command=no-such-updater
is "$rc" 1 "a program that is not there is refused"
like "$out" 'there is no program no-such-updater' "and says why"
# the header of a real .cvd: 512 bytes, the time of its making in the last field
in_lab sh -c 'printf "%-512s" "ClamAV-VDB:28 Nov 2026 10-00 +0000:27500:2000000:90:0123456789abcdef0123456789abcdef:sig:builder:$(date -d "3 hours ago" +%s)" \
	>/opt/pd/defs/daily.cvd; touch -d "90 days ago" /opt/pd/defs/daily.cvd' </dev/null
work=/opt/pd/header
run step antivirus.update check,apply,verify command=true definitions=/opt/pd/defs
is "$rc" 0 "version and time are those of the header"
like "$out" '"name": ?"after","value": ?"daily 27500"' "and says why"
like "$out" '"name": ?"age","value": ?108[0-9][0-9]' "not of the file"

# ---- killed in the middle
work=/opt/pd/killed
in_lab systemctl start clamav-freshclam </dev/null
for moment in 0.2 0.5 1 2; do
	in_lab sh -c "LD_LIBRARY_PATH=/opt/pd/lib exec timeout -s KILL $moment /opt/pd/pd-step --plugin-dir /opt/pd/plugins \
		--work $work antivirus.hold check,apply" >/dev/null 2>&1 </dev/null
done
run step antivirus.hold check,apply,verify
is "$rc $(state)" "0 inactive inactive inactive " "apply after crashes comes to its end"
run step antivirus.hold undo
is "$rc $(state) $(holds)" "0 active active active  " "undo knows what ran before them"

done_testing
