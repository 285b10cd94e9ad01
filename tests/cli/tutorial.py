# SPDX-License-Identifier: MIT
"""Does what a page says, line by line: tutorial.py PAGE, in the folder it is
called in.

A block that begins with ```console has commands behind "$ ", all for one shell,
each with what it prints.  There "..." stands for anything in a line, and alone in
a line for any lines; how much space stands before it is not compared.  A block
```LANGUAGE FILE is that file.  Prints TAP.
"""
import os
import re
import subprocess
import sys
import tempfile


def blocks(page):
    """(words behind ```, lines) of each block, in order."""
    info, lines = None, []
    for line in open(page, encoding="utf-8").read().splitlines():
        if line.startswith("```"):
            if info is not None:
                yield info, lines
            info, lines = (line[3:].split(), []) if info is None else (None, [])
        elif info is not None:
            lines.append(line)


def commands(lines):
    """[command, printed lines] of a block; a command goes on behind a \\."""
    found, goes_on = [], False
    for line in lines:
        if goes_on:
            found[-1][0] += "\n" + line
        elif line.startswith("$ "):
            found.append([line[2:], []])
        else:
            found[-1][1].append(line)
        goes_on = (goes_on or line.startswith("$ ")) and line.endswith("\\")
    return found


def pattern(lines):
    """Of what is printed, as the page has it."""
    return re.compile("".join(map(of_line, lines)))


def of_line(line):
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return ".*".join(map(re.escape, re.split(r"(?:(?<=\S)\s*)?\.\.\.", line.rstrip()))) + r"\n"


def play(page, folder):
    """[command, wanted lines, what was printed]..."""
    script, played = [], []
    for info, lines in blocks(page):
        if info[:1] == ["console"]:
            for command, wanted in commands(lines):
                at = os.path.join(folder, str(len(played)))
                with open(at, "w", encoding="utf-8") as file:
                    file.write(command)
                script.append('eval "$(cat %s)" >%s.out 2>&1 </dev/null' % (at, at))
                played.append([command, wanted, at + ".out"])
        elif len(info) == 2:
            at = os.path.join(folder, "file%d" % len(script))
            with open(at, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
            script.append("cp %s %s" % (at, info[1]))
    subprocess.run(["bash", "-c", "\n".join(script)], timeout=600, check=False)
    for row in played:
        with open(row[2], encoding="utf-8", errors="replace") as file:
            row[2] = "".join(line.rstrip() + "\n" for line in file)
    return played


failed = 0
with tempfile.TemporaryDirectory() as place:
    rows = play(sys.argv[1], place)
for number, (command, wanted, got) in enumerate(rows, 1):
    good = pattern(wanted).fullmatch(got)
    print("%s %d - $ %s" % ("ok" if good else "not ok", number, command.replace("\n", " ")))
    if not good:
        failed += 1
        print("\n".join("#   the page: " + line for line in wanted))
        print("\n".join("#   printed:  " + line for line in got.splitlines()))
print("1..%d" % len(rows))
sys.exit(failed > 0 or not rows)
