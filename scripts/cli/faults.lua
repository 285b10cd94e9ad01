-- SPDX-License-Identifier: MIT
-- Everything that is wrong with a workflow and can be known without a server.
local _, core = ...
local base = require "cli.base"
local uses = require "cli.uses"
local faults = {}

-- --------------------------------------------------------- what is made up

local NOTHING = '<catalog xmlns="urn:patchday:catalog:1"/>\n'
local NEEDED = [[
<catalog xmlns="urn:patchday:catalog:1">
  <update id="paper-1" kind="security" severity="important" restart="reboot" issued="2026-01-01">
    <title>an update that this server needs</title>
    <payload id="p1" url="pool/paper.deb" bytes="1000000"/>
    <package name="paper" version="2.0" arch="amd64" scheme="deb" payload="p1"/>
  </update>
</catalog>
]]
local SERVER = '{"os": {"hostname": "server", "arch": "amd64"}, ' ..
	'"packages": [{"name": "paper", "version": "1.0", "arch": "amd64", "scheme": "deb"}]}'
-- One that has something of all that scripts go through.
local FULL = SERVER:gsub("}$", [[, "kernel": {"release": "1.0"}, "hardware": {"vendor": "paper", "product": "paper"},
"boot": {"loader": "grub"}, "devices": [{"bus": "pci", "address": "0000:00:00.0", "modalias": "pci:v0"}],
"disks": [{"mount": "/", "device": "/dev/paper", "filesystem": "ext4", "bytes": 1000000, "free_bytes": 1000000}],
"interfaces": [{"name": "paper0", "state": "up"}],
"addresses": [{"interface": "paper0", "address": "192.0.2.1", "family": "inet"}],
"jobs": [{"kind": "cron", "name": "/etc/cron.d/paper", "command": "true"}],
"listeners": [{"protocol": "tcp", "address": "0.0.0.0", "port": 22, "program": "paper", "unit": "paper.service"}],
"printers": [{"name": "paper", "state": "idle"}], "sessions": [{"user": "paper", "terminal": "pts/0"}],
"services": [{"name": "paper.service", "state": "active", "enabled": "enabled"}],
"shares": [{"name": "paper", "kind": "smb", "path": "/paper"}]}]])
-- The same of the other family, with a package source, which updates of that one come from.
local function of_rpm(text)
	return (text:gsub('"arch": "amd64"}', '"arch": "amd64", "family": "rpm"}'):gsub("(scheme[\": =]+)deb", "%1rpm"))
end
local made_up = { path = "/paper", int = "1", bytes = "1", seconds = "1", bool = "true", boolean = "true",
	secret = "file:/paper" }

faults.NOTHING, faults.SERVER = NOTHING, SERVER

-- Do something with a folder that is gone afterwards.
function faults.with_folder(act)
	local folder = base.must(core.temporary())
	local ok, result = pcall(act, folder)
	core.remove(folder)
	if not ok then error(result, 0) end
	return result
end

function faults.write(folder, name, text)
	local path = folder .. "/" .. name
	base.must(core.write(path, text, tonumber("600", 8)))
	return path
end

-- A value for each parameter that has to be given.
-- @param also the name of one that is given, too, if there is such a one; or nil
local function trial_params(declared, also)
	local params = {}
	for _, row in ipairs(declared.params or {}) do
		if row.required or row.name == also then
			params[row.name] = row.choices and row.choices[1] or made_up[row.type] or "paper"
		end
	end
	return params
end

-- A value of an answer that lets the run go on.
local function trial_answers(declared)
	local answers = {}
	for _, q in ipairs(declared.questions or {}) do
		local value = q.must
		if value == nil then value = q.choices and q.choices[1] or q.type == "boolean" or "paper" end
		answers[q.name] = core.answer(value)
	end
	return answers
end

local servers = { { "a server that needs an update", NEEDED, SERVER }, { "a server that needs none", NOTHING, SERVER },
	{ "a server with services, printers, shares ...", NEEDED, FULL },
	{ "a server with rpm packages", of_rpm(NEEDED), of_rpm(FULL), of_rpm = true },
	{ "a second round", NEEDED, FULL, round = 2 } }

local function number_of(err) return tonumber((err.where or err.message):match(":(%d+)")) end
local function message_of(err) return (err.message:gsub("^[^ ]+:%d+: ", "")) end

-- Does an error show a mistake in the script, and not just that it is for servers of one family?
local function is_mistake(err, server)
	local message = message_of(err)
	return not server.of_rpm or not message:find("^rpm%.install[: ]") and (message:find("^attempt to ") or
		message:find("^there is no global ") or message:find(" is not declared;", 1, true) or
		message:find(" has no %l+ '"))
end

-- What these servers make of a script; the errors go to add(error, server), plans of this round and family
-- to note(plan).
-- @return what the script declares, or nil
local function try(script, folder, add, note)
	local declared, err = core.describe(script)
	if err then return add(err) end
	for i, server in ipairs(servers) do
		local facts = faults.write(folder, "facts.json", server[3])
		local made, bad = core.plan({ script = script, params = trial_params(declared, server.of_rpm and "source"),
			answers = trial_answers(declared),
			catalogs = core.list { faults.write(folder, i .. ".xml", server[2]) } }, facts, server.round or 1)
		if bad and is_mistake(bad, server) then add(bad, server[1]) end
		if made and note and not server.of_rpm then note(made.plan) end
	end
	return declared
end

-- ------------------------------------------------------------- the search

local UNKNOWN = 'require "patchday.unknown"'

-- What stands in a script for something that is not there takes every use of it;
-- in the first line, so that all lines keep their numbers.
local function declare(text, message, words)
	local global = message:match("^there is no global '([%a_][%w_]*)' in a workflow")
	local set = message:match("^'([%a_][%w_]*)' is not declared;")
	if global then words[global] = true end
	if global or set then return ("local %s = %s; "):format(global or set, global and UNKNOWN or "nil") .. text end
end

-- The same of a module, a plugin, a field or a variable, in the line that names it.
local function replaced(line, message)
	local module = message:match("^there is no module '([^']*)'")
	local plugin = message:match("^there is no plugin '([^']*)'")
	local function with(pattern, name)
		return line:gsub(pattern .. "%s*%(?%s*[\"']" .. name:gsub("%p", "%%%0") .. "[\"']%s*%)?", UNKNOWN)
	end
	if module then return with("%f[%w_]require", module) end
	if plugin then return with("%f[%w_][%w_]+%.use", plugin) end
	local kind, empty = message:match("^attempt to .* nil value %((%l+) '([%a_][%w_]*)'%)")
	if kind == "local" or kind == "upvalue" then
		return line:gsub("%f[%w_]" .. empty .. "%f[^%w_]", "(" .. UNKNOWN .. ")")
	end
	local noun, name = message:match("^t%..* has no (%l+) '([%w_]+)'")
	local field = noun ~= "method" and name or message:match(" has no %l+ '([%w_]+)'$") or
		(kind == "field" or kind == "method") and empty
	return line:gsub("%f[%w_][%w_.]*%." .. (field or "%f[x]y") .. "%f[^%w_]", UNKNOWN)
end

local function line_of(text, number)
	local n = 0
	for line in base.lines(text) do
		n = n + 1
		if n == number then return line end
	end
	return ""
end

-- Does an error only follow from a name that is not there, or from what was passed over or
-- cut out?  Not if it is about a word of its own, or about a value of a step: those know what
-- is unknown.
local function follows(err, text, words, passed, cut, taken)
	local message, line = message_of(err), line_of(text, number_of(err))
	-- a suggestion that was taken, and is none
	if message:find("^attempt to ") and taken[message:match("%(%l+ '([%w_]+)'%)$")] then return true end
	-- what the plan function returns may have been in what was cut out, or be what was suggested
	if message:find("^the plan function returns a ") and (cut or next(taken)) then return true end
	local behind = next(words) ~= nil or cut
	if not behind and #passed == 0 or message:find("did you mean", 1, true) then return false end
	if err.message:find("patchday[%w.]*:%d+: ") or message:find(" can't be done with what it is given: ", 1, true) or
		message:find("^the plan has no step;") or message:find("^the script raised a table") then return true end
	-- what is lost behind an error that was passed over, scripts/patchday knows
	if message:find("not in the plan", 1, true) then return behind or not message:find(" uses output '", 1, true) end
	if message:find("^there is no ") or message:find(" has no %l+ '") or err.id:find("^argument%-") then return false end
	if #passed > 0 and (err.id == "plan-invalid" and not message:find("can't be held", 1, true) or
		err.id == "plan-reference" and not message:find(" uses output '", 1, true) or
		message:find("^the script ends without its workflow")) then return true end
	for word in pairs(words) do
		if line:find("%f[%w_]" .. word .. "%f[^%w_]") then return true end
	end
	return false
end

-- What is passed over when it is met again, before all else in the script.
local function prologue(told)
	local texts = {}
	for i, text in ipairs(told) do texts[i] = ("%q"):format(text) end
	return #texts == 0 and "" or ('require("patchday.lenient").known { %s }; '):format(table.concat(texts, ", "))
end

-- A text with what an error suggests, or without what it blames, in the line that it
-- names; or nil.
local function mended(text, err, words, taken)
	local number, message = number_of(err), message_of(err)
	local wrong, right = message:match(".*'([%w_.]+)'[^']*did you mean '([%w_.]+)'")
	-- what a table has by another name is looked at there when the error is passed over
	if message:find(" has no parameter '") or message:find(" has no option '") or message:find("^pd.workflow has no ") then
		return nil
	end
	-- what is known of a server by another name can be of another type
	if message:find("^t%.") and not message:find(" has no method ", 1, true) then wrong = nil end
	local lines, n, changed = {}, 0, 0
	local declared = not wrong and declare(text, message, words)
	if declared then return declared end
	for line in base.lines(text) do
		n = n + 1
		if n == number and wrong then
			line, changed = line:gsub("%f[%w_]" .. wrong:gsub("%p", "%%%0") .. "%f[^%w_]", right)
			taken[right] = true
		elseif n == number then
			line, changed = replaced(line, message)
			words[UNKNOWN] = words[UNKNOWN] or changed > 0 or nil
		end
		lines[n] = line
	end
	return changed > 0 and table.concat(lines, "\n") .. "\n" or nil
end

-- The same text, with which an error that can't be mended is passed over; nil if that
-- was of no use, or it is one of the script as a whole.
local function pass(text, err, passed)
	local told = ("%s: %s"):format(err.where or "", err.message)
	if base.has(passed, told) or not number_of(err) or err.id == "workflow-limit" then return nil end
	passed[#passed + 1] = told
	return text
end

-- A text without the line of a mistake of Lua's own; variables that it declares are
-- unknown. nil: the error is none such. Whether the rest is Lua shows when it is tried.
local function without(text, err)
	local message, number, lines = message_of(err), number_of(err), {}
	local own = message:find("^attempt to ") or message:find("^bad argument ") or message:find("^'for' ")
	if not own or not number then return nil end
	for line in base.lines(text) do lines[#lines + 1] = line end
	local line = lines[number] or ""
	local names = line:match("^%s*local%s+([%a_][%w_, ]*)=")
	local values = names and names:gsub("[%a_][%w_]*", UNKNOWN)
	lines[number] = names and ("local %s = %s"):format(names, values) or ""
	return lines[number] ~= line and table.concat(lines, "\n") .. "\n" or nil
end

-- A script's text as what can be looked at; the error of its bytes goes to add(error).  nil: with zeros
-- in it, it is no text.
local function read(script, add)
	local text = base.must(core.text(script)):gsub("^\xef\xbb\xbf", "") -- a byte order mark stands nowhere else
	if utf8.len(text) and not text:find("\0", 1, true) then return text end
	local _, err = core.describe(script)
	if err then add(err) end
	if text:find("\0", 1, true) then return nil end
	return (text:gsub("[^\n]+", function(line) return utf8.len(line) and line or line:gsub("[\128-\255]", "?") end))
end

-- What is misspelt where no plan came by; what a plan has met is told.
local function unseen(script, declared, list, tell)
	for _, wrong in ipairs(uses.wrong(script, declared)) do
		local told = false
		for _, err in ipairs(list) do
			local line = number_of(err) or 0
			told = told or line >= wrong.line and line <= wrong.last and message_of(err):find(wrong.message, 1, true) == 1
		end
		if not told then
			tell { id = wrong.id, where = ("%s:%d"):format(script:match("[^/]*$"), wrong.line),
				message = wrong.message .. (wrong.near and ("; did you mean '%s'?"):format(wrong.near) or "") }
		end
	end
end

-- Everything that is wrong with a script, each once: { error... }.  Lua stops at
-- the first; so that is mended in a copy, and the copy looked at again.
-- The plans of a script without a fault go to note(plan), if it is given.
function faults.find(script, note)
	local list, seen, held, words, passed, taken, removed, cut = {}, {}, {}, {}, {}, {}, nil, nil
	local declared
	local name = script:match("[^/]*$")
	local function tell(err, server)
		-- what scripts/patchday has told, and has passed over, is met again in the plan
		if err.message:find(" can't be held: ", 1, true) then
			local line = number_of(err) or 0
			if err.id == "plan-invalid" and held[line] then return end
			held[line] = true
		end
		-- servers differ in where they meet what is not there first
		local told = message_of(err):match("^there is no global '[^']*' in a workflow") or base.error_text(err)
		local same = seen[told]
		if not same then
			seen[told] = { id = err.id, where = err.where, message = err.message, remedy = err.remedy, server = server }
			list[#list + 1] = seen[told]
		elseif (number_of(err) or 0) < (number_of(same) or 0) then
			same.where, same.server = err.where, server
		end
	end
	local text = read(script, tell)
	faults.with_folder(function(folder)
		for n = 1, text and 100 or 0 do
			local better, broken
			local says = try(faults.write(folder, name, prologue(passed) .. text), folder, function(err, server)
				local only_follows = follows(err, text, words, passed, cut, taken)
				broken = broken or removed and message_of(err):find(" near ", 1, true) -- it was a part of something
				if not better then
					better = mended(text, err, words, taken)
					removed = not better and without(text, err)
					cut = cut or removed
					better = better or removed or pass(text, err, passed)
				end
				if not only_follows and not broken then tell(err, server) end
			end, note)
			if n == 1 then declared = says end
			if not better or broken then return end
			text = better
		end
	end)
	if text then unseen(script, declared, list, tell) end
	for i, err in ipairs(list) do err.place = (number_of(err) or 0) * 1000 + i end
	table.sort(list, function(a, b) return a.place < b.place end)
	return list
end

return faults
