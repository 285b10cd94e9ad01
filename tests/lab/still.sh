#!/bin/bash
# SPDX-License-Identifier: MIT
# A dry run writes nothing: the checks of every step of every plugin, on a
# real server where everything that is mounted is mounted read-only, below a
# filter that refuses and names each system call that could change something.
# What a daemon does for whom asks it over a socket, neither of them sees: the
# states of systemd's units and of CUPS are compared.
export PD_LAB=${PD_LAB:-t-still}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)

# states: of the units, which start each has had, and of the printers; but for
# what a timer starts, or who asks for a name or the time
states()
{
	on_server bash -c '
		systemctl show "*" -p Id,ActiveState,SubState,UnitFileState,InvocationID,TriggeredBy,BusName |
			awk -v RS= -v FS="\n" "! /TriggeredBy=[^\n]*[.]timer/ && ! /BusName=[^\n]/ && ! /Id=[^\n]*[.](timer|scope|device|slice|mount)/ { \$1 = \$1; print }" |
			sort
		systemctl list-unit-files --no-legend --no-pager
		lpstat -t' </dev/null 2>&1
}

# still ARGUMENT...: a dry run like that; sets $out, $rc and, what it has changed, $changed
still()
{
	states >"$tmp/states"
	out=$(on_server /root/still patchday plan "$@" --check </dev/null 2>&1)
	rc=$?
	changed=$(diff "$tmp/states" <(states))
}

server_up || { echo "Bail out! no server"; exit 1; }
"$lab" push "$server" "$PD_BUILDDIR/tests/tools/pd-still" /root/pd-still </dev/null
# the filter lets apt have its files in /tmp: a new one, that is empty afterwards
on_server sh -c 'cat >/root/still; chmod 755 /root/still' <<'END'
#!/bin/bash
exec unshare -m --propagation private bash -c '
	while read -r _ _ _ _ where _; do
		mount -o remount,bind,ro "$(printf %b "$where")" 2>/dev/null
	done </proc/self/mountinfo
	for folder in / /etc /root /srv /var/lib/patchday /var/tmp /tmp /run /dev/shm; do
		! touch "$folder/patchday-written" 2>/dev/null || { echo "pd-still: $folder can be written"; exit 97; }
	done
	mount -t tmpfs none /tmp || exit 97
	/root/pd-still "$@"
	status=$?
	ls -A /tmp | sed "s/^/pd-still: left in \/tmp: /"
	exit $status' bash "$@"
END
on_server lpstat -t </dev/null >/dev/null # CUPS may be started by the first who asks

on_server /root/pd-still sh -c 'setsid -w sh -c "echo x >/root/written"' </dev/null >"$tmp/out" 2>&1
is "the filter finds a write" $? 1
like "and names it" "$(cat "$tmp/out")" 'pd-still: .*: openat /root/written'

# what the filter can't see
states >"$tmp/states"
empty "nothing changes by itself" "$(diff "$tmp/states" <(states))"
on_server /root/still systemctl stop cron </dev/null >"$tmp/out" 2>&1
empty "who asks systemd over its socket is not seen by the filter" "$(grep '^pd-still' "$tmp/out")"
like "but in the states of units" "$(diff "$tmp/states" <(states))" '^< .*Id=cron.service.*ActiveState=active'
on_server systemctl start cron </dev/null
states >"$tmp/states"
on_server /root/still cupsdisable PDF </dev/null >"$tmp/out" 2>&1
like "and who asks CUPS in those of printers" "$(diff "$tmp/states" <(states))" '^> printer PDF disabled'
on_server cupsenable PDF </dev/null

still file-print "${parameters[@]}"
is "the dry run of file-print changes nothing" "$(grep -c '^pd-still' <<<"$out") $(grep -c '^Dry run' <<<"$out")" "0 1"
is "and refuses nothing but where there is no room or no writing" "$rc $(grep '^ *refused ' <<<"$out" | grep -cv 'too little room\|0 MiB free\|read-only')" "4 0"
out=$(on_server /root/pd-still patchday plan file-print "${parameters[@]}" --check </dev/null 2>&1)
is "nothing at all where it could write" "$? $(grep -c '^pd-still' <<<"$out")" "0 0"
empty "and has nobody change anything" "$changed"
grep '^pd-still' <<<"$out" | sort | uniq -c | sed 's/^/# /'

# what the steps that bring back need, made by those that save
on_server sh -c 'cat >/root/save.lua' <<'END'
local pd = require "patchday"
local to = "/srv/safe"
return pd.workflow { api = 1, name = "save", plan = function()
	return { pd.use "eventlog".export { to = to }, pd.use "backup".state { to = to },
		pd.use "printers".save { to = to }, pd.use "shares".save { to = to } }
end }
END
on_server patchday run /root/save.lua </dev/null >"$tmp/save" 2>&1
is "logs, state, printers and shares are saved" $? 0
on_server patchday status --json </dev/null >"$tmp/status"
output() { jq -r --arg id "main/$1" --arg name "$2" '.steps[] | select(.id == $id) | .outputs[$name]' "$tmp/status"; }

on_server sh -c 'cat >/root/all.lua' <<END
local pd = require "patchday"
local to = "/srv/safe"
local archive, logs = "$(output backup.state archive)", "$(output eventlog.export archive)"
local guard = pd.use "guard"
return pd.workflow { api = 1, name = "all", params = { password = pd.secret { help = "of a backup" } }, guards = function()
	return { guard.window { windows = { "daily 00:00-24:00" } }, guard.users {} }
end, plan = function(t)
	local use, due = pd.use, t.catalog:needed()
	local s, units = use "service", { "cron" }
	return {
		guard.window { windows = { "daily 00:00-24:00" } }, guard.users {}, guard.busy {}, guard.load {}, guard.power {},
		use "antivirus".update { command = { "true" }, definitions = "/srv" },
		use "backup".state { to = to }, use "backup".verify { archive = archive },
		use "backup".restore { archive = archive }, use "backup".system { to = to },
		use "copy".folder { from = to, to = "/srv/volume", same_volume = true },
		use "copy".ssh { from = to, host = "127.0.0.1", to = "/srv/volume", identity = "/root/.ssh/id_ed25519", known_hosts = "/root/own_host" },
		use "copy".medium { from = to, label = "NONE" }, -- with one: tests/plugins/copy-medium.sh
		use "command".run { argv = { "/root/step" } },
		use "database".probe {}, use "database".dump { to = to }, -- with a database: tests/lab/database.sh
		use "database".restore { from = to },
		use "directory".probe {}, use "directory".replication {}, use "directory".roles {}, use "directory".dbcheck {}, -- with a domain: tests/lab/domain-controller.sh
		use "directory".transfer { to = "dc2", password = t.params.password }, use "directory".backup { to = to },
		use "driver".install { match = { "pci:8086:100e" } },
		use "driver".firmware { file = "/srv/none.cab" }, -- with fwupd: tests/plugins/driver-firmware.sh
		use "driver".state {}, use "driver".compare { before = to },
		use "eventlog".export { to = to }, use "eventlog".compare { before = logs },
		use "eventlog".collect { to = to }, use "host".space { path = "/", bytes = 1 },
		use "host".reboot { reason = "test" }, use "host".recovery { confirmed = true },
		use "firewall".save { to = to }, use "firewall".compare { from = to }, -- with rules: tests/lab/web-proxy.sh
		use "firewall".restore { from = to }, use "proxy".save { to = to }, use "proxy".restore { from = to },
		use "proxy".verify {}, use "normalbackup".file { path = to }, -- with backups: tests/plugins/normalbackup.sh
		use "normalbackup".restic { repository = to, password = t.params.password },
		use "normalbackup".borg { repository = to }, use "normalbackup".command { ask = { "/root/step" } }, use "normalbackup".bacula { client = "fp1-fd" },
		use "needrestart".probe {}, use "needrestart".restart {}, -- with old files: tests/plugins/needrestart.sh
		use "notify".mail { to = { "root" }, subject = "test", text = "test", command = "/bin/true" },
		use "notify".webhook { url = "https://localhost/", text = "test" }, use "notify".wall { text = "test" }, use "notify".desktop { text = "test" },
		use "network".save { to = to }, use "printers".save { to = to },
		use "printers".restore { from = "$(output printers.save folder)" }, use "probe".smb { share = "data", guest = true },
		use "probe".print {}, use "probe".tcp { port = 445 },
		use "probe".http { url = "http://localhost:631/" }, use "probe".command { argv = { "/bin/true" } },
		use "probe".imap { user = "alice", password = t.params.password }, use "probe".queue {}, -- with mail: tests/lab/mail.sh
		use "probe".mail { to = "alice@localhost", user = "alice", password = t.params.password },
		use "recovery".backup { to = "/srv/volume" }, use "recovery".rescue { to = "/srv/volume" }, -- with rear: tests/plugins/recovery.sh
		use "recovery".stick {}, use "recovery".rescue_stick {}, -- with a stick: tests/plugins/recovery-stick.sh
		use "recovery".recent { path = to }, use "recovery".medium { path = "/root/rear.iso" },
		use "ups".line {},
		pd.hold { { use "antivirus".hold {}, use "quota".hold {}, use "schedule".hold {}, use "ups".hold {}, use "database".quiesce {} } },
		use "snapshot".btrfs { subvolumes = { "/" } }, use "snapshot".lvm { volumes = { "vg/root" } }, -- with some: tests/plugins/snapshot.sh
		use "snapshot".discard { snapshots = { "lvm:vg/none" } }, use "snapshot".room {},
		use "snapshot".prune { volumes = { "/" } }, use "snapshot".restore { volumes = { "/" } },
		use "kernel".keep {}, use "kernel".once {}, use "kernel".confirm {}, use "kernel".running { release = "6.1.0-0-amd64" }, -- with a boot loader: tests/plugins/kernel.sh
		s.stop { units = units }, s.start { units = units }, s.restart { units = units },
		s.verify { units = units }, use "shares".save { to = to },
		use "shares".restore { from = "$(output shares.save folder)" },
		use "rpm".install { updates = due, source = to }, -- a server without rpm: tests/lab/rpm.sh has others
		use "update".install { updates = due, keep = to }, use "update".fetch { updates = due, to = to },
	}
end }
END
# a program of a step, in the protocol of doc/command-protocol.md
on_server sh -c 'cat >/root/step; chmod 755 /root/step' <<'END'
#!/bin/sh
read -r request
echo '{"result": "unchanged"}'
END
on_server sh -c 'echo "127.0.0.1 $(cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >/root/own_host' </dev/null
# copy.ssh goes to this very server here: who comes in finds root's services running
on_server sh -c 'loginctl enable-linger root; until systemctl is-active -q user@0; do sleep 0.1; done' </dev/null
still /root/all.lua --param password=file:/root/alice
is "and neither do the checks of all other steps" "$(grep -c '^pd-still' <<<"$out")" 0
empty "nor do they have it changed" "$changed"
grep '^pd-still' <<<"$out" | sort | uniq -c | sed 's/^/# /'
grep -E '^  (failed|bad-args)' <<<"$out" | sed 's/^/# /'
on_server patchday plugins --json </dev/null | jq -r '.[] | .name as $p | .steps[]? | "\($p).\(.name)"' | sort >"$tmp/declared"
sed -n 's/^  [a-z-]* *[a-z#0-9]*\/\([a-z]*\.[a-z_]*\).*/\1/p' <<<"$out" | sort -u >"$tmp/checked"
empty "no step of any plugin is left out" "$(comm -23 "$tmp/declared" "$tmp/checked")"
is "nothing is left in /tmp" "$(on_server sh -c 'ls /tmp | grep -cv systemd-private' </dev/null)" 0
end
