-- SPDX-License-Identifier: MIT
-- Updates as a catalog in patchday's own format (doc/catalog-format.md).
local _, core = ...
local native = {}

local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["\n"] = "&#10;", ["\t"] = "&#9;",
	["\r"] = "&#13;" }

local special = '[&<>"\n\t\r]'

local function escape(value)
	if type(value) ~= "string" or not value:find(special) then return value end
	return (value:gsub(special, escapes))
end

-- Updates are many: the pieces of one go into a list, and nothing is made for an
-- attribute.  One that says nothing is left out; its name is ' name="'.
local function attribute(out, name, value, default)
	if value and value ~= "" and value ~= default then
		local n = #out
		out[n + 1], out[n + 2], out[n + 3] = name, escape(value), '"'
	end
end

local function date(when) return when ~= 0 and core.date(when) or nil end
local function flag(on) return on and "true" or nil end

-- None of what XML can't hold (https://www.w3.org/TR/xml/#charsets).
local function text(out, name, value, always)
	if always or value ~= "" then
		local n = #out
		if value:find("[%z\1-\8\11\12\14-\31]") then value = value:gsub("[%z\1-\8\11\12\14-\31]", "?") end
		out[n + 1], out[n + 2], out[n + 3], out[n + 4], out[n + 5] = "    <", name, ">", escape(value), "</"
		out[n + 6], out[n + 7] = name, ">\n"
	end
end

local function test(out, r)
	attribute(out, ' kind="', r.kind)
	attribute(out, ' subject="', r.subject)
	attribute(out, ' field="', r.field)
	attribute(out, ' compare="', r.compare, "exists")
	if r.compare ~= "exists" then -- also an empty one
		local n = #out
		out[n + 1], out[n + 2], out[n + 3] = ' value="', escape(r.value), '"'
	end
	attribute(out, ' scheme="', r.scheme, "none")
end

local function rules(out, list, indent)
	local before = ("  "):rep(indent)
	for _, r in ipairs(list) do
		out[#out + 1] = before .. "<" .. r.op
		if r.op == "test" then test(out, r)
		elseif r.op == "call" then attribute(out, ' update="', r.subject)
		elseif r.op == "unknown" then attribute(out, ' why="', r.subject)
		else
			attribute(out, ' kind="', r.kind)
			attribute(out, ' subject="', r.subject)
		end
		attribute(out, ' not="', flag(r.negate and r.op ~= "unknown"))
		out[#out + 1] = r.rules and ">\n" or "/>\n"
		if r.rules then
			rules(out, r.rules, indent + 1)
			out[#out + 1] = ("%s</%s>\n"):format(before, r.op)
		end
	end
end

local function tree(out, name, list)
	if #list == 0 then return end
	out[#out + 1] = ("    <%s>\n"):format(name)
	rules(out, list, 3)
	out[#out + 1] = ("    </%s>\n"):format(name)
end

local function packages(out, list, number)
	for _, p in ipairs(list) do
		out[#out + 1] = "    <package"
		attribute(out, ' name="', p.name)
		attribute(out, ' version="', p.version)
		attribute(out, ' scheme="', p.scheme)
		attribute(out, ' arch="', p.arch)
		attribute(out, ' source="', p.source)
		attribute(out, ' module="', p.module)
		attribute(out, ' replaces="', p.replaces)
		attribute(out, ' payload="', p.url ~= "" and number[p.url])
		attribute(out, ' restart="', p.restart, "unknown")
		out[#out + 1] = "/>\n"
	end
end

local function lists(out, u)
	local number = {}
	for _, r in ipairs(u.relations) do
		out[#out + 1] = "    <"
		out[#out + 1] = r.kind
		attribute(out, r.kind == "reference" and ' url="' or ' id="', r.target)
		attribute(out, ' revision="', r.revision)
		attribute(out, ' title="', r.title)
		out[#out + 1] = "/>\n"
	end
	for i, p in ipairs(u.payloads) do
		number[p.url] = number[p.url] or i
		out[#out + 1] = "    <payload"
		attribute(out, ' id="', i)
		attribute(out, ' url="', p.url)
		attribute(out, ' name="', p.name)
		attribute(out, ' bytes="', p.bytes >= 0 and p.bytes)
		attribute(out, ' digest="', p.digest)
		out[#out + 1] = "/>\n"
	end
	packages(out, u.packages, number)
	for _, i in ipairs(u.installers) do
		out[#out + 1] = "    <" .. i.kind
		attribute(out, ' command="', i.command)
		attribute(out, ' arguments="', i.arguments)
		out[#out + 1] = "/>\n"
	end
	for _, x in ipairs(u.exits) do
		out[#out + 1] = ('    <exit status="%d" meaning="%s"/>\n'):format(x.status, x.meaning)
	end
	tree(out, "applicable", u.applicable)
	tree(out, "installed", u.installed)
end

-- What proved it goes with it; what nothing proves has what it brought along.
local function trust(u) return u.trust:find("^not signed") and u.recorded or u.trust end

-- One update, as core.update(c, i, true) gives it.
local function update(u)
	local out = { "  <update" }
	attribute(out, ' id="', u.id)
	attribute(out, ' revision="', u.revision)
	attribute(out, ' vendor="', u.vendor)
	attribute(out, ' kind="', u.kind)
	attribute(out, ' severity="', u.severity, "unknown")
	attribute(out, ' severity-text="', u.severity_text)
	attribute(out, ' status="', u.status, "final")
	attribute(out, ' restart="', u.restart, "unknown")
	attribute(out, ' issued="', date(u.issued))
	attribute(out, ' updated="', date(u.updated))
	attribute(out, ' disk="', u.bytes >= 0 and u.bytes)
	attribute(out, ' expected="', u.expected > 0 and u.expected)
	attribute(out, ' interactive="', flag(u.interactive))
	attribute(out, ' permanent="', flag(u.permanent))
	attribute(out, ' trust="', trust(u))
	out[#out + 1] = ">\n"
	text(out, "title", u.title, true)
	text(out, "description", u.description)
	text(out, "link", u.url)
	lists(out, u)
	out[#out + 1] = "  </update>\n"
	return table.concat(out)
end

-- Is an id there in several revisions?  Of those of rules alone one counts in any case.
local function several(updates)
	local seen = {}
	for _, u in ipairs(updates) do
		if seen[u.id] and u.status ~= "rules" then return true end
		seen[u.id] = true
	end
	return false
end

local CHUNK = 1 << 16 -- bytes, at least

-- The whole catalog of a list of updates, to put(piece); whole(u), if it is
-- given, has all that there is of one.
function native.write(updates, put, whole)
	local parts, bytes = {}, 0
	local function add(piece)
		parts[#parts + 1], bytes = piece, bytes + #piece
		if bytes >= CHUNK then
			put(table.concat(parts))
			parts, bytes = {}, 0
		end
	end
	add(('<?xml version="1.0" encoding="UTF-8"?>\n<catalog xmlns="urn:patchday:catalog:1"%s>\n'):format(
		several(updates) and ' revisions="each"' or ""))
	for _, u in ipairs(updates) do add(update(whole and whole(u) or u)) end
	parts[#parts + 1] = "</catalog>\n"
	put(table.concat(parts))
end

-- The same as one text.
function native.catalog(updates)
	local parts = {}
	native.write(updates, function(piece) parts[#parts + 1] = piece end)
	return table.concat(parts)
end

return native
