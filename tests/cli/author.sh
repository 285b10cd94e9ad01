#!/bin/bash
# SPDX-License-Identifier: MIT
# What authors of workflows have: a start, a check that finds all faults at once,
# tests that are files, and runs written down as such tests.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
command -v jq >/dev/null || skip "jq is not installed"
mkdir "$tmp/all"
cp "$PD_BUILDDIR"/plugins/*/.libs/*.so "$tmp/all/"
cp "$tmp/all/native.so" "$tmp/plugins/"
steps=("${places[@]}")
real=(--plugin-dir "$tmp/all" --scripts "$PD_SRCDIR/scripts")

# workflow_is VERB ARGUMENT...: with the real plugins; sets $out and $rc
author()
{
	places=("${real[@]}")
	pd workflow "$@"
	places=("${steps[@]}")
}

# ---- a start
author new mine --to "$tmp"
is "a new workflow is written" "$rc $(cd "$tmp" && ls mine.*)" "0 mine.lua
mine.test"
author check "$tmp/mine.lua"
is "nothing is wrong with it" "$rc" 0
author test "$tmp/mine.test"
is "and its test passes" "$rc $(tail -1 <<<"$out")" "0 1 test, 0 failed"
like "it takes back what it did" "$(cat "$tmp/mine.test")" '^=          rolled back: prove/probe.tcp: the port is closed$'
before=$(cat "$tmp/mine.lua")
echo "-- mine" >>"$tmp/mine.lua"
author new mine --to "$tmp"
is "it overwrites nothing" "$rc $(tail -1 "$tmp/mine.lua")" "2 -- mine"
author new web --to "$tmp"
like "a role that came with patchday is none of yours" "$rc $(xargs -d '\n' <<<"$out")" \
	"^2 .*web is a role that came with patchday: .patchday run web. would run that one.*copy $(readlink -f "$PD_SRCDIR")/scripts/roles/web\.lua"
check "nothing is written" test ! -e "$tmp/web.lua" -a ! -e "$tmp/web.test"
cp "$PD_SRCDIR/scripts/roles/web.lua" "$tmp/shop.lua"
sed -i 's/name = "web"/name = "shop"/' "$tmp/shop.lua"
author check "$tmp/shop.lua"
is "a copy of it is a start, too" "$rc" 0
author new "Not a name" --to "$tmp"
is "a name is a name" "$rc" 2
long=$(printf 'a%.0s' {1..101})
author new "$long" --to "$tmp"
like "and not longer than names of files may be" "$rc $out" '^2 .*has 101 bytes, at most 100 are allowed \[name-length\]'
author new "${long%a}" --to "$tmp"
is "one of 100 bytes is" "$rc" 0
echo "return require('patchday').workflow { api = 1, name = '$long', plan = function() return {} end }" >"$tmp/long.lua"
author check --json "$tmp/long.lua"
is "nor in a script" "$(jq -r '.[].id' <<<"$out" | sort -u)" name-length
printf '%s\n' "$before" >"$tmp/mine.lua"

mkdir "$tmp/empty"
author test "$tmp/empty"
like "a folder without tests is no success" "$rc $out" '^2 .*/empty has no test'
author check generic file-print domain-controller web-proxy database web mail
is "nothing is wrong with the roles" "$rc $(grep -c 'nothing is wrong' <<<"$out")" "0 7"

# ---- a test that does not come out as written
sed -i 's/on_failure = "undo",$/on_failure = "stop",/' "$tmp/mine.lua"
author test "$tmp/mine.test"
is "another course of the run is seen" "$rc" 1
like "with what was promised" "$out" '^  - undone     install/update.install$'
like "and what came" "$out" '^  \+ =          stopped: prove/probe.tcp: the port is closed$'
author test --json "$tmp/mine.test"
is "also in JSON" "$(jq -r '.[].ok' <<<"$out")" false
author test --update "$tmp/mine.test"
author test "$tmp/mine.test"
is "until it is what is promised" "$rc" 0

# ---- all faults at once
printf '%s\n' "$before" | sed 's/eventlog.export/eventlog.exprt/; s/host.space {/host.spaces {/; s/t.catalog:needed/t.catalog:neded/; s/fail_on =/fail_onn =/' >"$tmp/bad.lua"
author check "$tmp/bad.lua"
is "a script with four faults" "$rc $(grep -c 'did you mean' <<<"$out")" "2 4"
for word in exprt spaces neded fail_onn; do
	like "$word is named, with its line" "$out" "bad.lua:[0-9]+: .*'$word'"
done
author check --json "$tmp/bad.lua" "$tmp/mine.lua"
is "also in JSON" "$(jq -r '.[].id' <<<"$out" | sort | uniq -c | xargs)" "1 argument-unknown 3 workflow-script"
cat >"$tmp/braces.lua" <<'END'
local pd = require "patchday"
local antivirus, schedule, host = pd.use "antivirus", pd.use "schedule", pd.use "host"
return pd.workflow { api = 1, name = "braces", plan = function(t)
	return { pd.hold { schedule.hold {}, antivirus.hold {}, host.space { path = "/srv", bytes = 5 } } }
end }
END
author check --json "$tmp/braces.lua"
like "a hold whose inner braces are forgotten is the only fault" "$(jq -r 'length, .[].message' <<<"$out" | xargs -d '\n')" \
	'^1 .*antivirus\.hold lasts until it is given back'
cat >"$tmp/held.lua" <<'END'
local pd = require "patchday"
local antivirus, schedule, quota, ups = pd.use "antivirus", pd.use "schedule", pd.use "quota", pd.use "ups"
return pd.workflow { api = 1, name = "held", plan = function(t)
	local first = schedule.hold {}
	return {
		first, antivirus.hold {}, ups.hold {},
		pd.stage "one" { pd.hold { { schedule.hold { id = "late" } }, quota.hold {} }, ups.hold { id = "late" } },
	}
end }
END
author check --json "$tmp/held.lua"
is "of several holds that are forgotten each is told" \
	"$rc $(jq -r '.[] | "\(.where // .message | capture("lua:(?<n>[0-9]+)").n) \(.message | capture("(?<s>[a-z]+.hold) lasts").s)"' <<<"$out" | xargs)" \
	"2 4 schedule.hold 6 antivirus.hold 6 ups.hold 7 quota.hold 7 ups.hold"
cat >"$tmp/types.lua" <<'END'
local pd = require "patchday"
local h, probe, backup, update = pd.use "host", pd.use "probe", pd.use "backup", pd.use "update"
return pd.workflow { api = 1, name = "types", plan = function(t)
	local state = backup.state { to = 5 }
	return {
		h.space {
			path = "/srv",
		},
		probe.tcp { host = "x", port = 99999999 },
		probe.nothing_like_it { },
		backup.verify { archive = state.out.archive, sha256 = state.out.archve },
		pd.stage "late" { on_failure = "never", update.install { updates = 1 } },
	}
end }
END
author check "$tmp/types.lua"
is "faults without a suggestion do not hide those behind them" "$rc $(sed -n 's/^patchday: types.lua:\([0-9]*\): \(.*\) \[.*/\1 \2/p' <<<"$out")" \
	"2 4 backup.state: to must be a text
6 host.space needs 'bytes' (room that must be free there)
9 probe.tcp: port is 99999999, allowed is 1 to 65535
10 plugin 'probe' has no step 'nothing_like_it'
11 backup.state has no output 'archve'; did you mean 'archive'?
12 update.install: updates must be a selection of updates of a catalog
12 stage 'late': on_failure is \"stop\", \"undo\" or \"continue\", not 'never'"
cat >"$tmp/many.lua" <<'END'
local pd = require "patchday"
local host, update, service, probe, notify = pd.use "host", pd.use "update", pd.use "service", pd.use "probe", pd.use "notify"
return pd.workflow {
	api = 1, name = "a", role = "a", helps = "x", round = 3,
	params = { port = pd.int { default = "abc" }, safe = "path" },
	questions = { q = pd.question { asks = "?" } },
	plan = function(t)
		local due, none = t.catalog:needed()
		return {
			host.space,
			pd.stage "one" { host.space { path = "srv", bytes = none.x }, host.space { path = t.params.safety, bytes = t.facts.foo } },
			pd.stage "one" { probe.tcp { port = t.params.port }, probe.tcp { port = t.answers.q } },
			pd.stage "Two" { stop = true, update.install { updates = due:kinds("security") } },
			pd.hold { probe.tcp { port = 1 }, service.stop { unit = "cron" } },
			pd.hold { service.stop { units = { "cron" } }, pd.stage "three" { notify.mail { to = "a", subject = 1, text = "x" } } },
			pd.signoff { party = "ops" },
		}
	end,
}
END
author check "$tmp/many.lua"
is "mistakes of all kinds are told at once, in the order of their lines" "$rc $(sed -n 's/^patchday: many.lua:\([0-9]*\): \(.*\) \[.*/\1 \2/p' <<<"$out")" \
	"2 3 pd.workflow has no field 'helps'; did you mean 'help'?
3 pd.workflow has no field 'round'; did you mean 'rounds'?
3 params: 'safe' is declared by pd.string { ... }, pd.list { ... } and so on
5 default must be a whole number
6 pd.question has no option 'asks'; did you mean 'ask'?
7 a plan is made of steps, stages and holds, not of a function
11 attempt to index a nil value (local 'none')
11 host.space: path must be an absolute path without \"..\"
11 t.params has no parameter 'safety'; did you mean 'safe'?
11 t.facts has no kind 'foo'; did you mean 'boot'?
12 probe.tcp: port must be a whole number
12 there are two stages 'one'
13 a stage has a name of a to z, 0 to 9, '-' and '_': pd.stage \"install\" { ... }
13 a selection of updates has no method 'kinds'; did you mean 'kind'?
13 stage 'Two' has no option 'stop'
14 service.stop has no parameter 'unit'; did you mean 'units'?
14 probe.tcp can't be held: it has no undo that gives back
15 notify.mail: subject must be a text
16 pd.signoff has no option 'party'"
cat >"$tmp/unknown.lua" <<'END'
local pd = require "patchday"
local mine = require "mylib"
local probe, host, update, zz = pd.use "probe", pd.use "host", pd.use "update", pd.use "quuxplugin"
helper = function(x) return x end
return pd.workflow { api = 1, name = "types", params = { home = pd.string { default = os.date() } }, plan = function(t)
	local n = frobnicate(t.params) + 1
	for i, x in ipairs(frobnicate.list) do n = n .. x .. i end
	for a in frobnicate.gmatch() do n = a end
	local a = host.space { path = "/srv", bytes = n < 3 and xyzzy.bytes or 1 }
	local b = host.space { path = xyzzy, bytes = "many" }
	return {
		a, b, wrapped { probe.tcp { host = n, port = 99999999 } }, wrapped,
		zz.foo { path = a.out.free, late = zz.foo {}.out.x }, mine.step(a), host.space(xyzzy),
		probe.tcp { host = "a" .. xyzzy, port = xyzzy + 1, expect = { xyzzy } },
		pd.stage(xyzzy) { update.install { updates = t.catalog:needed():kind(xyzzy):not_after(os.date()) } },
		probe.http { url = os.getenv("X"), stat = 3 },
		probe.tcp { hots = "x", port = 1 }, pd.hold { { xyzzy }, xyzzy },
	}
end, guards = function() return { xyzzy } end }
END
author check "$tmp/unknown.lua"
is "what is not there hides nothing behind it, and nothing that only follows from it is told" \
	"$rc $(sed -n 's/^patchday: unknown.lua:\([0-9]*\): \(.*\) \[.*/\1 \2/p' <<<"$out" | sed "s,in $tmp/all,in FOLDER,")" \
	"2 2 there is no module 'mylib'; a workflow can require \"patchday\" and its parts only
3 there is no plugin 'quuxplugin' in FOLDER
4 'helper' is not declared; write: local helper = ...
5 there is no global 'os' in a workflow
6 there is no global 'frobnicate' in a workflow
9 there is no global 'xyzzy' in a workflow
10 host.space: bytes must be a size such as 4096 or \"20 MiB\"
12 there is no global 'wrapped' in a workflow
12 probe.tcp: port is 99999999, allowed is 1 to 65535
13 host.space has no output 'free'
16 probe.http has no parameter 'stat'; did you mean 'status'?
16 probe.http: status must be a list of texts
17 probe.tcp has no parameter 'hots'; did you mean 'host'?"
cat >"$tmp/own.lua" <<'END'
local pd = require "patchday"
local host, service, update = pd.use "host", pd.use "service", pd.use "update"
return pd.workflow { api = 1, name = "own", plan = function(t)
	local n, m = 0, 0
	local a, b = t.facts.os.hostname + 1, 2
	for _, u in ipairs(t.catalog.needed) do n = n + u.bytes end
	for _, s in ipairs(t.facts.services) do if s.stat == "active" then n = n + 1 end end
	return {
		host.space { path = "/", bytes = n .. "x" + 1 },
		update.install { updates = t.catalog:needed():severity("high"), keep = a },
		service.stop { units = { "x" }, timeouts = b },
		host.space { "/", 5 },
	}
end }
END
author check "$tmp/own.lua"
is "mistakes that are Lua's own hide nothing either, nor does a server with nothing on it" \
	"$rc $(sed -n 's/^patchday: own.lua:\([0-9]*\): \(.*\) \[.*/\1 \2/p' <<<"$out")" \
	"2 5 attempt to add a 'string' with a 'number'
6 attempt to index a function value
7 t.facts.services has no field 'stat'; did you mean 'state'?
9 attempt to add a 'string' with a 'number'
10 the scale of severity has no word 'high'
11 service.stop has no parameter 'timeouts'; did you mean 'timeout'?
12 host.space takes its parameters by name: host.space { name = value }"
# told NAME: what is told of the script on standard input, with its lines
told()
{
	cat >"$tmp/$1.lua"
	author check "$tmp/$1.lua"
	sed -n "s/^patchday: $1.lua:\([0-9]*\): \(.*\) \[.*/\1 \2/p" <<<"$out"
}
# one PART: the same of a script with that entry in its plan, and a mistake behind it
one()
{
	told one <<END
local pd = require "patchday"
local host, backup = pd.use "host", pd.use "backup"
return pd.workflow { api = 1, name = "one", plan = function(t)
	local x = backup.state { to = "/srv" }
	return { x,
		$1,
		host.space { path = "srv", bytes = 1 },
	}
end }
END
}
behind='7 host.space: path must be an absolute path without ".."'
word='"stop", "undo" or "continue"'
is "a word that is a table is told once, without its address" "$(one 'pd.stage "s" { on_failure = {}, host.space { path = "/", bytes = 1 } }')" \
	"6 stage 's': on_failure is $word, not a table
$behind"
is "so is one that is a function" "$(one 'pd.stage "s" { on_failure = print, host.space { path = "/", bytes = 1 } }')" \
	"6 stage 's': on_failure is $word, not a function
$behind"
is "and a stage without its list" "$(one 'pd.stage "s" (host.space { path = "/", bytes = 1 })')" "6 stage 's' takes a list: { step, step }
$behind"
is "a step that is named by a table" "$(one 'host[{}]')" "6 plugin 'host': a step has a name, a text; it can't be a table
$behind"
is "a parameter that is" "$(one 't.params[{}]')" "6 t.params: a parameter has a name, a text; it can't be a table
$behind"
is "a kind of facts that is" "$(one 't.facts[{}]')" "6 t.facts: a kind has a name, a text; it can't be a table
$behind"
is "an error of the script's own has no address either" "$(one 'error("x " .. tostring({}))')" "6 x table"
is "outputs in place of their step" "$(one 'pd.stage "s" { x.out }')" "4 an output of backup.state is no step; put the step itself into the plan
$behind"
is "a filter that is called with a dot" "$(one 'backup.state { to = t.catalog:needed().kind("x") }')" \
	"6 call it with a colon: selection:kind(...)
$behind"
is "each parameter of a step is looked at" "$(one 'host.space { path = 5, bytes = print, byte = 1, [1] = x.out.archive }')" \
	"6 host.space takes its parameters by name: host.space { name = value }
6 host.space: a function is no value of a plan
6 host.space has no parameter 'byte'; did you mean 'bytes'?
$behind"
is "what is missing may be what has another name" "$(one 'backup.verify {
	folder = 1 }')" "6 backup.verify has no parameter 'folder'
8 host.space: path must be an absolute path without \"..\""
is "a name that is nearly right, in another line than its step" "$(one 'backup.verify {
	archives = "srv" }')" "6 backup.verify has no parameter 'archives'; did you mean 'archive'?
6 backup.verify: archive must be an absolute path without \"..\"
8 host.space: path must be an absolute path without \"..\""

printf '%s\n' "${before//port = p.port/prt = p.port}" >"$tmp/tail.lua"
author check "$tmp/tail.lua"
is "a mistake in a helper that ends in return step {...} has the helper's line, and is told once" \
	"$(grep ^patchday <<<"$out")" "patchday: tail.lua:$(grep -n 'prt = ' "$tmp/tail.lua" | sed 's/:.*//'): probe.tcp has no parameter 'prt'; did you mean 'port'? [argument-unknown]"
is "references that are wrong are all told" "$(told references <<'END'
local pd = require "patchday"
local backup, host = pd.use "backup", pd.use "host"
return pd.workflow { api = 1, name = "references", plan = function(t)
	local s, gone = backup.state { to = "/srv" }, backup.state { to = "/srv" }
	return {
		pd.stage "one" {
			host.space { path = "srv", bytes = 1 },
			backup.verify { archive = s.out.archive, sha256 = gone.out.sha256 },
		},
		pd.stage "two" { s, host.space { path = gone.out.archive, bytes = 1 } },
	}
end }
END
)" "7 host.space: path must be an absolute path without \"..\"
8 backup.verify uses output 'archive' of backup.state (references.lua:4), which comes later in the plan
8 backup.verify uses output 'sha256' of backup.state (references.lua:4), which is not in the plan
10 host.space uses output 'archive' of backup.state (references.lua:4), which is not in the plan"
is "but not those to steps of a stage that can't be looked at" "$(told lost <<'END'
local pd = require "patchday"
local backup = pd.use "backup"
return pd.workflow { api = 1, name = "lost", plan = function(t)
	local s = backup.state { to = "/srv" }
	return {
		pd.stage "one" { { first = s } },
		pd.stage "two" { backup.verify { archive = s.out.archive, sha256 = s.out.sha256 } },
	}
end }
END
)" "3 a list of steps has an entry 'first'; is a name misspelt, or a pair of braces missing?"

is "a name that was not what is suggested is not told twice" "$(told suggested <<'END'
local pd = require "patchday"
local answers = asserts.all
return pd.workflow { api = 1, name = "suggested", plan = function(t) return pd.nothing(answers or "x") end }
END
)" "2 there is no global 'asserts'; did you mean 'assert'?"
is "nor is that the plan is none, then" "$(told returned <<'END'
local pd = require "patchday"
return pd.workflow { api = 1, name = "returned", plan = function(t)
	return nope
end }
END
)" "3 there is no global 'nope'; did you mean 'type'?"
is "or where its line is left out" "$(told left <<'END'
local pd = require "patchday"
local host = pd.use "host"
return pd.workflow { api = 1, name = "left", plan = function(t)
	return { host.space { path = "/" .. {}, bytes = 1 } }
end }
END
)" "4 attempt to concatenate a table value"
is "a plan that is none is, where nothing else is wrong with it" "$(told none <<'END'
local pd = require "patchday"
return pd.workflow { api = 1, name = "none", plan = function(t) t.catalog:needed() end }
END
)" "2 the plan function returns a nil, not a list of steps or pd.nothing \"why\""
is "two steps of one line that can't be held are told once each" "$(told hold <<'END'
local pd = require "patchday"
local host = pd.use "host"
return pd.workflow { api = 1, name = "hold", plan = function(t)
	return { pd.hold { host.space { path = "/a", bytes = 1 }, host.space { path = "/b", bytes = 1 } } }
end }
END
)" "4 host.space can't be held: it has no undo that gives back"
is "a global that is not there is told once, wherever the servers meet it" "$(told servers <<'END'
local pd = require "patchday"
return pd.workflow { api = 1, name = "servers", params = { list = pd.list { default = { word } } }, plan = function(t)
	if #t.catalog:needed() == 0 then return pd.nothing(who) end
	if #t.facts.services > 0 then error("not " .. who, 0) end
	return pd.nothing(who)
end }
END
)" "2 there is no global 'word' in a workflow
3 there is no global 'who' in a workflow"

# workflow_of FIELDS: what is told of a workflow that has these
workflow_of()
{
	told fields <<END
local pd = require "patchday"
local host = pd.use "host"
local function steps(t) return { host.space { path = t.params.safe, bytes = "many" } } end
return pd.workflow {
	$1
}
END
}
bytes='3 host.space: bytes must be a size such as 4096 or "20 MiB"'
safe='params = { safe = pd.path { default = "/srv" } }'
is "a workflow whose plan is misspelt" "$(workflow_of "api = 1, name = 'x', $safe,
	pln = steps")" "$bytes
4 pd.workflow has no field 'pln'; did you mean 'plan'?"
is "that has its plan under another name" "$(workflow_of "api = 1, name = 'x', $safe, work = steps")" "4 pd.workflow has no field 'work'"
is "without its language" "$(workflow_of "name = 'x', $safe, plan = steps")" "$bytes
4 a workflow says which language it is written in: api = 1"
is "with parameters that are none" "$(workflow_of "api = 1, name = 'x', params = 5, plan = steps")" "$bytes
4 pd.workflow: field 'params' takes a table, not a number"
is "a plugin that is named by a table" "$(told plugin <<'END'
local pd = require "patchday"
local host = pd.use({})
return pd.workflow { api = 1, name = "plugin", plan = function(t)
	return { host.space { path = t.params.nothing } }
end }
END
)" "2 pd.use takes the name of a plugin: pd.use \"service\"
4 t.params has no parameter 'nothing'"
is "a message is told once, however long it is" "$(told long <<'END' | cut -c1-60
local pd = require "patchday"
local host, s = pd.use "host", ("\t\xfc"):rep(2000)
return pd.workflow { api = 1, name = "long", plan = function(t)
	return { host[s], host.space { [s] = 1 }, host.space { path = "srv", bytes = 1 } }
end }
END
)" "4 plugin 'host' has no step ' ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? 
4 host.space: a text is not UTF-8
4 host.space: path must be an absolute path without \"..\""

is "what no plan comes by is looked at, too" "$(told unseen <<'END'
local pd = require "patchday"
local host, probe, service = pd.use "host", pd.use "probe", pd.use "service"
local function tests(p)
	local all = {}
	for _, url in ipairs(p.pages) do all[#all + 1] = probe.htpp { url = url } end
	for _, url in ipairs(p.paegs) do
		all[#all + 1] = probe.http {
			urll = url, id = "x",
		}
	end
	for _, service in ipairs(p.names) do all[#all + 1] = probe.command { argv = { service.nme } } end
	return all
end
return pd.workflow { api = 1, name = "unseen", params = {
		pages = pd.list { default = {} }, names = pd.list { default = {} }, way = pd.choice { choices = { "a", "b" }, default = "a" },
	}, plan = function(t)
	local p, due = t.params, t.catalog:needed()
	if t.facts.os.family == "rpm" then return { host.spce { path = "/", bytes = qqqq } } end
	if t.round > 1 then return { host.space { path = "/", bytes = t.facts.ooops } } end
	local later = p.way == "b" and function() return { host["spaces"] {}, t.params.waay, pd.use("probe").tpc { prt = 1 } } end
	for _, p in ipairs(due) do p = p.id end
	return { host.space { path = "/", bytes = 1 }, #p.pages == 0 and tests { pages = {}, paegs = {}, names = {} }, later and later() }
end }
END
)" "5 plugin 'probe' has no step 'htpp'; did you mean 'http'?
7 probe.http has no parameter 'urll'; did you mean 'url'?
18 plugin 'host' has no step 'spce'; did you mean 'space'?
18 there is no global 'qqqq' in a workflow
19 t.facts has no kind 'ooops'
20 plugin 'host' has no step 'spaces'; did you mean 'space'?
20 t.params has no parameter 'waay'; did you mean 'way'?
20 plugin 'probe' has no step 'tpc'; did you mean 'tcp'?"
printf 'local pd = require "patchday"\nlocal function' >"$tmp/half.lua"
author check "$tmp/half.lua"
like "a script that ends in the middle is told for that" "$rc $out" '^2 .*half.lua:2: .*expected near <eof>'
is "a name that becomes another thing beside others is none of these" "$(told beside <<'END'
local pd = require "patchday"
local host = pd.use "host"
return pd.workflow { api = 1, name = "beside", plan = function(t)
	local p, r, other = t.params, {}, nil
	r.x, p = 1, { zz = 1 }
	other, host = host, { foo = function() end }
	return { #t.facts.os.hostname == 0 and host.foo(p.zz), other.space { path = "/", bytes = 1 } }
end }
END
)" ""
is "parameters of the workflow are, wherever they are handed on" "$(told handed <<'END'
local pd = require "patchday"
local function tests(p)
	for _ = 1, #p.pages do pd.note(p.paegs) end
end
return pd.workflow { api = 1, name = "handed", params = { pages = pd.list { default = {} } }, plan = function(t)
	local p, due = t.params, t.catalog:needed()
	for _ = 1, #p.pages do pd.note(p.pagse .. t.params.pags .. due.pages) end
	tests(p)
	return pd.nothing "x"
end }
END
)" "3 t.params has no parameter 'paegs'; did you mean 'pages'?
7 t.params has no parameter 'pagse'; did you mean 'pages'?
7 t.params has no parameter 'pags'; did you mean 'pages'?"

# ---- a script that is not UTF-8
printf -- '-- f\xfcr\n%s\n' "${before//fail_on =/fail_onn =}" >"$tmp/latin.lua"
author check "$tmp/latin.lua"
like "a script that is not UTF-8 is told so, with its line" "$rc $(head -2 <<<"$out" | xargs -d '\n')" \
	'^2 patchday: latin.lua:1: the line is not UTF-8 \[workflow-script\] .*Save the script as UTF-8'
is "and what else is wrong with it" "$rc $(grep ^patchday <<<"$out" | sed 's/lua:[0-9]*:/lua:/' | xargs -d '\n')" \
	"2 patchday: latin.lua: the line is not UTF-8 [workflow-script] patchday: latin.lua: eventlog.compare has no parameter 'fail_onn'; did you mean 'fail_on'? [argument-unknown]"
places=("${real[@]}")
pd plan "$tmp/latin.lua"
like "it can't be planned, either" "$rc $out" '^2 .*latin.lua:1: the line is not UTF-8 \[workflow-script\]'
pd package build "$tmp/latin.lua" --version 1.0
like "nor packed" "$rc $(xargs -d '\n' <<<"$out")" '^2 .*latin.lua:1: the line is not UTF-8 .*nothing was packed'
places=("${steps[@]}")
sed 's/^mine.lua$/latin.lua/' "$tmp/mine.test" >"$tmp/latin.test"
author test "$tmp/latin.test"
like "nor tested" "$rc $(xargs -d '\n' <<<"$out")" '^1 .*latin.lua:1: the line is not UTF-8'
sed 's/eventlog/\xff/' "$tmp/mine.lua" >"$tmp/latin.lua"
author check --json "$tmp/latin.lua"
is "whatever is in it" "$rc $(jq -r '.[0].message' <<<"$out")" "2 the line is not UTF-8"
sed 's/eventlog/\x00/' "$tmp/mine.lua" >"$tmp/latin.lua"
author check --json "$tmp/latin.lua"
is "also zeros" "$rc $(jq -r '.[].message' <<<"$out")" "2 the line has a zero byte, as UTF-16 has"
for encoding in utf-16 utf-16le utf-16be; do
	iconv -t $encoding <<<"${before//fail_on =/fail_onn =}" >"$tmp/latin.lua"
	author check "$tmp/latin.lua"
	is "$encoding is one mistake, with its own cure" "$rc $(xargs -d '\n' <<<"$out")" \
		"2 patchday: latin.lua:1: the line has a zero byte, as UTF-16 has [workflow-script]   Save the script as UTF-8, such as with \`iconv -f utf-16 -t utf-8\`."
done
printf '\xef\xbb\xbf%s\n' "${before//fail_on =/fail_onn =}" >"$tmp/latin.lua"
author check "$tmp/latin.lua"
is "a byte order mark is none of its mistakes" "$rc $(grep -c ^patchday <<<"$out")" "2 1"

cat >"$tmp/part.lua" <<'END'
local pd = require "patchday"
return pd.workflow { api = 1, name = "part", plan = function(t)
	if t.facts.os.hostname < 3 then
		return pd.nothing "x"
	end
end }
END
author check "$tmp/part.lua"
is "what can't be left out ends the search, and is told alone" "$rc $(grep -c '^patchday: part.lua:3: attempt to compare' <<<"$out") $(grep -c ^patchday <<<"$out")" "2 1 1"
echo 'return pd.workflow {' >"$tmp/broken.lua"
author check "$tmp/broken.lua"
is "a script that is no Lua" "$rc" 2

# ---- tests that are not written as they have to be
broken()
{
	printf '%s\n' "$2" >"$tmp/broken.test"
	author test "$tmp/broken.test"
	like "$1" "$rc $(tr '\n' ' ' <<<"$out")" "$3"
}
broken "a section that there is not" "@SCRIPTS" '^2 .*broken.test:1: .*did you mean @SCRIPT\?'
broken "neither a script nor a workflow" "@RUN" '^2 .*@WORKFLOW and @SCRIPT'
broken "an outcome that there is not" "@SCRIPT
mine.lua
@OUTCOMES
prove/probe.tcp faild it" '^2 .*broken.test:4: .*did you mean failed'
broken "a step that the plan does not have" "$(sed 's,^prove/probe.tcp failed,prove/probe.tcq failed,' "$tmp/mine.test")" \
	"^2 BROKEN .*no step 'prove/probe.tcq'; did you mean 'prove/probe.tcp'"
broken "all that is wrong with a test, at once" "@SCRIPT
mine.lua
@FACT
{}
@PARAMS
no value
safe=/a
safe=/b
@OPTIONS
accept-no-returns=x
@OUTCOMES
prove/probe.tcp faild it
@OUTPUTS
save/backup.state archive
save/backup.state archive=/x
@PARAMS
@EXPECT
@OUTPUTS" '^2 BROKEN .*broken.test:3: .*did you mean @FACTS\?.*:6: NAME=VALUE is.*:8: safe is there twice.*:10: there is no option.*:12: .*did you mean failed.*:14: STEP NAME=JSON.*:15: STEP NAME=JSON.*:16: @PARAMS is there twice.*:18: @OUTPUTS is there twice.*:9: @OPTIONS is about a run.*:11: @OUTCOMES is about.*Mend the line.* 1 test, 0 failed, 1 can.t be used'
# the test of mine with other lines about its steps
said() { sed "s|^prove/probe.tcp failed.*|&\n$1|" "$tmp/mine.test"; }
written=$(author test "$tmp/mine.test"; grep -n '^prove/probe.tcp failed' "$tmp/mine.test" | cut -d: -f1)
broken "an output that a step does not have" "$(said '@OUTPUTS\nsave/backup.state archve="x"\nsave/backup.state archive=5\nsave/backup.state archive="y"')" \
	"^2 .*archive of save/backup.state is there twice"
broken "or one of another type, each told" "$(said '@OUTPUTS\nsave/backup.state archve="x"\nsave/backup.state archive=5')" \
	"^2 BROKEN .*broken.test:$((written + 2)): save/backup.state: it has no output 'archve'; did you mean 'archive'\?.*:$((written + 3)): save/backup.state: its output 'archive' is a path: 5 is none"
broken "an outcome that can't be" "$(said 'save/backup.verify undo failed x\nprepare/host.space apply irreversible x\nprepare/host.space verify refused x\nsafe/x failed')" \
	"^2 BROKEN .*:$((written + 1)): save/backup.verify: it has no undo.*:$((written + 2)): prepare/host.space: irreversible is a result of check, not of apply.*:$((written + 3)): prepare/host.space: .*:$((written + 4)): the plan has no step 'safe/x'"
broken "an outcome that nothing comes to" "$(said 'prove/probe.tcp apply changed')" \
	"^2 BROKEN .*:$((written + 1)): nothing came to this outcome: prove/probe.tcp was not called in apply so often.*"
author test --update "$tmp/broken.test"
is "also when its expectations would be written anew" "$rc $(grep -c 'nothing came' <<<"$out")" "2 1"
author test --json "$tmp/broken.test"
is "in JSON it is an error of the file, as what can't be read is" "$rc $(jq -c '.[0] | [.ok, .difference, .errors[].id]' <<<"$out")" \
	'2 [false,"","test-shape"]'
sed -i '/^@RUN/,$d' "$tmp/broken.test"
printf '@RUN\ndone\n' >>"$tmp/broken.test"
author test "$tmp/broken.test"
like "where the course is another one, too, that is what failed" "$rc $(tr '\n' ' ' <<<"$out")" \
	'^1 FAILED .*@RUN .*nothing came to this outcome'
author test --update "$tmp/broken.test"
like "and when that is written anew, both are told" "$rc $(tr '\n' ' ' <<<"$out")" \
	'^2 BROKEN .*its expectations were written anew .*nothing came to this outcome'
like "and it was" "$(tail -2 "$tmp/broken.test")" "^status [0-9]\$"
broken "a script that is not there" "@SCRIPT
nothing.lua
@RUN" '^1 .*there is no workflow nothing.lua'
author test "$tmp/mine.test" "$tmp/nothing.test"
is "a test that is not there is an error, whatever was run before on paper" "$rc" 2
mkdir "$tmp/t"
cp "$tmp/mine.lua" "$tmp/t"
cp "$tmp/mine.test" "$tmp/t/b.test"
: >"$tmp/t/a.test"
: >"$tmp/t/c.test"
author test "$tmp/t"
is "files that can't be used do not hide the others" "$rc $(sed -n "s,^\([a-zA-Z][a-zA-Z]*\) *$tmp/t/,\1 ,p" <<<"$out" | xargs) $(tail -1 <<<"$out")" \
	"2 BROKEN a.test ok b.test BROKEN c.test 3 tests, 0 failed, 2 can't be used"
author test --json "$tmp/nothing.test" "$tmp/empty" "$tmp/t"
is "also in JSON, and such as are not there" "$rc $(jq -r '.[] | "\(.test | split("/") | last) \(.ok) \(.errors[0].id)"' <<<"$out" | xargs)" \
	"2 nothing.test false file-read empty false usage a.test false test-shape b.test true null c.test false test-shape"
author check --json "$tmp/nothing.lua" "$tmp/bad.lua" nothing "$tmp/mine.lua"
is "nor do scripts that are not there" "$rc $(jq -r '.[].id' <<<"$out" | sort | uniq -c | xargs)" "2 1 argument-unknown 2 workflow-none 3 workflow-script"

# ---- the courses of the roles
author test "$PD_SRCDIR/tests/workflows"
is "every role takes the courses that are written down" "$rc" 0
[ "$rc" = 0 ] || echo "$out"
is "of file-print there are ten" "$(grep -c '^ok .*/file-print-' <<<"$out")" 10
is "of database there are five" "$(grep -c '^ok .*/database-' <<<"$out")" 5

# ---- the rollback plan
sed -n '/^@CATALOG/,/^@/p' "$tmp/mine.test" | grep -v '^@' >"$tmp/due.xml"
sed -n '/^@FACTS/,/^@/p' "$tmp/mine.test" | grep -v '^@' >"$tmp/facts.json"
places=("${real[@]}")
pd plan --rollback --facts "$tmp/facts.json" --catalog "$tmp/due.xml" file-print --param share=data
like "a rollback plan begins with what came last" "$out" 'step of "install" fails.*
   1  undo      install/update.install'
pd plan --rollback --json --facts "$tmp/facts.json" --catalog "$tmp/due.xml" file-print --param share=data
is "what is held comes back where it is held" \
	"$(jq -r '.[] | "\(.stage): \([.steps[] | select(.action == "give back").step] | join(","))"' <<<"$out" | xargs)" \
	"install: hold/schedule.hold prove: null:"
# stages whose failure is passed over are named
told=(--facts "$tmp/told.json" --catalog "$tmp/due.xml" generic --param running=cron --param tell=root)
jq '.packages += [{"name": "clamav-freshclam", "version": "1.4.3", "arch": "amd64", "scheme": "deb"}]' "$tmp/facts.json" >"$tmp/told.json"
pd plan --rollback "${told[@]}"
like "a rollback plan names the stages that the run goes on behind" "$(tail -3 <<<"$out" | xargs -d '\n')" \
	'^if a step of "definitions" or "tell" fails, that is a warning, and the run goes on with the next step\. +if any other stage fails, the run stops for a person'
pd plan --rollback --json "${told[@]}"
is "also in JSON" "$(jq -r '.[] | select(.goes_on) | "\(.stage) \(.steps | length)"' <<<"$out" | xargs)" "definitions 0 tell 0"
# parameters that have no effect without another one, or lack one, are refused
while IFS='|' read -r role values said; do
	read -ra given <<<"$values"
	pd plan --json --facts "$tmp/facts.json" --catalog "$tmp/due.xml" "$role" "${given[@]/#/--param=}"
	like "$role $values" "$rc $(jq -r '.error | "\(.id) \(.message)"' <<<"$out")" "^2 workflow-parameter .*$said"
done <<'END'
file-print|share=a medium_to=/srv/rear backup_at=/x|'medium_to' has no effect without 'critical'
file-print|share=a backup_at=/x|'backup_at' has no effect without 'backup_by'
file-print|share=a backup_age=2d|'backup_age' has no effect without 'backup_by'
file-print|share=a password=file:/root/a|'password' has no effect without 'user'
file-print|share=a driver_match=pci:1:2|'driver_match' has no effect without 'driver'
generic|critical=true medium_password=file:/root/a|'medium_password' has no effect without 'medium_to' or 'medium_stick'
generic|critical=true medium_to=/srv/a medium_stick=REAR-000|'medium_to' and 'medium_stick' are two places
generic|scanner_update=/opt/update|'scanner_update' has no effect without 'scanner_definitions'
generic|scanner_definitions=/opt/data|'scanner_definitions' has no effect without 'scanner_update'
generic|timezone=UTC|'timezone' has no effect without 'windows'
generic|away_key=/root/key|'away_key' has no effect without 'away_ssh'
generic|away_ssh=vault/srv|'vault/srv' is not USER@HOST:/PATH
generic|snapshot=root|'root' is neither where a subvolume is mounted nor VG/LV
generic|snapshot=/ snapshot_size=1GiB|'snapshot_size' has no effect without a logical volume
generic|unsure=true|'unsure' has no effect without 'source'
generic|ca=/root/ca.pem|'ca' has no effect without 'pages'
generic|ports=smtp|"smtp" is not PORT or HOST:PORT
generic|backup_by=file backup_at=/srv|backup_by=file needs parameter 'backup_name'
generic|backup_by=borg|backup_by=borg needs parameter 'backup_at'
generic|backup_by=restic backup_at=/srv|backup_by=restic needs parameter 'backup_password'
generic|backup_by=restic backup_password=file:/root/a|needs one of the parameters 'backup_at' and 'backup_file'
generic|backup_by=bacula backup_at=a-fd backup_paths=/etc|'backup_paths' has no effect with backup_by=bacula
generic|backup_by=borg backup_at=/srv backup_proof=a|'backup_proof' has no effect with backup_by=borg
database|prove=read scratch=/srv/a|'scratch' has no effect with prove=read
domain-controller|roles_to=dc2|'roles_to' has no effect without 'admin_password'
END
# what no step can be made for stands in the plan, for people and in JSON
drivers=$PD_SRCDIR/tests/plans/roles/generic-drivers.test
sed -n '/^@CATALOG/,/^@/p' "$drivers" | grep -v '^@' >"$tmp/drivers.xml"
sed -n '/^@FACTS/,/^@/p' "$drivers" | grep -v '^@' >"$tmp/drivers.json"
of_drivers=(--facts "$tmp/drivers.json" --catalog "$tmp/drivers.xml" generic --param running=cron)
pd plan --json "${of_drivers[@]}"
is "what is left out of a plan is in its JSON" "$(jq -r '.notes[] | select(contains("left out"))' <<<"$out" | sort | uniq -c | sed 's/^ *//' | head -2)" \
	"1 asks is left out: there is no package source to take it from
1 bios is left out: there is no package source to take it from"
pd plan "${of_drivers[@]}"
is "and in its text, each once" "$(grep -c '^     - .* is left out: there is no package source' <<<"$out")" 9
# section NAME FILE: of a test
section() { sed -n "/^@$1\$/,/^@/p" "$2" | grep -v '^@'; }
for role in file-print database web-proxy web mail domain-controller generic; do
	golden=$PD_SRCDIR/tests/plans/roles/$role.test
	section CATALOG "$golden" >"$tmp/role.xml"
	section FACTS "$golden" >"$tmp/role.json"
	mapfile -t values < <(section PARAMS "$golden" | sed 's/^/--param=/')
	pd plan --rollback --facts "$tmp/role.json" --catalog "$tmp/role.xml" "$role" "${values[@]}"
	is "the page of $role has its rollback plan" "$(sed -n '/^    rollback plan/,/^    if any other stage/s/^    //p' "$PD_SRCDIR/doc/role-$role.md")" \
		"$(sed '/^$/d' <<<"$out")"
	pd plan --json --facts "$tmp/role.json" --catalog "$tmp/role.xml" "$role" "${values[@]}"
	is "and its questions" "$(sed -n '/^## Questions/,/^## /p' "$PD_SRCDIR/doc/role-$role.md" | grep -o '`[a-z]*`' | tr -d '`' | sort -u | xargs)" \
		"$(jq -r '.questions[].name' <<<"$out" | sort | xargs)"
done
places=("${steps[@]}")

# ---- what a script prints is told with the name of the test
cat >"$tmp/says.test" <<'END'
@WORKFLOW
local pd = require "patchday"
return pd.workflow { api = 1, name = "says", plan = function(t)
	print("looking", 5)
	return pd.nothing "x"
end }
@EXPECT
workflow says for server, plan ...
nothing to do: x
END
cp "$tmp/says.test" "$tmp/word.test"
author test "$tmp/says.test" "$tmp/word.test"
is "a word of a script has its test before it" "$rc $(grep looking <<<"$out")" "0 $tmp/says.test: w.lua:3: looking 5
$tmp/word.test: w.lua:3: looking 5"
sed -n '/^local/,/^end/p' "$tmp/says.test" >"$tmp/says.lua"
pd plan "$tmp/says.lua" --catalog "$tmp/due.xml" --facts "$tmp/facts.json"
is "which a plan has not" "$(grep looking <<<"$out")" "says.lua:3: looking 5"

# ---- a run on paper leaves the server alone
printf '%s\n' "$before" >"$tmp/mine.lua"
mkdir -p "$tmp/state-before"
author test "$tmp/mine.test" --state "$tmp/never"
check "not even a state folder is made" test ! -e "$tmp/never"

# on an overlay files and folders have other device numbers
mkdir "$tmp/upper"
left=$(unshare -m bash -c '
	mount -t tmpfs none "$1/upper" && mkdir "$1/upper/up" "$1/upper/work" &&
		mount -t overlay -o "lowerdir=/usr/share/misc,upperdir=$1/upper/up,workdir=$1/upper/work" none /tmp ||
		{ echo "no overlay"; exit; }
	shift
	"$@" >/dev/null 2>&1
	ls -d /tmp/patchday-* 2>/dev/null' bash "$tmp" "${patchday[@]}" workflow test "${real[@]}" "$tmp/mine.test")
if [ "$left" = "no overlay" ]; then
	echo "# skip an overlay on /tmp: it can't be mounted here"
else
	empty "nothing is left where folders lie on an overlay" "$left"
fi

# ---- a real run, written down
f=$tmp/f
workflow recorded <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/a", text = "A" }, steps.write { path = "$f/b", fail = "apply" } },
END
echo '<catalog xmlns="urn:patchday:catalog:1"/>' >"$tmp/none.xml"
echo '{"os": {"hostname": "alpha"}}' >"$tmp/alpha.json"
pd run "$tmp/recorded.lua"
is "a run is rolled back" "$rc" 1
pd workflow record "$tmp/lists.test" --facts "$tmp/alpha.json"
is "one that used the server's own lists has the updates of its plan" "$rc $(sed -n '/^@CATALOG/,/^@FACTS/p' "$tmp/lists.test" | xargs)" \
	'0 @CATALOG <?xml version=1.0 encoding=UTF-8?> <catalog xmlns=urn:patchday:catalog:1> </catalog> @FACTS'
pd workflow record "$tmp/recorded.test" --catalog "$tmp/none.xml" --facts "$tmp/alpha.json"
is "it is written down" "$rc $(stat -c %a "$tmp/recorded.test")" "0 600"
like "with how it ended" "$(cat "$tmp/recorded.test")" '^one/steps.write#2 apply failed told to fail in apply$'
is "its script is found beside it, wherever both go" "$(sed -n '/^@SCRIPT/{n;p}' "$tmp/recorded.test")" recorded.lua
like "what steps gave" "$(cat "$tmp/recorded.test")" "^one/steps.write path=\"$f/a\"\$"
like "and its course" "$(cat "$tmp/recorded.test")" '^=          rolled back: one/steps.write#2: told to fail in apply$'
rm -f "$f"/*
pd workflow test "$tmp/recorded.test"
is "played again it takes the same course" "$rc" 0
empty "and touches nothing" "$(ls "$f")"
pd workflow record "$tmp/recorded.test"
is "nothing is overwritten" "$rc" 2
sed -i 's|text = "A" },|& steps.write { path = "/new", id = "new" },|' "$tmp/recorded.lua"
pd workflow test "$tmp/recorded.test"
like "a course that leaves the run is told with the first step where it does" "$rc $(tr '\n' ' ' <<<"$out")" \
	'^1 .*leaves the run that was recorded at line 2 of it:   - failed +one/steps.write#2: told to fail in apply   \+ done +one/new '
pd workflow test --update "$tmp/recorded.test"
like "what is written anew is that of the run no more" "$out" 'what was recorded was taken out of it'
pd workflow test "$tmp/recorded.test"
is "and is what is expected from then on" "$rc $(grep -c RECORDED "$tmp/recorded.test")" "0 0"
pd workflow record "$tmp/other.test" --catalog "$tmp/none.xml" --facts "$tmp/alpha.json"
like "a recording that is no more what its script does says so" "$rc $out" '^1 .*/other.test
  the course leaves the run that was recorded at line 2'
check "and is kept" test -s "$tmp/other.test"
workflow again <<END
pd.stage "one" { on_failure = "undo", steps.write { path = "$f/c" }, steps.write { path = "$f/d", fail = "retry" } },
END
pd run "$tmp/again.lua"
pd workflow record "$tmp/again.test" --catalog "$tmp/none.xml" --facts "$tmp/alpha.json"
like "a step that was tried again is played so" "$rc $(sed -n '/^@RUN/,$p' "$tmp/again.test" | tr '\n' ' ')" \
	'^0 @RUN done .*(retry +one/steps.write#2: the other side is busy ){2}done +one/steps.write#2 =  '

# ---- one workflow for servers of both kinds
cat >"$tmp/both.lua" <<'END'
local pd = require "patchday"
return pd.workflow { api = 1, name = "both",
	plan = function(t) return { pd.install(t, { updates = t.catalog:needed(), source = "/srv/packages" }) } end,
}
END
# installs FAMILY SCHEME: the steps that it plans for such a server
installs()
{
	cat >"$tmp/both.test" <<-END
		Such a server.
		@SCRIPT
		both.lua
		@FACTS
		{"os": {"hostname": "server", "arch": "x86_64", "family": "$1"}, "packages": [
		 {"name": "a", "version": "1-1", "arch": "x86_64", "scheme": "$2"}]}
		@CATALOG
		<catalog xmlns="urn:patchday:catalog:1"><update id="A" kind="security"><title>t</title>
		<package name="a" version="2-1" arch="x86_64" scheme="$2"/></update></catalog>
		@EXPECT
	END
	author test --update "$tmp/both.test"
	grep -o '[a-z]*\.install' "$tmp/both.test" | grep -v ^pd | sort -u
}
is "a server with rpm packages gets the step of rpm" "$(installs rpm rpm)" rpm.install
is "one with Debian packages that of update" "$(installs debian deb)" update.install
end
