#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares size and member offsets of every ABI structure with layout_v1.txt.

The members are read from the headers, so that none can be forgotten, and printed by a generated
C program, so that the compiler answers.  Appending is the only change ABI 1 allows: a size may
grow and lines may be added (write them down with --update), an offset never moves.  While the
ABI is 1.0-rc, --update --allow-break accepts more.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SDK_INCLUDE = HERE.parent.parent / "sdk" / "include"
RECORD = HERE / "layout_v1.txt"

STRUCT = re.compile(r"^struct (bp_\w+) \{\n(.*?)^\};", re.M | re.S)
OPERATION = re.compile(r"\(\*(\w+)\)\s*\(")


def members_of(body):
    """Names of the members, in order, from the text between the braces."""
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    for statement in body.split(";"):
        statement = " ".join(statement.split())
        if not statement:
            continue
        operation = OPERATION.search(statement)
        if operation:
            yield operation.group(1)
            continue
        for declarator in statement.split(","):
            name = re.search(r"(\w+)(\[[^]]*\])?$", declarator.strip())
            if name is None:
                sys.exit(f"cannot read the declaration: {statement}")
            yield name.group(1)


def structures():
    for header in sorted((SDK_INCLUDE / "bakplane").glob("*.h")):
        for name, body in STRUCT.findall(header.read_text()):
            yield name, list(members_of(body))


def program(structs):
    lines = ["#include <bakplane/plugin.h>", "#include <stdio.h>", "int main(void) {"]
    for name, members in structs:
        lines.append(f'printf("{name} sizeof %zu\\n", sizeof(struct {name}));')
        for member in members:
            lines.append(f'printf("{name} {member} %zu %zu\\n", offsetof(struct {name}, {member}),'
                         f" sizeof(((struct {name} *)0)->{member}));")
    lines += ["return 0;", "}"]
    return "\n".join(lines)


def measure(compiler):
    structs = list(structures())
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder, "layout.c"), pathlib.Path(folder, "layout")
        source.write_text(program(structs))
        subprocess.run([compiler, f"-I{SDK_INCLUDE}", "-o", binary, source], check=True)
        return subprocess.run([binary], check=True, capture_output=True, text=True).stdout


def check_complete(text):
    """A member that the parser missed shows as a gap too large to be padding."""
    end = name = None
    sizes = {}
    for line in text.splitlines():
        fields = line.split()
        if fields[1] == "sizeof":
            if name is not None and sizes[name] - end >= 8:
                sys.exit(f"struct {name}: {sizes[name] - end} bytes at its end are not accounted for")
            name, end = fields[0], 0
            sizes[name] = int(fields[2])
        else:
            offset, size = int(fields[2]), int(fields[3])
            if offset - end >= 8:
                sys.exit(f"struct {name}: {offset - end} bytes before {fields[1]} are not accounted for")
            end = offset + size
    if len(sizes) < 30:
        sys.exit(f"only {len(sizes)} structures found: the parser misses some")


def as_table(text):
    return {tuple(line.split()[:2]): line for line in text.splitlines() if line[:1] not in ("", "#")}


def breaks(old, new):
    for key, line in old.items():
        now = new.get(key)
        if now == line:
            continue
        grew = key[1] == "sizeof" and now and int(now.split()[2]) > int(line.split()[2])
        if not grew:
            yield f"was \"{line}\", is \"{now or 'gone'}\""


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cc", default="cc", help="the C compiler")
    options.add_argument("--update", action="store_true", help="write layout_v1.txt")
    options.add_argument("--allow-break", action="store_true", help="accept any change (1.0-rc)")
    args = options.parse_args()

    measured = measure(args.cc)
    check_complete(measured)
    old, new = as_table(RECORD.read_text() if RECORD.exists() else ""), as_table(measured)
    broken = list(breaks(old, new))
    if broken and not (args.update and args.allow_break):
        sys.exit("the layout of ABI 1 changed:\n  " + "\n  ".join(broken))
    if args.update:
        RECORD.write_text("# struct, then \"sizeof\" or a member: offset and size in bytes, LP64."
                          "  Written by layout.py --update.\n" + measured)
    elif old != new:
        added = [line for key, line in new.items() if old.get(key) != line]
        sys.exit("not yet in layout_v1.txt (run layout.py --update):\n  " + "\n  ".join(added))
    print(f"{len(new)} lines agree")


main()
