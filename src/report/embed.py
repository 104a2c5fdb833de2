#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a C file of text files, so that a report carries them without looking for them.

usage: embed.py OUT.c NAME=FILE...

Each becomes 'const char asset_NAME[]', and its SHA-256 in base64, as a Content-Security-Policy names
what may run, 'const char asset_NAME_sha256[]'.
"""
import base64
import hashlib
import pathlib
import sys


def lines_of(data):
    """The bytes as C string literals; octal escapes are cut off after three digits by themselves."""
    for line in data.splitlines(keepends=True):
        # Compilers need not take literals longer than 4095 bytes before they are joined.
        for start in range(0, len(line), 1000):
            text = "".join(
                chr(c) if 32 <= c < 127 and c not in b'"\\?' else f"\\{c:03o}"
                for c in line[start:start + 1000]
            )
            yield f'\t"{text}"\n'


def main():
    out = ["/* Made by embed.py. */\n#include \"assets.h\"\n"]
    for word in sys.argv[2:]:
        name, _, path = word.partition("=")
        data = pathlib.Path(path).read_bytes()
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        out.append(f"\nconst char asset_{name}[] =\n{''.join(lines_of(data))}\t;\n")
        out.append(f'const char asset_{name}_sha256[] = "{digest}";\n')
    pathlib.Path(sys.argv[1]).write_text("".join(out), encoding="ascii")


main()
