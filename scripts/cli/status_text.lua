-- SPDX-License-Identifier: MIT
-- Where a run stands, for people.
local _, core = ...
local base = require "cli.base"
local status = {}
local colors = { begun = "cyan", done = "green", failed = "red", undoing = "yellow", undone = "yellow", stuck = "red" }

-- "refused: why"
function status.state(r)
	return r.state .. ((r.why or "") ~= "" and ": " .. r.why or "")
end

function status.print(r)
	local stage
	base.print("run %s: %s on %s, started %s\n", r.run, r.workflow, r.server, core.date(r.started // 1000))
	for _, s in ipairs(r.steps) do
		if stage ~= s.round .. " " .. s.stage then base.print("%s\n", s.stage) end
		stage = s.round .. " " .. s.stage
		base.print("  %s %s %8.1f s%s\n",
			base.paint(colors[s.state], base.pad(s.hold and s.state == "undone" and "is back" or s.state, 8)),
			base.pad(s.id, 40), s.seconds, s.recovered and "  (found done after a crash)" or "")
		if s.message then base.print("           %s\n", s.message) end
	end
	base.print("state: %s\n", status.state(r))
	if r.pid > 0 then base.print("process %d is working on it\n", r.pid) end
end

return status
