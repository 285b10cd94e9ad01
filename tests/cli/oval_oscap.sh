#!/bin/bash
# SPDX-License-Identifier: MIT
# The verdicts of the installed oscap on a root with packages of dpkg: of the
# constructs, and of a real feed scaled up, with packages picked at random.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in jq oscap python3 bzip2 dpkg; do
	command -v $tool >/dev/null || skip "$tool is not installed (oscap: Debian's openscap-scanner)"
done
cp "$PD_BUILDDIR/plugins/oval/.libs/oval.so" "$tmp/plugins/"
data=$PD_SRCDIR/tests/data/oval
shared=${PD_SHARED:-$PD_SRCDIR/../shared}/data

# shellcheck source=tests/cli/oval_peer.sh
. "$PD_SRCDIR/tests/cli/oval_peer.sh"

# peer CATALOG LIST: what oscap says, sorted lines of id and verdict
peer()
{
	oscap_packages "$2"
	oscap_eval "$1" | sed -n 's/^Definition \(.*\): \(true\|false\)$/\1 \2/p
		s/^Definition \(.*\): .*/\1 unknown/p' | sort
}

ours()
{
	"${patchday[@]}" scan "${places[@]}" --catalog "$1" --packages "$2" --scheme deb --json </dev/null 2>/dev/null |
		jq -r '"\(.id) \(if .verdict == "needed" then true elif .verdict == "unknown" then "unknown"
			else false end)"' | sort
}

# OpenSCAP's probe of dpkg takes a pattern for a name, and PCRE has more.
known='def:(121|126|128|259|262) '
peer "$data/constructs.xml" "$data/deb.tsv" | grep -Ev "$known" >"$tmp/peer"
ours "$data/constructs.xml" "$data/deb.tsv" | grep -Ev "$known" >"$tmp/ours"
check "oscap judges the constructs" [ "$(wc -l <"$tmp/peer")" -gt 200 ]
is "they are judged alike" "$(diff "$tmp/ours" "$tmp/peer" | head)" ""

feed=$shared/catalogs/oval/ubuntu/com.ubuntu.focal.cve.oval.xml.bz2
if [ ! -f "$feed" ]; then
	echo "# not compared on generated feeds: there is no $feed; set PD_SHARED"
	end
fi
bzip2 -dc "$feed" >"$tmp/focal.xml"
python3 "$shared/gen_oval.py" "$tmp/focal.xml" "$tmp/big.xml" 2
seed=${PD_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# PD_SEED=$seed"
# Names that the feed has, with a version of it or one close to it.
python3 - "$tmp/big.xml" "$seed" >"$tmp/list.tsv" <<'END'
import random, re, sys
text = open(sys.argv[1], encoding="utf-8").read()
random.seed(int(sys.argv[2]))
names = sorted(set(re.findall(r"<value>([a-z0-9][a-z0-9+.-]+)</value>|name>([a-z0-9][a-z0-9+.-]+)</", text)))
versions = sorted(set(re.findall(r'operation="less than">(\d+):([A-Za-z0-9.+~]+)-([A-Za-z0-9.+~]+)<', text)))
for name in sorted({a or b for a, b in random.sample(names, 1200)}):
    epoch, version, release = random.choice(versions)
    version += random.choice(["", "", "~rc1", "+x", ".1"])
    print(name, epoch, version, release, random.choice(["amd64", "all"]), sep="\t")
END
peer "$tmp/big.xml" "$tmp/list.tsv" >"$tmp/peer"
ours "$tmp/big.xml" "$tmp/list.tsv" >"$tmp/ours"
check "oscap judges the feed" [ "$(grep -c ' true$' "$tmp/peer")" -gt 100 ]
is "all $(wc -l <"$tmp/peer") are judged alike" "$(diff "$tmp/ours" "$tmp/peer" | head)" ""
end
