#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin ups with the real NUT and its driver dummy-ups.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins ups guard

# what the UPS is to tell, then wait until it does
ups()
{
	in_lab sh -c 'printf "%s\n" "device.mfr: Lab" "device.model: Box 1" "ups.status: $1" "battery.charge: $2" \
		"battery.runtime: $3" "ups.load: 12.5" >/etc/nut/n && mv /etc/nut/n /etc/nut/rack.dev' sh "$@" </dev/null
	soon "upsc rack 2>/dev/null | grep -q '^ups.status: $1\$' && upsc rack 2>/dev/null | grep -q '^battery.charge: $2\$'"
}
state() { in_lab systemctl is-active "$@" 2>&1 </dev/null | tr '\n' ' '; }
holds() { in_lab find /etc/systemd/system -name zz-patchday-hold.conf </dev/null; }

# ---- no NUT, no UPS: nothing speaks against it
run step ups.line check
is "$rc" 0 "where there is no NUT nothing speaks against it"
like "$out" '"result": ?"unchanged"' "the guard lets it go on"
run step ups.hold check
like "$out" '"result": ?"unchanged"' "and there is nothing to hold"
run scan ups
is "$rc" 0 "scan finds none"

in_lab bash -s <"$PD_SRCDIR/tests/lab/server-nut.sh" >/dev/null 2>&1
soon 'upsc rack ups.status >/dev/null 2>&1'
is "$(state nut-server nut-monitor)" "active active " "NUT runs"
ups "OL CHRG" 90 1500

# ---- facts
run scan ups
is "$rc" 0 "scan succeeds"
is "$(jq -c '."x-ups"[0] | [.name, .model, .status, .safe, .charge, .runtime, .load]' <<<"$out")" \
	'["rack","Lab Box 1","OL CHRG",true,90,1500,12]' "the UPS is a fact, with what it tells"
is "$(jq '."x-ups" | length' <<<"$out")" 1 "that upsc lists it and upsmon watches it does not make two"
unlike "$out" hunter22 "the password of upsmon.conf is not told"

# ---- guard
run step ups.line check
is "$rc" 0 "on line and charged: go on"
run step ups.line check charge=91
is "$rc" 1 "not charged enough: wait"
like "$out" 'the battery of UPS rack has 90 %, 91 % are asked for' "with both figures"
run step ups.line check runtime=1501
like "$out" 'the battery of UPS rack lasts 1500 s, 1501 s are asked for' "not long enough: wait"
run step ups.line check runtime=1500 charge=90
is "$rc" 0 "as much as is asked for is enough"
run step ups.line check ups=nobody
is "$rc" 1 "a UPS that is not there fails"
like "$out" 'UPS nobody does not tell its status' "and is named"
ups "OB DISCHRG" 80 1200
run step ups.line check
like "$out" '"event":"inhibit".*UPS rack is on battery \(OB DISCHRG\)' "on battery: wait"
run step guard.power check
like "$out" 'UPS rack is on battery \(OB DISCHRG\)' "guard.power says so too"

# ---- hold: not on battery
run step ups.hold check
is "$rc" 1 "nothing is held on battery"
like "$out" '"event":"inhibit".*UPS rack is on battery' "with a reason that stops the run"
run step ups.hold apply
is "$rc $(state nut-monitor) $(holds)" "1 active  " "nor when the power went after the check"
like "$out" 'what shuts the server down in good order is not held now' "and it says why"

# ---- hold
ups OL 100 1800
work=/opt/pd/hold
run step ups.hold check
is "$rc $(state nut-monitor) $(holds)" "0 active  " "check changes nothing"
like "$out" '"name": ?"held","value": ?\["nut-monitor.service"\]' "it predicts what is held"
like "$out" '"name": ?"power","value": ?\["rack: OL"\]' "and tells the state of the power"
run step ups.hold check,apply,verify
is "$rc" 0 "hold succeeds"
[ "$rc" = 0 ] || echo "$out"
is "$(state nut-monitor nut-server)" "inactive active " "the monitor is down, NUT's server goes on"
in_lab systemctl start nut-monitor </dev/null
is "$(state nut-monitor)" "inactive " "a start has no effect"
like "$(in_lab cat /opt/pd/hold/ups.hold/ups.txt </dev/null)" 'battery.charge: 100' "what the UPS told is evidence"
run step ups.hold check
like "$out" '"result": ?"unchanged"' "check after apply finds nothing left to do"
"$lab" reboot a >/dev/null </dev/null
"$lab" wait a >/dev/null </dev/null
soon 'upsc rack ups.status >/dev/null 2>&1'
is "$(state nut-monitor nut-server)" "inactive active " "so it is after a reboot"
run step ups.hold verify
is "$rc" 0 "verify after the reboot"

# ---- the power fails meanwhile: nobody shuts down, until it is given back
ups "OB LB" 5 60
sleep 3
is "$(in_lab ls /run/t-shutdown 2>/dev/null </dev/null)" "" "with a low battery the server goes on while it is held"
run step ups.line check
like "$out" 'UPS rack has a low battery \(OB LB\)' "the guard waits"
ups OB 60 600
run step ups.hold undo
is "$rc $(state nut-monitor) $(holds)" "0 active  " "the monitor is given back on battery, too"
[ "$rc" = 0 ] || echo "$out"
ups "OB LB" 5 60
soon '[ -e /run/t-shutdown ]'
is "$?" 0 "and does what it is there for"

# ---- killed in the middle, on line again
in_lab sh -c 'rm -f /run/t-shutdown; systemctl stop nut-monitor; systemctl restart nut-server' </dev/null
ups OL 100 1800
in_lab systemctl start nut-monitor </dev/null
work=/opt/pd/killed
for moment in 0.05 0.1 0.2 0.4; do
	in_lab sh -c "LD_LIBRARY_PATH=/opt/pd/lib exec timeout -s KILL $moment /opt/pd/pd-step --plugin-dir /opt/pd/plugins \
		--work $work ups.hold check,apply" >/dev/null 2>&1 </dev/null
done
run step ups.hold check,apply,verify
is "$rc $(state nut-monitor)" "0 inactive " "apply after crashes comes to its end"
run step ups.hold undo
is "$rc $(state nut-monitor) $(holds)" "0 active  " "undo knows what ran before them"
run step ups.hold undo
is "$rc $(state nut-monitor)" "0 active " "undo once more changes nothing"

# ---- a monitor whose UPS does not answer
in_lab systemctl stop nut-server </dev/null
work=/opt/pd/silent
run step ups.hold check
is "$rc" 1 "a UPS that is silent is no UPS on line"
like "$out" 'UPS rack does not tell its status' "and is named"

done_testing
