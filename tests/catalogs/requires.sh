#!/bin/bash
# SPDX-License-Identifier: MIT
# An update that requires another one applies where that one is installed, or is
# installed by the same run, before it; and it is frozen together with it.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
cp "$PD_BUILDDIR/plugins/native/.libs/native.so" "$PD_BUILDDIR/tests/plans/plugins/.libs/demo.so" "$tmp/plugins/"
update() { echo "  <update id=\"$1\" kind=\"bugfix\" ${4:-}><title>$1</title>${3:-}<package name=\"$2\" version=\"2\" scheme=\"deb\"/></update>"; }
needs() { printf '<requires id="%s"/>' "$@"; }
catalog() { echo '<catalog xmlns="urn:patchday:catalog:1">'; cat; echo '</catalog>'; }

{
	update last a "$(needs middle)"
	update middle a "$(needs first there)"
	update first a
	update there new
	update absent zoo
	update open odd
	update on-absent a "$(needs absent first)"
	update on-that a "$(needs on-absent)"
	update on-nothing a "$(needs NOWHERE)"
	update on-open a "$(needs open)"
	update on-both a "$(needs open absent)"
	update on-revision a '<requires id="first" revision="7"/>'
	update ring-1 a "$(needs ring-2)"
	update ring-2 a "$(needs ring-1)"
	update itself a "$(needs itself)"
	update done new "$(needs absent)"
	echo '  <update id="bundle" kind="bundle"><title>b</title><bundles id="on-that"/><bundles id="there"/></update>'
	update on-bundle a "$(needs bundle)"
	update withdrawn a '' 'status="retired"'
	update on-withdrawn a "$(needs withdrawn)"
	update replaces a '<supersedes id="replaced"/><requires id="absent"/>'
	update replaced a
} | catalog >"$tmp/c.xml"
installed() { printf '{"name": "%s", "version": "%s", "arch": "all", "scheme": "%s"},' "$@" | sed 's/,$//'; }
echo "{\"os\": {\"hostname\": \"one\"}, \"packages\": [$(installed a 1 deb new 2 deb odd 'a:b:c' deb)]}" >"$tmp/one.json"
echo "{\"os\": {\"hostname\": \"two\"}, \"packages\": [$(installed a 2 deb new 2 deb)]}" >"$tmp/two.json"

# verdicts CATALOG FACTS...: of the first server
verdicts()
{
	"${patchday[@]}" scan --catalog "$1" "${places[@]}" --facts "$2" "${@:3}" --json --all 2>&1 |
		jq -r 'select(.server == null or .server == "one") | "\(.id): \(.verdict), \(.reason)"'
}
expected="last: needed, a 1 is installed, 2 is offered
middle: needed, a 1 is installed, 2 is offered
first: needed, a 1 is installed, 2 is offered
there: installed, new 2 is installed
absent: not-applicable, zoo is not installed
open: unknown, odd: a:b:c can't be compared with 2
on-absent: not-applicable, it requires absent, which is not applicable
on-that: not-applicable, it requires on-absent, which is not applicable
on-nothing: unknown, it requires NOWHERE, which is not in the catalog
on-open: unknown, it requires open, which is unknown
on-both: not-applicable, it requires absent, which is not applicable
on-revision: unknown, it requires first, which is there in another revision
ring-1: unknown, it requires ring-2, which is unknown
ring-2: unknown, it requires ring-1, which requires it in turn
itself: unknown, it requires itself, which requires it in turn
done: installed, new 2 is installed
bundle: installed, of its parts 0 are needed, 1 installed, 1 not applicable, 0 unknown
on-bundle: needed, a 1 is installed, 2 is offered
withdrawn: not-applicable, it was withdrawn
on-withdrawn: not-applicable, it requires withdrawn, which is not applicable
replaces: not-applicable, it requires absent, which is not applicable
replaced: needed, a 1 is installed, 2 is offered"
is "each has its verdict and why" "$(verdicts "$tmp/c.xml" "$tmp/one.json")" "$expected"
is "among several servers too" "$(verdicts "$tmp/c.xml" "$tmp/two.json" --facts "$tmp/one.json")" "$expected"

# a chain that has no end soon
{
	for i in $(seq 1 1200); do update "c$i" a "$(needs "c$((i + 1))")"; done
	update c1201 zoo
} | catalog >"$tmp/long.xml"
is "a long chain is no reason to crash" "$(verdicts "$tmp/long.xml" "$tmp/one.json" | grep -c ': needed')" 0

cat >"$tmp/w.lua" <<'END'
local pd = require "patchday"
local demo = pd.use "demo"
return pd.workflow { api = 1, name = "w", role = "test", help = "what is due",
  plan = function(t)
    return { demo.look { text = table.concat(t.catalog:needed():ids(), " ") } }
  end }
END
due()
{
	"${patchday[@]}" plan "$tmp/w.lua" "${places[@]}" --catalog "$1" --facts "$tmp/one.json" --json 2>&1 |
		jq -r '[.. | .text? // empty | strings][0] // "nothing"'
}
{ update last a "$(needs middle)"; update middle a "$(needs first)"; update other a; update first a; } | catalog >"$tmp/chain.xml"
is "a plan has what is required first" "$(due "$tmp/chain.xml")" "other first middle last"

# frozen with what they require, and what has no part in it stays out
frozen() { "${patchday[@]}" catalog show "$tmp/frozen.xml" "${places[@]}" --json | jq -r .id | xargs; }
pd catalog freeze "$tmp/c.xml" --id last --to "$tmp/frozen.xml"
is "what it requires is frozen with it" "$rc $(frozen)" "0 last middle first there"
is "it has its verdict there" "$(verdicts "$tmp/frozen.xml" "$tmp/one.json" | head -1)" "$(head -1 <<<"$expected")"
pd catalog approve "$tmp/chain.xml" --id last --id middle --why "tested"
is "what requires one that is not approved is in no plan" "$(due "$tmp/chain.xml")" ""
like "and a scan says why" "$(verdicts "$tmp/chain.xml" "$tmp/one.json")" '^middle: not-applicable, it requires first, which is needed and not approved$'
pd catalog freeze "$tmp/chain.xml" --approved --to "$tmp/none.xml"
like "nor frozen as approved" "$rc $out" '^2 .*middle requires first, which is not approved.*\[freeze-requires\]'
check "and nothing is written" [ ! -e "$tmp/none.xml" ]
end
