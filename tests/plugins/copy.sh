#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin copy against a real server: a second volume, full, gone, damaged.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins copy
work=/opt/pd/work

in_lab sh -c 'mkdir -p /srv/safe/pd-step/deep/er /mnt/second /mnt/memory /srv/volume/second; umask 077
	head -c 3000000 /dev/urandom >/srv/safe/pd-step/big; echo small >/srv/safe/pd-step/deep/er/small
	: >/srv/safe/pd-step/empty; ln -s /etc/shadow /srv/safe/pd-step/link; echo other >/srv/safe/other' </dev/null
run step copy.folder check from=/srv/safe to=/mnt/none
like "$out" 'no folder here' "a second place that is not there is refused"
run step copy.folder check from=/srv/safe to=/mnt/second
like "$out" 'same volume' "and one that is on the server's own volume"
run step copy.folder check from=/srv/safe to=/mnt/second same_volume=true
is "$rc" 0 "unless that is asked for"
run step copy.folder check from=/srv/volume/safe to=/mnt/second
like "$out" '"refused".*' "a share that is not mounted, when the first place is a volume of its own"
like "$out" '/mnt/second is on the volume of the root: is a share not mounted there' "is told as that"
run step copy.folder check from=/srv/volume/safe to=/mnt/second same_volume=true
is "$rc" 0 "the volume of the root is taken if it is asked for, too"
in_lab sh -c 'mkdir -p /var/lib/patchday /srv/volume/state && mount --bind /srv/volume/state /var/lib/patchday' </dev/null
run step copy.folder check from=/srv/safe to=/srv/volume/second
like "$out" "/srv/volume/second is on the volume of patchday's state" "nor is the volume of the state a second place"
in_lab umount /var/lib/patchday </dev/null
in_lab sh -c 'echo patchday >/run/kind && mount --bind /run/kind /run/systemd/container' </dev/null
run step copy.folder check from=/srv/volume/safe to=/mnt/second
is "$rc" 0 "a clone has no shares: there any folder will do"
in_lab umount /run/systemd/container </dev/null
for kind in tmpfs ramfs; do
	in_lab mount -t $kind none /mnt/memory </dev/null
	run step copy.folder check from=/srv/safe to=/mnt/memory same_volume=true
	like "$out" '"cause":"the second place /mnt/memory is in memory"' "memory ($kind) is none, whatever is asked for"
	in_lab umount /mnt/memory </dev/null
done
run step copy.folder check from=/srv/safe to=/srv/volume/second
is "$rc" 0 "a second volume is fine"
is "$(in_lab ls /srv/volume/second </dev/null)" "" "check wrote nothing"
run step copy.folder check,apply,verify from=/srv/safe to=/srv/volume/second
is "$rc" 0 "copied and proved"
[ "$rc" = 0 ] || echo "$out"
there=$(in_lab find /srv/volume/second -name MANIFEST -printf '%h\n' </dev/null)
like "$there" '^/srv/volume/second/a/' "below the server's name"
is "$(in_lab diff -r --no-dereference -x MANIFEST -x link "/srv/safe/pd-step" "$there" </dev/null)" "" "every file is there"
run in_lab sh -c "cd $there && sha256sum -c --quiet MANIFEST" </dev/null
is "$rc" 0 "sha256sum finds each as the manifest says"
is "$(in_lab find "$there" -name link </dev/null)" "" "no link is followed"
is "$(in_lab find "$there" ! -type d ! -perm 600 -o -type d ! -perm 700 </dev/null)" "" "nobody but root can read it"
run step copy.folder check from=/srv/safe to=/srv/volume/second
like "$out" '"result": ?"unchanged"' "check afterwards finds nothing left to do"

in_lab sh -c "printf x | dd of=$there/big bs=1 seek=99 conv=notrunc status=none" </dev/null
run step copy.folder verify from=/srv/safe to=/srv/volume/second
is "$rc" 1 "one changed byte in the copy is found"
like "$out" 'big is not what' "and the file is named"
# an overlay has no more room than what its upper layer lies on
in_lab sh -c 'head -c 20000000 /dev/urandom >/srv/safe/pd-step/huge
	mkdir /run/small && mount -t tmpfs -o size=8m small /run/small && mkdir /run/small/lower /run/small/upper /run/small/work
	cd /run/small && mount -t overlay second -o lowerdir=lower,upperdir=upper,workdir=work /mnt/second' </dev/null
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
