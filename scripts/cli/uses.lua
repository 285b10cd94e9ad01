-- SPDX-License-Identifier: MIT
-- Which steps of which plugins the text of a script names, also where no plan came by.
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

-- Which names stand for which plugins: a, b = pd.use "one", pd.use "two"; and the
-- places of these names and uses.
local function bindings(list)
	local bound, places = {}, {}
	for i, token in ipairs(list) do
		local names = token.value == "=" and token.kind == "sign" and names_before(list, i) or {}
		local at = i
		for k = #names, 1, -1 do
			local use = at + 3
			local plugin, behind
			if list[use] and is_use(list, use) then plugin, behind = used(list, use) end
			local ends = plugin and (list[behind] or {}).value
			if not plugin or ends == "." or ends == "[" then break end
			bound[list[names[k]].value], places[names[k]], places[use] = plugin, true, true
			if ends ~= "," then break end
			at = behind
		end
	end
	return bound, places
end

-- What stands behind a plugin's table: .step or ["step"]; nil: neither.
local function step_behind(list, i)
	local a, b, c = list[i] or {}, list[i + 1] or {}, list[i + 2] or {}
	if a.value == "." and b.kind == "name" then return b.value end
	if a.value == "[" and b.kind == "text" and c.value == "]" then return b.value end
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
		local before, behind = (list[i - 1] or {}).value, (list[i + 1] or {}).value
		local plugin = token.kind == "name" and bound[token.value]
		if is_use(list, i) then
			local named, after = used(list, i)
			unclear = unclear or not named and token.line or nil
			if named then add(named, places[i] and "" or step_behind(list, after)) end
		elseif plugin and not places[i] and before ~= "." and before ~= ":" and behind ~= "=" then
			add(plugin, step_behind(list, i + 1))
		end
	end
	return found, unclear
end

return uses
