-- SPDX-License-Identifier: MIT
-- Updates as a catalog in patchday's own format (doc/catalog-format.md).
local _, core = ...
local native = {}

local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["\n"] = "&#10;", ["\t"] = "&#9;",
	["\r"] = "&#13;" }

local function escape(text) return (tostring(text):gsub('[&<>"\n\t\r]', escapes)) end

-- An element with attributes in the order given, { name, value, default, always }
-- each; those that say nothing are left out, but for always.  Without content it closes itself.
local function element(indent, name, attributes, content)
	local parts = { ("  "):rep(indent), "<", name }
	for _, a in ipairs(attributes) do
		if a[2] and (a[4] or (a[2] ~= "" and a[2] ~= a[3])) then
			parts[#parts + 1] = (' %s="%s"'):format(a[1], escape(a[2]))
		end
	end
	parts[#parts + 1] = content and (">%s</%s>\n"):format(content, name) or "/>\n"
	return table.concat(parts)
end

local function date(when) return when ~= 0 and core.date(when) or nil end
local function flag(on) return on and "true" or nil end

-- None of what XML can't hold (https://www.w3.org/TR/xml/#charsets).
local function text(indent, name, value, always)
	return (always or value ~= "") and element(indent, name, {}, escape((value:gsub("[%z\1-\8\11\12\14-\31]", "?")))) or ""
end

local function rules(list, indent)
	local out = {}
	for i, r in ipairs(list) do
		if r.op == "test" then
			out[i] = element(indent, "test", { { "kind", r.kind }, { "subject", r.subject }, { "field", r.field },
				{ "compare", r.compare, "exists" }, { "value", r.compare ~= "exists" and r.value, nil, true },
				{ "scheme", r.scheme, "none" }, { "not", flag(r.negate) } })
		elseif r.op == "call" then
			out[i] = element(indent, "call", { { "update", r.subject }, { "not", flag(r.negate) } })
		elseif r.op == "unknown" then
			out[i] = element(indent, "unknown", { { "why", r.subject } })
		else
			out[i] = element(indent, r.op, { { "kind", r.kind }, { "subject", r.subject }, { "not", flag(r.negate) } },
				"\n" .. rules(r.rules, indent + 1) .. ("  "):rep(indent))
		end
	end
	return table.concat(out)
end

local function tree(name, list)
	return #list > 0 and element(2, name, {}, "\n" .. rules(list, 3) .. "    ") or ""
end

local function lists(u)
	local out, number = {}, {}
	local function add(name, attributes) out[#out + 1] = element(2, name, attributes) end
	for _, r in ipairs(u.relations) do
		add(r.kind, { { r.kind == "reference" and "url" or "id", r.target }, { "revision", r.revision },
			{ "title", r.title } })
	end
	for i, p in ipairs(u.payloads) do
		number[p.url] = number[p.url] or i
		add("payload", { { "id", i }, { "url", p.url }, { "name", p.name }, { "bytes", p.bytes >= 0 and p.bytes },
			{ "digest", p.digest } })
	end
	for _, p in ipairs(u.packages) do
		add("package", { { "name", p.name }, { "version", p.version }, { "scheme", p.scheme }, { "arch", p.arch },
			{ "source", p.source }, { "module", p.module }, { "replaces", p.replaces },
			{ "payload", p.url ~= "" and number[p.url] }, { "restart", p.restart, "unknown" } })
	end
	for _, i in ipairs(u.installers) do add(i.kind, { { "command", i.command }, { "arguments", i.arguments } }) end
	for _, x in ipairs(u.exits) do add("exit", { { "status", x.status }, { "meaning", x.meaning } }) end
	return table.concat(out) .. tree("applicable", u.applicable) .. tree("installed", u.installed)
end

-- What proved it goes with it; what nothing proves has what it brought along.
local function trust(u) return u.trust:find("^not signed") and u.recorded or u.trust end

-- One update, as core.update(c, i, true) gives it.
local function update(u)
	return element(1, "update", { { "id", u.id }, { "revision", u.revision }, { "vendor", u.vendor }, { "kind", u.kind },
		{ "severity", u.severity, "unknown" }, { "severity-text", u.severity_text }, { "status", u.status, "final" },
		{ "restart", u.restart, "unknown" }, { "issued", date(u.issued) }, { "updated", date(u.updated) },
		{ "disk", u.bytes >= 0 and u.bytes }, { "expected", u.expected > 0 and u.expected },
		{ "interactive", flag(u.interactive) }, { "permanent", flag(u.permanent) },
		{ "trust", trust(u) } },
		"\n" .. text(2, "title", u.title, true) .. text(2, "description", u.description)
			.. text(2, "link", u.url) .. lists(u) .. "  ")
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
