---@meta patchday.runbook
-- SPDX-License-Identifier: MIT
-- What the roles have in common, for a Lua language server; see patchday.lua.

---@class patchday.runbook
local runbook = {}

---The parameters of every role, and the role's own.
---@param own? table<string, patchday.declared>
---@return table<string, patchday.declared>
function runbook.params(own) end

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
---@param p table<string, any> the parameters
---@return patchday.plugin.eventlog.export.step logs
---@return patchday.plugin.eventlog.export.step clean
function runbook.logs(p) end

---A reboot before any change.
---@param t patchday.t
---@return patchday.item
function runbook.clean_start(t) end

---The updates, and the reboot that they need.
---@param p table<string, any> the parameters
---@param due patchday.selection
---@return patchday.plugin.update.install.step install
---@return patchday.plugin.host.reboot.step reboot
function runbook.install(p, due) end

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

---What is held meanwhile, where it is there.
---@param t patchday.t
---@param own? patchday.item a step of the role that holds something
---@return patchday.item
function runbook.held(t, own) end

---The scanner's new definitions.
---@param t patchday.t
---@return patchday.item
function runbook.definitions(t) end

return runbook
