#!/bin/bash
# SPDX-License-Identifier: MIT
# The verdicts over packages of rpm against the dnf and the zypper of this machine:
# packages, updates, obsoletes and modules that no two runs share.  PD_SEED runs
# one again.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in python3 rpm rpmbuild createrepo_c modifyrepo_c dnf zypper; do
	command -v $tool >/dev/null || skip "$tool is not installed: nothing here was compared with it"
done
[ "$(id -u)" = 0 ] || skip "only root can fill the database of rpm in a folder"
cp "$PD_BUILDDIR"/plugins/{updateinfo,unpack}/.libs/*.so "$tmp/plugins/"
export PATCHDAY_LIBEXEC=$PD_BUILDDIR
unset http_proxy https_proxy all_proxy

# build SPEC TARGET FOLDER
build()
{
	rpmbuild -bb --quiet --target "$2" --define "_topdir $world/build" --define "_rpmdir $world/$3" \
		"$world/$1" >>"$world/log" 2>&1 && find "$world/$3" -name 'world-*' -delete
}

# make SEED: a folder of a server with its packages, and a repository
make_world()
{
	local name stream spec

	world=$tmp/world
	rm -rf "$world"
	mkdir -p "$world/root/etc/dnf/modules.d"
	python3 "$PD_SRCDIR/tests/catalogs/rpm_world.py" "$world" "$1" &&
		build installed.spec x86_64 rpms && build installed32.spec i686 rpms && build offered.spec x86_64 repo &&
		for spec in "$world"/several*.spec; do
			[ ! -e "$spec" ] || build "${spec##*/}" x86_64 rpms || return 1
		done &&
		rpm --root "$world/root" --justdb --nodeps --ignorearch --nosignature --noscripts -i \
			"$world"/rpms/*/*.rpm >>"$world/log" 2>&1 &&
		createrepo_c -q "$world/repo" && for type in updateinfo.xml modules.yaml; do
			modifyrepo_c --mdtype ${type%.*} "$world/$type" "$world/repo/repodata" >>"$world/log" || return 1
		done
	while IFS=$'\t' read -r name stream; do
		printf '[%s]\nname=%s\nstream=%s\nprofiles=\nstate=enabled\n' "$name" "$name" "$stream" \
			>"$world/root/etc/dnf/modules.d/$name.module"
	done <"$world/enabled.tsv"
	[ "$(rpm --root "$world/root" -qa | wc -l)" = "$(wc -l <"$world/installed.tsv")" ]
}

dnf_()
{
	dnf -q --installroot "$world/root" --releasever 1 --forcearch x86_64 --nogpgcheck --setopt=cachedir="$world/cache" \
		--setopt=reposdir=/nonexistent --setopt=module_platform_id=platform:x \
		--repofrompath "r,file://$world/repo" --disablerepo='*' --enablerepo=r "$@" 2>>"$world/log"
}

zypper_()
{
	zypper -q --root "$world/root" --non-interactive --no-gpg-checks "$@" 2>>"$world/log"
}

scan()
{
	"${patchday[@]}" scan "${places[@]}" --packages "$world/installed.tsv" --scheme rpm --json "$@" 2>"$world/err"
}

# "ID PACKAGE" of what is needed; two entries of one id may name the same package
needed()
{
	jq -r 'select(.verdict == "needed") | .id as $id | .packages[] | "\($id) \(.name)-\(.version).\(.arch)"' "$@" | sort -u
}

# One line "ID VERDICT" of all with that id: one that is needed, or is there
best()
{
	awk '!best[$1] || $2 == "needed" || best[$1] == "not-applicable" { best[$1] = $2 }
		END { for (id in best) print id, best[id] }' | sort
}

# "ID VERDICT" of all that have such an id
verdicts()
{
	jq -r "select(.id | startswith(\"$1\")) | \"\(.id) \(.verdict)\"" "$world/verdicts" | best
}

compare()
{
	local seed=$1

	make_world "$seed" || { cat "$world/log"; echo "Bail out! no packages with seed $seed"; exit 99; }
	scan --catalog "$world/repo" --modules "$world/enabled.tsv" >"$world/verdicts"
	dnf_ updateinfo list --available | awk '{ print $1, $NF }' | sort >"$world/available"
	dnf_ updateinfo list --installed | awk '{ print $1 }' | sort -u >"$world/installed"
	check "dnf lists something (seed $seed)" [ "$(wc -l <"$world/available")" -gt 9 ]
	# dnf takes noarch for an architecture like any other, and rpm does not
	is "needed is what dnf lists, and what is or was noarch (seed $seed)" "$(needed "$world/verdicts" | grep -v '^O')" \
		"$(while read -r line; do needed "$world/verdicts" | grep -Fx -- "$line"; done <"$world/other-arch.txt" |
			sort - "$world/available" | uniq)"
	is "installed is what dnf lists as installed, and not for an update too (seed $seed)" \
		"$(jq -r '"\(.id) \(.verdict)"' "$world/verdicts" | best | sed -n 's/ installed$//p' | sort)" \
		"$(comm -23 "$world/installed" <(needed "$world/verdicts" | cut -d' ' -f1 | sort -u))"
	# zypper has optional ones besides, and no modules; what replaces others it does not count; where
	# one of both is noarch and nothing is older, zypper calls it applied, and dnf does not
	sed 's/ .*/ (installed|not-applicable)$/; s/^/^/' "$world/other-arch.txt" >"$world/open"
	# of two entries with one id it has a patch each; dnf unites them
	# dnf measures several versions of a package by the newest, zypper by any of them
	sed 's/.*/^& /' "$world/several.txt" >>"$world/open"
	zypper_ addrepo --no-gpgcheck "file://$world/repo" r >>"$world/log"
	is "every verdict is zypper's (seed $seed)" "$(verdicts A | grep -Evf "$world/open")" "$(zypper_ list-patches --all |
		awk -F' *[|] *' '$2 ~ /^A/ { s = $6; sub("optional", "needed", s); sub("applied", "installed", s);
			sub("not needed", "not-applicable", s); print $2, s }' | best | grep -Evf "$world/open")"
	# of a package with a new name dnf says it elsewhere
	is "what replaces others is what dnf lists as such (seed $seed)" "$(needed "$world/verdicts" | grep '^O' | cut -d' ' -f2)" \
		"$(dnf_ list --obsoletes | awk '/^ / || NF < 3 { next } { sub("^0:", "", $2); at = match($1, /[.][^.]*$/)
			print substr($1, 1, at - 1) "-" $2 substr($1, at) }' | sort)"
	is "and not without primary.xml (seed $seed)" "$(scan --catalog "$world/updateinfo.xml" | needed | grep -c '^O')" 0
	is "with no stream enabled no module counts (seed $seed)" "$(scan --catalog "$world/updateinfo.xml" | needed | grep -c '^M')" 0
	rm -f "$world"/root/etc/dnf/modules.d/*
	: >"$world/none.tsv"
	dnf_ updateinfo list --available | awk '{ print $1, $NF }' | sort >"$world/available"
	is "but default streams do (seed $seed)" "$(scan --catalog "$world/repo" --modules "$world/none.tsv" | needed | grep '^M')" \
		"$(grep '^M' "$world/available")"
	is "and installed (seed $seed)" "$(scan --catalog "$world/repo" --modules "$world/none.tsv" |
		jq -r 'select((.id | startswith("M")) and .verdict == "installed") | .id' | sort)" \
		"$(dnf_ updateinfo list --installed | awk '/^M/ { print $1 }' | sort -u | comm -23 - <(cut -d' ' -f1 "$world/available"))"
	# the administrator has the last word: m0 has another one, m1 has none
	mkdir -p "$world/root/etc/dnf/modules.defaults.d"
	printf -- '---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: %s\n%s...\n' m0 $'  stream: "2"\n' m1 '' \
		>"$world/root/etc/dnf/modules.defaults.d/own.yaml"
	dnf_ updateinfo list --available | awk '{ print $1, $NF }' | sort >"$world/available"
	jq -Rn '{ "x-modules": [], "x-module-defaults": [{ name: "m0", stream: "2" }, { name: "m1", stream: "" }],
		packages: [inputs | select(startswith("#") | not) | split("\t") | { name: .[0], arch: .[4], scheme: "rpm",
			version: ((if .[1] == "0" or .[1] == "" then "" else .[1] + ":" end) + .[2] + "-" + .[3]) }] }' \
		<"$world/installed.tsv" >"$world/facts.json"
	is "what the administrator has set counts before (seed $seed)" \
		"$("${patchday[@]}" scan "${places[@]}" --facts "$world/facts.json" --json --catalog "$world/repo" 2>"$world/err" | needed | grep '^M')" \
		"$(grep '^M' "$world/available")"
}

compare "${PD_SEED:-$((RANDOM * 32768 + RANDOM))}"
[ -n "${PD_SEED:-}" ] || compare $((RANDOM * 32768 + RANDOM))
end
