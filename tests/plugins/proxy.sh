#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin proxy and probe.http by way of a proxy, with the real squid.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins proxy probe

sh_lab() { in_lab sh -c "$1" </dev/null; }

# ---- no squid
run step proxy.save check to=/srv/safe
like "$out" '"result": ?"unchanged"' "without squid there is nothing to save"
in_lab bash -s <"$PD_SRCDIR/tests/lab/server-squid.sh" >/tmp/t-proxy-setup.$$ 2>&1
is "$(sh_lab 'systemctl is-active squid nftables' | xargs)" "active active" "squid runs behind nftables" ||
	sed 's/^/# /' /tmp/t-proxy-setup.$$
rm -f /tmp/t-proxy-setup.$$
like "$(sh_lab 'apt-get -s upgrade 2>/dev/null')" 'Inst squid ' "and has an update to come"

# ---- client tests: probe.http by way of the proxy
n=0
try() { n=$((n + 1)); work=/opt/pd/probe-$n; run step probe.http check,apply,verify timeout=5 proxy=http://localhost:3128 "$@"; }
passes() { is "$rc" 0 "$1"; [ "$rc" = 0 ] || echo "$out"; }
fails() { is "$rc" 1 "$1: fails"; like "$out" "$2" "$1: says why"; }
try url=http://intern/ contains=Apache
passes "a page by way of the proxy"
like "$(sh_lab 'cat /var/log/squid/access.log')" 'GET http://intern/' "squid has fetched it"
try url=http://forbidden/ status=403
passes "a page that is forbidden"
try url=http://forbidden/
fails "a forbidden page that is asked for" 'http://forbidden/ answers with status 403; see the log of the proxy'
try url=http://intern/ status=403
fails "a page that should be forbidden and is not" 'answers with status 200'
try url=https://intern/ ca=/etc/ssl/lab.pem contains=Apache
passes "https through a tunnel"
like "$(sh_lab 'cat /var/log/squid/access.log')" 'CONNECT intern:443' "made by CONNECT"
try url=https://forbidden/ ca=/etc/ssl/lab.pem status=403
passes "a tunnel that is refused"
try url=https://forbidden/ ca=/etc/ssl/lab.pem
fails "a tunnel that is asked for and refused" 'status 403; see the log of the proxy'
try url=https://intern:8443/ status=403
passes "a tunnel to another port"
try url=http://intern/ proxy=http://localhost:3129 status=407
passes "a proxy that asks for a password"
try url=http://intern/ proxy=http://localhost:3129 proxy_user=carol proxy_password=carol-secret contains=Apache
passes "and gets it"
unlike "$(sh_lab "grep -r carol-secret $work")" carol-secret "the password is nowhere in the work folder"
try url=https://intern/ ca=/etc/ssl/lab.pem proxy=http://localhost:3129 proxy_user=carol proxy_password=carol-secret
passes "with a tunnel, too"
try url=http://intern/ proxy=http://localhost:3129 proxy_user=carol proxy_password=wrong-secret
fails "a wrong password" 'status 407'
try url=http://intern/ proxy=http://me:pw@localhost:3129
fails "a password in the address of the proxy" 'proxy holds a user name.*use proxy_user and proxy_password'
try url=http://intern/ proxy=ftp://localhost
fails "a proxy of another protocol" 'proxy is not an address of http'
try url=http://intern/ proxy=http://localhost:9
fails "a proxy that is not there" "can't fetch http://intern/"
try url=http://intern/ proxy=http://nosuch.invalid:3128
fails "a proxy that has no address" 'nosuch.invalid'
run step probe.http check url=http://only-the-proxy-knows.invalid/ proxy=http://localhost:3128
passes "a name that the proxy alone looks up"

# ---- what squid's user writes is no configuration, nor what it could have root follow
work=/opt/pd/state
sh_lab 'cp -a /etc/squid/squid.conf /srv; mkdir /srv/certs /etc/squid/own; cp /etc/hosts /srv/certs/1.pem; ln -s /etc/shadow /etc/squid/own/link
	ln -s /etc/shadow /etc/squid/link; echo x >/etc/squid/own/list; chown -R proxy /etc/squid/own
	printf "sslcrtd_program /bin/true -s /srv/certs -M 4MB\nacl own dstdomain \"/etc/squid/own/list\"\nicap_log /srv/certs/1.pem\n" >>/etc/squid/squid.conf'
run step proxy.save check,apply to=/srv/state
is "$rc $(sh_lab "cd /srv/state/*/proxy.save/files && find . -type f | grep -E 'own|link|certs'; find . -name blocked")" "0 ./srv/lists/blocked" \
	"certificates, logs, links and a folder of squid's are left out"
for left in "/etc/squid/link: it is a symbolic link" "/etc/squid/own/link: it is a symbolic link" "/etc/squid/own/list: its folder is not root's alone"; do
	is "$(grep -c "not saved: $left" <<<"$out") $(sh_lab 'find /opt/pd/state -name left-out.txt -exec cat {} +' | grep -cxF "$left")" "2 1" "said, and evidence: $left"
done
like "$out" '"event":"output".*"name":"left_out"' "it is an output"
like "$out" '"event":"evidence".*left-out.txt' "and evidence"
sh_lab 'mv /srv/squid.conf /etc/squid; rm -r /etc/squid/own /etc/squid/link /srv/certs'

# ---- save
work=/opt/pd/save
run step proxy.save check to=/srv/safe
is "$rc $(sh_lab 'ls /srv/safe 2>/dev/null')" "0 " "check makes no folder"
run step proxy.save check,apply,verify to=/srv/safe copy=/srv/second
is "$rc" 0 "save succeeds"
[ "$rc" = 0 ] || echo "$out"
unlike "$out" 'carol:' "without a word of the passwords"
folder=$(sh_lab 'ls -d /srv/safe/*/proxy.save')
is "$(sh_lab "cd $folder && find files -type f | LC_ALL=C sort | xargs")" \
	"files/etc/squid/conf.d/debian.conf files/etc/squid/errorpage.css files/etc/squid/passwd files/etc/squid/squid.conf files/srv/lists/blocked" \
	"configuration, passwords and the list that it names"
is "$(sh_lab "cd $folder && sha256sum --quiet --strict -c MANIFEST && diff -r $folder /srv/second/*/proxy.save && echo same")" \
	same "as the manifest says, and in the second place too"
is "$(sh_lab "find $folder ! -type d -perm /077 -o -type d -perm /077")" "" "nobody else can read it"

# ---- verify: squid is well
work=/opt/pd/well
well() { run step proxy.verify check,apply,verify "$@"; }
well from="$folder"
is "$rc" 0 "squid is well, and configured as it was saved"
[ "$rc" = 0 ] || echo "$out"
like "$out" '"name": ?"caches","value": ?1' "with its cache"
like "$(sh_lab "cat $work/proxy.verify/cache.log")" '^Starting Squid Cache version' "what it has logged since is evidence"
sh_lab 'echo "2026/11/28 20:00:00 kid1| ERROR: of this start" >>/var/log/squid/cache.log'
well
is "$rc" 1 "an error in cache.log since the start"
like "$out" 'first: .*ERROR: of this start' "is shown"
well 'ignore=^squid: error: of this (start|day)'
is "$rc" 0 "unless it is no news"
well 'ignore=('
is "$rc" 1 "an expression that is none"
like "$out" 'is no regular expression' "is refused"
sh_lab 'systemctl restart squid'
well
is "$rc" 0 "an error before the start does not count"
sh_lab 'mv /var/log/squid/cache.log /var/log/squid/cache.log.0; squid -k rotate'
soon 'test -e /var/log/squid/cache.log'
well
is "$rc" 0 "a log that was rotated since"
[ "$rc" = 0 ] || echo "$out"
sh_lab 'echo "2026/11/28 20:00:00 kid1| ERROR: since the rotation" >>/var/log/squid/cache.log'
well
is "$rc" 1 "an error in that"
like "$out" 'first: .*ERROR: since the rotation' "is shown"
sh_lab 'systemctl restart squid'
sh_lab 'cp -a /var/spool/squid/swap.state /srv/; echo nonsense >/var/spool/squid/swap.state'
well timeout=1
is "$rc" 1 "a swap.state that is none"
like "$out" '/var/spool/squid/swap.state does not begin as an index' "is named"
sh_lab 'rm /var/spool/squid/swap.state'
well timeout=1
is "$rc" 1 "a swap.state that is not there"
sh_lab 'systemctl stop squid'
well timeout=1
is "$rc" 1 "a squid that is stopped"
sh_lab 'cp -a /srv/swap.state /var/spool/squid/; truncate -s 200M /var/spool/squid/swap.state
	head -c 200M /dev/zero | tr "\\0" x >>/var/log/squid/cache.log; echo >>/var/log/squid/cache.log'
most=$(sh_lab "LD_LIBRARY_PATH=/opt/pd/lib python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)' \
	/opt/pd/pd-step --plugin-dir /opt/pd/plugins --work $work proxy.verify apply timeout=3")
is "$((${most:-9999} < 500))" 1 "looking at a large index and a long log takes $most MiB"
sh_lab 'for line in "Starting Squid Cache version 6" "ERROR: of the start before"; do
	echo "2026/11/28 20:00:00 kid1| $line"; done >/var/log/squid/cache.log'
well timeout=1
like "$out" '"message": ?"squid does not run' "and whose log has an error of the start before is that, no more"
sh_lab ': >/var/log/squid/cache.log'
sh_lab '(sleep 2; cp -a /srv/swap.state /var/spool/squid/; systemctl start squid) >/dev/null 2>&1 &'
well timeout=60
is "$rc" 0 "one that starts two seconds later is well"
[ "$rc" = 0 ] || echo "$out"

# what makes the folders of a cache before squid starts has its process id where squid's is
sh_lab 'systemctl stop squid; echo "cache_dir ufs /var/spool/squid2 50 64 256" >/etc/squid/conf.d/second.conf
	install -d -o proxy -g proxy /var/spool/squid2; systemctl start squid'
well timeout=60
is "$rc" 0 "squid with a second cache is well"
sh_lab 'systemctl stop squid; rm -r /var/spool/squid2/[0-9A-F][0-9A-F]; systemctl start --no-block squid'
soon 'test -e /run/squid.pid && pkill -STOP -f -- "[-]-foreground -z"'
sh_lab 'squid -k check; echo "$? $(systemctl is-active squid)"' >/tmp/t-proxy-between.$$ 2>&1
like "$(tail -n 1 /tmp/t-proxy-between.$$)" '^0 activating' "squid takes the one that makes its folders for squid"
rm -f /tmp/t-proxy-between.$$
well timeout=2
is "$rc" 1 "which is none"
like "$out" '"message": ?"squid.service is activating' "and it is said what is waited for"
sh_lab '(sleep 2; pkill -CONT -f -- "[-]-foreground -z") >/dev/null 2>&1 &'
well timeout=60
is "$rc" 0 "until squid itself runs"
[ "$rc" = 0 ] || echo "$out"
sh_lab 'rm /etc/squid/conf.d/second.conf; systemctl restart squid'

# ---- restore
state() { sh_lab 'cd /; stat -c "%n %a %U:%G" etc/squid/* etc/squid/conf.d/* srv/lists/*; find etc/squid srv/lists -type f | sort | xargs sha256sum'; }
before=$(state)
sh_lab 'echo intern >/srv/lists/blocked; echo more >/srv/lists/more; chmod 600 /srv/lists/blocked; rm /etc/squid/errorpage.css
	echo "acl more dstdomain \"/srv/lists/more\"" >/etc/squid/conf.d/more.conf; squid -k reconfigure'
changed=$(state)
try url=http://intern/ status=403
passes "the changed configuration is in force"
work=/opt/pd/well
well from="$folder"
is "$rc" 1 "files that are not as they were saved"
like "$out" '4 differences, first: changed: file' "are told"
work=/opt/pd/restore
restore() { run step proxy.restore "$1" from="$folder"; }
restore check
is "$rc $(state)" "0 $changed" "check of restore touches nothing"
like "$out" 'new: file /etc/squid/conf.d/more.conf' "and says what differs"
restore check,apply,verify
is "$rc" 0 "restore succeeds"
[ "$rc" = 0 ] || echo "$out"
is "$(state | grep -v lists/more)" "$before" "the files are as they were saved"
is "$(sh_lab 'cat /srv/lists/more')" more "what was there before and is no part of it stays"
try url=http://intern/
passes "squid has taken them"
work=/opt/pd/restore
restore check
like "$out" '"result": ?"unchanged"' "and there is nothing left to restore"
restore undo
is "$rc" 0 "undo succeeds"
is "$(state)" "$changed" "and brings back what was there before"
try url=http://intern/ status=403
passes "and squid has taken that"
work=/opt/pd/killed
for moment in 0.02 0.05 0.1 0.2; do
	sh_lab "LD_LIBRARY_PATH=/opt/pd/lib exec timeout -s KILL $moment /opt/pd/pd-step --plugin-dir /opt/pd/plugins \
		--work $work proxy.restore check,apply from=$folder" >/dev/null 2>&1
done
restore check,apply,verify
is "$rc" 0 "restore after crashes comes to its end"
restore undo
is "$rc $(state)" "0 $changed" "undo knows what was there before them"
work=/opt/pd/unnamed
sh_lab 'cp -a /etc/squid/squid.conf /srv/lists/blocked /srv; sed -i "/srv.lists.blocked/d; /deny blocked/d" /etc/squid/squid.conf
	echo by-hand >/srv/lists/blocked'
restore check,apply,verify
is "$rc $(sh_lab 'cat /srv/lists/blocked')" "0 forbidden" "restore of a list that nothing names now"
restore undo
is "$rc $(sh_lab 'cat /srv/lists/blocked')" "0 by-hand" "undo brings back that list, too"
sh_lab 'mv /srv/squid.conf /etc/squid; mv /srv/blocked /srv/lists'

# ---- what squid refuses
work=/opt/pd/broken
sh_lab 'echo "acl broken" >>/etc/squid/squid.conf'
run step proxy.save check to=/srv/safe
is "$rc" 1 "a configuration that squid refuses stops the run"
like "$out" 'squid would not start any more' "with the risk"
like "$out" "squid refuses its configuration: .*(FATAL|ERROR)" "and squid's words"
changed=$(state)
restore check,apply,verify
is "$rc" 0 "restore mends it"
restore undo
is "$rc $(state)" "0 $changed" "undo brings back even that"
like "$out" 'squid refuses the configuration that was there before' "and says so"
is "$(sh_lab 'systemctl is-active squid')" active "while squid goes on"

done_testing
