-- SPDX-License-Identifier: MIT
-- catalog sign and verify, and what check and fetch prove first: signatures of
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

-- A catalog with a signature beside it, or of which --key says who has to have
-- signed it, is proved before it is read; a repository is by its repomd.xml.  What
-- proves each, by its name.
function signature.prove(cli, verb, names)
	local kind, key, by = cli:option("trust") or "minisign", cli:option("key"), {}
	base.choose(kinds, ("catalog %s --trust "):format(verb), kind)
	local asked = key or cli:option("trust")
	for _, name in ipairs(names) do
		local beside = name .. (trust.ending(kind) or "")
		if not name:find("^%l+:") and (asked or core.path(beside)) and not repository.at(name) then
			by[name] = trust.prove({ kind = kind, key = key or "/etc/patchday/seal.pub" }, name, beside)
		end
	end
	return by
end

function signature.verify(cli)
	local kind, key = cli:option("trust") or "minisign", cli:option("key")
	base.choose(kinds, "catalog verify --trust ", kind)
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
