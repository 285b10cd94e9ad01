#!/bin/bash
# SPDX-License-Identifier: MIT
# recovery.medium on a stick that UEFI starts, as rear lays it out: an EFI system partition, and beside it the file system
# with what rear has made.  Made by hand, without rear; it is a loop device, and mounted for this test alone.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "loop devices need root"
for program in losetup partx sfdisk mkfs.ext4 mkfs.vfat mcopy mdel mmd cpio jq; do
	command -v $program >/dev/null || skip "$program is not installed"
done
if [ -z "${PD_MOUNTS-}" ]; then
	unshare --mount --propagation private true 2>/dev/null || skip "there can be no mounts of its own here"
	PD_MOUNTS=own exec unshare --mount --propagation private bash "$0"
fi
tmp=$(mktemp -d)
loop=
loose() { [ -z "$loop" ] || { partx -d "$loop"; losetup -d "$loop"; }; loop=; }
trap 'loose; rm -rf "$tmp"' EXIT
mount -t tmpfs none /var/lib && mkdir /var/lib/rear || skip "nothing can be mounted here"
host=$(uname -n) host=${host%%.*}
run=$tmp/stick/rear/$host/20261201.0400
mkdir -p "$run" "$tmp/system/etc" "$tmp/system/var/lib/rear/layout"

# put FILE OFFSET BYTES, as printf(1) writes them
put() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
head -c 3000 /dev/urandom >"$run/kernel"
put "$run/kernel" 497 '\1\0\0\144\0\0\0' # setup of 2 sectors, 100 paragraphs
put "$run/kernel" 514 HdrS
echo rear >"$tmp/system/etc/rear-release"
echo "$host" >"$tmp/system/etc/hostname"
echo disk >"$tmp/system/var/lib/rear/layout/disklayout.conf"
head -c 200000 /dev/urandom >"$tmp/system/noise"
(cd "$tmp/system" && find . | cpio -o -H newc --quiet | gzip -1) >"$run/initrd.cgz"
truncate -s 2048 "$tmp/loader"
put "$tmp/loader" 0 MZ
put "$tmp/loader" 60 '\200'
put "$tmp/loader" 128 'PE\0\0\144\206\1' # one section, behind 240 bytes of options
put "$tmp/loader" 148 '\360'
put "$tmp/loader" 408 '\0\4\0\0\0\2\0\0' # 1024 bytes from 512 on
cat >"$tmp/grub.cfg" <<END
search --no-floppy --set=root --label REAR-EFI
menuentry "Relax-and-Recover" --id=rear {
    linux /EFI/BOOT/kernel root=UUID=none selinux=0
    initrd /EFI/BOOT/initrd.cgz
}
END

# made LABEL TYPE BITS SIZE: such a table of partitions, with a FAT of so many bits and MiB
made()
{
	loose
	rm -f "$tmp/disk"
	truncate -s 56M "$tmp/disk"
	printf 'label: %s\nstart=2048, size=%dM, type=%s\ntype=L\n' "$1" "$4" "$2" | sfdisk -q "$tmp/disk" >"$tmp/errors" 2>&1 &&
		mkfs.vfat -F "$3" -s 1 -n REAR-EFI --offset 2048 "$tmp/disk" "$(($4 * 1024))" >>"$tmp/errors" 2>&1 || { cat "$tmp/errors"; exit 99; }
	loop=$(losetup -f --show "$tmp/disk" 2>"$tmp/errors") || { loop=; skip "there can be no loop devices here: $(cat "$tmp/errors")"; }
	esp=$tmp/disk@@1M
	partx -a "$loop" 2>"$tmp/errors" || skip "there can be no partitions here: $(cat "$tmp/errors")"
	[ -b "${loop}p2" ] || skip "there are no devices of partitions here"
	mkfs.ext4 -q -d "$tmp/stick" -L REAR-000 "${loop}p2" >"$tmp/errors" 2>&1 || { cat "$tmp/errors"; exit 99; }
	mmd -i "$esp" ::/EFI ::/EFI/BOOT && mcopy -i "$esp" "$tmp/loader" ::/EFI/BOOT/BOOTX64.efi &&
		mcopy -i "$esp" "$run/kernel" "$run/initrd.cgz" "$tmp/grub.cfg" ::/EFI/BOOT/ || exit 99
}

# medium PHASES: sets $out, $result, $message
medium()
{
	rm -rf "$tmp/work"
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$PD_BUILDDIR/plugins/recovery/.libs" --work "$tmp/work" recovery.medium "$1" path="${loop}p2" 2>&1)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	message=$(grep '^{' <<<"$out" | jq -r '.cause // .message // empty' 2>/dev/null)
}

# refused PATTERN TEXT: the check says so
refused()
{
	medium check
	like "$2 is refused" "$result $(tr "\n" " " <<<"$message")" "^refused .*can't be booted: its disk $loop has no boot code that starts it; by UEFI: $1"
}

# with NAME FILE: it is that on the EFI system partition
with() { mdel -i "$esp" "::/EFI/BOOT/$1" && { [ -z "${2-}" ] || mcopy -i "$esp" "$2" "::/EFI/BOOT/$1"; }; }

made gpt U 32 34
before=$(sha256sum <"$tmp/disk")
medium check,apply,verify
is "a stick that UEFI starts is confirmed" "$result" unchanged
[ "$result" = unchanged ] || sed 's/^/# /' <<<"$out"
evidence=$(cat "$tmp"/work/recovery.medium/medium.txt "$tmp"/work/recovery.medium/MANIFEST)
like "the evidence says by what it boots" "$evidence" '^boots     UEFI$'
like "and has the digests" "$evidence" "^[0-9a-f]{64}  /rear/$host/20261201.0400/kernel$"
like "why not by BIOS is told" "$out" "can't be booted by BIOS: its disk $loop has no boot code"
is "nothing of it has changed" "$(sha256sum <"$tmp/disk")" "$before"

sed 's,\(.*\)/kernel\( .*\),  # &\n\1/kernel-old\2,' "$tmp/grub.cfg" >"$tmp/other"
with grub.cfg "$tmp/other"
refused '/EFI/BOOT/grub.cfg of its EFI system partition does not lead to /EFI/BOOT/kernel' "a menu that leads elsewhere"
with grub.cfg
refused 'its EFI system partition has no /EFI/BOOT/grub.cfg' "one without a menu"
mcopy -i "$esp" "$tmp/grub.cfg" ::/EFI/BOOT/
cp "$run/initrd.cgz" "$tmp/other"
put "$tmp/other" 150000 older
with initrd.cgz "$tmp/other"
refused "/EFI/BOOT/initrd.cgz of its EFI system partition is not /rear/$host/20261201.0400/initrd.cgz" "the system of another run"
truncate -s 150000 "$tmp/other"
with initrd.cgz "$tmp/other"
refused '/EFI/BOOT/initrd.cgz of its .* is not /rear' "half of it"
with initrd.cgz
refused 'its EFI system partition has no /EFI/BOOT/initrd.cgz' "one without a system"
mcopy -i "$esp" "$run/initrd.cgz" ::/EFI/BOOT/
with kernel "$tmp/loader"
refused "/EFI/BOOT/kernel of its .* is not /rear/$host/20261201.0400/kernel" "another kernel"
with kernel "$run/kernel"
head -c 1500 "$tmp/loader" >"$tmp/other"
with BOOTX64.efi "$tmp/other"
refused '/EFI/BOOT/BOOTX64.EFI of its EFI system partition is no program for UEFI on x86-64, or cut off' "a loader that is cut off"
with BOOTX64.efi
refused 'its EFI system partition has no /EFI/BOOT/BOOTX64.EFI' "one without a loader"
mcopy -i "$esp" "$tmp/loader" ::/EFI/BOOT/BOOTX64.efi
medium check
is "with all of it in its place it is confirmed" "$result" changed
put "$tmp/disk" $((1048576 + 510)) '\0\0'
refused 'its EFI system partition has no FAT that can be read' "a damaged file system"
sfdisk -q --no-reread --no-tell-kernel --part-type "$tmp/disk" 1 L >"$tmp/errors" 2>&1 || cat "$tmp/errors"
refused 'its disk has no EFI system partition' "a disk without one"

made dos ef 16 8
medium check
is "with an MBR, and 16 bits" "$result" changed
[ "$result" = changed ] || sed 's/^/# /' <<<"$out"

# ---- by both: extlinux on what has such a mark, and a menu that leads to the run
both()
{
	made dos ef 16 8
	put "$tmp/disk" 0 code
	put "$tmp/disk" 462 '\200' # the second partition is marked
	put "$tmp/disk" $((9 * 1048576 + 3)) EXTLINUX
}
mkdir -p "$tmp/stick/boot/syslinux"
echo loader >"$tmp/stick/boot/syslinux/ldlinux.sys"
printf '%s\n' "kernel ${run#"$tmp/stick"}/kernel" "append initrd=${run#"$tmp/stick"}/initrd.cgz" >"$tmp/stick/boot/syslinux/extlinux.conf"
both
medium check,apply
like "a stick may be started by both" "$result $(cat "$tmp/work/recovery.medium/medium.txt")" '^boots     BIOS, UEFI$'
like "and has the loader of BIOS" "$(cat "$tmp/work/recovery.medium/MANIFEST")" '^[0-9a-f]{64}  /boot/syslinux/ldlinux.sys$'
with kernel "$tmp/loader"
medium check,apply
like "what UEFI starts is not the run's: by BIOS alone" "$result $(cat "$tmp/work/recovery.medium/medium.txt")" '^boots     BIOS$'
like "which is told" "$out" "can't be booted by UEFI: /EFI/BOOT/kernel of its EFI system partition is not /rear/"
with kernel "$run/kernel"
sed -i 's/append/# append/; s/initrd=.*//' "$tmp/stick/boot/syslinux/extlinux.conf"
both
medium check
like "boot code that leads nowhere is refused, whatever UEFI does" "$result $message" \
	"^.*can't be booted: /boot/syslinux/extlinux.conf does not lead to /rear/$host/20261201.0400/initrd.cgz$"
rm -r "$tmp/stick/boot"

made gpt U 12 1
medium check
is "and with 12" "$result" changed
[ "$result" = changed ] || sed 's/^/# /' <<<"$out"
dd if=/dev/zero of="$tmp/disk" bs=512 seek=2049 count=4 conv=notrunc status=none
refused '.* is no program for UEFI on x86-64, or cut off' "one whose table is gone"
end
