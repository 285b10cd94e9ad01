-- SPDX-License-Identifier: MIT
-- plugins --markdown and --man: what the plugins declare, as a page for people.
local base = require "cli.base"
local reference = {}

-- -------------------------------------------------- words for what is declared

function reference.sentence(help)
	return help:gsub("^%l", string.upper) .. (help:find("[?!.]$") and "" or ".")
end

local natures = { reversible = "Can be undone", irreversible = "A point of no return", readonly = "Read-only" }
local flags = { { "root", "needs root" }, { "reboots", "reboots the server" }, { "guard", "may be a guard" },
	{ "hold", "has to be held" },
	{ "backup", "counts as the backup that a point of no return asks for" } }

-- What holds of a step as a whole.
function reference.nature(step)
	local words = { natures[step.reversibility] }
	for _, flag in ipairs(flags) do
		if step[flag[1]] then words[#words + 1] = flag[2] end
	end
	return ("%s. Takes about %s, at most %s."):format(table.concat(words, "; "), base.seconds(step.expected),
		base.seconds(step.time_limit))
end

local zero = { boolean = "false", number = "0", bytes = "0", seconds = "0" }

-- What a parameter is when it is left out; nil: nothing.
function reference.default(p)
	if p.required or p.engine then return nil end
	local given = p.default or zero[p.type] or p.choices and p.choices[1]
	return given ~= "" and given or nil
end

-- Help, and which values there are.
function reference.meaning(p)
	local values = p.choices and table.concat(p.choices, ", ")
	if p.min then
		values = p.max == math.maxinteger and ("at least %d"):format(p.min) or ("%d to %d"):format(p.min, p.max)
	end
	return p.help .. (values and (" (%s)"):format(values) or "") ..
		(p.engine and "; set by the engine, not by a plan" or "")
end

local kinds = { "reader", "filter", "scanner", "transport" }

-- What a plugin offers beside steps: { "scanner host", help }...
local function others(plugin)
	local list = {}
	for _, kind in ipairs(kinds) do
		for _, name in ipairs(plugin[kind .. "s"]) do
			local what = kind .. " " .. name
			list[#list + 1] = { what, plugin.helps[what] }
		end
	end
	return list
end

-- ------------------------------------------------------------------- Markdown

local HEAD = [[
<!-- SPDX-License-Identifier: MIT -->
# Steps, parameters and outputs

What the plugins declare: `patchday plugins --markdown` writes this page, `make reference` renews it. How each step
works, its errors and examples are in its plugin's own page, `plugins/NAME/README.md`; types are explained in
[workflow-language.md](workflow-language.md#steps).]]

local function plain(text) return (text:gsub("[<*|]", "\\%0")) end

local function code(text) return text and ("`%s`"):format(text:gsub("|", "\\|")) or "" end

local function row(cells) return ("| %s |"):format(table.concat(cells, " | ")) end

local function add_table(lines, head, rows)
	if #rows == 0 then return end
	lines[#lines + 1] = ("\n%s\n|%s"):format(row(head), (" --- |"):rep(#head))
	for _, cells in ipairs(rows) do lines[#lines + 1] = row(cells) end
end

local function markdown_step(lines, plugin, step)
	local params, outputs = {}, {}
	for i, p in ipairs(step.params) do
		params[i] = { code(p.name), p.type, p.required and "required" or code(reference.default(p)),
			plain(reference.meaning(p)) }
	end
	for i, o in ipairs(step.outputs) do outputs[i] = { code(o.name), o.type, plain(o.help) } end
	lines[#lines + 1] = ("\n### %s.%s\n\n%s %s"):format(plugin, step.name, plain(reference.sentence(step.help)),
		reference.nature(step))
	add_table(lines, { "parameter", "type", "default", "meaning" }, params)
	add_table(lines, { "output", "type", "meaning" }, outputs)
end

-- plugins: as core.plugin() has them; the page.
function reference.markdown(plugins)
	local lines, index = { "" }, {}
	for _, p in ipairs(plugins) do
		lines[#lines + 1] = ("\n## %s\n\n%s"):format(p.name, plain(reference.sentence(p.help)))
		for _, other in ipairs(others(p)) do
			lines[#lines + 1] = ("\n* **%s**: %s"):format(other[1], plain(other[2]))
		end
		for _, s in ipairs(p.steps) do
			index[#index + 1] = { ("[%s.%s](#%s%s)"):format(p.name, s.name, p.name, s.name), plain(s.help) }
			markdown_step(lines, p.name, s)
		end
	end
	local head = { HEAD }
	add_table(head, { "step", "what it does" }, index)
	lines[1] = table.concat(head, "\n")
	return table.concat(lines, "\n") .. "\n"
end

-- ----------------------------------------------------------------------- roff

-- A long list may be broken behind its commas and slashes.
local function roff(text)
	text = text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("([,/])(%S)", "%1\\:%2")
	return (text:gsub("^[.']", "\\&%0"))
end

local function tagged(lines, name, about, text)
	lines[#lines + 1] = (".TP\n.B %s\n(%s) %s"):format(roff(name), roff(about), roff(text))
end

local function man_step(lines, plugin, step)
	lines[#lines + 1] = (".SS %s.%s\n%s\n%s"):format(plugin, step.name, roff(reference.sentence(step.help)),
		roff(reference.nature(step)))
	for _, p in ipairs(step.params) do
		local default = reference.default(p)
		tagged(lines, p.name, p.type .. (p.required and ", required" or default and ", default " .. default or ""),
			reference.meaning(p))
	end
	for _, o in ipairs(step.outputs) do tagged(lines, "out." .. o.name, o.type, o.help) end
end

-- plugins: one, or all of them; the manual page.
function reference.man(plugins, one)
	local name = "patchday-" .. (one and plugins[1].name or "plugins")
	local about = one and plugins[1].help or "steps, parameters and outputs of the plugins"
	local lines = { '.\\" SPDX-License-Identifier: MIT\n.\\" Made by `patchday plugins --man`.',
		('.TH %s 7 "" "patchday" "Plugins of patchday"\n.ad l'):format(roff(name:upper())),
		(".SH NAME\n%s \\- %s"):format(roff(name), roff(about)) }
	for _, p in ipairs(plugins) do
		lines[#lines + 1] = (".SH %s\n%s"):format(p.name:upper(), roff(reference.sentence(p.help)))
		for _, s in ipairs(p.steps) do man_step(lines, p.name, s) end
		for _, other in ipairs(others(p)) do
			lines[#lines + 1] = (".SS %s\n%s"):format(roff(other[1]), roff(reference.sentence(other[2])))
		end
	end
	lines[#lines + 1] = ".SH SEE ALSO\n.BR patchday (1)"
	return table.concat(lines, "\n") .. "\n"
end

return reference
