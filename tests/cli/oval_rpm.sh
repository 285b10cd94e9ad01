#!/bin/bash
# SPDX-License-Identifier: MIT
# The verdicts of the installed oscap on a database of rpm that is made here, of
# small packages and a catalog that are new each time.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in jq oscap python3 rpm rpmbuild; do
	command -v $tool >/dev/null || skip "$tool is not installed (Debian's openscap-scanner and rpm)"
done
oscap --version | grep -q probe_rpminfo || skip "this oscap does not read databases of rpm"
cp "$PD_BUILDDIR/plugins/oval/.libs/oval.so" "$tmp/plugins/"
seed=${PD_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# PD_SEED=$seed"
python3 "$PD_SRCDIR/tests/cli/oval_rpm.py" "$seed" "$tmp"

# Debian's rpm has the database in the home of who calls, unless that says other
mkdir -p "$tmp/root/var/lib/rpm" "$tmp/home"
echo '%_dbpath /var/lib/rpm' >"$tmp/home/.rpmmacros"
export HOME=$tmp/home
for spec in 1 2; do
	rpmbuild -bb --quiet --target x86_64 --define "_topdir $tmp/build" --define "_rpmdir $tmp/rpms" \
		"$tmp/$spec.spec" >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 99; }
done
find "$tmp/rpms" -name '*.rpm' -exec rpm --root "$tmp/root" -i --justdb --nodeps --force \
	--noscripts --ignorearch --nosignature {} + >"$tmp/log" 2>&1
check "packages are installed" [ "$(rpm --root "$tmp/root" -qa | wc -l)" -ge 11 ]
rpm --root "$tmp/root" -qa --qf '%{NAME}\t%|EPOCH?{%{EPOCH}}|\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n' |
	sort >"$tmp/list.tsv"

OSCAP_PROBE_ROOT=$tmp/root oscap oval eval --skip-validation "$tmp/catalog.xml" 2>"$tmp/log" |
	sed -n 's/^Definition \(.*\): \(true\|false\)$/\1 \2/p; s/^Definition \(.*\): .*/\1 unknown/p' | sort >"$tmp/peer"
pd scan --catalog "$tmp/catalog.xml" --packages "$tmp/list.tsv" --scheme rpm --json
jq -r '"\(.id) \(if .verdict == "needed" then true elif .verdict == "unknown" then "unknown" else false end)"' \
	<<<"$out" | sort >"$tmp/ours"
check "oscap judges them" [ "$(wc -l <"$tmp/peer")" = 300 ]
check "this way and that" [ "$(cut -d' ' -f2 "$tmp/peer" | sort | uniq -c | awk '$1 > 30' | wc -l)" -ge 2 ]
is "all are judged alike" "$(diff "$tmp/ours" "$tmp/peer" | head)" ""
end
