-- SPDX-License-Identifier: MIT
-- scan: what is needed, by one server or by many.
local _, core = ...
local base = require "cli.base"
local sources = require "cli.sources"

-- The form that --json has with --packages, for other programs to check.
local function fixed(v)
	local packages = core.list {}
	for i, p in ipairs(v.packages) do packages[i] = { name = p.name, version = p.version, arch = p.arch } end
	return { catalog = v.catalog, id = v.id, revision = v.revision, verdict = v.verdict, reason = v.reason,
		packages = packages }
end

local function csv(v)
	local packages = {}
	for i, p in ipairs(v.packages) do packages[i] = ("%s %s %s"):format(p.name, p.version, p.arch) end
	base.print_csv { v.server, v.catalog, v.id, v.revision, v.verdict, v.severity, v.kind, v.reason,
		table.concat(packages, "; ") }
end

local function row(v)
	base.print("%-15s %-10s %s %s\n", v.verdict, v.severity, base.pad(v.id, 40), v.reason)
end

-- Prints the verdicts for the facts that are loaded; their counts, and how many
-- were printed.
local function judge(cli, server, print)
	local why, plain, shown = cli:option("why"), not cli.json and not cli:option("csv"), 0
	local counts = base.must(core.judge())
	local wanted = plain and not why and not cli:option("all") and { needed = true, unknown = true } or nil
	local v = core.verdict(0, wanted, why)
	while v do
		local at = v.at
		shown, v.at, v.server = shown + 1, nil, server
		print(v)
		v = core.verdict(at, wanted, why)
	end
	if plain and not why then
		base.print("%d needed, %d installed, %d superseded, %d not applicable, %d unknown\n", counts.needed,
			counts.installed, counts.superseded, counts["not-applicable"], counts.unknown)
	end
	return shown
end

local function scan(cli)
	local servers, why = sources.servers(cli), cli:option("why")
	local many, found, status = #servers > 1, 0, 0
	local print = cli:option("csv") and csv or not cli.json and row or
		cli:option("packages") and function(v) base.print_line(fixed(v)) end or base.print_line
	sources.catalogs(cli)
	if cli:option("csv") then
		base.print_csv { "server", "catalog", "id", "revision", "verdict", "severity", "kind", "reason", "packages" }
	end
	for _, server in ipairs(servers) do
		local facts, err = server.load()
		if not facts and not many then error(err, 0) end
		if not facts then
			base.show_error(err, many)
			status = 2
		else
			local name = facts.os and facts.os.hostname or server.name
			if many and print == row then base.print("%s\n", base.paint("bold", name)) end
			found = found + judge(cli, (many or print == csv) and name or nil, print)
		end
	end
	if why and found == 0 and status == 0 then base.fail("catalog-no-update", "no catalog has an update " .. why) end
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
			{ "catalog", "FILE", "catalog of updates, or READER: such as apt:; may be repeated" },
			{ "facts", "FILE", "facts of another server (from `patchday facts --json`), or a folder of such "
				.. "files; may be repeated" },
			{ "packages", "FILE", "the installed packages, in lines of name, epoch, version, release and arch with tabs "
				.. "between; # starts a comment" },
			{ "scheme", "SCHEME", "how versions of --packages compare: rpm, deb ..." },
			{ "all", nil, "every update, not only those needed or unknown" },
			{ "why", "ID", "only this update, with the reason for its verdict" },
			{ "csv", nil, "print CSV (RFC 4180)" },
			{ "strict", nil, "a catalog of which something was passed over is an error" },
		},
		run = scan,
	},
}
