-- SPDX-License-Identifier: MIT
-- Parameters that all roles have, and which of them go together: half of what is needed must not drop a point
-- of the runbook without a word.
local _, core = ...
local pd = require "patchday"
local strict = require "patchday.strict"
local parameters = {}

-- ClamAV's services, of both families.
parameters.scanners = { "clamav-daemon", "clamav-clamonacc", "clamav-freshclam", "clamd@scan", "clamonacc" }

local function with(all, own)
	for name, declared in pairs(own or {}) do all[name] = declared end
	return all
end

-- The parameters of every role, and the role's own.
function parameters.declared(own)
	return with({
		site = pd.string { default = "", help = "name of the site, for the certificate" },
		central = pd.path { help = "central place that gets the sealed certificate" },
		safe = pd.path { default = "/var/lib/patchday/safe", help = "folder for logs and backups" },
		second = pd.path { default = "/var/lib/patchday/second",
			help = "second folder, on another volume than safe and away, chosen when safe is full" },
		away = pd.path { help = "second place off the server, such as a mounted share: what is saved is copied there" },
		away_ssh = pd.string { help = "second place on another server, by ssh: USER@HOST:/PATH or USER@HOST:PORT:/PATH" },
		away_key = pd.path { help = "file with the private key for that; left out: /etc/patchday/second/key" },
		away_known_hosts = pd.path {
			help = "file with that server's host key; left out: /etc/patchday/second/known_hosts" },
		away_medium = pd.string { help = "label of a removable medium that gets a copy and is taken out afterwards" },
		source = pd.path { help = "package source, filled by `catalog fetch`: the updates come from it alone; " ..
			"needed on a server with rpm packages" },
		unsure = pd.bool { default = false,
			help = "run installers of drivers and firmware, too, of which nobody else can tell whether they are there" },
		from = pd.path { help = "folder with packages fetched before, such as those of the last patch day; " ..
			"with rpm packages only the way back takes any from it" },
		critical = pd.bool { default = false,
			help = "a critical server: all of it is backed up, for recovery on bare metal" },
		medium = pd.path { help = "boot medium for recovery that is at hand, a device or an image: it is confirmed" },
		medium_to = pd.path { help = "folder on another volume: a critical server's boot medium and archive go there" },
		medium_stick = pd.string { help = "label of a USB stick, such as REAR-000: they go there instead" },
		medium_password = pd.secret { help = "what that archive is encrypted with: env:NAME, file:/PATH or credential:NAME" },
		medium_url = pd.string { help = "the same folder as Relax-and-Recover reaches it, such as nfs://HOST/PATH" },
		backup_by = pd.choice { choices = { "restic", "borg", "bacula", "file", "command" },
			help = "what makes the normal backup; left out: it is not looked at" },
		backup_at = pd.string { help = "where it is: a repository, a client of Bacula, a file or folder, a program" },
		backup_file = pd.path { help = "file with restic's repository in it, for an address with a password" },
		backup_name = pd.string { help = "pattern of the backup files in a folder, such as \"*.tar.zst\"" },
		backup_bytes = pd.bytes { help = "size that such a file must have" },
		backup_digest = pd.bool { default = false,
			help = "a file NAME.sha256 must be beside such a file, and fit: that proves it whole" },
		backup_read = pd.bool { default = false,
			help = "such a file is an archive (tar, cpio, zip) or compressed, and is read as that to its end" },
		backup_password = pd.secret {
			help = "password of the repository, or what the program gets: env:NAME, file:/PATH or credential:NAME" },
		backup_paths = pd.list { default = {}, help = "files and folders that must be in the repository's backup" },
		backup_proof = pd.string { help = "job of Bacula, or program, that reads the backup back" },
		backup_age = pd.seconds { help = "how old the normal backup may be; left out: a day" },
		jobs = pd.list { default = { "cron", "anacron", "at", "timers" },
			help = "what starts jobs and is held meanwhile: cron, anacron, at, timers" },
		jobs_go_on = pd.list { default = {}, help = "timers and daemons of jobs that go on" },
		scanners = pd.list { default = parameters.scanners,
			help = "virus scanners, and what updates them, held meanwhile" },
		scanner_update = pd.list { default = {},
			help = "program that updates the definitions of a scanner other than ClamAV, and its arguments" },
		scanner_definitions = pd.path { help = "folder with those definitions" },
		hold = pd.list { default = {}, help = "further services, stopped meanwhile" },
		snapshot = pd.list { default = {}, help = "what a snapshot is taken of before the updates: mount points of " ..
			"btrfs subvolumes, such as /, and logical volumes as VG/LV" },
		snapshot_size = pd.bytes {
			help = "room for all that changes in a logical volume that is not thin; left out: a fifth of it" },
		restart = pd.list { default = { "*" },
			help = "services that are restarted if they go on with files that an update replaced" },
		kernel_once = pd.choice { choices = { "auto", "must", "never" }, default = "auto",
			help = "boot a new kernel once, and for good when the tests pass: auto, where the boot loader can" },
		charge = pd.int { default = 50, min = 0, max = 100,
			help = "percent that the battery of each UPS must have" },
		ignore = pd.list { default = {}, help = "log messages that are no news" },
		windows = pd.list { default = {},
			help = "maintenance windows, such as \"sat 22:00-06:00\"; left out: always" },
		except = pd.list { default = {}, help = "days on which no window begins: dates or DATE..DATE" },
		timezone = pd.string { help = "time zone of the windows; left out: the server's" },
		users = pd.int { min = 0, max = 1000, help = "so many may be logged in; left out: any number" },
		load = pd.int { min = 1, max = 100000,
			help = "percent of load per processor that the server may have; left out: any" },
		room = pd.bytes { help = "room that must be free for safe before each stage; left out: asked once, at the start" },
		warn = pd.seconds { default = 0, max = 3000,
			help = "how long before each reboot those who are logged in are told; desktops before the first one" },
		tell = pd.list { default = {}, help = "who gets a mail when the work is done: addresses, or names of this server" },
		tell_hook = pd.secret { help = "address that a message for a chat is posted to then: file:/PATH or credential:NAME" },
		sign = pd.list { default = { "operations", "application owner" }, help = "who signs" },
	}, own)
end

-- A parameter, and those of which one has to be given with it.
local together = {
	{ "except", "windows" },
	{ "timezone", "windows" },
	{ "medium_to", "critical" },
	{ "medium_stick", "critical" },
	{ "medium_url", "medium_to" },
	{ "medium_password", "medium_to", "medium_stick" },
	{ "away_key", "away_ssh" },
	{ "away_known_hosts", "away_ssh" },
	{ "snapshot_size", "snapshot" },
	{ "jobs_go_on", "jobs" },
	{ "scanner_update", "scanner_definitions" },
	{ "scanner_definitions", "scanner_update" },
	{ "unsure", "source" },
}

-- What each maker of the normal backup has to be told (all of the first), and can be told.
local makers = {
	restic = { { "backup_password" }, { "backup_at", "backup_file", "backup_paths" } },
	borg = { { "backup_at" }, { "backup_password", "backup_paths" } },
	bacula = { { "backup_at" }, { "backup_proof" } },
	file = { { "backup_at", "backup_name" }, { "backup_bytes", "backup_digest", "backup_read" } },
	command = { { "backup_at" }, { "backup_password", "backup_proof" } },
}
local backup = { "backup_at", "backup_file", "backup_name", "backup_bytes", "backup_digest", "backup_read",
	"backup_password", "backup_paths", "backup_proof", "backup_age" }

local function has(list, word)
	for _, one in ipairs(list) do
		if one == word then return true end
	end
	return false
end

-- Neither left out nor empty; a secret is a table, too.
local function is_given(value)
	if type(value) == "table" then return next(value) ~= nil end
	return value ~= nil and value ~= false and value ~= ""
end

-- A parameter does not fit: the error of one that is unknown or missing.
function parameters.wrong(text, ...)
	core.blame "workflow-parameter"
	return strict.fail(text, ...)
end

local function check_together(p, rules)
	for _, rule in ipairs(rules) do
		local found = not is_given(p[rule[1]])
		for i = 2, #rule do found = found or is_given(p[rule[i]]) end
		if not found then
			parameters.wrong("parameter '%s' has no effect without '%s'; give that, too, or leave it out", rule[1],
				table.concat(rule, "' or '", 2))
		end
	end
end

local function check_backup(p)
	local maker = makers[p.backup_by]
	for _, name in ipairs(is_given(p.backup_by) and backup or {}) do
		if is_given(p[name]) and name ~= "backup_age" and not has(maker[1], name) and not has(maker[2], name) then
			parameters.wrong("parameter '%s' has no effect with backup_by=%s; leave it out", name, p.backup_by)
		end
	end
	for _, name in ipairs(maker and maker[1] or {}) do
		if not is_given(p[name]) then
			parameters.wrong("backup_by=%s needs parameter '%s'; give --param %s=VALUE", p.backup_by, name, name)
		end
	end
	if p.backup_by == "restic" and is_given(p.backup_at) == is_given(p.backup_file) then
		parameters.wrong("backup_by=restic needs one of the parameters 'backup_at' and 'backup_file'")
	end
end

-- @param own what of the role's parameters goes together, as in the list above; or nil
function parameters.check(p, own)
	local rules = {}
	for i, name in ipairs(backup) do rules[i] = { name, "backup_by" } end
	check_together(p, together)
	check_together(p, rules)
	check_together(p, own or {})
	check_backup(p)
	if is_given(p.medium_to) and is_given(p.medium_stick) then
		parameters.wrong("parameters 'medium_to' and 'medium_stick' are two places for one backup; give one of them")
	end
end

return parameters
