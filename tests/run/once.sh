#!/bin/bash
# SPDX-License-Identifier: MIT
# What would spoil a run that has not ended is refused before anything is touched: a
# second one with another state folder, its plugins gone, its journal gone.
. "${PD_SRCDIR:?}/tests/run/boots.sh" || exit 99
unit=/etc/systemd/system/patchday-resume.service
a=$tmp/state b=$tmp/'st "B" 100%'
in_a() { PATCHDAY_STATE=$a pd "$@"; }
in_b() { PATCHDAY_STATE=$b pd "$@"; }
state_of() { PATCHDAY_STATE=$1 state; }
flat() { xargs -d'\n' <<<"$out"; }

workflow holds <<END
pd.hold { steps.write { path = "$f/held" },
  pd.stage "work" { steps.write { path = "$f/a", waits_for = "$f/go" } } },
END
workflow small <<END
pd.stage "one" { steps.write { path = "$f/b" } },
END
# begun STATE: the run that holds is in the middle of its work, as process $pid
begun()
{
	PATCHDAY_STATE=$1 "${patchday[@]}" run "${places[@]}" "$tmp/holds.lua" >"$tmp/out" 2>&1 </dev/null &
	pid=$!
	PATCHDAY_STATE=$1 wait_for step_is work/steps.write begun
}
killed()
{
	kill -KILL $pid
	wait $pid 2>/dev/null
}
fresh()
{
	rm -rf "$a" "$b" "$f"
	mkdir "$f"
}

# ---- one run per server, whatever state folder
if [ -d /etc/systemd/system ]; then
	mount -t tmpfs none /run && mkdir -p /run/systemd/system && mount -t tmpfs none /etc/systemd/system
	begun "$a"
	armed=$(cat $unit)
	like "the unit is armed for the first run" "$armed" "\"--state\" \"$a\""
	in_b run "$tmp/small.lua"
	like "a second run with another state folder is refused" "$rc $(flat)" '^4 .*\[run-elsewhere\]'
	like "with the first one's folder and process" "$(flat)" "state folder $a has not ended: process $pid is working on it"
	like "and what to do" "$(flat)" "patchday resume --state $a"
	in_b plan --check "$tmp/small.lua"
	like "so is the dry run" "$rc $(flat)" "^4 .*two runs would change the server at once.*state folder $a"
	killed
	cp -r "$a" "$tmp/saved"
	echo "$armed" >"$tmp/armed"
	in_b run "$tmp/small.lua"
	like "also when the first one was killed" "$rc $(flat)" "^4 .*state folder $a has not ended, and nobody is working on it"
	check "nothing was touched" [ ! -e "$f/b" ]
	is "and the first one goes on after a start" "$(cat $unit)" "$armed"
	touch "$f/go"
	in_a resume
	is "it does, and gives back what it held" "$rc $(state_of "$a") $(cat "$f/a") $(acts "$f/held" undo)" "0 done x 1"
	check "and takes its unit away" [ ! -e $unit ]
	in_b run "$tmp/small.lua"
	is "then the other may begin" "$rc $(state_of "$b")" "0 done"

	fresh
	begun "$b"
	killed
	in_a run "$tmp/small.lua"
	like "a folder is named as it is, whatever is in its name" "$rc $(flat)" "^4 .*state folder $b has not"
	rm -rf "$a"
	mv "$b" "$tmp/moved"
	cp $unit "$tmp/unit"
	begun "$a"
	is "a unit for a folder that is gone is in nobody's way" "$(state_of "$a")" running
	mv "$tmp/moved" "$b"
	cp "$tmp/unit" $unit
	touch "$f/go"
	wait $pid
	is "one run ends" "$? $(state_of "$a")" "0 done"
	check "and leaves the unit of another one alone" cmp -s "$tmp/unit" $unit
	in_a undo
	like "nor is it taken back under the other one" "$rc $(flat)" "^4 .*state folder $b has not"
	check "the unit stays whose it is" cmp -s "$tmp/unit" $unit
	rm $unit
	in_a undo
	is "the remedy helps: without it the way is free" "$rc $(state_of "$a")" "1 rolled back"

	# ---- two that look at once, before either has armed the unit
	fresh
	PATCHDAY_STATE=$b
	exec 9</etc/systemd/system
	flock 9
	"${patchday[@]}" run "${places[@]}" "$tmp/small.lua" >"$tmp/out" 2>&1 </dev/null 9<&- &
	pid=$!
	owned() { sqlite3 "$b/journal.db" "SELECT 1 FROM event WHERE kind = 'owner'" | grep -q 1; }
	check "one has looked and is about to begin" wait_for owned
	mkdir "$a"
	cp "$tmp/saved"/journal.* "$a/"
	cp "$tmp/armed" $unit
	exec 9<&-
	wait $pid
	is "another one that was faster wins" "$? $(state) $(ls "$f")" "4 refused "
	like "and is named" "$(cat "$tmp/out")" "\[run-elsewhere\]"
	check "the unit is the faster one's" cmp -s "$tmp/armed" $unit
	PATCHDAY_STATE=$a
	rm -r "$tmp/saved"
	umount /etc/systemd/system /run
	fresh
fi

# ---- a run needs its plugins until it has ended
mkdir "$tmp/other"
here=("${places[@]}")
away=(--plugin-dir "$tmp/other" --scripts "$PD_SRCDIR/scripts")
rows() { sqlite3 "$a/journal.db" "SELECT max(n) FROM event"; }
# untouched WHAT COMMAND: by the plugins that are there now
untouched()
{
	local before

	before="$(rows) $(state)"
	places=("${away[@]}")
	pd "$2"
	places=("${here[@]}")
	like "$1: $2 is refused" "$rc $(flat)" "^2 .*needs the step steps\.write: .*steps"
	is "$1: $2 touches nothing" "$(rows) $(state)" "$before"
}
begun "$a"
killed
touch "$f/go"
untouched "without the plugin" resume
like "with the folder that it was in" "$(flat)" "begun with --plugin-dir $tmp/plugins: give it again"
untouched "without the plugin" undo
echo "no plugin any more" >"$tmp/other/steps.so"
untouched "with one that does not load" resume
pd resume
is "with its plugins it goes on" "$rc $(state)" "0 done"
untouched "when it is done" undo
check "what was done stands" [ -e "$f/a" ]
pd undo
is "with its plugins it is taken back" "$rc $(state)" "1 rolled back"
rm "$tmp/other/steps.so"
places=("${away[@]}")
pd undo
places=("${here[@]}")
is "a run that is taken back needs none" "$rc" 1

fresh
PATCHDAY_FAULT=kill@3 pd run "$tmp/small.lua"
untouched "of a run that has done nothing yet" resume
places=("${away[@]}")
pd resume --skip one/steps.write --why "it is not for this server"
places=("${here[@]}")
is "a step that is passed over needs none" "$rc $(state)" "0 done"

fresh
guards="steps.gate { path = \"$f/gate\" }" workflow small <<END
pd.stage "one" { steps.write { path = "$f/b" } },
END
PATCHDAY_FAULT=kill@3 pd run "$tmp/small.lua"
places=("${away[@]}")
pd resume --skip one/steps.write --why "it is not for this server"
places=("${here[@]}")
like "but its guards are needed" "$rc $(flat)" '^2 .*needs the step steps\.gate'

# ---- a journal that is gone is missed
# lost HOW ID: what was made of the journal
lost()
{
	for command in "run $tmp/small.lua" resume undo; do
		# shellcheck disable=SC2086 # two words
		pd $command
		like "$1: ${command%% *} is refused" "$rc $(flat)" "^2 .*\[$2\]"
	done
	check "$1: nothing was touched" [ ! -e "$f/b" ]
	like "$1: it says how to begin anew" "$(flat)" "remove $a/journal\.head"
}
fresh
begun "$a"
killed
cp -r "$a" "$tmp/saved"
rm "$a"/journal.db*
lost "no journal" journal-lost
check "no journal: none is made" [ ! -e "$a/journal.db" ]
pd plan --check "$tmp/small.lua"
like "no journal: the dry run says so" "$rc $(flat)" "^4 .*a run that has not ended would be forgotten"
: >"$a/journal.db"
lost "an empty file" journal-lost
cp "$tmp/saved"/journal.db* "$a/"
sqlite3 "$a/journal.db" "DELETE FROM event WHERE n > 2"
lost "a journal that is cut off" journal-cut
rm "$a"/journal.db*
cp "$tmp/saved"/journal.* "$a/"
touch "$f/go"
pd resume
is "put back, it goes on" "$rc $(state)" "0 done"
rm "$a"/journal.*
pd run "$tmp/small.lua"
is "without the head one begins anew" "$rc $(state)" "0 done"

# ---- a failure says why
fresh
for blank in "" " " '\n\t'; do
	workflow blank <<END
pd.stage "one" { steps.write { path = "$f/a", fail = "blank", blank = "$blank" } },
END
	pd run "$tmp/blank.lua"
	like "a text of blanks is none: '$blank'" "$("${patchday[@]}" status --json | jq -r .why)" \
		'apply failed .* without saying why \(a bug of plugin .steps'
	pd undo
done
end
