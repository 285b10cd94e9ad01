#!/bin/bash
# SPDX-License-Identifier: MIT
# A workflow with its catalogs, assets and tests as one signed file: built, proved,
# installed, planned and run from, and taken away.  What becomes of one that was
# tampered with is in tests/unit/test_package.c.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
command -v jq >/dev/null || skip "jq is not installed"
f=$tmp/f
cd "$tmp" || exit 99
cp "$PD_BUILDDIR"/plugins/native/.libs/native.so plugins/
pd final --make-key --key "$tmp/a.key"
pd final --make-key --key "$tmp/b.key"

# ---- what is packed
mkdir -p web/catalogs web/assets/pages
cat >web/web.lua <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "web", role = "test", help = "a test",
  params = { assets = pd.path { default = "/none" }, to = pd.path { default = "$f/page" } },
  plan = function(t)
    return { pd.stage "one" { steps.write { path = t.params.to, text = t.params.assets } },
      pd.stage "two" { steps.noop {} } }
  end }
END
cat >web/catalogs/updates.xml <<END
<catalog xmlns="urn:patchday:catalog:1">
  <update id="U-1" kind="security"><title>one</title><package name="a" version="2" scheme="deb"/></update>
</catalog>
END
echo page >web/assets/pages/index.html
printf '#!/bin/sh\n' >web/assets/tool
chmod 755 web/assets/tool
echo '# web' >web/README.md
printf 'Its course.\n@SCRIPT\nweb\n@RUN\n' >web/web.test
pd workflow test --update web/web.test
is "the test that is packed passes" "$rc" 0
echo '{"os": {"hostname": "alpha"}, "packages": [{"name": "a", "version": "1", "scheme": "deb"}]}' >alpha.json

pd package build web --version 1.2 --key a.key
is "a package is built" "$rc $(ls ./*.pdpkg)" "0 ./web-1.2.pdpkg"
[ "$rc" = 0 ] || echo "$out"
like "with its digest" "$out" "^web-1.2.pdpkg: 6 files, .*, sha256 $(sed -n 5p web-1.2.pdpkg | sha256sum | cut -d' ' -f1)\$"
manifest=$(sed -n 5p web-1.2.pdpkg)
is "the manifest has every file" "$(jq -r '.files[] | "\(.path) \(.mode)"' <<<"$manifest" | xargs)" \
	"README.md 0644 assets/pages/index.html 0644 assets/tool 0755 catalogs/updates.xml 0644 web.lua 0644 web.test 0644"
is "each with its digest" "$(jq -r '.files[] | "\(.sha256)  \(.path)"' <<<"$manifest")" \
	"$(cd web && sha256sum README.md assets/pages/index.html assets/tool catalogs/updates.xml web.lua web.test)"
is "and what is needed" "$(jq -c '[.name, .version, .workflow, .api, .needs]' <<<"$manifest")" \
	'["web","1.2","web.lua",1,[{"plugin":"steps","steps":["noop","write"]}]]'
is "the payload is a tar archive of them, for any tar" "$(sed 1,5d web-1.2.pdpkg | tar t | xargs)" \
	"README.md assets/pages/index.html assets/tool catalogs/updates.xml web.lua web.test"
is "with the digest that is signed" "$(sed 1,5d web-1.2.pdpkg | sha256sum | cut -d' ' -f1)" \
	"$(jq -r .payload.sha256 <<<"$manifest")"
sed -n 1,4p web-1.2.pdpkg >manifest.minisig
sed -n 5p web-1.2.pdpkg >manifest
if command -v minisign >/dev/null; then
	check "minisign proves it without us" minisign -Vqm manifest -x manifest.minisig -p a.pub
fi
pd catalog verify manifest --signature manifest.minisig --key a.pub
is "as a signature of a catalog is proved" "$rc" 0
pd package build web --version 1.2 --key a.key
is "nothing is overwritten" "$rc $(grep -o '\[.*\]' <<<"$out")" "2 [file-exists]"
cp -r web other
find other -exec touch -d 2020-01-01 {} +
chmod -R go-rwx other
pd package build other --version 1.2 --key a.key --out again.pdpkg
check "the same files make the same bytes" cmp -s web-1.2.pdpkg again.pdpkg
pd package build web/web.lua --catalog web/catalogs/updates.xml --asset web/assets/pages --asset web/assets/tool \
	--test web/web.test --version 1.2 --key a.key --out parts.pdpkg --json
is "or of parts that are named" "$rc $(jq -r .files <<<"$out")" "0 5"

# ---- what is not packed
# refuses TEXT REGULAR-EXPRESSION: the folder broken, made anew after
refuses()
{
	pd package build broken --version 1.2 --key a.key --out broken.pdpkg
	like "$1" "$rc $(tr '\n' ' ' <<<"$out")" "^2 .*$2"
	check "and nothing is left of it" [ ! -e broken.pdpkg ] && [ ! -e broken.pdpkg.patchday-new ]
	rm -rf broken
	cp -r web broken
}
cp -r web broken
sed -i 's/steps.noop/steps.nop/' broken/web.lua
refuses "a script with a fault, by its line" "broken/web.lua:7: .*'nop'.*\[package-test\]"
sed -i 's/steps.noop {}/t.params.to == "x" and steps.nop {}/' broken/web.lua
refuses "also where no plan comes by" "broken/web.lua:7: plugin 'steps' has no step 'nop'; did you mean 'noop'.*\[package-test\]"
sed -i 's/write#*/wrote/; s/pending/other/; s/done/undone/' broken/web.test
refuses "a test that fails" "broken/web.test:1: the test does not come out .*\[package-test\]"
printf '@OUTPUTS\nnobody x=1\n' >>broken/web.test
refuses "a test that does not fit its plan, by its line" "broken/web.test:[1-9][0-9]: the plan has no step 'nobody'.*\[package-test\]"
sed -i 's/^web$/generic/' broken/web.test
refuses "a test of another script" "it is no test of this workflow; write: @SCRIPT web.lua"
sed -i 's/<title>/<name>/' broken/catalogs/updates.xml
refuses "a catalog that is none, by its line" "broken/catalogs/updates.xml:2:[0-9]+: .*\[package-test\]"
ln -s /etc/passwd broken/assets/link
refuses "a link" "broken/assets/link is a link.*\[package-source\]"
mkfifo broken/assets/fifo
refuses "a fifo" "broken/assets/fifo is no file.*\[package-source\]"
chmod 4755 broken/assets/tool
refuses "setuid" "broken/assets/tool is setuid.*\[package-source\]"
touch broken/assets/.secret
refuses "a hidden file" "broken/assets/.secret: .*begins with '\.'.*\[package-path\]"
touch broken/notes.txt
refuses "a file that has no place" "broken/notes.txt: .*\[package-path\]"
touch broken/assets/$'b\xe4d'
refuses "a file whose name is not UTF-8" 'broken/assets/b.xe4d: .*\[package-path\]'
mkdir broken/assets/$'d\xe4' && touch broken/assets/$'d\xe4/file'
refuses "a folder of such a name" 'broken/assets/d.xe4: .*\[package-path\]'
touch broken/notes.txt broken/assets/.secret broken/assets/"a b\\c"
ln -s /etc/passwd broken/assets/link
sed -i 's/<title>/<name>/' broken/catalogs/updates.xml
sed -i 's/steps.noop/steps.nop/' broken/web.lua
mkdir -p twice && touch twice/tool
pd package build broken --asset nowhere --asset twice/tool --version 1.2 --key a.key --out broken.pdpkg --json
is "all that is wrong is told at once, in JSON" "$rc $(for word in 'nowhere is missing' 'notes.txt: ' 'begins with' 'printable ASCII' 'is a link' 'would both be assets/tool' \
	updates.xml:2 web.lua:7; do jq -r .error.message <<<"$out" | grep -q -- "$word" && echo told; done | xargs)" \
	"2 told told told told told told told told"
refuses "and in text" "notes.txt: .*\[package-path\].*\[package-source\].*broken/web.lua:7: .*these are wrong with it"
touch broken/second.lua
refuses "two workflows" "2 workflow.*\[package-source\]"
rm broken/web.lua
refuses "none" "0 workflow.*\[package-source\]"
chmod 644 a.key
refuses "a key that others can read" "\[seal-key-open\]"
chmod 600 a.key
pd package build web --key a.key
like "a package has a version" "$rc $out" '^2 .*package-version'
pd package build web --key a.key --version 1.x
like "of numbers" "$rc $out" "^2 .*'1.x' is no version"

# ---- proved
pd package verify web-1.2.pdpkg --key a.pub --json
is "a package is proved" "$rc $(jq -r '"\(.name) \(.version) \(.state) \(.digest)"' <<<"$out")" \
	"0 web 1.2 verified $(sha256sum <manifest | cut -d' ' -f1)"
pd package verify web-1.2.pdpkg --key b.pub
like "not by another key" "$rc $out" '^2 .*another key.*\[package-signature\]'
chmod 666 a.pub
pd package verify web-1.2.pdpkg --key a.pub
is "nor by one that anybody can change" "$rc" 2
chmod 644 a.pub
head -c -1 web-1.2.pdpkg >cut.pdpkg
pd package verify cut.pdpkg --key a.pub
like "nor cut off" "$rc $out" '^2 .*\[package-damaged\]'
pd package verify web-1.2.pdpkg --key none.pub
like "a key that is not there" "$rc $out" "^2 .*none.pub: No such file or directory \\[file-read\\]"
pd package verify web/web.lua --key a.pub
like "nor what is none" "$rc $out" '^2 .*\[package-file\]'
pd package verify web-1.2.pdpkg --key a.pub --digest "$(sha256sum <alpha.json | cut -d' ' -f1)"
like "nor if another one is wanted" "$rc $out" '^2 .*\[package-damaged\]'
check "nothing was unpacked" [ ! -e "$PATCHDAY_STATE/workflows" ]

# ---- installed
pd package install cut.pdpkg --key a.pub
like "what is not proved is not installed" "$rc $out" '^2 .*\[package-damaged\]'
check "nothing of it is there" [ ! -e "$PATCHDAY_STATE/workflows" ]
pd package install web-1.2.pdpkg --key a.pub
is "a package is installed" "$rc" 0
[ "$rc" = 0 ] || echo "$out"
home=$PATCHDAY_STATE/workflows/web
is "as it was" "$(diff -r web "$home/current" | sort | xargs)" \
	"Only in $home/current: key.pub Only in $home/current: manifest.json Only in $home/current: manifest.json.minisig"
is "for its owner alone" "$(stat -c '%a %U' "$PATCHDAY_STATE/workflows" "$home" "$home/1.2" | sort -u)" "700 root"
is "modes are kept" "$(stat -c %a "$home/current/assets/tool" "$home/current/web.lua" | xargs)" "755 644"
pd package install web-1.2.pdpkg --key a.pub
like "again it is there already" "$rc $out" '^0 package web 1.2'
like "unchanged" "$out" 'unchanged, 6 files'
pd package list --json
is "it is listed" "$rc $(jq -r '.[] | "\(.name) \(.version) \(.current)"' <<<"$out")" "0 web 1.2 true"
is "and completed" "$("${patchday[@]}" complete -- plan we | grep package | cut -f1) $("${patchday[@]}" complete -- package use web 1)" \
	"web 1.2	current"
is "with its versions" "$("${patchday[@]}" complete -- plan web@)" "web@1.2	current"
is "its verbs too" "$("${patchday[@]}" complete -- package '' | xargs)" "build install list remove use verify"

# ---- planned and run from
pd plan web --facts alpha.json
is "it is planned from, by its name" "$rc $(head -1 <<<"$out")" \
	"0 package web 1.2, sha256 $(sha256sum <manifest | cut -d' ' -f1), signed by $(sed -n '1s/.* //p' a.pub)"
pd plan web --facts alpha.json --json
is "its assets are found" "$(jq -r .params.assets <<<"$out")" "$home/1.2/assets"
is "its catalogs are taken" "$(jq -r '.catalogs[].digest' <<<"$out")" "$(sha256sum <web/catalogs/updates.xml | cut -d' ' -f1)"
pd run web
is "it is run" "$rc $(cat "$f/page")" "0 $home/1.2/assets"
is "the journal has which one" "$("${patchday[@]}" status --json >/dev/null; sqlite3 "$PATCHDAY_STATE/journal.db" \
	"SELECT json_extract(data, '$.inputs.package.digest') FROM event WHERE kind = 'run'")" "$(sha256sum <manifest | cut -d' ' -f1)"
is "and what proves its catalogs" "$(sqlite3 "$PATCHDAY_STATE/journal.db" \
	"SELECT json_extract(data, '$.inputs.catalogs[0].trust') FROM event WHERE kind = 'run'")" \
	"minisign $(sed -n '1s/.* //p' a.pub) (package web 1.2)"

# ---- drift
echo more >>"$home/1.2/web.lua"
pd plan web --facts alpha.json
like "one that was changed is not planned from" "$rc $out" '^2 .*web.lua has other content.*\[package-drift\]'
pd package list
like "and listed so" "$rc $out" '^2 .*\[package-drift\]'
sed -i '$d' "$home/1.2/web.lua"
touch "$home/1.2/assets/extra"
pd plan web --facts alpha.json
like "nor one with a file more" "$rc $out" '^2 .*extra is no part of it.*\[package-drift\]'
rm "$home/1.2/assets/extra"
touch "$home/1.2/assets/"$'b\xe4d'
pd plan web --facts alpha.json
like "whatever its name is" "$rc $out" '^2 .*b.xe4d: .*\[package-drift\]'
pd package list --json
like "and listed so, in JSON" "$rc $(jq -r '.. | .message? // empty' <<<"$out" 2>&1)" '^2 .*b.xe4d: '
rm "$home/1.2/assets/"$'b\xe4d'
cp b.pub "$home/1.2/key.pub"
pd plan web --facts alpha.json
like "nor under another key" "$rc $out" '^2 .*\[package-drift\]'
cp a.pub "$home/1.2/key.pub"
pd plan web --facts alpha.json
is "as it was it is again" "$rc" 0

# ---- versions
pd package build web --version 1.10 --key a.key
pd package build web --version 1.9 --key b.key
sed -i 's/one/uno/' web/catalogs/updates.xml
pd package build web --version 1.2 --key a.key --out changed.pdpkg
pd package install changed.pdpkg --key a.pub
like "a version never changes" "$rc $out" '^2 .*\[package-same\]'
pd package install web-1.9.pdpkg --key b.pub
like "another key is none to go on with" "$rc $out" '^2 .*\[package-key\]'
pd package install web-1.10.pdpkg --key a.pub
is "a newer one is put beside" "$rc $(cd "$home" && echo * "$(readlink current)")" "0 1.10 1.2 current 1.10"
pd package install web-1.2.pdpkg --key a.pub
like "an older one is refused" "$rc $out" '^2 .*\[package-older\]'
pd package install web-1.9.pdpkg --key b.pub --new-key
like "also with its new key" "$rc $out" '^2 .*\[package-older\]'
pd plan web@1.2 --facts alpha.json
like "an older version is planned from by its name" "$out" '^package web 1.2,'
pd plan web@3 --facts alpha.json
like "one that is not there is not" "$rc $out" '^2 .*\[package-none\]'
pd package use web 1.2
is "and is put in force again" "$rc $(readlink "$home/current")" "0 1.2"
pd package install web-1.2.pdpkg --key a.pub --older
is "or installed, if that is meant" "$rc $(readlink "$home/current")" "0 1.2"
pd package remove web 1.2
like "the one in force stays" "$rc $out" '^2 .*\[package-busy\]'
pd package remove web 1.10
is "another one goes" "$rc $(cd "$home" && echo *)" "0 1.2 current"

# ---- what it needs: also what no plan came by
cp "$PD_BUILDDIR"/plugins/host/.libs/host.so "$PD_BUILDDIR"/plugins/service/.libs/service.so \
	"$PD_BUILDDIR"/plugins/eventlog/.libs/eventlog.so plugins/
cat >many.lua <<END
local pd = require "patchday"
-- local never = pd.use "never"
local steps, host = pd.use "steps", pd.use("host")
local service = pd.use "service"
local unused = [[ pd.use "neither" host.reboot ]]
return pd.workflow { api = 1, name = "many", help = unused,
  params = { kind = pd.string { default = "stop" } },
  plan = function(t)
    if t.params.kind == "log" then return { pd.use "eventlog".export { to = "/x" } } end
    if t.params.kind == "more" then return { steps["write"] { path = "/x" }, host.space { path = "/" } } end
    if t.params.kind == "start" then return { service[t.params.kind] { units = { "x" } } } end
    return { pd.stage "one" { steps.noop {} } }
  end }
END
pd package build many.lua --version 1 --key a.key
is "a script with branches that no plan takes is packed" "$rc" 0
[ "$rc" = 0 ] || echo "$out"
needs=$(sed -n 5p many-1.pdpkg | jq -c '[.needs[] | {(.plugin): .steps}] | add')
is "the steps of those branches are needed too" "$(jq -c '[.eventlog, .host, .steps]' <<<"$needs")" \
	'[["export"],["space"],["noop","write"]]'
pd plugins service --json
is "of a plugin whose step is chosen while it runs, all" "$(jq -c .service <<<"$needs")" \
	"$(jq -c '[.. | .steps? // empty | .[].name] | sort' <<<"$out")"
is "what a comment or a text says is none" "$(jq -c 'keys' <<<"$needs")" '["eventlog","host","service","steps"]'
rm plugins/eventlog.so
pd package install many-1.pdpkg --key a.pub
like "and a server without one of them refuses the package" "$rc $out" '^2 .*needs the plugin eventlog.*\[package-needs\]'
rm plugins/host.so plugins/service.so
sed 's/pd.use "eventlog"/pd.use(t.params.kind)/; s/, pd.use("host")/, steps/; /^local service/d; s/host.space/steps.noop/; /service\[/d' \
	many.lua >unclear.lua
pd package build unclear.lua --version 1 --key a.key
like "a plugin that nobody can know is refused, by its line" "$rc $(tr '\n' ' ' <<<"$out")" \
	'^2 .*unclear.lua:8: .*write: pd.use "NAME" \[package-test\]'

# ---- what the server lacks of it
# resigned NAME: the payload under another manifest, signed by its author
resigned()
{
	pd catalog sign "$1" --key a.key
	{ cat "$1.minisig" "$1"; sed 1,5d web-1.2.pdpkg; } >"$1.pdpkg"
	pd package install "$1.pdpkg" --key a.pub
}
jq -c '.needs = [{"plugin": "missing", "steps": ["x"]}] | .version = "2"' manifest >needs
resigned needs
like "a plugin that is missing is named" "$rc $out" '^2 .*needs the plugin missing.*\[package-needs\]'
jq -c '.needs = [{"plugin": "steps", "steps": ["noop", "dance"]}] | .version = "2"' manifest >needs
resigned needs
like "and a step" "$rc $out" '^2 .*needs the step steps.dance.*\[package-needs\]'
jq -c '.patchday = "99.0" | .version = "2"' manifest >needs
resigned needs
like "and a version of patchday" "$rc $out" '^2 .*needs patchday 99.0.*\[package-needs\]'
jq -c '.version = "2"' manifest >needs
resigned needs
is "with nothing missing it is installed" "$rc $(readlink "$home/current")" "0 2"

# ---- removed
cat >open.lua <<END
local pd = require "patchday"
local steps = pd.use "steps"
return pd.workflow { api = 1, name = "open",
  plan = function() return { pd.stage "one" { steps.write { path = "$f/open", fail = "apply" } } } end }
END
pd package build open.lua --version 1 --key a.key
pd package install open-1.pdpkg --key a.pub
pd run open
is "a run is stopped" "$(state)" stopped
pd package remove open
like "its package stays" "$rc $out" '^2 .*\[package-busy\]'
pd undo
pd package remove open
is "until it is at its end" "$rc $(ls "$PATCHDAY_STATE/workflows")" "0 web"
mkdir -p "$PATCHDAY_STATE/runs/1"
pd package remove ../runs
is "what is no package is not removed" "$rc $(stat -c %F "$PATCHDAY_STATE/runs/1")" "2 directory"
pd package remove web
is "all versions of one go" "$rc $(ls -A "$PATCHDAY_STATE/workflows")" "0 .lock"
pd package remove web
like "and then there is none" "$rc $out" '^2 .*\[package-none\]'
pd plan web --facts alpha.json
is "to plan from" "$rc" 2

# ---- a role, frozen with what is needed
mkdir all
cp "$PD_BUILDDIR"/plugins/*/.libs/*.so all/
places=(--plugin-dir "$tmp/all" --scripts "$PD_SRCDIR/scripts")
section() { sed -n "/^@$1\$/,/^@/p" "$PD_SRCDIR/tests/plans/roles/generic.test" | grep -v '^@'; }
section CATALOG >all.xml
section FACTS >facts.json
pd catalog freeze all.xml --facts facts.json --needed --to frozen.xml
pd package build generic --catalog frozen.xml --test "$PD_SRCDIR/tests/workflows/generic-done.test" --version 2026.11 --key a.key
is "a role is packed with a catalog that was frozen" "$rc" 0
[ "$rc" = 0 ] || echo "$out"
pd package install generic-2026.11.pdpkg --key a.pub
is "and installed" "$rc" 0
[ "$rc" = 0 ] || echo "$out"
mapfile -t values < <(section PARAMS | sed 's/^/--param=/')
pd plan generic --facts facts.json "${values[@]}"
like "the package comes before the role that came with patchday" "$out" '^package generic 2026.11,'
packed=$out
pd plan "$PD_SRCDIR/scripts/roles/generic.lua" --facts facts.json --catalog frozen.xml "${values[@]}"
# the digest of a plan is of what proves its catalogs too, and a script's word has its own place
alike() { sed 's/plan [0-9a-f]*$//; /^package \|proved\|signed\|trust/d' <<<"$1"; }
is "its plan is that of its parts" "$(alike "$packed")" "$(alike "$out")"
end
