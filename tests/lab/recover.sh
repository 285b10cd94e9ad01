#!/bin/bash
# SPDX-License-Identifier: MIT
# By hand, for it takes long: does `rear recover` bring a server back?  A machine of qemu's is backed up with an archive that is
# encrypted, by recovery.backup on an image, or by recovery.stick on a stick that was empty; another one with an empty disk is
# booted from that, recovers by itself, and then boots from its disk.
#
#   tests/lab/recover.sh [-m image|stick] [FOLDER]     one of them (both); work in FOLDER, and keep what is there
# shellcheck disable=SC2054,SC2317
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "it needs root"
for program in qemu-system-x86_64 mmdebstrap grub-mkimage sfdisk mkfs.ext4 debugfs; do
	command -v $program >/dev/null || skip "$program is not installed"
done
media='image stick'
[ "${1-}" != -m ] || { media=$2; shift 2; }
work=${1-$(mktemp -d)}
machine=''
trap '[ -z "$machine" ] || kill $machine; [ -n "${1-}" ] || rm -rf "$work"' EXIT
mkdir -p "$work" && cd "$work" || exit 99
words='correct horse'

# ---- a server: Debian with a kernel, GRUB and rear
packages=systemd-sysv,udev,linux-image-cloud-amd64,initramfs-tools,grub-pc-bin,grub2-common,rear,cpio,file,kmod,less,xorriso,isolinux,syslinux-common
packages+=,parted,gdisk,fdisk,e2fsprogs,dosfstools,openssl,iproute2,iputils-ping,procps,gawk,bc,attr,zstd,extlinux,syslinux
[ -s root.tar ] || mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' --include=$packages bookworm root.tar >mmdebstrap.log 2>&1 ||
	{ tail -n 5 mmdebstrap.log; exit 99; }
rm -rf root && mkdir root && tar -C root -xf root.tar --exclude=./dev/* || exit 99
mkdir -p root/opt/pd/{lib,plugins} root/mnt/media
cp "$PD_BUILDDIR/tests/tools/pd-step" root/opt/pd/ && cp "$PD_BUILDDIR/plugins/recovery/.libs/recovery.so" root/opt/pd/plugins/
ldd "$PD_BUILDDIR/tests/tools/pd-step" "$PD_BUILDDIR/plugins/recovery/.libs/recovery.so" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
	while read -r library; do [ -e "root$library" ] || cp "$library" root/opt/pd/lib/; done
# rear's own look for the libraries of all that it takes along: without an accelerator it is half of the time
rm root/usr/share/rear/build/default/990_verify_rootfs.sh
echo srv >root/etc/hostname
echo 0123456789abcdef0123456789abcdef >root/etc/machine-id
marker=$(head -c 9 /dev/urandom | base64)
echo "$marker" >root/root/marker
echo 'LABEL=ROOT / ext4 defaults 0 1' >root/etc/fstab
printf 'GRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX="console=ttyS0"\n' >root/etc/default/grub
mkdir -p root/boot/grub
cat >root/etc/rear/local.conf <<'END'
BOOTLOADER=GRUB
MODULES=( loaded_modules )
USE_SERIAL_CONSOLE=yes
SERIAL_CONSOLE_DEVICES="/dev/ttyS0"
USE_DHCLIENT=no
USE_RESOLV_CONF=no
REAR_INITRD_COMPRESSION=fast
# a machine without an accelerator is slow at packing
BACKUP_PROG_COMPRESS_OPTIONS=()
BACKUP_PROG_COMPRESS_SUFFIX=
ISO_DEFAULT=automatic
ISO_RECOVER_MODE=unattended
KERNEL_CMDLINE="console=ttyS0 unattended mitigations=off nokaslr no_timer_check net.ifnames=0"
# what a person does otherwise: mount the archive's volume, and give the passphrase
PRE_RECOVERY_SCRIPT=( "mkdir -p /mnt/media; mount LABEL=VAULT /mnt/media; cp /mnt/media/words /tmp/passphrase" )
POST_RECOVERY_SCRIPT=( sync )
END
# the only thing that the first machine does: the step and its parameters are on its command line
cat >root/root/backup <<'END'
#!/bin/bash
exec >/dev/ttyS0 2>&1 </dev/null
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -o remount,rw /; mount -t tmpfs tmp /tmp
hostname srv
/lib/systemd/systemd-udevd --daemon; udevadm trigger; udevadm settle
mount LABEL=VAULT /mnt/media && chmod 755 /mnt/media
step=$(sed 's/.* step=\([^ ]*\).*/\1/; s/,/ /g' /proc/cmdline)
# shellcheck disable=SC2086
LD_LIBRARY_PATH=/opt/pd/lib /opt/pd/pd-step --plugin-dir /opt/pd/plugins --work /var/tmp/work ${step%% *} check,apply,verify \
	${step#* } passphrase="$(cat /mnt/media/words)" percent=20 | grep -v '"event":"progress"'
echo "BACKUP ${PIPESTATUS[0]}"
cp /var/log/rear/rear-srv.log /mnt/media/ 2>/dev/null
umount /mnt/media; sync; echo o >/proc/sysrq-trigger; sleep 60
END
# and the only thing that the recovered one does
cat >root/etc/systemd/system/proof.service <<'END'
[Service]
Type=oneshot
StandardOutput=tty
TTYPath=/dev/ttyS0
ExecStart=/bin/sh -c 'echo; echo "RECOVERED $(cat /root/marker) on $(uname -r)"; findmnt -no SOURCE,FSTYPE /; sync; systemctl poweroff'
[Install]
WantedBy=multi-user.target
END
chmod 755 root/root/backup && mkdir -p root/etc/systemd/system/multi-user.target.wants &&
	ln -sf ../proof.service root/etc/systemd/system/multi-user.target.wants/
cp root/boot/vmlinuz-* kernel && cp root/boot/initrd.img-* initrd

# ---- its disk, and the volume that the backup goes to
size=$((3 << 30)) first=$((1 << 20))
rm -f disk part
truncate -s $((size - first)) part && mkfs.ext4 -q -L ROOT -d root part && truncate -s $size disk
dd if=part of=disk bs=1M seek=1 conv=notrunc,sparse status=none && rm part
printf 'start=%d, type=83, bootable\n' $((first / 512)) | sfdisk -q disk >sfdisk.log 2>&1
grub-mkimage -O i386-pc -d /usr/lib/grub/i386-pc -o core.img -p '(hd0,msdos1)/boot/grub' biosdisk part_msdos ext2
dd if=/usr/lib/grub/i386-pc/boot.img of=disk bs=1 count=440 conv=notrunc status=none
dd if=core.img of=disk bs=512 seek=1 conv=notrunc status=none
mkdir -p vault.d && printf %s "$words" >vault.d/words

# This machine's processor may have an accelerator for guests that doesn't run one: it has to show a kernel's first lines.
accelerator=tcg,thread=multi,tb-size=256
if [ -w /dev/kvm ]; then
	timeout 20 qemu-system-x86_64 -accel kvm -m 512 -display none -monitor none -net none -no-reboot -serial file:kvm.log \
		-kernel kernel -append 'console=ttyS0 panic=-1' </dev/null >kvm.qemu 2>&1
	! grep -qa 'Kernel panic' kvm.log || accelerator=kvm
fi
echo "# accelerator: ${accelerator%%,*}"

# on NAME OPTION...: switch a machine on until it ends, or waits for somebody; its console is NAME.log, and what it is told: tell
on()
{
	local begin=$SECONDS told=''

	: >"$1.log"
	rm -f tell && mkfifo tell && exec 3<>tell
	timeout 7200 qemu-system-x86_64 -accel "$accelerator" -smp 2 -m 1024 -display none -monitor none -net none -no-reboot \
		-chardev stdio,id=console,signal=off -serial chardev:console -device virtio-scsi-pci "${@:2}" <&3 >"$1.log" 2>"$1.qemu" &
	machine=$!
	while kill -0 $machine 2>/dev/null; do
		sleep 1
		# a stick's boot loader starts the disk if nobody says otherwise
		[ -n "$told" ] || ! grep -qa 'Recovery images' "$1.log" || { told=1; sleep 3; printf '\e' >&3; sleep 2; printf 'srv-pd-step\r' >&3; }
		# rear has written all to the disk by then
		! grep -qaE 'Select what to do|Rebooting in 30 seconds' "$1.log" || { sleep 5; kill $machine; wait $machine; } 2>/dev/null
	done
	machine=''
	exec 3>&-
	tr -d '\r' <"$1.log" >"$1.txt"
	echo "# $1: $((SECONDS - begin)) s"
}
# said NAME PATTERN: the lines of a console with that, or its last ones
said() { grep -aE "$2" "$1.txt" || tail -n 20 "$1.txt"; }
disk() { echo "file=$1,format=raw,if=virtio,cache=unsafe"; }
# server NAME STEP OPTION...: the machine that is saved
server()
{
	on "$1" -kernel kernel -initrd initrd -append "root=LABEL=ROOT rw init=/root/backup console=ttyS0 quiet mitigations=off nokaslr no_timer_check net.ifnames=0 step=$2" \
		-drive "$(disk saved)" -drive "$(disk vault)" "${@:3}"
	like "$1: the server is backed up, and that is proved" "$(said "$1" '^BACKUP 0$')" '^BACKUP 0$'
}
# image NAME: on an image, and an archive beside it; sets medium
image()
{
	local iso

	server "$1" recovery.backup,to=/mnt/media
	iso=$(debugfs -R "ls -p /srv/pd-step" vault 2>/dev/null | awk -F/ '/\.iso/ { print $6 }')
	debugfs -R "dump /srv/pd-step/$iso medium.iso" vault 2>/dev/null
	is "$1: there is a medium" "$(head -c 32774 medium.iso 2>/dev/null | tail -c 5)" CD001
	medium=(-cdrom medium.iso -boot d)
}
# stick NAME: all on a stick, which says that it can be taken out
stick()
{
	rm -f stick && truncate -s 2G stick
	medium=(-drive file=stick,format=raw,if=none,id=stick,cache=unsafe -device scsi-hd,drive=stick,removable=on,bootindex=0)
	server "$1" recovery.stick,format=/dev/sda "${medium[@]}"
}

for kind in $media; do
	rm -f saved empty vault
	cp --sparse=always disk saved && truncate -s $size empty && truncate -s 2G vault && mkfs.ext4 -q -L VAULT -d vault.d vault || exit 99
	$kind "$kind-backup"
	on "$kind-recover" -drive "$(disk empty)" -drive "$(disk vault)" "${medium[@]}"
	recovered="Finished 'recover'|Finished recovering your system"
	like "$kind: rear recover comes to its end on an empty disk" "$(said "$kind-recover" "$recovered")" "$recovered"
	on "$kind-proof" -drive "$(disk empty)"
	like "$kind: the disk is booted, and has what there was" "$(said "$kind-proof" ^RECOVERED)" "^RECOVERED $marker on "
done
end
