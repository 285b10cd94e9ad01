#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin backup against a real server: what is saved comes back with
# everything, and any damage to an archive is found.
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
lab_up srv
push_plugins backup

# Everything about a tree that a stock tool can tell.
in_lab tee /opt/pd/snap >/dev/null <<'END'
#!/bin/bash
cd "$1" || exit 1
find . -printf '%P|%y|%m|%U|%G|%n|%l|%T@|' \( -type f -printf '%s' -o -printf - \) -printf '\n' |
	sed 's/\.[0-9]*|/|/' | LC_ALL=C sort
find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum
find . ! -type l -print0 | LC_ALL=C sort -z | xargs -0r getfacl -np 2>/dev/null
find . -print0 | LC_ALL=C sort -z | xargs -0r getfattr -h -d -m - 2>/dev/null
find . -type f -size +10M -printf '%P holds %b blocks\n'
find . -type f -links +1 -printf '%i %P\n' | LC_ALL=C sort -k2 |
	awk '{ if (!($1 in n)) n[$1] = ++i; print "inode", n[$1], $2 }'
END
in_lab tee /opt/pd/tree >/dev/null <<'END'
#!/bin/bash
# A tree with all that a file system can hold.
rm -rf /srv/t && mkdir -p /srv/t/dir/sub /srv/t/empty && cd /srv/t || exit 1
echo hello >a; ln a dir/hard; ln a dir/hard2; ln -s a link; ln -s /nowhere dangling
printf 'two\n' >'new
line \ back'; printf x >"$(printf 'lat\351n')"; echo u >'ünï'; : >zero
mkfifo fifo; mknod char c 1 3; mknod block b 7 99
truncate -s 50M sparse; printf x | dd of=sparse bs=1 seek=20000000 conv=notrunc status=none
setfacl -m u:alice:rwx,g:adm:r a; setfacl -d -m u:alice:rx dir; setfacl -m u:alice:rx dir
touch dir/plain; setfacl -b dir/plain
setfattr -n user.note -v v1 a; setfattr -n user.x -v y dir
cp /bin/true capable; setcap cap_net_raw+ep capable
cp /bin/true suid; chown alice:adm suid; chmod 6755 suid; chown alice dir/sub; chmod 3770 dir/sub
chown -h alice link
d=deep; mkdir $d; for _ in 1 2 3 4 5 6 7 8 9; do d=$d/$(printf 'x%.0s' {1..60}); mkdir $d; done
echo deep >$d/file
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/srv/t/socket")'
touch -d 2001-01-01 a dir/sub empty dir .
END
in_lab tee /opt/pd/spoil >/dev/null <<'END'
#!/bin/bash
# Turn the tree into something else, with every type in another one's place.
cd /srv/t || exit 1
rm -rf dir; echo file >dir; echo changed >a.new; mv a.new a
rm zero; mkdir -p zero/with; echo c >zero/with/c; setfacl -m u:alice:rw -d -m u:alice:rw zero
ln -sfn zero link; rm sparse; echo extra >extra; ln -f extra extra2; rm fifo; echo f >fifo
mkdir -p /srv/elsewhere; rm -rf deep; ln -s /srv/elsewhere deep
setfacl -d -m u:alice:rw .; chmod 700 empty; setfattr -n user.other -v 2 a; chmod 700 suid
END
in_lab chmod 755 /opt/pd/snap /opt/pd/tree /opt/pd/spoil </dev/null

# take NAME: remember what the tree /srv/t (or $2) is like; differ A B: how
take()
{
	in_lab sh -c "/opt/pd/snap ${2:-/srv/t} >/opt/pd/snap.$1" </dev/null
}

differ()
{
	in_lab sh -c "diff -a /opt/pd/snap.$1 /opt/pd/snap.$2 | head -20; wc -l </opt/pd/snap.$1" </dev/null |
		sed '$s/^[0-9][0-9][0-9]$/no line/'
}

safe=/srv/safe/pd-step

# --- state
in_lab /opt/pd/tree </dev/null
# a program of the other family, whose packages these are not, would make a database when asked
in_lab sh -c 'printf "#!/bin/sh\ntouch /root/asked\n" >/usr/bin/rpm; chmod 755 /usr/bin/rpm' </dev/null
run step backup.state check,apply,verify to=/srv/safe paths=/srv/t,/srv/t/dir,/none name=t
is "$rc" 0 "state saves a tree with everything in it"
[ "$rc" = 0 ] || echo "$out" | tail -5
like "$out" '"archive".*/srv/safe/pd-step/t.tar.zst' "state predicts and tells the archive"
run in_lab sh -c "cd $safe && sha256sum -c t.tar.zst.sha256 && stat -c %a t.tar.zst t.tar.zst.manifest" </dev/null
is "$(xargs <<<"$out")" "t.tar.zst: OK t.tar.zst.manifest: OK 600 600" "sha256sum -c proves archive and manifest"
run in_lab sh -c "cd / && grep -av '  .patchday/' $safe/t.tar.zst.manifest | sha256sum --quiet -c" </dev/null
is "$rc $out" "0 " "the manifest's digests are those of the disk"
run in_lab sh -c "tar --zstd -tf $safe/t.tar.zst 2>&1 | grep -c Ignoring" </dev/null
is "$out" 1 "GNU tar reads the archive, and complains of one name that is not UTF-8"
run in_lab sh -c "tar --zstd -xOf $safe/t.tar.zst .patchday/packages/selections 2>/dev/null | grep -c install" </dev/null
is "$out" "$(in_lab sh -c 'dpkg --get-selections | grep -c install' </dev/null)" "the package selections are in it"
run in_lab sh -c "! ls /root/asked && tar --zstd -tf $safe/t.tar.zst .patchday/packages | sort" </dev/null
is "$(grep '^[./]' <<<"$out" | xargs)" ".patchday/packages/held .patchday/packages/manual .patchday/packages/selections" \
	"only this server's package managers were asked"
run in_lab ls $safe </dev/null
unlike "$out" part "nothing half written is left"

work=/opt/pd/w-again
run step backup.state apply,verify to=/srv/safe paths=/srv/t name=t
like "$out" 't-2.tar.zst' "a second backup of the run gets a name of its own"

work=/opt/pd/w-self
run step backup.state apply,verify to=/srv/t/to paths=/srv/t name=self
is "$rc" 0 "a backup whose folder lies in what it saves"
run in_lab sh -c "tar --zstd -tf /srv/t/to/pd-step/self.tar.zst 2>/dev/null | grep -c srv/t/to; rm -rf /srv/t/to" </dev/null
is "$out" 0 "does not save itself"

work=/opt/pd/w-small
in_lab sh -c 'mkdir -p /srv/small; mount -t tmpfs -o size=20m small /srv/small; head -c 30M /dev/urandom >/srv/big' </dev/null
run step backup.state check to=/srv/small/x paths=/srv/big
is "$rc" 1 "check refuses when there is too little room"
like "$out" 'inhibit.*/srv/small/x has .* MiB free' "and says where and how much"
run in_lab ls /srv/small </dev/null
is "$out" "" "and has touched nothing"
run step backup.state check to=/etc/passwd/x paths=/srv/t
like "$out" 'inhibit.*/etc/passwd is not a folder' "a folder in a file is refused"
run step backup.state check to=/srv/safe paths=/srv/t name=../x
like "$out" 'name is .*one file' "a name is that of one file"
unlike "$out" "a bug of plugin" "and not a bug of the plugin"
run step backup.state check to=/srv/safe paths=etc
like "$out" 'absolute path' "a path that is not absolute is refused"

work=/opt/pd/w-defaults
run step backup.state check,apply,verify to=/srv/safe
is "$rc" 0 "state with its defaults saves the server"
names=$(in_lab sh -c "tar --zstd -tf $safe/state.tar.zst" </dev/null)
for name in etc/shadow etc/gshadow etc/samba/smb.conf var/lib/dpkg/status \
	var/lib/samba/private/passdb.tdb etc/cups/printers.conf; do
	is "$(echo "$names" | grep -cx $name)" 1 "/$name is in it"
done
in_lab sh -c "mkdir -p /opt/pd/x && tar --zstd -C /opt/pd/x -xf $safe/state.tar.zst var/lib/samba/private/passdb.tdb" </dev/null
run in_lab tdbdump /opt/pd/x/var/lib/samba/private/passdb.tdb </dev/null
like "$out" 'USER_alice' "samba's accounts can be read from the copy"

# --- verify
work=/opt/pd/w-verify
run step backup.verify check,apply,verify archive=$safe/state.tar.zst
is "$rc" 0 "verify reads a good backup back"
run step backup.verify apply archive=$safe/t.tar.zst sha256=00
like "$out" 'another archive' "another archive than expected is refused"
run step backup.verify check archive=/srv/safe/later.tar.zst
is "$rc" 0 "an archive that an earlier step has yet to write is no fault in check"
run step backup.verify apply archive=/srv/safe/later.tar.zst
is "$rc" 1 "but one in apply"
in_lab sh -c "sleep 2" </dev/null
run step backup.verify apply archive=$safe/t.tar.zst age=1
like "$out" 'hours old' "a backup that is too old is refused"

# every byte counts: flip one at a time, in the archive and beside it
in_lab tee /opt/pd/flip >/dev/null <<'END'
import os, random, subprocess, sys
random.seed(7)
found = tried = 0
base = '/srv/safe/pd-step/t.tar.zst'
for name, count in ((base, 24), (base + '.manifest', 6), (base + '.sha256', 6)):
    size = os.path.getsize(name)
    places = [0, size - 1] + [random.randrange(size) for _ in range(count)]
    for at in places:
        with open(name, 'r+b') as f:
            f.seek(at); old = f.read(1)
            f.seek(at); f.write(bytes([old[0] ^ (1 << random.randrange(8))]))
        r = subprocess.run(sys.argv[1:], capture_output=True)
        with open(name, 'r+b') as f:
            f.seek(at); f.write(old)
        tried += 1
        found += r.returncode == 1
        if r.returncode != 1:
            print('not found:', name, at)
print(found, 'of', tried)
END
run in_lab env LD_LIBRARY_PATH=/opt/pd/lib python3 /opt/pd/flip /opt/pd/pd-step --plugin-dir /opt/pd/plugins \
	--work "$work" backup.verify apply archive=$safe/t.tar.zst </dev/null
is "$out" "42 of 42" "each flipped bit is found"
in_lab sh -c "cp $safe/t.tar.zst /srv/safe/cut.tar.zst; truncate -s -1000 /srv/safe/cut.tar.zst" </dev/null
run step backup.verify apply archive=/srv/safe/cut.tar.zst
like "$out" 'damaged or cut off' "an archive that was cut off is found"
run step backup.verify apply archive=$safe/t.tar.zst
is "$rc" 0 "and the archive is good as before"

# --- restore
in_lab sh -c 'rm /srv/t/socket; touch -d 2001-01-01 /srv/t' </dev/null
take before
work=/opt/pd/w-restore1
run step backup.restore check,apply,verify archive=$safe/t.tar.zst to=/srv/o
is "$rc" 0 "restore into an empty folder"
take now /srv/o/srv/t
is "$(differ before now)" "no line" "gives the same tree: owners, modes, ACLs, attributes, times, holes, links"
run step backup.restore undo archive=$safe/t.tar.zst to=/srv/o
is "$rc $(in_lab find /srv/o -mindepth 1 </dev/null)" "0 " "undo takes it all away"

in_lab /opt/pd/spoil </dev/null
take spoilt
work=/opt/pd/w-restore2
run step backup.restore check,apply,verify archive=$safe/t.tar.zst paths=/srv/t exact=true
is "$rc" 0 "restore over a spoilt tree, exactly"
take now
is "$(differ before now)" "no line" "gives the same tree again"
is "$(in_lab find /srv/elsewhere -mindepth 1 </dev/null)" "" "nothing was written through a symbolic link"
run step backup.restore check archive=$safe/t.tar.zst paths=/srv/t exact=true
like "$out" 'unchanged' "check then finds nothing to do"
run step backup.restore undo archive=$safe/t.tar.zst paths=/srv/t exact=true
is "$rc" 0 "undo"
take now
is "$(differ spoilt now)" "no line" "gives the spoilt tree back"
run step backup.restore undo archive=$safe/t.tar.zst paths=/srv/t exact=true
take now
is "$rc $(differ spoilt now)" "0 no line" "undo again changes nothing"

work=/opt/pd/w-restore3
run step backup.restore check,apply,verify archive=$safe/t.tar.zst paths=/srv/t
is "$rc $(in_lab cat /srv/t/extra </dev/null)" "0 extra" "without exact nothing else is removed"
work=/opt/pd/w-restore4
run step backup.restore apply,verify archive=$safe/t.tar.zst to=/srv/o paths=/srv/t/dir/hard,/srv/t/dir/hard2
is "$rc $(in_lab sh -c 'cat /srv/o/srv/t/dir/hard2; stat -c %h /srv/o/srv/t/dir/hard; find /srv/o -type f | wc -l' </dev/null | xargs)" \
	"0 hello 2 2" "two of three hard links come back as links, with the content"
work=/opt/pd/w-restore5
run step backup.restore check archive=$safe/t.tar.zst paths=/srv/none
like "$out" '/srv/none is not in the archive' "a path that was not saved is told"

# killed in the middle: again, or back
in_lab /opt/pd/spoil </dev/null
take spoilt
in_lab tee /opt/pd/cut >/dev/null <<'END'
#!/bin/bash
# Kill the worker at some time in apply, several times over.
for t in 0.02 0.05 0.08 0.12 0.2; do
	"$@" apply archive=/srv/safe/pd-step/t.tar.zst paths=/srv/t exact=true >/dev/null 2>&1 &
	sleep $t; pkill -9 -P $! ; kill -9 $!; wait $! 2>/dev/null
done
END
work=/opt/pd/w-killed
in_lab env LD_LIBRARY_PATH=/opt/pd/lib bash /opt/pd/cut /opt/pd/pd-step --plugin-dir /opt/pd/plugins --work $work backup.restore </dev/null 2>/dev/null
run step backup.restore apply,verify archive=$safe/t.tar.zst paths=/srv/t exact=true
is "$rc" 0 "apply after five kills"
take now
is "$(differ before now)" "no line" "gives the same tree"
run step backup.restore undo archive=$safe/t.tar.zst paths=/srv/t exact=true
is "$rc" 0 "and undo"
take now
is "$(differ spoilt now)" "no line" "what was there before the first kill"

# an archive that somebody else has made does not lead out of the folder
in_lab sh -c 'mkdir -p /srv/evil && cd /srv/evil && echo bad >x && tar --zstd -P --transform "s,^x,../../srv/owned," -cf e.tar.zst x' </dev/null
work=/opt/pd/w-evil
run step backup.restore apply archive=/srv/evil/e.tar.zst to=/srv/o
is "$rc $(in_lab ls /srv/owned </dev/null 2>/dev/null)" "1 " "an archive of somebody else is refused"

# the whole server
in_lab sh -c 'mkdir -p /mnt/away /srv/volume; mount -t tmpfs -o size=1500m away /mnt/away; mount -t tmpfs v /srv/volume
	echo lost >/srv/volume/foreign; echo kept >/srv/local' </dev/null
work=/opt/pd/w-system
run step backup.system check,apply,verify to=/mnt/away exclude='/dev/*,/proc/*,/sys/*,/run/*,/tmp/*,/mnt/*,/usr/share/*,/usr/lib/*,/opt/*,/var/cache/*'
is "$rc" 0 "the whole system is saved and read back"
[ "$rc" = 0 ] || echo "$out"
list=$(in_lab tar --zstd -tf /mnt/away/pd-step/system.tar.zst </dev/null)
for member in etc/shadow usr/bin/dpkg srv/local var/lib/dpkg/status proc/ mnt/ srv/volume/ .patchday/layout/findmnt.json .patchday/layout/lsblk.json; do
	is "$(grep -cx "$member" <<<"$list")" 1 "$member is in it"
done
is "$(grep -E '^(proc|sys|mnt|srv/volume)/.' <<<"$list")" "" "and nothing of the kernel, of the second place, or of a foreign volume"
in_lab sh -c 'mkdir /mnt/away/new && tar --zstd --numeric-owner --acls --xattrs -xpf /mnt/away/pd-step/system.tar.zst -C /mnt/away/new' </dev/null
is "$(in_lab sh -c 'diff -r --no-dereference /etc /mnt/away/new/etc; diff -r --no-dereference /usr/sbin /mnt/away/new/usr/sbin' </dev/null)" "" "stock tar brings the same files back"

done_testing
