#!/bin/bash
# SPDX-License-Identifier: MIT
# The whole suite that needs no lab with every program of ours under valgrind:
#   make check-valgrind [TESTS='tests/run/undo.sh ...']
# It takes hours, so CI has only the unit tests of it; PD_VALGRIND_EVERY=N takes
# about one of N processes, by its number (PD_VALGRIND_FIRST=0 to N-1: which).  A finding is what valgrind
# says of any process: a read or write where there is nothing, a decision by
# what was never written, memory that nobody can reach.  A test that fails only
# because all is thirty times slower is named, and is no finding.
# What is no fault, with its reason: tests/valgrind.supp.
set -u
build=${PD_BUILDDIR:?}
logs=$build/valgrind
mkdir -p "$logs"
tests=$*
every=${PD_VALGRIND_EVERY:-1} first=${PD_VALGRIND_FIRST:-0}
of_test=$logs/test
# a child that only looks for its end after a fork has its parent's memory: what it
# leaves there is no leak, so only programs that end by themselves are asked
options=(--quiet --vgdb=no --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite
	--num-callers=25 --trace-children=yes '--trace-children-skip=/usr/*,/bin/*,/lib/*,/sbin/*,/tmp/*,/dev/shm/*')
options+=("--suppressions=$PD_SRCDIR/tests/valgrind.supp")

# wrap PROGRAM: whoever starts it, starts valgrind.  What lies beside it is beside the bare one, too.
wrap()
{
	local folder=${1%/*} name=${1##*/}

	mkdir -p "$folder/bare"
	ln -sfn ../scripts "$folder/bare/scripts"
	mv "$1" "$folder/bare/$name"
	{
		echo '#!/bin/sh'
		printf "[ \$((\$\$ %% %d)) = %d ] || exec %s \"\$@\"\n" "$every" "$first" "$folder/bare/$name"
		printf 'exec valgrind --log-file=%s.%%p' "$of_test"
		printf " '%s'" "${options[@]}"
		printf ' %s "$@"\n' "$folder/bare/$name"
	} >"$1"
	chmod 755 "$1"
}

unwrap()
{
	local bare

	for bare in "$build"/bare/* "$build"/tests/{tools,plans}/bare/*; do
		[ ! -x "$bare" ] || [ -L "$bare" ] || mv -f "$bare" "${bare%/bare/*}/${bare##*/}"
	done
	rm -rf "$build/bare" "$build"/tests/{tools,plans}/bare
}

trap unwrap EXIT
command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 2; }
for program in "$build"/patchday{,-*} "$build"/tests/tools/pd-{step,still,desktop} "$build"/tests/plans/plan-test; do
	wrap "$program"
done
found=0
for test in $tests; do
	rm -f "$of_test".*
	name=${test##*tests/}
	out=$logs/${name//\//-}.out
	case $test in
	*.sh) PD_VALGRIND=1 bash "$PD_SRCDIR/$test" >"$out" 2>&1 ;;
	*) PD_VALGRIND=1 "$build/libtool" --mode=execute valgrind "${options[@]}" --child-silent-after-fork=yes \
		--log-file="$of_test.%p" "$build/$test" >"$out" 2>&1 ;;
	esac
	rc=$?
	processes=$(find "$logs" -name 'test.*' | wc -l)
	find "$logs" -name 'test.*' -size +0 -exec grep -h '^==' {} + >"$logs/${name//\//-}.findings" # what valgrind itself can't do is behind "--"
	if [ -s "$logs/${name//\//-}.findings" ]; then
		found=$((found + 1))
		echo "FINDING $test: see $logs/${name//\//-}.findings"
	elif [ "$processes" = 0 ]; then
		echo "NOTHING $test: no program of ours ran$([ "$every" = 1 ] || echo " in the sample"), its status is $rc"
	else
		rm -f "$logs/${name//\//-}.findings"
		echo "clean $test: $processes processes$([ $rc = 0 ] || [ $rc = 77 ] || echo ", its own status is $rc: $(grep -c '^not ok' "$out") cases not ok")"
	fi
done
rm -f "$of_test".*
[ "$found" = 0 ]
