-- SPDX-License-Identifier: MIT
-- doctor: what is missing on this server, and how to mend it.
local _, core = ...
local base = require "cli.base"
local workflow = require "cli.workflow"

-- Each check calls tell(ok, what, remedy).
local function look_at_plugins(tell)
	local names = core.plugins()
	tell(#names > 0, "plugins are installed", "install patchday, or name a folder with --plugin-dir")
	for _, name in ipairs(names) do
		local _, err = core.plugin(name)
		if err then tell(false, base.error_text(err), err.remedy or "") end
	end
end

local function look_at_state(tell, cli)
	local st = core.path(cli.state)
	tell(not st or st.mode & 63 == 0 and st.uid == base.about.uid,
		("the state folder %s is private"):format(cli.state), "chown root and chmod 0700 the folder")
	local owner = core.owner()
	if owner then tell(true, ("run %s is under way"):format(owner.run)) end
end

local function look_at_workflow(tell, cli)
	local ok, err = pcall(function() workflow.plan(cli, workflow.inputs(cli)) end)
	if not ok and type(err) ~= "table" then error(err, 0) end
	tell(ok, ok and cli.operands[1] .. " can be planned here" or base.error_text(err), not ok and err.remedy or "")
end

local function doctor(cli)
	local rows, bad = core.list {}, 0
	local function tell(ok, what, remedy)
		rows[#rows + 1] = { check = what, ok = ok, remedy = not ok and remedy or nil }
		bad = bad + (ok and 0 or 1)
		if cli.json then return end
		base.print("%s %s%s\n", base.paint(ok and "green" or "red", base.pad(ok and "ok" or "missing", 7)), what,
			ok and "" or "\n        " .. remedy)
	end
	tell(base.about.uid == 0, "this user is root", "use sudo: a run changes the server")
	tell(core.path("/run/systemd/system") ~= nil, "systemd is init",
		"runs can't go on by themselves after a reboot: call `patchday resume`")
	look_at_plugins(tell)
	look_at_state(tell, cli)
	if cli.operands[1] then look_at_workflow(tell, cli) end
	if cli.json then base.print_json(rows) end
	return bad > 0 and 4 or 0
end

return {
	doctor = {
		operands = "[WORKFLOW]", most = 1,
		summary = "tell what is missing on this server, and how to mend it",
		text = "With a workflow: also whether it can be planned here.\n",
		options = workflow.options,
		run = doctor,
	},
}
