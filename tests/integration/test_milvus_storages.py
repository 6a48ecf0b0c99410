# SPDX-License-Identifier: Apache-2.0
"""A Milvus on MinIO or on local storage, backed up to every storage and restored into both."""

import time

import pytest

from integration.lib import data, golden, milvus
from integration.lib.cli import Bakplane, notes, targets
from integration.lib.storages import Bucket
from integration.lib.tables import Table

# Deletes and partitions; JSON and a dynamic field; a partition key. All have indexes.
WANTED = ["default.books", "default.words", "shop.items"]
IN_PLACE = ["same bucket", "below its root path"]
PLACES = [*IN_PLACE, "other bucket", "versitygw", "azurite", "local"]
SUFFIX = "_again"
ITSELF, LOCAL = "into itself", "into Milvus on local storage"

table = Table("Milvus on MinIO: backed up to, and restored from there into, row by row",
              "backup", PLACES, ["create", ITSELF, LOCAL])
local_table = Table("Milvus on local storage: backed up to MinIO and restored, row by row",
                    "backup", ["minio"], ["create", LOCAL])


def fill(server):
    milvus.wipe(server)
    golden.fill(server)
    data.books(server)
    data.words(server)
    facts, rows = milvus.everything(server)
    return {path: facts[path] for path in WANTED}, {path: rows[path] for path in WANTED}


class Origin:
    """A Milvus with collections, and what they held."""

    def __init__(self, server):
        self.server = server
        self.facts, self.rows = fill(server)

    def create(self, program, name):
        created = program.create(name, "--filter", ",".join(WANTED)).json
        assert created["state"] == "success"
        assert {f"{one['parent']}.{one['name']}" for one in created["units"]} == set(WANTED)
        verified = program.verify(name, "--deep").json
        assert verified["compared"] + verified["sealed"] == created["items"] > 0


@pytest.fixture(scope="module")
def origin(milvus_on_minio):
    return Origin(milvus_on_minio)


@pytest.fixture(scope="module")
def place_of(origin, new_place):
    """place_of("same bucket"): where that is."""
    def make(name):
        if name == "same bucket":
            return Bucket(origin.server.storage, origin.server.bucket, "backup")
        if name == "below its root path":  # where milvus-backup puts them unless told otherwise
            return Bucket(origin.server.storage, origin.server.bucket,
                          f"{origin.server.root_path}/backup")
        return new_place("minio" if name == "other bucket" else name, "backup")

    return make


def timed(call):
    started = time.monotonic()
    return call(), f"{time.monotonic() - started:.1f} s"


def restore_all(runs):
    """At once: {column: (program, flags)} -> {column: (result, how it went, for the table)}"""
    started = {column: program.start("--json", "restore", "-n", "b1", "--wait", "-v", "-v", *flags)
               for column, (program, flags) in runs.items()}
    done = {}
    for column, (program, _) in runs.items():
        result = program.finish(started[column]).expect(0)
        assert {one["state"] for one in targets(result).values()} == {"complete"}, str(result)
        how = "in place" if "read in place" in result.err else "staged"
        done[column] = (result, f"ok {how} {result.json['duration_ms'] / 1000:.1f} s")
    return done


def assert_nothing_staged(place):
    left = [key for key in place.keys() if "restore" in key or "scratch" in key]
    assert left == [] and place.uploads() == []


def assert_restored(origin, server):
    facts, rows = milvus.everything(server)
    milvus.assert_same(origin.rows, rows)
    milvus.assert_same(origin.facts, facts)


@pytest.mark.parametrize("name", PLACES)
def test_from_minio(tmp_path, origin, target, place_of, name):
    place = place_of(name)
    program = Bakplane(tmp_path / "minio", origin.server, backups=place)
    _, seconds = timed(lambda: origin.create(program, "b1"))
    table.put(name, "create", f"ok {seconds}")
    assert sorted(program.list()) == ["b1"]

    other = Bakplane(tmp_path / "local", target, backups=place)
    done = restore_all({ITSELF: (program, ["--suffix", SUFFIX]), LOCAL: (other, [])})
    expected = {ITSELF: "in place" if name in IN_PLACE else "staged",
                LOCAL: "in place" if name == "local" else "staged"}
    for column, (result, how) in done.items():
        assert expected[column] in how, str(result)
        table.put(name, column, how)

    # Beside what is there, which keeps its aliases.
    assert "alias-taken" in notes(done[ITSELF][0])
    for path in WANTED:
        milvus.assert_same(origin.rows[path], milvus.rows(origin.server, path + SUFFIX))
        found = milvus.describe(origin.server, path + SUFFIX)
        milvus.assert_same({**origin.facts[path], "aliases": []}, found)
        milvus.drop(origin.server, path + SUFFIX)
    assert_restored(origin, target)
    assert_nothing_staged(program.data)
    assert_nothing_staged(other.data)

    program.delete("b1")
    assert place.keys() == [] and place.uploads() == []
    milvus.assert_same(origin.rows["default.books"], milvus.rows(origin.server, "default.books"))


def test_from_local_storage(tmp_path, target, new_place):
    origin = Origin(target)
    place = new_place("minio", "some/backups")
    program = Bakplane(tmp_path, target, backups=place)
    _, seconds = timed(lambda: origin.create(program, "b1"))
    local_table.put("minio", "create", f"ok {seconds}")
    milvus.wipe(target)
    (result, how), = restore_all({LOCAL: (program, [])}).values()
    assert "staged" in how, str(result)
    local_table.put("minio", LOCAL, how)
    assert_restored(origin, target)
    assert_nothing_staged(program.data)
    program.delete("b1")
    assert place.keys() == [] and place.uploads() == []
