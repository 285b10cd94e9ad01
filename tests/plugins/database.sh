#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin database with the real PostgreSQL.
# shellcheck disable=SC2016 # what is quoted runs in the server
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
lab_up a
push_plugins database

sh_lab() { in_lab sh -c "$1" </dev/null; }
# as the database's own user; as an application
sql() { in_lab env -C / setpriv --reuid postgres --regid postgres --init-groups -- psql -XAtq -d "$1" -c "$2" </dev/null 2>&1; }
client() { in_lab env PGPASSWORD=shopper-secret psql -XAtqw -h localhost -U shopper -d "${2:-shop}" -c "$1" </dev/null 2>&1; }
hba() { sh_lab 'sha256sum <$(ls /etc/postgresql/*/main/pg_hba.conf); stat -c "%U:%G %a" /etc/postgresql/*/main/pg_hba.conf'; }
picture() { sql shop "SELECT count(*), md5(string_agg(textin(record_out(i)), ',' ORDER BY id)) FROM sales.item i"; }
killed() # MOMENT ARGUMENT...
{
	in_lab timeout -s KILL "$1" env LD_LIBRARY_PATH=/opt/pd/lib /opt/pd/pd-step --plugin-dir /opt/pd/plugins \
		--work "$work" "${@:2}" </dev/null >/dev/null 2>&1
}

echo '# no database'
run step database.probe check
is "$rc" 1 "a server without PostgreSQL is refused"
like "$out" 'there is no (PostgreSQL|cluster of PostgreSQL) on this server' "and it is said why"

in_lab bash -s <"$PD_SRCDIR/tests/lab/server-postgresql.sh" >/dev/null 2>&1
is "$(client 'SELECT count(*) FROM sales.item')" 5000 "the application reads its table"
version=$(sql postgres 'SHOW server_version')

echo '# probe'
run step database.probe check,apply,verify
is "$rc" 0 "the probe passes"
like "$out" "\"version\",\"value\":\"${version%% *}" "and tells the version"
is "$(sql postgres "SELECT count(*) FROM pg_class WHERE relname = 'patchday_probe'")" 0 "nothing is left of its table"
run step database.probe apply database=nosuch timeout=1
is "$rc" 1 "a database that there is not fails"
like "$out" 'database \\"nosuch\\" does not exist' "in the server's own words"
run step database.probe check cluster=14/other
like "$out" 'there is no cluster 14/other, only [0-9]+/main' "an unknown cluster is refused with those that there are"
sh_lab 'systemctl stop postgresql@$(ls /etc/postgresql)-main'
run step database.probe apply timeout=1
is "$rc" 1 "a cluster that is down fails"
like "$out" 'still so after 1 s' "after the time that it has"
sh_lab 'systemctl start postgresql@$(ls /etc/postgresql)-main'

run step database.probe apply timeout=1 standby=true
is "$rc" 1 "a primary is no standby"
like "$out" 'is a primary, where standby = true asks for a standby' "and it is said"
sh_lab 'systemctl kill -s STOP --kill-whom main postgresql@$(ls /etc/postgresql)-main'
run step database.probe apply timeout=1
like "$out" 'psql has no answer within 1 s .still so after 1 s' "a server that hangs is left when the time is over"
sh_lab 'systemctl kill -s CONT --kill-whom main postgresql@$(ls /etc/postgresql)-main'
sh_lab 'systemctl stop postgresql@$(ls /etc/postgresql)-main; install -o postgres -g postgres /dev/null $(ls -d /var/lib/postgresql/*/main)/standby.signal; systemctl start postgresql@$(ls /etc/postgresql)-main'
run step database.probe apply timeout=1 standby=true
is "$rc" 1 "a standby that nothing streams to is not right"
like "$out" 'is a standby that nothing streams to' "and it is said"
sql postgres 'SELECT pg_promote()' >/dev/null
run step database.probe apply
is "$rc" 0 "once promoted it takes changes"

echo '# quiesce'
before=$(hba)
work=/opt/pd/quiesce
run step database.quiesce check
is "$rc:$(hba)" "0:$before" "check changes nothing"
sh_lab 'PGPASSWORD=shopper-secret setsid psql -XAtq -h localhost -U shopper -d shop -c "SELECT pg_sleep(600)" >/dev/null 2>&1 &'
soon 'setpriv --reuid postgres --regid postgres --init-groups -- psql -XAtc "SELECT count(*) FROM pg_stat_activity WHERE usename = '"'shopper'"'" | grep -q 1'
run step database.quiesce check,apply wait=1 sessions=fail
is "$rc" 1 "with sessions = fail an open session fails"
like "$out" '1 sessions are open after 1 s, such as process [0-9]+ of shopper on shop' "and is named"
run step database.quiesce undo wait=1 sessions=fail
is "$rc:$(hba)" "0:$before" "undo brings the file back, with its owner and mode"
work=/opt/pd/quiesce2
run step database.quiesce check,apply,verify wait=1
is "$rc" 0 "applications are held"
[ "$rc" = 0 ] || echo "$out"
like "$out" '"ended","value":1' "the session was ended"
like "$(sh_lab "cat $work/database.quiesce/sessions.txt")" 'shopper shop (127.0.0.1|::1|local)' "and is evidence"
like "$(client 'SELECT 1')" 'pg_hba.conf rejects' "an application is turned away"
is "$(sql shop 'SELECT 1')" 1 "the database's own user is not"
run step database.quiesce check wait=1
like "$out" '"result": ?"unchanged"' "check after apply finds nothing left to do"
"$lab" reboot a >/dev/null </dev/null
"$lab" wait a >/dev/null </dev/null
soon 'setpriv --reuid postgres --regid postgres --init-groups -- psql -XAtc "SELECT 1" 2>/dev/null | grep -q 1'
like "$(client 'SELECT 1')" 'pg_hba.conf rejects' "so it is after a reboot"
run step database.quiesce verify wait=1
is "$rc" 0 "which verify sees"
work=/opt/pd/another
run step database.quiesce check wait=1
is "$rc" 1 "another run does not hold it, too"
like "$out" 'has a hold of another run' "and says so"
work=/opt/pd/quiesce2
sh_lab 'systemctl stop postgresql@$(ls /etc/postgresql)-main'
run step database.quiesce undo wait=1
is "$rc:$(hba)" "0:$before" "a database that is down is given back"
sh_lab 'systemctl start postgresql@$(ls /etc/postgresql)-main'
is "$(client 'SELECT 1')" 1 "the application is in again"
run step database.quiesce undo wait=1
is "$rc:$(hba)" "0:$before" "undo once more changes nothing"
work=/opt/pd/some
run step database.quiesce check,apply,verify wait=1 "databases=shop"
is "$rc" 0 "one database is held"
like "$(client 'SELECT 1')" 'pg_hba.conf rejects' "that one"
is "$(client 'SELECT 1' 'odd, name')" 1 "and no other"
sh_lab 'cp -a /etc/postgresql/*/main/pg_hba.conf /root/; sed -i "/^# patchday/d" /etc/postgresql/*/main/pg_hba.conf'
run step database.quiesce verify wait=1 databases=shop
is "$rc" 1 "a hold that somebody took away is not verified"
sh_lab 'cp -a /root/pg_hba.conf /etc/postgresql/*/main/'
run step database.quiesce undo wait=1 databases=shop
is "$rc:$(hba):$(client 'SELECT 1')" "0:$before:1" "and it is given back"
work=/opt/pd/late
run step database.quiesce check,apply wait=1
# what a session that was let in at the last moment looks like
sh_lab 'f=$(ls /etc/postgresql/*/main/pg_hba.conf); cp -a "$f" /root/held; sed -i "/^# patchday: app/,/^# patchday: end/d" "$f"'
sql template1 'SELECT pg_reload_conf()' >/dev/null
soon 'PGPASSWORD=shopper-secret psql -XAtqw -h localhost -U shopper -d shop -c "SELECT 1" >/dev/null 2>&1'
sh_lab 'PGPASSWORD=shopper-secret setsid psql -XAtq -h localhost -U shopper -d shop -c "SELECT pg_sleep(600)" >/dev/null 2>&1 &'
soon 'setpriv --reuid postgres --regid postgres --init-groups -- psql -XAtc "SELECT count(*) FROM pg_stat_activity WHERE usename = '"'shopper'"'" | grep -q 1'
sh_lab 'cp -a /root/held /etc/postgresql/*/main/pg_hba.conf'
sql template1 'SELECT pg_reload_conf()' >/dev/null
soon '! PGPASSWORD=shopper-secret psql -XAtqw -h localhost -U shopper -d shop -c "SELECT 1" >/dev/null 2>&1'
run step database.quiesce verify wait=1
is "$rc" 1 "a session behind the hold is not verified"
like "$out" 'is held, and process [0-9]+ of shopper on shop has a session' "and is named"
sql template1 'ALTER DATABASE postgres RENAME TO renamed' >/dev/null
run step database.quiesce undo wait=1
is "$rc:$(hba):$(client 'SELECT 1')" "0:$before:1" "undo does not need the database postgres"
sql template1 'ALTER DATABASE renamed RENAME TO postgres' >/dev/null
work=/opt/pd/broken
run step database.quiesce check,apply wait=1
sh_lab 'mv /usr/lib/postgresql/*/bin/psql /root/; ln -s /bin/false $(ls -d /usr/lib/postgresql/*/bin)/psql'
run step database.quiesce undo wait=1
is "$rc" 1 "a cluster that runs and can't be asked is not taken for one that is down"
like "$out" "runs and can't be asked: psql ends with status 1" "and it is said why"
sh_lab 'mv /root/psql $(ls -d /usr/lib/postgresql/*/bin)/psql'
like "$(client 'SELECT 1')" 'pg_hba.conf rejects' "since it still lives by the hold"
run step database.quiesce undo wait=1
is "$rc:$(client 'SELECT 1')" "0:1" "and undo lets applications in when it can"
work=/opt/pd/stopping
run step database.quiesce check,apply wait=1
# one that is being stopped and waits for a session to end turns everybody away, too
sh_lab 'setsid setpriv --reuid postgres --regid postgres --init-groups -- psql -XAtqc "SELECT pg_sleep(600)" >/dev/null 2>&1 &'
soon 'setpriv --reuid postgres --regid postgres --init-groups -- psql -XAtc "SELECT query FROM pg_stat_activity" | grep -q "^SELECT pg_sleep"'
control() { in_lab setpriv --reuid postgres --regid postgres --init-groups -- sh -c '"$(ls -d /usr/lib/postgresql/*/bin)/pg_ctl" -D "$(ls -d /var/lib/postgresql/*/main)" "$@"' sh "$@" </dev/null >/dev/null 2>&1; }
control stop -m smart -W
soon 'setpriv --reuid postgres --regid postgres --init-groups -- pg_isready | grep -q rejecting'
begun=$SECONDS
run step database.quiesce undo wait=1
is "$rc:$(hba):$((SECONDS - begun < 30))" "0:$before:1" "a cluster that goes down is given back, and not waited for"
like "$out" 'does not run; it lets applications in when it does' "which is said"
control stop -m fast
sh_lab 'systemctl reset-failed; systemctl restart postgresql@$(ls /etc/postgresql)-main'
is "$(client 'SELECT 1')" 1 "and lets them in when it has come up"
work=/opt/pd/stopped
run step database.quiesce check,apply wait=1
sh_lab 'cd /usr/lib/postgresql/*/bin && mv psql psql.real && touch psql && chmod 755 psql'
in_lab sh -c 'cat >$(ls -d /usr/lib/postgresql/*/bin)/psql' <<'E'
#!/bin/sh
# goes down between the look whether it runs and the reload
here=${0%/*} sql=$(cat)
case $sql in *pg_conf_load_time*) [ -e /tmp/stopped ] || { touch /tmp/stopped
	"$here/pg_ctl" -D "$(ls -d /var/lib/postgresql/*/main)" stop -m fast >/dev/null; } ;; esac
printf '%s\n' "$sql" | exec "$here/psql.real" "$@"
E
run step database.quiesce undo wait=1
is "$rc:$(hba)" "0:$before" "a cluster that goes down while it is given back, too"
like "$out" 'does not run; it lets applications in when it does' "which is said"
is "$(sh_lab 'ls /tmp/stopped; cd /usr/lib/postgresql/*/bin && mv psql.real psql')" /tmp/stopped "and it was so"
sh_lab 'systemctl reset-failed; systemctl restart postgresql@$(ls /etc/postgresql)-main'
is "$(client 'SELECT 1')" 1 "it lets applications in when it has come up"
work=/opt/pd/two
run step database.quiesce check,apply wait=1
sh_lab 'pg_createcluster $(ls /etc/postgresql) other' >/dev/null 2>&1
run step database.quiesce verify wait=1
is "$rc" 0 "a second cluster does not keep verify from the one that is held"
run step database.quiesce undo wait=1
is "$rc:$(client 'SELECT 1')" "0:1" "nor undo"
sh_lab 'pg_dropcluster $(ls /etc/postgresql) other' >/dev/null 2>&1
work=/opt/pd/recovery
run step database.quiesce check,apply wait=1
# one that is in recovery turns everybody away until it is promoted
sh_lab 'systemctl stop postgresql@$(ls /etc/postgresql)-main; cd /var/lib/postgresql/*/main && install -o postgres -g postgres /dev/null standby.signal &&
	echo "hot_standby = off" >>postgresql.auto.conf && systemctl start --no-block postgresql@$(ls /etc/postgresql)-main'
soon 'setpriv --reuid postgres --regid postgres --init-groups -- pg_isready | grep -q rejecting'
{ soon "! grep -q patchday \$(ls /etc/postgresql/*/main/pg_hba.conf)"
	sh_lab 'sleep 1; setpriv --reuid postgres --regid postgres --init-groups -- $(ls -d /usr/lib/postgresql/*/bin)/pg_ctl -D $(ls -d /var/lib/postgresql/*/main) promote'; } >/dev/null 2>&1 &
run step database.quiesce undo wait=1
wait $!
unlike "$out" 'does not run' "a cluster in recovery is waited for"
is "$rc:$(hba):$(client 'SELECT 1')" "0:$before:1" "until it has let applications in"
sh_lab 'sed -i "/^hot_standby = off/d" /var/lib/postgresql/*/main/postgresql.auto.conf; systemctl restart postgresql'
for moment in 0.3 0.7 1.4; do
	work=/opt/pd/killed-$moment
	killed "$moment" database.quiesce check,apply wait=1
	run step database.quiesce undo wait=1
	is "$rc:$(hba):$(client 'SELECT 1')" "0:$before:1" "killed after $moment s: given back"
done
sh_lab 'cd /etc/postgresql/*/main && mv pg_hba.conf /root/ && mkfifo -m 600 pg_hba.conf && chown postgres: pg_hba.conf'
run step database.quiesce check
like "$out" "pg_hba.conf can't be used to hold applications" "what is no file is not waited for"
sh_lab 'cd /etc/postgresql/*/main && rm pg_hba.conf && ln -s /root/pg_hba.conf pg_hba.conf'
run step database.quiesce check
like "$out" "pg_hba.conf can't be used to hold applications" "a link is not followed"
sh_lab 'rm /etc/postgresql/*/main/pg_hba.conf'
sh_lab 'mv /root/pg_hba.conf /etc/postgresql/*/main/'
is "$(hba)" "$before" "the file is as it was"
sh_lab 'f=$(ls /etc/postgresql/*/main/pg_hba.conf); echo "nonsense here" >>"$f"'
run step database.quiesce check
like "$out" 'line [0-9]+ of pg_hba.conf is wrong' "a file with a fault is not touched"
sh_lab 'sed -i "\$d" /etc/postgresql/*/main/pg_hba.conf'

echo '# dump'
# a cast of a table's owner must not run as the superuser who counts its rows
client "CREATE FUNCTION sales.evil(sales.item) RETURNS text LANGUAGE plpgsql AS
	\$f\$ BEGIN RAISE 'cast by %', current_user; END \$f\$" >/dev/null
client 'CREATE CAST (sales.item AS text) WITH FUNCTION sales.evil(sales.item)' >/dev/null
like "$(sql shop 'SELECT i::text FROM sales.item i LIMIT 1')" 'cast by postgres' "an owner of a table has a cast of his own"
picture=$(picture)
work=/opt/pd/dump
run step database.dump check to=/srv/safe
is "$rc" 0 "check of the dump"
like "$out" '"databases","value":\["odd, name","postgres","shop"\]' "which foretells the databases"
is "$(sh_lab 'ls /srv/safe 2>/dev/null')" "" "and touches nothing"
sh_lab 'mkdir -p /srv/small && mount -t tmpfs -o size=20m,mode=755 none /srv/small'
run step database.dump check to=/srv/small
is "$rc" 1 "without room it is refused"
like "$out" '/srv/small has [0-9]+ MiB free, it may need [0-9]+ MiB' "with both figures"
sh_lab 'mkdir -m 777 /srv/open; mkdir -p /srv/alice/pd-step /srv/real && chown 1 /srv/alice/pd-step && ln -s /srv/real /srv/link'
run step database.dump check to=/srv/open
is "$rc" 1 "a folder that others may write in is refused"
like "$out" '/srv/open: others may write in it' "and it is said why"
run step database.dump check to=/srv/link/
like "$out" "/srv/link: it is a link" "so is a link"
work=/opt/pd/alice
run step database.dump apply to=/srv/alice
like "$out" "/srv/alice/pd-step can't take a dump: it is not root's" "and a folder in it that is not root's"
is "$(sh_lab 'ls /srv/open /srv/real /srv/alice/pd-step | grep -c dump')" 0 "nothing is written there"
work=/opt/pd/dump
sh_lab 'mkdir -p /srv/one && mount -t tmpfs -o size=620m,mode=755 none /srv/one'
run step database.dump check to=/srv/one
is "$rc" 0 "with room for the dump"
run step database.dump check to=/srv/one/new scratch=/srv/one
is "$rc" 1 "but not for its proof on the same volume it is refused"
like "$out" '/srv/one/new has [0-9]+ MiB free' "also when the folder is not there yet"
sh_lab 'umount /srv/one; cd /var/lib/postgresql/*/; for f in patchday-proof patchday-proof-another; do
	setpriv --reuid postgres --regid postgres --init-groups mkdir -p "$f/data"; done'
run step database.dump check to=/srv/safe
like "$out" 'patchday-proof-another is what another run proved its dump in' "another run's proof is a warning"
run step database.dump check,apply,verify to=/srv/safe
is "$rc" 0 "all databases are dumped and proved"
[ "$rc" = 0 ] || echo "$out"
like "$out" '3 databases restored from .*, 2 tables have the rows that were saved' "by a restore"
safe=$(sh_lab 'ls -d /srv/safe/*/database')
is "$(sh_lab "stat -c '%U %a' $safe $safe/* | sort -u | xargs")" "root 600 root 700" "nobody else can read the dump"
is "$(sh_lab "cd $safe && sha256sum --quiet --strict -c MANIFEST && echo good")" good "sha256sum agrees with the manifest"
is "$(sh_lab 'ls -d /var/lib/postgresql/*/patchday-proof-pd-step 2>/dev/null; ps -C postgres -o args= | grep -c patchday-proof' | xargs)" 0 "nothing is left of the proof"
is "$(sh_lab 'rmdir /var/lib/postgresql/*/patchday-proof/data /var/lib/postgresql/*/patchday-proof-another/data; echo $?')" 0 "those of others are as they were"
sh_lab 'rmdir /var/lib/postgresql/*/patchday-proof*'
sh_lab "cp -a $safe /srv/good"
sh_lab "dd if=/dev/zero of=$safe/shop.dump bs=1 seek=2000 count=8 conv=notrunc 2>/dev/null"
run step database.dump verify to=/srv/safe
is "$rc" 1 "a damaged dump is not verified"
like "$out" 'shop.dump: FAILED' "and the file is named"
sh_lab "cp -a /srv/good/. $safe/; sed -i 's/^shop\t5000/shop\t5001/' $safe/rows.txt; cd $safe && sha256sum -- *.* >MANIFEST"
run step database.dump verify to=/srv/safe
is "$rc" 1 "a dump with other rows than were there is not verified"
like "$out" 'table sales.item has 5000 rows .* instead of 5001' "and the table is named"
is "$(sh_lab 'ls -d /var/lib/postgresql/*/patchday-proof-pd-step 2>/dev/null; ps -C postgres -o args= | grep -c patchday-proof' | xargs)" 0 "nothing is left of that proof"
sh_lab "cp -a /srv/good/. $safe/"
killed 4 database.dump verify to=/srv/safe
run step database.dump verify to=/srv/safe
is "$rc" 0 "a proof that was cut short is done again"
is "$(sh_lab 'ls -d /var/lib/postgresql/*/patchday-proof-pd-step 2>/dev/null; ps -C postgres -o args= | grep -c patchday-proof' | xargs)" 0 "and nothing is left of it"
run step database.dump verify to=/srv/safe prove=read
is "$rc" 0 "it can be read through without a restore"
# a standby can't read an unlogged table
sql shop 'CREATE UNLOGGED TABLE sales.passing AS SELECT 1 AS n' >/dev/null
sh_lab 'systemctl stop postgresql@$(ls /etc/postgresql)-main; install -o postgres -g postgres /dev/null $(ls -d /var/lib/postgresql/*/main)/standby.signal; systemctl start postgresql@$(ls /etc/postgresql)-main'
like "$(sql shop 'SELECT * FROM sales.passing')" 'during recovery' "a standby has an unlogged table"
work=/opt/pd/standby
run step database.dump check,apply,verify to=/srv/safe name=standby prove=read
is "$rc $(sh_lab 'cut -f1,4 /srv/safe/*/standby/rows.txt' | paste -sd' ')" "0 $(printf 'shop\tsales.item shop\tsales.sold_2026')" "which its dump does without"
[ "$rc" = 0 ] || echo "$out"
sql postgres 'SELECT pg_promote()' >/dev/null
sql shop 'DROP TABLE sales.passing' >/dev/null
work=/opt/pd/cut
killed 1.5 database.dump check,apply to=/srv/safe name=cut
run step database.dump check,apply,verify to=/srv/safe name=cut prove=read
is "$rc" 0 "a dump that was cut short is made anew"

echo '# restore'
work=/opt/pd/restore
sql shop "DELETE FROM sales.sold; DELETE FROM sales.item WHERE id < 100; DROP VIEW sales.best" >/dev/null
changed=$(picture)
isnt "$changed" "$picture" "the table has been changed"
run step database.restore check from=/srv/good databases=nosuch
like "$out" 'there is no database nosuch in /srv/good' "a database that was not saved"
run step database.restore check,apply,verify from=/srv/good databases=shop
is "$rc:$(picture)" "0:$picture" "the rows are as they were saved"
[ "$rc" = 0 ] || echo "$out"
is "$(client 'SELECT count(*) FROM sales.best'):$(client 'SHOW work_mem')" "$(client 'SELECT count(DISTINCT item) FROM sales.sold'):8MB" \
	"with views, rights and settings"
sh_lab 'mv /srv/good /srv/gone'
run step database.restore undo from=/srv/good databases=shop
is "$rc:$(picture)" "0:$changed" "undo: as before the restore, without the dump, too"
sh_lab 'mv /srv/gone /srv/good'
run step database.restore undo from=/srv/good databases=shop
is "$rc:$(picture)" "0:$changed" "undone once more"
for moment in 0.6 1 1.5; do
	work=/opt/pd/restore-$moment
	killed "$moment" database.restore check,apply from=/srv/good databases=shop
	run step database.restore check,apply,verify from=/srv/good databases=shop
	is "$rc:$(picture)" "0:$picture" "killed after $moment s: goes on to its end"
	[ "$rc" = 0 ] || echo "$out"
	run step database.restore undo from=/srv/good databases=shop
	is "$rc:$(picture)" "0:$changed" "killed after $moment s: undone"
done
is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE 'patchday%'")" 0 "nothing is left aside"
done_testing
