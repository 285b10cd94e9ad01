#!/bin/bash
# SPDX-License-Identifier: MIT
# Before and after on a real server: what a step did is explained, what a person
# did by hand meanwhile is found, kind by kind.
export PD_LAB=${PD_LAB:-t-compare}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
tmp=$(mktemp -d)
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT

# differences FILTER: of the newest run, "kind key change" on a line each
differences()
{
	on_server patchday status --json </dev/null | jq -r ".comparison.differences[] | select($1) |
		\"\(.kind) \(.key) \(.change)\(if .field then \" \" + .field else \"\" end)\""
}

server_up || { echo "Bail out! no server"; exit 1; }
on_server sh -c 'cat >/root/person; chmod 755 /root/person' <<'END'
#!/bin/sh
set -e
exec >/root/person.log 2>&1
DEBIAN_FRONTEND=noninteractive apt-get install -q -y printer-driver-splix
echo '7 3 * * * root /bin/true' >/etc/cron.d/byhand
lpadmin -p byhand -E -v file:///dev/null
printf '[byhand]\npath = /srv/pub\n' >>/etc/samba/smb.conf
systemd-run --quiet --unit=byhand python3 -m http.server 8999
logger -p user.err -t byhand 'the disk 4711 is on fire'
systemctl disable --quiet cron
sleep 2
END
# A probe leaves nothing behind, as far as the plan knows: it explains nothing.
on_server sh -c 'cat >/root/compare.lua' <<'END'
local pd = require "patchday"
local service, probe = pd.use "service", pd.use "probe"
return pd.workflow { api = 1, name = "compare", role = "test", help = "a test",
  plan = function(t)
    return { pd.stage "one" { service.stop { units = { "apache2" } },
                              probe.command { argv = { "/root/person", "byhand", "cron" }, timeout = "2m" } } }
  end }
END
on_server patchday run /root/compare.lua </dev/null >"$tmp/run.log" 2>&1
is "the run is done" "$? $(run_state)" "0 done"
[ "$(run_state)" = "done" ] || { sed 's/^/# /' "$tmp/run.log"; on_server cat /root/person.log </dev/null | sed 's/^/# /'; }
explained=$(differences .by)
is "what the step did is explained: the service, and its port" "$explained" \
	"listeners tcp 0.0.0.0 80 removed
services apache2.service changed state"
found=$(differences '.by | not')
like "a package installed by hand is found" "$found" '^packages printer-driver-splix amd64 added$'
like "a service" "$found" '^services byhand.service added$'
like "a service that starts no more at the boot" "$found" '^services cron.service changed enabled$'
like "a port" "$found" '^listeners tcp 0.0.0.0 8999 added$'
like "a printer" "$found" '^printers byhand added$'
like "a share" "$found" '^shares byhand added$'
like "a scheduled job" "$found" '^jobs /etc/cron.d/byhand /bin/true added$'
like "an error message, without its numbers" "$found" '^errors byhand the disk # is on fire added$'
empty "and nothing else" "$(grep -v 'byhand\|^listeners tcp 0.0.0.0 8999 \|^services cron.service changed enabled$' <<<"$found" |
	grep -v '^packages printer-driver-splix \|^packages libcupsimage2 ')" # which it depends on
like "the end of the run lists them" "$(cat "$tmp/run.log")" 'unexplained: packages printer-driver-splix'
echo "# scans took: $(grep -o 'scan .*' "$tmp/run.log" | tr -s ' ' | paste -sd';')"
on_server patchday undo </dev/null >/dev/null 2>&1
is "undone, only what was done by hand is left" "$(differences .by)$(differences '.by | not')" "$found"

# ---- a reboot ends what was only started by hand; that cron stays away is somebody's doing
on_server sh -c 'systemd-run --quiet --unit=for-now sleep infinity; systemctl enable --quiet cron; cat >/root/person' <<'END'
#!/bin/sh
set -e
mkdir -p /etc/systemd/system/cron.service.d
printf '[Unit]\nConditionPathExists=/nowhere\n' >/etc/systemd/system/cron.service.d/person.conf
END
on_server sh -c 'cat >/root/reboot.lua' <<'END'
local pd = require "patchday"
local host, probe = pd.use "host", pd.use "probe"
local service = pd.use "service"
return pd.workflow { api = 1, name = "reboot", role = "test", help = "a test",
  plan = function(t)
    return { pd.stage "one" { service.stop { units = { "rsyslog" } },
      probe.command { argv = { "/root/person" } }, host.reboot { reason = "test" } } }
  end }
END
on_server patchday run /root/reboot.lua </dev/null >"$tmp/reboot.log" 2>&1
follow_run 120 >>"$tmp/reboot.log" 2>&1
is "a run with a reboot is done" "$(run_state)" "done"
like "what was started by hand ends with the reboot" "$(differences '.through == "reboot"')" '^services for-now.service removed$'
like "an enabled service that does not come back is unexplained" "$(differences '.by | not')" '^services cron.service changed state$'
end
