# SPDX-License-Identifier: Apache-2.0
"""The server and a worker killed in the middle of a job, on a real Milvus, and started again.

A create goes on and succeeds. A restore ends as failed, says what is complete and what is not, and
leaves nothing behind; the next one brings all rows.
"""

import os
import signal
import time
from pathlib import Path

import pytest

from integration.lib import data, milvus
from integration.lib.cli import EXIT_DONE
from integration.lib.prometheus import Scrape
from services.bakplane_server import BakplaneServer

PATIENCE = 300
PATHS = ["default.one", "default.two", "default.three"]
SLOW_CREATE = {"BP_FAULT": "storage.copy:backups:delay=1s;storage.write:backups:delay=1s"}
# The worker ends itself, so that it is known how far it was: one target is complete, one has its
# rows and no proof, one is not begun.
DEADLY_RESTORE = {"BP_FAULT": "restore.imported::abort:nth=2"}


@pytest.fixture(scope="module")
def filled(milvus_server):
    milvus.wipe(milvus_server)
    data.simple(milvus_server, "one", count=300, load=True).delete("id in [1, 2, 3]")
    data.simple(milvus_server, "two", count=50)
    data.simple(milvus_server, "three", count=20)
    return milvus_server, {path: milvus.rows(milvus_server, path) for path in PATHS}


@pytest.fixture
def program(filled, bakplane):
    """One thing at a time; restores over a staging folder."""
    return bakplane(filled[0], settings={
        "backup": {"concurrency": {"copies": 1}},
        "restore": {"placement": "stage", "concurrency": {"units": 1}}})


@pytest.fixture
def server(program, tmp_path):
    with_settings = BakplaneServer(tmp_path / "server", settings=program.settings)
    yield with_settings
    with_settings.close()


def is_copying(job):
    return job["state"] == "running" and job.get("progress", {}).get("bytes_done", 0) > 0


def wait_for_end(pid):
    """Whoever it belongs to now."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return
        if stat.rpartition(")")[2].split()[0] == "Z":
            return
        assert time.monotonic() < end, f"{pid} does not end"
        time.sleep(0.05)


def show(program, job_id):
    """As another process sees it, without a server."""
    [job] = program.run("--json", "job", "show", job_id).expect(EXIT_DONE).json["jobs"]
    return job


def staged(milvus_server):
    return [path for path in Path(milvus_server.root_path).glob("restore-temp-*/**/*")
            if path.is_file()]


def assert_restored(filled, suffix):
    milvus_server, rows = filled
    for path in PATHS:
        assert milvus.rows(milvus_server, path + suffix) == rows[path], path


def test_create_goes_on(filled, program, server):
    server.env = SLOW_CREATE
    server.start()
    job = server.submit({"verb": "create", "name": "b"})
    pid = server.wait(job["id"], is_copying)["pid"]
    server.kill()
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    assert show(program, job["id"])["state"] == "interrupted"

    server.env = {}
    server.start()
    done = server.wait(job["id"])
    assert (done["state"], done["attempt"]) == ("succeeded", 2), done
    assert "interrupted" in {note["code"] for note in done["result"]["notes"]}
    assert [one["id"] for one in server.get("/api/v2/jobs").json["jobs"]] == [job["id"]]
    program.verify("b", "--deep")

    restore = server.submit({"verb": "restore", "name": "b", "suffix": "_whole"})
    ended = server.wait(restore["id"])
    assert ended["state"] == "succeeded", ended
    assert_restored(filled, "_whole")

    numbers = Scrape(server.get("/metrics").expect(200).text)
    saved = sum(unit["high"] for unit in done["result"]["units"])
    brought = sum(target["found"] for target in ended["result"]["targets"])
    assert saved >= brought > 0
    for verb, rows, restarts in ("create", saved, 1), ("restore", brought, 0):
        assert numbers.value("bakplane_job_rows_total", verb=verb) == rows
        assert numbers.value("bakplane_job_restarts_total", verb=verb) == restarts


def test_restore_ends(filled, program, server):
    program.create("b", "--colls", "one,two,three")
    server.env = DEADLY_RESTORE
    server.start()
    request = {"verb": "restore", "name": "b", "suffix": "_back"}
    job = server.submit(request)
    pid = server.wait(job["id"], lambda one: one["state"] == "running")["pid"]
    server.kill()
    wait_for_end(pid)
    assert show(program, job["id"])["state"] == "interrupted"
    assert staged(filled[0]), "nothing was left, so nothing is proven by what follows"

    server.env = {}
    server.start()
    ended = server.wait(job["id"])
    assert ended["state"] == "failed", ended
    states = {one["to"]: one["state"] for one in ended["result"]["targets"]}
    assert sorted(states) == sorted(path + "_back" for path in PATHS)
    assert sorted(states.values()) == ["complete", "failed", "untouched"], states
    complete, _, incomplete = ended["result"]["error"]["message"].partition("; incomplete: ")
    for name, state in states.items():
        assert name in (complete if state == "complete" else incomplete)
    assert staged(filled[0]) == []

    again = server.wait(server.submit(request)["id"])
    assert again["state"] == "succeeded", again
    assert {one["state"] for one in again["result"]["targets"]} == {"complete"}
    assert_restored(filled, "_back")
    assert staged(filled[0]) == []
