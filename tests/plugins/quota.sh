#!/bin/bash
# SPDX-License-Identifier: MIT
# quota.hold on real quotas: those that ext4 and XFS keep in the kernel, and those
# kept in files; of users, groups and projects.  The kernel here may not have quotas: all of
# it happens in a machine of its own, tests/plugins/machine.sh.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/plugins/machine.sh" || exit 99

if outside; then
	programs=(quotacheck quotaon quotaoff repquota setquota setpriv mkfs.ext4 mkfs.xfs umount
		awk cat chmod cp dd grep head mkdir rm sed sort stat tail timeout tr)
	files=("$PD_BUILDDIR/plugins/quota/.libs/quota.so" /etc/mke2fs.conf)
	modules=(quota_v2 xfs) disks=(64M 64M 400M)
	machine 512M
fi
mkdir -m 755 /mnt/plugins /mnt/kernel /mnt/files /mnt/again
cp "$PD_BUILDDIR/plugins/quota/.libs/quota.so" /mnt/plugins/
mkfs.ext4 -q -O quota /dev/vda && mkfs.ext4 -q /dev/vdb || echo "# no mkfs"
mount -o usrquota,grpquota /dev/vda /mnt/kernel && mount -o usrjquota=aquota.user,jqfmt=vfsv1 /dev/vdb /mnt/files &&
	mount --bind /mnt/kernel /mnt/again || echo "# no mount"
quotacheck -cum /mnt/files && quotaon -u /mnt/files || echo "# no quota in files"
chmod 777 /mnt/kernel /mnt/files

work=/mnt/work
step()
{
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir /mnt/plugins --work "$work" "$@" 2>&1)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	message=$(sed -n 's/.*"message":"\(.*\)","seconds".*/\1/p' <<<"$out")
	held=$(sed -n 's/.*"name":"held","value":\[\(.*\)\].*/\1/p' <<<"$out" | tail -n 1)
}
# may FOLDER KIBIBYTES: does the user 1000 of the group 1000 get as much?
may()
{
	rm -f "$1/t"
	setpriv --reuid 1000 --regid 1000 --clear-groups dd if=/dev/zero of="$1/t" bs=1k count="$2" 2>/dev/null && echo yes || echo no
}
all() { echo "$(may /mnt/kernel 2048) $(may /mnt/files 2048)"; }
used() { repquota -u "$1" 2>/dev/null | awk '$1 == "#1000" || $1 == "1000" || $2 ~ /^[-+][-+]$/ && $1 != "root" { print $3; exit }'; }
state() { for mount in /mnt/kernel /mnt/files; do for kind in u g; do quotaon -p$kind $mount 2>&1; done; done; }

step quota.hold check
is "with quotas without limits there is something to hold" "$result" changed
setquota -u 1000 0 1024 0 0 /mnt/kernel
setquota -u 1000 0 1024 0 0 /mnt/files
is "the limits are in force" "$(all)" "no no"
before=$(state)

# ---- check
step quota.hold check
is "check" "$result" changed
is "names file systems and kinds, each once" "$held" \
	'"/mnt/kernel user","/mnt/kernel group","/mnt/files user"'
is "and changes nothing" "$(state) $(all)" "$before no no"
step quota.hold check mounts=/mnt
is "a folder that is no mount point with a quota" "$result" refused
like "is named" "$message" 'no quota is enforced on /mnt'

# ---- hold
step quota.hold check,apply,verify
is "hold" "$result" unchanged
is "nobody runs into a limit" "$(all)" "yes yes"
is "what the kernel keeps is counted meanwhile" "$(used /mnt/kernel)" 2048
like "evidence" "$(cat "$work/quota.hold/quota-before.txt")" '^/mnt/kernel +user +enforced +/dev/vda'
step quota.hold check
is "check after apply finds nothing left to do" "$result" unchanged
quotaon -u /mnt/kernel
step quota.hold verify
is "verify notices that somebody switched one on" "$result" failed
like "and names it" "$message" 'the quota /mnt/kernel user is enforced'
step quota.hold apply
step quota.hold verify
is "apply holds it again" "$result" unchanged

# ---- given back
step quota.hold undo
is "undo" "$result" changed
is "the state is as before" "$(state)" "$before"
is "what the files did not count is counted" "$(used /mnt/files)" 2048
is "the limits are in force again" "$(all)" "no no"
step quota.hold undo
is "undo once more" "$result $(state)" "changed $before"

# ---- a boot in between switches on what the files knew before
work=/mnt/boot
rm -f /mnt/files/t
step quota.hold check,apply,verify
is "hold again" "$result $(may /mnt/files 2048)" "unchanged yes"
quotaon -u /mnt/files
is "after the boot they don't know what was written" "$(used /mnt/files)" "" # repquota has no row of who uses nothing
step quota.hold undo
is "undo counts it" "$result $(used /mnt/files)" "changed 2048"
is "with the limits in force, and the state as before" "$(may /mnt/files 2048) $(state)" "no $before"
inode=$(stat -c '%i %Y' /mnt/files/aquota.user)
step quota.hold undo
is "once" "$result $(stat -c '%i %Y' /mnt/files/aquota.user) $(state)" "changed $inode $before"
step quota.hold apply
quotaon -u /mnt/files
setquota -u 1000 0 0 0 0 /mnt/files
count=$(type -P quotacheck)
chmod 000 "$count"
step quota.hold undo
like "one that can't be counted fails" "$result $message" 'failed.*the quota /mnt/files user can.t be brought back: quotacheck'
is "and is in force as it was" "$(state)" "$before"
chmod 755 "$count"
step quota.hold undo
is "undo again finishes" "$result $(state)" "changed $before"
# as a kill leaves it before the first is switched off
step quota.hold apply
quotaon -u /mnt/files /mnt/kernel
sed -i 's/"begun": "[0-9]*"/"begun": "0"/' $work/state.json
chmod 000 "$count"
step quota.hold undo
is "one that was never switched off is not counted" "$result $(state)" "changed $before"
chmod 755 "$count"
setquota -u 1000 0 1024 0 0 /mnt/files

# ---- some only
work=/mnt/some
step quota.hold check,apply,verify mounts=/mnt/kernel
is "the others go on" "$result $(all)" "unchanged yes no"
step quota.hold undo mounts=/mnt/kernel
is "and are not touched" "$result $(state)" "changed $before"

# ---- killed in the middle; then given back with one that does not come back
work=/mnt/killed
for moment in 0.01 0.03 0.06 0.1; do
	timeout -s KILL $moment "$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir /mnt/plugins --work $work quota.hold check,apply
done >/dev/null 2>&1
step quota.hold check,apply,verify
is "apply after crashes comes to its end" "$result $(all)" "unchanged yes yes"
umount /mnt/files
step quota.hold undo
is "one whose file system is gone fails" "$result" failed
like "and is named" "$message" 'the quota /mnt/files user can.t be brought back: quotacheck -mu /mnt/files says'
is "the others are back" "$(may /mnt/kernel 2048)" no
mount -o usrjquota=aquota.user,jqfmt=vfsv1 /dev/vdb /mnt/files
step quota.hold undo
is "undo again finishes" "$result $(state)" "changed $before"

# ---- XFS
mkdir /mnt/xfs
mkfs.xfs -q /dev/vdc && mount -o uquota,gquota,pquota /dev/vdc /mnt/xfs || echo "# no XFS"
chmod 777 /mnt/xfs
setquota -u 1000 0 1024 0 0 /mnt/xfs
work=/mnt/xfs-work
step quota.hold check,apply,verify mounts=/mnt/xfs
is "XFS has all three kinds" "$result $held" 'unchanged "/mnt/xfs user","/mnt/xfs group","/mnt/xfs project"'
is "nobody runs into a limit" "$(may /mnt/xfs 2048)" yes
step quota.hold undo mounts=/mnt/xfs
is "until it is given back" "$result $(may /mnt/xfs 2048)" "changed no"

# ---- none
umount /mnt/xfs
umount /mnt/again /mnt/files /mnt/kernel
work=/mnt/none
step quota.hold check
is "without a quota there is nothing to hold" "$result" unchanged
end
