# SPDX-License-Identifier: MIT
# Sourced by quickstart: a real file-and-print server in the lab goes through
# its workflow.  Expects $top, $build, say and die.
# shellcheck shell=bash disable=SC2154

export PD_LAB=${PD_LAB:-quickstart} PD_SRCDIR=$top PD_BUILDDIR=$build/main
. "$top/tests/lab/server.sh"
[ "$(id -u)" = 0 ] || die "the lab makes servers in namespaces of their own and needs root"
trap '"$lab" destroy >/dev/null 2>&1' EXIT

as_a_user()
{
	on_server smbclient //localhost/data -U alice%alice-secret -c ls </dev/null | head -4
	on_server lpstat -p -d </dev/null
}

versions()
{
	on_server dpkg-query -W -f '${Package} ${Version}\n' </dev/null
}

say "the lab: a Debian server of the release without its security updates"
"$lab" build
server_up || die "the server did not come up"

say "patchday facts: what the scanners find"
on_server patchday facts </dev/null | grep -v '^  {'

say "before: the share and the printer, as a user meets them"
as_a_user
versions >"$build/versions.before"

say "patchday plan file-print: nothing is changed, all is checked"
on_server patchday plan file-print "${parameters[@]}" </dev/null

say "patchday run file-print: it goes on by itself after each reboot"
on_server patchday run file-print "${parameters[@]}" </dev/null | sed '1,/planned again\|no reboot/d' || true
follow_run 600 || die "the run did not come to its end"

say "after: the share and the printer, and what was upgraded"
as_a_user
versions >"$build/versions.after"
upgraded=$(diff "$build/versions.before" "$build/versions.after" | grep -c '^>' || true)
boots=$("$lab" boots "$server")
echo "$upgraded packages were upgraded; the server was started $boots times"
cron=$(on_server systemctl is-active cron </dev/null || true)
echo "held and back: cron is $cron"

say "sign-off"
on_server patchday signoff --party operations --name "Ann Example" --note "all clients work" </dev/null || [ $? = 5 ]
on_server patchday signoff --party "application owner" --name "Bob Example" </dev/null

say "the seal, and whether all is as it was written"
on_server patchday final --make-key </dev/null >/dev/null
on_server patchday final --to /srv/volume/central </dev/null
on_server patchday verify </dev/null | tail -4
mkdir -p "$build/certificates"
"$lab" pull "$server" /var/lib/patchday/certificates "$build/certificates" </dev/null
say "the certificate"
ls "$build/certificates"/*
[ "$(run_state)" = "done" ] || die "the run is not done but $(run_state)"
[ "$boots" -gt 1 ] || die "the server was not rebooted"
[ "$cron" = active ] || die "cron was held, and is $cron"
[ "$upgraded" -gt 20 ] || die "only $upgraded packages were upgraded"
printf '\ndone in %d min %d s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60))
