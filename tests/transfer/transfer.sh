#!/bin/bash
# SPDX-License-Identifier: MIT
# Downloads from a server with the moods of real ones: resumed, tried again,
# conditional, through a proxy, bounded, and never at their place unproved.
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
command -v python3 >/dev/null || skip "python3 is not installed"
command -v jq >/dev/null || skip "jq is not installed"
transfer=$PD_BUILDDIR/patchday-transfer
tmp=$(mktemp -d)
mkdir -m 755 "$tmp/web" "$tmp/to"
unset http_proxy https_proxy all_proxy no_proxy

exec {port_fd}< <(exec python3 "$PD_SRCDIR/tests/transfer/server.py" "$tmp/web")
server=$!
trap 'kill $server; rm -rf "$tmp"' EXIT
read -r -u $port_fd port || { echo "Bail out! the server does not start"; exit 99; }
at=http://127.0.0.1:$port
head -c 300000 /dev/urandom >"$tmp/web/a"
head -c 300000 /dev/urandom >"$tmp/web/a.new"
: >"$tmp/web/empty"
sha256=sha256:$(sha256sum <"$tmp/web/a" | cut -d' ' -f1)

# get FILES [SETTINGS]: JSON; sets $out, $rc; a place is its name below to/
get()
{
	out=$(jq -n --arg to "$tmp/to/" "{ connect: 5, stall: 5, files: [ $1 ] } + { ${2-} }
		| .files[] |= (.to = \$to + .to)" | timeout 120 "$transfer" 2>"$tmp/err")
	rc=$?
}

# of the job N the value at KEY
of()
{
	jq -r "select(.n == $1) | .$2" <<<"$out"
}

fresh()
{
	rm -rf "$tmp/to" "$tmp/web/requests"
	mkdir -m 755 "$tmp/to"
}

requests()
{
	grep -c . "$tmp/web/requests"
}

same()
{
	cmp -s "$tmp/web/${2-a}" "$tmp/to/$1"
}

nothing()
{
	[ -z "$(ls -A "$tmp/to")" ]
}

# ------------------------------------------------------------- plain
get "{url: \"$at/plain/a\", to: \"a\", digest: \"$sha256\", bytes: 300000}, {url: \"$at/plain/empty\", to: \"empty\"},
	{url: \"file://$tmp/web/a\", to: \"file\", digest: \"md5:$(md5sum <"$tmp/web/a" | cut -d' ' -f1)\"}"
is "three files come" "$rc $(of 1 state) $(of 2 state) $(of 3 state)" "0 done done done"
check "as they are" same a
check "an empty one too" [ -e "$tmp/to/empty" ]
check "from a folder too" same file
is "nothing else is left" "$(ls -A "$tmp/to" | paste -sd' ')" "a empty file"
is "everybody may read it, nobody change it" "$(stat -c %a "$tmp/to/a")" 644
etag=$(of 1 etag)
get "{url: \"$at/plain/a\", to: \"a\", etag: $(jq -n --arg e "$etag" '$e')}"
is "what is as we have it does not come again" "$rc $(of 1 state) $(of 1 bytes)" "0 unchanged 0"
check "and stays" same a
for algorithm in sha1 sha224 sha384 sha512; do
	get "{url: \"$at/plain/a\", to: \"b\", digest: \"$algorithm:$("${algorithm}sum" <"$tmp/web/a" | cut -d' ' -f1)\"}"
	is "$algorithm proves it" "$(of 1 state)" "done"
	before=$(requests)
	get "{url: \"$at/plain/a\", to: \"b\", digest: \"$algorithm:$("${algorithm}sum" <"$tmp/web/a" | cut -d' ' -f1)\"}"
	is "and that it is there" "$rc $(of 1 state) $(of 1 bytes) $(requests)" "0 unchanged 300000 $before"
	rm "$tmp/to/b"
done
cp "$tmp/web/a.new" "$tmp/to/a"
get "{url: \"$at/plain/a\", to: \"a\", digest: \"$sha256\", bytes: 300000}" 'progress: "events"'
is "another file of its name" "$rc $(of 1 state) $(of 1 aside)" "0 done $tmp/to/.a.wrong"
check "is replaced" same a
check "and set aside" same .a.wrong a.new
is "lines of JSON tell how far it is" "$(tail -n 1 "$tmp/err" | jq -c .)" \
	'{"event":"progress","files":1,"files_of":1,"bytes":300000,"bytes_of":300000}'
cp "$tmp/web/a.new" "$tmp/to/a"
get "{url: \"$at/gone/a\", to: \"a\", digest: \"$sha256\"}"
is "it has no name also if the right one does not come" "$rc $([ ! -e "$tmp/to/a" ] || echo there)" "1 "

# ------------------------------------------------- refused, whatever comes
fresh
get "{url: \"$at/plain/a\", to: \"a\", digest: \"sha256:$(printf '0%.0s' {1..64})\"}"
is "another digest" "$rc $(of 1 state) $(of 1 id)" "1 failed transfer-digest"
like "both are named" "$(of 1 message)" "${sha256}, not sha256:0000"
check "and nothing of it is left" nothing
get "{url: \"$at/plain/a\", to: \"a\", bytes: 299999}"
is "too large" "$(of 1 id)" transfer-size
get "{url: \"$at/plain/a\", to: \"a\", bytes: 300001}"
is "too small" "$(of 1 id)" transfer-size
get "{url: \"$at/huge/a\", to: \"a\", max: 1000000}"
is "without an end" "$(of 1 id)" transfer-size
get "{url: \"$at/gone/a\", to: \"a\"}"
is "410 is no content" "$(of 1 state) $(of 1 tries) $(requests)" "failed 1 5"
check "and nothing is left" nothing
get "{url: \"$at/to/file:///etc/passwd\", to: \"a\"}"
is "sent to a file of this machine" "$(of 1 state)" failed
get "{url: \"gopher://x/\", to: \"a\"}"
is "another protocol: all is refused" "$rc $(requests)" "2 6"
like "with its id" "$(cat "$tmp/err")" 'entry 1.*transfer-job'
get "{url: \"$at/plain/a\", to: \"../a\"}"
is "a way out of the folder" "$rc" 2
get "{url: \"$at/plain/a\", to: \"a\", digest: \"sha256:12\"}"
is "no digest" "$rc" 2
chmod 777 "$tmp/to"
get "{url: \"$at/plain/a\", to: \"a\"}"
is "a folder that others can write to" "$rc $(of 1 id)" "1 transfer-folder"
chmod 755 "$tmp/to"
ln -s "$tmp/elsewhere" "$tmp/to/.a.part"
get "{url: \"$at/plain/a\", to: \"a\"}"
is "a link in the place of a part" "$rc" 1
check "is not followed" [ ! -e "$tmp/elsewhere" ]

# ------------------------------------------------------------ cut off
fresh
get "{url: \"$at/cut/100000/a\", to: \"a\"}"
is "a connection that ends" "$rc $(of 1 state) $(of 1 tries)" "0 done 2"
check "as it is" same a
is "only the rest came" "$(awk 'END { print $2 }' "$tmp/web/requests")" "bytes=100000-"
fresh
get "{url: \"$at/cut/110000/a\", to: \"a\"}" "retries: 0"
is "what came is kept" "$rc $(of 1 state) $(stat -c %s "$tmp/to/.a.part")" "1 failed 110000"
check "and is not at its place" [ ! -e "$tmp/to/a" ]
get "{url: \"$at/cut/110000/a\", to: \"a\"}"
is "the next time it goes on there" "$rc $(tail -1 "$tmp/web/requests" | cut -d' ' -f2)" "0 bytes=110000-"
check "as it is" same a
is "nothing else is left" "$(ls -A "$tmp/to")" a
fresh
get "{url: \"$at/cut/120000/a\", to: \"a\"}" "retries: 0"
cp "$tmp/web/a" "$tmp/web/old" && cp "$tmp/web/a.new" "$tmp/web/a"
get "{url: \"$at/cut/120000/a\", to: \"a\"}"
is "a file that is another one by then comes whole" "$rc" 0
check "as it is now" same a
cp "$tmp/web/old" "$tmp/web/a"
fresh
get "{url: \"$at/swap/130000/a\", to: \"a\", digest: \"$sha256\"}"
is "two halves of two files are found out" "$rc $(of 1 state) $(of 1 tries)" "0 done 3"
check "as it is" same a
fresh
get "{url: \"$at/swap/140000/a\", to: \"a\"}" "retries: 0"
get "{url: \"$at/swap/140000/a\", to: \"a\"}" "retries: 0"
is "nothing proves a part: it is not gone on with" "$rc $(tail -1 "$tmp/web/requests" | cut -d' ' -f2)" "0 -"
for mood in norange weak none; do
	fresh
	get "{url: \"$at/$mood/a\", to: \"a\", digest: \"$sha256\"}"
	head -c 5000 "$tmp/web/a" >"$tmp/to/.b.part"
	jq -n --arg u "$at/$mood/a" --arg d "$sha256" '{url: $u, digest: $d}' >"$tmp/to/.b.part.json"
	get "{url: \"$at/$mood/a\", to: \"b\", digest: \"$sha256\"}"
	is "$mood: a part goes on, or comes anew" "$rc $(tail -1 "$tmp/web/requests" | cut -d' ' -f2)" "0 bytes=5000-"
	check "$mood: as it is" same b
done
fresh
head -c 5000 "$tmp/web/a" >"$tmp/to/.a.part"
jq -n --arg u "$at/liar/a" --arg d "$sha256" '{url: $u, digest: $d}' >"$tmp/to/.a.part.json"
get "{url: \"$at/liar/a\", to: \"a\", digest: \"$sha256\"}"
is "a server that sends another part" "$rc" 0
check "as it is" same a

# ------------------------------------------------------- tried again
fresh
get "{url: \"$at/busy/1/a\", to: \"a\"}"
is "a busy server is asked again" "$rc $(of 1 tries)" "0 2"
fresh
get "{url: \"$at/busy/9/a\", to: \"a\"}" "retries: 1"
is "but not for ever" "$rc $(of 1 tries)" "1 2"
like "and its answer is told" "$(of 1 message)" 503
get "{url: \"http://127.0.0.1:1/a\", to: \"a\"}" "retries: 1"
is "nobody there" "$rc $(of 1 tries)" "1 2"

# --------------------------------------------------------- too slow
fresh
get "{url: \"$at/drip/100/a\", to: \"a\"}" "stall: 2"
is "what drips does not go on for ever: it is asked for again" "$rc $(of 1 state) $(($(of 1 tries) > 1))" "0 done 1"
like "from where it was" "$(tail -1 "$tmp/web/requests")" '^/drip/100/a bytes=[1-9][0-9]*- '
check "as it is" same a
head -c 1000 "$tmp/web/a" >"$tmp/web/small"
get "{url: \"$at/drip/400/small\", to: \"small\"}" "stall: 1, rate: 4000, parallel: 40"
is "but not if the rate leaves it no more" "$rc $(of 1 tries)" "0 1"

# ------------------------------------------------------ who is asking
fresh
get "{url: \"$at/login/a\", to: \"a\", user: \"u\", password: \"p\"}"
is "with a password" "$rc" 0
get "{url: \"$at/login/a\", to: \"b\", user: \"u\", password: \"wrong\"}"
is "with a wrong one" "$rc" 1
fresh
get "{url: \"$at/to/http://localhost:$port/plain/a\", to: \"a\", user: \"u\", password: \"p\"}"
is "a password is not told to another host" "$rc $(grep '^/plain' "$tmp/web/requests" | cut -d' ' -f3)" "0 -"
fresh
get "{url: \"http://no-such-host.invalid/plain/a\", to: \"a\"}" "proxy: \"$at\", retries: 0"
is "through a proxy" "$rc" 0
: >"$tmp/web/proxy-login"
get "{url: \"http://no-such-host.invalid/plain/a\", to: \"b\"}" "proxy: \"$at\", retries: 0"
is "that wants a password" "$rc" 1
get "{url: \"http://no-such-host.invalid/plain/a\", to: \"b\"}" \
	"proxy: \"$at\", retries: 0, proxy_user: \"proxy-user\", proxy_password: \"proxy-password\""
is "and gets it" "$rc" 0
check "the file is there" same b
rm "$tmp/web/proxy-login"

# ------------------------------------------------------------------- https
if command -v openssl >/dev/null; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$tmp/ca.key" -out "$tmp/ca.pem" -days 9 -subj "/CN=authority" 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$tmp/tls.key" -out "$tmp/tls.csr" -subj "/CN=localhost" 2>/dev/null
	openssl x509 -req -in "$tmp/tls.csr" -CA "$tmp/ca.pem" -CAkey "$tmp/ca.key" -CAcreateserial -days 9 \
		-extfile <(echo subjectAltName=DNS:localhost) -out "$tmp/tls.pem" 2>/dev/null
	exec {tls_fd}< <(exec python3 "$PD_SRCDIR/tests/transfer/server.py" "$tmp/web" "$tmp/tls.pem" "$tmp/tls.key" 2>/dev/null)
	tls_server=$!
	trap 'kill $server $tls_server; rm -rf "$tmp"' EXIT
	read -r -u $tls_fd tls_port || { echo "Bail out! the server for https does not start"; exit 99; }
	tls=https://localhost:$tls_port ours="authorities: \"$tmp/ca.pem\", retries: 0"
	fresh
	get "{url: \"$tls/plain/a\", to: \"a\"}" "$ours"
	is "by https, whose authority is named" "$rc $(same a && echo whole)" "0 whole"
	get "{url: \"$tls/plain/a\", to: \"b\"}, {url: \"https://127.0.0.1:$tls_port/plain/a\", to: \"c\"}" "retries: 0"
	is "by one that is not the system's" "$rc $(of 1 state) $(of 2 state)" "1 failed failed"
	like "which is said" "$(of 1 message)" certificate
	get "{url: \"https://127.0.0.1:$tls_port/plain/a\", to: \"d\"}" "$ours"
	is "with the certificate of another host" "$(of 1 state)" failed
	get "{url: \"$tls/to/$at/plain/a\", to: \"e\"}, {url: \"$tls/to/$tls/plain/a\", to: \"f\"},
		{url: \"$at/to/$at/plain/a\", to: \"g\"}" "$ours, secure: true"
	is "from https to http where nothing else proves it, and elsewhere" "$(jq -r .state <<<"$out" | sort | paste -sd' ') $(of 1 state)" \
		"done done failed failed"
	get "{url: \"$tls/to/$at/plain/a\", to: \"e\"}" "$ours"
	is "or where something does" "$(of 1 state)" done
fi

# -------------------------------------------------------------- so fast, and no faster
fresh
before=$(date +%s%N)
get "{url: \"$at/plain/a\", to: \"a\"}, {url: \"$at/plain/a\", to: \"b\"}" "rate: 200000"
is "600,000 bytes at 200,000 a second, of both together, take some 3 s" \
	"$rc $((($(date +%s%N) - before) / 100000000 >= 23))" "0 1"

# ---------------------------------------------------------- many, and a signal
fresh
files=$(for i in $(seq 50); do echo "{url: \"$at/plain/a\", to: \"f$i\", digest: \"$sha256\"}"; done | paste -sd,)
get "$files" "parallel: 8"
is "fifty at once" "$rc $(jq -r .state <<<"$out" | sort | uniq -c | tr -s ' ')" "0  50 done"
fresh
jq -n --arg to "$tmp/to/a" "{rate: 20000, files: [{url: \"$at/plain/a\", to: \$to}]}" >"$tmp/list"
"$transfer" <"$tmp/list" >"$tmp/out" &
pid=$!
for _ in $(seq 600); do [ -s "$tmp/to/.a.part" ] && break; sleep 0.05; done
kill -TERM $pid
wait $pid
is "a signal ends it" "$? $(jq -r .state "$tmp/out")" "1 failed"
check "what came is kept" [ -s "$tmp/to/.a.part" ]
check "and is not at its place" [ ! -e "$tmp/to/a" ]
end
