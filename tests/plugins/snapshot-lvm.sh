#!/bin/bash
# SPDX-License-Identifier: MIT
# snapshot.lvm on real logical volumes, thin and classic ones.  The machine's kernel may have
# no device mapper: all of it happens in one of its own, tests/plugins/uml.sh.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/plugins/uml.sh" || exit 99

if outside; then
	for program in lvcreate thin_check mkfs.ext4 perl; do
		command -v $program >/dev/null || skip "$program is not installed"
	done
	uml 192M ubdb=300M
fi
inside
module dm-mod dm-bufio dm-bio-prison dm-persistent-data dm-thin-pool dm-snapshot
mount -t tmpfs run /run && mount -t tmpfs lvm /etc/lvm && mount -t tmpfs tmp /tmp
cat >/etc/lvm/lvm.conf <<'END'
activation { udev_sync = 0
	udev_rules = 0
	monitoring = 0
	thin_pool_autoextend_threshold = 100 }
devices { scan = [ "/dev" ]
	global_filter = [ "a|/dev/ubd.*|", "r|.*|" ]
	types = [ "ubd", 16 ] }
global { use_lvmpolld = 0 }
backup { backup = 0
	archive = 0 }
END
mkdir -m 755 /mnt/plugins /mnt/classic /mnt/thin
cp "$PD_BUILDDIR/plugins/snapshot/.libs/snapshot.so" /mnt/plugins/
(pvcreate /dev/ubdb && vgcreate vg /dev/ubdb && lvcreate -y -L 40M -n classic vg && lvcreate -L 100M -T vg/pool &&
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
kill $busy; wait $busy 2>/dev/null
umount /mnt/classic && vgchange -an vg >/dev/null 2>&1 || { umount /mnt/thin; vgchange -an vg >/tmp/out 2>&1; }
vgchange -ay vg >/dev/null 2>&1 # as a boot does
mount -o noatime,nosuid /dev/vg/classic /mnt/classic; mountpoint -q /mnt/thin || mount /dev/vg/thin /mnt/thin
is "after the next activation it is back" "$(cat /mnt/classic/file) $(names /mnt/classic)" "one file lost+found"
for _ in $(seq 50); do [ "$(have)" != "$before" ] || break; sleep 0.1; done
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
finish
