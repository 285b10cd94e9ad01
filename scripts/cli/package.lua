-- SPDX-License-Identifier: MIT
-- package: a workflow with its catalogs, assets and tests as one signed file.
local _, core = ...
local author = require "cli.author"
local base = require "cli.base"
local case = require "cli.case"
local lint = require "cli.faults"
local packages = require "cli.packages"
local uses = require "cli.uses"
local workflow = require "cli.workflow"

local function name_of(path) return path:match("([^/]+)/*$") end

local function usage(text) base.fail("usage", "usage: patchday package " .. text) end

-- ------------------------------------------------------------------ build

-- What goes where: { from, to } each; what is not there is told by wrong(error).
local function roots(cli, wrong)
	local operand = cli.operands[1]
	local at = core.path(operand)
	local script = not (at and at.folder) and workflow.find(operand)
	local list = core.list { { from = script or at.path, to = script and name_of(script) or "" } }
	for option, folder in pairs { catalog = "catalogs/", asset = "assets/", test = "" } do
		for _, path in ipairs(cli:all(option)) do
			local real = core.path(path)
			if real then list[#list + 1] = { from = real.path, to = folder .. name_of(path) }
			else wrong { id = "file-read", message = ("the file %s is missing"):format(path) } end
		end
	end
	return list
end

-- The one script: its row.
local function script_of(files, operand, wrong)
	local found = {}
	for _, file in ipairs(files) do
		if file.path:find("^[^/]*%.lua$") then found[#found + 1] = file end
	end
	if #found ~= 1 then
		return wrong { id = "package-source", message = ("%s has %s at its top, a package has the one that it is of"):format(
			operand, base.count(#found, "workflow") .. " NAME.lua"), remedy = "Name the workflow NAME.lua, or its folder." }
	end
	return found[1]
end

-- Which plugins a script uses, and which of their steps: those that it asks for when
-- it is loaded, those that its text names, and those that were in the plans that were
-- seen, in order.
local function needs_of(script, declared, seen)
	local list, named = core.list {}, uses.of(script)
	for _, plugin in ipairs(declared.plugins) do named[plugin] = named[plugin] or {} end
	for plugin, steps in pairs(seen) do
		named[plugin] = named[plugin] or {}
		for step in pairs(steps) do named[plugin][step] = true end
	end
	for _, plugin in ipairs(base.sorted(named)) do
		list[#list + 1] = { plugin = plugin, steps = core.list(base.sorted(named[plugin])) }
	end
	return list
end

local function noter(seen)
	return function(plan)
		for _, rows in ipairs { plan.steps or {}, plan.guards or {} } do
			for _, s in ipairs(rows) do
				if s.plugin ~= "" and s.plugin then
					seen[s.plugin] = seen[s.plugin] or {}
					seen[s.plugin][s.step] = true
				end
			end
		end
	end
end

-- A test beside its script, as it is in the package.
local function try_test(cli, file, script, folder, note)
	local name = script.path:gsub("%.lua$", "")
	local c = case.read(file.from)
	local of = (c.SCRIPT or ""):match("^%s*(.-)%s*$")
	if of ~= name and of ~= script.path then
		return { id = "package-test", where = file.from .. ":1",
			message = ("it is no test of this workflow; write: @SCRIPT %s"):format(script.path) }
	end
	base.must(core.link(file.from, ("%s/%s"):format(folder, file.path)))
	local played, ok, text = pcall(author.test, cli, ("%s/%s"):format(folder, file.path), false, note)
	if not played then -- its lines are those of the file that was copied
		for _, err in ipairs(type(ok) == "table" and ok.all or {}) do err.where = file.from .. err.where:match(":%d+$") end
		error(ok, 0)
	end
	return not ok and { id = "package-test", where = file.from .. ":1",
		message = "the test does not come out as written\n" .. text:gsub("\n$", "") } or nil
end

-- Which files are packed, and the script among them.  What has no place in a package, or
-- the same one as another file, is told by wrong(error).
local function sources(cli, wrong)
	local said, files, at = packages.ask(cli, { ["do"] = "list", roots = roots(cli, wrong) }), core.list {}, {}
	for _, err in ipairs(said.faults) do wrong(err) end
	for _, file in ipairs(said.files) do
		if at[file.path] then
			wrong { id = "package-source", message = ("%s and %s would both be %s in the package"):format(at[file.path],
				file.from, file.path), remedy = "Give one of them another name, or leave it out." }
		else files[#files + 1] = file end
		at[file.path] = file.from
	end
	return files, script_of(files, cli.operands[1], wrong)
end

-- All that is wrong with what would be packed goes to the list of errors.
local function find_faults(cli, list, files, script, note)
	-- Its place has the name of the file and a line; whoever mends it needs the folder.
	local function add(err, file)
		if not err then return end
		local folder, name = file.from:match("^(.*/)([^/]*)$")
		local place, rest = err.message:match("^(%S+:%d+): (.*)$")
		if not err.where and place and place:find(name, 1, true) == 1 then err.where, err.message = place, rest end
		local short = err.where and err.where:find(name, 1, true) == 1
		err.where = short and folder .. err.where or err.where or file.from
		list[#list + 1] = err
	end
	for _, file in ipairs(files) do
		if file.path:find("^catalogs/") then add(select(2, core.catalogs(core.list { file.from })), file) end
	end
	if not script then return end
	for _, err in ipairs(lint.find(script.from, note)) do add(err, script) end
	local unclear = select(2, uses.of(script.from))
	if unclear then
		add({ id = "package-test", where = ("%s:%d"):format(script.from, unclear),
			message = "a package says which plugins it needs, and this one is found out only while the script runs; " ..
				'write: pd.use "NAME"' }, script)
	end
	lint.with_folder(function(folder)
		base.must(core.link(script.from, ("%s/%s"):format(folder, script.path)))
		for _, file in ipairs(files) do
			if file.path:find("^[^/]*%.test$") then
				local ok, err = pcall(try_test, cli, file, script, folder, note)
				if not ok and type(err) ~= "table" then error(err, 0) end
				for _, one in ipairs(err and (err.all or { err }) or {}) do add(one, file) end
			end
		end
	end)
end

-- Files and script, if nothing is wrong with them.
local function check(cli, note)
	local list, texts = {}, {}
	local files, script = sources(cli, function(err) list[#list + 1] = err end)
	find_faults(cli, list, files, script, note)
	if #list == 0 then return files, script end
	for i, err in ipairs(list) do
		texts[i] = base.error_text(err)
		if not cli.json then base.show_error(err) end
	end
	base.fail("package-test", ("%s: %s wrong with it, nothing was packed%s"):format(cli.operands[1],
		#list == 1 and "this is" or "these are", cli.json and ": " .. table.concat(texts, "; ") or ""))
end

local function build(cli)
	if not cli.operands[1] or cli.operands[2] then usage("build SOURCE --version VERSION") end
	local version = cli:option("version") or base.fail("package-version", "a package has a version: --version 1.0")
	if not packages.is_version(version) then base.fail("package-version", ("'%s' is no version"):format(version)) end
	local seen = {}
	local files, script = check(cli, noter(seen))
	local declared = base.must(core.describe(script.from))
	local out = cli:option("out") or ("%s-%s.pdpkg"):format(declared.workflow, version)
	if core.path(out) then base.fail("file-exists", ("%s is there already"):format(out)) end
	local said = packages.ask(cli, { ["do"] = "build", files = files, out = out,
		key = cli:option("key") or "/etc/patchday/seal.key",
		about = { format = 1, api = 1, name = declared.workflow, role = declared.role, help = declared.help,
			version = version, patchday = base.about.version, workflow = script.path,
			needs = needs_of(script.from, declared, seen) } })
	if cli.json then base.print_json { file = out, name = declared.workflow, version = version, digest = said.digest,
		files = #files, bytes = core.path(out).bytes }
	else base.print("%s: %s, %s, sha256 %s\n", out, base.count(#files, "file"), base.bytes(core.path(out).bytes),
		said.digest) end
	return 0
end

-- --------------------------------------------------------- verify, install

-- The package in a file, proved: what patchday-package says, and the key.
local function proved(cli)
	local key, digest = cli:option("key") or "/etc/patchday/seal.pub", cli:option("digest")
	base.must(core.trusted(key))
	local said = packages.ask(cli, { ["do"] = "verify", file = cli.operands[1], key = key })
	if digest and digest ~= said.digest then
		base.fail("package-damaged", ("%s is not the package that is wanted: its digest is %s"):format(cli.operands[1],
			said.digest), "Get the very file whose digest was given.")
	end
	return said, key
end

-- Of a package that was proved, as JSON or in a line.
local function tell(cli, said, state)
	local m, bytes = said.manifest, 0
	for _, file in ipairs(m.files) do bytes = bytes + file.bytes end
	if cli.json then
		base.print_json { name = m.name, version = m.version, digest = said.digest, key = said.key, state = state,
			comment = said.comment, manifest = m }
		return 0
	end
	base.print("%s\n  %s, %s, %s\n", packages.line { name = m.name, version = m.version, digest = said.digest,
		key = said.key }, state, base.count(#m.files, "file"), base.bytes(bytes))
	return 0
end

local function verify(cli)
	if not cli.operands[1] or cli.operands[2] then usage("verify FILE") end
	return tell(cli, proved(cli), "verified")
end

local function lacks(m, what)
	base.fail("package-needs", ("package %s %s needs %s"):format(m.name, m.version, what))
end

-- All that a package needs is on this server.
local function check_needs(m)
	if m.api ~= 1 then lacks(m, ("the workflow language api %d"):format(m.api)) end
	if packages.older(base.about.version, m.patchday) then
		lacks(m, ("patchday %s, this is %s"):format(m.patchday, base.about.version))
	end
	for _, need in ipairs(m.needs) do
		local plugin, known = core.plugin(need.plugin), {}
		for i, s in ipairs(plugin and plugin.steps or {}) do known[i] = s.name end
		if not plugin then lacks(m, "the plugin " .. need.plugin) end
		for _, step in ipairs(need.steps) do
			if not base.has(known, step) then lacks(m, ("the step %s.%s"):format(need.plugin, step)) end
		end
	end
end

-- The base64 of a public key: its comment is anybody's.
local function half(path) return base.must(core.text(path)):match("^[^\n]*\n([^\r\n]*)") end

-- May this one follow the versions that are there?  True: it is one of them.
local function follows(cli, said, key)
	local m, there = said.manifest, packages.versions(cli, said.manifest.name)
	local newest = there[#there]
	if not newest then return false end
	local home = packages.home(cli, m.name)
	if half(key) ~= half(("%s/%s/key.pub"):format(home, newest)) and not cli:option("new-key") then
		base.fail("package-key", ("package %s %s is installed with another key than %s"):format(m.name, newest, said.key),
			"Ask its author. If the key has changed, bring the new one here another way, and say so with --new-key.")
	end
	if packages.older(m.version, newest) and not cli:option("older") then
		base.fail("package-older", ("package %s %s is installed, this is %s"):format(m.name, newest, m.version))
	end
	if not base.has(there, m.version) then return false end
	local is = packages.prove(cli, m.name, m.version)
	if is.digest ~= said.digest then
		base.fail("package-same", ("package %s %s is installed as sha256 %s, this one is %s"):format(m.name, m.version,
			is.digest, said.digest))
	end
	return true
end

-- The folder of packages, for its owner alone, while nobody else changes it.
local function locked(cli, act)
	local home = packages.home(cli)
	base.must(core.folder(home))
	base.must(core.trusted(home, true))
	local lock = base.must(core.lock(home .. "/.lock", true))
	local result = act(home)
	core.unlock(lock)
	return result
end

local function switch(home, name, version)
	base.must(core.link(version, ("%s/%s/current"):format(home, name)))
end

local function install(cli)
	if not cli.operands[1] or cli.operands[2] then usage("install FILE") end
	local said, key = proved(cli)
	local m, state = said.manifest, "installed"
	check_needs(m)
	locked(cli, function(home)
		if follows(cli, said, key) then
			state = packages.current(cli, m.name) == m.version and "unchanged" or "in force again"
		else
			packages.ask(cli, { ["do"] = "install", file = cli.operands[1], key = key, folder = home, digest = said.digest })
		end
		switch(home, m.name, m.version)
	end)
	return tell(cli, said, state)
end

-- ------------------------------------------------------ what is installed

local function list(cli)
	local rows, drifted, names = core.list {}, 0, packages.names(cli)
	if cli.operands[1] and not base.has(names, cli.operands[1]) then
		base.fail("package-none", ("no package %s is installed"):format(cli.operands[1]))
	end
	for _, name in ipairs(cli.operands[1] and { cli.operands[1] } or names) do
		local current = packages.current(cli, name)
		for _, version in ipairs(packages.versions(cli, name)) do
			local ok, p = pcall(packages.prove, cli, name, version)
			drifted = drifted + (ok and 0 or 1)
			rows[#rows + 1] = { name = name, version = version, current = version == current, digest = ok and p.digest or nil,
				key = ok and p.key or nil, error = not ok and { id = p.id, message = p.message } or nil }
		end
	end
	if cli.json then base.print_json(rows) end
	for _, row in ipairs(cli.json and {} or rows) do
		local mark = base.plain and (row.current and "in force" or "") or row.current and "*" or " "
		base.print("%s\n", base.row { mark, { row.name, 16 }, { row.version, 10 },
			row.digest and ("sha256 %s, signed by %s"):format(row.digest, row.key) or
			{ row.error and ("%s [%s]"):format(row.error.message, row.error.id), 0, "red" } })
	end
	return drifted > 0 and 2 or 0
end

-- Fails unless this version is there.
local function installed(cli, name, version)
	if not base.has(packages.versions(cli, name), version) then
		base.fail("package-none", ("version %s of package %s is not installed"):format(version, name))
	end
end

local function use(cli)
	local name, version = cli.operands[1], cli.operands[2]
	if not version or cli.operands[3] then usage("use PACKAGE VERSION") end
	return locked(cli, function(home)
		installed(cli, name, version)
		local p = packages.prove(cli, name, version)
		check_needs(p.manifest)
		switch(home, name, version)
		return tell(cli, p, "in force")
	end)
end

-- A run that is open plans its further rounds from the script that it began with.
local function check_runs(folder)
	for _, id in ipairs(core.runs() or {}) do
		local r = core.record(id, true)
		local of = r and not r.over and core.inputs(id)
		if of and of.inputs.script:sub(1, #folder + 1) == folder .. "/" then
			base.fail("package-busy", ("run %s is not at its end, and was planned from %s"):format(id, folder))
		end
	end
end

local function remove(cli)
	local name, version = cli.operands[1], cli.operands[2]
	if not name or cli.operands[3] then usage("remove PACKAGE [VERSION]") end
	return locked(cli, function(home)
		local there = packages.versions(cli, name)
		if #there == 0 then base.fail("package-none", ("no package %s is installed"):format(name)) end
		if version then installed(cli, name, version) end
		if version == packages.current(cli, name) and #there > 1 then
			base.fail("package-busy", ("version %s of package %s is the one in force"):format(version, name),
				("Put another one in force first: `patchday package use %s VERSION`."):format(name))
		end
		local all = not version or #there == 1
		local folder = ("%s/%s%s"):format(home, name, all and "" or "/" .. version)
		check_runs(core.path(folder).path)
		local gone = ("%s/.gone"):format(home) -- at once, though it has many files
		base.must(core.remove(gone))
		base.must(core.rename(folder, gone))
		base.must(core.remove(gone))
		local versions = core.list(all and there or { version })
		if cli.json then base.print_json { name = name, versions = versions, state = "removed" }
		else base.print("package %s %s: removed\n", name, table.concat(versions, ", ")) end
		return 0
	end)
end

return {
	package = {
		operands = "build SOURCE | verify FILE | install FILE | list [PACKAGE] | use PACKAGE VERSION | " ..
			"remove PACKAGE [VERSION]",
		least = 1, most = 3,
		summary = "make a workflow with all it needs one signed file, install it",
		text = [[
build    makes NAME-VERSION.pdpkg of a workflow (a Lua file, a role, or a folder
         with one), its catalogs, assets and tests. The workflow is checked, the
         tests are run, the catalogs are read first. The same input makes the
         same bytes.
verify   proves a file from its first byte to its last, and unpacks nothing.
install  proves it and puts it beside the versions that are there, whole or not
         at all. `patchday plan NAME` and `run NAME` take it from now on, with
         its catalogs; NAME@VERSION takes another version that is there.
list     shows what is installed, * what is in force; ends with 2 if something
         is not any more as it was signed.
use      puts another installed version in force.
remove   takes a version away, or all of them.
]],
		takes = { build = "WORKFLOW", verify = "FILE", install = "FILE", list = "PACKAGE", use = "PACKAGE VERSION",
			remove = "PACKAGE VERSION" },
		options = {
			{ "version", "VERSION", "build: of the package, such as 1.2.0" },
			{ "catalog", "FILE", "build: pack this catalog too; may be repeated" },
			{ "asset", "PATH", "build: pack this file or folder too, as assets/NAME; may be repeated" },
			{ "test", "FILE", "build: pack this test too; may be repeated" },
			{ "out", "FILE", "build: the file to make (default NAME-VERSION.pdpkg)" },
			{ "key", "FILE", "build: secret key; verify, install: public key (default /etc/patchday/seal.key, .pub)" },
			{ "digest", "SHA256", "verify, install: the package has to be just this one" },
			{ "older", nil, "install: also if a newer version is installed" },
			{ "new-key", nil, "install: also if earlier versions were signed with another key" },
		},
		verbs = { build = build, verify = verify, install = install, list = list, use = use, remove = remove },
	},
}
