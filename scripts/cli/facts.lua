-- SPDX-License-Identifier: MIT
-- facts: what is there.
local _, core = ...
local base = require "cli.base"

local function show_kind(kind, value, all)
	if #value == 0 and next(value) ~= nil then
		base.print("%s\n", base.paint("bold", kind))
		for _, key in ipairs(base.sorted(value)) do base.print("  %s\n", base.row { { key, 16 }, base.line(value[key]) }) end
		return
	end
	base.print("%s\n", base.row { { kind, 0, "bold" }, (" %d"):format(#value) })
	for i, row in ipairs(value) do
		if i <= 5 or all then base.print("  %s\n", core.encode(row)) end
	end
	if #value > 5 and not all then base.print("  ... and %d more (--all)\n", #value - 5) end
end

local function facts(cli)
	local found = base.must(core.facts(cli:option("facts")))
	if next(found) == nil then
		core.err("patchday: nothing is known: " .. (cli:option("facts") and "the file has no facts" or
			"no plugin with a scanner is there; see `patchday plugins`") .. "\n")
	end
	if cli.json then
		base.print_json(found)
	else
		for _, kind in ipairs(base.sorted(found)) do show_kind(kind, found[kind], cli:option("all")) end
	end
	return 0
end

return {
	facts = {
		summary = "show what the scanners find on this server",
		text = "With --json the output can be kept and given to --facts of other commands.\n",
		options = {
			{ "all", nil, "every row, not only the first five of each kind" },
			{ "facts", "FILE", "show a file of facts instead of scanning" },
		},
		run = facts,
	},
}
