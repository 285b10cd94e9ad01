-- SPDX-License-Identifier: MIT
-- catalog fetch: the payloads of updates into the package source, a folder that
-- is root's alone.  A file has its name there when it is proved, and not before.
local _, core = ...
local base = require "cli.base"
local choice = require "cli.choice"
local signature = require "cli.signature"
local source = require "cli.source"
local sources = require "cli.sources"
local transfer = require "cli.transfer"

local SUMS = "SHA256SUMS"

-- A number of an option, within bounds.
local function number(cli, name, kind, most)
	local text = cli:option(name)
	local n = text and (kind and core.number(kind, text) or math.tointeger(tonumber(text)))
	if text and (not n or n < 1 or n > most) then
		base.fail("usage", ("--%s: '%s' is no number from 1 to %d"):format(name, text, most))
	end
	return n
end

-- ------------------------------------------------------------ what is wanted

-- All of a frozen catalog; of one that grows what the options choose.
local function updates(cli)
	local heads, frozen, address = sources.catalogs(cli), true, cli:option("base")
	for _, head in ipairs(heads) do
		head.base = address and address:gsub("/*$", "/") or head.base
		frozen = frozen and head.format == "native:native" and not head.source
	end
	return choice.chosen(cli, heads) or frozen and choice.all(heads) or
		base.fail("usage", "say which updates: --approved, --needed, or --id ID",
			"Or freeze them first (`patchday catalog freeze`): all of a frozen catalog is fetched.")
end

-- Is it of sources, or for other machines than those of --arch alone?
local function is_left_out(u, payload, archs)
	local named, wanted = false, false
	for _, p in ipairs(u.packages) do
		if p.url == payload.url then
			local arch = p.arch
			named = true
			wanted = wanted or arch ~= "src" and arch ~= "nosrc" and arch ~= "source" and (#archs == 0 or arch == ""
				or arch == "all" or arch == "noarch" or base.has(archs, arch))
		end
	end
	return named and not wanted
end

local function failure(id, message) return { state = "failed", id = id, message = message } end

-- Why it can't be fetched, before anything was tried.  On a medium it is found by its
-- name, whatever its address is.
local function obstacle(f, taken, from)
	if f.digest == "" then
		return failure("payload-unproved", ("the catalog has no digest of %s"):format(f.url))
	end
	if not from and not f.url:find("^https?://") and not f.url:find("^file:/") then
		return failure("payload-address", ("it is not known where %s is"):format(f.url))
	end
	if not f.name or #f.name > 200 or f.name:find("^%.") or f.name:find("[%c/]") or f.name == SUMS then
		return failure("payload-name", ("%s has no name that a file can have"):format(f.url))
	end
	if taken and taken.digest ~= f.digest then
		return failure("payload-name", ("%s and %s would both be %s"):format(taken.url, f.url, f.name))
	end
end

-- The payloads of updates, each once, under the name that it has in its address.
local function payloads(cli, list)
	local files, seen, taken = {}, {}, {}
	for _, light in ipairs(list) do
		local u = choice.whole(light)
		for _, p in ipairs(u.payloads) do
			local known = seen[p.url .. "\n" .. p.digest]
			if known then known.updates[#known.updates + 1] = u.id
			elseif not is_left_out(u, p, cli:all("arch")) then
				local url = p.url:gsub("^file:/+", "file:///")
				local f = { url = url, name = url:gsub("[?#].*", ""):match("([^/]+)$"), digest = p.digest:lower(),
					bytes = p.bytes >= 0 and p.bytes or nil, source = u.from.source, updates = core.list { u.id } }
				f.answer = obstacle(f, taken[f.name], cli:option("from"))
				if f.name then taken[f.name] = taken[f.name] or f end
				files[#files + 1], seen[p.url .. "\n" .. p.digest] = f, f
			end
		end
	end
	return files
end

-- ------------------------------------------------------- the package source

local function refuse(err)
	base.fail("transfer-folder", err.message, err.remedy)
end

-- The folder, made if it is not there; it and what is in it can be changed by
-- nobody else.
local function open_folder(cli)
	local to = cli:option("to") or cli.state .. "/packages"
	if to:sub(1, 1) ~= "/" then
		local here = core.path(".")
		to = here.path .. "/" .. to
	end
	base.must(core.folder(to))
	to = core.path(to).path
	local ok, err = core.trusted(to, true)
	if not ok then refuse(err) end
	for _, file in ipairs(core.files(to)) do
		local at = core.path(file)
		ok, err = core.trusted(file, at and at.folder)
		if not ok then refuse(err) end
	end
	return to
end

-- Where the medium has it: by its name, or under a part of its address.
local function on_medium(from, f)
	local rest = f.url:match("^%a+:/*[^/]*/(.*)$") or f.url
	local places = { f.name }
	while rest do
		places[#places + 1] = rest
		rest = rest:match("^[^/]*/(.+)$")
	end
	for _, place in ipairs(places) do
		local at = not ("/" .. place .. "/"):find("/../", 1, true) and core.path(from .. "/" .. place)
		if at and not at.folder then return transfer.address(at.path) end
	end
end

-- What holds for all downloads from one source: its own settings, and options.
local function settings(cli, s)
	local set = { progress = cli.json and "events" or true, parallel = number(cli, "parallel", nil, 64),
		Rate = number(cli, "rate", "bytes", 1 << 40) }
	for key, value in pairs(s) do
		if set[key] == nil then set[key] = value end
	end
	return set
end

-- The files that can be fetched, by the source whose settings count.
local function by_source(cli, files, to)
	local from, name = cli:option("from"), cli:option("source")
	local one = name and source.all(cli, { name })[1]
	local groups, order, none = {}, {}, {}
	for _, f in ipairs(files) do
		local s, url = one or f.source or none, f.url
		if not f.answer and from then
			url = on_medium(from, f)
			f.answer = not url and failure("source-from", ("%s has no %s"):format(from, f.name)) or nil
		end
		if not f.answer then
			if not groups[s] then
				groups[s] = { files = {}, of = {}, source = s }
				order[#order + 1] = groups[s]
			end
			local g = groups[s]
			g.of[#g.of + 1] = f
			g.files[#g.of] = { url = url, to = to .. "/" .. f.name, digest = f.digest, bytes = f.bytes }
		end
	end
	return order
end

-- What was proved, for sha256sum --check, and for a server that takes from the
-- folder what no catalog of its own has a digest of.
local function write_sums(to, files)
	local sums, lines = {}, {}
	if core.path(to .. "/" .. SUMS) then
		for line in base.lines(base.must(core.text(to .. "/" .. SUMS))) do
			local sum, name = line:match("^(%x+)  (.+)$")
			if sum and core.path(to .. "/" .. name) then sums[name] = sum end
		end
	end
	for _, f in ipairs(files) do
		if f.name and f.answer.id ~= "payload-name" then
			local there = f.answer.state ~= "failed"
			sums[f.name] = there and (f.digest:match("^sha256:(%x+)$") or base.must(core.digest(to .. "/" .. f.name))) or nil
		end
	end
	for i, name in ipairs(base.sorted(sums)) do lines[i] = ("%s  %s\n"):format(sums[name], name) end
	base.must(core.write(to .. "/" .. SUMS, table.concat(lines), 420)) -- 0644
end

-- ------------------------------------------------------------ what came of it

local words = { done = "fetched", unchanged = "there" }

local function tell(cli, f)
	local a = f.answer
	local state = words[a.state] or a.state
	if cli.json then
		base.print_line { name = f.name, url = f.url, state = state, bytes = a.bytes or f.bytes, digest = f.digest,
			updates = f.updates, aside = a.aside, tries = a.tries,
			error = a.id and { id = a.id, message = a.message, remedy = a.remedy } or nil }
		return
	end
	if a.aside then
		core.err(("patchday: what was %s is not what the catalog says; it is now %s\n"):format(f.name, a.aside))
	end
	if a.state == "failed" then base.show_error(a)
	else base.print("%s\n", base.row { { state, 8 }, ("%10s "):format(base.bytes(a.bytes)), f.name })
	end
end

local function sum_up(cli, files, to)
	local counts, bytes, weak = { done = 0, unchanged = 0, failed = 0 }, 0, 0
	for _, f in ipairs(files) do
		counts[f.answer.state] = counts[f.answer.state] + 1
		bytes = bytes + (f.answer.state == "done" and f.answer.bytes or 0)
		if f.digest:find("^md5:") or f.digest:find("^sha1:") then weak = weak + 1 end
	end
	if not cli.json then
		if weak > 0 then
			core.err(("patchday: of %s the catalog has a digest of MD5 or SHA-1 only, which can be forged\n"):format(
				base.count(weak, "payload")))
		end
		base.print("%s: %d fetched (%s), %d were there, %d failed\n", to, counts.done, base.bytes(bytes), counts.unchanged,
			counts.failed)
	end
	return counts.failed > 0 and 4 or 0
end

return function(cli)
	signature.prove(cli, "fetch", cli.operands)
	local files = payloads(cli, updates(cli))
	if #files == 0 then base.fail("freeze-nothing", "no update that was chosen has a payload") end
	local to = open_folder(cli)
	for _, group in ipairs(by_source(cli, files, to)) do
		for i, answer in ipairs(transfer.get(cli, settings(cli, group.source), group.files)) do
			group.of[i].answer = answer
		end
	end
	write_sums(to, files)
	for _, f in ipairs(files) do tell(cli, f) end
	return sum_up(cli, files, to)
end
