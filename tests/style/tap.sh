# SPDX-License-Identifier: MIT
# Sourced by tests without a lab: check, is, like, unlike, empty, skip, end.

tap_cases=0
tap_failures=0

skip()
{
	echo "1..0 # skip: $*"
	exit 77
}

# check TEXT COMMAND...
check()
{
	local text=$1

	shift
	tap_cases=$((tap_cases + 1))
	if "$@"; then
		echo "ok $tap_cases - $text"
	else
		tap_failures=$((tap_failures + 1))
		echo "not ok $tap_cases - $text"
		return 1
	fi
}

# is TEXT GOT WANTED
is()
{
	check "$1" [ "$2" = "$3" ] || printf '#   got:    %s\n#   wanted: %s\n' "$2" "$3"
}

# matches TEXT EXPRESSION: in a line of it; one of several lines in just these lines,
# which to grep would be choices
matches()
{
	case $2 in
	*$'\n'*) [[ $1 =~ $2 ]] ;;
	*) grep -Eqe "$2" <<<"$1" ;;
	esac
}

# like TEXT GOT EXTENDED-REGULAR-EXPRESSION
like()
{
	check "$1" matches "$2" "$3" || printf '#   got:      %s\n#   no match: %s\n' "$2" "$3"
}

# unlike TEXT GOT EXTENDED-REGULAR-EXPRESSION
unlike()
{
	check "$1" [ "$(grep -Ece "$3" <<<"$2")" = 0 ] || printf '#   got:   %s\n#   match: %s\n' "$2" "$3"
}

# empty TEXT FINDINGS
empty()
{
	check "$1" [ -z "$2" ] || printf '%s\n' "$2" | sed 's/^/#   /'
}

end()
{
	echo "1..$tap_cases"
	[ "$tap_cases" -gt 0 ] && [ "$tap_failures" -eq 0 ]
	exit
}
