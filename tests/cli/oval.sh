#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin oval: every construct with the verdict that its title asks for,
# tests as vendors write them on servers that differ, metadata, hostile files.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
command -v jq >/dev/null || skip "jq is not installed"
cp "$PD_BUILDDIR/plugins/oval/.libs/oval.so" "$tmp/plugins/"
data=$PD_SRCDIR/tests/data/oval

# scan CATALOG ARGUMENT...: sets $out to lines "id verdict", $rc
scan()
{
	local catalog=$1

	shift
	pd scan --catalog "$catalog" --json --all "$@"
	lines=$(grep '^{' <<<"$out" | jq -r '"\(.id) \(.verdict) \(.reason)"' 2>&1)
}

# verdict ID
verdict()
{
	awk -v id="$1" '$1 == id { print $2 }' <<<"$lines"
}

reason()
{
	grep "^$1 " <<<"$lines" | cut -d' ' -f3-
}

# ---------------------------------------------------------------- constructs
scan "$data/constructs.xml" --packages "$data/deb.tsv" --scheme deb
is "the constructs are read" "$rc" 0
wanted=$(sed -n 's/.* id="\(oval:[^"]*:def:[0-9]*\)".*/\1/p; s/.*<title>\([a-z-]*\): .*/\1/p' "$data/constructs.xml" |
	paste -d' ' - -)
check "there are many" [ "$(wc -l <<<"$wanted")" -gt 200 ]
is "each has the verdict of its title" "$(diff <(cut -d' ' -f1,2 <<<"$lines") - <<<"$wanted")" ""
short=$(cut -d' ' -f1,2 <<<"$lines")
scan "$data/constructs.xml" --packages "$data/deb.tsv" --scheme deb --strict
is "and the same where nothing of the document is passed over" "$(diff <(cut -d' ' -f1,2 <<<"$lines") - <<<"$short")" ""
scan "$data/constructs.xml" --packages "$data/deb.tsv" --scheme deb
# old ID: what of it is older, and what it has to get to
old()
{
	jq -r "select(.id == \"$1\") | .packages[] | \"\(.name) \(.version) \(.arch)\"" <<<"$out" | paste -sd,
}
is "what is needed is what is older" "$(old oval:org.example:def:109)" "alpha 1.3-1 amd64"
is "its epoch counts, if it has one" "$(old oval:org.example:def:116)" "beta 1:2.0-2 amd64"
is "of a test for all" "$(old oval:org.example:def:139)" "alpha 1.3-1 amd64"
is "several" "$(old oval:org.example:def:131)" "beta 1:2.0-2 amd64,alpha 1:2.0-2 amd64"
is "nothing that is older in a part that is false" "$(old oval:org.example:def:128)" "alpha 1:2.0-2 amd64,beta 1:2.0-2 amd64"
is "none where only that they are there is asked" "$(old oval:org.example:def:1)" ""
is "nor where it is not needed" "$(jq -r 'select(.verdict != "needed") | .packages[]' <<<"$out")" ""
like "what is not known has a reason" "$(reason oval:org.example:def:3)" \
	'^facts do not answer the unknown_test oval:org.example:tst:3$'
like "and a pattern that has no equal" "$(reason oval:org.example:def:121)" '^the pattern "\(\?=amd\)amd64" of arch'

# Of packages that one server does not have its tests are not read; of two, all: the
# reason is one of packages, or of rules.
grep -v '^#' "$data/deb.tsv" | jq -R 'split("\t") | {name: .[0], arch: .[4], scheme: "deb",
	version: "\(.[1] | if . == "" or . == "0" then "" else . + ":" end)\(.[2])\(.[3] | if . == "" then . else "-" + . end)"}' |
	jq -s '{packages: .}' >"$tmp/one.json"
echo '{"packages": []}' >"$tmp/other.json"
scan "$data/constructs.xml" --facts "$tmp/one.json"
alone=$lines
scan "$data/constructs.xml" --facts "$tmp/one.json" --facts "$tmp/other.json"
is "one server of several is judged as alone" "$(diff <(head -"$(wc -l <<<"$alone")" <<<"$lines" | cut -d' ' -f1,2) \
	<(cut -d' ' -f1,2 <<<"$alone"))" ""
like "alone, by its packages where that is enough" "$(grep 'def:12 ' <<<"$alone")" \
	' not-applicable none of its 2 packages is installed$'
check "and there is a verdict for each" [ "$(wc -l <<<"$alone")" = "$(wc -l <<<"$wanted")" ]

# ------------------------------------------------------- as vendors write them
# facts OS KERNEL MODULES PACKAGE...: name version arch [signature]
facts()
{
	local os=$1 kernel=$2 modules=$3

	shift 3
	printf '%s\n' "$@" | jq -R 'split(" ") | {name: .[0], version: .[1], arch: .[2], scheme: "rpm", signature: .[3]}
		| with_entries(select(.value != null))' | jq -s "{os: $os, packages: .}
		+ ($kernel | if . then {kernel: .} else {} end)
		+ ($modules | if . then {\"x-modules\": .} else {} end)" >"$tmp/facts.json"
	scan "$data/redhat.xml" --facts "$tmp/facts.json"
}

# verdicts ID=VERDICT...
verdicts()
{
	local pair

	for pair; do
		is "$server: ${pair%=*}" "$(verdict "${pair%=*}")" "${pair#*=}"
	done
}

server="Red Hat 8"
facts '{id: "rhel", codename: "Ootpa"}' '{release: "4.18.0-80.el8.x86_64", machine: "x86_64"}' '[{name: "idm", enabled: "DL1"}]' \
	'redhat-release 8.2-1.el8 x86_64' 'bash 1:4.4-9.el8 x86_64 199e2f91fd431d51' 'glibc 2.28-1 i686' 'glibc 2.28-3 x86_64'
is "$server is judged" "$rc" 0
verdicts release=needed other-release=not-applicable signed=needed running=needed module=needed text=unknown \
	codename=not-applicable one-row=installed version=needed version-is=needed version-is-no-part=installed \
	no-release=needed extended-name=unknown machine=needed no-epoch=not-applicable epoch-0=not-applicable
like "what is not looked at is said" "$(reason text)" 'no facts of kind x-files were collected'
like "what is not compared, too" "$(reason extended-name)" 'extended_name of rpminfo is not read'

server="Example 9"
facts '{id: "example", codename: "focal"}' '{release: "4.18.0-147.el8.x86_64", machine: "aarch64"}' '[{name: "idm", enabled: "client"}]' \
	'example-release 9-1 x86_64' 'bash 4.4-9.el8 x86_64 0123456789abcdef' 'glibc 2.27-1 x86_64'
verdicts release=not-applicable other-release=needed signed=installed running=not-applicable module=not-applicable \
	codename=needed one-row=needed version=needed version-is=unknown no-release=installed machine=not-applicable \
	no-epoch=needed epoch-0=not-applicable
is "no epoch of rpm is no number" "$(reason version-is)" "epoch of a package is no number"

server="of which little is known"
facts '{id: "rhel"}' null null 'redhat-release 80-1 x86_64' 'bash 0:4.4-9.el8 x86_64'
verdicts release=not-applicable signed=needed running=unknown module=unknown codename=unknown \
	one-row=not-applicable no-epoch=not-applicable epoch-0=needed

# A list of packages does not say which system it is from.
server="a list of packages"
printf '%s\t0\t%s\t%s\tx86_64\n' bash 4.4 9.el8 kernel 4.18.0 80.el8 kernel-core 4.18.0 140.el8 \
	kernel-headers 4.18.0 200.el8 >"$tmp/list.tsv"
scan "$data/redhat.xml" --packages "$tmp/list.tsv" --scheme rpm
verdicts release=needed other-release=not-applicable signed=needed running=needed module=not-applicable \
	text=not-applicable codename=needed no-epoch=needed epoch-0=not-applicable
printf 'redhat-release\t0\t7.9\t1\tx86_64\nkernel\t0\t4.18.0\t150.el8\tx86_64\n' >>"$tmp/list.tsv"
scan "$data/redhat.xml" --packages "$tmp/list.tsv" --scheme rpm
verdicts release=not-applicable other-release=not-applicable running=not-applicable

# --------------------------------------------------------- the kernel that runs
# running RELEASE VERDICT...: of a server with a kernel of that release
running()
{
	jq -n --arg release "$1" '{packages: [], os: {id: "ubuntu"}, kernel: {release: $release}}' >"$tmp/facts.json"
	scan "$data/ubuntu.xml" --facts "$tmp/facts.json" --strict
	is "Ubuntu's notices of kernels on $1" "$(cut -d' ' -f2 <<<"$lines" | paste -sd' ')" "${*:2}"
}
n=not-applicable
running 5.15.0-56-generic needed needed needed $n unknown
like "of other variables nothing is known" "$(reason oval:x:def:5)" '^facts do not answer the variable_test oval:x:tst:50$'
running 5.15.0-58-generic $n $n $n needed unknown
running 5.15.0-160-generic $n $n $n needed unknown
running 5.15.0-9-generic-64k needed needed needed $n unknown
running 5.15.0-58-generic-64k $n $n $n needed unknown
running 5.15.0-56-aws $n $n needed $n unknown
running 6.1.0 $n $n unknown unknown unknown
like "a release without a flavour is not known" "$(reason oval:x:def:3)" '^the release of the kernel is of a form that is not read$'

# ------------------------------------------------------------------ metadata
facts '{}' null null 'bash 4.4-9.el8 x86_64'
row()
{
	jq -c "select(.id == \"$1\") | [.severity, .kind, .revision, .title]" <<<"$out"
}
is "an advisory" "$(row release)" \
	'["important","security","7","RHSA-2026:1: example security update (Important)"]'
is "a bugfix by its reference" "$(row other-release | cut -d, -f2)" '"bugfix"'
is "an enhancement" "$(row signed | cut -d, -f2)" '"enhancement"'
is "a vulnerability of Ubuntu's form" "$(row running | cut -d, -f1,2)" '["moderate","security"'
read_it()
{
	"$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" read oval.oval "$1" 2>&1
}
raw=$(read_it "$data/redhat.xml")
like "dates, vendor and description" "$raw" \
	'"description":"What it mends.".*"vendor":"security@example.org".*"issued":1782518400,"updated":1782604800'
like "the producer is the vendor of the others" "$raw" '"id":"signed".*"vendor":"Example Merger"'
is "each reference is there once" "$(grep -o '"target":"[^"]*"' <<<"$raw" | head -6 | sort | uniq -d)" ""
names=$(grep '"id":"names".*"title"' <<<"$raw")
is "a CVE is an alias, whoever tells of it" "$(grep -o '"alias","target":"[^"]*"' <<<"$names" | cut -d'"' -f6 | paste -sd,)" \
	"CVE-2026-1,no CVE-2026-1 of it,CVE-2026-20"
like "the date of an advisory" "$names" '"issued":1782518400'
like "bugs are links" "$raw" '"target":"https://example.org/7".*"title":"It breaks & burns"'

# ------------------------------------------------------------------- modules
# modules: the facts of a server whose /etc has this and nothing else
modules()
{
	unshare -m sh -c 'mount -t tmpfs none /etc && cp -r "$1/." /etc && shift && exec "$@"' sh "$tmp/etc" \
		"${patchday[@]}" facts "${places[@]}" --json 2>/dev/null |
		jq -cS '."x-modules"'
}
mkdir -p "$tmp/etc"
if unshare -m true 2>/dev/null; then
	is "a server without dnf has no modules" "$(modules)" "[]"
	mkdir -p "$tmp/etc/dnf/modules.d"
	printf '[idm]\nname=idm\nstream = DL1 \nprofiles=\nstate=enabled\n' >"$tmp/etc/dnf/modules.d/idm.module"
	printf '[nodejs]\nstate = disabled\nstream=10\n' >"$tmp/etc/dnf/modules.d/nodejs.module"
	printf '[perl]\nstream=\nstate=enabled' >"$tmp/etc/dnf/modules.d/perl.module"
	printf 'state=enabled\nstream=1' >"$tmp/etc/dnf/modules.d/notes.txt"
	is "what is enabled, with its stream" "$(modules)" '[{"enabled":"DL1","name":"idm"},{"enabled":"","name":"nodejs"}]'
else
	echo "# modules of a server are not scanned: unshare -m does not work"
fi

# ------------------------------------------------------------------- hostile
# oval ID CRITERIA...: a document with these definitions, read from a file
oval()
{
	printf '<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:l="l"><definitions>'
	while [ $# -gt 1 ]; do
		printf '<definition class="patch" id="%s" version="1"><metadata><title>t</title></metadata>%s</definition>' "$1" "$2"
		shift 2
	done
	cat <<END
</definitions><tests>
<l:rpminfo_test id="t" check="all" version="1"><l:object object_ref="o"/></l:rpminfo_test>
<l:rpminfo_test id="lost-o" check="all" version="1"><l:object object_ref="nowhere"/></l:rpminfo_test>
<l:rpminfo_test id="lost-s" check="all" version="1"><l:object object_ref="o"/><l:state state_ref="nowhere"/></l:rpminfo_test>
<l:rpminfo_test id="lost-v" check="all" version="1"><l:object object_ref="v"/></l:rpminfo_test>
<l:rpminfo_test id="strange" check="some" version="1"><l:object object_ref="o"/></l:rpminfo_test>
<l:rpminfo_test id="t" check="none exist" check_existence="none_exist" version="1"><l:object object_ref="o"/></l:rpminfo_test>
<l:dpkginfo_test id="type" check="all" version="1"><l:object object_ref="o"/></l:dpkginfo_test>
<l:rpminfo_test check="all" version="1"/>
</tests><objects>
<l:rpminfo_object id="o" version="1"><l:name>bash</l:name></l:rpminfo_object>
<l:rpminfo_object id="v" version="1"><l:name var_ref="nowhere" var_check="all"/></l:rpminfo_object>
<l:rpminfo_object id="set" version="1"><l:set><l:object_reference>o</l:object_reference></l:set></l:rpminfo_object>
</objects><states/><variables/></oval_definitions>
END
}
c()
{
	printf '<criteria>'
	printf '<criterion test_ref="%s"/>' "$@"
	printf '</criteria>'
}
x()
{
	printf '<criteria><extend_definition definition_ref="%s"/></criteria>' "$@"
}
oval here "$(c t)" lost "$(c nowhere)" lost-o "$(c lost-o)" lost-s "$(c lost-s)" lost-v "$(c lost-v)" \
	strange "$(c strange)" type "$(c type)" self "$(x self)" ring "$(x gnir)" gnir "$(x ring)" lost-d "$(x nowhere)" \
	op '<criteria operator="NAND"><criterion test_ref="t"/></criteria>' no-ref '<criteria><criterion/></criteria>' \
	here "$(c nowhere)" last "$(x here)" >"$tmp/h.xml"
scan "$tmp/h.xml" --packages "$tmp/list.tsv" --scheme rpm
server=hostile
verdicts here=needed lost=unknown lost-o=unknown lost-s=unknown lost-v=unknown strange=unknown type=unknown \
	self=unknown ring=unknown gnir=unknown lost-d=unknown op=unknown no-ref=unknown last=needed
like "a test that is not there is named" "$(reason lost)" 'refer to nowhere, which is not in the catalog'
like "an object, too" "$(reason lost-o)" 'object nowhere of lost-o is not in the catalog'
like "a state" "$(reason lost-s)" 'state nowhere is not in the catalog'
like "a ring ends" "$(reason ring)" 'refer to each other without end'

# deep CHILDREN: criteria in criteria
deep()
{
	printf '<criteria operator="AND">%.0s' $(seq "$1")
	printf '<criterion test_ref="t"/>'
	printf '</criteria>%.0s' $(seq "$1")
}
oval deep "$(deep 60)" deeper "$(deep 100)" after "$(c t)" >"$tmp/h.xml"
scan "$tmp/h.xml" --packages "$tmp/list.tsv" --scheme rpm
verdicts deep=needed deeper=unknown after=needed
oval deep "$(deep 300)" >"$tmp/h.xml"
pd scan --catalog "$tmp/h.xml" --packages "$tmp/list.tsv" --scheme rpm
like "without end it is refused" "$rc $out" '^2 .*h.xml:1:.*nested deeper than'

# notes may stand in anything, and ask nothing of a server
oval noted "$(c t)" | sed 's,bash</l:name>,&<notes><note>n</note></notes>,' >"$tmp/h.xml"
scan "$tmp/h.xml" --packages "$tmp/list.tsv" --scheme rpm
verdicts noted=needed

# A hundred thousand references to one test, and a chain as long.
{
	printf '<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:l="l"><definitions>'
	printf '<definition id="many" class="patch" version="1"><criteria>'
	printf '<criterion test_ref="t" n="%d"/>' $(seq 100000)
	printf '</criteria></definition>'
	awk 'BEGIN { for (i = 100000; i > 0; i--) printf "<definition id=\"c%d\" class=\"patch\" version=\"1\"><criteria>" \
		"<extend_definition definition_ref=\"c%d\"/></criteria></definition>", i, i - 1 }'
	oval c0 "$(c t)" | sed 's/.*<definitions>//'
} >"$tmp/h.xml"
scan "$tmp/h.xml" --packages "$tmp/list.tsv" --scheme rpm
verdicts many=needed c0=needed c10=needed c100000=unknown
like "a chain without end is not followed" "$(reason c100000)" 'refer to each other too deep'
is "and each definition has its verdict" "$(wc -l <<<"$lines")" 100002

# Not this format.
printf '<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-4"/>' >"$tmp/h.xml"
pd scan --catalog "$tmp/h.xml" --packages "$tmp/list.tsv" --scheme rpm
like "OVAL 4 is not read" "$rc $out" '^2 .*\[catalog-format\]'
iconv -t UTF-16 "$data/redhat.xml" | sed 's/UTF-8/UTF-16/' >"$tmp/utf16.xml"
scan "$tmp/utf16.xml" --packages "$tmp/list.tsv" --scheme rpm
is "UTF-16 is recognised and read" "$rc $(wc -l <<<"$lines")" "0 17"
end
