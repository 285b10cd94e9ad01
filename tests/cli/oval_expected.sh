#!/bin/bash
# SPDX-License-Identifier: MIT
# Real feeds with the verdict of OpenSCAP for each definition, which are not
# part of the source: PD_SHARED is the folder that has them.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
shared=${PD_SHARED:-$PD_SRCDIR/../shared}/data/catalogs/oval
[ -d "$shared/expected" ] || skip "there is no $shared; set PD_SHARED"
for tool in jq bzip2; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
cp "$PD_BUILDDIR/plugins/oval/.libs/oval.so" "$tmp/plugins/"

# equal NAME SCHEME CATALOG
equal()
{
	local expected=$shared/expected/$1

	"${patchday[@]}" scan "${places[@]}" --catalog "$3" --packages "$expected/installed.tsv" \
		--scheme "$2" --json </dev/null 2>"$tmp/err" >"$tmp/out"
	is "$1 is judged" "$?" 0
	jq -r '"\(.id)\t\(if .verdict == "needed" then "true" elif .verdict == "unknown" then "unknown"
		else "false" end)"' "$tmp/out" | sort >"$tmp/got"
	grep -v '^#' "$expected/expected.tsv" | cut -f1,3 | sort >"$tmp/wanted"
	is "$1: all $(wc -l <"$tmp/wanted") verdicts are OpenSCAP's" "$(diff "$tmp/got" "$tmp/wanted" | head -5)" ""
}

equal rhel8-v2 rpm "$shared/redhat-v2/rhel-8.oval.xml"
bzip2 -dc "$shared/ubuntu/com.ubuntu.focal.cve.oval.xml.bz2" >"$tmp/focal.xml"
equal focal-2021 deb "$tmp/focal.xml"
end
