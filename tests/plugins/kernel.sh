#!/bin/bash
# SPDX-License-Identifier: MIT
# The steps of the plugin kernel with GRUB's own programs, in a root on a disk of its own (a
# loop device); GRUB itself, as the program grub-emu, says what a boot would be. And with
# bootctl, on variables of EFI that are files.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "loop devices need root"
for program in losetup mkfs.ext4 grub-mkconfig grub-reboot grub-editenv grub-emu mke2fs debugfs chroot dpkg-deb apt-get jq bootctl; do
	command -v $program >/dev/null || skip "$program is not installed"
done
if [ -z "${PD_MOUNTS-}" ]; then
	unshare --mount --propagation private true 2>/dev/null || skip "there can be no mounts of its own here"
	PD_MOUNTS=own exec unshare --mount --propagation private bash "$0"
fi
tmp=$(mktemp -d)
loop='' device=''
trap 'cd /; umount -l "$tmp/root" 2>/dev/null; rm -f "$device"; losetup -d "$loop" 2>/dev/null; umount -l "$tmp"; rmdir "$tmp"' EXIT
mount -t tmpfs none "$tmp" 2>/dev/null || skip "nothing can be mounted here"
root=$tmp/root
mkdir "$root" "$tmp/plugins"
truncate -s 64M "$tmp/disk"
mkfs.ext4 -q "$tmp/disk" || exit 99
loop=$(losetup -f --show "$tmp/disk" 2>"$tmp/errors") || skip "there can be no loop devices here: $(cat "$tmp/errors")"
# GRUB's programs pass over what has the name of a loop device
device=/dev/patchday-$$
mknod "$device" b 7 "${loop#/dev/loop}" && mount "$device" "$root" || exit 99
cp "$PD_BUILDDIR/plugins/kernel/.libs/kernel.so" "$tmp/plugins/"
mkdir -p "$root"/{usr,proc,dev,sys,tmp,run,boot/grub,etc/apt/apt.conf.d,etc/default,var/lib/dpkg/{info,updates},var/lib/apt/lists/partial,var/cache/apt/archives/partial,var/log/apt,"$tmp","$PD_BUILDDIR","$PD_SRCDIR"}
for link in bin sbin lib lib64; do [ ! -L /$link ] || cp -P /$link "$root/"; done
for folder in /usr /proc /dev /sys "$tmp" "$PD_SRCDIR" "$PD_BUILDDIR"; do mount --bind "$folder" "$root$folder"; done
echo 'root=/dev/none ro' >"$tmp/cmdline" && mount --bind "$tmp/cmdline" "$root/proc/cmdline"
cp -r /etc/grub.d "$root/etc/" && cp /etc/passwd /etc/group "$root/etc/"
printf 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\nGRUB_DISTRIBUTOR=Test\nGRUB_DISABLE_OS_PROBER=true\n' >"$root/etc/default/grub"
mkdir "$root/etc/default/grub.d"
inside() { chroot "$root" "$@"; }
old=$(uname -r) new=9999.1.0-test
kernel() { echo image >"$root/boot/vmlinuz-$1"; echo initrd >"$root/boot/initrd.img-$1"; inside grub-mkconfig -o /boot/grub/grub.cfg >"$tmp/mkconfig" 2>&1; }
kernel "$old"
inside grub-editenv /boot/grub/grubenv create
grep -q '^menuentry' "$root/boot/grub/grub.cfg" || { sed 's/^/# /' "$tmp/mkconfig"; is "GRUB's own programs make a menu" no yes; end; }

work=$tmp/work
# step STEP PHASES [NAME=VALUE]...: sets $result, $message
step()
{
	out=$(inside "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$work" "kernel.$1" "${@:2}" 2>&1 </dev/null)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	message=$(grep '^{' <<<"$out" | jq -r '.message // .text // empty' 2>/dev/null)
}
output() { grep '^{' <<<"$out" | jq -r --arg n "$1" 'select(.event == "output" and .name == $n) | .value' | tail -n 1; }
environment() { inside grub-editenv /boot/grub/grubenv list | grep -v '^#\|=$' | sort | xargs; }
ours() { find "$root/etc" -name '*patchday*' -printf '%f\n' | sort | xargs; }
state() { environment; ours; grep -v '^#' "$root/boot/grub/grub.cfg" | sha256sum; }
entry() { sed -n "s/.*'\(gnulinux-$1-advanced-[^']*\)'.*/\1/p" "$root/boot/grub/grub.cfg"; }
sub() { sed -n "s/^submenu.*'\(gnulinux-advanced-[^']*\)'.*/\1/p" "$root/boot/grub/grub.cfg"; }
id() { echo "$(sub)>$(entry "$1")"; }
# boot: what GRUB boots now.  It is GRUB that reads its menu and its environment block, and writes that;
# only the command that would load a kernel is replaced by one that names it.
boot()
{
	rm -rf "$tmp/emu" "$tmp/emu.disk" && mkdir -p "$tmp/emu/boot/grub" && cp "$root/boot/grub/grubenv" "$tmp/emu/boot/grub/"
	{
		echo 'function linux { echo "BOOT $1"; halt; }'
		sed 's/^terminal_output.*//' "$root/boot/grub/grub.cfg"
	} >"$tmp/emu/boot/grub/grub.cfg"
	mke2fs -q -t ext4 -d "$tmp/emu" "$tmp/emu.disk" 8M 2>/dev/null >&2 && echo "(hd0) $tmp/emu.disk" >"$tmp/map"
	TERM=dumb timeout 60 grub-emu -m "$tmp/map" -r hd0 -d /boot/grub </dev/null 2>&1 | tr -d '\r\033' | sed -n 's,.*BOOT /boot/vmlinuz-,,p'
	debugfs -R "dump /boot/grub/grubenv $tmp/grubenv" "$tmp/emu.disk" 2>/dev/null && cp "$tmp/grubenv" "$root/boot/grub/grubenv"
}
first() { sed -n 's,^\s*linux\s*/boot/vmlinuz-\(\S*\).*,\1,p' "$root/boot/grub/grub.cfg" | head -n 1; }
before=$(state)

# ---- keep
step keep check
is "keep: there is something to do" "$result" changed
is "and check does nothing" "$(state)" "$before"
like "it advises to reboot after a panic" "$message" 'panic=30'
step once check
is "nothing new: nothing to boot once" "$result $(output release)" "unchanged $old"
is "GRUB boots the only one" "$(boot)" "$old"
inside grub-editenv /boot/grub/grubenv set next_entry=theirs
step keep check,apply,verify
is "kept and verified" "$result" unchanged
[ "$result" = unchanged ] || echo "# $message"
is "the default is the entry of the running kernel, that lasts" "$(environment)" "saved_entry=$(id "$old")"
is "GRUB boots what is saved" "$(grep -c 'set default="${saved_entry}"' "$root/boot/grub/grub.cfg")" 1
is "two files say so" "$(ours)" "zz-patchday-kernel zz-patchday.cfg"
is "outputs" "$(output release) $(output entry) [$(output before)]" "$old $(id "$old") []"
like "evidence" "$(cat "$work/kernel.keep/loader-before.txt")" "next boot     theirs"
now=$(state)
step keep apply
is "a second apply has nothing to do" "$result $(state)" "unchanged $now"
inside grub-set-default 0
step keep verify
like "verify notices another default" "$result $message" "failed.*the default of grub is '0', not the entry of $old"
step keep apply
is "and apply sets it again" "$result $(state)" "changed $now"

# ---- the package: real ones, of which apt would remove the old kernel's
package() { mkdir -p "$tmp/p/DEBIAN"; printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n' "$1" >"$tmp/p/DEBIAN/control"; dpkg-deb -b "$tmp/p" "$tmp/$1.deb" >/dev/null && inside dpkg -i "$tmp/$1.deb" >"$tmp/dpkg" 2>&1; }
touch "$root/var/lib/dpkg/status"
package "linux-image-$old"; package "linux-image-8888-test"
inside apt-mark auto "linux-image-$old" linux-image-8888-test >"$tmp/mark" 2>&1
echo 'APT::Get::HideAutoRemove "no"; APT::NeverAutoRemove::KernelCount "0";' >"$root/etc/apt/apt.conf.d/00test"
removed() { inside apt-get -s autoremove 2>"$tmp/apt" | sed -n 's/^Remv \(\S*\).*/\1/p' | xargs; }
mv "$root/etc/apt/apt.conf.d/zz-patchday-kernel" "$tmp/"
like "without it apt would remove the old kernel" "$(removed)" "linux-image-$old"
mv "$tmp/zz-patchday-kernel" "$root/etc/apt/apt.conf.d/"
is "with it it stays, and others go" "$(removed)" linux-image-8888-test

# ---- once
kernel "$new"
is "the new kernel is installed, and is the first of the menu" "$(first)" "$new"
is "the default is still the old one" "$(environment) $(boot)" "saved_entry=$(id "$old") $old"
mv "$root/boot/initrd.img-$new" "$tmp/"
step once check
like "a kernel whose initrd is missing is refused" "$result $message" "refused.*has no initrd in /boot"
mv "$tmp/initrd.img-$new" "$root/boot/"
step once check release=7777.1.0
like "and one that is not there" "$result $message" 'refused.*has no entry that means the kernel 7777.1.0'
step once check,apply,verify
is "once: set and verified" "$result" unchanged
is "the next boot is of the new one, all others of the old" "$(environment)" "next_entry=$(id "$new") saved_entry=$(id "$old")"
is "outputs" "$(output release)" "$new"
now=$(state)
step once apply
is "a second apply has nothing to do" "$result $(state)" "unchanged $now"
step once undo
is "undo: the next boot is as always" "$result $(environment)" "changed saved_entry=$(id "$old")"
step once undo
is "undo again has nothing to do" "$result" unchanged
step once verify
like "verify notices that it is gone" "$result $message" 'failed.*the next boot is not of the new kernel'
inside grub-set-default "$(id "$new")"
work=$tmp/other
step once check,apply
like "without the old one as the default nothing would fall back" "$result $message" 'refused.*without kernel.keep before it'
work=$tmp/work
inside grub-set-default "$(id "$old")"

# ---- it does not come up: GRUB has taken back the one boot, and boots the old one
step once check,apply
is "GRUB boots the new one" "$(boot)" "$new"
is "once: whatever becomes of it, the boot after that is of the old one" "$(boot) $(boot)" "$old $old"
step confirm check,apply release="$new"
like "fallen back: confirm fails" "$result $message" "failed.*the server runs the kernel $old, not $new: that did not come up"
like "or refused in a dry run" "$(inside "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$tmp/w2" kernel.confirm check 2>&1)" "the server runs the kernel $old, not $new"
now=$(state)
step confirm apply release="$new"
is "and nothing is confirmed" "$result $(state)" "failed $now"
step once undo
step keep undo
is "undone" "$result" changed
is "and a boot is of the first of the menu again" "$(inside grub-editenv /boot/grub/grubenv unset next_entry; boot)" "$new"
inside grub-editenv /boot/grub/grubenv set next_entry=theirs
rm "$root/boot"/*"$new"; inside grub-mkconfig -o /boot/grub/grub.cfg >/dev/null 2>&1
is "all is as before, with the boot that was asked for" "$(state)" "next_entry=theirs
${before#*$'\n'}"
step keep undo
is "undo again has nothing to do" "$result" unchanged
inside grub-editenv /boot/grub/grubenv unset next_entry

# ---- it came up, and is good: what runs is the first of the menu
work=$tmp/good
rm "$root/boot"/*-"$old"
kernel 1.0.0-test # the old one, by its name
step keep check
like "the entry of the running kernel is missing" "$result $message" "refused.*no entry that means the kernel $old"
kernel "$old"
inside grub-editenv /boot/grub/grubenv set "saved_entry=$(id 1.0.0-test)"
printf 'GRUB_DEFAULT=saved\n' >"$root/etc/default/grub.d/zz-patchday.cfg"
# as keep has left it
printf '// x\n// kernel: 1.0.0-test\n' >"$root/etc/apt/apt.conf.d/zz-patchday-kernel"
inside grub-mkconfig -o /boot/grub/grub.cfg >/dev/null 2>&1
kept=$(state)
step confirm check release="$old"
is "confirm: there is something to do" "$result $(state)" "changed $kept"
step confirm check,apply release="$old" before=
is "confirmed" "$result" changed
[ "$result" = changed ] || echo "# $message"
is "none is set where there was none, and nothing of ours is left" "$(environment)$(ours)" ""
is "GRUB boots its first entry, which is the new one" "$(grep -c 'set default="0"' "$root/boot/grub/grub.cfg") $(first)" "1 $old"
is "whenever it is asked" "$(boot) $(boot)" "$old $old"
now=$(state)
step confirm check,apply release="$old" before=
is "a second one has nothing to do" "$result $(state)" "unchanged $now"
step confirm undo release="$old" before=
is "undo: the old one is the default again" "$result $(environment)" "changed saved_entry=$(id 1.0.0-test)"
is "and kept" "$(grep -c 'set default="${saved_entry}"' "$root/boot/grub/grub.cfg") $(ours)" "1 zz-patchday-kernel zz-patchday.cfg"
like "its package, too" "$(cat "$root/etc/apt/apt.conf.d/zz-patchday-kernel")" '"\^linux-image-\(unsigned-\)\?1\\.0\\.0-test'
is "GRUB boots the old one" "$(boot)" 1.0.0-test
step confirm undo release="$old" before=
is "undo again has nothing to do" "$result" unchanged
# where a default was set before, the new one is
rm "$root/etc/default/grub.d/zz-patchday.cfg"
sed -i s/GRUB_DEFAULT=0/GRUB_DEFAULT=saved/ "$root/etc/default/grub"; kernel "$old"
work=$tmp/saved
step confirm check,apply release="$old" before="$(id 1.0.0-test)"
is "a default that was set becomes the new one" "$result $(environment)" "changed saved_entry=$(id "$old")"

# ---- what GRUB could not take back while it boots
work=$tmp/refused
rm -r "$root/etc/default/grub.d"; sed -i s/GRUB_DEFAULT=saved/GRUB_DEFAULT=0/ "$root/etc/default/grub"; kernel "$old"
step keep check
like "no folder for settings: refused with what to do" "$result $message" 'refused.*write GRUB_DEFAULT=saved to /etc/default/grub'
mkdir "$root/etc/default/grub.d"
mv "$root/boot/grub/grubenv" "$tmp/"
step keep check
like "without an environment block" "$result $message" 'refused.*there is no /boot/grub/grubenv'
is "none is made by check" "$(ls "$root/boot/grub")" grub.cfg
printf 'insmod blscfg\nblscfg\n' >"$root/boot/grub/grub.cfg"
step keep check
like "entries that are files" "$result $message" 'refused.*blscfg'
rm "$root/boot/grub/grub.cfg"
step keep check
like "no loader" "$result $message" 'refused.*neither GRUB .* nor systemd-boot'
if grep -qw btrfs /proc/filesystems && command -v mkfs.btrfs >/dev/null; then
	truncate -s 200M "$tmp/btrfs" && mkfs.btrfs -q "$tmp/btrfs" >/dev/null 2>&1
	mount -o loop "$tmp/btrfs" "$root/boot" && mkdir "$root/boot/grub" && touch "$root/boot/grub/grub.cfg"
	step keep check
	like "on btrfs a single boot would be every boot" "$result $message" "refused.*GRUB can't write .* it is on btrfs"
	umount "$root/boot"
else
	echo "# SKIPPED: /boot on btrfs, which this kernel or machine does not have"
fi

# ---- systemd-boot: bootctl itself, and variables that are files
work=$tmp/sdboot
vendor=4a67b082-0a4c-41cf-b6c7-440b29bb8c4f variables=$root/sys/firmware/efi/efivars
mount -t tmpfs none "$root/sys/firmware" && mkdir -p "$variables"
# variable NAME TEXT...: in UTF-16, each with a NUL behind it
variable() { local name=$1; shift; perl -e 'print "\6\0\0\0"; print map { "$_\0" } split //, join("", map { "$_\0" } @ARGV)' "$@" >"$variables/$name-$vendor"; }
value() { perl -0777 -ne 'print join "", map { substr($_, 0, 1) } unpack("x4 (a2)*", $_)' "$variables/$1-$vendor" 2>/dev/null | tr -d '\0'; }
machine=0123456789abcdef0123456789abcdef
variable LoaderInfo "systemd-boot 252"
variable LoaderEntrySelected "$machine-$old.conf"
variable LoaderEntries "$machine-$new.conf" "$machine-$old.conf" "auto-reboot-to-firmware-setup"
variable LoaderFeatures x
step keep check,apply,verify
is "systemd-boot: kept" "$result $(value LoaderEntryDefault)" "unchanged $machine-$old.conf"
[ "$result" = unchanged ] || echo "# $message"
touch "$root/boot/initrd.img-$new"
step once check,apply,verify
is "the next boot is of the new one" "$result $(value LoaderEntryOneShot)" "unchanged $machine-$new.conf"
[ "$result" = unchanged ] || echo "# $message"
step confirm check,apply release="$new"
like "not confirmed on the old one" "$result $message" "failed.*runs the kernel $old, not $new"
step once undo
is "undo: none any more" "$result [$(value LoaderEntryOneShot)]" "changed []"
step confirm check,apply,verify release="$old" before=
is "confirmed: no default is set where there was none" "$result [$(value LoaderEntryDefault)]" "unchanged []"
step confirm undo release="$old" before=
is "taken back" "$result $(value LoaderEntryDefault)" "changed $machine-$old.conf"
step keep undo
is "and given back" "$result [$(value LoaderEntryDefault)] $(ours)" "changed [] "
end
