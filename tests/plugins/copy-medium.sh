#!/bin/bash
# SPDX-License-Identifier: MIT
# The step copy.medium with real file systems that have a label, on loop devices.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "loop devices need root"
for program in losetup blkid mkfs.ext4 mkfs.vfat debugfs; do
	command -v $program >/dev/null || skip "$program is not installed"
done
tmp=$(mktemp -d)
loops=()
trap 'for loop in "${loops[@]}"; do losetup -d "$loop" 2>/dev/null; done; rm -rf "$tmp"' EXIT
label=PD$$
# medium NAME SIZE TYPE [OPTION]...: in $loop
medium()
{
	local make=(mkfs.ext4 -q -L "$label")

	[ "$3" = ext4 ] || make=(mkfs.vfat -n "$label")
	truncate -s "$2" "$tmp/$1.img" && "${make[@]}" "$tmp/$1.img" >/dev/null || exit 99
	loop=$(losetup -f --show "${@:4}" "$tmp/$1.img" 2>"$tmp/errors") || return
	loops+=("$loop")
}
medium first 16M ext4 || skip "there can be no loop devices here: $(cat "$tmp/errors")"
first=$loop
mkdir "$tmp/mount"
unshare --mount mount "$first" "$tmp/mount" 2>"$tmp/errors" || skip "nothing can be mounted here: $(cat "$tmp/errors")"
mkdir -p "$tmp/plugins" "$tmp/safe/pd-step/deep/er"
cp "$PD_BUILDDIR/plugins/copy/.libs/copy.so" "$tmp/plugins/"
work=$tmp/work
# step PHASES [NAME=VALUE]...: sets $out, $rc, $result, $message
step()
{
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$work" copy.medium "$1" \
		from="$tmp/safe" label="$label" fixed=true "${@:2}" 2>&1 </dev/null)
	rc=$?
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	message=$(grep -v '"event":"progress"' <<<"$out")
}
# on LOOP COMMAND: with the medium at $tmp/mount, for this command alone
on() { unshare --mount bash -c 'mount "$1" "$2" && cd "$2" && eval "$3"' bash "$1" "$tmp/mount" "$2"; }
cd "$tmp/safe/pd-step" || exit 99
(umask 077; head -c 3000000 /dev/urandom >big; : >empty; echo small >deep/er/small; echo odd >'deep/ odd \ "name"')
ln -s /etc/shadow link

# ---- what it refuses
step check label=NONE$$
is "no such medium: the run does not start" "$result" refused
like "and a person is asked to put it in" "$message" "no medium with the label NONE$$ is in this server.*put the medium NONE$$ in"
step check fixed=false
like "a built-in disk is refused" "$message" 'is no medium that can be taken out'
before=$(sha256sum <"$tmp/first.img")
step check
is "unless that is asked for" "$rc $result" "0 changed"
is "check wrote nothing to it" "$(sha256sum <"$tmp/first.img")" "$before"
medium twin 8M ext4
step check
like "two with one label are refused" "$message" "more than one medium has the label $label: /dev/loop.* and /dev/loop"
step apply
like "by apply, too" "$message" 'more than one medium'
losetup -d "$loop"
losetup -d "$first"
losetup -r "$first" "$tmp/first.img"
step check
like "a write-protected one" "$message" 'is write-protected'
losetup -d "$first"
losetup "$first" "$tmp/first.img"
mount "$first" "$tmp/mount"
step check
like "one that is mounted" "$message" 'can.t be had alone.*unmount it'
umount "$tmp/mount"
truncate -s 20M huge
step check
like "one that is too small for all" "$message" 'is too small: 16 MiB'
truncate -s 12M huge
step check,apply
is "and one where too little is free" "$rc" 1
like "is told with what is needed" "$message" 'has [0-9]+ bytes free, and [0-9]+ are to be copied'
rm huge
is "nothing of that is left on it" "$(on "$first" 'ls')" "lost+found"

# ---- copied, and proved
on "$first" 'mkdir theirs; echo theirs >theirs/file'
before=$(uname -n)/pd-step/deep/er # of another step
on "$first" "mkdir -p $before; echo small >$before/small"
step check,apply,verify
is "copied and proved" "$rc" 0
[ "$rc" = 0 ] || echo "$message"
is "it is nowhere mounted afterwards" "$(grep "$tmp" /proc/self/mountinfo)" ""
is "and was left clean" "$(debugfs -R 'show_super_stats -h' "$first" 2>/dev/null | grep -c 'state:.*clean')" 1
folder=$(on "$first" 'echo */pd-step')
like "where it is, below the server's name" "$out" "\"folder\",\"value\":\"/$folder\""
is "all of it is there" "$(on "$first" "diff -r --no-dereference -x MANIFEST -x link $tmp/safe/pd-step $folder" 2>&1)" ""
is "without what is no file, and no half of one" "$(on "$first" "find . -name link -o -name '*.part'")" ""
is "sha256sum finds each as the manifest says" "$(on "$first" "cd $folder && sha256sum -c --strict --quiet MANIFEST" 2>&1)" ""
is "the manifest is evidence" "$(on "$first" "cmp $folder/MANIFEST $work/copy.medium/MANIFEST && echo same")" same
inodes=$(on "$first" "find $folder -printf '%i %p %T@\n' | sort")
step apply
is "a second apply has nothing to do" "$result" unchanged
is "and touches nothing" "$(on "$first" "find $folder -printf '%i %p %T@\n' | sort")" "$inodes"
on "$first" "echo half >$folder/big.part; rm $folder/big; truncate -s 0 $folder/deep/er/small"
step check,apply,verify
is "what a kill has left half is done again" "$rc" 0
is "and no half stays" "$(on "$first" "find . -name '*.part'")" ""

mkdir -p "$tmp/further/pd-step"
echo logs >"$tmp/further/pd-step/logs"
step check,apply,verify also="$tmp/none,$tmp/further"
is "what steps have saved in a further folder goes there, too" "$rc $(on "$first" "cat $folder/logs; grep -c ' logs$' $folder/MANIFEST" | xargs)" "0 logs 1"
step apply

# ---- read back from the medium: a byte is turned below the file system
block=$(debugfs -R "bmap $folder/big 100" "$first" 2>/dev/null | tail -n 1)
size=$(debugfs -R stats "$first" 2>/dev/null | sed -n 's/^Block size: *//p')
printf 'spoilt' | dd of="$tmp/first.img" bs=1 seek=$((block * size)) conv=notrunc status=none
step verify
is "spoilt bytes on the medium itself are found" "$rc" 1
like "in the file that has them" "$message" 'big is not what .*big is'
is "and it is nowhere mounted" "$(grep "$tmp" /proc/self/mountinfo)" ""

# ---- another medium, undo
losetup -d "$first"
medium other 16M ext4
step verify
like "another one with the same label is not taken for it" "$message" 'is another medium with the label'
losetup -d "$loop"
step undo
is "undo leaves the copy, and needs no medium" "$result" unchanged
step undo keep=false
like "undo that is to remove it does" "$message" 'no medium with the label .*: put the medium'
losetup "$first" "$tmp/first.img"
on "$first" "echo theirs >$folder/deep/theirs"
step undo keep=false
is "with the medium it is removed" "$result" changed
[ "$result" = changed ] || echo "$message"
is "what others have put there stays, and what was there before" "$(on "$first" 'find . -type f | sort' | xargs)" "./theirs/file ./$folder/deep/er/small ./$folder/deep/theirs"
step undo keep=false
is "a second undo finds nothing" "$rc" 0
losetup -d "$first"

# ---- vfat
if grep -qw vfat /proc/filesystems || modprobe vfat 2>/dev/null; then
	work=$tmp/vfat
	rm deep/*odd* # vfat has no such names
	medium vfat 16M vfat
	step check,apply,verify
	is "vfat: copied and proved" "$rc" 0
	[ "$rc" = 0 ] || echo "$message"
	step apply
	is "a second apply has nothing to do" "$result" unchanged
	step undo keep=false
	is "undo removes all of it" "$result $(on "$loop" ls)" "changed "
else
	echo "# SKIPPED: a medium with vfat, since this kernel has no vfat"
	work=$tmp/vfat
	medium vfat 16M vfat
	step check,apply
	like "a file system that the kernel does not have is told" "$message" "cannot mount the vfat of .*: this kernel doesn.t know it"
fi
end
