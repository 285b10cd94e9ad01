#!/bin/bash
# SPDX-License-Identifier: MIT
# rehearse and drill read their whole command line, plan and all, before
# anything is cloned: what is wrong in it is named, and nothing is touched.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
chmod 755 "$tmp" "$tmp/plugins"
mkdir -m 755 "$tmp/libexec"
export PATCHDAY_LIBEXEC=$tmp/libexec

body()
{
	echo "pd.stage \"one\" { steps.write { path = \"$tmp/f/a\" } },"
}
body | workflow good
sed -i 's/^  plan =/  params = { share = pd.string { default = "x" } },\n&/' "$tmp/good.lua"

pd rehearse "$tmp/good.lua"
is "a program that is not installed is missed by name" \
	"$rc $(grep -c "patchday-rehearse is not in $tmp/libexec" <<<"$out")" "2 1"
for name in rehearse drill; do
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"%s"\n' "$tmp/words" >"$tmp/libexec/patchday-$name"
	chmod 755 "$tmp/libexec/patchday-$name"
done

# wrong MESSAGE WORD...: the program is not called
wrong()
{
	local message=$1

	shift
	rm -f "$tmp/words"
	pd "$@"
	is "$* is refused" "$rc $(ls -d "$tmp/words" "$PATCHDAY_STATE" 2>/dev/null)" "2 "
	like "and why" "$out" "$message"
}
wrong 'Did you mean --points' drill --pionts 3 "$tmp/good.lua"
wrong 'Did you mean --param' drill --parm share=y "$tmp/good.lua"
wrong 'Did you mean --evidence' rehearse --evidnce /tmp "$tmp/good.lua"
wrong "'rehearse' has no option --points" rehearse --points 3 "$tmp/good.lua"
wrong 'usage: patchday drill WORKFLOW' drill --points 3
wrong 'usage: patchday drill WORKFLOW' drill "$tmp/good.lua" "$tmp/good.lua"
wrong 'there is no workflow none' drill none
wrong "did you mean 'share'" rehearse --param shara=y "$tmp/good.lua"
wrong 'kinds needs a value' drill "$tmp/good.lua" --kinds
wrong 'files takes no value' rehearse --files=yes "$tmp/good.lua"

pd drill --points 1-3 "$tmp/good.lua" --json --param share=y --kinds=kill --no-wait
is "the program gets its own options first, then what is for the run" "$rc $(xargs <"$tmp/words")" \
	"0 --points=1-3 --json --kinds=kill -- --state=$PATCHDAY_STATE --plugin-dir=$tmp/plugins --scripts=$PD_SRCDIR/scripts --param=share=y --no-wait $tmp/good.lua"
pd rehearse --help "$tmp/good.lua"
like "help has its options" "$out" '--evidence DIR'
like "those of run" "$out" '--accept-no-return WHY'
like "and the parameters of the workflow" "$out" 'share +string'

# values are the programs' own to check
[ ! -x "$PD_BUILDDIR/.libs/patchday-drill" ] || export PATCHDAY_LIBEXEC=$PD_BUILDDIR/.libs
[ -x "$PD_BUILDDIR/.libs/patchday-drill" ] || export PATCHDAY_LIBEXEC=$PD_BUILDDIR
wrong 'points x: expected numbers' drill --points x "$tmp/good.lua"
wrong 'points 0: expected numbers' drill --points 0 "$tmp/good.lua"
wrong 'points 7-3: expected numbers' drill --points 7-3 "$tmp/good.lua"
wrong "kinds: there is no 'flood'" drill --kinds kill,flood "$tmp/good.lua"
wrong 'jobs 0: expected a number' drill --jobs 0 "$tmp/good.lua"
wrong 'timeout soon is no time' rehearse --timeout soon "$tmp/good.lua"
wrong 'work relative: an absolute path' drill --work relative "$tmp/good.lua"
wrong 'without /usr' rehearse --leave-out /usr "$tmp/good.lua"
pd drill --work "$tmp" --jobs 0 "$tmp/good.lua"
empty "no work folder is made" "$(ls -d "$tmp/patchday-rehearse" 2>/dev/null)"
out=$("$PATCHDAY_LIBEXEC/patchday-drill" --points 3 x 2>&1)
like "called by hand, the program says so" "$? $out" '^2 .*called by .patchday'
end
