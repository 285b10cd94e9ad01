#!/bin/bash
# SPDX-License-Identifier: MIT
# The figures that patchday promises, each beside a peer measured in the same
# run on the same disk: `make bench`.  Time is never a failure; a command of
# ours that fails is, and so is a run of many steps that takes more for each
# step, or more memory, the longer it is.
#   bench NAME: VALUE UNIT
#   ratio NAME: N times what a peer takes, or a part of it
#   goal NAME: met, or missed
#   limit NAME: kept, or passed, which is a failure
#   skip: what could not be measured, and why
set -u
export LC_ALL=C.UTF-8
bin=${PD_BUILDDIR:?}/tests/bench
[ "$(id -u)" = 0 ] || { echo "skip: all figures: a run needs root"; exit 0; }
work=$(mktemp -d "${PD_BENCH_DIR:-/var/tmp}/patchday-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
disk=$(df --output=fstype "$work" | tail -1)
steps=1000
failures=0

bad()
{
	printf 'failed: %s\n' "$1" >&2
	[ ! -s "$work/out" ] || tail -5 "$work/out" >&2
	return 1
}

figure()
{
	printf 'bench %s: %s %s\n' "$1" "$2" "$3"
}

# ratio NAME OURS THEIRS PEER: how often ours fits into theirs, or theirs in ours
ratio()
{
	awk -v name="$1" -v ours="$2" -v theirs="$3" -v peer="$4" 'BEGIN {
		if (!(ours > 0 && theirs > 0)) exit
		if (ours < theirs) printf "ratio %s: %.1f times less than %s (%s)\n", name, theirs / ours, peer, theirs
		else printf "ratio %s: %.1f times as much as %s (%s)\n", name, ours / theirs, peer, theirs }'
}

# goal NAME VALUE LIMIT UNIT
goal()
{
	awk -v name="$1" -v value="$2" -v limit="$3" -v unit="$4" 'BEGIN {
		printf "goal %s: under %s %s, %s\n", name, limit, unit, value < limit ? "met" : "missed" }'
}

# limit NAME VALUE MOST UNIT
limit()
{
	awk -v name="$1" -v value="$2" -v most="$3" -v unit="$4" 'BEGIN {
		kept = value > 0 && value <= most
		printf "limit %s: %s of at most %s %s, %s\n", name, value, most, unit, kept ? "kept" : "passed"
		exit !kept }'
}

# so_many FACTOR VALUE: the value so many times
so_many()
{
	awk -v factor="$1" -v value="$2" 'BEGIN { printf "%.4f", factor * value }'
}

median()
{
	sort -g | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

# took TIMES WANTED-STATUS COMMAND...: the median, in seconds; its words go to
# a file.  $before, when it is set, is called before each time.
took()
{
	local times=$1 wanted=$2 i start end rc

	shift 2
	for i in $(seq "$times"); do
		[ -z "${before-}" ] || "$before" || return 1
		start=${EPOCHREALTIME/./}
		"$@" >"$work/out" 2>&1 </dev/null
		rc=$?
		end=${EPOCHREALTIME/./}
		[ $rc = "$wanted" ] || { bad "exit status $rc, not $wanted: $*"; return 1; }
		echo $((end - start))
	done >"$work/times"
	median <"$work/times" | awk '{ printf "%.4f\n", $1 / 1e6 }'
}

pd()
{
	local command=$1

	shift
	"$bin/patchday" "$command" --plugin-dir "${plugins:-$work/plugins}" --state "$work/state" "$@"
}

peer()
{
	command -v "$1" >/dev/null && return 0
	echo "skip: the ratio to $1: it is not installed"
	return 1
}

no_state()
{
	rm -rf "$work/state"
}

set_up()
{
	mkdir -m 755 "$work/plugins" "$work/all" "$work/every"
	cp "$PD_BUILDDIR"/tests/run/.libs/steps.so \
		"$PD_BUILDDIR"/tests/plans/plugins/.libs/demo.so \
		"$PD_BUILDDIR"/plugins/native/.libs/native.so "$work/plugins/" &&
		cp "$PD_BUILDDIR"/plugins/*/.libs/*.so "$work/all/" &&
		cp "$work"/plugins/{steps,demo}.so "$work"/all/*.so "$work/every/" || exit 99
	awk -v packages=2000 -v updates=1000 -v facts="$work/facts.json" \
		-v catalog="$work/catalog.xml" -f "$PD_SRCDIR/tests/bench/generate.awk"
	cat >"$work/plan.lua" <<-'END'
		local pd = require "patchday"
		local demo = pd.use "demo"
		return pd.workflow { api = 1, name = "bench", role = "test", help = "what is due",
		  plan = function(t)
		    local due = t.catalog:needed()
		    return {
		      demo.look { text = due:size() .. " bytes", on = due:needs_reboot() },
		      pd.stage "install" { demo.install { updates = due:severity("moderate") } },
		    }
		  end }
	END
	# fourteen, one between them that waits, and behind it some of other plugins, at
	# which the dry run can't look yet: they are in the plan, and never begun
	cat >"$work/half.lua" <<-'END'
		local pd = require "patchday"
		local steps = pd.use "steps"
		local of = { antivirus = "update definitions", backup = "state to", copy = "folder from to",
		  database = "probe cluster", directory = "probe user", driver = "compare before",
		  eventlog = "compare before", firewall = "save to", kernel = "running release",
		  network = "save to", normalbackup = "borg repository", notify = "webhook text url",
		  printers = "save to", probe = "smb share", proxy = "save to", recovery = "recent path",
		  shares = "save to" }
		return pd.workflow { api = 1, name = "half", role = "test", help = "half of it",
		  guards = function() return {} end,
		  params = { folder = pd.path { required = true, help = "for its files" } },
		  plan = function(t)
		    local made = steps.mint { path = t.params.folder .. "/made" }
		    local list = { made }
		    for i = 1, 14 do list[1 + i] = steps.noop {} end
		    table.insert(list, 9, steps.write { path = t.params.folder .. "/half",
		      waits_for = t.params.folder .. "/never" })
		    for name, words in pairs(of) do
		      local args = {}
		      for word in words:gmatch " (%w+)" do args[word] = made.out.token end
		      list[#list + 1] = pd.use(name)[words:match "%w+"](args)
		    end
		    return pd.stage "bench" (list)
		  end }
	END
	# the last step may fail: then the run stops with all others done
	cat >"$work/noop.lua" <<-'END'
		local pd = require "patchday"
		local steps = pd.use "steps"
		return pd.workflow { api = 1, name = "noop", role = "test", help = "no-op steps",
		  guards = function() return {} end,
		  params = { steps = pd.int { default = 1, help = "how many" },
		             fail = pd.path { help = "a last step, on this file, that fails" } },
		  plan = function(t)
		    local list = {}
		    for i = 1, t.params.steps do list[i] = steps.noop {} end
		    list[#list + 1] = t.params.fail and steps.write { path = t.params.fail, fail = "apply" } or nil
		    return pd.stage "bench" (list)
		  end }
	END
}

# With all plugins that there are; what is in memory then is that of its largest process.
bench_plan()
{
	local ours theirs plugins=$work/every

	ours=$(took 9 0 pd plan --facts "$work/facts.json" --catalog "$work/catalog.xml" "$work/plan.lua") ||
		return 1
	figure plan-2000-packages-1000-updates "$ours" s
	goal plan-2000-packages-1000-updates "$ours" 0.3 s
	if [ -x /usr/bin/time ]; then
		/usr/bin/time -q -o "$work/rss" -f %M "$bin/patchday" plan --plugin-dir "$plugins" --state "$work/state" \
			--facts "$work/facts.json" --catalog "$work/catalog.xml" "$work/plan.lua" >"$work/out" 2>&1 ||
			{ bad "a plan whose memory is seen"; return 1; }
		figure memory-peak-plan-2000-packages-1000-updates "$(megabytes "$(cat "$work/rss")")" MB
	else
		echo "skip: the memory of a plan: GNU time is not installed"
	fi
	peer xmllint || return 0
	theirs=$(took 9 0 xmllint --noout "$work/catalog.xml") || return 1
	ratio plan-2000-packages-1000-updates "$ours" "$theirs" "xmllint reading the same catalog, in s"
}

# per_step KIND: the median, in milliseconds, between two events of a kind.  The
# journal has whole milliseconds: twenty are measured at a time.
per_step()
{
	sqlite3 "$work/state/journal.db" "SELECT time FROM event WHERE kind = '$1' ORDER BY n" |
		awk '{ t[NR] = $1 } END { for (i = 21; i <= NR; i += 20) print (t[i] - t[i - 20]) / 20 }' | median
}

bench_step()
{
	local i

	[ "$disk" != tmpfs ] || { echo "skip: durable steps: $work is in memory; set PD_BENCH_DIR"; return 0; }
	command -v sqlite3 >/dev/null || { echo "skip: steps: sqlite3 is not installed"; return 0; }
	# in turns, so that what else the disk has to do meets both
	for i in 1 2 3 4 5; do
		no_state
		pd run --param steps=$steps "$work/noop.lua" >"$work/out" 2>&1 </dev/null ||
			{ bad "a run of $steps steps"; return 1; }
		per_step "done" >>"$work/ours"
		"$bin/append" "$work/appended" $steps >>"$work/theirs" || return 1
	done
	step=$(median <"$work/ours")
	figure durable-noop-step "$step" ms
	goal durable-noop-step "$step" 1.5 ms
	# the dry run before it: the same worker, and nothing on the disk
	figure isolated-worker "$(per_step predict)" ms
	ratio durable-noop-step "$step" "$(median <"$work/theirs")" "an append of 4 KiB with fdatasync on $disk, in ms"
}

# playbook TASKS: so many that do nothing
playbook()
{
	local i

	printf -- '- hosts: localhost\n  gather_facts: false\n  tasks:\n'
	for i in $(seq "$1"); do
		printf '    - name: task %s\n      ansible.builtin.command: /bin/true\n' "$i"
	done
}

ansible()
{
	HOME=$work ANSIBLE_CONFIG=$work/ansible.cfg ANSIBLE_LOCALHOST_WARNING=false ansible-playbook \
		-i localhost, -c local -e ansible_python_interpreter=/usr/bin/python3 "$@"
}

# Its start is not held against it: what 14 further tasks take, in milliseconds.
bench_ansible()
{
	local few many task

	peer ansible-playbook || return 0
	: >"$work/ansible.cfg"
	playbook 1 >"$work/few.yml"
	playbook 15 >"$work/many.yml"
	if ! few=$(took 3 0 ansible "$work/few.yml") || ! many=$(took 3 0 ansible "$work/many.yml"); then
		echo "skip: the ratio to ansible-playbook: it fails"
		return 0
	fi
	task=$(awk -v few="$few" -v many="$many" 'BEGIN { printf "%.2f", (many - few) / 14 * 1000 }')
	figure ansible-noop-task "$task" ms
	ratio durable-noop-step-to-ansible "$step" "$task" "a task of Ansible's that does nothing, in ms"
	awk -v ours="$step" -v theirs="$task" 'BEGIN {
		printf "goal durable-noop-step-to-ansible: over 100 times less, %s\n",
			(theirs > 100 * ours ? "met" : "missed") }'
	before=no_state
	whole=$(took 5 0 pd run --param steps=15 "$work/noop.lua") || return 1
	before=
	figure run-15-noop-steps "$whole" s
	ratio run-15-noop-steps "$whole" "$many" "the same as a playbook, start included, in s"
}

# megabytes KIB: of 1,000,000 bytes
megabytes()
{
	awk -v n="$1" 'BEGIN { printf "%.2f", n * 1024 / 1e6 }'
}

# in_status FIELD PID: MB
in_status()
{
	megabytes "$(awk -v field="$1:" '$1 == field { print $2 }' "/proc/$2/status")"
}

# What a run holds on to in its midst: it has planned and scanned with all plugins,
# and has those of its steps.
bench_memory()
{
	local pid run resident theirs

	no_state
	plugins=$work/every pd run --events --param folder="$work" "$work/half.lua" >"$work/out" 2>&1 </dev/null &
	run=$!
	for _ in $(seq 600); do
		sleep 0.1
		! grep -q '"kind":"apply".*steps\.write' "$work/out" || break
	done
	read -r pid _ <"$work/state/lock" && [ -d "/proc/$pid" ] || { bad "a run that waits in its midst"; return 1; }
	figure plugins-of-its-steps "$(grep -oE "$work/every/[a-z]+\.so" "/proc/$pid/maps" | sort -u | wc -l)" plugins
	resident=$(in_status VmRSS "$pid")
	figure memory-resident-run-all-plugins "$resident" MB
	goal memory-resident-run-all-plugins "$resident" 12 MB
	figure memory-private-run-all-plugins "$(in_status RssAnon "$pid")" MB
	figure memory-proportional-run-all-plugins "$(megabytes "$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")")" MB
	figure memory-peak-run-all-plugins "$(in_status VmHWM "$pid")" MB
	figure memory-private-its-spawner "$(in_status RssAnon "$(pgrep -P "$pid" -x patchday-spawn)")" MB
	kill -INT "$pid"
	wait $run
	[ $? = 5 ] || { bad "a run that is stopped in its midst"; return 1; }
	[ -x /usr/bin/time ] || { echo "skip: the memory of a peer: GNU time is not installed"; return 0; }
	peer python3 || return 0
	/usr/bin/time -q -o "$work/rss" -f %M python3 -c 'import ssl, sqlite3, xml.etree, json'
	theirs=$(megabytes "$(cat "$work/rss")")
	ratio memory-resident-run-all-plugins "$resident" "$theirs" "Python with ssl, sqlite3, xml and json, in MB"
}

no_peer_db()
{
	rm -f "$work"/peer.db*
}

# until_event TIMES KIND COMMAND...: the median of the seconds until the first event
# of a kind, as --events print it; $before as in took()
until_event()
{
	local times=$1 kind=$2 start

	shift 2
	for _ in $(seq "$times"); do
		[ -z "${before-}" ] || "$before" || return 1
		start=${EPOCHREALTIME/./}
		"$@" --events 2>"$work/out" </dev/null | {
			while IFS= read -r line; do
				[[ $line != *"\"kind\":\"$kind\""* ]] || break
			done
			[ -n "$line" ] && echo $((${EPOCHREALTIME/./} - start))
			cat >"$work/rest"
		} || { bad "no event $kind: $*"; return 1; }
	done >"$work/times"
	median <"$work/times" | awk '{ printf "%.4f\n", $1 / 1e6 }'
}

# Until plugins are loaded, the journal is open and the run's first event is in it;
# then all of a run with one step, to its certificate.
bench_start()
{
	local start all ours theirs

	before=no_state
	start=$(until_event 9 run pd run "$work/noop.lua") && ours=$(took 9 0 pd run "$work/noop.lua") || return 1
	before=
	figure run-start-up "$start" s
	goal run-start-up "$start" 0.03 s
	before=no_state
	all=$(plugins=$work/every until_event 9 run pd run "$work/noop.lua") || return 1
	before=
	figure run-start-up-with-all-scanners "$all" s # they look at the server first
	all=$(took 9 0 "$bin/patchday" plugins --plugin-dir "$work/all") || return 1
	figure all-plugins-loaded-and-listed "$all" s
	goal all-plugins-loaded-and-listed "$all" 0.03 s
	figure run-one-step "$ours" s
	peer sqlite3 || return 0
	before=no_peer_db
	theirs=$(took 9 0 sqlite3 "$work/peer.db" 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
		CREATE TABLE t(a); INSERT INTO t VALUES (1);') || return 1
	before=
	ratio run-start-up "$start" "$theirs" "a new database with one row by sqlite3, in s"
	ratio run-one-step "$ours" "$theirs" "a new database with one row by sqlite3, in s"
}

# Until it goes on after what was done: the journal is proven and read, and the
# step that is next begins; then the whole command.
bench_resume()
{
	local start ours theirs

	no_state
	pd run --param steps=$steps --param fail="$work/never" "$work/noop.lua" >"$work/out" 2>&1 </dev/null
	[ $? = 5 ] || { bad "a run of $steps steps that stops"; return 1; }
	start=$(until_event 7 apply pd resume) && ours=$(took 7 5 pd resume) || return 1
	figure resume-1000-done-steps-until-it-goes-on "$start" s
	figure resume-1000-done-steps "$ours" s
	goal resume-1000-done-steps "$ours" 0.05 s
	peer sqlite3 || return 0
	theirs=$(took 7 0 sqlite3 "$work/state/journal.db" 'SELECT * FROM event ORDER BY n') || return 1
	ratio resume-1000-done-steps "$ours" "$theirs" "sqlite3 printing the same journal, in s"
}

# resident STEPS: reads the events of a run of so many and prints what it has in
# memory, in KiB, when a tenth, a half and (nearly) all of them are done.
resident()
{
	local n=0 pid

	grep --line-buffered '"kind":"done"' | while IFS= read -r _; do
		n=$((n + 1))
		case $n in
		$(($1 / 10)) | $(($1 / 2)) | $(($1 - 10)))
			read -r pid _ <"$work/state/lock"
			awk '/^VmRSS/ { print $2 }' "/proc/$pid/status" ;;
		esac
	done
}

# processor STEPS TIMES: what a run of so many takes, in milliseconds of processor time
# a step, start and end included; what else the machine does counts little so.
# Its memory goes to a file.
processor()
{
	local TIMEFORMAT='%U %S' times

	for _ in $(seq "$2"); do
		no_state
		resident "$1" <"$work/events" >"$work/resident" &
		times=$({ time pd run --events --param steps="$1" "$work/noop.lua" >"$work/events" 2>"$work/out" </dev/null; } 2>&1) ||
			{ bad "a run of $1 steps"; return 1; }
		wait $!
		awk -v n="$1" '{ printf "%.4f\n", ($1 + $2) * 1000 / n }' <<<"$times"
	done >"$work/times" && sort -g "$work/times" | head -1
}

# Is a run of ten times as many steps ten times as long, and its memory flat?
bench_many()
{
	local few many tenth half all over=0

	mkfifo "$work/events"
	few=$(processor $steps 2) && many=$(processor $((10 * steps)) 1) || return 1
	figure processor-per-step-of-10000 "$many" ms
	ratio processor-per-step-of-10000 "$many" "$few" "a step of a run of 1,000, in ms"
	goal processor-per-step-of-10000 "$many" "$(so_many 1.3 "$few")" ms
	{ read -r tenth && read -r half && read -r all; } <"$work/resident" || { bad "no memory was seen"; return 1; }
	figure memory-at-1000-of-10000 "$(megabytes "$tenth")" MB
	figure memory-at-5000-of-10000 "$(megabytes "$half")" MB
	figure memory-at-10000-of-10000 "$(megabytes "$all")" MB
	goal memory-at-10000-of-10000 "$all" "$(so_many 1.05 "$tenth")" KiB
	limit processor-per-step-of-10000 "$many" "$(so_many 2 "$few")" ms || over=1
	limit memory-at-10000-of-10000 "$all" "$(so_many 1.3 "$tenth")" KiB || over=1
	return $over
}

step=
set_up
for figure in plan step many ansible memory start resume; do
	[ $figure != ansible ] || [ -n "$step" ] || continue
	"bench_$figure" || failures=$((failures + 1))
done
[ $failures -eq 0 ]
