-- SPDX-License-Identifier: MIT
-- A14: from the updates of vendors' catalogs to the steps that install them,
-- with what there was before and what there is after.
local strict = require "patchday.strict"
local steps = require "patchday.steps"

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

local function uninstall(u, command, path)
	local row = of_kind(u, "uninstall")[1]
	local program = row and (base_name(row.command) == base_name(command) and path or
		row.command:sub(1, 1) == "/" and row.command)
	if not program then return nil end
	local list = words(row.arguments)
	table.insert(list, 1, program)
	return list
end

-- The step and its parameters; or nil, and why there is none.
local function step_for(u, source)
	local install = of_kind(u, "install")
	local command = install[1] and install[1].command
	local payload = payload_of(u, command)
	if u.interactive then return nil, "it asks somebody for something" end
	if not payload then return nil, "the catalog does not say which file is to be installed" end
	local name = name_of(payload)
	local path = source .. "/" .. name
	local args = { source = source, digest = payload.digest:match("^sha256:(%x+)$") }
	if name:find("%.cab$") and #install == 0 then
		args.file, args.version = path, u.revision
		return "driver.firmware", args
	end
	args.needs_reboot, args.match = u.restart == "reboot", matches(u)
	if name:find("%.deb$") then
		args.package = path
		return "driver.install", args
	end
	if #install == 0 then return nil, "the catalog does not say how it is installed" end
	if #install > 1 then return nil, ("it is installed by %d programs, one after the other"):format(#install) end
	if base_name(command) ~= name then
		return nil, ("its program %s is no file of its own, but in %s"):format(command, name)
	end
	if u.kind == "firmware" then args.writes_hardware = true end
	args.installer, args.arguments = path, words(install[1].arguments)
	args.exit_codes, args.uninstall = exit_codes(u), uninstall(u, command, path)
	return "driver.install", args
end

-- pd.drivers: the whole of A14 as a list, nil if there is nothing to do; and
-- what of the selection no step can be made for, rows of id and why.
return function(given)
	strict.check("pd.drivers", "option", given, { updates = "any", source = "string", unexplained = "string",
		ignore = "table", settle = "any", reboot = "boolean" })
	if given.updates == nil then strict.fail("pd.drivers: 'updates' is missing: which ones?") end
	local list, left, last = {}, {}, nil
	for _, u in ipairs(given.updates) do
		local step, args = nil, "there is no package source to take it from"
		if given.source then step, args = step_for(u, (given.source:gsub("(.)/+$", "%1"))) end
		if step then
			args.reboot_due = last and last.out.reboot_required
			last = steps.make(step, args)
			list[#list + 1] = last
		else
			left[#left + 1] = { id = u.id, why = args }
		end
	end
	if not last then return nil, left end
	local state = steps.make("driver.state", {})
	table.insert(list, 1, state)
	if given.reboot ~= false then
		list[#list + 1] = steps.make("host.reboot", { reason = "drivers and firmware take effect",
			when = last.out.reboot_required })
	end
	list[#list + 1] = steps.make("driver.compare", { before = state.out.file, unexplained = given.unexplained,
		ignore = given.ignore, settle = given.settle })
	return list, left
end
