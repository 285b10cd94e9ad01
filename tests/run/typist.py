#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A person at a terminal: typist.py [QUESTION ANSWER]... -- COMMAND ARGUMENT...

Runs the command on a terminal of its own and types each answer in when its
question is there, however long that takes; @FILE is the first line of a file,
and |N types nothing, but makes the terminal N columns wide.
Prints what the terminal shows; the exit status is the command's.
"""
import fcntl
import os
import pty
import struct
import sys
import termios

cut = sys.argv.index("--")
questions, answers = sys.argv[1:cut:2], sys.argv[2:cut:2]
shown = b""


def master(fd):
    """What the terminal shows; an answer goes the other way."""
    global shown
    data = os.read(fd, 4096)
    shown += data
    if questions and questions[0].encode() in shown:
        answer = answers.pop(0)
        if answer.startswith("@"):
            with open(answer[1:], encoding="utf-8") as file:
                answer = file.readline().rstrip("\n")
        shown = shown.split(questions.pop(0).encode(), 1)[1]
        if answer.startswith("|"):
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", 24, int(answer[1:]), 0, 0))
        else:
            os.write(fd, answer.encode() + b"\n")
    return data


os.environ.setdefault("TERM", "xterm")
status = os.waitstatus_to_exitcode(pty.spawn(sys.argv[cut + 1:], master, lambda fd: b""))
sys.exit("never asked: " + questions[0] if questions else status)
