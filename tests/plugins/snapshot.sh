#!/bin/bash
# SPDX-License-Identifier: MIT
# snapshot.btrfs, .discard and .room on real file systems, which are on loop
# devices and mounted for this test alone; also as the root of what runs.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "loop devices need root"
for program in losetup mkfs.btrfs btrfs chroot setfattr setpriv jq; do
	command -v $program >/dev/null || skip "$program is not installed"
done
grep -qw btrfs /proc/filesystems || modprobe btrfs 2>/dev/null || skip "this kernel has no btrfs"
if [ -z "${PD_MOUNTS-}" ]; then
	unshare --mount --propagation private true 2>/dev/null || skip "there can be no mounts of its own here"
	PD_MOUNTS=own exec unshare --mount --propagation private bash "$0"
fi
tmp=$(mktemp -d)
loop=
trap 'cd /; kill "$busy" 2>/dev/null; umount -l "$tmp"/* 2>/dev/null; losetup -d "$loop" 2>/dev/null; umount -l "$tmp"; rmdir "$tmp"' EXIT
busy=
mount -t tmpfs none "$tmp" 2>/dev/null || skip "nothing can be mounted here"
mkdir "$tmp/top" "$tmp/home" "$tmp/root" "$tmp/plugins" "$tmp/other"
truncate -s 2G "$tmp/disk"
mkfs.btrfs -q "$tmp/disk" >"$tmp/errors" 2>&1 || exit 99
loop=$(losetup -f --show "$tmp/disk" 2>"$tmp/errors") || skip "there can be no loop devices here: $(cat "$tmp/errors")"
mount "$loop" "$tmp/top" 2>"$tmp/errors" || skip "btrfs can't be mounted here: $(cat "$tmp/errors")"
cp "$PD_BUILDDIR/plugins/snapshot/.libs/snapshot.so" "$tmp/plugins/"
work=$tmp/work
top=$tmp/top home=$tmp/home
in=()
# step STEP PHASES [NAME=VALUE]...: sets $out, $result, $message, $taken
step()
{
	out=$("${in[@]}" "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$work" "snapshot.$1" "${@:2}" 2>&1 </dev/null)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	message=$(grep '^{' <<<"$out" | jq -r '.message // .text // .cause // empty' 2>/dev/null)
	taken=$(grep '^{' <<<"$out" | jq -r 'select(.event == "output") | .value[]?' 2>/dev/null | tail -n 1)
}
# all that can be seen in a folder: names, kinds, modes, owners, times, content, attributes
picture() { (cd "$1" && find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %l\n' | sort && find . -type f | sort | xargs -r sha256sum && getfattr -R -d . 2>/dev/null); }
names() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs; }
snapshots() { ls -A "$top/.patchday" 2>/dev/null | sed 's/^[^.]*-\([0-9]*\)/\1/' | sort | xargs; }
# refused PATTERN NAME=VALUE...: the check says so
refused()
{
	step btrfs check "${@:2}"
	is "refused: $1" "$result" refused
	like "  with its reason" "$message" "$1"
}

# ---- a file system as servers have it
for name in @ @home @data; do btrfs -q subvolume create "$top/$name" >/dev/null; done
mount -o subvol=@home,nosuid,noatime "$loop" "$home"
mkdir "$home/alice" "$home/deep"
(cd "$home" && echo one >alice/file && ln -s file alice/link && ln alice/file alice/hard && mkfifo pipe && chmod 4751 alice/file &&
	chown 1000:1000 alice && setfattr -n user.note -v kept alice/file && head -c 300000 /dev/urandom >deep/large && touch -d 2020-02-02 deep/large)
printf '/dev/sda1 / ext4 defaults 0 1\n' >"$tmp/fstab"
mount --bind "$tmp/fstab" /etc/fstab
before=$(picture "$home")

# ---- what is refused, before anything is touched
mount -t tmpfs none "$tmp/other"
refused 'is no btrfs, it is tmpfs: of ext4, XFS and others there are none' subvolumes="$tmp/other"
refused "is a folder, no subvolume: name the one that it is in, such as $home" subvolumes="$home/alice"
refused 'is the top of its file system' subvolumes="$top"
ln -s "$home" "$tmp/link"
refused 'by way of a link' subvolumes="$tmp/link"
refused 'cannot open .*none: No such file' subvolumes="$tmp/none"
refused 'MiB free, and 102400 MiB are asked for' subvolumes="$home" room=100G
refused 'has the state of patchday itself' subvolumes="$home" state="$home/new/state"
printf 'UUID=x %s btrfs noatime,subvolid=257,subvol=/@home 0 0\n' "$home" >"$tmp/fstab"
refused 'mounted by the number of its subvolume, in /etc/fstab .*write subvol=/@home' subvolumes="$home"
printf 'UUID=x %s btrfs noatime,subvol=/@home 0 0\n' "$home" >"$tmp/fstab"
btrfs -q subvolume create "$home/deep/nested" >/dev/null
step btrfs check subvolumes="$home"
is "an empty subvolume in it is nothing that would be missed" "$result" changed
touch "$home/deep/nested/file"
btrfs -q subvolume create "$home/deep/empty" >/dev/null
refused "has other subvolumes in it, which no snapshot of it has: $home/deep/nested;" subvolumes="$home"
btrfs -q subvolume delete "$home/deep/nested" "$home/deep/empty" >/dev/null
step btrfs check subvolumes="$home,$top/@home"
is "the same one twice" "$result" bad-args
before=$(picture "$home")
step btrfs check subvolumes="$home"
is "check: there is one to take" "$result" changed
is "and nothing is made by it" "$(names "$top")" "@ @data @home"

# ---- taken
echo data >"$top/@data/file"
step btrfs check,apply,verify subvolumes="$home,$top/@data"
is "taken and verified" "$result" unchanged
[ "$result" = unchanged ] || echo "$message"
fs=$(btrfs filesystem show "$top" | sed -n 's/.*uuid: //p')
like "the snapshot is an output" "$taken" "^btrfs:$fs/pd-step-[0-9]+$"
name=$(ls "$top/.patchday" | head -n 1)
is "in a folder of root's alone" "$(stat -c '%a %U' "$top/.patchday")" "700 root"
is "it can't be written" "$(touch "$top/.patchday/$name/x" 2>&1 | grep -c 'Read-only')" 1
is "it has what there was" "$(picture "$top/.patchday/$name")" "$before"
like "evidence" "$(cat "$work/snapshot.btrfs/snapshots.txt")" "subvolume   @home, number [0-9]+"
now=$(snapshots)
step btrfs apply subvolumes="$home,$top/@data"
is "a second apply has nothing to do" "$result $(snapshots)" "unchanged $now"
step btrfs check subvolumes="$home,$top/@data"
is "nor has check" "$result" unchanged
btrfs property set -f "$top/.patchday/$name" ro false
step btrfs verify subvolumes="$home,$top/@data"
is "verify notices one that can be written" "$result" failed
like "and says so" "$message" "is no read-only snapshot of $home"
btrfs property set "$top/.patchday/$name" ro true
btrfs -q subvolume delete "$top/.patchday/$name" >/dev/null
step btrfs verify subvolumes="$home,$top/@data"
like "and one that is gone" "$message" "there is no snapshot of $home"
step btrfs apply subvolumes="$home,$top/@data"
is "apply after a crash takes what is missing" "$result $(snapshots)" "changed $now"

# ---- undo, nobody uses it
spoil() { (cd "$1" && rm -rf deep && echo two >alice/file && chmod 600 alice/file && setfattr -x user.note alice/file && mkdir new && touch new/file && rm pipe); }
spoil "$home"
echo other >"$top/@data/file"
flags=$(findmnt -no VFS-OPTIONS "$home")
step btrfs undo subvolumes="$home,$top/@data"
is "undo" "$result" changed
[ "$result" = changed ] || echo "$message"
is "all is as it was, at once" "$(picture "$home")" "$before"
is "also where nothing is mounted" "$(cat "$top/@data/file")" data
is "mounted as it was" "$(findmnt -no VFS-OPTIONS "$home")" "$flags"
is "under its name" "$(findmnt -no FSROOT "$home")" /@home
is "what had become of it is kept" "$(cat "$top/.patchday/$name.back/alice/file")" two
touch "$home/alice/file"
is "it can be written" "$?" 0
now=$(findmnt -no OPTIONS "$home")
step btrfs undo subvolumes="$home,$top/@data"
is "undo again has nothing to do" "$result $(findmnt -no OPTIONS "$home")" "unchanged $now"

# ---- discarded
step discard check snapshots="btrfs:$fs/$name,btrfs:$fs/none"
is "discard: there is one" "$result" changed
step discard verify snapshots="btrfs:$fs/$name"
like "verify sees what is still there" "$result $out" "failed.*btrfs:$fs/$name is still there"
step discard check snapshots="btrfs:$fs/$name,btrfs:$fs/none"
like "which is a point of no return" "$out" 'irreversible.*no way back'
step discard check,apply,verify snapshots="btrfs:$fs/$name,btrfs:$fs/none"
is "discarded, with what had become of it" "$result $(snapshots | wc -w)" "unchanged 2"
step discard check snapshots="btrfs:$fs/$name"
is "nothing is left of it" "$result" unchanged
for bad in "btrfs:$fs/../@home" "btrfs:$fs/." "btrfs:$fs" "zfs:x" "btrfs:$fs/.."; do
	step discard check,apply snapshots="$bad"
	is "$bad is no snapshot" "$result" bad-args
done
is "subvolumes are none" "$(names "$top")" ".patchday @ @data @home"
umount "$home" && mount -o subvol=@home "$loop" "$home"

# ---- killed in the middle of the undo, by what it leaves behind
work=$tmp/killed
before=$(picture "$home")
step btrfs check,apply subvolumes="$home"
name=${taken##*/}
spoil "$home"
btrfs -q subvolume snapshot "$top/.patchday/$name" "$top/.patchday/$name.back" >/dev/null
step btrfs undo subvolumes="$home"
is "a copy that is there is used" "$result $(picture "$home")" "changed $before"
umount "$home"
step btrfs undo subvolumes="$home"
is "killed between unmount and mount: mounted again" "$(findmnt -no FSROOT "$home")" /@home
work=$tmp/again
for moment in 0.004 0.008 0.012 0.016 0.02; do
	timeout -s KILL $moment "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$work" snapshot.btrfs check,apply subvolumes="$home" >/dev/null 2>&1
done
step btrfs apply,verify subvolumes="$home"
is "killed in apply: it comes to its end" "$result" unchanged
spoil "$home" 2>/dev/null
for moment in 0.004 0.008 0.012 0.016 0.02; do
	timeout -s KILL $moment "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$work" snapshot.btrfs undo subvolumes="$home" >/dev/null 2>&1
done
step btrfs undo subvolumes="$home"
is "killed in undo: so does that" "$(picture "$home")" "$before"

# ---- in a run: an update that breaks what no step of it knows of
cp "$PD_BUILDDIR/plugins/probe/.libs/probe.so" "$tmp/plugins/"
cat >"$tmp/update.lua" <<END
local pd = require "patchday"
local snapshot, probe = pd.use "snapshot", pd.use "probe"
local function run(text) return probe.command { argv = { "/bin/sh", "-c", text }, timeout = 1 } end
return pd.workflow { api = 1, name = "update", params = { good = pd.bool { default = false } },
	guards = function() return { snapshot.room { free = "1 MiB" } } end, plan = function(t)
	local taken = snapshot.btrfs { subvolumes = { "$home" }, state = "$tmp/state" }
	return {
		pd.stage "save" { taken },
		pd.stage "install" { on_failure = "undo", run "cd $home && rm -rf deep && echo broken >alice/file", run(t.params.good and "true" or "false") },
		t.params.good and pd.stage "end" { snapshot.discard { snapshots = taken.out.snapshots } },
	}
end }
END
run() { out=$("$PD_BUILDDIR/patchday" run "$tmp/update.lua" --state "$tmp/state" --plugin-dir "$tmp/plugins" "$@" 2>&1 </dev/null); rc=$?; }
run
is "a run that fails is rolled back, and all is as it was" "$rc $(picture "$home")" "1 $before"
[ "$rc" = 1 ] || echo "$out"
now=$(snapshots)
run --param good=true
is "without a backup no snapshot is discarded" "$rc $(snapshots)" "4 $now"
run --param good=true --accept-no-return "it is a test"
is "a run that is done leaves none" "$rc $(cat "$home/alice/file") $(snapshots)" "0 broken $now"
[ "$rc" = 0 ] || echo "$out"
before=$(picture "$home")

# ---- in use
work=$tmp/busy
step btrfs check,apply subvolumes="$home"
name=${taken##*/}
spoil "$home"
(cd "$home" && exec sleep 300) &
busy=$!
until [ "$(readlink /proc/$busy/cwd)" = "$home" ]; do sleep 0.05; done
step btrfs undo subvolumes="$home"
is "in use: undo succeeds" "$result" changed
like "and says that it takes a boot" "$message" "$home is in use: the next boot mounts what its snapshot has"
is "until then what runs sees what it had" "$(cat "$home/alice/file")" two
step discard apply snapshots="btrfs:$fs/$name"
like "what is in use is not discarded" "$result $message" "refused.*$name.back is mounted at $home: reboot first"
is "nor taken away from who uses it" "$(cat "$home/alice/file") $(ls -d "$top/.patchday/$name")" "two $top/.patchday/$name"
kill $busy; wait $busy 2>/dev/null
umount "$home" && mount -o subvol=@home "$loop" "$home"
is "after the boot it is as it was" "$(picture "$home")" "$before"

# ---- what somebody else has done meanwhile
work=$tmp/others
step btrfs check,apply subvolumes="$home,$top/@data"
echo other >"$top/@data/file"
mv "$top/@home" "$top/@moved"
btrfs -q subvolume create "$top/@home" >/dev/null
step btrfs undo subvolumes="$home,$top/@data"
is "another subvolume in its place: undo fails" "$result" failed
like "and leaves it" "$message" "in the place of $home is another subvolume"
is "the others come back" "$(cat "$top/@data/file")" data
rmdir "$top/@home"; mv "$top/@moved" "$top/@home"
btrfs -q subvolume delete "$top"/.patchday/* >/dev/null
step btrfs undo subvolumes="$home,$top/@data"
like "a snapshot that is gone is told" "$message" "the snapshot .* of $top/@data is gone"
work=$tmp/readonly
btrfs -q subvolume create "$top/@data/machines" >/dev/null
btrfs property set "$top/@data" ro true
step btrfs check,apply subvolumes="$top/@data"
name=${taken##*/}
btrfs property set -f "$top/@data" ro false
echo other >"$top/@data/file"
step btrfs undo subvolumes="$top/@data"
is "one that could not be written comes back as that" "$result $(cat "$top/@data/file") $(btrfs property get "$top/@data" ro)" "changed data ro=true"
[ "$result" = changed ] || echo "# $message"
is "what had become of it is that, too" "$(btrfs property get "$top/.patchday/$name.back" ro)" ro=true
step discard check,apply,verify snapshots="btrfs:$fs/$name"
is "and is discarded with the empty one in it" "$result $(ls -A "$top/.patchday")" "unchanged "
[ "$result" = unchanged ] || echo "# $message"

# ---- the root of what runs; the next boot is a mount of the same name
# as_root: a system of its own, as the loader would mount it, with options
as_root()
{
	mount -o "$1" "$loop" "$tmp/root" || return
	mkdir -p "$tmp/root"/{usr,proc,dev,sys,etc,var/lib,"$tmp","$PD_BUILDDIR","$PD_SRCDIR"}
	for link in bin sbin lib lib64; do [ ! -L /$link ] || [ -e "$tmp/root/$link" ] || cp -P /$link "$tmp/root/"; done
	for folder in /usr /proc /dev /sys "$tmp" "$PD_SRCDIR" "$PD_BUILDDIR"; do mount --bind "$folder" "$tmp/root$folder"; done
}
down() { umount -l "$tmp/root"; }
in=(chroot "$tmp/root")
work=$tmp/root-work
as_root subvol=@ || { is "a root of its own" no yes; end; }
echo '6.1' >"$tmp/root/etc/kernel"
chroot "$tmp/root" test -x "$PD_BUILDDIR/tests/tools/pd-step" || echo "# no pd-step in the root"
step btrfs check subvolumes=/ state="/var/lib/patchday"
like "the state of patchday may not be on what goes back" "$message" "has the state of patchday itself"
step btrfs check,apply,verify subvolumes=/ state="$tmp"
is "the root is taken" "$result" unchanged
[ "$result" = unchanged ] || echo "$out"
snapshot=$taken
echo '6.2' >"$tmp/root/etc/kernel"
touch "$tmp/root/etc/new"
step btrfs undo subvolumes=/ state="$tmp"
is "and goes back" "$result" changed
like "with the next boot" "$message" "/ is in use: the next boot mounts what its snapshot has"
is "what runs is as it was until then" "$(cat "$tmp/root/etc/kernel")" 6.2
step btrfs undo subvolumes=/ state="$tmp"
is "undo again, before the boot" "$result" unchanged
step discard check,apply snapshots="$snapshot"
like "the root that runs is not discarded" "$result $message" 'refused .*back is mounted at /: reboot first'
down
as_root subvol=@
is "the boot has the old one" "$(cat "$tmp/root/etc/kernel") $(ls "$tmp/root/etc")" "6.1 kernel"
step btrfs undo subvolumes=/ state="$tmp"
is "undo once more, after it" "$result" unchanged
step discard check,apply snapshots="$snapshot"
is "now it is" "$result $(cat "$tmp/root/etc/kernel")" "changed 6.1"
down

# without a name: the default subvolume
btrfs subvolume set-default "$top/@"
work=$tmp/default-work
as_root defaults
step btrfs check,apply subvolumes=/ state="$tmp"
echo '6.3' >"$tmp/root/etc/kernel"
step btrfs undo subvolumes=/ state="$tmp"
down
as_root defaults
is "what is booted as the default subvolume comes back, too" "$result $(cat "$tmp/root/etc/kernel") $(findmnt -no FSROOT "$tmp/root")" "changed 6.1 /@"
down
in=()

# ---- in a run of its own: back to what an earlier one has taken
btrfs -q subvolume delete "$top"/.patchday/* >/dev/null
umount "$home" && mount -o subvol=@home "$loop" "$home"
# earlier RUN TEXT: that run takes a snapshot of what has this text
earlier() { echo "$2" >"$home/alice/file"; work=$tmp/work-$1 PD_STEP_RUN=$1 step btrfs check,apply,verify subvolumes="$home,$top/@data"; sleep 1.1; }
export PD_STEP_RUN=today
work=$tmp/restore
step restore check volumes="$home"
like "restore: nothing was taken" "$result $message" "refused.*there is no snapshot of $home from an earlier run; none at all is left"
earlier monday one; earlier tuesday two
earlier today three
is "three runs have taken what there was" "$(snapshots | wc -w)" 6
echo four >"$home/alice/file"
like "today, too" "$(ls "$top/.patchday")" '^today-'
step restore check volumes="$home" run=sunday
like "that run has taken none" "$result $message" 'refused.*no snapshot of .* that was taken by the run sunday; there is today-.*tuesday-.*monday-'
step restore check volumes="$home,$home"
is "one twice" "$result" bad-args
step restore check volumes="$home" state="$home/new"
like "not with patchday's state on it" "$result $message" 'refused.*has the state of patchday itself'
now=$(picture "$home") list=$(ls "$top/.patchday")
step restore check volumes="$home"
is "check: there is one, and nothing is touched" "$result $(picture "$home")$(ls "$top/.patchday")" "changed $now$list"
like "the newest of an earlier run, not what this one has taken" "$out" "\"snapshots\",\"value\":\[\"btrfs:$fs/tuesday-[0-9]+\"\]"
unlike "which can be undone" "$out" irreversible
step restore check,apply,verify volumes="$home"
is "it is gone back to" "$result $(cat "$home/alice/file")" "unchanged two"
[ "$result" = unchanged ] || echo "# $message"
like "no boot is needed" "$out" '"reboot_required","value":false'
like "what it was is kept" "$out" "\"replaced\",\"value\":\[\"btrfs:$fs/today-[0-9]+\.back\"\]"
replaced=$(grep '^{' <<<"$out" | jq -r 'select(.name == "replaced") | .value[]' | tail -n 1)
is "with all that was in it" "$(cat "$top/.patchday/${replaced##*/}/alice/file")" four
like "evidence" "$(cat "$work/snapshot.restore/restored.txt")" "^$home
  went back to  .patchday/tuesday-[0-9]+ .*
  what it was   .patchday/today-[0-9]+\.back"
step restore check,apply volumes="$home"
is "a second apply has nothing to do" "$result $(cat "$home/alice/file")" "unchanged two"
step restore undo volumes="$home"
is "undo: forward again" "$result $(picture "$home")" "changed $now"
[ "$result" = changed ] || echo "# $message"
step restore undo volumes="$home"
is "undo again has nothing to do" "$result $(findmnt -no FSROOT "$home")" "unchanged /@home"
btrfs -q subvolume delete "$top/.patchday/"*.back >/dev/null

# as often as somebody wants
export PD_STEP_RUN=wednesday
work=$tmp/wednesday
step restore check,apply,verify volumes="$home" run=tuesday
is "by the name of a run" "$result $(cat "$home/alice/file")" "unchanged two"
earlier wednesday-late five
export PD_STEP_RUN=thursday
work=$tmp/thursday
step restore check,apply,verify volumes="$home" run=tuesday
is "once more to the same, though it is a copy of it already" "$result $(cat "$home/alice/file")" "unchanged two"
[ "$result" = unchanged ] || echo "# $message"
export PD_STEP_RUN=friday
work=$tmp/friday
step restore check,apply,verify volumes="$home" run=wednesday-late
is "and to one of what was exchanged meanwhile" "$result $(cat "$home/alice/file")" "unchanged five"
(cd "$home" && exec sleep 300) &
busy=$!
until [ "$(readlink /proc/$busy/cwd)" = "$home" ]; do sleep 0.05; done
export PD_STEP_RUN=saturday
work=$tmp/saturday
step restore check,apply volumes="$home,$top/@data" run=monday
like "in use: a boot is needed, and told" "$result $out" '"reboot_required","value":true.*'
is "until then it is as it was; the others have gone" "$(cat "$home/alice/file") $(cat "$top/@home/alice/file")" "five one"
step prune check volumes="$home" keep=0 age=0
unlike "prune: what this run has exchanged is not removed" "$out" 'saturday-'
export PD_STEP_RUN=sunday
step prune check,apply volumes="$home" keep=0 age=0
like "what is mounted is not, either" "$(cat "$work/snapshot.prune/pruned.txt" 2>&1)" "^kept     btrfs:$fs/saturday-[0-9]+.back: mounted at $home"
is "nor taken away from who uses it" "$(cat "$home/alice/file")" five
kill $busy; wait $busy 2>/dev/null
umount "$home" && mount -o subvol=@home "$loop" "$home"
is "after the boot it is as on monday" "$(cat "$home/alice/file")" one

# and in a run, as the manual has it
sed -n '/^```lua$/,/^```$/{/```/d;p}' "$PD_SRCDIR/plugins/snapshot/README.md" | sed -n '1,/^}/p' | sed "s,run = t.params.run },run = t.params.run\, state = \"$tmp/state\" }," >"$tmp/back.lua"
cp "$PD_BUILDDIR/plugins/host/.libs/host.so" "$tmp/plugins/"
unset PD_STEP_RUN
earlier weekend weekend
echo later >"$home/alice/file"
out=$("$PD_BUILDDIR/patchday" run "$tmp/back.lua" --param volumes="$home" --param run=weekend --state "$tmp/state" --plugin-dir "$tmp/plugins" 2>&1 </dev/null)
is "a run goes back to it" "$? $(cat "$home/alice/file")" "0 weekend"
[ "$(cat "$home/alice/file")" = weekend ] || sed 's/^/# /' <<<"$out"
out=$("$PD_BUILDDIR/patchday" undo --state "$tmp/state" --plugin-dir "$tmp/plugins" 2>&1 </dev/null)
is "and can be undone itself" "$? $(cat "$home/alice/file")" "1 later"
[ "$(cat "$home/alice/file")" = later ] || sed 's/^/# /' <<<"$out"

# ---- old ones go
umount "$home"
for file in "$top"/.patchday/*; do [ "${file%.back}" = "$file" ] || btrfs -q subvolume delete "$file" >/dev/null; done
mount -o subvol=@home "$loop" "$home"
for run in a b c d; do earlier $run $run; done
export PD_STEP_RUN=e
earlier e e
work=$tmp/prune
list=$(ls "$top/.patchday")
step prune check volumes="$home"
is "prune: by default none is old enough" "$result" unchanged
step prune check volumes="$home" keep=2 age=0
is "check removes none" "$result $(ls "$top/.patchday")" "changed $list"
like "which is a point of no return" "$out" 'irreversible.*no way back'
# runs NUMBER: that have a snapshot of the subvolume
runs() { find "$top/.patchday" -mindepth 1 -maxdepth 1 -name "?-$1" -printf '%f\n' | sed 's/-.*//' | sort | xargs; }
number() { btrfs subvolume show "$1" | sed -n 's/.*Subvolume ID:\s*//p'; }
other=$(runs "$(number "$top/@data")")
step prune check,apply volumes="$home" keep=2 age=0
home_id=$(number "$home")
is "the newest two of earlier runs stay, and that of this run" "$result $(runs "$home_id")" "changed c d e"
step prune verify volumes="$home" keep=2 age=0
is "which is verified" "$result" unchanged
step prune verify volumes="$home" keep=0 age=0
like "what should have gone is seen" "$result $out" "failed.*btrfs:$fs/[cd]-$home_id is still there"
is "those of another subvolume are not its business" "$(runs "$(number "$top/@data")")" "$other"
like "evidence: what went" "$(cat "$work/snapshot.prune/pruned.txt")" "removed  btrfs:$fs/b-$home_id, 0 days old"
like "and what stays, and why" "$(cat "$work/snapshot.prune/pruned.txt")" "kept     btrfs:$fs/e-$home_id: this run has taken it"
step prune check,apply volumes="$home" keep=2 age=0
is "a second one has nothing to do" "$result" unchanged
step prune check,apply volumes="$home" keep=0 age=1h
is "nor is any older than an hour" "$result" unchanged
step prune check,apply volumes="$home" keep=0 age=0
is "never that of this run" "$result $(runs "$home_id")" "changed e"
work=$tmp/work-e
step btrfs undo subvolumes="$home,$top/@data"
is "which goes back to it" "$result $(cat "$home/alice/file")" "changed e"
step prune check volumes="$tmp/none"
is "what is no subvolume has no snapshots" "$result" refused
unset PD_STEP_RUN

# ---- one that was made as a snapshot of another one: neither has what the other has
umount "$home"
for file in "$top"/.patchday/*; do btrfs -q subvolume delete "$file" >/dev/null; done
mount -o subvol=@home "$loop" "$home"
echo production >"$home/alice/file"
btrfs -q subvolume snapshot "$top/@home" "$top/@test" >/dev/null
test=$top/@test
echo test >"$test/alice/file"
would_go() { grep -o '"removed".*' <<<"$out" | grep -oE '/[a-z]+-[0-9]+(\.back)?' | sort | sed 's/-[0-9]*//' | xargs; }
# took RUN SUBVOLUME
took() { work=$tmp/work-$1 PD_STEP_RUN=$1 step btrfs check,apply,verify subvolumes="$2"; sleep 1.1; }
took first "$test"; took second "$home"
export PD_STEP_RUN=third
work=$tmp/third
step restore check volumes="$test" run=second
like "restore: what the other's run has taken is not its own" "$result $message" "refused.*no snapshot of $test that was taken by the run second; there is first-[0-9]+ *$"
step prune check volumes="$test" keep=0 age=0
like "nor is it removed with its own" "$result $(grep -o '"removed".*' <<<"$out")" '^changed "removed","value":\["btrfs:[^"]*/first-[0-9]+"\]'
step prune check volumes="$home" keep=0 age=0
like "nor the other way round" "$result $(grep -o '"removed".*' <<<"$out")" '^changed "removed","value":\["btrfs:[^"]*/second-[0-9]+"\]'
echo broken >"$test/alice/file"
step restore check,apply,verify volumes="$test"
is "it goes back to its own" "$result $(cat "$test/alice/file") $(cat "$home/alice/file")" "unchanged test production"
[ "$result" = unchanged ] || echo "# $message"
took fourth "$test"
export PD_STEP_RUN=fifth
work=$tmp/fifth
step prune check volumes="$test" keep=0 age=0
is "and has what it had before that, and nothing else" "$result $(would_go)" "changed /first /fourth /third.back"
step prune check volumes="$home" keep=0 age=0
is "nothing of which is the other one's, that it was made of" "$result $(would_go)" "changed /second"
step restore check volumes="$home" run=first
is "nor gone back to by that" "$result" refused
step restore check,apply,verify volumes="$home"
is "the other one, too" "$result $(cat "$test/alice/file") $(cat "$home/alice/file")" "unchanged test production"
[ "$result" = unchanged ] || echo "# $message"
work=$tmp/fifth-test
step restore check volumes="$test" run=second
is "also when that has gone back" "$result" refused
btrfs -q subvolume snapshot "$top"/.patchday/fourth-* "$top/@copy" >/dev/null
export PD_STEP_RUN=sixth
work=$tmp/sixth
step restore check volumes="$top/@copy"
like "a copy of a snapshot can go back to that" "$result $(grep -o '"snapshots".*' <<<"$out")" '^changed "snapshots","value":\["btrfs:[^"]*/fourth-[0-9]+"\]'
step prune check volumes="$top/@copy" keep=0 age=0
is "and leaves it to the one it was taken of" "$result" unchanged
# now that has gone back to the same snapshot: two copies of it, and what is there tells nobody which is which
took seventh "$test"
export PD_STEP_RUN=eighth
work=$tmp/eighth
step restore check,apply,verify volumes="$test" run=fourth
is "what a copy was made of goes back, too" "$result $(cat "$test/alice/file")" "unchanged test"
export PD_STEP_RUN=ninth
work=$tmp/ninth
step restore check volumes="$top/@copy" run=seventh
like "what the other one had is not the copy's" "$result $message" \
	"refused.*no snapshot of $top/@copy that was taken by the run seventh; there is fourth-[0-9]+; subvolume number $(number "$test") is a copy of one of its snapshots, too"
step prune check volumes="$top/@copy" keep=0 age=0
is "nor removed with it, nor what both are copies of" "$result" unchanged
step restore check volumes="$test" run=seventh
like "and the other way round it is not guessed, either" "$result $message" "refused.*subvolume number $(number "$top/@copy") is a copy"
took tenth "$test"
step prune check volumes="$test" keep=0 age=0
like "but what was taken of it since then is its own" "$result $(grep -o '"removed".*' <<<"$out")" '^changed "removed","value":\["btrfs:[^"]*/tenth-[0-9]+"\]'
btrfs -q subvolume delete "$top/@copy" >/dev/null
step restore check volumes="$test" run=seventh
is "without the copy all are its own" "$result" changed
unset PD_STEP_RUN
umount "$home"
for file in "$test" "$top"/.patchday/*; do btrfs -q subvolume delete "$file" >/dev/null; done
mount -o subvol=@home "$loop" "$home"
# a copy of a snapshot that has gone back, and what it was taken of has not
took original "$home"
work=$tmp/forth PD_STEP_RUN=forth step restore check,apply volumes="$home" run=original
work=$tmp/forth PD_STEP_RUN=forth step restore undo volumes="$home"
is "there is one that was forth and back, and is its own" "$result $(ls -d "$top"/.patchday/forth-*.back | wc -l)" "changed 1"
btrfs -q subvolume snapshot "$top"/.patchday/original-* "$top/@copy" >/dev/null
took copy "$top/@copy"
work=$tmp/returned PD_STEP_RUN=returned step restore check,apply,verify volumes="$top/@copy" run=copy
is "a copy of a snapshot goes back to one of its own" "$result" unchanged
work=$tmp/after
step prune check volumes="$home" keep=0 age=0
is "what it had is not removed with that of the original" "$result $(would_go)" "changed /original"
step restore check volumes="$home" run=copy
is "nor gone back to by that" "$result" refused
step prune check volumes="$top/@copy" keep=0 age=0
is "and it has its own, and nothing of the original" "$result $(would_go)" "changed /copy /returned.back"
for file in "$top/@copy" "$top"/.patchday/*; do btrfs -q subvolume delete "$file" >/dev/null; done

# ---- others in it: an empty one, such as systemd makes; one that came meanwhile; and one that goes back itself
work=$tmp/nested
btrfs -q subvolume create "$home/machines" >/dev/null
step btrfs check,apply subvolumes="$home"
name=${taken##*/}
step btrfs undo subvolumes="$home"
is "with an empty one in it, it goes back" "$result $(cat "$home/alice/file")" "changed production"
back=$top/.patchday/$name.back
btrfs -q subvolume create "$back/containers" >/dev/null
touch "$back/containers/one"
step discard check snapshots="btrfs:$fs/$name"
like "what can't be removed is refused before" "$result $message" "refused.*$name.back has other subvolumes in it: .patchday/$name.back/containers; move them"
work=$tmp/other PD_STEP_RUN=other step btrfs check,apply subvolumes="$home"
work=$tmp/tidy PD_STEP_RUN=tidy step prune check,apply volumes="$home" keep=0 age=0
like "or kept, when others go" "$result $(cat "$tmp/tidy/snapshot.prune/pruned.txt" 2>&1)" "^kept +btrfs:$fs/$name: other subvolumes are in it: .patchday/$name.back/containers"
chown 1000 "$back/containers" && chmod 700 "$back/containers"
in=(setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search)
step discard apply snapshots="btrfs:$fs/$name"
in=()
like "what can't be looked into does not count as empty" "$result $message" "^failed cannot list the subvolumes in .patchday/$name.back: Permission denied"
is "with all that is in it" "$(ls -d "$back/machines" "$back/containers/one" | wc -l)" 2
rm "$back/containers/one"
step discard check,apply,verify snapshots="btrfs:$fs/$name"
is "empty ones are removed with it" "$result $(ls -A "$top/.patchday")" "unchanged "
[ "$result" = unchanged ] || echo "# $message"
work=$tmp/inner
btrfs -q subvolume create "$home/inner" >/dev/null
echo one >"$home/inner/file"
step btrfs check,apply subvolumes="$home/inner"
echo two | tee "$home/inner/file" >"$home/alice/file"
step btrfs undo subvolumes="$home/inner"
is "one in another one goes back alone" "$result $(cat "$home/inner/file" "$home/alice/file" | xargs)" "changed one two"
btrfs -q subvolume delete "$home/inner" "$top"/.patchday/* >/dev/null

# ---- one that was received
work=$tmp/received
btrfs -q subvolume snapshot -r "$top/@data" "$top/sent" >/dev/null
mkdir "$top/received" && btrfs -q send "$top/sent" | btrfs -q receive "$top/received" || echo "# nothing was received"
step btrfs check,apply,verify subvolumes="$top/received/sent"
name=${taken##*/}
step btrfs undo subvolumes="$top/received/sent"
is "what was received goes back" "$result $(cat "$top/received/sent/file") $(btrfs property get "$top/received/sent" ro)" "changed data ro=true"
is "and nobody can write to what btrfs receive goes on from" "$(btrfs property get "$top/.patchday/$name.back" ro)" ro=true
btrfs -q subvolume delete "$top/sent" "$top/received/sent" "$top"/.patchday/* >/dev/null
work=$tmp/guarded
step btrfs check,apply subvolumes="$home"

# ---- the guard
work=$tmp/guard
step room check free=1M
is "there is room" "$result" unchanged
step room check free=100G
is "too little: the run waits" "$result" refused
like "and says where" "$message" "less than 102400 MiB are free on the file system of $top"
btrfs -q subvolume delete "$top"/.patchday/* >/dev/null
step room check free=100G
is "without snapshots it is none of its business" "$result" unchanged
end
