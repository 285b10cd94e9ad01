#!/bin/bash
# SPDX-License-Identifier: MIT
# Two real servers with rpm packages and without a network: a signed catalog is synchronised, approved and frozen, its
# payloads are brought into the package source, and both servers are scanned and patched from these: by the role generic
# to rolled back and to done, and by the role web with patchday killed (kill -9) in the middle of the installation.
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

catalog=(--catalog /srv/patch/november.xml)
role=("${catalog[@]}" --param site=lab --param source=/srv/patch/packages --param from=/srv/mirror/release --param central=/srv/central
	--param running=ssh,apache2,lab-clock --param ports=22,80 --param hold=apache2)
for server in r1 r2; do give_parameters; done

# ------------------------------------------------- r2: the role, rolled back
# its test of what the server is there for passes with the old version alone
server=r2
# who waits for what will not be need not wait for long
sed 's/command { argv = argv }/command { argv = argv, timeout = 2 }/' "$PD_SRCDIR/scripts/roles/generic.lua" | on_server sh -c 'cat >/root/generic.lua'
items >"$tmp/before"
versions >"$tmp/old"
to_its_end "rolled back" /root/generic.lua "${role[@]}" --param "commands=grep -qx 1.0 /run/lab-clock"
is "a test that fails after the installation ends rolled back" "$(run_state)" "rolled back"
like "it was passed before, and is named" "$(on_server patchday status </dev/null | paste -sd' ')" \
	'done +prepare/probe\.command .*state: rolled back: prove/probe\.command: '
items >"$tmp/after"
empty "and every item is as it was" "$(diff "$tmp/before" "$tmp/after" | head -40)"

# ------------------------------------------------------- r1: the role, done
server=r1
boots=$("$lab" boots r1)
"$lab" push r1 "$PD_BUILDDIR/tests/tools/pd-still" /root/pd-still </dev/null
out=$(on_server /root/pd-still patchday plan generic "${role[@]}" --answers /root/answers.json --check </dev/null 2>&1)
is "its dry run changes nothing" "$? $(grep -c '^pd-still' <<<"$out")" "0 0" || show <<<"$out"
to_its_end "waiting for sign-off" generic "${role[@]}" --param "commands=grep -q 1 /run/lab-clock"
is "without that the whole runbook ends with the work done" "$(run_state)" "waiting for sign-off"
is "with the clean start, and the reboot that the catalog suggests" "$("$lab" boots r1)" $((boots + 2))
versions >"$tmp/new"
is "all packages that have an update are new" "$(($(comm -13 "$tmp/old" "$tmp/new" | wc -l) > 10))" 1
like "the made-up ones too" "$(grep ^lab- "$tmp/new" | paste -sd' ')" \
	'lab-clock 1\.1-1 lab-core 1\.1-1 lab-dep 1\.0-1 lab-new 2\.0-1 lab-tool 1\.1-1'
is "the service runs in its new version" "$(on_server cat /run/lab-clock </dev/null)" 1.1
like "settings are kept" "$(on_server cat /etc/lab-clock.conf </dev/null)" mine
verified >"$tmp/verified"
empty "no failed unit" "$(on_server systemctl list-units --state=failed --no-legend </dev/null)"
out=$(on_server patchday status </dev/null)
for step in hold/schedule.hold hold/service.stop; do like "$step" "$out" "is back +$step"; done
is "what was held is back" "$(on_server systemctl is-active cron apache2 </dev/null | xargs)" "active active"
empty "without a hold that is left" "$(on_server find /etc/systemd/system -name zz-patchday-hold.conf </dev/null)"
empty "each difference is explained by a step" "$(on_server patchday status --json </dev/null | jq -r '.comparison | if .not_compared == [] then
	.differences[] | select((.by | not) and .kind != "errors") | "\(.kind) \(.key) \(.change) \(.field)"
	else "not compared: \(.not_compared)" end')"
empty "nothing is needed any more" "$(on_server patchday scan "${catalog[@]}" --json </dev/null |
	jq -r 'select(.verdict == "needed").id')"
out=$(on_server sh -ec 'patchday signoff --party operations --name Ann; patchday final; patchday verify' </dev/null 2>&1)
is "it is signed, sealed and verified" "$? $(run_state)" "0 done" || show <<<"$out"
check "the certificate is in the central place" on_server sh -c 'test -s /srv/central/"lab - r1 - "*.xml' </dev/null

# ------------------------------------------------- r2: the role web, killed while it installs
server=r2
boots=$("$lab" boots r2)
# behind the clean start the installation comes to its middle, and nothing begins a run again that was killed
on_server sh -c 'echo "f /run/lab-clock-slow" >/etc/tmpfiles.d/lab.conf' </dev/null
on_server patchday run web "${catalog[@]}" --param source=/srv/patch/packages --param from=/srv/mirror/release \
	--param "pages=http://www.example/ 200 It works" --param at=localhost --answers /root/answers.json </dev/null >"$tmp/log" 2>&1
"$lab" wait --timeout 120 --boot $((boots + 1)) r2 </dev/null
on_server sh -c 'mkdir -p /run/systemd/system/patchday-resume.service.d
	printf "[Service]\nRestart=no\n" >/run/systemd/system/patchday-resume.service.d/lab.conf; systemctl daemon-reload
	timeout 500 sh -c "until pgrep -f \"^sleep 600\"; do sleep 0.1; done"' </dev/null >/dev/null
is "the installation is in the middle of it" $? 0
on_server sh -c 'rm /etc/tmpfiles.d/lab.conf /run/lab-clock-slow
	pkill -9 patchday; pkill -9 -x dnf; pkill -9 -x rpm; pkill -9 -f "^sleep 600"' </dev/null
like "some packages are there twice" "$(on_server rpm -q lab-clock </dev/null | paste -sd' ')" '1\.0-1.*1\.1-1'
on_server patchday resume </dev/null >>"$tmp/log" 2>&1
follow_run 300 >>"$tmp/log" 2>&1
is "resumed the runbook of a web server ends with the work done" "$(run_state)" "waiting for sign-off" || sed 's/^/# /' "$tmp/log"
versions >"$tmp/resumed"
empty "with the same packages as the other server, each once" "$(diff "$tmp/new" "$tmp/resumed")"
empty "and all files are whole, as there" "$(diff "$tmp/verified" <(verified))"
is "and what was held is back" "$(on_server systemctl is-active cron </dev/null)" active
end
