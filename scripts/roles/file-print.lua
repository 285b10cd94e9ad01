-- SPDX-License-Identifier: MIT
-- The runbook of a file and print server, from top to bottom.
-- A3 to A19 are points of the runbook in doc/runbook.md.
local pd = require "patchday"
local runbook = require "patchday.runbook" -- what all roles have in common
local backup, driver, eventlog = pd.use "backup", pd.use "driver", pd.use "eventlog"
local host, network, printers, probe = pd.use "host", pd.use "network", pd.use "printers", pd.use "probe"
local service, shares = pd.use "service", pd.use "shares"

-- A6, A17: what a user does on this server, by way of the network.
local function client_tests(p)
	return {
		probe.smb { share = p.share, folder = p.folder, user = p.user, password = p.password,
			guest = not p.user },
		probe.print { queue = p.queue, timeout = "5m" },
	}
end

-- A14: the vendor's driver where its hardware is found, and a reboot if it needs one.
local function vendor_driver(p, new_kernel)
	if not p.driver then return nil end
	local installed = driver.install { package = p.driver, digest = p.driver_digest, match = p.driver_match }
	local reboot = runbook.reboot(p, { reason = "the new driver takes effect", when = installed.out.reboot_required })
	return { installed, new_kernel.boots(reboot, true) }
end

return pd.workflow {
	api = 1, name = "file-print", role = "file-print",
	help = "patch day of a file and print server",
	params = runbook.params {
		share = pd.string { required = true, help = "share of the client test" },
		folder = pd.string { help = "folder of the share that the test writes in" },
		user = pd.string { help = "user of the client test; left out: a guest" },
		password = pd.secret { help = "password of that user: env:NAME, file:/PATH or credential:NAME" },
		queue = pd.string { help = "printer of the client test; left out: the default one" },
		running = pd.list { default = { "smbd", "cups" },
			help = "services that must run at the end; smbd is smb where that is its name" },
		driver = pd.string { help = "path of a vendor's driver package" },
		driver_digest = pd.string { help = "SHA-256 of it" },
		driver_match = pd.list { default = {}, help = "hardware it is for, such as pci:14e4:1657" },
	},
	questions = runbook.questions "Users of the shares and printers are cut off several times.", -- A3
	guards = runbook.guards, -- asked before each stage
	rounds = 3, -- until no update applies
	plan = function(t)
		local p, due = t.params, t.catalog:needed()
		runbook.check(t, { { "password", "user" }, { "driver_digest", "driver" }, { "driver_match", "driver" } })
		local idle = runbook.idle(t, due)
		if idle and (t.round > 1 or not p.driver) then return pd.nothing(idle) end

		local logs, clean = runbook.logs(t)
		local state = backup.state { to = p.safe }
		local new_kernel = runbook.new_kernel(t, due)
		local install, reboot, drivers = runbook.install(t, due, new_kernel)

		return {
			pd.stage "prepare" {
				t.answers.recovery and host.recovery { confirmed = true },  -- A3
				runbook.medium(t),                                          -- A3
				runbook.room(p, due),                                       -- A3
				runbook.normal_backup(t),                                   -- A7
				logs,                                                       -- A4
				runbook.clean_start(t),                                     -- A5
				clean,                                                      -- A5
				client_tests(p),                                            -- A6
			},
			pd.stage "save" {
				state,                                                      -- A8
				backup.verify { archive = state.out.archive, sha256 = state.out.sha256 }, -- A8
				printers.save { to = p.safe },                              -- A11
				shares.save { to = p.safe },                                -- A11
				network.save { to = p.safe },                               -- A11
				runbook.bare_metal(p),                                      -- A9
				runbook.away(p),                                            -- A11
				runbook.snapshot(t),                                        -- A19
			},
			pd.hold { runbook.held(t),                                          -- A10
				pd.stage "install" { on_failure = "undo",
					new_kernel.keep,                                    -- A12
					install,                                            -- A12
					reboot,                                             -- A12
					drivers,                                            -- A14
					vendor_driver(p, new_kernel),                       -- A14
				},
				runbook.definitions(t),                                     -- A10
			},
			pd.stage "prove" { on_failure = "undo",
				eventlog.collect { to = p.safe, before = clean.out.archive }, -- A13
				service.verify { units = runbook.services(t, p.running) },  -- A15
				runbook.no_new_errors(p, logs, clean),                      -- A16
				client_tests(p),                                            -- A17
				new_kernel.confirm,                                         -- A12
			},
			runbook.tell(t, due),
			runbook.signoff(p),                                                 -- A18
		}
	end,
}
