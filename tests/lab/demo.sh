# SPDX-License-Identifier: MIT
# Sourced by quickstart: a real file-and-print server in the lab goes through
# its workflow.  Expects $top, $build, say and die.
# shellcheck shell=bash disable=SC2154

export PD_LAB=${PD_LAB:-quickstart}
lab=$top/tests/lab/lab
server=fp1

on_server()
{
	"$lab" exec "$server" -- "$@"
}

[ "$(id -u)" = 0 ] || die "the lab makes servers in namespaces of their own and needs root"
say "the lab: a Debian server of the release without its security updates"
"$lab" build
"$lab" destroy >/dev/null 2>&1 || true
"$lab" up --owner $$ "$server"
trap '"$lab" destroy >/dev/null 2>&1' EXIT
make -s -C "$build/main" install DESTDIR="$build/stage" >/dev/null
"$lab" push "$server" "$build/stage" /
printf 'alice-secret\n' | on_server sh -c 'umask 077; mkdir -p /etc/patchday; cat >/etc/patchday/alice'

say "facts of the server (patchday facts)"
on_server patchday facts | grep -vE '^  \{' | head -30

params=(--param site=lab --param share=data --param user=alice --param password_file=/etc/patchday/alice
	--param recovery_confirmed=true)
say "the plan (patchday plan file-print)"
on_server patchday plan file-print "${params[@]}"

say "before: the share and the printer, as a user sees them"
on_server sh -c 'smbclient //localhost/data -U alice%alice-secret -c "ls" | head -3; lpstat -p -d'
on_server dpkg-query -W -f '${Package} ${Version}\n' >"$build/packages.before"

say "the run (patchday run file-print)"
boots=$("$lab" boots "$server")
status=0
on_server patchday run file-print "${params[@]}" || status=$?
# the server reboots under the run, which goes on by itself: follow it
while ! on_server patchday status --json 2>/dev/null | jq_state | grep -qE '^(waiting for sign-off|done|rolled back|stopped|inconsistent|refused)$'; do
	"$lab" wait --boot $((boots + 1)) --timeout 120 "$server" || die "the server did not come up again"
	boots=$("$lab" boots "$server")
	echo "-- the server has rebooted (boot $boots); the run goes on by itself"
	on_server patchday status --follow || status=$?
done
