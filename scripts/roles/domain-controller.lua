-- SPDX-License-Identifier: MIT
-- The runbook of a domain controller (Samba), from top to bottom.
-- A3 to A19 are points of the runbook in doc/runbook.md.
local pd = require "patchday"
local runbook = require "patchday.runbook" -- what all roles have in common
local backup, directory, eventlog = pd.use "backup", pd.use "directory", pd.use "eventlog"
local host, network, service = pd.use "host", pd.use "network", pd.use "service"

-- A6, A17: what a member of the domain does: DNS, Kerberos, LDAP, a logon to sysvol and netlogon.
local function client_test(p) return directory.probe { user = p.user, password = p.password, timeout = "5m" } end

-- Have this server and its partners each other's changes? Then another one serves the members meanwhile.
local function replication(p, before)
	return directory.replication { partners = p.partners, age = p.age, failures = p.failures, before = before,
		timeout = "10m" }
end

-- A10: another server is the one that passwords are changed at, and that gives out ids, until this one is proved.
local function roles_elsewhere(p)
	if not p.roles_to then return nil end
	return directory.transfer { to = p.roles_to, user = p.admin, password = p.admin_password }
end

-- Parameters that don't go together. A19: partners cut off a controller that is as it was before without a word.
local function check(t)
	local p = t.params
	runbook.check(t, { { "password", "user" }, { "roles_to", "admin_password" }, { "admin_password", "roles_to" } })
	if #p.snapshot > 0 and p.partners > 0 then
		runbook.wrong("snapshot: a controller that goes back to one is cut off by its partners; leave it out")
	end
	if p.scratch and p.prove == "read" then
		runbook.wrong("parameter 'scratch' has no effect with prove=read; leave it out")
	end
end

-- A8: but for the directory itself, which directory.backup has: an old one that is put back cuts a controller off.
local left_out = { "/var/lib/systemd/coredump/*", "/var/lib/systemd/random-seed", "/var/lib/samba/private/sam.ldb*" }

return pd.workflow {
	api = 1, name = "domain-controller", role = "domain-controller",
	help = "patch day of a domain controller (Samba)",
	params = runbook.params {
		user = pd.string { help = "user of the client test; left out: this server itself, by its key" },
		password = pd.secret { help = "password of that user: env:NAME, file:/PATH or credential:NAME" },
		partners = pd.int { default = 1, min = 0, max = 1000,
			help = "so many controllers at least replicate with this one; 0: it is the only one" },
		age = pd.seconds { default = "1h", help = "how long ago each naming context may have been replicated" },
		failures = pd.int { default = 0, min = 0, max = 1000000, help = "so many failures one after the other are allowed" },
		roles_to = pd.string { help = "controller that holds this one's roles (FSMO) meanwhile; left out: they stay" },
		admin = pd.string { default = "Administrator", help = "administrator who moves them" },
		admin_password = pd.secret { help = "password of the administrator: env:NAME, file:/PATH or credential:NAME" },
		backup_kind = pd.choice { choices = { "offline", "online" }, default = "offline",
			help = "the backup of the domain copies this server's databases, or replicates all anew" },
		prove = pd.choice { choices = { "restore", "read" }, default = "restore",
			help = "the backup is proved by a domain that is made of it in a folder, or read through" },
		scratch = pd.path { help = "folder for that; left out: that of the run" },
		running = pd.list { default = { "samba-ad-dc" }, help = "services that must run at the end" },
	},
	questions = runbook.questions "Members of the domain have one controller less several times.", -- A3
	guards = runbook.guards, -- asked before each stage
	rounds = 3, -- until no update applies
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		check(t)
		local idle = runbook.idle(t, due)
		if idle then return pd.nothing(idle) end

		local logs, clean = runbook.logs(t)
		local state = backup.state { to = p.safe, exclude = left_out }
		local new_kernel = runbook.new_kernel(t, due)
		local install, reboot, drivers = runbook.install(t, due, new_kernel)
		local partners, roles, database = replication(p), directory.roles {}, directory.dbcheck {}

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				runbook.medium(t),                                          -- A3
				runbook.room(p, due),                                       -- A3
				runbook.normal_backup(t),                                   -- A7
				logs,                                                       -- A4
				runbook.clean_start(t),                                     -- A5
				clean,                                                      -- A5
				client_test(p),                                             -- A6
				partners,                                                   -- A6
				roles,                                                      -- A6
				database,                                                   -- A6
			},
			pd.stage "save" {
				state,                                                      -- A8
				backup.verify { archive = state.out.archive, sha256 = state.out.sha256 }, -- A8
				directory.backup { to = p.safe, kind = p.backup_kind, prove = p.prove, scratch = p.scratch }, -- A8
				network.save { to = p.safe },                               -- A11
				runbook.bare_metal(p),                                      -- A9
				runbook.away(p),                                            -- A11
				runbook.snapshot(t),                                        -- A19
			},
			pd.hold { runbook.held(t, roles_elsewhere(p)),                      -- A10
				pd.stage "install" { on_failure = "undo",
					new_kernel.keep,                                    -- A12
					install,                                            -- A12
					reboot,                                             -- A12
					drivers,                                            -- A14
					p.roles_to and { client_test(p), replication(p, partners.out.links) }, -- A17: before they come back
				},
				runbook.definitions(t),                                     -- A10
			},
			pd.stage "prove" { on_failure = "undo",
				eventlog.collect { to = p.safe, before = clean.out.archive }, -- A13
				service.verify { units = runbook.services(t, p.running) },  -- A15
				runbook.no_new_errors(p, logs, clean),                      -- A16
				client_test(p),                                             -- A17
				replication(p, partners.out.links),                         -- A17
				directory.roles { before = roles.out.roles },               -- A17
				directory.dbcheck { errors = database.out.errors },         -- A17: no worse than before
				new_kernel.confirm,                                         -- A12
			},
			runbook.tell(t, due),
			runbook.signoff(p),                                                 -- A18
		}
	end,
}
