#!/bin/bash
# SPDX-License-Identifier: MIT
# A new kernel at boots by EFI: firmware (OVMF), systemd-boot, Linux.  All of it happens in a machine, tests/plugins/machine.sh,
# which is booted five times; each boot takes the steps that are its turn. Both kernels are the same image; the old one
# calls itself by an older name, as Linux does for programs that ask for that (UNAME26).
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/plugins/machine.sh" || exit 99
machine=0123456789abcdef0123456789abcdef
efi=/usr/lib/systemd/boot/efi/systemd-bootx64.efi firmware=/usr/share/OVMF

# entry RELEASE [OPTION]: for the loader
entry()
{
	printf '%s\n' "title Linux $1" "version $1" "machine-id $machine" "sort-key linux" "linux /vmlinuz" "initrd /initrd" \
		"options console=ttyS0 quiet panic=1 $fast ${2-}"
}

if outside; then
	for program in mkfs.vfat mcopy mmd sfdisk setarch; do
		command -v $program >/dev/null || skip "$program is not installed"
	done
	[ -e $efi ] || skip "systemd-boot is not installed (systemd-boot-efi)"
	[ -e $firmware/OVMF_CODE_4M.fd ] || skip "the firmware is not installed (ovmf)"
	programs=(bootctl setarch mkfs.ext4 cat grep ln mkdir sed sleep sync tail tr umount uname wc)
	files=("$PD_BUILDDIR/plugins/kernel/.libs/kernel.so" /etc/mke2fs.conf)
	modules=(efivarfs vfat nls_cp437 nls_ascii nls_utf8) disks=(200M 16M)
	machine_files
	first=$((1 << 20))
	new=$(echo "$tmp"/boot/vmlinuz-*) new=${new##*/vmlinuz-}
	old=2.6.$((60 + $(cut -d. -f2 <<<"$new")))-${new#*-}
	entry "$old" PD_OLD=yes >"$tmp/old.conf"
	echo timeout 0 >"$tmp/loader.conf"
	printf 'label: gpt\nstart=%d, type=uefi\n' $((first / 512)) | sfdisk -q "$tmp/vda" >"$tmp/log" 2>&1 &&
		mkfs.vfat -F 32 --offset $((first / 512)) "$tmp/vda" $((198 * 1024)) >>"$tmp/log" 2>&1 &&
		mmd -i "$tmp/vda@@$first" ::/EFI ::/EFI/BOOT ::/loader ::/loader/entries &&
		mcopy -i "$tmp/vda@@$first" $efi ::/EFI/BOOT/BOOTX64.EFI &&
		mcopy -i "$tmp/vda@@$first" "$tmp"/boot/vmlinuz-* ::/vmlinuz &&
		mcopy -i "$tmp/vda@@$first" "$tmp/initrd" ::/ && mcopy -i "$tmp/vda@@$first" "$tmp/loader.conf" ::/loader/ &&
		mcopy -i "$tmp/vda@@$first" "$tmp/old.conf" "::/loader/entries/$machine-$old.conf" &&
		cp $firmware/OVMF_VARS_4M.fd "$tmp/variables" || { sed 's/^/# /' "$tmp/log"; exit 99; }
	machine_on 512M -drive if=pflash,format=raw,readonly=on,file=$firmware/OVMF_CODE_4M.fd -drive "if=pflash,format=raw,file=$tmp/variables"
fi

new=$(uname -r) old=$(setarch --uname-2.6 uname -r)
as=() now=$new
[ -z "${PD_OLD-}" ] || as=(setarch --uname-2.6) now=$old
mkdir -p /efi /dev/block && ln -s ../vda1 "/dev/block/$(cat /sys/class/block/vda1/dev)"
mount -t efivarfs variables /sys/firmware/efi/efivars && mount /dev/vda1 /efi || echo "# no EFI"
mount /dev/vdb /mnt 2>/dev/null || { mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt; }
mkdir -p /mnt/plugins && cat "$PD_BUILDDIR/plugins/kernel/.libs/kernel.so" >/mnt/plugins/kernel.so
echo "$now" >>/mnt/boots
[ ! -e /mnt/cases ] || read -r tap_cases tap_failures </mnt/cases

step()
{
	out=$("${as[@]}" "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir /mnt/plugins --work /mnt/work "kernel.$1" "${@:2}" 2>&1)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	release=$(sed -n 's/.*"name":"release","value":"\([^"]*\)".*/\1/p' <<<"$out" | tail -n 1)
}
# what the loader has of it
variable() { cat "/sys/firmware/efi/efivars/$1-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f" 2>/dev/null | tail -c +5 | tr -d '\0'; }
# COMMAND...: and the machine is switched on once more
again() { echo "$tap_cases $tap_failures" >/mnt/cases; umount /efi; sync; "$@"; sleep 600; }
panic() { echo c >/proc/sysrq-trigger; }

case $(wc -l </mnt/boots) in
1)
	like "the facts: systemd-boot has booted the only kernel" "$("${as[@]}" "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir /mnt/plugins scan kernel 2>&1)" \
		'"loader": ?"systemd-boot".*"no_fallback": ?""'
	step keep check,apply,verify
	is "it is kept" "$result $(variable LoaderEntryDefault)" "unchanged $machine-$old.conf"
	step once check
	is "and nothing is new" "$result $release" "unchanged $old"
	entry "$new" >"/efi/loader/entries/$machine-$new.conf"
	step once check,apply,verify
	is "a new one is installed, which the next boot is to be of" "$result $release $(variable LoaderEntryOneShot)" "unchanged $new $machine-$new.conf"
	[ "$result $release" = "unchanged $new" ] || sed 's/^/# /' <<<"$out"
	again busybox reboot -f
	;;
2)
	is "it is booted" "$now" "$new"
	again panic
	;;
3)
	is "it has panicked, and the machine is back with the old one by itself" "$now [$(variable LoaderEntryOneShot)]" "$old []"
	step running check,apply release="$new"
	like "which is told at once" "$result $out" "failed.*the server runs the kernel $old, not $new"
	step once check,apply
	is "once more" "$result $release" "changed $new"
	again busybox reboot -f
	;;
4)
	step running check,apply release="$new"
	is "it comes up" "$now $result" "$new unchanged"
	is "but the default is the old one" "$(variable LoaderEntryDefault)" "$machine-$old.conf"
	step confirm check,apply release="$new" before="$machine-$old.conf"
	is "until it is confirmed" "$result $(variable LoaderEntryDefault)" "changed $machine-$new.conf"
	again busybox reboot -f
	;;
*)
	is "it is booted from then on" "$(cat /mnt/boots)" "$(printf '%s\n' "$old" "$new" "$old" "$new" "$new")"
	end
	;;
esac
