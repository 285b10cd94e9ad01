-- SPDX-License-Identifier: MIT
-- catalog sync: what a source offers is fetched into a folder of its own, proved
-- and read whole; only then does it take the place of what was in force.
local _, core = ...
local base = require "cli.base"
local repository = require "cli.repository"
local source = require "cli.source"
local transfer = require "cli.transfer"
local trust = require "cli.trust"

local day, PAST = 86400, 1000

local function join(address, relative)
	return relative:find("^%a+:") and relative or address .. relative
end

-- Where a file of the source is: at its address, or with --from in a folder
-- that somebody has brought, whole or its last folder alone.
local function address_of(cli, s, url)
	local from = not s.quiet and cli:option("from")
	if not from then return url end
	local name, folder = url:match("([^/]+)$"), url:match("([^/]+/[^/]+)$")
	for _, file in ipairs { folder or name, name } do
		local at = core.path(from .. "/" .. file)
		if at and not at.folder then return transfer.address(at.path) end
	end
	base.fail("source-from", ("%s has no %s of the source %s"):format(from, name, s.name))
end

-- A file of a repository, with the digest that the proved repomd.xml says, so
-- that it is not of another day: its name below the folder.
local function get_part(cli, s, new, part)
	if not part.digest then base.fail("source-part", ("%s has no digest for %s"):format(s.Url, part.href)) end
	local name = ("repodata/%s"):format(part.href:match("([^/]+)$"))
	base.must(transfer.one(cli, s, { url = address_of(cli, s, join(source.root(s), part.href)), to = new .. "/" .. name,
		digest = part.digest, bytes = part.bytes }))
	return name
end

-- The catalog of a repository: its updates, and before them its packages and default
-- streams of modules.
local function get_parts(cli, s, new, parts, record)
	if not parts.updateinfo then base.fail("source-part", ("%s lists no updateinfo"):format(s.Url)) end
	record.catalog = get_part(cli, s, new, parts.updateinfo)
	record.before = core.list { parts.primary and get_part(cli, s, new, parts.primary) }
	if record.before[1] and parts.modules then record.before[2] = get_part(cli, s, new, parts.modules) end
end

-- Of a repository on this machine: which files its parts are now, since they can change
-- while repomd.xml does not.
local function stamp(s, parts)
	local list = {}
	for _, part in ipairs(s.quiet and parts and { parts.updateinfo, parts.primary, parts.modules } or {}) do
		local at = core.path(s.file:match("^(.*)/") .. "/../" .. (part.href or "")) or {}
		list[#list + 1] = ("%s %s %s"):format(part.href, at.bytes, at.time)
	end
	return table.concat(list, "\n")
end

-- They have to be what is listed, though what is in force was so when it came.
local function prove_again(cli, s, folder, parts)
	base.must(core.remove(folder))
	base.must(core.folder(folder .. "/repodata"))
	get_parts(cli, s, folder, parts, {})
	base.must(core.remove(folder))
end

-- A date that has come; 0: one that has not says nothing.
local function past(date) return date <= core.now() + day and date or 0 end

-- Nothing that was replaced comes back: its digest tells where no time that somebody
-- has signed does.
local function refuse_again(s, record, now)
	for _, was in ipairs(now and now.past or {}) do
		if was.digest == record.digest then
			base.fail("source-older", ("%s is what was in force until %s, when it was replaced"):format(s.Url,
				core.date(was.ended)))
		end
	end
end

-- Nothing of a time to come, neither what it is nor its signature.
local function refuse_future(s, record)
	local said = source.said(record)
	if past(said) ~= said then
		base.fail("source-future", ("%s was made on %s, which has not come yet"):format(s.Url, core.date(said)),
			"See that the clock of this server is right.")
	end
end

-- Nothing that is older than what is in force, whatever its signature.
local function refuse_older(s, record, now)
	local was, is, said = now and past(now.made) or 0, record.made, source.said(record)
	if was == 0 or is == 0 or was == is then
		refuse_again(s, record, now)
		was, is = now and past(now.newest) or 0, record.newest
	end
	if is < was then
		base.fail("source-older", ("%s is of %s, older than what is in force, of %s"):format(s.Url,
			core.date(is), core.date(was)))
	end
	if said ~= 0 and s["Max-Age"] and core.now() - said > s["Max-Age"] then
		base.fail("source-old", ("%s was made, or signed, %d days ago, more than the Max-Age of %s allows"):format(s.Url,
			(core.now() - said) // day, s.file))
	end
end

local function store(folder, record)
	base.must(core.write(folder .. "/source.json", core.encode(record, true) .. "\n", 384)) -- 0600
end

-- The sets that are neither in force nor were so before.
local function tidy(home, keep)
	for _, set in ipairs(core.files(home .. "/sets")) do
		if not base.has(keep, set:match("[^/]+$")) then base.must(core.remove(set)) end
	end
end

-- The new set takes the place of the one in force.
local function put_in_force(home, new, record, now)
	local set = ("%s/sets/%s"):format(home, record.set)
	record.past = core.list { now and { digest = now.digest, ended = core.now() } }
	for i = 1, now and math.min(#(now.past or {}), PAST) or 0 do record.past[i + 1] = now.past[i] end
	store(new, record)
	base.must(core.folder(home .. "/sets"))
	base.must(core.remove(set))
	base.must(core.rename(new, set))
	base.must(core.link("sets/" .. record.set, home .. "/current"))
	tidy(home, { record.set, now and now.set })
end

-- Fetches the catalog and what proves it, which may have been signed anew since it
-- came: its record, the signature, and what a repository lists.
local function get(cli, s, new, now, kept)
	local name = s.Url:match("([^/]+)$")
	local place = name == "repomd.xml" and "/repodata/" .. name or "/" .. name
	local known = now and now.url == s.Url and now or {}
	base.must(core.folder((new .. place):match("^(.*)/")))
	local answer = base.must(transfer.one(cli, s, { url = address_of(cli, s, s.Url), to = new .. place,
		etag = known.etag, modified = known.modified }))
	local file = (answer.state == "unchanged" and kept or new) .. place
	local ending = trust.ending(s.Trust.kind)
	local signature = ending and new .. place .. ending
	if ending then
		base.must(transfer.one(cli, s, { url = address_of(cli, s, s.Signature or s.Url .. ending), to = signature,
			max = 1 << 20 }))
	end
	local record = { source = s.name, url = s.Url, catalog = place:sub(2), etag = answer.etag,
		modified = answer.modified, fetched = core.now(), checked = core.now(), digest = base.must(core.digest(file)) }
	record.set = record.digest:sub(1, 16)
	local signed, parts, made
	record.trust, signed = trust.prove(s.Trust, file, signature)
	if name == "repomd.xml" then parts, made = repository.parts(file) end
	record.made, record.signed = made and made ~= 0 and made or signed or 0, signed or 0
	return record, signature, parts
end

local function show_row(name, format, ...) base.print("%s\n", base.row { { name, 20 }, format:format(...) }) end

-- It is the one in force, looked at again, and perhaps signed again.
local function renew(cli, s, home, now, record, signature)
	now.checked = record.checked
	if record.made >= now.made and source.said(record) >= source.said(now) then
		now.trust, now.made, now.signed = record.trust, record.made, record.signed
		if signature then base.must(core.rename(signature, home .. "/current" .. signature:sub(#home + #"/new" + 1))) end
	end
	store(home .. "/current", now)
	if not cli.json and not s.quiet then show_row(now.source, "unchanged, %d updates", now.updates) end
	return { source = now.source, state = "unchanged", digest = now.digest, updates = now.updates }
end

local function sync(cli, s)
	local home = source.home(cli, s.name)
	local new = home .. "/new"
	base.must(core.folder(home))
	local locked, err = core.lock(home .. "/lock", s.quiet)
	if not locked then
		base.must(nil, err or { id = "source-busy", message = ("the source %s is being synchronised"):format(s.name) })
	end
	local now, kept = source.current(cli, s.name)
	local record, signature, parts = get(cli, s, new, now, kept)
	record.stamp = stamp(s, parts)
	if not s.any_age then refuse_future(s, record) end
	if now and now.digest == record.digest then
		if parts and now.stamp ~= record.stamp then prove_again(cli, s, home .. "/again", parts) end
		now.stamp = record.stamp
		local same = renew(cli, s, home, now, record, signature)
		core.unlock(locked)
		return same
	end
	if parts then get_parts(cli, s, new, parts, record) end
	local head = base.must(core.catalogs(core.list { source.entry(record, new) }))[1]
	record.updates, record.ignored, record.newest, record.format = head.updates, head.ignored, head.newest, head.format
	if not s.any_age then refuse_older(s, record, now) end
	put_in_force(home, new, record, now)
	core.unlock(locked)
	if not cli.json and not s.quiet then
		show_row(s.name, "%d updates, %d passed over, proved by %s", record.updates, record.ignored, record.trust)
	end
	return { source = s.name, state = "new", digest = record.digest, updates = record.updates, trust = record.trust }
end

-- One after the other; one that fails, or whose file is wrong, does not stop the others.
local function each(cli, list, act)
	local status = 0
	for _, at in ipairs(list) do
		local ok, result = pcall(function() return act(cli, source.read(at)) end)
		if ok and cli.json then base.print_line(result) end
		if not ok then
			status = 4
			if cli.json then base.print_line { source = at.name, state = "failed", error = result }
			else base.show_error(result) end
		end
	end
	return status
end

-- A source that fails leaves its old catalog in force.
local function run(cli)
	local list = source.files(cli, cli.operands)
	if #list == 0 then
		base.fail("source-none", ("there is no source in %s"):format(cli:option("sources") or source.folder),
			"A source is a file NAME.source there; patchday(1) says what is in it.")
	end
	transfer.retries(cli)
	return each(cli, list, sync)
end

local function tell(cli, s)
	local now = source.current(cli, s.name)
	if not cli.json and now then
		local made = now.made ~= 0 and now.made or now.newest
		show_row(s.name, "%d updates, %s, proved by %s, looked at %s", now.updates,
			made ~= 0 and "of " .. core.date(made) or "without a date", now.trust, core.date(now.checked))
	elseif not cli.json then show_row(s.name, "never synchronised")
	end
	return { source = s.name, url = s.Url, trust = s.Trust, current = now }
end

local function show(cli) return each(cli, source.files(cli, cli.operands), tell) end

return { one = sync, sync = run, sources = show }
