-- SPDX-License-Identifier: MIT
-- What luacheck takes for granted: the names that a workflow has, no others.
std = {
	read_globals = {
		"_VERSION", "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print",
		"rawequal", "rawlen", "require", "select", "setmetatable", "tonumber", "tostring", "type",
		math = { fields = { "abs", "ceil", "floor", "fmod", "huge", "max", "maxinteger", "min",
			"mininteger", "modf", "pi", "sqrt", "tointeger", "type", "ult" } },
		string = { fields = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower",
			"match", "pack", "packsize", "rep", "reverse", "sub", "unpack", "upper" } },
		table = { fields = { "concat", "insert", "move", "pack", "remove", "sort", "unpack" } },
		utf8 = { fields = { "char", "charpattern", "codepoint", "codes", "len", "offset" } },
	},
}
max_line_length = 120
-- signatures without a body, what is made of what plugins declare
files["scripts/meta"] = { ignore = { "212", "241", "631" } }
