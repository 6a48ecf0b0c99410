#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tutorial.py CMAKE BUILD CC: docs/plugin-tutorial.md in a clean prefix, but for what needs a Milvus.

With a Milvus, and in a clean Debian: tests/integration/test_debian.py.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tutorial_reader import Reader

FLAGS = "-O1 -g -Wall -Wextra -Wshadow -Wconversion -Werror"


def main(cmake, build, compiler):
    with tempfile.TemporaryDirectory() as scratch:
        prefix = Path(scratch, "prefix")
        subprocess.run([cmake, "--install", build, "--prefix", prefix], check=True,
                       stdout=subprocess.DEVNULL)
        environment = {key: value for key, value in os.environ.items() if key != "MAKEFLAGS"}
        environment.update(PATH=f"{prefix}/bin:{os.environ['PATH']}", CC=compiler, CFLAGS=FLAGS,
                           PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"), HOME="/nonexistent")

        def run(script, folder):
            print(script, flush=True)
            ended = Path(scratch, "folder")
            subprocess.run(["sh", "-ec", f"{script}\npwd >'{ended}'"], cwd=folder, check=True,
                           env=environment)
            return ended.read_text(encoding="utf-8").strip()

        reader = Reader(run, lambda folder: folder, scratch)
        done = reader.follow(skip=("Install", "Back up a Milvus"))
        assert min(done[kind] for kind in ("sh", "c", "diff")) >= 3, f"only {done}"
        print(f"the tutorial holds: {done}")


if __name__ == "__main__":
    main(*sys.argv[1:])
