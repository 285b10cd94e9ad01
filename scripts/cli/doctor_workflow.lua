-- SPDX-License-Identifier: MIT
-- What a workflow lacks on this server: its parameters, its plan, what people
-- have to say, and what each step finds in a dry run.  Nothing is written.
local _, core = ...
local base = require "cli.base"
local workflow = require "cli.workflow"
local LEAST_FREE = 64 << 20 -- for the journal, evidence and reports
local OPEN = "the run would begin without what only people know" -- told one by one here

-- The values of act, or nil after a row that says why there are none.
local function try(tell, act, ...)
	local ok, value = pcall(act, ...)
	if ok then return value end
	if type(value) ~= "table" then error(value, 0) end
	tell(false, base.error_text(value), base.advice(value) or "", { id = value.id })
end

local function look_at_questions(tell, plan)
	for _, q in ipairs(plan.questions or {}) do
		local choices = q.choices and table.concat(q.choices, ", ") or q.type == "boolean" and "true or false" or "a text"
		if q.answer == nil then
			tell(false, ("question %s has no answer: %s"):format(q.name, q.ask),
				('write {"%s": ...} (%s) to a file and give it with --answers FILE, or answer `patchday run` on a terminal')
					:format(q.name, choices), { question = q.name })
		end
	end
end

-- Parameters that have to be given and are not; true: there are none.  Without them
-- there is no plan, and only what people know can be told beside them.
local function look_at_parameters(tell, inputs)
	local declared, whole = base.must(core.describe(inputs.script)), true
	for _, row in ipairs(declared.params or {}) do
		if row.required and inputs.params[row.name] == nil then
			tell(false, ("parameter %s is missing: %s"):format(row.name, row.help or row.type),
				("give it: --param %s=%s"):format(row.name, row.type:upper()), { parameter = row.name })
			whole = false
		end
	end
	if whole then return true end
	for _, q in ipairs(declared.questions or {}) do q.answer = inputs.answers[q.name] end
	look_at_questions(tell, declared)
	tell(true, "what the steps find here is told when these are given", nil, { info = true })
end

local function is_missing(source)
	return source.file and not core.path(source.file) and
		("make the file %s, with mode 0600"):format(source.file)
end

-- Secrets in files are told one by one; of the others, the first that can't be had.
local function look_at_secrets(tell, plan)
	local seen, whole = {}, true
	for _, s in ipairs(plan.steps) do
		for _, value in pairs(s.args) do
			local source = type(value) == "table" and value["$secret"]
			local remedy = source and is_missing(source)
			if remedy and not seen[source.file] then
				tell(false, ("the secret in the file %s is missing"):format(source.file), remedy, { step = s.id })
				seen[source.file], whole = true, false
			end
		end
	end
	return whole and try(tell, function() return base.must(core.secrets()) end)
end

local function look_at_refusals(tell, refusals)
	local seen = {}
	for _, row in ipairs(refusals) do
		local step = (row.step or "") ~= "" and row.step or nil
		local key = (step or "") .. "\n" .. (row.cause or "")
		if row.risk ~= OPEN and not seen[key] then
			tell(false, (step and step .. ": " or "") .. (row.risk or ""), row.remedy or "",
				{ step = step, cause = row.cause })
		end
		seen[key] = true
	end
end

-- What is no lack: guards that would wait, steps that can't be foreseen.
local function look_at_notes(tell, record)
	local unknown = 0
	for _, row in ipairs((record.waits or {}).reasons or {}) do
		if not row.bad then
			tell(true, ("guard %s would make the run wait: %s"):format(row.guard, row.risk or ""), nil,
				{ info = true, guard = row.guard, cause = row.cause })
		end
	end
	for _, s in ipairs(record.steps) do
		unknown = unknown + ((s.predicted or {}).waits_for and 1 or 0)
	end
	if unknown > 0 then
		tell(true, base.count(unknown, "step") .. " can't be foreseen: another one has to run first", nil, { info = true })
	end
end

local function look_at_steps(tell, cli)
	local found = try(tell, function()
		return base.must(core.check(cli:option("accept-no-return"), cli:option("accept-failing")))
	end)
	if not found then return end
	look_at_refusals(tell, found.refusals)
	look_at_notes(tell, found.record)
	if #found.refusals == 0 then
		tell(true, ("the dry run has nothing against %s"):format(base.count(#found.record.steps, "step")))
	end
end

-- Free bytes where a folder is, or will be.
local function look_at_room(tell, state)
	local at = state
	while not core.path(at) do at = at:match("^(/.*)/[^/]*$") or "/" end
	local df = core.tool(core.list { "df", "-Pk", at })
	local free = df and tonumber(df.out:match("\n%S+%s+%d+%s+%d+%s+(%d+)"))
	if not free then return end
	tell(free * 1024 >= LEAST_FREE, ("%s free for the state folder %s"):format(base.bytes(free * 1024), state),
		("make room there, %s at least, or name another folder with --state"):format(base.bytes(LEAST_FREE)))
end

local function look_at_resume(tell)
	local units = "/etc/systemd/system"
	if not core.path("/run/systemd/system") then return end -- told already
	local writable = core.path(units) and core.tool(core.list { "test", "-w", units })
	tell(writable and writable.status == 0 or false, "the unit that goes on after a reboot can be armed in " .. units,
		"let root write there, or call `patchday resume` after each reboot")
end

-- Without parties nobody has to seal: then it is a note.
local function look_at_key(tell, key, script, signed)
	local path = key or "/etc/patchday/seal.key"
	local there = core.path(path)
	local text, err = nil, nil
	if there then text, err = core.sign(script, path, "doctor") end
	if text then return tell(true, ("the key %s can seal the certificate"):format(path)) end
	local what = there and base.error_text(err) or ("there is no key %s to seal the certificate with"):format(path)
	local remedy = there and base.advice(err) or
		"make it: `patchday final --make-key" .. (key and " --key " .. key or "") .. "`"
	tell(not signed, what, remedy, { info = not signed or nil, cause = not signed and remedy or nil })
end

-- true: somebody has to sign.
local function look_at_parties(tell, plan)
	local signed = false
	for _, s in ipairs(plan.steps) do
		if s.plugin == "" then
			tell(true, "these have to sign: " .. table.concat(s.args.parties, ", "), nil,
				{ info = true, parties = s.args.parties })
			signed = true
		end
	end
	return signed
end

return function(tell, cli)
	local inputs = try(tell, workflow.inputs, cli)
	look_at_room(tell, cli.state)
	look_at_resume(tell)
	if not inputs or not try(tell, look_at_parameters, tell, inputs) then return end
	local made = try(tell, workflow.plan, cli, inputs)
	if not made then return end
	tell(true, cli.operands[1] .. " can be planned here")
	if made.plan.nothing then
		return tell(true, ("nothing to do: %s; so no step was looked at, nor secrets and keys"):format(made.plan.nothing),
			nil, { info = true, nothing = made.plan.nothing })
	end
	look_at_questions(tell, made.plan)
	local had = look_at_secrets(tell, made.plan)
	if had then
		look_at_steps(tell, cli)
	else
		tell(true, "the steps did not look at this server: a secret is missing", nil, { info = true })
	end
	look_at_key(tell, cli:option("key"), inputs.script, look_at_parties(tell, made.plan))
end
