#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin service against a real systemd: stop and hold, give back, start,
# restart, verify, facts.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins service

drop_in=zz-patchday-hold.conf
state() { in_lab systemctl is-active "$@" 2>&1 </dev/null | tr '\n' ' '; }
show() { in_lab systemctl show -p Id,LoadState,ActiveState,UnitFileState,DropInPaths "$@" </dev/null; }
holds() { in_lab find /etc/systemd/system /run/systemd/system -name $drop_in </dev/null; }
hand() { in_lab bash -s; }

hand <<'SERVER'
cd /etc/systemd/system
cat > t-base.service <<U
[Service]
ExecStart=/bin/sleep infinity
U
cat > t-needs.service <<U
[Unit]
Requires=t-base.service
After=t-base.service
[Service]
ExecStart=/bin/sleep infinity
U
cat > t-part.service <<U
[Unit]
PartOf=t-base.service
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
U
cat > t-stuck.service <<U
[Service]
ExecStart=/bin/bash -c 'trap "echo no I will not" TERM; while :; do sleep 0.1; done'
TimeoutStopSec=6
U
cat > t-dies.service <<U
[Service]
ExecStart=/bin/bash -c 'echo the disk is on fire; exit 3'
U
cat > t-once.service <<U
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo run >> /var/lib/t-once'
U
cat > t-bus.service <<U
[Service]
ExecStart=/bin/sleep infinity
U
cat > t-job.timer <<U
[Timer]
OnUnitActiveSec=1
OnActiveSec=1
AccuracySec=100ms
[Install]
WantedBy=timers.target
U
cat > t-job.service <<U
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'date +%%s%%N >> /var/lib/t-job'
U
printf '[D-BUS Service]\nName=org.example.TBus\nExec=/bin/false\nUser=root\nSystemdService=t-bus.service\n' \
	> /usr/share/dbus-1/system-services/org.example.TBus.service
systemctl daemon-reload
systemctl reload dbus
systemctl enable -q t-part.service t-job.timer
systemctl start t-base t-needs t-part t-bus t-job.timer
SERVER
soon '[ -s /var/lib/t-job ]'

units=cups,cron,t-base,t-bus,t-job,nosuch
watched="cups.service cups.socket cups.path cron.service t-base.service
	t-needs.service t-part.service t-bus.service t-job.timer"

# ---- check looks and never touches
# shellcheck disable=SC2086
before=$(show $watched)
run step service.stop check units=$units
is "$rc" 0 "check of stop succeeds"
like "$out" '"result": ?"changed"' "check says that there is work"
like "$out" 't-needs.service' "check predicts the unit that needs another"
# shellcheck disable=SC2086
is "$(show $watched)" "$before" "check changed no state"
is "$(holds)" "" "check left no file"

# ---- stop and hold
run step service.stop check,apply,verify units=$units
is "$rc" 0 "stop succeeds"
[ "$rc" = 0 ] || echo "$out"
like "$out" 'nosuch.service is not installed' "a missing unit is passed over with a word"
# shellcheck disable=SC2086
unlike "$(state $watched)" '(^| )active' "all units, those that need them and their triggers are down"
run in_lab sh -c 'echo | nc -w 2 -U /run/cups/cups.sock' </dev/null
is "$(state cups.service)" "inactive " "a client does not bring the held printer service up"
run in_lab timeout 3 busctl call org.example.TBus / org.example.TBus X </dev/null
is "$(state t-bus.service)" "inactive " "the bus does not bring a held service up"
in_lab systemctl start cron t-base t-part </dev/null
is "$(state cron t-base t-part)" "inactive inactive inactive " "systemctl start has no effect"
is "$(in_lab systemctl is-enabled cron cups t-part </dev/null | tr '\n' ' ')" \
	"enabled enabled enabled " "the unit files keep their state"
runs=$(in_lab wc -l /var/lib/t-job </dev/null)
like "$runs" '^[1-9]' "the timer ran before it was held"
sleep 2
is "$(in_lab wc -l /var/lib/t-job </dev/null)" "$runs" "the held timer starts nothing"
run step service.stop check units=$units
like "$out" '"result": ?"unchanged"' "check after apply finds nothing left to do"

# ---- a hold inside a hold gives back nothing that is not its own
work=/opt/pd/inner
run step service.stop check,apply,verify,undo units=cron
is "$rc" 0 "a second hold of the same unit is given back"
is "$(state cron)" "inactive " "the unit stays held by the first"
like "$(holds)" cron.service "its hold is still there"
work=/opt/pd/work

# ---- over a reboot
"$lab" reboot a >/dev/null </dev/null
"$lab" wait a >/dev/null </dev/null
# shellcheck disable=SC2086
unlike "$(state $watched)" '(^| )active' "all stays held over a reboot"
is "$(in_lab systemctl list-units --failed --no-legend </dev/null)" "" "no unit failed in that boot because of the hold"
run step service.stop verify units=$units
is "$rc" 0 "verify after the reboot"

# ---- given back
run step service.stop undo units=$units
is "$rc" 0 "undo succeeds"
[ "$rc" = 0 ] || echo "$out"
# shellcheck disable=SC2086
is "$(show $watched)" "$before" "every unit is exactly as before"
is "$(holds)" "" "no hold is left"
is "$(in_lab ls -d /etc/systemd/system/cron.service.d 2>/dev/null </dev/null)" "" "no folder is left"
like "$(in_lab lpstat -r </dev/null)" "is running" "the printer service answers"
run step service.stop undo units=$units
is "$rc" 0 "undo once more does no harm"
# shellcheck disable=SC2086
is "$(show $watched)" "$before" "and changes nothing"

# ---- verify notices that a hold was broken
work=/opt/pd/broken
run step service.stop check,apply units=cron
in_lab rm /etc/systemd/system/cron.service.d/$drop_in </dev/null
in_lab systemctl daemon-reload </dev/null
run step service.stop verify units=cron
is "$rc" 1 "verify fails when somebody removed the hold"
in_lab systemctl start cron </dev/null
run step service.stop verify units=cron
like "$out" 'cron.service (runs|is active)' "verify fails when the unit runs again"
run step service.stop undo units=cron
is "$rc $(state cron)" "0 active " "and undo still gives back"

# ---- a unit that does not stop
work=/opt/pd/stuck
in_lab systemctl start t-stuck </dev/null
run step service.stop check,apply units=cron,t-stuck timeout=2
is "$rc" 1 "a unit that does not stop fails the step"
like "$out" 't-stuck.service is deactivating \(stop-sigterm\)' "its state is told"
like "$out" 'main process [0-9]+' "its main process is told"
like "$out" 'no I will not' "its last words in the journal are told"
run step service.stop undo units=cron,t-stuck timeout=2
is "$rc" 0 "what was stopped by half is given back"
[ "$rc" = 0 ] || echo "$out"
is "$(state cron t-stuck)" "active active " "both run again"
is "$(holds)" "" "no hold is left after that"

# ---- killed in the middle, then again
work=/opt/pd/killed
in_lab sh -c 'LD_LIBRARY_PATH=/opt/pd/lib exec timeout -s KILL 1 /opt/pd/pd-step --plugin-dir /opt/pd/plugins --work /opt/pd/killed service.stop check,apply units=cron,t-stuck,cups timeout=60' >/dev/null 2>&1 </dev/null
run step service.stop check,apply,verify units=cron,t-stuck,cups
is "$rc" 0 "apply after a crash comes to its end"
is "$(state cron t-stuck cups.service cups.socket)" "inactive failed inactive inactive " "all is down"
run step service.stop undo units=cron,t-stuck,cups
is "$rc $(state cron t-stuck cups.service cups.socket cups.path)" \
	"0 active active active active active " "undo knows what ran before the crash"
in_lab systemctl kill -s KILL t-stuck </dev/null
in_lab systemctl reset-failed </dev/null

# ---- refusals
work=/opt/pd/refused
for unit in dbus systemd-journald.service dbus.socket t-base@ 't-*' -.mount; do
	run step service.stop check units="$unit"
	is "$rc" 1 "stop of $unit is refused"
done
like "$out" 'inhibit' "with a reason that stops the run"
run step service.stop check units=nosuch missing=fail
like "$out" 'nosuch.service is not installed' "a missing unit is refused when asked for"
run step service.stop check units=nosuch
like "$out" '"result": ?"unchanged"' "no unit, no work"

# ---- start
work=/opt/pd/start
in_lab systemctl stop t-base t-needs </dev/null
run step service.start check,apply,verify units=t-needs
is "$rc $(state t-needs t-base)" "0 active active " "start starts a unit and what it needs"
run step service.start undo units=t-needs
is "$rc $(state t-needs t-base)" "0 inactive inactive " "undo of start stops both again"
work=/opt/pd/start2
run step service.start check units=cron
like "$out" '"result": ?"unchanged"' "nothing to do for what runs"
run step service.start check,apply,verify units=cron
run step service.start undo units=cron
is "$(state cron)" "active " "undo does not stop what ran before"
run step service.start check units=nosuch
is "$rc" 1 "start of a missing unit is refused"
work=/opt/pd/start3
run step service.start check,apply,verify units=t-dies
is "$rc" 1 "start of a service that dies fails"
like "$out" 'the disk is on fire' "with its last words"
in_lab systemctl reset-failed </dev/null
work=/opt/pd/once
in_lab rm -f /var/lib/t-once </dev/null
run step service.start check,apply,verify units=t-once
is "$rc $(in_lab cat /var/lib/t-once </dev/null)" "0 run" "a oneshot runs to its end, once"
in_lab systemctl mask -q --runtime rsync </dev/null
work=/opt/pd/masked
run step service.start check units=rsync
like "$out" 'is masked' "start of a masked unit is refused"
in_lab systemctl unmask -q --runtime rsync </dev/null

# ---- restart
work=/opt/pd/restart
pid() { in_lab systemctl show -p MainPID --value cron </dev/null; }
one=$(pid)
run step service.restart check,apply,verify units=cron
is "$rc $(state cron)" "0 active " "restart succeeds"
two=$(pid)
isnt "$two" "$one" "it is a new process"
run step service.restart apply,verify units=cron
is "$rc $(pid)" "0 $two" "apply again after a crash does not restart it twice"
run step service.restart undo units=cron
is "$rc $(pid)" "0 $two" "undo leaves alone what ran before"
work=/opt/pd/restart2
run step service.restart check,apply,verify units=t-base if_active=true
is "$rc $(state t-base)" "0 inactive " "if_active leaves alone what does not run"
work=/opt/pd/restart3
run step service.restart check,apply,verify units=t-base
is "$rc $(state t-base)" "0 active " "restart starts what does not run"
run step service.restart undo units=t-base
is "$rc $(state t-base)" "0 inactive " "and its undo stops it again"

# ---- verify
work=/opt/pd/verify
run step service.verify check,apply,verify units=cron,cups,syslog.service
is "$rc" 0 "verify of running units, an alias too"
run step service.verify check units=t-base
is "$rc" 0 "check of verify does not stop a run that is to start the unit"
run step service.verify check,apply units=cron,t-base timeout=1
is "$rc" 1 "verify fails for a unit that does not run"
like "$out" 't-base.service is not active' "and names it"
in_lab systemctl start t-dies </dev/null
soon 'systemctl -q is-failed t-dies'
run step service.verify check,apply units=t-dies
like "$out" 'the disk is on fire' "for a failed one with its last words"
run step service.verify check,apply units=t-dies state=inactive
is "$rc" 1 "failed is not inactive"
run step service.verify check,apply,verify units=t-base state=inactive
is "$rc" 0 "verify that a unit is inactive"
run step service.verify check units=nosuch
is "$rc" 1 "verify of a missing unit fails"

# ---- facts
run scan service.services
is "$rc" 0 "scan succeeds"
like "$out" 'cron.service' "services are facts"
n=$(in_lab systemctl list-units --all --type=service --no-legend --plain </dev/null | grep -vc not-found)
is "$(printf '%s' "$out" | grep -o '[a-zA-Z0-9@_:.\\-]*\.service"' | sort -u | wc -l)" "$n" "as many as systemctl lists"
package() { printf '%s' "$out" | jq -r --arg name "$1" '.services[] | select(.name == $name) | .package'; }
is "$(package cron.service) $(package smbd.service) $(package t-base.service)" "cron samba null" \
	"with the package that brought the unit"

in_lab sh -c 'cat >/etc/cron.d/by-hand; printf "%s\n" "@daily /bin/false" | crontab -u alice -
	printf "#!/bin/sh\n" >/etc/cron.weekly/off; printf "#!/bin/sh\n" >/etc/cron.weekly/on; chmod +x /etc/cron.weekly/on
	cp /etc/cron.d/by-hand /etc/cron.d/not.taken
	mkdir -p /var/spool/cron/atjobs; echo true >/var/spool/cron/atjobs/a0000701c9c380' <<'END'
# a comment
SECRET = not-for-others
MAILTO=root
1-5 *  * * mon  root   /bin/true --with "two words"
END
run scan service.jobs
is "$rc" 0 "scan of jobs succeeds"
job() { printf '%s' "$out" | jq -r --arg name "$1" '.jobs[] | select(.name == $name) | "\(.kind) \(.schedule) \(.user) \(.enabled) \(.command) \(.package)"'; }
is "$(job /etc/cron.d/by-hand)" 'cron 1-5 * * * mon root true /bin/true --with "two words" null' "a line of cron.d"
is "$(job /var/spool/cron/crontabs/alice)" "cron @daily alice true /bin/false null" "a user's crontab"
is "$(job /etc/cron.weekly/on)" "cron weekly root true null null" "a script of cron.weekly"
is "$(job /etc/cron.weekly/off)" "cron weekly root false null null" "one that is not executable is off"
is "$(job /etc/cron.d/not.taken)" "" "a file that cron does not take"
is "$(job /var/spool/cron/atjobs/a0000701c9c380)" "at $(date -u -d @$((0x1c9c380 * 60)) +%Y-%m-%dT%H:%MZ) null true null null" "a job of at"
like "$(job logrotate.timer)" '^timer OnCalendar=.* null true logrotate.service logrotate$' "a timer, its service and its package"
unlike "$out" 'SECRET|not-for-others' "settings of the environment are not told"
is "$(printf '%s' "$out" | jq '[.jobs[] | select(.kind == "timer")] | length')" \
	"$(in_lab systemctl list-units --all --type=timer --no-legend --plain </dev/null | grep -vc not-found)" "as many timers as systemctl lists"

done_testing
