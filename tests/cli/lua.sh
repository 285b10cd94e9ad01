#!/bin/bash
# SPDX-License-Identifier: MIT
# The Lua of the command line: closed, trusted only where nobody else writes,
# a fault of it costs nothing, and a command is added in a few lines.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f
pd=${patchday[0]}
cp -r "$PD_SRCDIR/scripts" "$tmp/scripts"
chmod -R u+w,go-w "$tmp/scripts"
chmod 755 "$tmp" "$tmp/plugins"

# edited EXPRESSION FILE COMMAND...: with a changed copy of the scripts
edited()
{
	local expression=$1 file=$2

	shift 2
	cp "$PD_SRCDIR/scripts/cli/$file" "$tmp/scripts/cli/$file"
	[ -z "$expression" ] || sed -i "$expression" "$tmp/scripts/cli/$file"
	pd "$@" --scripts "$tmp/scripts"
	cp "$PD_SRCDIR/scripts/cli/$file" "$tmp/scripts/cli/$file"
}

workflow good <<END
pd.stage "one" { steps.noop {}, steps.write { path = "$f/a", text = "A" } },
END

# -------------------------------------------------------- a command is added
cat >"$tmp/scripts/cli/hello.lua" <<'END'
local _, core = ...
local base = require "cli.base"
local function closed()
  local there = {}
  for _, name in ipairs { "io", "os", "debug", "package", "coroutine", "load", "loadfile", "dofile", "loadstring",
    "collectgarbage", "print", "warn" } do
    if _G[name] ~= nil then there[#there + 1] = name end
  end
  for _, name in ipairs { "io", "os", "debug", "patchday", "cli../../x", "cli.", "../cli/main", "cli.none" } do
    if pcall(require, name) then there[#there + 1] = "require " .. name end
  end
  base.print("open: %s\n", table.concat(there, " "))
  return 0
end
return { hello = {
  operands = "say|closed|lists [WHOM]", least = 1, most = 2, summary = "say hello",
  options = { { "loud", nil, "with capitals" }, { "times", "N", "how often" } },
  verbs = {
    closed = closed,
    lists = function()
      base.print_line { empty = core.list {}, object = {}, real = 1.0, whole = 1, nested = { { core.list {} } } }
      return 0
    end,
    say = function(cli)
      local text = "hello " .. (cli.operands[1] or "world")
      base.print("%s\n", (cli:option("loud") and text:upper() or text):rep(tonumber(cli:option("times") or 1)))
      return 7
    end,
  },
} }
END
row='s/^local commands = {/&\n\t{ "hello", "hello" },/'
edited "$row" main.lua hello say --loud --times=2
is "a command of a few lines works" "$rc $out" "7 HELLO WORLDHELLO WORLD"
edited "$row" main.lua hello --help
like "its help comes from its table" "$out" '^  --times N +how often$'
edited "$row" main.lua hello sya
like "its verbs are suggested" "$out" 'Did you mean `patchday hello say`\?'
edited "$row" main.lua hello closed
is "Lua has no way to the system but ours" "$out" "open: "
edited "$row" main.lua hello lists
is "lists, objects and numbers stay what they are" "$out" \
	'{"empty":[],"nested":[[[]]],"object":{},"real":1.0,"whole":1}'

# ------------------------------------------------------------ faults of Lua
edited 's/^local function run(cli)/&\n\tlocal x = nil + 1/' run.lua run "$tmp/good.lua"
is "a fault in a command: status" "$rc" 2
like "is named with its line" "$out" 'patchday: cli.run:[0-9]+: .*\[internal\]'
check "nothing was touched" [ ! -e "$f/a" ]
edited 's/^local function run(cli)/&\n\tlocal x = nil + 1/' run.lua run --json "$tmp/good.lua"
like "also in JSON" "$out" '"id": "internal"'
edited 's/^local base = .*/local base = (/' main.lua status
is "a file that is no Lua: status" "$rc" 2
like "is named too" "$out" 'internal error: cli.main:[0-9]+:'
edited 's/^local function event(heard)/&\n\tif heard.event.n > 0 then error("a fault") end/' view.lua \
	run "$tmp/good.lua"
is "a fault in the view does not end the run" "$rc $(state) $(cat "$f/a")" "0 done A"
is "and is told once" "$(grep -c 'internal error in the view' <<<"$out")" 1
like "the last words come all the same" "$out" '^certificate: '
edited 's/^local function last_words(.*/&\n\tlocal x = nil + 1/' run.lua undo
is "a fault after an undo: the status is its end" "$rc $(state)" "1 rolled back"
like "and the fault is told" "$out" '\[internal\]'

# ------------------------------------------------------------ the live line
cp "$PD_BUILDDIR"/plugins/{command/.libs/command,native/.libs/native}.so "$tmp/plugins/"
mkdir -m 755 /run/patchday-test.$$ && trap 'rm -rf "$tmp" /run/patchday-test.$$' EXIT
cat >"/run/patchday-test.$$/work" <<'END'
#!/bin/sh
read -r request
if [ "$PATCHDAY_PHASE" = apply ]; then
	printf '{"progress":[1,4],"text":"a\\u001b]0;x\\u0007b"}\n'
	sleep 2
	printf '{"log":"half of it"}\n'
	sleep 0.1
	printf '{"log":"and more"}\n'
	sleep 0.1
	printf '{"progress":[3,4],"text":"%s"}\n' "$(printf 'ä%.0s' $(seq 300))"
	sleep 2.5
fi
[ "$PATCHDAY_PHASE" = verify ] && echo '{"result":"unchanged"}' || echo '{"result":"changed"}'
END
chmod 755 "/run/patchday-test.$$/work"
workflow live <<END
pd.stage "one" { steps.run { argv = { "/run/patchday-test.$$/work" }, reversible = true } },
END
sed -i 's/pd.use "steps"/pd.use "command"/' "$tmp/live.lua"
like "what can be undone by its arguments is shown so" "$("$pd" plan "${places[@]}" "$tmp/live.lua")" '^ +1 < command.run'
sed 's/, reversible = true//' "$tmp/live.lua" >"$tmp/forgood.lua"
out=$("$pd" plan "${places[@]}" "$tmp/forgood.lua")
like "what can't, too" "$out" '^ +1 ! command.run'
like "with the point of no return" "$out" '---- point of no return'
sed 's/reversible = true/readonly = true/' "$tmp/live.lua" >"$tmp/looks.lua"
like "and what only looks" "$("$pd" plan "${places[@]}" "$tmp/looks.lua")" '^ +1   command.run'
typed -- "$pd" run --accept-no-return test "${places[@]}" "$tmp/live.lua"
like "progress is a line that lives" "$out" '  one/command.run  step 1 of 1  25 %  [0-9]+s of about 10s  a\?\]0;x\?b'
like "cut at the edge of the terminal" "$out" '  75 %  [0-9]+s of about 10s  ä{10,40}'$'(\r|\033)'
like "and wiped" "$out" $'\r\033\\[J'
like "it is there again below what is printed" "$(tr '\r' '\n' <<<"$out" | sed '/^$/d')" 'and more
  one/command.run  step 1 of 1  25 %'
typed " 25 %" "|30" -- "$pd" run --accept-no-return test "${places[@]}" "$tmp/live.lua"
like "when the terminal becomes narrow, all lines that it has become are wiped" "$out" $'\r\033\\[[12]A\033\\[J'
empty "and it becomes shorter" "$(tr '\r' '\n' <<<"$out" | grep -aE ' 75 %.{20}')"
typed -- "$pd" run --plain --accept-no-return test "${places[@]}" "$tmp/live.lua"
empty "--plain moves and colors nothing" "$(grep -a $'\033' <<<"$out")"
like "and has words with commas between" "$out" '^[0-9:]{8}, info, one/command.run, half of it.?$'
like "nothing is filled up to columns" "$(pd status --plain; echo "$out")" '^done, one/command.run, [0-9.]+ s$'
like "as has a terminal that can't do more" "$(TERM=dumb; typed -- "$pd" status --log 1; echo "$out")" '^[0-9:]{8}, run, .*, done.?$'
like "and who wants it always" "$(export PATCHDAY_PLAIN=1; pd status --log 1; echo "$out")" '^[0-9:]{8}, run, .*, done$'
pd run --accept-no-return test "$tmp/live.lua"
is "elsewhere there is none" "$rc $(grep -ac '25 %' <<<"$out")" "0 0"
like "the log on demand" "$(pd status --log 3; tail -3 <<<"$out")" ' changed   one/command.run .* s
[0-9:]+ scan .*
[0-9:]+ run .* done$'
pd status --log some
like "of so many lines" "$rc $out" "^2 .*--log wants a number of lines, not 'some'"
"$pd" run --accept-no-return test "${places[@]}" "$tmp/live.lua" >/dev/null 2>&1 &
begun() { pd status && grep -q 'state: running' <<<"$out"; }
wait_for begun
typed -- "$pd" status --follow "${places[@]}"
wait
like "who follows a run sees it live, too" "$out" '  one/command.run  step 1 of 1  [0-9]+ %  [0-9]+s of about [0-9]+s'

# a long name, and signs that take two columns each
cat >"/run/patchday-test.$$/wide" <<'END'
#!/bin/sh
read -r request
if [ "$PATCHDAY_PHASE" = apply ]; then
	printf '{"progress":[1,4],"text":"%s"}\n' "$(printf '\346\227\245%.0s' $(seq 60))"
	sleep 3.5
fi
[ "$PATCHDAY_PHASE" = verify ] && echo '{"result":"unchanged"}' || echo '{"result":"changed"}'
END
chmod 755 "/run/patchday-test.$$/wide"
long=a-step-whose-name-has-more-characters-than-a-terminal-of-forty-columns-has-room-for-and-then-some
sed "s,/work\" },/wide\" }\, id = \"$long\",; s/name = \"live\"/name = \"wide\"/" "$tmp/live.lua" >"$tmp/wide.lua"
cat >"$tmp/widest.py" <<'END'
import re, sys, unicodedata
wide = lambda c: 2 if unicodedata.east_asian_width(c) in "WF" else 1
lines = [l for l in sys.stdin.read().replace("\r", "\n").split("\n") if " 25 %" in l]
lines = [l.removeprefix("\033[J") for l in lines]
# those that were drawn before the terminal became that narrow
width = lambda l: sum(map(wide, l.split("\033")[0]))
while lines and width(lines[0]) >= int(sys.argv[1]):
    lines.pop(0)
print(max(map(width, lines)), *sorted({re.sub("[0-9]+s", "Ns", l.split("\u65e5")[0]).rstrip() for l in lines}), sep="|")
END
# live COLUMNS: how wide the live line was at most, and what is before the words
live() { typed "begin" "|$1" -- "$pd" run --accept-no-return test "${places[@]}" "$tmp/wide.lua" && python3 "$tmp/widest.py" "$1" <<<"$out"; }
like "a long name leaves room for how far it is, at 80 columns" "$(live 80)" '^79\|  one/a-step-whose-.*\.\.\..*then-some  step 1 of 1  25 %  Ns of about Ns$'
like "signs of two columns do not break the line, at 60" "$(live 60)" '^5[89]\|  one/a-[^ ]*\.\.\.[^ ]*-some  step 1 of 1  25 %  Ns of about Ns$'
like "at 40 it is brief" "$(live 40)" '^3[89]\|  one/a-[^ ]*\.\.\.[^ ]*-some  1/1  25 %  Ns/Ns$'

# ---------------------------------------------------------------- --plain
echo '{"os": {"hostname": "alpha"}, "packages": [{"name": "a", "version": "1", "scheme": "deb"}]}' >"$tmp/alpha.json"
cat >"$tmp/due.xml" <<'END'
<catalog xmlns="urn:patchday:catalog:1">
  <update id="U-1" kind="security"><title>one</title><package name="a" version="2" scheme="deb"/></update>
</catalog>
END
echo "server,date,from,to,do,undo,responsible
alpha,2026-11-28,22:00,23:30,30m,30m,Ann" >"$tmp/dates.csv"
cat >"$tmp/all.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "all", questions = { ready = pd.question { ask = "Is it?", type = "boolean" } },
  plan = function(t)
    pd.note "a word"
    return { pd.hold { steps.write { path = "$f/held" }, pd.stage "one" { on_failure = "undo", steps.noop {} } },
      pd.stage "two" { steps.mint { path = "$f/m" }, steps.write { path = "$f/x", text = "x" } } }
  end, guards = function() return { steps.gate { path = "$f/gate", id = "front" } } end }
END
# spoken TEXT COMMAND ARGUMENT...: nothing of it is in columns, further right or drawn
spoken()
{
	local text=$1

	shift
	pd "$@" --plain
	check "--plain: $text says something" [ "$(wc -w <<<"$out")" -gt 3 ] || echo "# $rc $out"
	empty "and nothing in columns or drawn" "$(grep -nE '  |^ | $|--- |== |[|<>!] |^[-*?] ' <<<"$out")"
}
spoken plan plan "$tmp/all.lua" --facts "$tmp/alpha.json"
like "each step is one line" "$out" '^3, steps.mint, path=[^,]*, .*$'
like "with what is held around it" "$out" '^2, steps.noop, changes nothing, while step 1 is held$'
like "its stage" "$out" '^stage one, on failure: undo$'
spoken "a rollback plan" plan --rollback "$tmp/all.lua" --facts "$tmp/alpha.json"
spoken "a dry run" plan --check "$tmp/all.lua"
spoken "a run" run "$tmp/good.lua"
spoken status status
spoken "a list of runs" status --all
spoken "a report" report
like "of each step a line" "$out" '^done, changed, one/steps.write, [0-9.]+ s$'
spoken scan scan --facts "$tmp/alpha.json" --catalog "$tmp/due.xml"
like "of each update a line" "$out" '^needed, [a-z]+, U-1, .'
spoken "an update" catalog show "$tmp/due.xml" --id U-1
sed 's,<title>one</title>,<title/>,' "$tmp/due.xml" >"$tmp/untitled.xml"
spoken "one without a title" catalog show "$tmp/untitled.xml" --id U-1
spoken facts facts --facts "$tmp/alpha.json"
spoken plugins plugins
spoken "a plugin" plugins steps
spoken "an explanation" explain usage
spoken risk risk --facts "$tmp/alpha.json"
spoken schedule schedule "$tmp/dates.csv"
spoken doctor doctor "$tmp/good.lua"
spoken help plan --help
spoken "the help of verbs" catalog --help
like "each verb is one line" "$out" '^show, lists their updates: '
pd plugin --help --plain
is "also of plugin" "$(grep -c '^new, writes\|^check, tries' <<<"$out") $(grep -c '  ' <<<"$out")" "2 0"

out=$("$pd" reherse x 2>&1)
like "and meant by a misspelt word" "$out" 'Did you mean .patchday rehearse'

# ------------------------------------------------------------------- trust
chmod go+w "$tmp/scripts/cli/status.lua"
edited "" run.lua status
is "Lua that others can write is not run" "$rc" 2
like "with the remedy" "$out" 'chmod go-w .*status.lua'
chmod go-w "$tmp/scripts/cli/status.lua"
chmod o+w "$tmp/scripts/cli"
edited "" run.lua status
like "nor from a folder they can write" "$out" 'may be written by others'
chmod o-w "$tmp/scripts/cli"
for way in patchday patchday/init.lua; do
	chmod o+w "$tmp/scripts/$way"
	edited "" run.lua plan "$tmp/good.lua"
	is "what workflows are made with, $way, is not either" "$rc" 2
	like "for that reason" "$out" "$way may be written by others"
	chmod o-w "$tmp/scripts/$way"
done
pd status --scripts scripts
like "a relative folder is refused" "$out" "absolute path: 'scripts'"

# ----------------------------------------------------- programs as commands
mkdir -m 755 "$tmp/libexec"
cat >"$tmp/libexec/patchday-greet" <<'END'
#!/bin/sh
echo "greet $# $1 $2 $PATCHDAY_SELF"
exit 9
END
chmod 755 "$tmp/libexec/patchday-greet"
out=$("$pd" --libexec "$tmp/libexec" greet --all "a b" 2>&1)
is "patchday x is patchday-x" "$? $out" "9 greet 2 --all a b $(realpath "$pd")"
out=$(PATCHDAY_LIBEXEC=$tmp/libexec "$pd" help greet 2>&1)
is "also for its help" "$? $out" "9 greet 1 --help  $(realpath "$pd")"
chmod o+w "$tmp/libexec/patchday-greet"
out=$(PATCHDAY_LIBEXEC=$tmp/libexec "$pd" greet 2>&1)
is "a program that others can write is not run: status" "$?" 2
like "and named" "$out" 'patchday-greet may be written by others'
chmod o-w "$tmp/libexec/patchday-greet"
cp "$tmp/libexec/patchday-greet" "$tmp/patchday-greet"
out=$(PATCHDAY_LIBEXEC=$tmp/libexec "$pd" ../greet 2>&1)
like "no path is a command" "$out" "there is no command '../greet'"
mkdir -m 755 "$tmp/bin"
cp "$pd" "$tmp/bin/patchday"
out=$(PATCHDAY_LIBEXEC=$tmp/libexec "$tmp/bin/patchday" greet --scripts "$PD_SRCDIR/scripts" 2>&1)
like "an installed patchday does not take the folder from the environment" "$out" "there is no command 'greet'"
out=$("$tmp/bin/patchday" --libexec "$tmp/libexec" greet --scripts "$PD_SRCDIR/scripts" 2>&1)
like "nor from an option" "$out" "there is no command '--libexec'"
end
