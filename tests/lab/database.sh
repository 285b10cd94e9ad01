#!/bin/bash
# SPDX-License-Identifier: MIT
# A real database server goes through its whole runbook: once with a client test that fails after the updates,
# to rolled back, and once to done; the data is the same before and after.
export PD_LAB=${PD_LAB:-t-database}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)
parameters=(--param site=lab --param database=shop --param away=/srv/volume --param wait=1s --answers /root/answers.json)

client() { on_server env PGPASSWORD=shopper-secret psql -XAtqw -h localhost -U shopper -d shop -c "$1" </dev/null 2>&1; }
versions() { on_server dpkg-query -W -f '${Package} ${Version}\n' 'postgresql*' </dev/null 2>/dev/null | grep ' .'; }
undone() { on_server patchday status </dev/null | grep -E "$1"; }

# data: all that is in the database, and who may do what
data()
{
	on_server sh -c 'cd / && for d in shop "odd, name"; do PGDATABASE=$d setpriv --reuid postgres --regid postgres --init-groups \
		pg_dump --no-comments | grep -v "^--\|^\\\\.*restrict"; done
		setpriv --reuid postgres --regid postgres --init-groups pg_dumpall --globals-only | grep -v "^--\|^\\\\.*restrict"
		sha256sum /etc/postgresql/*/main/*.conf; stat -c "%n %U:%G %a" /etc/postgresql/*/main/*' </dev/null
}

server_up || { echo "Bail out! no server"; exit 1; }
on_server bash -s <"$PD_SRCDIR/tests/lab/server-postgresql.sh" >"$tmp/setup" 2>&1
# what has nothing to do with the database would only take time
on_server sh -c 'cat >/etc/apt/preferences.d/lab' <<S
Package: *
Pin: release n=*-security
Pin-Priority: -1

Package: postgresql* libpq5 libssl3 openssl
Pin: release n=*-security
Pin-Priority: 500
S
versions >"$tmp/versions.before"
data >"$tmp/data.before"
is "the application has its rows" "$(client 'SELECT count(*) FROM sales.item')" 5000 || sed 's/^/# /' "$tmp/setup"
like "there is an update for the database" "$(on_server apt list --upgradable </dev/null 2>/dev/null)" '^postgresql-[0-9]+/'

# an application that comes again and again, and what it meets
on_server sh -c 'cat >/root/application; chmod 755 /root/application' <<'S'
#!/bin/sh
export PGPASSWORD=shopper-secret
while sleep 0.3; do psql -XAtqw -h localhost -U shopper -d shop -c "INSERT INTO sales.sold VALUES (1, 0, '2026-12-24') RETURNING 'sold'" 2>&1; done >>/root/met
S
on_server sh -c 'printf "[Unit]\nAfter=postgresql.service\n[Service]\nExecStart=/root/application\n[Install]\nWantedBy=multi-user.target\n" \
	>/etc/systemd/system/application.service; systemctl enable --now application.service' </dev/null >/dev/null 2>&1

# check reads, and does nothing else
"$lab" push "$server" "$PD_BUILDDIR/tests/tools/pd-still" /root/pd-still </dev/null
out=$(on_server /root/pd-still patchday plan database "${parameters[@]}" --check </dev/null 2>&1)
is "the dry run changes nothing" "$? $(grep -c '^pd-still' <<<"$out")" "0 0"
grep '^pd-still' <<<"$out" | sort | uniq -c | sed 's/^/# /'

# the same runbook with a client test after the updates that can't succeed
awk '/client_tests\(p\), *-- A17/ { sub(/client_tests\(p\)/, "probe.command { argv = { \"/bin/false\" }, timeout = 2 }") } { sub(/rounds = 3/, "rounds = 1") } 1' \
	"$PD_SRCDIR/scripts/roles/database.lua" | on_server sh -c 'cat >/root/fault.lua'
out=$(on_server patchday run /root/fault.lua "${parameters[@]}" </dev/null 2>&1)
like "the run begins and reboots" "$out" 'rebooting: prepare/host.reboot'
follow_run 600 >"$tmp/fault.log" 2>&1
is "a client test that fails after the updates ends rolled back" "$(run_state)" "rolled back"
[ "$(run_state)" = "rolled back" ] || { sed 's/^/# /' "$tmp/fault.log"; new_messages; }
like "the test is named" "$(undone failed)" 'failed +prove/probe.command'
empty "the packages are those from before" "$(versions | diff "$tmp/versions.before" -)"
like "the application was turned away meanwhile" "$(on_server cat /root/met </dev/null)" 'pg_hba.conf rejects connection'
on_server systemctl disable --now application.service </dev/null >/dev/null 2>&1
sold=$(on_server grep -c '^sold$' /root/met </dev/null)
check "and has written before and after ($sold times)" [ "$sold" -gt 1 ]
is "a rollback takes nothing back of that" "$(client "DELETE FROM sales.sold WHERE day = '2026-12-24' RETURNING 1" | wc -l)" "$sold"
data >"$tmp/data.after"
empty "all else is as it was, files of the configuration too" "$(diff "$tmp/data.before" "$tmp/data.after" | head -20)"

on_server patchday run database "${parameters[@]}" </dev/null >"$tmp/run.log" 2>&1
follow_run 600 >>"$tmp/run.log" 2>&1
is "the whole runbook ends with the work done" "$(run_state)" "waiting for sign-off"
[ "$(run_state)" = "waiting for sign-off" ] || { sed 's/^/# /' "$tmp/run.log"; new_messages; }
is "nothing is upgradable any more" "$(on_server sh -c 'apt list --upgradable 2>/dev/null | grep -c upgradable' </dev/null)" 0
new=$(versions | sed -n 's/^postgresql-[0-9]* \([0-9.]*\).*/\1/p')
check "the database is a newer one ($new)" dpkg --compare-versions "$new" gt "$(sed -n 's/^postgresql-[0-9]* \([0-9.]*\).*/\1/p' "$tmp/versions.before")"
like "and runs" "$(client 'SHOW server_version')" "^$new"
data >"$tmp/data.after"
empty "with the same data, rights and configuration" "$(diff "$tmp/data.before" "$tmp/data.after" | head -20)"
is "the application can write" "$(client "INSERT INTO sales.sold VALUES (1, 1, '2026-12-25') RETURNING 1")" 1
empty "without a hold that is left" "$(on_server sh -c 'grep -ls patchday /etc/postgresql/*/main/*.conf; find /etc/systemd/system -name zz-patchday-hold.conf' </dev/null)"
empty "each difference is explained by a step" "$(on_server patchday status --json </dev/null | jq -r '.comparison | if .not_compared == [] then
	.differences[] | select((.by | not) and .kind != "errors") | "\(.kind) \(.key) \(.change) \(.field)"
	else "not compared: \(.not_compared)" end')"
second=$(on_server sh -c 'ls -d /srv/volume/*/*/database/MANIFEST | tail -1' </dev/null)
check "the dump is in the second place too, whole" on_server sh -c "cd ${second%/*} && sha256sum -c --quiet MANIFEST" </dev/null
is "it was proved, and nothing is left of that" "$(on_server sh -c 'ls -d /var/lib/postgresql/*/patchday-proof* 2>/dev/null | wc -l' </dev/null)" 0
empty "no password is in state, logs and reports" \
	"$(on_server sh -c 'grep -rlI shopper-secret /var/lib/patchday /var/log 2>/dev/null' </dev/null)"
end
