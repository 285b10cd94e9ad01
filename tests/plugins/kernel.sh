#!/bin/bash
# SPDX-License-Identifier: MIT
# The steps of the plugin kernel with GRUB's own programs, in a root on a disk of its own (a
# loop device); GRUB itself, as the program grub-emu, says what a boot would be. And with
# bootctl, on variables of EFI that are files.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/plugins/kernel-root.sh"
for program in grub-emu mke2fs debugfs dpkg-deb apt-get bootctl; do
	command -v $program >/dev/null || skip "$program is not installed"
done
kernel_root 64M 0
kernel() { echo image >"$root/boot/vmlinuz-$1"; echo initrd >"$root/boot/initrd.img-$1"; inside grub-mkconfig -o /boot/grub/grub.cfg >"$tmp/mkconfig" 2>&1; }
kernel "$old"
grep -q '^menuentry' "$root/boot/grub/grub.cfg" || { sed 's/^/# /' "$tmp/mkconfig"; is "GRUB's own programs make a menu" no yes; end; }

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
step running check,apply release="$new"
like "which running tells before anything else is done" "$result $message" "failed.*the server runs the kernel $old, not $new: that did not come up"
step running check release="$new"
like "a dry run knows nothing of it" "$result $message" "unchanged.*whether the kernel $new comes up is not known"
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
step running check,apply release="$old"
is "running: it came up" "$result" unchanged
work=$tmp/further
step once check,apply,verify release="$old"
is "before a further reboot, that is of the new one, too" "$result $(environment)" "unchanged next_entry=$(id "$old") saved_entry=$(id 1.0.0-test)"
is "GRUB boots the new one, and then the old" "$(boot) $(boot)" "$old 1.0.0-test"
step once apply release="$old"
step once undo
is "undo: the old one" "$result $(environment)" "changed saved_entry=$(id 1.0.0-test)"
inside grub-editenv /boot/grub/grubenv set "next_entry=$(id "$old")" # a reboot that was not due
kept=$(state)
work=$tmp/good
step confirm check release="$old"
is "confirm: there is something to do" "$result $(state)" "changed $kept"
step confirm check,apply release="$old" before=
is "confirmed" "$result" changed
[ "$result" = changed ] || echo "# $message"
is "none is set where there was none, and nothing of ours is left" "$(environment)$(ours)" ""
is "GRUB boots its first entry, which is the new one" "$(grep -c 'set default="0"' "$root/boot/grub/grub.cfg") $(first)" "1 $old"
is "whenever it is asked" "$(boot) $(boot)" "$old $old"
step confirm verify release="$old" before=
is "which is verified" "$result" unchanged
environment=$(cat "$root/boot/grub/grubenv")
inside grub-editenv /boot/grub/grubenv set saved_entry=theirs
step confirm verify release="$old" before=
like "somebody else's default is seen" "$result $message" "failed.*something else has set another one"
printf '%s' "$environment" >"$root/boot/grub/grubenv"
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

# ---- the facts, from which a plan is made
# facts: what is known of the loader
facts() { inside "$PD_BUILDDIR/patchday" facts --json --state "$tmp/state" --plugin-dir "$tmp/plugins" 2>"$tmp/errors" | jq -r '"\(.boot.loader) [\(.boot.no_fallback)]"'; }
is "the facts say which loader it is, and nothing against it" "$(facts)" "grub []"
[ ! -s "$tmp/errors" ] || sed 's/^/# /' "$tmp/errors"

# ---- what GRUB could not take back while it boots
work=$tmp/refused
rm -r "$root/etc/default/grub.d"; sed -i s/GRUB_DEFAULT=saved/GRUB_DEFAULT=0/ "$root/etc/default/grub"; kernel "$old"
step keep check
like "no folder for settings: refused with what to do" "$result $message" 'refused.*write GRUB_DEFAULT=saved to /etc/default/grub'
like "the facts say so" "$(facts)" 'grub \[GRUB boots the first entry of its menu.*write GRUB_DEFAULT=saved to /etc/default/grub'
mkdir "$root/etc/default/grub.d"
mv "$root/boot/grub/grubenv" "$tmp/grubenv.kept"
step keep check
like "without an environment block" "$result $message" 'refused.*there is no /boot/grub/grubenv'
is "none is made by check" "$(ls "$root/boot/grub")" grub.cfg
printf 'insmod blscfg\nblscfg\n' >"$root/boot/grub/grub.cfg"
step keep check
like "entries that are files" "$result $message" 'refused.*blscfg'
rm "$root/boot/grub/grub.cfg"
step keep check
like "no loader" "$result $message" 'refused.*neither GRUB .* nor systemd-boot'
like "nor is there one in the facts" "$(facts)" '^ \[there is neither GRUB .* nor systemd-boot here'
mount -t tmpfs none "$root/run" && mkdir -p "$root/run/systemd" && echo systemd-nspawn >"$root/run/systemd/container"
like "a container boots none" "$(facts)" '^ \[this is a container: it has no boot of its own'
echo patchday >"$root/run/systemd/container"
printf "menuentry 'x' \$menuentry_id_option 'gnulinux-$old-advanced-x' {\n\tlinux /boot/vmlinuz-$old\n}\n" >"$root/boot/grub/grub.cfg"
mv "$tmp/grubenv.kept" "$root/boot/grub/grubenv"
is "a clone is as the server" "$(facts)" "grub []"
now=$(state)
step keep check,apply
is "whose GRUB is left alone" "$result $(state)" "unchanged $now"
like "and that is told" "$message" "a clone boots no kernel: the boot loader is left alone"
step running check,apply release=x
is "and no kernel has to come up in it" "$result" unchanged
umount "$root/run"
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
