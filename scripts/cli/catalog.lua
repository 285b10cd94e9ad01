-- SPDX-License-Identifier: MIT
-- catalog: what is in a catalog, and how versions compare.
local _, core = ...
local base = require "cli.base"
local sources = require "cli.sources"
local sync = require "cli.sync"
local signature = require "cli.signature"

local function show_update(u)
	base.print("%s %s\n  title     %s\n  severity  %s%s\n  kind      %s\n  restart   %s\n", u.id, u.revision, u.title,
		u.severity, u.severity_text ~= "" and ", as written: " .. u.severity_text or "", u.kind, u.restart)
	if u.issued ~= 0 then base.print("  issued    %s\n", core.date(u.issued)) end
	if u.url ~= "" then base.print("  more      %s\n", u.url) end
	if u.description ~= "" then base.print("  %s\n", u.description) end
	for _, p in ipairs(u.packages) do
		base.print("  package   %s %s %s (%s)\n", p.name, p.version, p.arch, p.scheme)
	end
	for _, p in ipairs(u.payloads) do base.print("  payload   %s %s\n", p.url, p.digest) end
	for _, r in ipairs(u.relations) do base.print("  %-9s %s\n", r.kind, r.target) end
end

local function show(cli)
	local id = cli:option("id")
	for c, head in ipairs(sources.catalogs(cli)) do
		local shown = 0
		for i = 1, head.updates do
			local u = core.update(c, i)
			if not id or id == u.id then
				shown = shown + 1
				if cli.json then base.print_line(u)
				elseif id then show_update(u)
				else base.print("%s %-10s %-12s %s\n", base.pad(u.id, 40), u.severity, u.kind, u.title)
				end
			end
		end
		if id and shown == 0 then
			base.fail("catalog-no-update", ("%s has no update %s"):format(head.catalog, id))
		end
	end
	return 0
end

local function check(cli)
	for _, c in ipairs(sources.catalogs(cli)) do
		if cli.json then base.print_line(c)
		else
			base.print("%s: %s, %d updates, %d passed over, sha256 %s\n", c.catalog, c.format, c.updates, c.ignored,
				c.digest)
		end
	end
	return 0
end

-- Lines of two versions from standard input; what is no version is "?".
local function vercmp(cli)
	local scheme, number = sources.scheme(cli.operands[1] or ""), 0
	if cli.operands[2] then base.fail("usage", "usage: patchday catalog vercmp SCHEME") end
	for line in base.lines(base.must(core.text())) do
		number = number + 1
		local a, b = line:match("^([^\t]*)\t([^\t]*)$")
		local order, err
		if not a or not utf8.len(line) then err = { message = "the line is not of two versions with a tab between" }
		else order, err = core.compare(scheme, a, b)
		end
		base.print("%s\n", order or "?")
		if err then core.err(("patchday: line %d: %s\n"):format(number, err.message)) end
	end
	return 0
end

return {
	catalog = {
		operands = "VERB [FILE|SOURCE]...", least = 1, most = -1,
		summary = "check, show, fetch and sign catalogs of updates",
		text = [[
check   reads the files whole and says what is wrong with them
show    lists their updates
sync    fetches what the sources offer: all of them, or those named; a catalog
        takes effect when it is proved and read, until then the old one does
sources tells what is in force of each
sign    writes a signature in minisign's format beside each file
verify  tells by which key the files are signed
vercmp  compares versions: reads lines "A<TAB>B" from standard input, prints for
        each -1 (A is older), 0 or 1, or ? if one is no version of SCHEME

FILE may be READER: such as apt:, which is also meant when none is named, or
sync:SOURCE for what is in force of a source. With --json one line for each file,
source or update.
]],
		options = {
			{ "id", "ID", "show: everything about one update" },
			{ "sources", "DIR", "folder of the sources (default /etc/patchday/sources.d)" },
			{ "from", "DIR", "sync: take the files from this folder, not from the network" },
			{ "retries", "N", "sync: how often a file is tried again (default 5)" },
			{ "key", "FILE", "sign: secret key, verify: public key (default /etc/patchday/seal.key, .pub)" },
			{ "trust", "KIND", "verify: openpgp, xmldsig or minisign (default)" },
			{ "signature", "FILE", "verify: where the signature is, if not beside the file" },
		},
		verbs = { check = check, show = show, sign = signature.sign, sources = sync.sources, sync = sync.sync,
			vercmp = vercmp, verify = signature.verify },
	},
}
