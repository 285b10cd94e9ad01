-- SPDX-License-Identifier: MIT
-- catalog show: the updates of a catalog, those of interest, or one with all
-- that there is of it.
local _, core = ...
local base = require "cli.base"
local options = require "cli.options"
local sources = require "cli.sources"

-- Where a word of an option is in a list.
local function rank(option, words, word)
	for i, w in ipairs(words) do
		if w == word then return i end
	end
	local near = core.nearest(word, words)
	base.fail("usage", ("--%s is none of %s"):format(option, table.concat(words, ", ")),
		near and ("Did you mean %s?"):format(near))
end

local function date_option(cli, name)
	local date = cli:option(name)
	if date and not date:find("^%d%d%d%d%-%d%d%-%d%d$") then
		base.fail("usage", ("--%s is no date: '%s'"):format(name, date), "Write it as 2026-11-03.")
	end
	return date
end

-- When it was last touched, "" if that is not known.
local function date_of(u)
	local when = math.max(u.issued, u.updated)
	return when ~= 0 and core.date(when) or ""
end

local function has_text(u, text)
	local all = { u.id, u.title, u.description }
	for _, r in ipairs(u.relations) do all[#all + 1] = r.target end
	return table.concat(all, "\n"):lower():find(text, 1, true)
end

-- Is it called so, or is that one of its other names, such as a CVE?
local function is_called(u, id)
	for _, r in ipairs(u.relations) do
		if r.kind == "alias" and r.target == id then return true end
	end
	return u.id == id
end

-- A function that says whether an update is wanted.
local function filter(cli)
	local id, kind, text = cli:option("id"), cli:option("kind"), cli:option("text")
	local severity, since, before = cli:option("severity"), date_option(cli, "since"), date_option(cli, "before")
	local severities = options.find(cli.command, "severity").choices
	local least = severity and rank("severity", severities, severity)
	if kind then rank("kind", options.find(cli.command, "kind").choices, kind) end
	text = text and text:lower()
	return function(u)
		local date = date_of(u)
		return (not id or is_called(u, id)) and (not kind or u.kind == kind)
			and (not least or rank("severity", severities, u.severity) >= least)
			and (not since or date >= since) and (not before or date ~= "" and date < before)
			and (not text or has_text(u, text))
	end
end

local function field(name, value)
	value = tostring(value or ""):gsub(" +$", "") -- of several words the last may be empty
	if value ~= "" then base.print("  %s\n", base.row { { name, 10 }, value }) end
end

local compares = { eq = "=", ne = "/=", lt = "<", le = "<=", gt = ">", ge = ">=", match = "matches" }

local function show_rules(list, indent)
	for _, r in ipairs(list) do
		local depth = base.plain and ("%d: "):format(indent // 2 - 1) or (" "):rep(indent)
		local before = depth .. (r.negate and "not " or "")
		if r.op == "test" then
			base.print("%s%s %s%s%s\n", before, r.kind, r.subject, r.field ~= "" and " " .. r.field or "",
				compares[r.compare] and (" %s %s"):format(compares[r.compare], r.value)
					.. (r.scheme ~= "none" and (" (%s)"):format(r.scheme) or "") or " is there")
		elseif r.op == "call" then base.print("%srules of %s\n", before, r.subject)
		elseif r.op == "unknown" then base.print("%snot known: %s\n", before, r.subject)
		else
			local rows = r.kind ~= "" and (" the rows of %s%s"):format(r.kind, r.subject ~= "" and " " .. r.subject or "")
			base.print("%s%s of%s\n", before, r.op, rows or "")
			show_rules(r.rules, indent + 2)
		end
	end
end

local function yes(flag, text) return flag and text or nil end

local function everything(_, c, which)
	local u = core.update(c, which, true)
	base.print("%s%s\n", base.paint("bold", u.id), u.revision ~= "" and " " .. u.revision or "")
	field("title", u.title)
	field("severity", u.severity .. (u.severity_text ~= "" and ", as written: " .. u.severity_text or ""))
	field("kind", u.kind)
	field("status", u.status)
	field("restart", u.restart)
	field("vendor", u.vendor)
	field("trust", u.trust)
	field("issued", u.issued ~= 0 and core.date(u.issued))
	field("updated", u.updated ~= 0 and core.date(u.updated))
	field("needs", u.bytes >= 0 and base.bytes(u.bytes) .. " of disk")
	field("takes", u.expected > 0 and base.seconds(u.expected))
	field("note", yes(u.interactive, "it asks questions"))
	field("note", yes(u.permanent, "it can't be removed again"))
	field("line", u.line ~= 0 and u.line)
	field("more", u.url)
	if u.description ~= "" then base.print("  %s\n", u.description) end
	for _, p in ipairs(u.packages) do
		field("package", ("%s %s %s(%s)%s"):format(p.name, p.version, p.arch ~= "" and p.arch .. " " or "", p.scheme,
			(p.module ~= "" and " of module " .. p.module or "") .. (p.replaces ~= "" and ", replaces " .. p.replaces or "")))
	end
	for _, p in ipairs(u.payloads) do
		field("payload", ("%s %s%s"):format(p.url, p.bytes >= 0 and base.bytes(p.bytes) .. " " or "", p.digest))
	end
	for _, i in ipairs(u.installers) do field(i.kind, i.command .. " " .. i.arguments) end
	for _, e in ipairs(u.exits) do field("exit", ("%d %s"):format(e.status, e.meaning)) end
	for _, r in ipairs(u.relations) do
		field(r.kind, ("%s %s"):format(r.target, r.title))
	end
	for _, tree in ipairs { "applicable", "installed" } do
		if #u[tree] > 0 then
			base.print("  %s if\n", tree)
			show_rules(u[tree], 4)
		end
	end
end

local function line(u)
	base.print("%s\n", base.row { { u.id, 40 }, { u.severity, 10 }, { u.kind, 12 }, u.title })
end

local function csv(u)
	base.print_csv { u.catalog, u.id, u.revision, u.severity, u.kind, u.status, date_of(u):sub(1, 10), u.restart, u.title }
end

local function json(_, c, i) core.update_line(c, i) end

-- Prints those of one catalog; how many.  What is looked for is in the head of an update, or
-- (whole) anywhere in it.
local function show_catalog(c, head, wanted, print, whole)
	local shown = 0
	for i = 1, head.updates do
		local u = core.update(c, i, whole or nil)
		if wanted(u) then
			shown = shown + 1
			u.catalog = head.catalog
			print(u, c, i)
		end
	end
	return shown
end

return function(cli)
	local wanted, id = filter(cli), cli:option("id")
	local print = cli:option("csv") and csv or cli.json and json or id and everything or line
	local heads, whole = sources.catalogs(cli), cli:option("text") ~= nil
	if print == csv then
		base.print_csv { "catalog", "id", "revision", "severity", "kind", "status", "date", "restart", "title" }
	end
	local shown = 0
	for c, head in ipairs(heads) do shown = shown + show_catalog(c, head, wanted, print, whole) end
	if shown == 0 and id then
		base.fail("catalog-no-update", ("%s update %s"):format(#heads > 1 and "no catalog has an" or
			heads[1].catalog .. " has no", id))
	end
	return 0
end
