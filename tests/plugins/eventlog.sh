#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin eventlog against a real server: journald, rsyslog and programs
# that go on writing while their logs are exported, cleared and put back.
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
lab_up srv
push_plugins eventlog
safe=/srv/safe/pd-step

# Two programs that write all the time: one appends, one has its own place.
in_lab tee /opt/pd/writer >/dev/null <<'END'
import os, time
a = os.open('/var/log/append.log', os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
b = os.open('/var/log/place.log', os.O_WRONLY | os.O_CREAT, 0o640)
i = 0
while not os.path.exists('/opt/pd/stop'):
    i += 1
    os.write(a, b'append %08d\n' % i)
    os.write(b, b'place %08d\n' % i)
    if i % 50 == 0:
        time.sleep(0.002)
open('/opt/pd/last', 'w').write(str(i))
END
in_lab tee /opt/pd/logs >/dev/null <<'END'
#!/bin/bash
cd /var/log || exit 1
rm -f append.log place.log
seq -f 'line %g of an application' 1 20000 >big.log
chown alice:adm big.log; chmod 640 big.log; setfacl -m u:www-data:r big.log
[ -e dpkg.log ] || echo "a line of dpkg that is longer than the shortest log that gets cleared" >dpkg.log
seq 1 300 >old.log; printf 'bin\0ary%.0s' {1..100} >binary.log
seq 1 9000 >rotate.log; seq 1 9000 >gone.log; seq 1 5000 >keep.log; seq 1 5000 >app.log.1
cp -a big.log old.log rotate.log /opt/pd/
END
in_lab bash /opt/pd/logs </dev/null
in_lab sh -c 'for i in $(seq 300); do echo "message $i"; done | logger -t many; journalctl --sync' </dev/null
in_lab systemd-run --quiet --unit=writer python3 /opt/pd/writer </dev/null
soon '[ -s /var/log/append.log ] && [ -s /var/log/place.log ]'

# --- export: where it goes
in_lab sh -c 'mkdir -p /srv/small; mount -t tmpfs -o size=4m small /srv/small' </dev/null
run step eventlog.export check places=/srv/small
is "$rc" 1 "check refuses when no place has room"
like "$out" 'inhibit.*/srv/small has .* MiB free' "and says where and how much"
run step eventlog.export check
like "$out" 'parameter to or places' "no place at all is refused"
run step eventlog.export check to=/srv/small places=/srv/small,/srv/safe clear=true
like "$out" '"archive".*/srv/safe/pd-step/eventlog.tar.zst' "the first place with room is chosen"
is "$(in_lab sh -c 'ls -A /srv/small; ls /srv/safe 2>/dev/null' </dev/null)" "" "check has touched nothing"

long=$(printf 'n%.0s' {1..300})
for step in export collect; do
	for name in ../../x "$long" .hidden ""; do
		run step eventlog.$step check to=/srv/safe name="$name"
		isnt "$rc" 0 "$step refuses the name ${name:0:20}"
		like "$out" "name (is|has) .*(one file|room for an ending)" "as an argument"
		unlike "$out" "a bug of plugin" "not as a bug of the plugin"
	done
	run step eventlog.$step check to=/etc/passwd/x
	isnt "$rc" 0 "$step refuses a folder in a file"
	like "$out" "inhibit.*/etc/passwd is not a folder" "and says so"
	run step eventlog.$step check to=/proc/x
	like "$out" "inhibit.*/proc belongs to the kernel" "$step refuses a folder of the kernel"
done
run step eventlog.export check to=/etc/passwd/x places=/srv/safe
like "$out" '"archive".*/srv/safe/pd-step/eventlog.tar.zst' "the next place is taken in its stead"

# --- export and clear, while the writers write
wtmp=$(in_lab sh -c 'cat /var/log/wtmp /var/log/btmp /var/log/lastlog /var/log/dpkg.log | md5sum' </dev/null)
many=$(in_lab journalctl -q -t many -o cat --no-pager </dev/null)
is "$(echo "$many" | wc -l)" 300 "the journal holds 300 messages before"
args=(places=/srv/small,/srv/safe clear=true keep=/var/log/keep.log)
run step eventlog.export check,apply,verify "${args[@]}"
is "$rc" 0 "export and clear"
[ "$rc" = 0 ] || echo "$out" | tail -5
like "$out" 'place.log stays as it is: process [0-9]+ writes' "a log that is not appended to is left alone, and that is said"
sleep 0.3
in_lab sh -c 'touch /opt/pd/stop; while systemctl -q is-active writer; do sleep 0.1; done' </dev/null

archive=$safe/eventlog.tar.zst
run in_lab sh -c "cd $safe && sha256sum --quiet -c eventlog.tar.zst.sha256 && stat -c %a eventlog.tar.zst" </dev/null
is "$out" 600 "the archive is proven by sha256sum"
in_lab sh -c "mkdir -p /opt/pd/x && tar --zstd -C /opt/pd/x -xf $archive" </dev/null
is "$(in_lab sh -c 'cmp /opt/pd/big.log /opt/pd/x/var/log/big.log; stat -c "%U %G %a" /opt/pd/x/var/log/big.log' </dev/null)" \
	"alice adm 640" "a log is in it, with owner and mode"
run in_lab sh -c 'journalctl -q -D /opt/pd/x/var/log/journal/* -t many -o cat --no-pager' </dev/null
is "$out" "$many" "journalctl reads the exported journal files"
is "$(in_lab sh -c 'cat /opt/pd/x/.patchday/journal/*.export | grep -ac "^SYSLOG_IDENTIFIER=many"' </dev/null)" 300 \
	"the messages are in the export format, too"
cursor=$(in_lab sed -n 's/^cursor=//p' /opt/pd/x/.patchday/journal/info </dev/null)
is "$(in_lab sh -c 'grep -a ^__CURSOR= /opt/pd/x/.patchday/journal/*.export | tail -1 | cut -d= -f2-' </dev/null)" "$cursor" \
	"the recorded cursor is that of the last exported entry"

is "$(in_lab journalctl -q -t many -o cat --no-pager </dev/null)" "" "the journal no longer holds them"
is "$(in_lab sh -c 'journalctl --verify 2>&1 | grep -c FAIL' </dev/null)" 0 "the journal is sound"
like "$(in_lab cat /var/log/big.log </dev/null)" "^patchday: [0-9]+ bytes of this log are now in $archive *\$" \
	"a cleared log says where its text is"
like "$(in_lab stat -c '%s %U %G %a' /var/log/big.log </dev/null)" '^[1-4]?[0-9]{3} alice adm 640$' \
	"and is short, with its owner and mode"
is "$(in_lab sh -c 'cat /var/log/wtmp /var/log/btmp /var/log/lastlog /var/log/dpkg.log | md5sum' </dev/null)" "$wtmp" \
	"databases and the package manager's logs are not cleared"
is "$(in_lab sh -c 'seq 1 5000 | cmp - /var/log/keep.log; seq 1 5000 | cmp - /var/log/app.log.1; wc -c </var/log/binary.log' </dev/null)" \
	700 "nor what is to be kept, rotated or binary"
in_lab tee /opt/pd/complete >/dev/null <<'END'
import re
old = open('/opt/pd/x/var/log/append.log', 'rb').read()
new = open('/var/log/append.log', 'rb').read()
new = new[new.index(b'\n') + 1:]
want = [b'append %08d' % i for i in range(1, int(open('/opt/pd/last').read()) + 1)]
print((old + new).split(b'\n')[:-1] == want and len(new) > 0)
END
is "$(in_lab python3 /opt/pd/complete </dev/null)" True "not one line that was appended meanwhile is lost"
in_lab logger -p user.err -t after "written after the clearing" </dev/null
soon 'grep -q "written after" /var/log/syslog'
like "$(in_lab cat /var/log/syslog </dev/null)" 'after: written after' "rsyslog goes on writing"

run step eventlog.export apply,verify "${args[@]}"
is "$rc" 0 "apply again"
run in_lab sh -c 'grep -c "written after" /var/log/syslog; grep -c ^patchday /var/log/big.log' </dev/null
is "$(xargs <<<"$out")" "1 1" "clears nothing that was not exported"

# --- undo, with logs that went on, were rotated, or are gone
in_lab sh -c 'cd /var/log; echo new >>big.log; mv rotate.log rotate.log.1; echo fresh >rotate.log; rm gone.log' </dev/null
run step eventlog.export undo "${args[@]}"
is "$rc" 0 "undo"
run in_lab sh -c 'cd /var/log; (cat /opt/pd/big.log; echo new) | cmp - big.log; getfacl -cn big.log | grep -c user:33:r; cmp old.log /opt/pd/old.log' </dev/null
is "$rc $out" "0 1" "puts the text back in front of what came since, ACL as before"
run in_lab sh -c 'cd /var/log; cmp rotate.log.1 /opt/pd/rotate.log; cat rotate.log; seq 1 9000 | cmp - gone.log' </dev/null
is "$rc $out" "0 fresh" "also where the log was rotated or removed"
run in_lab sh -c 'seq -f "append %08.0f" 1 $(cat /opt/pd/last) | cmp - /var/log/append.log' </dev/null
is "$rc $out" "0 " "also where a program went on writing"
run in_lab sh -c 'cat /var/log/syslog | grep -c "many: message"; grep -c "written after" /var/log/syslog' </dev/null
is "$(xargs <<<"$out")" "300 1" "and in rsyslog's own files"
is "$(in_lab journalctl -q -t many -o cat --no-pager </dev/null)" "$many" "the journal holds the messages again"
run in_lab sh -c 'journalctl --verify 2>&1 | grep -c FAIL; getfacl -cnp /var/log/journal/*/*@* | grep -c group' </dev/null
like "$(xargs <<<"$out")" '^0 [1-9]' "and is sound, its files with their ACL"
run step eventlog.export undo "${args[@]}"
run in_lab sh -c 'cd /var/log; (cat /opt/pd/big.log; echo new) | cmp - big.log; cmp old.log /opt/pd/old.log' </dev/null
is "$rc $out" "0 " "undo again changes nothing"
is "$(in_lab sh -c "cd $safe && sha256sum --quiet -c eventlog.tar.zst.sha256; echo \$?" </dev/null)" 0 "the archive stays"

# --- cut short in the middle of one log: all states that a power cut can leave
row() { in_lab sh -c "grep ' $1\$' $work/eventlog.export/texts" </dev/null; }
work=/opt/pd/w-cut
in_lab bash /opt/pd/logs </dev/null
args=(to=/srv/safe name=cut clear=true logs=/var/log/big.log,/var/log/old.log)
run step eventlog.export apply "${args[@]}"
read -r bytes pad _ <<<"$(row /var/log/big.log)"
in_lab cp /var/log/big.log /opt/pd/cleared </dev/null
# blocks inserted, nothing filled in
in_lab fallocate -i -o 0 -l $((bytes - pad)) /var/log/big.log </dev/null
run step eventlog.export undo "${args[@]}"
run in_lab cmp /opt/pd/big.log /var/log/big.log </dev/null
is "$rc $out" "0 " "undo of a half done undo"
# blocks cut off, the rest not overwritten
in_lab fallocate -c -o 0 -l $((bytes - pad)) /var/log/big.log </dev/null
run step eventlog.export apply,verify "${args[@]}"
run in_lab cmp /opt/pd/cleared /var/log/big.log </dev/null
is "$rc $out" "0 " "apply of a half done clearing"
run step eventlog.export undo "${args[@]}"
in_lab fallocate -c -o 0 -l $((bytes - pad)) /var/log/big.log </dev/null
run step eventlog.export undo "${args[@]}"
run in_lab cmp /opt/pd/big.log /var/log/big.log </dev/null
is "$rc $out" "0 " "undo of a half done clearing"
in_lab sh -c 'seq 1 100000 >/var/log/big.log' </dev/null
run step eventlog.export apply "${args[@]}"
run in_lab sh -c 'seq 1 100000 | cmp - /var/log/big.log' </dev/null
is "$rc $out" "0 " "a log that somebody has rewritten is not touched"

# killed at any time, with a program that goes on writing
in_lab tee /opt/pd/cut >/dev/null <<'END'
#!/bin/bash
# Kill the step at some time in PHASE, several times over.
phase=$1; shift
for t in 0.03 0.05 0.07 0.1 0.15 0.2 0.3 0.4; do
	"$@" "$phase" to=/srv/safe name=killed clear=true >/dev/null 2>&1 &
	sleep $t; pkill -9 -P $!; kill -9 $!; wait $! 2>/dev/null
done
END
killing()
{
	in_lab env LD_LIBRARY_PATH=/opt/pd/lib bash /opt/pd/cut "$1" /opt/pd/pd-step --plugin-dir /opt/pd/plugins \
		--work $work eventlog.export </dev/null 2>/dev/null
}
work=/opt/pd/w-killed
args=(to=/srv/safe name=killed clear=true)
in_lab sh -c 'rm -f /opt/pd/stop' </dev/null
in_lab bash /opt/pd/logs </dev/null
in_lab systemd-run --quiet --unit=writer python3 /opt/pd/writer </dev/null
killing apply
run step eventlog.export apply,verify "${args[@]}"
is "$rc" 0 "apply after eight kills"
in_lab sh -c 'touch /opt/pd/stop; while systemctl -q is-active writer; do sleep 0.1; done' </dev/null
in_lab sh -c "rm -r /opt/pd/x; mkdir /opt/pd/x; tar --zstd -C /opt/pd/x -xf $safe/killed.tar.zst" </dev/null
is "$(in_lab python3 /opt/pd/complete </dev/null)" True "has lost no line"
killing undo
run step eventlog.export undo "${args[@]}"
is "$rc" 0 "undo after eight kills"
run in_lab sh -c 'seq -f "append %08.0f" 1 $(cat /opt/pd/last) | cmp - /var/log/append.log; cmp /opt/pd/big.log /var/log/big.log' </dev/null
is "$rc $out" "0 " "gives all text back"

# a damaged archive stops the clearing; one that takes a while to write, so that there is time to damage it
work=/opt/pd/w-damage
in_lab bash /opt/pd/logs </dev/null
in_lab sh -c 'head -c 64M /dev/urandom >/var/log/random.log' </dev/null
in_lab tee /opt/pd/damage >/dev/null <<'END'
import os, sys, time, subprocess
p = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
name = '/srv/safe/pd-step/damage.tar.zst'
while not os.path.exists(name) or not os.path.getsize(name):
    pass # what is not written yet would be written over the damage
with open(name, 'r+b') as f:
    f.seek(os.path.getsize(name) // 2)
    f.write(b'damage')
print(p.wait())
END
run in_lab env LD_LIBRARY_PATH=/opt/pd/lib python3 /opt/pd/damage /opt/pd/pd-step --plugin-dir /opt/pd/plugins \
	--work $work eventlog.export apply to=/srv/safe name=damage clear=true logs=/var/log/random.log,/var/log/big.log </dev/null
is "$out" 1 "an archive that can't be read back fails the step"
run in_lab cmp /opt/pd/big.log /var/log/big.log </dev/null
is "$rc $out" "0 " "and nothing was cleared"
in_lab rm /var/log/random.log </dev/null

# --- compare
work=/opt/pd/w-before
in_lab sh -c 'logger -p user.err -t oldfault "fault 17 at 10.1.2.3:445 pid=8877 0xdeadbeef 6ba7b810-9dad-11d1-80b4-00c04fd430c8"; journalctl --sync' </dev/null
run step eventlog.export apply to=/srv/safe name=before clear=true
work=/opt/pd/w-after
run step eventlog.export apply to=/srv/safe name=after
"$lab" reboot "$lab_server" >/dev/null </dev/null
"$lab" wait "$lab_server" >/dev/null </dev/null
work=/opt/pd/w-reboot
run step eventlog.compare check,apply,verify before=$safe/before.tar.zst
is "$rc" 0 "a reboot of a healthy server brings no new error"
run step eventlog.compare apply before=$safe/after.tar.zst
is "$rc" 0 "also when no boot was logged before"
[ "$rc" = 0 ] || in_lab cat $work/eventlog.compare/new-messages.txt </dev/null
run step eventlog.compare apply before=$safe/after.tar.zst defaults=false
is "$rc" 1 "without the default patterns samba's banner is an error"
like "$out" 'smbd version' "and is shown"

in_lab sh -c 'logger -p user.err -t oldfault "fault 9 at 192.168.77.200:1 pid=1 0xabc 7ba7b810-feed-beef-80b4-00c04fd430c9"; journalctl --sync' </dev/null
work=/opt/pd/w-known
run step eventlog.compare apply before=$safe/before.tar.zst
is "$rc" 0 "a known fault with other numbers is not new"
run step eventlog.compare apply before=$safe/after.tar.zst also=$safe/before.tar.zst
is "$rc" 0 "also when another archive knows it"

in_lab sh -c 'for i in 1 2 3; do logger -p user.err -t newfault "brand \"new\" fault $i"; done; logger -p user.warning -t careful "only a warning"; journalctl --sync' </dev/null
work=/opt/pd/w-new
run step eventlog.compare check,apply before=$safe/before.tar.zst
is "$rc" 1 "a new error fails the step"
like "$out" '1 new messages of level error' "and is counted once"
report=$(in_lab cat $work/eventlog.compare/new-messages.txt </dev/null)
like "$report" 'error  newfault.* 3 times, first 20' "the report tells source, count and first time"
like "$report" 'brand "new" fault 1' "and the text"
like "$(in_lab cat $work/eventlog.compare/new-messages.csv </dev/null)" '^error,"newfault",".*",3,20.*Z,"brand ""new"" fault 1"$' \
	"the table is sound CSV"
run step eventlog.compare apply,verify before=$safe/before.tar.zst fail_on=none
is "$rc" 0 "fail_on none only reports"
like "$out" '"new_errors".*1' "with the number as output"
run step eventlog.compare apply before=$safe/before.tar.zst fail_on=critical
is "$rc" 0 "fail_on critical does not see an error"
run step eventlog.compare apply before=$safe/before.tar.zst fail_on=warning
like "$out" 'only a warning' "fail_on warning sees a warning"
run step eventlog.compare apply before=$safe/before.tar.zst "ignore=^newfault: brand"
is "$rc" 0 "what is to be ignored is ignored"
run step eventlog.compare check before=$safe/before.tar.zst "ignore=(("
like "$out" 'no extended regular expression' "a bad pattern is refused in check"

in_lab tee /etc/systemd/system/broken.service >/dev/null <<'END'
[Service]
ExecStart=/bin/false
END
in_lab sh -c 'systemctl daemon-reload; systemctl start broken' </dev/null
soon 'systemctl -q is-failed broken'
in_lab journalctl --sync </dev/null
run step eventlog.compare apply before=$safe/before.tar.zst ignore=^newfault
is "$rc" 1 "a unit that fails is a new error"
like "$out" "broken.service: Failed with result 'exit-code'" "and is named"
"$lab" reboot "$lab_server" >/dev/null </dev/null
"$lab" wait "$lab_server" >/dev/null </dev/null
run step eventlog.compare apply before=$safe/before.tar.zst since=boot
is "$rc" 0 "since boot: what happened before this boot is known"
run step eventlog.compare apply before=/opt/pd/pd-step
is "$rc" 1 "what is no archive is refused"

# --- collect
in_lab sh -c 'DEBIAN_FRONTEND=noninteractive apt-get -y -qq install --only-upgrade libssl3 >/dev/null 2>&1; logger -t collected hello; journalctl --sync' </dev/null
work=/opt/pd/w-collect
run step eventlog.collect check,apply,verify to=/srv/safe before=$safe/before.tar.zst
is "$rc" 0 "collect"
run in_lab sh -c "tar --zstd -xOf $safe/installation-logs.tar.zst var/log/dpkg.log | cmp - /var/log/dpkg.log; tar --zstd -xOf $safe/installation-logs.tar.zst var/log/apt/history.log | cmp - /var/log/apt/history.log" </dev/null
is "$rc $out" "0 " "holds apt's and dpkg's logs"
run in_lab sh -c "tar --zstd -xOf $safe/installation-logs.tar.zst --wildcards '.patchday/journal/*.export' | grep -a ^MESSAGE= >/tmp/m; grep -c '^MESSAGE=hello' /tmp/m; grep -c 'fault 17' /tmp/m" </dev/null
is "$(xargs <<<"$out")" "1 0" "and the journal since the export, not before"
run step eventlog.collect check to=/srv/safe logs=var/log
like "$out" 'absolute path' "a path that is not absolute is refused"

# ---- facts
in_lab sh -c 'for i in 1 22 333; do logger -p user.err -t scanned "disk $i of 0xdeadbeef failed"; done
	logger -p user.warning -t scanned "only a warning"; logger -p user.err -t smbd "Copyright Andrew Tridgell"
	systemd-run --quiet --unit=fails-now false' </dev/null
soon 'systemctl -q is-failed fails-now'
in_lab journalctl --sync </dev/null
run scan eventlog
is "$rc" 0 "scan succeeds"
message() { printf '%s' "$out" | jq -r --arg unit "$1" '.errors[] | select(.unit == $unit) | "\(.count) \(.message)"'; }
is "$(message scanned)" "3 disk # of # failed" "errors that differ in numbers are one, counted; a warning is none"
like "$(message fails-now.service)" "Failed with result" "that a unit failed counts as an error"

done_testing
