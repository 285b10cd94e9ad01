# SPDX-License-Identifier: MIT
# Sourced by `quickstart check`: every test, in stages, and the closing line.
# Expects $top, $build, say, die, configure and started.
# shellcheck shell=bash disable=SC2154

# a test that fails is counted, and the next one runs
set +e +o pipefail
passed=0
failed=0
skipped=0
not_passed=()

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
		tail -40 "$log"
		count "$name ($((SECONDS - at)) s)" FAIL "see $log"
	fi
}

# collect FOLDER LABEL: what automake's .trs files of the last check say
collect()
{
	local trs name result reason

	while IFS= read -r trs; do
		name="$2 $(sed "s|^$1/||; s|\.trs$||" <<<"$trs")"
		result=$(sed -n 's/^:test-result: //p' "$trs" | head -1)
		reason=$(grep -hE 'skip:|^not ok|Bail out' "${trs%.trs}.log" | head -3 | tr '\n' ' ')
		count "$name" "${result%% *}" "$reason"
		[ "${result%% *}" = PASS ] || [ "${result%% *}" = SKIP ] || tail -30 "${trs%.trs}.log"
	done < <(find "$1/tests" -name '*.trs' | sort)
	find "$1/tests" -name '*.trs' -delete
}

# suite FOLDER LABEL MAKE-ARGUMENT...
suite()
{
	local folder=$1 label=$2

	shift 2
	find "$folder/tests" -name '*.trs' -delete
	make -k -C "$folder" "$@" >"$build/suite-$label.log" 2>&1 || true
	if [ -z "$(find "$folder/tests" -name '*.trs')" ]; then
		tail -30 "$build/suite-$label.log"
		count "$label: the suite" FAIL "no test ran, see $build/suite-$label.log"
	fi
	collect "$folder" "$label"
}

say "unit, plan, command line and style tests"
suite "$build/main" gcc check

say "the same with clang, AddressSanitizer and UndefinedBehaviorSanitizer"
sanitized()
{
	configure "$build/sanitize" --prefix=/usr --enable-werror --enable-sanitizers CC=clang CXX=clang++
	make -s -C "$build/sanitize" -j"$(nproc)" all check-build
}
stage "builds with clang, warnings are errors" sanitized
ASAN_OPTIONS=detect_leaks=1 suite "$build/sanitize" sanitize check

say "valgrind"
valgrinded()
{
	local t

	for t in "$build"/main/tests/unit/test_*; do
		[ -x "$t" ] && [ -f "$t" ] || continue
		PD_SRCDIR=$top PD_BUILDDIR=$build/main PD_VALGRIND=1 "$build/main/libtool" --mode=execute \
			valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
			--child-silent-after-fork=yes "$t" || return 1
	done
}
stage "unit tests under valgrind" valgrinded

say "distribution"
stage "make distcheck" make -s -C "$build/main" distcheck DISTCHECK_CONFIGURE_FLAGS=--enable-werror

say "benchmarks"
stage "benchmarks" make -s -C "$build/main" bench
grep -E '^(bench|ratio|goal|skip)' "$build/stage-benchmarks.log" || true

say "plugins and workflows on real servers in the lab"
if [ "$(id -u)" = 0 ]; then
	stage "the lab is built" "$top/tests/lab/lab" build
	suite "$build/main" lab -j2 check-lab
else
	count "the lab" SKIP "needs root"
fi

say "what did not pass"
printf '%s\n' "${not_passed[@]:-nothing}"
printf '%d min %d s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60))
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
