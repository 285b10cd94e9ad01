#!/bin/bash
# SPDX-License-Identifier: MIT
# snapshot.lvm on real logical volumes, thin and classic ones.  The machine's kernel may have
# no device mapper: all of it happens in one of its own, tests/plugins/machine.sh.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/plugins/machine.sh" || exit 99

if outside; then
	programs=(lvs lvcreate lvconvert lvremove pvcreate vgcreate vgchange thin_check mkfs.ext4 umount mountpoint
		awk cat cp cut dd echo find grep head ls mkdir rm sed seq sleep sort sync tail touch tr wc xargs)
	files=("$PD_BUILDDIR/plugins/snapshot/.libs/snapshot.so" /etc/mke2fs.conf)
	modules=(dm-thin-pool dm-snapshot) disks=(300M)
	machine 512M
fi
mkdir -p /etc/lvm
cat >/etc/lvm/lvm.conf <<'END'
activation { udev_sync = 0
	udev_rules = 0
	monitoring = 0
	thin_pool_autoextend_threshold = 100 }
devices { scan = [ "/dev" ]
	global_filter = [ "a|/dev/vd.*|", "r|.*|" ] }
global { use_lvmpolld = 0 }
backup { backup = 0
	archive = 0 }
END
mkdir -m 755 /mnt/plugins /mnt/classic /mnt/thin
cp "$PD_BUILDDIR/plugins/snapshot/.libs/snapshot.so" /mnt/plugins/
(pvcreate /dev/vda && vgcreate vg /dev/vda && lvcreate -y -L 40M -n classic vg && lvcreate -L 100M -T vg/pool &&
	lvcreate -y -V 40M -T vg/pool -n thin) >/tmp/out 2>&1 || sed 's/^/# /' /tmp/out
for name in classic thin; do
	mkfs.ext4 -q -O ^has_journal "/dev/vg/$name" && mount -o noatime,nosuid "/dev/vg/$name" "/mnt/$name" && echo one >"/mnt/$name/file" || echo "# no $name"
done

work=/mnt/work
step()
{
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir /mnt/plugins --work "$work" "snapshot.$1" "${@:2}" 2>&1)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	taken=$(sed -n 's/.*"name":"snapshots","value":\[\(.*\)\].*/\1/p' <<<"$out" | tail -n 1 | tr -d '"')
}
have() { lvs --noheadings -o lv_name vg 2>/dev/null | xargs; }
# merged: what goes back has gone.  Until then LVM hides the snapshot, and refuses another one; a busy machine takes its time.
merging() { lvs --all --noheadings -o lv_attr vg 2>/dev/null | grep -q '^ *[OS]'; }
merged() { for _ in $(seq 1800); do merging || return 0; sleep 0.1; done; }
names() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs; }
spoil() { for name in classic thin; do echo two >"/mnt/$name/file"; touch "/mnt/$name/new"; done; sync; }
both="vg/classic,vg/thin"

# ---- what is refused
step lvm check volumes=vg/none
is "no such volume" "$result" refused
step lvm check volumes=vg/pool
like "a pool is none" "$result $out" 'refused.*vg/pool is a thin-pool'
step lvm check volumes=classic
is "a name that is none" "$result" bad-args
step lvm check volumes=vg/classic,vg/classic
is "one twice" "$result" bad-args
step lvm check volumes=vg/classic size=200M
like "more than the group has free" "$result $out" 'refused.*has 148 MiB free, and snapshots of 200 MiB are asked for'
step lvm check volumes=vg/thin percent=5
like "a pool that is full" "$result $out" 'refused.*the pool vg/pool is full to'
step lvm check volumes=vg/thin state=/mnt/thin/new
like "one with the state of patchday" "$result $out" 'refused.*has the state of patchday itself'
before=$(have)
step lvm check volumes=$both size=12M
is "check: there are two to take, and makes none" "$result $(have)" "changed $before"

# ---- taken
step lvm check,apply,verify volumes=$both size=12M
is "taken and verified" "$result" unchanged
[ "$result" = unchanged ] || sed 's/^/# /' <<<"$out"
like "both are outputs" "$taken" '^lvm:vg/classic-pd-step,lvm:vg/thin-pd-step$'
classic=${taken%%,*} classic=${classic#lvm:}
like "evidence" "$(cat $work/snapshot.lvm/volumes.txt)" "^$classic +s.* linear +12582912 bytes.* of classic"
now=$(have)
step lvm apply volumes=$both size=12M
is "a second apply has nothing to do" "$result $(have)" "unchanged $now"
work=/mnt/other
step lvm check volumes=$classic
like "a snapshot is no volume to take" "$result $out" "refused.*$classic is a snapshot"
work=/mnt/work
step room check percent=80
is "the guard: there is room" "$result" unchanged
dd if=/dev/urandom of=/mnt/classic/big bs=1M count=9 conv=fsync 2>/dev/null
step room check percent=50
like "a snapshot that gets full: the run waits" "$result $out" "refused"
like "and says which" "$out" "more than 50 % of $classic are used"

# ---- undo: thin is free, classic in use
spoil
(cd /mnt/classic && exec sleep 300) &
busy=$!
sleep 0.2
step lvm undo volumes=$both
is "undo" "$result" changed
[ "$result" = changed ] || sed 's/^/# /' <<<"$out"
is "the thin one is back at once, mounted as it was" "$(cat /mnt/thin/file) $(names /mnt/thin) $(grep -c ' /mnt/thin ext4 .*nosuid.*noatime' /proc/mounts)" "one file lost+found 1"
like "the one in use says that it takes a boot" "$out" 'vg/classic is in use: it goes back to its snapshot at the next boot'
is "until then it is as it was" "$(cat /mnt/classic/file)" two
step lvm undo volumes=$both
is "undo again has nothing to do" "$result" unchanged
work=/mnt/early
step lvm check volumes=vg/classic
like "no other one is taken before it is back" "$result $out" 'refused.*vg/classic'
is "though LVM does not show the one it goes back to" "$(have) $(merging && echo merging)" "$before merging"
work=/mnt/work
kill $busy; wait $busy 2>/dev/null
umount /mnt/classic && vgchange -an vg >/dev/null 2>&1 || { umount /mnt/thin; vgchange -an vg >/tmp/out 2>&1; }
vgchange -ay vg >/dev/null 2>&1 # as a boot does
mount -o noatime,nosuid /dev/vg/classic /mnt/classic; mountpoint -q /mnt/thin || mount /dev/vg/thin /mnt/thin
is "after the next activation it is back" "$(cat /mnt/classic/file) $(names /mnt/classic)" "one file lost+found"
merged
is "and no snapshot is left" "$(have)" "$before"
step lvm undo volumes=$both
is "undo after it has nothing to do" "$result" unchanged

# ---- lost, removed, discarded
work=/mnt/lost
step lvm check,apply volumes=vg/classic size=4M
snapshot=$taken
dd if=/dev/urandom of=/mnt/classic/big bs=1M count=12 conv=fsync 2>/dev/null
step lvm verify volumes=vg/classic
like "a snapshot that was full is lost, which verify notices" "$result $out" 'failed.*is lost: its room was used up'
step lvm undo volumes=vg/classic
like "and undo says" "$result $out" 'failed.*is lost: its room was used up'
is "and leaves the volume as it is" "$(mountpoint /mnt/classic >/dev/null && cat /mnt/classic/file)" one
step discard check,apply,verify snapshots="$snapshot"
is "discarded" "$result $(have)" "unchanged $before"
step discard apply snapshots=lvm:vg/thin
like "what is no snapshot of patchday's stays" "$result $out" 'refused|failed.*has not the tag patchday'
is "all of it" "$(have)" "$before"
step lvm undo volumes=vg/classic
like "a snapshot that is gone is told" "$result $out" 'failed.*is gone: somebody has removed it'
# ---- in a run of its own: back to what an earlier one has taken
umount /mnt/classic /mnt/thin 2>/dev/null
mount /dev/vg/classic /mnt/classic; mount -o noatime,nosuid /dev/vg/thin /mnt/thin; rm -f /mnt/classic/big
# earlier RUN: that run takes snapshots of what has its name
earlier() { for name in classic thin; do echo "$1" >"/mnt/$name/file"; done; sync; work=/mnt/work-$1 PD_STEP_RUN=$1 step lvm check,apply,verify volumes=$both size=8M; sleep 1.1; }
work=/mnt/restore
step restore check volumes=vg/thin
like "nothing was taken" "$result $out" 'refused.*there is no snapshot of vg/thin from an earlier run; none at all is left'
for run in monday tuesday wednesday; do earlier $run; done
is "three runs have taken what there was" "$result $(have | wc -w)" "unchanged 9"
export PD_STEP_RUN=thursday
earlier thursday
for name in classic thin; do echo now >/mnt/$name/file; done; sync
work=/mnt/restore
step restore check volumes=vg/thin run=sunday
like "that run has taken none" "$result $out" 'refused.*no snapshot of vg/thin that was taken by the run sunday; there is vg/thin-thursday, vg/thin-wednesday, vg/thin-tuesday, vg/thin-monday'
step restore check volumes=vg/thin state=/mnt/thin/new
like "not with patchday's state on it" "$result $out" 'refused.*has the state of patchday itself'
list=$(have)
step restore check volumes=$both
is "check: there is one, and nothing is touched" "$result $(cat /mnt/thin/file) $(have)" "changed now $list"
like "the newest of an earlier run, not what this one has taken" "$taken" '^lvm:vg/classic-wednesday,lvm:vg/thin-wednesday$'
like "it can't be undone" "$out" 'irreversible.*what is on a logical volume now is lost'
step restore check,apply,verify volumes=vg/thin run=tuesday
is "it is gone back to, mounted as it was" "$result $(cat /mnt/thin/file) $(grep -c ' /mnt/thin ext4 .*nosuid.*noatime' /proc/mounts)" "unchanged tuesday 1"
[ "$result" = unchanged ] || sed 's/^/# /' <<<"$out"
like "no boot is needed" "$out" '"reboot_required","value":false'
like "evidence" "$(cat $work/snapshot.restore/restored.txt)" 'went back to +vg/thin-tuesday, which is used up'
step restore check,apply volumes=vg/thin run=tuesday
is "a second apply has nothing to do" "$result $(cat /mnt/thin/file)" "unchanged tuesday"
work=/mnt/older
step restore check,apply,verify volumes=vg/thin run=monday
like "to an older one LVM has no way then, and that is told" "$result $out" "(refused|failed).*can't merge the snapshot vg/thin-monday any more, since vg/thin has gone back to another one"
is "before anything is touched" "$(cat /mnt/thin/file) $(have | grep -c thin-monday)" "tuesday 1"
(cd /mnt/classic && exec sleep 300) &
busy=$!
sleep 0.2
work=/mnt/in-use
step restore check,apply,verify volumes=vg/classic run=wednesday
is "in use" "$result" unchanged
like "a boot is needed, and told" "$out" 'vg/classic is in use: it goes back .* next boot'
like "also as an output" "$out" '"reboot_required","value":true'
is "until then it is as it was" "$(cat /mnt/classic/file)" now
step prune check volumes=vg/classic keep=0 age=0
like "what is gone back to is not removed" "$result $out" '^changed'
unlike "by prune" "$out" 'classic-wednesday'
kill $busy; wait $busy 2>/dev/null
umount /mnt/classic /mnt/thin; vgchange -an vg >/tmp/out 2>&1; vgchange -ay vg >/tmp/out 2>&1 # as a boot does
mount /dev/vg/classic /mnt/classic; mount /dev/vg/thin /mnt/thin
is "after the next activation it is back" "$(cat /mnt/classic/file)" wednesday
merged

# ---- old ones go
work=/mnt/prune
is "what is left" "$(have)" "classic classic-monday classic-thursday classic-tuesday pool thin thin-monday thin-thursday thin-wednesday"
step prune check volumes=$both
is "prune: by default none is old enough" "$result" unchanged
step prune check volumes=$both keep=1 age=0
is "check removes none" "$result $(have | wc -w)" "changed 9"
like "which is a point of no return" "$out" 'irreversible.*no way back'
step prune check,apply volumes=$both keep=1 age=0
is "the newest of earlier runs stays, and that of this run" "$result $(have)" "changed classic classic-thursday classic-tuesday pool thin thin-thursday thin-wednesday"
[ "$result" = changed ] || sed 's/^/# /' <<<"$out"
like "evidence" "$(cat $work/snapshot.prune/pruned.txt)" 'removed  lvm:vg/classic-monday, 0 days old'
lvcreate -y -s -n thin-theirs vg/thin >/tmp/out 2>&1
step prune check,apply volumes=$both keep=0 age=0
is "never that of this run, nor one of others" "$result $(have)" "changed classic classic-thursday pool thin thin-theirs thin-thursday"
step prune check,apply volumes=$both keep=0 age=0
is "a second one has nothing to do" "$result" unchanged
work=/mnt/work-thursday
step lvm undo volumes=$both
is "and this run still goes back" "$(cat /mnt/classic/file)" thursday
end
