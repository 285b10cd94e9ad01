#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes the root and the package source of the servers with rpm packages, from a base's own package source: a Debian
# root is packed package by package as it is installed, and a new root is installed from these by dnf. No network.
# Called by build.sh as rpm-build.sh BASE REFRESH.
# shellcheck disable=SC2016 # scripts for the Debian root's shell are not to be expanded here
set -euo pipefail

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lab/lib.sh
. "$lab_dir/lib.sh"
# shellcheck source=tests/lab/parts.sh
. "$lab_dir/parts.sh"

base=$1 refresh=$2
target=$base/$(kind_folder rpm)
codename=$(release_codename)
work=

cleanup() {
	[[ -z $work || ! -d $work ]] || rm -rf --one-file-system "$work"
}

# The root that is packed, with the programs that pack it: those of the machine may be others.
make_debian() {
	local include
	include=$(package_list "$lab_dir/packages.rpm" | paste -sd,),createrepo-c,gpg,gpg-agent
	contained mmdebstrap --mode=root --variant=apt --format=directory --include="$include" \
		--hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		"$codename" "$work/debian" "deb [signed-by=$base/keyring.gpg] file:$base/mirror $codename main"
}

# COMMAND...: in the Debian root, with itself as /build/root, read-only, and the rest of the work beside it
in_debian() {
	contained bash -euc '
		work=$1 root=$1/debian
		shift
		mkdir -p "$root"/build/{root,work,mirror}
		mount --bind "$root" "$root/build/root"
		mount -o remount,bind,ro "$root/build/root"
		mount --bind "$work" "$root/build/work"
		mount --bind "$base/mirror" "$root/build/mirror"
		mount -t proc proc "$root/proc"
		mount -t tmpfs tmpfs "$root/run"
		mount --bind /dev "$root/dev"
		exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8 \
			GNUPGHOME=/build/work/gnupg DEBIAN_FRONTEND=noninteractive "$@"
	' in_debian "$work" "$@"
}

settings() {
	local root=$work/debian
	install -d -m 755 "$root"/{srv/mirror,srv/volume,var/log/journal,etc/systemd/journald.conf.d,etc/rpm,etc/yum.repos.d} &&
		printf '[Journal]\nStorage=persistent\n' >"$root/etc/systemd/journald.conf.d/lab.conf" &&
		echo '%_dbpath /var/lib/rpm' >"$root/etc/rpm/macros" &&
		printf '%s\n' 'ID=labrpm' 'ID_LIKE="rhel fedora"' 'NAME="Lab"' 'VERSION_ID=12' 'PRETTY_NAME="patchday lab, rpm"' \
			>"$root/usr/lib/os-release" &&
		: >"$root/etc/resolv.conf" && : >"$root/etc/machine-id" && echo '127.0.0.1 localhost' >"$root/etc/hosts" &&
		install -d -m 700 "$root/root/.ssh" &&
		printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nUseDNS no\nPermitRootLogin prohibit-password\n' \
			>"$root/etc/ssh/sshd_config.d/lab.conf" &&
		rm -f "$root"/etc/ssh/ssh_host_* &&
		printf '[%s]\nname=%s\nbaseurl=file:///srv/mirror/%s\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file:///srv/mirror/RPM-GPG-KEY-lab\n' \
			lab Lab release lab-updates 'Lab, updates' updates >"$root/etc/yum.repos.d/lab.repo" &&
		in_debian sh -ec 'systemctl enable systemd-networkd ssh cron apache2
			systemctl mask systemd-networkd-wait-online.service console-getty.service'
}

# REPOSITORY [SPEC-OPTION...]: packs what is installed now
pack() {
	local repository=$1
	shift
	mkdir -p "$work/mirror/$repository" "$work/lists" "$work/gnupg" &&
		cp "$lab_dir/rpm-spec.pl" "$work/" &&
		in_debian sh -ec 'repository=$1; shift
			/build/work/rpm-spec.pl /build/root /build/work/lists "$@" >/build/work/debian.spec
			rpmbuild -bb --noclean --quiet --buildroot /build/root --define "_topdir /build/work/rpmbuild" \
				--define "_rpmdir /build/work/mirror/$repository" \
				--define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" /build/work/debian.spec' \
			sh "$repository" "$@"
}

# The real updates that the base's package source has for this root.
upgrade() {
	in_debian sh -ec '
		/build/work/rpm-spec.pl /build/root --versions >/build/work/versions
		echo "deb [trusted=yes] file:/build/mirror $1 main
deb [trusted=yes] file:/build/mirror $1-security main" >/etc/apt/sources.list
		rm -f /etc/apt/sources.list.d/*
		printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d
		chmod 755 /usr/sbin/policy-rc.d
		apt-get -q update --error-on=any
		apt-get -q -y -o Dpkg::Options::=--force-confold dist-upgrade
		rm -f /usr/sbin/policy-rc.d' sh "$codename"
}

made_up() {
	cp "$lab_dir/rpm-updates.sh" "$work/" && in_debian bash /build/work/rpm-updates.sh
}

# As on a real server: everything through dnf and the signed repository.
install_root() {
	local -a packages
	mapfile -t packages < <(package_list "$lab_dir/packages.rpm")
	mkdir -p "$work/root" &&
		in_debian sh -ec '
			target=/build/work/root
			essential=$(dpkg-query -W -f "\${Essential} \${Package}\n" | sed -n "s/^yes //p" | grep -vx dpkg)
			rpm --root $target --initdb
			rpm --root $target --import /build/work/mirror/RPM-GPG-KEY-lab
			dnf -y -q --installroot=$target --releasever=12 --setopt=reposdir=/nonexistent --setopt=cachedir=/build/work/dnf \
				--setopt=logdir=/build/work --setopt=install_weak_deps=0 --setopt=tsflags=nodocs --disableplugin="*" \
				--repofrompath=lab,file:///build/work/mirror/release --setopt=lab.gpgcheck=1 --setopt=lab.repo_gpgcheck=1 \
				--setopt=lab.gpgkey=file:///build/work/mirror/RPM-GPG-KEY-lab install $essential "$@"
			cp -a /build/root/dev/. $target/dev/
			chroot $target ldconfig
			rm -rf $target/var/log/dnf* $target/build
			find $target/run $target/tmp $target/var/tmp $target/var/cache/dnf -mindepth 1 -delete' sh "${packages[@]}" \
			lab-base lab-clock lab-tool lab-old lab-core
}

publish() {
	: >"$work/done"
	rm -rf "$work"/{debian,lists,rpmbuild,gnupg,dnf,versions,rpm-spec.pl,rpm-updates.sh} "$work"/*.spec "$work"/*.log
	mv -T "$work" "$target"
	work=
}

main() {
	local old fd
	if [[ -e $target/done && -z $refresh ]]; then
		say "already built: $target"
		return
	fi
	SECONDS=0
	work=$(mktemp -d "$lab_cache/.building.XXXXXX")
	chmod 755 "$work"
	trap cleanup EXIT
	trap 'exit 130' INT TERM HUP
	export base
	part "Debian root to pack (mmdebstrap)" make_debian
	part "configuration of the servers" settings
	part "packages of the release" pack release
	part "updates of the Debian root" upgrade
	part "packages of the updates" pack updates --since /build/work/versions
	part "made-up packages, repositories" made_up
	part "root (dnf --installroot)" install_root
	# No lab runs on an older one while this lock is to be had.
	exec {fd}<"$base/lock"
	if flock -n -x "$fd"; then
		for old in "$base"/rpm-*; do [[ ! -d $old ]] || rm -rf --one-file-system "$old"; done
	fi
	exec {fd}<&-
	publish
	say "built in $SECONDS s: $(find "$target/mirror/updates" -name '*.rpm' | wc -l) packages to update"
}

main
