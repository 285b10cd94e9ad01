-- SPDX-License-Identifier: MIT
-- Repositories of rpm packages: repomd.xml, by its signature, has the digests of
-- the files that tell of updates and of packages, so that none is of another day
-- or of another hand.
local _, core = ...
local base = require "cli.base"
local transfer = require "cli.transfer"
local repository = {}

local function digest(e)
	return ("%s:%s"):format(e.attrs.type == "sha" and "sha1" or e.attrs.type, (e.text:gsub("%s", "")))
end

-- A time in seconds since 1970, some have fractions; 0: it is none.
local function seconds(text)
	local number = math.tointeger(math.floor(tonumber(text) or 0))
	return number and number < 253402300800 and number or 0 -- the year 10000
end

-- The files that a repomd.xml lists, by type, and when the repository was made.
function repository.parts(file)
	local root, parts, made = base.must(core.xml(file)), {}, 0
	for _, data in ipairs(root.children) do
		local part = { type = data.attrs.type }
		for _, e in ipairs(data.children) do
			if e.name == "location" then part.href = e.attrs.href
			elseif e.name == "checksum" then part.digest = digest(e)
			elseif e.name == "size" then part.bytes = math.tointeger(tonumber(e.text))
			elseif e.name == "timestamp" then made = math.max(made, seconds(e.text))
			end
		end
		if part.href and part.type then parts[part.type] = part end
	end
	return parts, made
end

-- Small, and with this as its root: a file of updates is not read to its end.
local function is_repomd(at)
	local text = not at.folder and at.bytes < 1 << 20 and base.must(core.text(at.path))
	return text and text:find("<[%w:]*repomd[%s>]") ~= nil
end

-- The repomd.xml that a name leads to: itself, by its content, or that of a
-- folder; nil: it is no repository.
function repository.at(name)
	local at = core.path(name)
	if at and at.folder then at = core.path(name .. "/repodata/repomd.xml") end
	return at and is_repomd(at) and at.path or nil
end

-- A repository on this machine as a source: what was proved of it is kept for
-- its path and key.  With a key nothing older than that is taken.
function repository.source(path, key)
	return { name = "repository-" .. core.digest(nil, path .. "\n" .. (key or "")):sub(1, 16),
		Url = transfer.address(path), file = path, quiet = true, any_age = not key,
		Trust = key and { kind = "openpgp", key = key } or { kind = "none" } }
end

return repository
