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
author new web --to "$tmp"
is "a new workflow is written" "$rc $(cd "$tmp" && ls web.*)" "0 web.lua
web.test"
author check "$tmp/web.lua"
is "nothing is wrong with it" "$rc" 0
author test "$tmp/web.test"
is "and its test passes" "$rc $(tail -1 <<<"$out")" "0 1 test, 0 failed"
like "it takes back what it did" "$(cat "$tmp/web.test")" '^=          rolled back: prove/probe.tcp: the port is closed$'
before=$(cat "$tmp/web.lua")
echo "-- mine" >>"$tmp/web.lua"
author new web --to "$tmp"
is "it overwrites nothing" "$rc $(tail -1 "$tmp/web.lua")" "2 -- mine"
author new "Not a name" --to "$tmp"
is "a name is a name" "$rc" 2
printf '%s\n' "$before" >"$tmp/web.lua"

# ---- a test that does not come out as written
sed -i 's/on_failure = "undo",$/on_failure = "stop",/' "$tmp/web.lua"
author test "$tmp/web.test"
is "another course of the run is seen" "$rc" 1
like "with what was promised" "$out" '^  - undone     install/update.install$'
like "and what came" "$out" '^  \+ =          stopped: prove/probe.tcp: the port is closed$'
author test --json "$tmp/web.test"
is "also in JSON" "$(jq -r '.[].ok' <<<"$out")" false
author test --update "$tmp/web.test"
author test "$tmp/web.test"
is "until it is what is promised" "$rc" 0

# ---- all faults at once
printf '%s\n' "$before" | sed 's/eventlog.export/eventlog.exprt/; s/host.space {/host.spaces {/; s/t.catalog:needed/t.catalog:neded/; s/fail_on =/fail_onn =/' >"$tmp/bad.lua"
author check "$tmp/bad.lua"
is "a script with four faults" "$rc $(grep -c 'did you mean' <<<"$out")" "2 4"
for word in exprt spaces neded fail_onn; do
	like "$word is named, with its line" "$out" "bad.lua:[0-9]+: .*'$word'"
done
author check --json "$tmp/bad.lua" "$tmp/web.lua"
is "also in JSON" "$(jq -r '.[].id' <<<"$out" | sort | uniq -c | xargs)" "1 argument-unknown 3 workflow-script"
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
web.lua
@OUTCOMES
prove/probe.tcp faild it" '^2 .*broken.test:4: .*did you mean failed'
broken "a step that the plan does not have" "$(sed 's,^prove/probe.tcp failed,prove/probe.tcq failed,' "$tmp/web.test")" \
	"^1 .*no step 'prove/probe.tcq'; did you mean 'prove/probe.tcp'"
broken "a script that is not there" "@SCRIPT
nothing.lua
@RUN" '^1 .*there is no workflow nothing.lua'
author test "$tmp/web.test" "$tmp/nothing.test"
is "a test that is not there is an error, whatever was run before on paper" "$rc" 2

# ---- the courses of the roles
author test "$PD_SRCDIR/tests/workflows"
is "every role takes the courses that are written down" "$rc" 0
[ "$rc" = 0 ] || echo "$out"
is "of file-print there are ten" "$(grep -c '^ok .*/file-print-' <<<"$out")" 10
is "of database there are five" "$(grep -c '^ok .*/database-' <<<"$out")" 5

# ---- the rollback plan
sed -n '/^@CATALOG/,/^@/p' "$tmp/web.test" | grep -v '^@' >"$tmp/due.xml"
sed -n '/^@FACTS/,/^@/p' "$tmp/web.test" | grep -v '^@' >"$tmp/facts.json"
places=("${real[@]}")
pd plan --rollback --facts "$tmp/facts.json" --catalog "$tmp/due.xml" file-print --param share=data
like "a rollback plan begins with what came last" "$out" 'step of "install" fails.*
   1  undo      install/update.install'
pd plan --rollback --json --facts "$tmp/facts.json" --catalog "$tmp/due.xml" file-print --param share=data
is "what is held comes back where it is held" \
	"$(jq -r '.[] | "\(.stage): \([.steps[] | select(.action == "give back").step] | join(","))"' <<<"$out" | xargs)" \
	"install: hold/schedule.hold prove: null:"
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
done
places=("${steps[@]}")

# ---- a run on paper leaves the server alone
printf '%s\n' "$before" >"$tmp/web.lua"
mkdir -p "$tmp/state-before"
author test "$tmp/web.test" --state "$tmp/never"
check "not even a state folder is made" test ! -e "$tmp/never"

# on an overlay files and folders have other device numbers
mkdir "$tmp/upper"
left=$(unshare -m bash -c '
	mount -t tmpfs none "$1/upper" && mkdir "$1/upper/up" "$1/upper/work" &&
		mount -t overlay -o "lowerdir=/usr/share/misc,upperdir=$1/upper/up,workdir=$1/upper/work" none /tmp ||
		{ echo "no overlay"; exit; }
	shift
	"$@" >/dev/null 2>&1
	ls -d /tmp/patchday-* 2>/dev/null' bash "$tmp" "${patchday[@]}" workflow test "${real[@]}" "$tmp/web.test")
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
pd workflow record "$tmp/recorded.test" --catalog "$tmp/none.xml" --facts "$tmp/alpha.json"
is "it is written down" "$rc $(stat -c %a "$tmp/recorded.test")" "0 600"
like "with how it ended" "$(cat "$tmp/recorded.test")" '^one/steps.write#2 apply failed told to fail in apply$'
like "what steps gave" "$(cat "$tmp/recorded.test")" "^one/steps.write path=\"$f/a\"\$"
like "and its course" "$(cat "$tmp/recorded.test")" '^=          rolled back: one/steps.write#2: told to fail in apply$'
rm -f "$f"/*
pd workflow test "$tmp/recorded.test"
is "played again it takes the same course" "$rc" 0
empty "and touches nothing" "$(ls "$f")"
pd workflow record "$tmp/recorded.test"
is "nothing is overwritten" "$rc" 2

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
