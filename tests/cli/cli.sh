#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line as a person in trouble meets it: help, JSON, hostile input,
# two runs at once, signals, a state folder that can't be used.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in jq sqlite3; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
f=$tmp/f
pd=${patchday[0]}

# json COMMAND ARGUMENT...: standard output alone; sets $out and $rc
json()
{
	local command=$1

	shift
	out=$("$pd" "$command" --json "${places[@]}" "$@" 2>/dev/null </dev/null)
	rc=$?
}

owner()
{
	cut -d' ' -f1 "$PATCHDAY_STATE/lock"
}

workflow good <<END
pd.stage "one" { steps.noop {}, steps.write { path = "$f/a", text = "A" } },
END
workflow refuse <<END
pd.stage "one" { steps.write { path = "$f/r", fail = "refuse" } },
END
workflow slow <<END
pd.hold { steps.write { path = "$f/held", back_waits_for = "$f/free" },
  pd.stage "body" { on_failure = "undo", steps.write { path = "$f/s1", waits_for = "$f/go", back_waits_for = "$f/back" },
    steps.write { path = "$f/s2" } } },
END

# ------------------------------------------------------------ help and JSON
commands=$("$pd" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
check "all commands are listed" [ "$(wc -w <<<"$commands")" -ge 13 ]
for c in $commands; do
	[ ! -x "$PD_BUILDDIR/patchday-$c" ] || continue # takes the options of run
	like "$c --help" "$("$pd" "$c" --help 2>&1)" "^Usage: patchday $c "
	pd "$c" --bogus
	is "$c refuses an unknown option" "$rc" 2
	json "$c" --bogus
	is "and says so in JSON" "$(jq -r .error.id <<<"$out")" usage
done
pd plan --cheque "$tmp/good.lua"
like "with the nearest option" "$out" 'Did you mean --check\?'
pd run "$tmp/good.lua"
is "a run" "$rc" 0
for c in "plan $tmp/good.lua" "plan --check $tmp/good.lua" "run $tmp/good.lua" status "status --all" report \
	"report --to $tmp/certificates" plugins "plugins steps" "facts --facts $PD_SRCDIR/tests/data/facts/none" \
	doctor "doctor $tmp/good.lua" explain "explain usage" "explain nothing" "status none" "undo none" \
	"plan none" "catalog check none" "catalog sho" "catalog show $PD_SRCDIR/catalogs/examples/"*.xml \
	"scan --catalog none" "signoff" "run none" "report --format none"; do
	# shellcheck disable=SC2086 # words
	json $c
	check "$c --json: status $rc, JSON" jq -e . <<<"$out" >/dev/null
done
check "--events are JSON lines" jq -es 'length > 3' <<<"$("$pd" run --events "${places[@]}" "$tmp/good.lua")" >/dev/null
# ------------------------------------------------------------------- doctor
cat >"$tmp/lacks.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "lacks", role = "test", help = "a test",
  params = { a = pd.string { required = true, help = "one" }, b = pd.path { required = true, help = "other" } },
  questions = { told = pd.question { ask = "Who was told?", type = "string" },
    way = pd.question { ask = "Which way?", choices = { "up", "down" } } },
  plan = function(t)
    return { pd.stage "one" { steps.write { path = "$f/lacks", text = "A" },
        steps.write { path = "$f/lacks2", fail = "refuse" }, steps.write { path = "$f/lacks3", fail = "refuse" } },
      pd.signoff { parties = { "ops", "owner" } } }
  end }
END
all="--param a=1 --param b=/x"
# rows FILTER: of the JSON of doctor
rows()
{
	jq -r "[.[] | $1] | join(\" \")" <<<"$out"
}
before=$(find "$PATCHDAY_STATE" "$f" -type f -exec sha256sum {} + | sort)
json doctor "$tmp/lacks.lua"
is "doctor: status when something is missing" "$rc" 4
is "all parameters that are missing at once" "$(rows 'select(.parameter) | .parameter')" "a b"
like "with what to type" "$(rows '.remedy // empty')" '--param a=STRING'
is "and what people know, though it can't be planned" "$(rows 'select(.question) | .question')" "told way"
json doctor fil-print
like "a role that is meant by a misspelt one" "$(rows 'select(.ok | not) | .check')" 'did you mean file-print\?'
# shellcheck disable=SC2086 # words
json doctor "$tmp/lacks.lua" $all --key "$tmp/no.key"
is "each open question" "$(rows 'select(.question) | .question')" "told way"
like "with its choices and the answers file" "$(rows 'select(.question == "way") | .remedy')" 'up, down.*--answers FILE'
is "what each step's check has against it, once" "$(rows 'select(.step and .cause) | .step' | wc -w)" 2
check "each lack has a remedy" jq -e 'all(.[]; .ok or (.remedy | length > 5))' <<<"$out" >/dev/null
like "no key" "$(rows 'select(.ok | not) | .remedy')" "final --make-key --key $tmp/no.key"
is "parties are no lack" "$(jq -c '[.[] | select(.parties) | .ok, .info, .parties]' <<<"$out")" '[true,true,["ops","owner"]]'
like "room" "$(rows .check)" "free for the state folder"
is "nothing was written" "$(find "$PATCHDAY_STATE" "$f" -type f -exec sha256sum {} + | sort)" "$before"
printf '{"told": "all", "way": "up"}' >"$tmp/answers.json"
"$pd" final --make-key --key "$tmp/doctor.key" >/dev/null
# shellcheck disable=SC2086 # words
json doctor "$tmp/lacks.lua" $all --answers "$tmp/answers.json" --key "$tmp/doctor.key"
is "an answer mends it" "$(rows 'select(.question) | .question')" ""
like "so does a key" "$(rows 'select(.ok) | .check')" "the key $tmp/doctor.key can seal"
chmod 644 "$tmp/doctor.key"
# shellcheck disable=SC2086 # words
json doctor "$tmp/lacks.lua" $all --key "$tmp/doctor.key"
like "a key that others can read" "$(rows 'select(.ok | not) | .check + .remedy')" "$tmp/doctor.key.*chmod 0600"
pd doctor "$tmp/lacks.lua" --param a=1 --param b=/x
like "for people, cause and remedy" "$out" 'told to refuse'
json doctor "$tmp/good.lua"
like "a workflow that lacks nothing" "$(rows 'select(.ok) | .check')" 'has nothing against 2 steps'
is "has no lack but systemd" "$(rows 'select(.ok | not) | .check' | sed 's/systemd is init//')" ""
like "completion knows the options" "$("$pd" complete -- doctor --k)" '^--key'
# ------------------------------------------- where there is nothing to do
cat >"$tmp/idle.lua" <<'END'
local pd = require "patchday"
return pd.workflow { api = 1, name = "idle", plan = function() return pd.nothing "no update applies" end }
END
pd plan --rollback "$tmp/idle.lua"
is "a rollback plan of nothing says so" "$rc $(tail -1 <<<"$out")" \
	"0 nothing to do: no update applies; so there is nothing that could be taken back"
json plan --rollback "$tmp/idle.lua"
is "also in JSON" "$(jq -c . <<<"$out")" '[{"nothing":"no update applies","steps":[]}]'
pd plan --check "$tmp/idle.lua"
is "so does a dry run" "$rc $(sed 1d <<<"$out")" "0 nothing to do: no update applies
no step is there that could look at this server"
json plan --check "$tmp/idle.lua"
is "also in JSON: dry run" "$rc $(jq -c . <<<"$out")" '0 [{"nothing":"no update applies"}]'
pd doctor "$tmp/idle.lua"
like "and doctor, which could look at nothing" "$out" '^note +nothing to do: no update applies; so no step was looked at, nor secrets and keys$'
json doctor "$tmp/idle.lua"
is "also in JSON: doctor" "$(jq -c '[.[] | select(.nothing) | .nothing, .ok, .info]' <<<"$out")" '["no update applies",true,true]'

# --------------------------------------- two forms of what is printed are none
while read -r first second words; do
	# shellcheck disable=SC2086 # words
	pd $words
	like "$words" "$rc $(xargs -d '\n' <<<"$out")" "^2 .*--$first and --$second don't go together.*Each says what is printed: give one of them\\."
done <<'END'
csv json scan --csv --json
events json run none.lua --events --json
events json resume --json --events
events json undo --events --json
events json status --follow --events --json
events json signoff --party o --events --json
events json final --json --events
csv json catalog show --json --csv none.xml
csv json schedule --json none.csv --csv
csv json risk --csv --json
csv dates risk --dates --csv
form json risk --json --form
format json report --format=xml --json
check rollback plan --rollback --check generic
END

workflow secret <<END
pd.stage "one" { steps.leak { value = pd.secret { file = "$tmp/none" }, path = "$f/leak" },
  steps.leak { value = pd.secret { file = "$tmp/none2" }, path = "$f/leak" } },
END
json doctor "$tmp/secret.lua"
is "each secret whose file is missing" "$rc $(jq -r '.[].check' <<<"$out" | grep -o 'none2* ' | xargs)" "4 none none2"
guards="steps.gate { path = \"$f/shut\" }" workflow gated <<END
pd.stage "one" { steps.noop {} },
END
json doctor "$tmp/gated.lua"
is "no guard speaks against it" "$(rows 'select(.guard) | .guard')" ""
touch "$f/shut"
json doctor "$tmp/gated.lua"
is "one that does is no lack" "$(jq -c '[.[] | select(.guard) | .ok, .info]' <<<"$out")" '[true,true]'
rm -f "$f/shut"

pd scan
is "a scan without any catalog does not say that nothing is needed" "$rc" 2
pd plan "$tmp/good.lua" --param $'x=\xff'
is "an argument that is not UTF-8" "$rc" 2
like "is named" "$out" 'is not UTF-8'
mkdir "$tmp/"$'l\xff'
cp "$tmp/good.lua" "$tmp/"$'l\xff'
json plan "$tmp/l"?"/good.lua"
is "so is a path" "$rc $(jq -r .error.id <<<"$out")" "2 usage"
out=$(cd "$tmp/"$'l\xff' && "$pd" plan "${places[@]}" ./good.lua 2>&1)
like "also when only the folder is not" "$out" 'is not UTF-8'
if [ -e /dev/full ]; then
	"$pd" plan "${places[@]}" "$tmp/good.lua" >/dev/full 2>&1
	is "output that can't be written is an error" "$?" 2
	"$pd" run "${places[@]}" "$tmp/good.lua" >/dev/full 2>&1
	is "but a run says how it ended" "$?" 0
fi

# ---------------------------------------------------------------- catalogs
echo '{"packages": [{"name": "libssl3", "version": "3.0.1", "arch": "amd64", "scheme": "deb"}]}' >"$tmp/facts.json"
catalogs=$PD_SRCDIR/catalogs/examples bad=$PD_SRCDIR/tests/data/catalogs/bad
pd catalog check "$catalogs/packages.xml"
is "without the plugin native its catalogs are of no known format" "$rc" 2
like "that is said" "$out" 'packages.xml: this is of no format that a plugin here reads.*\[catalog-format\]'
cp "$PD_BUILDDIR/plugins/native/.libs/native.so" "$tmp/plugins/"
pd catalog check "$catalogs/packages.xml"
like "with it they are read" "$rc $out" '^0 packages.xml: native:native, 5 updates, 0 passed over'
pd catalog check "$bad/schema-word.xml"
is "a mistake in a catalog" "$rc" 2
like "has its place and the word that is meant" "$out" '^patchday: schema-word.xml:2:33: kind="sec[a-z]*" of <update> is not known; expected other, .*"security" meant\? \[catalog-read\]'
pd scan --catalog "$catalogs/packages.xml" --catalog "$bad/meaning-exit-twice.xml" --facts "$tmp/facts.json"
is "an entry that is refused refuses the catalog" "$rc" 2
like "with its place too" "$out" '^patchday: meaning-exit-twice.xml:5:36: update A-1: exit status 0 .*\[catalog-update\]'
json scan --catalog "$catalogs/packages.xml" --facts "$tmp/facts.json" --why EX-2026-014
is "a verdict in JSON" "$(jq -r '[.verdict, .reason, .packages[0].installed] | join("|")' <<<"$out")" \
	"needed|libssl3 3.0.1 is installed, 3.0.17-1~deb12u2 is offered|3.0.1"

# ----------------------------------------------------------- hostile texts
workflow sign <<END
pd.stage "one" { steps.write { path = "$f/e", text = "\\27[31m\\u{9b}31m\\u{202e}" } },
pd.signoff { parties = { "o\\27]0;x\\7" } },
END
pd plan "$tmp/sign.lua"
shown=$out
pd run "$tmp/sign.lua"
is "a run that waits" "$rc" 5
shown+=$out
for c in status report "signoff --party o --name $(printf '\033[5m')"; do
	# shellcheck disable=SC2086 # words
	pd $c
	shown+=$out
done
empty "no control character of a workflow reaches the terminal" \
	"$(grep -aP '\x1b|\x07|\xc2[\x80-\x9f]|\xe2\x80\xae' <<<"$shown" | cat -v)"
typed -- "$pd" status
like "colors on a terminal" "$out" $'\033\\[3'
NO_COLOR=1 typed -- "$pd" status
empty "none with NO_COLOR" "$(grep -a $'\033\\[3' <<<"$out")"
for term in TERM= TERM=unknown TERM=dumb "-u TERM"; do
	# shellcheck disable=SC2086 # words
	typed -- env $term "$pd" status
	empty "none with a terminal of which nothing is known ($term)" "$(grep -a $'\033' <<<"$out")"
done
pd signoff --party $'o\033]0;x\a'
is "an odd party can sign" "$rc" 0
sed 's/help = "a test"/help = "x", params = { site = pd.string { help = "x" } }/' "$tmp/good.lua" >"$tmp/site.lua"
pd run "$tmp/site.lua" --param site="$(printf 'ä%.0s' {1..3000})"
is "a long site has a certificate" "$rc $(grep -c '^certificate:' <<<"$out")" "0 1"

# ------------------------------------------------- two at once, and signals
pd run "$tmp/refuse.lua"
is "a refused run" "$rc" 4
like "says why, also later" "$("$pd" status)" 'refused: one/steps.write: told to refuse'
"$pd" run "${places[@]}" "$tmp/slow.lua" >"$tmp/out" 2>&1 </dev/null &
run=$!
check "a run is at its step" wait_for step_is body/steps.write begun
pid=$(owner)
is "the lock has its pid" "$pid" "$run"
is "the plugin of its steps is in its memory, and none that only planning needed" \
	"$(grep -oE '/(steps|native)\.so' "/proc/$pid/maps" | sort -u | xargs)" /steps.so
for c in "run $tmp/good.lua" resume undo "signoff --party x"; do
	# shellcheck disable=SC2086 # words
	pd $c
	is "a second $c is refused" "$rc" 4
	like "with pid, run and step" "$out" "process $pid is working on run [0-9a-f-]+, at step body/steps.write"
done
is "status knows it" "$("$pd" status --json | jq -r '"\(.state) \(.pid)"')" "running $pid"
is "so does report" "$("$pd" report --json | jq -r .pid)" "$pid"
kill -INT "$pid"
check "Ctrl-C gives back what is held" wait_for step_is hold/steps.write undoing
kill -INT "$pid"
sleep 1.2 # it may look at its signals once a second
touch "$f/free"
wait "$run"
is "Ctrl-C stops the run" "$? $(state)" "5 stopped"
check "with no further step" [ ! -e "$f/s2" ]
check "what was held is back" [ ! -e "$f/held" ]
like "and says what to do" "$(cat "$tmp/out")" 'next: .*patchday resume'
touch "$f/back"
pd undo
is "undo takes it back" "$rc" 1
rm "$f/free" "$f/back"
"$pd" run "${places[@]}" "$tmp/slow.lua" >"$tmp/out" 2>&1 </dev/null &
run=$!
check "the next is at its step" wait_for step_is body/steps.write begun
kill -TERM "$run"
wait "$run"
is "SIGTERM leaves it for the next start" "$? $(state)" "5 interrupted"
is "status --all says so too" "$("$pd" status --all --json | jq -r '.[0].state')" interrupted
check "what was held stays so" [ -e "$f/held" ]

# ---------------------------------------------------------------- tampering
cp -r "$PATCHDAY_STATE" "$tmp/changed"
sqlite3 "$tmp/changed/journal.db" "UPDATE event SET data = replace(data, '$f/s2', '$f/evil') WHERE kind = 'plan'"
pd resume --state "$tmp/changed"
is "a plan changed in the journal is not gone on with" "$rc" 2
like "with the row" "$out" 'row [0-9]+ of the journal .*\[journal-damaged\]'
check "nothing was done" [ ! -e "$f/evil" ]
pd undo --state "$tmp/changed"
is "nor taken back" "$rc" 2
touch "$f/go" "$f/free"
pd resume
is "the real one goes on" "$rc $(cat "$f/s2")" "0 x"
"$pd" undo "${places[@]}" >"$tmp/out" 2>&1 </dev/null &
run=$!
check "an undo is at its step" wait_for step_is body/steps.write undoing
kill -KILL "$run"
wait "$run" 2>/dev/null
touch "$f/back"
pd resume
is "resume goes on with an undo" "$rc $(state)" "1 rolled back"
like "and keeps its reason" "$("$pd" status)" 'state: rolled back: asked for by a person'

# --------------------------------------------------------- state folders
# refused TEXT FOLDER: no run there, and nothing done
refused()
{
	rm -f "$f/a"
	pd run --state "$2" "$tmp/good.lua"
	is "$1: refused" "$rc" "${3:-2}"
	like "$1: names the folder" "$out" "$2.*\[[a-z-]+\]"
	check "$1: nothing was touched" [ ! -e "$f/a" ]
}
mkdir -m 0777 "$tmp/public"
refused "a state folder others can write in" "$tmp/public"
mkdir -m 0700 "$tmp/foreign"
chown 65534 "$tmp/foreign"
refused "somebody else's state folder" "$tmp/foreign"
refused "a state folder that can't be made" /proc/none
touch "$tmp/file"
refused "a file as the state folder" "$tmp/file"
cp "$tmp/good.lua" "$tmp/theirs.lua"
chmod 666 "$tmp/theirs.lua"
pd run "$tmp/theirs.lua"
is "a workflow that others can write is not run by root" "$rc" 2
like "with the remedy" "$out" 'chmod go-w .*theirs.lua'
chown 65534 "$tmp/theirs.lua"
chmod 644 "$tmp/theirs.lua"
pd plan "$tmp/theirs.lua"
is "nor one of somebody else" "$rc" 2
SUDO_UID=65534 pd plan "$tmp/theirs.lua"
is "unless that is who has called sudo" "$rc" 0

mkdir -m 0700 "$tmp/odd"
head -c 5000 /dev/urandom >"$tmp/odd/journal.db"
refused "a journal that is no database" "$tmp/odd"
json status --state "$tmp/odd"
is "status says so" "$rc $(jq -r .error.id <<<"$out")" "2 journal-failed"
rm "$tmp/odd/journal.db"
mkfifo "$tmp/odd/journal.db"
refused "a fifo as the journal" "$tmp/odd"
mkdir "$tmp/small"
if mount -t tmpfs -o size=64k,mode=700 tmpfs "$tmp/small" 2>/dev/null; then
	trap 'umount "$tmp/small"; rm -rf "$tmp"' EXIT
	refused "a state folder without room" "$tmp/small"
	umount "$tmp/small"
	mount -t tmpfs -o size=128k,mode=700 tmpfs "$tmp/small"
	pd run --state "$tmp/small" "$tmp/good.lua"
	is "room that ends under way: the run waits" "$rc" 5
	like "with the cause" "$out" 'full .*\[journal-failed\]|No space left'
	mount -o remount,size=8m "$tmp/small"
	pd resume --state "$tmp/small"
	is "and goes on when there is room" "$rc $(cat "$f/a")" "0 A"
fi
# ------------------------------------------------------------ $PATCHDAY_PATH
mkdir -m 755 "$tmp/bin" "$tmp/mine" && mkdir -m 777 "$tmp/open" && chmod 777 "$tmp/open"
chown 65534 "$tmp/mine"
ln -s /usr/bin "$tmp/open/link"
ln -s "$tmp/bin" "$tmp/link"
for path in bin "/usr/bin:" "$tmp/none" "$tmp/open" "$tmp/mine" "/usr/bin:$tmp/open" "$tmp/open/link"; do
	PATCHDAY_PATH=$path pd run "$tmp/good.lua"
	like "as root the path '${path#"$tmp"}' is refused" "$rc $out" '^2 .*PATCHDAY_PATH.*\[path-not-trusted\]'
done
for path in "$tmp/bin" "/usr/sbin:/usr/bin:/sbin:/bin" "$tmp/link"; do
	PATCHDAY_PATH=$path pd run "$tmp/good.lua"
	is "'${path#"$tmp"}' is taken" "$rc" 0
done
if command -v setpriv >/dev/null; then
	chmod 755 "$tmp" "$tmp/plugins"
	user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	out=$("${user[@]}" "$pd" run "${places[@]}" "$tmp/good.lua" 2>&1)
	is "a run without root" "$?" 2
	like "says what it needs" "$out" 'needs root \[not-root\]'
	like "status without root says what is forbidden" "$("${user[@]}" "$pd" status 2>&1)" 'Permission denied'
fi

# --------------------------------------------------- folders without plugins
mkdir "$tmp/odd"
echo '{}' >"$tmp/none.json"
like "no facts without a scanner: that is said" "$("$pd" facts --facts "$tmp/none.json" --plugin-dir "$tmp/odd" 2>&1)" '^patchday: .*nothing is known'
is "and JSON stays JSON" "$("$pd" facts --json --facts "$tmp/none.json" --plugin-dir "$tmp/odd" 2>/dev/null)" "{}"
touch "$tmp/odd/Foo.so" "$tmp/odd/a-b.so" "$tmp/odd/9x.so" "$tmp/odd/x"$'\xff'.so
out=$("$pd" plugins --plugin-dir "$tmp/odd" 2>&1)
for name in Foo a-b 9x 'x.'; do
	like "a file whose name can't be a plugin's is told ($name)" "$out" "odd/$name.so is passed over: its name is no plugin's"
done
like "also when it is looked for" "$("$pd" plugins a-b --plugin-dir "$tmp/odd" 2>&1)" "no plugin 'a-b' in .*; passed over, as .*/a-b.so"

# --------------------------------------- of one name in two folders of plugins
mkdir "$tmp/old"
cp "$tmp/plugins/steps.so" "$tmp/old/"
two=(--plugin-dir "$tmp/old" --plugin-dir "$tmp/plugins")
told="$tmp/plugins/steps.so is not used: $tmp/old/steps.so comes before it"
is "the first folder's plugin is used" "$("$pd" plugins "${two[@]}" --json steps 2>/dev/null | jq -r '.[0].path')" "$tmp/old/steps.so"
like "and the other is told" "$("$pd" plugins "${two[@]}" 2>&1 >/dev/null)" "^patchday: $told\$"
like "also by its name" "$("$pd" plugins "${two[@]}" steps 2>&1 >/dev/null)" "^patchday: $told\$"
unlike "and to nobody who asks for another" "$("$pd" plugins "${two[@]}" native 2>&1)" "steps.so is not used"
is "doctor tells it, and misses nothing by it" "$("$pd" doctor "${two[@]}" --json | jq -c --arg told "$told" '.[] | select(.check == $told) | [.ok, .info]')" "[true,true]"

# ------------------------------------- a plugin that does not come to an end
mkdir "$tmp/endless"
cp "$PD_BUILDDIR/tests/modules/endless/.libs/endless.so" "$tmp/endless/"
out=$(timeout 120 "$pd" plugins --plugin-dir "$tmp/endless" 2>&1)
like "a plugin whose constructor loops is named, and ends the command" "$? $out" "^2 patchday: $tmp/endless/endless.so does not come to an end"
mkdir "$tmp/ends"
cp "$PD_BUILDDIR/tests/modules/ends/.libs/ends.so" "$tmp/ends/"
echo 'return require "patchday".workflow { api = 1, name = "x", help = "x", plan = function() require "patchday".use "ends" end }' >"$tmp/ends.lua"
while read -r how words; do
	out=$(PD_ENDS_BY=$how timeout 120 "$pd" run --plugin-dir "$tmp/ends" --plugin-dir "$tmp/plugins" "$tmp/ends.lua" 2>&1 </dev/null)
	like "one with $how in its constructor is named, and is no success" "$? $out" "^2 patchday: $tmp/ends/ends.so $words when it is loaded \[plugin-end"
done <<'END'
exit calls exit\(\)
quick_exit calls exit\(\)
_exit calls _exit\(\)
_Exit calls _exit\(\)
abort calls abort\(\)
crash crashes
pause does not come to an end
END
like "a child of its constructor may end" "$(PD_ENDS_BY=child "$pd" plugins --plugin-dir "$tmp/ends" 2>&1)" '^ends '
like "one that does not end patchday is loaded" "$("$pd" plugins --plugin-dir "$tmp/ends" 2>&1)" '^ends '

# ------------------------------------------------ one for another machine
for at in '4:\1' '5:\2' '18:\267'; do
	cp "$PD_BUILDDIR/tests/modules/ends/.libs/ends.so" "$tmp/ends/"
	printf "${at#*:}" | dd of="$tmp/ends/ends.so" bs=1 seek="${at%:*}" conv=notrunc status=none
	[ "$(uname -m)" != aarch64 ] || [ "$at" != '18:\267' ] || printf '\76' | dd of="$tmp/ends/ends.so" bs=1 seek=18 conv=notrunc status=none
	like "a plugin for another machine is told as that (${at%:*})" "$("$pd" plugins --plugin-dir "$tmp/ends" 2>&1)" \
		'/ends.so is for another machine: .*; this one is .* bits \[plugin-load\]'
done
end
