-- SPDX-License-Identifier: MIT
-- facts, scan and catalog: what is there, and what is needed.
local _, core = ...
local base = require "cli.base"

local function show_kind(kind, value, all)
	if #value == 0 and next(value) ~= nil then
		base.print("%s\n", base.paint("bold", kind))
		for _, key in ipairs(base.sorted(value)) do base.print("  %-16s %s\n", key, base.line(value[key])) end
		return
	end
	base.print("%s  %d\n", base.paint("bold", kind), #value)
	for i, row in ipairs(value) do
		if i <= 5 or all then base.print("  %s\n", core.encode(row)) end
	end
	if #value > 5 and not all then base.print("  ... and %d more (--all)\n", #value - 5) end
end

local function facts(cli)
	local found = base.must(core.facts(cli:option("facts")))
	if cli.json then
		base.print_json(found)
	else
		for _, kind in ipairs(base.sorted(found)) do show_kind(kind, found[kind], cli:option("all")) end
	end
	return 0
end

-- Those of --catalog and operands.  "Nothing is needed" must not come from
-- having looked nowhere.
local function read(cli)
	local sources = cli:all("catalog")
	for _, file in ipairs(cli.operands) do sources[#sources + 1] = file end
	local heads = base.must(core.catalogs(core.list(sources)))
	if #heads == 0 then base.fail("usage", "no catalog is named, and there is none of apt here") end
	return heads
end

local function scan(cli)
	base.must(core.facts(cli:option("facts")))
	read(cli)
	local why, all = cli:option("why"), cli.json or cli:option("all")
	local counts = { needed = 0, installed = 0, superseded = 0, ["not-applicable"] = 0, unknown = 0 }
	local shown, i, v = 0, 1, base.must(core.verdict(1))
	while v do
		counts[v.verdict] = counts[v.verdict] + 1
		local wanted = all or v.verdict == "needed" or v.verdict == "unknown"
		if why then wanted = why == v.id end
		if wanted then
			shown = shown + 1
			if cli.json then base.print_line(v)
			else base.print("%-15s %-10s %s %s\n", v.verdict, v.severity, base.pad(v.id, 40), v.reason)
			end
		end
		i = i + 1
		v = core.verdict(i)
	end
	if why and shown == 0 then base.fail("catalog-no-update", "no catalog has an update " .. why) end
	if not cli.json and not why then
		base.print("%d needed, %d installed, %d superseded, %d not applicable, %d unknown\n", counts.needed,
			counts.installed, counts.superseded, counts["not-applicable"], counts.unknown)
	end
	return 0
end

local function show_update(u)
	base.print("%s %s\n  title     %s\n  severity  %s%s\n  kind      %s\n  restart   %s\n", u.id, u.revision, u.title,
		u.severity, u.severity_text ~= "" and ", as written: " .. u.severity_text or "", u.kind, u.restart)
	if u.issued ~= 0 then base.print("  issued    %s\n", core.date(u.issued)) end
	if u.url ~= "" then base.print("  more      %s\n", u.url) end
	if u.description ~= "" then base.print("  %s\n", u.description) end
	for _, p in ipairs(u.packages) do
		base.print("  package   %s %s %s (%s)\n", p.name, p.version, p.arch, p.scheme)
	end
	for _, p in ipairs(u.payloads) do base.print("  payload   %s %s\n", p.url, p.digest) end
	for _, r in ipairs(u.relations) do base.print("  %-9s %s\n", r.kind, r.target) end
end

local function show(cli)
	local id = cli:option("id")
	for c, head in ipairs(read(cli)) do
		local shown = 0
		for i = 1, head.updates do
			local u = core.update(c, i)
			if not id or id == u.id then
				shown = shown + 1
				if cli.json then base.print_line(u)
				elseif id then show_update(u)
				else base.print("%s %-10s %-12s %s\n", base.pad(u.id, 40), u.severity, u.kind, u.title)
				end
			end
		end
		if id and shown == 0 then
			base.fail("catalog-no-update", ("%s has no update %s"):format(head.catalog, id))
		end
	end
	return 0
end

local function check(cli)
	for _, c in ipairs(read(cli)) do
		if cli.json then base.print_line(c)
		else
			base.print("%s: %s, %d updates, %d passed over, sha256 %s\n", c.catalog, c.format, c.updates, c.ignored,
				c.digest)
		end
	end
	return 0
end

return {
	facts = {
		summary = "show what the scanners find on this server",
		text = "With --json the output can be kept and given to --facts of other commands.\n",
		options = {
			{ "all", nil, "every row, not only the first five of each kind" },
			{ "facts", "FILE", "show a file of facts instead of scanning" },
		},
		run = facts,
	},
	scan = {
		summary = "tell which updates this server needs, and why",
		text = [[
Each update of the catalogs is needed, installed, superseded, not applicable or
unknown. With --json one line for each update. Without --catalog, apt's own
verified lists are the catalog.
]],
		options = {
			{ "catalog", "FILE", "catalog of updates, or READER: such as apt:; may be repeated" },
			{ "facts", "FILE", "facts of another server (from `patchday facts --json`)" },
			{ "all", nil, "every update, not only those needed or unknown" },
			{ "why", "ID", "only this update, with the reason for its verdict" },
		},
		run = scan,
	},
	catalog = {
		operands = "check|show [FILE]...", least = 1, most = -1,
		summary = "check or show catalogs of updates",
		text = [[
check  reads the files whole and says what is wrong with them
show   lists their updates

FILE may be READER: such as apt:, which is also meant when none is named. With
--json one line for each file or update.
]],
		options = { { "id", "ID", "show: everything about one update" } },
		verbs = { check = check, show = show },
	},
}
