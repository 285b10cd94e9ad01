-- SPDX-License-Identifier: MIT
-- Installed packages: below the state folder, workflows/NAME/VERSION has the files
-- of one, with its manifest, signature and key; workflows/NAME/current is a link
-- to the version in force.
local _, core = ...
local base = require "cli.base"
local packages = {}

-- The program patchday-package (package/package.c) does something, or fails.
function packages.ask(cli, wanted)
	local done = base.must(core.tool(core.list { cli.programs .. "/patchday-package" }, core.encode(wanted), false))
	local said = core.decode(done.out)
	if said and said.error then error(said.error, 0) end
	return said or base.fail("usage", ("the program patchday-package is not in %s, or broke off: %s"):format(
		cli.programs, done.err), "Install patchday whole: `make install`.")
end

-- The folder of all of them, or of one; a name that is none has a folder that is
-- never there.
function packages.home(cli, name)
	return cli.state .. "/workflows" .. (name and "/" .. (name:match("^%l[%l%d_-]*$") or ".none") or "")
end

-- ---------------------------------------------------------------- versions

-- The numbers of a version such as 1.10.2; nil: it is none.
local function numbers(version)
	local list = {}
	if not ("." .. version):find("^[.%d]+$") or ("." .. version .. "."):find("..", 1, true) then return nil end
	for n in version:gmatch("%d+") do list[#list + 1] = tonumber(n) end
	return list
end

function packages.is_version(text) return numbers(text) ~= nil end

-- Is a version older than another one?
function packages.older(a, b)
	local x, y = numbers(a), numbers(b)
	for i = 1, math.max(#x, #y) do
		if (x[i] or -1) ~= (y[i] or -1) then return (x[i] or -1) < (y[i] or -1) end
	end
	return false
end

-- ------------------------------------------------------ what is installed

local function inside(folder)
	local list = {}
	if not (core.path(folder) or {}).folder then return list end
	for i, path in ipairs(core.files(folder)) do list[i] = path:match("[^/]+$") end
	return list
end

function packages.names(cli) return inside(packages.home(cli)) end

-- All versions of one that are installed, the oldest first.
function packages.versions(cli, name)
	local list = {}
	for _, version in ipairs(inside(packages.home(cli, name))) do
		if numbers(version) then list[#list + 1] = version end
	end
	table.sort(list, packages.older)
	return list
end

-- The version in force; nil: there is none.
function packages.current(cli, name)
	local at = core.path(packages.home(cli, name) .. "/current")
	return at and at.path:match("[^/]+$")
end

-- One that is installed, proved from its key to its last file:
-- { name, version, digest, key, folder, script, manifest }
function packages.prove(cli, name, version)
	local folder = ("%s/%s"):format(packages.home(cli, name), version)
	base.must(core.trusted(folder, true))
	folder = core.path(folder).path
	local said = packages.ask(cli, { ["do"] = "prove", folder = folder })
	local m = said.manifest
	if m.name ~= name or m.version ~= version then
		base.fail("package-drift", ("%s is package %s %s by its manifest"):format(folder, m.name, m.version))
	end
	return { name = name, version = version, digest = said.digest, key = said.key, folder = folder,
		script = ("%s/%s"):format(folder, m.workflow), manifest = m }
end

-- NAME or NAME@VERSION; nil: no such package is installed.
function packages.find(cli, what)
	local name, version = what:match("^(%l[%l%d_-]*)@?(.*)$")
	if not name or not packages.current(cli, name) then return nil end
	version = version ~= "" and version or packages.current(cli, name)
	if not base.has(packages.versions(cli, name), version) then
		base.fail("package-none", ("version %s of package %s is not installed"):format(version, name))
	end
	return packages.prove(cli, name, version)
end

-- In one line, of what find() gives or the journal has.
function packages.line(p)
	return ("package %s %s, sha256 %s, signed by %s"):format(p.name, p.version, p.digest, p.key)
end

-- What a package gives to the inputs of a plan: its catalogs, if none was named;
-- its assets, if the workflow has a parameter for them; and what it is.
function packages.lend(p, inputs)
	local own = #inputs.catalogs == 0
	for _, file in ipairs(p.manifest.files) do
		if own and file.path:find("^catalogs/") then
			inputs.catalogs[#inputs.catalogs + 1] = { path = ("%s/%s"):format(p.folder, file.path),
				trust = ("minisign %s (package %s %s)"):format(p.key, p.name, p.version) }
		end
	end
	for _, row in ipairs(base.must(core.describe(p.script)).params or {}) do
		if row.name == "assets" and not inputs.params.assets then
			inputs.params.assets = p.folder .. "/assets"
		end
	end
	inputs.package = { name = p.name, version = p.version, digest = p.digest, key = p.key }
end

return packages
