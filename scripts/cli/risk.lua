-- SPDX-License-Identifier: MIT
-- risk: how risky the patch day of each server is, and in which order they go.
local _, core = ...
local base = require "cli.base"
local csv = require "cli.csv"
local model = require "cli.risk_model"

-- Columns that are no factor: another server that must not go in the same wave.
local own = { "server", "partner" }

-- Values of the servers, from all files: { { name, values, partner, where } }.
local function servers_of(cli, m, wrong)
	local list, by_name, known = {}, {}, { table.unpack(own) }
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
					partners = csv.names(row.fields.partner) }
				list[#list + 1] = by_name[name]
			end
		end
	end
	return list, by_name
end

-- How many rows a server's facts have of the kinds that factors count.
local function count_facts(cli, m, list, by_name)
	for _, path in ipairs(cli:all("facts")) do
		for _, file in ipairs(core.files(path)) do
			local facts = base.must(core.facts(file))
			local name = facts.os and facts.os.hostname or file:match("([^/]*)%.json$") or file
			local server = by_name[name]
			if not server then
				server = { name = name, values = {}, where = file, counts = {}, partners = {} }
				by_name[name], list[#list + 1] = server, server
			end
			for _, f in ipairs(m.factors) do
				if f.count and facts[f.count] then server.counts[f.count] = #facts[f.count] end
			end
		end
	end
end

local function before(a, b)
	if a.score ~= b.score then return a.score < b.score end
	return a.server < b.server
end

-- Waves: one for each class, low risk first; of partners the later one moves on to
-- the next that none of them is in.
local function into_waves(rows)
	local wave_of = {}
	for _, row in ipairs(rows) do
		local taken = {}
		for _, name in ipairs(row.partners) do taken[wave_of[name] or 0] = true end
		row.wave = row.rank
		while taken[row.wave] do row.wave = row.wave + 1 end
		wave_of[row.server] = row.wave
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

local function judge_all(m, list, by_name, wrong)
	local rows = {}
	for _, server in ipairs(list) do
		for _, name in ipairs(server.partners) do
			if by_name[name] and name ~= server.name then pair(server, by_name[name])
			else wrong(server.where, "the partner '%s' of %s is no other server of the list", name, server.name) end
		end
	end
	for i, server in ipairs(list) do
		rows[i] = model.judge(m, server.name, server.values, server.counts, function(why)
			wrong(server.where, "%s: %s", server.name, why)
		end)
		rows[i].partners = core.list(server.partners)
	end
	table.sort(rows, before)
	into_waves(rows)
	for _, row in ipairs(rows) do row.rank = nil end
	return rows
end

-- What adds most to a score, in words.
local function reasons(row)
	local list, words = { table.unpack(row.factors) }, {}
	table.sort(list, function(a, b) return a.points > b.points or a.points == b.points and a.factor < b.factor end)
	for i = 1, math.min(3, #list) do
		local f = list[i]
		if f.points > 0 then words[#words + 1] = ("%s %s"):format(f.factor, f.value and f.level or "?") end
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
	base.print("server,wave,from,to,do,undo,responsible,after,partner\n")
	for _, row in ipairs(rows) do
		base.print_csv { row.server, tostring(row.wave), "", "", "", "", "", "", table.concat(row.partners, "; ") }
	end
end

-- The head of a CSV to fill in, with the servers whose facts are there.
local function show_form(m, list)
	local names = { table.unpack(own) }
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
for each factor of the model, and in `partner` other servers (between them `;`)
that must never be down at the same time. `patchday risk --form` prints an
empty one. What the model counts comes from --facts; what nobody knows counts
as the worst. All that is wrong in the file is told at once: status 2.
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
