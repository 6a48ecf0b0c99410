#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the ABI as it is now: the promise that the gates in this folder then keep.

Writes layout_v1.txt, and into v1.MINOR the headers and the dump for abidiff.  A minor that is
recorded is recorded for good: --again writes it anew, which is for the time of 1.0-rc only.
"""

import argparse
import shutil
import subprocess
import sys

import abi
import probe


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cc", default="cc", help="the C compiler")
    options.add_argument("--again", action="store_true", help="also what is recorded already (1.0-rc)")
    args = options.parse_args()

    minor = abi.minor(abi.SDK_INCLUDE)
    folder = abi.HERE / f"v1.{minor}"
    if folder.exists() and not args.again:
        sys.exit(f"1.{minor} is recorded already; a change of the ABI needs the next minor")
    if abi.recorded() and not args.again:
        broken = probe.compare(args.cc, abi.SDK_INCLUDE)
        if broken:
            sys.exit(broken)
    update = [sys.executable, abi.HERE / "layout.py", "--cc", args.cc, "--update"]
    subprocess.run(update + (["--allow-break"] if args.again else []), check=True)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "bakplane").mkdir(parents=True)
    for header in abi.headers(abi.SDK_INCLUDE):
        shutil.copy(header, folder / "bakplane")
    probe.dump(args.cc, folder, folder / "probe.abi")
    print(f"recorded 1.{minor} in {folder.relative_to(abi.TOP)}; now run ctest -L abi")
    print_what_says_rc()


def print_what_says_rc():
    """Before a release nothing may call the ABI a candidate any more, nor --again be allowed."""
    found = subprocess.run(["git", "-C", abi.TOP, "grep", "-nE", r"1\\?\.0\\?-rc|%d-rc"], check=False,
                           text=True, stdout=subprocess.PIPE).stdout
    if found:
        print(f"these lines call it a candidate:\n{found}", end="")


if __name__ == "__main__":
    main()
