# SPDX-License-Identifier: Apache-2.0
"""What the boundary tests share: the files of the repository, and how to complain."""

import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# Golden data, kept byte for byte as it came.
FIXTURES = TOP / "tests" / "fixtures"


def files(*folders, suffixes=(".c", ".h")):
    """All source files below the folders, as (path relative to the top, text)."""
    for folder in folders:
        for path in sorted((TOP / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file() and FIXTURES not in path.parents:
                yield path.relative_to(TOP), path.read_text(encoding="utf-8")


def report(problems, checked, what):
    """Print what is wrong, or how much was looked at; exit accordingly. Nothing is a failure."""
    for problem in problems:
        print(problem)
    if checked == 0:
        print(f"no {what} found: the test looks in the wrong place")
    print(f"{checked} {what}, {len(problems)} problems")
    sys.exit(1 if problems or checked == 0 else 0)
