#!/bin/bash
# SPDX-License-Identifier: MIT
# What every workflow gets without its author doing anything, on a real server:
# points of no return, undo that fails, another workflow in the middle, retries,
# reboots that are counted, steps that hang, events, secrets.
export PD_LAB=${PD_LAB:-t-promises}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap '"$lab" destroy >/dev/null 2>&1' EXIT
server_up || { echo "Bail out! no server"; exit 1; }

# A step in shell: a member of the pool, which does not come or go when it is told so.
on_server sh -c 'mkdir -p /srv/pool /srv/told; cat >/usr/local/bin/member; chmod 755 /usr/local/bin/member' <<'END'
#!/bin/sh
read -r _
say() { printf '{"result": "%s"}\n' "$1"; exit 0; }
refuse() { printf '{"result": "%s", "message": "member %s was told to"}\n' "$2" "$1"; exit 0; }
case $PATCHDAY_PHASE in
check) [ -e "/srv/pool/$1" ] && say unchanged; say changed ;;
verify) [ -e "/srv/pool/$1" ] && say unchanged; refuse "$1" failed ;;
undo) [ ! -e "/srv/told/stay-$1" ] || refuse "$1" failed; rm -f "/srv/pool/$1"; say changed ;;
esac
[ ! -e "/srv/told/fail-$1" ] || refuse "$1" failed
[ ! -e "/srv/told/kill-$1" ] || { echo "$1" >>/srv/killed; pkill -9 -x patchday; sleep 600; }
[ ! -e "/srv/told/hang-$1" ] || { : >/srv/told/hanging; sleep 600; }
if [ -s "/srv/told/busy-$1" ]; then
	sed -i 1d "/srv/told/busy-$1"
	refuse "$1" retry
fi
: >"/srv/pool/$1"
say changed
END
on_server sh -c 'cat >/usr/local/bin/heard; chmod 755 /usr/local/bin/heard' <<'END'
#!/bin/sh
cat >>/srv/heard
echo >>/srv/heard
END

# workflow NAME [FIELDS]: standard input is what the plan function returns
workflow()
{
	on_server sh -c "cat >/root/$1.lua" <<END
local pd = require "patchday"
local command, host, backup = pd.use "command", pd.use "host", pd.use "backup"
local probe, service = pd.use "probe", pd.use "service"
local function member(name, kept)
	return command.run { id = name, argv = { "/usr/local/bin/member", name }, reversible = not kept }
end
return pd.workflow { api = 1, name = "$1", help = "a test", ${2:+$2,} plan = function(t) return {
$(cat)
} end }
END
}

# pd ARGUMENT...: sets $out and $rc
pd()
{
	out=$(on_server patchday "$@" </dev/null 2>&1)
	rc=$?
	text=$(paste -sd' ' <<<"$out")
}
told() { on_server sh -c "rm -rf /srv/told/* /srv/pool/*; cd /srv/told; $1" </dev/null; }
pool() { on_server ls /srv/pool </dev/null | paste -sd' '; }
state_is() { [ "$(run_state)" = "$1" ]; }
until_true()
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt "$end" ] || return 1
		sleep 0.5
	done
}

# ---- points of no return
workflow once <<'END'
pd.stage "one" { member "a" }, pd.stage "two" { member("b", true) }
END
pd plan /root/once.lua
like "the plan shows the point of no return" "$text" 'command.run.*---- point of no return ----.*command.run'
pd run /root/once.lua
like "without a verified backup the run is refused" "$rc $(pool) $text" '^4  .*two/b: .*no stage before it has a backup that is verified'
pd run /root/once.lua --accept-no-return "there is a snapshot"
is "a person may know better" "$rc $(pool)" "0 a b"
pd report
like "with a reason that is reported" "$text" 'no way back is needed.*there is a snapshot'
told :
workflow saved <<'END'
(function()
	local state = backup.state { to = "/srv/safe", paths = { "/etc" } }
	return pd.stage "save" { state, backup.verify { archive = state.out.archive, sha256 = state.out.sha256 } }
end)(),
pd.stage "one" { member("b", true) }
END
pd run /root/saved.lua
is "with a backup that was verified it goes on" "$rc $(pool)" "0 b"

# ---- an undo that fails
workflow undone <<'END'
pd.stage "all" { on_failure = "undo", member "a", member "b", member "c" }
END
told 'touch stay-a fail-c'
pd run /root/undone.lua
like "an undo that fails makes the server inconsistent" "$rc $(pool) $text" '^3 a .*inconsistent: since step all/a'
pd run /root/once.lua --accept-no-return "it is a test"
like "no other run starts" "$rc $text" '^4 .*run-inconsistent'
pd plan /root/once.lua --check
is "as its dry run says" "$rc" 4
pd status --clear --why "member a was taken out by hand"
told :
pd run /root/undone.lua
is "a person clears it" "$rc $(pool)" "0 a b c"

# ---- another workflow in the middle
workflow first <<'END'
pd.stage "all" { member "a", member "b", member "c" }
END
workflow second <<'END'
pd.stage "all" { member "a", member "d", member "c" }
END
told 'touch fail-b'
pd run /root/first.lua
is "a run stops" "$rc $(pool)" "5 a"
pd resume --workflow /root/second.lua
like "another workflow is shown, and not taken without a word" "$rc $(pool) $text" '^4 a .*kept +all/a.*new +all/d.*all/b.*not agreed to'
pd resume --workflow /root/second.lua --yes --why "b is broken"
is "with it the run goes on where it was" "$rc $(pool)" "0 a c d"
told 'touch fail-b'
pd run /root/first.lua
pd resume --skip all/b --why "not today"
is "a step is passed over" "$rc $(pool)" "0 a c"

# ---- again, and only so often
workflow busy <<'END'
pd.stage "all" { member "a" }
END
told 'printf "1\n2\n" >busy-a'
pd run /root/busy.lua --events
is "what may pass is tried again" "$rc $(pool) $(grep -c '"kind":"retry"' <<<"$out")" "0 a 2"
told :
workflow boots "reboots = 1" <<'END'
pd.stage "all" { host.reboot { id = "once", reason = "once" }, member "a", host.reboot { id = "twice", reason = "twice", again = true } }
END
boots=$("$lab" boots "$server")
on_server systemd-run -q --unit=boots patchday run /root/boots.lua </dev/null
check "reboots are counted" until_true 120 state_is stopped
like "by the workflow's own limit" "$("$lab" boots "$server") $(on_server patchday status </dev/null | paste -sd' ')" \
	"^$((boots + 1)) .*allows no more"
pd undo

# ---- a step that takes patchday with it, each time
told 'touch kill-a'
workflow killer <<'END'
pd.stage "start" { host.reboot { reason = "the server goes on with it" } },
pd.hold { service.stop { units = { "cron" } }, pd.stage "all" { member "a" } }
END
on_server systemd-run -q --unit=killer patchday run /root/killer.lua </dev/null
check "who is killed at each start gives up by itself" until_true 180 state_is stopped
like "and says why" "$(on_server patchday status </dev/null | paste -sd' ')" 'started again and again without a step coming to its end'
is "after as many starts as it allows itself" \
	"$(on_server grep -c a /srv/killed </dev/null)" 7
is "what was held runs again" "$(on_server systemctl is-active cron </dev/null)" active
pd undo

# ---- a reboot that takes its time, and a person who can't wait
told :
workflow slow <<'END'
pd.stage "all" { on_failure = "undo", member "a", host.reboot { reason = "slow" }, member "b" }
END
boots=$("$lab" boots "$server")
on_server systemd-run -q --unit=delay systemd-inhibit --mode=delay --what=shutdown --why=test sleep 600 </dev/null
pd run /root/slow.lua
is "it waits for the reboot" "$rc $(state_is rebooting && echo rebooting)" "5 rebooting"
calls=0
while [ "$("$lab" boots "$server")" = "$boots" ] && [ $calls -lt 200 ]; do
	on_server timeout 1 patchday resume </dev/null >/dev/null 2>&1 # or it waits
	calls=$((calls + 1))
done
check "who resumes it while the server goes down ($calls times) does no harm" until_true 120 state_is "done"
is "nothing is taken back" "$(pool) $(($("$lab" boots "$server") - boots))" "a b 1"

# ---- a step that hangs
told 'touch hang-a'
on_server systemd-run -q --unit=hangs patchday run /root/busy.lua </dev/null
until_true 30 on_server test -e /srv/told/hanging </dev/null
like "status tells who works, and the last sign of life" "$(on_server patchday status </dev/null | paste -sd' ')" 'all/a .*process [0-9]+ is working on it'
on_server systemctl kill --signal=KILL --kill-whom=main hangs </dev/null
like "of a run that is dead it never says that it runs" "$(on_server patchday status </dev/null | paste -sd' ')" 'state: interrupted'
on_server rm /srv/told/hang-a </dev/null
pd resume
is "and it goes on" "$rc $(pool)" "0 a"

# ---- events, everywhere
told :
on_server rm -f /srv/heard </dev/null
pd run /root/busy.lua --events --hook /usr/local/bin/heard
run=$(on_server patchday status --json </dev/null | jq -r .run)
lines=$(grep -c '^{' <<<"$out")
is "each event is a line of JSON" "$rc $(grep '^{' <<<"$out" | jq -c .n | wc -l)" "0 $lines"
is "the hook gets each" "$(on_server grep -c '^{' /srv/heard </dev/null)" "$lines"
on_server journalctl --sync </dev/null
is "so does the journal of the system, but for what is predicted" "$(on_server journalctl -q -o json PATCHDAY_RUN="$run" </dev/null | wc -l)" \
	"$(grep '^{' <<<"$out" | jq -c 'select(.kind != "predict")' | wc -l)"

# ---- secrets
workflow login "params = { password = pd.secret { required = true } }" <<'END'
probe.smb { share = "data", user = "alice", password = t.params.password }
END
pd run /root/login.lua --param password=file:/root/alice --events
is "a secret reaches its step" "$rc $(grep -c alice-secret <<<"$out")" "0 0"
pd report --to /srv/reports
is "and is nowhere else on the server" "$(on_server sh -c 'grep -rlaF alice-secret /etc /root /run /srv /tmp /var /dev/shm 2>/dev/null; journalctl -a | grep -F alice-secret' </dev/null)" /root/alice
end
