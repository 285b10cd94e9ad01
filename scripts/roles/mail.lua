-- SPDX-License-Identifier: MIT
-- The runbook of a mail server (Postfix and Dovecot), from top to bottom.
-- A3 to A19 are points of the runbook in doc/runbook.md.
local pd = require "patchday"
local runbook = require "patchday.runbook" -- what all roles have in common
local backup, eventlog, host, network = pd.use "backup", pd.use "eventlog", pd.use "host", pd.use "network"
local probe, service = pd.use "probe", pd.use "service"

-- The mailbox of the test, as its user has it.
local function mailbox(p, more)
	local m = { imap = p.imap, user = p.user, password = p.password, starttls = p.starttls, ca = p.ca,
		valid = p.valid, timeout = "5m" }
	for name, value in pairs(more or {}) do m[name] = value end
	return m
end

-- A6, A17: a message comes in by the network, and is read by its user.
local function client_test(p) return probe.mail(mailbox(p, { to = p.address, smtp = p.smtp })) end

-- Each server reads its configuration without serving anybody by it.
local function configuration(t)
	return {
		probe.command { argv = { "postfix", "check" }, id = "configuration-postfix" },
		t.facts.services["dovecot.service"] and
			probe.command { argv = { "doveconf", "-h", "protocols" }, id = "configuration-dovecot" },
	}
end

return pd.workflow {
	api = 1, name = "mail", role = "mail",
	help = "patch day of a mail server (Postfix, Dovecot)",
	params = runbook.params {
		address = pd.string { required = true, help = "address of the client test, whose messages come into the mailbox" },
		user = pd.string { required = true, help = "user of that mailbox" },
		password = pd.secret { required = true, help = "password of that user: env:NAME, file:/PATH or credential:NAME" },
		smtp = pd.string { default = "smtp://localhost", help = "where messages come in: smtp or smtps" },
		imap = pd.string { default = "imap://localhost", help = "where the mailbox is read: imap or imaps" },
		starttls = pd.bool { default = false, help = "smtp and imap have to go on by TLS" },
		ca = pd.path { help = "certificates that the test trusts; left out: the server's own" },
		valid = pd.seconds { default = "7d", help = "how long certificates have to be valid for yet; 0: not looked at" },
		queue = pd.int { default = 20, min = 0, help = "so many messages more in the queue at the end are no fault" },
		takes = pd.list { default = { "postfix" }, help = "services that take in and deliver mail, held meanwhile" },
		running = pd.list { default = { "postfix", "dovecot" }, help = "services that must run at the end" },
	},
	questions = runbook.questions "Mail is late, and users are cut off from their mailboxes several times.", -- A3
	guards = runbook.guards, -- asked before each stage
	rounds = 3, -- until no update applies
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		runbook.check(t)
		local idle = runbook.idle(t, due)
		if idle then return pd.nothing(idle) end

		local logs, clean = runbook.logs(t)
		local state = backup.state { to = p.safe }
		local new_kernel = runbook.new_kernel(t, due)
		local install, reboot, drivers = runbook.install(t, due, new_kernel)
		local queue = probe.queue {}
		local no_mail = service.stop { units = p.takes, id = "no-mail" }

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				runbook.medium(t),                                          -- A3
				runbook.room(p, due),                                       -- A3
				runbook.normal_backup(t),                                   -- A7
				configuration(t),                                           -- A5: a boot has to read it
				logs,                                                       -- A4
				runbook.clean_start(t),                                     -- A5
				clean,                                                      -- A5
				client_test(p),                                             -- A6
				queue,                                                      -- A6
			},
			pd.stage "save" {
				state,                                                      -- A8
				backup.verify { archive = state.out.archive, sha256 = state.out.sha256 }, -- A8
				network.save { to = p.safe },                               -- A11
				runbook.bare_metal(p),                                      -- A9
				runbook.away(p),                                            -- A11
				runbook.snapshot(t),                                        -- A19
			},
			pd.hold { runbook.held(t, no_mail),                                 -- A10
				pd.stage "install" { on_failure = "undo",
					new_kernel.keep,                                    -- A12
					install,                                            -- A12
					reboot,                                             -- A12
					drivers,                                            -- A14
					probe.imap(mailbox(p)),                             -- A17: before mail comes in
				},
				runbook.definitions(t),                                     -- A10
			},
			pd.stage "prove" { on_failure = "undo",
				eventlog.collect { to = p.safe, before = clean.out.archive }, -- A13
				service.verify { units = p.running },                       -- A15
				runbook.no_new_errors(p, logs, clean),                      -- A16
				client_test(p),                                             -- A17
				probe.queue { before = queue.out.messages, more = p.queue, timeout = "5m" }, -- A17
				new_kernel.confirm,                                         -- A12
			},
			runbook.tell(t, due),
			runbook.signoff(p),                                                 -- A18
		}
	end,
}
