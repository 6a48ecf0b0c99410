# SPDX-License-Identifier: Apache-2.0
"""The server as a program: its life, who is let in, and jobs that outlive it.

It saves a folder of files, so nothing else has to run.
"""

import os
import re
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.bakplane_server import BakplaneServer, built, merge
from services.certs import Certificates

JOBS = "/api/v2/jobs"
PATIENCE = 60
# With this a create takes minutes, unless it is stopped.
SLOW = {"BP_FAULT": "storage.copy:backups:delay=300ms"}
ONE_AT_A_TIME = {"backup": {"concurrency": {"copies": 1}}}
ITEMS = 300


@pytest.fixture
def make(tmp_path):
    """make(settings=…): a server of a folder with something in it, not started yet."""
    made = []

    def fresh(**arguments):
        server = BakplaneServer(tmp_path / f"server-{len(made)}", **arguments)
        unit = server.source / "default" / "words"
        unit.mkdir(parents=True)
        for number in range(ITEMS):
            (unit / f"{number:03}").write_text("words\n" * number, encoding="utf-8")
        made.append(server)
        return server

    yield fresh
    for server in made:
        server.close()


def is_copying(job):
    return job["state"] == "running" and job.get("progress", {}).get("bytes_done", 0) > 0


def tells_how_fast(job):
    told = job.get("progress", {})
    return is_copying(job) and told.get("bytes_per_s", 0) > 0 and "remaining_ms" in told


def check_numbers(progress):
    """What is done, how fast that is, and how long the rest takes by that."""
    assert progress["phase"] == "copy" and progress["elapsed_ms"] > 0
    assert 0 < progress["items_done"] < progress["items_total"] <= ITEMS
    assert 0 < progress["bytes_done"] < progress["bytes_total"]
    assert 0 <= progress["items_per_s"] < 10  # each takes 300 ms at least
    left = progress["bytes_total"] - progress["bytes_done"]
    rate, seconds = progress["bytes_per_s"], progress["remaining_ms"] / 1000
    assert seconds * rate <= left <= (seconds + 0.001) * (rate + 1)  # both were cut down


def wait_until(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "not within a minute"
        time.sleep(0.05)


def show(server, job_id):
    """What a terminal on the same machine shows of it."""
    return subprocess.run([built("bakplane"), "--config", server.config, "job", "show", job_id],
                          check=True, stdout=subprocess.PIPE, text=True).stdout


def test_token_and_a_job(make):
    server = make()
    server.start()
    assert server.get("/api/v2/health", token=None).expect(200).json == {"status": "alive"}
    assert server.get("/api/v2/ready", token=None).expect(200).json["status"] == "ready"
    refused = server.get(JOBS, token=None).expect(401)
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    server.get(JOBS, token="0123456789abcdef0123456789abcdef").expect(401)
    server.post(JOBS, {"verb": "create", "name": "b"}, token=None).expect(401)
    assert server.get(JOBS).expect(200).json == {"jobs": []}

    assert server.token_file.stat().st_mode & 0o777 == 0o600
    assert server.token_file == server.state / "server" / "token"
    job = server.submit({"verb": "create", "name": "b"})
    done = server.wait(job["id"])
    assert done["state"] == "succeeded" and done["result"]["items"] == ITEMS
    assert (server.backups / "b" / "bakplane" / "manifest.json").exists()
    listed = subprocess.run([built("bakplane"), "--config", server.config, "job", "list"],
                            check=True, stdout=subprocess.PIPE, text=True)
    assert job["id"] in listed.stdout

    token = server.token
    assert server.end() == 0
    assert token not in server.log.read_text(encoding="utf-8")
    server.start()
    assert server.token == token
    assert [one["id"] for one in server.get(JOBS).json["jobs"]] == [job["id"]]


def test_ends_in_the_middle_of_a_job(make):
    server = make(env=SLOW, settings=ONE_AT_A_TIME)
    server.start()
    job = server.submit({"verb": "create", "name": "b"})
    running = server.wait(job["id"], tells_how_fast)
    check_numbers(running["progress"])
    wait_until(lambda: re.search(r"^progress +copy \d+ %, .+ of .+, .+/s, .+ left$",
                                 show(server, job["id"]), re.MULTILINE))
    assert server.end() == 0
    os.kill(running["pid"], 0)  # it goes on
    server.start()
    again = server.job(job["id"])
    assert (again["state"], again["pid"], again["attempt"]) == ("running", running["pid"], 1)
    server.post(f"{JOBS}/{job['id']}/cancel").expect(202)
    assert server.wait(job["id"])["state"] == "cancelled"


def test_who_waits_is_told(make):
    """The other tool's create answers when it is done, or when the server ends."""
    server = make(env=SLOW, settings=ONE_AT_A_TIME)
    server.start()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.post, "/api/v1/create", {"backup_name": "b"})
        wait_until(lambda: server.get(f"{JOBS}?state=running").json["jobs"])
        [job] = server.get(JOBS).json["jobs"]
        assert server.end() == 0
        answer = asked.result(PATIENCE)
    assert answer.expect(200).json["data"]["id"] == job["id"] and "goes on" in answer.text
    server.start()
    assert server.job(job["id"])["state"] == "running"


def test_takes_up_what_waited(make):
    server = make(env=SLOW, settings={**ONE_AT_A_TIME, "server": {"max_running": 1}})
    server.start()
    first = server.submit({"verb": "create", "name": "first"})
    second = server.submit({"verb": "delete", "name": "nothing"})
    server.wait(first["id"], is_copying)
    assert server.job(second["id"])["state"] == "queued"
    server.kill()
    server.start()
    server.post(f"{JOBS}/{first['id']}/cancel").expect(202)
    assert server.wait(first["id"])["state"] == "cancelled"
    assert server.wait(second["id"])["state"] == "failed"  # there is no such backup


def test_hangup_changes_nothing(make):
    server = make()
    server.start()
    server.send(signal.SIGHUP)
    wait_until(lambda: any("SIGHUP" in line["message"] for line in server.lines()))
    server.get(JOBS).expect(200)
    assert server.end(signal.SIGINT) == 0


def test_what_is_taken(make):
    server = make()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server.flags = ["--port", str(port)]
        code, said = server.run()
    assert code == 1
    assert f"port {port} of 127.0.0.1 is taken" in said and "server.listen, --port" in said

    server.flags = []
    server.start()
    second = make(settings={"state_dir": str(server.state)})
    code, said = second.run()
    assert code == 1 and "another server works on this state_dir" in said


def test_other_names_and_pages(make):
    server = make(settings={"server": {"hosts": ["backup.example"],
                                       "origins": ["https://console.example"]}})
    server.start()
    for host in ("backup.example", "localhost", f"127.0.0.1:{server.port}"):
        server.get(JOBS, headers={"Host": host}).expect(200)
    for host in ("evil.example", "127.0.0.1.evil.example"):
        server.get(JOBS, headers={"Host": host}).expect(421)
        server.get("/api/v2/health", headers={"Host": host}, token=None).expect(421)
    server.get(JOBS, headers={"Origin": "https://console.example"}).expect(200)
    server.get(JOBS, headers={"Origin": "https://evil.example"}).expect(403)


def test_without_authentication(make):
    server = make(settings={"server": {"auth": "none"}})
    server.start()
    server.get(JOBS, token=None).expect(200)
    assert not (server.state / "server").exists()
    assert server.told("token_file") == "none"
    server.stop()

    server.settings["server"]["listen"] = "0.0.0.0:0"
    code, said = server.run()
    assert code == 2 and "everybody who reaches 0.0.0.0" in said and "--insecure" in said
    server.flags = ["--insecure"]
    server.start()
    server.get(JOBS, token=None).expect(200)
    assert any("may do everything" in line["message"] for line in server.lines())


def test_files_that_are_wrong(make):
    server = make()
    server.state.mkdir()
    (server.state / "server").mkdir(mode=0o700)
    token = server.state / "server" / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n", encoding="utf-8")
    token.chmod(0o644)
    code, said = server.run()
    assert code == 1 and str(token) in said
    assert "0123456789abcdef" not in said
    token.chmod(0o600)
    server.start()
    server.get(JOBS, token="0123456789abcdef0123456789abcdef").expect(200)
    server.stop()

    right = server.settings
    for changes, why in [
            ({"server": {"listen": "localhost:80"}}, "server.listen: 'localhost:80' is no address"),
            ({"server": {"tls_cert": "/none"}}, "server.tls_cert: it needs server.tls_key beside"),
            ({"server": {"tls_cert": "/none", "tls_key": "/none"}}, "server.tls_cert: Failed to"),
            ({"source": {"plugin": "none"}}, 'there is no source plugin "none"')]:
        server.settings = merge(right, changes)
        code, said = server.run()
        assert code == 2 and why in said, said


def test_who_may_only_look(make):
    server = make(settings={"server": {"read_token_file": "look"}})
    server.start()
    look = (server.data / "look").read_text(encoding="utf-8").strip()
    server.get(JOBS, token=look).expect(200)
    server.post(JOBS, {"verb": "create", "name": "b"}, token=look).expect(403)
    assert server.get(JOBS).json == {"jobs": []}


def test_tls(make, tmp_path):
    files = Certificates(tmp_path / "certs")
    server = make(scheme="https", settings={"server": {"tls_cert": str(files.server),
                                                       "tls_key": str(files.server_key)}})
    server.start()
    assert server.url.startswith("https://")
    server.get(JOBS).expect(200)
    server.stop()
    files.server_key.chmod(0o644)
    code, said = server.run()
    assert code == 2 and f"server.tls_key: everybody can use {files.server_key}" in said


@pytest.mark.parametrize("name", ["bakplane", "milvus-backup"])
def test_the_other_programs_become_it(make, tmp_path, name):
    link = tmp_path / name
    link.symlink_to(built("bakplane"))
    server = make(program=[link, "server"], settings={"server": {"listen": "127.0.0.1:1"}})
    server.flags = ["--port", "0"]
    server.start()
    server.get(JOBS).expect(200)
    words = Path(f"/proc/{server.pid}/cmdline").read_text(encoding="utf-8").split("\0")
    assert words[0] == "bakplane-server"
    assert server.end() == 0


class WithoutFile(BakplaneServer):
    """All that it is told is on its command line, in words of the other tool."""

    def _command(self):
        command, env = super()._command()
        at = command.index("--config")
        return [*command[:at], "--config", "", *command[at + 2:]], env


def test_workers_read_what_it_read(tmp_path):
    """Without a file nothing shows whose words the settings are."""
    link = tmp_path / "milvus-backup"
    link.symlink_to(built("bakplane"))
    (tmp_path / "backups").mkdir()
    said = ["milvus.storage.provider=local", f"milvus.storage.rootPath={tmp_path / 'data'}",
            "backup.storage.provider=local", f"backup.storage.rootPath={tmp_path / 'backups'}",
            f"state_dir={tmp_path / 'state'}", "server.listen=127.0.0.1:0",
            "server.grpc_listen=127.0.0.1:0", "log.format=json"]
    flags = [word for one in said for word in ("--set", one)]
    with WithoutFile(tmp_path / "server", program=[link, "server"], flags=flags) as server:
        job = server.wait(server.submit({"verb": "verify", "name": "nothing"})["id"])
        assert job["state"] == "failed" and "nothing" in job["result"]["error"]["message"], job
