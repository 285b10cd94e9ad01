-- SPDX-License-Identifier: MIT
-- The sources of catalogs: /etc/patchday/sources.d/NAME.source says where a
-- catalog comes from and what proves it; what is in force of each is in the
-- state folder, catalogs/NAME/current.
local _, core = ...
local base = require "cli.base"
local repository = require "cli.repository"
local signature = require "cli.signature"
local source = { folder = "/etc/patchday/sources.d" }

local function bytes(text) return core.number("bytes", text) end
local function seconds(text) return core.number("seconds", text) end
local function path(text) return text:sub(1, 1) == "/" and not text:find("/%.%./") and text or nil end
local function address(text)
	return (text:find("^https?://[^%s]+$") or text:find("^file:///[^%s]+$")) and text
end
-- A folder is that of a repository.
local function catalog(text) return address(text) and text:gsub("/$", "/repodata/repomd.xml") end
local function text(value) return value end

-- "KIND FILE": what proves a catalog, and by which key.
local function trust(value)
	local kind, key = value:match("^(%S+)%s*(.-)$")
	if kind == "none" then return key == "" and { kind = kind } or nil end
	if kind == "sha256" then return #key == 64 and not key:find("%X") and { kind = kind, key = key:lower() } or nil end
	if kind == "openpgp" or kind == "minisign" or kind == "xmldsig" then
		return path(key) and { kind = kind, key = key }
	end
end

-- name = { reads the value, what it has to be }
local fields = {
	["Url"] = { catalog, "an address of https, http or file" },
	["Trust"] = { trust, "openpgp, minisign or xmldsig with the file of a key, sha256 with a digest, or none" },
	["Signature"] = { address, "an address of https, http or file" },
	["Proxy"] = { text, "an address" },
	["Proxy-User"] = { text, "a name" },
	["Proxy-Password-File"] = { path, "an absolute path" },
	["User"] = { text, "a name" },
	["Password-File"] = { path, "an absolute path" },
	["Authorities"] = { path, "an absolute path" },
	["Rate"] = { bytes, "bytes a second, such as 2 MiB" },
	["Max-Age"] = { seconds, "a time, such as 30d" },
}
local required = { "Url", "Trust" }

local function fail(where, line, message, remedy)
	error({ id = "source-file", where = line and ("%s:%d"):format(where, line) or where, message = message,
		remedy = remedy }, 0)
end

-- One file, as a table of its fields.
function source.read(at)
	local name, file, number = at.name, at.file, 0
	local s = { name = name, file = file }
	if not name:find("^%w[%w._-]*$") then
		fail(file, nil, ("'%s' is no name of a source"):format(name),
			"It begins with a letter or a digit; behind that stand letters, digits, '.', '_' and '-'. Rename the file.")
	end
	base.must(core.trusted(file))
	for line in base.lines(base.must(core.text(file))) do
		number = number + 1
		local key, value = line:match("^([%w-]+):%s*(.-)%s*$")
		if not key and line:find("^%s*[^%s#]") then fail(file, number, "wanted is a line FIELD: VALUE") end
		if key then
			local field = fields[key]
			if not field then
				local near = core.nearest(key, base.sorted(fields))
				fail(file, number, ("there is no field %s"):format(key), near and ("Did you mean %s?"):format(near))
			end
			if s[key] then fail(file, number, ("%s is there twice"):format(key)) end
			s[key] = value ~= "" and field[1](value) or fail(file, number, ("%s has to be %s"):format(key, field[2]))
		end
	end
	for _, key in ipairs(required) do
		if not s[key] then fail(file, nil, ("the field %s is missing"):format(key)) end
	end
	return s
end

-- The names and files of all, in order, or of those that are named; not read yet.
function source.files(cli, names)
	local folder, list, known = cli:option("sources") or source.folder, {}, {}
	for _, file in ipairs(core.path(folder) and core.files(folder) or {}) do
		local name = file:match("([^/]+)%.source$")
		if name then
			known[#known + 1] = name
			if #names == 0 or base.has(names, name) then list[#list + 1] = { name = name, file = file } end
		end
	end
	for _, name in ipairs(names) do
		if not base.has(known, name) then
			local near = core.nearest(name, known)
			base.fail("source-none", ("there is no source '%s' in %s"):format(name, folder),
				near and ("Did you mean %s?"):format(near))
		end
	end
	return list
end

-- One by its name.
function source.named(cli, name) return source.read(source.files(cli, { name })[1]) end

-- Folder of a source below the state.
function source.home(cli, name) return ("%s/catalogs/%s"):format(cli.state, name) end

-- What is in force: its record, and the folder that has it; nil: nothing.
function source.current(cli, name)
	local set = core.path(source.home(cli, name) .. "/current")
	local record = set and base.must(core.decode(base.must(core.text(set.path .. "/source.json"))))
	return record, record and set.path
end

-- A catalog as core takes it: the files of its record, in a folder, with what
-- proved them.
function source.entry(record, folder)
	local before = core.list {}
	for i, file in ipairs(record.before or {}) do before[i] = folder .. "/" .. file end
	return { path = folder .. "/" .. record.catalog, before = before,
		trust = record.trust ~= "none" and record.trust or nil }
end

-- What addresses in the catalog of a source count from: the folder that it is
-- in, or of a repository.
function source.root(s) return s.Url:match("^(.*/)repodata/[^/]*$") or s.Url:match("^(.*/)") end

-- When somebody last said that it is so: the time of a repository, or of a signature, which
-- may be a new one of what has not changed; 0: nobody has.
function source.said(record) return math.max(record.made, record.signed or 0) end

-- What is in force of a source, as long as it is not too old.
local function in_force(cli, s)
	local record, folder = source.current(cli, s.name)
	if not record then
		base.fail("source-empty", ("the source %s was never synchronised"):format(s.name),
			("Call `patchday catalog sync %s`."):format(s.name))
	end
	local said = source.said(record)
	local age = core.now() - (said ~= 0 and said or record.checked)
	if s["Max-Age"] and age > s["Max-Age"] then
		base.fail("source-old", ("the catalog of the source %s is %d days old, more than its Max-Age allows"):format(
			s.name, age // 86400), ("See why `patchday catalog sync %s` brings no newer one."):format(s.name))
	end
	return source.entry(record, folder)
end

-- The same of a repository that is given by its path: proved, and kept, as a
-- source is.
local function of_repository(cli, s)
	require("cli.sync").one(cli, s)
	local entry = source.entry(source.current(cli, s.name))
	if not entry.trust and core.path(s.file .. ".asc") then entry.trust = "not signed by a key that is pinned (--key)" end
	return entry
end

-- The source that a name of a catalog means, and what is in force of it: of
-- sync:NAME, or of the path of a repository or of its repomd.xml; false: it is
-- none.  It stays the one that was found first.
local known = {}
local function look(cli, name)
	if known[name] ~= nil then return known[name] end
	local of, at = name:match("^sync:(.+)$"), repository.at(name)
	local key = signature.key(cli)
	local s = of and source.named(cli, of) or
		at and repository.source(at, key and (core.path(key) or { path = key }).path)
	known[name] = s and { source = s, entry = (of and in_force or of_repository)(cli, s) } or false
	return known[name]
end

-- The source of a catalog; what addresses in it count from; and the list of a
-- repository's packages, if it has one.  nil: it is of none.
function source.of(cli, name)
	local found = look(cli, name)
	if found then return found.source, source.root(found.source), found.entry.before[1] end
end

-- Repositories that are looked at together: dnf takes the default streams of modules
-- from all of them, so that each is read with those of the others.  A repository has its
-- packages before it, and then its own streams.
function source.together(list)
	local streams = {}
	for _, entry in ipairs(list) do streams[#streams + 1] = type(entry) == "table" and entry.before[2] or nil end
	for i, entry in ipairs(list) do
		if type(entry) == "table" and entry.before[1] then
			list[i] = { path = entry.path, before = core.list { entry.before[1] }, trust = entry.trust }
			table.move(streams, 1, #streams, 2, list[i].before)
		end
	end
	return list
end

-- Names of catalogs as commands take them, as core does.
function source.resolve(cli, names)
	local list = {}
	for i, name in ipairs(names) do
		local found = look(cli, name)
		local by = not found and signature.of(cli, name)
		list[i] = found and found.entry or by and { path = name, before = core.list {}, trust = by } or name
	end
	return list
end

return source
