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

# --- a database of dpkg that is not whole never reads as a server that needs nothing
# refused HOW WHY: change it, look, and put it back
refused()
{
	local how=$1 why=$2

	in_lab sh -c "cp -a /var/lib/dpkg/status /root/status; $how" </dev/null
	run scan apt.packages
	isnt "$rc" 0 "$why: the scan fails"
	like "$out" "/var/lib/dpkg/status .*$why" "it says so"
	like "$out" "/var/backups/dpkg.status" "it says what to do"
	run read_apt
	isnt "$rc" 0 "$why: there is no catalog"
	like "$out" "/var/lib/dpkg/status .*$why" "for the same reason"
	in_lab sh -c 'cp -a /root/status /var/lib/dpkg/status' </dev/null
}
refused ': >/var/lib/dpkg/status' "is empty"
refused 'rm /var/lib/dpkg/status' "can.t be read: No such file"
refused 'head -c 29990 /root/status >/var/lib/dpkg/status' "ends within a package"
refused 'awk -v RS= -v ORS="\n\n" "NR <= 200" /root/status >/var/lib/dpkg/status' \
	"has 200 packages, but .*files of"
refused 'awk -v RS= -v ORS="\n\n" "!/^Package: dpkg\n/" /root/status >/var/lib/dpkg/status' \
	"does not have the package dpkg itself"
refused 'printf "Package: cut\nStatus: install ok installed\n" >>/var/lib/dpkg/status' "ends within a package"
in_lab sh -c 'sed -i "0,/^Version: /s/^Version: .*/Version: not-a-version/" /var/lib/dpkg/status' </dev/null
like "$(scan apt.packages 2>&1)" "dpkg-query warns" "what dpkg-query warns of is said"
in_lab sh -c 'cp -a /root/status /var/lib/dpkg/status; touch /var/lib/dpkg/info/stray.list' </dev/null
run scan apt.packages
is "$rc" 0 "a stray list of files is no reason to refuse"
like "$out" "some may be missing" "but it is said"
in_lab rm /var/lib/dpkg/info/stray.list </dev/null
in_lab sh -c 'mv /var/lib/dpkg/status /etc/debian_version /root/ && rm /etc/os-release &&
	printf "ID=other\nID_LIKE=\"not-debian fedora\"\n" >/etc/os-release' </dev/null
run scan apt.packages
is "$rc:$(jq -c . <<<"$out")" '0:{}' "a server of another kind has no packages of dpkg"
in_lab mv /root/debian_version /etc/ </dev/null
run scan apt.packages
is "$rc:$(jq -c . <<<"$out")" '0:{}' "nor has one that has Debian's version and says that it is like another one"
in_lab sh -c 'printf "ID=other\n" >/etc/os-release' </dev/null
run scan apt.packages
isnt "$rc" 0 "a server with Debian's version is none of another kind"
in_lab sh -c 'mv /root/status /var/lib/dpkg/; rm /etc/os-release
	ln -s ../usr/lib/os-release /etc/os-release' </dev/null

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

proofs=$(jq -r .trust <<<"$catalog" | sort -u)
# shellcheck disable=SC2016
print=$(in_lab sh -c 'gpgv --status-fd 1 --keyring /usr/share/keyrings/patchday-lab.gpg "$(ls /var/lib/apt/lists/*_InRelease | head -1)" 2>/dev/null' \
	</dev/null | awk '$2 == "VALIDSIG" { print $3 }')
is "$(grep -vxE "(apt: InRelease of [^;]* of [0-9]{4}-[0-9]{2}-[0-9]{2}, signed with the key $print(; )?)+" <<<"$proofs")" "" \
	"each update says what proves it, and of which day"
like "$proofs" "Debian-Security" "those of the security archive that one"

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
like "$(read_apt 2>&1)" "$name [^ ]* is held back by an apt pin" "and is said"
# shellcheck disable=SC2016
in_lab sh -c 'printf "Package: %s\nPin: version %s\nPin-Priority: 1001\n" "$1" \
	"$(dpkg-query -W -f "\${Version}" "$1")" >/etc/apt/preferences.d/pd-test' sh "$name" </dev/null
like "$(read_apt 2>&1)" "$name [^ ]* is held back by an apt pin" "so is a pin of what is installed"
printf 'Package: *\nPin: release l=Debian-Security\nPin-Priority: 50\n' |
	in_lab sh -c 'cat >/etc/apt/preferences.d/pd-test'
out=$(read_apt 2>&1)
like "$out" "[0-9]+ installed packages are newer in a source that is held back by an apt pin" \
	"of a pin of a whole source it is said how many packages it keeps"
unlike "$out" "see .apt-cache policy $name" "not each of them"
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

Package: bash
Version: 99-1
Architecture: amd64
Maintainer: nobody <nobody@example.org>
Installed-Size: 12
Section: shells
Phased-Update-Percentage: 0
Filename: ./bash.deb
Size: 5
SHA256: 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
Description: was stopped

END
out=$(updates)
is "$(jq -r 'select(.id == "glibc/9999-1") | "\(.kind) \(.restart) \(.packages[0].version)"' <<<"$out")" \
	"bugfix reboot 9999-1+b1" "libc asks for a reboot"
like "$(read_apt 2>&1)" "is not signed; it is used since apt is configured" "it says so"
is "$(jq -r 'select(.id == "glibc/9999-1").trust' <<<"$out" | sed 's/^apt: .*, not/not/')" \
	"not verified: it is not signed, and apt is configured to trust it" "the update says so too"
# what is phased, and apt would not take
is "$(jq -r 'select(.id == "bash/99-1").id' <<<"$out")" "" "an update that was stopped on its way to all servers is none"
like "$(read_apt 2>&1)" "bash 99-1 is held back by apt, which phases it and would not take it now, 5[^ ]* stays" "and that is said"
in_lab sh -c 'echo "APT::Get::Always-Include-Phased-Updates true;" >/etc/apt/apt.conf.d/pd-test' </dev/null
is "$(updates | jq -r 'select(.id == "bash/99-1").id')" bash/99-1 "unless apt is told to take it"
in_lab rm /etc/apt/apt.conf.d/pd-test </dev/null
in_lab sh -c 'cp -p /var/lib/dpkg/status /srv/status && printf "\nPackage: labbroken\nStatus: install ok installed\nArchitecture: all\nMaintainer: Lab <lab@example.org>\nVersion: 1\nDepends: labnowhere\nDescription: needs what is not there\n\n" >>/var/lib/dpkg/status' </dev/null
is "$(updates | jq -r 'select(.id == "bash/99-1").id')" bash/99-1 "nor where apt can't say: a package that is broken hides no update"
like "$(read_apt 2>&1)" "apt-get -s dist-upgrade ended with status 100: whether what is phased" "and that is said, too"
in_lab sh -c 'mv /srv/status /var/lib/dpkg/status' </dev/null
# signed by somebody whom nobody knows
# shellcheck disable=SC2016
in_lab sh -c 'cp /var/lib/apt/lists/*_InRelease /srv/ && cd /srv/extra && base=$(ls /var/lib/apt/lists/*extra*_Packages) &&
	{ printf -- "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nLabel: Extra\nDate: Wed, 18 Nov 2026 22:17:41 UTC\nSHA256:\n %s %s Packages\n" \
		"$(sha256sum <Packages | cut -d" " -f1)" "$(stat -c %s Packages)"
	sed -n "/BEGIN PGP SIGNATURE/,\$p" "$(ls /srv/*_InRelease | head -1)"; } >"${base%Packages}InRelease"; rm /srv/*_InRelease' </dev/null
like "$(updates | jq -r 'select(.id == "glibc/9999-1").trust')" \
	'^apt: InRelease of .*, not verified: /etc/apt/sources.list.d/extra.list says trusted=yes$' \
	"nor is a signature that can't be verified"
in_lab sh -c 'rm -r /etc/apt/sources.list.d/extra.list /srv/extra /var/lib/apt/lists/*extra*' </dev/null

unlike "$(read_apt 2>&1)" "held back by an apt pin" "without a pin nothing is said of one"

# --- nothing to verify signatures with
in_lab mv /usr/bin/gpgv /root/gpgv </dev/null
run read_apt
isnt "$rc" 0 "without gpgv there is no catalog"
like "$out" "install the package gpgv" "it says what is missing"
unlike "$out" "were changed after" "nobody is accused"
in_lab mv /root/gpgv /usr/bin/gpgv </dev/null

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
