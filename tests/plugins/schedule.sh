#!/bin/bash
# SPDX-License-Identifier: MIT
# schedule.hold with the real cron, anacron, at and timers of a server.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins schedule
run in_lab sh -c 'apt-get update -qq && apt-get install -qqy at anacron' </dev/null
[ "$rc" = 0 ] || { echo "Bail out! at and anacron were not installed: $out"; exit 1; }

state() { in_lab systemctl is-active "$@" 2>&1 </dev/null | tr '\n' ' '; }
holds() { in_lab find /etc/systemd/system -name zz-patchday-hold.conf </dev/null; }
all() { in_lab sh -c 'systemctl list-units --all --type=timer --no-legend --plain | cut -d" " -f1 | sort |
	xargs systemctl show -p Id,ActiveState,UnitFileState,DropInPaths cron anacron.timer atd' </dev/null; }

# t-cron and t-slow are at work until their file is there; t-daemon has left its
# job behind and never ends
in_lab bash -s <<'SERVER'
cat >/usr/local/bin/t-wait <<'S'
#!/bin/sh
until [ -e "$1" ]; do sleep 0.1; done
S
ln /usr/local/bin/t-wait /usr/local/bin/t-cron
printf '#!/bin/sh\nexec sleep infinity\n' >/usr/local/bin/t-daemon
chmod 755 /usr/local/bin/t-*
cat >/etc/cron.d/t-jobs <<'S'
@reboot root /usr/local/bin/t-cron /run/t-cron-may-end --password=hunter2
@reboot root setsid -f /usr/local/bin/t-daemon </dev/null >/dev/null 2>&1
S
cd /etc/systemd/system
printf '[Timer]\nOnActiveSec=1\nOnUnitActiveSec=1\nAccuracySec=100ms\n[Install]\nWantedBy=timers.target\n' >t-tick.timer
printf '[Service]\nType=oneshot\nExecStart=/bin/sh -c "echo >>/var/lib/t-tick"\n' >t-tick.service
printf '[Timer]\nOnActiveSec=1h\n[Install]\nWantedBy=timers.target\n' >t-slow.timer
printf '[Service]\nExecStart=/usr/local/bin/t-wait /run/t-slow-may-end\n' >t-slow.service
printf '[Timer]\nOnActiveSec=1h\n' >patchday-t.timer
cp t-slow.service patchday-t.service
systemctl daemon-reload
systemctl enable -q --now t-tick.timer t-slow.timer
systemctl start patchday-t.timer
systemd-run -q --on-active=1h --unit=t-later /bin/true
rm -f /run/crond.reboot /var/run/crond.reboot
systemctl restart cron
SERVER
soon 'pgrep -x t-cron >/dev/null && pgrep -f "sleep infinity" >/dev/null && [ -s /var/lib/t-tick ]'

# ---- check looks and never touches
before=$(all)
run step schedule.hold check
is "$rc" 0 "check succeeds"
for unit in cron.service anacron.timer atd.service t-tick.timer t-slow.timer logrotate.timer; do
	like "$out" "\"name\": ?\"held\".*$unit" "it predicts that $unit is held"
done
like "$out" '"name": ?"left","value": ?\["t-later.timer"\]' "a timer of systemd-run is left, it could not come back"
unlike "$out" 'patchday-t' "patchday's own timers are no part of it"
is "$(all)" "$before" "check changed nothing"
is "$(holds)" "" "and left no file"

# ---- a job that does not end
run step schedule.hold check,apply timeout=2
is "$rc" 1 "a job of cron that does not end fails the step"
like "$out" 'still at work after 2 s: t-cron of cron, process [0-9]+' "it is told by its name"
unlike "$out" 'hunter2' "and not by its arguments"
run step schedule.hold undo
is "$rc" 0 "what was held is given back"
is "$(all)" "$before" "all is as before"
work=/opt/pd/leave
run step schedule.hold check,apply,verify running=leave
is "$rc" 0 "or the job is left alone"
like "$out" 'left at work: t-cron of cron' "with a word"
run step schedule.hold undo
is "$rc" 0 "that is given back, too"

# ---- a job that ends: the step waits for it
work=/opt/pd/work
in_lab systemctl start --no-block t-slow </dev/null
step schedule.hold check,apply,verify timeout=5m >"/tmp/$PD_LAB.out" 2>&1 &
says() { until grep -q "$1" "/tmp/$PD_LAB.out" || ! kill -0 $! 2>/dev/null; do sleep 0.1; done; grep -c "\"result\":\"failed\"" "/tmp/$PD_LAB.out"; }
is "$(says 'waiting for t-slow.service (running) of t-slow.timer')" 0 "it waits for what a timer has started"
is "$(in_lab pgrep -cx t-cron </dev/null) $(state t-slow.service)" "1 active " "jobs at work are not killed"
in_lab touch /run/t-slow-may-end </dev/null
is "$(says 'waiting for t-cron of cron, process')" 0 "then for what cron has started"
is "$(in_lab pgrep -cx t-cron </dev/null)" 1 "which is at work"
in_lab touch /run/t-cron-may-end </dev/null
wait $!
is "$?" 0 "with both ended the hold succeeds, t-daemon or not"
[ "$(says result)" = 0 ] || cat "/tmp/$PD_LAB.out"
rm -f "/tmp/$PD_LAB.out"

# ---- held
is "$(state cron atd anacron.timer t-tick.timer t-slow.timer)" \
	"inactive inactive inactive inactive inactive " "all is down"
is "$(state t-later.timer patchday-t.timer)" "active active " "what is left goes on"
ticks=$(in_lab wc -l /var/lib/t-tick </dev/null)
in_lab sh -c 'echo "touch /var/lib/t-at" | at now 2>/dev/null; systemctl start cron atd t-tick.timer' </dev/null
sleep 2
is "$(in_lab wc -l /var/lib/t-tick </dev/null)" "$ticks" "no timer starts anything, even when it is started"
is "$(state cron atd)" "inactive inactive " "no daemon comes back"
is "$(in_lab sh -c 'ls /var/lib/t-at 2>/dev/null; atq | wc -l' </dev/null)" 1 "a job of at waits"
run step schedule.hold check
like "$out" '"result": ?"unchanged"' "check after apply finds nothing left to do"
"$lab" reboot a >/dev/null </dev/null
"$lab" wait a >/dev/null </dev/null
is "$(state cron atd anacron.timer t-tick.timer t-slow.timer)" \
	"inactive inactive inactive inactive inactive " "all stays down over a reboot"
is "$(in_lab sh -c 'ls /var/lib/t-at 2>/dev/null; atq | wc -l' </dev/null)" 1 "the job of at waits"
run step schedule.hold verify
is "$rc" 0 "verify after the reboot"

# ---- given back
run step schedule.hold undo
is "$rc" 0 "undo succeeds"
[ "$rc" = 0 ] || echo "$out"
is "$(state cron atd anacron.timer t-tick.timer t-slow.timer)" "active active active active active " "all runs again"
is "$(holds)" "" "no hold is left"
soon '[ -e /var/lib/t-at ]'
is "$(in_lab atq </dev/null)" "" "at does what has come due"
soon "[ \$(wc -l </var/lib/t-tick) -gt ${ticks%% *} ]"
isnt "$(in_lab wc -l /var/lib/t-tick </dev/null)" "$ticks" "the timer starts its job again"
before=$(all)
run step schedule.hold undo
is "$rc $(all)" "0 $before" "undo once more changes nothing"
run step schedule.hold check
like "$out" '"name": ?"held".*cron.service' "and a new hold would begin anew"

# ---- what goes on, and kinds
work=/opt/pd/except
in_lab sh -c 'touch /run/t-cron-may-end /run/t-slow-may-end' </dev/null
run step schedule.hold check,apply,verify except=t-tick,cron.service
is "$rc $(state t-tick.timer cron t-slow.timer atd)" "0 active active inactive inactive " "what is excepted goes on"
run step schedule.hold undo except=t-tick,cron.service
work=/opt/pd/kinds
run step schedule.hold check,apply,verify kinds=at
is "$rc $(state cron atd t-slow.timer)" "0 active inactive active " "kinds holds those alone"
run step schedule.hold undo kinds=at
run step schedule.hold check kinds=timer
like "$out" "kinds has 'timer', which starts no jobs.*did you mean 'timers'" "an unknown kind is refused"

# ---- by a job of at, and by a service that has a timer: nobody waits for oneself
in_lab bash -s >/dev/null 2>&1 <<'SERVER'
cat >/usr/local/bin/t-self <<'S'
#!/bin/sh
LD_LIBRARY_PATH=/opt/pd/lib /opt/pd/pd-step --plugin-dir /opt/pd/plugins --work "$1" schedule.hold \
	check,apply,verify timeout=5 >"$1.out" 2>&1
echo "status $?" >>"$1.out"
S
chmod 755 /usr/local/bin/t-self
cp /etc/systemd/system/t-slow.timer /etc/systemd/system/t-self.timer
printf '[Service]\nType=oneshot\nExecStart=/usr/local/bin/t-self /opt/pd/by-timer\n' >/etc/systemd/system/t-self.service
systemctl daemon-reload
systemctl start t-self.timer
echo "/usr/local/bin/t-self /opt/pd/by-at" | at now
SERVER
soon 'grep -q ^status /opt/pd/by-at.out'
like "$(in_lab cat /opt/pd/by-at.out </dev/null)" '^status 0' "a job of at can hold at"
is "$(state atd)" "inactive " "and has"
work=/opt/pd/by-at
run step schedule.hold undo
in_lab systemctl start t-self.service </dev/null
like "$(in_lab cat /opt/pd/by-timer.out </dev/null)" '^status 0' "a service can hold its own timer"
is "$(state t-self.timer)" "inactive " "and has"
work=/opt/pd/by-timer
run step schedule.hold undo
in_lab systemctl stop t-self.timer </dev/null

# ---- killed in the middle
before=$(all)
work=/opt/pd/killed
in_lab sh -c 'rm -f /run/t-slow-may-end; systemctl start --no-block t-slow' </dev/null
soon 'systemctl -q is-active t-slow'
in_lab sh -c 'LD_LIBRARY_PATH=/opt/pd/lib exec timeout -s KILL 3 /opt/pd/pd-step --plugin-dir /opt/pd/plugins \
	--work /opt/pd/killed schedule.hold check,apply' >/dev/null 2>&1 </dev/null
is "$(state cron)" "inactive " "apply was killed while jobs were held"
in_lab touch /run/t-slow-may-end </dev/null
run step schedule.hold check,apply,verify
is "$rc" 0 "apply after the crash comes to its end"
run step schedule.hold undo
is "$rc" 0 "undo knows what ran before the crash"
is "$(all)" "$before" "all is as before"

done_testing
