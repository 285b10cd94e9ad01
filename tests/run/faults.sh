#!/bin/bash
# SPDX-License-Identifier: MIT
# A run is stopped at every row of its journal by kill -9, by a write of which
# only half is on the disk, and by a full disk: each resume ends as the
# undisturbed run does, with nothing applied twice and nothing left.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f

# body LAST: how the last step fails
body()
{
	cat <<END
pd.hold { steps.write { path = "$f/held" },
  pd.stage "work" { on_failure = "undo", steps.write { path = "$f/1" }, steps.noop {},
    steps.write { path = "$f/2" } } },
pd.stage "last" { on_failure = "undo", steps.write { path = "$f/3", fail = "$1" } },
END
}

fresh()
{
	rm -rf "$PATCHDAY_STATE" "$f"
	mkdir "$f"
}

# wrong: what is not as the undisturbed run leaves it
wrong()
{
	local s

	[ "$(state)" = "$1" ] || echo "ended $(state)"
	[ ! -e "$f/held" ] || echo "it is still held"
	"${patchday[@]}" verify "${places[@]}" >/dev/null 2>&1 || echo "verify finds something"
	for s in 1 2 3; do
		[ "$1" = "done" ] || [ ! -e "$f/$s" ] || echo "$s is left"
		[ "$1" != "done" ] || [ "$(cat "$f/$s")" = x ] || echo "$s is lost"
		[ "$(acts "$f/$s" apply)" -le 1 ] || echo "$s was applied twice"
	done
}

# drill SCRIPT WANTED-STATE KIND...
drill()
{
	local rows n kind bad=0 fired=0 found kinds=("${@:3}")

	fresh
	pd run "$tmp/$1.lua"
	is "undisturbed, $1 ends $2" "$(wrong "$2")" ""
	rows=$(sqlite3 "$PATCHDAY_STATE/journal.db" 'SELECT max(n) FROM event')
	for kind in "${kinds[@]}"; do
		for n in $(seq "$rows"); do
			fresh
			PATCHDAY_FAULT=$kind@$n pd run "$tmp/$1.lua"
			case $kind:$rc in kill:137 | torn:137 | enospc:[245]) fired=$((fired + 1)) ;; esac
			"${patchday[@]}" status >/dev/null 2>&1 || pd run "$tmp/$1.lua"
			pd resume
			found=$(wrong "$2")
			[ -z "$found" ] || { bad=$((bad + 1)); echo "# $kind@$n (then $rc): $found"; }
		done
	done
	is "$1: at each of $rows rows, ${kinds[*]}: all end $2" $bad 0
	check "and the faults happened ($fired of $((rows * ${#kinds[@]})))" [ $fired -ge $(((rows - 1) * ${#kinds[@]})) ]
}

body nowhere | workflow good
drill good "done" kill torn enospc
body apply | workflow back
drill back "rolled back" kill torn enospc
body verify | workflow unproven
drill unproven "rolled back" kill

# ---- what was done can be read where there is no room at all
fresh
mkdir "$tmp/small"
mount -t tmpfs -o size=2m small "$tmp/small"
trap 'umount "$tmp/small"; rm -rf "$tmp"' EXIT
PATCHDAY_STATE=$tmp/small/state
pd run "$tmp/good.lua"
head -c 4m /dev/zero >"$tmp/small/fill" 2>/dev/null
is "the disk is full" "$(stat -f -c %a "$tmp/small")" 0
pd status
is "status is had all the same" "$rc $(state)" "0 done"
pd report
is "so is the report" "$rc" 0
rm -rf "$tmp/small/fill" "$PATCHDAY_STATE"
PATCHDAY_FAULT=kill@12 pd run "$tmp/good.lua"
# as who can't bring it into the file leaves it at its end
rm "$PATCHDAY_STATE/journal.db-shm"
head -c 4m /dev/zero >"$tmp/small/fill" 2>/dev/null
check "a run was cut off" [ -s "$PATCHDAY_STATE/journal.db-wal" ]
before=$(sha256sum "$PATCHDAY_STATE"/journal.db{,-wal})
pd status
is "its status is had as well" "$rc $(state)" "0 interrupted"
is "and nothing is changed by that" "$(sha256sum "$PATCHDAY_STATE"/journal.db{,-wal})" "$before"
rm "$tmp/small/fill"
pd resume
is "it goes on when there is room" "$rc $(state)" "0 done"
umount "$tmp/small"
trap 'rm -rf "$tmp"' EXIT
PATCHDAY_STATE=$tmp/state

# ---- a step that brings the server down each time is given up
fresh
workflow down <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/1" }, steps.write { path = "$f/2", kill = true, mark = "$f/never" } },
END
pd run "$tmp/down.lua"
starts=0
while [ "$rc" = 137 ] && [ $starts -lt 20 ]; do
	rm -f "$f/never"
	pd resume --unattended
	starts=$((starts + 1))
done
is "it is not started for ever" "$starts $rc $(state)" "7 5 stopped"
like "and says why" "$out" 'started again and again without a step'
pd undo
is "a person takes it back" "$rc $(state) $(cat "$f/1" 2>/dev/null)" "1 rolled back "

# a reader that damages nothing tells what is wrong
fresh
PATCHDAY_FAULT=enospc@6 pd run "$tmp/good.lua"
like "a full disk is named" "$out" 'journal-failed.*full|full'

# ---- a journal of a newer patchday is neither read nor written, nor made one of this version
fresh
pd run "$tmp/good.lua"
sqlite3 "$PATCHDAY_STATE/journal.db" "ALTER TABLE event ADD COLUMN more TEXT; PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
before=$(sha256sum <"$PATCHDAY_STATE/journal.db")
for command in status verify report "run $tmp/good.lua" resume undo "status --clear --why x"; do
	# shellcheck disable=SC2086 # words
	pd $command
	like "a newer journal: $command" "$rc $out" '^2 .*journal.db has form 2, and this patchday, .*, knows form 1 \[journal-newer\]'
done
is "it is as it was" "$(sha256sum <"$PATCHDAY_STATE/journal.db")" "$before"
end
