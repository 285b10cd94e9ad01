#!/bin/bash
# SPDX-License-Identifier: MIT
# The steps recovery.stick and recovery.rescue_stick on a server where rear makes a stick: a loop device of this machine; and
# recovery.medium, which confirms it.
# That such a stick brings a server back is seen in tests/lab/recover.sh.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/recovery-server.sh"
need_lab
[ "$(uname -m)" = x86_64 ] || skip_all "rear's stick boots with extlinux, which is of x86 alone"
[ ! -e /sys/firmware/efi ] || skip_all "this machine was booted by UEFI, and so were the lab's servers"
lab_up srv
tmp=$(mktemp -d)
loop=
trap 'rc=$?; [ -z "$loop" ] || losetup -d "$loop"; rm -rf "$tmp"; (exit $rc); lab_end' EXIT
truncate -s 1G "$tmp/stick"
loop=$(losetup -P -f --show "$tmp/stick" 2>"$tmp/errors") || { loop=; skip_all "there can be no loop devices here: $(cat "$tmp/errors")"; }
push_plugins recovery

stick() { run step "recovery.$1" "$2" label=PDSTICK fixed=true room=100M "${@:3}"; }
# passes TEXT: with what was said if not
passes() { is "$rc" 0 "$1"; [ "$rc" = 0 ] || tail -n 8 <<<"$out" | sed 's/^/#   /'; }
# on COMMAND: in the server, in the stick's root
on() { in_lab unshare --mount sh -c 'mount "$1" /mnt && cd /mnt && eval "$2"' sh "${part:-${loop}p1}" "$1" </dev/null; }
# what is on the stick: names, modes, content; and its boot code, without which it does not boot
all() { on 'find . -mindepth 1 -not -name lost+found -printf "%y %m %p\n" | sort; find . -type f -exec sha256sum {} + | sort -k 2'; code; }
code() { in_lab sh -c "head -c 440 $loop | sha256sum; head -c 1024 ${loop}p1 | sha256sum" </dev/null; }

rear_server udev extlinux
in_lab bash -s "$loop" >"$tmp/install" 2>&1 <<'SERVER' || { echo "Bail out! the server has no kernel"; tail -5 "$tmp/install"; exit 1; }
set -e
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')
cd /tmp && apt-get download -qq "$kernel" && dpkg-deb --fsys-tarfile linux-image-*.deb | tar -x -C / --wildcards './boot/vmlinuz-*'
ln -s /boot/vmlinuz-* /boot/kernel && rm linux-image-*.deb
# what udev does where there are devices
cat >/opt/pd/devices <<'END'
#!/bin/bash
disk=$1 name=${1##*/}
mkdir -p /dev/disk/by-label
while sleep 0.1; do
	for node in "$name" "${name}p1" "${name}p2"; do
		if number=$(cat "/sys/class/block/$node/dev" 2>/dev/null); then
			[ -b "/dev/$node" ] || mknod "/dev/$node" b "${number%:*}" "${number#*:}"
		else
			rm -f "/dev/$node"
		fi
	done
	label=$(blkid -p -o value -s LABEL "${disk}p1" 2>/dev/null)
	if [ -e /run/no-links ] || [ -z "$label" ]; then rm -f /dev/disk/by-label/*; else ln -sf "../../${name}p1" "/dev/disk/by-label/$label"; fi
done
END
chmod 755 /opt/pd/devices
setsid /opt/pd/devices "$1" >/dev/null 2>&1 </dev/null &
SERVER
soon "[ -b $loop ]" || { echo "Bail out! the server has no $loop"; exit 1; }

# ---- what it refuses, before anything is touched
stick stick check
refused "no stick" 'no medium with the label PDSTICK is in this server' 'put the medium PDSTICK in'
run step recovery.stick check label='a b'
like "$out" '"bad-args".*no label for a stick' "a label that would not come through rear's configuration"
run step recovery.stick check label=PDSTICK format="$loop" room=100M
refused "an empty disk that is built in" "$loop is no medium that can be taken out" 'set fixed'
stick stick check format="$loop" room=2G
refused "one that is too small" "$loop has 1024 MiB, and up to 2048 MiB may be needed" 'larger stick'
stick stick check format=/dev/none
refused "one that is not there" '/dev/none, which format names, is no device'
in_lab mkfs.ext4 -q "$loop" </dev/null
stick stick check format="$loop"
refused "one that is not empty" "$loop is not empty, and what is on it would be lost" "wipefs -a $loop"
in_lab sh -c "mount $loop /mnt" </dev/null
stick stick check format="$loop"
refused "one that is mounted" "$loop can't be had alone" unmount
in_lab sh -c "umount /mnt; wipefs -qa $loop" </dev/null
sum=$(sha256sum <"$tmp/stick")
stick stick check format="$loop"
passes "an empty one is made anew when that is asked for"
like "$out" '"folder","value":"/rear/srv/pd-step"' "where all will be is predicted"
is "$(sha256sum <"$tmp/stick")" "$sum" "check wrote nothing to it"

# ---- made anew, and rear is killed at its archive
work=/opt/pd/first
killed recovery.stick check,apply label=PDSTICK fixed=true room=100M format="$loop"
like "$(on 'ls rear/srv/pd-step | xargs')" 'backup.tar.gz' "half an archive is there after a kill"
in_lab cp -a $work /opt/pd/undone </dev/null
work=/opt/pd/undone
stick stick undo format="$loop"
like "$out" '"phase":"undo","result":"changed"' "undo"
is "$(on 'find . -mindepth 1 -not -name lost+found')" "" "removes it"
is "$(in_lab sh -c "cd $work/recovery.stick && cmp -n 440 before-disk $loop && cmp -n 1024 before-own ${loop}p1" </dev/null 2>&1)" "" "and brings back the boot code of a stick that is empty"

# ---- system and archive
words='correct horse battery'
work=/opt/pd/first
stick stick check,apply,verify format="$loop" passphrase="$words"
passes "called again it is made whole, and proved"
unlike "$out" "$words" "its passphrase is not told"
is "$(on 'ls rear/srv/pd-step | xargs')" "MANIFEST backup.log backup.tar.gz initrd.cgz kernel rear-srv.log syslinux.cfg" "all is in the folder that was predicted"
is "$(on 'stat -c %a rear/srv/pd-step rear/srv/pd-step/* | sort -u | xargs')" "600 700" "root's alone"
like "$(on 'cat boot/syslinux/extlinux.conf rear/syslinux.cfg rear/srv/pd-step/syslinux.cfg')" 'kernel /rear/srv/pd-step/kernel' "its boot loader leads to the kernel"
is "$(on 'head -c 8 rear/srv/pd-step/backup.tar.gz')" Salted__ "its archive is encrypted"
out=$(in_lab cat $work/recovery.stick/medium.txt $work/recovery.stick/MANIFEST </dev/null)
like "$out" '^loader +extlinux$' "the evidence says by what it boots"
like "$out" '^identity +by its id$' "whose it is"
like "$out" '^compared +[1-9][0-9]* of them' "how many files were compared"
like "$out" '^[0-9a-f]{64}  /rear/srv/pd-step/initrd.cgz$' "and has the digests"
is "$(on "sed -n 's,^\([0-9a-f]*\)  /,\1  ,p' /opt/pd/first/recovery.stick/MANIFEST | sha256sum -c --strict --quiet" 2>&1)" "" "sha256sum finds each as it says"
is "$(in_lab sh -c "grep -c $loop /proc/self/mountinfo; ls $work/recovery.stick" </dev/null | xargs)" "0 MANIFEST before-disk before-own medium.txt rear.log" "it is nowhere mounted, and nothing of what rear had built is left"
stick stick apply format="$loop" passphrase="$words"
like "$rc $out" '"result":"unchanged"' "a second apply has nothing to do"
stick stick undo format="$loop"
like "$out" '"phase":"undo","result":"unchanged"' "undo leaves what is whole, and needs no stick"

# ---- what is read back comes from the stick: it is changed, or spoilt
# spoilt MESSAGE TEXT FILE COMMAND: such a file, in a run that goes its own way
spoilt()
{
	work=/opt/pd/spoilt
	in_lab sh -c "rm -rf $work; cp -a /opt/pd/first $work" </dev/null
	on "dd if=$3 of=/run/saved bs=1M status=none; $4"
	stick stick verify passphrase="$words"
	like "$rc $(grep '"result"' <<<"$out")" "^1 .*$1" "$2"
	on "dd if=/run/saved of=$3 bs=1M status=none"
}
spoilt '/rear/srv/pd-step/kernel is not what was written there' "a changed kernel is found" \
	rear/srv/pd-step/kernel 'printf X | dd of=rear/srv/pd-step/kernel bs=1 seek=5000 conv=notrunc status=none'
stick stick check
like "$out" '"phase":"check","result":"changed"' "and made anew when the step is called again"
spoilt '/rear/syslinux.cfg is not what was written there' "a changed menu, too" rear/syslinux.cfg 'sed -i "s,/rear/srv,/rear/none," rear/syslinux.cfg'
spoilt 'boot code is not what was written there' "and changed boot code" "$loop count=1" "printf spoilt | dd of=$loop bs=1 seek=100 conv=notrunc status=none"

# ---- a machine is booted from it: firmware, boot loader, its menu, rear's kernel and system
if command -v qemu-system-x86_64 >/dev/null; then
	# by itself it would go on to the disk: a person has to choose
	on 'cat boot/syslinux/extlinux.conf >/opt/pd/menu; sed "s/^ontimeout .*/ontimeout srv-pd-step/; s/^timeout .*/timeout 10/" /opt/pd/menu >boot/syslinux/extlinux.conf'
	sync
	: >"$tmp/console"
	timeout 1200 qemu-system-x86_64 -accel tcg,tb-size=512 -m 512 -display none -net none -no-reboot -serial "file:$tmp/console" -monitor none \
		-drive "file=$tmp/stick,format=raw,if=ide,snapshot=on" </dev/null >"$tmp/machine" 2>&1 &
	machine=$!
	while kill -0 $machine 2>/dev/null && ! grep -qaE 'Run /init as init process|Kernel panic' "$tmp/console"; do sleep 0.5; done
	kill $machine 2>/dev/null
	wait $machine 2>/dev/null
	on 'cat /opt/pd/menu >boot/syslinux/extlinux.conf'
	like "$(tr -d '\r' <"$tmp/console")" 'Run /init as init process' "a machine boots it, up to rear's own first process"
	like "$(tr -d '\r' <"$tmp/console")" "Command line: .*initrd=/rear/srv/pd-step/initrd.cgz" "as its configuration says"
else
	echo "# SKIPPED: a machine booted from the stick, since there is no qemu-system-x86_64"
fi

# ---- it is at hand on patch day
work=/opt/pd/medium
run step recovery.medium check,apply,verify label=PDSTICK age=1d
passes "recovery.medium confirms a stick"
like "$out" "\"medium\",\"value\":\"${loop}p1\"" "and tells which"
out=$(in_lab cat $work/recovery.medium/medium.txt $work/recovery.medium/MANIFEST </dev/null)
like "$out" '^loader +extlinux$' "the evidence says by what it boots"
like "$out" '^identity +by its id$' "whose it is"
like "$out" '^[0-9a-f]{64}  /rear/srv/pd-step/kernel$' "and has the digests"
run step recovery.medium check label=PDSTICK age=1
refused "a stick that is too old" 'is [0-9]+ (seconds|minutes|hours) old .*, and only 1 seconds are allowed'
run step recovery.medium check path="$loop"
refused "its disk" "$loop is no ISO 9660 image" 'its partition'
in_lab mount "${loop}p1" /mnt </dev/null
run step recovery.medium check path="${loop}p1"
refused "one that is mounted" "${loop}p1 can't be had alone" findmnt
in_lab sh -c 'umount /mnt; hostname db1' </dev/null
run step recovery.medium check path="${loop}p1"
refused "another server's" 'is the medium of another server: it has /rear/srv/pd-step, and nothing of db1'
in_lab sh -c 'hostname srv; cat /etc/machine-id >/run/id; echo 0123456789abcdef0123456789abcdef >/etc/machine-id' </dev/null
run step recovery.medium check path="${loop}p1"
refused "that of a server with the same name" 'is the medium of another server: of srv, by its id'
in_lab sh -c 'cat /run/id >/etc/machine-id' </dev/null
on 'cp rear/srv/pd-step/kernel /run/saved; printf X | dd of=rear/srv/pd-step/kernel bs=1 seek=5000 conv=notrunc status=none'
run step recovery.medium check path="${loop}p1"
refused "one with a changed kernel" 'is damaged, or was changed since it was made' 'another stick'
like "$out" 'rear/srv/pd-step/kernel is not what was written there' "which is told"
on 'cp /run/saved rear/srv/pd-step/kernel; mv rear/srv/pd-step/MANIFEST /run/'
run step recovery.medium check path="${loop}p1"
like "$rc $out" 'has no digests in /rear/srv/pd-step' "one without digests, as rear alone makes it: a warning"
is "$rc" 0 "and is confirmed"
on 'mv rear/srv/pd-step /run/; mkdir rear/srv/pd-step'
run step recovery.medium check path="${loop}p1"
refused "one with nothing on it" 'has no system of rear on it' recovery.stick
on 'rmdir rear/srv/pd-step; mv /run/pd-step rear/srv/; mv /run/MANIFEST rear/srv/pd-step/'

# ---- a second run on it, taken back
before=$(all)
in_lab touch /run/no-links </dev/null
soon '[ ! -e /dev/disk/by-label/PDSTICK ]'
work=/opt/pd/refused
stick stick check
refused "a stick that udev does not show" '/dev/disk/by-label/PDSTICK is not /dev/loop' udevadm
in_lab rm /run/no-links </dev/null
soon '[ -e /dev/disk/by-label/PDSTICK ]'
stick stick check
passes "a stick that has rear's alone may have more"
run step recovery.stick check label=PDSTICK room=100M
refused "a disk that is built in" 'is no medium that can be taken out'
stick stick check room=10G
refused "one with too little room" "the stick .* has [0-9]+ MiB free, and up to 10240 MiB may be needed" 'remove what is older'
in_lab mount "${loop}p1" /mnt </dev/null
stick stick check
refused "one that is mounted elsewhere" "can't be had alone" findmnt
in_lab umount /mnt </dev/null
on 'mkdir photos'
stick stick check
refused "one with what is not rear's" "carries what is not Relax-and-Recover's: /photos" 'another stick'
stick rescue_stick apply
like "$rc $out" "carries what is not Relax-and-Recover's" "by apply, too"
on 'rmdir photos; echo x >boot/memo'
stick stick check
refused "also below /boot" "carries what is not Relax-and-Recover's: /boot/memo"
on 'rm boot/memo'
is "$(all)" "$before" "none of it has changed the stick"

on 'mv rear/srv/pd-step rear/srv/older; sed -i "s,/pd-step/,/older/,g; s,srv-pd-step,srv-older,g" rear/syslinux.cfg rear/srv/older/syslinux.cfg'
before=$(all)
work=/opt/pd/second
stick rescue_stick check,apply,verify keep=false
passes "the system alone beside what an older run has made"
is "$(on 'ls rear/srv | xargs; ls rear/srv/pd-step | xargs')" "older pd-step
MANIFEST initrd.cgz kernel rear-srv.log syslinux.cfg" "which is not removed"
like "$(on 'cat rear/syslinux.cfg')" 'include /rear/srv/older/syslinux.cfg' "and still in the menu"
stick rescue_stick undo keep=false
like "$out" '"phase":"undo","result":"changed"' "undo"
is "$(all)" "$before" "brings back what there was, to the byte"
stick rescue_stick undo keep=false
like "$out" '"phase":"undo","result":"unchanged"' "a second undo finds nothing"

# ---- rear takes too long
config '[ $WORKFLOW != mkrescue ] || sleep 60'
work=/opt/pd/limit
stick rescue_stick apply limit=2
like "$rc $out" 'did not come to its end in the 2 seconds' "rear may take no longer than limit"
is "$(all)" "$before" "nothing of it is left on the stick"
done_testing
