#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each plugin that breaks the contract in one way fails exactly the checks that it should, and one
that keeps it in an unusual way fails none.

Usage: broken.py storage|source|wire [--print] [NAME...]   (--print: the list as it would have to be)
"""

import concurrent.futures
import fnmatch
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import kit

LISTS = Path(__file__).resolve().parent.parent / "plugins" / "broken"
FOLDER = Path(os.environ["BAKPLANE_BIN"]).parent.parent / "tests" / "plugins" / "broken"
SERVER = {f"server.{name}" for name in ("statuses", "answers", "retry_after", "broken", "sigpipe",
                                        "cut_body", "cancel", "deadline")}
STORAGE = {
    "storage": {"space": "one", "token": "a token that is secret"},
    "hooks": {
        "second": {"space": "two"},
        "other_login": {"token": "another token"},
        "bad_values": {"space": "with blank"},
        "denied": {"read_only": True},
        "expired": {"token": "expired"},
        "full": {"quota": "20MiB"},
        "unreachable": {"space": "far-away"},
        "many": 350,
    },
}


class Storage:
    """breaks: the file that names all ways. skipped: by a plugin in memory. unshown: checks that it
    cannot fail."""

    kind, breaks, only = "storage", "breaks.h", "*"
    skipped = {"load.trust", "write.bad_keys", "leaks.files", *SERVER}
    unshown = skipped
    # What is unusual and right: the checks that it is about, and those of them that are skipped.
    unusual = {
        "clears-whole-out": ("errors.*", set()),
        "lists-late": ("list.*,write.keys,write.abort,probe.*,threads.*", {"list.strong"}),
        "lingers-in-abort": ("cancel.*", set()),
        "takes-two-at-once": ("threads.*,write.exclusive_race", set()),
        "racers-come-again": ("write.exclusive*", set()),
        "copies-at-home": ("copy.*", set()),
        "has-a-long-root": ("write.keys,errors.filled", set()),
        "never-asks": ("cancel.*", {"cancel.before"}),
    }

    def config(self, folder):
        return STORAGE


class Wire:
    """Only what a server of the kit's own is for."""

    kind, breaks, only = "storage", "wire_breaks.h", "server.*"
    skipped, unshown, unusual = set(), set(), {}

    def config(self, folder):
        answers = [{"status": 403, "class": "denied"},
                   {"status": 403, "class": "auth", "headers": {"x-code": "Expired"}},
                   {"status": 404, "class": "not-found", "body": "there is nothing"}]
        return {"storage": {},
                "hooks": {"server": {"settings": {"port": "{port}"}, "answers": answers}}}


class Source:
    kind, breaks, only, unusual = "source", "source_breaks.h", "*", {}
    skipped = {"load.trust", "load.init_fails", "source.unreachable"}
    # What is about files is shown by the storages; nothing in memory outlives a process.
    unshown = {*skipped, *(f"load.{name}" for name in (
        "exports", "undefined", "nodelete", "entry", "descriptor", "settings", "file_name",
        "oldest_host", "newer_host"))}

    def config(self, folder):
        local = str(kit.PLUGINS / "bakplane-storage-local.so")
        version = "sed -i 's/: 1/: %d/' \"$BAKPLANE_BACKUP\"/meta/*.json"
        return {"source": {}, "storages": {"backup": {"plugin": local, "root": f"{folder}/backup"}},
                "hooks": {"newer": version % 2, "older": version % 0, "pin_lasts": "1s",
                          "pinned": 'test -s "$BROKEN_PIN" || ! flock -n "$BROKEN_PIN" true'}}


def run(role, name):
    with tempfile.TemporaryDirectory() as folder:
        own = FOLDER / f"bakplane-{role.kind}-{name}.so"
        usual = "wire" if isinstance(role, Wire) else "broken"
        plugin = own if own.exists() else FOLDER / f"bakplane-{role.kind}-{usual}.so"
        only, _ = role.unusual.get(name, (role.only, None))
        pin = Path(folder, "pin")
        pin.touch()
        return kit.run(plugin, role.config(folder), "--timeout", "12s", "--only", only,
                       folder=folder, BROKEN_AS=name, BROKEN_PIN=str(pin))


def problems(role, name, checks, result):
    """checks: those that fail; one with a '?' behind it may, because threads have to meet for it."""
    allowed = {check.rstrip("?") for check in checks}
    wanted = {check for check in checks if not check.endswith("?")}
    failed = set(result.failed)
    if not wanted <= failed <= allowed:
        yield f"{name}: failed and should not: {sorted(failed - allowed)}"
        yield f"{name}: should fail and did not: {sorted(wanted - failed)}"
        yield from (f"  {check}: {why}" for check, why in result.failed.items()
                    if check not in allowed)
    _, skipped = role.unusual.get(name, (None, role.skipped))
    if not wanted and set(result.skipped) != skipped:
        yield f"{name}: skipped were {result.skipped}"
    if result.code != (kit.EXIT_FAILED if failed else kit.EXIT_PASSED):
        yield f"{name}: exit code {result.code}"


def gaps(role, expected):
    """Ways to be broken that the list forgot, and checks that nothing shows to work."""
    text = (LISTS / role.breaks).read_text(encoding="utf-8")
    ways = {way.lower().replace("_", "-") for way in re.findall(r"\bX\(([A-Z_0-9]+)\)", text)}
    yield from (f"{way}: not in the list of {role.breaks}" for way in sorted(ways - set(expected)))
    shown = {check for checks in expected.values() for check in checks if not check.endswith("?")}
    listed = {line.split()[0] for line in kit.list_checks(role.kind).splitlines()}
    listed = {check for check in listed if fnmatch.fnmatch(check, role.only)}
    yield from (f"{check}: no plugin fails it" for check in sorted(listed - shown - role.unshown))
    yield from (f"{check}: there is no such check" for check in sorted(shown - listed))


def main(kind, *arguments):
    role = {"storage": Storage, "wire": Wire, "source": Source}[kind]()
    expected = json.loads((LISTS / f"{kind}.json").read_text(encoding="utf-8"))
    names = [name for name in arguments if not name.startswith("--")] or list(expected)
    with concurrent.futures.ThreadPoolExecutor(4 if kind == "wire" else 2) as pool:
        results = dict(zip(names, pool.map(lambda name: run(role, name), names)))
    if "--print" in arguments:
        for name, result in results.items():
            print(f'  "{name}": {json.dumps(sorted(result.failed))},')
            for check, why in result.failed.items():
                print(f"    # {check}: {why}", file=sys.stderr)
        return
    wrong = [line for name in names
             for line in problems(role, name, expected[name], results[name])]
    wrong += gaps(role, expected)
    print(*wrong, f"{len(names)} plugins", sep="\n")
    sys.exit(1 if wrong or not names else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
