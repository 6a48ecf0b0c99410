#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each plugin that breaks the contract in one way fails exactly the checks that it should.

Usage: broken.py [--print] [NAME...]   (--print: the list as it would have to be)
"""

import concurrent.futures
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import kit

HERE = Path(__file__).resolve().parent
LIST = HERE.parent / "plugins" / "broken" / "expected.json"
FOLDER = Path(os.environ["BAKPLANE_BIN"]).parent.parent / "tests" / "plugins" / "broken"
# Not in vain: what the plugin has no room for, and what only servers do.
SKIPPED = {"load.trust", "write.bad_keys", "leaks.files", "config.unreachable",
           *(f"server.{name}" for name in ("statuses", "answers", "retry_after", "broken",
                                           "sigpipe", "cut_body", "cancel", "deadline"))}
# What a plugin without files, servers and other processes cannot break.
UNSHOWN = {*SKIPPED, "write.killed"}
CONFIG = {
    "storage": {"space": "one", "token": "a token that is secret"},
    "hooks": {
        "second": {"space": "two"},
        "other_login": {"token": "another token"},
        "bad_values": {"space": "with blank"},
        "denied": {"read_only": True},
        "expired": {"token": "expired"},
        "full": {"quota": "20MiB"},
        "many": 350,
    },
}


def run(name):
    with tempfile.TemporaryDirectory() as folder:
        own = FOLDER / f"bakplane-storage-{name}.so"
        plugin = own if own.exists() else FOLDER / "bakplane-storage-broken.so"
        return kit.run(plugin, CONFIG, "--timeout", "12s", folder=folder, BROKEN_AS=name)


def problems(name, wanted, result):
    failed = set(result.failed)
    if failed != wanted:
        yield f"{name}: failed and should not: {sorted(failed - wanted)}"
        yield f"{name}: should fail and did not: {sorted(wanted - failed)}"
        yield from (f"  {check}: {why}" for check, why in result.failed.items()
                    if check not in wanted)
    if not wanted and set(result.skipped) != SKIPPED:
        yield f"{name}: skipped were {result.skipped}"
    if result.code != (kit.EXIT_FAILED if failed else kit.EXIT_PASSED):
        yield f"{name}: exit code {result.code}"


def gaps(expected):
    """Ways to be broken that the list forgot, and checks that nothing shows to work."""
    text = (LIST.parent / "breaks.h").read_text(encoding="utf-8")
    ways = {way.lower().replace("_", "-") for way in re.findall(r"\bX\(([A-Z_0-9]+)\)", text)}
    yield from (f"{way}: not in expected.json" for way in sorted(ways - set(expected)))
    shown = {check for checks in expected.values() for check in checks}
    listed = {line.split()[0] for line in kit.list_checks().splitlines()}
    yield from (f"{check}: no plugin fails it" for check in sorted(listed - shown - UNSHOWN))
    yield from (f"{check}: there is no such check" for check in sorted(shown - listed))


def main(*arguments):
    expected = json.loads(LIST.read_text(encoding="utf-8"))
    names = [name for name in arguments if not name.startswith("--")] or list(expected)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = dict(zip(names, pool.map(run, names)))
    if "--print" in arguments:
        for name, result in results.items():
            print(f'  "{name}": {json.dumps(sorted(result.failed))},')
            for check, why in result.failed.items():
                print(f"    # {check}: {why}", file=sys.stderr)
        return
    wrong = [line for name in names
             for line in problems(name, set(expected[name]), results[name])]
    wrong += gaps(expected)
    print(*wrong, f"{len(names)} plugins", sep="\n")
    sys.exit(1 if wrong or not names else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
