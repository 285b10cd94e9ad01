# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Sourced by the tests of the plugin kernel, after the cases of tests/style/tap.sh: a root on a disk of its own (a loop
# device) that GRUB's own programs take for a server's.
#
#   kernel_root SIZE BYTES  make it on a disk of SIZE, of which the first BYTES are left out; sets $root, $tmp, $old (the
#                           kernel that runs) and $new (another), $work (where steps remember)
#   attach, detach          have it, and all that it shows of the machine, mounted or not; the first is done already
#   inside COMMAND...       run it in that root
#   step STEP PHASES [NAME=VALUE]...  sets $result, $message
#   output NAME             of the last step
#   environment, ours, state, id RELEASE  GRUB's environment block, patchday's files, both and the menu; an entry's name

attach()
{
	local folder

	mount "$device" "$root" || exit 99
	for folder in /usr /proc /dev /sys "$tmp" "$PD_SRCDIR" "$PD_BUILDDIR"; do mkdir -p "$root$folder" && mount --bind "$folder" "$root$folder"; done
	mount --bind "$tmp/cmdline" "$root/proc/cmdline"
}

detach() { umount -R "$root" || { fuser -vm "$root" 2>&1 | sed 's/^/# /'; exit 99; }; }

kernel_root()
{
	local program link

	[ "$EUID" = 0 ] || skip "loop devices need root"
	for program in losetup mkfs.ext4 grub-mkconfig grub-reboot grub-editenv chroot jq; do
		command -v $program >/dev/null || skip "$program is not installed"
	done
	if [ -z "${PD_MOUNTS-}" ]; then
		unshare --mount --propagation private true 2>/dev/null || skip "there can be no mounts of its own here"
		PD_MOUNTS=own exec unshare --mount --propagation private bash "$0"
	fi
	tmp=$(mktemp -d) loop='' device=/dev/patchday-$$ machine=''
	trap 'cd /; [ -z "$machine" ] || kill "$machine" 2>/dev/null; umount -l "$tmp/root" 2>/dev/null; rm -f "$device"; losetup -d "$loop" 2>/dev/null; umount -l "$tmp"; rmdir "$tmp"' EXIT
	mount -t tmpfs none "$tmp" 2>/dev/null || skip "nothing can be mounted here"
	root=$tmp/root work=$tmp/work
	mkdir "$root" "$tmp/plugins"
	truncate -s "$1" "$tmp/disk"
	loop=$(losetup -f --offset "$2" --show "$tmp/disk" 2>"$tmp/errors") || skip "there can be no loop devices here: $(cat "$tmp/errors")"
	# GRUB's programs pass over what has the name of a loop device
	mkfs.ext4 -q "$loop" && mknod "$device" b 7 "${loop#/dev/loop}" || exit 99
	cp "$PD_BUILDDIR/plugins/kernel/.libs/kernel.so" "$tmp/plugins/"
	echo 'root=/dev/none ro' >"$tmp/cmdline"
	attach
	mkdir -p "$root"/{tmp,run,boot/grub,etc/apt/apt.conf.d,etc/default/grub.d,var/lib/dpkg/{info,updates},var/lib/apt/lists/partial,var/cache/apt/archives/partial,var/log/apt}
	for link in bin sbin lib lib64; do [ ! -L /$link ] || cp -P /$link "$root/"; done
	cp -r /etc/grub.d "$root/etc/" && cp /etc/passwd /etc/group "$root/etc/"
	printf 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\nGRUB_DISTRIBUTOR=Test\nGRUB_DISABLE_OS_PROBER=true\n' >"$root/etc/default/grub"
	inside grub-editenv /boot/grub/grubenv create
	old=$(uname -r) new=9999.1.0-test
}

inside() { chroot "$root" "$@"; }

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
