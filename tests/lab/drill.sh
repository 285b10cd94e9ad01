#!/bin/bash
# SPDX-License-Identifier: MIT
# Crash drills on a real server in the lab, two side by side: a small workflow
# with a hold, a reboot and probes, stopped in every way, its clones on a disk;
# and file-print, its clones in memory.
# PD_DRILL_POINTS, PD_DRILL_WHOLE: points of the journal of each; PD_DRILL_KINDS:
# how file-print is stopped.  All of it: doc/rehearse.md.
export PD_LAB=${PD_LAB:-t-drill}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
command -v jq >/dev/null || skip "jq is not installed"
# the fault points are the core's
grep -q PATCHDAY_FAULT "$PD_SRCDIR"/core/run/*.c || skip "this patchday has no fault points"
tmp=$(mktemp -d)
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
out=out

# drill ARGUMENT...: its exit status; standard output to $tmp/$out
drill()
{
	local began=$SECONDS status=0

	on_server patchday drill --json "$@" </dev/null >"$tmp/$out" 2>"$tmp/$out.errors" || status=$?
	echo "$((SECONDS - began)) s" >"$tmp/$out.time"
	return $status
}

report()
{
	jq -r "$1" "$tmp/$out" 2>&1
}

table()
{
	sed "s/^/# /" "$tmp/$out.errors" "$tmp/$out.time"
	report '.rows[] | "# \(.point) \(.fault) \(.event) \(.step): \(.result)\(if .person then " (resumed by hand)" else "" end)"'
}

server_up || { echo "Bail out! no server"; exit 1; }
on_server sh -c 'cat >/root/small.lua' <<'EOF'
local pd = require "patchday"
local host, probe, service = pd.use "host", pd.use "probe", pd.use "service"
return pd.workflow { api = 1, name = "small", help = "hold, reboot, probe",
	params = { probe = pd.string { default = "/bin/true" } },
	guards = function() return {} end, -- what is asked would be points, too
	plan = function(t)
		return {
			pd.stage "prepare" { host.reboot { reason = "clean start" } },
			pd.hold { service.stop { units = { "cron" } },
				pd.stage "work" { on_failure = "undo", probe.command { argv = { t.params.probe }, timeout = 2 } } },
			pd.stage "prove" { probe.command { argv = { "/bin/true" } } },
		}
	end }
EOF
on_server mkdir /srv/volume/a </dev/null
(
	out=whole
	drill --leave-out /srv/volume/a --jobs 2 --results /root/results --points "${PD_DRILL_WHOLE:-165}" \
		--kinds "${PD_DRILL_KINDS:-power,enospc}" file-print "${parameters[@]}"
) &
whole=$!
drill --work /srv/volume/a --points "${PD_DRILL_POINTS:-1,9,27}" /root/small.lua
is "a run that is stopped anywhere comes to its end" $? 0
table
is "no end is bad" "$(report .bad)" 0
is "each kind of fault has met its runs" "$(report '[.rows[] | select(.fired) | .fault] | unique | length')" 4
is "nearly all were reached" "$(report '.not_reached <= .runs / 10')" true
is "a power cut in the middle needs nobody" \
	"$(report '[.rows[] | select(.fault == "power" and .point > 10 and .fired) | .person] | any')" false
wait $whole
is "file-print comes to its end when it is stopped" $? 0
out=whole
table
is "with no bad end" "$(report .bad)" 0
is "at points that were reached" "$(report '.runs > 0 and .not_reached <= .runs / 10')" true
is "a disk that was full in the middle of it needs a person" \
	"$(report '[.rows[] | select(.fault == "enospc" and .fired) | .person] | length > 0 and all')" true
is "each result is in the file" "$(on_server sh -c 'wc -l </root/results' </dev/null)" "$(report .runs)"
out=out
empty "nothing is left over" "$(on_server sh -c 'ls -A /srv/volume/a /var/lib/patchday/rehearse | grep -v :; grep rehearse /proc/mounts; ls -d /sys/fs/cgroup/patchday-*' </dev/null 2>/dev/null)"
is "cron was never stopped on the server" "$(on_server systemctl show -p NRestarts --value cron </dev/null)" 0
check "the server has no run" on_server test ! -e /var/lib/patchday/journal.db </dev/null

drill --points 1,2 --kinds kill --results /root/again /root/small.lua --param probe=/bin/false
is "a run that is rolled back without a fault is a good reference, too" $? 0
on_server sed -i '2s/"well":true/"well":false/' /root/again </dev/null
drill --points 1,2 --kinds kill --results /root/again /root/small.lua --param probe=/bin/false
is "a drill that goes on does what has not ended well" \
	"$? $(report '.runs, .bad' | xargs) $(on_server sh -c 'wc -l </root/again' </dev/null)" "0 2 0 3"
on_server sh -c 'sed "s|\"/bin/true\" } } },|\"test\", \"!\", \"-e\", \"/run/patchday-fault\" } } },|" /root/small.lua >/root/bad.lua' </dev/null
drill --points 27 --kinds kill --results /root/bad /root/bad.lua
is "a bad end is one" "$? $(report .bad)" "1 1"
check "and leaves the log of its clone" on_server grep -q 'patchday.*resum' /root/bad.27-kill </dev/null
on_server sh -c 'sed "s|\"/bin/true\" } } },|\"/root/spoil\" } } },|" /root/small.lua >/root/spoilt.lua
	cat >/root/spoil; chmod 755 /root/spoil' <<'EOF'
#!/bin/sh
test -e /run/patchday-fault || exit 0
lpadmin -x laser
echo x >/etc/left.conf
systemctl stop systemd-tmpfiles-clean.timer cups.path systemd-initctl.socket
EOF
drill --points 27 --kinds kill /root/spoilt.lua
is "so is one with other things than a run without a fault leaves" "$? $(report .bad)" "1 1"
result=$(report '.rows[].result')
like "a queue that is gone" "$result" '^done, but .*; of printers, laser is not as it should be: it was removed; '
like "a file of /etc that should not be there" "$result" '; [1-9] files of /etc are not as they should be, such as /etc/'
like "a timer, a path and a socket that are stopped" "$(grep -o 'these do not run: [^;]*' <<<"$result" | tr ',' '\n' | sed 's/.* //' | sort | xargs)" \
	'cups.path systemd-initctl.socket systemd-tmpfiles-clean.timer'
drill --points 1,9999 --kinds kill /root/small.lua
is "a point behind the end of the journal is none" "$? $(grep -c 'the journal of the run without a fault has' "$tmp/out.errors" "$tmp/out" | grep -c ':[1-9]')" "2 1"
drill --pionts 1 /root/small.lua
is "a misspelt option is no option of the run" "$? $(grep -c 'Did you mean --points' "$tmp/out.errors" "$tmp/out" | grep -c ':[1-9]')" "2 1"
end
