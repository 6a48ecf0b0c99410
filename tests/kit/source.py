#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tests' own source of files passes the conformance kit; Milvus is in the integration tests."""

import os
import sys
import tempfile
from pathlib import Path

import kit

SKIPPED = {
    "load.trust": "needs --trust DIR",
    "load.init_fails": "it has no init",
    "source.unreachable": "needs hook unreachable",
    "source.streams": "its items lie in a storage",
    "source.keepalive": "it has no run_keepalive",
    "source.pin_expires": "needs hook pinned",
    "restore.older": "needs hook older",
    "restore.newer": "needs hook newer",
}


def fill(folder):
    for name in ("shop/one", "shop/in/two", "users/three"):
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 1000)


def config(folder):
    local = str(kit.PLUGINS / "bakplane-storage-local.so")
    restored = f"{folder}/data/restored/$BAKPLANE_TARGET"
    return {
        "source": {"storage": "data"},
        "storages": {"data": {"plugin": local, "root": f"{folder}/data"},
                     "backup": {"plugin": local, "root": f"{folder}/backup"}},
        "hooks": {
            "seed": f"test -d {folder}/data/shop",
            "compare": f"diff -r {folder}/data/$BAKPLANE_NAME {restored}",
            "drop": f"rm -r {restored}",
        },
    }


def left_in(folder):
    return [path for path in folder.rglob("*")
            if path.is_file() and ".bakplane-tmp" not in path.parts]


def main():
    plugin = Path(os.environ["BAKPLANE_TEST_PLUGIN_DIR"]) / "bakplane-source-files.so"
    problems = []
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as settings:
        folder = Path(scratch)
        fill(folder)
        before = left_in(folder)
        result = kit.run(plugin, config(folder), folder=settings)
        if left_in(folder) != before:
            problems.append(f"it left {left_in(folder)}")
    if result.code != kit.EXIT_PASSED:
        problems.append("it failed")
    if result.skipped != SKIPPED:
        problems.append(f"skipped were {result.skipped}")
    print(result, *problems, sep="\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
