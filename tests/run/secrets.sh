#!/bin/bash
# SPDX-License-Identifier: MIT
# Canaries: secrets from every source go through a step that leaks them in
# every way, in success, failure, crash and timeout.  No byte of what the runs
# left anywhere holds one, half of it, or what JSON, XML, a URL, base64 or
# hexadecimal digits make of it.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
mkdir "$tmp/out" "$tmp/cred" "$tmp/cwd"
# one for each source, so that the finder can say which
word() { tr -dc A-Za-z0-9 </dev/urandom | head -c 20; }
canary() { printf '%s"\\&<%%é%s' "$(word)" "$(word)"; }
CANARY_ENV=$(canary; echo; canary)
export CANARY_ENV
{ canary; echo; canary; } >"$tmp/file.secret"
word >"$tmp/cred/canary"
canary >"$tmp/typed"
chmod 600 "$tmp/file.secret" "$tmp/cred/canary"
export CREDENTIALS_DIRECTORY=$tmp/cred
cd "$tmp/cwd" || exit 99
ulimit -c unlimited

cat >"$tmp/search.py" <<'END'
import base64, html, json, os, sys, urllib.parse
words = {}
def add(word, kind):
    for part, of in (word, ""), (word[:len(word) // 2], "half of "), (word[len(word) // 2:], "half of "):
        words.setdefault(part, of + kind)
for c in open(sys.argv[1]).read().split("\0"):
    add(c.encode(), "it")
    for line in c.split("\n"):
        add(line.encode(), "a line")
    for wide in False, True:
        add(json.dumps(c, ensure_ascii=wide)[1:-1].encode(), "JSON")
        add("".join("\\u%04x" % ord(x) if x in '"\\\n' else x for x in c).encode(), "JSON")
        add(html.escape(json.dumps(c, ensure_ascii=wide)[1:-1]).encode(), "JSON in XML")
    add(html.escape(c).encode(), "XML")
    add("".join("&#%d;" % ord(x) if x in '"&<\n' else x for x in c).encode(), "XML")
    add(urllib.parse.quote(c, safe="").encode(), "a URL")
    add(urllib.parse.quote_plus(c).encode(), "a web form")
    add(c.encode().hex().encode(), "hexadecimal")
    add(c.encode().hex().upper().encode(), "hexadecimal")
    for encode in base64.b64encode, base64.urlsafe_b64encode:
        for before in range(3):
            add(encode(b"x" * before + c.encode())[[0, 2, 3][before]:].rstrip(b"=")[:-1], "base64")
def look(name, data):
    for word, kind in words.items():
        if word in data:
            print(kind, repr(word), "in", name)
since = os.path.getmtime(sys.argv[1]) - 1
for top in sys.argv[2:]:
    for folder, folders, files in os.walk(top):
        for f in files + folders:
            path = os.path.join(folder, f)
            look("the name " + path, f.encode())
            # elsewhere, what is older than the test is none of ours, nor are other tests' images of disks
            if os.path.isfile(path) and os.path.getmtime(path) >= since and os.path.getsize(path) < 64 << 20:
                look(path, open(path, "rb").read())
END
{
	printf '%s' "$CANARY_ENV"
	for source in file.secret cred/canary typed; do printf '\0'; cat "$tmp/$source"; done
} >"$tmp/canaries"

# what every process shows of itself while the runs go on: its arguments, and
# workers, hooks and their keeper also their environment
python3 - "$tmp/canaries" "$tmp/out/shown" "$tmp/stop" <<'END' &
import glob, os, sys
canaries, out = open(sys.argv[1], "rb").read().split(b"\0"), open(sys.argv[2], "wb", 0)
while not os.path.exists(sys.argv[3]):
    for path in glob.glob("/proc/[0-9]*"):
        try:
            name = open(path + "/comm").read().strip() # first: it has its name when it is clean
            data = open(path + "/cmdline", "rb").read()
            if name in ("patchday-hook", "hook") or name.startswith("steps."):
                data += open(path + "/environ", "rb").read()
        except OSError:
            continue
        if any(c in data for c in canaries):
            out.write(name.encode() + b": " + data + b"\n")
END
watcher=$!

# a hook sees what steps see
printf '#!/bin/sh\ncat >>"$1/hook"; env >>"$1/hook.env"; cat /proc/$$/environ /proc/$PPID/environ >>"$1/hook.proc"\n' >"$tmp/hook"
chmod 755 "$tmp/hook"

leaks=0
for source in env:CANARY_ENV "file:$tmp/file.secret" credential:canary; do
	for how in not fail crash hang output remember title argv env name half; do
		mkdir -p "$tmp/f/$how"
		rm -f "$tmp/f/$how/done"
		sed "s#^    return {#&\n  steps.leak { value = pd.secret { ${source%%:*} = \"${source#*:}\" }, path = \"$tmp/f/$how\", how = \"$how\" },#" \
			>"$tmp/leak.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "leak", role = "test", help = "a test",
  plan = function(t)
    return {
    }
  end }
END
		pd run "$tmp/leak.lua" --events --hook "$tmp/hook $tmp/out"
		echo "$out" >"$tmp/out/$how.events"
		case $how:$rc in not:0 | title:0) ;; fail:5 | crash:5 | hang:5 | output:5 | remember:5 | argv:5 | env:5 | name:5 | half:5) ;;
		*) leaks=$((leaks + 1)); echo "# $source $how ended with $rc"; echo "$out" | tail -3 | sed 's/^/# /' ;; esac
		for format in text html csv xml; do
			"${patchday[@]}" report "${places[@]}" --format $format >"$tmp/out/$how.$format" 2>&1
		done
		"${patchday[@]}" status --json >"$tmp/out/$how.json" 2>&1
		pd undo
		echo "$out" >"$tmp/out/$how.undo"
		{ [ "$rc" = 1 ] && [ ! -e "$tmp/f/$how/done" ]; } || { leaks=$((leaks + 1)); echo "# the undo of $source $how ended with $rc"; }
		[ "$source" = env:CANARY_ENV ] || continue
		pd run "$tmp/leak.lua"
		echo "$out" >"$tmp/out/$how.shown"
		pd undo
	done
done
is "each way to leak ends as it should" $leaks 0
own() { cut -d= -f1 "$1" | grep -vxE 'PWD|OLDPWD|SHLVL|_|TZ' | LC_ALL=C sort -u | xargs; }
is "a hook has an environment of its own" "$(own "$tmp/out/hook.env")" "HOME LANG LC_ALL PATH"
is "so has a program of a step" "$(own "$tmp/f/not/environment")" "HOME LANG LC_ALL PATCHDAY_RUN PATH"
like "a leak into an output is a bug of the plugin" "$(cat "$tmp/out/output.shown")" "contains a secret, which is never stored"
like "a secret in arguments is refused" "$(cat "$tmp/out/argv.shown")" "with a secret in its arguments"
like "and in the environment" "$(cat "$tmp/out/env.shown")" "with a secret in its environment"
like "a crash is reported" "$(cat "$tmp/out/crash.shown")" 'signal 11'
like "and what it printed, blotted" "$(cat "$tmp/out/crash.shown")" 'err \*\*\* \*\*\*'
like "so is a timeout" "$(cat "$tmp/out/hang.shown")" 'longer than its limit of 1s'

# ---- out of the environment of patchday itself, and of all that it has started
cat >"$tmp/held.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "held", plan = function() return {
  steps.leak { value = pd.secret { env = "CANARY_ENV" }, path = "$tmp/f" }, steps.write { path = "$tmp/f/w", waits_for = "$tmp/f/go" },
  steps.leak { id = "again", value = pd.secret { env = "CANARY_ENV" }, path = "$tmp/f/again" } } end }
END
mkdir "$tmp/f/again"
rm -f "$tmp/f/done"
"${patchday[@]}" run "${places[@]}" "$tmp/held.lua" --hook "$tmp/hook $tmp/out" >"$tmp/out/held" 2>&1 </dev/null &
pid=$!
wait_for step_is main/steps.write begun
all=$(pgrep -d ' ' -P $pid)
all="$pid $all $(pgrep -d ' ' -P "${all// /,}")"
for p in $all; do echo "$(cat /proc/$p/comm):" | tr '\n' '\0'; cat "/proc/$p/environ"; done | tr '\0' '\n' >"$tmp/environments"
touch "$tmp/f/go"
wait $pid
is "a secret of the environment reaches every step" "$? $(cat "$tmp/f/done" "$tmp/f/again/done")" "0 xx"
check "patchday, its spawner, its hook and a worker were looked at" [ "$(wc -w <<<"$all")" -ge 4 ]
is "none shows it while they run" "$(grep -c "${CANARY_ENV%%\"*}" "$tmp/environments")" 0
check "but its name" grep -q '^CANARY_ENV=$' "$tmp/environments"
is "and patchday all that is none" "$(grep -c "^PATCHDAY_STATE=$PATCHDAY_STATE$" "$tmp/environments")" 1

# ---- typed in on a terminal
cat >"$tmp/prompt.lua" <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "prompt", plan = function()
  return { steps.leak { value = pd.secret { prompt = "canary" }, path = "$tmp/f" } } end }
END
rm -f "$tmp/f/done"
typed "secret 'canary': " "@$tmp/typed" -- "${patchday[@]}" run "${places[@]}" "$tmp/prompt.lua"
is "a secret that is typed in reaches the step" "$rc $(cat "$tmp/f/done")" "0 x"
echo "$out" >"$tmp/out/prompt.text"
# ---- stopped while it asks, and not longer than it can be: the terminal is as it was
# prompted [QUESTION ANSWER]... -- SCRIPT: of bash, which runs "$@" there; sets $out and $rc
prompted()
{
	typed "${@:1:$#-1}" bash -c "shown() { stty -a | tr -s ' \n' '\n\n' | grep -x -e echo -e -echo; }
		trap : INT QUIT
		${*: -1}
		echo \"status: \$? \$(shown)\"" bash "${patchday[@]}" run "${places[@]}" "$tmp/prompt.lua"
	out=$(tr -d '\r' <<<"$out")
}
rm -f "$tmp/f/done"
prompted "secret 'canary': " $'\x03' -- '"$@"'
like "Ctrl-C ends it, and what is typed is shown again" "$out" '^status: 130 echo$'
prompted "secret 'canary': " $'\x1c' -- '"$@"'
like "so does Ctrl-\\" "$out" '^status: 131 echo$'
for signal in TERM HUP; do
	prompted -- '"$@" & until [ "$(shown)" = -echo ]; do sleep 0.05; done; kill -'$signal' $!; wait $!'
	like "so does SIG$signal" "$out" "^status: $((128 + $(kill -l $signal))) echo\$"
done
prompted "secret 'canary': " $'\x1a' "secret 'canary': " "@$tmp/typed" -- 'set -m; "$@"; echo "stopped: $(shown)"; fg'
like "Ctrl-Z stops it, with what is typed shown" "$out" '^stopped: echo$'
like "then it asks again, and takes the answer" "$out" '^status: 0 echo$'
rm -f "$tmp/f/done"
head -c 1024 /dev/zero | tr '\0' x >"$tmp/longer"
prompted "secret 'canary': " "@$tmp/longer" -- '"$@"'
like "a line that is too long is not cut, but refused" "$out" '^status: 2 echo$'
like "and why is said" "$out" "what was typed in for the secret 'canary' has no end of line within 1024 bytes"
check "and no step has it" [ ! -e "$tmp/f/done" ]
out=$(setsid -w "${patchday[@]}" run "${places[@]}" "$tmp/prompt.lua" 2>&1 </dev/null)
is "without a terminal the run is refused" $? 2
like "and says so" "$out" "no terminal to type in the secret 'canary'"
sed "s#return { steps.leak#return { steps.reboot { path = \"$tmp/f/r\" }, steps.leak#" "$tmp/prompt.lua" >"$tmp/prompt2.lua"
pd run "$tmp/prompt2.lua"
is "a secret that would be gone after a reboot is refused before" "$rc" 2
like "with both steps" "$out" "main/steps.leak needs the secret 'canary', which a person types in, and main/steps.reboot reboots"
sed -i 's/prompt = "canary"/env = "CANARY_ENV"/' "$tmp/prompt2.lua"
pd run "$tmp/prompt2.lua"
is "so is one of the environment" "$rc $([[ $out == *"which is in the environment, and main/steps.reboot"* ]] && echo named)" "2 named"
sed -i 's/env = "CANARY_ENV"/credential = "canary"/' "$tmp/prompt2.lua"
pd run "$tmp/prompt2.lua"
is "and a credential that is not kept for the next start" "$rc $(state)" "4 refused"
like "with what to do" "$(paste -sd' ' <<<"$out")" "'canary' is in neither /etc/credstore nor .*remedy: .*systemd-creds"

# ---- gone when the run goes on: nothing is done without it
sed "s#return { steps.leak.*#return { pd.stage 'main' { on_failure = 'undo', steps.leak { value = pd.secret { env = 'CANARY_ENV' }, path = '$tmp/f' }, steps.write { path = '$tmp/f/k', kill = true, mark = '$tmp/f/mark' } } } end }#" "$tmp/prompt.lua" >"$tmp/gone.lua"
pd run "$tmp/gone.lua"
is "it is killed" "$rc $(state)" "137 interrupted"
out=$(unset CANARY_ENV; "${patchday[@]}" resume "${places[@]}" 2>&1)
is "a resume without the secret waits for a person" "$? $(state)" "5 interrupted"
like "and names it" "$out" 'main/steps.leak: .*CANARY_ENV'
(unset CANARY_ENV; "${patchday[@]}" undo "${places[@]}" >/dev/null 2>&1)
is "so does an undo" "$? $(state)" "5 interrupted"
pd undo
is "with it, all is taken back" "$rc $(state)" "1 rolled back"
unset CANARY_NONE
sed 's/CANARY_ENV/CANARY_NONE/' "$tmp/gone.lua" >"$tmp/none.lua"
pd plan "$tmp/none.lua" --check
is "one that is not there is known before" "$rc $([[ $out == *"CANARY_NONE is not set"* ]] && echo named)" "2 named"

# ---- nothing of it is left anywhere
touch "$tmp/stop"
wait $watcher
"${patchday[@]}" status --all >"$tmp/out/all" 2>&1
check "what /proc shows of a hook and of its keeper is there" [ -s "$tmp/out/hook.proc" ]
check "and of a worker and its program" [ -s "$tmp/f/not/environment.proc" ]
mkdir "$tmp/control" && echo "x ${CANARY_ENV:0:30} y" >"$tmp/control/a"
isnt() { if [ "$2" != "$3" ]; then is "$1" 1 1; else is "$1" "$2" "not $3"; fi; }
isnt "the search finds half of a canary that is put there" "$(python3 "$tmp/search.py" "$tmp/canaries" "$tmp/control")" ""
empty "no canary in state, reports, certificates, events, output, process list, core files" \
	"$(python3 "$tmp/search.py" "$tmp/canaries" "$PATCHDAY_STATE" "$tmp/out" "$tmp/cwd" "$tmp/f" | head -20)"
empty "nor in /tmp and /dev/shm" "$(python3 "$tmp/search.py" "$tmp/canaries" /tmp /dev/shm 2>/dev/null | grep -v "$tmp/" | head)"
cd /
end
