#!/bin/bash
# SPDX-License-Identifier: MIT
# What editors are told of workflows (scripts/meta/, `patchday plugins --lua`) is
# what there is: the module, its options, facts, updates and every step, both ways.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
command -v jq >/dev/null && command -v python3 >/dev/null || skip "jq or python3 is not installed"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -m 755 "$tmp/all"
cp "$PD_BUILDDIR"/plugins/*/.libs/*.so "$tmp/all/"
places=(--plugin-dir "$tmp/all" --scripts "$PD_SRCDIR/scripts")
lua=$PD_SRCDIR/scripts/patchday
meta=("$PD_SRCDIR/scripts/meta/patchday.lua" "$PD_SRCDIR/scripts/meta/runbook.lua")

# read FILE...: what annotations say, to $tmp/said; their faults
read_stubs() { { python3 "$PD_SRCDIR/tests/cli/stubs.py" "$@" >"$tmp/said"; } 2>&1; }
# same TEXT SAID THERE: two lists, in any order
same() { empty "$1" "$(diff <(sort <<<"$2") <(sort <<<"$3") | sed -n 's/^</only in the stubs:/p; s/^>/not in the stubs:/p')"; }
# fields CLASS: of the stubs
fields() { sed -n "s/^\(field\|function\) $1 \([a-z0-9_]*\) .*/\2/p" "$tmp/said"; }

"$PD_BUILDDIR/patchday" plugins --lua "${places[@]}" >"$tmp/plugins.lua"
empty "the stubs are well-formed" "$(read_stubs "${meta[@]}" "$tmp/plugins.lua")"
cp "$tmp/said" "$tmp/all.said"
for edit in 's/patchday\.path /patchday.pth /' 's/^function steps.space(given)/function steps.space(gven)/' \
	's/^---@field path .*/---@field path fun(/' 's/^---@return/---@returns/'; do
	sed "$edit" "$tmp/plugins.lua" >"$tmp/broken.lua"
	like "what is not is found: $edit" "$(read_stubs "${meta[@]}" "$tmp/broken.lua")" 'broken.lua:[0-9]+: '
done
cp "$tmp/all.said" "$tmp/said"

# ---- steps
same "every step, parameter and output is what its plugin declares" "$(grep -E '^use|^[a-z]+ patchday\.plugin\.' "$tmp/said")" \
	"$("$PD_BUILDDIR/patchday" plugins --json "${places[@]}" | jq -r '.[] | select(.steps != []) | .name as $p | "patchday.plugin.\($p)" as $of |
	"use \($p) \($of)", (.steps[] | "\($of).\(.name)" as $c |
	(.params[] | select(.engine | not) | "field \($c) \(.name) \(if .required then "required" else "optional" end) \(
		if .choices then [.choices[] | "\"\(.)\""] + ["patchday.out.string"] | join("|") else "patchday.\(.type)" end)"),
	(select(all(.params[]; .name != "id")) | "field \($c) id optional string"),
	(.outputs[] | "field \($c).out \(.name) required patchday.out.\(.type)"), "field \($c).step out required \($c).out",
	"function \($of) \(.name) \(if any(.params[]; .required) then "" else "?" end)\($c) -> \($c).step")')"

# ---- the module, as a script finds it
cat >"$tmp/probe.lua" <<'END'
local pd = require "patchday"
local function tell(class, of)
	for name in pairs(of) do print(class, name) end
end
return pd.workflow { api = 1, name = "probe", plan = function(t)
	local update = t.catalog:needed()[1]
	tell("patchday", pd)
	tell("patchday.runbook", require "patchday.runbook")
	tell("patchday.t", t)
	tell("patchday.catalog", t.catalog)
	tell("patchday.update", update)
	tell("patchday.package", update.packages[1])
	for kind, rows in pairs(t.facts) do
		local many = #rows > 0
		print("patchday.facts", kind)
		tell("patchday.facts." .. kind .. (many and ".row" or ""), many and rows[1] or rows)
	end
	return pd.nothing "looked at"
end }
END
# a server with each fact that the stubs name
sed -n 's/^field patchday\.facts\.\([a-z]*\)\(\.row\)\{0,1\} \([a-z_]*\) optional \([a-z]*\)$/\1 0\2 \3 \4/p' "$tmp/said" |
	jq -nR 'reduce (inputs | split(" ")) as [$kind, $many, $field, $type] ({};
		setpath([$kind, if $many == "0.row" then 0 else empty end, $field];
			{ string: "deb", integer: 1, boolean: true }[$type])) |
		.packages[0] += { name: "paper", version: "1.0", arch: "amd64", status: "installed", held: false } | .os.arch = "amd64"' >"$tmp/facts.json"
cat >"$tmp/due.xml" <<'END'
<catalog xmlns="urn:patchday:catalog:1">
  <update id="paper-1" kind="security" severity="important" restart="reboot" issued="2026-01-01" expected="60">
    <title>an update</title><payload id="p1" url="paper.deb" bytes="1"/>
    <package name="paper" version="2.0" arch="amd64" scheme="deb" payload="p1"/>
  </update>
</catalog>
END
real=$("$PD_BUILDDIR/patchday" plan "${places[@]}" --state "$tmp/state" --facts "$tmp/facts.json" --catalog "$tmp/due.xml" "$tmp/probe.lua" 2>&1)
like "a script sees all of it" "$real" '^nothing to do: looked at$'
real=$(sed -n 's/^probe.lua:[0-9]*: //p' <<<"$real")
# use is made with the plugins' stubs
same "the module, what is known, updates and facts are those that a script has" \
	"$(sed -n 's/^\(field\|function\) \(patchday\(\.runbook\|\.t\|\.catalog\|\.update\|\.package\|\.facts[a-z._]*\)\{0,1\}\) \([a-z_0-9]*\) .*/\2 \4/p' "$tmp/said")" "$real"
# a script sees no field that a server does not have: doc/facts.md names them all
same "facts are those of doc/facts.md" "$(grep -oE '^field patchday\.facts\.[a-z]+(\.row)? [a-z_]+ .*' "$tmp/said" |
	sed 's/^field patchday\.facts\.//; s/\.row//; s/optional string/text/; s/optional integer/number/; s/optional boolean/flag/')" \
	"$(awk -F' *\\| *' '/^### /{ kind = substr($0, 5) } kind && /^\| [a-z_]+ \| (text|number|flag) /{ print kind, $2, $3 }' "$PD_SRCDIR/doc/facts.md")"

# ---- options, as the module checks them; checked NAME FILE BEGIN
checked() { same "options of $1 are those that are checked" "$(fields "$1")" "$(tr '\n\t' '  ' <"$lua/$2" | grep -oP "$3\\K[^}]*" | grep -oP '\w+(?= = ")')"; }
checked patchday.workflow init.lua '"pd\.workflow", "field", given, \{'
checked patchday.question questions.lua 'local options = \{'
checked patchday.parameter params.lua 'local options = \{'
checked patchday.signoff steps.lua '"pd\.signoff", "option", given, \{'
same "a secret comes from where it may" "$(fields patchday.secret_source)" \
	"$(grep -oP 'local sources = \{\K[^}]*' "$lua/params.lua" | grep -oE '[a-z]+')"
same "methods of a selection" "$(fields patchday.selection)" "$(sed -n 's/^function methods\.\([a-z_]*\)(.*/\1/p' "$lua/selection.lua")"
same "types of parameters" "$(sed -n 's/^---@alias patchday\.\([a-z]*\) .*patchday\.\(out\|declared\|selection\).*/\1/p' "${meta[0]}")" \
	"$(sed -n 's/^	\[PD_T_[A-Z]*\] = { "\([a-z]*\)".*/\1/p' "$PD_SRCDIR/core/plugin/arguments.c" | grep -vx choice)"
end
