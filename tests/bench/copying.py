# SPDX-License-Identifier: Apache-2.0
"""Backups from directory to directory beside cp, and their memory."""

import json
import os
import shutil
import statistics
import time
from pathlib import Path

import datasets
import pairs
from results import Rivals, alone, contest

STARTS = 21
FEW = 1000  # files that may be removed between two rounds


class Bench:
    """What the cases share: the program, its plugins, and a scratch directory on a real disk."""

    def __init__(self, program, scratch, args, say):
        self.program, self.scratch, self.say = program, Path(scratch), say
        self.rounds, self.rows = args.rounds, args.rows
        build = Path(program).resolve().parent.parent
        self.plugins = [str(build / "lib/bakplane/plugins"), str(build / "tests/plugins")]

    def data(self, dataset):
        return dataset.write(self.scratch / dataset.name.replace(" ", "-").replace(",", ""))

    def config(self, source, data, backups, settings=()):
        """A configuration file with these storages, as the words that name it."""
        config = self.scratch / "bakplane.json"  # JSON is YAML
        config.write_text(json.dumps({
            "source": {**source, "storage": "data"},
            "storages": {"data": data, "backups": backups},
            "backup": {"storage": "backups", **dict(settings)},
            "plugins": {"dirs": self.plugins},
            "state_dir": str(self.scratch / "state"),
        }), encoding="utf-8")
        config.chmod(0o600)
        return [str(self.program), f"--config={config}", "--quiet"]

    def create(self, data, backups, settings=()):
        """The command of a backup of all files of one storage in another."""
        return [*self.config({"plugin": "files"}, data, backups, settings), "create",
                "--name=bench"]

    def backup(self, dataset, number, settings=(), link=False):
        """The command of one backup into a new directory."""
        return self.create({"plugin": "local", "root": str(self.data(dataset))},
                           {"plugin": "local", "root": str(self.scratch / f"backup{number}"),
                            "link": link}, settings)

    def clean_backup(self, number):
        shutil.rmtree(self.scratch / f"backup{number}")

    def ours(self, dataset, **how):
        return pairs.Side("bakplane create", lambda n: [self.backup(dataset, n, **how)],
                          self.clean_backup, dataset.files > FEW)

    def cp(self, dataset, flags):
        source = str(self.data(dataset))

        def prepare(number):
            return [["cp", flags, source, str(self.scratch / f"copy{number}")], ["sync"]]

        def clean(number):
            shutil.rmtree(self.scratch / f"copy{number}")

        return pairs.Side(f"cp {flags} + sync", prepare, clean, dataset.files > FEW)


def large(bench):
    yield from contest(bench, datasets.LARGE.name, bench.ours(datasets.LARGE),
                       [Rivals([bench.cp(datasets.LARGE, "-r")], 1.0)], 32)


def many(bench):
    yield from contest(bench, datasets.MANY.name, bench.ours(datasets.MANY),
                       [Rivals([bench.cp(datasets.MANY, "-r")], 1.0)])


LINKS = {"settings": (("prove", "size"),), "link": True}


def large_links(bench):
    yield from contest(bench, f"{datasets.LARGE.name}, links", bench.ours(datasets.LARGE, **LINKS),
                       [Rivals([bench.cp(datasets.LARGE, "-r")], 0.1)])


def many_links(bench):
    yield from contest(bench, f"{datasets.MANY.name}, links", bench.ours(datasets.MANY, **LINKS),
                       [Rivals([bench.cp(datasets.MANY, "-rl")], 1.2)])


def crowd(bench):
    bench.say(datasets.CROWD.name)
    yield from alone(datasets.CROWD.name, bench.ours(datasets.CROWD), 64)


def start(bench):
    times = []
    for _ in range(STARTS):
        before = time.monotonic()
        pairs.run([str(bench.program), "version"])
        times.append((time.monotonic() - before) * 1000)
    yield {"case": "start-up of bakplane version", "ours": statistics.median(times),
           "limit": 10, "unit": "ms"}


CASES = {"start": start, "large": large, "large-links": large_links, "many": many,
         "many-links": many_links, "crowd": crowd}


def file_system(path):
    """Type of the file system that holds `path`."""
    best, kind = "", "?"
    path = os.path.realpath(path)
    with open("/proc/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            _, point, what = line.split()[:3]
            if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
                best, kind = point, what
    return kind
