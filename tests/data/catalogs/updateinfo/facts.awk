# SPDX-License-Identifier: MIT
# Facts that have the packages of a list.
BEGIN { FS = "\t"; printf "{\"packages\":[" }
{
	version = $3 "-" $4
	if ($2 + 0 > 0) version = $2 ":" version
	printf "%s{\"name\":\"%s\",\"version\":\"%s\",\"arch\":\"%s\",\"scheme\":\"rpm\"}", n++ ? "," : "", $1, version, $5
}
END { print "]}" }
