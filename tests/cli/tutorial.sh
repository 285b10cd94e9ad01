#!/bin/bash
# SPDX-License-Identifier: MIT
# doc/tutorial.md, done line by line: every command prints what the page shows.
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "a run needs root"
command -v python3 >/dev/null || skip "python3 is not installed"
# a program of root's is run from where nobody else can write
tmp=$(mktemp -d -p /root patchday-tutorial.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
mkdir -m 755 "$tmp/all" "$tmp/bin" "$tmp/first"
cp "$PD_BUILDDIR"/plugins/*/.libs/*.so "$tmp/all/"
cat >"$tmp/bin/patchday" <<END
#!/bin/sh
command=\$1
shift
exec "$PD_BUILDDIR/patchday" "\$command" --plugin-dir "$tmp/all" "\$@"
END
chmod 755 "$tmp/bin/patchday"
export PATH=$tmp/bin:$PATH
unset PATCHDAY_STATE
cd "$tmp/first" || exit 99
follow() { python3 "$PD_SRCDIR/tests/cli/tutorial.py" "$1"; }

# what a page says and is not so is found
# page TEXT: as a block
page() { printf '%s\n' '```console' "$@" '```' >"$tmp/page.md"; }
page '$ echo one; echo two' 'one' '...'
check "a page that is right" follow "$tmp/page.md" >"$tmp/log" || { cat "$tmp/log"; exit 1; }
for wrong in one 'one
two
three' 'o..e
two' '...
one'; do
	page '$ echo one; echo two' "$wrong"
	! follow "$tmp/page.md" >"$tmp/log" || { echo "not ok 1 - a page that is wrong is found: $wrong"; exit 1; }
done
echo "# a page that is wrong is found"
follow "$PD_SRCDIR/doc/tutorial.md"
