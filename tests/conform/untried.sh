# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by own.sh and tests/lab/conform.sh: what of a plugin is untried, and what of it may be (the list "untried").

# listed PLUGIN WHERE: "row: rule" of all that the list has of it; WHERE is a pattern of awk
listed()
{
	awk -F'\t' -v plugin="$1" -v where="^($2)\$" '$1 == plugin && $4 ~ where {
		n = split($3, rules, " ")
		for (i = 1; i <= n; i++)
			print $2 ": " rules[i]
	}' "$PD_SRCDIR/tests/conform/untried" | sort
}

# not_tried: the same, of the findings of the kit on standard input
not_tried()
{
	jq -r '.rows[] | .name as $row | .rules | to_entries[] | select(.value.result == "not tried") | "\($row): \(.key)"' | sort
}

# found RESULT: the findings on standard input that have it, as comments of a test
found()
{
	jq -r --arg result "$1" '.rows[] | .name as $row | .rules | to_entries[] | select(.value.result == $result) |
		"#   \(.value.result): \(.key) of \($row): \(.value.found // [] | join("; "))"'
}
