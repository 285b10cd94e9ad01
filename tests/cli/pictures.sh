#!/bin/bash
# SPDX-License-Identifier: MIT
# The pictures of doc/: a screen becomes the SVG that it has to become; and those
# that are there are well-formed, shown, and in the tarball.
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
for tool in python3 xmllint; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
here=$PD_SRCDIR/doc/pictures
data=$PD_SRCDIR/tests/data/pictures

svg() { python3 "$here/svg.py" "$@" 2>&1; }

# The screen is one that `tmux capture-pane -e -p` printed.
is "a screen with colours, wide characters and columns" "$(svg 60 'a <screen>' <"$data/screen")" "$(<"$data/screen.svg")"
nothing=$(printf '\n\n' | svg 10 none)
is "an empty one is a frame" "$(xmllint --xpath 'string(/*/@width)' - <<<"$nothing") $(xmllint --xpath 'count(//*[local-name() = "text"])' - <<<"$nothing")" "112 0"
is "what is no SGR is no text" "$(printf '\033]8;;http://a/\033\\link\033]8;;\033\\\033(B\033[K\007!\n' | svg 20 t | xmllint --xpath 'string(//*[local-name() = "text"])' -)" 'link!'
like "and it says how it is called" "$(svg 2>&1 </dev/null)" "usage: svg.py COLUMNS TITLE"

# ends FILE: where its texts end that end outside of it
ends()
{
	python3 - "$1" <<'END'
import sys
import xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
for t in root.iter("{http://www.w3.org/2000/svg}text"):
    x, y = float(t.get("x")) + float(t.get("textLength")), float(t.get("y"))
    if x > float(root.get("width")) or y > float(root.get("height")):
        print(t.text, x, y)
END
}

pictures=("$here"/*.svg)
check "there are pictures" [ -e "${pictures[0]}" ]
for file in "${pictures[@]}"; do
	name=${file##*/}
	empty "$name is well-formed" "$(xmllint --noout "$file" 2>&1)"
	empty "$name: all texts are in it" "$(ends "$file")"
	empty "$name: no path of a build is in it" "$(grep -nF -e "$PD_SRCDIR" -e "$PD_BUILDDIR" -e /tmp/ "$file")"
	check "$name is shown" grep -qE "\((doc/)?pictures/$name\)" "$PD_SRCDIR/README.md" "$PD_SRCDIR"/doc/*.md
	check "$name is in the tarball" grep -q "pictures/$name" "$PD_SRCDIR/doc/local.mk"
done
empty "all that is shown is there" "$(grep -hoE '\(((doc/)?pictures/[a-z-]+\.svg)\)' "$PD_SRCDIR/README.md" "$PD_SRCDIR"/doc/*.md |
	tr -d '()' | sed 's,.*/,,' | sort -u | while read -r name; do [ -e "$here/$name" ] || echo "$name"; done)"
end
