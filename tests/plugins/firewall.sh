#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin firewall with the real nft and the rules of a real server.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins firewall

sh_lab() { in_lab sh -c "$1" </dev/null; }
rules() { sh_lab 'nft -s list ruleset'; }
load() { in_lab nft -f -; }
evidence() { sh_lab "cat $work/firewall.compare/differences.txt"; }

# ---- no nft
run step firewall.save check to=/srv/safe
like "$out" '"result": ?"unchanged"' "without nft there is nothing to save"
sh_lab 'apt-get update -qq && apt-get install -qqy --no-install-recommends nftables' >/dev/null 2>&1
in_lab sh -c 'mkdir -p /etc/nftables.d; cat >/etc/nftables.conf' <<'E'
#!/usr/sbin/nft -f
flush ruleset
include "/etc/nftables.d/*.nft" # all of them
E
in_lab sh -c 'cat >/etc/nftables.d/proxy.nft' <<'E'
table inet filter {
	counter seen {
	}
	set lan {
		type ipv4_addr
		flags interval
		elements = { 10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16, 10.4.0.0/16, 10.5.0.0/16, 192.168.0.0/24 }
	}
	set banned {
		type ipv4_addr
		flags dynamic,timeout
		timeout 1h
	}
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport { 22, 80 } counter accept
		ct state established,related accept comment "a { brace"
		iifname "lo" accept
		ip saddr @lan tcp dport 3128 counter name "seen" accept
		tcp dport 3128 add @banned { ip saddr } drop
	}
}
E
sh_lab 'chmod 640 /etc/nftables.d/proxy.nft; nft -f /etc/nftables.conf'

# ---- save
work=/opt/pd/save
run step firewall.save check to=/srv/safe
is "$rc $(sh_lab 'ls /srv/safe 2>/dev/null')" "0 " "check makes no folder"
run step firewall.save check,apply,verify to=/srv/safe copy=/srv/second
is "$rc" 0 "save succeeds"
[ "$rc" = 0 ] || echo "$out"
like "$out" 'rules.nft' "the rules are evidence"
folder=$(sh_lab 'ls -d /srv/safe/*/firewall.save')
is "$(sh_lab "cd $folder && find . -type f | LC_ALL=C sort | xargs")" \
	"./MANIFEST ./files/etc/nftables.conf ./files/etc/nftables.d/proxy.nft ./rules.nft ./rules.txt ./ruleset.json" \
	"rules, as text and JSON, configuration and what it includes"
is "$(sh_lab "cd $folder && sha256sum --quiet --strict -c MANIFEST && diff -r $folder /srv/second/*/firewall.save && echo same")" \
	same "as the manifest says, and in the second place too"
is "$(sh_lab "jq -r '.nftables[] | .table.name // empty' $folder/ruleset.json 2>/dev/null || python3 -c 'import json,sys
print(*[x[\"table\"][\"name\"] for x in json.load(open(sys.argv[1]))[\"nftables\"] if \"table\" in x])' $folder/ruleset.json")" \
	filter "the JSON has the table"

# ---- compare: counters, handles and what packets add do not count
compare() { run step firewall.compare check,apply,verify from="$folder" "$@"; }
work=/opt/pd/compare
before=$(rules)
compare
is "$rc" 0 "nothing has changed"
[ "$rc" = 0 ] || echo "$out"
sh_lab 'ping -c 2 -q 127.0.0.1 >/dev/null; nft add element inet filter banned "{ 10.9.9.9 }"
	nft add rule inet filter input tcp dport 9 accept; h=$(nft -a list chain inet filter input | sed -n "s/.*dport 9 .*handle //p")
	nft delete rule inet filter input handle $h; nc -z -w1 127.0.0.1 80; nft reset counters >/dev/null'
compare
is "$rc" 0 "counters, handles and elements that packets add are no difference"
like "$out" '"name": ?"same","value": ?true' "same says so"

sh_lab 'nft add element inet filter lan "{ 10.6.0.0/16 }"; nft insert rule inet filter input tcp dport 23 drop
	nft delete rule inet filter input handle $(nft -a list chain inet filter input | sed -n "s/.*dport { 22, 80 }.*handle //p")'
compare
is "$rc" 1 "a rule that is new or missing fails the step"
like "$(evidence)" '^missing: inet filter chain input: tcp dport \{ 22, 80 \} counter accept$' "the missing one is shown"
like "$(evidence)" '^new: inet filter chain input: tcp dport 23 drop$' "the new one too"
like "$(evidence)" '^new: inet filter set lan: elements = .*10\.6\.0\.0/16' "and the set with another element, in one line"
is "$(evidence | wc -l)" 4 "and nothing else"
compare fail=false
is "$rc" 0 "with fail=false it is only shown"
like "$out" '"name": ?"same","value": ?false' "and said"
like "$out" 'tcp dport 23 drop' "and logged"

# ---- restore
work=/opt/pd/restore
restore() { run step firewall.restore "$1" from="$folder" "${@:2}"; }
changed=$(rules)
restore check
is "$rc" 0 "check of restore"
is "$(rules)" "$changed" "touches nothing"
restore check,apply,verify
is "$rc" 0 "restore succeeds"
[ "$rc" = 0 ] || echo "$out"
is "$(rules | grep -v 10.9.9.9)" "$(printf '%s' "$before")" "the rules are those that were saved"
restore check
like "$out" '"result": ?"unchanged"' "and there is nothing left to restore"
restore undo
is "$rc" 0 "undo succeeds"
[ "$rc" = 0 ] || echo "$out"
is "$(rules)" "$changed" "and brings back what was there before"

# ---- one transaction: at no moment without rules
work=/opt/pd/atomic
sh_lab 'stdbuf -oL nft monitor >/run/monitor 2>&1 & echo $! >/run/monitor.pid'
soon 'nft add table ip ready; nft delete table ip ready; grep -q ready /run/monitor'
load <<'E'
table inet guard {
	chain output {
		type filter hook output priority 0; policy drop;
	}
}
E
restore check,apply,verify
is "$rc" 0 "restore over a table that is not in the set"
sh_lab 'nft add table ip end'
soon 'grep -q "table ip end" /run/monitor'
sh_lab 'kill $(cat /run/monitor.pid); nft delete table ip end'
is "$(sh_lab 'sed -n "/add table inet guard/,/table ip end/p" /run/monitor | grep -c "new generation"')" 2 \
	"makes one generation of the rules, after that of the table"
unlike "$(rules)" 'guard' "and the table is gone"
like "$(rules)" 'dport \{ 22, 80 \}' "and the rule is back"

# ---- tables of other programs
work=/opt/pd/others
load <<'E'
table inet f2b-table {
	chain f2b-chain {
		type filter hook input priority -1; policy accept;
		tcp dport 22 drop
	}
}
table ip docker {
	chain a {
	}
}
E
compare others=f2b-table
is "$rc" 1 "a table of another program is new"
like "$(sh_lab "cat $work/firewall.compare/differences.txt")" '^new: ip docker: table$' "if it is not named"
unlike "$(sh_lab "cat $work/firewall.compare/differences.txt")" 'f2b' "one that is named is left out"
compare others='f2b-*,ip dock*'
is "$rc" 0 "by its name, or family and name, with *"
sh_lab 'nft flush chain inet filter input'
restore check,apply,verify 'others=f2b-*,ip dock*'
is "$rc" 0 "restore beside them"
like "$(rules | tr -d '\n')" 'f2b-chain.*docker' "leaves them alone"
like "$(rules)" 'dport \{ 22, 80 \}' "and brings back ours"
restore undo 'others=f2b-*,ip dock*'
is "$rc" 0 "undo beside them"
unlike "$(rules)" 'dport \{ 22, 80 \}' "takes it back"
like "$(rules | tr -d '\n')" 'f2b-chain.*docker' "and leaves them alone"
sh_lab 'nft -f /etc/nftables.conf'

# ---- the order of rules
work=/opt/pd/order
sh_lab 'nft delete rule inet filter input handle $(nft -a list chain inet filter input | sed -n "s/.*iifname.*handle //p")
	nft insert rule inet filter input iifname lo accept'
compare
is "$rc" 1 "rules in another order fail"
is "$(sh_lab "cat $work/firewall.compare/differences.txt")" 'moved: inet filter chain input: iifname "lo" accept' "and are shown"
sh_lab 'nft -f /etc/nftables.conf'

# ---- a large set
work=/opt/pd/large
sh_lab 'python3 -c "print(\"add element inet filter large {\", \", \".join(f\"10.{i >> 8}.{i & 255}.7\" for i in range(30000)), \"}\")" >/run/large
	nft add set inet filter large "{ type ipv4_addr; }"; nft -f /run/large'
most=$(sh_lab "LD_LIBRARY_PATH=/opt/pd/lib python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)' \
	/opt/pd/pd-step --plugin-dir /opt/pd/plugins --work $work firewall.compare apply fail=false from=$folder")
is "$((${most:-9999} < 500))" 1 "a set of 30000 elements takes $most MiB"
like "$(evidence | cut -c -90)" '^new: inet filter set large: elements = \{ 10\.0\.0\.7, 10\.' "and is read as one line"
sh_lab 'nft -f /etc/nftables.conf'

# ---- files
work=/opt/pd/files
sh_lab 'cp -a /etc/nftables.d /srv/d; sed -i "s/3128/3129/" /etc/nftables.d/proxy.nft; chmod 600 /etc/nftables.d/proxy.nft
	printf "table ip more {\n}\n" >/etc/nftables.d/zz.nft'
state=$(sh_lab 'cd /etc; stat -c "%n %a %U:%G" nftables.conf nftables.d/*; sha256sum nftables.conf nftables.d/*')
compare
is "$(sh_lab "cat $work/firewall.compare/differences.txt" | sort | xargs)" \
	"changed: file /etc/nftables.d/proxy.nft new: file /etc/nftables.d/zz.nft" "files that are not as they were are shown"
restore check,apply,verify
is "$rc $(sh_lab 'diff -r /etc/nftables.d /srv/d && stat -c %a /etc/nftables.d/proxy.nft')" "0 640" "restore brings back the files"
restore undo
is "$rc" 0 "undo of that"
is "$(sh_lab 'cd /etc; stat -c "%n %a %U:%G" nftables.conf nftables.d/*; sha256sum nftables.conf nftables.d/*')" "$state" \
	"brings back what was there"
sh_lab 'rm /etc/nftables.d/zz.nft; cp -a /srv/d/. /etc/nftables.d/; nft -f /etc/nftables.conf'
work=/opt/pd/unnamed
sh_lab 'cp -a /etc/nftables.conf /srv; sed -i /include/d /etc/nftables.conf; echo "# by hand" >>/etc/nftables.d/proxy.nft'
restore check,apply,verify
is "$rc $(sh_lab 'diff -r /etc/nftables.d /srv/d && cmp /etc/nftables.conf /srv/nftables.conf')" "0 " "restore of a file that nothing includes now"
restore undo
is "$rc $(sh_lab 'tail -n 1 /etc/nftables.d/proxy.nft; grep -c include /etc/nftables.conf')" "$(printf '0 # by hand\n0')" \
	"undo brings back that file, too"
sh_lab 'cp -a /srv/d/. /etc/nftables.d/; cp -a /srv/nftables.conf /etc; nft -f /etc/nftables.conf'
work=/opt/pd/links
sh_lab 'mv /etc/nftables.d/proxy.nft /srv/real.nft; echo "# by hand" >>/srv/real.nft; ln -s /srv/real.nft /etc/nftables.d/proxy.nft'
restore check,apply,verify
is "$rc $(sh_lab 'readlink /etc/nftables.d/proxy.nft; grep -c "by hand" /srv/real.nft')" "$(printf '0 /srv/real.nft\n0')" \
	"a link stays one, and its file is put back"
sh_lab 'ln -s /srv/d/proxy.nft /etc/nftables.d/zz.nft'
restore apply
is "$rc $(sh_lab 'readlink /etc/nftables.d/zz.nft')" "1 /srv/d/proxy.nft" "a link that is new is not removed"
like "$out" '/etc/nftables.d/zz.nft was not there when .* is a link' "but named"
sh_lab 'rm /etc/nftables.d/*; cp -a /srv/d/. /etc/nftables.d/; nft -f /etc/nftables.conf'

# ---- killed in the middle
work=/opt/pd/killed
sh_lab 'nft add rule inet filter input tcp dport 99 drop; sed -i "s/3128/3129/" /etc/nftables.d/proxy.nft'
changed=$(rules)
for moment in 0.02 0.05 0.1 0.2; do
	sh_lab "LD_LIBRARY_PATH=/opt/pd/lib exec timeout -s KILL $moment /opt/pd/pd-step --plugin-dir /opt/pd/plugins \
		--work $work firewall.restore check,apply from=$folder" >/dev/null 2>&1
done
restore check,apply,verify
is "$rc" 0 "restore after crashes comes to its end"
restore undo
is "$rc" 0 "undo after crashes"
is "$(rules)" "$changed" "knows the rules before them"
like "$(sh_lab 'cat /etc/nftables.d/proxy.nft')" 3129 "and the files"

# ---- what could not come back
work=/opt/pd/broken
sh_lab 'echo "table inet nonsense { chain x { frob } }" >>/etc/nftables.conf'
run step firewall.save check to=/srv/safe
is "$rc" 1 "a configuration that nft does not load stops the run"
like "$out" 'after a reboot there would be no rules' "with the risk"
like "$out" 'nft does not load /etc/nftables.conf' "and the file"
sh_lab 'sed -i "/nonsense/d" /etc/nftables.conf'
sh_lab "printf 'table inet filter {\n\tchain input {\n\t\tfrob\n\t}\n}\n' >$folder/rules.nft"
restore check
is "$rc" 1 "rules that are not what was saved are not taken"
like "$out" 'is not what was saved' "and it says so"
sign() { sh_lab "cd $folder; s=\$(sha256sum rules.nft); sed -i \"s/^[0-9a-f]*  rules.nft/\${s%% *}  rules.nft/\" MANIFEST"; }
sign
changed=$(rules)
restore apply
is "$rc" 1 "rules that nft refuses fail the restore"
like "$out" 'the rules are as they were before' "and it says what holds"
is "$(rules)" "$changed" "and they are"
sh_lab "printf 'table inet filter { # nft\n\tset x {\n\t\ttype ipv4_addr\n\t\tsize 65535\t# count 3\n\t}\n\tchain input {\n%s\n\t}\n}\n' \
	'		tcp dport 80 # match-set lan src accept comment \"a\"' >$folder/rules.nft"
sign
restore check
is "$rc" 1 "rules of iptables that nft can only comment are not loaded without it"
like "$out" 'no words for a rule of iptables, table inet filter: tcp dport 80 # match-set' "and are shown"
restore check 'others=filter'
is "$rc" 0 "unless they are of another program"
sh_lab "sed -i 's/ # match-set lan src accept comment \"a\"/ accept comment \"a # b\"/' $folder/rules.nft"
sign
restore check
is "$rc" 0 "a # in quotes is none"
[ "$rc" = 0 ] || echo "$out"
run step firewall.compare check,apply from=/srv/nowhere
is "$rc" 1 "a folder that is none fails"
like "$out" '/srv/nowhere' "and is named"

done_testing
