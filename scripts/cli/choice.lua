-- SPDX-License-Identifier: MIT
-- Which updates of the catalogs a command takes: --id, --needed and --approved.
local _, core = ...
local approve = require "cli.approve"
local base = require "cli.base"
local sources = require "cli.sources"
local choice = {}

-- Functions that say of an update u of a catalog whether it is wanted.
local function needed(cli)
	local set = {}
	for _, server in ipairs(sources.servers(cli)) do
		base.must(server.load())
		base.must(core.judge())
		local v = core.verdict { needed = true }
		while v do
			set[v.catalog .. "\n" .. v.id] = true
			v = core.verdict { needed = true }
		end
	end
	return function(head, u) return set[head.catalog .. "\n" .. u.id] end
end

local function named(ids)
	local missing = {}
	for _, id in ipairs(ids) do missing[id] = true end
	return function(_, u)
		missing[u.id] = nil
		return base.has(ids, u.id)
	end, missing
end

-- Addresses of payloads that are not whole count from that of their catalog.
local function make_whole(u, address)
	for _, list in ipairs { u.payloads, u.packages } do
		for _, row in ipairs(list) do
			if row.url ~= "" and not row.url:find("^%a[%w+.-]*:") then row.url = address .. row.url end
		end
	end
	return u
end

-- take(update, head) of every update of the catalogs that is wanted (nil: all),
-- in order; the update with all that there is.
function choice.each(heads, wanted, take)
	for c, head in ipairs(heads) do
		for i = 1, head.updates do
			if not wanted or wanted(head, core.update(c, i)) then
				local u = core.update(c, i, true)
				take(head.base and make_whole(u, head.base) or u, head)
			end
		end
	end
end

local function nothing() return false end

-- The same of what the options choose; none of them: nothing is done, and false.
function choice.chosen(cli, heads, take)
	local ids, by_need, approved = cli:all("id"), cli:option("needed"), cli:option("approved")
	if #ids > 0 and by_need then base.fail("usage", "take either --id or --needed") end
	if #ids == 0 and not by_need and not approved then return false end
	local wanted, missing
	if #ids > 0 then wanted, missing = named(ids) elseif by_need then wanted = needed(cli) end
	local allowed = approved and (approve.filter(cli) or nothing)
	choice.each(heads, function(head, u)
		return (not wanted or wanted(head, u)) and (not allowed or allowed(u))
	end, take)
	local id = missing and next(missing)
	if id then base.fail("catalog-no-update", "no catalog has an update " .. id) end
	return true
end

return choice
