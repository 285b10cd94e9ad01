-- SPDX-License-Identifier: MIT
-- What `workflow check` puts in place of what a script names and there is not: a
-- value that takes every use, so that what is wrong behind it is told as well.
local meta = { __metatable = "protected" }
local unknown = setmetatable({}, meta)

for _, event in ipairs { "add", "sub", "mul", "div", "mod", "idiv", "pow", "unm", "band", "bor", "bxor", "bnot",
	"shl", "shr", "concat" } do
	meta["__" .. event] = function() return unknown end
end

-- A list of it has one entry.
function meta.__index(_, key)
	if math.type(key) ~= "integer" or key == 1 then return unknown end
end

-- As the iterator of a `for` it gives one value, and ends.
function meta.__call(_, ...)
	if select("#", ...) == 2 and (...) == nil and select(2, ...) == unknown then return nil end
	return unknown
end

function meta.__newindex() end
function meta.__len() return 1 end
function meta.__lt() return true end
function meta.__le() return true end
function meta.__tostring() return "unknown" end
function meta.__pairs() return function(_, i) if not i then return 1, unknown end end, unknown, nil end

return unknown
