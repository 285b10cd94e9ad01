#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin copy against a real server: a second volume, full, gone, damaged.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins copy
work=/opt/pd/work

in_lab sh -c 'mkdir -p /srv/safe/pd-step/deep/er /mnt/second; umask 077
	head -c 3000000 /dev/urandom >/srv/safe/pd-step/big; echo small >/srv/safe/pd-step/deep/er/small
	: >/srv/safe/pd-step/empty; ln -s /etc/shadow /srv/safe/pd-step/link; echo other >/srv/safe/other' </dev/null
run step copy.folder check from=/srv/safe to=/mnt/none
like "$out" 'no folder here' "a second place that is not there is refused"
run step copy.folder check from=/srv/safe to=/mnt/second
like "$out" 'same volume' "and one that is on the server's own volume"
run step copy.folder check from=/srv/safe to=/mnt/second same_volume=true
is "$rc" 0 "unless that is asked for"
in_lab mount -t tmpfs -o size=8m second /mnt/second </dev/null
run step copy.folder check from=/srv/safe to=/mnt/second
is "$rc" 0 "a second volume is fine"
is "$(in_lab ls /mnt/second </dev/null)" "" "check wrote nothing"
run step copy.folder check,apply,verify from=/srv/safe to=/mnt/second
is "$rc" 0 "copied and proved"
[ "$rc" = 0 ] || echo "$out"
there=$(in_lab find /mnt/second -name MANIFEST -printf '%h\n' </dev/null)
like "$there" '^/mnt/second/a/' "below the server's name"
is "$(in_lab diff -r --no-dereference -x MANIFEST -x link "/srv/safe/pd-step" "$there" </dev/null)" "" "every file is there"
run in_lab sh -c "cd $there && sha256sum -c --quiet MANIFEST" </dev/null
is "$rc" 0 "sha256sum finds each as the manifest says"
is "$(in_lab find "$there" -name link </dev/null)" "" "no link is followed"
is "$(in_lab find "$there" ! -type d ! -perm 600 -o -type d ! -perm 700 </dev/null)" "" "nobody but root can read it"
run step copy.folder check from=/srv/safe to=/mnt/second
like "$out" '"result": ?"unchanged"' "check afterwards finds nothing left to do"

in_lab sh -c "printf x | dd of=$there/big bs=1 seek=99 conv=notrunc status=none" </dev/null
run step copy.folder verify from=/srv/safe to=/mnt/second
is "$rc" 1 "one changed byte in the copy is found"
like "$out" 'big is not what' "and the file is named"
in_lab sh -c 'head -c 20000000 /dev/urandom >/srv/safe/pd-step/huge' </dev/null
run step copy.folder apply from=/srv/safe to=/mnt/second
is "$rc" 1 "a full volume fails the step"
like "$out" 'cannot write the copy of huge: No space left' "and says so"
is "$(in_lab find /mnt/second -name '*.part' </dev/null)" "" "with no half of a file left"

# ---- another server, by its own sshd
"$lab" up --owner $$ b >/dev/null </dev/null || { echo "Bail out! the lab did not bring up b"; exit 1; }
host_key=$("$lab" exec b -- cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub </dev/null)
in_lab sh -c "rm /srv/safe/pd-step/huge; echo 'b $host_key' >/root/second_host" </dev/null
"$lab" exec b -- mkdir /srv/second </dev/null
far=(from=/srv/safe host=b to=/srv/second identity=/root/.ssh/id_ed25519 known_hosts=/root/second_host)
run step copy.ssh check,apply,verify "${far[@]}"
is "$rc" 0 "another server: copied and proved"
[ "$rc" = 0 ] || echo "$out"
digests() { "$lab" exec "$1" -- sh -c "cd $2 && find . -type f ! -name MANIFEST -exec sha256sum {} + | sort" </dev/null; }
is "$(digests b /srv/second/a/pd-step)" "$(digests a /srv/safe/pd-step)" "every file is there"
"$lab" reboot b >/dev/null </dev/null
run step copy.ssh check "${far[@]}"
like "$out" '"result": ?"unchanged"' "it is still there after a reboot"
"$lab" down b >/dev/null </dev/null
run step copy.ssh check "${far[@]}"
like "$out" 'folder /srv/second of b can.t be reached: ssh: connect to host b port 22: ' "a server that is off is told"
done_testing
