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

-- Is an update one of packages alone, which nothing else refers to by its id?
local function is_plain(light)
	local u = choice.whole(light)
	for _, r in ipairs(u.relations) do
		if r.kind ~= "alias" and r.kind ~= "reference" then return false end
	end
	return #u.packages > 0 and #u.applicable + #u.installed == 0
end

-- Of which catalog each id is.  Another one may have it too if it is about packages
-- alone: repositories of one vendor have advisories in common.
local function owners(list)
	local last = {}
	for _, u in ipairs(list) do
		local other = last[u.id]
		local common = not other or other.catalog == u.catalog or is_plain(u)
		while common and other and last[u.id].catalog ~= u.catalog do
			common, other = is_plain(other), other.other
		end
		if not common then
			base.fail("freeze-twice", ("the update %s is in %s and in %s"):format(u.id, last[u.id].from.catalog,
				u.from.catalog))
		end
		u.other, last[u.id] = last[u.id], u
	end
	return last
end

-- The rows of two updates, each once.
local function join(rows, more)
	local has = {}
	for _, row in ipairs(rows) do has[core.encode(row)] = true end
	for _, row in ipairs(more) do
		if not has[core.encode(row)] then rows[#rows + 1] = row end
	end
end

-- What several catalogs have under one id and revision is one update with the packages
-- of all; what else is said of it counts where it stands first.
local function united(updates)
	local list, known = {}, {}
	for _, u in ipairs(updates) do
		local key = u.id .. "\n" .. u.revision
		local at = u.status ~= "rules" and known[key]
		if not at then
			list[#list + 1] = u
			known[key] = u.status ~= "rules" and #list or nil
		else
			local first, more = choice.whole(list[at]), choice.whole(u)
			list[at] = first
			for _, rows in ipairs { "packages", "payloads", "relations" } do join(first[rows], more[rows]) end
			if first.trust ~= more.trust then first.trust = ("%s; %s"):format(first.trust, more.trust) end
		end
	end
	return list
end

-- Add what the rules of the updates call and is none of them, as rules that stand
-- alone: they keep their verdicts, and nothing else becomes an update.
local function add_called(heads, list, from)
	local of, walk = {}, nil
	local function take(c, id, called)
		if of[id] and of[id] ~= c then
			base.fail("freeze-twice", ("the rules %s are in %s and in %s"):format(id, heads[of[id]].catalog,
				heads[c].catalog))
		end
		if of[id] then return end
		local u = choice.light(heads, c, called.id)
		of[id], u.id, u.status, u.tree = c, id, "rules", not called.alone and called.tree or nil
		list[#list + 1] = u
		walk(u)
	end
	function walk(u)
		local c, head = u.catalog, u.from
		for _, called in ipairs(core.calls(c, u.which)) do
			local owner, here = from[called.id], not u.tree or u.tree == called.tree
			if here and called.alone then take(c, called.id, called)
			elseif here and called.any and not (owner and owner.catalog == c) then -- only this tree of an update
				local id = ("%s (%s)"):format(called.id, called.tree)
				head.renamed = head.renamed or { applicable = {}, installed = {} }
				head.renamed[called.tree][called.id] = id
				take(c, id, called)
			end
		end
	end
	for i = 1, #list do walk(list[i]) end
end

-- The updates that choose(heads, also) gives, in one file; what they call too, as
-- long as their catalogs are those that are loaded.
local function write(cli, what, choose)
	local to = cli:option("to") or base.fail("usage", "--to FILE is missing")
	local heads, n = sources.catalogs(cli), 0
	local updates = united(choose(heads, function(list) add_called(heads, list, owners(list)) end))
	for _, u in ipairs(updates) do n = n + (u.status ~= "rules" and 1 or 0) end
	if n == 0 then base.fail("freeze-nothing", ("there is no update to %s"):format(what)) end
	local file = base.must(core.begin(to))
	native.write(updates, function(text)
		local failed = core.add(file, text)
		if failed ~= 0 then base.must(core.finish(file, to, 420, failed)) end
	end, choice.whole)
	base.must(core.finish(file, to, 420, 0)) -- 0644
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

-- Ids and revisions of the updates of one catalog, and marks of what is in them; those
-- are counted of which ids there are several.
local function read(name, several, marks)
	local head, list, seen = base.must(core.catalogs(core.list { name }))[1], { id = {}, revision = {}, marks = {} }, {}
	for i = 1, head.updates do
		local u = core.update(1, i)
		list.id[i], list.revision[i], list.marks[i] = u.id, u.revision, marks and core.marks(1, i)
		several[u.id], seen[u.id] = several[u.id] or seen[u.id], true
	end
	return list
end

-- By id, and by revision too where an id has several.
local function key(list, i, several)
	return several[list.id[i]] and list.id[i] .. " " .. list.revision[i] or list.id[i]
end

local function by_key(list, several)
	local map = {}
	for i in ipairs(list.id) do map[key(list, i, several)] = i end
	return map
end

-- Names of what is different, by the marks of two updates; names() are all of them.
local function changed(a, b, names)
	local list = core.list {}
	if a ~= b then
		for k, name in ipairs(names()) do
			if a:sub(16 * k - 15, 16 * k) ~= b:sub(16 * k - 15, 16 * k) then list[#list + 1] = name end
		end
		table.sort(list)
	end
	return list
end

-- Exit status 0 also if they differ: that is no failure.  One catalog is held at a time.
function freeze.diff(cli)
	local names = source.resolve(cli, cli.operands)
	if #names ~= 2 then base.fail("usage", "usage: patchday catalog diff FILE FILE") end
	local several = {}
	local before, after = read(names[1], several, true), read(names[2], several)
	local old, new = by_key(before, several), by_key(after, several)
	local counts = { added = 0, removed = 0, changed = 0 }
	local function tell(what, list, i, fields)
		counts[what] = counts[what] + 1
		if cli.json then base.print_line { what = what, id = list.id[i], revision = list.revision[i], fields = fields }
		else base.print("%s\n", base.row { { what, 8 }, key(list, i, several) .. (fields and ": " ..
			table.concat(fields, ", ") or "") })
		end
	end
	for i in ipairs(before.id) do
		if not new[key(before, i, several)] then tell("removed", before, i) end
	end
	for i in ipairs(after.id) do
		local was = before.marks[old[key(after, i, several)]]
		local fields = was and changed(was, core.marks(1, i), function() return core.marks(1, i, true) end)
		if not fields then tell("added", after, i) elseif #fields > 0 then tell("changed", after, i, fields) end
	end
	if not cli.json then
		base.print("%d added, %d removed, %d changed\n", counts.added, counts.removed, counts.changed)
	end
	return 0
end

return freeze
