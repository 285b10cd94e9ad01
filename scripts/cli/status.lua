-- SPDX-License-Identifier: MIT
-- status and report: what is known of a run.
local _, core = ...
local base = require "cli.base"
local text = require "cli.status_text"
local view = require "cli.view"

local function list_all(cli)
	local list = core.list {}
	for i, id in ipairs(base.must(core.runs())) do
		local r = base.must(core.record(id))
		list[i] = { run = id, started = core.date(r.started // 1000), state = r.state }
		if not cli.json then
			base.print("%s\n", base.row { { id, #id + 1 }, { list[i].started, #list[i].started + 1 }, { r.state, 20 },
				r.workflow })
		end
	end
	if cli.json then base.print_json(list) end
	return 0
end

-- Events as they come, until the run ends or waits for a person.
local function follow(cli, id)
	view.listen(cli)
	view.open(cli)
	local ended, err = core.follow(id)
	view.close()
	base.must(ended, err)
	if cli.json then
		base.print_json(ended.record)
	elseif not cli:option("events") then
		base.print("run %s: %s\n", id, ended.record.state)
	end
	return ended.status
end

local function clear(cli)
	if base.about.uid ~= 0 then base.fail("not-root", "only root may say that the server is mended") end
	view.listen(cli)
	return base.must(core.clear(base.must(core.find(cli.operands[1])), cli:option("why")))
end

local function status(cli)
	if cli:option("clear") then return clear(cli) end
	if cli:option("all") then return list_all(cli) end
	if cli:option("follow") then return follow(cli, base.must(core.find(cli.operands[1]))) end
	local given = cli:option("log")
	local lines = given and math.tointeger(tonumber(given))
	if given and (not lines or lines < 1) then
		base.fail("usage", ("--log wants a number of lines, not '%s'"):format(given))
	end
	local r = base.must(core.record(cli.operands[1]))
	if cli.json then base.print_json(r) else text.print(r) end
	if lines and not cli.json then view.tail(r.run, lines) end
	return 0
end

-- A report in sentences, for who has asked for them.
local function spoken(all)
	if not base.plain then return all end
	local lines = {}
	for line in base.lines(all) do
		local state, result, step, took = line:match("^  (%l+) +(%l-) *(%S+) +([%d.]+ s)$")
		lines[#lines + 1] = state and base.sentence { state, result, step, took } or base.spoken(line)
	end
	return table.concat(lines, "\n") .. "\n"
end

local function report(cli)
	local run, format, to = cli.operands[1], cli:option("format"), cli:option("to")
	if to then
		local files = base.must(core.certificate(run, to))
		if cli.json then base.print_json(files) else base.print("%s\n%s\n", files.xml, files.html) end
	elseif format then
		core.raw(base.must(core.report(run, format)))
	elseif cli.json then
		base.print_json(base.must(core.record(run)))
	else
		core.out(spoken(base.must(core.report(run, "text"))))
	end
	return 0
end

return {
	status = {
		operands = "[RUN]", most = 1,
		summary = "show where a run stands",
		text = "RUN is the beginning of a run's id; without it the newest run is meant.\n",
		options = {
			{ "all", nil, "list all runs, newest first" },
			{ "follow", nil, "print events as they come until the run ends or waits" },
			{ "log", "N", "also the last N lines of what --follow shows" },
			{ "events", nil, "with --follow or --clear: JSON lines, one for each event; not with --json" },
			{ "hook", "COMMAND", "with --follow or --clear: program and arguments that get each event" },
			{ "clear", nil, "an inconsistent server is mended: new runs may start" },
			{ "why", "TEXT", "with --clear: how it was mended", said = true },
		},
		forms = { "events", "json" }, run = status,
	},
	report = {
		operands = "[RUN]", most = 1,
		summary = "print the report of a run",
		text = [[
The report names every step, its result, its evidence with digests, and the
signatures; with --to it is written as "site - server - date".
]],
		options = {
			{ "format", "FORMAT", "text (default), html, csv or xml; --json prints the status",
				choices = { "text", "html", "csv", "xml" } },
			{ "to", "DIR", "write the XML and HTML certificate into a folder" },
		},
		forms = { "format", "json" }, run = report,
	},
}
