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

# The manual as plain text: one section for each command.
man=$(sed -e 's/\\-/-/g; s/\\[cf].\{0,1\}//g' "$PD_SRCDIR/doc/patchday.1")
section()
{
	awk -v name="$1" '/^\.S[HS]/ { on = $2 == name || $2 == "\"" name || $2 == "\"" name "\"" } on' <<<"$man"
}
# missing COMMAND HELP: options of its help that are not in the manual
missing()
{
	local option text

	text=$(section "$1"; section OPTIONS)
	for option in $(sed -n 's/^  \(--[a-z-]*\).*/\1/p' <<<"$2"); do
		grep -qE -e "$option([^a-z-]|\$)" <<<"$text" || echo "$option"
	done
}
commands=$("$PD_BUILDDIR/patchday" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
is "the commands are all there" "$(wc -w <<<"$commands")" 22
for command in $commands; do
	out=$("$PD_BUILDDIR/patchday" "$command" --help 2>&1)
	like "patchday $command --help" "$out" "^Usage: patchday $command "
	like "$command has options" "$out" '^  --json '
	like "$command is in the manual" "$(section "$command")" '^\.SS '
	empty "each option of $command is in the manual" "$(missing "$command" "$out")"
done
like "an option that is not in the manual is found" "$(missing plan '  --no-such-option')" no-such
empty "each environment variable is in the manual" "$(grep -rohE 'getenv\("(PATCHDAY|SUDO|CRED|NO_)[A-Z_]*"' \
	"$PD_SRCDIR/core" "$PD_SRCDIR/package" "$PD_SRCDIR/rehearse" "$PD_SRCDIR/transfer" | sed 's/.*"\(.*\)"/\1/' | sort -u |
	while read -r name; do grep -q "^\.B $name\$" <<<"$(section ENVIRONMENT)" || echo "$name"; done)"
for status in 0 1 2 3 4 5; do
	like "exit status $status is in the manual" "$(section EXIT)" "^\.B $status\$"
done
# plugins of the newest NEWS, and those that are there
is "NEWS names the plugins" "$(sed -n '/Plugins: /,/\./p' "$PD_SRCDIR/NEWS" | tr -d '\n*' | sed 's/.*Plugins: //; s/\..*//' |
	tr -s ', ' '\n' | sort | xargs)" "$(cd "$PD_SRCDIR/plugins" && printf "%s\n" */ | tr -d / | grep -vx shared | sort | xargs)"
# the runbook names each row once, steps and commands that there are, and tests
mkdir -m 755 "$tmp/all"
cp "$PD_BUILDDIR"/plugins/*/.libs/*.so "$tmp/all/"
known=$("$PD_BUILDDIR/patchday" plugins --plugin-dir "$tmp/all" --json | jq -r '.[] | .name as $p | .steps[].name | "\($p).\(.)"')
rows=$(grep -E '^\| A[0-9]+ ' "$PD_SRCDIR/doc/runbook.md")
is "the runbook has every row" "$(cut -d' ' -f2 <<<"$rows" | xargs)" "$(printf 'A%d\n' {1..20} | xargs)"
empty "each step that it names is there" "$(grep -oE '`[a-z]+\.[a-z_]+`' <<<"$rows" | tr -d '`' | sort -u | grep -v '^pd\.' | grep -vxF "$known")"
# column N: the steps that the rows name in it
column() { cut -d'|' -f"$1" <<<"$rows" | grep -oE '`[a-z]+\.[a-z_]+`' | tr -d '`' | sort -u | grep -v '^pd\.'; }
in_roles=$(cat "$PD_SRCDIR"/scripts/roles/*.lua "$PD_SRCDIR"/scripts/patchday/*.lua | grep -oE '\b[a-z]+\.[a-z_]+( *\{|\(|")' | tr -d ' {("' | sort -u)
empty "the roles have each step of theirs" "$(column 4 | grep -vxF "$in_roles")"
empty "and none of those for other workflows" "$(column 5 | grep -xF "$in_roles")"
empty "each command that it names is there" "$(grep -oE '`patchday [a-z]+' <<<"$rows" | cut -d' ' -f2 | sort -u | grep -vxF "$commands")"
empty "each test that it names is there" "$(grep -oE 'tests/[a-z/-]+\.(sh|test)' <<<"$rows" | sort -u | while read -r file; do
	case $file in *.sh) test -x "$PD_SRCDIR/$file";; *) test -f "$PD_SRCDIR/$file";; esac || echo "$file"; done)"
run=$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$PD_SRCDIR"/tests/*/local.mk | grep -v '^EXTRA_DIST')
empty "and is run, but for those that say by hand" "$(sed 's/by hand `[^`]*`//g' <<<"$rows" | grep -oE 'tests/[a-z/-]+\.sh' | sort -u |
	while read -r file; do grep -qF "reldir%/${file##*/}" <<<"$run" || grep -q "plugins/${file##*/}" "$PD_SRCDIR"/tests/lab/*.sh || echo "$file"; done)"
is "each row has a test" "$(grep -c '`tests/' <<<"$rows")" 20
# what a rehearsal does not compare is what the page says
is "doc/rehearse.md has each place that a rehearsal leaves out, and no other" \
	"$(sed -n '/Left out, here/,/shared memory/p' "$PD_SRCDIR/doc/rehearse.md" | grep -oE '`/[a-z/]+`' | tr -d '`' | sort | xargs)" \
	"$(sed -n '/folders\[\] = {/,/};/p' "$PD_SRCDIR/rehearse/files.c" | grep -oE '"/[a-z/]+"' | tr -d '"' | sort | xargs)"
# what the README makes can be made, and what it says of it is so
made=$(grep -oE '\bmake [a-z-]+`' "$PD_SRCDIR/README.md" | tr -d '`' | cut -d' ' -f2 | sort -u)
check "the README names what can be made" [ "$(wc -w <<<"$made")" -ge 4 ]
empty "and each of it is a target" "$(for target in $made; do grep -q "^$target:" "$PD_BUILDDIR/Makefile" || echo "$target"; done)"
like "check-kill is twenty runs" "$(sed -n '/^check-kill:/,/^[^	]*$/p' "$PD_BUILDDIR/Makefile")" 'PD_KILL_RUNS=20 .*tests/lab/kill\.sh'
# each function of core that Lua gets is in its table
empty "doc/command-line.md has each function of core" "$(grep -ohE '^PD_CORE\([a-z_]+|^	\}, own\[\] = .*|\{ "(clean|err|list|out|raw|watch)",' \
	"$PD_SRCDIR"/core/cli/*.c | sed -n 's/_*$//; s/^PD_CORE(//p; s/^{ "\([a-z]*\)",/\1/p' | grep -vx name | sort -u |
	while read -r name; do grep -qE "\`$name\(" "$PD_SRCDIR/doc/command-line.md" || echo "$name"; done)"
end
