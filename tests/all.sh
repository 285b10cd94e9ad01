# SPDX-License-Identifier: MIT
# Sourced by `quickstart check`: every test, in stages, and the closing line.
# Expects $top, $build, say, die, configure and started.
# shellcheck shell=bash disable=SC2154,SC2016

# a test that fails is counted, and the next one runs
set +e +o pipefail
passed=0
failed=0
skipped=0
not_passed=()
times=()

# count NAME RESULT [REASON]: one test that is no automake test
count()
{
	case $2 in
	PASS) passed=$((passed + 1)) ;;
	SKIP) skipped=$((skipped + 1)); not_passed+=("SKIP $1: ${3-}") ;;
	*) failed=$((failed + 1)); not_passed+=("FAIL $1: ${3-}") ;;
	esac
	printf '%s: %s\n' "$2" "$1"
}

# stage NAME COMMAND...: passes when the command does; its words go to a log
stage()
{
	local name=$1 log=$build/stage-${1//[^a-z0-9]/-}.log at=$SECONDS

	shift
	if "$@" >"$log" 2>&1; then
		count "$name ($((SECONDS - at)) s)" PASS
	else
		grep -A4 'had failures:$\|^not ok' "$log" | head -40 # CUnit's words, and TAP's
		tail -40 "$log"
		count "$name ($((SECONDS - at)) s)" FAIL "see $log"
	fi
}

# tests_of FOLDER EXPRESSION: what an expression of its Makefile gives
tests_of()
{
	make -s -C "$1" --eval "print-tests: ; @echo $2" print-tests | tail -1
}

# run_suite FOLDER LABEL EXPRESSION [MORE]: these tests, as many at a time as there are
# processors, and so many more; `collect` tells of them
run_suite()
{
	local tests

	tests=$(tests_of "$1" "$3")
	(cd "$1" && tr ' ' '\n' <<<"$tests" | sed 's/\(\.sh\)\?$/.trs/' | xargs rm -f)
	make -k -C "$1" -j"$(($(nproc) + ${4-0}))" check-TESTS TESTS="$tests" TEST_SUITE_LOG="test-suite-$2.log" \
		>"$build/suite-$2.log" 2>&1 || true
}

# reasons LOG: why it was skipped, or its first failures, each with what was found
reasons()
{
	awk '/skip:|^not ok|Bail out/ { if (++n > 3) exit; left = 3; print; next }
		/^#/ && left { left--; print; next } { left = 0 }' "$1" | cut -c1-300 | tr -s '\n ' ' '
}

# collect FOLDER LABEL EXPRESSION: what automake's .trs files say of these tests
collect()
{
	local test trs result reason

	for test in $(tests_of "$1" "$3"); do
		trs=$1/${test%.sh}
		if [ ! -e "$trs.trs" ]; then
			count "$2 $test" FAIL "it did not run, see $build/suite-$2.log"
			continue
		fi
		result=$(sed -n 's/^:test-result: //p' "$trs.trs" | head -1)
		times+=("$(sed -n "s|^# took \(.*\) of processors\$|\1 $2 ${test%.sh}|p" "$trs.log" | tail -1)")
		reason=$(reasons "$trs.log")
		count "$2 ${test%.sh}" "${result%% *}" "$reason"
		[ "${result%% *}" = PASS ] || [ "${result%% *}" = SKIP ] || tail -30 "$trs.log"
	done
}

# lab_built KIND: the root of such servers is made; how that went is noted
lab_built()
{
	local at=$SECONDS rc=0

	"$top/tests/lab/lab" build --kind "$1" >"$build/stage-lab-$1.log" 2>&1 || rc=$?
	echo "$rc $((SECONDS - at))" >"$build/lab-$1.built"
}

# in_lab: what takes its time by waiting for servers, beside what computes
in_lab()
{
	local at=$SECONDS

	lab_built debian
	lab_built rpm &
	run_suite "$build/main" lab '$(LAB_TESTS)' 1
	wait
	echo $((SECONDS - at)) >"$build/lab.took"
}

say "what the tests need is built"
stage "check-build" make -s -C "$build/main" -j"$(nproc)" all check-build
lab=
if [ "$(id -u)" = 0 ]; then
	in_lab &
	lab=$!
fi

# Every test runs once, with the sanitizers' build. Here is what another compiler's
# code could change (the lab's servers have it, too), what measures memory, and
# what looks at sources.
say "unit, interface and style tests with gcc"
by_gcc='$(filter tests/unit/% tests/abi/% tests/style/% %/abi.sh %/engine.sh %/lua.sh %/updateinfo.sh %/memory.sh %/own.sh %/faults.sh,$(TESTS))'
run_suite "$build/main" gcc "$by_gcc"
collect "$build/main" gcc "$by_gcc"

say "all of them with clang, AddressSanitizer and UndefinedBehaviorSanitizer"
sanitized()
{
	# not optimized: what the sanitizers look for is there, and it is compiled in half the time
	configure "$build/sanitize" --prefix=/usr --enable-werror --enable-sanitizers CC=clang CXX=clang++ CFLAGS="-O0 -g1" CXXFLAGS="-O0 -g1"
	make -s -C "$build/sanitize" -j"$(nproc)" all check-build
}
stage "builds with clang, warnings are errors" sanitized
# the linters have seen these sources; what our plugins keep of the contract and where a run that was cut off goes on are
# no matter of memory, and a thousand starts each (`make check` of that build has them)
built='$(filter-out tests/style/% %/memory.sh %/own.sh %/faults.sh,$(TESTS))'
ASAN_OPTIONS=detect_leaks=1 run_suite "$build/sanitize" sanitize "$built"
collect "$build/sanitize" sanitize "$built"

say "valgrind"
valgrinded()
{
	find "$build"/main/tests/unit -maxdepth 1 -name 'test_*' -type f -executable -print0 |
		PD_SRCDIR=$top PD_BUILDDIR=$build/main PD_VALGRIND=1 xargs -0 -n1 -P"$(nproc)" \
			"$build/main/libtool" --mode=execute valgrind --quiet --vgdb=no --error-exitcode=9 --leak-check=full \
			--errors-for-leak-kinds=definite --child-silent-after-fork=yes
}
stage "unit tests under valgrind" valgrinded

say "distribution"
# the suites above have run everything; here is what a tarball could break: building
# beside sources that are read only, finding files, installing, and leaving nothing; not optimized, which is compiled faster
distchecked()
{
	make -s -C "$build/main" -j"$(nproc)" distcheck DISTCHECK_CONFIGURE_FLAGS="--enable-werror CFLAGS=-O0" \
		TESTS="$(tests_of "$build/main" '$(filter-out %/test_seal %/test_worker,$(filter tests/unit/% tests/abi/% %/cli.sh %/author.sh %/doc.sh,$(TESTS)))')"
}
PD_LINTED=yes stage "make distcheck" distchecked
all_distributed()
{
	tar tf "$build"/main/patchday-*.tar.xz | sed 's,^[^/]*/,,' | sort >"$build/distributed"
	git -C "$top" ls-files | grep -v '^\.gitignore$' | sort | comm -23 - "$build/distributed" >"$build/left-out"
	sed 's/^/not in the tarball: /' "$build/left-out"
	[ -s "$build/distributed" ] && [ ! -s "$build/left-out" ]
}
if git -C "$top" rev-parse --git-dir >"$build/git-dir" 2>&1; then
	stage "everything that is committed is in the tarball" all_distributed
else
	count "everything that is committed is in the tarball" SKIP "no git checkout that git can read"
fi

say "plugins and workflows on real servers in the lab"
if [ "$lab" ]; then
	wait "$lab"
	for kind in debian rpm; do
		read -r rc took <"$build/lab-$kind.built"
		[ "$rc" = 0 ] || tail -40 "$build/stage-lab-$kind.log"
		count "the lab's $kind servers are built ($took s)" "$([ "$rc" = 0 ] && echo PASS || echo FAIL)" \
			"see $build/stage-lab-$kind.log"
	done
	collect "$build/main" lab '$(LAB_TESTS)'
	echo "all of it $(cat "$build/lab.took") s, beside the rest"
else
	count "the lab" SKIP "needs root"
fi

say "benchmarks, with the machine to themselves"
stage "benchmarks" make -s -C "$build/main" bench
grep -E '^(bench|ratio|goal|skip)' "$build/stage-benchmarks.log" || true

say "what took most of the processors"
printf '%s\n' "${times[@]}" | awk '{ printf "%6.0f s %5s s  %s %s\n", $3 + $6, $1, $8, $9 }' | sort -rn | head -25

say "what did not pass"
printf '%s\n' "${not_passed[@]:-nothing}"
printf '%d min %d s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60))
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
