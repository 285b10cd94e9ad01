#!/bin/bash
# SPDX-License-Identifier: MIT
# Before and after: what differs, which step explains it, and what nobody does.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f

# A row of the comparison: its explanation, "unexplained", or nothing.
row()
{
	"${patchday[@]}" status --json | jq -r --arg kind "$1" --arg key "$2" '
		.comparison.differences[] | select(.kind == $kind and .key == $key) |
		if .by then (.by | join(" ")) + (if .through then " through " + .through else "" end)
		else "unexplained" end'
}

counts()
{
	"${patchday[@]}" status --json | jq -r '.comparison | "\(.explained) \(.unexplained)"'
}

# How often an event of a kind was journaled.
events()
{
	"${patchday[@]}" status --follow --events | jq -r --arg kind "$1" --arg when "${2-}" '
		select(.kind == $kind and ($when == "" or .data.when == $when)) | .n' | wc -l
}

cat >"$tmp/server" <<'END'
packages name=alpha version=1 arch=all
packages name=beta version=1 arch=all
packages name=gamma version=1 arch=all
services name=named.service state=active enabled=enabled
services name=owned.service state=active enabled=enabled package=alpha
services name=other.service state=active enabled=enabled package=beta
listeners protocol=tcp address=:: port=80 unit=owned.service
printers name=laser state=idle
shares name=data path=/srv/data
jobs name=/etc/cron.d/x command=true schedule=daily
errors unit=kernel message=old count=1
END
cat >"$tmp/server.after" <<'END'
packages name=alpha version=2 arch=all
packages name=beta version=2 arch=all
packages name=gamma version=1 arch=all
services name=named.service state=inactive enabled=enabled
services name=owned.service state=failed enabled=enabled package=alpha
services name=other.service state=inactive enabled=enabled package=beta
listeners protocol=tcp address=:: port=81 unit=owned.service
printers name=laser state=stopped
shares name=data path=/srv/other
jobs name=/etc/cron.d/x command=true schedule=weekly
errors unit=alpha message=new count=3
END

workflow look <<END
pd.stage "one" { steps.noop {} },
END
pd run "$tmp/look.lua"
is "a run that can change nothing is not compared" "$rc $(events scan) $(counts)" "0 0 null null"

workflow same <<END
pd.stage "one" { steps.write { path = "$f/a" } },
END
pd run "$tmp/same.lua"
is "a run in which nothing changes has no difference" "$rc $(events scan) $(counts)" "0 2 0 0"

# what a step writes names alpha and named; a noop names nothing
workflow flip <<END
pd.stage "one" { steps.write { path = "$f/a", text = "alpha:all to 2, (named) /srv/other" },
  steps.write { path = "$tmp/server.flip" }, steps.write { path = "$f/b", text = "alphabeta laser2" } },
END
# which the step remembers as what was there before
echo "beta" >"$f/b"
pd run "$tmp/flip.lua"
is "the run is done" "$rc" 0
is "a step that names the package explains it" "$(row packages 'alpha all')" one/steps.write
is "a package that no step names is unexplained" "$(row packages 'beta all')" unexplained
is "a package that is as it was is no difference" "$(row packages 'gamma all')" ""
is "a unit may be named without its ending" "$(row services named.service)" one/steps.write
is "a unit is explained through its package" "$(row services owned.service)" "one/steps.write through package alpha"
is "but not through one that is unexplained itself" "$(row services other.service)" unexplained
is "a port is explained through its unit's package" "$(row listeners 'tcp :: 81')" "one/steps.write through package alpha"
is "a printer whose name is only part of a word is not named" "$(row printers laser)" unexplained
is "a share is named by its path too" "$(row shares data)" one/steps.write
is "a job is compared" "$(row jobs '/etc/cron.d/x true')" unexplained
is "a new message is never explained" "$(row errors 'alpha new')" unexplained
is "and one that is gone is no difference" "$(row errors 'kernel old')" ""
is "all are counted" "$(counts)" "6 5"
like "the end of the run says so" "$out" 'before and after: 5 unexplained, 6 explained'
like "and lists what nobody explains" "$out" 'unexplained: packages beta all changed version 1 -> 2'
pd report
like "so does the report" "$out" 'unexplained printers laser changed state: idle -> stopped'
like "with what explains the others" "$out" 'services owned.service changed state: active -> failed, by one/steps.write \(package alpha\)'
pd report --format xml
printf '%s' "$out" >"$tmp/report.xml"
xpath()
{
	xmllint --xpath "string(//*[local-name()='$1']$2)" "$tmp/report.xml"
}
pd report --format csv
kind() { tr -d '\r' <<<"$out" | grep ',"difference",' | cut -d, -f4- | grep -F "$1"; }
is "the table has a row for each difference" "$(kind , | wc -l)" 11
is "with its kind of fact, name, field and values, and what explains it" "$(kind '"owned.service"')" \
	'"one/steps.write","","explained","changed","","","","package alpha","services","owned.service","state","active","failed","","","",""'
is "or that nothing does" "$(kind '"laser"')" '"","","unexplained","changed","","","","","printers","laser","state","idle","stopped","","","",""'
is "the certificate has the counts" "$(xpath comparison /@unexplained)" 5
is "and each difference" "$(xpath difference "[@key='named.service']/@explained-by")" one/steps.write
pd report --format html
like "and a page for people" "$out" 'Before and after \(5 unexplained, 6 explained\)'
path=$(xpath comparison "/*[local-name()='evidence'][1]/@path")
is "the scans are evidence with their digests" "$(sha256sum <"$path" | cut -c1-64) $(stat -c %a "$path")" \
	"$(xpath comparison "/*[local-name()='evidence'][1]/@sha256") 600"

# ---- a step that was not applied, or changes nothing by its kind, explains nothing
rm "$tmp/server.flip"
pd run "$tmp/flip.lua"
is "a step with nothing to do explains nothing" "$rc $(row packages 'alpha all')" "0 unexplained"

# ---- crashes, stops and undo
rm -rf "$tmp/server.flip" "$f" "$PATCHDAY_STATE"
mkdir "$f"
workflow kill <<END
pd.stage "one" { steps.write { path = "$tmp/server.flip" },
  steps.write { path = "$f/k", kill = true, mark = "$f/mark" }, steps.write { path = "$f/l", fail = "apply" } },
END
pd run "$tmp/kill.lua"
is "the engine was killed" "$rc $(events scan before)" "137 1"
pd resume
is "a run that stops is not compared yet" "$rc $(events scan before) $(events scan after)" "5 1 0"
pd resume
pd undo
is "one that is undone is, with the one scan before it" "$rc $(events scan before) $(events scan after)" "1 1 1"
is "what came back is no difference" "$(counts)" "0 0"

workflow early <<END
pd.stage "one" { steps.write { path = "$f/e", fail = "check" } },
END
pd run "$tmp/early.lua" --accept-failing "it is a test"
pd resume --accept-failing "it is a test"
is "a resume before any step has acted does not scan again" "$rc $(events scan before)" "5 1"
pd undo

# ---- nothing of this ever fails a run
printf 'fail\n' >>"$tmp/server.after"
workflow broken <<END
pd.stage "one" { steps.write { path = "$tmp/server.flip", text = "alpha" } },
END
pd run "$tmp/broken.lua"
is "a scanner that fails does not fail the run" "$rc $(state)" "0 done"
like "what it reports is said not to be compared" "$out" 'not compared: .*packages, '
pd report
like "and the reason is a warning" "$out" 'warning: comparison, after: .*told to fail in scan'
sed -i '$d' "$tmp/server.after"
rm "$tmp/server.flip"
workflow spoil <<END
pd.stage "one" { steps.write { path = "$tmp/server.flip" },
  steps.write { path = "$f/m", fail = "apply" } },
END
pd run "$tmp/spoil.lua"
echo >>"$(find "$PATCHDAY_STATE/runs" -name 'facts-before*' -newer "$tmp/spoil.lua" | tail -1)"
pd undo
is "a scan that was changed since is not believed" "$rc $(counts)" "1 null null"
pd report
like "and the report says so" "$out" 'warning: comparison, before: .*was changed after it was written'

# ---- a server whose packages can't be read needs nobody knows what
cp "$PD_BUILDDIR/plugins/native/.libs/native.so" "$tmp/plugins/"
cat >"$tmp/due.xml" <<'END'
<catalog xmlns="urn:patchday:catalog:1">
 <update id="A-1" kind="security"><title>alpha</title><package name="alpha" version="2" scheme="deb"/></update>
</catalog>
END
workflow due <<END
#t.catalog:needed() > 0 and steps.write { path = "$f/due" } or steps.noop {},
END
rm -rf "$tmp/server.flip" "$f/due"
sed -i 's/^packages .*/& scheme=deb/' "$tmp/server"
pd plan --catalog "$tmp/due.xml" "$tmp/due.lua"
is "an update that is needed is planned" "$rc $(grep -c "$f/due" <<<"$out")" "0 1" || printf "%s\n" "$out"
echo fail >>"$tmp/server"
pd run --catalog "$tmp/due.xml" "$tmp/due.lua"
is "where packages can't be read, no plan is made" "$rc $([ -e "$f/due" ] && echo due)" "2 "
like "and the scanner says why" "$out" "due.lua:[0-9]+: .*the packages of this server can't be read: steps.file: .*told to fail in scan \[facts-unread\]"
cat >"$tmp/helper.lua" <<'END'
local pd = require "patchday"
local function due(t)
	return t.catalog:needed()
end
return pd.workflow { api = 1, name = "helper", plan = function(t) return due(t) end }
END
pd plan --catalog "$tmp/due.xml" "$tmp/helper.lua"
like "in the function that asks for them" "$out" 'helper.lua:3: .*\[facts-unread\]'
pd plan "$tmp/look.lua"
is "a plan that asks for none is made" "$rc" 0
end
