#!/bin/bash
# SPDX-License-Identifier: MIT
# The conformance kit: a plugin that keeps the contract passes, and one that
# breaks a rule of it is caught by that rule.
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "a clone needs root"
command -v jq >/dev/null || skip "jq is not installed"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
patchday=$PD_BUILDDIR/patchday
# files below /tmp are not in a clone, nor need they be: they are read before
printf canary-canary >"$tmp/password"
chmod 600 "$tmp/password"

# compile NAME SOURCE DEFINE [FLAG]...: the plugin in a folder of its own
compile()
{
	mkdir -m 755 "$tmp/$1"
	"${CC:-gcc}" -std=c11 -Wall -Wextra -D_GNU_SOURCE -fPIC -shared -fvisibility=hidden -DNAME="$1" ${3:+-D$3} \
		-I"$PD_SRCDIR/core/include" -o "$tmp/$1/$1.so" "$PD_SRCDIR/tests/conform/$2" "${@:4}" || exit 99
}

# build NAME [DEFINE]: with manual and case
build()
{
	compile "$1" try.c "${2-}"
	cat >"$tmp/$1/README.md" <<END
# $1
## $1.write
\`path\` \`text\` \`password\`, and \`written\`
## $1.look
## Scanner tries
END
	cat >"$tmp/$1/$1.check" <<END
local pd = require "patchday"
local it = pd.use "$1"
return pd.workflow { api = 1, name = "case", help = "what is tried", plan = function()
	local first = it.write { path = "/etc/try-first", text = "one", password = pd.secret { file = "$tmp/password" } }
	return { first, it.write { path = first.out.written, text = "two" } }
end }
END
}

# conform NAME [ARGUMENT]...: sets $out and $rc
conform()
{
	local name=$1

	shift
	out=$("$patchday" plugin check "$tmp/$name/$name.so" "$@" 2>"$tmp/errors" </dev/null)
	rc=$?
	[ -n "$out" ] || out=$(cat "$tmp/errors")
}

# rules RESULT: "rule of row" of all with that result
rules()
{
	jq -r --arg result "$1" '.rows[] | .name as $row | .rules | to_entries[] |
		select(.value.result == $result) | "\(.key) of \($row)"' <<<"$out" | sort | paste -sd, | sed 's/,/, /g'
}

build good
conform good --json
if [ "$(jq -r .error.id <<<"$out")" = clone-mount ]; then
	skip "no clone can be made here: $(jq -r .error.message <<<"$out")"
fi
is "a good plugin passes" "$rc $(jq -r .verdict <<<"$out")" "0 pass"
is "nothing of it is left untried" "$(rules 'not tried')$(rules broken)" ""
is "and this is what was tried" "$(rules kept | tr -d ,)" "kill of main/good.write kill of main/good.write#2 \
left of good.look left of main/good.write left of main/good.write#2 left of tries limit of good.look limit of main/good.write \
limit of main/good.write#2 limit of tries loads of good manual of good secret of main/good.write still of good.look \
still of main/good.write still of main/good.write#2 still of tries twice of main/good.write twice of main/good.write#2 twice of tries \
undo of main/good.write undo of main/good.write#2"
is "nothing was done to the server" "$(ls /etc/try* /etc/touched 2>/dev/null)" ""
conform good
like "as text: a table" "$out" '^step main/good.write +- +- +ok +ok +ok +ok +ok +ok +ok'
like "and the verdict" "$out" '^it keeps the contract$'

# breaks NAME RULES FINDING: -DTRY_NAME breaks these rules, in these words
breaks()
{
	local name=${1,,}

	build "$name" "TRY_$1"
	conform "$name" --json
	is "$name: is caught" "$rc $(jq -r .verdict <<<"$out") $(rules broken | sed "s,main/$name\.,,g; s/ of $name\b//g")" "1 fail $2"
	like "$name: in words" "$(jq -r '.rows[].rules[].found[]?' <<<"$out")" "$3"
}

breaks ROWS loads "its help is not one line without a full stop"
breaks UNLOADABLE loads "undefined symbol: nowhere"
breaks SYMBOL loads "it exports 'helper' beside pd_plugin_entry"
breaks TOUCH "still of write, still of write#2" "check: touch.write: open(at)? /etc/touched"
breaks TMP "still of write" "check: /tmp/touched is left"
breaks SIGNAL "still of write, still of write#2" "check: signal.write: .*/etc/touched \(touch\)"
breaks CRASH "still of write" "crashed: signal 11"
breaks SCAN "still of tries" "scanner: scan.tries: open(at)? /etc/scanned"
breaks DEAF "limit of write" "apply was asked to stop when it began, and went on"
breaks LATE "limit of write#2" "apply was asked to stop while it worked, and went on for longer than its grace of 1 s"
is "late: and is not killed then" "$(rules 'not tried')" "kill of main/late.write#2"
breaks CLAIM "limit of write, limit of write#2" "after an apply that was asked to stop while it worked: there is no verify, and check still finds"
breaks XATTR "kill of write, undo of write" 'after undo: files /etc/passwd: "changed, mode 644, owner 0:0, sha256 [0-9a-f]{12}, security.capability [0-9a-f]{12}"'
like "xattr: of folders, too" "$(jq -r '.rows[].rules[].found[]?' <<<"$out")" 'after undo: files /etc: "changed, mode 755, owner 0:0, system.posix_acl_default [0-9a-f]{12}"'
like "xattr: also of a name that is not UTF-8" "$(jq -r '.rows[].rules[].found[]?' <<<"$out")" 'after undo: files /etc/group: "changed, mode 644, owner 0:0, sha256 [0-9a-f]{12}, trusted.b.+xe4d 2d711642b726"'
breaks TWICE "twice of write" "after apply was called again: files /etc/try-first.log"
breaks UNPROVEN "twice of write, twice of write#2" "there is no verify, and check still finds work to do"
breaks FORGET "kill of write, kill of write#2, undo of write, undo of write#2" "after undo: files /etc/try-first: \"added"
breaks NOTHING "kill of write, kill of write#2, undo of write, undo of write#2" "after undo of nothing: undo fails: nothing is known of /etc/try-first"
breaks KILL "kill of write, kill of write#2" "killed after pd_remember\(\) number 3 of apply: files /etc/try-first"
breaks DESCRIPTOR "left of write, left of write#2" "apply: descriptor [0-9]+ is left open: /etc/passwd"
breaks PROCESS "left of write, left of write#2" "apply: process [0-9]+ is left: process.write"
build orphan TRY_ORPHAN
conform orphan --json
is "orphan: one that has ended, and was never asked how, is nothing that runs on" "$rc $(jq -r .verdict <<<"$out")" "0 pass"
breaks ARGUMENT "secret of write, twice of write" "a secret is given to true in its arguments"
breaks STORE "secret of write, twice of write" "contains a secret, which is never stored"
breaks SHOW "secret of write" "a secret stands in /etc/try-first.password, where others"

# ------------------------------------------- a reader, a filter, a scanner
# format NAME [DEFINE [FLAG]...]: the plugin with manual, case and samples
format()
{
	compile "$1" try-formats.c "${2-}" "${@:3}"
	cat >"$tmp/$1/README.md" <<END
# $1
## Readers tries, serves
## Filter tryz
## Scanner trials
END
	{ echo "<tries>"; for i in {1..9}; do echo "<try id=\"T-$i\">the ${i}th try</try>"; done; echo "</tries>"; } >"$tmp/$1/tries.xml"
	printf 'what was packed' >"$tmp/$1/plain"
	printf 'TRYZ\5what \4was \6packed\0' >"$tmp/$1/packed"
	printf 'TRYZ\377\377x\0' >"$tmp/$1/bomb"
	cat >"$tmp/$1/$1.check" <<END
local pd = require "patchday"
return pd.workflow { api = 1, name = "case", help = "what is tried",
	params = { samples = pd.list { default = { "tries=tries.xml", "tryz=packed=plain", "tryz=bomb" } } },
	plan = function() return pd.nothing "it has no step" end }
END
}

format fine
conform fine --json --other "$PD_SRCDIR/catalogs/examples/packages.xml"
is "a good reader, filter and scanner pass" "$rc $(jq -r .verdict <<<"$out")" "0 pass"
is "nothing of them is left untried" "$(rules 'not tried')$(rules broken)" ""
is "and this is what was tried" "$(rules kept | tr -d ,)" "damage of tries damage of tryz knows of tries knows of tryz \
left of serves left of trials left of tries left of tryz limit of serves limit of trials limit of tries limit of tryz loads of fine manual of fine \
still of serves still of trials still of tries still of tryz twice of serves twice of trials twice of tries twice of tryz"
conform fine
like "as text: only the rules that apply" "$out" '^ +loads +manual +still +limit +twice +left +knows +damage$'

# spoils NAME RULES FINDING [FLAG]...: -DTRY_NAME breaks these rules, in these words; they are
# tried two at a time
spoils()
{
	local name=bad_${1,,}

	spoilt+=("$name" "$2" "$3")
	format "$name" "TRY_$1" "${@:4}"
	[ "$(jobs -pr | wc -l)" -lt 2 ] || wait -n
	{ conform "$name" --json; printf '%s\n' "$rc" "$out" >"$tmp/$name/said"; } &
}

spoilt=()
spoils DEAF "limit of trials" "asked to stop when it began, and went on for longer than its grace of 10 s"
spoils HANG "damage of tries" "cut short .*takes longer than 10 s"
spoils GREEDY "knows of tries" "it recognizes what is none of its own .100.: .*html"
spoils BLIND "knows of tries" "does not recognize its own sample tries.xml"
spoils BEYOND "knows of tries" "crashes, or reads on behind its end, with the first [0-9]+ bytes of .*signal 11"
spoils SCORE "knows of tries" "recognize returns 1000, which is not from 0 to 100"
spoils CRASH "damage of tries" "tries.xml .*: read crashed: signal 11"
spoils TRUNCATED "damage of tries" "tries.xml cut short.*: read crashed: signal 11"
spoils HOARD "damage of tries" "tries.xml with a text of 12 MiB: it takes 3[0-9][0-9] MiB of memory"
# shellcheck disable=SC2046 # words of flags
spoils ENTITY "damage of tries" "with entities: what comes out is the text of a file of the server" \
	$(pkg-config --cflags --libs libxml-2.0)
spoils RANDOM "twice of tries" "what comes out of tries.xml is something else each time"
spoils NOTHING "twice of tries" "no update comes out of its own sample tries.xml"
spoils LEAK "left of tries" "reader: descriptor [0-9]+ is left open: /etc/passwd"
spoils WRITE "still of tries" "reader: bad_write[.a-z]*: open(at)? /etc/written"
spoils CUT "damage of tryz" "packed cut short .*: it is taken for whole, and [0-9]+ bytes of 15 come out"
spoils GARBLE "twice of tryz" "of its own sample packed come 19 bytes that are not those which were packed"
spoils BOMB "damage of tryz" "bomb, of which more comes than may: it does not fail"
spoils LUMP "damage of tryz" "it hands over 15 MiB in one, and so holds all that comes"
spoils CHANGING "twice of trials" "each time it finds something else: row 1 was"
spoils UNSURE "twice of serves" "each time it finds something else: other updates, or other parts of them"
spoils SCANLEAK "left of trials" "scanner: descriptor [0-9]+ is left open"
spoils SCANWRITE "still of trials" "scanner: bad_scanwrite[.a-z]*: open(at)? /etc/written"
wait
for ((i = 0; i < ${#spoilt[@]}; i += 3)); do
	name=${spoilt[i]}
	{ read -r rc; out=$(cat); } <"$tmp/$name/said"
	is "$name: is caught" "$rc $(jq -r .verdict <<<"$out") $(rules broken)" "1 fail ${spoilt[i + 1]}"
	like "$name: in words" "$(jq -r '.rows[].rules[].found[]?' <<<"$out")" "${spoilt[i + 2]}"
done
is "nothing of this was done to the server" "$(ls /etc/written /etc/scanned /etc/touched 2>/dev/null)" ""
rm "$tmp/fine/fine.check"
conform fine
like "a reader without a sample is no pass" "$rc $out" "^1 .*"
like "and it is said what is missing" "$out" 'the case names no sample of it: params = .*"tries=FILE"'
like "also of a filter" "$out" '"tryz=FILE=WHAT-IS-PACKED"'
sed 's/tryz=bomb/tryx=bomb/' "$tmp/bad_cut/bad_cut.check" >"$tmp/fine/fine.check"
conform fine
like "a sample of nothing is refused" "$rc $out" "^2 .*the case has a sample of tryx, which is no reader and no filter of fine"

# ------------------------------------------------------------ a transport
# carry NAME [DEFINE]: the plugin with manual and case
carry()
{
	compile "$1" try-transport.c "${2-}"
	printf '# %s\n## Transport way\n' "$1" >"$tmp/$1/README.md"
	cat >"$tmp/$1/$1.check" <<END
local pd = require "patchday"
return pd.workflow { api = 1, name = "case", help = "what is tried",
	params = { targets = pd.list { default = { "way=root@here:7,way=short,tries=2" } } },
	plan = function() return pd.nothing "it has no step" end }
END
}

# drops NAME RULES FINDING: as breaks, of a transport
drops()
{
	local name=lost_${1,,}

	carry "$name" "TRY_$1"
	conform "$name" --json
	is "$name: is caught" "$rc $(jq -r .verdict <<<"$out") $(rules broken)" "1 fail $2"
	like "$name: in words" "$(jq -r '.rows[].rules[].found[]?' <<<"$out")" "$3"
}

carry kept
conform kept --json
is "a good transport passes" "$rc $(jq -r .verdict <<<"$out")" "0 pass"
is "nothing of it is left untried" "$(rules 'not tried')$(rules broken)" ""
is "and this is what was tried" "$(rules kept | tr -d ,)" "carries of way left of way limit of way loads of kept manual of kept"
drops SHELL "carries of way" 'the words of a program do not arrive as they are: it prints "" and ends with status 2'
drops STATUS "carries of way" "a program that ends with status 7 is told to have ended with 1"
drops MIXED "carries of way" 'what a program prints does not come back: standard output "out$'
drops INPUT "carries of way" "of a standard input of 256 bytes 0 come back"
drops FOLDER "carries of way" 'folder and environment of a program are not as asked: it prints "/$'
drops BRAVE "carries of way" "a program that is not there is told to have ended with status 0"
drops CUT "carries of way" "is there with mode and size 640 1048575"
drops MODE "carries of way" "is there with mode and size 666 1048576"
drops SILENT "carries of way" "put of a file that is not there: it does not fail"
drops EMPTY "carries of way" "of a file that is not there one is made here"
drops CRASH "carries of way" "open: .*crashed: signal 11"
drops LEAK "left of way" "transport: descriptor [0-9]+ is left open: /etc/passwd"
drops DEAF "carries of way, limit of way" "it was asked to stop when it began, and went on for longer than its grace of 10 s"
sed -i 's/@here/@there/' "$tmp/kept/kept.check"
conform kept
like "a target that is not reached is no pass" "$rc $out" "^1 .*"
like "and it is said why" "$out" 'it does not reach root@there:7,way=short,tries=2 from a clone: there can.t be reached'
sed -i 's/"way=root/"path=root/' "$tmp/kept/kept.check"
conform kept
like "a target of nothing is refused" "$rc $out" "^2 .*the case has a target 'path=root@there:7,way=short,tries=2', which is of no transport of kept"
rm "$tmp/kept/kept.check"
conform kept
like "a transport without a target is no pass" "$rc $out" "^1 .*"
like "and it is said what is missing" "$out" 'the case names no target of it: params = .*"way=USER@ADDRESS:PORT,OPTIONS"'
printf '# kept\n' >"$tmp/kept/README.md"
conform kept
like "the manual has to name it" "$out" 'transport way'

# ------------------------------------------- a program, as doc/command-protocol.md has it
# block LANGUAGE: of its section "Prove it", or the example in that language
block() { awk -v fence="\`\`\`$1" '/^## / { section = $0 } $0 == fence && section ~ /Prove|Example/ { on = 1; next } /^```/ { on = 0 } on' "$PD_SRCDIR/doc/command-protocol.md"; }
mkdir -m 755 "$tmp/all"
cp "$PD_BUILDDIR"/plugins/{command,probe}/.libs/*.so "$tmp/all/"
scene=$(printf 'pd.use "probe".command { argv = { "/bin/sh", "-ec", [==[\nmkdir -p /usr/local/lib/patchday; cd /usr/local/lib/patchday\ncat >motd.py <<"EOF"\n%s\nEOF\nchmod 755 motd.py ]==] } },' "$(block python)")
block lua | awk -v scene="${scene//\\/\\\\}" '{ print } /^  return \{/ { print scene }' >"$tmp/page.check"
out=$("$patchday" plugin check "$tmp/all/command.so" --plugin-dir "$tmp/all" --case "$tmp/page.check" 2>&1 </dev/null)
is "the example of the protocol passes, and the manual of our own plugin is found" "$?" 0 || sed 's/^/# /' <<<"$out"

# what is not tried is no pass
build refuse TRY_REFUSE
conform refuse --json
is "a check that refuses leaves apply untried" "$rc $(jq -r .verdict <<<"$out") $(rules broken)" "1 incomplete "
like "and says why" "$(jq -r '.rows[].rules[].found[]?' <<<"$out")" "check refuses to start it here: not today"
rm "$tmp/good/good.check"
conform good
like "a step without a case is named" "$out" "^  the case has no good.write, and it has parameters that are required"
like "and is no pass" "$rc $out" "^1 .*"
like "in words, too" "$out" "^this is no pass: not all of it was tried$"
sed -i 's/`text`//; /look/d' "$tmp/good/README.md"
conform good
like "the manual has to name each parameter" "$out" 'does not name the parameter text of good.write'
like "and each step" "$out" 'the manual has no section `## good.look`'
rm "$tmp/good/README.md"
conform good
like "and has to be there" "$out" 'there is no manual'
conform none
like "a plugin that is not there" "$rc $out" "^2 .*there is no file .*/none.so"
cp "$tmp/good/good.so" "$tmp/good/other.so"
conform good/../good/other 2>/dev/null
out=$("$patchday" plugin check "$tmp/good/other.so" 2>&1); rc=$?
like "a plugin of another name" "$rc $out" "^1 .*"
like "is not loaded" "$out" "it calls itself 'good'"
end
