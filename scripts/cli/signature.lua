-- SPDX-License-Identifier: MIT
-- catalog sign and verify: signatures of files, beside them.
local _, core = ...
local base = require "cli.base"
local trust = require "cli.trust"
local signature = {}

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

function signature.verify(cli)
	local kind, key = cli:option("trust") or "minisign", cli:option("key")
	base.choose({ "minisign", "openpgp", "xmldsig" }, "catalog verify --trust ", kind)
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
