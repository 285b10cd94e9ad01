#!/bin/bash
# SPDX-License-Identifier: MIT
# The step copy.ssh with the real sshd, in a network of its own: one that gives a
# shell, one that is sftp alone, one that comes to a halt in the middle.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "sshd needs root"
[ -x /usr/sbin/sshd ] || skip "openssh-server is not installed"
for program in sftp ssh-keygen unshare ip perl; do
	command -v $program >/dev/null || skip "$program is not installed"
done
if [ -z "${PD_INSIDE-}" ]; then
	unshare --net --mount true 2>/dev/null || skip "there can be no network of its own here"
	PD_INSIDE=1 exec unshare --net --mount --pid --fork --mount-proc --kill-child "$0"
fi
ip link set lo up
tmp=$(mktemp -d)
trap 'cd /; umount "$tmp/second" 2>/dev/null; rm -rf "$tmp"' EXIT
mount -t tmpfs none /run && mkdir /run/sshd || exit 99
umask 022
chmod 755 "$tmp"
mkdir -p "$tmp/plugins" "$tmp/second"
mount -t tmpfs -o size=24m second "$tmp/second" || exit 99
cp "$PD_BUILDDIR/plugins/copy/.libs/copy.so" "$tmp/plugins/"

ssh-keygen -q -t ed25519 -N '' -f "$tmp/host"
ssh-keygen -q -t ed25519 -N '' -f "$tmp/other"
ssh-keygen -q -t ed25519 -N '' -f "$tmp/id"
cat >"$tmp/halt" <<'END'
#!/bin/sh
# takes 1.5 MB of what the client says, and no more
folder=$(dirname "$0")
perl -e '$left = 1500000; $left -= syswrite(STDOUT, $some) while $left > 0 && sysread(STDIN, $some, $left < 65536 ? $left : 65536)' | /usr/lib/openssh/sftp-server
[ ! -e "$folder/cut" ] && [ -n "$(find "$folder/second" -name '*.part')" ] || exit 0
echo $$ >"$folder/halted"
exec sleep 600
END
chmod 755 "$tmp/halt"
# server PORT [LINE]: a real sshd
server()
{
	cat >"$tmp/sshd-$1" <<END
Port $1
ListenAddress 127.0.0.1
HostKey $tmp/host
PidFile none
AuthorizedKeysFile $tmp/id.pub
StrictModes no
KexAlgorithms curve25519-sha256
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
${2-}
END
	/usr/sbin/sshd -f "$tmp/sshd-$1" -E "$tmp/log" || exit 99
}
server 2201
server 2202 "ForceCommand internal-sftp"
server 2203 "ForceCommand $tmp/halt"
# one whose language is French, as far as coreutils has words for it
mkdir "$tmp/french"
cat >"$tmp/french/sha256sum" <<'END'
#!/bin/sh
[ "${LC_ALL-}" != C ] || exec /usr/bin/sha256sum "$@"
/usr/bin/sha256sum "$@" | sed 's/: OK$/: Réussi/'
END
chmod 755 "$tmp/french/sha256sum"
server 2204 "SetEnv PATH=$tmp/french:/usr/bin:/bin LANG=fr_FR.UTF-8"
for port in 2201 2202 2203 2204; do
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$tmp/host.pub")"
done >"$tmp/known_hosts"

work=$tmp/work port=2201
# step PHASES [NAME=VALUE]...: sets $out, $rc, $result, $message
step()
{
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$work" copy.ssh "$1" \
		from="$tmp/safe" host=127.0.0.1 port=$port to="$tmp/second" identity="$tmp/id" \
		known_hosts="$tmp/known_hosts" room=1M "${@:2}" 2>&1 </dev/null)
	rc=$?
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	message=$(grep -v '"event":"progress"' <<<"$out")
}
there() { (cd "$tmp/second" && find . | sort); }

mkdir -p "$tmp/safe/pd-step/deep/er" "$tmp/safe/pd-step/empty folder" "$tmp/safe/other"
cd "$tmp/safe/pd-step" || exit 99
(umask 077; head -c 1000000 /dev/urandom >a-first; head -c 3000000 /dev/urandom >b-big; : >empty; echo small >deep/er/small)
odd=$'deep/\xc3\xa4 "x"\'y\' \\z [q]* {1,2}? #$HOME;&|<>~'
mkdir "$odd" && echo odd >"$odd/"$'-f \\ {b} [c]*' && echo other >../other/file
ln -s /etc/shadow link
touch -d 2001-02-03T04:05:06 a-first

# ---- what it refuses
step check identity="$tmp/none"
is "no key: the run does not start" "$result" refused
like "and which file it is" "$message" "$tmp/none can't be used to reach the second place: No such file"
chmod 644 "$tmp/id"
step check
like "nor with one that others can read" "$message" 'id can.t be used.*: others can read it'
chmod 600 "$tmp/id"
chmod 666 "$tmp/known_hosts"
step check
like "nor if others could say whom to trust" "$message" 'known_hosts can.t be used.*: others can write it'
chmod 644 "$tmp/known_hosts"
echo "[127.0.0.1]:2201 $(cut -d' ' -f1,2 "$tmp/other.pub")" >"$tmp/wrong"
step check known_hosts="$tmp/wrong"
is "another host key than the pinned one is refused" "$result" refused
like "and told" "$message" 'Host key for \[127.0.0.1\]:2201 has changed'
: >"$tmp/wrong"
step check known_hosts="$tmp/wrong"
like "an unknown one too" "$message" 'No ED25519 host key is known for \[127.0.0.1\]:2201'
is "and it is not learnt" "$(cat "$tmp/wrong")" ""
step check identity="$tmp/other"
like "a key that is not entered there" "$message" 'can.t be reached:.*Permission denied'
step check to="$tmp/none"
like "a folder that is not there" "$message" 'folder .*/none of 127.0.0.1 can.t be reached: .*No such file'
port=2299 step check
like "nobody listens" "$message" 'can.t be reached:.*Connection refused'
step check host=-oProxyCommand=touch
is "no option is smuggled in as a host" "$result" bad-args
step check room=1G
is "too little room is seen before the run starts" "$result" refused
like "with what is needed" "$message" 'only [0-9]+ MiB free .* and 1024 MiB are needed'
step check
is "otherwise there is work to do" "$rc $result" "0 changed"
is "check wrote nothing" "$(there)" "."

# ---- a kill in the middle, and on from there
port=2203 step check,apply & pid=$!
for ((i = 0; i < 600; i++)); do
	[ -s "$tmp/halted" ] && break
	sleep 0.1
done
is "the far side halts in the middle" "$([ -s "$tmp/halted" ] && echo halted)" halted
# all that it has started, which is alone in this name space but for the servers
for process in /proc/[0-9]*; do
	command=
	{ read -r -d '' command <"$process/cmdline"; } 2>/dev/null
	case $command in */pd-step | sftp | ssh | */ssh | */sftp) kill -9 "${process#/proc/}" 2>/dev/null ;; esac
done
wait "$pid" 2>/dev/null
kill "$(cat "$tmp/halted")" 2>/dev/null
like "the first file is whole then" "$(there)" '/a-first'
like "the next one has another name" "$(there)" '/b-big\.part'
is "and not its own" "$(there | grep '/b-big$')" ""
folder=$(echo "$tmp"/second/*/pd-step)
before=$(stat -c %i "$folder/a-first")
step check,apply,verify
is "again: copied and proved" "$rc" 0
[ "$rc" = 0 ] || echo "$message"
is "what was there is not sent again" "$(stat -c %i "$folder/a-first")" "$before"
is "all of it is there" "$(diff -r --no-dereference -x MANIFEST -x link "$tmp/safe/pd-step" "$folder" 2>&1)" ""
is "without what is no file, and no half of one" "$(find "$folder" -name link -o -name '*.part')" ""
is "with its time" "$(stat -c %y "$folder/a-first" | cut -d. -f1)" "2001-02-03 04:05:06"
is "for its owner alone" "$(find "$folder" ! -type d ! -perm 600 -o -type d ! -perm 700)" ""
is "sha256sum finds each as the manifest says" "$(cd "$folder" && sha256sum -c --strict --quiet MANIFEST 2>&1)" ""
is "the manifest is evidence" "$(cmp "$work/copy.ssh/MANIFEST" "$folder/MANIFEST" && echo same)" same
port=2204 step verify
is "proved also in another language" "$rc" 0
step check
is "then there is nothing left to do" "$result" unchanged
step apply
is "and a second apply does nothing" "$result" unchanged
mkdir -p "$tmp/further/pd-step/deep"
echo logs >"$tmp/further/pd-step/deep/logs"
step check,apply,verify also="$tmp/none,$tmp/further"
is "what steps have saved in a further folder goes there, too" "$rc $(cat "$folder/deep/logs") $(grep -c ' deep/logs$' "$folder/MANIFEST")" "0 logs 1"
step apply

# ---- damage
printf x | dd of="$folder/b-big" bs=1 seek=99 conv=notrunc status=none
step verify
is "one changed byte is found" "$rc" 1
like "in the file that has it" "$message" 'b-big of 127.0.0.1 is not what .*b-big is'
port=2202 step verify
like "by fetching it, too" "$message" 'b-big of 127.0.0.1 is not what .*b-big is'
is "of which nothing is left here" "$(find "$work" -name 'fetched*')" ""
step check
is "check sees it" "$result" changed
step apply,verify
is "and it is sent again" "$rc" 0

# ---- undo
echo theirs >"$folder/deep/theirs"
step undo
is "undo leaves the copy as it is" "$result $(ls "$folder/b-big")" "unchanged $folder/b-big"
step undo keep=false
is "unless that is asked for: it goes" "$result" changed
[ "$result" = changed ] || echo "$message"
is "and what others have put there stays" "$(cd "$tmp/second" && find . -type f | sed 's,.*/pd-step/,,')" "deep/theirs"
step undo keep=false
is "a second undo finds nothing" "$rc" 0
rm -r "${tmp:?}/second"/*

# ---- sftp alone
port=2202 work=$tmp/sftp
mkdir -p "$folder/deep/er"
echo small >"$folder/deep/er/small" # of another step
step check,apply,verify
is "sftp alone: copied and proved" "$rc" 0
[ "$rc" = 0 ] || echo "$message"
is "all of it is there" "$(diff -r --no-dereference -x MANIFEST -x link "$tmp/safe/pd-step" "$folder" 2>&1)" ""
step apply
is "a second apply sends it again" "$rc" 0
step undo keep=false
is "undo removes it, and leaves what was there before" "$result $(cd "$folder" && find . -type f)" "changed ./deep/er/small"
rm -r "${tmp:?}/second"/*

# ---- a far side that is full, or goes away
head -c 30000000 /dev/urandom >c-huge
step apply
is "more than there is room for is not begun" "$rc $(there)" "1 ."
like "and is told" "$message" 'has [0-9]+ bytes free, and [0-9]+ are to be copied'
rm c-huge
: >"$tmp/cut"
port=2203 step apply
is "a lost connection may be tried again" "$result" retry
like "and is told" "$message" 'sftp to 127.0.0.1: the connection was lost'
end
