#!/bin/bash
# SPDX-License-Identifier: MIT
# Two real servers with rpm packages and without a network: a signed catalog is synchronised, approved and frozen, its
# payloads are brought into the package source, and both servers are scanned and patched from these: to done, with a
# probe that fails to rolled back, and with patchday killed (kill -9) in the middle of the installation.
# shellcheck disable=SC2016,SC2015 # scripts for the servers' shells
export PD_LAB=${PD_LAB:-t-rpm-pair}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
tmp=$(mktemp -d)
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
server=r1

# what a rollback has to bring back, item by item
items()
{
	on_server sh -c '
		echo "== packages"; rpm -qa --qf "%{NEVRA} %{SIGMD5}\n" | sort; rpm -Va --nomtime | grep -v __pycache__ | sort
		echo "== services"; systemctl list-unit-files --type=service --no-legend --no-pager | grep -v "^patchday" | sort
		systemctl list-units --type=service --state=running --no-legend --plain --no-pager |
			awk "{ print \$1 }" | grep -v "^patchday\|systemd-" | sort
		cat /run/lab-clock
		echo "== files"; find /etc /usr/local /root -xdev -type f ! -path "/etc/patchday/*" ! -path "/etc/systemd/*patchday*" \
			! -name ld.so.cache -exec sha256sum {} + | sort -k2
		echo "== usr"; find /usr/bin /usr/sbin /usr/lib /usr/libexec /usr/share -xdev -type f ! -path "*/__pycache__/*" \
			-exec sha256sum {} + | sort -k2' </dev/null
}

show() { sed 's/^/# /'; }
versions() { on_server rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\n' </dev/null | grep -v ^gpg-pubkey | sort; }

verified() { on_server rpm -Va --nomtime </dev/null | grep -v __pycache__ | sort; }

mkdir -m 755 "$tmp/stage"
"$lab" destroy >/dev/null 2>&1
make -s -C "${PD_BUILDDIR:?}" install DESTDIR="$tmp/stage" >/dev/null 2>&1 &&
	"$lab" build --kind rpm >/dev/null 2>&1 && "$lab" up --owner $$ --kind rpm r1 r2 </dev/null >/dev/null || { echo "Bail out! no servers"; exit 1; }
for server in r1 r2; do
	"$lab" push "$server" "$tmp/stage" / </dev/null
	on_server sh -c 'systemctl start lab-clock; echo mine >>/etc/lab-clock.conf' </dev/null
done
server=r1

# ------------------------------------------------ the catalog, and its payloads
on_server sh -ec 'install -d -m 755 /etc/patchday/keys /etc/patchday/sources.d /srv/patch
	install -m 644 /srv/mirror/RPM-GPG-KEY-lab /etc/patchday/keys/lab.asc
	printf "Url: https://updates.example.org/lab/repodata/repomd.xml\nTrust: openpgp /etc/patchday/keys/lab.asc\n" \
		>/etc/patchday/sources.d/lab.source
	cp -r /srv/mirror/updates/repodata /root/medium' </dev/null
out=$(on_server patchday catalog sync --from /root/medium </dev/null 2>&1)
is "the signed catalog comes from a medium" $? 0 || show <<<"$out"
on_server sh -c 'mkdir /root/bad && cp -r /root/medium/* /root/bad && echo " " >>/root/bad/repomd.xml' </dev/null
on_server patchday catalog sync --from /root/bad </dev/null >/dev/null 2>&1
is "one that was tampered with does not take effect" $? 4
like "facts have the packages" "$(on_server patchday facts --json </dev/null)" '"scheme": ?"rpm"'
out=$(on_server patchday scan --catalog sync:lab </dev/null 2>&1)
like "the scan finds what is needed" "$out" 'LAB-2026:lab-clock'
# what an update needs beside is needed by nobody who does not have it
on_server sh -ec 'patchday catalog approve sync:lab --needed --why "read, and tried"
	patchday catalog approve sync:lab --id LAB-2026:lab-dep --id LAB-2026:lab-new --why "lab-tool needs them"' </dev/null >/dev/null
is "it is approved" $? 0
on_server sh -ec 'patchday final --make-key
	patchday catalog freeze sync:lab --approved --to /srv/patch/november.xml
	patchday catalog sign /srv/patch/november.xml
	patchday catalog verify /srv/patch/november.xml' </dev/null >"$tmp/freeze" 2>&1
is "it is frozen and signed" $? 0 || sed 's/^/# /' "$tmp/freeze"
out=$(on_server patchday catalog fetch /srv/patch/november.xml --from /srv/mirror/updates --to /srv/patch/packages </dev/null 2>&1)
is "the payloads are in the package source" $? 0 || show <<<"$out"
# the other server gets what the first one has
on_server tar -C / -c srv/patch etc/patchday/seal.pub </dev/null >"$tmp/patch.tar"
server=r2
on_server tar -C / -x --no-same-owner <"$tmp/patch.tar"

# ------------------------------------------------------------------- the workflow
cat >"$tmp/patch.lua" <<'END'
local pd = require "patchday"
local eventlog, host, probe, service = pd.use "eventlog", pd.use "host", pd.use "probe", pd.use "service"
return pd.workflow { api = 1, name = "patch",
	params = { test = pd.string { default = "/bin/true" } },
	rounds = 2,
	plan = function(t)
		local due = t.catalog:needed()
		if #due == 0 then return pd.nothing "no update applies" end
		local installed = pd.install(t, { updates = due, source = "/srv/patch/packages", old = { "/srv/mirror/release" } })
		return {
			pd.stage "before" { eventlog.export { to = "/var/lib/patchday/safe" } },
			pd.hold { service.stop { units = "cron" },
				pd.stage "install" { on_failure = "undo",
					installed, host.reboot { reason = "updates take effect", when = installed.out.reboot_required } },
			},
			pd.stage "after" { on_failure = "undo", probe.command { argv = { t.params.test }, timeout = 2 } },
		}
	end,
}
END
for server in r1 r2; do on_server sh -c 'cat >/root/patch.lua' <"$tmp/patch.lua"; done
patch=(patchday run /root/patch.lua --catalog /srv/patch/november.xml)

# ---------------------------------------------------------------- r1: rolled back
server=r1
items >"$tmp/before"
versions >"$tmp/old"
on_server "${patch[@]}" --param test=/bin/false </dev/null >"$tmp/log" 2>&1
follow_run 300 >>"$tmp/log" 2>&1
is "a probe that fails after the installation ends rolled back" "$(run_state)" "rolled back" || sed 's/^/# /' "$tmp/log"
"$lab" wait --timeout 120 r1 </dev/null
items >"$tmp/after"
empty "and every item is as it was" "$(diff "$tmp/before" "$tmp/after" | head -40)"

# ----------------------------------------------------------------------- r2: done
server=r2
boots=$("$lab" boots r2)
on_server "${patch[@]}" </dev/null >"$tmp/log" 2>&1
follow_run 300 >>"$tmp/log" 2>&1
is "without it the work is done" "$(run_state)" "done" || sed 's/^/# /' "$tmp/log"
is "with the reboot that the catalog suggests" "$("$lab" boots r2)" $((boots + 1))
versions >"$tmp/new"
is "all packages that have an update are new" "$(($(comm -13 "$tmp/old" "$tmp/new" | wc -l) > 10))" 1
like "the made-up ones too" "$(grep ^lab- "$tmp/new" | paste -sd' ')" \
	'lab-clock 1\.1-1 lab-core 1\.1-1 lab-dep 1\.0-1 lab-new 2\.0-1 lab-tool 1\.1-1'
is "the service runs in its new version" "$(on_server cat /run/lab-clock </dev/null)" 1.1
like "settings are kept" "$(on_server cat /etc/lab-clock.conf </dev/null)" mine
verified >"$tmp/verified"
empty "no failed unit" "$(on_server systemctl list-units --state=failed --no-legend </dev/null)"
is "what was held is back" "$(on_server systemctl is-active cron </dev/null)" active
empty "nothing is needed any more" "$(on_server patchday scan --catalog /srv/patch/november.xml --json </dev/null |
	jq -r 'select(.verdict == "needed").id')"

# ---------------------------------------------- r1: killed while it is installed
server=r1
on_server touch /run/lab-clock-slow </dev/null
on_server "${patch[@]}" </dev/null >"$tmp/log" 2>&1 &
on_server timeout 200 sh -c 'until pgrep -f "^sleep 600"; do sleep 0.1; done' </dev/null >/dev/null
is "the installation is in the middle of it" $? 0
on_server sh -c 'pkill -9 patchday; pkill -9 -x dnf; pkill -9 -x rpm; pkill -9 -f "^sleep 600"; rm /run/lab-clock-slow' </dev/null
wait $!
like "some packages are there twice" "$(on_server rpm -q lab-clock </dev/null | paste -sd' ')" '1\.0-1.*1\.1-1'
on_server patchday resume </dev/null >>"$tmp/log" 2>&1
follow_run 300 >>"$tmp/log" 2>&1
is "resumed it ends done" "$(run_state)" "done" || sed 's/^/# /' "$tmp/log"
versions >"$tmp/resumed"
empty "with the same packages as the other server, each once" "$(diff "$tmp/new" "$tmp/resumed")"
empty "and all files are whole, as there" "$(diff "$tmp/verified" <(verified))"
end
