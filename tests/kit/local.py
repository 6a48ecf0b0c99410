#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""storage-local passes the conformance kit, and what is skipped is what a directory has not.

What a directory needs root or a real disk for is in the integration test.
"""

import sys
import tempfile
from pathlib import Path

import kit

SKIPPED = {
    "load.init_fails": "it has no init",
    "config.secrets": "it has no secret setting",
    "config.unreachable": "needs hook unreachable",
    "write.key_is_prefix": "it does not promise KEY_IS_PREFIX",
    "write.full": "needs hook full",
    "copy.other_login": "needs hook other_login",
    "copy.too_large": "its max_copy is too large to try",
    "parts.list": "its uploads expire and are not listed",
    "errors.expired": "needs hook expired",
    **{f"server.{name}": "needs hook server" for name in (
        "statuses", "answers", "retry_after", "broken", "sigpipe", "cut_body", "cancel",
        "deadline")},
    "memory.refused": "it asks the host for no memory",
}


def config(folder):
    return {
        "storage": {"plugin": "local", "root": f"{folder}/one"},
        "hooks": {
            "second": {"root": f"{folder}/two"},
            "bad_values": {"file_mode": "9", "dir_mode": "0077", "owner": "no-such-user-here"},
            "denied": {"root": f"{folder}/not/there", "create_root": "false"},
            "many": 5000,
        },
    }


def main():
    plugin = kit.PLUGINS / "bakplane-storage-local.so"
    with tempfile.TemporaryDirectory() as folder:
        result = kit.run(plugin, config(folder), "--trust", plugin.parent, folder=folder)
        left = [path for place in ("one", "two") for path in Path(folder, place).rglob("*")
                if path.is_file() and ".bakplane-tmp" not in path.parts]
    problems = []
    trusted = "load.trust" not in result.failed
    if result.code != kit.EXIT_PASSED and (trusted or len(result.failed) > 1):
        problems.append("it failed")
    if result.skipped != SKIPPED:
        problems.append(f"skipped were {result.skipped}")
    if result.planned != len(result.names):
        problems.append(f"{result.planned} checks were planned and {len(result.names)} told")
    if left:
        problems.append(f"it left {left}")
    print(result, *problems, sep="\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
