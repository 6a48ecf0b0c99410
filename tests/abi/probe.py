#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares all types of the ABI with the newest recorded dump, by abidiff.

abidiff sees only types that exported functions reach, so the library that is compared exports one
function for each ABI structure, and the entry.  Unlike layout.py it sees signatures of operations.

Structures may grow at their end.  A suppression of has_data_member_inserted_at = end would hide
other changes of the same structure, too (libabigail 2.2), so there is none: what was appended is cut
off before the comparison, and abidiff has to find no difference at all.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import abi

NEEDED = "abidiff"


def source(names):
    lines = ["#include <bakplane/plugin.h>"]
    for name in names:
        lines += [f"void probe_{name}(struct {name} *it);",
                  f"void probe_{name}(struct {name} *it) {{ (void)it; }}"]
    lines += ["bp_status bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out,"
              " struct bp_error *error) { (void)host; (void)out; (void)error; return BP_OK; }"]
    return "\n".join(lines) + "\n"


def build(compiler, include, names, folder):
    """The probe library for these structures, with debug information."""
    path, library = Path(folder, "probe.c"), Path(folder, "libbp-abi-probe.so")
    path.write_text(source(names), encoding="utf-8")
    subprocess.run([compiler, "-std=c11", "-g", "-O0", "-fPIC", "-shared", f"-I{include}", "-o", library, path],
                   check=True, cwd=folder)
    return library


def dump(compiler, include, out):
    """Record the types; nothing in it names a folder of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        names = [name for name, _ in abi.structures(include)]
        library = build(compiler, include, names, folder)
        subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs",
                        "--short-locs", "--out-file", out, library], check=True)


def compare(compiler, include):
    """What abidiff says, or "" when nothing changed that matters."""
    minor, folder = list(abi.recorded().items())[-1]
    names = [name for name, _ in abi.structures(folder)]
    with tempfile.TemporaryDirectory() as scratch:
        abi.write_shortened(include, scratch, folder)
        try:
            library = build(compiler, scratch, names, scratch)
        except subprocess.CalledProcessError:
            return f"what 1.{minor} has cannot be built any more"
        done = subprocess.run(["abidiff", "--leaf-changes-only", folder / "probe.abi", library],
                              check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    if done.returncode == 0:
        return ""
    return f"the types of ABI 1 changed since 1.{minor}:\n{done.stdout}"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cc", default="cc", help="the C compiler")
    options.add_argument("--include", default=abi.SDK_INCLUDE, help="the headers")
    args = options.parse_args()
    if shutil.which(NEEDED) is None and os.environ.get("CI") != "true":
        print(f"SKIP: {NEEDED} is not here (Debian: abigail-tools)")
        return 77
    said = compare(args.cc, args.include)
    print(said or f"{len(list(abi.structures(args.include)))} structures agree")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
