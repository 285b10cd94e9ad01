-- SPDX-License-Identifier: MIT
-- catalog check: is it whole, is it as it was signed, what was passed over, do its
-- dates and links make sense?
local _, core = ...
local base = require "cli.base"
local signature = require "cli.signature"
local sources = require "cli.sources"

local linking = { supersedes = true, requires = true, bundles = true }

-- All of one catalog that links are about: id -> { kind -> targets } of all its revisions,
-- and ids in order.
local function read(c, head)
	local graph, order, dates, now = {}, {}, {}, core.now() + 86400
	for i = 1, head.updates do
		local u = core.update(c, i)
		if not graph[u.id] then graph[u.id], order[#order + 1] = {}, u.id end
		for _, r in ipairs(u.relations) do
			local to = linking[r.kind] and (graph[u.id][r.kind] or {})
			if to and not to[r.target] then to[#to + 1], to[r.target] = r.target, true end
			graph[u.id][r.kind] = to
		end
		local wrong = u.issued > now and "was issued in the future, on " .. core.date(u.issued)
			or u.updated > now and "was updated in the future, on " .. core.date(u.updated)
			or u.updated ~= 0 and u.issued > u.updated and "was updated before it was issued"
		if wrong then
			dates[#dates + 1] = ("%s:%d: %s %s"):format(head.catalog, u.line, u.id, wrong)
		end
	end
	return graph, order, dates
end

local function dangling(graph, order)
	local found = {}
	for _, id in ipairs(order) do
		for _, kind in ipairs(base.sorted(graph[id])) do
			for _, target in ipairs(graph[id][kind]) do
				if not graph[target] then found[#found + 1] = ("%s %s %s"):format(id, kind, target) end
			end
		end
	end
	return found
end

-- The way back to where it began, of one that is open.
local function way(path, target)
	local from = #path
	while path[from].id ~= target do from = from - 1 end
	local ids = {}
	for i = from, #path do ids[#ids + 1] = path[i].id end
	return table.concat(ids, " > ") .. " > " .. target
end

-- One cycle for each link that closes one, without recursion: they are deep.
local function cycles(graph, order, kind)
	local state, found = {}, {}
	for _, start in ipairs(order) do
		local path = not state[start] and { { id = start, at = 0 } } or {}
		state[start] = state[start] or "open"
		while #path > 0 do
			local top = path[#path]
			top.at = top.at + 1
			local target = (graph[top.id][kind] or {})[top.at]
			if not target then
				state[top.id] = "done"
				path[#path] = nil
			elseif state[target] == "open" then
				found[#found + 1] = ("%s %s"):format(kind, way(path, target))
			elseif graph[target] and not state[target] then
				state[target] = "open"
				path[#path + 1] = { id = target, at = 0 }
			end
		end
	end
	return found
end

local function findings(c, head)
	local graph, order, dates = read(c, head)
	local all = {}
	for _, kind in ipairs(base.sorted(linking)) do
		for _, cycle in ipairs(cycles(graph, order, kind)) do all[#all + 1] = cycle end
	end
	head.dates, head.cycles = core.list(dates), core.list(all)
	head.dangling, head.notes = core.list(dangling(graph, order)), core.list(core.notes(c))
end

local function some(cli, what, list)
	if #list == 0 then return end
	base.print("  %s: %d\n", what, #list)
	for i, text in ipairs(list) do
		if i > 5 and not cli:option("all") then
			return base.print("    ... and %d more (--all)\n", #list - 5)
		end
		base.print("    %s\n", text)
	end
end

-- Links are as they are in nature: to what another catalog has, or in a circle.
local function print(cli, head)
	base.print("%s: %s, %d updates, %d passed over, sha256 %s\n", head.catalog, head.format, head.updates, head.ignored,
		head.digest)
	if head.trust ~= "not signed" then base.print("  proved by: %s\n", head.trust) end
	some(cli, "passed over", head.notes)
	some(cli, "odd dates", head.dates)
	some(cli, "links to what is not in it", head.dangling)
	some(cli, "links in a circle", head.cycles)
end

-- Of one catalog, or of apt's own; what --strict refuses it for.
local function check(cli, name)
	local bad
	if name then signature.of(cli, name, true) end
	for c, head in ipairs(sources.catalogs(cli, nil, { name })) do
		findings(c, head)
		bad = bad or head.notes[1] or head.dates[1]
		if cli.json then base.print_line(head) else print(cli, head) end
	end
	return bad
end

-- Each by itself: what is wrong with one does not keep the others from being told.
return function(cli)
	local status, bad = 0, nil
	for i = 1, math.max(1, #cli.operands) do
		local ok, found = pcall(check, cli, cli.operands[i])
		if not ok and #cli.operands < 2 then error(found, 0) end
		if ok then bad = bad or found
		else
			base.show_error(found, true)
			status = math.max(status, type(found) == "table" and found.status or 2)
		end
	end
	if bad and cli:option("strict") then base.fail("catalog-strict", bad) end
	return status
end
