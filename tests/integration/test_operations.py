# SPDX-License-Identifier: Apache-2.0
"""What those who run a server see of it: metrics, logs, and what systemd is told.

It saves a folder of files, so nothing else has to run.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from tempfile import TemporaryDirectory

import pytest

from integration.lib.prometheus import Scrape, check_histograms
from services.bakplane_server import BakplaneServer, built

PATIENCE = 60


@pytest.fixture
def make(tmp_path):
    """make(settings=…): a server of a folder with something in it, not started yet."""
    made = []

    def fresh(**arguments):
        server = BakplaneServer(tmp_path / f"server-{len(made)}", **arguments)
        unit = server.source / "default" / "words"
        unit.mkdir(parents=True)
        (unit / "one").write_bytes(b"one" * 1000)
        made.append(server)
        return server

    yield fresh
    for server in made:
        server.close()


def scrape(server):
    answer = server.get("/metrics").expect(200)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(answer.text)


def bakplane(server, *words):
    return subprocess.run([built("bakplane"), "--config", server.config, *words], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def never_less(before, after):
    for key, value in before.rising().items():
        assert after.samples.get(key, -1) >= value, f"{key} went down"


def test_metrics_of_a_server_and_of_a_terminal(make):
    server = make()
    server.start()
    server.get("/metrics", token=None).expect(401)
    first = scrape(server)
    ended = {"verb": "create", "state": "succeeded"}
    assert first.value("bakplane_jobs_ended_total", **ended) == 0
    assert first.value("bakplane_job_directory_readable") == 1
    assert first.labels("bakplane_last_success_timestamp_seconds") == []

    done = bakplane(server, "create", "-n", "by_hand", "--label", "nightly")
    assert done.returncode == 0, done.stderr
    job = server.submit({"verb": "create", "name": "by_server", "label": "nightly"})
    assert server.wait(job["id"])["state"] == "succeeded"
    assert bakplane(server, "create", "-n", "by_hand").returncode == 1  # it is there already
    second = scrape(server)
    assert check_histograms(second) == {"bakplane_job_duration_seconds",
                                        "bakplane_storage_request_duration_seconds"}
    never_less(first, second)
    assert second.value("bakplane_jobs_ended_total", **ended) == 2
    assert second.value("bakplane_jobs_ended_total", verb="create", state="failed") == 1
    assert second.value("bakplane_jobs", **ended) == 2
    assert second.value("bakplane_job_items_total", verb="create") == 2
    assert second.value("bakplane_job_bytes_total", verb="create") == 6000
    assert second.value("bakplane_job_rows_total", verb="create") == 2  # a row is a file here
    assert second.value("bakplane_job_restarts_total", verb="create") == 0
    moved = [value for (name, _), value in second.samples.items()
             if name == "bakplane_storage_bytes_total"]
    assert sum(moved) >= 6000  # read and written, or copied by the file system
    commits = {"storage": "backups", "operation": "write_commit"}
    requests = "bakplane_storage_requests_total"
    assert second.value(requests, **commits, outcome="ok") >= 4
    calls = sum(second.value(requests, **labels) for labels in second.labels(requests)
                if commits.items() <= labels.items())
    latency = "bakplane_storage_request_duration_seconds"
    assert second.value(f"{latency}_count", **commits) == calls
    assert second.value(f"{latency}_bucket", **commits, le="+Inf") == calls
    assert 0 < second.value(f"{latency}_sum", **commits) < PATIENCE * calls
    [success] = second.labels("bakplane_last_success_timestamp_seconds")
    assert success["label"] == "nightly" and success["source"]
    when = second.value("bakplane_last_success_timestamp_seconds", **success)
    assert abs(time.time() - when) < PATIENCE

    # Jobs go, their numbers stay; another server begins anew, but knows the last success.
    for folder in server.state.glob("jobs/*-*-*"):
        shutil.rmtree(folder)
    third = scrape(server)
    never_less(second, third)
    assert third.value("bakplane_jobs", **ended) == 0
    assert server.end() == 0
    server.start()
    fourth = scrape(server)
    assert fourth.value("bakplane_jobs_ended_total", **ended) == 0
    assert fourth.value("bakplane_last_success_timestamp_seconds", **success) == when


def test_metrics_of_a_storage_that_refuses(make):
    server = make()
    server.start()
    fault = {"BP_FAULT": "storage.write_commit:backups:nth=1:class=throttled"}
    done = subprocess.run([built("bakplane"), "--config", server.config, "create", "-n", "b"],
                          check=False, env={**os.environ, **fault}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    found = scrape(server)  # what a terminal's run met, too
    assert found.value("bakplane_storage_throttled_total", storage="backups") == 1
    assert found.value("bakplane_retries_total", why="throttled") == 1
    assert found.value("bakplane_storage_requests_total", storage="backups",
                       operation="write_commit", outcome="throttled") == 1


def test_log_lines_are_objects_with_their_job_and_request(make):
    server = make(settings={"log": {"level": "debug"}})
    server.start()
    job = server.submit({"verb": "create", "name": "b"})
    server.wait(job["id"])
    server.get("/api/v2/jobs", headers={"X-Request-Id": "here-1"}).expect(200)
    assert server.end() == 0
    written = server.log.read_text(encoding="utf-8").splitlines()
    assert not [line for line in written if re.match(r"\d{4}-", line)]  # as text
    lines = [json.loads(line) for line in written if line.startswith("{")]
    assert all({"time", "level", "module", "message"} <= line.keys() for line in lines)
    mine = [line for line in lines if line.get("request_id") == "here-1"]
    assert "/api/v2/jobs" in [line.get("path") for line in mine]
    assert [line for line in lines if line.get("job_id") == job["id"]]
    own = (server.state / "jobs" / job["id"] / "log").read_text(encoding="utf-8").splitlines()
    assert own and all(json.loads(line)["job_id"] == job["id"] for line in own)
    assert server.token not in server.log.read_text(encoding="utf-8")


class Told:
    """What comes to a notify socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next(self):
        return self.socket.recv(4096).decode().splitlines()


def test_systemd_is_told(make):
    # Neither below tmp_path nor in TMPDIR, which is in the build tree: an address of a socket is 107
    # bytes at most.
    with TemporaryDirectory(prefix="bp-", dir="/tmp") as folder, Told(f"{folder}/notify") as told:
        path = f"{folder}/notify"
        server = make(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
        server.start()
        ready = told.next()
        assert ready[0] == "READY=1" and ready[1] == f"STATUS=serves {server.url}"
        for _ in range(3):
            assert told.next() == ["WATCHDOG=1"]
        job = server.submit({"verb": "create", "name": "b"})  # a worker does not speak for it
        server.wait(job["id"])
        server.send(signal.SIGTERM)
        line = told.next()
        while line == ["WATCHDOG=1"]:
            line = told.next()
        assert line[0] == "STOPPING=1"
