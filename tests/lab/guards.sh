#!/bin/bash
# SPDX-License-Identifier: MIT
# A run that waits for a guard on a real server: the wait survives a reboot and
# a power cut, and the run goes on by itself when the guard lets it.
export PD_LAB=${PD_LAB:-t-guards}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap '"$lab" destroy >/dev/null 2>&1' EXIT
server_up || { echo "Bail out! no server"; exit 1; }

on_server sh -c 'cat >/root/wait.lua' <<'END'
local pd = require "patchday"
local guard, service = pd.use "guard", pd.use "service"
return pd.workflow { api = 1, name = "wait",
	guards = function(t) return { guard.busy { processes = "gatekeeper", locks = {} } } end,
	plan = function(t) return { service.stop { units = "cron" } } end,
}
END
on_server bash -s <<'END'
cp /bin/sleep /usr/local/bin/gatekeeper
printf '[Service]\nExecStart=/usr/local/bin/gatekeeper infinity\n[Install]\nWantedBy=multi-user.target\n' \
	>/etc/systemd/system/gatekeeper.service
systemctl -q enable --now gatekeeper
systemd-run -q --unit=the-run patchday run /root/wait.lua
END

# until SECONDS COMMAND...
until_true()
{
	local end=$((SECONDS + $1))

	shift
	while [ $SECONDS -lt "$end" ]; do
		"$@" && return 0
		sleep 0.5
	done
	return 1
}
state_is() { [ "$(run_state)" = "$1" ]; }
# somebody waits in place
attended() { on_server patchday status </dev/null 2>/dev/null | grep -q '^process .* is working on it'; }

check "it waits" until_true 20 state_is "waiting to go on"
like "status names the process in the way" "$(on_server patchday status </dev/null)" 'gatekeeper runs as process'
check "the server would go on after a start" on_server test -e /etc/systemd/system/patchday-resume.service
"$lab" reboot "$server" </dev/null >/dev/null 2>&1
"$lab" wait --timeout 120 "$server" </dev/null >/dev/null 2>&1
check "after a reboot it still waits" until_true 30 attended
is "as before" "$(run_state)" "waiting to go on"
"$lab" crash "$server" </dev/null >/dev/null 2>&1
"$lab" wait --timeout 120 "$server" </dev/null >/dev/null 2>&1
check "after a power cut, too" until_true 30 attended
is "and nothing was touched" "$(run_state) $(on_server systemctl is-active cron </dev/null)" "waiting to go on active"
on_server systemctl disable -q --now gatekeeper </dev/null
check "when the way is free it goes on by itself" until_true 60 state_is "done"
is "and does its work" "$(on_server systemctl is-active cron </dev/null)" inactive
check "and nothing is armed any more" on_server test ! -e /etc/systemd/system/patchday-resume.service

# ---- a credential of systemd's is there after the reboot, too
on_server sh -c 'cat >/root/login.lua' <<'END'
local pd = require "patchday"
local host, probe = pd.use "host", pd.use "probe"
return pd.workflow { api = 1, name = "login", params = { password = pd.secret { required = true } },
	plan = function(t)
		local function login(id) return probe.smb { id = id, share = "data", user = "alice", password = t.params.password } end
		return { login "before", host.reboot { reason = "to see" }, login "after" }
	end,
}
END
on_server sh -c 'install -d -m 700 /etc/credstore /etc/credstore.encrypted; install -m 600 /root/alice /root/smb-login' </dev/null
login=(patchday run /root/login.lua --param password=credential:smb-login)
out=$(on_server systemd-run -q --wait --pipe -p LoadCredential=smb-login:/root/smb-login "${login[@]}" </dev/null 2>&1)
like "one that is in no credstore is refused" "$? $(paste -sd' ' <<<"$out")" "^4 .*'smb-login' is in neither /etc/credstore nor"
on_server systemd-creds encrypt --name=smb-login /root/smb-login /etc/credstore.encrypted/smb-login </dev/null 2>/dev/null ||
	on_server mv /root/smb-login /etc/credstore/smb-login </dev/null
boots=$("$lab" boots "$server")
on_server sh -c 'systemd-run -q --unit=login -p LoadCredential"$(test -e /etc/credstore.encrypted/smb-login && echo Encrypted=smb-login:/etc/credstore.encrypted || echo =smb-login:/etc/credstore)"/smb-login "$@"' x "${login[@]}" </dev/null
login_is() { [ "$(on_server patchday status --json </dev/null 2>/dev/null | jq -r ".workflow + \" \" + .state")" = "login $1" ]; }
check "with it in one the run goes on after the reboot" until_true 120 login_is "done"
is "by itself" "$("$lab" boots "$server")" $((boots + 1))
end
