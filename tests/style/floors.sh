#!/bin/bash
# SPDX-License-Identifier: MIT
# The floors of the house: size of the core, of functions and files, and the
# direction of includes.
set -u
cd "${PD_SRCDIR:-.}" || exit 99
. tests/style/tap.sh || exit 99
command -v ctags >/dev/null || skip "universal-ctags is not installed"

# Lines of each floor, with headers and messages.  What the goal was and why it is
# not kept stands in doc/why-lua-plans.md; more needs a reason there.
total=0
while read -r floor most; do
	lines=$(find "core/$floor" \( -name '*.c' -o -name '*.h' -o -name '*.def' \) -print0 | xargs -0 cat | wc -l)
	check "core/$floor does not grow ($lines lines of $most)" [ "$lines" -le "$most" ]
	total=$((total + lines))
done <<'END'
include 1238
base 1633
xml 737
plugin 5811
facts 1019
catalog 3989
workflow 2055
run 6320
report 1462
cli 3107
END
all=$(find core -path core/fleet -prune -o \( -name '*.c' -o -name '*.h' -o -name '*.def' \) -print0 | xargs -0 cat | wc -l)
is "each file of core/ is on a floor" "$total" "$all"

long=$(find core plugins rehearse conform package transfer tests -name '*.c' -print0 |
	xargs -0 ctags --languages=C --kinds-C=f --fields=+ne -f - 2>/dev/null |
	awk -F'\t' '{ s = 0; e = 0
		for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) s = substr($i, 6)
			if ($i ~ /^end:/) e = substr($i, 5) }
		if (e - s + 1 > 80) print $2 ": " $1 " has " e - s + 1 " lines" }')
empty "no function is longer than 80 lines" "$long"

big=$(find core plugins rehearse conform package transfer -name '*.[ch]' ! -path 'core/include/*' -print0 | xargs -0 wc -l |
	awk '$2 != "total" && $1 > 450 { print $2 ": " $1 " lines" }')
empty "no file is longer than 450 lines" "$big"

# name of a floor and its height; a file may include its own height or below
upward=$(grep -rnE '^#include "[a-z]+/' core --include='*.c' --include='*.h' --include='*.def' | awk '
	BEGIN { n = split("base xml plugin facts catalog workflow run report cli", f, " ")
		for (i = 1; i <= n; i++) height[f[i]] = i }
	{ split($0, part, ":"); split(part[1], path, "/"); split(part[3], quoted, "\"")
	  split(quoted[2], to, "/")
	  if (quoted[2] ~ /errors\.def$/) next
	  if (height[to[1]] > height[path[2]]) print part[1] ": " quoted[2] }')
empty "includes point down only" "$upward"

private=$(grep -rnE '#include "(base|xml|plugin|facts|catalog|workflow|run|report|cli)/' plugins)
empty "no plugin includes a private header" "$private"

outward=$(grep -rnE '#include "(rehearse|clone|session|look|points|out|place|lens|still|rules|box|manifest|payload)' core --include='*.c' --include='*.h' | grep -v 'errors\.def')
empty "the core includes nothing of rehearse/, conform/ and package/" "$outward"

ltdl=$(grep -rlE '#include <ltdl.h>' core plugins)
is "one file includes ltdl.h" "$ltdl" core/plugin/module.c

# in it, or for data in REUSE.toml
mapfile -t data < <(sed -n '/^path/,/^]/p' REUSE.toml | grep -o '"[^"]*"' | sed 's/^"\(.*\)"$/:(exclude,glob)\1/')
bare=$(git ls-files -- . "${data[@]}" 2>/dev/null | xargs -r grep -L 'SPDX-License-Identifier: MIT')
check "REUSE.toml has the paths of data" [ ${#data[@]} -gt 5 ]
empty "every file has its SPDX line" "$bare"

shells=$(grep -rnE '\b(system|popen|strcpy|strcat|sprintf|vsprintf|gets|mktemp|tmpnam) ?\(' \
	core plugins rehearse conform package transfer --include='*.c' --include='*.h' | grep -vE '^\S+:\s*(/?\*|//)|sodium|"')
empty "no shell and no unbounded string function" "$shells"
mute=$(grep -rl '^#!' tests --include='*.sh' | while IFS= read -r file; do [ -x "$file" ] || echo "$file"; done)
empty "every test may be run" "$mute"
end
