-- SPDX-License-Identifier: MIT
-- A14: from the updates of vendors' catalogs to the steps that install them,
-- with what there was before and what there is after.
local strict = require "patchday.strict"
local steps = require "patchday.steps"
local lenient = require "patchday.lenient"
local selection = require "patchday.selection"
local unknown = require "patchday.unknown"

-- What the file is called in the package source: as in its address.
local function name_of(payload)
	return payload.url:gsub("[?#].*", ""):match("([^/]+)$") or ""
end

local function base_name(path) return path:match("([^/\\]+)$") or "" end

-- A command line's words; what stands between double quotes is one.
local function words(text)
	local list, rest = {}, text
	while true do
		rest = rest:match("^%s*(.*)$")
		if rest == "" then return list end
		local word, behind = rest:match('^"([^"]*)"(.*)$')
		if not word then word, behind = rest:match("^(%S+)(.*)$") end
		list[#list + 1], rest = word, behind
	end
end

local archives = { "%.zip$", "%.tar$", "%.tgz$", "%.tar%.gz$", "%.tar%.bz2$", "%.tar%.xz$", "%.tar%.zst$" }

-- The path of a command within the archive of that name; nil if it is none of it.
local function inside(name, command)
	local path = command:gsub("\\", "/"):gsub("^%./", "")
	if path:find("^/") or path:find("^%a:") then return nil end
	for _, pattern in ipairs(archives) do
		if name:lower():find(pattern) then return path end
	end
end

local function of_kind(u, kind)
	local list = {}
	for _, row in ipairs(u.installers) do
		if row.kind == kind then list[#list + 1] = row end
	end
	return list
end

-- The payload that an installer's command names, or the only one.
local function payload_of(u, command)
	for _, p in ipairs(u.payloads) do
		if command and name_of(p) == base_name(command) then return p end
	end
	return #u.payloads == 1 and u.payloads[1] or nil
end

-- Statuses that a program can end with; others are of another system.
local function exit_codes(u)
	local list = {}
	for _, row in ipairs(u.exits) do
		if row.status >= 0 and row.status <= 65535 then
			list[#list + 1] = ("%d=%s"):format(row.status, row.meaning)
		end
	end
	return list
end

local function matches(u)
	local list = {}
	for _, pattern in ipairs(u.devices) do list[#list + 1] = "re:" .. pattern end
	-- the machine's own firmware is for no device on a bus
	if #list == 0 and u.kind == "firmware" then list[1] = "dmi:*" end
	return list
end

-- What takes the n-th program's work back: that of the same file, else the n-th if
-- there are as many.
local function uninstall(u, n, path, packed)
	local rows, programs = of_kind(u, "uninstall"), of_kind(u, "install")
	local own = base_name(programs[n].command)
	local function program(row)
		return packed and inside(path, row.command) or not packed and base_name(row.command) == own and path or
			row.command:sub(1, 1) == "/" and row.command
	end
	local row = (#programs == 1 or #rows == #programs) and rows[n] or nil
	for _, other in ipairs(#programs > 1 and rows or {}) do
		if base_name(other.command) == own then row = other end
	end
	if not row or not program(row) then return nil end
	local list = words(row.arguments)
	table.insert(list, 1, program(row))
	return list
end

-- The step and parameters that install the n-th program, or a file that needs none
-- (n = 0); or nil, and why there are none.
local function step_for(u, source, n)
	local row = n > 0 and of_kind(u, "install")[n]
	local payload = payload_of(u, row and row.command)
	if not payload then
		return nil, row and ("the catalog does not say which file has its program %s"):format(row.command) or
			"the catalog does not say which file is to be installed"
	end
	local name = name_of(payload)
	local path = source .. "/" .. name
	local args = { source = source, digest = payload.digest:match("^sha256:(%x+)$") }
	if name:find("%.cab$") and not row then
		args.file, args.version = path, u.revision
		return { "driver.firmware", args }
	end
	args.needs_reboot, args.match = u.restart == "reboot", matches(u)
	if name:find("%.deb$") then
		args.package = path
		return { "driver.install", args }
	end
	if not row then return nil, "the catalog does not say how it is installed" end
	local packed = base_name(row.command) ~= name
	if packed then args.program = inside(name, row.command) end
	if packed and not args.program then
		return nil, ("its program %s is no file of its own, and %s no archive of a known kind"):format(row.command, name)
	end
	if u.kind == "firmware" then args.writes_hardware = true end
	args.installer, args.arguments = path, words(row.arguments)
	args.exit_codes, args.uninstall = exit_codes(u), uninstall(u, n, path, packed)
	return { "driver.install", args }
end

-- A step for each program, in the catalog's order: all of them; or nil, and why there are none.
local function steps_for(u, source)
	local programs, list = #of_kind(u, "install"), {}
	if u.interactive then return nil, "it asks somebody for something" end
	for n = math.min(programs, 1), programs do
		local step, why = step_for(u, source, n)
		if not step then return nil, why end
		list[#list + 1] = step
	end
	return list
end

-- The whole of A14 as a list, nil if there is nothing to do; and what of the
-- selection no step can be made for, rows of id and why.
return function(given)
	given = strict.check("pd.drivers", "option", given, { updates = "any", source = "string", unexplained = "string",
		ignore = "table", settle = "any", delay = "any", reboot = "boolean", boots = "function" })
	if given.updates == nil then strict.refuse("pd.drivers: 'updates' is missing: which ones?") end
	local list, left, last = {}, {}, nil
	local updates = given.updates
	if type(updates) ~= "table" or steps.info[updates] or steps.outs[updates] then updates = { false } end
	for _, u in ipairs(updates) do
		if u == unknown then error(lenient.over, 0) end
		if not selection.is_update(u) then
			strict.refuse("pd.drivers: 'updates' is a selection of updates of a catalog, such as t.catalog:needed()")
		end
		local rows, why = nil, "there is no package source to take it from"
		if given.source then rows, why = steps_for(u, (given.source:gsub("(.)/+$", "%1"))) end
		for _, row in ipairs(rows or {}) do
			row[2].reboot_due = last and last.out.reboot_required
			last = steps.make(row[1], row[2])
			list[#list + 1] = last
		end
		if not rows then left[#left + 1] = { id = u.id, why = why } end
	end
	if not last then return nil, left end
	local state = steps.make("driver.state", {})
	table.insert(list, 1, state)
	if given.reboot ~= false then
		local reboot = steps.make("host.reboot", { reason = "drivers and firmware take effect",
			when = last.out.reboot_required, delay = given.delay })
		list[#list + 1] = given.boots and given.boots(reboot) or reboot
	end
	list[#list + 1] = steps.make("driver.compare", { before = state.out.file, unexplained = given.unexplained,
		ignore = given.ignore, settle = given.settle })
	return list, left
end
