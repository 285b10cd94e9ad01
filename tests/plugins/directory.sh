# SPDX-License-Identifier: MIT
# The plugin directory on two controllers that replicate, dc1 and dc2: sourced by tests/lab/domain-controller.sh, which
# has them. Expects `on` and what tests/lab/server.sh has.
# shellcheck shell=bash disable=SC2154

work=0
# passed TEXT: the step has
passed() { check "$1" [ "$rc" = 0 ] || sed 's/^/# /' <<<"$out"; }
# step PHASES [ARGUMENT...]: of the step $it on dc1, each time anew but for undo; sets $out and $rc
step()
{
	[[ $1 != check* ]] || work=$((work + 1))
	out=$(on dc1 /root/pd-step --plugin-dir /root/plugins --work "/root/work/$work" "$it" "$@" </dev/null 2>&1)
	rc=$?
}
killed() # SECONDS PHASE [ARGUMENT...]
{
	on dc1 timeout -s KILL "$1" /root/pd-step --plugin-dir /root/plugins --work "/root/work/$work" "$it" "${@:2}" </dev/null >/dev/null 2>&1
}
owners() { on "$1" samba-tool fsmo show </dev/null 2>/dev/null | sed -n 's/^\(.*\)Role owner: CN=NTDS Settings,CN=\([^,]*\).*/\1 \2/p' | sort; }

out=$(on dc1 /root/pd-step --plugin-dir /root/plugins scan directory </dev/null)
is "its domain is a fact" "$(jq -r '.. | objects | select(.server?) | "\(.name) \(.server)"' <<<"$out")" "lab.example dc1.lab.example"

it=directory.probe
step check,apply,verify timeout=60
passed "this server logs in by its key"
step check,apply,verify user=probe password=Probe-secret-1
passed "a user logs in by the password"
empty "whose ticket is nowhere afterwards" "$(on dc1 find /root/work /tmp -name 'ticket' -o -name 'krb5cc*' </dev/null)"
is "a policy was read" "$(on dc1 sh -c 'grep -c "^Version=" /root/work/*/directory.probe/policy' </dev/null | cut -d: -f2 | sort -u)" 1
step check,apply user=probe password=wrong-secret timeout=1
is "a wrong password fails" $rc 1
like "and it is said where" "$out" 'kinit probe@LAB.EXAMPLE: .*(Password incorrect|Preauthentication failed)'
unlike_text() { ! grep -q "$1" <<<"$2"; }
check "without the password" unlike_text wrong-secret "$out"
step check user=probe
is "a user without a password is refused" $rc 1
like "with the reason" "$out" 'user and password belong together'
on dc1 sh -c 'cp /etc/samba/smb.conf /root/smb.conf; sed -i "/^\[netlogon\]/,\$d" /etc/samba/smb.conf; smbcontrol all reload-config' </dev/null
step check,apply timeout=1
is "a controller without netlogon fails" $rc 1
like "which is named" "$out" '//dc1.lab.example/netlogon: .*NT_STATUS_BAD_NETWORK_NAME'
on dc1 sh -c 'cat /root/smb.conf >/etc/samba/smb.conf; smbcontrol all reload-config' </dev/null
on dc1 samba-tool dns delete dc1 lab.example _kerberos._udp SRV 'dc1.lab.example 88 0 100' -P </dev/null >/dev/null 2>&1
step check,apply timeout=1
like "so does one that DNS does not name" "$out" 'DNS of _kerberos._udp.lab.example does not name dc1.lab.example'
on dc1 samba-tool dns add dc1 lab.example _kerberos._udp SRV 'dc1.lab.example 88 0 100' -P </dev/null >/dev/null 2>&1

on dc1 systemctl stop samba-ad-dc </dev/null
for it in directory.probe directory.replication; do
	step check
	is "$it: a dry run sees that the directory does not answer" "$rc $(jq -r 'select(.event == "result").result' <<<"$out")" "1 refused"
	like "and says so" "$out" 'the directory does not answer by /var/lib/samba/private/ldapi: '
done
it=directory.probe
step check,apply timeout=1
like "a run waits for it" "$out" '"phase":"check","result":"changed"'
on dc1 systemctl start samba-ad-dc </dev/null
step check,apply timeout=60
passed "until it is there"
# somebody else in its place, who tells another name
on dc1 sh -c 'cd /var/lib/samba/private && mv ldapi ldapi.own && { python3 -c "
import socket
s = socket.socket(socket.AF_UNIX); s.bind(\"ldapi\"); s.listen(1)
c = s.accept()[0]; c.recv(99); c.sendall(b\"0 dnsHostName1 other.lab.example\")" >/dev/null 2>&1 & } && until [ -S ldapi ]; do sleep 0.1; done' </dev/null
step check
is "who has another name is not taken for it" "$rc $(jq -r 'select(.event == "result").result' <<<"$out")" "1 refused"
like "and it is said" "$out" 'what answers is not dc1.lab.example'
on dc1 sh -c 'cd /var/lib/samba/private && rm ldapi && mv ldapi.own ldapi' </dev/null
step check
passed "itself is"

it=directory.replication
on dc2 samba-tool user create replicated --random-password </dev/null >/dev/null
step check,apply,verify timeout=120
passed "partners have each other's changes"
is "what was made there is here" "$(on dc1 samba-tool user list </dev/null | grep -cx replicated)" 1
is "five naming contexts, in both directions" "$(jq -r 'select(.name == "links").value[]' <<<"$out" | cut -d' ' -f1,2 | sort | uniq -c | xargs)" "5 from dc2 5 to dc2"
step check,apply partners=2 timeout=1
is "a partner too few fails" $rc 1
like "and is counted" "$out" 'dc1 replicates from 1 partners, 2 are asked for'
step check,apply now=false timeout=1 'before=from dc3 DC=lab'
like "a link that is gone is named" "$out" 'it was replicated from dc3 DC=lab before, and is no more'
sleep 2
step check,apply now=false age=1 timeout=1
like "an old one, too" "$out" 'replicated [0-9]+ s ago, 1 s are allowed'
on dc2 systemctl stop samba-ad-dc </dev/null
step check,apply timeout=2
is "a partner that is down fails" $rc 1
like "and is named" "$out" 'dc2'
on dc2 systemctl start samba-ad-dc </dev/null

it=directory.transfer
admin=(to=dc2 password=Admin-secret-1)
step check to=dc1 password=Admin-secret-1
like "no server gives roles to itself" "$out" 'to names dc1, which is this server'
step check "${admin[@]}" roles=pcd
like "a role that there is not is refused" "$out" 'there is no role pcd, did you mean pdc'
step check,apply to=dc2 password=wrong-secret timeout=1
is "a wrong password moves nothing" "$rc $(owners dc1 | grep -c 'DC1$')" "1 7"
step check,apply,verify "${admin[@]}" roles=pdc,rid
passed "two roles are moved"
is "as both servers have it" "$(owners dc1 | grep 'DC2$' | xargs) $(owners dc2 | grep 'DC2$' | xargs)" \
	"PdcEmulationMaster DC2 RidAllocationMaster DC2 PdcEmulationMaster DC2 RidAllocationMaster DC2"
step apply "${admin[@]}" roles=pdc,rid
like "once more nothing is moved" "$out" '"phase":"apply","result":"unchanged"'
on dc1 sh -c 'echo Admin-secret-1 >/root/admin; PASSWD_FILE=/root/admin samba-tool fsmo transfer --role=rid -U Administrator' </dev/null >/dev/null 2>&1
step undo "${admin[@]}" roles=pdc,rid
is "what a person has taken back is no fault of undo" "$rc $(owners dc1 | grep -c 'DC1$') $(owners dc2 | grep -c 'DC1$')" "0 7 7"
step undo "${admin[@]}" roles=pdc,rid
like "undo once more changes nothing" "$out" '"phase":"undo","result":"unchanged"'
step check "${admin[@]}"
killed 2.5 apply "${admin[@]}"
step apply "${admin[@]}"
is "one that was killed goes on" "$rc $(owners dc1 | grep -c 'DC2$') $(owners dc2 | grep -c 'DC2$')" "0 7 7"
killed 2.5 undo "${admin[@]}"
step undo "${admin[@]}"
is "so does its undo" "$rc $(owners dc1 | grep -c 'DC1$') $(owners dc2 | grep -c 'DC1$')" "0 7 7"

it=directory.roles
step check,apply,verify
is "seven roles are noted" "$(jq -r 'select(.name == "held").value | length' <<<"$out")" 7
step check,apply 'before=pdc dc2,rid dc1'
is "one that is elsewhere fails" $rc 1
like "and is named" "$out" 'not where they were before .pdc dc2.'

it=directory.dbcheck
step check,apply,verify
is "the database has no errors" "$rc $(jq -r 'select(.name == "errors").value' <<<"$out")" "0 0"
# past Samba's own care
printf 'dn: CN=replicated,CN=Users,DC=lab,DC=example\nchangetype: modify\nreplace: instanceType\ninstanceType: 5\n' |
	on dc1 ldbmodify -H '/var/lib/samba/private/sam.ldb.d/DC=LAB,DC=EXAMPLE.ldb' >/dev/null
step check,apply
is "one that is not sound fails" "$rc $(jq -r 'select(.name == "errors").value' <<<"$out")" "1 1"
step check,apply errors=1
passed "unless it was so before"
on dc1 samba-tool dbcheck CN=replicated,CN=Users,DC=lab,DC=example --fix --yes </dev/null >/dev/null 2>&1

it=directory.backup
on dc1 install -d -o alice /srv/open </dev/null
step check to=/srv/open
like "a folder of somebody else takes no backup" "$out" "/srv/open can't take the backup of a domain: it is not root's"
step check to=/srv/dc
killed 1.5 apply to=/srv/dc
step apply to=/srv/dc
passed "the domain is backed up, also after one that was killed"
archive=$(jq -r 'select(.name == "archive").value' <<<"$out" | tail -1)
is "nobody else can read it" "$(on dc1 stat -c '%U %a' "$archive" "${archive%/*}" </dev/null | xargs)" "root 600 root 700"
on dc1 samba-tool user delete replicated </dev/null >/dev/null
step verify to=/srv/dc
passed "a domain can be made of it"
like "with the accounts that there were then" "$out" 'a domain was restored from .*, with 5 accounts, the same as here'
empty "nothing is left of the proof" "$(on dc1 find / -xdev \( -name 'patchday-proof*' -o -name '*.bak-offline' -o -name '*.part' \) </dev/null)"
on dc1 sh -c "printf x >>$archive" </dev/null
step verify to=/srv/dc
is "a byte too many is found" $rc 1
like "by the digest" "$out" 'is not as it was written: do not use it'
step check to=/srv/online kind=online
is "nothing is made by looking" "$rc $(on dc1 sh -c 'ls -d /srv/online 2>/dev/null' </dev/null)" "0 "
on dc1 systemctl stop samba-ad-dc </dev/null
step apply to=/srv/online kind=online
is "online a controller that is down can't be asked" $rc 1
like "and it is said" "$out" 'samba-tool domain backup: '
on dc1 systemctl start samba-ad-dc </dev/null
it=directory.probe
step check,apply timeout=60
it=directory.backup
step check,apply,verify to=/srv/online kind=online
passed "the domain is replicated anew to an archive, after that failure too"
like "and a domain can be made of it" "$out" 'a domain was restored from .*, with 4 accounts, the same as here'
archive=$(jq -r 'select(.name == "archive").value' <<<"$out" | tail -1)
is "nobody else can read it" "$(on dc1 stat -c '%U %a' "$archive" "${archive%/*}" </dev/null | xargs)" "root 600 root 700"
is "it has the directory, and the policies" "$(
	on dc1 python3 -c "import tarfile; print(*tarfile.open('$archive').getnames(), sep='\n')" </dev/null | sed 's,^[.]/,,' | grep -cxE 'private/sam.ldb|sysvol.tar.gz|backup.txt')" 3
empty "nothing is left of it, or of the proof" "$(on dc1 find / -xdev \( -name 'patchday-proof*' -o -name '*.bak-offline' -o -name '*.part' \) </dev/null)"
on dc1 rm -rf /root/work /srv/dc /srv/online /srv/open /root/admin </dev/null
