#!/bin/bash
# SPDX-License-Identifier: MIT
# Every golden plan: *.test with the demo plugin and the native catalogs, roles/*.test with the real
# ones.  A new case: write the sections, `plan-test --show` prints the rest.
set -u
src=${PD_SRCDIR:-.} build=${PD_BUILDDIR:-.}
driver=$build/tests/plans/plan-test
status=0

shopt -s nullglob
cases=("$src"/tests/plans/*.test) roles=("$src"/tests/plans/roles/*.test)
if [ "${#cases[@]}" -lt 100 ] || [ "${#roles[@]}" -eq 0 ]; then
	echo "plan tests are missing: ${#cases[@]} cases, ${#roles[@]} roles"
	exit 1
fi
"$driver" "$src/scripts" "$build/tests/plans/plugins/.libs:$build/plugins/native/.libs" "${cases[@]}" || status=1
plugins=$(printf '%s:' "$build"/plugins/*/.libs)
"$driver" "$src/scripts" "${plugins%:}" "${roles[@]}" || status=1
exit $status
