#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Lines of name, epoch, version, release and arch as headers for rpmdb --importdb."""
import struct
import sys

STRING, NUMBER = 6, 4

for line in sys.stdin:
    name, epoch, version, release, arch = line.rstrip("\n").split("\t")
    tags = [(1000, STRING, name), (1001, STRING, version), (1002, STRING, release),
            (1003, NUMBER, int(epoch)), (1009, NUMBER, 1), (1021, STRING, "linux"),
            (1022, STRING, arch), (1044, STRING, name + ".src.rpm")]
    store, index = b"", b""
    for tag, kind, value in tags:
        if kind == NUMBER:
            store += b"\0" * (-len(store) % 4)
        index += struct.pack(">IIII", tag, kind, len(store), 1)
        store += struct.pack(">I", value) if kind == NUMBER else value.encode() + b"\0"
    sys.stdout.buffer.write(b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", len(tags), len(store)))
    sys.stdout.buffer.write(index + store)
