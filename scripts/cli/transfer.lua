-- SPDX-License-Identifier: MIT
-- Files from elsewhere, by the program patchday-transfer (doc/transfer.md).
local _, core = ...
local base = require "cli.base"
local transfer = {}

-- A number of an option, within bounds.
function transfer.number(cli, name, least, most, kind)
	local text = cli:option(name)
	local n = text and (kind and core.number(kind, text) or math.tointeger(tonumber(text)))
	if text and (not n or n < least or n > most) then
		base.fail("usage", ("--%s: '%s' is no number from %d to %d"):format(name, text, least, most))
	end
	return n
end

-- How often a file is tried again; nil: as patchday-transfer has it.
function transfer.retries(cli) return transfer.number(cli, "retries", 0, 100) end

-- A password from a file that only its owner can read.
local function password(file)
	if not file then return nil end
	local at = core.path(file)
	if not at then base.fail("file-read", ("the file %s is missing"):format(file)) end
	if at.mode & 63 ~= 0 then -- 0077
		base.fail("source-file", ("others can read the password in %s"):format(file), ("chmod 600 %s"):format(file))
	end
	return (base.must(core.text(file)):gsub("[\r\n]+$", ""))
end

-- The address of a file of this machine.
function transfer.address(path)
	return "file://" .. path:gsub("[^%w/._~+:@=,-]", function(c) return ("%%%02X"):format(c:byte()) end)
end

local function host(address) return address:match("^(%a+://[^/]*)/") end

-- Fetches files, { url, to, digest, bytes, etag, modified } each, as a source
-- has it; the answers in the same order.
function transfer.get(cli, s, files)
	local user, secret = s.User, password(s["Password-File"])
	for _, f in ipairs(files) do -- a password is for the source's own host alone
		if user and host(f.url) == host(s.Url) then f.user, f.password = user, secret end
	end
	local list = { files = core.list(files), proxy = s.Proxy, proxy_user = s["Proxy-User"],
		proxy_password = password(s["Proxy-Password-File"]), authorities = s.Authorities, rate = s.Rate,
		secure = (s.Trust or {}).kind == "none", -- nothing else proves it
		parallel = s.parallel, retries = transfer.retries(cli),
		progress = s.progress or not cli.json and not s.quiet }
	local done = base.must(core.tool(core.list { cli.programs .. "/patchday-transfer" }, core.encode(list), true))
	if done.status > 1 then base.fail("transfer-job", "patchday-transfer did not take the list of files") end
	local answers = {}
	for line in base.lines(done.out) do
		local answer = base.must(core.decode(line))
		answers[answer.n] = answer
	end
	for i = #answers + 1, #files do
		answers[i] = { n = i, state = "failed", url = files[i].url, id = "transfer-failed", message = "it was stopped" }
	end
	return answers
end

-- One file; nil and the error if it did not come.
function transfer.one(cli, s, file)
	local answer = transfer.get(cli, s, { file })[1]
	if answer.state == "failed" then
		return nil, { id = answer.id, message = answer.message, remedy = answer.remedy }
	end
	return answer
end

return transfer
