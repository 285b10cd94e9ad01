-- SPDX-License-Identifier: MIT
-- Which steps of which plugins the text of a script names, and what it names that there is not,
-- also where no plan came by.
local _, core = ...
local base = require "cli.base"
local uses = {}

-- { { kind, value, line } }: names, texts and signs; comments and white space are
-- passed over.
local function tokens(text)
	local list, at, line = {}, 1, 1
	local function take(kind, value, behind)
		if kind then list[#list + 1] = { kind = kind, value = value, line = line } end
		line = line + select(2, text:sub(at, behind - 1):gsub("\n", ""))
		at = behind
	end
	while at <= #text do
		local comment = text:match("^%-%-()", at)
		local level, inside = text:match("^%[(=*)%[()", comment or at)
		local quote, sign = text:match("^[\"']", at), text:match("^[=~<>]=", at) or text:match("^%.%.+", at)
		if level then
			local behind = select(2, text:find("]" .. level .. "]", inside, true)) or #text
			take(not comment and "text" or nil, text:sub(inside, behind - #level - 2), behind + 1)
		elseif comment then
			take(nil, nil, text:match("^[^\n]*()", at))
		elseif quote then
			local stop = at + 1
			while stop <= #text and text:sub(stop, stop) ~= quote do
				stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
			end
			take("text", text:sub(at + 1, stop - 1), stop + 1)
		elseif text:find("^%s", at) then
			take(nil, nil, text:match("^%s+()", at))
		elseif text:find("^[%w_]", at) then
			take("name", text:match("^([%w_]+)()", at))
		else
			take("sign", sign or text:sub(at, at), at + #(sign or " "))
		end
	end
	return list
end

-- At its ".use": the plugin, or nil if that is found out only while it runs; and
-- the place behind it.
local function used(list, i)
	local open = list[i + 1] and list[i + 1].value == "(" and 1 or 0
	local name = list[i + 1 + open]
	local close = open == 0 or (list[i + 3] or {}).value == ")"
	return name and name.kind == "text" and close and name.value or nil, i + 2 + 2 * open
end

local function is_use(list, i)
	return list[i].value == "use" and list[i].kind == "name" and (list[i - 1] or {}).value == "." and
		list[i + 1] and (list[i + 1].kind == "text" or list[i + 1].value == "(")
end

-- Where the names in front of "=" are, the last one first: a, b, c = ...
local function names_before(list, i)
	local places = {}
	while list[i - 1] and list[i - 1].kind == "name" and (list[i - 2] or {}).value ~= "." do
		places[#places + 1] = i - 1
		if (list[i - 2] or {}).value ~= "," then break end
		i = i - 2
	end
	return places
end

-- Which names stand for which plugins: a, b = pd.use "one", pd.use "two"; the places of these
-- names and uses; and which of them stand for several.
local function bindings(list)
	local bound, places, several = {}, {}, {}
	for i, token in ipairs(list) do
		local names = token.value == "=" and token.kind == "sign" and names_before(list, i) or {}
		local at = i
		for k = #names, 1, -1 do
			local use = at + 3
			local plugin, behind
			if list[use] and is_use(list, use) then plugin, behind = used(list, use) end
			local ends = plugin and (list[behind] or {}).value
			if not plugin or ends == "." or ends == "[" then break end
			local name = list[names[k]].value
			several[name] = several[name] or bound[name] and bound[name] ~= plugin
			bound[name], places[names[k]], places[use] = plugin, true, true
			if ends ~= "," then break end
			at = behind
		end
	end
	return bound, places, several
end

-- What stands behind a table: .name or ["name"], and the place behind that; nil: neither.
local function step_behind(list, i)
	local a, b, c = list[i] or {}, list[i + 1] or {}, list[i + 2] or {}
	if a.value == "." and b.kind == "name" then return b.value, i + 2 end
	if a.value == "[" and b.kind == "text" and c.value == "]" then return b.value, i + 3 end
end

-- Where a name at a place is a table that something is taken of.
local function is_taken_of(list, i)
	local before, behind = (list[i - 1] or {}).value, (list[i + 1] or {}).value
	return before ~= "." and before ~= ":" and behind ~= "="
end

-- { plugin = { step = true } } of what the text names.  A plugin whose table is
-- handed on, or asked for a step that is found out only while the script runs, is named
-- with all steps that it has here.  @return also the line of a use of which the plugin
-- is found out only then; nil: there is none.
function uses.of(script)
	local list, found, unclear = tokens(base.must(core.text(script))), {}, nil
	local bound, places = bindings(list)
	local function add(plugin, step)
		found[plugin] = found[plugin] or {}
		for _, s in ipairs((core.plugin(plugin) or { steps = {} }).steps) do
			if not step or s.name == step then found[plugin][s.name] = true end
		end
	end
	for i, token in ipairs(list) do
		local plugin = token.kind == "name" and bound[token.value]
		if is_use(list, i) then
			local named, after = used(list, i)
			unclear = unclear or not named and token.line or nil
			if named then add(named, places[i] and "" or (step_behind(list, after))) end
		elseif plugin and not places[i] and is_taken_of(list, i) then
			add(plugin, (step_behind(list, i + 1)))
		end
	end
	return found, unclear
end

-- --------------------------------------------------------- what there is not

local opens, closes = { ["("] = 1, ["["] = 1, ["{"] = 1 }, { [")"] = 1, ["]"] = 1, ["}"] = 1 }

local function sign_at(list, i) return list[i] and list[i].kind ~= "text" and list[i].value or "" end

-- The places of names from one on, with commas between; and the place behind them.
local function names_at(list, i)
	local places = {}
	while list[i] and list[i].kind == "name" do
		places[#places + 1] = i
		i = i + (sign_at(list, i + 1) == "<" and 4 or 1) -- <const>
		if sign_at(list, i) ~= "," then break end
		i = i + 1
	end
	return places, i
end

-- Where values begin, from one on, with commas between; none is looked for behind a function.
local function values_at(list, i)
	local places, depth = { i }, 0
	while list[i] and depth >= 0 and sign_at(list, i) ~= "function" do
		local sign = sign_at(list, i)
		depth = depth + (opens[sign] or 0) - (closes[sign] or 0)
		if sign == "," and depth == 0 then places[#places + 1] = i + 1 end
		i = i + 1
	end
	return places
end

-- The keys of the table that is given to what is called at a place; none is looked for behind
-- a function, which has variables.
local function keys_at(list, i)
	local keys, depth = {}, 0
	if sign_at(list, i) == "(" then i = i + 1 end
	if sign_at(list, i) ~= "{" then return keys end
	repeat
		local sign = sign_at(list, i)
		depth = depth + (opens[sign] or 0) - (closes[sign] or 0)
		if depth == 1 and list[i].kind == "name" and sign_at(list, i + 1) == "=" then keys[#keys + 1] = i end
		i = i + 1
	until depth == 0 or not list[i] or sign_at(list, i) == "function"
	return keys
end

-- The places of the names that "=" behind one assigns to, a, b.c, d = ...; none of the key of a table.
local function assigned(list, i)
	local places, at = {}, i
	while true do
		local before = sign_at(list, at - 1)
		if before ~= "." then places[#places + 1] = at end
		if before ~= "," and before ~= "." or (list[at - 2] or {}).kind ~= "name" then break end
		at = at - 2
	end
	return base.has({ ".", ",", "{", "=", "local", "for" }, sign_at(list, at - 1)) and {} or places
end

-- All that gives a name a meaning: { place, and the place of its value, or which parameter it is of
-- which local function, or that it is what plan() is called with }.
local function declarations(list)
	local all = {}
	local function add(place, more)
		more.place, more.name = place, list[place].value
		all[#all + 1] = more
	end
	local function add_function(i)
		local own, open = sign_at(list, i - 1) == "local" and sign_at(list, i + 1), i + 1
		local entry = sign_at(list, i - 1) == "=" and base.has({ "plan", "guards" }, sign_at(list, i - 2))
		if list[open] and sign_at(list, open) ~= "(" then add(open, {}) end
		while list[open] and sign_at(list, open) ~= "(" do open = open + 1 end
		for k, place in ipairs((names_at(list, open + 1))) do add(place, { of = own, index = k, entry = entry }) end
	end
	for i = 1, #list do
		local word = list[i].kind == "name" and list[i].value
		if word == "function" then
			add_function(i)
		elseif word == "for" or word == "local" and sign_at(list, i + 1) ~= "function" then
			local names, behind = names_at(list, i + 1)
			local values = word == "local" and sign_at(list, behind) == "=" and values_at(list, behind + 1) or {}
			for k, place in ipairs(names) do add(place, { value = values[k] }) end
		elseif word and sign_at(list, i + 1) == "=" then
			for _, place in ipairs(assigned(list, i)) do add(place, {}) end
		end
	end
	return all
end

-- Where the values are that a parameter of a local function gets; nil: that can't be told.
local function given(list, d)
	local places = {}
	for i = 1, #list do
		local called = list[i].kind == "name" and list[i].value == d.of and sign_at(list, i - 1) ~= "function"
		if called and sign_at(list, i - 1) ~= "." and sign_at(list, i - 1) ~= ":" then
			local place = sign_at(list, i + 1) == "(" and values_at(list, i + 2)[d.index]
			if not place then return nil end
			places[#places + 1] = place
		end
	end
	return places
end

-- What the value at a place is: "t", which plan() is called with, "params", or false: anything else.
local function kind_of(list, i, kinds)
	local kind = list[i] and list[i].kind == "name" and kinds[list[i].value]
	if kind == "t" and sign_at(list, i + 1) == "." then
		kind, i = sign_at(list, i + 2) == "params" and "params", i + 2
	end
	local behind = list[i + 1] or { kind = "sign", value = ";" }
	local ends = behind.kind == "name" and behind.value ~= "and" and behind.value ~= "or" or
		behind.kind == "sign" and base.has({ ",", ")", ";" }, behind.value)
	return ends and kind
end

-- The same of what a name is declared as; nil: of the name itself, which is handed on by it.
local function kind_declared(list, d, kinds)
	if d.entry then return d.index == 1 and "t" end
	if d.value then return kind_of(list, d.value, kinds) end
	local places, kind = d.of and given(list, d) or {}, nil
	for _, place in ipairs(places) do
		local itself = list[place] and list[place].value == d.name and base.has({ ",", ")" }, sign_at(list, place + 1))
		local one = not itself and kind_of(list, place, kinds)
		if not itself and (not one or kind and one ~= kind) then return false end
		kind = not itself and one or kind
	end
	return #places > 0 and kind
end

-- Which names are "t", and which "params", wherever they stand.
local function kinds_of(list, all)
	local kinds = {}
	for _ = 1, 4 do -- each may follow from others
		local now = {}
		for _, d in ipairs(all) do
			local kind = kind_declared(list, d, kinds)
			if kind ~= nil then now[d.name] = (now[d.name] == nil or now[d.name] == kind) and kind end
		end
		kinds = now
	end
	return kinds
end

local function names_of(rows)
	local names = {}
	for i, row in ipairs(rows or {}) do names[i] = row.name end
	return names
end

-- What the text names that there is not: { { line, last line, id, message, near one or nil } }.
-- What a name stands for has to be beyond doubt, wherever it stands.
-- @param described what describe() says of the script; nil: its parameters are not known
function uses.wrong(script, described)
	local list, faults = tokens(base.must(core.text(script))), {}
	local bound, places, several = bindings(list)
	local all = declarations(list)
	local kinds, other = kinds_of(list, all), several
	for _, d in ipairs(all) do other[d.name] = other[d.name] or not places[d.place] end

	-- Is the word, which stands from one place to another, one of these?
	local function known(from, to, what, noun, word, names)
		if base.has(names, word) then return true end
		faults[#faults + 1] = { line = list[from].line, last = list[to].line, near = core.nearest(word, names),
			id = noun == "parameter" and what ~= "t.params" and "argument-unknown" or "workflow-script",
			message = ("%s has no %s '%s'"):format(what, noun, word) }
		return false
	end
	local function step(plugin, i, at)
		local name, behind = step_behind(list, at)
		local declared = name and core.plugin(plugin)
		local there = declared and
			known(i, behind - 1, ("plugin '%s'"):format(plugin), "step", name, names_of(declared.steps))
		for _, s in ipairs(there and declared.steps or {}) do
			for _, key in ipairs(s.name == name and keys_at(list, behind) or {}) do
				local word = list[key].value
				if word ~= "id" then known(i, key, plugin .. "." .. name, "parameter", word, names_of(s.params)) end
			end
		end
	end
	local function field(kind, i)
		local name, behind = step_behind(list, i + 1)
		if kind == "params" then
			if name then known(i, behind - 1, "t.params", "parameter", name, names_of(described.params)) end
		elseif name == "params" then
			field("params", behind - 1)
		end
	end
	for i, token in ipairs(list) do
		local name = token.kind == "name" and not places[i] and token.value
		if name and is_use(list, i) then
			local plugin, behind = used(list, i)
			if plugin then step(plugin, i, behind) end
		elseif name and is_taken_of(list, i) and bound[name] and not other[name] then
			step(bound[name], i, i + 1)
		elseif name and described and kinds[name] and is_taken_of(list, i) then
			field(kinds[name], i)
		end
	end
	return faults
end

return uses
