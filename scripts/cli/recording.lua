-- SPDX-License-Identifier: MIT
-- A real run as a test of its workflow: what the server had, how each step ended
-- and what it gave, and the course that follows from it.
local _, core = ...
local base = require "cli.base"
local native = require "cli.native"
local paper = require "cli.paper"
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

-- An update as it stands in a plan, as native.catalog() takes it.
local function update(u)
	local row = { id = u.id, revision = u.revision or "", vendor = "", kind = u.kind, severity = u.severity,
		severity_text = "", status = "final", restart = u.restart, issued = 0, updated = 0, bytes = -1,
		expected = u.expected or 0, trust = u.trust or "not signed", title = u.title or "", description = "",
		url = "", relations = {}, payloads = {}, packages = {}, installers = {}, exits = {}, applicable = {},
		installed = {} }
	for i, p in ipairs(u.packages or {}) do
		row.packages[i] = { name = p.name, version = p.version, scheme = p.scheme, arch = p.arch, source = "", module = "",
			url = p.url or "", restart = "unknown" }
		if (p.url or "") ~= "" then
			row.payloads[#row.payloads + 1] = { url = p.url, name = "", bytes = p.bytes or -1,
				digest = (p.sha256 or "") ~= "" and "sha256:" .. p.sha256 or "" }
		end
	end
	return row
end

-- What a plan selected, as a catalog: that which the server needed then is not to be
-- had from its lists any more.
local function selected(plan)
	local updates, seen = {}, {}
	for _, step in ipairs(plan.steps) do
		for _, value in pairs(step.args) do
			for _, u in ipairs(type(value) == "table" and value["$updates"] or {}) do
				local key = u.id .. "\n" .. (u.revision or "")
				if not seen[key] then updates[#updates + 1] = update(u) end
				seen[key] = true
			end
		end
	end
	return native.catalog(updates)
end

-- The catalogs, as native ones.
local function catalogs(cli, of)
	local given, texts = cli:all("catalog"), {}
	for i, entry in ipairs(#given > 0 and given or of.inputs.catalogs or {}) do
		local path = entry.path or entry
		local text = core.path(path) and base.must(core.text(path)) or ""
		if not text:find("urn:patchday:catalog:1", 1, true) then
			if #given == 0 then return { selected(of.first) } end
			base.fail("record-catalog", ("%s is no catalog in patchday's own format"):format(path))
		end
		texts[i] = text
	end
	return #texts > 0 and texts or { selected(of.first) }
end

local function outcomes(r, again)
	local lines = {}
	for _, s in ipairs(r.steps) do
		local tried
		for _, retry in ipairs(again) do
			if retry.step == s.id then
				lines[#lines + 1], tried = ("%s apply retry %s"):format(s.id, retry.why), true
			end
		end
		if tried and s.state ~= "failed" then lines[#lines + 1] = s.id .. " apply changed" end
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

-- The folder of a file that is going to be written.
local function folder_of(file)
	local known = core.path(file:match("^(.*/)") or ".")
	return known and known.path:gsub("/*$", "/", 1)
end

-- The text of a test, to be the file of that name, that plays the first round of a
-- run again.
function recording.text(cli, run, file)
	local r = base.must(core.record(run))
	local of = base.must(core.inputs(run))
	local course, again = paper.course(run)
	local inputs = of.inputs
	local script = inputs.script
	-- what lies beside the test is found there wherever both go
	if script:match("^(.*/)") == folder_of(file) then script = script:match("[^/]*$") end
	local parts = { ("What run %s of %s did: %s.\n@SCRIPT\n%s\n"):format(run, r.server, r.state, script) }
	local function add(name, text)
		if text ~= "" then parts[#parts + 1] = ("@%s\n%s\n"):format(name, (text:gsub("\n$", ""))) end
	end
	for _, text in ipairs(catalogs(cli, of)) do add("CATALOG", text) end
	add("FACTS", facts(cli, run))
	local params = {}
	for _, name in ipairs(base.sorted(inputs.params or {})) do params[#params + 1] = name .. "=" .. inputs.params[name] end
	add("PARAMS", table.concat(params, "\n"))
	local answers = {}
	for name, answer in pairs(inputs.answers or {}) do answers[name] = answer.value end
	if next(answers) then add("ANSWERS", core.encode(answers, true)) end
	add("OUTCOMES", table.concat(outcomes(r, again), "\n"))
	add("OUTPUTS", table.concat(outputs(r), "\n"))
	add("RECORDED", table.concat(course, "\n"))
	return table.concat(parts) .. "@RUN\n"
end

return recording
