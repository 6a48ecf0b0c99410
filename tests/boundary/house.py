#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that a script can see: lengths, licence lines, nothing left open, tests that assert.

A file has at most 600 lines and a function at most 60, from the line of its opening brace.
"""

import re

from tree import files, report

MAX_FILE, MAX_FUNCTION = 600, 60
OPENS = re.compile(r"^\{$|^[A-Za-z_].*\)\s*\{$")
LEFT_OPEN = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
ASSERTS = re.compile(r"\bck_(assert|abort)")


def long_functions(path, text):
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if OPENS.match(line):
            start = number
        elif line.startswith("}"):
            if start is not None and number - start > MAX_FUNCTION:
                yield f"{path}:{start}: function of {number - start} lines"
            start = None


def check(path, text):
    lines = text.count("\n")
    if lines > MAX_FILE:
        yield f"{path}: {lines} lines"
    if "SPDX-License-Identifier: Apache-2.0" not in text[:200]:
        yield f"{path}: no licence line"
    for number, line in enumerate(text.splitlines(), 1):
        if LEFT_OPEN.search(line):
            yield f"{path}:{number}: left open: {line.strip()}"
    if path.suffix in (".c", ".h"):
        yield from long_functions(path, text)
    if path.parts[:2] == ("tests", "unit") and path.match("test_*.c") and not ASSERTS.search(text):
        yield f"{path}: asserts nothing"


def main():
    problems, checked = [], 0
    for path, text in files("core", "sdk", "plugins", "tests",
                            suffixes=(".c", ".h", ".py", ".sh", ".cmake", ".proto")):
        checked += 1
        problems += check(path, text)
    report(problems, checked, "files")


if __name__ == "__main__":
    main()
