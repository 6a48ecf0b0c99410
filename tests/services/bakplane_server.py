# SPDX-License-Identifier: Apache-2.0
"""bakplane-server itself, on a free port of 127.0.0.1, with a configuration of its own.

    with BakplaneServer(settings=config) as server:      # nested dictionaries, as bakplane.yaml
        server.get("/api/v2/jobs").json["jobs"]
        job = server.submit({"verb": "create", "name": "b"})
        server.wait(job["id"])["state"]

Without settings it saves a folder of files: server.source, to server.backups.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import time
from pathlib import Path

from .process import ServerError, ServerProcess
from .server import Server

# Longer than anything takes here: Milvus looks at an import every two seconds, and loads and
# flushes for tens of them.
PATIENCE = 300
OVER = {"succeeded", "different", "failed", "cancelled"}


def built(name):
    """A program of the build tree: beside BAKPLANE_BIN, else what ./dev test builds."""
    here = Path(__file__).resolve().parents[2]
    main = Path(os.environ.get("BAKPLANE_BIN") or here / "build" / "debug" / "bin" / "bakplane")
    return main.with_name(name)


def plugin_folders():
    """Where plugins are, and those that are only for tests."""
    build = built("bakplane").resolve().parent.parent
    return [os.environ.get("BAKPLANE_PLUGIN_DIR") or str(build / "lib" / "bakplane" / "plugins"),
            os.environ.get("BAKPLANE_TEST_PLUGIN_DIR") or str(build / "tests" / "plugins")]


def merge(base, changes):
    """A copy of nested dictionaries with others laid over it; None takes a key away."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        nested = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = merge(old, value) if nested else value
    return {key: value for key, value in merged.items() if value is not None}


class Answer:
    """What came back."""

    def __init__(self, reply):
        self.status, self.headers = reply.status, reply.headers
        self.body = reply.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def expect(self, status):
        assert self.status == status, f"{status} was expected: {self.status} {self.text}"
        return self


class BakplaneServer(Server):
    """settings: laid over what is below. flags: words for the command line. env: variables."""

    NAME = "bakplane-server"

    def __init__(self, data=None, settings=None, flags=(), env=None, scheme="http", program=None):
        """program: words to call it by, instead of bakplane-server."""
        super().__init__(data)
        self.program = program or [built("bakplane-server")]
        self.source, self.backups = self.data / "source", self.data / "backups"
        self.config = self.data / "bakplane.yaml"
        base = {
            "source": {"plugin": "files", "storage": "data", "databases": True},
            "storages": {"data": {"plugin": "local", "root": str(self.source)},
                         "backups": {"plugin": "local", "root": str(self.backups)}},
            "backup": {"storage": "backups"},
            "plugins": {"dirs": plugin_folders()},
            "server": {"listen": "127.0.0.1:0", "grpc_listen": "127.0.0.1:0"},
            "log": {"level": "info", "format": "json"},
            "state_dir": str(self.data / "state"),
        }
        if settings is not None and "source" in settings:
            base = {key: base[key] for key in ("server", "log", "state_dir")}
        else:
            self.source.mkdir(parents=True, exist_ok=True)
            self.backups.mkdir(parents=True, exist_ok=True)
        self.settings = merge(base, settings or {})
        self.state = Path(self.settings["state_dir"])
        self.flags, self.env, self.scheme = list(flags), dict(env or {}), scheme
        self._told = {}

    # -- what Server wants to know

    def _command(self):
        # JSON is YAML.
        self.config.write_text(json.dumps(self.settings, indent=1), encoding="utf-8")
        self._offset = self.log.stat().st_size if self.log.exists() else 0
        return [*self.program, "--config", self.config, *self.flags], self.env

    def _is_ready(self):
        """It says so itself, with the ports that it got."""
        for line in self.lines():
            if line.get("message") == "serving":
                self._told = line
                return True
        return False

    def lines(self):
        """Lines of the log since the last start, those that are JSON."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(self._offset)
            return [json.loads(line) for line in log if re.match(r"\{.*\}$", line)]

    def workers(self):
        """Processes of its jobs that are there, also when it is not."""
        found = []
        for record in self.state.glob("jobs/*/record.json"):
            try:
                worker = json.loads(record.read_text(encoding="utf-8")).get("worker") or {}
                words = Path(f"/proc/{worker.get('pid')}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # gone meanwhile
            if b"job-worker" in words:
                found.append(worker["pid"])
        return found

    def close(self):
        self.stop()
        for pid in self.workers():
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGKILL)
        super().close()

    # -- where it is

    @property
    def url(self):
        return self._told["rest"]

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    def told(self, key):
        """What it said of itself when it was ready: rest, grpc, token_file …"""
        return self._told.get(key)

    @property
    def token_file(self):
        return Path(self._told["token_file"])

    @property
    def token(self):
        return self.token_file.read_text(encoding="utf-8").strip()

    # -- asking

    def connect(self):
        if self.scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE,
                                               context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, method, path, body=None, headers=None, token=""):
        """token: None = send none, "" = the server's own. body: text, bytes, or to be JSON."""
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token or self.token}")
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers=sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **kwargs):
        return self.ask("GET", path, **kwargs)

    def post(self, path, body=None, **kwargs):
        return self.ask("POST", path, body, **kwargs)

    # -- jobs, by /api/v2

    def submit(self, request):
        return self.post("/api/v2/jobs", request).expect(202).json

    def job(self, job_id):
        return self.get(f"/api/v2/jobs/{job_id}").expect(200).json

    def wait(self, job_id, holds=lambda job: job["state"] in OVER):
        """Until the job is over, or as wanted."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            job = self.job(job_id)
            if holds(job):
                return job
            time.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE} s: {job}")

    # -- life

    def send(self, number):
        """A signal."""
        self._process.send(number)

    def end(self, number=signal.SIGTERM):
        """A signal; its exit code."""
        self.send(number)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise ServerError(f"{self.title} goes on:\n{self._process.tail()}") from None

    def run(self, timeout=PATIENCE):
        """For what does not come up: its exit code and what it said."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command, env = self._command()
        process = ServerProcess(command, self.log, env=env, cwd=self.data)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise ServerError(f"{self.title} goes on:\n{process.tail()}") from None
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(self._offset)
            return code, log.read()
