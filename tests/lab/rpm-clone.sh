#!/bin/bash
# SPDX-License-Identifier: MIT
# Rehearsal and crash drill on a real server with rpm packages: what would change is told and proved by the database of
# rpm, one that can't be asked is said in words, the package source is seen in the clone, and each end of a drill is
# compared with it.
# PD_DRILL_POINTS: points of the journal of the installation.
# shellcheck disable=SC2016 # scripts for the server's shell are not to be expanded here
export PD_LAB=${PD_LAB:-t-rpm-clone}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
command -v jq >/dev/null || skip "jq is not installed"
tmp=$(mktemp -d)
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
server=r1

# clone COMMAND ARGUMENT...: its exit status; standard output to $tmp/out
clone()
{
	on_server patchday "$@" </dev/null >"$tmp/out" 2>"$tmp/errors"
}

report()
{
	jq -r "$1" "$tmp/out" 2>&1
}

# what is on the server, seen from outside of any clone
items()
{
	on_server sh -c 'rpm -qa --qf "%{NEVRA} %{SIGMD5}\n" | sort; rpm -Va --nomtime | grep -v __pycache__ | sort
		sha256sum /var/lib/rpm/rpmdb.sqlite; systemctl is-active lab-clock; cat /run/lab-clock
		find /etc /usr/share/lab* /usr/libexec/lab* -xdev -type f -exec sha256sum {} + | sort -k2' </dev/null
}

mkdir -m 755 "$tmp/stage"
"$lab" destroy >/dev/null 2>&1
make -s -C "${PD_BUILDDIR:?}" install DESTDIR="$tmp/stage" >/dev/null 2>&1 &&
	"$lab" build --kind rpm >/dev/null 2>&1 && "$lab" up --owner $$ --kind rpm r1 </dev/null >/dev/null || { echo "Bail out! no server"; exit 1; }
"$lab" push r1 "$tmp/stage" / </dev/null
on_server sh -ec 'systemctl start lab-clock
	install -d -m 755 /etc/patchday/keys /etc/patchday/sources.d /srv/source /srv/usb
	cp /srv/mirror/updates/lab-*.rpm /srv/source
	install -m 644 /srv/mirror/RPM-GPG-KEY-lab /etc/patchday/keys/lab.asc
	printf "Url: https://updates.example.org/lab/repodata/repomd.xml\nTrust: openpgp /etc/patchday/keys/lab.asc\n" \
		>/etc/patchday/sources.d/lab.source
	patchday catalog sync --from /srv/mirror/updates/repodata' </dev/null >"$tmp/sync" 2>&1
is "the server has a catalog" $? 0 || sed 's/^/# /' "$tmp/sync"
on_server sh -c 'cat >/root/patch.lua' <<'EOF'
local pd = require "patchday"
local probe = pd.use "probe"
return pd.workflow { api = 1, name = "patch",
	params = { source = pd.path { default = "/srv/source" }, test = pd.string { default = "/bin/true" } },
	plan = function(t)
		local due = t.catalog:needed():id("LAB-2026:lab-clock", "LAB-2026:lab-tool", "LAB-2026:lab-core")
		return {
			pd.stage "install" { on_failure = "undo",
				pd.install(t, { updates = due, source = t.params.source, old = { "/srv/mirror/release" } }) },
			pd.stage "after" { on_failure = "undo", probe.command { argv = { t.params.test }, timeout = 2 } },
		}
	end,
}
EOF
patch=(--catalog sync:lab /root/patch.lua)
items >"$tmp/before"

# ------------------------------------------------------------------- rehearsal
clone rehearse --json "${patch[@]}"
is "the rehearsal of an installation ends well" $? 0 || { report .status; sed 's/^/# /' "$tmp/errors"; }
is "with all that the clone's rpm has then" "$(report '.packages[] | "\(.name) \(.before) \(.after)"' | paste -sd,)" \
	"lab-clock.noarch 1.0-1 1.1-1,lab-core.noarch 1.0-1 1.1-1,lab-dep.noarch null 1.0-1,lab-new.noarch null 2.0-1,lab-old.noarch 1.0-1 null,lab-tool.noarch 1.0-1 1.1-1"
is "a file of a package among what would change" \
	"$(report '.files.list[] | select(.path == "/usr/share/lab-tool/version").what')" changed
like "that no repository is reached is said" "$(report '.not_shown[]')" 'repositories of dnf and zypper .* not reached'
is "the server is proved to be as it was" "$(report '.proof | .same, .packages.same' | xargs)" "true true" ||
	report '.proof.differences[:20][]' | sed 's/^/# /'
like "by the database of rpm, which was read" "$(report '.proof.packages | .of + " " + .before')" "^rpm's database [0-9a-f]{64}"
items >"$tmp/after"
empty "the same seen from outside" "$(diff "$tmp/before" "$tmp/after")"

clone rehearse --param test=/bin/false "${patch[@]}"
is "one that fails after the installation ends rolled back" $? 1
like "and no package would have changed in the end" "$(cat "$tmp/out")" 'packages: 0 would change'
like "with the proof in words" "$(cat "$tmp/out")" "rpm's database +unchanged"
is "of all four parts" "$(grep -c ' unchanged ' "$tmp/out")" 4

# what the server itself does meanwhile is not the clone's; it shows, but for mere questions
on_server sh -c 'printf "#!/bin/sh\nsleep 12345\nexit 0\n" >/root/wait.sh; chmod 755 /root/wait.sh
	sed "s,timeout = 2,timeout = 12345,; s,/bin/true,/root/wait.sh," /root/patch.lua >/root/wait.lua' </dev/null
# meanwhile COMMAND...: a rehearsal, and COMMAND on the server in the middle of it
meanwhile()
{
	clone rehearse --json --catalog sync:lab /root/wait.lua &
	waiter=$!
	on_server timeout 300 sh -c 'until pgrep -f "^sleep 12345"; do sleep 0.1; done
		"$@"; pkill -f "^sleep 12345"' sh "$@" </dev/null >/dev/null
	wait $waiter
}
meanwhile rpm -qa
is "the server is as it was, although somebody has asked rpm" "$(report '.proof.same')" true ||
	report '.proof.differences[:20][]' | sed 's/^/# /'
meanwhile rpm -e lab-old
is "a package that goes from the server meanwhile is no part of the clone's end" "$(report '.state, (.packages | length)' | xargs)" \
	"done 6"
is "but of the proof" "$(report '.proof | .same, .packages.same' | xargs)" "false false"
on_server rpm -i /srv/mirror/release/lab-old-1.0-1.noarch.rpm </dev/null

# --------------------------------------------------- the source is another disk
on_server sh -c 'mount -t tmpfs -o mode=755 tmpfs /srv/usb && cp /srv/source/* /srv/usb' </dev/null
clone rehearse --json --param source=/srv/usb "${patch[@]}"
is "a package source that the clone does not have stops it" "$(report '.state, .exit' | xargs)" "refused 4" || report .
like "it is named" "$(report '.not_shown[]')" '/srv/usb .tmpfs. is not in the clone'
clone rehearse --json --show /srv/usb --param source=/srv/usb "${patch[@]}"
is "it is there when it is to be shown" "$(report '.state, (.packages | length)' | xargs)" "done 6" || report .

# ---------------------------------------------------------- no way to ask
on_server chmod a-x /usr/bin/rpm </dev/null
on_server sh -c 'cat >/root/look.lua' <<'EOF'
local pd = require "patchday"
local probe = pd.use "probe"
return pd.workflow { api = 1, name = "look",
	plan = function() return { pd.stage "look" { probe.command { argv = { "/bin/true" } } } } end }
EOF
clone rehearse /root/look.lua
is "without an answer of rpm a rehearsal can be done" $? 0
like "with words instead of a zero" "$(cat "$tmp/out")" 'packages: not known'
like "and why" "$(cat "$tmp/out")" 'packages of rpm are not compared: it does not answer'
clone drill --points 1 --kinds kill /root/look.lua
like "a drill says it, too" "$(cat "$tmp/out")" 'packages of rpm are not compared: it does not answer'
on_server sh -c 'chmod a+x /usr/bin/rpm; mv /var/lib/rpm /var/lib/rpm.away' </dev/null
clone rehearse /root/look.lua
like "where there is no database that is known, too" "$(cat "$tmp/out")" 'not compared.*this server has no database of dpkg or rpm'
like "and it is no part of the proof" "$(cat "$tmp/out")" 'the database of packages +not known'
on_server sh -c 'mv /var/lib/rpm.away /var/lib/rpm; echo "Package: none" >/var/lib/dpkg/status' </dev/null
clone rehearse --catalog sync:lab /root/look.lua
like "an empty database beside the other takes nothing away" "$(paste -sd' ' "$tmp/out")" \
	"packages: 0 would change.*dpkg's database and rpm's database +unchanged"
on_server rm /var/lib/dpkg/status </dev/null

# ----------------------------------------------------------------------- drill
items >"$tmp/before"
clone drill --json --points "${PD_DRILL_POINTS:-13,18}" "${patch[@]}"
is "an installation that is stopped anywhere comes to its end" $? 0 || sed 's/^/# /' "$tmp/errors"
report '.rows[] | "# \(.point) \(.fault) \(.event) \(.step): \(.result)\(if .person then " (resumed by hand)" else "" end)"'
is "no end is bad" "$(report .bad)" 0
is "each kind of fault has met it" "$(report '[.rows[] | select(.fired) | .fault] | unique | length')" 4
is "at its rows" "$(report '[.rows[].step | test("rpm.install")] | all')" true
# a resumed run that has other packages at its end
on_server sh -c 'printf "#!/bin/sh\ngrep -aq resume /proc/\$PPID/cmdline && rpm -e lab-old\nexit 0\n" >/root/odd.sh; chmod 755 /root/odd.sh
	sed s,/bin/true,/root/odd.sh, /root/look.lua >/root/odd.lua' </dev/null
clone drill --json --points 2 --kinds kill /root/odd.lua
is "an end with other packages is a bad one" "$? $(report .bad)" "1 1" || report .
like "with the package" "$(report '.rows[].result')" 'not as they should be, such as lab-old.noarch'
items >"$tmp/after"
empty "the server is as it was" "$(diff "$tmp/before" "$tmp/after")"
end
