#!/bin/bash
# SPDX-License-Identifier: MIT
# The schema of the command protocol (doc/schema/command.json): what the manual shows, every message of a real dialogue with
# both of its programs, and lines that the plugin takes or refuses are all judged by it.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the programs have to belong to root"
for python in python3 /usr/bin/python3 ""; do
	[ -n "$python" ] || skip "there is no Python with jsonschema; apt-get install python3-jsonschema"
	"$python" -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null && break
done
# a program of root's is run from where nobody else can write
tmp=$(mktemp -d -p /root patchday-command.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
mkdir -m 755 "$tmp/plugins"
cp "$PD_BUILDDIR/plugins/command/.libs/command.so" "$tmp/plugins/"
schema=$PD_SRCDIR/doc/schema/command.json doc=$PD_SRCDIR/doc/command-protocol.md
judge() { "$python" "$PD_SRCDIR/tests/plugins/command-schema.py" "$schema" "$@"; }
# step PHASES PROGRAM [NAME=VALUE]...: its dialogue goes to dialogue.txt
step()
{
	local phases=$1 program=$2

	shift 2
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$tmp/work" command.run "$phases" \
		"argv=$tmp/between.py,$program" reversible=true "$@" 2>&1)
	rc=$?
}

# what goes from one to the other is written down
cat >"$tmp/between.py" <<END
#!$(command -v "$python")
import subprocess, sys, threading
lock = threading.Lock()
def carry(sender, source, to):
    for text in source:
        with lock, open("$tmp/dialogue.txt", "a") as f:
            f.write(sender + "\t" + text.rstrip("\n") + "\n")
        to.write(text)
        to.flush()
p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
threading.Thread(target=carry, args=("patchday", sys.stdin, p.stdin), daemon=True).start()
carry("program", p.stdout, sys.stdout)
sys.exit(p.wait())
END
example() { awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } /^```/ { if (on) exit } on' "$doc"; }
example python >"$tmp/motd.py"
example sh | sed "s,^flag=.*,flag=$tmp/flag," >"$tmp/hold.sh"
chmod 755 "$tmp"/*.py "$tmp"/*.sh

# ---- the manual
empty "what the manual shows is by the schema, and the other way round" "$(judge manual "$doc" 2>&1)"
for edit in 's/"level": LEVEL/"grade": LEVEL/' 's/^| `dry_run` .*//' 's/`retry`/again/' 's/{"ok":true}/{"ok":1}/' '/^| `{"expect"/d' \
	's/"title": TEXT/"name": TEXT/'; do
	sed "$edit" "$doc" >"$tmp/edited.md"
	like "a manual that says something else is found: $edit" "$(judge manual "$tmp/edited.md" 2>&1)" 'schema'
done

# ---- real dialogues
echo "as it was" >"$tmp/motd"
step check,apply,verify,undo "$tmp/motd.py" "parameters=file=$tmp/motd,text=back at \"six\" é"
is "the example in Python does its work, and takes it back" "$rc $(cat "$tmp/motd")" "0 as it was"
is "every message of that dialogue is by the schema" "$(judge dialogue "$tmp/dialogue.txt" 2>&1)" \
	"check apply verify undo | ok=1 output=2 progress=1 remember=1 result=4"
rm "$tmp/dialogue.txt"
step check "$tmp/motd.py" parameters=file=/x
is "also of one that ends badly" "$rc $(judge dialogue "$tmp/dialogue.txt" 2>&1)" "1 check | result=1"
rm -r "$tmp/dialogue.txt" "$tmp/work"
step check,apply,verify "$tmp/hold.sh"
is "the example in shell does its work" "$rc $(ls "$tmp/flag")" "0 $tmp/flag"
step undo "$tmp/hold.sh"
is "and takes it back" "$rc $(ls "$tmp/flag" 2>/dev/null)" "0 "
is "every message of that dialogue is by the schema: shell" "$(judge dialogue "$tmp/dialogue.txt" 2>&1)" \
	"check apply verify undo | evidence=1 ok=1 remember=1 result=4"
printf '%s\n' $'program\t{"log":5}' $'patchday\t{"ok":false}' $'patchday\t{"api":1,"phase":"check"}' >"$tmp/wrong.txt"
is "a message that is not is found" "$(judge dialogue "$tmp/wrong.txt" 2>&1 | grep -c '^not by the schema')" 3

# ---- line by line: the plugin takes what the schema allows, and nothing else
cat >"$tmp/says.sh" <<'END'
#!/bin/sh
read -r request
if [ "$PATCHDAY_PHASE" = "$(cat "${0%/*}/phase")" ]; then
	cat "${0%/*}/line"
	case $(cat "${0%/*}/line") in *'"ack": *true'*) read -r ok ;; esac
	case $(cat "${0%/*}/line") in *'"result"'*) exit 0 ;; esac
fi
echo '{"result":"unchanged"}'
END
chmod 755 "$tmp/says.sh"
echo evidence >"$tmp/e"
differ=
while IFS='|' read -r phase line; do
	printf '%s\n' "${line//@/$tmp}" >"$tmp/line"
	echo "$phase" >"$tmp/phase"
	by_schema=$(judge lines <"$tmp/line")
	step "$phase" "$tmp/says.sh"
	case $out in
	*"is no JSON"* | *"is not one of the lines"* | *" must be "* | *"needs a message"*) by_plugin=bad ;;
	*) by_plugin=good ;;
	esac
	[ "$by_schema" = "$by_plugin" ] || differ+="$line: $by_schema by the schema, $by_plugin by the plugin"$'\n'
	echo "$by_schema" >>"$tmp/verdicts"
done <<'END'
apply|{"log":"x"}
apply|{"log":"x","level":"warn"}
apply|{"log":"x","level":"loud"}
apply|{"log":"x","level":null}
apply|{"log":1}
apply|{"log":"x","severity":"info"}
apply|{"log":"x","log":"y"}
apply|{"progress":[1,2]}
apply|{"progress":[1,2],"text":"x"}
apply|{"progress":[1,2],"text":1}
apply|{"progress":[1]}
apply|{"progress":[1,2,3]}
apply|{"progress":[1,"2"]}
apply|{"progress":[1,2.5]}
apply|{"progress":{}}
apply|{"remember":{"a":"b"}}
apply|{"remember":{"a":null,"b/c.d_e-0":"é"}}
apply|{"remember":{}}
apply|{"remember":{"a":"b"},"ack":"yes"}
apply|{"remember":{"a b":"c"}}
apply|{"remember":{"A":"c"}}
apply|{"remember":{"":"c"}}
apply|{"remember":{"a":1}}
apply|{"remember":"a"}
apply|{"output":{"a":"b"}}
apply|{"output":{"a":null}}
apply|{"output":{"a=b":"c"}}
apply|{"output":[]}
apply|{"evidence":{"path":"@/e","title":"x"}}
apply|{"evidence":{"path":"@/e"}}
apply|{"evidence":{"path":"e","title":"x"}}
apply|{"evidence":{"path":"@/e","title":"x","more":1}}
check|{"inhibit":{"risk":"a","cause":"b","remedy":"c"}}
check|{"inhibit":{"risk":"a","cause":"b"}}
check|{"inhibit":{"risk":"a","cause":"b","remedy":"c","more":1}}
check|{"irreversible":"x"}
check|{"irreversible":true}
check|{"expect":0}
check|{"expect":-1}
check|{"expect":1.5}
apply|{"result":"changed"}
apply|{"result":"changed","message":"x"}
apply|{"result":"changed","message":1}
apply|{"result":"failed"}
apply|{"result":"failed","message":"x"}
apply|{"result":"retry"}
apply|{"result":"done"}
apply|{"result":"changed","why":"x"}
apply|{"surprise":1}
apply|{"log":"x","progress":[1,2]}
apply|{}
apply|[1]
apply|"log"
apply|hello
END
empty "schema and plugin are of one mind" "$differ"
is "on good lines and bad ones" "$(sort "$tmp/verdicts" | uniq -c | xargs)" "39 bad 15 good"
end
