#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin recovery on a server where rear makes its medium and its archive, and
# against media that are damaged, old, foreign, or of other disks.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/recovery-server.sh"
need_lab
[ "$(uname -m)" = x86_64 ] || skip_all "rear's image boots with isolinux, which is of x86 alone"
lab_up srv
push_plugins recovery

tmp=$(mktemp -d)
loop=
trap 'rc=$?; [ -z "$loop" ] || losetup -d "$loop"; rm -rf "$tmp"; (exit $rc); lab_end' EXIT

# ---- without rear
run step recovery.backup check to=/mnt/safe
refused "there is no rear" 'Relax-and-Recover is not installed' 'apt-get install rear'
run step recovery.recent check path=/mnt/safe
refused "nor can a medium be compared" 'Relax-and-Recover is not installed'

rear_server
# nobody boots what has this kernel: tests/plugins/recovery-stick.sh does
in_lab bash -s <<'SERVER'
head -c 1M /dev/urandom >/boot/kernel
mkdir -p /mnt/safe /mnt/full /mnt/memory /srv/volume/safe /run/small
mount --bind /srv/volume/safe /mnt/safe
mount -t tmpfs -o mode=755 memory /mnt/memory
# an overlay has no more room than what its upper layer lies on
mount -t tmpfs -o size=20m,mode=755 small /run/small && cd /run/small && mkdir lower upper work
mount -t overlay full -o lowerdir=lower,upperdir=upper,workdir=work /mnt/full
SERVER

# ---- what it refuses, before anything is touched
run step recovery.backup check to='/mnt/sa fe'
like "$out" '"bad-args".*a sign that rear' "a folder that would not come through rear's configuration is refused"
run step recovery.backup check to=/mnt/safe url="nfs://a/'b"
like "$out" '"bad-args".*no address' "an address, too"
run step recovery.backup check to=/srv/safe
refused "a folder on the root's volume" 'is on the volume of the root' 'mount another volume'
run step recovery.backup check to=/mnt/memory
refused "a folder in memory" '/mnt/memory is in memory, which the next boot empties' 'mount another volume'
run step recovery.backup check to=/mnt/full
refused "too little room" '/mnt/full has 20 MiB free, and up to [0-9]+ MiB'
in_lab chmod 777 /mnt/safe </dev/null
run step recovery.backup check to=/mnt/safe room=100M
refused "a folder that others may write in" 'others than root may write in /mnt/safe' 'chmod go-w'
in_lab sh -c 'chmod 755 /mnt/safe; chmod 666 /etc/rear/local.conf' </dev/null
run step recovery.backup check to=/mnt/safe room=100M
refused "a configuration that others may write" 'others than root may write in /etc/rear/local.conf' 'chmod go-w'
config 'BACKUP_PROG=rsync'
run step recovery.backup check to=/mnt/safe room=100M
refused "another program than tar" "makes its archive with 'rsync'"
config 'BACKUP_PROG_CRYPT_ENABLED=yes' 'BACKUP_PROG_CRYPT_KEY=secret-words'
run step recovery.backup check to=/mnt/safe room=100M
refused "an archive that is encrypted" 'encrypts its archive'
unlike "$out" 'secret-words' "its key is not told"
config $'X=1\r'
run step recovery.backup check to=/mnt/safe room=100M
refused "a configuration that rear refuses" "rear can't be used: Carriage return"
config
in_lab sh -c 'sleep 0.1; touch /root/mark; sleep 0.1; cat /proc/self/mountinfo >/opt/pd/mounts' </dev/null
run step recovery.backup check to=/mnt/safe room=100M
is "$rc" 0 "the check passes"
like "$out" '"medium","value":"/mnt/safe/srv/pd-step/rear-srv.iso"' "and predicts the medium"
is "$(in_lab sh -c 'find /boot /etc /mnt /tmp /usr /var/lib/rear /var/log/rear /var/tmp -newercm /root/mark
	cat /proc/self/mountinfo | diff - /opt/pd/mounts; journalctl -q -t rear' </dev/null)" "" "it has changed nothing, mounted nothing and logged nothing"

# ---- the target is full: nothing half stays there
work=/opt/pd/full
in_lab sh -c 'mkdir -p /mnt/full/srv/older; echo theirs >/mnt/full/srv/older/rear.iso' </dev/null
run step recovery.rescue check,apply to=/mnt/full room=1M
is "$rc" 1 "a target that becomes full fails the step"
like "$out" '"failed","message":"rear mkrescue has failed: Could not copy result file' "with what rear says"
is "$(in_lab find /mnt/full -type f </dev/null)" "/mnt/full/srv/older/rear.iso" "nothing of it is left, and an older one is not touched"
is "$(in_lab ls $work/recovery.rescue </dev/null)" rear.log "nor of what it had built; its log is evidence"

work=/opt/pd/limit
config '[ "$WORKFLOW" != mkrescue ] || sleep 60'
run step recovery.rescue apply to=/mnt/safe room=1M limit=2
like "$rc $out" '^1 .*' "rear may take no longer than limit"
like "$out" '"failed","message":"rear mkrescue did not come to its end in the 2 seconds' "which is told"
is "$(in_lab sh -c 'find /mnt/safe -type f; pgrep -x rear' </dev/null)" "" "nothing of it is left, nor does it run on"
run step recovery.rescue undo to=/mnt/safe
is "$rc $(in_lab ls -A /mnt/safe </dev/null)" "0 " "undo removes the folder that was made for it"

# ---- killed while the archive is written
work=/opt/pd/backup
killed recovery.backup check,apply to=/mnt/safe/a/b room=100M
like "$(in_lab find /mnt/safe -type f </dev/null | xargs)" 'backup.tar.gz' "half an archive is there"
unlike "$(in_lab cat /proc/self/mountinfo </dev/null)" 'rear\.' "no mount of rear's is left"
in_lab sh -c 'cp -a /mnt/safe/a /mnt/safe/half; cp -a /opt/pd/backup /opt/pd/undone; mv /mnt/safe/a /mnt/safe/kept; mv /mnt/safe/half /mnt/safe/a' </dev/null
work=/opt/pd/undone
run step recovery.backup undo to=/mnt/safe/a/b room=100M
is "$rc $(in_lab ls /mnt/safe </dev/null)" "0 kept" "undo removes what is half, and the folders that were made for it"
in_lab mv /mnt/safe/kept /mnt/safe/a </dev/null
work=/opt/pd/backup
run step recovery.backup check,apply,verify to=/mnt/safe/a/b room=100M
is "$rc" 0 "called again it is made whole, and proved"
[ "$rc" = 0 ] || echo "$out" | tail -20

# ---- what was made
folder=/mnt/safe/a/b/srv/pd-step
is "$(in_lab sh -c "cd $folder && stat -c '%a %n' . *" </dev/null | xargs)" \
	"700 . 600 README 600 VERSION 600 backup.log 600 backup.tar.gz 600 rear-srv.iso 600 rear-srv.log" "medium and archive, root's alone"
is "$(in_lab ls $work/recovery.backup </dev/null | xargs)" "medium.txt rear.log" "nothing of what it had built is left"
out=$(in_lab cat $work/recovery.backup/medium.txt </dev/null)
like "$out" '^boots +BIOS$' "the evidence says how it boots"
like "$out" '^identity +by its id$' "whose it is"
like "$out" '^compared +[1-9][0-9]* of them' "and how many files were compared"
run in_lab sh -c "tar -tzf $folder/backup.tar.gz | grep -c '^etc/passwd$'; xorriso -no_rc -indev $folder/rear-srv.iso -report_el_torito plain 2>&1 | grep -c 'boot img.*BIOS  y'" </dev/null
is "$(xargs <<<"$out")" "1 1" "tar and xorriso say the same"
run step recovery.backup apply,verify to=/mnt/safe/a/b
like "$out" '"phase":"apply","result":"unchanged"' "a second apply has nothing to do"
is "$rc" 0 "and is proved again"

# ---- an archive that is encrypted: the passphrase is nowhere
work=/opt/pd/crypt crypt=/mnt/safe/crypt/srv/pd-step words='correct horse'
in_lab sh -c 'cat >/opt/pd/spy; chmod 755 /opt/pd/spy' <<'END'
#!/bin/sh
sleep 0.3; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\0' '\n' >/run/seen; exec gzip
END
config 'BACKUP_PROG_COMPRESS_OPTIONS=( --use-compress-program=/opt/pd/spy )'
run step recovery.backup check,apply,verify to=/mnt/safe/crypt room=100M passphrase="$words"
is "$rc" 0 "an archive is encrypted, read back and proved"
[ "$rc" = 0 ] || echo "$out" | tail -20
unlike "$out" "$words" "its passphrase is not told"
like "$(in_lab cat $work/recovery.backup/medium.txt </dev/null)" '^encrypted +yes$' "the evidence says so"
config
is "$(in_lab head -c 8 $crypt/backup.tar.gz </dev/null)" Salted__ "it is not to be read as it is"
is "$(in_lab sh -c "printf %s '$words' >/run/words; openssl enc -d -aes-256-cbc -md sha256 -pbkdf2 -iter 600000 -pass file:/run/words -in $crypt/backup.tar.gz | tar -tz | grep -c '^etc/passwd$'; rm /run/words" </dev/null)" \
	1 "openssl and tar read it"
like "$(in_lab cat /run/seen </dev/null)" '^-pass$' "while it was made"
unlike "$(in_lab grep -av '^passphrase=' /run/seen </dev/null)" "$words" "but for pd-step itself no process had it in its arguments or environment"
is "$(in_lab sh -c "mkdir -p /tmp/c; cd /tmp/c; xorriso -no_rc -osirrox on -indev $crypt/rear-srv.iso -extract /isolinux/initrd.cgz /tmp/c/initrd >/dev/null 2>&1; gzip -dc initrd | cpio -idm --quiet 2>/dev/null
	grep -c '^\[ .* CRYPT_KEY=.file:/tmp/passphrase\|BACKUP_PROG_CRYPT_KEY=.file:/tmp/passphrase' etc/rear/local.conf
	grep -rlF '$words' etc var root /etc/rear /var/log/rear /var/lib/rear $crypt $work /opt/pd/*.out 2>/dev/null; find $work -name passphrase; rm -rf /tmp/c" </dev/null)" 1 "nor has the medium, which asks for a file with it, nor rear's log, nor any other file"
work=/opt/pd/crypt-recent
run step recovery.recent apply path=/mnt/safe/crypt
like "$out" "\"failed\",\"message\":\"$crypt/backup.tar.gz is encrypted, and can't be read back without the parameter passphrase" "recent needs it, too"
run step recovery.recent apply path=/mnt/safe/crypt passphrase="wrong horse"
like "$out" '"failed","message":".*backup.tar.gz is (damaged|no archive)' "another one does not do"
run step recovery.recent apply path=/mnt/safe/crypt passphrase="$words"
is "$rc" 0 "with it all is read"
in_lab sh -c "cp $crypt/backup.tar.gz /opt/pd/good; truncate -s -16 $crypt/backup.tar.gz" </dev/null
run step recovery.recent apply path=/mnt/safe/crypt passphrase="$words"
like "$out" '"failed","message":".*backup.tar.gz is damaged' "one that was cut off is found"
in_lab sh -c "cp /opt/pd/good $crypt/backup.tar.gz; printf 'XXXX' | dd of=$crypt/backup.tar.gz bs=1 seek=100000 conv=notrunc status=none" </dev/null
run step recovery.recent apply path=/mnt/safe/crypt passphrase="$words"
like "$out" '"failed","message":".*backup.tar.gz (is damaged|has a member without a name)' "one with four bytes changed, too"
run step recovery.recent apply path=/mnt/safe/a passphrase="$words"
like "$out" "is not encrypted, though there is a passphrase for it" "and one that should be encrypted, and is not"
in_lab sh -c 'rm -rf /mnt/safe/crypt /opt/pd/good' </dev/null

# ---- a recent medium
work=/opt/pd/recent
run step recovery.recent check,apply,verify path=/mnt/safe percent=100
is "$rc" 0 "recent finds and proves it"
[ "$rc" = 0 ] || echo "$out" | tail -20
like "$out" "\"medium\",\"value\":\"$folder/rear-srv.iso\"" "and tells where it is"
run step recovery.recent check path=/mnt/full/none
refused "no such folder" "can't be looked through"
run step recovery.recent check path=/mnt/safe age=1
refused "too old" 'is [0-9]+ (seconds|minutes|hours) old .*, and only 1 seconds are allowed' 'new one made'
# a file that was changed without a trace in its time
in_lab sh -c 'touch -r /usr/sbin/ldconfig /tmp/t; cp -a /usr/sbin/useradd /tmp/u; printf X | dd of=/usr/sbin/useradd bs=1 seek=5000 conv=notrunc status=none; touch -r /tmp/u /usr/sbin/useradd' </dev/null
run step recovery.recent apply path=/mnt/safe percent=100
like "$out" '"failed","message":"/usr/sbin/useradd has another content' "a file that differs from the archive is found"
in_lab sh -c 'cp -a /tmp/u /usr/sbin/useradd' </dev/null
in_lab sh -c "cp -a $folder /mnt/safe/spoilt; cp -a $folder/backup.tar.gz /opt/pd/good; touch /mnt/safe/spoilt/rear-srv.iso
	truncate -s -3000 /mnt/safe/spoilt/backup.tar.gz" </dev/null
run step recovery.recent apply path=/mnt/safe/spoilt
like "$out" '"failed","message":"/mnt/safe/spoilt/backup.tar.gz is damaged' "an archive that was cut off is found"
in_lab sh -c 'cp /opt/pd/good /mnt/safe/spoilt/backup.tar.gz; truncate -s -4 /mnt/safe/spoilt/backup.tar.gz' </dev/null
run step recovery.recent apply path=/mnt/safe/spoilt
like "$out" 'backup.tar.gz is damaged: it is cut off' "one without its last four bytes, too"
in_lab sh -c 'cp /opt/pd/good /mnt/safe/spoilt/backup.tar.gz; printf "\1\2\3\4" | dd of=/mnt/safe/spoilt/backup.tar.gz bs=1 seek=$(($(stat -c %s /opt/pd/good) - 8)) conv=notrunc status=none' </dev/null
run step recovery.recent apply path=/mnt/safe/spoilt
like "$out" 'backup.tar.gz is damaged( or cut off)?: incorrect data check' "and one whose check sum is wrong"
in_lab sh -c 'mkdir -p /tmp/o/etc; cp /etc/passwd /tmp/o/etc; echo 0123456789abcdef0123456789abcdef >/tmp/o/etc/machine-id; tar -C /tmp/o -czf /mnt/safe/spoilt/backup.tar.gz etc' </dev/null
run step recovery.recent apply path=/mnt/safe/spoilt
like "$out" 'is the backup of another server' "another server's archive"
in_lab rm /mnt/safe/spoilt/backup.tar.gz </dev/null
run step recovery.recent apply path=/mnt/safe/spoilt
like "$out" 'lies no archive of files' "and none"

# ---- media that are not as they should be
in_lab sh -c 'cat >/opt/pd/remake; chmod 755 /opt/pd/remake' <<'END'
#!/bin/bash -e
# remake TO COMMAND: the medium anew, after a command in its system
files="etc/hostname etc/rear/patchday.medium var/lib/rear/layout/disklayout.conf var/lib/rear/layout/config/files.md5sum"
medium=$(echo /mnt/safe/a/b/srv/*/rear-srv.iso)
mkdir -p /tmp/r "$(dirname "$1")"; cd /tmp/r
if [ ! -e /tmp/orig.tar ]; then
	xorriso -no_rc -osirrox on -indev "$medium" -extract /isolinux/initrd.cgz /tmp/initrd >/dev/null 2>&1
	gzip -dc /tmp/initrd | cpio -idm --quiet 2>/dev/null
	tar -cf /tmp/orig.tar $files
fi
tar -xf /tmp/orig.tar
eval "$2"
find . | cpio -o -H newc --quiet | gzip -1 >/tmp/initrd
xorriso -no_rc -indev "$medium" -outdev "$1" -boot_image any replay -update /tmp/initrd /isolinux/initrd.cgz >/dev/null 2>&1
END
in_lab sh -c '/opt/pd/remake /mnt/safe/same/m.iso true &&
	/opt/pd/remake /mnt/safe/other/m.iso "sed -i \"s/^machine .*/machine 00/; s/^server.*/server db1/\" etc/rear/patchday.medium" &&
	/opt/pd/remake /mnt/safe/disks/m.iso "echo disk /dev/sdz 1000 gpt >>var/lib/rear/layout/disklayout.conf" &&
	/opt/pd/remake /mnt/safe/plain/m.iso "rm etc/rear/patchday.medium; echo 0 >>var/lib/rear/layout/config/files.md5sum" &&
	/opt/pd/remake /mnt/safe/name/m.iso "rm etc/rear/patchday.medium; echo db2 >etc/hostname" &&
	/opt/pd/remake /mnt/safe/evil/m.iso "sed -i \"s,^url .*,url file:///x\x27; touch /evil; \x27,\" etc/rear/patchday.medium" &&
	cd /mnt/safe && mkdir cut dead && head -c 20M same/m.iso >cut/m.iso &&
	xorriso -no_rc -indev same/m.iso -outdev dead/m.iso -boot_image any discard -mkdir /x -- >/dev/null 2>&1 &&
	xorriso -no_rc -osirrox on -indev same/m.iso -extract / /tmp/tree >/dev/null 2>&1 && chmod -R u+w /tmp/tree &&
	head -c 100000 /boot/kernel >/tmp/tree/efi.img && mkdir both && cd both &&
	xorriso -as mkisofs -quiet -o m.iso -V RELAXRECOVER -R -J -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
		-boot-info-table -eltorito-alt-boot -e efi.img -no-emul-boot /tmp/tree >/dev/null 2>&1' </dev/null
is $? 0 "the scene is set"
work=/opt/pd/medium
run step recovery.medium check,apply,verify path=/mnt/safe/same/m.iso
is "$rc" 0 "a medium that was made anew is confirmed"
[ "$rc" = 0 ] || echo "$out" | tail
run step recovery.medium check path=/mnt/safe/other/m.iso
refused "another server's medium" 'is the medium of another server: of db1'
run step recovery.medium check path=/mnt/safe/name/m.iso
refused "another server's medium by its name" "is the medium of another server: of 'db2'"
run step recovery.medium check,apply path=/mnt/safe/plain/m.iso
like "$rc $out" "^0 .*" "one that rear has made without patchday is confirmed"
like "$out" "it is this server's by its name alone" "with a warning"
run step recovery.medium check,apply path=/mnt/safe/both/m.iso
like "$rc $(in_lab cat $work/recovery.medium/medium.txt </dev/null)" '^boots +BIOS, UEFI$' "one for both firmwares is told as such"
run step recovery.medium check path=/mnt/safe/cut/m.iso
refused "a medium that was cut off" 'is damaged or cut off'
run step recovery.medium check path=/mnt/safe/dead/m.iso
refused "a medium that can't be booted" "can't be booted: it has no boot catalog"
run step recovery.medium check path=/boot/kernel
refused "what is no image" 'is no ISO 9660 image'
run step recovery.medium check path=/dev/sr7
refused "no medium in the drive" "can't be opened: No such file"
run step recovery.medium check
like "$out" '"bad-args".*either path or label' "nothing named"
run step recovery.medium check label=NONE
refused "no medium with the label" 'no medium with the label NONE'
run step recovery.recent check path=/mnt/safe/disks
refused "other disks" "the disks are not those of .*: 'disk /dev/sdz 1000 gpt' on it" 'new medium made'
run step recovery.recent check path=/mnt/safe/evil
refused "a record that is a script" 'a record that is not as patchday writes it'
run step recovery.recent check path=/mnt/safe/plain
like "$rc $out" '^0 .*' "changed configuration alone refuses nothing"
like "$out" 'configuration that is on /mnt/safe/plain/m.iso has changed since' "but is told"

# ---- on a device, by its label: this machine has loop devices, the lab's servers have none
"$lab" pull srv /mnt/safe/same/m.iso "$tmp/m.iso" >/dev/null 2>&1 </dev/null || in_lab cat /mnt/safe/same/m.iso >"$tmp/m.iso" </dev/null
in_lab cat /etc/machine-id >"$tmp/machine-id" </dev/null
xorriso=$(in_lab sh -c 'blkid -o value -s LABEL /mnt/safe/same/m.iso' </dev/null)
if loop=$(losetup -r -f --show "$tmp/m.iso" 2>"$tmp/errors"); then
	out=$(unshare --mount --uts bash -c 'mount --bind "$1" /etc/machine-id && hostname srv && shift && exec "$@"' bash "$tmp/machine-id" \
		"$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$PD_BUILDDIR/plugins/recovery/.libs" --work "$tmp/work" \
		recovery.medium check,apply,verify label="$xorriso" 2>&1)
	is "$?" 0 "a device with the label $xorriso is found and read"
	like "$out" "\"medium\",\"value\":\"$loop\"" "and told"
else
	echo "# SKIPPED: a medium on a device, since there are no loop devices here: $(cat "$tmp/errors")"
	loop=
fi
done_testing
