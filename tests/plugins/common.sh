# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Shared by the lab tests of the plugins: sourced first, brings up one real
# server, pushes plugins and pd-step into it, and counts what holds.
#
#   need_lab              exit 77 when there can be no lab here
#   lab_up NAME [OPTION...]  a server of this test's own lab, as `lab up` takes them;
#                         ends with the test
#   in_lab COMMAND...     run a command in the server (standard input goes in)
#   push FILE TO          copy one file into the server
#   push_plugins NAME...  pd-step and these plugins, with the libraries that
#                         the server does not have, into /opt/pd
#   step ARGS...          pd-step in the server; work folder $work
#   scan PLUGIN[.SCANNER] its facts as JSON
#   run COMMAND...        any of these; sets $out and $rc for the cases
#   ok, not_ok, is, isnt, like, unlike, done_testing
#
# Environment: PD_BUILDDIR and PD_SRCDIR of the build; PD_LAB name of the lab.

set -u
PD_SRCDIR=${PD_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
PD_BUILDDIR=${PD_BUILDDIR:-$PD_SRCDIR}
test_name=$(basename "$0" .sh)
export PD_LAB=${PD_LAB:-t-$test_name}
lab=$PD_SRCDIR/tests/lab/lab
lab_server=
work=/opt/pd/work
cases=0
failures=0
out=
rc=0

skip_all()
{
	echo "1..0 # skip: $*"
	exit 77
}

need_lab()
{
	[ "$(id -u)" = 0 ] || skip_all "the lab needs root"
	[ -x "$lab" ] || skip_all "there is no $lab"
	[ -x "$PD_BUILDDIR/tests/tools/pd-step" ] ||
		skip_all "pd-step is not built in $PD_BUILDDIR/tests/tools"
}

lab_end()
{
	local status=$?

	trap - EXIT INT TERM
	[ -z "$lab_server" ] || "$lab" destroy >/dev/null 2>&1 </dev/null
	exit "$status"
}

lab_up()
{
	lab_server=$1
	shift
	trap lab_end EXIT
	trap 'exit 130' INT TERM
	if ! "$lab" up --owner $$ "$@" "$lab_server" >/dev/null </dev/null; then
		echo "Bail out! the lab did not bring up $lab_server"
		exit 1
	fi
}

in_lab()
{
	"$lab" exec "$lab_server" -- "$@"
}

push()
{
	tar -ch --owner=root:0 --group=root:0 --mode=u=rwX,go=rX \
		-C "$(dirname "$1")" --transform "s,^.*\$,$(basename "$2")," \
		"$(basename "$1")" |
		in_lab sh -c "mkdir -p '$(dirname "$2")' && tar -xf - -C '$(dirname "$2")'"
}

# Libraries of these files that the server lacks go to /opt/pd/lib.
push_libraries()
{
	local needed missing library

	needed=$(ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u)
	# shellcheck disable=SC2016,SC2086
	missing=$(in_lab sh -c 'for f; do [ -e "$f" ] || echo "$f"; done' \
		sh $needed </dev/null)
	for library in $missing; do
		push "$library" "/opt/pd/lib/$(basename "$library")"
	done
}

push_plugins()
{
	local name file files=("$PD_BUILDDIR/tests/tools/pd-step")

	push "${files[0]}" /opt/pd/pd-step
	for name; do
		file=$PD_BUILDDIR/plugins/$name/.libs/$name.so
		[ -e "$file" ] || { echo "Bail out! $file is not built"; exit 1; }
		push "$file" "/opt/pd/plugins/$name.so"
		files+=("$file")
	done
	in_lab mkdir -p /opt/pd/lib "$work" </dev/null
	in_lab chmod 755 /opt/pd/pd-step </dev/null
	push_libraries "${files[@]}"
}

step()
{
	in_lab env LD_LIBRARY_PATH=/opt/pd/lib /opt/pd/pd-step \
		--plugin-dir /opt/pd/plugins --work "$work" "$@" </dev/null
}

scan()
{
	in_lab env LD_LIBRARY_PATH=/opt/pd/lib /opt/pd/pd-step \
		--plugin-dir /opt/pd/plugins scan "$1" </dev/null
}

# soon CONDITION: wait until it holds in the server; three minutes are for a test that fails, or a machine that has much to do
soon()
{
	in_lab timeout 180 sh -c "until $1; do sleep 0.1; done" </dev/null
}

run()
{
	out=$("$@" 2>&1)
	rc=$?
}

ok()
{
	cases=$((cases + 1))
	echo "ok $cases - $*"
}

# not_ok TEXT [DETAIL]
not_ok()
{
	cases=$((cases + 1))
	failures=$((failures + 1))
	echo "not ok $cases - $1"
	[ -z "${2-}" ] || printf '%s\n' "$2" | sed 's/^/#   /'
}

# is GOT WANTED TEXT
is()
{
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "got:    $1
wanted: $2"
	fi
}

isnt()
{
	if [ "$1" != "$2" ]; then ok "$3"; else not_ok "$3" "got: $1"; fi
}

# like GOT EXTENDED-REGULAR-EXPRESSION TEXT
like()
{
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		ok "$3"
	else
		not_ok "$3" "got:      $1
no match: $2"
	fi
}

unlike()
{
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		not_ok "$3" "got:   $1
match: $2"
	else
		ok "$3"
	fi
}

# A test without a case has tested nothing.
done_testing()
{
	echo "1..$cases"
	[ "$cases" -gt 0 ] || { echo "Bail out! no case ran"; exit 1; }
	[ "$failures" -eq 0 ] || { echo "# $failures of $cases failed"; exit 1; }
	exit 0
}
