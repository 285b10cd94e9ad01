-- SPDX-License-Identifier: MIT
-- risk: how risky the patch day of each server is, and in which order they go.
local _, core = ...
local base = require "cli.base"
local csv = require "cli.csv"
local model = require "cli.risk_model"
local sources = require "cli.sources"

-- A word of ours, which nothing stops for.
local function note(format, ...) core.err("patchday: " .. core.clean(format:format(...)) .. "\n") end

-- The cluster that a cell names; nil: none.
local function cluster_of(cell, where, wrong)
	local word = (cell or ""):lower()
	if word == "yes" then wrong(where, "the column cluster has the name of a cluster, or nothing; 'yes' is none") end
	return not base.has({ "", "-", "no", "none", "yes" }, word) and cell or nil
end

-- Values of the servers, from all files: { { name, values, partners, cluster, where } }.
local function servers_of(cli, m, wrong)
	local list, by_name, known = {}, {}, { table.unpack(model.columns) }
	for _, f in ipairs(m.factors) do known[#known + 1] = f.id end
	for _, file in ipairs(cli.operands) do
		local rows, names = csv.read(file)
		for _, name in ipairs(names) do
			if not base.has(known, name) then
				local near = core.nearest(name, known)
				wrong(file .. ":1", "there is no factor '%s'%s", name, near and "; did you mean " .. near .. "?" or "")
			end
		end
		if not base.has(names, "server") then
			error({ id = "csv-shape", where = file .. ":1", message = "there is no column 'server'" }, 0)
		end
		for _, row in ipairs(rows) do
			local name = row.fields.server
			local where = ("%s:%d"):format(file, row.line)
			local bad = csv.bad_server(name)
			if bad then wrong(where, "%s", bad)
			elseif by_name[name] then wrong(where, "server '%s' is there twice (%s)", name, by_name[name].where)
			else
				by_name[name] = { name = name, values = row.fields, where = where, counts = {},
					partners = csv.names(row.fields.partner), cluster = cluster_of(row.fields.cluster, where, wrong) }
				list[#list + 1] = by_name[name]
			end
		end
	end
	return list, by_name
end

-- How many rows facts have of the kinds that factors count: { { name, file, counts } }.
local function hosts_of(cli, m)
	local list, by_name, seen = {}, {}, {}
	for _, file in ipairs(sources.facts_files(cli)) do
		local facts = base.must(core.facts(file))
		local name = facts.os and facts.os.hostname or file:match("([^/]*)%.json$") or file
		local host = by_name[name] or { name = name, counts = {} }
		host.file = file
		for kind in pairs(facts) do seen[kind] = true end
		for _, f in ipairs(m.factors) do
			if f.count and facts[f.count] then host.counts[f.count] = #facts[f.count] end
		end
		if not by_name[name] then by_name[name], list[#list + 1] = host, host end
	end
	for _, f in ipairs(m.factors) do
		if f.count and #list > 0 and not seen[f.count] then
			local near = core.nearest(f.count, base.sorted(seen))
			note("no facts have '%s', which the factor %s counts%s", f.count, f.id,
				near and "; did you mean " .. near .. "?" or "")
		end
	end
	return list
end

-- A name without its domain.
local function short(name) return name:lower():match("^[^.]*") end

-- Which rows hosts can be that none has the name of: those without facts whose name is the short form of
-- theirs, or has theirs as its short form.  Two that have domains which differ are two servers.
local function find_rows(hosts, list)
	local by_short, claims = {}, {}
	for _, server in ipairs(list) do
		local name = short(server.name)
		by_short[name] = by_short[name] or {}
		table.insert(by_short[name], server)
	end
	for _, host in ipairs(hosts) do
		host.rows = {}
		for _, server in ipairs(by_short[short(host.name)] or {}) do
			local same = host.name:lower() == server.name:lower()
			if not server.known and (same or not (host.name:find(".", 1, true) and server.name:find(".", 1, true))) then
				table.insert(host.rows, server)
				claims[server] = (claims[server] or 0) + 1
			end
		end
	end
	return claims
end

-- Counts of facts, to the rows that they are of.  A host without one is one more server, about which a
-- list is not silent.
local function count_facts(cli, m, list, by_name)
	local rest, given = {}, #list > 0
	for _, host in ipairs(hosts_of(cli, m)) do
		local server = by_name[host.name]
		if server then server.counts, server.known = host.counts, true
		else rest[#rest + 1] = host
		end
	end
	local claims = find_rows(rest, list)
	for _, host in ipairs(rest) do
		local server = host.rows[1]
		if server and #host.rows == 1 and claims[server] == 1 then server.counts = host.counts
		else
			by_name[host.name] = { name = host.name, values = {}, where = host.file, counts = host.counts, partners = {} }
			list[#list + 1] = by_name[host.name]
			if given then
				note("%s: no row is clearly that of %s%s: it counts as one more server, of which nobody knows the rest",
					host.file, host.name, server and ", it may be " .. server.name or "")
			end
		end
	end
end

-- By risk: clusters and the highest class behind all others, whatever the score.
local function before(a, b)
	if a.last ~= b.last then return b.last end
	if a.rank ~= b.rank then return a.rank < b.rank end
	if a.score ~= b.score then return a.score < b.score end
	return a.server < b.server
end

-- Waves: one for each class, low risk first; of partners the later one moves on to
-- the next that none of them is in.  Those that go last begin behind all others, also
-- behind those that moved on.
local function into_waves(rows)
	local wave_of, highest, first = {}, 0, nil
	for _, row in ipairs(rows) do
		local taken = {}
		for _, name in ipairs(row.partners) do taken[wave_of[name] or 0] = true end
		if row.last then first = first or highest + 1 end
		row.wave = first or row.rank
		while taken[row.wave] do row.wave = row.wave + 1 end
		wave_of[row.server], highest = row.wave, math.max(highest, row.wave)
	end
	table.sort(rows, function(a, b)
		if a.wave ~= b.wave then return a.wave < b.wave end
		return before(a, b)
	end)
	local last, number = nil, 0
	for _, row in ipairs(rows) do -- waves that nobody is in are none
		if row.wave ~= last then number, last = number + 1, row.wave end
		row.wave = number
	end
end

-- Both are partners, whoever of the two says it.
local function pair(server, other)
	for a, b in pairs { [server] = other, [other] = server } do
		if not base.has(a.partners, b.name) then a.partners[#a.partners + 1] = b.name end
	end
end

-- Nodes of a cluster are partners; one that is alone may be so by its spelling.  Capitals make no
-- other cluster: it is shown as its first node has it.
local function join_clusters(list)
	local nodes = {}
	for _, server in ipairs(list) do
		local key = server.cluster and server.cluster:lower()
		if key then
			nodes[key] = nodes[key] or {}
			for _, other in ipairs(nodes[key]) do pair(server, other) end
			table.insert(nodes[key], server)
			server.cluster = nodes[key][1].cluster
		end
	end
	local names = base.sorted(nodes)
	for i, name in ipairs(names) do
		if #nodes[name] == 1 then
			local others = { table.unpack(names) }
			table.remove(others, i)
			local near = core.nearest(name, core.list(others))
			local node = nodes[name][1]
			note("%s: %s is the only node of the cluster '%s'%s", node.where, node.name, node.cluster,
				near and "; did you mean " .. nodes[near][1].cluster .. "?" or "")
		end
	end
end

local function judge_all(m, list, by_name, wrong)
	local rows = {}
	for _, server in ipairs(list) do
		for _, name in ipairs(server.partners) do
			if by_name[name] and name ~= server.name then pair(server, by_name[name])
			else wrong(server.where, "the partner '%s' of %s is no other server of the list", name, server.name) end
		end
	end
	join_clusters(list)
	for i, server in ipairs(list) do
		rows[i] = model.judge(m, server.name, server.values, server.counts, function(why)
			wrong(server.where, "%s: %s", server.name, why)
		end)
		rows[i].partners, rows[i].cluster = core.list(server.partners), server.cluster
		rows[i].last = server.cluster ~= nil or rows[i].rank == #m.classes
	end
	table.sort(rows, before)
	into_waves(rows)
	for _, row in ipairs(rows) do row.rank, row.last = nil, nil end
	return rows
end

-- What adds most to a score, in words.
local function reasons(row)
	local list, words = { table.unpack(row.factors) }, { row.cluster and "cluster " .. row.cluster }
	words[#words + 1] = row.raised_by
	table.sort(list, function(a, b) return a.points > b.points or a.points == b.points and a.factor < b.factor end)
	for i = 1, math.min(3, #list) do
		local f = list[i]
		local word = ("%s %s"):format(f.factor, f.value and f.level or "?")
		if f.points > 0 and word ~= row.raised_by then words[#words + 1] = word end
	end
	return table.concat(words, ", ")
end

-- The classes of a wave: a partner that moved on is of another than the rest.
local function head_of(rows, wave)
	local words = {}
	for _, row in ipairs(rows) do
		local class = ("%s, %s"):format(row.class, row.hours)
		if row.wave == wave and not base.has(words, class) then words[#words + 1] = class end
	end
	return ("wave %d: %s"):format(wave, table.concat(words, "; "))
end

local function number(n) return (base.plain and "%d" or "%3d"):format(n) end

local function show_table(rows)
	local wave
	for _, row in ipairs(rows) do
		if row.wave ~= wave then base.print("%s\n", base.paint("bold", head_of(rows, row.wave))) end
		wave = row.wave
		base.print("  %s\n", base.row { { row.server, 24 }, ("%3d"):format(row.score), { row.class, 9 },
			("impact %s "):format(number(row.impact)), ("likelihood %s "):format(number(row.likelihood)), reasons(row) })
		for _, text in ipairs(row.mitigation) do base.print("      %s%s\n", base.plain and "" or "- ", text) end
		if #row.unknown > 0 then
			base.print("      %snobody knows its %s: counted as the worst\n", base.plain and "" or "? ",
				table.concat(row.unknown, ", "))
		end
	end
	base.print("%s\n", base.count(#rows, "server"))
end

local function show_csv(rows)
	base.print_csv { "server", "wave", "score", "class", "working_hours", "hours", "impact", "likelihood", "reasons",
		"unknown", "mitigation" }
	for _, row in ipairs(rows) do
		base.print_csv { row.server, tostring(row.wave), tostring(row.score), row.class, row.working_hours and "yes" or "no",
			row.hours, tostring(row.impact), tostring(row.likelihood), reasons(row), table.concat(row.unknown, ", "),
			table.concat(row.mitigation, "\n") }
	end
end

-- What `patchday schedule` reads, with windows and people still to be filled in.
local function show_dates(rows)
	base.print("server,wave,from,to,do,undo,responsible,after,partner,class,working_hours,hours\n")
	for _, row in ipairs(rows) do
		base.print_csv { row.server, tostring(row.wave), "", "", "", "", "", "", table.concat(row.partners, "; "),
			row.class, row.working_hours and "yes" or "no", row.hours }
	end
end

-- The head of a CSV to fill in, with the servers whose facts are there.
local function show_form(m, list)
	local names = { table.unpack(model.columns) }
	base.print("# partner: servers that must not be down at the same time, with ; between them\n")
	base.print("# cluster: name of the cluster that it is a node of, or nothing; nodes go last, one after the other\n")
	for _, f in ipairs(m.factors) do
		local words = {}
		for i, level in ipairs(f.levels) do
			words[i] = level.name .. (level.upto and (" (to %d)"):format(level.upto) or "")
		end
		base.print("# %s: %s; %s%s\n", f.id, f.title, table.concat(words, ", "), f.count and "; counted from facts" or "")
		names[#names + 1] = f.id
	end
	base.print("%s\n", table.concat(names, ","))
	for _, server in ipairs(list) do base.print("%s%s\n", server.name, (","):rep(#names - 1)) end
end

local function risk(cli)
	local m = model.read(cli:option("model") or base.about.scripts .. "/../catalogs/risk.xml")
	local faults, wrong = base.collector("risk-value")
	local list, by_name = servers_of(cli, m, wrong)
	count_facts(cli, m, list, by_name)
	if cli:option("form") then
		show_form(m, list)
		return 0
	end
	if #list == 0 and #faults == 0 then
		base.fail("usage", "no server is named: give a CSV file, or --facts",
			"`patchday risk --form` prints one to fill in.")
	end
	local rows = judge_all(m, list, by_name, wrong)
	if #faults > 0 then return base.show_errors(faults) end
	if cli:option("matrix") then
		base.must(core.write(cli:option("matrix"), require("cli.risk_picture").svg(m, rows), tonumber("644", 8)))
	end
	if cli.json then base.print_json(core.list(rows))
	elseif cli:option("csv") then show_csv(rows)
	elseif cli:option("dates") then show_dates(rows)
	else show_table(rows) end
	return 0
end

return {
	risk = {
		operands = "[FILE.csv]...", most = -1,
		summary = "tell how risky the patch day of each server is, and the order",
		text = [[
FILE.csv has a line for each server: its name in the column `server`, a value
for each factor of the model, in `partner` other servers (between them `;`)
that must never be down at the same time, and in `cluster` the name of the
cluster that it is a node of: nodes go last, and one after the other.
`patchday risk --form` prints an empty one. What the model counts comes from
--facts; what nobody knows counts as the worst. All that is wrong in the file
is told at once: status 2.
]],
		options = {
			{ "model", "FILE", "factors, weights and classes (default: the one that came with patchday)" },
			{ "facts", "FILE", "facts of a server, or a folder of such files; may be repeated" },
			{ "matrix", "FILE", "write a picture of impact and likelihood (SVG)" },
			{ "csv", nil, "print CSV (RFC 4180)" },
			{ "form", nil, "print a CSV to fill in" },
			{ "dates", nil, "print the waves as a CSV for `patchday schedule`, to fill in" },
		},
		forms = { "csv", "dates", "form", "json" }, run = risk,
	},
}
