#!/bin/bash
# SPDX-License-Identifier: MIT
# A real web proxy, squid behind nftables, goes through its whole runbook: once with a probe that fails after the
# installation, to rolled back, and once to done. Then the same server by the role of any server, likewise, with a snapshot of
# what an update writes to.
export PD_LAB=${PD_LAB:-t-web-proxy}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap '"$lab" destroy >/dev/null 2>&1; [ -z "$loop" ] || losetup -d "$loop"; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)
loop=''

# all that a rollback has to bring back, and the rules in force
state() { inventory; on_server sh -c 'echo "== rules"; nft -s list ruleset' </dev/null; }
version() { on_server dpkg-query -W -f '${Version}' "$1" </dev/null; }
parameters=(--param pages=http://intern/,https://intern/ --param forbidden=http://forbidden/,https://forbidden/
	--param proxy=http://localhost:3129 --param user=carol --param password=file:/root/carol --param ca=/etc/ssl/lab.pem
	--param "others=f2b-*")

server_up || { echo "Bail out! no server"; exit 1; }
on_server bash -s <"$PD_SRCDIR/tests/lab/server-squid.sh" >"$tmp/setup" 2>&1 || sed 's/^/# /' "$tmp/setup"
on_server sh -c 'umask 077; echo carol-secret >/root/carol' </dev/null
only squid squid-common libssl3 openssl
old=$(version squid)
is "squid runs, and has an update to come" \
	"$(on_server systemctl is-active squid nftables </dev/null | xargs) $(on_server apt-get -s upgrade </dev/null | grep -c '^Inst squid ')" \
	"active active 1"
# fail2ban's table comes and goes by itself
on_server nft add table inet f2b-table </dev/null
state >"$tmp/before"

# ---- a probe after the installation that can't succeed
sed -e 's/client_tests(p), *-- A17/probe.command { argv = { "\/bin\/false" }, timeout = 2 },/' -e 's/rounds = 3/rounds = 1/' \
	"$PD_SRCDIR/scripts/roles/web-proxy.lua" | on_server sh -c 'cat >/root/fault.lua'
to_its_end "rolled back" /root/fault.lua "${parameters[@]}"
is "a probe that fails after the installation ends rolled back" "$(run_state)" "rolled back"
out=$(on_server patchday status </dev/null)
like "the probe is named" "$out" 'failed +prove/probe.command'
for step in rules-after proxy-after; do like "after $step had passed" "$out" "done +prove/$step"; done
is "squid is the one before" "$(version squid)" "$old"
state >"$tmp/after"
empty "packages, services, files and rules are as before, but for fail2ban's table" \
	"$(diff "$tmp/before" "$tmp/after" | grep -v '^[0-9,]*d[0-9]*$\|^< table inet f2b-table {$\|^< }$' | head -40)"

# ---- to done
to_its_end "waiting for sign-off" web-proxy "${parameters[@]}"
is "the whole runbook ends with the work done" "$(run_state)" "waiting for sign-off"
is "squid is a new one" "$(on_server dpkg --compare-versions "$(version squid)" gt "$old" </dev/null; echo $?)" 0
is "and runs, with no unit that failed" "$(on_server systemctl is-active squid </dev/null)$(on_server systemctl list-units --state=failed --no-legend </dev/null)" active
out=$(on_server patchday status </dev/null)
for step in prepare/rules-of-boot prepare/proxy-before save/proxy.save prove/rules-after prove/proxy-after 'prove/probe.http#4'; do
	like "$step" "$out" "done +$step"
done
like "the updates took effect by a reboot" "$out" 'done +install/host.reboot'
state >"$tmp/done"
empty "rules and configuration are as before" "$(
	part() { sed -n '/^== rules/,$p; \, /etc/\(squid\|nftables\),p' "$1" | grep -v 'f2b-table\|^}$'; }
	diff <(part "$tmp/before") <(part "$tmp/done"))"
empty "each difference is explained by a step" "$(on_server patchday status --json </dev/null |
	jq -r '.comparison | if .not_compared == [] then .differences[] | select((.by | not) and .kind != "errors") | "\(.kind) \(.key) \(.change)"
		else "not compared: \(.not_compared)" end')"
empty "the password is nowhere in state, logs and reports" \
	"$(on_server sh -c 'grep -rl carol-secret /var/lib/patchday /var/log 2>/dev/null' </dev/null)"
for party in operations "application owner"; do on_server patchday signoff --party "$party" --name Ann </dev/null >/dev/null; done
is "signed by both it is done" "$(run_state)" done

# ---- the same server as any server
only rsync
old=$(version rsync)
on_server sh -c 'cat >/usr/local/bin/same-rsync && chmod 755 /usr/local/bin/same-rsync' <<END
#!/bin/sh
[ "\$(dpkg-query -W -f '\${Version}' rsync)" = "$old" ]
END
# an application on a btrfs, whose data each update changes
snapshot=()
truncate -s 4G "$tmp/disk"
if ! grep -qw btrfs /proc/filesystems && ! modprobe btrfs 2>"$tmp/errors"; then
	echo "# SKIPPED: this kernel has no btrfs: $(cat "$tmp/errors")"
elif ! mkfs.btrfs -q "$tmp/disk" >"$tmp/errors" 2>&1; then
	echo "# SKIPPED: no btrfs can be made: $(cat "$tmp/errors")"
elif device "$tmp/disk"; then
	on_device 'btrfs -q subvolume create @app && echo before >@app/data'
	give_device 'mkdir -p /srv/app; mount -o subvol=@app "$1" /srv/app'
	on_server sh -c 'echo "DPkg::Post-Invoke { \"echo updated >/srv/app/data\"; };" >/etc/apt/apt.conf.d/lab' </dev/null
	snapshot=(--param snapshot=/srv/app)
fi
# snapped DATA SNAPSHOTS: what is in use has those, each run's snapshot what there was before; and the report names it
snapped()
{
	[ -n "$loop" ] || return
	is "the application has its data: $1" "$(on_server cat /srv/app/data </dev/null)" "$1"
	is "its snapshots have those from before" "$(on_device 'cat .patchday/*[0-9]/data' | xargs)" "$2"
	like "which the report names" "$(reported save/snapshot.btrfs)" \
		"name=\"snapshots\" value=\"[^>]*/$(on_device 'ls .patchday | grep "[0-9]$" | tail -n 1')&quot;[^@]*snapshots.txt"
}
state >"$tmp/before"
to_its_end "rolled back" generic --param "commands=/usr/local/bin/same-rsync" "${snapshot[@]}"
is "a command that fails after the updates of any server ends rolled back" "$(run_state) $(version rsync)" "rolled back $old"
snapped before before
like "the command is named" "$(on_server patchday status </dev/null)" 'state: rolled back: prove/probe.command: .*same-rsync'
state >"$tmp/after"
empty "packages, services, files and rules are as before" "$(diff "$tmp/before" "$tmp/after" | head -40)"
to_its_end "waiting for sign-off" generic --param running=squid,ssh --param ports=22,localhost:3128 \
	--param pages=https://intern/ --param ca=/etc/ssl/lab.pem --param "commands=squid -k check" "${snapshot[@]}"
is "the runbook of any server ends with the work done" "$(run_state)" "waiting for sign-off"
is "its probes passed before and after" \
	"$(on_server patchday status </dev/null | grep -cE 'done +(prepare|prove)/(probe\.(tcp|tcp#2|http|command)|running-(before|after))')" 10
snapped updated "before before"
end
