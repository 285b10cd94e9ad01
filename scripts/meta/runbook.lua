---@meta patchday.runbook
-- SPDX-License-Identifier: MIT
-- What the roles have in common, for a Lua language server; see patchday.lua.

---@class patchday.runbook
local runbook = {}

---The parameters of every role, and the role's own.
---@param own? table<string, patchday.declared>
---@return table<string, patchday.declared>
function runbook.params(own) end

---Parameters that have no effect without another one are an error.
---@param t patchday.t
---@param own? string[][] such parameters of the role: a name, and those of which one has to be given with it
function runbook.check(t, own) end

---A parameter does not fit: an error.
---@param text string as string.format has it
---@param ... any
function runbook.wrong(text, ...) end

---A note that the plan leaves something out.
---@param text string what, and in brackets the point of the runbook and the parameters
function runbook.left_out(text) end

---Services as they are called on this server: smbd is smb on one of the RPM family.
---@param t patchday.t
---@param names string[]
---@return string[]
function runbook.services(t, names) end

---Asked of people before a run starts.
---@param who? string who is cut off, for the first question
---@return table<string, patchday.asked>
function runbook.questions(who) end

---Maintenance windows, users logged in, the charge of a UPS.
---@param t patchday.t
---@return patchday.item
function runbook.guards(t) end

---Room for the updates, for what they replace, and for what is saved.
---@param p table<string, any> the parameters
---@param due patchday.selection
---@return patchday.item
function runbook.room(p, due) end

---The event logs until now, and those of the clean start.
---@param t patchday.t
---@return patchday.plugin.eventlog.export.step logs
---@return patchday.plugin.eventlog.export.step clean
function runbook.logs(t) end

---A reboot that terminals hear of as long before as the parameter `warn` says.
---@param p table<string, any> the parameters
---@param given patchday.plugin.host.reboot
---@return patchday.plugin.host.reboot.step
function runbook.reboot(p, given) end

---A reboot before any change, which desktops hear of.
---@param t patchday.t
---@return patchday.item
function runbook.clean_start(t) end

---A mail and a message for a chat that the work is done, as a stage of its own.
---@param t patchday.t
---@param due patchday.selection
---@return patchday.item
function runbook.tell(t, due) end

---A new kernel is booted once, and stays if the tests pass.
---@class patchday.new_kernel
---@field keep? patchday.plugin.kernel.keep.step before the updates
---@field boots fun(reboot: patchday.plugin.host.reboot.step, again?: boolean): patchday.item a reboot behind them; again: not the first
---@field confirm? patchday.plugin.kernel.confirm.step behind the tests

---@param t patchday.t
---@param due patchday.selection
---@return patchday.new_kernel
function runbook.new_kernel(t, due) end

---Why there is nothing to do, for pd.nothing, or nil. Installers of which nobody else can tell whether they are needed
---count, if they are to be run; what no step can be made for does not.
---@param t patchday.t
---@param due patchday.selection
---@return string?
function runbook.idle(t, due) end

---The updates (update.install, or rpm.install on a server with rpm packages), and the reboot that they need; drivers and
---firmware of vendors' catalogs. Each is nil where there are none.
---@param t patchday.t
---@param due patchday.selection
---@param new_kernel? patchday.new_kernel
---@return patchday.plugin.update.install.step|patchday.plugin.rpm.install.step|nil install
---@return patchday.item reboot
---@return patchday.item drivers
function runbook.install(t, due, new_kernel) end

---New errors in the event logs take the updates back.
---@param p table<string, any> the parameters
---@param logs patchday.plugin.eventlog.export.step
---@param clean patchday.plugin.eventlog.export.step
---@return patchday.plugin.eventlog.compare.step
function runbook.no_new_errors(p, logs, clean) end

---The backup that the server has anyhow is recent, and can be read.
---@param t patchday.t
---@return patchday.item
function runbook.normal_backup(t) end

---The medium for recovery is at hand.
---@param t patchday.t
---@return patchday.item
function runbook.medium(t) end

---A backup of a critical server for bare metal.
---@param p table<string, any> the parameters
---@return patchday.item
function runbook.bare_metal(p) end

---What is saved goes to each second place off the server that is set.
---@param p table<string, any> the parameters
---@return patchday.item
function runbook.away(p) end

---Snapshots of what is named, before anything is held.
---@param t patchday.t
---@return patchday.item
function runbook.snapshot(t) end

---What is held meanwhile, where it is there.
---@param t patchday.t
---@param own? patchday.item a step of the role that holds something
---@return patchday.item
function runbook.held(t, own) end

---The scanner's new definitions.
---@param t patchday.t
---@return patchday.item
function runbook.definitions(t) end

---All that are named sign.
---@param p table<string, any> the parameters
---@return patchday.item
function runbook.signoff(p) end

return runbook
