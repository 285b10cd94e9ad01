#!/bin/bash
# SPDX-License-Identifier: MIT
# make install below DESTDIR: nobody else can write to it, what it leaves works from
# there, and make uninstall takes all of it away but what others have put there.
set -u
cd "${PD_SRCDIR:-.}" || exit 99
. tests/style/tap.sh
build=${PD_BUILDDIR:-.}
unset MAKEFLAGS MFLAGS MAKELEVEL
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
dest=$tmp/dest
made() { make -s -C "$build" "$1" DESTDIR="$dest" >"$tmp/log" 2>&1 || cat "$tmp/log"; }

umask 022
empty "make install" "$(made install | grep -i error)"
empty "nobody else can write to what it leaves" "$(find "$dest" ! -type l -perm /022)"
patchday=$(find "$dest" -path '*/bin/patchday')
plugins=$(dirname "$(find "$dest" -name host.so)")
scripts=$(find "$dest" -type d -name scripts)
run() { "$patchday" "$@" --state "$tmp/state" --plugin-dir "$plugins" --scripts "$scripts" 2>&1; }
like "it has its version" "$(run --version)" "^patchday [0-9]+\.[0-9]+"
is "it loads all its plugins" "$(run plugins --json | jq '[.[].name] | length')" "$(find "$plugins" -name '*.so' | wc -l)"
echo '<catalog xmlns="urn:patchday:catalog:1"/>' >"$tmp/none.xml"
like "and plans a role" "$(run plan web --param pages=http://localhost/ --catalog "$tmp/none.xml")" '^nothing to do: |^[0-9]+ steps, about '
is "it has the manual of each" "$(cd "$dest" && find . -path '*/plugins/*/README.md' | awk -F/ '{ print $(NF - 1) }' | sort | xargs)" \
	"$(basename -s .so "$plugins"/*.so | sort | xargs)"
# the check of a script, as doc/conformance.md has it; its clones are made by the program of the build
out=$("$build/patchday" plugin check "$plugins/command.so" --case plugins/command/command.check --scripts "$scripts" --state "$tmp/state" 2>&1 </dev/null)
rc=$?
if [ "$(id -u)" != 0 ] || grep -q 'clone-mount' <<<"$out"; then
	echo "# no clone can be made here, so it is not tried whether an installed plugin is checked whole"
else
	is "an installed plugin is checked with its manual" $rc 0; [ $rc = 0 ] || sed 's/^/# /' <<<"$out"
fi

touch "$plugins/of-others.so"
empty "make uninstall" "$(made uninstall | grep -i error)"
is "leaves only what is not its own" "$(find "$dest" -type f)" "$plugins/of-others.so"
empty "and no folder of its own without that" "$(find "$dest" -type d -path '*patchday*' -empty)"
rm "$plugins/of-others.so"
made install >/dev/null
made uninstall >/dev/null
empty "nor any else" "$(find "$dest" -path '*patchday*')"
end
