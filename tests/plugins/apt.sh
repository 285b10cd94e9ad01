#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin apt on a real Debian server with a signed package source: what it
# reads against what apt itself says, and what it refuses.
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
command -v jq >/dev/null || skip_all "jq is not installed"
lab_up server
push_plugins apt

read_apt()
{
	in_lab env LD_LIBRARY_PATH=/opt/pd/lib /opt/pd/pd-step \
		--plugin-dir /opt/pd/plugins read apt.apt </dev/null
}

# Without the lines of the log.
updates()
{
	read_apt | jq -c 'select(.event == null)'
}

upgradable()
{
	in_lab sh -c 'LC_ALL=C apt list --upgradable 2>/dev/null' </dev/null |
		grep 'upgradable from'
}

# --- the scanner
facts=$(scan apt.packages)
want=$(in_lab dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' </dev/null | sort)
is "$(jq -r '.packages[] | "\(.name) \(.version) \(.arch)"' <<<"$facts" | sort)" "$want" \
	"the packages are those of dpkg-query"
is "$(jq '[.packages[] | select(.held)] | length' <<<"$facts")" 0 "nothing is held"
in_lab apt-mark hold bash >/dev/null </dev/null
is "$(scan apt.packages | jq -r '.packages[] | select(.held) | .name')" bash \
	"what apt-mark holds is held"
in_lab apt-mark unhold bash >/dev/null </dev/null

# --- the reader
catalog=$(updates)
want=$(upgradable | sed -E 's,^([^/]+)/[^ ]+ ([^ ]+) .*,\1 \2,' | sort)
is "$(jq -r '.packages[] | "\(.name) \(.version)"' <<<"$catalog" | sort)" "$want" \
	"its packages are those of apt list --upgradable"
count=$(wc -l <<<"$want")
if [ "$count" -gt 20 ]; then ok "more than 20 ($count)"; else not_ok "more than 20" "$count"; fi
is "$(jq -r '.payloads[] | select(.digest | test("^sha256:[0-9a-f]{64}$") | not)' <<<"$catalog")" \
	"" "each payload has a SHA-256"
is "$(jq -rs 'map(.id) == (map(.id) | sort) and (map(.id) | unique | length) == length' <<<"$catalog")" \
	true "ids are sorted and there once"
is "$(jq -r '.packages[] | select(.payload == 0)' <<<"$catalog")" "" "each package has a payload"

mismatch=$(jq -r '. as $u | .payloads[] | select(.url | startswith("file:")) |
	"\(.digest | ltrimstr("sha256:"))  \(.url | ltrimstr("file:") | sub("^//"; ""))"' <<<"$catalog" |
	in_lab sh -c 'sha256sum --check --quiet 2>&1')
is "$mismatch" "" "the files there have these digests"

security=$(upgradable | grep -c -- '-security')
is "$(jq -rs 'map(select(.kind == "security") | .packages | length) | add' <<<"$catalog")" \
	"$security" "security is what the security archive offers"
is "$(jq -r 'select(.kind == "security" and .severity != "important") | .id' <<<"$catalog")" "" \
	"security counts as important"
is "$(jq -r 'select(.id | startswith("apache2/")).restart' <<<"$catalog")" service \
	"a daemon asks for its service"
is "$(jq -r 'select(.issued < 1500000000) | .id' <<<"$catalog")" "" "each has a date"

# --- pins and holds
name=$(head -1 <<<"$want" | cut -d' ' -f1)
printf 'Package: %s\nPin: release *\nPin-Priority: -1\n' "$name" |
	in_lab sh -c 'cat >/etc/apt/preferences.d/pd-test'
is "$(updates | jq -r --arg n "$name" '.packages[] | select(.name == $n) | .name')" "" \
	"a pin of apt counts"
in_lab rm /etc/apt/preferences.d/pd-test </dev/null

# --- a source that is not signed and that apt is told to trust
in_lab sh -c 'mkdir -p /srv/extra && cat >/srv/extra/Packages &&
	echo "deb [trusted=yes] file:/srv/extra ./" >/etc/apt/sources.list.d/extra.list &&
	apt-get update >/dev/null 2>&1' <<'END'
Package: libc6
Source: glibc (9999-1)
Version: 9999-1+b1
Architecture: amd64
Maintainer: nobody <nobody@example.org>
Installed-Size: 12
Section: libs
Filename: ./libc6.deb
Size: 5
SHA256: 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
Description: newer than any

END
out=$(updates)
is "$(jq -r 'select(.id == "glibc/9999-1") | "\(.kind) \(.restart) \(.packages[0].version)"' <<<"$out")" \
	"bugfix reboot 9999-1+b1" "libc asks for a reboot"
like "$(read_apt 2>&1)" "is not signed; it is used since apt is configured" "it says so"
in_lab sh -c 'rm -r /etc/apt/sources.list.d/extra.list /srv/extra /var/lib/apt/lists/*extra*' </dev/null

# --- lists that were changed
list=$(in_lab sh -c 'ls /var/lib/apt/lists/*security*_Packages | head -1' </dev/null)
release=${list%_main_binary-*}_InRelease
in_lab cp -a /var/lib/apt/lists /root/lists </dev/null
in_lab sed -i '0,/^Size: /s/^Size: .*/Size: 1/' "$list" </dev/null
run read_apt
isnt "$rc" 0 "a changed list is refused"
like "$out" "not the list that the signed release vouches for" "it says why"
like "$out" "apt-get update" "it says what to do"
# shellcheck disable=SC2016
in_lab sh -c 'new=$(sha256sum "$1" | cut -d" " -f1)
	old=$(sha256sum "/root/lists/${1##*/}" | cut -d" " -f1)
	sed -i "s/$old/$new/" "$2"' sh "$list" "$release" </dev/null
run read_apt
isnt "$rc" 0 "a changed list with a changed release is refused"
like "$out" "the signature of .*InRelease" "it names the signature"

in_lab sh -c 'rm -rf /var/lib/apt/lists && cp -a /root/lists /var/lib/apt/lists' </dev/null
is "$(updates | jq -rs 'map(.packages | length) | add')" "$count" "restored, it is read again"

in_lab sh -c 'find /var/lib/apt/lists /var/lib/apt/periodic -name partial -o -name "*stamp" -o \
	-path /var/lib/apt/lists | xargs touch -d "9 days ago"' </dev/null
run read_apt
like "$out" "lists are 9 days old" "old lists are said to be old"

in_lab rm "$release" </dev/null
run read_apt
like "$out" "signature was not verified by apt" "nothing is taken of an unsigned source"
unlike "$out" "Debian-Security" "really nothing"

in_lab sh -c 'rm -f /var/lib/apt/lists/*Packages*' </dev/null
run read_apt
isnt "$rc" 0 "without lists there is no catalog"
like "$out" "run .apt-get update. first" "it says what to do about it"

done_testing
