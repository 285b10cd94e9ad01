-- SPDX-License-Identifier: MIT
-- The plan as people read it: what happens, in which order, what can be taken
-- back, and from where on it can't.
local _, core = ...
local base = require "cli.base"
local text = {}

local function same(a, b)
	if type(a) ~= "table" or type(b) ~= "table" then return a == b end
	for k, v in pairs(a) do
		if not same(v, b[k]) then return false end
	end
	for k in pairs(b) do
		if a[k] == nil then return false end
	end
	return true
end

-- What a run goes by, beside its steps, and is another one in a new plan: lines.
function text.policies(old, new)
	local found = {}
	local function tell(what, was, is)
		if not same(was, is) then found[#found + 1] = ("%s %s now, was %s"):format(what, is, was) end
	end
	local function named(list, key)
		local by = {}
		for _, row in ipairs(list or {}) do by[row[key]] = row end
		return by
	end
	local was, is = named(old.stages, "name"), named(new.stages, "name")
	tell("rounds: at most", old.rounds, new.rounds)
	tell("reboots: at most", old.reboots or 12, new.reboots or 12)
	for _, name in ipairs(base.sorted(is)) do
		if was[name] then tell(("stage %s: on_failure is"):format(name), was[name].on_failure, is[name].on_failure) end
	end
	was, is = named(old.guards, "id"), named(new.guards, "id")
	for _, id in ipairs(base.sorted(was)) do
		if not is[id] then found[#found + 1] = id .. " is asked no more" end
	end
	for _, id in ipairs(base.sorted(is)) do
		local a, b = was[id] or {}, is[id]
		if not was[id] then
			found[#found + 1] = id .. " is asked from now on"
		elseif a.plugin ~= b.plugin or a.step ~= b.step or not same(a.args, b.args) then
			found[#found + 1] = id .. " has other arguments"
		end
	end
	return found
end

-- An argument that says no more than leaving it out would.
local function is_default(param, value)
	if param.value ~= nil then return same(param.value, value) end
	return not value or value == 0 or value == "" or type(value) == "table" and next(value) == nil
end

local function word(s)
	return s:find("^[%w_./:@+%%~-]+$") and s or core.encode(s)
end

local function updates_text(updates)
	local security, packages = 0, 0
	for _, u in ipairs(updates) do
		security = security + (u.kind == "security" and 1 or 0)
		packages = packages + #(u.packages or {})
	end
	local all = base.count(#updates, "update")
	return #updates == 0 and all or
		("%s (%d security, %s)"):format(all, security, base.count(packages, "package"))
end

local function value_text(kind, v)
	if type(v) == "string" then return word(v) end
	if math.type(v) == "integer" and kind == "bytes" then return base.bytes(v) end
	if math.type(v) == "integer" and kind == "seconds" then return base.seconds(v) end
	if type(v) ~= "table" then return core.encode(v) end
	if v["$ref"] then return ("<%s of %s>"):format(v.out, v["$ref"]) end
	if v["$updates"] then return updates_text(v["$updates"]) end
	if v["$secret"] then
		local from, name = next(v["$secret"])
		return ("<secret from %s %s>"):format(from, name)
	end
	local items = {}
	for i, item in ipairs(v) do items[i] = value_text("string", item) end
	return #items > 0 and table.concat(items, ",") or core.encode(v)
end

-- The step and its arguments.
local function verb_text(s, about)
	local words = { s.plugin .. "." .. s.step }
	for _, param in ipairs(about and about.params or {}) do
		local v = s.args[param.name]
		if not is_default(param, v) then
			words[#words + 1] = (" %s=%s"):format(param.name, value_text(param.type, v))
		end
	end
	return table.concat(words)
end

-- What is known before the step has looked: a switch of the step called
-- `reversible` or `readonly` decides for these arguments.
function text.reversibility(s, about)
	local switches = {}
	for _, param in ipairs(about.params or {}) do
		if param.type == "boolean" then switches[param.name] = s.args[param.name] == true end
	end
	if switches.readonly then return "readonly" end
	if switches.reversible == false and about.reversibility == "reversible" then return "irreversible" end
	return about.reversibility
end

local marks = { readonly = " ", reversible = "<", irreversible = "!" }

local function step_text(i, s, about)
	local mark = about and marks[text.reversibility(s, about)] or " "
	local words = { ("%4d %s %s"):format(i, mark, ("| "):rep(#(s.inside or {}))) }
	words[#words + 1] = about and verb_text(s, about) or "sign-off by " .. value_text("list", s.args.parties)
	words[#words + 1] = s.hold and "  [held]" or ""
	words[#words + 1] = about and about.reboots and "  [reboot]" or ""
	return table.concat(words) .. "\n"
end

-- Holds that end before step i, innermost first.
local function given_back(steps, i, add)
	local last, following = steps[i - 1], steps[i]
	if not last then return end
	local open = { table.unpack(last.inside or {}) } -- from 0, as in the plan
	if last.hold then open[#open + 1] = i - 2 end
	for k = #open, #(following and following.inside or {}) + 1, -1 do
		add("       %s' step %d is given back\n", ("| "):rep(k - 1), open[k] + 1)
	end
end

-- A function that gives what a plugin declares of a step, or nil.
function text.finder()
	local known = {}
	return function(plugin, step)
		if plugin == "" then return end
		if not known[plugin] then
			known[plugin] = {}
			for _, s in ipairs((core.plugin(plugin) or { steps = {} }).steps) do known[plugin][s.name] = s end
		end
		return known[plugin][step]
	end
end

local function note_first(plan, add)
	for i, note in ipairs(plan.notes or {}) do add("%s     - %s\n", i == 1 and "\nnotes\n" or "", note) end
end

local function ask_first(plan, find, add)
	for i, q in ipairs(plan.questions or {}) do
		add("%s     ? %s: %s %s\n", i == 1 and "\nquestions\n" or "", q.name, q.ask,
			q.answer ~= nil and value_text("string", q.answer) or "(not answered)")
	end
	for i, g in ipairs(plan.guards or {}) do
		add("%s     ? %s: %s\n", i == 1 and "\nasked before each stage\n" or "", g.id:sub(#"guard/" + 1),
			verb_text(g, find(g.plugin, g.step)))
	end
end

-- The text of a plan, with the plan's digest.  A step that can be undone by what it
-- declares may find in the dry run that on this server it can't; dry: it comes behind.
function text.plan(plan, digest, dry)
	local lines, stage, seconds, reboots, returns, looks = {}, nil, 0, 0, true, false
	local find = text.finder()
	local function add(format, ...) lines[#lines + 1] = format:format(...) end
	add("workflow %s for %s, plan %s\n", plan.workflow, plan.server, digest:sub(1, 12))
	if plan.nothing then
		add("nothing to do: %s\n", plan.nothing)
		note_first(plan, add)
		return table.concat(lines)
	end
	note_first(plan, add)
	ask_first(plan, find, add)
	for i, s in ipairs(plan.steps) do
		local about = find(s.plugin, s.step)
		given_back(plan.steps, i, add)
		if s.stage ~= stage then
			stage = s.stage
			local head = plan.stages[stage + 1]
			add("\n%s%s\n", head.name, head.on_failure ~= "stop" and (" (on failure: %s)"):format(head.on_failure) or "")
		end
		local kind = about and text.reversibility(s, about)
		if returns and kind == "irreversible" then
			add("     ---- point of no return ----\n")
			returns = false
		end
		looks = looks or kind == "reversible"
		lines[#lines + 1] = step_text(i, s, about)
		seconds = seconds + (about and about.expected or 0)
		reboots = reboots + (about and about.reboots and 1 or 0)
	end
	given_back(plan.steps, #plan.steps + 1, add)
	add("\n%s, about %s, %s%s; < can be undone%s\n", base.count(#plan.steps, "step"), base.seconds(seconds),
		base.count(reboots, "reboot"), plan.rounds > 1 and ", planned again afterwards" or "",
		not returns and ", ! can't" or
			looks and dry and ", unless the dry run finds that one can't" or
			", no point of no return" .. (looks and " known before the dry run" or ""))
	return table.concat(lines)
end

return text
