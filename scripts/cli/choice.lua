-- SPDX-License-Identifier: MIT
-- Which updates of the catalogs a command takes: --id, --needed and --approved.
local _, core = ...
local approve = require "cli.approve"
local base = require "cli.base"
local sources = require "cli.sources"
local choice = {}

-- Functions that say of an update u of a catalog whether it is wanted.
local function needed(cli, heads)
	local set, number = {}, {}
	for c, head in ipairs(heads) do number[head] = c end
	for _, server in ipairs(sources.servers(cli)) do
		base.must(server.load())
		base.must(core.judge())
		local v = core.verdict { needed = true }
		while v do
			set[v.number .. "\n" .. v.id .. "\n" .. v.revision] = true
			v = core.verdict { needed = true }
		end
	end
	return function(head, u) return set[number[head] .. "\n" .. u.id .. "\n" .. u.revision] end
end

local function named(ids)
	local missing = {}
	for _, id in ipairs(ids) do missing[id] = true end
	return function(_, u)
		missing[u.id] = nil
		return base.has(ids, u.id)
	end, missing
end

-- An update of a catalog that is loaded, by its place, or by the id that a rule calls:
-- who it is, and where whole() has the rest from.
function choice.light(heads, c, which)
	local u = core.update(c, which, false)
	return { id = u.id, revision = u.revision, status = u.status, approved = u.approved, from = heads[c], catalog = c,
		which = which }
end

local function is_whole(url) return url == "" or url:find("^%a[%w+.-]*:") ~= nil end

-- file(row) for every payload, and every package that comes in one, of an update
-- whose address is not whole.
local function each_file(u, file)
	for _, rows in ipairs { u.payloads, u.packages } do
		for _, row in ipairs(rows) do
			if not is_whole(row.url) then file(row) end
		end
	end
end

-- Rules that are called by another name than theirs, see freeze.
local function rename(nodes, names)
	for _, r in ipairs(nodes) do
		if r.op == "call" then r.subject = names[r.subject] or r.subject elseif r.rules then rename(r.rules, names) end
	end
end

local function load(light)
	local u = core.update(light.catalog, light.which, true)
	u.from, u.id, u.status = light.from, light.id, light.status
	if light.tree then -- only that, of what is an update too
		u[light.tree == "applicable" and "installed" or "applicable"] = {}
		u.relations, u.packages, u.payloads, u.installers, u.exits = {}, {}, {}, {}, {}
	end
	for tree, names in pairs(u.from.renamed or {}) do rename(u[tree], names) end
	return u
end

-- Addresses that are not whole count from that of their catalog.
local function locate(u)
	local address = u.from.base
	if address then each_file(u, function(row) row.url = address .. row.url end) end
	return u
end

-- All that there is of an update of a list.  It is not kept: lists are long.
function choice.whole(u) return u.packages and u or locate(load(u)) end

-- Where the packages of a repository are, and what proves them: advisories have
-- their names, and seldom more.
local function look_up(list, head)
	local found = {}
	local function each(file)
		for _, u in ipairs(list) do
			if u.from == head then each_file(u, file) end
		end
	end
	each(function(row) found[row.url:match("[^/]+$") or row.url] = false end)
	for i = 1, base.must(core.catalogs(core.list { head.packages }))[1].updates do
		local file = core.update(1, i, true).payloads[1]
		local name = file and file.url:match("[^/]+$")
		if found[name] == false then found[name] = file end
	end
	each(function(row)
		local at = found[row.url:match("[^/]+$") or row.url]
		if at then
			row.url = at.url
			if row.digest and at.digest ~= "" then row.digest, row.bytes = at.digest, at.bytes end
		end
	end)
end

-- Those of a list whose packages stand in another catalog, which is loaded for it in
-- place of theirs: they are kept whole.
local function look_up_all(list, heads)
	local used = {}
	for _, u in ipairs(list) do
		if u.from.packages then used[u.from] = true end
	end
	if not next(used) then return list end
	for i, u in ipairs(list) do list[i] = load(u) end
	for _, head in ipairs(heads) do
		if used[head] then look_up(list, head) end
	end
	for _, u in ipairs(list) do locate(u) end
	return list
end

local function collect(heads, wanted)
	local list = {}
	for c, head in ipairs(heads) do
		for i = 1, head.updates do
			local u = choice.light(heads, c, i)
			if not wanted or wanted(head, u) then list[#list + 1] = u end
		end
	end
	return list
end

-- All updates of the catalogs that are loaded, in order; see whole().  also(list),
-- if given, is called while these catalogs are still the loaded ones.
function choice.all(heads, also)
	local list = collect(heads)
	if also then also(list) end
	return look_up_all(list, heads)
end

-- And what those of a list require, as long as it is in their catalog and may be
-- installed: without it nothing says whether it is there.
local function add_required(heads, list, approved)
	local found, has, number = {}, {}, {}
	for c, head in ipairs(heads) do number[head], has[head] = c, {} end
	for _, u in ipairs(list) do has[u.from][u.id] = true end
	local function find(head, id)
		local at = found[head] or {}
		for i = 1, found[head] and 0 or head.updates do at[core.update(number[head], i, false).id] = i end
		found[head] = at
		return at[id] and choice.light(heads, number[head], at[id])
	end
	local function take(u, id)
		local other = not has[u.from][id] and find(u.from, id)
		if not other then return end
		if approved and not other.approved then
			base.fail("freeze-requires", ("the update %s requires %s, which is not approved"):format(u.id, id))
		end
		has[u.from][id], list[#list + 1] = true, other
	end
	local i = 1
	while list[i] do
		for _, r in ipairs(core.update(list[i].catalog, list[i].which).relations) do
			if r.kind == "requires" then take(list[i], r.target) end
		end
		i = i + 1
	end
end

-- Those that the options choose; nil: none of them does.
function choice.chosen(cli, heads, also)
	local ids, by_need, approved = cli:all("id"), cli:option("needed"), cli:option("approved")
	if #ids > 0 and by_need then base.fail("usage", "take either --id or --needed") end
	if #ids == 0 and not by_need and not approved then return nil end
	local wanted, missing
	if approved or by_need then base.must(core.approve(approve.path(cli))) end
	if #ids > 0 then wanted, missing = named(ids) elseif by_need then wanted = needed(cli, heads) end
	local list = collect(heads, function(head, u)
		return (not wanted or wanted(head, u)) and (not approved or u.approved)
	end)
	local id = missing and next(missing)
	if id then base.fail("catalog-no-update", "no catalog has an update " .. id) end
	add_required(heads, list, approved)
	if also then also(list) end
	return look_up_all(list, heads)
end

return choice
