#!/bin/bash
# SPDX-License-Identifier: MIT
# A real file-and-print server goes through its whole runbook: once to done,
# and once with a probe that fails after the installation, to rolled back.
export PD_LAB=${PD_LAB:-t-file-print}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap '"$lab" destroy >/dev/null 2>&1' EXIT
tmp=$(mktemp -d)

upgradable()
{
	on_server sh -c 'apt list --upgradable 2>/dev/null | grep -c upgradable' </dev/null
}

upgraded()
{
	on_server dpkg-query -W -f '${Package}:${Architecture} ${Version}\n' </dev/null | sort >"$tmp/versions.after"
	comm -13 "$tmp/versions.before" "$tmp/versions.after" | wc -l
}

server_up || { echo "Bail out! no server"; exit 1; }
inventory >"$tmp/before"
on_server dpkg-query -W -f '${Package}:${Architecture} ${Version}\n' </dev/null | sort >"$tmp/versions.before"
is "43 packages or so are to be upgraded" "$(($(upgradable) > 20))" 1

on_server patchday doctor --json file-print "${parameters[@]}" </dev/null >"$tmp/doctor" 2>&1
is "the doctor misses nothing but the key of the seal" "$? $(jq -r '.[] | select(.ok | not) | .check' "$tmp/doctor")" \
	"4 there is no key /etc/patchday/seal.key to seal the certificate with"
is "and says that the run can go on after a reboot" \
	"$(jq '.[] | select(.check | startswith("the unit that goes on after a reboot can be armed")) | .ok' "$tmp/doctor")" true

# the same runbook with a probe after the installation that can't succeed
sed -e 's/client_tests(p), *-- A17/probe.command { argv = { "\/bin\/false" }, timeout = 2 },/' -e 's/rounds = 3/rounds = 1/' \
	"$PD_SRCDIR/scripts/roles/file-print.lua" | on_server sh -c 'cat >/root/fault.lua'
out=$(on_server patchday run /root/fault.lua "${parameters[@]}" </dev/null 2>&1)
planned=$(grep -oE 'updates=[0-9]+' <<<"$out" | head -1 | cut -d= -f2)
like "the run begins and reboots" "$out" 'rebooting: prepare/host.reboot'
follow_run 600 >"$tmp/fault.log" 2>&1
is "a probe that fails after the installation ends rolled back" "$(run_state)" "rolled back"
like "when all is undone the server is rebooted once more" "$(on_server patchday status </dev/null)" 'undone +install/host.reboot'
like "the probe is named" "$(on_server patchday status </dev/null)" 'failed +prove/probe.command'
[ "$tap_failures" = 0 ] || { sed 's/^/# /' "$tmp/fault.log"; new_messages; }
inventory >"$tmp/after-fault"
empty "packages, marks, services, printers, shares and files are as before" \
	"$(diff "$tmp/before" "$tmp/after-fault" | head -40)"
# unexplained: of the newest run, as far as it was compared; messages are for people
unexplained()
{
	on_server patchday status --json </dev/null | jq -r '.comparison | if .not_compared == [] then
		.differences[] | select((.by | not) and .kind != "errors") | "\(.kind) \(.key) \(.change) \(.field)"
		else "not compared: \(.not_compared)" end'
}
empty "no difference is left that no step explains" "$(unexplained)"
on_server patchday report </dev/null | sed -n '/^Dry run/,/^$/s/^/# /p'
is "status says so by its exit of follow" "$(on_server patchday status --follow </dev/null >/dev/null; echo $?)" 1

# kept as a test: of apt's lists it has what the plan had, and takes the same course
out=$(on_server patchday workflow record /root/lived.test </dev/null 2>&1; on_server patchday workflow test /root/lived.test </dev/null 2>&1)
like "the run is kept as a test, which passes" "$out" '^1 test, 0 failed$' || sed 's/^/# /' <<<"$out"
like "and fails where the run did" "$(on_server cat /root/lived.test </dev/null)" '^=          rolled back: prove/probe.command'
is "with the updates of the run" "$(on_server grep -c '^  <update ' /root/lived.test </dev/null)" "$planned"

# with a scanner, a UPS and jobs of at, which the updates come for, too
on_server bash -s <"$PD_SRCDIR/tests/lab/server-clamav.sh" >"$tmp/setup" 2>&1
on_server bash -s <"$PD_SRCDIR/tests/lab/server-nut.sh" >>"$tmp/setup" 2>&1
on_server apt-get install -qqy at </dev/null >>"$tmp/setup" 2>&1
held=(cron atd clamav-daemon.socket clamav-daemon clamav-freshclam nut-monitor logrotate.timer)
is "what is to be held runs" "$(on_server systemctl is-active "${held[@]}" </dev/null | sort | uniq -c | xargs)" "7 active" ||
	sed 's/^/# /' "$tmp/setup"
on_server dpkg-query -W -f '${Package}:${Architecture} ${Version}\n' </dev/null | sort >"$tmp/versions.before"
on_server patchday run file-print "${parameters[@]}" --param critical=true </dev/null >"$tmp/run.log" 2>&1
follow_run 600 >>"$tmp/run.log" 2>&1
is "the whole runbook ends with the work done" "$(run_state)" "waiting for sign-off"
[ "$(run_state)" = "waiting for sign-off" ] || { sed 's/^/# /' "$tmp/run.log"; new_messages; }
like "the system's journal has each event with its fields" \
	"$(on_server journalctl -q --no-pager PATCHDAY_KIND=done -o json </dev/null)" '"PATCHDAY_STEP":"install/update.install"'
is "nothing is upgradable any more" "$(upgradable)" 0
is "the server was rebooted at least once by the run" "$(($("$lab" boots "$server") > 2))" 1
empty "each difference is explained by a step" "$(unexplained)"
is "as many packages as were upgraded" "$(on_server patchday status --json </dev/null |
	jq '[.comparison.differences[] | select(.kind == "packages" and .field == "version")] | length')" "$(upgraded)"
out=$(on_server patchday status </dev/null)
like "scanner, UPS and jobs were held" "$out" "(done|is back) +hold/schedule.hold"
for step in antivirus ups; do
	like "$step" "$out" "(done|is back) +hold/$step.hold"
done
like "the scanner got its definitions" "$out" 'done +definitions/antivirus.update'
is "what was held is back" "$(on_server systemctl is-active "${held[@]}" </dev/null | sort | uniq -c | xargs)" "7 active"
empty "without a hold that is left" "$(on_server find /etc/systemd/system -name zz-patchday-hold.conf </dev/null)"
empty "no failed unit" "$(on_server systemctl list-units --state=failed --no-legend </dev/null)"
like "a user can still reach the share" "$(on_server smbclient //localhost/data -U alice%alice-secret -c ls </dev/null)" report.txt
like "the printer still takes jobs" "$(on_server lpstat -a PDF </dev/null)" accepting
check "the resume unit is gone" on_server test ! -e /etc/systemd/system/patchday-resume.service </dev/null
on_server patchday signoff --party operations --name Ann </dev/null >/dev/null
is "one signature is not enough" $? 5
on_server patchday signoff --party "application owner" --name Bob </dev/null >/dev/null
is "two are" $? 0
on_server patchday final --make-key </dev/null >/dev/null
out=$(on_server patchday final --to /srv/central </dev/null 2>&1)
is "it is sealed, and copied to the central place" "$? $(grep -c '^copy: /srv/central/' <<<"$out")" "0 3"
out=$(on_server patchday verify </dev/null 2>&1)
is "journal, seal and all evidence are verified" $? 0 || sed 's/^/# /' <<<"$out"
"$lab" pull "$server" /srv/central "$tmp/certificates" </dev/null
on_server cat /etc/patchday/seal.pub </dev/null >"$tmp/seal.pub"
certificate=$(find "$tmp/certificates" -name 'lab - fp1 - *.xml' | sort | tail -1)
check "the certificate is named site - server - date" [ -n "$certificate" ]
check "and has its schema" xmllint --noout --relaxng "$PD_SRCDIR/scripts/report/report.rng" "$certificate"
check "and the stock minisign verifies it" minisign -Vq -p "$tmp/seal.pub" -m "$certificate"
is "and lists the packages" "$(($(xmllint --xpath 'count(//*[local-name()="package"])' "$certificate") > 20))" 1
second=$(on_server sh -c 'ls -d /srv/volume/*/*/MANIFEST | tail -1' </dev/null)
check "what was saved is in the second place too, whole" on_server sh -c "cd ${second%/*} && sha256sum -c --quiet MANIFEST" </dev/null
like "with the backup of the whole system" "$(on_server cat "$second" </dev/null)" 'system\.tar\.zst$'
like "and who answered the questions" "$(xmllint --xpath '//*[local-name()="question"]/@who' "$certificate")" Ann
# what the dry run said, against what came to be
fidelity=$(xmllint --xpath 'string(//*[local-name()="fidelity"]/@percent)' "$certificate")
check "at least 95 % of the predictions held (${fidelity:-0} %)" [ "${fidelity:-0}" -ge 95 ]
plugins='//*[local-name()="fidelity"]/*[local-name()="plugin"]'
is "of many plugins" "$(xmllint --xpath "count(${plugins}[@percent]) >= 10" "$certificate")" true
empty "and of each one's" "$(xmllint --xpath "${plugins}[@percent < 95]" "$certificate" 2>/dev/null)"
on_server patchday report </dev/null | sed -n '/^Dry run/,/^$/s/^/# /p'
# every piece of evidence still has the digest that was journaled
on_server patchday report --format xml </dev/null >"$tmp/report.xml"
bad=0
while IFS=$'\t' read -r path sum; do
	[ "$(on_server sha256sum "$path" </dev/null | cut -c1-64)" = "$sum" ] || { bad=$((bad + 1)); echo "# $path"; }
done < <(xmllint --xpath '//*[local-name()="evidence"]' "$tmp/report.xml" |
	sed -n 's/.*path="\([^"]*\)".*sha256="\([^"]*\)".*/\1\t\2/p')
is "all evidence is there with its digest" $bad 0
empty "the password is nowhere in state, logs and reports" \
	"$(on_server sh -c 'grep -rl alice-secret /var/lib/patchday /var/log 2>/dev/null' </dev/null)"
rm -rf "$tmp"
end
