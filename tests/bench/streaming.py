# SPDX-License-Identifier: Apache-2.0
"""Backups from and to object stores beside rclone: by the server where both are in one bucket,
through us where they are not."""

import contextlib
import shutil

import copying
import datasets
import pairs
from places import Bucket, Container, Folder
from rclone import Rclone, missing
from results import Rivals, alone, contest
from services import AzuriteServer, MinioServer, cache

BUCKET, SEED = "bench", "seed"
SERVER_MB, STREAM_MB = 32, 64
RCLONE_TARGET = 1.05


class Objects:
    """A data set somewhere, and backups of it to some other place."""

    def __init__(self, bench, dataset, place, prefix):
        self.bench, self.dataset, self.place, self.prefix = bench, dataset, place, prefix

    def check(self, place, prefix):
        found = place.count(prefix)
        if found != self.dataset.files:
            raise pairs.Failed(f"{prefix}: {found} of {self.dataset.files} objects")

    def ours(self, target, name="ours"):
        """A side; the objects of round N go to `name`-N/bench/items."""
        def prepare(number):
            data = self.place.settings(self.prefix)
            return [self.bench.create(data, target.settings(f"{name}-{number}"))]

        def clean(number):
            if number == 0:
                self.check(target, f"{name}-{number}/bench/items")
            target.remove(f"{name}-{number}")

        return pairs.Side("bakplane create", prepare, clean, self.clean_late)

    def theirs(self, target):
        def clean(prefix):
            if prefix.endswith("-0"):
                self.check(target, prefix)
            target.remove(prefix)

        program = Rclone(self.bench.scratch, [self.place, target])
        return program.sides(self.place.rclone(self.prefix), target, "theirs", clean,
                             self.clean_late)

    @property
    def clean_late(self):
        return self.dataset.files > copying.FEW

    def seed(self, target):
        """The same objects in another place, where they stay."""
        data = self.place.settings(self.prefix)
        pairs.run(self.bench.create(data, target.settings(SEED)))
        return Objects(self.bench, self.dataset, target, f"{SEED}/bench/items")


def local(bench, dataset):
    return Objects(bench, dataset, Folder(bench.data(dataset)), "")


@contextlib.contextmanager
def bucket(bench):
    """An empty one, of a MinIO of its own."""
    folder = bench.scratch / "minio"
    try:
        with MinioServer(folder) as server:
            yield Bucket(server, server.make_bucket(BUCKET))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def container(bench):
    folder = bench.scratch / "azurite"
    try:
        with AzuriteServer(folder) as server:
            yield Container(server, server.make_container(BUCKET))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def beside_rclone(bench, name, objects, target, memory_mb):
    rivals = [Rivals(objects.theirs(target), RCLONE_TARGET)]
    yield from contest(bench, name, objects.ours(target), rivals, memory_mb)


def in_bucket(dataset):
    def case(bench):
        with bucket(bench) as place:
            objects = local(bench, dataset).seed(place)
            yield from beside_rclone(bench, f"{dataset.name}, in one bucket", objects, place,
                                     SERVER_MB)
    return case


def up(dataset):
    def case(bench):
        with bucket(bench) as place:
            yield from beside_rclone(bench, f"{dataset.name}, local to MinIO",
                                     local(bench, dataset), place, STREAM_MB)
    return case


def down(bench):
    dataset = datasets.LARGE
    with bucket(bench) as place:
        objects = local(bench, dataset).seed(place)
        yield from beside_rclone(bench, f"{dataset.name}, MinIO to local", objects,
                                 Folder(bench.scratch), STREAM_MB)


def azure(bench):
    dataset = datasets.LARGE
    with bucket(bench) as place, container(bench) as target:
        objects = local(bench, dataset).seed(place)
        yield from beside_rclone(bench, f"{dataset.name}, MinIO to Azurite", objects, target,
                                 STREAM_MB)


def crowd(bench):
    """Once, for the memory: up, then within the bucket."""
    dataset = datasets.CROWD
    with bucket(bench) as place:
        bench.say(f"{dataset.name}: local to MinIO, then in one bucket")
        side = local(bench, dataset).ours(place, SEED)
        side.clean = lambda number: None
        yield from alone(f"{dataset.name}, local to MinIO", side, STREAM_MB)
        objects = Objects(bench, dataset, place, f"{SEED}-0/bench/items")
        theirs = None if missing() else objects.theirs(place)[-1]
        yield from alone(f"{dataset.name}, in one bucket", objects.ours(place), SERVER_MB, theirs)


def needing(case, *tools):
    """The case, or nothing and the reason if something is not there that it needs."""
    def run(bench):
        reason = missing() if "rclone" in tools else None
        try:
            cache.go_program("minio")
            if "azurite" in tools:
                cache.azurite()
        except cache.Missing as lacking:
            reason = str(lacking)
        if reason is not None:
            bench.say(f"left out: {reason}")
            return
        yield from case(bench)
    return run


CASES = {
    "bucket": needing(in_bucket(datasets.LARGE), "rclone"),
    "bucket-many": needing(in_bucket(datasets.MANY), "rclone"),
    "bucket-crowd": needing(crowd),
    "up": needing(up(datasets.LARGE), "rclone"),
    "up-many": needing(up(datasets.MANY), "rclone"),
    "down": needing(down, "rclone"),
    "azure": needing(azure, "rclone", "azurite"),
}
