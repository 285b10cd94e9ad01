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
local function verb_text(s, about, plain)
	local words = { s.plugin .. "." .. s.step }
	for _, param in ipairs(about and about.params or {}) do
		local v = s.args[param.name]
		if not is_default(param, v) then
			words[#words + 1] = ("%s=%s"):format(param.name, value_text(param.type, v))
		end
	end
	return table.concat(words, plain and ", " or " ")
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
local words_of = { readonly = "changes nothing", reversible = "can be undone", irreversible = "can't be undone" }

local function step_text(i, s, about, plain)
	local kind, inside = about and text.reversibility(s, about), s.inside or {}
	local what = about and verb_text(s, about, plain) or "sign-off by " .. value_text("list", s.args.parties)
	if plain then
		return base.sentence { tostring(i), what, words_of[kind] or "", s.hold and "held" or "",
			about and about.reboots and "reboots" or "",
			#inside > 0 and ("while step %d is held"):format(inside[#inside] + 1) or "" } .. "\n"
	end
	return ("%4d %s %s%s%s%s\n"):format(i, marks[kind] or " ", ("| "):rep(#inside), what, s.hold and "  [held]" or "",
		about and about.reboots and "  [reboot]" or "")
end

-- Holds that end before step i, innermost first.
local function given_back(steps, i, add, plain)
	local last, following = steps[i - 1], steps[i]
	if not last then return end
	local open = { table.unpack(last.inside or {}) } -- from 0, as in the plan
	if last.hold then open[#open + 1] = i - 2 end
	for k = #open, #(following and following.inside or {}) + 1, -1 do
		add("%sstep %d is given back\n", plain and "" or ("       %s' "):format(("| "):rep(k - 1)), open[k] + 1)
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

-- Lines below a head; for who does not see that, with a word before each.
local function below(head, mark, lines, before, plain, add)
	for i, line in ipairs(lines) do
		if plain then add("%s: %s\n", before, line)
		else add("%s     %s %s\n", i == 1 and ("\n%s\n"):format(head) or "", mark, line) end
	end
end

local function notes(plan, plain, add) below("notes", "-", plan.notes or {}, "note", plain, add) end

local function ask_first(plan, find, plain, add)
	local questions, guards = {}, {}
	for i, q in ipairs(plan.questions or {}) do
		questions[i] = ("%s: %s %s"):format(q.name, q.ask,
			q.answer ~= nil and value_text("string", q.answer) or "(not answered)")
	end
	for i, g in ipairs(plan.guards or {}) do
		guards[i] = ("%s: %s"):format(g.id:sub(#"guard/" + 1), verb_text(g, find(g.plugin, g.step), plain))
	end
	below("questions", "?", questions, "question", plain, add)
	below("asked before each stage", "?", guards, "asked before each stage", plain, add)
end

local function stage_head(stage, plain)
	local policy = stage.on_failure ~= "stop" and ("on failure: %s"):format(stage.on_failure) or ""
	if plain then return "\n" .. base.sentence { "stage " .. stage.name, policy } .. "\n" end
	return ("\n%s%s\n"):format(stage.name, policy ~= "" and (" (%s)"):format(policy) or "")
end

-- What it all comes to.
local function last_line(plan, sum, plain)
	return ("\n%s, about %s, %s%s; %s%s\n"):format(base.count(#plan.steps, "step"), base.seconds(sum.seconds),
		base.count(sum.reboots, "reboot"), plan.rounds > 1 and ", planned again afterwards" or "",
		plain and "" or "< can be undone, ",
		sum.ends and (plain and "with a point of no return" or "! can't") or
			sum.looks and sum.dry and "unless the dry run finds that one can't" or
			"no point of no return" .. (sum.looks and " known before the dry run" or ""))
end

-- The text of a plan, with the plan's digest.  A step that can be undone by what it
-- declares may find in the dry run that on this server it can't; dry: it comes behind.
-- plain: in sentences, without signs and columns.
function text.plan(plan, digest, dry, plain)
	local lines, stage, find = {}, nil, text.finder()
	local sum = { seconds = 0, reboots = 0, ends = false, looks = false, dry = dry }
	local function add(format, ...) lines[#lines + 1] = format:format(...) end
	add("workflow %s for %s, plan %s\n", plan.workflow, plan.server, digest:sub(1, 12))
	if plan.nothing then add("nothing to do: %s\n", plan.nothing) end
	notes(plan, plain, add)
	if plan.nothing then return table.concat(lines) end
	ask_first(plan, find, plain, add)
	for i, s in ipairs(plan.steps) do
		local about = find(s.plugin, s.step)
		local kind = about and text.reversibility(s, about)
		given_back(plan.steps, i, add, plain)
		if s.stage ~= stage then lines[#lines + 1] = stage_head(plan.stages[s.stage + 1], plain) end
		stage = s.stage
		if kind == "irreversible" and not sum.ends then
			add(plain and "point of no return\n" or "     ---- point of no return ----\n")
			sum.ends = true
		end
		sum.looks = sum.looks or kind == "reversible"
		lines[#lines + 1] = step_text(i, s, about, plain)
		sum.seconds = sum.seconds + (about and about.expected or 0)
		sum.reboots = sum.reboots + (about and about.reboots and 1 or 0)
	end
	given_back(plan.steps, #plan.steps + 1, add, plain)
	lines[#lines + 1] = last_line(plan, sum, plain)
	return table.concat(lines)
end

return text
