#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin normalbackup with the real restic, borg and Bacula (director, storage and client
# of its own), in a network of its own.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
for program in restic borg bacula-dir bacula-sd bacula-fd bconsole sqlite3 jq unshare ip; do
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
export HOME=$tmp/home TZ=Pacific/Auckland
umask 022
mkdir -p "$tmp/plugins" "$tmp/home" "$tmp/own" "$tmp/data/etc" "$tmp/data/srv"
cp "$PD_BUILDDIR/plugins/normalbackup/.libs/normalbackup.so" "$tmp/plugins/"
cd "$tmp/data" || exit 99
head -c 300000 /dev/urandom >srv/large
echo "a = 1" >etc/a.conf

step()
{
	out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$work" "normalbackup.$1" "${@:2}" 2>&1)
	result=$(sed -n 's/.*"phase":"[a-z]*","result":"\([a-z-]*\)".*/\1/p' <<<"$out" | tail -n 1)
	message=$(sed -n 's/.*"message":"\(.*\)","seconds".*/\1/p' <<<"$out")
	id=$(sed -n 's/.*"name":"id","value":"\([^"]*\)".*/\1/p' <<<"$out" | tail -n 1)
}
evidence() { cat "$work/normalbackup.$1/normal-backup.txt"; }
# spoil FOLDER: another byte in the middle of the largest file below it
spoil()
{
	local file middle byte

	file=$(find "$1" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
	middle=$(($(stat -c %s "$file") / 2))
	byte=$(od -An -tu1 -j "$middle" -N 1 "$file")
	chmod u+w "$file"
	printf '%b' "\\0$(printf %o $((255 - byte)))" | dd of="$file" bs=1 seek="$middle" conv=notrunc 2>/dev/null
}

# ---- restic
work=$tmp/restic repository=$tmp/r
restic() { HOME=$tmp/own command restic -q -r "$repository" "$@" <<<"open sesame"; }
ask=(repository="$repository" password="open sesame" host=files)
step restic check "${ask[@]}"
is "restic: without a repository the run does not start" "$result" refused
like "and it is told why" "$message" "restic repository $repository: .*(unable to open|does not exist|no such file)"
restic init >/dev/null 2>&1
step restic check "${ask[@]}"
is "without a snapshot neither" "$result" refused
like "and which is asked for is told" "$out" '"event":"inhibit".*has no snapshot of host files'
restic backup --host files --tag nightly --time "2026-01-01 10:00:00" "$tmp/data/etc" 2>/dev/null
step restic check "${ask[@]}"
is "one that is too old" "$result" refused
like "is told with its time" "$message" 'snapshot [0-9a-f]{8} of host files.* is [0-9]+ days old \(2025-12-31T21:00:00Z\), and only 24 hours are allowed'
restic backup --host files --tag nightly "$tmp/data/etc" "$tmp/data/srv" 2>/dev/null
restic backup --host other --tag nightly "$tmp/data/etc" "$tmp/data/srv" 2>/dev/null
before=$(find "$repository" "$HOME" | sort | sha256sum)
newest=$(restic snapshots --json --host files --latest 1 2>/dev/null | jq -r 'max_by(.time).id')
step restic check "${ask[@]}" tags=nightly paths="$tmp/data/etc/a.conf,$tmp/data/srv"
is "one that is new" "$result" changed
is "and is told" "$id" "$newest"
step restic check "${ask[@]}" tags=nightly,weekly
like "one without a tag" "$message" 'no snapshot of host files with the tags nightly,weekly'
step restic check "${ask[@]}" paths=/home
like "one of other folders" "$message" 'no snapshot of host files with /home in it'
step restic check "${ask[@]}" paths="$tmp/data/etc/b.conf"
like "a file that was left out" "$message" "has no $tmp/data/etc/b.conf in it"
step restic check repository="$repository" password="open sesame"
like "another server's snapshot is none of this one" "$message" "no snapshot of host $(hostname)"
step restic check repository="$repository" password="open sesame" host='*'
is "but where any will do" "$result" changed
step restic check repository="$repository" password="close sesame"
like "a wrong password" "$message" 'wrong password'
step restic check password="open sesame"
is "no repository" "$result" bad-args
step restic check repository="rest:https://ann:hunter2@backup/" password="open sesame"
is "an address with a password" "$result" bad-args
like "which goes into a file" "$message" "repository_file$"
restic backup --host empty --exclude "$tmp/data/etc/*" "$tmp/data/etc" 2>/dev/null
step restic check repository="$repository" password="open sesame" host=empty
is "one with folders alone, of which nobody said what must be in it" "$result" refused
like "is told" "$message" "snapshot [0-9a-f]{8} of host empty has no data in it"
before=$(find "$repository" "$HOME" | sort | sha256sum)
echo "$repository" >"$tmp/where"
step restic check,apply,verify repository_file="$tmp/where" password="open sesame" host=files read=100
is "it is read back" "$result" unchanged
like "which is evidence" "$(evidence restic)" "^id      $newest\$"
like "with what is in it" "$(evidence restic)" "^has     $tmp/data/etc, $tmp/data/srv, 3[0-9]{5} bytes"
like "with what was proved" "$(evidence restic)" '^proof   .*100 % of its data was read back'
step restic check "${ask[@]}"
is "then nothing is left to do" "$result" unchanged
is "neither the repository nor this server has anything that was not there" "$(find "$repository" "$HOME" | sort | sha256sum)" "$before"
# manual N SED: the Nth program of the manual
manual() { awk -v n="$1" '/^```sh/ { i++; next } /^```/ { inside = 0 } i == n { print }' "$PD_SRCDIR/plugins/normalbackup/README.md" | sed -n '/^```/q;p' | sed "$2"; }
manual 1 "s,/srv/repository,$repository," >"$tmp/own/by-restic"
manual 2 "s,bconsole -n,& -c $tmp/bac/bconsole.conf," >"$tmp/own/by-bacula"
chmod 755 "$tmp"/own/by-*
restic backup --host other "$tmp/data/srv" 2>/dev/null
step command check ask="$tmp/own/by-restic" password="open sesame"
is "restic by the program of the manual" "$result $id" \
	"changed $(restic snapshots --json --latest 1 2>/dev/null | jq -r 'max_by(.time).id')"
spoil "$repository/data"
work=$tmp/restic-spoilt
step restic check "${ask[@]}"
is "what is damaged looks as if it were well" "$result" changed
step restic check,apply "${ask[@]}" read=100
is "until it is read" "$result" failed
like "and is told" "$message" "restic repository $repository is damaged"
step restic verify "${ask[@]}"
is "it counts as no backup" "$result" failed

# ---- borg
work=$tmp/borg repository=$tmp/b
borg() { HOME=$tmp/own BORG_PASSPHRASE="open sesame" TZ=UTC command borg "$@" >/dev/null 2>&1; }
ask=(repository="$repository" password="open sesame")
step borg check "${ask[@]}"
is "borg: without a repository the run does not start" "$result" refused
like "and it is told why" "$message" "Repository $repository does not exist"
borg init -e repokey "$repository"
step borg check "${ask[@]}"
like "without an archive neither" "$out" "\"event\":\"inhibit\".*borg repository $repository has no archive \\* of host $(hostname)"
borg create --timestamp 2026-01-01T10:00:00 "$repository::files-1" "$tmp/data/etc"
step borg check "${ask[@]}" age=1h
like "one that is too old is told with its time" "$message" 'archive files-1 of host .* days old \(2026-01-01T10:00:00Z\)'
borg create "$repository::files-2" "$tmp/data/etc" "$tmp/data/srv"
borg create "$repository::other-1" "$tmp/data/etc"
before=$(find "$repository" "$HOME" -printf '%p %s\n' | sort | sha256sum)
borg create --exclude "$tmp/data/etc/*" "$repository::empty" "$tmp/data/etc"
step borg check "${ask[@]}" archives=empty
is "one with folders alone, of which nobody said what must be in it" "$result" refused
like "is told" "$message" 'archive empty of host .* has no file in it'
before=$(find "$repository" "$HOME" -printf '%p %s\n' | sort | sha256sum)
step borg check "${ask[@]}" archives='files-*' age=1h paths="$tmp/data/etc/a.conf,$tmp/data/srv"
is "one that is new, by the clock of any zone" "$result $id" "changed files-2"
step borg check "${ask[@]}" archives='files-*' paths="$tmp/data/etc,$tmp/data/etc/b.conf"
like "a file that was left out" "$message" "archive files-2 .* has no $tmp/data/etc/b.conf in it"
step borg check "${ask[@]}" paths=/
is "the root is no path in an archive" "$result" bad-args
step borg check "${ask[@]}" host=files
like "another server's archive" "$message" 'no archive \* of host files'
step borg check repository="$repository" password="close sesame"
like "a wrong passphrase" "$message" 'passphrase .* is incorrect'
step borg check,apply,verify "${ask[@]}" archives='files-*' age=1h
is "it is read back" "$result" unchanged
like "which is evidence" "$(evidence borg)" '^proof   borg check .*, and borg extract has read all of it back'
step borg check "${ask[@]}" archives='files-*'
is "then nothing is left to do" "$result" unchanged
is "neither the repository nor this server has anything that was not there" "$(find "$repository" "$HOME" -printf '%p %s\n' | sort | sha256sum)" "$before"
spoil "$repository/data"
work=$tmp/borg-spoilt
step borg check,apply "${ask[@]}" archives='files-*' read=false
is "what is damaged looks as if it were well" "$result" changed
step borg check,apply "${ask[@]}" archives='files-*'
is "until it is read" "$result" failed
like "and is told" "$message" "$repository::files-2 is damaged"
borg init -e none "$tmp/plain" && borg create "$tmp/plain::x" "$tmp/data/etc"
work=$tmp/borg-plain
step borg check,apply,verify repository="$tmp/plain"
is "one without encryption needs no passphrase" "$result" unchanged
echo "only in this one" >"$tmp/data/odd"
borg create "$tmp/plain::odd-[1]" "$tmp/data/odd"
/usr/bin/python3 - "$tmp/plain" <<'END'
import sys
from borg.repository import Repository
from borg.helpers import Manifest
from borg.logger import setup_logging
setup_logging()
with Repository(sys.argv[1], exclusive=True) as repository:
    chunk = [i for i in repository.list() if i != Manifest.MANIFEST_ID and b"only in this one" in repository.get(i)]
    repository.delete(chunk[0])
    repository.commit(compact=False)
END
step borg check,apply repository="$tmp/plain" read=false
like "an archive whose name looks like a pattern is the one that is checked" "$result $message" "failed.*odd-\\[1\\] is damaged"

# ---- a file
work=$tmp/file dumps=$tmp/dumps
mkdir -p "$dumps/old"
step file check path="$dumps"
like "file: an empty folder" "$out" "\"event\":\"inhibit\".*there is no backup \\* in $dumps"
step file check path="$tmp/nowhere"
like "a folder that is not there" "$message" "there is no backup \\* in $tmp/nowhere"
head -c 5000 /dev/urandom >"$dumps/old/a.tar"
touch -d "3 days ago" "$dumps/old/a.tar"
step file check path="$dumps"
like "one that is too old" "$message" "file $dumps/old/a.tar .*is 3 days old"
head -c 6000 /dev/urandom >"$dumps/b.tar"
touch "$dumps/b.log" "$dumps/.b.tar.part"
step file check path="$dumps" name='*.tar'
is "the newest one that has the name" "$result $id" "changed $dumps/b.tar"
step file check path="$dumps" name='*.tar' bytes="1 MiB"
like "one that is too small" "$message" "$dumps/b.tar has 6000 bytes, and at least 1048576 are expected"
step file check path="$dumps" name='*.tar' digest=true
like "one without a digest" "$message" "$dumps/b.tar.sha256 does not tell the SHA-256"
step file check,apply,verify path="$dumps/b.tar"
is "a file by its own path, without a digest" "$result" unchanged
like "of which no more is told than was done" "$(evidence file)" '^proof   6000 bytes were read, SHA-256 [0-9a-f]{64}; there is no .sha256 to compare it with, so it is not known'
work=$tmp/file-2
(cd "$dumps" && sha256sum b.log b.tar >b.tar.sha256)
step file check,apply,verify path="$dumps" name='b.tar*' digest=true
is "one with a digest, which is no backup itself" "$result $id" "unchanged $dumps/b.tar"
like "that fits" "$(evidence file)" '^proof   6000 bytes were read, SHA-256 [0-9a-f]{64}, as .sha256 says'
spoil "$dumps"
touch "$dumps/b.tar"
step file apply path="$dumps" name='*.tar'
is "one that is damaged" "$result" failed
like "is told with both digests" "$message" "$dumps/b.tar is damaged: its SHA-256 is [0-9a-f]{64}, and .* says [0-9a-f]{64}"
touch -d "2 hours" "$dumps/b.tar"
step file check path="$dumps" name='*.tar'
like "one of the future" "$message" 'is of the future'

# ---- a file that is read as what it is
packs=$tmp/packs
mkdir "$packs" && cd "$tmp/data" || exit 99
tar -cf "$packs/a.tar" etc srv
for by in gzip bzip2 xz zstd; do $by -qc <"$packs/a.tar" >"$packs/a.tar.$by"; done
find etc srv | cpio --quiet -oH newc >"$packs/a.cpio"
/usr/bin/python3 -m zipfile -c "$packs/a.zip" etc srv
gzip -c srv/large >"$packs/dump.gz"
# unpack FILE: $message, and what is proved of it
unpack()
{
	work=$tmp/unpack; rm -rf "$work"
	step file check,apply,verify path="$packs/$1" read=true
	proved=$(sed -n 's/^proof .*SHA-256 [0-9a-f]*//p' "$work/normalbackup.file/normal-backup.txt" 2>/dev/null)
}
for name in a.tar a.tar.gzip a.tar.bzip2 a.tar.xz a.tar.zstd a.cpio a.zip; do
	unpack $name
	is "$name is read as an archive" "$result $proved" "unchanged ; read as an archive to its end, entries: 4, bytes: 300006"
done
like "with figures in outputs" "$out" '"name":"entries","value":4.*'
like "how much data they have, too" "$out" '"name":"bytes","value":300006'
like "and progress" "$out" '"event":"progress".*reading the backup'
unpack dump.gz
is "a file that is compressed alone" "$result $proved" "unchanged ; unpacked to its end, one file of 300000 bytes, of which it is not known whether they are a whole backup"
(cd "$packs" && sha256sum dump.gz >dump.gz.sha256)
unpack dump.gz
is "and one with a digest" "$result $proved" "unchanged , as .sha256 says; unpacked to its end, one file of 300000 bytes"
# breaks NAME PATTERN: what $packs/NAME is told to be
breaks() { unpack "$1"; like "$1 is not whole" "$result $message" "^failed $packs/$1 is damaged or cut short: it breaks $2"; }
for name in a.tar a.tar.gzip a.tar.bzip2 a.tar.xz a.tar.zstd dump.gz; do head -c 200000 "$packs/$name" >"$packs/cut-$name"; done
breaks cut-a.tar 'in entry 4, srv/large, at byte [12][0-9]{5} of it: '
for name in a.tar.gzip a.tar.bzip2 a.tar.xz a.tar.zstd; do
	breaks "cut-$name" '(in entry 4, srv/large, )?at byte [0-9]+ of what it unpacks to: '
done
breaks cut-dump.gz 'in entry 1, data, at byte 1[0-9]{5} of what it unpacks to: unexpected end of file'
head -c 1536 "$packs/a.tar" >"$packs/stopped.tar" # behind the second entry
breaks stopped.tar 'behind entry 2, etc/a.conf, at byte 1536 of it: the mark of its end is missing'
zstd -qc <"$packs/stopped.tar" >"$packs/stopped.tar.zst"
breaks stopped.tar.zst 'behind entry 2, etc/a.conf, at byte 1536 of what it unpacks to: the mark of its end is missing'
# a power cut: from within the second entry's data on there are zeros, or in what was added behind the end
head -c 1400000 /dev/zero >"$packs/zeros"
head -c 1100 "$packs/a.tar" | cat - "$packs/zeros" >"$packs/hole.tar"
breaks hole.tar 'behind entry 2, etc/a.conf, at byte 2560 of it: there is the mark of its end, and much more behind it'
gzip -c "$packs/hole.tar" >"$packs/hole.tar.gz"
breaks hole.tar.gz 'behind entry 2, etc/a.conf, at byte 2560 of what it unpacks to: there is the mark of its end, and much more'
tar -b 2000 -cf "$packs/record.tar" etc srv
unpack record.tar
is "a large record is no hole" "$result $proved" "unchanged ; read as an archive to its end, entries: 4, bytes: 300006"
(cat "$packs/a.tar.gzip"; head -c 15 "$packs/a.tar.gzip") >"$packs/behind.tar.gz"
breaks behind.tar.gz 'behind entry 4, srv/large, at byte [0-9]+ of what it unpacks to: unexpected end of file'
for name in a.zip a.tar.gzip; do
	mkdir "$packs/spoilt" && cp "$packs/$name" "$packs/spoilt/" && spoil "$packs/spoilt" && mv "$packs/spoilt/$name" "$packs/spoilt-$name" && rmdir "$packs/spoilt"
done
breaks spoilt-a.zip 'in entry 4, srv/large, at byte [0-9]+ of it: ZIP bad CRC'
breaks spoilt-a.tar.gzip '(in entry 4, srv/large, |behind entry 4, srv/large, )?at byte [0-9]+ of what it unpacks to: '
head -c 200000 "$packs/a.zip" >"$packs/cut.zip"
cp etc/a.conf "$packs/note.txt"
for name in cut.zip note.txt; do
	unpack $name
	like "$name is nothing of that" "$result $message" "^failed .* is neither compressed nor an archive .*, or its end is missing"
done

# ---- any other product, told of by a program
work=$tmp/command teller=$tmp/own/ask
says() { printf '#!/bin/sh\n%s\n' "$1" >"$teller"; chmod 755 "$teller"; }
now=$(date +%s)
step command check ask="$teller"
is "a program that is not there" "$result" refused
like "is told" "$message" "must not be run: $teller: No such file"
says "echo '{\"id\": \"vm/a\", \"time\": $now}'"
step command check ask="$teller"
is "one that tells of a backup" "$result $id" "changed vm/a"
chmod 777 "$teller"
step command check ask="$teller"
like "and that others may change is not run" "$message" "$teller can be written by others"
says "echo '[{\"id\": \"old\", \"time\": \"2020-01-01T00:00:00Z\"}, {\"id\": \"new\", \"time\": \"$(date -u -d @$now +%FT%TZ)\", \"what\": \"tape 7\", \"has\": \"all of it\"}]'"
step command check,apply,verify ask="$teller"
is "of several the newest, in RFC 3339" "$result $id" "unchanged new"
is "with what is told of it" "$(evidence command | grep -E '^(backup|id|has)')" $'backup  tape 7\nid      new\nhas     all of it'
like "and no more than was done" "$(evidence command)" "^proof   nothing was read back; $teller says that it is there"
says 'cat >/dev/null; test "$1" = list && echo "{\"id\": \"with space\", \"time\": '"$now"'}" || { echo "$#:$1" >&2; exit 1; }'
step command check,apply ask="$teller,list" proof="$teller" password="open sesame"
like "what can't be read back is told in the program's words" "$message" "with space can't be read back: .*1:with space"
says 'read -r word; test "$word" = "open sesame" || exit 9; test "$1" = list || exit 0; echo "{\"id\": \"a\", \"time\": '"$now"'}"'
work=$tmp/command-2
step command check,apply,verify ask="$teller,list" proof="$teller" password="open sesame"
is "what can be is proved, with a password" "$result" unchanged
like "by what" "$(evidence command)" "^proof   $teller has read it back"
for answer in '{}|tells of no backup' '[]|tells of no backup' 'nonsense|answers with what is no JSON .line 1: ' '{"id": "a"}|without "id" or without "time"' \
	'{"id": "a", "time": "yesterday"}|without "time", which is RFC 3339' '[7]|without "id"' \
	'{"id": "a", "time": 1000000000}|a in .* is [0-9]+ days old' '{"id": "a", "time": 9000000000}|is of the future'; do
	says "echo '${answer%%|*}'"
	step command check ask="$teller"
	like "the answer ${answer%%|*} is none" "$message" "$(sed 's/"/\\\\"/g' <<<"${answer#*|}")"
done
says 'echo "the server of the backups does not answer" >&2; exit 3'
step command check ask="$teller"
is "a program that fails" "$result" refused
like "is quoted" "$message" 'the server of the backups does not answer'

# ---- Bacula
work=$tmp/bacula b=$tmp/bac
mkdir -p "$b/state" "$b/volumes"
cat >"$b/dir.conf" <<C
Director { Name = lab-dir; DIRport = 19101; DirAddress = 127.0.0.1; QueryFile = /dev/null; Working Directory = $b/state
	Pid Directory = $b/state; Password = hunter22; Messages = Std }
Catalog { Name = Cat; dbname = bacula; dbuser = ""; dbpassword = "" }
Messages { Name = Std; append = "$b/log" = all; catalog = all }
Client { Name = files-fd; Address = 127.0.0.1; FDPort = 19102; Catalog = Cat; Password = hunter23 }
Storage { Name = File; Address = 127.0.0.1; SDPort = 19103; Password = hunter24; Device = Disk; Media Type = File }
Pool { Name = Default; Pool Type = Backup; Label Format = "Vol-" }
FileSet { Name = Data; Include { Options { signature = SHA256 }; File = $tmp/data } }
FileSet { Name = Elsewhere; Include { Options { signature = SHA256 }; File = $tmp/data } }
JobDefs { Name = All; Client = files-fd; FileSet = Data; Storage = File; Messages = Std; Pool = Default }
Job { Name = nightly; JobDefs = All; Type = Backup; Level = Full }
Job { Name = broken; JobDefs = All; Type = Backup; Level = Full; Client Run Before Job = "/bin/false" }
Job { Name = proof; JobDefs = All; Type = Verify; Level = VolumeToCatalog; Verify Job = nightly }
C
cat >"$b/sd.conf" <<C
Storage { Name = lab-sd; SDPort = 19103; SDAddress = 127.0.0.1; Working Directory = $b/state; Pid Directory = $b/state }
Director { Name = lab-dir; Password = hunter24 }
Device { Name = Disk; Media Type = File; Archive Device = $b/volumes; LabelMedia = yes; Random Access = yes
	AutomaticMount = yes; RemovableMedia = no }
Messages { Name = Std; director = lab-dir = all }
C
cat >"$b/fd.conf" <<C
FileDaemon { Name = files-fd; FDport = 19102; FDAddress = 127.0.0.1; Working Directory = $b/state; Pid Directory = $b/state }
Director { Name = lab-dir; Password = hunter23 }
Messages { Name = Std; director = lab-dir = all }
C
echo 'Director { Name = lab-dir; DIRport = 19101; address = 127.0.0.1; Password = hunter22 }' >"$b/bconsole.conf"
sed "s,^cd .*,cd $b/state,; s,XXX_DBNAME_XXX,bacula," /usr/share/bacula-director/make_sqlite3_tables | bash >/dev/null 2>&1
console() { printf '%s\n' "$@" | timeout 60 bconsole -n -c "$b/bconsole.conf"; }
for daemon in sd fd dir; do
	"bacula-$daemon" -f -c "$b/$daemon.conf" >"$b/$daemon.out" 2>&1 &
done
for ((i = 0; i < 600; i++)); do
	console version 2>/dev/null | grep -q 'Version: ' && break
	sleep 0.1
done
ask=(config="$b/bconsole.conf" client=files-fd)
step bacula check "${ask[@]}"
is "Bacula: without a backup the run does not start" "$result" refused
like "and it is told why" "$out" '"event":"inhibit".*no backup of client files-fd on record'
console "run job=nightly yes" wait >/dev/null
step bacula check "${ask[@]}" age=1h
is "one that went well" "$result $id" "changed 1"
step command check ask="$tmp/own/by-bacula"
is "by the program of the manual, too" "$result $id" "changed 1"
step bacula check config="$b/bconsole.conf" client=nobody-fd
like "another client's is none of this one" "$message" 'no backup of client nobody-fd on record'
step bacula check "${ask[@]}" job=weekly
like "another job's is none of this one" "$message" 'no backup of client files-fd by job weekly on record'
step bacula check,apply,verify "${ask[@]}"
is "the director's word for it" "$result" unchanged
like "of which no more is told than was done" "$(evidence bacula)" '^proof   nothing was read back; '
like "with what is in it" "$(evidence bacula)" '^has     [0-9]+ files, [0-9]+ bytes'
work=$tmp/bacula-2
step bacula check,apply,verify "${ask[@]}" job=nightly verify_job=proof
is "one that is read back by a job" "$result" unchanged
like "which is told" "$(evidence bacula)" '^proof   job 2 proof has read it back'
step bacula apply "${ask[@]}" verify_job='proof" yes'
is "a name is no command" "$result" bad-args
spoil "$b/volumes"
work=$tmp/bacula-spoilt
step bacula check,apply "${ask[@]}" verify_job=proof
is "one that is damaged" "$result" failed
like "is told" "$message" "job 3 proof, which reads job 1 nightly, level F back, .*ended with status '[EDf]'"
console "run job=broken yes" wait >/dev/null
step bacula check "${ask[@]}"
like "a last backup that failed" "$message" "the last backup of client files-fd, job 4 broken, level F, has failed: its status is [Ef]"
step bacula check "${ask[@]}" job=nightly
is "is none of another job" "$result" changed
sqlite3 "$b/state/bacula.db" "update Job set JobTDate = JobTDate - 200000 where Name = 'nightly'"
step bacula check "${ask[@]}" job=nightly
like "one that is too old" "$message" 'job 1 nightly, level F in .* is 2 days old'
sed -i s/hunter22/hunter99/ "$b/bconsole.conf"
step bacula check "${ask[@]}"
like "a console that the director does not know" "$message" 'Director authorization problem'
end
