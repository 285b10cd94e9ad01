#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin updateinfo against what dnf, zypper and other readers of the format
# say: catalogs and expectations that are not part of patchday, in PD_SHARED.
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
shared=${PD_SHARED:-$PD_SRCDIR/../shared}/data/catalogs
[ -d "$shared/dnf-ci" ] || skip "PD_SHARED has no catalogs (there is no $shared/dnf-ci)"
command -v jq >/dev/null || skip "jq is not installed"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -m 755 "$tmp/plugins"
cp "${PD_BUILDDIR:?}"/plugins/{updateinfo,unpack}/.libs/*.so "$tmp/plugins/"
export PATCHDAY_LIBEXEC=$PD_BUILDDIR

pd()
{
	"$PD_BUILDDIR/patchday" "$@" --plugin-dir "$tmp/plugins" --state "$tmp/state" 2>"$tmp/err"
}

# scan CATALOG: the verdicts over what installed.tsv has
scan()
{
	pd scan --catalog "$1" --packages "$tmp/installed.tsv" --scheme rpm --json
}

# ------------------------------------------------------- dnf's own test suite
# case N: name, epoch, version, release and arch of what is installed
installed()
{
	jq -r ".cases[$1].installed[]" "$shared/dnf-ci/cases.json" |
		sed -E 's/^(.*)-([0-9]+):([^-]+)-([^-]+)\.([^.]+)$/\1\t\2\t\3\t\4\t\5/' >"$tmp/installed.tsv"
}

# repository NAME: what is there of it, with a repomd.xml; its path
repository()
{
	local to=$tmp/repos/$1/repodata part file

	[ -d "$to" ] || {
		mkdir -p "$to"
		for part in primary updateinfo; do
			file=$shared/dnf-ci/repos/$1/$part.xml.gz
			cp "$file" "$to" && printf '<data type="%s"><checksum type="sha256">%s</checksum><location href="repodata/%s"/></data>' \
				$part "$(sha256sum <"$file" | cut -d' ' -f1)" $part.xml.gz
		done >"$to/parts"
		printf '<repomd xmlns="http://linux.duke.edu/metadata/repo">%s</repomd>' "$(cat "$to/parts")" >"$to/repomd.xml"
	}
	echo "$tmp/repos/$1"
}

# The verdicts over the repositories of a case, each with its kind, aliases, and
# what is offered as NAME-VERSION-RELEASE.ARCH.
verdicts()
{
	local repo file

	for repo in $(jq -r ".cases[$1].repos[]" "$shared/dnf-ci/cases.json"); do
		file=$shared/dnf-ci/repos/$repo/updateinfo.xml
		[ -f "$file" ] || continue
		[[ $command == *obsoletes=false* ]] || file=$(repository "$repo")
		scan "$file" >"$tmp/verdicts"
		pd catalog show --json "$file" >"$tmp/updates"
		jq -c --slurpfile updates "$tmp/updates" '. as $v |
			($updates[] | select(.id == $v.id)) as $u | { id, verdict, kind: $u.kind,
			aliases: [$u.relations[] | select(.kind == "alias") | .target],
			offered: [$v.packages[] | "\(.name)-\(.version | sub("^[0-9]+:"; "")).\(.arch)"],
			listed: [$u.packages[] | "\(.name)-\(.version | sub("^[0-9]+:"; "")).\(.arch)"] }' \
			"$tmp/verdicts"
	done >"$tmp/all"
}

# needed [FILTER]: as dnf lists them, "ID PACKAGE"
needed()
{
	jq -r "select(.verdict == \"needed\") | select(${1:-true}) | .id as \$id | .offered[] | \"\(\$id) \(.)\"" \
		"$tmp/all" | sort
}

# counted: as its summaries count them
counted()
{
	jq -r 'select(.verdict == "needed") | .kind' "$tmp/all" | sort | uniq -c |
		awk '{ print $1, toupper(substr($2, 1, 1)) substr($2, 2) }'
}

# What is expected: first and last word of each line, and what stands before.
wanted()
{
	jq -r ".cases[$1].$2[]" "$shared/dnf-ci/cases.json" | grep -v '^Updates Information' |
		awk '{ print ($1 == "i" ? $2 : $1), $NF }' | sort
}

# compare N TEXT GOT
compare()
{
	is "dnf: $2 ($1)" "$(sed 's/\.fc29\.x86_64$/.x86_64/' <<<"$3")" \
		"$(wanted "$1" expected_lines | sed 's/\.fc29\.x86_64$/.x86_64/')"
}

cases=$(jq '.cases | length' "$shared/dnf-ci/cases.json")
for ((n = 0; n < cases; n++)); do
	command=$(jq -r ".cases[$n].command" "$shared/dnf-ci/cases.json")
	installed "$n"
	verdicts "$n"
	case $command in
	repoquery*--obsoletes) # of the packages that updates bring
		is "dnf: $command ($n)" "$(jq -r ".packages[] | select(\"repoquery \\(.name)-\\(.version).\\(.arch) --obsoletes\" ==
			\"$command\") | .replaces" "$tmp/updates" | sort -u)" "$(jq -r ".cases[$n].expected_lines[]" \
			"$shared/dnf-ci/cases.json")" ;;
	*summary*) is "dnf: $command ($n)" "$(counted)" "$(jq -r ".cases[$n].expected_lines[]" \
		"$shared/dnf-ci/cases.json" | awk '/notice/ { print $1, $2 }' | sort -k2)" ;;
	*'info'*security*) is "dnf: $command ($n)" "$(needed '.kind == "security"')" "" ;;
	*--installed*) is "dnf: $command ($n)" "$(jq -r 'select(.verdict == "installed") | .id' "$tmp/all")" \
		"$(wanted "$n" expected_lines | cut -d' ' -f1)" ;;
	*--all*security*) is "dnf: $command ($n)" \
		"$(jq -r 'select(.kind == "security" and .verdict == "installed") | .id' "$tmp/all")" \
		"$(wanted "$n" expected_lines | cut -d' ' -f1)" ;;
	*bugfix*) compare "$n" "$command" "$(needed '.kind == "bugfix"')" ;;
	*enhancement*) compare "$n" "$command" "$(needed '.kind == "enhancement"')" ;;
	*'--bz 222'*) compare "$n" "$command" "$(needed '.aliases | index("222")')" ;;
	*--cve*) compare "$n" "$command" "$(needed ".aliases | index(\"${command##* }\")")" ;;
	*FEDORA-2018-318f184000*) compare "$n" "$command" "$(needed '.id == "FEDORA-2018-318f184000"')" ;;
	*cve*) compare "$n" "$command" "$(jq -r 'select(.verdict == "needed") | .aliases[] as $a |
		select($a | test("2999")) | .offered[] | "\($a) \(.)"' "$tmp/all" | sort)" ;;
	*bz* | *bugzilla*) compare "$n" "$command" "$(jq -r 'select(.verdict == "needed") | .aliases[] as $a |
		select($a | test("2999") | not) | .offered[] | "\($a) \(.)"' "$tmp/all" | sort)" ;;
	*) compare "$n" "$command" "$(needed)" ;;
	esac
done

# ------------------------------------------------------- openSUSE 11.0, whole
expected=$shared/updateinfo/expected/opensuse-11.0
cp "$expected/installed.tsv" "$tmp/installed.tsv"
gzip -dc "$shared/updateinfo/opensuse-11.0-update/repodata/updateinfo.xml.gz" >"$tmp/suse.xml"
scan "$tmp/suse.xml" >"$tmp/verdicts"
is "openSUSE: what zypper calls needed" \
	"$(jq -r 'select(.verdict == "needed") | .id' "$tmp/verdicts" | sort)" \
	"$(awk -F' *[|] *' '$6 == "needed" { print $2 }' "$expected/zypper-1.14-patches-all.txt" | sort)"
is "openSUSE: what zypper calls applied" \
	"$(jq -r 'select(.verdict == "installed") | .id' "$tmp/verdicts" | sort)" \
	"$(awk -F' *[|] *' '$6 == "applied" { print $2 }' "$expected/zypper-1.14-patches-all.txt" | sort)"
is "openSUSE: the packages that dnf lists" \
	"$(jq -r 'select(.verdict == "needed") | .id as $id | .packages[] | "\($id) \(.name)-\(.version).\(.arch)"' \
		"$tmp/verdicts" | sort)" "$(awk '{ print $1, $NF }' "$expected/dnf-4.14-updateinfo-list.txt" | sort)"

# ------------------------------- what a scanner of vulnerabilities reads there
# golden CATALOG JSON...: each update as both have it
golden()
{
	local catalog=$1 file

	shift
	pd catalog show --json "$catalog" >"$tmp/updates"
	for file; do
		jq -S '{ id, title, severity, issued: .issued.date[:16], description: .description | gsub("^\\s+|\\s+$"; ""),
			packages: [.packages[] | "\(.name) \(if .epoch == "0" or .epoch == "" then "" else .epoch + ":" end)\(
				.version)-\(.release) \(.arch) \(.filename)"],
			links: [.references[].href], cves: [.references[] | select(.type == "cve") | .id] | unique }' "$file" >"$tmp/want"
		jq -S --arg id "$(jq -r .id "$file")" 'select(.id == $id) | { id, title, severity: .severity_text,
			issued: .issued | gmtime | strftime("%Y-%m-%d %H:%M"), description, packages: [.packages, (.payloads |
				map(.url))] | transpose | map("\(.[0].name) \(.[0].version) \(.[0].arch) \(.[1])"),
			links: [.relations[] | select(.kind == "reference") | .target],
			cves: [.relations[] | select(.kind == "alias") | .target | select(test("^CVE-"))] | unique }' "$tmp/updates" >"$tmp/got"
		is "as vuln-list-update has it: ${file##*/}" "$(cat "$tmp/got")" "$(cat "$tmp/want")"
	done
}

list=$shared/vuln-list-update
golden "$list/rocky/fixtures/happy/updateinfo.xml" "$list"/rocky/golden/*/*.json
for file in "$list"/amazon/*.golden; do
	for fixture in "$list"/amazon/fixtures/updateinfo_[12A]*.gz; do
		gzip -dc "$fixture" >"$tmp/fixture.xml"
		grep -q "<id>$(jq -r .id "$file")</id>" "$tmp/fixture.xml" && golden "$tmp/fixture.xml" "$file" && break
	done
done

# ----------------------------------------------------------- the other fixtures
read_all()
{
	local name=$1 got

	got=$(pd catalog check --json "$2" | jq -r '"\(.updates) \(.ignored)"')
	is "$name: updates, and what was passed over" "$got" "$3"
}

read_all "Amazon Linux 1" "$shared/updateinfo/amzn/amazon_linux_1_updateinfo.xml" "2 0"
read_all "Amazon Linux 2" "$shared/updateinfo/amzn/amazon_linux_2_updateinfo.xml" "2 0"
read_all "libdnf's modules" "$shared/updateinfo/libdnf-advisories/updateinfo.xml" "1 0"
read_all "dnf 5's" "$shared/updateinfo/dnf5-repomd-repo1/repodata/updateinfo.xml" "4 0"
read_all "createrepo_c 00" "$shared/updateinfo/createrepo_c/updateinfo_files/updateinfo_00.xml" "0 0"
read_all "createrepo_c 01" "$shared/updateinfo/createrepo_c/updateinfo_files/updateinfo_01.xml" "1 0"
read_all "createrepo_c 03" "$shared/updateinfo/createrepo_c/updateinfo_files/updateinfo_03.xml" "6 1"

end
