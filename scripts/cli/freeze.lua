-- SPDX-License-Identifier: MIT
-- catalog freeze, convert and diff: updates as one catalog that no longer
-- changes; and what is different between two.
local _, core = ...
local base = require "cli.base"
local choice = require "cli.choice"
local native = require "cli.native"
local source = require "cli.source"
local sources = require "cli.sources"
local freeze = {}

-- A catalog has each id once.
local function each_once(list)
	local from = {}
	for _, u in ipairs(list) do
		if from[u.id] then
			base.fail("freeze-twice", ("the update %s is in %s and in %s"):format(u.id, from[u.id], u.from.catalog))
		end
		from[u.id] = u.from.catalog
	end
	return list
end

local function write(cli, updates, what)
	local to = cli:option("to") or base.fail("usage", "--to FILE is missing")
	if #updates == 0 then base.fail("freeze-nothing", ("there is no update to %s"):format(what)) end
	base.must(core.write(to, native.catalog(updates), 420)) -- 0644
	-- what was written is read back: it has to be what was meant
	local head = base.must(core.catalogs(core.list { to }))[1]
	if head.updates ~= #updates then
		base.fail("internal", ("%s has %d updates, not %d"):format(to, head.updates, #updates))
	end
	if cli.json then base.print_line { file = to, updates = #updates, digest = head.digest }
	else base.print("%s: %s, sha256 %s\n", to, base.count(#updates, "update"), head.digest)
	end
	return 0
end

function freeze.convert(cli)
	return write(cli, each_once(choice.all(sources.catalogs(cli))), "convert")
end

function freeze.freeze(cli)
	local list = choice.chosen(cli, sources.catalogs(cli)) or
		base.fail("usage", "say which updates: --needed, --approved, or --id ID",
			"All of them: `patchday catalog convert`.")
	return write(cli, each_once(list), "freeze")
end

-- id -> the text of an update, for all of one catalog; ids in order.
local function texts(name)
	local head, map, order = base.must(core.catalogs(core.list { name }))[1], {}, {}
	for i = 1, head.updates do
		local u = core.update(1, i, true)
		u.line = nil
		map[u.id], order[i] = u, u.id
	end
	return map, order
end

-- Names of what is different in two updates.
local function changed(a, b)
	local list = core.list {}
	for _, name in ipairs(base.sorted(a)) do
		if core.encode(a[name]) ~= core.encode(b[name]) then list[#list + 1] = name end
	end
	return list
end

-- Exit status 0 also if they differ: that is no failure.
function freeze.diff(cli)
	local names = source.resolve(cli, cli.operands)
	if #names ~= 2 then base.fail("usage", "usage: patchday catalog diff FILE FILE") end
	local old, old_order = texts(names[1])
	local new, new_order = texts(names[2])
	local counts = { added = 0, removed = 0, changed = 0 }
	local function tell(what, id, fields)
		counts[what] = counts[what] + 1
		if cli.json then base.print_line { what = what, id = id, fields = fields }
		else base.print("%-8s %s%s\n", what, id, fields and ": " .. table.concat(fields, ", ") or "")
		end
	end
	for _, id in ipairs(old_order) do
		if not new[id] then tell("removed", id) end
	end
	for _, id in ipairs(new_order) do
		local fields = old[id] and changed(old[id], new[id])
		if not fields then tell("added", id) elseif #fields > 0 then tell("changed", id, fields) end
	end
	if not cli.json then
		base.print("%d added, %d removed, %d changed\n", counts.added, counts.removed, counts.changed)
	end
	return 0
end

return freeze
