#!/bin/bash
# SPDX-License-Identifier: MIT
# Comparing versions: the tables of the tools that define it, where they are
# (PD_SHARED), and the tools themselves on random and odd pairs.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
shared=${PD_SHARED:-$PD_SRCDIR/../shared}/data/vercmp
seed=${PD_SEED:-$RANDOM}
pairs=20000

# vercmp SCHEME: of standard input
vercmp()
{
	"${patchday[@]}" catalog vercmp "$1" "${places[@]}" 2>"$tmp/err"
}

# table FILE SCHEME LEAST
table()
{
	local n

	[ -f "$shared/$1" ] || { missing+=" $1"; return; }
	grep -v '^#' "$shared/$1" >"$tmp/table"
	cut -f1,2 "$tmp/table" | vercmp "$2" >"$tmp/ours"
	n=$(wc -l <"$tmp/table")
	check "$1 has at least $3 pairs" [ "$n" -ge "$3" ]
	empty "and all $n are as it says, by the scheme $2" \
		"$(cut -f3 "$tmp/table" | paste "$tmp/ours" - <(cut -f1,2 "$tmp/table") | awk '$1 != $2')"
}

# random PAIRS CHARACTERS: versions, and others made of them by a small change
random()
{
	awk -v n="$1" -v set="$2" -v seed="$seed" '
	function pick() { return substr(set, 1 + int(rand() * length(set)), 1) }
	function any(  s, i, k) {
		if (rand() < .2) s = int(rand() * 3) ":"
		k = 1 + int(rand() * 4)
		for (i = 0; i < k; i++) s = s (i ? "." : "") int(rand() * (rand() < .3 ? 2000 : 12))
		if (rand() < .4) s = s pick() pick()
		if (rand() < .5) s = s "-" int(rand() * 20)
		return s
	}
	function change(s,  at, how) {
		at = 1 + int(rand() * length(s)); how = rand()
		if (how < .3) return substr(s, 1, at - 1) pick() substr(s, at + 1)
		if (how < .6) return substr(s, 1, at) pick() substr(s, at + 1)
		if (how < .9) return substr(s, 1, at - 1) substr(s, at + 1)
		return s
	}
	BEGIN { srand(seed)
		for (i = 0; i < n; i++) {
			a = any(); b = rand() < .3 ? any() : change(change(a))
			if (rand() < .2) a = change(change(change(a)))
			print a "\t" b
		} }'
}

missing=
table dpkg-Dpkg_Version.tsv deb 40
table rpm-rpmvercmp.tsv rpm 80
table wazuh-windows.tsv windows 15
table fwupd-version.tsv fwupd 20
table fwupd-version.tsv hex 20

echo "# PD_SEED=$seed"
if command -v rpm >/dev/null; then
	# an epoch is a number
	random $pairs '0123456789abzAZ~^+._%' |
		awk -F'\t' '{ for (i = 1; i <= 2; i++) if ($i == "" || $i ~ /:.*:/ || $i !~ /^([0-9]+:)?([^:-]+(-[^-]+)?|-[^:-]+)$/) next } 1' >"$tmp/pairs"
	check "some of them without a release" grep -qP '^[^\t-]+\t[^\t]+-' "$tmp/pairs"
	vercmp rpm <"$tmp/pairs" >"$tmp/ours"
	rpm --eval "%{lua: local out = io.open('$tmp/theirs', 'w')
		for line in io.lines('$tmp/pairs') do
			local a, b = line:match('^(.*)\t(.*)\$')
			a, b = rpm.ver(a), rpm.ver(b)
			out:write((not a or not b) and '?' or a < b and -1 or a == b and 0 or 1, '\n')
		end
		out:close()}" >/dev/null
	check "$(wc -l <"$tmp/pairs") random pairs for rpm" [ "$(wc -l <"$tmp/pairs")" -gt $((pairs / 4)) ]
	empty "are ordered as librpm does" "$(paste "$tmp/ours" "$tmp/theirs" "$tmp/pairs" | awk -F'\t' '$1 != $2' | head)"
else
	missing+=" rpm"
fi
if command -v dpkg >/dev/null; then
	# a word that begins with '-' is an option to dpkg
	random 500 '0123456789abzAZ~^+._:-' | grep -P '^[^\t-][^\t]*\t[^\t-][^\t]*$' >"$tmp/pairs"
	vercmp deb <"$tmp/pairs" >"$tmp/ours"
	while IFS=$'\t' read -r a b; do
		if dpkg --compare-versions "$a" lt "$b" 2>/dev/null; then echo -1
		elif dpkg --compare-versions "$a" eq "$b" 2>"$tmp/said"; then echo 0
		elif grep -q '^dpkg: error' "$tmp/said"; then echo '?'
		else echo 1
		fi
	done <"$tmp/pairs" >"$tmp/theirs"
	empty "$(wc -l <"$tmp/pairs") random pairs are ordered as dpkg does" \
		"$(paste "$tmp/ours" "$tmp/theirs" "$tmp/pairs" | awk -F'\t' '$1 != $2' | head)"
else
	missing+=" dpkg"
fi
if perl -MDpkg::Version -e 1 2>/dev/null; then
	random $pairs '0123456789abzAZ~+.' | grep -P '^[^\t]*[^\t:]\t.*[^:]$' >"$tmp/pairs"
	perl -MDpkg::Version -ne 'chomp; my ($a, $b) = map { Dpkg::Version->new($_) } split /\t/;
		print $a->is_valid && $b->is_valid ? version_compare($a, $b) : "?", "\n"' "$tmp/pairs" >"$tmp/theirs"
	vercmp deb <"$tmp/pairs" >"$tmp/ours"
	empty "$(grep -vc '?' "$tmp/theirs") more as Dpkg::Version does" \
		"$(paste "$tmp/ours" "$tmp/theirs" "$tmp/pairs" | awk -F'\t' '$2 != "?" && $1 != $2' | head)"
fi
[ "$tap_cases" -gt 0 ] || skip "there are neither tables ($shared) nor tools:$missing"
is "text is compared by its bytes" "$(printf '1.10\t1.9\n1.9\t1.9\na\tB\n' | vercmp text | paste -sd' ')" "-1 0 1"
[ -z "$missing" ] || echo "# not there, so not compared:$missing"
end
