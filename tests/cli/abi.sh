#!/bin/bash
# SPDX-License-Identifier: MIT
# The ABI: plugins built out of tree, with the installed header by pkg-config
# and with each frozen one, as C11, C17 and C++17, load and work.
set -u
cd "${PD_SRCDIR:-.}" || exit 99
. tests/style/tap.sh
build=${PD_BUILDDIR:-.}
command -v pkg-config >/dev/null || skip "pkg-config is not installed"
unset MAKEFLAGS MFLAGS MAKELEVEL
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
mkdir "$work/plugins" "$work/state"

# An installed copy, as a packager makes it.
make -C "$build" install-pdincludeHEADERS install-nodist_pkgconfigDATA install-dist_schemaDATA \
	DESTDIR="$work/dest" >"$work/install.log" 2>&1
check "the header and patchday.pc install below DESTDIR" [ $? -eq 0 ] || cat "$work/install.log"
for schema in command event; do
	installed=$(find "$work/dest" -path "*/share/patchday/schema/$schema.json")
	check "so does the schema of each $schema" cmp -s "$installed" "doc/schema/$schema.json"
done
pc=$(find "$work/dest" -name patchday.pc)
cflags=$(PKG_CONFIG_SYSROOT_DIR=$work/dest PKG_CONFIG_PATH=$(dirname "$pc") \
	pkg-config --cflags patchday)
like "pkg-config knows the folder of the header" "$cflags" "-I$work/dest/"

# build NAME COMPILER STANDARD CFLAGS
# shellcheck disable=SC2317 # called by check
build()
{
	local language=c

	[[ $3 == c++* ]] && language=c++
	# shellcheck disable=SC2086
	"$2" -x $language -std="$3" -Wall -Wextra -Wno-missing-field-initializers -Werror \
		-fPIC -shared -fvisibility=hidden -Wl,-z,defs,-z,now $4 \
		-DPLUGIN_NAME="\"$1\"" tests/abi/plugin.c -o "$work/plugins/$1.so" 2>"$work/cc.log" ||
		{ cat "$work/cc.log"; return 1; }
}

step()
{
	"$build/tests/tools/pd-step" --plugin-dir "$work/plugins" "$@" 2>&1
}

# works NAME: its step, scanner and reader do what they should
works()
{
	local out

	out=$(step --work "$work/state" "$1.step" check,apply,verify,undo text=hello)
	is "$1: check, apply, verify and undo succeed" "$?" 0
	like "$1: arguments arrive" "$out" '"summary","value":"1 1 3 4096 120 hello /etc 3 c"'
	like "$1: the command was heard" "$out" '"said","value":\["hello"\]'
	like "$1: what was remembered is recalled" "$out" 'undone: hello'
	is "$1: the scanner reports" "$(step scan "$1")" \
		'{"x-thing":[{"name":"a thing","count":2,"good":true}]}'
	like "$1: the reader reads" "$(step read "$1.updates")" '"id":"one".*"severity":"critical"'
	is "$1: one symbol is exported" \
		"$(nm -D --defined-only "$work/plugins/$1.so" | awk '{ print $3 }')" pd_plugin_entry
}

# all PREFIX CFLAGS
all()
{
	local standard

	for standard in c11 c17 c++17; do
		local name=$1_${standard//+/x} compiler=cc

		[[ $standard == c++* ]] && compiler=c++
		command -v $compiler >/dev/null || continue
		check "$name: builds out of tree" build "$name" $compiler "$standard" "$2" && works "$name"
	done
}

all installed "$cflags"
for frozen in tests/abi/*/plugin.h; do
	version=$(basename "$(dirname "$frozen")")
	mkdir -p "$work/$version/patchday"
	cp "$frozen" "$work/$version/patchday/plugin.h"
	all "v${version//./_}" "-I$work/$version"
done

# What `patchday plugin new` writes builds by itself, and passes its own test.
# The test's own steps need the plugins of a run.
mkdir -m 755 "$work/all" "$work/start"
cp "$build"/plugins/*/.libs/*.so "$work/all/"
out=$("$build/patchday" plugin new mine --to "$work/start" 2>&1)
is "a new plugin is written" "$? $(cd "$work/start/mine" && echo *)" "0 Makefile README.md mine.check plugin.c test.sh"
check "it builds by itself" make -s -C "$work/start/mine" PATCHDAY_CFLAGS="$cflags" CFLAGS="-Werror -Wconversion -Wshadow"
# the installed folder of plugins is that of the machine: name another
cat >"$work/patchday" <<END
#!/bin/sh
verb=\$1; shift
exec "$(cd "$build" && pwd)/patchday" "\$verb" "\$@" --plugin-dir "$work/all"
END
chmod 755 "$work/patchday"
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$work"
	like "its test passes" "$(PATCHDAY=$work/patchday "$work/start/mine/test.sh" 2>&1)" '^ok: done once, rolled back once$'
	out=$("$build/patchday" plugin check "$work/start/mine/mine.so" 2>&1 </dev/null)
	rc=$?
	if grep -q 'clone-mount' <<<"$out"; then
		echo "# no clone can be made here, so it is not tried whether the new plugin keeps the contract"
	else
		is "and it keeps the contract" $rc 0; [ $rc = 0 ] || sed 's/^/# /' <<<"$out"
		# what it could not bring back
		cat >"$work/start/mine/hard.check" <<-'END'
			local pd = require "patchday"
			local it, probe = pd.use "mine", pd.use "probe"
			return pd.workflow { api = 1, name = "hard", help = "what undo can't bring back", plan = function()
				return {
					probe.command { argv = { "sh", "-c", [[cd /etc && head -c 100000 /dev/zero | tr '\0' x >try-big
						echo a >try-owned && chown 12:12 try-owned && printf 'a\0b' >try-nul && ln -s motd try-link]] } },
					it.write { path = "/etc/try-big", text = "new" }, it.write { path = "/etc/try-owned", text = "new" },
					it.write { path = "/etc/try-nul", text = "new" }, it.write { path = "/etc/try-link", text = "new" },
				}
			end }
		END
		out=$("$build/patchday" plugin check --plugin-dir "$work/all" "$work/start/mine/mine.so" --case "$work/start/mine/hard.check" 2>&1 </dev/null)
		is "what it could not bring back it does not touch" "$(grep -c '^  check fails here: /etc/try-' <<<"$out") $(grep -c BROKEN <<<"$out")" "4 0" ||
			sed 's/^/# /' <<<"$out"
		# the plugin of the page, also where there is no such file
		mkdir -m 755 "$work/motd"
		sed -n '/^```c$/,/^```$/p' doc/writing-a-plugin.md | grep -v '^```' >"$work/motd/motd.c"
		sed -n '/^```markdown$/,/^```$/p' doc/writing-a-plugin.md | grep -v '^```' >"$work/motd/motd.md"
		sed -n '/^## Prove it/,/^## Try/{/^```lua$/,/^```$/p}' doc/writing-a-plugin.md | grep -v '^```' >"$work/motd/motd.check"
		check "the plugin of doc/writing-a-plugin.md builds" "${CC:-gcc}" -std=c11 -fPIC -shared -fvisibility=hidden \
			-Icore/include -o "$work/motd/motd.so" "$work/motd/motd.c"
		out=$("$build/patchday" plugin check --plugin-dir "$work/all" "$work/motd/motd.so" 2>&1 </dev/null)
		is "and keeps the contract, with the case and the manual of the page" $? 0 || sed 's/^/# /' <<<"$out"
		for scene in 'rm -f /etc/motd' 'echo old >/etc/motd'; do
			cat >"$work/motd/motd.check" <<-END
				local pd = require "patchday"
				return pd.workflow { api = 1, name = "case", help = "what is tried", plan = function() return {
					pd.use "probe".command { argv = { "sh", "-c", "$scene" } }, pd.use "motd".set { text = "patch day" } } end }
			END
			out=$("$build/patchday" plugin check --plugin-dir "$work/all" "$work/motd/motd.so" 2>&1 </dev/null)
			is "and keeps the contract after $scene" $? 0 || sed 's/^/# /' <<<"$out"
		done
	fi
fi
out=$("$build/patchday" plugin new mine --to "$work/start" 2>&1)
like "nothing is overwritten" "$? $out" '^2 .*is there already'

# A change of declarations without a new minor: everything but comments is
# still as frozen.
declarations()
{
	gcc -fpreprocessed -dD -E -P "$1" 2>/dev/null
}
header=core/include/patchday/plugin.h
version=$(awk '$2 == "PD_ABI_MAJOR" { major = $3 } $2 == "PD_ABI_MINOR" { minor = $3 }
	END { print major + 0 "." minor + 0 }' "$header")
check "the header of ABI $version is frozen in tests/abi" [ -f "tests/abi/$version/plugin.h" ]
is "nothing but comments has changed since ABI $version was frozen" \
	"$(diff <(declarations "tests/abi/$version/plugin.h") <(declarations $header))" ""
end
