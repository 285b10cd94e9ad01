-- SPDX-License-Identifier: MIT
-- catalog: what is in a catalog, and how versions compare.
local _, core = ...
local approve = require "cli.approve"
local base = require "cli.base"
local freeze = require "cli.freeze"
local sources = require "cli.sources"
local sync = require "cli.sync"
local signature = require "cli.signature"

-- Lines of two versions from standard input; what is no version is "?".
local function vercmp(cli)
	local scheme, number = sources.scheme(cli.operands[1] or ""), 0
	if cli.operands[2] then base.fail("usage", "usage: patchday catalog vercmp SCHEME") end
	for line in base.lines(base.must(core.text())) do
		number = number + 1
		local a, b = line:gsub("\r$", ""):match("^([^\t]*)\t([^\t]*)$")
		local order, err
		if not a or not base.is_text(line) then err = { message = "the line is not of two versions with a tab between" }
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
check   reads the files whole and says what is wrong with them or their
        signatures, what was passed over, and which links lead out of them or in a
        circle
show    lists their updates: all of them, or those that the options choose
sync    fetches what the sources offer: all of them, or those named; a catalog
        takes effect when it is proved and read, until then the old one does
sources tells what is in force of each
approve allows the updates that --needed or --id choose: from then on no plan
        has any other; withdraw takes that back, approvals lists what is allowed
freeze  writes the updates that --needed or --id choose into one catalog of
        patchday's own format, with a digest: the same content for every wave; rules
        that theirs call go with them, and become no updates
fetch   fetches the payloads of the updates that --approved, --needed or --id
        choose, or of all in a frozen catalog, into the package source, a folder
        that is root's alone; each is proved, and what is there is not fetched again
convert writes all updates so
diff    tells how the second of two catalogs differs from the first
sign    writes a signature in minisign's format beside each file
verify  tells by which key the files are signed
vercmp  compares versions: reads lines "A<TAB>B" from standard input, prints for
        each -1 (A is older), 0 or 1, or ? if one is no version of SCHEME

FILE may be READER: such as apt:, which is also meant when none is named, or
sync:SOURCE for what is in force of a source. With --json one line for each file,
source or update.
]],
		options = {
			{ "id", "ID", "show: everything about one update, or those of a CVE; approve, withdraw, freeze, fetch: this one, "
				.. "may be repeated" },
			{ "needed", nil, "approve, freeze, fetch: what this server needs, or those of --facts" },
			{ "facts", "FILE", "approve, freeze, fetch: facts of another server; freeze, fetch: or a folder of such "
				.. "files, and may be repeated" },
			{ "why", "TEXT", "approve, withdraw: the reason, which is kept with who and when", said = true },
			{ "approved", nil, "freeze, fetch: only what was approved" },
			{ "to", "FILE", "freeze, convert: the file that is written; fetch: the package source (default "
				.. "packages in the state folder)" },
			{ "severity", "WORD", "show: those of this severity or a higher one",
				choices = { "unknown", "none", "low", "moderate", "important", "critical" } },
			{ "kind", "WORD", "show: security, bugfix, driver, firmware ...", choices = { "other", "security", "bugfix",
				"enhancement", "newpackage", "driver", "firmware", "bundle" } },
			{ "text", "TEXT", "show: those with this in their id, title, description or links" },
			{ "since", "DATE", "show: those issued or updated on this day or later" },
			{ "before", "DATE", "show: those issued and updated before this day" },
			{ "csv", nil, "show: print CSV (RFC 4180)" },
			{ "all", nil, "check: everything that was found, not only the first five of each kind" },
			{ "strict", nil, "check: what was passed over, and dates that can't be, are errors" },
			{ "sources", "DIR", "folder of the sources (default /etc/patchday/sources.d)" },
			{ "source", "NAME", "fetch: the proxy, password and rate of this source count" },
			{ "from", "DIR", "sync, fetch: take the files from this folder, not from the network" },
			{ "base", "URL", "fetch: what addresses of payloads that are not whole count from" },
			{ "arch", "ARCH", "fetch: only packages for this machine, and for all; may be repeated" },
			{ "parallel", "N", "fetch: how many at once (default 4)" },
			{ "rate", "BYTES", "fetch: bytes a second, of all together: 2MiB" },
			{ "retries", "N", "sync, fetch: how often a file is tried again (default 5)" },
			{ "key", "FILE", "the public key or certificate that a catalog or repository has to be signed with; sign: secret "
				.. "key (default of verify and sign: /etc/patchday/seal.pub, .key)" },
			{ "trust", "KIND", "kind of its signature: openpgp, xmldsig or minisign (default: as the key is)",
				choices = { "openpgp", "xmldsig", "minisign" } },
			{ "signature", "FILE", "verify: where the signature is, if not beside the file" },
		},
		takes = { vercmp = "SCHEME" }, -- where it is no file
		forms = { "csv", "json" },
		verbs = { approve = approve.approve, approvals = approve.list, withdraw = approve.withdraw,
			check = require "cli.check", convert = freeze.convert, diff = freeze.diff, fetch = require "cli.fetch",
			freeze = freeze.freeze,
			show = require "cli.show", sign = signature.sign,
			sources = sync.sources, sync = sync.sync, vercmp = vercmp, verify = signature.verify },
	},
}
