#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's packages, built from what the tarball has: lintian finds nothing, nothing of `make install` is missing, and on
# a real server they are installed, upgraded and removed under runs, whose records stay.
# shellcheck disable=SC2016 # scripts for the server's shell
export PD_LAB=${PD_LAB:-t-deb}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
. "$PD_SRCDIR/tests/lab/installing.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
for tool in dpkg-buildpackage dh lintian; do
	command -v "$tool" >/dev/null || skip "no Debian package is built: there is no $tool; apt-get install debhelper lintian"
done
work_in deb.work

# ------------------------------------------------------------------- the build
is "the packages have the version of configure.ac" "$(dpkg-parsechangelog -l "$PD_SRCDIR/debian/changelog" -S Version)" "$version"
sources >"$work/log" 2>&1 &&
	(cd "$work/patchday-$version" && DPKG_DEB_COMPRESSOR_TYPE=gzip DPKG_DEB_COMPRESSOR_LEVEL=1 DEB_BUILD_OPTIONS="nocheck noautodbgsym noopt parallel=$(nproc)" \
		dpkg-buildpackage -us -uc --source-option=-z1) >>"$work/log" 2>&1
is "the packages are built" $? 0 || { tail -30 "$work/log" | show; end; }
debs=("$work"/patchday_"$version"_*.deb "$work"/patchday-dev_"$version"_*.deb)
lintian --allow-root --fail-on error,warning "$work"/*.changes >"$work/lintian" 2>&1 & # while the server is at work
lint=$!

# Debian has folders of its own for libraries and units, and no use for libtool's files
files() { sed -nE 's,^\./,/,; s,^/usr/lib/[^/]*-linux-gnu[^/]*/,/usr/lib/,; s,^/lib/,/usr/lib/,; s,\.([1-9])\.gz$,.\1,; /\.la$|\/$|^\/usr\/share\/(doc|lintian)\//!p' | sort; }
make -s -C "$PD_BUILDDIR" install DESTDIR="$work/stage" >/dev/null 2>&1
(cd "$work/stage" && find . ! -type d) | files >"$work/wanted"
for deb in "${debs[@]}"; do dpkg-deb --fsys-tarfile "$deb" | tar t; done | tee "$work/raw" | files >"$work/packed"
empty "they have what make install leaves, and nothing else" "$(diff "$work/wanted" "$work/packed")"
check "which is not nothing" grep -q '/patchday/service.so$' "$work/packed"
empty "no file of libtool's" "$(grep '\.la$' "$work/raw")"

# the version before: the same build, in which the version is another one wherever it stands, in programs too; the journal's
# form is the same (of another form: tests/run/faults.sh)
older=${version//[0-9]/0}
dpkg-deb -R "${debs[0]}" "$work/older" &&
	find "$work/older" -type f -exec env LC_ALL=C grep -lZF "$version" {} + | LC_ALL=C xargs -0 sed -i "s/${version//./\\.}/$older/g" &&
	dpkg-deb -Znone -b "$work/older" "$work/older.deb" >/dev/null || echo "Bail out! no older version"

# ---------------------------------------------------------------------- a run
"$lab" destroy >/dev/null 2>&1
"$lab" up --owner $$ "$server" </dev/null >/dev/null || { echo "Bail out! no server"; exit 1; }
"$lab" push "$server" "${debs[0]}" /root/this.deb </dev/null && "$lab" push "$server" "$work/older.deb" /root/older.deb </dev/null

quiet_workflow
server "it is installed, with what it depends on" 'dpkg -i /root/older.deb'
is "that is the version before" "$(on_server patchday --version </dev/null)" "patchday $older"
is "all plugins are there" "$(on_server patchday plugins --json </dev/null | jq length)" "$(grep -c '/patchday/[^/]*\.so$' "$work/packed")"
is "nothing is fetched unasked" "$(on_server systemctl is-enabled patchday-sync.timer </dev/null) $(on_server systemctl is-active patchday-sync.timer </dev/null)" "disabled inactive"
# a source as in doc/sources.md, for the unit as it is installed
server "what the timer starts fetches a source" 'printf "<catalog xmlns=\"urn:patchday:catalog:1\"/>" >/srv/c.xml
	printf "Url: file:///srv/c.xml\nTrust: sha256 %s\n" "$(sha256sum </srv/c.xml | cut -d" " -f1)" >/etc/patchday/sources.d/ours.source
	systemctl start patchday-sync.service || { journalctl -q -u patchday-sync.service; exit 1; }
	patchday catalog show sync:ours'
server "a workflow is run to done" 'patchday run /root/quiet.lua; patchday final --make-key; systemctl start cron'
is "and says so" "$(run_state)" "done"

# ------------------------------------------------------ upgraded under a run
on_server systemctl -q enable --now patchday-sync.timer </dev/null
check "a run waits" waiting_run
server "the next version is installed" 'dpkg -i /root/this.deb'
is "it is another one" "$(on_server patchday --version </dev/null)" "patchday $version"
is "the run still waits, the timer is as it was set" "$(run_state), $(on_server systemctl is-enabled patchday-sync.timer </dev/null)" "waiting to go on, enabled"
out=$(on_server dpkg -r patchday </dev/null 2>&1)
is "it is not removed under a run" "$? $(on_server dpkg-query -W -f '${db:Status-Status} ${Version}' patchday </dev/null)" "1 installed $version"
like "and says why" "$out" 'a run is under way'
"$lab" reboot "$server" </dev/null >/dev/null 2>&1
"$lab" wait --timeout 120 "$server" </dev/null >/dev/null 2>&1
check "after a reboot the run goes on, and is done" until_state "done"
is "and has done its work" "$(on_server systemctl is-active cron </dev/null)" inactive
server "what the version before wrote is whole, and read" 'patchday verify; [ "$(patchday status --all | grep -c " done ")" = 2 ]'

# ------------------------------------------------------------------ back again
server "the version before is installed over it" 'dpkg -i /root/older.deb'
is "it is that one" "$(on_server patchday --version </dev/null)" "patchday $older"
is "and reads what the newer one wrote" "$(on_server patchday status --all </dev/null | grep -c ' done ')" 2
out=$(on_server patchday verify </dev/null 2>&1)
is "whose report it can't make again to compare it" "$? $(grep -c '^unknown  report .*another version of patchday made it' <<<"$out")" "3 1"
empty "all else is intact" "$(grep -vE '^intact |^unknown  (report|html) |^not proven' <<<"$out")"

# ------------------------------------------- removed, installed again, purged
records() { on_server sh -c 'cd /; find var/lib/patchday etc/patchday -type f ! -name heartbeat ! -name lock ! -name "journal.db-*" -exec sha256sum {} + | sort -k2' </dev/null; }
before=$(records)
like "there are records" "$before" 'journal.db'
server "it is removed" 'dpkg -r patchday'
empty "no unit of it is left running" "$(on_server systemctl list-units --no-legend --plain --state=active 'patchday*' </dev/null)"
server "nor is there a program" '! command -v patchday && ! ls -d /usr/share/patchday /usr/libexec/patchday /usr/lib/*/patchday 2>/dev/null | grep .'
is "the records are as they were" "$(records)" "$before"
server "it is installed again" 'dpkg -i /root/this.deb'
is "and knows the run" "$(run_state)" "done"
server "whose records are whole" 'patchday verify'
before=$(records)
out=$(on_server dpkg -P patchday </dev/null 2>&1)
like "purging says what stays" "$? $out" '/var/lib/patchday is kept'
is "it is what was recorded, and the key" "$(records)" "$before"
server "what is no record goes" '[ ! -e /var/lib/patchday/heartbeat ] && [ ! -e /var/lib/patchday/lock ]'

wait "$lint"
is "lintian finds no error and no warning" $? 0 || show <"$work/lintian"
end
