#!/bin/bash
# SPDX-License-Identifier: MIT
# A new kernel that does not come up, on a machine: firmware, GRUB in the disk's first sectors, Linux.  The machine is
# qemu's; the steps are taken in the root on its disk, before it is switched on.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/plugins/kernel-root.sh"
. "$PD_SRCDIR/tests/plugins/machine.sh"
debian_kernel
for program in grub-mkimage sfdisk; do
	command -v $program >/dev/null || skip "$program is not installed"
done
modules=/usr/lib/grub/i386-pc
[ -e $modules/boot.img ] || skip "GRUB for the BIOS is not installed (grub-pc-bin)"
first=$((1 << 20))
kernel_root 160M $first

# GRUB itself, as grub-install would place it
printf 'start=%d, type=83, bootable\n' $((first / 512)) | sfdisk -q "$tmp/disk" >"$tmp/log" 2>&1 &&
	grub-mkimage -O i386-pc -d $modules -o "$tmp/core.img" -p '(hd0,msdos1)/boot/grub' biosdisk part_msdos ext2 &&
	dd if=$modules/boot.img of="$tmp/disk" bs=1 count=440 conv=notrunc 2>/dev/null &&
	dd if="$tmp/core.img" of="$tmp/disk" bs=512 seek=1 conv=notrunc 2>/dev/null || { sed 's/^/# /' "$tmp/log"; exit 99; }
[ "$(stat -c %s "$tmp/core.img")" -lt $((first - 512)) ] && cp -r $modules "$root/boot/grub/" || exit 99

# initrd MESSAGE END: of a kernel that says so and then ends
initrd()
{
	rm -rf "$tmp/initrd" && mkdir -p "$tmp/initrd/bin" "$tmp/initrd/proc" && cp "$(command -v busybox)" "$tmp/initrd/bin/"
	printf '#!/bin/busybox sh\nbusybox mount -t proc proc /proc\necho "%s $(busybox sed "s,.*BOOT_IMAGE=/boot/vmlinuz-\\([^ ]*\\).*,\\1,g" /proc/cmdline)"\n%s\n' \
		"$1" "$2" >"$tmp/initrd/init" && chmod 755 "$tmp/initrd/init"
	(cd "$tmp/initrd" && find . | cpio -o -H newc --quiet | gzip -1)
}
up() { initrd UP 'busybox poweroff -f'; }
# its first process ends: the kernel panics, which is a reset after a second
dead() { initrd DEAD 'exit 1'; }

# on: switch the machine on until it switches itself off, or waits for somebody; the kernels it booted, in turn
on()
{
	detach
	: >"$tmp/console"
	timeout 900 qemu-system-x86_64 "${accelerator[@]}" -m 192 -display none -serial "file:$tmp/console" -monitor none -net none \
		-drive file="$tmp/disk",format=raw,if=virtio </dev/null >"$tmp/log" 2>&1 &
	machine=$!
	while kill -0 $machine 2>/dev/null; do
		! grep -q 'Press any key' "$tmp/console" || kill $machine
		sleep 0.2
	done
	machine=''
	attach
	tr -d '\r' <"$tmp/console" | sed -n 's/^.*\(UP\|DEAD\) \(\S*\)$/\1 \2/p; s/^.*Press any key.*/STUCK/p' | xargs
}

dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp" --wildcards './boot/vmlinuz-*' && mv "$tmp"/boot/vmlinuz-* "$root/boot/vmlinuz-$old" || exit 99
# GRUB would move it from its first MiB to its 17th, byte by byte, which takes as long as all of Linux's boot here: it goes
# there by itself
printf '\0\0\x10\0' | dd of="$root/boot/vmlinuz-$old" bs=1 seek=$((0x258)) conv=notrunc 2>/dev/null
accelerator "$root/boot/vmlinuz-$old"
printf '%s\n' "GRUB_CMDLINE_LINUX='console=ttyS0 quiet panic=1 $fast'" GRUB_TERMINAL_OUTPUT=serial >>"$root/etc/default/grub"
up >"$root/boot/initrd.img-$old"
inside grub-mkconfig -o /boot/grub/grub.cfg >"$tmp/log" 2>&1
is "the machine boots the only kernel" "$(on)" "UP $old"

step keep check,apply,verify
is "it is kept" "$result" unchanged
ln "$root/boot/vmlinuz-$old" "$root/boot/vmlinuz-$new" && dead >"$root/boot/initrd.img-$new"
inside grub-mkconfig -o /boot/grub/grub.cfg >"$tmp/log" 2>&1
is "a new one is installed, and the first of the menu" "$(sed -n 's,^\s*linux\s*/boot/vmlinuz-\(\S*\).*,\1,p' "$root/boot/grub/grub.cfg" | head -n 1)" "$new"
is "the machine boots the old one none the less" "$(on)" "UP $old"

step once check,apply,verify
is "the next boot is to be of the new one" "$result" unchanged
is "that does not come up, and the machine is back with the old one by itself" "$(on)" "DEAD $new UP $old"
is "GRUB has taken the one boot back on the disk" "$(environment)" "saved_entry=$(id "$old")"
step running check,apply release="$new"
like "which is told at once" "$result $message" "failed.*the server runs the kernel $old, not $new"

# a kernel that is no kernel: GRUB can't even start it
rm "$root/boot/vmlinuz-$new" && echo garbage >"$root/boot/vmlinuz-$new"
step once check,apply
is "once more, with an image that is none" "$result" changed
is "GRUB waits for somebody" "$(on)" STUCK
is "who resets the machine, and it has the old one" "$(on)" "UP $old"

# one that comes up
ln -f "$root/boot/vmlinuz-$old" "$root/boot/vmlinuz-$new" && up >"$root/boot/initrd.img-$new"
step once check,apply
is "one that comes up is booted" "$result $(on)" "changed UP $new"
is "and not again before it is confirmed" "$(on)" "UP $old"
end
