#!/bin/bash
# SPDX-License-Identifier: MIT
# Our own plugins keep the contract on a real server, in clones with their own
# init: services, packages and files are compared.  Tried are those of which a rule
# can't be tried without (tests/conform/untried): then none of them may be left.
# PD_CONFORM="database probe": these alone, also the slow ones.
export PD_LAB=${PD_LAB:-t-conform}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
. "$PD_SRCDIR/tests/conform/untried.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)

server_up || { echo "Bail out! no server"; exit 1; }
kit=$tmp/kit/srv/kit
mkdir -p "$kit"
for manual in "$PD_SRCDIR"/plugins/*/README.md; do
	name=$(basename "$(dirname "$manual")")
	install -m 644 "$manual" "$kit/$name.md"
	[ ! -e "${manual%README.md}$name.check" ] || install -m 644 "${manual%README.md}$name.check" "$kit/"
done
echo '<catalog xmlns="urn:patchday:catalog:1"/>' >"$kit/none.xml"
# a plugin that keeps the contract, and one whose undo does nothing
for name in good forget; do
	"${CC:-gcc}" -std=c11 -D_GNU_SOURCE -fPIC -shared -fvisibility=hidden -DNAME=$name -DTRY_${name^^} \
		-I"$PD_SRCDIR/core/include" -o "$kit/$name.so" "$PD_SRCDIR/tests/conform/try.c" || exit 99
	cat >"$kit/$name.check" <<-END
		local pd = require "patchday"
		local it = pd.use "$name"
		return pd.workflow { api = 1, name = "case", help = "what is tried", plan = function()
			return { it.write { path = "/etc/try-first", text = "one" } }
		end }
	END
done
chmod -R go-w,a+rX "$tmp/kit"
"$lab" push "$server" "$tmp/kit" / </dev/null

# What each needs beside init, bus and cron.  Nothing else runs: clones come up fast, and nothing else changes in them.
declare -A needs=([antivirus]="" [copy]=ssh [database]=postgresql [eventlog]="" [host]="" [needrestart]="" [notify]=apache2
	[printers]=cups [probe]="smbd cups apache2 postfix dovecot" [proxy]=squid [schedule]="" [service]="" [shares]=smbd [ups]="")
declare -A programs=([database]=postgresql [probe]=mail [proxy]=squid)
is "all that the list leaves to a server of the lab is tried here" "$(printf '%s\n' "${!needs[@]}" | sort)" \
	"$(awk -F'\t' '$4 ~ /^(boot|slow)/ { print $1 }' "$PD_SRCDIR/tests/conform/untried" | sort -u)"
chosen=${PD_CONFORM:-$(awk -F'\t' '$4 == "boot" { print $1 }' "$PD_SRCDIR/tests/conform/untried" | sort -u)}
for name in $chosen; do
	[ -n "${programs[$name]-}" ] || continue
	on_server bash -s <"$PD_SRCDIR/tests/lab/server-${programs[$name]}.sh" >"$tmp/program" 2>&1 || sed 's/^/# /' "$tmp/program"
done
# with logind a login of root starts a manager of his own
on_server sh -c 'systemctl mask -q --now systemd-logind; systemctl disable -q --now rsyslog nftables' </dev/null 2>/dev/null

# only_units UNIT...: these run, and start with the server
only_units()
{
	# shellcheck disable=SC2016 # words for the server
	on_server sh -c 'systemctl disable -q --now apache2 cups.service cups.socket cups.path smbd ssh
		systemctl disable -q --now dovecot postfix postgresql squid
		[ $# = 0 ] || systemctl enable -q --now "$@"' sh "$@" </dev/null >/dev/null 2>&1
}

only_units
# broken NAME: what it breaks, and in how many clones; there is a step with arguments, one without, and a scanner
broken()
{
	on_server patchday plugin check "/srv/kit/$1.so" --boot --json --catalog /srv/kit/none.xml </dev/null 2>&1 |
		jq -r '[.clones] + [.rows[] | .name as $row | .rules | to_entries[] | select(.value.result == "broken") | "\(.key) of \($row)"] | join(", ")'
}
is "a clone that is as it was serves again" "$(broken good)" 3
like "one that is not, does not" "$(broken forget)" '^(9|1[0-9]), kill of main/forget.write, undo of main/forget.write$'

for name in $chosen; do
	# shellcheck disable=SC2086 # units
	only_units ${needs[$name]-}
	case=()
	[ ! -e "$kit/$name.check" ] || case=(--case "/srv/kit/$name.check")
	out=$(on_server patchday plugin check "/usr/lib/patchday/$name.so" --boot "${case[@]}" --json \
		--manual "/srv/kit/$name.md" --catalog /srv/kit/none.xml </dev/null 2>"$tmp/errors")
	before=$tap_failures
	like "$name keeps the contract" "$(jq -r '.verdict // .error.message' <<<"$out" 2>/dev/null || cat "$tmp/errors")" '^(pass|incomplete)$'
	[ "$tap_failures" = "$before" ] || found broken <<<"$out"
	before=$tap_failures
	is "$name: what is untried is what can't be tried here either" "$(not_tried <<<"$out")" "$(listed "$name" 'tests/.*')"
	[ "$tap_failures" = "$before" ] || found "not tried" <<<"$out"
	echo "# $name: $(jq .clones <<<"$out") clones"
done
is "no clone is left" "$(on_server sh -c 'ls -d /var/lib/patchday/rehearse /tmp/patchday-conform* 2>/dev/null' </dev/null)" ""
end
