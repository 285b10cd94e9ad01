# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by tests that need what the kernel here may not have, or a boot: after the cases of tests/style/tap.sh.  A machine of
# qemu's, with Debian's kernel out of the lab's package source.
#
#   debian_kernel    sets $deb, its package; skips where there can be no machine
#   accelerator IMAGE  sets $accelerator, what makes qemu fast here; tried with that kernel
#
# For tests that run in it as a whole.  The script runs twice: outside it says what it needs, inside it is all there is, on
# a root in memory that has nothing but that.
#
#   outside          is this the first of the two?
#   machine MEMORY   outside: run the script inside, and end as it does.  It has $programs, the programs and files ($files)
#                    with their libraries; $modules of the kernel, loaded; and $disks, their sizes: vda, vdb ...
#   machine_files, machine_on MEMORY OPTION...  its two halves, for another way to boot

outside() { [ -z "${PD_MACHINE-}" ]; }

debian_kernel()
{
	local program

	[ "$(uname -m)" = x86_64 ] || skip "the machine and its kernel are of x86 alone"
	for program in qemu-system-x86_64 cpio busybox dpkg-deb; do
		command -v $program >/dev/null || skip "$program is not installed"
	done
	! ldd "$(command -v busybox)" >/dev/null 2>&1 || skip "busybox needs libraries (busybox-static has none)"
	deb=$(find "${PD_LAB_CACHE:-/var/cache/patchday-lab}"/*/mirror -name 'linux-image-*-cloud-amd64_*.deb' 2>/dev/null | sort -V | tail -n 1)
	[ -n "$deb" ] || skip "the lab is not built: a kernel comes from its package source"
}

# What TCG has translated it finds again when programs lie where others lay, and there is room for all of it: twice
# as fast.  Linux looks whether its timer ticks, by a delay in which that may not get a processor here: then it panics.
fast="mitigations=off nokaslr norandmaps no_timer_check"
# KVM may be there and not do: in a guest of a cloud it can be one without the processor's help (kvm_pvm), on which this
# kernel hangs.  Without a root it has to come to its panic, and qemu to its end.
accelerator()
{
	accelerator=(-accel tcg,tb-size=512 -cpu max)
	[ -d /sys/module/kvm_intel ] || [ -d /sys/module/kvm_amd ] || return 0
	timeout 10 qemu-system-x86_64 -accel kvm -cpu max -m 192 -display none -serial none -monitor none -net none -no-reboot \
		-kernel "$1" -append panic=-1 </dev/null >/dev/null 2>&1 && accelerator=(-accel kvm -accel tcg,tb-size=512 -cpu max)
	return 0
}

# bring FILE...: into the root of the machine, with the libraries that it needs
bring()
{
	local file real

	for file in "$@" $(ldd "$@" 2>/dev/null | sed -n 's/^\t\(.* => \)\?\(\/[^ ]*\) (0x.*/\2/p' | sort -u); do
		real=$(realpath "$file") && cp --parents "$real" "$root/" || exit 99
		[ -e "$root$file" ] || { mkdir -p "$root${file%/*}" && ln -s "$real" "$root$file"; }
	done
}

# the modules, and what they need; busybox finds its way among them
bring_modules()
{
	local module path tree

	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp" ./boot ./lib/modules || exit 99
	tree=$(echo "$tmp"/lib/modules/*)
	busybox depmod -b "$tmp" "${tree##*/}" || exit 99
	for module; do
		for path in $(sed -n "s,^\([^:]*/$module\.ko\):,\1,p" "$tree/modules.dep"); do
			(cd "$tmp" && cp --parents "lib/modules/${tree##*/}/$path" "$root/usr/") || exit 99
		done
	done
	cp "$tree/modules.dep" "$root/usr/lib/modules/${tree##*/}/" || exit 99
}

# What libxml2 has beside it for text in other encodings is half of the root, and is read by a firmware, unpacked, and never used.
small_unicode()
{
	local library version

	for library in "$root"/usr/lib/*/libicudata.so.*.*; do
		[ -e "$library" ] || return 0
		version=${library##*.so.} version=${version%%.*}
		echo "const char icudt${version}_dat[64] = { 0 };" | cc -shared -fPIC -x c -o "$tmp/data" - 2>/dev/null && cat "$tmp/data" >"$library"
	done
}

bring_all()
{
	local program link found=()

	mkdir -p "$root"/{dev,etc,mnt,proc,root,run,sys,tmp,usr/bin,usr/sbin,usr/lib,usr/lib64}
	for link in bin sbin lib lib64; do ln -s "usr/$link" "$root/$link"; done
	for program in bash busybox mount "${programs[@]}"; do
		found+=("$(type -P "$program")") || skip "$program is not installed"
	done
	bring "${found[@]}" "${files[@]}" /etc/passwd /etc/group /etc/nsswitch.conf "$PD_SRCDIR/tests/style/tap.sh" \
		"$PD_SRCDIR/tests/plugins/machine.sh" "$(realpath "$0")" "$PD_BUILDDIR/tests/tools/pd-step"
	small_unicode
	bring_modules virtio_pci virtio_blk "${modules[@]}"
	ln -s /proc/self/mounts "$root/etc/mtab"
	cat >"$root/init" <<-END
		#!/bin/bash
		mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t devtmpfs dev /dev
		exec </dev/null >/dev/ttyS1 2>&1
		busybox modprobe -a virtio_pci virtio_blk ${modules[*]}
		export PATH=/usr/sbin:/usr/bin LC_ALL=C PD_MACHINE=yes $(printf '%q ' PD_SRCDIR="$PD_SRCDIR" PD_BUILDDIR="$PD_BUILDDIR" \
			ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}")
		bash $(printf %q "$(realpath "$0")")
		busybox poweroff -f
	END
	chmod 755 "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet >"$tmp/initrd") || exit 99
}

# machine_files: $tmp/initrd, $tmp/boot/vmlinuz-*, and the disks
machine_files()
{
	local size name=a

	debian_kernel
	PD_SRCDIR=$(realpath "$PD_SRCDIR") PD_BUILDDIR=$(realpath "$PD_BUILDDIR")
	tmp=$(mktemp -d) root=$tmp/root drives=()
	trap 'rm -rf "$tmp"' EXIT
	bring_all
	for size in "${disks[@]}"; do
		truncate -s "$size" "$tmp/vd$name"
		drives+=(-drive "file=$tmp/vd$name,format=raw,if=virtio,cache=unsafe")
		name=$(tr a-y b-z <<<"$name")
	done
}

# machine_on MEMORY OPTION...: of qemu's, which say what is booted
machine_on()
{
	accelerator "$tmp"/boot/vmlinuz-*
	echo "# ${accelerator[*]}"
	# a busy machine without KVM takes minutes
	timeout 1800 qemu-system-x86_64 "${accelerator[@]}" -m "$1" -nodefaults -display none -serial "file:$tmp/console" -serial "file:$tmp/out" \
		"${drives[@]}" "${@:2}" </dev/null >"$tmp/qemu" 2>&1
	tr -d '\r' <"$tmp/out" | grep -av BdsDxe # a firmware's words
	grep -q '^1\.\.[1-9]' "$tmp/out" || { echo "Bail out! the machine did not come to the end"; tail -n 30 "$tmp/console" "$tmp/qemu"; exit 1; }
	! grep -q '^not ok' "$tmp/out"
	exit
}

machine()
{
	machine_files
	machine_on "$1" -no-reboot -kernel "$tmp"/boot/vmlinuz-* -initrd "$tmp/initrd" -append "console=ttyS0 quiet panic=-1 $fast"
}
