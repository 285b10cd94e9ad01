-- SPDX-License-Identifier: MIT
-- catalog sign and verify, and what is proved before a catalog is read: signatures of
-- files, beside them.
local _, core = ...
local base = require "cli.base"
local repository = require "cli.repository"
local trust = require "cli.trust"
local signature = {}

local kinds = { "minisign", "openpgp", "xmldsig" }

local function each(cli, verb)
	if #cli.operands == 0 then base.fail("usage", ("usage: patchday catalog %s FILE..."):format(verb)) end
	return ipairs(cli.operands)
end

function signature.sign(cli)
	for _, file in each(cli, "sign") do
		local comment = ("timestamp:%d\tfile:%s\thashed"):format(core.now(), file:match("[^/]+$")) -- as minisign's own
		local text = base.must(core.sign(file, cli:option("key"), comment))
		base.must(core.write(file .. ".minisig", text, 420)) -- 0644
		if cli.json then base.print_line { file = file, signature = file .. ".minisig" }
		else base.print("%s.minisig\n", file)
		end
	end
	return 0
end

-- Commands whose --key has signed catalogs; that of others is for something else.
local pinning = { scan = true, catalog = true }

-- The key that catalogs have to be signed with, or nil.
function signature.key(cli) return pinning[cli.command.name] and cli:option("key") or nil end

-- That --trust names, or that the key is for.
local function kind_of(cli)
	local kind, key = cli:option("trust"), cli:option("key")
	if kind and not base.has(kinds, kind) then
		local near = core.nearest(kind, kinds)
		base.fail("usage", ("--trust: there is no kind of signature '%s'"):format(kind),
			near and ("Did you mean %s?"):format(near))
	end
	return kind or key and trust.kind(key) or "minisign"
end

-- What proves a catalog, by its name.
local proved = {}

-- A catalog in a file is proved before it is read if --key or --trust ask for it, or
-- (look) if a signature lies beside it: by what; nil: nobody asks.  What reads the server
-- itself, sources and repositories have proofs of their own.
function signature.of(cli, name, look)
	if proved[name] or not pinning[cli.command.name] or name:find("^sync:.") or name:find("^[^/]+:$") then
		return proved[name]
	end
	local key, kind = cli:option("key"), kind_of(cli)
	local beside = name .. (trust.ending(kind) or "")
	if (key or cli:option("trust") or look and core.path(beside)) and not repository.at(name) then
		proved[name] = trust.prove({ kind = kind, key = key or "/etc/patchday/seal.pub" }, name, beside)
	end
	return proved[name]
end

-- Catalogs with a signature beside them too.
function signature.prove(cli)
	for _, name in ipairs(cli.operands) do signature.of(cli, name, true) end
end

function signature.verify(cli)
	local kind, key = kind_of(cli), cli:option("key")
	if not key and kind ~= "minisign" then base.fail("usage", ("--trust %s needs --key FILE"):format(kind)) end
	for _, file in each(cli, "verify") do
		local beside = file .. (trust.ending(kind) or "")
		local by = trust.prove({ kind = kind, key = key or "/etc/patchday/seal.pub" }, file,
			cli:option("signature") or beside)
		if cli.json then base.print_line { file = file, trust = by }
		else base.print("%s: %s\n", file, by)
		end
	end
	return 0
end

return signature
