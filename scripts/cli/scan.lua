-- SPDX-License-Identifier: MIT
-- scan: what is needed, by one server or by many.
local _, core = ...
local approve = require "cli.approve"
local base = require "cli.base"
local source = require "cli.source"
local sources = require "cli.sources"

local FOUND = 64

local function csv(v)
	local packages = {}
	for i, p in ipairs(v.packages) do packages[i] = ("%s %s %s"):format(p.name, p.version, p.arch) end
	base.print_csv { v.server, v.catalog, v.id, v.revision, v.verdict, v.severity, v.kind, v.reason,
		table.concat(packages, "; "), v.approved == nil and "" or tostring(v.approved) }
end

local function spoken(v)
	local barred = v.approved == false and "not approved" or ""
	base.print("%s\n", base.sentence { v.verdict, v.severity, v.id, barred, v.reason })
end

-- What is asked for, true: what may be installed, false: what may not; nil: all.
local function which(cli)
	local may, may_not = cli:option("approved"), cli:option("unapproved")
	if may and may_not then
		base.fail("usage", "--approved and --unapproved don't go together", "Without either every update is told.")
	end
	if may or may_not then return may ~= nil end
end

-- Prints the verdicts for the facts that are loaded; how many were printed.
local function judge(cli, server, plain)
	local why, approved, shown = cli:option("why"), which(cli), 0
	local counts = base.must(core.judge(nil, nil, approved))
	local wanted = plain and not why and not cli:option("all") and { needed = true, unknown = true } or nil
	if cli.json then return core.verdict_lines(wanted, why, approved, cli:option("packages") ~= nil, server) end
	local columns = plain and not base.plain
	if columns then shown = core.verdict_table(wanted, why, approved, base.paint("yellow", "not approved") .. "; ") end
	local v = not columns and core.verdict(wanted, why, approved)
	while v do
		shown, v.server = shown + 1, server
		if plain then spoken(v) else csv(v) end
		v = core.verdict(wanted, why, approved)
	end
	if plain and not why then
		base.print("%d needed, %d installed, %d superseded, %d not applicable, %d unknown\n", counts.needed,
			counts.installed, counts.superseded, counts["not-applicable"], counts.unknown)
	end
	return shown
end

local function answer(cli)
	local servers, why = sources.servers(cli), cli:option("why")
	local many, found, status = #servers > 1, false, 0
	local plain = not cli.json and not cli:option("csv")
	-- of one server it is known what it asks about before the catalogs are read
	local first = not many and servers[1].load
	if first then
		local facts = base.must(first())
		servers[1].load = function() return facts end
	end
	-- a list of packages is judged by the catalog alone, unless what was approved is asked for
	local alone = cli:option("packages") and which(cli) == nil
	-- what is printed of an update has no title and no payload, but in one form; what
	-- was approved is compared with all of it
	local bare = alone or not cli.json and not core.path(approve.path(cli))
	sources.catalogs(cli, not cli:option("strict") and { mine = not many, bare = bare } or nil)
	if not alone then base.must(core.approve(approve.path(cli))) end
	if cli:option("csv") then
		base.print_csv { "server", "catalog", "id", "revision", "verdict", "severity", "kind", "reason", "packages",
			"approved" }
	end
	local function one(server)
		local facts, err = server.load()
		if not facts and not many then error(err, 0) end
		if not facts then
			base.show_error(err, many)
			status = 2
		else
			local name = facts.os and facts.os.hostname or server.name
			if many and plain then base.print("%s\n", base.paint("bold", name)) end
			found = judge(cli, (many or cli:option("csv")) and name or nil, plain) > 0 or found
		end
	end
	-- by several processes; of each it is known how it left, FOUND: it found something
	local part = base.must(core.split(#servers))
	for i = part.first or 1, part.first and #servers or 0, part.step or 1 do
		one(servers[i])
		if part.step > 1 then core.turn() end
	end
	if part.step and part.step > 1 then core.leave(status + (found and FOUND or 0)) end
	for _, left in ipairs(part) do
		if left < 0 then
			base.show_error({ id = "internal", message = "a part of the work was killed: " ..
				"servers are missing in what was printed" }, true)
		end
		found = found or left >= 0 and left & FOUND ~= 0
		status = math.max(status, left < 0 and 2 or left & ~FOUND)
	end
	if why and not found and status == 0 then base.fail("catalog-no-update", "no catalog has an update " .. why) end
	return status
end

-- What the answer depends on, if that is nothing but files: then it need not be
-- found anew as long as they are the same.  See core.recall().
local function recall(cli)
	local catalogs, files = cli:all("catalog"), cli:all("packages")
	for _, file in ipairs(cli.operands) do catalogs[#catalogs + 1] = file end
	catalogs = source.together(source.resolve(cli, catalogs))
	for _, file in ipairs(cli:all("facts")) do files[#files + 1] = file end
	if #files ~= 1 or #catalogs == 0 then return nil end
	local large, words, parts = {}, { files[1] }, { base.about.self, base.about.scripts .. "/cli", base.about.plugins }
	for _, name in ipairs { "json", "csv", "all", "why", "scheme", "packages", "strict", "approved", "unapproved" } do
		words[#words + 1] = ("%s=%s"):format(name, cli:option(name))
	end
	words[#words + 1] = tostring(base.plain)
	local streams = cli:option("modules")
	words[#words + 1] = streams and base.must(core.digest(streams)) or ""
	words[#words + 1] = core.path(approve.path(cli)) and base.must(core.digest(approve.path(cli))) or ""
	for _, entry in ipairs(catalogs) do
		if type(entry) == "string" and entry:find(":$") then return nil end
		words[#words + 1] = core.encode(entry)
		large[#large + 1] = entry.path or entry
		for _, file in ipairs(entry.before or {}) do large[#large + 1] = file end
	end
	for _, folder in ipairs(cli:all("plugin-dir")) do parts[#parts + 1] = folder end
	return core.recall(core.list(large), core.list(files), core.list(words), core.list(parts))
end

local function scan(cli)
	local known = recall(cli)
	if known then return 0 end
	local ok, status = pcall(answer, cli)
	core.remember(ok and status == 0)
	if not ok then error(status, 0) end
	return status
end

return {
	scan = {
		summary = "tell which updates a server needs, and why",
		text = [[
Each update of the catalogs is needed, installed, superseded, not applicable or
unknown. With --json or --csv one line for each update. Without --catalog, apt's
own verified lists are the catalog.
]],
		options = {
			{ "catalog", "FILE", "catalog of updates, READER: such as apt:, or sync:SOURCE; may be repeated" },
			{ "facts", "FILE", "facts of another server (from `patchday facts --json`), or a folder of such "
				.. "files; may be repeated" },
			{ "packages", "FILE", "the installed packages, in lines of name, epoch, version, release and arch with tabs "
				.. "between; # starts a comment" },
			{ "scheme", "SCHEME", "how versions of --packages compare: rpm, deb ..." },
			{ "key", "FILE", "the public key or certificate that a catalog in a file, or a repository, has to be signed with" },
			{ "modules", "FILE", "the streams of modules that are enabled beside --packages, in lines of name and stream "
				.. "with a tab between" },
			{ "all", nil, "every update, not only those needed or unknown" },
			{ "why", "ID", "only this update, with the reason for its verdict" },
			{ "approved", nil, "only what may be installed" },
			{ "unapproved", nil, "only what may not: since something was approved, and it was not" },
			{ "csv", nil, "print CSV (RFC 4180)" },
			{ "strict", nil, "a catalog of which something was passed over is an error" },
		},
		forms = { "csv", "json" }, run = scan,
	},
}
