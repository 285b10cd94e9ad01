#!/bin/bash
# SPDX-License-Identifier: MIT
# Whole runs of a file-and-print server, with patchday killed (kill -9) or the
# server's power cut at random moments: each goes on and ends done, with no
# step lost and none applied twice but the one that was interrupted.
# PD_KILL_RUNS: how many runs, 20 by `make check-kill`; PD_KILL_SEED: repeats the
# moments of a test.
export PD_LAB=${PD_LAB:-t-kill}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
tmp=$(mktemp -d)
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
# each uses its own server; two at a time is what two cores can do
runs=${PD_KILL_RUNS:-4}
RANDOM=${PD_KILL_SEED:=$RANDOM}
echo "# PD_KILL_SEED=$PD_KILL_SEED"

new_server()
{
	"$lab" up --fresh --owner $$ "$server" </dev/null >/dev/null &&
		"$lab" push "$server" "$tmp/stage" / </dev/null &&
		give_parameters
}

# items: what a run must neither lose nor change
items()
{
	on_server sh -c 'lpstat -v; lpstat -p | sed "s/since.*//"; lpstat -d
		testparm -s 2>/dev/null; pdbedit -L; apt-mark showmanual; apt-mark showhold
		systemctl list-unit-files --type=service --no-legend --no-pager | grep -v patchday | sort' </dev/null
}

milliseconds()
{
	echo $((${EPOCHREALTIME/./} / 1000))
}

# strike KIND: when nothing of patchday runs, kill -9 waits until it does
strike()
{
	local hit=''

	while [ ! -e "$here/ended" ] && [ -z "$hit" ]; do
		if [ "$1" = cut ]; then
			echo "$(milliseconds) cut" >>"$here/strikes"
			"$lab" crash "$server" </dev/null >>"$here/log" 2>&1
			return
		fi
		"$lab" wait --timeout 120 "$server" </dev/null >/dev/null 2>&1 || continue
		hit=$(on_server pkill -9 -e -x patchday </dev/null 2>/dev/null)
		sleep 0.2
	done
	[ -z "$hit" ] || echo "$(milliseconds) kill" >>"$here/strikes"
}

# strikes FIRST: one to three, of both kinds by turns
strikes()
{
	local kind=$1 n=$((1 + $3 % 3)) i=0

	sleep "$(($2 / 1000)).$(printf %03d $(($2 % 1000)))"
	while strike "$kind"; [ $((i += 1)) -lt "$n" ]; do
		[ "$kind" = cut ] && kind=kill || kind="cut"
		sleep "$((($3 / 3 + i * 7) % 15)).$(($3 % 10))"
	done
}

# person: nobody works on the run, so somebody has to; only a kill, or a cut in the dry run, may ask for that
person()
{
	echo "$(milliseconds) $1" >>"$here/person"
	if [ "$1" = run ]; then
		on_server patchday run file-print "${parameters[@]}" </dev/null >>"$here/log" 2>&1 &
	else
		on_server patchday resume </dev/null >>"$here/log" 2>&1 &
	fi
}

# drive: until the run ends, whatever happens to it
drive()
{
	local end=$((SECONDS + 400)) idle=0 state

	while [ $SECONDS -lt $end ]; do
		sleep 0.5
		"$lab" wait --timeout 120 "$server" >/dev/null 2>&1 </dev/null || continue
		state=$(run_state)
		case $state in
		done | 'rolled back' | 'waiting for sign-off' | stopped | inconsistent | refused) return 0 ;;
		esac
		if on_server sh -c 'pgrep -x patchday >/dev/null || [ "$(systemctl is-system-running)" = stopping ]' </dev/null 2>/dev/null; then
			idle=0
		elif [ $((idle += 1)) -ge 6 ]; then
			idle=0
			if on_server patchday status --all </dev/null 2>/dev/null | grep -q '[0-9]-[0-9]'; then
				person resume
			else
				person run
			fi
		fi
	done
	return 1
}

ask()
{
	sqlite3 -cmd '.timeout 5000' "$here/journal.db" "$1" 2>&1
}

# findings: one line for each thing that is wrong with a run that has ended
findings()
{
	local state cuts kills count early

	cuts=$(grep -c cut "$here/strikes")
	kills=$(grep -c kill "$here/strikes")
	state=$(run_state)
	[ "$state" = "waiting for sign-off" ] || echo "the run is ${state:-not there}"
	for party in operations "application owner"; do
		on_server patchday signoff --party "$party" --name Ann </dev/null >/dev/null 2>&1
	done
	state=$(run_state)
	[ "$state" = done ] || echo "with both signatures the run is ${state:-not there}"
	on_server sh -c '
		apt list --upgradable 2>/dev/null | sed -n "s/\[upgradable.*/is not up to date/p" | tail -3
		dpkg --audit
		systemctl list-units --state=failed --no-legend --plain | sed "s/^/failed unit: /"
		for unit in cron smbd cups; do
			systemctl is-active -q $unit || echo "$unit does not run"
		done
		ls /etc/systemd/system/patchday-resume.service 2>/dev/null
		smbclient //localhost/data -U alice%alice-secret -c ls >/dev/null 2>&1 || echo "no share"
		lpstat -a PDF 2>&1 | grep -v accepting' </dev/null
	diff "$here/items" <(items) | sed 's/^/not as before: /'
	for name in journal.db journal.db-wal journal.db-shm; do
		"$lab" pull "$server" "/var/lib/patchday/$name" "$here/$name" </dev/null >/dev/null 2>&1
	done
	ask 'PRAGMA integrity_check' | grep -vx ok
	# in the dry run nothing is touched and nothing armed: a person begins again
	count=$(ask "SELECT ifnull(min(time), 0) FROM event WHERE kind = 'state'")
	early=$(awk -v began="$count" '$2 == "cut" && $1 < began' "$here/strikes" | wc -l)
	count=$(grep -c resume "$here/person")
	[ "$count" -le $((kills + early)) ] || echo "a person had to resume $count times after $kills kills and $cuts power cuts"
	[ "$(ask "SELECT count(*) FROM event WHERE kind = 'run'")" = 1 ] || echo "there is more than one run"
	ask "SELECT 'lost: ' || step FROM (
		SELECT CASE json_extract(e.data, '\$.round') WHEN 1 THEN '' ELSE
			'r' || json_extract(e.data, '\$.round') || '/' END || json_extract(s.value, '\$.id') AS step
		FROM event e, json_each(e.data, '\$.plan.steps') s
		WHERE e.kind = 'plan' AND ifnull(json_extract(s.value, '\$.plugin'), '') <> ''
		EXCEPT SELECT step FROM event WHERE kind = 'done')"
	ask "SELECT 'done ' || count(*) || ' times: ' || step FROM event WHERE kind = 'done' GROUP BY step HAVING count(*) > 1"
	ask "SELECT kind || ': ' || step FROM event WHERE kind IN ('failed', 'stuck')"
	# a second intent only when another process took over an unfinished step
	ask "SELECT 'applied again: ' || b.step FROM event a JOIN event b ON b.step = a.step AND b.kind = 'apply' AND b.n > a.n
		WHERE a.kind = 'apply' AND (
			NOT EXISTS (SELECT 1 FROM event o WHERE o.kind = 'owner' AND o.n BETWEEN a.n AND b.n) OR
			EXISTS (SELECT 1 FROM event d WHERE d.step = a.step AND d.kind = 'done' AND d.n BETWEEN a.n AND b.n))"
	count=$("$lab" boots "$server")
	[ "$count" -le $((3 + cuts)) ] || echo "$count boots, with two reboots in the plan and $cuts power cuts"
	count=$(on_server cat /var/log/dpkg.log </dev/null 2>/dev/null | awk '$3 == "upgrade" && n[$4 " " $6]++ { again++ } END { print again + 0 }')
	[ "$count" -le $((cuts + kills)) ] || echo "$count packages were unpacked twice"
}

# table NAME: where the run was at each strike
table()
{
	local at kind began

	began=$(cat "$here/began")
	while read -r at kind; do
		printf '%s after %s s, after %s\n' "$kind" "$(((at - began) / 1000))" \
			"$(ask "SELECT kind || ' ' || step FROM event WHERE time <= $at AND kind <> 'log' ORDER BY n DESC LIMIT 1")"
	done <"$here/strikes"
	printf 'intents twice: %s\n' "$(ask "SELECT group_concat(step, ' ') FROM (SELECT step FROM event
		WHERE kind = 'apply' GROUP BY step HAVING count(*) > 1)")"
}

# one_run NAME KIND MOMENT RANDOM
one_run()
{
	local killer

	server=$1
	here=$tmp/$1
	mkdir "$here"
	touch "$here/strikes" "$here/person"
	new_server >"$here/log" 2>&1 || { echo "no server" >"$here/findings"; return; }
	items >"$here/items"
	milliseconds >"$here/began"
	on_server patchday run file-print "${parameters[@]}" </dev/null >>"$here/log" 2>&1 &
	strikes "$2" "$3" "$4" &
	killer=$!
	drive || echo "the run did not end in time" >"$here/findings"
	touch "$here/ended"
	wait "$killer"
	"$lab" wait --timeout 120 "$server" </dev/null >/dev/null 2>&1
	findings >>"$here/findings" 2>&1
	table >"$here/table"
	if [ -s "$here/findings" ]; then
		on_server sh -c 'patchday status; journalctl -q -u patchday-resume -n 40 --no-pager' </dev/null >"$here/status" 2>&1
		new_messages >>"$here/status"
	fi
	"$lab" down --remove "$server" </dev/null >/dev/null 2>&1
}

"$lab" destroy >/dev/null 2>&1
# the mode of the folder becomes that of the server's /
mkdir -m 755 "$tmp/stage"
make -s -C "${PD_BUILDDIR:?}" install DESTDIR="$tmp/stage" >/dev/null 2>&1 || { echo "Bail out! not installed"; exit 1; }
for ((i = 1; i <= runs; i++)); do
	[ $((i % 2)) = 0 ] && kind=cut || kind=kill
	one_run "k$i" $kind $(((RANDOM * 32768 + RANDOM) % 24000)) $RANDOM &
	# the lab itself is begun by one
	[ "$i" -gt 1 ] || sleep 3
	if [ $((i % 2)) = 0 ] || [ "$i" = "$runs" ]; then
		wait
		for ((k = i - (i + 1) % 2; k <= i; k++)); do
			sed 's/^/# /' "$tmp/k$k/table"
			empty "run $k ends done, nothing lost, nothing twice" "$(cat "$tmp/k$k/findings")"
			[ ! -s "$tmp/k$k/findings" ] || { cat "$tmp/k$k/status"; tail -40 "$tmp/k$k/log"; } | sed 's/^/#   | /'
			[ -z "$PD_KILL_KEEP" ] || cp -r "$tmp/k$k" "$PD_KILL_KEEP/"
		done
	fi
done
end
