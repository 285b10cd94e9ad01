#!/bin/bash
# SPDX-License-Identifier: MIT
# Rehearsals on a real file-and-print server: the whole runbook on a clone, one
# that is rolled back, what the clone can't reach, and that nothing of it stays
# on the server, however it ends.
# shellcheck disable=SC2016 # scripts for the server's shell are not to be expanded here
export PD_LAB=${PD_LAB:-t-rehearse}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
command -v jq >/dev/null || skip "jq is not installed"
tmp=$(mktemp -d)
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp" ${disk:+"$disk"}' EXIT

# rehearse ARGUMENT...: its exit status; standard output to $tmp/out
rehearse()
{
	on_server patchday rehearse "$@" </dev/null >"$tmp/out" 2>"$tmp/errors"
}

report()
{
	jq -r "$1" "$tmp/out" 2>&1
}

# leftovers: what a rehearsal must not leave, and what it is compared with.
# Service processes come and go; those of other namespaces must not.
leftovers()
{
	on_server sh -c '
		ls -A /srv/volume /var/lib/patchday/rehearse 2>&1
		cut -d" " -f2,3 /proc/mounts | sort | grep -v "^/run/credentials"
		find /sys/fs/cgroup -maxdepth 1 -type d | sort
		for p in /proc/[0-9]*; do readlink "$p/ns/pid"; done | sort -u
		pgrep -l patchday; losetup -a 2>/dev/null; :' </dev/null
}

server_up || { echo "Bail out! no server"; exit 1; }
on_server sh -c 'touch /run/of-the-server; cat >/root/answer.py' <<'EOF'
import socket, threading, time
def unix(name):
    s = socket.socket(socket.AF_UNIX); s.bind(name); s.listen(); return s
tcp = socket.socket(); tcp.bind(("0.0.0.0", 7777)); tcp.listen()
held = [unix("/root/server.sock"), unix("\0server"), tcp]
time.sleep(100000)
EOF
# what a program in the clone can't do; each line that it prints is a hole
on_server sh -c 'cat >/root/inside.sh; chmod 755 /root/inside.sh' <<'EOF'
#!/bin/bash
exec >/root/holes 2>&1
[ "$(ls /sys/class/net)" = lo ] || echo "interfaces: $(ls /sys/class/net)"
(: </dev/tcp/10.77.0.1/22) 2>/dev/null && echo "the network is there"
(: </dev/tcp/10.77.0.10/7777) 2>/dev/null && echo "the server's port answers"
python3 -c '
import socket
for name in ("/root/server.sock", "\0server"):
    try: socket.socket(socket.AF_UNIX).connect(name); print("socket", repr(name))
    except OSError: pass'
[ -S /root/server.sock ] || echo "the socket should be seen"
find /dev -type b | sed 's/^/disk: /'
mknod /root/disk b 254 0 2>/dev/null && echo "devices can be made"
mknod /dev/disk c 1 3 2>/dev/null && echo "devices can be made in /dev"
mkdir /root/devices; mount -t devtmpfs none /root/devices || echo "no devtmpfs to try"
find /root/devices -type b | while IFS= read -r disk; do
	(: <"$disk") 2>/dev/null && echo "$disk can be read"; done
(: </root/devices/mem) 2>/dev/null && echo "memory can be read"
(: </root/devices/null) || echo "null can't be read"
umount /root/devices; rmdir /root/devices
for node in null zero full random urandom tty ptmx; do
	[ $node = tty ] || (: <>/dev/$node) || echo "/dev/$node can't be used"; done
(echo 1 >/proc/sys/kernel/sysrq) 2>/dev/null && echo "the kernel can be set"
(echo h >/proc/sysrq-trigger) 2>/dev/null && echo "sysrq"
date -s "$(date)" >/dev/null 2>&1 && echo "the clock can be set"
touch /sys/kernel/x 2>/dev/null && echo "/sys can be written"
[ ! -e /run/of-the-server ] || echo "/run is the server's"
pgrep -f answer.py >/dev/null && echo "the server's processes are seen"
[ "$(cat /proc/1/comm)" = systemd ] || echo "init is $(cat /proc/1/comm)"
[ "$(systemctl is-system-running)" = running ] || systemctl list-units --failed --no-legend
[ "$(hostname)" = fp1 ] || echo "it is called $(hostname)"
[ -z "$(ls -A /srv/data)" ] || echo "/srv/data is not left out"
[ "$(cat /tmp/shown)" = shown ] || echo "what is to be shown is not"
(echo x >/tmp/shown) 2>/dev/null && echo "what is shown can be written"
echo changed >/srv/pub/hello.txt; echo new >/etc/new-file; rm /etc/issue
python3 -c 'import os; os.setxattr("/usr/bin/id", "security.capability", bytes([1, 0, 0, 2, 0, 4] + [0] * 14))'
echo '0 5 * * * true' | crontab -
systemctl stop cups.service cups.socket cups.path
[ ! -s /root/holes ]
EOF
on_server sh -c 'cat >/root/inside.lua; echo shown >/tmp/shown' <<'EOF'
local pd = require "patchday"
local probe = pd.use "probe"
return pd.workflow { api = 1, name = "inside", help = "look around",
	params = { shown = pd.path { default = "/tmp" } },
	plan = function()
		return { pd.stage "look" { on_failure = "stop",
			probe.command { argv = { "/root/inside.sh" }, timeout = 60 } } }
	end }
EOF
on_server sh -c 'cat >/root/sleep.lua' <<'EOF'
local pd = require "patchday"
local probe = pd.use "probe"
return pd.workflow { api = 1, name = "sleep", help = "sleep", params = {},
	plan = function()
		return { pd.stage "sleep" { probe.command { argv = { "/bin/sleep", "12345" }, timeout = 12345 } } }
	end }
EOF
on_server systemd-run -q --unit=answer python3 /root/answer.py </dev/null
sleep 1
leftovers >"$tmp/clean"
inventory >"$tmp/before"

rehearse --json --leave-out /srv/data /root/inside.lua --param shown=/tmp/shown
is "a program in the clone reaches nothing of the server or beyond" $? 0
[ "$(report .state)" = "done" ] || { report .status; cat "$tmp/errors"; }
is "the file that it added is reported" "$(report '.files.list[] | select(.path == "/etc/new-file").what')" added
is "the one it changed" "$(report '.files.list[] | select(.path == "/srv/pub/hello.txt").what')" changed
is "one that it only gave a capability" "$(report '.files.list[] | select(.path == "/usr/bin/id").what')" changed
is "the one it removed" "$(report '.files.list[] | select(.path == "/etc/issue").what')" removed
is "a crontab, too" "$(report '.files.list[] | select(.path == "/var/spool/cron/crontabs/root").what')" added
like "the service that it stopped" "$(report '.services[] | select(.name == "cups.service") | .before + "," + .after')" \
	'^active .running.,inactive'
is "no package" "$(report '.packages | length')" 0
like "that a folder was left out is said" "$(report '.not_shown[]')" '/srv/data was left out'
is "the server is as it was" "$(report .proof.same)" true
empty "nothing is left over" "$(diff "$tmp/clean" <(leftovers))"

rehearse --work /srv/volume --json file-print "${parameters[@]}"
is "the rehearsal of the whole runbook ends well" $? 0
is "with the work done" "$(report .state)" "waiting for sign-off"
[ "$(report .state)" = "waiting for sign-off" ] || cat "$tmp/out" "$tmp/errors"
is "over at least one reboot" "$(report '.reboots >= 1')" true
is "more than 20 packages would change" "$(report '.packages | length > 20')" true
is "each with both versions" "$(report '[.packages[] | select(.before and .after)] | length > 20')" true
is "every step has its time" "$(report '[.status.steps[] | .seconds >= 0] | all')" true
is "every step is done, or was held and is back" \
	"$(report '[.status.steps[].state] | unique | map(select(. != "done" and . != "undone")) | length')" 0
is "the probes took their time" "$(report '[.status.steps[] | select(.id | test("probe")) | .seconds > 0] | all')" true
is "files of /usr/lib would change" "$(report '.files.folders["/usr/lib"] > 100')" true
is "the server's files, packages and services are as before" "$(report .proof.same)" true
is "which were many files" "$(report '.proof.count > 10000')" true
inventory >"$tmp/after"
empty "the same seen from outside" "$(diff "$tmp/before" "$tmp/after" | head -20)"
is "the server was not rebooted" "$("$lab" boots "$server")" 1
check "and has no run" on_server test ! -e /var/lib/patchday/journal.db </dev/null
empty "nothing is left over of it" "$(diff "$tmp/clean" <(leftovers))"

# an update, and a probe after it that can't succeed; of the whole runbook: tests/lab/file-print.sh
rsync=$(on_server patchday scan --json </dev/null | jq -r 'select(.verdict == "needed" and any(.packages[]; .name == "rsync")) | .id')
on_server sh -c 'sed "s|RSYNC|$1|" >/root/fault.lua' sh "$rsync" <<'EOF'
local pd = require "patchday"
local probe, update = pd.use "probe", pd.use "update"
return pd.workflow { api = 1, name = "fault", help = "install and go back",
	plan = function(t)
		return { pd.stage "install" { on_failure = "undo",
			update.install { updates = t.catalog:needed():id("RSYNC") },
			probe.command { argv = { "/bin/false" }, timeout = 2 } } }
	end }
EOF
on_server mkdir -m 700 /root/kept </dev/null
rehearse --work /srv/volume --evidence /root/kept --json /root/fault.lua
is "a rehearsal with a probe that fails ends rolled back" $? 1
is "and says so" "$(report .state)" "rolled back"
like "with the probe" "$(report .why)" 'probe.command'
check "what its steps kept can be read afterwards" \
	on_server sh -c 'test -s /root/kept/*/install-update.install/packages.txt || find /root/kept -name packages.txt -size +0 | grep -q .' </dev/null
on_server rm -rf /root/kept </dev/null
is "no package would have changed in the end" "$(report '.packages | length')" 0
is "the server is as it was then, too, but for what was to be kept" "$(report .proof.same)" true
[ "$(report .proof.same)" = true ] || report '.proof.differences[:20][]' | sed 's/^/# /'
empty "and nothing is left over" "$(diff "$tmp/clean" <(leftovers))"

# packages from a source that the clone can't reach, fetched by the server
on_server systemd-run -q --unit=source python3 -m http.server -d /srv/mirror 8000 </dev/null
on_server sh -c 'cd /etc/apt/sources.list.d; cp -a . /root/sources; sed -i s,file:/srv/mirror,http://localhost:8000, *
	sleep 1; apt-get -q update >/dev/null 2>&1; cat >/root/install.lua' <<'EOF'
local pd = require "patchday"
local update = pd.use "update"
return pd.workflow { api = 1, name = "install", help = "install",
	plan = function(t)
		return { pd.stage "install" { on_failure = "undo", update.install { updates = t.catalog:needed() } } }
	end }
EOF
rehearse --leave-out /srv/mirror /root/install.lua
is "packages of a source on the network are fetched for the clone" $? 0
like "and said so" "$(cat "$tmp/out")" 'fetching packages: the clone has no network'
like "they are installed there" "$(cat "$tmp/out")" 'packages: [2-9][0-9] would change'
like "the text report proves that the server is as it was" "$(grep -c unchanged "$tmp/out")" '^4$'
on_server sh -c 'cp -a /root/sources/. /etc/apt/sources.list.d/; systemctl stop source; apt-get -q update >/dev/null 2>&1' </dev/null

# however it ends
on_server sh -c 'patchday rehearse --work /srv/volume /root/sleep.lua \
	>/root/sleep.log 2>&1 & echo $! >/root/pid; wait $!; echo $? >/root/status' </dev/null &
waiter=$!
asleep()
{
	local i

	for ((i = 0; i < 600; i++)); do
		on_server pgrep -f "^/bin/sleep ${1:-12345}" </dev/null >/dev/null && return 0
		sleep 0.2
	done
	return 1
}
check "a rehearsal is under way" asleep
rehearse --work /srv/volume /root/inside.lua
is "a second one in the same folder is refused" $? 2
like "with the reason" "$(cat "$tmp/errors")" 'another rehearsal .*clone-busy'
on_server sh -c 'kill -INT $(cat /root/pid)' </dev/null
wait $waiter
is "Ctrl-C ends it" "$(on_server cat /root/status </dev/null)" 130
empty "and nothing is left over after it" "$(diff "$tmp/clean" <(leftovers))"
on_server sh -c 'sed "s/\"12345\"/\"23\"/" /root/sleep.lua >/root/nap.lua
	patchday rehearse --work /srv/volume --json /root/nap.lua >/root/differs 2>&1; echo $? >/root/status' </dev/null &
waiter=$!
check "while one is under way" asleep 23
on_server sh -c 'echo meanwhile >/etc/changed-meanwhile; echo "0 5 * * * true" | crontab -' </dev/null
wait $waiter
is "the server is changed: that has a status of its own" "$(on_server cat /root/status </dev/null)" 6
on_server cat /root/differs </dev/null >"$tmp/out"
is "whatever became of the run" "$(report '.proof.same, .proof.etc.same, .exit' | xargs)" "false false 0"
like "with what differs" "$(report '.proof.differences[]')" changed-meanwhile
like "a crontab, too, does" "$(report '.proof.differences[]')" /var/spool/cron/crontabs/root
on_server sh -c 'rm /etc/changed-meanwhile; crontab -r' </dev/null
empty "and nothing is left over after that" "$(diff "$tmp/clean" <(leftovers))"
on_server sh -c 'patchday rehearse --work /srv/volume /root/sleep.lua \
	>/root/sleep.log 2>&1 & echo $! >/root/pid; wait $!; :' </dev/null &
waiter=$!
check "another one is under way" asleep
on_server sh -c 'kill -KILL $(cat /root/pid)' </dev/null
wait $waiter
sleep 1
empty "kill -9 takes all its processes with it" "$(on_server pgrep -f 'sleep 12345' </dev/null)"
is "and its namespaces" "$(on_server sh -c 'for p in /proc/[0-9]*; do readlink "$p/ns/pid"; done | sort -u | wc -l' </dev/null)" 1
rehearse --work /srv/volume --leave-out /srv/data /root/inside.lua --param shown=/tmp/shown
is "the next one can be done" $? 0
empty "and its start has cleaned up after the one that was killed" "$(diff "$tmp/clean" <(leftovers))"

for wrong in '--leave-out /usr' --leave-uot=/srv '--param nothing=1' '--leave-out relative' '--leave-out /nowhere' '--work relative' '--work /no/where' '--timeout soon' ''; do
	# shellcheck disable=SC2086 # two words
	rehearse $wrong ${wrong:+/root/inside.lua}
	is "refused before anything is touched: rehearse $wrong" $? 2
done
on_server touch /etc/systemd/system/patchday-resume.service </dev/null
rehearse /root/inside.lua
is "while a run is under way there is no rehearsal" $? 2
like "and it says why" "$(cat "$tmp/errors")" 'clone-run-open'

# an ordinary server: the clone's changes are on the file system of / itself
disk=$(mktemp -d -p "${PD_LAB_STATE:-/var/lib/patchday-lab}" .disk.XXXXXX)
disk "$disk" || { echo "Bail out! no copy of the lab's root"; exit 1; }
LAB_DIRECT=$disk server_up || { echo "Bail out! no server with a disk of its own"; exit 1; }
check "the server's / is a disk" [ "$(on_server findmnt -nro FSTYPE / </dev/null)" != overlay ]
leftovers >"$tmp/clean"
inventory >"$tmp/before"
rehearse file-print "${parameters[@]}"
is "the whole runbook is rehearsed in the default folder, on the disk that is cloned" $? 0 ||
	sed 's/^/# /' "$tmp/errors"
like "with the changes on that disk" "$(head -1 "$tmp/out")" '^the clone starts$'
is "every probe passed, and is told with what it found" "$(sed -n 's/^probes: \([1-9][0-9]*\), of which \1 passed$/all/p' "$tmp/out")$(
	sed -n '/^probes:/,/^$/p' "$tmp/out" | grep -c '^  passed  *prove/probe\.print ')" all1
like "over a reboot, to the end of the work" "$(tail -1 "$tmp/out")" 'waiting for sign-off.* [1-9] reboots'
is "this server is as it was, too" "$(grep -c ' unchanged ' "$tmp/out")" 4
inventory >"$tmp/after"
empty "and seen from outside" "$(diff "$tmp/before" "$tmp/after" | head -20)"
empty "and nothing is left over on it" "$(diff "$tmp/clean" <(leftovers))"
end
