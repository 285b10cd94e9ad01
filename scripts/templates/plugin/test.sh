#!/bin/sh
# SPDX-License-Identifier: MIT
# The plugin is loaded, its step does its work in a run, and a run that fails
# behind it takes it back.  A run needs root.
set -eu
cd "$(dirname "$0")"
patchday=${PATCHDAY:-patchday}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -m 755 "$tmp/plugins"
cp @NAME@.so "$tmp/plugins/"

"$patchday" plugins --plugin-dir "$tmp/plugins" @NAME@
[ "$(id -u)" = 0 ] || { echo "the rest is skipped: a run needs root"; exit 0; }

# run FAIL: a workflow whose last step fails if FAIL is /bin/false
cat >"$tmp/try.lua" <<END
local pd = require "patchday"
local it, command = pd.use "@NAME@", pd.use "probe"
return pd.workflow { api = 1, name = "try", help = "a try",
	params = { last = pd.string { default = "/bin/true" } },
	guards = function() return {} end, -- what else goes on here is not the test's
	plan = function(t)
		return pd.stage "all" { on_failure = "undo",
			it.write { path = "$tmp/file", text = "new" },
			command.command { argv = { t.params.last }, timeout = 1 },
		}
	end }
END
echo '<catalog xmlns="urn:patchday:catalog:1"/>' >"$tmp/none.xml"
run()
{
	"$patchday" run --plugin-dir "$tmp/plugins" --state "$tmp/state" --catalog "$tmp/none.xml" "$tmp/try.lua" "$@"
}
printf old >"$tmp/file"
if run --param last=/bin/false; then echo "FAILED: it should have been rolled back"; exit 1; fi
[ "$(cat "$tmp/file")" = old ] || { echo "FAILED: undo has not put the old text back"; exit 1; }
run
[ "$(cat "$tmp/file")" = new ] || { echo "FAILED: the new text is not there"; exit 1; }
echo "ok: done once, rolled back once"
