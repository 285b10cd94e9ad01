-- SPDX-License-Identifier: MIT
-- A real run as a test of its workflow: what the server had, how each step ended
-- and what it gave, and the course that follows from it.
local _, core = ...
local base = require "cli.base"
local recording = {}

-- The facts before the run, with the system's own of today; or those of a file.
local function facts(cli, run)
	local given = cli:option("facts")
	if given then return base.must(core.text(given)) end
	for _, path in ipairs(core.files(("%s/runs/%s"):format(cli.state, run))) do
		if path:find("/facts%-before%-%d+%.json$") then
			local before = base.must(core.decode(base.must(core.text(path))))
			before.os = base.must(core.facts()).os
			return core.encode(before, true) .. "\n"
		end
	end
	base.fail("record-facts", ("run %s has kept no facts"):format(run))
end

-- The catalogs, as native ones.
local function catalogs(cli, inputs)
	local given, texts = cli:all("catalog"), {}
	for i, entry in ipairs(#given > 0 and given or inputs.catalogs or {}) do
		local path = entry.path or entry
		local text = core.path(path) and base.must(core.text(path)) or ""
		if not text:find("urn:patchday:catalog:1", 1, true) then
			base.fail("record-catalog", ("%s is no catalog in patchday's own format"):format(path))
		end
		texts[i] = text
	end
	if #texts == 0 then base.fail("record-catalog", "the run used the server's own lists of updates") end
	return texts
end

local function outcomes(r)
	local lines = {}
	for _, s in ipairs(r.steps) do
		if s.state == "stuck" then lines[#lines + 1] = ("%s undo failed %s"):format(s.id, s.message or "")
		elseif s.message and s.message ~= "" then
			lines[#lines + 1] = ("%s %s failed %s"):format(s.id, s.applied and "apply" or "check", s.message)
		elseif s.irreversible then
			lines[#lines + 1] = ("%s check irreversible %s"):format(s.id, s.irreversible)
		end
	end
	for i, line in ipairs(lines) do lines[i] = line:gsub("%s*\n%s*", " ") end
	return lines
end

local function outputs(r)
	local lines = {}
	for _, s in ipairs(r.steps) do
		for _, name in ipairs(base.sorted(s.outputs or {})) do
			lines[#lines + 1] = ("%s %s=%s"):format(s.id, name, core.encode(s.outputs[name]))
		end
	end
	return lines
end

-- The text of a test that plays the first round of a run again.
function recording.text(cli, run)
	local r = base.must(core.record(run))
	local inputs = base.must(core.inputs(run)).inputs
	local parts = { ("What run %s of %s did: %s.\n@SCRIPT\n%s\n"):format(run, r.server, r.state, inputs.script) }
	local function add(name, text)
		if text ~= "" then parts[#parts + 1] = ("@%s\n%s\n"):format(name, (text:gsub("\n$", ""))) end
	end
	for _, text in ipairs(catalogs(cli, inputs)) do add("CATALOG", text) end
	add("FACTS", facts(cli, run))
	local params = {}
	for _, name in ipairs(base.sorted(inputs.params or {})) do params[#params + 1] = name .. "=" .. inputs.params[name] end
	add("PARAMS", table.concat(params, "\n"))
	local answers = {}
	for name, answer in pairs(inputs.answers or {}) do answers[name] = answer.value end
	if next(answers) then add("ANSWERS", core.encode(answers, true)) end
	add("OUTCOMES", table.concat(outcomes(r), "\n"))
	add("OUTPUTS", table.concat(outputs(r), "\n"))
	return table.concat(parts) .. "@RUN\n"
end

return recording
