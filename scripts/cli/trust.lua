-- SPDX-License-Identifier: MIT
-- What proves that a file is its vendor's: OpenPGP, minisign, XML-DSig, or a
-- digest that somebody has pinned.  The keys are files on this server.
local _, core = ...
local base = require "cli.base"
local trust = {}

local function fail(file, format, ...)
	base.fail("trust", ("%s: %s"):format(file, format:format(...)))
end

-- Words that gpgv says of a signature, and what is wrong then.
local wrong = {
	EXPSIG = "its signature has expired", EXPKEYSIG = "the key has expired",
	REVKEYSIG = "the key was revoked", BADSIG = "it is not as it was signed",
}
-- Words that it says of one by a key that is not pinned: another one may do.
local foreign = {
	NO_PUBKEY = "it is signed with another key than the one pinned", ERRSIG = "its signature is not understood",
}

local function openpgp(file, signature, key)
	local done = base.must(core.tool(core.list { "gpgv", "--homedir", "/nonexistent", "--status-fd", "1", "--keyring",
		"/dev/stdin", signature, file }, { key = key }))
	local print, date, time = done.out:match("%[GNUPG:%] VALIDSIG (%x+) (%S+) (%d+)")
	local passed
	for word in done.out:gmatch("%[GNUPG:%] (%S+)") do
		passed = foreign[word] or passed
		if wrong[word] then fail(file, "%s (%s)", wrong[word], key) end
	end
	if not print and passed then fail(file, "%s (%s)", passed, key) end
	if not print or done.status ~= 0 and not passed then
		fail(file, "gpgv does not find it signed by %s: %s", key, done.err:match("[^\n]*") or "")
	end
	local who = done.out:match("%[GNUPG:%] GOODSIG %x+ ([^\n]*)")
	return ("openpgp %s (%s), signed %s"):format(print, who or "", date), tonumber(time)
end

-- What minisign, and catalog sign, write into the comment that is signed.
local stamp = "timestamp:(%d+)"

local function minisign(file, signature, key)
	local found, err = core.signed(file, signature, key)
	if not found then fail(file, "%s", err.message) end
	local time = math.tointeger(tonumber(found.comment:match(stamp)))
	local comment = found.comment:gsub("%c", " ")
	return ("minisign %s (%s)%s"):format(found.key, comment, time and ", signed " .. core.date(time) or ""), time
end

-- The signature is a part of the document; it counts if the certificate that
-- is pinned made it.
local function xmldsig(file, _, key)
	local done = base.must(core.tool(core.list { "xmlsec1", "--verify", "--enabled-reference-uris", "empty",
		"--enabled-key-data", "key-name", "--pubkey-cert-pem", key, file }))
	if done.status == 127 then
		base.fail("trust", "xmlsec1 is not installed, which proves signatures in XML", "Install the package xmlsec1.")
	end
	if done.status ~= 0 then
		fail(file, "it is not signed by the key of %s: %s", key, done.err:match("[^\n]*") or "")
	end
	return "xmldsig " .. base.must(core.digest(key))
end

local function sha256(file, _, digest)
	local is = base.must(core.digest(file))
	if is ~= digest then fail(file, "its digest is %s, pinned is %s", is, digest) end
	return "sha256 " .. is
end

local kinds = {
	openpgp = { prove = openpgp, ending = ".asc" }, minisign = { prove = minisign, ending = ".minisig" },
	xmldsig = { prove = xmldsig }, sha256 = { prove = sha256 }, none = { prove = function() return "none" end },
}

-- What a detached signature is called; nil: there is none beside the file.
function trust.ending(kind) return kinds[kind].ending end

-- The kind of signature that a key is for, by what is in its file.
function trust.kind(key)
	local text = core.text(key) or ""
	if text:find("-----BEGIN [%u ]*CERTIFICATE-----") then return "xmldsig" end
	return (text:find("-----BEGIN PGP", 1, true) or text:find("^[\x80-\xFF]")) and "openpgp" or "minisign"
end

-- Proves it or fails; by what, in words, and when it was signed, nil if nobody
-- has signed that.
function trust.prove(t, file, signature)
	if t.kind ~= "none" and t.kind ~= "sha256" then
		if not core.path(t.key) then fail(file, "there is no key %s", t.key) end
		base.must(core.trusted(t.key))
	end
	if kinds[t.kind].ending and not core.path(signature) then fail(file, "there is no signature %s", signature) end
	return kinds[t.kind].prove(file, signature, t.key)
end

return trust
