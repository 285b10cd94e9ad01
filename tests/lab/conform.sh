#!/bin/bash
# SPDX-License-Identifier: MIT
# Our own plugins keep the contract on a real server, in clones with their own
# init: services, packages and files are compared.
export PD_LAB=${PD_LAB:-t-conform}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)

server_up || { echo "Bail out! no server"; exit 1; }
kit=$tmp/kit/srv/kit
mkdir -p "$kit"
for file in "$PD_SRCDIR"/plugins/*/*.check; do
	name=$(basename "$file" .check)
	install -m 644 "$file" "$kit/"
	install -m 644 "$PD_SRCDIR/plugins/$name/README.md" "$kit/$name.md"
done
echo '<catalog xmlns="urn:patchday:catalog:1"/>' >"$kit/none.xml"
chmod -R go-w,a+rX "$tmp/kit"
"$lab" push "$server" "$tmp/kit" / </dev/null

# The others take a quarter of an hour: PD_CONFORM="copy eventlog needrestart notify probe service shares".
for name in ${PD_CONFORM:-command host network printers}; do
	[ "$name" != probe ] || on_server bash -s <"$PD_SRCDIR/tests/lab/server-mail.sh" >/dev/null 2>&1
	out=$(on_server patchday plugin check "/usr/lib/patchday/$name.so" --boot --case "/srv/kit/$name.check" \
		--manual "/srv/kit/$name.md" --catalog /srv/kit/none.xml </dev/null 2>&1)
	rc=$?
	is "$name keeps the contract" $rc 0
	[ $rc = 0 ] || sed 's/^/# /' <<<"$out"
done
is "no clone is left" "$(on_server sh -c 'ls -d /var/lib/patchday/rehearse /tmp/patchday-conform* 2>/dev/null' </dev/null)" ""
end
