-- SPDX-License-Identifier: MIT
-- What is judged, and for which servers: catalogs, facts, lists of packages.
local _, core = ...
local base = require "cli.base"
local source = require "cli.source"
local sources = {}

-- Those of --catalog and operands, or those named, all of them or what concerns the facts
-- that are loaded.  "Nothing is needed" must not come from having looked nowhere.
function sources.catalogs(cli, only, names)
	if not names then
		names = cli:all("catalog")
		table.move(cli.operands, 1, #cli.operands, #names + 1, names)
	end
	local heads = base.must(core.catalogs(core.list(source.together(source.resolve(cli, names))), only))
	if #heads == 0 then base.fail("usage", "no catalog is named, and there is none of apt here") end
	for c, head in ipairs(heads) do
		head.source, head.base, head.packages = source.of(cli, names[c] or "")
		if cli.command.name == "scan" and cli:option("strict") and head.ignored > 0 then
			base.fail("catalog-strict", core.notes(c)[1])
		end
	end
	return heads
end

-- The version scheme of --scheme, or of an operand.
function sources.scheme(name)
	local known = core.schemes()
	if name and base.has(known, name) then return name end
	local near = name and core.nearest(name, known)
	base.fail("usage", name and ("there is no version scheme '%s'"):format(name) or "--packages needs --scheme",
		near and ("Did you mean %s?"):format(near) or ("There are: %s."):format(table.concat(known, ", ")))
end

-- A file without the mark of its byte order, which some editors write.
local function text_of(file) return (base.must(core.text(file)):gsub("^\xEF\xBB\xBF", "")) end

-- The columns of one line, none of one that is empty; # starts a comment.
local function columns(line)
	local list, text = {}, line:gsub("\r$", ""):gsub(" *#.*", "")
	if not text:find("%S") then return list end
	for column in (text .. "\t"):gmatch("([^\t]*)\t") do
		list[#list + 1] = column ~= "(none)" and column or "" -- as rpm writes what there is not
	end
	while #list > 5 and list[#list] == "" do list[#list] = nil end
	return list
end

-- A line as most are.  All such versions are allowed, so that none is asked about.
local simple = { rpm = "^([^\t#\r]+)\t(%d?%d?%d?)\t([%w.+~_]+)\t([%w.+~_]*)\t([^\t#\r ]+)$" }
simple.deb = simple.rpm

local function full(epoch, version, release)
	if epoch:find("[^0]") then version = epoch .. ":" .. version end
	return release == "" and version or version .. "-" .. release
end

-- A line as a package of the facts, or what is wrong with it.
local function package(row, scheme)
	local name, epoch, version, release, arch, more = table.unpack(row)
	if not arch or more then return nil, "wanted are the columns name, epoch, version, release, arch" end
	if name == "" or version == "" then return nil, "the package has no name or no version" end
	if not epoch:find("^%d*$") then return nil, ("the epoch '%s' is no number"):format(epoch) end
	version = full(epoch, version, release)
	-- lists from feeds of Ubuntu have versions such as "5.7 only"
	local comparable = scheme == "deb" and version:gsub(" ", "+") or version
	local same, err = core.compare(scheme, comparable, comparable)
	return same and { name = name, version = version, arch = arch, scheme = scheme }, err and err.message
end

-- Packages of a kernel that is none that a server runs, or that are no kernel.
local no_kernel = { "devel", "headers", "doc", "tools", "abi", "cross", "zfcpdump", "source", "syms", "macros",
	"firmware", "livepatch", "srpm", "dbg" }

-- The release of the newest kernel of a list, as uname has it.
local function kernel(list, scheme)
	local newest, release
	for _, p in ipairs(list) do
		local found = scheme == "rpm" and p.name:find("^kernel") and p.version:gsub("^%d+:", "") .. "." .. p.arch or
			scheme == "deb" and p.name:match("^linux%-image%-(%d.*)$")
		for i = 1, found and #no_kernel or 0 do found = not p.name:find(no_kernel[i], 1, true) and found end
		if found and (not newest or core.compare(scheme, p.version, newest) == 1) then
			newest, release = p.version, found
		end
	end
	return release
end

-- Lines NAME<TAB>STREAM, or NAME:STREAM, of the modules that are enabled; without a
-- file any may be.
local function modules(file)
	local list = core.list { not file and { name = "*" } or nil }
	for line in base.lines(file and text_of(file) or "") do
		local name, stream = line:gsub("#.*", ""):match("^%s*([^%s:]+)[\t:]%s*(%S+)%s*$")
		if name and base.is_text(line) then list[#list + 1] = { name = name, enabled = stream }
		elseif line:find("^%s*[^%s#]") then
			error({ id = "facts-packages", where = file,
				message = ("'%s' is no module and its stream"):format(line:gsub("\0", "?")) }, 0)
		end
	end
	return list
end

-- Facts of a server that has the packages of a file and nothing else: no files of
-- text, of streams of modules those of another file, and of its kernels it runs
-- the newest.  What system it is has no fact, only the kind of its packages.
function sources.packages(file, scheme, enabled)
	local number, list, text = 0, core.list {}, text_of(file)
	local plain = base.is_text(text) and simple[scheme]
	for line in base.lines(text) do
		number = number + 1
		local name, epoch, version, release, arch
		if plain then name, epoch, version, release, arch = line:match(plain) end
		if name then
			list[#list + 1] = { name = name, version = full(epoch, version, release), arch = arch, scheme = scheme }
		else
			local fault = not base.is_text(line) and "the line is not UTF-8, or has a zero byte"
			local row = fault and {} or columns(line)
			if #row > 0 then list[#list + 1], fault = package(row, scheme) end
			if fault then error({ id = "facts-packages", where = ("%s:%d"):format(file, number), message = fault }, 0) end
		end
	end
	return { packages = list, kernel = { release = kernel(list, scheme) },
		os = { family = scheme == "deb" and "debian" or scheme == "rpm" and "rpm" or "other" },
		["x-files"] = core.list {}, ["x-modules"] = modules(enabled) }
end

-- The files of facts that --facts names, where a folder stands for those in it: one
-- without any is not this server.
function sources.facts_files(cli)
	local list = {}
	for _, path in ipairs(cli:all("facts")) do
		local files = core.files(path)
		if #files == 0 then base.fail("facts-none", ("the folder %s has no file of facts"):format(path)) end
		table.move(files, 1, #files, #list + 1, list)
	end
	return list
end

-- Functions that load the facts of one server each: of --packages and of --facts, or
-- of this server if neither is there.
function sources.servers(cli)
	local servers, scheme = {}, nil
	for _, file in ipairs(cli:all("packages")) do
		scheme = scheme or sources.scheme(cli:option("scheme"))
		servers[#servers + 1] = { name = file,
			load = function() return core.facts(sources.packages(file, scheme, cli:option("modules")), file, true) end }
	end
	for _, name in ipairs(sources.facts_files(cli)) do
		servers[#servers + 1] = { name = name, load = function() return core.facts(name, name, true) end }
	end
	if #servers == 0 then servers[1] = { name = "this server", load = function() return core.facts() end } end
	return servers
end

return sources
