-- SPDX-License-Identifier: MIT
-- final and verify: the seal of a run, and whether all is as it was written.
local _, core = ...
local base = require "cli.base"
local view = require "cli.view"

local function make_key(cli)
	local made = base.must(core.make_key(cli:option("key")))
	if cli.json then
		base.print_json(made)
	else
		base.print("%s\n%s: give this one to those who verify\n", made.key, made.public)
	end
	return 0
end

local function final(cli)
	if cli:option("make-key") then return make_key(cli) end
	local run = base.must(core.find(cli.operands[1]))
	view.listen(cli)
	local site = cli:option("site") or base.must(core.record(run, true)).site == "" and base.site() or nil
	if site == "" then base.fail("usage", "--site wants the name of the site") end
	local done = base.must(core.final(run, cli:option("key"), cli:option("to"), site))
	if not done.files then
		if done.error then
			done.error.status = done.status
			error(done.error, 0)
		end
		return done.status
	end
	if cli.json then
		base.print_json(done)
		return 0
	end
	if view.events(cli) then return 0 end
	base.print("run %s is sealed with the key %s\n", run, done.key)
	for _, path in ipairs(done.files) do base.print("%s\n", path) end
	for _, path in ipairs(done.copies) do base.print("copy: %s\n", path) end
	return 0
end

local function verify(cli)
	local all = base.must(core.verify(cli.operands[1], cli:option("key")))
	if cli.json then
		base.print_json(all)
		return all.ok and 0 or 3
	end
	for _, item in ipairs(all.checked) do
		base.print("%s\n", base.row { { item.state, 8, item.state == "intact" and "green" or "red" }, { item.kind, 9 },
			item.name .. (item.text and ": " .. item.text or "") })
	end
	base.print(all.ok and "all is as it was written\n" or "not proven to be as it was written\n")
	return all.ok and 0 or 3
end

return {
	final = {
		operands = "[RUN]", most = 1,
		summary = "seal a run that has come to its end",
		text = [[
Writes the final certificate, signs it in minisign's format and copies it to the
central place. Nothing of the run can change after.
]],
		options = {
			{ "key", "FILE", "secret key (default /etc/patchday/seal.key)" },
			{ "make-key", nil, "make that key, with the public half beside it, and end" },
			{ "site", "NAME", "name of the site (default: the workflow's parameter site, or as set on the server)" },
			{ "to", "DIR", "copy the certificate there (default: the workflow's parameter central)" },
			view.options.events, view.options.hook,
		},
		forms = { "events", "json" }, run = final,
	},
	verify = {
		operands = "[RUN|FILE]", most = 1,
		summary = "tell whether journal, certificate and evidence are as written",
		text = [[
Without FILE: the journal, the evidence of a run (the newest, or RUN) and its
certificate. FILE is a certificate; its path has a / or a dot. Exit status 3:
something is changed, missing or not proven.
]],
		options = { { "key", "FILE", "public key of the seal (default /etc/patchday/seal.pub)" } },
		run = verify,
	},
}
