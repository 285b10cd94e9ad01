#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader wsus on files of Microsoft's shape: every verdict is the one that
# the generator of the file has written beside it.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
generator=${PD_SHARED:-$PD_SRCDIR/../shared}/data/gen_wsus.py
[ -r "$generator" ] || skip "there is no $generator; set PD_SHARED"
command -v python3 >/dev/null || skip "python3 is not installed"
reader wsus
for seed in 1 2 3 4; do
	python3 "$generator" --out "$tmp/package.xml" --updates 6000 --seed $seed --truth "$tmp/truth" \
		--host "$tmp/host" >"$tmp/counts" || exit 99
	facts=$(jq -Rnc '{packages: [inputs | split("\t") | {name: .[1], version: "1"}]}' "$tmp/host")
	verdicts "$tmp/package.xml" "$facts" >"$tmp/verdicts"
	empty "seed $seed: needed is what the generator says" \
		"$(sed -n 's/ needed .*//p' "$tmp/verdicts" | sort | diff "$tmp/truth" - 2>&1)"
	is "each bundle has a verdict" "$(wc -l <"$tmp/verdicts")" "$(sed 's/.* bundles \([0-9]*\) .*/\1/' "$tmp/counts")"
	is "none of them is unknown" "$(grep -c ' unknown ' "$tmp/verdicts")" 0
	is "what is replaced is superseded" \
		"$(grep -c ' superseded replaced by ' "$tmp/verdicts")" \
		"$(sed 's/.* superseded \([0-9]*\) .*/\1/' "$tmp/counts")"
	check "there are some" [ -s "$tmp/truth" ]
done
end
