#!/bin/bash
# SPDX-License-Identifier: MIT
# Every error id in the source has an explanation, and every explanation an
# error that can be met.
set -u
cd "${PD_SRCDIR:-.}" || exit 99
. tests/style/tap.sh || exit 99

used=$(grep -rhoE 'pd_error_(set|at|errno)\([^"]*"[a-z][a-z0-9-]+"' core package rehearse transfer --include='*.c' -z |
	tr '\0' '\n' | grep -oE '"[a-z][a-z0-9-]+"' | tr -d '"'
	grep -rhoE 'fail\("[a-z][a-z0-9-]+"' scripts/cli --include='*.lua' | cut -d'"' -f2)
used=$(sort -u <<<"$used")
rows=$(grep -rhoE 'PD_E\("[a-z0-9-]+"' core package rehearse transfer --include='*.def' | cut -d'"' -f2 | sort)
is "no explanation stands twice" "$(uniq -d <<<"$rows")" ""
empty "every error id is explained" "$(comm -23 <(echo "$used") <(sort -u <<<"$rows"))"
missing=
for id in $rows; do
	grep -rqF -e "\"$id\"" -e "[$id]\"" core package rehearse transfer scripts --include='*.c' --include='*.lua' || missing="$missing $id"
done
empty "every explanation is used" "$missing"
end
