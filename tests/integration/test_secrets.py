# SPDX-License-Identifier: Apache-2.0
"""No secret comes out of a server, whatever fails: by no answer, by no log, in no file.

Jobs and looks fail at storages where nobody listens, and at one that repeats what it hears and
knows. All that is told of them is searched, at the level of logs that says most.
"""

import base64
import json
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

import grpc
import pytest
from google.protobuf import struct_pb2

from integration.lib.grpc_clients import Channel
from services.bakplane_server import BakplaneServer, built

PATIENCE = 60
JOBS, BACKUPS = "/api/v2/jobs", "/api/v2/backups"
OURS, THEIRS = "/bakplane.v1.Jobs/", "/milvus.proto.backup.MilvusBackupService/"
LOOK = "a-token-that-may-only-look"
KEY, SESSION = "a-key-of-the-cloud-that-nobody-sees", "a-session-of-the-cloud-that-nobody-sees"
SIGNATURE = quote(base64.b64encode(b"a signature that nobody sees??>>").decode(), safe="")
SAS = f"sv=2024-11-04&ss=b&srt=sco&sp=rwdlac&se=2040-01-01T00:00:00Z&sig={SIGNATURE}"
PASSWORD = "a-password-of-a-proxy-that-nobody-sees"
ELSEWHERE = ["cloud", "loud", "blue", "teal", "proxied"]


class Loud:
    """A store, of S3 or Azure, that refuses everything, and with which words."""

    def __init__(self):
        outer = self
        self.heard = []

        class Handler(BaseHTTPRequestHandler):
            """Keys have no place in a request, so it knows them anyway."""

            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                is_s3 = "x-amz-date" in self.headers
                outer.heard.append("s3" if is_s3 else self.path)
                said = escape(f"{KEY} and {SESSION}?" if is_s3 else f"{self.path}?")
                body = f"<Error><Code>AccessDenied</Code><Message>{said}</Message></Error>".encode()
                self.send_response(403)
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture(scope="module")
def loud():
    with Loud() as running:
        yield running


@pytest.fixture(scope="module")
def nowhere():
    """Where nobody listens, and nobody else can."""
    with socket.socket() as claim:
        claim.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{claim.getsockname()[1]}"


@pytest.fixture(scope="module")
def server(tmp_path_factory, loud, nowhere):
    folder = tmp_path_factory.mktemp("secrets")
    look = folder / "read-token"
    look.write_text(LOOK, encoding="utf-8")
    look.chmod(0o600)
    s3 = {"plugin": "s3", "region": "us-east-1", "access_key": "known", "secret_key": KEY,
          "session_token": SESSION}
    azure = {"plugin": "azure", "account": "account", "container": "container", "sas": SAS,
             "allow_http": True}
    storages = {"cloud": {**s3, "endpoint": nowhere, "bucket": "of-cloud"},
                "loud": {**s3, "endpoint": loud.url, "bucket": "of-loud"},
                "blue": {**azure, "endpoint": f"{nowhere}/account"},
                "teal": {**azure, "endpoint": f"{loud.url}/account"},
                "proxied": {**s3, "endpoint": loud.url, "bucket": "of-proxied",
                            "proxy": nowhere.replace("//", f"//user:{PASSWORD}@")}}
    settings = {"storages": storages, "log": {"level": "trace"},
                "backup": {"storage": "loud", "retry": {"attempts": 1}},
                "server": {"read_token_file": str(look)}}
    with BakplaneServer(folder / "server", settings=settings) as running:
        file = running.source / "default" / "books" / "1"
        file.parent.mkdir(parents=True)
        file.write_text("page", encoding="utf-8")
        yield running


@pytest.fixture(scope="module")
def failed(server):
    """Jobs of each verb, as they ended; what they read is there but for the storage."""
    good = server.submit({"verb": "create", "name": "good", "storage": "backups"})["id"]
    assert server.wait(good)["state"] == "succeeded"
    over = [server.wait(server.submit({"verb": "create", "name": "b", "storage": name})["id"])
            for name in ELSEWHERE]
    others = [{"verb": "restore", "name": "good"}, {"verb": "delete", "name": "good"},
              {"verb": "verify", "name": "good", "deep": True},
              {"verb": "restore", "name": "good", "storage": "cloud"},
              {"verb": "delete", "name": "good", "storage": "teal"},
              {"verb": "copy", "name": "good", "from": "backups", "to": "loud"},
              {"verb": "copy", "name": "good", "from": "blue", "to": "backups"}]
    over += [server.wait(server.submit(one)["id"]) for one in others]
    assert {job["state"] for job in over} == {"failed"}
    assert all(job["error"]["message"] for job in over)
    return over


def forms(secret):
    """As it may be written somewhere."""
    return {secret, unquote(secret), quote(secret, safe=""),
            base64.b64encode(secret.encode()).decode().rstrip("=")}


def assert_silent(server, texts, says=b"***"):
    """texts: {where: bytes}. says: has to be in some, or nothing of interest was told."""
    secrets = [form.encode() for secret in (server.token, LOOK, KEY, SESSION, SIGNATURE, PASSWORD)
               for form in forms(secret)]
    for where, text in texts.items():
        found = [secret for secret in secrets if secret in text]
        assert not found, f"{where} has {found}:\n{text.decode(errors='replace')[:9000]}"
    assert any(says in text for text in texts.values()), list(texts)


def told(answer):
    return b"%d %b\n%b" % (answer.status, str(answer.headers).encode(), answer.body)


def test_rest(server, loud, failed):
    ids = [job["id"] for job in failed]
    paths = [JOBS, f"{JOBS}?state=failed", f"{JOBS}?state={KEY}", f"{BACKUPS}/good",
             f"{BACKUPS}?cursor={KEY}", f"{BACKUPS}/{KEY}", f"{BACKUPS}?storage={KEY}", "/metrics",
             "/api/v2/ready", "/api/v2/health", "/api/v2/storages", "/api/v2/plugins",
             "/api/v1/check", "/api/v1/list", "/api/v1/get_backup?backup_name=good",
             "/api/v1/get_backup?backup_id=x",
             "/api/v1/get_backup?backup_name=good&bucket_name=of-cloud&path=/"]
    paths += [f"{BACKUPS}{rest}storage={name}" for name in ELSEWHERE for rest in ("?", "/good?")]
    paths += [path for one in ids for path in (f"{JOBS}/{one}", f"{JOBS}/{one}/log",
                                               f"/api/v1/get_restore?id={one}",
                                               f"/api/v1/get_backup?backup_id={one}")]
    texts = {path: told(server.get(path)) for path in paths}
    create = {"verb": "create", "name": "c"}
    for path, body in [
            ("/api/v1/create", {"backup_name": "c"}), ("/api/v1/create", {"strategy": KEY}),
            ("/api/v1/create", {"filter": {"a": {"colls": [f"{KEY},{SESSION}"]}}}),
            ("/api/v1/restore", {"backup_name": "good"}),
            ("/api/v1/restore", {"backup_name": "good", "bucket_name": "of-cloud", "path": "/"}),
            ("/api/v1/restore", {"backup_name": "good", "bucket_name": SESSION}),
            (JOBS, {"verb": KEY}), (JOBS, {**create, "label": KEY}), (JOBS, {**create, KEY: True}),
            (JOBS, {**create, "storage": KEY}), (JOBS, {**create, "filter": f"{KEY}.{SESSION}"}),
            (JOBS, {**create, "filter": f"a.b.{KEY}"}), (JOBS, {**create, "name": KEY})]:
        texts[f"{path} {body}"] = told(server.post(path, body))
    texts["key"] = told(server.post(JOBS, create, headers={"Idempotency-Key": KEY}))
    texts["delete"] = told(server.ask("DELETE", "/api/v1/delete?backup_name=good"))
    assert_silent(server, texts)
    assert texts["/api/v1/check"].startswith(b"500") and b"***" in texts["/api/v1/check"]
    assert b"***" in texts[f"{BACKUPS}?storage=loud"] and b"***" in texts[f"{JOBS}/{ids[1]}"]
    assert "s3" in loud.heard and any(SIGNATURE in path for path in loud.heard)
    assert len(server.get(JOBS).json["jobs"]) == len(failed) + 1  # all others were refused


def field(number, content):
    """Of protobuf: a text, or a message; short ones."""
    return bytes([number << 3 | 2, len(content)]) + content


def called(channel, path, message=b""):
    """All that came back: messages, status, metadata. One message is a stream, too."""
    call = channel.channel.unary_stream(path)(message, timeout=PATIENCE, metadata=channel.metadata)
    got = []
    try:
        got += call
    except grpc.RpcError:
        pass
    metadata = repr([*(call.initial_metadata() or ()), *(call.trailing_metadata() or ())])
    return b"\n".join([*got, f"{call.code()} {call.details()} {metadata}".encode()])


def test_grpc(server, failed):
    ids = [field(1, job["id"].encode()) for job in failed]
    good, cloud = field(2, b"good"), b"of-cloud"
    wrong = struct_pb2.Struct()
    wrong.update({"verb": KEY})
    calls = [(OURS + "List", b""), (OURS + "List", field(1, KEY.encode())),
             (OURS + "Get", field(1, KEY.encode())),
             (OURS + "Start", field(1, wrong.SerializeToString())),
             (THEIRS + "Check", b""), (THEIRS + "ListBackups", b""), (THEIRS + "GetBackup", good),
             (THEIRS + "GetBackup", good + field(4, cloud) + field(5, b"/")),
             (THEIRS + "CreateBackup", field(2, b"c")), (THEIRS + "DeleteBackup", good),
             (THEIRS + "CreateBackup", field(14, SESSION.encode())),
             (THEIRS + "RestoreBackup", good + field(7, cloud) + field(8, b"/")),
             (THEIRS + "RestoreBackup", good)]
    calls += [(OURS + method, one) for one in ids for method in ("Get", "Watch", "Cancel")]
    calls += [(THEIRS + "GetRestore", field(2, one[2:])) for one in ids]
    with Channel(server.told("grpc"), server.token) as channel:
        texts = {f"{path} {message}": called(channel, path, message) for path, message in calls}
        listed = called(channel, OURS + "List")
    assert_silent(server, texts)
    assert b"***" in texts[f"{THEIRS}Check b''"] and b"***" in texts[f"{OURS}Watch {ids[1]}"]
    assert all(job["id"].encode() in listed for job in failed)
    assert len(server.get(JOBS).json["jobs"]) == len(failed) + 1


def test_command_line(server, failed):
    texts, logs = {}, []
    words = [["job", "list"], ["list"], ["get", "-n", "good"], ["check"], ["config", "show"]]
    words += [["job", "show", job["id"], "--log"] for job in failed[:6]]
    for one in words:
        for form in ([], ["--json"]):
            done = subprocess.run([built("bakplane"), "--config", server.config, *form, *one],
                                  check=False, stdin=subprocess.DEVNULL, capture_output=True)
            texts[" ".join([*form, *one])] = done.stdout + done.stderr
            if form and "--log" in one:
                logs += [job["log"] for job in json.loads(done.stdout)["jobs"]]
    assert_silent(server, texts)
    assert len(logs) == 6 and all(logs)


def test_files_and_processes(server, failed):
    """What the server and its jobs have written, and what other users of the machine see."""
    files = [path for place in (server.state, server.backups) for path in place.rglob("*")
             if path.is_file() and path != server.token_file]
    texts = {str(path): path.read_bytes() for path in files}
    assert any(path.endswith("result.json") for path in texts)
    texts["log"] = server.log.read_bytes()
    texts["process"] = Path(f"/proc/{server.pid}/cmdline").read_bytes()
    assert_silent(server, texts)
    assert all(job["id"].encode() in texts["log"] for job in failed)
