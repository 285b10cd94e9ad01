#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes the servers' package source: fetches the updates once and signs both suites; called by build.sh as
# mirror.sh WORK KEY CODENAME, in a mount namespace of its own.
set -euo pipefail

work=$1 key=$2 codename=$3
lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lab/lib.sh
. "$lab_dir/lib.sh"
architecture=$(dpkg --print-architecture)
mirror=$work/mirror

# LIST COMMAND...: apt-get for the packages of the root, with folders of its own and only the sources of LIST.
apt_for_root() {
	local list=$1 apt=$work/apt
	shift
	mkdir -p "$apt"/{etc/apt.conf.d,etc/preferences.d,state/lists/partial,cache/archives/partial,log}
	cp "$work/$list" "$apt/etc/sources.list"
	{
		printf 'Dir::%s;\n' "Etc \"$apt/etc\"" 'Etc::Parts "apt.conf.d"' 'Etc::SourceList "sources.list"' \
			'Etc::SourceParts "none"' "State \"$apt/state\"" "State::status \"$work/root/var/lib/dpkg/status\"" \
			"Cache \"$apt/cache\"" "Log \"$apt/log\""
		# Another apt-get may be at work on this machine: none of the machine's own hooks may run from here.
		printf '#clear %s;\n' APT::Update::Post-Invoke APT::Update::Post-Invoke-Success DPkg::Post-Invoke
		printf 'APT::Sandbox::User "root";\nAcquire::Languages "none";\nAPT::Install-Recommends "false";\n'
		cat "$work/proxies"
	} >"$apt/apt.conf"
	APT_CONFIG=$apt/apt.conf apt-get -y "$@"
}

# Moves fetched packages into a pool, under names as in Debian's own (without the epoch).
into_pool() {
	local deb name
	mkdir -p "$mirror/pool/$2"
	for deb in "$1"/*.deb; do
		name=$(basename "$deb")
		mv "$deb" "$mirror/pool/$2/${name/_+([0-9])%3a/_}"
	done
}

# SUITE POOL LABEL SUITE-FIELD
write_suite() {
	local suite=$1 pool=$2 dist=$mirror/dists/$1
	mkdir -p "$dist/main/binary-$architecture"
	(
		cd "$mirror"
		apt-ftparchive -o APT::FTPArchive::MD5=false -o APT::FTPArchive::SHA1=false -o APT::FTPArchive::SHA512=false \
			packages "pool/$pool" >"$dist/main/binary-$architecture/Packages"
	)
	gzip -9kn "$dist/main/binary-$architecture/Packages"
	apt-ftparchive -o APT::FTPArchive::Release::Origin=Debian -o "APT::FTPArchive::Release::Label=$3" \
		-o "APT::FTPArchive::Release::Suite=$4" -o "APT::FTPArchive::Release::Codename=$suite" \
		-o "APT::FTPArchive::Release::Architectures=$architecture" -o APT::FTPArchive::Release::Components=main \
		release "$dist" >"$work/Release"
	mv "$work/Release" "$dist/Release"
	gpg --batch --yes --clearsign --output "$dist/InRelease" "$dist/Release"
	gpg --batch --yes --armor --detach-sign --output "$dist/Release.gpg" "$dist/Release"
}

# What the real suites call themselves, so that pinning and origin patterns work as on a real server.
real_suite() {
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format '$(ORIGIN)|$(RELEASE)|$(LABEL)|$(SUITE)' 'Created-By: Packages' |
		sed -n "s/^Debian|$1|//p" | head -n 1
}

shopt -s extglob

# The machine's own name for the key's folder may be longer than a socket's name can be.
[[ -d $key ]] || install -d -m 0700 "$key"
mount --bind "$key" /mnt
export GNUPGHOME=/mnt
gpg --batch --list-secret-keys lab@localhost >/dev/null 2>&1 ||
	gpg --batch --passphrase '' --quick-gen-key 'patchday lab <lab@localhost>' ed25519 sign never
gpg --batch --export lab@localhost >"$work/keyring.gpg"

mapfile -t extra < <(package_list "$lab_dir/packages.extra")
updated=(dovecot-imapd nginx postgresql squid)
apt_for_root base.list update --error-on=any
apt_for_root base.list install --download-only "${extra[@]}"
mv "$work"/apt/cache/archives/*.deb "$work/debs/"

cat "$work/base.list" >>"$work/updates.list"
apt_for_root updates.list update --error-on=any
apt_for_root updates.list --simulate dist-upgrade | grep -c '^Inst .* \[' >"$work/upgradable"
apt_for_root updates.list dist-upgrade --download-only
# not installed yet, and updated by tests of their own
apt_for_root updates.list install --download-only "${updated[@]}"

into_pool "$work/debs" base
into_pool "$work/apt/cache/archives" security
IFS='|' read -r label suite < <(real_suite "$codename")
write_suite "$codename" base "$label" "$suite"
IFS='|' read -r label suite < <(real_suite "$codename-security")
write_suite "$codename-security" security "$label" "$suite"
gpgconf --kill all
