#!/bin/bash
# SPDX-License-Identifier: MIT
# scan for many servers says of each what it says of it alone: over updates and
# servers by chance, always the same ones.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
command -v jq >/dev/null || skip "jq is not installed"
cp "$PD_BUILDDIR"/plugins/{updateinfo,native}/.libs/*.so "$tmp/plugins/"
mkdir "$tmp/fleet"
awk -v folder="$tmp/fleet" '
function one(list,  a) { return a[1 + int(rand() * split(list, a, " "))] }
BEGIN {
	srand(11)
	arches = "x86_64 x86_64 x86_64 noarch i686 i586 src"
	print "<updates>"
	for (u = 1; u <= 140; u++) { # the last ones are other entries of the first ones
		printf "<update status=\"%s\" type=\"security\"><id>U-%d</id><pkglist><collection>", one("final final final final retracted"),
			(u > 80 ? u - 80 : u)
		if (u % 10 == 0)
			print "<module name=\"m\" stream=\"1\"/>"
		for (n = int(rand() * 5); n >= 0; n--)
			printf "<package name=\"p%d\" version=\"%s\" release=\"%d\" arch=\"%s\"/>\n", rand() * 12,
				one("1 2 3 1.5 2~rc 1@"), 1 + rand() * 3, one(arches)
		print "</collection></pkglist></update>"
	}
	print "</updates>"
	for (s = 1; s <= 25; s++) {
		file = sprintf("%s/%02d.json", folder, s)
		printf "{\"os\": {\"hostname\": \"s%02d\"}, \"packages\": [", s >file
		for (n = s % 9; n > 0; n--)
			printf "{\"name\": \"p%d\", \"version\": \"%s-%d\", \"arch\": \"%s\", \"scheme\": \"%s\", \"held\": %s}%s", rand() * 12,
				one("1 2 3 1.5 2~rc 1@"), 1 + rand() * 3, one("x86_64 x86_64 noarch i686"),
				one("rpm rpm rpm rpm deb"), one("false false false true"), (n > 1 ? ", " : "") >file
		print "]}" >file
		close(file)
	}
}' >"$tmp/updateinfo.xml"

# Packages that take the place of others.
awk 'BEGIN {
	srand(12)
	print "<catalog xmlns=\"urn:patchday:catalog:1\">"
	for (u = 1; u <= 20; u++)
		printf "<update id=\"R-%d\" kind=\"security\"><title>t</title><package name=\"%s%d\" version=\"2\" scheme=\"rpm\" replaces=\"none, p%d &lt; 2\"/></update>\n",
			u, rand() < 0.5 ? "p" : "q", rand() * 12, rand() * 12
	print "</catalog>"
}' >"$tmp/replacing.xml"

# What is printed, of JSON what a verdict has.
scan()
{
	pd scan --catalog "$tmp/updateinfo.xml" --catalog "$tmp/replacing.xml" "$@"
	out=$(grep -v '^patchday: note: ' <<<"$out")
	[ "$1" != --json ] || out=$(jq -c '[.id, .verdict, .reason, .packages[]]' <<<"$out")
	echo "$out"
}

# One that can't be read is named, and the others are judged nevertheless.
cp -r "$tmp/fleet" "$tmp/broken"
echo '{"packages":[{"nme":"a"}]}' >"$tmp/broken/07.json"
pd scan --csv --catalog "$tmp/updateinfo.xml" --facts "$tmp/broken"
is "one of many that can't be read fails the scan" "$rc" 2
like "and is named" "$out" 'broken/07.json: row 1: '
is "the others are judged, in their order" "$(grep -o '^"*s[0-9][0-9]' <<<"$out" | tr -d '"' | uniq | tr '\n' ' ')" \
	"$(printf 's%02d ' 1 2 3 4 5 6 {8..25})"
pd scan --why U-999 --catalog "$tmp/updateinfo.xml" --facts "$tmp/fleet"
is "an update that no catalog has, asked for many servers" "$rc" 2
pd scan --why U-3 --catalog "$tmp/updateinfo.xml" --facts "$tmp/fleet"
is "one that is there" "$rc" 0

for form in --all --json --csv; do
	# what several entries are has its place where the first one is, or the first that is of concern
	many=$(scan $form --facts "$tmp/fleet" | sort)
	alone=$(for file in "$tmp"/fleet/*.json; do
		name=s$(basename "$file" .json)
		[ $form != --all ] || echo "$name"
		scan $form --facts "$file" | if [ "$form$name" = --csvs01 ] || [ $form != --csv ]; then cat; else tail -n +2; fi
	done | sort)
	is "each of many servers as alone, $form" "$(md5sum <<<"$many")" "$(md5sum <<<"$alone")"
	diff <(echo "$many") <(echo "$alone") >"$tmp/differ" || sed 's/^/# /' "$tmp/differ" | head -20
done
pd scan --json --catalog "$tmp/updateinfo.xml" --facts "$tmp/fleet"
for verdict in needed installed not-applicable unknown; do
	like "there are some that are $verdict" "$(grep -c "\"verdict\":\"$verdict\"" <<<"$out")" '^[0-9][0-9]'
done
pd scan --json --catalog "$tmp/replacing.xml" --facts "$tmp/fleet"
like "and some that replace a package" "$(grep -c ', which .* replaces"' <<<"$out")" '^[0-9][0-9]'
end
