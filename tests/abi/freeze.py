#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the ABI as it is now: the promise that the gates in this folder then keep.

Writes layout_v1.txt, and into v1.MINOR the headers and the dump for abidiff.  A minor that is
recorded is recorded for good.
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
    args = options.parse_args()

    minor = abi.minor(abi.SDK_INCLUDE)
    folder = abi.HERE / f"v1.{minor}"
    if folder.exists():
        sys.exit(f"1.{minor} is recorded already; a change of the ABI needs the next minor")
    if abi.recorded():
        broken = probe.compare(args.cc, abi.SDK_INCLUDE)
        if broken:
            sys.exit(broken)
    subprocess.run([sys.executable, abi.HERE / "layout.py", "--cc", args.cc, "--update"], check=True)
    (folder / "bakplane").mkdir(parents=True)
    for header in abi.headers(abi.SDK_INCLUDE):
        shutil.copy(header, folder / "bakplane")
    probe.dump(args.cc, folder, folder / "probe.abi")
    print(f"recorded 1.{minor} in {folder.relative_to(abi.TOP)}; now run ctest -L abi")


if __name__ == "__main__":
    main()
