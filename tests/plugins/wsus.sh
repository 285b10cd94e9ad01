#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader wsus: a made-up package.xml with everything that is read of it, and
# the verdicts for servers that have this or that.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
reader wsus
fixtures
catalog=$PD_SRCDIR/tests/data/wsus/catalog.xml

guid()
{
	printf '%08x-0000-4000-8000-%012x' "$1" "$1"
}

# server NUMBER...: one that has the updates and products of these numbers
server()
{
	local n rows=

	for n; do
		rows="$rows${rows:+,}{\"name\":\"$(guid "$n")\",\"version\":\"1\"}"
	done
	verdicts "$catalog" "{\"packages\":[$rows]}"
}

# of NUMBER: its verdict in the answer
of()
{
	sed -n "s/^$(guid "$1") \([a-z-]*\) .*/\1/p" <<<"$out"
}

out=$(server 1 3 4 5)
is "all prerequisites are there, of a group one" "$(of 22)" needed
is "replaced, though all its prerequisites are there" "$(of 20)" superseded
is "replaced by one that is not in the catalog" "$(of 24)" needed
is "without any condition" "$(of 25)" unknown
is "parts and what is only looked at have no verdict" "$(wc -l <<<"$out")" 4
out=$(server 1 3 4 6)
is "the other one of a group" "$(of 22)" needed
out=$(server 1 3 4)
is "none of a group" "$(of 22)" not-applicable
is "replaced by one that is not for this server" "$(grep "^$(guid 20) " <<<"$out")" "$(guid 20) superseded replaced by $(guid 22)"
out=$(server 1 3 5)
is "none of the other group" "$(of 22)" not-applicable
out=$(server 2 3 4 5)
is "the other product" "$(of 22)" needed
is "a group is there, the product is not" "$(of 24)" not-applicable
out=$(server 3 4 5)
is "no product" "$(of 22)" not-applicable
out=$(server 1 3 4 5 22 20)
is "installed" "$(of 22)" installed
is "installed, and replaced" "$(of 20)" superseded
out=$(verdicts "$catalog" '{"os":{"id":"debian"}}')
is "nothing is known of the server" "$(of 22)" unknown
like "and why" "$out" 'no facts of kind packages were collected'

# what is not approved replaces nothing
export PATCHDAY_STATE=$tmp/state
"$PD_BUILDDIR/patchday" catalog approve "$catalog" --plugin-dir "$tmp/plugins" --id "$(guid 20)" --why "the later one is not tried yet" >"$tmp/log" 2>&1
out=$(server 1 3 4)
is "unless that is not approved" "$(of 20)" needed
out=$(server 3 4)
is "but for other products it is not" "$(of 20)" not-applicable

out=$(parts <(printf '<Other/>'))
like "another document is refused" "$out" 'starts with <Other>, not with'
end
