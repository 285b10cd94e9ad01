#!/bin/bash
# SPDX-License-Identifier: MIT
# command.run with the two programs of doc/command-protocol.md, and with programs that break the protocol.
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
lab_up command
push_plugins command

scratch=$(mktemp -d)
trap 'rc=$?; rm -rf "$scratch"; (exit $rc); lab_end' EXIT
doc=$PD_SRCDIR/doc/command-protocol.md

# example LANGUAGE: the first block of that language in the manual
example() { awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } /^```/ { if (on) exit } on' "$doc"; }
# program NAME: an executable of root's, from standard input
program() { in_lab sh -c "mkdir -p /opt/progs && cat >/opt/progs/$1 && chown root:root /opt/progs/$1 && chmod 755 /opt/progs/$1"; }
fresh() { in_lab sh -c "rm -rf $work && mkdir -p $work" </dev/null; }
command_run() { local phases=$1; shift; run step command.run "$phases" "$@"; }

example python | program motd.py
example sh | program hold.sh

# ---------------------------------------------------------------- the example in Python
fresh
in_lab sh -c 'printf "as it was\n" >/etc/motd; chmod 644 /etc/motd' </dev/null
python=(argv=/opt/progs/motd.py "parameters=file=/etc/motd,text=back at six = 6:00" reversible=true)
command_run check "${python[@]}"
is $rc 0 "check succeeds"
like "$out" '"result":"changed"' "there is work to do"
like "$out" '"output".*bytes=19' "an output is predicted"
unlike "$out" '"event":"irreversible"' "reversible = true makes no point of no return"
is "$(in_lab cat /etc/motd </dev/null)" "as it was" "check touched nothing"
command_run apply,verify "${python[@]}"
is $rc 0 "apply and verify succeed"
is "$(in_lab cat /etc/motd </dev/null)" "back at six = 6:00" "the work is done"
like "$out" '"event":"progress".*writing /etc/motd' "progress comes through"
command_run check "${python[@]}"
like "$out" '"result":"unchanged"' "then nothing is left to do"
in_lab sh -c 'echo spoiled >/etc/motd' </dev/null
command_run verify "${python[@]}"
is $rc 1 "verify looks at the system"
like "$out" 'motd\.py: /etc/motd does not have the text' "and says what is wrong"
command_run apply,undo "${python[@]}"
is "$rc $(in_lab cat /etc/motd </dev/null)" "0 as it was" "undo restores what was remembered first"
command_run check argv=/opt/progs/motd.py parameters=file=/etc/motd reversible=true
like "$out" '"result":"bad-args".*parameters file and text are needed' "bad-args comes through"

# ---------------------------------------------------------------- the example in shell
fresh
command_run check,apply,verify argv=/opt/progs/hold.sh reversible=true
is $rc 0 "the shell example works"
is "$(in_lab ls /run/nightly-jobs.hold </dev/null)" /run/nightly-jobs.hold "it has set its flag"
like "$out" '"event":"evidence".*held\.txt.*"title":"when jobs were held"' "its evidence is entered"
command_run undo argv=/opt/progs/hold.sh reversible=true
is "$rc$(in_lab sh -c 'ls /run/nightly-jobs.hold 2>/dev/null' </dev/null)" 0 "undo takes the flag back"
command_run check argv=/opt/progs/hold.sh
like "$out" '"event":"irreversible"' "without reversible it is a point of no return"
command_run check argv=/opt/progs/hold.sh readonly=true
unlike "$out" '"event":"irreversible"' "readonly is none"
command_run undo argv=/opt/progs/hold.sh
is $rc 1 "undo of a program that does not promise it fails"

# ---------------------------------------------------------------- an acknowledgement means that it is durable
program crash.py <<'END'
#!/usr/bin/python3
import json, os, sys, signal
request = json.loads(sys.stdin.readline())
if request["phase"] == "undo":
    print(json.dumps({"log": "remembered " + json.dumps(request["remembered"], sort_keys=True)}))
    print('{"result":"changed"}')
    sys.exit(0)
for i in range(50):
    print(json.dumps({"remember": {"n": str(i), "k%d" % i: "v" * 1000}, "ack": True}), flush=True)
    if sys.stdin.readline() != '{"ok":true}\n':
        sys.exit(9)
print(json.dumps({"remember": {"k0": None, "late": "yes"}, "ack": True}), flush=True)
sys.stdin.readline()
os.kill(os.getppid(), signal.SIGKILL)
END
fresh
command_run apply argv=/opt/progs/crash.py reversible=true
is $rc 1 "(the worker was killed)"
command_run undo argv=/opt/progs/crash.py reversible=true
like "$out" 'remembered .*\\"late\\": \\"yes\\", \\"n\\": \\"49\\"' "all that was acknowledged was kept through the kill"
like "$out" '\\"k49\\"' "under every key"
unlike "$out" '\\"k0\\"' "what was forgotten is gone"

# ---------------------------------------------------------------- every way to break the protocol
# breaks PHASE REGEX TEXT: the program /opt/progs/bad, from standard input as a shell script
breaks()
{
	{ printf '#!/bin/sh\nread -r request\n'; cat; } | program bad
	fresh
	command_run "$1" argv=/opt/progs/bad reversible=true
	is "$rc" 1 "$3: fails"
	like "$out" "$2" "$3: with a clear word"
}
breaks check 'line 1 is no JSON .*: hello' "text on standard output" <<'END'
echo hello; echo '{"result":"changed"}'
END
breaks check 'line 2 is no JSON object: \[1\]' "an array" <<'END'
echo '{"log":"x"}'; echo '[1]'; echo '{"result":"changed"}'
END
breaks check 'line 1 is not one of the lines.*surprise' "an unknown key" <<'END'
echo '{"surprise":1}'; echo '{"result":"changed"}'
END
breaks check 'line 1 is not one of the lines' "a stray key beside" <<'END'
echo '{"log":"x","severity":"info"}'; echo '{"result":"changed"}'
END
breaks check 'line 1 is not one of the lines' "two verbs in a line" <<'END'
echo '{"log":"x","result":"changed"}'
END
breaks check 'line 1 is no JSON \(duplicate' "a doubled key" <<'END'
echo '{"log":"x","log":"y"}'
END
breaks check 'line 1 must be .*error.*loud' "an unknown level" <<'END'
echo '{"log":"x","level":"loud"}'
END
breaks check 'line 1 must be .*DONE, TOTAL' "a progress that is none" <<'END'
echo '{"progress":[1]}'
END
breaks check 'line 1: remember is not allowed in check' "remember in check" <<'END'
echo '{"remember":{"a":"b"}}'
END
breaks apply 'line 1: inhibit is not allowed in apply' "inhibit in apply" <<'END'
echo '{"inhibit":{"risk":"a","cause":"b","remedy":"c"}}'
END
breaks apply 'KEY of a-z' "a key with a space" <<'END'
echo '{"remember":{"a b":"c"}}'
END
breaks check 'needs a message' "a failure without a message" <<'END'
echo '{"result":"failed"}'
END
breaks check '"text of mine"|text of mine' "a failure with a message" <<'END'
echo '{"result":"failed","message":"text of mine"}'; exit 1
END
breaks check 'ended with status 0 without a result line' "no result" <<'END'
echo '{"log":"x"}'
END
breaks check 'ended with status 3 without a result line: it hurts' "a program that dies" <<'END'
echo "it hurts" >&2; exit 3
END
breaks check 'comes after the result' "a line after the result" <<'END'
echo '{"result":"changed"}'; echo '{"log":"x"}'
END
breaks check 'ended with status 4: a contradiction' "success and a failing status" <<'END'
echo '{"result":"changed"}'; exit 4
END
breaks check 'ended by signal 6: a contradiction' "success and a signal" <<'END'
echo '{"result":"changed"}'; kill -ABRT $$
END
breaks check 'longer than 65536 bytes' "a line over 64 KiB" <<'END'
printf '{"log":"'; head -c 70000 /dev/zero | tr '\0' x; echo '"}'; echo '{"result":"changed"}'
END
breaks check 'longer than 65536 bytes' "an endless line" <<'END'
exec tr '\0' x </dev/zero
END
breaks check 'another result than' "an inhibitor and success" <<'END'
echo '{"inhibit":{"risk":"a","cause":"b","remedy":"c"}}'; echo '{"result":"changed"}'
END
breaks verify 'the result "changed" is not allowed in verify|\\"changed\\" is not allowed in verify' "changed in verify" <<'END'
echo '{"result":"changed"}'
END
breaks apply 'the result .*refused.* is not allowed in apply' "refused in apply" <<'END'
echo '{"result":"refused","message":"no"}'
END

program refuses <<'END'
#!/bin/sh
echo '{"inhibit":{"risk":"data is lost","cause":"no room","remedy":"make room"}}'
echo '{"result":"refused","message":"no room"}'
END
command_run check argv=/opt/progs/refuses
like "$out" '"event":"inhibit".*make room' "an inhibitor comes through"
like "$out" '"result":"refused"' "as does refused"
program long <<'END'
#!/bin/sh
read -r request
printf '{"log":"'; head -c 65000 /dev/zero | tr '\0' x; echo '"}'
printf '{"expect":77}\n{"irreversible":"because"}\n{"result":"unchanged"}'
END
command_run check argv=/opt/progs/long reversible=true
is $rc 0 "a line just under the limit, and a last line without a newline, are fine"
like "$out" '"expect".*77' "expect comes through"
like "$out" '"irreversible".*because' "irreversible comes through"

# ---------------------------------------------------------------- time, environment, and who may write to the program
program slow <<'END'
#!/bin/sh
trap '' TERM
sleep 300 &
sleep 301
END
before=$(date +%s)
command_run check argv=/opt/progs/slow timeout=1 reversible=true
like "$out" 'did not end within 1 seconds' "timeout ends it"
is "$([ $(($(date +%s) - before)) -lt 200 ] && echo soon)" soon "also one that ignores SIGTERM"
is "$(in_lab sh -c 'pgrep -x sleep | wc -l' </dev/null)" 0 "and nothing of it is left"
program env.sh <<'END'
#!/bin/sh
read -r request
echo "{\"log\":\"$PATCHDAY_API $PATCHDAY_PHASE $MINE $(pwd) $(ls /proc/self/fd | wc -l)\"}"
echo "{\"output\":{\"request\":\"$(echo "$request" | tr -d '"')\"}}"
echo '{"result":"unchanged"}'
END
command_run check argv=/opt/progs/env.sh environment=MINE=yours parameters=a=b,c=d=e readonly=true
like "$out" '"1 check yours / 4"' "environment, folder and descriptors are as promised"
like "$out" 'parameters:\{a:b,c:d=e\}' "the request carries the parameters"
like "$out" 'api:1,phase:check,server:[^,]+,run:' "and who, what and where"
in_lab chmod 775 /opt/progs/env.sh </dev/null
command_run check argv=/opt/progs/env.sh
like "$out" 'env\.sh can be written by others' "a program that others may write is not run"
in_lab sh -c 'chmod 755 /opt/progs/env.sh; chown nobody /opt/progs/env.sh' </dev/null
command_run check argv=/opt/progs/env.sh
like "$out" 'belongs to user [0-9]+, not to root' "nor one of somebody else's"
in_lab sh -c 'chown root /opt/progs/env.sh; chmod 777 /opt/progs' </dev/null
command_run check argv=/opt/progs/env.sh
like "$out" '/opt/progs can be written by others' "nor one in a folder that others may write"
in_lab chmod 755 /opt/progs </dev/null
command_run check argv=progs/env.sh
like "$out" 'not an absolute path' "nor one without an absolute path"
command_run check argv=/opt/progs/none
like "$out" 'No such file' "a missing program is named"
command_run check argv=/opt/progs/env.sh parameters=novalue
like "$out" 'must be key=value' "a parameter without a value is refused"
done_testing
