# SPDX-License-Identifier: MIT
# What `pd-step read` prints of a catalog, for people to read: one block for an
# update, one line for a part of it, rules indented by their depth; what has the
# value that it has by itself is left out.

def row: to_entries | map(select(.value | . != "" and . != false and . != "exists" and . != "none") |
	"\(.key)=\(.value | if type == "string" then tojson else tostring end)") | join(" ");
def default: { updated: 0, expected: 0, disk_bytes: -1, status: "final", interactive: false,
	permanent: false, issued: 0 };
def rules: reduce .[] as $r ({ depth: 1, lines: [] };
	(if $r.op == "close" then .depth -= 1 else . end) |
	(if $r.op == "close" then . else .lines += ["\("  " * .depth)\($r.tree) \($r | if .op == "test" then
		"\(if .negate then "not " else "" end)\(.kind) " +
		"\(del(.tree, .op, .kind, .negate, .compare) + (if .compare == "exists" then {} else { compare } end) | row)"
		else .op + (if .negate then " negate" else "" end) +
			(if .kind or .subject then ": " + ([.kind, .subject] | map(select(.)) | join(" ")) else "" end) end)"] end) |
	(if $r.op | IN("all", "any", "none") then .depth += 1 else . end)) | .lines[];

if .event then "\(.event)\(if .line then " \(.line)" else "" end): \(.what // .text // .message)"
else
	"update \(.id)",
	(default as $d | to_entries[] | select((.value | type) != "array" and .key != "id" and .value != "" and .value != $d[.key]) |
		"  \(.key): \(.value | if type == "string" then gsub("\n"; "|") else . end)"),
	(.packages // [] | .[] | "  package \(row)"),
	(.relations // [] | .[] | "  \(.kind) \(del(.kind) | row)"),
	(.payloads // [] | .[] | "  payload \(row)"),
	(.installers // [] | .[] | "  \(.kind) \(del(.kind) | row)"),
	(.exits // [] | .[] | "  exit \(.status) \(.meaning)"),
	(.rules // [] | rules)
end
