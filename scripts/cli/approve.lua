-- SPDX-License-Identifier: MIT
-- catalog approve, withdraw and approvals: which updates may be installed, who
-- said so, when and why.  Once anything was approved, nothing else is installed.
local _, core = ...
local base = require "cli.base"
local sources = require "cli.sources"
local approve = {}

function approve.path(cli) return cli.state .. "/approvals.jsonl" end

-- All that was decided, in order.
local function read(cli)
	local list = {}
	if not core.path(approve.path(cli)) then return list end
	for line in base.lines(base.must(core.text(approve.path(cli)))) do
		if line ~= "" then list[#list + 1] = base.must(core.decode(line)) end
	end
	return list
end

local function key(u) return u.id .. "\n" .. u.revision end

-- What holds now: key -> the decision that approved it; keys in order.
local function in_force(list)
	local map, order = {}, {}
	for _, d in ipairs(list) do
		if d.what == "approve" and not map[key(d)] then order[#order + 1] = key(d) end
		map[key(d)] = d.what == "approve" and d or nil
	end
	return map, order
end

local function reason(cli)
	return cli:option("why") or base.fail("no-reason", "say why with --why TEXT")
end

-- A function that says whether this server needs an update of a catalog.
local function needed(cli)
	local set = {}
	if #cli:all("facts") > 1 then
		base.fail("usage", "approve takes one --facts", "Approve for each server; what is approved already stays so.")
	end
	base.must(core.facts(cli:option("facts")))
	base.must(core.judge())
	local v = core.verdict { needed = true }
	while v do
		set[v.catalog .. "\n" .. key(v)] = true
		v = core.verdict { needed = true }
	end
	return function(head, u) return set[head.catalog .. "\n" .. key(u)] end
end

-- The updates of the catalogs that are named by id, or that this server needs, with
-- what is in them.
local function chosen(cli)
	local ids, missing, found = cli:all("id"), {}, {}
	if (#ids == 0) == not cli:option("needed") then base.fail("usage", "say which updates: --id ID, or --needed") end
	for _, id in ipairs(ids) do missing[id] = true end
	local heads = sources.catalogs(cli)
	local wanted = #ids == 0 and needed(cli) or function(_, u) return base.has(ids, u.id) end
	base.must(core.approve(approve.path(cli)))
	for c, head in ipairs(heads) do
		for i = 1, head.updates do
			local u = core.update(c, i)
			if wanted(head, u) then
				u.catalog, u.content = head.catalog, core.content(c, i)
				found[#found + 1], missing[u.id] = u, nil
			end
		end
	end
	local id = next(missing)
	if id then base.fail("catalog-no-update", "no catalog has an update " .. id) end
	return found
end

-- Adds to the file, at once and for good.
local function add(cli, decisions)
	base.must(core.folder(cli.state))
	local locked, err = core.lock(approve.path(cli) .. ".lock")
	if not locked then base.must(nil, err or { id = "source-busy", message = "approvals are being changed" }) end
	local lines = { core.path(approve.path(cli)) and base.must(core.text(approve.path(cli))) or "" }
	for i, d in ipairs(decisions) do lines[i + 1] = core.encode(d) .. "\n" end
	base.must(core.write(approve.path(cli), table.concat(lines), 384)) -- 0600
	for _, d in ipairs(decisions) do
		if cli.json then base.print_line(d)
		else base.print("%s %s %s\n", d.what == "approve" and "approved" or "withdrawn", d.id, d.revision)
		end
	end
	return 0
end

function approve.approve(cli)
	local why, decisions = reason(cli), {}
	for _, u in ipairs(chosen(cli)) do
		if not u.approved then
			decisions[#decisions + 1] = { what = "approve", catalog = u.catalog, id = u.id, revision = u.revision,
				title = u.title, content = u.content, who = core.user(), time = core.now(), why = why }
		end
	end
	return add(cli, decisions)
end

-- By id alone: the catalog may be gone.
function approve.withdraw(cli)
	local why, now, decisions = reason(cli), in_force(read(cli)), {}
	for _, id in ipairs(cli:all("id")) do
		local count = #decisions
		for _, d in pairs(now) do
			if d.id == id then
				decisions[#decisions + 1] = { what = "withdraw", id = id, revision = d.revision, who = core.user(),
					time = core.now(), why = why }
			end
		end
		if #decisions == count then base.fail("catalog-no-update", ("the update %s is not approved"):format(id)) end
	end
	if #decisions == 0 then base.fail("usage", "say which updates: --id ID") end
	return add(cli, decisions)
end

function approve.list(cli)
	local now, order = in_force(read(cli))
	for _, k in ipairs(order) do
		local d = now[k]
		if d and cli.json then base.print_line(d)
		elseif d then
			base.print("%s\n", base.row { { d.id, 30 }, { d.revision, 10 }, core.date(d.time) .. " ", d.who .. ", " .. d.why })
		end
	end
	return 0
end

return approve
