#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Standard input, a screen as `tmux capture-pane -e -p` prints it (text, and SGR
for its colours), becomes an SVG picture on standard output.

usage: svg.py COLUMNS TITLE
"""
import re
import sys
import unicodedata
from xml.sax.saxutils import escape, quoteattr

WIDE, HIGH, MARGIN, SIZE = 8.4, 18, 14, 14  # of a cell, around all, of the font
PAPER, INK = "#1b1f27", "#d7dae0"
COLORS = ["#4a505c", "#f07178", "#a5d46a", "#f0c674", "#6fb3f2", "#c792ea", "#5fd7c7", "#d7dae0",
          "#7f8794", "#ff8b92", "#c3e88d", "#ffdd8a", "#8fc7ff", "#deb0ff", "#89eadd", "#ffffff"]
SGR = re.compile(r"\x1b\[([0-9;:]*)m")
OTHER = re.compile(r"\x1b(\[[0-9;:?]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()].|.)|[\x00-\x08\x0b-\x1f\x7f]")
SWITCH = {1: "bold", 2: "dim", 3: "italic", 4: "under", 7: "reverse"}
SWITCH_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("under",), 27: ("reverse",)}


def indexed(n):
    """A colour of the 256."""
    if n < 16:
        return COLORS[n]
    if n >= 232:
        return "#" + 3 * f"{8 + 10 * (n - 232):02x}"
    steps = (0, 95, 135, 175, 215, 255)
    n -= 16
    return "#" + "".join(f"{steps[x]:02x}" for x in (n // 36, n // 6 % 6, n % 6))


def set_color(codes, style, key):
    """What follows 38 or 48: 5 and a number, or 2 and three."""
    kind = codes.pop(0) if codes else 0
    if kind == 5 and codes:
        style[key] = indexed(min(codes.pop(0), 255))
    elif kind == 2 and len(codes) >= 3:
        style[key] = "#" + "".join(f"{min(codes.pop(0), 255):02x}" for _ in range(3))


def change(style, text):
    """The style after one SGR."""
    codes = [int(x or 0) for x in re.split("[;:]", text)]
    style = dict(style)
    while codes:
        n = codes.pop(0)
        if n == 0:
            style = {}
        elif n in SWITCH:
            style[SWITCH[n]] = True
        elif n in SWITCH_OFF:
            for key in SWITCH_OFF[n]:
                style.pop(key, None)
        elif n in (38, 48):
            set_color(codes, style, "ink" if n == 38 else "paper")
        elif n in (39, 49):
            style.pop("ink" if n == 39 else "paper", None)
        else:
            for first, key, bright in ((30, "ink", 0), (40, "paper", 0), (90, "ink", 8), (100, "paper", 8)):
                if first <= n < first + 8:
                    style[key] = COLORS[n - first + bright]
    return style


def width(text):
    """How many cells it takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def runs(line, style):
    """[(column, text, style)] of one line, and the style at its end."""
    out, column = [], 0
    for i, part in enumerate(SGR.split(line)):
        if i % 2:
            style = change(style, part)
            continue
        part = OTHER.sub("", part)
        if part:
            out.append((column, part, style))
        column += width(part)
    return out, style


def attributes(style):
    """Of a text: its colour, and how it is drawn."""
    ink, paper = style.get("ink"), style.get("paper")
    if style.get("reverse"):
        ink, paper = paper or PAPER, ink or INK
    out = f" fill={quoteattr(ink)}" if ink else ""
    for key, text in (("bold", ' font-weight="bold"'), ("dim", ' opacity="0.6"'), ("italic", ' font-style="italic"'),
                      ("under", ' text-decoration="underline"')):
        out += text if style.get(key) else ""
    return out, paper


def draw_run(column, row, text, style):
    """One text, as wide as its cells whatever the font."""
    x, y = MARGIN + column * WIDE, MARGIN + row * HIGH
    look, paper = attributes(style)
    out = []
    if paper:
        out.append(f'<rect x="{x:.1f}" y="{y}" width="{width(text) * WIDE:.1f}" height="{HIGH}" fill="{paper}"/>')
    for found in re.finditer(r"\S+( \S+)*", text): # columns stay columns, however wide a blank is
        words, start = found.group(), x + width(text[:found.start()]) * WIDE
        out.append(f'<text x="{start:.1f}" y="{y + HIGH - 5}" textLength="{width(words) * WIDE:.1f}"'
                   f' lengthAdjust="spacingAndGlyphs"{look}>{escape(words)}</text>')
    return out


def picture(screen, columns, title):
    """The whole SVG; empty lines at the end are left out."""
    lines = screen.rstrip("\n").split("\n")
    parts, style, last = [], {}, 0
    for row, line in enumerate(lines):
        found, style = runs(line, style)
        for column, text, look in found:
            drawn = draw_run(column, row, text, look)
            last = row + 1 if drawn else last
            parts += drawn
    wide, high = 2 * MARGIN + columns * WIDE, 2 * MARGIN + last * HIGH
    return "\n".join([
        "<!-- SPDX-License-Identifier: MIT -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high}" viewBox="0 0 {wide:.0f} {high}"'
        ' role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
        f'<g fill="{INK}" font-size="{SIZE}" font-family="ui-monospace, \'DejaVu Sans Mono\','
        ' Menlo, Consolas, monospace">',
        *parts, "</g>", "</svg>", ""])


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(picture(sys.stdin.read(), int(sys.argv[1]), sys.argv[2]))
