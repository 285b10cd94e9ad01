# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by tests that need what the machine's kernel may not have: after the
# cases of tests/style/tap.sh.  The script runs once more, as the init of a kernel of its own
# (user-mode Linux), which has the machine's root read-only.
#
#   outside                 is this the first of the two?
#   uml MEMORY DISK=SIZE... outside: run the script inside, with disks ubdb, ubdc ...; ends it
#   inside                  inside: what is mounted in each of them
#   module NAME...          inside: load them
#   finish                  inside: the end, in place of end

outside() { [ $$ != 1 ]; }

# with a program of the build in $1
uml()
{
	local memory=$1 disks=() disk

	[ "$(id -u)" = 0 ] || skip "it needs root"
	command -v linux.uml >/dev/null || skip "linux.uml is not installed"
	[ -d /usr/lib/uml/modules ] || skip "the modules of user-mode Linux are not installed"
	! grep -qa __asan_init "$PD_BUILDDIR/tests/tools/pd-step" || skip "that kernel's processes have no room for AddressSanitizer"
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	for disk in "${@:2}"; do
		truncate -s "${disk#*=}" "$tmp/${disk%%=*}"
		disks+=("${disk%%=*}=$tmp/${disk%%=*}")
	done
	timeout 300 linux.uml mem="$memory" root=/dev/root rootfstype=hostfs ro quiet con=null con0=null,fd:1 \
		init="$(realpath "$0")" "${disks[@]}" uml_dir="$tmp" \
		PD_SRCDIR="$(realpath "$PD_SRCDIR")" PD_BUILDDIR="$(realpath "$PD_BUILDDIR")" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		</dev/null 2>&1 | tr -d '\r' >"$tmp/console"
	grep -E '^(ok|not ok|#|[0-9]+\.\.)' "$tmp/console"
	grep -q '^1\.\.[1-9]' "$tmp/console" || { echo "Bail out! the kernel did not come to the end"; tail -n 30 "$tmp/console"; exit 1; }
	! grep -q '^not ok' "$tmp/console"
	exit
}

inside() { mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t tmpfs tmp /mnt; }

module()
{
	local name

	for name; do
		perl -e 'open(F, "<", $ARGV[0]) or exit 1; exit(syscall(313, fileno(F), my $none = "", 0) != 0)' \
			"$(find "/usr/lib/uml/modules/$(uname -r)" -name "$name.ko")" || echo "# no module $name"
	done
}

finish() { end; echo o >/proc/sysrq-trigger; sleep 60; }
