# SPDX-License-Identifier: Apache-2.0
"""Backup storage that is full: said before the first byte where that can be known, and nothing
half under its final name where it cannot."""

import contextlib
import shutil
import time

import pytest

from integration.lib import data, files, milvus
from integration.lib.cli import EXIT_FAILED

MIB = 1 << 20


@pytest.fixture(scope="module")
def filled(milvus_server):
    milvus.wipe(milvus_server)
    data.large(milvus_server, "photos", count=20000, dim=64)  # 5 MiB
    return milvus_server


@pytest.fixture
def disk(tmp_path):
    """resize(bytes) of the file system that the backups are on."""
    with files.small_disk(tmp_path / "backups", 3 * MIB) as resize:
        yield resize


def sizes_of_source(server):
    """Sizes of Milvus' own log files, by their numbers."""
    return {path.name: path.stat().st_size for kind in ("insert_log", "delta_log")
            for path in (server.root_path / kind).rglob("*") if path.is_file()}


def assert_nothing_half(program, server, name):
    sizes = sizes_of_source(server)
    for path in program.path(name, "binlogs").rglob("*"):
        if path.is_file():
            assert path.stat().st_size == sizes[path.name], f"{path} is half a file"


def fill(folder):
    """Somebody else takes what is left there, but for a little: less than the next of the two large
    files needs, which waits for more than two seconds behind the first."""
    with open(folder / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while shutil.disk_usage(folder).free > MIB // 2:
            filler.write(b"x" * (64 << 10))


def test_known_before(filled, disk, bakplane):
    program = bakplane(filled)
    result = program.create("b", expect=EXIT_FAILED)
    assert result.json["error"]["class"] == "no-space", result
    result.mentions("MiB", "backups")
    assert not program.path("b", "binlogs").exists()
    assert disk(64 * MIB)
    program.create("b")
    program.verify("b", "--deep")


def test_estimate_says_so(filled, disk, bakplane):
    result = bakplane(filled).run("--json", "create", "-n", "b", "--dry-run").expect(EXIT_FAILED)
    assert result.json["error"]["class"] == "no-space"
    assert result.json["bytes"] > 5 * MIB


def test_filled_meanwhile(filled, disk, bakplane):
    """Somebody else writes there too."""
    program = bakplane(filled)
    assert disk(8 * MIB)
    run = program.start("--json", "create", "-n", "b", "--throttle", "1MiB",
                        "--concurrency-copies", 2)
    while not program.path("b", "bakplane", "manifest.json").exists():
        time.sleep(0.01)
    fill(program.backups)
    result = program.finish(run).expect(EXIT_FAILED)
    assert result.json["error"]["class"] == "no-space", result
    assert_nothing_half(program, filled, "b")
    entry = program.list().get("b")
    assert entry is None or entry["status"] != "success"
    assert program.run("verify", "-n", "b").code != 0

    (program.backups / "filler").unlink()
    assert disk(64 * MIB)
    program.create("b", "--resume")
    program.verify("b", "--deep")
    assert program.list()["b"]["status"] == "success"
    left = list((program.backups / ".bakplane-tmp").rglob("*"))
    assert [path for path in left if path.is_file()] == []


def test_resume_while_it_is_still_full(filled, disk, bakplane):
    program = bakplane(filled)
    assert disk(8 * MIB)
    run = program.start("create", "-n", "b", "--throttle", "1MiB")
    while not program.path("b", "bakplane", "manifest.json").exists():
        time.sleep(0.01)
    fill(program.backups)
    program.finish(run).expect(EXIT_FAILED)
    program.create("b", "--resume", expect=EXIT_FAILED)
    assert_nothing_half(program, filled, "b")
    program.run("delete", "-n", "b", "--force").expect(0)
    assert not program.path("b").exists()
