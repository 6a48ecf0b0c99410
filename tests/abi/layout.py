#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares every ABI structure and constant with layout_v1.txt.

Structures, members and constants are read from the headers, so that none can be forgotten, and
printed by a generated C program, so that the compiler answers.  Appending is the only change ABI 1
allows: a size may grow and lines may be added (write them down with --update), an offset never
moves and a constant keeps its value.
"""

import argparse
import sys

import abi


def program(include):
    lines = ["#include <bakplane/plugin.h>", "#include <stdio.h>", "int main(void) {"]
    for name, members in abi.structures(include):
        lines.append(f'printf("{name} sizeof %zu\\n", sizeof(struct {name}));')
        for member in members:
            lines.append(f'printf("{name} {member} %zu %zu\\n", offsetof(struct {name}, {member}),'
                         f" sizeof(((struct {name} *)0)->{member}));")
    for name in abi.constants(include):
        value = ('%s\\n", ' if name in abi.TEXTS else '%llu\\n", (unsigned long long)') + name
        lines.append(f'printf("{name} constant {value});')
    lines += ["return 0;", "}"]
    return "\n".join(lines)


def check_complete(text):
    """A member that the parser missed shows as a gap too large to be padding."""
    end = name = None
    sizes, constants = {}, 0
    for line in text.splitlines():
        fields = line.split()
        if fields[1] == "constant":
            constants += 1
        elif fields[1] == "sizeof":
            if name is not None and sizes[name] - end >= 8:
                sys.exit(f"struct {name}: {sizes[name] - end} bytes at its end are not accounted for")
            name, end = fields[0], 0
            sizes[name] = int(fields[2])
        else:
            offset, size = int(fields[2]), int(fields[3])
            if offset - end >= 8:
                sys.exit(f"struct {name}: {offset - end} bytes before {fields[1]} are not accounted for")
            end = offset + size
    if len(sizes) < 30 or constants < 90:
        sys.exit(f"only {len(sizes)} structures and {constants} constants found: some are missed")


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
    options.add_argument("--include", default=abi.SDK_INCLUDE, help="the headers")
    options.add_argument("--update", action="store_true", help="write layout_v1.txt")
    args = options.parse_args()

    measured = abi.output_of(args.cc, args.include, program(args.include))
    check_complete(measured)
    record = abi.LAYOUT.read_text("utf-8") if abi.LAYOUT.exists() else ""
    old, new = as_table(record), as_table(measured)
    broken = list(breaks(old, new))
    if broken:
        sys.exit("the layout of ABI 1 changed:\n  " + "\n  ".join(broken))
    if args.update:
        abi.LAYOUT.write_text(
            "# struct, then \"sizeof\" or a member: offset and size in bytes, LP64; constants.\n"
            "# Written by layout.py --update.\n" + measured, encoding="utf-8")
    elif old != new:
        added = [line for key, line in new.items() if old.get(key) != line]
        sys.exit("not yet in layout_v1.txt (run layout.py --update):\n  " + "\n  ".join(added))
    print(f"{len(new)} lines agree")


if __name__ == "__main__":
    main()
