# SPDX-License-Identifier: Apache-2.0
"""Jobs seen from other processes: listed, watched, queued, cancelled, killed and gone on with."""

import json
import signal
import time

import pytest

from integration.lib import data, milvus
from integration.lib.cli import EXIT_DONE, EXIT_FAILED, targets

# A create with these takes half a minute, unless it is stopped.
SLOW = ["--throttle", "64KiB", "--concurrency-copies", 1]
SLOWER = {"BP_FAULT": "storage.write:backups:delay=1s"}


@pytest.fixture(scope="module")
def filled(milvus_server):
    milvus.wipe(milvus_server)
    data.simple(milvus_server, "one", count=15000)
    data.simple(milvus_server, "two", count=50, load=True)
    return milvus_server


@pytest.fixture
def program(filled, bakplane):
    return bakplane(filled)


def jobs(program, *flags):
    return program.run("--json", "job", "list", *flags).expect(EXIT_DONE).json["jobs"]


def show(program, job_id, *flags):
    [job] = program.run("--json", "job", "show", job_id, *flags).expect(EXIT_DONE).json["jobs"]
    return job


def wait_for(program, holds):
    """Until the newest job is as wanted."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = jobs(program)
        if found and holds(found[0]):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"not within a minute: {found}")


def is_copying(job):
    return job["state"] == "running" and job.get("progress", {}).get("bytes_done", 0) > 0


def start_slow_create(program, name="b"):
    run = program.start("--json", "create", "-n", name, *SLOW, env=SLOWER)
    return run, wait_for(program, is_copying)


def test_create_is_seen_and_cancelled(program):
    assert jobs(program) == []
    run, job = start_slow_create(program)
    assert (job["verb"], job["name"], job["pid"], job["origin"]) == ("create", "b", run.pid, "cli")
    assert job["progress"]["phase"] == "copy" and job["progress"]["items_total"] > 0
    program.run("job", "list").expect(EXIT_DONE).mentions(job["id"], "running", "copy")
    watch = program.start("job", "watch", job["id"], "--progress", "json")
    first = json.loads(watch.stderr.readline())
    assert (first["event"], first["phase"]) == ("phase", "copy")
    program.create("b", "--resume", expect=EXIT_FAILED).mentions(job["id"], "is being worked on")

    refused = program.run("create", "-n", "d", "--wait-for-turn", "0").expect(EXIT_FAILED)
    refused.mentions(f"process {run.pid}", f"bakplane job cancel {job['id']}")

    other = program.start("--json", "create", "-n", "c")
    queued = wait_for(program, lambda one: one["state"] == "queued")
    assert (queued["name"], queued["waits_for"]) == ("c", job["id"])

    program.run("job", "cancel", job["id"]).expect(EXIT_DONE)
    program.finish(run).expect(128 + signal.SIGTERM)
    watched = program.finish(watch).expect(EXIT_FAILED).mentions("cancelled")
    assert '"event":"done"' in watched.err
    assert show(program, job["id"])["state"] == "cancelled"
    program.run("job", "cancel", job["id"]).expect(EXIT_FAILED).mentions("has ended")

    printed = program.finish(other).expect(EXIT_DONE).json
    ended = show(program, queued["id"], "--log")
    assert ended["state"] == "succeeded" and ended["result"] == printed
    assert job["id"] in ended["log"]
    program.run("job", "watch", queued["id"]).expect(EXIT_DONE).mentions("success")
    program.create("b", "--resume")
    program.verify("b", "--deep")


def test_killed_create_is_interrupted_at_once(program):
    run, job = start_slow_create(program)
    run.kill()
    program.finish(run)
    dead = show(program, job["id"])
    assert dead["state"] == "interrupted" and "--resume" in dead["error"]["hint"]
    program.run("job", "cancel", job["id"]).expect(EXIT_FAILED).mentions("interrupted")
    program.create("b", "--resume")
    states = {one["id"]: one["state"] for one in jobs(program)}
    assert sorted(states.values()) == ["interrupted", "succeeded"]
    assert states[job["id"]] == "interrupted"
    program.verify("b", "--deep")


def test_killed_restore_is_interrupted_at_once(filled, program):
    restore = ["-n", "b", "-c", "two", "--suffix", "_again", "--wait"]
    program.create("b")
    run = program.start("--json", "restore", *restore,
                        env={"BP_FAULT": "source.job_poll:milvus:delay=5s"})
    job = wait_for(program, lambda one: one.get("progress", {}).get("phase") == "restore")
    assert (job["state"], job["verb"], job["pid"]) == ("running", "restore", run.pid)
    run.kill()
    program.finish(run)
    assert show(program, job["id"])["state"] == "interrupted"
    result = program.restore(*restore[1:], "--drop_exist_collection")
    assert {one["state"] for one in targets(result).values()} == {"complete"}
    assert show(program, result.json["job_id"])["result"] == result.json
    rows = milvus.rows(filled, "default.two_again")
    assert rows == milvus.rows(filled, "default.two")


def test_without_a_job_directory_a_backup_is_made(filled, bakplane, tmp_path):
    (tmp_path / "file").write_text("no directory", encoding="utf-8")
    program = bakplane(filled, settings={"state_dir": str(tmp_path / "file")})
    result = program.create("b").mentions("this job will not be listed")
    assert "job_id" not in result.json
    program.run("job", "list").expect(EXIT_FAILED).mentions("job directory")
