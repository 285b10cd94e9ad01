# SPDX-License-Identifier: MIT
# Sourced with $tmp set: the installed oscap on a root with packages of dpkg.
# shellcheck shell=bash disable=SC2154

# The root that oscap's probes look at; apt's library reads the status there.
mkdir -p "$tmp"/root/{etc/apt/{preferences.d,sources.list.d},usr/share,var/lib/{dpkg,apt/lists/partial},var/cache/apt}
cp -r /usr/share/dpkg "$tmp/root/usr/share/"
printf 'DISTRIB_ID=Ubuntu\nDISTRIB_CODENAME=focal\n' >"$tmp/root/etc/lsb-release"
touch "$tmp/root/etc/apt/sources.list"
printf 'Dir::Etc::parts "nothing";\nAPT::Architecture "amd64";\n' >"$tmp/apt.conf"

# oscap_packages LIST: what is installed there
oscap_packages()
{
	awk -F'\t' '!/^#/ {
		printf "Package: %s\nStatus: install ok installed\nArchitecture: %s\nMaintainer: x\nDescription: x\n", $1, $5
		printf "Version: %s%s%s\n\n", $2 != "0" && $2 != "" ? $2 ":" : "", $3, $4 != "" ? "-" $4 : "" }' \
		"$1" >"$tmp/root/var/lib/dpkg/status"
}

oscap_eval()
{
	APT_CONFIG=$tmp/apt.conf OSCAP_PROBE_ROOT=$tmp/root oscap oval eval --skip-validation "$@" 2>/dev/null
}
