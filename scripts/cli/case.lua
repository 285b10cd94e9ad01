-- SPDX-License-Identifier: MIT
-- A test of a workflow as a file: sections that each begin with a line "@NAME".
--   @WORKFLOW  the script itself, or @SCRIPT: a role, or a path from the file's folder
--   @CATALOG   native XML, any number       @FACTS    JSON, as of `patchday facts`
--   @PARAMS    NAME=VALUE lines             @ANSWERS  an answers file
--   @OPTIONS   accept-no-return=WHY
--   @OUTCOMES  STEP [PHASE] RESULT [TEXT]   @OUTPUTS  STEP NAME=JSON
--   @EXPECT    the plan's text, or error:   @RUN      what happens, line by line
--   @RECORDED  what happened when it was a run of a server, which @RUN must not leave
-- What stands before the first section is a comment.
local _, core = ...
local base = require "cli.base"
local paper = require "cli.paper"
local case = {}

local sections = { "ANSWERS", "CATALOG", "EXPECT", "FACTS", "OPTIONS", "OUTCOMES", "OUTPUTS", "PARAMS",
	"RECORDED", "RUN", "SCRIPT", "WORKFLOW" }

local function wrong(file, line, format, ...)
	error({ id = "test-shape", where = ("%s:%d"):format(file, line), message = format:format(...) }, 0)
end

-- { { name, text, line } }, in their order; also the comment before them.
function case.split(file, text)
	local list, comment, current, n = {}, {}, nil, 0
	for line in base.lines(text) do
		n = n + 1
		local name = line:match("^@(%u+)%s*$")
		if name then
			if not base.has(sections, name) then
				local near = core.nearest(name, sections)
				wrong(file, n, "there is no section @%s%s", name, near and "; did you mean @" .. near .. "?" or "")
			end
			current = { name = name, line = n, lines = {} }
			list[#list + 1] = current
		else
			local to = current and current.lines or comment
			to[#to + 1] = line
		end
	end
	return list, comment
end

-- "a=b" lines
local function pairs_of(file, section)
	local values = {}
	for i, line in ipairs(section.lines) do
		local name, value = line:match("^([^=]+)=(.*)$")
		if name then values[name] = value
		elseif line:find("%S") then wrong(file, section.line + i, "NAME=VALUE is wanted, not '%s'", line) end
	end
	return values
end

local function outcome(file, number, line, into)
	local step, rest = line:match("^(%S+)%s+(.*)$")
	local phase, result, text = (rest or ""):match("^(%l+)%s+(%l+)%s*(.*)$")
	if not base.has(paper.phases, phase) then
		result, text = (rest or ""):match("^(%l+)%s*(.*)$")
		phase = base.has({ "refused", "unchanged", "irreversible" }, result) and "check" or "apply"
	end
	if not base.has(paper.results, result) then
		local near = result and core.nearest(result, paper.results)
		wrong(file, number, "STEP [check|apply|verify|undo] RESULT [TEXT] is wanted, with RESULT %s%s",
			table.concat(paper.results, ", "), near and "; did you mean " .. near .. "?" or "")
	end
	into[step] = into[step] or {}
	into[step][phase] = into[step][phase] or {}
	table.insert(into[step][phase], { result = result, line = number,
		message = text ~= "" and text or (result ~= "changed" and result ~= "unchanged") and "as the test says" or nil })
end

local function outcomes_of(file, section)
	local into = {}
	for i, line in ipairs(section.lines) do
		if line:find("%S") and not line:find("^#") then outcome(file, section.line + i, line, into) end
	end
	return into
end

local function outputs_of(file, section)
	local into = {}
	for i, line in ipairs(section.lines) do
		local step, name, text = line:match("^(%S+)%s+([%w_]+)=(.*)$")
		if step then
			into[step] = into[step] or {}
			into[step][name] = base.must(core.decode("[" .. text .. "]"))[1]
		elseif line:find("%S") then
			wrong(file, section.line + i, "STEP NAME=JSON is wanted, not '%s'", line)
		end
	end
	return into
end

local function recorded_of(section)
	local lines = {}
	for _, line in ipairs(section.lines) do
		if line:find("%S") then lines[#lines + 1] = line end
	end
	return lines
end

-- A file of a test, read.
function case.read(file)
	local text = base.must(core.text(file))
	local c = { file = file, catalogs = {}, params = {}, options = {}, outcomes = {}, outputs = {} }
	c.sections, c.comment = case.split(file, text)
	for _, s in ipairs(c.sections) do
		local body = table.concat(s.lines, "\n") .. "\n"
		if s.name == "CATALOG" then table.insert(c.catalogs, body)
		elseif s.name == "PARAMS" then c.params = pairs_of(file, s)
		elseif s.name == "OPTIONS" then c.options = pairs_of(file, s)
		elseif s.name == "OUTCOMES" then c.outcomes = outcomes_of(file, s)
		elseif s.name == "OUTPUTS" then c.outputs = outputs_of(file, s)
		elseif s.name == "RECORDED" then c.recorded = recorded_of(s)
		elseif c[s.name] then wrong(file, s.line, "@%s is there twice", s.name)
		else c[s.name] = body end
	end
	if (c.WORKFLOW == nil) == (c.SCRIPT == nil) then
		wrong(file, 1, "it needs one of @WORKFLOW and @SCRIPT")
	end
	return c
end

-- The same file with other expectations, as text; false: without that section.
function case.with(c, expected)
	local lines = { table.unpack(c.comment) }
	for _, s in ipairs(c.sections) do
		local new = expected[s.name]
		if new ~= false then lines[#lines + 1] = "@" .. s.name end
		if new then lines[#lines + 1] = new:gsub("\n$", "") end
		for _, line in ipairs(new == nil and s.lines or {}) do lines[#lines + 1] = line end
	end
	return table.concat(lines, "\n") .. "\n"
end

return case
