#!/bin/bash
# SPDX-License-Identifier: MIT
# The step copy.folder with real file systems, on loop devices: two subvolumes of btrfs are one
# volume, another disk is a second place.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "loop devices need root"
for program in losetup mkfs.btrfs btrfs mkfs.ext4; do
	command -v $program >/dev/null || skip "$program is not installed"
done
grep -qw btrfs /proc/filesystems || modprobe btrfs 2>/dev/null || skip "this kernel has no btrfs"
if [ -z "${PD_MOUNTS-}" ]; then
	unshare --mount --propagation private true 2>/dev/null || skip "there can be no mounts of its own here"
	PD_MOUNTS=own exec unshare --mount --propagation private bash "$0"
fi
tmp=$(mktemp -d)
loops=()
trap 'cd /; umount -l "$tmp"/* 2>/dev/null; for loop in "${loops[@]}"; do losetup -d "$loop"; done; umount -l "$tmp"; rmdir "$tmp"' EXIT
mount -t tmpfs none "$tmp" 2>/dev/null || skip "nothing can be mounted here"
mkdir "$tmp/top" "$tmp/safe" "$tmp/away" "$tmp/disk" "$tmp/plugins"
# image NAME SIZE COMMAND...: of a file system; sets $loop
image()
{
	truncate -s "$2" "$tmp/$1.img" && "${@:3}" "$tmp/$1.img" >"$tmp/errors" 2>&1 || exit 99
	loop=$(losetup -f --show "$tmp/$1.img" 2>"$tmp/errors") || skip "there can be no loop devices here: $(cat "$tmp/errors")"
	loops+=("$loop")
}
image btrfs 256M mkfs.btrfs -q
mount "$loop" "$tmp/top" 2>"$tmp/errors" || skip "btrfs can't be mounted here: $(cat "$tmp/errors")"
btrfs -q subvolume create "$tmp/top/@safe" && btrfs -q subvolume create "$tmp/top/@away" || exit 99
mount -o subvol=@safe "$loop" "$tmp/safe" && mount -o subvol=@away "$loop" "$tmp/away" || exit 99
image disk 64M mkfs.ext4 -q
mount "$loop" "$tmp/disk" || exit 99
cp "$PD_BUILDDIR/plugins/copy/.libs/copy.so" "$tmp/plugins/"
mkdir "$tmp/safe/pd-step"
head -c 300000 /dev/urandom >"$tmp/safe/pd-step/file"
# step PHASES NAME=VALUE...: sets $out, $result
step()
{
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$tmp/work" copy.folder "$@" from="$tmp/safe" 2>&1 </dev/null)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
}

is "each subvolume has a device of its own" "$(stat -c %d "$tmp/safe" "$tmp/away" | sort -u | wc -l)" 2
step check to="$tmp/away"
is "another subvolume of one file system is no second place" "$result" refused
like "but one volume with it" "$out" "$tmp/away is on the same volume as $tmp/safe"
step check to="$tmp/away" same_volume=true
is "unless that is asked for" "$result" changed
step check,apply,verify to="$tmp/disk"
is "another disk is one" "$result" unchanged
is "and has the copy" "$(cmp "$tmp/safe/pd-step/file" "$tmp/disk"/*/pd-step/file 2>&1)" ""
mkdir -p "$tmp/top/further/pd-step/sub"
echo logs >"$tmp/top/further/pd-step/sub/logs"
also=(also="$tmp/none,$tmp/top/further")
step check,apply,verify to="$tmp/disk" "${also[@]}"
is "what steps have saved in a further folder goes there, too" "$result $(cd "$tmp/disk"/*/pd-step && sha256sum -c --quiet MANIFEST 2>&1; sed 's/.* //' MANIFEST | xargs)" \
	"unchanged file sub/logs"
step check to="$tmp/disk" "${also[@]}"
is "then nothing is left to do" "$result" unchanged
step check to="$tmp/disk" also="$tmp/disk/safe"
like "no copy lies on the volume of that folder" "$result $out" "^refused .*$tmp/disk is on the same volume as $tmp/disk/safe"
echo other >"$tmp/top/further/pd-step/file"
step apply to="$tmp/disk" "${also[@]}"
like "of two files of one name none takes the other's place" "$result $out" "^failed .*further/pd-step/file is in $tmp/safe/pd-step, too"
end
