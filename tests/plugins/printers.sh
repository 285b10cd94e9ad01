#!/bin/bash
# SPDX-License-Identifier: MIT
# Plugin printers against the real cupsd of a lab server.
# shellcheck disable=SC2016 # what is quoted runs in the server
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
lab_up printers
push_plugins printers

sh_lab() { in_lab sh -c "$1" </dev/null; }
result() { printf '"phase": ?"%s", ?"result": ?"%s"' "$1" "$2"; }

# What a queue is, without what cupsd changes by itself; PPDs by digest, and
# what cupsd itself tells (but the reason of cupsreject, which it forgets
# whenever it is started).
picture()
{
	sh_lab 'grep -Ev "^(#|StateTime|ConfigTime|Type|PrinterId|NextPrinterId|Reason)" /etc/cups/printers.conf
		grep -Ev "^(#|StateTime|ConfigTime|Type|PrinterId)" /etc/cups/classes.conf 2>/dev/null
		cd /etc/cups && sha256sum ppd/*.ppd && stat -c "%n %a %U:%G" printers.conf ppd/*.ppd
		cat lpoptions 2>/dev/null
		env HOME=/nowhere lpstat -v; env HOME=/nowhere lpstat -d; for what in -a -p; do LC_ALL=C lpstat $what | grep -v "^[[:space:]]" | sort | sed "s/since.*//"; done
		for q in $(lpstat -e | sort); do env HOME=/nowhere lpoptions -p $q -l; done'
}

# More of everything than the lab's queues have.
sh_lab 'lpadmin -p kasse -E -v socket://till:geheim@10.77.0.99:9100 -m drv:///sample.drv/generpcl.ppd \
		-L "Raum # 3" -D "Kasse" -o sides-default=two-sided-long-edge -o job-k-limit=500 -o job-quota-period=3600 \
		-u allow:alice,root -o printer-is-shared=false -o printer-error-policy=abort-job
	lpadmin -p kasse -o PageSize=A4
	lpadmin -p laser -c etage
	cupsenable etage; cupsaccept etage
	lpoptions -p laser -o media=A4
	cupsdisable -r "no paper" laser' 2>/dev/null

echo '# facts'
run scan printers
is "$rc" 0 "the scan ends well"
like "$out" 'kasse' "a queue is among the facts"
unlike "$out" 'geheim' "the password of a device is not"
like "$out" 'no-such|PDF' "the queue PDF is among the facts"

echo '# save'
sh_lab 'sed -i "/^DirtyCleanInterval/d" /etc/cups/cupsd.conf; echo DirtyCleanInterval 6 >>/etc/cups/cupsd.conf
	systemctl restart cups; lpadmin -p PDF -L "just now"'
is "$(sh_lab 'grep -c "just now" /etc/cups/printers.conf')" 0 \
	"cupsd has not written the last change yet"
run step printers.save check to=/srv/safe
like "$out" "$(result check changed)" "check says that there is work"
is "$(sh_lab 'ls /srv/safe 2>/dev/null')" "" "check has touched nothing"
run step printers.save check to=/proc/x
like "$out" 'inhibit.*the printers could not be saved.*/proc belongs to the kernel' "a place where nothing can be saved is refused"
run step printers.save check to=/srv/safe copy=/etc/passwd/x
like "$out" 'inhibit.*/etc/passwd is not a folder' "so is such a second place"
run step printers.save check,apply,verify to=/srv/safe copy=/mnt/second
is "$rc" 0 "the queues are saved"
unlike "$out" 'geheim' "no password in what is shown"
safe=$(sh_lab 'ls -d /srv/safe/*/printers.save')
is "$(sh_lab "grep -c 'just now' $safe/printers.conf")" 1 \
	"the copy has what cupsd had not written"
is "$(sh_lab "cd $safe && sha256sum --quiet --strict -c MANIFEST && echo good")" \
	good "sha256sum agrees with the manifest"
is "$(sh_lab "diff -r $safe /mnt/second/*/printers.save && echo same")" same \
	"the second place has the same"
is "$(sh_lab "cmp /etc/cups/ppd/kasse.ppd $safe/ppd/kasse.ppd && echo same")" \
	same "a PPD is the same, byte for byte"
is "$(sh_lab "stat -c %a $safe $safe/printers.conf" | paste -sd' ')" "700 600" \
	"nobody else can read the copy"
like "$(sh_lab "cat $safe/queues.log")" '^4 queues saved' "the log counts them"
unlike "$(sh_lab "cat $safe/queues.json $safe/queues.log")" geheim \
	"what people read has no password"
like "$(sh_lab "grep sides-default $safe/queues.json")" 'two-sided-long-edge' \
	"attributes from cupsd are there to read"
run step printers.save verify to=/srv/safe
is "$rc" 0 "it is verified again"
sh_lab "cp -a $safe /srv/good; echo x >>$safe/ppd/laser.ppd"
run step printers.save verify to=/srv/safe
is "$rc" 1 "a changed copy is not verified"
like "$out" 'laser\.ppd.*not what was saved' "the message names the file"
run step printers.restore check "from=$safe"
is "$rc" 1 "and it is not restored from"

echo '# restore'
before=$(picture)
work=/opt/pd/work-none
run step printers.restore check from=/srv/good
like "$out" "$(result check unchanged)" "nothing to do when all is as saved"
sh_lab 'lpadmin -x laser; lpadmin -d kasse; lpadmin -p kasse -o PageSize=Letter -u allow:all -o sides-default=one-sided
	cupsdisable PDF; cupsreject -r "moved" kasse; lpadmin -p extra -E -v file:///dev/null -m raw
	lpadmin -p PDF -o printer-is-shared=false -L elsewhere; rm -f /etc/cups/lpoptions' 2>/dev/null
sleep 7
changed=$(picture)
isnt "$changed" "$before" "the queues have been changed"
work=/opt/pd/work-exact
run step printers.restore check,apply,verify from=/srv/good exact=true
is "$rc" 0 "the queues are restored"
is "$(picture)" "$before" "every item is as it was saved"
is "$(sh_lab 'systemctl is-active cups.service cups.socket cups.path' | paste -sd' ')" \
	"active active active" "cupsd and what starts it run again"
run step printers.restore check from=/srv/good exact=true
like "$out" "$(result check unchanged)" "a second restore has nothing to do"
run step printers.restore undo from=/srv/good exact=true
is "$rc" 0 "it is undone"
is "$(picture)" "$changed" "every item is as it was before the restore"
run step printers.restore undo from=/srv/good exact=true
is "$rc" 0 "undone once more"
is "$(picture)" "$changed" "nothing else comes of it"

echo '# one queue'
work=/opt/pd/work-one
run step printers.restore check,apply,verify from=/srv/good queues=laser
is "$rc" 0 "one queue is restored"
like "$(sh_lab 'lpstat -v')" 'for extra:' "another one stays"
like "$(sh_lab 'lpstat -v')" 'for laser:' "the one is back"
is "$(sh_lab 'env HOME=/nowhere lpstat -d')" "system default destination: kasse" \
	"the default stays what it was"
work=/opt/pd/work-unknown
run step printers.restore check from=/srv/good queues=nosuch
is "$rc" 1 "a queue that was not saved is refused"
like "$out" 'no queue nosuch' "by name"
run step printers.restore check from=/srv/good queues=laser exact=true
like "$out" 'exact' "exact with a list is refused"

echo '# cut short'
run step printers.restore check,apply,verify from=/srv/good exact=true
is "$(picture)" "$before" "as saved, before the kills"
sh_lab 'lpadmin -x kasse; lpadmin -d laser'; sleep 7
changed=$(picture)
for delay in 0.03 0.1 0.2 0.4 0.8; do
	work=/opt/pd/work-cut-$delay
	in_lab timeout -s KILL "$delay" env LD_LIBRARY_PATH=/opt/pd/lib \
		/opt/pd/pd-step --plugin-dir /opt/pd/plugins --work "$work" \
		printers.restore check,apply from=/srv/good exact=true \
		</dev/null >/dev/null 2>&1
	sleep 2 # whatever of it is left
	run step printers.restore check,apply,verify from=/srv/good exact=true
	is "$rc" 0 "killed after $delay s: goes on to its end"
	is "$(picture)" "$before" "killed after $delay s: every item is as saved"
	run step printers.restore undo from=/srv/good exact=true
	is "$rc:$(picture)" "0:$changed" "killed after $delay s: undone"
done

echo '# without cupsd'
work=/opt/pd/work-stopped
sh_lab 'systemctl stop cups.path cups.socket cups.service' 2>/dev/null
run step printers.restore check,apply,verify from=/srv/good exact=true
is "$rc" 0 "restored while cupsd is stopped"
is "$(sh_lab 'systemctl is-active cups.service')" inactive "it stays stopped"
run step printers.save check,apply,verify to=/srv/safe
is "$rc" 0 "saved while cupsd is stopped"
run scan printers
like "$out" kasse "facts come from its files"
sh_lab 'systemctl start cups.socket cups.path cups.service'
is "$(picture)" "$before" "when it starts, every item is as saved"

echo '# without CUPS'
work=/opt/pd/work-without
sh_lab 'systemctl stop cups.path cups.socket cups.service; mv /etc/cups /etc/gone' 2>/dev/null
run scan printers
is "$rc" 0 "no CUPS is no failure of the scan"
unlike "$out" kasse "and gives no rows"
run step printers.save check to=/srv/safe
like "$out" "$(result check unchanged)" "there is nothing to save"
like "$out" 'no CUPS' "which is said"
run step printers.restore check from=/srv/good
like "$out" "$(result check refused)" "restoring is refused"
done_testing
