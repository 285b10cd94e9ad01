#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin notify, in a network of its own: mail by msmtp to a server of SMTP, webhooks by curl to one of
# https, and what both of them got.  Terminals of people who are logged in: tests/plugins/notify-lab.sh.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
for program in msmtp curl python3 openssl jq unshare ip; do
	command -v $program >/dev/null || skip "$program is not installed"
done
if [ -z "${PD_INSIDE-}" ]; then
	mapfile -t as < <([ "$(id -u)" = 0 ] || echo --map-root-user)
	unshare "${as[@]}" --net true 2>/dev/null || skip "there can be no network of its own here"
	PD_INSIDE=1 exec unshare "${as[@]}" --net --pid --fork --kill-child "$0"
fi
ip link set lo up
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
umask 022
mkdir -p "$tmp/plugins" "$tmp/got"
cp "$PD_BUILDDIR/plugins/notify/.libs/notify.so" "$tmp/plugins/"

# step NAME PHASES ARGUMENT...: sets $out, $result of the last phase and $message
step()
{
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$work" "notify.$1" "${@:2}" 2>&1)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	message=$(sed -n 's/.*"message":"\(.*\)","seconds".*/\1/p' <<<"$out")
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost -keyout "$tmp/key" -out "$tmp/ca.pem" 2>/dev/null
# got/mail-N, got/post-N and got/headers-N are what came; the files refuse and answer say how it is answered
cat >"$tmp/servers.py" <<'END_OF_SERVERS'
import http.server, os, socketserver, ssl, sys, threading
top = sys.argv[1]
count = {}
def keep(kind, data):
    count[kind] = count.get(kind, 0) + 1
    with open(f"{top}/got/.new", "wb") as f: f.write(data)
    os.rename(f"{top}/got/.new", f"{top}/got/{kind}-{count[kind]}")
def told(name, otherwise):
    try:
        with open(f"{top}/{name}") as f: return f.read().strip()
    except FileNotFoundError: return otherwise
class Smtp(socketserver.StreamRequestHandler):
    def say(self, text): self.wfile.write(text.encode() + b"\r\n")
    def handle(self):
        envelope = []
        self.say("220 localhost ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word in ("MAIL", "RCPT"): envelope.append(line)
            if word == "RCPT" and told("refuse", ""): self.say(told("refuse", ""))
            elif word == "DATA":
                self.say("354 go on")
                data = b""
                while (line := self.rfile.readline()) != b".\r\n":
                    data += line[1:] if line.startswith(b"..") else line
                keep("mail", "\n".join(envelope).encode() + b"\n\n" + data)
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else: self.say("250 well")
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        keep("headers", str(self.headers).encode())
        keep("post", body)
        status = int(told("answer", "200"))
        if status == 1: return self.close_connection
        self.send_response(status)
        if status == 302: self.send_header("Location", "https://localhost:9443/elsewhere")
        self.end_headers()
        self.wfile.write(b"so it is")
    def log_message(self, *a): pass
class Server(socketserver.ThreadingTCPServer): allow_reuse_address = True
smtp, hook = Server(("localhost", 2525), Smtp), http.server.ThreadingHTTPServer(("localhost", 9443), Hook)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f"{top}/ca.pem", f"{top}/key")
hook.socket = tls.wrap_socket(hook.socket, server_side=True)
threading.Thread(target=smtp.serve_forever, daemon=True).start()
open(f"{top}/ready", "w")
hook.serve_forever()
END_OF_SERVERS
python3 "$tmp/servers.py" "$tmp" 2>"$tmp/servers.log" &
servers=$!
until [ -e "$tmp/ready" ] || ! kill -0 $servers 2>/dev/null; do sleep 0.05; done
[ -e "$tmp/ready" ] || { echo "Bail out! no servers: $(cat "$tmp/servers.log")"; exit 1; }
got() { find "$tmp/got" -name "$1-*" | wc -l; }

# ---- mail: msmtp, called as sendmail is
cat >"$tmp/sendmail" <<S
#!/bin/sh
exec msmtp --file=$tmp/msmtprc "\$@"
S
chmod 755 "$tmp/sendmail"
printf 'account default\nhost localhost\nport 2525\ntls off\nauth off\nfrom patchday@fp1.example\nsyslog off\ndomain localhost\n' >"$tmp/msmtprc"
mail=(command="$tmp/sendmail" to="ann@example.org,bert@example.org")
work=$tmp/mail
subject='Wartung auf "fp1" ändert Größe: heute ab 22 Uhr, bitte Dateien schließen, vielen Dank und schöne Grüße 🕙'
text='Grüße,
.
From here on = 100 %, a line that is much longer than the seventy-six characters that a line of quoted-printable may have, as you see. 

--
ende'
step mail check,apply,verify "${mail[@]}" subject="$subject" text="$text"
is "a mail is sent" "$result $message" "unchanged "
is "it came once" "$(got mail)" 1
is "to those it is for" "$(grep -c '^RCPT TO:<\(ann\|bert\)@example.org>' "$tmp/got/mail-1") $(grep -c '^RCPT' "$tmp/got/mail-1")" "2 2"
# decode: header NAME or body of the mail, as any mail program shows it
decode()
{
	python3 - "$tmp/got/mail-$1" "$2" <<'P'
import email, email.policy, sys
m = email.message_from_bytes(open(sys.argv[1], "rb").read().split(b"\n\n", 1)[1], policy=email.policy.default)
print(m.get_content() if sys.argv[2] == "body" else m[sys.argv[2]], end="" if sys.argv[2] == "body" else "\n")
print(*m.defects, *[d for h in m.keys() for d in m[h].defects], sep="\n", end="")
P
}
is "its subject is the one given" "$(decode 1 subject)" "$subject"
is "its text, too" "$(decode 1 body | tr -d '\r')" "$text"
is "no line is too long" "$(sed '1,/^$/d' "$tmp/got/mail-1" | tr -d '\r' | awk 'length > 76' | grep -v '^Message-ID')" ""
like "it is no answer to anybody" "$(decode 1 auto-submitted)" auto-generated
like "it has its time" "$(decode 1 date)" '^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} [+-][0-9]{4}$'
like "and its name is put out" "$out" "\"name\":\"message_id\",\"value\":\"$(decode 1 message-id | tr -d '<>')\""
is "the evidence is what was sent" "$(grep -c "^Message-ID: $(decode 1 message-id)" "$work/notify.mail/message.eml")" 1
step mail check "${mail[@]}" subject="$subject" text="$text"
is "check finds it sent" "$result" unchanged
step mail apply "${mail[@]}" subject="$subject" text="$text"
is "and it is not sent twice" "$result $(got mail)" "unchanged 1"

work=$tmp/again
echo '451 try again later' >"$tmp/refuse"
step mail apply "${mail[@]}" subject=short text=text
first=$(sed -n 's/^Message-ID: //p; s/^Date: //p' "$work/notify.mail/message.eml")
is "a server that does not take it now may take it later" "$result" retry
like "with what it said" "$message" 'does not take the mail for ann@example.org \(status [0-9]+\): .*try again later'
rm "$tmp/refuse"
printf 'no such setting\n' >"$tmp/msmtprc.wrong"
printf '#!/bin/sh\nexec msmtp --file=%s "$@"\n' "$tmp/msmtprc.wrong" >"$tmp/sendmail.wrong"
chmod 755 "$tmp/sendmail.wrong"
work=$tmp/config
step mail apply "${mail[@]}" command="$tmp/sendmail.wrong" subject=short text=text
like "a configuration that is wrong is no reason to wait" "$result $message" 'failed .*\(status 78\)'
work=$tmp/again
step mail apply,verify "${mail[@]}" subject=short text=text
is "tried again it is sent" "$result $(decode 2 subject)" "unchanged short"
is "as the same mail" "$(sed -n 's/^Message-ID: //p; s/^Date: //p' "$tmp/got/mail-2" | tr -d '\r')" "$first"

work=$tmp/wrong
step mail check command="$tmp/sendmail" to="ann@example.org" subject=$'a\nBcc: carl@example.org' text=text
is "a subject adds no header" "$result $message" "bad-args subject has a line break or a control character"
for to in '-oQ/tmp' 'ann@example.org
Bcc: carl@example.org' 'ann@' 'a b' 'Ann <ann@example.org>' 'ann@-x'; do
	step mail check command="$tmp/sendmail" to="$to" subject=a text=b
	like "$(tr '\n' ' ' <<<"$to")is no address" "$result $message" 'bad-args .*is no address'
done
step mail check command="$tmp/none" to=root subject=a text=b
like "no mail program" "$result $message" 'failed cannot run .*/none: No such file'

# ---- webhook
work=$tmp/hook
hook=(ca="$tmp/ca.pem" url=https://localhost:9443/hook)
text=$'It "begins" at 22:00 \\ Größe 🕙\n\tsecond\x01line'
step webhook check,apply,verify "${hook[@]}" text="$text" secret="Bearer to\"ken\\1" fields='channel=#ops,x=a=b'
is "a message is posted" "$result $message" "unchanged "
is "text and fields are as given" "$(jq -r '.text, .channel, .x' "$tmp/got/post-1")" "$text
#ops
a=b"
like "as JSON" "$(cat "$tmp/got/headers-1")" '^Content-Type: application/json'
like "with the secret" "$(cat "$tmp/got/headers-1")" '^Authorization: Bearer to"ken\\1'
is "and its id" "$(sed -n 's/^Idempotency-Key: //p' "$tmp/got/headers-1" | tr -d '\r')" "$(jq -r .id "$tmp/got/post-1")"
is "the secret is in no file, and not shown" "$(grep -rl 'to.*ken' "$work"; grep -c 'to.*ken' <<<"$out")" 0
step webhook apply "${hook[@]}" text="$text" secret="Bearer to\"ken\\1" fields='channel=#ops,x=a=b'
is "it is not posted twice" "$result $(got post)" "unchanged 1"

work=$tmp/later
for status in 503 429 1; do
	echo $status >"$tmp/answer"
	step webhook apply "${hook[@]}" text=later
	is "$status: it may be tried again" "$result" retry
done
echo 404 >"$tmp/answer"
step webhook apply "${hook[@]}" text=later
like "404: it may not" "$result $message" 'failed the message was posted, and the answer is status 404: so it is'
echo 302 >"$tmp/answer"
step webhook apply "${hook[@]}" text=later
like "nobody is followed elsewhere" "$result $message" 'failed .* status 302'
rm "$tmp/answer"
step webhook apply,verify "${hook[@]}" text=later
is "later it is posted" "$result" unchanged
is "under one id for all" "$(cat "$tmp"/got/post-* | jq -r 'select(.text == "later").id' | sort -u | wc -l)" 1

work=$tmp/tls
step webhook apply url=https://localhost:9443/hook text=text
like "a certificate that is not trusted fails" "$result $message" 'failed the message can.t be posted: curl: .60'
step webhook apply url=https://localhost:9444/ text=text
like "a server that is not there may come" "$result $message" 'retry .*curl: .7'
work=$tmp/secret
step webhook check,apply secret_url=https://localhost:9443/T0P/s3cret ca="$tmp/ca.pem" text=text
is "an address may be a secret" "$result $(grep -c s3cret <<<"$out")$(grep -rc s3cret "$work" | grep -v ':0')" "changed 0"
for url in http://example.org/ ftp://localhost/ https:// http://localhost:80@example.org/ http://localhost.example.org/ file:///etc/passwd; do
	step webhook check url="$url" text=text
	like "$url is refused" "$result $message" 'bad-args url is no address of https'
done
step webhook check url=https://me:pass@localhost/ text=text
like "and a password in an address" "$result $message" 'bad-args url holds a user name'
step webhook check "${hook[@]}" text=text secret=$'abcd\r\nX-Other: 1'
like "a secret adds no header" "$result $message" 'bad-args secret has a line break'
step webhook check "${hook[@]}" text=text fields=channel
like "a field has a value" "$result $message" 'bad-args .*channel.* is no field'
step webhook check text=text
like "an address is needed" "$result $message" 'bad-args give one of url and secret_url'
kill $servers
end
