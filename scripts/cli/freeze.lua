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

-- Of which catalog each id is: no other one may have it.
local function each_once(heads, list)
	local number, from = {}, {}
	for c, head in ipairs(heads) do number[head] = c end
	for _, u in ipairs(list) do
		if from[u.id] and from[u.id] ~= number[u.from] then
			base.fail("freeze-twice", ("the update %s is in %s and in %s"):format(u.id, heads[from[u.id]].catalog,
				u.from.catalog))
		end
		from[u.id] = number[u.from]
	end
	return from
end

-- Add what the rules of the updates call and is none of them, as rules that stand
-- alone: they keep their verdicts, and nothing else becomes an update.
local function add_called(heads, list, from)
	local of, walk = {}, nil
	local function take(c, u, id)
		if of[id] and of[id] ~= c then
			base.fail("freeze-twice", ("the rules %s are in %s and in %s"):format(id, heads[of[id]].catalog,
				heads[c].catalog))
		end
		if of[id] then return end
		of[id] = c
		u.id, u.status = id, "rules"
		list[#list + 1] = u
		walk(c, u)
	end
	local function call(c, r, tree)
		local u = core.called(c, r.subject)
		-- it is nowhere, or is one of the updates
		if not u or (u.status ~= "rules" and from[r.subject] == c) then return end
		if u.status ~= "rules" then -- of an update only this tree
			if #u[tree] == 0 then return end
			local other = tree == "applicable" and "installed" or "applicable"
			u[other], u.relations, u.packages, u.payloads, u.installers, u.exits = {}, {}, {}, {}, {}, {}
			r.subject = ("%s (%s)"):format(r.subject, tree)
		end
		take(c, u, r.subject)
	end
	local function nodes(c, these, tree)
		for _, r in ipairs(these) do
			if r.op == "call" then call(c, r, tree) elseif r.rules then nodes(c, r.rules, tree) end
		end
	end
	function walk(c, u)
		nodes(c, u.applicable, "applicable")
		nodes(c, u.installed, "installed")
	end
	for i = 1, #list do walk(from[list[i].id], list[i]) end
end

-- The updates that choose(heads, also) gives, in one file; what they call too, as
-- long as their catalogs are those that are loaded.
local function write(cli, what, choose)
	local to = cli:option("to") or base.fail("usage", "--to FILE is missing")
	local heads, n = sources.catalogs(cli), 0
	local updates = choose(heads, function(list)
		n = #list
		add_called(heads, list, each_once(heads, list))
	end)
	if n == 0 then base.fail("freeze-nothing", ("there is no update to %s"):format(what)) end
	base.must(core.write(to, native.catalog(updates), 420)) -- 0644
	-- what was written is read back: it has to be what was meant
	local head = base.must(core.catalogs(core.list { to }))[1]
	if head.updates ~= n then
		base.fail("internal", ("%s has %d updates, not %d"):format(to, head.updates, n))
	end
	if cli.json then base.print_line { file = to, updates = n, digest = head.digest }
	else base.print("%s: %s, sha256 %s\n", to, base.count(n, "update"), head.digest)
	end
	return 0
end

function freeze.convert(cli) return write(cli, "convert", choice.all) end

function freeze.freeze(cli)
	return write(cli, "freeze", function(heads, also)
		return choice.chosen(cli, heads, also) or base.fail("usage",
			"say which updates: --needed, --approved, or --id ID", "All of them: `patchday catalog convert`.")
	end)
end

-- All updates of one catalog; those are counted of which ids there are several.
local function read(name, several)
	local head, list, seen = base.must(core.catalogs(core.list { name }))[1], {}, {}
	for i = 1, head.updates do
		local u = core.update(1, i, true)
		u.line = nil
		list[i], several[u.id], seen[u.id] = u, several[u.id] or seen[u.id], true
	end
	return list
end

-- By id, and by revision too where an id has several.
local function by_key(list, several)
	local map = {}
	for _, u in ipairs(list) do
		u.key = several[u.id] and u.id .. " " .. u.revision or u.id
		map[u.key] = u
	end
	return map
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
	local several = {}
	local before, after = read(names[1], several), read(names[2], several)
	local old, new = by_key(before, several), by_key(after, several)
	local counts = { added = 0, removed = 0, changed = 0 }
	local function tell(what, u, fields)
		counts[what] = counts[what] + 1
		if cli.json then base.print_line { what = what, id = u.id, revision = u.revision, fields = fields }
		else base.print("%-8s %s%s\n", what, u.key, fields and ": " .. table.concat(fields, ", ") or "")
		end
	end
	for _, u in ipairs(before) do
		if not new[u.key] then tell("removed", u) end
	end
	for _, u in ipairs(after) do
		local fields = old[u.key] and changed(old[u.key], u)
		if not fields then tell("added", u) elseif #fields > 0 then tell("changed", u, fields) end
	end
	if not cli.json then
		base.print("%d added, %d removed, %d changed\n", counts.added, counts.removed, counts.changed)
	end
	return 0
end

return freeze
