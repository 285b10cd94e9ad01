#!/bin/bash
# SPDX-License-Identifier: MIT
# Two real domain controllers that replicate. On them the steps of the plugin directory; then one goes through its whole
# runbook, once with an update that takes a share away, to rolled back, and once to done.
export PD_LAB=${PD_LAB:-t-domain}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
command -v jq >/dev/null || skip "jq is not installed"
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)
server=dc1
parameters=(--param user=probe --param password=file:/root/probe --param roles_to=dc2 --param admin_password=file:/root/admin
	--param prove=read) # that a domain can be made of it is proved above

on() { "$lab" exec "$1" -- "${@:2}"; }
domain() { on "$1" bash -s "${@:2}" <"$PD_SRCDIR/tests/lab/server-domain.sh" >"$tmp/setup.$1" 2>&1 || sed 's/^/# /' "$tmp/setup.$1"; }

server_up && "$lab" up dc2 </dev/null >/dev/null || { echo "Bail out! no servers"; exit 1; }
domain dc1 "$("$lab" address dc1)"
domain dc2 "$("$lab" address dc2)" "$("$lab" address dc1)"
# this one has partners from the next look at the topology on, which may be minutes away
looked()
{
	local words until=$((SECONDS + 300))

	# on a busy machine it gives up after a minute, or is not yet asked by all
	while words=$(on dc1 samba-tool drs kcc dc1 </dev/null 2>&1 | tail -1) && [[ $words != *successful* ]] && [ $SECONDS -lt $until ]; do
		sleep 2
	done
	echo "$words"
}
is "both are controllers of the domain" "$(on dc1 systemctl is-active samba-ad-dc </dev/null) $(on dc2 systemctl is-active samba-ad-dc </dev/null) $(looked)" \
	"active active Consistency check on dc1 successful."
"$lab" push dc1 "$PD_BUILDDIR/tests/tools/pd-step" /root/pd-step </dev/null
"$lab" push dc1 "$PD_BUILDDIR/tests/tools/pd-still" /root/pd-still </dev/null
on dc1 sh -c 'mkdir /root/plugins; cp /usr/lib/patchday/directory.so /root/plugins/' </dev/null

# ---- step by step
. "$PD_SRCDIR/tests/plugins/directory.sh"

# ---- the whole runbook
printf 'Probe-secret-1\n' | on dc1 sh -c 'umask 077; cat >/root/probe'
printf 'Admin-secret-1\n' | on dc1 sh -c 'umask 077; cat >/root/admin'
only libssl3 openssl python3-dnspython
is "there are updates" "$(on dc1 apt-get -s upgrade </dev/null | grep -c '^Inst ')" 3
out=$(on dc1 /root/pd-still patchday plan domain-controller "${parameters[@]}" --answers /root/answers.json --check </dev/null 2>&1)
is "the dry run changes nothing" "$? $(grep -c '^pd-still' <<<"$out")" "0 0"
grep '^pd-still' <<<"$out" | sort | uniq -c | sed 's/^/# /'

# an update that takes a share away, once; meanwhile somebody makes an account
on dc1 sh -c 'cat >/root/fault; chmod 755 /root/fault; echo "DPkg::Post-Invoke { \"test ! -x /root/fault || /root/fault\"; };" >/etc/apt/apt.conf.d/lab' <<'S'
#!/bin/sh
chmod 644 /root/fault
samba-tool user create meanwhile --random-password
samba-tool fsmo show >/root/roles
sed -i '/^\[netlogon\]/,$d' /etc/samba/smb.conf
smbcontrol all reload-config
S
inventory >"$tmp/before"
owners dc1 >"$tmp/roles"
# who waits for a share that is gone need not wait for long
sed -e 's/roles_to and { client_test(p)/roles_to and { directory.probe { timeout = 12 }/' "$PD_SRCDIR/scripts/roles/domain-controller.lua" | on dc1 sh -c 'cat >/root/dc.lua'
to_its_end "rolled back" /root/dc.lua "${parameters[@]}"
is "a share that is gone ends rolled back" "$(run_state)" "rolled back"
like "the share is named" "$(on_server patchday status </dev/null)" 'state: rolled back: install/directory.probe.*//dc1.lab.example/netlogon'
is "the other one had the roles meanwhile" "$(on_server grep -c 'Settings,CN=DC2,' /root/roles </dev/null)" 7
is "and has given them back" "$(owners dc1) $(owners dc2)" "$(<"$tmp/roles") $(<"$tmp/roles")"
inventory | grep -v "^meanwhile:" >"$tmp/after"
empty "packages, services and files are as before" "$(diff "$tmp/before" "$tmp/after" | head -40)"
is "the account that was made meanwhile is here, and there" "$(on dc1 samba-tool user list </dev/null | grep -cx meanwhile) $(
	on dc2 samba-tool user list </dev/null | grep -cx meanwhile)" "1 1"

to_its_end "waiting for sign-off" domain-controller "${parameters[@]}"
is "the whole runbook ends with the work done" "$(run_state)" "waiting for sign-off"
is "nothing is upgradable any more" "$(on_server apt-get -s upgrade </dev/null | grep -c '^Inst ')" 0
out=$(on_server patchday status </dev/null)
for step in prepare/directory.probe prepare/directory.replication save/directory.backup install/directory.replication \
	prove/directory.probe prove/directory.replication prove/directory.roles prove/directory.dbcheck; do
	like "$step" "$out" "done +$step"
done
like "the roles that another one held came back" "$out" 'is back +hold/directory.transfer'
like "the updates took effect by a reboot" "$out" 'done +install/host.reboot'
is "the roles are where they were" "$(owners dc1) $(owners dc2)" "$(<"$tmp/roles") $(<"$tmp/roles")"
is "the state that was saved has keys, and no directory that could be put back" "$(on_server sh -c 'cat /var/lib/patchday/safe/*/state.tar.zst.manifest |
	sed "s,.*/private/,," | grep -cx secrets.tdb; cat /var/lib/patchday/safe/*/state.tar.zst.manifest | grep -c sam.ldb' </dev/null | xargs)" "2 0"
empty "no unit has failed" "$(on_server systemctl list-units --state=failed --no-legend </dev/null)"
empty "each difference is explained by a step" "$(on_server patchday status --json </dev/null | jq -r '.comparison | if .not_compared == [] then
	.differences[] | select((.by | not) and .kind != "errors") | "\(.kind) \(.key) \(.change)" else "not compared: \(.not_compared)" end')"
empty "no password and no ticket is in state, logs and reports" "$(on_server sh -c 'grep -rlI "Probe-secret-1\|Admin-secret-1" /var/lib/patchday /var/log; find /var/lib/patchday -name ticket' </dev/null 2>/dev/null)"
for party in operations "application owner"; do on_server patchday signoff --party "$party" --name Ann </dev/null >/dev/null; done
is "signed by both it is done" "$(run_state)" done
end
