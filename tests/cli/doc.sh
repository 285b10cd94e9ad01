#!/bin/bash
# SPDX-License-Identifier: MIT
# What the documents show works: the plugin of doc/writing-a-plugin.md builds
# from the one public header and is accepted; every command has its help.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
mkdir -m 755 "$tmp/plugins"

sed -n '/^```c$/,/^```$/p' "$PD_SRCDIR/doc/writing-a-plugin.md" | grep -v '^```' >"$tmp/motd.c"
check "the plugin of the page builds" "${CC:-gcc}" -std=c11 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden \
	-Wl,-z,defs,-z,now -I"$PD_SRCDIR/core/include" -o "$tmp/plugins/motd.so" "$tmp/motd.c"
out=$("$PD_BUILDDIR/patchday" plugins --plugin-dir "$tmp/plugins" motd 2>&1)
like "and is loaded" "$out" 'motd\.set - set the message of the day'
out=$("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$tmp/work" motd.set check "text=patch day" 2>&1)
like "and its check runs" "$out" '"result": *"changed"'
for command in $("$PD_BUILDDIR/patchday" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
	out=$("$PD_BUILDDIR/patchday" "$command" --help 2>&1)
	like "patchday $command --help" "$out" "^Usage: patchday $command "
	like "$command is in the manual" "$(cat "$PD_SRCDIR/doc/patchday.1")" "^\.BI? (\")?$command|^\.BR? (\")?$command"
done
end
