#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin network against a real server: what is saved, and read back.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins network

in_lab sh -c 'ip address add 192.0.2.7/28 dev host0; ip route add 198.51.100.0/24 via 192.0.2.1 table 77; ip rule add from 192.0.2.7 table 77; mkdir -p /etc/NetworkManager/system-connections; echo "psk=not-for-others" > /etc/NetworkManager/system-connections/w; ln -sf /etc/hosts /etc/networks' </dev/null
before=$(in_lab sh -c 'ip address; ip route show table all; ls -lR /etc | md5sum' </dev/null)
run step network.save check to=/srv/safe
is "$rc" 0 "check succeeds"
is "$(in_lab ls /srv/safe 2>/dev/null </dev/null)" "" "check made no folder"
for to in "/proc/x the.kernel" "/etc/passwd/x /etc/passwd.is.not.a.folder" "/srv/link/x a.link.to.nothing" "/srv/ro/x read-only"; do
	in_lab sh -c 'mkdir -p /srv/ro; ln -sfn /nowhere /srv/link; mountpoint -q /srv/ro || mount -t tmpfs -o ro ro /srv/ro' </dev/null
	run step network.save check to="${to% *}"
	isnt "$rc" 0 "check refuses ${to% *}"
	like "$out" "inhibit.*${to##* }" "and says why"
done
run step network.save check,apply,verify to=/srv/safe
is "$rc" 0 "save succeeds"
[ "$rc" = 0 ] || echo "$out"
like "$out" 'evidence' "what was saved is evidence"
folder=$(in_lab find /srv/safe -name SHA256SUMS -printf '%h\n' </dev/null)
like "$folder" '^/srv/safe/.*/network-save$' "it is in a folder of its own"
run in_lab sh -c "cd $folder && sha256sum -c --quiet SHA256SUMS" </dev/null
is "$rc" 0 "sha256sum finds every file as the manifest says"
cmp_file() { in_lab cmp "$1" "$folder/config$1" </dev/null; }
for file in /etc/hosts /etc/networks /etc/nsswitch.conf /etc/hostname \
	/etc/systemd/network/10-host0.network \
	/etc/NetworkManager/system-connections/w; do
	run cmp_file $file
	is "$rc" 0 "copy of $file"
done
like "$(in_lab cat "$folder/SHA256SUMS" </dev/null)" '/etc/networks is /etc/hosts' "a link is noted"
json() { in_lab python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$folder/$1" "$2" </dev/null; }
like "$(json addresses.json '[a["local"] for i in d for a in i["addr_info"]]')" 192.0.2.7 "addresses"
like "$(json routes-inet.json '[r["dst"] for r in d]')" 198.51.100.0/24 "routes of every table"
like "$(json rules-inet.json '[r.get("src") for r in d]')" 192.0.2.7 "routing rules"
like "$(in_lab cat "$folder/listening.txt" </dev/null)" ':445 .*smbd' "sockets that listen, with their programs"
is "$(in_lab find "$folder" '!' -type d -a '!' -perm 600 -o -type d -a '!' -perm 700 </dev/null)" "" "nobody but root can read it"
is "$(in_lab sh -c 'ip address; ip route show table all; ls -lR /etc | md5sum' </dev/null)" "$before" "nothing of the server was changed"

run step network.save check to=/srv/safe
like "$out" '"result": ?"unchanged"' "check after apply finds nothing left to do"
in_lab sh -c "echo 10.0.0.1 evil >> $folder/config/etc/hosts" </dev/null
run step network.save verify to=/srv/safe
is "$rc" 1 "verify finds a copy that was changed"
like "$out" 'config/etc/hosts is not what was saved' "and names it"
in_lab rm "$folder/config/etc/hosts" </dev/null
run step network.save verify to=/srv/safe
is "$rc" 1 "verify finds a copy that is gone"

# ---- facts
run scan network
is "$rc" 0 "scan succeeds"
listening() { in_lab ss -H -l -n -t -u </dev/null | awk '{ sub(/%[^:]*/, "", $5); if ($1 == "tcp" || substr($5, match($5, /[0-9]+$/)) < 32768) print $1, substr($5, match($5, /[0-9]+$/)) }' | sort -u; }
told() { printf '%s' "$out" | jq -r '.listeners[] | "\(.protocol[:3]) \(.port)"' | sort -u; }
is "$(told)" "$(listening)" "listeners are those that ss lists"
like "$out" 'smbd.service' "with the units that hold them"

work=/opt/pd/second
run step network.save check,apply,verify to=/srv/safe
is "$rc" 0 "a second save in the same run"
is "$(in_lab find /srv/safe -name SHA256SUMS </dev/null | wc -l)" 2 "overwrites nothing"

done_testing
