-- SPDX-License-Identifier: MIT
-- plan: what a workflow would do on this server.
local _, core = ...
local base = require "cli.base"
local status = require "cli.status_text"
local workflow = require "cli.workflow"

local function show_prediction(s)
	local p = s.predicted or {}
	if p.irreversible then base.print("  %spoint of no return: %s\n", base.plain and "" or "---- ", p.irreversible) end
	base.print("  %s\n", base.row { { p.result or "unknown", 10 }, { s.id, 40 },
		p.waits_for and "known after " .. p.waits_for or p.message or "" })
end

-- What the dry run knows of the way back.
local function show_return(steps)
	local waiting, barrier = 0, nil
	for _, s in ipairs(steps) do
		local p = s.predicted or {}
		barrier = barrier or p.irreversible and s
		waiting = waiting + (p.waits_for and 1 or 0)
	end
	base.print("  %s%s\n", barrier and ("the way back ends at %s: what comes before it is not undone once it is done"
		):format(barrier.id) or "no point of no return was found", waiting > 0 and
		("; %s can look only when others are done"):format(base.count(waiting, "step")) or "")
end

-- --check: every step looks at the server, and every guard.
local function check(cli, plan)
	base.must(core.secrets())
	local found = base.must(core.check(cli:option("accept-no-return"), cli:option("accept-failing")))
	local list, waits = core.list {}, found.record.waits or {}
	if plan.nothing then
		list[1] = { nothing = plan.nothing }
		if not cli.json then core.out("no step is there that could look at this server\n") end
	elseif not cli.json then
		core.out("\nDry run: what each step found on this server\n")
	end
	for _, s in ipairs(found.record.steps) do
		list[#list + 1] = { step = s.id, prediction = s.predicted }
		if not cli.json then show_prediction(s) end
	end
	if not cli.json and not plan.nothing then show_return(found.record.steps) end
	for _, row in ipairs(waits.reasons or {}) do
		list[#list + 1] = not row.bad and { against = row } or nil
		if not cli.json and not row.bad then
			base.print("  the run would wait for guard %s: %s\n      %s %s\n      remedy: %s\n", row.guard,
				row.risk, base.pad("cause:", 7), row.cause, row.remedy or "")
		end
	end
	for _, row in ipairs(found.refusals) do list[#list + 1] = { refusal = row } end
	if cli.json then base.print_json(list) else status.inhibitors(found.refusals) end
	return #found.refusals > 0 and 4 or 0
end

local function run(cli)
	if cli:option("check") then core.spawner() end
	local inputs = workflow.inputs(cli)
	local made = workflow.plan(cli, inputs)
	if cli:option("rollback") then
		if not cli.json then base.print("rollback plan of workflow %s for %s\n", made.plan.workflow, made.plan.server) end
		require("cli.rollback")(made, cli.json)
		return 0
	end
	if not cli.json then core.out(workflow.text(made, inputs, cli:option("check"))) end
	if cli:option("check") then return check(cli, made.plan) end
	if cli.json then base.print_json(made.plan) end
	return 0
end

return {
	plan = {
		operands = "WORKFLOW", least = 1, most = 1,
		summary = "show what a workflow would do on this server",
		text = [[
WORKFLOW is a Lua file, or the name of an installed package (NAME, or
NAME@VERSION) or of a role such as file-print. The plan is computed from the
server's facts and the catalogs, checked whole, and shown with its point of no
return, as far as it is declared: what else can't be undone on this server,
only --check finds. Nothing is changed. Without --catalog, those of the package
are taken, or apt's own verified lists.
]],
		forms = { "check", "rollback" },
		options = {
			workflow.options[1], workflow.options[2], workflow.options[3],
			{ "facts", "FILE", "facts of another server (from `patchday facts --json`)" },
			{ "check", nil, "dry run too: every step looks at this server" },
			{ "rollback", nil, "show what takes it back instead, from each place where it can fail" },
			{ "accept-no-return", "WHY", "with --check: as for run", said = true },
			{ "accept-failing", "WHY", "with --check: as for run", said = true },
		},
		run = run,
	},
}
