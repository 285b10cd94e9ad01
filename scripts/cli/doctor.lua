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
	for _, file in ipairs(core.shadowed_plugins()) do
		tell(true, base.shadowed(file), nil, { info = true })
	end
end

local function look_at_state(tell, cli)
	local st = core.path(cli.state)
	tell(not st or st.mode & 63 == 0 and st.uid == base.about.uid,
		("the state folder %s is private"):format(cli.state), "chown root and chmod 0700 the folder")
	local owner = core.owner()
	if owner then tell(true, ("run %s is under way"):format(owner.run)) end
end

-- Prints a row and keeps it: how it is called, whether it counts as missing.
local function teller(cli, rows)
	return function(ok, what, remedy, more)
		local row = { check = what, ok = ok, remedy = not ok and remedy or nil }
		for key, value in pairs(more or {}) do row[key] = value end
		rows[#rows + 1] = row
		rows.bad = rows.bad + (ok and 0 or 1)
		if cli.json then return end
		local mark = not ok and "missing" or row.info and "note" or "ok"
		local color = not ok and "red" or row.info and "yellow" or "green"
		base.print("%s\n%s%s", base.row { { mark, 7, color }, what }, row.cause and ("        %s\n"):format(row.cause) or "",
			not ok and ("        %s\n"):format(remedy) or "")
	end
end

local function doctor(cli)
	local rows, all = { bad = 0 }, core.list {}
	local tell = teller(cli, rows)
	if cli.operands[1] then core.spawner() end
	tell(base.about.uid == 0, "this user is root", "use sudo: a run changes the server")
	tell(core.path("/run/systemd/system") ~= nil, "systemd is init",
		"runs can't go on by themselves after a reboot: call `patchday resume`")
	look_at_plugins(tell)
	look_at_state(tell, cli)
	if cli.operands[1] then require("cli.doctor_workflow")(tell, cli) end
	for i, row in ipairs(rows) do all[i] = row end
	if cli.json then base.print_json(all) end
	return rows.bad > 0 and 4 or 0
end

return {
	doctor = {
		operands = "[WORKFLOW]", most = 1,
		summary = "tell what is missing on this server, and how to mend it",
		text = [[
With a workflow: all that it lacks here. It is planned, and every step looks at
this server without touching it (as with `plan --check`); parameters, questions,
secrets, the room for the state, and the key of `final` are looked at too. What
only speaks against a run now is a note, and is not missing. Exit status 4:
something is missing.
]],
		options = {
			workflow.options[1], workflow.options[2], workflow.options[3],
			{ "key", "FILE", "secret key of `final` (default /etc/patchday/seal.key)" },
			{ "accept-no-return", "WHY", "as for run", said = true },
			{ "accept-failing", "WHY", "as for run", said = true },
		},
		run = doctor,
	},
}
