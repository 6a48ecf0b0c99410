# SPDX-License-Identifier: Apache-2.0
"""Files that are not what they should be: in a backup, found by verify and refused by restore; in
the source, refused by create."""

import json
import os
import shutil
import time

import pytest

from integration.lib import data, files, golden, milvus
from integration.lib.cli import EXIT_DIFFERENT, EXIT_FAILED, EXIT_USAGE, Bakplane


@pytest.fixture(scope="module")
def made(milvus_server, tmp_path_factory):
    """A backup of two collections, to be copied by each test."""
    milvus.wipe(milvus_server)
    data.simple(milvus_server, "one", count=100).delete("id in [1, 2]")
    data.simple(milvus_server, "two", count=20)
    program = Bakplane(tmp_path_factory.mktemp("damage"), milvus_server)
    program.create("whole")
    return program


@pytest.fixture
def damaged(made, tmp_path, target):
    """A copy of the backup, whose restore would go into an empty Milvus."""
    program = Bakplane(tmp_path, target)
    shutil.copytree(made.path("whole"), program.path("whole"))
    return program


def log_of(program, kind="insert_log"):
    return files.largest(program.path("whole", "binlogs", kind))


def key_of(program, path):
    return str(path.relative_to(program.path("whole")))


def found(result):
    return {(one["key"], one["problem"]) for one in result.json["problems"]}


def untouched(server):
    return milvus.collections(server) == []


def test_same_size_other_bytes(damaged, target):
    victim = log_of(damaged)
    files.flip(victim)
    damaged.verify("whole")
    result = damaged.verify("whole", "--deep", expect=EXIT_DIFFERENT)
    assert found(result) == {(key_of(damaged, victim), "altered")}
    damaged.restore("whole", "--verify", "deep", expect=EXIT_FAILED).mentions(
        "damaged", key_of(damaged, victim))
    assert untouched(target)


@pytest.mark.parametrize("kind", ["insert_log", "delta_log"])
@pytest.mark.parametrize("how, problem", [("cut", "truncated"), ("grow", "longer than recorded"),
                                          ("remove", "missing"), ("empty", "truncated")])
def test_other_size(damaged, target, kind, how, problem):
    victim = log_of(damaged, kind)
    content = victim.read_bytes()
    victim.unlink()
    if how != "remove":
        victim.write_bytes({"cut": content[:-1], "grow": content + b"x", "empty": b""}[how])
    for flags in ([], ["--deep"]):
        result = damaged.verify("whole", *flags, expect=EXIT_DIFFERENT)
        assert found(result) == {(key_of(damaged, victim), problem)}
    damaged.restore("whole", expect=EXIT_FAILED).mentions("damaged", key_of(damaged, victim))
    assert untouched(target)


def test_several_are_all_named(damaged):
    victims = sorted(path for path in damaged.path("whole", "binlogs").rglob("*")
                     if path.is_file())[:3]
    for victim in victims:
        victim.unlink()
    result = damaged.verify("whole", expect=EXIT_DIFFERENT)
    assert found(result) == {(key_of(damaged, victim), "missing") for victim in victims}
    assert result.json["missing"] == 3


def test_a_file_too_many(damaged, target):
    extra = log_of(damaged).with_name("1")
    extra.write_bytes(b"not of this backup")
    result = damaged.verify("whole", expect=EXIT_DIFFERENT)
    assert found(result) == {(key_of(damaged, extra), "unexpected")}
    damaged.restore("whole")
    assert len(milvus.rows(target, "default.one")) == 98, "what the manifest names, no more"


@pytest.mark.parametrize("document", ["meta/backup_meta.json", "meta/full_meta.json",
                                      "meta/segment_meta.json"])
def test_document(damaged, target, document):
    path = damaged.path("whole", document)
    files.flip(path)
    assert damaged.run("verify", "-n", "whole").code in (EXIT_FAILED, EXIT_DIFFERENT)
    damaged.restore("whole", expect=EXIT_FAILED).mentions(document)
    path.unlink()
    assert damaged.list()["whole"]["status"] != "success"
    assert damaged.run("--json", "verify", "-n", "whole").code in (EXIT_FAILED, EXIT_DIFFERENT)
    damaged.restore("whole", expect=EXIT_FAILED)
    assert untouched(target)


@pytest.mark.parametrize("record, how", [
    (record, how) for record in ("bakplane/manifest.json", "bakplane/items-1.jsonl")
    for how in ("flip", "cut", "remove") if (record, how) != ("bakplane/manifest.json", "remove")])
def test_own_record(damaged, target, record, how):
    path = damaged.path("whole", record)
    if how == "flip":
        files.flip(path)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        path.unlink()
    result = damaged.run("--json", "verify", "-n", "whole")
    assert result.code in (EXIT_FAILED, EXIT_DIFFERENT), result
    damaged.restore("whole", expect=EXIT_FAILED)
    assert untouched(target)


def test_without_our_manifest(damaged, target):
    """Then it looks like one of milvus-backup's, and is handled as such: by its documents."""
    damaged.path("whole", "bakplane", "manifest.json").unlink()
    assert damaged.list()["whole"]["status"] == "foreign"
    damaged.restore("whole")
    assert len(milvus.rows(target, "default.one")) == 98
    log_of(damaged).unlink()
    damaged.restore("whole", "--suffix", "_2", expect=EXIT_FAILED).mentions("damaged")


@pytest.fixture(params=golden.BACKUPS)
def foreign(bakplane, request):
    """A backup that milvus-backup wrote; no Milvus answers."""
    program = bakplane(settings={"source": {"address": "127.0.0.1:1"}, "storages": {
        "milvus-data": {"plugin": "local", "root": "/nonexistent/milvus"}}})
    return program, golden.unpack(request.param, program.backups)


def test_foreign_damage_is_all_named(foreign):
    program, folder = foreign
    logs = sorted(path for path in folder.glob("binlogs/insert_log/**/*") if path.is_file())
    deletes = sorted(path for path in folder.glob("binlogs/delta_log/**/*") if path.is_file())
    lost = [logs[0], logs[-1], deletes[0]]
    cut = [logs[1], deletes[1]]
    program.verify(folder.name)
    for path in lost:
        path.unlink()
    for path in cut:
        path.write_bytes(path.read_bytes()[:-1])
    expected = {(str(path.relative_to(folder)), problem)
                for paths, problem in ((lost, "missing"), (cut, "truncated")) for path in paths}
    for flags in ([], ["--deep"]):
        result = program.verify(folder.name, *flags, expect=EXIT_DIFFERENT)
        assert found(result) == expected
        assert (result.json["missing"], result.json["truncated"]) == (3, 2)


def test_foreign_without_its_documents(foreign):
    program, folder = foreign
    for path in folder.glob("meta/*"):
        path.write_text("{", encoding="utf-8")
    program.run("verify", "-n", folder.name).expect(EXIT_FAILED).mentions("meta/")


def test_manifest_of_a_newer_program(damaged, target):
    path = damaged.path("whole", "bakplane", "manifest.json")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    key = next(key for key in ("version", "manifest_version", "format") if key in manifest)
    manifest[key] = 99
    path.write_text(json.dumps(manifest), encoding="utf-8")
    damaged.restore("whole", expect=EXIT_FAILED).mentions("99")
    assert untouched(target)


def test_links_are_named_not_followed(damaged, target, tmp_path):
    victim = log_of(damaged)
    outside = tmp_path / "outside"
    outside.write_bytes(victim.read_bytes())
    victim.unlink()
    victim.symlink_to(outside)
    result = damaged.run("--json", "verify", "-n", "whole")
    assert result.code in (EXIT_FAILED, EXIT_DIFFERENT), result
    result.mentions(victim.name)
    assert damaged.run("--json", "restore", "-n", "whole").code == EXIT_FAILED
    assert untouched(target)


# -- the source


@pytest.fixture
def broken(source, bakplane):
    """A collection, and one log file of it."""
    data.simple(source, "one", count=100)
    data.simple(source, "two", count=10)
    program = bakplane(source)
    identity = milvus.handler(source).describe_collection("one")["collection_id"]
    return program, files.largest(source.root_path / "insert_log" / str(identity))


def no_success(program, name="b"):
    entry = program.list().get(name)
    assert entry is None or entry["status"] != "success", entry
    assert program.run("verify", "-n", name).code != 0


def test_source_file_that_may_not_be_read(source, broken, bakplane):
    _, victim = broken
    program = bakplane(source, prefix=files.obeys_modes())
    victim.chmod(0)
    try:
        program.create("b", expect=EXIT_FAILED).mentions(victim.name)
        no_success(program)
    finally:
        victim.chmod(0o644)
    program.create("b", "--resume")
    program.verify("b", "--deep")


def test_source_file_that_is_gone(broken):
    """Milvus still names the segment: nothing is missing quietly."""
    program, victim = broken
    victim.rename(victim.parents[5] / "kept-elsewhere")
    program.create("b", expect=EXIT_FAILED).mentions("one")
    no_success(program)
    (victim.parents[5] / "kept-elsewhere").rename(victim)
    program.create("b", *(["--resume"] if "b" in program.list() else []))
    program.verify("b", "--deep")


# Of each of the two collections: named, and heard of two seconds later.
FIRST_PAGES = ";".join(f"source.unit_items:milvus:after:delay=2s:nth={nth}" for nth in (1, 2))


def test_source_file_that_vanishes_meanwhile(broken):
    """It was named, and is gone when its turn to be copied comes."""
    program, victim = broken
    slow = program.start("--json", "create", "-n", "b",
                         env={"BP_FAULT": FIRST_PAGES})
    lost = victim.with_name("lost")
    while not program.path("b", "bakplane", "manifest.json").exists():
        time.sleep(0.01)
    os.rename(victim, lost)
    try:
        result = program.finish(slow)
        assert result.code in (EXIT_FAILED, EXIT_USAGE), result
        no_success(program)
    finally:
        os.rename(lost, victim)


def test_source_directory_that_is_a_link(source, broken, tmp_path):
    program, victim = broken
    segment = victim.parents[1]
    segment.rename(tmp_path / "elsewhere")
    segment.symlink_to(tmp_path / "elsewhere")
    try:
        result = program.run("--json", "create", "-n", "b")
        assert result.code in (EXIT_FAILED, EXIT_USAGE), result
        result.mentions(segment.name)
        no_success(program)
    finally:
        segment.unlink()
        (tmp_path / "elsewhere").rename(segment)
