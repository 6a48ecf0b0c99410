# SPDX-License-Identifier: Apache-2.0
"""Runs that end before their time: killed at many points, cancelled, without their Milvus.

Whatever happens, nothing that is not complete is called complete, and the next run goes on.
"""

import signal
import time

import pytest
from pymilvus import MilvusException

from integration.lib import data, files, milvus
from integration.lib.cli import EXIT_FAILED, Bakplane, targets
from services import MilvusServer

KILLED = -signal.SIGKILL
# A bound against hanging, not a measure: a cancelled run should end within a second.
SOON = 30

# Where a create is killed: "crash point:nth". The first are before any data, the last after all.
CREATE_POINTS = [
    "catalog.lease.before", "catalog.lease.after", "catalog.manifest.before",
    "catalog.manifest.after", "create.running", "source.run_begin:milvus",
    "source.unit_begin:milvus:nth=3", "source.unit_items:milvus:nth=2",
    "storage.write_open:backups:nth=5", "storage.write:backups:nth=6",
    "storage.write_commit:backups:nth=4", "storage.copy:backups:nth=3",
    "storage.copy:backups:nth=9", "storage.sync:backups", "source.unit_prove:milvus:nth=2",
    "catalog.journal.before", "catalog.journal.after", "catalog.items.before",
    "catalog.items.after", "create.sealed", "catalog.document.before", "catalog.document.after",
    "catalog.document.after:nth=3", "catalog.manifest.before:nth=2", "create.manifest",
    "catalog.commit.before", "catalog.commit.after", "create.committed",
]


def rule(point, action="abort"):
    """A rule for BP_FAULT: name[:where][:option]."""
    name, *rest = point.split(":")
    where = rest.pop(0) if rest and "=" not in rest[0] else ""
    return {"BP_FAULT": ":".join([name, where, action, *rest])}


@pytest.fixture(scope="module")
def filled(milvus_server):
    milvus.wipe(milvus_server)
    data.simple(milvus_server, "one", count=300, load=True).delete("id in [1, 2, 3]")
    data.simple(milvus_server, "two", count=50)
    data.simple(milvus_server, "three", count=0)
    return milvus_server, milvus.everything(milvus_server)


@pytest.fixture
def program(filled, bakplane):
    return bakplane(filled[0])


def is_whole(program, name):
    """The backup says that it is a success; then it has to be one."""
    entry = program.list().get(name)
    if entry is None or entry["status"] != "success":
        assert program.run("verify", "-n", name).code != 0, "verified without being a success"
        restored = program.run("restore", "-n", name, "--suffix", "_never")
        assert restored.code == EXIT_FAILED, restored
        return False
    program.verify(name, "--deep")
    return True


def wait_for_copying(program):
    """Until a running create has written its first record; the data comes next."""
    while not program.path("b", "bakplane", "manifest.json").exists():
        time.sleep(0.01)


@pytest.fixture(scope="module")
def reference(filled, tmp_path_factory):
    """What a backup of these collections consists of when nothing happens."""
    program = Bakplane(tmp_path_factory.mktemp("reference"), filled[0])
    program.create("b")
    return files.tree(program.path("b", "binlogs")), set(files.tree(program.path("b")))


@pytest.mark.parametrize("point", CREATE_POINTS)
def test_create(program, reference, point):
    result = program.run("create", "-n", "b", env=rule(point))
    if result.code == 0:
        pytest.fail(f"{point} is never reached")
    assert result.code == KILLED, result
    if is_whole(program, "b"):
        # The last document was written: only the journal and the lease are left over.
        extra = set(files.tree(program.path("b"))) - reference[1]
        assert all(path.startswith("bakplane/") for path in extra)
    else:
        if program.list():
            program.create("b", expect=EXIT_FAILED).mentions("--resume", "--replace")
            program.create("b", "--resume")
        else:
            program.create("b")
        assert is_whole(program, "b")
        assert set(files.tree(program.path("b"))) == reference[1], "leftovers of the killed run"
    assert files.tree(program.path("b", "binlogs")) == reference[0]
    assert [path.name for path in program.backups.iterdir() if path.name[0] != "."] == ["b"]


@pytest.mark.parametrize("way", ["replace", "delete"])
@pytest.mark.parametrize("point", ["create.running", "storage.copy:backups:nth=9", "create.sealed",
                                   "catalog.commit.before"])
def test_create_then_start_over(program, reference, point, way):
    assert program.run("create", "-n", "b", env=rule(point)).code == KILLED
    assert not is_whole(program, "b")
    if way == "delete":
        program.run("delete", "-n", "b", "--force").expect(0)
        assert program.list() == {}
        program.create("b")
    else:
        program.create("b", "--replace")
    assert is_whole(program, "b")
    assert files.tree(program.path("b", "binlogs")) == reference[0]


def test_create_killed_again_and_again(program, reference):
    """Each run gets a little further; what is proven is not copied twice."""
    flags = ["--throttle", "64KiB", "--concurrency-copies", 2]
    kills = 0
    for delay in (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8):
        resume = ["--resume"] if program.list() else []
        run = program.start("create", "-n", "b", *resume, *flags)
        time.sleep(delay)
        run.kill()
        kills += program.finish(run).code == KILLED
        if is_whole(program, "b"):
            break
    assert kills >= 3
    if not is_whole(program, "b"):
        program.create("b", "--resume")
    assert is_whole(program, "b")
    assert files.tree(program.path("b", "binlogs")) == reference[0]


def test_proven_items_are_not_copied_again(program):
    """The journal of a killed run is believed: files that it names keep their inode."""
    assert program.run("create", "-n", "b", env=rule("create.sealed")).code == KILLED
    before = {path: path.stat().st_ino for path in program.path("b", "binlogs").rglob("*")
              if path.is_file()}
    program.create("b", "--resume")
    after = {path: path.stat().st_ino for path in program.path("b", "binlogs").rglob("*")
             if path.is_file()}
    assert after == before


@pytest.mark.parametrize("point", [
    "catalog.remove_document.before", "catalog.remove_document.after",
    "storage.remove_many:backups", "catalog.remove_manifest.before",
    "catalog.remove_manifest.after"])
def test_delete(program, point):
    program.create("b")
    result = program.run("delete", "-n", "b", env=rule(point))
    if result.code == 0:
        pytest.fail(f"{point} is never reached")
    assert result.code == KILLED, result
    entry = program.list().get("b")
    assert entry is None or entry["status"] != "success"
    if entry is not None:
        assert program.run("restore", "-n", "b", "--suffix", "_never").code == EXIT_FAILED
        program.run("delete", "-n", "b", "--force").expect(0)
    assert program.list() == {}
    program.create("b")
    assert is_whole(program, "b")


# -- restore


LAST_FINISH = "source.target_finish:milvus:nth=3"

RESTORE_POINTS = [
    ("source.restore_begin:milvus", "in_place"), ("source.target_prepare:milvus", "in_place"),
    ("restore.prepared", "in_place"), ("restore.prepared:nth=2", "in_place"),
    ("source.target_place:milvus", "in_place"), ("source.target_step:milvus", "in_place"),
    ("source.target_step:milvus", "stage"), ("source.job_poll:milvus:nth=3", "in_place"),
    ("restore.imported", "in_place"), ("restore.imported", "stage"),
    ("restore.imported:nth=2", "in_place"), ("source.target_finish:milvus", "in_place"),
    (LAST_FINISH, "in_place"),
]


def restore_again(program, point, *flags):
    """The same command after a kill.

    It keeps what the killed run completed and replaces what the journal proves that it made and did
    not finish. Only what one of its threads had made but not yet noted is somebody's now: kept,
    named, and dropped on request. That cannot be once the last of the three is being finished.
    """
    result = program.run("--json", "restore", "-n", "b", *flags)
    if result.code != 0:
        assert point != LAST_FINISH, result
        assert result.json["error"]["class"] == "exists", result
        assert result.json["touched"] is False
        result.mentions("default.")
        result = program.restore("b", *flags, "--drop_exist_collection")
    return targets(result)


def assert_restored(expected, server):
    """Everything but the rows of the small collections, which take long to read."""
    facts, rows = expected
    milvus.assert_same(rows["default.one"], milvus.rows(server, "default.one"))
    milvus.assert_same(facts, {path: milvus.describe(server, path) for path in facts})
    counts = {path: milvus.collection(server, path).num_entities for path in rows}
    assert counts["default.two"] == 50 and counts["default.three"] == 0


@pytest.mark.parametrize("point, placement", RESTORE_POINTS)
def test_restore(filled, program, target, bakplane, point, placement):
    program.create("b")
    other = bakplane(target)
    flags = ["--placement", placement, "--wait"]
    # One after the other: a Milvus 2.3.5 that another thread asks for its import when the process
    # dies may die, too.
    result = other.run("restore", "-n", "b", *flags, "--concurrency-units", 1, env=rule(point))
    if result.code == 0:
        pytest.fail(f"{point} is never reached")
    assert result.code == KILLED, result
    again = restore_again(other, point, *flags)
    assert {one["state"] for one in again.values()} == {"complete"}
    if point == LAST_FINISH:
        assert any("interrupted" in one.get("note", "") for one in again.values())
    assert_restored(filled[1], target)
    left = [path for path in target.root_path.glob("restore-temp-*/**/*") if path.is_file()]
    assert left == [], "staging is left"


def test_restore_replaces_only_what_it_made(program, target, bakplane):
    """Between the killed run and the next somebody made a collection of that name."""
    program.create("b")
    other = bakplane(target)
    assert other.run("restore", "-n", "b", "-c", "one", env=rule("restore.imported")).code == KILLED
    milvus.drop(target, "default.one")
    data.simple(target, "one", count=4)
    other.restore("b", "-c", "one", expect=EXIT_FAILED).mentions("one", "exists")
    assert len(milvus.rows(target, "default.one")) == 4


# -- signals


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_during_create(program, number, code):
    run = program.start("--json", "create", "-n", "b", "--concurrency-copies", 1,
                        env=rule("storage.copy:backups", "delay=1s"))
    wait_for_copying(program)
    run.send_signal(number)
    sent = time.monotonic()
    result = program.finish(run).expect(code)
    assert time.monotonic() - sent < SOON
    assert result.json["outcome"] == "failed"
    assert program.list()["b"]["status"] == "failed"
    assert not is_whole(program, "b")
    program.create("b", "--resume")
    assert is_whole(program, "b")


def test_signal_during_restore(filled, program, target, bakplane):
    program.create("b")
    other = bakplane(target)
    run = other.start("--json", "restore", "-n", "b", "--wait",
                      env=rule("source.job_poll:milvus", "delay=1s"))
    while not milvus.has(target, "default.one"):
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    sent = time.monotonic()
    result = other.finish(run).expect(130)
    assert time.monotonic() - sent < SOON
    assert "complete" not in {one["state"] for path, one in targets(result).items()
                              if path == "default.one"}
    restore_again(other, "", "--wait")
    assert_restored(filled[1], target)


# -- Milvus goes away


# An import that Milvus 2.3.5 has in its queue when it crashes, or takes soon after, goes to the data
# node that died and hangs until this limit; 900 s are its default.
IMPORT_LIMIT = 60
# It looks for such imports every 5 minutes, and for those that wait behind them every minute.
IMPORT_LOOK, IMPORT_QUEUE = 300, 60


@pytest.fixture
def mortal(bakplane):
    """A Milvus that may be killed."""
    settings = {"rootCoord.importTaskExpiration": IMPORT_LIMIT}
    with MilvusServer("2.3.5", settings=settings) as server:
        for number in range(2):
            data.simple(server, f"c{number}", count=100)
        yield server
        milvus.forget(server)


def start_again(server):
    """Start a server that was killed, and wait until it flushes again.

    It refuses that, and loses imports, until the session of its dead data node has ended.
    """
    milvus.forget(server)
    server.start()
    one = milvus.collection(server, milvus.collections(server)[0])
    end = time.monotonic() + 90
    while True:
        try:
            one.flush()
            return
        except MilvusException:
            assert time.monotonic() < end, "it does not recover"
            time.sleep(0.5)


def restore_after_crash(program):
    """The same command until it is done, and never a success before.

    An import that hangs holds it up until Milvus gives it up, five minutes after its start as a
    rule; the try that begins after that has to do. None hangs that a try itself begins.
    """
    patience = 100
    end = time.monotonic() + IMPORT_LIMIT + IMPORT_LOOK + IMPORT_QUEUE
    drop, begun = [], 0
    while begun < end:
        begun = time.monotonic()
        result = program.run("--json", "restore", "-n", "b", "--wait",
                             "--timeout", f"{patience}s", *drop)
        if result.code == 0:
            return
        assert result.code == EXIT_FAILED, result
        if result.json["error"]["class"] == "exists":
            drop = ["--drop_exist_collection"]
        time.sleep(1)
    raise AssertionError(str(result))


def test_milvus_stops(mortal, bakplane):
    hasty = bakplane(mortal, settings={
        "source": {"connect_timeout": "500ms", "request_timeout": "5s"},
        "backup": {"retry": {"attempts": 2}}})
    # For some ten seconds after a crash it refuses to flush.
    patient = bakplane(mortal, settings={"backup": {"retry": {"attempts": 12}}})
    expected = milvus.everything(mortal)
    run = hasty.start("--json", "create", "-n", "b", "--concurrency-units", 1,
                      env=rule("source.unit_begin:milvus", "delay=1s"))
    wait_for_copying(hasty)
    mortal.kill()
    hasty.finish(run).expect(EXIT_FAILED).mentions(mortal.address)
    assert not is_whole(hasty, "b")
    milvus.forget(mortal)
    mortal.start()
    patient.create("b", "--resume")
    assert is_whole(patient, "b")

    milvus.wipe(mortal)
    # One import at a time: none waits in a queue, to hang after the crash.
    run = hasty.start("--json", "restore", "-n", "b", "--max_jobs", 1,
                      env=rule("source.job_poll:milvus", "delay=300ms"))
    while milvus.collections(mortal) == []:
        time.sleep(0.05)
    mortal.kill()
    result = hasty.finish(run).expect(EXIT_FAILED)
    assert "complete" not in {one["state"] for one in targets(result).values()}
    start_again(mortal)
    restore_after_crash(patient)
    facts, rows = milvus.everything(mortal)
    milvus.assert_same(expected[1], rows)
    milvus.assert_same(expected[0], facts)
