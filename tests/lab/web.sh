#!/bin/bash
# SPDX-License-Identifier: MIT
# A real web server, nginx before Apache, goes through its whole runbook: once with an update that takes a site away, to
# rolled back, and once to done. What both save goes to a second place by ssh, which lets in nothing but files.
export PD_LAB=${PD_LAB:-t-web}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)
parameters=(--param "pages=https://shop.example/ 200 Welcome to the shop,http://www.example/ News,http://old.example/ 301"
	--param at=localhost --param ca=/etc/ssl/lab.pem --param away_ssh=keeper@vault:2222:/srv/volume/vault)

versions() { on_server dpkg-query -W -f '${Version} ' apache2 nginx </dev/null; }
shop() { on_server curl -sS --cacert /etc/ssl/lab.pem --connect-to shop.example:443:localhost: https://shop.example/ </dev/null 2>&1; }

# copied RUNS: so many runs have their copy there, all of them whole, and the newest one's report names it
copied()
{
	is "what was saved is in the second place, whole" "$(on_server sh -c 'cd /srv/volume/vault/fp1 &&
		for run in *; do (cd "$run" && test -s state.tar.zst && sha256sum -c --quiet MANIFEST) && echo whole; done' </dev/null 2>&1 | paste -sd' ')" "$1"
	like "which the report names" "$(reported save/copy.ssh)" \
		"name=\"folder\" value=\"$(on_server sh -c 'ls -d /srv/volume/vault/fp1/* | tail -n 1' </dev/null)\"[^@]*copy.ssh/MANIFEST"
}

server_up || { echo "Bail out! no server"; exit 1; }
on_server bash -s <"$PD_SRCDIR/tests/lab/server-web.sh" >"$tmp/setup" 2>&1
only 'apache2*' 'nginx*' libssl3 openssl
on_server bash -s <"$PD_SRCDIR/tests/lab/server-vault.sh" >>"$tmp/setup" 2>&1
is "there is a vault to copy to" $? 0 || sed 's/^/# /' "$tmp/setup"
read -r old_apache old_nginx <<<"$(versions)"
is "both servers run, and have an update to come" "$(on_server systemctl is-active nginx apache2 </dev/null | xargs) $(
	on_server apt-get -s upgrade </dev/null | grep -c '^Inst \(apache2\|nginx\) ')" "active active 2" || sed 's/^/# /' "$tmp/setup"

# ---- a configuration that nginx could not start with
on_server sh -c 'echo "listten 80;" >/etc/nginx/conf.d/wrong.conf' </dev/null
to_its_end stopped web "${parameters[@]}"
is "it is found before any change and any reboot" "$("$lab" boots "$server") $(on_server patchday status </dev/null |
	grep -c 'failed *prepare/configuration-nginx')" "1 1"
on_server sh -c 'patchday undo; rm /etc/nginx/conf.d/wrong.conf' </dev/null >/dev/null 2>&1

# ---- an update that takes a site away, once
on_server sh -c 'cat >/root/fault; chmod 755 /root/fault; echo "DPkg::Post-Invoke { \"test ! -x /root/fault || /root/fault\"; };" >/etc/apt/apt.conf.d/lab' <<'S'
#!/bin/sh
rm -f /root/fault /etc/apache2/sites-enabled/shop.conf
S
inventory >"$tmp/before"
# who waits for a site that is gone need not wait for long
sed -e 's/timeout = "2m"/timeout = 4/' "$PD_SRCDIR/scripts/roles/web.lua" | on_server sh -c 'cat >/root/web.lua'
to_its_end "rolled back" /root/web.lua "${parameters[@]}"
is "a site that is not the same afterwards ends rolled back" "$(run_state)" "rolled back"
like "the page is named" "$(on_server patchday status </dev/null)" 'state: rolled back: prove/probe.http: https://shop.example/ does not contain "Welcome to the shop"'
copied whole
like "the shop is there again" "$(shop)" 'Welcome to the shop'
inventory >"$tmp/after"
empty "packages, services and files are as before" "$(diff "$tmp/before" "$tmp/after" | head -40)"

# ---- to done
to_its_end "waiting for sign-off" web "${parameters[@]}"
is "the whole runbook ends with the work done" "$(run_state)" "waiting for sign-off"
read -r apache nginx <<<"$(versions)"
check "Apache is a newer one ($apache)" dpkg --compare-versions "$apache" gt "$old_apache"
check "and so is nginx ($nginx)" dpkg --compare-versions "$nginx" gt "$old_nginx"
is "both run, and no unit has failed" "$(on_server systemctl is-active nginx apache2 </dev/null | xargs)$(
	on_server systemctl list-units --state=failed --no-legend </dev/null)" "active active"
out=$(on_server patchday status </dev/null)
for step in prepare/configuration-apache2 prepare/configuration-nginx 'prepare/probe.http#3' 'prove/probe.http#3'; do
	like "$step" "$out" "done +$step"
done
like "the updates took effect by a reboot" "$out" 'done +install/host.reboot'
copied "whole whole"
like "a client gets the page" "$(shop)" 'Welcome to the shop'
empty "each difference is explained by a step" "$(on_server patchday status --json </dev/null | jq -r '.comparison | if .not_compared == [] then
	.differences[] | select((.by | not) and .kind != "errors") | "\(.kind) \(.key) \(.change)" else "not compared: \(.not_compared)" end')"
for party in operations "application owner"; do on_server patchday signoff --party "$party" --name Ann </dev/null >/dev/null; done
is "signed by both it is done" "$(run_state)" done
end
