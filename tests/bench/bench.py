#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time and memory of bakplane beside plain tools.  Prints ratios and what we aim at; nothing here
fails because of a number, because numbers depend on the machine.

Usage: bench.py [--json FILE] [--rounds N] [--scratch DIR] [CASE...]

BAKPLANE_BIN names the program; its build tree has the plugins.  The scratch directory must be on
a disk: on a tmpfs there is nothing to make durable.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import capturing
import copying
import pairs
import restoring
import streaming

TOP = Path(__file__).resolve().parents[2]
CASES = {**copying.CASES, **streaming.CASES, **capturing.CASES, **restoring.CASES}


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def parse():
    parser = argparse.ArgumentParser(description="time and memory of bakplane beside plain tools")
    parser.add_argument("--json", metavar="FILE", help="write the results there, too")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of each comparison (5)")
    parser.add_argument("--rows", type=int, default=50_000, metavar="N",
                        help="in each collection of create and restore-large (50000)")
    parser.add_argument("--scratch", metavar="DIR", help="where to work; 8 GB (the build tree)")
    parser.add_argument("cases", nargs="*", metavar="CASE",
                        help=f"of {', '.join(CASES)} (all)")
    args = parser.parse_args()
    for case in args.cases:
        if case not in CASES:
            parser.error(f"no such case: {case}")
    return args


def scratch_dir(wanted, program):
    where = wanted or str(Path(program).resolve().parent.parent)
    os.makedirs(where, exist_ok=True)
    if copying.file_system(where) in ("tmpfs", "ramfs"):
        sys.exit(f"bench: {where} is in memory; --scratch must name a directory on a disk")
    return tempfile.mkdtemp(prefix="bench.", dir=where)


def aims(result):
    """What we aim at, as text."""
    limits = [f"<= {result['limit']:g} {result['unit']}"] if "limit" in result else []
    return ", ".join(limits + ([f"<= {result['target']:g}"] if "target" in result else []))


def show(results):
    rows = [("case", "bakplane", "beside", "", "ratio", "aim")]
    for result in results:
        unit = result["unit"]
        rows.append((result["case"], f"{result['ours']:.3f} {unit}",
                     f"{result['theirs']:.3f} {unit}" if "theirs" in result else "",
                     result.get("against", ""),
                     f"{result['ratio']:.2f}" if "ratio" in result else "", aims(result)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    args = parse()
    program = os.environ.get("BAKPLANE_BIN", str(TOP / "build/release/bin/bakplane"))
    if not os.access(program, os.X_OK):
        sys.exit(f"bench: no program {program}; ./dev bench builds it")
    scratch = scratch_dir(args.scratch, program)
    results = []
    try:
        bench = copying.Bench(program, scratch, args, say)
        for case in args.cases or CASES:
            results.extend(CASES[case](bench))
    except pairs.Failed as failed:
        sys.exit(f"bench: {failed}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        show(results)
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
