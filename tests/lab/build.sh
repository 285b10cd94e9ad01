#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes the servers' base root and their frozen package source; called as `lab build [--kind rpm] [--refresh]`.
set -euo pipefail

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lab/lib.sh
. "$lab_dir/lib.sh"
# shellcheck source=tests/lab/parts.sh
. "$lab_dir/parts.sh"

# Fewer and the machine's package source is broken, or the release is so new that there is nothing to update:
# then no test of a patch day means anything.
least_upgradable=21

work=

cleanup() {
	[[ -z $work || ! -d $work ]] || rm -rf --one-file-system "$work"
}

check_machine() {
	local package
	local -a missing=()
	[[ $(. /etc/os-release && echo "$ID") == debian ]] ||
		die "the servers are made from the machine's own Debian release, and this machine is not Debian"
	while read -r package; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
	done < <(package_list "$lab_dir/packages.host")
	((${#missing[@]} == 0)) ||
		die "the machine lacks Debian packages; install them with: apt-get install --no-install-recommends ${missing[*]}"
}

# Writes the machine's own Debian package source, one suite a file: base.list and updates.list. apt itself
# tells, so both forms of its configuration do. Nobody else's source has Debian's origin. Its proxies: proxies.
read_machine_source() {
	local codename=$1 origin release uri entry keyring list
	# shellcheck disable=SC2016 # apt fills it in
	local format='$(ORIGIN)|$(RELEASE)|$(REPO_URI)|$(SOURCESENTRY)'
	: >"$work/base.list"
	: >"$work/updates.list"
	while IFS='|' read -r origin release uri entry; do
		[[ $origin == Debian ]] || continue
		keyring=$(sed -nE 's/^Signed-By:[[:space:]]*(\/.*)$/\1/p; s/.*[[ ]signed-by=(\/[^] ]+).*/\1/p' "${entry%:*}" | head -n 1)
		case $release in
		"$codename") list=base.list ;;
		"$codename-security" | "$codename-updates") list=updates.list ;;
		*) continue ;;
		esac
		printf 'deb %s%s %s main\n' "${keyring:+[signed-by=$keyring] }" "$uri" "$release" >>"$work/$list"
	done < <(apt-get indextargets --format "$format" 'Created-By: Packages' 'Component: main')
	[[ -s $work/base.list ]] ||
		die "the machine's apt configuration has no Debian source for '$codename', or apt-get update was never run"
	[[ -s $work/updates.list ]] ||
		die "the machine's apt configuration has no '$codename-security' source: there would be nothing to update"
	apt-config dump | grep -E '^Acquire::https?::[^ ]*Proxy' >"$work/proxies" || true
}

# The release as it was published, without what came since: so that there is a real patch day ahead.
make_root() {
	local include
	include=$(package_list "$lab_dir/packages.root" | paste -sd,)
	contained mmdebstrap --mode=root --variant=apt --format=directory --include="$include" \
		--skip=essential/unlink --customize-hook="sync-out /var/cache/apt/archives $work/debs" \
		--aptopt="$work/proxies" "$1" "$work/root" - <"$work/base.list"
}

make_mirror() { contained "$lab_dir/mirror.sh" "$work" "$lab_cache/key" "$1"; }

prepare() { contained "$lab_dir/prepare.sh" "$work" "$1"; }

# The first boot happens once, here, so that the clones start ready: accounts, print queues.
first_boot() {
	local status=0
	"$lab_dir/lab" up --owner $$ build &&
		"$lab_dir/lab" exec build -- bash -s <"$lab_dir/setup.sh" &&
		"$lab_dir/lab" down build || status=$?
	((status == 0)) || "$lab_dir/lab" log build
	"$lab_dir/lab" destroy
	return "$status"
}

# What must not be the same in two clones, and what only the building left.
freeze() {
	local root=$work/root
	: >"$root/etc/machine-id" &&
		: >"$root/etc/hostname" &&
		echo '127.0.0.1 localhost' >"$root/etc/hosts" &&
		rm -rf "$root"/etc/ssh/ssh_host_* "$root"/etc/systemd/network/10-host0.network "$root"/var/log/journal/* \
			"$root"/var/lib/systemd/random-seed "$root"/var/lib/systemd/credential.secret &&
		find "$root/var/log" -type f -exec truncate -s 0 {} + &&
		find "$root/tmp" "$root/var/tmp" "$root/run" -mindepth 1 -delete
}

publish() {
	local name=$1 target
	target=$lab_cache/$name.$(date +%Y%m%d%H%M%S)
	: >"$work/lock"
	: >"$work/done"
	rm -f "$lab_cache/failed.log"
	rm -rf "$work"/{debs,apt,state,proxies,base.list,updates.list,id_ed25519*}
	mv "$work" "$target"
	ln -sfn "$(basename "$target")" "$lab_cache/$name.new"
	mv -T "$lab_cache/$name.new" "$lab_cache/$name"
}

# Removes what killed builds left, and all builds but this one, unless a lab runs on them: it holds their lock.
prune() {
	local current old fd
	current=$(readlink -f "$lab_cache/$1")
	rm -rf --one-file-system "$lab_cache"/.building.*
	for old in "$lab_cache"/*/; do
		old=${old%/}
		[[ -e $old/done && ! -L $old && $old != "$current" ]] || continue
		exec {fd}<"$old/lock"
		if flock -n -x "$fd"; then rm -rf --one-file-system "$old"; fi
		exec {fd}<&-
	done
	for old in "$lab_cache"/*; do
		[[ ! -L $old || -e $old ]] || rm -f "$old"
	done
}

build_base() {
	local refresh=$1 codename name count
	SECONDS=0
	codename=$(release_codename)
	name=$(recipe_digest)
	if [[ -e $lab_cache/$name/done && -z $refresh ]]; then
		say "already built: $lab_cache/$name ($(<"$lab_cache/$name/upgradable") packages to update)"
		prune "$name"
		return
	fi
	work=$(mktemp -d "$lab_cache/.building.XXXXXX")
	chmod 755 "$work"
	trap cleanup EXIT
	trap 'exit 130' INT TERM HUP
	: >"$work/lock"
	mkdir "$work/debs"
	# The first boot is a lab of its own, whatever the caller's is called.
	export PD_LAB=build-$$ PD_LAB_STATE=$work/state LAB_DIRECT=$work
	read_machine_source "$codename"
	part "base root of $codename (mmdebstrap)" make_root "$codename"
	part "updates and frozen package source" make_mirror "$codename"
	count=$(<"$work/upgradable")
	((count >= least_upgradable)) ||
		die "only $count packages of the root can be updated, fewer than $least_upgradable: is the machine's security source reachable and current?"
	part "configuration of the servers" prepare "$codename"
	part "first boot: accounts, queues, checks" first_boot
	part "freezing" freeze
	publish "$name"
	prune "$name"
	awk -v n="$count" -v s="$SECONDS" 'BEGIN { printf "lab: built in %d s; %d packages to update\n", s, n }' >&2
}

main() {
	local refresh='' kind=debian
	while (($# > 0)); do
		case $1 in
		--refresh) refresh=yes ;;
		--kind) kind=${2:-none}; shift ;;
		*) die "build: unknown option $1; see: lab help" ;;
		esac
		shift
	done
	[[ $kind == debian || $kind == rpm ]] || die "build: --kind '$kind': there are debian and rpm"
	check_machine
	mkdir -p "$lab_cache"
	exec {build_fd}>>"$lab_cache/.build.lock"
	flock -n -x "$build_fd" || { say "another build is running; waiting for it"; flock -x "$build_fd"; }
	build_base "$refresh"
	[[ $kind != rpm ]] || "$lab_dir/rpm-build.sh" "$(readlink -f "$lab_cache/$(recipe_digest)")" "$refresh"
}

main "$@"
