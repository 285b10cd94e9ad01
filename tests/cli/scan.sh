#!/bin/bash
# SPDX-License-Identifier: MIT
# scan for one server and for many, its fixed form of JSON, and catalog vercmp.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
command -v jq >/dev/null || skip "jq is not installed"
cp "$PD_BUILDDIR/plugins/native/.libs/native.so" "$tmp/plugins/"
catalog=$PD_SRCDIR/catalogs/examples/packages.xml

# packages LINE...: the file of packages
packages()
{
	printf '%b\n' "$@" >"$tmp/p.tsv"
}

scan()
{
	pd scan --catalog "$catalog" "$@"
}

# ------------------------------------------------------ --packages, --json
packages '# name\tepoch\tversion\trelease\tarch' 'libssl3\t0\t3.0.1\t1~deb12u1\tamd64 # old' '' '  # none' \
	'kernel\t2\t1\t1\tall\r'
scan --packages "$tmp/p.tsv" --scheme deb --json
is "a list of packages is judged" "$rc" 0
is "each update is a line of these members" "$(jq -c keys <<<"$out" | sort | uniq -c | tr -s ' ')" \
	' 5 ["catalog","id","packages","reason","revision","verdict"]'
is "one of them whole" "$(jq -c 'select(.id == "EX-2026-014")' <<<"$out")" \
	"{\"catalog\":\"packages.xml\",\"id\":\"EX-2026-014\",\"packages\":[{\"arch\":\"amd64\",\"name\":\"libssl3\",\"version\":\"3.0.17-1~deb12u2\"}],\"reason\":\"libssl3 3.0.1-1~deb12u1 is installed, 3.0.17-1~deb12u2 is offered\",\"revision\":\"2\",\"verdict\":\"needed\"}"
packages 'libssl3\t1\t3.0.1\t\tamd64'
scan --packages "$tmp/p.tsv" --scheme deb --why EX-2026-014
like "the epoch counts" "$rc $out" '^0 installed .* libssl3 1:3.0.1 is installed$'
packages 'gpg-pubkey\t(none)\tfd431d51\t4ae0493b\t(none)' 'noarch\t\t1\t1\t' 'libssl3\t(none)\t3.0.1\t1~deb12u1\tamd64\t\t'
scan --packages "$tmp/p.tsv" --scheme deb --why EX-2026-014
like "what there is not may be written as rpm writes it, or be empty" "$rc $out" '^0 needed .* libssl3 3.0.1-1~deb12u1 is installed'
packages '\xef\xbb\xbflibssl3\t1\t3.0.1\t\tamd64'
scan --packages "$tmp/p.tsv" --scheme deb --why EX-2026-014
like "behind a mark of the byte order too" "$rc $out" '^0 installed .* libssl3 1:3.0.1 is installed$'
packages 'libssl3\t0\t3.0.1\t1\ti386'
scan --packages "$tmp/p.tsv" --scheme deb --why EX-2026-014
like "of another architecture it is told which" "$rc $out" '^0 not-applicable .* libssl3 is installed, but for i386, and this is for amd64$'
packages 'libssl3\t0\t5.7 only\t1\tamd64'
scan --packages "$tmp/p.tsv" --scheme deb --why EX-2026-014
like "a version with a blank, as some lists have, does not stop the rest" "$rc $out" '^0 unknown .*5.7 only-1 can.t be compared'
packages 'kernel\t0\t5.1\t1\tx86_64'
scan --packages "$tmp/p.tsv" --scheme rpm --why EX-2026-015
like "of rpm too" "$rc $out" '^0 needed .* kernel 5.1-1 is installed'
{ seq 1 60000 | sed 's/.*/kernel\t0\t4.&\t1\tx86_64/'; printf 'kernel\t0\t5.1\t1\tx86_64\nkernel\t0\t5.9\t1\ti686\n'; } >"$tmp/p.tsv"
out=$(timeout 120 "$PD_BUILDDIR/patchday" scan "${places[@]}" --catalog "$catalog" --packages "$tmp/p.tsv" --scheme rpm --why EX-2026-015 2>&1)
like "of very many builds of one name the newest of its architecture counts, without comparing all with all" "$? $out" \
	'^0 needed .* kernel 5.1-1 is installed'
for bad in 'foo\t0\t1\t1@wanted are the columns' 'foo\t0\t1\t1\tall\tx@wanted are the columns' \
	'foo\tx\t1\t1\tall@the epoch .x. is no number' '\t0\t1\t1\tall@has no name' \
	'foo\t0\t\t1\tall@no version' 'foo\t0\t1 2\t1\tall@"1 2-1" is no version of the scheme rpm' \
	'foo\t0\t1\xff\t1\tall@not UTF-8' 'foo\t0\t1\0\t1\tall@zero byte'; do
	packages 'libssl3\t0\t3.0.1\t\tamd64' "${bad%@*}"
	scan --packages "$tmp/p.tsv" --scheme rpm
	like "a line that is none is refused: ${bad#*@}" "$rc $out" "^2 patchday: $tmp/p.tsv:2: .*${bad#*@}"
done
packages 'libssl3\t0\t3.0.1\t\tamd64'
printf 'a\0\tb\n' >"$tmp/streams"
scan --packages "$tmp/p.tsv" --scheme deb --modules "$tmp/streams"
like "nor has a stream of a module one" "$rc $out" "^2 patchday: $tmp/streams: .* is no module and its stream"
scan --packages "$tmp/p.tsv"
like "--scheme is asked for" "$rc $out" '^2 .*--packages needs --scheme'
scan --packages "$tmp/p.tsv" --scheme dep
like "a misspelt one" "$rc $out" '^2 .*Did you mean deb\?|^  Did you mean deb\?'
scan --packages "$tmp/none" --scheme deb
like "a file that is not there" "$rc $out" "^2 .*$tmp/none.*\[file-read\]"

printf '<catalog xmlns="urn:patchday:catalog:1"><update id="A" kind="security"><title>t</title>%s</update></catalog>' \
	"<package name=\"p\" version=\"2&#x9b;31m&#x202e;&#x7f;\" scheme=\"rpm\"/>" >"$tmp/hostile.xml"
packages 'p\t0\t1\t1\tnoarch'
pd scan --catalog "$tmp/hostile.xml" --packages "$tmp/p.tsv" --scheme rpm --why A
like "what a catalog says does not steer the terminal" "$rc $out" '^0 needed .* p 1-1 is installed, 2\?\?31m\?\?\?\? is offered$'

# ------------------------------------------------------------ many servers
mkdir "$tmp/fleet"
for i in 1 2; do
	echo "{\"os\": {\"hostname\": \"web$i\"}, \"packages\": [{\"name\": \"libssl3\", \"version\": \"3.0.$i\", \"arch\": \"amd64\", \"scheme\": \"deb\"}]}" >"$tmp/fleet/$i.json"
done
sed -e 's/web1/=web\\"3/' -e 's/3.0.1/4/' "$tmp/fleet/1.json" >"$tmp/db.json"
touch "$tmp/fleet/.hidden"
many=(--facts "$tmp/fleet" --facts "$tmp/db.json")
scan "${many[@]}"
is "many servers at once" "$rc" 0
is "each has its name, in order" "$(grep -E '^=?web' <<<"$out" | tr '\n' ' ')" 'web1 web2 =web"3 '
is "and its counts" "$(grep -c '^[02] needed, ' <<<"$out")" 3
scan "${many[@]}" --json --why EX-2026-014
is "each line of JSON names the server" "$(jq -r '[.server, .verdict] | join(" ")' <<<"$out")" \
	$'web1 needed\nweb2 needed\n=web"3 installed'
scan "${many[@]}" --csv --why EX-2026-014
is "CSV has a line for each server and a head" "$(wc -l <<<"$out") $(grep -c $'\r$' <<<"$out")" "4 4"
like "with its fields in quotes" "$out" '^"web2","packages.xml","EX-2026-014","2","needed","critical","security","libssl3 3.0.2 is installed, 3.0.17-1~deb12u2 is offered"|^"web1",.*,"libssl3 3.0.17-1~deb12u2 amd64"'
like "and no formula" "$out" "^\"'=web\"\"3\",\"packages.xml\""
scan "${many[@]}" --why nothing
like "an update that no catalog has" "$rc $out" '^2 .*no catalog has an update nothing'
echo '{' >"$tmp/fleet/1.json"
scan "${many[@]}"
is "a file that is broken does not stop the rest" "$rc $(grep -c '^[02] needed, ' <<<"$out")" "2 2"
like "it is named" "$out" "^patchday: $tmp/fleet/1.json:2: this is not JSON"
out=$("${patchday[@]}" scan "${places[@]}" --catalog "$catalog" "${many[@]}" --json 2>/dev/null)
is "also in JSON, in one line" "$(jq -r 'select(.error) | .error.id' <<<"$out") $(wc -l <<<"$out")" "json-syntax 11"

mkdir "$tmp/none"
scan --facts "$tmp/none"
like "a folder without facts is not this server" "$rc $out" "^2 patchday: the folder $tmp/none has no file of facts \\[facts-none\\]"
scan --facts "$tmp/db.json" --facts "$tmp/none" --json
is "also as one of several, and in JSON" "$rc $(jq -r .error.id <<<"$out")" "2 facts-none"
scan --facts ""
like "nor is a path without a word" "$rc $out" '^2 .*file-read'
for no in "$tmp/none" ""; do
	pd scan --catalog "$no" --facts "$tmp/db.json"
	like "nor is an empty one a catalog" "$rc $out" '^2 patchday: catalog '
done

# ------------------------------------------------------------ signed, or not
"${patchday[@]}" final --make-key --key "$tmp/seal.key" --plugin-dir "$tmp/plugins" >/dev/null
cp "$catalog" "$tmp/signed.xml"
packages 'libssl3\t0\t3.0.1\t\tamd64'
# signed_by KEY [FACTS]...
signed_by() { pd scan --catalog "$tmp/signed.xml" --why EX-2026-014 --key "$1" "${@:2}"; }
of=(--packages "$tmp/p.tsv" --scheme deb)
signed_by "$tmp/none.pub" "${of[@]}"
like "a key that is not there is named" "$rc $out" "^2 .*there is no key $tmp/none.pub"
signed_by "$tmp/seal.pub" "${of[@]}"
like "what is not signed by the key that is given is refused" "$rc $out" '^2 .*there is no signature .*signed.xml.minisig.*\[trust\]'
pd catalog sign "$tmp/signed.xml" --key "$tmp/seal.key"
signed_by "$tmp/seal.pub" "${of[@]}"
like "what is signed by it is judged" "$rc $out" '^0 needed '
sed -i 's/EX-2026-015/EX-2026-016/' "$tmp/signed.xml"
for answer in new kept; do
	signed_by "$tmp/seal.pub" "${of[@]}"
	like "changed after that it is refused, also if an answer is $answer" "$rc $out" '^2 .*not what was signed.*\[trust\]'
	pd scan --catalog "$tmp/signed.xml" --why EX-2026-014 "${of[@]}"
	like "which is asked with a key alone" "$rc $out" '^0 needed '
done
signed_by "$tmp/seal.pub" --facts "$tmp/db.json"
is "of facts too" "$rc" 2

# ------------------------------------------ an answer that was given before
rm -rf "$tmp/state/cache"
packages 'libssl3\t0\t3.0.1\t1\tamd64'
list=(--packages "$tmp/p.tsv" --scheme deb)
scan "${list[@]}"
columns=$out
for answer in "$tmp"/state/cache/answer-*; do echo marked >>"$answer"; done
scan "${list[@]}"
is "the same is answered as before" "$out" "$columns"$'\nmarked'
scan "${list[@]}" --plain
like "but not to who hears it" "$out" '^needed, critical, EX-2026-014, '
PATCHDAY_PLAIN=1 scan "${list[@]}"
like "however that was said" "$out" '^needed, critical, EX-2026-014, '
for days in 31 2 1; do
	truncate -s 40M "$tmp/state/cache/answer-$days"
	touch -d "$days days ago" "$tmp/state/cache/answer-$days"
done
scan "${list[@]}" --all
is "of answers that are too old or too long together the oldest go" "$(cd "$tmp/state/cache" && echo answer-?? answer-?)" "answer-?? answer-1"

{
	echo '<catalog xmlns="urn:patchday:catalog:1">'
	for i in {1..103}; do echo "<update id=\"A\" revision=\"$i\" kind=\"security\"><title>t</title><package name=\"p\" version=\"1\" scheme=\"deb\"/></update>"; done
	for i in {1..3000}; do echo "<update id=\"B$i\" kind=\"security\"><title>t</title><package name=\"p\" version=\"1\" scheme=\"deb\"/></update>"; done
	echo '</catalog>'
} >"$tmp/long.xml"
# what has changed just now is never believed to be the same
while [ "$(stat -c %Z "$tmp/long.xml")" -gt $(($(date +%s) - 3)) ]; do sleep 0.2; done
long=("${patchday[@]}" scan "${places[@]}" --catalog "$tmp/long.xml" "${list[@]}" --json)
"${long[@]}" >"$tmp/first" 2>"$tmp/notes"
is "notes are told" "$(wc -l <"$tmp/notes") $(tail -1 "$tmp/notes")" \
	"101 patchday: note: and 2 more of long.xml; \`patchday catalog check --all\` has them all"
"${long[@]}" >"$tmp/out" 2>"$tmp/err"
check "with the answer as before" cmp "$tmp/out" "$tmp/first"
check "as they were" cmp "$tmp/err" "$tmp/notes"
# what a reader prints is its own
mkdir -m 755 "$tmp/talk"
cc -shared -fPIC -I"$PD_SRCDIR/core/include" -o "$tmp/talk/talk.so" -x c - <<'END'
#include <stdio.h>
#include <patchday/plugin.h>

static int recognize(const unsigned char *head, size_t len)
{
	return len && head[0] == '<' ? 90 : 0;
}

static int talk(struct pd_ctx *ctx)
{
	const struct pd_update_head head = { .size = sizeof(head), .id = "T-1", .title = "t", .kind = PD_CLASS_SECURITY, .line = 1 };

	puts("what a reader prints");
	return pd_update_begin(ctx, &head) < 0 || pd_update_end(ctx) < 0 ? PD_FAILED : 0;
}

static const struct pd_reader row = { PD_READER, .name = "talk", .help = "talks", .recognize = recognize, .read = talk };
static const struct pd_reader *const rows[] = { &row, NULL };

PD_PLUGIN(.name = "talk", .version = "1.0", .help = "a reader that talks", .readers = rows);
END
talk=("${patchday[@]}" scan --plugin-dir "$tmp/talk" --state "$tmp/talked" --catalog "$tmp/long.xml" "${list[@]}" --json --all)
first=$("${talk[@]}" 2>&1)
like "a reader that prints is heard as any other" "$? $first" '^0 .*"id":"T-1"'
is "and its answer is kept" "$("${talk[@]}" 2>&1) $(compgen -G "$tmp/talked/cache/answer-*" | wc -l)" "$first 1"
rm "$tmp"/state/cache/answer-*
"${long[@]}" >"$tmp/out" 2>"$tmp/err"
check "once, if only the answer was deleted" cmp "$tmp/err" "$tmp/notes"
check "which is found anew" cmp "$tmp/out" "$tmp/first"
mkdir "$tmp/full"
if unshare -m mount -t tmpfs none "$tmp/full" 2>/dev/null; then
	# shellcheck disable=SC2016 # of the inner shell
	unshare -m bash -c 'mount -t tmpfs -o size=128k none "$0" && "$@"; echo "$? $(ls "$0/cache" | grep -vc "^key")"' \
		"$tmp/full" sh -c 'out=$1 && shift && exec "$@" >"$out"' - "$tmp/out" "${long[@]}" --state "$tmp/full" >"$tmp/rc" 2>"$tmp/err"
	is "a state folder without room for the answer does not spoil it, and has nothing of it" "$(cat "$tmp/rc")" "0 0"
	check "all of it is told" cmp "$tmp/out" "$tmp/first"
	check "and no more" cmp "$tmp/err" "$tmp/notes"
else
	echo "# SKIPPED: a full state folder, which needs root and namespaces"
fi
long+=(--state "$tmp/other")
"${long[@]}" >/dev/full 2>"$tmp/err"
like "that standard output is full is another matter" "$? $(tail -1 "$tmp/err")" '^2 patchday: the output could not be written$'
empty "and no answer" "$(compgen -G "$tmp/other/cache/answer-*")"

# ------------------------------------------------------------------ vercmp
# vercmp SCHEME: of standard input; sets $out, $err and $rc
vercmp()
{
	out=$("${patchday[@]}" catalog vercmp "$1" "${places[@]}" 2>"$tmp/err")
	rc=$?
	err=$(<"$tmp/err")
}
vercmp deb < <(printf '1\t2\n2\t1\n1.0\t1.0-0\n1~\t1')
is "versions from standard input" "$rc $(tr '\n' ' ' <<<"$out")" "0 -1 1 0 -1 "
vercmp windows < <(printf '6.1\t6.1.0.0\n6.x\t6\n\n1\t2\t3\n\xff\t1\n1\t2\n')
is "what is no version" "$rc $(tr '\n' ' ' <<<"$out")" "0 0 ? ? ? ? -1 "
like "is told with its line" "$err" '^patchday: line 2: "6.x" is no version of the scheme windows$'
is "and each of them" "$(grep -c '^patchday: line [2345]: ' <<<"$err")" 4
vercmp rpm < <(printf '1\t2\r\n2\t1\r\n')
is "lines may end as those of Windows do" "$rc $(tr '\n' ' ' <<<"$out") $err" "0 -1 1  "
vercmp rpm < <(printf '1\t-1\n-1\t-2\n0:-1\t-1\n')
is "what begins with - is a release without a version, as librpm has it" "$rc $(tr '\n' ' ' <<<"$out")" "0 1 -1 0 "
vercmp deb < <(printf '1\0\t2\n1\t2\n')
like "a zero byte is in none" "$rc $(tr '\n' ' ' <<<"$out")$err" '^0 \? -1 patchday: line 1: '
vercmp rpm </dev/null
is "nothing gives nothing" "$rc $out" "0 "
vercmp dep </dev/null
like "a scheme that there is not" "$rc $err" '^2 .*no version scheme .dep'
end
