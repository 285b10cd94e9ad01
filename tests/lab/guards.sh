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
end
