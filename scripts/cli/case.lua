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

-- { { name, text, line } }, in their order; also the comment before them.
local function split(text, wrong)
	local list, comment, current, n = {}, {}, nil, 0
	for line in base.lines(text) do
		n = n + 1
		local name = line:match("^@(%u+)%s*$")
		if name then
			current = { name = name, line = n, lines = {} }
			if base.has(sections, name) then list[#list + 1] = current
			else
				local near = core.nearest(name, sections)
				wrong(n, "there is no section @%s%s", name, near and "; did you mean @" .. near .. "?" or "")
			end
		else
			local to = current and current.lines or comment
			to[#to + 1] = line
		end
	end
	return list, comment
end

-- "a=b" lines
local function pairs_of(section, wrong)
	local values = {}
	for i, line in ipairs(section.lines) do
		local name, value = line:match("^([^=]+)=(.*)$")
		if name and values[name] then wrong(section.line + i, "%s is there twice", name)
		elseif name then values[name] = value
		elseif line:find("%S") then wrong(section.line + i, "NAME=VALUE is wanted, not '%s'", line) end
	end
	return values
end

local function options_of(section, wrong)
	local values = pairs_of(section, wrong)
	for i, line in ipairs(section.lines) do
		local name = line:match("^([^=]+)=")
		if name and name ~= "accept-no-return" then
			wrong(section.line + i, "there is no option '%s' of a test; there is accept-no-return=WHY", name)
		end
	end
	return values
end

local function outcome(number, line, into, wrong)
	local step, rest = line:match("^(%S+)%s+(.*)$")
	local phase, result, text = (rest or ""):match("^(%l+)%s+(%l+)%s*(.*)$")
	if not base.has(paper.phases, phase) then
		result, text = (rest or ""):match("^(%l+)%s*(.*)$")
		phase = base.has({ "refused", "unchanged", "irreversible" }, result) and "check" or "apply"
	end
	if not base.has(paper.results, result) then
		local near = result and core.nearest(result, paper.results)
		return wrong(number, "STEP [check|apply|verify|undo] RESULT [TEXT] is wanted, with RESULT %s%s",
			table.concat(paper.results, ", "), near and "; did you mean " .. near .. "?" or "")
	end
	into[step] = into[step] or {}
	into[step][phase] = into[step][phase] or {}
	table.insert(into[step][phase], { step = step, phase = phase, result = result, line = number,
		message = text ~= "" and text or (result ~= "changed" and result ~= "unchanged") and "as the test says" or nil })
end

local function outcomes_of(section, wrong)
	local into = {}
	for i, line in ipairs(section.lines) do
		if line:find("%S") and not line:find("^#") then outcome(section.line + i, line, into, wrong) end
	end
	return into
end

-- step -> name -> { value, line }
local function outputs_of(section, wrong)
	local into = {}
	for i, line in ipairs(section.lines) do
		local step, name, text = line:match("^(%S+)%s+([%w_]+)=(.*)$")
		local values = step and core.decode("[" .. text .. "]")
		if values and values[1] ~= nil then
			into[step] = into[step] or {}
			if into[step][name] then wrong(section.line + i, "%s of %s is there twice", name, step) end
			into[step][name] = { value = values[1], line = section.line + i }
		elseif line:find("%S") then
			wrong(section.line + i, "STEP NAME=JSON is wanted, not '%s'", line)
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

local readers = { PARAMS = pairs_of, OPTIONS = options_of, OUTCOMES = outcomes_of, OUTPUTS = outputs_of,
	RECORDED = recorded_of }

-- Fails if there are faults: an error, the first one, that has all of them in `all`.
-- @param done what was done with the test before, in words; or nil
function case.refuse(faults, done)
	local first = faults[1]
	if first then error({ id = first.id, where = first.where, message = first.message, all = faults, done = done }, 0) end
end

-- A file of a test, read, or all that is wrong with it.
function case.read(file)
	local text, faults = base.must(core.text(file)), {}
	local c = { file = file, catalogs = {}, params = {}, options = {}, outcomes = {}, outputs = {} }
	local function wrong(line, format, ...)
		faults[#faults + 1] = { id = "test-shape", where = ("%s:%d"):format(file, line), message = format:format(...) }
	end
	c.sections, c.comment = split(text, wrong)
	local seen = {}
	for _, s in ipairs(c.sections) do
		local body = table.concat(s.lines, "\n") .. "\n"
		if s.name == "CATALOG" then table.insert(c.catalogs, body)
		elseif seen[s.name] then wrong(s.line, "@%s is there twice", s.name)
		elseif readers[s.name] then c[s.name:lower()] = readers[s.name](s, wrong)
		else c[s.name] = body end
		seen[s.name] = s.line
	end
	if (c.WORKFLOW == nil) == (c.SCRIPT == nil) and #faults == 0 then wrong(1, "it needs one of @WORKFLOW and @SCRIPT") end
	for _, name in ipairs { "OPTIONS", "OUTCOMES", "OUTPUTS", "RECORDED" } do
		if seen[name] and c.EXPECT and not c.RUN then
			wrong(seen[name], "@%s is about a run, and nothing is run without @RUN", name)
		end
	end
	case.refuse(faults)
	return c
end

-- The same file with other expectations, as text; false: without that section.  without:
-- outcomes of which nothing is left.
function case.with(c, expected, without)
	local lines, gone = { table.unpack(c.comment) }, {}
	for _, said in ipairs(without or {}) do gone[said.line] = true end
	for _, s in ipairs(c.sections) do
		local new = expected[s.name]
		if new ~= false then lines[#lines + 1] = "@" .. s.name end
		if new then lines[#lines + 1] = new:gsub("\n$", "") end
		for i, line in ipairs(new == nil and s.lines or {}) do
			if not gone[s.line + i] then lines[#lines + 1] = line end
		end
	end
	return table.concat(lines, "\n") .. "\n"
end

return case
