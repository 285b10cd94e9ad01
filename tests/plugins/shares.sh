#!/bin/bash
# SPDX-License-Identifier: MIT
# Plugin shares against the real smbd of a lab server.
# shellcheck disable=SC2016 # what is quoted runs in the server
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
lab_up shares
push_plugins shares

sh_lab() { in_lab sh -c "$1" </dev/null; }
result() { printf '"phase": ?"%s", ?"result": ?"%s"' "$1" "$2"; }

# All that samba shares, and to whom, as its own tools tell.
picture()
{
	sh_lab 'testparm -s 2>/dev/null; cat /etc/samba/smb.conf
		cd /; find /etc/samba /var/lib/samba/usershares -type f | sort | xargs sha256sum
		stat -c "%n %a %U:%G" /etc/samba/* /var/lib/samba/usershares/* /var/lib/samba/private/passdb.tdb 2>/dev/null
		pdbedit -L -w | sort; for s in pub data; do sharesec $s --view; done; net groupmap list; net getlocalsid; net conf list
		systemctl is-active smbd'
}
login() { sh_lab "smbclient //localhost/data -U '$1' -c ls >/dev/null 2>&1 && echo in"; }

sh_lab 'mkdir -p /etc/samba/more /srv/more
	printf "[more]\npath = /srv/more\n" >/etc/samba/more/more.conf
	printf "[fs1]\npath = /srv/more\n" >/etc/samba/more/shares.conf
	printf "include = /etc/samba/more/%%h.conf\n" >>/etc/samba/smb.conf
	printf "[global]\nusername map = /etc/samba/users.map\ninclude = /etc/samba/more/shares.conf\n" >>/etc/samba/smb.conf
	echo "alice = wonderland" >/etc/samba/users.map; chown alice /etc/samba/users.map; chmod 640 /etc/samba/users.map
	cp /etc/samba/more/more.conf /etc/samba/more/$(hostname).conf
	net usershare add stays /srv/pub "a usershare"
	sharesec pub -a S-1-5-32-545:ALLOWED/0/READ
	smbcontrol all reload-config' >/dev/null 2>&1

echo '# facts'
run scan shares
is "$rc" 0 "the scan ends well"
like "$out" '/srv/data' "a share's folder is among the facts"

echo '# save'
run step shares.save check to=/srv/safe
like "$out" "$(result check changed)" "check says that there is work"
is "$(sh_lab 'ls /srv/safe 2>/dev/null')" "" "check has touched nothing"
run step shares.save check to=/proc/x
like "$out" 'inhibit.*the shares could not be saved.*/proc belongs to the kernel' "a place where nothing can be saved is refused"
# somebody logs in and changes a password all the time
in_lab sh -c 'while :; do printf "alice-secret\nalice-secret\n" | smbpasswd -s alice; done' \
	</dev/null >/dev/null 2>&1 &
writer=$!
run step shares.save check,apply,verify to=/srv/safe
kill "$writer" 2>/dev/null
wait "$writer" 2>/dev/null
sh_lab 'pkill -f "while :; do printf" ; sleep 0.5; printf "alice-secret\nalice-secret\n" | smbpasswd -s alice'
is "$rc" 0 "all is saved and verified while smbd writes"
first=$(sh_lab 'ls -d /srv/safe/*/shares.save')
sh_lab "rm -rf $first"
work=/opt/pd/work-2
run step shares.save check,apply,verify to=/srv/safe copy=/mnt/second
is "$rc" 0 "all is saved"
safe=$(sh_lab 'ls -d /srv/safe/*/shares.save')
is "$(sh_lab "cd $safe && sha256sum --quiet --strict -c MANIFEST && echo good")" \
	good "sha256sum agrees with the manifest"
is "$(sh_lab "diff -r $safe /mnt/second/*/shares.save && echo same")" same \
	"the second place has the same"
for file in files/etc/samba/smb.conf files/etc/samba/more/shares.conf \
	files/etc/samba/users.map files/var/lib/samba/usershares/stays \
	databases/var/lib/samba/private/passdb.tdb \
	databases/var/lib/samba/share_info.tdb text/effective.conf; do
	is "$(sh_lab "[ -s $safe/$file ] && echo there")" there "the copy has $file"
done
is "$(sh_lab "ls $safe/files/etc/samba/more" | grep -c "$(sh_lab hostname)")" 1 \
	"the copy has the include with a variable"
is "$(sh_lab "pdbedit -L -b tdbsam:$safe/databases/var/lib/samba/private/passdb.tdb" | cut -d: -f1)" \
	alice "pdbedit reads the account from the copy"
is "$(sh_lab 'ls /var/lib/samba/*save* /var/lib/samba/private/*save* 2>/dev/null')" "" \
	"nothing is left beside the databases"
is "$(sh_lab "stat -c %a $safe $safe/databases/var/lib/samba/private/passdb.tdb" | paste -sd' ')" \
	"700 600" "nobody else can read the copy"
sh_lab "cp -a $safe /srv/good
	printf x | dd of=$safe/databases/var/lib/samba/private/passdb.tdb bs=1 seek=9000 conv=notrunc" 2>/dev/null
run step shares.save verify to=/srv/safe copy=/mnt/second
is "$rc" 1 "a changed copy is not verified"
like "$out" 'passdb\.tdb.*not what was saved' "the message names the file"

echo '# restore'
work=/opt/pd/work-restore
run step shares.restore check from=/srv/good
like "$out" "$(result check unchanged)" "nothing to do when all is as saved"
before=$(picture)
sh_lab 'useradd -M bob; printf "bob-secret\nbob-secret\n" | smbpasswd -s -a bob
	printf "changed\nchanged\n" | smbpasswd -s alice
	printf "[extra]\npath = /srv/pub\n" >>/etc/samba/smb.conf; rm /etc/samba/more/shares.conf; chmod 600 /etc/samba/users.map
	net usershare add new /srv/pub "new"; net usershare delete stays
	sharesec pub -a S-1-5-32-546:DENIED/0/FULL; smbcontrol all reload-config' >/dev/null 2>&1
changed=$(picture)
isnt "$changed" "$before" "shares and accounts have been changed"
is "$(login alice%alice-secret)" "" "the old password does not log in"
pid=$(sh_lab 'systemctl show -p MainPID --value smbd')
run step shares.restore check,apply,verify from=/srv/good
is "$rc" 0 "all is restored"
is "$(picture)" "$before" "every item is as it was saved"
is "$(login alice%alice-secret)" in "the old password logs in again"
isnt "$(sh_lab 'systemctl show -p MainPID --value smbd')" "$pid" \
	"smbd was restarted, since databases were replaced"
run step shares.restore check from=/srv/good
like "$out" "$(result check unchanged)" "a second restore has nothing to do"
run step shares.restore undo from=/srv/good
is "$rc" 0 "it is undone"
is "$(picture)" "$changed" "every item is as it was before the restore"
is "$(login alice%changed)" in "the changed password logs in again"
run step shares.restore undo from=/srv/good
is "$rc:$(picture)" "0:$changed" "undone once more: nothing else comes of it"

echo '# files only'
work=/opt/pd/work-all
run step shares.restore check,apply,verify from=/srv/good
is "$(picture)" "$before" "as saved"
sh_lab 'printf "[extra]\npath = /srv/pub\n" >>/etc/samba/smb.conf; smbcontrol all reload-config'
work=/opt/pd/work-files
pid=$(sh_lab 'systemctl show -p MainPID --value smbd')
run step shares.restore check,apply,verify from=/srv/good
is "$rc:$(picture)" "0:$before" "files are restored"
is "$(sh_lab 'systemctl show -p MainPID --value smbd')" "$pid" "smbd was not restarted"
unlike "$(sh_lab 'smbclient -N -L localhost')" extra "and does not offer the share any more"

echo '# a broken smb.conf'
sh_lab 'cp /etc/samba/smb.conf /root/smb.conf; echo "include = /etc/samba/smb.conf" >/etc/samba/smb.conf; echo "[global" >>/etc/samba/smb.conf; echo "server role = nonsense" >>/etc/samba/smb.conf'
broken=$(sh_lab 'testparm -s >/dev/null 2>&1; echo $?')
work=/opt/pd/work-broken
run step shares.restore check,apply,verify from=/srv/good
is "$rc:$(picture)" "0:$before" "restored over a broken smb.conf (testparm: $broken)"
run step shares.restore undo from=/srv/good
is "$rc" 0 "undone, to the broken one"
like "$(sh_lab 'cat /etc/samba/smb.conf')" nonsense "byte for byte"
sh_lab 'cp /root/smb.conf /etc/samba/smb.conf'

echo '# cut short'
sh_lab 'printf "changed\nchanged\n" | smbpasswd -s alice; printf "[extra]\npath = /srv/pub\n" >>/etc/samba/smb.conf; smbcontrol all reload-config'
changed=$(picture)
for delay in 0.05 0.2 0.4 0.7; do
	work=/opt/pd/work-cut-$delay
	in_lab timeout -s KILL "$delay" env LD_LIBRARY_PATH=/opt/pd/lib \
		/opt/pd/pd-step --plugin-dir /opt/pd/plugins --work "$work" \
		shares.restore check,apply from=/srv/good </dev/null >/dev/null 2>&1
	sleep 2 # whatever of it is left
	run step shares.restore check,apply,verify from=/srv/good
	is "$rc:$(picture)" "0:$before" "killed after $delay s: goes on to its end"
	run step shares.restore undo from=/srv/good
	is "$rc:$(picture)" "0:$changed" "killed after $delay s: undone"
done

echo '# accounts that are in no tdb'
sh_lab 'cp /etc/samba/smb.conf /root/smb.conf; sed -i "/passdb backend/d; s/^\[global\]/&\npassdb backend = smbpasswd\nsmb passwd file = \/etc\/samba\/passwords/" /etc/samba/smb.conf
	touch /etc/samba/passwords; chmod 600 /etc/samba/passwords
	printf "text\ntext\n" | smbpasswd -s -a alice' >/dev/null 2>&1
work=/opt/pd/work-text
run step shares.save check,apply,verify to=/srv/text
is "$rc $(sh_lab 'cat /etc/samba/passwords | cut -d: -f1')" "0 alice" "samba keeps accounts in a text file"
unlike "$out" 'accounts are not in a file' "which is one of this server"
before=$(sh_lab 'sha256sum /etc/samba/passwords; stat -c "%a %U:%G" /etc/samba/passwords')
sh_lab 'rm /etc/samba/passwords'
run step shares.restore check,apply,verify from="$(sh_lab 'ls -d /srv/text/*/shares.save')"
is "$rc $(sh_lab 'sha256sum /etc/samba/passwords; stat -c "%a %U:%G" /etc/samba/passwords; pdbedit -L | cut -d: -f1')" "0 $before
alice" "it is saved, and restored"
sh_lab 'sed -i "s/^passdb backend.*/passdb backend = ldapsam:ldap:\/\/127.0.0.1/" /etc/samba/smb.conf'
run step shares.save check to=/srv/elsewhere
like "$rc $out" '"level":"warn.*accounts are not in a file of this server .passdb backend = ldapsam:' "accounts that another server keeps are told before"
# one that this samba does not have: pdbedit would wait for the other
sh_lab 'sed -i "s/^passdb backend.*/passdb backend = ipasam:ldap:\/\/127.0.0.1/" /etc/samba/smb.conf'
work=/opt/pd/work-elsewhere
run step shares.save check,apply,verify to=/srv/elsewhere
is "$rc" 0 "and refuse nothing"
like "$out" '"evidence".*text/accounts-elsewhere' "that they were not saved is evidence"
run step shares.restore check from="$(sh_lab 'ls -d /srv/elsewhere/*/shares.save')"
like "$out" 'has no accounts' "and a restore says so"
sh_lab 'cp /root/smb.conf /etc/samba/smb.conf'

echo '# refusals'
work=/opt/pd/work-refused
sh_lab 'sed -i "s/server role = .*/server role = active directory domain controller/" /etc/samba/smb.conf'
run step shares.save check to=/srv/safe
like "$out" "$(result check refused)" "a domain controller is refused"
sh_lab 'systemctl stop smbd; mv /usr/sbin/smbd /usr/sbin/smbd.gone'
run scan shares
is "$rc" 0 "no samba server is no failure of the scan"
unlike "$out" /srv/data "and gives no rows"
run step shares.save check to=/srv/safe
like "$out" "$(result check unchanged)" "there is nothing to save"
done_testing
