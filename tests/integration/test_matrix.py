# SPDX-License-Identifier: Apache-2.0
"""From every storage to every storage and back: objects of all sizes, under names of all kinds.

The source is the plugin "files" of tests/harness: a storage whose objects are what is backed up.
"""

import json
import random
import time

import pytest

from integration.lib.cli import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, Bakplane, plugin_folders
from integration.lib.storages import Folder
from integration.lib.tables import Table

KINDS = ["local", "minio", "versitygw", "azurite"]
PART = 5 << 20  # the least that S3 takes
MANY_KEYS = 20000

# Every store of the tests can name these.
NAMES = ["plain", "with space", " lead", "trail ", "per%20cent%", "100%", "plus+plus", "q?x=1",
         "hash#tag", "amp&semi;", "eq=a,b", "quote'\"", "tilde~", "star*", "lt<gt>", "brace{}[]",
         "pipe|", "caret^`", "dollar$@!", "colon:", "é", "e\u0301", "漢字", "🙂", "\u202eright",
         "עברית", "A", "a", ".hidden", "-dash", "x" * 255, "é" * 127, "deep/" * 60 + "z",
         "/".join(["n" * 200] * 4)]

table = Table("Storage to storage: bytes there and back, compared", "data \\ backup", KINDS, KINDS)

keys_table = Table(f"{MANY_KEYS} keys on each storage: what takes how long", "storage", KINDS,
                   ["create", "verify", "delete"])


def content(name, size):
    return random.Random(f"{name} {size}").randbytes(size)


def objects():
    """{key: bytes}, in units of two databases."""
    found = {f"sizes/parts/{size}": content("parts", size)
             for size in (0, 1, PART - 1, PART, PART + 1, 3 * PART + 3)}
    found |= {f"names/all/{name}": name.encode() for name in NAMES}
    found["names/ünit 1%+/one"] = b"a unit with a name"
    found["names/empty/nothing"] = b""
    # Too large for how the plugin takes in what is restored, so it goes one way only.
    found["large/parts/many"] = content("many", 8 * PART + 7)
    return found


@pytest.fixture(scope="module")
def data(new_place):
    """data("minio"): a place with all objects."""
    made = {}

    def make(kind):
        if kind not in made:
            made[kind] = new_place(kind)
            for key, what in objects().items():
                made[kind].put(key, what)
        return made[kind]

    return make


def make_program(folder, data, backups, **others):
    """others: places by the names of their storages."""
    return Bakplane(folder, backups=backups, settings={
        "source": {"plugin": "files", "storage": "data", "databases": True},
        "storages": {name: place.settings() for name, place in {"data": data, **others}.items()},
        "backup": {"part_size": "5MiB"},
        "plugins": {"dirs": plugin_folders()},
    })


def records(place, name):
    """What the manifest's items files say of each item."""
    lines = []
    for key in place.keys(f"{name}/bakplane/items-"):
        lines += place.get(key).decode().splitlines()
    return [json.loads(line) for line in lines]


def how(place, name):
    """Who made the checksums tells whether the bytes came by here."""
    hosts = [":host:" in one.get("c", "") for one in records(place, name)]
    return "streamed" if all(hosts) else "mixed" if any(hosts) else "copied by the store"


@pytest.mark.parametrize("backup_kind", KINDS)
@pytest.mark.parametrize("data_kind", KINDS)
def test_there_and_back(tmp_path, data, new_place, data_kind, backup_kind):
    source, backups = data(data_kind), new_place(backup_kind, "some/where")
    third_kind = next(kind for kind in KINDS if kind not in (data_kind, backup_kind))
    third = new_place(third_kind, "third")
    expected = source.tree()
    program = make_program(tmp_path, source, backups, third=third)
    started = time.monotonic()

    created = program.create("b1").json
    assert (created["state"], created["items"]) == ("success", len(expected))
    assert created["bytes"] == sum(map(len, objects().values()))
    assert backups.tree("b1/items/") == {f"b1/items/{key}": sum_ for key, sum_ in expected.items()}
    way = how(backups, "b1")
    verified = program.verify("b1", "--deep").json
    assert verified["compared"] + verified["sealed"] == len(expected)
    assert program.verify("b1", "--deep").json["compared"] == len(expected)
    listed = program.list()["b1"]
    assert (listed["status"], listed["bytes"]) == ("success", created["bytes"])

    restored = program.restore("b1", "-d", "sizes,names").json["targets"]
    assert {one["state"] for one in restored} == {"complete"}
    del expected["large/parts/many"]
    assert source.tree("restored/") == {f"restored/{key}": sum_ for key, sum_ in expected.items()}
    assert source.keys("restored-") == [], "staging is swept"
    copied = program.run("--json", "copy", "-n", "b1", "--to", "third").expect(EXIT_DONE).json
    assert (copied["state"], copied["items"]) == ("success", created["items"])
    assert third.tree("b1/items/") == backups.tree("b1/items/")
    there = ("--set", "backup.storage=third")
    assert program.verify("b1", "--deep", *there).json["items"] == created["items"]
    program.delete("b1", *there)
    assert third.keys() == [] and third.uploads() == []

    program.delete("b1")
    assert backups.keys() == [] and backups.uploads() == [] and source.uploads() == []
    source.clear("restored/")
    table.put(data_kind, backup_kind, f"ok, {way}, {time.monotonic() - started:.1f} s")


def refused(program, words):
    """A backup that fails for a name that its storage cannot hold; nothing of it stays."""
    result = program.create("no", expect=EXIT_USAGE).mentions(*words)
    assert result.json["error"]["class"] == "invalid", result
    items = [key for key in program.store.keys() if "/items/" in key]
    assert items == [] and program.store.uploads() == []
    assert program.list()["no"]["status"] == "failed"
    program.delete("no")
    assert program.store.keys() == []


@pytest.mark.parametrize("kind", ["local", "minio", "versitygw"])
def test_names_that_a_file_system_cannot_hold(tmp_path, new_place, kind):
    """Of one part 255 bytes; Azure's blobs have no parts."""
    source = new_place("azurite")
    key = "names/all/" + "n" * 256
    source.put(key, b"text")
    refused(make_program(tmp_path, source, new_place(kind, "below")), [key])


@pytest.mark.parametrize("kind", ["local", "minio", "versitygw"])
def test_names_with_a_backslash_are_not_for_azure(tmp_path, new_place, kind):
    """It would make a slash of it, and so another key."""
    source = new_place(kind)
    source.put("names/all/back\\slash", b"text")
    refused(make_program(tmp_path, source, new_place("azurite", "below")), ["back\\slash"])


@pytest.mark.parametrize("kind, code", [("local", EXIT_USAGE), ("minio", EXIT_DONE),
                                        ("versitygw", EXIT_FAILED)])
def test_an_object_below_another(tmp_path, new_place, kind, code):
    """Of a file and a directory with one name, a file system has one."""
    source = new_place("azurite")
    source.put("names/all/one", b"an object")
    source.put("names/all/one/two", b"below it")
    program = make_program(tmp_path, source, new_place(kind, "below"))
    created = program.create("no", expect=code)
    if code == EXIT_DONE:
        assert program.verify("no", "--deep").json["items"] == 2
    else:
        created.mentions("names/all/one")
    program.delete("no")
    # The directory of what it refused may stay in versitygw, as a key of its own.
    assert [key for key in program.store.keys() if not key.endswith("/")] == []
    assert program.store.uploads() == []


@pytest.mark.parametrize("kind", KINDS)
def test_many_keys(tmp_path, new_place, kind):
    """More than a page of any store's listing: written, listed, removed."""
    source, backups = Folder(tmp_path / "data"), new_place(kind, "below")
    for number in range(MANY_KEYS):
        source.put(f"many/keys/{number % 100:02}/{number:05}", b"")
    program = make_program(tmp_path, source, backups)

    def timed(what, *flags):
        started = time.monotonic()
        result = getattr(program, what)("b1", *flags).json
        keys_table.put(kind, what, f"{time.monotonic() - started:.1f} s")
        return result

    assert timed("create")["items"] == MANY_KEYS
    verified = timed("verify")
    assert (verified["by_size"], verified["unexpected"]) == (MANY_KEYS, 0)
    if kind != "azurite":  # which looks through all that it has for each that is removed
        timed("delete")
        assert backups.keys() == []
