#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program as it will be: built with the headers of a made-up next minor (future.patch).

Usage: future_program.py CMAKE CC BUILD

It has to load what was built with the headers of today and of every recorded minor, and to make
backups with it and restore them. The build is kept in BUILD/tests/future, so that the next one is
short.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import abi
import cross

SWITCHES = ("STORAGE_LOCAL", "STORAGE_S3", "STORAGE_AZURE", "SOURCE_MILVUS")


def update(fresh, kept):
    """Copy what changed, so that the rest is not built again."""
    for path in fresh.rglob("*.h"):
        target = kept / path.relative_to(fresh)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != path.read_bytes():
            shutil.copyfile(path, target)


def build_program(cmake, compiler, folder, include):
    cross.run(cmake, "-S", abi.TOP, "-B", folder, "-G", "Ninja", f"-DCMAKE_C_COMPILER={compiler}",
              "-DCMAKE_BUILD_TYPE=Debug", "-DBP_BUILD_TESTS=OFF", f"-DBP_SDK_INCLUDE={include}",
              *(f"-DBP_PLUGIN_{switch}=OFF" for switch in SWITCHES))
    cross.run(cmake, "--build", folder, "--target", "bakplane")
    return folder / "bin/bakplane"


def main(cmake, compiler, build):
    kept = Path(build, "tests/future")
    with tempfile.TemporaryDirectory(dir=Path(build, "tests")) as folder:
        tree = cross.future(Path(folder, "future"))
        include = tree / "sdk/include"
        update(include, kept / "include")
        program = build_program(cmake, compiler, kept / "build", kept / "include")
        builder = cross.Builder(compiler, folder)
        plugins = [builder.both("future", include, tree), builder.both("today", abi.SDK_INCLUDE)]
        plugins += [builder.both(f"old-{minor}", older) for minor, older in abi.recorded().items()]
        for storage, source in plugins:
            minors = cross.try_program(program, storage, source, folder)
            print(f"the program of 1.{abi.minor(include)}, {storage.stem} and {source.stem} of "
                  f"{' and '.join(minors)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
